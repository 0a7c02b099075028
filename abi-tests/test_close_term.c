/* Closing sockets and terminating contexts: statements CL-* and TERM-* of lifecycle.md. */
#include "lifecycle_support.h"

#include <dirent.h>
#include <sys/wait.h>

/* ---- CL: closing sockets ---- */

/* A PUSH with one message for a peer that does not exist yet. */
static void *push_to_nobody (void *ctx, struct port *port, int linger)
{
    void *s = new_socket (ctx, ZMQ_PUSH);
    set_int (s, ZMQ_LINGER, linger);
    set_int (s, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (s, port->endpoint));
    send_text (s, "pending", ZMQ_DONTWAIT);
    return s;
}

static void expect_pending_message (struct port *port)
{
    listen_at (port);
    const int fd = accept_one (port);
    handshake (fd, "PULL");
    expect_frame_text (fd, 0, "pending");
    expect_closed (fd);
    close (fd);
}

static void CL_1_close_returns_0_at_once_and_the_handle_is_dead (void **state)
{
    (void) state;
    struct port port;
    char buffer[64];
    size_t size = sizeof buffer;
    void *ctx = new_ctx ();
    reserve_port (&port);
    void *s = push_to_nobody (ctx, &port, 500);
    const int64_t start = now_ms ();
    assert_int_equal (zmq_close (s), 0);
    assert_true (now_ms () - start < 400); /* LINGER is not waited for here */
    FAILS (zmq_close (s), ENOTSOCK);
    FAILS (zmq_send (s, "x", 1, ZMQ_DONTWAIT), ENOTSOCK);
    FAILS (zmq_recv (s, buffer, sizeof buffer, ZMQ_DONTWAIT), ENOTSOCK);
    FAILS (zmq_bind (s, "inproc://dead"), ENOTSOCK);
    FAILS (zmq_connect (s, "inproc://dead"), ENOTSOCK);
    FAILS (zmq_unbind (s, "inproc://dead"), ENOTSOCK);
    FAILS (zmq_disconnect (s, "inproc://dead"), ENOTSOCK);
    FAILS (zmq_getsockopt (s, ZMQ_LAST_ENDPOINT, buffer, &size), ENOTSOCK);
    FAILS (zmq_setsockopt (s, ZMQ_LINGER, &(int){0}, sizeof (int)), ENOTSOCK);
    FAILS (zmq_socket_monitor (s, "inproc://dead", ZMQ_EVENT_ALL), ENOTSOCK);
    zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
    FAILS (zmq_poll (&item, 1, 0), ENOTSOCK);
    FAILS (zmq_close (NULL), ENOTSOCK);
    end_ctx (ctx);
    release_port (&port);
}

/* A peer that goes on talking, and takes nothing for longer than a second: what comes after the socket's end must not be
 * answered with a reset, which would destroy what the kernels hold. */
static void CL_2_unlimited_LINGER_waits_for_a_peer_that_talks_and_stalls (void **state)
{
    (void) state;
    OURS_IS_BETTER ("closes as soon as its kernel has everything");
    char endpoint[256];
    void *ctx = new_ctx (), *s = new_socket (ctx, ZMQ_DEALER);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    handshake (fd, "DEALER");
    leave_much_behind (s, fd);
    for (int i = 0; i < 13; ++i) {
        send_frame (fd, 0, "hello?", 6);
        pause_ms (100);
    }
    expect_what_was_left (fd);
    close (fd);
    end_ctx (ctx);
}

static void CL_2_unlimited_LINGER_keeps_trying_until_delivered (void **state)
{
    (void) state;
    struct port port;
    struct terminator t;
    void *ctx = new_ctx ();
    reserve_port (&port);
    OK (zmq_close (push_to_nobody (ctx, &port, -1)));
    start_term (&t, ctx);
    pause_ms (QUIET_MS); /* several refused attempts */
    assert_false (term_returned (&t));

    /* A connection that breaks during the handshake does not end it either. */
    listen_at (&port);
    close (accept_one (&port));
    assert_false (term_returned (&t));
    expect_pending_message (&port);
    finish_term (&t);
    release_port (&port);
}

