// CurveBox: the one kind of box that every CURVE command is made of: XSalsa20 and Poly1305 under a
// key of 32 bytes and a nonce of 24 (NaCl secretbox, which is NaCl box behind its key agreement).
// Threads: pure functions over memory; a BoxKey is not changed by its use.
// Owner:   the caller owns boxes and what is in them; a BoxKey wipes itself.
//
//   box   = authenticator:16 ciphertext              ciphertext is as long as what is in the box
//   nonce = purpose:16 counter:U64 / purpose:8 random:16
#ifndef TERN_SECURITY_CURVE_BOX_HPP
#define TERN_SECURITY_CURVE_BOX_HPP

#include "base/bytes.hpp"
#include "security/curve_keys.hpp"

#include <array>

namespace tern {

inline constexpr size_t curve_key_size = 32;
inline constexpr size_t box_overhead = 16;
inline constexpr size_t box_random_size = 16;

using BoxNonce = std::array<uint8_t, 24>;

// The purpose is a literal of exactly 16 characters, or 8.
inline BoxNonce counter_nonce(const char (&purpose)[17], uint64_t counter) {
    BoxNonce nonce;
    std::memcpy(nonce.data(), purpose, 16);
    store_be64(nonce.data() + 16, counter);
    return nonce;
}
inline BoxNonce random_nonce(const char (&purpose)[9], const uint8_t *random) {
    BoxNonce nonce;
    std::memcpy(nonce.data(), purpose, 8);
    std::memcpy(nonce.data() + 8, random, box_random_size);
    return nonce;
}

class BoxKey {
  public:
    BoxKey() = default;
    explicit BoxKey(const uint8_t key[curve_key_size]) : key_(key) {}

    // The key that two pairs share; either side computes the same. False when the public key is one
    // of the few that would give a key everybody knows.
    [[nodiscard]] bool agree(const uint8_t public_key[curve_key_size],
                             const uint8_t secret_key[curve_key_size]);
    // Writes box_overhead + content.size() bytes. The content may lie at box + box_overhead.
    void seal(uint8_t *box, Bytes content, const BoxNonce &nonce) const;
    // Writes box.size() - box_overhead bytes, or nothing when the box is shorter than that or does
    // not open. The content may go to box.data() + box_overhead.
    [[nodiscard]] bool open(uint8_t *content, Bytes box, const BoxNonce &nonce) const;
    const uint8_t *data() const { return key_.data(); }
    void clear() { key_.clear(); }

  private:
    Secret<curve_key_size> key_;
};

// In constant time.
bool is_same_key(const uint8_t a[curve_key_size], const uint8_t b[curve_key_size]);

} // namespace tern

#endif
