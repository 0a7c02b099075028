/* STREAM and ROUTER_RAW against plain sockets: sections 8.4 and 9 of patterns.md. */
#include "patterns_support.h"

enum { ID_SIZE = 5, BIG = 256 * 1024 };

/* ---- Messages of raw sockets ---------------------------------------------------------------- */

static void receive_id(void *s, char *id) {
    char frame[ENDPOINT];
    assert_int_equal(receive(s, frame, sizeof frame), ID_SIZE);
    assert_int_equal(frame[0], 0);
    assert_true(more(s));
    memcpy(id, frame, ID_SIZE);
}

/* [id][""], and that is all. */
static void expect_notice(void *s, char *id) {
    char frame[ENDPOINT];
    receive_id(s, id);
    assert_int_equal(receive(s, frame, sizeof frame), 0);
    assert_false(more(s));
}

static void expect_notice_of(void *s, const char *id) {
    char got[ID_SIZE];
    expect_notice(s, got);
    assert_memory_equal(got, id, ID_SIZE);
}

/* Data comes in pieces of any size, each with the id of its connection. */
static void expect_data(void *s, const char *id, const char *text) {
    char got[ID_SIZE], piece[1024];
    for (size_t n = 0; n < strlen(text);) {
        receive_id(s, got);
        assert_memory_equal(got, id, ID_SIZE);
        const int size = receive(s, piece, sizeof piece);
        assert_false(more(s));
        assert_in_range(size, 1, strlen(text) - n);
        assert_memory_equal(piece, text + n, size);
        n += (size_t)size;
    }
}

static void send_id(void *s, const char *id) {
    assert_int_equal(zmq_send(s, id, ID_SIZE, ZMQ_SNDMORE), ID_SIZE);
}

static void send_data(void *s, const char *id, const char *text) {
    send_id(s, id);
    send_text(s, text, 0);
}

static void *open_raw_router(void) { return open_with(ZMQ_ROUTER, ZMQ_ROUTER_RAW, 1); }

/* Binds and lets a client connect; the notice of it has been read. */
static int accept_client(void *s, char *ep, char *id) {
    bind_on(s, "tcp", ep);
    const int client = plain_connect(ep);
    expect_notice(s, id);
    return client;
}

/* ---- ROUTER_RAW ----------------------------------------------------------------------------- */

static void RAW_1_a_raw_router_speaks_plain_bytes(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE], next[ID_SIZE];
    void *router = open_raw_router();
    const int client = accept_client(router, ep, id);
    assert_false(plain_ready(client, QUIET_MS)); /* no greeting */
    plain_connect(ep);
    expect_notice(router, next);
    assert_int_equal((unsigned char)next[4], (unsigned char)(id[4] + 1));
}

static void RAW_1_a_raw_router_connects_too(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *router = open_raw_router();
    const int listener = plain_listen(ep);
    connect_to(router, ep);
    const int server = plain_accept(listener);
    expect_notice(router, id);
    plain_write(server, "hello");
    expect_data(router, id, "hello");
    send_data(router, id, "bytes");
    plain_expect(server, "bytes");
}

static void RAW_2_connections_and_data_are_messages(void **state) {
    (void)state;
    char ep[ENDPOINT], id[2][ID_SIZE];
    void *router = open_raw_router();
    const int first = accept_client(router, ep, id[0]), second = plain_connect(ep);
    expect_notice(router, id[1]);
    assert_memory_not_equal(id[0], id[1], ID_SIZE);
    plain_write(first, "hello");
    expect_data(router, id[0], "hello");
    plain_write(second, "\r\nother");
    expect_data(router, id[1], "\r\nother");
}

static void RAW_3_data_goes_out_unframed(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *router = open_raw_router();
    const int client = accept_client(router, ep, id);
    send_data(router, id, "one ");
    send_id(router, id);
    send_text(router, "two ", ZMQ_SNDMORE); /* ends here nevertheless */
    send_data(router, id, "three");
    plain_expect(client, "one two three");
    assert_false(plain_ready(client, QUIET_MS));
}

