/* Hostile peers of sockets that ask who is there: what malformed handshakes are answered on either side (security.md
 * sections 3 and 4.6), that no older or weaker protocol gets in (quirks section 3), that nothing is left behind, and
 * that other peers go on. NULL's rows are in test_wire.c, those of CURVE's boxes in test_curve.c. */
#include "security_support.h"
#include "process_support.h"

#include <signal.h>
#include <sys/wait.h>

static struct keys server_keys, client_keys;

static int make_all_keys (void **state)
{
    (void) state;
    if (zmq_has ("curve")) {
        make_keys (&server_keys);
        make_keys (&client_keys);
    }
    return 0;
}

static bool has (const char *mechanism)
{
    return strcmp (mechanism, "CURVE") != 0 || zmq_has ("curve");
}

/* ---- Both roles of each mechanism ---- */

static void be_server (void *s, const char *mechanism)
{
    if (strcmp (mechanism, "CURVE") == 0)
        be_curve_server (s, &server_keys);
    else if (strcmp (mechanism, "PLAIN") == 0)
        be_plain_server (s);
    else
        set_text (s, ZMQ_ZAP_DOMAIN, "test");
}

static void be_client (void *s, const char *mechanism)
{
    if (strcmp (mechanism, "CURVE") == 0)
        be_curve_client (s, &client_keys, server_keys.public_text);
    else if (strcmp (mechanism, "PLAIN") == 0)
        be_plain_client (s, "admin", "secret");
}

static void greet (int fd, const char *mechanism)
{
    unsigned char mine[GREETING_SIZE], theirs[GREETING_SIZE];
    make_greeting (mine, 1, mechanism);
    send_raw (fd, mine, sizeof mine);
    expect_bytes (fd, theirs, sizeof theirs);
}

/* ---- Malformed answers to a client ---- */

struct answer
{
    const char *what;
    const char *mechanism;
    bool after_welcome; /* PLAIN: WELCOME came, and INITIATE went, before */
    const char *body;
    size_t size;
    size_t padded_to; /* with 0x07, when larger */
    int event;        /* 0: none before the end */
    int value;
    const char *ours; /* why libzmq is left out */
};

#define BODY(text) text, sizeof (text) - 1
#define FAILED ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
#define REFUSED ZMQ_EVENT_HANDSHAKE_FAILED_AUTH
#define READY_PULL "\5READY\13Socket-Type\0\0\0\4PULL"

