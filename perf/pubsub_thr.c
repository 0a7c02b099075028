// Fan-out: one publisher, several subscribers, each with the same number of prefixes.
// Measures: wall clock and CPU of the whole process from the first send until every subscriber has
// received every message. Every message matches one prefix of every subscriber; none is dropped
// (XPUB_NODROP: the publisher waits for the slowest).
// Does not measure: several processes (a thread and, except over inproc, a context of its own per
// subscriber), or messages that nobody wants.
#include "measure.h"

enum { topic_size = 8 }; // seven digits and a point

struct subscriber {
    void *context; // the publisher's, or NULL: its own
    const char *endpoint;
    long prefixes;
    size_t size;
    long count;
};

static void write_topic(char *topic, long number) {
    char text[32];
    snprintf(text, sizeof text, "%07ld.", number % 10000000);
    memcpy(topic, text, topic_size);
}

static void *receive_all(void *argument) {
    const struct subscriber *self = argument;
    void *context = self->context != NULL ? self->context : new_context();
    void *socket = new_socket(context, ZMQ_SUB);
    set_option(socket, ZMQ_SNDHWM, 0); // for the subscriptions
    for (long number = 0; number < self->prefixes; ++number) {
        char topic[topic_size];
        write_topic(topic, number);
        check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, topic_size) == 0, "ZMQ_SUBSCRIBE");
    }
    check(zmq_connect(socket, self->endpoint) == 0, self->endpoint);
    receive_messages(socket, self->size, self->count);
    close_socket(socket);
    if (self->context == NULL) end_context(context);
    return NULL;
}

// Each subscriber's every subscription is reported once (VERBOSE), so their number tells readiness.
static void await_subscriptions(void *publisher, long count) {
    for (long seen = 0; seen < count; ++seen) {
        char event[1 + topic_size];
        check(zmq_recv(publisher, event, sizeof event, 0) == sizeof event && event[0] == 1,
              "subscription");
    }
}

// topics: one after the other, without terminators.
static void publish_all(void *publisher, const char *topics, long prefixes, size_t size,
                        long count) {
    for (long sent = 0; sent < count; ++sent) {
        zmq_msg_t message;
        check(zmq_msg_init_size(&message, size) == 0, "zmq_msg_init_size");
        memcpy(zmq_msg_data(&message), topics + sent % prefixes * topic_size, topic_size);
        check(zmq_msg_send(&message, publisher, 0) >= 0, "zmq_msg_send");
    }
}

int main(int argc, char **argv) {
    require_arguments(
        argc, 5, 5,
        "pubsub_thr <endpoint|inproc> <subscribers> <prefixes> <message-size, from 8> "
        "<message-count>");
    int is_inproc = strcmp(argv[1], "inproc") == 0;
    long subscribers = positive_number(argv[2]), prefixes = positive_number(argv[3]);
    size_t size = message_size(argv[4]);
    long count = positive_number(argv[5]);
    if (size < topic_size) size = topic_size;

    void *context = new_context();
    void *publisher = new_socket(context, ZMQ_XPUB);
    set_option(publisher, ZMQ_XPUB_NODROP, 1);
    set_option(publisher, ZMQ_XPUB_VERBOSE, 1);
    set_option(publisher, ZMQ_RCVHWM, 0);
    const char *bind_to = is_inproc ? "inproc://fan-out" : argv[1];
    char endpoint[256];
    check(zmq_bind(publisher, bind_to) == 0, bind_to);
    read_endpoint(publisher, endpoint, sizeof endpoint);

    struct subscriber subscriber = {is_inproc ? context : NULL, endpoint, prefixes, size, count};
    pthread_t *threads = calloc((size_t)subscribers, sizeof *threads);
    check(threads != NULL, "calloc");
    for (long number = 0; number < subscribers; ++number)
        threads[number] = new_thread(receive_all, &subscriber);
    await_subscriptions(publisher, subscribers * prefixes);

    char *topics = malloc((size_t)prefixes * topic_size);
    check(topics != NULL, "malloc");
    for (long number = 0; number < prefixes; ++number)
        write_topic(topics + number * topic_size, number);

    struct moment begin = this_moment();
    publish_all(publisher, topics, prefixes, size, count);
    for (long number = 0; number < subscribers; ++number) pthread_join(threads[number], NULL);
    struct moment end = this_moment();
    free(threads);
    free(topics);

    double seconds = (end.wall_us - begin.wall_us) * 1e-6;
    double rate = seconds > 0 ? (double)count / seconds : 0;
    double deliveries = rate * (double)subscribers;
    printf("size=%zu count=%ld subscribers=%ld prefixes=%ld seconds=%.6f messages_per_second=%.0f "
           "deliveries_per_second=%.0f mbit_per_second=%.3f cpu_us_per_message=%.4f\n",
           size, count, subscribers, prefixes, seconds, rate, deliveries,
           deliveries * (double)size * 8e-6, (end.cpu_us - begin.cpu_us) / (double)count);
    close_and_end(publisher, context);
    return 0;
}
