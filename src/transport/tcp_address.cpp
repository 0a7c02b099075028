#include "transport/tcp_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdlib>
#include <cstring>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

namespace tern {

namespace {

constexpr unsigned ipv4_bits = 32;
constexpr unsigned ipv6_bits = 128;
constexpr unsigned mapped_bits = ipv6_bits - ipv4_bits; // of ::ffff:0:0/96

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct HostPort {
    std::string host; // without brackets
    uint16_t port = 0;
};

enum class Ports {
    strict,          // 1..65535
    wildcard,        // also "*" and "0", both any free port
    zero_is_allowed, // 0..65535
};

// Digits only: unlike atoi, nothing is cut off and nothing wraps.
Result<uint16_t> parse_port(std::string_view text, Ports ports) {
    if (ports == Ports::wildcard && (text == "*" || text == "0")) return uint16_t(0);
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit)) return err::invalid;
    unsigned port = 0;
    for (char c : text) {
        port = port * 10 + unsigned(c - '0');
        if (port > UINT16_MAX) return err::invalid;
    }
    if (port == 0 && ports != Ports::zero_is_allowed) return err::invalid;
    return static_cast<uint16_t>(port);
}

// Cuts at the last colon, so that an IPv6 address needs no brackets.
Result<HostPort> parse_host_port(std::string_view text, Ports ports) {
    const size_t colon = text.rfind(':');
    if (colon == text.npos) return err::invalid;
    const auto port = parse_port(text.substr(colon + 1), ports);
    if (!port) return port.error();
    std::string_view host = text.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    }
    return HostPort{std::string(host), *port};
}

// "name%zone": the zone as an interface index, 0 when there is none.
Result<uint32_t> take_zone(std::string &host) {
    const size_t percent = host.rfind('%');
    if (percent == host.npos) return uint32_t(0);
    const std::string zone = host.substr(percent + 1);
    host.resize(percent);
    if (zone.empty()) return err::invalid;
    const bool is_name = is_letter(zone.front());
    const auto index = is_name ? if_nametoindex(zone.c_str())
                               : static_cast<uint32_t>(std::strtoul(zone.c_str(), nullptr, 10));
    if (index == 0) return err::invalid;
    return index;
}

void set_zone(SocketAddress &address, uint32_t zone) {
    if (zone == 0 || address.family() != AF_INET6) return;
    sockaddr_in6 with_zone;
    std::memcpy(&with_zone, address.data(), sizeof with_zone);
    with_zone.sin6_scope_id = zone;
    address = SocketAddress(reinterpret_cast<const sockaddr *>(&with_zone), sizeof with_zone);
}

SocketAddress any_address(bool ipv6) {
    if (ipv6) {
        sockaddr_in6 any{};
        any.sin6_family = AF_INET6;
        any.sin6_addr = in6addr_any;
        return {reinterpret_cast<const sockaddr *>(&any), sizeof any};
    }
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_ANY);
    return {reinterpret_cast<const sockaddr *>(&any), sizeof any};
}

// The first address of that family on the interface; empty when there is none.
SocketAddress interface_address(const std::string &name, bool ipv6) {
    ifaddrs *all = nullptr;
    if (::getifaddrs(&all) != 0) return {};
    const int family = ipv6 ? AF_INET6 : AF_INET;
    const auto size = static_cast<socklen_t>(ipv6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in));
    SocketAddress found;
    for (const ifaddrs *each = all; each; each = each->ifa_next) {
        if (!each->ifa_addr || each->ifa_addr->sa_family != family) continue;
        if (name != each->ifa_name) continue;
        found = SocketAddress(each->ifa_addr, size);
        break;
    }
    ::freeifaddrs(all);
    return found;
}

enum class Lookup { numbers_only, names };

// With ipv6, an IPv4 address comes back mapped into IPv6.
Result<SocketAddress> look_up(const std::string &host, bool ipv6, Lookup lookup, Error if_unknown) {
    addrinfo hints{};
    hints.ai_family = ipv6 ? AF_INET6 : AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    if (ipv6) hints.ai_flags |= AI_V4MAPPED;
    if (lookup == Lookup::numbers_only) hints.ai_flags |= AI_NUMERICHOST;
    addrinfo *found = nullptr;
    const int answer = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
    if (answer == EAI_MEMORY) return err::no_memory;
    if (answer != 0 || !found) return if_unknown;
    const SocketAddress address(found->ai_addr, found->ai_addrlen);
    ::freeaddrinfo(found);
    return address;
}

// An address of this host, for bind.
Result<SocketAddress> resolve_local(HostPort local, bool ipv6, Lookup lookup) {
    const auto zone = take_zone(local.host);
    if (!zone) return zone.error();
    SocketAddress address;
    if (local.host == "*") {
        address = any_address(ipv6);
    } else {
        address = interface_address(local.host, ipv6);
    }
    if (address.is_empty()) {
        const auto found = look_up(local.host, ipv6, lookup, err::no_device);
        if (!found) return found.error();
        address = *found;
    }
    set_zone(address, *zone);
    address.set_port(local.port);
    return address;
}