static void CL_2_LINGER_0_drops_unsent_messages (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    reserve_port (&port);
    OK (zmq_close (push_to_nobody (ctx, &port, 0)));
    end_ctx (ctx); /* returns */
    listen_at (&port);
    assert_int_equal (accept_within (&port, QUIET_MS), -1);
    release_port (&port);
}

static void CL_2_a_finite_LINGER_drops_after_its_time (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    reserve_port (&port);
    const int64_t start = now_ms ();
    OK (zmq_close (push_to_nobody (ctx, &port, 300)));
    end_ctx (ctx);
    assert_true (now_ms () - start >= 295);
    listen_at (&port);
    assert_int_equal (accept_within (&port, QUIET_MS), -1);
    release_port (&port);
}

static void CL_2_a_finite_LINGER_delivers_in_time (void **state)
{
    (void) state;
    struct port port;
    struct terminator t;
    void *ctx = new_ctx ();
    reserve_port (&port);
    OK (zmq_close (push_to_nobody (ctx, &port, 4 * DEADLINE_MS)));
    start_term (&t, ctx);
    expect_pending_message (&port);
    finish_term (&t); /* much earlier than LINGER */
    release_port (&port);
}

static void CL_2_the_LINGER_at_the_moment_of_close_counts (void **state)
{
    (void) state;
    struct port port;
    struct terminator t;
    reserve_port (&port);

    void *ctx = new_ctx ();
    void *s = push_to_nobody (ctx, &port, -1);
    set_int (s, ZMQ_LINGER, 0);
    OK (zmq_close (s));
    end_ctx (ctx); /* returns */

    ctx = new_ctx ();
    s = push_to_nobody (ctx, &port, 0);
    set_int (s, ZMQ_LINGER, -1);
    OK (zmq_close (s));
    start_term (&t, ctx);
    expect_pending_message (&port);
    finish_term (&t);
    release_port (&port);
}

static void CL_3_only_zmq_ctx_term_waits_not_the_end_of_the_process (void **state)
{
    (void) state;
    struct port port;
    reserve_port (&port);
    fflush (NULL);
    const pid_t child = fork ();
    assert_true (child >= 0);
    if (child == 0) {
        set_watchdog (30);
        static void *ctx; /* to be found by leak checkers: what they say would change the exit code */
        ctx = zmq_ctx_new ();
        void *s = zmq_socket (ctx, ZMQ_PUSH);
        const bool fine = ctx && s && zmq_connect (s, port.endpoint) == 0
                          && zmq_send (s, "pending", 7, ZMQ_DONTWAIT) == 7 && zmq_close (s) == 0;
        exit (fine ? 7 : 1); /* no zmq_ctx_term */
    }
    int status = 0;
    pid_t got = 0;
    EVENTUALLY ((got = waitpid (child, &status, WNOHANG)) != 0);
    assert_int_equal (got, child);
    assert_true (WIFEXITED (status));
    assert_int_equal (WEXITSTATUS (status), 7);
    listen_at (&port);
    assert_int_equal (accept_within (&port, QUIET_MS), -1);
    release_port (&port);
}

