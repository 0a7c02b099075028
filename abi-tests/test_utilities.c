/* SPDX-License-Identifier: Apache-2.0 */
/* Timers, counters, Z85, keys, helpers, capabilities, texts, context options. */
#define ZMQ_BUILD_DRAFT_API
#include "support.h"

#include <dirent.h>
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/* A function of the draft interface; the reference package does not export it. */
#define CALL(name) ((__typeof__ (&name)) dlsym (RTLD_DEFAULT, #name))
#define NEEDS_DRAFT(name)                                                                          \
    do {                                                                                           \
        if (!dlsym (RTLD_DEFAULT, #name)) {                                                        \
            OURS_IS_BETTER ("drafts are not exported");                                            \
            fail_msg ("%s is not exported", #name);                                                \
        }                                                                                          \
    } while (0)

#define COUNT(list) (sizeof (list) / sizeof (list)[0])

/* ---- Timers ---- */

enum { MAX_CALLS = 4000 };

typedef struct
{
    void *timers;
    int ids[MAX_CALLS]; /* in the order of the calls */
    int calls;
    int other;          /* for handlers that touch another timer */
} trace_t;

static void note_call (int id, void *arg)
{
    trace_t *t = arg;
    assert_true (t->calls < MAX_CALLS);
    t->ids[t->calls++] = id;
}

static trace_t *new_trace (void)
{
    static trace_t t;
    memset (&t, 0, sizeof t);
    t.timers = zmq_timers_new ();
    assert_non_null (t.timers);
    return &t;
}

static void end_trace (trace_t *t)
{
    OK (zmq_timers_destroy (&t->timers));
    assert_null (t->timers);
}

static void pass_time (int64_t ms)
{
    const int64_t end = now_ms () + ms;
    while (now_ms () < end)
        zmq_poll (NULL, 0, (long) (end - now_ms ()));
}

/* As a program does it: waits for the time given by timeout, until there was a call. Returns when the execute that made it
 * began. */
static int64_t run_until_called (trace_t *t)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    const int before = t->calls;
    for (;;) {
        const long wait = zmq_timers_timeout (t->timers);
        assert_true (wait >= 0);
        zmq_poll (NULL, 0, wait);
        const int64_t executed = now_ms ();
        OK (zmq_timers_execute (t->timers));
        if (t->calls != before)
            return executed;
        if (executed > end)
            fail_msg ("no handler was called");
    }
}

static void TIM_1_ids_count_from_1 (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    for (int id = 1; id < 50; ++id)
        assert_int_equal (zmq_timers_add (t->timers, 100000, note_call, t), id);
    /* Numbers of cancelled timers are not given again. */
    OK (zmq_timers_cancel (t->timers, 49));
    OK (zmq_timers_cancel (t->timers, 1));
    assert_int_equal (zmq_timers_add (t->timers, 100000, note_call, t), 50);
    /* Each object has its own. */
    void *second = zmq_timers_new ();
    assert_int_equal (zmq_timers_add (second, 100000, note_call, t), 1);
    OK (zmq_timers_destroy (&second));
    end_trace (t);
}

static void TIM_1_a_handler_is_needed (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    FAILS (zmq_timers_add (t->timers, 10, NULL, t), EFAULT);
    assert_int_equal (zmq_timers_timeout (t->timers), -1);
    assert_int_equal (zmq_timers_add (t->timers, 10, note_call, NULL), 1);
    end_trace (t);
}

static void TIM_1_repeats_and_is_never_early (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    int64_t before = now_ms ();
    assert_int_equal (zmq_timers_add (t->timers, 20, note_call, t), 1);
    OK (zmq_timers_execute (t->timers));
    assert_true (t->calls == 0 || now_ms () - before >= 19);
    for (int i = 1; i <= 4; ++i) {
        const int64_t executed = run_until_called (t);
        assert_int_equal (t->calls, i);
        assert_int_equal (t->ids[i - 1], 1);
        assert_true (now_ms () - before >= 19);
        before = executed - 1;
    }
    end_trace (t);
}

static void TIM_2_timeout_without_timers (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    errno = 77;
    assert_int_equal (zmq_timers_timeout (t->timers), -1);
    assert_int_equal (errno, 77);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (zmq_timers_add (t->timers, 1000, note_call, t), 1);
    OK (zmq_timers_cancel (t->timers, 1));
    errno = 77;
    assert_int_equal (zmq_timers_timeout (t->timers), -1);
    assert_int_equal (errno, 77);
    end_trace (t);
}

/* timeout() of something that expires `interval` after some moment between `from` and `to`. */
static void expect_timeout (trace_t *t, int64_t from, int64_t to, int64_t interval)
{
    const int64_t before = now_ms ();
    const long wait = zmq_timers_timeout (t->timers);
    const int64_t after = now_ms ();
    const int64_t most = to + interval - before + 1, least = from + interval - after - 1;
    if (wait > (most > 0 ? most : 0) || wait < (least > 0 ? least : 0))
        fail_msg ("timeout is %ld, expected %lld..%lld", wait, (long long) least, (long long) most);
}

static void TIM_2_timeout_is_that_of_the_earliest (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    int64_t from = now_ms ();
    OK (zmq_timers_add (t->timers, 90000, note_call, t));
    expect_timeout (t, from, now_ms (), 90000);
    from = now_ms ();
    OK (zmq_timers_add (t->timers, 30000, note_call, t));
    const int64_t to = now_ms ();
    expect_timeout (t, from, to, 30000);
    OK (zmq_timers_add (t->timers, 60000, note_call, t));
    expect_timeout (t, from, to, 30000);
    OK (zmq_timers_cancel (t->timers, 2));
    expect_timeout (t, from, now_ms (), 60000);
    OK (zmq_timers_cancel (t->timers, 3));
    const long wait = zmq_timers_timeout (t->timers);
    assert_true (wait > 60000 && wait <= 90000);
    end_trace (t);
}

static void TIM_2_timeout_of_something_due_is_0 (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 5, note_call, t));
    pass_time (10);
    assert_int_equal (zmq_timers_timeout (t->timers), 0);
    assert_int_equal (zmq_timers_timeout (t->timers), 0);
    assert_int_equal (t->calls, 0);
    end_trace (t);
}

static void TIM_2_intervals_may_be_long (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    const size_t year = (size_t) 366 * 24 * 3600 * 1000;
    const int64_t from = now_ms ();
    OK (zmq_timers_add (t->timers, year, note_call, t));
    expect_timeout (t, from, now_ms (), (int64_t) year);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 0);
    end_trace (t);
}

