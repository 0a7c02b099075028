/* The scenarios: what programs do with the library, in a few milliseconds each. */
#define ZMQ_BUILD_DRAFT_API
#include "scenario.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* MEETING_S: publications are for those who are there; where every tenth call fails, that is seldom, and an answer needs many tries. */
enum { MESSAGES = 40, PATIENCE_MS = 3000, MEETING_S = 15 };

#define LENGTH(array) (sizeof (array) / sizeof *(array))

static double now_s (void)
{
    struct timespec t;
    clock_gettime (CLOCK_MONOTONIC, &t);
    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}

static double call_failing_since;
static const char *call_failing;

void note_failure (const char *call)
{
    const int error = errno;
    outcome->last_errno = error;
    snprintf (outcome->last_call, sizeof outcome->last_call, "%s", call);
    /* A timeout of ours is no fault: it is what waits for the fault's consequences. */
    if (error == EAGAIN && strstr (call, "recv")) {
        call_failing = NULL;
        return;
    }
    atomic_fetch_add (&outcome->errors, 1);
    if (error == 0)
        violate ("%s failed with errno 0", call);
    if (error == ETERM || error == ENOTSOCK || error == EFAULT)
        violate ("%s: %s", call, strerror (error));
    if (call_failing != call) {
        call_failing = call;
        call_failing_since = now_s ();
    } else if (now_s () - call_failing_since > 4) {
        violate ("%s fails for ever: %s", call, zmq_strerror (error));
    }
    usleep (200);
}

#define AT(text) snprintf (outcome->at, sizeof outcome->at, "%s", text)

/* ---- making and unmaking */

static void *new_context (void)
{
    call_failing = NULL;
    AT ("zmq_ctx_new");
    return TRY_PTR (zmq_ctx_new ());
}

static void set_int (void *socket, int option, int value)
{
    TRY (zmq_setsockopt (socket, option, &value, sizeof value));
}

static void *new_socket (void *context, int type)
{
    AT ("zmq_socket");
    void *socket = TRY_PTR (zmq_socket (context, type));
    set_int (socket, ZMQ_LINGER, 2000);
    set_int (socket, ZMQ_RECONNECT_IVL, 5);
    set_int (socket, ZMQ_RCVTIMEO, 200);
    set_int (socket, ZMQ_SNDTIMEO, 200);
    return socket;
}

static void close_socket (void *socket)
{
    AT ("zmq_close");
    TRY (zmq_close (socket));
}

static void end_context (void *context)
{
    AT ("zmq_ctx_term");
    TRY (zmq_ctx_term (context));
    AT ("after zmq_ctx_term");
}

static void bind_wildcard (void *socket, const char *endpoint, char *bound, size_t size)
{
    AT ("zmq_bind");
    TRY (zmq_bind (socket, endpoint));
    size_t length = size;
    while (zmq_getsockopt (socket, ZMQ_LAST_ENDPOINT, bound, &length) != 0) {
        note_failure ("zmq_getsockopt");
        length = size;
    }
}

static void connect_to (void *socket, const char *endpoint)
{
    AT ("zmq_connect");
    TRY (zmq_connect (socket, endpoint));
}

/* ---- watching */

struct watch
{
    void *socket;
};

enum { WATCHES_MAX = 4 };
static struct watch watches[WATCHES_MAX]; /* those that are open, of the main thread */

static struct watch watch_socket (void *context, void *socket, const char *name)
{
    struct watch watch;
    AT ("zmq_socket_monitor");
    TRY (zmq_socket_monitor (socket, name, ZMQ_EVENT_ALL));
    watch.socket = new_socket (context, ZMQ_PAIR);
    set_int (watch.socket, ZMQ_LINGER, 0);
    connect_to (watch.socket, name);
    for (int i = 0; i < WATCHES_MAX; ++i) {
        if (!watches[i].socket) {
            watches[i] = watch;
            break;
        }
    }
    return watch;
}

static void take_events (struct watch watch)
{
    for (;;) {
        unsigned char event[6];
        char endpoint[256];
        const int size = zmq_recv (watch.socket, event, sizeof event, ZMQ_DONTWAIT);
        if (size == -1) {
            if (errno == EAGAIN)
                return;
            note_failure ("zmq_recv of an event");
            continue;
        }
        if (size != 6)
            violate ("an event of %d bytes", size);
        TRY (zmq_recv (watch.socket, endpoint, sizeof endpoint, 0));
        const int number = event[0] | event[1] << 8;
        if (number & (ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
                      | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH))
            atomic_fetch_add (&outcome->dropped, 1);
        if (number & (ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
                      | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_CLOSE_FAILED
                      | ZMQ_EVENT_BIND_FAILED | ZMQ_EVENT_CONNECT_RETRIED))
            atomic_fetch_add (&outcome->events, 1);
    }
}

static bool has_dropped (void)
{
    for (int i = 0; i < WATCHES_MAX; ++i)
        if (watches[i].socket)
            take_events (watches[i]);
    return atomic_load (&outcome->dropped) > 0;
}

static void end_watch (void *watched, struct watch watch)
{
    for (int i = 0; i < WATCHES_MAX; ++i)
        if (watches[i].socket == watch.socket)
            watches[i].socket = NULL;
    AT ("end of the monitor");
    TRY (zmq_socket_monitor (watched, NULL, 0));
    take_events (watch);
    close_socket (watch.socket);
}

/* ---- numbered messages: their number, a size that follows from it, sometimes a second frame */

static size_t size_of (unsigned number)
{
    static const size_t sizes[] = {4, 10, 40, 200, 3000, 70000};
    return sizes[number % LENGTH (sizes)];
}

static bool has_tail (unsigned number)
{
    return number % 5 == 3;
}

static void fill (unsigned char *body, unsigned number, size_t size)
{
    memset (body, (int) (number & 0xff), size);
    memcpy (body, &number, 4);
}

/* 0, or -1 with an errno: then nothing of it was accepted. */
static int send_number (void *socket, unsigned number, int flags)
{
    const size_t size = size_of (number);
    zmq_msg_t message;
    if (zmq_msg_init_size (&message, size) != 0)
        return -1;
    fill (zmq_msg_data (&message), number, size);
    if (zmq_msg_send (&message, socket, flags | (has_tail (number) ? ZMQ_SNDMORE : 0)) == -1) {
        const int error = errno;
        zmq_msg_close (&message);
        errno = error;
        return -1;
    }
    if (has_tail (number))
        TRY (zmq_send (socket, &number, sizeof number, 0));
    return 0;
}

