/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: life cycle, sharing, zero-copy, properties, vectors of parts. */
#define ZMQ_BUILD_DRAFT_API
#include "support.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

/* A function of the draft interface; the reference package does not export it. */
#define CALL(name) ((__typeof__ (&name)) dlsym (RTLD_DEFAULT, #name))
#define NEEDS_DRAFT(name)                                                                          \
    do {                                                                                           \
        if (!dlsym (RTLD_DEFAULT, #name)) {                                                        \
            OURS_IS_BETTER ("drafts are not exported");                                            \
            fail_msg ("%s is not exported", #name);                                                \
        }                                                                                          \
    } while (0)

/* ---- Kit ---- */

/* Two connected sockets. */
typedef struct
{
    void *ctx, *a, *b;
} link_t;

static link_t link_up (int type_a, int type_b, const char *endpoint)
{
    link_t l;
    char where[256];
    l.ctx = zmq_ctx_new ();
    assert_non_null (l.ctx);
    l.a = new_socket (l.ctx, type_a);
    l.b = new_socket (l.ctx, type_b);
    OK (zmq_connect (l.b, bind_any (l.a, endpoint, where)));
    return l;
}

static void link_down (link_t *l)
{
    close_now (l->a);
    close_now (l->b);
    OK (zmq_ctx_term (l->ctx));
}

/* What a free function saw. */
typedef struct
{
    atomic_int calls;
    void *data;
    pthread_t thread;
} freed_t;

static void note_free (void *data, void *hint)
{
    freed_t *f = hint;
    f->data = data;
    f->thread = pthread_self ();
    atomic_fetch_add (&f->calls, 1);
}

static void wait_freed (freed_t *f)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    while (atomic_load (&f->calls) == 0) {
        if (now_ms () > end)
            fail_msg ("the free function was never called");
        zmq_poll (NULL, 0, 1);
    }
}

static void expect_property (const zmq_msg_t *m, const char *key, const char *expected)
{
    const char *value = zmq_msg_gets (m, key);
    if (!value || strcmp (value, expected) != 0)
        fail_msg ("%s is \"%s\", expected \"%s\"", key, value ? value : "(none)", expected);
}

static void expect_no_property (const zmq_msg_t *m, const char *key)
{
    errno = 0;
    const char *value = zmq_msg_gets (m, key);
    if (value || errno != EINVAL)
        fail_msg ("%s is \"%s\", errno %d, expected none and EINVAL", key, value ? value : "(none)",
                  errno);
}

static void fill (void *data, size_t size, unsigned seed)
{
    unsigned char *p = data;
    for (size_t i = 0; i < size; ++i)
        p[i] = (unsigned char) (i * 7 + seed);
}

static void expect_fill (const void *data, size_t size, unsigned seed)
{
    const unsigned char *p = data;
    for (size_t i = 0; i < size; ++i)
        if (p[i] != (unsigned char) (i * 7 + seed))
            fail_msg ("byte %zu of %zu is wrong", i, size);
}

static void make (zmq_msg_t *m, size_t size, unsigned seed)
{
    OK (zmq_msg_init_size (m, size));
    assert_int_equal (zmq_msg_size (m), size);
    fill (zmq_msg_data (m), size, seed);
}

static void expect_message (zmq_msg_t *m, size_t size, unsigned seed)
{
    assert_int_equal (zmq_msg_size (m), size);
    if (size)
        assert_non_null (zmq_msg_data (m));
    expect_fill (zmq_msg_data (m), size, seed);
}

static void recv_into (zmq_msg_t *m, void *s)
{
    wait_events (s, ZMQ_POLLIN);
    OK (zmq_msg_recv (m, s, ZMQ_DONTWAIT));
}

/* Without asking first whether there is something. */
static void recv_unpolled (zmq_msg_t *m, void *s)
{
    set_int (s, ZMQ_RCVTIMEO, DEADLINE_MS);
    OK (zmq_msg_recv (m, s, 0));
}

/* Sizes on both sides of where a message changes its kind: inside of the struct, in a batch, alone.
 */
static const size_t sizes[] = {0,  1,  2,   28,  29,   30,   33,   34,     63,
                               64, 65, 255, 256, 8191, 8192, 8193, 100000, 3000000};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* ---- Life cycle ---- */

static void init_gives_an_empty_message (void **state)
{
    (void) state;
    zmq_msg_t m;
    memset (&m, 0xff, sizeof m);
    assert_int_equal (zmq_msg_init (&m), 0);
    assert_int_equal (zmq_msg_size (&m), 0);
    assert_int_equal (zmq_msg_more (&m), 0);
    assert_int_equal (zmq_msg_get (&m, ZMQ_MORE), 0);
    assert_int_equal (zmq_msg_get (&m, ZMQ_SHARED), 0);
    assert_int_equal (zmq_msg_close (&m), 0);
    FAILS (zmq_msg_close (&m), EFAULT);
    assert_int_equal (zmq_msg_init (&m), 0);
    assert_int_equal (zmq_msg_close (&m), 0);
}

static void init_size_gives_writable_bytes (void **state)
{
    (void) state;
    for (size_t i = 0; i < SIZES; ++i) {
        zmq_msg_t m;
        make (&m, sizes[i], 3);
        expect_message (&m, sizes[i], 3);
        assert_int_equal (zmq_msg_get (&m, ZMQ_SHARED), 0);
        assert_int_equal (zmq_msg_close (&m), 0);
        FAILS (zmq_msg_close (&m), EFAULT);
    }
}

static void init_size_that_failed_can_be_started_anew (void **state)
{
    (void) state;
    zmq_msg_t m;
    FAILS (zmq_msg_init_size (&m, SIZE_MAX), ENOMEM);
    FAILS (zmq_msg_init_size (&m, SIZE_MAX - 64), ENOMEM);
    make (&m, 40, 1);
    expect_message (&m, 40, 1);
    OK (zmq_msg_close (&m));
}

static void payloads_are_aligned_for_any_scalar (void **state)
{
    (void) state;
    for (size_t i = 0; i < SIZES; ++i) {
        if (sizes[i] < 65)
            continue;
        zmq_msg_t m;
        make (&m, sizes[i], 1);
        assert_int_equal ((uintptr_t) zmq_msg_data (&m) % sizeof (void *), 0);
        OK (zmq_msg_close (&m));
    }
}

static void init_buffer_copies (void **state)
{
    (void) state;
    NEEDS_DRAFT (zmq_msg_init_buffer);
    char text[100];
    fill (text, sizeof text, 5);
    for (size_t n = 0; n <= sizeof text; ++n) {
        zmq_msg_t m;
        OK (CALL (zmq_msg_init_buffer) (&m, text, n));
        assert_true (zmq_msg_data (&m) != text);
        expect_message (&m, n, 5);
        OK (zmq_msg_close (&m));
    }
    zmq_msg_t m;
    OK (CALL (zmq_msg_init_buffer) (&m, NULL, 0));
    assert_int_equal (zmq_msg_size (&m), 0);
    OK (zmq_msg_close (&m));
}

static void ZC_1_init_data_uses_the_buffer_and_frees_it_once (void **state)
{
    (void) state;
    static const size_t some[] = {0, 1, 20, 33, 34, 1000};
    char buffer[1000];
    for (size_t i = 0; i < sizeof some / sizeof some[0]; ++i) {
        freed_t f = {0};
        zmq_msg_t m;
        fill (buffer, sizeof buffer, 9);
        OK (zmq_msg_init_data (&m, buffer, some[i], note_free, &f));
        assert_int_equal (zmq_msg_size (&m), some[i]);
        if (some[i])
            assert_ptr_equal (zmq_msg_data (&m), buffer);
        assert_int_equal (f.calls, 0);
        OK (zmq_msg_close (&m));
        assert_int_equal (f.calls, 1);
        assert_ptr_equal (f.data, buffer);
        FAILS (zmq_msg_close (&m), EFAULT);
        assert_int_equal (f.calls, 1);
        expect_fill (buffer, sizeof buffer, 9);
    }
}

static void init_data_of_nothing (void **state)
{
    (void) state;
    freed_t f = {0};
    zmq_msg_t m;
    OK (zmq_msg_init_data (&m, NULL, 0, NULL, NULL));
    assert_int_equal (zmq_msg_size (&m), 0);
    assert_null (zmq_msg_data (&m));
    OK (zmq_msg_close (&m));
    f.data = &f;
    OK (zmq_msg_init_data (&m, NULL, 0, note_free, &f));
    assert_int_equal (zmq_msg_size (&m), 0);
    OK (zmq_msg_close (&m));
    assert_int_equal (f.calls, 1);
    assert_null (f.data);
}

static void ZC_8_without_a_free_function_the_data_is_constant (void **state)
{
    (void) state;
    static const char data[] = "constant bytes that nobody frees, long enough not to fit inside";
    static const size_t some[] = {0, 3, sizeof data};
    for (size_t i = 0; i < 3; ++i) {
        zmq_msg_t m, copy;
        OK (zmq_msg_init_data (&m, (char *) data, some[i], NULL, NULL));
        assert_ptr_equal (zmq_msg_data (&m), data);
        assert_int_equal (zmq_msg_get (&m, ZMQ_SHARED), 1);
        OK (zmq_msg_init (&copy));
        OK (zmq_msg_copy (&copy, &m));
        OK (zmq_msg_close (&m));
        assert_ptr_equal (zmq_msg_data (&copy), data);
        assert_int_equal (zmq_msg_get (&copy, ZMQ_SHARED), 1);
        OK (zmq_msg_close (&copy));
    }
}

static void ZC_4_closing_an_unsent_message_frees_in_the_calling_thread (void **state)
{
    (void) state;
    char buffer[100];
    freed_t f = {0};
    zmq_msg_t m;
    OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
    OK (zmq_msg_close (&m));
    assert_int_equal (f.calls, 1);
    assert_true (pthread_equal (f.thread, pthread_self ()));
}

/* ---- Move and copy ---- */

static void move_takes_everything_over (void **state)
{
    (void) state;
    for (size_t i = 0; i < SIZES; ++i) {
        char old[50];
        freed_t f = {0};
        zmq_msg_t from, to;
        make (&from, sizes[i], 4);
        const void *data = zmq_msg_data (&from);
        OK (zmq_msg_init_data (&to, old, sizeof old, note_free, &f));
        OK (zmq_msg_move (&to, &from));
        assert_int_equal (f.calls, 1);
        expect_message (&to, sizes[i], 4);
        if (sizes[i] > 64)
            assert_ptr_equal (zmq_msg_data (&to), data);
        assert_int_equal (zmq_msg_get (&to, ZMQ_SHARED), 0);
        assert_int_equal (zmq_msg_size (&from), 0);
        OK (zmq_msg_close (&from));
        OK (zmq_msg_close (&to));
    }
}

static void move_of_a_failed_one_changes_nothing (void **state)
{
    (void) state;
    zmq_msg_t good, bad;
    make (&good, 100, 4);
    memset (&bad, 0, sizeof bad);
    FAILS (zmq_msg_move (&good, &bad), EFAULT);
    expect_message (&good, 100, 4);
    FAILS (zmq_msg_move (&bad, &good), EFAULT);
    expect_message (&good, 100, 4);
    FAILS (zmq_msg_copy (&good, &bad), EFAULT);
    expect_message (&good, 100, 4);
    FAILS (zmq_msg_copy (&bad, &good), EFAULT);
    expect_message (&good, 100, 4);
    FAILS (zmq_msg_close (&bad), EFAULT);
    OK (zmq_msg_close (&good));
}

static void copy_keeps_the_source (void **state)
{
    (void) state;
    for (size_t i = 0; i < SIZES; ++i) {
        char old[50];
        freed_t f = {0};
        zmq_msg_t from, to;
        make (&from, sizes[i], 4);
        OK (zmq_msg_init_data (&to, old, sizeof old, note_free, &f));
        OK (zmq_msg_copy (&to, &from));
        assert_int_equal (f.calls, 1);
        expect_message (&to, sizes[i], 4);
        expect_message (&from, sizes[i], 4);
        OK (zmq_msg_close (&from));
        expect_message (&to, sizes[i], 4);
        OK (zmq_msg_close (&to));
    }
}

static void big_copies_share_their_bytes (void **state)
{
    (void) state;
    zmq_msg_t from, to;
    make (&from, 1000, 4);
    OK (zmq_msg_init (&to));
    assert_int_equal (zmq_msg_get (&from, ZMQ_SHARED), 0);
    OK (zmq_msg_copy (&to, &from));
    assert_ptr_equal (zmq_msg_data (&to), zmq_msg_data (&from));
    assert_int_equal (zmq_msg_get (&from, ZMQ_SHARED), 1);
    assert_int_equal (zmq_msg_get (&to, ZMQ_SHARED), 1);
    fill (zmq_msg_data (&from), 1000, 77);
    expect_message (&to, 1000, 77);
    OK (zmq_msg_close (&from));
    assert_int_equal (zmq_msg_get (&to, ZMQ_SHARED), 1);
    expect_message (&to, 1000, 77);
    OK (zmq_msg_close (&to));
}

static void small_copies_share_nothing (void **state)
{
    (void) state;
    zmq_msg_t from, to;
    make (&from, 20, 4);
    OK (zmq_msg_init (&to));
    OK (zmq_msg_copy (&to, &from));
    assert_int_equal (zmq_msg_get (&from, ZMQ_SHARED), 0);
    assert_int_equal (zmq_msg_get (&to, ZMQ_SHARED), 0);
    fill (zmq_msg_data (&from), 20, 77);
    expect_message (&to, 20, 4);
    OK (zmq_msg_close (&from));
    OK (zmq_msg_close (&to));
}

static void ZC_7_the_last_copy_frees (void **state)
{
    (void) state;
    static const size_t some[] = {0, 5, 33, 500};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; ++i) {
        char buffer[500];
        freed_t f = {0};
        zmq_msg_t m[10];
        OK (zmq_msg_init_data (&m[0], buffer, some[i], note_free, &f));
        assert_int_equal (zmq_msg_get (&m[0], ZMQ_SHARED), 0);
        for (int k = 1; k < 10; ++k) {
            OK (zmq_msg_init (&m[k]));
            OK (zmq_msg_copy (&m[k], &m[k - 1]));
            assert_ptr_equal (zmq_msg_data (&m[k]), buffer);
            assert_int_equal (zmq_msg_get (&m[k], ZMQ_SHARED), 1);
        }
        assert_int_equal (zmq_msg_get (&m[0], ZMQ_SHARED), 1);
        for (int k = 0; k < 9; ++k) {
            OK (zmq_msg_close (&m[(k * 3 + 1) % 10]));
            assert_int_equal (f.calls, 0);
        }
        OK (zmq_msg_close (&m[(9 * 3 + 1) % 10]));
        assert_int_equal (f.calls, 1);
    }
}

