// Sends the same message twice: a copy shares the data, and each send consumes one of the two.
// Run: send_twice [endpoint] [bytes]
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "inproc://twice");
    size_t size = (size_t)number_argument(argc, argv, 2, 1000);
    void *context = new_context();
    void *receiver = bound_socket(context, ZMQ_PULL, endpoint);
    void *sender = connected_socket(context, ZMQ_PUSH, endpoint);

    zmq_msg_t original, copy;
    check(zmq_msg_init_size(&original, size) == 0, "zmq_msg_init_size");
    memset(zmq_msg_data(&original), 'x', size);
    zmq_msg_init(&copy);
    check(zmq_msg_copy(&copy, &original) == 0, "zmq_msg_copy");
    printf("before: original %zu, copy %zu, equal %d\n", zmq_msg_size(&original),
           zmq_msg_size(&copy), memcmp(zmq_msg_data(&original), zmq_msg_data(&copy), size) == 0);
    check(zmq_msg_send(&original, sender, 0) >= 0, "send");
    printf("after the first send: original %zu, copy %zu\n", zmq_msg_size(&original),
           zmq_msg_size(&copy));
    check(zmq_msg_send(&copy, sender, 0) >= 0, "send");
    printf("after the second send: original %zu, copy %zu\n", zmq_msg_size(&original),
           zmq_msg_size(&copy));
    zmq_msg_close(&original);
    zmq_msg_close(&copy);

    for (int arrival = 1; arrival <= 2; ++arrival) {
        char *text = receive_string(receiver);
        check(text != NULL, "receive");
        printf("arrival %d: %zu bytes, %s\n", arrival, strlen(text),
               strspn(text, "x") == size ? "all right" : "DAMAGED");
        free(text);
    }
    zmq_close(sender);
    zmq_close(receiver);
    end_context(context);
    return 0;
}
