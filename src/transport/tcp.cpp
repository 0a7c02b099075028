#include "transport/tcp.hpp"

#include <algorithm>
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
    const int yes = 1; // or the address would not be free again at once
    if (::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) return Error(errno);
    if (::bind(fd->get(), address.data(), address.size()) != 0) return Error(errno);
    if (::listen(fd->get(), options.backlog) != 0) return Error(errno);
    const auto local = SocketAddress::local_of(fd->get());
    if (!local) return local.error(); // nobody could be told the port, or name it to end it
    Listening listening;
    listening.endpoint = local->text();
    listening.fd = std::move(*fd);
    return listening;
}

Connecting connect_to(const SocketAddress &target, const std::optional<SocketAddress> &source,
                      const TransportOptions &options) {
    auto fd = open_socket(target.family(), options);
    if (!fd) return {{}, fd.error()};
    tune_connection(fd->get(), options);
    if (source) {
        wish(fd->get(), SOL_SOCKET, SO_REUSEADDR, 1);
        if (::bind(fd->get(), source->data(), source->size()) != 0)
            return {std::move(*fd), Error(errno)};
    }
    return begin_connect(std::move(*fd), target);
}

class TcpTransport final : public StreamTransport {
  public:
    Result<Listening> listen(std::string_view address,
                             const TransportOptions &options) const override {
        return tcp_listen(address, options);
    }
    Result<Accepted> accept(int listener_fd, const TransportOptions &options) const override {
        return tcp_accept(listener_fd, options);
    }
    // Through a proxy, the target's host has to fit into a request.
    Error check_connect(std::string_view address, const TransportOptions &options) const override {
        const auto target = parse_connect(address);
        if (!target || options.socks_proxy.empty()) return target.error();
        return Socks5Client::check(target->host);
    }
    std::string other_text(std::string_view address,
                           const TransportOptions &options) const override {
        const auto target = parse_connect(address);
        const auto number = target ? numeric(*target, options.ipv6) : std::nullopt;
        return number ? number->text() : std::string();
    }
    bool asks_name_service(std::string_view address,
                           const TransportOptions &options) const override {
        const auto next = next_hop(address, options);
        return !next || !numeric(*next, options.ipv6);
    }
    Result<SocketAddress> resolve(std::string_view address,
                                  const TransportOptions &options) const override {
        const auto next = next_hop(address, options);
        return next ? resolve_connect(*next, options.ipv6) : next.error();
    }
    Connecting connect(std::string_view address, const SocketAddress &target,
                       const TransportOptions &options) const override {
        const auto next = next_hop(address, options);
        if (!next) return {{}, next.error()};
        if (next->source.empty()) return tcp_connect(target, std::nullopt, options);
        const auto source = resolve_source(next->source, options.ipv6);
        if (!source) return {{}, source.error()};
        return tcp_connect(target, *source, options);
    }
    // The target's name is left to the proxy. A source address of the target's is nobody's then.
    std::unique_ptr<Socks5Client> proxy_client(std::string_view address,
                                               const TransportOptions &options) const override {
        const auto target = parse_connect(address);
        if (!target || options.socks_proxy.empty()) return nullptr;
        return std::make_unique<Socks5Client>(
            target->host, target->port,
            Socks5Client::Account{options.socks_user, options.socks_password});
    }
    std::string local_endpoint(int fd) const override { return tcp_local_endpoint(fd); }
    std::string peer_address(int fd) const override { return tcp_peer_address(fd); }

  private:
    // Who is connected to: the proxy, if there is one.
    static Result<ConnectAddress> next_hop(std::string_view address,
                                           const TransportOptions &options) {
        return parse_connect(options.socks_proxy.empty() ? address : options.socks_proxy);
    }
};

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

Result<Accepted> tcp_accept(int listener_fd, const TransportOptions &options) {
    SocketAddress peer;
    auto accepted = accept_one(listener_fd, peer);
    if (!accepted) return accepted;
    const auto &filters = options.tcp_accept_filters;
    if (!filters.empty() && std::none_of(filters.begin(), filters.end(),
                                         [&](const auto &each) { return each.matches(peer); })) {
        return accept_filtered;
    }
    tune_network(accepted->fd.get(), peer.family(), options);
    tune_connection(accepted->fd.get(), options);
    accepted->peer_endpoint = peer.text();
    accepted->peer_address = peer.host_text();
    return accepted;
}

Connecting tcp_connect(const SocketAddress &target, const std::optional<SocketAddress> &source,
                       const TransportOptions &options) {
    auto connecting = connect_to(target, source, options);
    if (!is_ipv6_missing(connecting.error, target)) return connecting;
    return connect_to(*target.as_ipv4(), source ? source->as_ipv4() : source, options);
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

const StreamTransport &tcp_transport() {
    static const TcpTransport transport;
    return transport;
}

} // namespace tern
