/* Common real programs in small: devices.md section 6, and the statements they rest on (CL-6,
 * PUB-7, CL-7, ...). Roles that are separate programs in real life have a context of their own. */
#include "flow_support.h"

static const char *const networks[] = {"tcp", "ipc"};

/* As bind_on, with an ipc name that outlives its binder: a wildcard would take its directory along.
 */
static void lasting_endpoint(const char *transport, char *endpoint, int *fd) {
    static int counter;
    if (strcmp(transport, "tcp") == 0)
        silent_tcp(fd, endpoint);
    else {
        *fd = -1;
        sprintf(endpoint, "ipc:///tmp/tern-scenario-%d-%d.sock", (int)getpid(), counter++);
    }
}

static void lasting_end(const char *endpoint, int fd) {
    if (fd >= 0)
        close(fd);
    else
        unlink(endpoint + strlen("ipc://"));
}

static void close_socket(void *s) { OK(zmq_close(s)); }

/* ---- CL-6: leaving with unsent messages ---- */

static void CL_6_default_linger_waits_for_a_peer(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        char endpoint[256];
        int fd;
        lasting_endpoint(networks[t], endpoint, &fd);
        void *ctx = new_context(), *other = new_context();
        void *push = new_socket(ctx, ZMQ_PUSH);
        set_int(push, ZMQ_RECONNECT_IVL, 20);
        OK(zmq_connect(push, endpoint));
        send_text(push, "at last", 0);
        close_socket(push);
        struct termination term;
        terminate_start(&term, ctx);
        pause_ms(2 * QUIET_MS);
        assert_false(atomic_load(&term.done));
        void *pull = new_socket(other, ZMQ_PULL);
        OK(zmq_bind(pull, endpoint));
        expect_text(pull, "at last");
        terminate_join(&term);
        close_now(pull);
        end_context(other);
        lasting_end(endpoint, fd);
    }
}

static void CL_6_a_limited_linger_gives_up(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++) {
        char endpoint[256];
        int fd;
        lasting_endpoint(networks[t], endpoint, &fd);
        void *ctx = new_context();
        void *push = new_socket(ctx, ZMQ_PUSH);
        set_int(push, ZMQ_LINGER, 400);
        OK(zmq_connect(push, endpoint));
        send_text(push, "never", 0);
        const int64_t start = now_ms();
        close_socket(push);
        end_context(ctx);
        expect_not_before(start, 400);
        expect_before(start, 5400);
        lasting_end(endpoint, fd);
    }
}

static void CL_6_linger_zero_leaves_at_once(void **state) {
    (void)state;
    char endpoint[256];
    int fd;
    lasting_endpoint("tcp", endpoint, &fd);
    void *ctx = new_context();
    void *push = new_socket(ctx, ZMQ_PUSH);
    OK(zmq_connect(push, endpoint));
    for (int i = 0; i < 500; i++) send_text(push, "never", 0);
    struct termination term;
    close_now(push);
    terminate_start(&term, ctx);
    terminate_join(&term);
    lasting_end(endpoint, fd);
}

static void CL_6_a_PUB_nobody_subscribed_to_leaves_at_once(void **state) {
    (void)state;
    static const int types[] = {ZMQ_PUB, ZMQ_XPUB};
    for (int i = 0; i < 2; i++)
        for (int connects = 0; connects < 2; connects++) {
            char endpoint[256];
            int fd;
            lasting_endpoint("tcp", endpoint, &fd);
            void *ctx = new_context();
            void *pub = new_socket(ctx, types[i]);
            if (connects)
                OK(zmq_connect(pub, endpoint));
            else
                OK(zmq_bind(pub, endpoint));
            for (int k = 0; k < 100; k++) send_text(pub, "to nobody", 0);
            struct termination term;
            close_socket(pub); /* linger -1 */
            terminate_start(&term, ctx);
            terminate_join(&term);
            lasting_end(endpoint, fd);
        }
}

static void CL_6_a_peer_that_never_reads_holds_up_the_leaver(void **state) {
    (void)state;
    enum { SIZE = 100000, COUNT = 200 };
    /* More than kernel buffers and both marks take: the rest can only go when the receiver reads.
     */
    void *ctx = new_context(), *other = new_context();
    void *push = new_limited(ctx, ZMQ_PUSH, 0, -1), *pull = new_limited(other, ZMQ_PULL, -1, 1);
    set_int(pull, ZMQ_RCVBUF, 4096);
    set_int(push, ZMQ_SNDBUF, 4096);
    join_sockets(pull, push, "tcp");
    char *body = calloc(1, SIZE);
    for (int32_t i = 0; i < COUNT; i++) {
        memcpy(body, &i, sizeof i);
        assert_int_equal(zmq_send(push, body, SIZE, 0), SIZE);
    }
    free(body);
    close_socket(push);
    struct termination term;
    terminate_start(&term, ctx);
    pause_ms(2 * QUIET_MS);
    assert_false(atomic_load(&term.done));
    expect_numbers(pull, 0, COUNT);
    terminate_join(&term);
    expect_silence(pull);
    close_now(pull);
    end_context(other);
}

