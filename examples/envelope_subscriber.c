// Receives enveloped messages of one key: all frames arrive together, or none.
// Run: envelope_subscriber [publisher's endpoint] [key] [messages]
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7115");
    const char *key = text_argument(argc, argv, 2, "B");
    long messages = number_argument(argc, argv, 3, 4);
    void *context = new_context();
    void *subscriber = connected_socket(context, ZMQ_SUB, endpoint);
    subscribe(subscriber, key);

    // Starts with the first message whose key is exactly the one asked for, so that the output does
    // not depend on the moment the subscription arrived.
    for (long count = 0; count < messages;) {
        char *frame = receive_string(subscriber);
        check(frame != NULL, "receive");
        int is_shown = count > 0 || strcmp(frame, key) == 0;
        count += is_shown;
        if (is_shown) printf("[%s]", frame);
        free(frame);
        while (more_follows(subscriber)) {
            frame = receive_frame(subscriber, ZMQ_DONTWAIT); // the rest is there already
            check(frame != NULL, "receive");
            if (is_shown) printf(" %s", frame);
            free(frame);
        }
        if (is_shown) printf("\n");
    }
    zmq_close(subscriber);
    end_context(context);
    return 0;
}
