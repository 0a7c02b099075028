/* Order, loss, batching, large and multipart messages: flow.md sections 5 and 6 (ORD-*, BAT-*). */
#include "flow_support.h"

static const char *const transports[] = {"inproc", "tcp", "ipc"};

/* ---- A sender in a thread of its own: numbered messages, waiting for space ---- */

enum { STAMP = 2 * sizeof(int32_t) };

struct sender {
    void *socket;
    int32_t count;   /* messages to send; < 0: until told to stop */
    int parts;       /* of each message */
    size_t size_max; /* sizes vary from STAMP to this */
    atomic_bool stop;
    atomic_int sent;
    int error; /* the first failure that was not a full queue */
};

/* Sizes that jump around the limits of inline messages, frame headers and batches. */
static size_t size_of_message(int32_t number, size_t most) {
    static const size_t sizes[] = {0,   21,  22,  25,   33,   55,   120,  246,
                                   247, 248, 300, 1000, 5000, 8184, 8192, 20000};
    const size_t size = STAMP + sizes[(uint32_t)number * 7u % 16u];
    return size < most ? size : most;
}

static void fill_body(unsigned char *body, size_t size, int32_t number, int32_t part) {
    memset(body, (unsigned char)(number + part), size);
    memcpy(body, &number, sizeof number);
    memcpy(body + sizeof number, &part, sizeof part);
}

static void *sender_body(void *arg) {
    struct sender *s = arg;
    unsigned char *body = malloc(s->size_max);
    for (int32_t number = 0; number != s->count && !atomic_load(&s->stop); number++) {
        for (int32_t part = 0; part < s->parts; part++) {
            const size_t size = size_of_message(number + part, s->size_max);
            fill_body(body, size, number, part);
            const int flags = part + 1 < s->parts ? ZMQ_SNDMORE : 0;
            while (zmq_send(s->socket, body, size, flags) == -1) {
                if (zmq_errno() != EAGAIN) {
                    s->error = zmq_errno();
                    free(body);
                    return NULL;
                }
                if (atomic_load(&s->stop)) break;
            }
        }
        atomic_fetch_add(&s->sent, 1);
        if (s->count < 0) pause_ms(number % 50 == 0);
    }
    free(body);
    return NULL;
}

/* Receives one message whole and checks every part; returns its number. */
static int32_t receive_whole(void *pull, int parts, size_t size_max) {
    static unsigned char body[32768], expected[32768];
    int32_t number = -1;
    wait_events(pull, ZMQ_POLLIN);
    for (int32_t part = 0; part < parts; part++) {
        const int n = zmq_recv(pull, body, sizeof body, ZMQ_DONTWAIT);
        if (n < STAMP)
            fail_msg("part %d of message %d: %d bytes, %s", part, number, n,
                     n < 0 ? zmq_strerror(zmq_errno()) : "");
        if (part == 0) memcpy(&number, body, sizeof number);
        const size_t size = size_of_message(number + part, size_max);
        fill_body(expected, size, number, part);
        if ((size_t)n != size || memcmp(body, expected, size) != 0)
            fail_msg("part %d of message %d is not what was sent (%d of %zu bytes)", part, number,
                     n, size);
        assert_int_equal(get_int(pull, ZMQ_RCVMORE), part + 1 < parts);
    }
    return number;
}

static void in_order(const char *transport, int hwm, int32_t count, int parts, size_t size_max) {
    void *ctx = new_context();
    void *push = new_limited(ctx, ZMQ_PUSH, hwm, -1), *pull = new_limited(ctx, ZMQ_PULL, -1, hwm);
    join_sockets(pull, push, transport);
    struct sender s = {.socket = push, .count = count, .parts = parts, .size_max = size_max};
    pthread_t thread = start_thread(sender_body, &s);
    for (int32_t i = 0; i < count; i++) assert_int_equal(receive_whole(pull, parts, size_max), i);
    join_thread(thread);
    assert_int_equal(s.error, 0);
    expect_silence(pull);
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void ORD_1_small_messages_in_order(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        in_order(transports[t], 1000, 20000, 1, STAMP);
        in_order(transports[t], 3, 2000, 1, STAMP);
    }
}

