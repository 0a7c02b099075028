/* DEALER and ROUTER: sections 7 and 8.1 to 8.3 of patterns.md. */
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

static void *open_named(int type, const char *name) {
    void *s = open_socket(type);
    set_text(s, ZMQ_ROUTING_ID, name);
    return s;
}

static void *open_mandatory(void) { return open_with(ZMQ_ROUTER, ZMQ_ROUTER_MANDATORY, 1); }

/* Sends to a peer that may not have arrived yet. */
static void send_when_there(void *router, const char *id, const char *text) {
    const int64_t end = now_ms() + DEADLINE_MS;
    while (zmq_send(router, id, strlen(id), ZMQ_SNDMORE | ZMQ_DONTWAIT) == -1) {
        assert_int_equal(zmq_errno(), EHOSTUNREACH);
        assert_true(now_ms() < end);
        let_notice(router);
    }
    SEND(router, text);
}

/* Waits until the peer is unknown. */
static void wait_gone(void *router, const char *id) {
    const int64_t end = now_ms() + DEADLINE_MS;
    while (zmq_send(router, id, strlen(id), ZMQ_SNDMORE | ZMQ_DONTWAIT) != -1) {
        assert_true(now_ms() < end);
        SEND(router, "into the void");
        events_now(router);
        poll(NULL, 0, 5);
    }
    assert_int_equal(zmq_errno(), EHOSTUNREACH);
}

/* ---- DEALER --------------------------------------------------------------------------------- */

static void DEA_1_messages_pass_unchanged_in_turn(void **state) {
    void *s = open_socket(ZMQ_DEALER), *p[2];
    for (int i = 0; i < 2; i++) p[i] = open_bound_peer(s, ZMQ_DEALER, *state);
    SEND(s, "a", "", "b");
    SEND(s, "");
    SEND(s, "c");
    EXPECT(p[0], "a", "", "b");
    EXPECT(p[0], "c");
    EXPECT(p[1], "");
    SEND(p[0], "x");
    SEND(p[0], "", "y");
    EXPECT(s, "x");
    EXPECT(s, "", "y");
    SEND(p[1], "z");
    EXPECT(s, "z");
}

