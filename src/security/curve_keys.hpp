// CURVE keys: Curve25519 key pairs, random bytes that serve as secrets, and where to keep them, by
// libsodium. Built only with TERN_HAVE_CURVE.
// Threads: any.
// Owner:   the caller owns, and wipes, the keys; a Secret wipes itself.
#ifndef TERN_SECURITY_CURVE_KEYS_HPP
#define TERN_SECURITY_CURVE_KEYS_HPP

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace tern {

// False when the library can not start or the system has no randomness.
[[nodiscard]] bool curve_keypair(uint8_t public_key[32], uint8_t secret_key[32]);
[[nodiscard]] bool curve_public(uint8_t public_key[32], const uint8_t secret_key[32]);
[[nodiscard]] bool curve_random(uint8_t *out, size_t size);

void wipe(void *bytes, size_t size); // never optimised away

// Bytes that nobody may find in memory later. Zeros until they are set.
template <size_t N>
class Secret {
  public:
    Secret() = default;
    explicit Secret(const uint8_t *bytes) { set(bytes); }
    Secret(const Secret &) = delete;
    Secret &operator=(const Secret &) = delete;
    ~Secret() { clear(); }

    static constexpr size_t size() { return N; }
    uint8_t *data() { return bytes_; }
    const uint8_t *data() const { return bytes_; }
    void set(const uint8_t *bytes) { std::memcpy(bytes_, bytes, N); }
    void clear() { wipe(bytes_, N); }

  private:
    uint8_t bytes_[N] = {};
};

} // namespace tern

#endif