static void ORD_1_mixed_sizes_in_order(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        in_order(transports[t], 100, 3000, 1, 30000);
        in_order(transports[t], 2, 500, 1, 30000);
    }
}

static void ORD_1_multipart_in_order(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) in_order(transports[t], 10, 1000, 5, 30000);
}

static void ORD_1_both_directions_at_once(void **state) {
    (void)state;
    enum { COUNT = 3000 };
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *a = new_limited(ctx, ZMQ_PAIR, 10, 10), *b = new_limited(ctx, ZMQ_PAIR, 10, 10);
        join_sockets(a, b, transports[t]);
        int32_t sent[2] = {0, 0}, received[2] = {0, 0};
        void *side[2] = {a, b};
        while (received[0] < COUNT || received[1] < COUNT)
            for (int i = 0; i < 2; i++) {
                sent[i] += fill(side[i], sent[i], sent[i] + 7 < COUNT ? 7 : COUNT - sent[i]);
                while (received[i] < COUNT && (events_of(side[i]) & ZMQ_POLLIN)) {
                    assert_int_equal(receive_number(side[i]), received[i]);
                    received[i]++;
                }
            }
        close_now(a);
        close_now(b);
        end_context(ctx);
    }
}

/* Small and multipart messages in turns, looked for by a poll before each: what a poll has found may
 * not be overtaken by what stands behind it. */
static void ORD_1_a_poll_between_messages_of_all_kinds(void **state) {
    (void)state;
    enum { ROUNDS = 500 };
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *a = new_limited(ctx, ZMQ_PAIR, 0, 0), *b = new_limited(ctx, ZMQ_PAIR, 0, 0);
        join_sockets(a, b, transports[t]);
        for (int32_t i = 0; i < ROUNDS; i++)
            for (int part = 0; part <= i % 3; part++)
                assert_int_equal(
                    zmq_send(a, &i, sizeof i, part < i % 3 ? ZMQ_SNDMORE : 0), sizeof i);
        for (int32_t i = 0; i < ROUNDS; i++) {
            if (i % 5 != 0) wait_events(b, ZMQ_POLLIN);
            for (int part = 0; part <= i % 3; part++) {
                int32_t number = -1;
                assert_int_equal(zmq_recv(b, &number, sizeof number, 0), sizeof number);
                assert_int_equal(number, i);
                assert_int_equal(get_int(b, ZMQ_RCVMORE), part < i % 3);
            }
        }
        close_now(a);
        close_now(b);
        end_context(ctx);
    }
}

static void ORD_2_two_connections_are_two_pipes(void **state) {
    (void)state;
    enum { LIMIT = 10, COUNT = 500 };
    void *ctx = new_context();
    int fd;
    char endpoint[256];
    void *push = new_limited(ctx, ZMQ_PUSH, LIMIT, -1), *pull = new_socket(ctx, ZMQ_PULL);
    set_int(push, ZMQ_RECONNECT_IVL, 20);
    silent_tcp(&fd, endpoint);
    OK(zmq_connect(push, endpoint));
    OK(zmq_connect(push, endpoint));
    assert_int_equal(fill(push, 0, 1000), 2 * LIMIT);
    OK(zmq_bind(pull, endpoint));
    set_int(push, ZMQ_SNDTIMEO, DEADLINE_MS);
    for (int32_t i = 2 * LIMIT; i < COUNT; i++)
        assert_int_equal(zmq_send(push, &i, sizeof i, 0), sizeof i);
    /* All of them, each once; in order within each pipe, that is, among the even and among the odd
     * (LB-1 turns) only while no pipe is full, so just the set is asserted. */
    bool seen[COUNT] = {false};
    for (int i = 0; i < COUNT; i++) {
        const int32_t number = receive_number(pull);
        assert_in_range(number, 0, COUNT - 1);
        assert_false(seen[number]);
        seen[number] = true;
    }
    expect_silence(pull);
    close_now(push);
    close_now(pull);
    end_context(ctx);
    close(fd);
}

