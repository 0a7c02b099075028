/* SERVER, CLIENT, PEER, RADIO, DISH, SCATTER, GATHER, CHANNEL: sections 10 to 13 of patterns.md. */
#include "draft_support.h"

/* ---- What they have in common ---- */

static const int all_types[] = {ZMQ_SERVER,  ZMQ_CLIENT, ZMQ_RADIO, ZMQ_DISH,
                                ZMQ_SCATTER, ZMQ_GATHER, ZMQ_PEER,  ZMQ_CHANNEL};

static void CS_1_SNDMORE_is_refused(void **state) {
    (void)state;
    NEED_DRAFT();
    static const int senders[] = {ZMQ_SERVER,  ZMQ_CLIENT, ZMQ_RADIO,
                                  ZMQ_SCATTER, ZMQ_PEER,   ZMQ_CHANNEL};
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        void *s = open_socket(senders[i]);
        FAILS(zmq_send(s, "x", 1, ZMQ_SNDMORE), EINVAL);
        FAILS(send_to_peer(s, "x", 7, "group", ZMQ_SNDMORE | ZMQ_DONTWAIT), EINVAL);
    }
}

static void CS_1_messages_of_several_frames_are_dropped(void **state) {
    (void)state;
    NEED_DRAFT();
    static const int receivers[] = {ZMQ_SERVER, ZMQ_CLIENT, ZMQ_GATHER, ZMQ_PEER, ZMQ_CHANNEL};
    for (size_t i = 0; i < sizeof receivers / sizeof receivers[0]; i++) {
        char ep[ENDPOINT];
        void *in = open_socket(receivers[i]);
        void *out = open_connected(ZMQ_PAIR, bind_on(in, "inproc", ep)); /* no type check there */
        SEND(out, "a", "b");
        expect_no_events(in, ZMQ_POLLIN);
        SEND(out, "c", "d", "e");
        SEND(out, "whole");
        SEND(out, "f", "g");
        SEND(out, "too");
        EXPECT(in, "whole");
        EXPECT(in, "too");
        expect_empty_now(in);
    }
}

static void CS_6_options_of_thread_safe_types(void **state) {
    (void)state;
    NEED_DRAFT();
    for (size_t i = 0; i < sizeof all_types / sizeof all_types[0]; i++) {
        void *s = open_socket(all_types[i]);
        int fd;
        size_t size = sizeof fd;
        FAILS(zmq_getsockopt(s, ZMQ_FD, &fd, &size), EINVAL);
        assert_int_equal(get_int(s, ZMQ_THREAD_SAFE), 1);
        assert_int_equal(get_int(s, ZMQ_TYPE), all_types[i]);
        assert_int_equal(get_int(s, ZMQ_RCVMORE), 0);
    }
    assert_int_equal(get_int(open_socket(ZMQ_PAIR), ZMQ_THREAD_SAFE), 0);
}

static void EVENTS_without_peers(void **state) {
    (void)state;
    NEED_DRAFT();
    assert_int_equal(events_now(open_socket(ZMQ_SERVER)), ZMQ_POLLOUT); /* CS-7 */
    assert_int_equal(events_now(open_socket(ZMQ_PEER)), ZMQ_POLLOUT);
    assert_int_equal(events_now(open_socket(ZMQ_CLIENT)), 0);
    assert_int_equal(events_now(open_socket(ZMQ_SCATTER)), 0);
    assert_int_equal(events_now(open_socket(ZMQ_GATHER)), 0);
    assert_int_equal(events_now(open_socket(ZMQ_CHANNEL)), 0);
    assert_int_equal(events_now(open_socket(ZMQ_RADIO)), ZMQ_POLLOUT);
    assert_int_equal(events_now(open_socket(ZMQ_DISH)), ZMQ_POLLOUT); /* RD-6 */
}

static void CMP_1_other_types_are_refused_on_the_wire(void **state) {
    (void)state;
    NEED_DRAFT();
    for (size_t i = 0; i < sizeof all_types / sizeof all_types[0]; i++) {
        char ep[ENDPOINT];
        void *s = open_socket(all_types[i]), *events = monitor(s);
        bind_on(s, "tcp", ep);
        open_connected(ZMQ_DEALER, ep);
        wait_event(events, ZMQ_EVENT_ACCEPTED);
        wait_event(events, ZMQ_EVENT_DISCONNECTED);
    }
}

