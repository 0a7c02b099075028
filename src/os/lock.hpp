// Lock: a small mutual exclusion for short critical sections, one atomic operation each way when
// nobody competes. A waiter spins briefly, then sleeps in the kernel.
// Threads: any. Not recursive. Never held across a system call that can block.
#ifndef TERN_OS_LOCK_HPP
#define TERN_OS_LOCK_HPP

#include <atomic>
#include <cstdint>

namespace tern {

class Lock {
  public:
    Lock() = default;
    Lock(const Lock &) = delete;
    Lock &operator=(const Lock &) = delete;

    void lock() {
        uint32_t expected = free;
        if (!state_.compare_exchange_strong(expected, held, std::memory_order_acquire,
                                            std::memory_order_relaxed))
            lock_contended();
    }
    bool try_lock() {
        uint32_t expected = free;
        return state_.compare_exchange_strong(expected, held, std::memory_order_acquire,
                                              std::memory_order_relaxed);
    }
    void unlock() {
        if (state_.exchange(free, std::memory_order_release) == held_and_awaited) wake_one();
    }

  private:
    enum : uint32_t { free, held, held_and_awaited };
    void lock_contended();
    void wake_one();
    std::atomic<uint32_t> state_{free};
};

} // namespace tern

#endif
