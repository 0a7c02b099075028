/* zmq_poller_* and zmq_ppoll: sections 7 and 8 of functions.md, POL-1..9 of flow.md. Every test runs
 * with ordinary and with thread-safe sockets. */
#include "draft_support.h"

#include <signal.h>

/* A socket that receives and its peer, thread-safe or not. */
static void open_kind(const char *transport, bool safe, void **in, void **out) {
    open_pair(safe ? ZMQ_GATHER : ZMQ_PULL, safe ? ZMQ_SCATTER : ZMQ_PUSH, transport, in, out);
}

static void *new_poller(void) {
    void *p = DRAFT(zmq_poller_new)();
    assert_non_null(p);
    return p;
}

static void end_poller(void *p) {
    OK(DRAFT(zmq_poller_destroy)(&p));
    assert_null(p);
}

static int add(void *p, void *s, void *data, short events) {
    return DRAFT(zmq_poller_add)(p, s, data, events);
}

static int wait_one(void *p, zmq_poller_event_t *event, long timeout) {
    memset(event, 0xee, sizeof *event);
    return DRAFT(zmq_poller_wait)(p, event, timeout);
}

static void expect_event(void *p, void *s, int fd, void *data, short events, int line) {
    zmq_poller_event_t e;
    if (wait_one(p, &e, DEADLINE_MS) != 0)
        fail_msg("line %d: %s", line, zmq_strerror(zmq_errno()));
    if (e.socket != s || e.fd != fd || e.user_data != data || e.events != events)
        fail_msg("line %d: event %d of %p, fd %d", line, e.events, e.socket, e.fd);
}
#define EVENT(p, s, fd, data, events) expect_event(p, s, fd, data, events, __LINE__)

static void expect_timeout(void *p, long timeout) {
    zmq_poller_event_t e;
    FAILS(wait_one(p, &e, timeout), EAGAIN);
    assert_null(e.socket);
    assert_int_equal(e.fd, -1);
    assert_null(e.user_data);
    assert_int_equal(e.events, 0);
}

static void PLR_4_waits_for_sockets(void **state) {
    NEED_DRAFT();
    for (int safe = 0; safe < 2; safe++) {
        int data;
        void *in, *out, *p = new_poller();
        open_kind(*state, safe, &in, &out);
        OK(add(p, in, &data, ZMQ_POLLIN));
        expect_timeout(p, 0);
        expect_timeout(p, 20);
        SEND(out, "1");
        EVENT(p, in, -1, &data, ZMQ_POLLIN);
        EVENT(p, in, -1, &data, ZMQ_POLLIN); /* POL-1: level-triggered */
        EXPECT(in, "1");
        expect_timeout(p, 0);
        SEND(out, "2");
        EVENT(p, in, -1, &data, ZMQ_POLLIN);
        EXPECT(in, "2");
        end_poller(p);
    }
}

static void PLR_2_only_what_is_wanted_is_reported(void **state) {
    (void)state;
    NEED_DRAFT();
    for (int safe = 0; safe < 2; safe++) {
        void *a, *b, *p = new_poller();
        open_pair(safe ? ZMQ_CHANNEL : ZMQ_PAIR, safe ? ZMQ_CHANNEL : ZMQ_PAIR, "inproc", &a, &b);
        OK(add(p, a, NULL, ZMQ_POLLIN | ZMQ_POLLOUT | ZMQ_POLLERR | ZMQ_POLLPRI));
        EVENT(p, a, -1, NULL, ZMQ_POLLOUT);
        SEND(b, "x");
        EVENT(p, a, -1, NULL, ZMQ_POLLIN | ZMQ_POLLOUT);
        OK(DRAFT(zmq_poller_modify)(p, a, ZMQ_POLLIN));
        EVENT(p, a, -1, NULL, ZMQ_POLLIN);
        EXPECT(a, "x");
        expect_timeout(p, 0);
        OK(DRAFT(zmq_poller_modify)(p, a, 0));
        expect_timeout(p, 10);
        OK(DRAFT(zmq_poller_modify)(p, a, ZMQ_POLLOUT));
        EVENT(p, a, -1, NULL, ZMQ_POLLOUT);
        end_poller(p);
    }
}