/* ---- Drain: a sender with LINGER -1 sends many messages and leaves, the receiver is slow ----
 */

struct leaver {
    const char *endpoint;
    int32_t count;
    int error;
    atomic_bool gone;
};

static void *leaver_body(void *arg) {
    struct leaver *l = arg;
    const int forever = -1;
    void *ctx = zmq_ctx_new();
    void *push = zmq_socket(ctx, ZMQ_PUSH);
    zmq_setsockopt(push, ZMQ_LINGER, &forever, sizeof forever);
    zmq_connect(push, l->endpoint);
    char body[32] = {0};
    for (int32_t i = 0; i < l->count; i++) {
        memcpy(body, &i, sizeof i);
        if (zmq_send(push, body, sizeof body, 0) != (int)sizeof body) l->error = zmq_errno();
    }
    if (zmq_close(push) == -1) l->error = zmq_errno();
    while (zmq_ctx_term(ctx) == -1)
        if (zmq_errno() != EINTR) l->error = zmq_errno();
    atomic_store(&l->gone, true);
    return NULL;
}

static void drain(const char *transport, int rcvhwm, int32_t count) {
    char endpoint[256];
    void *ctx = new_context();
    void *pull = new_limited(ctx, ZMQ_PULL, -1, rcvhwm);
    bind_on(pull, transport, endpoint);
    struct leaver leaver = {.endpoint = endpoint, .count = count};
    pthread_t thread = start_thread(leaver_body, &leaver);
    /* Slow at the start, so that everything is full and, with luck, the sender already gone. */
    wait_events(pull, ZMQ_POLLIN);
    pause_ms(100);
    for (int32_t i = 0; i < count; i++) {
        const int32_t number = receive_number(pull);
        if (number != i)
            fail_msg("%s, RCVHWM %d: received message %d, expected %d", transport, rcvhwm, number,
                     i);
        if (i % 1000 == 999) pause_ms(2);
    }
    WAIT_UNTIL(atomic_load(&leaver.gone));
    join_thread(thread);
    assert_int_equal(leaver.error, 0);
    expect_silence(pull);
    close_now(pull);
    end_context(ctx);
}

static void CL_2_drain_over_tcp_RCVHWM_1(void **state) {
    (void)state;
    drain("tcp", 1, 20000);
}

static void CL_2_drain_over_tcp_RCVHWM_10(void **state) {
    (void)state;
    drain("tcp", 10, 20000);
}

static void CL_2_drain_over_tcp_RCVHWM_1000(void **state) {
    (void)state;
    drain("tcp", 1000, 200000);
}

#define IPC_DRAIN_REASON                                                                           \
    "the reference drops what is in the kernel when the hang-up comes while its queue is full"

static void CL_2_drain_over_ipc_RCVHWM_1(void **state) {
    (void)state;
    OURS_IS_BETTER(IPC_DRAIN_REASON);
    drain("ipc", 1, 20000);
}

static void CL_2_drain_over_ipc_RCVHWM_10(void **state) {
    (void)state;
    OURS_IS_BETTER(IPC_DRAIN_REASON);
    drain("ipc", 10, 20000);
}

static void CL_2_drain_over_ipc_RCVHWM_1000(void **state) {
    (void)state;
    OURS_IS_BETTER(IPC_DRAIN_REASON);
    drain("ipc", 1000, 200000);
}

static void CL_7_drain_over_inproc(void **state) {
    (void)state;
    enum { COUNT = 1500 };
    void *ctx = new_context();
    void *pull = new_socket(ctx, ZMQ_PULL), *push = new_socket(ctx, ZMQ_PUSH);
    join_sockets(pull, push, "inproc");
    assert_int_equal(fill(push, 0, COUNT), COUNT);
    close_now(push); /* linger 0 makes no difference */
    expect_numbers(pull, 0, COUNT);
    expect_silence(pull);
    close_now(pull);
    end_context(ctx);
}

/* ---- PUB-7 ---- */

