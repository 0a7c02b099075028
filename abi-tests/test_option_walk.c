/* SPDX-License-Identifier: Apache-2.0 */
/* The option walk: every fact of option-walk/facts.txt, on every socket type. For each option the default, sizes
 * that are taken and sizes that are not, values below, at and above the range, and null pointers.
 * With OPTION_WALK_TRACE=FILE each call that both libraries survive is written there with what came of it, and
 * after each set that was taken what else has changed: option-walk/compare reads two of these. */
#define ZMQ_BUILD_DRAFT_API
#include "support.h"

#include <dlfcn.h>
#include <limits.h>

typedef enum { K_INT, K_INT64, K_TEXT, K_BYTES, K_KEY, K_PREFIX } kind_t;
typedef enum { D_VALUE, D_UNKNOWN, D_TYPE, D_THREAD_SAFE } default_t;
typedef enum { F_ANY, F_ADDRESS, F_PROPERTY, F_Z85, F_PRESENT } form_t;
typedef enum { R_SAME, R_BOOL, R_HUNDREDS } reads_t;
typedef enum { N_REFUSED, N_CLEARS, N_KEEPS, N_ALWAYS } null_t;

typedef struct
{
    const char *name;
    int number;
    kind_t kind;
    bool readable, settable;
    size_t get_least, get_most, set_least, set_most;
    default_t follows;
    int value, special_value; /* the default, and that of special_types */
    unsigned special_types;
    int low, high;
    form_t form;
    reads_t reads;
    null_t null;
    unsigned getters, setters; /* bit n: socket type n */
    const char *needs;
    bool packaged; /* known to libzmq 4.3.4 without drafts */
} option_row_t;

#include "option_rows.h"

#define COUNT(list) (sizeof (list) / sizeof (list)[0])
enum { TYPES = COUNT (type_names), ROOM = 1100 };

/* ---- What is known of one option of one socket ---- */

typedef struct
{
    const option_row_t *row;
    void *socket;
    int type;
    bool there;      /* in this library, in this build */
    bool is_known;   /* what a get has to give */
    unsigned char value[ROOM];
    size_t length;
} walk_t;

static void *ctx;
static FILE *trace;

static bool is_there (const option_row_t *r)
{
    return (r->packaged || on_tern ()) && (!r->needs || zmq_has (r->needs));
}

static bool may_set (const walk_t *w)
{
    return w->there && w->row->settable && (w->row->setters >> w->type & 1);
}

static bool may_get (const walk_t *w)
{
    return w->there && w->row->readable && (w->row->getters >> w->type & 1);
}

static void know (walk_t *w, const void *value, size_t length)
{
    w->is_known = true;
    w->length = length;
    memcpy (w->value, value, length);
}

static void know_int (walk_t *w, int64_t value)
{
    const int narrow = (int) value;
    if (w->row->kind == K_INT64)
        know (w, &value, sizeof value);
    else
        know (w, &narrow, sizeof narrow);
}

/* ---- The trace ---- */

static void print_bytes (const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    /* Long ones are all of one byte. */
    if (size > 64)
        fprintf (trace, "%02x...", at[0]);
    else
        for (size_t i = 0; i < size; ++i)
            fprintf (trace, "%02x", at[i]);
}

static unsigned char seen[COUNT (socket_rows)][64];
static size_t seen_size[COUNT (socket_rows)];

/* What the readable options are now; with `print`, those that are not as they were. */
static void look_around (const walk_t *w, bool print)
{
    for (size_t i = 0; i < COUNT (socket_rows); ++i) {
        const option_row_t *r = &socket_rows[i];
        if (!r->packaged || !r->readable || r->number == ZMQ_FD || r->number == ZMQ_EVENTS)
            continue;
        unsigned char buffer[ROOM];
        size_t size = r->kind == K_INT ? 4 : r->kind == K_INT64 ? 8 : r->kind == K_KEY ? 32 : sizeof buffer;
        if (zmq_getsockopt (w->socket, r->number, buffer, &size) != 0)
            size = 0;
        const size_t kept = size < sizeof seen[i] ? size : sizeof seen[i];
        if (print && (size != seen_size[i] || memcmp (seen[i], buffer, kept) != 0)) {
            fprintf (trace, "%s %s   then %s %zu ", w->row->name, type_names[w->type], r->name, size);
            print_bytes (buffer, size);
            fputc ('\n', trace);
        }
        seen_size[i] = size;
        memcpy (seen[i], buffer, kept);
    }
}

