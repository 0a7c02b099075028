// Tcp: descriptors for listening, accepted and connecting TCP sockets, tuned by TransportOptions.
// All are non-blocking and close-on-exec. Whatever errno the system gives is returned.
// Threads: values only; no call blocks, except that tcp_listen may look a name up.
// Owner:   the caller owns every descriptor it is given.
#ifndef TERN_TRANSPORT_TCP_HPP
#define TERN_TRANSPORT_TCP_HPP

#include "transport/stream_transport.hpp"
#include "transport/tcp_address.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tern {

// `address` is what follows "tcp://". With use_fd it is ignored and that descriptor is taken over.
Result<Listening> tcp_listen(std::string_view address, const TransportOptions &options);

Result<Accepted> tcp_accept(int listener_fd, const TransportOptions &options);

Connecting tcp_connect(const SocketAddress &target, const std::optional<SocketAddress> &source,
                       const TransportOptions &options);

// "tcp://host:port" of either end; "" when the descriptor can not tell.
std::string tcp_local_endpoint(int fd);
std::string tcp_peer_endpoint(int fd);
// The Peer-Address property: numeric host alone.
std::string tcp_peer_address(int fd);

// The same for listeners and connectors.
const StreamTransport &tcp_transport();

} // namespace tern

#endif
