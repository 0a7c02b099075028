// zmq_poll: waits for several sockets and descriptors at once.
// Threads: the caller's. Owner: nobody; all state is on the stack of the call.
#ifndef TERN_SOCKET_POLL_ITEMS_HPP
#define TERN_SOCKET_POLL_ITEMS_HPP

#include "base/error.hpp"
#include "socket/socket.hpp"

#include <vector>

namespace tern {

struct PollItem {
    Socket *socket = nullptr; // null: the descriptor
    int fd = -1;
    int wanted = 0; // ZMQ_POLLIN and so on
    int ready = 0;
};

// Fills `ready` of every item. The number of items with something ready, 0 at the timeout.
Result<int> poll_items(std::vector<PollItem> &items, long timeout_ms);

} // namespace tern

#endif
