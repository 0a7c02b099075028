// CounterKey: what a BoxKey becomes for the many boxes of one purpose, whose nonces differ in their
// counters only. XSalsa20 makes a Salsa20 key of its own out of the first 16 bytes of a nonce: that
// is done once. The key stream of a box, with the key of its authenticator in front, is then made
// in one piece, as long as the vectors of libsodium like it, and goes straight from source to
// destination. Threads: a CounterKey is not changed by its use. Owner:   the caller owns boxes and
// what is in them; a CounterKey wipes itself, and the key streams.
//
//   box    = authenticator:16 ciphertext                    as BoxKey makes it, byte for byte
//   stream = authenticator-key:32 what-is-added:N           Salsa20 under the counter
#ifndef TERN_SECURITY_CURVE_COUNTER_KEY_HPP
#define TERN_SECURITY_CURVE_COUNTER_KEY_HPP

#include "security/curve_box.hpp"

namespace tern {

class CounterKey {
  public:
    void derive(const BoxKey &key, const char (&purpose)[17]);
    // Writes box_overhead + 1 + body.size() bytes. The body may lie in the last of them, and
    // nowhere else among them.
    void seal(uint8_t *box, uint8_t first, Bytes body, uint64_t counter) const;
    // Opens in place, from box + box_overhead on. A box that does not open stays as it is.
    // REQUIRES: size >= box_overhead.
    [[nodiscard]] bool open(uint8_t *box, size_t size, uint64_t counter) const;

  private:
    class Stream;

    Secret<curve_key_size> key_;
    size_t width_ = 64; // bytes that libsodium makes side by side
};

} // namespace tern

#endif