/* A server that comes and goes while one client keeps sending: what arrives is whole, in order and
 * never twice. */
static void generations(const char *transport, int parts) {
    enum { GENERATIONS = 5, EACH = 200 };
    void *ctx = new_context();
    char endpoint[256];
    void *push = new_limited(ctx, ZMQ_PUSH, 20, -1), *pull = new_socket(ctx, ZMQ_PULL);
    set_int(push, ZMQ_RECONNECT_IVL, 10);
    set_int(push, ZMQ_SNDTIMEO, 20);
    if (strcmp(transport, "ipc") == 0) {
        /* An ipc wildcard takes its directory along: a name that lasts. */
        sprintf(endpoint, "ipc:///tmp/tern-order-%d.sock", (int)getpid());
        OK(zmq_bind(pull, endpoint));
    } else
        bind_on(pull, transport, endpoint);
    OK(zmq_connect(push, endpoint));
    struct sender s = {.socket = push, .count = -1, .parts = parts, .size_max = 30000};
    pthread_t thread = start_thread(sender_body, &s);
    int32_t last = -1;
    for (int generation = 0; generation < GENERATIONS; generation++) {
        for (int i = 0; i < EACH; i++) {
            const int32_t number = receive_whole(pull, parts, 30000);
            if (number <= last) fail_msg("message %d after message %d", number, last);
            last = number;
        }
        close_now(pull);
        if (generation + 1 < GENERATIONS) {
            pull = new_socket(ctx, ZMQ_PULL);
            bind_again(pull, endpoint);
        }
    }
    atomic_store(&s.stop, true);
    join_thread(thread);
    /* ORD-4: the sender was never told. */
    assert_int_equal(s.error, 0);
    assert_true(last < atomic_load(&s.sent) + 1);
    close_now(push);
    end_context(ctx);
    if (strcmp(transport, "ipc") == 0) unlink(endpoint + strlen("ipc://"));
}

static void ORD_3_reconnects_neither_reorder_nor_duplicate(void **state) {
    (void)state;
    generations("tcp", 1);
    generations("ipc", 1);
}

static void ORD_5_reconnects_never_cut_a_message(void **state) {
    (void)state;
    generations("tcp", 7);
    generations("ipc", 7);
}

static void ORD_4_nothing_tells_the_sender_about_loss(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
        join_sockets(pull, push, transports[t]);
        set_int(push, ZMQ_SNDTIMEO, 50);
        send_text(push, "read", 0);
        expect_text(pull, "read");
        for (int i = 0; i < 20; i++) send_text(push, "never read", 0);
        close_now(pull);
        /* Either it still goes into the queue or there is no queue: nothing else may come back. */
        for (int i = 0; i < 20; i++)
            if (zmq_send(push, "x", 1, ZMQ_DONTWAIT) == -1) assert_int_equal(zmq_errno(), EAGAIN);
        assert_int_equal(events_of(push) & ~ZMQ_POLLOUT, 0);
        close_now(push);
        end_context(ctx);
    }
}

static void ORD_5_a_half_received_message_is_discarded(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *pull = new_socket(ctx, ZMQ_PULL);
    bind_on(pull, "tcp", endpoint);
    /* Frame header: flags (1 = more), length. */
    static const char first[] = "\1\4half\1\4half", third[] = "\0\5", whole[] = "\1\1a\1\1b\0\1c";
    int fd = raw_peer(endpoint, "PUSH");
    raw_write(fd, first, sizeof first - 1);
    expect_silence(pull);
    close(fd);
    fd = raw_peer(endpoint, "PUSH");
    raw_write(fd, first, sizeof first - 1);
    raw_write(fd, third, sizeof third - 1); /* the body never comes */
    expect_silence(pull);
    close(fd);
    fd = raw_peer(endpoint, "PUSH");
    raw_write(fd, whole, sizeof whole - 1);
    expect_part(pull, "a", true);
    expect_part(pull, "b", true);
    expect_part(pull, "c", false);
    expect_silence(pull);
    close(fd);
    close_now(pull);
    end_context(ctx);
}

