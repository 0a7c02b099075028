/* REQ and REP: sections 5 and 6 of patterns.md. */
#include "patterns_support.h"

enum { ID = 64 };

/* The sender of the next message of a ROUTER. */
static int receive_id(void *router, char *id) {
    const int n = receive(router, id, ID);
    assert_true(more(router));
    return n;
}

static void send_id(void *router, const char *id, int size) {
    assert_int_equal(zmq_send(router, id, (size_t)size, ZMQ_SNDMORE), size);
}

/* ---- REQ ------------------------------------------------------------------------------------ */

static void REQ_1_send_and_receive_take_turns(void **state) {
    void *rep, *req;
    char c;
    open_pair(ZMQ_REP, ZMQ_REQ, *state, &rep, &req);
    FAILS(zmq_recv(req, &c, 1, 0), EFSM);
    send_text(req, "a", ZMQ_SNDMORE);
    FAILS(zmq_recv(req, &c, 1, 0), EFSM);
    send_text(req, "b", 0);
    FAILS(zmq_send(req, "x", 1, 0), EFSM);
    FAILS(zmq_send(req, "x", 1, ZMQ_SNDMORE | ZMQ_DONTWAIT), EFSM);
    expect_empty_now(req);
    EXPECT(rep, "a", "b");
    SEND(rep, "c", "d");
    wait_events(req, ZMQ_POLLIN);
    FAILS(zmq_send(req, "x", 1, 0), EFSM);
    expect_text(req, "c");
    FAILS(zmq_send(req, "x", 1, 0), EFSM);
    expect_text(req, "d");
    FAILS(zmq_recv(req, &c, 1, 0), EFSM);
    SEND(req, "e");
    EXPECT(rep, "e");
}

static void REQ_2_an_empty_frame_precedes_the_request(void **state) {
    void *router, *req;
    char id[ID];
    open_pair(ZMQ_ROUTER, ZMQ_REQ, *state, &router, &req);
    SEND(req, "a", "b");
    const int size = receive_id(router, id);
    EXPECT(router, "", "a", "b");
    send_id(router, id, size);
    SEND(router, "", "c", "", "d");
    EXPECT(req, "c", "", "d");
}

static void REQ_3_each_request_goes_to_the_next_server(void **state) {
    void *req = open_socket(ZMQ_REQ), *rep[3];
    for (int i = 0; i < 3; i++) rep[i] = open_bound_peer(req, ZMQ_REP, *state);
    for (int n = 0; n < 9; n++) {
        SEND(req, "request", "more");
        EXPECT(rep[n % 3], "request", "more");
        SEND(rep[n % 3], "reply");
        EXPECT(req, "reply");
    }
}

