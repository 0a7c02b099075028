// CURVE keys: long-term Curve25519 key pairs, by libsodium. Built only with TERN_HAVE_CURVE.
// Threads: any.
// Owner:   the caller owns, and wipes, the keys.
#ifndef TERN_SECURITY_CURVE_KEYS_HPP
#define TERN_SECURITY_CURVE_KEYS_HPP

#include <cstdint>

namespace tern {

// False when the library can not start or the system has no randomness.
[[nodiscard]] bool curve_keypair(uint8_t public_key[32], uint8_t secret_key[32]);
[[nodiscard]] bool curve_public(uint8_t public_key[32], const uint8_t secret_key[32]);

} // namespace tern

#endif