static void accept_number (void *socket, unsigned number)
{
    char text[64];
    snprintf (text, sizeof text, "sending %u", number);
    AT (text);
    while (send_number (socket, number, 0) != 0)
        note_failure ("zmq_msg_send");
}

/* The next number; -1 when there is none for `patience_ms`. */
static long take_number (void *socket, int patience_ms)
{
    const double until = now_s () + patience_ms / 1e3;
    zmq_msg_t message;
    while (zmq_msg_init (&message) != 0)
        note_failure ("zmq_msg_init");
    while (zmq_msg_recv (&message, socket, 0) == -1) {
        const bool has_waited = errno == EAGAIN;
        note_failure ("zmq_msg_recv");
        if (has_waited && now_s () > until) {
            zmq_msg_close (&message);
            return -1;
        }
    }
    call_failing = NULL;
    unsigned number = 0;
    const size_t size = zmq_msg_size (&message);
    const unsigned char *body = zmq_msg_data (&message);
    if (size < 4)
        violate ("a message of %zu bytes", size);
    else
        memcpy (&number, body, 4);
    if (number >= 1000000 || size != size_of (number))
        violate ("message %u has %zu bytes", number, size);
    for (size_t i = 4; i < size; ++i)
        if (body[i] != (number & 0xff))
            violate ("message %u is damaged at %zu", number, i);
    const bool more = zmq_msg_more (&message) != 0;
    if (more != has_tail (number))
        violate ("message %u is torn", number);
    if (more) {
        unsigned tail = 0;
        int rc;
        while ((rc = zmq_recv (socket, &tail, sizeof tail, 0)) == -1) {
            if (errno == EAGAIN && now_s () > until + PATIENCE_MS / 1e3)
                violate ("message %u lacks its tail", number);
            note_failure ("zmq_recv of a tail");
        }
        if (rc != 4 || tail != number)
            violate ("the tail of message %u is %d bytes, %u", number, rc, tail);
    }
    zmq_msg_close (&message);
    return (long) number;
}

static bool has_come[1024];

/* Each comes once, and in order; but two connections are two pipes, without an order between them (ORD-2). */
static void note_late (long number, unsigned due)
{
    if (number >= (long) LENGTH (has_come) || has_come[number])
        violate ("message %ld comes again: %u was due", number, due);
    if (!may_lose || !has_dropped ())
        violate ("message %ld comes late: %u was due", number, due);
    has_come[number] = true;
}

static void take_all (void *socket, unsigned first, unsigned end)
{
    unsigned next = first;
    memset (has_come + first, 0, end - first);
    AT ("receiving");
    while (next < end) {
        const long number = take_number (socket, PATIENCE_MS);
        if (number < 0) {
            if (!may_lose || !has_dropped ())
                violate ("messages %u to %u are lost", next, end - 1);
            return;
        }
        if ((unsigned) number < next) {
            note_late (number, next);
            continue;
        }
        if ((unsigned) number > next && !may_lose)
            violate ("message %u is lost: %ld came", next, number);
        has_come[number] = true;
        next = (unsigned) number + 1;
    }
}

/* ---- life without messages */

