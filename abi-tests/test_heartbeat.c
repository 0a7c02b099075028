/* Heartbeats: statements HB-* of lifecycle.md, seen by a peer on a plain socket. */
#include "lifecycle_support.h"

/* A bound PULL or DEALER with heartbeat options, and a connected plain peer after the handshake. */
struct link
{
    void *ctx;
    void *s;
    struct monitor m;
    int fd;
    int64_t ready_at; /* taken before the handshake could end, so timers cannot be older */
};

enum { UNSET = -12345 };

static void open_link (struct link *l, int type, const char *peer_type, int ivl, int timeout, int ttl)
{
    char endpoint[256];
    struct frame f;
    l->ctx = new_ctx ();
    l->s = new_socket (l->ctx, type);
    if (ivl != UNSET)
        set_int (l->s, ZMQ_HEARTBEAT_IVL, ivl);
    if (timeout != UNSET)
        set_int (l->s, ZMQ_HEARTBEAT_TIMEOUT, timeout);
    if (ttl != UNSET)
        set_int (l->s, ZMQ_HEARTBEAT_TTL, ttl);
    monitor_start (&l->m, l->ctx, l->s, ZMQ_EVENT_ALL);
    bind_any (l->s, "tcp://127.0.0.1:*", endpoint);
    l->fd = connect_raw (endpoint);
    handshake_until_ready (l->fd, &f);
    l->ready_at = now_ms ();
    send_ready (l->fd, peer_type);
    monitor_expect (&l->m, ZMQ_EVENT_LISTENING);
    monitor_expect (&l->m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&l->m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}

static void close_link (struct link *l)
{
    monitor_close (&l->m, l->s);
    end_ctx (l->ctx);
    close (l->fd);
}

static void send_ping (int fd, int ttl, const char *context)
{
    unsigned char body[64] = "\4PING";
    body[5] = (unsigned char) (ttl >> 8);
    body[6] = (unsigned char) ttl;
    memcpy (body + 7, context, strlen (context));
    send_frame (fd, FLAG_COMMAND, body, 7 + strlen (context));
}

static void send_pong (int fd)
{
    send_frame (fd, FLAG_COMMAND, "\4PONG", 5);
}

/* The next frame is a PING; returns its TTL. */
static int expect_ping (int fd)
{
    struct frame f;
    expect_frame (fd, &f);
    assert_true (is_command (&f, "PING"));
    assert_int_equal (f.flags, FLAG_COMMAND);
    assert_in_range (f.size, 7, 7 + 16);
    return f.body[5] << 8 | f.body[6];
}

/* The connection is dropped, with DISCONNECTED as the only event, and not before `ms` after the handshake. */
static void expect_drop_after (struct link *l, int ms)
{
    expect_closed (l->fd);
    const int64_t took = now_ms () - l->ready_at;
    if (took < ms - 3)
        fail_msg ("dropped after %d ms, expected %d", (int) took, ms);
    monitor_expect (&l->m, ZMQ_EVENT_DISCONNECTED);
    monitor_quiet (&l->m, QUIET_MS);
}

static void HB_1_a_PING_is_sent_every_interval_after_the_handshake (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", 100, 0, UNSET);
    for (int i = 1; i <= 5; ++i) {
        assert_int_equal (expect_ping (l.fd), 0);
        const int64_t took = now_ms () - l.ready_at;
        if (took < 100 * i - 5)
            fail_msg ("PING %d came after %d ms", i, (int) took);
    }
    close_link (&l);
}

static void HB_1_no_PING_before_the_handshake_ended (void **state)
{
    (void) state;
    char endpoint[256];
    struct frame f;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    set_int (s, ZMQ_HEARTBEAT_IVL, 20);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    handshake_until_ready (fd, &f);
    expect_quiet (fd, QUIET_MS);
    send_ready (fd, "PUSH");
    expect_ping (fd);
    close (fd);
    close_now (s);
    end_ctx (ctx);
}

static void HB_1_the_connecting_side_sends_PING_too_also_on_ipc (void **state)
{
    (void) state;
    struct port port;
    struct ipc_place place;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    void *bound = new_socket (ctx, ZMQ_DEALER);
    reserve_port (&port);
    make_ipc_place (&place);
    listen_at (&port);
    set_int (s, ZMQ_HEARTBEAT_IVL, 20);
    set_int (s, ZMQ_HEARTBEAT_TIMEOUT, 0);
    set_int (bound, ZMQ_HEARTBEAT_IVL, 20);
    set_int (bound, ZMQ_HEARTBEAT_TIMEOUT, 0);
    OK (zmq_connect (s, port.endpoint));
    OK (zmq_bind (bound, place.endpoint));
    int fds[2] = {accept_one (&port), connect_raw (place.endpoint)};
    for (int i = 0; i < 2; ++i) {
        handshake (fds[i], "DEALER");
        expect_ping (fds[i]);
        expect_ping (fds[i]);
        close (fds[i]);
    }
    close_now (s);
    close_now (bound);
    end_ctx (ctx);
    release_port (&port);
    remove_ipc_place (&place);
}

static void HB_1_the_default_is_no_PING (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, UNSET, UNSET);
    assert_int_equal (get_int (l.s, ZMQ_HEARTBEAT_IVL), 0);
    expect_quiet (l.fd, QUIET_MS);
    close_link (&l);
    /* TIMEOUT and TTL alone do nothing. */
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, 20, 100);
    expect_quiet (l.fd, QUIET_MS);
    close_link (&l);
}

