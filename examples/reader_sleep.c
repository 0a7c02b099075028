// Reads from two sockets without polling: tries each until it is empty, then sleeps a moment.
// Run: reader_sleep [ventilator's endpoint] [weather endpoint] [station] [tasks] [reports]
// Simple, but it adds up to the sleep to every delay; reader_poll does better. Tasks come first:
// as long as there are any, the weather has to wait.
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

    long task_count = 0, work = 0, report_count = 0, temperature_sum = 0;
    while (task_count < tasks_wanted || report_count < reports_wanted) {
        char *text;
        while ((text = receive_frame(tasks, ZMQ_DONTWAIT)) != NULL) {
            work += strtol(text, NULL, 10);
            ++task_count;
            free(text);
        }
        check(zmq_errno() == EAGAIN, "an empty socket must say EAGAIN");
        while (report_count < reports_wanted &&
               (text = receive_frame(weather, ZMQ_DONTWAIT)) != NULL) {
            long temperature = 0;
            check(sscanf(text, "%*d %*d %ld", &temperature) == 1, text);
            temperature_sum += temperature;
            ++report_count;
            free(text);
        }
        sleep_us(1000);
    }
    printf("reader: %ld tasks, %ld units of work\n", task_count, work);
    printf("reader: %ld reports, temperature sum %ld\n", report_count, temperature_sum);
    zmq_close(tasks);
    zmq_close(weather);
    end_context(context);
    return 0;
}
