// Memory of idle connections: many DEALER sockets in one process, each connected to one ROUTER in
// another. Every connection has carried one small message.
// Measures: what each process has written to and shares with nobody, before and after, divided by
// the connections; a first connection is there before. Also the CPU of both in an idle second.
// The client's figure is a socket with its connection. Does not measure: what the kernel keeps.
#include "measure.h"

struct task {
    const char *endpoint;
    long connections;
};

static void send_one_each(void **sockets, long count) {
    for (long i = 0; i < count; ++i) send_messages(sockets[i], 1, 1);
}

static double idle_cpu_us(void) {
    struct moment begin = this_moment();
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    return this_moment().cpu_us - begin.cpu_us;
}

static void run_clients(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line); // the server is bound
    void *context = new_context_for(self->connections + 1);
    void *first = connected_socket(context, ZMQ_DEALER, self->endpoint);
    send_messages(first, 1, 1);
    void **sockets = new_memory((size_t)self->connections, sizeof *sockets);
    memset(sockets, 1, (size_t)self->connections * sizeof *sockets);
    hear(line); // the message has arrived
    double before = settled_private_bytes();
    tell(line, 0);
    for (long i = 0; i < self->connections; ++i)
        sockets[i] = connected_socket(context, ZMQ_DEALER, self->endpoint);
    send_one_each(sockets, self->connections);
    hear(line); // all have arrived
    tell(line, settled_private_bytes() - before);
    tell(line, idle_cpu_us());
    hear(line);
    for (long i = 0; i < self->connections; ++i) close_socket(sockets[i]);
    free(sockets);
    close_and_end(first, context);
}

static void receive_from_each(void *router, long count) {
    for (long i = 0; i < 2 * count; ++i) { // routing id and body
        char part[8];
        check(zmq_recv(router, part, sizeof part, 0) >= 0, "zmq_recv");
    }
}

int main(int argc, char **argv) {
    require_arguments(argc, 2, 2, "idle_memory <endpoint> <connections>");
    struct task task = {argv[1], positive_number(argv[2])};
    struct companion clients;
    start_companion(&clients, 0, run_clients, &task);
    void *context = new_context_for(1);
    void *router = new_socket(context, ZMQ_ROUTER);
    set_option(router, ZMQ_BACKLOG, (int)task.connections);
    check(zmq_bind(router, task.endpoint) == 0, task.endpoint);
    tell(clients.line, 0);
    receive_from_each(router, 1);
    double before = settled_private_bytes();
    tell(clients.line, 0);
    hear(clients.line);
    receive_from_each(router, task.connections);
    double grown = settled_private_bytes() - before;
    tell(clients.line, 0);
    double clients_grown = hear(clients.line);
    double idle_us = idle_cpu_us();
    double clients_idle_us = hear(clients.line);
    tell(clients.line, 0);
    await_companion(&clients);
    printf("connections=%ld server_bytes=%.0f client_bytes=%.0f server_idle_us_per_second=%.0f "
           "client_idle_us_per_second=%.0f\n",
           task.connections, per(grown, task.connections), per(clients_grown, task.connections),
           idle_us, clients_idle_us);
    close_and_end(router, context);
    return 0;
}
