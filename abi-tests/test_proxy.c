/* zmq_proxy, zmq_proxy_steerable and zmq_device: devices.md section 1 (PRX-*). */
#include "flow_support.h"

/* ---- A proxy in a thread of its own ---- */

struct proxy {
    void *ctx, *front, *back, *capture, *control;
    char front_at[256], back_at[256], capture_at[256], control_at[256];
    enum { PLAIN, STEERABLE, DEVICE } kind;
    pthread_t thread;
    int rc, error;
    atomic_bool done;
};

static void *proxy_body(void *arg) {
    struct proxy *p = arg;
    switch (p->kind) {
    case PLAIN:
        p->rc = zmq_proxy(p->front, p->back, p->capture);
        break;
    case STEERABLE:
        p->rc = zmq_proxy_steerable(p->front, p->back, p->capture, p->control);
        break;
    case DEVICE:
        p->rc = zmq_device(12345, p->front, p->back);
        break;
    }
    p->error = zmq_errno();
    atomic_store(&p->done, true);
    return NULL;
}

static void *bound(void *ctx, int type, char *endpoint) {
    void *s = new_socket(ctx, type);
    bind_on(s, "inproc", endpoint);
    return s;
}

/* All sockets of the proxy, bound over inproc. Types < 0: none. Not yet running: the test may set
 * options first. */
static void proxy_prepare(struct proxy *p, int front, int back, int capture, int control) {
    memset(p, 0, sizeof *p);
    p->ctx = new_context();
    p->front = bound(p->ctx, front, p->front_at);
    p->back = bound(p->ctx, back, p->back_at);
    p->capture = capture < 0 ? NULL : bound(p->ctx, capture, p->capture_at);
    p->control = control < 0 ? NULL : bound(p->ctx, control, p->control_at);
    p->kind = control < 0 ? PLAIN : STEERABLE;
    if (control == ZMQ_SUB) subscribe(p->control, "");
}

/* Marks count from the bind on (INP-9): a fresh endpoint for each side. */
static void proxy_limit(struct proxy *p, int front_rcvhwm, int back_sndhwm) {
    if (front_rcvhwm >= 0) set_int(p->front, ZMQ_RCVHWM, front_rcvhwm);
    if (back_sndhwm >= 0) set_int(p->back, ZMQ_SNDHWM, back_sndhwm);
    bind_on(p->front, "inproc", p->front_at);
    bind_on(p->back, "inproc", p->back_at);
}

static void proxy_run(struct proxy *p) {
    atomic_store(&p->done, false);
    p->thread = start_thread(proxy_body, p);
}

static void proxy_wait(struct proxy *p) {
    WAIT_UNTIL(atomic_load(&p->done));
    join_thread(p->thread);
}

/* Shutdown ends it with ETERM; what the test itself opened must be closed before or handed over in
 * `others`. */
static void proxy_end(struct proxy *p, void **others, int count) {
    OK(zmq_ctx_shutdown(p->ctx));
    proxy_wait(p);
    assert_int_equal(p->rc, -1);
    assert_int_equal(p->error, ETERM);
    for (int i = 0; i < count; i++) close_now(others[i]);
    /* PRX-1: it closed none of them. */
    close_now(p->front);
    if (p->back != p->front) close_now(p->back);
    if (p->capture) close_now(p->capture);
    if (p->control) close_now(p->control);
    end_context(p->ctx);
}

static void *connected(struct proxy *p, int type, const char *endpoint) {
    void *s = new_socket(p->ctx, type);
    OK(zmq_connect(s, endpoint));
    return s;
}

static void ignore_signal(int signal) { (void)signal; }

static void install_handler(void) {
    struct sigaction action = {.sa_handler = ignore_signal};
    assert_int_equal(sigaction(SIGUSR1, &action, NULL), 0);
}

/* ---- PRX-1: how it ends ---- */

static void PRX_1_NULL_sockets_are_EFAULT(void **state) {
    (void)state;
    void *ctx = new_context();
    void *s = new_socket(ctx, ZMQ_PULL), *control = new_socket(ctx, ZMQ_PAIR);
    FAILS(zmq_proxy(NULL, s, NULL), EFAULT);
    FAILS(zmq_proxy(s, NULL, NULL), EFAULT);
    FAILS(zmq_proxy(NULL, NULL, NULL), EFAULT);
    FAILS(zmq_proxy_steerable(NULL, s, NULL, NULL), EFAULT);
    FAILS(zmq_proxy_steerable(s, NULL, NULL, control), EFAULT);
    close_now(s);
    close_now(control);
    end_context(ctx);
}

static void PRX_11_zmq_device_with_NULL_is_EFAULT_too(void **state) {
    (void)state;
    OURS_IS_BETTER("PRX-1, PRX-11: zmq_device does not look and never returns");
    void *ctx = new_context();
    void *s = new_socket(ctx, ZMQ_PULL);
    FAILS(zmq_device(1, NULL, s), EFAULT);
    FAILS(zmq_device(1, s, NULL), EFAULT);
    close_now(s);
    end_context(ctx);
}

static void PRX_1_termination_ends_it_with_ETERM(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, -1);
    proxy_run(&p);
    pause_ms(QUIET_MS);
    assert_false(atomic_load(&p.done));
    proxy_end(&p, NULL, 0);
}

static void PRX_1_termination_ends_a_busy_one(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, -1);
    proxy_run(&p);
    void *others[2] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at)};
    for (int32_t i = 0; i < 500; i++)
        assert_int_equal(zmq_send(others[0], &i, sizeof i, 0), sizeof i);
    expect_numbers(others[1], 0, 10);
    proxy_end(&p, others, 2);
}

static void PRX_1_a_terminated_context_is_ETERM_at_once(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, -1);
    OK(zmq_ctx_shutdown(p.ctx));
    FAILS(zmq_proxy(p.front, p.back, NULL), ETERM);
    close_now(p.front);
    close_now(p.back);
    end_context(p.ctx);
}

