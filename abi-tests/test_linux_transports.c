/* tipc, vsock and vmci: wire/transports.md sections 2, 10 and 11. Most kernels have only some of the families: rows that need
 * one are skipped with the reason; what a kernel without it has to answer is tested everywhere. */
#include "lifecycle_support.h"

#include <linux/vm_sockets.h>

static bool kernel_has (int family)
{
    const int fd = socket (family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    close (fd);
    return true;
}

static void need_transport (const char *name)
{
    if (zmq_has (name))
        return;
    printf ("[  SKIPPED ] this library was built without %s\n", name);
    skip ();
}

static void need_kernel (int family, const char *name)
{
    if (kernel_has (family))
        return;
    printf ("[  SKIPPED ] this kernel has no %s\n", name);
    skip ();
}

/* Connections between two sockets of one machine take a transport of their own in the kernel. */
static void need_vsock_loopback (void)
{
    need_kernel (AF_VSOCK, "vsock");
    struct sockaddr_vm a;
    socklen_t size = sizeof a;
    memset (&a, 0, sizeof a);
    a.svm_family = AF_VSOCK;
    a.svm_cid = VMADDR_CID_ANY;
    a.svm_port = VMADDR_PORT_ANY;
    const int server = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int client = socket (AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool works = bind (server, (struct sockaddr *) &a, size) == 0 && listen (server, 1) == 0
                 && getsockname (server, (struct sockaddr *) &a, &size) == 0;
    a.svm_cid = VMADDR_CID_LOCAL;
    works = works && connect (client, (struct sockaddr *) &a, sizeof a) == 0;
    close (client);
    close (server);
    if (!works) {
        printf ("[  SKIPPED ] this kernel has no vsock_loopback\n");
        skip ();
    }
}

static void refuses (const char *const *endpoints, bool bound, int expected)
{
    void *ctx = new_ctx ();
    for (; *endpoints; ++endpoints) {
        void *s = new_socket (ctx, ZMQ_DEALER);
        errno = 0;
        const int result = bound ? zmq_bind (s, *endpoints) : zmq_connect (s, *endpoints);
        if (result != -1 || zmq_errno () != expected)
            fail_msg ("%s %s: %d, %s", bound ? "bind" : "connect", *endpoints, result, zmq_strerror (zmq_errno ()));
        close_now (s);
    }
    end_ctx (ctx);
}

static void connect_shows (const char *endpoint, const char *shown)
{
    void *ctx = new_ctx (), *s = new_socket (ctx, ZMQ_DEALER);
    OK (zmq_connect (s, endpoint));
    expect_endpoint (s, shown);
    OK (zmq_disconnect (s, endpoint));
    close_now (s);
    end_ctx (ctx);
}

/* Every socket pair that a stream transport carries; `connect_to` reaches what `bind_to` is. */
static void carries_messages (const char *bind_to, const char *connect_to)
{
    static const int pairs[][2] = {
        {ZMQ_PAIR, ZMQ_PAIR}, {ZMQ_PULL, ZMQ_PUSH}, {ZMQ_REP, ZMQ_REQ}, {ZMQ_DEALER, ZMQ_DEALER}, {ZMQ_PUB, ZMQ_SUB},
        {ZMQ_ROUTER, ZMQ_DEALER}, {ZMQ_XPUB, ZMQ_XSUB},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; ++i) {
        void *ctx = new_ctx (), *b = new_socket (ctx, pairs[i][0]), *c = new_socket (ctx, pairs[i][1]);
        char shown[256], target[256];
        bind_any (b, bind_to, shown);
        snprintf (target, sizeof target, "%s%s", connect_to, strchr (connect_to, '{') ? "" : strrchr (shown, ':') + 1);
        OK (zmq_connect (c, *connect_to ? target : shown));
        switch (pairs[i][0]) {
        case ZMQ_PUB:
        case ZMQ_XPUB:
            if (pairs[i][1] == ZMQ_SUB)
                OK (zmq_setsockopt (c, ZMQ_SUBSCRIBE, "", 0));
            else
                assert_int_equal (zmq_send (c, "\1", 1, 0), 1);
            if (pairs[i][0] == ZMQ_XPUB)
                expect_text (b, "\1");
            EVENTUALLY ((send_text (b, "part", ZMQ_SNDMORE), send_text (b, "end", 0),
                         zmq_poll (&(zmq_pollitem_t){c, 0, ZMQ_POLLIN, 0}, 1, 20) == 1));
            expect_text (c, "part");
            expect_text (c, "end");
            break;
        default:
            send_text (c, "part", ZMQ_SNDMORE);
            send_text (c, "end", 0);
            if (pairs[i][0] == ZMQ_ROUTER) {
                char id[64];
                wait_events (b, ZMQ_POLLIN);
                assert_true (zmq_recv (b, id, sizeof id, 0) > 0);
            }
            expect_text (b, "part");
            expect_text (b, "end");
            if (pairs[i][0] == ZMQ_REP) {
                send_text (b, "answer", 0);
                expect_text (c, "answer");
            }
            break;
        }
        close_now (c);
        close_now (b);
        end_ctx (ctx);
    }
}

/* Large messages, a lost peer, and what LINGER still sends. */
static void is_reliable (const char *bind_to, const char *connect_to)
{
    const size_t size = 4 << 20;
    char shown[256], target[256], *large = malloc (size);
    void *ctx = new_ctx (), *b = new_socket (ctx, ZMQ_PULL), *c = new_socket (ctx, ZMQ_PUSH);
    memset (large, 'l', size);
    bind_any (b, bind_to, shown);
    snprintf (target, sizeof target, "%s%s", connect_to, strchr (connect_to, '{') ? "" : strrchr (shown, ':') + 1);
    set_int (c, ZMQ_RECONNECT_IVL, 20);
    OK (zmq_connect (c, *connect_to ? target : shown));
    assert_int_equal (zmq_send (c, large, size, 0), (int) size);
    wait_events (b, ZMQ_POLLIN);
    assert_int_equal (zmq_recv (b, large, size, 0), (int) size);
    if (strchr (connect_to, '{')) { /* an address that can be bound anew */
        close_now (b);
        b = new_socket (ctx, ZMQ_PULL);
        EVENTUALLY (zmq_bind (b, bind_to) == 0);
        /* What went to the one that is gone is lost. */
        EVENTUALLY ((try_send (c, "again"), zmq_poll (&(zmq_pollitem_t){b, 0, ZMQ_POLLIN, 0}, 1, 20) == 1));
    }
    for (int i = 0; i < 500; ++i)
        send_text (c, "rest", 0);
    OK (zmq_close (c));
    for (int rest = 0; rest < 500;) {
        char text[16] = "";
        wait_events (b, ZMQ_POLLIN);
        assert_true (zmq_recv (b, text, sizeof text, 0) > 0);
        if (strcmp (text, "again") != 0) {
            assert_string_equal (text, "rest");
            ++rest;
        }
    }
    close_now (b);
    end_ctx (ctx);
    free (large);
}

static void TIPC_addresses_that_are_none (void **state)
{
    (void) state;
    static const char *const malformed[] = {
        "tipc://x", "tipc://{}", "tipc://{5560}", "tipc://{a,0,0}", "tipc://{5560,-1,0}", "tipc://{5560,5,1}",
        "tipc://{63,0,0}", "tipc://{64,0}", "tipc://{4294967296,0,0}", "tipc://<>", "tipc://<1.2.3>", "tipc://<1.2.3:x>",
        "tipc://{5560,0}@1.1", "tipc://{5560,0}@", NULL};
    static const char *const only_bound[] = {"tipc://<*>", NULL};
    static const char *const only_connected[] = {"tipc://<1.2.3:4>", NULL};
    need_transport ("tipc");
    refuses (only_bound, false, EINVAL);
    refuses (only_connected, true, EINVAL);
    OURS_IS_BETTER ("its errno is an older one where the address is malformed");
    refuses (malformed, true, EINVAL);
    refuses (malformed, false, EINVAL);
}

static void TIPC_the_endpoint_after_connect (void **state)
{
    (void) state;
    need_transport ("tipc");
    connect_shows ("tipc://{5560,0,4}", "tipc://{5560, 0, 4}");
    connect_shows ("tipc://{5560,7}@1.1.1", "tipc://{5560, 7, 16781313}");
    connect_shows ("tipc://{5560,7}@0.0.0", "tipc://{5560, 7, 0}");
    connect_shows ("tipc://<1.2.3:4>", "tipc://<1.2.3:4>");
}

static void TIPC_without_a_kernel_that_has_it (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"tipc://{5560,0,0}", "tipc://{65,0}", "tipc://<*>", NULL};
    struct monitor m;
    need_transport ("tipc");
    if (kernel_has (AF_TIPC)) {
        printf ("[  SKIPPED ] this kernel has tipc\n");
        skip ();
    }
    refuses (endpoints, true, EAFNOSUPPORT);
    void *ctx = new_ctx (), *s = new_socket (ctx, ZMQ_DEALER);
    set_int (s, ZMQ_RECONNECT_IVL, 10);
    monitor_start (&m, ctx, s, ZMQ_EVENT_ALL);
    OK (zmq_connect (s, endpoints[0]));
    monitor_wait (&m, ZMQ_EVENT_CONNECT_RETRIED);
    monitor_close (&m, s);
    end_ctx (ctx);
}

static void TIPC_carries_messages (void **state)
{
    (void) state;
    need_transport ("tipc");
    need_kernel (AF_TIPC, "tipc");
    carries_messages ("tipc://{5560,0,0}", "tipc://{5560,0}@0.0.0");
    carries_messages ("tipc://<*>", "");
    is_reliable ("tipc://{5560,0,0}", "tipc://{5560,0}@0.0.0");
}

static void TIPC_the_endpoint_after_bind (void **state)
{
    (void) state;
    char shown[256];
    need_transport ("tipc");
    need_kernel (AF_TIPC, "tipc");
    void *ctx = new_ctx (), *s = new_socket (ctx, ZMQ_PULL);
    /* The port, whatever name it has. */
    bind_any (s, "tipc://{5561,0,3}", shown);
    assert_int_equal (strncmp (shown, "tipc://<", 8), 0);
    OK (zmq_unbind (s, "tipc://{5561,0,3}"));
    bind_any (s, "tipc://<*>", shown);
    assert_int_equal (strncmp (shown, "tipc://<", 8), 0);
    close_now (s);
    end_ctx (ctx);
}

static void VSOCK_addresses_that_are_none (void **state)
{
    (void) state;
    static const char *const malformed[] = {
        "vsock://x", "vsock://1", "vsock://1:", "vsock://:1", "vsock://x:1", "vsock://1:x", "vsock://1:2:3",
        "vsock://4294967296:1", "vsock://1:4294967296", NULL};
    need_transport ("vsock");
    refuses (malformed, true, EINVAL);
    refuses (malformed, false, EINVAL);
}

static void VSOCK_the_endpoint_after_bind_and_connect (void **state)
{
    (void) state;
    char shown[256];
    need_transport ("vsock");
    connect_shows ("vsock://1:5", "vsock://1:5");
    need_kernel (AF_VSOCK, "vsock");
    void *ctx = new_ctx (), *s = new_socket (ctx, ZMQ_PULL), *other = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "vsock://*:*", shown);
    assert_int_equal (strncmp (shown, "vsock://*:", 10), 0);
    assert_true (atol (shown + 10) > 0);
    FAILS (zmq_bind (other, shown), EADDRINUSE);
    OK (zmq_unbind (s, shown));
    EVENTUALLY (zmq_bind (other, shown) == 0);
    close_now (other);
    close_now (s);
    end_ctx (ctx);
}