static void HB_2_a_mute_peer_is_dropped_after_IVL_and_TIMEOUT (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", 100, 200, UNSET);
    expect_drop_after (&l, 300);
    close_link (&l);
}

static void HB_2_the_default_TIMEOUT_is_the_interval (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", 200, UNSET, UNSET);
    expect_drop_after (&l, 400);
    close_link (&l);
}

static void HB_2_TIMEOUT_0_means_never (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", 30, 0, UNSET);
    for (int i = 0; i < 12; ++i)
        expect_ping (l.fd);
    expect_open (l.fd, QUIET_MS);
    monitor_quiet (&l.m, 0);
    close_link (&l);
}

/* Sends a sign of life at least every 30 ms, for longer than IVL + TIMEOUT. */
static void alive_with (const char *hex)
{
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", 100, 600, UNSET);
    while (now_ms () < l.ready_at + 1100) {
        send_hex (l.fd, hex);
        expect_open (l.fd, 30);
    }
    monitor_quiet (&l.m, 0);
    /* Silence from here on is noticed again. */
    l.ready_at = now_ms ();
    expect_drop_after (&l, 500);
    close_link (&l);
}

static void HB_2_any_traffic_keeps_the_connection (void **state)
{
    (void) state;
    alive_with ("0405 04 504f4e47");  /* PONG */
    alive_with ("0404 03 464f4f");    /* an unknown command */
    alive_with ("0001 78");           /* a message that nobody reads */
}

static void HB_2_a_large_body_that_comes_slowly_keeps_the_connection (void **state)
{
    (void) state;
    OURS_IS_BETTER ("only whole messages call off its timeout: a large one over a slow line ends the connection");
    static const char piece[200000];
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", 100, 600, UNSET);
    send_hex (l.fd, "02 0000000000200000");
    send_raw (l.fd, piece, sizeof piece);
    while (now_ms () < l.ready_at + 1100) {
        send_raw (l.fd, piece, 1);
        expect_open (l.fd, 30);
    }
    monitor_quiet (&l.m, 0);
    close_link (&l);
}

static void HB_3_TTL_is_sent_in_tenths_of_a_second (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", 20, 0, 1050);
    assert_int_equal (get_int (l.s, ZMQ_HEARTBEAT_TTL), 1000);
    expect_hex (l.fd, "0407 04 50494e47 000a");
    close_link (&l);
    open_link (&l, ZMQ_PULL, "PUSH", 20, 0, 1500);
    assert_int_equal (get_int (l.s, ZMQ_HEARTBEAT_TTL), 1500);
    expect_hex (l.fd, "0407 04 50494e47 000f");
    close_link (&l);
    open_link (&l, ZMQ_PULL, "PUSH", 20, 0, 99);
    assert_int_equal (get_int (l.s, ZMQ_HEARTBEAT_TTL), 0);
    expect_hex (l.fd, "0407 04 50494e47 0000");
    close_link (&l);
}

static void HB_3_the_receiver_of_a_TTL_drops_a_silent_peer (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, UNSET, UNSET); /* no heartbeat option of its own */
    l.ready_at = now_ms ();
    send_ping (l.fd, 3, "");
    expect_hex (l.fd, "0405 04 504f4e47");
    expect_drop_after (&l, 300);
    close_link (&l);
}