/* Overwriting a copy with itself through another copy must not lose the buffer. */
static void copy_over_a_copy_of_the_same (void **state)
{
    (void) state;
    char buffer[500];
    freed_t f = {0};
    zmq_msg_t a, b;
    OK (zmq_msg_init_data (&a, buffer, sizeof buffer, note_free, &f));
    OK (zmq_msg_init (&b));
    for (int i = 0; i < 5; ++i) {
        OK (zmq_msg_copy (&b, &a));
        OK (zmq_msg_copy (&a, &b));
        assert_ptr_equal (zmq_msg_data (&a), buffer);
        assert_int_equal (f.calls, 0);
    }
    OK (zmq_msg_move (&b, &a));
    assert_int_equal (f.calls, 0);
    OK (zmq_msg_close (&a));
    assert_int_equal (f.calls, 0);
    OK (zmq_msg_close (&b));
    assert_int_equal (f.calls, 1);
}

static void move_and_copy_onto_itself_do_nothing (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference loses the content or leaves an invalid message");
    for (size_t i = 0; i < SIZES; ++i) {
        zmq_msg_t m;
        make (&m, sizes[i], 6);
        OK (zmq_msg_move (&m, &m));
        expect_message (&m, sizes[i], 6);
        OK (zmq_msg_copy (&m, &m));
        expect_message (&m, sizes[i], 6);
        OK (zmq_msg_close (&m));
    }
}

static int next_random (unsigned *seed)
{
    *seed = *seed * 1103515245u + 12345u;
    return (int) (*seed >> 16 & 0x7fff);
}

/* Random moves, copies and closes among a few messages never free a buffer in use, nor forget or
 * repeat one. */
static void buffers_survive_any_order_of_operations (void **state)
{
    (void) state;
    enum { SLOTS = 6, BUFFERS = 400 };
    static char buffers[BUFFERS][64];
    static freed_t freed[BUFFERS];
    memset (freed, 0, sizeof freed);
    zmq_msg_t m[SLOTS];
    int holds[SLOTS]; /* number of the buffer, or -1 */
    unsigned seed = 20;
    int used = 0;
    for (int i = 0; i < SLOTS; ++i) {
        OK (zmq_msg_init (&m[i]));
        holds[i] = -1;
    }
    while (used < BUFFERS) {
        const int i = next_random (&seed) % SLOTS, k = next_random (&seed) % SLOTS;
        switch (next_random (&seed) % 4) {
            case 0:
                OK (zmq_msg_close (&m[i]));
                OK (zmq_msg_init_data (&m[i], buffers[used], sizeof buffers[used], note_free,
                                       &freed[used]));
                holds[i] = used++;
                break;
            case 1:
                OK (zmq_msg_close (&m[i]));
                OK (zmq_msg_init (&m[i]));
                holds[i] = -1;
                break;
            case 2:
                if (i == k)
                    continue;
                OK (zmq_msg_move (&m[i], &m[k]));
                holds[i] = holds[k];
                holds[k] = -1;
                break;
            default:
                if (i == k)
                    continue;
                OK (zmq_msg_copy (&m[i], &m[k]));
                holds[i] = holds[k];
        }
        for (int b = 0; b < used; ++b) {
            bool held = false;
            for (int s = 0; s < SLOTS; ++s)
                held |= holds[s] == b;
            assert_int_equal (freed[b].calls, held ? 0 : 1);
        }
    }
    for (int i = 0; i < SLOTS; ++i)
        OK (zmq_msg_close (&m[i]));
    for (int b = 0; b < used; ++b)
        assert_int_equal (freed[b].calls, 1);
}

