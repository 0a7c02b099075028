// A server with several threads: ROUTER outside, DEALER inside, one REP socket per thread.
// Run: threaded_server [endpoint to bind] [threads]
// Clients: hello_client or request_client. Sockets are never shared; the threads share only the
// context, over which inproc connects them.
#include "helpers.h"

static void *serve(void *context) {
    void *replier = connected_socket(context, ZMQ_REP, "inproc://workers");
    long served = 0;
    for (;;) {
        char *request = receive_string(replier);
        if (request == NULL && zmq_errno() == ETERM)
            break; // the main thread has shut the context down
        if (request == NULL) continue;
        free(request);
        if (send_string(replier, "world") >= 0) ++served;
    }
    zmq_close(replier);
    long *result = malloc(sizeof *result);
    check(result != NULL, "malloc");
    *result = served;
    return result;
}

int main(int argc, char **argv) {
    const char *endpoint = text_argument(argc, argv, 1, "tcp://127.0.0.1:7101");
    long count = number_argument(argc, argv, 2, 5);
    pthread_t threads[64];
    if (count < 1 || count > 64) return 2;
    void *context = new_context();
    void *clients = bound_socket(context, ZMQ_ROUTER, endpoint);

    // Signals are for the main thread: the others are created with them blocked.
    sigset_t stop_signals, before;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGINT);
    sigaddset(&stop_signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &stop_signals, &before);
    for (long index = 0; index < count; ++index) threads[index] = new_thread(serve, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    catch_stop_signals();

    // The threads may have connected already: on inproc the order is free.
    void *workers = bound_socket(context, ZMQ_DEALER, "inproc://workers");
    announce_ready("server");
    while (!stop_requested) zmq_proxy(clients, workers, NULL);

    zmq_ctx_shutdown(context);
    long served = 0;
    for (long index = 0; index < count; ++index) {
        void *result;
        pthread_join(threads[index], &result);
        served += *(long *)result;
        free(result);
    }
    printf("server: %ld threads served %ld requests\n", count, served);
    zmq_close(clients);
    zmq_close(workers);
    end_context(context);
    return 0;
}
