/* PUB, SUB and what goes upstream: sections 4.1 to 4.3 of patterns.md. */
#include "patterns_support.h"

/* A publisher of the type and a SUB connected to it. */
static void open_pub_sub(int type, const char *transport, void **publisher, void **sub) {
    open_pair(type, ZMQ_SUB, transport, publisher, sub);
}

/* The message after all others. */
#define MARK "mark"

static void mark(void *publisher) { SEND(publisher, MARK); }

/* ---- SUB ------------------------------------------------------------------------------------ */

static void SUB_1_a_subscription_is_a_prefix_of_the_first_frame(void **state) {
    static const struct {
        size_t size;
        char bytes[4];
    } topics[] = {{0, ""}, {1, "A"}, {1, "a"}, {2, "AB"}, {3, "\0\xff\0"}, {1, "\xff"}, {1, "\0"}},
      messages[] = {{0, ""},     {1, "A"},        {2, "AB"},       {2, "Ab"},
                    {3, "ABC"},  {3, "\0\xff\0"}, {3, "\0\xff\1"}, {2, "\0\xff"},
                    {1, "\xff"}, {2, " A"},       {4, "aBCD"},     {1, "B"}};
    enum { TOPICS = sizeof topics / sizeof *topics, MESSAGES = sizeof messages / sizeof *messages };
    void *pub = open_socket(ZMQ_PUB), *sub[TOPICS];
    char ep[ENDPOINT], got[64];
    bind_on(pub, *state, ep);
    for (int t = 0; t < TOPICS; t++) {
        sub[t] = open_connected(ZMQ_SUB, ep);
        subscribe(sub[t], MARK);
        OK(zmq_setsockopt(sub[t], ZMQ_SUBSCRIBE, topics[t].bytes, topics[t].size));
        join(pub, sub[t]);
    }
    drain(sub[0]); /* has seen the others join */
    for (int m = 0; m < MESSAGES; m++) OK(zmq_send(pub, messages[m].bytes, messages[m].size, 0));
    mark(pub);
    for (int t = 0; t < TOPICS; t++) {
        for (int m = 0; m < MESSAGES; m++)
            if (messages[m].size >= topics[t].size &&
                memcmp(messages[m].bytes, topics[t].bytes, topics[t].size) == 0) {
                assert_int_equal(receive(sub[t], got, sizeof got), messages[m].size);
                assert_memory_equal(got, messages[m].bytes, messages[m].size);
            }
        EXPECT(sub[t], MARK);
    }
}

static void SUB_2_a_match_never_crosses_a_frame_border(void **state) {
    void *pub, *sub;
    open_pub_sub(ZMQ_PUB, *state, &pub, &sub);
    subscribe(sub, "ABC");
    join(pub, sub);
    SEND(pub, "AB", "C");
    SEND(pub, "ABC", "zz");
    SEND(pub, "x", "ABC");
    SEND(pub, "ABCD");
    EXPECT(sub, "ABC", "zz");
    EXPECT(sub, "ABCD");
}

static void SUB_3_without_subscription_nothing_comes(void **state) {
    char ep[ENDPOINT];
    void *pub = open_socket(ZMQ_PUB), *events = monitor(pub);
    void *sub = open_connected(ZMQ_SUB, bind_on(pub, *state, ep));
    if (!is_inproc(*state)) wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    void *other = open_connected(ZMQ_SUB, ep);
    subscribe(other, "");
    join(pub, other);
    for (int n = 0; n < 10; n++) SEND(pub, "x");
    SEND(pub, "");
    for (int n = 0; n < 10; n++) EXPECT(other, "x");
    EXPECT(other, "");
    expect_silence(sub);
}

static void SUB_4_several_matching_subscriptions_give_one_message(void **state) {
    void *pub[2], *sub;
    open_pub_sub(ZMQ_PUB, *state, &pub[0], &sub);
    pub[1] = open_bound_peer(sub, ZMQ_PUB, *state);
    subscribe(sub, "");
    subscribe(sub, "A");
    subscribe(sub, "AB");
    subscribe(sub, "AB");
    join(pub[0], sub);
    join(pub[1], sub);
    SEND(pub[0], "ABC");
    EXPECT(sub, "ABC");
    SEND(pub[1], "ABC"); /* ... for each publisher */
    EXPECT(sub, "ABC");
    expect_silence(sub);
}