static const struct answer answers[] = {
    {"WELCOME with a byte too much", "PLAIN", false, BODY ("\7WELCOMEx"), 0, FAILED, 0x10000017, NULL},
    {"READY before WELCOME", "PLAIN", false, BODY (READY_PULL), 0, FAILED, 0x10000001, NULL},
    {"lower-case WELCOME", "PLAIN", false, BODY ("\7welcome"), 0, FAILED, 0x10000001, NULL},
    {"an empty command", "PLAIN", false, "", 0, 0, FAILED, 0x10000001, NULL},
    {"HELLO of another client", "PLAIN", false, BODY ("\5HELLO\1a\1b"), 0, FAILED, 0x10000001, NULL},
    {"MESSAGE", "PLAIN", false, BODY ("\7MESSAGE"), 0, FAILED, 0x10000001, NULL},
    {"ERROR 300", "PLAIN", false, BODY ("^RROR\003" "300"), 0, REFUSED, 300, NULL},
    {"ERROR 400", "PLAIN", false, BODY ("^RROR\003" "400"), 0, REFUSED, 400, NULL},
    {"ERROR 500 and more", "PLAIN", false, BODY ("^RROR\003" "500junk"), 0, REFUSED, 500, NULL},
    {"ERROR with its right name (Q-01)", "PLAIN", false, BODY ("\5ERROR\003" "400"), 0, REFUSED, 400,
     "it only knows its own spelling (quirks Q-01)"},
    {"ERROR with a cut reason", "PLAIN", false, BODY ("^RROR\377abc"), 0, FAILED, 0x10000015, NULL},
    {"ERROR without a reason", "PLAIN", false, BODY ("^RROR"), 0, FAILED, 0x10000015, NULL},
    {"ERROR of another text", "PLAIN", false, BODY ("^RROR\007go away"), 0, 0, 0, NULL},
    {"a second WELCOME", "PLAIN", true, BODY ("\7WELCOME"), 0, FAILED, 0x10000001, NULL},
    {"READY with a cut property", "PLAIN", true, BODY ("\5READY\13Socket-Type\0\0\0\5PULL"), 0, FAILED, 0x10000018, NULL},
    {"READY with a trailing byte", "PLAIN", true, BODY (READY_PULL "x"), 0, FAILED, 0x10000018, NULL},
    {"READY of a type that does not fit", "PLAIN", true, BODY ("\5READY\13Socket-Type\0\0\0\3PUB"), 0, FAILED,
     0x10000018, NULL},
    {"INITIATE of another client", "PLAIN", true, BODY ("\10INITIATE"), 0, FAILED, 0x10000001, NULL},
    {"ERROR 400 late", "PLAIN", true, BODY ("^RROR\003" "400"), 0, REFUSED, 400, NULL},
    {"a short WELCOME", "CURVE", false, BODY ("\7WELCOME"), 100, FAILED, 0x11000001, NULL},
    {"a long WELCOME", "CURVE", false, BODY ("\7WELCOME"), 169, FAILED, 0x11000001, NULL},
    {"a WELCOME of noise", "CURVE", false, BODY ("\7WELCOME"), 168, FAILED, 0x11000001, NULL},
    {"a HELLO", "CURVE", false, BODY ("\5HELLO"), 200, FAILED, 0x10000001, NULL},
    {"an unknown command", "CURVE", false, BODY ("\3FOO"), 0, FAILED, 0x10000001, NULL},
    {"a MESSAGE", "CURVE", false, BODY ("\7MESSAGE"), 40, FAILED, 0x10000001, NULL},
    {"ERROR without a reason", "CURVE", false, BODY ("\5ERROR"), 0, FAILED, 0x10000015, NULL},
    {"ERROR with a cut reason", "CURVE", false, BODY ("\5ERROR\377abc"), 0, FAILED, 0x10000015, NULL},
    {"ERROR 400", "CURVE", false, BODY ("\5ERROR\003" "400"), 0, REFUSED, 400, NULL},
    {"ERROR of another text", "CURVE", false, BODY ("\5ERROR\007go away"), 0, 0, 0, NULL},
};

static void SECURITY_3_4_6_malformed_answers_end_a_clients_attempts (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; ++i) {
        const struct answer *a = &answers[i];
        if (!has (a->mechanism) || (a->ours && !on_tern ()))
            continue;
        struct port port;
        struct monitor m;
        struct event e;
        struct frame f;
        unsigned char body[255];
        void *ctx = new_ctx ();
        void *s = new_socket (ctx, ZMQ_PUSH);
        be_client (s, a->mechanism);
        set_int (s, ZMQ_RECONNECT_IVL, 5);
        monitor_start (&m, ctx, s, HANDSHAKE_ENDS | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED);
        reserve_port (&port);
        listen_at (&port);
        OK (zmq_connect (s, port.endpoint));
        const int fd = accept_one (&port);
        greet (fd, a->mechanism);
        expect_frame (fd, &f);
        assert_true (is_command (&f, "HELLO"));
        if (a->after_welcome) {
            send_frame_text (fd, FLAG_COMMAND, "\7WELCOME");
            expect_frame (fd, &f);
            assert_true (is_command (&f, "INITIATE"));
        }
        memset (body, 7, sizeof body);
        memcpy (body, a->body, a->size);
        send_frame (fd, FLAG_COMMAND, body, a->padded_to > a->size ? a->padded_to : a->size);
        if (!monitor_next (&m, &e, DEADLINE_MS))
            fail_msg ("%s, %s: nothing is told", a->mechanism, a->what);
        if (a->event && (e.id != a->event || (int) e.value != a->value))
            fail_msg ("%s, %s: %s(%#x), expected %s(%#x)", a->mechanism, a->what, event_name (e.id), e.value,
                      event_name (a->event), (unsigned) a->value);
        if (!a->event && e.id != ZMQ_EVENT_DISCONNECTED)
            fail_msg ("%s, %s: %s(%#x)", a->mechanism, a->what, event_name (e.id), e.value);
        if (on_tern ()) { /* a monitor makes the reference forget to close, or not to retry (quirks Q-42) */
            expect_closed (fd);
            if (accept_within (&port, 50) != -1)
                fail_msg ("%s, %s: connected again", a->mechanism, a->what);
        }
        close (fd);
        release_port (&port);
        monitor_close (&m, s);
        end_ctx (ctx);
    }
}