static void PRX_1_a_signal_ends_it_with_EINTR_and_it_can_go_on(void **state) {
    (void)state;
    install_handler();
    for (int steerable = 0; steerable < 2; steerable++) {
        struct proxy p;
        proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, steerable ? ZMQ_PAIR : -1);
        void *others[2] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at)};
        for (int turn = 0; turn < 3; turn++) {
            proxy_run(&p);
            send_text(others[0], "through", 0);
            expect_text(others[1], "through");
            /* A signal that comes before it waits is not remembered: repeat. */
            while (!atomic_load(&p.done)) {
                pthread_kill(p.thread, SIGUSR1);
                pause_ms(5);
            }
            proxy_wait(&p);
            assert_int_equal(p.rc, -1);
            assert_int_equal(p.error, EINTR);
        }
        proxy_run(&p);
        send_text(others[0], "again", 0);
        expect_text(others[1], "again");
        proxy_end(&p, others, 2);
    }
}

/* ---- PRX-2 to PRX-8: what it moves ---- */

static void PRX_2_messages_pass_whole_and_in_order(void **state) {
    (void)state;
    enum { COUNT = 3000 };
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, -1);
    proxy_run(&p);
    void *others[2] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at)};
    for (int32_t i = 0; i < COUNT; i++) {
        /* One to four parts, the second one empty. */
        const int parts = i % 4 + 1;
        for (int part = 0; part < parts; part++)
            assert_int_equal(zmq_send(others[0], &i, part == 1 ? 0 : sizeof i,
                                      part + 1 < parts ? ZMQ_SNDMORE : 0),
                             part == 1 ? 0 : sizeof i);
        if (i % 100 != 99) continue;
        for (int32_t k = i - 99; k <= i; k++)
            for (int part = 0; part <= k % 4; part++) {
                int32_t number = k;
                wait_events(others[1], ZMQ_POLLIN);
                assert_int_equal(zmq_recv(others[1], &number, sizeof number, ZMQ_DONTWAIT),
                                 part == 1 ? 0 : sizeof number);
                assert_int_equal(number, k);
                assert_int_equal(get_int(others[1], ZMQ_RCVMORE), part < k % 4);
            }
    }
    expect_silence(others[1]);
    proxy_end(&p, others, 2);
}

static void PRX_2_both_directions(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, -1, -1);
    proxy_run(&p);
    void *others[2] = {connected(&p, ZMQ_DEALER, p.front_at), connected(&p, ZMQ_DEALER, p.back_at)};
    for (int side = 0; side < 2; side++)
        for (int32_t i = 0; i < 300; i++)
            assert_int_equal(zmq_send(others[side], &i, sizeof i, 0), sizeof i);
    expect_numbers(others[0], 0, 300);
    expect_numbers(others[1], 0, 300);
    proxy_end(&p, others, 2);
}

static void PRX_2_over_tcp_with_large_messages(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, -1);
    bind_on(p.front, "tcp", p.front_at);
    bind_on(p.back, "ipc", p.back_at);
    proxy_run(&p);
    void *others[2] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at)};
    static char out[500000], in[500000];
    for (int i = 0; i < 10; i++) {
        memset(out, 'a' + i, sizeof out);
        send_text(others[0], "header", ZMQ_SNDMORE);
        assert_int_equal(zmq_send(others[0], out, sizeof out, 0), sizeof out);
        expect_part(others[1], "header", true);
        assert_int_equal(zmq_recv(others[1], in, sizeof in, 0), sizeof in);
        assert_memory_equal(in, out, sizeof in);
    }
    proxy_end(&p, others, 2);
}

static void PRX_3_capture_gets_a_copy_of_both_directions(void **state) {
    (void)state;
    static const int types[][2] = {
        {ZMQ_PUB, ZMQ_SUB}, {ZMQ_PUSH, ZMQ_PULL}, {ZMQ_DEALER, ZMQ_DEALER}, {ZMQ_PAIR, ZMQ_PAIR}};
    for (int i = 0; i < 4; i++) {
        struct proxy p;
        proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, types[i][0], -1);
        void *listener = new_socket(p.ctx, types[i][1]);
        if (types[i][1] == ZMQ_SUB) subscribe(listener, "");
        OK(zmq_connect(listener, p.capture_at));
        if (types[i][1] == ZMQ_SUB) (void)events_of(p.capture); /* takes the subscription */
        void *others[3] = {connected(&p, ZMQ_DEALER, p.front_at),
                           connected(&p, ZMQ_DEALER, p.back_at), listener};
        proxy_run(&p);
        for (int round = 0; round < 20; round++)
            for (int side = 0; side < 2; side++) {
                send_text(others[side], "first", ZMQ_SNDMORE);
                send_text(others[side], "", ZMQ_SNDMORE);
                send_text(others[side], side ? "up" : "down", 0);
                expect_part(others[!side], "first", true);
                expect_part(others[!side], "", true);
                expect_part(others[!side], side ? "up" : "down", false);
                /* Before it is forwarded: whoever has the message knows that the copy is there. */
                assert_true(events_of(listener) & ZMQ_POLLIN);
                expect_part(listener, "first", true);
                expect_part(listener, "", true);
                expect_part(listener, side ? "up" : "down", false);
            }
        expect_silence(listener);
        proxy_end(&p, others, 3);
    }
}

static void PRX_3_a_capture_that_blocks_stops_the_proxy(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, ZMQ_PUSH, -1);
    proxy_run(&p);
    void *others[3] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at)};
    send_text(others[0], "one", 0);
    expect_no_events(others[1], ZMQ_POLLIN);
    others[2] = connected(&p, ZMQ_PULL, p.capture_at);
    expect_text(others[1], "one");
    expect_text(others[2], "one");
    proxy_end(&p, others, 3);
}

static void PRX_3_a_capture_with_little_room_gets_all(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, ZMQ_PUSH, -1);
    set_int(p.capture, ZMQ_SNDHWM, 2);
    bind_on(p.capture, "inproc", p.capture_at);
    void *others[3] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at),
                       new_limited(p.ctx, ZMQ_PULL, -1, 3)};
    OK(zmq_connect(others[2], p.capture_at));
    assert_int_equal(fill(others[0], 0, 200), 200);
    proxy_run(&p);
    /* Full: what it has not got has not been forwarded, but for one in the proxy's hands. */
    pause_ms(QUIET_MS);
    int passed = 0;
    while (events_of(others[1]) & ZMQ_POLLIN) assert_int_equal(receive_number(others[1]), passed++);
    assert_in_range(passed, 2, 2 + 3);
    expect_numbers(others[2], 0, 200);
    expect_numbers(others[1], passed, 200 - passed);
    proxy_end(&p, others, 3);
}

