// Latency, asking side: how long a REQ socket waits for local_lat's reply, one request at a time.
// Measures: each round trip from send to receive, with this process's CPU; the first tenth is
// warm-up. Does not measure: latency under load, nor the one-way time (it prints half a round
// trip).
#include "measure.h"

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "remote_lat <connect-to> <message-size> <roundtrip-count>");
    size_t size = message_size(argv[2]);
    long count = positive_number(argv[3]);
    void *context = new_context();
    void *requester = connected_socket(context, ZMQ_REQ, argv[1]);
    measure_round_trips(requester, size, count, 0);
    close_and_end(requester, context);
    return 0;
}
