/* zmq_socket_monitor_versioned and _pipes_stats: section 10 of functions.md, section 11 of
 * sockopts.md, MON-33 and MON-34 of lifecycle.md. */
#include "draft_support.h"

typedef struct {
    uint64_t event, count, values[4];
    char local[ENDPOINT], remote[ENDPOINT];
} event_t;

static bool next_v2(void *collector, event_t *e, int timeout_ms) {
    zmq_pollitem_t item = {collector, 0, ZMQ_POLLIN, 0};
    memset(e, 0, sizeof *e);
    if (zmq_poll(&item, 1, timeout_ms) != 1) return false;
    assert_int_equal(zmq_recv(collector, &e->event, 8, 0), 8);
    assert_true(more(collector));
    assert_int_equal(zmq_recv(collector, &e->count, 8, 0), 8);
    assert_true(e->count >= 1 && e->count <= 4);
    for (uint64_t i = 0; i < e->count; i++) {
        assert_true(more(collector));
        assert_int_equal(zmq_recv(collector, &e->values[i], 8, 0), 8);
    }
    assert_true(more(collector));
    receive(collector, e->local, sizeof e->local);
    assert_true(more(collector));
    receive(collector, e->remote, sizeof e->remote);
    assert_false(more(collector));
    return true;
}

static void expect_v2(void *collector, event_t *e, uint64_t event) {
    if (!next_v2(collector, e, DEADLINE_MS)) fail_msg("event %d never came", (int)event);
    assert_int_equal(e->event, event);
}

static int start_monitor(void *s, const char *name, uint64_t events, int version, int type) {
    return DRAFT(zmq_socket_monitor_versioned)(s, name, events, version, type);
}

