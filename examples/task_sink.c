// Parallel pipeline, last stage: collects the results of one batch, whoever worked on them.
// Run: task_sink [endpoint to bind]
// The ventilator announces the size of the batch; that note may arrive after the first results,
// because it comes over another connection.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7110");
    void *context = new_context();
    void *sink = bound_socket(context, ZMQ_PULL, endpoint);

    long expected = -1, done = 0, work = 0;
    while (done != expected) {
        char *note = receive_string(sink);
        check(note != NULL, "receive");
        long number = 0;
        if (sscanf(note, "start %ld", &number) == 1) {
            expected = number;
        } else if (sscanf(note, "done %ld", &number) == 1) {
            ++done;
            work += number;
        }
        free(note);
    }
    printf("sink: %ld tasks done, %ld units of work\n", done, work);
    zmq_close(sink);
    end_context(context);
    return 0;
}
