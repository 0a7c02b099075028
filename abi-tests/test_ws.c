/* ws: WebSocket, ZWS 2.0 (spec/wire/transports.md section 7). Between two of the library, and against a bare peer. */
#include "security_support.h"
#include "ws_support.h"

#include <arpa/inet.h>

#define TEST(name) cmocka_unit_test_setup_teardown (name, watchdog_on, watchdog_off)

/* A context, a bound socket and one that is connected to it. */
struct pair
{
    void *ctx, *bound, *connected;
    char endpoint[256];
};

static void open_pair (struct pair *p, int bound_type, int connected_type)
{
    need_ws ();
    p->ctx = new_ctx ();
    p->bound = new_socket (p->ctx, bound_type);
    p->connected = new_socket (p->ctx, connected_type);
    set_int (p->connected, ZMQ_RECONNECT_IVL, 20);
    bind_any (p->bound, "ws://127.0.0.1:*", p->endpoint);
    OK (zmq_connect (p->connected, p->endpoint));
}

static void close_pair (struct pair *p)
{
    close_now (p->connected);
    close_now (p->bound);
    end_ctx (p->ctx);
}

/* A bound socket with a monitor, for a bare client. */
struct server
{
    void *ctx, *s;
    struct monitor events;
    char endpoint[256];
};

static void open_server (struct server *w, int type)
{
    need_ws ();
    w->ctx = new_ctx ();
    w->s = new_socket (w->ctx, type);
    monitor_start (&w->events, w->ctx, w->s, ZMQ_EVENT_ALL);
    bind_any (w->s, "ws://127.0.0.1:*", w->endpoint);
    monitor_expect (&w->events, ZMQ_EVENT_LISTENING);
}

static void close_server (struct server *w)
{
    monitor_close (&w->events, w->s);
    end_ctx (w->ctx);
}

static void expect_accepted (struct server *w)
{
    monitor_expect (&w->events, ZMQ_EVENT_ACCEPTED);
}

static void expect_failed_upgrade (struct server *w)
{
    assert_int_equal (monitor_expect (&w->events, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL).value, WS_ERROR);
    monitor_expect (&w->events, ZMQ_EVENT_DISCONNECTED);
}

/* ---- Endpoints (7.1, 2) ---- */

static void endpoints_after_bind (void **state)
{
    (void) state;
    need_ws ();
    static const struct { const char *given, *front, *path; } forms[] = {
      {"ws://127.0.0.1:*", "ws://127.0.0.1:", "/"},
      {"ws://127.0.0.1:0/", "ws://127.0.0.1:", "/"},
      {"ws://127.0.0.1:*/feed", "ws://127.0.0.1:", "/feed"},
      {"ws://*:*", "ws://0.0.0.0:", "/"},
      {"ws://lo:*/feed", "ws://127.0.0.1:", "/feed"},
    };
    void *ctx = new_ctx ();
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; ++i) {
        char got[256], expected[256];
        void *s = new_socket (ctx, ZMQ_DEALER);
        bind_any (s, forms[i].given, got);
        snprintf (expected, sizeof expected, "%s%d%s", forms[i].front, ws_port (got), forms[i].path);
        assert_string_equal (got, expected);
        OK (zmq_unbind (s, got));
        FAILS (zmq_unbind (s, got), ENOENT);
        close_now (s);
    }
    end_ctx (ctx);
}

static void endpoints_after_connect (void **state)
{
    (void) state;
    need_ws ();
    static const char *const forms[][2] = {
      {"ws://127.0.0.1:5999", "ws://127.0.0.1:5999/"},
      {"ws://127.0.0.1:5999/", "ws://127.0.0.1:5999/"},
      {"ws://127.0.0.1:5999/feed", "ws://127.0.0.1:5999/feed"},
      {"ws://localhost:5999", "ws://localhost:5999/"},
    };
    void *ctx = new_ctx ();
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; ++i) {
        void *s = new_socket (ctx, ZMQ_DEALER);
        OK (zmq_connect (s, forms[i][0]));
        expect_endpoint (s, forms[i][1]);
        OK (zmq_disconnect (s, forms[i][0])); /* the text that was given */
        close_now (s);
    }
    end_ctx (ctx);
}

