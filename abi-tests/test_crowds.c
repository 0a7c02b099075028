/* Many peers: an undrained monitor does not hold up traffic (MON-4), and peers that come and go while the program
 * sleeps leave no memory behind. test_crowds [PEERS] takes more of them than the test run does. */
#include "lifecycle_support.h"
#include "process_support.h"

#include <sys/resource.h>
#include <sys/wait.h>

/* libzmq stops after about 1000 connections of two events each. */
static int connections = 1200, visitors = 300;
enum { BURST = 200000 };

/* ---- Peers on plain sockets. They run in a child as well, so nothing here may fail a test. ---- */

static int meet (const char *endpoint, const char *type)
{
    unsigned char bytes[GREETING_SIZE], ready[2 + 255];
    struct frame f;
    const struct sockaddr_in a = local_address (atoi (strrchr (endpoint, ':') + 1));
    const int one = 1, fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect (fd, (const struct sockaddr *) &a, sizeof a) != 0)
        return -1;
    setsockopt (fd, SOL_TCP, TCP_NODELAY, &one, sizeof one);
    make_greeting (bytes, 1, "NULL");
    ready[0] = FLAG_COMMAND;
    ready[1] = (unsigned char) make_ready (ready + 2, type, NULL);
    if (write_raw (fd, bytes, sizeof bytes) && read_raw (fd, bytes, sizeof bytes, DEADLINE_MS) == sizeof bytes
        && read_frame (fd, &f, DEADLINE_MS) && write_raw (fd, ready, 2u + ready[1]))
        return fd;
    close (fd);
    return -1;
}

static bool send_burst (int fd)
{
    static unsigned char frames[3 * 20000];
    for (size_t i = 0; i < sizeof frames; i += 3)
        memcpy (frames + i, "\0\1x", 3);
    for (int sent = 0; sent < BURST; sent += 20000)
        if (!write_raw (fd, frames, sizeof frames))
            return false;
    return true;
}

/* Waits for one byte, which says: go on. */
static bool may_go_on (int fd)
{
    char c;
    return read (fd, &c, 1) == 1;
}

/* ---- MON-4 ---- */

/* A burst over the first connection, a message over each further one, and the burst again. */
static int crowd_main (int orders)
{
    char endpoint[64];
    if (read (orders, endpoint, sizeof endpoint) != sizeof endpoint)
        return 1;
    const int first = meet (endpoint, "PUSH");
    if (first < 0 || !send_burst (first) || !may_go_on (orders))
        return 2;
    for (int i = 0; i < connections; ++i) {
        const int fd = meet (endpoint, "PUSH");
        if (fd < 0 || !write_raw (fd, "\0\1c", 3))
            return 3;
    }
    return may_go_on (orders) && send_burst (first) && may_go_on (orders) ? 0 : 4;
}

static void receive_many (void *pull, int count, const char *when)
{
    const int64_t begin = now_ms ();
    for (int i = 0; i < count; ++i) {
        char c = 0;
        const int n = zmq_recv (pull, &c, 1, 0);
        if (n != 1)
            fail_msg ("%s: message %d of %d: %s", when, i, count, zmq_strerror (zmq_errno ()));
    }
    const int64_t took = now_ms () - begin;
    printf ("%s: %d messages in %lld ms\n", when, count, (long long) took);
}

