/* What may befall a program from the system and from itself: names that are never found, found late, or lost (CON-2);
 * a clock that is set back; signals, ten thousand a second, in every blocking call (SIG-3); two threads on one socket by
 * mistake. Names and clocks are those of this program, in place of the C library's. */
#include "hardship_support.h"

#include <dlfcn.h>
#include <netdb.h>
#include <sys/time.h>

/* Until the other side has noticed that a connection ended: what is sent before goes down with it. */
static void let_it_be_noticed (int ms)
{
    poll (NULL, 0, under_memcheck () ? 3000 : ms);
}

/* ---- What stands before the C library's ---- */

static int (*real_getaddrinfo) (const char *, const char *, const struct addrinfo *, struct addrinfo **);
static int (*real_clock_gettime) (clockid_t, struct timespec *);

/* Before there are threads. */
__attribute__ ((constructor)) static void find_the_real_ones (void)
{
    *(void **) &real_getaddrinfo = dlsym (RTLD_NEXT, "getaddrinfo");
    *(void **) &real_clock_gettime = dlsym (RTLD_NEXT, "clock_gettime");
}

/* ---- Names ---- */

static atomic_bool is_known = true; /* sometimes.invalid */

int getaddrinfo (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    if (node && !(hints && (hints->ai_flags & AI_NUMERICHOST))) {
        if (strstr (node, "black-hole"))
            poll (NULL, 0, 3600 * 1000); /* a server that never answers */
        if (strstr (node, "sometimes"))
            return atomic_load (&is_known) ? real_getaddrinfo ("127.0.0.1", service, hints, out) : EAI_AGAIN;
    }
    return real_getaddrinfo (node, service, hints, out);
}

struct names
{
    const char *scheme;
    int sockets; /* with names that nobody answers for */
};

static void ask_a_black_hole (void *argument)
{
    const struct names *n = argument;
    char endpoint[256], name[128];
    void *ctx = need_ctx (), *s[20];
    /* Two that know each other, and one of them by name. */
    void *pull = need_socket (ctx, ZMQ_PULL), *push = need_socket (ctx, ZMQ_PUSH);
    need_set (push, ZMQ_RECONNECT_IVL, 5);
    snprintf (name, sizeof name, "%s://127.0.0.1:*", n->scheme);
    need_bind (pull, name, endpoint);
    snprintf (name, sizeof name, "%s://sometimes.invalid:%d", n->scheme, atoi (strchr (endpoint + 6, ':') + 1));
    const int64_t begin = now_ms ();
    for (int i = 0; i < n->sockets; ++i) {
        char hole[128];
        s[i] = need_socket (ctx, ZMQ_DEALER);
        snprintf (hole, sizeof hole, "%s://black-hole-%d.invalid:5555", n->scheme, i);
        NEED_OK (zmq_connect (s[i], hole));
    }
    const int64_t took = now_ms () - begin;
    NEED (took < 2000, "zmq_connect waits, %d ms", (int) took);
    poll (NULL, 0, 50);
    NEED_OK (zmq_connect (push, name));
    need_traffic (push, pull, "at once");
    /* And again, after a connection that was lost. */
    NEED_OK (zmq_unbind (pull, endpoint));
    let_it_be_noticed (20);
    NEED_OK (zmq_bind (pull, endpoint));
    need_traffic (push, pull, "again");
    const int64_t end = now_ms ();
    for (int i = 0; i < n->sockets; ++i)
        need_close (s[i]);
    need_close (push);
    need_close (pull);
    NEED_OK (zmq_ctx_term (ctx));
    note ("%d sockets wait for names; connected in %d ms, ended in %d ms", n->sockets, (int) took, (int) (now_ms () - end));
}

static void CON_2_a_name_server_that_never_answers_delays_nobody_else (void **state)
{
    (void) state;
    static const struct names cases[] = {{"tcp", 20}, {"ws", 20}};
    for (int i = 0; i < 1 + !!zmq_has ("WS"); ++i) {
        char name[64];
        snprintf (name, sizeof name, "%s to names that nobody answers for", cases[i].scheme);
        case_apart (name, ask_a_black_hole, (void *) &cases[i], 30);
    }
}

