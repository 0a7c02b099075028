// Throughput, receiving side: how many messages per second one PULL socket takes from remote_thr.
// Measures: wall clock and this process's CPU from the first message to the last.
// Does not measure: making the connection, the sender's CPU, and how long a single message takes.
// With "curve" the connection is encrypted; remote_thr needs the word too.
#include "curve.h"

int main(int argc, char **argv) {
    require_arguments(argc, 3, 4, "local_thr <bind-to> <message-size> <message-count> [curve]");
    size_t size = message_size(argv[2]);
    long count = positive_number(argv[3]);
    void *context = new_context();
    void *receiver = new_socket(context, ZMQ_PULL);
    if (has_word(argc, argv, "curve")) make_curve_server(receiver);
    check(zmq_bind(receiver, argv[1]) == 0, argv[1]);
    measure_arrivals(receiver, size, count);
    close_and_end(receiver, context);
    return 0;
}
