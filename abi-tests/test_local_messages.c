/* HELLO_MSG, DISCONNECT_MSG, HICCUP_MSG (section 14 of patterns.md) and ROUTER_NOTIFY (RTR-21).
 * What stands on the wire is in test_wire.c. */
#include "draft_support.h"

/* A peer that the socket under test talks to. */
typedef struct
{
    int type, peer;
} pair_t;

static const pair_t speakers[] = {{ZMQ_DEALER, ZMQ_DEALER}, {ZMQ_DEALER, ZMQ_ROUTER}, {ZMQ_ROUTER, ZMQ_DEALER},
                                  {ZMQ_REP, ZMQ_DEALER},    {ZMQ_SERVER, ZMQ_CLIENT}, {ZMQ_CLIENT, ZMQ_SERVER},
                                  {ZMQ_PEER, ZMQ_PEER}};
enum { SPEAKERS = sizeof speakers / sizeof speakers[0] };

/* The next message, without the routing id that some types put before it. */
static void expect_body(void *s, int type, const char *text) {
    char id[256];
    if (type == ZMQ_ROUTER) {
        receive(s, id, sizeof id);
        assert_true(more(s));
    }
    EXPECT(s, text);
}

/* ---- HELLO_MSG ---- */

static void HM_1_HELLO_is_the_first_message_of_both_sides(void **state) {
    NEED_DRAFT();
    for (int i = 0; i < SPEAKERS; i++)
        for (int binds = 0; binds < 2; binds++) {
            char ep[ENDPOINT];
            void *s = open_socket(speakers[i].type), *peer = open_socket(speakers[i].peer);
            set_text(s, ZMQ_HELLO_MSG, "hello");
            set_text(peer, ZMQ_HELLO_MSG, "hello to you");
            connect_to(binds ? peer : s, bind_on(binds ? s : peer, *state, ep));
            expect_body(peer, speakers[i].peer, "hello");
            if (speakers[i].type != ZMQ_REP) /* for a REP it is no request */
                expect_body(s, speakers[i].type, "hello to you");
            expect_silence(peer);
        }
}

static void HM_1_HELLO_comes_before_what_was_sent_earlier(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_socket(ZMQ_DEALER);
    (void)state;
    dead_endpoint("ipc", ep);
    set_text(dealer, ZMQ_HELLO_MSG, "hello");
    connect_to(dealer, ep);
    SEND(dealer, "early");
    bind_again(router, ep);
    expect_body(router, ZMQ_ROUTER, "hello");
    expect_body(router, ZMQ_ROUTER, "early");
}

static void HM_1_HELLO_is_sent_again_after_each_reconnect(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *dealer = open_socket(ZMQ_DEALER), *router = open_socket(ZMQ_ROUTER);
    set_text(dealer, ZMQ_HELLO_MSG, "hello");
    connect_to(dealer, bind_lasting(router, *state, ep));
    for (int i = 0; i < 3; i++) {
        expect_body(router, ZMQ_ROUTER, "hello");
        SEND(dealer, "data");
        expect_body(router, ZMQ_ROUTER, "data");
        close_socket(router);
        router = open_socket(ZMQ_ROUTER);
        bind_again(router, ep);
    }
    expect_body(router, ZMQ_ROUTER, "hello");
}

static void HM_1_HELLO_does_not_count_for_HWM(void **state) {
    NEED_DRAFT();
    (void)state;
    char ep[ENDPOINT];
    void *dealer = open_with(ZMQ_DEALER, ZMQ_SNDHWM, 2);
    set_text(dealer, ZMQ_HELLO_MSG, "hello");
    connect_to(dealer, dead_endpoint("tcp", ep));
    assert_int_equal(fill(dealer, 10), 2);
}