static void CL_4_a_half_written_message_is_finished_and_then_the_connection_ends (void **state)
{
    (void) state;
    struct port port;
    struct terminator t;
    const int small = 4096;
    const size_t huge = (under_memcheck () ? 1 : 8) * 1024 * 1024; /* through so narrow a window */
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    reserve_port (&port);
    assert_int_equal (setsockopt (port.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    listen_at (&port);
    set_int (s, ZMQ_LINGER, -1);
    set_int (s, ZMQ_SNDBUF, small);
    OK (zmq_connect (s, port.endpoint));
    const int fd = accept_one (&port);
    handshake (fd, "PULL");
    unsigned char *body = malloc (huge);
    assert_non_null (body);
    for (size_t i = 0; i < huge; ++i)
        body[i] = (unsigned char) (i * 31 >> 3);
    assert_int_equal (zmq_send (s, body, huge, 0), huge);
    send_text (s, "after it", 0);
    OK (zmq_close (s));
    start_term (&t, ctx);
    pause_ms (QUIET_MS);
    assert_false (term_returned (&t)); /* the kernel cannot have taken it all */
    unsigned char head[9];
    expect_bytes (fd, head, sizeof head);
    assert_int_equal (head[0], FLAG_LARGE);
    unsigned char *got = malloc (huge);
    assert_non_null (got);
    expect_bytes (fd, got, huge);
    assert_memory_equal (got, body, huge);
    expect_frame_text (fd, 0, "after it");
    assert_int_equal (recv (fd, head, 1, 0), 0); /* an orderly end */
    finish_term (&t);
    free (body);
    free (got);
    close (fd);
    release_port (&port);
}

static void CL_5_default_LINGER (void **state)
{
    (void) state;
    static const int types[] = {ZMQ_PAIR,   ZMQ_PUB,  ZMQ_SUB,  ZMQ_REQ,  ZMQ_REP,  ZMQ_DEALER,
                                ZMQ_ROUTER, ZMQ_PULL, ZMQ_PUSH, ZMQ_XPUB, ZMQ_XSUB, ZMQ_STREAM};
    void *ctx = new_ctx ();
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
        void *s = new_socket (ctx, types[i]);
        const int expected = types[i] == ZMQ_SUB || types[i] == ZMQ_XSUB ? 0 : -1;
        if (get_int (s, ZMQ_LINGER) != expected)
            fail_msg ("type %d: LINGER %d", types[i], get_int (s, ZMQ_LINGER));
        close_now (s);
    }
    /* BLOCKY counts when the socket is made. */
    void *before = new_socket (ctx, ZMQ_PUSH);
    OK (zmq_ctx_set (ctx, ZMQ_BLOCKY, 0));
    assert_int_equal (get_int (before, ZMQ_LINGER), -1);
    close_now (before);
    for (size_t i = 0; i < sizeof types / sizeof *types; ++i) {
        void *s = new_socket (ctx, types[i]);
        assert_int_equal (get_int (s, ZMQ_LINGER), 0);
        close_now (s);
    }
    end_ctx (ctx);
}

static void CL_5_without_BLOCKY_termination_does_not_wait (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    reserve_port (&port);
    OK (zmq_ctx_set (ctx, ZMQ_BLOCKY, 0));
    void *s = new_socket (ctx, ZMQ_PUSH);
    OK (zmq_connect (s, port.endpoint));
    send_text (s, "x", 0);
    OK (zmq_close (s));
    end_ctx (ctx); /* returns, though nobody took the message */
    release_port (&port);
}

static void CL_6_term_waits_for_a_peer_with_the_default_LINGER (void **state)
{
    (void) state;
    struct port port;
    struct terminator t;
    void *ctx = new_ctx ();
    void *other = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (other, ZMQ_PULL);
    reserve_port (&port);
    set_int (push, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (push, port.endpoint));
    send_text (push, "pending", 0);
    OK (zmq_close (push));
    start_term (&t, ctx);
    pause_ms (QUIET_MS);
    assert_false (term_returned (&t));
    OK (zmq_bind (pull, port.endpoint));
    expect_text (pull, "pending");
    finish_term (&t);
    close_now (pull);
    end_ctx (other);
    release_port (&port);
}

static void CL_6_LINGER_400_bounds_the_wait (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    reserve_port (&port);
    OK (zmq_close (push_to_nobody (ctx, &port, 400)));
    const int64_t start = now_ms ();
    end_ctx (ctx);
    assert_true (now_ms () - start >= 390);
    release_port (&port);
}

static void CL_6_a_PUB_without_subscribers_has_nothing_to_send (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PUB);
    reserve_port (&port);
    assert_int_equal (get_int (s, ZMQ_LINGER), -1);
    OK (zmq_connect (s, port.endpoint));
    for (int i = 0; i < 10; ++i)
        send_text (s, "x", 0);
    OK (zmq_close (s));
    end_ctx (ctx); /* returns */
    release_port (&port);
}

