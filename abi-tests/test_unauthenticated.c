/* What those cost who have not shown that they may come in: memory for each at every step of a handshake, and what an
 * honest client feels of thousands of random, half-valid and slow connections. test_unauthenticated [PEERS] takes more of
 * them than the test run does. */
#include "hardship_support.h"

#include <sys/mman.h>

static int peers = 500, visitors = 1000;
static uint64_t seed;
enum { PEER_BYTES_MAX = 4096 };

/* ---- The server: a process that only the library's threads are awake in ---- */

enum { NO_ZAP, SILENT_ZAP, KIND_ZAP };

struct server
{
    pid_t process;
    int order;
    char endpoint[256];
};

struct shared
{
    char public_text[41], secret_text[41]; /* of the server */
    unsigned char hello[512], initiate[1024]; /* CURVE, as a client has sent them once */
    size_t hello_size, initiate_size;
};
static struct shared *shared;

static void be_server_of (void *s, const char *mechanism)
{
    if (strcmp (mechanism, "CURVE") == 0) {
        need_set (s, ZMQ_CURVE_SERVER, 1);
        NEED_OK (zmq_setsockopt (s, ZMQ_CURVE_SECRETKEY, shared->secret_text, 40));
    } else if (strcmp (mechanism, "PLAIN") == 0) {
        need_set (s, ZMQ_PLAIN_SERVER, 1);
    }
}

/* A handler that lets everybody in. */
static void *be_kind (void *handler)
{
    for (;;) {
        char id[256];
        int more = 1, n = 0;
        size_t size = sizeof more, id_size = 0;
        for (int frame = 0; more; ++frame) {
            char body[256];
            n = zmq_recv (handler, body, sizeof body, 0);
            if (n == -1) {
                NEED_OK (zmq_close (handler));
                return NULL;
            }
            if (frame == 1) {
                id_size = (size_t) n;
                memcpy (id, body, id_size);
            }
            NEED_OK (zmq_getsockopt (handler, ZMQ_RCVMORE, &more, &size));
        }
        (void) zmq_send (handler, "1.0", 3, ZMQ_SNDMORE);
        (void) zmq_send (handler, id, id_size, ZMQ_SNDMORE);
        (void) zmq_send (handler, "200", 3, ZMQ_SNDMORE);
        (void) zmq_send (handler, "", 0, ZMQ_SNDMORE);
        (void) zmq_send (handler, "", 0, ZMQ_SNDMORE);
        (void) zmq_send (handler, "", 0, 0);
    }
}

/* Whoever gets through sends words, and gets them back. */
static void serve (int order, int answer, int type, const char *mechanism, int zap, const char *place)
{
    char endpoint[256], c;
    void *ctx = need_ctx (), *s = need_socket (ctx, type), *handler = NULL;
    be_server_of (s, mechanism);
    need_set (s, ZMQ_BACKLOG, 4096);
    need_set (s, ZMQ_HANDSHAKE_IVL, 120000);
    if (zap != NO_ZAP) {
        handler = need_socket (ctx, zap == SILENT_ZAP ? ZMQ_ROUTER : ZMQ_REP);
        need_set (handler, ZMQ_LINGER, 0);
        NEED_OK (zmq_bind (handler, "inproc://zeromq.zap.01"));
        NEED_OK (zmq_setsockopt (s, ZMQ_ZAP_DOMAIN, "test", 4));
    }
    if (zap == KIND_ZAP) {
        pthread_t thread;
        NEED (pthread_create (&thread, NULL, be_kind, handler) == 0, "thread");
        handler = NULL; /* the thread's */
    }
    need_bind (s, place, endpoint);
    NEED (write (answer, endpoint, sizeof endpoint) == sizeof endpoint, "pipe");
    if (type == ZMQ_REP) {
        zmq_pollitem_t items[] = {{s, 0, ZMQ_POLLIN, 0}, {NULL, order, ZMQ_POLLIN, 0}};
        while (zmq_poll (items, 2, -1) > 0 && !items[1].revents) {
            zmq_msg_t m;
            NEED_OK (zmq_msg_init (&m));
            if (zmq_msg_recv (&m, s, ZMQ_DONTWAIT) != -1) {
                while (zmq_msg_more (&m))
                    NEED_OK (zmq_msg_recv (&m, s, ZMQ_DONTWAIT));
                (void) zmq_msg_send (&m, s, ZMQ_DONTWAIT);
            }
            zmq_msg_close (&m);
        }
    } else if (read (order, &c, 1) != 1) {
        _exit (1);
    }
    need_close (s);
    if (handler)
        need_close (handler);
    NEED_OK (zmq_ctx_term (ctx));
    _exit (0);
}

