/* SOCKS5 proxies: wire/transports.md section 12. A fake proxy says what a real one never would; a real one (Debian's
 * microsocks) is used where it is installed. */
#define ZMQ_BUILD_DRAFT_API /* for the account; builds without it refuse the options */
#include "lifecycle_support.h"

#include <sys/prctl.h>
#include <sys/wait.h>

static const char CONNECTED[] = "05000001000000000000";

static void set_text (void *s, int option, const char *text)
{
    OK (zmq_setsockopt (s, option, text, strlen (text)));
}

/* A socket that reaches `target` through the fake proxy, with the first connection to it. */
struct proxied
{
    void *ctx;
    void *s;
    struct monitor monitor;
    struct port port;
    int fd;
};

static void through_proxy (struct proxied *p, int type)
{
    p->ctx = new_ctx ();
    p->s = new_socket (p->ctx, type);
    reserve_port (&p->port);
    listen_at (&p->port);
    set_text (p->s, ZMQ_SOCKS_PROXY, p->port.endpoint + strlen ("tcp://"));
    set_int (p->s, ZMQ_RECONNECT_IVL, 10);
    monitor_start (&p->monitor, p->ctx, p->s, ZMQ_EVENT_ALL);
}

static void connect_through (struct proxied *p, const char *target)
{
    OK (zmq_connect (p->s, target));
    p->fd = accept_one (&p->port);
}

static void end_proxied (struct proxied *p)
{
    if (p->fd >= 0)
        close (p->fd);
    monitor_close (&p->monitor, p->s);
    end_ctx (p->ctx);
    release_port (&p->port);
}

/* The attempt is given up, and another one made. */
static void expect_given_up (struct proxied *p)
{
    expect_closed (p->fd);
    close (p->fd);
    monitor_wait_without (&p->monitor, ZMQ_EVENT_CLOSED, ZMQ_EVENT_CONNECTED);
    monitor_expect (&p->monitor, ZMQ_EVENT_CONNECT_RETRIED);
    p->fd = accept_one (&p->port);
    expect_hex (p->fd, "0501");
}

static void reaches (const char *target, const char *request)
{
    struct proxied p;
    through_proxy (&p, ZMQ_PUSH);
    connect_through (&p, target);
    expect_hex (p.fd, "050100");
    send_hex (p.fd, "0500");
    expect_hex (p.fd, request);
    send_hex (p.fd, CONNECTED);
    handshake (p.fd, "PULL");
    send_text (p.s, "through", 0);
    expect_frame_text (p.fd, 0, "through");
    end_proxied (&p);
}

static void SOCKS_a_number_is_sent_as_a_number (void **state)
{
    (void) state;
    reaches ("tcp://10.1.2.3:7777", "050100010a0102031e61");
    reaches ("tcp://[2001:db8::1]:7777", "0501000420010db80000000000000000000000011e61");
}

static void SOCKS_a_name_is_left_to_the_proxy (void **state)
{
    (void) state;
    reaches ("tcp://example.invalid:7777", "050100030f6578616d706c652e696e76616c69641e61");
}

static void SOCKS_a_source_address_of_the_target_is_not_sent (void **state)
{
    (void) state;
    OURS_IS_BETTER ("it sends \"source;host\" as the name");
    reaches ("tcp://127.0.0.1:0;example.invalid:7777", "050100030f6578616d706c652e696e76616c69641e61");
}

static void SOCKS_an_account_is_offered_and_given (void **state)
{
    (void) state;
    struct proxied p;
    through_proxy (&p, ZMQ_PUSH);
    set_text (p.s, ZMQ_SOCKS_USERNAME, "joe");
    set_text (p.s, ZMQ_SOCKS_PASSWORD, "pw");
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "050102");
    send_hex (p.fd, "0502");
    expect_hex (p.fd, "01036a6f65027077");
    send_hex (p.fd, "0100");
    expect_hex (p.fd, "050100010a0102031e61");
    send_hex (p.fd, CONNECTED);
    handshake (p.fd, "PULL");
    end_proxied (&p);
}