/* ---- The struct may be moved by memcpy (abi.md): bindings do so ---- */

static void relocate (zmq_msg_t *to, zmq_msg_t *from)
{
    memcpy (to, from, sizeof *to);
    memset (from, 0xff, sizeof *from);
}

static void messages_are_relocatable (void **state)
{
    (void) state;
    for (size_t i = 0; i < SIZES; ++i) {
        zmq_msg_t first, second, copy;
        make (&first, sizes[i], 8);
        relocate (&second, &first);
        expect_message (&second, sizes[i], 8);
        OK (zmq_msg_init (&first));
        relocate (&copy, &first);
        OK (zmq_msg_copy (&copy, &second));
        relocate (&first, &copy);
        expect_message (&first, sizes[i], 8);
        relocate (&copy, &second);
        OK (zmq_msg_init (&second));
        OK (zmq_msg_move (&second, &copy));
        OK (zmq_msg_close (&copy));
        relocate (&copy, &second);
        OK (zmq_msg_close (&first));
        expect_message (&copy, sizes[i], 8);
        OK (zmq_msg_close (&copy));
    }
}

static void relocated_data_is_freed_once (void **state)
{
    (void) state;
    char buffer[200];
    freed_t f = {0};
    zmq_msg_t m[4];
    OK (zmq_msg_init_data (&m[0], buffer, sizeof buffer, note_free, &f));
    OK (zmq_msg_init (&m[1]));
    OK (zmq_msg_copy (&m[1], &m[0]));
    relocate (&m[2], &m[0]);
    relocate (&m[3], &m[1]);
    assert_ptr_equal (zmq_msg_data (&m[2]), buffer);
    assert_ptr_equal (zmq_msg_data (&m[3]), buffer);
    OK (zmq_msg_close (&m[2]));
    assert_int_equal (f.calls, 0);
    OK (zmq_msg_close (&m[3]));
    assert_int_equal (f.calls, 1);
}

/* Received, moved, sent on, several times: with metadata and more-flag aboard. */
static void relocated_messages_travel (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "tcp://127.0.0.1:*");
    for (size_t i = 0; i < SIZES; ++i) {
        zmq_msg_t m, elsewhere;
        make (&m, sizes[i], 8);
        relocate (&elsewhere, &m);
        assert_int_equal (zmq_msg_send (&elsewhere, l.b, ZMQ_SNDMORE), sizes[i]);
        relocate (&m, &elsewhere);
        OK (zmq_msg_close (&m));
        send_text (l.b, "end", 0);

        OK (zmq_msg_init (&m));
        relocate (&elsewhere, &m);
        recv_into (&elsewhere, l.a);
        relocate (&m, &elsewhere);
        expect_message (&m, sizes[i], 8);
        assert_int_equal (zmq_msg_more (&m), 1);
        expect_property (&m, "Socket-Type", "PAIR");
        relocate (&elsewhere, &m);
        expect_property (&elsewhere, "Peer-Address", "127.0.0.1");
        OK (zmq_msg_close (&elsewhere));
        expect_text (l.a, "end");
    }
    link_down (&l);
}

/* C++ move assignment swaps the bytes. */
static void messages_can_be_swapped (void **state)
{
    (void) state;
    zmq_msg_t a, b, t;
    make (&a, 10, 1);
    make (&b, 1000, 2);
    memcpy (&t, &a, sizeof t);
    memcpy (&a, &b, sizeof t);
    memcpy (&b, &t, sizeof t);
    expect_message (&a, 1000, 2);
    expect_message (&b, 10, 1);
    OK (zmq_msg_close (&a));
    OK (zmq_msg_close (&b));
}

/* ---- Sending and receiving ---- */

/* One refused send: size, bytes, pointer and ownership stay; the more flag is that of the attempt.
 */
static void expect_refused (void *s, int flags, int expected, size_t size)
{
    char buffer[200];
    freed_t f = {0};
    zmq_msg_t m;
    fill (buffer, sizeof buffer, 2);
    OK (zmq_msg_init_data (&m, buffer, size, note_free, &f));
    for (int i = 0; i < 3; ++i) {
        FAILS (zmq_msg_send (&m, s, flags), expected);
        assert_ptr_equal (zmq_msg_data (&m), buffer);
        expect_message (&m, size, 2);
        assert_int_equal (f.calls, 0);
    }
    OK (zmq_msg_close (&m));
    assert_int_equal (f.calls, 1);
}

static void GEN_2_a_refused_message_is_untouched (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    void *rep = new_socket (ctx, ZMQ_REP);
    void *router = new_socket (ctx, ZMQ_ROUTER);
    void *client = type_is_built (ZMQ_CLIENT) ? new_socket (ctx, ZMQ_CLIENT) : NULL;
    void *push = new_socket (ctx, ZMQ_PUSH);
    set_int (router, ZMQ_ROUTER_MANDATORY, 1);
    static const size_t some[] = {1, 30, 200};
    for (size_t i = 0; i < 3; ++i) {
        expect_refused (pull, 0, ENOTSUP, some[i]);
        expect_refused (rep, 0, EFSM, some[i]);
        expect_refused (router, ZMQ_SNDMORE, EHOSTUNREACH, some[i]);
        if (client)
            expect_refused (client, ZMQ_SNDMORE, EINVAL, some[i]);
        expect_refused (push, ZMQ_DONTWAIT, EAGAIN, some[i]);
    }
    set_int (push, ZMQ_SNDTIMEO, 20);
    expect_refused (push, 0, EAGAIN, 200);
    expect_refused (push, ZMQ_SNDMORE, EAGAIN, 200);
    OK (zmq_ctx_shutdown (ctx));
    expect_refused (push, 0, ETERM, 200);
    close_now (pull);
    close_now (rep);
    close_now (router);
    if (client)
        close_now (client);
    close_now (push);
    OK (zmq_ctx_term (ctx));
}

static void GEN_2_the_more_flag_is_that_of_the_refused_attempt (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    zmq_msg_t m;
    make (&m, 50, 1);
    FAILS (zmq_msg_send (&m, push, ZMQ_DONTWAIT | ZMQ_SNDMORE), EAGAIN);
    assert_int_equal (zmq_msg_more (&m), 1);
    assert_int_equal (zmq_msg_get (&m, ZMQ_MORE), 1);
    FAILS (zmq_msg_send (&m, push, ZMQ_DONTWAIT), EAGAIN);
    assert_int_equal (zmq_msg_more (&m), 0);
    expect_message (&m, 50, 1);
    /* That the context has ended is looked at before. */
    FAILS (zmq_msg_send (&m, push, ZMQ_DONTWAIT | ZMQ_SNDMORE), EAGAIN);
    OK (zmq_ctx_shutdown (ctx));
    FAILS (zmq_send (push, "", 0, 0), ETERM); /* it is known to the socket by now */
    FAILS (zmq_msg_send (&m, push, ZMQ_DONTWAIT), ETERM);
    assert_int_equal (zmq_msg_more (&m), 1);
    OK (zmq_msg_close (&m));
    make (&m, 50, 1);
    FAILS (zmq_msg_send (&m, push, ZMQ_DONTWAIT | ZMQ_SNDMORE), ETERM);
    assert_int_equal (zmq_msg_more (&m), 0);
    OK (zmq_msg_close (&m));
    FAILS (zmq_msg_recv (&m, push, 0), ETERM); /* nor is it asked whether the message is one */
    close_now (push);
    OK (zmq_ctx_term (ctx));
}

