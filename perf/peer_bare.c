// Bare blocking sockets, tcp and ipc: what a library on top of them could reach at best.
// Messages are framed as in ZMTP 3 (flags, size of one or eight bytes, body). Small ones leave in
// writes of 64 KiB, large bodies straight from where they lie; receiving asks for 64 KiB, behind
// the rest of a large body, which goes straight into its place. No copy, no memory of its own per
// message.
#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { buffer_size = 65536, header_max = 9, body_max = 16 << 20 };

struct peer {
    int listener; // -1: none, or it has been answered
    int fd;
    size_t out_size;
    size_t in_at, in_size;
    size_t kept; // size of the last message received
    unsigned char out[buffer_size];
    unsigned char in[buffer_size];
    unsigned char body[body_max];
};

union address {
    struct sockaddr any;
    struct sockaddr_in tcp;
    struct sockaddr_un ipc;
};

static socklen_t read_address(const char *endpoint, union address *address) {
    memset(address, 0, sizeof *address);
    if (starts_with(endpoint, "ipc://")) {
        address->ipc.sun_family = AF_UNIX;
        snprintf(address->ipc.sun_path, sizeof address->ipc.sun_path, "%s", endpoint + 6);
        return sizeof address->ipc;
    }
    char host[64];
    unsigned short port;
    if (sscanf(endpoint, "tcp://%63[0-9.]:%hu", host, &port) != 2) fail(endpoint, "no endpoint");
    address->tcp.sin_family = AF_INET;
    address->tcp.sin_port = htons(port);
    require(inet_pton(AF_INET, host, &address->tcp.sin_addr) == 1, host);
    return sizeof address->tcp;
}

static void set_no_delay(int fd, const union address *address) {
    int on = 1;
    if (address->any.sa_family == AF_INET)
        require(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "TCP_NODELAY");
}

struct peer *new_peer(enum peer_role role, const char *endpoint) {
    struct peer *self = new_memory(1, sizeof *self);
    union address address;
    socklen_t size = read_address(endpoint, &address);
    int fd = socket(address.any.sa_family, SOCK_STREAM, 0), on = 1;
    require(fd >= 0, "socket");
    set_no_delay(fd, &address); // a connection inherits it from its listener
    if (role == role_pull || role == role_answer) {
        if (address.any.sa_family == AF_UNIX) unlink(address.ipc.sun_path);
        require(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "SO_REUSEADDR");
        require(bind(fd, &address.any, size) == 0 && listen(fd, 1) == 0, endpoint);
        self->listener = fd;
        self->fd = -1;
    } else {
        require(connect(fd, &address.any, size) == 0, endpoint);
        self->listener = -1;
        self->fd = fd;
    }
    return self;
}

static void write_all(struct peer *self, struct iovec *parts, int count) {
    while (count > 0) {
        ssize_t written = writev(self->fd, parts, count);
        require(written >= 0, "writev");
        while (count > 0 && (size_t)written >= parts->iov_len) {
            written -= (ssize_t)parts->iov_len;
            ++parts;
            --count;
        }
        if (count > 0) {
            parts->iov_base = (char *)parts->iov_base + written;
            parts->iov_len -= (size_t)written;
        }
    }
}

void flush(struct peer *self) {
    struct iovec part = {self->out, self->out_size};
    if (self->out_size > 0) write_all(self, &part, 1);
    self->out_size = 0;
}

static size_t put_header(unsigned char *out, size_t size) {
    if (size < 256) {
        out[0] = 0;
        out[1] = (unsigned char)size;
        return 2;
    }
    out[0] = 2;
    for (int byte = 0; byte < 8; ++byte)
        out[1 + byte] = (unsigned char)((uint64_t)size >> (56 - 8 * byte));
    return header_max;
}

void send_new(struct peer *self, size_t size) {
    if (size > body_max) fail("size", "too large");
    if (self->out_size + header_max + size > buffer_size) flush(self);
    if (header_max + size <= buffer_size) {
        self->out_size += put_header(self->out + self->out_size, size);
        memset(self->out + self->out_size, 0, size);
        self->out_size += size;
        return;
    }
    unsigned char header[header_max];
    struct iovec parts[2] = {{header, put_header(header, size)}, {self->body, size}};
    write_all(self, parts, 2);
}

// Reads into the place, if there is one, and behind it into the free part of the buffer. Returns
// how much went into the place.
static size_t read_some(struct peer *self, void *place, size_t size) {
    if (self->fd < 0) {
        self->fd = accept(self->listener, NULL, NULL);
        require(self->fd >= 0, "accept");
        close(self->listener);
        self->listener = -1;
    }
    struct iovec parts[2] = {{place, size},
                             {self->in + self->in_size, buffer_size - self->in_size}};
    ssize_t read = size > 0 ? readv(self->fd, parts, 2)
                            : recv(self->fd, parts[1].iov_base, parts[1].iov_len, 0);
    require(read >= 0, "recv");
    if (read == 0) fail("recv", "the other side has gone");
    size_t placed = (size_t)read < size ? (size_t)read : size;
    self->in_size += (size_t)read - placed;
    return placed;
}

// At least so many bytes in the buffer.
static void need(struct peer *self, size_t size) {
    if (self->in_size - self->in_at >= size) return;
    memmove(self->in, self->in + self->in_at, self->in_size - self->in_at);
    self->in_size -= self->in_at;
    self->in_at = 0;
    while (self->in_size < size) read_some(self, NULL, 0);
}

size_t receive(struct peer *self) {
    need(self, 2);
    size_t header = self->in[self->in_at] & 2 ? header_max : 2;
    need(self, header);
    const unsigned char *bytes = self->in + self->in_at;
    uint64_t size = 0;
    for (size_t byte = 1; byte < header; ++byte) size = size << 8 | bytes[byte];
    if (size > body_max) fail("receive", "a message that is too large");
    self->in_at += header;
    size_t here = self->in_size - self->in_at;
    if (here > size) here = (size_t)size;
    self->in_at += here;
    if (here < size) self->in_at = self->in_size = 0; // nothing is left in the buffer
    for (size_t got = here; got < size;) got += read_some(self, self->body + got, size - got);
    return self->kept = (size_t)size;
}

void send_back(struct peer *self) {
    send_new(self, self->kept);
    flush(self);
}

void end_peer(struct peer *self) {
    close(self->fd);
    free(self);
}
