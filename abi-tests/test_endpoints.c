/* Endpoints: binding, connecting, inproc names, unbinding and disconnecting.
 * Statements CON-*, INP-* and DIS-* of lifecycle.md. */
#include "lifecycle_support.h"

/* ---- CON: bind and connect ---- */

static void one_message_whatever_the_order (const char *endpoint, bool connect_first)
{
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    set_int (push, ZMQ_RECONNECT_IVL, 10);
    if (connect_first) {
        OK (zmq_connect (push, endpoint));
        bind_soon (pull, endpoint);
    } else {
        bind_soon (pull, endpoint);
        OK (zmq_connect (push, endpoint));
    }
    send_text (push, "hello", 0);
    expect_text (pull, "hello");
    close_now (push);
    close_now (pull);
    end_ctx (ctx);
}

static void CON_1_order_of_bind_and_connect_does_not_matter (void **state)
{
    (void) state;
    struct port port;
    struct ipc_place place;
    char name[128];
    reserve_port (&port);
    make_ipc_place (&place);
    for (int first = 0; first < 2; ++first) {
        one_message_whatever_the_order (port.endpoint, first);
        one_message_whatever_the_order (place.endpoint, first);
        unlink (place.file);
        one_message_whatever_the_order (unique_name (name, "order"), first);
    }
    release_port (&port);
    remove_ipc_place (&place);
}

static void CON_1_connect_returns_0_without_a_listener (void **state)
{
    (void) state;
    struct port port;
    struct ipc_place place;
    char name[128];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    reserve_port (&port);
    make_ipc_place (&place);
    const int64_t start = now_ms ();
    assert_int_equal (zmq_connect (s, port.endpoint), 0);
    assert_int_equal (zmq_connect (s, place.endpoint), 0);
    assert_int_equal (zmq_connect (s, unique_name (name, "nobody")), 0);
    assert_true (now_ms () - start < DEADLINE_MS);
    close_now (s);
    end_ctx (ctx);
    release_port (&port);
    remove_ipc_place (&place);
}

static void CON_2_connect_to_an_unresolvable_name_returns_0_and_is_retried (void **state)
{
    (void) state;
    struct monitor m;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    set_int (s, ZMQ_RECONNECT_IVL, 10);
    monitor_start (&m, ctx, s, ZMQ_EVENT_ALL);
    OK (zmq_connect (s, "tcp://no-such-host.invalid:5555"));
    send_text (s, "queued", ZMQ_DONTWAIT);
    const struct event e = monitor_wait (&m, ZMQ_EVENT_CONNECT_RETRIED);
    assert_string_equal (e.address, "tcp://no-such-host.invalid:5555");
    monitor_wait (&m, ZMQ_EVENT_CONNECT_RETRIED);
    monitor_close (&m, s);
    end_ctx (ctx);
}

static void CON_2_connect_to_a_missing_ipc_path_works_once_it_exists (void **state)
{
    (void) state;
    struct ipc_place place;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    make_ipc_place (&place);
    set_int (push, ZMQ_RECONNECT_IVL, 10);
    assert_false (file_exists (place.file));
    OK (zmq_connect (push, place.endpoint));
    send_text (push, "later", ZMQ_DONTWAIT);
    OK (zmq_bind (pull, place.endpoint));
    expect_text (pull, "later");
    close_now (push);
    close_now (pull);
    end_ctx (ctx);
    remove_ipc_place (&place);
}

static void CON_3_a_connected_pipe_exists_inside_connect (void **state)
{
    (void) state;
    static const int types[] = {ZMQ_PUSH, ZMQ_DEALER, ZMQ_REQ, ZMQ_PAIR};
    struct port port;
    struct ipc_place place;
    char name[128];
    void *ctx = new_ctx ();
    reserve_port (&port);
    make_ipc_place (&place);
    const char *endpoints[] = {port.endpoint, place.endpoint, unique_name (name, "nobody")};
    for (size_t e = 0; e < 3; ++e)
        for (size_t t = 0; t < sizeof types / sizeof *types; ++t) {
            void *s = new_socket (ctx, types[t]);
            assert_int_equal (events_of (s) & ZMQ_POLLOUT, 0);
            OK (zmq_connect (s, endpoints[e]));
            assert_int_equal (events_of (s) & ZMQ_POLLOUT, ZMQ_POLLOUT);
            send_text (s, "x", ZMQ_DONTWAIT);
            close_now (s);
        }
    end_ctx (ctx);
    release_port (&port);
    remove_ipc_place (&place);
}

static void immediate_waits_for_the_handshake (const char *bind_to)
{
    char endpoint[256];
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    set_int (push, ZMQ_IMMEDIATE, 1);
    bind_any (pull, bind_to, endpoint);
    assert_int_equal (events_of (push), 0);
    OK (zmq_connect (push, endpoint));
    wait_events (push, ZMQ_POLLOUT);
    send_text (push, "now", ZMQ_DONTWAIT);
    expect_text (pull, "now");
    close_now (push);
    close_now (pull);
    end_ctx (ctx);
}

