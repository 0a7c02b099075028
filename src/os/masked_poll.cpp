#include "os/masked_poll.hpp"

#include <cerrno>
#include <ctime>

namespace tern {

#if defined(__linux__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)

int masked_poll(pollfd *items, nfds_t count, Nanoseconds timeout, const sigset_t *mask) {
    timespec limit;
    limit.tv_sec = static_cast<time_t>(timeout / (1000 * ns_per_ms));
    limit.tv_nsec = static_cast<long>(timeout % (1000 * ns_per_ms));
    return ::ppoll(items, count, timeout == never ? nullptr : &limit, mask);
}

#else

int masked_poll(pollfd *, nfds_t, Nanoseconds, const sigset_t *) {
    errno = ENOTSUP;
    return -1;
}

#endif

} // namespace tern