Result<SocketAddress> resolve_remote(const ConnectAddress &target, bool ipv6, Lookup lookup) {
    if (target.port == 0) return err::invalid;
    std::string host = target.host;
    const auto zone = take_zone(host);
    if (!zone) return zone.error();
    const auto found = look_up(host, ipv6, lookup, err::invalid);
    if (!found) return found.error();
    SocketAddress address = *found;
    set_zone(address, *zone);
    address.set_port(target.port);
    return address;
}

} // namespace

// An IPv4 peer of a dual-stack listener shows up mapped; it meets the filters of either family.
bool AddressFilter::matches(const SocketAddress &peer) const {
    uint8_t bytes[16];
    if (peer.family() == address.family()) {
        std::memcpy(bytes, peer.raw_bytes(), peer.family() == AF_INET6 ? 16 : 4);
    } else if (peer.family() == AF_INET6 && peer.is_mapped()) {
        std::memcpy(bytes, peer.raw_bytes() + 12, 4);
    } else if (peer.family() == AF_INET && address.family() == AF_INET6) {
        std::memset(bytes, 0, 10);
        std::memset(bytes + 10, 0xff, 2);
        std::memcpy(bytes + 12, peer.raw_bytes(), 4);
    } else {
        return false;
    }
    const uint8_t *wanted = address.raw_bytes();
    const unsigned whole = prefix_bits / 8;
    if (std::memcmp(bytes, wanted, whole) != 0) return false;
    const unsigned rest = prefix_bits % 8;
    return rest == 0 || (bytes[whole] ^ wanted[whole]) >> (8 - rest) == 0;
}

Result<AddressFilter> parse_address_filter(std::string_view text, bool ipv6) {
    const size_t slash = text.rfind('/');
    std::string_view host_text = text.substr(0, slash);
    if (host_text.size() >= 2 && host_text.front() == '[' && host_text.back() == ']') {
        host_text = host_text.substr(1, host_text.size() - 2);
    }
    std::string host(host_text);
    const auto zone = take_zone(host);
    if (!zone) return zone.error();
    const auto address = look_up(host, ipv6, Lookup::numbers_only, err::invalid);
    if (!address) return address.error();

    AddressFilter filter;
    filter.address = *address;
    set_zone(filter.address, *zone);
    const unsigned bits_max = filter.address.family() == AF_INET6 ? ipv6_bits : ipv4_bits;
    filter.prefix_bits = bits_max;
    if (slash == text.npos) return filter;

    const std::string bits_text(text.substr(slash + 1));
    const long bits = std::strtol(bits_text.c_str(), nullptr, 10);
    if (bits > long(bits_max) || (bits < 1 && bits_text != "0")) return err::invalid;
    filter.prefix_bits = static_cast<unsigned>(bits);
    // "10.0.0.0/8" means eight bits of the IPv4 address, also where it is held mapped into IPv6.
    // Taken from the front of the mapped form, they would let every IPv4 peer in.
    const bool is_ipv4_text = host.find(':') == host.npos;
    if (is_ipv4_text && bits_max == ipv6_bits && bits > 0 && bits <= long(mapped_bits)) {
        if (bits > long(ipv4_bits)) return err::invalid; // ends before the IPv4 address begins
        filter.prefix_bits += mapped_bits;
    }
    return filter;
}

Result<SocketAddress> resolve_bind(std::string_view address, bool ipv6) {
    // A source has no use in bind, but libzmq accepts a valid one.
    const size_t semicolon = address.rfind(';');
    if (semicolon != address.npos) {
        const auto source = resolve_source(address.substr(0, semicolon), ipv6);
        if (!source) return source.error();
        address = address.substr(semicolon + 1);
    }
    auto local = parse_host_port(address, Ports::wildcard);
    if (!local) return local.error();
    return resolve_local(std::move(*local), ipv6, Lookup::names);
}

Result<ConnectAddress> parse_connect(std::string_view address) {
    if (address.empty()) return err::invalid;
    const char first = address.front();
    if (!is_digit(first) && !is_letter(first) && first != '[' && first != ':') return err::invalid;
    constexpr std::string_view marks = ".:%;[]_*-";
    for (char c : address.substr(1)) {
        if (!is_digit(c) && !is_letter(c) && marks.find(c) == marks.npos) return err::invalid;
    }
    ConnectAddress result;
    const size_t semicolon = address.rfind(';');
    if (semicolon != address.npos) {
        result.source = address.substr(0, semicolon);
        address = address.substr(semicolon + 1);
    }
    auto target = parse_host_port(address, Ports::zero_is_allowed);
    if (!target) return target.error();
    result.host = std::move(target->host);
    result.port = target->port;
    return result;
}

std::optional<SocketAddress> numeric(const ConnectAddress &target, bool ipv6) {
    auto address = resolve_remote(target, ipv6, Lookup::numbers_only);
    if (!address) return std::nullopt;
    return *address;
}

Result<SocketAddress> resolve_connect(const ConnectAddress &target, bool ipv6) {
    return resolve_remote(target, ipv6, Lookup::names);
}

Result<SocketAddress> resolve_source(std::string_view source, bool ipv6) {
    auto local = parse_host_port(source, Ports::wildcard);
    if (!local) return local.error();
    return resolve_local(std::move(*local), ipv6, Lookup::numbers_only);
}

} // namespace tern