static void TIM_3_the_earliest_expiry_comes_first (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    static const size_t intervals[] = {130, 10, 70, 40, 100};
    static const int order[] = {2, 4, 3, 5, 1};
    for (size_t i = 0; i < COUNT (intervals); ++i)
        OK (zmq_timers_add (t->timers, intervals[i], note_call, t));
    pass_time (150);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 5);
    for (int i = 0; i < 5; ++i)
        assert_int_equal (t->ids[i], order[i]);
    end_trace (t);
}

static void TIM_3_one_call_however_late (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 50, note_call, t));
    pass_time (180);
    const int64_t from = now_ms ();
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 1);
    /* The next one counts from this execute. */
    expect_timeout (t, from, now_ms (), 50);
    end_trace (t);
}

static void TIM_3_only_what_is_due (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 100000, note_call, t));
    OK (zmq_timers_add (t->timers, 3, note_call, t));
    OK (zmq_timers_add (t->timers, 100000, note_call, t));
    for (int i = 1; i <= 3; ++i) {
        run_until_called (t);
        assert_int_equal (t->calls, i);
        assert_int_equal (t->ids[i - 1], 2);
    }
    end_trace (t);
}

static pthread_t handler_thread;
static void note_thread (int id, void *arg)
{
    handler_thread = pthread_self ();
    note_call (id, arg);
}

static void TIM_3_handlers_run_in_the_calling_thread (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 1, note_thread, t));
    run_until_called (t);
    assert_true (pthread_equal (handler_thread, pthread_self ()));
    end_trace (t);
}

static void TIM_3_many_timers (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    enum { MANY = 1000 };
    static int seen[MANY + 1];
    memset (seen, 0, sizeof seen);
    for (int i = 0; i < MANY; ++i)
        OK (zmq_timers_add (t->timers, (size_t) (1 + i * 7 % 20), note_call, t));
    for (int id = 3; id <= MANY; id += 3)
        OK (zmq_timers_cancel (t->timers, id));
    pass_time (30);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, MANY - MANY / 3);
    for (int i = 0; i < t->calls; ++i)
        ++seen[t->ids[i]];
    for (int id = 1; id <= MANY; ++id)
        assert_int_equal (seen[id], id % 3 != 0);
    end_trace (t);
}

static void TIM_4_cancel (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    FAILS (zmq_timers_cancel (t->timers, 1), EINVAL);
    FAILS (zmq_timers_cancel (t->timers, 0), EINVAL);
    FAILS (zmq_timers_cancel (t->timers, -1), EINVAL);
    OK (zmq_timers_add (t->timers, 2, note_call, t));
    OK (zmq_timers_add (t->timers, 3, note_call, t));
    FAILS (zmq_timers_cancel (t->timers, 3), EINVAL);
    OK (zmq_timers_cancel (t->timers, 1));
    FAILS (zmq_timers_cancel (t->timers, 1), EINVAL);
    pass_time (10);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 1);
    assert_int_equal (t->ids[0], 2);
    FAILS (zmq_timers_cancel (t->timers, 1), EINVAL);
    OK (zmq_timers_cancel (t->timers, 2));
    assert_int_equal (zmq_timers_timeout (t->timers), -1);
    end_trace (t);
}

static void cancel_self (int id, void *arg)
{
    trace_t *t = arg;
    note_call (id, arg);
    OK (zmq_timers_cancel (t->timers, id));
}

static void TIM_4_a_handler_may_cancel_its_own_timer (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 2, cancel_self, t));
    run_until_called (t);
    pass_time (10);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 1);
    assert_int_equal (zmq_timers_timeout (t->timers), -1);
    end_trace (t);
}

static void cancel_other (int id, void *arg)
{
    trace_t *t = arg;
    note_call (id, arg);
    if (t->other) {
        OK (zmq_timers_cancel (t->timers, t->other));
        t->other = 0;
    }
}

static void TIM_4_a_handler_may_cancel_another_due_timer (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 2, cancel_other, t));
    t->other = zmq_timers_add (t->timers, 40, note_call, t);
    pass_time (60);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 1);
    assert_int_equal (t->ids[0], 1);
    end_trace (t);
}

static void add_another (int id, void *arg)
{
    trace_t *t = arg;
    note_call (id, arg);
    t->other = zmq_timers_add (t->timers, 1, note_call, t);
    OK (t->other);
}

static void a_handler_may_add_a_timer (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 3, add_another, t));
    run_until_called (t);
    assert_int_equal (t->ids[0], 1);
    assert_int_equal (t->other, 2);
    OK (zmq_timers_cancel (t->timers, 1));
    const int before = t->calls;
    run_until_called (t);
    assert_int_equal (t->calls, before + 1);
    assert_int_equal (t->ids[before], 2);
    end_trace (t);
}

static void TIM_5_reset_restarts_the_period (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 60000, note_call, t));
    pass_time (60);
    int64_t from = now_ms ();
    OK (zmq_timers_reset (t->timers, 1));
    expect_timeout (t, from, now_ms (), 60000);
    FAILS (zmq_timers_reset (t->timers, 2), EINVAL);
    FAILS (zmq_timers_reset (t->timers, 0), EINVAL);
    /* One that is due is not due any more. */
    OK (zmq_timers_set_interval (t->timers, 1, 50));
    pass_time (60);
    assert_int_equal (zmq_timers_timeout (t->timers), 0);
    from = now_ms ();
    OK (zmq_timers_reset (t->timers, 1));
    OK (zmq_timers_execute (t->timers));
    assert_true (t->calls == 0 || now_ms () - from >= 49);
    end_trace (t);
}

static void TIM_5_set_interval_restarts_the_period (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 60000, note_call, t));
    pass_time (20);
    static const size_t intervals[] = {90000, 30000, 3};
    int64_t from = 0;
    for (size_t i = 0; i < COUNT (intervals); ++i) {
        from = now_ms ();
        OK (zmq_timers_set_interval (t->timers, 1, intervals[i]));
        expect_timeout (t, from, now_ms (), (int64_t) intervals[i]);
    }
    run_until_called (t);
    assert_true (now_ms () - from >= 2);
    run_until_called (t);
    assert_int_equal (t->calls, 2);
    FAILS (zmq_timers_set_interval (t->timers, 2, 10), EINVAL);
    FAILS (zmq_timers_set_interval (t->timers, -1, 10), EINVAL);
    end_trace (t);
}

