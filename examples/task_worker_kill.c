// Parallel pipeline, second stage, that ends when the sink says so over a publish-subscribe link.
// Run: task_worker_kill [ventilator's endpoint] [sink's endpoint] [control endpoint] [us per unit]
// A subscriber misses what is sent before its subscription arrived. So the sink keeps saying
// "hello" until each worker has answered one: from then on no worker can miss the kill signal.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *source = text_argument(argc, argv, 1, "tcp://127.0.0.1:7109");
    const char *target = text_argument(argc, argv, 2, "tcp://127.0.0.1:7110");
    const char *control_endpoint = text_argument(argc, argv, 3, "tcp://127.0.0.1:7111");
    long unit_us = number_argument(argc, argv, 4, 1000);
    void *context = new_context();
    void *tasks = connected_socket(context, ZMQ_PULL, source);
    void *results = connected_socket(context, ZMQ_PUSH, target);
    void *control = connected_socket(context, ZMQ_SUB, control_endpoint);
    subscribe(control, "");
    zmq_pollitem_t items[] = {{tasks, 0, ZMQ_POLLIN, 0}, {control, 0, ZMQ_POLLIN, 0}};

    int announced = 0;
    for (int killed = 0; !killed;) {
        check(zmq_poll(items, 2, -1) > 0, "zmq_poll");
        if (items[0].revents & ZMQ_POLLIN) {
            char *task = receive_string(tasks);
            check(task != NULL, "receive");
            sleep_us(strtol(task, NULL, 10) * unit_us);
            char result[64];
            snprintf(result, sizeof result, "done %s", task);
            free(task);
            check(send_string(results, result) >= 0, "send");
        }
        if (items[1].revents & ZMQ_POLLIN) {
            char *order = receive_string(control);
            check(order != NULL, "receive");
            killed = strcmp(order, "kill") == 0;
            free(order);
            if (!announced) {
                check(send_string(results, "ready") >= 0, "send");
                announced = 1;
            }
        }
    }
    printf("worker: killed\n");
    zmq_close(tasks);
    zmq_close(results);
    zmq_close(control);
    end_context(context);
    return 0;
}
