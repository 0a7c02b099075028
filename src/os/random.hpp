// Random bits that differ from process to process and call to call; not for secrets.
// Threads: any.
#ifndef TERN_OS_RANDOM_HPP
#define TERN_OS_RANDOM_HPP

#include <atomic>
#include <cstdint>

namespace tern {

uint32_t random_number();

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