static void GEN_3_a_sent_message_is_empty_and_valid (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"inproc://gen-3", "tcp://127.0.0.1:*"};
    for (size_t t = 0; t < 2; ++t) {
        link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, endpoints[t]);
        for (size_t i = 0; i < SIZES; ++i) {
            zmq_msg_t m, in;
            make (&m, sizes[i], 8);
            assert_int_equal (zmq_msg_send (&m, l.b, 0), sizes[i]);
            assert_int_equal (zmq_msg_size (&m), 0);
            assert_int_equal (zmq_msg_more (&m), 0);
            /* As such it can be sent again, received into, and closed. */
            assert_int_equal (zmq_msg_send (&m, l.b, 0), 0);
            OK (zmq_msg_init (&in));
            recv_into (&in, l.a);
            expect_message (&in, sizes[i], 8);
            recv_into (&in, l.a);
            assert_int_equal (zmq_msg_size (&in), 0);
            send_text (l.a, "back", 0);
            recv_into (&m, l.b);
            assert_int_equal (zmq_msg_size (&m), 4);
            OK (zmq_msg_close (&m));
            OK (zmq_msg_close (&in));
        }
        link_down (&l);
    }
}

static void GEN_10_a_short_buffer_truncates (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"inproc://gen-10", "tcp://127.0.0.1:*"};
    for (size_t t = 0; t < 2; ++t) {
        link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, endpoints[t]);
        static char out[1000];
        fill (out, sizeof out, 5);
        for (size_t n = 1; n <= sizeof out; n = n * 3 + 1) {
            for (size_t room = 0; room <= n + 1; room += n / 4 + 1) {
                assert_int_equal (zmq_send (l.b, out, n, ZMQ_SNDMORE), n);
                assert_int_equal (zmq_send (l.b, out, n, 0), n);
                char in[1100];
                memset (in, '?', sizeof in);
                wait_events (l.a, ZMQ_POLLIN);
                assert_int_equal (zmq_recv (l.a, room ? in : NULL, room, ZMQ_DONTWAIT), n);
                expect_fill (in, room < n ? room : n, 5);
                for (size_t i = room < n ? room : n; i < sizeof in; ++i)
                    assert_int_equal (in[i], '?');
                assert_int_equal (get_int (l.a, ZMQ_RCVMORE), 1);
                assert_int_equal (zmq_recv (l.a, in, sizeof in, ZMQ_DONTWAIT), n);
                expect_fill (in, n, 5);
                assert_int_equal (get_int (l.a, ZMQ_RCVMORE), 0);
            }
        }
        link_down (&l);
    }
}

static void recv_releases_the_old_content (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://old-content");
    char buffer[100];
    freed_t f = {0};
    zmq_msg_t m;
    OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
    send_text (l.b, "new", 0);
    assert_int_equal (zmq_msg_recv (&m, l.a, 0), 3);
    assert_int_equal (f.calls, 1);
    assert_int_equal (zmq_msg_size (&m), 3);
    assert_memory_equal (zmq_msg_data (&m), "new", 3);
    OK (zmq_msg_close (&m));
    assert_int_equal (f.calls, 1);
    link_down (&l);
}

static void a_failed_recv_leaves_a_valid_message (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *req = new_socket (ctx, ZMQ_REQ);
    void *xpub = new_socket (ctx, ZMQ_XPUB);
    zmq_msg_t m;
    make (&m, 100, 7);
    FAILS (zmq_msg_recv (&m, xpub, ZMQ_DONTWAIT), EAGAIN);
    expect_message (&m, 100, 7);
    close_now (xpub);
    void *stream = new_socket (ctx, ZMQ_STREAM);
    FAILS (zmq_msg_recv (&m, stream, ZMQ_DONTWAIT), EAGAIN);
    expect_message (&m, 100, 7);
    close_now (stream);
    FAILS (zmq_msg_recv (&m, push, 0), ENOTSUP);
    expect_message (&m, 100, 7);
    FAILS (zmq_msg_recv (&m, req, 0), EFSM);
    expect_message (&m, 100, 7);
    FAILS (zmq_msg_recv (&m, pull, ZMQ_DONTWAIT), EAGAIN);
    /* Full or empty, but a message. */
    assert_true (zmq_msg_size (&m) == 0 || zmq_msg_size (&m) == 100);
    OK (zmq_msg_close (&m));
    close_now (pull);
    close_now (push);
    close_now (req);
    OK (zmq_ctx_term (ctx));
}

static void the_old_names_put_the_socket_first (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://old-names");
    zmq_msg_t m;
    make (&m, 70, 7);
    assert_int_equal (zmq_sendmsg (l.b, &m, ZMQ_SNDMORE), 70);
    assert_int_equal (zmq_msg_size (&m), 0);
    assert_int_equal (zmq_sendmsg (l.b, &m, 0), 0);
    assert_int_equal (zmq_recvmsg (l.a, &m, 0), 70);
    expect_message (&m, 70, 7);
    assert_int_equal (zmq_msg_more (&m), 1);
    assert_int_equal (zmq_recvmsg (l.a, &m, 0), 0);
    assert_int_equal (zmq_msg_more (&m), 0);
    FAILS (zmq_recvmsg (l.a, &m, ZMQ_DONTWAIT), EAGAIN);
    OK (zmq_msg_close (&m));
    link_down (&l);
}

static void send_const_hands_over_the_pointer (void **state)
{
    (void) state;
    static const char data[] = "constant";
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://send-const");
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    assert_int_equal (zmq_send_const (l.b, data, sizeof data, ZMQ_SNDMORE), sizeof data);
    assert_int_equal (zmq_send_const (l.b, NULL, 0, 0), 0);
    assert_int_equal (zmq_msg_recv (&m, l.a, 0), sizeof data);
    assert_ptr_equal (zmq_msg_data (&m), data);
    assert_int_equal (zmq_msg_get (&m, ZMQ_SHARED), 1);
    assert_int_equal (zmq_msg_more (&m), 1);
    assert_int_equal (zmq_msg_recv (&m, l.a, 0), 0);
    assert_int_equal (zmq_msg_more (&m), 0);
    OK (zmq_msg_close (&m));
    link_down (&l);
}

static void send_copies_its_buffer (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://send-copies");
    char buffer[100];
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    for (size_t n = 0; n <= sizeof buffer; n += 20) {
        fill (buffer, n, 1);
        assert_int_equal (zmq_send (l.b, buffer, n, 0), n);
        memset (buffer, 0, sizeof buffer);
        assert_int_equal (zmq_msg_recv (&m, l.a, 0), n);
        expect_message (&m, n, 1);
        assert_int_equal (zmq_msg_get (&m, ZMQ_SHARED), 0);
    }
    OK (zmq_msg_close (&m));
    link_down (&l);
}

/* ---- Zero-copy ---- */

static void ZC_2_tcp_frees_in_a_library_thread_after_sending (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"tcp://127.0.0.1:*", "ipc://*"};
    enum { SIZE = 2000000 };
    char *buffer = malloc (SIZE);
    for (size_t t = 0; t < 2; ++t) {
        link_t l = link_up (ZMQ_PULL, ZMQ_PUSH, endpoints[t]);
        freed_t f = {0};
        zmq_msg_t m;
        fill (buffer, SIZE, 3);
        OK (zmq_msg_init_data (&m, buffer, SIZE, note_free, &f));
        assert_int_equal (zmq_msg_send (&m, l.b, 0), SIZE);
        OK (zmq_msg_close (&m));
        OK (zmq_msg_init (&m));
        recv_into (&m, l.a);
        expect_message (&m, SIZE, 3);
        assert_true (zmq_msg_data (&m) != buffer);
        wait_freed (&f);
        assert_false (pthread_equal (f.thread, pthread_self ()));
        assert_ptr_equal (f.data, buffer);
        OK (zmq_msg_close (&m));
        link_down (&l);
        assert_int_equal (f.calls, 1);
    }
    free (buffer);
}

static void ZC_2_small_data_is_freed_once_too (void **state)
{
    (void) state;
    enum { COUNT = 200, SIZE = 50 };
    static char buffers[COUNT][SIZE];
    static freed_t f[COUNT];
    memset (f, 0, sizeof f);
    link_t l = link_up (ZMQ_PULL, ZMQ_PUSH, "tcp://127.0.0.1:*");
    for (int i = 0; i < COUNT; ++i) {
        zmq_msg_t m;
        fill (buffers[i], SIZE, (unsigned) i);
        OK (zmq_msg_init_data (&m, buffers[i], SIZE, note_free, &f[i]));
        assert_int_equal (zmq_msg_send (&m, l.b, 0), SIZE);
        OK (zmq_msg_close (&m));
    }
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    for (int i = 0; i < COUNT; ++i) {
        recv_into (&m, l.a);
        expect_message (&m, SIZE, (unsigned) i);
    }
    OK (zmq_msg_close (&m));
    for (int i = 0; i < COUNT; ++i)
        wait_freed (&f[i]);
    link_down (&l);
    for (int i = 0; i < COUNT; ++i)
        assert_int_equal (f[i].calls, 1);
}

typedef struct
{
    void *socket;
    const void *data;
    freed_t *freed;
    bool overwrite;
    pthread_t self;
    bool ok;
} receiver_t;