static void CON_3_with_IMMEDIATE_the_pipe_exists_after_the_handshake (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    reserve_port (&port);
    listen_at (&port);
    set_int (push, ZMQ_IMMEDIATE, 1);
    OK (zmq_connect (push, port.endpoint));
    FAILS (zmq_send (push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    const int fd = accept_one (&port);
    expect_no_events (push, ZMQ_POLLOUT); /* a TCP connection is not enough */
    handshake (fd, "PULL");
    wait_events (push, ZMQ_POLLOUT);
    send_text (push, "x", ZMQ_DONTWAIT);
    expect_frame_text (fd, 0, "x");
    close (fd);
    close_now (push);
    end_ctx (ctx);
    release_port (&port);

    immediate_waits_for_the_handshake ("tcp://127.0.0.1:*");
    immediate_waits_for_the_handshake ("ipc://*");
}

static void CON_3_an_accepted_pipe_exists_after_the_handshake (void **state)
{
    (void) state;
    char endpoint[256];
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    bind_any (push, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    expect_no_events (push, ZMQ_POLLOUT);
    FAILS (zmq_send (push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    handshake (fd, "PULL");
    wait_events (push, ZMQ_POLLOUT);
    send_text (push, "x", ZMQ_DONTWAIT);
    expect_frame_text (fd, 0, "x");
    close (fd);
    close_now (push);
    end_ctx (ctx);
}

static void CON_3_a_raw_pipe_exists_at_accept_and_inside_connect (void **state)
{
    (void) state;
    char endpoint[256], id[256];
    size_t id_size = sizeof id;
    struct port port;
    void *ctx = new_ctx ();
    void *stream = new_socket (ctx, ZMQ_STREAM);
    void *router = new_socket (ctx, ZMQ_ROUTER);
    set_int (router, ZMQ_ROUTER_RAW, 1);

    bind_any (stream, "tcp://127.0.0.1:*", endpoint);
    int fd = connect_raw (endpoint);
    wait_events (stream, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (stream, id, sizeof id, 0), 5);
    assert_int_equal (id[0], 0);
    expect_text (stream, "");
    close (fd);

    bind_any (router, "tcp://127.0.0.1:*", endpoint);
    fd = connect_raw (endpoint);
    wait_events (router, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (router, id, sizeof id, 0), 5);
    assert_int_equal (id[0], 0);
    expect_text (router, "");
    close (fd);

    /* Connecting: data may be queued at once. */
    void *client = new_socket (ctx, ZMQ_STREAM);
    reserve_port (&port);
    listen_at (&port);
    OK (zmq_connect (client, port.endpoint));
    OK (zmq_getsockopt (client, ZMQ_ROUTING_ID, id, &id_size));
    assert_int_equal (id_size, 5);
    assert_int_equal (zmq_send (client, id, id_size, ZMQ_SNDMORE | ZMQ_DONTWAIT), 5);
    send_text (client, "early", ZMQ_DONTWAIT);
    fd = accept_one (&port);
    expect_hex (fd, "6561726c79");
    close (fd);
    close_now (client);
    close_now (stream);
    close_now (router);
    end_ctx (ctx);
    release_port (&port);
}

static void CON_3_inproc_pipes_exist_inside_connect_and_inside_bind (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *binder = new_socket (ctx, ZMQ_PUSH);
    void *peer = new_socket (ctx, ZMQ_PULL);
    OK (zmq_bind (binder, unique_name (name, "bound")));
    OK (zmq_connect (peer, name));
    assert_int_equal (events_of (binder), ZMQ_POLLOUT); /* this query is the activity */
    close_now (binder);
    close_now (peer);

    binder = new_socket (ctx, ZMQ_PUSH);
    peer = new_socket (ctx, ZMQ_PULL);
    OK (zmq_connect (peer, unique_name (name, "early")));
    FAILS (zmq_send (binder, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    OK (zmq_bind (binder, name));
    send_text (binder, "x", ZMQ_DONTWAIT);
    expect_text (peer, "x");
    close_now (binder);
    close_now (peer);
    end_ctx (ctx);
}

static void CON_4_messages_sent_before_the_peer_binds_arrive (void **state)
{
    (void) state;
    static const int pairs[][2] = {
        {ZMQ_PUSH, ZMQ_PULL}, {ZMQ_DEALER, ZMQ_DEALER}, {ZMQ_REQ, ZMQ_REP}, {ZMQ_PAIR, ZMQ_PAIR}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; ++i) {
        struct port port;
        void *ctx = new_ctx ();
        void *sender = new_socket (ctx, pairs[i][0]);
        void *receiver = new_socket (ctx, pairs[i][1]);
        reserve_port (&port);
        set_int (sender, ZMQ_RECONNECT_IVL, 10);
        OK (zmq_connect (sender, port.endpoint));
        send_text (sender, "early", ZMQ_DONTWAIT);
        OK (zmq_bind (receiver, port.endpoint));
        expect_text (receiver, "early");
        close_now (sender);
        close_now (receiver);
        end_ctx (ctx);
        release_port (&port);
    }
}

static void CON_5_a_bound_socket_without_peers_blocks_or_drops (void **state)
{
    (void) state;
    static const int blocking[] = {ZMQ_PUSH, ZMQ_DEALER, ZMQ_REQ, ZMQ_PAIR};
    static const int dropping[] = {ZMQ_PUB, ZMQ_XPUB, ZMQ_ROUTER};
    char endpoint[256];
    void *ctx = new_ctx ();
    for (size_t i = 0; i < sizeof blocking / sizeof *blocking; ++i) {
        void *s = new_socket (ctx, blocking[i]);
        bind_any (s, "tcp://127.0.0.1:*", endpoint);
        assert_int_equal (events_of (s), 0);
        FAILS (zmq_send (s, "x", 1, ZMQ_DONTWAIT), EAGAIN);
        set_int (s, ZMQ_SNDTIMEO, 30);
        const int64_t start = now_ms ();
        FAILS (zmq_send (s, "x", 1, 0), EAGAIN);
        assert_true (now_ms () - start >= 29);
        close_now (s);
    }
    for (size_t i = 0; i < sizeof dropping / sizeof *dropping; ++i) {
        void *s = new_socket (ctx, dropping[i]);
        bind_any (s, "tcp://127.0.0.1:*", endpoint);
        send_text (s, "x", 0);
        close_now (s);
    }
    void *s = new_socket (ctx, ZMQ_STREAM);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    FAILS (zmq_send (s, "12345", 5, ZMQ_SNDMORE), EHOSTUNREACH);
    close_now (s);
    end_ctx (ctx);
}

static void CON_6_one_socket_binds_and_connects_to_any_mix (void **state)
{
    (void) state;
    char tcp_in[256], ipc_in[256], in_in[128], tcp_out[256], in_out[128];
    void *ctx = new_ctx ();
    void *hub = new_socket (ctx, ZMQ_PULL);
    bind_any (hub, "tcp://127.0.0.1:*", tcp_in);
    bind_any (hub, "ipc://*", ipc_in);
    OK (zmq_bind (hub, unique_name (in_in, "mix")));
    void *pushers[5];
    for (int i = 0; i < 5; ++i)
        pushers[i] = new_socket (ctx, ZMQ_PUSH);
    OK (zmq_connect (pushers[0], tcp_in));
    OK (zmq_connect (pushers[1], ipc_in));
    OK (zmq_connect (pushers[2], in_in));
    bind_any (pushers[3], "tcp://127.0.0.1:*", tcp_out);
    OK (zmq_bind (pushers[4], unique_name (in_out, "mix")));
    OK (zmq_connect (hub, tcp_out));
    OK (zmq_connect (hub, in_out));
    for (int i = 0; i < 5; ++i) {
        const char text[2] = {(char) ('0' + i), 0};
        wait_events (pushers[i], ZMQ_POLLOUT);
        send_text (pushers[i], text, 0);
    }
    int seen = 0;
    for (int i = 0; i < 5; ++i) {
        char c = 0;
        wait_events (hub, ZMQ_POLLIN);
        assert_int_equal (zmq_recv (hub, &c, 1, 0), 1);
        seen |= 1 << (c - '0');
    }
    assert_int_equal (seen, 31);
    for (int i = 0; i < 5; ++i)
        close_now (pushers[i]);
    close_now (hub);
    end_ctx (ctx);
}

static void CON_7_addresses_in_use_and_unusable_addresses (void **state)
{
    (void) state;
    char endpoint[256], name[128];
    void *ctx = new_ctx ();
    void *ctx2 = new_ctx ();
    void *a = new_socket (ctx, ZMQ_PULL);
    void *b = new_socket (ctx, ZMQ_PULL);
    void *c = new_socket (ctx2, ZMQ_PULL);
    bind_any (a, "tcp://127.0.0.1:*", endpoint);
    FAILS (zmq_bind (a, endpoint), EADDRINUSE);
    FAILS (zmq_bind (b, endpoint), EADDRINUSE);
    FAILS (zmq_bind (c, endpoint), EADDRINUSE);
    expect_endpoint (a, endpoint); /* a failed bind changes nothing */

    OK (zmq_bind (a, unique_name (name, "taken")));
    FAILS (zmq_bind (a, name), EADDRINUSE);
    FAILS (zmq_bind (b, name), EADDRINUSE);
    OK (zmq_bind (c, name)); /* another context, another name space */

    FAILS (zmq_bind (b, "tcp://192.0.2.77:*"), EADDRNOTAVAIL);
    FAILS (zmq_bind (b, "tcp://nosuchif0:*"), ENODEV);
    FAILS (zmq_bind (b, "tcp://127.0.0.1"), EINVAL);
    FAILS (zmq_bind (b, "tcp://127.0.0.1:abc"), EINVAL);
    OK (zmq_bind (b, "tcp://127.0.0.1:*")); /* and the socket is still usable */
    close_now (a);
    close_now (b);
    close_now (c);
    end_ctx (ctx);
    end_ctx (ctx2);
}

static void CON_7_bind_to_localhost_is_resolved_or_ENODEV (void **state)
{
    (void) state;
    char endpoint[256];
    size_t size = sizeof endpoint;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    if (on_tern ()) {
        OK (zmq_bind (s, "tcp://localhost:*"));
        OK (zmq_getsockopt (s, ZMQ_LAST_ENDPOINT, endpoint, &size));
        assert_memory_equal (endpoint, "tcp://127.0.0.1:", 16);
    } else if (zmq_bind (s, "tcp://localhost:*") == -1)
        assert_int_equal (zmq_errno (), ENODEV); /* 4.3.4 */
    close_now (s);
    end_ctx (ctx);
}

static void CON_8_ipc_bind_replaces_an_existing_file (void **state)
{
    (void) state;
    struct ipc_place place;
    struct stat s;
    make_ipc_place (&place);
    FILE *f = fopen (place.file, "w");
    assert_non_null (f);
    fclose (f);
    void *ctx = new_ctx ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    OK (zmq_bind (pull, place.endpoint));
    assert_int_equal (lstat (place.file, &s), 0);
    assert_true (S_ISSOCK (s.st_mode));
    close_now (pull);
    end_ctx (ctx);
    remove_ipc_place (&place);
}

static void CON_8_a_second_ipc_bind_takes_the_new_connections (void **state)
{
    (void) state;
    struct ipc_place place;
    void *ctx = new_ctx ();
    void *old = new_socket (ctx, ZMQ_PULL);
    void *fresh = new_socket (ctx, ZMQ_PULL);
    void *first = new_socket (ctx, ZMQ_PUSH);
    void *second = new_socket (ctx, ZMQ_PUSH);
    make_ipc_place (&place);
    OK (zmq_bind (old, place.endpoint));
    OK (zmq_connect (first, place.endpoint));
    send_text (first, "1", 0);
    expect_text (old, "1");
    OK (zmq_bind (fresh, place.endpoint));
    OK (zmq_connect (second, place.endpoint));
    send_text (second, "2", 0);
    expect_text (fresh, "2");
    send_text (first, "3", 0);
    expect_text (old, "3"); /* the old connection is still there */
    close_now (first);
    close_now (second);
    close_now (old);
    close_now (fresh);
    end_ctx (ctx);
    remove_ipc_place (&place);
}

static void CON_8_the_ipc_file_remains_after_unbind_and_close (void **state)
{
    (void) state;
    struct ipc_place place;
    make_ipc_place (&place);
    for (int unbind = 0; unbind < 2; ++unbind) {
        void *ctx = new_ctx ();
        void *s = new_socket (ctx, ZMQ_PULL);
        OK (zmq_bind (s, place.endpoint));
        if (unbind)
            OK (zmq_unbind (s, place.endpoint));
        close_now (s);
        end_ctx (ctx);
        assert_true (file_exists (place.file));
    }
    remove_ipc_place (&place);
}

static void CON_8_abstract_names_and_missing_directories (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *a = new_socket (ctx, ZMQ_PULL);
    void *b = new_socket (ctx, ZMQ_PULL);
    void *c = new_socket (ctx, ZMQ_PUSH);
    snprintf (name, sizeof name, "ipc://@tern-abi-%ld", (long) getpid ());
    OK (zmq_bind (a, name));
    expect_endpoint (a, name);
    FAILS (zmq_bind (b, name), EADDRINUSE);
    OK (zmq_connect (c, name));
    send_text (c, "x", 0);
    expect_text (a, "x");
    FAILS (zmq_bind (b, "ipc:///tmp/tern-no-such-directory/x/y"), ENOENT);
    close_now (a);
    close_now (b);
    close_now (c);
    end_ctx (ctx);
}

static void CON_9_wildcards_show_the_real_address (void **state)
{
    (void) state;
    char endpoint[256], other[256];
    struct port port;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    assert_memory_equal (endpoint, "tcp://127.0.0.1:", 16);
    assert_in_range (port_of (endpoint), 1, 65535);
    bind_any (s, "tcp://127.0.0.1:0", other);
    assert_in_range (port_of (other), 1, 65535);
    assert_int_not_equal (port_of (endpoint), port_of (other));
    bind_any (s, "tcp://lo:*", other);
    assert_memory_equal (other, "tcp://127.0.0.1:", 16);

    reserve_port (&port);
    char text[64], want[64];
    snprintf (text, sizeof text, "tcp://*:%d", port.number);
    snprintf (want, sizeof want, "tcp://0.0.0.0:%d", port.number);
    release_port (&port); /* the wildcard address does not go together with the reservation */
    OK (zmq_bind (s, text));
    expect_endpoint (s, want);
    close_now (s);
    end_ctx (ctx);
}

static void CON_9_ipc_wildcard_makes_a_directory_that_goes_away (void **state)
{
    (void) state;
    char endpoint[256], directory[256];
    struct stat st;
    struct ipc_place place;
    make_ipc_place (&place);
    setenv ("TMPDIR", place.directory, 1);
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    void *c = new_socket (ctx, ZMQ_PUSH);
    bind_any (s, "ipc://*", endpoint);
    unsetenv ("TMPDIR");
    assert_memory_equal (endpoint, "ipc://", 6);
    assert_memory_equal (endpoint + 6, place.directory, strlen (place.directory));
    assert_int_equal (lstat (endpoint + 6, &st), 0);
    assert_true (S_ISSOCK (st.st_mode));
    strcpy (directory, endpoint + 6);
    *strrchr (directory, '/') = 0;
    assert_string_not_equal (directory, place.directory);
    assert_int_equal (lstat (directory, &st), 0);
    assert_int_equal (st.st_mode & 077, 0); /* private */
    OK (zmq_connect (c, endpoint));
    send_text (c, "x", 0);
    expect_text (s, "x");
    close_now (c);
    close_now (s);
    end_ctx (ctx);
    assert_false (file_exists (endpoint + 6));
    assert_false (file_exists (directory));
    remove_ipc_place (&place);
}

static void CON_10_last_endpoint_after_connect_is_the_text_given (void **state)
{
    (void) state;
    char bound[256], text[64], name[128];
    struct port port;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    reserve_port (&port);
    snprintf (text, sizeof text, "tcp://localhost:%d", port.number);
    OK (zmq_connect (s, text));
    expect_endpoint (s, text);
    bind_any (s, "tcp://127.0.0.1:*", bound);
    expect_endpoint (s, bound);
    OK (zmq_connect (s, unique_name (name, "last")));
    expect_endpoint (s, name);
    OK (zmq_disconnect (s, name));
    expect_endpoint (s, name);
    OK (zmq_unbind (s, bound));
    expect_endpoint (s, name);
    OK (zmq_disconnect (s, text));
    expect_endpoint (s, name);
    close_now (s);
    end_ctx (ctx);
    release_port (&port);
}

static void CON_11_without_io_threads_only_inproc_works (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    OK (zmq_ctx_set (ctx, ZMQ_IO_THREADS, 0));
    void *a = new_socket (ctx, ZMQ_PAIR);
    void *b = new_socket (ctx, ZMQ_PAIR);
    FAILS (zmq_bind (a, "tcp://127.0.0.1:*"), EMTHREAD);
    FAILS (zmq_connect (a, "tcp://127.0.0.1:5555"), EMTHREAD);
    FAILS (zmq_bind (a, "ipc://*"), EMTHREAD);
    FAILS (zmq_connect (a, "ipc:///tmp/tern-nobody"), EMTHREAD);
    OK (zmq_bind (a, unique_name (name, "threadless")));
    OK (zmq_connect (b, name));
    send_text (b, "x", 0);
    expect_text (a, "x");
    close_now (a);
    close_now (b);
    end_ctx (ctx);
}

static void CON_12_a_second_connect_to_the_same_uri (void **state)
{
    (void) state;
    static const struct
    {
        int type;
        int connections;
    } cases[] = {{ZMQ_DEALER, 1}, {ZMQ_REQ, 1},    {ZMQ_SUB, 1}, {ZMQ_PUB, 1},  {ZMQ_PUSH, 2}, {ZMQ_PULL, 2},
                 {ZMQ_PAIR, 2},   {ZMQ_ROUTER, 2}, {ZMQ_REP, 2}, {ZMQ_XPUB, 2}, {ZMQ_XSUB, 2}, {ZMQ_STREAM, 2}};
    void *ctx = new_ctx ();
    struct port ports[12];
    void *sockets[12];
    for (int i = 0; i < 12; ++i) {
        reserve_port (&ports[i]);
        listen_at (&ports[i]);
        sockets[i] = new_socket (ctx, cases[i].type);
        OK (zmq_connect (sockets[i], ports[i].endpoint));
        OK (zmq_connect (sockets[i], ports[i].endpoint));
    }
    for (int i = 0; i < 12; ++i) {
        int fds[2] = {-1, -1};
        for (int k = 0; k < cases[i].connections; ++k)
            fds[k] = accept_one (&ports[i]); /* kept open, so that a retry cannot be mistaken for the second one */
        close_now (sockets[i]);
        close (fds[0]);
        if (fds[1] >= 0)
            close (fds[1]);
        release_port (&ports[i]);
    }
    end_ctx (ctx);
}

static void CON_12_the_duplicate_of_DEALER_REQ_SUB_PUB_is_a_no_op (void **state)
{
    (void) state;
    static const int types[] = {ZMQ_DEALER, ZMQ_REQ, ZMQ_SUB, ZMQ_PUB};
    void *ctx = new_ctx ();
    struct port ports[4];
    void *sockets[4];
    int fds[4];
    for (int i = 0; i < 4; ++i) {
        reserve_port (&ports[i]);
        listen_at (&ports[i]);
        sockets[i] = new_socket (ctx, types[i]);
        OK (zmq_connect (sockets[i], ports[i].endpoint));
        assert_int_equal (zmq_connect (sockets[i], ports[i].endpoint), 0);
        fds[i] = accept_one (&ports[i]);
    }
    pause_ms (QUIET_MS); /* nothing may happen */
    for (int i = 0; i < 4; ++i) {
        assert_int_equal (accept_within (&ports[i], 0), -1);
        close_now (sockets[i]);
        close (fds[i]);
        release_port (&ports[i]);
    }
    end_ctx (ctx);
}

static void CON_13_connect_after_giving_up_is_a_no_op_until_disconnect (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    reserve_port (&port);
    listen_at (&port);
    set_int (s, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (s, port.endpoint));
    int fd = accept_one (&port);
    handshake (fd, "PUB"); /* does not fit: given up for good */
    expect_closed (fd);
    close (fd);
    assert_int_equal (accept_within (&port, QUIET_MS), -1);
    assert_int_equal (zmq_connect (s, port.endpoint), 0);
    assert_int_equal (accept_within (&port, QUIET_MS), -1);
    assert_int_equal (zmq_disconnect (s, port.endpoint), 0);
    assert_int_equal (zmq_connect (s, port.endpoint), 0);
    fd = accept_one (&port);
    handshake (fd, "DEALER");
    send_text (s, "again", 0);
    expect_frame_text (fd, 0, "again");
    close (fd);
    close_now (s);
    end_ctx (ctx);
    release_port (&port);
}

static void CON_14_a_port_in_TIME_WAIT_can_be_bound_at_once (void **state)
{
    (void) state;
    char endpoint[256], byte;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    handshake (fd, "PUSH");
    send_frame_text (fd, 0, "x");
    expect_text (s, "x");
    close_now (s);
    end_ctx (ctx); /* the library closes first, so TIME_WAIT is on its side */
    while (read_raw (fd, &byte, 1, DEADLINE_MS) == 1)
        ;
    close (fd);

    /* The port is indeed in TIME_WAIT: an ordinary socket cannot have it. */
    const struct sockaddr_in a = local_address (port_of (endpoint));
    const int probe = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (bind (probe, (const struct sockaddr *) &a, sizeof a), -1);
    assert_int_equal (errno, EADDRINUSE);
    close (probe);

    ctx = new_ctx ();
    s = new_socket (ctx, ZMQ_PULL);
    OK (zmq_bind (s, endpoint));
    close_now (s);
    end_ctx (ctx);
}

static void CON_15_unbind_releases_the_port_before_it_returns (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference releases the port some time after unbind (EADDRINUSE)");
    char endpoint[256];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    for (int i = 0; i < 20; ++i) {
        OK (zmq_unbind (s, endpoint));
        OK (zmq_bind (s, endpoint));
    }
    close_now (s);
    end_ctx (ctx);
}

static void CON_15_close_releases_the_port_before_it_returns (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference releases the port some time after close (EADDRINUSE)");
    char endpoint[256];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    for (int i = 0; i < 20; ++i) {
        close_now (s);
        s = new_socket (ctx, ZMQ_PULL);
        OK (zmq_bind (s, endpoint));
    }
    close_now (s);
    end_ctx (ctx);
}

static void CON_15_the_port_is_free_soon_after_unbind_and_close (void **state)
{
    (void) state;
    char endpoint[256];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    void *t = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_unbind (s, endpoint));
    bind_soon (s, endpoint);
    close_now (s);
    bind_soon (t, endpoint);
    close_now (t);
    end_ctx (ctx);
}

static void CON_16_IMMEDIATE_does_not_touch_accepted_connections (void **state)
{
    (void) state;
    char endpoint[256];
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    set_int (push, ZMQ_IMMEDIATE, 1);
    bind_any (push, "tcp://127.0.0.1:*", endpoint);
    for (int i = 0; i < 2; ++i) {
        void *pull = new_socket (ctx, ZMQ_PULL);
        OK (zmq_connect (pull, endpoint));
        wait_events (push, ZMQ_POLLOUT);
        send_text (push, "x", ZMQ_DONTWAIT);
        expect_text (pull, "x");
        close_now (pull);
        EVENTUALLY (events_of (push) == 0);
    }
    close_now (push);
    end_ctx (ctx);
}

/* ---- INP: inproc ---- */

static void INP_1_names_belong_to_the_context_and_are_arbitrary (void **state)
{
    (void) state;
    static const char *names[] = {"inproc://a b/c?d*e", "inproc://*", "inproc://:0", "inproc://\xc3\xa4\xff",
                                  "inproc://Case", "inproc://case", "inproc://inproc://x"};
    char longest[600];
    memset (longest, 'n', sizeof longest);
    memcpy (longest, "inproc://", 9);
    longest[sizeof longest - 1] = 0;
    void *ctx[2] = {new_ctx (), new_ctx ()};
    for (size_t i = 0; i <= sizeof names / sizeof *names; ++i) {
        const char *name = i < sizeof names / sizeof *names ? names[i] : longest;
        void *binder[2], *peer[2];
        for (int c = 0; c < 2; ++c) {
            binder[c] = new_socket (ctx[c], ZMQ_PULL);
            peer[c] = new_socket (ctx[c], ZMQ_PUSH);
            OK (zmq_bind (binder[c], name));
            OK (zmq_connect (peer[c], name));
        }
        send_text (peer[0], "zero", 0);
        expect_no_message (binder[1]);
        expect_text (binder[0], "zero");
        for (int c = 0; c < 2; ++c) {
            close_now (binder[c]);
            close_now (peer[c]);
        }
    }
    end_ctx (ctx[0]);
    end_ctx (ctx[1]);
}

static void INP_2_before_the_bind_the_connecters_limit_counts_then_the_sum (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    set_int (push, ZMQ_SNDHWM, 3);
    set_int (pull, ZMQ_RCVHWM, 2);
    OK (zmq_connect (push, unique_name (name, "hwm")));
    send_text (push, "1", ZMQ_DONTWAIT);
    send_text (push, "2", ZMQ_DONTWAIT);
    OK (zmq_bind (pull, name));
    assert_int_equal (fill (push, 100), 3); /* 2 + 3 = 3 + 2 */
    close_now (push);
    close_now (pull);

    push = new_socket (ctx, ZMQ_PUSH);
    pull = new_socket (ctx, ZMQ_PULL);
    set_int (push, ZMQ_SNDHWM, 3);
    set_int (pull, ZMQ_RCVHWM, 2);
    OK (zmq_connect (push, unique_name (name, "full")));
    assert_int_equal (fill (push, 100), 3);
    OK (zmq_bind (pull, name));
    for (int i = 0; i < 3; ++i)
        expect_text (pull, "fill");
    wait_events (push, ZMQ_POLLOUT); /* the reader has freed space */
    send_text (push, "more", ZMQ_DONTWAIT);
    expect_text (pull, "more");
    close_now (push);
    close_now (pull);
    end_ctx (ctx);
}

static void INP_3_a_name_never_bound_does_not_hold_up_termination (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    assert_int_equal (get_int (push, ZMQ_LINGER), -1);
    OK (zmq_connect (push, unique_name (name, "never")));
    send_text (push, "1", ZMQ_DONTWAIT);
    send_text (push, "2", ZMQ_DONTWAIT);
    OK (zmq_close (push));
    end_ctx (ctx); /* returns */
}

static void INP_4_messages_of_a_closed_connecter_reach_a_later_binder (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    OK (zmq_connect (push, unique_name (name, "late")));
    send_text (push, "1", ZMQ_DONTWAIT);
    send_text (push, "2", ZMQ_DONTWAIT);
    close_now (push); /* LINGER 0 */
    OK (zmq_bind (pull, name));
    expect_text (pull, "1");
    expect_text (pull, "2");
    close_now (pull);
    end_ctx (ctx);
}

static void INP_5_unbinding_keeps_links_and_new_ones_wait (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *old = new_socket (ctx, ZMQ_PULL);
    void *linked = new_socket (ctx, ZMQ_PUSH);
    void *waiting = new_socket (ctx, ZMQ_PUSH);
    void *fresh = new_socket (ctx, ZMQ_PULL);
    OK (zmq_bind (old, unique_name (name, "unbound")));
    OK (zmq_connect (linked, name));
    OK (zmq_unbind (old, name));
    FAILS (zmq_unbind (old, name), ENOENT);
    OK (zmq_connect (waiting, name));
    send_text (linked, "old", 0);
    send_text (waiting, "fresh", 0);
    expect_text (old, "old");
    expect_no_message (old);
    OK (zmq_bind (fresh, name));
    expect_text (fresh, "fresh");
    send_text (linked, "old again", 0);
    expect_text (old, "old again");
    close_now (old);
    close_now (linked);
    close_now (waiting);
    close_now (fresh);
    end_ctx (ctx);
}

static void INP_6_a_closed_binder_ends_the_link_for_good (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *binder = new_socket (ctx, ZMQ_PAIR);
    void *peer = new_socket (ctx, ZMQ_PAIR);
    OK (zmq_bind (binder, unique_name (name, "gone")));
    OK (zmq_connect (peer, name));
    send_text (binder, "unread", 0);
    close_now (binder);
    expect_text (peer, "unread");
    EVENTUALLY (events_of (peer) == 0);
    FAILS (zmq_send (peer, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    binder = new_socket (ctx, ZMQ_PAIR);
    bind_soon (binder, name);
    expect_no_events (peer, ZMQ_POLLOUT | ZMQ_POLLIN);
    close_now (binder);
    close_now (peer);

    /* ROUTER with MANDATORY: the peer is unknown afterwards. */
    binder = new_socket (ctx, ZMQ_DEALER);
    void *router = new_socket (ctx, ZMQ_ROUTER);
    OK (zmq_setsockopt (binder, ZMQ_ROUTING_ID, "D", 1));
    set_int (router, ZMQ_ROUTER_MANDATORY, 1);
    OK (zmq_bind (binder, unique_name (name, "gone")));
    OK (zmq_connect (router, name));
    wait_events (router, ZMQ_POLLOUT);
    send_text (router, "D", ZMQ_SNDMORE);
    send_text (router, "x", 0);
    expect_text (binder, "x");
    close_now (binder);
    EVENTUALLY (events_of (router) == 0);
    FAILS (zmq_send (router, "D", 1, ZMQ_SNDMORE), EHOSTUNREACH);
    close_now (router);
    end_ctx (ctx);
}

static void INP_7_connecting_twice_makes_two_links (void **state)
{
    (void) state;
    static const int types[][2] = {{ZMQ_PUSH, ZMQ_PULL}, {ZMQ_DEALER, ZMQ_DEALER}};
    for (int t = 0; t < 2; ++t) {
        char name[128];
        void *ctx = new_ctx ();
        void *sender = new_socket (ctx, types[t][0]);
        void *receiver = new_socket (ctx, types[t][1]);
        set_int (sender, ZMQ_SNDHWM, 1);
        set_int (receiver, ZMQ_RCVHWM, 1);
        OK (zmq_bind (receiver, unique_name (name, "twice")));
        OK (zmq_connect (sender, name));
        OK (zmq_connect (sender, name));
        assert_int_equal (fill (sender, 100), 4); /* two links with room for two each */
        OK (zmq_disconnect (sender, name));
        FAILS (zmq_disconnect (sender, name), ENOENT);
        for (int i = 0; i < 4; ++i)
            expect_text (receiver, "fill");
        expect_no_message (receiver);
        EVENTUALLY (events_of (sender) == 0);
        FAILS (zmq_send (sender, "x", 1, ZMQ_DONTWAIT), EAGAIN);
        FAILS (zmq_disconnect (sender, "inproc://never-connected"), ENOENT);
        close_now (sender);
        close_now (receiver);
        end_ctx (ctx);
    }
}

static void INP_8_no_monitor_events_and_no_heartbeats (void **state)
{
    (void) state;
    char name[128];
    struct monitor a, b;
    void *ctx = new_ctx ();
    void *binder = new_socket (ctx, ZMQ_PAIR);
    void *peer = new_socket (ctx, ZMQ_PAIR);
    set_int (binder, ZMQ_HEARTBEAT_IVL, 10);
    set_int (peer, ZMQ_HEARTBEAT_IVL, 10);
    monitor_start (&a, ctx, binder, ZMQ_EVENT_ALL);
    monitor_start (&b, ctx, peer, ZMQ_EVENT_ALL);
    OK (zmq_bind (binder, unique_name (name, "silent")));
    OK (zmq_connect (peer, name));
    send_text (peer, "x", 0);
    expect_text (binder, "x");
    monitor_quiet (&a, QUIET_MS);
    monitor_quiet (&b, 0);
    send_text (peer, "y", 0); /* a heartbeat would have ended this link by now */
    expect_text (binder, "y");
    close_now (peer);
    close_now (binder);
    monitor_expect (&b, ZMQ_EVENT_MONITOR_STOPPED);
    monitor_expect (&a, ZMQ_EVENT_MONITOR_STOPPED);
    close_now (a.collector);
    close_now (b.collector);
    end_ctx (ctx);
}

static void INP_8_no_type_check_no_security_and_no_MAXMSGSIZE (void **state)
{
    (void) state;
    char name[128], big[200] = {0}, got[300];
    const int64_t limit = 10;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *dealer = new_socket (ctx, ZMQ_DEALER); /* would be refused over tcp */
    OK (zmq_setsockopt (dealer, ZMQ_MAXMSGSIZE, &limit, sizeof limit));
    set_int (dealer, ZMQ_PLAIN_SERVER, 1);
    OK (zmq_bind (dealer, unique_name (name, "unchecked")));
    OK (zmq_connect (push, name));
    memset (big, 'b', sizeof big);
    assert_int_equal (zmq_send (push, big, sizeof big, ZMQ_DONTWAIT), sizeof big);
    wait_events (dealer, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (dealer, got, sizeof got, 0), sizeof big);
    assert_memory_equal (got, big, sizeof big);
    close_now (push);
    close_now (dealer);
    end_ctx (ctx);
}

static void INP_9_identities_are_passed_as_on_tcp (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *router = new_socket (ctx, ZMQ_ROUTER);
    void *dealer = new_socket (ctx, ZMQ_DEALER);
    OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, "dealer", 6));
    OK (zmq_bind (router, unique_name (name, "identity")));
    OK (zmq_connect (dealer, name));
    send_text (dealer, "x", 0);
    expect_text (router, "dealer");
    expect_text (router, "x");
    send_text (router, "dealer", ZMQ_SNDMORE);
    send_text (router, "y", 0);
    expect_text (dealer, "y");
    close_now (router);
    close_now (dealer);
    end_ctx (ctx);
}

static void INP_9_the_options_of_the_binder_are_those_at_its_bind (void **state)
{
    (void) state;
    char name[128];
    void *ctx = new_ctx ();
    void *dealer = new_socket (ctx, ZMQ_DEALER);
    void *router = new_socket (ctx, ZMQ_ROUTER);
    OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, "before", 6));
    OK (zmq_bind (dealer, unique_name (name, "options")));
    OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, "after", 5));
    OK (zmq_connect (router, name));
    wait_events (dealer, ZMQ_POLLOUT);
    send_text (dealer, "x", 0);
    expect_text (router, "before");
    expect_text (router, "x");
    close_now (dealer);
    close_now (router);
    end_ctx (ctx);
}

/* ---- DIS: unbind and disconnect ---- */

static void DIS_1_unbind_needs_the_reported_endpoint (void **state)
{
    (void) state;
    char endpoint[256], wildcard[64], mixed[64];
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://*:*", endpoint);
    snprintf (wildcard, sizeof wildcard, "tcp://*:%d", port_of (endpoint));
    snprintf (mixed, sizeof mixed, "tcp://127.0.0.1:%d", port_of (endpoint));
    FAILS (zmq_unbind (s, wildcard), ENOENT);
    FAILS (zmq_unbind (s, mixed), ENOENT);
    FAILS (zmq_unbind (s, "tcp://127.0.0.1:1"), ENOENT);
    FAILS (zmq_unbind (s, "inproc://unknown"), ENOENT);
    FAILS (zmq_unbind (s, "ipc:///tmp/unknown"), ENOENT);
    OK (zmq_unbind (s, endpoint));
    FAILS (zmq_unbind (s, endpoint), ENOENT);
    close_now (s);
    end_ctx (ctx);
}

static void DIS_1_an_inproc_name_that_is_bound_and_connected_takes_two_calls (void **state)
{
    (void) state;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    OK (zmq_bind (s, "inproc://both"));
    OK (zmq_connect (s, "inproc://both"));
    OK (zmq_unbind (s, "inproc://both"));
    assert_int_equal (zmq_send (s, "still there", 11, ZMQ_DONTWAIT), 11);
    OK (zmq_unbind (s, "inproc://both"));
    FAILS (zmq_unbind (s, "inproc://both"), ENOENT);
    FAILS (zmq_send (s, "gone", 4, ZMQ_DONTWAIT), EAGAIN);
    close_now (s);
    end_ctx (ctx);
}

static void DIS_1_disconnect_needs_the_text_given_to_connect (void **state)
{
    (void) state;
    char by_name[64], directory[256];
    struct port port;
    struct ipc_place place;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    reserve_port (&port);
    make_ipc_place (&place);
    snprintf (by_name, sizeof by_name, "tcp://localhost:%d", port.number);
    snprintf (directory, sizeof directory, "ipc://%s/./s", place.directory);
    OK (zmq_connect (s, by_name));
    FAILS (zmq_disconnect (s, port.endpoint), ENOENT);
    OK (zmq_disconnect (s, by_name));
    FAILS (zmq_disconnect (s, by_name), ENOENT);
    OK (zmq_connect (s, place.endpoint));
    FAILS (zmq_disconnect (s, directory), ENOENT);
    OK (zmq_disconnect (s, place.endpoint));
    FAILS (zmq_disconnect (s, place.endpoint), ENOENT);
    FAILS (zmq_disconnect (s, "nonsense"), EINVAL);
    FAILS (zmq_disconnect (s, "nonsense://x"), EPROTONOSUPPORT);
    close_now (s);
    end_ctx (ctx);
    release_port (&port);
    remove_ipc_place (&place);
}

static void DIS_1_another_form_of_the_same_numeric_address_is_normalised (void **state)
{
    (void) state;
    static const struct
    {
        int ipv6;
        const char *connect;
        const char *disconnect;
    } cases[] = {
        {0, "tcp://127.0.0.1:%d", "tcp://[127.0.0.1]:%d"},
        {1, "tcp://[::ffff:127.0.0.1]:%d", "tcp://127.0.0.1:%d"},
        {1, "tcp://[::1]:%d", "tcp://[0:0:0:0:0:0:0:1]:%d"},
    };
    struct port port;
    void *ctx = new_ctx ();
    reserve_port (&port);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char given[64], other[64];
        void *s = new_socket (ctx, ZMQ_DEALER);
        set_int (s, ZMQ_IPV6, cases[i].ipv6);
        snprintf (given, sizeof given, cases[i].connect, port.number);
        snprintf (other, sizeof other, cases[i].disconnect, port.number);
        OK (zmq_connect (s, given));
        OK (zmq_disconnect (s, other));
        FAILS (zmq_disconnect (s, given), ENOENT);
        close_now (s);
    }
    end_ctx (ctx);
    release_port (&port);
}

/* Waits for an event of one socket while another one is kept active: the reference finishes unbind and
 * disconnect only then. */
static struct event wait_while_active (struct monitor *m, int id, void *active)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    struct event e;
    for (;;) {
        events_of (active);
        if (monitor_next (m, &e, 5) && e.id == id)
            return e;
        if (now_ms () > end)
            fail_msg ("%s never came; events:%s", event_name (id), m->seen);
    }
}

