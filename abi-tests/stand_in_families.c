/* A stand-in for kernels without tipc and vsock, for test_linux_transports and test_transport_pairs: preloaded, it makes
 * sockets of these families tcp sockets of 127.0.0.1, and translates their addresses both ways. A vsock port is a tcp port;
 * so is a tipc reference, and a tipc service has one that is made of its type and first instance. It shows that the library
 * uses the calls as their pages say, and nothing about the kernel's own families. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/tipc.h>
#include <linux/vm_sockets.h>

enum { FDS_MAX = 4096, SERVICE_PORTS = 20000, NODE = 0x01001001 };

#define REAL(name) ((__typeof__ (&name)) dlsym (RTLD_NEXT, #name))

static atomic_int family_of[FDS_MAX]; /* by descriptor; 0: not ours */

static void note (int fd, int family)
{
    if (fd >= 0 && fd < FDS_MAX)
        family_of[fd] = family;
}

static int family (int fd)
{
    return fd >= 0 && fd < FDS_MAX ? family_of[fd] : 0;
}

static int service_port (unsigned type, unsigned instance)
{
    return SERVICE_PORTS + (int) (type % 1000 + instance);
}

static struct sockaddr_in to_tcp (const struct sockaddr *a)
{
    struct sockaddr_vm vm;
    struct sockaddr_tipc tipc;
    struct sockaddr_in in;
    int port = 0;
    if (a->sa_family == AF_VSOCK) {
        memcpy (&vm, a, sizeof vm);
        port = vm.svm_port == VMADDR_PORT_ANY ? 0 : (int) vm.svm_port;
    } else {
        memcpy (&tipc, a, sizeof tipc);
        if (tipc.addrtype == TIPC_SERVICE_RANGE)
            port = service_port (tipc.addr.nameseq.type, tipc.addr.nameseq.lower);
        else if (tipc.addrtype == TIPC_SERVICE_ADDR)
            port = service_port (tipc.addr.name.name.type, tipc.addr.name.name.instance);
        else
            port = (int) tipc.addr.id.ref;
    }
    memset (&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    in.sin_port = htons ((uint16_t) port);
    return in;
}

static void give (struct sockaddr *out, socklen_t *size, const void *address, socklen_t address_size)
{
    if (!out)
        return;
    memcpy (out, address, *size < address_size ? *size : address_size);
    *size = address_size;
}

static void from_tcp (int of_family, const struct sockaddr_in *in, bool is_local, struct sockaddr *out, socklen_t *size)
{
    struct sockaddr_vm vm;
    struct sockaddr_tipc tipc;
    if (of_family == AF_VSOCK) {
        memset (&vm, 0, sizeof vm);
        vm.svm_family = AF_VSOCK;
        vm.svm_cid = is_local ? VMADDR_CID_ANY : VMADDR_CID_LOCAL;
        vm.svm_port = ntohs (in->sin_port);
        give (out, size, &vm, sizeof vm);
        return;
    }
    memset (&tipc, 0, sizeof tipc);
    tipc.family = AF_TIPC;
    tipc.addrtype = TIPC_SOCKET_ADDR;
    tipc.addr.id.node = NODE;
    tipc.addr.id.ref = ntohs (in->sin_port);
    give (out, size, &tipc, sizeof tipc);
}

int socket (int domain, int type, int protocol)
{
    const bool is_ours = domain == AF_VSOCK || domain == AF_TIPC;
    const int fd = REAL (socket) (is_ours ? AF_INET : domain, type, is_ours ? 0 : protocol);
    note (fd, is_ours ? domain : 0);
    const int one = 1;
    if (is_ours) {
        setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* these families hold nothing back */
    }
    return fd;
}

int bind (int fd, const struct sockaddr *address, socklen_t size)
{
    if (!family (fd))
        return REAL (bind) (fd, address, size);
    const struct sockaddr_in in = to_tcp (address);
    return REAL (bind) (fd, (const struct sockaddr *) &in, sizeof in);
}

int connect (int fd, const struct sockaddr *address, socklen_t size)
{
    if (!family (fd))
        return REAL (connect) (fd, address, size);
    if (address->sa_family == AF_TIPC && ((const struct sockaddr_tipc *) (const void *) address)->addrtype == TIPC_SERVICE_RANGE) {
        errno = EINVAL; /* as the kernel has it */
        return -1;
    }
    const struct sockaddr_in in = to_tcp (address);
    return REAL (connect) (fd, (const struct sockaddr *) &in, sizeof in);
}

int getsockname (int fd, struct sockaddr *address, socklen_t *size)
{
    struct sockaddr_in in;
    socklen_t in_size = sizeof in;
    if (!family (fd))
        return REAL (getsockname) (fd, address, size);
    const int result = REAL (getsockname) (fd, (struct sockaddr *) &in, &in_size);
    if (result == 0)
        from_tcp (family (fd), &in, true, address, size);
    return result;
}

int getpeername (int fd, struct sockaddr *address, socklen_t *size)
{
    struct sockaddr_in in;
    socklen_t in_size = sizeof in;
    if (!family (fd))
        return REAL (getpeername) (fd, address, size);
    const int result = REAL (getpeername) (fd, (struct sockaddr *) &in, &in_size);
    if (result == 0)
        from_tcp (family (fd), &in, false, address, size);
    return result;
}

int accept4 (int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    struct sockaddr_in in;
    socklen_t in_size = sizeof in;
    const int listener = family (fd);
    if (!listener) {
        const int plain = REAL (accept4) (fd, address, size, flags);
        note (plain, 0);
        return plain;
    }
    const int accepted = REAL (accept4) (fd, (struct sockaddr *) &in, &in_size, flags);
    note (accepted, listener);
    if (accepted >= 0)
        from_tcp (listener, &in, false, address, size);
    return accepted;
}
