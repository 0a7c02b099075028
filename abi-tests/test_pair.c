/* PAIR: section 2 of patterns.md. */
#include "patterns_support.h"

static void PAIR_1_the_first_connect_wins(void **state) {
    void *s = open_socket(ZMQ_PAIR);
    void *first = open_bound_peer(s, ZMQ_PAIR, *state);
    void *second = open_bound_peer(s, ZMQ_PAIR, *state);
    for (int n = 0; n < 10; n++) send_number(s, n);
    expect_numbers(first, 0, 1, 10);
    SEND(first, "back");
    EXPECT(s, "back");
    expect_silence(second);
}

static void PAIR_1_the_first_arrival_wins(void **state) {
    char ep[ENDPOINT];
    void *s = open_socket(ZMQ_PAIR);
    void *first = open_connected(ZMQ_PAIR, bind_on(s, *state, ep));
    SEND(first, "here");
    EXPECT(s, "here");
    void *second = open_connected(ZMQ_PAIR, ep);
    SEND(second, "refused");
    let_notice(s);
    for (int n = 0; n < 10; n++) send_number(s, n);
    expect_numbers(first, 0, 1, 10);
    expect_silence(second);
    expect_empty_now(s);
}

static void PAIR_2_second_peer_stays_connected_and_unheard(void **state) {
    char ep[ENDPOINT];
    void *s = open_socket(ZMQ_PAIR);
    void *first = open_connected(ZMQ_PAIR, bind_on(s, *state, ep));
    SEND(first, "here");
    EXPECT(s, "here");
    void *second = open_socket(ZMQ_PAIR), *events = monitor(second);
    OK(zmq_connect(second, ep));
    wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    let_notice(s);
    for (int n = 0; n < 20; n++) SEND_NOW(second, "unheard");
    SEND(s, "for the first");
    EXPECT(first, "for the first");
    expect_silence(s);
    expect_silence(second);
    assert_int_equal(next_event(events, QUIET_MS), 0);
    SEND(first, "still here");
    EXPECT(s, "still here");
}

static void PAIR_2_an_unheard_peer_that_leaves_is_let_go(void **state) {
    char ep[ENDPOINT];
    OURS_IS_BETTER("it keeps the connection for ever");
    void *s = open_with(ZMQ_PAIR, ZMQ_RCVHWM, 1);
    void *first = open_connected(ZMQ_PAIR, bind_on(s, *state, ep));
    SEND(first, "here");
    EXPECT(s, "here");
    void *events = monitor(s), *second = open_connected(ZMQ_PAIR, ep);
    wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_let_go(second, events);
    SEND(first, "still here");
    EXPECT(s, "still here");
}

