/* Peers of ZMTP 1.0 and 2.0 on plain sockets: identity frames instead of a handshake, v1 or v2 frames, no commands.
 * Sections are those of wire/zmtp.md; Q-n is of wire/quirks.md. What is malformed is in test_wire.c. */
#include "lifecycle_support.h"

static const char signature_hex[] = "ff 0000000000000001 7f";

enum version { UNVERSIONED, VERSION_1_0, VERSION_2_0, VERSIONS };

static bool has_v1_frames (enum version v)
{
    return v != VERSION_2_0;
}

/* A socket that is bound or connects, and its only peer. */
struct pair
{
    void *ctx;
    void *s;
    struct monitor m;
    struct port port; /* of a connecting socket */
    char endpoint[256];
    bool connects;
    int fd;
};

static void open_socket (struct pair *p, int type, bool connects)
{
    p->ctx = new_ctx ();
    p->s = new_socket (p->ctx, type);
    p->connects = connects;
    set_int (p->s, ZMQ_RECONNECT_IVL, 10);
}

/* The connection, with the signature read. */
static void meet (struct pair *p)
{
    monitor_start (&p->m, p->ctx, p->s, ZMQ_EVENT_ALL);
    if (p->connects) {
        reserve_port (&p->port);
        listen_at (&p->port);
        OK (zmq_connect (p->s, p->port.endpoint));
        p->fd = accept_one (&p->port);
        struct event e;
        do /* CONNECT_DELAYED may come first */
            assert_true (monitor_next (&p->m, &e, DEADLINE_MS));
        while (e.id != ZMQ_EVENT_CONNECTED);
    } else {
        bind_any (p->s, "tcp://127.0.0.1:*", p->endpoint);
        monitor_expect (&p->m, ZMQ_EVENT_LISTENING);
        p->fd = connect_raw (p->endpoint);
        monitor_expect (&p->m, ZMQ_EVENT_ACCEPTED);
    }
}

static void end_pair (struct pair *p)
{
    if (p->fd >= 0)
        close (p->fd);
    monitor_close (&p->m, p->s);
    if (p->connects)
        release_port (&p->port);
    end_ctx (p->ctx);
}

static void send_identity (int fd, enum version v, const char *identity)
{
    const unsigned char size = (unsigned char) strlen (identity);
    const unsigned char head[2] = {has_v1_frames (v) ? (unsigned char) (size + 1) : 0, has_v1_frames (v) ? 0 : size};
    send_raw (fd, head, 2);
    send_raw (fd, identity, size);
}

/* The greeting of a peer behind the signature of a socket without routing id, and its identity. */
static void greet_as (int fd, enum version v, int own_code, int code, const char *identity)
{
    expect_hex (fd, signature_hex);
    if (v != UNVERSIONED) {
        const unsigned char bytes[2] = {v == VERSION_1_0 ? 0 : 1, (unsigned char) code};
        send_hex (fd, signature_hex);
        send_raw (fd, bytes, 2);
        unsigned char answer[2];
        expect_bytes (fd, answer, 2);
        assert_int_equal (answer[0], 3); /* what we would rather speak */
        assert_int_equal (answer[1], own_code);
        expect_hex (fd, v == VERSION_1_0 ? "0100" : "0000");
    }
    send_identity (fd, v, identity);
}

static void start_pair (struct pair *p, int type, bool connects, enum version v, int code, const char *identity)
{
    open_socket (p, type, connects);
    meet (p);
    greet_as (p->fd, v, type, code, identity);
}

static void send_old_frame (int fd, enum version v, bool more, const void *body, size_t size)
{
    unsigned char head[10] = {0};
    size_t n = 0;
    assert_true (size < 65536);
    if (has_v1_frames (v)) {
        const size_t length = size + 1;
        if (length < 255)
            head[n++] = (unsigned char) length;
        else {
            head[0] = 0xff;
            head[7] = (unsigned char) (length >> 8);
            head[8] = (unsigned char) length;
            n = 9;
        }
        head[n++] = more;
    } else if (size < 256) {
        head[n++] = more;
        head[n++] = (unsigned char) size;
    } else {
        head[0] = (unsigned char) (FLAG_LARGE | more);
        head[7] = (unsigned char) (size >> 8);
        head[8] = (unsigned char) size;
        n = 9;
    }
    send_raw (fd, head, n);
    send_raw (fd, body, size);
}

