/* A server with sockets of all kinds, whose peers come, go and are killed, and which itself makes and ends sockets and
 * contexts all the time: its resident memory and its descriptors stay what they are.
 * test_soak [MINUTES] does it longer than the test run, prints a table, and judges by the slope of what there was least. */
#include "hardship_support.h"

#include <sys/mman.h>

/* Short queues: the question is what is kept, not how long a queue once was. */
enum { BUCKETS = 20, SERVED = 9, PEERS = 6, PEER_LIFE_MS = 300, QUEUE = 100 };

static int seconds = 10;
static bool is_long;
static uint64_t seed;

static const struct
{
    int type, peer;
    const char *place;
} served[SERVED] = {
    {ZMQ_PULL, ZMQ_PUSH, "tcp://127.0.0.1:*"},  {ZMQ_REP, ZMQ_REQ, "tcp://127.0.0.1:*"},
    {ZMQ_ROUTER, ZMQ_DEALER, "ipc://*"},        {ZMQ_PUB, ZMQ_SUB, "tcp://127.0.0.1:*"},
    {ZMQ_XPUB, ZMQ_XSUB, "ipc://*"},            {ZMQ_SUB, ZMQ_PUB, "tcp://127.0.0.1:*"},
    {ZMQ_DEALER, ZMQ_DEALER, "tcp://127.0.0.1:*"}, {ZMQ_PAIR, ZMQ_PAIR, "ipc://*"},
    {ZMQ_STREAM, ZMQ_STREAM, "tcp://127.0.0.1:*"},
};

struct shared
{
    char endpoints[SERVED][256];
    atomic_int ready, over;
    atomic_long rounds, heard, visits, killed;
};
static struct shared *shared;

/* ---- Peers ---- */

static void visit (struct dice *d)
{
    static const char body[20000];
    char buffer[256], topic[16];
    void *ctx = need_ctx (), *s[3];
    const int count = 1 + below (d, 3);
    for (int i = 0; i < count; ++i) {
        const int which = below (d, SERVED);
        s[i] = need_socket (ctx, served[which].peer);
        need_set (s[i], ZMQ_LINGER, below (d, 2) ? 0 : 10);
        if (served[which].peer == ZMQ_SUB) {
            snprintf (topic, sizeof topic, "t%d", below (d, 1000));
            NEED_OK (zmq_setsockopt (s[i], ZMQ_SUBSCRIBE, topic, strlen (topic)));
            NEED_OK (zmq_setsockopt (s[i], ZMQ_SUBSCRIBE, "", 0));
        }
        NEED_OK (zmq_connect (s[i], shared->endpoints[which]));
    }
    for (const int64_t end = now_ms () + below (d, PEER_LIFE_MS); now_ms () < end;) {
        void *one = s[below (d, count)];
        const int parts = 1 + below (d, 3);
        for (int i = 0; i < parts; ++i)
            if (zmq_send (one, body, (size_t) below (d, below (d, 20) ? 200 : sizeof body),
                          ZMQ_DONTWAIT | (i + 1 < parts ? ZMQ_SNDMORE : 0)) == -1)
                break;
        (void) zmq_recv (one, buffer, sizeof buffer, ZMQ_DONTWAIT);
        if (below (d, 4) == 0)
            poll (NULL, 0, 1);
    }
    if (below (d, 4) == 0)
        _exit (0); /* as it is */
    for (int i = 0; i < count; ++i)
        NEED_OK (zmq_close (s[i]));
    NEED_OK (zmq_ctx_term (ctx));
    _exit (0);
}

/* Some peers at a time; of every three one is killed. */
static void send_peers (void)
{
    struct dice dice = {mix (seed + 1)}, *d = &dice;
    pid_t peers[PEERS] = {0};
    int64_t killed_at[PEERS] = {0};
    while (!atomic_load (&shared->over) && getppid () != 1) {
        for (int i = 0; i < PEERS; ++i) {
            if (peers[i] > 0 && waitpid (peers[i], NULL, WNOHANG) == peers[i])
                peers[i] = 0;
            if (peers[i] > 0 && killed_at[i] && now_ms () >= killed_at[i]) {
                kill (peers[i], SIGKILL);
                killed_at[i] = 0;
                atomic_fetch_add (&shared->killed, 1);
            }
            if (peers[i] != 0)
                continue;
            killed_at[i] = below (d, 3) ? 0 : now_ms () + below (d, PEER_LIFE_MS);
            const uint64_t chance = mix (d->state + (uint64_t) i);
            below (d, 2);
            peers[i] = fork ();
            if (peers[i] == 0) {
                struct dice own = {chance};
                alarm (60);
                visit (&own);
            }
            atomic_fetch_add (&shared->visits, 1);
        }
        poll (NULL, 0, 5);
    }
    for (int i = 0; i < PEERS; ++i)
        if (peers[i] > 0)
            waitpid (peers[i], NULL, 0);
    _exit (0);
}