static void PLR_4_waits_for_descriptors(void **state) {
    (void)state;
    NEED_DRAFT();
    int ends[2], data;
    assert_int_equal(pipe(ends), 0);
    keep_file(ends[0]);
    keep_file(ends[1]);
    void *p = new_poller();
    OK(DRAFT(zmq_poller_add_fd)(p, ends[0], &data, ZMQ_POLLIN));
    expect_timeout(p, 10);
    assert_int_equal(write(ends[1], "x", 1), 1);
    EVENT(p, NULL, ends[0], &data, ZMQ_POLLIN);
    OK(DRAFT(zmq_poller_modify_fd)(p, ends[0], 0));
    expect_timeout(p, 0);
    OK(DRAFT(zmq_poller_add_fd)(p, ends[1], NULL, ZMQ_POLLOUT));
    EVENT(p, NULL, ends[1], NULL, ZMQ_POLLOUT);
    OK(DRAFT(zmq_poller_remove_fd)(p, ends[0]));
    assert_int_equal(DRAFT(zmq_poller_size)(p), 1);
    OK(DRAFT(zmq_poller_remove_fd)(p, ends[1]));
    end_poller(p);
}

static void PLR_2_3_wait_all_fills_in_the_order_of_registration(void **state) {
    NEED_DRAFT();
    enum { KINDS = 4 };
    void *in[KINDS], *out[KINDS], *p = new_poller();
    zmq_poller_event_t events[6];
    for (int i = 0; i < KINDS; i++) {
        open_kind(*state, i % 2, &in[i], &out[i]);
        OK(add(p, in[i], &in[i], ZMQ_POLLIN));
    }
    assert_int_equal(DRAFT(zmq_poller_size)(p), KINDS);
    for (int i = KINDS; i-- > 0;) SEND(out[i], "x");
    for (int i = 0; i < KINDS; i++) wait_events(in[i], ZMQ_POLLIN);
    assert_int_equal(DRAFT(zmq_poller_wait_all)(p, events, 6, DEADLINE_MS), KINDS);
    for (int i = 0; i < KINDS; i++) {
        assert_ptr_equal(events[i].socket, in[i]);
        assert_ptr_equal(events[i].user_data, &in[i]);
        assert_int_equal(events[i].events, ZMQ_POLLIN);
    }
    for (int i = KINDS; i < 6; i++) {
        assert_null(events[i].socket);
        assert_int_equal(events[i].fd, -1);
        assert_int_equal(events[i].events, 0);
    }
    assert_int_equal(DRAFT(zmq_poller_wait_all)(p, events, 2, 0), 2);
    assert_ptr_equal(events[1].socket, in[1]);
    FAILS(DRAFT(zmq_poller_wait_all)(p, events, 0, 0), EAGAIN);
    OK(DRAFT(zmq_poller_remove)(p, in[0]));
    EXPECT(in[1], "x");
    assert_int_equal(DRAFT(zmq_poller_wait_all)(p, events, 6, 0), 2);
    assert_ptr_equal(events[0].socket, in[2]);
    end_poller(p);
}

static void *send_soon(void *out) {
    poll(NULL, 0, 30);
    zmq_send(out, "x", 1, 0);
    return NULL;
}

static void PLR_4_wakes_for_what_comes_during_the_wait(void **state) {
    NEED_DRAFT();
    for (int safe = 0; safe < 2; safe++) {
        pthread_t thread;
        void *in, *out, *other, *unused, *p = new_poller();
        open_kind(*state, safe, &in, &out);
        open_kind(*state, !safe, &other, &unused);
        OK(add(p, other, NULL, ZMQ_POLLIN));
        OK(add(p, in, NULL, ZMQ_POLLIN));
        assert_int_equal(pthread_create(&thread, NULL, send_soon, out), 0);
        EVENT(p, in, -1, NULL, ZMQ_POLLIN);
        pthread_join(thread, NULL);
        end_poller(p);
    }
}

