// A publisher that waits for its subscribers before it sends, so that none misses anything.
// Run: sync_publisher [endpoint to bind] [sync endpoint to bind] [subscribers] [updates]
// Until all have reported, it publishes "hello"; a subscriber that got one reports back over
// request and reply. No fixed delay is needed: who saw a hello is subscribed for certain.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7112");
    const char *sync_endpoint = text_argument(argc, argv, 2, "tcp://127.0.0.1:7113");
    long subscribers = number_argument(argc, argv, 3, 10);
    long updates = number_argument(argc, argv, 4, 1000000);
    void *context = new_context();
    void *publisher = new_socket(context, ZMQ_PUB);
    set_option(publisher, ZMQ_SNDHWM, (int)updates + 100000); // a publisher drops what is beyond
    check(zmq_bind(publisher, endpoint) == 0, endpoint);
    void *sync = bound_socket(context, ZMQ_REP, sync_endpoint);
    zmq_pollitem_t item = {sync, 0, ZMQ_POLLIN, 0};

    for (long reported = 0; reported < subscribers;) {
        send_string(publisher, "hello");
        if (zmq_poll(&item, 1, 5) <= 0) continue;
        free(receive_string(sync));
        send_string(sync, "");
        ++reported;
    }
    printf("publisher: %ld subscribers are there\n", subscribers);
    for (long update = 0; update < updates; ++update) {
        char text[64];
        snprintf(text, sizeof text, "update %ld", update);
        check(send_string(publisher, text) >= 0, "send");
    }
    send_string(publisher, "end");
    printf("publisher: %ld updates sent\n", updates);
    zmq_close(publisher);
    zmq_close(sync);
    end_context(context);
    return 0;
}
