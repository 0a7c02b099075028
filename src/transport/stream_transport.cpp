#include "transport/stream_transport.hpp"

#include "transport/ipc.hpp"
#include "transport/tcp.hpp"
#ifdef TERN_HAVE_TIPC
#include "transport/tipc.hpp"
#endif
#ifdef TERN_HAVE_VSOCK
#include "transport/vsock.hpp"
#endif
#ifdef TERN_HAVE_WS
#include "transport/ws.hpp"
#endif

#include <fcntl.h>
#include <sys/socket.h>

namespace tern {

const StreamTransport *find_stream_transport(Endpoint::Transport transport) {
    switch (transport) {
    case Endpoint::Transport::tcp: return &tcp_transport();
    case Endpoint::Transport::ipc: return &ipc_transport();
#ifdef TERN_HAVE_TIPC
    case Endpoint::Transport::tipc: return &tipc_transport();
#endif
#ifdef TERN_HAVE_VSOCK
    case Endpoint::Transport::vsock: return &vsock_transport();
#endif
#ifdef TERN_HAVE_WS
    case Endpoint::Transport::ws: return &ws_transport();
#endif
#ifdef TERN_HAVE_WSS
    case Endpoint::Transport::wss: return &wss_transport();
#endif
    default: return nullptr;
    }
}

Error adopt_listener(int fd) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0) return Error(errno);
    if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) return Error(errno);
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) return Error(errno);
    return err::none;
}

Result<Fd> open_stream_socket(int family) {
    Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.is_open()) return Error(errno);
    return fd;
}

Error finish_connect(int fd) {
    int outcome = 0;
    socklen_t size = sizeof outcome;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &size) != 0) return Error(errno);
    return Error(outcome);
}

Connecting begin_connect(Fd fd, const SocketAddress &target) {
    Connecting connecting;
    if (::connect(fd.get(), target.data(), target.size()) != 0) {
        // After EINTR the kernel goes on connecting, too.
        connecting.in_progress = errno == EINPROGRESS || errno == EINTR;
        if (!connecting.in_progress) connecting.error = Error(errno);
    }
    connecting.fd = std::move(fd);
    return connecting;
}

Result<Accepted> accept_one(int listener_fd, SocketAddress &peer) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto *address = reinterpret_cast<sockaddr *>(&storage);
    Accepted accepted;
    do {
        size = sizeof storage;
        accepted.fd.reset(::accept4(listener_fd, address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    } while (!accepted.fd.is_open() && errno == EINTR);
    if (!accepted.fd.is_open()) return Error(errno);
    peer = SocketAddress(address, size);
    return accepted;
}

} // namespace tern