static void DEA_1_mute_dealer_would_block(void **state) {
    char ep[ENDPOINT];
    void *s = open_with(ZMQ_DEALER, ZMQ_SNDHWM, 3);
    FAILS(zmq_send(s, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    assert_int_equal(events_now(s), 0);
    connect_to(s, dead_endpoint(*state, ep));
    assert_int_equal(fill(s, 100), 3);
    assert_int_equal(events_now(s), 0);
    set_int(s, ZMQ_SNDTIMEO, 30);
    const int64_t start = now_ms();
    FAILS(zmq_send(s, "x", 1, 0), EAGAIN);
    assert_in_range(now_ms() - start, 29, DEADLINE_MS);
}

static void DEA_2_dealer_talks_to_rep_with_an_empty_frame(void **state) {
    void *rep, *dealer;
    open_pair(ZMQ_REP, ZMQ_DEALER, *state, &rep, &dealer);
    SEND(dealer, "", "body", "more");
    SEND(dealer, "", "second");
    EXPECT(rep, "body", "more");
    SEND(rep, "reply");
    EXPECT(dealer, "", "reply");
    EXPECT(rep, "second");
    SEND(rep, "reply", "2");
    EXPECT(dealer, "", "reply", "2");
}

static void DEA_3_router_prepends_the_identity(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_named(ZMQ_DEALER, "me");
    connect_to(dealer, bind_on(router, *state, ep));
    SEND(dealer, "a", "", "b");
    EXPECT(router, "me", "a", "", "b");
    SEND(router, "me", "", "c");
    EXPECT(dealer, "", "c");
}

static void DEA_4_a_probe_comes_first_on_every_pipe(void **state) {
    const int types[] = {ZMQ_DEALER, ZMQ_REQ, ZMQ_ROUTER};
    for (int t = 0; t < 3; t++)
        for (int bound = 0; bound < 2; bound++) {
            char ep[ENDPOINT];
            void *router = open_socket(ZMQ_ROUTER), *s = open_named(types[t], "me");
            set_int(s, ZMQ_PROBE_ROUTER, 1);
            if (bound)
                connect_to(router, bind_on(s, *state, ep));
            else
                connect_to(s, bind_on(router, *state, ep));
            let_notice(s);
            EXPECT(router, "me", "");
            expect_empty_now(router);
            if (types[t] == ZMQ_DEALER) {
                SEND(s, "hello");
                EXPECT(router, "me", "hello");
                void *second = open_socket(ZMQ_ROUTER);
                connect_to(s, bind_on(second, *state, ep));
                EXPECT(second, "me", "");
            }
        }
}

static void DEA_4_the_probe_waits_for_the_connection(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER);
    bind_lasting(router, *state, ep);
    OK(zmq_unbind(router, ep));
    void *dealer = open_named(ZMQ_DEALER, "me");
    set_int(dealer, ZMQ_PROBE_ROUTER, 1);
    connect_to(dealer, ep);
    SEND(dealer, "hello");
    bind_again(router, ep);
    EXPECT(router, "me", "");
    EXPECT(router, "me", "hello");
}

static void DEA_4_the_probe_is_not_repeated_on_reconnect(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_named(ZMQ_DEALER, "me");
    void *events = monitor(dealer);
    set_int(dealer, ZMQ_PROBE_ROUTER, 1);
    connect_to(dealer, bind_lasting(router, *state, ep));
    EXPECT(router, "me", "");
    close_socket(router);
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
    router = open_socket(ZMQ_ROUTER);
    bind_again(router, ep);
    wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_silence(router);
    SEND(dealer, "hello");
    EXPECT(router, "me", "hello");
}

static void DEA_5_connecting_twice_is_one_connection_for_some_types(void **state) {
    const struct {
        int connecting, bound, connections;
    } kinds[] = {
        {ZMQ_DEALER, ZMQ_DEALER, 1}, {ZMQ_REQ, ZMQ_REP, 1},   {ZMQ_PUB, ZMQ_SUB, 1},
        {ZMQ_SUB, ZMQ_PUB, 1},       {ZMQ_PUSH, ZMQ_PULL, 2}, {ZMQ_PULL, ZMQ_PUSH, 2},
        {ZMQ_ROUTER, ZMQ_ROUTER, 2}, {ZMQ_REP, ZMQ_REQ, 2},   {ZMQ_XPUB, ZMQ_XSUB, 2},
        {ZMQ_XSUB, ZMQ_XPUB, 2},     {ZMQ_PAIR, ZMQ_PAIR, 2},
    };
    enum { KINDS = sizeof kinds / sizeof *kinds };
    void *events[KINDS];
    int extra = 0;
    for (int k = 0; k < KINDS; k++) {
        char ep[ENDPOINT];
        void *bound = open_socket(kinds[k].bound), *s = open_socket(kinds[k].connecting);
        bind_on(bound, *state, ep);
        events[k] = monitor(bound);
        OK(zmq_connect(s, ep));
        OK(zmq_connect(s, ep));
        for (int n = 0; n < kinds[k].connections; n++) wait_event(events[k], ZMQ_EVENT_ACCEPTED);
    }
    let_notice(kit.sockets[0]);
    for (int k = 0; k < KINDS; k++)
        for (int e; (e = next_event(events[k], 0)) != 0;) extra += e == ZMQ_EVENT_ACCEPTED;
    assert_int_equal(extra, 0);
}

/* ---- ROUTER: identities --------------------------------------------------------------------- */

static uint32_t receive_counter(void *router) {
    char id[ID];
    assert_int_equal(receive_id(router, id), 5);
    assert_int_equal(id[0], 0);
    const unsigned char *b = (unsigned char *)id;
    return (uint32_t)b[1] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 8 | b[4];
}

static void RTR_1_generated_identities_have_five_bytes(void **state) {
    void *router, *dealer;
    char id[ID];
    open_pair(ZMQ_ROUTER, ZMQ_DEALER, *state, &router, &dealer);
    SEND(dealer, "a");
    const int size = receive_id(router, id);
    assert_int_equal(size, 5);
    assert_int_equal(id[0], 0);
    EXPECT(router, "a");
    send_id(router, id, size);
    SEND(router, "b");
    EXPECT(dealer, "b");
}

static void RTR_1_a_connect_id_comes_before_the_announced_name(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_named(ZMQ_DEALER, "announced");
    bind_on(dealer, *state, ep);
    set_text(router, ZMQ_CONNECT_ROUTING_ID, "given");
    connect_to(router, ep);
    SEND(router, "given", "x");
    EXPECT(dealer, "x");
    SEND(dealer, "y");
    EXPECT(router, "given", "y");
    void *other = open_named(ZMQ_ROUTER, "other"), *named = open_named(ZMQ_DEALER, "announced");
    connect_to(other, bind_on(named, *state, ep));
    SEND(named, "z");
    EXPECT(other, "announced", "z");
}

static void RTR_2_generated_identities_count_up(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER);
    bind_on(router, *state, ep);
    uint32_t last = 0;
    for (int n = 0; n < 4; n++) {
        void *dealer = open_connected(ZMQ_DEALER, ep);
        SEND(dealer, "x");
        const uint32_t counter = receive_counter(router);
        EXPECT(router, "x");
        if (n > 0) assert_int_equal(counter, (uint32_t)(last + 1));
        last = counter;
    }
}

