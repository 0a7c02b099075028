/* Small kit shared by the C ABI tests: public API only, no sleeps as synchronisation.
 * Every program is linked against the soname libzmq.so.5 and run twice, once per library. */
#ifndef TERN_ABI_TESTS_SUPPORT_H
#define TERN_ABI_TESTS_SUPPORT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

/* Sanitizers keep what was freed for a while, and reserve more addresses than there are. */
#if defined __has_feature
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define UNDER_SANITIZER 1
#endif
#endif
#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
#define UNDER_SANITIZER 1
#endif
#ifdef UNDER_SANITIZER
enum { IS_SANITIZED = true };
#else
enum { IS_SANITIZED = false };
#endif

/* scripts/memcheck says so: a run under valgrind, which is some thirty times slower and has one thread at a time. */
static inline bool under_memcheck (void)
{
    return getenv ("TERN_MEMCHECK") != NULL;
}

/* Does the memory that the process has tell what the library keeps? */
static inline bool memory_tells (void)
{
    return !IS_SANITIZED && !under_memcheck ();
}

/* Generous upper bound for "this will happen soon". Reaching it is a failure. */
#define DEADLINE_MS (under_memcheck () ? 60000 : 10000)
/* Ends a program that hangs. */
static inline void set_watchdog (unsigned seconds)
{
    alarm (under_memcheck () ? 10 * seconds : seconds);
}

/* How long "nothing may happen" is watched. */
enum { QUIET_MS = 150 };

/* True when the library under test is Tern: the test run sets ABI_LIBRARY=tern, or ABI_LIBRARY=libzmq. */
static inline bool on_tern (void)
{
    const char *name = getenv ("ABI_LIBRARY");
    return name && strcmp (name, "tern") == 0;
}

/* For tests that the reference fails: ours is better, and the reason says why. */
#define OURS_IS_BETTER(reason)                                             \
    do {                                                                   \
        if (!on_tern ()) {                                                 \
            printf ("[  OURS    ] not run on libzmq: %s\n", reason);       \
            skip ();                                                       \
        }                                                                  \
    } while (0)

/* For tests of what valgrind itself stands in the way of. */
#define NOT_UNDER_MEMCHECK(reason)                                         \
    do {                                                                   \
        if (under_memcheck ()) {                                           \
            printf ("[  MEMCHECK] not run under valgrind: %s\n", reason);  \
            skip ();                                                       \
        }                                                                  \
    } while (0)

/* For tests of what Tern does not have yet. It leaves the test at once: nothing may be open then that the
 * teardown of the test does not close. */
#define LATER(reason)                                                      \
    do {                                                                   \
        printf ("[  LATER   ] not run on Tern yet: %s\n", reason);         \
        skip ();                                                           \
    } while (0)

