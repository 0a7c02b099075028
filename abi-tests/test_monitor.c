/* Socket monitors with the NULL mechanism: statements MON-1..14 and MON-24..32 of lifecycle.md. */
#include "lifecycle_support.h"

/* A bound and a connecting socket, both monitored, in contexts of their own. */
struct watched
{
    void *ctx;
    void *s;
    struct monitor m;
};

static void watch (struct watched *w, int type)
{
    w->ctx = new_ctx ();
    w->s = new_socket (w->ctx, type);
    monitor_start (&w->m, w->ctx, w->s, ZMQ_EVENT_ALL);
}

static void unwatch (struct watched *w)
{
    monitor_close (&w->m, w->s);
    end_ctx (w->ctx);
}

/* ---- Mechanics ---- */

static void MON_1_the_frames_of_an_event (void **state)
{
    (void) state;
    char name[128], endpoint[256], address[256];
    unsigned char head[16];
    uint16_t id;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    void *collector = new_socket (ctx, ZMQ_PAIR);
    OK (zmq_socket_monitor (s, unique_name (name, "frames"), ZMQ_EVENT_ALL));
    OK (zmq_connect (collector, name));
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    wait_events (collector, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (collector, head, sizeof head, 0), 6);
    memcpy (&id, head, sizeof id); /* native order, no padding */
    assert_int_equal (id, ZMQ_EVENT_LISTENING);
    assert_int_equal (get_int (collector, ZMQ_RCVMORE), 1);
    const int n = zmq_recv (collector, address, sizeof address, 0);
    assert_int_equal (n, strlen (endpoint)); /* without a terminating NUL */
    assert_memory_equal (address, endpoint, strlen (endpoint));
    assert_int_equal (get_int (collector, ZMQ_RCVMORE), 0);
    expect_no_message (collector);
    OK (zmq_socket_monitor (s, NULL, 0));
    close_now (s);
    close_now (collector);
    end_ctx (ctx);
}

static void MON_1_only_the_events_of_the_mask (void **state)
{
    (void) state;
    char endpoint[256];
    struct monitor m;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    monitor_start (&m, ctx, s, ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    handshake (fd, "PUSH");
    send_frame_text (fd, 0, "x");
    expect_text (s, "x");
    close (fd);
    monitor_expect (&m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&m, ZMQ_EVENT_DISCONNECTED);
    close_now (s);
    monitor_quiet (&m, QUIET_MS); /* not even MONITOR_STOPPED */
    close_now (m.collector);
    end_ctx (ctx);
}

static void MON_2_addresses (void **state)
{
    (void) state;
    char bound[256], by_name[64];
    struct watched c, b;
    watch (&c, ZMQ_PUSH);
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", bound);
    snprintf (by_name, sizeof by_name, "tcp://localhost:%d", port_of (bound));
    OK (zmq_connect (c.s, by_name));
    static const int c_events[] = {ZMQ_EVENT_CONNECT_DELAYED, ZMQ_EVENT_CONNECTED, ZMQ_EVENT_HANDSHAKE_SUCCEEDED};
    static const int b_events[] = {ZMQ_EVENT_LISTENING, ZMQ_EVENT_ACCEPTED, ZMQ_EVENT_HANDSHAKE_SUCCEEDED};
    for (int i = 0; i < 3; ++i) {
        assert_string_equal (monitor_expect (&c.m, c_events[i]).address, by_name);
        assert_string_equal (monitor_expect (&b.m, b_events[i]).address, bound);
    }
    close_now (b.s);
    assert_string_equal (monitor_expect (&b.m, ZMQ_EVENT_CLOSED).address, bound);
    assert_string_equal (monitor_expect (&b.m, ZMQ_EVENT_MONITOR_STOPPED).address, "");
    assert_string_equal (monitor_expect (&c.m, ZMQ_EVENT_DISCONNECTED).address, by_name);
    /* From here on 4.3.4 shows the resolved form. */
    const struct event e = monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
    assert_true (strcmp (e.address, by_name) == 0 || strcmp (e.address, bound) == 0);
    close_now (b.m.collector);
    end_ctx (b.ctx);
    unwatch (&c);
}

static void MON_2_addresses_on_ipc (void **state)
{
    (void) state;
    struct ipc_place place;
    struct watched c, b;
    watch (&c, ZMQ_PUSH);
    watch (&b, ZMQ_PULL);
    make_ipc_place (&place);
    OK (zmq_bind (b.s, place.endpoint));
    OK (zmq_connect (c.s, place.endpoint));
    assert_string_equal (monitor_expect (&c.m, ZMQ_EVENT_CONNECTED).address, place.endpoint);
    assert_string_equal (monitor_expect (&b.m, ZMQ_EVENT_LISTENING).address, place.endpoint);
    assert_string_equal (monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED).address, place.endpoint);
    unwatch (&c);
    unwatch (&b);
    remove_ipc_place (&place);
}

