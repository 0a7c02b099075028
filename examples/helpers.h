// What the example programs share: checked calls, strings as frames, and a graceful end on Ctrl-C.
// Include it before anything else: it selects the POSIX interfaces that strict C11 hides.
#ifndef EXAMPLES_HELPERS_H
#define EXAMPLES_HELPERS_H

#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

// Set by the handler below. A signal that arrives outside the library is not remembered there, so
// every loop looks at this flag too.
static volatile sig_atomic_t stop_requested = 0;

static inline void on_stop_signal(int number) {
    (void)number;
    stop_requested = 1;
}

// Ctrl-C and a plain kill ask the program to end; blocking calls then return -1 with EINTR.
static inline void catch_stop_signals(void) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_stop_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

// Ends the program with a message when something failed that an example does not expect to fail.
static inline void check(int succeeded, const char *what) {
    if (succeeded) return;
    fprintf(stderr, "%s: %s\n", what, zmq_strerror(zmq_errno()));
    exit(1);
}

// Tells whoever started the program that it listens to signals now.
static inline void announce_ready(const char *name) {
    printf("%s: ready\n", name);
    fflush(stdout);
}

static inline const char *text_argument(int argc, char **argv, int index, const char *fallback) {
    return index < argc ? argv[index] : fallback;
}

static inline long number_argument(int argc, char **argv, int index, long fallback) {
    return index < argc ? strtol(argv[index], NULL, 10) : fallback;
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

static inline void subscribe(void *socket, const char *prefix) {
    check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, prefix, strlen(prefix)) == 0, "ZMQ_SUBSCRIBE");
}

static inline int more_follows(void *socket) {
    int more = 0;
    size_t size = sizeof more;
    check(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0, "ZMQ_RCVMORE");
    return more;
}

static inline int send_frame(void *socket, const char *text, int flags) {
    return zmq_send(socket, text, strlen(text), flags);
}

// Sends one string as a message of its own, without its terminator.
static inline int send_string(void *socket, const char *text) {
    return send_frame(socket, text, 0);
}

// Sends one string as a frame that others will follow.
static inline int send_string_more(void *socket, const char *text) {
    return send_frame(socket, text, ZMQ_SNDMORE);
}

// Receives one frame as a C string that the caller frees. NULL: interrupted, nothing there
// (with ZMQ_DONTWAIT or a timeout), or the context has ended. An empty frame is an empty string.
static inline char *receive_frame(void *socket, int flags) {
    zmq_msg_t message;
    zmq_msg_init(&message);
    int size = zmq_msg_recv(&message, socket, flags);
    char *text = NULL;
    if (size >= 0 && (text = malloc((size_t)size + 1)) != NULL) {
        memcpy(text, zmq_msg_data(&message), (size_t)size);
        text[size] = '\0';
    }
    int error = errno;
    zmq_msg_close(&message);
    errno = error;
    return text;
}

static inline char *receive_string(void *socket) { return receive_frame(socket, 0); }

// Closing never blocks; ending the context waits until everything sent has left, and a signal may
// interrupt that wait.
static inline void end_context(void *context) {
    while (zmq_ctx_term(context) == -1 && zmq_errno() == EINTR) continue;
}

static inline void sleep_us(long microseconds) {
    struct timespec wait = {microseconds / 1000000, microseconds % 1000000 * 1000};
    nanosleep(&wait, NULL);
}

static inline pthread_t new_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    check(pthread_create(&thread, NULL, function, argument) == 0, "pthread_create");
    return thread;
}

#endif