static void wrong_endpoints (void **state)
{
    (void) state;
    need_ws ();
    static const struct { const char *text; int error; } binds[] = {
      {"ws://127.0.0.1", EINVAL}, {"ws:///x", EINVAL}, {"ws://127.0.0.1:abc", EINVAL},
      {"ws://nohost.invalid:1", ENODEV}, {"WS://127.0.0.1:*", EPROTONOSUPPORT}, {"ws://", EINVAL},
    };
    static const struct { const char *text; int error; } connects[] = {
      {"ws://127.0.0.1", EINVAL}, {"ws:///x", EINVAL}, {"ws://127.0.0.1:*", EINVAL},
      {"ws://*:1", EINVAL},
      {"ws://1.2.3.4:5;127.0.0.1:6", EINVAL}, /* no source address */
    };
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    for (size_t i = 0; i < sizeof binds / sizeof binds[0]; ++i)
        FAILS (zmq_bind (s, binds[i].text), binds[i].error);
    for (size_t i = 0; i < sizeof connects / sizeof connects[0]; ++i)
        FAILS (zmq_connect (s, connects[i].text), connects[i].error);
    /* A name is looked up in the background, as for tcp; the reference does it here and makes the caller wait. */
    if (on_tern ())
        OK (zmq_connect (s, "ws://nohost.invalid:1"));
    else
        FAILS (zmq_connect (s, "ws://nohost.invalid:1"), EINVAL);
    char endpoint[256];
    void *other = new_socket (ctx, ZMQ_DEALER);
    bind_any (s, "ws://127.0.0.1:*", endpoint);
    FAILS (zmq_bind (other, endpoint), EADDRINUSE);
    close_now (other);
    close_now (s);
    end_ctx (ctx);
}

static void a_path_can_not_smuggle_lines_into_the_request (void **state)
{
    (void) state;
    OURS_IS_BETTER ("it sends what the path says");
    need_ws ();
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    FAILS (zmq_connect (s, "ws://127.0.0.1:1/a\r\nX: y"), EINVAL);
    FAILS (zmq_connect (s, "ws://127.0.0.1:1/a b"), EINVAL);
    FAILS (zmq_bind (s, "ws://127.0.0.1:*/a b"), EINVAL);
    close_now (s);
    end_ctx (ctx);
}

/* ---- Two of the library ---- */

static void requests_and_replies (void **state)
{
    (void) state;
    struct pair p;
    open_pair (&p, ZMQ_REP, ZMQ_REQ);
    for (int i = 0; i < 20; ++i) {
        send_text (p.connected, "question", ZMQ_SNDMORE);
        send_text (p.connected, "", 0);
        expect_text (p.bound, "question");
        assert_int_equal (get_int (p.bound, ZMQ_RCVMORE), 1);
        expect_text (p.bound, "");
        send_text (p.bound, "answer", 0);
        expect_text (p.connected, "answer");
    }
    close_pair (&p);
}

static void frames_of_every_size (void **state)
{
    (void) state;
    static const size_t sizes[] = {0, 1, 124, 125, 126, 2048, 2049, 8191, 65534, 65535, 65536,
                                   100 * 1024, 1024 * 1024};
    enum { COUNT = sizeof sizes / sizeof sizes[0] };
    struct pair p;
    open_pair (&p, ZMQ_PAIR, ZMQ_PAIR);
    unsigned char *body = malloc (1024 * 1024), *got = malloc (1024 * 1024);
    for (size_t i = 0; i < 1024 * 1024; ++i)
        body[i] = (unsigned char) (i * 31 + (i >> 8));
    void *const ends[] = {p.connected, p.bound};
    for (int from = 0; from < 2; ++from) {
        for (int i = 0; i < COUNT; ++i) /* one message of many parts */
            OK (zmq_send (ends[from], body, sizes[i], i + 1 < COUNT ? ZMQ_SNDMORE : 0));
        for (int i = 0; i < COUNT; ++i) {
            assert_int_equal (zmq_recv (ends[!from], got, 1024 * 1024, 0), sizes[i]);
            assert_memory_equal (got, body, sizes[i]);
            assert_int_equal (get_int (ends[!from], ZMQ_RCVMORE), i + 1 < COUNT);
        }
    }
    free (got);
    free (body);
    close_pair (&p);
}