/* ---- CLIENT and SERVER ---- */

static void CS_3_4_the_routing_id_names_the_peer(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *server = open_socket(ZMQ_SERVER);
    bind_on(server, *state, ep);
    void *one = open_connected(ZMQ_CLIENT, ep), *two = open_connected(ZMQ_CLIENT, ep);
    SEND(one, "from one");
    const uint32_t id_one = expect_from_peer(server, "from one", NULL);
    SEND(two, "from two");
    const uint32_t id_two = expect_from_peer(server, "from two", NULL);
    assert_true(id_one != 0 && id_two != 0 && id_one != id_two);
    assert_int_equal(send_to_peer(server, "to two", id_two, NULL, 0), 6);
    assert_int_equal(send_to_peer(server, "to one", id_one, NULL, 0), 6);
    /* CS-4 */
    assert_int_equal(expect_from_peer(one, "to one", NULL), 0);
    assert_int_equal(expect_from_peer(two, "to two", NULL), 0);
    SEND(one, "again");
    assert_int_equal(expect_from_peer(server, "again", NULL), id_one);
    /* What it received can be sent back as it is. */
    SEND(two, "echo");
    zmq_msg_t m;
    OK(zmq_msg_init(&m));
    OK(zmq_msg_recv(&m, server, 0));
    OK(zmq_msg_send(&m, server, 0));
    EXPECT(two, "echo");
}

static void CS_3_an_unknown_peer_is_unreachable(void **state) {
    NEED_DRAFT();
    void *server, *client;
    open_pair(ZMQ_SERVER, ZMQ_CLIENT, *state, &server, &client);
    SEND(client, "hello");
    const uint32_t id = expect_from_peer(server, "hello", NULL);
    FAILS(zmq_send(server, "x", 1, 0), EHOSTUNREACH); /* 0 */
    FAILS(send_to_peer(server, "x", id + 1, NULL, 0), EHOSTUNREACH);
    assert_int_equal(send_to_peer(server, "x", id, NULL, 0), 1);
    EXPECT(client, "x");
}

static void CS_3_a_full_peer_blocks_and_loses_nothing(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *server = open_with(ZMQ_SERVER, ZMQ_SNDHWM, 2);
    bind_on(server, "inproc", ep);
    void *client = open_with(ZMQ_CLIENT, ZMQ_RCVHWM, 2);
    connect_to(client, ep);
    SEND(client, "hello");
    const uint32_t id = expect_from_peer(server, "hello", NULL);
    for (int i = 0; i < 4; i++) assert_int_equal(send_to_peer(server, "x", id, NULL, 0), 1);
    FAILS(send_to_peer(server, "x", id, NULL, ZMQ_DONTWAIT), EAGAIN);
    set_int(server, ZMQ_SNDTIMEO, 30);
    FAILS(send_to_peer(server, "x", id, NULL, 0), EAGAIN);
    assert_int_equal(events_now(server), ZMQ_POLLOUT); /* CS-7 */
    for (int i = 0; i < 4; i++) EXPECT(client, "x");
    assert_int_equal(send_to_peer(server, "y", id, NULL, 0), 1);
    EXPECT(client, "y");
}

static void CS_5_a_peer_that_has_gone_is_unreachable(void **state) {
    NEED_DRAFT();
    void *server, *client;
    open_pair(ZMQ_SERVER, ZMQ_CLIENT, *state, &server, &client);
    SEND(client, "1");
    SEND(client, "2");
    const uint32_t id = expect_from_peer(server, "1", NULL);
    wait_events(server, ZMQ_POLLIN);
    close_socket(client);
    const int64_t end = now_ms() + DEADLINE_MS;
    while (send_to_peer(server, "x", id, NULL, ZMQ_DONTWAIT) != -1) {
        assert_true(now_ms() < end);
        poll(NULL, 0, 2);
    }
    assert_int_equal(zmq_errno(), EHOSTUNREACH);
    assert_int_equal(expect_from_peer(server, "2", NULL), id);
}

