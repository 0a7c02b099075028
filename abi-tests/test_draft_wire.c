/* The draft types as a peer on a plain socket sees them: sections 5, 7 and 10 of wire/zmtp.md; Q-n
 * and "table" are of wire/quirks.md. */
#include "draft_api.h"
#include "lifecycle_support.h"

static const char hello_world[] = "world";

/* A bound, monitored socket. */
struct server
{
    void *ctx;
    void *s;
    struct monitor m;
    char endpoint[256];
};

static void serve (struct server *v, int type)
{
    v->ctx = new_ctx ();
    v->s = new_socket (v->ctx, type);
    monitor_start (&v->m, v->ctx, v->s, ZMQ_EVENT_ALL);
    bind_any (v->s, "tcp://127.0.0.1:*", v->endpoint);
    monitor_expect (&v->m, ZMQ_EVENT_LISTENING);
}

static void end_server (struct server *v)
{
    monitor_close (&v->m, v->s);
    end_ctx (v->ctx);
}

static int join (struct server *v, const char *peer_type)
{
    const int fd = connect_raw (v->endpoint);
    handshake (fd, peer_type);
    monitor_expect (&v->m, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&v->m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    return fd;
}

static void send_grouped (void *s, const char *group, const char *body)
{
    zmq_msg_t m;
    OK (zmq_msg_init_size (&m, strlen (body)));
    memcpy (zmq_msg_data (&m), body, strlen (body));
    OK (DRAFT (zmq_msg_set_group) (&m, group));
    OK (zmq_msg_send (&m, s, 0));
}

static void expect_quickly (void *s, const char *text, const char *group)
{
    zmq_msg_t m;
    wait_events (s, ZMQ_POLLIN);
    OK (zmq_msg_init (&m));
    OK (zmq_msg_recv (&m, s, 0));
    assert_int_equal (zmq_msg_size (&m), strlen (text));
    assert_memory_equal (zmq_msg_data (&m), text, strlen (text));
    assert_string_equal (DRAFT (zmq_msg_group) (&m), group);
    OK (zmq_msg_close (&m));
}

static void JOIN_10_bytes_of_a_DISH (void **state)
{
    (void) state;
    NEED_DRAFT ();
    struct server v;
    serve (&v, ZMQ_DISH);
    OK (DRAFT (zmq_join) (v.s, "weather"));
    const int fd = join (&v, "RADIO");
    expect_hex (fd, "040c 04 4a4f494e 77656174686572");
    OK (DRAFT (zmq_leave) (v.s, "weather"));
    expect_hex (fd, "040d 05 4c45415645 77656174686572");
    OK (DRAFT (zmq_join) (v.s, ""));
    expect_hex (fd, "0405 04 4a4f494e");
    /* A command of 256 bytes and more has a long header. */
    char longest[256];
    memset (longest, 'g', 255);
    longest[255] = 0;
    OK (DRAFT (zmq_join) (v.s, longest));
    expect_hex (fd, "06 0000000000000104 04 4a4f494e");
    char group[255];
    expect_bytes (fd, group, 255);
    assert_memory_equal (group, longest, 255);
    close (fd);
    end_server (&v);
}

static void JOIN_10_all_groups_are_sent_again (void **state)
{
    (void) state;
    NEED_DRAFT ();
    struct port port;
    void *ctx = new_ctx (), *s = new_socket (ctx, ZMQ_DISH);
    reserve_port (&port);
    listen_at (&port);
    set_int (s, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (s, port.endpoint));
    OK (DRAFT (zmq_join) (s, "a"));
    for (int i = 0; i < 3; ++i) {
        const int fd = accept_one (&port);
        handshake (fd, "RADIO");
        expect_hex (fd, "0406 04 4a4f494e 61");
        close (fd);
    }
    close_now (s);
    release_port (&port);
    end_ctx (ctx);
}

static void RADIO_10_bytes_of_a_message (void **state)
{
    (void) state;
    NEED_DRAFT ();
    struct server v;
    serve (&v, ZMQ_RADIO);
    const int fd = join (&v, "DISH");
    send_hex (fd, "0406 04 4a4f494e 67"); /* JOIN g */
    send_hex (fd, "0405 04 4a4f494e");    /* JOIN "" */
    send_hex (fd, "0407 04 50494e47 0000");
    expect_hex (fd, "0405 04 504f4e47"); /* the PONG says that all is read */
    send_grouped (v.s, "other", "not for it");
    send_grouped (v.s, "g", hello_world);
    expect_hex (fd, "0101 67 0005 776f726c64");
    OK (zmq_send (v.s, "x", 1, 0));
    expect_hex (fd, "0100 0001 78");
    send_hex (fd, "0407 05 4c45415645 67"); /* LEAVE g */
    send_hex (fd, "0407 04 50494e47 0000");
    expect_hex (fd, "0405 04 504f4e47");
    send_grouped (v.s, "g", "nobody");
    OK (zmq_send (v.s, "y", 1, 0));
    expect_hex (fd, "0100 0001 79");
    close (fd);
    end_server (&v);
}

static void RADIO_table_other_messages_are_dropped (void **state)
{
    (void) state;
    NEED_DRAFT ();
    struct server v;
    serve (&v, ZMQ_RADIO);
    const int fd = join (&v, "DISH");
    send_hex (fd, "0005 014a4f494e");        /* no command */
    send_hex (fd, "0101 67 0001 78");        /* two frames */
    send_hex (fd, "040b 09 535542534352494245 67"); /* SUBSCRIBE g */
    send_hex (fd, "0404 03 464f4f");         /* unknown */
    send_hex (fd, "0406 04 4a4f494e 68");    /* JOIN h */
    send_hex (fd, "0407 04 50494e47 0000");
    expect_hex (fd, "0405 04 504f4e47");
    send_grouped (v.s, "g", "no");
    send_grouped (v.s, "h", "yes");
    expect_hex (fd, "0101 68 0003 796573");
    /* A NUL ends the group (zmtp.md section 10). */
    send_hex (fd, "0408 04 4a4f494e 6b0061");
    send_hex (fd, "0407 04 50494e47 0000");
    expect_hex (fd, "0405 04 504f4e47");
    send_grouped (v.s, "k", "yes");
    expect_hex (fd, "0101 6b 0003 796573");
    close (fd);
    end_server (&v);
}

static void RADIO_Q_02_a_group_of_256_bytes_ends_the_connection (void **state)
{
    (void) state;
    NEED_DRAFT ();
    static const char *const commands[] = {"06 0000000000000105 04 4a4f494e",
                                           "06 0000000000000106 05 4c45415645"};
    char group[256];
    memset (group, 'g', sizeof group);
    for (int i = 0; i < 2; ++i) {
        struct server v;
        serve (&v, ZMQ_RADIO);
        const int fd = join (&v, "DISH");
        send_hex (fd, commands[i]);
        send_raw (fd, group, sizeof group);
        expect_closed (fd);
        monitor_expect (&v.m, ZMQ_EVENT_DISCONNECTED);
        close (join (&v, "DISH")); /* the socket is unharmed */
        end_server (&v);
    }
}

static void DISH_10_receives_group_and_body (void **state)
{
    (void) state;
    NEED_DRAFT ();
    struct server v;
    serve (&v, ZMQ_DISH);
    OK (DRAFT (zmq_join) (v.s, "g"));
    const int fd = join (&v, "RADIO");
    expect_hex (fd, "0406 04 4a4f494e 67");
    send_hex (fd, "0101 67 0005 776f726c64");
    expect_quickly (v.s, hello_world, "g");
    /* In any pieces, with commands between, and only what was joined. */
    send_hex (fd, "0101");
    send_hex (fd, "68 0001 78 0101 67");
    send_hex (fd, "0407 04 50494e47 0000");
    expect_hex (fd, "0405 04 504f4e47"); /* a DISH answers */
    send_hex (fd, "00");
    send_hex (fd, "05 776f726c64");
    expect_quickly (v.s, hello_world, "g");
    expect_no_message (v.s);
    close (fd);
    end_server (&v);
}

static void DISH_table_everything_else_ends_the_connection (void **state)
{
    (void) state;
    NEED_DRAFT ();
    static const char *const bad[] = {
        "0001 67",                  /* one frame */
        "0101 67 0101 78 0001 79",  /* three */
        "03 0000000000000100",      /* a group of 256 bytes; its body follows */
    };
    unsigned char group[256];
    memset (group, 'g', sizeof group);
    for (int i = 0; i < 3; ++i) {
        struct server v;
        serve (&v, ZMQ_DISH);
        const int fd = join (&v, "RADIO");
        send_hex (fd, bad[i]);
        if (i == 2)
            send_raw (fd, group, sizeof group);
        expect_closed (fd);
        monitor_expect (&v.m, ZMQ_EVENT_DISCONNECTED);
        expect_no_message (v.s);
        close (join (&v, "RADIO"));
        end_server (&v);
    }
}

static void SINGLE_7_messages_of_several_frames_are_dropped (void **state)
{
    (void) state;
    NEED_DRAFT ();
    static const struct
    {
        int type;
        const char *peer;
    } types[] = {{ZMQ_GATHER, "SCATTER"}, {ZMQ_SERVER, "CLIENT"}, {ZMQ_CLIENT, "SERVER"},
                 {ZMQ_PEER, "PEER"},      {ZMQ_CHANNEL, "CHANNEL"}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; ++i) {
        struct server v;
        serve (&v, types[i].type);
        const int fd = join (&v, types[i].peer);
        send_hex (fd, "0101 61 0001 62");
        send_hex (fd, "0001 63");
        send_hex (fd, "0101 64 0101 65 0001 66");
        send_hex (fd, "0001 67");
        expect_text (v.s, "c");
        expect_text (v.s, "g");
        expect_no_message (v.s);
        close (fd);
        end_server (&v);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (JOIN_10_bytes_of_a_DISH),
        TEST (JOIN_10_all_groups_are_sent_again),
        TEST (RADIO_10_bytes_of_a_message),
        TEST (RADIO_table_other_messages_are_dropped),
        TEST (RADIO_Q_02_a_group_of_256_bytes_ends_the_connection),
        TEST (DISH_10_receives_group_and_body),
        TEST (DISH_table_everything_else_ends_the_connection),
        TEST (SINGLE_7_messages_of_several_frames_are_dropped),
    };
    return cmocka_run_group_tests_name ("draft wire", tests, NULL, NULL);
}
