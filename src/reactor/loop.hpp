// Loop: an I/O thread. It waits for descriptors and timers and runs what is posted to it.
// Threads: start, stop and post from any thread; everything else on the loop's own thread only.
// Owner:   the Context. Handlers belong to whoever watches; a handler must unwatch before it dies.
#ifndef TERN_REACTOR_LOOP_HPP
#define TERN_REACTOR_LOOP_HPP

#include "os/clock.hpp"
#include "os/lock.hpp"
#include "os/thread.hpp"
#include "os/waker.hpp"
#include "reactor/poller.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace tern {

class EventHandler {
  public:
    virtual ~EventHandler() = default;
    // `bits` are of namespace ready.
    virtual void on_ready(unsigned bits) = 0;
};

class Loop {
  public:
    using Task = std::function<void()>;
    struct TimerId {
        Nanoseconds at = 0;
        uint64_t serial = 0; // 0: none
        explicit operator bool() const { return serial != 0; }
        bool operator<(const TimerId &other) const {
            return at != other.at ? at < other.at : serial < other.serial;
        }
    };
    // A watched descriptor. 0: none.
    using WatchId = uint64_t;

    Loop() = default;
    ~Loop();
    Error start(ThreadSettings settings);
    // Runs what was posted before, then ends and joins the thread.
    void stop();
    // In order; on the loop's thread.
    void post(Task task);
    bool is_own_thread() const;

    // How many sockets were given to this loop, for spreading them.
    std::atomic<int> load{0};

    // ---- loop thread only
    Result<WatchId> watch(int fd, EventHandler &handler, unsigned interest);
    Error change(WatchId id, int fd, unsigned interest);
    void unwatch(WatchId &id, int fd);
    TimerId add_timer(Nanoseconds at, Task task);
    TimerId add_timer_ms(int64_t ms, Task task) { return add_timer(now_ns() + ms * ns_per_ms, std::move(task)); }
    void cancel_timer(TimerId &id);

    // For interest changes and closes from other threads, which the kernel's set allows.
    Poller &poller() { return poller_; }

  private:
    struct Slot {
        EventHandler *handler = nullptr;
        uint32_t generation = 0;
    };
    Error add_waker();
    void wake_anew();
    void run();
    bool run_tasks();
    Nanoseconds run_timers();
    void dispatch(const PollEvent &event);

    Poller poller_;
    Thread thread_;

    // Shared with posters.
    Lock lock_;
    std::vector<Task> tasks_;            // under lock_
    std::atomic<bool> asleep_{false};    // as in Mailbox: who posts looks at it after posting
    std::atomic<pthread_t> thread_id_{};
    std::atomic<const Waker *> waker_{nullptr}; // the last of these
    std::vector<std::unique_ptr<Waker>> wakers_; // under lock_; more than one when the program has closed some

    // Loop thread.
    bool stopping_ = false;
    std::vector<Slot> slots_;
    std::vector<uint32_t> free_slots_;
    std::map<TimerId, Task> timers_;
    uint64_t next_timer_ = 1;
};

} // namespace tern

#endif
