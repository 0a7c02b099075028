/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes, offsets, alignment and prototypes: what a compiled program has built in. LP64 numbers. */
#define ZMQ_BUILD_DRAFT_API
#include "support.h"

#include <sys/uio.h>

#define LAYOUT(type, size, alignment)                                                              \
    do {                                                                                           \
        assert_int_equal (sizeof (type), size);                                                    \
        assert_int_equal (_Alignof (type), alignment);                                             \
    } while (0)

#define FIELD(type, field, at, field_type)                                                         \
    do {                                                                                           \
        assert_int_equal (offsetof (type, field), at);                                             \
        assert_true (_Generic (((type *) NULL)->field, field_type: true, default: false));         \
    } while (0)

static void message_is_64_aligned_bytes (void **state)
{
    (void) state;
    LAYOUT (zmq_msg_t, 64, 8);
    LAYOUT (struct zmq_msg_t, 64, 8);
    zmq_msg_t m;
    assert_int_equal (sizeof m._, 64);
    assert_int_equal (sizeof m._[0], 1);
    assert_true (_Generic (m._[0], unsigned char: true, default: false));
    zmq_msg_t list[2];
    assert_int_equal ((char *) &list[1] - (char *) &list[0], 64);
}

/* What foreign-function bindings allocate. */
static void the_library_agrees_on_the_message_size (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    assert_non_null (ctx);
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_MSG_T_SIZE), sizeof (zmq_msg_t));
    OK (zmq_ctx_term (ctx));
}

/* No message function may write outside of the 64 bytes. */
static void the_library_stays_inside_the_message (void **state)
{
    (void) state;
    struct
    {
        unsigned char before[64];
        zmq_msg_t m;
        unsigned char after[64];
    } box;
    static const size_t sizes[] = {0, 1, 29, 33, 34, 64, 5000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        memset (&box, 0xa5, sizeof box);
        OK (zmq_msg_init (&box.m));
        OK (zmq_msg_close (&box.m));
        OK (zmq_msg_init_size (&box.m, sizes[i]));
        memset (zmq_msg_data (&box.m), 0x11, sizes[i]);
        zmq_msg_t other;
        OK (zmq_msg_init (&other));
        OK (zmq_msg_copy (&other, &box.m));
        OK (zmq_msg_move (&box.m, &other));
        OK (zmq_msg_close (&other));
        OK (zmq_msg_close (&box.m));
        for (size_t k = 0; k < 64; ++k) {
            assert_int_equal (box.before[k], 0xa5);
            assert_int_equal (box.after[k], 0xa5);
        }
    }
}

static void poll_item (void **state)
{
    (void) state;
    LAYOUT (zmq_pollitem_t, 16, 8);
    FIELD (zmq_pollitem_t, socket, 0, void *);
    FIELD (zmq_pollitem_t, fd, 8, int);
    FIELD (zmq_pollitem_t, events, 12, short);
    FIELD (zmq_pollitem_t, revents, 14, short);
}

static void poller_event (void **state)
{
    (void) state;
    LAYOUT (zmq_poller_event_t, 32, 8);
    FIELD (zmq_poller_event_t, socket, 0, void *);
    FIELD (zmq_poller_event_t, fd, 8, int);
    FIELD (zmq_poller_event_t, user_data, 16, void *);
    FIELD (zmq_poller_event_t, events, 24, short);
}

static void descriptor_and_callbacks (void **state)
{
    (void) state;
    LAYOUT (zmq_fd_t, 4, 4);
    assert_true (_Generic ((zmq_fd_t) 0, int: true, default: false));
    assert_true (_Generic ((zmq_free_fn *) NULL, void (*) (void *, void *): true, default: false));
    assert_true (_Generic ((zmq_timer_fn *) NULL, void (*) (int, void *): true, default: false));
    assert_true (_Generic ((zmq_thread_fn *) NULL, void (*) (void *): true, default: false));
}

