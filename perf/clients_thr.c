// Many clients on one ROUTER: each REQ client sends a request and gets it back, again and again.
// The clients live in one other process and share two threads; a thread sends the requests of all
// of its clients before it takes the replies, so nearly all clients are waiting at any time.
// Measures: requests per second, and the CPU of both processes, when all connections are made and
// used once. Does not measure: making the connections, and polling on the clients' side.
#include "measure.h"

enum { threads = 2, size = 16 };

struct clients {
    void *context;
    const char *endpoint;
    long first, end; // of the numbers of all clients
    long rounds;
    pthread_barrier_t *barrier;
};

static void ask_once(void **sockets, long count) {
    for (long i = 0; i < count; ++i) send_messages(sockets[i], size, 1);
    for (long i = 0; i < count; ++i) receive_messages(sockets[i], size, 1);
}

static void *ask_all(void *argument) {
    const struct clients *self = argument;
    long count = self->end - self->first;
    void **sockets = new_memory((size_t)count, sizeof *sockets);
    for (long i = 0; i < count; ++i)
        sockets[i] = connected_socket(self->context, ZMQ_REQ, self->endpoint);
    ask_once(sockets, count);
    pthread_barrier_wait(self->barrier); // all are connected
    pthread_barrier_wait(self->barrier); // the clock runs
    for (long round = 0; round < self->rounds; ++round) ask_once(sockets, count);
    for (long i = 0; i < count; ++i) close_socket(sockets[i]);
    free(sockets);
    return NULL;
}

struct task {
    const char *endpoint;
    long clients;
    long rounds;
};

static void run_clients(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line); // the server is bound
    void *context = new_context_for(self->clients);
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, threads + 1);
    struct clients shares[threads];
    pthread_t ids[threads];
    for (int i = 0; i < threads; ++i) {
        shares[i] = (struct clients){context,
                                     self->endpoint,
                                     self->clients * i / threads,
                                     self->clients * (i + 1) / threads,
                                     self->rounds,
                                     &barrier};
        ids[i] = new_thread(ask_all, &shares[i]);
    }
    pthread_barrier_wait(&barrier);
    tell(line, 0);
    hear(line);
    struct moment begin = this_moment();
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < threads; ++i) pthread_join(ids[i], NULL);
    tell(line, this_moment().cpu_us - begin.cpu_us);
    end_context(context);
}

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "clients_thr <endpoint> <clients, from 2> <request-count>");
    struct task task = {argv[1], positive_number(argv[2]), positive_number(argv[3])};
    task.rounds = (task.rounds + task.clients - 1) / task.clients;
    struct companion companion;
    start_companion(&companion, 0, run_clients, &task);
    void *context = new_context_for(1);
    void *router = new_socket(context, ZMQ_ROUTER);
    set_option(router, ZMQ_BACKLOG, (int)task.clients);
    check(zmq_bind(router, task.endpoint) == 0, task.endpoint);
    tell(companion.line, 0);
    echo_messages(router, task.clients);
    hear(companion.line);

    long requests = task.clients * task.rounds;
    struct moment begin = this_moment();
    tell(companion.line, 0);
    echo_messages(router, requests);
    struct moment end = this_moment();
    double server_us = end.cpu_us - begin.cpu_us, clients_us = hear(companion.line);
    await_companion(&companion);
    printf("clients=%ld count=%ld messages_per_second=%.0f cpu_us=%.4f server_cpu_us=%.4f "
           "clients_cpu_us=%.4f\n",
           task.clients, requests, rate(requests, begin, end),
           per(server_us + clients_us, requests), per(server_us, requests),
           per(clients_us, requests));
    close_and_end(router, context);
    return 0;
}