static void HM_1_HELLO_and_the_others_with_CURVE(void **state) {
    NEED_DRAFT();
    if (!zmq_has("curve")) LATER("the CURVE mechanism is not built");
    char ep[ENDPOINT], public_key[41], secret_key[41];
    OK(zmq_curve_keypair(public_key, secret_key));
    void *dealer = open_socket(ZMQ_DEALER);
    set_text(dealer, ZMQ_HELLO_MSG, "hello");
    set_text(dealer, ZMQ_HICCUP_MSG, "hic");
    set_text(dealer, ZMQ_CURVE_SERVERKEY, public_key);
    set_text(dealer, ZMQ_CURVE_PUBLICKEY, public_key);
    set_text(dealer, ZMQ_CURVE_SECRETKEY, secret_key);
    for (int i = 0; i < 2; i++) {
        void *router = open_with(ZMQ_ROUTER, ZMQ_CURVE_SERVER, 1);
        set_text(router, ZMQ_CURVE_SECRETKEY, secret_key);
        set_text(router, ZMQ_HELLO_MSG, "hello to you");
        if (i == 0) connect_to(dealer, bind_lasting(router, *state, ep));
        else bind_again(router, ep);
        expect_body(router, ZMQ_ROUTER, "hello");
        EXPECT(dealer, "hello to you");
        SEND(dealer, "data");
        expect_body(router, ZMQ_ROUTER, "data");
        close_socket(router);
        EXPECT(dealer, "hic");
    }
}

static void HM_1_other_types_have_no_HELLO(void **state) {
    NEED_DRAFT();
    void *rep, *req, *pull, *push = open_socket(ZMQ_PUSH);
    char ep[ENDPOINT];
    rep = open_socket(ZMQ_REP);
    req = open_socket(ZMQ_REQ);
    set_text(req, ZMQ_HELLO_MSG, "hello");
    connect_to(req, bind_on(rep, *state, ep));
    SEND(req, "question");
    EXPECT(rep, "question");
    SEND(rep, "answer");
    EXPECT(req, "answer");
    pull = open_socket(ZMQ_PULL);
    set_text(push, ZMQ_HELLO_MSG, "hello");
    connect_to(push, bind_on(pull, *state, ep));
    SEND(push, "work");
    EXPECT(pull, "work");
}

/* ---- DISCONNECT_MSG ---- */

static void HM_2_DISCONNECT_of_an_accepted_peer(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_socket(ZMQ_DEALER);
    set_text(router, ZMQ_DISCONNECT_MSG, "gone");
    set_text(dealer, ZMQ_ROUTING_ID, "me");
    connect_to(dealer, bind_on(router, *state, ep));
    set_int(dealer, ZMQ_LINGER, DEADLINE_MS);
    SEND(dealer, "one");
    SEND(dealer, "two");
    EXPECT(router, "me", "one");
    close_socket(dealer);
    EXPECT(router, "me", "two");
    EXPECT(router, "me", "gone");
    expect_silence(router);
}

static void HM_2_DISCONNECT_with_the_number_of_the_peer(void **state) {
    NEED_DRAFT();
    static const pair_t pairs[] = {{ZMQ_SERVER, ZMQ_CLIENT}, {ZMQ_PEER, ZMQ_PEER}};
    for (int i = 0; i < 2; i++) {
        char ep[ENDPOINT];
        void *s = open_socket(pairs[i].type), *peer = open_socket(pairs[i].peer);
        set_text(s, ZMQ_DISCONNECT_MSG, "gone");
        bind_on(s, *state, ep);
        uint32_t number = 0;
        if (pairs[i].peer == ZMQ_PEER)
            number = DRAFT(zmq_connect_peer)(peer, ep);
        else
            connect_to(peer, ep);
        send_to_peer(peer, "here", number, NULL, 0);
        const uint32_t id = expect_from_peer(s, "here", NULL);
        close_socket(peer);
        assert_int_equal(expect_from_peer(s, "gone", NULL), id);
    }
}

static void HM_2_DISCONNECT_is_heard_when_the_end_is_found_by_looking(void **state) {
    NEED_DRAFT();
    void *router, *dealer;
    char ep[ENDPOINT];
    for (int i = 0; i < 50; i++) {
        router = open_socket(ZMQ_ROUTER);
        set_text(router, ZMQ_DISCONNECT_MSG, "gone");
        dealer = open_socket(ZMQ_DEALER);
        set_text(dealer, ZMQ_ROUTING_ID, "me");
        connect_to(dealer, bind_on(router, *state, ep));
        set_int(dealer, ZMQ_LINGER, DEADLINE_MS);
        SEND(dealer, "data");
        close_socket(dealer);
        EXPECT(router, "me", "data");
        EXPECT(router, "me", "gone");
        expect_empty_now(router);
        close_socket(router);
    }
}

