/* RADIO, DISH and DGRAM over udp: transports.md section 6, vectors/udp.json, RD-5 and DG-1 to DG-3. */
#include "draft_support.h"

#include <net/if.h>

enum { DATAGRAM_MAX = 8192 };

/* ---- Raw peers ---- */

/* A bound descriptor, closed after the test; its port in `port`. */
static int raw_udp(const char *host, int *port) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    assert_int_equal(inet_pton(AF_INET, host, &a.sin_addr), 1);
    const int f = keep_file(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    assert_int_equal(bind(f, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(f, (struct sockaddr *)&a, &size), 0);
    *port = ntohs(a.sin_port);
    return f;
}

/* A port nobody has, most likely. */
static int free_port(int family) {
    struct sockaddr_storage a = {.ss_family = (sa_family_t)family};
    socklen_t size = sizeof a;
    const int f = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(f >= 0);
    assert_int_equal(bind(f, (struct sockaddr *)&a, family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                                       : sizeof(struct sockaddr_in)),
                     0);
    assert_int_equal(getsockname(f, (struct sockaddr *)&a, &size), 0);
    close(f);
    return ntohs(family == AF_INET6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                                    : ((struct sockaddr_in *)&a)->sin_port);
}

static void send_raw(int fd, int port, const void *data, size_t size) {
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const ssize_t n = sendto(fd, data, size, 0, (const struct sockaddr *)&to, sizeof to);
    assert_int_equal(n, (ssize_t)size);
}

static ssize_t receive_raw(int fd, void *out, size_t size, int timeout_ms) {
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, timeout_ms) != 1) return -1;
    return recv(fd, out, size, MSG_DONTWAIT);
}

static void expect_raw(int fd, const void *data, size_t size) {
    uint8_t got[DATAGRAM_MAX + 1];
    const ssize_t n = receive_raw(fd, got, sizeof got, DEADLINE_MS);
    assert_int_equal(n, (ssize_t)size);
    assert_memory_equal(got, data, size);
}

static char *udp(char *ep, const char *host, int port) {
    snprintf(ep, ENDPOINT, "udp://%s:%d", host, port);
    return ep;
}

static int send_group(void *radio, const char *group, const void *body, size_t size) {
    zmq_msg_t m;
    OK(zmq_msg_init_size(&m, size));
    if (size) memcpy(zmq_msg_data(&m), body, size);
    OK(DRAFT(zmq_msg_set_group)(&m, group));
    return zmq_msg_send(&m, radio, 0);
}

/* A DISH on a free port of loopback, in a group. */
static void *open_dish(const char *group, char *ep, int *port) {
    void *dish = open_socket(ZMQ_DISH);
    *port = free_port(AF_INET);
    OK(zmq_bind(dish, udp(ep, "127.0.0.1", *port)));
    OK(DRAFT(zmq_join)(dish, group));
    return dish;
}

static void *open_dgram(char *ep, int *port) {
    void *s = open_socket(ZMQ_DGRAM);
    *port = free_port(AF_INET);
    OK(zmq_bind(s, udp(ep, "127.0.0.1", *port)));
    return s;
}

/* ---- RADIO and DISH ---- */

static void RD_5_RADIO_sends_the_captured_datagrams(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT], group[256], longest[257];
    int port;
    const int raw = raw_udp("127.0.0.1", &port);
    void *radio = open_connected(ZMQ_RADIO, udp(ep, "127.0.0.1", port));
    memset(group, 'g', 255);
    group[255] = 0;
    memset(longest, 'g', 256);
    longest[0] = (char)255;
    longest[256] = 'z';
    /* every message goes out, whether anybody has joined or not */
    assert_int_equal(send_group(radio, "TV", "Friends", 7), 7);
    assert_int_equal(send_group(radio, "", "x", 1), 1);
    assert_int_equal(send_group(radio, "g", "", 0), 0);
    assert_int_equal(send_group(radio, group, "z", 1), 1);
    expect_raw(raw, "\2TVFriends", 10);
    expect_raw(raw, "\0x", 2);
    expect_raw(raw, "\1g", 2);
    expect_raw(raw, longest, 257);
}