/* Whatever these answer for a cancelled timer: it stays cancelled. */
static void TIM_5_a_cancelled_timer_does_not_come_back (void **state)
{
    (void) state;
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 2, note_call, t));
    OK (zmq_timers_cancel (t->timers, 1));
    int rc = zmq_timers_reset (t->timers, 1);
    assert_true (rc == 0 || (rc == -1 && errno == EINVAL));
    rc = zmq_timers_set_interval (t->timers, 1, 1);
    assert_true (rc == 0 || (rc == -1 && errno == EINVAL));
    pass_time (10);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 0);
    assert_int_equal (zmq_timers_timeout (t->timers), -1);
    end_trace (t);
}

static void TIM_6_interval_0_runs_once_per_execute (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference never returns from execute");
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 0, note_call, t));
    for (int i = 1; i <= 5; ++i) {
        assert_int_equal (zmq_timers_timeout (t->timers), 0);
        OK (zmq_timers_execute (t->timers));
        assert_int_equal (t->calls, i);
    }
    OK (zmq_timers_add (t->timers, 5, note_call, t));
    OK (zmq_timers_set_interval (t->timers, 2, 0));
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 7);
    end_trace (t);
}

static void change_self (int id, void *arg)
{
    trace_t *t = arg;
    note_call (id, arg);
    OK (zmq_timers_reset (t->timers, id));
    OK (zmq_timers_set_interval (t->timers, id, 40000));
    OK (zmq_timers_reset (t->timers, id));
}

static void TIM_6_a_handler_may_change_its_own_timer (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference uses an invalid iterator");
    trace_t *t = new_trace ();
    OK (zmq_timers_add (t->timers, 2, change_self, t));
    pass_time (5);
    const int64_t from = now_ms ();
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 1);
    expect_timeout (t, from, now_ms (), 40000);
    OK (zmq_timers_execute (t->timers));
    assert_int_equal (t->calls, 1);
    end_trace (t);
}

static void TIM_7_destroy_clears_the_pointer (void **state)
{
    (void) state;
    void *timers = zmq_timers_new ();
    assert_non_null (timers);
    OK (zmq_timers_add (timers, 1, note_call, NULL));
    OK (zmq_timers_destroy (&timers));
    assert_null (timers);
    FAILS (zmq_timers_destroy (&timers), EFAULT);
}

/* ---- Atomic counters ---- */

static void ATO_1_counter (void **state)
{
    (void) state;
    void *c = zmq_atomic_counter_new ();
    assert_non_null (c);
    assert_int_equal (zmq_atomic_counter_value (c), 0);
    assert_int_equal (zmq_atomic_counter_inc (c), 0);
    assert_int_equal (zmq_atomic_counter_inc (c), 1);
    assert_int_equal (zmq_atomic_counter_inc (c), 2);
    assert_int_equal (zmq_atomic_counter_value (c), 3);
    assert_int_equal (zmq_atomic_counter_dec (c), 1);
    assert_int_equal (zmq_atomic_counter_dec (c), 1);
    assert_int_equal (zmq_atomic_counter_dec (c), 0);
    assert_int_equal (zmq_atomic_counter_value (c), 0);
    zmq_atomic_counter_set (c, 1000);
    assert_int_equal (zmq_atomic_counter_value (c), 1000);
    assert_int_equal (zmq_atomic_counter_inc (c), 1000);
    assert_int_equal (zmq_atomic_counter_dec (c), 1);
    zmq_atomic_counter_set (c, 0);
    assert_int_equal (zmq_atomic_counter_dec (c), 1);
    assert_int_equal (zmq_atomic_counter_value (c), -1);
    assert_int_equal (zmq_atomic_counter_inc (c), -1);
    zmq_atomic_counter_set (c, -5);
    assert_int_equal (zmq_atomic_counter_value (c), -5);
    zmq_atomic_counter_destroy (&c);
    assert_null (c);
    zmq_atomic_counter_destroy (&c);
    assert_null (c);
}

enum { THREADS = 4, ROUNDS = 20000 };

static atomic_int zeros;
static void inc_and_dec (void *arg)
{
    for (int i = 0; i < ROUNDS; ++i) {
        zmq_atomic_counter_inc (arg);
        zmq_atomic_counter_inc (arg);
        if (zmq_atomic_counter_dec (arg) == 0)
            atomic_fetch_add (&zeros, 1);
    }
}

static void ATO_1_counter_in_many_threads (void **state)
{
    (void) state;
    void *c = zmq_atomic_counter_new (), *threads[THREADS];
    zeros = 0;
    for (int i = 0; i < THREADS; ++i)
        threads[i] = zmq_threadstart (inc_and_dec, c);
    for (int i = 0; i < THREADS; ++i)
        zmq_threadclose (threads[i]);
    assert_int_equal (zmq_atomic_counter_value (c), THREADS * ROUNDS);
    assert_int_equal (zeros, 0);
    zmq_atomic_counter_destroy (&c);
}

static void dec_only (void *arg)
{
    for (int i = 0; i < ROUNDS; ++i)
        if (zmq_atomic_counter_dec (arg) == 0)
            atomic_fetch_add (&zeros, 1);
}

/* The one who takes away the last is told so, and nobody else. */
static void ATO_1_exactly_one_sees_zero (void **state)
{
    (void) state;
    void *c = zmq_atomic_counter_new (), *threads[THREADS];
    zmq_atomic_counter_set (c, THREADS * ROUNDS);
    zeros = 0;
    for (int i = 0; i < THREADS; ++i)
        threads[i] = zmq_threadstart (dec_only, c);
    for (int i = 0; i < THREADS; ++i)
        zmq_threadclose (threads[i]);
    assert_int_equal (zmq_atomic_counter_value (c), 0);
    assert_int_equal (zeros, 1);
    zmq_atomic_counter_destroy (&c);
}

/* ---- Threads, stopwatch, sleep ---- */

typedef struct
{
    pthread_t self;
    char name[32];
    sigset_t mask;
    atomic_int done;
} thread_note_t;

static void note_myself (void *arg)
{
    thread_note_t *n = arg;
    n->self = pthread_self ();
    pthread_getname_np (pthread_self (), n->name, sizeof n->name);
    pthread_sigmask (SIG_BLOCK, NULL, &n->mask);
    zmq_poll (NULL, 0, 20);
    atomic_store (&n->done, 1);
}

