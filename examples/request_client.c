// A requester behind a broker: ten strict rounds of request and reply.
// Run: request_client [broker's front endpoint] [name] [rounds]
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7104");
    const char *name = text_argument(argc, argv, 2, "client");
    long rounds = number_argument(argc, argv, 3, 10);
    void *context = new_context();
    void *requester = connected_socket(context, ZMQ_REQ, endpoint);

    for (long round = 1; round <= rounds; ++round) {
        char request[64];
        snprintf(request, sizeof request, "%s asks %ld", name, round);
        check(send_string(requester, request) >= 0, "send");
        check(send_string(requester, "again") == -1 && zmq_errno() == EFSM,
              "a second request before the reply must be refused");
        char *reply = receive_string(requester);
        check(reply != NULL, "receive");
        printf("%s: %s\n", name, reply);
        free(reply);
    }
    zmq_close(requester);
    end_context(context);
    return 0;
}