static void MON_4_an_undrained_monitor_holds_up_no_traffic (void **state)
{
    (void) state;
    OURS_IS_BETTER ("its I/O thread blocks for good when nobody reads the events of some 1000 connections");
    int orders[2];
    char endpoint[256] = "", name[128];
    assert_int_equal (pipe (orders), 0);
    fflush (stdout);
    const pid_t child = fork ();
    if (child == 0) {
        close (orders[1]);
        _exit (crowd_main (orders[0]));
    }
    close (orders[0]);
    void *ctx = new_ctx (), *pull = new_socket (ctx, ZMQ_PULL), *collector = new_socket (ctx, ZMQ_PAIR);
    set_int (pull, ZMQ_RCVTIMEO, DEADLINE_MS);
    set_int (pull, ZMQ_BACKLOG, 1000);
    OK (zmq_socket_monitor (pull, unique_name (name, "undrained"), ZMQ_EVENT_ALL));
    OK (zmq_connect (collector, name));
    bind_any (pull, "tcp://127.0.0.1:*", endpoint);
    assert_int_equal (write (orders[1], endpoint, 64), 64);
    receive_many (pull, BURST, "one connection");
    assert_int_equal (write (orders[1], "", 1), 1);
    receive_many (pull, connections, "while the crowd comes");
    assert_int_equal (write (orders[1], "", 1), 1);
    receive_many (pull, BURST, "with the crowd there");
    assert_int_equal (write (orders[1], "", 1), 1);
    int status = -1;
    assert_int_equal (waitpid (child, &status, 0), child);
    assert_int_equal (status, 0);
    /* The monitor has them: the newest, if they are very many. */
    struct event e;
    memset (&e, 0, sizeof e);
    int events = 0;
    for (char frame[300]; zmq_recv (collector, frame, sizeof frame, ZMQ_DONTWAIT) != -1; ++events)
        ;
    assert_true (events >= 2 * 2 * (connections < 10000 ? connections : 10000));
    close (orders[1]);
    close_now (pull);
    close_now (collector);
    end_ctx (ctx);
}

/* ---- Memory ---- */

/* They come one after the other, and every now and then all have been seen off. */
static void let_come_and_go (const char *endpoint, const char *type, int count)
{
    const int files = own_descriptors () + 3; /* what a socket takes with its first connection */
    for (int i = 0; i < count; ++i) {
        const int fd = meet (endpoint, type);
        assert_true (fd >= 0);
        if (strcmp (type, "SUB") == 0) {
            char topic[32];
            const int n = snprintf (topic, sizeof topic, "\1topic %d", i);
            send_frame (fd, 0, topic, (size_t) n);
        }
        close (fd);
        if (i % 100 == 99 || i == count - 1)
            EVENTUALLY (own_descriptors () <= files);
    }
}

static void peers_that_come_and_go_while_the_program_sleeps_leave_nothing (void **state)
{
    (void) state;
    OURS_IS_BETTER ("it keeps 11 kB for each until the socket is used again");
    static const struct
    {
        int type;
        const char *name, *peer;
    } rows[] = {{ZMQ_PULL, "PULL", "PUSH"}, {ZMQ_PUSH, "PUSH", "PULL"},  {ZMQ_ROUTER, "ROUTER", "DEALER"},
                {ZMQ_REP, "REP", "REQ"},    {ZMQ_DEALER, "DEALER", "DEALER"}, {ZMQ_PUB, "PUB", "SUB"},
                {ZMQ_SUB, "SUB", "PUB"},    {ZMQ_PAIR, "PAIR", "PAIR"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
        char endpoint[256];
        void *ctx = new_ctx (), *s = new_socket (ctx, rows[i].type);
        bind_any (s, "tcp://127.0.0.1:*", endpoint);
        let_come_and_go (endpoint, rows[i].peer, 200);
        const long before = own_resident_bytes ();
        let_come_and_go (endpoint, rows[i].peer, visitors);
        const long more = own_resident_bytes () - before;
        printf ("%s: %ld bytes more after %d peers, %ld each\n", rows[i].name, more, visitors, more / visitors);
        if (memory_tells () && more > 512 * 1024 + 256L * visitors)
            fail_msg ("%s keeps %ld bytes for each peer that has gone", rows[i].name, more / visitors);
        close_now (s);
        end_ctx (ctx);
    }
}

int main (int argc, char **argv)
{
    struct rlimit files;
    if (getrlimit (RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit (RLIMIT_NOFILE, &files);
    }
    if (argc > 1)
        connections = visitors = atoi (argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (MON_4_an_undrained_monitor_holds_up_no_traffic),
        cmocka_unit_test (peers_that_come_and_go_while_the_program_sleeps_leave_nothing),
    };
    set_watchdog (argc > 1 ? 1200 : 120);
    return cmocka_run_group_tests_name ("crowds", tests, NULL, NULL);
}
