/* wss: WebSocket over TLS (spec/wire/transports.md section 7.4). */
#define ZMQ_BUILD_DRAFT_API
#include "certificate_support.h"
#include "security_support.h"
#include "ws_support.h"

#include <sys/wait.h>

#define TEST(name) cmocka_unit_test_setup_teardown (name, watchdog_on, watchdog_off)

static char key[PEM_MAX], certificate[PEM_MAX], other_key[PEM_MAX], other_certificate[PEM_MAX];

static int make_certificates (void **state)
{
    (void) state;
    if (!zmq_has ("WSS"))
        return 0;
    if (make_certificate (key, certificate) && make_certificate (other_key, other_certificate))
        return 0;
    print_error ("openssl(1) makes no certificates\n");
    return -1;
}

/* Before anything is opened. */
static void need_wss (void)
{
    if (zmq_has ("WSS"))
        return;
    if (on_tern ())
        LATER ("built without wss");
    printf ("[  OURS    ] not run on libzmq: built without wss\n");
    skip ();
}

static void be_server (void *s)
{
    set_text (s, ZMQ_WSS_CERT_PEM, certificate);
    set_text (s, ZMQ_WSS_KEY_PEM, key);
}

static void trust (void *s, const char *pem, const char *host)
{
    set_text (s, ZMQ_WSS_TRUST_PEM, pem);
    set_text (s, ZMQ_WSS_HOSTNAME, host);
}

struct pair
{
    void *ctx, *bound, *connected;
    struct monitor bound_events, connected_events;
    char endpoint[256];
};

enum { ENDS = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_MONITOR_STOPPED };

static void make_pair (struct pair *p, int bound_type, int connected_type)
{
    need_wss ();
    p->ctx = new_ctx ();
    p->bound = new_socket (p->ctx, bound_type);
    p->connected = new_socket (p->ctx, connected_type);
    monitor_start (&p->bound_events, p->ctx, p->bound, HANDSHAKE_ENDS | ENDS);
    monitor_start (&p->connected_events, p->ctx, p->connected, HANDSHAKE_ENDS | ENDS);
    set_int (p->connected, ZMQ_RECONNECT_IVL, 50);
    be_server (p->bound);
}

static void join_pair (struct pair *p)
{
    bind_any (p->bound, "wss://127.0.0.1:*", p->endpoint);
    OK (zmq_connect (p->connected, p->endpoint));
}

static void close_pair (struct pair *p)
{
    monitor_close (&p->connected_events, p->connected);
    monitor_close (&p->bound_events, p->bound);
    end_ctx (p->ctx);
}

static void requests_and_replies (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p, ZMQ_REP, ZMQ_REQ);
    trust (p.connected, certificate, "tern.test");
    join_pair (&p);
    expect_endpoint (p.connected, p.endpoint);
    assert_memory_equal (p.endpoint, "wss://127.0.0.1:", 16);
    assert_int_equal (p.endpoint[strlen (p.endpoint) - 1], '/');
    for (int i = 0; i < 20; ++i) {
        send_text (p.connected, "question", 0);
        expect_text (p.bound, "question");
        send_text (p.bound, "answer", 0);
        expect_text (p.connected, "answer");
    }
    close_pair (&p);
}

static void without_a_name_the_chain_is_enough (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    set_text (p.connected, ZMQ_WSS_TRUST_PEM, certificate);
    join_pair (&p);
    send_text (p.connected, "hello", 0);
    expect_message_property (p.bound, "Peer-Address", "127.0.0.1");
    close_pair (&p);
}

static void a_number_may_be_the_name (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    trust (p.connected, certificate, "127.0.0.1");
    join_pair (&p);
    send_text (p.connected, "hello", 0);
    expect_text (p.bound, "hello");
    close_pair (&p);
}

