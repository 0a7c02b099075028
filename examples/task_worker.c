// Parallel pipeline, second stage: takes tasks, works, passes the results on. Start many of them.
// Run: task_worker [ventilator's endpoint] [sink's endpoint] [us per unit of work]
#include "helpers.h"

int main(int argc, char **argv) {
    const char *source = text_argument(argc, argv, 1, "tcp://127.0.0.1:7109");
    const char *target = text_argument(argc, argv, 2, "tcp://127.0.0.1:7110");
    long unit_us = number_argument(argc, argv, 3, 1000);
    catch_stop_signals();
    void *context = new_context();
    void *tasks = connected_socket(context, ZMQ_PULL, source);
    void *results = connected_socket(context, ZMQ_PUSH, target);
    announce_ready("worker");

    while (!stop_requested) {
        char *task = receive_string(tasks);
        if (task == NULL) continue;
        sleep_us(strtol(task, NULL, 10) * unit_us);
        char result[64];
        snprintf(result, sizeof result, "done %s", task);
        free(task);
        send_string(results, result);
    }
    printf("worker: stopped\n");
    zmq_close(tasks);
    zmq_close(results);
    end_context(context);
    return 0;
}
