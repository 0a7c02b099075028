// zmq_proxy: passes messages between two sockets until something ends it (PRX-1..18).
// Threads: the caller's, which is the only user of all four sockets meanwhile.
#ifndef TERN_SOCKET_PROXY_HPP
#define TERN_SOCKET_PROXY_HPP

#include "base/error.hpp"
#include "socket/socket.hpp"

namespace tern {

// `capture` and `control` may be null. Success only after TERMINATE on the control socket.
Error run_proxy(Socket &front, Socket &back, Socket *capture, Socket *control);

} // namespace tern

#endif