static void start_server (struct server *server, int type, const char *mechanism, int zap, const char *place)
{
    int orders[2], answers[2];
    NEED (pipe2 (orders, O_CLOEXEC) == 0 && pipe2 (answers, O_CLOEXEC) == 0, "pipe");
    server->process = fork ();
    NEED (server->process >= 0, "fork");
    if (server->process == 0)
        serve (orders[0], answers[1], type, mechanism, zap, place);
    server->order = orders[1];
    close (orders[0]);
    close (answers[1]);
    NEED (read (answers[0], server->endpoint, sizeof server->endpoint) == sizeof server->endpoint, "no server");
    close (answers[0]);
}

static void end_server (struct server *server)
{
    int status = 0;
    NEED (write (server->order, "x", 1) == 1, "pipe");
    NEED (waitpid (server->process, &status, 0) == server->process && status == 0, "the server ended with %x",
          (unsigned) status);
    close (server->order);
}

/* Until it has read what there is. */
static void let_it_rest (const struct server *server)
{
    int quiet = 0;
    for (const int64_t end = now_ms () + 3 * DEADLINE_MS; quiet < 3 && now_ms () < end;)
        quiet = runnable_percent_of (server->process, 60) == 0 ? quiet + 1 : 0;
}

static int knock (const char *endpoint)
{
    const struct sockaddr_in a = local_address (atoi (strrchr (endpoint, ':') + 1));
    const int one = 1, fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    NEED (fd >= 0, "%s", strerror (errno));
    NEED (connect (fd, (const struct sockaddr *) &a, sizeof a) == 0, "%s", strerror (errno));
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

/* ---- What a CURVE client says, for those who say it again ---- */

static void capture (void *argument)
{
    struct port port;
    unsigned char head[GREETING_SIZE], mine[GREETING_SIZE];
    struct server server;
    char client_public[41], client_secret[41];
    (void) argument;
    start_server (&server, ZMQ_PULL, "CURVE", NO_ZAP, "tcp://127.0.0.1:*");
    void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PUSH);
    NEED_OK (zmq_curve_keypair (client_public, client_secret));
    NEED_OK (zmq_setsockopt (s, ZMQ_CURVE_SERVERKEY, shared->public_text, 40));
    NEED_OK (zmq_setsockopt (s, ZMQ_CURVE_PUBLICKEY, client_public, 40));
    NEED_OK (zmq_setsockopt (s, ZMQ_CURVE_SECRETKEY, client_secret, 40));
    reserve_port (&port);
    listen_at (&port);
    NEED_OK (zmq_connect (s, port.endpoint));
    /* Between the two. */
    const int client = accept_one (&port), fd = knock (server.endpoint);
    make_greeting (mine, 1, "CURVE");
    NEED (write_raw (client, mine, sizeof mine) && read_raw (client, head, sizeof head, DEADLINE_MS) == sizeof head, "greeting");
    NEED (write_raw (fd, mine, sizeof mine) && read_raw (fd, head, sizeof head, DEADLINE_MS) == sizeof head, "greeting");
    shared->hello_size = 202;
    NEED (read_raw (client, shared->hello, 202, DEADLINE_MS) == 202, "HELLO");
    NEED (write_raw (fd, shared->hello, 202), "HELLO");
    unsigned char welcome[170];
    NEED (read_raw (fd, welcome, sizeof welcome, DEADLINE_MS) == sizeof welcome && write_raw (client, welcome, sizeof welcome),
          "WELCOME");
    NEED (read_raw (client, shared->initiate, 9, DEADLINE_MS) == 9, "INITIATE");
    /* Its header has one byte of length, or eight. */
    const size_t body = shared->initiate[0] & FLAG_LARGE ? (size_t) shared->initiate[7] << 8 | shared->initiate[8] : shared->initiate[1];
    shared->initiate_size = body + (shared->initiate[0] & FLAG_LARGE ? 9 : 2);
    NEED (shared->initiate_size < sizeof shared->initiate, "INITIATE of %zu", body);
    NEED (read_raw (client, shared->initiate + 9, shared->initiate_size - 9, DEADLINE_MS) == shared->initiate_size - 9, "INITIATE");
    need_close (s);
    NEED_OK (zmq_ctx_term (ctx));
    close (client);
    close (fd);
    end_server (&server);
}

