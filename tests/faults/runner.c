/* Runs the scenarios with faults, each in a process of its own, and says what came of them.
 *
 *   fault_sweep [--scenario NAME] [--seconds S] [--seed N] [--jobs N] [--rates N] [--every] [--survey] [--brief]
 *   fault_sweep --case SCENARIO FUNCTION HASH NTH TIMES KIND
 *   fault_sweep --rate SCENARIO SEED
 *   fault_sweep --sites SCENARIO
 *   fault_sweep --planted
 *
 * Without --seconds every case is run; with it, as many as there is time for, in an order that the seed says. --survey
 * counts violations and does not fail for them: for libraries that promise less. */
#include "injector.h"
#include "scenario.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

enum { JOBS_MAX = 16, DEADLINE_S = 20, FUNCTIONS_MAX = 80 };

struct outcome *outcome;
bool may_lose;

void violate (const char *format, ...)
{
    va_list arguments;
    va_start (arguments, format);
    vsnprintf (outcome->violation, sizeof outcome->violation, format, arguments);
    va_end (arguments);
    _exit (3);
}

static double now_s (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static void *shared_memory (size_t size)
{
    void *memory = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        exit (2);
    return memory;
}

/* ---- one case */

struct fault_case
{
    const struct scenario *scenario;
    struct fault fault;
    uint32_t frames[FRAMES_MAX];
};

enum verdict { V_ERRNO, V_EVENT, V_RETRIED, V_SILENT, V_MISSED, V_VIOLATION, VERDICTS };

struct job
{
    pid_t pid;
    double since;
    struct fault_case c;
    struct injector_state *injector;
    struct outcome *outcome;
};

static int count_fds (void)
{
    int count = 0;
    DIR *dir = opendir ("/proc/self/fd");
    while (dir && readdir (dir))
        ++count;
    if (dir)
        closedir (dir);
    return count;
}

/* Those that can end a connection with what its receiver has not read. */
static bool ends_connections (uint32_t function)
{
    static const char *const names[] = {"recv",        "recvmsg",     "send",          "sendmsg",  "setsockopt",
                                        "getsockopt",  "getsockname", "getpeername",   "fcntl",    "epoll_ctl",
                                        "accept4",     "connect",     "clock_gettime", "malloc",   "calloc",
                                        "new_nothrow", "new_array_nothrow", "new_array_aligned_nothrow", "new_aligned_nothrow",
                                        "realloc",     "posix_memalign", "pthread_create", "read"};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        if (strcmp (fault_function_name (function), names[i]) == 0)
            return true;
    return false;
}

static int blocks_max; /* of the runs without a fault; 0: not known */

static void run_child (struct job *job)
{
    outcome = job->outcome;
    const struct fault *fault = &job->c.fault;
    may_lose = job->c.scenario->over_network && (fault->nth == 0 || ends_connections (fault->function));
    const struct rlimit no_core = {0, 0};
    setrlimit (RLIMIT_CORE, &no_core);
    if (!injector_install (job->injector))
        _exit (2);
    const int fds = count_fds ();
    injector_arm ();
    job->c.scenario->run ();
    injector_disarm ();
    for (int i = 0; i < 300 && count_fds () > fds; ++i)
        usleep (1000); /* a helper thread may be about to end */
    if (count_fds () > fds)
        violate ("%d descriptors are left", count_fds () - fds);
#if defined(__SANITIZE_ADDRESS__)
    if (__lsan_do_recoverable_leak_check ())
        violate ("memory is lost");
#else
    if (blocks_max > 0 && job->injector->blocks > blocks_max + 60)
        violate ("%d blocks of memory are held, usually at most %d", job->injector->blocks, blocks_max);
#endif
    outcome->done = true;
    _exit (0);
}

static void start (struct job *job, const struct fault_case *c, enum plant plant)
{
    job->c = *c;
    memset (job->injector, 0, sizeof *job->injector);
    job->injector->fault = c->fault;
    job->injector->plant = plant;
    memset (job->outcome, 0, sizeof *job->outcome);
    job->since = now_s ();
    fflush (stdout);
    job->pid = fork ();
    if (job->pid == 0)
        run_child (job);
    if (job->pid < 0)
        exit (2);
}

static bool has_ended (struct job *job, enum verdict *verdict)
{
    int status = 0;
    struct outcome *o = job->outcome;
    if (waitpid (job->pid, &status, WNOHANG) == 0) {
        if (now_s () - job->since < DEADLINE_S)
            return false;
        kill (job->pid, SIGKILL);
        waitpid (job->pid, &status, 0);
        if (!o->violation[0])
            snprintf (o->violation, sizeof o->violation, "hangs");
    } else if (WIFSIGNALED (status)) {
        snprintf (o->violation, sizeof o->violation, "%s", strsignal (WTERMSIG (status)));
    } else if (!o->violation[0] && !o->done && !o->unsupported) {
        snprintf (o->violation, sizeof o->violation, "exit status %d", WEXITSTATUS (status));
    }
    job->pid = 0;
    *verdict = o->violation[0]                              ? V_VIOLATION
               : job->injector->fired == 0                  ? V_MISSED
               : atomic_load (&o->errors) > 0               ? V_ERRNO
               : atomic_load (&o->events) > 0               ? V_EVENT
               : atomic_load (&o->repeated) || o->dropped   ? V_RETRIED
                                                            : V_SILENT;
    return true;
}

static const char *program;

static void print_violation (const struct job *job)
{
    const struct fault *f = &job->c.fault;
    const struct outcome *o = job->outcome;
    printf ("VIOLATION %s: %s (%s; last errno %d by %s)\n", job->c.scenario->name, o->violation, o->at, o->last_errno,
            o->last_call);
    if (f->nth == 0)
        printf ("    %s --rate %s %u\n", program, job->c.scenario->name, f->seed);
    else
        printf ("    %s --case %s %s %08x %u %u %d    # %s, frames %x %x %x %x\n", program, job->c.scenario->name,
                fault_function_name (f->function), f->hash, f->nth, f->times, f->kind,
                fault_kind_name (f->function, f->kind), job->c.frames[0], job->c.frames[1], job->c.frames[2],
                job->c.frames[3]);
}

/* ---- what may go wrong in a scenario */

static struct job jobs[JOBS_MAX];

/* A run without a fault; false when the library can not run it. */
static bool survey_sites (const struct scenario *scenario, struct injector_state *sites)
{
    const struct fault_case none = {scenario, {0}, {0}};
    int highest = 0;
    blocks_max = 0;
    for (int run = 0; run < 3; ++run) {
        enum verdict verdict;
        start (&jobs[0], &none, PLANT_NONE);
        while (!has_ended (&jobs[0], &verdict))
            usleep (200);
        if (jobs[0].outcome->unsupported)
            return false;
        if (verdict == V_VIOLATION) {
            print_violation (&jobs[0]);
            return false;
        }
        const struct injector_state *seen = jobs[0].injector;
        if (seen->blocks > highest)
            highest = seen->blocks;
        for (uint32_t i = 0; i < seen->sites; ++i) {
            uint32_t k = 0;
            while (k < sites->sites && (sites->site[k].hash != seen->site[i].hash || sites->site[k].function != seen->site[i].function))
                ++k;
            if (k == sites->sites && k < SITES_MAX)
                sites->site[sites->sites++] = seen->site[i];
            else if (k < SITES_MAX && sites->site[k].calls < seen->site[i].calls)
                sites->site[k].calls = seen->site[i].calls;
        }
    }
    blocks_max = highest < 1 ? 1 : highest;
    return true;
}

static struct fault_case *cases;
static size_t cases_count;

static void add_case (const struct scenario *scenario, const struct site *site, struct fault fault)
{
    cases = realloc (cases, (cases_count + 1) * sizeof *cases);
    struct fault_case *c = &cases[cases_count++];
    c->scenario = scenario;
    c->fault = fault;
    memset (c->frames, 0, sizeof c->frames);
    if (site)
        memcpy (c->frames, site->frames, sizeof c->frames);
}

/* Any call may fail, with the probability that goes with the seed. */
static struct fault at_rate (unsigned seed)
{
    return (struct fault){0, 0, 0, 0, 0, seed, seed % 3 == 0 ? 100 : seed % 3 == 1 ? 20 : 3};
}

static void list_cases (const struct scenario *scenario, const struct injector_state *sites, unsigned rates)
{
    static const uint32_t occurrences[] = {1, 2, 5, 20};
    cases_count = 0;
    for (uint32_t i = 0; i < sites->sites; ++i) {
        const struct site *site = &sites->site[i];
        for (const int *kind = fault_kinds (site->function); *kind; ++kind) {
            for (size_t k = 0; k < sizeof occurrences / sizeof *occurrences; ++k)
                if (occurrences[k] <= site->calls)
                    add_case (scenario, site, (struct fault){site->function, site->hash, occurrences[k], 1, *kind, 0, 0});
            if (*kind < FAULT_SHORT && site->calls > 1)
                add_case (scenario, site, (struct fault){site->function, site->hash, 1, 8, *kind, 0, 0});
        }
    }
    for (unsigned seed = 1; seed <= rates; ++seed)
        add_case (scenario, NULL, at_rate (seed));
}

static void shuffle (uint32_t seed)
{
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = cases_count; i > 1; --i) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        const size_t k = x % i;
        const struct fault_case held = cases[k];
        cases[k] = cases[i - 1];
        cases[i - 1] = held;
    }
}