static void PLR_9_a_closed_socket_stays_registered_and_is_noticed(void **state) {
    (void)state;
    NEED_DRAFT();
    for (int safe = 0; safe < 2; safe++) {
        zmq_poller_event_t e;
        void *s = open_socket(safe ? ZMQ_GATHER : ZMQ_PULL), *p = new_poller();
        OK(add(p, s, NULL, ZMQ_POLLIN));
        close_socket(s);
        assert_int_equal(DRAFT(zmq_poller_size)(p), 1);
        FAILS(DRAFT(zmq_poller_remove)(p, s), ENOTSOCK);
        FAILS(wait_one(p, &e, 0), ENOTSOCK);
        end_poller(p);
    }
}

static void PLR_8_ETERM(void **state) {
    (void)state;
    NEED_DRAFT();
    for (int safe = 0; safe < 2; safe++) {
        zmq_poller_event_t e;
        void *ctx = zmq_ctx_new(), *s = new_socket(ctx, safe ? ZMQ_GATHER : ZMQ_PULL);
        void *p = new_poller();
        OK(add(p, s, NULL, ZMQ_POLLIN));
        OK(zmq_ctx_shutdown(ctx));
        FAILS(wait_one(p, &e, -1), ETERM);
        end_poller(p);
        close_now(s);
        OK(zmq_ctx_term(ctx));
    }
}

static void PLR_1_what_may_be_registered(void **state) {
    (void)state;
    NEED_DRAFT();
    int ends[2];
    void *s = open_socket(ZMQ_PULL), *other = open_socket(ZMQ_PULL), *p = new_poller();
    assert_int_equal(pipe(ends), 0);
    keep_file(ends[0]);
    keep_file(ends[1]);
    OK(add(p, s, NULL, 0));
    FAILS(add(p, s, NULL, ZMQ_POLLIN), EINVAL);
    FAILS(add(p, other, NULL, 16), EINVAL);
    FAILS(add(p, other, NULL, -1), EINVAL);
    FAILS(add(p, p, NULL, ZMQ_POLLIN), ENOTSOCK);
    FAILS(DRAFT(zmq_poller_modify)(p, other, ZMQ_POLLIN), EINVAL);
    FAILS(DRAFT(zmq_poller_modify)(p, s, 16), EINVAL);
    FAILS(DRAFT(zmq_poller_remove)(p, other), EINVAL);
    FAILS(DRAFT(zmq_poller_add_fd)(p, -1, NULL, ZMQ_POLLIN), EBADF);
    OK(DRAFT(zmq_poller_add_fd)(p, ends[0], NULL, ZMQ_POLLIN | ZMQ_POLLERR | ZMQ_POLLPRI));
    FAILS(DRAFT(zmq_poller_add_fd)(p, ends[0], NULL, ZMQ_POLLIN), EINVAL);
    FAILS(DRAFT(zmq_poller_modify_fd)(p, ends[1], ZMQ_POLLIN), EINVAL);
    FAILS(DRAFT(zmq_poller_remove_fd)(p, ends[1]), EINVAL);
    assert_int_equal(DRAFT(zmq_poller_size)(p), 2);
    end_poller(p);
}

static void PLR_5_nothing_to_wait_for(void **state) {
    (void)state;
    NEED_DRAFT();
    zmq_poller_event_t e;
    void *s = open_socket(ZMQ_PUB), *p = new_poller();
    for (int registered = 0; registered < 2; registered++) {
        if (registered) OK(add(p, s, NULL, 0));
        const int64_t begin = now_ms();
        expect_timeout(p, 30);
        assert_true(now_ms() - begin >= 29);
        FAILS(wait_one(p, &e, -1), EFAULT);
    }
    end_poller(p);
}