static void CL_7_inproc_messages_stay_readable_whatever_LINGER (void **state)
{
    (void) state;
    for (int linger = -1; linger < 1; ++linger) {
        char name[128];
        void *ctx = new_ctx ();
        void *push = new_socket (ctx, ZMQ_PUSH);
        void *pull = new_socket (ctx, ZMQ_PULL);
        set_int (push, ZMQ_LINGER, linger);
        OK (zmq_bind (pull, unique_name (name, "linger")));
        OK (zmq_connect (push, name));
        for (int i = 0; i < 3; ++i)
            send_text (push, "kept", 0);
        OK (zmq_close (push));
        for (int i = 0; i < 3; ++i)
            expect_text (pull, "kept");
        close_now (pull);
        end_ctx (ctx);
    }
}

static void CL_8_an_incomplete_multipart_is_discarded (void **state)
{
    (void) state;
    char endpoint[256];
    for (int inproc = 0; inproc < 2; ++inproc) {
        void *ctx = new_ctx ();
        void *other = new_ctx ();
        void *push = new_socket (ctx, ZMQ_PUSH);
        void *pull = new_socket (inproc ? ctx : other, ZMQ_PULL);
        bind_any (pull, inproc ? "inproc://incomplete" : "tcp://127.0.0.1:*", endpoint);
        OK (zmq_connect (push, endpoint));
        send_text (push, "whole", 0);
        send_text (push, "half", ZMQ_SNDMORE);
        OK (zmq_close (push)); /* default LINGER */
        expect_text (pull, "whole");
        expect_no_message (pull);
        close_now (pull);
        end_ctx (ctx);
        end_ctx (other);
    }
    /* Nor does it hold up termination. */
    struct port port;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    reserve_port (&port);
    OK (zmq_connect (push, port.endpoint));
    send_text (push, "half", ZMQ_SNDMORE);
    OK (zmq_close (push));
    end_ctx (ctx);
    release_port (&port);
}

static void CL_9_closing_discards_unread_messages_without_telling_the_peer (void **state)
{
    (void) state;
    char endpoint[256];
    void *ctx = new_ctx ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    bind_any (pull, "tcp://127.0.0.1:*", endpoint);
    const int fd = connect_raw (endpoint);
    handshake (fd, "PUSH");
    send_frame_text (fd, 0, "unread 1");
    send_frame_text (fd, 0, "unread 2");
    wait_events (pull, ZMQ_POLLIN);
    OK (zmq_close (pull)); /* default LINGER: does not matter for incoming ones */
    end_ctx (ctx);
    char byte;
    assert_int_equal (read_raw (fd, &byte, 1, DEADLINE_MS), 0); /* only the end of the stream */
    close (fd);
}

static void CL_10_a_lingering_socket_still_counts_for_MAX_SOCKETS (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    reserve_port (&port);
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 2));
    void *other = new_socket (ctx, ZMQ_PULL);
    OK (zmq_close (push_to_nobody (ctx, &port, 400)));
    const int64_t start = now_ms ();
    void *s = zmq_socket (ctx, ZMQ_PULL);
    if (now_ms () - start < 300) { /* unless the machine was too busy to look in time */
        assert_null (s);
        assert_int_equal (zmq_errno (), EMFILE);
    }
    EVENTUALLY (s || (s = zmq_socket (ctx, ZMQ_PULL)) != NULL);
    close_now (s);
    close_now (other);
    end_ctx (ctx);
    release_port (&port);
}

static void *use_and_close (void *s)
{
    char byte;
    zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
    return (void *) (intptr_t) (zmq_poll (&item, 1, DEADLINE_MS) == 1 && zmq_recv (s, &byte, 1, ZMQ_DONTWAIT) == 1
                                && zmq_close (s) == 0);
}

static void CL_11_a_socket_may_be_closed_by_another_thread (void **state)
{
    (void) state;
    char endpoint[256];
    pthread_t thread;
    void *fine = NULL;
    void *ctx = new_ctx ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    void *push = new_socket (ctx, ZMQ_PUSH);
    bind_any (pull, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_connect (push, endpoint));
    send_text (push, "1", 0);
    expect_text (pull, "1");
    send_text (push, "2", 0);
    assert_int_equal (pthread_create (&thread, NULL, use_and_close, pull), 0);
    pthread_join (thread, &fine);
    assert_true (fine != NULL);
    close_now (push);
    end_ctx (ctx);
}