static void SOCKS_a_refused_account_is_retried (void **state)
{
    (void) state;
    struct proxied p;
    through_proxy (&p, ZMQ_PUSH);
    set_text (p.s, ZMQ_SOCKS_USERNAME, "joe");
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "050102");
    send_hex (p.fd, "0502");
    expect_hex (p.fd, "01036a6f6500");
    send_hex (p.fd, "0101");
    expect_given_up (&p);
    /* To the end: the reference aborts when it is closed in the middle. */
    expect_hex (p.fd, "02");
    send_hex (p.fd, "0500");
    expect_hex (p.fd, "050100010a0102031e61");
    send_hex (p.fd, CONNECTED);
    handshake (p.fd, "PULL");
    end_proxied (&p);
}

static void SOCKS_the_reply_may_come_in_pieces_and_with_the_greeting (void **state)
{
    (void) state;
    static const char *const replies[] = {CONNECTED, "05000003036162630050", "050000040000000000000000000000000000000100ff"};
    for (size_t i = 0; i < sizeof replies / sizeof *replies; ++i) {
        struct proxied p;
        unsigned char stream[128], theirs[64];
        through_proxy (&p, ZMQ_PUSH);
        connect_through (&p, "tcp://10.1.2.3:7777");
        expect_hex (p.fd, "050100");
        send_hex (p.fd, "05");
        pause_ms (2);
        send_hex (p.fd, "00");
        expect_hex (p.fd, "050100010a0102031e61");
        size_t size = from_hex (replies[i], stream, sizeof stream);
        send_raw (p.fd, stream, 3);
        pause_ms (2);
        send_raw (p.fd, stream + 3, 3);
        pause_ms (2);
        make_greeting (stream + size, 0, "NULL");
        send_raw (p.fd, stream + 6, size + 64 - 6);
        expect_bytes (p.fd, theirs, sizeof theirs);
        assert_int_equal (theirs[0], 0xff);
        struct frame f;
        expect_frame (p.fd, &f);
        assert_true (is_command (&f, "READY"));
        send_ready (p.fd, "PULL");
        send_text (p.s, "x", 0);
        expect_frame_text (p.fd, 0, "x");
        end_proxied (&p);
    }
}

static void SOCKS_the_events_of_a_proxied_connection (void **state)
{
    (void) state;
    struct proxied p;
    through_proxy (&p, ZMQ_PUSH);
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "050100");
    send_hex (p.fd, "0500");
    expect_hex (p.fd, "050100010a0102031e61");
    monitor_expect (&p.monitor, ZMQ_EVENT_CONNECT_DELAYED);
    monitor_quiet (&p.monitor, QUIET_MS); /* connected is who reaches the peer */
    send_hex (p.fd, CONNECTED);
    const struct event e = monitor_expect (&p.monitor, ZMQ_EVENT_CONNECTED);
    if (on_tern ()) /* the reference shows the proxy's address */
        assert_string_equal (e.address, "tcp://10.1.2.3:7777");
    handshake (p.fd, "PULL");
    monitor_expect (&p.monitor, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    close (p.fd);
    p.fd = -1;
    monitor_expect (&p.monitor, ZMQ_EVENT_DISCONNECTED);
    monitor_expect (&p.monitor, ZMQ_EVENT_CONNECT_RETRIED);
    end_proxied (&p);
}

static void SOCKS_a_refused_target_is_retried (void **state)
{
    (void) state;
    struct proxied p;
    through_proxy (&p, ZMQ_PUSH);
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "050100");
    for (int i = 0; i < 3; ++i) {
        send_hex (p.fd, "0500");
        expect_hex (p.fd, "050100010a0102031e61");
        send_hex (p.fd, "05050001000000000000");
        expect_closed (p.fd);
        close (p.fd);
        monitor_wait_without (&p.monitor, ZMQ_EVENT_CLOSED, ZMQ_EVENT_CONNECTED);
        monitor_expect (&p.monitor, ZMQ_EVENT_CONNECT_RETRIED);
        p.fd = accept_one (&p.port);
        expect_hex (p.fd, "050100");
    }
    send_hex (p.fd, "0500");
    expect_hex (p.fd, "050100010a0102031e61");
    send_hex (p.fd, CONNECTED);
    handshake (p.fd, "PULL");
    end_proxied (&p);
}