static void *receive_and_close (void *arg)
{
    receiver_t *r = arg;
    r->self = pthread_self ();
    zmq_msg_t m;
    if (zmq_msg_init (&m) != 0 || zmq_msg_recv (&m, r->socket, 0) < 0)
        return NULL;
    r->ok = zmq_msg_data (&m) == r->data && r->freed->calls == 0;
    if (r->overwrite)
        r->ok = zmq_msg_recv (&m, r->socket, 0) == 3 && r->freed->calls == 1 && r->ok;
    r->ok = zmq_msg_close (&m) == 0 && r->freed->calls == 1 && r->ok;
    return NULL;
}

static void ZC_3_inproc_hands_over_the_same_pointer (void **state)
{
    (void) state;
    static const size_t some[] = {5, 33, 34, 100, 20000};
    static char buffer[20000];
    for (size_t i = 0; i < sizeof some / sizeof some[0]; ++i) {
        for (int overwrite = 0; overwrite < 2; ++overwrite) {
            link_t l = link_up (ZMQ_PULL, ZMQ_PUSH, "inproc://zc-3");
            freed_t f = {0};
            zmq_msg_t m;
            OK (zmq_msg_init_data (&m, buffer, some[i], note_free, &f));
            assert_int_equal (zmq_msg_send (&m, l.b, 0), some[i]);
            OK (zmq_msg_close (&m));
            assert_int_equal (f.calls, 0);
            if (overwrite)
                send_text (l.b, "new", 0);
            receiver_t r = {.socket = l.a, .data = buffer, .freed = &f, .overwrite = overwrite};
            pthread_t thread;
            assert_int_equal (pthread_create (&thread, NULL, receive_and_close, &r), 0);
            pthread_join (thread, NULL);
            assert_true (r.ok);
            assert_int_equal (f.calls, 1);
            assert_true (pthread_equal (f.thread, r.self));
            link_down (&l);
        }
    }
}

static void ZC_4_a_refused_send_does_not_free (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    expect_refused (s, ZMQ_DONTWAIT, EAGAIN, 200);
    close_now (s);
    OK (zmq_ctx_term (ctx));
}

static void ZC_5_a_dropped_message_is_freed_in_the_send_call (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    char buffer[100];
    void *pub = new_socket (ctx, ZMQ_PUB);
    void *router = new_socket (ctx, ZMQ_ROUTER);
    for (int i = 0; i < 2; ++i) {
        freed_t f = {0};
        zmq_msg_t m;
        OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
        if (i == 1)
            send_text (router, "nobody", ZMQ_SNDMORE);
        assert_int_equal (zmq_msg_send (&m, i ? router : pub, 0), sizeof buffer);
        assert_int_equal (f.calls, 1);
        assert_true (pthread_equal (f.thread, pthread_self ()));
        assert_int_equal (zmq_msg_size (&m), 0);
        OK (zmq_msg_close (&m));
        assert_int_equal (f.calls, 1);
    }
    /* The routing id itself is given up likewise. */
    freed_t f = {0};
    zmq_msg_t m;
    OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
    assert_int_equal (zmq_msg_send (&m, router, ZMQ_SNDMORE), sizeof buffer);
    assert_int_equal (f.calls, 1);
    send_text (router, "body", 0);
    close_now (pub);
    close_now (router);
    OK (zmq_ctx_term (ctx));
}

/* Published to a subscriber of something else. */
static void ZC_5_an_unwanted_message_is_freed_in_the_send_call (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_XPUB, ZMQ_SUB, "inproc://zc-5");
    OK (zmq_setsockopt (l.b, ZMQ_SUBSCRIBE, "wanted", 6));
    expect_text (l.a, "\1wanted");
    char buffer[100] = "unwanted";
    freed_t f = {0};
    zmq_msg_t m;
    OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
    assert_int_equal (zmq_msg_send (&m, l.a, 0), sizeof buffer);
    assert_int_equal (f.calls, 1);
    link_down (&l);
}

static void ZC_6_undelivered_messages_are_freed_before_term_returns (void **state)
{
    (void) state;
    enum { COUNT = 20 };
    static char buffers[COUNT][100];
    static freed_t f[COUNT];
    memset (f, 0, sizeof f);
    char dir[] = "/tmp/tern-message-XXXXXX", endpoint[100];
    assert_non_null (mkdtemp (dir));
    snprintf (endpoint, sizeof endpoint, "ipc://%s/nobody", dir);
    void *ctx = zmq_ctx_new ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    OK (zmq_connect (s, endpoint));
    for (int i = 0; i < COUNT; ++i) {
        zmq_msg_t m;
        OK (zmq_msg_init_data (&m, buffers[i], sizeof buffers[i], note_free, &f[i]));
        OK (zmq_msg_send (&m, s, 0));
        assert_int_equal (f[i].calls, 0);
    }
    close_now (s);
    OK (zmq_ctx_term (ctx));
    for (int i = 0; i < COUNT; ++i) {
        assert_int_equal (f[i].calls, 1);
        assert_ptr_equal (f[i].data, buffers[i]);
        assert_false (pthread_equal (f[i].thread, pthread_self ()));
    }
    OK (rmdir (dir));
}

static void ZC_6_disconnecting_frees_what_was_queued (void **state)
{
    (void) state;
    char buffer[100];
    freed_t f = {0};
    char dir[] = "/tmp/tern-message-XXXXXX", endpoint[100];
    assert_non_null (mkdtemp (dir));
    snprintf (endpoint, sizeof endpoint, "ipc://%s/nobody", dir);
    void *ctx = zmq_ctx_new ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    set_int (s, ZMQ_LINGER, 0);
    OK (zmq_connect (s, endpoint));
    zmq_msg_t m;
    OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
    OK (zmq_msg_send (&m, s, 0));
    OK (zmq_disconnect (s, endpoint));
    /* The end is reached in the calls that follow. */
    const int64_t end = now_ms () + DEADLINE_MS;
    while (f.calls == 0 && now_ms () < end)
        zmq_poll (&(zmq_pollitem_t) {s, 0, ZMQ_POLLOUT, 0}, 1, 1);
    assert_int_equal (f.calls, 1);
    close_now (s);
    OK (zmq_ctx_term (ctx));
    assert_int_equal (f.calls, 1);
    OK (rmdir (dir));
}

/* Unread messages of a closed receiver on inproc. */
static void ZC_6_unread_messages_are_freed_before_term_returns (void **state)
{
    (void) state;
    char buffer[100];
    freed_t f = {0};
    link_t l = link_up (ZMQ_PULL, ZMQ_PUSH, "inproc://zc-6-unread");
    zmq_msg_t m;
    OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
    OK (zmq_msg_send (&m, l.b, 0));
    link_down (&l);
    assert_int_equal (f.calls, 1);
}

static void ZC_7_a_copy_outlives_the_sent_one (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"inproc://zc-7", "tcp://127.0.0.1:*"};
    for (size_t t = 0; t < 2; ++t) {
        static char buffer[50000];
        freed_t f = {0};
        link_t l = link_up (ZMQ_PULL, ZMQ_PUSH, endpoints[t]);
        zmq_msg_t m, kept, in;
        fill (buffer, sizeof buffer, 6);
        OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
        OK (zmq_msg_init (&kept));
        OK (zmq_msg_copy (&kept, &m));
        OK (zmq_msg_send (&m, l.b, 0));
        OK (zmq_msg_init (&in));
        recv_into (&in, l.a);
        expect_message (&in, sizeof buffer, 6);
        OK (zmq_msg_close (&in));
        link_down (&l);
        assert_int_equal (f.calls, 0);
        expect_message (&kept, sizeof buffer, 6);
        assert_int_equal (zmq_msg_get (&kept, ZMQ_SHARED), 1);
        OK (zmq_msg_close (&kept));
        assert_int_equal (f.calls, 1);
    }
}

/* The "send one message twice" idiom. */
static void ZC_7_one_buffer_is_sent_many_times (void **state)
{
    (void) state;
    enum { COUNT = 50 };
    static char buffer[3000];
    freed_t f = {0};
    link_t l = link_up (ZMQ_PULL, ZMQ_PUSH, "tcp://127.0.0.1:*");
    zmq_msg_t m, copy, in;
    fill (buffer, sizeof buffer, 6);
    OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
    OK (zmq_msg_init (&copy));
    OK (zmq_msg_init (&in));
    for (int i = 0; i < COUNT; ++i) {
        OK (zmq_msg_copy (&copy, &m));
        OK (zmq_msg_send (&copy, l.b, 0));
    }
    OK (zmq_msg_close (&m));
    for (int i = 0; i < COUNT; ++i) {
        recv_into (&in, l.a);
        expect_message (&in, sizeof buffer, 6);
    }
    wait_freed (&f);
    link_down (&l);
    assert_int_equal (f.calls, 1);
    expect_message (&in, sizeof buffer, 6);
    OK (zmq_msg_close (&in));
    OK (zmq_msg_close (&copy));
}

