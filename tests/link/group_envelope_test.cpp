#include "link/group_envelope.hpp"

#include "support/frames.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

using Step = GroupEnvelope::Step;

namespace {

Step take(GroupEnvelope &envelope, std::string_view text, bool more) {
    OwnMessage frame = make_frame(text, more);
    return envelope.take(*frame);
}

} // namespace

TEST_CASE("zmtp.md 10: a group and a body become one message") {
    GroupEnvelope envelope;
    CHECK(take(envelope, "weather", true) == Step::group);
    OwnMessage body = make_frame("rain");
    CHECK(envelope.take(*body) == Step::body);
    CHECK(std::string(body->group()) == "weather");
    CHECK(body->bytes().text() == "rain");
    // The empty group, and one that a NUL ends.
    CHECK(take(envelope, "", true) == Step::group);
    body = make_frame("none");
    CHECK(envelope.take(*body) == Step::body);
    CHECK(std::string(body->group()).empty());
    CHECK(take(envelope, std::string_view("ab\0cd", 5), true) == Step::group);
    body = make_frame("cut");
    CHECK(envelope.take(*body) == Step::body);
    CHECK(std::string(body->group()) == "ab");
}

TEST_CASE("quirks, table: one frame, three frames and a group over 255 bytes are malformed") {
    GroupEnvelope envelope;
    CHECK(take(envelope, "alone", false) == Step::malformed);
    CHECK(take(envelope, "g", true) == Step::group);
    CHECK(take(envelope, "more", true) == Step::malformed);
    CHECK(take(envelope, std::string(255, 'g'), true) == Step::group);
    CHECK(take(envelope, "body", false) == Step::body);
    CHECK(take(envelope, std::string(256, 'g'), true) == Step::malformed);
}

TEST_CASE("RC-12: a group whose body never came is forgotten with its connection") {
    GroupEnvelope envelope;
    CHECK(take(envelope, "g", true) == Step::group);
    envelope.reset();
    CHECK(take(envelope, "body", false) == Step::malformed);
}