/* What a hostile or broken proxy says: to the offer, and to the request; NULL: it goes away. */
static void SOCKS_nonsense_of_a_proxy_is_retried (void **state)
{
    (void) state;
    static const struct
    {
        const char *method;
        const char *reply;
    } cases[] = {
        {NULL, NULL},
        {"05", NULL},
        {"0500", NULL},
        {"0500", "05000001"},
        {"0500", "05000003ff6161"},
        {"0400", NULL},
        {"05ff", NULL},
        {"0501", NULL},
        {"0503", NULL},
        {"485454502f312e31203430302042616420526571756573740d0a0d0a", NULL},
        {"0500", "04000001000000000000"},
        {"0500", "05ff0001000000000000"},
        {"0500", "0500ff01000000000000"},
        {"0500", "05000000000000000000"},
        {"0500", "05000002000000000000"},
        {"0500", "050000ff000000000000"},
        {"0500", "ffffffffffffffffffffffffffffffffffffffffffffffff"},
    };
    OURS_IS_BETTER ("it takes half a reply for a whole one");
    struct proxied p;
    through_proxy (&p, ZMQ_PUSH);
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "0501");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        bool ends = true; /* the library has to notice by itself that it is nonsense */
        expect_hex (p.fd, "00");
        if (cases[i].method)
            send_hex (p.fd, cases[i].method);
        if (cases[i].reply) {
            expect_hex (p.fd, "050100010a0102031e61");
            send_hex (p.fd, cases[i].reply);
            ends = strlen (cases[i].reply) < 20;
        } else {
            ends = !cases[i].method || strcmp (cases[i].method, "05") == 0 || strcmp (cases[i].method, "0500") == 0;
        }
        if (ends)
            shutdown (p.fd, SHUT_WR);
        expect_given_up (&p);
    }
    end_proxied (&p);
}

static void SOCKS_a_silent_proxy_is_left_after_the_connect_timeout (void **state)
{
    (void) state;
    struct proxied p;
    OURS_IS_BETTER ("it waits for ever");
    through_proxy (&p, ZMQ_PUSH);
    set_int (p.s, ZMQ_CONNECT_TIMEOUT, 100);
    const int64_t start = now_ms ();
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "0501");
    expect_hex (p.fd, "00");
    expect_given_up (&p);
    assert_true (now_ms () - start >= 98);
    /* One that stops in the middle, too. */
    expect_hex (p.fd, "00");
    send_hex (p.fd, "0500");
    expect_hex (p.fd, "050100010a0102031e61");
    send_hex (p.fd, "050000");
    expect_given_up (&p);
    end_proxied (&p);
}

static void SOCKS_without_one_after_the_handshake_interval (void **state)
{
    (void) state;
    struct proxied p;
    OURS_IS_BETTER ("it waits for ever");
    through_proxy (&p, ZMQ_PUSH);
    set_int (p.s, ZMQ_HANDSHAKE_IVL, 100);
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "0501");
    expect_hex (p.fd, "00");
    expect_given_up (&p);
    end_proxied (&p);
}

static void SOCKS_a_silent_proxy_does_not_hold_up_the_end (void **state)
{
    (void) state;
    struct proxied p;
    OURS_IS_BETTER ("it aborts: its poller meets a descriptor that is closed");
    through_proxy (&p, ZMQ_PUSH);
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "050100");
    send_hex (p.fd, "0500");
    end_proxied (&p);
}

static void SOCKS_a_host_that_no_request_holds_is_EINVAL (void **state)
{
    (void) state;
    char target[400];
    OURS_IS_BETTER ("it takes the name, and sends what is none");
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    set_text (s, ZMQ_SOCKS_PROXY, "127.0.0.1:1");
    memset (target, 'x', sizeof target);
    memcpy (target, "tcp://", 6);
    strcpy (target + 6 + 255, ":1");
    OK (zmq_connect (s, target));
    strcpy (target + 6 + 255, "x:1");
    FAILS (zmq_connect (s, target), EINVAL);
    close_now (s);
    end_ctx (ctx);
}

