// Many receivers in one thread: PULL sockets with a connection each, all from one PUSH in another
// process, which deals round. The thread calls zmq_poll over all of them, then takes what each
// ready one has. Measures: wall clock and the receiving process's CPU from the moment when each
// socket has got one message and the sender is let go, until the last message has arrived. Does not
// measure: making the connections.
#include "measure.h"

struct task {
    long sockets;
    size_t size;
    long count;
};

static void send_all(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line); // everything is bound
    void *context = new_context();
    void *sender = new_socket(context, ZMQ_PUSH);
    for (long i = 0; i < self->sockets; ++i) {
        char endpoint[256];
        hear_endpoint(line, endpoint);
        check(zmq_connect(sender, endpoint) == 0, endpoint);
    }
    send_messages(sender, self->size, self->sockets);
    hear(line); // they have arrived
    send_messages(sender, self->size, self->count);
    hear(line); // everything has arrived
    close_and_end(sender, context);
}

// Takes all that is there; returns how much.
static long drain(void *socket, size_t size) {
    zmq_msg_t message;
    check(zmq_msg_init(&message) == 0, "zmq_msg_init");
    long received = 0;
    for (; zmq_msg_recv(&message, socket, ZMQ_DONTWAIT) >= 0; ++received)
        check(zmq_msg_size(&message) == size, "a message of the wrong size");
    check(zmq_errno() == EAGAIN, "zmq_msg_recv");
    check(zmq_msg_close(&message) == 0, "zmq_msg_close");
    return received;
}

int main(int argc, char **argv) {
    require_arguments(argc, 4, 4,
                      "many_receivers tcp|ipc <sockets> <message-size> <message-count>");
    struct task task = {positive_number(argv[2]), message_size(argv[3]), positive_number(argv[4])};
    struct companion sender;
    start_companion(&sender, 0, send_all, &task);
    void *context = new_context_for(task.sockets);
    zmq_pollitem_t *items = new_memory((size_t)task.sockets, sizeof *items);
    tell(sender.line, 0);
    for (long i = 0; i < task.sockets; ++i) {
        items[i].socket = bound_socket(
            context, ZMQ_PULL, has_word(argc, argv, "ipc") ? "ipc://*" : "tcp://127.0.0.1:*");
        items[i].events = ZMQ_POLLIN;
        tell_endpoint(sender.line, items[i].socket);
    }
    for (long i = 0; i < task.sockets; ++i) receive_messages(items[i].socket, task.size, 1);

    struct moment begin = this_moment();
    tell(sender.line, 0);
    for (long received = 0; received < task.count;) {
        check(zmq_poll(items, (int)task.sockets, -1) > 0, "zmq_poll");
        for (long i = 0; i < task.sockets; ++i)
            if (items[i].revents & ZMQ_POLLIN) received += drain(items[i].socket, task.size);
    }
    print_throughput(task.size, task.count, task.count, begin, this_moment());
    tell(sender.line, 0);
    await_companion(&sender);
    for (long i = 0; i < task.sockets; ++i) close_socket(items[i].socket);
    free(items);
    end_context(context);
    return 0;
}
