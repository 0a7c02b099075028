// Request and reply, and publish and subscribe, with browsers: browser.html is the page that talks to this server.
// Every request gets a reply, and is told to all who have subscribed to "news".
// Run: browser_server [endpoint of requests] [endpoint of news] [requests, 0 = until Ctrl-C]
// Then open browser.html. Any other REQ can ask too: hello_client ws://127.0.0.1:7191/
#include "helpers.h"

int main(int argc, char **argv) {
    const char *requests = text_argument(argc, argv, 1, "ws://127.0.0.1:7191/");
    const char *news = text_argument(argc, argv, 2, "ws://127.0.0.1:7192/");
    long limit = number_argument(argc, argv, 3, 0);
    catch_stop_signals();
    void *context = new_context();
    void *server = bound_socket(context, ZMQ_REP, requests);
    void *publisher = bound_socket(context, ZMQ_PUB, news);
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