static void ZC_7_all_subscribers_get_the_same_buffer (void **state)
{
    (void) state;
    enum { SUBS = 5 };
    char buffer[100];
    freed_t f = {0};
    void *ctx = zmq_ctx_new ();
    void *pub = new_socket (ctx, ZMQ_XPUB), *sub[SUBS];
    OK (zmq_bind (pub, "inproc://zc-7-pub"));
    set_int (pub, ZMQ_XPUB_VERBOSE, 1);
    for (int i = 0; i < SUBS; ++i) {
        sub[i] = new_socket (ctx, ZMQ_SUB);
        OK (zmq_setsockopt (sub[i], ZMQ_SUBSCRIBE, "", 0));
        OK (zmq_connect (sub[i], "inproc://zc-7-pub"));
        expect_text (pub, "\1");
    }
    zmq_msg_t m, in[SUBS];
    OK (zmq_msg_init_data (&m, buffer, sizeof buffer, note_free, &f));
    OK (zmq_msg_send (&m, pub, 0));
    for (int i = 0; i < SUBS; ++i) {
        OK (zmq_msg_init (&in[i]));
        recv_into (&in[i], sub[i]);
        assert_ptr_equal (zmq_msg_data (&in[i]), buffer);
    }
    for (int i = 0; i < SUBS; ++i) {
        assert_int_equal (f.calls, 0);
        OK (zmq_msg_close (&in[i]));
    }
    assert_int_equal (f.calls, 1);
    for (int i = 0; i < SUBS; ++i)
        close_now (sub[i]);
    close_now (pub);
    OK (zmq_ctx_term (ctx));
}

static void ZC_10_a_received_message_may_be_kept (void **state)
{
    (void) state;
    enum { COUNT = 300 };
    static zmq_msg_t kept[COUNT];
    link_t l = link_up (ZMQ_PULL, ZMQ_PUSH, "tcp://127.0.0.1:*");
    unsigned seed = 5;
    for (int i = 0; i < COUNT; ++i) {
        zmq_msg_t m;
        make (&m, (size_t) (next_random (&seed) % (i % 10 ? 300 : 20000)), (unsigned) i);
        OK (zmq_msg_send (&m, l.b, 0));
    }
    for (int i = 0; i < COUNT; ++i) {
        OK (zmq_msg_init (&kept[i]));
        recv_into (&kept[i], l.a);
    }
    /* They outlive the connection, the sockets and the context. */
    link_down (&l);
    seed = 5;
    for (int i = 0; i < COUNT; ++i) {
        expect_message (&kept[i], (size_t)(next_random (&seed) % (i % 10 ? 300 : 20000)),
                        (unsigned)i);
        expect_property (&kept[i], "Socket-Type", "PUSH");
    }
    /* Closed in another order. */
    for (int i = 0; i < COUNT; ++i)
        OK (zmq_msg_close (&kept[i * 7 % COUNT]));
}

/* A message may be written to after it came in, whatever buffer it lives in: neighbours do not
 * notice. */
static void received_bytes_belong_to_one_message (void **state)
{
    (void) state;
    enum { COUNT = 100 };
    static zmq_msg_t kept[COUNT];
    link_t l = link_up (ZMQ_PULL, ZMQ_PUSH, "tcp://127.0.0.1:*");
    for (int i = 0; i < COUNT; ++i) {
        zmq_msg_t m;
        make (&m, 40, (unsigned) i);
        OK (zmq_msg_send (&m, l.b, 0));
    }
    for (int i = 0; i < COUNT; ++i) {
        OK (zmq_msg_init (&kept[i]));
        recv_into (&kept[i], l.a);
        assert_int_equal (zmq_msg_size (&kept[i]), 40);
        if (i % 2)
            memset (zmq_msg_data (&kept[i]), 0xee, 40);
    }
    for (int i = 0; i < COUNT; i += 2)
        expect_message (&kept[i], 40, (unsigned) i);
    for (int i = 0; i < COUNT; ++i)
        OK (zmq_msg_close (&kept[i]));
    link_down (&l);
}

/* ---- Properties ---- */

static void more_tells_about_the_following_part (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"inproc://more", "tcp://127.0.0.1:*"};
    for (size_t t = 0; t < 2; ++t) {
        link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, endpoints[t]);
        for (int i = 0; i < 5; ++i)
            OK (zmq_send (l.b, "part", (size_t) i % 5, i < 4 ? ZMQ_SNDMORE : 0));
        zmq_msg_t m, other;
        OK (zmq_msg_init (&m));
        OK (zmq_msg_init (&other));
        for (int i = 0; i < 5; ++i) {
            recv_into (&m, l.a);
            assert_int_equal (zmq_msg_more (&m), i < 4);
            assert_int_equal (zmq_msg_get (&m, ZMQ_MORE), i < 4);
            OK (zmq_msg_copy (&other, &m));
            assert_int_equal (zmq_msg_more (&other), i < 4);
            OK (zmq_msg_move (&other, &m));
            assert_int_equal (zmq_msg_more (&other), i < 4);
            assert_int_equal (zmq_msg_more (&m), 0);
        }
        /* Sent on as the last part it is the last part. */
        OK (zmq_msg_send (&other, l.a, 0));
        recv_into (&m, l.b);
        assert_int_equal (zmq_msg_more (&m), 0);
        OK (zmq_msg_close (&m));
        OK (zmq_msg_close (&other));
        link_down (&l);
    }
}

static void shared_of_received_messages (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "tcp://127.0.0.1:*");
    zmq_msg_t m, copy;
    OK (zmq_msg_init (&m));
    OK (zmq_msg_init (&copy));
    static const size_t some[] = {10, 5000, 50000};
    for (size_t i = 0; i < 3; ++i) {
        zmq_msg_t out;
        make (&out, some[i], 1);
        OK (zmq_msg_send (&out, l.b, 0));
        recv_into (&m, l.a);
        assert_int_equal (zmq_msg_get (&m, ZMQ_SHARED), 0);
        OK (zmq_msg_copy (&copy, &m));
        assert_int_equal (zmq_msg_get (&m, ZMQ_SHARED), some[i] > 100);
        assert_int_equal (zmq_msg_get (&copy, ZMQ_SHARED), some[i] > 100);
    }
    OK (zmq_msg_close (&m));
    OK (zmq_msg_close (&copy));
    link_down (&l);
}

static void srcfd_is_the_descriptor_of_the_connection (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "tcp://127.0.0.1:*");
    zmq_msg_t m;
    send_text (l.b, "x", 0);
    OK (zmq_msg_init (&m));
    FAILS (zmq_msg_get (&m, ZMQ_SRCFD), EINVAL);
    recv_into (&m, l.a);
    const int fd = zmq_msg_get (&m, ZMQ_SRCFD);
    assert_true (fd > 2);
    OK (zmq_msg_close (&m));
    link_down (&l);

    l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://srcfd");
    send_text (l.b, "x", 0);
    OK (zmq_msg_init (&m));
    recv_into (&m, l.a);
    FAILS (zmq_msg_get (&m, ZMQ_SRCFD), EINVAL);
    OK (zmq_msg_close (&m));
    link_down (&l);
}

static void metadata_of_a_tcp_connection (void **state)
{
    (void) state;
    char where[256];
    void *ctx = zmq_ctx_new ();
    void *router = new_socket (ctx, ZMQ_ROUTER);
    void *dealer = new_socket (ctx, ZMQ_DEALER);
    OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, "name", 4));
    OK (zmq_setsockopt (dealer, ZMQ_METADATA, "X-hello:world", 13));
    OK (zmq_connect (dealer, bind_any (router, "tcp://127.0.0.1:*", where)));
    send_text (dealer, "one", ZMQ_SNDMORE);
    send_text (dealer, "two", 0);
    zmq_msg_t m, copy;
    OK (zmq_msg_init (&m));
    OK (zmq_msg_init (&copy));
    for (int part = 0; part < 3; ++part) {
        recv_unpolled (&m, router);
        expect_property (&m, "Socket-Type", "DEALER");
        expect_property (&m, "Identity", "name");
        expect_property (&m, "Peer-Address", "127.0.0.1");
        expect_property (&m, "X-hello", "world");
        expect_no_property (&m, "User-Id");
        expect_no_property (&m, "x-hello");
        expect_no_property (&m, "X-hell");
        expect_no_property (&m, "X-hello:");
        expect_no_property (&m, "");
        OK (zmq_msg_copy (&copy, &m));
        expect_property (&copy, "X-hello", "world");
        expect_property (&m, "X-hello", "world");
        OK (zmq_msg_move (&copy, &m));
        expect_property (&copy, "X-hello", "world");
        expect_no_property (&m, "X-hello");
    }
    /* The answer lives as long as the message, also when another copy goes. */
    OK (zmq_msg_copy (&m, &copy));
    const char *value = zmq_msg_gets (&m, "X-hello");
    OK (zmq_msg_close (&copy));
    assert_string_equal (value, "world");
    OK (zmq_msg_close (&m));
    close_now (router);
    close_now (dealer);
    OK (zmq_ctx_term (ctx));
}

