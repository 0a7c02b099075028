/* SPDX-License-Identifier: Apache-2.0 */
/* Every socket option on every socket type: defaults, sizes, ranges, who accepts what.
 * Options of plain integers are rows of a table; one test is made of each. */
#define ZMQ_BUILD_DRAFT_API
#include "support.h"

#include <limits.h>

#define COUNT(list) (sizeof (list) / sizeof (list)[0])

/* ---- Socket types as sets ---- */

enum { TYPES = ZMQ_CHANNEL + 1, STABLE_TYPES = ZMQ_STREAM + 1 };
typedef unsigned types_t;
#define T(type) (1u << (type))
#define ALL (T (TYPES) - 1)
#define PUBS (T (ZMQ_PUB) | T (ZMQ_XPUB))
#define ROUTERS (T (ZMQ_ROUTER) | T (ZMQ_REP))
#define THREAD_SAFES                                                                               \
    (T (ZMQ_SERVER) | T (ZMQ_CLIENT) | T (ZMQ_RADIO) | T (ZMQ_DISH) | T (ZMQ_GATHER)               \
     | T (ZMQ_SCATTER) | T (ZMQ_PEER) | T (ZMQ_CHANNEL))

static const char *const type_names[TYPES] = {
  "PAIR",  "PUB",  "SUB",    "REQ",     "REP",    "DEALER", "ROUTER",
  "PULL",  "PUSH", "XPUB",   "XSUB",    "STREAM", "SERVER", "CLIENT",
  "RADIO", "DISH", "GATHER", "SCATTER", "DGRAM",  "PEER",   "CHANNEL"};

static void *ctx;
static int open_sockets;

static void *open_socket (int type)
{
    void *s = new_socket (ctx, type);
    ++open_sockets;
    return s;
}

static void close_socket (void *s)
{
    close_now (s);
    --open_sockets;
}

static int group_setup (void **state)
{
    (void) state;
    ctx = zmq_ctx_new ();
    return ctx ? 0 : -1;
}

static int group_teardown (void **state)
{
    (void) state;
    /* A test that failed has left its socket open; waiting for that would take for ever. */
    return open_sockets ? 0 : zmq_ctx_term (ctx);
}

/* ---- Integer options ---- */

typedef enum
{
    AS_SET,    /* reads back as it was set */
    AS_BOOL,   /* anything but 0 reads back as 1 */
    AS_STEPS,  /* in steps of 100, towards 0 */
    NOT_READ,  /* get is EINVAL */
    NOT_SET    /* set is EINVAL */
} how_t;

typedef struct
{
    const char *name;
    int option;
    int value;          /* default */
    int low, high;      /* legal values */
    how_t how;
    types_t types;      /* who accepts a set; a get is for all */
    const char *needs;  /* zmq_has, or NULL */
    bool ours;          /* not in the stable 4.3.4 */
} int_row_t;

#define ROW(option, ...) {#option, option, __VA_ARGS__}

static const int_row_t int_rows[] = {
  ROW (ZMQ_RATE, 100, 1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_RECOVERY_IVL, 10000, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_SNDBUF, -1, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_RCVBUF, -1, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_RECONNECT_IVL, 100, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_RECONNECT_IVL_MAX, 0, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_BACKLOG, 100, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_SNDHWM, 1000, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_RCVHWM, 1000, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_MULTICAST_HOPS, 1, 1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_MULTICAST_MAXTPDU, 1500, 1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_RCVTIMEO, -1, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_SNDTIMEO, -1, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_TCP_KEEPALIVE, -1, -1, 1, AS_SET, ALL, NULL, false),
  ROW (ZMQ_TCP_KEEPALIVE_CNT, -1, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_TCP_KEEPALIVE_IDLE, -1, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_TCP_KEEPALIVE_INTVL, -1, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_TCP_MAXRT, 0, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_IMMEDIATE, 0, 0, 1, AS_SET, ALL, NULL, false),
  ROW (ZMQ_IPV6, 0, 0, 1, AS_SET, ALL, NULL, false),
  ROW (ZMQ_IPV4ONLY, 1, 0, 1, AS_SET, ALL, NULL, false),
  ROW (ZMQ_CONFLATE, 0, 0, 1, AS_SET, ALL, NULL, false),
  ROW (ZMQ_TOS, 0, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_HANDSHAKE_IVL, 30000, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_CONNECT_TIMEOUT, 0, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_HEARTBEAT_IVL, 0, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_HEARTBEAT_TTL, 0, -99, 6553599, AS_STEPS, ALL, NULL, false),
  ROW (ZMQ_HEARTBEAT_TIMEOUT, -1, 0, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_USE_FD, -1, -1, INT_MAX, AS_SET, ALL, NULL, false),
  ROW (ZMQ_INVERT_MATCHING, 0, INT_MIN, INT_MAX, AS_BOOL, ALL, NULL, false),
  ROW (ZMQ_PLAIN_SERVER, 0, 0, 1, AS_SET, ALL, NULL, false),
  ROW (ZMQ_CURVE_SERVER, 0, 0, 1, AS_SET, ALL, "curve", false),
  ROW (ZMQ_GSSAPI_SERVER, 0, 0, 1, AS_SET, ALL, "gssapi", false),
  ROW (ZMQ_GSSAPI_PLAINTEXT, 0, 0, 1, AS_SET, ALL, "gssapi", false),
  ROW (ZMQ_GSSAPI_PRINCIPAL_NAMETYPE, 0, 0, 2, AS_SET, ALL, "gssapi", false),
  ROW (ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE, 0, 0, 2, AS_SET, ALL, "gssapi", false),
  ROW (ZMQ_ROUTER_MANDATORY, 0, 0, INT_MAX, NOT_READ, ROUTERS, NULL, false),
  ROW (ZMQ_ROUTER_HANDOVER, 0, 0, INT_MAX, NOT_READ, ROUTERS, NULL, false),
  ROW (ZMQ_ROUTER_RAW, 0, 0, INT_MAX, NOT_READ, ROUTERS, NULL, false),
  ROW (ZMQ_PROBE_ROUTER, 0, 0, INT_MAX, NOT_READ, ROUTERS | T (ZMQ_DEALER) | T (ZMQ_REQ), NULL,
       false),
  ROW (ZMQ_REQ_CORRELATE, 0, 0, INT_MAX, NOT_READ, T (ZMQ_REQ), NULL, false),
  ROW (ZMQ_REQ_RELAXED, 0, 0, INT_MAX, NOT_READ, T (ZMQ_REQ), NULL, false),
  ROW (ZMQ_XPUB_VERBOSE, 0, 0, INT_MAX, NOT_READ, PUBS, NULL, false),
  ROW (ZMQ_XPUB_VERBOSER, 0, 0, INT_MAX, NOT_READ, PUBS, NULL, false),
  ROW (ZMQ_XPUB_MANUAL, 0, 0, INT_MAX, NOT_READ, PUBS, NULL, false),
  ROW (ZMQ_XPUB_NODROP, 0, 0, INT_MAX, NOT_READ, PUBS | T (ZMQ_RADIO), NULL, false),
  ROW (ZMQ_STREAM_NOTIFY, 1, 0, 1, NOT_READ, T (ZMQ_STREAM), NULL, false),
  ROW (ZMQ_VMCI_CONNECT_TIMEOUT, -1, INT_MIN, INT_MAX, NOT_READ, ALL, "vmci", false),
  ROW (ZMQ_MECHANISM, 0, 0, 0, NOT_SET, 0, NULL, false),

  /* Marked as drafts, and yet in the stable library. */
  ROW (ZMQ_ZAP_ENFORCE_DOMAIN, 0, INT_MIN, INT_MAX, AS_BOOL, ALL, NULL, false),
  ROW (ZMQ_LOOPBACK_FASTPATH, 0, INT_MIN, INT_MAX, AS_BOOL, ALL, NULL, false),
  ROW (ZMQ_MULTICAST_LOOP, 1, INT_MIN, INT_MAX, AS_BOOL, ALL, NULL, false),
  ROW (ZMQ_XPUB_MANUAL_LAST_VALUE, 0, 0, INT_MAX, NOT_READ, PUBS, NULL, false),
  ROW (ZMQ_ONLY_FIRST_SUBSCRIBE, 0, 0, INT_MAX, NOT_READ, PUBS | T (ZMQ_XSUB), NULL, false),
  ROW (ZMQ_RECONNECT_STOP, 0, INT_MIN, INT_MAX, AS_SET, ALL, NULL, false),

  /* Drafts proper. */
  ROW (ZMQ_ROUTER_NOTIFY, 0, 0, 3, AS_SET, ROUTERS, NULL, true),
  ROW (ZMQ_IN_BATCH_SIZE, 8192, 1, INT_MAX, AS_SET, ALL, NULL, true),
  ROW (ZMQ_OUT_BATCH_SIZE, 8192, 1, INT_MAX, AS_SET, ALL, NULL, true),
  ROW (ZMQ_PRIORITY, 0, 0, INT_MAX, AS_SET, ALL, NULL, true),
  ROW (ZMQ_BUSY_POLL, 0, INT_MIN, INT_MAX, AS_SET, ALL, NULL, true),
  ROW (ZMQ_WSS_TRUST_SYSTEM, 0, 0, 1, NOT_READ, ALL, "WSS", true),
  ROW (ZMQ_NORM_MODE, 1, 0, 4, AS_SET, ALL, "norm", true),
  ROW (ZMQ_NORM_UNICAST_NACK, 0, 0, 1, AS_SET, ALL, "norm", true),
  ROW (ZMQ_NORM_BUFFER_SIZE, 2048, 1, INT_MAX, AS_SET, ALL, "norm", true),
  ROW (ZMQ_NORM_SEGMENT_SIZE, 1400, 1, INT_MAX, AS_SET, ALL, "norm", true),
  ROW (ZMQ_NORM_BLOCK_SIZE, 16, 1, 255, AS_SET, ALL, "norm", true),
  ROW (ZMQ_NORM_NUM_PARITY, 4, 0, 254, AS_SET, ALL, "norm", true),
  ROW (ZMQ_NORM_NUM_AUTOPARITY, 0, 0, 254, AS_SET, ALL, "norm", true),
  ROW (ZMQ_NORM_PUSH, 0, 0, 1, AS_SET, ALL, "norm", true),
};

