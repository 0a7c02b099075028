/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong handles, wrong arguments, calls at the wrong time: every public function answers with its
 * errno. Each row below registers itself and becomes one test with a fresh context. */
#define ZMQ_BUILD_DRAFT_API
#include "support.h"

#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* ---- What a row finds prepared ---- */

typedef struct
{
    void *ctx;
    void *pair;            /* an unconnected PAIR */
    void *closed;          /* a socket that was closed a moment ago */
    zmq_msg_t message;     /* valid, holds "text" */
    zmq_msg_t invalid;     /* all zero */
    char buffer[512];
    char dir[64];          /* of our own, for ipc paths */
} env_t;

static _Alignas (64) unsigned char junk[16384];

/* ---- The table ---- */

typedef struct
{
    const char *name;
    int expected;          /* errno, or 0 for "must succeed" */
    const char *ours;      /* why the reference cannot run it, or NULL */
    const char *draft;     /* symbol that has to be there, or NULL */
    int (*run) (env_t *e, void *handle);
    void *(*handle) (env_t *e);
} row_t;

static row_t rows[1500];
static size_t row_count;

static void add (row_t row)
{
    if (row_count == sizeof rows / sizeof rows[0])
        abort ();
    rows[row_count++] = row;
}

#define REGISTER(id, ...)                                                                          \
    __attribute__ ((constructor)) static void register_##id (void)                                 \
    {                                                                                              \
        add ((row_t) {__VA_ARGS__});                                                               \
    }