/* ---- Memory ---- */

struct stage
{
    const char *mechanism;
    const char *what;
    int zap;
    const char *place;
    size_t greeting; /* bytes of it that are sent */
    bool says_hello; /* PLAIN or CURVE: a whole HELLO, and the answer is read */
    const char *more; /* sent then */
    size_t more_size;
    size_t filling;   /* zeros after that */
};

#define TCP "tcp://127.0.0.1:*"
#define WS "ws://127.0.0.1:*"
#define MORE(text) text, sizeof (text) - 1
#define WS_HEAD "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: "

static const struct stage stages[] = {
    {"NULL", "nothing", NO_ZAP, TCP, 0, false, MORE (""), 0},
    {"NULL", "a signature", NO_ZAP, TCP, 10, false, MORE (""), 0},
    {"NULL", "a greeting", NO_ZAP, TCP, 64, false, MORE (""), 0},
    {"NULL", "half a READY", NO_ZAP, TCP, 64, false, MORE ("\4\x1a\5READY\13Socket"), 0},
    {"NULL", "the header of 2^62 bytes", NO_ZAP, TCP, 64, false, MORE ("\6\x40\0\0\0\0\0\0\0"), 0},
    {"NULL", "most of a READY of 64 KiB", NO_ZAP, TCP, 64, false, MORE ("\6\0\0\0\0\0\0\xff\xf0\5READY"), 65000},
    {"NULL", "READY, 20 kB, ZAP silent", SILENT_ZAP, TCP, 64, false,
     MORE ("\4\x1a\5READY\13Socket-Type\0\0\0\4PUSH"), 20000},
    {"NULL", "an identity of 64 KiB, 2.0", NO_ZAP, TCP, 0, false,
     MORE ("\xff\0\0\0\0\0\0\0\1\x7f\1\10\2\0\0\0\0\0\0\xff\xf0"), 65000},
    {"NULL", "an unversioned identity of 64 KiB", NO_ZAP, TCP, 0, false, MORE ("\xff\0\0\0\0\0\0\xff\xf0\0"), 65000},
    {"PLAIN", "a greeting", NO_ZAP, TCP, 64, false, MORE (""), 0},
    {"PLAIN", "half a HELLO", NO_ZAP, TCP, 64, false, MORE ("\4\xff\5HELLO\377"), 100},
    {"PLAIN", "most of a HELLO of 64 KiB", NO_ZAP, TCP, 64, false, MORE ("\6\0\0\0\0\0\0\xff\xf0\5HELLO"), 65000},
    {"PLAIN", "HELLO, 20 kB, ZAP silent", SILENT_ZAP, TCP, 64, false, MORE ("\4\14\5HELLO\1u\3pwd"), 20000},
    {"PLAIN", "most of an INITIATE of 64 KiB", KIND_ZAP, TCP, 64, true, MORE ("\6\0\0\0\0\0\0\xff\xf0\10INITIATE"), 65000},
    {"CURVE", "a greeting", NO_ZAP, TCP, 64, false, MORE (""), 0},
    {"CURVE", "half a HELLO", NO_ZAP, TCP, 64, false, MORE ("\4\xc8\5HELLO\1"), 100},
    {"CURVE", "a replayed HELLO", NO_ZAP, TCP, 64, true, MORE (""), 0},
    {"CURVE", "most of a HELLO of 64 KiB", NO_ZAP, TCP, 64, false, MORE ("\6\0\0\0\0\0\0\xff\xf0\5HELLO"), 65000},
    {"CURVE", "most of an INITIATE of 64 KiB", NO_ZAP, TCP, 64, true, MORE ("\6\0\0\0\0\0\0\xff\xf0\10INITIATE"), 65000},
    {"NULL", "nothing, over ws", NO_ZAP, WS, 0, false, MORE (""), 0},
    {"NULL", "half a request, over ws", NO_ZAP, WS, 0, false, MORE (WS_HEAD), 0},
    {"NULL", "a request of 64 KiB, over ws", NO_ZAP, WS, 0, false, MORE (WS_HEAD "ZWS2.0\r\nX: "), 65000},
    {"NULL", "an upgrade, over ws", NO_ZAP, WS, 0, false, MORE (WS_HEAD "ZWS2.0/NULL\r\n\r\n"), 0},
    {"NULL", "most of a READY of 64 KiB, over ws", NO_ZAP, WS, 0, false,
     MORE (WS_HEAD "ZWS2.0/NULL\r\n\r\n\x82\xff\0\0\0\0\0\0\xff\xf0\0\0\0\0\2\5READY"), 65000},
};

