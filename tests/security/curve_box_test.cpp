#include "security/curve_box.hpp"
#include "support/curve.hpp"

using namespace tern;
using namespace tern::test;
using namespace tern::test::curve;

TEST_CASE("input-*, precomputed: key pairs and key agreement") {
    for (const std::string name : {"S", "C", "s-prime", "c-prime"}) {
        INFO(name);
        const Buffer secret = vec("input-" + name + "-secret");
        CurveKey public_key;
        REQUIRE(curve_public(public_key.data(), secret.data()));
        CHECK(public_key == key_of(vec("input-" + name + "-public")));
    }
    const Buffer precomputed = vec("precomputed");
    const BoxNonce nonce = counter_nonce("CurveZMQREADY---", 1);
    const Buffer box = sealed(BoxKey(precomputed.data()), text("content"), nonce);
    BoxKey key;
    agree(key, vec("input-s-prime-public"), vec("input-c-prime-secret"));
    CHECK(sealed(key, text("content"), nonce) == box);
    agree(key, vec("input-c-prime-public"), vec("input-s-prime-secret"));
    CHECK(sealed(key, text("content"), nonce) == box);
}

TEST_CASE("a box opens whole, and not shorter") {
    const BoxKey key(vec("input-cookie-key").data());
    const BoxNonce nonce = counter_nonce("CurveZMQREADY---", 1);
    const Buffer box = sealed(key, {}, nonce);
    for (size_t size = 0; size <= box.size(); ++size) {
        INFO(size);
        const Buffer exact = slice(box, 0, size);
        uint8_t content = 0xa5;
        CHECK(key.open(&content, view(exact), nonce) == (size == box_overhead));
        CHECK(content == 0xa5);
    }
}

TEST_CASE("a Secret is wiped when it is cleared and when it goes") {
    const Buffer bytes(32, 0xa5);
    Secret<32> secret(bytes.data());
    CHECK(Buffer(secret.data(), secret.data() + 32) == bytes);
    secret.clear();
    CHECK(Buffer(secret.data(), secret.data() + 32) == Buffer(32));

    alignas(Secret<32>) unsigned char place[sizeof(Secret<32>)];
    auto *placed = new (place) Secret<32>(bytes.data());
    placed->~Secret();
    CHECK(Buffer(place, place + 32) == Buffer(32));
}

TEST_CASE("random secrets differ") {
    Buffer one(48), other(48);
    REQUIRE(curve_random(one.data(), one.size()));
    REQUIRE(curve_random(other.data(), other.size()));
    CHECK(one != other);
}