/* ---- TERM: terminating contexts ---- */

struct blocked
{
    pthread_t thread;
    void *s;
    int how; /* 0 recv, 1 send, 2 poll, 3 msg_recv */
    int result;
    int error;
    int close_after_ms;
    atomic_bool started;
    atomic_bool done;
};

static void *blocked_main (void *arg)
{
    struct blocked *b = arg;
    char buffer[8];
    zmq_pollitem_t item = {b->s, 0, ZMQ_POLLIN, 0};
    zmq_msg_t msg;
    atomic_store (&b->started, true);
    switch (b->how) {
    case 0:
        b->result = zmq_recv (b->s, buffer, sizeof buffer, 0);
        break;
    case 1:
        b->result = zmq_send (b->s, "x", 1, 0);
        break;
    case 2:
        b->result = zmq_poll (&item, 1, -1);
        break;
    default:
        zmq_msg_init (&msg);
        b->result = zmq_msg_recv (&msg, b->s, 0);
        b->error = zmq_errno ();
        zmq_msg_close (&msg);
    }
    if (b->how != 3)
        b->error = zmq_errno ();
    atomic_store (&b->done, true);
    if (b->close_after_ms >= 0) {
        pause_ms (b->close_after_ms);
        zmq_close (b->s);
    }
    return NULL;
}

static void start_blocked (struct blocked *b, void *s, int how, int close_after_ms)
{
    b->s = s;
    b->how = how;
    b->close_after_ms = close_after_ms;
    atomic_init (&b->started, false);
    atomic_init (&b->done, false);
    assert_int_equal (pthread_create (&b->thread, NULL, blocked_main, b), 0);
    EVENTUALLY (atomic_load (&b->started));
}

static void TERM_1_blocking_calls_get_ETERM_and_term_waits_for_the_closes (void **state)
{
    (void) state;
    static const int types[] = {ZMQ_PULL, ZMQ_PUSH, ZMQ_PULL, ZMQ_SUB};
    char endpoint[256];
    struct terminator t;
    struct blocked b[4];
    void *ctx = new_ctx ();
    for (int i = 0; i < 4; ++i) {
        void *s = new_socket (ctx, types[i]);
        bind_any (s, "tcp://127.0.0.1:*", endpoint);
        start_blocked (&b[i], s, i, -1);
    }
    pause_ms (30);
    for (int i = 0; i < 4; ++i)
        assert_false (atomic_load (&b[i].done));
    start_term (&t, ctx);
    for (int i = 0; i < 4; ++i) {
        EVENTUALLY (atomic_load (&b[i].done));
        pthread_join (b[i].thread, NULL);
        assert_int_equal (b[i].result, -1);
        assert_int_equal (b[i].error, ETERM);
    }
    for (int i = 0; i < 4; ++i) {
        pause_ms (30);
        assert_false (term_returned (&t)); /* an unclosed socket holds it up */
        OK (zmq_close (b[i].s));
    }
    finish_term (&t);
}