static void ORD_5_half_messages_of_one_peer_do_not_disturb_another(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *pull = new_socket(ctx, ZMQ_PULL);
    bind_on(pull, "tcp", endpoint);
    const int half = raw_peer(endpoint, "PUSH"), good = raw_peer(endpoint, "PUSH");
    raw_write(half, "\1\4half", 6);
    raw_write(good, "\1\1a\0\1b", 6);
    expect_part(pull, "a", true);
    expect_part(pull, "b", false);
    raw_write(half, "\0\4rest", 6);
    expect_part(pull, "half", true);
    expect_part(pull, "rest", false);
    close(half);
    close(good);
    close_now(pull);
    end_context(ctx);
}

static void ORD_6_success_means_queued(void **state) {
    (void)state;
    void *ctx = new_context();
    int fd;
    char endpoint[64];
    void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
    set_int(push, ZMQ_RECONNECT_IVL, 20);
    silent_tcp(&fd, endpoint);
    OK(zmq_connect(push, endpoint));
    const int64_t start = now_ms();
    for (int32_t i = 0; i < 500; i++) assert_int_equal(zmq_send(push, &i, sizeof i, 0), sizeof i);
    expect_before(start, 5000);
    OK(zmq_bind(pull, endpoint));
    expect_numbers(pull, 0, 500);
    close_now(push);
    close_now(pull);
    end_context(ctx);
    close(fd);
}

static void ORD_6_the_senders_buffer_is_free_after_the_call(void **state) {
    (void)state;
    void *ctx = new_context();
    int fd;
    char endpoint[64];
    void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
    set_int(push, ZMQ_RECONNECT_IVL, 20);
    silent_tcp(&fd, endpoint);
    OK(zmq_connect(push, endpoint));
    static char buffer[40000];
    for (int i = 0; i < 5; i++) {
        memset(buffer, 'a' + i, sizeof buffer);
        assert_int_equal(zmq_send(push, buffer, i ? sizeof buffer : 3, 0), i ? sizeof buffer : 3);
    }
    memset(buffer, '-', sizeof buffer);
    OK(zmq_bind(pull, endpoint));
    for (int i = 0; i < 5; i++) {
        wait_events(pull, ZMQ_POLLIN);
        const int n = zmq_recv(pull, buffer, sizeof buffer, 0);
        assert_int_equal(n, i ? (int)sizeof buffer : 3);
        for (int k = 0; k < n; k++)
            if (buffer[k] != 'a' + i) fail_msg("message %d, byte %d is %d", i, k, buffer[k]);
    }
    close_now(push);
    close_now(pull);
    end_context(ctx);
    close(fd);
}

static void ORD_7_unfinished_multiparts_stay_off_the_network(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *push = new_socket(ctx, ZMQ_PUSH);
    bind_on(push, "tcp", endpoint);
    const int fd = raw_peer(endpoint, "PULL");
    wait_events(push, ZMQ_POLLOUT);
    static char big[20000];
    for (int large = 0; large < 2; large++) {
        if (large)
            assert_int_equal(zmq_send(push, big, sizeof big, ZMQ_SNDMORE), sizeof big);
        else
            send_text(push, "first", ZMQ_SNDMORE);
        send_text(push, "second", ZMQ_SNDMORE);
        struct pollfd p = {fd, POLLIN, 0};
        assert_int_equal(poll(&p, 1, QUIET_MS), 0);
        send_text(push, "last", 0);
        char bytes[sizeof big + 9];
        if (large) {
            static const char header[] = {3, 0, 0, 0, 0, 0, 0, 0x4e, 0x20};
            raw_read(fd, bytes, sizeof bytes);
            assert_memory_equal(bytes, header, sizeof header);
        } else {
            raw_read(fd, bytes, 7);
            assert_memory_equal(bytes, "\1\5first", 7);
        }
        raw_read(fd, bytes, 14);
        assert_memory_equal(bytes, "\1\6second\0\4last", 14);
    }
    close(fd);
    close_now(push);
    end_context(ctx);
}