static void RTR_3_a_peer_is_addressable_after_the_handshake(void **state) {
    char ep[ENDPOINT];
    void *router = open_mandatory(), *dealer = open_named(ZMQ_DEALER, "real");
    dead_endpoint(*state, ep);
    connect_to(router, ep);
    FAILS(zmq_send(router, "real", 4, ZMQ_SNDMORE), EHOSTUNREACH);
    connect_to(router, bind_on(dealer, *state, ep));
    send_when_there(router, "real", "x");
    EXPECT(dealer, "x");
}

static void RTR_4_a_connect_id_is_addressable_at_once(void **state) {
    char ep[ENDPOINT];
    void *dealer = open_named(ZMQ_DEALER, "another name");
    bind_lasting(dealer, *state, ep);
    OK(zmq_unbind(dealer, ep));
    void *router = open_mandatory();
    set_text(router, ZMQ_CONNECT_ROUTING_ID, "peerA");
    connect_to(router, ep);
    SEND(router, "peerA", "early");
    bind_again(dealer, ep);
    EXPECT(dealer, "early");
    SEND(dealer, "reply");
    EXPECT(router, "peerA", "reply");
    FAILS(zmq_send(router, "another name", 12, ZMQ_SNDMORE), EHOSTUNREACH);
}

static void RTR_4_a_connect_id_serves_one_connect(void **state) {
    void *router = open_mandatory();
    set_text(router, ZMQ_CONNECT_ROUTING_ID, "peerA");
    void *first = open_bound_peer(router, ZMQ_DEALER, *state);
    void *second = open_bound_peer(router, ZMQ_DEALER, *state);
    SEND(second, "x");
    receive_counter(router);
    EXPECT(router, "x");
    SEND(first, "y");
    EXPECT(router, "peerA", "y");
    set_text(router, ZMQ_CONNECT_ROUTING_ID, "peerB");
    void *third = open_bound_peer(router, ZMQ_DEALER, *state);
    SEND(router, "peerB", "z");
    EXPECT(third, "z");
}

static void RTR_5_a_connect_id_in_use_is_refused(void **state) {
    OURS_IS_BETTER("the process is aborted");
    char ep[ENDPOINT];
    void *router = open_mandatory(), *dealer = open_socket(ZMQ_DEALER);
    set_text(router, ZMQ_CONNECT_ROUTING_ID, "peerA");
    void *first = open_bound_peer(router, ZMQ_DEALER, *state);
    bind_on(dealer, *state, ep);
    set_text(router, ZMQ_CONNECT_ROUTING_ID, "peerA");
    FAILS(zmq_connect(router, ep), EINVAL);
    SEND(router, "peerA", "x");
    EXPECT(first, "x");
    expect_silence(dealer);
}