static void RAW_4_an_empty_frame_closes_the_connection(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *router = open_raw_router();
    const int client = accept_client(router, ep, id), other = plain_connect(ep);
    expect_notice(router, id + 0); /* of the other one */
    (void)other;
    plain_write(client, "x");
    char first[ID_SIZE], frame[ENDPOINT];
    receive_id(router, first);
    receive(router, frame, sizeof frame);
    send_data(router, first, "");
    expect_silence(router);
    plain_expect_end(client);
    send_data(router, id, "still there");
    plain_expect(other, "still there");
    expect_silence(router);
}

static void RAW_5_a_closed_peer_is_reported(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *router = open_raw_router();
    const int client = accept_client(router, ep, id);
    plain_write(client, "last words");
    close_file(client);
    expect_data(router, id, "last words");
    expect_notice_of(router, id);
    expect_silence(router);
}

static void RAW_5_an_unknown_id_is_dropped_unless_mandatory(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *router = open_raw_router();
    const int client = accept_client(router, ep, id);
    SEND(router, "nobody", "dropped");
    send_data(router, id, "kept");
    plain_expect(client, "kept");
    set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    FAILS(zmq_send(router, "nobody", 6, ZMQ_SNDMORE), EHOSTUNREACH);
    send_data(router, id, "kept too");
    plain_expect(client, "kept too");
}

/* ---- STREAM --------------------------------------------------------------------------------- */

static void STR_1_messages_are_an_id_and_data(void **state) {
    (void)state;
    char ep[ENDPOINT], id[2][ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int first = accept_client(s, ep, id[0]), second = plain_connect(ep);
    expect_notice(s, id[1]);
    assert_memory_not_equal(id[0], id[1], ID_SIZE);
    plain_write(second, "from the second");
    expect_data(s, id[1], "from the second");
    plain_write(first, "from the first");
    expect_data(s, id[0], "from the first");
    send_data(s, id[1], "to the second");
    send_data(s, id[0], "to the first");
    plain_expect(first, "to the first");
    plain_expect(second, "to the second");
}

static void STR_2_opening_and_closing_are_reported(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int client = accept_client(s, ep, id);
    plain_write(client, "x");
    close_file(client);
    expect_data(s, id, "x");
    expect_notice_of(s, id);
    expect_silence(s);
}

static void STR_2_its_own_connection_is_reported(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int listener = plain_listen(ep);
    connect_to(s, ep);
    const int server = plain_accept(listener);
    expect_notice(s, id);
    plain_write(server, "x");
    expect_data(s, id, "x");
    close_file(listener);
    close_file(server);
    expect_notice_of(s, id);
}

static void STR_2_without_notify_nothing_is_reported(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE], frame[ENDPOINT];
    void *s = open_with(ZMQ_STREAM, ZMQ_STREAM_NOTIFY, 0);
    bind_on(s, "tcp", ep);
    const int client = plain_connect(ep);
    expect_silence(s);
    plain_write(client, "x");
    receive_id(s, id);
    assert_int_equal(receive(s, frame, sizeof frame), 1);
    close_file(client);
    expect_silence(s);
}

static void STR_3_its_own_close_is_not_reported(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int client = accept_client(s, ep, id);
    send_data(s, id, "");
    expect_silence(s);
    plain_expect_end(client);
    expect_silence(s);
    FAILS(zmq_send(s, id, ID_SIZE, ZMQ_SNDMORE), EHOSTUNREACH);
}

static void STR_3_its_own_close_needs_no_further_call(void **state) {
    (void)state;
    OURS_IS_BETTER("the connection is closed in the next call only");
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int client = accept_client(s, ep, id);
    send_data(s, id, "");
    plain_expect_end(client);
}

