#include "security/z85.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

TEST_CASE("Z85 matches the vectors both ways") {
    for (const auto &vector : load_vectors("z85.json")) {
        const std::string text = vector.at("meaning");
        INFO(vector.at("name") << " " << text);
        if (vector.at("direction") == "decode-error") {
            Buffer out(text.size());
            CHECK_FALSE(z85_decode(out.data(), text));
            continue;
        }
        const Buffer binary = unhex(vector.at("hex"));
        Buffer decoded(binary.size());
        REQUIRE(z85_decode(decoded.data(), text));
        CHECK(decoded == binary);
        std::vector<char> encoded(text.size() + 1, '?');
        z85_encode(encoded.data(), view(binary));
        CHECK(std::string(encoded.data()) == text);
    }
}

TEST_CASE("Z85 of nothing is an empty text, which does not decode") {
    char out = '?';
    z85_encode(&out, {});
    CHECK(out == '\0');
    uint8_t none = 0;
    CHECK_FALSE(z85_decode(&none, ""));
}

TEST_CASE("exactly 85 characters are Z85") {
    int accepted = 0;
    for (int c = 0; c < 256; ++c) {
        const std::string text = std::string("0000") + static_cast<char>(c);
        uint8_t out[4];
        accepted += z85_decode(out, text);
    }
    CHECK(accepted == 85);
}

TEST_CASE("Z85 returns what it was given") {
    uint32_t seed = 7;
    for (int round = 0; round < 1000; ++round) {
        Buffer binary(4 * (1 + round % 16));
        for (uint8_t &byte : binary) {
            seed = seed * 1664525 + 1013904223;
            byte = static_cast<uint8_t>(seed >> 24);
        }
        std::vector<char> text(binary.size() / 4 * 5 + 1);
        z85_encode(text.data(), view(binary));
        Buffer decoded(binary.size());
        REQUIRE(z85_decode(decoded.data(), text.data()));
        REQUIRE(decoded == binary);
    }
}

#ifdef TERN_HAVE_CURVE
#include "security/curve_keys.hpp"

TEST_CASE("a public key follows from its secret key") {
    const Buffer secret = vector_bytes("z85.json", "key-S-secret");
    Buffer key(32);
    REQUIRE(curve_public(key.data(), secret.data()));
    CHECK(key == vector_bytes("z85.json", "key-S-public"));
    Buffer fresh(32), fresh_secret(32), again(32);
    REQUIRE(curve_keypair(fresh.data(), fresh_secret.data()));
    REQUIRE(curve_public(again.data(), fresh_secret.data()));
    CHECK(again == fresh);
}
#endif