static const char *what; /* option and type, for messages */

static void expect_set (void *s, int option, const void *value, size_t size, int expected)
{
    errno = 0;
    const int rc = zmq_setsockopt (s, option, value, size);
    const int number = errno;
    if (expected == 0 ? rc != 0 : rc != -1 || number != expected) {
        int shown = 0;
        memcpy (&shown, value ? value : &shown, value && size >= sizeof shown ? sizeof shown : 0);
        fail_msg ("%s: set %zu bytes (int %d) returned %d, errno %d, expected errno %d", what, size,
                  shown, rc, number, expected);
    }
}

/* A get that has to fail: the buffer and the size stay as they are. */
static void expect_no_get (void *s, int option, size_t size)
{
    unsigned char buffer[600];
    memset (buffer, 0xa5, sizeof buffer);
    size_t got = size;
    errno = 0;
    const int rc = zmq_getsockopt (s, option, buffer, &got);
    const int number = errno;
    if (rc != -1 || number != EINVAL || got != size)
        fail_msg ("%s: get of %zu bytes returned %d, errno %d, size %zu", what, size, rc, number,
                  got);
    for (size_t i = 0; i < sizeof buffer; ++i)
        assert_int_equal (buffer[i], 0xa5);
}

static void expect_int (void *s, int option, int expected)
{
    struct
    {
        int before, value, after;
    } box = {0x5a5a5a5a, 0x5a5a5a5a, 0x5a5a5a5a};
    size_t size = sizeof box.value;
    errno = 0;
    if (zmq_getsockopt (s, option, &box.value, &size) != 0)
        fail_msg ("%s: get failed: %s", what, zmq_strerror (errno));
    if (box.value != expected || size != sizeof box.value)
        fail_msg ("%s: got %d (%zu bytes), expected %d", what, box.value, size, expected);
    assert_int_equal (box.before, 0x5a5a5a5a);
    assert_int_equal (box.after, 0x5a5a5a5a);
}

static const size_t wrong_int_sizes[] = {0, 1, 2, 3, 5, 7, 8, 12, 16};

static void expect_no_set (void *s, int option)
{
    unsigned char bytes[256];
    memset (bytes, 0, sizeof bytes);
    for (size_t size = 0; size <= 16; ++size)
        expect_set (s, option, bytes, size, EINVAL);
    expect_set (s, option, bytes, 40, EINVAL);
    expect_set (s, option, bytes, sizeof bytes, EINVAL);
    bytes[0] = 1;
    expect_set (s, option, bytes, 4, EINVAL);
    expect_set (s, option, NULL, 0, EINVAL);
}

static void expect_no_get_of_any_size (void *s, int option)
{
    for (size_t size = 0; size <= 16; ++size)
        expect_no_get (s, option, size);
    expect_no_get (s, option, 41);
    expect_no_get (s, option, 256);
}

static int stored (const int_row_t *r, int value)
{
    switch (r->how) {
        case AS_BOOL:
            return value != 0;
        case AS_STEPS:
            return value / 100 * 100;
        default:
            return value;
    }
}

static void check_int_row (void *s, const int_row_t *r, int type)
{
    if (r->needs && !zmq_has (r->needs)) {
        expect_no_set (s, r->option);
        expect_no_get_of_any_size (s, r->option);
        return;
    }
    int current = r->value;
    const bool readable = r->how != NOT_READ, settable = r->how != NOT_SET && (r->types & T (type));
    if (readable)
        expect_int (s, r->option, current);
    if (readable)
        for (size_t i = 0; i < COUNT (wrong_int_sizes); ++i)
            expect_no_get (s, r->option, wrong_int_sizes[i]);
    else
        expect_no_get_of_any_size (s, r->option);
    if (!settable) {
        expect_no_set (s, r->option);
    } else {
        const long long low = r->low, high = r->high;
        const long long values[] = {
          low,   low - 1, low + 1, high,    high + 1, high - 1, INT_MIN, -1000000, -101,
          -100,  -99,     -2,      -1,      0,        1,        2,       3,        4,
          5,     99,      100,     101,     199,      254,      255,     256,      1000,
          65535, 65536,   100000,  6553599, 6553600,  INT_MAX,  r->value};
        for (size_t i = 0; i < COUNT (values); ++i) {
            if (values[i] < INT_MIN || values[i] > INT_MAX)
                continue;
            const int value = (int) values[i];
            const bool legal = value >= r->low && value <= r->high;
            expect_set (s, r->option, &value, sizeof value, legal ? 0 : EINVAL);
            if (legal)
                current = stored (r, value);
            if (readable)
                expect_int (s, r->option, current);
        }
        /* A legal value in a wrong size. */
        const int good[4] = {r->high, 0, 0, 0};
        for (size_t i = 0; i < COUNT (wrong_int_sizes); ++i)
            expect_set (s, r->option, good, wrong_int_sizes[i], EINVAL);
        expect_set (s, r->option, NULL, 0, EINVAL);
        if (readable)
            expect_int (s, r->option, current);
    }
}

