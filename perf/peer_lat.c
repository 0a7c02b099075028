// Latency of something else than zmq.h (see peer.h): bare_lat, nng_lat, nanomsg_lat. One side asks,
// the other sends the request back; two processes, over inproc two threads. With bare sockets both
// block in recv, which is the shortest way there is without spinning.
// Measures: as remote_lat, each round trip; the first tenth is warm-up. Does not measure: latency
// under load.
#include "peer.h"

struct task {
    const char *endpoint;
    size_t size;
    long count;
};

struct asker {
    struct peer *peer;
    size_t size;
};

static void make_trip(void *argument) {
    const struct asker *self = argument;
    send_new(self->peer, self->size);
    flush(self->peer);
    if (receive(self->peer) != self->size) fail("receive", "a message of the wrong size");
}

static void ask_all(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line); // the other side listens
    struct asker asker = {new_peer(role_ask, self->endpoint), self->size};
    measure_trips(make_trip, &asker, self->size, self->count);
    tell(line, 0);
    end_peer(asker.peer);
}

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "PEER_lat <endpoint> <message-size> <roundtrip-count>");
    struct task task = {argv[1], message_size(argv[2]), positive_number(argv[3])};
    struct companion asking;
    start_companion(&asking, starts_with(task.endpoint, "inproc:"), ask_all, &task);
    struct peer *peer = new_peer(role_answer, task.endpoint);
    tell(asking.line, 0);
    for (long answered = 0; answered < task.count; ++answered) {
        receive(peer);
        send_back(peer);
    }
    hear(asking.line); // the last answer has arrived
    await_companion(&asking);
    end_peer(peer);
    return 0;
}