static void send_old_text (int fd, enum version v, const char *text)
{
    send_old_frame (fd, v, false, text, strlen (text));
}

static void expect_old_frame (int fd, enum version v, bool more, const void *body, size_t size)
{
    static unsigned char got[70000];
    struct frame f;
    if (!has_v1_frames (v)) {
        expect_frame (fd, &f);
        assert_int_equal (f.flags, (more ? FLAG_MORE : 0) | (size > 255 ? FLAG_LARGE : 0));
        assert_int_equal (f.size, size);
        assert_memory_equal (f.body, body, size < sizeof f.body ? size : sizeof f.body);
        return;
    }
    const size_t head = size + 1 < 255 ? 2 : 10;
    expect_bytes (fd, got, head + size);
    uint64_t length = got[0];
    if (head == 10) {
        assert_int_equal (got[0], 0xff);
        length = 0;
        for (int i = 1; i < 9; ++i)
            length = length << 8 | got[i];
    }
    assert_int_equal (length, size + 1);
    assert_int_equal (got[head - 1], more);
    assert_memory_equal (got + head, body, size);
}

static void expect_old_text (int fd, enum version v, const char *text)
{
    expect_old_frame (fd, v, false, text, strlen (text));
}

static bool has_input (int fd)
{
    struct pollfd item = {fd, POLLIN, 0};
    return poll (&item, 1, 0) == 1;
}

#define FOR_EACH_VERSION_AND_ROLE(v, connects)                             \
    for (enum version v = UNVERSIONED; v < VERSIONS; ++v)                  \
        for (int connects = 0; connects < 2; ++connects)

/* ---- Section 3: what is sent when ---- */

