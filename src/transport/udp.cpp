#include "transport/udp.hpp"

#include <cstring>
#include <net/if.h>
#include <netinet/in.h>

namespace tern {

namespace {

// Tuning is a wish, as in tcp.cpp.
void wish_for(int fd, int level, int option, int value) {
    (void)::setsockopt(fd, level, option, &value, sizeof value);
}

template <class Value>
Error set(int fd, int level, int option, const Value &value) {
    return Error(::setsockopt(fd, level, option, &value, sizeof value) == 0 ? 0 : errno);
}

const in6_addr &ipv6_of(const SocketAddress &address) {
    return reinterpret_cast<const sockaddr_in6 *>(address.data())->sin6_addr;
}
const in_addr &ipv4_of(const SocketAddress &address) {
    return reinterpret_cast<const sockaddr_in *>(address.data())->sin_addr;
}

SocketAddress unmapped(const SocketAddress &address) {
    if (address.family() == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&ipv6_of(address)))
        return *address.as_ipv4();
    return address;
}

SocketAddress mapped(const SocketAddress &address) {
    sockaddr_in6 result{};
    result.sin6_family = AF_INET6;
    result.sin6_port = htons(address.port());
    result.sin6_addr.s6_addr[10] = result.sin6_addr.s6_addr[11] = 0xff;
    std::memcpy(result.sin6_addr.s6_addr + 12, &ipv4_of(address), sizeof(in_addr));
    return {reinterpret_cast<const sockaddr *>(&result), sizeof result};
}

bool is_group(const SocketAddress &address) {
    if (address.family() == AF_INET6) return IN6_IS_ADDR_MULTICAST(&ipv6_of(address));
    return address.family() == AF_INET && IN_MULTICAST(ntohl(ipv4_of(address).s_addr));
}

SocketAddress any_address(int family, uint16_t port) {
    sockaddr_storage storage{};
    storage.ss_family = static_cast<sa_family_t>(family);
    const auto size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    SocketAddress any(reinterpret_cast<const sockaddr *>(&storage), static_cast<socklen_t>(size));
    any.set_port(port);
    return any;
}

Result<SocketAddress> resolve_host(std::string_view text, bool binds, bool ipv6) {
    if (binds) return resolve_bind(text, ipv6);
    const auto target = parse_connect(text);
    if (!target) return target.error();
    return resolve_connect(*target, ipv6);
}

ip_mreqn ipv4_membership(const UdpAddress &address) {
    ip_mreqn membership{};
    membership.imr_multiaddr = ipv4_of(address.host);
    if (!address.interface.is_empty()) membership.imr_address = ipv4_of(address.interface);
    membership.imr_ifindex = static_cast<int>(address.interface_index);
    return membership;
}

Error join_group(int fd, const UdpAddress &address) {
    if (address.host.family() == AF_INET6) {
        const ipv6_mreq membership{ipv6_of(address.host), address.interface_index};
        return set(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, membership);
    }
    // Only the groups that this descriptor has joined, not those of all others on the host.
    wish_for(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
    return set(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, ipv4_membership(address));
}

Error shape_multicast(int fd, const UdpAddress &address, const TransportOptions &options) {
    const bool ipv6 = address.host.family() == AF_INET6;
    const int loop = options.multicast_loop ? 1 : 0;
    const int hops = options.multicast_hops;
    if (ipv6) {
        wish_for(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, loop);
        wish_for(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hops);
        if (address.interface_index == 0) return err::none;
        return set(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(address.interface_index));
    }
    wish_for(fd, IPPROTO_IP, IP_MULTICAST_LOOP, loop);
    wish_for(fd, IPPROTO_IP, IP_MULTICAST_TTL, hops);
    if (address.interface.is_empty()) return err::none;
    return set(fd, IPPROTO_IP, IP_MULTICAST_IF, ipv4_membership(address));
}

Result<Fd> open_socket(const UdpAddress &address, const TransportOptions &options) {
    const int family = address.host.family();
    Fd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
    if (!fd.is_open()) return Error(errno);
    if (family == AF_INET6) wish_for(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (options.tos != 0) {
        if (family == AF_INET6) wish_for(fd.get(), IPPROTO_IPV6, IPV6_TCLASS, options.tos);
        else wish_for(fd.get(), IPPROTO_IP, IP_TOS, options.tos);
    }
    if (options.priority != 0) wish_for(fd.get(), SOL_SOCKET, SO_PRIORITY, options.priority);
    if (options.sndbuf >= 0) wish_for(fd.get(), SOL_SOCKET, SO_SNDBUF, options.sndbuf);
    if (options.rcvbuf >= 0) wish_for(fd.get(), SOL_SOCKET, SO_RCVBUF, options.rcvbuf);
    const std::string &device = options.bind_to_device;
    if (!device.empty() && ::setsockopt(fd.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                                        static_cast<socklen_t>(device.size())) != 0)
        return Error(errno);
    if (const Error error = shape_multicast(fd.get(), address, options)) return error;
    return fd;
}

Result<Fd> open_bound(const UdpAddress &address, const TransportOptions &options) {
    auto fd = open_socket(address, options);
    if (!fd) return fd.error();
    SocketAddress local = address.host;
    if (address.is_multicast) { // every member on this host gets it
        wish_for(fd->get(), SOL_SOCKET, SO_REUSEADDR, 1);
        wish_for(fd->get(), SOL_SOCKET, SO_REUSEPORT, 1);
        local = any_address(local.family(), local.port());
    }
    if (::bind(fd->get(), local.data(), local.size()) != 0) return Error(errno);
    if (address.is_multicast)
        if (const Error error = join_group(fd->get(), address)) return error;
    return fd;
}

} // namespace

Result<UdpAddress> resolve_udp(std::string_view text, bool binds, bool ipv6) {
    const size_t semicolon = text.rfind(';');
    const bool has_interface = semicolon != text.npos;
    const auto host = resolve_host(has_interface ? text.substr(semicolon + 1) : text, binds, ipv6);
    if (!host) return host.error();
    UdpAddress address;
    address.host = unmapped(*host);
    address.is_multicast = is_group(address.host);
    const bool is_ipv6 = address.host.family() == AF_INET6;
    if (is_ipv6)
        address.interface_index =
            reinterpret_cast<const sockaddr_in6 *>(address.host.data())->sin6_scope_id;
    if (!has_interface) return address;
    if (!address.is_multicast) return err::invalid;
    const std::string name(text.substr(0, semicolon));
    const auto interface = resolve_source(name + ":*", is_ipv6);
    if (!interface) return interface.error();
    if (is_group(*interface)) return err::invalid;
    if (name == "*") return address;
    address.interface = *interface;
    if (const unsigned index = ::if_nametoindex(name.c_str())) address.interface_index = index;
    if (is_ipv6 && address.interface_index == 0) return err::no_device;
    return address;
}

Result<Fd> udp_open_sender(const UdpAddress &address, const TransportOptions &options) {
    return open_socket(address, options);
}

Result<Fd> udp_open_receiver(const UdpAddress &address, const TransportOptions &options) {
    auto fd = open_bound(address, options);
    const bool lacks_ipv6 = fd.error().number() == EAFNOSUPPORT && !address.is_multicast &&
                            address.host.family() == AF_INET6 && address.host.as_ipv4();
    if (!lacks_ipv6) return fd;
    UdpAddress ipv4 = address;
    ipv4.host = *address.host.as_ipv4();
    return open_bound(ipv4, options);
}

std::string udp_peer_text(const SocketAddress &peer) {
    const SocketAddress address = unmapped(peer);
    const std::string host = address.host_text();
    return (address.family() == AF_INET6 ? "[" + host + "]" : host) + ":" +
           std::to_string(address.port());
}

Result<SocketAddress> parse_udp_peer(std::string_view text, int family) {
    const auto target = parse_connect(text);
    if (!target || !target->source.empty() || target->port == 0) return err::invalid;
    const bool is_ipv6 = target->host.find(':') != target->host.npos;
    if (is_ipv6 && family != AF_INET6) return err::invalid;
    const auto address = numeric(*target, is_ipv6);
    if (!address) return err::invalid;
    return family == AF_INET6 && !is_ipv6 ? mapped(*address) : *address;
}

} // namespace tern
