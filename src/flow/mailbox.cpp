#include "flow/mailbox.hpp"

#include "flow/pipe.hpp"

#include <mutex>

namespace tern {

void Mailbox::post(Pipe &pipe) {
    Pipe *head = news_.load(std::memory_order_relaxed);
    do pipe.next_news = head;
    while (!news_.compare_exchange_weak(head, &pipe, std::memory_order_seq_cst,
                                        std::memory_order_relaxed));
    if (listener_) listener_->news_posted();
    else wake();
}

void Mailbox::signal() {
    if (room_) {
        room_->wake();
        return;
    }
    int expected = asleep;
    if (!state_.compare_exchange_strong(expected, signalled, std::memory_order_seq_cst)) return;
    const std::lock_guard<Lock> held(park_lock_);
    if (!watch_) {
        waker_.signal();
        return;
    }
    watch_was_told_ = true;
    watch_->sleep_ended(watch_index_);
}

void Mailbox::park(SleepWatch &watch, uint32_t index) {
    {
        const std::lock_guard<Lock> held(park_lock_);
        watch_ = &watch;
        watch_index_ = index;
        watch_was_told_ = false;
    }
    begin_sleep();
}

// Who has ended the sleep and not come to the lock yet finds no watch, and signals as for any sleeper.
bool Mailbox::unpark() {
    bool was_told;
    {
        const std::lock_guard<Lock> held(park_lock_);
        watch_ = nullptr;
        was_told = watch_was_told_;
    }
    if (was_told) state_.store(awake, std::memory_order_seq_cst);
    else end_sleep();
    return was_told;
}

void Mailbox::end_sleep() {
    if (state_.exchange(awake, std::memory_order_seq_cst) != signalled) return;
    // The signaller is between its exchange and its write: wait for it, or the descriptor would
    // stay readable with nothing to say.
    waker_.drain_promised();
}

} // namespace tern