static void CS_2_CLIENT_balances_and_queues_fairly(void **state) {
    NEED_DRAFT();
    void *client = open_socket(ZMQ_CLIENT), *servers[3];
    for (int i = 0; i < 3; i++) servers[i] = open_bound_peer(client, ZMQ_SERVER, *state);
    for (int n = 0; n < 6; n++) send_number(client, n);
    for (int i = 0; i < 3; i++)
        for (int n = i; n < 6; n += 3) {
            char text[4];
            snprintf(text, sizeof text, "%d", n);
            const uint32_t id = expect_from_peer(servers[i], text, NULL);
            assert_int_equal(send_to_peer(servers[i], text, id, NULL, 0), 1);
        }
    int sum = 0;
    for (int n = 0; n < 6; n++) {
        char text[8];
        receive(client, text, sizeof text);
        sum += atoi(text);
    }
    assert_int_equal(sum, 15);
}

static void CS_2_CLIENT_blocks_without_a_server(void **state) {
    (void)state;
    NEED_DRAFT();
    void *client = open_with(ZMQ_CLIENT, ZMQ_SNDTIMEO, 30);
    FAILS(zmq_send(client, "x", 1, ZMQ_DONTWAIT), EAGAIN);
    FAILS(zmq_send(client, "x", 1, 0), EAGAIN);
}

/* ---- PEER ---- */

static void PEER_1_connect_peer_gives_the_number(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *bound = open_socket(ZMQ_PEER), *connected = open_socket(ZMQ_PEER);
    bind_on(bound, *state, ep);
    const uint32_t there = DRAFT(zmq_connect_peer)(connected, ep);
    assert_int_not_equal(there, 0);
    assert_int_equal(send_to_peer(connected, "hello", there, NULL, 0), 5);
    const uint32_t here = expect_from_peer(bound, "hello", NULL);
    assert_int_not_equal(here, 0);
    assert_int_equal(send_to_peer(bound, "answer", here, NULL, 0), 6);
    assert_int_equal(expect_from_peer(connected, "answer", NULL), there);
    const uint32_t second = DRAFT(zmq_connect_peer)(connected, ep);
    assert_true(second != 0 && second != there);
    assert_int_equal(send_to_peer(connected, "second", second, NULL, 0), 6);
    assert_int_not_equal(expect_from_peer(bound, "second", NULL), here);
}

static void connect_peer_fails(void *s, const char *ep, int expected) {
    errno = 0;
    assert_int_equal(DRAFT(zmq_connect_peer)(s, ep), 0);
    assert_int_equal(zmq_errno(), expected);
}

static void PEER_2_errors(void **state) {
    (void)state;
    NEED_DRAFT();
    connect_peer_fails(open_socket(ZMQ_SERVER), "inproc://x", ENOTSUP);
    connect_peer_fails(open_socket(ZMQ_PAIR), "inproc://x", ENOTSUP);
    connect_peer_fails(open_with(ZMQ_PEER, ZMQ_IMMEDIATE, 1), "inproc://x", EFAULT);
    connect_peer_fails(open_socket(ZMQ_PEER), "nonsense", EINVAL);
    connect_peer_fails(open_socket(ZMQ_PEER), "foo://bar", EPROTONOSUPPORT);
    connect_peer_fails(NULL, "inproc://x", ENOTSOCK);
}

