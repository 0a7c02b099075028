// A client that proves who it is, and knows whom it talks to.
// Run: secure_client ENDPOINT FOLDER OWN-NAME SERVER-NAME
// It needs its own two files and the server's public one. Ends when it has an answer, or a refusal.
#include "certificates.h"

#include <stdint.h>

// Reads an event: its number, and what it says.
static int receive_event(void *monitor, uint32_t *value) {
    unsigned char frame[6];
    uint16_t event;
    check(zmq_recv(monitor, frame, sizeof frame, 0) == (int)sizeof frame, "an event");
    memcpy(&event, frame, sizeof event);
    memcpy(value, frame + sizeof event, sizeof *value);
    free(receive_frame(monitor, 0)); // the endpoint
    return event;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "Run: secure_client ENDPOINT FOLDER OWN-NAME SERVER-NAME\n");
        return 2;
    }
    curve_key own_public, own_secret, server_public;
    read_key(argv[2], argv[3], "public", own_public);
    read_key(argv[2], argv[3], "secret", own_secret);
    read_key(argv[2], argv[4], "public", server_public);

    void *context = new_context();
    void *client = new_socket(context, ZMQ_REQ);
    set_key(client, ZMQ_CURVE_SERVERKEY, server_public);
    set_key(client, ZMQ_CURVE_PUBLICKEY, own_public);
    set_key(client, ZMQ_CURVE_SECRETKEY, own_secret);
    set_option(client, ZMQ_LINGER, 0);
    check(zmq_socket_monitor(client, "inproc://events",
                             ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED) == 0,
          "zmq_socket_monitor");
    void *monitor = connected_socket(context, ZMQ_PAIR, "inproc://events");
    check(zmq_connect(client, argv[1]) == 0, argv[1]);
    send_string(client, "hello");

    // No call fails because of a refusal: the monitor is who tells.
    zmq_pollitem_t items[] = {{client, 0, ZMQ_POLLIN, 0}, {monitor, 0, ZMQ_POLLIN, 0}};
    check(zmq_poll(items, 2, -1) > 0, "zmq_poll");
    if (items[0].revents) {
        char *answer = receive_string(client);
        printf("%s: %s\n", argv[3], answer);
        free(answer);
    } else {
        uint32_t status;
        if (receive_event(monitor, &status) == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
            printf("%s: refused with status %u\n", argv[3], (unsigned)status);
        else
            printf("%s: this is not the server of that key\n", argv[3]);
    }
    zmq_close(client);
    zmq_close(monitor);
    end_context(context);
    return 0;
}