static void HM_2_no_DISCONNECT_of_a_peer_connected_to(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_socket(ZMQ_DEALER);
    set_text(router, ZMQ_DISCONNECT_MSG, "gone");
    connect_to(router, bind_on(dealer, *state, ep));
    SEND(dealer, "data");
    expect_body(router, ZMQ_ROUTER, "data");
    close_socket(dealer);
    expect_silence(router);
}

/* ---- HICCUP_MSG ---- */

static void HM_3_HICCUP_at_each_loss(void **state) {
    NEED_DRAFT();
    static const pair_t pairs[] = {{ZMQ_DEALER, ZMQ_ROUTER}, {ZMQ_CLIENT, ZMQ_SERVER}, {ZMQ_PEER, ZMQ_PEER}};
    for (int i = 0; i < 3; i++) {
        char ep[ENDPOINT];
        void *s = open_socket(pairs[i].type), *peer = open_socket(pairs[i].peer);
        void *events = monitor(s);
        set_text(s, ZMQ_HICCUP_MSG, "hic");
        connect_to(s, bind_lasting(peer, *state, ep));
        for (int k = 0; k < 3; k++) {
            wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
            expect_empty_now(s);
            close_socket(peer);
            EXPECT(s, "hic");
            expect_empty_now(s);
            peer = open_socket(pairs[i].peer);
            bind_again(peer, ep);
        }
    }
}

static void HM_3_no_HICCUP_of_an_accepted_connection_or_inproc(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *dealer = open_socket(ZMQ_DEALER), *peer = open_socket(ZMQ_DEALER);
    set_text(dealer, ZMQ_HICCUP_MSG, "hic");
    connect_to(is_inproc(*state) ? dealer : peer, bind_on(is_inproc(*state) ? peer : dealer, *state, ep));
    SEND(peer, "data");
    EXPECT(dealer, "data");
    close_socket(peer);
    expect_silence(dealer);
}

/* ---- When the options act ---- */

static void HM_4_empty_values_switch_off(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    static const int options[] = {ZMQ_HELLO_MSG, ZMQ_DISCONNECT_MSG, ZMQ_HICCUP_MSG};
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_socket(ZMQ_DEALER);
    for (int i = 0; i < 3; i++) {
        set_text(router, options[i], "no");
        set_text(dealer, options[i], "no");
        set_text(router, options[i], "");
        OK(zmq_setsockopt(dealer, options[i], NULL, 0));
    }
    connect_to(dealer, bind_on(router, *state, ep));
    SEND(dealer, "data");
    expect_body(router, ZMQ_ROUTER, "data");
    close_socket(dealer);
    expect_silence(router);
}

static void HM_4_the_values_of_bind_and_connect_count(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_socket(ZMQ_DEALER);
    set_text(router, ZMQ_HELLO_MSG, "first");
    set_text(router, ZMQ_DISCONNECT_MSG, "first gone");
    bind_on(router, *state, ep);
    set_text(router, ZMQ_HELLO_MSG, "second");
    set_text(router, ZMQ_DISCONNECT_MSG, "");
    set_text(dealer, ZMQ_HELLO_MSG, "mine");
    set_text(dealer, ZMQ_ROUTING_ID, "me");
    connect_to(dealer, ep);
    set_text(dealer, ZMQ_HELLO_MSG, "later");
    EXPECT(dealer, "first");
    EXPECT(router, "me", "mine");
    close_socket(dealer);
    EXPECT(router, "me", "first gone");
}

/* ---- ROUTER_NOTIFY ---- */