/* Runs a check on a fresh socket of every type. */
static void on_every_type (const char *name, void (*check) (void *s, int type, const void *arg),
                           const void *arg)
{
    for (int type = 0; type < TYPES; ++type) {
        if (!type_is_built (type))
            continue;
        char text[100];
        snprintf (text, sizeof text, "%s on %s", name, type_names[type]);
        what = text;
        void *s = open_socket (type);
        check (s, type, arg);
        close_socket (s);
        what = name;
    }
}

static void int_check (void *s, int type, const void *arg)
{
    check_int_row (s, arg, type);
}

static void int_test (void **state)
{
    const int_row_t *r = *state;
    if (r->ours)
        OURS_IS_BETTER ("a draft the package does not know");
    on_every_type (r->name, int_check, r);
}

/* ---- Integers of 8 bytes ---- */

typedef struct
{
    int option;
    int64_t value;
} wide_t;

static void expect_wide (void *s, int option, int64_t expected)
{
    int64_t value = 77;
    size_t size = sizeof value;
    if (zmq_getsockopt (s, option, &value, &size) != 0)
        fail_msg ("%s: get failed: %s", what, zmq_strerror (errno));
    if (value != expected || size != sizeof value)
        fail_msg ("%s: got %lld (%zu bytes), expected %lld", what, (long long)value, size,
                  (long long)expected);
}

static void wide_check (void *s, int type, const void *arg)
{
    (void) type;
    const wide_t *w = arg;
    static const int64_t values[] = {0,         1,        -1, -2, 255, 1LL << 32, -(1LL << 40),
                                     INT64_MAX, INT64_MIN};
    expect_wide (s, w->option, w->value);
    int64_t current = w->value;
    for (size_t i = 0; i < COUNT (values); ++i) {
        expect_set (s, w->option, &values[i], 8, 0);
        current = values[i];
        expect_wide (s, w->option, current);
        for (size_t size = 0; size <= 16; ++size) {
            const int64_t bytes[2] = {5, 5};
            if (size == 8)
                continue;
            expect_set (s, w->option, bytes, size, EINVAL);
            expect_no_get (s, w->option, size);
        }
        expect_wide (s, w->option, current);
    }
}

static void ZMQ_AFFINITY_is_64_bits (void **state)
{
    (void) state;
    on_every_type ("AFFINITY", wide_check, &(wide_t) {ZMQ_AFFINITY, 0});
}

static void ZMQ_MAXMSGSIZE_is_64_bits (void **state)
{
    (void) state;
    on_every_type ("MAXMSGSIZE", wide_check, &(wide_t) {ZMQ_MAXMSGSIZE, -1});
}

static void vmci_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    for (int option = ZMQ_VMCI_BUFFER_SIZE; option <= ZMQ_VMCI_BUFFER_MAX_SIZE; ++option) {
        expect_no_get_of_any_size (s, option);
        if (!zmq_has ("vmci")) {
            expect_no_set (s, option);
            continue;
        }
        const uint64_t value[2] = {1, 0};
        expect_set (s, option, value, 8, 0);
        expect_set (s, option, value, 4, EINVAL);
        expect_set (s, option, value, 16, EINVAL);
    }
}

static void ZMQ_VMCI_sizes_cannot_be_read (void **state)
{
    (void) state;
    on_every_type ("VMCI_BUFFER_*", vmci_check, NULL);
}

/* ---- LINGER: the default depends ---- */

static void linger_check (void *s, int type, const void *arg)
{
    (void) arg;
    const bool zero = type == ZMQ_SUB || type == ZMQ_XSUB || type == ZMQ_DISH;
    const int_row_t row = ROW (ZMQ_LINGER, zero ? 0 : -1, -1, INT_MAX, AS_SET, ALL, NULL, false);
    check_int_row (s, &row, type);
}

static void ZMQ_LINGER_by_type (void **state)
{
    (void) state;
    on_every_type ("LINGER", linger_check, NULL);
}

static void ZMQ_LINGER_is_0_in_a_context_that_is_not_blocky (void **state)
{
    (void) state;
    void *other = zmq_ctx_new ();
    OK (zmq_ctx_set (other, ZMQ_BLOCKY, 0));
    for (int type = 0; type < TYPES; ++type) {
        if (!type_is_built (type))
            continue;
        void *s = new_socket (other, type);
        assert_int_equal (get_int (s, ZMQ_LINGER), 0);
        OK (zmq_close (s));
    }
    OK (zmq_ctx_term (other));
}

/* ---- Values that can only be read ---- */

typedef struct
{
    int option;
    int (*expected) (int type); /* or NULL when any value will do */
    types_t types;
} at_least_t;

/* Any size from 4 on is good; the rest of the buffer is cleared. */
static void at_least_check (void *s, int type, const void *arg)
{
    const at_least_t *a = arg;
    expect_no_set (s, a->option);
    if (!(a->types & T (type))) {
        expect_no_get_of_any_size (s, a->option);
        return;
    }
    int first = 0;
    for (size_t room = 0; room <= 100; ++room) {
        if (room < sizeof (int)) {
            expect_no_get (s, a->option, room);
            continue;
        }
        unsigned char buffer[110];
        memset (buffer, 0xa5, sizeof buffer);
        size_t size = room;
        if (zmq_getsockopt (s, a->option, buffer, &size) != 0)
            fail_msg ("%s: get of %zu bytes: %s", what, room, zmq_strerror (errno));
        assert_int_equal (size, sizeof (int));
        int value;
        memcpy (&value, buffer, sizeof value);
        if (a->expected ? value != a->expected (type) : room > sizeof (int) && value != first)
            fail_msg ("%s: got %d", what, value);
        first = value;
        for (size_t i = sizeof (int); i < sizeof buffer; ++i)
            assert_int_equal (buffer[i], i < room ? 0 : 0xa5);
    }
}

static int zero_of (int type)
{
    (void) type;
    return 0;
}
static int thread_safety_of (int type)
{
    return (THREAD_SAFES & T (type)) != 0;
}

