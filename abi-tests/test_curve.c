/* CURVE: statements CUR-1..7 and the CURVE rows of sections 1 to 3 and 7 of security-behaviour.md, MON-16..18 of
 * lifecycle.md, and that everything that works in clear works in boxes. */
#include "security_support.h"

static int need_curve (void **state)
{
    if (!zmq_has ("curve")) {
        printf ("[  LATER   ] no CURVE in this build\n");
        exit (0);
    }
    return watchdog_on (state);
}
#define CURVE_TEST(name) cmocka_unit_test_setup_teardown (name, need_curve, watchdog_off)

static struct keys server_keys, client_keys, other_keys;

static int make_all_keys (void **state)
{
    (void) state;
    if (zmq_has ("curve")) {
        make_keys (&server_keys);
        make_keys (&client_keys);
        make_keys (&other_keys);
    }
    return 0;
}

static void secure (struct world *w)
{
    be_curve_server (w->b, &server_keys);
    be_curve_client (w->c, &client_keys, server_keys.public_text);
}

/* ---- 1. Who gets in ---- */

static void CUR_1_3_the_right_server_key_is_enough_without_a_handler (void **state)
{
    (void) state;
    static const char *const transports[] = {"tcp", "ipc"};
    for (int i = 0; i < 2; ++i) {
        struct world w;
        open_world (&w, ZMQ_PULL, ZMQ_PUSH);
        secure (&w);
        meet (&w, transports[i]);
        expect_connected (&w);
        send_text (w.c, "hello", 0);
        expect_message_property (w.b, "User-Id", NULL);
        close_world (&w);
    }
}