static void SUB_5_identical_subscriptions_are_counted(void **state) {
    void *xpub, *sub;
    open_pub_sub(ZMQ_XPUB, *state, &xpub, &sub);
    subscribe(sub, MARK);
    SUBSCRIBED(xpub, MARK);
    subscribe(sub, "A");
    subscribe(sub, "A");
    SUBSCRIBED(xpub, "A");
    unsubscribe(sub, "A");
    let_notice(xpub);
    SEND(xpub, "A1");
    EXPECT(sub, "A1");
    unsubscribe(sub, "A");
    UNSUBSCRIBED(xpub, "A");
    SEND(xpub, "A2");
    mark(xpub);
    EXPECT(sub, MARK);
}

static void SUB_5_unsubscribing_the_unknown_has_no_effect(void **state) {
    void *xpub, *sub;
    open_pub_sub(ZMQ_XPUB, *state, &xpub, &sub);
    subscribe(sub, "AB");
    unsubscribe(sub, "X");
    unsubscribe(sub, "A");
    unsubscribe(sub, "ABC");
    unsubscribe(sub, "");
    SUBSCRIBED(xpub, "AB");
    expect_silence(xpub);
    SEND(xpub, "ABCD");
    EXPECT(sub, "ABCD");
    unsubscribe(sub, "AB");
    UNSUBSCRIBED(xpub, "AB");
    unsubscribe(sub, "AB"); /* the count does not go below zero */
    subscribe(sub, "AB");
    SUBSCRIBED(xpub, "AB");
    SEND(xpub, "AB");
    EXPECT(sub, "AB");
}

static void SUB_6_messages_are_filtered_again_when_received(void **state) {
    void *pub, *sub;
    open_pub_sub(ZMQ_PUB, *state, &pub, &sub);
    subscribe(sub, "A");
    join(pub, sub);
    consume_fd(sub);
    SEND(pub, "A1");
    wait_fd(sub);
    poll(NULL, 0, 20); /* it should be here now; if not, the test is only weaker */
    unsubscribe(sub, "A");
    expect_empty_now(sub);
    expect_silence(sub);
}

/* In a stream, where message after message is taken from what one read has brought. */
static void SUB_6_each_message_of_a_stream_is_filtered(void **state) {
    enum { messages = 3000, before = 500 };
    void *xpub = open_with(ZMQ_XPUB, ZMQ_SNDHWM, 0), *sub = open_with(ZMQ_SUB, ZMQ_RCVHWM, 0);
    char ep[ENDPOINT], topic[ENDPOINT];
    connect_to(sub, bind_on(xpub, *state, ep));
    subscribe(sub, "A");
    SUBSCRIBED(xpub, "A");
    subscribe(sub, "B");
    SUBSCRIBED(xpub, "B");
    for (int n = 0; n < messages; n++) {
        snprintf(topic, sizeof topic, "%c%d%*s", n % 3 ? 'A' : 'B', n, n % 2 * 60, "");
        SEND(xpub, topic);
    }
    for (int n = 0; n < messages; n++) {
        if (n == before) unsubscribe(sub, "B");
        if (n >= before && n % 3 == 0) continue;
        snprintf(topic, sizeof topic, "%c%d%*s", n % 3 ? 'A' : 'B', n, n % 2 * 60, "");
        EXPECT(sub, topic);
    }
    expect_empty_now(sub);
}

static void SUB_7_xsub_does_not_filter(void **state) {
    void *xpub = open_with(ZMQ_XPUB, ZMQ_XPUB_MANUAL, 1), *xsub = open_socket(ZMQ_XSUB);
    char ep[ENDPOINT];
    connect_to(xsub, bind_on(xpub, *state, ep));
    send_request(xsub, 1, "A");
    SUBSCRIBED(xpub, "A");
    subscribe(xpub, "B"); /* gives it something else than it asked for */
    SEND(xpub, "A1");
    SEND(xpub, "B1", "x");
    EXPECT(xsub, "B1", "x");
    consume_fd(xsub);
    SEND(xpub, "B2");
    wait_fd(xsub);
    send_request(xsub, 0, "A");
    EXPECT(xsub, "B2");
}

