/* CONFLATE: section 14 of patterns.md. */
#include "patterns_support.h"

enum { COUNT = 20 };

/* A connected pair, both with CONFLATE. */
static void open_conflating(int bound_type, int connected_type, const char *transport, void **bound,
                            void **connected) {
    char ep[ENDPOINT];
    *bound = open_with(bound_type, ZMQ_CONFLATE, 1);
    *connected = open_with(connected_type, ZMQ_CONFLATE, 1);
    if (bound_type == ZMQ_SUB || connected_type == ZMQ_SUB)
        subscribe(bound_type == ZMQ_SUB ? *bound : *connected, "");
    connect_to(*connected, bind_on(*bound, transport, ep));
}

/* Sends 0 to COUNT - 1, without reading in between. */
static void send_count(void *s) {
    char text[16];
    for (int n = 0; n < COUNT; n++) {
        snprintf(text, sizeof text, "%d", n);
        SEND_NOW(s, text);
    }
}

/* Numbers may be missing, the last one must not. */
static int expect_rising_to_last(void *s) {
    char text[16];
    int last = -1, received = 0;
    for (; last != COUNT - 1; received++) {
        receive(s, text, sizeof text);
        assert_true(atoi(text) > last);
        last = atoi(text);
    }
    expect_empty_now(s);
    return received;
}

static void CF_1_effective_types_keep_one_message(void **state) {
    const int kinds[][2] = {{ZMQ_PULL, ZMQ_PUSH}, {ZMQ_DEALER, ZMQ_DEALER}, {ZMQ_PUSH, ZMQ_PULL}};
    for (int k = 0; k < 3; k++) {
        void *bound, *connected;
        open_conflating(kinds[k][0], kinds[k][1], *state, &bound, &connected);
        const bool bound_sends = kinds[k][0] == ZMQ_PUSH;
        void *out = bound_sends ? bound : connected, *in = bound_sends ? connected : bound;
        wait_events(out, ZMQ_POLLOUT);
        send_count(out);
        assert_int_equal(expect_rising_to_last(in), 1);
    }
}

static void CF_1_pub_and_sub_keep_one_message(void **state) {
    char text[16];
    void *pub, *sub;
    open_conflating(ZMQ_PUB, ZMQ_SUB, *state, &pub, &sub);
    for (int64_t end = now_ms() + DEADLINE_MS; receive_within(sub, text, sizeof text, 5) == -1;) {
        assert_true(now_ms() < end);
        SEND(pub, "-1");
    }
    drain(sub);
    send_count(pub);
    assert_in_range(expect_rising_to_last(sub), 1, is_inproc(*state) ? 1 : COUNT);
}

static void CF_1_other_types_ignore_it(void **state) {
    void *bound, *connected;
    open_conflating(ZMQ_PAIR, ZMQ_PAIR, *state, &bound, &connected);
    send_count(connected);
    expect_numbers(bound, 0, 1, COUNT);
    open_conflating(ZMQ_REP, ZMQ_REQ, *state, &bound, &connected);
    SEND(connected, "a", "b");
    EXPECT(bound, "a", "b");
    open_conflating(ZMQ_ROUTER, ZMQ_ROUTER, *state, &bound, &connected);
    open_conflating(ZMQ_XPUB, ZMQ_XSUB, *state, &bound, &connected);
    send_request(connected, 1, "");
    SUBSCRIBED(bound, "");
    send_count(bound);
    expect_numbers(connected, 0, 1, COUNT);
    char ep[ENDPOINT];
    void *dealer = open_socket(ZMQ_DEALER), *router = open_with(ZMQ_ROUTER, ZMQ_CONFLATE, 1);
    set_text(dealer, ZMQ_ROUTING_ID, "d");
    connect_to(router, bind_on(dealer, *state, ep));
    SEND(dealer, "x", "y");
    SEND(dealer, "z");
    EXPECT(router, "d", "x", "y");
    EXPECT(router, "d", "z");
}

static void CF_1_it_must_be_set_before_connecting(void **state) {
    void *pull, *push;
    open_pair(ZMQ_PULL, ZMQ_PUSH, *state, &pull, &push);
    set_int(pull, ZMQ_CONFLATE, 1);
    set_int(push, ZMQ_CONFLATE, 1);
    send_count(push);
    expect_numbers(pull, 0, 1, COUNT);
}

static void CF_2_the_newest_message_replaces_the_one_waiting(void **state) {
    void *pull, *push;
    open_conflating(ZMQ_PULL, ZMQ_PUSH, *state, &pull, &push);
    for (int round = 0; round < 5; round++) {
        send_count(push);
        expect_rising_to_last(pull);
    }
}

static void CF_2_only_the_newest_of_twenty_is_read(void **state) {
    void *pull, *push;
    open_conflating(ZMQ_PULL, ZMQ_PUSH, *state, &pull, &push);
    int received = 0;
    for (int round = 0; round < 10 && received != 1; round++) { /* one may be slow to arrive */
        send_count(push);
        poll(NULL, 0, 50);
        received = expect_rising_to_last(pull);
    }
    assert_int_equal(received, 1);
}