static void MON_3_errors (void **state)
{
    (void) state;
    char name[128], other[128];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    void *taken = new_socket (ctx, ZMQ_PULL);
    FAILS (zmq_socket_monitor (s, "tcp://127.0.0.1:*", ZMQ_EVENT_ALL), EPROTONOSUPPORT);
    FAILS (zmq_socket_monitor (s, "ipc://*", ZMQ_EVENT_ALL), EPROTONOSUPPORT);
    FAILS (zmq_socket_monitor (s, "nonsense://x", ZMQ_EVENT_ALL), EPROTONOSUPPORT);
    FAILS (zmq_socket_monitor (s, "nonsense", ZMQ_EVENT_ALL), EINVAL);
    FAILS (zmq_socket_monitor (s, unique_name (name, "mask"), 0x10000), EINVAL);
    FAILS (zmq_socket_monitor (s, name, -1), EINVAL);
    OK (zmq_bind (taken, unique_name (other, "taken")));
    FAILS (zmq_socket_monitor (s, other, ZMQ_EVENT_ALL), EADDRINUSE);
    FAILS (zmq_socket_monitor (taken, other, ZMQ_EVENT_ALL), EADDRINUSE);
    FAILS (zmq_socket_monitor (NULL, name, ZMQ_EVENT_ALL), ENOTSOCK);
    OK (zmq_socket_monitor (s, NULL, 0)); /* nothing to stop: still fine */
    close_now (s);
    close_now (taken);
    end_ctx (ctx);
}

static void MON_3_a_NULL_endpoint_stops_the_monitor (void **state)
{
    (void) state;
    struct watched b;
    char endpoint[256];
    watch (&b, ZMQ_PULL);
    OK (zmq_socket_monitor (b.s, NULL, 0));
    const struct event e = monitor_expect (&b.m, ZMQ_EVENT_MONITOR_STOPPED);
    assert_int_equal (e.value, 0);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_quiet (&b.m, QUIET_MS);
    close_now (b.s);
    close_now (b.m.collector);
    end_ctx (b.ctx);
}

static void MON_3_a_second_monitor_replaces_the_first (void **state)
{
    (void) state;
    struct watched b;
    struct monitor second;
    char endpoint[256];
    watch (&b, ZMQ_PULL);
    monitor_start (&second, b.ctx, b.s, ZMQ_EVENT_ALL);
    monitor_expect (&b.m, ZMQ_EVENT_MONITOR_STOPPED);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&second, ZMQ_EVENT_LISTENING);
    monitor_quiet (&b.m, QUIET_MS);
    close_now (b.m.collector);
    monitor_close (&second, b.s);
    end_ctx (b.ctx);
}

static void MON_3_after_EADDRINUSE_the_socket_is_unmonitored (void **state)
{
    (void) state;
    struct watched b;
    char endpoint[256], name[128];
    watch (&b, ZMQ_PULL);
    void *taken = new_socket (b.ctx, ZMQ_PULL);
    OK (zmq_bind (taken, unique_name (name, "taken")));
    FAILS (zmq_socket_monitor (b.s, name, ZMQ_EVENT_ALL), EADDRINUSE);
    monitor_expect (&b.m, ZMQ_EVENT_MONITOR_STOPPED);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_quiet (&b.m, QUIET_MS);
    close_now (b.s);
    close_now (b.m.collector);
    close_now (taken);
    end_ctx (b.ctx);
}