/* What does not fit into the kernel stays here: the server does not want it. */
static int come_to (const struct stage *stage, const char *endpoint)
{
    static const unsigned char zeros[65536];
    unsigned char greeting[GREETING_SIZE], theirs[GREETING_SIZE];
    const int fd = knock (endpoint);
    make_greeting (greeting, 1, stage->mechanism);
    (void) write_raw (fd, greeting, stage->greeting);
    if (stage->greeting == GREETING_SIZE)
        NEED (read_raw (fd, theirs, sizeof theirs, 2 * DEADLINE_MS) == sizeof theirs, "no greeting");
    if (stage->says_hello) {
        unsigned char answer[256];
        const bool is_curve = strcmp (stage->mechanism, "CURVE") == 0;
        (void) (is_curve ? write_raw (fd, shared->hello, shared->hello_size) : write_raw (fd, "\4\14\5HELLO\1u\3pwd", 14));
        NEED (read_raw (fd, answer, is_curve ? 170 : 10, 2 * DEADLINE_MS) == (is_curve ? 170u : 10u), "no WELCOME");
    }
    (void) write_raw (fd, stage->more, stage->more_size);
    fcntl (fd, F_SETFL, O_NONBLOCK);
    (void) write_raw (fd, zeros, stage->filling);
    return fd;
}

static void measure_memory (void *argument)
{
    const struct stage *stage = argument;
    struct server server;
    int *fds = calloc ((size_t) peers + 100, sizeof *fds);
    raise_descriptor_limit ();
    start_server (&server, ZMQ_PULL, stage->mechanism, stage->zap, stage->place);
    /* What the first ones take is the program's. */
    for (int i = 0; i < 100; ++i)
        fds[peers + i] = come_to (stage, server.endpoint);
    let_it_rest (&server);
    const long before = resident_bytes_of (server.process);
    for (int i = 0; i < peers; ++i)
        fds[i] = come_to (stage, server.endpoint);
    let_it_rest (&server);
    const long each = (resident_bytes_of (server.process) - before) / peers;
    note ("%ld bytes each", each);
    for (int i = 0; i < peers + 100; ++i)
        close (fds[i]);
    free (fds);
    end_server (&server);
    if (each >= PEER_BYTES_MAX)
        _exit (1);
}

static bool is_built (const struct stage *stage)
{
    return !((strcmp (stage->mechanism, "CURVE") == 0 && !zmq_has ("curve")) || (strcmp (stage->place, WS) == 0 && !zmq_has ("WS")));
}