static void BAT_1_a_lone_message_leaves_at_once(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *push = new_socket(ctx, ZMQ_PUSH);
    bind_on(push, "tcp", endpoint);
    const int fd = raw_peer(endpoint, "PULL");
    wait_events(push, ZMQ_POLLOUT);
    /* No further call of the program drives it; a delay of 40 ms each (Nagle and friends) would
     * show. */
    const int64_t start = now_ms();
    for (int i = 0; i < 200; i++) {
        char bytes[5];
        send_text(push, "one", 0);
        raw_read(fd, bytes, 5);
        assert_memory_equal(bytes, "\0\3one", 5);
    }
    expect_before(start, 5000);
    close(fd);
    close_now(push);
    end_context(ctx);
}

static void BAT_1_the_end_of_a_burst_leaves_without_further_calls(void **state) {
    (void)state;
    enum { COUNT = 999 };
    void *ctx = new_context();
    char endpoint[256];
    void *push = new_socket(ctx, ZMQ_PUSH);
    bind_on(push, "tcp", endpoint);
    const int fd = raw_peer(endpoint, "PULL");
    wait_events(push, ZMQ_POLLOUT);
    for (int32_t i = 0; i < COUNT; i++) assert_int_equal(zmq_send(push, &i, sizeof i, 0), sizeof i);
    for (int32_t i = 0; i < COUNT; i++) {
        unsigned char bytes[6];
        raw_read(fd, bytes, sizeof bytes);
        assert_int_equal(bytes[0], 0);
        assert_int_equal(bytes[1], 4);
        assert_memory_equal(bytes + 2, &i, sizeof i);
    }
    close(fd);
    close_now(push);
    end_context(ctx);
}

static void BAT_2_STREAM_pieces_are_no_larger_than_a_batch(void **state) {
    (void)state;
    enum { TOTAL = 200000, BATCH = 8192 };
    void *ctx = new_context();
    char endpoint[256], id[5], first[5];
    void *stream = new_socket(ctx, ZMQ_STREAM);
    bind_on(stream, "tcp", endpoint);
    const int fd = raw_connect(endpoint);
    static unsigned char out[TOTAL], in[TOTAL];
    for (int i = 0; i < TOTAL; i++) out[i] = (unsigned char)(i * 31 + i / 251);
    wait_events(stream, ZMQ_POLLIN);
    assert_int_equal(zmq_recv(stream, first, sizeof first, 0), 5);
    expect_part(stream, "", false);
    raw_write(fd, out, TOTAL);
    for (int done = 0; done < TOTAL;) {
        wait_events(stream, ZMQ_POLLIN);
        assert_int_equal(zmq_recv(stream, id, sizeof id, 0), 5);
        assert_memory_equal(id, first, 5);
        assert_int_equal(get_int(stream, ZMQ_RCVMORE), 1);
        const int n = zmq_recv(stream, in + done, (size_t)(TOTAL - done), ZMQ_DONTWAIT);
        assert_in_range(n, 1, BATCH);
        assert_int_equal(get_int(stream, ZMQ_RCVMORE), 0);
        done += n;
    }
    assert_memory_equal(in, out, TOTAL);
    close(fd);
    close_now(stream);
    end_context(ctx);
}

