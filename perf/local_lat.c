// Latency, answering side: a REP socket that sends every request of remote_lat back.
// Measures: only the time and CPU of this process over all round trips, for the record.
// Does not measure: latency; its clock includes waiting for the client to come.
#include "measure.h"

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "local_lat <bind-to> <message-size> <roundtrip-count>");
    size_t size = message_size(argv[2]);
    long count = positive_number(argv[3]);
    void *context = new_context();
    void *replier = bound_socket(context, ZMQ_REP, argv[1]);
    struct moment begin = this_moment();
    echo_messages(replier, count);
    struct moment end = this_moment();
    printf("size=%zu count=%ld seconds=%.6f cpu_us_per_round_trip=%.4f\n", size, count,
           (end.wall_us - begin.wall_us) * 1e-6, (end.cpu_us - begin.cpu_us) / (double)count);
    close_and_end(replier, context);
    return 0;
}
