// What the benchmarks share: clocks, checked calls, the loops that are measured, one line of
// result. Include it before anything else: it selects the POSIX interfaces that strict C11 hides.
#ifndef PERF_MEASURE_H
#define PERF_MEASURE_H

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <zmq.h>

static inline void check(int succeeded, const char *what) {
    if (succeeded) return;
    fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
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

static inline void *new_context(void) {
    void *context = zmq_ctx_new();
    check(context != NULL, "zmq_ctx_new");
    return context;
}

static inline void *new_socket(void *context, int type) {
    void *socket = zmq_socket(context, type);
    check(socket != NULL, "zmq_socket");
    return socket;
}

static inline void *bound_socket(void *context, int type, const char *endpoint) {
    void *socket = new_socket(context, type);
    check(zmq_bind(socket, endpoint) == 0, endpoint);
    return socket;
}

static inline void *connected_socket(void *context, int type, const char *endpoint) {
    void *socket = new_socket(context, type);
    check(zmq_connect(socket, endpoint) == 0, endpoint);
    return socket;
}

static inline void set_option(void *socket, int option, int value) {
    check(zmq_setsockopt(socket, option, &value, sizeof value) == 0, "zmq_setsockopt");
}

// The name of the endpoint a socket was bound to, with the port the system chose.
static inline void read_endpoint(void *socket, char *text, size_t size) {
    check(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, text, &size) == 0, "ZMQ_LAST_ENDPOINT");
}

// Closes with the default linger and waits until everything sent has left.
static inline void close_and_end(void *socket, void *context) {
    check(zmq_close(socket) == 0, "zmq_close");
    check(zmq_ctx_term(context) == 0, "zmq_ctx_term");
}

static inline pthread_t new_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    check(pthread_create(&thread, NULL, function, argument) == 0, "pthread_create");
    return thread;
}

// Throughput

// Sends messages of their own memory each; what is in them does not matter and is not written.
static inline void send_messages(void *socket, size_t size, long count) {
    for (long sent = 0; sent < count; ++sent) {
        zmq_msg_t message;
        check(zmq_msg_init_size(&message, size) == 0, "zmq_msg_init_size");
        check(zmq_msg_send(&message, socket, 0) >= 0, "zmq_msg_send");
    }
}

static inline void receive_messages(void *socket, size_t size, long count) {
    zmq_msg_t message;
    check(zmq_msg_init(&message) == 0, "zmq_msg_init");
    for (long received = 0; received < count; ++received) {
        check(zmq_msg_recv(&message, socket, 0) >= 0, "zmq_msg_recv");
        check(zmq_msg_size(&message) == size, "a message of the wrong size");
    }
    check(zmq_msg_close(&message) == 0, "zmq_msg_close");
}

// count is what was asked for, timed is the number of messages that the two moments enclose.
static inline void print_throughput(size_t size, long count, long timed, struct moment begin,
                                    struct moment end) {
    double seconds = (end.wall_us - begin.wall_us) * 1e-6;
    double rate = seconds > 0 ? (double)timed / seconds : 0;
    printf("size=%zu count=%ld seconds=%.6f messages_per_second=%.0f mbit_per_second=%.3f "
           "cpu_us_per_message=%.4f\n",
           size, count, seconds, rate, rate * (double)size * 8e-6,
           timed > 0 ? (end.cpu_us - begin.cpu_us) / (double)timed : 0);
}

// Receives all messages; the clock runs from the arrival of the first to that of the last.
static inline void measure_arrivals(void *socket, size_t size, long count) {
    receive_messages(socket, size, 1);
    struct moment begin = this_moment();
    receive_messages(socket, size, count - 1);
    print_throughput(size, count, count - 1, begin, this_moment());
}

// Latency

static inline int compare_doubles(const void *left, const void *right) {
    double difference = *(const double *)left - *(const double *)right;
    return (difference > 0) - (difference < 0);
}

// Sends back whatever comes.
static inline void echo_messages(void *socket, size_t size, long count) {
    zmq_msg_t message;
    check(zmq_msg_init(&message) == 0, "zmq_msg_init");
    for (long echoed = 0; echoed < count; ++echoed) {
        check(zmq_msg_recv(&message, socket, 0) >= 0, "zmq_msg_recv");
        check(zmq_msg_size(&message) == size, "a message of the wrong size");
        check(zmq_msg_send(&message, socket, 0) >= 0, "zmq_msg_send");
    }
    check(zmq_msg_close(&message) == 0, "zmq_msg_close");
}

// Sends one message to and fro without touching its content or measuring.
static inline void make_round_trips(void *socket, zmq_msg_t *message, size_t size, long count) {
    for (long made = 0; made < count; ++made) {
        check(zmq_msg_send(message, socket, 0) >= 0, "zmq_msg_send");
        check(zmq_msg_recv(message, socket, 0) >= 0, "zmq_msg_recv");
        check(zmq_msg_size(message) == size, "a message of the wrong size");
    }
}

// Makes all round trips; the first tenth, at most 1000, is warm-up (the connection is made in it)
// and is not counted. mean, median and p99 are halves of a round trip, as the classic tool prints
// its latency; the names with rtt are whole ones.
static inline void measure_round_trips(void *socket, size_t size, long count) {
    long warm_up = count / 10 < 1000 ? count / 10 : 1000;
    long measured = count - warm_up;
    double *trips_us = malloc((size_t)measured * sizeof *trips_us);
    check(trips_us != NULL, "malloc");
    zmq_msg_t message;
    check(zmq_msg_init_size(&message, size) == 0, "zmq_msg_init_size");
    memset(zmq_msg_data(&message), 0, size);
    make_round_trips(socket, &message, size, warm_up);

    struct moment begin = this_moment();
    double before = begin.wall_us;
    for (long trip = 0; trip < measured; ++trip) {
        make_round_trips(socket, &message, size, 1);
        double after = wall_us();
        trips_us[trip] = after - before;
        before = after;
    }
    struct moment end = this_moment();
    check(zmq_msg_close(&message) == 0, "zmq_msg_close");

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
