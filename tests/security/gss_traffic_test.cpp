#include "base/message.hpp"
#include "security/gss_traffic.hpp"
#include "security/mechanism.hpp"
#include "support/gss.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

std::shared_ptr<FakeGss> fake() {
    return std::make_shared<FakeGss>(std::vector<FakeGss::Answer>{});
}

Buffer message_of(std::string_view content) {
    Buffer out;
    for (const char c : std::string_view("\7MESSAGE")) out.push_back(uint8_t(c));
    const size_t size = content.size() + 3;
    for (const size_t byte : {size >> 24, size >> 16, size >> 8, size})
        out.push_back(uint8_t(byte));
    out.push_back('<');
    out.push_back('<');
    for (const char c : content) out.push_back(uint8_t(c) ^ 0x55);
    out.push_back('>');
    return out;
}

uint32_t open(GssTraffic &traffic, Buffer message, TrafficSeal::Opened &opened, std::string &body) {
    const uint32_t error = traffic.open(message.data(), message.size(), opened);
    body = error ? std::string() : std::string(opened.body.text());
    return error;
}

} // namespace

TEST_CASE("security.md 5: MESSAGE is name, length, and a token of flags and body") {
    GssTraffic traffic(fake());
    for (const uint8_t flags : {0, 1, 2, 3}) {
        const std::string body = flags == 3 ? std::string() : std::string("body");
        Buffer out(traffic.sealed_size(body.size()));
        REQUIRE(traffic.seal(flags, Bytes(body), out.data()));
        CHECK(out == message_of(std::string(1, char(flags)) + body));
        TrafficSeal::Opened opened;
        std::string again;
        CHECK(open(traffic, out, opened, again) == protocol_error::none);
        CHECK(opened.flags == flags);
        CHECK(again == body);
    }
}

TEST_CASE("Only MORE and COMMAND are told: subscriptions go in their message form") {
    GssTraffic traffic(fake());
    Buffer out(traffic.sealed_size(2));
    REQUIRE(traffic.seal(Message::subscribe | Message::shared | Message::more,
                         Bytes(std::string_view("\1a")), out.data()));
    CHECK(out == message_of("\1\1a"));
}

TEST_CASE("A body that lies in the room for the sealed one") {
    GssTraffic traffic(fake());
    Buffer out(traffic.sealed_size(4), 'x');
    std::copy_n("body", 4, out.begin() + 3);
    REQUIRE(traffic.seal(0, view(out).skip(3).first(4), out.data()));
    CHECK(out == message_of(std::string("\0body", 5)));
}

TEST_CASE("security.md 5: SUBSCRIBE and CANCEL come as flags before a bare topic") {
    GssTraffic traffic(fake());
    TrafficSeal::Opened opened;
    std::string body;
    CHECK(open(traffic, message_of("\4topic"), opened, body) == 0);
    CHECK(opened.flags == Message::subscribe);
    CHECK(body == "topic");
    CHECK(open(traffic, message_of("\12topic"), opened, body) == 0);
    CHECK(opened.flags == (Message::cancel | Message::command));
    CHECK(open(traffic, message_of("\14topic"), opened, body) == protocol_error::malformed_message);
    CHECK(open(traffic, message_of("\360topic"), opened, body) == 0); // unknown bits
    CHECK(opened.flags == 0);
}

TEST_CASE("security.md 5: a MESSAGE that is none") {
    GssTraffic traffic(fake());
    TrafficSeal::Opened opened;
    std::string body;
    const Buffer good = message_of(std::string("\0body", 5));
    for (size_t size = 0; size < good.size(); ++size) {
        INFO(size);
        const Buffer cut(good.begin(), good.begin() + long(size));
        CHECK(open(traffic, cut, opened, body) ==
              (size < 8 ? protocol_error::unexpected_command : protocol_error::malformed_message));
    }
    Buffer longer = good;
    longer.push_back(0);
    CHECK(open(traffic, longer, opened, body) == protocol_error::malformed_message);
    Buffer huge = good;
    std::fill_n(huge.begin() + 8, 4, 0xff);
    CHECK(open(traffic, huge, opened, body) == protocol_error::malformed_message);
    Buffer clear{'h', 'e', 'l', 'l', 'o'};
    CHECK(open(traffic, clear, opened, body) == protocol_error::unexpected_command);
    Buffer damaged = good;
    damaged.back() = '?';
    CHECK(open(traffic, damaged, opened, body) == protocol_error::cryptographic);
    Buffer replayed = good;
    replayed[13] = '!';
    CHECK(open(traffic, replayed, opened, body) == protocol_error::invalid_sequence);
    CHECK(open(traffic, message_of(""), opened, body) == protocol_error::malformed_message);
}

TEST_CASE("What can not be wrapped is not sealed") {
    const auto context = fake();
    GssTraffic traffic(context);
    CHECK(traffic.sealed_size(context->content_max) == 0);
    CHECK(traffic.sealed_size(SIZE_MAX) == 0);
    context->can_wrap = false;
    Buffer out(traffic.sealed_size(1));
    CHECK_FALSE(traffic.seal(0, Bytes(std::string_view("a")), out.data()));
    CHECK_FALSE(traffic.can_recover());
}