static void HB_3_traffic_after_the_TTL_keeps_the_connection (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, UNSET, UNSET);
    send_hex (l.fd, "0407 04 50494e47 0004" "0004 6c696665"); /* in one write: no race with the 400 ms */
    expect_hex (l.fd, "0405 04 504f4e47");
    expect_quiet (l.fd, 600);
    expect_text (l.s, "life");
    monitor_quiet (&l.m, 0);
    /* A TTL of 0 sets no limit. */
    send_ping (l.fd, 0, "");
    expect_hex (l.fd, "0405 04 504f4e47");
    expect_quiet (l.fd, QUIET_MS);
    close_link (&l);
}

static void HB_4_the_context_is_echoed_in_the_PONG (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, UNSET, UNSET);
    send_ping (l.fd, 0, "");
    expect_hex (l.fd, "0405 04 504f4e47");
    send_ping (l.fd, 0, "abc");
    expect_hex (l.fd, "0408 04 504f4e47 616263");
    send_ping (l.fd, 0, "0123456789abcdef");
    expect_hex (l.fd, "0415 04 504f4e47 30313233343536373839616263646566");
    send_hex (l.fd, "040a 04 50494e47 0000 00ff00"); /* any bytes */
    expect_hex (l.fd, "0408 04 504f4e47 00ff00");
    close_link (&l);
}

static void *receive_one (void *s)
{
    char byte;
    return zmq_recv (s, &byte, 1, 0) == 1 ? NULL : s;
}

/* The program receives a message, and does something else from then on. */
static void HB_4_a_PING_that_came_with_a_message_is_answered (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, UNSET, UNSET);
    for (int i = 0; i < 20; ++i) {
        pthread_t thread;
        void *failed;
        assert_int_equal (pthread_create (&thread, NULL, receive_one, l.s), 0);
        send_hex (l.fd, "0001 61 040a 04 50494e47 0000 616263"); /* whether it waits by now or not */
        assert_int_equal (pthread_join (thread, &failed), 0);
        assert_null (failed);
        expect_hex (l.fd, "0408 04 504f4e47 616263");
    }
    close_link (&l);
}

static void HB_4_a_longer_context_is_cut_to_16_bytes (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, UNSET, UNSET);
    send_ping (l.fd, 0, "0123456789abcdefghij");
    expect_hex (l.fd, "0415 04 504f4e47 30313233343536373839616263646566");
    close_link (&l);
}

static void HB_4_a_PING_in_the_long_form_is_answered (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, UNSET, UNSET);
    send_hex (l.fd, "06 0000000000000009 04 50494e47 0000 6162");
    expect_hex (l.fd, "0407 04 504f4e47 6162");
    close_link (&l);
}

static void HB_5_a_drop_is_a_loss_that_is_retried (void **state)
{
    (void) state;
    struct port port;
    struct monitor m;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    reserve_port (&port);
    listen_at (&port);
    set_int (s, ZMQ_HEARTBEAT_IVL, 50);
    set_int (s, ZMQ_HEARTBEAT_TIMEOUT, 100);
    set_int (s, ZMQ_RECONNECT_IVL, 10);
    monitor_start (&m, ctx, s, ZMQ_EVENT_ALL);
    OK (zmq_connect (s, port.endpoint));
    int fd = accept_one (&port);
    handshake (fd, "PULL");
    monitor_expect_connection (&m, true);
    expect_closed (fd);
    close (fd);
    monitor_expect (&m, ZMQ_EVENT_DISCONNECTED);
    monitor_expect (&m, ZMQ_EVENT_CONNECT_RETRIED);
    monitor_expect (&m, ZMQ_EVENT_CONNECT_DELAYED);
    monitor_expect (&m, ZMQ_EVENT_CONNECTED);
    fd = accept_one (&port);
    close (fd);
    monitor_close (&m, s);
    end_ctx (ctx);
    release_port (&port);
}

/* The kernel's buffers are small here, so most answers have nowhere to go. */
static void HB_4_who_does_not_read_gets_the_newest_PONG (void **state)
{
    (void) state;
    OURS_IS_BETTER ("now and then the newest answer stays with it");
    enum { COUNT = 100000, BUFFER = 32 * 1024 };
    struct port port;
    struct frame f;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    set_int (s, ZMQ_SNDBUF, BUFFER);
    set_int (s, ZMQ_RCVBUF, BUFFER);
    reserve_port (&port);
    const int size = BUFFER;
    OK (setsockopt (port.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size));
    listen_at (&port);
    OK (zmq_connect (s, port.endpoint));
    const int fd = accept_one (&port);
    handshake (fd, "PUSH");
    char context[17];
    for (int i = 0; i < COUNT; ++i) {
        snprintf (context, sizeof context, "%016d", i);
        send_ping (fd, 0, context);
    }
    int pongs = 0;
    do {
        expect_frame (fd, &f);
        assert_true (is_command (&f, "PONG"));
        assert_true (++pongs < COUNT / 2);
    } while (memcmp (f.body + f.size - 16, context, 16) != 0);
    close (fd);
    close_now (s);
    end_ctx (ctx);
    release_port (&port);
}

