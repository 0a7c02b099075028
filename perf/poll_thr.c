// Throughput, receiving side, in an event loop: as local_thr (with remote_thr as the sender), but
//   poll   zmq_poll before each receive
//   fd     epoll on ZMQ_FD; after it wakes, receives while ZMQ_EVENTS says there is something
// Measures: wall clock and this process's CPU from the first message to the last.
// Does not measure: loops with many sockets (poll_many does), nor the sender.
#include "measure.h"

#include <sys/epoll.h>

static void receive_polling(void *socket, size_t size, long count) {
    for (long received = 0; received < count; ++received) {
        await_message(socket);
        receive_messages(socket, size, 1);
    }
}

static int has_message(void *socket) {
    int events;
    size_t size = sizeof events;
    check(zmq_getsockopt(socket, ZMQ_EVENTS, &events, &size) == 0, "ZMQ_EVENTS");
    return (events & ZMQ_POLLIN) != 0;
}

static void receive_on_descriptor(void *socket, int epoll, size_t size, long count) {
    long received = 0;
    for (;;) {
        for (; received < count && has_message(socket); ++received)
            receive_messages(socket, size, 1);
        if (received == count) return;
        struct epoll_event event;
        require(epoll_wait(epoll, &event, 1, -1) == 1, "epoll_wait");
    }
}

int main(int argc, char **argv) {
    require_arguments(argc, 4, 4, "poll_thr <bind-to> <message-size> <message-count> poll|fd");
    size_t size = message_size(argv[2]);
    long count = positive_number(argv[3]);
    void *context = new_context();
    void *receiver = bound_socket(context, ZMQ_PULL, argv[1]);
    int descriptor, epoll = epoll_create1(EPOLL_CLOEXEC);
    size_t descriptor_size = sizeof descriptor;
    check(zmq_getsockopt(receiver, ZMQ_FD, &descriptor, &descriptor_size) == 0, "ZMQ_FD");
    struct epoll_event interest = {.events = EPOLLIN};
    require(epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &interest) == 0, "epoll_ctl");

    receive_messages(receiver, size, 1);
    struct moment begin = this_moment();
    if (has_word(argc, argv, "fd"))
        receive_on_descriptor(receiver, epoll, size, count - 1);
    else
        receive_polling(receiver, size, count - 1);
    print_throughput(size, count, count - 1, begin, this_moment());
    close(epoll);
    close_and_end(receiver, context);
    return 0;
}
