/* XPUB: section 4.4 of patterns.md. */
#include "patterns_support.h"

/* An XPUB with this option, bound, and `count` XSUBs connected to it. */
static void *open_xpub(int option, const char *transport, void **xsub, int count) {
    char ep[ENDPOINT];
    void *xpub = open_socket(ZMQ_XPUB);
    if (option) set_int(xpub, option, 1);
    bind_on(xpub, transport, ep);
    for (int i = 0; i < count; i++) xsub[i] = open_connected(ZMQ_XSUB, ep);
    return xpub;
}

/* Nothing but the subscription to a new topic comes next. */
static void nothing_until(void *xpub, void *xsub, const char *new_topic) {
    send_request(xsub, 1, new_topic);
    SUBSCRIBED(xpub, new_topic);
}

static void XPUB_1_first_and_last_subscriber_are_reported(void **state) {
    void *sub[2], *xpub = open_socket(ZMQ_XPUB);
    char ep[ENDPOINT];
    bind_on(xpub, *state, ep);
    for (int i = 0; i < 2; i++) sub[i] = open_connected(ZMQ_SUB, ep);
    subscribe(sub[0], "A");
    SUBSCRIBED(xpub, "A");
    subscribe(sub[1], "A");
    subscribe(sub[1], "A");
    subscribe(sub[1], "B");
    SUBSCRIBED(xpub, "B");
    unsubscribe(sub[0], "A");
    subscribe(sub[0], "C");
    SUBSCRIBED(xpub, "C");
    unsubscribe(sub[1], "A");
    unsubscribe(sub[1], "A");
    UNSUBSCRIBED(xpub, "A");
    expect_empty_now(xpub);
}

static void XPUB_1_a_disconnect_counts_as_unsubscribing(void **state) {
    void *xsub[2], *xpub = open_xpub(0, *state, xsub, 2);
    for (int i = 0; i < 2; i++) {
        send_request(xsub[i], 1, "A");
        if (i == 0) SUBSCRIBED(xpub, "A");
        nothing_until(xpub, xsub[i], i ? "Y" : "X");
    }
    close_socket(xsub[0]);
    UNSUBSCRIBED(xpub, "X");
    expect_silence(xpub);
    close_socket(xsub[1]);
    char frame[2][16];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive(xpub, frame[i], sizeof frame[i]), 2);
        assert_int_equal(frame[i][0], 0);
    }
    assert_int_equal(frame[0][1] + frame[1][1], 'A' + 'Y');
    expect_silence(xpub);
}

static void XPUB_2_verbose_reports_every_subscription(void **state) {
    void *xsub[2], *xpub = open_xpub(ZMQ_XPUB_VERBOSE, *state, xsub, 2);
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < 2; n++) {
            send_request(xsub[i], 1, "A");
            SUBSCRIBED(xpub, "A");
        }
    for (int i = 0; i < 2; i++) {
        send_request(xsub[i], 0, "A");
        send_request(xsub[i], 0, "A"); /* the last one of this peer goes upstream */
        if (i == 0) nothing_until(xpub, xsub[i], "X");
    }
    UNSUBSCRIBED(xpub, "A");
    expect_silence(xpub);
}

static void XPUB_3_verboser_reports_every_unsubscription(void **state) {
    void *xsub[2], *xpub = open_xpub(ZMQ_XPUB_VERBOSER, *state, xsub, 2);
    for (int i = 0; i < 2; i++)
        for (int n = 0; n < 2; n++) {
            send_request(xsub[i], 1, "A");
            SUBSCRIBED(xpub, "A");
        }
    send_request(xsub[0], 0, "A");
    send_request(xsub[0], 0, "A");
    UNSUBSCRIBED(xpub, "A");
    nothing_until(xpub, xsub[0], "X");
    send_request(xsub[1], 0, "A");
    send_request(xsub[1], 0, "A");
    UNSUBSCRIBED(xpub, "A");
    expect_silence(xpub);
}

