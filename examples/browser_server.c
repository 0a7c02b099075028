// Request and reply, and publish and subscribe, with browsers: browser.html is the page that talks to this server.
// Every request gets a reply, and is told to all who have subscribed to "news".
// Run: browser_server [endpoint of requests] [endpoint of news] [requests, 0 = until Ctrl-C] [certificate.pem key.pem]
// Then open browser.html. Any other REQ can ask too: hello_client ws://127.0.0.1:7191/
// Endpoints with wss:// need the two files.
#define ZMQ_BUILD_DRAFT_API
#include "helpers.h"

static void set_from_file(void *socket, int option, const char *path) {
    char text[16 * 1024];
    FILE *file = fopen(path, "r");
    check(file != NULL, path);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    check(zmq_setsockopt(socket, option, text, size) == 0, path);
}

static void *listening_socket(void *context, int type, const char *endpoint, const char *certificate, const char *key) {
    void *socket = new_socket(context, type);
    if (certificate && key) {
        set_from_file(socket, ZMQ_WSS_CERT_PEM, certificate);
        set_from_file(socket, ZMQ_WSS_KEY_PEM, key);
    }
    check(zmq_bind(socket, endpoint) == 0, endpoint);
    return socket;
}

int main(int argc, char **argv) {
    const char *requests = text_argument(argc, argv, 1, "ws://127.0.0.1:7191/");
    const char *news = text_argument(argc, argv, 2, "ws://127.0.0.1:7192/");
    long limit = number_argument(argc, argv, 3, 0);
    const char *certificate = text_argument(argc, argv, 4, NULL);
    const char *key = text_argument(argc, argv, 5, NULL);
    catch_stop_signals();
    void *context = new_context();
    void *server = listening_socket(context, ZMQ_REP, requests, certificate, key);
    void *publisher = listening_socket(context, ZMQ_PUB, news, certificate, key);
    announce_ready("server");

    long served = 0;
    while (!stop_requested && (limit == 0 || served < limit)) {
        char *request = receive_string(server);
        if (request == NULL) continue;
        printf("server: %s\n", request);
        fflush(stdout);
        char text[300];
        snprintf(text, sizeof text, "news: somebody said \"%.200s\"", request);
        free(request);
        send_string(publisher, text);
        if (send_string(server, "world") >= 0) ++served;
    }
    printf("server: %ld requests served\n", served);
    zmq_close(publisher);
    zmq_close(server);
    end_context(context);
    return 0;
}
