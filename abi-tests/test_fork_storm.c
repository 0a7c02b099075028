/* Fork under traffic, in whatever state the library is (FRK-1): children that leave at once, that use or end what is their
 * parent's, and that make their own; the parent's messages all arrive, once and in order.
 * test_fork_storm [FORKS] does more of them. */
#include "hardship_support.h"

static int forks = 150;
static uint64_t seed;
static atomic_bool over;

struct stream
{
    void *from, *to;
    int sent, received;
    bool is_right;
};

/* Bodies of many sizes, so that what is made by one thread and given back by another is always on its way. */
static void *stream_main (void *argument)
{
    enum { LARGEST = 70000 };
    struct stream *s = argument;
    char *body = calloc (1, LARGEST); /* larger than a stack may be */
    s->is_right = true;
    while (s->is_right && (!atomic_load (&over) || s->received < s->sent)) {
        for (int i = 0; i < 20 && !atomic_load (&over); ++i) {
            memcpy (body, &s->sent, sizeof s->sent);
            if (zmq_send (s->from, body, 4 + mix ((uint64_t) s->sent) % (i ? 3000 : 65000), ZMQ_DONTWAIT) == -1)
                break;
            ++s->sent;
        }
        for (int number; s->received < s->sent && zmq_recv (s->to, body, LARGEST, ZMQ_DONTWAIT) != -1; ++s->received) {
            memcpy (&number, body, sizeof number);
            s->is_right = s->is_right && number == s->received;
        }
        poll (NULL, 0, 1);
    }
    free (body);
    return NULL;
}

/* Sockets in all kinds of states, used by a thread of theirs. */
static void *restless_main (void *ctx)
{
    struct dice dice = {mix (seed + 7)}, *d = &dice;
    char endpoint[256], c;
    while (!atomic_load (&over)) {
        void *a = need_socket (ctx, ZMQ_DEALER), *b = need_socket (ctx, ZMQ_ROUTER);
        need_set (a, ZMQ_LINGER, 0);
        need_set (b, ZMQ_LINGER, 0);
        need_set (b, ZMQ_RCVTIMEO, below (d, 5));
        need_bind (b, below (d, 2) ? "tcp://127.0.0.1:*" : "ipc://*", endpoint);
        NEED_OK (zmq_connect (a, endpoint));
        if (below (d, 3) == 0)
            NEED_OK (zmq_connect (a, "tcp://127.0.0.1:1"));
        (void) zmq_send (a, "x", 1, below (d, 2) ? ZMQ_SNDMORE | ZMQ_DONTWAIT : ZMQ_DONTWAIT);
        (void) zmq_recv (b, &c, 1, 0);
        if (below (d, 2))
            NEED_OK (zmq_unbind (b, endpoint));
        NEED_OK (zmq_close (a));
        NEED_OK (zmq_close (b));
        if (below (d, 4) == 0) {
            void *own = need_ctx (), *s = need_socket (own, ZMQ_PULL);
            need_bind (s, "tcp://127.0.0.1:*", endpoint);
            need_close (s);
            NEED_OK (zmq_ctx_term (own));
        }
    }
    return NULL;
}

static void need_interrupted (int rc)
{
    NEED (rc == -1 && zmq_errno () == EINTR, "%d, %s", rc, zmq_strerror (zmq_errno ()));
}

/* Ends the child. */
static void live_as_a_child (int how, void *ctx, const struct stream *s, uint64_t chance)
{
    static char body[3000];
    char endpoint[256], c;
    alarm (20);
    struct dice dice = {chance}, *d = &dice;
    switch (how) {
    case 0: break;
    case 1: /* closes what it has not made */
        NEED_OK (zmq_close (s[0].from));
        NEED_OK (zmq_close (s[1].to));
        break;
    case 2: need_interrupted (zmq_ctx_term (ctx)); break;
    case 3:
        need_interrupted (zmq_send (s[below (d, 3)].from, "x", 1, 0));
        need_interrupted (zmq_recv (s[below (d, 3)].to, &c, 1, 0));
        need_interrupted (zmq_connect (s[0].from, "tcp://127.0.0.1:1"));
        NEED_OK (zmq_close (s[0].from));
        need_interrupted (zmq_ctx_term (ctx));
        break;
    default: { /* its own */
        void *own = need_ctx (), *push = need_socket (own, ZMQ_PUSH), *pull = need_socket (own, ZMQ_PULL);
        need_bind (pull, below (d, 2) ? "tcp://127.0.0.1:*" : "ipc://*", endpoint);
        NEED_OK (zmq_connect (push, endpoint));
        need_traffic (push, pull, "of the child");
        for (int i = 0; i < 20; ++i)
            NEED_OK (zmq_send (push, body, (size_t) below (d, sizeof body), 0));
        for (int i = 0; i < 20; ++i)
            NEED_OK (zmq_recv (pull, body, sizeof body, 0));
        if (below (d, 2))
            NEED_OK (zmq_close (s[0].to));
        need_close (push);
        need_close (pull);
        NEED_OK (zmq_ctx_term (own));
    }
    }
    _exit (0);
}

static void storm (void *argument)
{
    static const char *const places[] = {"tcp://127.0.0.1:*", "ipc://*", "inproc://storm"};
    struct dice dice = {mix (seed)}, *d = &dice;
    struct stream s[3];
    pthread_t threads[3], restless;
    char endpoint[256];
    (void) argument;
    memset (s, 0, sizeof s);
    void *ctx = need_ctx ();
    for (int i = 0; i < 3; ++i) {
        s[i].from = need_socket (ctx, ZMQ_PUSH);
        s[i].to = need_socket (ctx, ZMQ_PULL);
        need_bind (s[i].to, places[i], endpoint);
        NEED_OK (zmq_connect (s[i].from, endpoint));
        NEED (pthread_create (&threads[i], NULL, stream_main, &s[i]) == 0, "thread");
    }
    NEED (pthread_create (&restless, NULL, restless_main, ctx) == 0, "thread");
    int bad = 0;
    for (int i = 0; i < forks; ++i) {
        const int how = below (d, 7);
        const uint64_t chance = mix (d->state);
        const pid_t child = fork ();
        NEED (child >= 0, "fork");
        if (child == 0)
            live_as_a_child (how, ctx, s, chance);
        int status = 0;
        NEED (waitpid (child, &status, 0) == child, "waitpid");
        if (status != 0 && ++bad <= 3)
            note (" [fork %d, kind %d: %x] ", i, how, (unsigned) status);
    }
    atomic_store (&over, true);
    long total = 0;
    for (int i = 0; i < 3; ++i) {
        NEED (pthread_join (threads[i], NULL) == 0, "join");
        NEED (s[i].is_right, "%s: a message is lost, doubled or late", places[i]);
        total += s[i].received;
        need_close (s[i].from);
        need_close (s[i].to);
    }
    NEED (pthread_join (restless, NULL) == 0, "join");
    NEED_OK (zmq_ctx_term (ctx));
    note ("%d forks, %ld messages, %d children that ended badly", forks, total, bad);
    if (bad)
        _exit (1);
}

static void FRK_1_forks_under_traffic (void **state)
{
    (void) state;
    const struct verdict v = run_apart (storm, NULL, 60 + forks);
    if (!show ("fork under traffic", &v) && on_tern ())
        fail_msg ("see the row above");
}

int main (int argc, char **argv)
{
    forks = count_from (argc, argv, IS_SANITIZED ? 40 : forks);
    seed = seed_of_run ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (FRK_1_forks_under_traffic),
    };
    return cmocka_run_group_tests_name ("fork storm", tests, NULL, NULL);
}
