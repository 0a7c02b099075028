/* PUB and SUB over norm, epgm and pgm: transports.md sections 8 and 9. The state of a test is the name of
 * the transport. Everything happens on the loopback device, where a host has no multicast otherwise. */
#include "patterns_support.h"

#include <net/if.h>

#ifndef ZMQ_NORM_MODE
#define ZMQ_NORM_MODE 117
#endif

/* Whether datagrams to a group come back from the loopback device, asked without the library. */
static bool loopback_has_multicast(void) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    char byte;
    struct ip_mreqn where = {.imr_ifindex = (int)if_nametoindex("lo")};
    inet_pton(AF_INET, "239.255.67.1", &where.imr_multiaddr);
    const int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
    bool works = where.imr_ifindex && bind(in, (struct sockaddr *)&a, sizeof a) == 0 &&
                 getsockname(in, (struct sockaddr *)&a, &size) == 0 &&
                 setsockopt(in, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof where) == 0 &&
                 setsockopt(out, IPPROTO_IP, IP_MULTICAST_IF, &where, sizeof where) == 0;
    a.sin_addr = where.imr_multiaddr;
    works = works && sendto(out, "x", 1, 0, (struct sockaddr *)&a, sizeof a) == 1;
    struct pollfd p = {.fd = in, .events = POLLIN};
    works = works && poll(&p, 1, 200) == 1 && recv(in, &byte, 1, MSG_DONTWAIT) == 1;
    close(in);
    close(out);
    return works;
}

static bool may_open_raw_sockets(void) {
    const int f = socket(AF_INET, SOCK_RAW, 113);
    if (f >= 0) close(f);
    return f >= 0;
}

static void skip_for(const char *transport, const char *reason) {
    print_message("skipped: %s: %s\n", transport, reason);
    skip();
}

static void need(const char *transport) {
    const char *capability = strcmp(transport, "epgm") == 0 ? "pgm" : transport;
    if (!zmq_has(capability)) skip_for(transport, "not built in");
    if (!loopback_has_multicast()) skip_for(transport, "no multicast on the loopback device");
    if (strcmp(transport, "pgm") == 0 && !may_open_raw_sockets())
        skip_for(transport, "no right to open raw sockets (CAP_NET_RAW)");
}

/* A group and a port of this test alone. Several senders of a host need a node id each with norm. */
static char *new_endpoint(const char *transport, char *ep) {
    static int number;
    const int port = 20000 + (int)(getpid() % 1000) * 20 + number % 20;
    snprintf(ep, ENDPOINT, "%s://%s;239.255.%d.%d:%d", transport,
             strcmp(transport, "norm") == 0 ? "1,lo" : "127.0.0.1", 100 + (int)(getpid() % 100),
             1 + number % 200, port);
    number++;
    return ep;
}

/* Sends as fast as a test wants, where the library has an option for it. */
static void *open_fast(int type, const char *transport) {
    void *s = open_with(type, ZMQ_RATE, 100000);
    if (strcmp(transport, "norm") == 0 && on_tern()) set_int(s, ZMQ_NORM_MODE, 0);
    return s;
}

static void subscribe_to(void *s, int type, const char *topic) {
    if (type == ZMQ_SUB) subscribe(s, topic);
    else send_request(s, 1, topic);
}

/* Publishes until it is heard; what was sent meanwhile is read away. */
static void meet(void *publisher, void *sub) {
    char buffer[64];
    const int64_t end = now_ms() + DEADLINE_MS;
    do {
        if (now_ms() > end) fail_msg("nothing came by multicast");
        SEND(publisher, "meet");
    } while (receive_within(sub, buffer, sizeof buffer, 50) == -1);
    SEND(publisher, "met");
    while (strcmp(buffer, "met") != 0) receive(sub, buffer, sizeof buffer);
}

static void open_both(const char *transport, int pub_type, int sub_type, void **publisher,
                      void **sub) {
    char ep[ENDPOINT];
    need(transport);
    new_endpoint(transport, ep);
    *sub = open_fast(sub_type, transport);
    subscribe_to(*sub, sub_type, "");
    OK(zmq_bind(*sub, ep));
    *publisher = open_fast(pub_type, transport);
    OK(zmq_connect(*publisher, ep));
    meet(*publisher, *sub);
}

