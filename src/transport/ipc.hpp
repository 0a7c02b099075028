// Ipc: Unix domain stream sockets (spec/wire/transports.md section 4).
//
//     address = path | "@" name (abstract) | "*" (bind only: a fresh path)
//
// All descriptors are non-blocking and close-on-exec. Whatever errno the system gives is returned.
// Threads: values only; no call blocks.
// Owner:   the caller owns the descriptors, and the files that IpcListening tells it to remove.
#ifndef TERN_TRANSPORT_IPC_HPP
#define TERN_TRANSPORT_IPC_HPP

#include "base/error.hpp"
#include "os/fd.hpp"
#include "transport/tcp.hpp"
#include "transport/transport_options.hpp"

#include <string>
#include <string_view>

namespace tern {

// What zmq_connect checks at once: EINVAL ("@" alone), ENAMETOOLONG.
Error check_ipc_address(std::string_view address);

struct IpcListening {
    Fd fd;
    std::string endpoint;       // as ZMQ_LAST_ENDPOINT shows it
    std::string path_to_remove; // both only after a wildcard bind; else empty
    std::string directory_to_remove;
};
// A file of that name is unlinked first, so a second bind takes the address over.
Result<IpcListening> ipc_listen(std::string_view address, const TransportOptions &options);
// Call it when the listener closes; empty paths are skipped, failures ignored.
void ipc_remove_files(const std::string &path, const std::string &directory);

// EAGAIN when nobody waits, accept_filtered, or any errno of accept(2).
Result<Accepted> ipc_accept(int listener_fd, const TransportOptions &options);

// EAGAIN when the listener's backlog is full: try again later, there is nothing to wait for.
Result<Connecting> ipc_connect(std::string_view address, const TransportOptions &options);
Error ipc_finish_connect(int fd);

// "ipc://..." of either end; "" when that end has no name.
std::string ipc_local_endpoint(int fd);
std::string ipc_peer_endpoint(int fd);
// The Peer-Address property: "localhost:uid:gid:pid".
std::string ipc_peer_address(int fd);

} // namespace tern

#endif
