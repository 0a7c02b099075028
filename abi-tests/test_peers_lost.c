/* Peers that end without a word: killed at every step of a connection, stopped for a while, behind a line that is dead; and
 * listeners whose path or address is taken away (RC-*, DIS-2). What whole messages came is received, what is left frees
 * its descriptors, and whoever comes afterwards is served. */
#include "hardship_support.h"

#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

/* ---- Killed at every step ---- */

enum { STEPS = 10 };

/* A PUSH by hand, up to a step; then it waits to be killed. */
static void step_main (const char *endpoint, int step, int ready_fd)
{
    unsigned char greeting[GREETING_SIZE], theirs[GREETING_SIZE], ready[64];
    make_greeting (greeting, 1, "NULL");
    ready[0] = FLAG_COMMAND;
    ready[1] = (unsigned char) make_ready (ready + 2, "PUSH", NULL);
    const int fd = connect_raw (endpoint);
    if (step >= 1)
        (void) write_raw (fd, greeting, 10);
    if (step >= 2)
        (void) write_raw (fd, greeting + 10, 30);
    if (step >= 3) {
        (void) write_raw (fd, greeting + 40, 24);
        (void) read_raw (fd, theirs, sizeof theirs, DEADLINE_MS);
    }
    if (step >= 4)
        (void) write_raw (fd, ready, 7);
    if (step >= 5)
        (void) write_raw (fd, ready + 7, 2u + ready[1] - 7);
    if (step >= 6)
        (void) write_raw (fd, "\0\5whole", 7);
    if (step >= 7)
        (void) write_raw (fd, "\0\7half", 6);
    if (step >= 8)
        (void) write_raw (fd, "her\1\4part", 9);
    if (step >= 9)
        (void) write_raw (fd, "\3\0\0\0\0\0\x10\0\0large", 14);
    (void) (write (ready_fd, "x", 1) + 1);
    pause ();
}

static void be_killed_at (void *argument)
{
    const char *place = argument;
    char endpoint[256], body[64], c;
    void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PULL), *good = need_socket (ctx, ZMQ_PUSH);
    need_bind (s, place, endpoint);
    NEED_OK (zmq_connect (good, endpoint));
    need_traffic (good, s, "before");
    const int before = descriptors_of (getpid ());
    for (int step = 0; step < STEPS; ++step) {
        int fds[2], whole = 0, others = 0;
        NEED (pipe2 (fds, O_CLOEXEC) == 0, "pipe");
        const pid_t child = fork ();
        if (child == 0)
            step_main (endpoint, step, fds[1]);
        NEED (read (fds[0], &c, 1) == 1, "no peer");
        kill (child, SIGKILL);
        NEED (waitpid (child, NULL, 0) == child, "waitpid");
        close (fds[0]);
        close (fds[1]);
        NEED_OK (zmq_send (good, "end", 3, 0));
        need_set (s, ZMQ_RCVTIMEO, DEADLINE_MS);
        const int wanted = (step >= 6) + (step >= 8);
        bool has_ended = false;
        while (!has_ended || whole < wanted) {
            const int n = zmq_recv (s, body, sizeof body, 0);
            NEED (n != -1, "step %d: %d of %d messages, %s", step, whole, wanted, zmq_strerror (zmq_errno ()));
            has_ended = has_ended || (n == 3 && memcmp (body, "end", 3) == 0);
            whole += n == 5 || n == 7;
            others += n != 3 && n != 5 && n != 7;
        }
        NEED (others == 0, "step %d: something that was not whole", step);
        NEED_SOON (descriptors_of (getpid ()) <= before);
    }
    need_traffic (good, s, "after");
    need_close (good);
    need_close (s);
    NEED_OK (zmq_ctx_term (ctx));
    note ("%d steps", STEPS);
}

static void peers_are_killed_at_every_step (void **state)
{
    (void) state;
    case_apart ("killed at every step, tcp", be_killed_at, "tcp://127.0.0.1:*", 60);
    case_apart ("killed at every step, ipc", be_killed_at, "ipc://*", 60);
}