static void XPUB_3_verboser_reports_each_topic_of_a_lost_peer(void **state) {
    void *xsub[2], *xpub = open_xpub(ZMQ_XPUB_VERBOSER, *state, xsub, 2);
    for (int i = 0; i < 2; i++) {
        send_request(xsub[i], 1, "A");
        SUBSCRIBED(xpub, "A");
    }
    send_request(xsub[0], 1, "A");
    SUBSCRIBED(xpub, "A");
    send_request(xsub[0], 1, "B");
    SUBSCRIBED(xpub, "B");
    close_socket(xsub[0]);
    char frame[2][16];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive(xpub, frame[i], sizeof frame[i]), 2);
        assert_int_equal(frame[i][0], 0);
    }
    assert_int_equal(frame[0][1] + frame[1][1], 'A' + 'B');
    expect_silence(xpub);
}

/* What the XPUB reports when two peers subscribe to a topic and leave it. */
static void expect_reports(void *xpub, void **xsub, const char *topic, bool all_in, bool all_out) {
    char next[32];
    for (int kind = 1; kind >= 0; kind--)
        for (int i = 0; i < 2; i++) {
            send_request(xsub[i], (char)kind, topic);
            if (kind ? i == 0 || all_in : i == 1 || all_out)
                expect_request(xpub, NULL, (char)kind, topic, __LINE__);
            snprintf(next, sizeof next, "%s %d %d", topic, kind, i);
            nothing_until(xpub, xsub[i], next);
        }
}

static void XPUB_4_the_last_verbosity_set_wins(void **state) {
    void *xsub[2], *xpub = open_xpub(0, *state, xsub, 2);
    expect_reports(xpub, xsub, "none", false, false);
    set_int(xpub, ZMQ_XPUB_VERBOSER, 1);
    expect_reports(xpub, xsub, "verboser", true, true);
    set_int(xpub, ZMQ_XPUB_VERBOSE, 1);
    expect_reports(xpub, xsub, "verbose", true, false);
    set_int(xpub, ZMQ_XPUB_VERBOSER, 1);
    set_int(xpub, ZMQ_XPUB_VERBOSE, 0);
    expect_reports(xpub, xsub, "not verbose", false, false);
    set_int(xpub, ZMQ_XPUB_VERBOSE, 1);
    set_int(xpub, ZMQ_XPUB_VERBOSER, 0);
    expect_reports(xpub, xsub, "not verboser", false, false);
}

static void XPUB_5_requests_and_messages_form_one_queue(void **state) {
    void *xsub[1], *xpub = open_xpub(0, *state, xsub, 1);
    send_request(xsub[0], 1, "A");
    SEND(xsub[0], "one");
    send_request(xsub[0], 1, "B");
    send_request(xsub[0], 0, "A");
    SEND(xsub[0], "two", "three");
    send_request(xsub[0], 1, "");
    SUBSCRIBED(xpub, "A");
    EXPECT(xpub, "one");
    SUBSCRIBED(xpub, "B");
    UNSUBSCRIBED(xpub, "A");
    EXPECT(xpub, "two", "three");
    SUBSCRIBED(xpub, "");
    expect_empty_now(xpub);
}

static void XPUB_6_messages_of_xsub_come_unchanged(void **state) {
    void *xsub[1], *xpub = open_xpub(0, *state, xsub, 1);
    SEND(xsub[0], "");
    SEND(xsub[0], "\2");
    SEND(xsub[0], "first", "second", "");
    SEND(xsub[0], "", "x");
    EXPECT(xpub, "");
    EXPECT(xpub, "\2");
    EXPECT(xpub, "first", "second", "");
    EXPECT(xpub, "", "x");
}

