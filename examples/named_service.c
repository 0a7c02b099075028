// One of several equal services: replies with its own name, so that a client sees whom it reached.
// Run: named_service [name] [endpoint to bind]
// See three_services_client.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *name = text_argument(argc, argv, 1, "A");
    const char *endpoint = text_argument(argc, argv, 2, "tcp://127.0.0.1:7106");
    catch_stop_signals();
    void *context = new_context();
    void *service = bound_socket(context, ZMQ_REP, endpoint);
    announce_ready(name);

    long served = 0;
    while (!stop_requested) {
        char *request = receive_string(service);
        if (request == NULL) continue;
        char reply[128];
        snprintf(reply, sizeof reply, "%s did %s", name, request);
        free(request);
        if (send_string(service, reply) >= 0) ++served;
    }
    printf("%s: %ld served\n", name, served);
    zmq_close(service);
    end_context(context);
    return 0;
}
