// WaitingRoom: where the threads sleep that share one socket, and what tells pollers about it.
// Threads: any; a small lock inside.
// Owner:   the Mailbox of a thread-safe socket, so that a late poster never meets freed memory.
// Limit:   one entry per poller that watches the socket.
//
// Whoever wakes, wakes all: what has come may be for any of them (one waits for a message, the
// other for room to a certain peer), and each looks for itself when it has the turn.
//
// Why no wake-up is lost. A sleeper announces itself (enter() or arm(): `occupied_` is set, and the
// number of the last wake-up is noted), then looks at everything, then sleeps. A waker makes its
// change first, then looks at `occupied_`. Both are sequentially consistent. So a waker that finds
// the room empty was there before the sleeper's announcement, and the sleeper's look sees the
// change; or it came after another waker who has cleared `occupied_` since, under the lock, and has
// changed the number that the sleeper sleeps on (or signalled the watch) while doing so.
#ifndef TERN_FLOW_WAITING_ROOM_HPP
#define TERN_FLOW_WAITING_ROOM_HPP

#include "os/lock.hpp"
#include "os/wait_word.hpp"
#include "os/waker.hpp"

#include <memory>
#include <vector>

namespace tern {

class WaitingRoom {
  public:
    // ---- threads that sleep in a call of the socket
    // Announces a sleep; the ticket is for sleep(). Everything is looked at in between.
    uint32_t enter();
    void leave();
    bool has_sleepers() const;
    // Until somebody has called wake() since the ticket was given, or the time is over; may return
    // early, as after a signal.
    void sleep(uint32_t ticket, Nanoseconds timeout) {
        (void)sleep_while(wakes_, ticket, timeout);
    }

    // ---- pollers: a descriptor that turns readable, once each time it was armed
    void add_watch(std::shared_ptr<Waker> waker);
    void remove_watch(const Waker &waker);
    // As enter(): everything is looked at afterwards.
    void arm(const Waker &waker);

    // ---- whoever has changed something
    void wake();

  private:
    struct Watch {
        std::shared_ptr<Waker> waker;
        bool is_armed;
    };
    mutable Lock lock_;
    std::atomic<bool> occupied_{false};
    std::atomic<uint32_t> wakes_{0};
    int sleepers_ = 0;
    std::vector<Watch> watches_;
};

} // namespace tern

#endif