static void PLR_6_bad_handles(void **state) {
    (void)state;
    NEED_DRAFT();
    zmq_poller_event_t e;
    int fd;
    void *s = open_socket(ZMQ_PAIR), *p = new_poller(), *gone = p, *not_one = s;
    end_poller(p);
    void *const bad[] = {NULL, gone, s, kit.ctx};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        FAILS(DRAFT(zmq_poller_size)(bad[i]), EFAULT);
        FAILS(add(bad[i], s, NULL, 1), EFAULT);
        FAILS(DRAFT(zmq_poller_modify)(bad[i], s, 1), EFAULT);
        FAILS(DRAFT(zmq_poller_remove)(bad[i], s), EFAULT);
        FAILS(DRAFT(zmq_poller_add_fd)(bad[i], 0, NULL, 1), EFAULT);
        FAILS(DRAFT(zmq_poller_modify_fd)(bad[i], 0, 1), EFAULT);
        FAILS(DRAFT(zmq_poller_remove_fd)(bad[i], 0), EFAULT);
        FAILS(DRAFT(zmq_poller_wait)(bad[i], &e, 0), EFAULT);
        FAILS(DRAFT(zmq_poller_wait_all)(bad[i], &e, 1, 0), EFAULT);
        FAILS(DRAFT(zmq_poller_fd)(bad[i], &fd), EFAULT);
    }
    p = new_poller();
    OK(add(p, s, NULL, ZMQ_POLLIN));
    FAILS(DRAFT(zmq_poller_wait)(p, NULL, 0), EFAULT);
    FAILS(DRAFT(zmq_poller_wait_all)(p, NULL, 1, 0), EFAULT);
    FAILS(DRAFT(zmq_poller_wait_all)(p, &e, -1, 0), EINVAL);
    end_poller(p);
    FAILS(DRAFT(zmq_poller_destroy)(NULL), EFAULT);
    FAILS(DRAFT(zmq_poller_destroy)(&gone), EFAULT);
    FAILS(DRAFT(zmq_poller_destroy)(&not_one), EFAULT);
}

static bool readable(int fd, int timeout_ms) {
    struct pollfd item = {.fd = fd, .events = POLLIN};
    return poll(&item, 1, timeout_ms) == 1;
}

/* An event loop waits for the descriptor, then calls zmq_poller_wait until EAGAIN. */
static void PLR_7_fd_tells_when_to_wait(void **state) {
    NEED_DRAFT();
    int fd;
    void *in, *out, *p = new_poller();
    open_kind(*state, true, &in, &out);
    FAILS(DRAFT(zmq_poller_fd)(p, &fd), EINVAL);
    OK(add(p, in, NULL, ZMQ_POLLIN));
    OK(DRAFT(zmq_poller_fd)(p, &fd));
    for (int i = 0; i < 100; i++) {
        SEND(out, "x");
        const int64_t end = now_ms() + DEADLINE_MS;
        int received = 0;
        while (received == 0) { /* it may also tell of a connection */
            zmq_poller_event_t e;
            assert_true(now_ms() < end && readable(fd, DEADLINE_MS));
            while (wait_one(p, &e, 0) == 0) {
                EXPECT(in, "x");
                ++received;
            }
            assert_int_equal(zmq_errno(), EAGAIN);
        }
    }
    let_notice(in);
    expect_timeout(p, 0);
    assert_false(readable(fd, 0));
    /* What is there already when the socket is added is told, too. */
    void *later = new_poller();
    SEND(out, "y");
    wait_events(in, ZMQ_POLLIN);
    OK(add(later, in, NULL, ZMQ_POLLIN));
    OK(DRAFT(zmq_poller_fd)(later, &fd));
    assert_true(readable(fd, 0));
    EVENT(later, in, -1, NULL, ZMQ_POLLIN);
    OK(DRAFT(zmq_poller_remove)(later, in));
    end_poller(later);
    end_poller(p);
    EXPECT(in, "y");
}

/* ---- zmq_poll with thread-safe sockets ---- */