static void RTR_6_a_name_set_after_connect_has_no_effect(void **state) {
    void *router, *dealer;
    open_pair(ZMQ_ROUTER, ZMQ_DEALER, *state, &router, &dealer);
    set_text(dealer, ZMQ_ROUTING_ID, "late");
    SEND(dealer, "x");
    const uint32_t counter = receive_counter(router);
    EXPECT(router, "x");
    set_text(dealer, ZMQ_ROUTING_ID, "later");
    SEND(dealer, "y");
    assert_int_equal(receive_counter(router), counter);
    EXPECT(router, "y");
    if (!is_inproc(*state)) {
        char ep[ENDPOINT]; /* the same for accepted connections */
        void *bound = open_socket(ZMQ_DEALER), *peer = open_socket(ZMQ_ROUTER);
        bind_on(bound, *state, ep);
        set_text(bound, ZMQ_ROUTING_ID, "late");
        connect_to(peer, ep);
        SEND(bound, "z");
        receive_counter(peer);
        EXPECT(peer, "z");
    }
}

/* A ROUTER meets a DEALER named "dup". */
static void meet(void *router, void *dealer, void *transport, char *ep) {
    bind_on(router, transport, ep);
    connect_to(dealer, ep);
    SEND(dealer, "here");
    EXPECT(router, "dup", "here");
}

static void RTR_7_a_second_peer_of_a_name_is_ignored(void **state) {
    char ep[ENDPOINT];
    void *router = open_mandatory(), *first = open_named(ZMQ_DEALER, "dup");
    meet(router, first, *state, ep);
    void *second = open_named(ZMQ_DEALER, "dup"), *events = monitor(second);
    connect_to(second, ep);
    SEND_NOW(second, "unheard");
    if (!is_inproc(*state)) wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_silence(router);
    SEND(router, "dup", "for the first");
    EXPECT(first, "for the first");
    SEND(first, "again");
    EXPECT(router, "dup", "again");
    close_socket(first);
    wait_gone(router, "dup");
    expect_silence(router); /* the second is not promoted */
    FAILS(zmq_send(router, "dup", 3, ZMQ_SNDMORE), EHOSTUNREACH);
    expect_silence(second);
    assert_int_equal(next_event(events, 0), 0);
    if (!is_inproc(*state)) SEND_NOW(second, "accepted");
}

static void RTR_8_handover_gives_the_name_to_the_newcomer(void **state) {
    char ep[ENDPOINT];
    void *router = open_mandatory(), *first = open_named(ZMQ_DEALER, "dup");
    void *events = monitor(first);
    set_int(router, ZMQ_ROUTER_HANDOVER, 1);
    meet(router, first, *state, ep);
    void *second = open_named(ZMQ_DEALER, "dup");
    connect_to(second, ep);
    SEND(second, "new");
    EXPECT(router, "dup", "new");
    SEND(router, "dup", "for the second");
    EXPECT(second, "for the second");
    if (!is_inproc(*state)) {
        wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
        SEND_NOW(first, "unheard");
    }
    expect_silence(router);
    expect_silence(first);
    assert_int_equal(next_event(events, 0), 0);
    SEND(second, "still");
    EXPECT(router, "dup", "still");
}

static void RTR_7_an_ignored_peer_that_leaves_is_let_go(void **state) {
    char ep[ENDPOINT];
    OURS_IS_BETTER("it keeps the connection for ever");
    void *router = open_with(ZMQ_ROUTER, ZMQ_RCVHWM, 1), *first = open_named(ZMQ_DEALER, "dup");
    meet(router, first, *state, ep);
    void *events = monitor(router), *second = open_named(ZMQ_DEALER, "dup");
    connect_to(second, ep);
    wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_let_go(second, events);
    SEND(first, "still here");
    EXPECT(router, "dup", "still here");
}