static void UTL_1_threads (void **state)
{
    (void) state;
    sigset_t before, after;
    pthread_sigmask (SIG_BLOCK, NULL, &before);
    thread_note_t n;
    memset (&n, 0, sizeof n);
    void *thread = zmq_threadstart (note_myself, &n);
    assert_non_null (thread);
    zmq_threadclose (thread);
    /* closing has waited for the end */
    assert_int_equal (n.done, 1);
    assert_false (pthread_equal (n.self, pthread_self ()));
    assert_string_equal (n.name, "ZMQapp");
    static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGUSR1,
                                  SIGUSR2, SIGALRM, SIGCHLD, SIGPIPE};
    for (size_t i = 0; i < COUNT (signals); ++i)
        assert_true (sigismember (&n.mask, signals[i]));
    pthread_sigmask (SIG_BLOCK, NULL, &after);
    for (size_t i = 0; i < COUNT (signals); ++i)
        assert_int_equal (sigismember (&before, signals[i]), sigismember (&after, signals[i]));
}

static int64_t now_us (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void UTL_2_stopwatch_counts_microseconds (void **state)
{
    (void) state;
    const int64_t outer_start = now_us ();
    void *watch = zmq_stopwatch_start ();
    assert_non_null (watch);
    const int64_t inner_start = now_us ();
    pass_time (25);
    const int64_t inner_middle = now_us ();
    const unsigned long first = zmq_stopwatch_intermediate (watch);
    const int64_t outer_middle = now_us ();
    pass_time (5);
    const int64_t inner_end = now_us ();
    const unsigned long last = zmq_stopwatch_stop (watch);
    const int64_t outer_end = now_us ();
    /* 1 ms of slack for another clock. */
    assert_true ((int64_t) first + 1000 >= inner_middle - inner_start);
    assert_true ((int64_t) first <= outer_middle - outer_start + 1000);
    assert_true ((int64_t) last + 1000 >= inner_end - inner_start);
    assert_true ((int64_t) last <= outer_end - outer_start + 1000);
    assert_true (last > first);
}

static void UTL_2_sleep_counts_seconds (void **state)
{
    (void) state;
    int64_t start = now_ms ();
    zmq_sleep (1);
    assert_true (now_ms () - start >= 999);
    start = now_ms ();
    zmq_sleep (0);
    assert_true (now_ms () - start < 900);
}

/* ---- Capabilities ---- */

static void UTL_3_has (void **state)
{
    (void) state;
    static const char *const never[] = {
      "tcp", "inproc", "udp", "epgm", "plain", "null", "socks", "IPC",  "CURVE",    "Draft",
      "ws",  "wss",    "",    "ipc ", " ipc",  "ip",   "ipcc",  "ZMTP", "ipc,curve"};
    for (size_t i = 0; i < COUNT (never); ++i)
        if (zmq_has (never[i]) != 0)
            fail_msg ("has \"%s\"", never[i]);
    static const char *const maybe[] = {"pgm",    "tipc",  "norm", "vmci", "vsock",
                                        "gssapi", "draft", "WS",   "WSS"};
    for (size_t i = 0; i < COUNT (maybe); ++i)
        assert_in_range (zmq_has (maybe[i]), 0, 1);
    assert_int_equal (zmq_has ("ipc"), 1);
    if (!on_tern ())
        assert_int_equal (zmq_has ("curve"), 1);
}

/* Nothing is promised that does not work, and nothing works that is denied. */
static void UTL_3_has_tells_the_truth (void **state)
{
    (void) state;
    char key[41], secret[41];
    /* CURVE is the mechanism: without it there may be keys all the same. */
    const bool keys = zmq_curve_keypair (key, secret) == 0;
    if (!on_tern () || zmq_has ("curve"))
        assert_int_equal (zmq_has ("curve"), keys);
    /* Tern has the draft interface, and denies it: Debian's pyzmq, which was built without it, takes the
     * answer for a promise about itself. Programs that want it look for its symbols. */
    if (on_tern ()) {
        assert_non_null (dlsym (RTLD_DEFAULT, "zmq_poller_new"));
        assert_int_equal (zmq_has ("draft"), 0);
    } else
        assert_int_equal (zmq_has ("draft"), dlsym (RTLD_DEFAULT, "zmq_poller_new") != NULL);
    void *ctx = zmq_ctx_new ();
    void *s = new_socket (ctx, ZMQ_PAIR);
    static const char *const transports[][2] = {
      {"pgm", "pgm://127.0.0.1;224.0.0.1:5555"},
      {"pgm", "epgm://127.0.0.1;224.0.0.1:5555"},
      {"norm", "norm://127.0.0.1;224.0.0.1:5555"},
      {"tipc", "tipc://nonsense"},
      {"vmci", "vmci://nonsense"},
      {"vsock", "vsock://nonsense"},
      {"WS", "ws://nonsense"},
      {"WSS", "wss://nonsense"},
    };
    for (size_t i = 0; i < COUNT (transports); ++i) {
        /* Neither endpoint is usable here: the errno tells whether the name is known. */
        errno = 0;
        assert_int_equal (zmq_bind (s, transports[i][1]), -1);
        if (zmq_has (transports[i][0]) != (errno != EPROTONOSUPPORT))
            fail_msg ("%s: has is %d, bind gives %s", transports[i][0], zmq_has (transports[i][0]),
                      zmq_strerror (errno));
    }
    const int zero = 0;
    assert_int_equal (zmq_has ("gssapi"),
                      zmq_setsockopt (s, ZMQ_GSSAPI_PLAINTEXT, &zero, sizeof zero) == 0);
    close_now (s);
    OK (zmq_ctx_term (ctx));
}

/* ---- Error texts ---- */

static void strerror_texts (void **state)
{
    (void) state;
    assert_string_equal (zmq_strerror (EFSM), "Operation cannot be accomplished in current state");
    assert_string_equal (zmq_strerror (ENOCOMPATPROTO),
                         "The protocol is not compatible with the socket type");
    assert_string_equal (zmq_strerror (ETERM), "Context was terminated");
    assert_string_equal (zmq_strerror (EMTHREAD), "No thread available");
    assert_string_equal (zmq_strerror (EHOSTUNREACH), "Host unreachable");
    for (int n = 0; n < 140; ++n) {
        if (n == EHOSTUNREACH)
            continue;
        char expected[200];
        snprintf (expected, sizeof expected, "%s", strerror (n));
        assert_string_equal (zmq_strerror (n), expected);
    }
    assert_string_equal (zmq_strerror (ZMQ_HAUSNUMERO + 1), "Unknown error 156384713");
    assert_string_equal (zmq_strerror (ZMQ_HAUSNUMERO + 55), "Unknown error 156384767");
}

static void fail_otherwise (void *arg)
{
    (void) arg;
    errno = 0;
    zmq_ctx_get (NULL, 0);
}

static void errno_belongs_to_the_thread (void **state)
{
    (void) state;
    FAILS (zmq_close (NULL), ENOTSOCK);
    assert_int_equal (zmq_errno (), ENOTSOCK);
    void *thread = zmq_threadstart (fail_otherwise, NULL);
    zmq_threadclose (thread);
    errno = 123;
    assert_int_equal (zmq_errno (), 123);
    thread = zmq_threadstart (fail_otherwise, NULL);
    errno = 124;
    zmq_threadclose (thread);
    assert_int_equal (zmq_errno (), errno);
}

/* ---- Z85 ---- */

static const struct
{
    const char *hex, *text;
} z85_vectors[] = {
  {"864fd26fb559f75b", "HelloWorld"},
  {"00000000", "00000"},
  {"ffffffff", "%nSc0"},
  {"fffffffe", "%nSb#"},
  {"00000001", "00001"},
  {"8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f",
   "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S"},
  {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
   "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x"},
  {"358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254",
   "hgP.#hDUHSUiE^h?&P6wi8P5^Qk?rT(1ek&+[:+/"},
  {"202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
   "ar.{NbQB=+c[cR@eg&FcfFLssg=mfIi5%2YjuU>)"},
};

static const char z85_alphabet[] =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

static size_t from_hex (const char *hex, uint8_t *out)
{
    size_t n = 0;
    for (; hex[2 * n]; ++n)
        sscanf (hex + 2 * n, "%2hhx", &out[n]);
    return n;
}

static void z85_vectors_both_ways (void **state)
{
    (void) state;
    for (size_t i = 0; i < COUNT (z85_vectors); ++i) {
        uint8_t bytes[64], decoded[64];
        char text[64];
        const size_t n = from_hex (z85_vectors[i].hex, bytes), length = n / 4 * 5;
        memset (text, '?', sizeof text);
        memset (decoded, 0xa5, sizeof decoded);
        assert_ptr_equal (zmq_z85_encode (text, bytes, n), text);
        assert_string_equal (text, z85_vectors[i].text);
        for (size_t k = length + 1; k < sizeof text; ++k)
            assert_int_equal (text[k], '?');
        assert_ptr_equal (zmq_z85_decode (decoded, z85_vectors[i].text), decoded);
        assert_memory_equal (decoded, bytes, n);
        for (size_t k = n; k < sizeof decoded; ++k)
            assert_int_equal (decoded[k], 0xa5);
    }
}

static void z85_alphabet_is_complete (void **state)
{
    (void) state;
    for (unsigned v = 0; v < 85; ++v) {
        uint8_t bytes[4] = {0, 0, 0, (uint8_t) v};
        char text[6], expected[6] = "0000?";
        expected[4] = z85_alphabet[v];
        assert_ptr_equal (zmq_z85_encode (text, bytes, 4), text);
        assert_string_equal (text, expected);
    }
    for (int c = 1; c < 256; ++c) {
        for (int at = 0; at < 5; ++at) {
            uint8_t bytes[4] = {9, 9, 9, 9};
            char text[6] = "00000";
            text[at] = (char) c;
            errno = 0;
            const uint8_t *result = zmq_z85_decode (bytes, text);
            const char *where = strchr (z85_alphabet, c);
            uint64_t value = where ? (uint64_t) (where - z85_alphabet) : 0;
            for (int k = at; k < 4; ++k)
                value *= 85;
            if (where && value <= 0xffffffffu) {
                assert_ptr_equal (result, bytes);
                assert_int_equal (
                  (uint32_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3], value);
            } else {
                assert_null (result);
                assert_int_equal (errno, EINVAL);
            }
        }
    }
}

static void z85_there_and_back (void **state)
{
    (void) state;
    unsigned seed = 1;
    for (size_t n = 4; n <= 400; n += 4) {
        uint8_t bytes[400], decoded[400];
        char text[501];
        for (size_t i = 0; i < n; ++i) {
            seed = seed * 1103515245u + 12345u;
            bytes[i] = (uint8_t) (seed >> 16);
        }
        assert_ptr_equal (zmq_z85_encode (text, bytes, n), text);
        assert_int_equal (strlen (text), n / 4 * 5);
        assert_ptr_equal (zmq_z85_decode (decoded, text), decoded);
        assert_memory_equal (decoded, bytes, n);
    }
}

static void z85_encode_lengths (void **state)
{
    (void) state;
    uint8_t bytes[16] = {0};
    char text[32] = "untouched";
    assert_ptr_equal (zmq_z85_encode (text, bytes, 0), text);
    assert_string_equal (text, "");
    for (size_t n = 1; n < 16; ++n) {
        strcpy (text, "untouched");
        errno = 0;
        const char *result = zmq_z85_encode (text, bytes, n);
        if (n % 4 == 0) {
            assert_ptr_equal (result, text);
            continue;
        }
        assert_null (result);
        assert_int_equal (errno, EINVAL);
        assert_string_equal (text, "untouched");
    }
}

static void z85_decode_refuses (void **state)
{
    (void) state;
    static const char *const bad[] = {
      "%nSc1",    "#####",    "",         "0000",   "000000",     "0000\"",
      "0000 ",    "0000,",    "0000'",    "0000;",  "0000\\",     "0000_",
      "0000`",    "0000|",    "0000~",    "0",      "00",         "000",
      "0000\x7f", "0000\x80", "0000\xff", "\n0000", "00000%nSc1", "0000000000~0000"};
    for (size_t i = 0; i < COUNT (bad); ++i) {
        uint8_t bytes[64];
        errno = 0;
        if (zmq_z85_decode (bytes, bad[i]) || errno != EINVAL)
            fail_msg ("\"%s\" was decoded, errno %d", bad[i], errno);
    }
}

/* ---- Keys ---- */

/* Tern may have the keys without the CURVE mechanism. */
static bool has_keys (void)
{
    char pub[41], secret[41];
    return zmq_has ("curve") || (on_tern () && zmq_curve_keypair (pub, secret) == 0);
}

static bool is_key (const char *text)
{
    return strlen (text) == 40 && strspn (text, z85_alphabet) == 40;
}

static void keypairs (void **state)
{
    (void) state;
    if (!has_keys ()) {
        char unused[41];
        FAILS (zmq_curve_keypair (unused, unused), ENOTSUP);
        FAILS (zmq_curve_public (unused, z85_vectors[6].text), ENOTSUP);
        return;
    }
    char before[41] = "";
    for (int i = 0; i < 20; ++i) {
        char pub[50], secret[50], derived[50];
        memset (pub, '?', sizeof pub);
        memset (secret, '?', sizeof secret);
        memset (derived, '?', sizeof derived);
        OK (zmq_curve_keypair (pub, secret));
        assert_true (is_key (pub) && is_key (secret));
        assert_string_not_equal (pub, secret);
        assert_string_not_equal (secret, before);
        OK (zmq_curve_public (derived, secret));
        assert_string_equal (derived, pub);
        for (int k = 41; k < 50; ++k) {
            assert_int_equal (pub[k], '?');
            assert_int_equal (secret[k], '?');
            assert_int_equal (derived[k], '?');
        }
        strcpy (before, secret);
    }
}

static void public_keys_of_known_secrets (void **state)
{
    (void) state;
    if (!has_keys ())
        skip ();
    char pub[41];
    OK (zmq_curve_public (pub, "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x"));
    assert_string_equal (pub, "K3HW^WVq.zo69t)(umF>:XvwTj:QGN^yKlWaVH(S");
    OK (zmq_curve_public (pub, "ar.{NbQB=+c[cR@eg&FcfFLssg=mfIi5%2YjuU>)"));
    assert_string_equal (pub, "hgP.#hDUHSUiE^h?&P6wi8P5^Qk?rT(1ek&+[:+/");
}

static void refused_secrets_leave_the_buffer_alone (void **state)
{
    (void) state;
    if (!has_keys ())
        skip ();
    char pub[41] = "untouched";
    FAILS (zmq_curve_public (pub, ""), EINVAL);
    FAILS (zmq_curve_public (pub, "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337"), EINVAL);
    FAILS (zmq_curve_public (pub, "009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337~"), EINVAL);
    assert_string_equal (pub, "untouched");
}

static void make_keypair (void *arg)
{
    char *keys = arg;
    for (int i = 0; i < 20; ++i)
        zmq_curve_keypair (keys, keys + 41);
}

static void keypairs_in_many_threads (void **state)
{
    (void) state;
    if (!has_keys ())
        skip ();
    char keys[THREADS][82];
    void *threads[THREADS];
    for (int i = 0; i < THREADS; ++i)
        threads[i] = zmq_threadstart (make_keypair, keys[i]);
    for (int i = 0; i < THREADS; ++i)
        zmq_threadclose (threads[i]);
    for (int i = 0; i < THREADS; ++i) {
        char derived[41];
        assert_true (is_key (keys[i]));
        OK (zmq_curve_public (derived, keys[i] + 41));
        assert_string_equal (derived, keys[i]);
        for (int k = 0; k < i; ++k)
            assert_string_not_equal (keys[i], keys[k]);
    }
}

/* ---- Context options ---- */

typedef struct
{
    const char *name;
    int option;
    int value;             /* default */
    bool get, set;
    int lowest;            /* lowest legal value for set; one less is refused */
    int stored_is_boolean; /* any legal value not 0 reads back as 1 */
} ctx_row_t;

#define CTX(option, ...) {#option, option, __VA_ARGS__}

static const ctx_row_t ctx_rows[] = {
  CTX (ZMQ_IO_THREADS, 1, true, true, 0, 0),
  CTX (ZMQ_MAX_SOCKETS, 1023, true, true, 1, 0),
  CTX (ZMQ_SOCKET_LIMIT, 65535, true, false, 0, 0),
  CTX (ZMQ_THREAD_SCHED_POLICY, -1, true, true, 0, 0),
  CTX (ZMQ_MAX_MSGSZ, INT_MAX, true, true, 0, 0),
  CTX (ZMQ_MSG_T_SIZE, 64, true, false, 0, 0),
  CTX (ZMQ_ZERO_COPY_RECV, 1, true, true, 0, 1),
  CTX (ZMQ_IPV6, 0, true, true, 0, 1),
  CTX (ZMQ_BLOCKY, 1, true, true, 0, 1),
};

static void context_defaults (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    for (size_t i = 0; i < COUNT (ctx_rows); ++i) {
        /* -1 is a value here: the number tells. */
        errno = 0;
        const int value = zmq_ctx_get (ctx, ctx_rows[i].option);
        if (value != ctx_rows[i].value || errno != 0)
            fail_msg ("%s: %d, errno %d", ctx_rows[i].name, value, errno);
    }
    OK (zmq_ctx_term (ctx));
}

static void context_values (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    for (size_t i = 0; i < COUNT (ctx_rows); ++i) {
        const ctx_row_t *r = &ctx_rows[i];
        if (!r->set)
            continue;
        static const int values[] = {7, 2, 1, 0, 1000};
        for (size_t k = 0; k < COUNT (values); ++k) {
            if (values[k] < r->lowest)
                continue;
            OK (zmq_ctx_set (ctx, r->option, values[k]));
            const int expected = r->stored_is_boolean ? values[k] != 0 : values[k];
            if (zmq_ctx_get (ctx, r->option) != expected)
                fail_msg ("%s: set %d, got %d", r->name, values[k], zmq_ctx_get (ctx, r->option));
        }
        const int before = zmq_ctx_get (ctx, r->option);
        FAILS (zmq_ctx_set (ctx, r->option, r->lowest - 1), EINVAL);
        FAILS (zmq_ctx_set (ctx, r->option, -100), EINVAL);
        FAILS (zmq_ctx_set (ctx, r->option, INT_MIN), EINVAL);
        assert_int_equal (zmq_ctx_get (ctx, r->option), before);
    }
    OK (zmq_ctx_term (ctx));
}

static void context_number_3_has_two_meanings (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_SOCKET_LIMIT), 65535);
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_PRIORITY, 0));
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_PRIORITY, 5));
    FAILS (zmq_ctx_set (ctx, ZMQ_THREAD_PRIORITY, -1), EINVAL);
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_THREAD_PRIORITY), 65535);
    OK (zmq_ctx_term (ctx));
}