static void PAIR_3_second_inproc_peer_would_block_once_refused(void **state) {
    char ep[ENDPOINT];
    void *s = open_socket(ZMQ_PAIR);
    void *first = open_connected(ZMQ_PAIR, bind_on(s, *state, ep));
    SEND(first, "here");
    EXPECT(s, "here");
    void *second = open_socket(ZMQ_PAIR);
    OK(zmq_connect(second, ep));
    SEND_NOW(second, "unheard");
    let_notice(s);
    wait_no_events(second, ZMQ_POLLOUT);
    FAILS(zmq_send(second, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    expect_empty_now(s);
    SEND(s, "for the first");
    EXPECT(first, "for the first");
}

static void PAIR_4_a_new_peer_is_accepted_after_the_first_has_left(void **state) {
    char ep[ENDPOINT];
    void *s = open_socket(ZMQ_PAIR);
    bind_on(s, *state, ep);
    for (int round = 0; round < 3; round++) {
        void *peer = open_connected(ZMQ_PAIR, ep);
        SEND(peer, "here");
        EXPECT(s, "here");
        SEND(s, "welcome");
        EXPECT(peer, "welcome");
        close_socket(peer);
        wait_no_events(s, ZMQ_POLLOUT);
        FAILS(zmq_send(s, "x", 1, ZMQ_DONTWAIT), EAGAIN);
        let_notice(s);
    }
}

static void PAIR_4_a_refused_peer_is_never_promoted(void **state) {
    char ep[ENDPOINT];
    void *s = open_socket(ZMQ_PAIR);
    void *first = open_connected(ZMQ_PAIR, bind_on(s, *state, ep));
    SEND(first, "here");
    EXPECT(s, "here");
    void *second = open_connected(ZMQ_PAIR, ep);
    SEND_NOW(second, "unheard");
    let_notice(s);
    close_socket(first);
    wait_no_events(s, ZMQ_POLLOUT);
    let_notice(s);
    assert_false(events_now(s) & ZMQ_POLLOUT);
    expect_empty_now(s);
    SEND(open_connected(ZMQ_PAIR, ep), "third");
    EXPECT(s, "third");
    SEND(s, "for the third");
    expect_silence(second);
}

static void PAIR_5_nothing_is_dropped(void **state) {
    char ep[ENDPOINT];
    void *in = open_with(ZMQ_PAIR, ZMQ_RCVHWM, 2), *out = open_with(ZMQ_PAIR, ZMQ_SNDHWM, 3);
    FAILS(zmq_send(out, "x", 1, ZMQ_DONTWAIT), EAGAIN); /* no pipe */
    connect_to(out, bind_on(in, *state, ep));
    int sent = 0, received = 0;
    for (int round = 0; round < 4; round++) {
        char text[16];
        for (;; sent++) {
            snprintf(text, sizeof text, "%d", sent);
            if (zmq_send(out, text, strlen(text), ZMQ_DONTWAIT) == -1) break;
        }
        assert_int_equal(zmq_errno(), EAGAIN); /* full pipe */
        assert_false(events_now(out) & ZMQ_POLLOUT);
        if (round == 0) assert_int_equal(sent, 5);
        while (!(events_now(out) & ZMQ_POLLOUT)) {
            assert_true(received < sent);
            expect_number(in, received++);
        }
    }
    expect_numbers(in, received, 1, sent - received);
    expect_empty_now(in);
}

static void PAIR_5_a_blocked_send_gives_up_at_its_timeout(void **state) {
    char ep[ENDPOINT];
    void *s = open_with(ZMQ_PAIR, ZMQ_SNDHWM, 2);
    connect_to(s, dead_endpoint(*state, ep));
    assert_int_equal(fill(s, 100), 2);
    set_int(s, ZMQ_SNDTIMEO, 40);
    const int64_t start = now_ms();
    FAILS(zmq_send(s, "x", 1, 0), EAGAIN);
    assert_in_range(now_ms() - start, 39, DEADLINE_MS);
}

static void PAIR_6_messages_of_a_departed_peer_stay_readable(void **state) {
    void *s, *peer;
    open_pair(ZMQ_PAIR, ZMQ_PAIR, *state, &s, &peer);
    set_int(peer, ZMQ_LINGER, -1);
    SEND(peer, "connected");
    EXPECT(s, "connected");
    for (int n = 0; n < 5; n++) send_number(peer, n);
    SEND(peer, "last", "words");
    wait_events(s, ZMQ_POLLIN);
    close_socket(peer);
    wait_no_events(s, ZMQ_POLLOUT);
    let_notice(s);
    expect_numbers(s, 0, 1, 5);
    EXPECT(s, "last", "words");
    expect_empty_now(s);
}

static void PAIR_7_a_connected_pair_reconnects(void **state) {
    char ep[ENDPOINT];
    void *server = open_socket(ZMQ_PAIR), *s = open_socket(ZMQ_PAIR), *events = monitor(s);
    connect_to(s, bind_lasting(server, *state, ep));
    SEND(s, "one");
    EXPECT(server, "one");
    close_socket(server);
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
    SEND(s, "two");
    server = open_socket(ZMQ_PAIR);
    bind_again(server, ep);
    EXPECT(server, "two");
    SEND(server, "three");
    EXPECT(s, "three");
}

static void PAIR_8_events(void **state) {
    char ep[ENDPOINT];
    void *in = open_with(ZMQ_PAIR, ZMQ_RCVHWM, 1), *out = open_with(ZMQ_PAIR, ZMQ_SNDHWM, 1);
    assert_int_equal(events_now(in), 0);
    assert_int_equal(events_now(out), 0);
    connect_to(out, bind_on(in, *state, ep));
    assert_int_equal(events_now(out), ZMQ_POLLOUT);
    wait_events(in, ZMQ_POLLOUT);
    send_text(out, "a", ZMQ_SNDMORE);
    expect_no_events(in, ZMQ_POLLIN);
    send_text(out, "b", 0);
    wait_events(in, ZMQ_POLLIN);
    assert_int_equal(events_now(in), ZMQ_POLLIN | ZMQ_POLLOUT);
    expect_text(in, "a");
    assert_int_equal(events_now(in), ZMQ_POLLIN | ZMQ_POLLOUT);
    expect_text(in, "b");
    assert_int_equal(events_now(in), ZMQ_POLLOUT);
}

static void PAIR_8_no_pollout_above_the_high_water_mark(void **state) {
    char ep[ENDPOINT];
    void *in = open_with(ZMQ_PAIR, ZMQ_RCVHWM, 1), *out = open_with(ZMQ_PAIR, ZMQ_SNDHWM, 1);
    connect_to(out, bind_on(in, *state, ep));
    assert_int_equal(fill(out, 100), 2);
    assert_int_equal(events_now(out), 0);
    expect_text(in, "filler");
    wait_events(out, ZMQ_POLLOUT);
}

static void PAIR_9_an_interrupted_message_does_not_reach_the_next_peer(void **state) {
    char ep[ENDPOINT];
    void *s = open_socket(ZMQ_PAIR);
    void *first = open_connected(ZMQ_PAIR, bind_on(s, *state, ep));
    SEND(first, "here");
    EXPECT(s, "here");
    send_text(s, "half", ZMQ_SNDMORE);
    close_socket(first);
    wait_no_events(s, ZMQ_POLLOUT);
    let_notice(s);
    void *second = open_connected(ZMQ_PAIR, ep);
    wait_events(s, ZMQ_POLLOUT);
    SEND(s, "a", "b");
    EXPECT(second, "a", "b");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(PAIR_1_the_first_connect_wins),
        ON_ALL(PAIR_1_the_first_arrival_wins),
        ON_NET(PAIR_2_second_peer_stays_connected_and_unheard),
        ON_NET(PAIR_2_an_unheard_peer_that_leaves_is_let_go),
        ON_INPROC(PAIR_3_second_inproc_peer_would_block_once_refused),
        ON_ALL(PAIR_4_a_new_peer_is_accepted_after_the_first_has_left),
        ON_ALL(PAIR_4_a_refused_peer_is_never_promoted),
        ON_INPROC(PAIR_5_nothing_is_dropped),
        ON_ALL(PAIR_5_a_blocked_send_gives_up_at_its_timeout),
        ON_ALL(PAIR_6_messages_of_a_departed_peer_stay_readable),
        ON_NET(PAIR_7_a_connected_pair_reconnects),
        ON_ALL(PAIR_8_events),
        ON_INPROC(PAIR_8_no_pollout_above_the_high_water_mark),
        ON_ALL(PAIR_9_an_interrupted_message_does_not_reach_the_next_peer),
    };
    return RUN(tests);
}