static void PRX_3_a_PUB_capture_never_stops_it(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, ZMQ_PUB, -1);
    set_int(p.capture, ZMQ_SNDHWM, 1);
    bind_on(p.capture, "inproc", p.capture_at);
    void *lazy = new_limited(p.ctx, ZMQ_SUB, -1, 1);
    subscribe(lazy, "");
    OK(zmq_connect(lazy, p.capture_at));
    (void)events_of(p.capture);
    void *others[3] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at),
                       lazy};
    proxy_run(&p);
    for (int32_t i = 0; i < 300; i++)
        assert_int_equal(zmq_send(others[0], &i, sizeof i, 0), sizeof i);
    expect_numbers(others[1], 0, 300);
    expect_numbers(lazy, 0, 1);
    proxy_end(&p, others, 3);
}

static void PRX_4_front_may_be_back(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PAIR, ZMQ_PAIR, -1, -1);
    close_now(p.back);
    p.back = p.front;
    proxy_run(&p);
    void *peer = connected(&p, ZMQ_PAIR, p.front_at);
    for (int i = 0; i < 50; i++) {
        send_text(peer, "echo", ZMQ_SNDMORE);
        send_text(peer, "me", 0);
        expect_part(peer, "echo", true);
        expect_part(peer, "me", false);
    }
    expect_silence(peer);
    proxy_end(&p, &peer, 1);
}

static void PRX_5_messages_stay_in_the_source_while_the_target_cannot_take_them(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, -1);
    proxy_limit(&p, 3, -1);
    proxy_run(&p);
    void *push = new_limited(p.ctx, ZMQ_PUSH, 2, -1);
    OK(zmq_connect(push, p.front_at));
    /* Nobody takes from the back: the sender feels it. One message may be in the proxy's hands
     * (PRX-7). */
    const int n = fill_until_quiet(push, 0, 4, 1000);
    assert_in_range(n, 5, 6);
    void *others[2] = {push, connected(&p, ZMQ_PULL, p.back_at)};
    expect_numbers(others[1], 0, n);
    wait_events(push, ZMQ_POLLOUT);
    proxy_end(&p, others, 2);
}

static void PRX_5_it_waits_without_burning_CPU(void **state) {
    (void)state;
    OURS_IS_BETTER("PRX-5: 4.3.4 as packaged spins while input waits for a target that is full");
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, -1);
    proxy_run(&p);
    void *push = connected(&p, ZMQ_PUSH, p.front_at);
    send_text(push, "waiting", 0);
    const int64_t before = cpu_ms(p.thread);
    pause_ms(400);
    assert_in_range(cpu_ms(p.thread) - before, 0, 200);
    void *others[2] = {push, connected(&p, ZMQ_PULL, p.back_at)};
    expect_text(others[1], "waiting");
    proxy_end(&p, others, 2);
}

static void PRX_5_a_stuck_direction_does_not_hold_up_the_other(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, -1, -1);
    proxy_limit(&p, 1, 1);
    void *others[2] = {new_limited(p.ctx, ZMQ_DEALER, 1, -1),
                       new_limited(p.ctx, ZMQ_DEALER, -1, 1)};
    OK(zmq_connect(others[0], p.front_at));
    OK(zmq_connect(others[1], p.back_at));
    proxy_run(&p);
    /* Fill the way down one by one, so that no burst is under way when the target is full (PRX-6).
     */
    int n = 0;
    zmq_pollitem_t item = {others[0], 0, ZMQ_POLLOUT, 0};
    while (zmq_poll(&item, 1, QUIET_MS) == 1 && n < 100) {
        const int32_t number = n;
        if (zmq_send(others[0], &number, sizeof number, ZMQ_DONTWAIT) == (int)sizeof number) n++;
        pause_ms(10);
    }
    assert_true(n < 100);
    for (int32_t i = 0; i < 20; i++) {
        assert_int_equal(zmq_send(others[1], &i, sizeof i, 0), sizeof i);
        assert_int_equal(receive_number(others[0]), i);
    }
    expect_numbers(others[1], 0, n);
    proxy_end(&p, others, 2);
}

struct flood {
    void *socket;
    atomic_bool stop;
    atomic_int count;
};

static void *flood_send(void *arg) {
    struct flood *f = arg;
    while (!atomic_load(&f->stop))
        if (zmq_send(f->socket, "flood", 5, 0) == 5) atomic_fetch_add(&f->count, 1);
    return NULL;
}

static void *flood_receive(void *arg) {
    struct flood *f = arg;
    char buffer[16];
    while (!atomic_load(&f->stop))
        if (zmq_recv(f->socket, buffer, sizeof buffer, 0) == 5) atomic_fetch_add(&f->count, 1);
    return NULL;
}

static void PRX_6_a_steady_load_starves_neither_the_other_direction_nor_the_control(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, -1, ZMQ_PAIR);
    proxy_run(&p);
    /* Down: a source and a sink that never rest. Up: another peer at the back, to the same front.
     */
    void *source = new_socket(p.ctx, ZMQ_DEALER), *sink = new_limited(p.ctx, ZMQ_DEALER, -1, 10000);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    set_int(source, ZMQ_SNDTIMEO, 50);
    set_int(sink, ZMQ_RCVTIMEO, 50);
    OK(zmq_connect(source, p.front_at));
    OK(zmq_connect(sink, p.back_at));
    struct flood out = {.socket = source}, in = {.socket = sink};
    pthread_t sending = start_thread(flood_send, &out),
              receiving = start_thread(flood_receive, &in);
    WAIT_UNTIL(atomic_load(&in.count) > 2000);
    /* Statistics answered under load, again and again. */
    for (int i = 0; i < 5; i++) {
        const int before = atomic_load(&in.count);
        send_text(control, "STATISTICS", 0);
        for (int part = 0; part < 8; part++) {
            uint64_t number;
            wait_events(control, ZMQ_POLLIN);
            assert_int_equal(zmq_recv(control, &number, sizeof number, 0), 8);
        }
        WAIT_UNTIL(atomic_load(&in.count) > before);
    }
    atomic_store(&out.stop, true);
    join_thread(sending);
    /* The other direction, with the first one still draining: source is ours again. */
    atomic_store(&in.stop, true);
    join_thread(receiving);
    for (int32_t i = 0; i < 100; i++) assert_int_equal(zmq_send(sink, &i, sizeof i, 0), sizeof i);
    expect_numbers(source, 0, 100);
    void *others[3] = {source, sink, control};
    proxy_end(&p, others, 3);
}