/* ---- many */

struct tally
{
    unsigned counts[VERDICTS];
};

static unsigned sweep (int jobs_count, double seconds, struct tally *by_function, struct tally *all, bool is_loud)
{
    const double until = seconds > 0 ? now_s () + seconds : 1e300;
    size_t next = 0;
    unsigned violations = 0;
    for (bool busy = true; busy;) {
        busy = false;
        bool moved = false;
        for (int i = 0; i < jobs_count; ++i) {
            struct job *job = &jobs[i];
            enum verdict verdict;
            if (job->pid) {
                if (!has_ended (job, &verdict)) {
                    busy = true;
                    continue;
                }
                moved = true;
                const uint32_t row = job->c.fault.nth ? job->c.fault.function : FUNCTIONS_MAX - 1;
                ++by_function[row].counts[verdict];
                ++all->counts[verdict];
                if (verdict == V_VIOLATION) {
                    ++violations;
                    if (is_loud)
                        print_violation (job);
                }
            }
            if (next < cases_count && now_s () < until) {
                start (job, &cases[next++], PLANT_NONE);
                busy = moved = true;
            }
        }
        if (busy && !moved)
            usleep (300);
    }
    return violations;
}

static void print_row (const char *scenario, const char *function, const struct tally *tally)
{
    unsigned cases_run = 0;
    for (int v = 0; v < VERDICTS; ++v)
        cases_run += tally->counts[v];
    if (cases_run)
        printf ("%-15s %-26s %7u %7u %7u %7u %7u %7u %10u\n", scenario, function, cases_run, tally->counts[V_ERRNO],
                tally->counts[V_EVENT], tally->counts[V_RETRIED], tally->counts[V_SILENT], tally->counts[V_MISSED],
                tally->counts[V_VIOLATION]);
}