static void ZMQ_RCVMORE_can_only_be_read (void **state)
{
    (void) state;
    on_every_type ("RCVMORE", at_least_check, &(at_least_t) {ZMQ_RCVMORE, zero_of, ALL});
}
static void ZMQ_THREAD_SAFE_by_type (void **state)
{
    (void) state;
    on_every_type ("THREAD_SAFE", at_least_check,
                   &(at_least_t){ZMQ_THREAD_SAFE, thread_safety_of, ALL});
}
static void ZMQ_FD_is_constant_and_not_of_thread_safe_types (void **state)
{
    (void) state;
    on_every_type ("FD", at_least_check, &(at_least_t) {ZMQ_FD, NULL, ALL & ~THREAD_SAFES});
}
static void ZMQ_EVENTS_can_only_be_read (void **state)
{
    (void) state;
    on_every_type ("EVENTS", at_least_check, &(at_least_t) {ZMQ_EVENTS, NULL, ALL});
}
static void ZMQ_TOPICS_COUNT_of_publishers_and_subscribers (void **state)
{
    (void) state;
    OURS_IS_BETTER ("a draft the package does not know");
    on_every_type ("TOPICS_COUNT", at_least_check,
                   &(at_least_t) {ZMQ_TOPICS_COUNT, zero_of, PUBS | T (ZMQ_SUB) | T (ZMQ_XSUB)});
}

static void type_check (void *s, int type, const void *arg)
{
    (void) arg;
    expect_int (s, ZMQ_TYPE, type);
    for (size_t i = 0; i < COUNT (wrong_int_sizes); ++i)
        expect_no_get (s, ZMQ_TYPE, wrong_int_sizes[i]);
    expect_no_set (s, ZMQ_TYPE);
}
static void ZMQ_TYPE_by_type (void **state)
{
    (void) state;
    on_every_type ("TYPE", type_check, NULL);
}

static void mechanism_has_no_set (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    expect_int (s, ZMQ_MECHANISM, ZMQ_NULL);
    expect_no_set (s, ZMQ_MECHANISM);
}
static void ZMQ_MECHANISM_can_only_be_read (void **state)
{
    (void) state;
    on_every_type ("MECHANISM", mechanism_has_no_set, NULL);
}

/* ---- Texts ---- */

/* Checks the value, all buffer sizes around it, and that the rest of the buffer is cleared. */
static void expect_bytes (void *s, int option, const void *expected, size_t length, bool with_nul)
{
    const size_t needed = length + (with_nul ? 1 : 0);
    static unsigned char buffer[20000];
    assert_true (needed + 50 < sizeof buffer);
    for (size_t room = needed > 3 ? needed - 3 : 0; room < needed + 40; ++room) {
        if (room < needed) {
            if (room < 600)
                expect_no_get (s, option, room);
            continue;
        }
        memset (buffer, 0xa5, needed + 50);
        size_t size = room;
        if (zmq_getsockopt (s, option, buffer, &size) != 0)
            fail_msg ("%s: get of %zu bytes: %s", what, room, zmq_strerror (errno));
        if (size != needed || memcmp (buffer, expected, length) != 0)
            fail_msg ("%s: got %zu bytes \"%.60s\", expected %zu", what, size, (char *)buffer,
                      needed);
        for (size_t i = length; i < needed + 50; ++i)
            assert_int_equal (buffer[i], i < room ? 0 : 0xa5);
    }
}

static void expect_content (void *s, int option, const char *expected)
{
    expect_bytes (s, option, expected, strlen (expected), true);
}

typedef struct
{
    const char *name;
    int option;
    size_t longest;     /* 0: no limit */
    bool null_clears;   /* NULL with 0 */
    bool empty_clears;  /* "" with 0 */
    const char *after_clear; /* what is read then, NULL: the empty text */
    const char *needs;
} text_row_t;

static const text_row_t text_rows[] = {
  ROW (ZMQ_PLAIN_USERNAME, 255, true, false, "stays", NULL),
  ROW (ZMQ_PLAIN_PASSWORD, 255, true, false, "stays", NULL),
  ROW (ZMQ_ZAP_DOMAIN, 255, false, false, NULL, NULL),
  ROW (ZMQ_GSSAPI_PRINCIPAL, 255, false, false, NULL, "gssapi"),
  ROW (ZMQ_GSSAPI_SERVICE_PRINCIPAL, 255, false, false, NULL, "gssapi"),
  ROW (ZMQ_SOCKS_PROXY, 0, true, false, NULL, NULL),
  ROW (ZMQ_SOCKS_USERNAME, 255, true, true, NULL, NULL),
  ROW (ZMQ_SOCKS_PASSWORD, 255, true, true, NULL, NULL),
  ROW (ZMQ_BINDTODEVICE, 16, true, false, NULL, NULL),
};

static void text_check (void *s, int type, const void *arg)
{
    (void) type;
    const text_row_t *r = arg;
    if (r->needs && !zmq_has (r->needs)) {
        expect_no_set (s, r->option);
        expect_no_get_of_any_size (s, r->option);
        return;
    }
    static char text[10001];
    memset (text, 'x', sizeof text);
    const size_t most = r->longest ? r->longest : sizeof text - 1;

    expect_content (s, r->option, "");
    /* Nothing to clear yet, and it makes no difference. */
    expect_set (s, r->option, "", 0, r->empty_clears ? 0 : EINVAL);
    expect_set (s, r->option, NULL, 0, r->null_clears ? 0 : EINVAL);
    expect_content (s, r->option, "");

    const size_t lengths[] = {1, 2, 3, 4, 5, 8, 15, 16, most - 1, most};
    for (size_t i = 0; i < COUNT (lengths); ++i) {
        const size_t length = lengths[i];
        expect_set (s, r->option, text, length, 0);
        text[length] = 0;
        expect_content (s, r->option, text);
        text[length] = 'x';
    }
    if (r->longest) {
        expect_set (s, r->option, text, r->longest + 1, EINVAL);
        expect_set (s, r->option, text, 1000, EINVAL);
        text[r->longest] = 0;
        expect_content (s, r->option, text);
        text[r->longest] = 'x';
    }

    /* No NUL is added or taken away. */
    expect_set (s, r->option, "g\0", 2, 0);
    expect_bytes (s, r->option, "g\0", 2, true);

    expect_set (s, r->option, "stays", 5, 0);
    expect_content (s, r->option, "stays");
    if (!r->empty_clears) {
        expect_set (s, r->option, "", 0, EINVAL);
        expect_content (s, r->option, "stays");
    } else {
        expect_set (s, r->option, "", 0, 0);
        expect_content (s, r->option, "");
        expect_set (s, r->option, "stays", 5, 0);
    }
    expect_set (s, r->option, NULL, 0, r->null_clears ? 0 : EINVAL);
    expect_content (s, r->option, !r->null_clears ? "stays" : r->after_clear ? r->after_clear : "");
}

static void text_test (void **state)
{
    const text_row_t *r = *state;
    on_every_type (r->name, text_check, r);
}

static void socks_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    for (int option = ZMQ_SOCKS_USERNAME; option <= ZMQ_SOCKS_PASSWORD; ++option) {
        expect_set (s, option, "name", 4, 0);
        expect_content (s, option, "name");
        expect_set (s, option, NULL, 7, 0);
        expect_content (s, option, "");
    }
}
static void ZMQ_SOCKS_names_are_cleared_by_NULL_of_any_length (void **state)
{
    (void) state;
    on_every_type ("SOCKS_USERNAME", socks_check, NULL);
}

