// A proxy between two networks: takes the publisher's data on one side, offers it on the other.
// Run: weather_proxy [xsub|sub] [publisher endpoint to connect to] [endpoint to bind]
// xsub: XSUB and XPUB; subscriptions travel through to the publisher, only wanted data flows.
// sub:  SUB and PUB; everything is fetched, and the filtering happens behind the proxy.
#include "helpers.h"

int main(int argc, char **argv) {
    int is_plain = strcmp(text_argument(argc, argv, 1, "xsub"), "sub") == 0;
    const char *inside = text_argument(argc, argv, 2, "tcp://127.0.0.1:7102");
    const char *outside = text_argument(argc, argv, 3, "tcp://127.0.0.1:7103");
    catch_stop_signals();
    void *context = new_context();
    void *front = connected_socket(context, is_plain ? ZMQ_SUB : ZMQ_XSUB, inside);
    void *back = bound_socket(context, is_plain ? ZMQ_PUB : ZMQ_XPUB, outside);
    if (is_plain) subscribe(front, "");
    announce_ready("proxy");

    while (!stop_requested)
        zmq_proxy(front, back, NULL); // comes back only for a signal or the end of the context
    printf("proxy: stopped\n");
    zmq_close(front);
    zmq_close(back);
    end_context(context);
    return 0;
}