static void context_cpus_are_a_set (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    FAILS (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 0), EINVAL);
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_ADD, 0));
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_ADD, 0));
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_ADD, 1));
    FAILS (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_ADD, -1), EINVAL);
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 0));
    FAILS (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 0), EINVAL);
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 1));
    FAILS (zmq_ctx_set (ctx, ZMQ_THREAD_AFFINITY_CPU_REMOVE, -1), EINVAL);
    FAILS (zmq_ctx_get (ctx, ZMQ_THREAD_AFFINITY_CPU_ADD), EINVAL);
    FAILS (zmq_ctx_get (ctx, ZMQ_THREAD_AFFINITY_CPU_REMOVE), EINVAL);
    OK (zmq_ctx_term (ctx));
}

static void context_prefix_is_a_number_of_4_bytes (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_NAME_PREFIX, 1234));
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_THREAD_NAME_PREFIX), 1234);
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_NAME_PREFIX, 0));
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_THREAD_NAME_PREFIX), 0);
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_NAME_PREFIX, INT_MAX));
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_THREAD_NAME_PREFIX), INT_MAX);
    OK (zmq_ctx_term (ctx));
}

static void context_prefix_of_bytes (void **state)
{
    (void) state;
    NEEDS_DRAFT (zmq_ctx_set_ext);
    void *ctx = zmq_ctx_new ();
    static const size_t lengths[] = {1, 3, 5, 16};
    for (size_t i = 0; i < COUNT (lengths); ++i) {
        char out[20];
        OK (CALL (zmq_ctx_set_ext) (ctx, ZMQ_THREAD_NAME_PREFIX, "sixteen letters!", lengths[i]));
        for (size_t room = 0; room <= sizeof out; ++room) {
            if (room == 4)
                continue;
            size_t size = room;
            memset (out, '?', sizeof out);
            if (room < lengths[i]) {
                FAILS (CALL (zmq_ctx_get_ext) (ctx, ZMQ_THREAD_NAME_PREFIX, out, &size), EINVAL);
                continue;
            }
            OK (CALL (zmq_ctx_get_ext) (ctx, ZMQ_THREAD_NAME_PREFIX, out, &size));
            assert_memory_equal (out, "sixteen letters!", lengths[i]);
        }
    }
    FAILS (CALL (zmq_ctx_set_ext) (ctx, ZMQ_THREAD_NAME_PREFIX, "seventeen letters", 17), EINVAL);
    FAILS (CALL (zmq_ctx_set_ext) (ctx, ZMQ_THREAD_NAME_PREFIX, "", 0), EINVAL);
    OK (zmq_ctx_term (ctx));
}

