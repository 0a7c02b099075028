// A REQ client at work, to be watched by strace_rtt.sh: what does a round trip cost in system
// calls? Measures: nothing itself. It warms up, calls getppid() as a mark in the trace, makes the
// round trips, and calls getppid() again. Between the marks it calls nothing but the library. Run:
// steady_client <connect-to> <size> <roundtrips> against
//      local_lat <bind-to> <size> <roundtrips + 100>
#include "measure.h"
#include <unistd.h>

enum { warm_up = 100 };

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "steady_client <connect-to> <message-size> <roundtrip-count>");
    size_t size = message_size(argv[2]);
    long count = positive_number(argv[3]);
    void *context = new_context();
    void *requester = connected_socket(context, ZMQ_REQ, argv[1]);
    zmq_msg_t message;
    check(zmq_msg_init_size(&message, size) == 0, "zmq_msg_init_size");
    memset(zmq_msg_data(&message), 0, size);

    make_round_trips(requester, &message, size, warm_up);
    getppid();
    make_round_trips(requester, &message, size, count);
    getppid();
    check(zmq_msg_close(&message) == 0, "zmq_msg_close");
    close_and_end(requester, context);
    return 0;
}
