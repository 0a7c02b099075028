// A message queue between requesters and repliers: ROUTER and DEALER joined by zmq_proxy.
// Run: queue_broker [endpoint for clients] [endpoint for workers]
// Clients: request_client. Workers: request_worker. Both connect; only the broker has fixed names.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *front_endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7104");
    const char *back_endpoint = text_argument(argc, argv, 2, "tcp://127.0.0.1:7105");
    catch_stop_signals();
    void *context = new_context();
    void *front = bound_socket(context, ZMQ_ROUTER, front_endpoint);
    void *back = bound_socket(context, ZMQ_DEALER, back_endpoint);
    announce_ready("broker");

    while (!stop_requested) zmq_proxy(front, back, NULL);
    printf("broker: stopped\n");
    zmq_close(front);
    zmq_close(back);
    end_context(context);
    return 0;
}