static void XPUB_7_manual_requests_are_not_applied(void **state) {
    void *xsub[2], *xpub = open_xpub(ZMQ_XPUB_MANUAL, *state, xsub, 2);
    send_request(xsub[0], 1, "A");
    SUBSCRIBED(xpub, "A");
    SEND(xpub, "A1");
    subscribe(xpub, "B"); /* for the peer of the request just read */
    SEND(xpub, "A2");
    SEND(xpub, "B1");
    EXPECT(xsub[0], "B1");
    send_request(xsub[1], 1, "A");
    send_request(xsub[1], 1, "A");
    SUBSCRIBED(xpub, "A");
    SUBSCRIBED(xpub, "A");
    subscribe(xpub, "A");
    subscribe(xpub, "C");
    SEND(xpub, "A3");
    SEND(xpub, "B2");
    SEND(xpub, "C1");
    EXPECT(xsub[0], "B2");
    EXPECT(xsub[1], "A3");
    EXPECT(xsub[1], "C1");
    send_request(xsub[1], 0, "A"); /* not the last of this peer: stays there */
    send_request(xsub[1], 0, "A");
    UNSUBSCRIBED(xpub, "A");
    SEND(xpub, "A4");
    EXPECT(xsub[1], "A4");
    unsubscribe(xpub, "C");
    SEND(xpub, "C2");
    unsubscribe(xpub, "A");
    SEND(xpub, "A5");
    SEND(xpub, "B3");
    EXPECT(xsub[0], "B3");
    subscribe(xpub, "D");
    SEND(xpub, "D1");
    EXPECT(xsub[1], "D1");
    expect_empty_now(xsub[0]);
}

static void XPUB_7_manual_subscription_is_for_the_peer_of_the_last_request(void **state) {
    void *xsub[2], *xpub = open_xpub(ZMQ_XPUB_MANUAL, *state, xsub, 2);
    char frame[2][16];
    for (int i = 0; i < 2; i++) send_request(xsub[i], 1, i ? "1" : "0");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive(xpub, frame[i], sizeof frame[i]), 2);
        char topic[] = {'x', frame[i][1], 0};
        subscribe(xpub, topic);
    }
    SEND(xpub, "x0");
    SEND(xpub, "x1");
    EXPECT(xsub[0], "x0");
    EXPECT(xsub[1], "x1");
    expect_silence(xsub[0]);
    expect_empty_now(xsub[1]);
}

static void XPUB_8_manual_topics_go_with_their_peer(void **state) {
    void *xsub[2], *xpub = open_xpub(ZMQ_XPUB_MANUAL, *state, xsub, 2);
    send_request(xsub[1], 1, "other");
    SUBSCRIBED(xpub, "other");
    subscribe(xpub, "other");
    send_request(xsub[0], 1, "A");
    SUBSCRIBED(xpub, "A");
    subscribe(xpub, "manual");
    send_request(xsub[0], 1, "B");
    SUBSCRIBED(xpub, "B");
    close_socket(xsub[0]);
    char frame[2][16];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(receive(xpub, frame[i], sizeof frame[i]), 2);
        assert_int_equal(frame[i][0], 0);
        subscribe(xpub, "other"); /* for nobody */
        subscribe(xpub, "late");
    }
    assert_int_equal(frame[0][1] + frame[1][1], 'A' + 'B');
    expect_silence(xpub);
    SEND(xpub, "late");
    SEND(xpub, "manual");
    SEND(xpub, "other");
    EXPECT(xsub[1], "other");
    expect_silence(xsub[1]);
}

static void XPUB_9_manual_subscription_without_a_request_is_ignored(void **state) {
    void *xsub[1], *xpub = open_xpub(ZMQ_XPUB_MANUAL, *state, xsub, 1);
    subscribe(xpub, "A");
    unsubscribe(xpub, "A");
    subscribe(xpub, "A");
    SEND(xsub[0], "connected");
    EXPECT(xpub, "connected");
    SEND(xpub, "A1");
    expect_silence(xsub[0]);
}

static void XPUB_10_last_value_goes_to_the_requester_only(void **state) {
    void *xsub[3], *xpub = open_xpub(ZMQ_XPUB_MANUAL_LAST_VALUE, *state, xsub, 3);
    for (int i = 0; i < 3; i++) {
        send_request(xsub[i], 1, "A");
        SUBSCRIBED(xpub, "A");
        subscribe(xpub, "A");
        SEND(xpub, "A for the new one");
        EXPECT(xsub[i], "A for the new one");
    }
    SEND(xpub, "A for all");
    for (int i = 0; i < 3; i++) EXPECT(xsub[i], "A for all");
    send_request(xsub[0], 1, "B");
    SUBSCRIBED(xpub, "B"); /* not granted */
    SEND(xpub, "B1");
    SEND(xpub, "A for all");
    for (int i = 0; i < 3; i++) EXPECT(xsub[i], "A for all");
}

