/* Several threads on one socket: CS-6 of patterns.md, THR-1 and TERM-2 of lifecycle.md. A wake-up
 * that is lost shows as a call that runs into its timeout. */
#include "draft_support.h"

enum { THREADS = 4 };

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int waiting, round;
} meeting_t;

static void meet(meeting_t *m, int threads) {
    pthread_mutex_lock(&m->mutex);
    const int round = m->round;
    if (++m->waiting == threads) {
        m->waiting = 0;
        ++m->round;
        pthread_cond_broadcast(&m->changed);
    }
    while (m->round == round) pthread_cond_wait(&m->changed, &m->mutex);
    pthread_mutex_unlock(&m->mutex);
}

#define NO_MEETING {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0}

static int rounds(const char *transport) { return is_inproc(transport) ? 2000 : 500; }

/* Any failure in a thread that is not the test's own. */
static atomic_int failures;

static bool good(bool condition, const char *what) {
    if (condition) return true;
    print_error("%s: %s\n", what, zmq_strerror(zmq_errno()));
    ++failures;
    return false;
}

static void start(pthread_t *threads, int count, void *(*run)(void *), void *argument) {
    for (int i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, argument), 0);
}

static void finish(pthread_t *threads, int count) {
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
}

/* ---- Every message goes to a thread that waits ---- */

typedef struct {
    void *s;
    int rounds;
    meeting_t met;
} takers_t;

/* Each takes one message a round, and none more before all have theirs. */
static void *take_one_a_round(void *argument) {
    takers_t *t = argument;
    char buffer[16];
    for (int i = 0; i < t->rounds; i++) {
        good(zmq_recv(t->s, buffer, sizeof buffer, 0) == 4, "a receiver was not woken");
        meet(&t->met, THREADS + 1);
    }
    return NULL;
}

static void CS_6_each_of_several_waiting_receivers_gets_its_message(void **state) {
    NEED_DRAFT();
    void *in, *out;
    open_pair(ZMQ_GATHER, ZMQ_SCATTER, *state, &in, &out);
    takers_t t = {in, rounds(*state), NO_MEETING};
    pthread_t threads[THREADS];
    failures = 0;
    start(threads, THREADS, take_one_a_round, &t);
    for (int i = 0; i < t.rounds; i++) {
        for (int k = 0; k < THREADS; k++) good(zmq_send(out, "data", 4, 0) == 4, "send");
        meet(&t.met, THREADS + 1);
    }
    finish(threads, THREADS);
    assert_int_equal(failures, 0);
}

/* The same where the type looks at a single pipe. */
static void CH_1_each_of_several_waiting_receivers_gets_its_message(void **state) {
    NEED_DRAFT();
    void *in, *out;
    open_pair(ZMQ_CHANNEL, ZMQ_CHANNEL, *state, &in, &out);
    takers_t t = {in, rounds(*state), NO_MEETING};
    pthread_t threads[THREADS];
    failures = 0;
    start(threads, THREADS, take_one_a_round, &t);
    for (int i = 0; i < t.rounds; i++) {
        for (int k = 0; k < THREADS; k++) good(zmq_send(out, "data", 4, 0) == 4, "send");
        meet(&t.met, THREADS + 1);
    }
    finish(threads, THREADS);
    assert_int_equal(failures, 0);
}

/* ---- Room goes to a thread that waits for it ---- */

static void *give_one_a_round(void *argument) {
    takers_t *t = argument;
    for (int i = 0; i < t->rounds; i++) {
        good(zmq_send(t->s, "data", 4, 0) == 4, "a sender was not woken");
        meet(&t->met, THREADS + 1);
    }
    return NULL;
}

static void senders_wait_for_room(void *in, void *out, int count) {
    char buffer[16];
    takers_t t = {out, count, NO_MEETING};
    pthread_t threads[THREADS];
    failures = 0;
    start(threads, THREADS, give_one_a_round, &t);
    for (int i = 0; i < t.rounds; i++) {
        for (int k = 0; k < THREADS; k++)
            good(zmq_recv(in, buffer, sizeof buffer, 0) == 4, "recv");
        meet(&t.met, THREADS + 1);
    }
    finish(threads, THREADS);
    assert_int_equal(failures, 0);
}

