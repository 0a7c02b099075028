#include "transport/socket_address.hpp"

#include <arpa/inet.h>
#include <cstddef>
#include <cstring>
#include <net/if.h>
#include <netinet/in.h>

namespace tern {

SocketAddress::SocketAddress(const sockaddr *address, socklen_t size) {
    if (!address || size > sizeof storage_) return;
    std::memcpy(&storage_, address, size);
    size_ = size;
}

Result<SocketAddress> SocketAddress::local_of(int fd) {
    SocketAddress result;
    socklen_t size = sizeof result.storage_;
    if (::getsockname(fd, reinterpret_cast<sockaddr *>(&result.storage_), &size) != 0) {
        return Error(errno);
    }
    result.size_ = size;
    return result;
}

Result<SocketAddress> SocketAddress::peer_of(int fd) {
    SocketAddress result;
    socklen_t size = sizeof result.storage_;
    if (::getpeername(fd, reinterpret_cast<sockaddr *>(&result.storage_), &size) != 0) {
        return Error(errno);
    }
    result.size_ = size;
    return result;
}

uint16_t SocketAddress::port() const {
    if (family() == AF_INET) {
        return ntohs(reinterpret_cast<const sockaddr_in *>(&storage_)->sin_port);
    }
    if (family() == AF_INET6) {
        return ntohs(reinterpret_cast<const sockaddr_in6 *>(&storage_)->sin6_port);
    }
    return 0;
}

void SocketAddress::set_port(uint16_t port) {
    if (family() == AF_INET) {
        reinterpret_cast<sockaddr_in *>(&storage_)->sin_port = htons(port);
    } else if (family() == AF_INET6) {
        reinterpret_cast<sockaddr_in6 *>(&storage_)->sin6_port = htons(port);
    }
}

std::string SocketAddress::host_text() const {
    if (family() != AF_INET && family() != AF_INET6) return "";
    char host[INET6_ADDRSTRLEN]; // not getnameinfo, which can fail
    if (!::inet_ntop(family(), raw_bytes(), host, sizeof host)) return "";
    const uint32_t zone =
        family() == AF_INET6 ? reinterpret_cast<const sockaddr_in6 *>(data())->sin6_scope_id : 0;
    if (zone == 0) return host;
    char name[IF_NAMESIZE];
    return std::string(host) + '%' + (::if_indextoname(zone, name) ? name : std::to_string(zone));
}

std::string SocketAddress::authority() const {
    const std::string host = host_text();
    if (host.empty()) return "";
    const std::string shown = family() == AF_INET6 ? "[" + host + "]" : host;
    return shown + ":" + std::to_string(port());
}

std::string SocketAddress::text() const {
    const std::string shown = authority();
    return shown.empty() ? shown : "tcp://" + shown;
}

const uint8_t *SocketAddress::raw_bytes() const {
    const auto *start = reinterpret_cast<const uint8_t *>(data());
    return start + (family() == AF_INET6 ? offsetof(sockaddr_in6, sin6_addr)
                                         : offsetof(sockaddr_in, sin_addr));
}

bool SocketAddress::is_mapped() const {
    constexpr uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return family() == AF_INET6 && std::memcmp(raw_bytes(), prefix, sizeof prefix) == 0;
}

std::optional<SocketAddress> SocketAddress::as_ipv4() const {
    if (family() != AF_INET6) return std::nullopt;
    const bool is_any = std::memcmp(raw_bytes(), &in6addr_any, sizeof in6addr_any) == 0;
    if (!is_any && !is_mapped()) return std::nullopt;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    if (!is_any) std::memcpy(&address.sin_addr, raw_bytes() + 12, sizeof address.sin_addr);
    address.sin_port = htons(port());
    return SocketAddress(reinterpret_cast<const sockaddr *>(&address), sizeof address);
}

bool operator==(const SocketAddress &a, const SocketAddress &b) {
    if (a.family() != b.family()) return false;
    if (a.family() == AF_INET) {
        return a.port() == b.port() && std::memcmp(a.raw_bytes(), b.raw_bytes(), 4) == 0;
    }
    if (a.family() == AF_INET6) {
        const auto *left = reinterpret_cast<const sockaddr_in6 *>(a.data());
        const auto *right = reinterpret_cast<const sockaddr_in6 *>(b.data());
        return a.port() == b.port() && left->sin6_scope_id == right->sin6_scope_id &&
               std::memcmp(a.raw_bytes(), b.raw_bytes(), 16) == 0;
    }
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

bool is_connected_to_itself(int fd) {
    const auto local = SocketAddress::local_of(fd);
    const auto peer = SocketAddress::peer_of(fd);
    return local && peer && local->port() != 0 && *local == *peer;
}

} // namespace tern