/* The other way: whom a socket connects to is killed while it listens, accepts, greets, talks. */
static void be_killed_as_a_server (void *argument)
{
    char endpoint[256], c;
    (void) argument;
    struct port port;
    reserve_port (&port);
    strcpy (endpoint, port.endpoint);
    release_port (&port);
    void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PUSH);
    need_set (s, ZMQ_RECONNECT_IVL, 5);
    need_set (s, ZMQ_SNDTIMEO, DEADLINE_MS);
    NEED_OK (zmq_connect (s, endpoint));
    for (int step = 0; step < 6; ++step) {
        int fds[2];
        NEED (pipe2 (fds, O_CLOEXEC) == 0, "pipe");
        const pid_t child = fork ();
        if (child == 0) {
            unsigned char greeting[GREETING_SIZE], ready[64];
            const struct sockaddr_in a = local_address (port.number);
            const int one = 1, listener = socket (AF_INET, SOCK_STREAM, 0);
            setsockopt (listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
            if (bind (listener, (const struct sockaddr *) &a, sizeof a) != 0 || listen (listener, 5) != 0)
                _exit (1);
            make_greeting (greeting, 1, "NULL");
            ready[0] = FLAG_COMMAND;
            ready[1] = (unsigned char) make_ready (ready + 2, "PULL", NULL);
            const int fd = step >= 1 ? accept (listener, NULL, NULL) : -1;
            if (step >= 2)
                (void) write_raw (fd, greeting, 20);
            if (step >= 3)
                (void) write_raw (fd, greeting + 20, 44);
            if (step >= 4)
                (void) write_raw (fd, ready, 9);
            if (step >= 5)
                (void) write_raw (fd, ready + 9, 2u + ready[1] - 9);
            (void) (write (fds[1], "x", 1) + 1);
            pause ();
        }
        NEED (read (fds[0], &c, 1) == 1, "no peer");
        kill (child, SIGKILL);
        NEED (waitpid (child, NULL, 0) == child, "waitpid");
        close (fds[0]);
        close (fds[1]);
    }
    void *other = need_ctx (), *pull = need_socket (other, ZMQ_PULL);
    NEED_OK (zmq_bind (pull, endpoint));
    need_traffic (s, pull, "at last");
    need_close (s);
    need_close (pull);
    NEED_OK (zmq_ctx_term (ctx));
    NEED_OK (zmq_ctx_term (other));
}

static void servers_are_killed_at_every_step (void **state)
{
    (void) state;
    case_apart ("its server is killed at every step", be_killed_as_a_server, NULL, 60);
}

/* ---- Stopped and continued ---- */