static void VSOCK_without_a_kernel_that_has_it (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"vsock://*:*", NULL};
    need_transport ("vsock");
    if (kernel_has (AF_VSOCK)) {
        printf ("[  SKIPPED ] this kernel has vsock\n");
        skip ();
    }
    refuses (endpoints, true, EAFNOSUPPORT);
}

static void VSOCK_carries_messages (void **state)
{
    (void) state;
    need_transport ("vsock");
    need_vsock_loopback ();
    carries_messages ("vsock://*:*", "vsock://1:");
    is_reliable ("vsock://*:*", "vsock://1:");
}

static void VSOCK_a_connection_that_can_not_be_is_retried (void **state)
{
    (void) state;
    struct monitor m;
    need_transport ("vsock");
    void *ctx = new_ctx (), *s = new_socket (ctx, ZMQ_DEALER);
    set_int (s, ZMQ_RECONNECT_IVL, 10);
    set_int (s, ZMQ_CONNECT_TIMEOUT, 1000);
    monitor_start (&m, ctx, s, ZMQ_EVENT_ALL);
    OK (zmq_connect (s, "vsock://1:4294967294"));
    monitor_wait_without (&m, ZMQ_EVENT_CONNECT_RETRIED, ZMQ_EVENT_CONNECTED);
    monitor_close (&m, s);
    end_ctx (ctx);
}