static void context_options_by_address (void **state)
{
    (void) state;
    NEEDS_DRAFT (zmq_ctx_set_ext);
    void *ctx = zmq_ctx_new ();
    for (size_t i = 0; i < COUNT (ctx_rows); ++i) {
        const ctx_row_t *r = &ctx_rows[i];
        long long buffer = 0;
        for (size_t n = 0; n <= sizeof buffer; ++n) {
            int value = r->lowest;
            memcpy (&buffer, &value, sizeof value);
            size_t size = n;
            if (n == sizeof value && r->option == ZMQ_SOCKET_LIMIT)
                ; /* to be set, the number is that of ZMQ_THREAD_PRIORITY */
            else if (n == sizeof value && r->set)
                OK (CALL (zmq_ctx_set_ext) (ctx, r->option, &buffer, n));
            else
                FAILS (CALL (zmq_ctx_set_ext) (ctx, r->option, &buffer, n), EINVAL);
            if (n == sizeof value) {
                OK (CALL (zmq_ctx_get_ext) (ctx, r->option, &value, &size));
                assert_int_equal (size, 4);
                assert_int_equal (value, r->set ? r->lowest : r->value);
            } else
                FAILS (CALL (zmq_ctx_get_ext) (ctx, r->option, &buffer, &size), EINVAL);
        }
    }
    OK (zmq_ctx_term (ctx));
}

