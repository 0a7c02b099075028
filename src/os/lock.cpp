#include "os/lock.hpp"

#include "os/wait_word.hpp"

namespace tern {

void Lock::lock_contended() {
    // The holder is usually gone within nanoseconds; but with few cores it may not even be running.
    for (int i = 0; i < 100; ++i) {
        if (state_.load(std::memory_order_relaxed) == free && try_lock()) return;
        pause_core();
    }
    // From here on the state says that somebody may sleep, so that every unlock looks after it.
    while (state_.exchange(held_and_awaited, std::memory_order_acquire) != free)
        sleep_while(state_, held_and_awaited);
}

void Lock::wake_one() { wake_sleepers(state_, 1); }

} // namespace tern