static void PUB_7_closing_right_after_sending_loses_nothing(void **state) {
    (void)state;
    for (int t = 0; t < 2; t++)
        for (int round = 0; round < 2; round++) {
            char endpoint[256];
            void *ctx = new_context(), *other = new_context();
            void *xpub = new_socket(ctx, round % 2 ? ZMQ_XPUB : ZMQ_PUB),
                 *sub = new_socket(other, ZMQ_SUB);
            bind_on(xpub, networks[t], endpoint);
            subscribe(sub, "");
            OK(zmq_connect(sub, endpoint));
            /* PUB cannot tell that it has a subscriber: probe. */
            int32_t number = -1;
            zmq_pollitem_t item = {sub, 0, ZMQ_POLLIN, 0};
            do assert_int_equal(zmq_send(xpub, &number, sizeof number, 0), sizeof number);
            while (zmq_poll(&item, 1, 20) == 0);
            for (number = 0; number < 500; number++)
                assert_int_equal(zmq_send(xpub, &number, sizeof number, 0), sizeof number);
            close_socket(xpub);
            struct termination term;
            terminate_start(&term, ctx);
            while ((number = receive_number(sub)) == -1) {
            }
            assert_int_equal(number, 0);
            expect_numbers(sub, 1, 499);
            terminate_join(&term);
            expect_silence(sub);
            close_now(sub);
            end_context(other);
        }
}

/* ---- Workers with a kill signal: ventilator, workers, sink ---- */

struct task_worker {
    char tasks[256], results[256], kill[256];
    int done, error;
};

static void *task_worker_body(void *arg) {
    struct task_worker *w = arg;
    const int zero = 0;
    void *ctx = zmq_ctx_new();
    void *tasks = zmq_socket(ctx, ZMQ_PULL), *results = zmq_socket(ctx, ZMQ_PUSH),
         *killer = zmq_socket(ctx, ZMQ_SUB);
    if (zmq_connect(tasks, w->tasks) || zmq_connect(results, w->results) ||
        zmq_setsockopt(killer, ZMQ_SUBSCRIBE, "", 0) || zmq_connect(killer, w->kill))
        w->error = zmq_errno();
    bool ready = false;
    for (bool run = w->error == 0; run;) {
        zmq_pollitem_t items[2] = {{tasks, 0, ZMQ_POLLIN, 0}, {killer, 0, ZMQ_POLLIN, 0}};
        char buffer[16];
        if (zmq_poll(items, 2, 4 * DEADLINE_MS) < 1) {
            w->error = ETIMEDOUT;
            break;
        }
        if (items[0].revents) {
            const int n = zmq_recv(tasks, buffer, sizeof buffer, 0);
            if (n < 0 || zmq_send(results, buffer, (size_t)n, 0) != n) w->error = zmq_errno();
            w->done++;
        }
        if (items[1].revents) {
            const int n = zmq_recv(killer, buffer, sizeof buffer, 0);
            run = n == 5; /* "hello", or else */
            if (run && !ready) {
                zmq_send(results, "ready", 5, 0);
                ready = true;
            }
        }
    }
    zmq_setsockopt(results, ZMQ_LINGER, &zero, sizeof zero);
    zmq_close(tasks);
    zmq_close(results);
    zmq_close(killer);
    while (zmq_ctx_term(ctx) == -1 && zmq_errno() == EINTR) {
    }
    return NULL;
}

static void Guide_worker_with_kill_signal(void **state) {
    (void)state;
    enum { WORKERS = 3, TASKS = 200 };
    for (int t = 0; t < 2; t++) {
        void *ventilator = new_context(), *sink = new_context();
        void *tasks = new_socket(ventilator, ZMQ_PUSH);
        void *results = new_socket(sink, ZMQ_PULL), *killer = new_socket(sink, ZMQ_PUB);
        struct task_worker w[WORKERS];
        memset(w, 0, sizeof w);
        bind_on(tasks, networks[t], w[0].tasks);
        bind_on(results, networks[t], w[0].results);
        bind_on(killer, networks[t], w[0].kill);
        pthread_t threads[WORKERS];
        for (int i = 0; i < WORKERS; i++) {
            w[i] = w[0];
            threads[i] = start_thread(task_worker_body, &w[i]);
        }
        /* PUB-4: the workers must be there long before. They say so as soon as they hear the sink.
         */
        const int64_t end = now_ms() + DEADLINE_MS;
        for (int ready = 0; ready < WORKERS;) {
            send_text(killer, "hello", 0);
            zmq_pollitem_t item = {results, 0, ZMQ_POLLIN, 0};
            if (zmq_poll(&item, 1, 10) == 1) {
                expect_text(results, "ready");
                ready++;
            }
            assert_true(now_ms() < end);
        }
        for (int32_t i = 0; i < TASKS; i++)
            assert_int_equal(zmq_send(tasks, &i, sizeof i, 0), sizeof i);
        bool seen[TASKS] = {false};
        for (int i = 0; i < TASKS; i++) {
            const int32_t number = receive_number(results);
            assert_in_range(number, 0, TASKS - 1);
            assert_false(seen[number]);
            seen[number] = true;
        }
        /* One message at the end, then the sink leaves with default linger: all workers get it. */
        send_text(killer, "KILL", 0);
        close_socket(killer);
        close_socket(results);
        end_context(sink);
        int done = 0;
        for (int i = 0; i < WORKERS; i++) {
            join_thread(threads[i]);
            assert_int_equal(w[i].error, 0);
            done += w[i].done;
        }
        assert_int_equal(done, TASKS);
        close_now(tasks);
        end_context(ventilator);
    }
}