/* Threads of this process whose name fits. */
static int count_threads (const char *prefix)
{
    DIR *dir = opendir ("/proc/self/task");
    assert_non_null (dir);
    int found = 0;
    for (struct dirent *d; (d = readdir (dir));) {
        char path[300], name[64] = "";
        snprintf (path, sizeof path, "/proc/self/task/%s/comm", d->d_name);
        FILE *f = fopen (path, "r");
        if (!f)
            continue;
        if (fgets (name, sizeof name, f))
            found += strncmp (name, prefix, strlen (prefix)) == 0;
        fclose (f);
    }
    closedir (dir);
    return found;
}

static void wait_threads (const char *prefix, int expected)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    while (count_threads (prefix) != expected) {
        if (now_ms () > end)
            fail_msg ("%d threads called %s..., expected %d", count_threads (prefix), prefix,
                      expected);
        zmq_poll (NULL, 0, 1);
    }
}

/* Tern closes sockets without a thread for it. */
static int reapers (int contexts)
{
    return on_tern () ? 0 : contexts;
}

static void threads_start_with_the_first_socket (void **state)
{
    (void) state;
    wait_threads ("ZMQbg/", 0);
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_set (ctx, ZMQ_IO_THREADS, 3));
    assert_int_equal (count_threads ("ZMQbg/"), 0);
    void *s = new_socket (ctx, ZMQ_PAIR);
    wait_threads ("ZMQbg/Reaper", reapers (1));
    wait_threads ("ZMQbg/IO/", 3);
    wait_threads ("ZMQbg/IO/0", 1);
    wait_threads ("ZMQbg/IO/2", 1);
    /* Later changes are remembered, and that is all. */
    OK (zmq_ctx_set (ctx, ZMQ_IO_THREADS, 7));
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_NAME_PREFIX, 99));
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_IO_THREADS), 7);
    void *second = new_socket (ctx, ZMQ_PAIR);
    OK (zmq_bind (second, "tcp://127.0.0.1:*"));
    assert_int_equal (count_threads ("ZMQbg/IO/"), 3);
    close_now (s);
    close_now (second);
    OK (zmq_ctx_term (ctx));
    wait_threads ("ZMQbg/", 0);
}

static void threads_of_every_context_are_its_own (void **state)
{
    (void) state;
    void *ctx[3], *s[3];
    for (int i = 0; i < 3; ++i) {
        ctx[i] = zmq_init (i);
        assert_int_equal (zmq_ctx_get (ctx[i], ZMQ_IO_THREADS), i);
        s[i] = new_socket (ctx[i], ZMQ_PAIR);
    }
    wait_threads ("ZMQbg/Reaper", reapers (3));
    wait_threads ("ZMQbg/IO/", 3);
    for (int i = 0; i < 3; ++i) {
        close_now (s[i]);
        OK (zmq_term (ctx[i]));
    }
    wait_threads ("ZMQbg/", 0);
}

static void threads_have_the_prefix (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_set (ctx, ZMQ_THREAD_NAME_PREFIX, 42));
    void *s = new_socket (ctx, ZMQ_PAIR);
    wait_threads ("42/ZMQbg/Reaper\n", reapers (1));
    wait_threads ("42/ZMQbg/IO/0\n", 1);
    close_now (s);
    OK (zmq_ctx_term (ctx));
}