/* ---- The server ---- */

static void answer (void *s, int type)
{
    for (int n = 0; n < 10000; ++n) {
        zmq_msg_t parts[8];
        int count = 0;
        bool more = true;
        while (more && count < 8) {
            NEED_OK (zmq_msg_init (&parts[count]));
            if (zmq_msg_recv (&parts[count], s, ZMQ_DONTWAIT) == -1)
                break;
            more = zmq_msg_more (&parts[count++]);
        }
        if (count > 0)
            atomic_fetch_add (&shared->heard, 1);
        const bool is_answered = type == ZMQ_REP || type == ZMQ_ROUTER || type == ZMQ_DEALER || type == ZMQ_PAIR || type == ZMQ_STREAM;
        for (int i = 0; i < count; ++i) {
            if (is_answered)
                (void) zmq_msg_send (&parts[i], s, ZMQ_DONTWAIT | (i + 1 < count ? ZMQ_SNDMORE : 0));
            zmq_msg_close (&parts[i]);
        }
        if (count == 0)
            break;
    }
}

/* Sockets and contexts that do not last. */
static void churn (struct dice *d, void *lasting)
{
    static const char *const places[] = {"tcp://127.0.0.1:*", "ipc://*", "inproc", "ws://127.0.0.1:*"};
    static const int types[][2] = {{ZMQ_PUSH, ZMQ_PULL}, {ZMQ_PUB, ZMQ_SUB}, {ZMQ_DEALER, ZMQ_ROUTER}, {ZMQ_PAIR, ZMQ_PAIR},
                                   {ZMQ_REQ, ZMQ_REP}, {ZMQ_XPUB, ZMQ_XSUB}};
    static long number;
    const int row = below (d, 6);
    const char *place = places[below (d, zmq_has ("WS") ? 4 : 3)];
    char name[64], monitor[64], endpoint[256], buffer[256];
    void *ctx = below (d, 2) ? lasting : need_ctx ();
    void *a = need_socket (ctx, types[row][0]), *b = need_socket (ctx, types[row][1]), *collector = NULL;
    need_set (a, ZMQ_LINGER, 0); /* counts for what is disconnected, too */
    need_set (b, ZMQ_LINGER, 0);
    if (below (d, 4) == 0) {
        snprintf (monitor, sizeof monitor, "inproc://monitor-%ld", ++number);
        NEED_OK (zmq_socket_monitor (b, monitor, ZMQ_EVENT_ALL));
        collector = need_socket (ctx, ZMQ_PAIR);
        NEED_OK (zmq_connect (collector, monitor));
    }
    snprintf (name, sizeof name, "inproc://churn-%ld", ++number);
    need_bind (b, strcmp (place, "inproc") == 0 ? name : place, endpoint);
    if (types[row][1] == ZMQ_SUB)
        NEED_OK (zmq_setsockopt (b, ZMQ_SUBSCRIBE, "", 0));
    NEED_OK (zmq_connect (a, endpoint));
    if (below (d, 3) == 0)
        NEED_OK (zmq_connect (a, "tcp://127.0.0.1:1"));
    need_set (b, ZMQ_RCVTIMEO, below (d, 10));
    for (int i = below (d, 20); i > 0; --i) {
        (void) zmq_send (a, "hello", 5, ZMQ_DONTWAIT);
        (void) zmq_recv (b, buffer, sizeof buffer, 0);
    }
    if (below (d, 3) == 0)
        NEED_OK (zmq_disconnect (a, endpoint));
    else if (below (d, 3) == 0)
        NEED_OK (zmq_unbind (b, endpoint));
    need_close (a);
    need_close (b);
    if (collector)
        need_close (collector);
    if (ctx != lasting)
        NEED_OK (zmq_ctx_term (ctx));
}

static void *churner_main (void *ctx)
{
    struct dice dice = {mix (seed)};
    while (!atomic_load (&shared->over)) {
        churn (&dice, ctx);
        atomic_fetch_add (&shared->rounds, 1);
    }
    return NULL;
}

