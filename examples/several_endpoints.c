// One server socket with several endpoints: two tcp ports and one inproc name, all served alike.
// Run: several_endpoints [first endpoint] [second endpoint] [rounds per client]
// The two outer endpoints may be of any transport, also "tcp://127.0.0.1:*".
#include "helpers.h"

struct client {
    void *context;
    char endpoint[256];
    long rounds;
};

static void *ask(void *argument) {
    const struct client *self = argument;
    void *socket = connected_socket(self->context, ZMQ_REQ, self->endpoint);
    for (long round = 0; round < self->rounds; ++round) {
        check(send_string(socket, "question") >= 0, "send");
        char *reply = receive_string(socket);
        check(reply != NULL && strcmp(reply, "answer") == 0, "receive");
        free(reply);
    }
    zmq_close(socket);
    return NULL;
}

int main(int argc, char **argv) {
    enum { endpoints = 3 };
    const char *const names[endpoints] = {text_argument(argc, argv, 1, "tcp://127.0.0.1:*"),
                                          text_argument(argc, argv, 2, "tcp://127.0.0.1:*"),
                                          "inproc://inside"};
    long rounds = number_argument(argc, argv, 3, 100);
    void *context = new_context();
    void *server = new_socket(context, ZMQ_REP);
    struct client clients[endpoints];
    pthread_t threads[endpoints];
    for (int index = 0; index < endpoints; ++index) {
        check(zmq_bind(server, names[index]) == 0, names[index]);
        clients[index].context = context;
        clients[index].rounds = rounds;
        size_t size = sizeof clients[index].endpoint;
        check(zmq_getsockopt(server, ZMQ_LAST_ENDPOINT, clients[index].endpoint, &size) == 0,
              "ZMQ_LAST_ENDPOINT");
    }
    for (int index = 0; index < endpoints; ++index)
        threads[index] = new_thread(ask, &clients[index]);

    for (long served = 0; served < rounds * endpoints; ++served) {
        char *request = receive_string(server);
        check(request != NULL, "receive");
        free(request);
        check(send_string(server, "answer") >= 0, "send");
    }
    for (int index = 0; index < endpoints; ++index) {
        pthread_join(threads[index], NULL);
        printf("client %d: %ld answers\n", index + 1, rounds);
    }
    zmq_close(server);
    end_context(context);
    return 0;
}
