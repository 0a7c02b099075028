/* ZMQ_FD and ZMQ_EVENTS, the contract on which event loops of bindings are built: flow.md section 3
 * (FD-*). */
#include "flow_support.h"

#include <fcntl.h>

static const char *const transports[] = {"inproc", "tcp", "ipc"};

static int fd_of(void *s) { return get_int(s, ZMQ_FD); }

static bool readable(int fd, int timeout_ms) {
    struct pollfd p = {fd, POLLIN, 0};
    const int n = poll(&p, 1, timeout_ms);
    assert_int_not_equal(n, -1);
    return n == 1 && (p.revents & POLLIN);
}

/* FD-6, steps (a) to (c): true when one of `wanted` is there. Never looks at EVENTS twice without
 * the fd between. */
static bool await_events_by_fd(void *s, short wanted) {
    const int64_t end = now_ms() + DEADLINE_MS;
    while (!(events_of(s) & wanted)) {
        if (now_ms() > end || !readable(fd_of(s), DEADLINE_MS)) return false;
    }
    return true;
}

/* PAIRs over inproc with all signals consumed on `a`. */
static void quiet_pair(void *ctx, void **a, void **b) {
    *a = new_socket(ctx, ZMQ_PAIR);
    *b = new_socket(ctx, ZMQ_PAIR);
    join_sockets(*a, *b, "inproc");
    assert_int_equal(events_of(*a), ZMQ_POLLOUT);
    assert_int_equal(events_of(*b), ZMQ_POLLOUT);
    assert_false(readable(fd_of(*a), 0));
}

static void FD_1_one_descriptor_for_the_life_of_the_socket(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *a = new_socket(ctx, ZMQ_PAIR), *b = new_socket(ctx, ZMQ_PAIR);
    const int fd = fd_of(a);
    assert_true(fd >= 0);
    assert_int_not_equal(fcntl(fd, F_GETFD), -1);
    assert_int_not_equal(fd, fd_of(b));
    bind_on(a, "tcp", endpoint);
    assert_int_equal(fd_of(a), fd);
    OK(zmq_connect(b, endpoint));
    send_text(b, "x", 0);
    expect_text(a, "x");
    assert_int_equal(fd_of(a), fd);
    send_text(a, "y", 0);
    expect_text(b, "y");
    OK(zmq_unbind(a, endpoint));
    assert_int_equal(fd_of(a), fd);
    close_now(a);
    close_now(b);
    end_context(ctx);
}

static void FD_1_every_classic_type_has_one(void **state) {
    (void)state;
    static const int types[] = {ZMQ_PAIR,   ZMQ_PUB,  ZMQ_SUB,  ZMQ_REQ,  ZMQ_REP,  ZMQ_DEALER,
                                ZMQ_ROUTER, ZMQ_PULL, ZMQ_PUSH, ZMQ_XPUB, ZMQ_XSUB, ZMQ_STREAM};
    void *ctx = new_context();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        void *s = new_socket(ctx, types[i]);
        int fd = -1;
        size_t size = sizeof fd;
        OK(zmq_getsockopt(s, ZMQ_FD, &fd, &size));
        assert_int_equal(size, sizeof(int));
        assert_int_not_equal(fcntl(fd, F_GETFD), -1);
        (void)events_of(s);
        assert_false(readable(fd, 0));
        close_now(s);
    }
    end_context(ctx);
}

static void FD_2_the_signal_is_an_edge(void **state) {
    (void)state;
    void *ctx = new_context(), *a, *b;
    quiet_pair(ctx, &a, &b);
    const int fd = fd_of(a);
    send_text(b, "one", 0);
    send_text(b, "two", 0);
    /* It stays readable until the library is called. */
    for (int i = 0; i < 3; i++) assert_true(readable(fd, DEADLINE_MS));
    assert_int_equal(events_of(a), ZMQ_POLLIN | ZMQ_POLLOUT);
    assert_false(readable(fd, 0));
    char buffer[8];
    assert_int_equal(zmq_recv(a, buffer, sizeof buffer, ZMQ_DONTWAIT), 3);
    assert_false(readable(fd, 0));
    assert_int_equal(events_of(a), ZMQ_POLLIN | ZMQ_POLLOUT);
    assert_int_equal(zmq_recv(a, buffer, sizeof buffer, ZMQ_DONTWAIT), 3);
    assert_memory_equal(buffer, "two", 3);
    assert_int_equal(events_of(a), ZMQ_POLLOUT);
    assert_false(readable(fd, 0));
    close_now(a);
    close_now(b);
    end_context(ctx);
}