static void RD_5_a_datagram_has_8192_bytes_at_most(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    static char body[3 * DATAGRAM_MAX], wanted[DATAGRAM_MAX];
    int port;
    const int raw = raw_udp("127.0.0.1", &port);
    void *radio = open_connected(ZMQ_RADIO, udp(ep, "127.0.0.1", port));
    memset(body, 'b', sizeof body);
    memset(wanted, 'b', sizeof wanted);
    memcpy(wanted, "\2TV", 3);
    assert_int_equal(send_group(radio, "TV", body, sizeof body), sizeof body);
    assert_int_equal(send_group(radio, "TV", body, DATAGRAM_MAX - 2), DATAGRAM_MAX - 2);
    assert_int_equal(send_group(radio, "TV", body, DATAGRAM_MAX - 3), DATAGRAM_MAX - 3);
    expect_raw(raw, wanted, sizeof wanted); /* the larger ones were dropped */
    uint8_t byte;
    assert_int_equal(receive_raw(raw, &byte, 1, QUIET_MS), -1);
}

static void RD_5_DISH_takes_the_captured_datagrams_and_drops_broken_ones(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT], group[256];
    static uint8_t large[2 * DATAGRAM_MAX] = "\2TV";
    int port, own;
    void *dish = open_dish("TV", ep, &port);
    const int raw = raw_udp("127.0.0.1", &own);
    send_raw(raw, port, "\2T", 2);                   /* dish-truncated-group */
    send_raw(raw, port, "", 0);                      /* dish-empty-datagram */
    send_raw(raw, port, "\xff", 1);
    send_raw(raw, port, large, DATAGRAM_MAX + 1);    /* must not come as a torn message */
    send_raw(raw, port, large, sizeof large);
    send_raw(raw, port, "\3TVXnot joined", 14);
    send_raw(raw, port, "\2TVFriends", 10);
    assert_int_equal(expect_from_peer(dish, "Friends", group), 0);
    assert_string_equal(group, "TV");
    send_raw(raw, port, "\2TV", 3); /* dish-empty-body */
    assert_int_equal(expect_from_peer(dish, "", group), 0);
    assert_string_equal(group, "TV");
    send_raw(raw, port, "\4TV\0xbody", 9); /* the group ends at its NUL */
    assert_int_equal(expect_from_peer(dish, "body", group), 0);
    assert_string_equal(group, "TV");
    send_raw(raw, port, large, DATAGRAM_MAX);
    static char got[DATAGRAM_MAX];
    assert_int_equal(receive(dish, got, sizeof got), DATAGRAM_MAX - 3);
    expect_silence(dish);
}

static void RD_5_DISH_filters_by_exact_group(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    int port;
    void *dish = open_dish("TV", ep, &port);
    void *radio = open_connected(ZMQ_RADIO, ep);
    OK(DRAFT(zmq_join)(dish, "Movies"));
    for (int i = 0; i < 100; i++) {
        send_group(radio, "T", "1", 1);
        send_group(radio, "TVs", "2", 1);
        send_group(radio, "", "3", 1);
        send_group(radio, "TV", "4", 1);
        EXPECT(dish, "4");
        send_group(radio, "Movies", "5", 1);
        EXPECT(dish, "5");
    }
    OK(DRAFT(zmq_leave)(dish, "TV"));
    send_group(radio, "TV", "6", 1);
    send_group(radio, "Movies", "7", 1);
    EXPECT(dish, "7");
    expect_silence(dish);
}

static void RD_5_several_endpoints_on_both_sides(void **state) {
    (void)state;
    NEED_DRAFT();
    char one[ENDPOINT], two[ENDPOINT];
    int port;
    void *dish = open_dish("g", one, &port), *other = open_dish("g", two, &port);
    void *radio = open_connected(ZMQ_RADIO, one);
    OK(zmq_connect(radio, two));
    send_group(radio, "g", "both", 4);
    EXPECT(dish, "both");
    EXPECT(other, "both");
    OK(zmq_disconnect(radio, one));
    send_group(radio, "g", "one", 3);
    EXPECT(other, "one");
    expect_silence(dish);
    FAILS(zmq_disconnect(radio, one), ENOENT);
    OK(zmq_disconnect(radio, two));
    assert_int_equal(send_group(radio, "g", "nobody", 6), 6);
}

/* RADIO serves its other peers, which join, beside those of udp, which do not. */
static void RD_5_udp_beside_tcp(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT], tcp[ENDPOINT];
    int port;
    void *dish = open_dish("g", ep, &port);
    void *radio = open_connected(ZMQ_RADIO, ep);
    void *joined = open_connected(ZMQ_DISH, bind_on(radio, "tcp", tcp));
    OK(DRAFT(zmq_join)(joined, "g"));
    char buffer[16];
    const int64_t end = now_ms() + DEADLINE_MS;
    do {
        assert_true(now_ms() < end);
        send_group(radio, "g", "to both", 7);
        EXPECT(dish, "to both");
    } while (receive_within(joined, buffer, sizeof buffer, 5) == -1);
}

