// What a poller reports, and what it can be asked for.
#ifndef TERN_REACTOR_POLL_EVENT_HPP
#define TERN_REACTOR_POLL_EVENT_HPP

#include <cstdint>

namespace tern {

namespace ready {
enum : unsigned {
    read = 1,
    write = 2,
    // Reported only: the peer has hung up or the descriptor is in error. Not the end of data:
    // read until the kernel says so.
    hangup = 4,
    // Asked only: readiness is reported once when it begins. Whoever takes the report reads until
    // nothing is left (or remembers that he did not), then calls rearm().
    edge = 8,
};
} // namespace ready

struct PollEvent {
    uint64_t id;
    unsigned ready;
};

} // namespace tern

#endif
