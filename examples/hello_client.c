// Request and reply, the asking side: sends "hello n" and prints each answer.
// Run: hello_client [endpoint to connect to] [requests]
// It may start before the server: the request waits in the queue until somebody binds.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7101");
    long requests = number_argument(argc, argv, 2, 10);
    void *context = new_context();
    void *client = connected_socket(context, ZMQ_REQ, endpoint);

    for (long number = 1; number <= requests; ++number) {
        char request[64];
        snprintf(request, sizeof request, "hello %ld", number);
        check(send_string(client, request) >= 0, "send");
        char *reply = receive_string(client);
        check(reply != NULL, "receive");
        printf("client: %s -> %s\n", request, reply);
        free(reply);
    }
    zmq_close(client);
    end_context(context);
    return 0;
}
