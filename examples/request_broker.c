// The same broker as queue_broker, by hand: polls both sides and forwards frame by frame.
// Run: request_broker [endpoint for clients] [endpoint for workers]
// Shows that the reply envelope is nothing but frames: whoever keeps them keeps the way back.
#include "helpers.h"

// Moves one whole message; returns the number of its frames.
static int forward(void *from, void *to) {
    int frames = 0;
    for (int more = 1; more;) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, from, 0) < 0) {
            zmq_msg_close(&frame);
            return frames;
        }
        more = more_follows(from);
        if (zmq_msg_send(&frame, to, more ? ZMQ_SNDMORE : 0) < 0) zmq_msg_close(&frame);
        ++frames;
    }
    return frames;
}

int main(int argc, char **argv) {
    const char *front_endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7104");
    const char *back_endpoint = text_argument(argc, argv, 2, "tcp://127.0.0.1:7105");
    catch_stop_signals();
    void *context = new_context();
    void *front = bound_socket(context, ZMQ_ROUTER, front_endpoint);
    void *back = bound_socket(context, ZMQ_DEALER, back_endpoint);
    zmq_pollitem_t items[] = {{front, 0, ZMQ_POLLIN, 0}, {back, 0, ZMQ_POLLIN, 0}};
    announce_ready("broker");

    long requests = 0, replies = 0, frames = 0;
    while (!stop_requested) {
        if (zmq_poll(items, 2, -1) == -1) continue;
        if (items[0].revents & ZMQ_POLLIN) {
            frames += forward(front, back);
            ++requests;
        }
        if (items[1].revents & ZMQ_POLLIN) {
            frames += forward(back, front);
            ++replies;
        }
    }
    printf("broker: %ld requests, %ld replies, %ld frames\n", requests, replies, frames);
    zmq_close(front);
    zmq_close(back);
    end_context(context);
    return 0;
}
