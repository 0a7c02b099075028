// Mailbox: how other threads reach a socket whose turn they do not hold. It carries news about pipes
// and ends the sleep of the thread that waits for them.
// Threads: post() and wake() from any thread; everything else belongs to the holder of the turn.
// Owner:   shared by the socket and by every pipe end of it, so that a late poster never meets freed
//          memory.
//
// The sleep: the sleeper publishes how it sleeps, looks at everything once more, then waits. A waker
// first makes its change, then looks for a sleeper. Both accesses are sequentially consistent, so
// either the sleeper sees the change or the waker sees the sleeper. Only the one that moves the state
// on to `signalled` ends the sleep, in the way that the state has told: nobody who is awake is
// signalled. A waker whose move fails need do nothing: its change came before its look, and so before
// the announcement of every later sleep.
//
//   on_word        the sleeper waits on the state itself
//   on_descriptor  it waits on the waker's descriptor, or on a set that holds it
//   parked         no thread waits: a watch is told. The state is moved on, and the watch told, under
//                  park_lock_, so that after unpark() it is not told any more
//
// The descriptor is made late, under the turn, for the first sleep that needs it. It is there before
// that sleep is announced, so whoever finds such a sleep finds the descriptor too. Whoever finds
// another kind does not look at it, and may do so while it is being made.
//
// The mailbox of a thread-safe socket has a waiting room for many sleepers instead, and counts as
// asleep all the time.
#ifndef TERN_FLOW_MAILBOX_HPP
#define TERN_FLOW_MAILBOX_HPP

#include "flow/waiting_room.hpp"
#include "os/lock.hpp"
#include "os/wait_word.hpp"
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

    // Before anything else.
    void share() {
        room_ = std::make_unique<WaitingRoom>();
        state_.store(shared, std::memory_order_relaxed);
    }
    // Null unless it is shared.
    WaitingRoom *room() const { return room_.get(); }

    // ---- any thread
    // REQUIRES: the caller has just made the pipe's news non-empty (see Pipe::notify).
    void post(Pipe &pipe);
    void wake() {
        if (state_.load(std::memory_order_seq_cst) > signalled) signal();
    }

    // ---- holder of the turn
    bool has_news() const { return news_.load(std::memory_order_seq_cst) != nullptr; }
    // Pipes with news, newest first, linked by Pipe::next_news.
    Pipe *take_news() { return news_.exchange(nullptr, std::memory_order_acquire); }

    // Makes the descriptor, if there is none yet. Fails when the process is out of them.
    Error open() { return waker_.is_open() ? Error() : waker_.open(); }
    int fd() const { return waker_.fd(); }
    // REQUIRES: open(), for a sleep on the descriptor. A sleep that goes on is ended first.
    void begin_sleep_on_descriptor() { begin_sleep(on_descriptor); }
    void begin_sleep_on_word() { begin_sleep(on_word); }
    // Without the turn, after begin_sleep_on_word(): until somebody ends the sleep, or the time is
    // over; may return early. False: a signal handler ran.
    bool sleep_on_word(Nanoseconds timeout) { return sleep_while(state_, on_word, timeout); }
    // Takes the signal back if there was one.
    void end_sleep();
    // A sleep of which `watch` is told, by `index`: once, by whoever ends it.
    void park(SleepWatch &watch, uint32_t index);
    // Ends such a sleep. False: the watch was not told, and will not be.
    bool unpark();
    bool is_asleep() const { return state_.load(std::memory_order_relaxed) != awake; }

    void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }
    void drop_reference() {
        if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }

  private:
    // Behind `signalled` stand those that somebody else has to act upon.
    enum State : uint32_t { awake, signalled, on_word, on_descriptor, parked, shared };
    ~Mailbox() = default;
    void signal();
    void begin_sleep(State way) {
        if (state_.load(std::memory_order_relaxed) != awake) end_sleep();
        way_ = way;
        state_.store(way, std::memory_order_seq_cst);
    }
    bool move_to_signalled(uint32_t way) {
        return state_.compare_exchange_strong(way, signalled, std::memory_order_seq_cst);
    }

    std::atomic<Pipe *> news_{nullptr};
    std::atomic<uint32_t> state_{awake};
    std::atomic<uint32_t> references_{1};
    State way_ = awake; // of the last sleep; the turn holder's
    std::shared_ptr<MailboxListener> listener_;
    std::unique_ptr<WaitingRoom> room_;
    Waker waker_;
    Lock park_lock_;
    uint32_t watch_index_ = 0;    // under park_lock_
    SleepWatch *watch_ = nullptr; // under park_lock_
};

} // namespace tern

#endif
