// Tcp: descriptors for listening, accepted and connecting TCP sockets, tuned by TransportOptions.
// All are non-blocking and close-on-exec. Whatever errno the system gives is returned.
// Threads: values only; no call blocks, except that tcp_listen may look a name up.
// Owner:   the caller owns every descriptor it is given.
#ifndef TERN_TRANSPORT_TCP_HPP
#define TERN_TRANSPORT_TCP_HPP

#include "base/error.hpp"
#include "os/fd.hpp"
#include "transport/tcp_address.hpp"
#include "transport/transport_options.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tern {

// accept's answer for a peer that the filters keep out; it has been closed already.
inline constexpr Error accept_filtered{EACCES};

struct Listening {
    Fd fd;
    std::string endpoint; // as ZMQ_LAST_ENDPOINT shows it
};
// `address` is what follows "tcp://". With use_fd it is ignored and that descriptor is taken over.
Result<Listening> tcp_listen(std::string_view address, const TransportOptions &options);
// Makes a listening socket of the application's (ZMQ_USE_FD) non-blocking and close-on-exec.
Error adopt_listener(int fd);

struct Accepted {
    Fd fd;
    std::string peer_endpoint; // "tcp://127.0.0.1:40000", for monitors
    std::string peer_address;  // the Peer-Address property
};
// EAGAIN when nobody waits, accept_filtered, or any errno of accept(2).
Result<Accepted> tcp_accept(int listener_fd, const TransportOptions &options);

struct Connecting {
    Fd fd;
    bool in_progress = false; // true: wait until it is writable, then tcp_finish_connect
};
Result<Connecting> tcp_connect(const SocketAddress &target,
                               const std::optional<SocketAddress> &source,
                               const TransportOptions &options);
// The outcome of a connect that was in progress.
Error tcp_finish_connect(int fd);

// "tcp://host:port" of either end; "" when the descriptor can not tell.
std::string tcp_local_endpoint(int fd);
std::string tcp_peer_endpoint(int fd);
// The Peer-Address property: numeric host alone.
std::string tcp_peer_address(int fd);

} // namespace tern

#endif