static void SOCKS_a_proxy_that_can_not_be_found_is_retried (void **state)
{
    (void) state;
    static const char *const proxies[] = {"no-such-host.invalid:1080", "nonsense", "127.0.0.1:0"};
    OURS_IS_BETTER ("it says DELAYED and never tries again");
    for (size_t i = 0; i < sizeof proxies / sizeof *proxies; ++i) {
        struct monitor m;
        void *ctx = new_ctx ();
        void *s = new_socket (ctx, ZMQ_PUSH);
        set_text (s, ZMQ_SOCKS_PROXY, proxies[i]);
        set_int (s, ZMQ_RECONNECT_IVL, 10);
        monitor_start (&m, ctx, s, ZMQ_EVENT_ALL);
        OK (zmq_connect (s, "tcp://10.1.2.3:7777"));
        monitor_expect (&m, ZMQ_EVENT_CONNECT_RETRIED);
        monitor_close (&m, s);
        end_ctx (ctx);
    }
}

static void SOCKS_an_empty_proxy_is_none (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    reserve_port (&port);
    listen_at (&port);
    set_text (s, ZMQ_SOCKS_PROXY, "127.0.0.1:1");
    OK (zmq_setsockopt (s, ZMQ_SOCKS_PROXY, NULL, 0));
    OK (zmq_connect (s, port.endpoint));
    const int fd = accept_one (&port);
    handshake (fd, "PULL");
    close (fd);
    close_now (s);
    end_ctx (ctx);
    release_port (&port);
}

static void SOCKS_a_STREAM_socket_has_bare_bytes_behind_the_proxy (void **state)
{
    (void) state;
    struct proxied p;
    char id[256];
    through_proxy (&p, ZMQ_STREAM);
    connect_through (&p, "tcp://10.1.2.3:7777");
    expect_hex (p.fd, "050100");
    send_hex (p.fd, "0500");
    expect_hex (p.fd, "050100010a0102031e61");
    send_hex (p.fd, CONNECTED);
    send_hex (p.fd, "6869");
    wait_events (p.s, ZMQ_POLLIN);
    int size = zmq_recv (p.s, id, sizeof id, 0);
    assert_true (size > 0);
    expect_text (p.s, ""); /* the connection */
    wait_events (p.s, ZMQ_POLLIN);
    size = zmq_recv (p.s, id, sizeof id, 0);
    expect_text (p.s, "hi");
    assert_int_equal (zmq_send (p.s, id, (size_t) size, ZMQ_SNDMORE), size);
    send_text (p.s, "yo", 0);
    expect_hex (p.fd, "796f");
    end_proxied (&p);
}

/* ---- real proxies */

static pid_t start_program (int port, const char *const *arguments)
{
    const pid_t pid = fork ();
    assert_true (pid >= 0);
    if (pid == 0) {
        prctl (PR_SET_PDEATHSIG, SIGKILL); /* not longer than a test that fails */
        execvp (arguments[0], (char *const *) arguments);
        _exit (127);
    }
    for (;;) { /* until it listens, or has gone */
        int status;
        if (waitpid (pid, &status, WNOHANG) == pid) {
            printf ("[  SKIPPED ] no proxy: %s is not installed, or may not run here\n", arguments[0]);
            return -1;
        }
        const struct sockaddr_in a = local_address (port);
        const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool listens = connect (fd, (const struct sockaddr *) &a, sizeof a) == 0;
        close (fd);
        if (listens)
            return pid;
        pause_ms (5);
    }
}

static pid_t start_microsocks (int port, const char *user, const char *password)
{
    char number[16];
    snprintf (number, sizeof number, "%d", port);
    const char *const arguments[] = {"microsocks", "-i", "127.0.0.1", "-p", number, user ? "-u" : NULL, user, "-P",
                                     password, NULL};
    return start_program (port, arguments);
}

/* Its accounts are those of the system, so none is used. */
static pid_t start_dante (int port, const char *user, const char *password)
{
    char path[] = "/tmp/tern-dante-XXXXXX";
    assert_null (user);
    assert_null (password);
    const int fd = mkstemp (path);
    assert_true (fd >= 0);
    FILE *f = fdopen (fd, "w");
    fprintf (f,
             "logoutput: /dev/null\n"
             "internal: 127.0.0.1 port = %d\n"
             "external: lo\n"
             "socksmethod: none\n"
             "clientmethod: none\n"
             "user.unprivileged: nobody\n"
             "client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n"
             "socks pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }\n",
             port);
    fclose (f);
    const char *const arguments[] = {"danted", "-f", path, NULL};
    const pid_t pid = start_program (port, arguments);
    unlink (path);
    return pid;
}