static void RTR_8_a_peer_without_its_name_that_leaves_is_let_go(void **state) {
    char ep[ENDPOINT];
    OURS_IS_BETTER("it keeps the connection for ever");
    void *router = open_with(ZMQ_ROUTER, ZMQ_ROUTER_HANDOVER, 1);
    void *first = open_named(ZMQ_DEALER, "dup"), *second = open_named(ZMQ_DEALER, "dup");
    set_int(router, ZMQ_RCVHWM, 1);
    meet(router, first, *state, ep);
    void *events = monitor(router);
    connect_to(second, ep);
    SEND(second, "new");
    EXPECT(router, "dup", "new");
    wait_event(events, ZMQ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_let_go(first, events);
    SEND(second, "still");
    EXPECT(router, "dup", "still");
}

static void RTR_9_handover_waits_for_the_end_of_a_message(void **state) {
    char ep[ENDPOINT];
    void *router = open_with(ZMQ_ROUTER, ZMQ_ROUTER_HANDOVER, 1);
    void *first = open_named(ZMQ_DEALER, "dup"), *second = open_named(ZMQ_DEALER, "dup");
    bind_on(router, *state, ep);
    connect_to(first, ep);
    SEND(first, "a1", "a2", "a3");
    expect_text(router, "dup");
    expect_text(router, "a1");
    connect_to(second, ep);
    SEND(second, "b1", "b2");
    let_notice(router);
    EXPECT(router, "a2", "a3");
    EXPECT(router, "dup", "b1", "b2");
    SEND(router, "dup", "for the second");
    EXPECT(second, "for the second");
}

static void RTR_10_generated_identities_never_collide(void **state) {
    enum { PEERS = 30 };
    char ep[ENDPOINT], id[PEERS][ID];
    void *dealer[PEERS], *router = open_with(ZMQ_ROUTER, ZMQ_ROUTER_HANDOVER, 1);
    bind_on(router, *state, ep);
    for (int i = 0; i < PEERS; i++) {
        dealer[i] = open_connected(ZMQ_DEALER, ep);
        send_number(dealer[i], i);
    }
    for (int i = 0; i < PEERS; i++) {
        char from[ID], text[16];
        assert_int_equal(receive_id(router, from), 5);
        receive(router, text, sizeof text);
        memcpy(id[atoi(text)], from, ID);
    }
    for (int i = 0; i < PEERS; i++) {
        send_id(router, id[i], 5);
        send_number(router, i);
    }
    for (int i = 0; i < PEERS; i++) expect_number(dealer[i], i);
}

static void RTR_11_a_name_survives_reconnecting(void **state) {
    char ep[ENDPOINT], before[ID], after[ID], text[16];
    void *router = open_mandatory();
    void *named = open_named(ZMQ_DEALER, "name"), *unnamed = open_socket(ZMQ_DEALER);
    void *events[] = {monitor(named), monitor(unnamed)};
    bind_lasting(router, *state, ep);
    connect_to(named, ep);
    connect_to(unnamed, ep);
    SEND(named, "n");
    EXPECT(router, "name", "n");
    SEND(unnamed, "u");
    assert_int_equal(receive_id(router, before), 5);
    EXPECT(router, "u");
    OK(zmq_unbind(router, ep));
    let_notice(router);
    for (int i = 0; i < 2; i++) wait_event(events[i], ZMQ_EVENT_DISCONNECTED);
    wait_gone(router, "name");
    bind_again(router, ep);
    SEND(named, "n");
    EXPECT(router, "name", "n");
    SEND(unnamed, "u");
    assert_int_equal(receive_id(router, after), 5);
    receive(router, text, sizeof text);
    assert_memory_not_equal(before, after, 5);
    FAILS(zmq_send(router, before, 5, ZMQ_SNDMORE), EHOSTUNREACH);
    SEND(router, "name", "x");
    EXPECT(named, "x");
    send_id(router, after, 5);
    SEND(router, "y");
    EXPECT(unnamed, "y");
}

/* ---- ROUTER: receiving and sending ---------------------------------------------------------- */

static void RTR_12_messages_start_with_the_identity(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer[3];
    const char *const names[] = {"d0", "d1", "d2"};
    bind_on(router, *state, ep);
    for (int i = 0; i < 3; i++) {
        dealer[i] = open_named(ZMQ_DEALER, names[i]);
        connect_to(dealer[i], ep);
        SEND(dealer[i], "a", "b");
        SEND(dealer[i], "", "c");
    }
    int seen[3] = {0};
    for (int n = 0; n < 6; n++) {
        char id[ID];
        assert_int_equal(receive_id(router, id), 2);
        const int from = id[1] - '0';
        assert_in_range(from, 0, 2);
        if (seen[from]++ == 0)
            EXPECT(router, "a", "b");
        else
            EXPECT(router, "", "c");
    }
    expect_empty_now(router);
}

static void RTR_12_metadata_is_on_the_identity_too(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_named(ZMQ_DEALER, "name");
    connect_to(dealer, bind_on(router, *state, ep));
    SEND(dealer, "x");
    for (int i = 0; i < 2; i++) {
        zmq_msg_t m;
        OK(zmq_msg_init(&m));
        OK(zmq_msg_recv(&m, router, 0));
        const char *type = zmq_msg_gets(&m, "Socket-Type"), *id = zmq_msg_gets(&m, "Identity");
        assert_non_null(type);
        assert_string_equal(type, "DEALER");
        assert_non_null(id);
        assert_string_equal(id, "name");
        OK(zmq_msg_close(&m));
    }
}

static void RTR_13_an_empty_message_is_an_identity_and_an_empty_frame(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer = open_named(ZMQ_DEALER, "name");
    connect_to(dealer, bind_on(router, *state, ep));
    SEND(dealer, "");
    SEND(dealer, "x");
    EXPECT(router, "name", "");
    EXPECT(router, "name", "x");
    SEND(router, "name", "");
    EXPECT(dealer, "");
}

static void RTR_14_the_identity_selects_the_peer(void **state) {
    char ep[ENDPOINT];
    void *router = open_socket(ZMQ_ROUTER), *dealer[2];
    bind_on(router, *state, ep);
    for (int i = 0; i < 2; i++) {
        dealer[i] = open_named(ZMQ_DEALER, i ? "d1" : "d0");
        connect_to(dealer[i], ep);
        SEND(dealer[i], "here");
        EXPECT(router, i ? "d1" : "d0", "here");
    }
    SEND(router, "d1", "a", "b");
    SEND_NOW(router, "unknown", "dropped", "dropped");
    SEND(router, "d0", "c");
    SEND_NOW(router, "", "dropped");
    SEND(router, "d1", "d");
    EXPECT(dealer[1], "a", "b");
    EXPECT(dealer[1], "d");
    EXPECT(dealer[0], "c");
    close_socket(dealer[0]);
    let_notice(router);
    SEND_NOW(router, "d0", "dropped", "too");
    SEND(router, "d1", "e");
    EXPECT(dealer[1], "e");
}

/* A ROUTER with a DEALER named "full" that has room for two messages. */
static void *open_small(const char *transport, void **dealer) {
    char ep[ENDPOINT];
    void *router = open_with(ZMQ_ROUTER, ZMQ_SNDHWM, 1);
    *dealer = open_named(ZMQ_DEALER, "full");
    set_int(*dealer, ZMQ_RCVHWM, 1);
    connect_to(*dealer, bind_on(router, transport, ep));
    SEND(*dealer, "here");
    EXPECT(router, "full", "here");
    return router;
}

static void RTR_14_what_does_not_fit_is_dropped(void **state) {
    void *dealer, *router = open_small(*state, &dealer);
    const char *const texts[] = {"0", "1", "2", "3", "4"};
    for (int n = 0; n < 5; n++) SEND_NOW(router, "full", texts[n], "x");
    EXPECT(dealer, "0", "x");
    EXPECT(dealer, "1", "x");
    expect_empty_now(dealer);
    let_notice(router);
    SEND_NOW(router, "full", "fits");
    EXPECT(dealer, "fits");
}

/* It answers some requests quickly, and then comes back to its socket for none of the others. */
static void RTR_14_answers_leave_although_more_requests_wait(void **state) {
    void *router, *dealer;
    open_pair(ZMQ_ROUTER, ZMQ_DEALER, *state, &router, &dealer);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 40; i++) send_number(dealer, i);
        poll(NULL, 0, 2); /* many of them are there at once */
        for (int i = 0; i < 20; i++) {
            char id[ID];
            const int size = receive_id(router, id);
            expect_number(router, i);
            send_id(router, id, size);
            send_number(router, i);
        }
        for (int i = 0; i < 20; i++) expect_number(dealer, i);
        expect_empty_now(dealer);
        for (int i = 20; i < 40; i++) {
            char id[ID];
            (void)receive_id(router, id);
            expect_number(router, i);
        }
    }
}

