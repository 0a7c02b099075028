/* ZMQ_ZERO_COPY_RECV: a context that must not deliver messages in the buffer they were received into. A small message
 * that is kept then keeps no more memory than its own. */
#include "process_support.h"

enum { MESSAGES = 20000, KEPT_EVERY = 40, BODY = 200 };

/* What the kept ones cost. */
static long bytes_kept (int zero_copy)
{
    static zmq_msg_t kept[2][MESSAGES / KEPT_EVERY];
    char endpoint[256];
    void *ctx = zmq_ctx_new ();
    assert_non_null (ctx);
    OK (zmq_ctx_set (ctx, 10 /* ZMQ_ZERO_COPY_RECV */, zero_copy));
    void *pull = new_socket (ctx, ZMQ_PULL), *push = new_socket (ctx, ZMQ_PUSH);
    set_int (pull, ZMQ_RCVTIMEO, DEADLINE_MS);
    bind_any (pull, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_connect (push, endpoint));
    long before = 0;
    /* In the first round nothing is kept, and all the queues have been as long as they will be. */
    for (int round = 0; round < 2; ++round) {
        before = own_resident_bytes ();
        for (int i = 0; i < MESSAGES; ++i) {
            char body[BODY];
            memset (body, i % 251, sizeof body);
            assert_int_equal (zmq_send (push, body, sizeof body, 0), BODY);
            if (i % 400 != 399)
                continue;
            for (int received = i - 399; received <= i; ++received) {
                zmq_msg_t passing, *m = &passing;
                if (received % KEPT_EVERY == 0)
                    m = &kept[round][received / KEPT_EVERY];
                OK (zmq_msg_init (m));
                assert_int_equal (zmq_msg_recv (m, pull, 0), BODY);
                if (m == &passing || round == 0)
                    OK (zmq_msg_close (m));
            }
        }
    }
    const long cost = own_resident_bytes () - before;
    for (int i = 0; i < MESSAGES / KEPT_EVERY; ++i) {
        unsigned char expected[BODY];
        memset (expected, i * KEPT_EVERY % 251, BODY);
        assert_memory_equal (zmq_msg_data (&kept[1][i]), expected, BODY);
        OK (zmq_msg_close (&kept[1][i]));
    }
    close_now (push);
    close_now (pull);
    OK (zmq_ctx_term (ctx));
    return cost;
}

static void a_kept_message_keeps_no_other_memory_when_told (void **state)
{
    (void) state;
    const long cost = bytes_kept (0);
    printf ("0: %ld bytes for %d messages\n", cost, MESSAGES / KEPT_EVERY);
    if (memory_tells ())
        assert_in_range (cost < 0 ? 0 : cost, 0, 1500000);
}

static void a_kept_message_keeps_no_other_memory_by_default (void **state)
{
    (void) state;
    OURS_IS_BETTER ("a small message that is kept keeps 8 kB, with all the messages that came with it");
    const long cost = bytes_kept (1);
    printf ("1: %ld bytes for %d messages\n", cost, MESSAGES / KEPT_EVERY);
    if (memory_tells ())
        assert_in_range (cost < 0 ? 0 : cost, 0, 1500000);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_kept_message_keeps_no_other_memory_when_told),
        cmocka_unit_test (a_kept_message_keeps_no_other_memory_by_default),
    };
    set_watchdog (120);
    return cmocka_run_group_tests_name ("zero_copy_recv", tests, NULL, NULL);
}