static void BAT_3_any_size_arrives_intact(void **state) {
    (void)state;
    static const size_t sizes[] = {0,     1,     29,    30,      33,      34,      254,
                                   255,   256,   8182,  8183,    8190,    8192,    16384,
                                   65535, 65536, 65537, 1000000, 5000003, 16777216};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
        join_sockets(pull, push, transports[t]);
        for (int i = 0; i < COUNT; i++) {
            zmq_msg_t message;
            OK(zmq_msg_init_size(&message, sizes[i]));
            unsigned char *data = zmq_msg_data(&message);
            memset(data, i + 1, sizes[i]);
            if (sizes[i]) data[0] = data[sizes[i] - 1] = 0xee;
            assert_int_equal(zmq_msg_send(&message, push, 0), sizes[i]);
            OK(zmq_msg_close(&message));
        }
        for (int i = 0; i < COUNT; i++) {
            zmq_msg_t message;
            OK(zmq_msg_init(&message));
            wait_events(pull, ZMQ_POLLIN);
            assert_int_equal(zmq_msg_recv(&message, pull, ZMQ_DONTWAIT), sizes[i]);
            assert_int_equal(zmq_msg_size(&message), sizes[i]);
            const unsigned char *data = zmq_msg_data(&message);
            if (sizes[i]) {
                assert_int_equal(data[0], 0xee);
                assert_int_equal(data[sizes[i] - 1], 0xee);
            }
            /* All between is one byte repeated: compare the range with itself, shifted by one. */
            if (sizes[i] > 3) {
                assert_int_equal(data[1], i + 1);
                assert_int_equal(memcmp(data + 1, data + 2, sizes[i] - 3), 0);
            }
            OK(zmq_msg_close(&message));
        }
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void BAT_3_multiparts_of_many_and_of_large_parts(void **state) {
    (void)state;
    static const struct {
        int parts;
        size_t size;
    } shapes[] = {{1000, 3}, {50, 9000}, {5, 1000000}, {300, 0}};
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *push = new_limited(ctx, ZMQ_PUSH, 1, -1), *pull = new_limited(ctx, ZMQ_PULL, -1, 1);
        join_sockets(pull, push, transports[t]);
        for (int shape = 0; shape < 4; shape++) {
            const int parts = shapes[shape].parts;
            const size_t size = shapes[shape].size;
            unsigned char *body = calloc(1, size + 1), *expected = calloc(1, size + 1);
            set_int(push, ZMQ_SNDTIMEO, DEADLINE_MS);
            for (int i = 0; i < parts; i++) {
                memset(body, i, size);
                assert_int_equal(zmq_send(push, body, size, i + 1 < parts ? ZMQ_SNDMORE : 0), size);
            }
            wait_events(pull, ZMQ_POLLIN);
            for (int i = 0; i < parts; i++) {
                memset(expected, i, size);
                assert_int_equal(zmq_recv(pull, body, size + 1, ZMQ_DONTWAIT), size);
                assert_memory_equal(body, expected, size + 1);
                assert_int_equal(get_int(pull, ZMQ_RCVMORE), i + 1 < parts);
            }
            free(body);
            free(expected);
        }
        expect_silence(pull);
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(ORD_1_small_messages_in_order),
        CASE(ORD_1_mixed_sizes_in_order),
        CASE(ORD_1_multipart_in_order),
        CASE(ORD_1_both_directions_at_once),
        CASE(ORD_1_a_poll_between_messages_of_all_kinds),
        CASE(ORD_2_two_connections_are_two_pipes),
        CASE(ORD_3_reconnects_neither_reorder_nor_duplicate),
        CASE(ORD_4_nothing_tells_the_sender_about_loss),
        CASE(ORD_5_reconnects_never_cut_a_message),
        CASE(ORD_5_a_half_received_message_is_discarded),
        CASE(ORD_5_half_messages_of_one_peer_do_not_disturb_another),
        CASE(ORD_6_success_means_queued),
        CASE(ORD_6_the_senders_buffer_is_free_after_the_call),
        CASE(ORD_7_unfinished_multiparts_stay_off_the_network),
        CASE(BAT_1_a_lone_message_leaves_at_once),
        CASE(BAT_1_the_end_of_a_burst_leaves_without_further_calls),
        CASE(BAT_2_STREAM_pieces_are_no_larger_than_a_batch),
        CASE(BAT_3_any_size_arrives_intact),
        CASE(BAT_3_multiparts_of_many_and_of_large_parts),
    };
    return cmocka_run_group_tests_name("flow.md sections 5 and 6: ORD, BAT", tests, NULL, NULL);
}
