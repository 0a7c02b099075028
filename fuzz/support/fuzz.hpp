// Fuzz: what all targets share: checks, an input that is taken apart, a stream that arrives in
// reads, and a look at how much memory was asked for.
//
// A target is one file with one run(Input). It says what must come out, by a model of its own or by
// the way back, and has the same stream arrive whole, in two reads and byte by byte.
// Threads: one.
#ifndef TERN_FUZZ_SUPPORT_FUZZ_HPP
#define TERN_FUZZ_SUPPORT_FUZZ_HPP

#include "base/body_pool.hpp"
#include "base/bytes.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace tern::fuzz {

[[noreturn]] inline void fail(const char *what, const char *file, int line) {
    std::fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    std::abort();
}
// In every build type.
#define FUZZ_CHECK(condition)                                                                      \
    ((condition) ? void() : ::tern::fuzz::fail(#condition, __FILE__, __LINE__))

using Buffer = std::vector<uint8_t>;

inline Bytes view(const Buffer &buffer) { return {buffer.data(), buffer.size()}; }
// In memory of its own, of the exact size, so that ASan sees a read behind the end.
inline Buffer exact(Bytes bytes) { return {bytes.begin(), bytes.end()}; }
inline std::string text(Bytes bytes) { return std::string(bytes.text()); }
inline void append(Buffer &out, Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

// The bytes of the fuzzer, from the front. At their end everything is 0 and empty.
class Input {
  public:
    explicit Input(Bytes bytes) : rest_(bytes) {}
    bool is_empty() const { return rest_.empty(); }
    uint8_t byte() {
        const uint8_t value = rest_.empty() ? 0 : rest_[0];
        rest_ = rest_.skip(1);
        return value;
    }
    uint16_t number() {
        const unsigned high = byte();
        return static_cast<uint16_t>(high << 8 | byte());
    }
    uint64_t long_number() {
        uint64_t value = 0;
        for (int i = 0; i < 8; ++i) value = value << 8 | byte();
        return value;
    }
    // Its length stands in front, in one byte or, for a large one, in two.
    Bytes chunk() { return bytes(byte()); }
    Bytes large_chunk() { return bytes(number()); }
    Bytes bytes(size_t size) {
        const Bytes taken = rest_.first(size);
        rest_ = rest_.skip(size);
        return taken;
    }
    Bytes rest() const { return rest_; }

  private:
    Bytes rest_;
};

// A stream as it comes out of a connection: the first read has so many bytes, each further one so
// many.
class Reads {
  public:
    Reads(Bytes stream, size_t first, size_t further)
        : rest_(stream), next_size_(first), further_(further) {}
    bool at_end() const { return rest_.empty(); }
    // Valid until the next one.
    Bytes next() {
        piece_ = exact(rest_.first(next_size_));
        rest_ = rest_.skip(next_size_);
        next_size_ = further_;
        return view(piece_);
    }

  private:
    Bytes rest_;
    size_t next_size_;
    size_t further_;
    Buffer piece_;
};

inline constexpr size_t bytewise_max = 96;

// What run(Reads &) says must not depend on how the stream was cut.
template <class Run>
auto same_however_cut(Bytes stream, size_t split, Run run) {
    Reads whole(stream, SIZE_MAX, SIZE_MAX);
    const auto outcome = run(whole);
    if (stream.size() > 1) {
        Reads two(stream, 1 + split % (stream.size() - 1), SIZE_MAX);
        FUZZ_CHECK(run(two) == outcome);
        if (stream.size() <= bytewise_max) {
            Reads bytes(stream, 1, 1);
            FUZZ_CHECK(run(bytes) == outcome);
        }
    }
    return outcome;
}

// The largest piece of memory that was asked for since this was made, whether it was given or not.
class LargestAllocation {
  public:
    LargestAllocation();
    size_t bytes() const;
};
// What it may be for a body of so many bytes: the pool has two sizes for each power of two.
inline size_t body_memory(size_t size) {
    return size + (BodyPool::is_pooling ? size / 2 : 0) + 64;
}

// Defined by the target.
void run(Input input);

} // namespace tern::fuzz

#endif
