// PollPoller: plain poll(2), for systems without a better one. Sets do not nest, so nothing can be
// borrowed: the I/O thread reads, and waiting threads are woken by their socket's waker.
#ifndef TERN_REACTOR_POLL_POLLER_HPP
#define TERN_REACTOR_POLL_POLLER_HPP

#include "base/error.hpp"
#include "os/clock.hpp"
#include "os/lock.hpp"
#include "os/waker.hpp"
#include "reactor/poll_event.hpp"

#include <cstddef>
#include <poll.h>
#include <unordered_map>
#include <vector>

namespace tern {

class PollPoller {
  public:
    static constexpr bool can_nest = false;

    Error open() { return changed_.open(); }
    bool is_open() const { return changed_.is_open(); }
    void close() { changed_ = Waker(); }
    Error add(int fd, uint64_t id, unsigned interest);
    Error modify(int fd, uint64_t id, unsigned interest);
    void remove(int fd);
    void rearm(int fd);
    int wait(PollEvent *events, int capacity, Nanoseconds timeout);
    int wait_in_call(PollEvent *events, int capacity, Nanoseconds timeout) {
        return wait(events, capacity, timeout);
    }
    int fd() const { return -1; }

  private:
    struct Entry {
        uint64_t id;
        unsigned interest;
        // Edge: not asked for again until rearm().
        bool read_reported = false;
        bool write_reported = false;
    };
    void set(int fd, Entry entry);

    Lock lock_;
    std::unordered_map<int, Entry> entries_; // under lock_
    bool waiting_ = false;                   // under lock_
    Waker changed_;                          // ends a wait whose set has changed
    std::vector<pollfd> polled_;             // of the waiting thread
    size_t first_ = 0;                       // where reporting begins, so that all have their turn
};

} // namespace tern

#endif