static void MON_4_events_wait_for_a_late_collector (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference blocks in zmq_bind until a collector reads");
    char endpoint[256], name[128];
    struct monitor m;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    m.seen[0] = 0;
    OK (zmq_socket_monitor (s, unique_name (name, "late"), ZMQ_EVENT_ALL));
    bind_any (s, "tcp://127.0.0.1:*", endpoint); /* does not block */
    const int fd = connect_raw (endpoint);
    handshake (fd, "PUSH");
    send_frame_text (fd, 0, "x");
    expect_text (s, "x");
    pause_ms (300);
    m.collector = new_socket (ctx, ZMQ_PAIR);
    OK (zmq_connect (m.collector, name));
    assert_string_equal (monitor_expect (&m, ZMQ_EVENT_LISTENING).address, endpoint);
    monitor_expect (&m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    close (fd);
    monitor_close (&m, s);
    end_ctx (ctx);
}

static void MON_4_nobody_ever_collects (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference blocks an I/O thread, zmq_bind or the reaper");
    char endpoint[256], name[128];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    OK (zmq_socket_monitor (s, unique_name (name, "ignored"), ZMQ_EVENT_ALL));
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    for (int i = 0; i < 3; ++i) {
        const int fd = connect_raw (endpoint);
        handshake (fd, "PUSH");
        send_frame_text (fd, 0, "x");
        expect_text (s, "x");
        close (fd);
    }
    close_now (s);
    end_ctx (ctx);
}

static void MON_4_a_collector_that_leaves_first_does_no_harm (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference blocks the thread that has an event to tell");
    struct watched b;
    char endpoint[256];
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    close_now (b.m.collector);
    for (int i = 0; i < 3; ++i) {
        const int fd = connect_raw (endpoint);
        handshake (fd, "PUSH");
        send_frame_text (fd, 0, "x");
        expect_text (b.s, "x");
        close (fd);
    }
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    close_now (b.s);
    end_ctx (b.ctx);
}

static void MON_4_a_full_queue_blocks_nobody (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference blocks when its queue to the collector is full");
    struct watched b;
    char endpoint[256];
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    for (int i = 0; i < 3000; ++i) /* two events each, and nobody reads */
        FAILS (zmq_bind (b.s, endpoint), EADDRINUSE);
    const int fd = connect_raw (endpoint);
    handshake (fd, "PUSH");
    send_frame_text (fd, 0, "x");
    expect_text (b.s, "x");
    close (fd);
    close_now (b.s);
    close_now (b.m.collector);
    end_ctx (b.ctx);
}

static void MON_5_MONITOR_STOPPED_is_the_last_event (void **state)
{
    (void) state;
    struct watched b;
    char first[256], second[256];
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", first);
    bind_any (b.s, "ipc://*", second);
    const int fd = connect_raw (first);
    handshake (fd, "PUSH");
    send_frame_text (fd, 0, "x");
    expect_text (b.s, "x");
    monitor_wait (&b.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    close_now (b.s);
    monitor_expect (&b.m, ZMQ_EVENT_CLOSED);
    monitor_expect (&b.m, ZMQ_EVENT_CLOSED);
    const struct event e = monitor_expect (&b.m, ZMQ_EVENT_MONITOR_STOPPED);
    assert_int_equal (e.value, 0);
    assert_string_equal (e.address, "");
    monitor_quiet (&b.m, QUIET_MS);
    close (fd);
    close_now (b.m.collector);
    end_ctx (b.ctx);
}

static void MON_6_after_shutdown_nothing_but_MONITOR_STOPPED (void **state)
{
    (void) state;
    struct watched b;
    char endpoint[256], byte;
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    OK (zmq_ctx_shutdown (b.ctx));
    FAILS (zmq_recv (b.s, &byte, 1, 0), ETERM); /* the socket has noticed */
    for (int stopped = 0;; ++stopped) {
        unsigned char head[16];
        uint16_t id;
        const int n = zmq_recv (b.m.collector, head, sizeof head, ZMQ_DONTWAIT);
        if (n == -1) {
            assert_int_equal (zmq_errno (), ETERM); /* the collector belongs to the same context */
            break;
        }
        if (n == 6) {
            memcpy (&id, head, 2);
            assert_int_equal (id, ZMQ_EVENT_MONITOR_STOPPED);
        }
        assert_in_range (stopped, 0, 1); /* one event: two frames */
    }
    OK (zmq_close (b.s));
    OK (zmq_close (b.m.collector));
    end_ctx (b.ctx);
}

static int local_port (int fd)
{
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    assert_int_equal (getsockname (fd, (struct sockaddr *) &a, &size), 0);
    return ntohs (a.sin_port);
}

static int remote_port (int fd)
{
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    assert_int_equal (getpeername (fd, (struct sockaddr *) &a, &size), 0);
    return ntohs (a.sin_port);
}

static void MON_7_values (void **state)
{
    (void) state;
    struct watched c, b;
    char endpoint[256];
    watch (&c, ZMQ_PUSH);
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    const int listener = (int) monitor_expect (&b.m, ZMQ_EVENT_LISTENING).value;
    assert_int_equal (local_port (listener), port_of (endpoint));
    set_int (c.s, ZMQ_RECONNECT_IVL, 30);
    OK (zmq_connect (c.s, endpoint));
    assert_int_equal (monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED).value, EINPROGRESS);
    const int connected = (int) monitor_expect (&c.m, ZMQ_EVENT_CONNECTED).value;
    const int accepted = (int) monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED).value;
    assert_int_equal (remote_port (connected), port_of (endpoint));
    assert_int_equal (local_port (accepted), port_of (endpoint));
    assert_int_equal (local_port (connected), remote_port (accepted));
    assert_int_equal (monitor_expect (&c.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED).value, 0);
    assert_int_equal (monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED).value, 0);
    close_now (b.s);
    assert_int_equal (monitor_expect (&b.m, ZMQ_EVENT_CLOSED).value, listener);
    assert_int_equal (monitor_expect (&b.m, ZMQ_EVENT_MONITOR_STOPPED).value, 0);
    assert_int_equal (monitor_expect (&c.m, ZMQ_EVENT_DISCONNECTED).value, connected);
    assert_in_range (monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED).value, 30, 59);
    close_now (b.m.collector);
    end_ctx (b.ctx);
    unwatch (&c);
}

