// nanomsg: PUSH/PULL and REQ/REP on tcp, ipc and inproc, with its messages, so that it need not
// copy.
#include "peer.h"

#include <nanomsg/nn.h>
#include <nanomsg/pipeline.h>
#include <nanomsg/reqrep.h>
#include <nanomsg/tcp.h>

struct peer {
    int socket;
    void *kept;
    size_t kept_size;
};

static void check(int succeeded, const char *what) {
    if (!succeeded) fail(what, nn_strerror(nn_errno()));
}

struct peer *new_peer(enum peer_role role, const char *endpoint) {
    static const int protocols[] = {NN_PUSH, NN_PULL, NN_REQ, NN_REP};
    struct peer *self = new_memory(1, sizeof *self);
    self->socket = nn_socket(AF_SP, protocols[role]);
    check(self->socket >= 0, "nn_socket");
    int unlimited = -1, on = 1;
    check(nn_setsockopt(self->socket, NN_SOL_SOCKET, NN_RCVMAXSIZE, &unlimited, sizeof unlimited) ==
              0,
          "NN_RCVMAXSIZE");
    check(nn_setsockopt(self->socket, NN_TCP, NN_TCP_NODELAY, &on, sizeof on) == 0,
          "NN_TCP_NODELAY");
    if (role == role_pull || role == role_answer)
        check(nn_bind(self->socket, endpoint) >= 0, endpoint);
    else
        check(nn_connect(self->socket, endpoint) >= 0, endpoint);
    return self;
}

void send_new(struct peer *self, size_t size) {
    void *message = nn_allocmsg(size, 0);
    check(message != NULL, "nn_allocmsg");
    check(nn_send(self->socket, &message, NN_MSG, 0) >= 0, "nn_send");
}

void flush(struct peer *self) { (void)self; }

size_t receive(struct peer *self) {
    if (self->kept != NULL) nn_freemsg(self->kept);
    int size = nn_recv(self->socket, &self->kept, NN_MSG, 0);
    check(size >= 0, "nn_recv");
    return self->kept_size = (size_t)size;
}

void send_back(struct peer *self) {
    check(nn_send(self->socket, &self->kept, NN_MSG, 0) >= 0, "nn_send");
    self->kept = NULL;
}

void end_peer(struct peer *self) {
    if (self->kept != NULL) nn_freemsg(self->kept);
    check(nn_close(self->socket) == 0, "nn_close");
    free(self);
}