/* ---- Thread relay: PAIR over inproc, each step signals the next and is gone ---- */

struct relay {
    void *ctx;
    char upstream[64], downstream[64];
    int steps; /* still to start before this one */
    int error;
};

static void *relay_body(void *arg) {
    struct relay *r = arg;
    struct relay before = {.ctx = r->ctx, .steps = r->steps - 1};
    pthread_t thread;
    void *receiver = NULL;
    char buffer[8];
    if (r->steps > 0) {
        unique_inproc(before.downstream);
        receiver = zmq_socket(r->ctx, ZMQ_PAIR);
        if (zmq_bind(receiver, before.downstream) == -1 ||
            pthread_create(&thread, NULL, relay_body, &before) != 0)
            r->error = 1;
        else if (zmq_recv(receiver, buffer, sizeof buffer, 0) != 5)
            r->error = 2;
    }
    void *sender = zmq_socket(r->ctx, ZMQ_PAIR);
    if (zmq_connect(sender, r->downstream) == -1 || zmq_send(sender, "READY", 5, 0) != 5)
        r->error = 3;
    zmq_close(sender); /* at once */
    if (receiver) {
        zmq_close(receiver);
        pthread_join(thread, NULL);
        if (before.error) r->error = before.error;
    }
    return NULL;
}

static void Guide_thread_relay_CL_7_PAIR_6(void **state) {
    (void)state;
    void *ctx = new_context();
    for (int i = 0; i < 100; i++) {
        struct relay last = {.ctx = ctx, .steps = 2};
        unique_inproc(last.downstream);
        void *receiver = new_socket(ctx, ZMQ_PAIR);
        OK(zmq_bind(receiver, last.downstream));
        pthread_t thread = start_thread(relay_body, &last);
        expect_text(receiver, "READY");
        join_thread(thread);
        assert_int_equal(last.error, 0);
        close_now(receiver);
    }
    end_context(ctx);
}

/* ---- Multithreaded service ---- */

struct service {
    void *ctx, *clients, *workers;
    int rc, error;
};

static void *service_worker(void *arg) {
    struct service *s = arg;
    void *rep = zmq_socket(s->ctx, ZMQ_REP);
    zmq_connect(rep, "inproc://workers");
    char buffer[32];
    for (;;) {
        const int n = zmq_recv(rep, buffer, sizeof buffer, 0);
        if (n < 0) break;
        zmq_send(rep, "World ", 6, ZMQ_SNDMORE);
        zmq_send(rep, buffer, (size_t)n, 0);
    }
    const int zero = 0;
    zmq_setsockopt(rep, ZMQ_LINGER, &zero, sizeof zero);
    zmq_close(rep);
    return NULL;
}

static void *service_proxy(void *arg) {
    struct service *s = arg;
    s->rc = zmq_proxy(s->clients, s->workers, NULL);
    s->error = zmq_errno();
    return NULL;
}

struct client {
    const char *endpoint;
    int id, good;
};

static void *client_body(void *arg) {
    struct client *c = arg;
    void *ctx = zmq_ctx_new();
    void *req = zmq_socket(ctx, ZMQ_REQ);
    zmq_connect(req, c->endpoint);
    for (int i = 0; i < 50; i++) {
        char hello[32], reply[32];
        const int size = sprintf(hello, "Hello %d %d", c->id, i);
        if (zmq_send(req, hello, (size_t)size, 0) != size) break;
        if (zmq_recv(req, reply, sizeof reply, 0) != 6 || memcmp(reply, "World ", 6) != 0) break;
        if (zmq_recv(req, reply, sizeof reply, 0) != size ||
            memcmp(reply, hello, (size_t)size) != 0)
            break;
        c->good++;
    }
    zmq_close(req);
    zmq_ctx_term(ctx);
    return NULL;
}