static void REQ_4_without_a_pipe_it_may_still_send(void **state) {
    char c;
    void *req = open_socket(ZMQ_REQ);
    for (int i = 0; i < 3; i++) FAILS(zmq_send(req, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    set_int(req, ZMQ_SNDTIMEO, 20);
    FAILS(zmq_send(req, "x", 1, ZMQ_SNDMORE), EAGAIN);
    FAILS(zmq_recv(req, &c, 1, ZMQ_DONTWAIT), EFSM);
    void *rep = open_bound_peer(req, ZMQ_REP, *state);
    SEND(req, "request");
    EXPECT(rep, "request");
}

/* A REQ called "req" connected to two ROUTERs that can speak to it at any time. */
static void *open_speaking_peers(const char *transport, void **peer) {
    void *req = open_socket(ZMQ_REQ);
    set_text(req, ZMQ_ROUTING_ID, "req");
    for (int i = 0; i < 2; i++) {
        peer[i] = open_bound_peer(req, ZMQ_ROUTER, transport);
        set_int(peer[i], ZMQ_ROUTER_MANDATORY, 1);
        wait_events(peer[i], ZMQ_POLLOUT);
    }
    return req;
}

static void REQ_5_a_new_request_throws_old_messages_away(void **state) {
    void *peer[2], *req = open_speaking_peers(*state, peer);
    SEND(req, "1");
    EXPECT(peer[0], "req", "", "1");
    SEND(peer[0], "req", "", "one");
    EXPECT(req, "one");
    consume_fd(req);
    SEND(peer[1], "req", "", "unasked");
    wait_fd(req);
    let_notice(req);
    assert_int_equal(events_now(req), ZMQ_POLLOUT);
    SEND(req, "2");
    EXPECT(peer[1], "req", "", "2");
    SEND(peer[1], "req", "", "two");
    EXPECT(req, "two");
}

static void REQ_6_only_the_asked_peer_may_reply(void **state) {
    void *peer[2], *req = open_speaking_peers(*state, peer);
    SEND(req, "1");
    EXPECT(peer[0], "req", "", "1");
    SEND(peer[1], "req", "", "not", "yours");
    SEND(peer[1], "req", "", "again");
    expect_silence(req);
    SEND(peer[0], "req", "", "one");
    EXPECT(req, "one");
}

static void bad_reply(const char *transport, bool delimiter) {
    char ep[ENDPOINT], id[ID];
    void *router = open_socket(ZMQ_ROUTER), *req = open_socket(ZMQ_REQ), *events = monitor(req);
    connect_to(req, bind_on(router, transport, ep));
    SEND(req, "request");
    const int size = receive_id(router, id);
    EXPECT(router, "", "request");
    send_id(router, id, size);
    if (delimiter)
        SEND(router, "");
    else
        SEND(router, "no delimiter");
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
    assert_int_equal(next_event(events, QUIET_MS), 0); /* a retry would come after 20 to 40 ms */
    expect_empty_now(req);
    FAILS(zmq_send(req, "x", 1, ZMQ_DONTWAIT), EFSM);
}

static void REQ_7_a_reply_without_delimiter_ends_the_connection(void **state) {
    bad_reply(*state, false);
}

static void REQ_7_a_reply_without_body_ends_the_connection(void **state) {
    bad_reply(*state, true);
}

static void REQ_8_a_malformed_inproc_reply_is_skipped(void **state) {
    void *router, *req;
    char id[ID];
    open_pair(ZMQ_ROUTER, ZMQ_REQ, *state, &router, &req);
    SEND(req, "request");
    const int size = receive_id(router, id);
    EXPECT(router, "", "request");
    send_id(router, id, size);
    SEND(router, "no delimiter");
    send_id(router, id, size);
    SEND(router, "no", "delimiter", "first");
    send_id(router, id, size);
    SEND(router, "");
    expect_silence(req);
    send_id(router, id, size);
    SEND(router, "", "good");
    EXPECT(req, "good");
}

static void REQ_9_a_lost_request_is_not_sent_again(void **state) {
    char ep[ENDPOINT];
    void *rep = open_socket(ZMQ_REP), *req = open_socket(ZMQ_REQ), *events = monitor(req);
    connect_to(req, bind_lasting(rep, *state, ep));
    SEND(req, "request");
    EXPECT(rep, "request");
    close_socket(rep);
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
    rep = open_socket(ZMQ_REP);
    bind_again(rep, ep);
    wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_silence(rep);
    set_int(req, ZMQ_RCVTIMEO, 20);
    char c;
    FAILS(zmq_recv(req, &c, 1, 0), EAGAIN);
    FAILS(zmq_send(req, "x", 1, 0), EFSM);
}

static void REQ_10_a_request_waits_for_its_server(void **state) {
    char ep[ENDPOINT];
    void *rep = open_socket(ZMQ_REP);
    bind_lasting(rep, *state, ep);
    OK(zmq_unbind(rep, ep));
    void *req = open_connected(ZMQ_REQ, ep);
    SEND(req, "request", "early");
    bind_again(rep, ep);
    EXPECT(rep, "request", "early");
    SEND(rep, "reply");
    EXPECT(req, "reply");
}

static void REQ_10_a_queued_request_survives_a_restart(void **state) {
    char ep[ENDPOINT];
    void *rep = open_socket(ZMQ_REP), *req = open_socket(ZMQ_REQ), *events = monitor(req);
    connect_to(req, bind_lasting(rep, *state, ep));
    SEND(req, "1");
    EXPECT(rep, "1");
    SEND(rep, "one");
    EXPECT(req, "one");
    close_socket(rep);
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
    SEND(req, "2");
    rep = open_socket(ZMQ_REP);
    bind_again(rep, ep);
    EXPECT(rep, "2");
    SEND(rep, "two");
    EXPECT(req, "two");
}

static void REQ_11_after_its_peer_left_a_bound_req_takes_any_reply(void **state) {
    char ep[ENDPOINT];
    void *req = open_socket(ZMQ_REQ);
    set_text(req, ZMQ_ROUTING_ID, "req");
    void *first = open_connected(ZMQ_ROUTER, bind_on(req, *state, ep));
    wait_events(req, ZMQ_POLLOUT);
    SEND(req, "request");
    EXPECT(first, "req", "", "request");
    consume_fd(req);
    close_socket(first);
    wait_fd(req);
    let_notice(req);
    FAILS(zmq_send(req, "x", 1, 0), EFSM);
    expect_empty_now(req);
    void *second = open_connected(ZMQ_ROUTER, ep);
    set_int(second, ZMQ_ROUTER_MANDATORY, 1);
    expect_silence(second);
    wait_events(second, ZMQ_POLLOUT);
    SEND(second, "req", "", "reply");
    EXPECT(req, "reply");
    SEND(req, "next");
    EXPECT(second, "req", "", "next");
}

static void REQ_12_relaxed_req_may_send_again(void **state) {
    void *req = open_with(ZMQ_REQ, ZMQ_REQ_RELAXED, 1), *rep[2];
    for (int i = 0; i < 2; i++) rep[i] = open_bound_peer(req, ZMQ_REP, *state);
    SEND(req, "1");
    EXPECT(rep[0], "1");
    SEND(req, "2"); /* to the next peer */
    EXPECT(rep[1], "2");
    SEND(rep[0], "one");
    expect_silence(req); /* not from the peer of this request */
    SEND(rep[1], "two");
    EXPECT(req, "two");
}

/* The requests of one REQ, and replies to them at will. */
struct answerer {
    void *router;
    char id[ID];
    int size;
};

static void expect_request_of(struct answerer *a, const char *body) {
    a->size = receive_id(a->router, a->id);
    EXPECT(a->router, "", body);
}

static void answer(struct answerer *a, const char *body) {
    send_id(a->router, a->id, a->size);
    SEND(a->router, "", body);
}

static void REQ_12_relaxed_req_throws_waiting_replies_away(void **state) {
    struct answerer a;
    void *req;
    open_pair(ZMQ_ROUTER, ZMQ_REQ, *state, &a.router, &req);
    set_int(req, ZMQ_REQ_RELAXED, 1);
    SEND(req, "1");
    expect_request_of(&a, "1");
    answer(&a, "one");
    wait_events(req, ZMQ_POLLIN | ZMQ_POLLOUT);
    SEND(req, "2");
    expect_request_of(&a, "2");
    answer(&a, "two");
    EXPECT(req, "two");
}

static void REQ_12_relaxed_req_may_take_an_old_reply_for_the_new_one(void **state) {
    struct answerer a;
    void *req;
    open_pair(ZMQ_ROUTER, ZMQ_REQ, *state, &a.router, &req);
    set_int(req, ZMQ_REQ_RELAXED, 1);
    SEND(req, "1");
    SEND(req, "2");
    expect_request_of(&a, "1");
    expect_request_of(&a, "2");
    answer(&a, "one");
    EXPECT(req, "one");
}

static void receive_correlated(struct answerer *a, char *number, const char *body) {
    a->size = receive_id(a->router, a->id);
    assert_int_equal(receive(a->router, number, 16), 4);
    EXPECT(a->router, "", body);
}

static void answer_correlated(struct answerer *a, const char *number, const char *body) {
    send_id(a->router, a->id, a->size);
    assert_int_equal(zmq_send(a->router, number, 4, ZMQ_SNDMORE), 4);
    SEND(a->router, "", body);
}

static void REQ_13_correlated_req_skips_replies_to_older_requests(void **state) {
    struct answerer a;
    void *req;
    char number[3][16];
    open_pair(ZMQ_ROUTER, ZMQ_REQ, *state, &a.router, &req);
    set_int(req, ZMQ_REQ_RELAXED, 1);
    set_int(req, ZMQ_REQ_CORRELATE, 1);
    for (int i = 0; i < 3; i++) {
        SEND(req, "request");
        receive_correlated(&a, number[i], "request");
        for (int k = 0; k < i; k++) assert_memory_not_equal(number[i], number[k], 4);
    }
    answer_correlated(&a, number[0], "zero");
    answer_correlated(&a, number[1], "one");
    expect_silence(req);
    answer_correlated(&a, number[2], "two");
    EXPECT(req, "two");
}

static void REQ_13_the_number_grows_by_one(void **state) {
    struct answerer a;
    void *req;
    char bytes[16];
    uint32_t last = 0, number;
    open_pair(ZMQ_ROUTER, ZMQ_REQ, *state, &a.router, &req);
    set_int(req, ZMQ_REQ_CORRELATE, 1);
    for (int i = 0; i < 5; i++) {
        SEND(req, "request");
        receive_correlated(&a, bytes, "request");
        memcpy(&number, bytes, 4);
        if (i > 0) assert_int_equal(number, (uint32_t)(last + 1));
        last = number;
        answer_correlated(&a, bytes, "reply");
        EXPECT(req, "reply");
    }
}

static void REQ_13_rep_echoes_the_number(void **state) {
    void *rep, *req;
    open_pair(ZMQ_REP, ZMQ_REQ, *state, &rep, &req);
    set_int(req, ZMQ_REQ_CORRELATE, 1);
    for (int i = 0; i < 3; i++) {
        SEND(req, "request", "");
        EXPECT(rep, "request", "");
        SEND(rep, "reply", "");
        EXPECT(req, "reply", "");
    }
}

static void REQ_13_relaxed_and_correlated_req_ignores_the_late_reply(void **state) {
    void *rep, *req;
    open_pair(ZMQ_REP, ZMQ_REQ, *state, &rep, &req);
    set_int(req, ZMQ_REQ_RELAXED, 1);
    set_int(req, ZMQ_REQ_CORRELATE, 1);
    SEND(req, "1");
    SEND(req, "2");
    EXPECT(rep, "1");
    SEND(rep, "one");
    EXPECT(rep, "2");
    SEND(rep, "two");
    EXPECT(req, "two");
}

static void REQ_14_events(void **state) {
    void *req = open_socket(ZMQ_REQ), *bound = open_socket(ZMQ_REQ);
    char ep[ENDPOINT];
    assert_int_equal(events_now(req), 0);
    bind_on(bound, *state, ep);
    assert_int_equal(events_now(bound), 0);
    void *rep = open_bound_peer(req, ZMQ_REP, *state);
    assert_int_equal(events_now(req), ZMQ_POLLOUT);
    SEND(req, "request");
    assert_int_equal(events_now(req), 0);
    EXPECT(rep, "request");
    SEND(rep, "reply", "of two");
    wait_events(req, ZMQ_POLLIN);
    assert_int_equal(events_now(req), ZMQ_POLLIN);
    expect_text(req, "reply");
    assert_int_equal(events_now(req), ZMQ_POLLIN);
    expect_text(req, "of two");
    assert_int_equal(events_now(req), ZMQ_POLLOUT);
}

static void REQ_14_relaxed_req_reports_pollout_while_waiting(void **state) {
    void *rep, *req;
    open_pair(ZMQ_REP, ZMQ_REQ, *state, &rep, &req);
    SEND(req, "request");
    expect_no_events(req, ZMQ_POLLIN | ZMQ_POLLOUT);
    set_int(req, ZMQ_REQ_RELAXED, 1);
    assert_int_equal(events_now(req), ZMQ_POLLOUT);
}

static void REQ_15_a_filtered_message_does_not_block_recv(void **state) {
    void *peer[2], *req = open_speaking_peers(*state, peer);
    SEND(req, "1");
    SEND(peer[1], "req", "", "unasked");
    for (int64_t end = now_ms() + QUIET_MS; now_ms() < end; poll(NULL, 0, 2)) {
        events_now(req); /* may or may not report it */
        expect_empty_now(req);
    }
    assert_false(events_now(req) & ZMQ_POLLIN);
    EXPECT(peer[0], "req", "", "1");
    SEND(peer[0], "req", "", "one");
    EXPECT(req, "one");
}

static void REQ_16_correlate_governs_the_next_request(void **state) {
    struct answerer a;
    void *req;
    char number[16];
    open_pair(ZMQ_ROUTER, ZMQ_REQ, *state, &a.router, &req);
    for (int i = 0; i < 2; i++) {
        set_int(req, ZMQ_REQ_CORRELATE, 0);
        SEND(req, "plain");
        expect_request_of(&a, "plain");
        answer(&a, "reply");
        EXPECT(req, "reply");
        set_int(req, ZMQ_REQ_CORRELATE, 1);
        SEND(req, "numbered");
        receive_correlated(&a, number, "numbered");
        answer_correlated(&a, number, "reply");
        EXPECT(req, "reply");
    }
}

static void REQ_16_relaxed_may_be_switched_while_waiting(void **state) {
    void *rep, *req;
    open_pair(ZMQ_REP, ZMQ_REQ, *state, &rep, &req);
    SEND(req, "1");
    FAILS(zmq_send(req, "2", 1, 0), EFSM);
    set_int(req, ZMQ_REQ_RELAXED, 1);
    SEND(req, "2");
    set_int(req, ZMQ_REQ_RELAXED, 0);
    FAILS(zmq_send(req, "3", 1, 0), EFSM);
    EXPECT(rep, "1");
}

/* ---- REP ------------------------------------------------------------------------------------ */

static void REP_1_receive_and_send_take_turns(void **state) {
    void *rep, *req;
    char c;
    open_pair(ZMQ_REP, ZMQ_REQ, *state, &rep, &req);
    FAILS(zmq_send(rep, "x", 1, 0), EFSM);
    SEND(req, "a", "b");
    expect_text(rep, "a");
    FAILS(zmq_send(rep, "x", 1, 0), EFSM);
    expect_text(rep, "b");
    FAILS(zmq_recv(rep, &c, 1, 0), EFSM);
    send_text(rep, "c", ZMQ_SNDMORE);
    FAILS(zmq_recv(rep, &c, 1, 0), EFSM);
    send_text(rep, "d", 0);
    FAILS(zmq_send(rep, "x", 1, 0), EFSM);
    EXPECT(req, "c", "d");
}

static void REP_2_the_envelope_is_kept_and_restored(void **state) {
    void *rep, *dealer;
    open_pair(ZMQ_REP, ZMQ_DEALER, *state, &rep, &dealer);
    SEND(dealer, "hop 1", "hop 2", "hop 3", "", "body", "", "more");
    EXPECT(rep, "body", "", "more");
    SEND(rep, "re", "ply");
    EXPECT(dealer, "hop 1", "hop 2", "hop 3", "", "re", "ply");
    SEND(dealer, "", "body");
    EXPECT(rep, "body");
    SEND(rep, "");
    EXPECT(dealer, "", "");
}

static void REP_2_the_reply_goes_to_the_requester(void **state) {
    char ep[ENDPOINT];
    void *rep = open_socket(ZMQ_REP), *req[3];
    bind_on(rep, *state, ep);
    for (int i = 0; i < 3; i++) {
        req[i] = open_connected(ZMQ_REQ, ep);
        send_number(req[i], i);
    }
    for (int i = 0; i < 3; i++) {
        char text[16];
        receive(rep, text, sizeof text);
        send_text(rep, text, 0);
    }
    for (int i = 0; i < 3; i++) expect_number(req[i], i);
}

static void REP_3_a_request_without_envelope_is_skipped(void **state) {
    void *rep, *dealer;
    open_pair(ZMQ_REP, ZMQ_DEALER, *state, &rep, &dealer);
    SEND(dealer, "no delimiter");
    SEND(dealer, "no", "delimiter");
    SEND(dealer, "");
    SEND(dealer, "hop", "");
    SEND(dealer, "", "good");
    EXPECT(rep, "good");
    SEND(rep, "reply");
    EXPECT(dealer, "", "reply");
    SEND(dealer, "", "");
    EXPECT(rep, "");
}

static void REP_4_a_reply_to_nobody_vanishes(void **state) {
    char ep[ENDPOINT];
    void *rep = open_socket(ZMQ_REP);
    bind_on(rep, *state, ep);
    for (int during = 0; during < 2; during++) {
        void *req = open_connected(ZMQ_REQ, ep);
        SEND(req, "request");
        EXPECT(rep, "request");
        consume_fd(rep);
        if (during) send_text(rep, "re", ZMQ_SNDMORE);
        close_socket(req);
        wait_fd(rep);
        let_notice(rep);
        SEND_NOW(rep, "ply");
        expect_empty_now(rep); /* and not EFSM */
    }
    void *req = open_connected(ZMQ_REQ, ep);
    SEND(req, "request");
    EXPECT(rep, "request");
    SEND(rep, "reply");
    EXPECT(req, "reply");
}

static void REP_5_a_reply_that_does_not_fit_is_dropped(void **state) {
    char ep[ENDPOINT];
    void *rep = open_with(ZMQ_REP, ZMQ_SNDHWM, 1), *dealer = open_with(ZMQ_DEALER, ZMQ_RCVHWM, 2);
    connect_to(dealer, bind_on(rep, *state, ep));
    for (int n = 0; n < 10; n++) {
        SEND(dealer, "", "request");
        EXPECT(rep, "request");
        send_number(rep, n);
    }
    for (int n = 0; n < 3; n++) {
        expect_text(dealer, "");
        expect_number(dealer, n);
    }
    expect_empty_now(dealer);
    let_notice(rep);
    SEND(dealer, "", "request");
    EXPECT(rep, "request");
    SEND(rep, "fits");
    EXPECT(dealer, "", "fits");
}

static void REP_6_events(void **state) {
    void *rep, *req;
    open_pair(ZMQ_REP, ZMQ_REQ, *state, &rep, &req);
    expect_no_events(rep, ZMQ_POLLIN | ZMQ_POLLOUT);
    SEND(req, "a", "b");
    wait_events(rep, ZMQ_POLLIN);
    assert_int_equal(events_now(rep), ZMQ_POLLIN);
    expect_text(rep, "a");
    assert_int_equal(events_now(rep), ZMQ_POLLIN);
    expect_text(rep, "b");
    assert_int_equal(events_now(rep), ZMQ_POLLOUT);
    send_text(rep, "c", ZMQ_SNDMORE);
    assert_int_equal(events_now(rep), ZMQ_POLLOUT);
    close_socket(req);
    let_notice(rep);
    assert_int_equal(events_now(rep), ZMQ_POLLOUT);
    send_text(rep, "d", 0);
    assert_int_equal(events_now(rep), 0);
}

static void REP_7_requesters_are_served_in_turn(void **state) {
    char ep[ENDPOINT];
    void *rep = open_socket(ZMQ_REP), *dealer[3];
    bind_on(rep, *state, ep);
    for (int i = 0; i < 3; i++) {
        dealer[i] = open_connected(ZMQ_DEALER, ep);
        for (int n = 0; n < 3; n++) {
            send_text(dealer[i], "", ZMQ_SNDMORE);
            send_number(dealer[i], n * 10 + i);
        }
    }
    for (int n = 0; n < 3; n++)
        for (int i = 0; i < 3; i++) {
            expect_number(rep, n * 10 + i);
            SEND(rep, "reply");
        }
    for (int i = 0; i < 3; i++)
        for (int n = 0; n < 3; n++) EXPECT(dealer[i], "", "reply");
}

static void REP_7_no_requester_is_forgotten(void **state) {
    char ep[ENDPOINT], text[16];
    void *rep = open_socket(ZMQ_REP), *dealer[3];
    int seen[3] = {0};
    bind_on(rep, *state, ep);
    for (int i = 0; i < 3; i++) {
        dealer[i] = open_connected(ZMQ_DEALER, ep);
        for (int n = 0; n < 5; n++) SEND(dealer[i], "", i == 0 ? "0" : i == 1 ? "1" : "2");
    }
    for (int n = 0; n < 15; n++) {
        receive(rep, text, sizeof text);
        seen[text[0] - '0']++;
        send_text(rep, text, 0);
    }
    for (int i = 0; i < 3; i++) {
        assert_int_equal(seen[i], 5);
        for (int n = 0; n < 5; n++) EXPECT(dealer[i], "", i == 0 ? "0" : i == 1 ? "1" : "2");
    }
}

static void REP_8_a_request_outlives_its_requester(void **state) {
    void *rep, *req;
    open_pair(ZMQ_REP, ZMQ_REQ, *state, &rep, &req);
    SEND(req, "a", "b", "c");
    expect_text(rep, "a");
    consume_fd(rep);
    close_socket(req);
    wait_fd(rep);
    let_notice(rep);
    assert_int_equal(events_now(rep), ZMQ_POLLIN);
    EXPECT(rep, "b", "c");
    SEND_NOW(rep, "reply");
    expect_empty_now(rep);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(REQ_1_send_and_receive_take_turns),
        ON_ALL(REQ_2_an_empty_frame_precedes_the_request),
        ON_ALL(REQ_3_each_request_goes_to_the_next_server),
        ON_ALL(REQ_4_without_a_pipe_it_may_still_send),
        ON_ALL(REQ_5_a_new_request_throws_old_messages_away),
        ON_ALL(REQ_6_only_the_asked_peer_may_reply),
        ON_NET(REQ_7_a_reply_without_delimiter_ends_the_connection),
        ON_NET(REQ_7_a_reply_without_body_ends_the_connection),
        ON_INPROC(REQ_8_a_malformed_inproc_reply_is_skipped),
        ON_NET(REQ_9_a_lost_request_is_not_sent_again),
        ON_ALL(REQ_10_a_request_waits_for_its_server),
        ON_NET(REQ_10_a_queued_request_survives_a_restart),
        ON_ALL(REQ_11_after_its_peer_left_a_bound_req_takes_any_reply),
        ON_ALL(REQ_12_relaxed_req_may_send_again),
        ON_ALL(REQ_12_relaxed_req_throws_waiting_replies_away),
        ON_ALL(REQ_12_relaxed_req_may_take_an_old_reply_for_the_new_one),
        ON_ALL(REQ_13_correlated_req_skips_replies_to_older_requests),
        ON_ALL(REQ_13_the_number_grows_by_one),
        ON_ALL(REQ_13_rep_echoes_the_number),
        ON_ALL(REQ_13_relaxed_and_correlated_req_ignores_the_late_reply),
        ON_ALL(REQ_14_events),
        ON_ALL(REQ_14_relaxed_req_reports_pollout_while_waiting),
        ON_ALL(REQ_15_a_filtered_message_does_not_block_recv),
        ON_ALL(REQ_16_correlate_governs_the_next_request),
        ON_ALL(REQ_16_relaxed_may_be_switched_while_waiting),
        ON_ALL(REP_1_receive_and_send_take_turns),
        ON_ALL(REP_2_the_envelope_is_kept_and_restored),
        ON_ALL(REP_2_the_reply_goes_to_the_requester),
        ON_ALL(REP_3_a_request_without_envelope_is_skipped),
        ON_ALL(REP_4_a_reply_to_nobody_vanishes),
        ON_INPROC(REP_5_a_reply_that_does_not_fit_is_dropped),
        ON_ALL(REP_6_events),
        ON_INPROC(REP_7_requesters_are_served_in_turn),
        ON_NET(REP_7_no_requester_is_forgotten),
        ON_ALL(REP_8_a_request_outlives_its_requester),
    };
    return RUN(tests);
}