static void an_unauthenticated_peer_takes_less_than_4_kB (void **state)
{
    (void) state;
    bool all_right = true;
    for (size_t i = 0; i < sizeof stages / sizeof *stages; ++i) {
        char name[64];
        if (!is_built (&stages[i]))
            continue;
        snprintf (name, sizeof name, "%s: %s", stages[i].mechanism, stages[i].what);
        const struct verdict v = run_apart (measure_memory, (void *) &stages[i], 120);
        all_right = show (name, &v) && all_right;
    }
    if (on_tern ())
        assert_true (all_right);
}

/* ---- Those who say much ---- */

static void *push_to (void *ctx, const char *endpoint, int metadata)
{
    char property[900];
    void *s = need_socket (ctx, ZMQ_PUSH);
    for (int i = 0; i < metadata; ++i) {
        const int name = snprintf (property, sizeof property, "X-%d:", i);
        memset (property + name, 'a', sizeof property - (size_t) name);
        NEED_OK (zmq_setsockopt (s, 95 /* ZMQ_METADATA */, property, sizeof property));
    }
    need_set (s, ZMQ_LINGER, 0);
    NEED_OK (zmq_connect (s, endpoint));
    return s;
}

/* Strangers who have announced much and say little more. Who needs little is let in beside them; who has much to say when
 * they have gone, at the latest. */
static void wait_for_a_place (void *argument)
{
    enum { STRANGERS = 40 };
    static const struct stage stage = {"NULL", "", NO_ZAP, TCP, 64, false, MORE ("\6\0\0\0\0\0\0\xff\xf0\5READY"), 3000};
    int fds[STRANGERS];
    char endpoint[256], body[8] = "";
    (void) argument;
    void *ctx = need_ctx (), *pull = need_socket (ctx, ZMQ_PULL);
    need_bind (pull, TCP, endpoint);
    void *early = push_to (ctx, endpoint, 5);
    need_traffic (early, pull, "early");
    for (int i = 0; i < STRANGERS; ++i)
        fds[i] = come_to (&stage, endpoint);
    void *small = push_to (ctx, endpoint, 0);
    need_traffic (small, pull, "small");
    void *large = push_to (ctx, endpoint, 5);
    NEED_OK (zmq_send (large, "large", 5, 0));
    need_set (pull, ZMQ_RCVTIMEO, 2 * QUIET_MS);
    const bool waits = zmq_recv (pull, body, sizeof body, 0) == -1;
    NEED (waits == on_tern (), "it %s", waits ? "waits" : "does not wait");
    for (int i = 0; i < STRANGERS; ++i)
        close (fds[i]);
    need_set (pull, ZMQ_RCVTIMEO, DEADLINE_MS);
    NEED (!waits || zmq_recv (pull, body, sizeof body, 0) == 5, "%s", zmq_strerror (zmq_errno ()));
    NEED (memcmp (body, "large", 5) == 0, "another message");
    need_close (early);
    need_close (small);
    need_close (large);
    need_close (pull);
    NEED_OK (zmq_ctx_term (ctx));
}

static void who_has_much_to_say_waits_for_a_place_and_nobody_else (void **state)
{
    (void) state;
    case_apart ("40 strangers hold 16 places", wait_for_a_place, NULL, 60);
}

/* ---- A crowd that means no good ---- */

enum { TOGETHER = 150 };

static size_t put_random (struct dice *d, unsigned char *out, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        out[i] = (unsigned char) below (d, 256);
    return size;
}

static size_t put (unsigned char *out, const void *data, size_t size)
{
    memcpy (out, data, size);
    return size;
}