static void print_head (void)
{
    printf ("%-15s %-26s %7s %7s %7s %7s %7s %7s %10s\n", "scenario", "function", "cases", "errno", "event", "retried",
            "silent", "missed", "violations");
}

/* ---- a test of the test: a library that handles faults badly is found out */

static int check_planted (void)
{
    static const struct
    {
        enum plant plant;
        const char *name, *scenario, *function, *says;
    } plants[] = {
        {PLANT_ABORT, "abort", "tcp", "epoll_ctl", "Aborted"},
        {PLANT_CRASH, "crash", "tcp", "setsockopt", "Segmentation fault"},
        {PLANT_LEAK_FD, "a descriptor is left", "life", "bind", "descriptors are left"},
        {PLANT_LEAK_MEMORY, "memory is left", "life", "socket", "memory"},
        {PLANT_LOSE, "bytes are lost", "tcp", "sendmsg", ""},
        {PLANT_HANG, "hang", "inproc", "new_", "hangs"},
    };
    int failures = 0;
    for (size_t p = 0; p < sizeof plants / sizeof *plants; ++p) {
        const struct scenario *scenario = scenarios;
        while (strcmp (scenario->name, plants[p].scenario) != 0)
            ++scenario;
        struct injector_state *sites = calloc (1, sizeof *sites);
        bool found = false;
        if (survey_sites (scenario, sites)) {
            list_cases (scenario, sites, 0);
            for (size_t i = 0; i < cases_count && !found; ++i) {
                const char *function = fault_function_name (cases[i].fault.function);
                if (strcmp (function, plants[p].function) != 0
                    && !(plants[p].plant == PLANT_LOSE && strcmp (function, "send") == 0))
                    continue;
                enum verdict verdict;
                start (&jobs[0], &cases[i], plants[p].plant);
                while (!has_ended (&jobs[0], &verdict))
                    usleep (200);
                found = verdict == V_VIOLATION && strstr (jobs[0].outcome->violation, plants[p].says);
                if (verdict == V_VIOLATION)
                    printf ("planted: %s: %s\n", plants[p].name, jobs[0].outcome->violation);
            }
        }
        if (!found) {
            printf ("planted: %s is not found\n", plants[p].name);
            ++failures;
        }
        free (sites);
    }
    return failures ? 1 : 0;
}

