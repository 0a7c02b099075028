// BiasedLock: mutual exclusion that costs a thread next to nothing while it is the only one to come.
// After `streak_for_bias` acquisitions in a row by one thread, or more where that did not pay, the lock
// leans to it: from then on that thread enters by a plain store to its own seat and a look at two
// words. Any other thread takes the inner lock, takes the bias away with a heavy fence and waits for
// the favourite to leave.
//
//   unbiased --streak of one thread--> biased to its seat --another thread comes--> unbiased
//
// Only the holder of the inner lock changes `favourite_` and `revoked_`.
//
// Why two are never inside: the favourite stores `inside`, then (light fence) loads `revoked_` and
// `favourite_`. The other stores `revoked_`, passes the heavy fence, then loads `inside`. If the
// favourite's loads came before the fence, its store did too, and the other sees it and waits; if they
// came after, they see `revoked_`, or the newer `favourite_` that was stored before `revoked_` was
// cleared, and the favourite goes to the inner lock. A seat belongs to one thread for good, so a
// thread that is late at an old seat disturbs nobody.
//
// Why no wake-up is lost: the favourite leaves by clearing `inside`, then (light fence) loads
// `revoked_`. The other says in `revoked_` that it goes to sleep, passes a heavy fence, and sleeps on
// `inside` only if it is still set then: either it sees `inside` cleared, or the favourite sees
// `and_asleep` and wakes it.
//
// Threads: any. Not recursive. Never held across a system call that can block.
// Limit:   a few threads in its life can become the favourite; the others use the inner lock.
#ifndef TERN_OS_BIASED_LOCK_HPP
#define TERN_OS_BIASED_LOCK_HPP

#include "os/clock.hpp"
#include "os/fences.hpp"
#include "os/lock.hpp"
#include "os/this_thread.hpp"

namespace tern {

class BiasedLock {
  public:
    BiasedLock() = default;
    BiasedLock(const BiasedLock &) = delete;
    BiasedLock &operator=(const BiasedLock &) = delete;

    // From the first lock on it is a plain lock: for those that many threads come to.
    void stay_unbiased() { leans_ = false; }

    void lock() {
        Seat *const seat = enter_as_favourite();
        if (seat) entered_ = seat;
        else lock_inner();
    }
    void unlock() {
        if (entered_) leave(*entered_);
        else inner_.unlock();
    }

    // Where a favourite sits.
    struct Seat {
        std::atomic<uint32_t> inside{0};
        ThreadMark thread = nullptr; // written before the seat is published for the first time
    };
    // The same in two halves, for a section so short that its caller keeps the seat at hand: null if
    // this thread is not the favourite, and then nothing is locked.
    Seat *enter_as_favourite() {
        Seat *const seat = favourite_.load(std::memory_order_acquire);
        if (!seat || seat->thread != this_thread()) return nullptr;
        seat->inside.store(1, std::memory_order_relaxed);
        light_fence();
        if (revoked_.load(std::memory_order_acquire) == no &&
            favourite_.load(std::memory_order_relaxed) == seat)
            return seat;
        leave(*seat);
        return nullptr;
    }
    void leave(Seat &seat) {
        seat.inside.store(0, std::memory_order_release);
        light_fence();
        if (revoked_.load(std::memory_order_relaxed) == and_asleep) wake_other(seat);
    }

  private:
    static constexpr int seats_max = 4;
    static constexpr uint32_t streak_for_bias = 64;
    // Each time the bias is taken away sooner than this, the next one takes twice the streak.
    static constexpr uint32_t streak_max = 64 * 1024;
    static constexpr Nanoseconds bias_pays = 2 * ns_per_ms;

    TERN_COLD void lock_inner();
    void take_bias_away(Seat &seat);
    void count_streak();
    Seat *seat_of(ThreadMark thread);
    TERN_COLD void wake_other(Seat &seat);

    std::atomic<Seat *> favourite_{nullptr};
    enum : uint32_t { no, yes, and_asleep };
    std::atomic<uint32_t> revoked_{no};
    // ---- everything below belongs to the holder
    Seat *entered_ = nullptr; // null: the holder has the inner lock
    ThreadMark last_thread_ = nullptr;
    uint32_t streak_ = 0;
    uint32_t streak_needed_ = streak_for_bias;
    Nanoseconds biased_since_ = 0;
    bool leans_ = true;
    int seats_taken_ = 0;
    Lock inner_;
    Seat seats_[seats_max];
};

} // namespace tern

#endif