static void open_narrow_pair(int bound_type, int connected_type, const char *transport, void **in,
                             void **out) {
    char ep[ENDPOINT];
    *in = open_with(bound_type, ZMQ_RCVHWM, 1);
    bind_on(*in, transport, ep);
    *out = open_with(connected_type, ZMQ_SNDHWM, 1);
    connect_to(*out, ep);
}

static void CS_6_each_of_several_waiting_senders_gets_its_room(void **state) {
    NEED_DRAFT();
    void *in, *out;
    open_narrow_pair(ZMQ_GATHER, ZMQ_SCATTER, *state, &in, &out);
    senders_wait_for_room(in, out, rounds(*state));
}

static void CH_1_each_of_several_waiting_senders_gets_its_room(void **state) {
    NEED_DRAFT();
    void *in, *out;
    open_narrow_pair(ZMQ_CHANNEL, ZMQ_CHANNEL, *state, &in, &out);
    senders_wait_for_room(in, out, rounds(*state));
}

/* ---- Requests and replies, everything shared ---- */

typedef struct {
    void *s;
    int count;          /* messages of each thread */
    atomic_int *counts; /* how often each number has come */
    atomic_int left;
} traffic_t;

static void *send_numbers(void *argument) {
    traffic_t *t = argument;
    static atomic_int next;
    const int first = atomic_fetch_add(&next, 1) % THREADS * t->count;
    for (int i = 0; i < t->count; i++) {
        const int number = first + i;
        if (!good(zmq_send(t->s, &number, sizeof number, 0) == sizeof number, "send")) break;
    }
    return NULL;
}

/* Until -1 comes. */
static void *count_numbers(void *argument) {
    traffic_t *t = argument;
    for (;;) {
        int number;
        if (!good(zmq_recv(t->s, &number, sizeof number, 0) == sizeof number, "recv")) break;
        if (number == -1) break;
        ++t->counts[number];
        --t->left;
    }
    return NULL;
}

static void *echo(void *argument) {
    traffic_t *t = argument;
    for (;;) {
        zmq_msg_t m;
        zmq_msg_init(&m);
        if (!good(zmq_msg_recv(&m, t->s, 0) == sizeof(int), "recv of the server")) break;
        int number;
        memcpy(&number, zmq_msg_data(&m), sizeof number);
        if (number == -1) {
            zmq_msg_close(&m);
            break;
        }
        if (!good(zmq_msg_send(&m, t->s, 0) == sizeof number, "reply")) break;
    }
    return NULL;
}

static void send_ends(void *s) {
    const int end = -1;
    for (int i = 0; i < THREADS; i++)
        good(zmq_send(s, &end, sizeof end, 0) == sizeof end, "the end");
}

static void wait_for_all(traffic_t *t) {
    const int64_t end = now_ms() + 60000;
    while (t->left > 0 && failures == 0 && now_ms() < end) poll(NULL, 0, 2);
}

static void CS_6_many_senders_and_receivers_on_both_sides(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *server = open_with(ZMQ_SERVER, ZMQ_SNDHWM, 10);
    void *client = open_with(ZMQ_CLIENT, ZMQ_SNDHWM, 10);
    connect_to(client, bind_on(server, *state, ep));
    const int count = is_inproc(*state) ? 5000 : 2000;
    atomic_int *counts = calloc((size_t)count * THREADS, sizeof *counts);
    traffic_t requests = {client, count, counts, count * THREADS};
    traffic_t replies = {server, 0, NULL, 0};
    pthread_t senders[THREADS], receivers[THREADS], servers[THREADS];
    failures = 0;
    start(receivers, THREADS, count_numbers, &requests);
    start(servers, THREADS, echo, &replies);
    start(senders, THREADS, send_numbers, &requests);
    finish(senders, THREADS);
    wait_for_all(&requests);
    assert_int_equal(requests.left, 0);
    for (int i = 0; i < count * THREADS; i++) assert_int_equal(counts[i], 1);
    send_ends(client); /* the servers */
    finish(servers, THREADS);
    /* The client's receivers, through one more server. */
    for (int i = 0; i < THREADS; i++) {
        const int end = -1;
        zmq_msg_t m;
        OK(zmq_send(client, &end, sizeof end, 0));
        zmq_msg_init(&m);
        OK(zmq_msg_recv(&m, server, 0));
        OK(zmq_msg_send(&m, server, 0));
    }
    finish(receivers, THREADS);
    free(counts);
    assert_int_equal(failures, 0);
}

