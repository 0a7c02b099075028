#include "os/memory_wait.hpp"

#include <atomic>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <new>

namespace tern {

TERN_NEAR_THREAD_LOCAL int detail::memory_waits = 0;

namespace {

constexpr size_t reserve_bytes = 64 * 1024;

std::atomic<void *> reserve{nullptr};
std::atomic<std::new_handler> programs_handler{nullptr};

// The program's handler may call the one that it found, which is this one.
TERN_NEAR_THREAD_LOCAL bool is_passing_on = false;

void on_no_memory() {
    if (detail::memory_waits > 0) return wait_for_memory();
    const std::new_handler next = programs_handler.load();
    if (!next || is_passing_on) throw std::bad_alloc();
    struct PassingOn {
        PassingOn() { is_passing_on = true; }
        ~PassingOn() { is_passing_on = false; }
    } passing_on;
    next();
}

// The handler goes with the library.
struct Withdrawal {
    ~Withdrawal() {
        if (std::get_new_handler() == on_no_memory) std::set_new_handler(programs_handler.load());
        std::free(reserve.exchange(nullptr));
    }
} withdrawal;

} // namespace

void wait_for_memory() {
    if (void *const spare = reserve.exchange(nullptr)) return std::free(spare);
    const timespec pause{0, 1000000};
    ::nanosleep(&pause, nullptr);
}

void prepare_memory_wait() {
    static std::mutex mutex;
    const std::lock_guard<std::mutex> guard(mutex);
    const std::new_handler current = std::get_new_handler();
    if (current != on_no_memory) {
        programs_handler.store(current);
        std::set_new_handler(on_no_memory);
    }
    renew_memory_reserve();
}

void renew_memory_reserve() {
    if (reserve.load(std::memory_order_relaxed)) return;
    void *const fresh = std::malloc(reserve_bytes);
    void *expected = nullptr;
    if (!reserve.compare_exchange_strong(expected, fresh)) std::free(fresh);
}

} // namespace tern