static void exchange(const char *transport, int pub_type, int sub_type) {
    void *publisher, *sub;
    open_both(transport, pub_type, sub_type, &publisher, &sub);
    for (int i = 0; i < 100; i++) send_number(publisher, i);
    expect_numbers(sub, 0, 1, 100);
    SEND(publisher, "one", "", "three");
    EXPECT(sub, "one", "", "three");
    SEND(publisher, "");
    EXPECT(sub, "");
    /* larger than any packet */
    enum { LARGE = 100000 };
    static char out[LARGE], in[LARGE + 1];
    for (int i = 0; i < LARGE; i++) out[i] = (char)(i * 7 + i / 251);
    /* libzmq 4.3.4 sends nothing more over norm after a frame of more than 2 KiB. */
    const int size = on_tern() || strcmp(transport, "norm") != 0 ? LARGE : 2000;
    OK(zmq_send(publisher, "topic", 5, ZMQ_SNDMORE));
    OK(zmq_send(publisher, out, (size_t)size, 0));
    SEND(publisher, "after");
    assert_int_equal(receive(sub, in, sizeof in), 5);
    assert_true(more(sub));
    assert_int_equal(receive(sub, in, sizeof in), size);
    assert_memory_equal(in, out, size);
    EXPECT(sub, "after");
}

static void MC_PUB_SUB(void **state) { exchange(*state, ZMQ_PUB, ZMQ_SUB); }
static void MC_XPUB_SUB(void **state) { exchange(*state, ZMQ_XPUB, ZMQ_SUB); }
static void MC_PUB_XSUB(void **state) { exchange(*state, ZMQ_PUB, ZMQ_XSUB); }
static void MC_XPUB_XSUB(void **state) { exchange(*state, ZMQ_XPUB, ZMQ_XSUB); }

static void MC_SUB_filters_by_itself(void **state) {
    void *publisher, *sub;
    open_both(*state, ZMQ_PUB, ZMQ_SUB, &publisher, &sub);
    unsubscribe(sub, "");
    subscribe(sub, "A");
    subscribe(sub, "end");
    for (int i = 0; i < 20; i++) {
        SEND(publisher, "B", "no");
        SEND(publisher, "A1", "yes");
    }
    SEND(publisher, "end");
    for (int i = 0; i < 20; i++) EXPECT(sub, "A1", "yes");
    EXPECT(sub, "end");
}

/* Subscriptions stay at home, so an XPUB hears of none. */
static void MC_XPUB_is_told_no_subscription(void **state) {
    void *publisher, *sub;
    open_both(*state, ZMQ_XPUB, ZMQ_SUB, &publisher, &sub);
    subscribe(sub, "more");
    expect_silence(publisher);
}

static void MC_all_subscribers_hear_a_late_one_whole_messages(void **state) {
    char ep[ENDPOINT], buffer[64];
    need(*state);
    new_endpoint(*state, ep);
    void *publisher = open_fast(ZMQ_PUB, *state), *first = open_fast(ZMQ_SUB, *state);
    subscribe(first, "");
    OK(zmq_connect(first, ep));
    OK(zmq_bind(publisher, ep)); /* bind and connect are the same */
    meet(publisher, first);
    void *late = open_fast(ZMQ_SUB, *state);
    subscribe(late, "");
    OK(zmq_connect(late, ep));
    const int64_t end = now_ms() + DEADLINE_MS;
    do {
        assert_true(now_ms() < end);
        SEND(publisher, "head", "middle", "tail");
        EXPECT(first, "head", "middle", "tail");
    } while (receive_within(late, buffer, sizeof buffer, 50) == -1);
    while (strcmp(buffer, "head") != 0) { /* norm gives it what was sent before, too */
        assert_false(more(late));
        receive(late, buffer, sizeof buffer);
    }
    assert_true(more(late));
    EXPECT(late, "middle", "tail");
}

static void MC_messages_of_several_senders_stay_whole(void **state) {
    OURS_IS_BETTER("the frames of several senders are mixed");
    char ep[ENDPOINT], buffer[64];
    void *one, *two, *sub;
    open_both(*state, ZMQ_PUB, ZMQ_SUB, &one, &sub);
    size_t size = sizeof ep;
    OK(zmq_getsockopt(sub, ZMQ_LAST_ENDPOINT, ep, &size));
    two = open_fast(ZMQ_PUB, *state);
    char *id = strstr(ep, "1,lo");
    if (id) *id = '2';
    OK(zmq_connect(two, ep));
    meet(two, sub);
    for (int i = 0; i < 50; i++) {
        OK(zmq_send(one, "1", 1, ZMQ_SNDMORE));
        OK(zmq_send(two, "2", 1, ZMQ_SNDMORE));
        OK(zmq_send(one, "1", 1, ZMQ_SNDMORE));
        OK(zmq_send(two, "2", 1, 0));
        OK(zmq_send(one, "1", 1, 0));
    }
    for (int i = 0; i < 100; i++) {
        receive(sub, buffer, sizeof buffer);
        if (buffer[0] == '1') EXPECT(sub, "1", "1");
        else EXPECT(sub, "2");
    }
}

