// Tcp addresses: the grammar of what follows "tcp://" (spec/wire/transports.md section 3), and
// the socket addresses it stands for.
//
//     bind    = interface ":" port               connect = [ source ";" ] host ":" port
//     source  = interface ":" port               interface = "*" | NIC name | host
//     host    = name | IPv4 | "[" IPv6 [ "%" zone ] "]"
//
// Threads: values only. resolve_connect and resolve_bind may block in the name service; all
//          other functions never do.
#ifndef TERN_TRANSPORT_TCP_ADDRESS_HPP
#define TERN_TRANSPORT_TCP_ADDRESS_HPP

#include "base/error.hpp"
#include "transport/socket_address.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tern {

// One entry of ZMQ_TCP_ACCEPT_FILTER: an address and how many of its leading bits count.
struct AddressFilter {
    SocketAddress address;
    unsigned prefix_bits = 0;
    bool matches(const SocketAddress &peer) const;
};
// "address[/bits]", numeric only. EINVAL when it is anything else.
Result<AddressFilter> parse_address_filter(std::string_view text, bool ipv6);

// What zmq_bind does with its address: every error of the spec. Names that are neither numeric nor
// an interface are looked up (as the reference head does), so this may block the caller of bind.
Result<SocketAddress> resolve_bind(std::string_view address, bool ipv6);

// A connect address cut into its parts; nothing is resolved yet.
struct ConnectAddress {
    std::string host;   // without brackets
    uint16_t port = 0;  // 0 is accepted by zmq_connect and fails at each attempt
    std::string source; // "interface:port", empty when none was given
};
// What zmq_connect checks at once: EINVAL or the parts.
Result<ConnectAddress> parse_connect(std::string_view address);

// The target when no look-up is needed, else nothing. With ipv6, IPv4 becomes IPv4-mapped.
std::optional<SocketAddress> numeric(const ConnectAddress &target, bool ipv6);
// The target, by way of the name service: call it on a resolver thread. EINVAL when unknown.
Result<SocketAddress> resolve_connect(const ConnectAddress &target, bool ipv6);
// The source address; only numbers and interface names, so it never blocks. ENODEV when unknown.
Result<SocketAddress> resolve_source(std::string_view source, bool ipv6);

} // namespace tern

#endif
