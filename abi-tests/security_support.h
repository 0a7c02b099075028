/* What the tests of PLAIN, CURVE and ZAP share, on top of lifecycle_support.h: two monitored sockets that meet, and
 * a ZAP handler that the test plays itself. Handshakes run on I/O threads, so the test's own thread reads each
 * request and answers it when it pleases: no handler thread is needed. */
#ifndef TERN_ABI_TESTS_SECURITY_SUPPORT_H
#define TERN_ABI_TESTS_SECURITY_SUPPORT_H

#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API /* ZAP_ENFORCE_DOMAIN and METADATA are understood by every build */
#endif
#include "lifecycle_support.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"

enum { ZAP_EVENTS = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED
                    | ZMQ_EVENT_MONITOR_STOPPED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
                    | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
                    | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH };
enum { HANDSHAKE_ENDS = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_SUCCEEDED
                        | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH };

/* ---- Two sockets: B asks and judges, C is judged. Each has a context of its own; B's has the handler. ---- */

struct world
{
    void *b_ctx, *c_ctx;
    void *b, *c;
    struct monitor b_events, c_events;
    void *handler; /* NULL: nobody */
    char endpoint[256];
};

static inline void open_world (struct world *w, int b_type, int c_type)
{
    memset (w, 0, sizeof *w);
    w->b_ctx = new_ctx ();
    w->c_ctx = new_ctx ();
    w->b = new_socket (w->b_ctx, b_type);
    w->c = new_socket (w->c_ctx, c_type);
    monitor_start (&w->b_events, w->b_ctx, w->b, ZAP_EVENTS);
    monitor_start (&w->c_events, w->c_ctx, w->c, ZAP_EVENTS);
    set_int (w->c, ZMQ_RECONNECT_IVL, 50);
}

static inline void open_handler (struct world *w, int type)
{
    w->handler = new_socket (w->b_ctx, type);
    OK (zmq_bind (w->handler, ZAP_ENDPOINT));
}

static inline void close_handler (struct world *w)
{
    close_now (w->handler);
    w->handler = NULL;
}

/* C connects to B. */
static inline void meet (struct world *w, const char *transport)
{
    bind_any (w->b, strcmp (transport, "ipc") == 0 ? "ipc://*" : "tcp://127.0.0.1:*", w->endpoint);
    OK (zmq_connect (w->c, w->endpoint));
}

/* The next event of the mask. The reference ends a connection only when the threads of its socket and of the handler
 * take part, so they are looked after meanwhile. */
static inline struct event await_event (struct world *w, struct monitor *m, int mask)
{
    const int64_t end = now_ms () + DEADLINE_MS;
    struct event e = {0};
    do {
        if (now_ms () > end)
            fail_msg ("nothing of mask %x came; events:%s", (unsigned) mask, m->seen);
        void *const sockets[] = {w->handler, w->b, w->c};
        for (int i = 0; i < 3; ++i)
            if (sockets[i])
                (void) events_of (sockets[i]);
        if (!monitor_next (m, &e, 10))
            e.id = 0;
    } while (!(e.id & mask));
    return e;
}

static inline void close_world (struct world *w)
{
    close_now (w->c);
    close_now (w->b);
    w->b = w->c = NULL;
    if (w->handler) /* the reference does not end a socket while the handler has a request of it to read */
        close_handler (w);
    await_event (w, &w->c_events, ZMQ_EVENT_MONITOR_STOPPED);
    await_event (w, &w->b_events, ZMQ_EVENT_MONITOR_STOPPED);
    close_now (w->c_events.collector);
    close_now (w->b_events.collector);
    end_ctx (w->c_ctx);
    end_ctx (w->b_ctx);
}

/* The first event that says how a handshake ended. */
static inline struct event handshake_end (struct world *w, struct monitor *m)
{
    return await_event (w, m, HANDSHAKE_ENDS);
}

static inline void expect_end (struct world *w, struct monitor *m, int id, int value)
{
    const struct event e = handshake_end (w, m);
    if (e.id != id || (int) e.value != value)
        fail_msg ("expected %s(%d) as the last of:%s", event_name (id), value, m->seen);
}

/* Both sides are through, and one message gets from C to B: for PUSH to PULL and DEALER to DEALER. */
static inline void expect_connected (struct world *w)
{
    expect_end (w, &w->b_events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0);
    expect_end (w, &w->c_events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 0);
    send_text (w->c, "hello", 0);
    expect_text (w->b, "hello");
}