static void come_and_go (void *argument)
{
    const char *scheme = argument;
    char endpoint[256], name[128];
    void *ctx = need_ctx (), *pull = need_socket (ctx, ZMQ_PULL), *push = need_socket (ctx, ZMQ_PUSH);
    need_set (push, ZMQ_RECONNECT_IVL, 5);
    snprintf (name, sizeof name, "%s://127.0.0.1:*", scheme);
    need_bind (pull, name, endpoint);
    snprintf (name, sizeof name, "%s://sometimes.invalid:%d", scheme, atoi (strchr (endpoint + 6, ':') + 1));
    for (int round = 0; round < 3; ++round) {
        atomic_store (&is_known, false); /* from here on nobody knows it */
        if (round == 0) {
            NEED_OK (zmq_connect (push, name));
        } else {
            NEED_OK (zmq_unbind (pull, endpoint)); /* ends the connection */
            NEED_OK (zmq_bind (pull, endpoint));
        }
        let_it_be_noticed (60);
        atomic_store (&is_known, true);
        need_traffic (push, pull, "found");
    }
    need_close (push);
    need_close (pull);
    NEED_OK (zmq_ctx_term (ctx));
}

static void CON_2_a_name_that_comes_and_goes (void **state)
{
    (void) state;
    case_apart ("tcp to a name that comes and goes", come_and_go, "tcp", 30);
    if (zmq_has ("WS"))
        case_apart ("ws to a name that comes and goes", come_and_go, "ws", 30);
}

/* ---- The clock ---- */

static atomic_long set_back_s; /* what the time of day is behind */

int clock_gettime (clockid_t clock, struct timespec *t)
{
    if (!real_clock_gettime) /* somebody's constructor came first */
        find_the_real_ones ();
    const int rc = real_clock_gettime (clock, t);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        t->tv_sec -= atomic_load (&set_back_s);
    return rc;
}

int gettimeofday (struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;
    (void) zone;
    clock_gettime (CLOCK_REALTIME, &now);
    t->tv_sec = now.tv_sec;
    t->tv_usec = now.tv_nsec / 1000;
    return 0;
}

static atomic_bool over;

static void *time_keeper (void *unused)
{
    static const long jumps[] = {3600, -3600, 86400L * 365, 0, 1, 2000000000};
    for (unsigned i = 0; !atomic_load (&over); ++i) {
        atomic_store (&set_back_s, jumps[i % 6]);
        poll (NULL, 0, 3);
    }
    return unused;
}

#define TAKES(low, high, ...)                                              \
    do {                                                                   \
        const int64_t begin_ = now_ms ();                                  \
        __VA_ARGS__;                                                       \
        const int64_t took_ = now_ms () - begin_;                          \
        NEED (took_ >= (low) && took_ < (high), "%d ms", (int) took_);     \
    } while (0)

static void set_the_clock (void *argument)
{
    const int long_ms = under_memcheck () ? 60000 : 8000; /* on a busy machine */
    pthread_t keeper;
    char endpoint[256], c;
    (void) argument;
    NEED (pthread_create (&keeper, NULL, time_keeper, NULL) == 0, "thread");
    void *ctx = need_ctx (), *pull = need_socket (ctx, ZMQ_PULL), *push = need_socket (ctx, ZMQ_PUSH);
    need_set (push, ZMQ_RECONNECT_IVL, 20);
    need_set (push, ZMQ_HEARTBEAT_IVL, 30);
    need_set (pull, ZMQ_RCVTIMEO, 100);
    need_bind (pull, "tcp://127.0.0.1:*", endpoint);
    TAKES (99, long_ms, NEED (zmq_recv (pull, &c, 1, 0) == -1, "a message"));
    zmq_pollitem_t item = {pull, 0, ZMQ_POLLIN, 0};
    TAKES (99, long_ms, NEED_OK (zmq_poll (&item, 1, 100)));
    NEED_OK (zmq_connect (push, endpoint));
    need_traffic (push, pull, "hello");
    poll (NULL, 0, 200); /* heartbeats */
    need_traffic (push, pull, "still here");
    NEED_OK (zmq_unbind (pull, endpoint));
    let_it_be_noticed (20);
    TAKES (0, long_ms, NEED_SOON (zmq_bind (pull, endpoint) == 0); need_traffic (push, pull, "again"));
    void *nobody = need_socket (ctx, ZMQ_PUSH);
    need_set (nobody, ZMQ_LINGER, 100);
    NEED_OK (zmq_connect (nobody, "tcp://127.0.0.1:1"));
    NEED_OK (zmq_send (nobody, "x", 1, 0));
    void *watch = zmq_stopwatch_start ();
    poll (NULL, 0, 50);
    const unsigned long us = zmq_stopwatch_stop (watch);
    NEED (us >= 49000 && us < (unsigned long) long_ms * 1000, "a stopwatch says %lu us", us);
    need_close (push);
    need_close (pull);
    NEED_OK (zmq_close (nobody));
    TAKES (30, long_ms, NEED_OK (zmq_ctx_term (ctx)));
    atomic_store (&over, true);
    NEED (pthread_join (keeper, NULL) == 0, "join");
}