static void RTR_15_mandatory_reports_an_unknown_peer(void **state) {
    char ep[ENDPOINT];
    void *router = open_mandatory(), *dealer = open_named(ZMQ_DEALER, "real");
    connect_to(dealer, bind_on(router, *state, ep));
    SEND(dealer, "here");
    EXPECT(router, "real", "here");
    FAILS(zmq_send(router, "unknown", 7, ZMQ_SNDMORE), EHOSTUNREACH);
    FAILS(zmq_send(router, "", 0, ZMQ_SNDMORE | ZMQ_DONTWAIT), EHOSTUNREACH);
    SEND(router, "real", "x"); /* the next frame is an identity again */
    EXPECT(dealer, "x");
    close_socket(dealer);
    wait_gone(router, "real");
}

static void RTR_15_mandatory_would_block_for_a_full_peer(void **state) {
    void *dealer, *router = open_small(*state, &dealer);
    set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    SEND_NOW(router, "full", "0", "x");
    SEND_NOW(router, "full", "1");
    FAILS(zmq_send(router, "full", 4, ZMQ_SNDMORE | ZMQ_DONTWAIT), EAGAIN);
    set_int(router, ZMQ_SNDTIMEO, 30);
    const int64_t start = now_ms();
    FAILS(zmq_send(router, "full", 4, ZMQ_SNDMORE), EAGAIN);
    assert_in_range(now_ms() - start, 29, DEADLINE_MS);
    FAILS(zmq_send(router, "other", 5, ZMQ_SNDMORE), EHOSTUNREACH);
    EXPECT(dealer, "0", "x");
    EXPECT(dealer, "1");
    set_int(router, ZMQ_SNDTIMEO, DEADLINE_MS);
    SEND(router, "full", "2");
    EXPECT(dealer, "2");
}

