/* IN_BATCH_SIZE and OUT_BATCH_SIZE: BAT-1 of flow.md. What the library asks of the kernel is seen by functions of
   this program that stand before the C library's. */
#include "draft_api.h"
#include "lifecycle_support.h"

#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static size_t most_written, most_read;

static size_t noted (size_t bytes, size_t *most)
{
    size_t seen = __atomic_load_n (most, __ATOMIC_RELAXED);
    while (bytes > seen && !__atomic_compare_exchange_n (most, &seen, bytes, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return bytes;
}

static size_t size_of (const struct msghdr *m)
{
    size_t size = 0;
    for (size_t i = 0; i < m->msg_iovlen; ++i)
        size += m->msg_iov[i].iov_len;
    return size;
}

ssize_t sendmsg (int fd, const struct msghdr *m, int flags)
{
    noted (size_of (m), &most_written);
    return syscall (SYS_sendmsg, fd, m, flags);
}

ssize_t send (int fd, const void *data, size_t size, int flags)
{
    return syscall (SYS_sendto, fd, data, noted (size, &most_written), flags, NULL, 0);
}

ssize_t recvmsg (int fd, struct msghdr *m, int flags)
{
    noted (size_of (m), &most_read);
    return syscall (SYS_recvmsg, fd, m, flags);
}

ssize_t recv (int fd, void *data, size_t size, int flags)
{
    return syscall (SYS_recvfrom, fd, data, noted (size, &most_read), flags, NULL, NULL);
}

enum { BODY = 100, COUNT = 20000, FRAME = BODY + 2 };

/* Sends and receives many messages; `batch` bytes are allowed on both sides. */
static void run (const char *transport, int batch)
{
    char endpoint[256], body[BODY] = {0};
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    void *pull = new_socket (ctx, ZMQ_PULL);
    void *const both[] = {push, pull};
    for (int i = 0; batch > 0 && i < 2; ++i) {
        set_int (both[i], ZMQ_OUT_BATCH_SIZE, batch);
        set_int (both[i], ZMQ_IN_BATCH_SIZE, batch);
    }
    set_int (push, ZMQ_SNDHWM, COUNT);
    bind_any (pull, transport, endpoint);
    OK (zmq_connect (push, endpoint));
    assert_int_equal (zmq_send (push, body, BODY, 0), BODY); /* and the handshake is over */
    assert_int_equal (zmq_recv (pull, body, BODY, 0), BODY);
    __atomic_store_n (&most_written, 0, __ATOMIC_RELAXED);
    __atomic_store_n (&most_read, 0, __ATOMIC_RELAXED);
    for (int i = 0; i < COUNT; ++i)
        assert_int_equal (zmq_send (push, body, BODY, 0), BODY);
    for (int i = 0; i < COUNT; ++i)
        assert_int_equal (zmq_recv (pull, body, BODY, 0), BODY);
    OK (zmq_close (push));
    OK (zmq_close (pull));
    end_ctx (ctx);
}

static void BAT_1_batches_and_reads_are_as_large_as_allowed (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the package has no such options");
    static const char *const transports[] = {"tcp://127.0.0.1:*", "ipc://*"};
    for (size_t i = 0; i < 2; ++i) {
        run (transports[i], 0);
        const size_t usual = most_written;
        assert_true (usual > 5000 + FRAME);
        for (int batch = 500; batch <= 5000; batch *= 10) {
            run (transports[i], batch);
            assert_in_range (most_written, FRAME, batch + FRAME);
            assert_in_range (most_read, FRAME, batch);
        }
        run (transports[i], 1);
        assert_int_equal (most_written, FRAME);
        assert_int_equal (most_read, 1);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (BAT_1_batches_and_reads_are_as_large_as_allowed),
    };
    return cmocka_run_group_tests_name ("batch_size", tests, NULL, NULL);
}