static void PRX_6_both_directions_under_load(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, -1, -1);
    proxy_run(&p);
    /* Two loads in opposite directions, each with its own sender, and each reading what comes back
     * in one thread. */
    void *others[2] = {connected(&p, ZMQ_DEALER, p.front_at), connected(&p, ZMQ_DEALER, p.back_at)};
    int32_t sent[2] = {0, 0}, received[2] = {0, 0};
    const int64_t end = now_ms() + DEADLINE_MS;
    while (received[0] < 5000 || received[1] < 5000) {
        assert_true(now_ms() < end);
        for (int side = 0; side < 2; side++) {
            sent[side] += fill(others[side], sent[side], 100);
            while (events_of(others[side]) & ZMQ_POLLIN) {
                assert_int_equal(receive_number(others[side]), received[side]);
                received[side]++;
            }
        }
    }
    proxy_end(&p, others, 2);
}

static void PRX_7_capacity_is_that_of_the_queues(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, -1);
    proxy_limit(&p, 3, 4);
    void *push = new_limited(p.ctx, ZMQ_PUSH, 2, -1), *pull = new_limited(p.ctx, ZMQ_PULL, -1, 5);
    OK(zmq_connect(push, p.front_at));
    OK(zmq_connect(pull, p.back_at));
    proxy_run(&p);
    const int n = fill_until_quiet(push, 0, 4, 1000);
    /* 2 + 3 before, 4 + 5 behind, one in the hand; up to w - 1 = 2 may not have been reported
     * (LWM-4). */
    assert_in_range(n, 2 + 3 + 4 + 5 - 2, 2 + 3 + 4 + 5 + 1);
    expect_numbers(pull, 0, n);
    void *others[2] = {push, pull};
    proxy_end(&p, others, 2);
}

/* ---- PRX-9 to PRX-11: combinations ---- */

static void PRX_9_XSUB_XPUB_carry_subscriptions_up_and_data_down(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_XSUB, ZMQ_XPUB, -1, -1);
    proxy_run(&p);
    void *xpub = connected(&p, ZMQ_XPUB, p.front_at), *subs[2];
    for (int i = 0; i < 2; i++) {
        subs[i] = connected(&p, ZMQ_SUB, p.back_at);
        subscribe(subs[i], "A");
    }
    expect_subscription(xpub, "A");
    /* The second one is known to the proxy's XPUB: it says nothing upstream. */
    expect_no_events(xpub, ZMQ_POLLIN);
    subscribe(subs[1], "B");
    expect_subscription(xpub, "B");
    send_text(xpub, "A", ZMQ_SNDMORE);
    send_text(xpub, "news", 0);
    send_text(xpub, "B", 0);
    send_text(xpub, "C", 0);
    for (int i = 0; i < 2; i++) {
        expect_part(subs[i], "A", true);
        expect_part(subs[i], "news", false);
    }
    expect_part(subs[1], "B", false);
    expect_silence(subs[0]);
    expect_silence(subs[1]);
    /* Unsubscriptions too, when the last one goes. */
    OK(zmq_setsockopt(subs[0], ZMQ_UNSUBSCRIBE, "A", 1));
    expect_no_events(xpub, ZMQ_POLLIN);
    OK(zmq_setsockopt(subs[1], ZMQ_UNSUBSCRIBE, "A", 1));
    char notice[4];
    wait_events(xpub, ZMQ_POLLIN);
    assert_int_equal(zmq_recv(xpub, notice, sizeof notice, ZMQ_DONTWAIT), 2);
    assert_memory_equal(notice, "\0A", 2);
    void *others[3] = {xpub, subs[0], subs[1]};
    proxy_end(&p, others, 3);
}

static void PRX_9_a_new_publisher_gets_the_subscriptions(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_XSUB, ZMQ_XPUB, -1, -1);
    proxy_run(&p);
    void *sub = connected(&p, ZMQ_SUB, p.back_at);
    subscribe(sub, "A");
    void *first = connected(&p, ZMQ_XPUB, p.front_at);
    expect_subscription(first, "A");
    void *second = connected(&p, ZMQ_XPUB, p.front_at);
    expect_subscription(second, "A");
    send_text(second, "A2", 0);
    expect_text(sub, "A2");
    send_text(first, "A1", 0);
    expect_text(sub, "A1");
    void *others[3] = {sub, first, second};
    proxy_end(&p, others, 3);
}

static void PRX_9_SUB_and_PUB_work_one_way(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_SUB, ZMQ_PUB, -1, -1);
    subscribe(p.front, "");
    void *sub = connected(&p, ZMQ_SUB, p.back_at);
    subscribe(sub, "A");
    (void)events_of(p.back);
    void *xpub = connected(&p, ZMQ_XPUB, p.front_at);
    proxy_run(&p);
    expect_subscription(xpub, "");
    /* A PUB polls for nothing, so the proxy may learn of the second subscription late: the first is
     * enough. */
    send_text(xpub, "B", 0);
    send_text(xpub, "A", 0);
    expect_text(sub, "A");
    expect_silence(sub);
    void *others[2] = {sub, xpub};
    proxy_end(&p, others, 2);
}

static void PRX_9_nonsense_pairs_do_nothing(void **state) {
    (void)state;
    static const int types[][2] = {{ZMQ_PUSH, ZMQ_PUSH},
                                   {ZMQ_PULL, ZMQ_PULL},
                                   {ZMQ_PUB, ZMQ_SUB},
                                   {ZMQ_REP, ZMQ_REP},
                                   {ZMQ_STREAM, ZMQ_PUSH}};
    for (int i = 0; i < 5; i++) {
        struct proxy p;
        proxy_prepare(&p, types[i][0] == ZMQ_STREAM ? ZMQ_PAIR : types[i][0], types[i][1], -1, -1);
        if (types[i][0] == ZMQ_STREAM) {
            close_now(p.front);
            p.front = new_socket(p.ctx, ZMQ_STREAM);
        }
        proxy_run(&p);
        pause_ms(50);
        assert_false(atomic_load(&p.done));
        proxy_end(&p, NULL, 0);
    }
}