static inline int64_t now_ms (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A call that must succeed; shows errno when it does not. */
#define OK(call)                                                           \
    do {                                                                   \
        if ((call) == -1) {                                                \
            const int e_ = errno;                                          \
            fail_msg ("%s: %s (%d)", #call, zmq_strerror (e_), e_);        \
        }                                                                  \
    } while (0)

/* A call that must fail with the given errno. */
#define FAILS(call, expected)                                              \
    do {                                                                   \
        errno = 0;                                                         \
        const int r_ = (call);                                             \
        const int e_ = errno;                                              \
        if (r_ != -1 || e_ != (expected))                                  \
            fail_msg ("%s: returned %d, errno %d (%s), expected -1, %d (%s)", #call, r_, e_,   \
                      zmq_strerror (e_), (expected), zmq_strerror (expected));                 \
    } while (0)

/* The draft socket types have the numbers from 12 on (ZMQ_SERVER) up to 20 (ZMQ_CHANNEL). */
enum { FIRST_DRAFT_TYPE = 12, LAST_DRAFT_TYPE = 20 };

/* False for a draft type that Tern refuses with ENOTSUP, as one it does not have yet. Any other failure is left
 * to the test. */
static inline bool type_is_built (int type)
{
    static signed char known[LAST_DRAFT_TYPE + 1]; /* 0: not asked yet */
    if (!on_tern () || type < FIRST_DRAFT_TYPE || type > LAST_DRAFT_TYPE)
        return true;
    if (!known[type]) {
        void *ctx = zmq_ctx_new ();
        errno = 0;
        void *s = zmq_socket (ctx, type);
        known[type] = s || errno != ENOTSUP ? 1 : -1;
        if (s)
            zmq_close (s);
        zmq_ctx_term (ctx);
    }
    return known[type] > 0;
}

/* To be asked before anything is opened. */
static inline void need_type (int type)
{
    char text[64];
    snprintf (text, sizeof text, "socket type %d is not built", type);
    if (!type_is_built (type))
        LATER (text);
}

static inline void *new_socket (void *ctx, int type)
{
    void *s = zmq_socket (ctx, type);
    if (!s) {
        const int e = zmq_errno ();
        if (e == ENOTSUP)
            need_type (type);
        fail_msg ("zmq_socket (%d): %s", type, zmq_strerror (e));
    }
    return s;
}

static inline void set_int (void *s, int option, int value)
{
    OK (zmq_setsockopt (s, option, &value, sizeof value));
}

static inline int get_int (void *s, int option)
{
    int value = -12345;
    size_t size = sizeof value;
    OK (zmq_getsockopt (s, option, &value, &size));
    return value;
}

/* Binds to a wildcard address of tcp or ipc, or any other text, and returns LAST_ENDPOINT in `out` (256 bytes). */
static inline const char *bind_any (void *s, const char *endpoint, char *out)
{
    size_t size = 256;
    OK (zmq_bind (s, endpoint));
    OK (zmq_getsockopt (s, ZMQ_LAST_ENDPOINT, out, &size));
    return out;
}

/* Waits until `events` are all reported, or fails at the deadline. */
static inline void wait_events (void *s, short events)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    for (;;) {
        zmq_pollitem_t item = {s, 0, events, 0};
        OK (zmq_poll (&item, 1, 100));
        if ((item.revents & events) == events)
            return;
        if (now_ms () > end)
            fail_msg ("events %d never came (last %d)", events, item.revents);
    }
}

/* Nothing of `events` may be reported for QUIET_MS. */
static inline void expect_no_events (void *s, short events)
{
    zmq_pollitem_t item = {s, 0, events, 0};
    const int n = zmq_poll (&item, 1, QUIET_MS);
    if (n != 0)
        fail_msg ("unexpected events %d", item.revents);
}

static inline void send_text (void *s, const char *text, int flags)
{
    if (zmq_send (s, text, strlen (text), flags) != (int) strlen (text))
        fail_msg ("send \"%s\": %s", text, zmq_strerror (zmq_errno ()));
}

/* Receives one part within the deadline and compares it. */
static inline void expect_text (void *s, const char *text)
{
    char buffer[1024];
    wait_events (s, ZMQ_POLLIN);
    const int n = zmq_recv (s, buffer, sizeof buffer - 1, ZMQ_DONTWAIT);
    if (n < 0)
        fail_msg ("recv (expected \"%s\"): %s", text, zmq_strerror (zmq_errno ()));
    buffer[n < 0 ? 0 : n < (int) sizeof buffer ? n : (int) sizeof buffer - 1] = 0;
    if ((size_t) n != strlen (text) || memcmp (buffer, text, (size_t) n) != 0)
        fail_msg ("received \"%s\" (%d bytes), expected \"%s\"", buffer, n, text);
}

static inline void close_now (void *s)
{
    const int zero = 0;
    zmq_setsockopt (s, ZMQ_LINGER, &zero, sizeof zero);
    OK (zmq_close (s));
}

#endif