static void MON_7_DISCONNECTED_names_the_accepted_descriptor (void **state)
{
    (void) state;
    struct watched b;
    char endpoint[256];
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    const int fd = connect_raw (endpoint);
    handshake (fd, "PUSH");
    const uint32_t accepted = monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED).value;
    monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    close (fd);
    assert_int_equal (monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED).value, accepted);
    unwatch (&b);
}

static void MON_8_CONNECTED_comes_before_and_SUCCEEDED_after_the_handshake (void **state)
{
    (void) state;
    struct port port;
    struct watched c;
    struct frame f;
    watch (&c, ZMQ_PUSH);
    reserve_port (&port);
    listen_at (&port);
    OK (zmq_connect (c.s, port.endpoint));
    const int fd = accept_one (&port);
    monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED);
    monitor_expect (&c.m, ZMQ_EVENT_CONNECTED);
    handshake_until_ready (fd, &f);
    monitor_quiet (&c.m, QUIET_MS); /* one direction is not enough */
    send_ready (fd, "PULL");
    monitor_expect (&c.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    close (fd);
    unwatch (&c);
    release_port (&port);
}

static void MON_8_raw_sockets_have_no_handshake_event (void **state)
{
    (void) state;
    struct watched b;
    char endpoint[256], id[5];
    watch (&b, ZMQ_STREAM);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    const int fd = connect_raw (endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
    send_raw (fd, "x", 1);
    wait_events (b.s, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (b.s, id, 5, 0), 5);
    expect_text (b.s, "");
    wait_events (b.s, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (b.s, id, 5, 0), 5);
    expect_text (b.s, "x");
    monitor_quiet (&b.m, QUIET_MS);
    close (fd);
    monitor_wait_without (&b.m, ZMQ_EVENT_DISCONNECTED, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    unwatch (&b);
}

/* ---- Sequences ---- */

static void MON_9_a_normal_tcp_connection (void **state)
{
    (void) state;
    struct watched c, b;
    char endpoint[256];
    watch (&c, ZMQ_PUSH);
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    monitor_quiet (&b.m, 0);
    OK (zmq_connect (c.s, endpoint));
    monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED);
    monitor_expect (&c.m, ZMQ_EVENT_CONNECTED);
    monitor_expect (&c.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    send_text (c.s, "x", 0);
    expect_text (b.s, "x");
    monitor_quiet (&c.m, QUIET_MS);
    monitor_quiet (&b.m, 0);
    unwatch (&c);
    unwatch (&b);
}

static void MON_10_a_normal_ipc_connection (void **state)
{
    (void) state;
    struct watched c, b;
    char endpoint[256];
    watch (&c, ZMQ_PUSH);
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "ipc://*", endpoint);
    OK (zmq_connect (c.s, endpoint));
    monitor_expect (&c.m, ZMQ_EVENT_CONNECTED); /* without DELAYED */
    monitor_expect (&c.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_quiet (&c.m, QUIET_MS);
    monitor_quiet (&b.m, 0);
    unwatch (&c);
    unwatch (&b);
}

static void MON_11_nobody_listens_on_tcp (void **state)
{
    (void) state;
    struct port port;
    struct watched c;
    watch (&c, ZMQ_PUSH);
    reserve_port (&port);
    set_int (c.s, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (c.s, port.endpoint));
    for (int i = 0; i < 4; ++i) {
        assert_int_equal (monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED).value, EINPROGRESS);
        assert_string_equal (monitor_expect (&c.m, ZMQ_EVENT_CLOSED).address, port.endpoint);
        assert_in_range (monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED).value, 10, 19);
    }
    unwatch (&c);
    release_port (&port);
}

static void MON_12_nobody_listens_on_ipc (void **state)
{
    (void) state;
    struct ipc_place place;
    struct watched c;
    watch (&c, ZMQ_PUSH);
    make_ipc_place (&place);
    set_int (c.s, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (c.s, place.endpoint));
    for (int i = 0; i < 4; ++i) {
        assert_string_equal (monitor_expect (&c.m, ZMQ_EVENT_CLOSED).address, place.endpoint);
        assert_in_range (monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED).value, 10, 19);
    }
    unwatch (&c);
    remove_ipc_place (&place);
}

