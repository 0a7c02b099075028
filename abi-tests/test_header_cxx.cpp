// SPDX-License-Identifier: Apache-2.0
// The stable part of zmq.h seen from C++: it compiles on its own and first, the prototypes have C
// linkage and the documented types, and no draft name leaks out. C++11 and later.
#include <zmq_utils.h>
#include <zmq.h>
#include <zmq_utils.h>

#include <cerrno>
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

extern "C" {
#include <cmocka.h>
}

#if defined ZMQ_SERVER || defined ZMQ_CHANNEL || defined ZMQ_TOPICS_COUNT || defined ZMQ_HAVE_POLLER                 \
  || defined ZMQ_ZERO_COPY_RECV || defined ZMQ_EVENT_PIPES_STATS || defined ZMQ_METADATA                               \
  || defined ZMQ_NORM_MODE || defined ZMQ_RECONNECT_STOP || defined ZMQ_MSG_PROPERTY_USER_ID
#error "draft names without ZMQ_BUILD_DRAFT_API"
#endif
#if !defined ZMQ_HAVE_TIMERS || defined ZMQ_EXPORT
#error "markers of the stable part"
#endif

#define PROTOTYPE(returns, name, ...)                                                              \
    static_assert (std::is_same<decltype (&name), returns (*) (__VA_ARGS__)>::value, #name)

PROTOTYPE (int, zmq_atomic_counter_dec, void *);
PROTOTYPE (void, zmq_atomic_counter_destroy, void **);
PROTOTYPE (int, zmq_atomic_counter_inc, void *);
PROTOTYPE (void *, zmq_atomic_counter_new, void);
PROTOTYPE (void, zmq_atomic_counter_set, void *, int);
PROTOTYPE (int, zmq_atomic_counter_value, void *);
PROTOTYPE (int, zmq_bind, void *, const char *);
PROTOTYPE (int, zmq_close, void *);
PROTOTYPE (int, zmq_connect, void *, const char *);
PROTOTYPE (int, zmq_ctx_destroy, void *);
PROTOTYPE (int, zmq_ctx_get, void *, int);
PROTOTYPE (void *, zmq_ctx_new, void);
PROTOTYPE (int, zmq_ctx_set, void *, int, int);
PROTOTYPE (int, zmq_ctx_shutdown, void *);
PROTOTYPE (int, zmq_ctx_term, void *);
PROTOTYPE (int, zmq_curve_keypair, char *, char *);
PROTOTYPE (int, zmq_curve_public, char *, const char *);
PROTOTYPE (int, zmq_device, int, void *, void *);
PROTOTYPE (int, zmq_disconnect, void *, const char *);
PROTOTYPE (int, zmq_errno, void);
PROTOTYPE (int, zmq_getsockopt, void *, int, void *, size_t *);
PROTOTYPE (int, zmq_has, const char *);
PROTOTYPE (void *, zmq_init, int);
PROTOTYPE (int, zmq_msg_close, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_copy, zmq_msg_t *, zmq_msg_t *);
PROTOTYPE (void *, zmq_msg_data, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_get, const zmq_msg_t *, int);
PROTOTYPE (const char *, zmq_msg_gets, const zmq_msg_t *, const char *);
PROTOTYPE (int, zmq_msg_init, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_init_data, zmq_msg_t *, void *, size_t, zmq_free_fn *, void *);
PROTOTYPE (int, zmq_msg_init_size, zmq_msg_t *, size_t);
PROTOTYPE (int, zmq_msg_more, const zmq_msg_t *);
PROTOTYPE (int, zmq_msg_move, zmq_msg_t *, zmq_msg_t *);
PROTOTYPE (int, zmq_msg_recv, zmq_msg_t *, void *, int);
PROTOTYPE (int, zmq_msg_send, zmq_msg_t *, void *, int);
PROTOTYPE (int, zmq_msg_set, zmq_msg_t *, int, int);
PROTOTYPE (size_t, zmq_msg_size, const zmq_msg_t *);
PROTOTYPE (int, zmq_poll, zmq_pollitem_t *, int, long);
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
PROTOTYPE (int, zmq_socket_monitor, void *, const char *, int);
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

static_assert (sizeof (zmq_msg_t) == 64 && alignof (zmq_msg_t) == alignof (void *), "zmq_msg_t");
static_assert (std::is_trivial<zmq_msg_t>::value && std::is_standard_layout<zmq_msg_t>::value,
               "zmq_msg_t");
static_assert (std::is_trivial<zmq_pollitem_t>::value, "zmq_pollitem_t");
static_assert (std::is_same<zmq_free_fn, void (void *, void *)>::value, "zmq_free_fn");
static_assert (std::is_same<zmq_timer_fn, void (int, void *)>::value, "zmq_timer_fn");
static_assert (std::is_same<zmq_thread_fn, void (void *)>::value, "zmq_thread_fn");

namespace {

bool ok (int result)
{
    if (result == -1)
        print_error ("%s\n", zmq_strerror (zmq_errno ()));
    return result != -1;
}

// The names resolve to C symbols: a small conversation runs through them.
void a_message_travels (void **)
{
    void *ctx = zmq_ctx_new ();
    assert_non_null (ctx);
    void *a = zmq_socket (ctx, ZMQ_PAIR);
    void *b = zmq_socket (ctx, ZMQ_PAIR);
    assert_true (ok (zmq_bind (a, "inproc://cxx")));
    assert_true (ok (zmq_connect (b, "inproc://cxx")));
    zmq_msg_t message;
    assert_true (ok (zmq_msg_init_size (&message, 3)));
    std::memcpy (zmq_msg_data (&message), "abc", 3);
    assert_int_equal (zmq_msg_send (&message, b, 0), 3);
    zmq_pollitem_t item = {a, 0, ZMQ_POLLIN, 0};
    assert_int_equal (zmq_poll (&item, 1, 10000), 1);
    char text[4] = {};
    assert_int_equal (zmq_recv (a, text, sizeof text, ZMQ_NOBLOCK), 3);
    assert_string_equal (text, "abc");
    assert_true (ok (zmq_close (a)));
    assert_true (ok (zmq_close (b)));
    assert_true (ok (zmq_ctx_term (ctx)));
}

void count_call (int, void *arg)
{
    ++*static_cast<int *> (arg);
}

void callbacks_are_plain_functions (void **)
{
    int calls = 0;
    void *timers = zmq_timers_new ();
    assert_true (ok (zmq_timers_add (timers, 1, count_call, &calls)));
    for (int i = 0; calls == 0 && i < 10000; ++i) {
        zmq_poll (nullptr, 0, 1);
        assert_true (ok (zmq_timers_execute (timers)));
    }
    assert_int_equal (calls, 1);
    assert_true (ok (zmq_timers_destroy (&timers)));
    assert_null (timers);
}

} // namespace

int main ()
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_message_travels),
        cmocka_unit_test (callbacks_are_plain_functions),
    };
    return cmocka_run_group_tests (tests, nullptr, nullptr);
}