/* ---- Calls ---- */

static void set (walk_t *w, const void *value, size_t size, int expected)
{
    errno = 0;
    const int rc = zmq_setsockopt (w->socket, w->row->number, value, size);
    const int number = rc == 0 ? 0 : errno;
    if (trace) {
        fprintf (trace, "%s %s set %zu ", w->row->name, type_names[w->type], size);
        if (value)
            print_bytes (value, size);
        else
            fputs ("NULL", trace);
        fprintf (trace, " -> %d\n", number);
        if (number == 0)
            look_around (w, true);
    }
    if (rc == 0 ? expected != 0 : rc != -1 || number != expected) {
        int shown = 0;
        memcpy (&shown, value ? value : &shown, value && size >= sizeof shown ? sizeof shown : 0);
        fail_msg ("%s on %s: set of %zu bytes%s (int %d) gave %d, errno %d; expected errno %d", w->row->name,
                  type_names[w->type], size, value ? "" : ", NULL", shown, rc, number, expected);
    }
}

/* What a get into so many bytes writes; or -1. */
static int get_length (const walk_t *w, size_t room)
{
    const option_row_t *r = w->row;
    if (!may_get (w))
        return -1;
    switch (r->kind) {
        case K_INT:
        case K_INT64:
            return room >= r->get_least && room <= r->get_most ? (int) w->length : -1;
        case K_KEY:
            return room == 32 || room == 41 ? (int) room : -1;
        case K_TEXT:
            return room >= w->length + 1 ? (int) w->length + 1 : -1;
        default:
            return room >= w->length ? (int) w->length : -1;
    }
}

static void get (walk_t *w, size_t room)
{
    unsigned char buffer[ROOM + 1];
    memset (buffer, 0xa5, sizeof buffer);
    size_t size = room;
    errno = 0;
    const int rc = zmq_getsockopt (w->socket, w->row->number, buffer, &size);
    const int number = rc == 0 ? 0 : errno;
    if (trace) {
        fprintf (trace, "%s %s get %zu -> %d %zu ", w->row->name, type_names[w->type], room, number, size);
        if (rc == 0 && w->row->number != ZMQ_FD)
            print_bytes (buffer, size < room ? size : room);
        fputc ('\n', trace);
    }
    if (!w->is_known && rc == 0 && w->row->kind == K_INT)
        know (w, buffer, sizeof (int));
    const int length = get_length (w, room);
    if (length < 0 ? rc != -1 || number != EINVAL || size != room : rc != 0 || size != (size_t) length)
        fail_msg ("%s on %s: get of %zu bytes gave %d, errno %d, size %zu; expected length %d", w->row->name,
                  type_names[w->type], room, rc, number, size, length);
    size_t touched = 0;
    if (length >= 0) {
        const size_t compared = w->row->kind == K_KEY && room == 41 ? 0 : w->length;
        if (memcmp (buffer, w->value, compared) != 0)
            fail_msg ("%s on %s: get of %zu bytes gave another value", w->row->name, type_names[w->type], room);
        /* The rest of the buffer is cleared, beyond it nothing is written. */
        for (size_t i = (size_t) length; i < room; ++i)
            assert_int_equal (buffer[i], 0);
        touched = room;
    }
    for (size_t i = touched; i < sizeof buffer; ++i)
        assert_int_equal (buffer[i], 0xa5);
}

static const size_t sizes[] = {0,  1,  2,  3,  4,  5,  6,   7,   8,   9,   12,  15,  16,
                               17, 31, 32, 33, 39, 40, 41, 42, 254, 255, 256, 257, 1000};

static void get_sizes (walk_t *w)
{
    for (size_t i = 0; i < COUNT (sizes); ++i)
        get (w, sizes[i]);
}

/* ---- Sets by kind ---- */