static void XPUB_11_welcome_message_comes_first(void **state) {
    char ep[ENDPOINT];
    void *xpub = open_socket(ZMQ_XPUB);
    set_text(xpub, ZMQ_XPUB_WELCOME_MSG, "Welcome");
    bind_on(xpub, *state, ep);
    void *sub = open_socket(ZMQ_SUB), *other = open_socket(ZMQ_SUB);
    void *xsub = open_connected(ZMQ_XSUB, ep);
    subscribe(sub, "W");
    subscribe(sub, "A");
    subscribe(other, "O");
    connect_to(sub, ep);
    connect_to(other, ep);
    for (int i = 0; i < 3; i++) receive(xpub, (char[16]){0}, 16);
    SEND(xpub, "A1");
    SEND(xpub, "O1");
    EXPECT(sub, "Welcome");
    EXPECT(sub, "A1");
    EXPECT(other, "O1");
    EXPECT(xsub, "Welcome");
    expect_empty_now(sub);
    OK(zmq_setsockopt(xpub, ZMQ_XPUB_WELCOME_MSG, NULL, 0));
    void *late = open_connected(ZMQ_XSUB, ep);
    send_request(late, 1, "L");
    SUBSCRIBED(xpub, "L");
    SEND(xpub, "L1");
    EXPECT(late, "L1");
}

static void XPUB_12_nodrop_blocks_for_any_full_pipe(void **state) {
    char ep[ENDPOINT];
    const int types[] = {ZMQ_XPUB, ZMQ_PUB};
    for (int t = 0; t < 2; t++) {
        void *pub = open_with(types[t], ZMQ_XPUB_NODROP, 1);
        void *slow = open_with(ZMQ_SUB, ZMQ_RCVHWM, 2), *fast = open_with(ZMQ_SUB, ZMQ_RCVHWM, 99);
        set_int(pub, ZMQ_SNDHWM, 1);
        bind_on(pub, *state, ep);
        subscribe(slow, "A");
        subscribe(fast, "");
        connect_to(slow, ep);
        connect_to(fast, ep);
        let_notice(pub);
        int sent = 0;
        while (zmq_send(pub, "A", 1, ZMQ_DONTWAIT) == 1) assert_in_range(sent++, 0, 3);
        assert_int_equal(zmq_errno(), EAGAIN);
        assert_int_equal(sent, 3);
        assert_true(events_now(pub) & ZMQ_POLLOUT);
        set_int(pub, ZMQ_SNDTIMEO, 30);
        FAILS(zmq_send(pub, "A", 1, 0), EAGAIN);
        SEND_NOW(pub, "B"); /* does not match the full pipe */
        for (int i = 0; i < 3; i++) EXPECT(fast, "A");
        EXPECT(fast, "B");
        expect_empty_now(fast); /* the refused messages went to nobody */
        for (int i = 0; i < 3; i++) EXPECT(slow, "A");
        set_int(pub, ZMQ_SNDTIMEO, DEADLINE_MS);
        SEND(pub, "A after all");
        EXPECT(slow, "A after all");
        EXPECT(fast, "A after all");
    }
}

static void fill_nodrop(void *pub) {
    int n = 0;
    while (zmq_send(pub, "A", 1, ZMQ_DONTWAIT) == 1) n++;
    assert_int_equal(zmq_errno(), EAGAIN);
    assert_int_equal(n, 3);
}

static void *open_full_nodrop(const char *transport, void **sub) {
    char ep[ENDPOINT];
    void *pub = open_with(ZMQ_XPUB, ZMQ_XPUB_NODROP, 1);
    set_int(pub, ZMQ_SNDHWM, 1);
    *sub = open_with(ZMQ_SUB, ZMQ_RCVHWM, 2);
    connect_to(*sub, bind_on(pub, transport, ep));
    subscribe(*sub, "");
    SUBSCRIBED(pub, "");
    fill_nodrop(pub);
    return pub;
}

static void XPUB_13_nodrop_goes_on_when_there_is_room(void **state) {
    void *sub, *pub = open_full_nodrop(*state, &sub);
    for (int i = 0; i < 3; i++) EXPECT(sub, "A");
    const int64_t end = now_ms() + DEADLINE_MS;
    while (zmq_send(pub, "x", 1, ZMQ_DONTWAIT) == -1) {
        assert_int_equal(zmq_errno(), EAGAIN);
        assert_true(now_ms() < end);
    }
    EXPECT(sub, "x");
}

