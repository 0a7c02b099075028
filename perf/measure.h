// What the benchmarks of zmq.h share: checked calls, and the loops that are measured.
#ifndef PERF_MEASURE_H
#define PERF_MEASURE_H

#include "perf.h"
#include <zmq.h>

static inline void check(int succeeded, const char *what) {
    if (!succeeded) fail(what, zmq_strerror(zmq_errno()));
}

static inline void *new_context(void) {
    void *context = zmq_ctx_new();
    check(context != NULL, "zmq_ctx_new");
    return context;
}

// A context that takes this many sockets, in a process that may have the descriptors for them.
static inline void *new_context_for(long sockets) {
    raise_descriptor_limit();
    void *context = new_context();
    check(zmq_ctx_set(context, ZMQ_MAX_SOCKETS, (int)sockets + 16) == 0, "ZMQ_MAX_SOCKETS");
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

// Tells a companion where a socket is bound, who hears it.
static inline void tell_endpoint(struct line line, void *socket) {
    char endpoint[256] = "";
    read_endpoint(socket, endpoint, sizeof endpoint);
    require(write(line.out, endpoint, sizeof endpoint) == (ssize_t)sizeof endpoint, "tell");
}

static inline void hear_endpoint(struct line line, char endpoint[256]) {
    require(read(line.in, endpoint, 256) == 256, "hear");
}

static inline void close_socket(void *socket) { check(zmq_close(socket) == 0, "zmq_close"); }

static inline void end_context(void *context) { check(zmq_ctx_term(context) == 0, "zmq_ctx_term"); }

// Closes with the default linger and waits until everything sent has left.
static inline void close_and_end(void *socket, void *context) {
    close_socket(socket);
    end_context(context);
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

// Receives all messages; the clock runs from the arrival of the first to that of the last.
static inline void measure_arrivals(void *socket, size_t size, long count) {
    receive_messages(socket, size, 1);
    struct moment begin = this_moment();
    receive_messages(socket, size, count - 1);
    print_throughput(size, count, count - 1, begin, this_moment());
}

// Requests

// Sends back whatever comes, all parts of it (to ROUTER, the routing id is one).
static inline void echo_messages(void *socket, long count) {
    zmq_msg_t part;
    check(zmq_msg_init(&part) == 0, "zmq_msg_init");
    for (long echoed = 0; echoed < count;) {
        check(zmq_msg_recv(&part, socket, 0) >= 0, "zmq_msg_recv");
        int has_more = zmq_msg_more(&part);
        check(zmq_msg_send(&part, socket, has_more ? ZMQ_SNDMORE : 0) >= 0, "zmq_msg_send");
        if (!has_more) ++echoed;
    }
    check(zmq_msg_close(&part) == 0, "zmq_msg_close");
}

// Sends one message to and fro without touching its content or measuring.
static inline void make_round_trips(void *socket, zmq_msg_t *message, size_t size, long count) {
    for (long made = 0; made < count; ++made) {
        check(zmq_msg_send(message, socket, 0) >= 0, "zmq_msg_send");
        check(zmq_msg_recv(message, socket, 0) >= 0, "zmq_msg_recv");
        check(zmq_msg_size(message) == size, "a message of the wrong size");
    }
}

static inline void await_message(void *socket) {
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    check(zmq_poll(&item, 1, -1) == 1, "zmq_poll");
}

struct requester {
    void *socket;
    size_t size;
    int is_polling; // zmq_poll before each receive
    zmq_msg_t message;
};

static inline void make_trip(void *argument) {
    struct requester *self = argument;
    if (!self->is_polling) {
        make_round_trips(self->socket, &self->message, self->size, 1);
        return;
    }
    check(zmq_msg_send(&self->message, self->socket, 0) >= 0, "zmq_msg_send");
    await_message(self->socket);
    check(zmq_msg_recv(&self->message, self->socket, 0) >= 0, "zmq_msg_recv");
    check(zmq_msg_size(&self->message) == self->size, "a message of the wrong size");
}

static inline void measure_round_trips(void *socket, size_t size, long count, int is_polling) {
    struct requester requester = {.socket = socket, .size = size, .is_polling = is_polling};
    check(zmq_msg_init_size(&requester.message, size) == 0, "zmq_msg_init_size");
    memset(zmq_msg_data(&requester.message), 0, size);
    measure_trips(make_trip, &requester, size, count);
    check(zmq_msg_close(&requester.message) == 0, "zmq_msg_close");
}

#endif