struct worker {
    void *ctx;
    const char *endpoint;
    int32_t id;
};

static void *worker_body(void *arg) {
    struct worker *w = arg;
    const int zero = 0;
    void *rep = zmq_socket(w->ctx, ZMQ_REP);
    zmq_setsockopt(rep, ZMQ_LINGER, &zero, sizeof zero);
    zmq_connect(rep, w->endpoint);
    for (;;) {
        int32_t number;
        if (zmq_recv(rep, &number, sizeof number, 0) != (int)sizeof number) break;
        number += 1000;
        zmq_send(rep, &w->id, sizeof w->id, ZMQ_SNDMORE);
        zmq_send(rep, &number, sizeof number, 0);
    }
    zmq_close(rep);
    return NULL;
}

static void PRX_10_ROUTER_DEALER_bring_replies_to_the_right_client(void **state) {
    (void)state;
    enum { CLIENTS = 4, WORKERS = 2, ROUNDS = 50 };
    int32_t served[WORKERS] = {0};
    struct proxy p;
    proxy_prepare(&p, ZMQ_ROUTER, ZMQ_DEALER, -1, -1);
    bind_on(p.front, "tcp", p.front_at);
    struct worker w[WORKERS];
    pthread_t threads[WORKERS];
    for (int i = 0; i < WORKERS; i++) {
        w[i] = (struct worker){.ctx = p.ctx, .endpoint = p.back_at, .id = i};
        threads[i] = start_thread(worker_body, &w[i]);
    }
    proxy_run(&p);
    void *req[CLIENTS];
    for (int i = 0; i < CLIENTS; i++) req[i] = connected(&p, ZMQ_REQ, p.front_at);
    /* Rounds count from when both workers are known to be there. */
    int32_t number = 0, base[WORKERS] = {0};
    const int64_t end = now_ms() + DEADLINE_MS;
    for (int round = 0; round < ROUNDS;) {
        for (int i = 0; i < CLIENTS; i++, number++)
            assert_int_equal(zmq_send(req[i], &number, sizeof number, 0), sizeof number);
        for (int i = CLIENTS - 1; i >= 0; i--) {
            const int32_t id = receive_number(req[i]);
            assert_in_range(id, 0, WORKERS - 1);
            assert_int_equal(get_int(req[i], ZMQ_RCVMORE), 1);
            assert_int_equal(receive_number(req[i]), number - CLIENTS + i + 1000);
            assert_int_equal(get_int(req[i], ZMQ_RCVMORE), 0);
            served[id]++;
        }
        if (served[0] && served[1])
            round++;
        else
            assert_true(now_ms() < end);
        if (round == 1) memcpy(base, served, sizeof base);
    }
    /* LB on the DEALER: both work, and nearly alike. */
    for (int i = 0; i < WORKERS; i++)
        assert_in_range(served[i] - base[i], (ROUNDS - 1) * CLIENTS / WORKERS - 10,
                        (ROUNDS - 1) * CLIENTS / WORKERS + 10);
    OK(zmq_ctx_shutdown(p.ctx));
    for (int i = 0; i < WORKERS; i++) join_thread(threads[i]);
    proxy_end(&p, req, CLIENTS);
}

static void PRX_10_bursts_stay_whole_and_in_order_for_each_client(void **state) {
    (void)state;
    enum { CLIENTS = 3, MESSAGES = 300 };
    for (int round = 0; round < 2; round++) {
        struct proxy p;
        proxy_prepare(&p, ZMQ_ROUTER, ZMQ_DEALER, -1, -1);
        if (round == 1) bind_on(p.front, "tcp", p.front_at);
        if (round == 1) bind_on(p.back, "tcp", p.back_at);
        void *others[CLIENTS + 1];
        for (int i = 0; i < CLIENTS; i++) others[i] = connected(&p, ZMQ_DEALER, p.front_at);
        void *echo = others[CLIENTS] = connected(&p, ZMQ_DEALER, p.back_at);
        /* The bursts are there before the proxy is: it finds many messages at once. Each has one to
         * three parts. */
        for (int32_t n = 0; n < MESSAGES; n++)
            for (int i = 0; i < CLIENTS; i++)
                for (int part = n % 3; part >= 0; part--) {
                    const int flags = part > 0 ? ZMQ_SNDMORE : 0;
                    assert_int_equal(zmq_send(others[i], &n, sizeof n, flags), sizeof n);
                }
        proxy_run(&p);
        int32_t from[CLIENTS] = {0};
        char ids[CLIENTS][16];
        int known = 0;
        for (int count = 0; count < CLIENTS * MESSAGES; count++) {
            char id[16];
            wait_events(echo, ZMQ_POLLIN);
            const int length = zmq_recv(echo, id, sizeof id, 0);
            assert_int_equal(length, 5);
            int i = 0;
            while (i < known && memcmp(ids[i], id, 5) != 0) i++;
            if (i == known) memcpy(ids[known++], id, 5);
            assert_in_range(known, 1, CLIENTS);
            assert_int_equal(zmq_send(echo, id, 5, ZMQ_SNDMORE), 5);
            const int32_t n = from[i]++;
            for (int part = n % 3; part >= 0; part--) {
                assert_int_equal(get_int(echo, ZMQ_RCVMORE), 1);
                assert_int_equal(receive_number(echo), n);
                const int flags = part > 0 ? ZMQ_SNDMORE : 0;
                assert_int_equal(zmq_send(echo, &n, sizeof n, flags), sizeof n);
            }
            assert_int_equal(get_int(echo, ZMQ_RCVMORE), 0);
        }
        for (int i = 0; i < CLIENTS; i++) {
            for (int32_t n = 0; n < MESSAGES; n++)
                for (int part = n % 3; part >= 0; part--) {
                    assert_int_equal(receive_number(others[i]), n);
                    assert_int_equal(get_int(others[i], ZMQ_RCVMORE), part > 0);
                }
            expect_silence(others[i]);
        }
        proxy_end(&p, others, CLIENTS + 1);
    }
}