static void sockets_are_limited (void **state)
{
    (void) state;
    enum { LIMIT = 5 };
    void *ctx = zmq_ctx_new (), *s[LIMIT];
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, LIMIT));
    for (int i = 0; i < LIMIT; ++i)
        s[i] = new_socket (ctx, ZMQ_PAIR);
    for (int i = 0; i < 3; ++i) {
        errno = 0;
        assert_null (zmq_socket (ctx, ZMQ_PAIR));
        assert_int_equal (errno, EMFILE);
    }
    /* Too late. */
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 100));
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_MAX_SOCKETS), 100);
    assert_null (zmq_socket (ctx, ZMQ_PAIR));
    /* The place of a closed one is free soon. */
    OK (zmq_close (s[2]));
    const int64_t end = now_ms () + DEADLINE_MS;
    while (!(s[2] = zmq_socket (ctx, ZMQ_PAIR)))
        if (now_ms () > end)
            fail_msg ("the place is never free");
        else
            zmq_poll (NULL, 0, 1);
    assert_null (zmq_socket (ctx, ZMQ_PAIR));
    for (int i = 0; i < LIMIT; ++i)
        close_now (s[i]);
    OK (zmq_ctx_term (ctx));
}

static void the_socket_limit_may_be_high (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 100000));
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_MAX_SOCKETS), 100000);
    void *s = new_socket (ctx, ZMQ_PAIR);
    close_now (s);
    OK (zmq_ctx_term (ctx));
}

static void new_sockets_inherit_ipv6 (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    void *before = new_socket (ctx, ZMQ_PAIR);
    OK (zmq_ctx_set (ctx, ZMQ_IPV6, 1));
    void *after = new_socket (ctx, ZMQ_PAIR);
    assert_int_equal (get_int (before, ZMQ_IPV6), 0);
    assert_int_equal (get_int (before, ZMQ_IPV4ONLY), 1);
    assert_int_equal (get_int (after, ZMQ_IPV6), 1);
    assert_int_equal (get_int (after, ZMQ_IPV4ONLY), 0);
    close_now (before);
    close_now (after);
    OK (zmq_ctx_term (ctx));
}

static void new_sockets_inherit_blocky (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    void *before = new_socket (ctx, ZMQ_PUSH);
    OK (zmq_ctx_set (ctx, ZMQ_BLOCKY, 0));
    void *after = new_socket (ctx, ZMQ_PUSH);
    assert_int_equal (get_int (before, ZMQ_LINGER), -1);
    assert_int_equal (get_int (after, ZMQ_LINGER), 0);
    close_now (before);
    close_now (after);
    OK (zmq_ctx_term (ctx));
}

static void context_options_work_after_shutdown (void **state)
{
    (void) state;
    void *ctx = zmq_ctx_new ();
    OK (zmq_ctx_shutdown (ctx));
    for (size_t i = 0; i < COUNT (ctx_rows); ++i) {
        const ctx_row_t *r = &ctx_rows[i];
        assert_int_equal (zmq_ctx_get (ctx, r->option), r->value);
        if (r->set) {
            OK (zmq_ctx_set (ctx, r->option, 1));
            assert_int_equal (zmq_ctx_get (ctx, r->option), 1);
        }
    }
    FAILS (zmq_ctx_get (ctx, 999), EINVAL);
    OK (zmq_ctx_term (ctx));
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (TIM_1_ids_count_from_1),
        cmocka_unit_test (TIM_1_a_handler_is_needed),
        cmocka_unit_test (TIM_1_repeats_and_is_never_early),
        cmocka_unit_test (TIM_2_timeout_without_timers),
        cmocka_unit_test (TIM_2_timeout_is_that_of_the_earliest),
        cmocka_unit_test (TIM_2_timeout_of_something_due_is_0),
        cmocka_unit_test (TIM_2_intervals_may_be_long),
        cmocka_unit_test (TIM_3_the_earliest_expiry_comes_first),
        cmocka_unit_test (TIM_3_one_call_however_late),
        cmocka_unit_test (TIM_3_only_what_is_due),
        cmocka_unit_test (TIM_3_handlers_run_in_the_calling_thread),
        cmocka_unit_test (TIM_3_many_timers),
        cmocka_unit_test (TIM_4_cancel),
        cmocka_unit_test (TIM_4_a_handler_may_cancel_its_own_timer),
        cmocka_unit_test (TIM_4_a_handler_may_cancel_another_due_timer),
        cmocka_unit_test (a_handler_may_add_a_timer),
        cmocka_unit_test (TIM_5_reset_restarts_the_period),
        cmocka_unit_test (TIM_5_set_interval_restarts_the_period),
        cmocka_unit_test (TIM_5_a_cancelled_timer_does_not_come_back),
        cmocka_unit_test (TIM_6_interval_0_runs_once_per_execute),
        cmocka_unit_test (TIM_6_a_handler_may_change_its_own_timer),
        cmocka_unit_test (TIM_7_destroy_clears_the_pointer),
        cmocka_unit_test (ATO_1_counter),
        cmocka_unit_test (ATO_1_counter_in_many_threads),
        cmocka_unit_test (ATO_1_exactly_one_sees_zero),
        cmocka_unit_test (UTL_1_threads),
        cmocka_unit_test (UTL_2_stopwatch_counts_microseconds),
        cmocka_unit_test (UTL_2_sleep_counts_seconds),
        cmocka_unit_test (UTL_3_has),
        cmocka_unit_test (UTL_3_has_tells_the_truth),
        cmocka_unit_test (strerror_texts),
        cmocka_unit_test (errno_belongs_to_the_thread),
        cmocka_unit_test (z85_vectors_both_ways),
        cmocka_unit_test (z85_alphabet_is_complete),
        cmocka_unit_test (z85_there_and_back),
        cmocka_unit_test (z85_encode_lengths),
        cmocka_unit_test (z85_decode_refuses),
        cmocka_unit_test (keypairs),
        cmocka_unit_test (public_keys_of_known_secrets),
        cmocka_unit_test (refused_secrets_leave_the_buffer_alone),
        cmocka_unit_test (keypairs_in_many_threads),
        cmocka_unit_test (context_defaults),
        cmocka_unit_test (context_values),
        cmocka_unit_test (context_number_3_has_two_meanings),
        cmocka_unit_test (context_cpus_are_a_set),
        cmocka_unit_test (context_prefix_is_a_number_of_4_bytes),
        cmocka_unit_test (context_prefix_of_bytes),
        cmocka_unit_test (context_options_by_address),
        cmocka_unit_test (threads_start_with_the_first_socket),
        cmocka_unit_test (threads_of_every_context_are_its_own),
        cmocka_unit_test (threads_have_the_prefix),
        cmocka_unit_test (sockets_are_limited),
        cmocka_unit_test (the_socket_limit_may_be_high),
        cmocka_unit_test (new_sockets_inherit_ipv6),
        cmocka_unit_test (new_sockets_inherit_blocky),
        cmocka_unit_test (context_options_work_after_shutdown),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
