// Monotonic time. Reading it costs some 20 ns: never once per message.
// Threads: any.
#ifndef TERN_OS_CLOCK_HPP
#define TERN_OS_CLOCK_HPP

#include <cstdint>

namespace tern {

using Nanoseconds = int64_t;
constexpr Nanoseconds ns_per_us = 1000;
constexpr Nanoseconds ns_per_ms = 1000 * 1000;
constexpr Nanoseconds never = INT64_MAX;

Nanoseconds now_ns();

// A point in time after which a call gives up; made from a timeout in milliseconds, -1 for none.
class Deadline {
  public:
    static Deadline in_ms(int64_t timeout_ms) {
        Deadline deadline;
        if (timeout_ms == 0) deadline.at_ = 0;
        else if (timeout_ms > 0 && timeout_ms < never / ns_per_ms / 2)
            deadline.at_ = now_ns() + timeout_ms * ns_per_ms;
        return deadline;
    }
    bool is_infinite() const { return at_ == never; }
    bool is_immediate() const { return at_ == 0; }
    bool has_passed() const { return at_ != never && (at_ == 0 || now_ns() >= at_); }
    Nanoseconds left_ns() const {
        if (at_ == never || at_ == 0) return at_;
        const Nanoseconds left = at_ - now_ns();
        return left > 0 ? left : 0;
    }
    // For poll-like calls: milliseconds left, rounded up so that nobody wakes early; -1 for none.
    int left_ms() const {
        if (at_ == never) return -1;
        if (at_ == 0) return 0;
        const Nanoseconds left = at_ - now_ns();
        if (left <= 0) return 0;
        const Nanoseconds ms = (left + ns_per_ms - 1) / ns_per_ms;
        return ms > INT32_MAX ? INT32_MAX : static_cast<int>(ms);
    }

  private:
    Nanoseconds at_ = never;
};

} // namespace tern

#endif