/* A connection between two watched sockets, with its normal events read. */
static void join (struct watched *c, struct watched *b, const struct port *port)
{
    watch (c, ZMQ_PUSH);
    watch (b, ZMQ_PULL);
    set_int (c->s, ZMQ_RECONNECT_IVL, 20);
    OK (zmq_bind (b->s, port->endpoint));
    OK (zmq_connect (c->s, port->endpoint));
    monitor_expect_connection (&c->m, true);
    monitor_expect (&b->m, ZMQ_EVENT_LISTENING);
    monitor_expect (&b->m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&b->m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}

static void MON_13_the_connecting_side_closes (void **state)
{
    (void) state;
    struct port port;
    struct watched c, b;
    reserve_port (&port);
    join (&c, &b, &port);
    close_now (c.s);
    monitor_expect (&c.m, ZMQ_EVENT_MONITOR_STOPPED);
    monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED);
    monitor_quiet (&b.m, QUIET_MS);
    monitor_quiet (&c.m, 0);
    close_now (c.m.collector);
    end_ctx (c.ctx);
    unwatch (&b);
    release_port (&port);
}

static void MON_13b_the_bound_side_closes (void **state)
{
    (void) state;
    struct port port;
    struct watched c, b;
    reserve_port (&port);
    join (&c, &b, &port);
    close_now (b.s);
    monitor_expect (&b.m, ZMQ_EVENT_CLOSED);
    monitor_expect (&b.m, ZMQ_EVENT_MONITOR_STOPPED);
    monitor_expect (&c.m, ZMQ_EVENT_DISCONNECTED);
    monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
    for (int i = 0; i < 2; ++i) {
        monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED);
        monitor_expect (&c.m, ZMQ_EVENT_CLOSED);
        monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
    }
    close_now (b.m.collector);
    end_ctx (b.ctx);
    unwatch (&c);
    release_port (&port);
}

static void MON_13c_the_bound_side_unbinds (void **state)
{
    (void) state;
    struct port port;
    struct watched c, b;
    struct event e;
    reserve_port (&port);
    join (&c, &b, &port);
    OK (zmq_unbind (b.s, port.endpoint));
    const int64_t end = now_ms () + DEADLINE_MS;
    while (!monitor_next (&c.m, &e, 5)) {
        events_of (b.s); /* the reference finishes unbind only with app activity */
        assert_true (now_ms () < end);
    }
    assert_int_equal (e.id, ZMQ_EVENT_DISCONNECTED);
    monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
    monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED);
    monitor_expect (&c.m, ZMQ_EVENT_CLOSED);
    monitor_expect (&b.m, ZMQ_EVENT_CLOSED);
    monitor_quiet (&b.m, QUIET_MS);
    unwatch (&c);
    unwatch (&b);
    release_port (&port);
}

static void MON_13d_disconnect_while_retrying (void **state)
{
    (void) state;
    struct port port;
    struct watched c;
    struct event e;
    watch (&c, ZMQ_PUSH);
    reserve_port (&port);
    set_int (c.s, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (c.s, port.endpoint));
    monitor_wait (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
    OK (zmq_disconnect (c.s, port.endpoint));
    FAILS (zmq_disconnect (c.s, port.endpoint), ENOENT);
    const int64_t end = now_ms () + DEADLINE_MS;
    do { /* what was under way, then silence */
        events_of (c.s); /* the reference may go on until there is app activity */
        if (now_ms () > end)
            fail_msg ("it never became silent:%s", c.m.seen);
    } while (monitor_next (&c.m, &e, QUIET_MS));
    listen_at (&port);
    assert_int_equal (accept_within (&port, QUIET_MS), -1);
    unwatch (&c);
    release_port (&port);
}

static void MON_14_a_peer_of_a_type_that_does_not_fit (void **state)
{
    (void) state;
    static const struct
    {
        int type;
        const char *peer;
    } cases[] = {{ZMQ_PUSH, "REP"}, {ZMQ_SUB, "PULL"}, {ZMQ_REQ, "REQ"}, {ZMQ_PAIR, "DEALER"}, {ZMQ_PUB, "PAIR"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        struct port port;
        struct watched c, b;
        char endpoint[256];
        watch (&c, cases[i].type);
        watch (&b, cases[i].type);
        reserve_port (&port);
        listen_at (&port);
        set_int (c.s, ZMQ_RECONNECT_IVL, 5);
        bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
        OK (zmq_connect (c.s, port.endpoint));
        const int to_c = accept_one (&port);
        const int to_b = connect_raw (endpoint);
        handshake (to_c, cases[i].peer);
        handshake (to_b, cases[i].peer);
        monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED);
        monitor_expect (&c.m, ZMQ_EVENT_CONNECTED);
        monitor_expect (&c.m, ZMQ_EVENT_DISCONNECTED);
        monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
        monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
        monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED);
        monitor_quiet (&c.m, QUIET_MS); /* the end: no retry */
        monitor_quiet (&b.m, 0);
        expect_closed (to_c);
        expect_closed (to_b);
        close (to_c);
        close (to_b);
        unwatch (&c);
        unwatch (&b);
        release_port (&port);
    }
}

