// Requests and replies through zmq_proxy: DEALER, then ROUTER and DEALER joined by the proxy, then
// DEALER, which sends everything back. A hundred requests are always under way.
// Measures: requests answered per second, wall clock and CPU of the three threads (client, proxy,
// worker). Does not measure: several processes; over tcp all four sockets share one context. Every
// request crosses the proxy twice.
#include "measure.h"

enum { window = 100 };

struct stage {
    void *context;
    void *front; // of the proxy
    void *back;
    char front_endpoint[256];
    char back_endpoint[256];
    long count;
};

static void *answer_all(void *argument) {
    const struct stage *self = argument;
    void *socket = connected_socket(self->context, ZMQ_DEALER, self->back_endpoint);
    echo_messages(socket, self->count);
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
    require_arguments(argc, 2, 3, "proxy_requests <message-size> <request-count> [inproc|tcp]");
    int is_tcp = has_word(argc, argv, "tcp");
    size_t size = message_size(argv[1]);
    struct stage stage = {.context = new_context(), .count = positive_number(argv[2])};
    const char *wildcard = "tcp://127.0.0.1:*";
    stage.front = bound_socket(stage.context, ZMQ_ROUTER, is_tcp ? wildcard : "inproc://front");
    stage.back = bound_socket(stage.context, ZMQ_DEALER, is_tcp ? wildcard : "inproc://back");
    read_endpoint(stage.front, stage.front_endpoint, sizeof stage.front_endpoint);
    read_endpoint(stage.back, stage.back_endpoint, sizeof stage.back_endpoint);
    pthread_t worker = new_thread(answer_all, &stage);
    pthread_t proxy = new_thread(forward_all, &stage);

    void *client = connected_socket(stage.context, ZMQ_DEALER, stage.front_endpoint);
    long sent = stage.count < window ? stage.count : window;
    send_messages(client, size, sent);
    receive_messages(client, size, 1);
    struct moment begin = this_moment();
    for (long answered = 1; answered < stage.count; ++answered) {
        if (sent < stage.count) {
            send_messages(client, size, 1);
            ++sent;
        }
        receive_messages(client, size, 1);
    }
    print_throughput(size, stage.count, stage.count - 1, begin, this_moment());
    pthread_join(worker, NULL);
    check(zmq_ctx_shutdown(stage.context) == 0, "zmq_ctx_shutdown"); // ends the proxy
    pthread_join(proxy, NULL);
    close_and_end(client, stage.context);
    return 0;
}