/* ---- What a PLAIN server gets behind a HELLO that was let in ---- */

static void SECURITY_3_malformed_commands_after_WELCOME (void **state)
{
    (void) state;
    static const struct
    {
        const char *what, *body;
        size_t size;
        int code; /* 0: nothing is told but the end */
        const char *ours;
    } rows[] = {
        {"a second HELLO", BODY ("\5HELLO\5admin\6secret"), 0x10000001, NULL},
        {"READY", BODY (READY_PULL), 0x10000001, NULL},
        {"lower-case INITIATE", BODY ("\10initiate"), 0x10000001, NULL},
        {"a message", BODY ("smuggled"), 0x10000001, NULL},
        {"INITIATE with a cut property", BODY ("\10INITIATE\13Socket-Type\0\0\0\5PUSH"), 0,
         "a monitor makes it forget to close (quirks Q-42)"},
        {"INITIATE of a type that does not fit", BODY ("\10INITIATE\13Socket-Type\0\0\0\3SUB"), 0,
         "a monitor makes it forget to close (quirks Q-42)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        if (rows[i].ours && !on_tern ())
            continue;
        struct world w;
        open_world (&w, ZMQ_PULL, ZMQ_PUSH);
        open_handler (&w, ZMQ_REP);
        be_plain_server (w.b);
        bind_any (w.b, "tcp://127.0.0.1:*", w.endpoint);
        const int fd = connect_raw (w.endpoint);
        greet (fd, "PLAIN");
        send_frame (fd, FLAG_COMMAND, BODY ("\5HELLO\5admin\6secret"));
        judge (&w, "200");
        expect_frame_text (fd, FLAG_COMMAND, "\7WELCOME");
        send_frame (fd, FLAG_COMMAND, rows[i].body, rows[i].size);
        const struct event e = await_event (&w, &w.b_events, HANDSHAKE_ENDS | ZMQ_EVENT_DISCONNECTED);
        if (rows[i].code ? e.id != FAILED || (int) e.value != rows[i].code : e.id != ZMQ_EVENT_DISCONNECTED)
            fail_msg ("%s: %s(%#x)", rows[i].what, event_name (e.id), e.value);
        if (on_tern ())
            expect_closed (fd);
        expect_no_message (w.b);
        close (fd);
        close_world (&w);
    }
}

/* ---- No older or weaker protocol gets in ---- */

#define LATER_GREETING(name, zeros) "ff00000000000000017f 0301" name zeros "00" \
    "00000000000000000000000000000000000000000000000000000000000000"
#define NULL_READY "041a 05 5245414459 0b 536f636b65742d54797065 00000004 50555348"

static const struct
{
    const char *what, *hex;
    const char *not_to; /* whose own protocol this is */
} intruders[] = {
    {"an unversioned peer", "0100 0900 736d7567676c6564", NULL},
    {"an unversioned peer with a long identity", "ff0000000000000005 00 61626364 0900 736d7567676c6564", NULL},
    {"revision 0", "ff00000000000000017f 00 08 0100 0900 736d7567676c6564", NULL},
    {"revision 1", "ff00000000000000017f 01 08 0000 0008 736d7567676c6564", NULL},
    {"revision 2 with the mechanism NULL",
     "ff00000000000000017f 0200 4e554c4c 00000000000000000000000000000000 00"
     "00000000000000000000000000000000000000000000000000000000000000" NULL_READY "0008 736d7567676c6564", "NULL"},
    {"NULL", LATER_GREETING ("4e554c4c", "00000000000000000000000000000000") NULL_READY "0008 736d7567676c6564", "NULL"},
    {"no mechanism", LATER_GREETING ("00000000", "00000000000000000000000000000000") NULL_READY "0008 736d7567676c6564",
     NULL},
    {"a longer name", LATER_GREETING ("435552564558", "0000000000000000000000000000") NULL_READY "0008 736d7567676c6564",
     NULL},
    {"a message before the handshake", "own 0008 736d7567676c6564", NULL},
    {"READY before the handshake", "own" NULL_READY "0008 736d7567676c6564", "NULL"},
    {"an empty command", "own 0400 0008 736d7567676c6564", NULL},
    {"a HELLO cut short", "own 0406 05 48454c4c4f 0008 736d7567676c6564", NULL},
    {"a frame of 2^63 bytes", "own 02 8000000000000000 736d7567676c6564", NULL},
    {"only a greeting", "own", NULL},
    {"nothing", "", NULL},
};
enum { INTRUDERS = sizeof intruders / sizeof *intruders };

/* One of them, to its end or to ours. */
static void intrude (const char *endpoint, const char *mechanism, int which)
{
    unsigned char bytes[512];
    const char *hex = intruders[which].hex;
    size_t size = 0;
    if (intruders[which].not_to && strcmp (intruders[which].not_to, mechanism) == 0)
        return;
    const int fd = connect_raw (endpoint);
    if (strncmp (hex, "own", 3) == 0) {
        make_greeting (bytes, 1, mechanism);
        size = GREETING_SIZE;
        hex += 3;
    }
    size += from_hex (hex, bytes + size, sizeof bytes - size);
    (void) write_raw (fd, bytes, size);
    shutdown (fd, SHUT_WR);
    /* A monitor makes the reference forget to close some of them (quirks Q-42). */
    if (on_tern () && !closed_within (fd, DEADLINE_MS))
        fail_msg ("%s: %s: the connection stays open", mechanism, intruders[which].what);
    close (fd);
}

/* Good and bad peers in turns: the good one is heard all the time, nothing of the others is, and in the second half
 * neither memory nor descriptors grow. */
static void intrude_upon (const char *mechanism)
{
    enum { ROUNDS = 30, GROWTH_MAX = 2 << 20 };
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    open_handler (&w, ZMQ_REP);
    be_server (w.b, mechanism);
    be_client (w.c, mechanism);
    meet (&w, "tcp");
    judge (&w, "200");
    expect_connected (&w);
    long before = 0;
    int open_before = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        if (round == ROUNDS / 2) {
            before = own_resident_bytes ();
            open_before = own_descriptors ();
        }
        for (int i = 0; i < INTRUDERS; ++i)
            intrude (w.endpoint, mechanism, i);
        send_text (w.c, "still here", 0);
        expect_text (w.b, "still here");
        expect_no_message (w.b);
    }
    EVENTUALLY (own_descriptors () <= open_before + 2);
    const long after = own_resident_bytes ();
    if (memory_tells () && after > before + GROWTH_MAX)
        fail_msg ("%s: %ld bytes more in the second half", mechanism, after - before);
    expect_no_message (w.b);
    close_world (&w);
}