static void TERM_2_every_call_fails_with_ETERM_except_close (void **state)
{
    (void) state;
    char endpoint[256], buffer[64];
    size_t size = sizeof buffer;
    int value = 0;
    size_t value_size = sizeof value;
    zmq_msg_t msg;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_DEALER);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_connect (s, "inproc://terminated"));
    OK (zmq_ctx_shutdown (ctx));
    FAILS (zmq_recv (s, buffer, sizeof buffer, 0), ETERM);
    FAILS (zmq_recv (s, buffer, sizeof buffer, ZMQ_DONTWAIT), ETERM);
    FAILS (zmq_send (s, "x", 1, 0), ETERM);
    FAILS (zmq_send (s, "x", 1, ZMQ_DONTWAIT), ETERM);
    OK (zmq_msg_init (&msg));
    FAILS (zmq_msg_send (&msg, s, 0), ETERM);
    FAILS (zmq_msg_recv (&msg, s, 0), ETERM);
    OK (zmq_msg_close (&msg));
    FAILS (zmq_bind (s, "tcp://127.0.0.1:*"), ETERM);
    FAILS (zmq_connect (s, "tcp://127.0.0.1:5555"), ETERM);
    FAILS (zmq_bind (s, "inproc://other"), ETERM);
    FAILS (zmq_connect (s, "inproc://other"), ETERM);
    FAILS (zmq_unbind (s, endpoint), ETERM);
    FAILS (zmq_disconnect (s, "inproc://terminated"), ETERM);
    FAILS (zmq_getsockopt (s, ZMQ_EVENTS, &value, &value_size), ETERM);
    FAILS (zmq_getsockopt (s, ZMQ_LAST_ENDPOINT, buffer, &size), ETERM);
    FAILS (zmq_setsockopt (s, ZMQ_LINGER, &value, sizeof value), ETERM);
    FAILS (zmq_socket_monitor (s, "inproc://monitor-late", ZMQ_EVENT_ALL), ETERM);
    zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
    FAILS (zmq_poll (&item, 1, -1), ETERM);
    FAILS (zmq_poll (&item, 1, 0), ETERM);
    assert_null (zmq_socket (ctx, ZMQ_PAIR));
    assert_int_equal (zmq_errno (), ETERM);
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_IO_THREADS), 1);
    assert_int_equal (zmq_close (s), 0);
    end_ctx (ctx);
}

static void TERM_3_the_state_is_noticed_within_a_bounded_number_of_calls (void **state)
{
    (void) state;
    char name[128], byte;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    OK (zmq_bind (pull, unique_name (name, "noticed")));
    OK (zmq_connect (push, name));
    for (int i = 0; i < 1500; ++i)
        send_text (push, "x", ZMQ_DONTWAIT);
    expect_text (pull, "x");
    OK (zmq_ctx_shutdown (ctx));
    int received = 0;
    while (zmq_recv (pull, &byte, 1, ZMQ_DONTWAIT) == 1)
        ++received;
    assert_int_equal (zmq_errno (), ETERM); /* not EAGAIN: it did not read all 1499 */
    assert_in_range (received, 0, 200);
    const int64_t start = now_ms ();
    while (zmq_send (push, "x", 1, ZMQ_DONTWAIT) == 1 || zmq_errno () == EAGAIN) /* EAGAIN when the pipe is full */
        assert_true (now_ms () - start < DEADLINE_MS);
    assert_int_equal (zmq_errno (), ETERM);
    OK (zmq_close (push));
    OK (zmq_close (pull));
    end_ctx (ctx);
}

static void TERM_4_shutdown_returns_at_once_and_may_be_repeated (void **state)
{
    (void) state;
    char endpoint[256];
    struct blocked b;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    void *unused = new_socket (ctx, ZMQ_PUSH);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    start_blocked (&b, s, 0, -1);
    OK (zmq_ctx_shutdown (ctx)); /* although two sockets are open */
    OK (zmq_ctx_shutdown (ctx));
    EVENTUALLY (atomic_load (&b.done));
    pthread_join (b.thread, NULL);
    assert_int_equal (b.result, -1);
    assert_int_equal (b.error, ETERM);
    OK (zmq_ctx_shutdown (ctx));
    OK (zmq_close (s));
    OK (zmq_close (unused));
    OK (zmq_ctx_shutdown (ctx));
    end_ctx (ctx);

    ctx = new_ctx ();
    OK (zmq_ctx_shutdown (ctx)); /* before any socket */
    assert_null (zmq_socket (ctx, ZMQ_PAIR));
    assert_int_equal (zmq_errno (), ETERM);
    end_ctx (ctx);
    FAILS (zmq_ctx_shutdown (NULL), EFAULT);
}

static void TERM_4_lingering_goes_on_after_shutdown (void **state)
{
    (void) state;
    struct port port;
    struct terminator t;
    void *ctx = new_ctx ();
    reserve_port (&port);
    void *s = push_to_nobody (ctx, &port, -1);
    OK (zmq_ctx_shutdown (ctx));
    OK (zmq_close (s));
    start_term (&t, ctx);
    pause_ms (50);
    assert_false (term_returned (&t));
    expect_pending_message (&port);
    finish_term (&t);
    release_port (&port);
}