static void be_stopped (void *argument)
{
    enum { MESSAGES = 20000 };
    const bool has_heartbeats = argument != NULL;
    char endpoint[256], body[300] = "";
    int fds[2], status = 0;
    NEED (pipe2 (fds, O_CLOEXEC) == 0, "pipe");
    const pid_t child = fork ();
    if (child == 0) { /* receives all of them */
        if (read (fds[0], endpoint, sizeof endpoint) != sizeof endpoint)
            _exit (1);
        void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PULL);
        need_set (s, ZMQ_RECONNECT_IVL, 5);
        need_set (s, ZMQ_RCVTIMEO, DEADLINE_MS);
        NEED_OK (zmq_connect (s, endpoint));
        int next = 0, number;
        while (next < MESSAGES) {
            NEED_OK (zmq_recv (s, body, sizeof body, 0));
            memcpy (&number, body, sizeof number);
            /* Heartbeats end a connection of whoever does not answer, and what it has is gone with it. */
            NEED (has_heartbeats ? number >= next : number == next, "%d in place of %d", number, next);
            next = number + 1;
        }
        need_close (s);
        NEED_OK (zmq_ctx_term (ctx));
        _exit (0);
    }
    void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PUSH);
    if (has_heartbeats) {
        need_set (s, ZMQ_HEARTBEAT_IVL, 30);
        need_set (s, ZMQ_HEARTBEAT_TIMEOUT, 60);
    }
    need_set (s, ZMQ_SNDTIMEO, 2000);
    need_bind (s, "tcp://127.0.0.1:*", endpoint);
    NEED (write (fds[1], endpoint, sizeof endpoint) == sizeof endpoint, "pipe");
    int stops = 0, refused = 0, stopped_at = -1;
    for (int i = 0; i < MESSAGES; ++i) {
        memcpy (body, &i, sizeof i);
        if (i % 5000 == 2500 && i != stopped_at) { /* a message that is offered again finds it going on */
            stopped_at = i;
            kill (child, SIGSTOP);
            ++stops;
        }
        if (zmq_send (s, body, sizeof body, i % 5000 >= 2500 && i % 5000 < 4500 ? ZMQ_DONTWAIT : 0) == -1) {
            NEED (zmq_errno () == EAGAIN, "%s", zmq_strerror (zmq_errno ()));
            ++refused;
            --i;
            poll (NULL, 0, has_heartbeats ? 150 : 20);
            kill (child, SIGCONT);
        }
        if (i % 5000 == 4500)
            kill (child, SIGCONT);
    }
    kill (child, SIGCONT);
    NEED_OK (zmq_close (s)); /* and with it all that was accepted */
    NEED_OK (zmq_ctx_term (ctx));
    NEED (waitpid (child, &status, 0) == child && status == 0, "the peer ended with %x", (unsigned) status);
    note ("%d stops, %d times EAGAIN", stops, refused);
}

static void peers_are_stopped_and_continued (void **state)
{
    (void) state;
    case_apart ("stopped and continued", be_stopped, NULL, 60);
    case_apart ("stopped and continued, heartbeats", be_stopped, "", 60);
}

static int receive_waiting (void *s, char *body, size_t size)
{
    return zmq_recv (s, body, size, 0);
}

static int receive_polled (void *s, char *body, size_t size)
{
    zmq_pollitem_t item = {s, 0, ZMQ_POLLIN, 0};
    return zmq_poll (&item, 1, -1) == 1 ? zmq_recv (s, body, size, ZMQ_DONTWAIT) : -1;
}

static int receive_in_time (void *s, char *body, size_t size)
{
    need_set (s, ZMQ_RCVTIMEO, DEADLINE_MS);
    return receive_waiting (s, body, size);
}

static int (*const ways_to_receive[]) (void *s, char *body, size_t size) = {receive_waiting, receive_polled,
                                                                            receive_in_time};

/* A stop is no signal that a handler runs for: whoever waits goes on waiting, however often (as under Ctrl-Z, or a debugger). */
static void stop_while_it_waits (void *argument)
{
    enum { WAYS = sizeof ways_to_receive / sizeof *ways_to_receive, STOPS = 5 };
    char endpoint[256], body[64], c = 'x';
    int there[2], back[2], status = 0;
    NEED (pipe2 (there, O_CLOEXEC) == 0 && pipe2 (back, O_CLOEXEC) == 0, "pipe");
    const pid_t child = fork ();
    if (child == 0) {
        NEED (read (there[0], endpoint, sizeof endpoint) == sizeof endpoint, "pipe");
        void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PULL);
        NEED_OK (zmq_connect (s, endpoint));
        NEED_OK (zmq_recv (s, body, sizeof body, 0));
        for (int way = 0; way < WAYS; ++way) {
            NEED (write (back[1], &c, 1) == 1, "pipe");
            const int n = ways_to_receive[way](s, body, sizeof body);
            NEED (n == 5 && memcmp (body, "after", 5) == 0, "way %d: %s", way, zmq_strerror (zmq_errno ()));
        }
        need_close (s);
        NEED_OK (zmq_ctx_term (ctx));
        _exit (0);
    }
    void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PUSH);
    need_bind (s, argument, endpoint);
    NEED (write (there[1], endpoint, sizeof endpoint) == sizeof endpoint, "pipe");
    NEED_OK (zmq_send (s, "first", 5, 0));
    for (int way = 0; way < WAYS; ++way) {
        NEED (read (back[0], &c, 1) == 1, "pipe");
        for (int i = 0; i < STOPS; ++i) {
            NEED_SOON (state_of (child) == 'S');
            kill (child, SIGSTOP);
            NEED_SOON (state_of (child) == 'T');
            kill (child, SIGCONT);
            NEED_SOON (state_of (child) != 'T');
        }
        NEED_SOON (state_of (child) == 'S' || state_of (child) == 'Z');
        NEED_OK (zmq_send (s, "after", 5, 0));
    }
    NEED (waitpid (child, &status, 0) == child && status == 0, "the peer ended with %x", (unsigned) status);
    need_close (s);
    NEED_OK (zmq_ctx_term (ctx));
}