static void RTR_16_an_identity_alone_is_dropped(void **state) {
    void *dealer, *router = open_small(*state, &dealer);
    for (int mandatory = 0; mandatory < 2; mandatory++) {
        set_int(router, ZMQ_ROUTER_MANDATORY, mandatory);
        for (int n = 0; n < 3; n++) {
            SEND(router, "unknown");
            SEND(router, "full");
            SEND(router, "");
        }
        SEND(router, "full", "x");
        EXPECT(dealer, "x");
    }
    expect_empty_now(dealer);
}

static void RTR_17_a_started_message_never_fails(void **state) {
    char ep[ENDPOINT];
    void *router = open_mandatory(), *other = open_named(ZMQ_DEALER, "other");
    bind_on(router, *state, ep);
    connect_to(other, ep);
    SEND(other, "here");
    EXPECT(router, "other", "here");
    for (int parts = 0; parts < 2; parts++) {
        void *dealer = open_named(ZMQ_DEALER, "name");
        connect_to(dealer, ep);
        SEND(dealer, "here");
        EXPECT(router, "name", "here");
        consume_fd(router);
        send_text(router, "name", ZMQ_SNDMORE | ZMQ_DONTWAIT);
        for (int n = 0; n < parts; n++) send_text(router, "before", ZMQ_SNDMORE | ZMQ_DONTWAIT);
        close_socket(dealer);
        wait_fd(router);
        let_notice(router);
        send_text(router, "a", ZMQ_SNDMORE | ZMQ_DONTWAIT);
        send_text(router, "b", ZMQ_SNDMORE | ZMQ_DONTWAIT);
        send_text(router, "c", ZMQ_DONTWAIT);
        wait_gone(router, "name");
        SEND(router, "other", "x");
        EXPECT(other, "x");
    }
}

static void RTR_17_the_mark_does_not_stop_a_started_message(void **state) {
    void *dealer, *router = open_small(*state, &dealer);
    set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    SEND_NOW(router, "full", "0");
    SEND_NOW(router, "full", "1", "2", "3", "4", "5", "6");
    EXPECT(dealer, "0");
    EXPECT(dealer, "1", "2", "3", "4", "5", "6");
}

static void RTR_18_pollout(void **state) {
    assert_int_equal(events_now(open_socket(ZMQ_ROUTER)), ZMQ_POLLOUT);
    assert_int_equal(events_now(open_mandatory()), 0);
    char ep[ENDPOINT];
    void *router = open_mandatory();
    void *dealer = open_connected(ZMQ_DEALER, bind_on(router, *state, ep));
    wait_events(router, ZMQ_POLLOUT);
    close_socket(dealer);
    wait_no_events(router, ZMQ_POLLOUT);
    set_int(router, ZMQ_ROUTER_MANDATORY, 0);
    assert_int_equal(events_now(router), ZMQ_POLLOUT);
}

