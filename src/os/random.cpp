#include "os/random.hpp"

#include "os/clock.hpp"

#if defined(__linux__)
#include <sys/random.h>
#endif
#include <unistd.h>

namespace tern {

uint32_t random_number() {
#if defined(__linux__)
    uint32_t number;
    if (::getrandom(&number, sizeof number, GRND_NONBLOCK) == ssize_t(sizeof number)) return number;
#endif
    uint64_t mixed = uint64_t(now_ns()) * 0x9e3779b97f4a7c15u + uint64_t(::getpid());
    mixed ^= mixed >> 29;
    return uint32_t(mixed * 0xbf58476d1ce4e5b9u >> 32);
}

bool UnpredictableNumbers::refill() {
#if defined(__linux__)
    if (::getrandom(stock_, sizeof stock_, GRND_NONBLOCK) == ssize_t(sizeof stock_))
        left_ = stock_size;
#endif
    return left_ > 0;
}

RandomNumbers::RandomNumbers() : state_(uint64_t(random_number()) << 32 | random_number()) {}

// SplitMix64.
uint32_t RandomNumbers::next() {
    constexpr uint64_t step = 0x9e3779b97f4a7c15u;
    uint64_t mixed = state_.fetch_add(step, std::memory_order_relaxed) + step;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
    return uint32_t(mixed >> 32);
}

} // namespace tern
