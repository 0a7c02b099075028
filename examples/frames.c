// Messages of several frames, sent and received with the two helpers most programs write first.
// Run: frames [endpoint]
// Also what such helpers must get right: empty frames, a closed message after the send, and the
// end of the context while a receive waits.
#include "helpers.h"

static void print_frame(const char *how, const zmq_msg_t *frame, int more) {
    size_t size = zmq_msg_size(frame);
    printf("  %s: %zu bytes '%.*s'%s\n", how, size, (int)size,
           (const char *)zmq_msg_data((zmq_msg_t *)frame), more ? ", more follows" : "");
}

// Reads one message; asks the socket, or each frame, whether more follows.
static void print_message(void *socket, int ask_frame) {
    for (int more = 1; more;) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        int size = zmq_msg_recv(&frame, socket, 0);
        check(size >= 0 && (size_t)size == zmq_msg_size(&frame), "receive");
        more = ask_frame ? zmq_msg_more(&frame) : more_follows(socket);
        print_frame(ask_frame ? "zmq_msg_more" : "ZMQ_RCVMORE", &frame, more);
        zmq_msg_close(&frame);
    }
}

static void *receive_until_end(void *socket) {
    char *text = receive_string(socket);
    printf("blocked receive: %s\n", text != NULL           ? "a message"
                                    : zmq_errno() == ETERM ? "the context has ended"
                                                           : "another error");
    free(text);
    zmq_close(socket);
    return NULL;
}

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "inproc://frames");
    void *context = new_context();
    void *receiver = bound_socket(context, ZMQ_PULL, endpoint);
    void *sender = connected_socket(context, ZMQ_PUSH, endpoint);

    for (int message = 0; message < 2; ++message) {
        send_string_more(sender, "first");
        send_string_more(sender, "");
        send_string(sender, "third");
        printf("message %d\n", message + 1);
        print_message(receiver, message);
    }
    send_string(sender, "");
    char *text = receive_string(receiver);
    printf("an empty message is %s\n",
           text != NULL && strlen(text) == 0 ? "an empty string" : "something else");
    free(text);
    text = receive_frame(receiver, ZMQ_DONTWAIT);
    printf("no message is %s\n",
           text == NULL && zmq_errno() == EAGAIN ? "EAGAIN" : "something else");

    zmq_close(sender);
    pthread_t thread = new_thread(receive_until_end, receiver);
    end_context(context);
    pthread_join(thread, NULL);
    return 0;
}
