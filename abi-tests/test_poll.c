/* zmq_poll: flow.md section 4 (POL-*). Signals during zmq_poll are in test_signals.c too. */
#include "flow_support.h"

static const char *const transports[] = {"inproc", "tcp", "ipc"};

static void open_pair(void *ctx, const char *transport, void **push, void **pull) {
    *push = new_socket(ctx, ZMQ_PUSH);
    *pull = new_socket(ctx, ZMQ_PULL);
    join_sockets(*pull, *push, transport);
}

static void POL_1_level_triggered(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context(), *push, *pull;
        open_pair(ctx, transports[t], &push, &pull);
        send_text(push, "one", 0);
        wait_events(pull, ZMQ_POLLIN);
        zmq_pollitem_t items[2] = {{pull, 0, ZMQ_POLLIN, 0}, {push, 0, ZMQ_POLLOUT, 0}};
        for (int i = 0; i < 20; i++) {
            assert_int_equal(zmq_poll(items, 2, i % 2 ? -1 : 0), 2);
            assert_int_equal(items[0].revents, ZMQ_POLLIN);
            assert_int_equal(items[1].revents, ZMQ_POLLOUT);
        }
        /* Two messages, one read: still. Both read: no more. */
        send_text(push, "two", 0);
        expect_text(pull, "one");
        expect_text(pull, "two");
        assert_int_equal(zmq_poll(items, 1, 0), 0);
        assert_int_equal(items[0].revents, 0);
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void POL_1_no_condition_goes_unseen_between_polls(void **state) {
    (void)state;
    /* Other calls on the socket may have processed the arrival: poll still reports it. */
    void *ctx = new_context();
    void *a = new_socket(ctx, ZMQ_PAIR), *b = new_socket(ctx, ZMQ_PAIR);
    join_sockets(a, b, "inproc");
    send_text(b, "in", 0);
    (void)events_of(a);
    send_text(a, "out", 0);
    zmq_pollitem_t item = {a, 0, ZMQ_POLLIN, 0};
    assert_int_equal(zmq_poll(&item, 1, -1), 1);
    expect_text(a, "in");
    close_now(a);
    close_now(b);
    end_context(ctx);
}

static void POL_2_returns_the_number_of_ready_items(void **state) {
    (void)state;
    void *ctx = new_context(), *push[3], *pull[3];
    zmq_pollitem_t items[3];
    for (int i = 0; i < 3; i++) {
        open_pair(ctx, "inproc", &push[i], &pull[i]);
        items[i] = (zmq_pollitem_t){pull[i], 0, ZMQ_POLLIN, 0};
    }
    static const int order[] = {1, 0, 2};
    for (int ready = 0; ready <= 3; ready++) {
        for (int i = 0; i < 3; i++) items[i].revents = 0x55;
        assert_int_equal(zmq_poll(items, 3, 0), ready);
        for (int i = 0; i < 3; i++) {
            bool sent = false;
            for (int k = 0; k < ready; k++) sent |= order[k] == i;
            assert_int_equal(items[i].revents, sent ? ZMQ_POLLIN : 0);
        }
        if (ready < 3) send_text(push[order[ready]], "x", 0);
    }
    for (int i = 0; i < 3; i++) {
        close_now(push[i]);
        close_now(pull[i]);
    }
    end_context(ctx);
}

static void POL_2_timeout_returns_zero_and_clears_revents(void **state) {
    (void)state;
    void *ctx = new_context();
    void *pull = new_socket(ctx, ZMQ_PULL), *push = new_socket(ctx, ZMQ_PUSH);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    zmq_pollitem_t items[3] = {{pull, 0, ZMQ_POLLIN, 0x55},
                               {push, 0, ZMQ_POLLOUT, 0x55},
                               {NULL, fds[0], ZMQ_POLLIN, 0x55}};
    assert_int_equal(zmq_poll(items, 3, 20), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(items[i].revents, 0);
    close(fds[0]);
    close(fds[1]);
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void POL_3_every_item_is_checked_on_every_call(void **state) {
    (void)state;
    enum { COUNT = 40 };
    void *ctx = new_context(), *push[COUNT], *pull[COUNT];
    zmq_pollitem_t items[COUNT + 1];
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    for (int i = 0; i < COUNT; i++) {
        open_pair(ctx, "inproc", &push[i], &pull[i]);
        for (int k = 0; k < 3; k++) send_text(push[i], "x", 0);
        items[i] = (zmq_pollitem_t){pull[i], 0, ZMQ_POLLIN, 0};
    }
    items[COUNT] = (zmq_pollitem_t){NULL, fds[0], ZMQ_POLLIN, 0};
    for (int round = 0; round < 3; round++) {
        /* Busy items at the front hide none at the end. */
        assert_int_equal(zmq_poll(items, COUNT + 1, -1), COUNT + 1);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(items[i].revents, ZMQ_POLLIN);
            expect_text(pull[i], "x");
        }
        assert_int_equal(items[COUNT].revents, ZMQ_POLLIN);
    }
    assert_int_equal(zmq_poll(items, COUNT + 1, 0), 1);
    for (int i = 0; i < COUNT; i++) {
        close_now(push[i]);
        close_now(pull[i]);
    }
    close(fds[0]);
    close(fds[1]);
    end_context(ctx);
}

static void POL_3_long_lists(void **state) {
    (void)state;
    enum { COUNT = 600 };
    void *ctx = new_context(), *push, *pull;
    open_pair(ctx, "inproc", &push, &pull);
    send_text(push, "x", 0);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    zmq_pollitem_t *items = calloc(COUNT, sizeof *items);
    for (int i = 0; i < COUNT; i++)
        items[i] = i % 2 ? (zmq_pollitem_t){NULL, fds[0], ZMQ_POLLIN, 0}
                         : (zmq_pollitem_t){pull, 0, ZMQ_POLLIN, 0};
    assert_int_equal(zmq_poll(items, COUNT, -1), COUNT);
    expect_text(pull, "x");
    assert_int_equal(zmq_poll(items, COUNT, 0), COUNT / 2);
    for (int i = 0; i < COUNT; i++) assert_int_equal(items[i].revents, i % 2 ? ZMQ_POLLIN : 0);
    free(items);
    close(fds[0]);
    close(fds[1]);
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void POL_4_zero_never_sleeps(void **state) {
    (void)state;
    void *ctx = new_context();
    void *pull = new_socket(ctx, ZMQ_PULL);
    zmq_pollitem_t item = {pull, 0, ZMQ_POLLIN, 0};
    const int64_t start = now_ms();
    for (int i = 0; i < 1000; i++) assert_int_equal(zmq_poll(&item, 1, 0), 0);
    expect_before(start, 5000);
    close_now(pull);
    end_context(ctx);
}

static void POL_4_n_milliseconds_never_earlier(void **state) {
    (void)state;
    static const int limits[] = {1, 15, 100, 250};
    void *ctx = new_context();
    void *pull = new_socket(ctx, ZMQ_PULL);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    zmq_pollitem_t items[2] = {{pull, 0, ZMQ_POLLIN, 0}, {NULL, fds[0], ZMQ_POLLIN, 0}};
    for (int i = 0; i < 4; i++)
        for (int first = 0; first < 2; first++) {
            const int64_t start = now_ms();
            assert_int_equal(zmq_poll(items + first, 2 - first, limits[i]), 0);
            expect_not_before(start, limits[i]);
            expect_before(start, limits[i] + 5000);
        }
    close(fds[0]);
    close(fds[1]);
    close_now(pull);
    end_context(ctx);
}

struct waiter {
    zmq_pollitem_t items[3];
    int count, rc, error;
    long timeout;
    atomic_bool done;
};

static void *waiter_body(void *arg) {
    struct waiter *w = arg;
    w->rc = zmq_poll(w->items, w->count, w->timeout);
    w->error = zmq_errno();
    atomic_store(&w->done, true);
    return NULL;
}

static void POL_4_infinite_waits_for_the_event(void **state) {
    (void)state;
    /* What wakes it: a message, a first peer (POLLOUT), a descriptor, freed space. */
    for (int cause = 0; cause < 4; cause++)
        for (int t = 0; t < 3; t++) {
            void *ctx = new_context();
            char endpoint[256];
            int fds[2];
            assert_int_equal(pipe(fds), 0);
            void *idle = new_socket(ctx, ZMQ_PULL), *pull = new_limited(ctx, ZMQ_PULL, -1, 1);
            void *push = new_limited(ctx, ZMQ_PUSH, 1, -1);
            struct waiter w = {.items = {{idle, 0, ZMQ_POLLIN, 0},
                                         {pull, 0, ZMQ_POLLIN, 0},
                                         {NULL, fds[0], ZMQ_POLLIN, 0}},
                               .count = 3,
                               .timeout = -1};
            if (cause == 0)
                bind_on(pull, transports[t], endpoint);
            else if (cause == 1) {
                bind_on(push, transports[t], endpoint);
                w.items[1] = (zmq_pollitem_t){push, 0, ZMQ_POLLOUT, 0};
            } else if (cause == 3) {
                join_sockets(pull, push, "inproc");
                assert_int_equal(fill(push, 0, 100), 2);
                w.items[1] = (zmq_pollitem_t){push, 0, ZMQ_POLLOUT, 0};
            }
            pthread_t thread = start_thread(waiter_body, &w);
            pause_ms(50);
            assert_false(atomic_load(&w.done));
            int woken = 1;
            if (cause == 0) {
                OK(zmq_connect(push, endpoint));
                send_text(push, "x", 0);
            } else if (cause == 1) {
                OK(zmq_connect(pull, endpoint));
            } else if (cause == 2) {
                assert_int_equal(write(fds[1], "x", 1), 1);
                woken = 2;
            } else
                expect_numbers(pull, 0, 2);
            WAIT_UNTIL(atomic_load(&w.done));
            join_thread(thread);
            assert_int_equal(w.rc, 1);
            for (int i = 0; i < 3; i++)
                assert_int_equal(w.items[i].revents, i == woken ? w.items[i].events : 0);
            close(fds[0]);
            close(fds[1]);
            close_now(idle);
            close_now(push);
            close_now(pull);
            end_context(ctx);
        }
}

static void POL_5_only_requested_bits(void **state) {
    (void)state;
    void *ctx = new_context();
    void *a = new_socket(ctx, ZMQ_PAIR), *b = new_socket(ctx, ZMQ_PAIR);
    join_sockets(a, b, "inproc");
    send_text(b, "x", 0);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    zmq_pollitem_t items[] = {
        {a, 0, ZMQ_POLLIN, 0},
        {a, 0, ZMQ_POLLOUT, 0},
        {a, 0, ZMQ_POLLIN | ZMQ_POLLOUT, 0},
        {a, 0, 0, 0x55},
        {a, 0, ZMQ_POLLERR | ZMQ_POLLPRI, 0x55},
        {NULL, fds[1], ZMQ_POLLIN, 0x55},
        {NULL, fds[1], 0, 0x55},
    };
    assert_int_equal(zmq_poll(items, 7, 0), 3);
    assert_int_equal(items[0].revents, ZMQ_POLLIN);
    assert_int_equal(items[1].revents, ZMQ_POLLOUT);
    assert_int_equal(items[2].revents, ZMQ_POLLIN | ZMQ_POLLOUT);
    for (int i = 3; i < 7; i++) assert_int_equal(items[i].revents, 0);
    /* Items that ask for nothing wake nobody. */
    const int64_t start = now_ms();
    assert_int_equal(zmq_poll(items + 3, 1, 50), 0);
    expect_not_before(start, 50);
    close(fds[0]);
    close(fds[1]);
    close_now(a);
    close_now(b);
    end_context(ctx);
}

static void POL_5_descriptors_in_and_out(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    zmq_pollitem_t items[2] = {{NULL, fds[0], ZMQ_POLLIN | ZMQ_POLLOUT, 0},
                               {NULL, fds[1], ZMQ_POLLIN | ZMQ_POLLOUT, 0}};
    assert_int_equal(zmq_poll(items, 2, -1), 1);
    assert_int_equal(items[0].revents, 0);
    assert_int_equal(items[1].revents, ZMQ_POLLOUT);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(zmq_poll(items, 2, -1), 2);
    assert_int_equal(items[0].revents, ZMQ_POLLIN);
    assert_int_equal(items[1].revents, ZMQ_POLLOUT);
    /* 0MQ does not read it. */
    char byte;
    assert_int_equal(read(fds[0], &byte, 1), 1);
    close(fds[0]);
    close(fds[1]);
}

static void POL_5_descriptor_errors_are_POLLERR_even_unasked(void **state) {
    (void)state;
    static const short asked[] = {ZMQ_POLLIN, ZMQ_POLLIN | ZMQ_POLLERR, ZMQ_POLLERR};
    for (int i = 0; i < 3; i++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        close(fds[1]); /* hang-up on the reading end */
        zmq_pollitem_t item = {NULL, fds[0], asked[i], 0};
        assert_int_equal(zmq_poll(&item, 1, DEADLINE_MS), 1);
        assert_true(item.revents & ZMQ_POLLERR);
        close(fds[0]);
        assert_int_equal(pipe(fds), 0);
        close(fds[0]); /* a writing end nobody reads */
        item = (zmq_pollitem_t){NULL, fds[1], ZMQ_POLLOUT, 0};
        assert_int_equal(zmq_poll(&item, 1, DEADLINE_MS), 1);
        assert_true(item.revents & ZMQ_POLLERR);
        /* A number that is no descriptor. */
        close(fds[1]);
        item = (zmq_pollitem_t){NULL, 1000000, asked[i], 0};
        assert_int_equal(zmq_poll(&item, 1, DEADLINE_MS), 1);
        assert_int_equal(item.revents, ZMQ_POLLERR);
    }
}

static void POL_5_urgent_data_is_POLLPRI(void **state) {
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof a;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &size), 0);
    const int client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&a, sizeof a), 0);
    const int server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    zmq_pollitem_t item = {NULL, server, ZMQ_POLLPRI, 0};
    assert_int_equal(zmq_poll(&item, 1, 20), 0);
    assert_int_equal(send(client, "!", 1, MSG_OOB), 1);
    assert_int_equal(zmq_poll(&item, 1, DEADLINE_MS), 1);
    assert_int_equal(item.revents, ZMQ_POLLPRI);
    close(client);
    close(server);
    close(listener);
}

