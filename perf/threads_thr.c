// Application threads side by side: each has a PUSH socket of its own in one process and feeds a
// PULL socket of its own, with its own thread, in another. All sockets of a process share one
// context with the given number of I/O threads.
// Measures: messages per second over all threads, from the moment when each has carried one message
// and all are let go until the last has arrived, and the CPU of the receiving process.
// Does not measure: how evenly the threads get on.
#include "measure.h"

struct task {
    long threads;
    int io_threads;
    size_t size;
    long count; // of one thread
    int is_ipc;
    char (*endpoints)[256];
    void *context;
    pthread_barrier_t barrier;
};

struct stream {
    struct task *task;
    long number;
    void *socket;
};

static void *context_of(const struct task *task) {
    void *context = new_context();
    check(zmq_ctx_set(context, ZMQ_IO_THREADS, task->io_threads) == 0, "ZMQ_IO_THREADS");
    return context;
}

// Starts one thread per stream.
static void run_streams(struct task *task, struct stream *streams, pthread_t *threads,
                        void *(*function)(void *)) {
    for (long i = 0; i < task->threads; ++i) {
        streams[i].task = task;
        streams[i].number = i;
        threads[i] = new_thread(function, &streams[i]);
    }
}

static void *send_stream(void *argument) {
    struct stream *self = argument;
    const char *endpoint = self->task->endpoints[self->number];
    self->socket = connected_socket(self->task->context, ZMQ_PUSH, endpoint);
    send_messages(self->socket, self->task->size, 1);
    pthread_barrier_wait(&self->task->barrier);
    send_messages(self->socket, self->task->size, self->task->count);
    return NULL;
}

static void *receive_stream(void *argument) {
    const struct stream *self = argument;
    receive_messages(self->socket, self->task->size, 1);
    pthread_barrier_wait(&self->task->barrier);
    receive_messages(self->socket, self->task->size, self->task->count);
    close_socket(self->socket);
    return NULL;
}

static void send_all(void *argument, struct line line) {
    struct task *task = argument;
    for (long i = 0; i < task->threads; ++i) hear_endpoint(line, task->endpoints[i]);
    struct stream *streams = new_memory((size_t)task->threads, sizeof *streams);
    pthread_t *threads = new_memory((size_t)task->threads, sizeof *threads);
    task->context = context_of(task);
    pthread_barrier_init(&task->barrier, NULL, (unsigned)task->threads + 1);
    run_streams(task, streams, threads, send_stream);
    hear(line); // every first message has arrived
    pthread_barrier_wait(&task->barrier);
    for (long i = 0; i < task->threads; ++i) pthread_join(threads[i], NULL);
    hear(line); // everything has arrived: over ipc, libzmq loses messages if this is not awaited
    for (long i = 0; i < task->threads; ++i) close_socket(streams[i].socket);
    end_context(task->context);
}

int main(int argc, char **argv) {
    require_arguments(argc, 5, 5,
                      "threads_thr tcp|ipc <threads> <io-threads> <message-size> <message-count>");
    struct task task = {.threads = positive_number(argv[2]),
                        .io_threads = (int)positive_number(argv[3]),
                        .size = message_size(argv[4])};
    task.count = positive_number(argv[5]) / task.threads;
    task.endpoints = new_memory((size_t)task.threads, sizeof *task.endpoints);
    const char *wildcard = has_word(argc, argv, "ipc") ? "ipc://*" : "tcp://127.0.0.1:*";
    struct companion senders;
    start_companion(&senders, 0, send_all, &task);
    struct stream *streams = new_memory((size_t)task.threads, sizeof *streams);
    pthread_t *threads = new_memory((size_t)task.threads, sizeof *threads);
    task.context = context_of(&task);
    pthread_barrier_init(&task.barrier, NULL, (unsigned)task.threads + 1);
    for (long i = 0; i < task.threads; ++i) {
        streams[i].socket = bound_socket(task.context, ZMQ_PULL, wildcard);
        tell_endpoint(senders.line, streams[i].socket);
    }
    run_streams(&task, streams, threads, receive_stream);
    pthread_barrier_wait(&task.barrier);
    struct moment begin = this_moment();
    tell(senders.line, 0);
    for (long i = 0; i < task.threads; ++i) pthread_join(threads[i], NULL);
    struct moment end = this_moment();
    tell(senders.line, 0);
    await_companion(&senders);
    long count = task.count * task.threads;
    print_throughput(task.size, count, count, begin, end);
    end_context(task.context);
    return 0;
}