static void PEER_3_disconnect_peer(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *bound = open_socket(ZMQ_PEER), *connected = open_socket(ZMQ_PEER);
    bind_on(bound, *state, ep);
    const uint32_t one = DRAFT(zmq_connect_peer)(connected, ep);
    const uint32_t two = DRAFT(zmq_connect_peer)(connected, ep);
    assert_int_equal(send_to_peer(connected, "one", one, NULL, 0), 3);
    const uint32_t here = expect_from_peer(bound, "one", NULL);
    OK(DRAFT(zmq_disconnect_peer)(connected, one));
    FAILS(send_to_peer(connected, "x", one, NULL, 0), EHOSTUNREACH);
    FAILS(DRAFT(zmq_disconnect_peer)(connected, one + 100), EHOSTUNREACH);
    assert_int_equal(send_to_peer(connected, "two", two, NULL, 0), 3);
    const uint32_t other = expect_from_peer(bound, "two", NULL);
    /* The bound side hears of it, and can do the same. */
    const int64_t end = now_ms() + DEADLINE_MS;
    while (send_to_peer(bound, "x", here, NULL, ZMQ_DONTWAIT) != -1) {
        assert_true(now_ms() < end);
        poll(NULL, 0, 2);
    }
    assert_int_equal(zmq_errno(), EHOSTUNREACH);
    OK(DRAFT(zmq_disconnect_peer)(bound, other));
    FAILS(send_to_peer(bound, "x", other, NULL, 0), EHOSTUNREACH);
    FAILS(DRAFT(zmq_disconnect_peer)(open_socket(ZMQ_PAIR), 1), ENOTSUP);
    FAILS(DRAFT(zmq_disconnect_peer)(open_socket(ZMQ_CLIENT), 1), ENOTSUP);
}

static void PEER_3_what_was_sent_before_a_disconnect_lingers(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *bound = open_socket(ZMQ_PEER), *connected = open_with(ZMQ_PEER, ZMQ_LINGER, -1);
    bind_on(bound, *state, ep);
    const uint32_t id = DRAFT(zmq_connect_peer)(connected, ep);
    for (int n = 0; n < 100; n++) {
        char text[8];
        snprintf(text, sizeof text, "%d", n);
        assert_true(send_to_peer(connected, text, id, NULL, 0) > 0);
    }
    OK(DRAFT(zmq_disconnect_peer)(connected, id));
    expect_numbers(bound, 0, 1, 100);
}

/* ---- RADIO and DISH ---- */

/* Once a message of a new group of its own gets through, everything joined before is in force. */
static void settle(void *radio, void *dish) {
    static int number;
    char group[32], buffer[64];
    const int64_t end = now_ms() + DEADLINE_MS;
    snprintf(group, sizeof group, "settle-%d", ++number);
    OK(DRAFT(zmq_join)(dish, group));
    do {
        assert_true(now_ms() < end);
        assert_true(send_to_peer(radio, "?", 0, group, 0) == 1);
    } while (receive_within(dish, buffer, sizeof buffer, 5) == -1);
    assert_int_equal(send_to_peer(radio, "last", 0, group, 0), 4);
    do receive(dish, buffer, sizeof buffer);
    while (strcmp(buffer, "last") != 0);
    OK(DRAFT(zmq_leave)(dish, group));
}

static void RD_1_groups_match_exactly(void **state) {
    NEED_DRAFT();
    char group[256], longest[256];
    void *radio, *dish;
    memset(longest, 'g', 255);
    longest[255] = 0;
    open_pair(ZMQ_RADIO, ZMQ_DISH, *state, &radio, &dish);
    OK(DRAFT(zmq_join)(dish, "movies"));
    OK(DRAFT(zmq_join)(dish, longest));
    settle(radio, dish);
    assert_int_equal(send_to_peer(radio, "1", 0, "movie", 0), 1);
    assert_int_equal(send_to_peer(radio, "2", 0, "movies", 0), 1);
    assert_int_equal(send_to_peer(radio, "3", 0, "movies2", 0), 1);
    SEND(radio, "4"); /* the empty group, not joined */
    assert_int_equal(send_to_peer(radio, "5", 0, longest, 0), 1);
    assert_int_equal(send_to_peer(radio, "6", 0, "movies", 0), 1);
    expect_from_peer(dish, "2", group);
    assert_string_equal(group, "movies");
    expect_from_peer(dish, "5", group);
    assert_string_equal(group, longest);
    expect_from_peer(dish, "6", group);
    expect_silence(dish);
}

static void RD_1_the_empty_group(void **state) {
    NEED_DRAFT();
    char group[256] = "x";
    void *radio, *dish;
    open_pair(ZMQ_RADIO, ZMQ_DISH, *state, &radio, &dish);
    OK(DRAFT(zmq_join)(dish, ""));
    settle(radio, dish);
    SEND(radio, "");
    SEND(radio, "text");
    expect_from_peer(dish, "", group);
    expect_from_peer(dish, "text", group);
    assert_string_equal(group, "");
}

