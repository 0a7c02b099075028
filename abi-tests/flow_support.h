/* What the tests of flow control, devices and scenarios share, on top of support.h: filling queues,
 * threads that report instead of asserting, ports that refuse, and a hand-made ZMTP peer. Threads
 * other than the test's own must never call a cmocka assertion (it would longjmp across stacks):
 * they keep errno and counts for the test to judge. */
#ifndef TERN_ABI_TESTS_FLOW_SUPPORT_H
#define TERN_ABI_TESTS_FLOW_SUPPORT_H

#include "support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>

/* ---- Running ---- */

/* A test that hangs ends the program by SIGALRM instead of holding up the whole run. */
enum { WATCHDOG_SECONDS = 100 };

static inline int watchdog_start(void **state) {
    (void)state;
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_watchdog(WATCHDOG_SECONDS);
    return 0;
}

static inline int watchdog_stop(void **state) {
    (void)state;
    alarm(0);
    return 0;
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, watchdog_start, watchdog_stop)

/* Waits until `condition` holds, or fails at the deadline. For states that no descriptor announces.
 */
#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        const int64_t end_ = now_ms() + DEADLINE_MS;                                               \
        while (!(condition)) {                                                                     \
            if (now_ms() > end_) fail_msg("never came true: %s", #condition);                      \
            pause_ms(2);                                                                           \
        }                                                                                          \
    } while (0)

/* Lets others run between two looks at a state; never a replacement for looking. */
static inline void pause_ms(int ms) { poll(NULL, 0, ms); }

/* At least `ms` passed since `start`; the clock of a library may have a millisecond's grain. */
static inline void expect_not_before(int64_t start, int ms) {
    const int64_t elapsed = now_ms() - start;
    if (elapsed < ms - 1)
        fail_msg("returned after %lld ms, expected at least %d", (long long)elapsed, ms);
}

/* Much less than an hour passed: for calls that must not wait for their (long) limit. */
static inline void expect_before(int64_t start, int ms) {
    const int64_t elapsed = now_ms() - start;
    if (elapsed > ms)
        fail_msg("returned after %lld ms, expected at most %d", (long long)elapsed, ms);
}

/* ---- Contexts and sockets ---- */

static inline void *new_context(void) {
    void *ctx = zmq_ctx_new();
    if (!ctx) fail_msg("zmq_ctx_new: %s", zmq_strerror(zmq_errno()));
    return ctx;
}

static inline void end_context(void *ctx) { OK(zmq_ctx_term(ctx)); }

/* A socket with its two high-water marks; negative leaves the default. */
static inline void *new_limited(void *ctx, int type, int sndhwm, int rcvhwm) {
    void *s = new_socket(ctx, type);
    if (sndhwm >= 0) set_int(s, ZMQ_SNDHWM, sndhwm);
    if (rcvhwm >= 0) set_int(s, ZMQ_RCVHWM, rcvhwm);
    return s;
}

/* "inproc://flow-7": never the same twice in one program. */
static inline void unique_inproc(char *out) {
    static atomic_int counter;
    sprintf(out, "inproc://flow-%d", atomic_fetch_add(&counter, 1));
}

/* Binds `s` on "inproc", "tcp" or "ipc"; `out` (256 bytes) tells where to connect. */
static inline const char *bind_on(void *s, const char *transport, char *out) {
    if (strcmp(transport, "tcp") == 0) return bind_any(s, "tcp://127.0.0.1:*", out);
    if (strcmp(transport, "ipc") == 0) return bind_any(s, "ipc://*", out);
    unique_inproc(out);
    OK(zmq_bind(s, out));
    return out;
}

static inline void join_sockets(void *binder, void *connecter, const char *transport) {
    char endpoint[256];
    OK(zmq_connect(connecter, bind_on(binder, transport, endpoint)));
}

static inline short events_of(void *s) { return (short)get_int(s, ZMQ_EVENTS); }

static inline void subscribe(void *s, const char *topic) {
    OK(zmq_setsockopt(s, ZMQ_SUBSCRIBE, topic, strlen(topic)));
}