static void routing_id_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    unsigned char id[300];
    for (size_t i = 0; i < sizeof id; ++i)
        id[i] = (unsigned char) (i * 5);
    expect_bytes (s, ZMQ_ROUTING_ID, "", 0, false);
    expect_set (s, ZMQ_ROUTING_ID, id, 0, EINVAL);
    expect_set (s, ZMQ_ROUTING_ID, NULL, 0, EINVAL);
    expect_set (s, ZMQ_ROUTING_ID, id, 256, EINVAL);
    expect_set (s, ZMQ_ROUTING_ID, id, 300, EINVAL);
    expect_bytes (s, ZMQ_ROUTING_ID, "", 0, false);
    for (size_t length = 1; length <= 255; length += 127) {
        expect_set (s, ZMQ_ROUTING_ID, id, length, 0);
        expect_bytes (s, ZMQ_ROUTING_ID, id, length, false);
        expect_set (s, ZMQ_ROUTING_ID, id, 256, EINVAL);
        expect_set (s, ZMQ_ROUTING_ID, id, 0, EINVAL);
        expect_bytes (s, ZMQ_ROUTING_ID, id, length, false);
    }
    expect_set (s, ZMQ_ROUTING_ID, "short", 5, 0);
    expect_bytes (s, ZMQ_ROUTING_ID, "short", 5, false);
}
static void ZMQ_ROUTING_ID_is_binary (void **state)
{
    (void) state;
    on_every_type ("ROUTING_ID", routing_id_check, NULL);
}

static void last_endpoint_check (void *s, int type, const void *arg)
{
    (void) arg;
    expect_no_set (s, ZMQ_LAST_ENDPOINT);
    expect_content (s, ZMQ_LAST_ENDPOINT, "");
    char name[100];
    snprintf (name, sizeof name, "inproc://last-endpoint-%d", type);
    OK (zmq_bind (s, name));
    expect_content (s, ZMQ_LAST_ENDPOINT, name);
    if (type == ZMQ_DGRAM)
        return;
    snprintf (name, sizeof name, "inproc://last-endpoint-none-%d", type);
    OK (zmq_connect (s, name));
    expect_content (s, ZMQ_LAST_ENDPOINT, name);
    expect_no_set (s, ZMQ_LAST_ENDPOINT);
    expect_content (s, ZMQ_LAST_ENDPOINT, name);
}
static void ZMQ_LAST_ENDPOINT_of_bind_and_connect (void **state)
{
    (void) state;
    on_every_type ("LAST_ENDPOINT", last_endpoint_check, NULL);
}

static void ZMQ_LAST_ENDPOINT_survives_unbind (void **state)
{
    (void) state;
    what = "LAST_ENDPOINT";
    void *s = open_socket (ZMQ_PULL);
    char first[256];
    bind_any (s, "tcp://127.0.0.1:*", first);
    assert_memory_equal (first, "tcp://127.0.0.1:", 16);
    assert_true (atoi (first + 16) > 0);
    OK (zmq_unbind (s, first));
    expect_content (s, ZMQ_LAST_ENDPOINT, first);
    close_socket (s);
}

/* ---- Bytes that can only be set ---- */

static void subscribe_check (void *s, int type, const void *arg)
{
    (void) arg;
    char prefix[1000];
    memset (prefix, 'p', sizeof prefix);
    for (int option = ZMQ_SUBSCRIBE; option <= ZMQ_UNSUBSCRIBE; ++option) {
        expect_no_get_of_any_size (s, option);
        const int expected = type == ZMQ_SUB ? 0 : EINVAL;
        expect_set (s, option, "", 0, expected);
        expect_set (s, option, NULL, 0, expected);
        static const size_t lengths[] = {1, 2, 3, 4, 5, 8, 255, 256, 1000};
        for (size_t i = 0; i < COUNT (lengths); ++i)
            expect_set (s, option, prefix, lengths[i], expected);
    }
    /* Never subscribed, and that is no error. */
    expect_set (s, ZMQ_UNSUBSCRIBE, "unknown", 7, type == ZMQ_SUB ? 0 : EINVAL);
    expect_set (s, ZMQ_UNSUBSCRIBE, "unknown", 7, type == ZMQ_SUB ? 0 : EINVAL);
}
static void ZMQ_SUBSCRIBE_is_for_SUB (void **state)
{
    (void) state;
    on_every_type ("SUBSCRIBE", subscribe_check, NULL);
}

static void ZMQ_SUBSCRIBE_is_for_publishers_in_manual_mode (void **state)
{
    (void) state;
    static const int types[] = {ZMQ_PUB, ZMQ_XPUB};
    for (size_t i = 0; i < 2; ++i) {
        what = "SUBSCRIBE in manual mode";
        void *s = open_socket (types[i]);
        static const int values[] = {1, 0, 5, 0};
        for (size_t k = 0; k < COUNT (values); ++k) {
            set_int (s, ZMQ_XPUB_MANUAL, values[k]);
            expect_set (s, ZMQ_SUBSCRIBE, "a", 1, values[k] ? 0 : EINVAL);
            expect_set (s, ZMQ_UNSUBSCRIBE, "a", 1, values[k] ? 0 : EINVAL);
            set_int (s, ZMQ_XPUB_MANUAL_LAST_VALUE, values[k]);
            expect_set (s, ZMQ_SUBSCRIBE, "a", 1, values[k] ? 0 : EINVAL);
            expect_set (s, ZMQ_UNSUBSCRIBE, "a", 1, values[k] ? 0 : EINVAL);
        }
        close_socket (s);
    }
}

static void welcome_check (void *s, int type, const void *arg)
{
    (void) arg;
    const int expected = PUBS & T (type) ? 0 : EINVAL;
    char bytes[1000] = "welcome";
    expect_no_get_of_any_size (s, ZMQ_XPUB_WELCOME_MSG);
    expect_set (s, ZMQ_XPUB_WELCOME_MSG, bytes, 0, expected);
    expect_set (s, ZMQ_XPUB_WELCOME_MSG, NULL, 0, expected);
    static const size_t lengths[] = {1, 4, 8, 256, 1000};
    for (size_t i = 0; i < COUNT (lengths); ++i)
        expect_set (s, ZMQ_XPUB_WELCOME_MSG, bytes, lengths[i], expected);
    expect_set (s, ZMQ_XPUB_WELCOME_MSG, NULL, 0, expected);
}
static void ZMQ_XPUB_WELCOME_MSG_of_any_length (void **state)
{
    (void) state;
    on_every_type ("XPUB_WELCOME_MSG", welcome_check, NULL);
}

static void connect_routing_id_check (void *s, int type, const void *arg)
{
    (void) arg;
    const int expected = (ROUTERS | T (ZMQ_STREAM)) & T (type) ? 0 : EINVAL;
    char bytes[1000];
    memset (bytes, 'i', sizeof bytes);
    expect_no_get_of_any_size (s, ZMQ_CONNECT_ROUTING_ID);
    expect_set (s, ZMQ_CONNECT_ROUTING_ID, bytes, 0, EINVAL);
    expect_set (s, ZMQ_CONNECT_ROUTING_ID, NULL, 0, EINVAL);
    static const size_t lengths[] = {1, 4, 5, 8, 255, 256, 1000};
    for (size_t i = 0; i < COUNT (lengths); ++i)
        expect_set (s, ZMQ_CONNECT_ROUTING_ID, bytes, lengths[i], expected);
}
static void ZMQ_CONNECT_ROUTING_ID_is_not_limited (void **state)
{
    (void) state;
    on_every_type ("CONNECT_ROUTING_ID", connect_routing_id_check, NULL);
}