static void subscriptions (void **state)
{
    (void) state;
    struct pair p;
    open_pair (&p, ZMQ_XPUB, ZMQ_SUB);
    OK (zmq_setsockopt (p.connected, ZMQ_SUBSCRIBE, "a", 1));
    expect_text (p.bound, "\1a");
    send_text (p.bound, "b not this", 0);
    send_text (p.bound, "a this", 0);
    expect_text (p.connected, "a this");
    OK (zmq_setsockopt (p.connected, ZMQ_UNSUBSCRIBE, "a", 1));
    OK (zmq_setsockopt (p.connected, ZMQ_SUBSCRIBE, "b", 1));
    wait_events (p.bound, ZMQ_POLLIN);
    char notice[2];
    assert_int_equal (zmq_recv (p.bound, notice, 2, 0), 2);
    assert_memory_equal (notice, "\0a", 2);
    expect_text (p.bound, "\1b");
    send_text (p.bound, "a not this", 0);
    send_text (p.bound, "b this", 0);
    expect_text (p.connected, "b this");
    close_pair (&p);
}

static void a_router_answers_by_name (void **state)
{
    (void) state;
    struct pair p;
    need_ws ();
    p.ctx = new_ctx ();
    p.bound = new_socket (p.ctx, ZMQ_ROUTER);
    p.connected = new_socket (p.ctx, ZMQ_DEALER);
    OK (zmq_setsockopt (p.connected, ZMQ_ROUTING_ID, "ME", 2));
    bind_any (p.bound, "ws://127.0.0.1:*", p.endpoint);
    OK (zmq_connect (p.connected, p.endpoint));
    send_text (p.connected, "hello", 0);
    expect_text (p.bound, "ME");
    expect_text (p.bound, "hello");
    send_text (p.bound, "ME", ZMQ_SNDMORE);
    send_text (p.bound, "back", 0);
    expect_text (p.connected, "back");
    close_pair (&p);
}

static void LINGER_sends_what_waits (void **state)
{
    (void) state;
    struct pair p;
    open_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    enum { COUNT = 2000 };
    set_int (p.connected, ZMQ_SNDHWM, 0);
    for (int i = 0; i < COUNT; ++i)
        OK (zmq_send (p.connected, &i, sizeof i, 0));
    set_int (p.connected, ZMQ_LINGER, -1);
    OK (zmq_close (p.connected));
    for (int i = 0, got; i < COUNT; ++i) {
        wait_events (p.bound, ZMQ_POLLIN);
        assert_int_equal (zmq_recv (p.bound, &got, sizeof got, 0), (int) sizeof got);
        assert_int_equal (got, i);
    }
    close_now (p.bound);
    end_ctx (p.ctx);
}

static void reconnects_when_the_server_comes_back (void **state)
{
    (void) state;
    struct pair p;
    struct monitor events;
    open_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    monitor_start (&events, p.ctx, p.connected, ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED);
    send_text (p.connected, "one", 0);
    expect_text (p.bound, "one");
    close_now (p.bound);
    monitor_expect (&events, ZMQ_EVENT_DISCONNECTED);
    p.bound = new_socket (p.ctx, ZMQ_PULL);
    bind_soon (p.bound, p.endpoint);
    send_text (p.connected, "two", 0);
    expect_text (p.bound, "two");
    monitor_close (&events, p.connected);
    close_now (p.bound);
    end_ctx (p.ctx);
}

static void metadata_names_the_peer (void **state)
{
    (void) state;
    struct pair p;
    open_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    send_text (p.connected, "one", 0);
    expect_message_property (p.bound, "Peer-Address", "127.0.0.1");
    send_text (p.connected, "two", 0);
    expect_message_property (p.bound, "Socket-Type", "PUSH");
    close_pair (&p);
}