/* XPUB: waits for the next subscription notice and compares it. */
static inline void expect_subscription(void *xpub, const char *topic) {
    char notice[64];
    notice[0] = 1;
    wait_events(xpub, ZMQ_POLLIN);
    char buffer[64];
    const int n = zmq_recv(xpub, buffer, sizeof buffer, ZMQ_DONTWAIT);
    memcpy(notice + 1, topic, strlen(topic));
    if (n != (int)strlen(topic) + 1 || memcmp(buffer, notice, (size_t)n) != 0)
        fail_msg("expected a subscription to \"%s\", received %d bytes", topic, n);
}

/* A tcp port on which nobody listens, kept reserved by `*fd`: connects are refused. A 0MQ socket
 * may still bind it. */
static inline void silent_tcp(int *fd, char *endpoint) {
    const int yes = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof a;
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*fd >= 0);
    assert_int_equal(setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes), 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&a, &size), 0);
    sprintf(endpoint, "tcp://127.0.0.1:%d", ntohs(a.sin_port));
}

/* Binds an endpoint that a socket has just left: the reference gives ports back a little late
 * (CON-15). */
static inline void bind_again(void *s, const char *endpoint) {
    const int64_t end = now_ms() + DEADLINE_MS;
    while (zmq_bind(s, endpoint) == -1) {
        if (zmq_errno() != EADDRINUSE || now_ms() > end)
            fail_msg("bind again %s: %s", endpoint, zmq_strerror(zmq_errno()));
        pause_ms(2);
    }
}

/* ---- Numbered messages ---- */

/* One non-blocking send of a number; true when accepted, any refusal but EAGAIN fails the test.
 * EVENTS is asked first, because a lone non-blocking send of the reference looks for freed space
 * only now and then (LWM-7). */
static inline bool try_number(void *s, int32_t number) {
    (void)events_of(s);
    if (zmq_send(s, &number, sizeof number, ZMQ_DONTWAIT) == (int)sizeof number) return true;
    if (zmq_errno() != EAGAIN) fail_msg("send of number %d: %s", number, zmq_strerror(zmq_errno()));
    return false;
}

/* Sends first, first + 1, ... until one is refused or `most` are in; returns how many were
 * accepted. */
static inline int fill(void *s, int32_t first, int most) {
    int n = 0;
    while (n < most && try_number(s, first + n)) n++;
    return n;
}

/* As fill, with messages of `size` bytes, and going on until nothing was accepted for a moment. */
static inline int fill_until_quiet(void *s, int32_t first, size_t size, int most) {
    char *body = calloc(1, size);
    int n = 0;
    int64_t last = now_ms();
    while (n < most && now_ms() - last < 2 * QUIET_MS) {
        const int32_t number = first + n;
        memcpy(body, &number, sizeof number);
        zmq_pollitem_t item = {s, 0, ZMQ_POLLOUT, 0};
        OK(zmq_poll(&item, 1, 10));
        if (zmq_send(s, body, size, ZMQ_DONTWAIT) == (int)size) {
            n++;
            last = now_ms();
        } else if (zmq_errno() != EAGAIN)
            fail_msg("send: %s", zmq_strerror(zmq_errno()));
    }
    free(body);
    return n;
}

/* Receives the next message and returns the number in its first four bytes. */
static inline int32_t receive_number(void *s) {
    int32_t number = -1;
    wait_events(s, ZMQ_POLLIN);
    const int n = zmq_recv(s, &number, sizeof number, ZMQ_DONTWAIT);
    if (n < (int)sizeof number)
        fail_msg("receive a number: %d, %s", n, n < 0 ? zmq_strerror(zmq_errno()) : "too short");
    return number;
}

static inline void expect_numbers(void *s, int32_t first, int count) {
    for (int i = 0; i < count; i++) {
        const int32_t number = receive_number(s);
        if (number != first + i) fail_msg("received number %d, expected %d", number, first + i);
    }
}