static void set_int_value (walk_t *w, int value)
{
    const option_row_t *r = w->row;
    const bool legal = may_set (w) && value >= r->low && value <= r->high;
    set (w, &value, sizeof value, legal ? 0 : EINVAL);
    if (legal)
        know_int (w, r->reads == R_BOOL ? value != 0 : r->reads == R_HUNDREDS ? value / 100 * 100 : value);
    get (w, sizeof value);
}

static void walk_ints (walk_t *w)
{
    const option_row_t *r = w->row;
    const long long low = r->low, high = r->high;
    const long long values[] = {low,  low - 1, low + 1, high, high + 1, high - 1, INT_MIN, -1000000, -101, -100,
                                -99,  -2,      -1,      0,    1,        2,        3,       4,        5,    99,
                                100,  101,     199,     254,  255,      256,      1000,    65535,    65536, 6553599,
                                6553600, INT_MAX};
    for (size_t i = 0; i < COUNT (values); ++i)
        if (values[i] >= INT_MIN && values[i] <= INT_MAX)
            set_int_value (w, (int) values[i]);
    /* A legal value in other sizes; 8 bytes have it in front. */
    const int good[] = {r->high, 0, 0, 0};
    for (size_t i = 0; i < COUNT (sizes) && sizes[i] <= sizeof good; ++i) {
        const bool legal = may_set (w) && sizes[i] >= r->set_least && sizes[i] <= r->set_most;
        set (w, good, sizes[i], legal ? 0 : EINVAL);
        if (legal && sizes[i] == sizeof good[0])
            know_int (w, r->reads == R_BOOL ? good[0] != 0 : r->reads == R_HUNDREDS ? good[0] / 100 * 100 : good[0]);
    }
}

static void walk_wide (walk_t *w)
{
    static const int64_t values[] = {0,           1,         -1,       -2, 255, 1LL << 32, INT_MAX, -(1LL << 40),
                                     INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < COUNT (values); ++i) {
        set (w, &values[i], sizeof values[i], may_set (w) ? 0 : EINVAL);
        if (may_set (w))
            know_int (w, values[i]);
        get (w, sizeof values[i]);
    }
    const int64_t good[] = {5, 5, 5};
    for (size_t i = 0; i < COUNT (sizes) && sizes[i] <= sizeof good; ++i)
        if (sizes[i] != sizeof good[0])
            set (w, good, sizes[i], EINVAL);
}

static void set_bytes (walk_t *w, const void *value, size_t size, bool legal)
{
    legal = legal && may_set (w);
    set (w, value, size, legal ? 0 : EINVAL);
    if (legal)
        know (w, value, size);
}

static bool fits (const option_row_t *r, size_t size)
{
    return size >= r->set_least && size <= r->set_most;
}

static void walk_bytes (walk_t *w)
{
    static char text[ROOM];
    memset (text, 'x', sizeof text);
    if (w->row->form == F_ADDRESS || w->row->form == F_PROPERTY) {
        static const char *const addresses[] = {"127.0.0.1", "10.0.0.0/8", "0.0.0.0/0", "127.0.0.1/32"};
        static const char *const not_addresses[] = {"localhost", "1.2.3.4/33", "1.2.3.4/", "/8", "::1", "1.2.3.4:5"};
        static const char *const properties[] = {"X-a:b", "X-name:value", "X-:value", "X-name:a:b"};
        static const char *const not_properties[] = {"name:value", "x-a:b", "X-name", "X-name:", ":value", "X-:v"};
        const bool address = w->row->form == F_ADDRESS;
        for (size_t i = 0; i < COUNT (addresses); ++i) {
            const char *good = address ? addresses[i] : properties[i];
            set_bytes (w, good, strlen (good), true);
        }
        for (size_t i = 0; i < COUNT (not_addresses); ++i) {
            const char *bad = address ? not_addresses[i] : not_properties[i];
            set_bytes (w, bad, strlen (bad), false);
        }
        for (size_t i = 0; i < COUNT (sizes); ++i)
            set_bytes (w, text, sizes[i], false);
        return;
    }
    for (size_t i = 0; i < COUNT (sizes); ++i) {
        set_bytes (w, text, sizes[i], fits (w->row, sizes[i]));
        get (w, w->length + 1);
    }
    /* The longest and the shortest again, then a NUL inside, which is data like any other. */
    set_bytes (w, text, w->row->set_most < 1000 ? w->row->set_most : 1000, true);
    get_sizes (w);
    set_bytes (w, "g\0h", 3, true);
    get_sizes (w);
    set_bytes (w, text, w->row->set_least, true);
    get_sizes (w);
}