static void SG_1_many_senders_and_receivers(void **state) {
    NEED_DRAFT();
    void *in, *out;
    open_narrow_pair(ZMQ_GATHER, ZMQ_SCATTER, *state, &in, &out);
    const int count = is_inproc(*state) ? 10000 : 5000;
    atomic_int *counts = calloc((size_t)count * THREADS, sizeof *counts);
    traffic_t sent = {out, count, NULL, 0}, received = {in, 0, counts, count * THREADS};
    pthread_t senders[THREADS], receivers[THREADS];
    failures = 0;
    start(receivers, THREADS, count_numbers, &received);
    start(senders, THREADS, send_numbers, &sent);
    finish(senders, THREADS);
    wait_for_all(&received);
    assert_int_equal(received.left, 0);
    for (int i = 0; i < count * THREADS; i++) assert_int_equal(counts[i], 1);
    send_ends(out);
    finish(receivers, THREADS);
    free(counts);
    assert_int_equal(failures, 0);
}

/* RADIO with NODROP waits for the slowest member; the groups are joined and left meanwhile. */
static void *join_and_leave(void *argument) {
    traffic_t *t = argument;
    for (int i = 0; i < 300; i++) {
        good(DRAFT(zmq_join)(t->s, "other") == 0, "join");
        good(DRAFT(zmq_leave)(t->s, "other") == 0, "leave");
    }
    return NULL;
}

static void RD_3_many_senders_and_receivers_without_drops(void **state) {
    NEED_DRAFT();
    void *in, *out;
    open_narrow_pair(ZMQ_DISH, ZMQ_RADIO, *state, &in, &out);
    set_int(out, ZMQ_XPUB_NODROP, 1);
    OK(DRAFT(zmq_join)(in, ""));
    const int64_t end = now_ms() + DEADLINE_MS;
    char buffer[16];
    do {
        assert_true(now_ms() < end);
        OK(zmq_send(out, "joined?", 7, 0));
    } while (receive_within(in, buffer, sizeof buffer, 5) == -1);
    while (receive_within(in, buffer, sizeof buffer, QUIET_MS) != -1) {
    }
    const int count = 3000;
    atomic_int *counts = calloc((size_t)count * THREADS, sizeof *counts);
    traffic_t sent = {out, count, NULL, 0}, received = {in, 0, counts, count * THREADS};
    pthread_t senders[THREADS], receivers[THREADS], joiner;
    failures = 0;
    start(receivers, THREADS, count_numbers, &received);
    start(senders, THREADS, send_numbers, &sent);
    start(&joiner, 1, join_and_leave, &received);
    finish(senders, THREADS);
    finish(&joiner, 1);
    wait_for_all(&received);
    assert_int_equal(received.left, 0);
    for (int i = 0; i < count * THREADS; i++) assert_int_equal(counts[i], 1);
    send_ends(out);
    finish(receivers, THREADS);
    free(counts);
    assert_int_equal(failures, 0);
}

/* ---- Pollers of several threads ---- */

