// Heartbeat: PINGs while a connection is up, and its end when nothing is heard (HB-1..7).
// Threads: start, stop and the timers on the I/O thread; heard_ttl() and is_listening() under the turn on any thread.
// Owner:   a Link.
#ifndef TERN_LINK_HEARTBEAT_HPP
#define TERN_LINK_HEARTBEAT_HPP

#include "reactor/loop.hpp"

#include <cstdint>

namespace tern {

class Link;

class Heartbeat {
  public:
    explicit Heartbeat(Link &link) : link_(link) {}
    // I/O thread, under the turn.
    void start();
    void stop();
    // A PING announced how long the peer wants us to wait for more; or another frame called it off.
    void heard_ttl(uint16_t deciseconds);
    void heard_other() { ttl_deadline_ = never; }
    // Does it matter when something is heard?
    bool is_listening() const;

  private:
    void ping();
    void check_timeout(uint64_t reads_then);
    void arm_ttl();
    void check_ttl();

    Link &link_;
    Loop::TimerId ping_timer_;
    Loop::TimerId timeout_timer_;
    Loop::TimerId ttl_timer_;
    Nanoseconds ttl_deadline_ = never;
    bool ttl_is_watched_ = false;
};

} // namespace tern

#endif