static void FD_2_recv_consumes_the_signal(void **state) {
    (void)state;
    void *ctx = new_context(), *a, *b;
    quiet_pair(ctx, &a, &b);
    send_text(b, "one", 0);
    assert_true(readable(fd_of(a), DEADLINE_MS));
    char buffer[8];
    assert_int_equal(zmq_recv(a, buffer, sizeof buffer, 0), 3);
    FAILS(zmq_recv(a, buffer, sizeof buffer, ZMQ_DONTWAIT), EAGAIN);
    assert_false(readable(fd_of(a), 0));
    close_now(a);
    close_now(b);
    end_context(ctx);
}

static void FD_3_after_EVENTS_said_none_every_arrival_is_announced(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *pull = new_socket(ctx, ZMQ_PULL), *push = new_socket(ctx, ZMQ_PUSH);
        join_sockets(pull, push, transports[t]);
        for (int32_t i = 0; i < 200; i++) {
            while (events_of(pull) & ZMQ_POLLIN) fail_msg("POLLIN without a message");
            assert_int_equal(zmq_send(push, &i, sizeof i, 0), sizeof i);
            assert_true(await_events_by_fd(pull, ZMQ_POLLIN));
            int32_t number = -1;
            assert_int_equal(zmq_recv(pull, &number, sizeof number, ZMQ_DONTWAIT), sizeof number);
            assert_int_equal(number, i);
        }
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void FD_3_bursts_are_read_to_the_end_by_the_recipe(void **state) {
    (void)state;
    enum { COUNT = 3000 };
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *pull = new_limited(ctx, ZMQ_PULL, -1, 10), *push = new_limited(ctx, ZMQ_PUSH, 10, -1);
        join_sockets(pull, push, transports[t]);
        int32_t sent = 0, received = 0;
        while (received < COUNT) {
            while (sent < COUNT && (events_of(push) & ZMQ_POLLOUT)) {
                assert_int_equal(zmq_send(push, &sent, sizeof sent, ZMQ_DONTWAIT), sizeof sent);
                sent++;
            }
            if (received == sent) { /* all have arrived before the news of the room they left */
                assert_true(await_events_by_fd(push, ZMQ_POLLOUT));
                continue;
            }
            assert_true(await_events_by_fd(pull, ZMQ_POLLIN));
            do {
                int32_t number = -1;
                assert_int_equal(zmq_recv(pull, &number, sizeof number, ZMQ_DONTWAIT),
                                 sizeof number);
                assert_int_equal(number, received);
                received++;
            } while (events_of(pull) & ZMQ_POLLIN);
        }
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void FD_4_readable_need_not_mean_a_message(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        char endpoint[256], byte;
        void *rep = new_socket(ctx, ZMQ_REP);
        bind_on(rep, transports[t], endpoint);
        assert_int_equal(events_of(rep), 0);
        for (int i = 0; i < 3; i++) {
            void *req = new_socket(ctx, ZMQ_REQ);
            OK(zmq_connect(req, endpoint));
            /* Whatever the descriptor says about the new and the lost connection, there is no
             * message. */
            wait_events(req, ZMQ_POLLOUT);
            (void)readable(fd_of(rep), 20);
            assert_int_equal(events_of(rep), 0);
            close_now(req);
            (void)readable(fd_of(rep), 20);
            assert_int_equal(events_of(rep), 0);
            FAILS(zmq_recv(rep, &byte, 1, ZMQ_DONTWAIT), EAGAIN);
        }
        close_now(rep);
        end_context(ctx);
    }
}

/* The socket takes the news that made its descriptor readable; the descriptor is reported all the same,
 * whether it was ready before the call or became so while it slept. (CZMQ's zpoller does this.) */
static void FD_4_a_socket_and_its_own_descriptor_in_one_poll(void **state) {
    (void)state;
    for (int is_early = 0; is_early < 2; is_early++) {
        void *ctx = new_context();
        char endpoint[256];
        void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
        bind_on(push, "tcp", endpoint);
        zmq_pollitem_t items[] = {{pull, 0, ZMQ_POLLIN, 0}, {NULL, fd_of(pull), ZMQ_POLLIN, 0}};
        assert_int_equal(zmq_poll(items, 2, 0), 0);
        OK(zmq_connect(pull, endpoint));
        if (is_early) wait_events(push, ZMQ_POLLOUT);
        const int n = zmq_poll(items, 2, DEADLINE_MS);
        assert_int_equal(n, 1);
        assert_int_equal(items[0].revents, 0);
        assert_int_equal(items[1].revents, ZMQ_POLLIN);
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

/* The descriptor is asked for late, and nobody has asked for events. */
static void FD_2_what_came_before_the_descriptor_is_signalled(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *a = new_socket(ctx, ZMQ_PAIR), *b = new_socket(ctx, ZMQ_PAIR);
        char endpoint[256];
        bind_on(a, transports[t], endpoint);
        OK(zmq_connect(b, endpoint));
        wait_events(b, ZMQ_POLLOUT);
        send_text(b, "x", 0);
        assert_true(readable(fd_of(a), DEADLINE_MS));
        expect_text(a, "x");
        close_now(a);
        close_now(b);
        end_context(ctx);
    }
}

/* A connection that is up already when the descriptor of the connecting side is asked for. */
static void FD_4_a_connection_before_the_descriptor_is_signalled(void **state) {
    (void)state;
    for (int t = 1; t < 3; t++) {
        void *ctx = new_context();
        char endpoint[256];
        void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
        bind_on(push, transports[t], endpoint);
        OK(zmq_connect(pull, endpoint));
        wait_events(push, ZMQ_POLLOUT);
        poll(NULL, 0, 20); /* most likely up here as well; if not it is signalled later */
        assert_true(readable(fd_of(pull), DEADLINE_MS));
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void FD_4_a_message_between_EVENTS_and_the_first_descriptor(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        void *a = new_socket(ctx, ZMQ_PAIR), *b = new_socket(ctx, ZMQ_PAIR);
        join_sockets(a, b, transports[t]);
        assert_false(events_of(a) & ZMQ_POLLIN);
        send_text(b, "news", 0);
        assert_true(readable(fd_of(a), DEADLINE_MS));
        assert_true(await_events_by_fd(a, ZMQ_POLLIN));
        expect_text(a, "news");
        close_now(a);
        close_now(b);
        end_context(ctx);
    }
}

static void FD_4_a_PUB_is_told_of_subscriptions(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        char endpoint[256];
        void *pub = new_socket(ctx, ZMQ_PUB), *sub = new_socket(ctx, ZMQ_SUB);
        bind_on(pub, transports[t], endpoint);
        assert_int_equal(events_of(pub), ZMQ_POLLOUT);
        subscribe(sub, "");
        OK(zmq_connect(sub, endpoint));
        /* Events are all the PUB has to do with: never POLLIN. Serving them is enough for the
         * subscription. */
        const int64_t end = now_ms() + DEADLINE_MS;
        zmq_pollitem_t item = {sub, 0, ZMQ_POLLIN, 0};
        do {
            (void)readable(fd_of(pub), 10);
            assert_int_equal(events_of(pub), ZMQ_POLLOUT);
            send_text(pub, "news", 0);
            assert_true(now_ms() < end);
        } while (zmq_poll(&item, 1, 5) == 0);
        expect_text(sub, "news");
        close_now(pub);
        close_now(sub);
        end_context(ctx);
    }
}

static void FD_5_regained_space_is_announced(void **state) {
    (void)state;
    void *ctx = new_context();
    void *push = new_limited(ctx, ZMQ_PUSH, 2, -1), *pull = new_limited(ctx, ZMQ_PULL, -1, 2);
    join_sockets(pull, push, "inproc");
    for (int turn = 0; turn < 5; turn++) {
        assert_int_equal(fill(push, 0, 100), 4);
        assert_int_equal(events_of(push), 0);
        assert_false(readable(fd_of(push), 0));
        expect_numbers(pull, 0, 4);
        assert_true(await_events_by_fd(push, ZMQ_POLLOUT));
    }
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void FD_5_regained_space_over_the_network(void **state) {
    (void)state;
    enum { SIZE = 100000 };
    for (int t = 1; t < 3; t++) {
        void *ctx = new_context();
        void *push = new_limited(ctx, ZMQ_PUSH, 1, -1), *pull = new_limited(ctx, ZMQ_PULL, -1, 1);
        set_int(push, ZMQ_SNDBUF, 4096);
        set_int(pull, ZMQ_RCVBUF, 4096);
        join_sockets(pull, push, transports[t]);
        const int n = fill_until_quiet(push, 0, SIZE, 1000);
        assert_true(n < 1000);
        assert_int_equal(events_of(push), 0);
        expect_numbers(pull, 0, n);
        assert_true(await_events_by_fd(push, ZMQ_POLLOUT));
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void FD_5_the_first_peer_is_announced(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        char endpoint[256];
        void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
        bind_on(push, transports[t], endpoint);
        assert_int_equal(events_of(push), 0);
        OK(zmq_connect(pull, endpoint));
        assert_true(await_events_by_fd(push, ZMQ_POLLOUT));
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void FD_6_EVENTS_tells_after_a_send_swallowed_the_signal(void **state) {
    (void)state;
    void *ctx = new_context(), *a, *b;
    quiet_pair(ctx, &a, &b);
    for (int i = 0; i < 50; i++) {
        send_text(b, "in", 0);
        send_text(a, "out", 0);
        /* From here on the descriptor may be silent; EVENTS must not be. */
        assert_true(events_of(a) & ZMQ_POLLIN);
        char buffer[8];
        assert_int_equal(zmq_recv(a, buffer, sizeof buffer, ZMQ_DONTWAIT), 2);
        assert_false(events_of(a) & ZMQ_POLLIN);
        assert_true(events_of(b) & ZMQ_POLLIN);
        assert_int_equal(zmq_recv(b, buffer, sizeof buffer, ZMQ_DONTWAIT), 3);
    }
    close_now(a);
    close_now(b);
    end_context(ctx);
}

/* Answers what it receives until an empty message comes. Waits in zmq_recv: only the other side
 * uses the recipe. */
struct echo {
    void *socket;
    int error;
};

static void *echo_body(void *arg) {
    struct echo *e = arg;
    char buffer[64];
    for (;;) {
        const int n = zmq_recv(e->socket, buffer, sizeof buffer, 0);
        if (n <= 0 || zmq_send(e->socket, buffer, (size_t)n, 0) != n) {
            e->error = n ? zmq_errno() : 0;
            return NULL;
        }
    }
}

static void FD_6_the_recipe_never_loses_a_wake_up(void **state) {
    (void)state;
    static const int types[] = {ZMQ_PAIR, ZMQ_DEALER};
    for (int t = 0; t < 3; t++)
        for (int type = 0; type < 2; type++) {
            void *ctx = new_context();
            void *a = new_socket(ctx, types[type]), *b = new_socket(ctx, types[type]);
            join_sockets(b, a, transports[t]);
            struct echo e = {.socket = b};
            pthread_t thread = start_thread(echo_body, &e);
            /* Three requests are always under way, so that sends and arrivals meet. */
            int32_t sent = 0, received = 0;
            while (received < 500) {
                while (sent < received + 3) {
                    assert_true(await_events_by_fd(a, ZMQ_POLLOUT));
                    assert_int_equal(zmq_send(a, &sent, sizeof sent, ZMQ_DONTWAIT), sizeof sent);
                    sent++;
                }
                assert_true(await_events_by_fd(a, ZMQ_POLLIN));
                int32_t number = -1;
                assert_int_equal(zmq_recv(a, &number, sizeof number, ZMQ_DONTWAIT), sizeof number);
                assert_int_equal(number, received);
                received++;
            }
            send_text(a, "", 0);
            join_thread(thread);
            assert_int_equal(e.error, 0);
            close_now(a);
            close_now(b);
            end_context(ctx);
        }
}

static void FD_6_one_loop_over_several_sockets(void **state) {
    (void)state;
    enum { SOCKETS = 5, ROUNDS = 100 };
    void *ctx = new_context();
    void *pull[SOCKETS], *push[SOCKETS];
    struct pollfd set[SOCKETS];
    for (int i = 0; i < SOCKETS; i++) {
        pull[i] = new_socket(ctx, ZMQ_PULL);
        push[i] = new_socket(ctx, ZMQ_PUSH);
        join_sockets(pull[i], push[i], transports[i % 3]);
        set[i] = (struct pollfd){fd_of(pull[i]), POLLIN, 0};
        for (int32_t n = 0; n < ROUNDS; n++)
            assert_int_equal(zmq_send(push[i], &n, sizeof n, 0), sizeof n);
    }
    int32_t next[SOCKETS] = {0};
    int left = SOCKETS * ROUNDS;
    bool fresh[SOCKETS] = {true, true, true, true, true};
    while (left > 0) {
        for (int i = 0; i < SOCKETS; i++) {
            if (!fresh[i]) continue;
            fresh[i] = false;
            while (events_of(pull[i]) & ZMQ_POLLIN) {
                int32_t number = -1;
                assert_int_equal(zmq_recv(pull[i], &number, sizeof number, ZMQ_DONTWAIT),
                                 sizeof number);
                assert_int_equal(number, next[i]);
                next[i]++;
                left--;
            }
        }
        if (left == 0) break;
        if (poll(set, SOCKETS, DEADLINE_MS) < 1)
            fail_msg("%d messages left and no descriptor readable", left);
        for (int i = 0; i < SOCKETS; i++) fresh[i] = set[i].revents != 0;
    }
    for (int i = 0; i < SOCKETS; i++) {
        close_now(push[i]);
        close_now(pull[i]);
    }
    end_context(ctx);
}

static void FD_7_EVENTS_processes_what_is_pending(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
    bind_on(push, "inproc", endpoint);
    assert_int_equal(events_of(push), 0);
    OK(zmq_connect(pull, endpoint));
    assert_int_equal(events_of(push), ZMQ_POLLOUT);
    OK(zmq_disconnect(pull, endpoint));
    assert_int_equal(events_of(push), 0);
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void FD_7_termination_is_announced_and_EVENTS_says_ETERM(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *s = new_socket(ctx, ZMQ_PULL);
    bind_on(s, "tcp", endpoint);
    assert_int_equal(events_of(s), 0);
    const int fd = fd_of(s);
    OK(zmq_ctx_shutdown(ctx));
    /* An event loop must learn of it by the descriptor. */
    assert_true(readable(fd, DEADLINE_MS));
    int events;
    size_t size = sizeof events;
    FAILS(zmq_getsockopt(s, ZMQ_EVENTS, &events, &size), ETERM);
    OK(zmq_close(s));
    end_context(ctx);
}

static void FD_8_thread_safe_types_have_none(void **state) {
    (void)state;
    need_type(12);
    need_type(13);
    static const int types[] = {12 /* SERVER */, 13 /* CLIENT */};
    void *ctx = new_context();
    for (int i = 0; i < 2; i++) {
        void *s = new_socket(ctx, types[i]);
        int fd;
        size_t size = sizeof fd;
        FAILS(zmq_getsockopt(s, ZMQ_FD, &fd, &size), EINVAL);
        assert_int_equal(get_int(s, ZMQ_THREAD_SAFE), 1);
        close_now(s);
    }
    end_context(ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(FD_1_one_descriptor_for_the_life_of_the_socket),
        CASE(FD_1_every_classic_type_has_one),
        CASE(FD_2_the_signal_is_an_edge),
        CASE(FD_2_recv_consumes_the_signal),
        CASE(FD_3_after_EVENTS_said_none_every_arrival_is_announced),
        CASE(FD_3_bursts_are_read_to_the_end_by_the_recipe),
        CASE(FD_4_readable_need_not_mean_a_message),
        CASE(FD_2_what_came_before_the_descriptor_is_signalled),
        CASE(FD_4_a_connection_before_the_descriptor_is_signalled),
        CASE(FD_4_a_socket_and_its_own_descriptor_in_one_poll),
        CASE(FD_4_a_message_between_EVENTS_and_the_first_descriptor),
        CASE(FD_4_a_PUB_is_told_of_subscriptions),
        CASE(FD_5_regained_space_is_announced),
        CASE(FD_5_regained_space_over_the_network),
        CASE(FD_5_the_first_peer_is_announced),
        CASE(FD_6_EVENTS_tells_after_a_send_swallowed_the_signal),
        CASE(FD_6_the_recipe_never_loses_a_wake_up),
        CASE(FD_6_one_loop_over_several_sockets),
        CASE(FD_7_EVENTS_processes_what_is_pending),
        CASE(FD_7_termination_is_announced_and_EVENTS_says_ETERM),
        CASE(FD_8_thread_safe_types_have_none),
    };
    return cmocka_run_group_tests_name("flow.md section 3: FD", tests, NULL, NULL);
}
