// Many small senders: PUSH sockets, each with a connection of its own to one PULL in another
// process. The sockets are shared out evenly to some threads of one context; a thread sends one
// message on each of its sockets in turn.
// Measures: wall clock and the receiving process's CPU from the moment when each socket has carried
// one message and all threads are let go, until the last message has arrived.
// Does not measure: making the connections.
#include "measure.h"

struct task {
    const char *endpoint;
    long sockets; // of all threads
    long threads;
    size_t size;
    long count;
    void *context;
    pthread_barrier_t barrier;
};

static long share(long whole, long part, long parts) {
    return whole * (part + 1) / parts - whole * part / parts;
}

struct sender {
    struct task *task;
    long number; // of this thread
    void **sockets;
    long sockets_count;
};

static void *send_some(void *argument) {
    struct sender *self = argument;
    struct task *task = self->task;
    long count = share(task->count, self->number, task->threads);
    for (long i = 0; i < self->sockets_count; ++i) {
        self->sockets[i] = connected_socket(task->context, ZMQ_PUSH, task->endpoint);
        send_messages(self->sockets[i], task->size, 1);
    }
    pthread_barrier_wait(&task->barrier);
    for (long sent = 0; sent < count; ++sent)
        send_messages(self->sockets[sent % self->sockets_count], task->size, 1);
    return NULL;
}

static void send_all(void *argument, struct line line) {
    struct task *self = argument;
    hear(line); // the receiver is bound
    self->context = new_context_for(self->sockets);
    pthread_barrier_init(&self->barrier, NULL, (unsigned)self->threads + 1);
    struct sender *senders = new_memory((size_t)self->threads, sizeof *senders);
    pthread_t *threads = new_memory((size_t)self->threads, sizeof *threads);
    for (long i = 0; i < self->threads; ++i) {
        long count = share(self->sockets, i, self->threads);
        senders[i] =
            (struct sender){self, i, new_memory((size_t)count, sizeof *senders->sockets), count};
        threads[i] = new_thread(send_some, &senders[i]);
    }
    hear(line); // every first message has arrived
    pthread_barrier_wait(&self->barrier);
    for (long i = 0; i < self->threads; ++i) pthread_join(threads[i], NULL);
    hear(line); // everything has arrived
    for (long i = 0; i < self->threads; ++i) {
        for (long j = 0; j < senders[i].sockets_count; ++j) close_socket(senders[i].sockets[j]);
        free(senders[i].sockets);
    }
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
    receive_messages(receiver, task.size, task.sockets);
    struct moment begin = this_moment();
    tell(senders.line, 0);
    receive_messages(receiver, task.size, task.count);
    print_throughput(task.size, task.count, task.count, begin, this_moment());
    tell(senders.line, 0);
    await_companion(&senders);
    close_and_end(receiver, context);
    return 0;
}