static void a_stop_interrupts_no_call (void **state)
{
    (void) state;
    case_apart ("stopped while it waits, tcp", stop_while_it_waits, "tcp://127.0.0.1:*", 60);
    case_apart ("stopped while it waits, ipc", stop_while_it_waits, "ipc://*", 60);
}

/* ---- A line that is dead: the peer goes without a FIN ---- */

static void half_open (void *argument)
{
    enum { REPAIR = 19 };
    char endpoint[256];
    const int on = 1;
    (void) argument;
    const int slower = under_memcheck () ? 30 : 1; /* who has come that far says "x" before the heartbeat ends it */
    void *ctx = need_ctx (), *s = need_socket (ctx, ZMQ_PULL);
    need_set (s, ZMQ_HEARTBEAT_IVL, 50 * slower);
    need_set (s, ZMQ_HEARTBEAT_TIMEOUT, 100 * slower);
    need_set (s, ZMQ_HANDSHAKE_IVL, 300 * slower);
    need_bind (s, "tcp://127.0.0.1:*", endpoint);
    const int probe = connect_raw (endpoint);
    const int before = descriptors_of (getpid ());
    int kept = 0;
    for (int i = 0; i < 20; ++i) {
        const int fd = connect_raw (endpoint);
        if (i % 2) {
            handshake (fd, "PUSH");
            send_frame_text (fd, 0, "x");
        }
        /* A socket in repair closes without a word; who may not do that leaves it open, which is as silent. */
        if (setsockopt (fd, IPPROTO_TCP, REPAIR, &on, sizeof on) == 0)
            close (fd);
        else
            ++kept;
    }
    char c;
    need_set (s, ZMQ_RCVTIMEO, DEADLINE_MS);
    for (int i = 0; i < 10; ++i)
        NEED_OK (zmq_recv (s, &c, 1, 0));
    NEED_SOON (descriptors_of (getpid ()) <= before + kept + 3); /* what a socket takes with its first connection */
    close (probe);
    need_close (s);
    NEED_OK (zmq_ctx_term (ctx));
}

static void half_open_connections_end (void **state)
{
    (void) state;
    case_apart ("half-open connections", half_open, NULL, 60);
}

/* ---- The path of a listener ---- */

static void lose_the_path (void *argument)
{
    struct ipc_place place;
    (void) argument;
    make_ipc_place (&place);
    void *ctx = need_ctx (), *first = need_socket (ctx, ZMQ_PULL), *second = need_socket (ctx, ZMQ_PULL);
    void *old = need_socket (ctx, ZMQ_PUSH), *fresh = need_socket (ctx, ZMQ_PUSH);
    need_set (fresh, ZMQ_RECONNECT_IVL, 5);
    NEED_OK (zmq_bind (first, place.endpoint));
    NEED_OK (zmq_connect (old, place.endpoint));
    need_traffic (old, first, "before");
    NEED (unlink (place.file) == 0, "unlink");
    need_traffic (old, first, "without a path");
    NEED_OK (zmq_connect (fresh, place.endpoint)); /* in vain, for now */
    poll (NULL, 0, 30);
    NEED_OK (zmq_bind (second, place.endpoint));
    need_traffic (fresh, second, "another");
    need_traffic (old, first, "still");
    need_close (old);
    need_close (first);
    need_close (fresh);
    need_close (second);
    NEED_OK (zmq_ctx_term (ctx));
    remove_ipc_place (&place);
}