static void Guide_multithreaded_service(void **state) {
    (void)state;
    enum { WORKERS = 5, CLIENTS = 4 };
    /* In 4.x the order of starting the workers and binding does not matter. */
    for (int workers_first = 0; workers_first < 2; workers_first++) {
        char endpoint[256];
        struct service s = {.ctx = new_context()};
        s.clients = new_socket(s.ctx, ZMQ_ROUTER);
        s.workers = new_socket(s.ctx, ZMQ_DEALER);
        bind_on(s.clients, "tcp", endpoint);
        pthread_t workers[WORKERS], clients[CLIENTS], proxy;
        if (!workers_first) OK(zmq_bind(s.workers, "inproc://workers"));
        for (int i = 0; i < WORKERS; i++) workers[i] = start_thread(service_worker, &s);
        if (workers_first) OK(zmq_bind(s.workers, "inproc://workers"));
        struct client c[CLIENTS];
        for (int i = 0; i < CLIENTS; i++) {
            c[i] = (struct client){.endpoint = endpoint, .id = i};
            clients[i] = start_thread(client_body, &c[i]);
        }
        proxy = start_thread(service_proxy, &s);
        for (int i = 0; i < CLIENTS; i++) {
            join_thread(clients[i]);
            assert_int_equal(c[i].good, 50);
        }
        OK(zmq_ctx_shutdown(s.ctx));
        for (int i = 0; i < WORKERS; i++) join_thread(workers[i]);
        join_thread(proxy);
        assert_int_equal(s.rc, -1);
        assert_int_equal(s.error, ETERM);
        close_now(s.clients);
        close_now(s.workers);
        end_context(s.ctx);
    }
}

/* ---- Synchronised publisher and subscribers ---- */

struct subscriber {
    const char *updates, *sync;
    int received, error;
};

enum { UPDATES = 10000 };

static void *subscriber_body(void *arg) {
    struct subscriber *s = arg;
    void *ctx = zmq_ctx_new();
    void *sub = zmq_socket(ctx, ZMQ_SUB), *req = zmq_socket(ctx, ZMQ_REQ);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "", 0);
    zmq_connect(sub, s->updates);
    zmq_connect(req, s->sync);
    char buffer[16];
    /* The Guide sleeps a second here; hearing a first hello is the same and certain. */
    if (zmq_recv(sub, buffer, sizeof buffer, 0) != 5) s->error = 1;
    zmq_send(req, "", 0, 0);
    if (zmq_recv(req, buffer, sizeof buffer, 0) != 0) s->error = 2;
    for (;;) {
        int32_t number = -1;
        const int n = zmq_recv(sub, buffer, sizeof buffer, 0);
        if (n == 3) /* END */
            break;
        if (n == 5) /* hello to another one */
            continue;
        memcpy(&number, buffer, sizeof number);
        if (n != (int)sizeof number || number != s->received) {
            s->error = 3;
            break;
        }
        s->received++;
    }
    zmq_close(sub);
    zmq_close(req);
    zmq_ctx_term(ctx);
    return NULL;
}

static void Guide_synchronised_publisher_HWM_8_HWM_9(void **state) {
    (void)state;
    enum { SUBSCRIBERS = 10 };
    for (int t = 0; t < 2; t++) {
        char updates[256], sync[256];
        void *ctx = new_context();
        void *pub = new_limited(ctx, ZMQ_PUB, 1100000, -1), *rep = new_socket(ctx, ZMQ_REP);
        bind_on(pub, networks[t], updates);
        bind_on(rep, networks[t], sync);
        struct subscriber s[SUBSCRIBERS];
        pthread_t threads[SUBSCRIBERS];
        for (int i = 0; i < SUBSCRIBERS; i++) {
            s[i] = (struct subscriber){.updates = updates, .sync = sync};
            threads[i] = start_thread(subscriber_body, &s[i]);
        }
        const int64_t end = now_ms() + DEADLINE_MS;
        for (int synced = 0; synced < SUBSCRIBERS;) {
            send_text(pub, "hello", 0);
            zmq_pollitem_t item = {rep, 0, ZMQ_POLLIN, 0};
            if (zmq_poll(&item, 1, 5) == 1) {
                expect_text(rep, "");
                send_text(rep, "", 0);
                synced++;
            }
            assert_true(now_ms() < end);
        }
        for (int32_t i = 0; i < UPDATES; i++)
            assert_int_equal(zmq_send(pub, &i, sizeof i, 0), sizeof i);
        send_text(pub, "END", 0);
        for (int i = 0; i < SUBSCRIBERS; i++) {
            join_thread(threads[i]);
            assert_int_equal(s[i].error, 0);
            assert_int_equal(s[i].received, UPDATES);
        }
        close_socket(pub);
        close_socket(rep);
        end_context(ctx);
    }
}

