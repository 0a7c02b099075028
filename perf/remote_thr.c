// Throughput, sending side: pushes messages to local_thr as fast as they are taken.
// Measures: this process's CPU per message, and the time from the first send until all have left.
// Does not measure: throughput; its clock includes making the connection. Believe local_thr.
// With "wait" it keeps the connection until the receiver closes it. Needed over ipc with libraries
// that drop what is in the kernel when the sender goes while the receiver is at its high water
// mark. With "curve" the connection is encrypted.
#include "curve.h"

// A monitor that reports only the end of a connection.
static void *watch_disconnect(void *context, void *socket) {
    const char *endpoint = "inproc://disconnect";
    check(zmq_socket_monitor(socket, endpoint, ZMQ_EVENT_DISCONNECTED) == 0, "zmq_socket_monitor");
    return connected_socket(context, ZMQ_PAIR, endpoint);
}

static void await_disconnect(void *sender, void *monitor) {
    char frame[512]; // the event, then the address
    check(zmq_recv(monitor, frame, sizeof frame, 0) >= 0, "monitor");
    check(zmq_socket_monitor(sender, NULL, 0) == 0, "zmq_socket_monitor");
    close_socket(monitor);
}

int main(int argc, char **argv) {
    require_arguments(argc, 3, 5,
                      "remote_thr <connect-to> <message-size> <message-count> [wait] [curve]");
    size_t size = message_size(argv[2]);
    long count = positive_number(argv[3]);
    int is_waiting = has_word(argc, argv, "wait");
    void *context = new_context();
    void *sender = new_socket(context, ZMQ_PUSH);
    if (has_word(argc, argv, "curve")) make_curve_client(sender);
    void *monitor = is_waiting ? watch_disconnect(context, sender) : NULL;
    check(zmq_connect(sender, argv[1]) == 0, argv[1]);
    struct moment begin = this_moment();
    send_messages(sender, size, count);
    if (is_waiting) await_disconnect(sender, monitor);
    close_and_end(sender, context);
    print_throughput(size, count, count, begin, this_moment());
    return 0;
}
