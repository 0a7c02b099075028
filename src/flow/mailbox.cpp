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
    switch (const uint32_t way = state_.load(std::memory_order_seq_cst)) {
    case on_word:
        if (move_to_signalled(way)) wake_sleepers(state_, 1);
        break;
    case on_descriptor:
        if (move_to_signalled(way)) (void)waker_.signal();
        break;
    case parked: {
        const std::lock_guard<Lock> held(park_lock_);
        if (move_to_signalled(way)) watch_->sleep_ended(watch_index_);
        break;
    }
    default: break;
    }
}

void Mailbox::park(SleepWatch &watch, uint32_t index) {
    const std::lock_guard<Lock> held(park_lock_);
    watch_ = &watch;
    watch_index_ = index;
    begin_sleep(parked);
}

bool Mailbox::unpark() {
    const std::lock_guard<Lock> held(park_lock_);
    watch_ = nullptr;
    return state_.exchange(awake, std::memory_order_seq_cst) == signalled;
}

void Mailbox::end_sleep() {
    if (state_.exchange(awake, std::memory_order_seq_cst) != signalled) return;
    // The signaller is between its exchange and its write: wait for it, or the descriptor would
    // stay readable with nothing to say.
    if (way_ == on_descriptor) waker_.drain_promised();
}

} // namespace tern
