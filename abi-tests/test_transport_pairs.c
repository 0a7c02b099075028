/* Every pair of socket types over every transport of connections: messages of each kind in both directions, either side
 * bound, a peer that goes and comes back, and what LINGER delivers (spec/wire/transports.md section 1).
 * Arguments are the transports to run; none: all. A row of what library or kernel lack is skipped, with the reason. */
#include "draft_support.h"
#include "certificate_support.h"

#include <linux/tipc.h>
#include <linux/vm_sockets.h>

/* ---- The two tables ------------------------------------------------------------------------- */

/* `first` speaks first: it asks, publishes, or is known to `second` only then. */
struct pair {
    const char *name;
    int first, second;
    bool is_one_way, has_parts;
};

static const struct pair pairs[] = {
    {"PAIR-PAIR", ZMQ_PAIR, ZMQ_PAIR, false, true},
    {"PUB-SUB", ZMQ_PUB, ZMQ_SUB, true, true},
    {"PUB-XSUB", ZMQ_PUB, ZMQ_XSUB, true, true},
    {"XPUB-SUB", ZMQ_XPUB, ZMQ_SUB, true, true},
    {"XPUB-XSUB", ZMQ_XPUB, ZMQ_XSUB, false, true},
    {"REQ-REP", ZMQ_REQ, ZMQ_REP, false, true},
    {"REQ-ROUTER", ZMQ_REQ, ZMQ_ROUTER, false, true},
    {"DEALER-REP", ZMQ_DEALER, ZMQ_REP, false, true},
    {"DEALER-ROUTER", ZMQ_DEALER, ZMQ_ROUTER, false, true},
    {"DEALER-DEALER", ZMQ_DEALER, ZMQ_DEALER, false, true},
    {"ROUTER-ROUTER", ZMQ_ROUTER, ZMQ_ROUTER, false, true},
    {"PUSH-PULL", ZMQ_PUSH, ZMQ_PULL, true, true},
    {"CLIENT-SERVER", ZMQ_CLIENT, ZMQ_SERVER, false, false},
    {"RADIO-DISH", ZMQ_RADIO, ZMQ_DISH, true, false},
    {"SCATTER-GATHER", ZMQ_SCATTER, ZMQ_GATHER, true, false},
    {"PEER-PEER", ZMQ_PEER, ZMQ_PEER, false, false},
    {"CHANNEL-CHANNEL", ZMQ_CHANNEL, ZMQ_CHANNEL, false, false},
};
enum { PAIRS = sizeof pairs / sizeof pairs[0] };

struct transport {
    const char *name;
    const char *capability; /* for zmq_has; NULL: always there */
    int family;             /* that the kernel may lack; 0: it does not */
    bool comes_back;        /* a connection that broke is made again */
};

static const struct transport transports[] = {
    {"inproc", NULL, 0, false}, {"tcp", NULL, 0, true},        {"ipc", "ipc", 0, true},
    {"ws", "WS", 0, true},      {"wss", "WSS", 0, true},       {"tipc", "tipc", AF_TIPC, true},
    {"vsock", "vsock", AF_VSOCK, true},
};
enum { TRANSPORTS = sizeof transports / sizeof transports[0] };

struct row {
    char name[64];
    const struct pair *pair;
    const struct transport *transport;
};

static char key[PEM_MAX], certificate[PEM_MAX];

/* ---- What may be missing -------------------------------------------------------------------- */

static void skip_for(const struct row *r, const char *reason) {
    print_message("skipped: %s: %s\n", r->name, reason);
    skip();
}