static void RD_1_each_DISH_gets_what_it_joined(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *radio = open_socket(ZMQ_RADIO);
    bind_on(radio, *state, ep);
    void *a = open_connected(ZMQ_DISH, ep), *b = open_connected(ZMQ_DISH, ep);
    OK(DRAFT(zmq_join)(a, "A"));
    OK(DRAFT(zmq_join)(a, "both"));
    OK(DRAFT(zmq_join)(b, "B"));
    OK(DRAFT(zmq_join)(b, "both"));
    settle(radio, a);
    settle(radio, b);
    send_to_peer(radio, "to a", 0, "A", 0);
    send_to_peer(radio, "to both", 0, "both", 0);
    send_to_peer(radio, "to b", 0, "B", 0);
    EXPECT(a, "to a");
    EXPECT(a, "to both");
    EXPECT(b, "to both");
    EXPECT(b, "to b");
    expect_silence(a);
    expect_silence(b);
}

static void RD_2_join_and_leave(void **state) {
    NEED_DRAFT();
    void *radio, *dish;
    open_pair(ZMQ_RADIO, ZMQ_DISH, *state, &radio, &dish);
    OK(DRAFT(zmq_join)(dish, "g"));
    FAILS(DRAFT(zmq_join)(dish, "g"), EINVAL);
    FAILS(DRAFT(zmq_leave)(dish, "other"), EINVAL);
    settle(radio, dish);
    send_to_peer(radio, "1", 0, "g", 0);
    EXPECT(dish, "1");
    OK(DRAFT(zmq_leave)(dish, "g"));
    FAILS(DRAFT(zmq_leave)(dish, "g"), EINVAL);
    settle(radio, dish);
    send_to_peer(radio, "2", 0, "g", 0);
    expect_silence(dish);
    OK(DRAFT(zmq_join)(dish, "g"));
    settle(radio, dish);
    send_to_peer(radio, "3", 0, "g", 0);
    EXPECT(dish, "3");
    FAILS(DRAFT(zmq_join)(radio, "g"), ENOTSUP);
    FAILS(DRAFT(zmq_leave)(radio, "g"), ENOTSUP);
}

static void RD_3_a_full_DISH_misses_messages_or_blocks_with_NODROP(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *radio = open_with(ZMQ_RADIO, ZMQ_SNDHWM, 2), *dish = open_with(ZMQ_DISH, ZMQ_RCVHWM, 2);
    connect_to(dish, bind_on(radio, "inproc", ep));
    OK(DRAFT(zmq_join)(dish, ""));
    settle(radio, dish);
    for (int n = 0; n < 10; n++) send_number(radio, n);
    assert_int_equal(drain(dish), 4);
    set_int(radio, ZMQ_XPUB_NODROP, 1);
    assert_int_equal(fill(radio, 100), 4);
    assert_int_equal(drain(dish), 4);
    assert_int_equal(fill(radio, 100), 4);
    set_int(radio, ZMQ_XPUB_NODROP, 0);
    assert_int_equal(fill(radio, 100), 100);
}

static void RD_4_groups_are_joined_again_after_a_reconnect(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *radio = open_socket(ZMQ_RADIO), *dish = open_socket(ZMQ_DISH);
    bind_lasting(radio, *state, ep);
    connect_to(dish, ep);
    OK(DRAFT(zmq_join)(dish, "kept"));
    OK(DRAFT(zmq_join)(dish, "left"));
    settle(radio, dish);
    close_socket(radio);
    OK(DRAFT(zmq_leave)(dish, "left"));
    radio = open_socket(ZMQ_RADIO);
    bind_again(radio, ep);
    settle(radio, dish);
    send_to_peer(radio, "1", 0, "left", 0);
    send_to_peer(radio, "2", 0, "kept", 0);
    EXPECT(dish, "2");
    expect_silence(dish);
}

static void RD_4_a_bound_DISH_tells_every_RADIO(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *dish = open_socket(ZMQ_DISH);
    OK(DRAFT(zmq_join)(dish, "g"));
    bind_on(dish, *state, ep);
    for (int i = 0; i < 3; i++) {
        void *radio = open_connected(ZMQ_RADIO, ep);
        settle(radio, dish);
        send_to_peer(radio, "text", 0, "g", 0);
        EXPECT(dish, "text");
    }
}