static void walk_keys (walk_t *w)
{
    static const char good[] = "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S";
    static const unsigned char raw[] = {
      0x8f, 0x40, 0xc5, 0xad, 0xb6, 0x8f, 0x25, 0x62, 0x4a, 0xe5, 0xb2, 0x14, 0xea, 0x76, 0x7a, 0x6e,
      0xc9, 0x4d, 0x82, 0x9d, 0x3d, 0x7b, 0x5e, 0x1a, 0xd1, 0xba, 0x6f, 0x3e, 0x21, 0x38, 0x28, 0x5f};
    char text[ROOM];
    memset (text, '1', sizeof text);
    for (size_t i = 0; i < COUNT (sizes); ++i)
        if (sizes[i] != 32 && sizes[i] != 40 && sizes[i] != 41)
            set (w, text, sizes[i], EINVAL);
    static const size_t legal[] = {32, 40, 41};
    for (size_t i = 0; i < COUNT (legal); ++i) {
        set (w, legal[i] == 32 ? (const void *) raw : good, legal[i], may_set (w) ? 0 : EINVAL);
        if (may_set (w))
            know (w, raw, sizeof raw);
        get_sizes (w);
    }
    /* Wrong at its first character. */
    text[0] = '~';
    text[40] = 0;
    set (w, text, 40, EINVAL);
    set (w, text, 41, EINVAL);
    get (w, 32);
    /* At its last one, where libzmq has overwritten the key before it sees it. */
    memset (text, '1', 40);
    text[39] = '~';
    set (w, text, 40, EINVAL);
    size_t size = sizeof raw;
    if (!on_tern () && may_get (w))
        OK (zmq_getsockopt (w->socket, w->row->number, w->value, &size));
    get (w, 32);
}

/* NULL with a size makes libzmq crash. */
static void walk_null (walk_t *w)
{
    const null_t rule = w->row->null;
    const bool taken = may_set (w) && rule != N_REFUSED;
    set (w, NULL, 0, taken ? 0 : EINVAL);
    if (taken && rule != N_KEEPS)
        know (w, "", w->row->kind == K_TEXT || w->row->kind == K_BYTES ? 0 : w->length);
    if (!on_tern ())
        return;
    FILE *kept = trace;
    trace = NULL;
    static const size_t with[] = {1, 4, 7, 8, 32, 40, 255};
    for (size_t i = 0; i < COUNT (with); ++i)
        set (w, NULL, with[i], may_set (w) && rule == N_ALWAYS ? 0 : EINVAL);
    size_t size = 4;
    FAILS (zmq_getsockopt (w->socket, w->row->number, NULL, &size), EINVAL);
    FAILS (zmq_getsockopt (w->socket, w->row->number, w->value, NULL), EINVAL);
    trace = kept;
}

/* ---- One option on every type ---- */

static void know_default (walk_t *w)
{
    const option_row_t *r = w->row;
    static const unsigned char zeros[32];
    switch (r->kind) {
        case K_INT:
        case K_INT64:
            w->length = r->kind == K_INT ? sizeof (int) : sizeof (int64_t);
            if (r->follows == D_TYPE)
                know_int (w, w->type);
            else if (r->follows == D_THREAD_SAFE)
                know_int (w, w->type >= ZMQ_SERVER && w->type != ZMQ_DGRAM);
            else if (r->follows == D_VALUE)
                know_int (w, r->special_types >> w->type & 1 ? r->special_value : r->value);
            break;
        case K_KEY:
            know (w, zeros, sizeof zeros);
            break;
        default:
            know (w, "", 0);
    }
}