static void the_clock_is_set_all_the_time (void **state)
{
    (void) state;
    case_apart ("the time of day jumps back and forth", set_the_clock, NULL, 60);
}

/* ---- Signals ---- */

static atomic_long handled;

static void count_signal (int number)
{
    (void) number;
    atomic_fetch_add (&handled, 1);
}

static void *shooter_main (void *target)
{
    const struct timespec pause = {0, 60000}; /* with what a sleep takes more, some 10 kHz */
    while (!atomic_load (&over)) {
        pthread_kill (*(pthread_t *) target, SIGUSR1);
        nanosleep (&pause, NULL);
    }
    return NULL;
}

struct later
{
    int what;
    void *s, *other;
};

static void *help_later (void *argument)
{
    struct later *l = argument;
    char c;
    poll (NULL, 0, 80);
    if (l->what == 0)
        NEED_OK (zmq_send (l->s, "x", 1, 0));
    else if (l->what == 1)
        while (zmq_recv (l->s, &c, 1, ZMQ_DONTWAIT) == 1)
            ;
    else
        NEED_OK (zmq_ctx_shutdown (l->s));
    return NULL;
}

/* The call again and again until it says something else than EINTR. */
#define UNDER_FIRE(call)                                                   \
    do {                                                                   \
        int rc_;                                                           \
        do {                                                               \
            rc_ = (call);                                                  \
            interrupted += rc_ == -1 && zmq_errno () == EINTR;             \
        } while (rc_ == -1 && zmq_errno () == EINTR);                      \
        result = rc_;                                                      \
    } while (0)

static void be_under_fire (void *argument)
{
    char endpoint[256], c;
    int result = 0, interrupted = 0, sent = 0;
    pthread_t self = pthread_self (), shooter, helper;
    struct sigaction action;
    (void) argument;
    memset (&action, 0, sizeof action);
    action.sa_handler = count_signal;
    sigaction (SIGUSR1, &action, NULL);
    void *ctx = need_ctx (), *a = need_socket (ctx, ZMQ_PAIR), *b = need_socket (ctx, ZMQ_PAIR);
    need_set (a, ZMQ_SNDHWM, 10);
    need_set (b, ZMQ_RCVHWM, 10);
    need_bind (b, "inproc://fire", endpoint);
    NEED (pthread_create (&shooter, NULL, shooter_main, &self) == 0, "thread");
    NEED_OK (zmq_connect (a, endpoint));
    struct later receive = {0, b, NULL};
    NEED (pthread_create (&helper, NULL, help_later, &receive) == 0, "thread");
    UNDER_FIRE (zmq_recv (a, &c, 1, 0));
    NEED (result == 1, "recv: %s", zmq_strerror (zmq_errno ()));
    pthread_join (helper, NULL);
    while (zmq_send (a, "x", 1, ZMQ_DONTWAIT) == 1)
        ++sent;
    struct later send = {1, b, NULL};
    NEED (pthread_create (&helper, NULL, help_later, &send) == 0, "thread");
    UNDER_FIRE (zmq_send (a, "y", 1, 0));
    NEED (result == 1, "send: %s", zmq_strerror (zmq_errno ()));
    pthread_join (helper, NULL);
    struct later poll_one = {0, b, NULL};
    NEED (pthread_create (&helper, NULL, help_later, &poll_one) == 0, "thread");
    zmq_pollitem_t items[] = {{a, 0, ZMQ_POLLIN, 0}, {NULL, 0, ZMQ_POLLERR, 0}};
    UNDER_FIRE (zmq_poll (items, 2, -1));
    NEED (result >= 1, "poll: %s", zmq_strerror (zmq_errno ()));
    pthread_join (helper, NULL);
    /* Over the network, with all that makes and ends a connection. */
    for (int i = 0; i < 20; ++i) {
        void *pull = need_socket (ctx, ZMQ_PULL), *push = need_socket (ctx, ZMQ_PUSH);
        need_set (push, ZMQ_LINGER, -1);
        need_set (pull, ZMQ_LINGER, 0);
        need_bind (pull, i % 2 ? "ipc://*" : "tcp://127.0.0.1:*", endpoint);
        NEED_OK (zmq_connect (push, endpoint));
        for (int k = 0; k < 20; ++k) {
            UNDER_FIRE (zmq_send (push, &k, sizeof k, 0));
            NEED (result == (int) sizeof k, "send: %s", zmq_strerror (zmq_errno ()));
        }
        for (int k = 0, got = -1; k < 20; ++k) {
            UNDER_FIRE (zmq_recv (pull, &got, sizeof got, 0));
            NEED (got == k, "%d in place of %d", got, k);
        }
        NEED_OK (zmq_disconnect (push, endpoint));
        NEED_OK (zmq_close (push));
        NEED_OK (zmq_close (pull));
    }
    /* A proxy, and the end. */
    struct later shut = {2, ctx, NULL};
    NEED (pthread_create (&helper, NULL, help_later, &shut) == 0, "thread");
    UNDER_FIRE (zmq_proxy (a, b, NULL));
    NEED (result == -1 && zmq_errno () == ETERM, "proxy: %s", zmq_strerror (zmq_errno ()));
    pthread_join (helper, NULL);
    void *nobody_ctx = need_ctx (), *nobody = need_socket (nobody_ctx, ZMQ_PUSH);
    need_set (nobody, ZMQ_LINGER, 80);
    NEED_OK (zmq_connect (nobody, "tcp://127.0.0.1:1"));
    UNDER_FIRE (zmq_send (nobody, "x", 1, 0));
    NEED_OK (zmq_close (nobody));
    UNDER_FIRE (zmq_ctx_term (nobody_ctx));
    NEED (result == 0, "term: %s", zmq_strerror (zmq_errno ()));
    need_close (a);
    need_close (b);
    UNDER_FIRE (zmq_ctx_term (ctx));
    NEED (result == 0, "term: %s", zmq_strerror (zmq_errno ()));
    atomic_store (&over, true);
    pthread_join (shooter, NULL);
    note ("%ld signals, %d calls interrupted", atomic_load (&handled), interrupted);
}