/* What one visitor says. */
static size_t make_speech (struct dice *d, const char *mechanism, bool is_ws, unsigned char *out, size_t capacity)
{
    static const unsigned char ready[] = "\4\x19\5READY\13Socket-Type\0\0\0\3REQ";
    static const unsigned char huge[] = "\2\x40\0\0\0\0\0\0\0";
    size_t n = 0;
    if (below (d, 6) == 0)
        return put_random (d, out, (size_t) below (d, 2000));
    if (is_ws) {
        static const char *const protocols[] = {WS_HEAD "ZWS2.0/NULL\r\n\r\n", WS_HEAD "ZWS2.0\r\n\r\n", WS_HEAD "x\r\n\r\n", WS_HEAD};
        const char *head = protocols[below (d, 4)];
        n += put (out, head, strlen (head));
        if (below (d, 3) == 0)
            return (size_t) below (d, (int) n);
        n += put (out + n, "\x82\xfe", 2);
        return n + put_random (d, out + n, (size_t) below (d, 3000));
    }
    make_greeting (out, below (d, 2), mechanism);
    n = GREETING_SIZE;
    if (below (d, 8) == 0)
        out[below (d, GREETING_SIZE)] = (unsigned char) below (d, 256);
    switch (below (d, 8)) {
    case 0: return (size_t) below (d, GREETING_SIZE);
    case 1: return n + put (out + n, huge, 9);
    case 2: { /* a bomb of metadata: thousands of names, or lengths that lie */
        const size_t size = 60000;
        const bool lies = below (d, 2);
        n += put (out + n, "\6\0\0\0\0\0\0\xea\x60\5READY", 15);
        for (size_t used = 6; used + 8 <= size; used += 8)
            n += put (out + n, lies ? "\1X\xff\xff\xff\xffyy" : "\2XY\0\0\0\1z", 8);
        return n;
    }
    case 3: /* floods, once inside */
        if (strcmp (mechanism, "NULL") == 0)
            n += put (out + n, ready, sizeof ready - 1);
        while (n + 10 < capacity / 4)
            n += put (out + n, below (d, 2) ? "\1\0" : "\1\1x", 2); /* frames of a message without end */
        return n;
    case 4:
        if (strcmp (mechanism, "NULL") == 0)
            n += put (out + n, ready, sizeof ready - 1);
        while (n + 20 < capacity / 4) { /* subscriptions */
            n += put (out + n, "\4\x0b\x09SUBSCRIBE", 12);
            n += put (out + n, "\0\1", 2);
            out[n++] = (unsigned char) below (d, 256);
        }
        return n;
    case 5:
        if (strcmp (mechanism, "CURVE") == 0) { /* again and again, and INITIATE of another time */
            n += put (out + n, shared->hello, shared->hello_size);
            if (below (d, 3))
                n += put (out + n, shared->initiate, shared->initiate_size);
        } else {
            n += put (out + n, "\4\14\5HELLO\1u\3pwd", 14);
            n += put (out + n, "\4\11\10INITIATE", 11);
        }
        if (below (d, 2) && n > 0)
            out[below (d, (int) n)] ^= (unsigned char) (1 << below (d, 8));
        return n;
    case 6: return n + put (out + n, ready, (size_t) below (d, sizeof ready));
    default: return n + put_random (d, out + n, (size_t) below (d, 500));
    }
}

struct visitor
{
    int fd;
    unsigned char *speech;
    size_t size, at, pace;
    int64_t gone_at, next_at;
};

