// Throughput, receiving side: how many messages per second one PULL socket takes from remote_thr.
// Measures: wall clock and this process's CPU from the first message to the last.
// Does not measure: making the connection, the sender's CPU, and how long a single message takes.
#include "measure.h"

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "local_thr <bind-to> <message-size> <message-count>");
    size_t size = message_size(argv[2]);
    long count = positive_number(argv[3]);
    void *context = new_context();
    void *receiver = bound_socket(context, ZMQ_PULL, argv[1]);
    measure_arrivals(receiver, size, count);
    close_and_end(receiver, context);
    return 0;
}