static void RD_1_large_bodies(void **state) {
    NEED_DRAFT();
    void *radio, *dish;
    enum { SIZE = 300000 };
    static char body[SIZE];
    open_pair(ZMQ_RADIO, ZMQ_DISH, *state, &radio, &dish);
    OK(DRAFT(zmq_join)(dish, "g"));
    settle(radio, dish);
    for (int i = 0; i < 20; i++) {
        zmq_msg_t m;
        OK(zmq_msg_init_size(&m, SIZE));
        memset(zmq_msg_data(&m), i, SIZE);
        OK(DRAFT(zmq_msg_set_group)(&m, "g"));
        OK(zmq_msg_send(&m, radio, 0));
    }
    for (int i = 0; i < 20; i++) {
        assert_int_equal(zmq_recv(dish, body, SIZE, 0), SIZE);
        assert_int_equal(body[0], i);
        assert_int_equal(body[SIZE - 1], i);
    }
}

static void RD_5_udp_has_its_directions(void **state) {
    (void)state;
    NEED_DRAFT();
    FAILS(zmq_bind(open_socket(ZMQ_RADIO), "udp://127.0.0.1:5555"), ENOCOMPATPROTO);
    FAILS(zmq_connect(open_socket(ZMQ_DISH), "udp://127.0.0.1:5555"), ENOCOMPATPROTO);
    FAILS(zmq_bind(open_socket(ZMQ_PULL), "udp://127.0.0.1:5555"), ENOCOMPATPROTO);
    FAILS(zmq_connect(open_socket(ZMQ_CLIENT), "udp://127.0.0.1:5555"), ENOCOMPATPROTO);
}

/* ---- SCATTER, GATHER, CHANNEL ---- */

static void SG_1_SCATTER_balances(void **state) {
    NEED_DRAFT();
    void *scatter = open_socket(ZMQ_SCATTER), *gathers[3];
    for (int i = 0; i < 3; i++) gathers[i] = open_bound_peer(scatter, ZMQ_GATHER, *state);
    for (int n = 0; n < 9; n++) send_number(scatter, n);
    for (int i = 0; i < 3; i++) expect_numbers(gathers[i], i, 3, 3);
}

static void SG_1_GATHER_queues_fairly(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *gather = open_socket(ZMQ_GATHER), *scatters[3];
    bind_on(gather, "inproc", ep);
    for (int i = 0; i < 3; i++) {
        scatters[i] = open_connected(ZMQ_SCATTER, ep);
        for (int n = 0; n < 3; n++) send_number(scatters[i], 10 * i + n);
    }
    for (int n = 0; n < 3; n++) expect_numbers(gather, n, 10, 3);
}

static void CH_1_two_ways_and_no_third(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *bound = open_socket(ZMQ_CHANNEL);
    bind_on(bound, *state, ep);
    void *first = open_connected(ZMQ_CHANNEL, ep);
    SEND(first, "here");
    EXPECT(bound, "here");
    void *second = open_connected(ZMQ_CHANNEL, ep);
    SEND(second, "unheard");
    let_notice(bound);
    for (int n = 0; n < 10; n++) send_number(bound, n);
    expect_numbers(first, 0, 1, 10);
    expect_silence(bound);
    expect_silence(second);
    SEND(first, "back");
    EXPECT(bound, "back");
}

static void CH_1_a_new_peer_after_the_first_has_left(void **state) {
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *bound = open_socket(ZMQ_CHANNEL);
    bind_on(bound, *state, ep);
    void *first = open_connected(ZMQ_CHANNEL, ep);
    SEND(first, "1");
    SEND(first, "2");
    EXPECT(bound, "1");
    wait_events(bound, ZMQ_POLLIN);
    close_socket(first);
    EXPECT(bound, "2");
    wait_no_events(bound, ZMQ_POLLOUT);
    let_notice(bound);
    void *next = open_connected(ZMQ_CHANNEL, ep);
    wait_events(bound, ZMQ_POLLOUT);
    SEND(bound, "hello");
    EXPECT(next, "hello");
    SEND(next, "answer");
    EXPECT(bound, "answer");
}

