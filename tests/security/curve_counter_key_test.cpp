#include "security/curve_counter_key.hpp"
#include "support/curve.hpp"

#include <sodium.h>

using namespace tern;
using namespace tern::test;
using namespace tern::test::curve;

namespace {

const Buffer &session_key() { return vec("precomputed"); }

CounterKey &derived(CounterKey &key, const char (&purpose)[17]) {
    key.derive(BoxKey(session_key().data()), purpose);
    return key;
}

// By libsodium alone.
Buffer box_of(uint64_t counter, const Buffer &content) {
    const BoxNonce nonce = counter_nonce("CurveZMQMESSAGES", counter);
    Buffer box(box_overhead + content.size());
    REQUIRE(crypto_box_easy_afternm(box.data(), content.data(), content.size(), nonce.data(),
                                    session_key().data()) == 0);
    return box;
}

Buffer content_of(size_t size) {
    Buffer content(size);
    for (size_t i = 0; i < size; ++i) content[i] = uint8_t(i * 7 + size);
    return content;
}

std::vector<size_t> sizes_to_try() {
    std::vector<size_t> sizes = {65536, 65537, 1000000};
    for (size_t size = 0; size <= 2000; ++size) sizes.push_back(size);
    for (size_t size = 4000; size <= 4700; ++size) sizes.push_back(size);
    return sizes;
}

} // namespace

TEST_CASE(
    "CounterKey: boxes of every size are those of crypto_box, sealed from elsewhere and in place") {
    REQUIRE(sodium_init() >= 0);
    CounterKey key;
    derived(key, "CurveZMQMESSAGES");
    uint64_t counter = 0xfffffffffffff000;
    for (const size_t size : sizes_to_try()) {
        INFO(size);
        const Buffer content = content_of(1 + size);
        const Bytes body = view(content).skip(1);
        const Buffer wanted = box_of(++counter, content);
        Buffer box(wanted.size(), 0xa5);
        key.seal(box.data(), content[0], body, counter);
        REQUIRE(box == wanted);
        Buffer in_place(box_overhead + 1, 0xa5);
        in_place.insert(in_place.end(), body.begin(), body.end());
        key.seal(in_place.data(), content[0], view(in_place).skip(box_overhead + 1), counter);
        REQUIRE(in_place == wanted);
        REQUIRE(key.open(box.data(), box.size(), counter));
        REQUIRE(slice(box, box_overhead, box.size()) == content);
    }
}

TEST_CASE("CounterKey: a box of every size with a bit changed stays shut, and as it is") {
    REQUIRE(sodium_init() >= 0);
    CounterKey key, other;
    derived(key, "CurveZMQMESSAGES");
    derived(other, "CurveZMQMESSAGEC");
    for (const size_t size : sizes_to_try()) {
        INFO(size);
        const Buffer box = box_of(size, content_of(size));
        Buffer changed = box;
        changed[(size * 31) % changed.size()] ^= uint8_t(1 << size % 8);
        const Buffer before = changed;
        REQUIRE_FALSE(key.open(changed.data(), changed.size(), size));
        REQUIRE(changed == before);
        changed = box;
        REQUIRE_FALSE(key.open(changed.data(), changed.size(), size + 1));
        REQUIRE_FALSE(other.open(changed.data(), changed.size(), size));
        REQUIRE(changed == box);
    }
}

TEST_CASE("CounterKey: each byte of the authenticator counts") {
    REQUIRE(sodium_init() >= 0);
    CounterKey key;
    derived(key, "CurveZMQMESSAGES");
    const Buffer box = box_of(1, content_of(257));
    for (size_t bit = 0; bit < 8 * box_overhead; ++bit) {
        Buffer changed = box;
        changed[bit / 8] ^= uint8_t(1 << bit % 8);
        REQUIRE_FALSE(key.open(changed.data(), changed.size(), 1));
    }
}
