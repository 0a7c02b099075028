// Reads from two sockets with zmq_poll: sleeps until one has something, and serves both in turn.
// Run: reader_poll [ventilator's endpoint] [weather endpoint] [station] [tasks] [reports]
#include "helpers.h"

int main(int argc, char **argv) {
    const char *task_endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7109");
    const char *weather_endpoint = text_argument(argc, argv, 2, "tcp://127.0.0.1:7102");
    const char *station = text_argument(argc, argv, 3, "1003");
    long tasks_wanted = number_argument(argc, argv, 4, 100);
    long reports_wanted = number_argument(argc, argv, 5, 50);
    void *context = new_context();
    void *tasks = connected_socket(context, ZMQ_PULL, task_endpoint);
    void *weather = connected_socket(context, ZMQ_SUB, weather_endpoint);
    subscribe(weather, station);
    zmq_pollitem_t items[] = {{tasks, 0, ZMQ_POLLIN, 0}, {weather, 0, ZMQ_POLLIN, 0}};

    long task_count = 0, work = 0, report_count = 0, temperature_sum = 0;
    while (task_count < tasks_wanted || report_count < reports_wanted) {
        check(zmq_poll(items, 2, -1) > 0, "zmq_poll");
        if (items[0].revents & ZMQ_POLLIN) {
            char *text = receive_string(tasks);
            check(text != NULL, "receive");
            work += strtol(text, NULL, 10);
            ++task_count;
            free(text);
        }
        if (items[1].revents & ZMQ_POLLIN) {
            char *text = receive_string(weather);
            check(text != NULL, "receive");
            long temperature = 0;
            check(sscanf(text, "%*d %*d %ld", &temperature) == 1, text);
            if (report_count < reports_wanted) {
                temperature_sum += temperature;
                ++report_count;
            }
            free(text);
        }
    }
    printf("reader: %ld tasks, %ld units of work\n", task_count, work);
    printf("reader: %ld reports, temperature sum %ld\n", report_count, temperature_sum);
    zmq_close(tasks);
    zmq_close(weather);
    end_context(context);
    return 0;
}