static void serve (void)
{
    pthread_t churner;
    zmq_pollitem_t items[SERVED];
    void *ctx = need_ctx (), *s[SERVED];
    for (int i = 0; i < SERVED; ++i) {
        s[i] = need_socket (ctx, served[i].type);
        need_set (s[i], ZMQ_LINGER, 0);
        need_set (s[i], ZMQ_SNDHWM, QUEUE);
        need_set (s[i], ZMQ_RCVHWM, QUEUE);
        if (served[i].type == ZMQ_SUB)
            NEED_OK (zmq_setsockopt (s[i], ZMQ_SUBSCRIBE, "", 0));
        need_bind (s[i], served[i].place, shared->endpoints[i]);
        items[i] = (zmq_pollitem_t){s[i], 0, ZMQ_POLLIN, 0};
    }
    NEED (pthread_create (&churner, NULL, churner_main, ctx) == 0, "thread");
    atomic_store (&shared->ready, 1);
    while (!atomic_load (&shared->over) && getppid () != 1) {
        NEED_OK (zmq_poll (items, SERVED, 10));
        for (int i = 0; i < SERVED; ++i) {
            if (items[i].revents)
                answer (s[i], served[i].type);
            if (served[i].type == ZMQ_PUB || served[i].type == ZMQ_XPUB)
                for (int n = 0; n < 5; ++n)
                    (void) zmq_send (s[i], "t5 news", 7, ZMQ_DONTWAIT);
        }
    }
    NEED (pthread_join (churner, NULL) == 0, "join");
    for (int i = 0; i < SERVED; ++i)
        need_close (s[i]);
    NEED_OK (zmq_ctx_term (ctx));
    _exit (0);
}

/* ---- The judge ---- */

/* What a line of least squares through the values rises from first to last. */
static double rise (const double *values, int count)
{
    double mean_x = (count - 1) / 2.0, mean_y = 0, up = 0, down = 0;
    for (int i = 0; i < count; ++i)
        mean_y += values[i] / count;
    for (int i = 0; i < count; ++i) {
        up += (i - mean_x) * (values[i] - mean_y);
        down += (i - mean_x) * (i - mean_x);
    }
    return up / down * (count - 1);
}

static void soak (void *argument)
{
    double memory[BUCKETS], files[BUCKETS];
    int status = 0;
    (void) argument;
    const pid_t server = fork ();
    if (server == 0)
        serve ();
    NEED_SOON (atomic_load (&shared->ready) || waitpid (server, &status, WNOHANG) == server);
    NEED (atomic_load (&shared->ready), "no server");
    const pid_t sender = fork ();
    if (sender == 0)
        send_peers ();
    const int64_t begin = now_ms ();
    if (is_long)
        printf ("  %8s %12s %12s %10s %10s %8s %8s\n", "seconds", "resident kB", "descriptors", "rounds", "messages", "peers", "killed");
    for (int b = 0; b < BUCKETS; ++b) {
        memory[b] = files[b] = 1e9;
        do {
            const double m = (double) resident_bytes_of (server) / 1024, f = descriptors_of (server);
            memory[b] = m < memory[b] ? m : memory[b];
            files[b] = f < files[b] ? f : files[b];
            NEED (waitpid (server, &status, WNOHANG) == 0, "the server ended with %x", (unsigned) status);
            poll (NULL, 0, 10);
        } while (now_ms () - begin < (int64_t) seconds * 1000 * (b + 1) / BUCKETS);
        if (is_long) {
            printf ("  %8lld %12.0f %12.0f %10ld %10ld %8ld %8ld\n", (long long) (now_ms () - begin) / 1000, memory[b], files[b],
                    atomic_load (&shared->rounds), atomic_load (&shared->heard), atomic_load (&shared->visits), atomic_load (&shared->killed));
            fflush (stdout);
        }
    }
    atomic_store (&shared->over, 1);
    NEED (waitpid (server, &status, 0) == server && status == 0, "the server ended with %x", (unsigned) status);
    NEED (waitpid (sender, &status, 0) == sender && status == 0, "the peers ended with %x", (unsigned) status);
    /* The beginning fills what is kept for later. */
    enum { FIRST = BUCKETS / 4 };
    const double more_memory = rise (memory + FIRST, BUCKETS - FIRST), more_files = rise (files + FIRST, BUCKETS - FIRST);
    note ("%ld rounds, %ld messages, %ld peers, %ld killed; the line rises by %.0f kB and %.1f descriptors", atomic_load (&shared->rounds),
          atomic_load (&shared->heard), atomic_load (&shared->visits), atomic_load (&shared->killed), more_memory, more_files);
    /* Little time shows only a leak that is large. */
    if (more_memory > (is_long ? 1024 : 4096) || more_files > 5)
        _exit (1);
}

static void memory_and_descriptors_stay_what_they_are (void **state)
{
    (void) state;
    char name[64];
    snprintf (name, sizeof name, "%d seconds of coming and going", seconds);
    case_apart (name, soak, NULL, seconds + 120);
}

int main (int argc, char **argv)
{
    is_long = argc > 1;
    seconds = is_long ? count_from (argc, argv, 1) * 60 : seconds;
    seed = seed_of_run ();
    raise_descriptor_limit ();
    shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (memory_and_descriptors_stay_what_they_are),
    };
    return cmocka_run_group_tests_name ("soak", tests, NULL, NULL);
}
