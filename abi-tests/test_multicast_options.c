/* What the options of norm and epgm do to the packets, as a bare listener of the group sees them on the loopback device.
 * ZMQ_NORM_UNICAST_NACK is about packets of receivers that have lost something: tests/interop/run_multicast. */
#define ZMQ_BUILD_DRAFT_API /* for ZMQ_NORM_... */
#include "patterns_support.h"

#include <net/if.h>

/* ---- A bare listener ------------------------------------------------------------------------ */

struct listener {
    int f;
    char endpoint[ENDPOINT];
};

struct packet {
    int size, ttl, tos;
    int64_t came_ms;
    uint8_t bytes[2000];
};

static void skip_for(const char *transport, const char *reason) {
    print_message("skipped: %s: %s\n", transport, reason);
    skip();
}

static void listen_to(struct listener *l, const char *transport) {
    static int number;
    const int on = 1, large = 8 << 20;
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t size = sizeof a;
    char group[32];
    if (!zmq_has(strcmp(transport, "epgm") == 0 ? "pgm" : transport)) skip_for(transport, "not built in");
    snprintf(group, sizeof group, "239.255.%d.%d", 1 + (int)(getpid() % 200), ++number);
    struct ip_mreqn where = {.imr_ifindex = (int)if_nametoindex("lo")};
    inet_pton(AF_INET, group, &where.imr_multiaddr);
    l->f = keep_file(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    assert_int_equal(setsockopt(l->f, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_int_equal(setsockopt(l->f, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), 0);
    (void)setsockopt(l->f, SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
    assert_int_equal(bind(l->f, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(l->f, (struct sockaddr *)&a, &size), 0);
    assert_int_equal(setsockopt(l->f, IPPROTO_IP, IP_RECVTTL, &on, sizeof on), 0);
    assert_int_equal(setsockopt(l->f, IPPROTO_IP, IP_RECVTOS, &on, sizeof on), 0);
    if (setsockopt(l->f, IPPROTO_IP, IP_ADD_MEMBERSHIP, &where, sizeof where) != 0)
        skip_for(transport, "no multicast on the loopback device");
    snprintf(l->endpoint, ENDPOINT, "%s://%s;%s:%d", transport, strcmp(transport, "norm") == 0 ? "lo" : "127.0.0.1",
             group, ntohs(a.sin_port));
}

static bool next_packet_within(struct listener *l, struct packet *p, int timeout_ms) {
    char control[128];
    struct iovec piece = {p->bytes, sizeof p->bytes};
    struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (!plain_ready(l->f, timeout_ms)) return false;
    p->size = (int)recvmsg(l->f, &m, 0);
    assert_true(p->size > 0);
    p->came_ms = now_ms();
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_type == IP_TTL) memcpy(&p->ttl, CMSG_DATA(c), sizeof p->ttl);
        if (c->cmsg_type == IP_TOS) p->tos = *CMSG_DATA(c);
    }
    return true;
}

static void next_packet(struct listener *l, struct packet *p) {
    if (!next_packet_within(l, p, DEADLINE_MS)) fail_msg("no packet came");
}

static uint32_t number_at(const struct packet *p, int at, int size) {
    uint32_t n = 0;
    for (int i = 0; i < size; i++) n = n << 8 | p->bytes[at + i];
    return n;
}

/* Whether the packet has all of the text. */
static bool holds(const struct packet *p, const char *text) {
    return memmem(p->bytes, (size_t)p->size, text, strlen(text)) != NULL;
}

static void *open_publisher(void) { return open_with(ZMQ_PUB, ZMQ_RATE, 100000); }

static void send_sized(void *s, size_t size) {
    static char body[20000];
    assert_true(size <= sizeof body);
    memset(body, 'x', size);
    assert_int_equal(zmq_send(s, body, size, 0), (int)size);
}

/* ---- Of both -------------------------------------------------------------------------------- */

static void MULTICAST_HOPS_is_the_TTL(void **state) {
    static const int hops[] = {1, 5};
    if (strcmp(*state, "norm") == 0) OURS_IS_BETTER("its TTL is always 255");
    for (int i = 0; i < 2; i++) {
        struct listener l;
        struct packet p;
        listen_to(&l, *state);
        void *s = open_publisher();
        set_int(s, ZMQ_MULTICAST_HOPS, hops[i]);
        OK(zmq_connect(s, l.endpoint));
        SEND(s, "hello");
        do next_packet(&l, &p);
        while (!holds(&p, "hello"));
        assert_int_equal(p.ttl, hops[i]);
    }
}

/* A lower limit of the time can not be missed by a slow machine. */
static void RATE_is_not_exceeded(void **state) {
    enum { KBIT = 3200, MESSAGES = 600, SIZE = 1000 };
    struct listener l;
    struct packet p;
    listen_to(&l, *state);
    void *s = open_with(ZMQ_PUB, ZMQ_RATE, KBIT);
    set_int(s, ZMQ_SNDHWM, 0);
    if (strcmp(*state, "norm") == 0) {
        OURS_IS_BETTER("4.3.4 does not know ZMQ_NORM_MODE");
        set_int(s, ZMQ_NORM_MODE, 0);
    }
    OK(zmq_connect(s, l.endpoint));
    for (int i = 0; i < MESSAGES; i++) send_sized(s, SIZE);
    SEND(s, "the end");
    int64_t first = 0;
    do {
        next_packet(&l, &p);
        if (!first && p.size > SIZE / 2) first = p.came_ms;
    } while (!holds(&p, "the end"));
    /* 600 kB at 400 kB/s; OpenPGM allows itself those of a second at once */
    assert_true(p.came_ms - first >= 300);
}

/* ---- PGM ------------------------------------------------------------------------------------ */

enum { ODATA = 4 };

static int largest_packet(int tpdu) {
    struct listener l;
    struct packet p;
    int largest = 0;
    listen_to(&l, "epgm");
    void *s = open_publisher();
    set_int(s, ZMQ_MULTICAST_MAXTPDU, tpdu);
    OK(zmq_connect(s, l.endpoint));
    send_sized(s, 20000);
    SEND(s, "the end");
    do {
        next_packet(&l, &p);
        if (p.size > largest) largest = p.size;
    } while (!holds(&p, "the end"));
    return largest + 28; /* the headers of IP and UDP */
}

static void MULTICAST_MAXTPDU_is_the_largest_packet(void **state) {
    (void)state;
    static const int sizes[] = {600, 1000, 1500};
    for (int i = 0; i < 3; i++) assert_in_range(largest_packet(sizes[i]), sizes[i] - 20, sizes[i]);
}

/* How far back a receiver may ask, as the packets say: transports.md section 8. */
static uint32_t window_of(int recovery_ms) {
    struct listener l;
    struct packet p;
    uint32_t number = 0, oldest = 0;
    listen_to(&l, "epgm");
    void *s = open_with(ZMQ_PUB, ZMQ_RATE, 12000);
    set_int(s, ZMQ_RECOVERY_IVL, recovery_ms);
    OK(zmq_connect(s, l.endpoint));
    for (int i = 0; i < 100; i++) send_sized(s, 1000);
    SEND(s, "the end");
    do {
        next_packet(&l, &p);
        if (p.bytes[4] != ODATA) continue;
        number = number_at(&p, 16, 4);
        oldest = number_at(&p, 20, 4);
    } while (!holds(&p, "the end"));
    return number - oldest;
}

static void RECOVERY_IVL_and_RATE_are_the_window(void **state) {
    (void)state;
    assert_int_equal(window_of(10), 10); /* of 1500 bytes, at 1500 bytes a millisecond */
    assert_int_equal(window_of(40), 40);
}

/* ---- NORM ----------------------------------------------------------------------------------- */

enum { NORM_DATA = 2, NORM_CMD = 3, CMD_CC = 4 };

static int norm_type(const struct packet *p) { return p->bytes[0] & 15; }

/* What a packet of data says of its stream, in the extension of RFC 5740 for small blocks. */
struct stream {
    uint32_t buffer, segment, block, parity;
    uint32_t symbol_max; /* of all packets: from `block` on it is parity */
    int payload_max;
};

static void watch_stream(struct listener *l, void *s, struct stream *got) {
    struct packet p;
    memset(got, 0, sizeof *got);
    OK(zmq_connect(s, l->endpoint));
    for (int i = 0; i < 40; i++) send_sized(s, 1000);
    SEND(s, "the end");
    do {
        next_packet(l, &p);
        if (norm_type(&p) != NORM_DATA) continue;
        assert_int_equal(p.bytes[13], 5);  /* the FEC of RFC 5510 */
        assert_int_equal(p.bytes[20], 64); /* EXT_FTI */
        got->buffer = number_at(&p, 24, 4);
        got->segment = number_at(&p, 28, 2);
        got->block = p.bytes[30];
        got->parity = p.bytes[31];
        if (p.bytes[19] > got->symbol_max) got->symbol_max = p.bytes[19];
        if (p.size - 32 > got->payload_max) got->payload_max = p.size - 32;
    } while (!holds(&p, "the end"));
}

static void *open_norm(struct listener *l) {
    OURS_IS_BETTER("4.3.4 does not know the options of norm");
    listen_to(l, "norm");
    return open_with(ZMQ_PUB, ZMQ_NORM_MODE, 0);
}

static void NORM_SIZES_are_those_of_the_stream(void **state) {
    (void)state;
    struct listener l;
    struct stream got;
    void *s = open_norm(&l);
    set_int(s, ZMQ_RATE, 100000);
    watch_stream(&l, s, &got);
    assert_in_range(got.buffer, 2000 * 1024, 2048 * 1024);
    assert_int_equal(got.segment, 1400);
    assert_int_equal(got.block, 16);
    assert_int_equal(got.parity, 4);
    assert_in_range(got.symbol_max, 0, 15);

    s = open_norm(&l);
    set_int(s, ZMQ_RATE, 100000);
    set_int(s, ZMQ_NORM_BUFFER_SIZE, 256);
    set_int(s, ZMQ_NORM_SEGMENT_SIZE, 500);
    set_int(s, ZMQ_NORM_BLOCK_SIZE, 8);
    set_int(s, ZMQ_NORM_NUM_PARITY, 3);
    set_int(s, ZMQ_NORM_NUM_AUTOPARITY, 2);
    watch_stream(&l, s, &got);
    assert_in_range(got.buffer, 250 * 1024, 256 * 1024);
    assert_int_equal(got.segment, 500);
    assert_int_equal(got.block, 8);
    assert_int_equal(got.parity, 3);
    assert_int_equal(got.symbol_max, 9); /* two of parity, sent unasked */
    assert_in_range(got.payload_max, 500, 508);

    /* As much parity as is sent unasked, and a block that is more than its parity. */
    s = open_norm(&l);
    set_int(s, ZMQ_RATE, 100000);
    set_int(s, ZMQ_NORM_BLOCK_SIZE, 2);
    set_int(s, ZMQ_NORM_NUM_PARITY, 0);
    set_int(s, ZMQ_NORM_NUM_AUTOPARITY, 3);
    watch_stream(&l, s, &got);
    assert_int_equal(got.block, 4);
    assert_int_equal(got.parity, 3);
    assert_int_equal(got.symbol_max, 6);
}

/* What a sender's probes say of its pace, in bytes a second: 12 bits of mantissa, 4 of exponent. */
static double advertised_rate(const struct packet *p) {
    assert_int_equal(p->bytes[24], 128); /* EXT_RATE */
    const uint32_t coded = number_at(p, 26, 2);
    double rate = (coded >> 4) * 10.0 / 4096;
    for (uint32_t i = 0; i < (coded & 15); i++) rate *= 10;
    return rate;
}

static void NORM_MODE_is_whether_and_how_the_rate_is_found_out(void **state) {
    (void)state;
    static const struct {
        int mode;
        bool has_the_rate, is_capable_of_ecn;
    } modes[] = {{0, true, false}, {1, false, false}, {2, false, false}, {3, false, true}, {4, false, true}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        struct listener l;
        struct packet p;
        void *s = open_norm(&l);
        set_int(s, ZMQ_NORM_MODE, modes[i].mode);
        set_int(s, ZMQ_RATE, 80000);
        OK(zmq_connect(s, l.endpoint));
        SEND(s, "hello");
        do next_packet(&l, &p);
        while (norm_type(&p) != NORM_CMD || p.bytes[12] != CMD_CC);
        const double rate = advertised_rate(&p);
        assert_int_equal(rate > 9.9e6 && rate < 10.1e6, modes[i].has_the_rate);
        assert_int_equal((p.tos & 3) != 0, modes[i].is_capable_of_ecn);
    }
}

/* Of more than the buffer holds, sent at once: whether the oldest goes out before the newest. */
static bool keeps_the_oldest(int push) {
    enum { MESSAGES = 400, SIZE = 1000 };
    struct listener l;
    struct packet p;
    int size = 0;
    void *s = open_norm(&l);
    set_int(s, ZMQ_RATE, push ? 100 : 6000); /* so that little goes out before all is written */
    set_int(s, ZMQ_SNDHWM, 0);
    set_int(s, ZMQ_NORM_BUFFER_SIZE, 64);
    set_int(s, ZMQ_NORM_PUSH, push);
    OK(zmq_connect(s, l.endpoint));
    for (int i = 0; i < MESSAGES; i++) send_sized(s, SIZE);
    SEND(s, "the end");
    do {
        next_packet(&l, &p);
        if (norm_type(&p) == NORM_DATA) size += p.size;
    } while (size < 40 * SIZE && !holds(&p, "the end"));
    return size >= 40 * SIZE;
}

static void NORM_PUSH_drops_the_oldest_instead_of_waiting(void **state) {
    (void)state;
    assert_true(keeps_the_oldest(0));
    assert_false(keeps_the_oldest(1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON(MULTICAST_HOPS_is_the_TTL, "norm"),
        ON(MULTICAST_HOPS_is_the_TTL, "epgm"),
        ON(RATE_is_not_exceeded, "norm"),
        ON(RATE_is_not_exceeded, "epgm"),
        ONCE(MULTICAST_MAXTPDU_is_the_largest_packet),
        ONCE(RECOVERY_IVL_and_RATE_are_the_window),
        ONCE(NORM_SIZES_are_those_of_the_stream),
        ONCE(NORM_MODE_is_whether_and_how_the_rate_is_found_out),
        ONCE(NORM_PUSH_drops_the_oldest_instead_of_waiting),
    };
    return RUN(tests);
}
