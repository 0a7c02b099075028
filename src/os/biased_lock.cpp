#include "os/biased_lock.hpp"

#include "os/wait_word.hpp"

namespace tern {

void BiasedLock::lock_inner() {
    inner_.lock();
    Seat *const seat = favourite_.load(std::memory_order_relaxed);
    if (seat) take_bias_away(*seat);
    entered_ = nullptr;
    count_streak();
}

void BiasedLock::take_bias_away(Seat &seat) {
    const auto is_inside = [&seat] { return seat.inside.load(std::memory_order_acquire) != 0; };
    revoked_.store(yes, std::memory_order_seq_cst);
    heavy_fence();
    for (int i = 0; i < 100 && is_inside(); ++i) pause_core();
    if (is_inside()) {
        revoked_.store(and_asleep, std::memory_order_seq_cst);
        heavy_fence();
        while (is_inside()) sleep_while(seat.inside, 1);
    }
    favourite_.store(nullptr, std::memory_order_relaxed);
    revoked_.store(no, std::memory_order_release);
    streak_ = 0;
    if (now_ns() - biased_since_ >= bias_pays) streak_needed_ = streak_for_bias;
    else if (streak_needed_ < streak_max) streak_needed_ *= 2;
}

void BiasedLock::count_streak() {
    const ThreadMark self = this_thread();
    if (last_thread_ != self) {
        last_thread_ = self;
        streak_ = 0;
        return;
    }
    if (++streak_ < streak_needed_ || !leans_ || !fences_are_unequal()) return;
    streak_ = 0;
    if (Seat *const seat = seat_of(self)) {
        biased_since_ = now_ns();
        favourite_.store(seat, std::memory_order_release);
    }
}

BiasedLock::Seat *BiasedLock::seat_of(ThreadMark thread) {
    for (int i = 0; i < seats_taken_; ++i)
        if (seats_[i].thread == thread) return &seats_[i];
    if (seats_taken_ == seats_max) return nullptr;
    Seat &seat = seats_[seats_taken_++];
    seat.thread = thread;
    return &seat;
}

void BiasedLock::wake_other(Seat &seat) { wake_sleepers(seat.inside, 1); }

} // namespace tern
