// A receiver that is busy elsewhere: its thread is in no call of the library while another process
// pushes. Everything has to move in the background, into a queue without a high water mark.
// Measures: wall clock from the first send until the sender's context has ended, which is when all
// messages have left for the receiver's kernel (which holds a few megabytes, so send many more);
// CPU of both processes from then until all messages are received. Checks that none is missing.
// Does not measure: the latency of one message.
#include "measure.h"

struct task {
    const char *endpoint;
    size_t size;
    long count;
};

static void send_all(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line); // the receiver is bound
    void *context = new_context();
    void *sender = connected_socket(context, ZMQ_PUSH, self->endpoint);
    send_messages(sender, self->size, 1);
    hear(line); // it has arrived, and the receiver is busy now
    struct moment begin = this_moment();
    send_messages(sender, self->size, self->count);
    close_and_end(sender, context);
    struct moment end = this_moment();
    tell(line, end.wall_us - begin.wall_us);
    tell(line, end.cpu_us - begin.cpu_us);
}

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "busy_receiver <endpoint> <message-size> <message-count>");
    struct task task = {argv[1], message_size(argv[2]), positive_number(argv[3])};
    struct companion sender;
    start_companion(&sender, 0, send_all, &task);
    void *context = new_context();
    void *receiver = new_socket(context, ZMQ_PULL);
    set_option(receiver, ZMQ_RCVHWM, 0);
    check(zmq_bind(receiver, task.endpoint) == 0, task.endpoint);
    tell(sender.line, 0);
    receive_messages(receiver, task.size, 1);

    struct moment begin = this_moment();
    tell(sender.line, 0);
    double sending_us = hear(sender.line); // this is the being busy
    double cpu_us = hear(sender.line);
    struct moment end_sending = this_moment();
    receive_messages(receiver, task.size, task.count);
    struct moment end = this_moment();
    await_companion(&sender);
    printf("size=%zu count=%ld messages_per_second=%.0f drain_per_second=%.0f cpu_us=%.4f\n",
           task.size, task.count, (double)task.count / sending_us * 1e6,
           rate(task.count, end_sending, end), per(cpu_us + end.cpu_us - begin.cpu_us, task.count));
    close_and_end(receiver, context);
    return 0;
}
