// CURVE for a benchmark: both sides know these keys, which protect nothing.
#ifndef PERF_CURVE_H
#define PERF_CURVE_H

#include "measure.h"

static const char curve_server_public[] = "G+VgQ}tI!AcVh^hUV(.208.i?8WA109gFbY-d+G9";
static const char curve_server_secret[] = "Uxi*rBcq{N=a%7$z$eAtNu)WPqdWo74i:B.y(R3i";
static const char curve_client_public[] = "aWx$G:L(w=oe1JEUEK@ANME)81MmAyUMZc$9QmYO";
static const char curve_client_secret[] = "5duA0r&qs}KYA9l!uQwWPe{E$/+H!WRd:vqmgeGw";

static inline void set_key(void *socket, int option, const char *key) {
    check(zmq_setsockopt(socket, option, key, strlen(key)) == 0, "a CURVE key");
}

static inline void make_curve_server(void *socket) {
    set_option(socket, ZMQ_CURVE_SERVER, 1);
    set_key(socket, ZMQ_CURVE_SECRETKEY, curve_server_secret);
}

static inline void make_curve_client(void *socket) {
    set_key(socket, ZMQ_CURVE_SERVERKEY, curve_server_public);
    set_key(socket, ZMQ_CURVE_PUBLICKEY, curve_client_public);
    set_key(socket, ZMQ_CURVE_SECRETKEY, curve_client_secret);
}

#endif