static int run_one (char **arguments)
{
    struct fault_case c = {scenarios, {0}, {0}};
    while (c.scenario->name && strcmp (c.scenario->name, arguments[1]) != 0)
        ++c.scenario;
    if (!c.scenario->name)
        return 2;
    if (strcmp (arguments[0], "--rate") == 0) {
        c.fault = at_rate ((unsigned) atoi (arguments[2]));
    } else {
        while (strcmp (fault_function_name (c.fault.function), arguments[2]) != 0)
            if (++c.fault.function > FUNCTIONS_MAX)
                return 2;
        c.fault.hash = (uint32_t) strtoul (arguments[3], NULL, 16);
        c.fault.nth = (uint32_t) atoi (arguments[4]);
        c.fault.times = (uint32_t) atoi (arguments[5]);
        c.fault.kind = atoi (arguments[6]);
    }
    enum verdict verdict;
    start (&jobs[0], &c, PLANT_NONE);
    while (!has_ended (&jobs[0], &verdict))
        usleep (200);
    if (verdict == V_VIOLATION)
        print_violation (&jobs[0]);
    printf ("fired %u, errors %d, events %d, dropped %d\n", jobs[0].injector->fired, jobs[0].outcome->errors,
            jobs[0].outcome->events, jobs[0].outcome->dropped);
    return verdict == V_VIOLATION;
}