static void socket_row_test (void **state)
{
    const option_row_t *row = *state;
    FILE *kept = trace;
    if (!row->packaged)
        trace = NULL;
    for (int type = 0; type < TYPES; ++type) {
        if (!type_is_built (type))
            continue;
        walk_t *w = test_calloc (1, sizeof *w);
        w->row = row;
        w->type = type;
        w->there = is_there (w->row);
        w->socket = new_socket (ctx, type);
        know_default (w);
        if (trace)
            look_around (w, false);
        get_sizes (w);
        switch (w->row->kind) {
            case K_INT:
                walk_ints (w);
                break;
            case K_INT64:
                walk_wide (w);
                break;
            case K_KEY:
                walk_keys (w);
                break;
            default:
                walk_bytes (w);
        }
        get_sizes (w);
        walk_null (w);
        get_sizes (w);
        close_now (w->socket);
        test_free (w);
    }
    trace = kept;
}

/* ---- Context options: numbers, but for a thread name's prefix. Number 3 is one option to set and another to
 * read, so whether a direction is there is asked of all rows. ---- */

static const option_row_t *other_direction (const option_row_t *r, bool settable)
{
    for (size_t i = 0; i < COUNT (context_rows); ++i) {
        const option_row_t *other = &context_rows[i];
        if (other->number == r->number && (settable ? other->settable : other->readable))
            return other;
    }
    return NULL;
}

static void context_set (void *c, const option_row_t *r, int value, int expected)
{
    errno = 0;
    const int rc = zmq_ctx_set (c, r->number, value);
    const int number = rc == 0 ? 0 : errno;
    if (trace)
        fprintf (trace, "%s context set %d -> %d\n", r->name, value, number);
    if (rc == 0 ? expected != 0 : number != expected)
        fail_msg ("%s: set %d gave %d, errno %d; expected errno %d", r->name, value, rc, number, expected);
}

static void context_get (void *c, const option_row_t *r, int expected)
{
    errno = 0;
    const int got = zmq_ctx_get (c, r->number);
    const int number = got == -1 ? errno : 0;
    if (trace)
        fprintf (trace, "%s context get -> %d %d\n", r->name, got, number);
    if (!other_direction (r, false) ? got != -1 || number != EINVAL : r->readable && (got != expected || number != 0))
        fail_msg ("%s: got %d, errno %d; expected %d", r->name, got, number, expected);
}

/* The forms with sizes; not in the package. */
static void context_sizes (void *c, const option_row_t *r)
{
    __typeof__ (&zmq_ctx_set_ext) set_ext = (__typeof__ (&zmq_ctx_set_ext)) dlsym (RTLD_DEFAULT, "zmq_ctx_set_ext");
    __typeof__ (&zmq_ctx_get_ext) get_ext = (__typeof__ (&zmq_ctx_get_ext)) dlsym (RTLD_DEFAULT, "zmq_ctx_get_ext");
    if (!set_ext || !get_ext)
        return;
    static char text[ROOM];
    memset (text, 'x', sizeof text);
    const int good[] = {r->high, 0, 0, 0};
    for (size_t i = 0; i < COUNT (sizes); ++i) {
        if (sizes[i] == sizeof (int))
            continue;
        char buffer[ROOM];
        size_t size = sizes[i];
        if (r->kind == K_PREFIX) {
            if (fits (r, sizes[i])) {
                OK (set_ext (c, r->number, text, sizes[i]));
                size = sizeof buffer;
                OK (get_ext (c, r->number, buffer, &size));
                assert_int_equal (size, sizeof buffer);
                assert_memory_equal (buffer, text, sizes[i]);
                size = sizes[i] - 1;
                if (size != sizeof (int))
                    FAILS (get_ext (c, r->number, buffer, &size), EINVAL);
            } else {
                FAILS (set_ext (c, r->number, text, sizes[i]), EINVAL);
            }
            continue;
        }
        FAILS (set_ext (c, r->number, sizes[i] <= sizeof good ? (const void *) good : text, sizes[i]), EINVAL);
        FAILS (get_ext (c, r->number, buffer, &size), EINVAL);
        assert_int_equal (size, sizes[i]);
    }
    FAILS (set_ext (c, r->number, NULL, sizeof (int)), EINVAL);
    FAILS (set_ext (c, r->number, NULL, 0), EINVAL);
    size_t size = sizeof (int);
    FAILS (get_ext (c, r->number, NULL, &size), EINVAL);
    FAILS (get_ext (c, r->number, text, NULL), EINVAL);
}