static void DIS_1_a_transport_that_the_type_may_not_use_is_not_looked_for (void **state)
{
    static const char *const unfit[] = {"udp://127.0.0.1:1", "udp://127.0.0.1:x"};
    (void) state;
    void *ctx = new_ctx ();
    void *pair = new_socket (ctx, ZMQ_PAIR);
    void *pub = new_socket (ctx, ZMQ_PUB);
    for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; ++i) {
        FAILS (zmq_unbind (pair, unfit[i]), ENOCOMPATPROTO);
        FAILS (zmq_disconnect (pair, unfit[i]), ENOCOMPATPROTO);
        FAILS (zmq_disconnect (pub, unfit[i]), ENOCOMPATPROTO);
    }
    close_now (pub);
    close_now (pair);
    end_ctx (ctx);
}

static void DIS_2_unbind_ends_the_accepted_connections (void **state)
{
    (void) state;
    char endpoint[256];
    struct monitor mine, theirs;
    void *ctx = new_ctx ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    void *push = new_socket (ctx, ZMQ_PUSH);
    set_int (push, ZMQ_RECONNECT_IVL, 20);
    monitor_start (&mine, ctx, pull, ZMQ_EVENT_ALL);
    monitor_start (&theirs, ctx, push, ZMQ_EVENT_ALL);
    bind_any (pull, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_connect (push, endpoint));
    send_text (push, "before", 0);
    wait_events (pull, ZMQ_POLLIN);
    monitor_expect (&mine, ZMQ_EVENT_LISTENING);
    monitor_expect (&mine, ZMQ_EVENT_ACCEPTED);
    monitor_expect (&mine, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    monitor_expect_connection (&theirs, true);

    OK (zmq_unbind (pull, endpoint));
    monitor_expect (&mine, ZMQ_EVENT_CLOSED);
    expect_text (pull, "before"); /* already received */
    wait_while_active (&theirs, ZMQ_EVENT_DISCONNECTED, pull);
    monitor_expect (&theirs, ZMQ_EVENT_CONNECT_RETRIED);
    monitor_quiet (&mine, QUIET_MS);
    monitor_close (&theirs, push);
    monitor_close (&mine, pull);
    end_ctx (ctx);
}

/* A PUSH that unbinds when it has sent the first part of a message, and whose I/O thread has then been at work. */
static void *unbound_in_a_message (void *ctx, int linger, void **pull, struct monitor *theirs)
{
    char endpoint[256], other[256];
    void *push = new_socket (ctx, ZMQ_PUSH);
    *pull = new_socket (ctx, ZMQ_PULL);
    set_int (push, ZMQ_LINGER, linger);
    monitor_start (theirs, ctx, *pull, ZMQ_EVENT_ALL);
    bind_any (push, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_connect (*pull, endpoint));
    send_text (push, "f1", ZMQ_SNDMORE);
    OK (zmq_unbind (push, endpoint));
    void *from = new_socket (ctx, ZMQ_PUSH), *to = new_socket (ctx, ZMQ_PULL);
    bind_any (to, "tcp://127.0.0.1:*", other);
    OK (zmq_connect (from, other));
    send_text (from, "hello", 0);
    expect_text (to, "hello");
    close_now (from);
    close_now (to);
    return push;
}

static void DIS_2_a_message_that_unbind_meets_half_sent_arrives_whole (void **state)
{
    (void) state;
    OURS_IS_BETTER ("swallows the rest of the message");
    struct monitor theirs;
    void *pull, *ctx = new_ctx (), *push = unbound_in_a_message (ctx, -1, &pull, &theirs);
    send_text (push, "f2", ZMQ_SNDMORE);
    send_text (push, "f3", 0);
    expect_text (pull, "f1");
    expect_text (pull, "f2");
    expect_text (pull, "f3");
    wait_while_active (&theirs, ZMQ_EVENT_DISCONNECTED, push);
    FAILS (zmq_send (push, "next", 4, ZMQ_DONTWAIT), EAGAIN);
    monitor_close (&theirs, pull);
    close_now (push);
    end_ctx (ctx);
}

static void DIS_2_a_message_that_unbind_meets_half_sent_is_swallowed_when_linger_is_over (void **state)
{
    (void) state;
    for (int linger = 0; linger <= 20; linger += 20) {
        struct monitor theirs;
        void *pull, *ctx = new_ctx (), *push = unbound_in_a_message (ctx, linger, &pull, &theirs);
        wait_while_active (&theirs, ZMQ_EVENT_DISCONNECTED, push);
        send_text (push, "f2", ZMQ_SNDMORE);
        send_text (push, "f3", 0);
        FAILS (zmq_send (push, "next", 4, ZMQ_DONTWAIT), EAGAIN);
        FAILS (zmq_recv (pull, NULL, 0, ZMQ_DONTWAIT), EAGAIN);
        monitor_close (&theirs, pull);
        close_now (push);
        end_ctx (ctx);
    }
}

/* Nor does a context wait for it. */
static void DIS_2_a_socket_that_unbinds_and_closes_in_a_message_ends (void **state)
{
    (void) state;
    struct monitor theirs;
    void *pull, *ctx = new_ctx (), *push = unbound_in_a_message (ctx, -1, &pull, &theirs);
    OK (zmq_close (push));
    wait_while_active (&theirs, ZMQ_EVENT_DISCONNECTED, pull);
    FAILS (zmq_recv (pull, NULL, 0, ZMQ_DONTWAIT), EAGAIN);
    monitor_close (&theirs, pull);
    end_ctx (ctx);
}

/* All of it, and however late the program comes for it: the connection is gone by then. */
static void DIS_2_what_was_received_before_unbind_is_read_after_it (void **state)
{
    (void) state;
    OURS_IS_BETTER ("keeps the connections up until the program has read what came by them");
    enum { count = 200 };
    for (int round = 0; round < 20; ++round) {
        char endpoint[256], text[16];
        struct monitor theirs;
        void *ctx = new_ctx ();
        void *pull = new_socket (ctx, ZMQ_PULL);
        void *push = new_socket (ctx, ZMQ_PUSH);
        monitor_start (&theirs, ctx, push, ZMQ_EVENT_ALL);
        bind_any (pull, round % 2 ? "ipc://*" : "tcp://127.0.0.1:*", endpoint);
        OK (zmq_connect (push, endpoint));
        for (int i = 0; i < count; ++i) {
            snprintf (text, sizeof text, "%d", i);
            send_text (push, text, 0);
        }
        if (round % 4 < 2)
            wait_events (pull, ZMQ_POLLIN);
        else
            expect_text (pull, "0");
        OK (zmq_unbind (pull, endpoint));
        wait_while_active (&theirs, ZMQ_EVENT_DISCONNECTED, pull);
        /* What was still on its way may be missing, but nothing in the middle. */
        int next = round % 4 < 2 ? 0 : 1;
        if (next == 0)
            expect_text (pull, "0"), next = 1;
        for (;;) {
            const int size = zmq_recv (pull, text, sizeof text - 1, ZMQ_DONTWAIT);
            if (size < 0)
                break;
            text[size] = 0;
            assert_int_equal (atoi (text), next);
            ++next;
        }
        assert_int_equal (zmq_errno (), EAGAIN);
        monitor_close (&theirs, push);
        OK (zmq_close (pull));
        end_ctx (ctx);
    }
}

static void DIS_3_disconnect_discards_unread_messages (void **state)
{
    (void) state;
    char endpoint[256], byte;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    bind_any (push, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_connect (pull, endpoint));
    for (int i = 0; i < 3; ++i)
        send_text (push, "unread", 0);
    wait_events (pull, ZMQ_POLLIN);
    OK (zmq_disconnect (pull, endpoint));
    FAILS (zmq_recv (pull, &byte, 1, ZMQ_DONTWAIT), EAGAIN);
    expect_no_message (pull);
    close_now (push);
    close_now (pull);
    end_ctx (ctx);
}

static void disconnect_with_100_queued (int linger, bool listening, int arrive)
{
    struct port port;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    reserve_port (&port);
    set_int (push, ZMQ_LINGER, linger);
    set_int (push, ZMQ_RECONNECT_IVL, 10);
    if (listening)
        OK (zmq_bind (pull, port.endpoint));
    OK (zmq_connect (push, port.endpoint));
    for (int i = 0; i < 100; ++i) {
        char text[16];
        snprintf (text, sizeof text, "%d", i);
        send_text (push, text, 0);
    }
    OK (zmq_disconnect (push, port.endpoint));
    FAILS (zmq_send (push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    assert_int_equal (events_of (push), 0);
    if (!listening)
        OK (zmq_bind (pull, port.endpoint));
    for (int i = 0; i < arrive; ++i) {
        char text[16];
        snprintf (text, sizeof text, "%d", i);
        expect_text (pull, text);
    }
    expect_no_message (pull);
    close_now (push);
    close_now (pull);
    end_ctx (ctx);
    release_port (&port);
}

static void DIS_4_disconnect_sends_the_rest_within_LINGER (void **state)
{
    (void) state;
    disconnect_with_100_queued (-1, true, 100);
    disconnect_with_100_queued (-1, false, 100);
    disconnect_with_100_queued (2 * DEADLINE_MS, false, 100);
}

static void DIS_4_disconnect_with_LINGER_0_drops_the_rest (void **state)
{
    (void) state;
    disconnect_with_100_queued (0, false, 0);
}

static void DIS_5_disconnect_ends_every_connection_of_the_uri (void **state)
{
    (void) state;
    struct port port, other;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    reserve_port (&port);
    reserve_port (&other);
    listen_at (&port);
    listen_at (&other);
    OK (zmq_connect (push, port.endpoint));
    OK (zmq_connect (push, port.endpoint));
    OK (zmq_connect (push, other.endpoint));
    int fds[2] = {accept_one (&port), accept_one (&port)};
    const int kept = accept_one (&other);
    handshake (fds[0], "PULL");
    handshake (fds[1], "PULL");
    handshake (kept, "PULL");
    OK (zmq_disconnect (push, port.endpoint));
    FAILS (zmq_disconnect (push, port.endpoint), ENOENT);
    for (int i = 0; i < 2; ++i) {
        const int64_t end = now_ms () + DEADLINE_MS;
        while (!closed_within (fds[i], 5)) {
            events_of (push);
            assert_true (now_ms () < end);
        }
        close (fds[i]);
    }
    send_text (push, "still", 0); /* the other endpoint is unaffected */
    expect_frame_text (kept, 0, "still");
    assert_int_equal (accept_within (&port, QUIET_MS), -1);
    close (kept);
    close_now (push);
    end_ctx (ctx);
    release_port (&port);
    release_port (&other);
}

static void DIS_6_disconnect_closes_the_connection_without_app_activity (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference keeps the TCP connection until the socket is used again");
    struct port port;
    void *ctx = new_ctx ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    reserve_port (&port);
    listen_at (&port);
    OK (zmq_connect (pull, port.endpoint));
    const int fd = accept_one (&port);
    handshake (fd, "PUSH");
    send_frame_text (fd, 0, "x");
    expect_text (pull, "x");
    OK (zmq_disconnect (pull, port.endpoint));
    expect_closed (fd);
    close (fd);
    close_now (pull);
    end_ctx (ctx);
    release_port (&port);
}

static void DIS_6_a_STREAM_close_is_prompt (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference keeps the TCP connection until the socket is used again");
    char endpoint[256], id[5];
    void *ctx = new_ctx ();
    void *stream = new_socket (ctx, ZMQ_STREAM);
    bind_any (stream, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    wait_events (stream, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (stream, id, 5, 0), 5);
    expect_text (stream, "");
    assert_int_equal (zmq_send (stream, id, 5, ZMQ_SNDMORE), 5);
    assert_int_equal (zmq_send (stream, "", 0, 0), 0);
    expect_closed (fd);
    close (fd);
    close_now (stream);
    end_ctx (ctx);
}

static void DIS_7_what_arrived_before_the_peer_left_stays_readable (void **state)
{
    (void) state;
    char endpoint[256];
    void *ctx = new_ctx ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    bind_any (pull, "tcp://127.0.0.1:*", endpoint);
    for (int by_close = 0; by_close < 2; ++by_close) {
        struct monitor m;
        void *push = new_socket (ctx, ZMQ_PUSH);
        monitor_start (&m, ctx, pull, ZMQ_EVENT_DISCONNECTED);
        OK (zmq_connect (push, endpoint));
        for (int i = 0; i < 3; ++i)
            send_text (push, "kept", 0);
        if (by_close)
            OK (zmq_close (push)); /* lingers until sent */
        else {
            OK (zmq_disconnect (push, endpoint));
            EVENTUALLY (events_of (push) == 0);
        }
        /* Not a single message is read before the peer has gone. */
        const int64_t end = now_ms () + DEADLINE_MS;
        struct event e;
        while (!monitor_next (&m, &e, 5)) {
            if (!by_close)
                events_of (push);
            assert_true (now_ms () < end);
        }
        assert_int_equal (e.id, ZMQ_EVENT_DISCONNECTED);
        for (int i = 0; i < 3; ++i)
            expect_text (pull, "kept");
        expect_no_message (pull);
        OK (zmq_socket_monitor (pull, NULL, 0));
        close_now (m.collector);
        if (!by_close)
            close_now (push);
    }
    close_now (pull);
    end_ctx (ctx);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (CON_1_order_of_bind_and_connect_does_not_matter),
        TEST (CON_1_connect_returns_0_without_a_listener),
        TEST (CON_2_connect_to_an_unresolvable_name_returns_0_and_is_retried),
        TEST (CON_2_connect_to_a_missing_ipc_path_works_once_it_exists),
        TEST (CON_3_a_connected_pipe_exists_inside_connect),
        TEST (CON_3_with_IMMEDIATE_the_pipe_exists_after_the_handshake),
        TEST (CON_3_an_accepted_pipe_exists_after_the_handshake),
        TEST (CON_3_a_raw_pipe_exists_at_accept_and_inside_connect),
        TEST (CON_3_inproc_pipes_exist_inside_connect_and_inside_bind),
        TEST (CON_4_messages_sent_before_the_peer_binds_arrive),
        TEST (CON_5_a_bound_socket_without_peers_blocks_or_drops),
        TEST (CON_6_one_socket_binds_and_connects_to_any_mix),
        TEST (CON_7_addresses_in_use_and_unusable_addresses),
        TEST (CON_7_bind_to_localhost_is_resolved_or_ENODEV),
        TEST (CON_8_ipc_bind_replaces_an_existing_file),
        TEST (CON_8_a_second_ipc_bind_takes_the_new_connections),
        TEST (CON_8_the_ipc_file_remains_after_unbind_and_close),
        TEST (CON_8_abstract_names_and_missing_directories),
        TEST (CON_9_wildcards_show_the_real_address),
        TEST (CON_9_ipc_wildcard_makes_a_directory_that_goes_away),
        TEST (CON_10_last_endpoint_after_connect_is_the_text_given),
        TEST (CON_11_without_io_threads_only_inproc_works),
        TEST (CON_12_a_second_connect_to_the_same_uri),
        TEST (CON_12_the_duplicate_of_DEALER_REQ_SUB_PUB_is_a_no_op),
        TEST (CON_13_connect_after_giving_up_is_a_no_op_until_disconnect),
        TEST (CON_14_a_port_in_TIME_WAIT_can_be_bound_at_once),
        TEST (CON_15_unbind_releases_the_port_before_it_returns),
        TEST (CON_15_close_releases_the_port_before_it_returns),
        TEST (CON_15_the_port_is_free_soon_after_unbind_and_close),
        TEST (CON_16_IMMEDIATE_does_not_touch_accepted_connections),
        TEST (INP_1_names_belong_to_the_context_and_are_arbitrary),
        TEST (INP_2_before_the_bind_the_connecters_limit_counts_then_the_sum),
        TEST (INP_3_a_name_never_bound_does_not_hold_up_termination),
        TEST (INP_4_messages_of_a_closed_connecter_reach_a_later_binder),
        TEST (INP_5_unbinding_keeps_links_and_new_ones_wait),
        TEST (INP_6_a_closed_binder_ends_the_link_for_good),
        TEST (INP_7_connecting_twice_makes_two_links),
        TEST (INP_8_no_monitor_events_and_no_heartbeats),
        TEST (INP_8_no_type_check_no_security_and_no_MAXMSGSIZE),
        TEST (INP_9_identities_are_passed_as_on_tcp),
        TEST (INP_9_the_options_of_the_binder_are_those_at_its_bind),
        TEST (DIS_1_unbind_needs_the_reported_endpoint),
        TEST (DIS_1_an_inproc_name_that_is_bound_and_connected_takes_two_calls),
        TEST (DIS_1_disconnect_needs_the_text_given_to_connect),
        TEST (DIS_1_another_form_of_the_same_numeric_address_is_normalised),
        TEST (DIS_1_a_transport_that_the_type_may_not_use_is_not_looked_for),
        TEST (DIS_2_unbind_ends_the_accepted_connections),
        TEST (DIS_2_a_message_that_unbind_meets_half_sent_arrives_whole),
        TEST (DIS_2_a_message_that_unbind_meets_half_sent_is_swallowed_when_linger_is_over),
        TEST (DIS_2_a_socket_that_unbinds_and_closes_in_a_message_ends),
        TEST (DIS_2_what_was_received_before_unbind_is_read_after_it),
        TEST (DIS_3_disconnect_discards_unread_messages),
        TEST (DIS_4_disconnect_sends_the_rest_within_LINGER),
        TEST (DIS_4_disconnect_with_LINGER_0_drops_the_rest),
        TEST (DIS_5_disconnect_ends_every_connection_of_the_uri),
        TEST (DIS_6_disconnect_closes_the_connection_without_app_activity),
        TEST (DIS_6_a_STREAM_close_is_prompt),
        TEST (DIS_7_what_arrived_before_the_peer_left_stays_readable),
    };
    return cmocka_run_group_tests_name ("endpoints", tests, NULL, NULL);
}