int main (int count, char **arguments)
{
    const char *only = NULL;
    double seconds = 0;
    unsigned seed = (unsigned) (time (NULL) / 60), rates = 30;
    int jobs_count = 2;
    bool survey = false, brief = false;
    program = arguments[0];
    setvbuf (stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < JOBS_MAX; ++i) {
        jobs[i].injector = shared_memory (sizeof *jobs[i].injector);
        jobs[i].outcome = shared_memory (sizeof *jobs[i].outcome);
    }
    for (int i = 1; i < count; ++i) {
        const char *argument = arguments[i];
        const char *value = i + 1 < count ? arguments[i + 1] : "";
        if ((strcmp (argument, "--case") == 0 && i + 6 < count) || (strcmp (argument, "--rate") == 0 && i + 2 < count))
            return run_one (arguments + i);
        if (strcmp (argument, "--planted") == 0)
            return check_planted ();
        if (strcmp (argument, "--survey") == 0)
            survey = true;
        else if (strcmp (argument, "--brief") == 0)
            brief = true;
        else if (strcmp (argument, "--scenario") == 0)
            only = value, ++i;
        else if (strcmp (argument, "--seconds") == 0)
            seconds = atof (value), ++i;
        else if (strcmp (argument, "--seed") == 0)
            seed = (unsigned) atoi (value), ++i;
        else if (strcmp (argument, "--rates") == 0)
            rates = (unsigned) atoi (value), ++i;
        else if (strcmp (argument, "--jobs") == 0)
            jobs_count = atoi (value), ++i;
        else if (strcmp (argument, "--sites") == 0) {
            struct injector_state *sites = calloc (1, sizeof *sites);
            const struct scenario *scenario = scenarios;
            while (scenario->name && strcmp (scenario->name, value) != 0)
                ++scenario;
            if (!scenario->name || !survey_sites (scenario, sites))
                return 2;
            for (uint32_t k = 0; k < sites->sites; ++k)
                printf ("%-20s %08x %6u  %x %x %x %x\n", fault_function_name (sites->site[k].function),
                        sites->site[k].hash, sites->site[k].calls, sites->site[k].frames[0], sites->site[k].frames[1],
                        sites->site[k].frames[2], sites->site[k].frames[3]);
            return 0;
        } else {
            fprintf (stderr, "%s: what is %s?\n", program, argument);
            return 2;
        }
    }
    if (jobs_count < 1 || jobs_count > JOBS_MAX)
        return 2;
    unsigned scenarios_count = 0, all_scenarios = 0, violations = 0, ran = 0, left = 0;
    for (const struct scenario *s = scenarios; s->name; ++s, ++all_scenarios)
        scenarios_count += !only || strcmp (only, s->name) == 0;
    const double until = now_s () + seconds;
    printf ("seed %u\n", seed);
    print_head ();
    struct tally total = {{0}};
    unsigned surveyed = 0;
    /* Who is last has least time: each in its turn. */
    for (unsigned k = 0; k < all_scenarios; ++k) {
        const struct scenario *s = &scenarios[(seed + k) % all_scenarios];
        if (only && strcmp (only, s->name) != 0)
            continue;
        struct injector_state *sites = calloc (1, sizeof *sites);
        static struct tally by_function[FUNCTIONS_MAX];
        memset (by_function, 0, sizeof by_function);
        struct tally all = {{0}};
        if (!survey_sites (s, sites)) {
            const bool is_violation = jobs[0].outcome->violation[0];
            printf ("%-15s %s\n", s->name, is_violation ? "fails without a fault" : "is not in this library");
            violations += is_violation;
            free (sites);
            --scenarios_count;
            continue;
        }
        list_cases (s, sites, rates);
        shuffle (seed);
        const double share = seconds > 0 ? (until - now_s ()) / (scenarios_count - surveyed) : 0;
        if (seconds > 0 && share <= 0) {
            free (sites);
            continue;
        }
        violations += sweep (jobs_count, share, by_function, &all, true);
        ++surveyed;
        if (!brief)
            for (uint32_t f = 0; f < FUNCTIONS_MAX; ++f)
                print_row (s->name, f == FUNCTIONS_MAX - 1 ? "(all, by rate)" : fault_function_name (f), &by_function[f]);
        print_row (s->name, "all", &all);
        unsigned here = 0;
        for (int v = 0; v < VERDICTS; ++v) {
            total.counts[v] += all.counts[v];
            here += all.counts[v];
        }
        ran += here;
        left += (unsigned) cases_count - here;
        free (sites);
    }
    print_row ("all", "all", &total);
    printf ("%u cases, %u left for other seeds, %u violations\n", ran, left, violations);
    if (ran == 0)
        return 1;
    return violations && !survey ? 1 : 0;
}