static void *poll_and_count(void *argument) {
    traffic_t *t = argument;
    void *poller = DRAFT(zmq_poller_new)();
    good(DRAFT(zmq_poller_add)(poller, t->s, t, ZMQ_POLLIN) == 0, "poller_add");
    for (bool ended = false; !ended;) {
        zmq_poller_event_t event;
        if (!good(DRAFT(zmq_poller_wait)(poller, &event, DEADLINE_MS) == 0, "poller_wait")) break;
        for (;;) {
            int number;
            if (zmq_recv(t->s, &number, sizeof number, ZMQ_DONTWAIT) == -1) break;
            ended = number == -1;
            if (ended) break;
            ++t->counts[number];
            --t->left;
        }
    }
    good(DRAFT(zmq_poller_destroy)(&poller) == 0, "poller_destroy");
    return NULL;
}

static void *zmq_poll_and_count(void *argument) {
    traffic_t *t = argument;
    for (;;) {
        zmq_pollitem_t items[2] = {{t->s, 0, ZMQ_POLLIN, 0}, {t->s, 0, ZMQ_POLLIN, 0}};
        if (!good(zmq_poll(items, 2, DEADLINE_MS) == 1, "poll")) break;
        int number;
        if (zmq_recv(t->s, &number, sizeof number, ZMQ_DONTWAIT) == -1) continue;
        if (number == -1) break;
        ++t->counts[number];
        --t->left;
    }
    return NULL;
}

static void POL_9_pollers_of_several_threads(void **state) {
    NEED_DRAFT();
    void *in, *out;
    open_pair(ZMQ_GATHER, ZMQ_SCATTER, *state, &in, &out);
    const int count = 3000;
    atomic_int *counts = calloc((size_t)count * THREADS, sizeof *counts);
    traffic_t sent = {out, count, NULL, 0}, received = {in, 0, counts, count * THREADS};
    pthread_t senders[THREADS], receivers[THREADS];
    failures = 0;
    start(receivers, THREADS / 2, poll_and_count, &received);
    start(receivers + THREADS / 2, THREADS / 2, zmq_poll_and_count, &received);
    start(senders, THREADS, send_numbers, &sent);
    finish(senders, THREADS);
    wait_for_all(&received);
    assert_int_equal(received.left, 0);
    for (int i = 0; i < count * THREADS; i++) assert_int_equal(counts[i], 1);
    send_ends(out);
    finish(receivers, THREADS);
    free(counts);
    assert_int_equal(failures, 0);
}

/* ---- What else ends a wait ---- */

static atomic_int about_to_wait;

static void *receive_for_ever(void *argument) {
    char buffer[8];
    int *number = malloc(sizeof *number);
    ++about_to_wait;
    *number = zmq_recv(argument, buffer, sizeof buffer, 0) == -1 ? zmq_errno() : 0;
    return number;
}

static void *send_for_ever(void *argument) {
    int *number = malloc(sizeof *number);
    ++about_to_wait;
    *number = zmq_send(argument, "x", 1, 0) == -1 ? zmq_errno() : 0;
    return number;
}

static void await_waiters(int count) {
    while (about_to_wait < count) poll(NULL, 0, 1);
    poll(NULL, 0, 20); /* most of them sleep by now; the test holds for those that do not */
}

static void expect_results(pthread_t *threads, int count, int expected) {
    for (int i = 0; i < count; i++) {
        void *number;
        pthread_join(threads[i], &number);
        assert_int_equal(*(int *)number, expected);
        free(number);
    }
}

static void TERM_2_all_waiting_threads_get_ETERM(void **state) {
    (void)state;
    NEED_DRAFT();
    void *gather = open_socket(ZMQ_GATHER), *client = open_socket(ZMQ_CLIENT);
    set_int(gather, ZMQ_RCVTIMEO, -1);
    set_int(client, ZMQ_SNDTIMEO, -1);
    set_int(client, ZMQ_RCVTIMEO, -1);
    pthread_t threads[3 * THREADS];
    about_to_wait = 0;
    start(threads, THREADS, receive_for_ever, gather);
    start(threads + THREADS, THREADS, receive_for_ever, client);
    start(threads + 2 * THREADS, THREADS, send_for_ever, client);
    await_waiters(3 * THREADS);
    OK(zmq_ctx_shutdown(kit.ctx));
    expect_results(threads, 3 * THREADS, ETERM);
}

