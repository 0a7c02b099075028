// Latency between two threads: REQ to REP and back over inproc, one request at a time.
// Measures: each round trip, and the CPU of both threads; the first tenth is warm-up.
// Does not measure: any network; mostly it shows what waking the other thread costs.
#include "measure.h"

struct replier {
    void *context;
    size_t size;
    long count;
};

static void *reply_all(void *argument) {
    const struct replier *self = argument;
    void *socket = connected_socket(self->context, ZMQ_REP, "inproc://latency");
    echo_messages(socket, self->count);
    close_socket(socket);
    return NULL;
}

int main(int argc, char **argv) {
    require_arguments(argc, 2, 2, "inproc_lat <message-size> <roundtrip-count>");
    struct replier replier = {new_context(), message_size(argv[1]), positive_number(argv[2])};
    void *requester = bound_socket(replier.context, ZMQ_REQ, "inproc://latency");
    pthread_t thread = new_thread(reply_all, &replier);
    measure_round_trips(requester, replier.size, replier.count, 0);
    pthread_join(thread, NULL);
    close_and_end(requester, replier.context);
    return 0;
}