static void MC_what_was_sent_goes_out_after_close(void **state) {
    OURS_IS_BETTER("what waits when the socket is closed is lost");
    void *publisher, *sub;
    open_both(*state, ZMQ_PUB, ZMQ_SUB, &publisher, &sub);
    set_int(publisher, ZMQ_LINGER, -1);
    for (int i = 0; i < 100; i++) send_number(publisher, i);
    close_socket(publisher);
    expect_numbers(sub, 0, 1, 100);
}

/* Closed before the I/O thread has looked at it once. */
static void MC_a_publisher_that_is_closed_at_once_is_heard(void **state) {
    char ep[ENDPOINT];
    OURS_IS_BETTER("what waits when the socket is closed is lost");
    need(*state);
    new_endpoint(*state, ep);
    void *sub = open_fast(ZMQ_SUB, *state);
    subscribe(sub, "");
    OK(zmq_bind(sub, ep));
    void *publisher = open_fast(ZMQ_PUB, *state);
    set_int(publisher, ZMQ_LINGER, -1);
    OK(zmq_connect(publisher, ep));
    SEND(publisher, "only", "this");
    close_socket(publisher);
    EXPECT(sub, "only", "this");
}

/* Datagrams of anybody to the port: random ones, and such that begin like a packet of the protocol. */
static void MC_garbage_does_no_harm(void **state) {
    static const uint8_t heads[][4] = {{0}, {0x11, 2}, {0x12, 8}, {0x13, 9}, {0x15, 0xdc, 0x15, 0xdc}};
    void *publisher, *sub;
    char ep[ENDPOINT], group[32];
    int port;
    open_both(*state, ZMQ_PUB, ZMQ_SUB, &publisher, &sub);
    size_t size = sizeof ep;
    OK(zmq_getsockopt(sub, ZMQ_LAST_ENDPOINT, ep, &size));
    assert_int_equal(sscanf(strchr(ep, ';'), ";%31[0-9.]:%d", group, &port), 2);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const struct ip_mreqn where = {.imr_ifindex = (int)if_nametoindex("lo")};
    const int f = keep_file(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    assert_int_equal(setsockopt(f, IPPROTO_IP, IP_MULTICAST_IF, &where, sizeof where), 0);
    uint32_t random = 12345;
    for (int i = 0; i < 3000; i++) {
        uint8_t bytes[300];
        for (size_t k = 0; k < sizeof bytes; k++) {
            random = random * 1664525 + 1013904223;
            bytes[k] = (uint8_t)(random >> 24);
        }
        if (i % 2) memcpy(bytes, heads[i % 5], 4);
        inet_pton(AF_INET, i % 3 ? group : "127.0.0.1", &to.sin_addr);
        (void)!sendto(f, bytes, random % sizeof bytes, 0, (struct sockaddr *)&to, sizeof to);
    }
    SEND(publisher, "still", "here");
    EXPECT(sub, "still", "here");
}

/* A bare sender of PGM in UDP, of one packet a message. */
static void send_odata(int f, const struct sockaddr_in *to, uint32_t number, uint32_t oldest, const char *text) {
    enum { HEADER = 24 };
    const size_t size = strlen(text), payload = 4 + size;
    uint8_t p[256] = {0x13, 0x88, 0, 0, 4 /* ODATA */, 0, 0, 0, 'b', 'a', 'r', 'e', 'o', 'n'};
    uint32_t sum = 0;
    memcpy(p + 2, &to->sin_port, 2);
    p[15] = (uint8_t)payload;
    p[19] = (uint8_t)number;
    p[23] = (uint8_t)oldest;
    p[HEADER + 2] = (uint8_t)(size + 1); /* a message begins at offset 0: its length, flags, body */
    memcpy(p + HEADER + 4, text, size);
    for (size_t i = 0; i < HEADER + payload; i += 2) sum += (uint32_t)(p[i] << 8 | p[i + 1]);
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    p[6] = (uint8_t)(~sum >> 8);
    p[7] = (uint8_t)~sum;
    assert_int_equal(sendto(f, p, HEADER + payload, 0, (const struct sockaddr *)to, sizeof *to), HEADER + payload);
}

static void MC_what_a_sender_can_not_repair_is_left_out(void **state) {
    char ep[ENDPOINT], group[32];
    int port;
    OURS_IS_BETTER("nothing more of that sender comes");
    need(*state);
    void *sub = open_socket(ZMQ_SUB);
    subscribe(sub, "");
    OK(zmq_bind(sub, new_endpoint(*state, ep)));
    assert_int_equal(sscanf(strchr(ep, ';'), ";%31[0-9.]:%d", group, &port), 2);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const struct ip_mreqn where = {.imr_ifindex = (int)if_nametoindex("lo")};
    const int f = keep_file(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    assert_int_equal(setsockopt(f, IPPROTO_IP, IP_MULTICAST_IF, &where, sizeof where), 0);
    inet_pton(AF_INET, group, &to.sin_addr);
    char got[16];
    uint32_t number = 0;
    const int64_t end = now_ms() + DEADLINE_MS;
    do { /* until it listens */
        assert_true(now_ms() < end && number < 200);
        send_odata(f, &to, ++number, 1, "early");
    } while (receive_within(sub, got, sizeof got, 50) == -1);
    /* 20 are lost, and what is older than the next one can not be had any more. */
    number += 20;
    send_odata(f, &to, number + 1, number + 1, "one");
    send_odata(f, &to, number + 2, number + 1, "two");
    send_odata(f, &to, number + 3, number + 1, "three");
    EXPECT(sub, "one");
    EXPECT(sub, "two");
    EXPECT(sub, "three");
}

static void MC_what_is_too_large_leaves_the_rest(void **state) {
    char ep[ENDPOINT];
    const int64_t limit = 10;
    need(*state);
    new_endpoint(*state, ep);
    void *sub = open_fast(ZMQ_SUB, *state);
    subscribe(sub, "");
    OK(zmq_setsockopt(sub, ZMQ_MAXMSGSIZE, &limit, sizeof limit));
    OK(zmq_bind(sub, ep));
    void *publisher = open_fast(ZMQ_PUB, *state);
    OK(zmq_connect(publisher, ep));
    meet(publisher, sub);
    for (int i = 0; i < 2; i++) {
        SEND(publisher, "more than the limit allows");
        meet(publisher, sub); /* on the way to the next start some may be lost */
    }
}

static void MC_endpoints(void **state) {
    char ep[ENDPOINT], last[ENDPOINT];
    size_t size = sizeof last;
    need(*state);
    new_endpoint(*state, ep);
    void *sub = open_socket(ZMQ_SUB);
    OK(zmq_bind(sub, ep));
    OK(zmq_getsockopt(sub, ZMQ_LAST_ENDPOINT, last, &size));
    assert_string_equal(last, ep);
    OK(zmq_connect(sub, ep)); /* the same once more is none (CON-12) */
    OK(zmq_disconnect(sub, ep));
    FAILS(zmq_disconnect(sub, ep), ENOENT);
    static const int others[] = {ZMQ_PUSH, ZMQ_PULL, ZMQ_REQ, ZMQ_ROUTER, ZMQ_PAIR, ZMQ_STREAM};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        FAILS(zmq_bind(open_socket(others[i]), ep), ENOCOMPATPROTO);
        FAILS(zmq_connect(open_socket(others[i]), ep), ENOCOMPATPROTO);
    }
}

static void MC_malformed_endpoints(void **state) {
    static const char *const bad[] = {"lo", "lo;239.255.67.1", "lo;239.255.67.1:0", "lo;:5555",
                                      "lo;239.255.67.1:x", "nosuchnic;239.255.67.1:5555"};
    need(*state);
    OURS_IS_BETTER("some of these abort the process");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char ep[ENDPOINT];
        snprintf(ep, sizeof ep, "%s://%s", (const char *)*state, bad[i]);
        void *s = open_socket(i % 2 ? ZMQ_PUB : ZMQ_SUB);
        errno = 0;
        const int rc = zmq_connect(s, ep);
        if (rc != -1 || (errno != EINVAL && errno != ENODEV))
            fail_msg("%s: %d, %s", ep, rc, zmq_strerror(errno));
    }
}

#define ON_MULTICAST(test) ON(test, "norm"), ON(test, "epgm"), ON(test, "pgm")

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_MULTICAST(MC_PUB_SUB),
        ON_MULTICAST(MC_XPUB_SUB),
        ON_MULTICAST(MC_PUB_XSUB),
        ON_MULTICAST(MC_XPUB_XSUB),
        ON_MULTICAST(MC_SUB_filters_by_itself),
        ON_MULTICAST(MC_XPUB_is_told_no_subscription),
        ON_MULTICAST(MC_all_subscribers_hear_a_late_one_whole_messages),
        ON_MULTICAST(MC_messages_of_several_senders_stay_whole),
        ON_MULTICAST(MC_what_was_sent_goes_out_after_close),
        ON_MULTICAST(MC_a_publisher_that_is_closed_at_once_is_heard),
        ON(MC_garbage_does_no_harm, "norm"),
        ON(MC_garbage_does_no_harm, "epgm"),
        ON(MC_what_a_sender_can_not_repair_is_left_out, "epgm"),
        ON(MC_what_is_too_large_leaves_the_rest, "norm"),
        ON_MULTICAST(MC_endpoints),
        ON_MULTICAST(MC_malformed_endpoints),
    };
    return RUN(tests);
}