static void MEC_6_CVE_2014_7202_9721_nobody_intrudes_upon_NULL_with_a_domain (void **state)
{
    (void) state;
    /* The handler answers nobody but the first. So whoever speaks NULL waits, and is no intruder. */
    intrude_upon ("NULL");
}

static void MEC_6_CVE_2014_7202_9721_nobody_intrudes_upon_PLAIN (void **state)
{
    (void) state;
    intrude_upon ("PLAIN");
}

static void MEC_6_CVE_2014_7202_9721_nobody_intrudes_upon_CURVE (void **state)
{
    (void) state;
    if (!has ("CURVE"))
        LATER ("no CURVE in this build");
    intrude_upon ("CURVE");
}

/* The same for a socket that connects: whoever it reaches can not talk it into anything else. */
static void MEC_6_a_connecting_socket_is_talked_into_nothing (void **state)
{
    (void) state;
    static const char *const mechanisms[] = {"PLAIN", "CURVE"};
    for (int m = 0; m < 2; ++m)
        for (int i = 0; has (mechanisms[m]) && i < INTRUDERS; ++i) {
            unsigned char bytes[512];
            const char *hex = intruders[i].hex;
            if (!*hex || strcmp (hex, "own") == 0)
                continue; /* it waits */
            struct port port;
            void *ctx = new_ctx ();
            void *s = new_socket (ctx, ZMQ_PULL);
            be_client (s, mechanisms[m]);
            reserve_port (&port);
            listen_at (&port);
            OK (zmq_connect (s, port.endpoint));
            const int fd = accept_one (&port);
            size_t size = 0;
            if (strncmp (hex, "own", 3) == 0) {
                make_greeting (bytes, 1, mechanisms[m]);
                size = GREETING_SIZE;
                hex += 3;
            }
            size += from_hex (hex, bytes + size, sizeof bytes - size);
            (void) write_raw (fd, bytes, size);
            if (!closed_within (fd, DEADLINE_MS))
                fail_msg ("%s: %s: the connection stays open", mechanisms[m], intruders[i].what);
            expect_no_message (s);
            close (fd);
            release_port (&port);
            close_now (s);
            end_ctx (ctx);
        }
}