/* ---- Smaller programs of the Guide ---- */

static void Guide_one_server_with_several_endpoints_CON_6(void **state) {
    (void)state;
    void *ctx = new_context();
    void *rep = new_socket(ctx, ZMQ_REP), *req[4];
    static const char *const transports[] = {"tcp", "tcp", "ipc", "inproc"};
    for (int i = 0; i < 4; i++) {
        char endpoint[256];
        req[i] = new_socket(ctx, ZMQ_REQ);
        OK(zmq_connect(req[i], bind_on(rep, transports[i], endpoint)));
    }
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++) send_text(req[i], transports[i], 0);
        for (int i = 0; i < 4; i++) {
            char buffer[16];
            wait_events(rep, ZMQ_POLLIN);
            const int n = zmq_recv(rep, buffer, sizeof buffer, 0);
            assert_int_equal(zmq_send(rep, buffer, (size_t)n, 0), n);
        }
        for (int i = 0; i < 4; i++) expect_text(req[i], transports[i]);
    }
    for (int i = 0; i < 4; i++) close_now(req[i]);
    close_now(rep);
    end_context(ctx);
}

static void Guide_one_client_three_services_REQ_3(void **state) {
    (void)state;
    void *ctx = new_context();
    void *req = new_socket(ctx, ZMQ_REQ), *rep[3];
    for (int i = 0; i < 3; i++) {
        rep[i] = new_socket(ctx, ZMQ_REP);
        join_sockets(rep[i], req, networks[i % 2]);
    }
    static const char *const requests[] = {"1", "2", "3", "4", "5"};
    for (int i = 0; i < 5; i++) {
        send_text(req, requests[i], 0);
        expect_text(rep[i % 3], requests[i]);
        send_text(rep[i % 3], "done", 0);
        expect_text(req, "done");
    }
    for (int i = 0; i < 3; i++) close_now(rep[i]);
    close_now(req);
    end_context(ctx);
}

/* Frame by frame with RCVMORE, as the Guide's broker does before it knows zmq_proxy. */
static void forward(void *from, void *to) {
    int more;
    do {
        zmq_msg_t frame;
        OK(zmq_msg_init(&frame));
        assert_int_not_equal(zmq_msg_recv(&frame, from, ZMQ_DONTWAIT), -1);
        more = get_int(from, ZMQ_RCVMORE);
        assert_int_equal(zmq_msg_more(&frame), more);
        assert_int_not_equal(zmq_msg_send(&frame, to, more ? ZMQ_SNDMORE : 0), -1);
        OK(zmq_msg_close(&frame)); /* already sent, now empty: legal */
    } while (more);
}

static void Guide_request_reply_broker_RTR_12(void **state) {
    (void)state;
    void *ctx = new_context();
    char front_at[256], back_at[256];
    void *front = new_socket(ctx, ZMQ_ROUTER), *back = new_socket(ctx, ZMQ_DEALER);
    bind_on(front, "tcp", front_at);
    bind_on(back, "ipc", back_at);
    void *req[2], *rep = new_socket(ctx, ZMQ_REP);
    OK(zmq_connect(rep, back_at));
    for (int i = 0; i < 2; i++) {
        req[i] = new_socket(ctx, ZMQ_REQ);
        OK(zmq_connect(req[i], front_at));
    }
    for (int round = 0; round < 20; round++)
        for (int i = 0; i < 2; i++) {
            send_text(req[i], "Hello", ZMQ_SNDMORE);
            send_text(req[i], i ? "from one" : "from zero", 0);
            wait_events(front, ZMQ_POLLIN);
            wait_events(back, ZMQ_POLLOUT);
            forward(front, back);
            expect_part(rep, "Hello", true);
            expect_part(rep, i ? "from one" : "from zero", false);
            send_text(rep, "World", 0);
            wait_events(back, ZMQ_POLLIN);
            forward(back, front);
            expect_part(req[i], "World", false);
            assert_int_equal(events_of(req[!i]) & ZMQ_POLLIN, 0);
        }
    close_now(req[0]);
    close_now(req[1]);
    close_now(rep);
    close_now(front);
    close_now(back);
    end_context(ctx);
}