static void RD_5_what_waits_is_sent_after_close(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    int port;
    const int raw = raw_udp("127.0.0.1", &port);
    void *radio = open_socket(ZMQ_RADIO);
    set_int(radio, ZMQ_LINGER, -1);
    OK(zmq_connect(radio, udp(ep, "127.0.0.1", port)));
    for (int i = 0; i < 100; i++) send_group(radio, "g", "x", 1);
    close_socket(radio);
    for (int i = 0; i < 100; i++) expect_raw(raw, "\1gx", 3);
    radio = open_socket(ZMQ_RADIO); /* and after disconnect */
    set_int(radio, ZMQ_LINGER, 1000);
    OK(zmq_connect(radio, ep));
    for (int i = 0; i < 100; i++) send_group(radio, "g", "y", 1);
    OK(zmq_disconnect(radio, ep));
    for (int i = 0; i < 100; i++) expect_raw(raw, "\1gy", 3);
}

/* A queue of one: RADIO drops, and says nothing. */
static void RD_5_RADIO_never_blocks(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    int port;
    raw_udp("127.0.0.1", &port);
    void *radio = open_with(ZMQ_RADIO, ZMQ_SNDHWM, 1);
    OK(zmq_connect(radio, udp(ep, "127.0.0.1", port)));
    for (int i = 0; i < 10000; i++) {
        zmq_msg_t m;
        OK(zmq_msg_init_size(&m, 100));
        memset(zmq_msg_data(&m), 7, 100);
        OK(DRAFT(zmq_msg_set_group)(&m, "g"));
        assert_int_equal(zmq_msg_send(&m, radio, ZMQ_DONTWAIT), 100);
    }
}

/* A DISH that does not read holds what its queue and the kernel take, and goes on afterwards. */
static void HWM_a_full_DISH_goes_on(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT], text[16];
    int port, own;
    void *dish = open_socket(ZMQ_DISH);
    set_int(dish, ZMQ_RCVHWM, 5);
    port = free_port(AF_INET);
    OK(zmq_bind(dish, udp(ep, "127.0.0.1", port)));
    OK(DRAFT(zmq_join)(dish, "g"));
    const int raw = raw_udp("127.0.0.1", &own);
    for (int i = 0; i < 50; i++) {
        const int n = snprintf(text, sizeof text, "\1g%d", i);
        send_raw(raw, port, text, (size_t)n);
    }
    for (int i = 0; i < 50; i++) expect_number(dish, i);
    send_raw(raw, port, "\1gafter", 7);
    EXPECT(dish, "after");
}

struct sender {
    void *radio;
    int count;
};
static void *send_many(void *arg) {
    const struct sender *s = arg;
    for (int i = 0; i < s->count; i++) send_group(s->radio, "g", "x", 1);
    return NULL;
}
static void RD_5_many_threads_share_a_RADIO(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    int port;
    void *dish = open_dish("g", ep, &port);
    void *radio = open_socket(ZMQ_RADIO);
    set_int(dish, ZMQ_RCVHWM, 0);
    set_int(radio, ZMQ_SNDHWM, 0);
    OK(zmq_connect(radio, ep));
    struct sender s = {radio, 25};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, send_many, &s), 0);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 100; i++) EXPECT(dish, "x");
}

/* ---- DGRAM ---- */

static void DG_1_two_frames_or_EINVAL(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT], to[64];
    int port, raw_port;
    void *s = open_dgram(ep, &port);
    const int raw = raw_udp("127.0.0.1", &raw_port);
    snprintf(to, sizeof to, "127.0.0.1:%d", raw_port);
    FAILS(zmq_send(s, to, strlen(to), 0), EINVAL);
    OK(zmq_send(s, to, strlen(to), ZMQ_SNDMORE));
    FAILS(zmq_send(s, "x", 1, ZMQ_SNDMORE), EINVAL);
    OK(zmq_send(s, "raw!", 4, 0));
    expect_raw(raw, "raw!", 4); /* dgram-raw: no header */
    OK(zmq_send(s, to, strlen(to) + 1, ZMQ_SNDMORE)); /* with its NUL */
    OK(zmq_send(s, "", 0, 0));
    expect_raw(raw, "", 0);
    FAILS(zmq_connect(s, ep), ENOCOMPATPROTO);
}

