// PollCrowd: what a thread that polls many sockets keeps between two calls of zmq_poll with the same
// items, so that a call costs what is ready and not what is asked.
//
// A member that is not ready is parked: it stays announced as asleep, and the I/O threads read for it.
// Whoever has news for it reports it here, once; so does the application's next call on it. A call of
// zmq_poll looks at the members that were reported, and at those that were ready the last time.
//
// Why nothing is missed: a member is parked as a sleeper goes to sleep (Mailbox): it is announced first
// and looked at once more after that. Its index stands in `reported_` before the thread that polls can
// be woken; that thread says that it sleeps before it looks at `reported_` for the last time.
//
// Threads: poll() and the destructor's way out belong to one thread; sleep_ended() and lose() may come
//          from any, also under a member's turn, so nothing here is locked while a turn is waited for.
// Owner:   the thread; members refer to it too.
// Limit:   one crowd a thread; items with descriptors and sockets whose ZMQ_FD is out do not suit.
#ifndef TERN_SOCKET_POLL_CROWD_HPP
#define TERN_SOCKET_POLL_CROWD_HPP

#include "base/error.hpp"
#include "flow/mailbox.hpp"
#include "os/clock.hpp"
#include "os/fork_guard.hpp"
#include "os/lock.hpp"

#include <memory>
#include <vector>
#include <zmq.h>

namespace tern {

class Socket;

class PollCrowd final : public SleepWatch, public std::enable_shared_from_this<PollCrowd> {
  public:
    // Fewer items are polled the usual way, in which the caller reads for itself.
    static constexpr size_t members_min = 16;

    // The calling thread's; null without memory.
    static PollCrowd *of_this_thread();
    // Fills `revents` and `ready`. False: the items do not suit, and nothing was done.
    bool poll(zmq_pollitem_t *items, size_t count, long timeout_ms, Result<int> &ready);

    // ---- from members
    void sleep_ended(uint32_t index) override;
    // The member has gone: the items are read anew.
    void lose();

  private:
    friend struct PollCrowdOfThread;
    struct Member {
        std::weak_ptr<Socket> socket;
        bool is_listed = false; // in `listed_`
    };

    bool is_same(zmq_pollitem_t *items, size_t count);
    Result<bool> gather(const zmq_pollitem_t *items, size_t count);
    void disband();
    Result<int> look(zmq_pollitem_t *items);
    void take_reports();
    Error sleep(const Deadline &deadline);
    void wake();

    const ForkGuard fork_guard_;
    std::vector<zmq_pollitem_t> items_; // as the last call left them
    std::vector<Member> members_;
    std::vector<uint32_t> listed_; // to be looked at
    bool is_gathered_ = false;
    bool suits_ = false;
    Waker waker_;

    Lock lock_;
    std::vector<uint32_t> reported_; // has room for all
    std::atomic<bool> has_reports_{false};
    std::atomic<bool> is_stale_{false};
    std::atomic<bool> is_asleep_{false};
};

} // namespace tern

#endif
