// One client connected to three services: its requests go to them in turn.
// Run: three_services_client [endpoint A] [endpoint B] [endpoint C] [requests]
// Requests 1 and 4 reach A, 2 reaches B, 3 reaches C, in the order of the connects.
#include "helpers.h"

int main(int argc, char **argv) {
    static const char *const fallback[] = {"tcp://127.0.0.1:7106", "tcp://127.0.0.1:7107",
                                           "tcp://127.0.0.1:7108"};
    long requests = number_argument(argc, argv, 4, 4);
    void *context = new_context();
    void *client = new_socket(context, ZMQ_REQ);
    for (int service = 0; service < 3; ++service) {
        const char *endpoint = text_argument(argc, argv, 1 + service, fallback[service]);
        check(zmq_connect(client, endpoint) == 0, endpoint);
    }

    for (long number = 1; number <= requests; ++number) {
        char request[64];
        snprintf(request, sizeof request, "request %ld", number);
        check(send_string(client, request) >= 0, "send");
        char *reply = receive_string(client);
        check(reply != NULL, "receive");
        printf("client: %s\n", reply);
        free(reply);
    }
    zmq_close(client);
    end_context(context);
    return 0;
}
