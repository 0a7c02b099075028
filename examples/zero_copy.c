// Sends buffers of the program without copying them; the library says when it is done with each.
// Run: zero_copy [endpoint] [bytes per message] [messages]
// The callback runs exactly once per buffer, over tcp and ipc in a thread of the library.
#include "helpers.h"

struct lent_buffer {
    unsigned char *bytes;
    int times_freed;
    int freed_by_main_thread;
};

static pthread_t main_thread;

static void give_back(void *bytes, void *hint) {
    struct lent_buffer *buffer = hint;
    ++buffer->times_freed;
    buffer->freed_by_main_thread = pthread_equal(pthread_self(), main_thread) != 0;
    free(bytes);
}

// Sends all buffers; looks at their records only after the context has ended.
int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7114");
    size_t size = (size_t)number_argument(argc, argv, 2, 100000);
    long count = number_argument(argc, argv, 3, 5);
    main_thread = pthread_self();
    void *context = new_context();
    void *receiver = bound_socket(context, ZMQ_PULL, endpoint);
    void *sender = connected_socket(context, ZMQ_PUSH, endpoint);
    struct lent_buffer *buffers = calloc((size_t)count, sizeof *buffers);
    check(buffers != NULL, "calloc");

    for (long index = 0; index < count; ++index) {
        buffers[index].bytes = malloc(size);
        check(buffers[index].bytes != NULL, "malloc");
        memset(buffers[index].bytes, 'a' + (int)index % 26, size);
        zmq_msg_t message;
        check(zmq_msg_init_data(&message, buffers[index].bytes, size, give_back, &buffers[index]) ==
                  0,
              "zmq_msg_init_data");
        check(zmq_msg_send(&message, sender, 0) >= 0, "send");
        check(zmq_msg_size(&message) == 0, "a sent message must be empty");
        zmq_msg_close(&message); // allowed, but no longer needed
    }
    for (long index = 0; index < count; ++index) {
        zmq_msg_t message;
        zmq_msg_init(&message);
        int received = zmq_msg_recv(&message, receiver, 0);
        const unsigned char *bytes = zmq_msg_data(&message);
        size_t right = 0;
        for (size_t at = 0; at < (size_t)received; ++at)
            right += bytes[at] == 'a' + (int)index % 26;
        printf("message %ld: %d bytes, %s\n", index, received,
               right == size ? "all right" : "DAMAGED");
        zmq_msg_close(&message);
    }
    zmq_close(sender);
    zmq_close(receiver);
    end_context(context);
    for (long index = 0; index < count; ++index)
        printf("buffer %ld: freed %d time(s), %s\n", index, buffers[index].times_freed,
               buffers[index].freed_by_main_thread ? "by the main thread" : "by the library");
    free(buffers);
    return 0;
}