static void the_path_of_a_listener_is_removed (void **state)
{
    (void) state;
    case_apart ("the listener's path is removed", lose_the_path, NULL, 30);
}

/* ---- The address ---- */

static bool set_address (int fd, const char *name, const char *address, bool up)
{
    struct ifreq request;
    struct sockaddr_in a = {.sin_family = AF_INET};
    memset (&request, 0, sizeof request);
    snprintf (request.ifr_name, sizeof request.ifr_name, "%s", name);
    inet_pton (AF_INET, address, &a.sin_addr);
    memcpy (&request.ifr_addr, &a, sizeof a);
    if (up && ioctl (fd, SIOCSIFADDR, &request) != 0)
        return false;
    request.ifr_flags = (short) (up ? IFF_UP | IFF_RUNNING : 0);
    return ioctl (fd, SIOCSIFFLAGS, &request) == 0;
}

static void lose_the_address (void *argument)
{
    char endpoint[256];
    (void) argument;
    if (unshare (CLONE_NEWNET) != 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) != 0) {
        note ("not done: no network namespace to be had");
        return;
    }
    const int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (!set_address (fd, "lo", "127.0.0.1", true) || !set_address (fd, "lo:7", "10.77.0.1", true)) {
        note ("not done: no address can be added");
        return;
    }
    void *ctx = need_ctx (), *pull = need_socket (ctx, ZMQ_PULL), *push = need_socket (ctx, ZMQ_PUSH);
    need_set (push, ZMQ_RECONNECT_IVL, 5);
    need_set (push, ZMQ_HEARTBEAT_IVL, 50);
    need_set (push, ZMQ_HEARTBEAT_TIMEOUT, 100);
    need_bind (pull, "tcp://10.77.0.1:*", endpoint);
    NEED_OK (zmq_connect (push, endpoint));
    need_traffic (push, pull, "before");
    NEED (set_address (fd, "lo:7", "10.77.0.1", false), "the address stays");
    poll (NULL, 0, 300); /* heartbeats find nobody, attempts fail */
    NEED_OK (zmq_send (push, "meanwhile", 9, ZMQ_DONTWAIT));
    void *other = need_socket (ctx, ZMQ_PUSH);
    NEED_OK (zmq_connect (other, endpoint));
    NEED (set_address (fd, "lo:7", "10.77.0.1", true), "the address does not come back");
    char body[64];
    need_set (pull, ZMQ_RCVTIMEO, DEADLINE_MS);
    NEED_OK (zmq_recv (pull, body, sizeof body, 0));
    NEED (memcmp (body, "meanwhile", 9) == 0, "another message");
    need_traffic (other, pull, "after");
    need_close (push);
    need_close (other);
    need_close (pull);
    NEED_OK (zmq_ctx_term (ctx));
}

static void the_address_goes_and_comes_back (void **state)
{
    (void) state;
    case_apart ("the address goes and comes back", lose_the_address, NULL, 60);
}

int main (void)
{
    signal (SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (peers_are_killed_at_every_step),
        cmocka_unit_test (servers_are_killed_at_every_step),
        cmocka_unit_test (peers_are_stopped_and_continued),
        cmocka_unit_test (a_stop_interrupts_no_call),
        cmocka_unit_test (half_open_connections_end),
        cmocka_unit_test (the_path_of_a_listener_is_removed),
        cmocka_unit_test (the_address_goes_and_comes_back),
    };
    return cmocka_run_group_tests_name ("peers lost", tests, NULL, NULL);
}
