// Where messages go when they seem to be missing: the usual causes, each shown once.
// Run: missing_messages [a tcp or ipc endpoint, default any free port]
#include "helpers.h"

enum { quiet_ms = 50 };

// What a socket has for us; "nothing" after a short wait.
static void report(const char *cause, void *socket) {
    set_option(socket, ZMQ_RCVTIMEO, quiet_ms);
    char *text = receive_string(socket);
    printf("%s: %s\n", cause, text != NULL ? text : "nothing");
    free(text);
}

static void without_subscription(void *context) {
    void *publisher = bound_socket(context, ZMQ_PUB, "inproc://weather");
    void *subscriber = connected_socket(context, ZMQ_SUB, "inproc://weather");
    send_string(publisher, "before the subscription");
    report("a subscriber that has not subscribed", subscriber);
    subscribe(subscriber, "after");
    send_string(publisher, "after the subscription");
    report("the same, subscribed", subscriber);
    zmq_close(publisher);
    zmq_close(subscriber);
}

static void in_another_context(void *context) {
    void *other = new_context();
    void *receiver = bound_socket(context, ZMQ_PULL, "inproc://same-name");
    void *sender = connected_socket(other, ZMQ_PUSH, "inproc://same-name");
    set_option(sender, ZMQ_LINGER, 0);
    send_string(sender, "lost");
    report("the same inproc name in another context", receiver);
    zmq_close(sender);
    zmq_close(receiver);
    end_context(other);
}

static void to_an_unknown_identity(void *context) {
    void *router = bound_socket(context, ZMQ_ROUTER, "inproc://router");
    void *dealer = new_socket(context, ZMQ_DEALER);
    check(zmq_setsockopt(dealer, ZMQ_ROUTING_ID, "known", 5) == 0, "ZMQ_ROUTING_ID");
    check(zmq_connect(dealer, "inproc://router") == 0, "connect");
    send_string_more(router, "unknown");
    check(send_string(router, "dropped without a word") >= 0, "send");
    report("a router's message to nobody it knows", dealer);
    set_option(router, ZMQ_ROUTER_MANDATORY, 1);
    printf("the same, mandatory: %s\n",
           send_string_more(router, "unknown") == -1 && zmq_errno() == EHOSTUNREACH ? "no route"
                                                                                    : "accepted");
    send_string_more(router, "known");
    send_string(router, "arrives");
    report("to the identity it knows", dealer);
    zmq_close(router);
    zmq_close(dealer);
}

// Two readers of one PUSH socket: every other message seems to be missing for each.
static void taken_by_another(void *context, const char *endpoint) {
    char actual[256];
    size_t size = sizeof actual;
    void *first = bound_socket(context, ZMQ_PULL, endpoint);
    check(zmq_getsockopt(first, ZMQ_LAST_ENDPOINT, actual, &size) == 0, "ZMQ_LAST_ENDPOINT");
    void *second = bound_socket(context, ZMQ_PULL, "inproc://forgotten");
    void *sender = connected_socket(context, ZMQ_PUSH, actual);
    check(zmq_connect(sender, "inproc://forgotten") == 0, "connect");
    for (int number = 1; number <= 4; ++number) {
        char text[64];
        snprintf(text, sizeof text, "message %d", number);
        check(send_string(sender, text) >= 0, "send");
    }
    set_option(first, ZMQ_RCVTIMEO, 10000);
    for (int count = 0; count < 2; ++count) {
        char *text = receive_string(first);
        check(text != NULL, "receive");
        printf("the reader we look at: %s\n", text);
        free(text);
    }
    report("the one we forgot", second);
    report("the one we forgot", second);
    zmq_close(sender);
    zmq_close(first);
    zmq_close(second);
}

int main(int argc, char **argv) {
    void *context = new_context();
    without_subscription(context);
    in_another_context(context);
    to_an_unknown_identity(context);
    taken_by_another(context, text_argument(argc, argv, 1, "tcp://127.0.0.1:*"));
    end_context(context);
    return 0;
}