static void SUB_8_early_subscriptions_are_remembered(void **state) {
    char ep[ENDPOINT];
    for (int bound = 0; bound < 2; bound++) {
        void *pub = open_socket(ZMQ_XPUB), *sub = open_socket(ZMQ_SUB);
        subscribe(sub, "A");
        subscribe(sub, "B");
        subscribe(sub, "C");
        unsubscribe(sub, "B");
        if (bound)
            connect_to(pub, bind_on(sub, *state, ep));
        else
            connect_to(sub, bind_on(pub, *state, ep));
        SUBSCRIBED_WHILE(pub, sub, "A");
        SUBSCRIBED_WHILE(pub, sub, "C");
        SEND(pub, "C1");
        SEND(pub, "B1");
        SEND(pub, "A1");
        EXPECT(sub, "C1");
        EXPECT(sub, "A1");
    }
}

static void SUB_9_subscribing_needs_no_peer(void **state) {
    (void)state;
    void *sub = open_with(ZMQ_SUB, ZMQ_SNDHWM, 1);
    for (int n = 0; n < 3000; n++) {
        char topic[16];
        snprintf(topic, sizeof topic, "%d", n);
        subscribe(sub, topic);
        if (n % 3 == 0) unsubscribe(sub, topic);
    }
    const int others[] = {ZMQ_PUB, ZMQ_XPUB, ZMQ_XSUB};
    for (int i = 0; i < 3; i++) {
        void *s = open_socket(others[i]);
        FAILS(zmq_setsockopt(s, ZMQ_SUBSCRIBE, "A", 1), EINVAL);
        FAILS(zmq_setsockopt(s, ZMQ_UNSUBSCRIBE, "A", 1), EINVAL);
    }
}

static void SUB_10_default_linger(void **state) {
    (void)state;
    for (int type = ZMQ_PAIR; type <= ZMQ_STREAM; type++) {
        void *s = keep(new_socket(kit.ctx, type));
        assert_int_equal(get_int(s, ZMQ_LINGER), type == ZMQ_SUB || type == ZMQ_XSUB ? 0 : -1);
    }
    OK(zmq_ctx_set(kit.ctx, ZMQ_BLOCKY, 0));
    for (int type = ZMQ_PAIR; type <= ZMQ_STREAM; type++)
        assert_int_equal(get_int(keep(new_socket(kit.ctx, type)), ZMQ_LINGER), 0);
    assert_int_equal(get_int(kit.sockets[0], ZMQ_LINGER), -1);
}

/* ---- Upstream ------------------------------------------------------------------------------- */

static void UP_1_all_subscriptions_and_the_last_unsubscription_go_upstream(void **state) {
    void *sub = open_socket(ZMQ_SUB), *xpub[2];
    for (int i = 0; i < 2; i++) {
        char ep[ENDPOINT];
        xpub[i] = open_with(ZMQ_XPUB, ZMQ_XPUB_VERBOSER, 1);
        connect_to(sub, bind_on(xpub[i], *state, ep));
    }
    for (int n = 0; n < 3; n++) subscribe(sub, "A");
    for (int n = 0; n < 3; n++) unsubscribe(sub, "A");
    unsubscribe(sub, "A");
    unsubscribe(sub, "never");
    subscribe(sub, "B");
    for (int i = 0; i < 2; i++) {
        for (int n = 0; n < 3; n++) SUBSCRIBED(xpub[i], "A");
        UNSUBSCRIBED(xpub[i], "A");
        SUBSCRIBED(xpub[i], "B");
    }
}

static void UP_2_xsub_counts_like_sub(void **state) {
    void *xsub = open_socket(ZMQ_XSUB), *xpub[2];
    for (int i = 0; i < 2; i++) {
        char ep[ENDPOINT];
        xpub[i] = open_with(ZMQ_XPUB, ZMQ_XPUB_VERBOSER, 1);
        connect_to(xsub, bind_on(xpub[i], *state, ep));
    }
    send_request(xsub, 1, "A");
    send_request(xsub, 1, "A");
    send_request(xsub, 0, "A");
    send_request(xsub, 0, "A");
    send_request(xsub, 0, "A");
    send_request(xsub, 0, "never");
    send_request(xsub, 1, "");
    send_request(xsub, 0, "");
    send_request(xsub, 1, "B");
    for (int i = 0; i < 2; i++) {
        SUBSCRIBED(xpub[i], "A");
        SUBSCRIBED(xpub[i], "A");
        UNSUBSCRIBED(xpub[i], "A");
        SUBSCRIBED(xpub[i], "");
        UNSUBSCRIBED(xpub[i], "");
        SUBSCRIBED(xpub[i], "B");
    }
}