/* 7.4: once for the upgrade, once for the mechanism. */
static void success_is_told_twice (void **state)
{
    (void) state;
    struct server w;
    open_server (&w, ZMQ_PULL);
    void *push = new_socket (w.ctx, ZMQ_PUSH);
    struct monitor events;
    monitor_start (&events, w.ctx, push, ZMQ_EVENT_ALL);
    OK (zmq_connect (push, w.endpoint));
    const char *expected = strchr (w.endpoint, ':');
    monitor_expect (&events, ZMQ_EVENT_CONNECT_DELAYED);
    const struct event e = monitor_expect (&events, ZMQ_EVENT_CONNECTED);
    assert_string_equal (strchr (e.address, ':'), expected);
    monitor_expect (&events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_expect (&events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_accepted (&w);
    monitor_expect (&w.events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_expect (&w.events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_close (&events, push);
    close_server (&w);
}

/* ---- Security ---- */

static void PLAIN_with_a_handler (void **state)
{
    (void) state;
    need_ws ();
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    open_handler (&w, ZMQ_REP);
    be_plain_server (w.b);
    be_plain_client (w.c, "user", "secret");
    bind_any (w.b, "ws://127.0.0.1:*", w.endpoint);
    OK (zmq_connect (w.c, w.endpoint));
    struct request r;
    read_request (&w, &r);
    EXPECT_FRAME (&r, MECHANISM_AT, "PLAIN");
    EXPECT_FRAME (&r, ADDRESS_AT, "127.0.0.1");
    EXPECT_FRAME (&r, CREDENTIALS_AT, "user");
    answer (&w, &r, "200", "", "", 0);
    send_text (w.c, "hello", 0);
    expect_text (w.b, "hello");
    close_world (&w);
}

static void PLAIN_refused_by_the_handler (void **state)
{
    (void) state;
    need_ws ();
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    open_handler (&w, ZMQ_REP);
    be_plain_server (w.b);
    be_plain_client (w.c, "user", "wrong");
    bind_any (w.b, "ws://127.0.0.1:*", w.endpoint);
    OK (zmq_connect (w.c, w.endpoint));
    judge (&w, "400");
    assert_int_equal (await_event (&w, &w.c_events, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH).value, 400);
    close_world (&w);
}

static void CURVE_seals_frames_of_every_size (void **state)
{
    (void) state;
    need_ws ();
    if (!zmq_has ("curve"))
        skip ();
    struct keys server, client;
    make_keys (&server);
    make_keys (&client);
    void *ctx = new_ctx ();
    void *bound = new_socket (ctx, ZMQ_PAIR), *connected = new_socket (ctx, ZMQ_PAIR);
    be_curve_server (bound, &server);
    be_curve_client (connected, &client, server.public_text);
    char endpoint[256];
    bind_any (bound, "ws://127.0.0.1:*", endpoint);
    OK (zmq_connect (connected, endpoint));
    static const size_t sizes[] = {0, 1, 90, 91, 92, 93, 2048, 65500, 65536, 100 * 1024, 1024 * 1024};
    unsigned char *body = calloc (1, 1024 * 1024), *got = malloc (1024 * 1024);
    for (size_t i = 0; i < 1024 * 1024; ++i)
        body[i] = (unsigned char) (i * 31);
    void *const ends[] = {connected, bound};
    for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; ++i) {
        OK (zmq_send (ends[i % 2], body, sizes[i / 2], 0));
        assert_int_equal (zmq_recv (ends[(i + 1) % 2], got, 1024 * 1024, 0), sizes[i / 2]);
        assert_memory_equal (got, body, sizes[i / 2]);
    }
    free (got);
    free (body);
    close_now (connected);
    close_now (bound);
    end_ctx (ctx);
}

static void Q_35_subscriptions_pass_through_CURVE (void **state)
{
    (void) state;
    OURS_IS_BETTER ("it seals the command form, and drops it as a receiver");
    need_ws ();
    if (!zmq_has ("curve"))
        skip ();
    struct keys server, client;
    make_keys (&server);
    make_keys (&client);
    void *ctx = new_ctx ();
    void *pub = new_socket (ctx, ZMQ_XPUB), *sub = new_socket (ctx, ZMQ_SUB);
    be_curve_server (pub, &server);
    be_curve_client (sub, &client, server.public_text);
    char endpoint[256];
    bind_any (pub, "ws://127.0.0.1:*", endpoint);
    OK (zmq_connect (sub, endpoint));
    OK (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, "a", 1));
    expect_text (pub, "\1a");
    send_text (pub, "a message", 0);
    expect_text (sub, "a message");
    close_now (sub);
    close_now (pub);
    end_ctx (ctx);
}

static void Q_61_a_ZAP_domain_admits_nobody_without_a_mechanism (void **state)
{
    (void) state;
    OURS_IS_BETTER ("it delivers what the handler would refuse");
    struct server w;
    need_ws ();
    w.ctx = new_ctx ();
    w.s = new_socket (w.ctx, ZMQ_PULL);
    set_text (w.s, ZMQ_ZAP_DOMAIN, "domain");
    monitor_start (&w.events, w.ctx, w.s, ZMQ_EVENT_ALL);
    bind_any (w.s, "ws://127.0.0.1:*", w.endpoint);
    monitor_expect (&w.events, ZMQ_EVENT_LISTENING);
    const int fd = ws_connect_raw (w.endpoint);
    ws_request (fd, WS_BARE);
    expect_closed (fd);
    expect_accepted (&w);
    expect_failed_upgrade (&w);
    close (fd);
    close_server (&w);
}

/* ---- A bare client ---- */

static void the_upgrade_is_answered_as_captured (void **state)
{
    (void) state;
    struct server w;
    open_server (&w, ZMQ_DEALER);
    const int fd = ws_client_until_ready (w.endpoint, "DEALER");
    send_zws_text (fd, true, 1, "hi");
    send_zws_text (fd, true, 0, "there");
    expect_text (w.s, "hi");
    expect_text (w.s, "there");
    send_text (w.s, "hi", ZMQ_SNDMORE);
    send_text (w.s, "there", 0);
    expect_hex (fd, "82030168698206007468657265");
    close (fd);
    close_server (&w);
}

static void the_bare_protocol_begins_with_routing_ids (void **state)
{
    (void) state;
    struct server w;
    need_ws ();
    w.ctx = new_ctx ();
    w.s = new_socket (w.ctx, ZMQ_ROUTER);
    OK (zmq_setsockopt (w.s, ZMQ_ROUTING_ID, "ME", 2));
    monitor_start (&w.events, w.ctx, w.s, ZMQ_EVENT_ALL);
    bind_any (w.s, "ws://127.0.0.1:*", w.endpoint);
    monitor_expect (&w.events, ZMQ_EVENT_LISTENING);
    const int fd = ws_open_client (w.endpoint, WS_BARE);
    expect_hex (fd, "8203004d45");
    expect_accepted (&w);
    monitor_expect (&w.events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    send_zws_text (fd, true, 0, "YOU");
    send_zws_text (fd, true, 0, "hello");
    expect_text (w.s, "YOU");
    expect_text (w.s, "hello");
    send_text (w.s, "YOU", ZMQ_SNDMORE);
    send_text (w.s, "back", 0);
    expect_zws_text (fd, false, 0, "back");
    monitor_quiet (&w.events, QUIET_MS);
    close (fd);
    assert_int_equal (monitor_expect (&w.events, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL).value, EPIPE);
    monitor_expect (&w.events, ZMQ_EVENT_DISCONNECTED);
    close_server (&w);
}

static void requests_that_are_none_are_refused_without_an_answer (void **state)
{
    (void) state;
    static const char *const requests[] = {
      "POST / HTTP/1.1\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: " WS_NULL "\r\n\r\n",
      ("GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\n"
       "Sec-WebSocket-Protocol: chat\r\n\r\n"),
      "\xff\1\1\1\1\1\1\1\1\x7f\3\1NULL\r\n\r\n",
    };
    struct server w;
    open_server (&w, ZMQ_DEALER);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; ++i) {
        char byte;
        const int fd = ws_connect_raw (w.endpoint);
        send_text_raw (fd, requests[i]);
        assert_int_equal (read_raw (fd, &byte, 1, DEADLINE_MS), 0);
        expect_accepted (&w);
        expect_failed_upgrade (&w);
        close (fd);
    }
    close_server (&w);
}

static void Q_36_a_ping_is_answered_with_its_payload (void **state)
{
    (void) state;
    struct server w;
    open_server (&w, ZMQ_DEALER);
    const int fd = ws_client_until_ready (w.endpoint, "DEALER");
    send_ws (fd, 0x89, true, "ctx", 3);
    /* Clients that wait for their payload, as RFC 6455 promises, would end the connection. */
    expect_hex (fd, on_tern () ? "8a03637478" : "8a00");
    /* Between the parts of a message too. */
    send_zws_text (fd, true, 1, "one");
    send_ws (fd, 0x89, true, "", 0);
    expect_hex (fd, "8a00");
    send_ws (fd, 0x8a, true, "nobody asked", 12);
    send_zws_text (fd, true, 0, "two");
    expect_text (w.s, "one");
    expect_text (w.s, "two");
    close (fd);
    close_server (&w);
}

static void a_close_is_answered_and_ends_the_connection (void **state)
{
    (void) state;
    OURS_IS_BETTER ("it keeps the connection until it has something to write");
    struct server w;
    open_server (&w, ZMQ_DEALER);
    const int fd = ws_client_until_ready (w.endpoint, "DEALER");
    send_zws_text (fd, true, 0, "before");
    send_ws (fd, 0x88, true, "\3\350bye", 5);
    expect_text (w.s, "before");
    expect_hex (fd, "880503e8627965");
    expect_closed (fd);
    close (fd);
    monitor_wait (&w.events, ZMQ_EVENT_DISCONNECTED);
    close_server (&w);
}

static void Q_38_frames_that_are_none_end_the_connection (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the connection hangs");
    static const struct { int first; bool is_masked; size_t size; } frames[] = {
      {0x02, true, 3},  /* a fragment */
      {0x80, true, 3},  /* a continuation */
      {0x81, true, 3},  /* text */
      {0x83, true, 3},  {0x8b, true, 3}, {0xc2, true, 3}, /* nobody has said what these are */
      {0x82, true, 0},  /* no flags */
      {0x82, false, 3}, /* not masked */
      {0x89, true, 126}, {0x09, true, 3}, /* control frames that are long, or fragments */
      {0x82, true, 1002}, /* longer than it may be */
    };
    struct server w;
    need_ws ();
    w.ctx = new_ctx ();
    w.s = new_socket (w.ctx, ZMQ_DEALER);
    const int64_t most = 1000;
    OK (zmq_setsockopt (w.s, ZMQ_MAXMSGSIZE, &most, sizeof most));
    monitor_start (&w.events, w.ctx, w.s, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_DISCONNECTED
                                            | ZMQ_EVENT_MONITOR_STOPPED);
    bind_any (w.s, "ws://127.0.0.1:*", w.endpoint);
    const char zeros[2000] = {0};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; ++i) {
        const int fd = ws_client_until_ready (w.endpoint, "DEALER");
        send_zws_text (fd, true, 0, "good");
        send_ws (fd, frames[i].first, frames[i].is_masked, zeros, frames[i].size);
        expect_closed (fd);
        expect_failed_upgrade (&w);
        close (fd);
    }
    const int fd = ws_client_until_ready (w.endpoint, "DEALER");
    send_zws (fd, true, 0, zeros, 1000);
    for (int n = 0; n != 1000;) {
        char got[2000];
        wait_events (w.s, ZMQ_POLLIN);
        n = zmq_recv (w.s, got, sizeof got, 0);
        assert_true (n == 1000 || n == 4);
    }
    close (fd);
    close_server (&w);
}

static void subscriptions_of_either_form_are_understood (void **state)
{
    (void) state;
    struct server w;
    open_server (&w, ZMQ_XPUB);
    const int fd = ws_client_until_ready (w.endpoint, "SUB");
    send_zws_text (fd, true, 0, "\1ab");
    expect_text (w.s, "\1ab");
    if (on_tern ()) { /* */
        send_zws_text (fd, true, 2, "\11SUBSCRIBEcd");
        expect_text (w.s, "\1cd");
        send_text (w.s, "cd", 0);
        expect_zws_text (fd, false, 0, "cd");
    }
    send_text (w.s, "abc", 0);
    expect_zws_text (fd, false, 0, "abc");
    close (fd);
    close_server (&w);
}

static void heartbeats_are_pings_of_the_WebSocket (void **state)
{
    (void) state;
    need_ws ();
    struct server w;
    w.ctx = new_ctx ();
    w.s = new_socket (w.ctx, ZMQ_DEALER);
    set_int (w.s, ZMQ_HEARTBEAT_IVL, 50);
    set_int (w.s, ZMQ_HEARTBEAT_TIMEOUT, 2000);
    monitor_start (&w.events, w.ctx, w.s, ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED);
    bind_any (w.s, "ws://127.0.0.1:*", w.endpoint);
    const int fd = ws_client_until_ready (w.endpoint, "DEALER");
    for (int i = 0; i < 3; ++i) {
        expect_hex (fd, "8900");
        send_ws (fd, 0x8a, true, "", 0);
    }
    if (on_tern ()) /* and one who does not answer is given up */
        monitor_expect (&w.events, ZMQ_EVENT_DISCONNECTED);
    close (fd);
    close_server (&w);
}

static void Q_39_the_handshake_has_a_time_limit (void **state)
{
    (void) state;
    OURS_IS_BETTER ("it waits for ever");
    need_ws ();
    struct server w;
    w.ctx = new_ctx ();
    w.s = new_socket (w.ctx, ZMQ_DEALER);
    set_int (w.s, ZMQ_HANDSHAKE_IVL, 100);
    monitor_start (&w.events, w.ctx, w.s, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
                                            | ZMQ_EVENT_MONITOR_STOPPED);
    bind_any (w.s, "ws://127.0.0.1:*", w.endpoint);
    const int silent = ws_connect_raw (w.endpoint);
    send_text_raw (silent, "GET / HTTP/1.1\r\n");
    const int upgraded = ws_open_client (w.endpoint, WS_NULL);
    const int bare = ws_open_client (w.endpoint, WS_BARE);
    expect_closed (silent);
    expect_closed (upgraded);
    expect_closed (bare);
    for (int i = 0; i < 3; ++i)
        monitor_expect (&w.events, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    close (silent);
    close (upgraded);
    close (bare);
    close_server (&w);
}

/* ---- A bare server ---- */

struct client
{
    struct port port;
    void *ctx, *s;
    struct monitor events;
    char endpoint[128];
};

static int open_client (struct client *w, int type, const char *path)
{
    need_ws ();
    reserve_port (&w->port);
    listen_at (&w->port);
    w->ctx = new_ctx ();
    w->s = new_socket (w->ctx, type);
    set_int (w->s, ZMQ_RECONNECT_IVL, 20);
    monitor_start (&w->events, w->ctx, w->s,
                   ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED);
    snprintf (w->endpoint, sizeof w->endpoint, "ws://127.0.0.1:%d%s", w->port.number, path);
    OK (zmq_connect (w->s, w->endpoint));
    return accept_one (&w->port);
}

static void close_client (struct client *w)
{
    release_port (&w->port);
    monitor_close (&w->events, w->s);
    end_ctx (w->ctx);
}

/* Reads the request and answers it; only Tern looks at Accept. */
static void answer_upgrade (int fd, const char *protocol, const char *accept)
{
    char text[1024], response[512];
    read_http (fd, text, sizeof text);
    snprintf (response, sizeof response,
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
              accept, protocol);
    send_text_raw (fd, response);
}

static void the_request_is_libzmqs (void **state)
{
    (void) state;
    struct client w;
    const int fd = open_client (&w, ZMQ_DEALER, "/feed");
    char text[1024], expected[512];
    read_http (fd, text, sizeof text);
    char *const key = strstr (text, "Sec-WebSocket-Key: ");
    assert_non_null (key);
    assert_int_equal (strspn (key + 19, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"), 22);
    memcpy (key + 19, "KEY-KEY-KEY-KEY-KEY-KE", 22);
    snprintf (expected, sizeof expected,
              "GET /feed HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Key: KEY-KEY-KEY-KEY-KEY-KE==\r\n"
              "Sec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\nSec-WebSocket-Version: 13\r\n\r\n");
    assert_string_equal (text, expected);
    close (fd);
    close_client (&w);
}

static void the_whole_path_is_asked_for (void **state)
{
    (void) state;
    OURS_IS_BETTER ("4.3.4 asks for the last part of a path alone");
    struct client w;
    const int fd = open_client (&w, ZMQ_DEALER, "/some/long/path?query=1");
    char text[1024];
    read_http (fd, text, sizeof text);
    assert_memory_equal (text, "GET /some/long/path?query=1 HTTP/1.1\r\n", 38);
    close (fd);
    close_client (&w);
}

static void answers_that_do_not_upgrade_are_final (void **state)
{
    (void) state;
    struct client w;
    const int fd = open_client (&w, ZMQ_DEALER, "");
    send_text_raw (fd, "HTTP/1.1 404 Not Found\r\n\r\n");
    assert_int_equal (monitor_expect (&w.events, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL).value, WS_ERROR);
    monitor_expect (&w.events, ZMQ_EVENT_DISCONNECTED);
    if (on_tern ()) /* a monitor makes the reference forget why a connection ended: now and then it retries */
        assert_int_equal (accept_within (&w.port, QUIET_MS), -1);
    close (fd);
    close_client (&w);
}

static void Q_37_the_answer_to_the_key_is_verified (void **state)
{
    (void) state;
    OURS_IS_BETTER ("it takes any answer");
    struct client w;
    const int fd = open_client (&w, ZMQ_DEALER, "");
    answer_upgrade (fd, WS_NULL, WS_ACCEPT); /* to another key */
    assert_int_equal (monitor_expect (&w.events, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL).value, WS_ERROR);
    expect_closed (fd);
    close (fd);
    close_client (&w);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (endpoints_after_bind),
        TEST (endpoints_after_connect),
        TEST (wrong_endpoints),
        TEST (a_path_can_not_smuggle_lines_into_the_request),
        TEST (requests_and_replies),
        TEST (frames_of_every_size),
        TEST (subscriptions),
        TEST (a_router_answers_by_name),
        TEST (LINGER_sends_what_waits),
        TEST (reconnects_when_the_server_comes_back),
        TEST (metadata_names_the_peer),
        TEST (success_is_told_twice),
        TEST (PLAIN_with_a_handler),
        TEST (PLAIN_refused_by_the_handler),
        TEST (CURVE_seals_frames_of_every_size),
        TEST (Q_35_subscriptions_pass_through_CURVE),
        TEST (Q_61_a_ZAP_domain_admits_nobody_without_a_mechanism),
        TEST (the_upgrade_is_answered_as_captured),
        TEST (the_bare_protocol_begins_with_routing_ids),
        TEST (requests_that_are_none_are_refused_without_an_answer),
        TEST (Q_36_a_ping_is_answered_with_its_payload),
        TEST (a_close_is_answered_and_ends_the_connection),
        TEST (Q_38_frames_that_are_none_end_the_connection),
        TEST (subscriptions_of_either_form_are_understood),
        TEST (heartbeats_are_pings_of_the_WebSocket),
        TEST (Q_39_the_handshake_has_a_time_limit),
        TEST (the_request_is_libzmqs),
        TEST (the_whole_path_is_asked_for),
        TEST (answers_that_do_not_upgrade_are_final),
        TEST (Q_37_the_answer_to_the_key_is_verified),
    };
    return cmocka_run_group_tests_name ("ws", tests, NULL, NULL);
}