/* A row: the expression must be -1 with the given errno. */
#define BAD(id, number, ...)                                                                       \
    static int run_##id (env_t *e, void *h)                                                        \
    {                                                                                              \
        (void) e;                                                                                  \
        (void) h;                                                                                  \
        return (__VA_ARGS__);                                                                      \
    }                                                                                              \
    REGISTER (id, #id, number, NULL, NULL, run_##id, NULL)

/* The same where the reference aborts, crashes or accepts nonsense. */
#define BETTER(id, number, reason, ...)                                                            \
    static int run_##id (env_t *e, void *h)                                                        \
    {                                                                                              \
        (void) e;                                                                                  \
        (void) h;                                                                                  \
        return (__VA_ARGS__);                                                                      \
    }                                                                                              \
    REGISTER (id, #id, number, reason, NULL, run_##id, NULL)

/* What a row returns that needs a socket type Tern does not have yet. */
enum { NOT_BUILT = -3 };

/* A function of the draft interface, which the reference package does not export. */
static void *draft_symbol (const char *name)
{
    void *f = dlsym (RTLD_DEFAULT, name);
    if (!f)
        fail_msg ("%s is not exported", name);
    return f;
}
#define CALL(name) ((__typeof__ (&name)) draft_symbol (#name))

#define DRAFT(id, symbol, number, ...)                                                             \
    static int run_##id (env_t *e, void *h)                                                        \
    {                                                                                              \
        (void) e;                                                                                  \
        (void) h;                                                                                  \
        return (__VA_ARGS__);                                                                      \
    }                                                                                              \
    REGISTER (id, #id, number, NULL, #symbol, run_##id, NULL)

/* Rows that need more than an expression. */
#define BODY(id, number, reason)                                                                   \
    static int run_##id (env_t *e, void *h);                                                       \
    REGISTER (id, #id, number, reason, NULL, run_##id, NULL)                                       \
    static int run_##id (env_t *e, __attribute__ ((unused)) void *h)

static int null_fails (const void *p)
{
    return p ? 0 : -1;
}

static int zero_fails (unsigned long value)
{
    return value ? 0 : -1;
}

/* ---- Handles that are none ---- */

static void *handle_null (env_t *e)
{
    (void) e;
    return NULL;
}
static void *handle_closed (env_t *e)
{
    return e->closed;
}
static void *handle_context (env_t *e)
{
    return e->ctx;
}
static void *handle_socket (env_t *e)
{
    return e->pair;
}
static void *handle_zeros (env_t *e)
{
    (void) e;
    memset (junk, 0, sizeof junk);
    return junk;
}
static void *handle_ones (env_t *e)
{
    (void) e;
    memset (junk, 0xff, sizeof junk);
    return junk;
}
static void *handle_text (env_t *e)
{
    (void) e;
    for (size_t i = 0; i < sizeof junk; ++i)
        junk[i] = (unsigned char) ('a' + i % 26);
    return junk;
}
static void *handle_terminated (env_t *e)
{
    (void) e;
    void *ctx = zmq_ctx_new ();
    assert_non_null (ctx);
    OK (zmq_ctx_term (ctx));
    return ctx;
}

/* One row for each kind of bad handle. */
#define SOCKET_CALL_(id, symbol, ...)                                                              \
    static int run_##id (env_t *e, void *h)                                                        \
    {                                                                                              \
        (void) e;                                                                                  \
        return (__VA_ARGS__);                                                                      \
    }                                                                                              \
    REGISTER (id##_null, #id " (NULL)", ENOTSOCK, NULL, symbol, run_##id, handle_null)             \
    REGISTER (id##_closed, #id " (closed socket)", ENOTSOCK, NULL, symbol, run_##id, handle_closed) \
    REGISTER (id##_context, #id " (context)", ENOTSOCK, NULL, symbol, run_##id, handle_context)    \
    REGISTER (id##_zeros, #id " (zeros)", ENOTSOCK, NULL, symbol, run_##id, handle_zeros)          \
    REGISTER (id##_ones, #id " (ones)", ENOTSOCK, NULL, symbol, run_##id, handle_ones)             \
    REGISTER (id##_text, #id " (text)", ENOTSOCK, NULL, symbol, run_##id, handle_text)
#define SOCKET_CALL(id, ...) SOCKET_CALL_ (id, NULL, __VA_ARGS__)
#define DRAFT_SOCKET_CALL(id, ...) SOCKET_CALL_ (id, #id, __VA_ARGS__)

/* The socket is looked at before anything else: all other arguments are wrong, too. */
SOCKET_CALL (zmq_close, zmq_close (h))
SOCKET_CALL (zmq_setsockopt, zmq_setsockopt (h, -1, NULL, 0))
SOCKET_CALL (zmq_getsockopt, zmq_getsockopt (h, -1, NULL, NULL))
SOCKET_CALL (zmq_bind, zmq_bind (h, NULL))
SOCKET_CALL (zmq_connect, zmq_connect (h, NULL))
SOCKET_CALL (zmq_unbind, zmq_unbind (h, NULL))
SOCKET_CALL (zmq_disconnect, zmq_disconnect (h, NULL))
SOCKET_CALL (zmq_send, zmq_send (h, NULL, 0, 0))
SOCKET_CALL (zmq_send_const, zmq_send_const (h, NULL, 0, 0))
SOCKET_CALL (zmq_recv, zmq_recv (h, NULL, 0, 0))
SOCKET_CALL (zmq_msg_send, zmq_msg_send (&e->message, h, 0))
SOCKET_CALL (zmq_msg_recv, zmq_msg_recv (&e->message, h, 0))
SOCKET_CALL (zmq_msg_send_and_no_message, zmq_msg_send (&e->invalid, h, 0))
SOCKET_CALL (zmq_msg_recv_and_no_message, zmq_msg_recv (&e->invalid, h, 0))
SOCKET_CALL (zmq_sendmsg, zmq_sendmsg (h, &e->message, 0))
SOCKET_CALL (zmq_recvmsg, zmq_recvmsg (h, &e->message, 0))
SOCKET_CALL (zmq_sendiov, zmq_sendiov (h, NULL, 0, 0))
SOCKET_CALL (zmq_recviov, zmq_recviov (h, NULL, NULL, 0))
SOCKET_CALL (zmq_socket_monitor, zmq_socket_monitor (h, "wrong", -1))
SOCKET_CALL (zmq_socket_monitor_stop, zmq_socket_monitor (h, NULL, 0))
DRAFT_SOCKET_CALL (zmq_socket_monitor_versioned,
                   CALL (zmq_socket_monitor_versioned) (h, NULL, 0, 1, -1))
DRAFT_SOCKET_CALL (zmq_socket_monitor_pipes_stats, CALL (zmq_socket_monitor_pipes_stats) (h))
DRAFT_SOCKET_CALL (zmq_join, CALL (zmq_join) (h, NULL))
DRAFT_SOCKET_CALL (zmq_leave, CALL (zmq_leave) (h, NULL))
DRAFT_SOCKET_CALL (zmq_connect_peer, zero_fails (CALL (zmq_connect_peer) (h, NULL)))
DRAFT_SOCKET_CALL (zmq_disconnect_peer, CALL (zmq_disconnect_peer) (h, 1))
DRAFT_SOCKET_CALL (zmq_socket_get_peer_state, CALL (zmq_socket_get_peer_state) (h, NULL, 0))

static int poll_one (void *socket)
{
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
    return zmq_poll (&item, 1, 0);
}

static int poll_second (env_t *e, void *socket)
{
    zmq_pollitem_t items[] = {{e->pair, 0, ZMQ_POLLIN, 0}, {socket, 0, ZMQ_POLLIN, 0}};
    return zmq_poll (items, 2, 0);
}

/* A NULL socket in a poll list means "descriptor", so that kind is missing here. */
#define POLL_CALL(id, ...)                                                                         \
    static int run_##id (env_t *e, void *h)                                                        \
    {                                                                                              \
        (void) e;                                                                                  \
        return (__VA_ARGS__);                                                                      \
    }                                                                                              \
    REGISTER (id##_closed, #id " (closed socket)", ENOTSOCK, NULL, NULL, run_##id, handle_closed)  \
    REGISTER (id##_context, #id " (context)", ENOTSOCK, NULL, NULL, run_##id, handle_context)      \
    REGISTER (id##_zeros, #id " (zeros)", ENOTSOCK, NULL, NULL, run_##id, handle_zeros)            \
    REGISTER (id##_ones, #id " (ones)", ENOTSOCK, NULL, NULL, run_##id, handle_ones)
POLL_CALL (zmq_poll, poll_one (h))
POLL_CALL (zmq_poll_second_item, poll_second (e, h))

#define STALE "the reference reads freed memory"

#define CONTEXT_CALL_(id, symbol, ...)                                                             \
    static int run_##id (env_t *e, void *h)                                                        \
    {                                                                                              \
        (void) e;                                                                                  \
        return (__VA_ARGS__);                                                                      \
    }                                                                                              \
    REGISTER (id##_null, #id " (NULL)", EFAULT, NULL, symbol, run_##id, handle_null)               \
    REGISTER (id##_socket, #id " (socket)", EFAULT, NULL, symbol, run_##id, handle_socket)         \
    REGISTER (id##_zeros, #id " (zeros)", EFAULT, NULL, symbol, run_##id, handle_zeros)            \
    REGISTER (id##_ones, #id " (ones)", EFAULT, NULL, symbol, run_##id, handle_ones)               \
    REGISTER (id##_text, #id " (text)", EFAULT, NULL, symbol, run_##id, handle_text)               \
    REGISTER (id##_dead, #id " (terminated context)", EFAULT, STALE, symbol, run_##id,             \
              handle_terminated)
#define CONTEXT_CALL(id, ...) CONTEXT_CALL_ (id, NULL, __VA_ARGS__)

CONTEXT_CALL (zmq_ctx_term, zmq_ctx_term (h))
CONTEXT_CALL (zmq_ctx_destroy, zmq_ctx_destroy (h))
CONTEXT_CALL (zmq_term, zmq_term (h))
CONTEXT_CALL (zmq_ctx_shutdown, zmq_ctx_shutdown (h))
CONTEXT_CALL (zmq_ctx_set, zmq_ctx_set (h, -1, -1))
CONTEXT_CALL (zmq_ctx_get, zmq_ctx_get (h, -1))
CONTEXT_CALL (zmq_socket, null_fails (zmq_socket (h, -1)))
CONTEXT_CALL_ (zmq_ctx_set_ext, "zmq_ctx_set_ext", CALL (zmq_ctx_set_ext) (h, -1, &e->buffer, 4))
static size_t four = 4;
CONTEXT_CALL_ (zmq_ctx_get_ext, "zmq_ctx_get_ext", CALL (zmq_ctx_get_ext) (h, -1, e->buffer, &four))

#define OBJECT_CALL_(id, symbol, ...)                                                              \
    static int run_##id (env_t *e, void *h)                                                        \
    {                                                                                              \
        (void) e;                                                                                  \
        return (__VA_ARGS__);                                                                      \
    }                                                                                              \
    REGISTER (id##_null, #id " (NULL)", EFAULT, NULL, symbol, run_##id, handle_null)               \
    REGISTER (id##_context, #id " (context)", EFAULT, NULL, symbol, run_##id, handle_context)      \
    REGISTER (id##_socket, #id " (socket)", EFAULT, NULL, symbol, run_##id, handle_socket)         \
    REGISTER (id##_zeros, #id " (zeros)", EFAULT, NULL, symbol, run_##id, handle_zeros)            \
    REGISTER (id##_ones, #id " (ones)", EFAULT, NULL, symbol, run_##id, handle_ones)

static void timer_handler (int id, void *arg)
{
    (void) id;
    (void) arg;
}

OBJECT_CALL_ (zmq_timers_destroy, NULL, zmq_timers_destroy (&h))
OBJECT_CALL_ (zmq_timers_add, NULL, zmq_timers_add (h, 1, timer_handler, NULL))
OBJECT_CALL_ (zmq_timers_cancel, NULL, zmq_timers_cancel (h, 1))
OBJECT_CALL_ (zmq_timers_set_interval, NULL, zmq_timers_set_interval (h, 1, 1))
OBJECT_CALL_ (zmq_timers_reset, NULL, zmq_timers_reset (h, 1))
OBJECT_CALL_ (zmq_timers_timeout, NULL, (int) zmq_timers_timeout (h))
OBJECT_CALL_ (zmq_timers_execute, NULL, zmq_timers_execute (h))

static zmq_poller_event_t event;
static zmq_fd_t a_descriptor;
#define POLLER_CALL(id, ...) OBJECT_CALL_ (id, #id, __VA_ARGS__)
POLLER_CALL (zmq_poller_destroy, CALL (zmq_poller_destroy) (&h))
POLLER_CALL (zmq_poller_size, CALL (zmq_poller_size) (h))
POLLER_CALL (zmq_poller_add, CALL (zmq_poller_add) (h, NULL, NULL, -1))
POLLER_CALL (zmq_poller_modify, CALL (zmq_poller_modify) (h, NULL, -1))
POLLER_CALL (zmq_poller_remove, CALL (zmq_poller_remove) (h, NULL))
POLLER_CALL (zmq_poller_add_fd, CALL (zmq_poller_add_fd) (h, -1, NULL, -1))
POLLER_CALL (zmq_poller_modify_fd, CALL (zmq_poller_modify_fd) (h, -1, -1))
POLLER_CALL (zmq_poller_remove_fd, CALL (zmq_poller_remove_fd) (h, -1))
POLLER_CALL (zmq_poller_wait, CALL (zmq_poller_wait) (h, &event, 0))
POLLER_CALL (zmq_poller_wait_all, CALL (zmq_poller_wait_all) (h, &event, 1, 0))
POLLER_CALL (zmq_poller_fd, CALL (zmq_poller_fd) (h, &a_descriptor))

/* ---- Contexts ---- */

BAD (zmq_init_negative, EINVAL, null_fails (zmq_init (-1)))
BAD (zmq_ctx_set_unknown, EINVAL, zmq_ctx_set (e->ctx, 999, 1))
BAD (zmq_ctx_set_zero, EINVAL, zmq_ctx_set (e->ctx, 0, 1))
BAD (zmq_ctx_set_negative_option, EINVAL, zmq_ctx_set (e->ctx, -1, 1))
BAD (zmq_ctx_set_of_a_socket_option, EINVAL, zmq_ctx_set (e->ctx, ZMQ_LINGER, 0))
BAD (zmq_ctx_get_unknown, EINVAL, zmq_ctx_get (e->ctx, 999))
BAD (zmq_ctx_get_zero, EINVAL, zmq_ctx_get (e->ctx, 0))
BAD (zmq_ctx_get_of_a_socket_option, EINVAL, zmq_ctx_get (e->ctx, ZMQ_LINGER))
BAD (zmq_ctx_set_of_the_message_size, EINVAL, zmq_ctx_set (e->ctx, ZMQ_MSG_T_SIZE, 64))
BAD (zmq_ctx_get_of_a_cpu, EINVAL, zmq_ctx_get (e->ctx, ZMQ_THREAD_AFFINITY_CPU_ADD))
BAD (zmq_ctx_get_of_no_cpu, EINVAL, zmq_ctx_get (e->ctx, ZMQ_THREAD_AFFINITY_CPU_REMOVE))
BAD (zmq_ctx_set_no_sockets, EINVAL, zmq_ctx_set (e->ctx, ZMQ_MAX_SOCKETS, 0))
BAD (zmq_ctx_set_negative_threads, EINVAL, zmq_ctx_set (e->ctx, ZMQ_IO_THREADS, -1))
DRAFT (zmq_ctx_set_ext_no_value, zmq_ctx_set_ext, EINVAL,
       CALL (zmq_ctx_set_ext) (e->ctx, ZMQ_IO_THREADS, NULL, 4))
DRAFT (zmq_ctx_set_ext_8_bytes,
       zmq_ctx_set_ext,
       EINVAL,
       CALL (zmq_ctx_set_ext) (e->ctx, ZMQ_IO_THREADS, e->buffer, 8))
DRAFT (zmq_ctx_set_ext_prefix_empty,
       zmq_ctx_set_ext,
       EINVAL,
       CALL (zmq_ctx_set_ext) (e->ctx, ZMQ_THREAD_NAME_PREFIX, e->buffer, 0))
DRAFT (zmq_ctx_set_ext_prefix_17,
       zmq_ctx_set_ext,
       EINVAL,
       CALL (zmq_ctx_set_ext) (e->ctx, ZMQ_THREAD_NAME_PREFIX, "seventeen letters", 17))
static size_t eight = 8;
DRAFT (zmq_ctx_get_ext_8_bytes,
       zmq_ctx_get_ext,
       EINVAL,
       CALL (zmq_ctx_get_ext) (e->ctx, ZMQ_IO_THREADS, e->buffer, &eight))

BAD (zmq_socket_type_minus_1, EINVAL, null_fails (zmq_socket (e->ctx, -1)))
BAD (zmq_socket_type_21, EINVAL, null_fails (zmq_socket (e->ctx, 21)))
BAD (zmq_socket_type_max, EINVAL, null_fails (zmq_socket (e->ctx, INT_MAX)))
BAD (zmq_socket_type_min, EINVAL, null_fails (zmq_socket (e->ctx, INT_MIN)))

/* The limit counts before the type does. */
BODY (zmq_socket_too_many, EMFILE, NULL)
{
    (void) e;
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 1));
    void *s = new_socket (ctx, ZMQ_PAIR);
    errno = 0;
    const bool refused = zmq_socket (ctx, ZMQ_PAIR) == NULL && errno == EMFILE;
    errno = 0;
    const bool before_the_type = zmq_socket (ctx, -1) == NULL;
    const int number = errno;
    close_now (s);
    OK (zmq_ctx_term (ctx));
    errno = number;
    return refused && before_the_type ? -1 : 0;
}

/* ... and the end of the context before the limit. */
BODY (zmq_socket_after_shutdown, ETERM, NULL)
{
    (void) e;
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 1));
    void *s = new_socket (ctx, ZMQ_PAIR);
    OK (zmq_ctx_shutdown (ctx));
    errno = 0;
    const bool refused = zmq_socket (ctx, ZMQ_PAIR) == NULL;
    const int number = errno;
    close_now (s);
    OK (zmq_ctx_term (ctx));
    errno = number;
    return refused ? -1 : 0;
}

BODY (zmq_socket_after_shutdown_of_an_unused_context, ETERM, NULL)
{
    (void) e;
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_shutdown (ctx));
    OK (zmq_ctx_shutdown (ctx));
    errno = 0;
    const bool refused = zmq_socket (ctx, ZMQ_PAIR) == NULL;
    const int number = errno;
    OK (zmq_ctx_term (ctx));
    errno = number;
    return refused ? -1 : 0;
}

/* ---- A socket whose context ends ---- */

static void *ended (env_t *e)
{
    OK (zmq_ctx_shutdown (e->ctx));
    return e->pair;
}

static void *ended_and_noticed (env_t *e)
{
    OK (zmq_ctx_shutdown (e->ctx));
    FAILS (zmq_recv (e->pair, e->buffer, 1, ZMQ_DONTWAIT), ETERM);
    return e->pair;
}

static int get_some (void *s, int option, size_t size)
{
    char value[256];
    return zmq_getsockopt (s, option, value, &size);
}

static int set_some (void *s, int option, const void *value, size_t size)
{
    return zmq_setsockopt (s, option, value, size);
}

#define INT(n) (&(const int) {n})

BAD (ended_send, ETERM, zmq_send (ended (e), "x", 1, 0))
BAD (ended_send_const, ETERM, zmq_send_const (ended (e), "x", 1, 0))
BAD (ended_recv, ETERM, zmq_recv (ended (e), e->buffer, 1, 0))
BAD (ended_msg_send, ETERM, zmq_msg_send (&e->message, ended (e), 0))
BAD (ended_msg_recv, ETERM, zmq_msg_recv (&e->message, ended (e), 0))
BAD (ended_bind, ETERM, zmq_bind (ended (e), "inproc://ended"))
BAD (ended_connect, ETERM, zmq_connect (ended (e), "inproc://ended"))
BAD (ended_unbind, ETERM, zmq_unbind (ended (e), "inproc://ended"))
BAD (ended_disconnect, ETERM, zmq_disconnect (ended (e), "inproc://ended"))
BAD (ended_events, ETERM, get_some (ended (e), ZMQ_EVENTS, 4))
BAD (ended_poll, ETERM, poll_one (ended (e)))
BAD (noticed_setsockopt, ETERM, set_some (ended_and_noticed (e), ZMQ_LINGER, INT (0), 4))
BAD (noticed_setsockopt_unknown, ETERM, set_some (ended_and_noticed (e), 999, INT (0), 4))
BAD (noticed_getsockopt, ETERM, get_some (ended_and_noticed (e), ZMQ_TYPE, 4))
BAD (noticed_monitor, ETERM,
     zmq_socket_monitor (ended_and_noticed (e), "inproc://ended-monitor", ZMQ_EVENT_ALL))
BAD (noticed_bind, ETERM, zmq_bind (ended_and_noticed (e), "wrong"))

BODY (noticed_close_succeeds, 0, NULL)
{
    void *s = new_socket (e->ctx, ZMQ_PUSH);
    OK (zmq_ctx_shutdown (e->ctx));
    FAILS (zmq_send (s, "x", 1, ZMQ_DONTWAIT), ETERM);
    return zmq_close (s);
}

/* ---- Endpoints ---- */

static int bind_as (env_t *e, int type, const char *endpoint)
{
    void *s = new_socket (e->ctx, type);
    errno = 0;
    const int rc = zmq_bind (s, endpoint);
    const int number = errno;
    close_now (s);
    errno = number;
    return rc;
}

static int connect_as (env_t *e, int type, const char *endpoint)
{
    void *s = new_socket (e->ctx, type);
    errno = 0;
    const int rc = zmq_connect (s, endpoint);
    const int number = errno;
    close_now (s);
    errno = number;
    return rc;
}

/* Texts that are wrong for all four endpoint calls in the same way. */
#define ENDPOINT(id, number, text)                                                                 \
    BAD (bind_##id, number, zmq_bind (e->pair, text))                                              \
    BAD (connect_##id, number, zmq_connect (e->pair, text))                                        \
    BAD (unbind_##id, number, zmq_unbind (e->pair, text))                                          \
    BAD (disconnect_##id, number, zmq_disconnect (e->pair, text))

ENDPOINT (empty, EINVAL, "")
ENDPOINT (word, EINVAL, "endpoint")
ENDPOINT (colon, EINVAL, ":")
ENDPOINT (separator_only, EINVAL, "://")
ENDPOINT (no_transport, EINVAL, "://127.0.0.1:5555")
ENDPOINT (one_slash, EINVAL, "tcp:/127.0.0.1:5555")
ENDPOINT (no_address_tcp, EINVAL, "tcp://")
ENDPOINT (no_address_inproc, EINVAL, "inproc://")
ENDPOINT (no_address_ipc, EINVAL, "ipc://")
ENDPOINT (no_address_unknown, EINVAL, "foo://")
ENDPOINT (unknown_transport, EPROTONOSUPPORT, "foo://bar")
ENDPOINT (upper_case_transport, EPROTONOSUPPORT, "INPROC://upper")
ENDPOINT (mixed_case_transport, EPROTONOSUPPORT, "Tcp://127.0.0.1:5555")
ENDPOINT (leading_space, EPROTONOSUPPORT, " tcp://127.0.0.1:5555")

#define NULL_ADDRESS "the reference aborts on a NULL address"
BETTER (bind_null, EINVAL, NULL_ADDRESS, zmq_bind (e->pair, NULL))
BETTER (connect_null, EINVAL, NULL_ADDRESS, zmq_connect (e->pair, NULL))
BAD (unbind_null, EINVAL, zmq_unbind (e->pair, NULL))
BAD (disconnect_null, EINVAL, zmq_disconnect (e->pair, NULL))

BAD (bind_tcp_no_port, EINVAL, zmq_bind (e->pair, "tcp://127.0.0.1"))
BAD (bind_tcp_empty_port, EINVAL, zmq_bind (e->pair, "tcp://127.0.0.1:"))
BAD (bind_tcp_word_port, EINVAL, zmq_bind (e->pair, "tcp://127.0.0.1:http"))
BAD (bind_tcp_00_port, EINVAL, zmq_bind (e->pair, "tcp://127.0.0.1:00"))
BAD (bind_tcp_65536, EINVAL, zmq_bind (e->pair, "tcp://127.0.0.1:65536"))
BETTER (bind_tcp_99999, EINVAL, "the reference takes the port modulo 65536",
        zmq_bind (e->pair, "tcp://127.0.0.1:99999"))
BAD (bind_tcp_v6_without_the_option, ENODEV, zmq_bind (e->pair, "tcp://[::1]:*"))
BAD (bind_tcp_no_such_interface, ENODEV, zmq_bind (e->pair, "tcp://nosuchif0:*"))
BAD (bind_tcp_foreign_address, EADDRNOTAVAIL, zmq_bind (e->pair, "tcp://192.0.2.77:*"))

static const char *long_path (env_t *e)
{
    memset (e->buffer, 'p', sizeof e->buffer);
    memcpy (e->buffer, "ipc:///tmp/", 11);
    e->buffer[200] = 0;
    return e->buffer;
}

static const char *path (env_t *e, const char *name)
{
    snprintf (e->buffer, sizeof e->buffer, "ipc://%s/%s", e->dir, name);
    return e->buffer;
}

BAD (bind_ipc_long, ENAMETOOLONG, zmq_bind (e->pair, long_path (e)))
BAD (connect_ipc_long, ENAMETOOLONG, zmq_connect (e->pair, long_path (e)))
BAD (bind_ipc_at_only, EINVAL, zmq_bind (e->pair, "ipc://@"))
BAD (connect_ipc_at_only, EINVAL, zmq_connect (e->pair, "ipc://@"))
BAD (bind_ipc_no_directory, ENOENT, zmq_bind (e->pair, path (e, "missing/socket")))
BAD (bind_ipc_a_file_as_directory, ENOTDIR, zmq_bind (e->pair, "ipc:///dev/null/socket"))

BODY (bind_inproc_taken, EADDRINUSE, NULL)
{
    OK (zmq_bind (e->pair, "inproc://taken"));
    return bind_as (e, ZMQ_PAIR, "inproc://taken");
}
BODY (bind_inproc_taken_by_itself, EADDRINUSE, NULL)
{
    OK (zmq_bind (e->pair, "inproc://taken"));
    return zmq_bind (e->pair, "inproc://taken");
}
BODY (bind_inproc_names_are_compared_exactly, 0, NULL)
{
    OK (zmq_bind (e->pair, "inproc://taken"));
    OK (zmq_bind (e->pair, "inproc://Taken"));
    OK (zmq_bind (e->pair, "inproc://taken "));
    return zmq_bind (e->pair, "inproc://take");
}
BODY (bind_tcp_taken, EADDRINUSE, NULL)
{
    bind_any (e->pair, "tcp://127.0.0.1:*", e->buffer);
    return bind_as (e, ZMQ_PAIR, e->buffer);
}

/* A failed bind leaves the socket as it was. */
BODY (bind_failed_keeps_the_last_endpoint, 0, NULL)
{
    char first[256], after[256];
    bind_any (e->pair, "tcp://127.0.0.1:*", first);
    FAILS (zmq_bind (e->pair, first), EADDRINUSE);
    FAILS (zmq_bind (e->pair, "tcp://127.0.0.1"), EINVAL);
    FAILS (zmq_connect (e->pair, "tcp://127.0.0.1"), EINVAL);
    size_t size = sizeof after;
    OK (zmq_getsockopt (e->pair, ZMQ_LAST_ENDPOINT, after, &size));
    assert_string_equal (first, after);
    return zmq_bind (e->pair, "inproc://still-usable");
}

BAD (connect_tcp_no_port, EINVAL, zmq_connect (e->pair, "tcp://127.0.0.1"))
BAD (connect_tcp_empty_port, EINVAL, zmq_connect (e->pair, "tcp://127.0.0.1:"))
BAD (connect_tcp_star_port, EINVAL, zmq_connect (e->pair, "tcp://127.0.0.1:*"))
BAD (connect_tcp_star_host, EINVAL, zmq_connect (e->pair, "tcp://*:5555"))
BAD (connect_tcp_word_port, EINVAL, zmq_connect (e->pair, "tcp://127.0.0.1:http"))
BAD (connect_tcp_space, EINVAL, zmq_connect (e->pair, "tcp://local host:5555"))
BAD (connect_tcp_exclamation, EINVAL, zmq_connect (e->pair, "tcp://local!host:5555"))
BAD (connect_tcp_empty_host_is_accepted, 0, zmq_connect (e->pair, "tcp://:5555"))
BAD (connect_tcp_port_0_is_accepted, 0, zmq_connect (e->pair, "tcp://127.0.0.1:0"))
BAD (connect_unknown_host_is_accepted, 0, zmq_connect (e->pair, "tcp://no-such-host.invalid:5555"))
BAD (connect_missing_path_is_accepted, 0, zmq_connect (e->pair, path (e, "missing")))
BAD (connect_unbound_inproc_is_accepted, 0, zmq_connect (e->pair, "inproc://nobody"))

/* Transports that do not fit the type. Tern gets udp with the types that use it. */
static int not_fitting_udp (int rc)
{
    const int number = errno;
    if (rc == -1 && number == EPROTONOSUPPORT && !type_is_built (ZMQ_DGRAM))
        return NOT_BUILT;
    errno = number;
    return rc;
}
BAD (bind_udp_pair, ENOCOMPATPROTO, not_fitting_udp (zmq_bind (e->pair, "udp://127.0.0.1:*")))
BAD (connect_udp_pair, ENOCOMPATPROTO, not_fitting_udp (zmq_connect (e->pair, "udp://127.0.0.1:5555")))
BAD (bind_udp_sub, ENOCOMPATPROTO, not_fitting_udp (bind_as (e, ZMQ_SUB, "udp://127.0.0.1:*")))
BAD (bind_udp_radio, ENOCOMPATPROTO, bind_as (e, ZMQ_RADIO, "udp://127.0.0.1:5555"))
BAD (connect_udp_dish, ENOCOMPATPROTO, connect_as (e, ZMQ_DISH, "udp://127.0.0.1:5555"))
BAD (connect_udp_dgram, ENOCOMPATPROTO, connect_as (e, ZMQ_DGRAM, "udp://127.0.0.1:5555"))

#define MULTICAST(id, transport)                                                                   \
    BODY (bind_##id##_pair, zmq_has (transport) ? ENOCOMPATPROTO : EPROTONOSUPPORT, NULL)          \
    {                                                                                              \
        return zmq_bind (e->pair, #id "://127.0.0.1;224.0.0.1:5555");                              \
    }                                                                                              \
    BODY (connect_##id##_dealer, zmq_has (transport) ? ENOCOMPATPROTO : EPROTONOSUPPORT, NULL)     \
    {                                                                                              \
        return connect_as (e, ZMQ_DEALER, #id "://127.0.0.1;224.0.0.1:5555");                      \
    }
MULTICAST (pgm, "pgm")
MULTICAST (epgm, "pgm")
MULTICAST (norm, "norm")

/* Nothing there to end. */
BAD (unbind_unknown_inproc, ENOENT, zmq_unbind (e->pair, "inproc://never"))
BAD (disconnect_unknown_inproc, ENOENT, zmq_disconnect (e->pair, "inproc://never"))
BAD (unbind_unknown_tcp, ENOENT, zmq_unbind (e->pair, "tcp://127.0.0.1:5555"))
BAD (disconnect_unknown_tcp, ENOENT, zmq_disconnect (e->pair, "tcp://127.0.0.1:5555"))
BAD (unbind_unknown_ipc, ENOENT, zmq_unbind (e->pair, path (e, "never")))
BODY (unbind_wildcard, ENOENT, NULL)
{
    OK (zmq_bind (e->pair, "tcp://127.0.0.1:*"));
    return zmq_unbind (e->pair, "tcp://127.0.0.1:*");
}
BODY (unbind_twice, ENOENT, NULL)
{
    bind_any (e->pair, "tcp://127.0.0.1:*", e->buffer);
    OK (zmq_unbind (e->pair, e->buffer));
    return zmq_unbind (e->pair, e->buffer);
}
BODY (unbind_inproc_twice, ENOENT, NULL)
{
    OK (zmq_bind (e->pair, "inproc://once"));
    OK (zmq_unbind (e->pair, "inproc://once"));
    return zmq_unbind (e->pair, "inproc://once");
}
BODY (disconnect_twice, ENOENT, NULL)
{
    OK (zmq_connect (e->pair, "tcp://127.0.0.1:5555"));
    OK (zmq_disconnect (e->pair, "tcp://127.0.0.1:5555"));
    return zmq_disconnect (e->pair, "tcp://127.0.0.1:5555");
}
BODY (unbind_ends_a_connection, 0, NULL)
{
    OK (zmq_connect (e->pair, "tcp://127.0.0.1:5555"));
    return zmq_unbind (e->pair, "tcp://127.0.0.1:5555");
}
BODY (unbind_of_another_socket, ENOENT, NULL)
{
    bind_any (e->pair, "tcp://127.0.0.1:*", e->buffer);
    void *other = new_socket (e->ctx, ZMQ_PAIR);
    errno = 0;
    const int rc = zmq_unbind (other, e->buffer);
    const int number = errno;
    close_now (other);
    errno = number;
    return rc;
}

/* No thread to serve the endpoint. */
static int without_threads (int (*call) (void *, const char *), const char *endpoint)
{
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_set (ctx, ZMQ_IO_THREADS, 0));
    void *s = new_socket (ctx, ZMQ_PAIR);
    errno = 0;
    const int rc = call (s, endpoint);
    const int number = errno;
    close_now (s);
    OK (zmq_ctx_term (ctx));
    errno = number;
    return rc;
}
BAD (bind_tcp_without_threads, EMTHREAD, without_threads (zmq_bind, "tcp://127.0.0.1:*"))
BAD (connect_tcp_without_threads, EMTHREAD, without_threads (zmq_connect, "tcp://127.0.0.1:5555"))
BAD (bind_ipc_without_threads, EMTHREAD, without_threads (zmq_bind, path (e, "none")))
BAD (bind_inproc_without_threads, 0, without_threads (zmq_bind, "inproc://threads"))
BAD (connect_inproc_without_threads, 0, without_threads (zmq_connect, "inproc://threads"))

static void *with_affinity (env_t *e, uint64_t mask)
{
    OK (zmq_setsockopt (e->pair, ZMQ_AFFINITY, &mask, sizeof mask));
    return e->pair;
}
BAD (bind_affinity_without_a_thread, EMTHREAD, zmq_bind (with_affinity (e, 2), "tcp://127.0.0.1:*"))
BAD (connect_affinity_without_a_thread, EMTHREAD,
     zmq_connect (with_affinity (e, 2), "tcp://127.0.0.1:5555"))
BAD (bind_affinity_of_the_thread, 0, zmq_bind (with_affinity (e, 3), "tcp://127.0.0.1:*"))

/* ---- Options: the calls as such. Each option has its rows in test_options.c ---- */

BAD (set_unknown, EINVAL, set_some (e->pair, 999, INT (0), 4))
BAD (set_negative, EINVAL, set_some (e->pair, -1, INT (0), 4))
BAD (get_unknown, EINVAL, get_some (e->pair, 999, 4))
BAD (get_negative, EINVAL, get_some (e->pair, -1, 4))
BAD (set_linger_0_bytes, EINVAL, set_some (e->pair, ZMQ_LINGER, INT (0), 0))
BAD (set_linger_2_bytes, EINVAL, set_some (e->pair, ZMQ_LINGER, INT (0), 2))
BAD (set_linger_8_bytes, EINVAL, set_some (e->pair, ZMQ_LINGER, &(int64_t) {0}, 8))
BAD (set_maxmsgsize_4_bytes, EINVAL, set_some (e->pair, ZMQ_MAXMSGSIZE, INT (0), 4))
BAD (set_affinity_4_bytes, EINVAL, set_some (e->pair, ZMQ_AFFINITY, INT (0), 4))
BAD (get_linger_0_bytes, EINVAL, get_some (e->pair, ZMQ_LINGER, 0))
BAD (get_linger_3_bytes, EINVAL, get_some (e->pair, ZMQ_LINGER, 3))
BAD (get_linger_8_bytes, EINVAL, get_some (e->pair, ZMQ_LINGER, 8))
BAD (get_events_3_bytes, EINVAL, get_some (e->pair, ZMQ_EVENTS, 3))
BAD (get_last_endpoint_0_bytes, EINVAL, get_some (e->pair, ZMQ_LAST_ENDPOINT, 0))
BAD (set_of_a_context_option, EINVAL, set_some (e->pair, ZMQ_BLOCKY, INT (0), 4))
BAD (get_of_a_context_option, EINVAL, get_some (e->pair, ZMQ_BLOCKY, 4))
BAD (subscribe_on_pair, EINVAL, set_some (e->pair, ZMQ_SUBSCRIBE, "", 0))

#define NULL_VALUE "the reference reads the NULL value"
BETTER (set_null_with_4, EINVAL, NULL_VALUE, set_some (e->pair, ZMQ_LINGER, NULL, 4))
BETTER (set_unknown_null_with_4, EINVAL, NULL_VALUE, set_some (e->pair, 999, NULL, 4))
BETTER (set_null_routing_id, EINVAL, NULL_VALUE, set_some (e->pair, ZMQ_ROUTING_ID, NULL, 3))
BETTER (set_null_zap_domain, EINVAL, NULL_VALUE, set_some (e->pair, ZMQ_ZAP_DOMAIN, NULL, 3))
BETTER (set_null_curve_key, EINVAL, NULL_VALUE, set_some (e->pair, ZMQ_CURVE_PUBLICKEY, NULL, 32))
BETTER (set_null_affinity, EINVAL, NULL_VALUE, set_some (e->pair, ZMQ_AFFINITY, NULL, 8))
BODY (set_null_subscription, EINVAL, "the reference aborts on a NULL prefix with a length")
{
    void *s = new_socket (e->ctx, ZMQ_SUB);
    errno = 0;
    const int rc = zmq_setsockopt (s, ZMQ_SUBSCRIBE, NULL, 3);
    const int number = errno;
    close_now (s);
    errno = number;
    return rc;
}
BETTER (get_null_value, EINVAL, "the reference writes to NULL",
        zmq_getsockopt (e->pair, ZMQ_LINGER, NULL, &four))
BETTER (get_null_size, EINVAL, "the reference reads a NULL size",
        zmq_getsockopt (e->pair, ZMQ_LINGER, e->buffer, NULL))

/* ---- Sending and receiving ---- */

BETTER (send_null_buffer, EFAULT, "the reference aborts", zmq_send (e->pair, NULL, 3, ZMQ_DONTWAIT))
BETTER (send_const_null_buffer,
        EFAULT,
        "the reference aborts",
        zmq_send_const (e->pair, NULL, 3, ZMQ_DONTWAIT))

#define INVALID "the reference aborts on an invalid message"
BETTER (msg_send_null, EFAULT, INVALID, zmq_msg_send (NULL, e->pair, ZMQ_DONTWAIT))
BETTER (msg_send_zeroed, EFAULT, INVALID, zmq_msg_send (&e->invalid, e->pair, ZMQ_DONTWAIT))
BETTER (sendmsg_zeroed, EFAULT, INVALID, zmq_sendmsg (e->pair, &e->invalid, ZMQ_DONTWAIT))
BODY (msg_send_closed, EFAULT, INVALID)
{
    zmq_msg_t m;
    OK (zmq_msg_init_size (&m, 100));
    OK (zmq_msg_close (&m));
    return zmq_msg_send (&m, e->pair, ZMQ_DONTWAIT);
}
BAD (msg_recv_null, EFAULT, zmq_msg_recv (NULL, e->pair, ZMQ_DONTWAIT))
BAD (msg_recv_zeroed, EFAULT, zmq_msg_recv (&e->invalid, e->pair, ZMQ_DONTWAIT))
BAD (recvmsg_zeroed, EFAULT, zmq_recvmsg (e->pair, &e->invalid, ZMQ_DONTWAIT))
BODY (msg_recv_closed, EFAULT, NULL)
{
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    OK (zmq_msg_close (&m));
    return zmq_msg_recv (&m, e->pair, ZMQ_DONTWAIT);
}

static void *with_a_message_waiting (env_t *e)
{
    void *peer = new_socket (e->ctx, ZMQ_PAIR);
    OK (zmq_bind (e->pair, "inproc://waiting"));
    OK (zmq_connect (peer, "inproc://waiting"));
    send_text (peer, "hello", 0);
    wait_events (e->pair, ZMQ_POLLIN);
    OK (zmq_close (peer));
    return e->pair;
}
BETTER (recv_null_buffer,
        EFAULT,
        "the reference aborts",
        zmq_recv (with_a_message_waiting (e), NULL, 5, ZMQ_DONTWAIT))
BAD (recv_null_buffer_without_a_length, 0,
     zmq_recv (with_a_message_waiting (e), NULL, 0, ZMQ_DONTWAIT) == 5 ? 0 : -2)
BAD (send_null_buffer_without_a_length, EAGAIN, zmq_send (e->pair, NULL, 0, ZMQ_DONTWAIT))
BAD (unknown_flags_are_ignored, EAGAIN, zmq_send (e->pair, "x", 1, ZMQ_DONTWAIT | 0x7ffffff0))
BAD (unknown_flags_are_ignored_by_recv, EAGAIN,
     zmq_recv (e->pair, e->buffer, 1, ZMQ_DONTWAIT | ZMQ_SNDMORE | 0xff0))

static struct iovec one = {(char *) "a", 1};
static size_t no_parts = 0;
static size_t one_part = 1;
BAD (sendiov_null, EINVAL, zmq_sendiov (e->pair, NULL, 1, ZMQ_DONTWAIT))
BAD (sendiov_no_parts, EINVAL, zmq_sendiov (e->pair, &one, 0, ZMQ_DONTWAIT))
BAD (recviov_null_count, EINVAL, zmq_recviov (e->pair, &one, NULL, ZMQ_DONTWAIT))
BAD (recviov_no_parts, EINVAL, zmq_recviov (e->pair, &one, &no_parts, ZMQ_DONTWAIT))
BAD (recviov_null, EINVAL, zmq_recviov (e->pair, NULL, &one_part, ZMQ_DONTWAIT))

static int send_as (env_t *e, int type, int flags)
{
    if (!type_is_built (type))
        return NOT_BUILT;
    void *s = new_socket (e->ctx, type);
    errno = 0;
    const int rc = zmq_send (s, "abcde", 5, flags);
    const int number = errno;
    close_now (s);
    errno = number;
    return rc;
}

static int recv_as (env_t *e, int type, int flags)
{
    if (!type_is_built (type))
        return NOT_BUILT;
    void *s = new_socket (e->ctx, type);
    errno = 0;
    const int rc = zmq_recv (s, e->buffer, 1, flags);
    const int number = errno;
    close_now (s);
    errno = number;
    return rc;
}

/* Without DONTWAIT: these must not block. */
BAD (GEN_1_send_on_pull, ENOTSUP, send_as (e, ZMQ_PULL, 0))
BAD (GEN_1_send_on_sub, ENOTSUP, send_as (e, ZMQ_SUB, 0))
BAD (GEN_1_send_on_gather, ENOTSUP, send_as (e, ZMQ_GATHER, 0))
BAD (GEN_1_send_on_dish, ENOTSUP, send_as (e, ZMQ_DISH, 0))
BAD (GEN_1_recv_on_push, ENOTSUP, recv_as (e, ZMQ_PUSH, 0))
BAD (GEN_1_recv_on_pub, ENOTSUP, recv_as (e, ZMQ_PUB, 0))
BAD (GEN_1_recv_on_scatter, ENOTSUP, recv_as (e, ZMQ_SCATTER, 0))
BAD (GEN_1_recv_on_radio, ENOTSUP, recv_as (e, ZMQ_RADIO, 0))
BAD (recv_on_req_first, EFSM, recv_as (e, ZMQ_REQ, 0))
BAD (send_on_rep_first, EFSM, send_as (e, ZMQ_REP, 0))

BAD (send_alone_pair, EAGAIN, send_as (e, ZMQ_PAIR, ZMQ_DONTWAIT))
BAD (send_alone_push, EAGAIN, send_as (e, ZMQ_PUSH, ZMQ_DONTWAIT))
BAD (send_alone_dealer, EAGAIN, send_as (e, ZMQ_DEALER, ZMQ_DONTWAIT))
BAD (send_alone_req, EAGAIN, send_as (e, ZMQ_REQ, ZMQ_DONTWAIT))
BAD (send_alone_client, EAGAIN, send_as (e, ZMQ_CLIENT, ZMQ_DONTWAIT))
BAD (send_alone_channel, EAGAIN, send_as (e, ZMQ_CHANNEL, ZMQ_DONTWAIT))
BAD (send_alone_scatter, EAGAIN, send_as (e, ZMQ_SCATTER, ZMQ_DONTWAIT))
BAD (send_alone_stream, EHOSTUNREACH, send_as (e, ZMQ_STREAM, ZMQ_SNDMORE | ZMQ_DONTWAIT))
BAD (send_alone_pub, 0, send_as (e, ZMQ_PUB, 0) == 5 ? 0 : -2)
BAD (send_alone_xpub, 0, send_as (e, ZMQ_XPUB, 0) == 5 ? 0 : -2)
BAD (send_alone_xsub, 0, send_as (e, ZMQ_XSUB, 0) == 5 ? 0 : -2)
BAD (send_alone_radio, 0, type_is_built (ZMQ_RADIO) ? send_as (e, ZMQ_RADIO, 0) == 5 ? 0 : -2 : NOT_BUILT)
BAD (send_alone_router, 0, send_as (e, ZMQ_ROUTER, ZMQ_SNDMORE) == 5 ? 0 : -2)
BETTER (send_alone_dgram,
        EAGAIN,
        "the reference aborts without an endpoint",
        send_as (e, ZMQ_DGRAM, ZMQ_SNDMORE | ZMQ_DONTWAIT))
BODY (send_to_an_unknown_peer, EHOSTUNREACH, NULL)
{
    void *s = new_socket (e->ctx, ZMQ_ROUTER);
    set_int (s, ZMQ_ROUTER_MANDATORY, 1);
    errno = 0;
    const int rc = zmq_send (s, "nobody", 6, ZMQ_SNDMORE);
    const int number = errno;
    close_now (s);
    errno = number;
    return rc;
}

BAD (recv_alone_pair, EAGAIN, recv_as (e, ZMQ_PAIR, ZMQ_DONTWAIT))
BAD (recv_alone_sub, EAGAIN, recv_as (e, ZMQ_SUB, ZMQ_DONTWAIT))
BAD (recv_alone_rep, EAGAIN, recv_as (e, ZMQ_REP, ZMQ_DONTWAIT))
BAD (recv_alone_dealer, EAGAIN, recv_as (e, ZMQ_DEALER, ZMQ_DONTWAIT))
BAD (recv_alone_router, EAGAIN, recv_as (e, ZMQ_ROUTER, ZMQ_DONTWAIT))
BAD (recv_alone_pull, EAGAIN, recv_as (e, ZMQ_PULL, ZMQ_DONTWAIT))
BAD (recv_alone_xpub, EAGAIN, recv_as (e, ZMQ_XPUB, ZMQ_DONTWAIT))
BAD (recv_alone_xsub, EAGAIN, recv_as (e, ZMQ_XSUB, ZMQ_DONTWAIT))
BAD (recv_alone_stream, EAGAIN, recv_as (e, ZMQ_STREAM, ZMQ_DONTWAIT))

/* Single-part types */
BAD (sndmore_on_server, EINVAL, send_as (e, ZMQ_SERVER, ZMQ_SNDMORE | ZMQ_DONTWAIT))
BAD (sndmore_on_client, EINVAL, send_as (e, ZMQ_CLIENT, ZMQ_SNDMORE | ZMQ_DONTWAIT))
BAD (sndmore_on_radio, EINVAL, send_as (e, ZMQ_RADIO, ZMQ_SNDMORE | ZMQ_DONTWAIT))
BAD (sndmore_on_scatter, EINVAL, send_as (e, ZMQ_SCATTER, ZMQ_SNDMORE | ZMQ_DONTWAIT))
BAD (sndmore_on_channel, EINVAL, send_as (e, ZMQ_CHANNEL, ZMQ_SNDMORE | ZMQ_DONTWAIT))
BAD (sndmore_on_peer, EINVAL, send_as (e, ZMQ_PEER, ZMQ_SNDMORE | ZMQ_DONTWAIT))

/* ---- Messages ---- */

BAD (msg_close_zeroed, EFAULT, zmq_msg_close (&e->invalid))
BODY (msg_close_twice, EFAULT, NULL)
{
    (void) e;
    zmq_msg_t m;
    OK (zmq_msg_init_size (&m, 100));
    OK (zmq_msg_close (&m));
    return zmq_msg_close (&m);
}
BODY (msg_close_ones, EFAULT, NULL)
{
    (void) e;
    zmq_msg_t m;
    memset (&m, 0xff, sizeof m);
    return zmq_msg_close (&m);
}
BAD (msg_move_from_invalid, EFAULT, zmq_msg_move (&e->message, &e->invalid))
BAD (msg_move_to_invalid, EFAULT, zmq_msg_move (&e->invalid, &e->message))
BAD (msg_copy_from_invalid, EFAULT, zmq_msg_copy (&e->message, &e->invalid))
BAD (msg_copy_to_invalid, EFAULT, zmq_msg_copy (&e->invalid, &e->message))
BAD (msg_init_size_max, ENOMEM, zmq_msg_init_size (&e->invalid, SIZE_MAX))
BAD (msg_init_size_almost_max, ENOMEM, zmq_msg_init_size (&e->invalid, SIZE_MAX - 10))
BAD (msg_init_size_huge, ENOMEM, zmq_msg_init_size (&e->invalid, SIZE_MAX / 2))
BETTER (msg_init_data_null,
        EINVAL,
        "the reference aborts",
        zmq_msg_init_data (&e->invalid, NULL, 1, NULL, NULL))
DRAFT (msg_init_buffer_too_big,
       zmq_msg_init_buffer,
       ENOMEM,
       CALL (zmq_msg_init_buffer) (&e->invalid, junk, SIZE_MAX))
BETTER (msg_data_of_an_invalid_one, 0, INVALID, zmq_msg_data (&e->invalid) == NULL ? 0 : -2)
BETTER (msg_size_of_an_invalid_one, 0, INVALID, zmq_msg_size (&e->invalid) == 0 ? 0 : -2)
BAD (msg_get_unknown, EINVAL, zmq_msg_get (&e->message, 99))
BAD (msg_get_zero, EINVAL, zmq_msg_get (&e->message, 0))
BAD (msg_get_descriptor_of_a_local_one, EINVAL, zmq_msg_get (&e->message, ZMQ_SRCFD))
BAD (msg_set_more, EINVAL, zmq_msg_set (&e->message, ZMQ_MORE, 1))
BAD (msg_set_shared, EINVAL, zmq_msg_set (&e->message, ZMQ_SHARED, 1))
BAD (msg_set_unknown, EINVAL, zmq_msg_set (&e->message, 99, 1))
BAD (msg_gets_of_a_local_one, EINVAL, null_fails (zmq_msg_gets (&e->message, "Socket-Type")))
BAD (msg_gets_empty_key, EINVAL, null_fails (zmq_msg_gets (&e->message, "")))
DRAFT (msg_set_routing_id_0, zmq_msg_set_routing_id, EINVAL,
       CALL (zmq_msg_set_routing_id) (&e->message, 0))

/* ---- Polling ---- */

BAD (poll_negative_count, EINVAL, zmq_poll (&(zmq_pollitem_t) {e->pair, 0, ZMQ_POLLIN, 0}, -1, 0))
BAD (poll_negative_count_without_a_list, EINVAL, zmq_poll (NULL, -1, 0))
BAD (poll_null_list, EFAULT, zmq_poll (NULL, 1, 0))
BAD (poll_nothing, 0, zmq_poll (NULL, 0, 0))
BODY (poll_thread_safe_with_unknown_bits, EINVAL, NULL)
{
    if (!type_is_built (ZMQ_CLIENT))
        return NOT_BUILT;
    void *s = new_socket (e->ctx, ZMQ_CLIENT);
    zmq_pollitem_t item = {s, 0, 64, 0};
    errno = 0;
    const int rc = zmq_poll (&item, 1, 0);
    const int number = errno;
    close_now (s);
    errno = number;
    return rc;
}
DRAFT (ppoll_negative_count, zmq_ppoll, EINVAL, CALL (zmq_ppoll) (NULL, -1, 0, NULL))
DRAFT (ppoll_null_list, zmq_ppoll, EFAULT, CALL (zmq_ppoll) (NULL, 1, 0, NULL))
DRAFT (ppoll_closed_socket,
       zmq_ppoll,
       ENOTSOCK,
       CALL (zmq_ppoll) (&(zmq_pollitem_t) {e->closed, 0, ZMQ_POLLIN, 0}, 1, 0, NULL))

/* A poller of the row's own; the call gets it as p. */
#define POLLER(id, number, ...)                                                                    \
    static int run_##id (env_t *e, __attribute__ ((unused)) void *h)                               \
    {                                                                                              \
        (void) e;                                                                                  \
        void *p = CALL (zmq_poller_new) ();                                                        \
        if (!p && on_tern () && errno == ENOTSUP)                                                  \
            return NOT_BUILT;                                                                      \
        assert_non_null (p);                                                                       \
        errno = 0;                                                                                 \
        const int rc_ = (__VA_ARGS__);                                                             \
        const int number_ = errno;                                                                 \
        void *q_ = p;                                                                              \
        OK (CALL (zmq_poller_destroy) (&q_));                                                      \
        assert_null (q_);                                                                          \
        errno = number_;                                                                           \
        return rc_;                                                                                \
    }                                                                                              \
    REGISTER (id, #id, number, NULL, "zmq_poller_new", run_##id, NULL)

POLLER (poller_add_null, ENOTSOCK, CALL (zmq_poller_add) (p, NULL, NULL, -1))
POLLER (poller_add_closed, ENOTSOCK, CALL (zmq_poller_add) (p, e->closed, NULL, -1))
POLLER (poller_add_context, ENOTSOCK, CALL (zmq_poller_add) (p, e->ctx, NULL, -1))
POLLER (poller_add_unknown_bits, EINVAL, CALL (zmq_poller_add) (p, e->pair, NULL, 16))
POLLER (poller_add_twice, EINVAL,
        CALL (zmq_poller_add) (p, e->pair, NULL, 1) == 0
          ? CALL (zmq_poller_add) (p, e->pair, NULL, 1)
          : -2)
POLLER (poller_add_fd_minus_1, EBADF, CALL (zmq_poller_add_fd) (p, -1, NULL, -1))
POLLER (poller_add_fd_unknown_bits, EINVAL, CALL (zmq_poller_add_fd) (p, 0, NULL, 16))
POLLER (poller_add_fd_twice, EINVAL,
        CALL (zmq_poller_add_fd) (p, 0, NULL, 0) == 0 ? CALL (zmq_poller_add_fd) (p, 0, NULL, 0)
                                                      : -2)
POLLER (poller_modify_null, ENOTSOCK, CALL (zmq_poller_modify) (p, NULL, -1))
POLLER (poller_modify_absent, EINVAL, CALL (zmq_poller_modify) (p, e->pair, 1))
POLLER (poller_modify_unknown_bits, EINVAL,
        CALL (zmq_poller_add) (p, e->pair, NULL, 1) == 0 ? CALL (zmq_poller_modify) (p, e->pair, 64)
                                                         : -2)
POLLER (poller_modify_fd_minus_1, EBADF, CALL (zmq_poller_modify_fd) (p, -1, -1))
POLLER (poller_modify_fd_absent, EINVAL, CALL (zmq_poller_modify_fd) (p, 0, 1))
POLLER (poller_remove_null, ENOTSOCK, CALL (zmq_poller_remove) (p, NULL))
POLLER (poller_remove_absent, EINVAL, CALL (zmq_poller_remove) (p, e->pair))
POLLER (poller_remove_fd_minus_1, EBADF, CALL (zmq_poller_remove_fd) (p, -1))
POLLER (poller_remove_fd_absent, EINVAL, CALL (zmq_poller_remove_fd) (p, 0))
POLLER (poller_wait_timeout, EAGAIN, CALL (zmq_poller_wait) (p, &event, 0))
POLLER (poller_wait_for_nothing_forever, EFAULT, CALL (zmq_poller_wait) (p, &event, -1))
POLLER (poller_wait_null, EFAULT, CALL (zmq_poller_wait) (p, NULL, 0))
POLLER (poller_wait_all_null, EFAULT, CALL (zmq_poller_wait_all) (p, NULL, 1, 0))
POLLER (poller_wait_all_negative, EINVAL, CALL (zmq_poller_wait_all) (p, &event, -1, 0))
POLLER (poller_wait_all_for_nothing_forever, EFAULT, CALL (zmq_poller_wait_all) (p, &event, 1, -1))
POLLER (poller_fd_without_a_thread_safe_socket, EINVAL, CALL (zmq_poller_fd) (p, &a_descriptor))
POLLER (poller_only_events_0_forever, EFAULT,
        CALL (zmq_poller_add) (p, e->pair, NULL, 0) == 0 ? CALL (zmq_poller_wait) (p, &event, -1)
                                                         : -2)
POLLER (poller_of_an_ended_context,
        ETERM,
        CALL (zmq_poller_add) (p, e->pair, NULL, 1) == 0 && zmq_ctx_shutdown (e->ctx) == 0
          ? CALL (zmq_poller_wait) (p, &event, DEADLINE_MS)
          : -2)
DRAFT (poller_destroy_null, zmq_poller_destroy, EFAULT, CALL (zmq_poller_destroy) (NULL))

/* ---- Proxies ---- */

BAD (proxy_null_front, EFAULT, zmq_proxy (NULL, e->pair, NULL))
BAD (proxy_null_back, EFAULT, zmq_proxy (e->pair, NULL, NULL))
BAD (proxy_null_both, EFAULT, zmq_proxy (NULL, NULL, NULL))
BAD (proxy_steerable_null_front, EFAULT, zmq_proxy_steerable (NULL, e->pair, NULL, NULL))
BAD (proxy_steerable_null_back, EFAULT, zmq_proxy_steerable (e->pair, NULL, NULL, NULL))
BETTER (device_null_front, EFAULT, "the reference does not check and hangs",
        zmq_device (ZMQ_QUEUE, NULL, e->pair))
BETTER (device_null_back, EFAULT, "the reference does not check and hangs",
        zmq_device (ZMQ_QUEUE, e->pair, NULL))
BAD (proxy_ended, ETERM, zmq_proxy (ended (e), e->pair, NULL))
BAD (proxy_steerable_ended, ETERM, zmq_proxy_steerable (ended (e), e->pair, NULL, NULL))
BAD (device_ended, ETERM, zmq_device (-5, ended (e), e->pair))

/* ---- Monitors ---- */

BAD (monitor_negative_mask, EINVAL, zmq_socket_monitor (e->pair, "inproc://m", -1))
BAD (monitor_bit_16, EINVAL, zmq_socket_monitor (e->pair, "inproc://m", 0x10000))
BAD (monitor_stop_checks_the_mask, EINVAL, zmq_socket_monitor (e->pair, NULL, 0x10000))
BAD (monitor_stop_without_one, 0, zmq_socket_monitor (e->pair, NULL, 0))
BAD (monitor_malformed, EINVAL, zmq_socket_monitor (e->pair, "monitor", ZMQ_EVENT_ALL))
BAD (monitor_empty, EINVAL, zmq_socket_monitor (e->pair, "", ZMQ_EVENT_ALL))
BAD (monitor_tcp, EPROTONOSUPPORT, zmq_socket_monitor (e->pair, "tcp://127.0.0.1:*", ZMQ_EVENT_ALL))
BAD (monitor_ipc, EPROTONOSUPPORT, zmq_socket_monitor (e->pair, "ipc:///tmp/x", ZMQ_EVENT_ALL))
BAD (monitor_unknown_transport, EPROTONOSUPPORT,
     zmq_socket_monitor (e->pair, "foo://x", ZMQ_EVENT_ALL))
BODY (monitor_name_taken, EADDRINUSE, NULL)
{
    void *other = new_socket (e->ctx, ZMQ_PAIR);
    OK (zmq_bind (other, "inproc://m"));
    errno = 0;
    const int rc = zmq_socket_monitor (e->pair, "inproc://m", ZMQ_EVENT_ALL);
    const int number = errno;
    close_now (other);
    errno = number;
    return rc;
}
/* The monitor's own socket counts. */
BODY (monitor_no_socket_left, EMFILE, NULL)
{
    (void) e;
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 1));
    void *s = new_socket (ctx, ZMQ_PAIR);
    errno = 0;
    const int rc = zmq_socket_monitor (s, "inproc://m", ZMQ_EVENT_ALL);
    const int number = errno;
    close_now (s);
    OK (zmq_ctx_term (ctx));
    errno = number;
    return rc;
}
DRAFT (monitor_versioned_type,
       zmq_socket_monitor_versioned,
       EINVAL,
       CALL (zmq_socket_monitor_versioned) (e->pair, "inproc://m", ZMQ_EVENT_ALL, 2, ZMQ_SUB))
DRAFT (monitor_versioned_1_bit_16,
       zmq_socket_monitor_versioned,
       EINVAL,
       CALL (zmq_socket_monitor_versioned) (e->pair, "inproc://m", 0x10000, 1, ZMQ_PAIR))
DRAFT (monitor_versioned_2_tcp,
       zmq_socket_monitor_versioned,
       EPROTONOSUPPORT,
       CALL (zmq_socket_monitor_versioned) (e->pair, "tcp://127.0.0.1:*", 1, 2, ZMQ_PAIR))
DRAFT (monitor_stats_without_a_monitor,
       zmq_socket_monitor_pipes_stats,
       EINVAL,
       CALL (zmq_socket_monitor_pipes_stats) (e->pair))
DRAFT (monitor_stats_without_the_bit,
       zmq_socket_monitor_pipes_stats,
       EINVAL,
       CALL (zmq_socket_monitor_versioned) (e->pair, "inproc://m", ZMQ_EVENT_ALL, 2, ZMQ_PAIR) == 0
         ? CALL (zmq_socket_monitor_pipes_stats) (e->pair)
         : -2)
DRAFT (monitor_stats_without_a_pipe, zmq_socket_monitor_pipes_stats, EAGAIN,
       CALL (zmq_socket_monitor_versioned) (e->pair, "inproc://m", ZMQ_EVENT_ALL_V2, 2, ZMQ_PAIR) ==
           0
         ? CALL (zmq_socket_monitor_pipes_stats) (e->pair)
         : -2)

/* ---- Peers and groups ---- */

/* The call gets a socket of the type as s. */
#define TYPED(id, symbol, number, type, ...)                                                       \
    static int run_##id (env_t *e, __attribute__ ((unused)) void *h)                               \
    {                                                                                              \
        if (!type_is_built (type))                                                                 \
            return NOT_BUILT;                                                                      \
        void *s = new_socket (e->ctx, type);                                                       \
        errno = 0;                                                                                 \
        const int rc_ = (__VA_ARGS__);                                                             \
        const int number_ = errno;                                                                 \
        close_now (s);                                                                             \
        errno = number_;                                                                           \
        return rc_;                                                                                \
    }                                                                                              \
    REGISTER (id, #id, number, NULL, #symbol, run_##id, NULL)

TYPED (join_on_pair, zmq_join, ENOTSUP, ZMQ_PAIR, CALL (zmq_join) (s, "g"))
TYPED (join_on_radio, zmq_join, ENOTSUP, ZMQ_RADIO, CALL (zmq_join) (s, "g"))
TYPED (join_null, zmq_join, EINVAL, ZMQ_DISH, CALL (zmq_join) (s, NULL))
TYPED (join_256, zmq_join, EINVAL, ZMQ_DISH,
       CALL (zmq_join) (s, (memset (e->buffer, 'g', 256), e->buffer[256] = 0, e->buffer)))
TYPED (join_255, zmq_join, 0, ZMQ_DISH,
       CALL (zmq_join) (s, (memset (e->buffer, 'g', 255), e->buffer[255] = 0, e->buffer)))
TYPED (join_empty, zmq_join, 0, ZMQ_DISH, CALL (zmq_join) (s, ""))
TYPED (join_twice, zmq_join, EINVAL, ZMQ_DISH,
       CALL (zmq_join) (s, "g") == 0 ? CALL (zmq_join) (s, "g") : -2)
TYPED (leave_on_pair, zmq_leave, ENOTSUP, ZMQ_PAIR, CALL (zmq_leave) (s, "g"))
TYPED (leave_null, zmq_leave, EINVAL, ZMQ_DISH, CALL (zmq_leave) (s, NULL))
TYPED (leave_unknown, zmq_leave, EINVAL, ZMQ_DISH, CALL (zmq_leave) (s, "g"))
TYPED (leave_256, zmq_leave, EINVAL, ZMQ_DISH,
       CALL (zmq_leave) (s, (memset (e->buffer, 'g', 256), e->buffer[256] = 0, e->buffer)))
TYPED (connect_peer_on_pair, zmq_connect_peer, ENOTSUP, ZMQ_PAIR,
       zero_fails (CALL (zmq_connect_peer) (s, "inproc://p")))
TYPED (connect_peer_immediate, zmq_connect_peer, EFAULT, ZMQ_PEER,
       set_some (s, ZMQ_IMMEDIATE, INT (1), 4) == 0
         ? zero_fails (CALL (zmq_connect_peer) (s, "inproc://p"))
         : -2)
TYPED (connect_peer_malformed, zmq_connect_peer, EINVAL, ZMQ_PEER,
       zero_fails (CALL (zmq_connect_peer) (s, "p")))
TYPED (connect_peer_null, zmq_connect_peer, EINVAL, ZMQ_PEER,
       zero_fails (CALL (zmq_connect_peer) (s, NULL)))
TYPED (connect_peer_unknown_transport,
       zmq_connect_peer,
       EPROTONOSUPPORT,
       ZMQ_PEER,
       zero_fails (CALL (zmq_connect_peer) (s, "foo://p")))
TYPED (disconnect_peer_on_pair, zmq_disconnect_peer, ENOTSUP, ZMQ_PAIR,
       CALL (zmq_disconnect_peer) (s, 1))
TYPED (disconnect_peer_unknown, zmq_disconnect_peer, EHOSTUNREACH, ZMQ_SERVER,
       CALL (zmq_disconnect_peer) (s, 1))
TYPED (disconnect_peer_unknown_2, zmq_disconnect_peer, EHOSTUNREACH, ZMQ_PEER,
       CALL (zmq_disconnect_peer) (s, 1))
TYPED (peer_state_on_pair,
       zmq_socket_get_peer_state,
       ENOTSUP,
       ZMQ_PAIR,
       CALL (zmq_socket_get_peer_state) (s, "x", 1))
TYPED (peer_state_unknown,
       zmq_socket_get_peer_state,
       EHOSTUNREACH,
       ZMQ_ROUTER,
       CALL (zmq_socket_get_peer_state) (s, "x", 1))

/* ---- Timers ---- */

static int with_timers (int (*call) (void *))
{
    void *t = zmq_timers_new ();
    assert_non_null (t);
    errno = 0;
    const int rc = call (t);
    const int number = errno;
    OK (zmq_timers_destroy (&t));
    errno = number;
    return rc;
}
static int add_without_a_handler (void *t)
{
    return zmq_timers_add (t, 10, NULL, NULL);
}
static int cancel_unknown (void *t)
{
    return zmq_timers_cancel (t, 1);
}
static int cancel_twice (void *t)
{
    const int id = zmq_timers_add (t, 1000, timer_handler, NULL);
    OK (zmq_timers_cancel (t, id));
    return zmq_timers_cancel (t, id);
}
static int reset_unknown (void *t)
{
    return zmq_timers_reset (t, 7);
}
static int interval_of_unknown (void *t)
{
    return zmq_timers_set_interval (t, 7, 10);
}
BAD (timers_add_without_a_handler, EFAULT, with_timers (add_without_a_handler))
BAD (timers_cancel_unknown, EINVAL, with_timers (cancel_unknown))
BAD (timers_cancel_twice, EINVAL, with_timers (cancel_twice))
BAD (timers_reset_unknown, EINVAL, with_timers (reset_unknown))
BAD (timers_interval_of_unknown, EINVAL, with_timers (interval_of_unknown))

/* ---- Z85 and keys ---- */

static uint8_t bytes[64];
static char text[64];
BAD (z85_encode_3_bytes, EINVAL, null_fails (zmq_z85_encode (text, bytes, 3)))
BAD (z85_encode_5_bytes, EINVAL, null_fails (zmq_z85_encode (text, bytes, 5)))
BAD (z85_decode_empty, EINVAL, null_fails (zmq_z85_decode (bytes, "")))
BAD (z85_decode_4_characters, EINVAL, null_fails (zmq_z85_decode (bytes, "0000")))
BAD (z85_decode_6_characters, EINVAL, null_fails (zmq_z85_decode (bytes, "000000")))
BAD (z85_decode_space, EINVAL, null_fails (zmq_z85_decode (bytes, "00 00")))
BAD (z85_decode_high_byte, EINVAL, null_fails (zmq_z85_decode (bytes, "00\xff" "00")))
BAD (z85_decode_too_big, EINVAL, null_fails (zmq_z85_decode (bytes, "%nSc1")))
BAD (z85_decode_much_too_big, EINVAL, null_fails (zmq_z85_decode (bytes, "#####")))
BAD (z85_decode_second_group, EINVAL, null_fails (zmq_z85_decode (bytes, "00000#####")))

static int curve_public (const char *secret)
{
    char own_public[41], own_secret[41];
    if (zmq_curve_keypair (own_public, own_secret) != 0)
        skip ();
    errno = 0;
    return zmq_curve_public (text, secret);
}
BAD (curve_public_6_characters, EINVAL, curve_public ("000000"))
BAD (curve_public_empty, EINVAL, curve_public (""))
BAD (curve_public_bad_character, EINVAL,
     curve_public ("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]y \"\""))
BETTER (curve_public_5_characters, EINVAL, "the reference accepts a short key",
        curve_public ("00000"))
BETTER (curve_public_35_characters,
        EINVAL,
        "the reference accepts a short key",
        curve_public ("00000000000000000000000000000000000"))
BETTER (curve_public_45_characters,
        EINVAL,
        "the reference writes behind its buffer",
        curve_public ("000000000000000000000000000000000000000000000"))

/* ---- Running a row ---- */

static void run_row (void **state)
{
    const row_t *row = *state;
    if (row->draft && !on_tern () && !dlsym (RTLD_DEFAULT, row->draft)) {
        printf ("[  OURS    ] not run on libzmq: %s is not exported\n", row->draft);
        skip ();
    }
    if (row->ours)
        OURS_IS_BETTER (row->ours);

    env_t e;
    memset (&e, 0, sizeof e);
    strcpy (e.dir, "/tmp/tern-bad-XXXXXX");
    assert_non_null (mkdtemp (e.dir));
    e.ctx = zmq_ctx_new ();
    assert_non_null (e.ctx);
    e.pair = new_socket (e.ctx, ZMQ_PAIR);
    e.closed = new_socket (e.ctx, ZMQ_PAIR);
    OK (zmq_msg_init_size (&e.message, 4));
    memcpy (zmq_msg_data (&e.message), "text", 4);
    if (row->handle != handle_closed)
        close_now (e.closed);
    void *handle = row->handle ? row->handle (&e) : NULL;
    if (row->handle == handle_closed)
        close_now (e.closed);

    errno = 0;
    const int rc = row->run (&e, handle);
    const int number = errno;

    const bool later = rc == NOT_BUILT
                       || (on_tern () && row->draft && rc < 0 && number == ENOTSUP
                           && row->expected != ENOTSUP);
    if (later)
        ;
    else if (row->expected == 0 ? rc != 0 : rc != -1 || number != row->expected)
        fail_msg ("%s: returned %d, errno %d (%s), expected %d (%s)", row->name, rc, number,
                  zmq_strerror (number), row->expected,
                  row->expected ? zmq_strerror (row->expected) : "success");

    /* Whatever it was, the objects have survived it. */
    if (rc == -1 && row->handle) {
        assert_int_equal (zmq_msg_size (&e.message), 4);
        assert_memory_equal (zmq_msg_data (&e.message), "text", 4);
        assert_int_equal (get_int (e.pair, ZMQ_TYPE), ZMQ_PAIR);
        assert_int_equal (zmq_ctx_get (e.ctx, ZMQ_IO_THREADS), 1);
    }
    zmq_msg_close (&e.message);
    close_now (e.pair);
    OK (zmq_ctx_term (e.ctx));
    OK (rmdir (e.dir));
    if (later)
        LATER (rc == NOT_BUILT ? "it needs a draft that is not built" : row->draft);
}

int main (void)
{
    static struct CMUnitTest tests[sizeof rows / sizeof rows[0]];
    for (size_t i = 0; i < row_count; ++i) {
        tests[i].name = rows[i].name;
        tests[i].test_func = run_row;
        tests[i].initial_state = &rows[i];
    }
    return _cmocka_run_group_tests ("bad input", tests, row_count, NULL, NULL);
}