/* A back that takes one request at a time gets one at a time, whatever waits at the front. */
static void PRX_10_REP_REQ_serve_a_crowd_one_by_one(void **state) {
    (void)state;
    OURS_IS_BETTER("PRX-10: between REP and REQ 4.3.4 stalls with requests waiting");
    enum { CLIENTS = 5 };
    struct proxy p;
    proxy_prepare(&p, ZMQ_REP, ZMQ_REQ, -1, -1);
    void *others[CLIENTS + 1];
    for (int32_t i = 0; i < CLIENTS; i++) {
        others[i] = connected(&p, ZMQ_REQ, p.front_at);
        assert_int_equal(zmq_send(others[i], &i, sizeof i, 0), sizeof i);
    }
    void *rep = others[CLIENTS] = connected(&p, ZMQ_REP, p.back_at);
    proxy_run(&p);
    for (int i = 0; i < CLIENTS; i++) {
        const int32_t number = receive_number(rep);
        assert_int_equal(zmq_send(rep, &number, sizeof number, 0), sizeof number);
        assert_int_equal(receive_number(others[number]), number);
    }
    proxy_end(&p, others, CLIENTS + 1);
}

static void PRX_11_zmq_device_is_a_proxy(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, -1, -1);
    p.kind = DEVICE;
    proxy_run(&p);
    void *others[2] = {connected(&p, ZMQ_DEALER, p.front_at), connected(&p, ZMQ_DEALER, p.back_at)};
    send_text(others[0], "down", ZMQ_SNDMORE);
    send_text(others[0], "stairs", 0);
    expect_part(others[1], "down", true);
    expect_part(others[1], "stairs", false);
    send_text(others[1], "up", 0);
    expect_text(others[0], "up");
    proxy_end(&p, others, 2);
}

/* ---- PRX-12 to PRX-18: zmq_proxy_steerable ---- */

static void statistics(void *control, uint64_t *numbers) {
    send_text(control, "STATISTICS", 0);
    for (int i = 0; i < 8; i++) {
        wait_events(control, ZMQ_POLLIN);
        assert_int_equal(zmq_recv(control, &numbers[i], sizeof numbers[i], ZMQ_DONTWAIT), 8);
        assert_int_equal(get_int(control, ZMQ_RCVMORE), i < 7);
    }
}

/* Commands are served in order: an answer to STATISTICS says that what was sent before has been
 * done. */
static void settle(void *control) {
    uint64_t numbers[8];
    statistics(control, numbers);
}

/* Closes everything after TERMINATE. */
static void proxy_close(struct proxy *p, void **others, int count) {
    for (int i = 0; i < count; i++) close_now(others[i]);
    close_now(p->front);
    close_now(p->back);
    if (p->capture) close_now(p->capture);
    if (p->control) close_now(p->control);
    end_context(p->ctx);
}

static void PRX_12_and_13_TERMINATE_returns_0_and_leaves_the_sockets_open(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, ZMQ_PAIR);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    void *others[3] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at),
                       control};
    send_text(others[0], "through", 0);
    expect_text(others[1], "through");
    send_text(control, "TERMINATE", 0);
    proxy_wait(&p);
    assert_int_equal(p.rc, 0);
    expect_no_events(control, ZMQ_POLLIN);
    /* The sockets are the caller's again, and work. */
    send_text(others[0], "by hand", 0);
    expect_text(p.front, "by hand");
    send_text(p.back, "by hand", 0);
    expect_text(others[1], "by hand");
    /* And a second proxy can be run over them. */
    proxy_run(&p);
    send_text(others[0], "again", 0);
    expect_text(others[1], "again");
    send_text(control, "TERMINATE", 0);
    proxy_wait(&p);
    assert_int_equal(p.rc, 0);
    proxy_close(&p, others, 3);
}

static void PRX_12_16_commands_are_exact(void **state) {
    (void)state;
    OURS_IS_BETTER("PRX-12, PRX-16: 4.3.4 aborts the process on any other command");
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, ZMQ_PAIR);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    void *others[3] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at),
                       control};
    static const char *const wrong[] = {"KILL",      "pause",      "PAUS", "PAUSED",
                                        "terminate", "TERMINATE ", "",     "STATISTIC"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) send_text(control, wrong[i], 0);
    /* With its terminator. */
    assert_int_equal(zmq_send(control, "PAUSE", 6, 0), 6);
    settle(control);
    send_text(others[0], "through", 0);
    expect_text(others[1], "through");
    assert_false(atomic_load(&p.done));
    proxy_end(&p, others, 3);
}

static void PRX_13_PAUSE_moves_nothing_and_RESUME_loses_nothing(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, -1, ZMQ_PAIR);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    void *others[3] = {connected(&p, ZMQ_DEALER, p.front_at), connected(&p, ZMQ_DEALER, p.back_at),
                       control};
    int32_t next = 0;
    for (int turn = 0; turn < 3; turn++) {
        send_text(control, "PAUSE", 0);
        settle(control);
        for (int side = 0; side < 2; side++) assert_int_equal(fill(others[side], next, 50), 50);
        expect_no_events(others[0], ZMQ_POLLIN);
        expect_no_events(others[1], ZMQ_POLLIN);
        send_text(control, "RESUME", 0);
        expect_numbers(others[0], next, 50);
        expect_numbers(others[1], next, 50);
        next += 50;
        /* A second RESUME changes nothing. */
        send_text(control, "RESUME", 0);
        for (int side = 0; side < 2; side++) {
            assert_int_equal(fill(others[side], next, 50), 50);
            expect_numbers(others[!side], next, 50);
        }
        next += 50;
    }
    proxy_end(&p, others, 3);
}

