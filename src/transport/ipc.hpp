// Ipc: Unix domain stream sockets (spec/wire/transports.md section 4).
//
//     address = path | "@" name (abstract) | "*" (bind only: a fresh path)
//
// All descriptors are non-blocking and close-on-exec. Whatever errno the system gives is returned.
// Threads: values only; no call blocks.
// Owner:   the caller owns the descriptors, and the files that Listening tells it to remove.
#ifndef TERN_TRANSPORT_IPC_HPP
#define TERN_TRANSPORT_IPC_HPP

#include "transport/stream_transport.hpp"

#include <string>
#include <string_view>

namespace tern {

// What zmq_connect checks at once: EINVAL ("@" alone), ENAMETOOLONG.
Error check_ipc_address(std::string_view address);

// A file of that name is unlinked first, so a second bind takes the address over.
Result<Listening> ipc_listen(std::string_view address, const TransportOptions &options);
// Call it when the listener closes; empty paths are skipped, failures ignored.
void ipc_remove_files(const std::string &path, const std::string &directory);

// EAGAIN when nobody waits, accept_filtered, or any errno of accept(2).
Result<Accepted> ipc_accept(int listener_fd, const TransportOptions &options);

// EAGAIN when the listener's backlog is full: try again later, there is nothing to wait for.
Connecting ipc_connect(const SocketAddress &target);
// The path or name as the kernel takes it.
Result<SocketAddress> ipc_socket_address(std::string_view address);

// "ipc://..." of either end; "" when that end has no name.
std::string ipc_local_endpoint(int fd);
std::string ipc_peer_endpoint(int fd);
// The Peer-Address property: "localhost:uid:gid:pid".
std::string ipc_peer_address(int fd);

// The same for listeners and connectors.
const StreamTransport &ipc_transport();

} // namespace tern

#endif
