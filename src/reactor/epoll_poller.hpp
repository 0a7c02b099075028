// EpollPoller: Linux. One set can hold another, so a waiting thread can borrow a socket's set.
#ifndef TERN_REACTOR_EPOLL_POLLER_HPP
#define TERN_REACTOR_EPOLL_POLLER_HPP

#if defined(__linux__)

#include "base/error.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "reactor/poll_event.hpp"

namespace tern {

class EpollPoller {
  public:
    static constexpr bool can_nest = true;

    Error open();
    bool is_open() const { return set_.is_open(); }
    void close() { set_.reset(); }
    Error add(int fd, uint64_t id, unsigned interest);
    Error modify(int fd, uint64_t id, unsigned interest);
    void remove(int fd);
    void rearm(int) {} // the kernel reports every new edge by itself
    // Number of events, 0 at the timeout, -1 when a signal handler ran, or the process was stopped and goes on.
    int wait(PollEvent *events, int capacity, Nanoseconds timeout);
    // The same within a call of the program, which a stop must not interrupt: -1 when a signal handler ran.
    int wait_in_call(PollEvent *events, int capacity, Nanoseconds timeout);
    // For nesting: readable while an event waits inside.
    int fd() const { return set_.get(); }

  private:
    Fd set_;
};

} // namespace tern

#endif
#endif
