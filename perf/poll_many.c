// zmq_poll over many sockets of which one has messages: many SUB sockets, all but the last
// connected to a publisher that says nothing.
// Measures: wall clock and CPU per zmq_poll. Nobody sends while the clock runs: the messages of the
// active socket wait in its queue. Does not measure: sleeping in zmq_poll, waking from it.
#include "measure.h"

static void *new_publisher(void *context, const char *bind_to, long subscribers, char *endpoint,
                           size_t size) {
    void *publisher = new_socket(context, ZMQ_XPUB);
    set_option(publisher, ZMQ_SNDHWM, 0);
    set_option(publisher, ZMQ_XPUB_VERBOSE, 1);
    set_option(publisher, ZMQ_BACKLOG, (int)subscribers);
    check(zmq_bind(publisher, bind_to) == 0, bind_to);
    read_endpoint(publisher, endpoint, size);
    return publisher;
}

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "poll_many <sockets> <call-count> inproc|tcp");
    long sockets = positive_number(argv[1]), count = positive_number(argv[2]);
    const char *wildcard = has_word(argc, argv, "tcp") ? "tcp://127.0.0.1:*" : NULL;
    void *context = new_context_for(sockets + 2);
    char idle_endpoint[256], active_endpoint[256];
    void *idle = new_publisher(context, wildcard ? wildcard : "inproc://idle", sockets,
                               idle_endpoint, sizeof idle_endpoint);
    void *active = new_publisher(context, wildcard ? wildcard : "inproc://active", 1,
                                 active_endpoint, sizeof active_endpoint);

    zmq_pollitem_t *items = new_memory((size_t)sockets, sizeof *items);
    for (long i = 0; i < sockets; ++i) {
        void *socket = new_socket(context, ZMQ_SUB);
        set_option(socket, ZMQ_RCVHWM, 0);
        check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0) == 0, "ZMQ_SUBSCRIBE");
        const char *endpoint = i == sockets - 1 ? active_endpoint : idle_endpoint;
        check(zmq_connect(socket, endpoint) == 0, endpoint);
        items[i] = (zmq_pollitem_t){.socket = socket, .events = ZMQ_POLLIN};
    }
    receive_messages(idle, 1, sockets - 1); // the subscriptions: all are connected
    receive_messages(active, 1, 1);
    send_messages(active, 1, count);
    double *calls_us = new_memory((size_t)count, sizeof *calls_us);
    zmq_pollitem_t *last = &items[sockets - 1];
    check(zmq_poll(last, 1, -1) == 1, "zmq_poll");

    struct moment begin = this_moment();
    for (long call = 0; call < count; ++call) {
        double before = wall_us();
        check(zmq_poll(items, (int)sockets, -1) == 1 && last->revents == ZMQ_POLLIN, "zmq_poll");
        calls_us[call] = wall_us() - before;
        receive_messages(last->socket, 1, 1);
    }
    struct moment end = this_moment();
    qsort(calls_us, (size_t)count, sizeof *calls_us, compare_doubles);
    printf("sockets=%ld count=%ld poll_median_us=%.3f poll_p99_us=%.3f cpu_us=%.3f\n", sockets,
           count, calls_us[count / 2], calls_us[count * 99 / 100],
           per(end.cpu_us - begin.cpu_us, count));
    for (long i = 0; i < sockets; ++i) close_socket(items[i].socket);
    free(items);
    free(calls_us);
    close_socket(idle);
    close_and_end(active, context);
    return 0;
}
