/* Helpers shared by the endpoint, reconnect, heartbeat, termination, monitor and wire tests:
 * a watchdog, reserved ports, a monitor reader with a deadline, and a ZMTP peer on a plain BSD socket. */
#ifndef TERN_ABI_TESTS_LIFECYCLE_SUPPORT_H
#define TERN_ABI_TESTS_LIFECYCLE_SUPPORT_H

#include "support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* ---- Watchdog: a hang becomes a failure of the whole program instead of a stuck run. ---- */

enum { WATCHDOG_SECONDS = 60 };

static inline void watchdog_fires (int signal_number)
{
    static const char text[] = "\n[  HUNG    ] the watchdog ended a test that does not return\n";
    (void) signal_number;
    if (write (STDERR_FILENO, text, sizeof text - 1) < 0)
        _exit (125);
    _exit (124);
}

static inline int watchdog_on (void **state)
{
    (void) state;
    fflush (stdout);
    signal (SIGALRM, watchdog_fires);
    set_watchdog (WATCHDOG_SECONDS);
    return 0;
}

static inline int watchdog_off (void **state)
{
    (void) state;
    alarm (0);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown (name, watchdog_on, watchdog_off)

/* ---- Time and names ---- */

/* The pause inside a loop that polls for a state. */
static inline void pause_ms (int ms)
{
    poll (NULL, 0, ms);
}

/* Repeats the condition until it holds, or fails at the deadline. */
#define EVENTUALLY(condition)                                              \
    do {                                                                   \
        const int64_t end_ = now_ms () + DEADLINE_MS;                      \
        while (!(condition)) {                                             \
            if (now_ms () > end_)                                          \
                fail_msg ("never became true: %s", #condition);            \
            pause_ms (2);                                                  \
        }                                                                  \
    } while (0)

static inline const char *unique_name (char *out, const char *what)
{
    static int counter;
    snprintf (out, 128, "inproc://%s-%ld-%d", what, (long) getpid (), ++counter);
    return out;
}

/* A private directory and the ipc text of a file in it. */
struct ipc_place
{
    char directory[64];
    char file[96];
    char endpoint[112];
};

static inline void make_ipc_place (struct ipc_place *p)
{
    strcpy (p->directory, "/tmp/tern-abi-XXXXXX");
    if (!mkdtemp (p->directory))
        fail_msg ("mkdtemp: %s", strerror (errno));
    snprintf (p->file, sizeof p->file, "%s/s", p->directory);
    snprintf (p->endpoint, sizeof p->endpoint, "ipc://%s", p->file);
}

static inline void remove_ipc_place (struct ipc_place *p)
{
    unlink (p->file);
    rmdir (p->directory);
}

static inline bool file_exists (const char *path)
{
    struct stat s;
    return lstat (path, &s) == 0;
}

/* ---- Context and sockets ---- */

static inline void *new_ctx (void)
{
    void *ctx = zmq_ctx_new ();
    if (!ctx)
        fail_msg ("zmq_ctx_new: %s", zmq_strerror (zmq_errno ()));
    return ctx;
}

static inline void end_ctx (void *ctx)
{
    OK (zmq_ctx_term (ctx));
}

/* A DONTWAIT send that either succeeds or would block; anything else is a failure. */
static inline bool try_send (void *s, const char *text)
{
    const int n = zmq_send (s, text, strlen (text), ZMQ_DONTWAIT);
    if (n == -1 && zmq_errno () != EAGAIN)
        fail_msg ("send \"%s\": %s", text, zmq_strerror (zmq_errno ()));
    return n != -1;
}

/* How many messages are accepted until a send would block. */
static inline int fill (void *s, int limit)
{
    int n = 0;
    while (n < limit && try_send (s, "fill"))
        ++n;
    return n;
}

static inline int events_of (void *s)
{
    return get_int (s, ZMQ_EVENTS);
}

static inline void expect_no_message (void *s)
{
    char buffer[8];
    expect_no_events (s, ZMQ_POLLIN);
    FAILS (zmq_recv (s, buffer, sizeof buffer, ZMQ_DONTWAIT), EAGAIN);
}

static inline void expect_endpoint (void *s, const char *text)
{
    char got[512];
    size_t size = sizeof got;
    OK (zmq_getsockopt (s, ZMQ_LAST_ENDPOINT, got, &size));
    assert_string_equal (got, text);
    assert_int_equal (size, strlen (text) + 1);
}

/* The library may release an address a little after close or unbind (CON-15). */
static inline void bind_soon (void *s, const char *endpoint)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    while (zmq_bind (s, endpoint) == -1) {
        if (zmq_errno () != EADDRINUSE || now_ms () > end)
            fail_msg ("bind %s: %s", endpoint, zmq_strerror (zmq_errno ()));
        pause_ms (5);
    }
}

static inline int port_of (const char *endpoint)
{
    const char *colon = strrchr (endpoint, ':');
    assert_non_null (colon);
    return atoi (colon + 1);
}

/* ---- zmq_ctx_term in a thread of its own, to watch when it returns ---- */

struct terminator
{
    pthread_t thread;
    void *ctx;
    int result;
    int error;
    int64_t returned_at;
    atomic_bool done;
};

static inline void *terminator_main (void *arg)
{
    struct terminator *t = arg;
    t->result = zmq_ctx_term (t->ctx);
    t->error = t->result ? zmq_errno () : 0;
    t->returned_at = now_ms ();
    atomic_store (&t->done, true);
    return NULL;
}

static inline void start_term (struct terminator *t, void *ctx)
{
    t->ctx = ctx;
    atomic_init (&t->done, false);
    assert_int_equal (pthread_create (&t->thread, NULL, terminator_main, t), 0);
}

static inline bool term_returned (struct terminator *t)
{
    return atomic_load (&t->done);
}

/* It must return 0 within the deadline. */
static inline void finish_term (struct terminator *t)
{
    EVENTUALLY (term_returned (t));
    pthread_join (t->thread, NULL);
    if (t->result)
        fail_msg ("zmq_ctx_term: %s", zmq_strerror (t->error));
}

/* ---- Plain sockets ---- */

/* A tcp port that belongs to this test. While the socket is only bound, connecting is refused, and others
 * (also the library, as it sets SO_REUSEADDR) may listen there; listen_at makes it a server. */
struct port
{
    int fd;
    int number;
    char endpoint[64];
};

static inline struct sockaddr_in local_address (int port)
{
    struct sockaddr_in a;
    memset (&a, 0, sizeof a);
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    a.sin_port = htons ((uint16_t) port);
    return a;
}

static inline void reserve_port (struct port *p)
{
    struct sockaddr_in a = local_address (0);
    socklen_t size = sizeof a;
    const int one = 1;
    p->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true (p->fd >= 0);
    assert_int_equal (setsockopt (p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    assert_int_equal (bind (p->fd, (struct sockaddr *) &a, sizeof a), 0);
    assert_int_equal (getsockname (p->fd, (struct sockaddr *) &a, &size), 0);
    p->number = ntohs (a.sin_port);
    snprintf (p->endpoint, sizeof p->endpoint, "tcp://127.0.0.1:%d", p->number);
}

static inline void listen_at (struct port *p)
{
    assert_int_equal (listen (p->fd, 32), 0);
}

static inline void release_port (struct port *p)
{
    close (p->fd);
    p->fd = -1;
}

/* -1 when nobody connected in time. */
static inline int accept_within (struct port *p, int ms)
{
    struct pollfd item = {p->fd, POLLIN, 0};
    if (poll (&item, 1, ms) != 1)
        return -1;
    return accept4 (p->fd, NULL, NULL, SOCK_CLOEXEC);
}

static inline int accept_one (struct port *p)
{
    const int fd = accept_within (p, DEADLINE_MS);
    if (fd < 0)
        fail_msg ("nobody connected to port %d", p->number);
    return fd;
}

static inline int connect_raw (const char *endpoint)
{
    int fd;
    if (strncmp (endpoint, "ipc://", 6) == 0) {
        struct sockaddr_un a;
        memset (&a, 0, sizeof a);
        a.sun_family = AF_UNIX;
        snprintf (a.sun_path, sizeof a.sun_path, "%.*s", (int) sizeof a.sun_path - 1, endpoint + 6);
        fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal (connect (fd, (struct sockaddr *) &a, sizeof a), 0);
    } else {
        const struct sockaddr_in a = local_address (port_of (endpoint));
        const int one = 1;
        fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal (connect (fd, (const struct sockaddr *) &a, sizeof a), 0);
        setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    return fd;
}

/* Closes with a TCP reset instead of an orderly end. */
static inline void reset_raw (int fd)
{
    const struct linger now = {1, 0};
    setsockopt (fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close (fd);
}

static inline bool write_raw (int fd, const void *data, size_t size)
{
    const unsigned char *p = data;
    while (size) {
        const ssize_t n = send (fd, p, size, MSG_NOSIGNAL);
        if (n < 0)
            return false;
        p += n;
        size -= (size_t) n;
    }
    return true;
}

static inline void send_raw (int fd, const void *data, size_t size)
{
    if (!write_raw (fd, data, size))
        fail_msg ("the library closed the connection early: %s", strerror (errno));
}

/* Returns the bytes read before the deadline or the end of the stream. */
static inline size_t read_raw (int fd, void *data, size_t size, int ms)
{
    unsigned char *p = data;
    size_t have = 0;
    const int64_t end = now_ms () + ms;
    while (have < size) {
        struct pollfd item = {fd, POLLIN, 0};
        const int64_t left = end - now_ms ();
        if (left <= 0 || poll (&item, 1, (int) left) != 1)
            break;
        const ssize_t n = recv (fd, p + have, size - have, 0);
        if (n <= 0)
            break;
        have += (size_t) n;
    }
    return have;
}

static inline void expect_bytes (int fd, void *data, size_t size)
{
    const size_t n = read_raw (fd, data, size, DEADLINE_MS);
    if (n != size)
        fail_msg ("the library sent %zu of %zu bytes", n, size);
}

/* Reads away whatever comes until the end of the stream (or a reset). */
static inline bool closed_within (int fd, int ms)
{
    const int64_t end = now_ms () + ms;
    for (;;) {
        char buffer[4096];
        struct pollfd item = {fd, POLLIN, 0};
        const int64_t left = end - now_ms ();
        if (left <= 0 || poll (&item, 1, (int) left) != 1)
            return false;
        if (recv (fd, buffer, sizeof buffer, 0) <= 0)
            return true;
    }
}

static inline void expect_closed (int fd)
{
    if (!closed_within (fd, DEADLINE_MS))
        fail_msg ("the library kept the connection open");
}

/* No byte and no end of the stream for a while. */
static inline void expect_quiet (int fd, int ms)
{
    static char byte;
    struct pollfd item = {fd, POLLIN, 0};
    if (poll (&item, 1, ms) == 0)
        return;
    const ssize_t n = recv (fd, &byte, 1, MSG_PEEK);
    if (n > 0)
        fail_msg ("the library sent something (first byte %02x)", (unsigned) byte & 0xffu);
    fail_msg ("the library closed the connection");
}

/* The connection stays, whatever is sent on it. */
static inline void expect_open (int fd, int ms)
{
    if (closed_within (fd, ms))
        fail_msg ("the library closed the connection");
}

/* ---- Bytes written as hexadecimal text; blanks are allowed ---- */

static inline size_t from_hex (const char *hex, unsigned char *out, size_t capacity)
{
    size_t n = 0;
    int half = -1;
    for (; *hex; ++hex) {
        if (*hex == ' ')
            continue;
        const int v = *hex <= '9' ? *hex - '0' : (*hex | 32) - 'a' + 10;
        assert_in_range (v, 0, 15);
        if (half < 0) {
            half = v;
            continue;
        }
        assert_true (n < capacity);
        out[n++] = (unsigned char) (half << 4 | v);
        half = -1;
    }
    assert_int_equal (half, -1);
    return n;
}

static inline void send_hex (int fd, const char *hex)
{
    unsigned char bytes[1024];
    send_raw (fd, bytes, from_hex (hex, bytes, sizeof bytes));
}

static inline void expect_hex (int fd, const char *hex)
{
    unsigned char want[1024], got[1024];
    const size_t size = from_hex (hex, want, sizeof want);
    const size_t n = read_raw (fd, got, size, DEADLINE_MS);
    if (n == size && memcmp (want, got, size) == 0)
        return;
    printf ("  received:");
    for (size_t i = 0; i < n; ++i)
        printf (" %02x", got[i]);
    printf ("\n  expected: %s\n", hex);
    fail_msg ("the library sent other bytes (%zu of %zu)", n, size);
}

/* ---- A ZMTP 3.1 peer with the NULL mechanism ---- */

enum { GREETING_SIZE = 64 };
enum { FLAG_MORE = 1, FLAG_LARGE = 2, FLAG_COMMAND = 4 };

static inline void make_greeting (unsigned char *out, int minor, const char *mechanism)
{
    memset (out, 0, GREETING_SIZE);
    out[0] = 0xff;
    out[8] = 1;
    out[9] = 0x7f;
    out[10] = 3;
    out[11] = (unsigned char) minor;
    memcpy (out + 12, mechanism, strlen (mechanism));
}

struct frame
{
    int flags;
    uint64_t size;
    unsigned char body[1024]; /* the first bytes; longer bodies are read and forgotten */
};

/* False at the end of the stream or after `ms`. */
static inline bool read_frame (int fd, struct frame *f, int ms)
{
    unsigned char head[8];
    if (read_raw (fd, head, 1, ms) != 1)
        return false;
    f->flags = head[0];
    const size_t length = f->flags & FLAG_LARGE ? 8 : 1;
    if (read_raw (fd, head, length, DEADLINE_MS) != length)
        return false;
    f->size = 0;
    for (size_t i = 0; i < length; ++i)
        f->size = f->size << 8 | head[i];
    size_t keep = f->size < sizeof f->body ? (size_t) f->size : sizeof f->body;
    if (read_raw (fd, f->body, keep, DEADLINE_MS) != keep)
        return false;
    for (uint64_t left = f->size - keep; left;) {
        static unsigned char away[65536];
        const size_t n = left < sizeof away ? (size_t) left : sizeof away;
        const size_t got = read_raw (fd, away, n, DEADLINE_MS);
        if (got == 0)
            return false;
        left -= got;
    }
    return true;
}

static inline bool is_command (const struct frame *f, const char *name)
{
    const size_t n = strlen (name);
    return (f->flags & FLAG_COMMAND) && f->size > n && f->body[0] == n && memcmp (f->body + 1, name, n) == 0;
}

static inline void expect_frame (int fd, struct frame *f)
{
    if (!read_frame (fd, f, DEADLINE_MS))
        fail_msg ("no further frame from the library");
}

/* The next frame must be this one. */
static inline void expect_frame_text (int fd, int flags, const char *text)
{
    struct frame f;
    expect_frame (fd, &f);
    if (f.flags != flags || f.size != strlen (text) || memcmp (f.body, text, strlen (text)) != 0)
        fail_msg ("frame with flags %d, \"%.*s\", expected flags %d, \"%s\"", f.flags,
                  (int) (f.size < 100 ? f.size : 100), (const char *) f.body, flags, text);
}

static inline void send_frame (int fd, int flags, const void *body, size_t size)
{
    unsigned char out[2 + 255];
    assert_true (size <= 255);
    out[0] = (unsigned char) flags;
    out[1] = (unsigned char) size;
    memcpy (out + 2, body, size);
    send_raw (fd, out, size + 2);
}

enum { LEFT_BEHIND = 100000 };

/* A DEALER sends the peer at the other end of `fd` more than that takes at once, and would wait for it. */
static inline void send_much (void *s, int fd)
{
    static char body[LEFT_BEHIND];
    const int small = 4096;
    memset (body, 'x', sizeof body);
    OK (setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
    set_int (s, ZMQ_LINGER, -1);
    assert_int_equal (zmq_send (s, body, sizeof body, 0), sizeof body);
}

/* The same to a peer that it has heard, and it closes. */
static inline void leave_much_behind (void *s, int fd)
{
    send_frame (fd, 0, "hello", 5);
    expect_text (s, "hello");
    send_much (s, fd);
    OK (zmq_close (s));
}

/* All of it, and then the end of the stream. */
static inline void expect_what_was_left (int fd)
{
    static char bytes[65536];
    int count = 0;
    ssize_t size = -1;
    struct pollfd ready = {fd, POLLIN, 0};
    while (poll (&ready, 1, DEADLINE_MS) == 1 && (size = recv (fd, bytes, sizeof bytes, 0)) > 0)
        for (ssize_t i = 0; i < size; ++i)
            count += bytes[i] == 'x';
    if (size != 0)
        fail_msg ("no end of the stream after %d bytes of the message", count);
    assert_int_equal (count, LEFT_BEHIND);
}

static inline void send_frame_text (int fd, int flags, const char *text)
{
    send_frame (fd, flags, text, strlen (text));
}

static inline size_t make_ready (unsigned char *out, const char *type, const char *identity)
{
    size_t n = 0;
    memcpy (out, "\5READY\13Socket-Type\0\0\0", 21);
    n = 21;
    out[n++] = (unsigned char) strlen (type);
    memcpy (out + n, type, strlen (type));
    n += strlen (type);
    if (identity) {
        memcpy (out + n, "\10Identity\0\0\0", 12);
        n += 12;
        out[n++] = (unsigned char) strlen (identity);
        memcpy (out + n, identity, strlen (identity));
        n += strlen (identity);
    }
    return n;
}

static inline void send_ready (int fd, const char *type)
{
    unsigned char body[255];
    send_frame (fd, FLAG_COMMAND, body, make_ready (body, type, NULL));
}

/* Sends the greeting and reads the library's. */
static inline void exchange_greetings (int fd)
{
    unsigned char mine[GREETING_SIZE], theirs[GREETING_SIZE];
    make_greeting (mine, 1, "NULL");
    send_raw (fd, mine, sizeof mine);
    expect_bytes (fd, theirs, sizeof theirs);
    assert_int_equal (theirs[0], 0xff);
    assert_int_equal (theirs[10], 3);
    assert_memory_equal (theirs + 12, mine + 12, 20);
}

/* Everything before the own READY: a peer that may still refuse. Returns the library's READY in `f`. */
static inline void handshake_until_ready (int fd, struct frame *f)
{
    exchange_greetings (fd);
    expect_frame (fd, f);
    assert_true (is_command (f, "READY"));
}

static inline void handshake (int fd, const char *own_type)
{
    struct frame f;
    handshake_until_ready (fd, &f);
    send_ready (fd, own_type);
}

/* ---- Monitor reader ---- */

struct event
{
    int id;
    uint32_t value;
    char address[300];
};

struct monitor
{
    void *collector;
    char seen[1024]; /* for the message of a failing test */
};

static inline const char *event_name (int id)
{
    switch (id) {
    case ZMQ_EVENT_CONNECTED: return "CONNECTED";
    case ZMQ_EVENT_CONNECT_DELAYED: return "CONNECT_DELAYED";
    case ZMQ_EVENT_CONNECT_RETRIED: return "CONNECT_RETRIED";
    case ZMQ_EVENT_LISTENING: return "LISTENING";
    case ZMQ_EVENT_BIND_FAILED: return "BIND_FAILED";
    case ZMQ_EVENT_ACCEPTED: return "ACCEPTED";
    case ZMQ_EVENT_ACCEPT_FAILED: return "ACCEPT_FAILED";
    case ZMQ_EVENT_CLOSED: return "CLOSED";
    case ZMQ_EVENT_CLOSE_FAILED: return "CLOSE_FAILED";
    case ZMQ_EVENT_DISCONNECTED: return "DISCONNECTED";
    case ZMQ_EVENT_MONITOR_STOPPED: return "MONITOR_STOPPED";
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: return "FAILED_NO_DETAIL";
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return "HANDSHAKE_SUCCEEDED";
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: return "FAILED_PROTOCOL";
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return "FAILED_AUTH";
    default: return "?";
    }
}

/* Connects the collector first, so that no event has to wait for one. */
static inline void monitor_start (struct monitor *m, void *ctx, void *s, int mask)
{
    char name[128];
    m->seen[0] = 0;
    unique_name (name, "monitor");
    OK (zmq_socket_monitor (s, name, mask));
    m->collector = new_socket (ctx, ZMQ_PAIR);
    OK (zmq_connect (m->collector, name));
}

static inline void monitor_note (struct monitor *m, const struct event *e)
{
    const size_t used = strlen (m->seen);
    if (used < sizeof m->seen - 64)
        snprintf (m->seen + used, sizeof m->seen - used, " %s(%d)", event_name (e->id), (int) e->value);
}

/* False when nothing came in time. */
static inline bool monitor_next (struct monitor *m, struct event *e, int ms)
{
    unsigned char head[16];
    uint16_t id;
    zmq_pollitem_t item = {m->collector, 0, ZMQ_POLLIN, 0};
    OK (zmq_poll (&item, 1, ms));
    if (!(item.revents & ZMQ_POLLIN))
        return false;
    assert_int_equal (zmq_recv (m->collector, head, sizeof head, ZMQ_DONTWAIT), 6);
    assert_int_equal (get_int (m->collector, ZMQ_RCVMORE), 1);
    memcpy (&id, head, 2);
    memcpy (&e->value, head + 2, 4);
    e->id = id;
    const int n = zmq_recv (m->collector, e->address, sizeof e->address - 1, ZMQ_DONTWAIT);
    assert_in_range (n, 0, (int) sizeof e->address - 1);
    e->address[n] = 0;
    assert_int_equal (get_int (m->collector, ZMQ_RCVMORE), 0);
    monitor_note (m, e);
    return true;
}

/* The next event must be `id`. */
static inline struct event monitor_expect (struct monitor *m, int id)
{
    struct event e;
    if (!monitor_next (m, &e, DEADLINE_MS))
        fail_msg ("expected %s, nothing came after:%s", event_name (id), m->seen);
    if (e.id != id)
        fail_msg ("expected %s as the last of:%s", event_name (id), m->seen);
    return e;
}

/* Skips events until `id`. */
static inline struct event monitor_wait (struct monitor *m, int id)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    struct event e;
    do {
        if (!monitor_next (m, &e, DEADLINE_MS) || now_ms () > end)
            fail_msg ("%s never came; events:%s", event_name (id), m->seen);
    } while (e.id != id);
    return e;
}

/* Reads events until `id`; one of kind `never` on the way is a failure. */
static inline struct event monitor_wait_without (struct monitor *m, int id, int never)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    struct event e;
    do {
        if (!monitor_next (m, &e, DEADLINE_MS) || now_ms () > end)
            fail_msg ("%s never came; events:%s", event_name (id), m->seen);
        if (e.id & never)
            fail_msg ("%s must not come; events:%s", event_name (e.id), m->seen);
    } while (e.id != id);
    return e;
}

static inline void monitor_quiet (struct monitor *m, int ms)
{
    struct event e;
    if (monitor_next (m, &e, ms))
        fail_msg ("%s is one too many; events:%s", event_name (e.id), m->seen);
}

/* The three events of a normal connection on the connecting side; DELAYED belongs to tcp only (MON-9, MON-10). */
static inline void monitor_expect_connection (struct monitor *m, bool tcp)
{
    if (tcp)
        monitor_expect (m, ZMQ_EVENT_CONNECT_DELAYED);
    monitor_expect (m, ZMQ_EVENT_CONNECTED);
    monitor_expect (m, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
}

/* Closes the monitored socket, reads up to MONITOR_STOPPED (the mask must have it), then closes the collector:
 * the reference blocks when the collector goes first (MON-4). */
static inline void monitor_close (struct monitor *m, void *s)
{
    close_now (s);
    monitor_wait (m, ZMQ_EVENT_MONITOR_STOPPED);
    close_now (m->collector);
}

#endif
