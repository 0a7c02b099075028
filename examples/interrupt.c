// Ctrl-C while a call blocks: each kind of call comes back with EINTR, and the program ends
// cleanly. Run: interrupt [recv|send|poll|proxy|pipe]   then press Ctrl-C A signal that arrives
// just before the call blocks is not remembered by the library: the first four variants may need a
// second Ctrl-C. "pipe" shows the safe way: the handler writes to a pipe, and zmq_poll waits for
// the socket and the pipe.
#include "helpers.h"

static int wake_pipe[2];

static void on_signal_write(int number) {
    char byte = (char)number;
    int error = errno;
    if (write(wake_pipe[1], &byte, 1) < 0) stop_requested = 2; // a full pipe is a wakeup too
    stop_requested = 1;
    errno = error;
}

static int wait_with_pipe(void *socket) {
    zmq_pollitem_t items[] = {{socket, 0, ZMQ_POLLIN, 0}, {NULL, wake_pipe[0], ZMQ_POLLIN, 0}};
    while (zmq_poll(items, 2, -1) == -1) check(zmq_errno() == EINTR, "zmq_poll");
    return items[1].revents & ZMQ_POLLIN;
}

int main(int argc, char **argv) {
    const char *call = text_argument(argc, argv, 1, "recv");
    catch_stop_signals();
    void *context = new_context();
    void *replier = bound_socket(context, ZMQ_REP, "inproc://nobody-asks");
    void *dealer = bound_socket(context, ZMQ_DEALER, "inproc://nobody-answers");
    zmq_pollitem_t item = {replier, 0, ZMQ_POLLIN, 0};

    if (strcmp(call, "pipe") == 0) {
        check(pipe(wake_pipe) == 0, "pipe");
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_handler = on_signal_write;
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, NULL);
        announce_ready("interrupt");
        printf("pipe: %s\n", wait_with_pipe(replier) ? "woken by the signal" : "woken otherwise");
        close(wake_pipe[0]);
        close(wake_pipe[1]);
    } else {
        int result = 0;
        announce_ready("interrupt");
        if (strcmp(call, "recv") == 0) {
            char buffer[1];
            result = zmq_recv(replier, buffer, sizeof buffer, 0);
        } else if (strcmp(call, "send") == 0) {
            result = send_string(dealer, "there is no peer that could take this");
        } else if (strcmp(call, "poll") == 0) {
            result = zmq_poll(&item, 1, -1);
        } else if (strcmp(call, "proxy") == 0) {
            result = zmq_proxy(replier, dealer, NULL);
        }
        int error = zmq_errno();
        printf("%s: %d, %s, flag %d\n", call, result, error == EINTR ? "EINTR" : "another error",
               (int)stop_requested);
    }
    zmq_close(replier);
    zmq_close(dealer);
    end_context(context);
    printf("interrupt: ended cleanly\n");
    return 0;
}
