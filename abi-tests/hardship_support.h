/* For the tests of faults that are real: each case runs in a child process, so that a library that aborts or hangs takes
 * nothing else along, and what became of it is one line of a table. On Tern anything but "right" fails the test; on
 * libzmq it is a row to compare with. Numbers on the command line make a program longer: scripts/hardship gives them. */
#ifndef TERN_ABI_TESTS_HARDSHIP_SUPPORT_H
#define TERN_ABI_TESTS_HARDSHIP_SUPPORT_H

#include "lifecycle_support.h"
#include "process_support.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* ---- In the child ---- */

static int facts_fd = -1;

/* A piece of the row that the case becomes. */
static inline __attribute__ ((format (printf, 1, 2))) void note (const char *format, ...)
{
    char text[256];
    va_list list;
    va_start (list, format);
    const int n = vsnprintf (text, sizeof text, format, list);
    va_end (list);
    if (n > 0 && write (facts_fd, text, (size_t) (n < (int) sizeof text ? n : (int) sizeof text - 1)) < 0)
        _exit (3);
}

#define NEED(condition, ...)                                               \
    do {                                                                   \
        if (!(condition)) {                                                \
            note ("line %d: %s: ", __LINE__, #condition);                  \
            note (__VA_ARGS__);                                            \
            _exit (1);                                                     \
        }                                                                  \
    } while (0)

/* A call of the library that has to succeed. */
#define NEED_OK(call)                                                      \
    do {                                                                   \
        if ((call) == -1) {                                                \
            note ("line %d: %s: %s", __LINE__, #call, zmq_strerror (zmq_errno ())); \
            _exit (1);                                                     \
        }                                                                  \
    } while (0)

#define NEED_SOON(condition)                                               \
    do {                                                                   \
        const int64_t end_ = now_ms () + DEADLINE_MS;                      \
        while (!(condition)) {                                             \
            NEED (now_ms () < end_, "never");                              \
            poll (NULL, 0, 2);                                             \
        }                                                                  \
    } while (0)

static inline void *need_ctx (void)
{
    void *ctx = zmq_ctx_new ();
    NEED (ctx, "%s", zmq_strerror (zmq_errno ()));
    return ctx;
}

static inline void *need_socket (void *ctx, int type)
{
    void *s = zmq_socket (ctx, type);
    NEED (s, "%s", zmq_strerror (zmq_errno ()));
    return s;
}

static inline void need_set (void *s, int option, int value)
{
    NEED_OK (zmq_setsockopt (s, option, &value, sizeof value));
}

static inline void need_bind (void *s, const char *endpoint, char *out /* 256 */)
{
    size_t size = 256;
    NEED_OK (zmq_bind (s, endpoint));
    NEED_OK (zmq_getsockopt (s, ZMQ_LAST_ENDPOINT, out, &size));
}

static inline void need_close (void *s)
{
    const int zero = 0;
    zmq_setsockopt (s, ZMQ_LINGER, &zero, sizeof zero);
    NEED_OK (zmq_close (s));
}

/* One message there and one back, whatever the two have been through. */
static inline void need_traffic (void *from, void *to, const char *text)
{
    char got[64] = "";
    need_set (from, ZMQ_SNDTIMEO, DEADLINE_MS);
    need_set (to, ZMQ_RCVTIMEO, DEADLINE_MS);
    NEED_OK (zmq_send (from, text, strlen (text), 0));
    NEED_OK (zmq_recv (to, got, sizeof got - 1, 0));
    NEED (strcmp (got, text) == 0, "got %s for %s", got, text);
}

/* ---- In the test ---- */

struct verdict
{
    enum { RIGHT, WRONG, ABORTED, HUNG } kind;
    int number; /* signal of an abort */
    char facts[1024];
};

/* Runs the case in a child that gets `seconds`. */
static inline struct verdict run_apart (void (*body) (void *), void *argument, int seconds)
{
    struct verdict v = {RIGHT, 0, ""};
    int facts[2], status = 0;
    size_t used = 0;
    assert_int_equal (pipe2 (facts, O_CLOEXEC), 0);
    fflush (NULL);
    const pid_t child = fork ();
    assert_true (child >= 0);
    if (child == 0) {
        close (facts[0]);
        facts_fd = facts[1];
        setpgid (0, 0);
        signal (SIGALRM, SIG_DFL);
        alarm (0);
        const struct rlimit no_core = {0, 0};
        setrlimit (RLIMIT_CORE, &no_core);
        body (argument);
        _exit (0);
    }
    close (facts[1]);
    setpgid (child, child);
    const int64_t end = now_ms () + (int64_t) seconds * (under_memcheck () ? 10000 : 1000);
    bool is_open = true, is_alive = true;
    while (is_alive) {
        struct pollfd item = {facts[0], POLLIN, 0};
        if (is_open && poll (&item, 1, 20) == 1) {
            const ssize_t n = read (facts[0], v.facts + used, sizeof v.facts - 1 - used);
            is_open = n > 0;
            used += n > 0 ? (size_t) n : 0;
        } else if (!is_open) {
            pause_ms (1);
        }
        is_alive = waitpid (child, &status, WNOHANG) == 0;
        if (is_alive && now_ms () > end) {
            v.kind = HUNG;
            kill (-child, SIGKILL);
            waitpid (child, &status, 0);
            is_alive = false;
        }
    }
    kill (-child, SIGKILL); /* what the case has left behind */
    for (ssize_t n = 1; is_open && n > 0; used += n > 0 ? (size_t) n : 0)
        n = read (facts[0], v.facts + used, sizeof v.facts - 1 - used);
    close (facts[0]);
    if (v.kind == RIGHT && WIFSIGNALED (status)) {
        v.kind = ABORTED;
        v.number = WTERMSIG (status);
    } else if (v.kind == RIGHT && WEXITSTATUS (status) != 0) {
        v.kind = WRONG;
    }
    return v;
}

/* The row; false unless all was right. */
static inline bool show (const char *name, const struct verdict *v)
{
    char how[32];
    if (v->kind == ABORTED)
        snprintf (how, sizeof how, "killed by signal %d", v->number);
    else
        snprintf (how, sizeof how, "%s", v->kind == RIGHT ? "right" : v->kind == WRONG ? "WRONG" : "HUNG");
    printf ("  %-6s  %-48s %-20s %s\n", on_tern () ? "tern" : "libzmq", name, how, v->facts);
    fflush (stdout);
    return v->kind == RIGHT;
}

/* Runs and shows the case; on Tern it has to be right. */
static inline void case_apart (const char *name, void (*body) (void *), void *argument, int seconds)
{
    const struct verdict v = run_apart (body, argument, seconds);
    if (!show (name, &v) && on_tern ())
        fail_msg ("%s: see the row above", name);
}

/* ---- What a process uses ---- */

static inline int64_t cpu_us (void)
{
    struct timespec t;
    clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* In which share of samples a thread of a process, but its first, wants the processor: on a busy machine a loop gets little
 * time, but always wants it. */
enum { LOOP_PERCENT = 80 };

static inline int runnable_percent_of (pid_t process, int ms)
{
    int samples = 0, runnable = 0;
    char path[300];
    for (const int64_t end = now_ms () + ms; now_ms () < end; ++samples) {
        bool is_running = false;
        snprintf (path, sizeof path, "/proc/%ld/task", (long) process);
        DIR *directory = opendir (path);
        for (struct dirent *e; directory && (e = readdir (directory));) {
            if (atoi (e->d_name) == 0 || atoi (e->d_name) == process)
                continue;
            snprintf (path, sizeof path, "/proc/%ld/task/%s/stat", (long) process, e->d_name);
            is_running = is_running || state_in (path) == 'R';
        }
        if (directory)
            closedir (directory);
        runnable += is_running;
        poll (NULL, 0, 3);
    }
    return samples ? runnable * 100 / samples : 0;
}

/* A process that looks at this one, which may have no descriptor to do so. To be started before there are threads. */
struct sampler
{
    int order, answer;
};

static inline struct sampler start_sampler (void)
{
    int orders[2], answers[2], ms, percent;
    NEED (pipe2 (orders, O_CLOEXEC) == 0 && pipe2 (answers, O_CLOEXEC) == 0, "pipe");
    const pid_t process = getpid (), child = fork ();
    NEED (child >= 0, "fork");
    if (child == 0) {
        close (orders[1]);
        while (read (orders[0], &ms, sizeof ms) == sizeof ms) {
            percent = runnable_percent_of (process, ms);
            if (write (answers[1], &percent, sizeof percent) != sizeof percent)
                break;
        }
        _exit (0);
    }
    close (orders[0]);
    close (answers[1]);
    return (struct sampler){orders[1], answers[0]};
}

static inline int sample (const struct sampler *s, int ms)
{
    int percent = 0;
    NEED (write (s->order, &ms, sizeof ms) == sizeof ms && read (s->answer, &percent, sizeof percent) == sizeof percent,
          "no sampler");
    return percent;
}

static inline int64_t now_us (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, &t);
    return (int64_t) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- Chance ---- */

static inline uint64_t mix (uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

struct dice
{
    uint64_t state;
};

static inline int below (struct dice *d, int limit)
{
    d->state += 0x9e3779b97f4a7c15u;
    return (int) (mix (d->state) % (uint64_t) limit);
}

/* The number behind the name of the program, else the one of the test run. */
static inline int count_from (int argc, char **argv, int otherwise)
{
    const int n = argc > 1 ? atoi (argv[1]) : 0;
    return n > 0 ? n : otherwise;
}

/* TERN_TEST_SEED=N repeats a run, as far as threads can be repeated. */
static inline uint64_t seed_of_run (void)
{
    const char *text = getenv ("TERN_TEST_SEED");
    const uint64_t seed = text ? strtoull (text, NULL, 10) : (uint64_t) now_us () ^ (uint64_t) getpid () << 40;
    printf ("seed %llu\n", (unsigned long long) seed);
    return seed;
}

static inline void raise_descriptor_limit (void)
{
    struct rlimit files;
    if (getrlimit (RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit (RLIMIT_NOFILE, &files);
}

#endif