static void STR_4_an_unknown_id_is_unreachable(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    FAILS(zmq_send(s, "nobody", 6, ZMQ_SNDMORE), EHOSTUNREACH);
    const int client = accept_client(s, ep, id);
    FAILS(zmq_send(s, "nobody", 6, ZMQ_SNDMORE | ZMQ_DONTWAIT), EHOSTUNREACH);
    FAILS(zmq_send(s, "", 0, ZMQ_SNDMORE), EHOSTUNREACH);
    send_data(s, id, "an id comes next");
    plain_expect(client, "an id comes next");
    close_file(client);
    expect_notice_of(s, id);
    /* While the connection ends, sends may still be accepted, or find no room. */
    const int64_t end = now_ms() + DEADLINE_MS;
    for (int r; (r = zmq_send(s, id, ID_SIZE, ZMQ_SNDMORE | ZMQ_DONTWAIT)) == ID_SIZE ||
                zmq_errno() == EAGAIN;) {
        assert_true(now_ms() < end);
        if (r == ID_SIZE) send_text(s, "lost", ZMQ_DONTWAIT);
        events_now(s);
    }
    assert_int_equal(zmq_errno(), EHOSTUNREACH);
}

static void STR_4_a_full_pipe_would_block(void **state) {
    (void)state;
    static char big[BIG];
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_with(ZMQ_STREAM, ZMQ_SNDHWM, 2);
    const int client = accept_client(s, ep, id);
    size_t sent = 0;
    for (bool blocked = false; !blocked;) {
        assert_true(sent < 1000u * BIG);
        /* Full for good, when it stays so for a while. */
        for (int64_t end = now_ms() + QUIET_MS;;) {
            if (zmq_send(s, id, ID_SIZE, ZMQ_SNDMORE | ZMQ_DONTWAIT) == ID_SIZE) break;
            assert_int_equal(zmq_errno(), EAGAIN);
            if ((blocked = now_ms() > end)) break;
            poll(NULL, 0, 2);
        }
        if (blocked) break;
        assert_int_equal(zmq_send(s, big, BIG, ZMQ_DONTWAIT), BIG);
        sent += BIG;
    }
    assert_true(events_now(s) & ZMQ_POLLOUT);
    while (sent > 0) {
        static char got[BIG];
        assert_true(plain_ready(client, DEADLINE_MS));
        const ssize_t n = recv(client, got, sizeof got, 0);
        assert_in_range(n, 1, sent);
        sent -= (size_t)n;
    }
    send_data(s, id, "an id comes next");
    plain_expect(client, "an id comes next");
}

static void STR_5_more_on_data_is_ignored(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int client = accept_client(s, ep, id);
    send_id(s, id);
    send_text(s, "one ", ZMQ_SNDMORE);
    send_data(s, id, "two");
    plain_expect(client, "one two");
}

static void STR_5_an_id_without_more_swallows_the_next_frame(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int client = accept_client(s, ep, id);
    assert_int_equal(zmq_send(s, id, ID_SIZE, 0), ID_SIZE);
    send_text(s, "swallowed", 0);
    send_data(s, id, "data");
    plain_expect(client, "data");
    assert_false(plain_ready(client, QUIET_MS));
}

static void STR_6_the_id_of_the_newest_connection(void **state) {
    (void)state;
    char ep[2][ENDPOINT], id[2][ID_SIZE + 1];
    int listener[2];
    void *s = open_socket(ZMQ_STREAM);
    for (int i = 0; i < 2; i++) {
        size_t size = sizeof id[i];
        listener[i] = plain_listen(ep[i]);
        connect_to(s, ep[i]);
        OK(zmq_getsockopt(s, ZMQ_ROUTING_ID, id[i], &size));
        assert_int_equal(size, ID_SIZE);
        assert_int_equal(id[i][0], 0);
        send_data(s, id[i], i ? "second" : "first"); /* the connection need not be up */
    }
    assert_memory_not_equal(id[0], id[1], ID_SIZE);
    plain_expect(plain_accept(listener[0]), "first");
    plain_expect(plain_accept(listener[1]), "second");
}

static void STR_6_a_connect_id_names_the_connection(void **state) {
    (void)state;
    char ep[ENDPOINT];
    void *s = open_socket(ZMQ_STREAM);
    const int listener = plain_listen(ep);
    set_text(s, ZMQ_CONNECT_ROUTING_ID, "the server");
    connect_to(s, ep);
    SEND(s, "the server", "hello");
    const int server = plain_accept(listener);
    plain_expect(server, "hello");
    EXPECT(s, "the server", "");
    plain_write(server, "reply");
    EXPECT(s, "the server", "reply");
}

