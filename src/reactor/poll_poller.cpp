#include "reactor/poll_poller.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <mutex>

namespace tern {

void PollPoller::set(int fd, Entry entry) {
    std::lock_guard<Lock> guard(lock_);
    entries_[fd] = entry;
    if (waiting_) (void)changed_.signal();
}

Error PollPoller::add(int fd, uint64_t id, unsigned interest) {
    if (::fcntl(fd, F_GETFD) < 0) return Error(errno);
    set(fd, {id, interest});
    return err::none;
}

Error PollPoller::modify(int fd, uint64_t id, unsigned interest) {
    set(fd, {id, interest});
    return err::none;
}

void PollPoller::remove(int fd) {
    std::lock_guard<Lock> guard(lock_);
    entries_.erase(fd);
    if (waiting_) (void)changed_.signal();
}

void PollPoller::rearm(int fd) {
    std::lock_guard<Lock> guard(lock_);
    const auto it = entries_.find(fd);
    if (it == entries_.end()) return;
    it->second.read_reported = false;
    it->second.write_reported = false;
    if (waiting_) (void)changed_.signal();
}

int PollPoller::wait(PollEvent *events, int capacity, Nanoseconds timeout) {
    polled_.assign(1, pollfd{changed_.fd(), POLLIN, 0});
    {
        std::lock_guard<Lock> guard(lock_);
        for (const auto &[fd, entry] : entries_) {
            short wanted = 0;
            if ((entry.interest & ready::read) && !entry.read_reported) wanted |= POLLIN;
            if ((entry.interest & ready::write) && !entry.write_reported) wanted |= POLLOUT;
            if (wanted) polled_.push_back({fd, wanted, 0});
        }
        waiting_ = true;
    }
    int timeout_ms = -1;
    if (timeout != never)
        timeout_ms = static_cast<int>(
            std::min<Nanoseconds>((timeout + ns_per_ms - 1) / ns_per_ms, INT32_MAX));
    const int found = ::poll(polled_.data(), static_cast<nfds_t>(polled_.size()), timeout_ms);
    const bool interrupted = found < 0 && errno == EINTR;
    std::lock_guard<Lock> guard(lock_);
    waiting_ = false;
    if (interrupted) return -1;
    if (polled_[0].revents) (void)changed_.drain();
    int n = 0;
    const size_t count = polled_.size() - 1;
    const size_t begin = count > 0 ? first_++ % count : 0;
    for (size_t k = 0; k < count && n < capacity; ++k) {
        const size_t i = 1 + (begin + k) % count;
        const short got = polled_[i].revents;
        const auto it = got ? entries_.find(polled_[i].fd) : entries_.end();
        if (it == entries_.end()) continue;
        unsigned bits = 0;
        if (got & POLLIN) bits |= ready::read;
        if (got & POLLOUT) bits |= ready::write;
        if (got & (POLLHUP | POLLERR | POLLNVAL)) bits |= ready::hangup;
        if (it->second.interest & ready::edge) {
            it->second.read_reported |= (bits & (ready::read | ready::hangup)) != 0;
            it->second.write_reported |= (bits & ready::write) != 0;
        }
        events[n++] = {it->second.id, bits};
    }
    return n;
}

} // namespace tern
