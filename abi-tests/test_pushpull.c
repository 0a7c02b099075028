/* PUSH and PULL: section 3 of patterns.md. */
#include "patterns_support.h"

enum { FLOW = 500 };

static void *push_numbers(void *push) {
    for (int n = 0; n < FLOW; n++) {
        char text[16];
        snprintf(text, sizeof text, "%d", n);
        if (zmq_send(push, text, strlen(text), 0) == -1) return strerror(zmq_errno());
    }
    return NULL;
}

static void PP_1_a_slow_reader_loses_nothing(void **state) {
    char ep[ENDPOINT];
    void *pull = open_with(ZMQ_PULL, ZMQ_RCVHWM, 1), *push = open_with(ZMQ_PUSH, ZMQ_SNDHWM, 1);
    connect_to(push, bind_on(pull, *state, ep));
    pthread_t thread;
    void *error;
    assert_int_equal(pthread_create(&thread, NULL, push_numbers, push), 0);
    poll(NULL, 0, 20); /* lets it run into the wall, at least on inproc */
    expect_numbers(pull, 0, 1, FLOW);
    assert_int_equal(pthread_join(thread, &error), 0);
    assert_null(error);
    expect_empty_now(pull);
}

static void PP_1_push_balances_and_pull_queues_fairly(void **state) {
    char ep[2][ENDPOINT];
    void *pull[2], *push[2];
    for (int i = 0; i < 2; i++) bind_on(pull[i] = open_socket(ZMQ_PULL), *state, ep[i]);
    for (int i = 0; i < 2; i++) {
        push[i] = open_connected(ZMQ_PUSH, ep[0]);
        connect_to(push[i], ep[1]);
    }
    for (int n = 0; n < 20; n++) SEND(push[n % 2], n % 2 ? "b" : "a");
    for (int i = 0; i < 2; i++) {
        int a = 0;
        for (int n = 0; n < 10; n++) {
            char text[16];
            receive(pull[i], text, sizeof text);
            a += text[0] == 'a';
        }
        assert_int_equal(a, 5);
        expect_empty_now(pull[i]);
    }
}

