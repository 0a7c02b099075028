// Throughput between two threads: PUSH to PULL over inproc.
// Measures: wall clock and CPU of both threads from the first message to the last.
// Does not measure: any network; there is no I/O thread in the path.
#include "measure.h"

struct sender {
    void *context;
    size_t size;
    long count;
};

static void *send_all(void *argument) {
    const struct sender *self = argument;
    void *socket = connected_socket(self->context, ZMQ_PUSH, "inproc://throughput");
    send_messages(socket, self->size, self->count);
    close_socket(socket);
    return NULL;
}

int main(int argc, char **argv) {
    require_arguments(argc, 2, 2, "inproc_thr <message-size> <message-count>");
    struct sender sender = {new_context(), message_size(argv[1]), positive_number(argv[2])};
    void *receiver = bound_socket(sender.context, ZMQ_PULL, "inproc://throughput");
    pthread_t thread = new_thread(send_all, &sender);
    measure_arrivals(receiver, sender.size, sender.count);
    pthread_join(thread, NULL);
    close_and_end(receiver, sender.context);
    return 0;
}