static void expect_cryptographic_refusal (struct world *w)
{
    meet (w, "tcp");
    expect_end (w, &w->b_events, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
    expect_refused_and_retried (w);
    expect_no_message (w->b);
    close_world (w);
}

static void CUR_1_MON_18_a_wrong_server_key (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    be_curve_server (w.b, &server_keys);
    be_curve_client (w.c, &client_keys, other_keys.public_text);
    expect_cryptographic_refusal (&w);
}

static void CUR_1_no_server_key_at_all (void **state)
{
    (void) state;
    struct world w;
    static const unsigned char zeros[32];
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    be_curve_server (w.b, &server_keys);
    be_curve_client (w.c, &client_keys, server_keys.public_text);
    OK (zmq_setsockopt (w.c, ZMQ_CURVE_SERVERKEY, zeros, sizeof zeros));
    set_int (w.b, ZMQ_HANDSHAKE_IVL, 500);
    set_int (w.c, ZMQ_HANDSHAKE_IVL, 500);
    meet (&w, "tcp");
    /* It would give a secret that everybody knows: neither library says HELLO with it. */
    assert_int_not_equal (handshake_end (&w, &w.b_events).id, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    assert_int_not_equal (handshake_end (&w, &w.c_events).id, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    close_world (&w);
}

static void CUR_1_an_own_pair_that_does_not_match (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    be_curve_server (w.b, &server_keys);
    be_curve_client (w.c, &client_keys, server_keys.public_text);
    set_text (w.c, ZMQ_CURVE_SECRETKEY, other_keys.secret_text);
    expect_cryptographic_refusal (&w);
}

static void CUR_1_a_server_with_another_secret (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    be_curve_server (w.b, &other_keys);
    be_curve_client (w.c, &client_keys, server_keys.public_text);
    expect_cryptographic_refusal (&w);
}

static void CUR_keys_in_all_three_forms (void **state)
{
    (void) state;
    unsigned char server_public[32], server_secret[32];
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    assert_non_null (zmq_z85_decode (server_public, server_keys.public_text));
    assert_non_null (zmq_z85_decode (server_secret, server_keys.secret_text));
    set_int (w.b, ZMQ_CURVE_SERVER, 1);
    OK (zmq_setsockopt (w.b, ZMQ_CURVE_SECRETKEY, server_secret, 32));
    OK (zmq_setsockopt (w.c, ZMQ_CURVE_SERVERKEY, server_public, 32));
    OK (zmq_setsockopt (w.c, ZMQ_CURVE_PUBLICKEY, client_keys.public_text, 40));
    OK (zmq_setsockopt (w.c, ZMQ_CURVE_SECRETKEY, client_keys.secret_text, 41));
    meet (&w, "tcp");
    expect_connected (&w);
    close_world (&w);
}

static void MEC_3_the_CURVE_server_may_connect (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_DEALER, ZMQ_DEALER);
    secure (&w);
    bind_any (w.c, "tcp://127.0.0.1:*", w.endpoint);
    OK (zmq_connect (w.b, w.endpoint));
    expect_connected (&w);
    send_text (w.b, "and back", 0);
    expect_text (w.c, "and back");
    close_world (&w);
}

static void MEC_4_MON_16_two_CURVE_clients_refuse_each_other (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    be_curve_client (w.b, &other_keys, server_keys.public_text);
    be_curve_client (w.c, &client_keys, server_keys.public_text);
    meet (&w, "tcp");
    const struct event at_b = handshake_end (&w, &w.b_events), at_c = handshake_end (&w, &w.c_events);
    assert_true (at_b.id == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL || at_c.id == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
    const struct event e = at_b.id == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ? at_b : at_c;
    assert_int_equal (e.value, ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND);
    close_world (&w);
}

static void MEC_4_MON_17_two_CURVE_servers_wait_for_the_timer (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    be_curve_server (w.b, &server_keys);
    be_curve_server (w.c, &other_keys);
    set_int (w.c, ZMQ_HANDSHAKE_IVL, 300);
    meet (&w, "tcp");
    assert_int_equal (handshake_end (&w, &w.c_events).id, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
    close_world (&w);
}

static void MEC_5_CURVE_does_not_talk_to_anything_else (void **state)
{
    (void) state;
    for (int kind = 0; kind < 3; ++kind) {
        struct world w;
        open_world (&w, ZMQ_PULL, ZMQ_PUSH);
        be_curve_server (w.b, &server_keys);
        if (kind == 1)
            be_plain_client (w.c, "admin", "secret");
        if (kind == 2) { /* the other way round */
            set_int (w.b, ZMQ_CURVE_SERVER, 0);
            be_curve_client (w.c, &client_keys, server_keys.public_text);
        }
        meet (&w, "tcp");
        const struct event at_b = handshake_end (&w, &w.b_events), at_c = handshake_end (&w, &w.c_events);
        const struct event e = at_b.id == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ? at_b : at_c;
        assert_int_equal (e.id, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL);
        assert_int_equal (e.value, ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH);
        expect_no_message (w.b);
        close_world (&w);
    }
}

/* ---- 2. ZAP ---- */

static void ZAP_a_CURVE_request (void **state)
{
    (void) state;
    static const char *const domains[] = {NULL, "d"};
    for (int enforce = 0; enforce < 2; ++enforce)
        for (int i = enforce; i < 2; ++i) {
            struct world w;
            struct request r;
            open_world (&w, ZMQ_PULL, ZMQ_PUSH);
            open_handler (&w, ZMQ_REP);
            secure (&w);
            set_int (w.b, ZMQ_ZAP_ENFORCE_DOMAIN, enforce);
            if (domains[i])
                set_text (w.b, ZMQ_ZAP_DOMAIN, domains[i]);
            set_text (w.b, ZMQ_ROUTING_ID, "SRV");
            set_text (w.c, ZMQ_ZAP_DOMAIN, "clients do not ask");
            meet (&w, i == 0 ? "ipc" : "tcp");
            read_request (&w, &r);
            assert_int_equal (r.frames, CREDENTIALS_AT + 1);
            EXPECT_FRAME (&r, VERSION_AT, "1.0");
            EXPECT_FRAME (&r, ID_AT, "1");
            EXPECT_FRAME (&r, DOMAIN_AT, domains[i] ? domains[i] : "");
            if (i == 1)
                EXPECT_FRAME (&r, ADDRESS_AT, "127.0.0.1");
            EXPECT_FRAME (&r, ROUTING_ID_AT, "SRV");
            EXPECT_FRAME (&r, MECHANISM_AT, "CURVE");
            assert_int_equal (r.size[CREDENTIALS_AT], 32);
            assert_memory_equal (r.body[CREDENTIALS_AT], client_keys.public_key, 32);
            answer (&w, &r, "200", "joe", "\3Foo\0\0\0\3bar", 11);
            expect_connected (&w);
            send_text (w.c, "hello", 0);
            expect_message_property (w.b, "User-Id", "joe");
            send_text (w.c, "hello", 0);
            expect_message_property (w.b, "Foo", "bar");
            send_text (w.c, "hello", 0);
            expect_message_property (w.b, "Socket-Type", "PUSH");
            close_world (&w);
        }
}

static void ZAP_CURVE_with_enforcement_and_no_domain_asks_nobody (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    open_handler (&w, ZMQ_REP);
    secure (&w);
    set_int (w.b, ZMQ_ZAP_ENFORCE_DOMAIN, 1);
    meet (&w, "tcp");
    expect_connected (&w);
    expect_no_request (&w);
    close_world (&w);
}

static void ZAP_4_CURVE_with_an_enforced_domain_needs_a_handler (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    secure (&w);
    set_int (w.b, ZMQ_ZAP_ENFORCE_DOMAIN, 1);
    set_text (w.b, ZMQ_ZAP_DOMAIN, "test");
    set_int (w.c, ZMQ_HANDSHAKE_IVL, 500); /* a monitor can make the reference forget to close (quirks Q-42) */
    meet (&w, "tcp");
    expect_end (&w, &w.b_events, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, EFAULT);
    expect_refused_and_retried (&w);
    expect_no_message (w.b);
    close_world (&w);
}

static void ZAP_CURVE_with_a_domain_and_no_handler_lets_everybody_in (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    secure (&w);
    set_text (w.b, ZMQ_ZAP_DOMAIN, "test");
    meet (&w, "tcp");
    expect_connected (&w);
    close_world (&w);
}

static void refuse_with (const char *status)
{
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    open_handler (&w, ZMQ_REP);
    secure (&w);
    set_int (w.b, ZMQ_HANDSHAKE_IVL, 1000); /* 4.3.4 may wait for it after 300 (ST-1) */
    meet (&w, "tcp");
    judge (&w, status);
    expect_end (&w, &w.b_events, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, atoi (status));
    if (strcmp (status, "300") == 0)
        expect_refused_and_retried (&w);
    else
        expect_refused_for_good (&w, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, atoi (status));
    expect_no_message (w.b);
    close_world (&w);
}

static void CUR_2_ST_1_3_an_unknown_client_key_is_refused_by_the_handler (void **state)
{
    (void) state;
    refuse_with ("400");
    refuse_with ("500");
    refuse_with ("300");
}

static void ST_MON_21_a_malformed_reply_to_a_CURVE_request (void **state)
{
    (void) state;
    struct world w;
    struct request r;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    open_handler (&w, ZMQ_REP);
    secure (&w);
    meet (&w, "tcp");
    read_request (&w, &r);
    answer (&w, &r, "junk", "", "", 0);
    expect_end (&w, &w.b_events, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE);
    expect_refused_and_retried (&w);
    close_world (&w);
}

/* ---- 3. Raw clients (CUR-6) ---- */

static int raw_curve_client (struct world *w)
{
    unsigned char mine[GREETING_SIZE], theirs[GREETING_SIZE];
    open_world (w, ZMQ_PULL, ZMQ_PUSH);
    be_curve_server (w->b, &server_keys);
    bind_any (w->b, "tcp://127.0.0.1:*", w->endpoint);
    const int fd = connect_raw (w->endpoint);
    make_greeting (mine, 1, "CURVE");
    send_raw (fd, mine, sizeof mine);
    expect_bytes (fd, theirs, sizeof theirs);
    assert_memory_equal (theirs + 12, mine + 12, 20);
    return fd;
}

static void CUR_6_MEC_6_malformed_first_commands (void **state)
{
    (void) state;
    static const struct
    {
        const char *name;
        size_t size;
        int version, code;
    } rows[] = {
        {"\5HELLO", 199, 1, ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO},
        {"\5HELLO", 201, 1, ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO},
        {"\5HELLO", 6, 1, ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO},
        {"\5HELLO", 200, 2, ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO},
        {"\5HELLO", 200, 1, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC},
        {"\5HULLO", 200, 1, ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND},
        {"\7MESSAGE", 200, 1, ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND},
        {"\5", 1, 0, ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        struct world w;
        unsigned char body[255] = {0};
        const int fd = raw_curve_client (&w);
        memcpy (body, rows[i].name, strlen (rows[i].name));
        if (rows[i].size > 6)
            body[6] = (unsigned char) rows[i].version;
        memset (body + 80, 7, sizeof body - 80);
        send_frame (fd, FLAG_COMMAND, body, rows[i].size);
        expect_end (&w, &w.b_events, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, rows[i].code);
        expect_closed (fd);
        close (fd);
        close_world (&w);
    }
}

static void CUR_no_clear_message_gets_through (void **state)
{
    (void) state;
    struct world w;
    const int fd = raw_curve_client (&w);
    send_frame_text (fd, 0, "smuggled");
    expect_closed (fd);
    expect_no_message (w.b);
    close (fd);
    close_world (&w);
}

/* ---- 4. Somebody in the middle (CUR-4, CUR-5) ---- */

/* Passes frames between C (accepted) and B (connected), one at a time, so that the test may look and meddle. */
struct middle
{
    struct port port;
    int to_c, to_b;
};

static void pass_greetings (struct middle *m)
{
    unsigned char from_c[GREETING_SIZE], from_b[GREETING_SIZE];
    /* Both send the rest only when they have seen the beginning of the other. */
    static const size_t ends[] = {0, 10, 11, GREETING_SIZE};
    for (int i = 0; i + 1 < 4; ++i) {
        const size_t size = ends[i + 1] - ends[i];
        expect_bytes (m->to_c, from_c + ends[i], size);
        expect_bytes (m->to_b, from_b + ends[i], size);
        send_raw (m->to_b, from_c + ends[i], size);
        send_raw (m->to_c, from_b + ends[i], size);
    }
}

static bool write_frame (int fd, const struct frame *f)
{
    unsigned char out[9 + 1024] = {(unsigned char) f->flags};
    size_t n = 1;
    assert_true (f->size <= 1024);
    if (f->flags & FLAG_LARGE)
        for (int i = 8; i-- > 0;)
            out[n++] = (unsigned char) (f->size >> (8 * i));
    else
        out[n++] = (unsigned char) f->size;
    memcpy (out + n, f->body, (size_t) f->size);
    return write_raw (fd, out, n + (size_t) f->size);
}

static void put_frame (int fd, const struct frame *f)
{
    assert_true (write_frame (fd, f));
}

static void pass_frame (int from, int to, struct frame *f)
{
    expect_frame (from, f);
    put_frame (to, f);
}

/* Up to the end of the greetings. */
static void greet_in_the_middle (struct world *w, struct middle *m, int b_type, int c_type)
{
    open_world (w, b_type, c_type);
    secure (w);
    bind_any (w->b, "tcp://127.0.0.1:*", w->endpoint);
    reserve_port (&m->port);
    listen_at (&m->port);
    OK (zmq_connect (w->c, m->port.endpoint));
    m->to_c = accept_one (&m->port);
    m->to_b = connect_raw (w->endpoint);
    pass_greetings (m);
}

static void open_middle (struct world *w, struct middle *m, int b_type, int c_type)
{
    struct frame f;
    greet_in_the_middle (w, m, b_type, c_type);
    pass_frame (m->to_c, m->to_b, &f); /* HELLO */
    pass_frame (m->to_b, m->to_c, &f); /* WELCOME */
    pass_frame (m->to_c, m->to_b, &f); /* INITIATE */
    pass_frame (m->to_b, m->to_c, &f); /* READY */
    expect_end (w, &w->b_events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0);
    expect_end (w, &w->c_events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0);
}

static void close_middle (struct world *w, struct middle *m)
{
    close (m->to_c);
    close (m->to_b);
    release_port (&m->port);
    close_world (w);
}

static bool is_message (const struct frame *f)
{
    return f->size >= 33 && memcmp (f->body, "\7MESSAGE", 8) == 0;
}

/* What is done to the handshake command of that number: HELLO 0, WELCOME 1, INITIATE 2, READY 3. */
enum meddling { ALTER, CUT, LENGTHEN, REPEAT, REPLAY, RENAME };

static const struct
{
    const char *what;
    int command;
    enum meddling how;
    int at; /* ALTER: which byte; CUT, LENGTHEN: by how much */
    int code;
    const char *ours; /* why libzmq is left out */
} meddlings[] = {
    {"HELLO: the version", 0, ALTER, 6, 0x10000013, NULL},
    {"HELLO: the key", 0, ALTER, 80, 0x11000001, NULL},
    {"HELLO: the nonce", 0, ALTER, 119, 0x11000001, NULL},
    {"HELLO: the box", 0, ALTER, 199, 0x11000001, NULL},
    {"HELLO: repeated", 0, REPEAT, 0, 0x10000001, NULL},
    {"WELCOME: the nonce", 1, ALTER, 8, 0x11000001, NULL},
    {"WELCOME: the box", 1, ALTER, 167, 0x11000001, NULL},
    {"WELCOME: cut", 1, CUT, 1, 0x11000001, NULL},
    {"WELCOME: repeated", 1, REPEAT, 0, 0x10000001, "it answers with a second INITIATE (security.md 4.6)"},
    {"INITIATE: the cookie", 2, ALTER, 9, 0x11000001, NULL},
    {"INITIATE: the end of the cookie", 2, ALTER, 104, 0x11000001, NULL},
    {"INITIATE: the cookie of another connection", 2, REPLAY, 0, 0x11000001, NULL},
    {"INITIATE: the nonce", 2, ALTER, 112, 0x11000001, NULL},
    {"INITIATE: the box", 2, ALTER, 120, 0x11000001, NULL},
    {"INITIATE: cut", 2, CUT, 1, 0x11000001, NULL},
    {"INITIATE: longer", 2, LENGTHEN, 1, 0x11000001, NULL},
    {"INITIATE: shorter than any", 2, CUT, 60, 0x10000014, NULL},
    {"INITIATE: HELLO again", 2, RENAME, 0, 0x10000001, NULL},
    {"READY: the nonce", 3, ALTER, 13, 0x11000001, NULL},
    {"READY: the box", 3, ALTER, 20, 0x11000001, NULL},
    {"READY: cut", 3, CUT, 1, 0x11000001, NULL},
    {"READY: shorter than any", 3, CUT, 30, 0x10000016, NULL},
    {"READY: an unknown command", 3, RENAME, 0, 0x10000001, NULL},
};

static void cut_to (struct frame *f, uint64_t size)
{
    f->size = size;
    f->flags = size > 255 ? FLAG_COMMAND | FLAG_LARGE : FLAG_COMMAND;
}

/* The INITIATE of another connection, whose server has the same keys. */
static void take_another_INITIATE (struct frame *f)
{
    struct world w;
    struct middle m;
    greet_in_the_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
    pass_frame (m.to_c, m.to_b, f);
    pass_frame (m.to_b, m.to_c, f);
    expect_frame (m.to_c, f);
    close_middle (&w, &m);
}

static void CUR_6_security_4_5_4_6_meddling_with_the_handshake (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof meddlings / sizeof *meddlings; ++i) {
        if (meddlings[i].ours && !on_tern ())
            continue;
        struct world w;
        struct middle m;
        struct frame f, other;
        if (meddlings[i].how == REPLAY)
            take_another_INITIATE (&other);
        greet_in_the_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
        for (int command = 0; command < meddlings[i].command; ++command)
            pass_frame (command % 2 ? m.to_b : m.to_c, command % 2 ? m.to_c : m.to_b, &f);
        const bool by_server = meddlings[i].command % 2 == 1;
        const int to = by_server ? m.to_c : m.to_b;
        expect_frame (by_server ? m.to_b : m.to_c, &f);
        switch (meddlings[i].how) {
        case ALTER:
            f.body[meddlings[i].at] ^= 1;
            break;
        case CUT:
            cut_to (&f, f.size - (uint64_t) meddlings[i].at);
            break;
        case LENGTHEN:
            f.body[f.size] = 0;
            cut_to (&f, f.size + (uint64_t) meddlings[i].at);
            break;
        case REPEAT:
            put_frame (to, &f);
            break;
        case REPLAY:
            f = other;
            break;
        case RENAME:
            memcpy (f.body, by_server ? "\5REDAY" : "\5HELLO", 6);
            break;
        }
        (void) write_frame (to, &f); /* what is repeated may meet the end of the connection */
        struct monitor *events = by_server ? &w.c_events : &w.b_events;
        const struct event e = handshake_end (&w, events);
        if (e.id != ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL || (int) e.value != meddlings[i].code)
            fail_msg ("%s: expected code %x as the last of:%s", meddlings[i].what, (unsigned) meddlings[i].code, events->seen);
        if (on_tern ())
            expect_closed (to);
        expect_no_message (w.b);
        close_middle (&w, &m);
    }
}

static void CUR_5_what_is_on_the_wire (void **state)
{
    (void) state;
    struct world w;
    struct middle m;
    struct frame f;
    char text[301];
    open_middle (&w, &m, ZMQ_DEALER, ZMQ_DEALER);
    memset (text, 'x', 300);
    text[300] = 0;
    send_text (w.c, "part", ZMQ_SNDMORE);
    send_text (w.c, text, 0);
    expect_frame (m.to_c, &f);
    assert_true (is_message (&f));
    assert_int_equal (f.flags, 0); /* MORE is inside */
    assert_int_equal (f.size, 33 + 4);
    assert_null (memmem (f.body, (size_t) f.size, "part", 4));
    put_frame (m.to_b, &f);
    expect_frame (m.to_c, &f);
    assert_true (is_message (&f));
    assert_int_equal (f.flags, FLAG_LARGE);
    assert_int_equal (f.size, 33 + 300);
    assert_null (memmem (f.body, (size_t) f.size, "xxxx", 4));
    put_frame (m.to_b, &f);
    expect_text (w.b, "part");
    assert_int_equal (get_int (w.b, ZMQ_RCVMORE), 1);
    expect_text (w.b, text);
    assert_int_equal (get_int (w.b, ZMQ_RCVMORE), 0);
    close_middle (&w, &m);
}

static void CUR_5_subscriptions_travel_in_boxes (void **state)
{
    (void) state;
    struct world w;
    struct middle m;
    struct frame f;
    open_middle (&w, &m, ZMQ_XPUB, ZMQ_SUB);
    set_text (w.c, ZMQ_SUBSCRIBE, "topic");
    pass_frame (m.to_c, m.to_b, &f);
    assert_true (is_message (&f));
    assert_int_equal (f.flags, 0);
    assert_int_equal (f.size, 33 + 10 + 5); /* 09 SUBSCRIBE topic */
    assert_null (memmem (f.body, (size_t) f.size, "topic", 5));
    expect_text (w.b, "\1topic");
    close_middle (&w, &m);
}

static void CUR_5_heartbeats_travel_in_boxes (void **state)
{
    (void) state;
    struct world w;
    struct middle m;
    struct frame f;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    close_world (&w);
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    secure (&w);
    set_int (w.c, ZMQ_HEARTBEAT_IVL, 50);
    set_int (w.c, ZMQ_HEARTBEAT_TIMEOUT, 5000);
    bind_any (w.b, "tcp://127.0.0.1:*", w.endpoint);
    reserve_port (&m.port);
    listen_at (&m.port);
    OK (zmq_connect (w.c, m.port.endpoint));
    m.to_c = accept_one (&m.port);
    m.to_b = connect_raw (w.endpoint);
    pass_greetings (&m);
    pass_frame (m.to_c, m.to_b, &f);
    pass_frame (m.to_b, m.to_c, &f);
    pass_frame (m.to_c, m.to_b, &f);
    pass_frame (m.to_b, m.to_c, &f);
    for (int i = 0; i < 3; ++i) {
        pass_frame (m.to_c, m.to_b, &f);
        assert_true (is_message (&f));
        assert_int_equal (f.flags, 0);
        assert_int_equal (f.size, 33 + 7); /* 04 PING ttl */
        pass_frame (m.to_b, m.to_c, &f);
        assert_true (is_message (&f));
        assert_int_equal (f.size, 33 + 5); /* 04 PONG */
    }
    close_middle (&w, &m);
}

static void expect_meddling_found (struct world *w, struct middle *m, int code)
{
    expect_end (w, &w->b_events, ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, code);
    if (on_tern ()) /* a monitor makes the reference forget to close (quirks Q-42) */
        expect_closed (m->to_b);
    expect_no_message (w->b);
    close_middle (w, m);
}

static void CUR_4_an_altered_message (void **state)
{
    (void) state;
    static const int at[] = {8, 16, 32, 33, 37}; /* nonce, authenticator, flags, body */
    for (size_t i = 0; i < sizeof at / sizeof *at; ++i) {
        struct world w;
        struct middle m;
        struct frame f;
        open_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
        send_text (w.c, "hello", 0);
        expect_frame (m.to_c, &f);
        f.body[at[i]] ^= 1;
        put_frame (m.to_b, &f);
        expect_meddling_found (&w, &m, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
    }
}

static void CUR_4_a_repeated_message (void **state)
{
    (void) state;
    struct world w;
    struct middle m;
    struct frame f;
    open_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
    send_text (w.c, "once", 0);
    pass_frame (m.to_c, m.to_b, &f);
    expect_text (w.b, "once");
    put_frame (m.to_b, &f);
    expect_meddling_found (&w, &m, ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE);
}

static void CUR_4_messages_in_another_order (void **state)
{
    (void) state;
    struct world w;
    struct middle m;
    struct frame first, second;
    open_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
    send_text (w.c, "1", 0);
    expect_frame (m.to_c, &first);
    send_text (w.c, "2", 0);
    expect_frame (m.to_c, &second);
    put_frame (m.to_b, &second);
    expect_text (w.b, "2"); /* a gap is allowed */
    put_frame (m.to_b, &first);
    expect_meddling_found (&w, &m, ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE);
}

static void CUR_4_a_clear_or_short_message_after_the_handshake (void **state)
{
    (void) state;
    static const struct
    {
        const char *body;
        size_t size;
        int code;
    } rows[] = {
        {"in clear", 8, ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED}, /* 'i' points beyond the end */
        {"\4PING\0\0", 7, ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND},
        {"\7MESSAGE12345678901234567890123", 31, ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_MESSAGE},
        {"", 0, ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        struct world w;
        struct middle m;
        open_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
        send_frame (m.to_b, 0, rows[i].body, rows[i].size);
        expect_meddling_found (&w, &m, rows[i].code);
    }
}

static void CUR_4_what_came_before_the_forgery_is_received (void **state)
{
    (void) state;
    struct world w;
    struct middle m;
    struct frame f;
    open_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
    send_text (w.c, "good", 0);
    pass_frame (m.to_c, m.to_b, &f);
    send_text (w.c, "bad", 0);
    expect_frame (m.to_c, &f);
    f.body[34] ^= 1;
    put_frame (m.to_b, &f);
    expect_text (w.b, "good");
    expect_meddling_found (&w, &m, ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC);
}

/* The outer flags mean nothing (quirks Q-06): a COMMAND or MORE bit there changes no message. */
static void CUR_5_outer_flags_are_ignored (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference merges them into the message");
    struct world w;
    struct middle m;
    struct frame f;
    open_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
    for (int flags = 0; flags < 8; ++flags) {
        if (flags & FLAG_LARGE)
            continue;
        send_text (w.c, "hello", 0);
        expect_frame (m.to_c, &f);
        f.flags = flags;
        put_frame (m.to_b, &f);
        expect_text (w.b, "hello");
        assert_int_equal (get_int (w.b, ZMQ_RCVMORE), 0);
    }
    close_middle (&w, &m);
}

/* ---- 5. Traffic ---- */

static const size_t sizes[] = {0, 1, 7, 8, 40, 41, 222, 223, 255, 256, 2014, 2015, 2016, 8159, 8160, 8192, 65536, 1000000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static unsigned char *body_of (size_t size, int salt)
{
    unsigned char *body = malloc (size + 1);
    for (size_t i = 0; i < size; ++i)
        body[i] = (unsigned char) (i * 31 + (i >> 8) + (size_t) salt + 128);
    if (size > 0)
        body[0] |= 0x80; /* no subscription */
    return body;
}

static void send_size (void *s, size_t size, int salt, int flags)
{
    unsigned char *body = body_of (size, salt);
    if (zmq_send (s, body, size, flags) != (int) size)
        fail_msg ("send of %zu bytes: %s", size, zmq_strerror (zmq_errno ()));
    free (body);
}

static void expect_size (void *s, size_t size, int salt, int more)
{
    zmq_msg_t message;
    wait_events (s, ZMQ_POLLIN);
    OK (zmq_msg_init (&message));
    OK (zmq_msg_recv (&message, s, ZMQ_DONTWAIT));
    if (zmq_msg_size (&message) != size)
        fail_msg ("%zu bytes came, expected %zu", zmq_msg_size (&message), size);
    unsigned char *body = body_of (size, salt);
    if (memcmp (zmq_msg_data (&message), body, size) != 0)
        fail_msg ("damaged message of %zu bytes", size);
    free (body);
    assert_int_equal (zmq_msg_more (&message), more);
    OK (zmq_msg_close (&message));
}

/* All sizes as messages of their own, then all as one message. */
static void send_all_sizes (void *s, const char *envelope)
{
    for (int i = 0; i <= SIZES; ++i) {
        if (envelope)
            OK (zmq_send (s, envelope, strlen (envelope), ZMQ_SNDMORE));
        if (i < SIZES)
            send_size (s, sizes[i], i, 0);
        else
            for (int k = 0; k < SIZES; ++k)
                send_size (s, sizes[k], k + 100, k + 1 < SIZES ? ZMQ_SNDMORE : 0);
    }
}

static void expect_all_sizes (void *s, const char *envelope)
{
    for (int i = 0; i <= SIZES; ++i) {
        if (envelope)
            expect_text (s, envelope);
        if (i < SIZES)
            expect_size (s, sizes[i], i, 0);
        else
            for (int k = 0; k < SIZES; ++k)
                expect_size (s, sizes[k], k + 100, k + 1 < SIZES);
    }
}

static void every_pair (const char *transport)
{
    static const struct
    {
        int b, c;
        int c_sends, b_sends;
    } rows[] = {
        {ZMQ_PULL, ZMQ_PUSH, 1, 0},     {ZMQ_PUSH, ZMQ_PULL, 0, 1}, {ZMQ_PAIR, ZMQ_PAIR, 1, 1},
        {ZMQ_DEALER, ZMQ_DEALER, 1, 1}, {ZMQ_SUB, ZMQ_PUB, 1, 0},   {ZMQ_PUB, ZMQ_SUB, 0, 1},
        {ZMQ_XPUB, ZMQ_SUB, 0, 1},      {ZMQ_XSUB, ZMQ_XPUB, 1, 0}, {ZMQ_PUB, ZMQ_XSUB, 0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; ++i) {
        struct world w;
        open_world (&w, rows[i].b, rows[i].c);
        secure (&w);
        if (rows[i].b == ZMQ_SUB)
            OK (zmq_setsockopt (w.b, ZMQ_SUBSCRIBE, "", 0));
        if (rows[i].c == ZMQ_SUB)
            OK (zmq_setsockopt (w.c, ZMQ_SUBSCRIBE, "", 0));
        if (rows[i].b == ZMQ_XSUB)
            send_text (w.b, "\1", 0);
        meet (&w, transport);
        expect_end (&w, &w.b_events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0);
        expect_end (&w, &w.c_events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0);
        if (rows[i].c == ZMQ_XSUB)
            send_text (w.c, "\1", 0);
        /* A publisher knows its subscriber when a first message gets through. */
        void *const publisher = rows[i].b == ZMQ_PUB || rows[i].b == ZMQ_XPUB   ? w.b
                                : rows[i].c == ZMQ_PUB || rows[i].c == ZMQ_XPUB ? w.c
                                                                                : NULL;
        if (publisher) {
            void *const subscriber = publisher == w.b ? w.c : w.b;
            const int64_t end = now_ms () + DEADLINE_MS;
            int told = 0;
            while (!told && now_ms () < end) {
                send_text (publisher, "?", 0);
                zmq_pollitem_t item = {subscriber, 0, ZMQ_POLLIN, 0};
                told = zmq_poll (&item, 1, 10);
            }
            send_text (publisher, "!", 0);
            char byte = 0;
            while (byte != '!') {
                wait_events (subscriber, ZMQ_POLLIN);
                assert_int_equal (zmq_recv (subscriber, &byte, 1, 0), 1);
            }
        }
        if (rows[i].c_sends) {
            send_all_sizes (w.c, NULL);
            expect_all_sizes (w.b, NULL);
        }
        if (rows[i].b_sends) {
            send_all_sizes (w.b, NULL);
            expect_all_sizes (w.c, NULL);
        }
        close_world (&w);
    }
}

static void every_pair_and_size_over_tcp (void **state)
{
    (void) state;
    every_pair ("tcp");
}

static void every_pair_and_size_over_ipc (void **state)
{
    (void) state;
    every_pair ("ipc");
}

static void request_and_reply_in_all_sizes (void **state)
{
    (void) state;
    static const int rows[][2] = {{ZMQ_REP, ZMQ_REQ}, {ZMQ_ROUTER, ZMQ_REQ}, {ZMQ_REP, ZMQ_DEALER}, {ZMQ_ROUTER, ZMQ_DEALER}};
    for (int i = 0; i < 4; ++i) {
        struct world w;
        open_world (&w, rows[i][0], rows[i][1]);
        secure (&w);
        set_text (w.c, ZMQ_ROUTING_ID, "client");
        meet (&w, "tcp");
        for (int k = 0; k < SIZES; ++k) {
            if (rows[i][0] == ZMQ_REP && rows[i][1] == ZMQ_DEALER)
                OK (zmq_send (w.c, "", 0, ZMQ_SNDMORE));
            send_size (w.c, sizes[k], k, 0);
            if (rows[i][0] == ZMQ_ROUTER) {
                expect_text (w.b, "client");
                if (rows[i][1] == ZMQ_REQ)
                    expect_text (w.b, "");
            }
            expect_size (w.b, sizes[k], k, 0);
            if (rows[i][0] == ZMQ_ROUTER) {
                send_text (w.b, "client", ZMQ_SNDMORE);
                if (rows[i][1] == ZMQ_REQ)
                    send_text (w.b, "", ZMQ_SNDMORE);
            }
            send_size (w.b, sizes[k], k + 50, 0);
            if (rows[i][0] == ZMQ_REP && rows[i][1] == ZMQ_DEALER)
                expect_text (w.c, "");
            expect_size (w.c, sizes[k], k + 50, 0);
        }
        close_world (&w);
    }
}

static void CUR_7_an_identity_of_255_bytes (void **state)
{
    (void) state;
    char identity[256];
    struct world w;
    memset (identity, 'i', 255);
    identity[255] = 0;
    open_world (&w, ZMQ_ROUTER, ZMQ_DEALER);
    secure (&w);
    set_text (w.c, ZMQ_ROUTING_ID, identity);
    meet (&w, "tcp");
    send_text (w.c, "hello", 0);
    expect_text (w.b, identity);
    expect_text (w.b, "hello");
    send_text (w.b, identity, ZMQ_SNDMORE);
    send_text (w.b, "back", 0);
    expect_text (w.c, "back");
    close_world (&w);
}

static void a_stream_of_small_messages (void **state)
{
    (void) state;
    enum { COUNT = 50000 };
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    secure (&w);
    set_int (w.c, ZMQ_SNDHWM, 0);
    set_int (w.b, ZMQ_RCVHWM, 0);
    meet (&w, "tcp");
    for (int32_t i = 0; i < COUNT; ++i)
        OK (zmq_send (w.c, &i, sizeof i, 0));
    for (int32_t i = 0; i < COUNT; ++i) {
        int32_t got = -1;
        if (zmq_recv (w.b, &got, sizeof got, 0) != 4 || got != i)
            fail_msg ("message %d expected, %d came", (int) i, (int) got);
    }
    close_world (&w);
}

static void free_buffer (void *data, void *hint)
{
    free (data);
    atomic_fetch_add ((atomic_int *) hint, 1);
}

static void bodies_with_a_free_function (void **state)
{
    (void) state;
    static atomic_int freed;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    secure (&w);
    meet (&w, "tcp");
    for (int i = 0; i < SIZES; ++i) {
        zmq_msg_t message;
        OK (zmq_msg_init_data (&message, body_of (sizes[i], i), sizes[i], free_buffer, &freed));
        OK (zmq_msg_send (&message, w.c, 0));
        OK (zmq_msg_close (&message));
        expect_size (w.b, sizes[i], i, 0);
    }
    EVENTUALLY (atomic_load (&freed) == SIZES);
    close_world (&w);
}

/* A message that is sent to several peers is sealed for each, and stays as it was. */
static void one_message_to_many_peers (void **state)
{
    (void) state;
    enum { SUBSCRIBERS = 4 };
    struct world w;
    void *sub[SUBSCRIBERS];
    open_world (&w, ZMQ_XPUB, ZMQ_SUB);
    be_curve_server (w.b, &server_keys);
    set_int (w.b, ZMQ_XPUB_VERBOSE, 1);
    bind_any (w.b, "tcp://127.0.0.1:*", w.endpoint);
    for (int i = 0; i < SUBSCRIBERS; ++i) {
        sub[i] = new_socket (w.c_ctx, ZMQ_SUB);
        be_curve_client (sub[i], &client_keys, server_keys.public_text);
        OK (zmq_setsockopt (sub[i], ZMQ_SUBSCRIBE, "", 0));
        OK (zmq_connect (sub[i], w.endpoint));
        expect_text (w.b, "\1");
    }
    send_all_sizes (w.b, NULL);
    for (int i = 0; i < SUBSCRIBERS; ++i) {
        expect_all_sizes (sub[i], NULL);
        close_now (sub[i]);
    }
    close_world (&w);
}

static void subscriptions_filter (void **state)
{
    (void) state;
    char topic[251];
    struct world w;
    memset (topic, 't', 250);
    topic[250] = 0;
    open_world (&w, ZMQ_XPUB, ZMQ_SUB);
    secure (&w);
    set_text (w.c, ZMQ_SUBSCRIBE, "A");
    meet (&w, "tcp");
    expect_text (w.b, "\1A");
    send_text (w.b, "B no", 0);
    send_text (w.b, "A yes", 0);
    expect_text (w.c, "A yes");
    set_text (w.c, ZMQ_SUBSCRIBE, "B");
    expect_text (w.b, "\1B");
    set_text (w.c, ZMQ_UNSUBSCRIBE, "A");
    wait_events (w.b, ZMQ_POLLIN);
    char notice[4];
    assert_int_equal (zmq_recv (w.b, notice, sizeof notice, 0), 2);
    assert_memory_equal (notice, "\0A", 2);
    send_text (w.b, "A no more", 0);
    send_text (w.b, "B yes", 0);
    expect_text (w.c, "B yes");
    close_world (&w);
}

/* ---- 6. Life ---- */

static void reconnects_with_new_keys_for_the_connection (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_DEALER, ZMQ_DEALER);
    secure (&w);
    meet (&w, "tcp");
    expect_connected (&w);
    for (int i = 0; i < 3; ++i) {
        OK (zmq_unbind (w.b, w.endpoint));
        await_event (&w, &w.c_events, ZMQ_EVENT_DISCONNECTED);
        send_text (w.c, "waits for the next connection", 0);
        bind_soon (w.b, w.endpoint);
        expect_text (w.b, "waits for the next connection");
        send_text (w.b, "back", 0);
        expect_text (w.c, "back");
    }
    close_world (&w);
}

/* What a broken connection did not carry is sealed anew for the next one; nothing of it arrives twice or damaged. */
static void messages_of_a_broken_connection_go_out_again (void **state)
{
    (void) state;
    enum { COUNT = 400 };
    struct world w;
    struct middle m;
    open_middle (&w, &m, ZMQ_PULL, ZMQ_PUSH);
    /* Nobody reads C's bytes: they fill the kernel's buffers and the batches. */
    for (int i = 0; i < COUNT; ++i) {
        send_text (w.c, "head", ZMQ_SNDMORE);
        send_size (w.c, 20000, i, 0);
    }
    reset_raw (m.to_c);
    await_event (&w, &w.c_events, ZMQ_EVENT_DISCONNECTED);
    m.to_c = accept_one (&m.port);
    close (m.to_b);
    m.to_b = connect_raw (w.endpoint);
    struct frame f;
    pass_greetings (&m);
    pass_frame (m.to_c, m.to_b, &f);
    pass_frame (m.to_b, m.to_c, &f);
    pass_frame (m.to_c, m.to_b, &f);
    pass_frame (m.to_b, m.to_c, &f);
    int last = -1;
    for (;;) { /* pass on what comes until the last message is there */
        static unsigned char bytes[65536];
        struct pollfd item = {m.to_c, POLLIN, 0};
        if (poll (&item, 1, 1) == 1) {
            const ssize_t n = recv (m.to_c, bytes, sizeof bytes, 0);
            assert_true (n > 0);
            send_raw (m.to_b, bytes, (size_t) n);
        }
        char head[8];
        if (zmq_recv (w.b, head, sizeof head, ZMQ_DONTWAIT) != 4) {
            assert_int_equal (zmq_errno (), EAGAIN);
            continue;
        }
        assert_memory_equal (head, "head", 4);
        zmq_msg_t message;
        OK (zmq_msg_init (&message));
        assert_int_equal (zmq_msg_recv (&message, w.b, ZMQ_DONTWAIT), 20000);
        int number = last + 1;
        for (; number < COUNT; ++number) {
            unsigned char *body = body_of (20000, number);
            const bool same = memcmp (zmq_msg_data (&message), body, 20000) == 0;
            free (body);
            if (same)
                break;
        }
        OK (zmq_msg_close (&message));
        assert_true (number < COUNT); /* whole, and none twice or out of order */
        if (last < 0)
            assert_true (number < COUNT - 1);
        else
            assert_int_equal (number, last + 1);
        last = number;
        if (last == COUNT - 1)
            break;
    }
    close_middle (&w, &m);
}

static void a_silent_peer_is_found_by_heartbeats (void **state)
{
    (void) state;
    struct world w;
    struct middle m;
    struct frame f;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    secure (&w);
    set_int (w.c, ZMQ_HEARTBEAT_IVL, 50);
    set_int (w.c, ZMQ_HEARTBEAT_TIMEOUT, 300);
    bind_any (w.b, "tcp://127.0.0.1:*", w.endpoint);
    reserve_port (&m.port);
    listen_at (&m.port);
    OK (zmq_connect (w.c, m.port.endpoint));
    m.to_c = accept_one (&m.port);
    m.to_b = connect_raw (w.endpoint);
    pass_greetings (&m);
    pass_frame (m.to_c, m.to_b, &f);
    pass_frame (m.to_b, m.to_c, &f);
    pass_frame (m.to_c, m.to_b, &f);
    pass_frame (m.to_b, m.to_c, &f);
    expect_end (&w, &w.c_events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0);
    await_event (&w, &w.c_events, ZMQ_EVENT_DISCONNECTED); /* nothing is passed on */
    close_middle (&w, &m);
}

static void heartbeats_keep_a_connection (void **state)
{
    (void) state;
    struct world w;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    secure (&w);
    set_int (w.c, ZMQ_HEARTBEAT_IVL, 50);
    set_int (w.b, ZMQ_HEARTBEAT_IVL, 70);
    set_int (w.c, ZMQ_HEARTBEAT_TTL, 1000);
    meet (&w, "tcp");
    expect_connected (&w);
    monitor_quiet (&w.c_events, 500);
    send_text (w.c, "still here", 0);
    expect_text (w.b, "still here");
    close_world (&w);
}

static void MAXMSGSIZE_is_about_the_sealed_size (void **state)
{
    (void) state;
    struct world w;
    const int64_t most = 1000;
    open_world (&w, ZMQ_PULL, ZMQ_PUSH);
    secure (&w);
    OK (zmq_setsockopt (w.b, ZMQ_MAXMSGSIZE, &most, sizeof most));
    meet (&w, "tcp");
    send_size (w.c, 1000 - 33, 1, 0);
    expect_size (w.b, 1000 - 33, 1, 0);
    send_size (w.c, 1000 - 32, 2, 0);
    await_event (&w, &w.b_events, ZMQ_EVENT_DISCONNECTED);
    expect_no_message (w.b);
    close_world (&w);
}

static void lingering_messages_are_sent_sealed (void **state)
{
    (void) state;
    enum { COUNT = 500 };
    void *b_ctx = new_ctx (), *c_ctx = new_ctx ();
    void *b = new_socket (b_ctx, ZMQ_PULL), *c = new_socket (c_ctx, ZMQ_PUSH);
    char endpoint[256];
    be_curve_server (b, &server_keys);
    be_curve_client (c, &client_keys, server_keys.public_text);
    bind_any (b, "ipc://*", endpoint);
    OK (zmq_connect (c, endpoint));
    for (int i = 0; i < COUNT; ++i)
        send_size (c, 3000, i, 0);
    set_int (c, ZMQ_LINGER, -1);
    OK (zmq_close (c));
    for (int i = 0; i < COUNT; ++i)
        expect_size (b, 3000, i, 0);
    end_ctx (c_ctx);
    close_now (b);
    end_ctx (b_ctx);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        CURVE_TEST (CUR_1_3_the_right_server_key_is_enough_without_a_handler),
        CURVE_TEST (CUR_1_MON_18_a_wrong_server_key),
        CURVE_TEST (CUR_1_no_server_key_at_all),
        CURVE_TEST (CUR_1_an_own_pair_that_does_not_match),
        CURVE_TEST (CUR_1_a_server_with_another_secret),
        CURVE_TEST (CUR_keys_in_all_three_forms),
        CURVE_TEST (MEC_3_the_CURVE_server_may_connect),
        CURVE_TEST (MEC_4_MON_16_two_CURVE_clients_refuse_each_other),
        CURVE_TEST (MEC_4_MON_17_two_CURVE_servers_wait_for_the_timer),
        CURVE_TEST (MEC_5_CURVE_does_not_talk_to_anything_else),
        CURVE_TEST (ZAP_a_CURVE_request),
        CURVE_TEST (ZAP_CURVE_with_enforcement_and_no_domain_asks_nobody),
        CURVE_TEST (ZAP_4_CURVE_with_an_enforced_domain_needs_a_handler),
        CURVE_TEST (ZAP_CURVE_with_a_domain_and_no_handler_lets_everybody_in),
        CURVE_TEST (CUR_2_ST_1_3_an_unknown_client_key_is_refused_by_the_handler),
        CURVE_TEST (ST_MON_21_a_malformed_reply_to_a_CURVE_request),
        CURVE_TEST (CUR_6_MEC_6_malformed_first_commands),
        CURVE_TEST (CUR_no_clear_message_gets_through),
        CURVE_TEST (CUR_6_security_4_5_4_6_meddling_with_the_handshake),
        CURVE_TEST (CUR_5_what_is_on_the_wire),
        CURVE_TEST (CUR_5_subscriptions_travel_in_boxes),
        CURVE_TEST (CUR_5_heartbeats_travel_in_boxes),
        CURVE_TEST (CUR_4_an_altered_message),
        CURVE_TEST (CUR_4_a_repeated_message),
        CURVE_TEST (CUR_4_messages_in_another_order),
        CURVE_TEST (CUR_4_a_clear_or_short_message_after_the_handshake),
        CURVE_TEST (CUR_4_what_came_before_the_forgery_is_received),
        CURVE_TEST (CUR_5_outer_flags_are_ignored),
        CURVE_TEST (every_pair_and_size_over_tcp),
        CURVE_TEST (every_pair_and_size_over_ipc),
        CURVE_TEST (request_and_reply_in_all_sizes),
        CURVE_TEST (CUR_7_an_identity_of_255_bytes),
        CURVE_TEST (a_stream_of_small_messages),
        CURVE_TEST (bodies_with_a_free_function),
        CURVE_TEST (one_message_to_many_peers),
        CURVE_TEST (subscriptions_filter),
        CURVE_TEST (reconnects_with_new_keys_for_the_connection),
        CURVE_TEST (messages_of_a_broken_connection_go_out_again),
        CURVE_TEST (a_silent_peer_is_found_by_heartbeats),
        CURVE_TEST (heartbeats_keep_a_connection),
        CURVE_TEST (MAXMSGSIZE_is_about_the_sealed_size),
        CURVE_TEST (lingering_messages_are_sent_sealed),
    };
    return cmocka_run_group_tests (tests, make_all_keys, NULL);
}