static void context_row_test (void **state)
{
    const option_row_t *r = *state;
    void *c = zmq_ctx_new ();
    assert_non_null (c);
    int current = r->kind == K_PREFIX ? 0 : r->value;
    context_get (c, r, current);
    const long long low = r->low, high = r->high;
    const long long values[] = {low, low - 1, low + 1, high, high + 1, high - 1, INT_MIN, -2, -1, 0, 1, 2,
                                3,   4,       5,       63,   64,       100,      1000,    INT_MAX};
    for (size_t i = 0; i < COUNT (values); ++i) {
        if (values[i] < INT_MIN || values[i] > INT_MAX)
            continue;
        const int value = (int) values[i];
        const option_row_t *as = other_direction (r, true);
        if (r->form == F_PRESENT) {
            context_set (c, r, value, EINVAL);
            if (value >= 0) {
                OK (zmq_ctx_set (c, ZMQ_THREAD_AFFINITY_CPU_ADD, value));
                context_set (c, r, value, 0);
            }
            context_set (c, r, value, EINVAL);
        } else {
            const bool legal = as && (as->kind == K_PREFIX || (value >= as->low && value <= as->high));
            context_set (c, r, value, legal ? 0 : EINVAL);
            if (legal && as == r)
                current = r->reads == R_BOOL ? value != 0 : value;
        }
        context_get (c, r, current);
    }
    context_sizes (c, r);
    OK (zmq_ctx_term (c));
}

/* Numbers that are nobody's, around and between those of the table. */
static void no_other_number_is_an_option (void **state)
{
    (void) state;
    for (int number = -2; number < 400; ++number) {
        bool is_one = false;
        for (size_t i = 0; i < COUNT (socket_rows); ++i)
            is_one = is_one || (socket_rows[i].number == number && is_there (&socket_rows[i]));
        if (is_one)
            continue;
        option_row_t row = {"nothing", number, K_INT, false, false, 0, 0, 0, 0, D_UNKNOWN, 0, 0, 0, 0, 1,
                            F_ANY, R_SAME, N_REFUSED, 0, 0, NULL, true};
        walk_t w = {&row, new_socket (ctx, ZMQ_DEALER), ZMQ_DEALER, false, false, {0}, 0};
        /* What the package lacks is no difference. */
        FILE *kept = trace;
        trace = NULL;
        get_sizes (&w);
        walk_ints (&w);
        walk_null (&w);
        trace = kept;
        close_now (w.socket);
    }
}

static int group_setup (void **state)
{
    (void) state;
    ctx = zmq_ctx_new ();
    const char *path = getenv ("OPTION_WALK_TRACE");
    if (path && !(trace = fopen (path, "w")))
        return -1;
    return ctx ? 0 : -1;
}

static int group_teardown (void **state)
{
    (void) state;
    return trace ? fclose (trace) : 0;
}

int main (void)
{
    enum { ROWS = COUNT (socket_rows) + COUNT (context_rows) };
    static struct CMUnitTest tests[ROWS + 1];
    static char names[ROWS][80];
    for (size_t i = 0; i < ROWS; ++i) {
        const bool of_socket = i < COUNT (socket_rows);
        const option_row_t *r = of_socket ? &socket_rows[i] : &context_rows[i - COUNT (socket_rows)];
        snprintf (names[i], sizeof names[i], "%s%s", of_socket ? "ZMQ_" : "context_ZMQ_", r->name);
        tests[i] = (struct CMUnitTest){names[i], of_socket ? socket_row_test : context_row_test, NULL, NULL, (void *) r};
    }
    tests[ROWS] = (struct CMUnitTest) cmocka_unit_test (no_other_number_is_an_option);
    return cmocka_run_group_tests_name ("option walk", tests, group_setup, group_teardown);
}
