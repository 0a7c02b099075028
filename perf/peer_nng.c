// nng: PUSH/PULL and REQ/REP on tcp, ipc and inproc, with its messages, so that it need not copy.
#include "peer.h"

#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>

struct peer {
    nng_socket socket;
    nng_msg *kept;
};

static void check(int error, const char *what) {
    if (error != 0) fail(what, nng_strerror(error));
}

struct peer *new_peer(enum peer_role role, const char *endpoint) {
    struct peer *self = new_memory(1, sizeof *self);
    switch (role) {
    case role_push:
        check(nng_push0_open(&self->socket), "nng_push0_open");
        break;
    case role_pull:
        check(nng_pull0_open(&self->socket), "nng_pull0_open");
        break;
    case role_ask:
        check(nng_req0_open(&self->socket), "nng_req0_open");
        break;
    case role_answer:
        check(nng_rep0_open(&self->socket), "nng_rep0_open");
        break;
    }
    // Room like the default high water mark of zmq.h, where the pattern has such buffers.
    (void)nng_socket_set_int(self->socket, NNG_OPT_SENDBUF, 1000);
    (void)nng_socket_set_int(self->socket, NNG_OPT_RECVBUF, 1000);
    if (role == role_pull || role == role_answer)
        check(nng_listen(self->socket, endpoint, NULL, 0), endpoint);
    else
        check(nng_dial(self->socket, endpoint, NULL, 0), endpoint);
    return self;
}

void send_new(struct peer *self, size_t size) {
    nng_msg *message;
    check(nng_msg_alloc(&message, size), "nng_msg_alloc");
    check(nng_sendmsg(self->socket, message, 0), "nng_sendmsg");
}

void flush(struct peer *self) { (void)self; }

size_t receive(struct peer *self) {
    nng_msg_free(self->kept);
    check(nng_recvmsg(self->socket, &self->kept, 0), "nng_recvmsg");
    return nng_msg_len(self->kept);
}

void send_back(struct peer *self) {
    check(nng_sendmsg(self->socket, self->kept, 0), "nng_sendmsg");
    self->kept = NULL;
}

void end_peer(struct peer *self) {
    nng_msg_free(self->kept);
    check(nng_close(self->socket), "nng_close");
    free(self);
}
