// Bytes: a view of memory that somebody else owns. Big-endian helpers for wire formats.
// Threads: values only.
#ifndef TERN_BASE_BYTES_HPP
#define TERN_BASE_BYTES_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tern {

class Bytes {
  public:
    constexpr Bytes() = default;
    constexpr Bytes(const uint8_t *data, size_t size) : data_(data), size_(size) {}
    Bytes(const void *data, size_t size) : data_(static_cast<const uint8_t *>(data)), size_(size) {}
    explicit Bytes(std::string_view text)
        : data_(reinterpret_cast<const uint8_t *>(text.data())), size_(text.size()) {}

    constexpr const uint8_t *data() const { return data_; }
    constexpr size_t size() const { return size_; }
    constexpr bool empty() const { return size_ == 0; }
    constexpr const uint8_t *begin() const { return data_; }
    constexpr const uint8_t *end() const { return data_ + size_; }
    constexpr uint8_t operator[](size_t i) const { return data_[i]; }

    // Never beyond the end: shorter than asked when there is less.
    constexpr Bytes first(size_t n) const { return {data_, n < size_ ? n : size_}; }
    constexpr Bytes skip(size_t n) const {
        return n < size_ ? Bytes(data_ + n, size_ - n) : Bytes(data_ + size_, 0);
    }
    std::string_view text() const { return {reinterpret_cast<const char *>(data_), size_}; }

  private:
    const uint8_t *data_ = nullptr;
    size_t size_ = 0;
};

inline bool operator==(Bytes a, Bytes b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}
inline bool operator!=(Bytes a, Bytes b) { return !(a == b); }

// memcpy for a size that is bounded, but not known. Told a bound, compilers put a string instruction in
// place of the call, which takes longer to begin than a short body takes to copy.
inline void copy_bytes(uint8_t *to, const uint8_t *from, size_t size) {
#if defined(__GNUC__)
    __asm__("" : "+r"(size));
#endif
    if (size < 16 || size > 256) {
        if (size > 0) std::memcpy(to, from, size);
        return;
    }
    uint8_t *const last = to + size - 16;
    const uint8_t *const last_from = from + size - 16;
    for (; to < last; to += 16, from += 16) std::memcpy(to, from, 16);
    std::memcpy(last, last_from, 16); // over a part of the one before
}

// Whether the first byte of a number in memory is its lowest.
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
constexpr bool is_little_endian = false;
#else
constexpr bool is_little_endian = true;
#endif

inline uint16_t load_be16(const uint8_t *p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline uint32_t load_be32(const uint8_t *p) {
    return uint32_t(p[0]) << 24 | uint32_t(p[1]) << 16 | uint32_t(p[2]) << 8 | uint32_t(p[3]);
}
inline uint64_t load_be64(const uint8_t *p) {
#if defined(__GNUC__)
    uint64_t v;
    std::memcpy(&v, p, sizeof v);
    return is_little_endian ? __builtin_bswap64(v) : v;
#else
    return uint64_t(load_be32(p)) << 32 | load_be32(p + 4);
#endif
}
inline void store_be16(uint8_t *p, uint16_t v) {
    p[0] = uint8_t(v >> 8);
    p[1] = uint8_t(v);
}
inline void store_be32(uint8_t *p, uint32_t v) {
    p[0] = uint8_t(v >> 24);
    p[1] = uint8_t(v >> 16);
    p[2] = uint8_t(v >> 8);
    p[3] = uint8_t(v);
}
inline void store_be64(uint8_t *p, uint64_t v) {
    store_be32(p, uint32_t(v >> 32));
    store_be32(p + 4, uint32_t(v));
}

} // namespace tern

#endif
