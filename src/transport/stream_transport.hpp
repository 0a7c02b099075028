// StreamTransport: what a listener and a connector need to know of a transport whose connections
// are stream sockets of the kernel. One object without state for each transport; their addresses
// are what follows "://". All descriptors are non-blocking and close-on-exec; whatever errno the
// system gives is returned.
// Threads: any; only listen() and resolve() may block, and those as they say.
// Owner:   the program, which does not destroy them; the caller owns every descriptor it is given.
#ifndef TERN_TRANSPORT_STREAM_TRANSPORT_HPP
#define TERN_TRANSPORT_STREAM_TRANSPORT_HPP

#include "base/error.hpp"
#include "os/fd.hpp"
#include "transport/endpoint.hpp"
#include "transport/socket_address.hpp"
#include "transport/socks5.hpp"
#include "transport/transport_options.hpp"
#include "transport/wrapping.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace tern {

// accept's answer for a peer that the filters keep out; it has been closed already.
inline constexpr Error accept_filtered{EACCES};

struct Listening {
    Fd fd;
    std::string endpoint;       // as ZMQ_LAST_ENDPOINT shows it
    std::string other_text;     // what zmq_unbind takes as well; or empty
    std::string path_to_remove; // what listen() made for itself alone; else empty
    std::string directory_to_remove;
};

struct Accepted {
    Fd fd;
    std::string peer_endpoint; // "tcp://127.0.0.1:40000", for monitors
    std::string peer_address;  // the Peer-Address property
};

struct Connecting {
    Fd fd;                    // open also after a failure that came after it was made
    Error error;              // none: connected, unless it is in progress
    bool in_progress = false; // wait until it is writable, then finish_connect()

    explicit operator bool() const { return !error; }
};

class StreamTransport {
  public:
    // ---- the bound side
    // May ask the name service, on the caller of zmq_bind. With use_fd, where the transport knows
    // that option, the descriptor is taken over.
    virtual Result<Listening> listen(std::string_view address,
                                     const TransportOptions &options) const = 0;
    // Called when the listener closes. Failures are ignored.
    virtual void remove_files(const Listening &) const {}
    // EAGAIN when nobody waits, accept_filtered, or any errno of accept(2).
    virtual Result<Accepted> accept(int listener_fd, const TransportOptions &options) const = 0;

    // ---- the connecting side
    // What zmq_connect checks at once, without asking anybody: whether a name is known turns out
    // later, in resolve().
    virtual Error check_connect(std::string_view address,
                                const TransportOptions &options) const = 0;
    // As ZMQ_LAST_ENDPOINT shows it after zmq_connect, which has checked it.
    virtual std::string connected_text(const Endpoint &endpoint) const { return endpoint.text; }
    // Another way to write the same endpoint, which zmq_disconnect takes as well (DIS-1); or "".
    virtual std::string other_text(std::string_view, const TransportOptions &) const { return {}; }
    // Whether resolve() would have to ask the name service, and so belongs on a helper thread.
    virtual bool asks_name_service(std::string_view, const TransportOptions &) const {
        return false;
    }
    // Whom to connect to, anew for each attempt; a proxy, where there is one.
    virtual Result<SocketAddress> resolve(std::string_view address,
                                          const TransportOptions &options) const = 0;
    virtual Connecting connect(std::string_view address, const SocketAddress &target,
                               const TransportOptions &options) const = 0;

    // What is to be said on a fresh connection to a proxy before the peer is at its other end; null
    // when there is no proxy between.
    virtual std::unique_ptr<Socks5Client> proxy_client(std::string_view,
                                                       const TransportOptions &) const {
        return nullptr;
    }

    // ---- either side, when the endpoint is made
    // EINVAL: what encryption needs is missing, or is no such thing.
    virtual Result<Wrapping> wrapping(std::string_view /*address*/, const TransportOptions &,
                                      bool /*binds*/) const {
        return Wrapping{};
    }

    // ---- a connection
    // Its own end as monitors show it; "" when it has no name.
    virtual std::string local_endpoint(int fd) const = 0;
    // The Peer-Address property; "" for none.
    virtual std::string peer_address(int fd) const = 0;

  protected:
    // Never run: a helper thread that the name service keeps may outlive the end of the program.
    ~StreamTransport() = default;
};

// The transport of an endpoint; null when it has none of this kind (inproc, udp, ...), or when this
// build lacks it.
const StreamTransport *find_stream_transport(Endpoint::Transport transport);

// Makes a listening socket of the application's (ZMQ_USE_FD) non-blocking and close-on-exec.
Error adopt_listener(int fd);
// A stream socket that does not block and is closed on exec.
Result<Fd> open_stream_socket(int family);
// The outcome of a connect that was in progress, for every stream socket.
Error finish_connect(int fd);
// connect(2) on a descriptor that does not block.
Connecting begin_connect(Fd fd, const SocketAddress &target);
// accept(2), without the peer's texts; the peer's address is left in `peer`.
Result<Accepted> accept_one(int listener_fd, SocketAddress &peer);

} // namespace tern

#endif