/* Nothing is called: the compiler compares the types. */
#define PROTOTYPE(returns, name, ...)                                                              \
    _Static_assert (_Generic (&(name), returns (*) (__VA_ARGS__): 1, default: 0), #name)

PROTOTYPE (int, zmq_atomic_counter_dec, void *);
PROTOTYPE (void, zmq_atomic_counter_destroy, void **);
PROTOTYPE (int, zmq_atomic_counter_inc, void *);
PROTOTYPE (void *, zmq_atomic_counter_new, void);
PROTOTYPE (void, zmq_atomic_counter_set, void *, int);
PROTOTYPE (int, zmq_atomic_counter_value, void *);
PROTOTYPE (int, zmq_bind, void *, const char *);
PROTOTYPE (int, zmq_close, void *);
PROTOTYPE (int, zmq_connect, void *, const char *);
PROTOTYPE (uint32_t, zmq_connect_peer, void *, const char *);
PROTOTYPE (int, zmq_ctx_destroy, void *);
PROTOTYPE (int, zmq_ctx_get, void *, int);
PROTOTYPE (int, zmq_ctx_get_ext, void *, int, void *, size_t *);
PROTOTYPE (void *, zmq_ctx_new, void);
PROTOTYPE (int, zmq_ctx_set, void *, int, int);
PROTOTYPE (int, zmq_ctx_set_ext, void *, int, const void *, size_t);
PROTOTYPE (int, zmq_ctx_shutdown, void *);
PROTOTYPE (int, zmq_ctx_term, void *);
PROTOTYPE (int, zmq_curve_keypair, char *, char *);
PROTOTYPE (int, zmq_curve_public, char *, const char *);
PROTOTYPE (int, zmq_device, int, void *, void *);
PROTOTYPE (int, zmq_disconnect, void *, const char *);
PROTOTYPE (int, zmq_disconnect_peer, void *, uint32_t);
PROTOTYPE (int, zmq_errno, void);
PROTOTYPE (int, zmq_getsockopt, void *, int, void *, size_t *);
PROTOTYPE (int, zmq_has, const char *);
PROTOTYPE (void *, zmq_init, int);
PROTOTYPE (int, zmq_join, void *, const char *);
PROTOTYPE (int, zmq_leave, void *, const char *);
PROTOTYPE (int, zmq_msg_close, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_copy, zmq_msg_t *, zmq_msg_t *);
PROTOTYPE (void *, zmq_msg_data, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_get, const zmq_msg_t *, int);
PROTOTYPE (const char *, zmq_msg_gets, const zmq_msg_t *, const char *);
PROTOTYPE (const char *, zmq_msg_group, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_init, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_init_buffer, zmq_msg_t *, const void *, size_t);
PROTOTYPE (int, zmq_msg_init_data, zmq_msg_t *, void *, size_t, zmq_free_fn *, void *);
PROTOTYPE (int, zmq_msg_init_size, zmq_msg_t *, size_t);
PROTOTYPE (int, zmq_msg_more, const zmq_msg_t *);
PROTOTYPE (int, zmq_msg_move, zmq_msg_t *, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_recv, zmq_msg_t *, void *, int);
PROTOTYPE (uint32_t, zmq_msg_routing_id, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_send, zmq_msg_t *, void *, int);
PROTOTYPE (int, zmq_msg_set, zmq_msg_t *, int, int);
PROTOTYPE (int, zmq_msg_set_group, zmq_msg_t *, const char *);
PROTOTYPE (int, zmq_msg_set_routing_id, zmq_msg_t *, uint32_t);
PROTOTYPE (size_t, zmq_msg_size, const zmq_msg_t *);
PROTOTYPE (int, zmq_poll, zmq_pollitem_t *, int, long);
PROTOTYPE (int, zmq_poller_add, void *, void *, void *, short);
PROTOTYPE (int, zmq_poller_add_fd, void *, zmq_fd_t, void *, short);
PROTOTYPE (int, zmq_poller_destroy, void **);
PROTOTYPE (int, zmq_poller_fd, void *, zmq_fd_t *);
PROTOTYPE (int, zmq_poller_modify, void *, void *, short);
PROTOTYPE (int, zmq_poller_modify_fd, void *, zmq_fd_t, short);
PROTOTYPE (void *, zmq_poller_new, void);
PROTOTYPE (int, zmq_poller_remove, void *, void *);
PROTOTYPE (int, zmq_poller_remove_fd, void *, zmq_fd_t);
PROTOTYPE (int, zmq_poller_size, void *);
PROTOTYPE (int, zmq_poller_wait, void *, zmq_poller_event_t *, long);
PROTOTYPE (int, zmq_poller_wait_all, void *, zmq_poller_event_t *, int, long);
PROTOTYPE (int, zmq_ppoll, zmq_pollitem_t *, int, long, const sigset_t *);
PROTOTYPE (int, zmq_proxy, void *, void *, void *);
PROTOTYPE (int, zmq_proxy_steerable, void *, void *, void *, void *);
PROTOTYPE (int, zmq_recv, void *, void *, size_t, int);
PROTOTYPE (int, zmq_recviov, void *, struct iovec *, size_t *, int);
PROTOTYPE (int, zmq_recvmsg, void *, zmq_msg_t *, int);
PROTOTYPE (int, zmq_send, void *, const void *, size_t, int);
PROTOTYPE (int, zmq_send_const, void *, const void *, size_t, int);
PROTOTYPE (int, zmq_sendiov, void *, struct iovec *, size_t, int);
PROTOTYPE (int, zmq_sendmsg, void *, zmq_msg_t *, int);
PROTOTYPE (int, zmq_setsockopt, void *, int, const void *, size_t);
PROTOTYPE (void, zmq_sleep, int);
PROTOTYPE (void *, zmq_socket, void *, int);
PROTOTYPE (int, zmq_socket_get_peer_state, void *, const void *, size_t);
PROTOTYPE (int, zmq_socket_monitor, void *, const char *, int);
PROTOTYPE (int, zmq_socket_monitor_pipes_stats, void *);
PROTOTYPE (int, zmq_socket_monitor_versioned, void *, const char *, uint64_t, int, int);
PROTOTYPE (unsigned long, zmq_stopwatch_intermediate, void *);
PROTOTYPE (void *, zmq_stopwatch_start, void);
PROTOTYPE (unsigned long, zmq_stopwatch_stop, void *);
PROTOTYPE (const char *, zmq_strerror, int);
PROTOTYPE (int, zmq_term, void *);
PROTOTYPE (void, zmq_threadclose, void *);
PROTOTYPE (void *, zmq_threadstart, zmq_thread_fn *, void *);
PROTOTYPE (int, zmq_timers_add, void *, size_t, zmq_timer_fn *, void *);
PROTOTYPE (int, zmq_timers_cancel, void *, int);
PROTOTYPE (int, zmq_timers_destroy, void **);
PROTOTYPE (int, zmq_timers_execute, void *);
PROTOTYPE (void *, zmq_timers_new, void);
PROTOTYPE (int, zmq_timers_reset, void *, int);
PROTOTYPE (int, zmq_timers_set_interval, void *, int, size_t);
PROTOTYPE (long, zmq_timers_timeout, void *);
PROTOTYPE (int, zmq_unbind, void *, const char *);
PROTOTYPE (void, zmq_version, int *, int *, int *);
PROTOTYPE (uint8_t *, zmq_z85_decode, uint8_t *, const char *);
PROTOTYPE (char *, zmq_z85_encode, char *, const uint8_t *, size_t);

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (message_is_64_aligned_bytes),
        cmocka_unit_test (the_library_agrees_on_the_message_size),
        cmocka_unit_test (the_library_stays_inside_the_message),
        cmocka_unit_test (poll_item),
        cmocka_unit_test (poller_event),
        cmocka_unit_test (descriptor_and_callbacks),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