/* Nothing is there now, and nothing comes for a moment. */
static inline void expect_silence(void *s) {
    char byte;
    expect_no_events(s, ZMQ_POLLIN);
    FAILS(zmq_recv(s, &byte, 1, ZMQ_DONTWAIT), EAGAIN);
}

/* Receives one part and says whether more follow. */
static inline void expect_part(void *s, const char *text, bool more) {
    expect_text(s, text);
    if (get_int(s, ZMQ_RCVMORE) != (more ? 1 : 0))
        fail_msg("part \"%s\": RCVMORE should be %d", text, more);
}

/* ---- Threads ---- */

static inline pthread_t start_thread(void *(*body)(void *), void *arg) {
    pthread_t thread;
    const int rc = pthread_create(&thread, NULL, body, arg);
    if (rc != 0) fail_msg("pthread_create: %s", strerror(rc));
    return thread;
}

static inline void join_thread(pthread_t thread) {
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* Milliseconds of CPU the thread has used so far. */
static inline int64_t cpu_ms(pthread_t thread) {
    clockid_t clock;
    struct timespec t;
    assert_int_equal(pthread_getcpuclockid(thread, &clock), 0);
    assert_int_equal(clock_gettime(clock, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* zmq_ctx_term in a thread of its own: the test sees when it has returned. */
struct termination {
    void *ctx;
    pthread_t thread;
    atomic_bool done;
    int rc;
    int64_t started, ended;
};

static inline void *termination_body(void *arg) {
    struct termination *t = arg;
    do t->rc = zmq_ctx_term(t->ctx);
    while (t->rc == -1 && zmq_errno() == EINTR);
    t->ended = now_ms();
    atomic_store(&t->done, true);
    return NULL;
}

static inline void terminate_start(struct termination *t, void *ctx) {
    t->ctx = ctx;
    atomic_init(&t->done, false);
    t->started = now_ms();
    t->thread = start_thread(termination_body, t);
}

static inline void terminate_join(struct termination *t) {
    WAIT_UNTIL(atomic_load(&t->done));
    join_thread(t->thread);
    assert_int_equal(t->rc, 0);
}

/* ---- A hand-made peer ---- */

static inline int raw_connect(const char *endpoint) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    a.sin_port = htons((uint16_t)atoi(strrchr(endpoint, ':') + 1));
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static inline void raw_write(int fd, const void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        const ssize_t n = send(fd, (const char *)bytes + done, size - done, MSG_NOSIGNAL);
        if (n <= 0) fail_msg("raw write: %s", strerror(errno));
        done += (size_t)n;
    }
}

static inline void raw_read(int fd, void *bytes, size_t size) {
    for (size_t done = 0; done < size;) {
        struct pollfd p = {fd, POLLIN, 0};
        if (poll(&p, 1, DEADLINE_MS) != 1)
            fail_msg("raw read: nothing came, %zu of %zu bytes", done, size);
        const ssize_t n = recv(fd, (char *)bytes + done, size - done, 0);
        if (n <= 0)
            fail_msg("raw read: %s after %zu of %zu bytes", n ? strerror(errno) : "end", done,
                     size);
        done += (size_t)n;
    }
}

/* ZMTP 3.0 with NULL security as the given socket type, up to and including both READY commands. */
static inline int raw_peer(const char *endpoint, const char *type) {
    unsigned char greeting[64] = {0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L'};
    unsigned char ready[64] = "\4\0\5READY\13Socket-Type";
    const size_t fixed = 3 + 5 + 1 + 11, type_size = strlen(type);
    ready[1] = (unsigned char)(fixed - 2 + 4 + type_size);
    ready[fixed + 3] = (unsigned char)type_size;
    memcpy(ready + fixed + 4, type, type_size);

    const int fd = raw_connect(endpoint);
    raw_write(fd, greeting, sizeof greeting);
    raw_read(fd, greeting, sizeof greeting);
    raw_write(fd, ready, 2 + (size_t)ready[1]);
    unsigned char header[2], body[255];
    raw_read(fd, header, 2);
    assert_int_equal(header[0], 4);
    raw_read(fd, body, header[1]);
    return fd;
}

#endif
