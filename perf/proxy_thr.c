// Throughput through zmq_proxy: PUSH, then PULL and PUSH joined by the proxy, then PULL.
// Measures: wall clock and CPU of the three threads from the first message behind the proxy to the
// last. Does not measure: several processes; over tcp and ipc all four sockets share one context.
#include "measure.h"

struct stage {
    void *context;
    void *front; // of the proxy
    void *back;
    char front_endpoint[256];
    char back_endpoint[256];
    size_t size;
    long count;
};

static void *send_all(void *argument) {
    const struct stage *self = argument;
    void *socket = connected_socket(self->context, ZMQ_PUSH, self->front_endpoint);
    send_messages(socket, self->size, self->count);
    close_socket(socket);
    return NULL;
}

static void *forward_all(void *argument) {
    const struct stage *self = argument;
    zmq_proxy(self->front, self->back, NULL);
    check(zmq_errno() == ETERM, "zmq_proxy");
    close_socket(self->front);
    close_socket(self->back);
    return NULL;
}

int main(int argc, char **argv) {
    require_arguments(argc, 2, 3, "proxy_thr <message-size> <message-count> [inproc|tcp]");
    int is_tcp = argc == 4 && strcmp(argv[3], "tcp") == 0;
    struct stage stage = {
        .context = new_context(), .size = message_size(argv[1]), .count = positive_number(argv[2])};
    const char *wildcard = "tcp://127.0.0.1:*";
    stage.front = bound_socket(stage.context, ZMQ_PULL, is_tcp ? wildcard : "inproc://front");
    stage.back = bound_socket(stage.context, ZMQ_PUSH, is_tcp ? wildcard : "inproc://back");
    read_endpoint(stage.front, stage.front_endpoint, sizeof stage.front_endpoint);
    read_endpoint(stage.back, stage.back_endpoint, sizeof stage.back_endpoint);

    void *receiver = connected_socket(stage.context, ZMQ_PULL, stage.back_endpoint);
    pthread_t proxy = new_thread(forward_all, &stage);
    pthread_t sender = new_thread(send_all, &stage);
    measure_arrivals(receiver, stage.size, stage.count);
    pthread_join(sender, NULL);
    check(zmq_ctx_shutdown(stage.context) == 0, "zmq_ctx_shutdown"); // ends the proxy
    pthread_join(proxy, NULL);
    close_and_end(receiver, stage.context);
    return 0;
}