static void UP_4_other_messages_of_xsub_go_to_all_publishers(void **state) {
    void *xsub = open_socket(ZMQ_XSUB), *xpub[2];
    for (int i = 0; i < 2; i++) xpub[i] = open_bound_peer(xsub, ZMQ_XPUB, *state);
    SEND_NOW(xsub, "hello");
    SEND_NOW(xsub, "");
    SEND_NOW(xsub, "\2A", "more");
    for (int i = 0; i < 2; i++) {
        EXPECT(xpub[i], "hello");
        EXPECT(xpub[i], "");
        EXPECT(xpub[i], "\2A", "more");
    }
}

static void UP_4_a_full_pipe_misses_messages_of_xsub(void **state) {
    char ep[ENDPOINT];
    void *xsub = open_with(ZMQ_XSUB, ZMQ_SNDHWM, 1), *slow = open_with(ZMQ_XPUB, ZMQ_RCVHWM, 2);
    void *fast = open_with(ZMQ_XPUB, ZMQ_RCVHWM, 100);
    SEND_NOW(xsub, "nobody there");
    connect_to(xsub, bind_on(slow, *state, ep));
    connect_to(xsub, bind_on(fast, *state, ep));
    for (int n = 0; n < 50; n++) {
        assert_int_equal(events_now(xsub) & ZMQ_POLLOUT, ZMQ_POLLOUT);
        send_number(xsub, n);
    }
    expect_numbers(fast, 0, 1, 50);
    expect_numbers(slow, 0, 1, 3);
    expect_empty_now(slow);
    expect_empty_now(fast);
}

static void UP_5_a_later_frame_may_be_a_subscription_too(void **state) {
    void *xpub, *xsub;
    open_pair(ZMQ_XPUB, ZMQ_XSUB, *state, &xpub, &xsub);
    send_text(xsub, "m1", ZMQ_SNDMORE);
    send_request(xsub, 1, "Z");
    wait_events(xpub, ZMQ_POLLIN);
    expect_text(xpub, "m1");
    assert_true(more(xpub));
    char frame[16];
    const int n = receive(xpub, frame, sizeof frame);
    check_request(frame, n, 1, "Z", __LINE__);
    SEND(xpub, "Z1");
    EXPECT(xsub, "Z1");
}

static void expect_both(void *xpub, void *idle) {
    char frame[2][16];
    const int64_t end = now_ms() + DEADLINE_MS;
    for (int i = 0; i < 2;) {
        assert_true(now_ms() < end);
        events_now(idle);
        i += receive_within(xpub, frame[i], sizeof frame[i], 5) != -1;
    }
    const int a = strcmp(frame[0], "\1A") == 0 ? 0 : 1;
    assert_string_equal(frame[a], "\1A");
    assert_string_equal(frame[!a], "\1B");
}

static void UP_7_a_new_pipe_gets_each_subscription_once(void **state) {
    char ep[ENDPOINT];
    void *sub = open_socket(ZMQ_SUB);
    subscribe(sub, "A");
    subscribe(sub, "B");
    subscribe(sub, "A");
    subscribe(sub, "A");
    for (int i = 0; i < 3; i++) {
        void *xpub = open_with(ZMQ_XPUB, ZMQ_XPUB_VERBOSER, 1);
        connect_to(sub, bind_on(xpub, *state, ep));
        expect_both(xpub, sub);
        expect_silence(xpub);
    }
}

static void UP_7_a_reconnected_pipe_gets_each_subscription_once(void **state) {
    char ep[ENDPOINT];
    void *xpub = open_with(ZMQ_XPUB, ZMQ_XPUB_VERBOSE, 1);
    void *sub = open_connected(ZMQ_SUB, bind_lasting(xpub, *state, ep));
    subscribe(sub, "A");
    SUBSCRIBED(xpub, "A");
    subscribe(sub, "A");
    SUBSCRIBED(xpub, "A");
    subscribe(sub, "B");
    SUBSCRIBED(xpub, "B");
    for (int i = 0; i < 2; i++) {
        close_socket(xpub);
        xpub = open_with(ZMQ_XPUB, ZMQ_XPUB_VERBOSE, 1);
        bind_again(xpub, ep);
        expect_both(xpub, sub);
        expect_silence(xpub);
        SEND(xpub, "A1");
        EXPECT(sub, "A1");
    }
}