static void SIG_3_signals_at_10_kHz_in_every_blocking_call (void **state)
{
    (void) state;
    NOT_UNDER_MEMCHECK ("at its pace a program gets no further between two signals");
    case_apart ("signals at 10 kHz in every blocking call", be_under_fire, NULL, 60);
}

/* ---- Two threads on one socket ---- */

static void *careless_main (void *s)
{
    char body[64] = "";
    while (!atomic_load (&over)) {
        (void) zmq_send (s, body, sizeof body, ZMQ_DONTWAIT);
        (void) zmq_recv (s, body, sizeof body, ZMQ_DONTWAIT);
        zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
        (void) zmq_poll (&item, 1, 1);
    }
    return NULL;
}

static void share_a_socket (void *argument)
{
    const char *place = argument;
    char endpoint[256], other[256];
    pthread_t threads[4];
    void *ctx = need_ctx (), *a = need_socket (ctx, ZMQ_DEALER), *b = need_socket (ctx, ZMQ_DEALER);
    void *left = need_socket (ctx, ZMQ_PUSH), *right = need_socket (ctx, ZMQ_PULL);
    need_bind (right, "tcp://127.0.0.1:*", other);
    NEED_OK (zmq_connect (left, other));
    need_bind (b, place, endpoint);
    NEED_OK (zmq_connect (a, endpoint));
    for (int i = 0; i < 4; ++i)
        NEED (pthread_create (&threads[i], NULL, careless_main, i % 2 ? a : b) == 0, "thread");
    for (int i = 0; i < 200; ++i)
        need_traffic (left, right, "undisturbed");
    atomic_store (&over, true);
    for (int i = 0; i < 4; ++i)
        NEED (pthread_join (threads[i], NULL) == 0, "join");
    need_close (a);
    need_close (b);
    need_close (left);
    need_close (right);
    NEED_OK (zmq_ctx_term (ctx));
}

static void two_threads_on_one_socket_by_mistake (void **state)
{
    (void) state;
    case_apart ("two threads on one socket, tcp", share_a_socket, "tcp://127.0.0.1:*", 60);
    case_apart ("two threads on one socket, inproc", share_a_socket, "inproc://shared", 60);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (CON_2_a_name_server_that_never_answers_delays_nobody_else),
        cmocka_unit_test (CON_2_a_name_that_comes_and_goes),
        cmocka_unit_test (the_clock_is_set_all_the_time),
        cmocka_unit_test (SIG_3_signals_at_10_kHz_in_every_blocking_call),
        cmocka_unit_test (two_threads_on_one_socket_by_mistake),
    };
    return cmocka_run_group_tests_name ("mishaps", tests, NULL, NULL);
}
