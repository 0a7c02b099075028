// Very many subscriptions: one SUB in one process, one XPUB in another, topics of 32 random-looking
// bytes (long common prefixes would be kinder to a trie).
// Measures: time per subscription from the first zmq_setsockopt until the XPUB has reported the
// last; memory per subscription of each process; what the XPUB needs to drop a message that nobody
// wants, with one subscription and with all of them.
// Does not measure: delivery, and messages that many want.
#include "measure.h"

#include <stdint.h>

enum { topic_size = 32, digits = 16 };

static uint64_t mixed(uint64_t value) {
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

static void write_topic(char *topic, long number) {
    char text[2 * digits + 1];
    uint64_t first = mixed((uint64_t)number + 1), second = mixed(first);
    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)first,
             (unsigned long long)second);
    memcpy(topic, text, topic_size);
}

struct task {
    const char *endpoint;
    long count;
    long messages;
};

static void subscribe(void *socket, long number) {
    char topic[topic_size];
    write_topic(topic, number);
    check(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, topic_size) == 0, "ZMQ_SUBSCRIBE");
}

static void subscribe_all(void *argument, struct line line) {
    const struct task *self = argument;
    hear(line); // the publisher is bound
    void *context = new_context();
    void *subscriber = new_socket(context, ZMQ_SUB);
    set_option(subscriber, ZMQ_SNDHWM, 0); // for the subscriptions
    check(zmq_connect(subscriber, self->endpoint) == 0, self->endpoint);
    subscribe(subscriber, 0);
    hear(line); // it has been reported
    double bytes = settled_private_bytes();
    tell(line, 0);
    struct moment begin = this_moment();
    for (long number = 1; number <= self->count; ++number) subscribe(subscriber, number);
    hear(line); // all have been reported
    double cpu_us = this_moment().cpu_us - begin.cpu_us;
    tell(line, settled_private_bytes() - bytes);
    tell(line, cpu_us);
    hear(line);
    close_and_end(subscriber, context);
}

static void await_subscriptions(void *publisher, long count) {
    for (long seen = 0; seen < count; ++seen) {
        char event[1 + topic_size];
        check(zmq_recv(publisher, event, sizeof event, 0) == sizeof event && event[0] == 1,
              "subscription");
    }
}

// Microseconds per message that nobody wants.
static double drop_us(void *publisher, const struct task *task) {
    enum { topics = 1024 };
    static char unwanted[topics][topic_size];
    for (long i = 0; i < topics; ++i) write_topic(unwanted[i], task->count + 1 + i);
    double begin = wall_us();
    for (long sent = 0; sent < task->messages; ++sent)
        check(zmq_send(publisher, unwanted[sent % topics], topic_size, 0) == topic_size,
              "zmq_send");
    return per(wall_us() - begin, task->messages);
}

int main(int argc, char **argv) {
    require_arguments(argc, 3, 3, "subscriptions <endpoint> <subscriptions> <message-count>");
    struct task task = {argv[1], positive_number(argv[2]), positive_number(argv[3])};
    struct companion subscriber;
    start_companion(&subscriber, 0, subscribe_all, &task);
    void *context = new_context();
    void *publisher = new_socket(context, ZMQ_XPUB);
    set_option(publisher, ZMQ_RCVHWM, 0);
    check(zmq_bind(publisher, task.endpoint) == 0, task.endpoint);
    tell(subscriber.line, 0);
    await_subscriptions(publisher, 1);
    double drop_one_us = drop_us(publisher, &task);
    double bytes = settled_private_bytes();
    tell(subscriber.line, 0);
    hear(subscriber.line);
    struct moment begin = this_moment();
    await_subscriptions(publisher, task.count);
    struct moment end = this_moment();
    bytes = settled_private_bytes() - bytes;
    tell(subscriber.line, 0);
    double subscriber_bytes = hear(subscriber.line), cpu_us = hear(subscriber.line);
    double drop_all_us = drop_us(publisher, &task);
    tell(subscriber.line, 0);
    await_companion(&subscriber);
    printf("subscriptions=%ld subscribe_us=%.4f cpu_us=%.4f publisher_bytes=%.1f "
           "subscriber_bytes=%.1f drop_one_us=%.4f drop_all_us=%.4f\n",
           task.count, per(end.wall_us - begin.wall_us, task.count),
           per(cpu_us + end.cpu_us - begin.cpu_us, task.count), per(bytes, task.count),
           per(subscriber_bytes, task.count), drop_one_us, drop_all_us);
    close_and_end(publisher, context);
    return 0;
}
