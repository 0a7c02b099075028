// A replier behind a broker: it connects, instead of binding as a server would.
// Run: request_worker [broker's back endpoint]
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7105");
    catch_stop_signals();
    void *context = new_context();
    void *replier = connected_socket(context, ZMQ_REP, endpoint);
    announce_ready("worker");

    while (!stop_requested) {
        char *request = receive_string(replier);
        if (request == NULL) continue;
        char reply[128];
        snprintf(reply, sizeof reply, "answer to '%s'", request);
        free(request);
        send_string(replier, reply);
    }
    printf("worker: stopped\n");
    zmq_close(replier);
    end_context(context);
    return 0;
}