static void accept_filter_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    static const char *const v4[] = {"127.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "192.168.1.0/24",
                                     "127.0.0.1/32"};
    static const char *const v6[] = {"::1", "fe80::/10", "::1/128", "::/0"};
    static const char *const bad[] = {"nonsense",     "localhost",    "lo",         "*",
                                      "127.0.0.1/-1", "127.0.0.1/",   "/8",         "/",
                                      "300.0.0.1",    "127.0.0.1:80", "127.0.0.1 ", "::1/129"};
    expect_no_get_of_any_size (s, ZMQ_TCP_ACCEPT_FILTER);
    expect_set (s, ZMQ_TCP_ACCEPT_FILTER, NULL, 0, 0);
    for (int ipv6 = 0; ipv6 < 2; ++ipv6) {
        set_int (s, ZMQ_IPV6, ipv6);
        for (size_t i = 0; i < COUNT (v4); ++i)
            expect_set (s, ZMQ_TCP_ACCEPT_FILTER, v4[i], strlen (v4[i]), 0);
        /* Six needs the option first. */
        for (size_t i = 0; i < COUNT (v6); ++i)
            expect_set (s, ZMQ_TCP_ACCEPT_FILTER, v6[i], strlen (v6[i]), ipv6 ? 0 : EINVAL);
        for (size_t i = 0; i < COUNT (bad); ++i)
            expect_set (s, ZMQ_TCP_ACCEPT_FILTER, bad[i], strlen (bad[i]), EINVAL);
        expect_set (s, ZMQ_TCP_ACCEPT_FILTER, "", 0, EINVAL);
        if (!ipv6)
            expect_set (s, ZMQ_TCP_ACCEPT_FILTER, "127.0.0.1/33", 12, EINVAL);
        char text[300];
        memset (text, '1', sizeof text);
        expect_set (s, ZMQ_TCP_ACCEPT_FILTER, text, 256, EINVAL);
        expect_set (s, ZMQ_TCP_ACCEPT_FILTER, NULL, 0, 0);
    }
}
static void ZMQ_TCP_ACCEPT_FILTER_takes_networks (void **state)
{
    (void) state;
    on_every_type ("TCP_ACCEPT_FILTER", accept_filter_check, NULL);
}

static void ipc_filter_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    for (int option = ZMQ_IPC_FILTER_PID; option <= ZMQ_IPC_FILTER_GID; ++option) {
        const int values[4] = {1234, 0, 0, 0};
        expect_no_get_of_any_size (s, option);
        expect_set (s, option, values, 4, 0);
        expect_set (s, option, values, 4, 0);
        for (size_t i = 0; i < COUNT (wrong_int_sizes); ++i)
            expect_set (s, option, values, wrong_int_sizes[i], EINVAL);
        expect_set (s, option, NULL, 0, 0);
    }
}
static void ZMQ_IPC_FILTER_takes_ids (void **state)
{
    (void) state;
    on_every_type ("IPC_FILTER_*", ipc_filter_check, NULL);
}

static void metadata_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    static const char *const good[] = {"X-key:value", "X-k:v", "X-:v", "X-key:value:with:colons",
                                       "X-key: "};
    static const char *const bad[] = {"",          "X-key",       "X-key:", ":value",
                                      "key:value", "x-key:value", "XY:v",   "a:b"};
    expect_no_get_of_any_size (s, ZMQ_METADATA);
    for (size_t i = 0; i < COUNT (good); ++i)
        expect_set (s, ZMQ_METADATA, good[i], strlen (good[i]), strlen (good[i]) == 4 ? EINVAL : 0);
    for (size_t i = 0; i < COUNT (bad); ++i)
        expect_set (s, ZMQ_METADATA, bad[i], strlen (bad[i]), EINVAL);
    /* The key has 1 to 255 characters, X- counts. */
    char text[400];
    memset (text, 'k', sizeof text);
    memcpy (text, "X-", 2);
    memcpy (text + 255, ":v", 2);
    expect_set (s, ZMQ_METADATA, text, 257, 0);
    memcpy (text + 255, "k:v", 3);
    expect_set (s, ZMQ_METADATA, text, 258, EINVAL);
    expect_set (s, ZMQ_METADATA, text, 400, EINVAL);
}
static void ZMQ_METADATA_takes_application_properties (void **state)
{
    (void) state;
    on_every_type ("METADATA", metadata_check, NULL);
}

static void payload_check (void *s, int type, const void *arg)
{
    (void) type;
    static const int options[] = {ZMQ_HELLO_MSG, ZMQ_DISCONNECT_MSG, ZMQ_HICCUP_MSG};
    (void) arg;
    for (size_t i = 0; i < COUNT (options); ++i) {
        char bytes[1000] = "payload";
        expect_no_get_of_any_size (s, options[i]);
        expect_set (s, options[i], bytes, 0, 0);
        expect_set (s, options[i], NULL, 0, 0);
        expect_set (s, options[i], bytes, 1, 0);
        expect_set (s, options[i], bytes, 4, 0);
        expect_set (s, options[i], bytes, 1000, 0);
        expect_set (s, options[i], NULL, 0, 0);
    }
}
static void ZMQ_HELLO_and_its_like_take_payloads (void **state)
{
    (void) state;
    OURS_IS_BETTER ("drafts the package does not know");
    on_every_type ("*_MSG", payload_check, NULL);
}

static void wss_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    for (int option = ZMQ_WSS_KEY_PEM; option <= ZMQ_WSS_HOSTNAME; ++option) {
        expect_no_get_of_any_size (s, option);
        if (!zmq_has ("WSS"))
            expect_no_set (s, option);
        else
            expect_set (s, option, "not validated", 13, 0);
    }
}
static void ZMQ_WSS_texts (void **state)
{
    (void) state;
    on_every_type ("WSS_*", wss_check, NULL);
}

static void verbose_unsubscribe_check (void *s, int type, const void *arg)
{
    (void) arg;
    const int value = 1;
    expect_no_get_of_any_size (s, ZMQ_XSUB_VERBOSE_UNSUBSCRIBE);
    expect_set (s, ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, &value, 4, type == ZMQ_XSUB ? 0 : EINVAL);
}
static void ZMQ_XSUB_VERBOSE_UNSUBSCRIBE_is_for_XSUB (void **state)
{
    (void) state;
    OURS_IS_BETTER ("a draft the package does not know");
    on_every_type ("XSUB_VERBOSE_UNSUBSCRIBE", verbose_unsubscribe_check, NULL);
}

/* ---- Two views of one value ---- */

static void ip_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    set_int (s, ZMQ_IPV6, 1);
    expect_int (s, ZMQ_IPV4ONLY, 0);
    set_int (s, ZMQ_IPV4ONLY, 1);
    expect_int (s, ZMQ_IPV6, 0);
    set_int (s, ZMQ_IPV4ONLY, 0);
    expect_int (s, ZMQ_IPV6, 1);
    set_int (s, ZMQ_IPV6, 0);
    expect_int (s, ZMQ_IPV4ONLY, 1);
}
static void ZMQ_IPV6_and_IPV4ONLY_are_opposites (void **state)
{
    (void) state;
    on_every_type ("IPV6", ip_check, NULL);
}

/* ---- Security: the last one set decides (sockopts.md, section 5) ---- */