static void XPUB_13_nodrop_sees_room_at_once(void **state) {
    OURS_IS_BETTER("libzmq looks for room once in a millisecond");
    void *sub, *pub = open_full_nodrop(*state, &sub);
    for (int round = 0, sent = 3; round < 50; round++) {
        for (; sent > 0; sent--) EXPECT(sub, "A");
        while (zmq_send(pub, "A", 1, ZMQ_DONTWAIT) == 1) sent++;
        assert_in_range(sent, 1, 3);
    }
}

static void *read_three(void *sub) {
    poll(NULL, 0, 20);
    for (int i = 0; i < 3; i++) {
        char c;
        if (zmq_recv(sub, &c, 1, 0) != 1) return "recv failed";
    }
    return NULL;
}

static void XPUB_13_blocked_nodrop_send_wakes_up(void **state) {
    void *sub, *error, *pub = open_full_nodrop(*state, &sub);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_three, sub), 0);
    const int64_t start = now_ms();
    SEND(pub, "x");
    assert_in_range(now_ms() - start, 15, 2000);
    assert_int_equal(pthread_join(thread, &error), 0);
    assert_null(error);
    EXPECT(sub, "x");
}

static void XPUB_15_inverted_matching(void **state) {
    char ep[ENDPOINT];
    void *xpub = open_with(ZMQ_XPUB, ZMQ_INVERT_MATCHING, 1);
    bind_on(xpub, *state, ep);
    void *inverted = open_with(ZMQ_SUB, ZMQ_INVERT_MATCHING, 1), *normal = open_socket(ZMQ_SUB);
    connect_to(inverted, ep);
    connect_to(normal, ep);
    subscribe(inverted, "A");
    SUBSCRIBED(xpub, "A");
    subscribe(inverted, "B");
    SUBSCRIBED(xpub, "B");
    subscribe(normal, "C");
    SUBSCRIBED(xpub, "C");
    SEND(xpub, "A1");
    SEND(xpub, "C1");
    SEND(xpub, "B1");
    SEND(xpub, "D1");
    EXPECT(inverted, "C1");
    EXPECT(inverted, "D1");
    expect_empty_now(inverted);
    expect_silence(normal); /* got A1, B1 and D1, and wants none */
}

static void XPUB_15_inverted_matching_of_pub(void **state) {
    void *pub, *xsub;
    open_pair(ZMQ_PUB, ZMQ_XSUB, *state, &pub, &xsub);
    set_int(pub, ZMQ_INVERT_MATCHING, 1);
    send_request(xsub, 1, "A");
    send_request(xsub, 1, "~");
    /* At first it may get everything, then only what it did not ask for. */
    const int64_t end = now_ms() + DEADLINE_MS;
    for (bool unasked = true, marked = false; unasked || !marked;) {
        static int round;
        char asked[16], last[16], text[16];
        assert_true(now_ms() < end);
        snprintf(asked, sizeof asked, "~%d", ++round);
        snprintf(last, sizeof last, "mark %d", round);
        SEND(pub, asked);
        SEND(pub, last);
        unasked = marked = false;
        while (!marked && receive_within(xsub, text, sizeof text, 20) != -1) {
            unasked |= strcmp(text, asked) == 0;
            marked |= strcmp(text, last) == 0;
        }
    }
    SEND(pub, "A1");
    SEND(pub, "B1");
    EXPECT(xsub, "B1");
}

static void XPUB_16_options_may_change_at_any_time(void **state) {
    void *xsub[2], *xpub = open_xpub(0, *state, xsub, 2);
    send_request(xsub[0], 1, "A");
    SUBSCRIBED(xpub, "A");
    send_request(xsub[1], 1, "A");
    nothing_until(xpub, xsub[1], "X");
    set_int(xpub, ZMQ_XPUB_MANUAL, 1);
    send_request(xsub[0], 1, "B");
    SUBSCRIBED(xpub, "B");
    SEND(xpub, "B1");
    SEND(xpub, "A1"); /* the earlier subscription still holds */
    EXPECT(xsub[0], "A1");
    EXPECT(xsub[1], "A1");
    set_int(xpub, ZMQ_XPUB_MANUAL, 0);
    send_request(xsub[1], 1, "C");
    SUBSCRIBED(xpub, "C");
    SEND(xpub, "C1");
    EXPECT(xsub[1], "C1");
}