static void RTR_18_pollout_needs_a_peer_with_room(void **state) {
    void *dealer, *router = open_small(*state, &dealer);
    for (int n = 0; n < 2; n++) SEND_NOW(router, "full", "x");
    assert_int_equal(events_now(router), ZMQ_POLLOUT);
    set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    assert_int_equal(events_now(router), 0);
    EXPECT(dealer, "x");
    wait_events(router, ZMQ_POLLOUT);
}

static void RTR_20_routers_talk_by_name(void **state) {
    char ep[ENDPOINT];
    void *a = open_named(ZMQ_ROUTER, "A"), *b = open_named(ZMQ_ROUTER, "B");
    set_int(a, ZMQ_ROUTER_MANDATORY, 1);
    set_int(b, ZMQ_ROUTER_MANDATORY, 1);
    connect_to(b, bind_on(a, *state, ep));
    send_when_there(a, "B", "hello B");
    EXPECT(b, "A", "hello B");
    SEND(b, "A", "hello", "A");
    EXPECT(a, "B", "hello", "A");
    void *c = open_socket(ZMQ_ROUTER);
    set_text(c, ZMQ_CONNECT_ROUTING_ID, "the first");
    connect_to(c, ep);
    SEND(c, "the first", "by connect id");
    receive_counter(a);
    EXPECT(a, "by connect id");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_ALL(DEA_1_messages_pass_unchanged_in_turn),
        ON_ALL(DEA_1_mute_dealer_would_block),
        ON_ALL(DEA_2_dealer_talks_to_rep_with_an_empty_frame),
        ON_ALL(DEA_3_router_prepends_the_identity),
        ON_ALL(DEA_4_a_probe_comes_first_on_every_pipe),
        ON_ALL(DEA_4_the_probe_waits_for_the_connection),
        ON_NET(DEA_4_the_probe_is_not_repeated_on_reconnect),
        ON_NET(DEA_5_connecting_twice_is_one_connection_for_some_types),
        ON_ALL(RTR_1_generated_identities_have_five_bytes),
        ON_ALL(RTR_1_a_connect_id_comes_before_the_announced_name),
        ON_ALL(RTR_2_generated_identities_count_up),
        ON_NET(RTR_3_a_peer_is_addressable_after_the_handshake),
        ON_ALL(RTR_4_a_connect_id_is_addressable_at_once),
        ON_ALL(RTR_4_a_connect_id_serves_one_connect),
        ON_ALL(RTR_5_a_connect_id_in_use_is_refused),
        ON_ALL(RTR_6_a_name_set_after_connect_has_no_effect),
        ON_ALL(RTR_7_a_second_peer_of_a_name_is_ignored),
        ON_NET(RTR_7_an_ignored_peer_that_leaves_is_let_go),
        ON_NET(RTR_8_a_peer_without_its_name_that_leaves_is_let_go),
        ON_ALL(RTR_8_handover_gives_the_name_to_the_newcomer),
        ON_ALL(RTR_9_handover_waits_for_the_end_of_a_message),
        ON_ALL(RTR_10_generated_identities_never_collide),
        ON_NET(RTR_11_a_name_survives_reconnecting),
        ON_ALL(RTR_12_messages_start_with_the_identity),
        ON_NET(RTR_12_metadata_is_on_the_identity_too),
        ON_ALL(RTR_13_an_empty_message_is_an_identity_and_an_empty_frame),
        ON_ALL(RTR_14_the_identity_selects_the_peer),
        ON_INPROC(RTR_14_what_does_not_fit_is_dropped),
        ON_ALL(RTR_14_answers_leave_although_more_requests_wait),
        ON_ALL(RTR_15_mandatory_reports_an_unknown_peer),
        ON_INPROC(RTR_15_mandatory_would_block_for_a_full_peer),
        ON_INPROC(RTR_16_an_identity_alone_is_dropped),
        ON_ALL(RTR_17_a_started_message_never_fails),
        ON_INPROC(RTR_17_the_mark_does_not_stop_a_started_message),
        ON_ALL(RTR_18_pollout),
        ON_INPROC(RTR_18_pollout_needs_a_peer_with_room),
        ON_ALL(RTR_20_routers_talk_by_name),
    };
    return RUN(tests);
}
