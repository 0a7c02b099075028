// A server that talks to those it knows, over CURVE: nobody can listen, and a ZAP handler lets in only
// whose public key is in the folder.
// Run: secure_server ENDPOINT FOLDER SERVER-NAME GUEST-NAME ...
// Make the certificates of server and guests with make_certificate first; then start secure_client.
#include "certificates.h"

enum { guests_max = 16 };

struct guest_list {
    void *context;
    int count;
    const char *names[guests_max];
    unsigned char keys[guests_max][32];
};

static const char *guest_with_key(const struct guest_list *list, const unsigned char *key) {
    for (int i = 0; i < list->count; ++i)
        if (memcmp(list->keys[i], key, 32) == 0) return list->names[i];
    return NULL;
}

// A request of the library's: version, id, domain, address, routing id, mechanism, and here the
// client's public key of 32 bytes. False: nobody will ask any more.
static int receive_request(void *handler, unsigned char key[32], int *is_curve) {
    char mechanism[16] = "";
    int frame = 0, key_size = 0, more;
    do {
        char other[256];
        int is_key = frame == 6, is_mechanism = frame == 5;
        int size = is_key ? zmq_recv(handler, key, 32, 0)
                   : is_mechanism ? zmq_recv(handler, mechanism, sizeof mechanism - 1, 0)
                                  : zmq_recv(handler, other, sizeof other, 0);
        if (size < 0) return 0;
        if (is_key) key_size = size;
        more = more_follows(handler);
        ++frame;
    } while (more);
    *is_curve = frame == 7 && key_size == 32 && strcmp(mechanism, "CURVE") == 0;
    return 1;
}

// Answers until the context ends: status, its text, who it is, and nothing more to know.
static void *judge(void *argument) {
    const struct guest_list *list = argument;
    void *handler = bound_socket(list->context, ZMQ_REP, "inproc://zeromq.zap.01");
    void *started = connected_socket(list->context, ZMQ_PAIR, "inproc://handler-started");
    send_string(started, "");
    zmq_close(started);
    unsigned char key[32];
    int is_curve;
    while (receive_request(handler, key, &is_curve)) {
        const char *name = is_curve ? guest_with_key(list, key) : NULL;
        printf("handler: %s\n", name ? name : "a stranger, turned away");
        fflush(stdout);
        send_string_more(handler, "1.0");
        send_string_more(handler, "1");
        send_string_more(handler, name ? "200" : "400");
        send_string_more(handler, name ? "welcome" : "not on the list");
        send_string_more(handler, name ? name : "");
        send_string(handler, "");
    }
    zmq_close(handler);
    return NULL;
}

// The handler has to be there before the first client is.
static pthread_t start_handler(struct guest_list *list) {
    void *started = bound_socket(list->context, ZMQ_PAIR, "inproc://handler-started");
    pthread_t thread = new_thread(judge, list);
    free(receive_string(started));
    zmq_close(started);
    return thread;
}

int main(int argc, char **argv) {
    if (argc < 5 || argc - 4 > guests_max) {
        fprintf(stderr, "Run: secure_server ENDPOINT FOLDER SERVER-NAME GUEST-NAME ...\n");
        return 2;
    }
    curve_key key;
    struct guest_list list = {.count = argc - 4};
    for (int i = 0; i < list.count; ++i) {
        list.names[i] = argv[4 + i];
        read_key(argv[2], list.names[i], "public", key);
        zmq_z85_decode(list.keys[i], key);
    }
    catch_stop_signals();
    list.context = new_context();
    pthread_t handler = start_handler(&list);

    void *server = new_socket(list.context, ZMQ_REP);
    set_option(server, ZMQ_CURVE_SERVER, 1);
    read_key(argv[2], argv[3], "secret", key);
    set_key(server, ZMQ_CURVE_SECRETKEY, key);
    check(zmq_bind(server, argv[1]) == 0, argv[1]);
    announce_ready("server");

    while (!stop_requested) {
        zmq_msg_t request;
        zmq_msg_init(&request);
        if (zmq_msg_recv(&request, server, 0) >= 0) {
            // The user id that the handler has given, on every message.
            const char *user = zmq_msg_gets(&request, "User-Id");
            char answer[128];
            snprintf(answer, sizeof answer, "good day, %s", user ? user : "whoever you are");
            printf("server: %.*s from %s\n", (int)zmq_msg_size(&request),
                   (char *)zmq_msg_data(&request), user ? user : "nobody");
            fflush(stdout);
            send_string(server, answer);
        }
        zmq_msg_close(&request);
    }
    zmq_close(server);
    zmq_ctx_shutdown(list.context); // ends the handler's wait
    pthread_join(handler, NULL);
    end_context(list.context);
    return 0;
}
