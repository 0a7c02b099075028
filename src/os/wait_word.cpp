#include "os/wait_word.hpp"

#if defined(__linux__)
#include <cerrno>
#include <ctime>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#else
#include <chrono>
#include <thread>
#endif

namespace tern {

static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "the kernel reads the plain word");

#if defined(__linux__)

void sleep_while(std::atomic<uint32_t> &word, uint32_t value) {
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

bool sleep_while(std::atomic<uint32_t> &word, uint32_t value, Nanoseconds timeout) {
    // A sleep without a limit would go on after a handler that was set with SA_RESTART; one with a limit
    // ends, as poll(2) does. So there always is one.
    constexpr Nanoseconds limit_max = 24 * 3600 * 1000 * ns_per_ms;
    if (timeout > limit_max) timeout = limit_max;
    timespec limit;
    limit.tv_sec = static_cast<time_t>(timeout / (1000 * ns_per_ms));
    limit.tv_nsec = static_cast<long>(timeout % (1000 * ns_per_ms));
    return ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, &limit, nullptr, 0) == 0 ||
           errno != EINTR;
}

void wake_sleepers(std::atomic<uint32_t> &word, int count) {
    // Who sleeps may hear of nothing else: it is tried for a while, whatever the system says.
    for (int i = 0; i < 100; ++i) {
        if (::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0) >= 0) return;
        ::sched_yield();
    }
}

#else

void sleep_while(std::atomic<uint32_t> &word, uint32_t value) {
    if (word.load(std::memory_order_relaxed) == value)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
}

bool sleep_while(std::atomic<uint32_t> &word, uint32_t value, Nanoseconds timeout) {
    if (timeout > 0) sleep_while(word, value);
    return true;
}

void wake_sleepers(std::atomic<uint32_t> &, int) {}

#endif

} // namespace tern
