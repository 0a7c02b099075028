// A connection of something else than zmq.h, with just what peer_thr.c and peer_lat.c need. There
// are three of them: bare sockets (the limit), nng and nanomsg.
#ifndef PERF_PEER_H
#define PERF_PEER_H

#include "perf.h"

enum peer_role { role_push, role_pull, role_ask, role_answer };

struct peer;

// role_pull and role_answer listen, and return before anybody has connected; the others connect.
struct peer *new_peer(enum peer_role role, const char *endpoint);
// Sends a message made for this call; what is in it does not matter. May wait in a buffer.
void send_new(struct peer *self, size_t size);
void flush(struct peer *self);
// Receives a message and keeps it until the next call. Returns its size.
size_t receive(struct peer *self);
// Sends, and flushes, the message that was kept.
void send_back(struct peer *self);
void end_peer(struct peer *self);

#endif