static void UP_8_a_subscriber_that_keeps_reading_survives_a_restart(void **state) {
    char ep[ENDPOINT], text[64];
    void *pub = open_socket(ZMQ_PUB);
    void *sub = open_connected(ZMQ_SUB, bind_lasting(pub, *state, ep));
    subscribe(sub, "A");
    join(pub, sub);
    close_socket(pub);
    pub = open_socket(ZMQ_PUB);
    bind_again(pub, ep);
    for (int64_t end = now_ms() + DEADLINE_MS; receive_within(sub, text, sizeof text, 5) == -1;) {
        assert_true(now_ms() < end);
        SEND(pub, "A again");
    }
    assert_string_equal(text, "A again");
}

static void UP_8_a_bound_subscriber_that_keeps_reading_gets_served(void **state) {
    char ep[ENDPOINT], text[64];
    void *sub = open_socket(ZMQ_SUB);
    subscribe(sub, "A");
    void *pub = open_connected(ZMQ_PUB, bind_on(sub, *state, ep));
    for (int64_t end = now_ms() + DEADLINE_MS; receive_within(sub, text, sizeof text, 5) == -1;) {
        assert_true(now_ms() < end);
        SEND(pub, "A1");
    }
    assert_string_equal(text, "A1");
}

static void UP_8_resubscribing_needs_no_call_of_the_subscriber(void **state) {
    OURS_IS_BETTER("subscriptions are sent again by the application thread only");
    char ep[ENDPOINT];
    void *xpub = open_socket(ZMQ_XPUB);
    void *sub = open_connected(ZMQ_SUB, bind_lasting(xpub, *state, ep));
    subscribe(sub, "A");
    SUBSCRIBED(xpub, "A");
    close_socket(xpub);
    xpub = open_socket(ZMQ_XPUB);
    bind_again(xpub, ep);
    SUBSCRIBED(xpub, "A");
    void *bound = open_socket(ZMQ_SUB);
    subscribe(bound, "B");
    connect_to(xpub, bind_on(bound, *state, ep));
    SUBSCRIBED(xpub, "B");
}

enum { MANY = 1500 };

static void many_subscriptions_before_the_connection(const char *transport, bool unlimited) {
    char ep[ENDPOINT], topic[16], frame[16];
    static bool seen[MANY];
    memset(seen, 0, sizeof seen);
    void *sub = open_socket(ZMQ_SUB), *xpub = open_socket(ZMQ_XPUB);
    if (unlimited) set_int(sub, ZMQ_SNDHWM, 0);
    bind_lasting(xpub, transport, ep);
    OK(zmq_unbind(xpub, ep));
    connect_to(sub, ep);
    for (int n = 0; n < MANY; n++) {
        snprintf(topic, sizeof topic, "%d", n);
        subscribe(sub, topic);
    }
    bind_again(xpub, ep);
    for (int n = 0; n < MANY; n++) {
        receive(xpub, frame, sizeof frame);
        assert_int_equal(frame[0], 1);
        assert_in_range(atoi(frame + 1), 0, MANY - 1);
        assert_false(seen[atoi(frame + 1)]);
        seen[atoi(frame + 1)] = true;
    }
}

static void UP_9_no_subscription_is_lost_without_a_mark(void **state) {
    many_subscriptions_before_the_connection(*state, true);
}

static void UP_9_no_subscription_is_lost_with_the_default_mark(void **state) {
    OURS_IS_BETTER("subscriptions beyond the send high water mark are lost");
    many_subscriptions_before_the_connection(*state, false);
}

static void UP_10_a_topic_left_while_disconnected_is_not_sent_again(void **state) {
    char ep[ENDPOINT];
    void *xpub = open_socket(ZMQ_XPUB), *sub = open_socket(ZMQ_SUB), *events = monitor(sub);
    connect_to(sub, bind_lasting(xpub, *state, ep));
    subscribe(sub, "A");
    SUBSCRIBED(xpub, "A");
    subscribe(sub, "B");
    SUBSCRIBED(xpub, "B");
    close_socket(xpub);
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
    unsubscribe(sub, "A");
    xpub = open_socket(ZMQ_XPUB);
    bind_again(xpub, ep);
    SUBSCRIBED_WHILE(xpub, sub, "B");
    subscribe(sub, "C");
    SUBSCRIBED(xpub, "C");
}