static void POL_5_descriptor_minus_one_is_ignored(void **state) {
    (void)state;
    zmq_pollitem_t item = {NULL, -1, ZMQ_POLLIN, 0x55};
    const int64_t start = now_ms();
    assert_int_equal(zmq_poll(&item, 1, 30), 0);
    expect_not_before(start, 30);
    assert_int_equal(item.revents, 0);
}

static void POL_6_no_items_sleeps(void **state) {
    (void)state;
    const int64_t start = now_ms();
    assert_int_equal(zmq_poll(NULL, 0, 100), 0);
    expect_not_before(start, 100);
    assert_int_equal(zmq_poll(NULL, 0, 0), 0);
    zmq_pollitem_t item;
    assert_int_equal(zmq_poll(&item, 0, 10), 0);
}

static void POL_6_wrong_arguments(void **state) {
    (void)state;
    zmq_pollitem_t item = {NULL, -1, 0, 0};
    FAILS(zmq_poll(&item, -1, 0), EINVAL);
    FAILS(zmq_poll(NULL, -1, 0), EINVAL);
    FAILS(zmq_poll(NULL, 1, 0), EFAULT);
    FAILS(zmq_poll(NULL, 5, -1), EFAULT);
}

static void POL_6_no_socket_is_ENOTSOCK(void **state) {
    (void)state;
    static uint64_t no_socket[512];
    void *ctx = new_context();
    void *s = new_socket(ctx, ZMQ_PULL), *closed = new_socket(ctx, ZMQ_PULL);
    close_now(closed);
    zmq_pollitem_t items[2] = {{s, 0, ZMQ_POLLIN, 0}, {no_socket, 0, ZMQ_POLLIN, 0}};
    FAILS(zmq_poll(items, 2, 0), ENOTSOCK);
    FAILS(zmq_poll(items + 1, 1, -1), ENOTSOCK);
    items[1].socket = closed;
    FAILS(zmq_poll(items, 2, -1), ENOTSOCK);
    close_now(s);
    end_context(ctx);
}

