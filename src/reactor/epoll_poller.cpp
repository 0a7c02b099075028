#include "reactor/epoll_poller.hpp"

#if defined(__linux__)

#include "os/masked_poll.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tern {

namespace {

constexpr int batch_max = 64;
constexpr int pause_ms = 10; // after a wait that failed
constexpr int tries_max = 100;

epoll_event to_kernel(uint64_t id, unsigned interest) {
    epoll_event event{};
    if (interest & ready::read) event.events |= EPOLLIN | EPOLLRDHUP;
    if (interest & ready::write) event.events |= EPOLLOUT;
    if (interest & ready::edge) event.events |= EPOLLET;
    event.data.u64 = id;
    return event;
}

unsigned from_kernel(uint32_t events) {
    unsigned bits = 0;
    if (events & (EPOLLIN | EPOLLPRI)) bits |= ready::read;
    if (events & EPOLLOUT) bits |= ready::write;
    if (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) bits |= ready::hangup;
    return bits;
}

int wait_kernel(int set, epoll_event *events, int capacity, Nanoseconds timeout) {
#if defined(SYS_epoll_pwait2)
    static std::atomic<bool> has_pwait2{true};
    if (timeout != never && timeout > 0 && has_pwait2.load(std::memory_order_relaxed)) {
        // The kernel's own layout of a 64-bit timespec.
        struct {
            int64_t seconds, nanoseconds;
        } limit{timeout / 1000000000, timeout % 1000000000};
        const long n = ::syscall(SYS_epoll_pwait2, set, events, capacity, &limit, nullptr, 0);
        // Older kernels lack it; older sandboxes forbid it.
        if (n >= 0 || (errno != ENOSYS && errno != EPERM)) return static_cast<int>(n);
        has_pwait2.store(false, std::memory_order_relaxed);
    }
#endif
    int timeout_ms = -1;
    if (timeout != never)
        timeout_ms = static_cast<int>(
            std::min<Nanoseconds>((timeout + ns_per_ms - 1) / ns_per_ms, INT32_MAX));
    return ::epoll_wait(set, events, capacity, timeout_ms);
}

// Who changes an interest, or gives it up, has no other way to go on: it is tried for a while, whatever
// the system says.
Error change_surely(int set, int operation, int fd, epoll_event event) {
    for (int i = 0; i < tries_max; ++i) {
        if (::epoll_ctl(set, operation, fd, &event) == 0) return err::none;
        if (errno == EBADF || errno == ENOENT) break; // it is gone
    }
    return Error(errno);
}

// -1: a signal. Else the program has closed the set, say: nothing comes of waiting, so nobody waits in a loop.
int failed_wait(Nanoseconds timeout) {
    if (errno == EINTR) return -1;
    ::poll(nullptr, 0, timeout == never || timeout > pause_ms * ns_per_ms ? pause_ms : 1);
    return 0;
}

} // namespace

Error EpollPoller::open() {
    const int fd = ::epoll_create1(EPOLL_CLOEXEC);
    if (fd < 0) return Error(errno);
    set_.reset(fd);
    return err::none;
}

Error EpollPoller::add(int fd, uint64_t id, unsigned interest) {
    epoll_event event = to_kernel(id, interest);
    return ::epoll_ctl(set_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? err::none : Error(errno);
}

Error EpollPoller::modify(int fd, uint64_t id, unsigned interest) {
    return change_surely(set_.get(), EPOLL_CTL_MOD, fd, to_kernel(id, interest));
}

void EpollPoller::remove(int fd) {
    // What is watched on would be reported for ever, to nobody.
    (void)change_surely(set_.get(), EPOLL_CTL_DEL, fd, epoll_event{});
}

int EpollPoller::wait(PollEvent *events, int capacity, Nanoseconds timeout) {
    epoll_event kernel_events[batch_max];
    const int n =
        wait_kernel(set_.get(), kernel_events, std::min(capacity, batch_max), timeout);
    if (n < 0) return failed_wait(timeout);
    for (int i = 0; i < n; ++i)
        events[i] = {kernel_events[i].data.u64, from_kernel(kernel_events[i].events)};
    return n;
}

// epoll_wait(2) says EINTR of a stop as well, poll(2) does not.
int EpollPoller::wait_in_call(PollEvent *events, int capacity, Nanoseconds timeout) {
    const int ready = wait(events, capacity, 0);
    if (ready != 0 || timeout == 0) return ready;
    pollfd item{set_.get(), POLLIN, 0};
    const int n = masked_poll(&item, 1, timeout, nullptr);
    if (n < 0) return failed_wait(timeout);
    return n > 0 ? wait(events, capacity, 0) : 0;
}

} // namespace tern

#endif