static void PRX_13_back_pressure_while_paused(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, ZMQ_PAIR);
    proxy_limit(&p, 4, -1);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    send_text(control, "PAUSE", 0);
    settle(control);
    void *others[3] = {new_limited(p.ctx, ZMQ_PUSH, 3, -1), connected(&p, ZMQ_PULL, p.back_at),
                       control};
    OK(zmq_connect(others[0], p.front_at));
    assert_int_equal(fill(others[0], 0, 100), 7);
    send_text(control, "RESUME", 0);
    expect_numbers(others[1], 0, 7);
    wait_events(others[0], ZMQ_POLLOUT);
    proxy_end(&p, others, 3);
}

static void PRX_13_TERMINATE_works_while_paused(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, ZMQ_PAIR);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    void *others[3] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at),
                       control};
    proxy_run(&p);
    send_text(control, "PAUSE", 0);
    settle(control);
    send_text(others[0], "kept", 0);
    send_text(control, "TERMINATE", 0);
    proxy_wait(&p);
    assert_int_equal(p.rc, 0);
    /* What arrived meanwhile is still in the front. */
    expect_text(p.front, "kept");
    proxy_close(&p, others, 3);
}

/* What it has taken it has given: the rest is in the front. */
static void PRX_13_TERMINATE_in_a_stream_loses_nothing(void **state) {
    (void)state;
    OURS_IS_BETTER("PRX-6: 4.3.4 hears no command while a burst waits for room");
    enum { MESSAGES = 2000 };
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, ZMQ_PAIR);
    proxy_limit(&p, 1000, 10);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    void *others[3] = {new_limited(p.ctx, ZMQ_PUSH, 1000, -1),
                       new_limited(p.ctx, ZMQ_PULL, -1, 10), control};
    OK(zmq_connect(others[0], p.front_at));
    OK(zmq_connect(others[1], p.back_at));
    assert_int_equal(fill(others[0], 0, MESSAGES), MESSAGES);
    proxy_run(&p);
    expect_numbers(others[1], 0, 500);
    send_text(control, "TERMINATE", 0);
    proxy_wait(&p);
    assert_int_equal(p.rc, 0);
    int32_t next = 500;
    while (events_of(others[1]) & ZMQ_POLLIN) assert_int_equal(receive_number(others[1]), next++);
    assert_in_range(next, 500, 500 + 2 * 10 + 1);
    expect_numbers(p.front, next, MESSAGES - next);
    proxy_close(&p, others, 3);
}

static void PRX_14_STATISTICS(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, -1, ZMQ_PAIR);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    void *others[3] = {connected(&p, ZMQ_DEALER, p.front_at), connected(&p, ZMQ_DEALER, p.back_at),
                       control};
    uint64_t n[8];
    statistics(control, n);
    for (int i = 0; i < 8; i++) assert_int_equal(n[i], 0);
    send_text(others[0], "m1", ZMQ_SNDMORE);
    send_text(others[0], "m2", 0);
    send_text(others[0], "paused", 0);
    expect_part(others[1], "m1", true);
    expect_part(others[1], "m2", false);
    expect_part(others[1], "paused", false);
    statistics(control, n);
    /* Frames [HEAD]; 4.3.4 counts messages. */
    const uint64_t down = on_tern() ? 3 : 2;
    const uint64_t expected[8] = {down, 10, 0, 0, 0, 0, down, 10};
    assert_memory_equal(n, expected, sizeof n);
    /* The other direction, in its own columns: back received, front sent. */
    send_text(others[1], "up", 0);
    expect_text(others[0], "up");
    statistics(control, n);
    const uint64_t both[8] = {down, 10, 1, 2, 1, 2, down, 10};
    assert_memory_equal(n, both, sizeof n);
    proxy_end(&p, others, 3);
}

static void PRX_15_a_REP_control_always_answers(void **state) {
    (void)state;
    OURS_IS_BETTER(
        "PRX-15: 4.3.4 answers nothing but STATISTICS, so a REP control is stuck after PAUSE");
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, ZMQ_REP);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_REQ, p.control_at);
    void *others[3] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at),
                       control};
    static const char *const commands[] = {"PAUSE", "unknown", "", "RESUME", "PAUSE"};
    for (int i = 0; i < 5; i++) {
        send_text(control, commands[i], 0);
        expect_part(control, "", false);
    }
    settle(control);
    send_text(others[0], "waits", 0);
    expect_no_events(others[1], ZMQ_POLLIN);
    send_text(control, "RESUME", 0);
    expect_part(control, "", false);
    expect_text(others[1], "waits");
    send_text(control, "TERMINATE", 0);
    expect_part(control, "", false);
    proxy_wait(&p);
    assert_int_equal(p.rc, 0);
    proxy_close(&p, others, 3);
}

static void PRX_15_a_REP_control_answers_STATISTICS(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, ZMQ_REP);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_REQ, p.control_at);
    for (int i = 0; i < 3; i++) settle(control);
    send_text(control, "TERMINATE", 0);
    proxy_wait(&p);
    assert_int_equal(p.rc, 0);
    proxy_close(&p, &control, 1);
}

static void PRX_15_PULL_and_SUB_controls_need_no_answer(void **state) {
    (void)state;
    static const int types[][2] = {{ZMQ_PULL, ZMQ_PUSH}, {ZMQ_SUB, ZMQ_XPUB}};
    for (int i = 0; i < 2; i++) {
        struct proxy p;
        proxy_prepare(&p, ZMQ_PULL, ZMQ_PUSH, -1, types[i][0]);
        void *control = connected(&p, types[i][1], p.control_at);
        void *others[3] = {connected(&p, ZMQ_PUSH, p.front_at), connected(&p, ZMQ_PULL, p.back_at),
                           control};
        proxy_run(&p);
        if (types[i][0] == ZMQ_SUB) expect_subscription(control, "");
        send_text(others[0], "before", 0);
        expect_text(others[1], "before");
        send_text(control, "PAUSE", 0);
        /* When it is done cannot be asked for: a message sent now may still pass; RESUME lets all
         * pass. */
        for (int k = 0; k < 20; k++) {
            send_text(others[0], "during", 0);
            pause_ms(1);
        }
        send_text(control, "RESUME", 0);
        for (int k = 0; k < 20; k++) expect_text(others[1], "during");
        send_text(control, "TERMINATE", 0);
        proxy_wait(&p);
        assert_int_equal(p.rc, 0);
        proxy_close(&p, others, 3);
    }
}