static void POL_6_terminated_context_is_ETERM(void **state) {
    (void)state;
    void *ctx = new_context();
    void *s = new_socket(ctx, ZMQ_PULL);
    zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
    assert_int_equal(zmq_poll(&item, 1, 0), 0);
    OK(zmq_ctx_shutdown(ctx));
    FAILS(zmq_poll(&item, 1, -1), ETERM);
    FAILS(zmq_poll(&item, 1, 0), ETERM);
    OK(zmq_close(s));
    end_context(ctx);
}

static void POL_6_termination_wakes_a_waiting_poll(void **state) {
    (void)state;
    void *ctx = new_context();
    void *s = new_socket(ctx, ZMQ_PULL);
    struct waiter w = {.items = {{s, 0, ZMQ_POLLIN, 0}}, .count = 1, .timeout = -1};
    pthread_t thread = start_thread(waiter_body, &w);
    pause_ms(50);
    assert_false(atomic_load(&w.done));
    OK(zmq_ctx_shutdown(ctx));
    WAIT_UNTIL(atomic_load(&w.done));
    join_thread(thread);
    assert_int_equal(w.rc, -1);
    assert_int_equal(w.error, ETERM);
    OK(zmq_close(s));
    end_context(ctx);
}

struct slow_sender {
    void *socket;
    int error;
};

