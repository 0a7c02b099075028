/* Blocking, timeouts and DONTWAIT: flow.md section 2 (TMO-*). */
#include "flow_support.h"

/* One blocking call in a thread of its own. */
struct call {
    void *socket;
    bool sends;
    int timeout; /* of zmq_poll; a poll instead of a recv or send when `polls` */
    bool polls;
    int rc, error;
    int64_t started, ended;
    atomic_bool done;
};

static void *call_body(void *arg) {
    struct call *c = arg;
    c->started = now_ms();
    if (c->polls) {
        zmq_pollitem_t item = {c->socket, 0, c->sends ? ZMQ_POLLOUT : ZMQ_POLLIN, 0};
        c->rc = zmq_poll(&item, 1, c->timeout);
    } else {
        char buffer[16] = "x";
        c->rc = c->sends ? zmq_send(c->socket, buffer, 1, 0)
                         : zmq_recv(c->socket, buffer, sizeof buffer, 0);
    }
    c->error = zmq_errno();
    c->ended = now_ms();
    atomic_store(&c->done, true);
    return NULL;
}

static void *idle_pull(void *ctx, char *endpoint) {
    void *pull = new_socket(ctx, ZMQ_PULL);
    bind_on(pull, "inproc", endpoint);
    return pull;
}

static void TMO_1_defaults_are_infinite(void **state) {
    (void)state;
    static const int types[] = {ZMQ_PAIR,   ZMQ_PUB,  ZMQ_SUB,  ZMQ_REQ,  ZMQ_REP,  ZMQ_DEALER,
                                ZMQ_ROUTER, ZMQ_PULL, ZMQ_PUSH, ZMQ_XPUB, ZMQ_XSUB, ZMQ_STREAM};
    void *ctx = new_context();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        void *s = new_socket(ctx, types[i]);
        assert_int_equal(get_int(s, ZMQ_RCVTIMEO), -1);
        assert_int_equal(get_int(s, ZMQ_SNDTIMEO), -1);
        close_now(s);
    }
    end_context(ctx);
}

