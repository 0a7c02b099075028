// Setting the number of I/O threads: before the first socket; four of them, and none at all.
// Run: io_threads
// Without I/O threads inproc still works, since there no byte has to be moved over a network.
#include "helpers.h"

// The name of the transport: what stands before the first colon.
static int transport_length(const char *endpoint) { return (int)strcspn(endpoint, ":"); }

static void exchange(void *context, const char *endpoint) {
    void *receiver = new_socket(context, ZMQ_PULL);
    void *sender = new_socket(context, ZMQ_PUSH);
    if (zmq_bind(receiver, endpoint) == -1) {
        printf("  bind %.*s: %s\n", transport_length(endpoint), endpoint,
               zmq_errno() == EMTHREAD ? "refused, no I/O thread" : "another error");
    } else {
        char actual[256];
        size_t size = sizeof actual;
        check(zmq_getsockopt(receiver, ZMQ_LAST_ENDPOINT, actual, &size) == 0, "LAST_ENDPOINT");
        check(zmq_connect(sender, actual) == 0, actual);
        check(send_string(sender, "one message") >= 0, "send");
        char *text = receive_string(receiver);
        check(text != NULL, "receive");
        printf("  %.*s: %s\n", transport_length(endpoint), endpoint, text);
        free(text);
    }
    zmq_close(sender);
    zmq_close(receiver);
}

int main(void) {
    void *context = new_context();
    printf("default: %d\n", zmq_ctx_get(context, ZMQ_IO_THREADS));
    check(zmq_ctx_set(context, ZMQ_IO_THREADS, 4) == 0, "zmq_ctx_set");
    printf("after the change: %d\n", zmq_ctx_get(context, ZMQ_IO_THREADS));
    exchange(context, "tcp://127.0.0.1:*");
    int result = zmq_ctx_set(context, ZMQ_IO_THREADS, 2);
    printf("too late, but accepted: %d, reads back %d\n", result,
           zmq_ctx_get(context, ZMQ_IO_THREADS));
    end_context(context);

    context = new_context();
    check(zmq_ctx_set(context, ZMQ_IO_THREADS, 0) == 0, "zmq_ctx_set");
    printf("none: %d\n", zmq_ctx_get(context, ZMQ_IO_THREADS));
    exchange(context, "inproc://no-thread");
    exchange(context, "tcp://127.0.0.1:*");
    end_context(context);

    context = new_context();
    printf("negative: %s\n", zmq_ctx_set(context, ZMQ_IO_THREADS, -1) == -1 && zmq_errno() == EINVAL
                                 ? "refused"
                                 : "accepted");
    end_context(context);
    return 0;
}