static void *slow_sender_body(void *arg) {
    struct slow_sender *s = arg;
    for (int message = 0; message < 20; message++)
        for (int part = 0; part < 4; part++) {
            if (zmq_send(s->socket, "part", 4, part < 3 ? ZMQ_SNDMORE : 0) != 4)
                s->error = zmq_errno();
            pause_ms(1);
        }
    return NULL;
}

static void POL_7_a_readable_first_part_means_all_are(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context(), *push, *pull;
        open_pair(ctx, transports[t], &push, &pull);
        struct slow_sender s = {.socket = push};
        pthread_t thread = start_thread(slow_sender_body, &s);
        for (int message = 0; message < 20; message++) {
            wait_events(pull, ZMQ_POLLIN);
            for (int part = 0; part < 4; part++) {
                char buffer[8];
                assert_int_equal(zmq_recv(pull, buffer, sizeof buffer, ZMQ_DONTWAIT), 4);
                assert_int_equal(get_int(pull, ZMQ_RCVMORE), part < 3);
                zmq_pollitem_t item = {pull, 0, ZMQ_POLLIN, 0};
                if (part < 3) assert_int_equal(zmq_poll(&item, 1, 0), 1);
            }
        }
        join_thread(thread);
        assert_int_equal(s.error, 0);
        expect_silence(pull);
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void POL_8_the_same_socket_several_times(void **state) {
    (void)state;
    void *ctx = new_context();
    void *a = new_socket(ctx, ZMQ_PAIR), *b = new_socket(ctx, ZMQ_PAIR);
    join_sockets(a, b, "inproc");
    zmq_pollitem_t items[] = {{a, 0, ZMQ_POLLIN, 0},
                              {a, 0, ZMQ_POLLOUT, 0},
                              {b, 0, ZMQ_POLLIN, 0},
                              {a, 0, ZMQ_POLLIN | ZMQ_POLLOUT, 0}};
    assert_int_equal(zmq_poll(items, 4, -1), 2);
    send_text(b, "x", 0);
    assert_int_equal(zmq_poll(items, 4, -1), 3);
    assert_int_equal(items[0].revents, ZMQ_POLLIN);
    assert_int_equal(items[1].revents, ZMQ_POLLOUT);
    assert_int_equal(items[2].revents, 0);
    assert_int_equal(items[3].revents, ZMQ_POLLIN | ZMQ_POLLOUT);
    close_now(a);
    close_now(b);
    end_context(ctx);
}

static void POL_8_the_same_descriptor_several_times(void **state) {
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    zmq_pollitem_t items[3] = {
        {NULL, fds[0], ZMQ_POLLIN, 0}, {NULL, fds[0], ZMQ_POLLIN, 0}, {NULL, fds[0], 0, 0x55}};
    assert_int_equal(zmq_poll(items, 3, -1), 2);
    assert_int_equal(items[2].revents, 0);
    close(fds[0]);
    close(fds[1]);
}

static void POL_9_thread_safe_sockets_may_be_mixed_in(void **state) {
    (void)state;
    OURS_IS_BETTER("POL-9: 4.3.4 without drafts cannot poll SERVER and CLIENT");
    need_type(12);
    need_type(13);
    void *ctx = new_context(), *push, *pull;
    open_pair(ctx, "inproc", &push, &pull);
    void *server = new_socket(ctx, 12), *client = new_socket(ctx, 13);
    join_sockets(server, client, "inproc");
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    zmq_pollitem_t items[3] = {
        {pull, 0, ZMQ_POLLIN, 0}, {server, 0, ZMQ_POLLIN, 0}, {NULL, fds[0], ZMQ_POLLIN, 0}};
    assert_int_equal(zmq_poll(items, 3, 20), 0);
    send_text(client, "x", 0);
    assert_int_equal(zmq_poll(items, 3, DEADLINE_MS), 1);
    assert_int_equal(items[1].revents, ZMQ_POLLIN);
    send_text(push, "x", 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_int_equal(zmq_poll(items, 3, DEADLINE_MS), 3);
    for (int i = 0; i < 3; i++) assert_int_equal(items[i].revents, ZMQ_POLLIN);
    close(fds[0]);
    close(fds[1]);
    close_now(server);
    close_now(client);
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(POL_1_level_triggered),
        CASE(POL_1_no_condition_goes_unseen_between_polls),
        CASE(POL_2_returns_the_number_of_ready_items),
        CASE(POL_2_timeout_returns_zero_and_clears_revents),
        CASE(POL_3_every_item_is_checked_on_every_call),
        CASE(POL_3_long_lists),
        CASE(POL_4_zero_never_sleeps),
        CASE(POL_4_n_milliseconds_never_earlier),
        CASE(POL_4_infinite_waits_for_the_event),
        CASE(POL_5_only_requested_bits),
        CASE(POL_5_descriptors_in_and_out),
        CASE(POL_5_descriptor_errors_are_POLLERR_even_unasked),
        CASE(POL_5_urgent_data_is_POLLPRI),
        CASE(POL_5_descriptor_minus_one_is_ignored),
        CASE(POL_6_no_items_sleeps),
        CASE(POL_6_wrong_arguments),
        CASE(POL_6_no_socket_is_ENOTSOCK),
        CASE(POL_6_terminated_context_is_ETERM),
        CASE(POL_6_termination_wakes_a_waiting_poll),
        CASE(POL_7_a_readable_first_part_means_all_are),
        CASE(POL_8_the_same_socket_several_times),
        CASE(POL_8_the_same_descriptor_several_times),
        CASE(POL_9_thread_safe_sockets_may_be_mixed_in),
    };
    return cmocka_run_group_tests_name("flow.md section 4: POL", tests, NULL, NULL);
}
