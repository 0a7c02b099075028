// Numbers that a seed decides, the same on every machine.
// Threads: one each.
#ifndef TERN_TESTS_MODEL_RANDOM_HPP
#define TERN_TESTS_MODEL_RANDOM_HPP

#include <cstddef>
#include <cstdint>

namespace model {

class Random final {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next() {
        std::uint64_t value = state_ += 0x9e3779b97f4a7c15u;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
        value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
        return value ^ (value >> 31);
    }

    // 0 ... bound - 1
    std::uint32_t below(std::uint32_t bound) {
        return static_cast<std::uint32_t>((next() >> 32) * bound >> 32);
    }

    bool one_in(std::uint32_t chances) { return below(chances) == 0; }

    template <typename Value, std::size_t count>
    const Value& one_of(const Value (&values)[count]) {
        return values[below(count)];
    }

  private:
    std::uint64_t state_;
};

} // namespace model

#endif
