// Poller: waits for many descriptors. Which one is built is CMake's choice; all have this shape:
//
//   Error open();
//   Error add(int fd, uint64_t id, unsigned interest);      any thread
//   Error modify(int fd, uint64_t id, unsigned interest);   any thread
//   void  remove(int fd);                                   any thread, before the descriptor closes
//   void  rearm(int fd);                                    any thread, see ready::edge
//   int   wait(PollEvent *events, int capacity, Nanoseconds timeout);   one thread at a time
//   int   wait_in_call(...);                                a thread of the program: only a handler interrupts it
//
// Events carry an id, never a pointer: what they report may have ended meanwhile.
#ifndef TERN_REACTOR_POLLER_HPP
#define TERN_REACTOR_POLLER_HPP

#include "reactor/epoll_poller.hpp"
#include "reactor/poll_poller.hpp"

namespace tern {

#if defined(TERN_POLLER_EPOLL)
using Poller = EpollPoller;
#else
using Poller = PollPoller;
#endif

} // namespace tern

#endif
