// Random bits that differ from process to process and call to call; not for keys that have to stay secret.
// Threads: any.
#ifndef TERN_OS_RANDOM_HPP
#define TERN_OS_RANDOM_HPP

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tern {

uint32_t random_number();

// What nobody outside can foresee, in numbers: the kernel is asked once for many of them.
// Threads: one at a time.
class UnpredictableNumbers {
  public:
    uint32_t next() {
        if (left_ == 0 && !refill()) return random_number();
        return stock_[--left_];
    }

  private:
    bool refill();

    static constexpr size_t stock_size = 256;
    size_t left_ = 0;
    uint32_t stock_[stock_size];
};

// Many such numbers, of which only the first costs a system call.
class RandomNumbers {
  public:
    RandomNumbers();
    uint32_t next();

  private:
    std::atomic<uint64_t> state_;
};

} // namespace tern

#endif