/* In a process of its own: so many visitors, some at a time. Nothing that it meets is a failure. */
static void be_a_crowd (const char *endpoint, const char *mechanism, bool is_ws, int count, uint64_t dice_seed)
{
    enum { CAPACITY = 70000 };
    static struct visitor all[TOGETHER];
    struct dice dice = {dice_seed}, *d = &dice;
    const struct sockaddr_in a = local_address (atoi (strrchr (endpoint, ':') + 1));
    int open = 0;
    for (int i = 0; i < TOGETHER; ++i)
        all[i] = (struct visitor){-1, malloc (CAPACITY), 0, 0, 0, 0, 0};
    while (count > 0 || open > 0) {
        const int64_t now = now_ms ();
        for (int i = 0; i < TOGETHER; ++i) {
            struct visitor *v = &all[i];
            if (v->fd < 0 && count > 0) {
                v->fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
                if (v->fd < 0)
                    continue;
                (void) connect (v->fd, (const struct sockaddr *) &a, sizeof a);
                const bool is_slow = below (d, 3) == 0;
                v->size = make_speech (d, mechanism, is_ws, v->speech, CAPACITY);
                v->at = 0;
                v->pace = is_slow ? 1 + (size_t) below (d, 20) : CAPACITY;
                v->gone_at = now + (is_slow ? below (d, 400) : below (d, 40));
                v->next_at = now;
                --count;
                ++open;
            }
            if (v->fd < 0)
                continue;
            char bin[4096];
            const ssize_t read_bytes = recv (v->fd, bin, sizeof bin, MSG_DONTWAIT);
            if (v->at < v->size && now >= v->next_at) {
                const size_t most = v->size - v->at < v->pace ? v->size - v->at : v->pace;
                const ssize_t n = send (v->fd, v->speech + v->at, most, MSG_NOSIGNAL | MSG_DONTWAIT);
                v->at += n > 0 ? (size_t) n : 0;
                v->next_at = now + (v->pace < CAPACITY ? 5 : 0);
            }
            if (now >= v->gone_at || read_bytes == 0) {
                if (below (d, 3) == 0)
                    reset_raw (v->fd);
                else
                    close (v->fd);
                v->fd = -1;
                --open;
            }
        }
        poll (NULL, 0, 1);
    }
}

struct round_trips
{
    int count;
    double median_us, high_us;
};

static int compare_times (const void *a, const void *b)
{
    const int64_t x = *(const int64_t *) a, y = *(const int64_t *) b;
    return (x > y) - (x < y);
}

/* Asks until `until` is over (a child), or `most` times. */
static struct round_trips ask (void *s, pid_t until, int most)
{
    static int64_t took[100000];
    struct round_trips r = {0, 0, 0};
    char c;
    while (r.count < most && (until == 0 || waitpid (until, NULL, WNOHANG) == 0)) {
        const int64_t begin = now_us ();
        NEED_OK (zmq_send (s, "x", 1, 0));
        NEED_OK (zmq_recv (s, &c, 1, 0));
        took[r.count++] = now_us () - begin;
        poll (NULL, 0, 1);
    }
    qsort (took, (size_t) r.count, sizeof *took, compare_times);
    if (r.count) {
        r.median_us = (double) took[r.count / 2];
        r.high_us = (double) took[r.count * 95 / 100];
    }
    return r;
}

struct siege
{
    const char *mechanism, *place;
};

/* A child that comes to the server once it is told to. */
struct crowd
{
    pid_t process;
    int orders[2];
};

static void gather (struct crowd *crowd, const struct siege *siege, const struct server *server)
{
    char bare_endpoint[256];
    strcpy (bare_endpoint, server->endpoint);
    if (bare_endpoint[strlen (bare_endpoint) - 1] == '/')
        bare_endpoint[strlen (bare_endpoint) - 1] = 0;
    NEED (pipe2 (crowd->orders, O_CLOEXEC) == 0, "pipe");
    crowd->process = fork ();
    NEED (crowd->process >= 0, "fork");
    if (crowd->process != 0)
        return;
    char c;
    if (read (crowd->orders[0], &c, 1) != 1)
        _exit (1);
    be_a_crowd (bare_endpoint, siege->mechanism, strcmp (siege->place, WS) == 0, visitors, mix (seed));
    _exit (0);
}

static struct round_trips ask_beside (const struct crowd *crowd, void *s)
{
    NEED (write (crowd->orders[1], "x", 1) == 1, "pipe");
    return ask (s, crowd->process, 100000);
}

/* What the crowd itself takes of the processors shows where it comes to another server. A crowd before it leaves in the
 * allocator what the most of them had at once, since whoever speaks NULL is let in; after that, nothing grows. */
