// FamilyTransport: a stream transport that is one address family of the kernel's, whose addresses are
// numbers: no names to resolve, no files, no options of its own.
// Threads: as StreamTransport; no call blocks.
#ifndef TERN_TRANSPORT_FAMILY_TRANSPORT_HPP
#define TERN_TRANSPORT_FAMILY_TRANSPORT_HPP

#include "transport/stream_transport.hpp"

namespace tern {

class FamilyTransport : public StreamTransport {
  public:
    Result<Listening> listen(std::string_view address,
                             const TransportOptions &options) const override;
    Result<Accepted> accept(int listener_fd, const TransportOptions &options) const override;
    Error check_connect(std::string_view address, const TransportOptions &options) const override;
    std::string connected_text(const Endpoint &endpoint) const override;
    Result<SocketAddress> resolve(std::string_view address,
                                  const TransportOptions &options) const override;
    Connecting connect(std::string_view address, const SocketAddress &target,
                       const TransportOptions &options) const override;
    std::string local_endpoint(int fd) const override;
    std::string peer_address(int) const override { return {}; }

  protected:
    explicit FamilyTransport(int family) : family_(family) {}

  private:
    // Empty: the kernel's choice, without bind(2).
    virtual Result<SocketAddress> parse_bind(std::string_view address) const = 0;
    virtual Result<SocketAddress> parse_connect(std::string_view address) const = 0;
    // As an endpoint; "" when it is no such address.
    virtual std::string text(const SocketAddress &address) const = 0;
    std::string text(const Result<SocketAddress> &address) const {
        return address ? text(*address) : std::string();
    }

    const int family_;
};

} // namespace tern

#endif
