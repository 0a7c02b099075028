// A relay race of threads: each waits on a PAIR socket for the one it started, then passes it on.
// Run: thread_relay [runners]
// A runner sends its one message and closes its socket at once: on inproc the message is in the
// peer's queue already and stays there.
#include "helpers.h"

struct runner {
    void *context;
    long number; // runner n waits at "inproc://relay-n"; runner 1 starts the race
};

static void send_baton(const struct runner *self) {
    char endpoint[64], baton[64];
    snprintf(endpoint, sizeof endpoint, "inproc://relay-%ld", self->number + 1);
    snprintf(baton, sizeof baton, "from runner %ld", self->number);
    void *next = connected_socket(self->context, ZMQ_PAIR, endpoint);
    check(send_string(next, baton) >= 0, "send");
    zmq_close(next);
}

static void *run(void *argument);

// Binds first, then starts the runner before this one, then waits for its message.
static void receive_baton(const struct runner *self) {
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "inproc://relay-%ld", self->number);
    void *previous = bound_socket(self->context, ZMQ_PAIR, endpoint);
    struct runner starter = {self->context, self->number - 1};
    pthread_t thread = new_thread(run, &starter);
    char *baton = receive_string(previous);
    check(baton != NULL, "receive");
    printf("runner %ld: %s\n", self->number, baton);
    free(baton);
    pthread_join(thread, NULL);
    zmq_close(previous);
}

static void *run(void *argument) {
    const struct runner *self = argument;
    if (self->number > 1) receive_baton(self);
    send_baton(self);
    return NULL;
}

int main(int argc, char **argv) {
    struct runner last = {new_context(), number_argument(argc, argv, 1, 3)};
    receive_baton(&last);
    printf("relay: finished\n");
    end_context(last.context);
    return 0;
}
