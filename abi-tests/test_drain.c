/* A sender with LINGER -1 sends, ends its context and leaves; a slow receiver gets everything, whatever its RCVHWM
 * (CL-2, DIS-2). test_drain [RUNS] does more runs of each row than the test run. */
#include "hardship_support.h"

enum { MESSAGES_MAX = 1500, LONGEST_PAUSE_MS = 2 };

static int runs = 4;
static uint64_t seed;

struct row
{
    const char *transport;
    int high_water_mark;
    bool receiver_talks; /* and the sender does not listen */
};

enum { SMALL_BUFFER = 4096, LARGE_BUFFER = 1 << 20, WORDS = 50 };

/* Sizes from nothing to more than a read block, the number of the message in front. */
static size_t size_of (int i)
{
    return i % 500 == 499 ? 100000 : 4 + (size_t) (mix ((uint64_t) i) % 300);
}

/* The process that leaves: nothing of it is left when it has exited. */
static int send_and_leave (const char *endpoint, int messages, bool receiver_talks)
{
    static char body[100000];
    const int forever = -1, large = LARGE_BUFFER;
    void *ctx = zmq_ctx_new (), *s = zmq_socket (ctx, receiver_talks ? ZMQ_DEALER : ZMQ_PUSH);
    if (!s || zmq_setsockopt (s, ZMQ_LINGER, &forever, sizeof forever)
        || (receiver_talks && zmq_setsockopt (s, ZMQ_SNDBUF, &large, sizeof large)) || zmq_connect (s, endpoint))
        return 1;
    for (int i = 0; i < messages; ++i) {
        memcpy (body, &i, sizeof i);
        if (zmq_send (s, body, size_of (i), 0) == -1)
            return 2;
    }
    return zmq_close (s) || zmq_ctx_term (ctx) ? 3 : 0;
}

/* How many messages are missing; they come in order. In every other run the receiver sleeps until the sender has had
 * time to leave: what is sent fits into the kernel then, or does not. */
static int missing_in_a_run (const struct row *row, struct dice *d, int *sent)
{
    static char body[100000];
    char endpoint[256];
    int orders[2];
    const int messages = 20 + below (d, below (d, 2) ? 200 : MESSAGES_MAX - 20);
    const int sleep_ms = below (d, 2) ? 10 + below (d, 20) : 0;
    *sent += messages;
    NEED (pipe2 (orders, O_CLOEXEC) == 0, "pipe");
    const pid_t sender = fork (); /* before this process has threads */
    NEED (sender >= 0, "fork");
    if (sender == 0)
        _exit (read (orders[0], endpoint, sizeof endpoint) == sizeof endpoint ? send_and_leave (endpoint, messages, row->receiver_talks)
                                                                               : 4);
    void *ctx = need_ctx (), *s = need_socket (ctx, row->receiver_talks ? ZMQ_DEALER : ZMQ_PULL);
    need_set (s, ZMQ_RCVHWM, row->high_water_mark);
    if (row->receiver_talks) /* so that much of it is still to be delivered when the sender has left */
        need_set (s, ZMQ_RCVBUF, SMALL_BUFFER);
    need_bind (s, strcmp (row->transport, "ipc") == 0 ? "ipc://*" : "tcp://127.0.0.1:*", endpoint);
    NEED (write (orders[1], endpoint, sizeof endpoint) == sizeof endpoint, "pipe");
    int next = 0, lost = 0, status = 0;
    bool sender_has_left = false;
    poll (NULL, 0, sleep_ms);
    while (next < messages) {
        /* Once the sender has gone, what is on the way is in the kernel of this machine. */
        need_set (s, ZMQ_RCVTIMEO, sender_has_left ? (on_tern () ? DEADLINE_MS : 500) : 100);
        const int n = zmq_recv (s, body, sizeof body, 0);
        if (n == -1) {
            NEED (zmq_errno () == EAGAIN, "recv: %s", zmq_strerror (zmq_errno ()));
            if (sender_has_left)
                break;
            sender_has_left = waitpid (sender, &status, WNOHANG) == sender;
            continue;
        }
        int number;
        memcpy (&number, body, sizeof number);
        NEED (number >= next && number < messages, "message %d after %d", number, next - 1);
        NEED ((size_t) n == size_of (number), "message %d has %d bytes", number, n);
        for (int i = 0; row->receiver_talks && i < WORDS; ++i)
            zmq_send (s, body, 30, ZMQ_DONTWAIT);
        lost += number - next;
        next = number + 1;
        if (below (d, 100) == 0)
            poll (NULL, 0, below (d, LONGEST_PAUSE_MS + 1));
    }
    lost += messages - next;
    if (!sender_has_left)
        NEED (waitpid (sender, &status, 0) == sender, "waitpid");
    NEED (WIFEXITED (status) && WEXITSTATUS (status) == 0, "the sender ended with %x", (unsigned) status);
    close (orders[0]);
    close (orders[1]);
    need_set (s, ZMQ_LINGER, 0);
    need_close (s);
    NEED_OK (zmq_ctx_term (ctx));
    return lost;
}

static void drain (void *argument)
{
    const struct row *row = argument;
    int lossy = 0, sent = 0, lost = 0;
    for (int run = 0; run < runs; ++run) {
        struct dice d = {mix (seed + (uint64_t) run)};
        const int n = missing_in_a_run (row, &d, &sent);
        lossy += n > 0;
        lost += n;
    }
    note ("%d runs, %d with losses, %d of %d messages lost", runs, lossy, lost, sent);
    if (lost)
        _exit (1);
}

static void CL_2_DIS_2_what_a_sender_leaves_behind_reaches_a_slow_receiver (void **state)
{
    (void) state;
    static const char *const transports[] = {"tcp", "ipc"};
    static const int marks[] = {1, 10, 1000};
    bool all_right = true;
    for (int t = 0; t < 2; ++t)
        for (int m = 0; m < 6; ++m) {
            struct row row = {transports[t], marks[m % 3], m >= 3};
            char name[64];
            snprintf (name, sizeof name, "%s, RCVHWM %d%s", row.transport, row.high_water_mark,
                      row.receiver_talks ? ", a receiver that talks" : "");
            const struct verdict v = run_apart (drain, &row, 60 + 2 * runs);
            all_right = show (name, &v) && all_right;
        }
    if (on_tern ())
        assert_true (all_right);
}

int main (int argc, char **argv)
{
    runs = count_from (argc, argv, runs);
    seed = seed_of_run ();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (CL_2_DIS_2_what_a_sender_leaves_behind_reaches_a_slow_receiver),
    };
    return cmocka_run_group_tests_name ("drain", tests, NULL, NULL);
}
