// Mailbox: how other threads reach a socket whose turn they do not hold. It carries news about pipes
// and ends the sleep of the thread that waits for them.
// Threads: post() and wake() from any thread; everything else belongs to the holder of the turn.
// Owner:   shared by the socket and by every pipe end of it, so that a late poster never meets freed
//          memory.
//
// The sleep: the sleeper publishes `asleep`, looks at everything once more, then waits on the waker's
// descriptor. A waker first makes its change, then looks for `asleep`. Both accesses are sequentially
// consistent, so either the sleeper sees the change or the waker sees the sleeper. Only the one that
// moves `asleep` to `signalled` writes to the descriptor: nobody who is awake is signalled.
//
// The mailbox of a thread-safe socket has a waiting room for many sleepers instead, and counts as
// asleep all the time.
#ifndef TERN_FLOW_MAILBOX_HPP
#define TERN_FLOW_MAILBOX_HPP

#include "flow/waiting_room.hpp"
#include "os/lock.hpp"
#include "os/waker.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace tern {

class Pipe;

// Somebody who, instead of sleeping on the mailbox, is called on the poster's thread.
class MailboxListener {
  public:
    virtual ~MailboxListener() = default;
    virtual void news_posted() = 0;
};

// Who is told of the end of a sleep that no thread sleeps itself.
class SleepWatch {
  public:
    virtual ~SleepWatch() = default;
    virtual void sleep_ended(uint32_t index) = 0;
};

class Mailbox {
  public:
    // Before the first post only.
    void set_listener(std::shared_ptr<MailboxListener> listener) { listener_ = std::move(listener); }
    Mailbox() = default;
    Mailbox(const Mailbox &) = delete;
    Mailbox &operator=(const Mailbox &) = delete;

    // Opens the descriptor. Fails when the process is out of them.
    Error open() { return waker_.open(); }
    // Instead of open().
    void share() {
        room_ = std::make_unique<WaitingRoom>();
        state_.store(asleep, std::memory_order_relaxed);
    }
    // Null unless it is shared.
    WaitingRoom *room() const { return room_.get(); }
    int fd() const { return waker_.fd(); }

    // ---- any thread
    // REQUIRES: the caller has just made the pipe's news non-empty (see Pipe::notify).
    void post(Pipe &pipe);
    void wake() {
        if (state_.load(std::memory_order_seq_cst) == asleep) signal();
    }

    // ---- holder of the turn
    bool has_news() const { return news_.load(std::memory_order_seq_cst) != nullptr; }
    // Pipes with news, newest first, linked by Pipe::next_news.
    Pipe *take_news() { return news_.exchange(nullptr, std::memory_order_acquire); }

    void begin_sleep() { state_.store(asleep, std::memory_order_seq_cst); }
    // Takes the signal back if there was one.
    void end_sleep();
    // A sleep of which `watch` is told, by `index`, in place of the descriptor's signal: once, by
    // whoever ends it.
    void park(SleepWatch &watch, uint32_t index);
    // Ends such a sleep. False: the watch was not told, and will not be.
    bool unpark();
    bool is_asleep() const { return state_.load(std::memory_order_relaxed) != awake; }

    void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }
    void drop_reference() {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

  private:
    enum State : int { awake, asleep, signalled };
    ~Mailbox() = default;
    void signal();

    std::atomic<Pipe *> news_{nullptr};
    std::atomic<int> state_{awake};
    std::atomic<uint32_t> references_{1};
    std::shared_ptr<MailboxListener> listener_;
    // Between whoever ends a sleep and unpark().
    Lock park_lock_;
    SleepWatch *watch_ = nullptr;
    uint32_t watch_index_ = 0;
    bool watch_was_told_ = false;
    std::unique_ptr<WaitingRoom> room_;
    Waker waker_;
};

} // namespace tern

#endif
