// zmq_poll: waits for several sockets and descriptors at once.
// Threads: the caller's. Owner: nobody; all state is on the stack of the call.
//
// An ordinary socket is told that this thread sleeps, and lends its descriptors for the wait. A
// thread-safe one may have other sleepers: it signals a descriptor of ours, the watch.
#ifndef TERN_SOCKET_POLL_ITEMS_HPP
#define TERN_SOCKET_POLL_ITEMS_HPP

#include "base/error.hpp"
#include "socket/socket.hpp"

#include <csignal>
#include <memory>
#include <vector>

namespace tern {

struct PollItem {
    Socket *socket = nullptr; // null: the descriptor
    int fd = -1;
    int wanted = 0; // ZMQ_POLLIN and so on
    int ready = 0;
};

struct PollWays {
    // In force while the call sleeps.
    const sigset_t *signal_mask = nullptr;
    // Where the thread-safe ones among the items signal already; else one is made for the call.
    std::shared_ptr<Waker> watch;
};

// Fills `ready` of every item. The number of items with something ready, 0 at the timeout.
Result<int> poll_items(std::vector<PollItem> &items, long timeout_ms, const PollWays &ways = {});

} // namespace tern

#endif