static void CH_1_HWM(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *out = open_with(ZMQ_CHANNEL, ZMQ_SNDHWM, 2), *in = open_with(ZMQ_CHANNEL, ZMQ_RCVHWM, 2);
    connect_to(out, bind_on(in, "inproc", ep));
    let_notice(in);
    assert_int_equal(fill(out, 100), 4);
    wait_no_events(out, ZMQ_POLLOUT);
    assert_int_equal(drain(in), 4);
    wait_events(out, ZMQ_POLLOUT);
    assert_int_equal(fill(out, 100), 4);
}

/* ---- ROUTER's question about one peer ---- */

static int peer_state(void *s, const char *id) {
    return DRAFT(zmq_socket_get_peer_state)(s, id, strlen(id));
}

static void RTR_19_peer_state(void **state) {
    (void)state;
    NEED_DRAFT();
    char ep[ENDPOINT];
    void *router = open_with(ZMQ_ROUTER, ZMQ_SNDHWM, 1);
    set_int(router, ZMQ_ROUTER_MANDATORY, 1);
    bind_on(router, "inproc", ep);
    void *dealer = open_with(ZMQ_DEALER, ZMQ_RCVHWM, 1);
    set_text(dealer, ZMQ_ROUTING_ID, "name");
    connect_to(dealer, ep);
    SEND(dealer, "hello");
    EXPECT(router, "name", "hello");
    assert_int_equal(peer_state(router, "name"), ZMQ_POLLOUT);
    SEND(router, "name", "1");
    SEND(router, "name", "2");
    assert_int_equal(peer_state(router, "name"), 0);
    EXPECT(dealer, "1");
    EXPECT(dealer, "2");
    assert_int_equal(peer_state(router, "name"), ZMQ_POLLOUT);
    FAILS(peer_state(router, "nobody"), EHOSTUNREACH);
    FAILS(peer_state(dealer, "name"), ENOTSUP);
    FAILS(peer_state(open_socket(ZMQ_SERVER), "name"), ENOTSUP);
    FAILS(peer_state(NULL, "name"), ENOTSOCK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ONCE(CS_1_SNDMORE_is_refused),
        ONCE(CS_1_messages_of_several_frames_are_dropped),
        ONCE(CS_6_options_of_thread_safe_types),
        ONCE(EVENTS_without_peers),
        ONCE(CMP_1_other_types_are_refused_on_the_wire),
        ON_ALL(CS_3_4_the_routing_id_names_the_peer),
        ON_ALL(CS_3_an_unknown_peer_is_unreachable),
        ONCE(CS_3_a_full_peer_blocks_and_loses_nothing),
        ON_ALL(CS_5_a_peer_that_has_gone_is_unreachable),
        ON_ALL(CS_2_CLIENT_balances_and_queues_fairly),
        ONCE(CS_2_CLIENT_blocks_without_a_server),
        ON_ALL(PEER_1_connect_peer_gives_the_number),
        ONCE(PEER_2_errors),
        ON_ALL(PEER_3_disconnect_peer),
        ON_ALL(PEER_3_what_was_sent_before_a_disconnect_lingers),
        ON_ALL(RD_1_groups_match_exactly),
        ON_ALL(RD_1_the_empty_group),
        ON_ALL(RD_1_each_DISH_gets_what_it_joined),
        ON_ALL(RD_2_join_and_leave),
        ONCE(RD_3_a_full_DISH_misses_messages_or_blocks_with_NODROP),
        ON_NET(RD_4_groups_are_joined_again_after_a_reconnect),
        ON_ALL(RD_4_a_bound_DISH_tells_every_RADIO),
        ON_ALL(RD_1_large_bodies),
        ONCE(RD_5_udp_has_its_directions),
        ON_ALL(SG_1_SCATTER_balances),
        ONCE(SG_1_GATHER_queues_fairly),
        ON_ALL(CH_1_two_ways_and_no_third),
        ON_ALL(CH_1_a_new_peer_after_the_first_has_left),
        ONCE(CH_1_HWM),
        ONCE(RTR_19_peer_state),
    };
    return RUN(tests);
}
