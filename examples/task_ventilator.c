// Parallel pipeline, first stage: deals out tasks, each a number that says how much work it is.
// Run: task_ventilator [endpoint to bind] [sink's endpoint, - = none] [tasks]
// Ends at once after the last send; ending the context waits until every task has left.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7109");
    const char *sink_endpoint = text_argument(argc, argv, 2, "tcp://127.0.0.1:7110");
    long tasks = number_argument(argc, argv, 3, 100);
    void *context = new_context();
    void *ventilator = bound_socket(context, ZMQ_PUSH, endpoint);
    void *sink = NULL;
    char text[64];
    if (strcmp(sink_endpoint, "-") != 0) {
        sink = connected_socket(context, ZMQ_PUSH, sink_endpoint);
        snprintf(text, sizeof text, "start %ld", tasks);
        check(send_string(sink, text) >= 0, "send");
    }

    long work = 0;
    for (long task = 0; task < tasks; ++task) {
        long units = task * 37 % 100 + 1;
        snprintf(text, sizeof text, "%ld", units);
        check(send_string(ventilator, text) >= 0, "send"); // blocks until a worker is there
        work += units;
    }
    printf("ventilator: %ld tasks, %ld units of work\n", tasks, work);
    if (sink != NULL) zmq_close(sink);
    zmq_close(ventilator);
    end_context(context);
    return 0;
}