/* Connections between two sockets of one machine take a transport of their own in the kernel. */
static bool vsock_loops_back(void) {
    static int known = -1;
    struct sockaddr_vm a = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = VMADDR_PORT_ANY};
    socklen_t size = sizeof a;
    if (known != -1) return known;
    const int server = keep_file(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int client = keep_file(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    known = bind(server, (struct sockaddr *)&a, size) == 0 && listen(server, 1) == 0 &&
            getsockname(server, (struct sockaddr *)&a, &size) == 0;
    a.svm_cid = VMADDR_CID_LOCAL;
    /* A kernel without it waits for two seconds. */
    known = known && (connect(client, (struct sockaddr *)&a, sizeof a) == 0 || errno == EINPROGRESS) &&
            poll(&(struct pollfd){.fd = server, .events = POLLIN}, 1, QUIET_MS) == 1;
    return known;
}

static void need(const struct row *r) {
    const struct transport *t = r->transport;
    if (r->pair->first >= FIRST_DRAFT_TYPE) NEED_DRAFT();
    if (t->capability && !zmq_has(t->capability)) skip_for(r, "the library is built without it");
    if (t->family) {
        const int f = socket(t->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (f < 0) skip_for(r, "the kernel has no such family");
        close(f);
    }
    if (t->family == AF_VSOCK && !vsock_loops_back()) skip_for(r, "the kernel has no vsock_loopback");
    if (strcmp(t->name, "wss") == 0 && !*key && !make_certificate(key, certificate))
        fail_msg("openssl(1) makes no certificate");
}

/* ---- Two ends ------------------------------------------------------------------------------- */

struct end {
    int type, peer_type;
    const char *name, *peer_name; /* routing ids */
    bool is_bound;
    void *s;
    uint32_t peer_id; /* SERVER and PEER */
};

struct meeting {
    const struct row *row;
    struct end first, second;
    char bound_to[ENDPOINT], connected_to[ENDPOINT];
};

static void choose_address(struct meeting *m) {
    static int number;
    const char *name = m->row->transport->name;
    number++;
    if (strcmp(name, "ipc") == 0)
        own_ipc_endpoint(m->bound_to);
    else if (strcmp(name, "inproc") == 0)
        snprintf(m->bound_to, ENDPOINT, "inproc://%d", number);
    else if (strcmp(name, "tipc") == 0)
        snprintf(m->bound_to, ENDPOINT, "tipc://{5560,%d,%d}", number, number);
    else
        snprintf(m->bound_to, ENDPOINT, "%s://%s:*", name, strcmp(name, "vsock") == 0 ? "*" : "127.0.0.1");
    strcpy(m->connected_to, m->bound_to);
    if (strcmp(name, "tipc") == 0) snprintf(m->connected_to, ENDPOINT, "tipc://{5560,%d}@0.0.0", number);
}

/* Binds; from the second time on to the address that the first one got. */
static void bind_end(struct meeting *m, struct end *e) {
    bind_again(e->s, m->bound_to);
    if (!strchr(m->bound_to, '*')) return;
    size_t size = ENDPOINT;
    OK(zmq_getsockopt(e->s, ZMQ_LAST_ENDPOINT, m->bound_to, &size));
    strcpy(m->connected_to, m->bound_to);
    if (strcmp(m->row->transport->name, "vsock") == 0)
        snprintf(m->connected_to, ENDPOINT, "vsock://1%s", strrchr(m->bound_to, ':'));
}

static void open_end(struct meeting *m, struct end *e) {
    e->s = open_with(e->type, ZMQ_RECONNECT_IVL, 5);
    switch (e->type) {
    case ZMQ_ROUTER:
        set_int(e->s, ZMQ_ROUTER_MANDATORY, 1); /* to hear whether the peer is known yet */
        set_int(e->s, ZMQ_ROUTER_HANDOVER, 1);  /* to who comes back */
        /* fall through */
    case ZMQ_DEALER:
    case ZMQ_REQ:
        /* A REP would take who comes back for a second one of that name. */
        if (e->peer_type == ZMQ_ROUTER) set_text(e->s, ZMQ_ROUTING_ID, e->name);
        break;
    case ZMQ_SUB: subscribe(e->s, ""); break;
    case ZMQ_XSUB: send_request(e->s, 1, ""); break;
    case ZMQ_DISH: OK(DRAFT(zmq_join)(e->s, "group")); break;
    }
    if (strcmp(m->row->transport->name, "wss") == 0) {
        if (e->is_bound) {
            set_text(e->s, ZMQ_WSS_CERT_PEM, certificate);
            set_text(e->s, ZMQ_WSS_KEY_PEM, key);
        } else {
            set_text(e->s, ZMQ_WSS_TRUST_PEM, certificate);
            set_text(e->s, ZMQ_WSS_HOSTNAME, "tern.test");
        }
    }
    if (e->is_bound)
        bind_end(m, e);
    else if (e->type == ZMQ_PEER)
        assert_true((e->peer_id = DRAFT(zmq_connect_peer)(e->s, m->connected_to)) != 0);
    else
        connect_to(e->s, m->connected_to);
}

/* ---- Messages ------------------------------------------------------------------------------- */

enum { LARGE = 1 << 20, PARTS_MAX = 3 };

struct message {
    int parts;
    size_t sizes[PARTS_MAX];
};

static const struct message small = {1, {5}};
static const struct message large = {1, {LARGE}};

static char body[LARGE + PARTS_MAX]; /* of part i: from the i-th byte on */

static void send_frame(struct end *e, const void *data, size_t size, int flags) {
    const int64_t end = now_ms() + DEADLINE_MS;
    zmq_msg_t frame;
    OK(zmq_msg_init_size(&frame, size));
    memcpy(zmq_msg_data(&frame), data, size);
    if (e->type == ZMQ_SERVER || e->type == ZMQ_PEER) OK(DRAFT(zmq_msg_set_routing_id)(&frame, e->peer_id));
    if (e->type == ZMQ_RADIO) OK(DRAFT(zmq_msg_set_group)(&frame, "group"));
    while (zmq_msg_send(&frame, e->s, flags) == -1) {
        if (zmq_errno() != EHOSTUNREACH || now_ms() > end) fail_msg("send: %s", zmq_strerror(zmq_errno()));
        poll(NULL, 0, 2); /* a ROUTER's peer has not said its name yet */
    }
}

static void expect_frame(struct end *e, const void *data, size_t size, bool has_more) {
    zmq_msg_t frame;
    OK(zmq_msg_init(&frame));
    OK(zmq_msg_recv(&frame, e->s, 0));
    if (zmq_msg_size(&frame) != size || memcmp(zmq_msg_data(&frame), data, size) != 0)
        fail_msg("received %zu bytes, expected %zu", zmq_msg_size(&frame), size);
    assert_int_equal(zmq_msg_more(&frame), has_more);
    if (e->type == ZMQ_SERVER || e->type == ZMQ_PEER) e->peer_id = DRAFT(zmq_msg_routing_id)(&frame);
    OK(zmq_msg_close(&frame));
}

/* What applications of these types put in front of their own parts. */
static bool has_delimiter(const struct end *e) {
    return (e->type == ZMQ_ROUTER && e->peer_type == ZMQ_REQ) || (e->type == ZMQ_DEALER && e->peer_type == ZMQ_REP);
}

static void send_message(struct end *e, const struct message *m) {
    if (e->type == ZMQ_ROUTER) send_frame(e, e->peer_name, strlen(e->peer_name), ZMQ_SNDMORE);
    if (has_delimiter(e)) send_frame(e, "", 0, ZMQ_SNDMORE);
    for (int i = 0; i < m->parts; i++) send_frame(e, body + i, m->sizes[i], i + 1 < m->parts ? ZMQ_SNDMORE : 0);
}

/* An XPUB hears subscriptions as well. */
static void skip_subscriptions(struct end *e) {
    char frame[2];
    while (receive(e->s, frame, sizeof frame) == 1 && frame[0] <= 1) {
    }
    assert_memory_equal(frame, body, 1);
}

static void expect_message(struct end *e, const struct message *m) {
    if (e->type == ZMQ_ROUTER) expect_frame(e, e->peer_name, strlen(e->peer_name), true);
    if (has_delimiter(e)) expect_frame(e, "", 0, true);
    for (int i = 0; i < m->parts; i++) expect_frame(e, body + i, m->sizes[i], i + 1 < m->parts);
}

static void say(struct end *from, struct end *to, const struct message *m) {
    send_message(from, m);
    expect_message(to, m);
}

static bool drops_without_peers(int type) { return type == ZMQ_PUB || type == ZMQ_XPUB || type == ZMQ_RADIO; }

/* Until both know each other. Other types wait by themselves when they have nobody to send to. */
static void meet(struct meeting *m) {
    static const struct message call = {1, {7}}, last = {1, {8}};
    const int64_t end = now_ms() + DEADLINE_MS;
    char frame[16];
    int size = 0;
    if (drops_without_peers(m->first.type)) {
        do {
            if (now_ms() > end) fail_msg("nothing that was published came");
            send_message(&m->first, &call);
        } while ((size = receive_within(m->second.s, frame, sizeof frame, 10)) == -1);
        for (send_message(&m->first, &last); size != 8; size = receive(m->second.s, frame, sizeof frame))
            assert_int_equal(size, 7);
    }
    if (m->first.type == ZMQ_XPUB && !m->row->pair->is_one_way) {
        static const struct message mark = {1, {1}};
        send_message(&m->second, &mark);
        skip_subscriptions(&m->first);
    }
}

static void say_both_ways(struct meeting *m, const struct message *message) {
    say(&m->first, &m->second, message);
    if (!m->row->pair->is_one_way) say(&m->second, &m->first, message);
}

/* ---- What is to be shown -------------------------------------------------------------------- */

static char doing[128]; /* what a test that fails was at */

static int stop_row(void **state) {
    if (*doing) print_error("while: %s\n", doing);
    *doing = 0;
    return stop_kit(state);
}

static void open_meeting(struct meeting *m, const struct row *r, bool first_is_bound, const char *purpose) {
    const struct pair *p = r->pair;
    snprintf(doing, sizeof doing, "%s is bound, %s", first_is_bound ? "the first" : "the second", purpose);
    memset(m, 0, sizeof *m);
    m->row = r;
    m->first = (struct end){.type = p->first, .peer_type = p->second, .name = "one", .peer_name = "two"};
    m->second = (struct end){.type = p->second, .peer_type = p->first, .name = "two", .peer_name = "one"};
    m->first.is_bound = first_is_bound;
    m->second.is_bound = !first_is_bound;
    choose_address(m);
    open_end(m, first_is_bound ? &m->first : &m->second);
    open_end(m, first_is_bound ? &m->second : &m->first);
    meet(m);
}

static void close_meeting(struct meeting *m) {
    if (m->first.s) close_socket(m->first.s);
    if (m->second.s) close_socket(m->second.s);
    *doing = 0;
}

static void passes_every_kind_of_message(const struct row *r, bool first_is_bound) {
    static const struct message messages[] = {
        {1, {5}}, {1, {0}}, {1, {LARGE}}, {2, {3, 4}}, {3, {0, 70000, 0}}, {3, {200, 0, 300}},
    };
    struct meeting m;
    open_meeting(&m, r, first_is_bound, "messages");
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        if (messages[i].parts == 1 || r->pair->has_parts) say_both_ways(&m, &messages[i]);
    close_meeting(&m);
}

/* Who is bound can only send to those who are there: what it sends is for the next one once the last one is forgotten. */
static void forget_peer(struct end *e) {
    static const int types[] = {ZMQ_PAIR, ZMQ_CHANNEL, ZMQ_DEALER, ZMQ_PUSH, ZMQ_REQ, ZMQ_CLIENT, ZMQ_SCATTER};
    for (size_t i = 0; e->is_bound && i < sizeof types / sizeof types[0]; i++)
        if (e->type == types[i]) wait_no_events(e->s, ZMQ_POLLOUT);
}

static void survives_a_peer_that_comes_back(const struct row *r, bool first_is_bound, bool first_stays) {
    struct meeting m;
    open_meeting(&m, r, first_is_bound, first_stays ? "the second comes back" : "the first comes back");
    struct end *stays = first_stays ? &m.first : &m.second, *goes = first_stays ? &m.second : &m.first;
    say_both_ways(&m, &small);
    void *events = monitor(stays->s);
    close_socket(goes->s);
    wait_event(events, ZMQ_EVENT_DISCONNECTED);
    forget_peer(stays);
    open_end(&m, goes);
    meet(&m);
    say_both_ways(&m, &small);
    say_both_ways(&m, &large);
    zmq_socket_monitor(stays->s, NULL, 0);
    close_socket(events);
    close_meeting(&m);
}

/* A REQ and a REP take turns, so that only one message can wait. */
static bool takes_turns(const struct pair *p) { return p->first == ZMQ_REQ || p->second == ZMQ_REP; }

static void delivers_what_lingers(const struct row *r, bool first_is_bound, bool first_closes) {
    struct meeting m;
    open_meeting(&m, r, first_is_bound, first_closes ? "the first lingers" : "the second lingers");
    say(&m.first, &m.second, &small);
    if (takes_turns(r->pair)) say(&m.second, &m.first, &small);
    struct end *from = first_closes ? &m.first : &m.second, *to = first_closes ? &m.second : &m.first;
    const int count = takes_turns(r->pair) ? 0 : 200;
    if (takes_turns(r->pair) && !first_closes) say(&m.first, &m.second, &small);
    set_int(from->s, ZMQ_LINGER, -1);
    for (int i = 0; i < count; i++) send_message(from, &(struct message){1, {(size_t)i * 3}});
    send_message(from, &large);
    close_socket(from->s);
    from->s = NULL;
    for (int i = 0; i < count; i++) expect_message(to, &(struct message){1, {(size_t)i * 3}});
    expect_message(to, &large);
    close_meeting(&m);
}

static void a_pair_over_a_transport(void **state) {
    const struct row *r = *state;
    need(r);
    for (int first_is_bound = 0; first_is_bound < 2; first_is_bound++) {
        /* Two of a kind have one arrangement: who is connected speaks first. */
        if (first_is_bound && r->pair->first == r->pair->second) continue;
        passes_every_kind_of_message(r, first_is_bound);
        for (int of_first = 0; of_first < 2; of_first++) {
            if (r->transport->comes_back) survives_a_peer_that_comes_back(r, first_is_bound, of_first);
            if (of_first || !r->pair->is_one_way) delivers_what_lingers(r, first_is_bound, of_first);
        }
    }
}

int main(int argc, char **argv) {
    static struct row rows[PAIRS * TRANSPORTS];
    static struct CMUnitTest tests[PAIRS * TRANSPORTS];
    size_t count = 0;
    for (size_t i = 0; i < sizeof body; i++) body[i] = (char)('A' + (i * 7 + i / 251) % 50);
    for (int t = 0; t < TRANSPORTS; t++) {
        bool is_wanted = argc == 1;
        for (int i = 1; i < argc; i++) is_wanted = is_wanted || strcmp(argv[i], transports[t].name) == 0;
        for (int p = 0; is_wanted && p < PAIRS; p++, count++) {
            struct row *r = &rows[count];
            snprintf(r->name, sizeof r->name, "%s over %s", pairs[p].name, transports[t].name);
            r->pair = &pairs[p];
            r->transport = &transports[t];
            tests[count] = (struct CMUnitTest){r->name, a_pair_over_a_transport, start_kit, stop_row, r};
        }
    }
    set_watchdog(180);
    cmocka_set_test_filter(getenv("TEST_FILTER"));
    return _cmocka_run_group_tests("transport_pairs", tests, count, NULL, NULL);
}