static void RTR_21_ROUTER_NOTIFY_tells_of_peers(void **state) {
    NEED_DRAFT();
    for (int bits = 0; bits <= (ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT); bits++) {
        char ep[ENDPOINT];
        void *router = open_with(ZMQ_ROUTER, ZMQ_ROUTER_NOTIFY, bits), *dealer = open_socket(ZMQ_DEALER);
        set_text(dealer, ZMQ_ROUTING_ID, "me");
        connect_to(dealer, bind_on(router, *state, ep));
        SEND(dealer, "data");
        if (bits & ZMQ_NOTIFY_CONNECT) EXPECT(router, "me", "");
        EXPECT(router, "me", "data");
        close_socket(dealer);
        if (bits & ZMQ_NOTIFY_DISCONNECT) EXPECT(router, "me", "");
        expect_silence(router);
    }
}

static void RTR_21_a_connecting_ROUTER_is_told_of_each_handshake(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *router = open_with(ZMQ_ROUTER, ZMQ_ROUTER_NOTIFY, ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT);
    void *dealer = open_socket(ZMQ_DEALER);
    bind_lasting(dealer, *state, ep);
    OK(zmq_setsockopt(router, ZMQ_CONNECT_ROUTING_ID, "you", 3));
    connect_to(router, ep);
    for (int i = 0; i < 2; i++) {
        EXPECT(router, "you", "");
        close_socket(dealer);
        EXPECT(router, "you", "");
        dealer = open_socket(ZMQ_DEALER);
        bind_again(dealer, ep);
    }
}

static void RTR_21_nothing_of_failed_handshakes_or_inproc(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *router = open_with(ZMQ_ROUTER, ZMQ_ROUTER_NOTIFY, ZMQ_NOTIFY_CONNECT | ZMQ_NOTIFY_DISCONNECT);
    void *events = monitor(router);
    void *peer = open_socket(is_inproc(*state) ? ZMQ_DEALER : ZMQ_PUSH);
    connect_to(peer, bind_on(router, *state, ep));
    if (!is_inproc(*state)) wait_event(events, ZMQ_EVENT_DISCONNECTED);
    close_socket(peer);
    expect_silence(router);
}

static void RTR_21_the_notice_comes_before_the_disconnect_message(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *router = open_with(ZMQ_ROUTER, ZMQ_ROUTER_NOTIFY, ZMQ_NOTIFY_DISCONNECT), *dealer = open_socket(ZMQ_DEALER);
    set_text(router, ZMQ_DISCONNECT_MSG, "gone");
    set_text(dealer, ZMQ_ROUTING_ID, "me");
    connect_to(dealer, bind_on(router, *state, ep));
    SEND(dealer, "data");
    EXPECT(router, "me", "data");
    close_socket(dealer);
    EXPECT(router, "me", "");
    EXPECT(router, "me", "gone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(HM_1_HELLO_is_the_first_message_of_both_sides),
        ONCE(HM_1_HELLO_comes_before_what_was_sent_earlier),
        ON_NET(HM_1_HELLO_is_sent_again_after_each_reconnect),
        ONCE(HM_1_HELLO_does_not_count_for_HWM),
        ON_NET(HM_1_HELLO_and_the_others_with_CURVE),
        ON_ALL(HM_1_other_types_have_no_HELLO),
        ON_ALL(HM_2_DISCONNECT_of_an_accepted_peer),
        ON_ALL(HM_2_DISCONNECT_with_the_number_of_the_peer),
        ON_ALL(HM_2_DISCONNECT_is_heard_when_the_end_is_found_by_looking),
        ON_ALL(HM_2_no_DISCONNECT_of_a_peer_connected_to),
        ON_NET(HM_3_HICCUP_at_each_loss),
        ON_ALL(HM_3_no_HICCUP_of_an_accepted_connection_or_inproc),
        ON_ALL(HM_4_empty_values_switch_off),
        ON_ALL(HM_4_the_values_of_bind_and_connect_count),
        ON_NET(RTR_21_ROUTER_NOTIFY_tells_of_peers),
        ON_NET(RTR_21_a_connecting_ROUTER_is_told_of_each_handshake),
        ON_ALL(RTR_21_nothing_of_failed_handshakes_or_inproc),
        ON_NET(RTR_21_the_notice_comes_before_the_disconnect_message),
    };
    return RUN(tests);
}