static void XPUB_16_nodrop_may_change_at_any_time(void **state) {
    void *sub, *pub = open_full_nodrop(*state, &sub);
    set_int(pub, ZMQ_XPUB_NODROP, 0);
    SEND_NOW(pub, "dropped");
    for (int i = 0; i < 3; i++) EXPECT(sub, "A");
    expect_empty_now(sub);
    let_notice(pub);
    set_int(pub, ZMQ_XPUB_NODROP, 1);
    int sent = 0;
    while (zmq_send(pub, "x", 1, ZMQ_DONTWAIT) == 1) assert_in_range(sent++, 0, 3);
    assert_true(sent > 0);
    for (int i = 0; i < sent; i++) EXPECT(sub, "x");
    expect_empty_now(sub);
}

static void XPUB_16_nodrop_holds_after_a_drop(void **state) {
    OURS_IS_BETTER("a subscriber that missed a message before may go on missing them");
    void *sub, *pub = open_full_nodrop(*state, &sub);
    set_int(pub, ZMQ_XPUB_NODROP, 0);
    SEND_NOW(pub, "dropped");
    set_int(pub, ZMQ_XPUB_NODROP, 1);
    FAILS(zmq_send(pub, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    for (int i = 0; i < 3; i++) EXPECT(sub, "A");
    expect_empty_now(sub);
}

static void XPUB_16_welcome_message_is_for_later_pipes(void **state) {
    void *xsub[2], *xpub = open_xpub(0, *state, xsub, 1);
    char ep[ENDPOINT];
    send_request(xsub[0], 1, "A");
    SUBSCRIBED(xpub, "A");
    set_text(xpub, ZMQ_XPUB_WELCOME_MSG, "hello");
    xsub[1] = open_connected(ZMQ_XSUB, bind_on(xpub, *state, ep));
    send_request(xsub[1], 1, "B");
    SUBSCRIBED(xpub, "B");
    EXPECT(xsub[1], "hello");
    SEND(xpub, "A1");
    EXPECT(xsub[0], "A1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(XPUB_1_first_and_last_subscriber_are_reported),
        ON_ALL(XPUB_1_a_disconnect_counts_as_unsubscribing),
        ON_ALL(XPUB_2_verbose_reports_every_subscription),
        ON_ALL(XPUB_3_verboser_reports_every_unsubscription),
        ON_ALL(XPUB_3_verboser_reports_each_topic_of_a_lost_peer),
        ON_ALL(XPUB_4_the_last_verbosity_set_wins),
        ON_ALL(XPUB_5_requests_and_messages_form_one_queue),
        ON_ALL(XPUB_6_messages_of_xsub_come_unchanged),
        ON_ALL(XPUB_7_manual_requests_are_not_applied),
        ON_ALL(XPUB_7_manual_subscription_is_for_the_peer_of_the_last_request),
        ON_ALL(XPUB_8_manual_topics_go_with_their_peer),
        ON_ALL(XPUB_9_manual_subscription_without_a_request_is_ignored),
        ON_ALL(XPUB_10_last_value_goes_to_the_requester_only),
        ON_ALL(XPUB_11_welcome_message_comes_first),
        ON_INPROC(XPUB_12_nodrop_blocks_for_any_full_pipe),
        ON_INPROC(XPUB_13_nodrop_goes_on_when_there_is_room),
        ON_INPROC(XPUB_13_nodrop_sees_room_at_once),
        ON_INPROC(XPUB_13_blocked_nodrop_send_wakes_up),
        ON_ALL(XPUB_15_inverted_matching),
        ON_ALL(XPUB_15_inverted_matching_of_pub),
        ON_ALL(XPUB_16_options_may_change_at_any_time),
        ON_INPROC(XPUB_16_nodrop_may_change_at_any_time),
        ON_INPROC(XPUB_16_nodrop_holds_after_a_drop),
        ON_ALL(XPUB_16_welcome_message_is_for_later_pipes),
    };
    return RUN(tests);
}
