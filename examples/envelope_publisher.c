// Publishes messages with an envelope: the first frame is the key that filters look at.
// Run: envelope_publisher [endpoint to bind] [2|3 frames] [rounds, 0 = until Ctrl-C] [us per round]
// With three frames the second one carries the address of the publisher, for those who reply.
#include "helpers.h"

static void publish(void *publisher, const char *key, int frames, const char *body) {
    send_string_more(publisher, key);
    if (frames == 3) send_string_more(publisher, "publisher-1");
    send_string(publisher, body);
}

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7115");
    int frames = (int)number_argument(argc, argv, 2, 2);
    long rounds = number_argument(argc, argv, 3, 0);
    long pause_us = number_argument(argc, argv, 4, 5000);
    catch_stop_signals();
    void *context = new_context();
    void *publisher = bound_socket(context, ZMQ_PUB, endpoint);
    announce_ready("publisher");

    for (long round = 0; !stop_requested && (rounds == 0 || round < rounds); ++round) {
        publish(publisher, "A", frames, "B is in the body only: no filter sees it");
        publish(publisher, "B", frames, "for those who asked for B");
        publish(publisher, "BB", frames, "a longer key with the same beginning");
        sleep_us(pause_us);
    }
    printf("publisher: done\n");
    zmq_close(publisher);
    end_context(context);
    return 0;
}