static const char key_text[] = "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S";
static const unsigned char key_bytes[32] = {
  0x8f, 0x40, 0xc5, 0xad, 0xb6, 0x8f, 0x25, 0x62, 0x4a, 0xe5, 0xb2, 0x14, 0xea, 0x76, 0x7a, 0x6e,
  0xc9, 0x4d, 0x82, 0x9d, 0x3d, 0x7b, 0x5e, 0x1a, 0xd1, 0xba, 0x6f, 0x3e, 0x21, 0x38, 0x28, 0x5f};

static void expect_key (void *s, int option, const unsigned char *bytes, const char *text)
{
    for (size_t size = 0; size <= 50; ++size) {
        if (size != 32 && size != 41) {
            expect_no_get (s, option, size);
            continue;
        }
        unsigned char buffer[60];
        memset (buffer, 0xa5, sizeof buffer);
        size_t got = size;
        if (zmq_getsockopt (s, option, buffer, &got) != 0)
            fail_msg ("%s: get of %zu bytes: %s", what, size, zmq_strerror (errno));
        assert_int_equal (got, size);
        assert_memory_equal (buffer, size == 32 ? (const void *) bytes : text, size);
        assert_int_equal (buffer[size], 0xa5);
    }
}

static void key_check (void *s, int type, const void *arg)
{
    (void) type;
    const int option = *(const int *) arg;
    static const unsigned char zeros[32];
    if (!zmq_has ("curve")) {
        expect_no_set (s, option);
        expect_no_get_of_any_size (s, option);
        return;
    }
    static const char zeros_text[] = "0000000000000000000000000000000000000000";
    expect_key (s, option, zeros, zeros_text);
    char other[41];
    for (size_t size = 0; size <= 50; ++size) {
        if (size == 32 || size == 40 || size == 41)
            continue;
        char text[51];
        memset (text, '1', sizeof text);
        expect_set (s, option, text, size, EINVAL);
    }
    expect_int (s, ZMQ_MECHANISM, ZMQ_NULL);
    expect_key (s, option, zeros, zeros_text);

    expect_set (s, option, key_text, 41, 0);
    expect_key (s, option, key_bytes, key_text);
    expect_int (s, ZMQ_MECHANISM, ZMQ_CURVE);
    expect_set (s, option, zeros, 32, 0);
    expect_key (s, option, zeros, zeros_text);
    expect_set (s, option, key_text, 40, 0);
    expect_key (s, option, key_bytes, key_text);
    expect_set (s, option, zeros, 32, 0);
    expect_set (s, option, key_bytes, 32, 0);
    expect_key (s, option, key_bytes, key_text);

    memcpy (other, key_text, 41);
    other[39] = ' ';
    expect_set (s, option, other, 41, EINVAL);
    expect_set (s, option, other, 40, EINVAL);
    memset (other, '#', 40);
    expect_set (s, option, other, 41, EINVAL);
    expect_set (s, option, other, 40, EINVAL);
    expect_set (s, option, NULL, 0, EINVAL);
}
static void ZMQ_CURVE_PUBLICKEY_in_three_forms (void **state)
{
    (void) state;
    on_every_type ("CURVE_PUBLICKEY", key_check, &(const int) {ZMQ_CURVE_PUBLICKEY});
}
static void ZMQ_CURVE_SECRETKEY_in_three_forms (void **state)
{
    (void) state;
    on_every_type ("CURVE_SECRETKEY", key_check, &(const int) {ZMQ_CURVE_SECRETKEY});
}
static void ZMQ_CURVE_SERVERKEY_in_three_forms (void **state)
{
    (void) state;
    on_every_type ("CURVE_SERVERKEY", key_check, &(const int) {ZMQ_CURVE_SERVERKEY});
}

static void ZMQ_CURVE_keys_survive_a_bad_one (void **state)
{
    (void) state;
    if (!zmq_has ("curve"))
        LATER ("the CURVE mechanism is not built");
    OURS_IS_BETTER ("the reference overwrites a part of the key");
    what = "CURVE_PUBLICKEY";
    static const int options[] = {ZMQ_CURVE_PUBLICKEY, ZMQ_CURVE_SECRETKEY, ZMQ_CURVE_SERVERKEY};
    for (size_t i = 0; i < COUNT (options); ++i) {
        void *s = open_socket (ZMQ_PAIR);
        expect_set (s, options[i], key_text, 41, 0);
        expect_set (s, options[i], "11111111111111111111111111111111111~~~~~", 41, EINVAL);
        expect_set (s, options[i], "11111111111111111111111111111111111~~~~~", 40, EINVAL);
        expect_key (s, options[i], key_bytes, key_text);
        close_socket (s);
    }
}

typedef struct
{
    int option, value; /* or a text, when value is -1 */
    const char *text;
    int mechanism, plain_server, curve_server;
} step_t;

static const step_t security_steps[] = {
  {ZMQ_PLAIN_SERVER, 1, NULL, ZMQ_PLAIN, 1, 0},
  {ZMQ_PLAIN_SERVER, 0, NULL, ZMQ_NULL, 0, 0},
  {ZMQ_PLAIN_USERNAME, -1, "me", ZMQ_PLAIN, 0, 0},
  {ZMQ_PLAIN_USERNAME, -1, NULL, ZMQ_NULL, 0, 0},
  {ZMQ_PLAIN_PASSWORD, -1, "secret", ZMQ_PLAIN, 0, 0},
  {ZMQ_PLAIN_SERVER, 1, NULL, ZMQ_PLAIN, 1, 0},
  {ZMQ_PLAIN_PASSWORD, -1, "secret", ZMQ_PLAIN, 0, 0},
  {ZMQ_PLAIN_PASSWORD, -1, NULL, ZMQ_NULL, 0, 0},
  {ZMQ_CURVE_SERVER, 1, NULL, ZMQ_CURVE, 0, 1},
  {ZMQ_CURVE_SERVER, 0, NULL, ZMQ_NULL, 0, 0},
  {ZMQ_CURVE_PUBLICKEY, -1, key_text, ZMQ_CURVE, 0, 0},
  {ZMQ_CURVE_SERVER, 1, NULL, ZMQ_CURVE, 0, 1},
  {ZMQ_CURVE_SECRETKEY, -1, key_text, ZMQ_CURVE, 0, 1},
  {ZMQ_CURVE_SERVERKEY, -1, key_text, ZMQ_CURVE, 0, 0},
  {ZMQ_CURVE_SERVER, 0, NULL, ZMQ_NULL, 0, 0},
  {ZMQ_PLAIN_USERNAME, -1, "me", ZMQ_PLAIN, 0, 0},
  {ZMQ_CURVE_SERVER, 1, NULL, ZMQ_CURVE, 0, 1},
  {ZMQ_PLAIN_SERVER, 1, NULL, ZMQ_PLAIN, 1, 0},
  {ZMQ_CURVE_SERVER, 0, NULL, ZMQ_NULL, 0, 0},
};

static void security_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    for (size_t i = 0; i < COUNT (security_steps); ++i) {
        const step_t *step = &security_steps[i];
        char text[100];
        snprintf (text, sizeof text, "%s, step %zu", type_names[type], i);
        what = text;
        if (step->value >= 0)
            expect_set (s, step->option, &step->value, sizeof step->value, 0);
        else
            expect_set (s, step->option, step->text, step->text ? strlen (step->text) : 0, 0);
        expect_int (s, ZMQ_MECHANISM, step->mechanism);
        expect_int (s, ZMQ_PLAIN_SERVER, step->plain_server);
        expect_int (s, ZMQ_CURVE_SERVER, step->curve_server);
    }
    what = "security";
}
static void the_mechanism_is_that_of_the_last_security_option (void **state)
{
    (void) state;
    if (!zmq_has ("curve"))
        LATER ("the CURVE mechanism is not built");
    on_every_type ("security", security_check, NULL);
}

