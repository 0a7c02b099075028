/* Kit of the socket pattern tests, on top of support.h.
 *
 * Every test runs between start_kit and stop_kit: it opens sockets with open_socket, and whatever
 * it leaves open is closed afterwards, then the context is terminated. `*state` of a test is the
 * name of the transport it runs on, see the ON_... macros. */
#ifndef TERN_ABI_TESTS_PATTERNS_SUPPORT_H
#define TERN_ABI_TESTS_PATTERNS_SUPPORT_H

#include "support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#ifndef ZMQ_XPUB_MANUAL_LAST_VALUE
#define ZMQ_XPUB_MANUAL_LAST_VALUE                                                                 \
    98 /* its name is a draft, the option itself is in every build                                 \
        */
#endif

/* ---- Lists of tests ------------------------------------------------------------------------- */

#define ON(test, transport)                                                                        \
    { #test " over " transport, test, start_kit, stop_kit, (void *)transport }
#define ON_INPROC(test) ON(test, "inproc")
#define ON_NET(test) ON(test, "tcp"), ON(test, "ipc")
#define ON_ALL(test) ON_INPROC(test), ON_NET(test)
/* For tests that choose their transport themselves. */
#define ONCE(test)                                                                                 \
    { #test, test, start_kit, stop_kit, NULL }

/* TEST_FILTER in the environment runs only the tests whose names match, e.g. "LB_*tcp". */
#define RUN(tests)                                                                                 \
    (set_watchdog(180), cmocka_set_test_filter(getenv("TEST_FILTER")),                                    \
     cmocka_run_group_tests(tests, NULL, NULL))

/* ---- Sockets -------------------------------------------------------------------------------- */

enum { ENDPOINT = 256, KIT_SOCKETS = 512 };

static struct {
    void *ctx;
    void *sockets[KIT_SOCKETS];
    int files[64];
    char paths[16][64];
    int socket_count, file_count, path_count;
} kit;

static inline int start_kit(void **state) {
    (void)state;
    memset(&kit, 0, sizeof kit);
    kit.ctx = zmq_ctx_new();
    return kit.ctx ? 0 : -1;
}

static inline int stop_kit(void **state) {
    (void)state;
    for (int i = 0; i < kit.file_count; i++)
        if (kit.files[i] >= 0) close(kit.files[i]);
    for (int i = 0; i < kit.path_count; i++) unlink(kit.paths[i]);
    for (int i = 0; i < kit.socket_count; i++)
        if (kit.sockets[i]) /* nothing may be said to a collector that is gone: libzmq waits for it
                             */
            zmq_socket_monitor(kit.sockets[i], NULL, 0);
    for (int i = 0; i < kit.socket_count; i++)
        if (kit.sockets[i]) {
            const int zero = 0;
            zmq_setsockopt(kit.sockets[i], ZMQ_LINGER, &zero, sizeof zero);
            zmq_close(kit.sockets[i]);
        }
    return zmq_ctx_term(kit.ctx);
}

/* Closed at the end of the test if the test does not do so. */
static inline void *keep(void *s) {
    assert_true(kit.socket_count < KIT_SOCKETS);
    kit.sockets[kit.socket_count++] = s;
    return s;
}

static inline int keep_file(int f) {
    assert_true(f >= 0);
    assert_true(kit.file_count < 64);
    kit.files[kit.file_count++] = f;
    return f;
}

/* No call waits for ever, so that a failure does not become a hang. Messages are dropped at close.
 */
static inline void *open_socket(int type) {
    void *s = keep(new_socket(kit.ctx, type));
    set_int(s, ZMQ_LINGER, 0);
    set_int(s, ZMQ_SNDTIMEO, DEADLINE_MS);
    set_int(s, ZMQ_RCVTIMEO, DEADLINE_MS);
    set_int(s, ZMQ_RECONNECT_IVL, 20);
    return s;
}

/* Closes with the LINGER that is set. */
static inline void close_socket(void *s) {
    for (int i = 0; i < kit.socket_count; i++)
        if (kit.sockets[i] == s) kit.sockets[i] = NULL;
    OK(zmq_close(s));
}

static inline void *open_with(int type, int option, int value) {
    void *s = open_socket(type);
    set_int(s, option, value);
    return s;
}

static inline void set_text(void *s, int option, const char *text) {
    OK(zmq_setsockopt(s, option, text, strlen(text)));
}

static inline bool is_inproc(const char *transport) { return strcmp(transport, "inproc") == 0; }

/* Binds to a new address of the transport and returns it in `ep` (ENDPOINT bytes). */
static inline char *bind_on(void *s, const char *transport, char *ep) {
    static int number;
    char wanted[64];
    if (is_inproc(transport))
        snprintf(wanted, sizeof wanted, "inproc://pattern-%d", ++number);
    else
        snprintf(wanted, sizeof wanted, strcmp(transport, "tcp") ? "ipc://*" : "tcp://127.0.0.1:*");
    bind_any(s, wanted, ep);
    return ep;
}

/* Binds to an address that was in use until a moment ago: it may take a while to be released. */
static inline void bind_again(void *s, const char *ep) {
    const int64_t end = now_ms() + DEADLINE_MS;
    while (zmq_bind(s, ep) == -1) {
        if (zmq_errno() != EADDRINUSE || now_ms() > end)
            fail_msg("bind again to %s: %s", ep, zmq_strerror(zmq_errno()));
        poll(NULL, 0, 5);
    }
}

static inline void connect_to(void *s, const char *ep) { OK(zmq_connect(s, ep)); }

/* Opens a socket of `type`, binds it, and connects `s` to it. */
static inline void *open_bound_peer(void *s, int type, const char *transport) {
    char ep[ENDPOINT];
    void *peer = open_socket(type);
    connect_to(s, bind_on(peer, transport, ep));
    return peer;
}

static inline void *open_connected(int type, const char *ep) {
    void *s = open_socket(type);
    connect_to(s, ep);
    return s;
}

/* A connected pair. With inproc the binder learns of the connection in the first call it makes. */
static inline void open_pair(int bound_type, int connected_type, const char *transport,
                             void **bound, void **connected) {
    char ep[ENDPOINT];
    *bound = open_socket(bound_type);
    *connected = open_connected(connected_type, bind_on(*bound, transport, ep));
}

/* An ipc address whose file is removed after the test. */
static inline char *own_ipc_endpoint(char *ep) {
    static int number;
    assert_true(kit.path_count < 16);
    char *path = kit.paths[kit.path_count++];
    snprintf(path, sizeof kit.paths[0], "/tmp/tern-pattern-%d-%d", (int)getpid(), ++number);
    snprintf(ep, ENDPOINT, "ipc://%s", path);
    return ep;
}

/* Like bind_on, but the address can be bound again: the directory of an ipc wildcard goes with its
 * socket. */
static inline char *bind_lasting(void *s, const char *transport, char *ep) {
    if (strcmp(transport, "ipc") != 0) return bind_on(s, transport, ep);
    OK(zmq_bind(s, own_ipc_endpoint(ep)));
    return ep;
}

/* An address of this transport nobody listens on. A tcp port is held until the end of the test. */
static inline char *dead_endpoint(const char *transport, char *ep) {
    static int number;
    if (strcmp(transport, "ipc") == 0) return own_ipc_endpoint(ep);
    if (is_inproc(transport)) {
        snprintf(ep, ENDPOINT, "inproc://nobody-%d", ++number);
        return ep;
    }
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    const int f = keep_file(socket(AF_INET, SOCK_STREAM, 0));
    assert_int_equal(bind(f, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(f, (struct sockaddr *)&a, &size), 0);
    snprintf(ep, ENDPOINT, "tcp://127.0.0.1:%d", ntohs(a.sin_port));
    return ep;
}

/* ---- Waiting -------------------------------------------------------------------------------- */

static inline short events_now(void *s) { return (short)get_int(s, ZMQ_EVENTS); }

/* Waits until none of `events` is reported. */
static inline void wait_no_events(void *s, short events) {
    const int64_t end = now_ms() + DEADLINE_MS;
    while (events_now(s) & events) {
        if (now_ms() > end) fail_msg("events %d never went away", events);
        poll(NULL, 0, 2);
    }
}

/* Lets the socket process whatever is on its way to it, for QUIET_MS. */
static inline void let_notice(void *s) {
    const int64_t end = now_ms() + QUIET_MS;
    do {
        events_now(s);
        poll(NULL, 0, 5);
    } while (now_ms() < end);
}

static inline bool fd_readable(void *s, int timeout_ms) {
    struct pollfd p = {.fd = get_int(s, ZMQ_FD), .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

/* Processes all internal events known now, so that the next one makes the ZMQ_FD readable. */
static inline void consume_fd(void *s) {
    const int64_t end = now_ms() + DEADLINE_MS;
    do {
        events_now(s);
        assert_true(now_ms() < end);
    } while (fd_readable(s, 0));
}

/* Waits until there is something to process, without processing it. It may be something else than
 * expected: no test may fail for that. */
static inline void wait_fd(void *s) {
    if (!fd_readable(s, DEADLINE_MS)) fail_msg("the ZMQ_FD never became readable");
}

/* ---- Messages ------------------------------------------------------------------------------- */

/* One frame into `buffer` (which gets a terminating 0) and its size; -1 if none comes in time.
 * A REQ may report a message that recv then sorts out. */
static inline int receive_within(void *s, char *buffer, size_t size, int timeout_ms) {
    const int64_t end = now_ms() + timeout_ms;
    for (;;) {
        const int64_t left = end - now_ms();
        zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
        OK(zmq_poll(&item, 1, left > 0 ? left : 0));
        if (!item.revents) return -1;
        const int n = zmq_recv(s, buffer, size - 1, ZMQ_DONTWAIT);
        if (n != -1) {
            buffer[(size_t)n < size ? (size_t)n : size - 1] = 0;
            return n;
        }
        if (zmq_errno() != EAGAIN) fail_msg("recv: %s", zmq_strerror(zmq_errno()));
        if (left <= 0) return -1;
    }
}

static inline int receive(void *s, char *buffer, size_t size) {
    const int n = receive_within(s, buffer, size, DEADLINE_MS);
    if (n == -1) fail_msg("nothing received");
    return n;
}

static inline bool more(void *s) { return get_int(s, ZMQ_RCVMORE) != 0; }

/* Sends all frames without waiting. */
static inline void send_frames(void *s, const char *const *frames, int flags, int line) {
    for (; *frames; frames++) {
        const int size = (int)strlen(*frames);
        if (zmq_send(s, *frames, (size_t)size, (frames[1] ? ZMQ_SNDMORE : 0) | flags) != size)
            fail_msg("line %d: send \"%s\": %s", line, *frames, zmq_strerror(zmq_errno()));
    }
}

/* The next message must consist of exactly these frames. */
static inline void expect_frames(void *s, const char *const *frames, int line) {
    char buffer[1024];
    for (const char *const *f = frames; *f; f++) {
        const int n = receive_within(s, buffer, sizeof buffer, f == frames ? DEADLINE_MS : 0);
        if (n == -1) fail_msg("line %d: nothing received, expected \"%s\"", line, *f);
        if ((size_t)n != strlen(*f) || strcmp(buffer, *f) != 0)
            fail_msg("line %d: received \"%s\" (%d bytes), expected \"%s\"", line, buffer, n, *f);
        if (more(s) != (f[1] != NULL))
            fail_msg("line %d: RCVMORE is %d after \"%s\"", line, more(s), *f);
    }
}

#define FRAMES(...)                                                                                \
    (const char *const[]) { __VA_ARGS__, NULL }
#define SEND(s, ...) send_frames(s, FRAMES(__VA_ARGS__), 0, __LINE__)
#define SEND_NOW(s, ...) send_frames(s, FRAMES(__VA_ARGS__), ZMQ_DONTWAIT, __LINE__)
#define EXPECT(s, ...) expect_frames(s, FRAMES(__VA_ARGS__), __LINE__)

/* Nothing to read, now and for a while. */
static inline void expect_silence(void *s) {
    char buffer[256];
    const int n = receive_within(s, buffer, sizeof buffer, QUIET_MS);
    if (n != -1) fail_msg("unexpected message \"%s\" (%d bytes)", buffer, n);
}

static inline void expect_empty_now(void *s) {
    char c;
    FAILS(zmq_recv(s, &c, 1, ZMQ_DONTWAIT), EAGAIN);
}

static inline void send_number(void *s, int number) {
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    send_text(s, text, 0);
}

static inline void expect_number(void *s, int number) {
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    expect_text(s, text);
}

/* Receives the numbers first, first + step, ... `count` of them. */
static inline void expect_numbers(void *s, int first, int step, int count) {
    for (int i = 0; i < count; i++) expect_number(s, first + i * step);
}

/* Sends without waiting until the socket would block, and returns how many it took. */
static inline int fill(void *s, int limit) {
    for (int n = 0; n < limit; n++)
        if (zmq_send(s, "filler", 6, ZMQ_DONTWAIT) == -1) {
            assert_int_equal(zmq_errno(), EAGAIN);
            return n;
        }
    return limit;
}

/* Reads whole messages until nothing comes for QUIET_MS; returns their number. */
static inline int drain(void *s) {
    char buffer[256];
    int n = 0;
    while (receive_within(s, buffer, sizeof buffer, QUIET_MS) != -1) n += !more(s);
    return n;
}

/* ---- Publish and subscribe ------------------------------------------------------------------ */

static inline void subscribe(void *s, const char *topic) { set_text(s, ZMQ_SUBSCRIBE, topic); }
static inline void unsubscribe(void *s, const char *topic) { set_text(s, ZMQ_UNSUBSCRIBE, topic); }

/* Subscriptions are processed in order: once a message of a new topic of its own gets through from
 * `publisher`, everything `sub` subscribed to before is in force, too. */
static inline void join(void *publisher, void *sub) {
    const int64_t end = now_ms() + DEADLINE_MS;
    static int number;
    char buffer[256], topic[32], last[40];
    snprintf(topic, sizeof topic, "~%d~", ++number);
    snprintf(last, sizeof last, "%slast", topic);
    subscribe(sub, topic);
    do {
        if (now_ms() > end) fail_msg("the subscriber never joined");
        SEND(publisher, topic);
    } while (receive_within(sub, buffer, sizeof buffer, 5) == -1);
    SEND(publisher, last);
    while (strcmp(buffer, last) != 0) receive(sub, buffer, sizeof buffer);
}

/* (Un)subscription messages of XSUB and XPUB: 1 or 0, then the topic. */
static inline void send_request(void *xsub, char kind, const char *topic) {
    char frame[256] = {kind};
    strcpy(frame + 1, topic);
    const int size = (int)strlen(topic) + 1;
    assert_int_equal(zmq_send(xsub, frame, (size_t)size, ZMQ_DONTWAIT), size);
}

static inline void check_request(const char *frame, int n, char kind, const char *topic, int line) {
    if (n != (int)strlen(topic) + 1 || frame[0] != kind || strcmp(frame + 1, topic) != 0)
        fail_msg("line %d: received %d \"%s\" (%d bytes), expected %d \"%s\"", line, frame[0],
                 frame + 1, n, kind, topic);
}

/* `idle` may be a socket that gets a chance to process its events meanwhile, or NULL. */
static inline void expect_request(void *xpub, void *idle, char kind, const char *topic, int line) {
    const int64_t end = now_ms() + DEADLINE_MS;
    char frame[256];
    int n;
    while ((n = receive_within(xpub, frame, sizeof frame, idle ? 5 : DEADLINE_MS)) == -1) {
        if (now_ms() > end)
            fail_msg("line %d: nothing received, expected %d \"%s\"", line, kind, topic);
        if (idle) events_now(idle);
    }
    check_request(frame, n, kind, topic, line);
    if (more(xpub)) fail_msg("line %d: request \"%s\" has more frames", line, topic);
}

#define SUBSCRIBED(xpub, topic) expect_request(xpub, NULL, 1, topic, __LINE__)
#define UNSUBSCRIBED(xpub, topic) expect_request(xpub, NULL, 0, topic, __LINE__)
#define SUBSCRIBED_WHILE(xpub, idle, topic) expect_request(xpub, idle, 1, topic, __LINE__)

/* ---- Monitors ------------------------------------------------------------------------------- */

/* The collector of all events of `s`. */
static inline void *monitor(void *s) {
    static int number;
    char name[64];
    snprintf(name, sizeof name, "inproc://monitor-%d", ++number);
    OK(zmq_socket_monitor(s, name, ZMQ_EVENT_ALL));
    return open_connected(ZMQ_PAIR, name);
}

/* The next event, or 0 if none comes in time. */
static inline int next_event(void *collector, int timeout_ms) {
    char buffer[256];
    uint16_t event;
    if (receive_within(collector, buffer, sizeof buffer, timeout_ms) == -1) return 0;
    memcpy(&event, buffer, sizeof event);
    while (more(collector)) receive(collector, buffer, sizeof buffer);
    return event;
}

/* Skips events until this one comes. */
static inline void wait_event(void *collector, int wanted) {
    const int64_t end = now_ms() + DEADLINE_MS;
    for (int e = 0; e != wanted; e = next_event(collector, 100))
        if (now_ms() > end) fail_msg("monitor event %d never came", wanted);
}

/* `unheard` is connected to a socket that does not read what it sends. It sends more than that takes in, less than the
 * kernel does, and leaves: whoever reports to `events` notices. */
static inline void expect_let_go(void *unheard, void *events) {
    static const char body[10000];
    for (int i = 0; i < 6; i++) assert_int_equal(zmq_send(unheard, body, sizeof body, 0), sizeof body);
    assert_int_equal(next_event(events, 0), 0);
    set_int(unheard, ZMQ_LINGER, -1);
    close_socket(unheard);
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
}

/* For a while there must be no event of this mask. */
static inline void expect_no_event_of(void *collector, int mask) {
    const int64_t end = now_ms() + QUIET_MS;
    while (now_ms() < end) {
        const int e = next_event(collector, 20);
        if (e & mask) fail_msg("unexpected monitor event %d", e);
    }
}

/* ---- Plain TCP ------------------------------------------------------------------------------ */

static inline void close_file(int f) {
    for (int i = 0; i < kit.file_count; i++)
        if (kit.files[i] == f) kit.files[i] = -1;
    assert_int_equal(close(f), 0);
}

/* Connects a plain socket to "tcp://127.0.0.1:port". */
static inline int plain_connect(const char *ep) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int f = keep_file(socket(AF_INET, SOCK_STREAM, 0));
    a.sin_port = htons((uint16_t)atoi(strrchr(ep, ':') + 1));
    assert_int_equal(connect(f, (struct sockaddr *)&a, sizeof a), 0);
    return f;
}

/* Listens with a plain socket and writes "tcp://127.0.0.1:port" to `ep`. */
static inline int plain_listen(char *ep) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    const int f = keep_file(socket(AF_INET, SOCK_STREAM, 0));
    assert_int_equal(bind(f, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(f, 8), 0);
    assert_int_equal(getsockname(f, (struct sockaddr *)&a, &size), 0);
    snprintf(ep, ENDPOINT, "tcp://127.0.0.1:%d", ntohs(a.sin_port));
    return f;
}

static inline bool plain_ready(int f, int timeout_ms) {
    struct pollfd p = {.fd = f, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static inline int plain_accept(int listener) {
    if (!plain_ready(listener, DEADLINE_MS)) fail_msg("no connection to accept");
    return keep_file(accept(listener, NULL, NULL));
}

static inline void plain_write(int f, const char *text) {
    assert_int_equal(send(f, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* The next bytes on the connection must be these. */
static inline void plain_expect(int f, const char *text) {
    char buffer[1024];
    const size_t size = strlen(text);
    for (size_t n = 0; n < size;) {
        if (!plain_ready(f, DEADLINE_MS)) fail_msg("got %zu bytes of \"%s\"", n, text);
        const ssize_t got = recv(f, buffer + n, size - n, 0);
        if (got <= 0) fail_msg("connection ended after %zu bytes of \"%s\"", n, text);
        n += (size_t)got;
        if (memcmp(buffer, text, n) != 0)
            fail_msg("got \"%.*s\", expected \"%s\"", (int)n, buffer, text);
    }
}

/* The peer must close the connection without further bytes, whether politely or by a reset. */
static inline void plain_expect_end(int f) {
    char c;
    if (!plain_ready(f, DEADLINE_MS)) fail_msg("the connection stays open");
    if (recv(f, &c, 1, 0) > 0) fail_msg("byte %d instead of the end", c);
}

#endif