static void CF_2_the_mark_is_ignored(void **state) {
    if (is_inproc(*state))
        OURS_IS_BETTER("what was sent before the bind is taken for a routing id, and lost");
    char ep[ENDPOINT];
    void *push = open_with(ZMQ_PUSH, ZMQ_CONFLATE, 1);
    FAILS(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN); /* no pipe at all */
    set_int(push, ZMQ_SNDHWM, 1);
    void *pull = open_socket(ZMQ_PULL);
    bind_lasting(pull, *state, ep);
    OK(zmq_unbind(pull, ep));
    connect_to(push, ep);
    for (int n = 0; n < 100; n++) {
        assert_true(events_now(push) & ZMQ_POLLOUT);
        send_count(push);
    }
    bind_again(pull, ep);
    expect_number(pull, COUNT - 1);
    expect_silence(pull);
}

static void CF_3_one_message_per_peer(void **state) {
    enum { PEERS = 3 };
    char ep[ENDPOINT], text[16];
    void *pull = open_with(ZMQ_PULL, ZMQ_CONFLATE, 1);
    bind_on(pull, *state, ep);
    for (int i = 0; i < PEERS; i++) {
        void *push = open_with(ZMQ_PUSH, ZMQ_CONFLATE, 1);
        connect_to(push, ep);
        for (int n = 0; n < COUNT; n++)
            SEND_NOW(push, n < COUNT - 1 ? "old" : i == 0 ? "0" : i == 1 ? "1" : "2");
    }
    bool seen[PEERS] = {false};
    for (int i = 0; i < PEERS;) {
        receive(pull, text, sizeof text);
        if (strcmp(text, "old") == 0) {
            assert_false(is_inproc(*state));
            continue;
        }
        assert_false(seen[text[0] - '0']);
        seen[text[0] - '0'] = true;
        i++;
    }
    expect_silence(pull);
}

static void CF_4_frames_overwrite_each_other(void **state) {
    void *pull, *push;
    open_conflating(ZMQ_PULL, ZMQ_PUSH, *state, &pull, &push);
    SEND_NOW(push, "a", "b", "c");
    char text[16];
    do receive(pull, text, sizeof text);
    while (strcmp(text, "c") != 0);
    expect_empty_now(pull);
    SEND_NOW(push, "next");
    EXPECT(pull, "next");
}

static void CF_5_the_connecting_side_decides_on_inproc(void **state) {
    for (int side = 0; side < 2; side++)
        for (int sender_binds = 0; sender_binds < 2; sender_binds++) {
            char ep[ENDPOINT];
            const int bound_type = sender_binds ? ZMQ_PUSH : ZMQ_PULL;
            void *bound = open_with(bound_type, ZMQ_CONFLATE, side == 0);
            void *connected = open_with(sender_binds ? ZMQ_PULL : ZMQ_PUSH, ZMQ_CONFLATE, side);
            connect_to(connected, bind_on(bound, *state, ep));
            void *out = sender_binds ? bound : connected, *in = sender_binds ? connected : bound;
            send_count(out);
            assert_int_equal(expect_rising_to_last(in), side ? 1 : COUNT);
        }
}

static void CF_6_a_conflating_receiver_drains_the_network(void **state) {
    enum { BIG = 64 * 1024, MANY = 400 };
    static char big[BIG];
    char ep[ENDPOINT];
    void *pull = open_with(ZMQ_PULL, ZMQ_CONFLATE, 1), *push = open_with(ZMQ_PUSH, ZMQ_SNDHWM, 1);
    connect_to(push, bind_on(pull, *state, ep));
    int last = 0;
    for (int n = 0; n < MANY; n++) { /* far more than fits, and nobody reads */
        memcpy(big, &n, sizeof n);
        assert_int_equal(zmq_send(push, big, BIG, 0), BIG);
    }
    for (int received = 0; last != MANY - 1; received++) {
        static char got[BIG];
        assert_in_range(received, 0, MANY / 2);
        assert_int_equal(zmq_recv(pull, got, BIG, 0), BIG);
        memcpy(&last, got, sizeof last);
    }
    expect_silence(pull);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_INPROC(CF_1_effective_types_keep_one_message),
        ON_ALL(CF_1_pub_and_sub_keep_one_message),
        ON_ALL(CF_1_other_types_ignore_it),
        ON_ALL(CF_1_it_must_be_set_before_connecting),
        ON_ALL(CF_2_the_newest_message_replaces_the_one_waiting),
        ON_ALL(CF_2_only_the_newest_of_twenty_is_read),
        ON_ALL(CF_2_the_mark_is_ignored),
        ON_ALL(CF_3_one_message_per_peer),
        ON_ALL(CF_4_frames_overwrite_each_other),
        ON_INPROC(CF_5_the_connecting_side_decides_on_inproc),
        ON_NET(CF_6_a_conflating_receiver_drains_the_network),
    };
    return RUN(tests);
}