static void the_routing_id_part_has_metadata_after_a_poll_too (void **state)
{
    (void) state;
    OURS_IS_BETTER (
      "the reference loses the metadata of that part when POLLIN was looked at first");
    link_t l = link_up (ZMQ_ROUTER, ZMQ_DEALER, "tcp://127.0.0.1:*");
    send_text (l.b, "x", 0);
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    for (int part = 0; part < 2; ++part) {
        recv_into (&m, l.a);
        expect_property (&m, "Socket-Type", "DEALER");
    }
    OK (zmq_msg_close (&m));
    link_down (&l);
}

static void the_documented_key_of_the_routing_id_works (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference knows only the name Identity");
    char where[256];
    void *ctx = zmq_ctx_new ();
    void *router = new_socket (ctx, ZMQ_ROUTER);
    void *dealer = new_socket (ctx, ZMQ_DEALER);
    OK (zmq_setsockopt (dealer, ZMQ_ROUTING_ID, "name", 4));
    OK (zmq_connect (dealer, bind_any (router, "tcp://127.0.0.1:*", where)));
    send_text (dealer, "one", 0);
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    recv_unpolled (&m, router);
    expect_property (&m, ZMQ_MSG_PROPERTY_ROUTING_ID, "name");
    OK (zmq_msg_close (&m));
    close_now (router);
    close_now (dealer);
    OK (zmq_ctx_term (ctx));
}

static void an_anonymous_peer_has_an_empty_identity (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_ROUTER, ZMQ_REQ, "tcp://127.0.0.1:*");
    send_text (l.b, "x", 0);
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    recv_unpolled (&m, l.a);
    expect_property (&m, "Identity", "");
    expect_property (&m, "Socket-Type", "REQ");
    OK (zmq_msg_close (&m));
    link_down (&l);
}

static void the_address_of_an_ipc_peer_ends_with_its_credentials (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "ipc://*");
    send_text (l.b, "x", 0);
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    recv_into (&m, l.a);
    char expected[100];
    snprintf (expected, sizeof expected, ":%u:%u:%d", (unsigned)getuid (), (unsigned)getgid (),
              (int)getpid ());
    const char *address = zmq_msg_gets (&m, "Peer-Address");
    assert_non_null (address);
    assert_true (strlen (address) >= strlen (expected));
    assert_string_equal (address + strlen (address) - strlen (expected), expected);
    OK (zmq_msg_close (&m));
    link_down (&l);
}

static void inproc_and_local_messages_have_no_metadata (void **state)
{
    (void) state;
    static const char *const keys[] = {"Socket-Type",  "Identity", "Routing-Id",
                                       "Peer-Address", "User-Id",  "X-a"};
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://no-metadata");
    send_text (l.b, "x", 0);
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; ++i)
        expect_no_property (&m, keys[i]);
    recv_into (&m, l.a);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; ++i)
        expect_no_property (&m, keys[i]);
    OK (zmq_msg_close (&m));
    link_down (&l);
}

static void metadata_does_not_travel_on (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "tcp://127.0.0.1:*");
    link_t k = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://travel-on");
    static const size_t some[] = {5, 5000};
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    for (size_t i = 0; i < 2; ++i) {
        zmq_msg_t out;
        make (&out, some[i], 1);
        OK (zmq_msg_send (&out, l.b, 0));
        recv_into (&m, l.a);
        assert_non_null (zmq_msg_gets (&m, "Socket-Type"));
        OK (zmq_msg_send (&m, k.b, 0));
        expect_no_property (&m, "Socket-Type");
        recv_into (&m, k.a);
        expect_message (&m, some[i], 1);
        expect_no_property (&m, "Socket-Type");
        expect_no_property (&m, "Peer-Address");
    }
    OK (zmq_msg_close (&m));
    link_down (&l);
    link_down (&k);
}

static void a_stream_peer_has_only_an_address (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_STREAM, ZMQ_STREAM, "tcp://127.0.0.1:*");
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    for (int part = 0; part < 2; ++part) {
        recv_into (&m, l.a);
        expect_property (&m, "Peer-Address", "127.0.0.1");
        expect_no_property (&m, "Socket-Type");
        expect_no_property (&m, "Identity");
    }
    OK (zmq_msg_close (&m));
    link_down (&l);
}

static void nothing_can_be_set (void **state)
{
    (void) state;
    zmq_msg_t m;
    make (&m, 10, 1);
    for (int property = -1; property < 10; ++property)
        for (int value = -1; value < 2; ++value)
            FAILS (zmq_msg_set (&m, property, value), EINVAL);
    assert_int_equal (zmq_msg_more (&m), 0);
    expect_message (&m, 10, 1);
    OK (zmq_msg_close (&m));
}

/* ---- Routing ids and groups (draft) ---- */

static void routing_ids_are_carried_along (void **state)
{
    (void) state;
    NEEDS_DRAFT (zmq_msg_routing_id);
    zmq_msg_t m, other;
    make (&m, 100, 1);
    OK (zmq_msg_init (&other));
    assert_int_equal (CALL (zmq_msg_routing_id) (&m), 0);
    FAILS (CALL (zmq_msg_set_routing_id) (&m, 0), EINVAL);
    OK (CALL (zmq_msg_set_routing_id) (&m, 0xfedcba98u));
    assert_int_equal (CALL (zmq_msg_routing_id) (&m), 0xfedcba98u);
    FAILS (CALL (zmq_msg_set_routing_id) (&m, 0), EINVAL);
    assert_int_equal (CALL (zmq_msg_routing_id) (&m), 0xfedcba98u);
    OK (zmq_msg_copy (&other, &m));
    assert_int_equal (CALL (zmq_msg_routing_id) (&other), 0xfedcba98u);
    OK (zmq_msg_move (&other, &m));
    assert_int_equal (CALL (zmq_msg_routing_id) (&other), 0xfedcba98u);
    assert_int_equal (CALL (zmq_msg_routing_id) (&m), 0);
    expect_message (&other, 100, 1);
    OK (zmq_msg_close (&m));
    OK (zmq_msg_close (&other));
}

static void groups_of_any_length_are_carried_along (void **state)
{
    (void) state;
    NEEDS_DRAFT (zmq_msg_group);
    char name[256];
    zmq_msg_t m, other;
    make (&m, 100, 1);
    OK (zmq_msg_init (&other));
    assert_string_equal (CALL (zmq_msg_group) (&m), "");
    /* Down as well as up: a short name replaces a long one. */
    static const int lengths[] = {0, 1, 14, 15, 16, 255, 100, 15, 14, 13, 1, 0, 255, 0};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; ++i) {
        memset (name, 'a' + (int) i, sizeof name);
        name[lengths[i]] = 0;
        OK (CALL (zmq_msg_set_group) (&m, name));
        assert_string_equal (CALL (zmq_msg_group) (&m), name);
        OK (zmq_msg_copy (&other, &m));
        assert_string_equal (CALL (zmq_msg_group) (&other), name);
        assert_string_equal (CALL (zmq_msg_group) (&m), name);
        OK (zmq_msg_move (&m, &other));
        assert_string_equal (CALL (zmq_msg_group) (&m), name);
        assert_string_equal (CALL (zmq_msg_group) (&other), "");
        relocate (&other, &m);
        OK (zmq_msg_init (&m));
        OK (zmq_msg_move (&m, &other));
        assert_string_equal (CALL (zmq_msg_group) (&m), name);
        expect_message (&m, 100, 1);
    }
    OK (zmq_msg_close (&m));
    OK (zmq_msg_close (&other));
}

/* ---- Vectors of parts ---- */

static void sendiov_with_sndmore_makes_one_message (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://sendiov-one");
    struct iovec v[3] = {{(char *) "one", 3}, {(char *) "", 0}, {(char *) "three", 5}};
    /* The count is that of the last part. */
    assert_int_equal (zmq_sendiov (l.b, v, 3, ZMQ_SNDMORE), 5);
    expect_text (l.a, "one");
    assert_int_equal (get_int (l.a, ZMQ_RCVMORE), 1);
    expect_text (l.a, "");
    assert_int_equal (get_int (l.a, ZMQ_RCVMORE), 1);
    expect_text (l.a, "three");
    assert_int_equal (get_int (l.a, ZMQ_RCVMORE), 0);
    link_down (&l);
}

