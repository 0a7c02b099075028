#include "transport/tcp.hpp"

#include <algorithm>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace tern {

namespace {

// Tuning is a wish: a system that refuses it still has a working connection to offer.
void wish(int fd, int level, int option, int value) {
    (void)::setsockopt(fd, level, option, &value, sizeof value);
}

void tune_network(int fd, int family, const TransportOptions &options) {
    if (options.tos != 0) {
        wish(fd, IPPROTO_IP, IP_TOS, options.tos);
        if (family == AF_INET6) wish(fd, IPPROTO_IPV6, IPV6_TCLASS, options.tos);
    }
    if (options.priority != 0) wish(fd, SOL_SOCKET, SO_PRIORITY, options.priority);
    if (options.busy_poll_us != 0) wish(fd, SOL_SOCKET, SO_BUSY_POLL, options.busy_poll_us);
}

void tune_connection(int fd, const TransportOptions &options) {
    wish(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (options.tcp_keepalive != -1) {
        wish(fd, SOL_SOCKET, SO_KEEPALIVE, options.tcp_keepalive);
        if (options.tcp_keepalive_count != -1) {
            wish(fd, IPPROTO_TCP, TCP_KEEPCNT, options.tcp_keepalive_count);
        }
        if (options.tcp_keepalive_idle_s != -1) {
            wish(fd, IPPROTO_TCP, TCP_KEEPIDLE, options.tcp_keepalive_idle_s);
        }
        if (options.tcp_keepalive_interval_s != -1) {
            wish(fd, IPPROTO_TCP, TCP_KEEPINTVL, options.tcp_keepalive_interval_s);
        }
    }
    if (options.tcp_maxrt_ms != 0) {
        wish(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, options.tcp_maxrt_ms);
    }
}

// A fresh descriptor with everything that must be set before bind, listen or connect.
Result<Fd> open_socket(int family, const TransportOptions &options) {
    Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!fd.is_open()) return Error(errno);
    // Dual stack, whatever the system's default is.
    if (family == AF_INET6) wish(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    tune_network(fd.get(), family, options);
    if (!options.bind_to_device.empty()) {
        const std::string &device = options.bind_to_device;
        if (::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                         static_cast<socklen_t>(device.size())) != 0) {
            return Error(errno);
        }
    }
    if (options.sndbuf >= 0) wish(fd.get(), SOL_SOCKET, SO_SNDBUF, options.sndbuf);
    if (options.rcvbuf >= 0) wish(fd.get(), SOL_SOCKET, SO_RCVBUF, options.rcvbuf);
    return fd;
}

bool is_ipv6_missing(Error error, const SocketAddress &address) {
    return error.number() == EAFNOSUPPORT && address.family() == AF_INET6 && address.as_ipv4();
}

Result<Listening> listen_at(const SocketAddress &address, const TransportOptions &options) {
    auto fd = open_socket(address.family(), options);
    if (!fd) return fd.error();
    wish(fd->get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (::bind(fd->get(), address.data(), address.size()) != 0) return Error(errno);
    if (::listen(fd->get(), options.backlog) != 0) return Error(errno);
    Listening listening;
    listening.endpoint = tcp_local_endpoint(fd->get());
    listening.fd = std::move(*fd);
    return listening;
}

Result<Connecting> connect_to(const SocketAddress &target,
                              const std::optional<SocketAddress> &source,
                              const TransportOptions &options) {
    auto fd = open_socket(target.family(), options);
    if (!fd) return fd.error();
    tune_connection(fd->get(), options);
    if (source) {
        wish(fd->get(), SOL_SOCKET, SO_REUSEADDR, 1);
        if (::bind(fd->get(), source->data(), source->size()) != 0) return Error(errno);
    }
    Connecting connecting;
    if (::connect(fd->get(), target.data(), target.size()) != 0) {
        // After EINTR the kernel goes on connecting, too.
        if (errno != EINPROGRESS && errno != EINTR) return Error(errno);
        connecting.in_progress = true;
    }
    connecting.fd = std::move(*fd);
    return connecting;
}

} // namespace

Result<Listening> tcp_listen(std::string_view address, const TransportOptions &options) {
    if (options.use_fd >= 0) {
        if (const Error error = adopt_listener(options.use_fd)) return error;
        Listening listening;
        listening.endpoint = tcp_local_endpoint(options.use_fd);
        listening.fd.reset(options.use_fd);
        return listening;
    }
    const auto local = resolve_bind(address, options.ipv6);
    if (!local) return local.error();
    auto listening = listen_at(*local, options);
    if (!is_ipv6_missing(listening.error(), *local)) return listening;
    return listen_at(*local->as_ipv4(), options);
}

Error adopt_listener(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) return Error(errno);
    if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return Error(errno);
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return Error(errno);
    return err::none;
}

Result<Accepted> tcp_accept(int listener_fd, const TransportOptions &options) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto *address = reinterpret_cast<sockaddr *>(&storage);
    Accepted accepted;
    do {
        size = sizeof storage;
        accepted.fd.reset(::accept4(listener_fd, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    } while (!accepted.fd.is_open() && errno == EINTR);
    if (!accepted.fd.is_open()) return Error(errno);

    const SocketAddress peer(address, size);
    const auto &filters = options.tcp_accept_filters;
    if (!filters.empty() && std::none_of(filters.begin(), filters.end(),
                                         [&](const auto &each) { return each.matches(peer); })) {
        return accept_filtered;
    }
    tune_network(accepted.fd.get(), peer.family(), options);
    tune_connection(accepted.fd.get(), options);
    accepted.peer_endpoint = peer.text();
    accepted.peer_address = peer.host_text();
    return accepted;
}

Result<Connecting> tcp_connect(const SocketAddress &target,
                               const std::optional<SocketAddress> &source,
                               const TransportOptions &options) {
    auto connecting = connect_to(target, source, options);
    if (!is_ipv6_missing(connecting.error(), target)) return connecting;
    return connect_to(*target.as_ipv4(), source ? source->as_ipv4() : source, options);
}

Error tcp_finish_connect(int fd) {
    int outcome = 0;
    socklen_t size = sizeof outcome;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &size) != 0) return Error(errno);
    return Error(outcome);
}

std::string tcp_local_endpoint(int fd) {
    const auto address = SocketAddress::local_of(fd);
    return address ? address->text() : "";
}

std::string tcp_peer_endpoint(int fd) {
    const auto address = SocketAddress::peer_of(fd);
    return address ? address->text() : "";
}

std::string tcp_peer_address(int fd) {
    const auto address = SocketAddress::peer_of(fd);
    return address ? address->host_text() : "";
}

} // namespace tern