static void TMO_1_minus_one_waits_until_a_message_comes(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *pull = idle_pull(ctx, endpoint), *push = new_socket(ctx, ZMQ_PUSH);
    struct call c = {.socket = pull};
    pthread_t thread = start_thread(call_body, &c);
    pause_ms(2 * QUIET_MS);
    assert_false(atomic_load(&c.done));
    OK(zmq_connect(push, endpoint));
    send_text(push, "wake", 0);
    WAIT_UNTIL(atomic_load(&c.done));
    join_thread(thread);
    assert_int_equal(c.rc, 4);
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void TMO_1_minus_one_waits_until_a_peer_comes(void **state) {
    (void)state;
    static const char *const transports[] = {"inproc", "tcp", "ipc"};
    for (int t = 0; t < 3; t++) {
        void *ctx = new_context();
        char endpoint[256];
        void *push = new_socket(ctx, ZMQ_PUSH), *pull = new_socket(ctx, ZMQ_PULL);
        bind_on(push, transports[t], endpoint);
        struct call c = {.socket = push, .sends = true};
        pthread_t thread = start_thread(call_body, &c);
        pause_ms(QUIET_MS);
        assert_false(atomic_load(&c.done));
        OK(zmq_connect(pull, endpoint));
        WAIT_UNTIL(atomic_load(&c.done));
        join_thread(thread);
        assert_int_equal(c.rc, 1);
        expect_text(pull, "x");
        close_now(push);
        close_now(pull);
        end_context(ctx);
    }
}

static void TMO_1_zero_returns_at_once(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256], byte;
    void *pull = idle_pull(ctx, endpoint), *push = new_socket(ctx, ZMQ_PUSH);
    set_int(pull, ZMQ_RCVTIMEO, 0);
    set_int(push, ZMQ_SNDTIMEO, 0);
    for (int i = 0; i < 100; i++) {
        FAILS(zmq_recv(pull, &byte, 1, 0), EAGAIN);
        FAILS(zmq_send(push, "x", 1, 0), EAGAIN);
    }
    /* And it does not refuse what is possible. */
    OK(zmq_connect(push, endpoint));
    send_text(push, "x", 0);
    assert_int_equal(zmq_recv(pull, &byte, 1, 0), 1);
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void TMO_1_never_earlier_than_asked(void **state) {
    (void)state;
    static const int limits[] = {1, 20, 100, 250};
    void *ctx = new_context();
    char endpoint[256], byte;
    void *pull = idle_pull(ctx, endpoint), *push = new_socket(ctx, ZMQ_PUSH);
    for (int i = 0; i < 4; i++) {
        set_int(pull, ZMQ_RCVTIMEO, limits[i]);
        set_int(push, ZMQ_SNDTIMEO, limits[i]);
        int64_t start = now_ms();
        FAILS(zmq_recv(pull, &byte, 1, 0), EAGAIN);
        expect_not_before(start, limits[i]);
        expect_before(start, limits[i] + 5000);
        start = now_ms();
        FAILS(zmq_send(push, "x", 1, 0), EAGAIN);
        expect_not_before(start, limits[i]);
        expect_before(start, limits[i] + 5000);
    }
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void TMO_1_a_message_ends_the_wait_before_the_limit(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *pull = idle_pull(ctx, endpoint), *push = new_socket(ctx, ZMQ_PUSH);
    set_int(pull, ZMQ_RCVTIMEO, 50000);
    struct call c = {.socket = pull};
    pthread_t thread = start_thread(call_body, &c);
    OK(zmq_connect(push, endpoint));
    send_text(push, "wake", 0);
    WAIT_UNTIL(atomic_load(&c.done));
    join_thread(thread);
    assert_int_equal(c.rc, 4);
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void TMO_2_DONTWAIT_wins_over_any_timeout(void **state) {
    (void)state;
    static const int limits[] = {-1, 60000, 0};
    void *ctx = new_context();
    char endpoint[256], byte;
    void *pull = idle_pull(ctx, endpoint), *push = new_socket(ctx, ZMQ_PUSH);
    for (int i = 0; i < 3; i++) {
        set_int(pull, ZMQ_RCVTIMEO, limits[i]);
        set_int(push, ZMQ_SNDTIMEO, limits[i]);
        const int64_t start = now_ms();
        FAILS(zmq_recv(pull, &byte, 1, ZMQ_DONTWAIT), EAGAIN);
        FAILS(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
        zmq_msg_t message;
        OK(zmq_msg_init(&message));
        FAILS(zmq_msg_recv(&message, pull, ZMQ_DONTWAIT), EAGAIN);
        FAILS(zmq_msg_send(&message, push, ZMQ_DONTWAIT), EAGAIN);
        OK(zmq_msg_close(&message));
        expect_before(start, 5000);
    }
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

/* Things that wake a waiting socket without giving it what it waits for, until told to stop. */
struct noise {
    void *ctx;
    const char *endpoint;
    bool subscribes;
    atomic_bool stop;
    atomic_int rounds;
};

static void *noise_body(void *arg) {
    struct noise *n = arg;
    const int zero = 0;
    while (!atomic_load(&n->stop)) {
        void *s = zmq_socket(n->ctx, n->subscribes ? ZMQ_XSUB : ZMQ_PUSH);
        zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero);
        zmq_connect(s, n->endpoint);
        if (n->subscribes) zmq_send(s, "\1other", 6, ZMQ_DONTWAIT);
        pause_ms(10);
        zmq_close(s);
        atomic_fetch_add(&n->rounds, 1);
    }
    return NULL;
}

static void TMO_3_the_limit_of_recv_counts_from_the_start_of_the_call(void **state) {
    (void)state;
    enum { LIMIT = 300 };
    void *ctx = new_context();
    char endpoint[256], byte;
    void *pull = idle_pull(ctx, endpoint);
    set_int(pull, ZMQ_RCVTIMEO, LIMIT);
    struct noise noise = {.ctx = ctx, .endpoint = endpoint};
    pthread_t thread = start_thread(noise_body, &noise);
    WAIT_UNTIL(atomic_load(&noise.rounds) > 2);
    const int before = atomic_load(&noise.rounds);
    const int64_t start = now_ms();
    const int rc = zmq_recv(pull, &byte, 1, 0), error = zmq_errno(),
              rounds = atomic_load(&noise.rounds) - before;
    const int64_t elapsed = now_ms() - start;
    atomic_store(&noise.stop, true);
    join_thread(thread);
    assert_int_equal(rc, -1);
    assert_int_equal(error, EAGAIN);
    assert_in_range(elapsed, LIMIT - 1, LIMIT + 5000);
    assert_true(rounds > 0);
    close_now(pull);
    end_context(ctx);
}

static void TMO_3_the_limit_of_send_counts_from_the_start_of_the_call(void **state) {
    (void)state;
    enum { LIMIT = 300 };
    void *ctx = new_context();
    char endpoint[256];
    void *xpub = new_limited(ctx, ZMQ_XPUB, 1, -1), *sub = new_limited(ctx, ZMQ_SUB, -1, 1);
    set_int(xpub, ZMQ_XPUB_NODROP, 1);
    subscribe(sub, "");
    OK(zmq_connect(sub, bind_on(xpub, "inproc", endpoint)));
    expect_subscription(xpub, "");
    assert_int_equal(fill(xpub, 0, 10), 2);
    set_int(xpub, ZMQ_SNDTIMEO, LIMIT);
    struct noise noise = {.ctx = ctx, .endpoint = endpoint, .subscribes = true};
    pthread_t thread = start_thread(noise_body, &noise);
    WAIT_UNTIL(atomic_load(&noise.rounds) > 2);
    const int before = atomic_load(&noise.rounds);
    const int64_t start = now_ms();
    const int rc = zmq_send(xpub, "x", 1, 0), error = zmq_errno(),
              rounds = atomic_load(&noise.rounds) - before;
    const int64_t elapsed = now_ms() - start;
    atomic_store(&noise.stop, true);
    join_thread(thread);
    assert_int_equal(rc, -1);
    assert_int_equal(error, EAGAIN);
    assert_in_range(elapsed, LIMIT - 1, LIMIT + 5000);
    assert_true(rounds > 0);
    close_now(xpub);
    close_now(sub);
    end_context(ctx);
}

static void TMO_3_messages_that_are_filtered_do_not_prolong_the_wait(void **state) {
    (void)state;
    void *ctx = new_context();
    char byte;
    void *pub = new_socket(ctx, ZMQ_PUB), *sub = new_socket(ctx, ZMQ_SUB);
    /* The publisher sends what does not match, the subscriber throws it away: INVERT_MATCHING on
     * one side only. */
    set_int(pub, ZMQ_INVERT_MATCHING, 1);
    subscribe(sub, "topic");
    join_sockets(pub, sub, "inproc");
    (void)events_of(pub);
    for (int i = 0; i < 100; i++) send_text(pub, "other", 0);
    set_int(sub, ZMQ_RCVTIMEO, 100);
    const int64_t start = now_ms();
    FAILS(zmq_recv(sub, &byte, 1, 0), EAGAIN);
    expect_not_before(start, 100);
    close_now(pub);
    close_now(sub);
    end_context(ctx);
}

static void TMO_4_a_new_value_counts_from_the_next_call(void **state) {
    (void)state;
    static const int limits[] = {30, 0, 150, 1};
    void *ctx = new_context();
    char endpoint[256], byte;
    void *pull = idle_pull(ctx, endpoint), *push = new_socket(ctx, ZMQ_PUSH);
    OK(zmq_connect(push, endpoint));
    for (int i = 0; i < 4; i++) {
        /* Set on a socket that is connected and has been used. */
        send_text(push, "x", 0);
        expect_text(pull, "x");
        set_int(pull, ZMQ_RCVTIMEO, limits[i]);
        assert_int_equal(get_int(pull, ZMQ_RCVTIMEO), limits[i]);
        const int64_t start = now_ms();
        FAILS(zmq_recv(pull, &byte, 1, 0), EAGAIN);
        expect_not_before(start, limits[i]);
    }
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void blocked_call_returns_ETERM(struct call c, void *ctx) {
    pthread_t thread = start_thread(call_body, &c);
    pause_ms(QUIET_MS);
    assert_false(atomic_load(&c.done));
    OK(zmq_ctx_shutdown(ctx));
    WAIT_UNTIL(atomic_load(&c.done));
    join_thread(thread);
    assert_int_equal(c.rc, -1);
    assert_int_equal(c.error, ETERM);
    OK(zmq_close(c.socket));
    end_context(ctx);
}

static void TMO_5_blocked_calls_end_with_ETERM(void **state) {
    (void)state;
    /* recv, send, poll for input, poll for output; without limit and with a long one. */
    for (int kind = 0; kind < 4; kind++)
        for (int limited = 0; limited < 2; limited++) {
            void *ctx = new_context();
            const bool sends = kind & 1, polls = kind & 2;
            void *s = new_socket(ctx, sends ? ZMQ_PUSH : ZMQ_PULL);
            const int limit = limited ? 60000 : -1;
            set_int(s, ZMQ_RCVTIMEO, limit);
            set_int(s, ZMQ_SNDTIMEO, limit);
            const struct call c = {.socket = s, .sends = sends, .polls = polls, .timeout = limit};
            blocked_call_returns_ETERM(c, ctx);
        }
}

static void TMO_5_a_full_pipe_ends_with_ETERM_too(void **state) {
    (void)state;
    void *ctx = new_context();
    int fd;
    char endpoint[64];
    void *push = new_limited(ctx, ZMQ_PUSH, 3, -1);
    set_int(push, ZMQ_LINGER, 0);
    silent_tcp(&fd, endpoint);
    OK(zmq_connect(push, endpoint));
    assert_int_equal(fill(push, 0, 100), 3);
    const struct call c = {.socket = push, .sends = true};
    blocked_call_returns_ETERM(c, ctx);
    close(fd);
}

static void TMO_6_a_failed_recv_leaves_an_empty_valid_message(void **state) {
    (void)state;
    static const int limits[] = {0, 20};
    void *ctx = new_context();
    char endpoint[256];
    void *pull = idle_pull(ctx, endpoint), *push = new_socket(ctx, ZMQ_PUSH);
    OK(zmq_connect(push, endpoint));
    for (int i = 0; i < 4; i++) {
        zmq_msg_t message;
        /* An empty one, a small one, a large one. */
        OK(zmq_msg_init_size(&message, i == 0 ? 0 : i == 1 ? 5 : 5000));
        set_int(pull, ZMQ_RCVTIMEO, limits[i & 1]);
        FAILS(zmq_msg_recv(&message, pull, 0), EAGAIN);
        assert_int_equal(zmq_msg_size(&message), 0);
        assert_int_equal(zmq_msg_more(&message), 0);
        /* The same object takes the next message, and can be closed. */
        send_text(push, "next", 0);
        assert_int_equal(zmq_msg_recv(&message, pull, 0), 4);
        assert_memory_equal(zmq_msg_data(&message), "next", 4);
        FAILS(zmq_msg_recv(&message, pull, ZMQ_DONTWAIT), EAGAIN);
        assert_int_equal(zmq_msg_size(&message), 0);
        OK(zmq_msg_close(&message));
    }
    close_now(push);
    close_now(pull);
    end_context(ctx);
}

static void TMO_7_SNDTIMEO_does_not_limit_lingering(void **state) {
    (void)state;
    enum { LINGER = 300 };
    void *ctx = new_context();
    int fd;
    char endpoint[64];
    void *push = new_socket(ctx, ZMQ_PUSH);
    set_int(push, ZMQ_SNDTIMEO, 1);
    set_int(push, ZMQ_LINGER, LINGER);
    silent_tcp(&fd, endpoint);
    OK(zmq_connect(push, endpoint));
    send_text(push, "never delivered", 0);
    const int64_t start = now_ms();
    OK(zmq_close(push));
    end_context(ctx);
    expect_not_before(start, LINGER);
    expect_before(start, LINGER + 5000);
    close(fd);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(TMO_1_defaults_are_infinite),
        CASE(TMO_1_minus_one_waits_until_a_message_comes),
        CASE(TMO_1_minus_one_waits_until_a_peer_comes),
        CASE(TMO_1_zero_returns_at_once),
        CASE(TMO_1_never_earlier_than_asked),
        CASE(TMO_1_a_message_ends_the_wait_before_the_limit),
        CASE(TMO_2_DONTWAIT_wins_over_any_timeout),
        CASE(TMO_3_the_limit_of_recv_counts_from_the_start_of_the_call),
        CASE(TMO_3_the_limit_of_send_counts_from_the_start_of_the_call),
        CASE(TMO_3_messages_that_are_filtered_do_not_prolong_the_wait),
        CASE(TMO_4_a_new_value_counts_from_the_next_call),
        CASE(TMO_5_blocked_calls_end_with_ETERM),
        CASE(TMO_5_a_full_pipe_ends_with_ETERM_too),
        CASE(TMO_6_a_failed_recv_leaves_an_empty_valid_message),
        CASE(TMO_7_SNDTIMEO_does_not_limit_lingering),
    };
    return cmocka_run_group_tests_name("flow.md section 2: TMO", tests, NULL, NULL);
}