static void DG_1_without_an_endpoint_it_can_not_send(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    int port;
    void *s = open_socket(ZMQ_DGRAM);
    assert_int_equal(events_now(s), 0);
    FAILS(zmq_send(s, "127.0.0.1:1", 11, ZMQ_SNDMORE | ZMQ_DONTWAIT), EAGAIN);
    port = free_port(AF_INET);
    OK(zmq_bind(s, udp(ep, "127.0.0.1", port)));
    assert_int_equal(events_now(s), ZMQ_POLLOUT);
    OK(zmq_send(s, "127.0.0.1:1", 11, ZMQ_SNDMORE)); /* left behind by the next call */
    OK(zmq_unbind(s, ep));
    assert_int_equal(events_now(s), 0);
    bind_again(s, ep); /* it may still be sending */
    FAILS(zmq_send(s, "x", 1, 0), EINVAL);
    assert_int_equal(get_int(s, ZMQ_THREAD_SAFE), 0);
    assert_int_equal(get_int(s, ZMQ_TYPE), ZMQ_DGRAM);
}

static void DG_2_the_address_comes_with_its_end_and_goes_back(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT], wanted[64], got[64];
    int port, raw_port;
    void *s = open_dgram(ep, &port);
    const int raw = raw_udp("127.0.0.1", &raw_port);
    const int length = snprintf(wanted, sizeof wanted, "127.0.0.1:%d", raw_port);
    static const char *const bodies[] = {"question", "", "x"};
    for (size_t i = 0; i < 3; i++) {
        send_raw(raw, port, bodies[i], strlen(bodies[i]));
        assert_int_equal(receive(s, got, sizeof got), length + 1);
        assert_string_equal(got, wanted);
        assert_int_equal(got[length], 0);
        assert_true(more(s));
        EXPECT(s, bodies[i]);
        OK(zmq_send(s, got, (size_t)length + 1, ZMQ_SNDMORE));
        SEND(s, "answer");
        expect_raw(raw, "answer", 6);
    }
}

/* Messages that the I/O thread drops at once keep it about to sleep, and the one that follows them must not
 * be left lying. Several threads, so that it is interrupted at every place. */
struct exchange {
    void *ctx;
    char *fault;
};
static void *go_to_and_fro(void *arg) {
    struct exchange *x = arg;
    void *s[2];
    char ep[2][ENDPOINT], from[64], body[64];
    for (int i = 0; i < 2; i++) {
        const int timeout = DEADLINE_MS;
        s[i] = zmq_socket(x->ctx, ZMQ_DGRAM);
        zmq_setsockopt(s[i], ZMQ_RCVTIMEO, &timeout, sizeof timeout);
        do udp(ep[i], "127.0.0.1", free_port(AF_INET));
        while (zmq_bind(s[i], ep[i]) == -1 && zmq_errno() == EADDRINUSE);
    }
    for (int i = 0; i < 3000 && !x->fault; i++) {
        void *to = s[i % 2], *back = s[1 - i % 2];
        const char *address = ep[i % 2] + strlen("udp://");
        for (int k = 0; k < i % 8; k++) {
            zmq_send(back, "nobody", 6, ZMQ_SNDMORE);
            zmq_send(back, "x", 1, 0);
        }
        zmq_send(back, address, strlen(address), ZMQ_SNDMORE);
        zmq_send(back, "x", 1, 0);
        if (zmq_recv(to, from, sizeof from, 0) == -1 || zmq_recv(to, body, sizeof body, 0) != 1)
            x->fault = "a message was left lying";
    }
    for (int i = 0; i < 2; i++) zmq_close(s[i]);
    return NULL;
}
static void DG_2_no_message_is_left_lying(void **state) {
    (void)state;
    NEED_DRAFT();
    struct exchange all[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        all[i] = (struct exchange){kit.ctx, NULL};
        assert_int_equal(pthread_create(&threads[i], NULL, go_to_and_fro, &all[i]), 0);
    }
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < 3; i++)
        if (all[i].fault) fail_msg("%s", all[i].fault);
}