/* ---- Who has not finished the handshake is no peer ---- */

static void CVE_2020_15166_silent_peers_take_no_messages (void **state)
{
    (void) state;
    static const char *const mechanisms[] = {"NULL", "PLAIN", "CURVE"};
    enum { SILENT = 20, MESSAGES = 50 };
    for (int m = 0; m < 3; ++m) {
        if (!has (mechanisms[m]))
            continue;
        int fds[SILENT];
        struct world w;
        open_world (&w, ZMQ_PUSH, ZMQ_PULL);
        open_handler (&w, ZMQ_REP);
        be_server (w.b, mechanisms[m]);
        be_client (w.c, mechanisms[m]);
        bind_any (w.b, "tcp://127.0.0.1:*", w.endpoint);
        for (int i = 0; i < SILENT; ++i) {
            unsigned char greeting[GREETING_SIZE];
            fds[i] = connect_raw (w.endpoint);
            make_greeting (greeting, 1, mechanisms[m]);
            if (i % 2)
                send_raw (fds[i], greeting, i % 4 == 1 ? sizeof greeting : 10);
            await_event (&w, &w.b_events, ZMQ_EVENT_ACCEPTED);
        }
        FAILS (zmq_send (w.b, "", 0, ZMQ_DONTWAIT), EAGAIN);
        OK (zmq_connect (w.c, w.endpoint));
        /* NULL asks about everybody who has greeted; the good one is the last. */
        for (int asked = 0; asked < (m == 0 ? 1 + SILENT / 4 : 1); ++asked)
            judge (&w, "200");
        await_event (&w, &w.c_events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        wait_events (w.b, ZMQ_POLLOUT);
        for (int i = 0; i < MESSAGES; ++i)
            send_text (w.b, "for the good one", 0);
        for (int i = 0; i < MESSAGES; ++i)
            expect_text (w.c, "for the good one");
        for (int i = 0; i < SILENT; ++i)
            close (fds[i]);
        close_world (&w);
    }
}

/* ---- Metadata and identities of any size ---- */

static void CVE_2019_13132_large_metadata (void **state)
{
    (void) state;
    static const char *const mechanisms[] = {"NULL", "PLAIN", "CURVE"};
    for (int m = 0; m < 3; ++m) {
        if (!has (mechanisms[m]))
            continue;
        struct world w;
        char property[1100];
        open_world (&w, ZMQ_PULL, ZMQ_PUSH);
        open_handler (&w, ZMQ_REP);
        be_server (w.b, mechanisms[m]);
        be_client (w.c, mechanisms[m]);
        for (int i = 0; i < 20; ++i) {
            const int name = snprintf (property, sizeof property, "X-%d:", i);
            memset (property + name, 'a' + i, 1000);
            property[name + 1000] = 0;
            OK (zmq_setsockopt (w.c, ZMQ_METADATA, property, (size_t) name + 1000));
        }
        meet (&w, "tcp");
        judge (&w, "200");
        expect_connected (&w);
        send_text (w.c, "hello", 0);
        memset (property, 'a' + 19, 1000);
        property[1000] = 0;
        expect_message_property (w.b, "X-19", property);
        close_world (&w);
    }
}

/* Identities like those that a ROUTER makes up: a zero and four bytes. */
static void Q_22_an_identity_that_looks_like_a_generated_one (void **state)
{
    (void) state;
    OURS_IS_BETTER ("a collision aborts the process (quirks Q-22)");
    enum { GUESSES = 40, NAMELESS = 10 };
    void *ctx = new_ctx ();
    void *router = new_socket (ctx, ZMQ_ROUTER);
    char endpoint[256];
    unsigned char first[5], id[256], ready[512];
    bind_any (router, "tcp://127.0.0.1:*", endpoint);

    /* What it calls the first peer without a name tells what it may call the next ones. */
    int nameless[NAMELESS];
    nameless[0] = connect_raw (endpoint);
    handshake (nameless[0], "DEALER");
    send_frame_text (nameless[0], 0, "hello");
    wait_events (router, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (router, first, sizeof first, 0), 5);
    assert_int_equal (first[0], 0);
    expect_text (router, "hello");

    int fds[GUESSES];
    for (int i = 0; i < GUESSES; ++i) {
        struct frame f;
        uint32_t number;
        char text[6] = {0};
        memcpy (&number, first + 1, 4);
        number = i % 2 ? htonl (ntohl (number) + (uint32_t) i) : number + (uint32_t) i;
        memcpy (text + 1, &number, 4);
        fds[i] = connect_raw (endpoint);
        handshake_until_ready (fds[i], &f);
        size_t size = make_ready (ready, "DEALER", "");
        /* make_ready has put an identity of no bytes at the end. */
        ready[size - 1] = 5;
        memcpy (ready + size, text, 5);
        send_frame (fds[i], FLAG_COMMAND, ready, size + 5);
        send_frame_text (fds[i], 0, "guess");
    }
    for (int i = 1; i < NAMELESS; ++i) {
        nameless[i] = connect_raw (endpoint);
        handshake (nameless[i], "DEALER");
        send_frame_text (nameless[i], 0, "hello");
    }
    /* Nobody is taken for another: whoever is answered by its name hears exactly that. */
    int heard = 0, guesses = 0;
    while (heard < NAMELESS - 1) {
        char text[16];
        wait_events (router, ZMQ_POLLIN);
        const int n = zmq_recv (router, id, sizeof id, 0);
        assert_int_equal (n, 5);
        const int size = zmq_recv (router, text, sizeof text, 0);
        assert_int_equal (size, 5);
        if (memcmp (text, "guess", 5) == 0) {
            ++guesses;
            continue;
        }
        ++heard;
        OK (zmq_send (router, id, 5, ZMQ_SNDMORE));
        send_text (router, "you", 0);
    }
    for (int i = 1; i < NAMELESS; ++i)
        expect_frame_text (nameless[i], 0, "you");
    assert_in_range (guesses, 1, GUESSES);
    for (int i = 0; i < GUESSES; ++i)
        close (fds[i]);
    for (int i = 0; i < NAMELESS; ++i)
        close (nameless[i]);
    close_now (router);
    end_ctx (ctx);
}

/* ---- The end ---- */

/* Empty messages cost us more than the peer. */
static void a_peer_that_never_stops_does_not_keep_a_close (void **state)
{
    (void) state;
    static const unsigned char empty_frames[64 * 1024];
    char endpoint[256];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    handshake (fd, "PUSH");
    const pid_t child = fork ();
    assert_true (child >= 0);
    if (child == 0) {
        set_watchdog (WATCHDOG_SECONDS);
        while (send (fd, empty_frames, sizeof empty_frames, MSG_NOSIGNAL) > 0) {
        }
        _exit (0);
    }
    close (fd);
    expect_text (s, "");
    set_int (s, ZMQ_LINGER, -1);
    OK (zmq_close (s));
    struct terminator t;
    start_term (&t, ctx);
    finish_term (&t);
    kill (child, SIGKILL);
    assert_int_equal (waitpid (child, NULL, 0), child);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (SECURITY_3_4_6_malformed_answers_end_a_clients_attempts),
        TEST (SECURITY_3_malformed_commands_after_WELCOME),
        TEST (MEC_6_CVE_2014_7202_9721_nobody_intrudes_upon_NULL_with_a_domain),
        TEST (MEC_6_CVE_2014_7202_9721_nobody_intrudes_upon_PLAIN),
        TEST (MEC_6_CVE_2014_7202_9721_nobody_intrudes_upon_CURVE),
        TEST (MEC_6_a_connecting_socket_is_talked_into_nothing),
        TEST (CVE_2020_15166_silent_peers_take_no_messages),
        TEST (CVE_2019_13132_large_metadata),
        TEST (Q_22_an_identity_that_looks_like_a_generated_one),
        TEST (a_peer_that_never_stops_does_not_keep_a_close),
    };
    return cmocka_run_group_tests (tests, make_all_keys, NULL);
}
