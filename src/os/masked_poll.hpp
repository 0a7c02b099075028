// poll(2) with another signal mask while it waits, swapped by the kernel together with the wait.
// Threads: the caller's.
#ifndef TERN_OS_MASKED_POLL_HPP
#define TERN_OS_MASKED_POLL_HPP

#include "os/clock.hpp"

#include <csignal>
#include <poll.h>

namespace tern {

// As poll(2); `never` waits for ever. Null mask: no other mask. ENOTSUP where the system has no such
// call.
int masked_poll(pollfd *items, nfds_t count, Nanoseconds timeout, const sigset_t *mask);

} // namespace tern

#endif