/* ---- PUB ------------------------------------------------------------------------------------ */

static void PUB_1_send_never_blocks(void **state) {
    static char big[64 * 1024] = "A";
    void *pub, *sub;
    open_pub_sub(ZMQ_PUB, *state, &pub, &sub);
    set_int(pub, ZMQ_SNDHWM, 5);
    for (int n = 0; n < 2000; n++) SEND_NOW(pub, "A");
    subscribe(sub, "A");
    join(pub, sub);
    for (int n = 0; n < 1000; n++) { /* nobody reads */
        if (n % 100 == 0) assert_int_equal(events_now(pub), ZMQ_POLLOUT);
        assert_int_equal(zmq_send(pub, big, sizeof big, n % 2 ? ZMQ_DONTWAIT : 0), sizeof big);
    }
}

static void PUB_2_only_the_full_subscriber_misses_messages(void **state) {
    char ep[ENDPOINT];
    void *pub = open_with(ZMQ_XPUB, ZMQ_SNDHWM, 1), *slow = open_with(ZMQ_SUB, ZMQ_RCVHWM, 2);
    void *fast = open_with(ZMQ_SUB, ZMQ_RCVHWM, 100);
    bind_on(pub, *state, ep);
    connect_to(slow, ep);
    connect_to(fast, ep);
    subscribe(slow, "");
    subscribe(fast, "");
    SUBSCRIBED(pub, "");
    let_notice(pub);
    for (int n = 0; n < 50; n++) send_number(pub, n);
    expect_numbers(fast, 0, 1, 50);
    expect_numbers(slow, 0, 1, 3);
    expect_empty_now(slow);
}

/* ---- Messages of all kinds to several subscribers at once, none dropped ---- */

enum { mixed_messages = 3000, mixed_subscribers = 3 };

/* Small ones are copied, large ones shared, some have two parts; the sequence has no pattern. */
static size_t mixed_size(int number) {
    static const size_t sizes[] = {4, 10, 40, 41, 100, 300, 2048, 2049, 5000, 70000};
    return sizes[(unsigned)number * 2654435761u % 10];
}

static bool mixed_has_second(int number) { return (unsigned)number * 2246822519u % 7 == 0; }

static void *receive_mixed(void *endpoint) {
    void *sub = zmq_socket(kit.ctx, ZMQ_SUB);
    int timeout_ms = DEADLINE_MS, received = 0;
    zmq_setsockopt(sub, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "", 0);
    zmq_connect(sub, endpoint);
    zmq_msg_t frame;
    zmq_msg_init(&frame);
    for (; received < mixed_messages; received++) {
        int number = -1;
        if (zmq_msg_recv(&frame, sub, 0) != (int)mixed_size(received)) break;
        memcpy(&number, zmq_msg_data(&frame), sizeof number);
        if (number != received || zmq_msg_more(&frame) != mixed_has_second(received)) break;
        if (!zmq_msg_more(&frame)) continue;
        if (zmq_msg_recv(&frame, sub, 0) != 6 || zmq_msg_more(&frame)) break;
    }
    zmq_msg_close(&frame);
    zmq_close(sub);
    return (void *)(intptr_t)received;
}

static void DI_1_subscribers_get_messages_of_all_kinds_whole_and_in_order(void **state) {
    static char body[70000];
    char ep[ENDPOINT];
    void *xpub = open_with(ZMQ_XPUB, ZMQ_XPUB_NODROP, 1);
    set_int(xpub, ZMQ_XPUB_VERBOSE, 1);
    set_int(xpub, ZMQ_SNDHWM, 20);
    bind_on(xpub, *state, ep);
    pthread_t threads[mixed_subscribers];
    for (int i = 0; i < mixed_subscribers; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, receive_mixed, ep), 0);
    for (int i = 0; i < mixed_subscribers; i++) SUBSCRIBED(xpub, "");
    for (int n = 0; n < mixed_messages; n++) {
        memcpy(body, &n, sizeof n);
        const int flags = mixed_has_second(n) ? ZMQ_SNDMORE : 0;
        assert_int_equal(zmq_send(xpub, body, mixed_size(n), flags), mixed_size(n));
        if (flags) assert_int_equal(zmq_send(xpub, "second", 6, 0), 6);
    }
    for (int i = 0; i < mixed_subscribers; i++) {
        void *received;
        pthread_join(threads[i], &received);
        assert_int_equal((intptr_t)received, mixed_messages);
    }
}