static void DG_3_what_has_no_address_is_dropped(void **state) {
    (void)state;
    NEED_DRAFT();
    static const char *const bad[] = {"",           "nobody",       ":",          "127.0.0.1",
                                      "127.0.0.1:", "127.0.0.1:0",  "1.2.3:4x",   "127.0.0.1:65536",
                                      "host:1",     "[::1]:7",      "127.0.0.1;127.0.0.1:9"};
    char ep[ENDPOINT], to[64];
    static char large[DATAGRAM_MAX + 1];
    int port, raw_port;
    void *s = open_dgram(ep, &port);
    const int raw = raw_udp("127.0.0.1", &raw_port);
    snprintf(to, sizeof to, "127.0.0.1:%d", raw_port);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) SEND(s, bad[i], "lost");
    OK(zmq_send(s, to, strlen(to), ZMQ_SNDMORE)); /* too large */
    OK(zmq_send(s, large, sizeof large, 0));
    OK(zmq_send(s, to, strlen(to), ZMQ_SNDMORE));
    OK(zmq_send(s, large, DATAGRAM_MAX, 0));
    expect_raw(raw, large, DATAGRAM_MAX);
    /* and what comes in larger than that */
    static char larger[4 * DATAGRAM_MAX];
    send_raw(raw, port, larger, sizeof larger);
    send_raw(raw, port, "whole", 5);
    receive(s, to, sizeof to);
    EXPECT(s, "whole");
}

static void DG_1_a_second_endpoint_is_refused(void **state) {
    (void)state;
    NEED_DRAFT();
    char one[ENDPOINT], two[ENDPOINT], from[64];
    int port, own;
    void *s = open_dgram(one, &port);
    OK(zmq_bind(s, udp(two, "127.0.0.1", free_port(AF_INET))));
    const int raw = raw_udp("127.0.0.1", &own);
    send_raw(raw, port, "heard", 5);
    receive(s, from, sizeof from);
    EXPECT(s, "heard");
    OK(zmq_unbind(s, one));
}

/* ---- Endpoints ---- */

static void EP_malformed_endpoints(void **state) {
    (void)state;
    NEED_DRAFT();
    void *radio = open_socket(ZMQ_RADIO), *dish = open_socket(ZMQ_DISH);
    FAILS(zmq_connect(radio, "udp://127.0.0.1"), EINVAL);
    FAILS(zmq_connect(radio, "udp://127.0.0.1:*"), EINVAL);
    FAILS(zmq_connect(radio, "udp://127.0.0.1:0"), EINVAL);
    FAILS(zmq_connect(radio, "udp://127.0.0.1:70000"), EINVAL);
    FAILS(zmq_connect(radio, "udp://*:5555"), EINVAL);
    FAILS(zmq_connect(radio, "udp://no-such-host.invalid:5555"), EINVAL);
    FAILS(zmq_bind(dish, "udp://127.0.0.1"), EINVAL);
    FAILS(zmq_bind(dish, "udp://127.0.0.1:x"), EINVAL);
    FAILS(zmq_bind(dish, "udp://no-such-host.invalid:5555"), ENODEV);
    /* an interface goes with a group only */
    FAILS(zmq_bind(dish, "udp://lo;127.0.0.1:5555"), EINVAL);
    FAILS(zmq_connect(radio, "udp://*;127.0.0.1:5555"), EINVAL);
    FAILS(zmq_bind(dish, "udp://nosuchnic;239.0.0.1:5555"), ENODEV);
    FAILS(zmq_connect(radio, "udp://nosuchnic;239.0.0.1:5555"), ENODEV);
    FAILS(zmq_connect(radio, "udp://239.0.0.2;239.0.0.1:5555"), EINVAL);
    set_int(radio, ZMQ_IPV6, 1);
    FAILS(zmq_connect(radio, "udp://::1;[ff12::7:7]:5555"), ENODEV);
    FAILS(zmq_bind(dish, "udp://192.0.2.200:5555"), EADDRNOTAVAIL);
}

static void EP_LAST_ENDPOINT_has_no_scheme_and_unbind_takes_what_was_given(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT], last[ENDPOINT];
    size_t size = sizeof last;
    int port, own;
    void *dish = open_dish("g", ep, &port);
    OK(zmq_getsockopt(dish, ZMQ_LAST_ENDPOINT, last, &size));
    assert_string_equal(last, ep + strlen("udp://")); /* */
    assert_int_equal(size, strlen(last) + 1);
    FAILS(zmq_unbind(dish, "udp://127.0.0.1:9"), ENOENT);
    FAILS(zmq_bind(open_socket(ZMQ_DISH), ep), EADDRINUSE);
    const int raw = raw_udp("127.0.0.1", &own);
    send_raw(raw, port, "\1gbefore", 8);
    EXPECT(dish, "before");
    OK(zmq_unbind(dish, ep));
    FAILS(zmq_unbind(dish, ep), ENOENT);
    OK(zmq_bind(dish, ep)); /* the port is free at once */
    send_raw(raw, port, "\1gagain", 7);
    EXPECT(dish, "again");
    OK(zmq_bind(open_socket(ZMQ_DISH), "udp://127.0.0.1:*"));
    OK(zmq_bind(open_socket(ZMQ_DISH), "udp://*:*"));
    OK(zmq_bind(open_socket(ZMQ_DISH), "udp://lo:*"));
}

