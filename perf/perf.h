// What every benchmark shares, whichever library it measures: clocks, arguments, a companion to
// talk to, memory, percentiles, one line of result. Include it (or measure.h) before anything else:
// it selects the POSIX interfaces that strict C11 hides.
#ifndef PERF_PERF_H
#define PERF_PERF_H

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline void fail(const char *what, const char *why) {
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

// For calls of the system.
static inline void require(int succeeded, const char *what) {
    if (!succeeded) fail(what, strerror(errno));
}

static inline void *new_memory(size_t count, size_t size) {
    void *memory = calloc(count, size);
    require(memory != NULL, "calloc");
    return memory;
}

// The command line: exits with the usage when the number of arguments is wrong.
static inline void require_arguments(int argc, int least, int most, const char *usage) {
    if (argc - 1 >= least && argc - 1 <= most) return;
    fprintf(stderr, "usage: %s\n", usage);
    exit(2);
}

static inline long positive_number(const char *text) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*end == '\0' && end != text && value > 0) return value;
    fprintf(stderr, "'%s' is not a positive number\n", text);
    exit(2);
}

static inline size_t message_size(const char *text) {
    return strcmp(text, "0") == 0 ? 0 : (size_t)positive_number(text);
}

// Whether one of the optional words is among the arguments.
static inline int has_word(int argc, char **argv, const char *word) {
    for (int i = 1; i < argc; ++i)
        if (strcmp(argv[i], word) == 0) return 1;
    return 0;
}

static inline int starts_with(const char *text, const char *prefix) {
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

// Clocks

// Wall clock and processor time (user and system, all threads of this process) at one moment.
struct moment {
    double wall_us;
    double cpu_us;
};

static inline double wall_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec * 1e-3;
}

static inline struct moment this_moment(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    struct moment moment = {wall_us(),
                            (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
                                (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)};
    return moment;
}

// Companions

static inline pthread_t new_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    int error = pthread_create(&thread, NULL, function, argument);
    if (error != 0) fail("pthread_create", strerror(error));
    return thread;
}

// The other side of a benchmark: a process, or for inproc a thread, with a pipe each way over which
// the two tell each other a number when they have come to some point. A process is forked, so it
// must be started before the library under test is used.
struct line {
    int in;
    int out;
};

struct companion {
    struct line line; // our end
    struct line far;  // its end
    pid_t process;    // 0: a thread
    pthread_t thread;
    void (*work)(void *argument, struct line line);
    void *argument;
};

static inline void tell(struct line line, double number) {
    require(write(line.out, &number, sizeof number) == (ssize_t)sizeof number, "tell");
}

static inline double hear(struct line line) {
    double number;
    ssize_t size = read(line.in, &number, sizeof number);
    if (size == 0) fail("companion", "has ended early");
    require(size == (ssize_t)sizeof number, "hear");
    return number;
}

static inline void *companion_thread(void *argument) {
    struct companion *self = argument;
    self->work(self->argument, self->far);
    return NULL;
}

static inline void start_companion(struct companion *self, int is_thread,
                                   void (*work)(void *argument, struct line line), void *argument) {
    int there[2], back[2];
    require(pipe(there) == 0 && pipe(back) == 0, "pipe");
    *self = (struct companion){.line = {back[0], there[1]},
                               .far = {there[0], back[1]},
                               .work = work,
                               .argument = argument};
    if (is_thread) {
        self->thread = new_thread(companion_thread, self);
        return;
    }
    self->process = fork();
    require(self->process >= 0, "fork");
    if (self->process == 0) {
        close(self->line.in);
        close(self->line.out);
        work(argument, self->far);
        exit(0);
    }
    close(self->far.in);
    close(self->far.out);
}

static inline void await_companion(struct companion *self) {
    if (self->process == 0) {
        pthread_join(self->thread, NULL);
        return;
    }
    int status;
    require(waitpid(self->process, &status, 0) == self->process, "waitpid");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("companion", "has failed");
}

// Resources

// As many descriptors as the system allows this process.
static inline void raise_descriptor_limit(void) {
    struct rlimit limit;
    require(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
    limit.rlim_cur = limit.rlim_max;
    require(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
}

// Memory that this process alone has written to. What the kernel keeps for it is not in here.
static inline double private_bytes(void) {
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    require(file != NULL, "/proc/self/smaps_rollup");
    char text[256];
    double kilobytes = 0, sum = 0;
    while (fgets(text, sizeof text, file) != NULL)
        if (sscanf(text, "Private_Dirty: %lf kB", &kilobytes) == 1 ||
            sscanf(text, "Swap: %lf kB", &kilobytes) == 1)
            sum += kilobytes * 1024;
    fclose(file);
    return sum;
}

// The same when it has not changed for a fifth of a second, or after five seconds.
static inline double settled_private_bytes(void) {
    double before = private_bytes();
    for (int step = 0; step < 25; ++step) {
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
        double now = private_bytes();
        if (now == before) break;
        before = now;
    }
    return before;
}

// Results

static inline double per(double amount, long count) {
    return count > 0 ? amount / (double)count : 0;
}

// Per second, between two moments.
static inline double rate(long count, struct moment begin, struct moment end) {
    double seconds = (end.wall_us - begin.wall_us) * 1e-6;
    return seconds > 0 ? (double)count / seconds : 0;
}

// count is what was asked for, timed is the number of messages that the two moments enclose.
static inline void print_throughput(size_t size, long count, long timed, struct moment begin,
                                    struct moment end) {
    double messages = rate(timed, begin, end);
    printf("size=%zu count=%ld seconds=%.6f messages_per_second=%.0f mbit_per_second=%.3f "
           "cpu_us_per_message=%.4f\n",
           size, count, (end.wall_us - begin.wall_us) * 1e-6, messages,
           messages * (double)size * 8e-6, per(end.cpu_us - begin.cpu_us, timed));
}

static inline int compare_doubles(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

// Makes `count` round trips by calling make_trip; the first tenth, at most 1000, is warm-up (the
// connection is made in it) and is not counted. mean, median and p99 are halves of a round trip, as
// the classic tool prints its latency; the names with rtt are whole ones.
static inline void measure_trips(void (*make_trip)(void *state), void *state, size_t size,
                                 long count) {
    long warm_up = count / 10 < 1000 ? count / 10 : 1000;
    long measured = count - warm_up;
    double *trips_us = new_memory((size_t)measured, sizeof *trips_us);
    for (long trip = 0; trip < warm_up; ++trip) make_trip(state);

    struct moment begin = this_moment();
    double before = begin.wall_us;
    for (long trip = 0; trip < measured; ++trip) {
        make_trip(state);
        double after = wall_us();
        trips_us[trip] = after - before;
        before = after;
    }
    struct moment end = this_moment();

    double mean = (end.wall_us - begin.wall_us) / (double)measured;
    qsort(trips_us, (size_t)measured, sizeof *trips_us, compare_doubles);
    double median = trips_us[measured / 2], p99 = trips_us[measured * 99 / 100];
    free(trips_us);
    printf("size=%zu count=%ld seconds=%.6f mean_us=%.3f median_us=%.3f p99_us=%.3f "
           "rtt_mean_us=%.3f rtt_median_us=%.3f rtt_p99_us=%.3f cpu_us_per_round_trip=%.4f\n",
           size, count, (end.wall_us - begin.wall_us) * 1e-6, mean / 2, median / 2, p99 / 2, mean,
           median, p99, (end.cpu_us - begin.cpu_us) / (double)measured);
}

#endif