static void sendiov_without_sndmore_makes_messages (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://sendiov-many");
    char first[50];
    fill (first, sizeof first, 3);
    struct iovec v[3] = {{first, sizeof first}, {(char *) "2", 1}, {(char *) "", 0}};
    assert_int_equal (zmq_sendiov (l.b, v, 3, 0), 0);
    memset (first, 0, sizeof first);
    zmq_msg_t m;
    OK (zmq_msg_init (&m));
    recv_into (&m, l.a);
    expect_message (&m, sizeof first, 3);
    assert_int_equal (zmq_msg_more (&m), 0);
    OK (zmq_msg_close (&m));
    expect_text (l.a, "2");
    assert_int_equal (get_int (l.a, ZMQ_RCVMORE), 0);
    expect_text (l.a, "");
    assert_int_equal (get_int (l.a, ZMQ_RCVMORE), 0);
    assert_int_equal (v[0].iov_base == first && v[0].iov_len == sizeof first, 1);
    link_down (&l);
}

static void sendiov_reports_a_refused_part (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    struct iovec v[2] = {{(char *) "one", 3}, {(char *) "two", 3}};
    FAILS (zmq_sendiov (s, v, 2, ZMQ_DONTWAIT), EAGAIN);
    void *pull = new_socket (ctx, ZMQ_PULL);
    FAILS (zmq_sendiov (pull, v, 2, 0), ENOTSUP);
    close_now (s);
    close_now (pull);
    OK (zmq_ctx_term (ctx));
}

static void recviov_reads_the_parts_of_one_message (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"inproc://recviov", "tcp://127.0.0.1:*"};
    for (size_t t = 0; t < 2; ++t) {
        link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, endpoints[t]);
        static char big[5000];
        fill (big, sizeof big, 1);
        send_text (l.b, "one", ZMQ_SNDMORE);
        send_text (l.b, "", ZMQ_SNDMORE);
        assert_int_equal (zmq_send (l.b, big, sizeof big, 0), sizeof big);
        send_text (l.b, "next", 0);
        struct iovec v[5];
        memset (v, 0, sizeof v);
        size_t count = 5;
        wait_events (l.a, ZMQ_POLLIN);
        assert_int_equal (zmq_recviov (l.a, v, &count, ZMQ_DONTWAIT), 3);
        assert_int_equal (count, 3);
        assert_int_equal (v[0].iov_len, 3);
        assert_memory_equal (v[0].iov_base, "one", 3);
        assert_int_equal (v[1].iov_len, 0);
        assert_non_null (v[1].iov_base);
        assert_int_equal (v[2].iov_len, sizeof big);
        expect_fill (v[2].iov_base, sizeof big, 1);
        assert_null (v[3].iov_base);
        for (int i = 0; i < 3; ++i)
            free (v[i].iov_base);

        count = 5;
        wait_events (l.a, ZMQ_POLLIN);
        assert_int_equal (zmq_recviov (l.a, v, &count, ZMQ_DONTWAIT), 1);
        assert_int_equal (count, 1);
        assert_int_equal (v[0].iov_len, 4);
        assert_memory_equal (v[0].iov_base, "next", 4);
        free (v[0].iov_base);
        link_down (&l);
    }
}

static void recviov_leaves_the_parts_that_do_not_fit (void **state)
{
    (void) state;
    link_t l = link_up (ZMQ_PAIR, ZMQ_PAIR, "inproc://recviov-rest");
    for (int i = 0; i < 5; ++i)
        OK (zmq_send (l.b, &"abcde"[i], 1, i < 4 ? ZMQ_SNDMORE : 0));
    struct iovec v[5];
    static const size_t wanted[] = {2, 1, 5}, expected[] = {2, 1, 2};
    int next = 0;
    for (int k = 0; k < 3; ++k) {
        size_t count = wanted[k];
        assert_int_equal (zmq_recviov (l.a, v, &count, 0), expected[k]);
        assert_int_equal (count, expected[k]);
        for (size_t i = 0; i < count; ++i) {
            assert_int_equal (v[i].iov_len, 1);
            assert_int_equal (*(char *) v[i].iov_base, "abcde"[next++]);
            free (v[i].iov_base);
        }
        assert_int_equal (get_int (l.a, ZMQ_RCVMORE), k < 2);
    }
    size_t count = 5;
    FAILS (zmq_recviov (l.a, v, &count, ZMQ_DONTWAIT), EAGAIN);
    assert_int_equal (count, 0);
    link_down (&l);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (init_gives_an_empty_message),
        cmocka_unit_test (init_size_gives_writable_bytes),
        cmocka_unit_test (init_size_that_failed_can_be_started_anew),
        cmocka_unit_test (payloads_are_aligned_for_any_scalar),
        cmocka_unit_test (init_buffer_copies),
        cmocka_unit_test (ZC_1_init_data_uses_the_buffer_and_frees_it_once),
        cmocka_unit_test (init_data_of_nothing),
        cmocka_unit_test (ZC_8_without_a_free_function_the_data_is_constant),
        cmocka_unit_test (ZC_4_closing_an_unsent_message_frees_in_the_calling_thread),
        cmocka_unit_test (move_takes_everything_over),
        cmocka_unit_test (move_of_a_failed_one_changes_nothing),
        cmocka_unit_test (copy_keeps_the_source),
        cmocka_unit_test (big_copies_share_their_bytes),
        cmocka_unit_test (small_copies_share_nothing),
        cmocka_unit_test (ZC_7_the_last_copy_frees),
        cmocka_unit_test (copy_over_a_copy_of_the_same),
        cmocka_unit_test (move_and_copy_onto_itself_do_nothing),
        cmocka_unit_test (buffers_survive_any_order_of_operations),
        cmocka_unit_test (messages_are_relocatable),
        cmocka_unit_test (relocated_data_is_freed_once),
        cmocka_unit_test (relocated_messages_travel),
        cmocka_unit_test (messages_can_be_swapped),
        cmocka_unit_test (GEN_2_a_refused_message_is_untouched),
        cmocka_unit_test (GEN_2_the_more_flag_is_that_of_the_refused_attempt),
        cmocka_unit_test (GEN_3_a_sent_message_is_empty_and_valid),
        cmocka_unit_test (GEN_10_a_short_buffer_truncates),
        cmocka_unit_test (recv_releases_the_old_content),
        cmocka_unit_test (a_failed_recv_leaves_a_valid_message),
        cmocka_unit_test (the_old_names_put_the_socket_first),
        cmocka_unit_test (send_const_hands_over_the_pointer),
        cmocka_unit_test (send_copies_its_buffer),
        cmocka_unit_test (ZC_2_tcp_frees_in_a_library_thread_after_sending),
        cmocka_unit_test (ZC_2_small_data_is_freed_once_too),
        cmocka_unit_test (ZC_3_inproc_hands_over_the_same_pointer),
        cmocka_unit_test (ZC_4_a_refused_send_does_not_free),
        cmocka_unit_test (ZC_5_a_dropped_message_is_freed_in_the_send_call),
        cmocka_unit_test (ZC_5_an_unwanted_message_is_freed_in_the_send_call),
        cmocka_unit_test (ZC_6_undelivered_messages_are_freed_before_term_returns),
        cmocka_unit_test (ZC_6_disconnecting_frees_what_was_queued),
        cmocka_unit_test (ZC_6_unread_messages_are_freed_before_term_returns),
        cmocka_unit_test (ZC_7_a_copy_outlives_the_sent_one),
        cmocka_unit_test (ZC_7_one_buffer_is_sent_many_times),
        cmocka_unit_test (ZC_7_all_subscribers_get_the_same_buffer),
        cmocka_unit_test (ZC_10_a_received_message_may_be_kept),
        cmocka_unit_test (received_bytes_belong_to_one_message),
        cmocka_unit_test (more_tells_about_the_following_part),
        cmocka_unit_test (shared_of_received_messages),
        cmocka_unit_test (srcfd_is_the_descriptor_of_the_connection),
        cmocka_unit_test (metadata_of_a_tcp_connection),
        cmocka_unit_test (the_routing_id_part_has_metadata_after_a_poll_too),
        cmocka_unit_test (the_documented_key_of_the_routing_id_works),
        cmocka_unit_test (an_anonymous_peer_has_an_empty_identity),
        cmocka_unit_test (the_address_of_an_ipc_peer_ends_with_its_credentials),
        cmocka_unit_test (inproc_and_local_messages_have_no_metadata),
        cmocka_unit_test (metadata_does_not_travel_on),
        cmocka_unit_test (a_stream_peer_has_only_an_address),
        cmocka_unit_test (nothing_can_be_set),
        cmocka_unit_test (routing_ids_are_carried_along),
        cmocka_unit_test (groups_of_any_length_are_carried_along),
        cmocka_unit_test (sendiov_with_sndmore_makes_one_message),
        cmocka_unit_test (sendiov_without_sndmore_makes_messages),
        cmocka_unit_test (sendiov_reports_a_refused_part),
        cmocka_unit_test (recviov_reads_the_parts_of_one_message),
        cmocka_unit_test (recviov_leaves_the_parts_that_do_not_fit),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
