// Publish and subscribe: takes the reports of one station only and prints a summary.
// Run: weather_reader [endpoint to connect to] [station] [reports]
// The subscription is a prefix of the message; the publisher's side does the filtering.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7102");
    const char *station = text_argument(argc, argv, 2, "1003");
    long wanted = number_argument(argc, argv, 3, 100);
    void *context = new_context();
    void *reader = connected_socket(context, ZMQ_SUB, endpoint);
    char prefix[64];
    snprintf(prefix, sizeof prefix, "%s ", station); // with the blank: 100 is not 1003
    subscribe(reader, prefix);

    long temperature_sum = 0, humidity_sum = 0, gaps = 0, last_round = -1;
    for (long count = 0; count < wanted; ++count) {
        char *report = receive_string(reader);
        check(report != NULL, "receive");
        long id, round, temperature, humidity;
        check(sscanf(report, "%ld %ld %ld %ld", &id, &round, &temperature, &humidity) == 4, report);
        check(id == strtol(station, NULL, 10), "a report of another station came through");
        free(report);
        temperature_sum += temperature;
        humidity_sum += humidity;
        gaps += last_round >= 0 && round != last_round + 1;
        last_round = round;
    }
    printf("reader %s: %ld reports, %ld gaps, average temperature %.2f, humidity %.2f\n", station,
           wanted, gaps, (double)temperature_sum / (double)wanted,
           (double)humidity_sum / (double)wanted);
    zmq_close(reader);
    end_context(context);
    return 0;
}
