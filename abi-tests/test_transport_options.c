/* What the options of sockopts.md about descriptors do to the descriptors themselves: monitors give the number, and
 * getsockopt(2) tells. */
#define ZMQ_BUILD_DRAFT_API /* for PRIORITY and BUSY_POLL; builds without it refuse them */
#include "lifecycle_support.h"

/* A pair of sockets over one transport with the descriptors of their connection. */
struct pair
{
    void *ctx;
    void *bound;
    void *connected;
    struct monitor of_bound;
    struct monitor of_connected;
    int listening_fd;
    int accepted_fd;
    int connected_fd;
    char endpoint[256];
};

static void make_pair (struct pair *p)
{
    p->ctx = new_ctx ();
    p->bound = new_socket (p->ctx, ZMQ_PULL);
    p->connected = new_socket (p->ctx, ZMQ_PUSH);
    monitor_start (&p->of_bound, p->ctx, p->bound, ZMQ_EVENT_ALL);
    monitor_start (&p->of_connected, p->ctx, p->connected, ZMQ_EVENT_ALL);
}

/* An option of both. */
static void set_both (struct pair *p, int option, int value)
{
    set_int (p->bound, option, value);
    set_int (p->connected, option, value);
}

static void meet (struct pair *p, const char *bind_to)
{
    bind_any (p->bound, bind_to, p->endpoint);
    p->listening_fd = (int) monitor_wait (&p->of_bound, ZMQ_EVENT_LISTENING).value;
    OK (zmq_connect (p->connected, p->endpoint));
    p->accepted_fd = (int) monitor_wait (&p->of_bound, ZMQ_EVENT_ACCEPTED).value;
    p->connected_fd = (int) monitor_wait (&p->of_connected, ZMQ_EVENT_CONNECTED).value;
    send_text (p->connected, "works", 0);
    expect_text (p->bound, "works");
}

static void end_pair (struct pair *p)
{
    monitor_close (&p->of_connected, p->connected);
    monitor_close (&p->of_bound, p->bound);
    end_ctx (p->ctx);
}

static int of_fd (int fd, int level, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    if (getsockopt (fd, level, option, &value, &size) != 0)
        fail_msg ("getsockopt (%d, %d): %s", level, option, strerror (errno));
    return value;
}

static void TCP_KEEPALIVE_and_its_times_are_those_of_the_connection (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p);
    set_both (&p, ZMQ_TCP_KEEPALIVE, 1);
    set_both (&p, ZMQ_TCP_KEEPALIVE_CNT, 3);
    set_both (&p, ZMQ_TCP_KEEPALIVE_IDLE, 77);
    set_both (&p, ZMQ_TCP_KEEPALIVE_INTVL, 11);
    meet (&p, "tcp://127.0.0.1:*");
    const int fds[] = {p.connected_fd, p.accepted_fd};
    for (int i = 0; i < 2; ++i) {
        assert_int_equal (of_fd (fds[i], SOL_SOCKET, SO_KEEPALIVE), 1);
        assert_int_equal (of_fd (fds[i], IPPROTO_TCP, TCP_KEEPCNT), 3);
        assert_int_equal (of_fd (fds[i], IPPROTO_TCP, TCP_KEEPIDLE), 77);
        assert_int_equal (of_fd (fds[i], IPPROTO_TCP, TCP_KEEPINTVL), 11);
    }
    end_pair (&p);
}

