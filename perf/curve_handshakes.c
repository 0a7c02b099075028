// Many clients that connect with CURVE, while another peer of the same socket is at work: what does
// a handshake cost the server, and how long does the other peer wait?
// A ROUTER is the server. A crowd in a second process makes its connections sixty-four at a time:
// each says one message as soon as its handshake is over, and goes. A third process, whose
// connection was there before, sends a request over CURVE every millisecond, and gets it back.
// Measures: CPU of the server's process per handshake, from the connection that it accepts to its
// end, with the messages of crowd and peer; handshakes per second of wall time; round trips of the
// other peer before the crowd comes (quiet) and meanwhile. Does not measure: the clients' CPU,
// which is as large and takes its cores from the server.
#include "curve.h"

enum { at_once = 64, quiet_trips_max = 500, trips_max = 1000000 };

// What a request and its reply say.
enum { a_trip, last_trip };

struct task {
    const char *endpoint;
    long clients;
};

static long quiet_trips(long clients) {
    return clients < quiet_trips_max ? clients : quiet_trips_max;
}

static void *new_client(void *context, const char *endpoint) {
    void *client = new_socket(context, ZMQ_DEALER);
    make_curve_client(client);
    set_option(client, ZMQ_IMMEDIATE, 1); // nothing is sent before the handshake is over
    check(zmq_connect(client, endpoint) == 0, endpoint);
    return client;
}

static void make_handshakes(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line);
    void *context = new_context_for(4 * at_once);
    void *clients[at_once];
    for (long made = 0; made < self->clients;) {
        long left = self->clients - made, count = left < at_once ? left : at_once;
        for (long i = 0; i < count; ++i) clients[i] = new_client(context, self->endpoint);
        for (long i = 0; i < count; ++i) send_messages(clients[i], 0, 1);
        for (long i = 0; i < count; ++i) close_socket(clients[i]);
        made += count;
    }
    end_context(context);
}

// Gives what the reply says.
static char ask(void *socket, char request, double *trip_us) {
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    char reply;
    double begin = wall_us();
    check(zmq_send(socket, &request, 1, 0) == 1, "zmq_send");
    check(zmq_recv(socket, &reply, 1, 0) == 1, "zmq_recv");
    *trip_us = wall_us() - begin;
    return reply;
}

static void tell_percentiles(struct line line, double *trips_us, long count) {
    qsort(trips_us, (size_t)count, sizeof *trips_us, compare_doubles);
    tell(line, trips_us[count / 2]);
    tell(line, trips_us[count * 99 / 100]);
    tell(line, trips_us[count - 1]);
}

static void ask_again_and_again(void *argument, struct line line) {
    const struct task *self = argument;
    double *trips_us = new_memory(trips_max, sizeof *trips_us);
    hear(line);
    void *context = new_context();
    void *socket = new_client(context, self->endpoint);
    long count = quiet_trips(self->clients);
    for (long trip = 0; trip < count; ++trip) // each twice: the first ones warm up
        ask(socket, a_trip, &trips_us[trip]);
    for (long trip = 0; trip < count; ++trip)
        ask(socket, trip + 1 < count ? a_trip : last_trip, &trips_us[trip]);
    tell_percentiles(line, trips_us, count);
    hear(line); // the crowd begins
    count = 0;
    while (count < trips_max && ask(socket, a_trip, &trips_us[count++]) == a_trip) {
    }
    tell_percentiles(line, trips_us, count);
    close_and_end(socket, context);
}

// Answers requests, until so many clients of the crowd have said their message; or, if there is no
// crowd, until a request says that it is the last one.
static void serve(void *router, long clients, char reply) {
    char id[256], request = a_trip;
    for (long come = 0; clients > 0 ? come < clients : request != last_trip;) {
        int id_size = zmq_recv(router, id, sizeof id, 0);
        check(id_size > 0, "zmq_recv");
        int size = zmq_recv(router, &request, 1, 0);
        check(size >= 0, "zmq_recv");
        if (size == 0) {
            ++come;
            continue;
        }
        check(zmq_send(router, id, (size_t)id_size, ZMQ_SNDMORE) == id_size, "zmq_send");
        check(zmq_send(router, &reply, 1, 0) == 1, "zmq_send");
        if (reply == last_trip) break;
    }
}

int main(int argc, char **argv) {
    require_arguments(argc, 2, 2, "curve_handshakes <endpoint> <clients>");
    struct task task = {argv[1], positive_number(argv[2])};
    struct companion crowd, peer;
    start_companion(&crowd, 0, make_handshakes, &task);
    start_companion(&peer, 0, ask_again_and_again, &task);
    void *context = new_context();
    void *router = new_socket(context, ZMQ_ROUTER);
    make_curve_server(router);
    check(zmq_bind(router, task.endpoint) == 0, task.endpoint);
    tell(peer.line, 0);
    serve(router, 0, a_trip);
    double quiet_us = hear(peer.line), quiet_p99_us = hear(peer.line),
           quiet_max_us = hear(peer.line);

    struct moment begin = this_moment();
    tell(peer.line, 0);
    tell(crowd.line, 0);
    serve(router, task.clients, a_trip);
    struct moment end = this_moment();
    serve(router, 0, last_trip);
    double trip_us = hear(peer.line), p99_us = hear(peer.line), max_us = hear(peer.line);
    await_companion(&crowd);
    await_companion(&peer);
    printf("count=%ld handshakes_per_second=%.0f cpu_us=%.3f handshakes_per_core_second=%.0f "
           "quiet_rtt_median_us=%.1f quiet_rtt_p99_us=%.1f quiet_rtt_max_us=%.1f "
           "rtt_median_us=%.1f rtt_p99_us=%.1f rtt_max_us=%.1f\n",
           task.clients, rate(task.clients, begin, end),
           per(end.cpu_us - begin.cpu_us, task.clients),
           (double)task.clients * 1e6 / (end.cpu_us - begin.cpu_us), quiet_us, quiet_p99_us,
           quiet_max_us, trip_us, p99_us, max_us);
    close_and_end(router, context);
    return 0;
}