static void MON_14_two_sockets_that_do_not_fit_never_shake_hands (void **state)
{
    (void) state;
    static const int types[][2] = {{ZMQ_PUSH, ZMQ_REP}, {ZMQ_SUB, ZMQ_PULL}, {ZMQ_REQ, ZMQ_REQ}, {ZMQ_PAIR, ZMQ_DEALER}};
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
        struct watched c, b;
        char endpoint[256];
        watch (&c, types[i][0]);
        watch (&b, types[i][1]);
        set_int (c.s, ZMQ_RECONNECT_IVL, 5);
        bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
        OK (zmq_connect (c.s, endpoint));
        /* The side that looks second may see the other one hang up first (NO_DETAIL, and then it retries). */
        monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED);
        monitor_expect (&c.m, ZMQ_EVENT_CONNECTED);
        monitor_wait_without (&c.m, ZMQ_EVENT_DISCONNECTED, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
        monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
        monitor_wait_without (&b.m, ZMQ_EVENT_DISCONNECTED, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        unwatch (&c);
        unwatch (&b);
    }
}

static void MON_24_a_peer_that_sends_nothing (void **state)
{
    (void) state;
    struct watched b;
    char endpoint[256];
    watch (&b, ZMQ_PULL);
    set_int (b.s, ZMQ_HANDSHAKE_IVL, 120);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    const int64_t start = now_ms ();
    const int fd = connect_raw (endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
    const struct event e = monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    assert_true (now_ms () - start >= 118);
    assert_int_equal (e.value, EAGAIN);
    assert_string_equal (e.address, endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED);
    monitor_quiet (&b.m, QUIET_MS);
    expect_closed (fd);
    close (fd);
    unwatch (&b);
}

static void MON_25_a_peer_that_hangs_up (void **state)
{
    (void) state;
    static const char *texts[] = {"", "GET / HTTP/1.1\r\n\r\n", "\xff"};
    struct watched b;
    char endpoint[256];
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        const int fd = connect_raw (endpoint);
        send_raw (fd, texts[i], strlen (texts[i]));
        expect_hex (fd, "ff0000000000000001 7f"); /* read, so that closing is no reset */
        monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
        shutdown (fd, SHUT_WR);
        const struct event e = monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
        assert_int_equal (e.value, EPIPE);
        monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED);
        close (fd);
    }
    monitor_quiet (&b.m, QUIET_MS);
    unwatch (&b);
}

static void MON_26_the_peer_of_a_connecting_socket_is_silent (void **state)
{
    (void) state;
    struct port port;
    struct watched c;
    watch (&c, ZMQ_PUSH);
    reserve_port (&port);
    listen_at (&port);
    set_int (c.s, ZMQ_HANDSHAKE_IVL, 100);
    set_int (c.s, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (c.s, port.endpoint));
    for (int i = 0; i < 2; ++i) {
        const int fd = accept_one (&port);
        monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED);
        monitor_expect (&c.m, ZMQ_EVENT_CONNECTED);
        monitor_expect (&c.m, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
        monitor_expect (&c.m, ZMQ_EVENT_DISCONNECTED);
        monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
        close (fd);
    }
    unwatch (&c);
    release_port (&port);
}