static void EP_zmq_has_does_not_know_udp(void **state) {
    (void)state;
    NEED_DRAFT();
    assert_int_equal(zmq_has("udp"), 0); /* as sockopts.md lists it, built in or not */
}

static void EP_IPv6(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT], from[64], wanted[64];
    const int probe = socket(AF_INET6, SOCK_DGRAM, 0);
    const struct sockaddr_in6 loopback = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    const bool usable =
        probe >= 0 && bind(probe, (const struct sockaddr *)&loopback, sizeof loopback) == 0;
    if (probe >= 0) close(probe);
    if (!usable) {
        print_message("skipped: no ::1 on this host\n");
        skip();
    }
    void *dish = open_with(ZMQ_DISH, ZMQ_IPV6, 1), *radio = open_with(ZMQ_RADIO, ZMQ_IPV6, 1);
    OK(DRAFT(zmq_join)(dish, "g"));
    OK(zmq_bind(dish, udp(ep, "[::1]", free_port(AF_INET6))));
    OK(zmq_connect(radio, ep));
    send_group(radio, "g", "six", 3);
    EXPECT(dish, "six");
    /* Both families at a wildcard; a DGRAM shows and takes either. */
    void *s = open_with(ZMQ_DGRAM, ZMQ_IPV6, 1), *peer = open_with(ZMQ_DGRAM, ZMQ_IPV6, 1);
    int port = free_port(AF_INET6);
    OK(zmq_bind(s, udp(ep, "*", port)));
    OK(zmq_bind(peer, udp(ep, "[::1]", free_port(AF_INET6))));
    snprintf(wanted, sizeof wanted, "[::1]:%d", port);
    SEND(peer, wanted, "over six");
    receive(s, from, sizeof from);
    assert_string_equal(from, ep + strlen("udp://"));
    EXPECT(s, "over six");
    SEND(s, from, "back");
    receive(peer, from, sizeof from);
    assert_string_equal(from, wanted);
    EXPECT(peer, "back");
}

/* ---- Multicast ---- */

/* Whether this host carries datagrams from an interface to a group and back, asked without the library. */
static bool group_works(const char *group, const char *interface) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    char byte;
    struct ip_mreqn where = {.imr_ifindex = (int)if_nametoindex(interface)};
    inet_pton(AF_INET, group, &where.imr_multiaddr);
    const int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
    bool works = where.imr_ifindex && bind(in, (struct sockaddr *)&a, sizeof a) == 0 &&
                 getsockname(in, (struct sockaddr *)&a, &size) == 0 &&
                 setsockopt(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof where) == 0 &&
                 setsockopt(out, IPPROTO_IP, IP_MULTICAST_IF, &where, sizeof where) == 0;
    a.sin_addr = where.imr_multiaddr;
    works = works && sendto(out, "x", 1, 0, (struct sockaddr *)&a, sizeof a) == 1 &&
            receive_raw(in, &byte, 1, 200) == 1;
    close(in);
    close(out);
    return works;
}

static bool ipv6_group_works(const char *group, unsigned interface) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6};
    socklen_t size = sizeof a;
    char byte;
    struct ipv6_mreq where = {.ipv6mr_interface = interface};
    inet_pton(AF_INET6, group, &where.ipv6mr_multiaddr);
    const int in = socket(AF_INET6, SOCK_DGRAM, 0), out = socket(AF_INET6, SOCK_DGRAM, 0);
    bool works = in >= 0 && bind(in, (struct sockaddr *)&a, sizeof a) == 0 &&
                 getsockname(in, (struct sockaddr *)&a, &size) == 0 &&
                 setsockopt(in, IPPROTO_IPV6, IPV6_JOIN_GROUP, &where, sizeof where) == 0 &&
                 setsockopt(out, IPPROTO_IPV6, IPV6_MULTICAST_IF, &interface, sizeof interface) == 0;
    a.sin6_addr = where.ipv6mr_multiaddr;
    works = works && sendto(out, "x", 1, 0, (struct sockaddr *)&a, sizeof a) == 1 &&
            receive_raw(in, &byte, 1, 200) == 1;
    close(in);
    close(out);
    return works;
}