typedef pid_t start_proxy (int port, const char *user, const char *password);

static void through (start_proxy *start, const char *host, const char *user, const char *password)
{
    struct port port;
    char endpoint[256], target[64], proxy[64];
    reserve_port (&port);
    release_port (&port); /* it does not share the port */
    const pid_t pid = start (port.number, user, password);
    if (pid < 0)
        skip ();
    void *ctx = new_ctx ();
    void *rep = new_socket (ctx, ZMQ_REP), *req = new_socket (ctx, ZMQ_REQ);
    bind_any (rep, "tcp://127.0.0.1:*", endpoint);
    snprintf (target, sizeof target, "tcp://%s:%d", host, port_of (endpoint));
    snprintf (proxy, sizeof proxy, "127.0.0.1:%d", port.number);
    set_text (req, ZMQ_SOCKS_PROXY, proxy);
    if (user) {
        set_text (req, ZMQ_SOCKS_USERNAME, user);
        set_text (req, ZMQ_SOCKS_PASSWORD, password);
    }
    OK (zmq_connect (req, target));
    send_text (req, "asked", 0);
    expect_text (rep, "asked");
    send_text (rep, "answered", 0);
    expect_text (req, "answered");
    /* Nothing of it is small enough to fit into one read. */
    const size_t size = 3 << 20;
    char *large = malloc (size);
    memset (large, 'l', size);
    assert_int_equal (zmq_send (req, large, size, 0), (int) size);
    wait_events (rep, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (rep, large, size, 0), (int) size);
    free (large);
    close_now (req);
    close_now (rep);
    end_ctx (ctx);
    kill (pid, SIGTERM);
    waitpid (pid, NULL, 0);
}

static void SOCKS_through_microsocks (void **state)
{
    (void) state;
    through (start_microsocks, "127.0.0.1", NULL, NULL);
}

static void SOCKS_through_microsocks_by_name (void **state)
{
    (void) state;
    through (start_microsocks, "localhost", NULL, NULL);
}

static void SOCKS_through_microsocks_with_an_account (void **state)
{
    (void) state;
    through (start_microsocks, "127.0.0.1", "joe", "secret");
}

static void SOCKS_through_dante (void **state)
{
    (void) state;
    through (start_dante, "127.0.0.1", NULL, NULL);
}

static void SOCKS_through_dante_by_name (void **state)
{
    (void) state;
    through (start_dante, "localhost", NULL, NULL);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (SOCKS_a_number_is_sent_as_a_number),
        TEST (SOCKS_a_name_is_left_to_the_proxy),
        TEST (SOCKS_a_source_address_of_the_target_is_not_sent),
        TEST (SOCKS_an_account_is_offered_and_given),
        TEST (SOCKS_a_refused_account_is_retried),
        TEST (SOCKS_the_reply_may_come_in_pieces_and_with_the_greeting),
        TEST (SOCKS_the_events_of_a_proxied_connection),
        TEST (SOCKS_a_refused_target_is_retried),
        TEST (SOCKS_nonsense_of_a_proxy_is_retried),
        TEST (SOCKS_a_silent_proxy_is_left_after_the_connect_timeout),
        TEST (SOCKS_without_one_after_the_handshake_interval),
        TEST (SOCKS_a_silent_proxy_does_not_hold_up_the_end),
        TEST (SOCKS_a_host_that_no_request_holds_is_EINVAL),
        TEST (SOCKS_a_proxy_that_can_not_be_found_is_retried),
        TEST (SOCKS_an_empty_proxy_is_none),
        TEST (SOCKS_a_STREAM_socket_has_bare_bytes_behind_the_proxy),
        TEST (SOCKS_through_microsocks),
        TEST (SOCKS_through_microsocks_by_name),
        TEST (SOCKS_through_microsocks_with_an_account),
        TEST (SOCKS_through_dante),
        TEST (SOCKS_through_dante_by_name),
    };
    return cmocka_run_group_tests_name ("socks", tests, NULL, NULL);
}
