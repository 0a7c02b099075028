// Latency as an event loop sees it: DEALER to ROUTER and back, one request at a time, both sides
// calling zmq_poll before each receive. Two processes.
// Measures: each round trip, with the asking process's CPU; the first tenth is warm-up.
// Does not measure: latency under load, polling many sockets (poll_many does).
#include "measure.h"

struct task {
    const char *endpoint;
    size_t size;
    long count;
};

static void ask_all(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line); // the other side is bound
    void *context = new_context();
    void *dealer = connected_socket(context, ZMQ_DEALER, self->endpoint);
    measure_round_trips(dealer, self->size, self->count, 1);
    close_and_end(dealer, context);
}

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "router_lat <endpoint> <message-size> <roundtrip-count>");
    struct task task = {argv[1], message_size(argv[2]), positive_number(argv[3])};
    struct companion asker;
    start_companion(&asker, 0, ask_all, &task);
    void *context = new_context();
    void *router = bound_socket(context, ZMQ_ROUTER, task.endpoint);
    tell(asker.line, 0);
    for (long answered = 0; answered < task.count; ++answered) {
        await_message(router);
        echo_messages(router, 1);
    }
    await_companion(&asker);
    close_and_end(router, context);
    return 0;
}