static void PRX_17_a_paused_proxy_with_input_does_not_spin(void **state) {
    (void)state;
    OURS_IS_BETTER("PRX-17: while paused with input waiting the reference spins");
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, -1, ZMQ_PAIR);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_PAIR, p.control_at);
    void *others[3] = {connected(&p, ZMQ_DEALER, p.front_at), connected(&p, ZMQ_DEALER, p.back_at),
                       control};
    send_text(control, "PAUSE", 0);
    settle(control);
    send_text(others[0], "waiting", 0);
    send_text(others[1], "waiting", 0);
    const int64_t before = cpu_ms(p.thread);
    pause_ms(400);
    assert_in_range(cpu_ms(p.thread) - before, 0, 200);
    send_text(control, "RESUME", 0);
    expect_text(others[0], "waiting");
    expect_text(others[1], "waiting");
    proxy_end(&p, others, 3);
}

static void PRX_18_without_control_it_is_zmq_proxy(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, ZMQ_PUSH, -1);
    p.kind = STEERABLE;
    proxy_run(&p);
    void *others[3] = {connected(&p, ZMQ_DEALER, p.front_at), connected(&p, ZMQ_DEALER, p.back_at),
                       connected(&p, ZMQ_PULL, p.capture_at)};
    send_text(others[0], "down", 0);
    expect_text(others[1], "down");
    send_text(others[1], "up", 0);
    expect_text(others[0], "up");
    expect_text(others[2], "down");
    expect_text(others[2], "up");
    proxy_end(&p, others, 3);
}

static void PRX_3_steerable_captures_too(void **state) {
    (void)state;
    struct proxy p;
    proxy_prepare(&p, ZMQ_DEALER, ZMQ_DEALER, ZMQ_PAIR, ZMQ_PAIR);
    proxy_run(&p);
    void *control = connected(&p, ZMQ_PAIR, p.control_at),
         *capture = connected(&p, ZMQ_PAIR, p.capture_at);
    void *others[4] = {connected(&p, ZMQ_DEALER, p.front_at), connected(&p, ZMQ_DEALER, p.back_at),
                       control, capture};
    send_text(others[0], "a", ZMQ_SNDMORE);
    send_text(others[0], "b", 0);
    expect_part(others[1], "a", true);
    expect_part(others[1], "b", false);
    expect_part(capture, "a", true);
    expect_part(capture, "b", false);
    /* Whether commands are copied is left open (4.3.4 does it); answers are not, and the copies go
     * on. */
    settle(control);
    send_text(others[1], "c", 0);
    expect_part(others[0], "c", false);
    char buffer[16];
    wait_events(capture, ZMQ_POLLIN);
    int n = zmq_recv(capture, buffer, sizeof buffer, ZMQ_DONTWAIT);
    if (n == 10) {
        assert_memory_equal(buffer, "STATISTICS", 10);
        n = zmq_recv(capture, buffer, sizeof buffer, ZMQ_DONTWAIT);
    }
    assert_int_equal(n, 1);
    assert_memory_equal(buffer, "c", 1);
    expect_silence(capture);
    proxy_end(&p, others, 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(PRX_1_NULL_sockets_are_EFAULT),
        CASE(PRX_11_zmq_device_with_NULL_is_EFAULT_too),
        CASE(PRX_1_termination_ends_it_with_ETERM),
        CASE(PRX_1_termination_ends_a_busy_one),
        CASE(PRX_1_a_terminated_context_is_ETERM_at_once),
        CASE(PRX_1_a_signal_ends_it_with_EINTR_and_it_can_go_on),
        CASE(PRX_2_messages_pass_whole_and_in_order),
        CASE(PRX_2_both_directions),
        CASE(PRX_2_over_tcp_with_large_messages),
        CASE(PRX_3_capture_gets_a_copy_of_both_directions),
        CASE(PRX_3_a_capture_that_blocks_stops_the_proxy),
        CASE(PRX_3_a_capture_with_little_room_gets_all),
        CASE(PRX_3_a_PUB_capture_never_stops_it),
        CASE(PRX_3_steerable_captures_too),
        CASE(PRX_4_front_may_be_back),
        CASE(PRX_5_messages_stay_in_the_source_while_the_target_cannot_take_them),
        CASE(PRX_5_it_waits_without_burning_CPU),
        CASE(PRX_5_a_stuck_direction_does_not_hold_up_the_other),
        CASE(PRX_6_a_steady_load_starves_neither_the_other_direction_nor_the_control),
        CASE(PRX_6_both_directions_under_load),
        CASE(PRX_7_capacity_is_that_of_the_queues),
        CASE(PRX_9_XSUB_XPUB_carry_subscriptions_up_and_data_down),
        CASE(PRX_9_a_new_publisher_gets_the_subscriptions),
        CASE(PRX_9_SUB_and_PUB_work_one_way),
        CASE(PRX_9_nonsense_pairs_do_nothing),
        CASE(PRX_10_ROUTER_DEALER_bring_replies_to_the_right_client),
        CASE(PRX_10_bursts_stay_whole_and_in_order_for_each_client),
        CASE(PRX_10_REP_REQ_serve_a_crowd_one_by_one),
        CASE(PRX_11_zmq_device_is_a_proxy),
        CASE(PRX_12_and_13_TERMINATE_returns_0_and_leaves_the_sockets_open),
        CASE(PRX_12_16_commands_are_exact),
        CASE(PRX_13_PAUSE_moves_nothing_and_RESUME_loses_nothing),
        CASE(PRX_13_back_pressure_while_paused),
        CASE(PRX_13_TERMINATE_works_while_paused),
        CASE(PRX_13_TERMINATE_in_a_stream_loses_nothing),
        CASE(PRX_14_STATISTICS),
        CASE(PRX_15_a_REP_control_always_answers),
        CASE(PRX_15_a_REP_control_answers_STATISTICS),
        CASE(PRX_15_PULL_and_SUB_controls_need_no_answer),
        CASE(PRX_17_a_paused_proxy_with_input_does_not_spin),
        CASE(PRX_18_without_control_it_is_zmq_proxy),
    };
    return cmocka_run_group_tests_name("devices.md section 1: PRX", tests, NULL, NULL);
}
