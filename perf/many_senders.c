// Many small senders: PUSH sockets, each with a connection of its own to one PULL in another
// process. The sockets are shared out evenly to some threads of one context; a thread sends one
// message on each of its sockets in turn.
// Measures: wall clock and the receiving process's CPU from the first message to the last.
// Does not measure: making the connections.
#include "measure.h"

struct task {
    const char *endpoint;
    long sockets; // of all threads
    long threads;
    size_t size;
    long count;
    void *context;
};

static long share(long whole, long part, long parts) {
    return whole * (part + 1) / parts - whole * part / parts;
}

struct sender {
    const struct task *task;
    long number; // of this thread
};

static void *send_some(void *argument) {
    const struct sender *self = argument;
    const struct task *task = self->task;
    long sockets = share(task->sockets, self->number, task->threads);
    long count = share(task->count, self->number, task->threads);
    void **all = new_memory((size_t)sockets, sizeof *all);
    for (long i = 0; i < sockets; ++i)
        all[i] = connected_socket(task->context, ZMQ_PUSH, task->endpoint);
    for (long sent = 0; sent < count; ++sent) send_messages(all[sent % sockets], task->size, 1);
    for (long i = 0; i < sockets; ++i) close_socket(all[i]);
    free(all);
    return NULL;
}

static void send_all(void *argument, struct line line) {
    struct task *self = argument;
    hear(line); // the receiver is bound
    self->context = new_context_for(self->sockets);
    struct sender *senders = new_memory((size_t)self->threads, sizeof *senders);
    pthread_t *threads = new_memory((size_t)self->threads, sizeof *threads);
    for (long i = 0; i < self->threads; ++i) {
        senders[i] = (struct sender){self, i};
        threads[i] = new_thread(send_some, &senders[i]);
    }
    for (long i = 0; i < self->threads; ++i) pthread_join(threads[i], NULL);
    hear(line); // everything has arrived
    end_context(self->context);
    free(senders);
    free(threads);
}

int main(int argc, char **argv) {
    require_arguments(argc, 5, 5,
                      "many_senders <endpoint> <sockets> <threads> <message-size> <message-count>");
    struct task task = {.endpoint = argv[1],
                        .sockets = positive_number(argv[2]),
                        .threads = positive_number(argv[3]),
                        .size = message_size(argv[4]),
                        .count = positive_number(argv[5])};
    if (task.threads > task.sockets) fail("threads", "more than sockets");
    struct companion senders;
    start_companion(&senders, 0, send_all, &task);
    void *context = new_context();
    void *receiver = bound_socket(context, ZMQ_PULL, task.endpoint);
    tell(senders.line, 0);
    measure_arrivals(receiver, task.size, task.count);
    tell(senders.line, 0);
    await_companion(&senders);
    close_and_end(receiver, context);
    return 0;
}