static void HB_6_PING_and_PONG_never_reach_the_program (void **state)
{
    (void) state;
    struct link l;
    open_link (&l, ZMQ_DEALER, "DEALER", 20, 0, UNSET);
    for (int i = 0; i < 5; ++i) {
        send_ping (l.fd, 0, "x");
        send_pong (l.fd);
    }
    struct frame f;
    for (int pongs = 0; pongs < 1;) { /* several PINGs may be answered by one PONG */
        expect_frame (l.fd, &f);
        pongs += is_command (&f, "PONG");
    }
    expect_no_message (l.s);
    send_frame_text (l.fd, 0, "real");
    expect_text (l.s, "real");
    expect_no_message (l.s);
    close_link (&l);
}

static void HB_6_heartbeats_do_not_count_for_the_HWM (void **state)
{
    (void) state;
    char endpoint[256];
    struct frame f;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    set_int (s, ZMQ_HEARTBEAT_IVL, 10);
    set_int (s, ZMQ_HEARTBEAT_TIMEOUT, 0);
    set_int (s, ZMQ_SNDHWM, 1);
    set_int (s, ZMQ_RCVHWM, 1);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    handshake (fd, "DEALER");
    wait_events (s, ZMQ_POLLOUT);
    for (int i = 0; i < 20; ++i)
        send_ping (fd, 0, "");
    for (int pings = 0; pings < 10;) {
        expect_frame (fd, &f);
        pings += is_command (&f, "PING");
    }
    send_text (s, "out", ZMQ_DONTWAIT);
    do
        expect_frame (fd, &f);
    while (f.flags & FLAG_COMMAND);
    assert_int_equal (f.size, 3);
    assert_memory_equal (f.body, "out", 3);
    send_frame_text (fd, 0, "in");
    expect_text (s, "in");
    close (fd);
    close_now (s);
    end_ctx (ctx);
}

static void HB_7_a_long_TTL_does_not_overflow (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference keeps only 16 bits: a TTL of 66 s ends after 464 ms");
    struct link l;
    open_link (&l, ZMQ_PULL, "PUSH", UNSET, UNSET, UNSET);
    send_ping (l.fd, 660, "");
    expect_hex (l.fd, "0405 04 504f4e47");
    expect_quiet (l.fd, 900);
    close_link (&l);
}

static void HB_two_sockets_with_heartbeats_stay_connected (void **state)
{
    (void) state;
    char endpoint[256];
    struct monitor m;
    void *ctx = new_ctx ();
    void *a = new_socket (ctx, ZMQ_PAIR);
    void *b = new_socket (ctx, ZMQ_PAIR);
    set_int (a, ZMQ_HEARTBEAT_IVL, 50);
    set_int (a, ZMQ_HEARTBEAT_TIMEOUT, 2000);
    set_int (a, ZMQ_HEARTBEAT_TTL, 2000);
    set_int (b, ZMQ_HEARTBEAT_IVL, 70);
    set_int (b, ZMQ_HEARTBEAT_TIMEOUT, 2000);
    bind_any (a, "tcp://127.0.0.1:*", endpoint);
    monitor_start (&m, ctx, b, ZMQ_EVENT_ALL);
    OK (zmq_connect (b, endpoint));
    monitor_expect_connection (&m, true);
    monitor_quiet (&m, 500);
    send_text (b, "x", 0);
    expect_text (a, "x");
    expect_no_message (b);
    monitor_close (&m, b);
    close_now (a);
    end_ctx (ctx);
}

static void HB_never_on_raw_sockets (void **state)
{
    (void) state;
    char endpoint[256];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_STREAM);
    set_int (s, ZMQ_HEARTBEAT_IVL, 20);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    expect_quiet (fd, QUIET_MS);
    close (fd);
    close_now (s);
    end_ctx (ctx);
}