static void *send_until_it_fails(void *publisher) {
    while (zmq_send(publisher, "x", 1, 0) != -1) {
    }
    return (void *)(intptr_t)zmq_errno();
}

/* One peer has room, the other one has not: the sender sleeps, and hears of the context's end. */
static void TERM_2_a_send_that_waits_for_one_of_two_peers_ends(void **state) {
    (void)state;
    char remote[ENDPOINT], local[ENDPOINT];
    void *xpub = open_with(ZMQ_XPUB, ZMQ_SNDHWM, 1);
    set_int(xpub, ZMQ_XPUB_NODROP, 1);
    set_int(xpub, ZMQ_XPUB_VERBOSE, 1);
    bind_on(xpub, "tcp", remote);
    bind_on(xpub, "inproc", local);
    void *idle = open_with(ZMQ_SUB, ZMQ_RCVHWM, 1), *open = open_with(ZMQ_SUB, ZMQ_RCVHWM, 0);
    connect_to(idle, local);
    connect_to(open, remote);
    subscribe(idle, "");
    SUBSCRIBED(xpub, "");
    subscribe(open, "");
    SUBSCRIBED(xpub, "");
    pthread_t sender;
    assert_int_equal(pthread_create(&sender, NULL, send_until_it_fails, xpub), 0);
    EXPECT(open, "x");
    EXPECT(open, "x");
    expect_silence(open);
    OK(zmq_ctx_shutdown(kit.ctx));
    void *number;
    pthread_join(sender, &number);
    assert_int_equal((intptr_t)number, ETERM);
}

static void PUB_3_what_nobody_wants_is_dropped(void **state) {
    void *pub = open_socket(ZMQ_PUB);
    char ep[ENDPOINT];
    SEND_NOW(pub, "nobody there");
    bind_on(pub, *state, ep);
    SEND_NOW(pub, "nobody there", "either");
    void *sub = open_connected(ZMQ_SUB, ep);
    subscribe(sub, "A");
    join(pub, sub);
    SEND_NOW(pub, "B");
    SEND_NOW(pub, "B", "A");
    SEND_NOW(pub, "A");
    EXPECT(sub, "A");
}

static void PUB_4_there_is_no_history(void **state) {
    char ep[ENDPOINT], text[32];
    void *pub = open_socket(ZMQ_PUB);
    bind_on(pub, *state, ep);
    SEND(pub, "too early");
    void *sub = open_socket(ZMQ_SUB);
    subscribe(sub, "");
    connect_to(sub, ep);
    for (int64_t end = now_ms() + DEADLINE_MS; receive_within(sub, text, sizeof text, 5) == -1;) {
        assert_true(now_ms() < end);
        SEND(pub, "in time");
    }
    assert_string_equal(text, "in time");
    void *late = open_socket(ZMQ_SUB);
    subscribe(late, "");
    connect_to(late, ep);
    expect_silence(late);
}

static void PUB_4_inproc_subscribers_join_at_once(void **state) {
    char ep[ENDPOINT];
    for (int i = 0; i < 2; i++) {
        void *pub = open_socket(ZMQ_PUB), *sub = open_socket(ZMQ_SUB);
        bind_on(pub, *state, ep);
        if (i) {
            subscribe(sub, "A");
            connect_to(sub, ep);
        } else {
            connect_to(sub, ep);
            subscribe(sub, "A");
        }
        SEND(pub, "A1");
        EXPECT(sub, "A1");
    }
}