static void Guide_multiple_socket_reader_TMO_2(void **state) {
    (void)state;
    void *ctx = new_context();
    void *pull = new_socket(ctx, ZMQ_PULL), *push = new_socket(ctx, ZMQ_PUSH);
    void *sub = new_socket(ctx, ZMQ_SUB), *xpub = new_socket(ctx, ZMQ_XPUB);
    join_sockets(pull, push, "tcp");
    subscribe(sub, "10001 ");
    join_sockets(xpub, sub, "tcp");
    expect_subscription(xpub, "10001 ");
    for (int32_t i = 0; i < 100; i++) {
        assert_int_equal(zmq_send(push, &i, sizeof i, 0), sizeof i);
        send_text(xpub, i % 2 ? "10001 warm" : "20002 cold", 0);
    }
    int tasks = 0, updates = 0;
    const int64_t end = now_ms() + DEADLINE_MS;
    while (tasks < 100 || updates < 50) {
        char buffer[32];
        while (zmq_recv(pull, buffer, sizeof buffer, ZMQ_DONTWAIT) != -1) tasks++;
        assert_int_equal(zmq_errno(), EAGAIN);
        while (zmq_recv(sub, buffer, sizeof buffer, ZMQ_DONTWAIT) != -1) updates++;
        assert_int_equal(zmq_errno(), EAGAIN);
        assert_true(now_ms() < end);
        pause_ms(1);
    }
    assert_int_equal(tasks, 100);
    assert_int_equal(updates, 50);
    close_now(pull);
    close_now(push);
    close_now(sub);
    close_now(xpub);
    end_context(ctx);
}

static void Guide_envelope_subscriber_SUB_2(void **state) {
    (void)state;
    void *ctx = new_context();
    void *sub = new_socket(ctx, ZMQ_SUB), *xpub = new_socket(ctx, ZMQ_XPUB);
    subscribe(sub, "B");
    join_sockets(xpub, sub, "tcp");
    expect_subscription(xpub, "B");
    for (int i = 0; i < 50; i++) {
        send_text(xpub, "A", ZMQ_SNDMORE);
        send_text(xpub, "B is not for the filter", 0);
        send_text(xpub, "B", ZMQ_SNDMORE);
        send_text(xpub, "address", ZMQ_SNDMORE);
        send_text(xpub, "We would like to see this", 0);
        expect_part(sub, "B", true);
        expect_part(sub, "address", true);
        expect_part(sub, "We would like to see this", false);
    }
    expect_silence(sub);
    close_now(sub);
    close_now(xpub);
    end_context(ctx);
}

static void Guide_sending_one_message_twice_through_a_copy(void **state) {
    (void)state;
    static const size_t sizes[] = {5, 5000};
    void *ctx = new_context();
    void *pull[2], *push[2];
    for (int i = 0; i < 2; i++) {
        pull[i] = new_socket(ctx, ZMQ_PULL);
        push[i] = new_socket(ctx, ZMQ_PUSH);
        join_sockets(pull[i], push[i], i ? "inproc" : "tcp");
    }
    for (int k = 0; k < 2; k++) {
        zmq_msg_t first, second;
        OK(zmq_msg_init_size(&first, sizes[k]));
        memset(zmq_msg_data(&first), 's', sizes[k]);
        OK(zmq_msg_init(&second));
        OK(zmq_msg_copy(&second, &first));
        assert_int_equal(zmq_msg_send(&first, push[0], 0), sizes[k]);
        assert_int_equal(zmq_msg_size(&second), sizes[k]);
        assert_int_equal(zmq_msg_send(&second, push[1], 0), sizes[k]);
        for (int i = 0; i < 2; i++) {
            wait_events(pull[i], ZMQ_POLLIN);
            assert_int_equal(zmq_msg_recv(&first, pull[i], 0), sizes[k]);
            for (size_t b = 0; b < sizes[k]; b++)
                assert_int_equal(((char *)zmq_msg_data(&first))[b], 's');
        }
        OK(zmq_msg_close(&first));
        OK(zmq_msg_close(&second));
    }
    for (int i = 0; i < 2; i++) {
        close_now(pull[i]);
        close_now(push[i]);
    }
    end_context(ctx);
}