static void ignore_signal (int number)
{
    (void) number;
}

struct signaller
{
    pthread_t target;
    atomic_bool stop;
};

static void *signaller_main (void *arg)
{
    struct signaller *s = arg;
    while (!atomic_load (&s->stop)) {
        pthread_kill (s->target, SIGUSR1);
        pause_ms (10);
    }
    return NULL;
}

static void TERM_5_a_signal_interrupts_term_which_can_be_called_again (void **state)
{
    (void) state;
    struct sigaction action, old;
    struct signaller signaller;
    pthread_t thread;
    struct port port;
    struct terminator t;
    void *ctx = new_ctx ();
    reserve_port (&port);
    void *open_socket = new_socket (ctx, ZMQ_PULL);
    OK (zmq_close (push_to_nobody (ctx, &port, -1)));
    memset (&action, 0, sizeof action);
    action.sa_handler = ignore_signal;
    sigaction (SIGUSR1, &action, &old);
    signaller.target = pthread_self ();
    atomic_init (&signaller.stop, false);
    assert_int_equal (pthread_create (&thread, NULL, signaller_main, &signaller), 0);
    for (int i = 0; i < 3; ++i)
        FAILS (zmq_ctx_term (ctx), EINTR);
    atomic_store (&signaller.stop, true);
    pthread_join (thread, NULL);
    sigaction (SIGUSR1, &old, NULL);
    FAILS (zmq_send (open_socket, "x", 1, ZMQ_DONTWAIT), ETERM); /* still half terminated */
    OK (zmq_close (open_socket));
    start_term (&t, ctx);
    expect_pending_message (&port); /* LINGER was not forgotten */
    finish_term (&t);
    release_port (&port);
}

static int count_threads (void)
{
    int n = 0;
    DIR *d = opendir ("/proc/self/task");
    assert_non_null (d);
    for (struct dirent *e; (e = readdir (d));)
        n += e->d_name[0] != '.';
    closedir (d);
    return n;
}

static void TERM_6_a_context_without_sockets_ends_at_once (void **state)
{
    (void) state;
    const int threads = count_threads ();
    void *ctx = new_ctx ();
    assert_int_equal (count_threads (), threads);
    end_ctx (ctx);
    /* Neither do many of them need anything. */
    for (int i = 0; i < 100; ++i)
        end_ctx (new_ctx ());
    assert_int_equal (count_threads (), threads);
}

static void TERM_7_term_returns_when_the_last_socket_is_closed (void **state)
{
    (void) state;
    char endpoint[256];
    struct blocked b;
    struct terminator t;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    start_blocked (&b, s, 0, 200);
    const int64_t start = now_ms ();
    start_term (&t, ctx);
    finish_term (&t);
    assert_true (t.returned_at - start >= 198);
    pthread_join (b.thread, NULL);
    assert_int_equal (b.error, ETERM);
}

struct proxy
{
    void *front;
    void *back;
    int result;
    int error;
};

static void *proxy_main (void *arg)
{
    struct proxy *p = arg;
    p->result = zmq_proxy (p->front, p->back, NULL);
    p->error = zmq_errno ();
    zmq_close (p->front);
    zmq_close (p->back);
    return NULL;
}

static void TERM_8_a_proxy_returns_ETERM_and_leaves_the_sockets_open (void **state)
{
    (void) state;
    char in[128], out[128];
    struct proxy p;
    pthread_t thread;
    void *ctx = new_ctx ();
    p.front = new_socket (ctx, ZMQ_PULL);
    p.back = new_socket (ctx, ZMQ_PUSH);
    OK (zmq_bind (p.front, unique_name (in, "proxy")));
    OK (zmq_bind (p.back, unique_name (out, "proxy")));
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    OK (zmq_connect (push, in));
    OK (zmq_connect (pull, out));
    assert_int_equal (pthread_create (&thread, NULL, proxy_main, &p), 0);
    send_text (push, "through", 0);
    expect_text (pull, "through");
    close_now (push);
    close_now (pull);
    end_ctx (ctx); /* returns only because the thread closed them */
    pthread_join (thread, NULL);
    assert_int_equal (p.result, -1);
    assert_int_equal (p.error, ETERM);
}

