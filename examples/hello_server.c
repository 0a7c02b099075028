// Request and reply, the answering side: every "hello" gets a "world".
// Run: hello_server [endpoint to bind] [requests, 0 = until Ctrl-C]
// Start hello_client before or after it: the order does not matter.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7101");
    long limit = number_argument(argc, argv, 2, 0);
    catch_stop_signals();
    void *context = new_context();
    void *server = bound_socket(context, ZMQ_REP, endpoint);
    announce_ready("server");

    long served = 0;
    while (!stop_requested && (limit == 0 || served < limit)) {
        char *request = receive_string(server);
        if (request == NULL) continue;
        printf("server: %s\n", request);
        free(request);
        if (send_string(server, "world") >= 0) ++served;
    }
    printf("server: %ld requests served\n", served);
    zmq_close(server);
    end_context(context);
    return 0;
}
