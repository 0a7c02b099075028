#include "os/wait_word.hpp"

#if defined(__linux__)
#include <ctime>
#include <linux/futex.h>
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

void sleep_while(std::atomic<uint32_t> &word, uint32_t value, Nanoseconds timeout) {
    timespec limit;
    limit.tv_sec = static_cast<time_t>(timeout / (1000 * ns_per_ms));
    limit.tv_nsec = static_cast<long>(timeout % (1000 * ns_per_ms));
    ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, timeout == never ? nullptr : &limit,
              nullptr, 0);
}

void wake_sleepers(std::atomic<uint32_t> &word, int count) {
    ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

#else

void sleep_while(std::atomic<uint32_t> &word, uint32_t value) {
    if (word.load(std::memory_order_relaxed) == value)
        std::this_thread::sleep_for(std::chrono::microseconds(50));
}

void sleep_while(std::atomic<uint32_t> &word, uint32_t value, Nanoseconds timeout) {
    if (timeout > 0) sleep_while(word, value);
}

void wake_sleepers(std::atomic<uint32_t> &, int) {}

#endif

} // namespace tern
