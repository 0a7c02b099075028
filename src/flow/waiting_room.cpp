#include "flow/waiting_room.hpp"

#include <algorithm>
#include <climits>
#include <mutex>

namespace tern {

uint32_t WaitingRoom::enter() {
    std::lock_guard<Lock> guard(lock_);
    ++sleepers_;
    occupied_.store(true, std::memory_order_seq_cst);
    return wakes_.load(std::memory_order_relaxed);
}

void WaitingRoom::leave() {
    std::lock_guard<Lock> guard(lock_);
    --sleepers_;
}

bool WaitingRoom::has_sleepers() const {
    std::lock_guard<Lock> guard(lock_);
    return sleepers_ > 0;
}

void WaitingRoom::add_watch(std::shared_ptr<Waker> waker) {
    std::lock_guard<Lock> guard(lock_);
    watches_.push_back({std::move(waker), false});
}

void WaitingRoom::remove_watch(const Waker &waker) {
    std::lock_guard<Lock> guard(lock_);
    const auto it = std::find_if(watches_.begin(), watches_.end(),
                                 [&waker](const Watch &w) { return w.waker.get() == &waker; });
    if (it != watches_.end()) watches_.erase(it);
}

void WaitingRoom::arm(const Waker &waker) {
    std::lock_guard<Lock> guard(lock_);
    for (Watch &watch : watches_)
        if (watch.waker.get() == &waker) watch.is_armed = true;
    occupied_.store(true, std::memory_order_seq_cst);
}

void WaitingRoom::wake() {
    if (!occupied_.load(std::memory_order_seq_cst)) return;
    {
        std::lock_guard<Lock> guard(lock_);
        occupied_.store(false, std::memory_order_seq_cst);
        wakes_.fetch_add(1, std::memory_order_release);
        for (Watch &watch : watches_) {
            if (watch.is_armed) (void)watch.waker->signal();
            watch.is_armed = false;
        }
    }
    wake_sleepers(wakes_, INT_MAX);
}

} // namespace tern