static void besiege (void *argument)
{
    const struct siege *siege = argument;
    const int zap = strcmp (siege->mechanism, "PLAIN") == 0 ? KIND_ZAP : NO_ZAP;
    struct server server, bystander;
    struct crowd before, here, elsewhere;
    char client_public[41], client_secret[41];
    raise_descriptor_limit ();
    start_server (&server, ZMQ_REP, siege->mechanism, zap, siege->place);
    start_server (&bystander, ZMQ_REP, siege->mechanism, zap, siege->place);
    gather (&before, siege, &server);
    gather (&here, siege, &server);
    gather (&elsewhere, siege, &bystander);
    void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_REQ);
    if (strcmp (siege->mechanism, "CURVE") == 0) {
        NEED_OK (zmq_curve_keypair (client_public, client_secret));
        NEED_OK (zmq_setsockopt (s, ZMQ_CURVE_SERVERKEY, shared->public_text, 40));
        NEED_OK (zmq_setsockopt (s, ZMQ_CURVE_PUBLICKEY, client_public, 40));
        NEED_OK (zmq_setsockopt (s, ZMQ_CURVE_SECRETKEY, client_secret, 40));
    } else if (strcmp (siege->mechanism, "PLAIN") == 0) {
        NEED_OK (zmq_setsockopt (s, ZMQ_PLAIN_USERNAME, "u", 1));
        NEED_OK (zmq_setsockopt (s, ZMQ_PLAIN_PASSWORD, "p", 1));
    }
    need_set (s, ZMQ_RCVTIMEO, DEADLINE_MS);
    NEED_OK (zmq_connect (s, server.endpoint));
    (void) ask (s, 0, 50);
    const struct round_trips alone = ask (s, 0, 500);
    (void) ask_beside (&before, s);
    let_it_rest (&server);
    const long resident = resident_bytes_of (server.process);
    const struct round_trips beside = ask_beside (&elsewhere, s);
    end_server (&bystander);
    const struct round_trips during = ask_beside (&here, s);
    let_it_rest (&server);
    const long grown = resident_bytes_of (server.process) - resident;
    const int open = descriptors_of (server.process);
    NEED (ask (s, 0, 10).count == 10, "no answers");
    note ("round trip %.0f us alone, %.0f us while %d are elsewhere, %.0f us while they are here; 95 of 100 below %.0f, %.0f, "
          "%.0f; then %ld kB more, %d descriptors",
          alone.median_us, beside.median_us, visitors, during.median_us, alone.high_us, beside.high_us, during.high_us,
          grown / 1024, open);
    need_close (s);
    NEED_OK (zmq_ctx_term (ctx));
    end_server (&server);
    if (grown > (8 << 20) || open > 40)
        _exit (1);
}

static void an_honest_client_is_served_among_thousands_of_others (void **state)
{
    (void) state;
    static const struct siege sieges[] = {{"NULL", TCP}, {"PLAIN", TCP}, {"CURVE", TCP}, {"NULL", WS}};
    bool all_right = true;
    for (size_t i = 0; i < sizeof sieges / sizeof *sieges; ++i) {
        char name[64];
        const struct stage as_stage = {.mechanism = sieges[i].mechanism, .place = sieges[i].place};
        if (!is_built (&as_stage))
            continue;
        snprintf (name, sizeof name, "%s, %.3s: %d random, half-valid, slow", sieges[i].mechanism, sieges[i].place, visitors);
        const struct verdict v = run_apart (besiege, (void *) &sieges[i], 300);
        all_right = show (name, &v) && all_right;
    }
    if (on_tern ())
        assert_true (all_right);
}

int main (int argc, char **argv)
{
    peers = count_from (argc, argv, peers);
    visitors = argc > 1 ? 2 * peers : visitors;
    seed = seed_of_run ();
    shared = mmap (NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || (zmq_has ("curve") && zmq_curve_keypair (shared->public_text, shared->secret_text) != 0))
        return 1;
    signal (SIGPIPE, SIG_IGN);
    if (zmq_has ("curve")) {
        const struct verdict v = run_apart (capture, NULL, 60);
        if (!show ("a CURVE handshake is overheard", &v))
            return 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (an_unauthenticated_peer_takes_less_than_4_kB),
        cmocka_unit_test (who_has_much_to_say_waits_for_a_place_and_nobody_else),
        cmocka_unit_test (an_honest_client_is_served_among_thousands_of_others),
    };
    return cmocka_run_group_tests_name ("unauthenticated", tests, NULL, NULL);
}