static void PUB_5_messages_of_xsub_vanish_in_pub(void **state) {
    void *pub, *xsub;
    open_pair(ZMQ_PUB, ZMQ_XSUB, *state, &pub, &xsub);
    for (int n = 0; n < 100; n++) SEND(xsub, "message", "of two frames");
    SEND(xsub, "");
    send_request(xsub, 1, "A");
    char text[16];
    for (int64_t end = now_ms() + DEADLINE_MS; receive_within(xsub, text, sizeof text, 5) == -1;) {
        assert_true(now_ms() < end);
        assert_int_equal(events_now(pub), ZMQ_POLLOUT);
        SEND(pub, "A1");
    }
    assert_string_equal(text, "A1");
}

static void PUB_6_sending_alone_takes_in_subscriptions(void **state) {
    void *pub, *sub;
    char text[16];
    open_pub_sub(ZMQ_PUB, *state, &pub, &sub);
    for (int n = 0; n < 3; n++) {
        char topic[] = {(char)('A' + n), 0};
        subscribe(sub, topic);
        for (int64_t end = now_ms() + DEADLINE_MS;
             receive_within(sub, text, sizeof text, 1) == -1 || strcmp(text, topic) != 0;) {
            assert_true(now_ms() < end);
            SEND(pub, topic);
        }
    }
}

static void PUB_7_closing_sends_what_is_queued(void **state) {
    void *pub, *sub;
    open_pub_sub(ZMQ_PUB, *state, &pub, &sub);
    set_int(pub, ZMQ_LINGER, -1);
    subscribe(sub, "");
    join(pub, sub);
    for (int n = 0; n < 500; n++) send_number(pub, n);
    close_socket(pub);
    expect_numbers(sub, 0, 1, 500);
    expect_silence(sub);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(SUB_1_a_subscription_is_a_prefix_of_the_first_frame),
        ON_ALL(SUB_2_a_match_never_crosses_a_frame_border),
        ON_ALL(SUB_3_without_subscription_nothing_comes),
        ON_ALL(SUB_4_several_matching_subscriptions_give_one_message),
        ON_ALL(SUB_5_identical_subscriptions_are_counted),
        ON_ALL(SUB_5_unsubscribing_the_unknown_has_no_effect),
        ON_ALL(SUB_6_messages_are_filtered_again_when_received),
        ON_ALL(SUB_6_each_message_of_a_stream_is_filtered),
        ON_ALL(SUB_7_xsub_does_not_filter),
        ON_ALL(SUB_8_early_subscriptions_are_remembered),
        ONCE(SUB_9_subscribing_needs_no_peer),
        ONCE(SUB_10_default_linger),
        ON_ALL(UP_1_all_subscriptions_and_the_last_unsubscription_go_upstream),
        ON_ALL(UP_2_xsub_counts_like_sub),
        ON_ALL(UP_4_other_messages_of_xsub_go_to_all_publishers),
        ON_INPROC(UP_4_a_full_pipe_misses_messages_of_xsub),
        ON_ALL(UP_5_a_later_frame_may_be_a_subscription_too),
        ON_ALL(UP_7_a_new_pipe_gets_each_subscription_once),
        ON_NET(UP_7_a_reconnected_pipe_gets_each_subscription_once),
        ON_NET(UP_8_a_subscriber_that_keeps_reading_survives_a_restart),
        ON_ALL(UP_8_a_bound_subscriber_that_keeps_reading_gets_served),
        ON_NET(UP_8_resubscribing_needs_no_call_of_the_subscriber),
        ON_ALL(UP_9_no_subscription_is_lost_without_a_mark),
        ON_ALL(UP_9_no_subscription_is_lost_with_the_default_mark),
        ON_NET(UP_10_a_topic_left_while_disconnected_is_not_sent_again),
        ON_ALL(PUB_1_send_never_blocks),
        ON_INPROC(PUB_2_only_the_full_subscriber_misses_messages),
        ON_ALL(DI_1_subscribers_get_messages_of_all_kinds_whole_and_in_order),
        ONCE(TERM_2_a_send_that_waits_for_one_of_two_peers_ends),
        ON_ALL(PUB_3_what_nobody_wants_is_dropped),
        ON_ALL(PUB_4_there_is_no_history),
        ON_INPROC(PUB_4_inproc_subscribers_join_at_once),
        ON_ALL(PUB_5_messages_of_xsub_vanish_in_pub),
        ON_ALL(PUB_6_sending_alone_takes_in_subscriptions),
        ON_ALL(PUB_7_closing_sends_what_is_queued),
    };
    return RUN(tests);
}