static void POL_9_thread_safe_sockets_in_a_list(void **state) {
    NEED_DRAFT();
    int ends[2];
    void *in, *out, *pull, *push;
    open_kind(*state, true, &in, &out);
    open_kind(*state, false, &pull, &push);
    assert_int_equal(pipe(ends), 0);
    keep_file(ends[0]);
    keep_file(ends[1]);
    zmq_pollitem_t items[3] = {
        {in, 0, ZMQ_POLLIN, 9}, {pull, 0, ZMQ_POLLIN, 9}, {NULL, ends[0], ZMQ_POLLIN, 9}};
    assert_int_equal(zmq_poll(items, 3, 20), 0);
    for (int i = 0; i < 3; i++) assert_int_equal(items[i].revents, 0);
    SEND(out, "1");
    assert_int_equal(zmq_poll(items, 3, DEADLINE_MS), 1);
    assert_int_equal(items[0].revents, ZMQ_POLLIN);
    EXPECT(in, "1");
    SEND(push, "2");
    assert_int_equal(zmq_poll(items, 3, DEADLINE_MS), 1);
    assert_int_equal(items[1].revents, ZMQ_POLLIN);
    EXPECT(pull, "2");
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(zmq_poll(items, 3, DEADLINE_MS), 1);
    assert_int_equal(items[2].revents, ZMQ_POLLIN);
}

static void POL_9_rules_of_such_a_list(void **state) {
    (void)state;
    NEED_DRAFT();
    int ends[2];
    void *in, *out;
    open_kind("inproc", true, &in, &out);
    zmq_pollitem_t unknown = {in, 0, 64, 0};
    FAILS(zmq_poll(&unknown, 1, 0), EINVAL);
    zmq_pollitem_t no_fd[2] = {{in, 0, ZMQ_POLLIN, 0}, {NULL, -1, ZMQ_POLLIN, 0}};
    FAILS(zmq_poll(no_fd, 2, 0), EBADF);
    zmq_pollitem_t nothing = {in, 0, 0, 0};
    FAILS(zmq_poll(&nothing, 1, -1), EFAULT);
    assert_int_equal(zmq_poll(&nothing, 1, 0), 0);
    SEND(out, "x");
    zmq_pollitem_t twice[2] = {{in, 0, ZMQ_POLLIN, 0}, {in, 0, ZMQ_POLLIN, 0}};
    assert_int_equal(zmq_poll(twice, 2, DEADLINE_MS), 1);
    assert_int_equal(twice[0].revents, ZMQ_POLLIN);
    assert_int_equal(twice[1].revents, ZMQ_POLLIN);
    EXPECT(in, "x");
    assert_int_equal(pipe(ends), 0);
    close(ends[1]); /* POLLHUP: counted, shown only to those who ask for POLLERR */
    keep_file(ends[0]);
    zmq_pollitem_t hung_up[2] = {{in, 0, ZMQ_POLLIN, 0}, {NULL, ends[0], ZMQ_POLLIN, 0}};
    assert_int_equal(zmq_poll(hung_up, 2, DEADLINE_MS), 1);
    assert_int_equal(hung_up[1].revents, 0);
}

/* ---- zmq_ppoll ---- */

static void *ppoll_sender(void *out) {
    poll(NULL, 0, 20);
    zmq_send(out, "x", 1, 0);
    return NULL;
}

static void PPOLL_as_poll(void **state) {
    NEED_DRAFT();
    pthread_t thread;
    void *in, *out;
    open_kind(*state, false, &in, &out);
    zmq_pollitem_t item = {in, 0, ZMQ_POLLIN, 0};
    sigset_t none;
    sigemptyset(&none);
    assert_int_equal(DRAFT(zmq_ppoll)(&item, 1, 10, NULL), 0);
    assert_int_equal(DRAFT(zmq_ppoll)(&item, 1, 10, &none), 0);
    assert_int_equal(pthread_create(&thread, NULL, ppoll_sender, out), 0);
    assert_int_equal(DRAFT(zmq_ppoll)(&item, 1, DEADLINE_MS, &none), 1);
    assert_int_equal(item.revents, ZMQ_POLLIN);
    pthread_join(thread, NULL);
    item.socket = open_socket(ZMQ_GATHER);
    FAILS(DRAFT(zmq_ppoll)(&item, 1, 0, NULL), EINVAL);
}

