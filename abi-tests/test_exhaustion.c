/* What is left when the system has nothing more to give: descriptors (LIM-2), threads, addresses; and a program that closes
 * descriptors which are not its own. test_exhaustion [LIMITS] takes every number of free descriptors up to that one. */
#include "hardship_support.h"

#include <dlfcn.h>
#include <sys/mman.h>

static int limits_max = 64;
static bool takes_every_limit;

/* ---- Descriptors ---- */

static int hoard[4096], hoarded;

static void leave_free (int free_descriptors)
{
    hoarded = 0;
    for (int fd; hoarded < 4096 && (fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0;)
        hoard[hoarded++] = fd;
    for (; free_descriptors > 0 && hoarded > 0; --free_descriptors)
        close (hoard[--hoarded]);
}

static void give_all_back (void)
{
    while (hoarded > 0)
        close (hoard[--hoarded]);
}

static void lower_limit (int files)
{
    struct rlimit limit;
    NEED (getrlimit (RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = (rlim_t) files;
    NEED (setrlimit (RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

/* A call for which descriptors may be missing. What else it says is wrong. */
static bool may_lack (int rc)
{
    if (rc != -1)
        return true;
    const int e = zmq_errno ();
    NEED (e == EMFILE || e == ENFILE || e == EAGAIN || e == ENOMEM, "%s", zmq_strerror (e));
    return false;
}

struct pair
{
    void *ctx, *server, *client;
    bool is_bound, is_connected;
    char endpoint[256];
};

/* As far as it gets: what was made stays. */
static const char *build (struct pair *p)
{
    size_t size = sizeof p->endpoint;
    if (!p->ctx && !may_lack ((p->ctx = zmq_ctx_new ()) ? 0 : -1))
        return "context";
    if (!p->server && !may_lack ((p->server = zmq_socket (p->ctx, ZMQ_REP)) ? 0 : -1))
        return "socket";
    if (!p->client && !may_lack ((p->client = zmq_socket (p->ctx, ZMQ_REQ)) ? 0 : -1))
        return "second socket";
    if (!p->is_bound && !(p->is_bound = may_lack (zmq_bind (p->server, "tcp://127.0.0.1:*"))))
        return "bind";
    NEED_OK (zmq_getsockopt (p->server, ZMQ_LAST_ENDPOINT, p->endpoint, &size));
    if (!p->is_connected && !(p->is_connected = may_lack (zmq_connect (p->client, p->endpoint))))
        return "connect";
    return "all";
}

static void use_with_few (void *argument)
{
    const int free_descriptors = *(int *) argument;
    struct pair p = {0};
    const struct sampler sampler = start_sampler ();
    lower_limit (256);
    leave_free (free_descriptors);
    const char *stage = build (&p);
    /* Nobody loops while it waits for better times. */
    int sent = 0;
    for (int i = 0; i < 10; ++i) {
        char c;
        poll (NULL, 0, 10);
        if (!p.is_connected)
            continue;
        sent = sent || zmq_send (p.client, "x", 1, ZMQ_DONTWAIT) == 1;
        if (zmq_recv (p.server, &c, 1, ZMQ_DONTWAIT) == 1)
            NEED_OK (zmq_send (p.server, "y", 1, ZMQ_DONTWAIT));
    }
    const int percent = sample (&sampler, 60);
    /* Better times: what there is goes on, and the rest can be made. */
    give_all_back ();
    NEED (strcmp (build (&p), "all") == 0, "no recovery after %s", stage);
    char c;
    need_set (p.server, ZMQ_RCVTIMEO, 20);
    need_set (p.client, ZMQ_RCVTIMEO, 20);
    if (!sent)
        NEED (zmq_send (p.client, "x", 1, 0) == 1, "%s", zmq_strerror (zmq_errno ()));
    const int64_t end = now_ms () + DEADLINE_MS;
    while (zmq_recv (p.client, &c, 1, 0) != 1) {
        NEED (now_ms () < end, "no answer after recovery from %s", stage);
        if (zmq_recv (p.server, &c, 1, 0) == 1)
            NEED_OK (zmq_send (p.server, "y", 1, 0));
    }
    need_close (p.client);
    need_close (p.server);
    NEED_OK (zmq_ctx_term (p.ctx));
    NEED (percent < LOOP_PERCENT, "a busy loop after %s", stage);
    note ("%s", stage);
}

static void LIM_2_any_number_of_free_descriptors (void **state)
{
    (void) state;
    struct verdict last = {RIGHT, 0, ""};
    int first = 0, failures = 0;
    char name[64];
    /* One row for limits that end alike. */
    for (int n = 0; n <= limits_max + 1; ++n) {
        struct verdict v = {RIGHT, 0, ""};
        if (!takes_every_limit && n > 16 && n % 16 != 0 && n <= limits_max)
            continue;
        if (n <= limits_max)
            v = run_apart (use_with_few, &n, 30);
        if (n > limits_max || (n > 0 && (v.kind != last.kind || strcmp (v.facts, last.facts) != 0))) {
            snprintf (name, sizeof name, "from %d free descriptors", first);
            failures += !show (name, &last);
            first = n;
        }
        last = v;
    }
    if (on_tern ())
        assert_int_equal (failures, 0);
}

enum { KNOCKERS = 50 };

/* Out of descriptors for a second, with clients at the door. */
static void knock (void *argument)
{
    int orders[2], fds[KNOCKERS];
    char endpoint[256], c;
    (void) argument;
    const struct sampler sampler = start_sampler ();
    NEED (pipe2 (orders, O_CLOEXEC) == 0, "pipe");
    const pid_t child = fork ();
    if (child == 0) { /* a second of knocking, then all of them wait to be let in */
        if (read (orders[0], endpoint, sizeof endpoint) != sizeof endpoint)
            _exit (1);
        for (int i = 0; i < KNOCKERS; ++i) {
            fds[i] = connect_raw (endpoint);
            poll (NULL, 0, 10);
        }
        for (int i = 0; i < KNOCKERS; ++i) {
            handshake (fds[i], "PUSH");
            send_frame_text (fds[i], 0, "x");
        }
        _exit (read (orders[0], &c, 1) == 1 ? 0 : 1);
    }
    lower_limit (256);
    void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PULL);
    need_bind (s, "tcp://127.0.0.1:*", endpoint);
    need_set (s, ZMQ_RCVTIMEO, DEADLINE_MS);
    NEED (write (orders[1], endpoint, sizeof endpoint) == sizeof endpoint, "pipe");
    leave_free (0);
    const int64_t begin = now_us (), cpu = cpu_us ();
    poll (NULL, 0, 1000);
    const double percent = (double) (cpu_us () - cpu) * 100 / (double) (now_us () - begin);
    const int wanted = sample (&sampler, 300);
    give_all_back ();
    const int64_t recovery = now_ms ();
    for (int i = 0; i < KNOCKERS; ++i)
        NEED (zmq_recv (s, &c, 1, 0) == 1, "message %d: %s", i, zmq_strerror (zmq_errno ()));
    note ("%.1f %% CPU for a second, wanted in %d %% of samples, all %d in %d ms after it", percent, wanted, KNOCKERS,
          (int) (now_ms () - recovery));
    NEED (write (orders[1], "x", 1) == 1, "pipe");
    need_close (s);
    NEED_OK (zmq_ctx_term (ctx));
    if (percent >= 5 || wanted >= LOOP_PERCENT)
        _exit (1);
}

static void LIM_2_a_second_without_descriptors_costs_no_cpu (void **state)
{
    (void) state;
    case_apart ("no descriptor, 50 clients knock", knock, NULL, 30);
}

/* ---- Threads ---- */

static atomic_int threads_left = 1 << 30;

/* In place of the C library's, for the library under test as well. */
int pthread_create (pthread_t *thread, const pthread_attr_t *attributes, void *(*body) (void *), void *argument)
{
    static int (*real) (pthread_t *, const pthread_attr_t *, void *(*) (void *), void *);
    if (!real)
        *(void **) &real = dlsym (RTLD_NEXT, "pthread_create");
    return atomic_fetch_sub (&threads_left, 1) > 0 ? real (thread, attributes, body, argument) : EAGAIN;
}

/* With some threads, not enough of them; later there are more. */
static void use_with_few_threads (void *argument)
{
    char endpoint[256];
    const int threads = *(int *) argument;
    atomic_store (&threads_left, threads);
    void *ctx = need_ctx ();
    NEED_OK (zmq_ctx_set (ctx, ZMQ_IO_THREADS, 3));
    void *s = zmq_socket (ctx, ZMQ_PULL);
    const int e = zmq_errno ();
    NEED (s || e == EAGAIN || e == EMFILE || e == ENOMEM, "zmq_socket: %s", zmq_strerror (e));
    if (s) { /* a name is looked up by a thread of its own */
        need_set (s, ZMQ_RECONNECT_IVL, 5);
        NEED_OK (zmq_connect (s, "tcp://localhost:1"));
        poll (NULL, 0, 50);
    }
    atomic_store (&threads_left, 1 << 30);
    if (!s)
        s = need_socket (ctx, ZMQ_PULL);
    void *push = need_socket (ctx, ZMQ_PUSH);
    need_bind (s, "tcp://127.0.0.1:*", endpoint);
    snprintf (endpoint, sizeof endpoint, "tcp://localhost:%d", atoi (strrchr (endpoint, ':') + 1));
    NEED_OK (zmq_connect (push, endpoint));
    need_traffic (push, s, "hello");
    need_close (push);
    need_close (s);
    NEED_OK (zmq_ctx_term (ctx));
    note ("%s", e ? zmq_strerror (e) : "made");
}

static void threads_are_exhausted (void **state)
{
    (void) state;
    for (int n = 0; n <= 5; ++n) {
        char name[64];
        snprintf (name, sizeof name, "%d threads to be had, 3 I/O threads wanted", n);
        case_apart (name, use_with_few_threads, &n, 30);
    }
}

/* ---- Addresses ---- */

struct memory_case
{
    const char *endpoint;
    int size;
};

static void limit_addresses (long more)
{
    long pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");
    NEED (file && fscanf (file, "%ld", &pages) == 1, "statm");
    fclose (file);
    struct rlimit limit;
    NEED (getrlimit (RLIMIT_AS, &limit) == 0, "getrlimit");
    limit.rlim_cur = more < 0 ? limit.rlim_max : (rlim_t) (pages * sysconf (_SC_PAGESIZE) + more);
    NEED (setrlimit (RLIMIT_AS, &limit) == 0, "setrlimit");
}

/* Sends until there is no memory left. What was accepted arrives, first while there still is none, then for sure. */
static void use_up_addresses (void *argument)
{
    enum { MORE = 24 << 20, MESSAGES_MAX = 5000000 };
    const struct memory_case *c = argument;
    char endpoint[256];
    zmq_msg_t big;
    void *ctx = need_ctx (), *pull = need_socket (ctx, ZMQ_PULL), *push = need_socket (ctx, ZMQ_PUSH);
    for (int i = 0; i < 2; ++i) {
        need_set (i ? push : pull, ZMQ_SNDHWM, 0);
        need_set (i ? push : pull, ZMQ_RCVHWM, 0);
    }
    need_bind (pull, c->endpoint, endpoint);
    NEED_OK (zmq_connect (push, endpoint));
    need_traffic (push, pull, "hello");
    limit_addresses (MORE);
    NEED (zmq_msg_init_size (&big, 256 << 20) == -1 && zmq_errno () == ENOMEM, "%s", zmq_strerror (zmq_errno ()));
    int accepted = 0, got = 0;
    char *body = calloc (1, (size_t) c->size);
    for (; accepted < MESSAGES_MAX; ++accepted) {
        memcpy (body, &accepted, sizeof accepted);
        if (zmq_send (push, body, (size_t) c->size, ZMQ_DONTWAIT) == -1)
            break;
    }
    const int e = accepted < MESSAGES_MAX ? zmq_errno () : 0;
    NEED (e == ENOMEM, "send: %s after %d", zmq_strerror (e), accepted);
    void *more_ctx = zmq_ctx_new (), *more = more_ctx ? zmq_socket (more_ctx, ZMQ_PAIR) : NULL;
    int without = 0;
    need_set (pull, ZMQ_RCVTIMEO, 100);
    for (; got < accepted; ++got, ++without) {
        int number = -1;
        if (zmq_recv (pull, body, (size_t) c->size, 0) == -1)
            break;
        memcpy (&number, body, sizeof number);
        NEED (number == got, "message %d in place of %d, without memory", number, got);
    }
    limit_addresses (-1);
    need_set (pull, ZMQ_RCVTIMEO, DEADLINE_MS);
    for (; got < accepted; ++got) {
        int number = -1;
        NEED (zmq_recv (pull, body, (size_t) c->size, 0) == c->size, "message %d of %d: %s", got, accepted,
              zmq_strerror (zmq_errno ()));
        memcpy (&number, body, sizeof number);
        NEED (number == got, "message %d in place of %d", number, got);
    }
    need_traffic (push, pull, "afterwards");
    free (body);
    if (more)
        need_close (more);
    if (more_ctx)
        NEED_OK (zmq_ctx_term (more_ctx));
    need_close (push);
    need_close (pull);
    NEED_OK (zmq_ctx_term (ctx));
    note ("ENOMEM after %d, %d received without memory, all later", accepted, without);
}

static void addresses_are_exhausted (void **state)
{
    (void) state;
    static const struct memory_case cases[] = {{"tcp://127.0.0.1:*", 10}, {"tcp://127.0.0.1:*", 1000},
                                               {"tcp://127.0.0.1:*", 100000}, {"ipc://*", 1000},
                                               {"inproc://memory", 10}, {"inproc://memory", 1000}, {"inproc://memory", 100000}};
    bool all_right = true;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char name[64];
        snprintf (name, sizeof name, "no memory, %d bytes, %s", cases[i].size, cases[i].endpoint);
        const struct verdict v = run_apart (use_up_addresses, (void *) &cases[i], 60);
        all_right = show (name, &v) && all_right;
    }
    if (on_tern ())
        assert_true (all_right);
}

struct newcomer
{
    void *ctx;
    pthread_barrier_t meets; /* before and after the first calls */
};

/* Every block that there is, down to the smallest: each finds the next. */
static void *take_all_memory (void)
{
    void **blocks = NULL;
    for (size_t size = 1 << 20; size >= sizeof (void *); size /= 2)
        for (void **block; (block = malloc (size)); blocks = block)
            *block = blocks;
    return blocks;
}

static void give_memory_back (void **blocks)
{
    while (blocks) {
        void **const block = blocks;
        blocks = *block;
        free (block);
    }
}

static void *call_for_the_first_time (void *argument)
{
    enum { ITEMS = 16 };
    struct newcomer *newcomer = argument;
    zmq_pollitem_t items[ITEMS];
    zmq_msg_t message;
    for (int i = 0; i < ITEMS; ++i)
        items[i] = (zmq_pollitem_t){need_socket (newcomer->ctx, ZMQ_PAIR), 0, ZMQ_POLLIN, 0};
    NEED_OK (zmq_bind (items[1].socket, "inproc://newcomer"));
    NEED_OK (zmq_connect (items[0].socket, "inproc://newcomer"));
    pthread_barrier_wait (&newcomer->meets);
    pthread_barrier_wait (&newcomer->meets);
    void **const blocks = take_all_memory ();
    const int made = zmq_msg_init_size (&message, 100);
    const int why = made == 0 ? 0 : zmq_errno ();
    const int polled = zmq_poll (items, ITEMS, 0);
    const int why_not_polled = polled == 0 ? 0 : zmq_errno ();
    give_memory_back (blocks);
    NEED (made == 0 || why == ENOMEM, "zmq_msg_init_size: %s", zmq_strerror (why));
    NEED (polled == 0 || why_not_polled == ENOMEM, "zmq_poll: %s", zmq_strerror (why_not_polled));
    if (made == 0)
        NEED_OK (zmq_msg_close (&message));
    pthread_barrier_wait (&newcomer->meets);
    pthread_barrier_wait (&newcomer->meets);
    NEED_OK (zmq_msg_init_size (&message, 100));
    NEED_OK (zmq_msg_send (&message, items[0].socket, 0));
    NEED (zmq_poll (items, ITEMS, DEADLINE_MS) == 1 && items[1].revents == ZMQ_POLLIN, "zmq_poll");
    for (int i = 0; i < ITEMS; ++i)
        need_close (items[i].socket);
    return NULL;
}

/* What a thread keeps until its end is noted at its first calls: that needs memory, and can be done without. */
static void call_without_memory (void *argument)
{
    (void) argument;
    struct newcomer newcomer = {.ctx = need_ctx ()};
    pthread_t thread;
    pthread_barrier_init (&newcomer.meets, NULL, 2);
    NEED (pthread_create (&thread, NULL, call_for_the_first_time, &newcomer) == 0, "pthread_create");
    pthread_barrier_wait (&newcomer.meets);
    limit_addresses (0);
    void **const blocks = take_all_memory ();
    pthread_barrier_wait (&newcomer.meets);
    pthread_barrier_wait (&newcomer.meets);
    limit_addresses (-1);
    give_memory_back (blocks);
    pthread_barrier_wait (&newcomer.meets);
    pthread_join (thread, NULL);
    NEED_OK (zmq_ctx_term (newcomer.ctx));
}

static void first_calls_of_a_thread_without_memory (void **state)
{
    (void) state;
    case_apart ("no memory at a thread's first calls", call_without_memory, NULL, 30);
}

/* ---- A program that closes what is not its own ---- */

enum { STRAY_CLOSE, STRAY_REUSE };

struct stray
{
    int number; /* the n-th descriptor of the library */
    int how;
};

static void close_a_stray_one (void *argument)
{
    const struct stray *stray = argument;
    bool was_open[256];
    char endpoint[256], other[256], c;
    void *bystander_ctx = need_ctx ();
    void *left = need_socket (bystander_ctx, ZMQ_PUSH), *right = need_socket (bystander_ctx, ZMQ_PULL);
    need_bind (right, "tcp://127.0.0.1:*", other);
    NEED_OK (zmq_connect (left, other));
    need_traffic (left, right, "before");
    for (int fd = 0; fd < 256; ++fd)
        was_open[fd] = fcntl (fd, F_GETFD) != -1;
    void *ctx = need_ctx (), *push = need_socket (ctx, ZMQ_PUSH), *pull = need_socket (ctx, ZMQ_PULL);
    need_bind (pull, "tcp://127.0.0.1:*", endpoint);
    NEED_OK (zmq_connect (push, endpoint));
    need_traffic (push, pull, "before");
    int victim = -1, n = 0;
    char what[64] = "", path[64];
    for (int fd = 0; fd < 256 && victim < 0; ++fd)
        if (!was_open[fd] && fcntl (fd, F_GETFD) != -1 && n++ == stray->number)
            victim = fd;
    if (victim < 0)
        _exit (2); /* there are no more */
    snprintf (path, sizeof path, "/proc/self/fd/%d", victim);
    if (readlink (path, what, sizeof what - 1) < 0)
        what[0] = 0;
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;
    if (strncmp (what, "socket", 6) == 0)
        strcpy (what, getpeername (victim, (struct sockaddr *) &peer, &size) == 0 ? "connection" : "listener");
    note ("%s: ", what);
    if (stray->how == STRAY_REUSE) {
        int pipe_ends[2];
        NEED (pipe2 (pipe_ends, O_CLOEXEC) == 0 && dup2 (pipe_ends[0], victim) == victim, "dup2");
    } else {
        close (victim);
    }
    /* Whatever becomes of these two, their calls return, the others are not disturbed, nobody loops, and all ends. */
    need_set (push, ZMQ_SNDTIMEO, 50);
    need_set (pull, ZMQ_RCVTIMEO, 50);
    int heard = 0;
    for (int i = 0; i < 5; ++i) {
        (void) zmq_send (push, "x", 1, 0);
        heard += zmq_recv (pull, &c, 1, 0) == 1;
    }
    const int percent = runnable_percent_of (getpid (), 100);
    need_traffic (left, right, "meanwhile");
    void *late = zmq_socket (ctx, ZMQ_PAIR);
    if (late)
        need_close (late);
    need_close (push);
    need_close (pull);
    NEED_OK (zmq_ctx_term (ctx));
    need_traffic (left, right, "after");
    need_close (left);
    need_close (right);
    NEED_OK (zmq_ctx_term (bystander_ctx));
    note ("%d of 5 arrive%s", heard, percent >= LOOP_PERCENT ? ", busy loop" : "");
    if (percent >= LOOP_PERCENT)
        _exit (1);
}

static void a_program_closes_our_descriptors_by_mistake (void **state)
{
    (void) state;
    bool all_right = true;
    for (int how = STRAY_CLOSE; how <= STRAY_REUSE; ++how)
        for (int n = 0; n < 40; ++n) {
            struct stray stray = {n, how};
            char name[64];
            const struct verdict v = run_apart (close_a_stray_one, &stray, 10);
            if (v.kind == WRONG && !v.facts[0])
                break;
            snprintf (name, sizeof name, "descriptor %d %s", n, how == STRAY_CLOSE ? "closed" : "replaced");
            all_right = show (name, &v) && all_right;
        }
    if (on_tern ())
        assert_true (all_right);
}

int main (int argc, char **argv)
{
    takes_every_limit = argc > 1;
    limits_max = count_from (argc, argv, limits_max);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (LIM_2_any_number_of_free_descriptors),
        cmocka_unit_test (LIM_2_a_second_without_descriptors_costs_no_cpu),
        cmocka_unit_test (threads_are_exhausted),
        cmocka_unit_test (addresses_are_exhausted),
        cmocka_unit_test (first_calls_of_a_thread_without_memory),
        cmocka_unit_test (a_program_closes_our_descriptors_by_mistake),
    };
    return cmocka_run_group_tests_name ("exhaustion", tests, NULL, NULL);
}