static void VMCI_is_not_supported (void **state)
{
    (void) state;
    static const char *const endpoints[] = {"vmci://1:5", "vmci://*:*", NULL};
    if (zmq_has ("vmci"))
        skip ();
    refuses (endpoints, true, EPROTONOSUPPORT);
    refuses (endpoints, false, EPROTONOSUPPORT);
}

static void A_transport_that_was_left_out_is_not_supported (void **state)
{
    (void) state;
    static const char *const tipc[] = {"tipc://{5560,0,0}", NULL};
    static const char *const vsock[] = {"vsock://*:*", NULL};
    if (!zmq_has ("tipc"))
        refuses (tipc, true, EPROTONOSUPPORT);
    if (!zmq_has ("vsock"))
        refuses (vsock, true, EPROTONOSUPPORT);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (TIPC_addresses_that_are_none),
        TEST (TIPC_the_endpoint_after_connect),
        TEST (TIPC_without_a_kernel_that_has_it),
        TEST (TIPC_carries_messages),
        TEST (TIPC_the_endpoint_after_bind),
        TEST (VSOCK_addresses_that_are_none),
        TEST (VSOCK_the_endpoint_after_bind_and_connect),
        TEST (VSOCK_without_a_kernel_that_has_it),
        TEST (VSOCK_carries_messages),
        TEST (VSOCK_a_connection_that_can_not_be_is_retried),
        TEST (VMCI_is_not_supported),
        TEST (A_transport_that_was_left_out_is_not_supported),
    };
    return cmocka_run_group_tests_name ("linux_transports", tests, NULL, NULL);
}
