// ForkGuard: tells a forked child that what it inherited belongs to its parent.
// Threads: any.
#ifndef TERN_OS_FORK_GUARD_HPP
#define TERN_OS_FORK_GUARD_HPP

#include <atomic>
#include <cstdint>

namespace tern {

namespace detail {
extern std::atomic<uint32_t> fork_generation;
}

class ForkGuard {
  public:
    ForkGuard();
    // True in a process that was forked after this object was made.
    bool is_inherited() const {
        return generation_ != detail::fork_generation.load(std::memory_order_relaxed);
    }

  private:
    uint32_t generation_;
};

} // namespace tern

#endif