static void MON_34_frames_of_version_2(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    event_t e;
    void *bound = open_socket(ZMQ_PULL), *connected = open_socket(ZMQ_PUSH);
    OK(start_monitor(bound, "inproc://b", ZMQ_EVENT_ALL, 2, ZMQ_PAIR));
    OK(start_monitor(connected, "inproc://c", ZMQ_EVENT_ALL_V2, 2, ZMQ_PAIR));
    void *b = open_connected(ZMQ_PAIR, "inproc://b"), *c = open_connected(ZMQ_PAIR, "inproc://c");
    bind_on(bound, *state, ep);
    expect_v2(b, &e, ZMQ_EVENT_LISTENING);
    assert_int_equal(e.count, 1);
    assert_string_equal(e.local, ep);
    assert_string_equal(e.remote, "");
    connect_to(connected, ep);
    if (strcmp(*state, "tcp") == 0) {
        expect_v2(c, &e, ZMQ_EVENT_CONNECT_DELAYED);
        assert_int_equal(e.values[0], EINPROGRESS);
        assert_string_equal(e.local, "");
        assert_string_equal(e.remote, ep);
    }
    expect_v2(c, &e, ZMQ_EVENT_CONNECTED);
    assert_string_equal(e.remote, ep);
    if (strcmp(*state, "tcp") == 0) assert_memory_equal(e.local, "tcp://127.0.0.1:", 16);
    expect_v2(c, &e, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_int_equal(e.values[0], 0);
    expect_v2(b, &e, ZMQ_EVENT_ACCEPTED);
    assert_string_equal(e.local, ep);
    expect_v2(b, &e, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    close_socket(connected);
    expect_v2(c, &e, ZMQ_EVENT_MONITOR_STOPPED);
    assert_int_equal(e.count, 1);
    assert_string_equal(e.local, "");
    assert_string_equal(e.remote, "");
    expect_v2(b, &e, ZMQ_EVENT_DISCONNECTED);
}

static void MON_34_version_1_of_this_call_is_zmq_socket_monitor(void **state) {
    (void)state;
    NEED_DRAFT();
    void *s = open_socket(ZMQ_PULL);
    OK(start_monitor(s, "inproc://m", ZMQ_EVENT_LISTENING, 1, ZMQ_PAIR));
    void *m = open_connected(ZMQ_PAIR, "inproc://m");
    OK(zmq_bind(s, "tcp://127.0.0.1:*"));
    wait_event(m, ZMQ_EVENT_LISTENING);
    FAILS(start_monitor(s, "inproc://m", 0x10000, 1, ZMQ_PAIR), EINVAL);
    FAILS(start_monitor(s, NULL, 0x10000, 1, ZMQ_PAIR), EINVAL);
    OK(start_monitor(s, NULL, 0, 2, ZMQ_PAIR));
    OK(start_monitor(s, NULL, 0, 2, ZMQ_PAIR));
}

static void MON_34_other_versions_tell_nothing(void **state) {
    (void)state;
    NEED_DRAFT();
    void *s = open_socket(ZMQ_PULL);
    OK(start_monitor(s, "inproc://m", ZMQ_EVENT_ALL, 3, ZMQ_PAIR));
    void *m = open_connected(ZMQ_PAIR, "inproc://m");
    OK(zmq_bind(s, "tcp://127.0.0.1:*"));
    expect_silence(m);
}

static void MON_34_a_PUSH_monitor_shares_the_events_out(void **state) {
    (void)state;
    NEED_DRAFT();
    event_t e;
    void *s = open_socket(ZMQ_PULL);
    OK(start_monitor(s, "inproc://m", ZMQ_EVENT_LISTENING, 2, ZMQ_PUSH));
    OK(zmq_bind(s, "tcp://127.0.0.1:*")); /* kept for the first collector */
    void *one = open_connected(ZMQ_PULL, "inproc://m");
    expect_v2(one, &e, ZMQ_EVENT_LISTENING);
    void *two = open_connected(ZMQ_PULL, "inproc://m");
    for (int i = 0; i < 4; i++) OK(zmq_bind(s, "tcp://127.0.0.1:*"));
    for (int i = 0; i < 2; i++) {
        expect_v2(one, &e, ZMQ_EVENT_LISTENING);
        expect_v2(two, &e, ZMQ_EVENT_LISTENING);
    }
    close_socket(one);
    for (int i = 0; i < 2; i++) OK(zmq_bind(s, "tcp://127.0.0.1:*"));
    for (int i = 0; i < 2; i++) expect_v2(two, &e, ZMQ_EVENT_LISTENING);
}

static void MON_34_a_PUB_monitor_tells_every_subscriber(void **state) {
    (void)state;
    NEED_DRAFT();
    event_t e;
    void *s = open_socket(ZMQ_PULL);
    OK(start_monitor(s, "inproc://m", ZMQ_EVENT_ALL, 2, ZMQ_PUB));
    OK(zmq_bind(s, "tcp://127.0.0.1:*")); /* nobody hears of it */
    const uint64_t listening = ZMQ_EVENT_LISTENING;
    void *all = open_connected(ZMQ_SUB, "inproc://m");
    void *some = open_connected(ZMQ_SUB, "inproc://m");
    void *none = open_connected(ZMQ_SUB, "inproc://m");
    subscribe(all, "");
    OK(zmq_setsockopt(some, ZMQ_SUBSCRIBE, &listening, 8));
    OK(zmq_bind(s, "tcp://127.0.0.1:*"));
    expect_v2(all, &e, ZMQ_EVENT_LISTENING);
    expect_v2(some, &e, ZMQ_EVENT_LISTENING);
    close_socket(s);
    expect_v2(all, &e, ZMQ_EVENT_CLOSED);
    expect_silence(some);
    expect_silence(none);
}

static void MON_34_errors_in_their_order(void **state) {
    (void)state;
    NEED_DRAFT();
    event_t e;
    void *s = open_socket(ZMQ_PULL), *other = open_socket(ZMQ_PAIR);
    OK(zmq_bind(other, "inproc://taken"));
    FAILS(start_monitor(NULL, "inproc://m", 0x10000, 1, ZMQ_SUB), ENOTSOCK);
    FAILS(start_monitor(s, "nonsense", 0x10000, 1, ZMQ_SUB), EINVAL);
    FAILS(start_monitor(s, "nonsense", 0, 2, ZMQ_SUB), EINVAL);
    FAILS(start_monitor(s, "tcp://127.0.0.1:*", 0, 2, ZMQ_SUB), EPROTONOSUPPORT);
    static const int refused[] = {ZMQ_SUB, ZMQ_PULL, ZMQ_DEALER, ZMQ_ROUTER, ZMQ_XPUB, 99, -1};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        FAILS(start_monitor(s, "inproc://taken", 0, 2, refused[i]), EINVAL);
    FAILS(start_monitor(s, "inproc://taken", 0, 2, ZMQ_PAIR), EADDRINUSE);
    /* A start that fails ends the monitor that was there. */
    OK(start_monitor(s, "inproc://m", ZMQ_EVENT_ALL, 2, ZMQ_PAIR));
    void *m = open_connected(ZMQ_PAIR, "inproc://m");
    FAILS(start_monitor(s, "inproc://taken", 0, 2, ZMQ_SUB), EINVAL);
    expect_v2(m, &e, ZMQ_EVENT_MONITOR_STOPPED);
}

static void MON_33_queue_lengths_of_every_pipe(void **state) {
    (void)state;
    NEED_DRAFT();
    char dead[ENDPOINT], name[ENDPOINT];
    event_t e;
    void *s = open_socket(ZMQ_DEALER), *peer = open_socket(ZMQ_DEALER);
    OK(start_monitor(s, "inproc://m", ZMQ_EVENT_PIPES_STATS, 2, ZMQ_PAIR));
    void *m = open_connected(ZMQ_PAIR, "inproc://m");
    FAILS(DRAFT(zmq_socket_monitor_pipes_stats)(s), EAGAIN);
    connect_to(s, dead_endpoint("tcp", dead));
    for (int i = 0; i < 3; i++) SEND(s, "a", "b");
    OK(DRAFT(zmq_socket_monitor_pipes_stats)(s));
    expect_v2(m, &e, ZMQ_EVENT_PIPES_STATS);
    assert_int_equal(e.count, 2);
    assert_int_equal(e.values[0], 3);
    assert_int_equal(e.values[1], 0);
    assert_string_equal(e.remote, dead);
    connect_to(s, bind_on(peer, "inproc", name));
    for (int i = 0; i < 5; i++) SEND(peer, "x");
    OK(DRAFT(zmq_socket_monitor_pipes_stats)(s));
    int seen = 0;
    for (int i = 0; i < 2; i++) {
        expect_v2(m, &e, ZMQ_EVENT_PIPES_STATS);
        if (strcmp(e.remote, name) == 0) {
            assert_int_equal(e.values[0], 0);
            assert_int_equal(e.values[1], 5);
            ++seen;
        }
    }
    assert_int_equal(seen, 1);
    assert_false(next_v2(m, &e, QUIET_MS));
}

static void MON_33_errors(void **state) {
    (void)state;
    NEED_DRAFT();
    void *s = open_socket(ZMQ_DEALER);
    FAILS(DRAFT(zmq_socket_monitor_pipes_stats)(NULL), ENOTSOCK);
    FAILS(DRAFT(zmq_socket_monitor_pipes_stats)(s), EINVAL);
    OK(start_monitor(s, "inproc://m", ZMQ_EVENT_ALL, 2, ZMQ_PAIR));
    FAILS(DRAFT(zmq_socket_monitor_pipes_stats)(s), EINVAL);
    OK(start_monitor(s, "inproc://n", ZMQ_EVENT_ALL_V2, 2, ZMQ_PAIR));
    FAILS(DRAFT(zmq_socket_monitor_pipes_stats)(s), EAGAIN);
    OK(zmq_ctx_shutdown(kit.ctx));
    FAILS(DRAFT(zmq_socket_monitor_pipes_stats)(s), ETERM);
    FAILS(start_monitor(s, "inproc://o", 0, 2, ZMQ_PAIR), ETERM);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_NET(MON_34_frames_of_version_2),
        ONCE(MON_34_version_1_of_this_call_is_zmq_socket_monitor),
        ONCE(MON_34_other_versions_tell_nothing),
        ONCE(MON_34_a_PUSH_monitor_shares_the_events_out),
        ONCE(MON_34_a_PUB_monitor_tells_every_subscriber),
        ONCE(MON_34_errors_in_their_order),
        ONCE(MON_33_queue_lengths_of_every_pipe),
        ONCE(MON_33_errors),
    };
    return RUN(tests);
}
