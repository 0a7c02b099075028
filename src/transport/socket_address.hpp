// SocketAddress: an address of any family, as the kernel takes and gives it.
// Threads: values only.
#ifndef TERN_TRANSPORT_SOCKET_ADDRESS_HPP
#define TERN_TRANSPORT_SOCKET_ADDRESS_HPP

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/socket.h>

namespace tern {

// Empty (size 0) by default.
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

    // "127.0.0.1:5555", "[::1]:5555", and the same behind "tcp://"; "" when it is no internet
    // address.
    std::string authority() const;
    std::string text() const;
    // Numeric host alone, without brackets, as Peer-Address shows it: "127.0.0.1", "::1".
    std::string host_text() const;

    // The IPv4 address that this IPv6 one stands for (mapped, or the wildcard), if any: for
    // kernels without IPv6, and for comparing with IPv4 filters.
    std::optional<SocketAddress> as_ipv4() const;
    // Whether it is an IPv4 address in IPv6 form.
    bool is_mapped() const;
    // An internet address without its port, as the network writes it: 4 or 16 bytes.
    const uint8_t *raw_bytes() const;

    friend bool operator==(const SocketAddress &a, const SocketAddress &b);
    friend bool operator!=(const SocketAddress &a, const SocketAddress &b) { return !(a == b); }

  private:
    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

// Whether both ends of a connection are the same one: TCP allows that when a port connects to
// itself.
bool is_connected_to_itself(int fd);

} // namespace tern

#endif