static void STR_7_data_comes_in_pieces_of_a_batch(void **state) {
    (void)state;
    enum { TOTAL = 200000, PIECE = 8192 };
    static char all[TOTAL], got[TOTAL];
    char ep[ENDPOINT], id[ID_SIZE], from[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int client = accept_client(s, ep, id);
    for (size_t i = 0; i < TOTAL; i++) all[i] = (char)(i * 7 + i / 256);
    for (size_t sent = 0, n = 0; n < TOTAL;) {
        if (sent < TOTAL) {
            const ssize_t w = send(client, all + sent, TOTAL - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
            sent += w > 0 ? (size_t)w : 0;
        }
        receive_id(s, from);
        assert_memory_equal(from, id, ID_SIZE);
        const int size = zmq_recv(s, got + n, TOTAL - n, ZMQ_DONTWAIT);
        assert_in_range(size, 1, PIECE);
        assert_false(more(s));
        n += (size_t)size;
    }
    assert_memory_equal(got, all, TOTAL);
}

static void STR_8_pollout_always(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    assert_int_equal(events_now(s), ZMQ_POLLOUT);
    accept_client(s, ep, id);
    assert_int_equal(events_now(s), ZMQ_POLLOUT);
    void *other = open_with(ZMQ_STREAM, ZMQ_SNDHWM, 1);
    size_t size = sizeof id;
    connect_to(other, dead_endpoint("tcp", ep));
    OK(zmq_getsockopt(other, ZMQ_ROUTING_ID, id, &size));
    send_data(other, id, "x");
    FAILS(zmq_send(other, id, ID_SIZE, ZMQ_SNDMORE | ZMQ_DONTWAIT), EAGAIN);
    assert_int_equal(events_now(other), ZMQ_POLLOUT);
}

static void STR_9_a_lost_connection_comes_back_under_its_id(void **state) {
    (void)state;
    char ep[ENDPOINT], id[ID_SIZE];
    void *s = open_socket(ZMQ_STREAM);
    const int listener = plain_listen(ep);
    connect_to(s, ep);
    int server = plain_accept(listener);
    expect_notice(s, id);
    for (int n = 0; n < 2; n++) {
        close_file(server);
        expect_notice_of(s, id); /* the end */
        server = plain_accept(listener);
        expect_notice_of(s, id); /* the new start */
        plain_write(server, "hello");
        expect_data(s, id, "hello");
        send_data(s, id, "again");
        plain_expect(server, "again");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ONCE(RAW_1_a_raw_router_speaks_plain_bytes),
        ONCE(RAW_1_a_raw_router_connects_too),
        ONCE(RAW_2_connections_and_data_are_messages),
        ONCE(RAW_3_data_goes_out_unframed),
        ONCE(RAW_4_an_empty_frame_closes_the_connection),
        ONCE(RAW_5_a_closed_peer_is_reported),
        ONCE(RAW_5_an_unknown_id_is_dropped_unless_mandatory),
        ONCE(STR_1_messages_are_an_id_and_data),
        ONCE(STR_2_opening_and_closing_are_reported),
        ONCE(STR_2_its_own_connection_is_reported),
        ONCE(STR_2_without_notify_nothing_is_reported),
        ONCE(STR_3_its_own_close_is_not_reported),
        ONCE(STR_3_its_own_close_needs_no_further_call),
        ONCE(STR_4_an_unknown_id_is_unreachable),
        ONCE(STR_4_a_full_pipe_would_block),
        ONCE(STR_5_more_on_data_is_ignored),
        ONCE(STR_5_an_id_without_more_swallows_the_next_frame),
        ONCE(STR_6_the_id_of_the_newest_connection),
        ONCE(STR_6_a_connect_id_names_the_connection),
        ONCE(STR_7_data_comes_in_pieces_of_a_batch),
        ONCE(STR_8_pollout_always),
        ONCE(STR_9_a_lost_connection_comes_back_under_its_id),
    };
    return RUN(tests);
}
