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

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace tern {

// An address as the kernel knows it. Empty (size 0) by default.
class SocketAddress {
  public:
    SocketAddress() = default;
    SocketAddress(const sockaddr *address, socklen_t size);
    static Result<SocketAddress> local_of(int fd);
    static Result<SocketAddress> peer_of(int fd);

    const sockaddr *data() const { return reinterpret_cast<const sockaddr *>(&storage_); }
    socklen_t size() const { return size_; }
    bool is_empty() const { return size_ == 0; }
    int family() const { return size_ == 0 ? AF_UNSPEC : storage_.ss_family; }
    uint16_t port() const;
    void set_port(uint16_t port);

    // "tcp://127.0.0.1:5555", "tcp://[::1]:5555"; "" when it is no internet address.
    std::string text() const;
    // Numeric host alone, without brackets, as Peer-Address shows it: "127.0.0.1", "::1".
    std::string host_text() const;

    // The IPv4 address that this IPv6 one stands for (mapped, or the wildcard), if any: for
    // kernels without IPv6, and for comparing with IPv4 filters.
    std::optional<SocketAddress> as_ipv4() const;

    friend bool operator==(const SocketAddress &a, const SocketAddress &b);
    friend bool operator!=(const SocketAddress &a, const SocketAddress &b) { return !(a == b); }

  private:
    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

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