static void MON_27_a_failing_bind (void **state)
{
    (void) state;
    struct watched b;
    char endpoint[256];
    void *ctx = new_ctx ();
    void *owner = new_socket (ctx, ZMQ_PULL);
    bind_any (owner, "tcp://127.0.0.1:*", endpoint);
    watch (&b, ZMQ_PULL);
    FAILS (zmq_bind (b.s, endpoint), EADDRINUSE);
    struct event e = monitor_expect (&b.m, ZMQ_EVENT_CLOSED);
    assert_string_equal (e.address, "");
    e = monitor_expect (&b.m, ZMQ_EVENT_BIND_FAILED);
    assert_int_equal (e.value, EADDRINUSE);
    assert_string_equal (e.address, endpoint + strlen ("tcp://"));

    FAILS (zmq_bind (b.s, "tcp://192.0.2.77:*"), EADDRNOTAVAIL);
    monitor_expect (&b.m, ZMQ_EVENT_CLOSED);
    assert_int_equal (monitor_expect (&b.m, ZMQ_EVENT_BIND_FAILED).value, EADDRNOTAVAIL);

    FAILS (zmq_bind (b.s, "ipc:///tmp/tern-no-such-directory/x"), ENOENT);
    monitor_expect (&b.m, ZMQ_EVENT_CLOSED);
    e = monitor_expect (&b.m, ZMQ_EVENT_BIND_FAILED);
    assert_int_equal (e.value, ENOENT);
    assert_string_equal (e.address, "/tmp/tern-no-such-directory/x");
    monitor_quiet (&b.m, QUIET_MS);
    unwatch (&b);
    close_now (owner);
    end_ctx (ctx);
}

static void MON_28_a_frame_larger_than_MAXMSGSIZE (void **state)
{
    (void) state;
    const int64_t limit = 100;
    struct watched c, b;
    char endpoint[256], big[101] = {0};
    watch (&c, ZMQ_PUSH);
    watch (&b, ZMQ_PULL);
    OK (zmq_setsockopt (b.s, ZMQ_MAXMSGSIZE, &limit, sizeof limit));
    set_int (c.s, ZMQ_RECONNECT_IVL, 10);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    OK (zmq_connect (c.s, endpoint));
    for (int i = 0; i < 2; ++i) {
        monitor_expect_connection (&c.m, true);
        monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
        monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        assert_int_equal (zmq_send (c.s, big, sizeof big, 0), sizeof big);
        monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED);
        monitor_expect (&c.m, ZMQ_EVENT_DISCONNECTED);
        monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
    }
    unwatch (&c);
    unwatch (&b);
}

static void MON_29_a_malformed_reply_to_a_REQ (void **state)
{
    (void) state;
    struct port port;
    struct watched c, b;
    char endpoint[256];
    watch (&c, ZMQ_REQ);
    reserve_port (&port);
    listen_at (&port);
    set_int (c.s, ZMQ_RECONNECT_IVL, 5);
    OK (zmq_connect (c.s, port.endpoint));
    send_text (c.s, "request", 0);
    int fd = accept_one (&port);
    handshake (fd, "REP");
    expect_frame_text (fd, FLAG_MORE, "");
    expect_frame_text (fd, 0, "request");
    monitor_expect_connection (&c.m, true);
    send_frame_text (fd, 0, "no delimiter");
    monitor_expect (&c.m, ZMQ_EVENT_DISCONNECTED);
    monitor_quiet (&c.m, QUIET_MS); /* no retry */
    expect_closed (fd);
    close (fd);
    assert_int_equal (accept_within (&port, 0), -1);
    unwatch (&c);
    release_port (&port);

    watch (&b, ZMQ_REQ);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    fd = connect_raw (endpoint);
    handshake (fd, "REP");
    wait_events (b.s, ZMQ_POLLOUT);
    send_text (b.s, "request", 0);
    expect_frame_text (fd, FLAG_MORE, "");
    expect_frame_text (fd, 0, "request");
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    send_frame_text (fd, 0, "no delimiter");
    monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED);
    expect_closed (fd);
    close (fd);
    unwatch (&b);
}

static void MON_30_a_heartbeat_timeout (void **state)
{
    (void) state;
    struct port port;
    struct watched c, b;
    char endpoint[256];
    watch (&c, ZMQ_PUSH);
    watch (&b, ZMQ_PULL);
    reserve_port (&port);
    listen_at (&port);
    set_int (c.s, ZMQ_HEARTBEAT_IVL, 50);
    set_int (b.s, ZMQ_HEARTBEAT_IVL, 50);
    OK (zmq_connect (c.s, port.endpoint));
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    const int to_c = accept_one (&port);
    const int to_b = connect_raw (endpoint);
    handshake (to_c, "PULL");
    handshake (to_b, "PUSH");
    monitor_expect_connection (&c.m, true);
    monitor_expect (&c.m, ZMQ_EVENT_DISCONNECTED);
    monitor_expect (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&b.m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED);
    monitor_quiet (&b.m, QUIET_MS);
    close (to_c);
    close (to_b);
    unwatch (&c);
    unwatch (&b);
    release_port (&port);
}

