// Parallel pipeline, last stage, that ends all workers after the batch with one published message.
// Run: task_sink_kill [endpoint to bind] [control endpoint to bind] [workers]
// The kill signal is sent right before the end: closing and ending the context still delivers it.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7110");
    const char *control_endpoint = text_argument(argc, argv, 2, "tcp://127.0.0.1:7111");
    long workers = number_argument(argc, argv, 3, 3);
    void *context = new_context();
    void *sink = bound_socket(context, ZMQ_PULL, endpoint);
    void *control = bound_socket(context, ZMQ_PUB, control_endpoint);
    zmq_pollitem_t item = {sink, 0, ZMQ_POLLIN, 0};

    long ready = 0, expected = -1, done = 0, work = 0;
    while (ready < workers || done != expected) {
        if (ready < workers) send_string(control, "hello");
        if (zmq_poll(&item, 1, ready < workers ? 5 : -1) <= 0) continue;
        char *note = receive_string(sink);
        check(note != NULL, "receive");
        long number = 0;
        if (strcmp(note, "ready") == 0) {
            ++ready;
        } else if (sscanf(note, "start %ld", &number) == 1) {
            expected = number;
        } else if (sscanf(note, "done %ld", &number) == 1) {
            ++done;
            work += number;
        }
        free(note);
    }
    printf("sink: %ld workers, %ld tasks done, %ld units of work\n", ready, done, work);
    send_string(control, "kill");
    zmq_close(control);
    zmq_close(sink);
    end_context(context);
    return 0;
}
