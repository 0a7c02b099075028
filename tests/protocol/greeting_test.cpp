#include "protocol/greeting.hpp"

#include "security/mechanism.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

constexpr int pull = 7; // the type code that goes out

// What a greeting made of the peer's bytes, and how many of them it took.
struct Fed {
    Greeting greeting;
    Buffer out;
    size_t taken = 0;
    bool is_complete = false;
    explicit Fed(const Buffer &bytes, int mechanism = mechanism_id::null)
        : greeting(pull, mechanism) {
        while (taken < bytes.size() && !is_complete)
            is_complete = greeting.take(bytes[taken++], out);
    }
};

Buffer signature(uint8_t end = 0x7f) {
    Buffer bytes = unhex("ff00000000000000017f");
    bytes[9] = end;
    return bytes;
}

Buffer greeting_of(uint8_t major, uint8_t minor, size_t size = 64) {
    Buffer bytes = vector_bytes("greeting.json", "greeting-3.1-null");
    bytes[10] = major;
    bytes[11] = minor;
    bytes.resize(size);
    return bytes;
}

} // namespace

TEST_CASE("zmtp 3 A: a first byte other than ff is already the identity of an unversioned peer") {
    for (uint8_t byte = 0; byte < 255; ++byte) {
        const Fed fed(Buffer{byte, 0x7f});
        CHECK(fed.is_complete);
        CHECK(fed.taken == 1);
        CHECK(fed.greeting.version() == ZmtpVersion::unversioned);
        CHECK(fed.greeting.bytes() == Bytes(&byte, 1));
        CHECK(fed.out.empty());
    }
}

TEST_CASE("zmtp 3 B: bit 0 of byte 9 alone tells a versioned peer from a long identity") {
    for (int byte = 0; byte < 256; ++byte) {
        for (const uint8_t padding : {0x00, 0x01, 0xff}) {
            Buffer bytes = signature(static_cast<uint8_t>(byte));
            std::fill(bytes.begin() + 1, bytes.begin() + 9, padding);
            const Fed fed(bytes);
            CHECK(fed.taken == 10);
            CHECK(fed.is_complete == (byte % 2 == 0));
            CHECK(hex(fed.out) == (byte % 2 == 0 ? "" : "03"));
            if (!fed.is_complete) continue;
            CHECK(fed.greeting.version() == ZmtpVersion::unversioned);
            CHECK(fed.greeting.bytes() == view(bytes));
        }
    }
}

TEST_CASE("zmtp 3 C, D and quirks Q-20: the version bytes choose the version") {
    for (int major = 0; major < 256; ++major) {
        for (const uint8_t minor : {0, 1, 2, 8, 255}) {
            INFO(major << "." << int(minor));
            const Fed fed(greeting_of(static_cast<uint8_t>(major), minor));
            const ZmtpVersion version = major == 0                 ? ZmtpVersion::v1_0
                                        : major == 1               ? ZmtpVersion::v2_0
                                        : major == 3 && minor == 0 ? ZmtpVersion::v3_0
                                                                   : ZmtpVersion::v3_1;
            CHECK(fed.is_complete);
            CHECK(fed.greeting.version() == version);
            CHECK(fed.taken == (major <= 1 ? 12 : 64));
            if (major <= 1) {
                CHECK(fed.greeting.type_code() == minor);
                CHECK(hex(fed.out) == "0307");
            } else {
                CHECK(hex(fed.out) ==
                      "03" + hex(vector_bytes("greeting.json", "staged-2-after-peer-byte-11")));
            }
        }
    }
}

TEST_CASE("zmtp 3 D: one byte less decides nothing") {
    for (const auto &[major, size] : {std::pair<uint8_t, size_t>{0, 11}, {1, 11}, {3, 63}, {4, 63}})
        CHECK(!Fed(greeting_of(major, 1, size)).is_complete);
}

TEST_CASE("zmtp 1: what follows from a version") {
    using V = ZmtpVersion;
    for (const V version : {V::unversioned, V::v1_0, V::v2_0, V::v3_0, V::v3_1}) {
        CHECK(is_before_3(version) == (version != V::v3_0 && version != V::v3_1));
        CHECK((framing_of(version) == Framing::v1) ==
              (version == V::unversioned || version == V::v1_0));
        CHECK((subscription_form_of(version) == SubscriptionForm::command) ==
              (version == V::v3_1)); // zmtp 8, quirks Q-15
    }
}

TEST_CASE("zmtp 2.1: captured greetings of every mechanism") {
    const std::pair<const char *, int> captured[] = {
        {"greeting-3.1-null", mechanism_id::null},
        {"greeting-3.0-null", mechanism_id::null},
        {"greeting-3.1-plain-server", mechanism_id::plain},
        {"greeting-3.1-plain-client", mechanism_id::plain},
        {"greeting-3.1-curve-server", mechanism_id::curve},
        {"greeting-3.1-curve-client", mechanism_id::curve},
        {"greeting-3.1-gssapi-server", mechanism_id::gssapi},
    };
    for (const auto &[name, theirs] : captured) {
        const Buffer bytes = vector_bytes("greeting.json", name);
        for (const int ours :
             {mechanism_id::null, mechanism_id::plain, mechanism_id::curve, mechanism_id::gssapi}) {
            INFO(name << " and mechanism " << ours);
            const Fed fed(bytes, ours);
            REQUIRE(fed.is_complete);
            CHECK(fed.greeting.is_same_mechanism() == (ours == theirs));
            if (ours != theirs || fed.greeting.version() != ZmtpVersion::v3_1) continue;
            Buffer own;
            fed.greeting.start(0, own);
            own.insert(own.end(), fed.out.begin(), fed.out.end());
            CHECK(hex(own) == hex(bytes)); // we say what the reference says
        }
    }
}

TEST_CASE("zmtp 3: all 20 bytes of the mechanism are compared") {
    for (size_t at = 12; at < 64; ++at) {
        Buffer bytes = greeting_of(3, 1);
        bytes[at] ^= 1;
        CHECK(Fed(bytes).greeting.is_same_mechanism() == (at >= 32));
    }
}
