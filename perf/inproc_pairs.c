// What a pair of inproc sockets costs: two PAIR sockets, bind, connect, one message across. All
// pairs are kept until the last is made.
// Measures: wall clock and CPU per pair until its message has arrived, the memory this process has
// written to per pair, then the time to close them and end the context. A first pair is there
// before. Does not measure: threads, several contexts.
#include "measure.h"

static void make_pair(void *context, long number, void **sockets) {
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://pair-%ld", number);
    sockets[0] = bound_socket(context, ZMQ_PAIR, endpoint);
    sockets[1] = connected_socket(context, ZMQ_PAIR, endpoint);
    send_messages(sockets[1], 1, 1);
    receive_messages(sockets[0], 1, 1);
}

int main(int argc, char **argv) {
    require_arguments(argc, 1, 1, "inproc_pairs <pairs>");
    long pairs = positive_number(argv[1]);
    size_t places = 2 * (size_t)pairs + 2;
    void *context = new_context_for((long)places);
    void **sockets = new_memory(places, sizeof *sockets);
    memset(sockets, 1, places * sizeof *sockets);
    make_pair(context, 0, sockets);

    double bytes = settled_private_bytes();
    struct moment begin = this_moment();
    for (long pair = 1; pair <= pairs; ++pair) make_pair(context, pair, sockets + 2 * pair);
    struct moment end = this_moment();
    bytes = settled_private_bytes() - bytes;

    struct moment begin_close = this_moment();
    for (size_t i = 0; i < places; ++i) close_socket(sockets[i]);
    end_context(context);
    struct moment end_close = this_moment();
    free(sockets);
    printf("pairs=%ld pair_us=%.3f pair_bytes=%.0f close_us=%.3f cpu_us=%.3f close_cpu_us=%.3f\n",
           pairs, per(end.wall_us - begin.wall_us, pairs), per(bytes, pairs),
           per(end_close.wall_us - begin_close.wall_us, pairs + 1),
           per(end.cpu_us - begin.cpu_us, pairs),
           per(end_close.cpu_us - begin_close.cpu_us, pairs + 1));
    return 0;
}
