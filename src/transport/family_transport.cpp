#include "transport/family_transport.hpp"

#include <sys/socket.h>

namespace tern {

Result<Listening> FamilyTransport::listen(std::string_view address,
                                          const TransportOptions &options) const {
    const auto local = parse_bind(address);
    if (!local) return local.error();
    auto fd = open_stream_socket(family_);
    if (!fd) return fd.error();
    if (!local->is_empty() && ::bind(fd->get(), local->data(), local->size()) != 0)
        return Error(errno);
    if (::listen(fd->get(), options.backlog) != 0) return Error(errno);
    const auto bound = SocketAddress::local_of(fd->get());
    if (!bound) return bound.error();
    Listening listening;
    listening.endpoint = text(*bound);
    listening.fd = std::move(*fd);
    return listening;
}

Result<Accepted> FamilyTransport::accept(int listener_fd, const TransportOptions &) const {
    SocketAddress peer;
    auto accepted = accept_one(listener_fd, peer);
    if (accepted) accepted->peer_endpoint = text(peer);
    return accepted;
}

Error FamilyTransport::check_connect(std::string_view address, const TransportOptions &) const {
    return parse_connect(address).error();
}

std::string FamilyTransport::connected_text(const Endpoint &endpoint) const {
    return text(parse_connect(endpoint.address));
}

Result<SocketAddress> FamilyTransport::resolve(std::string_view address,
                                               const TransportOptions &) const {
    return parse_connect(address);
}

Connecting FamilyTransport::connect(std::string_view, const SocketAddress &target,
                                    const TransportOptions &) const {
    auto fd = open_stream_socket(family_);
    if (!fd) return {{}, fd.error()};
    return begin_connect(std::move(*fd), target);
}

std::string FamilyTransport::local_endpoint(int fd) const {
    return text(SocketAddress::local_of(fd));
}

} // namespace tern