static void DETECTION_3_what_each_piece_of_the_peers_sets_free (void **state)
{
    (void) state;
    static const struct
    {
        const char *what;
        const char *steps[10]; /* the peer's, the library's, ...; each of the peer's byte by byte */
    } cases[] = {
        {"unversioned", {"01", "4d45", "00", ""}},
        {"unversioned, long identity", {"ff 0000000000000004", "", "00", "4d45", "414243", ""}},
        {"unversioned, long identity, other flags", {"ff 0000000000000004", "", "fe", "4d45", "414243", ""}},
        {"revision 0", {"ff 0000000000000001", "", "7f", "03", "00", "05", "05", "0300 4d45", "0400 414243", ""}},
        {"revision 1", {"ff ffffffffffffffff", "", "01", "03", "01", "05", "06", "0002 4d45", "0003 414243", ""}},
        {"revision 1, unknown type", {"ff 0000000000000001", "", "7f", "03", "01", "05", "ff", "0002 4d45", "0000", ""}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        for (int connects = 0; connects < 2; ++connects) {
            struct pair p;
            open_socket (&p, ZMQ_DEALER, connects);
            OK (zmq_setsockopt (p.s, ZMQ_ROUTING_ID, "ME", 2));
            meet (&p);
            expect_hex (p.fd, "ff 0000000000000003 7f"); /* for 1.0 the header of our identity */
            for (int k = 0; k < 10 && cases[i].steps[k]; k += 2) {
                unsigned char bytes[16];
                const size_t n = from_hex (cases[i].steps[k], bytes, sizeof bytes);
                for (size_t b = 0; b < n; ++b)
                    send_raw (p.fd, bytes + b, 1);
                if (*cases[i].steps[k + 1])
                    expect_hex (p.fd, cases[i].steps[k + 1]);
                expect_quiet (p.fd, 10);
            }
            wait_events (p.s, ZMQ_POLLOUT);
            send_text (p.s, "hi", 0);
            expect_hex (p.fd, i < 4 ? "0300 6869" : "0002 6869");
            send_hex (p.fd, i < 4 ? "0300 6f6b" : "0002 6f6b");
            expect_text (p.s, "ok");
            end_pair (&p);
        }
}

static void DETECTION_3_everything_in_one_write (void **state)
{
    (void) state;
    static const char *all[VERSIONS] = {
        "0400 414243  0201 31 0200 32",
        "ff 0000000000000001 7f 00 08  0400 414243  0201 31 0200 32",
        "ff 0000000000000001 7f 01 08  0003 414243  0101 31 0001 32",
    };
    FOR_EACH_VERSION_AND_ROLE (v, connects) {
        struct pair p;
        open_socket (&p, ZMQ_PULL, connects);
        meet (&p);
        send_hex (p.fd, all[v]);
        expect_text (p.s, "1");
        assert_int_equal (get_int (p.s, ZMQ_RCVMORE), 1);
        expect_text (p.s, "2");
        assert_int_equal (get_int (p.s, ZMQ_RCVMORE), 0);
        end_pair (&p);
    }
}

static void DETECTION_3_4_flags_of_the_identity_are_not_checked (void **state)
{
    (void) state;
    static const char *identities[VERSIONS] = {"0401 414243", "04ff 414243", "f903 414243"};
    static const char *messages[VERSIONS] = {"0200 78", "0200 78", "0001 78"};
    for (enum version v = UNVERSIONED; v < VERSIONS; ++v) {
        struct pair p;
        open_socket (&p, ZMQ_ROUTER, false);
        meet (&p);
        if (v != UNVERSIONED)
            send_hex (p.fd, v == VERSION_1_0 ? "ff 0000000000000001 7f 00 05" : "ff 0000000000000001 7f 01 05");
        send_hex (p.fd, identities[v]);
        send_hex (p.fd, messages[v]);
        expect_text (p.s, "ABC");
        expect_text (p.s, "x");
        end_pair (&p);
    }
}

static void DETECTION_5_5_the_handshake_timer_runs_until_the_version_is_known (void **state)
{
    (void) state;
    static const char *pieces[] = {"ff 00000000000000", "ff 0000000000000001 7f", "ff 0000000000000001 7f 00",
                                   "ff 0000000000000001 7f 01"};
    for (int i = 0; i < 4; ++i) {
        struct pair p;
        open_socket (&p, ZMQ_PULL, false);
        set_int (p.s, ZMQ_HANDSHAKE_IVL, 60);
        meet (&p);
        send_hex (p.fd, pieces[i]);
        expect_closed (p.fd);
        monitor_expect (&p.m, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
        monitor_expect (&p.m, ZMQ_EVENT_DISCONNECTED);
        end_pair (&p);
    }
}

static void DETECTION_3_4_the_handshake_timer_ends_with_the_greeting (void **state)
{
    (void) state;
    OURS_IS_BETTER ("4.3.4 ends connections of old peers when the time is over, although they work");
    static const char *greetings[VERSIONS] = {"04", "ff 0000000000000001 7f 00 08", "ff 0000000000000001 7f 01 08"};
    static const char *rest[VERSIONS] = {"00 414243 0200 78", "0400 414243 0200 78", "0003 414243 0001 78"};
    for (enum version v = UNVERSIONED; v < VERSIONS; ++v) {
        struct pair p;
        open_socket (&p, ZMQ_PULL, false);
        set_int (p.s, ZMQ_HANDSHAKE_IVL, 60);
        meet (&p);
        send_hex (p.fd, greetings[v]);
        expect_open (p.fd, 200); /* the identity may be late */
        send_hex (p.fd, rest[v]);
        expect_text (p.s, "x");
        expect_open (p.fd, 100);
        monitor_quiet (&p.m, 0);
        end_pair (&p);
    }
}

static void DETECTION_3_4_nothing_is_sent_before_the_identity (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference gives messages to whatever connects, be it a web browser");
    static const char *greetings[VERSIONS] = {"474554202f20485454502f312e310d0a0d0a",
                                              "ff 0000000000000001 7f 00 07", "ff 0000000000000001 7f 01 07"};
    for (enum version v = UNVERSIONED; v < VERSIONS; ++v) {
        struct pair p;
        open_socket (&p, ZMQ_PUSH, false);
        meet (&p);
        send_hex (p.fd, greetings[v]);
        expect_no_events (p.s, ZMQ_POLLOUT);
        FAILS (zmq_send (p.s, "x", 1, ZMQ_DONTWAIT), EAGAIN);
        end_pair (&p);
    }
}

/* ---- Section 4: frames ---- */

static void FRAMES_4_of_all_sizes_from_the_peer (void **state)
{
    (void) state;
    static unsigned char body[60000];
    static const size_t sizes[] = {0, 1, 252, 253, 254, 255, 256, 8192, 60000};
    for (size_t i = 0; i < sizeof body; ++i)
        body[i] = (unsigned char) (i * 7);
    FOR_EACH_VERSION_AND_ROLE (v, connects) {
        struct pair p;
        start_pair (&p, ZMQ_PULL, connects, v, ZMQ_PUSH, "");
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
            static unsigned char got[sizeof body];
            send_old_frame (p.fd, v, true, body, sizes[i]);
            send_old_frame (p.fd, v, false, body, sizes[i]);
            for (int part = 1; part >= 0; --part) {
                wait_events (p.s, ZMQ_POLLIN);
                assert_int_equal (zmq_recv (p.s, got, sizeof got, 0), sizes[i]);
                assert_memory_equal (got, body, sizes[i]);
                assert_int_equal (get_int (p.s, ZMQ_RCVMORE), part);
            }
        }
        /* The long form for a small body, and flags that mean nothing. */
        send_hex (p.fd, has_v1_frames (v) ? "ff 0000000000000002 fe 78" : "fa 0000000000000001 78");
        expect_text (p.s, "x");
        assert_int_equal (get_int (p.s, ZMQ_RCVMORE), 0);
        end_pair (&p);
    }
}

static void FRAMES_4_of_all_sizes_to_the_peer (void **state)
{
    (void) state;
    static unsigned char body[65000];
    static const size_t sizes[] = {0, 1, 252, 253, 254, 255, 256, 8192, 65000};
    for (size_t i = 0; i < sizeof body; ++i)
        body[i] = (unsigned char) (i * 7);
    FOR_EACH_VERSION_AND_ROLE (v, connects) {
        struct pair p;
        start_pair (&p, ZMQ_PUSH, connects, v, ZMQ_PULL, "");
        wait_events (p.s, ZMQ_POLLOUT);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; ++i) {
            assert_int_equal (zmq_send (p.s, body, sizes[i], ZMQ_SNDMORE), sizes[i]);
            assert_int_equal (zmq_send (p.s, body, sizes[i], 0), sizes[i]);
            expect_old_frame (p.fd, v, true, body, sizes[i]);
            expect_old_frame (p.fd, v, false, body, sizes[i]);
        }
        end_pair (&p);
    }
}

static void FRAMES_3_4_commands_of_a_2_0_peer_are_dropped (void **state)
{
    (void) state;
    struct pair p;
    start_pair (&p, ZMQ_PULL, false, VERSION_2_0, ZMQ_PUSH, "");
    send_hex (p.fd, "0101 31  0407 04 50494e47 0000  0404 03 464f4f  0001 32  0400  0001 33");
    expect_text (p.s, "1");
    assert_int_equal (get_int (p.s, ZMQ_RCVMORE), 1);
    expect_text (p.s, "2");
    expect_text (p.s, "3");
    expect_quiet (p.fd, 50); /* no PONG */
    monitor_quiet (&p.m, 0);
    end_pair (&p);
}

static void MAX_1_holds_for_old_peers_and_their_identity (void **state)
{
    (void) state;
    static const int64_t limit = 10;
    for (enum version v = UNVERSIONED; v < VERSIONS; ++v)
        for (int in_identity = 0; in_identity < 2; ++in_identity) {
            struct pair p;
            open_socket (&p, ZMQ_PULL, true);
            OK (zmq_setsockopt (p.s, ZMQ_MAXMSGSIZE, &limit, sizeof limit));
            meet (&p);
            greet_as (p.fd, v, ZMQ_PULL, ZMQ_PUSH, in_identity ? "0123456789a" : "0123456789");
            if (!in_identity) {
                send_old_text (p.fd, v, "9876543210");
                expect_text (p.s, "9876543210");
                send_old_text (p.fd, v, "9876543210x");
            }
            expect_closed (p.fd);
            monitor_expect (&p.m, ZMQ_EVENT_DISCONNECTED); /* and nothing before it */
            monitor_quiet (&p.m, 50);                      /* for good */
            end_pair (&p);
        }
}

/* ---- Section 3.4: identities, events, metadata, heartbeats ---- */

static void IDENTITY_3_4_of_the_peer_names_it_to_a_ROUTER (void **state)
{
    (void) state;
    FOR_EACH_VERSION_AND_ROLE (v, connects) {
        struct pair p;
        char id[16];
        start_pair (&p, ZMQ_ROUTER, connects, v, ZMQ_DEALER, "peer");
        send_old_text (p.fd, v, "question");
        expect_text (p.s, "peer");
        expect_text (p.s, "question");
        send_text (p.s, "peer", ZMQ_SNDMORE);
        send_text (p.s, "answer", 0);
        expect_old_text (p.fd, v, "answer");
        end_pair (&p);

        start_pair (&p, ZMQ_ROUTER, connects, v, ZMQ_DEALER, ""); /* anonymous: a name is made up */
        send_old_text (p.fd, v, "question");
        wait_events (p.s, ZMQ_POLLIN);
        assert_int_equal (zmq_recv (p.s, id, sizeof id, 0), 5);
        assert_int_equal (id[0], 0);
        expect_text (p.s, "question");
        assert_int_equal (zmq_send (p.s, id, 5, ZMQ_SNDMORE), 5);
        send_text (p.s, "answer", 0);
        expect_old_text (p.fd, v, "answer");
        end_pair (&p);
    }
}

static void IDENTITY_3_4_is_no_message_for_others (void **state)
{
    (void) state;
    static const int types[] = {ZMQ_PULL, ZMQ_SUB, ZMQ_PAIR, ZMQ_DEALER};
    for (enum version v = UNVERSIONED; v < VERSIONS; ++v)
        for (int i = 0; i < 4; ++i) {
            struct pair p;
            open_socket (&p, types[i], false);
            if (types[i] == ZMQ_SUB)
                OK (zmq_setsockopt (p.s, ZMQ_SUBSCRIBE, "", 0));
            meet (&p);
            expect_hex (p.fd, signature_hex);
            if (v != UNVERSIONED)
                send_hex (p.fd, v == VERSION_1_0 ? "ff 0000000000000001 7f 00 00" : "ff 0000000000000001 7f 01 00");
            send_identity (p.fd, v, "identity");
            send_old_text (p.fd, v, "x");
            expect_text (p.s, "x");
            end_pair (&p);
        }
}

static void IDENTITY_REQ_and_REP_exchange_their_envelopes (void **state)
{
    (void) state;
    FOR_EACH_VERSION_AND_ROLE (v, connects) {
        struct pair p;
        start_pair (&p, ZMQ_REP, connects, v, ZMQ_REQ, "client");
        send_old_frame (p.fd, v, true, "", 0);
        send_old_text (p.fd, v, "q");
        expect_text (p.s, "q");
        send_text (p.s, "r", 0);
        expect_old_frame (p.fd, v, true, "", 0);
        expect_old_text (p.fd, v, "r");
        end_pair (&p);

        start_pair (&p, ZMQ_REQ, connects, v, ZMQ_REP, "server");
        wait_events (p.s, ZMQ_POLLOUT);
        send_text (p.s, "q", 0);
        expect_old_frame (p.fd, v, true, "", 0);
        expect_old_text (p.fd, v, "q");
        send_old_frame (p.fd, v, true, "", 0);
        send_old_text (p.fd, v, "r");
        expect_text (p.s, "r");
        end_pair (&p);
    }
}

static void EVENTS_3_4_no_success_and_a_failure_when_it_is_lost (void **state)
{
    (void) state;
    FOR_EACH_VERSION_AND_ROLE (v, connects) {
        struct pair p;
        start_pair (&p, ZMQ_PULL, connects, v, ZMQ_PUSH, "");
        send_old_text (p.fd, v, "x");
        expect_text (p.s, "x");
        monitor_quiet (&p.m, 20);
        close (p.fd);
        p.fd = -1;
        monitor_expect (&p.m, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL);
        monitor_expect (&p.m, ZMQ_EVENT_DISCONNECTED);
        if (connects) { /* it comes again, and may meet another version */
            const enum version other = (v + 1) % VERSIONS;
            p.fd = accept_one (&p.port);
            greet_as (p.fd, other, ZMQ_PULL, ZMQ_PUSH, "");
            send_old_text (p.fd, other, "y");
            expect_text (p.s, "y");
        }
        end_pair (&p);
    }
}

static void METADATA_3_4_there_is_none (void **state)
{
    (void) state;
    for (enum version v = UNVERSIONED; v < VERSIONS; ++v) {
        struct pair p;
        zmq_msg_t msg;
        start_pair (&p, ZMQ_PULL, false, v, ZMQ_PUSH, "identity");
        send_old_text (p.fd, v, "x");
        wait_events (p.s, ZMQ_POLLIN);
        OK (zmq_msg_init (&msg));
        assert_int_equal (zmq_msg_recv (&msg, p.s, 0), 1);
        assert_null (zmq_msg_gets (&msg, "Peer-Address"));
        assert_null (zmq_msg_gets (&msg, "Socket-Type"));
        assert_null (zmq_msg_gets (&msg, "Identity"));
        FAILS (zmq_msg_get (&msg, ZMQ_SRCFD), EINVAL);
        OK (zmq_msg_close (&msg));
        end_pair (&p);
    }
}

static void HEARTBEATS_9_are_never_sent (void **state)
{
    (void) state;
    for (enum version v = UNVERSIONED; v < VERSIONS; ++v) {
        struct pair p;
        open_socket (&p, ZMQ_PUSH, false);
        set_int (p.s, ZMQ_HEARTBEAT_IVL, 20);
        set_int (p.s, ZMQ_HEARTBEAT_TIMEOUT, 20);
        meet (&p);
        greet_as (p.fd, v, ZMQ_PUSH, ZMQ_PULL, "");
        wait_events (p.s, ZMQ_POLLOUT);
        expect_quiet (p.fd, 150); /* and silence is no reason to close */
        send_text (p.s, "x", 0);
        expect_old_text (p.fd, v, "x");
        monitor_quiet (&p.m, 0);
        end_pair (&p);
    }
}

/* ---- Section 8: subscriptions ---- */

static void SUBSCRIPTIONS_8_are_messages (void **state)
{
    (void) state;
    FOR_EACH_VERSION_AND_ROLE (v, connects) {
        struct pair p;
        open_socket (&p, ZMQ_SUB, connects);
        OK (zmq_setsockopt (p.s, ZMQ_SUBSCRIBE, "ab", 2));
        meet (&p);
        greet_as (p.fd, v, ZMQ_SUB, ZMQ_PUB, "");
        EVENTUALLY ((events_of (p.s), has_input (p.fd))); /* it sends while it is looked after */
        expect_old_frame (p.fd, v, false, "\1ab", 3);
        OK (zmq_setsockopt (p.s, ZMQ_SUBSCRIBE, "c", 1));
        expect_old_frame (p.fd, v, false, "\1c", 2);
        OK (zmq_setsockopt (p.s, ZMQ_UNSUBSCRIBE, "ab", 2));
        expect_old_frame (p.fd, v, false, "\0ab", 3);
        send_old_text (p.fd, v, "abc");
        send_old_text (p.fd, v, "cde");
        expect_text (p.s, "cde");
        end_pair (&p);
    }
}

static void SUBSCRIPTIONS_Q_34_unversioned_subscribers_get_everything (void **state)
{
    (void) state;
    for (int connects = 0; connects < 2; ++connects) {
        struct pair p;
        char got[8];
        start_pair (&p, ZMQ_XPUB, connects, UNVERSIONED, ZMQ_SUB, "name");
        wait_events (p.s, ZMQ_POLLIN);
        assert_int_equal (zmq_recv (p.s, got, sizeof got, 0), 1); /* as if it had subscribed */
        assert_int_equal (got[0], 1);
        send_text (p.s, "topic", 0);
        expect_old_text (p.fd, UNVERSIONED, "topic");
        expect_no_message (p.s);
        end_pair (&p);

        start_pair (&p, ZMQ_PUB, connects, UNVERSIONED, ZMQ_SUB, "");
        EVENTUALLY ((send_text (p.s, "topic", 0), has_input (p.fd))); /* a PUB has no sign of a subscriber */
        expect_old_text (p.fd, UNVERSIONED, "topic");
        end_pair (&p);
    }
}

static void SUBSCRIPTIONS_Q_34_versioned_subscribers_say_what_they_want (void **state)
{
    (void) state;
    for (enum version v = VERSION_1_0; v < VERSIONS; ++v)
        for (int connects = 0; connects < 2; ++connects) {
            struct pair p;
            char got[8];
            start_pair (&p, ZMQ_XPUB, connects, v, ZMQ_SUB, "name");
            if (v == VERSION_2_0) /* the command form is not understood there */
                send_hex (p.fd, "040a 09 535542534352494245");
            send_old_frame (p.fd, v, false, "\1ab", 3);
            wait_events (p.s, ZMQ_POLLIN);
            assert_int_equal (zmq_recv (p.s, got, sizeof got, 0), 3);
            assert_memory_equal (got, "\1ab", 3);
            send_text (p.s, "x", 0);
            send_text (p.s, "abc", 0);
            expect_old_text (p.fd, v, "abc");
            send_old_frame (p.fd, v, false, "\0ab", 3);
            wait_events (p.s, ZMQ_POLLIN);
            assert_int_equal (zmq_recv (p.s, got, sizeof got, 0), 3);
            assert_memory_equal (got, "\0ab", 3);
            send_text (p.s, "abc", 0);
            expect_quiet (p.fd, 30);
            end_pair (&p);
        }
}

static void SUBSCRIPTIONS_Q_34_only_publishers_get_an_artificial_one (void **state)
{
    (void) state;
    static const int types[] = {ZMQ_PULL, ZMQ_PAIR, ZMQ_XSUB, ZMQ_DEALER};
    for (int i = 0; i < 4; ++i) {
        struct pair p;
        start_pair (&p, types[i], false, UNVERSIONED, 0, "");
        expect_no_message (p.s);
        end_pair (&p);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (DETECTION_3_what_each_piece_of_the_peers_sets_free),
        TEST (DETECTION_3_everything_in_one_write),
        TEST (DETECTION_3_4_flags_of_the_identity_are_not_checked),
        TEST (DETECTION_5_5_the_handshake_timer_runs_until_the_version_is_known),
        TEST (DETECTION_3_4_the_handshake_timer_ends_with_the_greeting),
        TEST (DETECTION_3_4_nothing_is_sent_before_the_identity),
        TEST (FRAMES_4_of_all_sizes_from_the_peer),
        TEST (FRAMES_4_of_all_sizes_to_the_peer),
        TEST (FRAMES_3_4_commands_of_a_2_0_peer_are_dropped),
        TEST (MAX_1_holds_for_old_peers_and_their_identity),
        TEST (IDENTITY_3_4_of_the_peer_names_it_to_a_ROUTER),
        TEST (IDENTITY_3_4_is_no_message_for_others),
        TEST (IDENTITY_REQ_and_REP_exchange_their_envelopes),
        TEST (EVENTS_3_4_no_success_and_a_failure_when_it_is_lost),
        TEST (METADATA_3_4_there_is_none),
        TEST (HEARTBEATS_9_are_never_sent),
        TEST (SUBSCRIPTIONS_8_are_messages),
        TEST (SUBSCRIPTIONS_Q_34_unversioned_subscribers_get_everything),
        TEST (SUBSCRIPTIONS_Q_34_versioned_subscribers_say_what_they_want),
        TEST (SUBSCRIPTIONS_Q_34_only_publishers_get_an_artificial_one),
    };
    return cmocka_run_group_tests_name ("old versions", tests, NULL, NULL);
}
