// Sleeping on a 32-bit word until somebody changes it (futex on Linux, a short nap elsewhere).
// Threads: any.
#ifndef TERN_OS_WAIT_WORD_HPP
#define TERN_OS_WAIT_WORD_HPP

#include "os/clock.hpp"

#include <atomic>
#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace tern {

// Whether a sleep is one, and not a row of naps.
#if defined(__linux__)
constexpr bool can_sleep_on_words = true;
#else
constexpr bool can_sleep_on_words = false;
#endif

// Sleeps while the word has this value; may return early.
void sleep_while(std::atomic<uint32_t> &word, uint32_t value);
// The same for `timeout` at most; `never` sets no limit. False: a signal handler ran.
bool sleep_while(std::atomic<uint32_t> &word, uint32_t value, Nanoseconds timeout);
void wake_sleepers(std::atomic<uint32_t> &word, int count);

// Tells the core that this is a spinning loop.
inline void pause_core() {
#if defined(__x86_64__) || defined(__i386__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("yield");
#endif
}

} // namespace tern

#endif