/* The program does not order its close after the look-up of the handle in the other calls; that is
 * its own race, and the thread sanitizer would say so. */
#if defined __has_feature
#if __has_feature(thread_sanitizer)
#define THREAD_SANITIZER 1
#endif
#endif
#if defined __SANITIZE_THREAD__ && !defined THREAD_SANITIZER
#define THREAD_SANITIZER 1
#endif

static void CL_1_a_close_sends_all_waiting_threads_away(void **state) {
    (void)state;
    NEED_DRAFT();
#ifdef THREAD_SANITIZER
    skip();
#endif
    void *gather = open_socket(ZMQ_GATHER);
    set_int(gather, ZMQ_RCVTIMEO, -1);
    pthread_t threads[THREADS];
    about_to_wait = 0;
    start(threads, THREADS, receive_for_ever, gather);
    await_waiters(THREADS);
    close_socket(gather);
    expect_results(threads, THREADS, ENOTSOCK);
}

static void CON_3_a_connect_wakes_threads_that_wait_to_send(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *server = open_socket(ZMQ_SERVER), *client = open_socket(ZMQ_CLIENT);
    bind_on(server, *state, ep);
    pthread_t threads[THREADS];
    about_to_wait = 0;
    start(threads, THREADS, send_for_ever, client);
    await_waiters(THREADS);
    connect_to(client, ep);
    expect_results(threads, THREADS, 0);
    for (int i = 0; i < THREADS; i++) EXPECT(server, "x");
}

static void PEER_3_disconnect_peer_wakes_threads_that_wait_to_send(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    (void)state;
    void *peer = open_with(ZMQ_PEER, ZMQ_SNDHWM, 1);
    set_int(peer, ZMQ_RCVTIMEO, -1);
    const uint32_t id = DRAFT(zmq_connect_peer)(peer, dead_endpoint("tcp", ep));
    assert_int_not_equal(id, 0);
    assert_int_equal(send_to_peer(peer, "1", id, NULL, 0), 1);
    FAILS(send_to_peer(peer, "2", id, NULL, ZMQ_DONTWAIT), EAGAIN);
    about_to_wait = 0;
    pthread_t threads[THREADS];
    start(threads, THREADS, receive_for_ever, peer); /* are not disturbed by it */
    await_waiters(THREADS);
    OK(DRAFT(zmq_disconnect_peer)(peer, id));
    FAILS(send_to_peer(peer, "3", id, NULL, 0), EHOSTUNREACH);
    OK(zmq_ctx_shutdown(kit.ctx));
    expect_results(threads, THREADS, ETERM);
}

static void TMO_1_each_thread_has_its_own_timeout(void **state) {
    (void)state;
    NEED_DRAFT();
    void *gather = open_with(ZMQ_GATHER, ZMQ_RCVTIMEO, 100);
    pthread_t threads[THREADS];
    const int64_t begin = now_ms();
    start(threads, THREADS, receive_for_ever, gather);
    expect_results(threads, THREADS, EAGAIN);
    assert_true(now_ms() - begin >= 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(CS_6_each_of_several_waiting_receivers_gets_its_message),
        ON_ALL(CH_1_each_of_several_waiting_receivers_gets_its_message),
        ON_ALL(CS_6_each_of_several_waiting_senders_gets_its_room),
        ON_ALL(CH_1_each_of_several_waiting_senders_gets_its_room),
        ON_ALL(CS_6_many_senders_and_receivers_on_both_sides),
        ON_ALL(SG_1_many_senders_and_receivers),
        ON_ALL(RD_3_many_senders_and_receivers_without_drops),
        ON_ALL(POL_9_pollers_of_several_threads),
        ONCE(TERM_2_all_waiting_threads_get_ETERM),
        ONCE(CL_1_a_close_sends_all_waiting_threads_away),
        ON_ALL(CON_3_a_connect_wakes_threads_that_wait_to_send),
        ONCE(PEER_3_disconnect_peer_wakes_threads_that_wait_to_send),
        ONCE(TMO_1_each_thread_has_its_own_timeout),
    };
    return RUN(tests);
}