static void MON_31_every_failed_handshake_is_followed_by_DISCONNECTED (void **state)
{
    (void) state;
    static const struct
    {
        const char *command;
        int event;
        uint32_t value;
    } cases[] = {
        {"0406 05 7265616479", ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, 0x10000001},                  /* "ready" */
        {"040a 05 4552524f52 09 616263", ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, 0x10000015},        /* ERROR cut */
        {"040a 05 4552524f52 03 343030", ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 400},                   /* ERROR 400 */
        {NULL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, EPIPE},                                      /* hangs up */
        {"", ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH},    /* PLAIN greeting */
    };
    struct watched b;
    char endpoint[256];
    struct frame f;
    watch (&b, ZMQ_PULL);
    bind_any (b.s, "tcp://127.0.0.1:*", endpoint);
    monitor_expect (&b.m, ZMQ_EVENT_LISTENING);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        const int fd = connect_raw (endpoint);
        if (cases[i].command && !*cases[i].command) {
            unsigned char g[GREETING_SIZE];
            make_greeting (g, 1, "PLAIN");
            send_raw (fd, g, sizeof g);
        } else {
            handshake_until_ready (fd, &f);
            if (cases[i].command)
                send_hex (fd, cases[i].command);
            else
                shutdown (fd, SHUT_WR);
        }
        const uint32_t accepted = monitor_expect (&b.m, ZMQ_EVENT_ACCEPTED).value;
        const struct event e = monitor_expect (&b.m, cases[i].event);
        assert_int_equal (e.value, cases[i].value);
        assert_int_equal (monitor_expect (&b.m, ZMQ_EVENT_DISCONNECTED).value, accepted);
        expect_closed (fd);
        close (fd);
    }
    monitor_quiet (&b.m, QUIET_MS);
    unwatch (&b);
}

static void MON_32_retrying_does_not_wait_for_the_events_to_be_read (void **state)
{
    (void) state;
    struct port port;
    struct watched c;
    watch (&c, ZMQ_PUSH);
    reserve_port (&port);
    listen_at (&port);
    set_int (c.s, ZMQ_RECONNECT_IVL, 5);
    OK (zmq_connect (c.s, port.endpoint));
    for (int i = 0; i < 20; ++i)
        close (accept_one (&port)); /* a retry each time, and not one event is read */
    monitor_expect (&c.m, ZMQ_EVENT_CONNECT_DELAYED);
    monitor_wait (&c.m, ZMQ_EVENT_CONNECT_RETRIED);
    unwatch (&c);
    release_port (&port);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (MON_1_the_frames_of_an_event),
        TEST (MON_1_only_the_events_of_the_mask),
        TEST (MON_2_addresses),
        TEST (MON_2_addresses_on_ipc),
        TEST (MON_3_errors),
        TEST (MON_3_a_NULL_endpoint_stops_the_monitor),
        TEST (MON_3_a_second_monitor_replaces_the_first),
        TEST (MON_3_after_EADDRINUSE_the_socket_is_unmonitored),
        TEST (MON_4_events_wait_for_a_late_collector),
        TEST (MON_4_nobody_ever_collects),
        TEST (MON_4_a_collector_that_leaves_first_does_no_harm),
        TEST (MON_4_a_full_queue_blocks_nobody),
        TEST (MON_5_MONITOR_STOPPED_is_the_last_event),
        TEST (MON_6_after_shutdown_nothing_but_MONITOR_STOPPED),
        TEST (MON_7_values),
        TEST (MON_7_DISCONNECTED_names_the_accepted_descriptor),
        TEST (MON_8_CONNECTED_comes_before_and_SUCCEEDED_after_the_handshake),
        TEST (MON_8_raw_sockets_have_no_handshake_event),
        TEST (MON_9_a_normal_tcp_connection),
        TEST (MON_10_a_normal_ipc_connection),
        TEST (MON_11_nobody_listens_on_tcp),
        TEST (MON_12_nobody_listens_on_ipc),
        TEST (MON_13_the_connecting_side_closes),
        TEST (MON_13b_the_bound_side_closes),
        TEST (MON_13c_the_bound_side_unbinds),
        TEST (MON_13d_disconnect_while_retrying),
        TEST (MON_14_a_peer_of_a_type_that_does_not_fit),
        TEST (MON_14_two_sockets_that_do_not_fit_never_shake_hands),
        TEST (MON_24_a_peer_that_sends_nothing),
        TEST (MON_25_a_peer_that_hangs_up),
        TEST (MON_26_the_peer_of_a_connecting_socket_is_silent),
        TEST (MON_27_a_failing_bind),
        TEST (MON_28_a_frame_larger_than_MAXMSGSIZE),
        TEST (MON_29_a_malformed_reply_to_a_REQ),
        TEST (MON_30_a_heartbeat_timeout),
        TEST (MON_31_every_failed_handshake_is_followed_by_DISCONNECTED),
        TEST (MON_32_retrying_does_not_wait_for_the_events_to_be_read),
    };
    return cmocka_run_group_tests_name ("monitor", tests, NULL, NULL);
}