#define NEED_GROUP(works)                                                                          \
    do {                                                                                           \
        if (!(works)) {                                                                            \
            print_message("skipped: this host carries no multicast here\n");                       \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

/* The RADIO sends again until something comes: a membership may take its time. */
static void expect_by_multicast(void *radio, void *dish, const char *text) {
    char buffer[64];
    const int64_t end = now_ms() + DEADLINE_MS;
    do {
        if (now_ms() > end) fail_msg("nothing came by multicast");
        send_group(radio, "g", text, strlen(text));
    } while (receive_within(dish, buffer, sizeof buffer, 20) == -1);
    assert_string_equal(buffer, text);
}

static void MC_a_group_on_an_interface_by_name_and_by_address(void **state) {
    (void)state;
    NEED_DRAFT();
    NEED_GROUP(group_works("239.255.66.1", "lo"));
    static const char *const interfaces[] = {"lo", "127.0.0.1"};
    for (int ipv6 = 0; ipv6 < 2; ipv6++)
        for (int i = 0; i < 2; i++) {
            char ep[ENDPOINT];
            const int port = free_port(AF_INET);
            snprintf(ep, sizeof ep, "udp://%s;239.255.66.1:%d", interfaces[i], port);
            /* several members of one host all get it */
            void *one = open_with(ZMQ_DISH, ZMQ_IPV6, ipv6), *two = open_with(ZMQ_DISH, ZMQ_IPV6, ipv6);
            void *radio = open_with(ZMQ_RADIO, ZMQ_IPV6, ipv6);
            OK(DRAFT(zmq_join)(one, "g"));
            OK(DRAFT(zmq_join)(two, "g"));
            OK(zmq_bind(one, ep));
            OK(zmq_bind(two, ep));
            OK(zmq_connect(radio, ep));
            expect_by_multicast(radio, one, "to the group");
            EXPECT(two, "to the group");
        }
}

static void MC_another_group_on_the_same_port_is_not_heard(void **state) {
    (void)state;
    NEED_DRAFT();
    NEED_GROUP(group_works("239.255.66.2", "lo") && group_works("239.255.66.3", "lo"));
    char ep[2][ENDPOINT];
    void *dish[2], *radio[2];
    const int port = free_port(AF_INET);
    for (int i = 0; i < 2; i++) {
        snprintf(ep[i], ENDPOINT, "udp://lo;239.255.66.%d:%d", 2 + i, port);
        dish[i] = open_socket(ZMQ_DISH);
        OK(DRAFT(zmq_join)(dish[i], "g"));
        OK(zmq_bind(dish[i], ep[i]));
        radio[i] = open_connected(ZMQ_RADIO, ep[i]);
    }
    expect_by_multicast(radio[0], dish[0], "first");
    expect_silence(dish[1]);
    expect_by_multicast(radio[1], dish[1], "second");
    drain(dish[0]);
    expect_silence(dish[0]);
}

static void MC_MULTICAST_LOOP_off_is_not_heard_on_this_host(void **state) {
    (void)state;
    NEED_DRAFT();
    /* What goes to the loopback device comes back whatever the option says. */
    struct if_nameindex *all = if_nameindex(), *each = all;
    char ep[ENDPOINT];
    while (each && each->if_index &&
           (strcmp(each->if_name, "lo") == 0 || !group_works("239.255.66.4", each->if_name)))
        each++;
    const bool works = each && each->if_index;
    if (works)
        snprintf(ep, sizeof ep, "udp://%s;239.255.66.4:%d", each->if_name, free_port(AF_INET));
    if_freenameindex(all);
    NEED_GROUP(works);
    void *dish = open_socket(ZMQ_DISH), *loud = open_socket(ZMQ_RADIO);
    void *quiet = open_with(ZMQ_RADIO, ZMQ_MULTICAST_LOOP, 0);
    OK(DRAFT(zmq_join)(dish, "g"));
    OK(zmq_bind(dish, ep));
    OK(zmq_connect(quiet, ep));
    OK(zmq_connect(loud, ep));
    for (int i = 0; i < 10; i++) send_group(quiet, "g", "quiet", 5);
    expect_by_multicast(loud, dish, "loud");
}

static void MC_MULTICAST_HOPS_is_the_TTL(void **state) {
    (void)state;
    NEED_DRAFT();
    NEED_GROUP(group_works("239.255.66.5", "lo"));
    static const int hops[] = {1, 7};
    for (int i = 0; i < 2; i++) {
        char ep[ENDPOINT], body[64], control[64];
        struct sockaddr_in a = {.sin_family = AF_INET};
        socklen_t size = sizeof a;
        struct ip_mreqn where = {.imr_ifindex = (int)if_nametoindex("lo")};
        inet_pton(AF_INET, "239.255.66.5", &where.imr_multiaddr);
        const int on = 1, f = keep_file(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        assert_int_equal(bind(f, (struct sockaddr *)&a, sizeof a), 0);
        assert_int_equal(getsockname(f, (struct sockaddr *)&a, &size), 0);
        assert_int_equal(setsockopt(f, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof where), 0);
        assert_int_equal(setsockopt(f, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
        void *radio = open_with(ZMQ_RADIO, ZMQ_MULTICAST_HOPS, hops[i]);
        snprintf(ep, sizeof ep, "udp://lo;239.255.66.5:%d", ntohs(a.sin_port));
        OK(zmq_connect(radio, ep));
        send_group(radio, "g", "x", 1);
        struct pollfd p = {.fd = f, .events = POLLIN};
        assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
        struct iovec piece = {body, sizeof body};
        struct msghdr m = {.msg_iov = &piece,
                           .msg_iovlen = 1,
                           .msg_control = control,
                           .msg_controllen = sizeof control};
        assert_int_equal(recvmsg(f, &m, 0), 3);
        const struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        assert_non_null(c);
        int ttl;
        memcpy(&ttl, CMSG_DATA(c), sizeof ttl);
        assert_int_equal(ttl, hops[i]);
    }
}

static void MC_IPv6_with_a_named_interface(void **state) {
    (void)state;
    NEED_DRAFT();
    struct if_nameindex *all = if_nameindex(), *each = all;
    char ep[ENDPOINT];
    while (each && each->if_index && !ipv6_group_works("ff12::66:6", each->if_index)) each++;
    const bool works = each && each->if_index;
    if (works)
        snprintf(ep, sizeof ep, "udp://%s;[ff12::66:6]:%d", each->if_name, free_port(AF_INET6));
    if_freenameindex(all);
    NEED_GROUP(works);
    void *dish = open_with(ZMQ_DISH, ZMQ_IPV6, 1), *radio = open_with(ZMQ_RADIO, ZMQ_IPV6, 1);
    OK(DRAFT(zmq_join)(dish, "g"));
    OK(zmq_bind(dish, ep));
    OK(zmq_connect(radio, ep));
    expect_by_multicast(radio, dish, "six");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ONCE(RD_5_RADIO_sends_the_captured_datagrams),
        ONCE(RD_5_a_datagram_has_8192_bytes_at_most),
        ONCE(RD_5_DISH_takes_the_captured_datagrams_and_drops_broken_ones),
        ONCE(RD_5_DISH_filters_by_exact_group),
        ONCE(RD_5_several_endpoints_on_both_sides),
        ONCE(RD_5_udp_beside_tcp),
        ONCE(RD_5_what_waits_is_sent_after_close),
        ONCE(RD_5_RADIO_never_blocks),
        ONCE(HWM_a_full_DISH_goes_on),
        ONCE(RD_5_many_threads_share_a_RADIO),
        ONCE(DG_1_two_frames_or_EINVAL),
        ONCE(DG_1_without_an_endpoint_it_can_not_send),
        ONCE(DG_2_the_address_comes_with_its_end_and_goes_back),
        ONCE(DG_2_no_message_is_left_lying),
        ONCE(DG_3_what_has_no_address_is_dropped),
        ONCE(DG_1_a_second_endpoint_is_refused),
        ONCE(EP_malformed_endpoints),
        ONCE(EP_LAST_ENDPOINT_has_no_scheme_and_unbind_takes_what_was_given),
        ONCE(EP_zmq_has_does_not_know_udp),
        ONCE(EP_IPv6),
        ONCE(MC_a_group_on_an_interface_by_name_and_by_address),
        ONCE(MC_another_group_on_the_same_port_is_not_heard),
        ONCE(MC_MULTICAST_LOOP_off_is_not_heard_on_this_host),
        ONCE(MC_MULTICAST_HOPS_is_the_TTL),
        ONCE(MC_IPv6_with_a_named_interface),
    };
    return RUN(tests);
}