/* Both ends fail, nothing gets through, and the client tries again. */
static void expect_no_trust (struct pair *p)
{
    set_int (p->connected, ZMQ_LINGER, 0);
    send_text (p->connected, "secret", 0);
    for (int i = 0; i < 2; ++i) {
        monitor_wait_without (&p->connected_events, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL,
                              ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        monitor_wait_without (&p->connected_events, ZMQ_EVENT_CONNECT_RETRIED,
                              ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    }
    monitor_wait_without (&p->bound_events, ZMQ_EVENT_DISCONNECTED, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_no_message (p->bound);
    close_pair (p);
}

static void a_wrong_name_is_not_trusted (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    trust (p.connected, certificate, "other.test");
    join_pair (&p);
    expect_no_trust (&p);
}

static void an_unknown_certificate_is_not_trusted (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    trust (p.connected, other_certificate, "tern.test");
    join_pair (&p);
    expect_no_trust (&p);
}

static void who_trusts_nobody_gets_no_connection (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    set_int (p.connected, ZMQ_WSS_TRUST_SYSTEM, 1); /* which does not know this one */
    join_pair (&p);
    expect_no_trust (&p);
}

static void bad_PEM_is_EINVAL (void **state)
{
    (void) state;
    need_wss ();
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PAIR);
    FAILS (zmq_bind (s, "wss://127.0.0.1:*"), EINVAL); /* nothing at all */
    set_text (s, ZMQ_WSS_CERT_PEM, certificate);
    FAILS (zmq_bind (s, "wss://127.0.0.1:*"), EINVAL);
    set_text (s, ZMQ_WSS_KEY_PEM, "nonsense");
    FAILS (zmq_bind (s, "wss://127.0.0.1:*"), EINVAL);
    set_text (s, ZMQ_WSS_KEY_PEM, other_key);
    FAILS (zmq_bind (s, "wss://127.0.0.1:*"), EINVAL);
    set_text (s, ZMQ_WSS_CERT_PEM, "nonsense");
    FAILS (zmq_bind (s, "wss://127.0.0.1:*"), EINVAL);
    set_text (s, ZMQ_WSS_CERT_PEM, other_certificate);
    OK (zmq_bind (s, "wss://127.0.0.1:*"));
    set_text (s, ZMQ_WSS_TRUST_PEM, "nonsense");
    FAILS (zmq_connect (s, "wss://127.0.0.1:1"), EINVAL);
    FAILS (zmq_connect (s, "wss://127.0.0.1"), EINVAL);
    close_now (s);
    end_ctx (ctx);
}

static void frames_of_every_size (void **state)
{
    (void) state;
    static const size_t sizes[] = {0, 1, 125, 126, 2049, 16383, 16384, 16385, 65536, 100 * 1024, 1024 * 1024,
                                   4 * 1024 * 1024};
    enum { COUNT = sizeof sizes / sizeof sizes[0], MOST = 4 * 1024 * 1024 };
    struct pair p;
    make_pair (&p, ZMQ_PAIR, ZMQ_PAIR);
    trust (p.connected, certificate, "tern.test");
    join_pair (&p);
    unsigned char *body = malloc (MOST), *got = malloc (MOST);
    for (size_t i = 0; i < MOST; ++i)
        body[i] = (unsigned char) (i * 31 + (i >> 8));
    void *const ends[] = {p.connected, p.bound};
    for (int from = 0; from < 2; ++from) {
        for (int i = 0; i < COUNT; ++i)
            OK (zmq_send (ends[from], body, sizes[i], i + 1 < COUNT ? ZMQ_SNDMORE : 0));
        for (int i = 0; i < COUNT; ++i) {
            assert_int_equal (zmq_recv (ends[!from], got, MOST, 0), sizes[i]);
            assert_memory_equal (got, body, sizes[i]);
        }
    }
    free (got);
    free (body);
    close_pair (&p);
}

static void a_stream_ends_with_LINGER (void **state)
{
    (void) state;
    enum { COUNT = 20000 };
    struct pair p;
    make_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    trust (p.connected, certificate, "");
    join_pair (&p);
    for (int i = 0; i < COUNT; ++i)
        OK (zmq_send (p.connected, &i, sizeof i, ZMQ_DONTWAIT) == -1 && zmq_errno () == EAGAIN
              ? zmq_send (p.connected, &i, sizeof i, 0)
              : 0);
    set_int (p.connected, ZMQ_LINGER, -1);
    OK (zmq_close (p.connected));
    for (int i = 0, got; i < COUNT; ++i) {
        wait_events (p.bound, ZMQ_POLLIN);
        assert_int_equal (zmq_recv (p.bound, &got, sizeof got, 0), (int) sizeof got);
        assert_int_equal (got, i);
    }
    monitor_wait (&p.connected_events, ZMQ_EVENT_MONITOR_STOPPED);
    close_now (p.connected_events.collector);
    monitor_close (&p.bound_events, p.bound);
    end_ctx (p.ctx);
}

static void reconnects_when_the_server_comes_back (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    trust (p.connected, certificate, "tern.test");
    join_pair (&p);
    send_text (p.connected, "one", 0);
    expect_text (p.bound, "one");
    monitor_close (&p.bound_events, p.bound);
    monitor_wait (&p.connected_events, ZMQ_EVENT_DISCONNECTED);
    p.bound = new_socket (p.ctx, ZMQ_PULL);
    be_server (p.bound);
    monitor_start (&p.bound_events, p.ctx, p.bound, ENDS);
    bind_soon (p.bound, p.endpoint);
    send_text (p.connected, "two", 0);
    expect_text (p.bound, "two");
    close_pair (&p);
}

static void CURVE_works_inside (void **state)
{
    (void) state;
    need_wss ();
    if (!zmq_has ("curve"))
        skip ();
    struct keys server, client;
    make_keys (&server);
    make_keys (&client);
    struct pair p;
    make_pair (&p, ZMQ_XPUB, ZMQ_SUB);
    be_curve_server (p.bound, &server);
    be_curve_client (p.connected, &client, server.public_text);
    trust (p.connected, certificate, "tern.test");
    join_pair (&p);
    OK (zmq_setsockopt (p.connected, ZMQ_SUBSCRIBE, "a", 1));
    expect_text (p.bound, "\1a");
    send_text (p.bound, "a message", 0);
    expect_text (p.connected, "a message");
    close_pair (&p);
}

static void peers_without_TLS_are_let_go (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p, ZMQ_PULL, ZMQ_PUSH);
    trust (p.connected, certificate, "tern.test");
    set_int (p.bound, ZMQ_HANDSHAKE_IVL, 300);
    bind_any (p.bound, "wss://127.0.0.1:*", p.endpoint);
    const int plain = ws_connect_raw (p.endpoint), silent = ws_connect_raw (p.endpoint);
    ws_request (plain, WS_NULL);
    monitor_wait_without (&p.bound_events, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL,
                          ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_closed (plain);
    expect_closed (silent); /* by the handshake's time limit */
    close (plain);
    close (silent);
    OK (zmq_connect (p.connected, p.endpoint));
    send_text (p.connected, "hello", 0);
    expect_text (p.bound, "hello");
    close_pair (&p);
}

/* openssl(1) as a bare client, whose descriptor carries what is inside of TLS. */
static int open_tls_client (const char *endpoint, const char *fragment_size)
{
    char address[64];
    int ends[2];
    snprintf (address, sizeof address, "127.0.0.1:%d", ws_port (endpoint));
    OK (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends));
    const pid_t child = fork ();
    assert_true (child >= 0);
    if (child == 0) {
        dup2 (ends[1], 0);
        dup2 (ends[1], 1);
        execlp ("openssl", "openssl", "s_client", "-quiet", "-maxfraglen", fragment_size, "-connect",
                address, (char *) NULL);
        _exit (1);
    }
    close (ends[1]);
    return ends[0];
}

/* Blocked in the middle of a record that is smaller than what was offered to TLS. */
static void a_peer_that_wants_small_records_gets_everything (void **state)
{
    (void) state;
    enum { COUNT = 16000, SIZE = 1000 };
    need_wss ();
    char endpoint[256];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    be_server (s);
    set_int (s, ZMQ_SNDHWM, 0);
    set_int (s, ZMQ_SNDBUF, 64 * 1024);
    bind_any (s, "wss://127.0.0.1:*", endpoint);
    const int fd = open_tls_client (endpoint, "512");
    ws_request (fd, WS_NULL);
    expect_ws_response (fd, WS_NULL);
    expect_ws_ready (fd, false);
    send_ws_ready (fd, true, "PULL");
    static char body[SIZE];
    for (int i = 0; i < COUNT; ++i) {
        memcpy (body, &i, sizeof i);
        OK (zmq_send (s, body, SIZE, 0) == SIZE ? 0 : -1);
    }
    static struct ws_frame f;
    for (int i = 0; i < COUNT; ++i) {
        expect_ws (fd, &f);
        assert_int_equal (f.first, 0x82);
        assert_int_equal (f.size, SIZE + 1);
        assert_memory_equal (f.payload + 1, &i, sizeof i);
    }
    close (fd);
    close_now (s);
    end_ctx (ctx);
    assert_true (wait (NULL) > 0);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (requests_and_replies),
        TEST (without_a_name_the_chain_is_enough),
        TEST (a_number_may_be_the_name),
        TEST (a_wrong_name_is_not_trusted),
        TEST (an_unknown_certificate_is_not_trusted),
        TEST (who_trusts_nobody_gets_no_connection),
        TEST (bad_PEM_is_EINVAL),
        TEST (frames_of_every_size),
        TEST (a_stream_ends_with_LINGER),
        TEST (reconnects_when_the_server_comes_back),
        TEST (CURVE_works_inside),
        TEST (peers_without_TLS_are_let_go),
        TEST (a_peer_that_wants_small_records_gets_everything),
    };
    return cmocka_run_group_tests_name ("wss", tests, make_certificates, NULL);
}
