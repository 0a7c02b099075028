// Publish and subscribe: sends one report per station, round after round, to whoever listens.
// Run: weather_publisher [endpoint to bind] [stations] [rounds, 0 = until Ctrl-C] [us per round]
// A report reads "station round temperature humidity". The weather of a station repeats every ten
// rounds, so a reader that takes a multiple of ten reports always sees the same weather.
#include "helpers.h"

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7102");
    long stations = number_argument(argc, argv, 2, 20);
    long rounds = number_argument(argc, argv, 3, 0);
    long pause_us = number_argument(argc, argv, 4, 2000);
    catch_stop_signals();
    void *context = new_context();
    void *publisher = bound_socket(context, ZMQ_PUB, endpoint);
    announce_ready("publisher");

    for (long round = 0; !stop_requested && (rounds == 0 || round < rounds); ++round) {
        for (long station = 1000; station < 1000 + stations; ++station) {
            char report[64];
            snprintf(report, sizeof report, "%ld %ld %ld %ld", station, round,
                     (station * 7 + round % 10 * 3) % 60 - 20,
                     (station * 11 + round % 10 * 5) % 50 + 40);
            send_string(publisher, report); // never blocks: without a listener it is dropped
        }
        sleep_us(pause_us);
    }
    printf("publisher: done\n");
    zmq_close(publisher);
    end_context(context);
    return 0;
}