static void TCP_KEEPALIVE_unset_leaves_what_the_system_has (void **state)
{
    (void) state;
    struct pair p;
    const int fresh = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    make_pair (&p);
    set_both (&p, ZMQ_TCP_KEEPALIVE_IDLE, 77); /* does not count alone */
    meet (&p, "tcp://127.0.0.1:*");
    assert_int_equal (of_fd (p.connected_fd, SOL_SOCKET, SO_KEEPALIVE), 0);
    assert_int_equal (of_fd (p.connected_fd, IPPROTO_TCP, TCP_KEEPIDLE), of_fd (fresh, IPPROTO_TCP, TCP_KEEPIDLE));
    assert_int_equal (of_fd (p.connected_fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
    assert_int_equal (of_fd (p.connected_fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal (of_fd (p.accepted_fd, IPPROTO_TCP, TCP_NODELAY), 1);
    end_pair (&p);
    close (fresh);
}

static void TCP_MAXRT_is_the_user_timeout (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p);
    set_both (&p, ZMQ_TCP_MAXRT, 4321);
    meet (&p, "tcp://127.0.0.1:*");
    assert_int_equal (of_fd (p.connected_fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
    assert_int_equal (of_fd (p.accepted_fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 4321);
    end_pair (&p);
}

static void TOS_marks_the_packets_of_both_ends (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p);
    set_both (&p, ZMQ_TOS, 0x28);
    meet (&p, "tcp://127.0.0.1:*");
    assert_int_equal (of_fd (p.connected_fd, IPPROTO_IP, IP_TOS), 0x28);
    assert_int_equal (of_fd (p.accepted_fd, IPPROTO_IP, IP_TOS), 0x28);
    end_pair (&p);
}

static void TOS_is_the_traffic_class_of_IPv6 (void **state)
{
    (void) state;
    struct pair p;
    void *ctx = new_ctx (), *probe = new_socket (ctx, ZMQ_PULL);
    set_int (probe, ZMQ_IPV6, 1);
    const bool has_ipv6 = zmq_bind (probe, "tcp://[::1]:*") == 0;
    close_now (probe);
    end_ctx (ctx);
    if (!has_ipv6) {
        printf ("[  SKIPPED ] this machine has no ::1\n");
        skip ();
    }
    make_pair (&p);
    set_both (&p, ZMQ_IPV6, 1);
    set_both (&p, ZMQ_TOS, 0x28);
    meet (&p, "tcp://[::1]:*");
    assert_int_equal (of_fd (p.connected_fd, IPPROTO_IPV6, IPV6_TCLASS), 0x28);
    assert_int_equal (of_fd (p.accepted_fd, IPPROTO_IPV6, IPV6_TCLASS), 0x28);
    end_pair (&p);
}

static void PRIORITY_and_BUSY_POLL_are_those_of_the_descriptors (void **state)
{
    (void) state;
    struct pair p;
    OURS_IS_BETTER ("4.3.4 does not know these options");
    make_pair (&p);
    set_both (&p, ZMQ_PRIORITY, 4);
    set_both (&p, ZMQ_BUSY_POLL, 30);
    /* To raise it takes a right that the test may lack; what the system grants is what is expected. */
    const int busy = 30, fresh = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void) setsockopt (fresh, SOL_SOCKET, SO_BUSY_POLL, &busy, sizeof busy);
    meet (&p, "tcp://127.0.0.1:*");
    const int fds[] = {p.listening_fd, p.connected_fd, p.accepted_fd};
    for (int i = 0; i < 3; ++i) {
        assert_int_equal (of_fd (fds[i], SOL_SOCKET, SO_PRIORITY), 4);
        assert_int_equal (of_fd (fds[i], SOL_SOCKET, SO_BUSY_POLL), of_fd (fresh, SOL_SOCKET, SO_BUSY_POLL));
    }
    end_pair (&p);
    close (fresh);
}

static void SNDBUF_and_RCVBUF_are_asked_of_the_kernel (void **state)
{
    (void) state;
    struct pair p;
    const int wanted = 20000, fresh = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (setsockopt (fresh, SOL_SOCKET, SO_SNDBUF, &wanted, sizeof wanted), 0);
    assert_int_equal (setsockopt (fresh, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted), 0);
    make_pair (&p);
    set_both (&p, ZMQ_SNDBUF, wanted);
    set_both (&p, ZMQ_RCVBUF, wanted);
    meet (&p, "tcp://127.0.0.1:*");
    assert_int_equal (of_fd (p.connected_fd, SOL_SOCKET, SO_SNDBUF), of_fd (fresh, SOL_SOCKET, SO_SNDBUF));
    assert_int_equal (of_fd (p.connected_fd, SOL_SOCKET, SO_RCVBUF), of_fd (fresh, SOL_SOCKET, SO_RCVBUF));
    assert_int_equal (of_fd (p.listening_fd, SOL_SOCKET, SO_SNDBUF), of_fd (fresh, SOL_SOCKET, SO_SNDBUF));
    end_pair (&p);
    close (fresh);
}

static void expect_device (int fd, const char *name)
{
    char device[64] = "";
    socklen_t size = sizeof device;
    assert_int_equal (getsockopt (fd, SOL_SOCKET, SO_BINDTODEVICE, device, &size), 0);
    assert_string_equal (device, name);
}

static void BINDTODEVICE_ties_both_ends_to_the_interface (void **state)
{
    (void) state;
    struct pair p;
    make_pair (&p);
    OK (zmq_setsockopt (p.bound, ZMQ_BINDTODEVICE, "lo", 2));
    OK (zmq_setsockopt (p.connected, ZMQ_BINDTODEVICE, "lo", 2));
    meet (&p, "tcp://127.0.0.1:*");
    expect_device (p.listening_fd, "lo");
    expect_device (p.connected_fd, "lo");
    expect_device (p.accepted_fd, "lo");
    end_pair (&p);
}

static void BINDTODEVICE_of_an_unknown_interface_fails_the_bind_and_each_attempt (void **state)
{
    (void) state;
    struct pair p;
    struct port port;
    OURS_IS_BETTER ("its errno is an older one, and its connector aborts");
    make_pair (&p);
    reserve_port (&port);
    listen_at (&port);
    OK (zmq_setsockopt (p.bound, ZMQ_BINDTODEVICE, "nosuch0", 7));
    OK (zmq_setsockopt (p.connected, ZMQ_BINDTODEVICE, "nosuch0", 7));
    FAILS (zmq_bind (p.bound, "tcp://127.0.0.1:*"), ENODEV);
    OK (zmq_connect (p.connected, port.endpoint));
    monitor_wait_without (&p.of_connected, ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECTED);
    assert_int_equal (accept_within (&port, QUIET_MS), -1);
    end_pair (&p);
    release_port (&port);
}

static void USE_FD_serves_a_descriptor_that_listens_already (void **state)
{
    (void) state;
    struct pair p;
    struct port port;
    make_pair (&p);
    reserve_port (&port);
    listen_at (&port);
    set_int (p.bound, ZMQ_USE_FD, port.fd);
    meet (&p, "tcp://127.0.0.1:1"); /* the address does not count */
    assert_int_equal (p.listening_fd, port.fd);
    assert_string_equal (p.endpoint, port.endpoint);
    end_pair (&p);
    /* It went with the listener. */
    EVENTUALLY (fcntl (port.fd, F_GETFD) == -1);
}

static void USE_FD_serves_an_ipc_descriptor_and_leaves_its_file (void **state)
{
    (void) state;
    struct pair p;
    struct ipc_place place;
    struct sockaddr_un a;
    make_ipc_place (&place);
    make_pair (&p);
    memset (&a, 0, sizeof a);
    a.sun_family = AF_UNIX;
    snprintf (a.sun_path, sizeof a.sun_path, "%s", place.endpoint + 6);
    const int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal (bind (fd, (struct sockaddr *) &a, sizeof a), 0);
    assert_int_equal (listen (fd, 8), 0);
    set_int (p.bound, ZMQ_USE_FD, fd);
    meet (&p, place.endpoint);
    assert_int_equal (p.listening_fd, fd);
    assert_string_equal (p.endpoint, place.endpoint);
    end_pair (&p);
    EVENTUALLY (fcntl (fd, F_GETFD) == -1);
    assert_true (file_exists (a.sun_path));
    remove_ipc_place (&place);
}

static void BACKLOG_is_a_number_of_the_listener (void **state)
{
    (void) state;
    struct pair p;
    struct tcp_info info;
    socklen_t size = sizeof info;
    make_pair (&p);
    set_int (p.bound, ZMQ_BACKLOG, 7);
    meet (&p, "tcp://127.0.0.1:*");
    /* Of a listener, Linux shows the backlog here. */
    assert_int_equal (getsockopt (p.listening_fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    assert_int_equal (info.tcpi_sacked, 7);
    end_pair (&p);
}

/* Whether a peer of the endpoint gets in. */
static void expect_admitted (struct pair *p, const char *endpoint, bool admitted)
{
    const int fd = connect_raw (endpoint);
    if (admitted) {
        monitor_wait_without (&p->of_bound, ZMQ_EVENT_ACCEPTED, ZMQ_EVENT_ACCEPT_FAILED);
        exchange_greetings (fd);
    } else {
        monitor_wait_without (&p->of_bound, ZMQ_EVENT_ACCEPT_FAILED, ZMQ_EVENT_ACCEPTED);
        expect_closed (fd);
    }
    close (fd);
}

static void TCP_ACCEPT_FILTER_keeps_out_whom_it_does_not_name (void **state)
{
    (void) state;
    static const struct
    {
        const char *filters[2];
        bool admitted;
    } cases[] = {
        {{"127.0.0.1", NULL}, true}, {{"127.0.0.0/8", NULL}, true}, {{"10.0.0.0/8", NULL}, false},
        {{"127.0.0.2", NULL}, false}, {{"10.0.0.0/8", "127.0.0.1/32"}, true}, {{"::1", NULL}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        struct pair p;
        char endpoint[256];
        if (strchr (cases[i].filters[0], ':') && !on_tern ())
            continue; /* of the other family: it takes none while IPv6 is off */
        make_pair (&p);
        bool taken = true;
        for (int k = 0; k < 2 && cases[i].filters[k]; ++k)
            taken = zmq_setsockopt (p.bound, ZMQ_TCP_ACCEPT_FILTER, cases[i].filters[k], strlen (cases[i].filters[k])) == 0;
        if (taken) {
            bind_any (p.bound, "tcp://127.0.0.1:*", endpoint);
            expect_admitted (&p, endpoint, cases[i].admitted);
        }
        end_pair (&p);
    }
}

static void IPC_FILTERS_keep_out_whom_they_do_not_name (void **state)
{
    (void) state;
    const uid_t uid = getuid ();
    const gid_t gid = getgid ();
    const pid_t pid = getpid ();
    const uid_t other_uid = uid + 12345;
    const gid_t other_gid = gid + 12345;
    const pid_t other_pid = pid == 1 ? 2 : 1;
    const struct
    {
        int option;
        const void *value;
        size_t size;
        bool admitted;
    } cases[] = {
        {ZMQ_IPC_FILTER_UID, &uid, sizeof uid, true}, {ZMQ_IPC_FILTER_UID, &other_uid, sizeof uid, false},
        {ZMQ_IPC_FILTER_GID, &gid, sizeof gid, true}, {ZMQ_IPC_FILTER_GID, &other_gid, sizeof gid, false},
        {ZMQ_IPC_FILTER_PID, &pid, sizeof pid, true}, {ZMQ_IPC_FILTER_PID, &other_pid, sizeof pid, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        struct pair p;
        char endpoint[256];
        make_pair (&p);
        OK (zmq_setsockopt (p.bound, cases[i].option, cases[i].value, cases[i].size));
        bind_any (p.bound, "ipc://*", endpoint);
        expect_admitted (&p, endpoint, cases[i].admitted);
        end_pair (&p);
    }
}

static void A_connect_that_fails_at_once_closes_its_descriptor (void **state)
{
    (void) state;
    struct ipc_place place;
    struct monitor m;
    make_ipc_place (&place);
    const char *const endpoints[] = {place.endpoint, "tcp://255.255.255.255:7"};
    for (int i = 0; i < 2; ++i) {
        void *ctx = new_ctx (), *s = new_socket (ctx, ZMQ_PUSH);
        set_int (s, ZMQ_RECONNECT_IVL, 10);
        monitor_start (&m, ctx, s, ZMQ_EVENT_ALL);
        OK (zmq_connect (s, endpoints[i]));
        assert_true ((int) monitor_expect (&m, ZMQ_EVENT_CLOSED).value > 2);
        monitor_expect (&m, ZMQ_EVENT_CONNECT_RETRIED);
        monitor_close (&m, s);
        end_ctx (ctx);
    }
    remove_ipc_place (&place);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (TCP_KEEPALIVE_and_its_times_are_those_of_the_connection),
        TEST (TCP_KEEPALIVE_unset_leaves_what_the_system_has),
        TEST (TCP_MAXRT_is_the_user_timeout),
        TEST (TOS_marks_the_packets_of_both_ends),
        TEST (TOS_is_the_traffic_class_of_IPv6),
        TEST (PRIORITY_and_BUSY_POLL_are_those_of_the_descriptors),
        TEST (SNDBUF_and_RCVBUF_are_asked_of_the_kernel),
        TEST (BINDTODEVICE_ties_both_ends_to_the_interface),
        TEST (BINDTODEVICE_of_an_unknown_interface_fails_the_bind_and_each_attempt),
        TEST (USE_FD_serves_a_descriptor_that_listens_already),
        TEST (USE_FD_serves_an_ipc_descriptor_and_leaves_its_file),
        TEST (BACKLOG_is_a_number_of_the_listener),
        TEST (TCP_ACCEPT_FILTER_keeps_out_whom_it_does_not_name),
        TEST (IPC_FILTERS_keep_out_whom_they_do_not_name),
        TEST (A_connect_that_fails_at_once_closes_its_descriptor),
    };
    return cmocka_run_group_tests_name ("transport_options", tests, NULL, NULL);
}