static volatile sig_atomic_t handled;
static void handle(int number) { handled = number; }

/* The signal is blocked all the time but for the wait. */
static void PPOLL_swaps_the_signal_mask(void **state) {
    (void)state;
    NEED_DRAFT();
    const long timeouts[] = {DEADLINE_MS, -1, 0};
    struct sigaction action = {.sa_handler = handle}, before;
    sigset_t blocked, old, open;
    zmq_pollitem_t item = {open_socket(ZMQ_PULL), 0, ZMQ_POLLIN, 0};
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &blocked, &old), 0);
    open = old;
    sigdelset(&open, SIGUSR1);
    for (size_t i = 0; i < sizeof timeouts / sizeof timeouts[0]; i++) {
        handled = 0;
        assert_int_equal(pthread_kill(pthread_self(), SIGUSR1), 0);
        assert_int_equal(DRAFT(zmq_ppoll)(&item, 1, 0, NULL), 0);
        assert_int_equal(handled, 0);
        FAILS(DRAFT(zmq_ppoll)(&item, 1, timeouts[i], &open), EINTR);
        assert_int_equal(handled, SIGUSR1);
    }
    assert_int_equal(pthread_sigmask(SIG_SETMASK, &old, NULL), 0);
    sigaction(SIGUSR1, &before, NULL);
}

static pthread_t waiter;
static atomic_int stop_pinging;

static void *ping(void *unused) {
    (void)unused;
    while (!stop_pinging) {
        poll(NULL, 0, 10);
        pthread_kill(waiter, SIGUSR1);
    }
    return NULL;
}

/* PLR-8, and the table of devices.md section 4. */
static void PLR_8_a_signal_ends_the_waits_of_pollers(void **state) {
    (void)state;
    NEED_DRAFT();
    struct sigaction action = {.sa_handler = handle}, before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    waiter = pthread_self();
    for (int safe = 0; safe < 2; safe++) {
        pthread_t thread;
        zmq_poller_event_t e;
        void *s = open_socket(safe ? ZMQ_GATHER : ZMQ_PULL), *p = new_poller();
        OK(add(p, s, NULL, ZMQ_POLLIN));
        zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
        stop_pinging = 0;
        assert_int_equal(pthread_create(&thread, NULL, ping, NULL), 0);
        FAILS(wait_one(p, &e, -1), EINTR);
        FAILS(wait_one(p, &e, DEADLINE_MS), EINTR);
        FAILS(zmq_poll(&item, 1, -1), EINTR);
        stop_pinging = 1;
        pthread_join(thread, NULL);
        end_poller(p);
    }
    sigaction(SIGUSR1, &before, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(PLR_4_waits_for_sockets),
        ONCE(PLR_2_only_what_is_wanted_is_reported),
        ONCE(PLR_4_waits_for_descriptors),
        ON_ALL(PLR_2_3_wait_all_fills_in_the_order_of_registration),
        ON_ALL(PLR_4_wakes_for_what_comes_during_the_wait),
        ONCE(PLR_9_a_closed_socket_stays_registered_and_is_noticed),
        ONCE(PLR_8_ETERM),
        ONCE(PLR_1_what_may_be_registered),
        ONCE(PLR_5_nothing_to_wait_for),
        ONCE(PLR_6_bad_handles),
        ON_ALL(PLR_7_fd_tells_when_to_wait),
        ON_ALL(POL_9_thread_safe_sockets_in_a_list),
        ONCE(POL_9_rules_of_such_a_list),
        ON_ALL(PPOLL_as_poll),
        ONCE(PPOLL_swaps_the_signal_mask),
        ONCE(PLR_8_a_signal_ends_the_waits_of_pollers),
    };
    return RUN(tests);
}