static void Guide_a_forgotten_client_steals_every_other_message_LB_1(void **state) {
    (void)state;
    void *ctx = new_context();
    char endpoint[256];
    void *push = new_socket(ctx, ZMQ_PUSH), *wanted = new_socket(ctx, ZMQ_PULL),
         *forgotten = new_socket(ctx, ZMQ_PULL);
    bind_on(push, "inproc", endpoint);
    OK(zmq_connect(wanted, endpoint));
    OK(zmq_connect(forgotten, endpoint));
    assert_int_equal(fill(push, 0, 100), 100);
    for (int i = 0; i < 100; i++) expect_numbers(i % 2 ? forgotten : wanted, i, 1);
    close_now(push);
    close_now(wanted);
    close_now(forgotten);
    end_context(ctx);
}

static void Guide_two_contexts_do_not_share_inproc_names_INP_1(void **state) {
    (void)state;
    void *ctx[2] = {new_context(), new_context()}, *pull[2], *push[2];
    for (int i = 0; i < 2; i++) {
        pull[i] = new_socket(ctx[i], ZMQ_PULL);
        push[i] = new_socket(ctx[i], ZMQ_PUSH);
        OK(zmq_bind(pull[i], "inproc://same-name"));
        OK(zmq_connect(push[i], "inproc://same-name"));
        send_text(push[i], i ? "one" : "zero", 0);
    }
    for (int i = 0; i < 2; i++) {
        expect_text(pull[i], i ? "one" : "zero");
        expect_silence(pull[i]);
        close_now(pull[i]);
        close_now(push[i]);
        end_context(ctx[i]);
    }
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal) {
    (void)signal;
    interrupted = 1;
}

static void Guide_ctrl_c_ends_the_loop_and_ctx_destroy_does_not_hang(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = on_interrupt}, old;
    assert_int_equal(sigaction(SIGINT, &action, &old), 0);
    interrupted = 0;
    void *ctx = new_context();
    char endpoint[256], buffer[16];
    void *rep = new_socket(ctx, ZMQ_REP);
    bind_on(rep, "tcp", endpoint);
    /* The key press: a timer of this process, again and again in case one comes before the wait. */
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGINT};
    const struct itimerspec every = {{0, 20000000}, {0, 20000000}};
    timer_t timer;
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &every, NULL), 0);
    int rc, error;
    do {
        rc = zmq_recv(rep, buffer, sizeof buffer, 0);
        error = zmq_errno();
    } while (!interrupted);
    assert_int_equal(timer_delete(timer), 0);
    assert_int_equal(rc, -1);
    assert_int_equal(error, EINTR);
    close_socket(rep);
    const int64_t start = now_ms();
    while (zmq_ctx_destroy(ctx) == -1) assert_int_equal(zmq_errno(), EINTR);
    expect_before(start, 5000);
    assert_int_equal(sigaction(SIGINT, &old, NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(CL_6_default_linger_waits_for_a_peer),
        CASE(CL_6_a_limited_linger_gives_up),
        CASE(CL_6_linger_zero_leaves_at_once),
        CASE(CL_6_a_PUB_nobody_subscribed_to_leaves_at_once),
        CASE(CL_6_a_peer_that_never_reads_holds_up_the_leaver),
        CASE(CL_2_drain_over_tcp_RCVHWM_1),
        CASE(CL_2_drain_over_tcp_RCVHWM_10),
        CASE(CL_2_drain_over_tcp_RCVHWM_1000),
        CASE(CL_2_drain_over_ipc_RCVHWM_1),
        CASE(CL_2_drain_over_ipc_RCVHWM_10),
        CASE(CL_2_drain_over_ipc_RCVHWM_1000),
        CASE(CL_7_drain_over_inproc),
        CASE(PUB_7_closing_right_after_sending_loses_nothing),
        CASE(Guide_worker_with_kill_signal),
        CASE(Guide_thread_relay_CL_7_PAIR_6),
        CASE(Guide_multithreaded_service),
        CASE(Guide_synchronised_publisher_HWM_8_HWM_9),
        CASE(Guide_one_server_with_several_endpoints_CON_6),
        CASE(Guide_one_client_three_services_REQ_3),
        CASE(Guide_request_reply_broker_RTR_12),
        CASE(Guide_multiple_socket_reader_TMO_2),
        CASE(Guide_envelope_subscriber_SUB_2),
        CASE(Guide_sending_one_message_twice_through_a_copy),
        CASE(Guide_a_forgotten_client_steals_every_other_message_LB_1),
        CASE(Guide_two_contexts_do_not_share_inproc_names_INP_1),
        CASE(Guide_ctrl_c_ends_the_loop_and_ctx_destroy_does_not_hang),
    };
    return cmocka_run_group_tests_name("devices.md section 6: common programs", tests, NULL, NULL);
}