static void run_life (void)
{
    void *context = new_context ();
    TRY (zmq_ctx_set (context, ZMQ_IO_THREADS, 2));
    TRY (zmq_ctx_set (context, ZMQ_THREAD_NAME_PREFIX, 7));
    TRY (zmq_ctx_set (context, ZMQ_THREAD_AFFINITY_CPU_ADD, 0));
    static const int types[] = {ZMQ_PAIR, ZMQ_PUB,  ZMQ_SUB,  ZMQ_REQ,  ZMQ_REP,  ZMQ_DEALER,
                                ZMQ_ROUTER, ZMQ_PULL, ZMQ_PUSH, ZMQ_XPUB, ZMQ_XSUB, ZMQ_STREAM};
    for (size_t i = 0; i < LENGTH (types); ++i) {
        void *socket = new_socket (context, types[i]);
        char endpoint[256];
        int fd;
        size_t size = sizeof fd;
        set_int (socket, ZMQ_LINGER, 0);
        set_int (socket, ZMQ_SNDHWM, 10);
        if (types[i] == ZMQ_SUB)
            TRY (zmq_setsockopt (socket, ZMQ_SUBSCRIBE, "weather", 7));
        if (types[i] != ZMQ_PAIR && types[i] != ZMQ_STREAM)
            TRY (zmq_setsockopt (socket, ZMQ_ROUTING_ID, "a name that is longer than others", 33));
        AT ("ZMQ_FD");
        TRY (zmq_getsockopt (socket, ZMQ_FD, &fd, &size));
        bind_wildcard (socket, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
        AT ("zmq_unbind");
        TRY (zmq_unbind (socket, endpoint));
        bind_wildcard (socket, endpoint, endpoint, sizeof endpoint);
        connect_to (socket, "tcp://127.0.0.1:1");
        AT ("zmq_disconnect");
        TRY (zmq_disconnect (socket, "tcp://127.0.0.1:1"));
        close_socket (socket);
    }
    end_context (context);
}

static void run_names (void)
{
    void *context = new_context ();
    void *pull = new_socket (context, ZMQ_PULL);
    void *push = new_socket (context, ZMQ_PUSH);
    char endpoint[256], by_name[64];
    struct watch watch = watch_socket (context, push, "inproc://names");
    bind_wildcard (pull, "tcp://lo:*", endpoint, sizeof endpoint);
    const char *const port = strrchr (endpoint, ':');
    if (!port)
        violate ("the bound endpoint is named '%s'", endpoint);
    snprintf (by_name, sizeof by_name, "tcp://localhost%s", port);
    connect_to (push, by_name);
    for (unsigned i = 0; i < 3; ++i)
        accept_number (push, i);
    take_all (pull, 0, 3);
    end_watch (push, watch);
    close_socket (push);
    close_socket (pull);
    end_context (context);
}

static void *close_later (void *socket)
{
    usleep (3000);
    TRY (zmq_close (socket));
    return NULL;
}

/* A blocked call ends with the context. */
static void *receive_until_term (void *socket)
{
    char sink[16];
    for (;;) {
        if (zmq_recv (socket, sink, sizeof sink, 0) == -1) {
            if (errno == ETERM)
                break;
            note_failure ("zmq_recv until the end");
        }
    }
    return close_later (socket);
}

static void run_shutdown (void)
{
    void *context = new_context ();
    void *pull = new_socket (context, ZMQ_PULL);
    void *push = new_socket (context, ZMQ_PUSH);
    void *idle = new_socket (context, ZMQ_DEALER);
    char endpoint[256];
    bind_wildcard (pull, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    connect_to (push, endpoint);
    connect_to (idle, "tcp://127.0.0.1:1");
    set_int (idle, ZMQ_LINGER, 0);
    TRY (zmq_send (push, "x", 1, 0));
    set_int (pull, ZMQ_RCVTIMEO, -1);
    pthread_t blocked, late;
    pthread_create (&blocked, NULL, receive_until_term, pull);
    pthread_create (&late, NULL, close_later, idle);
    close_socket (push);
    usleep (1000);
    AT ("zmq_ctx_shutdown");
    TRY (zmq_ctx_shutdown (context));
    pthread_join (blocked, NULL);
    pthread_join (late, NULL);
    end_context (context);
}

/* ---- inproc: there is no excuse */

static void run_inproc (void)
{
    void *context = new_context ();
    void *push = new_socket (context, ZMQ_PUSH);
    void *pull = new_socket (context, ZMQ_PULL);
    void *left = new_socket (context, ZMQ_PAIR);
    void *right = new_socket (context, ZMQ_PAIR);
    connect_to (push, "inproc://before"); /* before the bind */
    for (unsigned i = 0; i < 10; ++i)
        accept_number (push, i);
    AT ("zmq_bind");
    TRY (zmq_bind (pull, "inproc://before"));
    TRY (zmq_bind (left, "inproc://pair"));
    connect_to (right, "inproc://pair");
    for (unsigned i = 10; i < 300; ++i)
        accept_number (push, i);
    take_all (pull, 0, 300);
    for (unsigned i = 0; i < 20; ++i) {
        accept_number (left, i);
        accept_number (right, i);
    }
    close_socket (left);
    take_all (right, 0, 20);
    close_socket (right);
    close_socket (push);
    close_socket (pull);
    end_context (context);
}

static void *forward_dealer (void *argument)
{
    void *const *pair = argument;
    for (unsigned i = 0; i < 200; ++i)
        accept_number (pair[0], i);
    return NULL;
}

static void run_inproc_threads (void)
{
    void *context = new_context ();
    void *dealer = new_socket (context, ZMQ_DEALER);
    void *sink = new_socket (context, ZMQ_DEALER);
    set_int (sink, ZMQ_RCVHWM, 7);
    set_int (dealer, ZMQ_SNDHWM, 7);
    TRY (zmq_bind (sink, "inproc://sink"));
    connect_to (dealer, "inproc://sink");
    void *argument[1] = {dealer};
    pthread_t thread;
    pthread_create (&thread, NULL, forward_dealer, argument);
    take_all (sink, 0, 200);
    pthread_join (thread, NULL);
    close_socket (dealer);
    close_socket (sink);
    end_context (context);
}

/* ---- PUSH and PULL over something */

static void set_nothing (void *client, void *server)
{
    (void) client;
    (void) server;
}

/* Half of the messages with the receiver at work, the rest while it waits. */
static void push_and_pull (const char *where, void (*set) (void *, void *))
{
    void *context = new_context ();
    void *pull = new_socket (context, ZMQ_PULL);
    void *push = new_socket (context, ZMQ_PUSH);
    char endpoint[256];
    set (push, pull);
    struct watch sender = watch_socket (context, push, "inproc://sender");
    struct watch receiver = watch_socket (context, pull, "inproc://receiver");
    bind_wildcard (pull, where, endpoint, sizeof endpoint);
    connect_to (push, endpoint);
    unsigned taken = 0;
    bool lost = false;
    memset (has_come, 0, sizeof has_come);
    for (unsigned i = 0; i < MESSAGES; ++i) {
        accept_number (push, i);
        if (i < MESSAGES / 2 && !lost) {
            const long number = take_number (pull, PATIENCE_MS);
            take_events (sender);
            take_events (receiver);
            if (number < 0 || (unsigned) number != taken) {
                if (!may_lose || !has_dropped ())
                    violate ("message %u was due, %ld came", taken, number);
                lost = number < 0;
            }
            if (number >= 0 && (unsigned) number < taken) {
                note_late (number, taken);
            } else if (number >= 0) {
                has_come[number] = true;
                taken = (unsigned) number + 1;
            }
        }
    }
    take_events (sender);
    take_events (receiver);
    take_all (pull, taken, MESSAGES);
    /* What is sent last is delivered after the sender has gone. */
    accept_number (push, MESSAGES);
    end_watch (push, sender);
    close_socket (push);
    take_all (pull, MESSAGES, MESSAGES + 1);
    end_watch (pull, receiver);
    close_socket (pull);
    end_context (context);
}

static void run_tcp (void)
{
    push_and_pull ("tcp://127.0.0.1:*", set_nothing);
}

static void run_ipc (void)
{
    push_and_pull ("ipc://*", set_nothing);
}

static void run_ws (void)
{
    if (!zmq_has ("WS")) {
        outcome->unsupported = true;
        return;
    }
    push_and_pull ("ws://127.0.0.1:*/path", set_nothing);
}

static void set_heartbeats (void *client, void *server)
{
    set_int (client, ZMQ_HEARTBEAT_IVL, 3);
    set_int (client, ZMQ_HEARTBEAT_TIMEOUT, 500);
    set_int (server, ZMQ_HEARTBEAT_IVL, 4);
    set_int (server, ZMQ_HEARTBEAT_TIMEOUT, 500);
    set_int (server, ZMQ_HEARTBEAT_TTL, 1000);
    set_int (client, ZMQ_TCP_KEEPALIVE, 1);
    set_int (client, ZMQ_TCP_KEEPALIVE_IDLE, 10);
    set_int (client, ZMQ_SNDBUF, 50000);
    set_int (server, ZMQ_RCVBUF, 50000);
    set_int (server, ZMQ_TOS, 8);
    set_int (client, ZMQ_CONNECT_TIMEOUT, 1000);
}

static void run_heartbeats (void)
{
    push_and_pull ("tcp://127.0.0.1:*", set_heartbeats);
}

/* ---- security, with a ZAP handler that says yes */

static void answer_zap (void *handler)
{
    /* A request is complete, or not there. */
    char frame[8][256];
    int size[8] = {0};
    int frames = 0, more = 1;
    while (more) {
        if (frames == 8) {
            violate ("a ZAP request of more than eight frames");
            return;
        }
        const int n = zmq_recv (handler, frame[frames], sizeof frame[frames], ZMQ_DONTWAIT);
        if (n == -1) {
            if (errno == EAGAIN && frames == 0)
                return;
            note_failure ("zmq_recv of a ZAP request");
            continue;
        }
        size[frames++] = n;
        size_t length = sizeof more;
        while (zmq_getsockopt (handler, ZMQ_RCVMORE, &more, &length) != 0)
            note_failure ("zmq_getsockopt");
    }
    if (frames < 6)
        violate ("a ZAP request of %d frames", frames);
    TRY (zmq_send (handler, "1.0", 3, ZMQ_SNDMORE));
    TRY (zmq_send (handler, frame[1], (size_t) size[1], ZMQ_SNDMORE));
    TRY (zmq_send (handler, "200", 3, ZMQ_SNDMORE));
    TRY (zmq_send (handler, "OK", 2, ZMQ_SNDMORE));
    TRY (zmq_send (handler, "user", 4, ZMQ_SNDMORE));
    TRY (zmq_send (handler, "", 0, 0));
}

static atomic_bool zap_ends;

static void *serve_zap (void *handler)
{
    while (!atomic_load (&zap_ends)) {
        zmq_pollitem_t item = {handler, 0, ZMQ_POLLIN, 0};
        if (zmq_poll (&item, 1, 10) == -1)
            note_failure ("zmq_poll of the ZAP handler");
        answer_zap (handler);
    }
    TRY (zmq_close (handler));
    return NULL;
}

static void with_zap (void (*set) (void *, void *))
{
    void *context = new_context ();
    void *handler = new_socket (context, ZMQ_REP);
    TRY (zmq_bind (handler, "inproc://zeromq.zap.01"));
    atomic_store (&zap_ends, false);
    pthread_t thread;
    pthread_create (&thread, NULL, serve_zap, handler);
    void *pull = new_socket (context, ZMQ_PULL);
    void *push = new_socket (context, ZMQ_PUSH);
    struct watch sender = watch_socket (context, push, "inproc://sender");
    struct watch receiver = watch_socket (context, pull, "inproc://receiver");
    char endpoint[256];
    TRY (zmq_setsockopt (pull, ZMQ_ZAP_DOMAIN, "global", 6));
    set (push, pull);
    bind_wildcard (pull, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    connect_to (push, endpoint);
    for (unsigned i = 0; i < 10; ++i)
        accept_number (push, i);
    const long first = take_number (pull, PATIENCE_MS);
    take_events (sender);
    take_events (receiver);
    if (first != 0 && (!may_lose || !has_dropped ()))
        violate ("message 0 was due, %ld came", first);
    take_all (pull, first < 0 ? 0 : (unsigned) first + 1, 10);
    end_watch (push, sender);
    end_watch (pull, receiver);
    close_socket (push);
    close_socket (pull);
    atomic_store (&zap_ends, true);
    pthread_join (thread, NULL);
    end_context (context);
}

static void set_plain (void *client, void *server)
{
    set_int (server, ZMQ_PLAIN_SERVER, 1);
    TRY (zmq_setsockopt (client, ZMQ_PLAIN_USERNAME, "somebody", 8));
    TRY (zmq_setsockopt (client, ZMQ_PLAIN_PASSWORD, "a password of some length", 25));
}

static void run_plain (void)
{
    with_zap (set_plain);
}

static void set_curve (void *client, void *server)
{
    char public_key[41], secret_key[41], server_public[41], server_secret[41];
    TRY (zmq_curve_keypair (public_key, secret_key));
    TRY (zmq_curve_keypair (server_public, server_secret));
    set_int (server, ZMQ_CURVE_SERVER, 1);
    TRY (zmq_setsockopt (server, ZMQ_CURVE_SECRETKEY, server_secret, 41));
    TRY (zmq_setsockopt (client, ZMQ_CURVE_SERVERKEY, server_public, 41));
    TRY (zmq_setsockopt (client, ZMQ_CURVE_PUBLICKEY, public_key, 41));
    TRY (zmq_setsockopt (client, ZMQ_CURVE_SECRETKEY, secret_key, 41));
}

static void run_curve (void)
{
    if (!zmq_has ("curve")) {
        outcome->unsupported = true;
        return;
    }
    with_zap (set_curve);
}

/* ---- the other patterns */

static void run_reqrep (void)
{
    void *context = new_context ();
    void *rep = new_socket (context, ZMQ_REP);
    void *req = new_socket (context, ZMQ_REQ);
    char endpoint[256];
    set_int (req, ZMQ_REQ_RELAXED, 1);
    set_int (req, ZMQ_REQ_CORRELATE, 1);
    set_int (req, ZMQ_RCVTIMEO, 20);
    set_int (rep, ZMQ_RCVTIMEO, 20);
    bind_wildcard (rep, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    connect_to (req, endpoint);
    for (unsigned i = 0; i < 12; ++i) {
        const double until = now_s () + 5;
        AT ("asking");
        for (bool answered = false; !answered;) {
            if (now_s () > until)
                violate ("request %u has no answer", i);
            if (send_number (req, i, 0) != 0) {
                note_failure ("zmq_msg_send of a request");
                continue;
            }
            /* All that wait are answered: those of connections that are gone are in front. */
            for (long asked; !answered && (asked = take_number (rep, 30)) >= 0;) {
                if ((unsigned) asked > i)
                    violate ("request %ld was not made", asked);
                while (send_number (rep, (unsigned) asked, 0) != 0) {
                    note_failure ("zmq_msg_send of an answer");
                    if (errno == EFSM)
                        violate ("the answer is refused");
                }
                const long answer = take_number (req, 5);
                answered = answer == (long) i;
                if (answer >= 0 && !answered)
                    violate ("request %u has answer %ld", i, answer);
            }
            if (!answered)
                atomic_fetch_add (&outcome->repeated, 1);
        }
    }
    close_socket (req);
    close_socket (rep);
    end_context (context);
}

static void run_pubsub (void)
{
    void *context = new_context ();
    void *pub = new_socket (context, ZMQ_PUB);
    void *sub = new_socket (context, ZMQ_SUB);
    void *xsub = new_socket (context, ZMQ_XSUB);
    char endpoint[256];
    set_int (sub, ZMQ_RCVTIMEO, 5);
    set_int (xsub, ZMQ_RCVTIMEO, 5);
    bind_wildcard (pub, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    TRY (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, "some topic that nobody publishes", 32));
    TRY (zmq_setsockopt (sub, ZMQ_SUBSCRIBE, "", 0));
    connect_to (sub, endpoint);
    connect_to (xsub, endpoint);
    AT ("subscribing");
    TRY (zmq_send (xsub, "\1", 1, 0));
    long last[2] = {-1, -1};
    int taken[2] = {0, 0};
    void *const readers[2] = {sub, xsub};
    const double until = now_s () + MEETING_S;
    AT ("publishing");
    for (unsigned i = 0; taken[0] < 10 || taken[1] < 10; ++i) {
        if (now_s () > until)
            violate ("subscribers got %d and %d messages", taken[0], taken[1]);
        accept_number (pub, i);
        for (int r = 0; r < 2; ++r) {
            const long number = take_number (readers[r], 1);
            if (number < 0)
                continue;
            if (number <= last[r])
                violate ("message %ld came after %ld", number, last[r]);
            last[r] = number;
            ++taken[r];
        }
    }
    TRY (zmq_setsockopt (sub, ZMQ_UNSUBSCRIBE, "", 0));
    close_socket (pub);
    close_socket (sub);
    close_socket (xsub);
    end_context (context);
}

/* What is said by itself when two meet, and bodies that do not lie inline. */
static void run_xpub (void)
{
    static const char topic[] = "\1a topic that is longer than what a message holds without memory";
    static const char welcome[] = "a welcome that is longer than what a message holds without memory";
    enum { TOPIC = sizeof topic - 1, WELCOME = sizeof welcome - 1, MORE = 8 };
    void *context = new_context ();
    void *xpub = new_socket (context, ZMQ_XPUB);
    void *xsub = new_socket (context, ZMQ_XSUB);
    char endpoint[256], got[128];
    set_int (xpub, ZMQ_RCVTIMEO, 5);
    set_int (xsub, ZMQ_RCVTIMEO, 5);
    TRY (zmq_setsockopt (xpub, ZMQ_XPUB_WELCOME_MSG, welcome, WELCOME));
    TRY (zmq_send (xsub, "\1a welcome", 10, 0));
    TRY (zmq_send (xsub, topic, TOPIC, 0));
    bind_wildcard (xpub, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    connect_to (xsub, endpoint);
    const double until = now_s () + MEETING_S;
    bool is_asked = false, is_welcome = false;
    AT ("meeting");
    for (int taken = 0; taken < 5 || !is_asked || !is_welcome;) {
        if (now_s () > until)
            violate ("the subscription %s, the welcome %s, and of the rest %d", is_asked ? "came" : "did not come",
                     is_welcome ? "came" : "did not", taken);
        int n = zmq_recv (xpub, got, sizeof got, 0);
        if (n == -1)
            note_failure ("zmq_recv of a subscription");
        is_asked = is_asked || (n == TOPIC && memcmp (got, topic, TOPIC) == 0);
        if (zmq_send (xpub, topic + 1, TOPIC - 1, ZMQ_SNDMORE) == -1)
            note_failure ("zmq_send of a topic");
        else
            TRY (zmq_send (xpub, "and more", MORE, 0));
        while ((n = zmq_recv (xsub, got, sizeof got, 0)) != -1) {
            if (n == WELCOME && memcmp (got, welcome, WELCOME) == 0) {
                is_welcome = true;
                continue;
            }
            if (n != TOPIC - 1 || memcmp (got, topic + 1, TOPIC - 1) != 0)
                violate ("a topic of %d bytes", n);
            if (TRY (zmq_recv (xsub, got, sizeof got, 0)) != MORE)
                violate ("a message is torn");
            ++taken;
        }
        note_failure ("zmq_recv of a publication");
    }
    close_socket (xpub);
    close_socket (xsub);
    end_context (context);
}

/* NULL where the library has no such type: the context has ended then. */
static void *radio_or_end (void *context)
{
    void *radio = zmq_socket (context, ZMQ_RADIO);
    if (radio)
        return radio;
    if (errno != EINVAL)
        return new_socket (context, ZMQ_RADIO);
    outcome->unsupported = true;
    end_context (context);
    return NULL;
}

static void run_groups (void)
{
    static const char *const groups[] = {"short", "a group with a name that is longer than what a message holds without memory"};
    void *context = new_context ();
    void *radio = radio_or_end (context);
    if (!radio)
        return;
    void *dish = new_socket (context, ZMQ_DISH);
    char endpoint[256];
    set_int (dish, ZMQ_RCVTIMEO, 5);
    for (int g = 0; g < 2; ++g)
        TRY (zmq_join (dish, groups[g]));
    bind_wildcard (radio, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    connect_to (dish, endpoint);
    const double until = now_s () + MEETING_S;
    int taken[2] = {0, 0};
    AT ("sending to groups");
    for (int i = 0; taken[0] < 5 || taken[1] < 5; ++i) {
        if (now_s () > until)
            violate ("of two groups came %d and %d messages", taken[0], taken[1]);
        zmq_msg_t message;
        TRY (zmq_msg_init_size (&message, 5));
        memcpy (zmq_msg_data (&message), "hello", 5);
        TRY (zmq_msg_set_group (&message, groups[i % 2]));
        if (zmq_msg_send (&message, radio, 0) == -1)
            note_failure ("zmq_msg_send to a group");
        zmq_msg_close (&message);
        TRY (zmq_msg_init (&message));
        if (zmq_msg_recv (&message, dish, 0) == -1)
            note_failure ("zmq_msg_recv of a group's");
        else if (zmq_msg_size (&message) != 5)
            violate ("a message of %zu bytes", zmq_msg_size (&message));
        else
            ++taken[strcmp (zmq_msg_group (&message), groups[0]) != 0];
        zmq_msg_close (&message);
    }
    close_socket (radio);
    close_socket (dish);
    end_context (context);
}

static void run_router (void)
{
    void *context = new_context ();
    void *router = new_socket (context, ZMQ_ROUTER);
    void *dealers[2];
    char endpoint[256];
    bind_wildcard (router, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    set_int (router, ZMQ_ROUTER_MANDATORY, 1);
    set_int (router, ZMQ_ROUTER_HANDOVER, 1);
    set_int (router, ZMQ_RCVTIMEO, 20);
    for (int d = 0; d < 2; ++d) {
        dealers[d] = new_socket (context, ZMQ_DEALER);
        TRY (zmq_setsockopt (dealers[d], ZMQ_ROUTING_ID, d ? "two" : "one", 3));
        set_int (dealers[d], ZMQ_RCVTIMEO, 20);
        connect_to (dealers[d], endpoint);
    }
    for (unsigned i = 0; i < 12; ++i) {
        void *const dealer = dealers[i % 2];
        const double until = now_s () + MEETING_S;
        AT ("asking a router");
        for (bool answered = false; !answered;) {
            if (now_s () > until)
                violate ("message %u did not come back", i);
            accept_number (dealer, i);
            for (;;) { /* all that wait are answered */
            char name[16];
            const int length = zmq_recv (router, name, sizeof name, 0);
            if (length == -1) {
                note_failure ("zmq_recv of a name");
                if (errno == EAGAIN)
                    break;
                continue;
            }
            if (length != 3 || memcmp (name, "one", 3) * memcmp (name, "two", 3) != 0)
                violate ("a peer is named with %d bytes", length);
            const long asked = take_number (router, PATIENCE_MS);
            if (asked < 0 || (unsigned) asked > i)
                violate ("the router got %ld", asked);
            int rc;
            while ((rc = zmq_send (router, name, 3, ZMQ_SNDMORE)) == -1 && errno != EHOSTUNREACH)
                note_failure ("zmq_send of a name");
            if (rc == -1)
                continue;
            while (send_number (router, (unsigned) asked, 0) != 0)
                note_failure ("zmq_msg_send of an answer");
            for (long answer; (answer = take_number (dealer, 5)) >= 0;) {
                if (answer > (long) i)
                    violate ("message %ld came back for %u", answer, i);
                if (answer == (long) i) {
                    answered = true;
                    break;
                }
            }
            if (answered)
                break;
            }
            if (!answered)
                atomic_fetch_add (&outcome->repeated, 1);
        }
    }
    close_socket (dealers[0]);
    close_socket (dealers[1]);
    close_socket (router);
    end_context (context);
}

/* The server goes and comes back; what waits is delivered. */
static void run_reconnect (void)
{
    void *context = new_context ();
    void *push = new_socket (context, ZMQ_PUSH);
    struct watch watch = watch_socket (context, push, "inproc://watch");
    char endpoint[256];
    void *pull = new_socket (context, ZMQ_PULL);
    bind_wildcard (pull, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    connect_to (push, endpoint);
    for (unsigned i = 0; i < 5; ++i)
        accept_number (push, i);
    const long first = take_number (pull, PATIENCE_MS);
    take_events (watch);
    if (first != 0 && !may_lose)
        violate ("message 0 was due, %ld came", first);
    if (first < 4)
        take_all (pull, first < 0 ? 0 : (unsigned) first + 1, 5);
    set_int (pull, ZMQ_LINGER, 0);
    close_socket (pull);
    /* Until the sender knows: what it sends before may be lost with the connection. */
    const int dropped = atomic_load (&outcome->dropped);
    const double until = now_s () + 5;
    AT ("waiting for the disconnection");
    while (atomic_load (&outcome->dropped) == dropped) {
        if (now_s () > until) {
            if (!may_lose)
                violate ("no event tells of the disconnection");
            break;
        }
        take_events (watch);
        usleep (500);
    }
    for (unsigned i = 5; i < 15; ++i)
        accept_number (push, i);
    pull = new_socket (context, ZMQ_PULL);
    AT ("binding again");
    TRY (zmq_bind (pull, endpoint));
    take_all (pull, 5, 15);
    end_watch (push, watch);
    close_socket (push);
    close_socket (pull);
    end_context (context);
}

/* The receiver takes little and goes: what had not got as far as the kernel comes to the next one, whole. Bodies of this
 * size are copied into the batch, and out of it again. */
enum { COPIED = 1500 };

static void send_copied (void *socket, unsigned number)
{
    unsigned char body[COPIED];
    fill (body, number, sizeof body);
    while (zmq_send (socket, body, sizeof body, 0) == -1)
        note_failure ("zmq_send");
    call_failing = NULL;
}

/* -1 when there is none for a while. */
static long take_copied (void *socket)
{
    unsigned char body[COPIED + 1], expected[COPIED];
    unsigned number;
    const double until = now_s () + PATIENCE_MS / 1e3;
    int n;
    while ((n = zmq_recv (socket, body, sizeof body, 0)) == -1) {
        const bool has_waited = errno == EAGAIN;
        note_failure ("zmq_recv");
        if (has_waited && now_s () > until)
            return -1;
    }
    call_failing = NULL;
    memcpy (&number, body, sizeof number);
    fill (expected, number, sizeof expected);
    if (n != COPIED || memcmp (body, expected, COPIED) != 0)
        violate ("a message of %d bytes is not what was sent", n);
    return (long) number;
}

static void run_broken (void)
{
    enum { SENT = 80 };
    void *context = new_context ();
    void *push = new_socket (context, ZMQ_PUSH);
    void *pull = new_socket (context, ZMQ_PULL);
    char endpoint[256];
    set_int (push, ZMQ_SNDBUF, 5000);
    set_int (pull, ZMQ_RCVBUF, 5000);
    set_int (pull, ZMQ_RCVHWM, 1);
    set_int (pull, ZMQ_LINGER, 0);
    bind_wildcard (pull, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    connect_to (push, endpoint);
    send_copied (push, 0);
    if (take_copied (pull) != 0 && !may_lose)
        violate ("the first message was due");
    AT ("sending");
    for (unsigned i = 1; i < SENT; ++i)
        send_copied (push, i);
    close_socket (pull);
    pull = new_socket (context, ZMQ_PULL);
    AT ("binding again");
    TRY (zmq_bind (pull, endpoint));
    AT ("receiving the rest");
    long last = -1;
    for (long number; last < SENT - 1 && (number = take_copied (pull)) >= 0; last = number)
        if (number <= last || (last >= 0 && number != last + 1 && !may_lose))
            violate ("message %ld came after %ld", number, last);
    if (last != SENT - 1 && !may_lose)
        violate ("the last that came is %ld", last);
    close_socket (push);
    close_socket (pull);
    end_context (context);
}

/* ---- waiting for several */

static void run_poll (void)
{
    void *context = new_context ();
    void *push[2], *pull[2];
    int fds[2];
    char endpoint[256];
    if (pipe (fds) != 0)
        return;
    for (int i = 0; i < 2; ++i) {
        pull[i] = new_socket (context, ZMQ_PULL);
        push[i] = new_socket (context, ZMQ_PUSH);
        if (i == 0)
            bind_wildcard (pull[i], "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
        else
            bind_wildcard (pull[i], "inproc://polled", endpoint, sizeof endpoint);
        connect_to (push[i], endpoint);
    }
    /* What was lost is not waited for long. */
    const double patience_s = may_lose ? 1 : 5;
    AT ("zmq_poll");
    for (unsigned round = 0; round < 6; ++round) {
        accept_number (push[0], round);
        accept_number (push[1], round);
        if (write (fds[1], "x", 1) != 1)
            violate ("write");
        unsigned seen = 0;
        const double until = now_s () + patience_s;
        while (seen != 7) {
            zmq_pollitem_t items[3] = {{pull[0], 0, ZMQ_POLLIN, 0}, {pull[1], 0, ZMQ_POLLIN, 0}, {NULL, fds[0], ZMQ_POLLIN, 0}};
            const int n = zmq_poll (items, 3, 100);
            if (n == -1)
                note_failure ("zmq_poll");
            else
                call_failing = NULL;
            if (now_s () > until) {
                if (may_lose)
                    break;
                violate ("zmq_poll saw %u of 7", seen);
            }
            for (int i = 0; n > 0 && i < 2; ++i)
                if (items[i].revents & ZMQ_POLLIN && take_number (pull[i], 0) >= 0)
                    seen |= 1u << i;
            char sink;
            if (n > 0 && items[2].revents & ZMQ_POLLIN && read (fds[0], &sink, 1) == 1)
                seen |= 4;
        }
    }
    AT ("zmq_poller");
    void *poller = TRY_PTR (zmq_poller_new ());
    TRY (zmq_poller_add (poller, pull[0], &push[0], ZMQ_POLLIN));
    TRY (zmq_poller_add (poller, pull[1], &push[1], ZMQ_POLLIN));
    TRY (zmq_poller_add_fd (poller, fds[0], NULL, ZMQ_POLLIN));
    for (unsigned round = 6; round < 12; ++round) {
        accept_number (push[0], round);
        accept_number (push[1], round);
        unsigned seen = 0;
        const double until = now_s () + patience_s;
        while (seen != 3) {
            zmq_poller_event_t events[3];
            const int n = zmq_poller_wait_all (poller, events, 3, 100);
            if (n == -1 && errno != EAGAIN)
                note_failure ("zmq_poller_wait_all");
            else
                call_failing = NULL;
            if (now_s () > until) {
                if (may_lose)
                    break;
                violate ("zmq_poller_wait_all saw %u of 3", seen);
            }
            for (int e = 0; e < n; ++e)
                for (int i = 0; i < 2; ++i)
                    if (events[e].socket == pull[i] && take_number (pull[i], 0) >= 0)
                        seen |= 1u << i;
        }
    }
    TRY (zmq_poller_remove (poller, pull[1]));
    TRY (zmq_poller_destroy (&poller));
    AT ("ZMQ_FD");
    int fd;
    size_t size = sizeof fd;
    while (zmq_getsockopt (pull[0], ZMQ_FD, &fd, &size) != 0)
        note_failure ("ZMQ_FD");
    accept_number (push[0], 20);
    const double until = now_s () + 5;
    for (;;) {
        int events = 0;
        size = sizeof events;
        while (zmq_getsockopt (pull[0], ZMQ_EVENTS, &events, &size) != 0)
            note_failure ("ZMQ_EVENTS");
        if (events & ZMQ_POLLIN)
            break;
        struct pollfd item = {fd, POLLIN, 0};
        const int ready = poll (&item, 1, 5000);
        if (ready == 0 || now_s () > until) {
            if (!may_lose)
                violate ("ZMQ_FD stays silent");
            break;
        }
    }
    for (int i = 0; i < 2; ++i) {
        close_socket (push[i]);
        close_socket (pull[i]);
    }
    close (fds[0]);
    close (fds[1]);
    end_context (context);
}

struct proxied
{
    void *front, *back, *control;
};

static void *run_a_proxy (void *argument)
{
    struct proxied *p = argument;
    while (zmq_proxy_steerable (p->front, p->back, NULL, p->control) == -1)
        note_failure ("zmq_proxy_steerable");
    return NULL;
}

static void run_proxy (void)
{
    void *context = new_context ();
    struct proxied p = {new_socket (context, ZMQ_PULL), new_socket (context, ZMQ_PUSH), new_socket (context, ZMQ_PAIR)};
    void *control = new_socket (context, ZMQ_PAIR);
    void *push = new_socket (context, ZMQ_PUSH);
    void *pull = new_socket (context, ZMQ_PULL);
    char endpoint[256];
    TRY (zmq_bind (p.control, "inproc://control"));
    connect_to (control, "inproc://control");
    TRY (zmq_bind (p.front, "inproc://front"));
    connect_to (push, "inproc://front");
    bind_wildcard (p.back, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    struct watch watch = watch_socket (context, p.back, "inproc://watch");
    connect_to (pull, endpoint);
    pthread_t thread;
    pthread_create (&thread, NULL, run_a_proxy, &p);
    for (unsigned i = 0; i < MESSAGES; ++i)
        accept_number (push, i);
    const long first = take_number (pull, PATIENCE_MS);
    take_events (watch);
    if (first != 0 && !may_lose)
        violate ("message 0 was due, %ld came", first);
    take_all (pull, first < 0 ? 0 : (unsigned) first + 1, MESSAGES);
    AT ("stopping the proxy");
    TRY (zmq_send (control, "TERMINATE", 9, 0));
    pthread_join (thread, NULL);
    end_watch (p.back, watch);
    close_socket (push);
    close_socket (pull);
    close_socket (control);
    close_socket (p.front);
    close_socket (p.back);
    close_socket (p.control);
    end_context (context);
}

/* ---- the odd ones */

static void run_stream (void)
{
    void *context = new_context ();
    void *server = new_socket (context, ZMQ_STREAM);
    void *client = new_socket (context, ZMQ_STREAM);
    char endpoint[256];
    set_int (server, ZMQ_RCVTIMEO, 20);
    set_int (client, ZMQ_RCVTIMEO, 20);
    bind_wildcard (server, "tcp://127.0.0.1:*", endpoint, sizeof endpoint);
    connect_to (client, endpoint);
    const double until = now_s () + 5;
    AT ("streaming");
    /* A word each way, in pieces as they come, on whatever connection there is. */
    static const char back[] = "back";
    for (int answered = 0; answered < 4;) {
        if (now_s () > until)
            violate ("the stream carries nothing");
        char id[32], body[64];
        int n = zmq_recv (client, id, sizeof id, 0);
        if (n == -1) {
            note_failure ("zmq_recv of a stream's id");
        } else {
            int m = TRY (zmq_recv (client, body, sizeof body, 0));
            for (int i = 0; i < m && answered < 4; ++i)
                if (body[i] != back[answered++])
                    violate ("the stream carries something else");
            if (m == 0) { /* it has begun, or ended */
                answered = 0;
                if (zmq_send (client, id, (size_t) n, ZMQ_SNDMORE) != -1) {
                    while (zmq_send (client, "forth", 5, 0) == -1) {
                        note_failure ("zmq_send to a stream");
                        if (errno == EHOSTUNREACH)
                            break;
                    }
                } else if (errno != EHOSTUNREACH) {
                    note_failure ("zmq_send of a stream's id");
                }
            }
        }
        n = zmq_recv (server, id, sizeof id, ZMQ_DONTWAIT);
        if (n == -1) {
            if (errno != EAGAIN)
                note_failure ("zmq_recv of a stream's id");
            continue;
        }
        int m = TRY (zmq_recv (server, body, sizeof body, 0));
        if (m == 0)
            continue;
        if (zmq_send (server, id, (size_t) n, ZMQ_SNDMORE) != -1) {
            while (zmq_send (server, "back", 4, 0) == -1) {
                note_failure ("zmq_send to a stream");
                if (errno == EHOSTUNREACH)
                    break;
            }
        } else if (errno != EHOSTUNREACH) {
            note_failure ("zmq_send of a stream's id");
        }
    }
    close_socket (client);
    close_socket (server);
    end_context (context);
}

static void run_udp (void)
{
    void *context = new_context ();
    void *radio = radio_or_end (context);
    if (!radio)
        return;
    void *dish = new_socket (context, ZMQ_DISH);
    set_int (dish, ZMQ_RCVTIMEO, 5);
    set_int (radio, ZMQ_LINGER, 0);
    AT ("zmq_join");
    TRY (zmq_join (dish, "movies"));
    char endpoint[64];
    snprintf (endpoint, sizeof endpoint, "udp://127.0.0.1:%d", 20000 + (int) (getpid () % 20000));
    AT ("zmq_bind");
    TRY (zmq_bind (dish, endpoint));
    connect_to (radio, endpoint);
    const double until = now_s () + 5;
    AT ("sending datagrams");
    for (int taken = 0; taken < 5;) {
        if (now_s () > until)
            violate ("no datagram arrives");
        zmq_msg_t message;
        TRY (zmq_msg_init_size (&message, 5));
        memcpy (zmq_msg_data (&message), "hello", 5);
        TRY (zmq_msg_set_group (&message, "movies"));
        if (zmq_msg_send (&message, radio, 0) == -1)
            note_failure ("zmq_msg_send of a datagram");
        zmq_msg_close (&message);
        TRY (zmq_msg_init (&message));
        if (zmq_msg_recv (&message, dish, 0) == -1)
            note_failure ("zmq_msg_recv of a datagram");
        else if (zmq_msg_size (&message) != 5 || strcmp (zmq_msg_group (&message), "movies") != 0)
            violate ("a datagram of %zu bytes", zmq_msg_size (&message));
        else
            ++taken;
        zmq_msg_close (&message);
    }
    close_socket (radio);
    close_socket (dish);
    end_context (context);
}

static void count_call (int timer, void *argument)
{
    (void) timer;
    ++*(int *) argument;
}

static void set_flag (void *argument)
{
    atomic_store ((atomic_bool *) argument, true);
}

static void run_utilities (void)
{
    AT ("timers");
    void *timers = TRY_PTR (zmq_timers_new ());
    int calls = 0;
    const int timer = TRY (zmq_timers_add (timers, 1, count_call, &calls));
    const int never = TRY (zmq_timers_add (timers, 100000, count_call, &calls));
    const double until = now_s () + 5;
    while (calls < 3) {
        if (now_s () > until)
            violate ("the timer does not fire");
        usleep (1200);
        TRY (zmq_timers_execute (timers));
    }
    TRY (zmq_timers_reset (timers, timer));
    TRY (zmq_timers_cancel (timers, never));
    TRY (zmq_timers_destroy (&timers));
    AT ("zmq_threadstart");
    atomic_bool flag = false;
    void *thread;
    while (!(thread = zmq_threadstart (set_flag, &flag)))
        note_failure ("zmq_threadstart");
    zmq_threadclose (thread);
    if (!atomic_load (&flag))
        violate ("the thread did not run");
    AT ("counters and clocks");
    void *counter = TRY_PTR (zmq_atomic_counter_new ());
    zmq_atomic_counter_inc (counter);
    if (zmq_atomic_counter_value (counter) != 1)
        violate ("the counter is wrong");
    zmq_atomic_counter_destroy (&counter);
    void *watch = TRY_PTR (zmq_stopwatch_start ());
    zmq_stopwatch_stop (watch);
    AT ("messages");
    zmq_msg_t message, copy;
    for (size_t size = 1; size < 10000000; size *= 9) {
        TRY (zmq_msg_init_size (&message, size));
        memset (zmq_msg_data (&message), 7, size);
        TRY (zmq_msg_init (&copy));
        TRY (zmq_msg_copy (&copy, &message));
        TRY (zmq_msg_close (&message));
        if (zmq_msg_size (&copy) != size || ((char *) zmq_msg_data (&copy))[size - 1] != 7)
            violate ("a copy is damaged");
        TRY (zmq_msg_close (&copy));
    }
    char *const body = malloc (100);
    void *context = new_context ();
    AT ("zmq_msg_init_data");
    TRY (zmq_msg_init_data (&message, body, 100, NULL, NULL));
    TRY (zmq_msg_close (&message));
    free (body);
    end_context (context);
}

const struct scenario scenarios[] = {
    {"life", run_life, true},
    {"names", run_names, true},
    {"shutdown", run_shutdown, true},
    {"inproc", run_inproc, false},
    {"inproc-threads", run_inproc_threads, false},
    {"tcp", run_tcp, true},
    {"ipc", run_ipc, true},
    {"ws", run_ws, true},
    {"heartbeats", run_heartbeats, true},
    {"plain", run_plain, true},
    {"curve", run_curve, true},
    {"reqrep", run_reqrep, true},
    {"pubsub", run_pubsub, true},
    {"xpub", run_xpub, true},
    {"groups", run_groups, true},
    {"router", run_router, true},
    {"reconnect", run_reconnect, true},
    {"broken", run_broken, true},
    {"poll", run_poll, true},
    {"proxy", run_proxy, true},
    {"stream", run_stream, true},
    {"udp", run_udp, true},
    {"utilities", run_utilities, false},
    {NULL, NULL, false},
};