static void HB_also_to_a_ZMTP_3_0_peer (void **state)
{
    (void) state;
    char endpoint[256];
    unsigned char g[GREETING_SIZE];
    struct frame f;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    set_int (s, ZMQ_HEARTBEAT_IVL, 20);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    make_greeting (g, 0, "NULL");
    send_raw (fd, g, sizeof g);
    expect_bytes (fd, g, sizeof g);
    expect_frame (fd, &f);
    send_ready (fd, "PUSH");
    expect_ping (fd);
    close (fd);
    close_now (s);
    end_ctx (ctx);
}

/* The end of the stream is sent, and the peer, which reads slowly, still asks: neither an answer nor a PING of the
 * socket's own, nor silence, may end the connection before all of it has arrived. */
static void HB_1_heartbeats_do_not_cut_what_a_closed_socket_leaves_behind (void **state)
{
    (void) state;
    OURS_IS_BETTER ("answers what comes after its end with a reset, which destroys what was not read");
    static const int intervals[] = {UNSET, 10};
    for (int i = 0; i < 2; ++i) {
        struct link l;
        open_link (&l, ZMQ_DEALER, "DEALER", intervals[i], UNSET, UNSET);
        leave_much_behind (l.s, l.fd);
        for (int pings = 0; pings < 30; ++pings) {
            send_ping (l.fd, 1, "");
            pause_ms (5);
        }
        expect_what_was_left (l.fd);
        close (l.fd);
        close_now (l.m.collector);
        end_ctx (l.ctx);
    }
}

/* The PING stands behind messages that nobody has received, and is found when everything else is sent. */
static void HB_1_a_PING_that_is_read_last_does_not_cut_what_a_closed_socket_leaves_behind (void **state)
{
    (void) state;
    OURS_IS_BETTER ("answers what comes after its end with a reset, which destroys what was not read");
    struct link l;
    open_link (&l, ZMQ_DEALER, "DEALER", UNSET, UNSET, UNSET);
    set_int (l.s, ZMQ_RCVHWM, 1);
    send_much (l.s, l.fd);
    for (int i = 0; i < 3; ++i)
        send_frame_text (l.fd, 0, "kept");
    send_ping (l.fd, 1, "");
    wait_events (l.s, ZMQ_POLLIN);
    pause_ms (QUIET_MS); /* what the peer's kernel takes at first is written */
    OK (zmq_close (l.s));
    for (int pings = 0; pings < 10; ++pings) {
        pause_ms (5);
        send_ping (l.fd, 1, "");
    }
    expect_what_was_left (l.fd);
    close (l.fd);
    close_now (l.m.collector);
    end_ctx (l.ctx);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (HB_1_a_PING_is_sent_every_interval_after_the_handshake),
        TEST (HB_1_no_PING_before_the_handshake_ended),
        TEST (HB_1_the_connecting_side_sends_PING_too_also_on_ipc),
        TEST (HB_1_the_default_is_no_PING),
        TEST (HB_2_a_mute_peer_is_dropped_after_IVL_and_TIMEOUT),
        TEST (HB_2_the_default_TIMEOUT_is_the_interval),
        TEST (HB_2_TIMEOUT_0_means_never),
        TEST (HB_2_any_traffic_keeps_the_connection),
        TEST (HB_2_a_large_body_that_comes_slowly_keeps_the_connection),
        TEST (HB_3_TTL_is_sent_in_tenths_of_a_second),
        TEST (HB_3_the_receiver_of_a_TTL_drops_a_silent_peer),
        TEST (HB_3_traffic_after_the_TTL_keeps_the_connection),
        TEST (HB_4_the_context_is_echoed_in_the_PONG),
        TEST (HB_4_a_PING_that_came_with_a_message_is_answered),
        TEST (HB_4_a_longer_context_is_cut_to_16_bytes),
        TEST (HB_4_a_PING_in_the_long_form_is_answered),
        TEST (HB_5_a_drop_is_a_loss_that_is_retried),
        TEST (HB_1_heartbeats_do_not_cut_what_a_closed_socket_leaves_behind),
        TEST (HB_1_a_PING_that_is_read_last_does_not_cut_what_a_closed_socket_leaves_behind),
        TEST (HB_4_who_does_not_read_gets_the_newest_PONG),
        TEST (HB_6_PING_and_PONG_never_reach_the_program),
        TEST (HB_6_heartbeats_do_not_count_for_the_HWM),
        TEST (HB_7_a_long_TTL_does_not_overflow),
        TEST (HB_two_sockets_with_heartbeats_stay_connected),
        TEST (HB_never_on_raw_sockets),
        TEST (HB_also_to_a_ZMTP_3_0_peer),
    };
    return cmocka_run_group_tests_name ("heartbeat", tests, NULL, NULL);
}