static void PP_2_bound_push_without_peer_would_block(void **state) {
    char ep[ENDPOINT];
    void *push = open_socket(ZMQ_PUSH);
    bind_on(push, *state, ep);
    assert_int_equal(events_now(push), 0);
    FAILS(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    set_int(push, ZMQ_SNDTIMEO, 40);
    const int64_t start = now_ms();
    FAILS(zmq_send(push, "x", 1, 0), EAGAIN);
    assert_in_range(now_ms() - start, 39, DEADLINE_MS);
}

static void PP_3_connected_push_queues_up_to_its_mark(void **state) {
    const int marks[] = {1, 7, 1000};
    for (int i = 0; i < 3; i++) {
        char ep[ENDPOINT];
        void *push = open_with(ZMQ_PUSH, ZMQ_SNDHWM, marks[i]);
        connect_to(push, dead_endpoint(*state, ep));
        assert_int_equal(fill(push, 2000), marks[i]);
        assert_int_equal(events_now(push), 0);
    }
}

static void PP_4_immediate_push_does_not_queue_for_nobody(void **state) {
    char ep[ENDPOINT];
    void *push = open_with(ZMQ_PUSH, ZMQ_IMMEDIATE, 1);
    connect_to(push, dead_endpoint(*state, ep));
    FAILS(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    expect_no_events(push, ZMQ_POLLOUT);
    FAILS(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
}

static void PP_4_immediate_push_sends_once_connected(void **state) {
    char ep[ENDPOINT];
    void *push = open_with(ZMQ_PUSH, ZMQ_IMMEDIATE, 1), *pull = open_socket(ZMQ_PULL);
    connect_to(push, bind_on(pull, *state, ep));
    wait_events(push, ZMQ_POLLOUT);
    SEND(push, "x");
    EXPECT(pull, "x");
}

static void PP_5_queued_messages_are_not_dealt_anew(void **state) {
    char ep[ENDPOINT];
    void *push = open_socket(ZMQ_PUSH);
    void *early = open_connected(ZMQ_PULL, bind_on(push, *state, ep));
    wait_events(push, ZMQ_POLLOUT);
    for (int n = 0; n < 100; n++) send_number(push, n);
    void *late = open_connected(ZMQ_PULL, ep);
    expect_silence(late);
    expect_numbers(early, 0, 1, 100);
    expect_empty_now(early);
    char text[16];
    for (int64_t end = now_ms() + DEADLINE_MS; receive_within(late, text, sizeof text, 10) == -1;) {
        assert_true(now_ms() < end);
        SEND(push, "x");
    }
    assert_string_equal(text, "x");
}

static void PP_6_queue_of_an_accepted_peer_dies_with_it(void **state) {
    enum { BIG = 64 * 1024 };
    static char big[BIG];
    char ep[ENDPOINT];
    void *push = open_socket(ZMQ_PUSH), *first = open_with(ZMQ_PULL, ZMQ_RCVHWM, 1);
    bind_on(push, *state, ep);
    connect_to(first, ep);
    for (int n = 0; n < 100; n++) /* more than the way to the peer holds */
        assert_int_equal(zmq_send(push, big, BIG, 0), BIG);
    close_socket(first);
    wait_no_events(push, ZMQ_POLLOUT);
    FAILS(zmq_send(push, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    void *second = open_connected(ZMQ_PULL, ep);
    SEND(push, "fresh");
    EXPECT(second, "fresh");
    expect_silence(second);
}

static void PP_6_queue_of_a_connected_endpoint_waits_for_its_return(void **state) {
    char ep[ENDPOINT];
    void *pull = open_socket(ZMQ_PULL), *push = open_socket(ZMQ_PUSH), *events = monitor(push);
    connect_to(push, bind_lasting(pull, *state, ep));
    SEND(push, "connected");
    EXPECT(pull, "connected");
    close_socket(pull);
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
    for (int n = 0; n < 50; n++) send_number(push, n);
    pull = open_socket(ZMQ_PULL);
    bind_again(pull, ep);
    expect_numbers(pull, 0, 1, 50);
    expect_silence(pull);
}

static void PP_7_a_closing_pull_leaves_the_rotation(void **state) {
    char ep[ENDPOINT], text[16];
    void *push = open_socket(ZMQ_PUSH);
    void *leaving = open_connected(ZMQ_PULL, bind_on(push, *state, ep));
    void *staying = open_connected(ZMQ_PULL, ep);
    bool seen[2] = {false};
    for (int64_t end = now_ms() + DEADLINE_MS; !seen[0] || !seen[1];) {
        assert_true(now_ms() < end);
        SEND(push, "who is there");
        seen[0] |= receive_within(leaving, text, sizeof text, 5) != -1;
        seen[1] |= receive_within(staying, text, sizeof text, 5) != -1;
    }
    drain(staying);
    close_socket(leaving);
    /* The close is processed when two messages in a row come to the other one. */
    int n = 1, last = -1, in_a_row = 0;
    for (int64_t end = now_ms() + DEADLINE_MS; in_a_row < 2; n++) {
        assert_true(now_ms() < end);
        send_number(push, n);
        in_a_row = receive_within(staying, text, sizeof text, 20) == -1 ? 0
                   : atoi(text) == last + 1                             ? in_a_row + 1
                                                                        : 1;
        last = atoi(text);
    }
    drain(staying);
    for (int i = 0; i < 10; i++) send_number(push, i);
    expect_numbers(staying, 0, 1, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(PP_1_a_slow_reader_loses_nothing),
        ON_ALL(PP_1_push_balances_and_pull_queues_fairly),
        ON_ALL(PP_2_bound_push_without_peer_would_block),
        ON_ALL(PP_3_connected_push_queues_up_to_its_mark),
        ON_NET(PP_4_immediate_push_does_not_queue_for_nobody),
        ON_NET(PP_4_immediate_push_sends_once_connected),
        ON_ALL(PP_5_queued_messages_are_not_dealt_anew),
        ON_ALL(PP_6_queue_of_an_accepted_peer_dies_with_it),
        ON_NET(PP_6_queue_of_a_connected_endpoint_waits_for_its_return),
        ON_ALL(PP_7_a_closing_pull_leaves_the_rotation),
    };
    return RUN(tests);
}