/* C is told nothing but the end of the connection, and comes again. */
static inline void expect_refused_and_retried (struct world *w)
{
    const struct event e = handshake_end (w, &w->c_events);
    if (e.id != ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        fail_msg ("expected FAILED_NO_DETAIL; events:%s", w->c_events.seen);
    await_event (w, &w->c_events, ZMQ_EVENT_CONNECT_RETRIED);
    await_event (w, &w->c_events, ZMQ_EVENT_CONNECTED);
}

/* C is told, and does not come again. */
static inline void expect_refused_for_good (struct world *w, int event, int value)
{
    expect_end (w, &w->c_events, event, value);
    await_event (w, &w->c_events, ZMQ_EVENT_DISCONNECTED);
    if (on_tern ()) /* a monitor makes the reference forget why a connection ended: now and then it retries */
        monitor_quiet (&w->c_events, 2 * QUIET_MS);
}

/* ---- The handler's part ---- */

struct request
{
    int frames; /* behind the delimiter */
    size_t size[16];
    unsigned char body[16][256];
    size_t identity_size; /* ROUTER: whom to answer */
    unsigned char identity[256];
};

/* Reads frames until the last one; for ROUTER handlers the identity and the delimiter stand in front. */
static inline void read_request (struct world *w, struct request *r)
{
    const int type = get_int (w->handler, ZMQ_TYPE);
    int skipped = 0;
    memset (r, 0, sizeof *r);
    wait_events (w->handler, ZMQ_POLLIN);
    do {
        unsigned char body[256];
        const int n = zmq_recv (w->handler, body, sizeof body, ZMQ_DONTWAIT);
        assert_in_range (n, 0, (int) sizeof body);
        if (type == ZMQ_ROUTER && skipped < 2) {
            if (skipped++ == 0) {
                r->identity_size = (size_t) n;
                memcpy (r->identity, body, (size_t) n);
            } else
                assert_int_equal (n, 0);
            continue;
        }
        assert_in_range (r->frames, 0, 15);
        r->size[r->frames] = (size_t) n;
        memcpy (r->body[r->frames++], body, (size_t) n);
    } while (get_int (w->handler, ZMQ_RCVMORE));
}

/* Frames of a request, counted from the version. */
enum { VERSION_AT, ID_AT, DOMAIN_AT, ADDRESS_AT, ROUTING_ID_AT, MECHANISM_AT, CREDENTIALS_AT };

static inline bool frame_is (const struct request *r, int at, const char *text)
{
    return at < r->frames && r->size[at] == strlen (text) && memcmp (r->body[at], text, r->size[at]) == 0;
}

#define EXPECT_FRAME(request, at, text)                                    \
    do {                                                                   \
        if (!frame_is (request, at, text))                                 \
            fail_msg ("frame %s of the request is \"%.*s\" (%d frames), expected \"%s\"", #at,     \
                      (int) (request)->size[at], (const char *) (request)->body[at], (request)->frames, text); \
    } while (0)

struct piece
{
    const void *data;
    size_t size;
};
#define PIECE(text) {text, sizeof (text) - 1}

/* The reply behind the delimiter; `delimiter` NULL: none (a REP puts its own). */
static inline void send_pieces (struct world *w, const struct request *r, const char *delimiter,
                                const struct piece *pieces, size_t count)
{
    if (get_int (w->handler, ZMQ_TYPE) == ZMQ_ROUTER) {
        OK (zmq_send (w->handler, r->identity, r->identity_size, ZMQ_SNDMORE));
        OK (zmq_send (w->handler, delimiter, strlen (delimiter), ZMQ_SNDMORE));
    }
    for (size_t i = 0; i < count; ++i)
        OK (zmq_send (w->handler, pieces[i].data, pieces[i].size, i + 1 < count ? ZMQ_SNDMORE : 0));
}

static inline void answer (struct world *w, const struct request *r, const char *status, const char *user,
                           const void *metadata, size_t metadata_size)
{
    const struct piece pieces[] = {PIECE ("1.0"), PIECE ("1"), {status, strlen (status)}, PIECE ("text"),
                                   {user, strlen (user)}, {metadata, metadata_size}};
    send_pieces (w, r, "", pieces, 6);
}

/* Reads one request and answers with this status. */
static inline void judge (struct world *w, const char *status)
{
    struct request r;
    read_request (w, &r);
    answer (w, &r, status, "", "", 0);
}

static inline void expect_no_request (struct world *w)
{
    expect_no_events (w->handler, ZMQ_POLLIN);
}

/* ---- Options ---- */

static inline void set_text (void *s, int option, const char *text)
{
    OK (zmq_setsockopt (s, option, text, strlen (text)));
}

static inline void be_plain_server (void *s)
{
    set_int (s, ZMQ_PLAIN_SERVER, 1);
}

static inline void be_plain_client (void *s, const char *user, const char *password)
{
    set_text (s, ZMQ_PLAIN_USERNAME, user);
    set_text (s, ZMQ_PLAIN_PASSWORD, password);
}

struct keys
{
    char public_text[41], secret_text[41];
    unsigned char public_key[32];
};

static inline void make_keys (struct keys *k)
{
    OK (zmq_curve_keypair (k->public_text, k->secret_text));
    assert_non_null (zmq_z85_decode (k->public_key, k->public_text));
}

static inline void be_curve_server (void *s, const struct keys *own)
{
    set_int (s, ZMQ_CURVE_SERVER, 1);
    set_text (s, ZMQ_CURVE_SECRETKEY, own->secret_text);
}

static inline void be_curve_client (void *s, const struct keys *own, const char *server_key)
{
    set_text (s, ZMQ_CURVE_SERVERKEY, server_key);
    set_text (s, ZMQ_CURVE_PUBLICKEY, own->public_text);
    set_text (s, ZMQ_CURVE_SECRETKEY, own->secret_text);
}

/* A property of the message that `s` has next. NULL text: it must not be there. */
static inline void expect_message_property (void *s, const char *name, const char *text)
{
    zmq_msg_t message;
    wait_events (s, ZMQ_POLLIN);
    OK (zmq_msg_init (&message));
    OK (zmq_msg_recv (&message, s, ZMQ_DONTWAIT));
    const char *got = zmq_msg_gets (&message, name);
    const bool same = text ? got && strcmp (got, text) == 0 : !got;
    if (!same)
        fail_msg ("property %s is %s, expected %s", name, got ? got : "absent", text ? text : "none");
    OK (zmq_msg_close (&message));
}

#endif
