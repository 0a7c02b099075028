#include "security/curve_box.hpp"

#include <sodium.h>

namespace tern {

static_assert(crypto_box_BEFORENMBYTES == curve_key_size);
static_assert(crypto_secretbox_KEYBYTES == curve_key_size);
static_assert(crypto_box_MACBYTES == box_overhead && crypto_secretbox_MACBYTES == box_overhead);
static_assert(crypto_box_NONCEBYTES == sizeof(BoxNonce));
static_assert(crypto_secretbox_NONCEBYTES == sizeof(BoxNonce));

bool BoxKey::agree(const uint8_t public_key[curve_key_size],
                   const uint8_t secret_key[curve_key_size]) {
    return sodium_init() >= 0 && crypto_box_beforenm(key_.data(), public_key, secret_key) == 0;
}

void BoxKey::seal(uint8_t *box, Bytes content, const BoxNonce &nonce) const {
    crypto_secretbox_easy(box, content.data(), content.size(), nonce.data(), key_.data());
}

bool BoxKey::open(uint8_t *content, Bytes box, const BoxNonce &nonce) const {
    if (box.size() < box_overhead) return false;
    return crypto_secretbox_open_easy(content, box.data(), box.size(), nonce.data(), key_.data()) ==
           0;
}

bool is_same_key(const uint8_t a[curve_key_size], const uint8_t b[curve_key_size]) {
    return sodium_memcmp(a, b, curve_key_size) == 0;
}

} // namespace tern
