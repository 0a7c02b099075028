// A subscriber that tells the publisher when it is subscribed, then counts what it gets.
// Run: sync_subscriber [publisher's endpoint] [sync endpoint]
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7112");
    const char *sync_endpoint = text_argument(argc, argv, 2, "tcp://127.0.0.1:7113");
    void *context = new_context();
    void *subscriber = connected_socket(context, ZMQ_SUB, endpoint);
    subscribe(subscriber, "");
    void *sync = connected_socket(context, ZMQ_REQ, sync_endpoint);

    char *text = receive_string(subscriber);
    check(text != NULL, "receive");
    free(text);
    check(send_string(sync, "") >= 0, "send");
    free(receive_string(sync));

    long count = 0, in_order = 1;
    for (int ended = 0; !ended;) {
        text = receive_string(subscriber);
        check(text != NULL, "receive");
        long number;
        if (sscanf(text, "update %ld", &number) == 1) in_order &= number == count++;
        ended = strcmp(text, "end") == 0;
        free(text);
    }
    printf("subscriber: %ld updates, %s\n", count, in_order ? "in order" : "NOT in order");
    zmq_close(subscriber);
    zmq_close(sync);
    end_context(context);
    return 0;
}