static void gssapi_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    const int zero = 0, one = 1;
    expect_set (s, ZMQ_GSSAPI_SERVER, &zero, 4, 0);
    expect_int (s, ZMQ_MECHANISM, ZMQ_GSSAPI);
    set_int (s, ZMQ_PLAIN_SERVER, 0);
    expect_int (s, ZMQ_MECHANISM, ZMQ_NULL);
    expect_set (s, ZMQ_GSSAPI_PRINCIPAL, "me", 2, 0);
    expect_int (s, ZMQ_MECHANISM, ZMQ_GSSAPI);
    expect_set (s, ZMQ_GSSAPI_SERVER, &one, 4, 0);
    expect_int (s, ZMQ_GSSAPI_SERVER, 1);
    expect_set (s, ZMQ_GSSAPI_SERVICE_PRINCIPAL, "you", 3, 0);
    expect_int (s, ZMQ_GSSAPI_SERVER, 0);
}
static void gssapi_options_choose_gssapi (void **state)
{
    (void) state;
    if (!zmq_has ("gssapi"))
        skip ();
    on_every_type ("GSSAPI", gssapi_check, NULL);
}

/* ---- Numbers without an option ---- */

static void unknown_check (void *s, int type, const void *arg)
{
    (void) type;
    (void) arg;
    static const int numbers[] = {INT_MIN, -1000, -1,   0,       1,        2,          3,
                                  10,      20,    26,   29,      30,       67,         70,
                                  82,      83,    125,  126,     127,      128,        200,
                                  255,     256,   1000, 4 + 256, 17 + 256, 65536 + 17, INT_MAX};
    for (size_t i = 0; i < COUNT (numbers); ++i) {
        expect_no_set (s, numbers[i]);
        expect_no_get_of_any_size (s, numbers[i]);
    }
    expect_int (s, ZMQ_TYPE, type);
}
static void numbers_without_an_option (void **state)
{
    (void) state;
    on_every_type ("unknown", unknown_check, NULL);
}

/* ---- Setting an option after the connection was made is legal for all of them ---- */

static void options_can_be_set_at_any_time (void **state)
{
    (void) state;
    what = "connected PAIR";
    void *a = open_socket (ZMQ_PAIR), *b = open_socket (ZMQ_PAIR);
    char where[256];
    OK (zmq_connect (b, bind_any (a, "tcp://127.0.0.1:*", where)));
    send_text (b, "one", 0);
    expect_text (a, "one");
    for (size_t i = 0; i < COUNT (int_rows); ++i) {
        const int_row_t *r = &int_rows[i];
        if (r->how == NOT_SET || !(r->types & T (ZMQ_PAIR)) || (r->needs && !zmq_has (r->needs))
            || (r->ours && !on_tern ()))
            continue;
        const int value = r->value < r->low ? r->low : r->value;
        expect_set (a, r->option, &value, sizeof value, 0);
        expect_set (b, r->option, &value, sizeof value, 0);
    }
    send_text (b, "two", 0);
    expect_text (a, "two");
    send_text (a, "three", 0);
    expect_text (b, "three");
    close_socket (a);
    close_socket (b);
}

int main (void)
{
    const struct CMUnitTest fixed[] = {
        cmocka_unit_test (ZMQ_AFFINITY_is_64_bits),
        cmocka_unit_test (ZMQ_MAXMSGSIZE_is_64_bits),
        cmocka_unit_test (ZMQ_VMCI_sizes_cannot_be_read),
        cmocka_unit_test (ZMQ_LINGER_by_type),
        cmocka_unit_test (ZMQ_LINGER_is_0_in_a_context_that_is_not_blocky),
        cmocka_unit_test (ZMQ_RCVMORE_can_only_be_read),
        cmocka_unit_test (ZMQ_THREAD_SAFE_by_type),
        cmocka_unit_test (ZMQ_FD_is_constant_and_not_of_thread_safe_types),
        cmocka_unit_test (ZMQ_EVENTS_can_only_be_read),
        cmocka_unit_test (ZMQ_TOPICS_COUNT_of_publishers_and_subscribers),
        cmocka_unit_test (ZMQ_TYPE_by_type),
        cmocka_unit_test (ZMQ_MECHANISM_can_only_be_read),
        cmocka_unit_test (ZMQ_SOCKS_names_are_cleared_by_NULL_of_any_length),
        cmocka_unit_test (ZMQ_ROUTING_ID_is_binary),
        cmocka_unit_test (ZMQ_LAST_ENDPOINT_of_bind_and_connect),
        cmocka_unit_test (ZMQ_LAST_ENDPOINT_survives_unbind),
        cmocka_unit_test (ZMQ_SUBSCRIBE_is_for_SUB),
        cmocka_unit_test (ZMQ_SUBSCRIBE_is_for_publishers_in_manual_mode),
        cmocka_unit_test (ZMQ_XPUB_WELCOME_MSG_of_any_length),
        cmocka_unit_test (ZMQ_CONNECT_ROUTING_ID_is_not_limited),
        cmocka_unit_test (ZMQ_TCP_ACCEPT_FILTER_takes_networks),
        cmocka_unit_test (ZMQ_IPC_FILTER_takes_ids),
        cmocka_unit_test (ZMQ_METADATA_takes_application_properties),
        cmocka_unit_test (ZMQ_HELLO_and_its_like_take_payloads),
        cmocka_unit_test (ZMQ_WSS_texts),
        cmocka_unit_test (ZMQ_XSUB_VERBOSE_UNSUBSCRIBE_is_for_XSUB),
        cmocka_unit_test (ZMQ_IPV6_and_IPV4ONLY_are_opposites),
        cmocka_unit_test (ZMQ_CURVE_PUBLICKEY_in_three_forms),
        cmocka_unit_test (ZMQ_CURVE_SECRETKEY_in_three_forms),
        cmocka_unit_test (ZMQ_CURVE_SERVERKEY_in_three_forms),
        cmocka_unit_test (ZMQ_CURVE_keys_survive_a_bad_one),
        cmocka_unit_test (the_mechanism_is_that_of_the_last_security_option),
        cmocka_unit_test (gssapi_options_choose_gssapi),
        cmocka_unit_test (numbers_without_an_option),
        cmocka_unit_test (options_can_be_set_at_any_time),
    };
    enum { ROWS = COUNT (int_rows) + COUNT (text_rows) + COUNT (fixed) };
    static struct CMUnitTest all[ROWS];
    size_t n = 0;
    for (size_t i = 0; i < COUNT (int_rows); ++i)
        all[n++] =
          (struct CMUnitTest){int_rows[i].name, int_test, NULL, NULL, (void *)&int_rows[i]};
    for (size_t i = 0; i < COUNT (text_rows); ++i)
        all[n++] =
          (struct CMUnitTest){text_rows[i].name, text_test, NULL, NULL, (void *)&text_rows[i]};
    for (size_t i = 0; i < COUNT (fixed); ++i)
        all[n++] = fixed[i];
    return _cmocka_run_group_tests ("options", all, n, group_setup, group_teardown);
}