static void TERM_9_the_old_names_do_the_same (void **state)
{
    (void) state;
    for (int i = 0; i < 2; ++i) {
        int (*const old_name) (void *) = i ? zmq_term : zmq_ctx_destroy;
        void *ctx = i ? zmq_init (1) : new_ctx ();
        assert_non_null (ctx);
        void *s = new_socket (ctx, ZMQ_PAIR);
        close_now (s);
        OK (old_name (ctx));
        FAILS (old_name (NULL), EFAULT);
    }
    FAILS (zmq_ctx_term (NULL), EFAULT);
}

static void TERM_10_threads_start_with_the_first_socket (void **state)
{
    (void) state;
    void *ctx = new_ctx ();
    const int threads = count_threads ();
    OK (zmq_ctx_set (ctx, ZMQ_IO_THREADS, 3));
    assert_int_equal (count_threads (), threads);
    void *s = new_socket (ctx, ZMQ_PAIR);
    const int running = count_threads ();
    assert_true (running > threads);
    /* Too late: accepted, without effect. */
    OK (zmq_ctx_set (ctx, ZMQ_IO_THREADS, 5));
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 1));
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_PRIORITY, 1));
    void *second = new_socket (ctx, ZMQ_PAIR);
    void *third = new_socket (ctx, ZMQ_PAIR);
    assert_int_equal (count_threads (), running);
    close_now (s);
    close_now (second);
    close_now (third);
    end_ctx (ctx);
    assert_int_equal (count_threads (), threads);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (CL_1_close_returns_0_at_once_and_the_handle_is_dead),
        TEST (CL_2_unlimited_LINGER_keeps_trying_until_delivered),
        TEST (CL_2_unlimited_LINGER_waits_for_a_peer_that_talks_and_stalls),
        TEST (CL_2_LINGER_0_drops_unsent_messages),
        TEST (CL_2_a_finite_LINGER_drops_after_its_time),
        TEST (CL_2_a_finite_LINGER_delivers_in_time),
        TEST (CL_2_the_LINGER_at_the_moment_of_close_counts),
        TEST (CL_3_only_zmq_ctx_term_waits_not_the_end_of_the_process),
        TEST (CL_4_a_half_written_message_is_finished_and_then_the_connection_ends),
        TEST (CL_5_default_LINGER),
        TEST (CL_5_without_BLOCKY_termination_does_not_wait),
        TEST (CL_6_term_waits_for_a_peer_with_the_default_LINGER),
        TEST (CL_6_LINGER_400_bounds_the_wait),
        TEST (CL_6_a_PUB_without_subscribers_has_nothing_to_send),
        TEST (CL_7_inproc_messages_stay_readable_whatever_LINGER),
        TEST (CL_8_an_incomplete_multipart_is_discarded),
        TEST (CL_9_closing_discards_unread_messages_without_telling_the_peer),
        TEST (CL_10_a_lingering_socket_still_counts_for_MAX_SOCKETS),
        TEST (CL_11_a_socket_may_be_closed_by_another_thread),
        TEST (TERM_1_blocking_calls_get_ETERM_and_term_waits_for_the_closes),
        TEST (TERM_2_every_call_fails_with_ETERM_except_close),
        TEST (TERM_3_the_state_is_noticed_within_a_bounded_number_of_calls),
        TEST (TERM_4_shutdown_returns_at_once_and_may_be_repeated),
        TEST (TERM_4_lingering_goes_on_after_shutdown),
        TEST (TERM_5_a_signal_interrupts_term_which_can_be_called_again),
        TEST (TERM_6_a_context_without_sockets_ends_at_once),
        TEST (TERM_7_term_returns_when_the_last_socket_is_closed),
        TEST (TERM_8_a_proxy_returns_ETERM_and_leaves_the_sockets_open),
        TEST (TERM_9_the_old_names_do_the_same),
        TEST (TERM_10_threads_start_with_the_first_socket),
    };
    return cmocka_run_group_tests_name ("close and term", tests, NULL, NULL);
}
