/* tipc, vsock and vmci: wire/transports.md sections 2, 10 and 11; what they carry is test_transport_pairs. Most kernels have
 * only some of the families: rows that need one are skipped with the reason; what a kernel without it has to answer is
 * tested everywhere. */
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

static void TIPC_a_port_can_be_reached_by_its_number (void **state)
{
    (void) state;
    char shown[256];
    need_transport ("tipc");
    need_kernel (AF_TIPC, "tipc");
    void *ctx = new_ctx (), *pull = new_socket (ctx, ZMQ_PULL), *push = new_socket (ctx, ZMQ_PUSH);
    OK (zmq_connect (push, bind_any (pull, "tipc://<*>", shown)));
    send_text (push, "hello", 0);
    expect_text (pull, "hello");
    close_now (push);
    close_now (pull);
    end_ctx (ctx);
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
        TEST (TIPC_a_port_can_be_reached_by_its_number),
        TEST (TIPC_the_endpoint_after_bind),
        TEST (VSOCK_addresses_that_are_none),
        TEST (VSOCK_the_endpoint_after_bind_and_connect),
        TEST (VSOCK_without_a_kernel_that_has_it),
        TEST (VSOCK_a_connection_that_can_not_be_is_retried),
        TEST (VMCI_is_not_supported),
        TEST (A_transport_that_was_left_out_is_not_supported),
    };
    return cmocka_run_group_tests_name ("linux_transports", tests, NULL, NULL);
}
