#include "security/curve_keys.hpp"

#include <sodium.h>

namespace tern {

static_assert(crypto_box_PUBLICKEYBYTES == 32 && crypto_box_SECRETKEYBYTES == 32);
static_assert(crypto_scalarmult_BYTES == 32 && crypto_scalarmult_SCALARBYTES == 32);

// sodium_init() may be called any number of times, from any thread.
bool curve_keypair(uint8_t public_key[32], uint8_t secret_key[32]) {
    return sodium_init() >= 0 && crypto_box_keypair(public_key, secret_key) == 0;
}

bool curve_public(uint8_t public_key[32], const uint8_t secret_key[32]) {
    return sodium_init() >= 0 && crypto_scalarmult_base(public_key, secret_key) == 0;
}

bool curve_random(uint8_t *out, size_t size) {
    if (sodium_init() < 0) return false;
    randombytes_buf(out, size);
    return true;
}

void wipe(void *bytes, size_t size) { sodium_memzero(bytes, size); }

} // namespace tern
