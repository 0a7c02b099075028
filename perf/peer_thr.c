// Throughput of something else than zmq.h (see peer.h): bare_thr, nng_thr, nanomsg_thr. One side
// pushes, the other pulls; two processes, over inproc two threads.
// Measures: as local_thr and inproc_thr, wall clock and the receiving process's CPU from the first
// message to the last. Does not measure: making the connection, the sender's CPU.
#include "peer.h"

struct task {
    const char *endpoint;
    size_t size;
    long count;
};

static void send_all(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line); // the other side listens
    struct peer *peer = new_peer(role_push, self->endpoint);
    for (long sent = 0; sent < self->count; ++sent) send_new(peer, self->size);
    flush(peer);
    hear(line); // everything has arrived: some of these libraries lose what is under way
    end_peer(peer);
}

static void receive_messages(struct peer *peer, size_t size, long count) {
    for (long received = 0; received < count; ++received)
        if (receive(peer) != size) fail("receive", "a message of the wrong size");
}

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "PEER_thr <endpoint> <message-size> <message-count>");
    struct task task = {argv[1], message_size(argv[2]), positive_number(argv[3])};
    struct companion sender;
    start_companion(&sender, starts_with(task.endpoint, "inproc:"), send_all, &task);
    struct peer *peer = new_peer(role_pull, task.endpoint);
    tell(sender.line, 0);
    receive_messages(peer, task.size, 1);
    struct moment begin = this_moment();
    receive_messages(peer, task.size, task.count - 1);
    struct moment end = this_moment();
    tell(sender.line, 0);
    await_companion(&sender);
    end_peer(peer);
    print_throughput(task.size, task.count, task.count - 1, begin, end);
    return 0;
}
