#include "transport/stream_io.hpp"

#include <algorithm>
#include <climits>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#if defined(__linux__)
#include <linux/sockios.h>
#endif

namespace tern {

namespace {

bool has_bytes(const iovec *pieces, int count) {
    for (int i = 0; i < count; ++i) {
        if (pieces[i].iov_len > 0) return true;
    }
    return false;
}

msghdr header_for(const iovec *pieces, int count) {
    msghdr header{};
    header.msg_iov = const_cast<iovec *>(pieces); // the kernel does not write to it
    header.msg_iovlen = static_cast<size_t>(count < IOV_MAX ? count : IOV_MAX);
    return header;
}

IoResult failure_of(int number) {
    if (number == EAGAIN || number == EWOULDBLOCK) {
        return {IoResult::Status::would_block, 0, err::none};
    }
    return {IoResult::Status::failed, 0, Error(number)};
}

IoResult moved(ssize_t count) {
    return {IoResult::Status::ok, static_cast<size_t>(count), err::none};
}

IoResult read_result(ssize_t count) {
    if (count < 0) return failure_of(errno);
    if (count == 0) return {IoResult::Status::closed, 0, err::none};
    return moved(count);
}

#if defined(SO_PROTOCOL)
bool is_tcp(int fd) {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    return !::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) && protocol == IPPROTO_TCP;
}
#endif

} // namespace

IoResult read_some(int fd, void *buffer, size_t size) {
    if (size == 0) return moved(0); // recv would answer as at the end of the stream
    ssize_t count;
    do {
        count = ::recv(fd, buffer, size, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    return read_result(count);
}

IoResult read_vector(int fd, const iovec *pieces, int count) {
    if (count == 1) return read_some(fd, pieces->iov_base, pieces->iov_len);
    if (!has_bytes(pieces, count)) return moved(0);
    msghdr header = header_for(pieces, count);
    ssize_t got;
    do {
        got = ::recvmsg(fd, &header, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    return read_result(got);
}

IoResult write_some(int fd, const void *data, size_t size) {
    ssize_t sent;
    do {
        sent = ::send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? failure_of(errno) : moved(sent);
}

IoResult write_vector(int fd, const iovec *pieces, int count) {
    if (count == 1) return write_some(fd, pieces->iov_base, pieces->iov_len);
    const msghdr header = header_for(pieces, count);
    ssize_t sent;
    do {
        sent = ::sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? failure_of(errno) : moved(sent);
}

void notice_loss(int fd) {
    int asks = 0;
    socklen_t size = sizeof asks;
    if (::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &asks, &size) || asks) return; // as somebody has wished
    asks = 1;
    (void)::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &asks, sizeof asks);
#if defined(TCP_KEEPIDLE)
    const int idle_seconds = 60;
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_seconds, sizeof idle_seconds);
#endif
}

bool gather_input(int fd, int bytes) {
#if defined(__linux__)
    return is_tcp(fd) && !::setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
#else
    (void)fd, (void)bytes; // BSD's kernel makes no room
    return false;
#endif
}

void end_writing(int fd) { (void)::shutdown(fd, SHUT_WR); }

size_t unconfirmed_bytes(int fd) {
    int bytes = 0;
#if defined(SO_PROTOCOL) && defined(SIOCOUTQ)
    if (!is_tcp(fd) || ::ioctl(fd, SIOCOUTQ, &bytes)) return 0;
#elif defined(SO_NWRITE)
    socklen_t size = sizeof bytes;
    if (::getsockopt(fd, SOL_SOCKET, SO_NWRITE, &bytes, &size)) return 0;
#else
    (void)fd;
#endif
    return size_t(bytes);
}

bool await_writable(int fd, Nanoseconds timeout) {
    pollfd item{fd, POLLOUT, 0};
    const Nanoseconds ms = (timeout + ns_per_ms - 1) / ns_per_ms;
    return ::poll(&item, 1, int(std::min(ms, Nanoseconds(INT_MAX)))) > 0;
}

} // namespace tern
