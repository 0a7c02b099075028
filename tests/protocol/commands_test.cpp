#include "protocol/commands.hpp"
#include "protocol/frame.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

std::string wire(const Message &message) {
    uint8_t header[header_max];
    const size_t size = put_v2_header(header, message.flags(), message.size());
    return hex(Bytes(header, size)) + hex(message.bytes());
}

std::string subscription(bool subscribe, const std::string &topic, SubscriptionForm form) {
    Message message;
    REQUIRE(!make_subscription(message, subscribe, Bytes(topic), form));
    const std::string out = wire(message);
    message.close();
    return out;
}

std::string membership(bool join, const std::string &group) {
    Message message;
    REQUIRE(!make_membership(message, join, Bytes(group)));
    const std::string out = wire(message);
    message.close();
    return out;
}

std::string vector_hex(const char *file, const char *name) { return hex(vector_bytes(file, name)); }

// The body of a captured command frame.
Buffer body_of(const Buffer &frame) {
    FrameHeader header;
    REQUIRE(parse_v2_header(frame.data(), frame.size(), header) == Parse::complete);
    CHECK(header.flags & Message::command);
    REQUIRE(frame.size() == header.header_size + header.body_size);
    return {frame.begin() + header.header_size, frame.end()};
}

CommandKind kind_of(const std::string &text) { return parse_command(Bytes(text)).kind; }

} // namespace

TEST_CASE("subscriptions are written as the reference writes them") {
    const auto command = SubscriptionForm::command;
    const auto message = SubscriptionForm::message;
    CHECK(subscription(true, "ab", command) == vector_hex("pubsub.json", "subscribe-zmtp-3.1"));
    CHECK(subscription(false, "ab", command) == vector_hex("pubsub.json", "cancel-zmtp-3.1"));
    CHECK(subscription(true, "", command) == vector_hex("pubsub.json", "subscribe-empty-3.1"));
    CHECK(subscription(true, "ab", message) == vector_hex("pubsub.json", "subscribe-zmtp-3.0"));
    CHECK(subscription(false, "ab", message) == vector_hex("pubsub.json", "cancel-zmtp-2.0"));
    CHECK(subscription(true, std::string(245, 'x'), command) ==
          vector_hex("pubsub.json", "subscribe-topic-245-3.1"));
    CHECK(subscription(true, std::string(246, 'x'), command) ==
          vector_hex("pubsub.json", "subscribe-topic-246-3.1"));
}

TEST_CASE("a 255 byte topic in message form has the LARGE bit (quirks Q-05)") {
    std::string expected = vector_hex("pubsub.json", "BUG-subscribe-topic-255-3.0");
    expected[1] = '2';
    CHECK(subscription(true, std::string(255, 'x'), SubscriptionForm::message) == expected);
    CHECK(subscription(false, std::string(249, 'x'), SubscriptionForm::command).substr(0, 18) ==
          "060000000000000100");
}

TEST_CASE("subscription commands are parsed back") {
    const Buffer subscribe = body_of(vector_bytes("pubsub.json", "subscribe-zmtp-3.1"));
    const Command first = parse_command(view(subscribe));
    CHECK(first.kind == CommandKind::subscribe);
    CHECK(first.body.text() == "ab");
    const Buffer cancel = body_of(vector_bytes("pubsub.json", "cancel-zmtp-3.1"));
    const Command second = parse_command(view(cancel));
    CHECK(second.kind == CommandKind::cancel);
    CHECK(second.body.text() == "ab");
    const Buffer longer = body_of(vector_bytes("pubsub.json", "subscribe-topic-246-3.1"));
    CHECK(parse_command(view(longer)).body.size() == 246);
}

TEST_CASE("PING and its PONG match the captured pairs") {
    for (const char *context : {"no-context", "context-3", "context-16", "context-20"}) {
        INFO(context);
        const Buffer ping = body_of(vector_bytes("heartbeat.json", std::string("ping-") + context));
        const Command command = parse_command(view(ping));
        CHECK(command.kind == CommandKind::ping);
        CHECK(command.ttl_deciseconds == 0);
        Message pong;
        REQUIRE(!make_pong(pong, command.body));
        CHECK(wire(pong) == hex(vector_bytes("heartbeat.json", std::string("pong-") + context)));
        const Command answer = parse_command(pong.bytes());
        CHECK(answer.kind == CommandKind::pong);
        CHECK(answer.body == command.body.first(pong_context_max));
        pong.close();
    }
    Message ping;
    REQUIRE(!make_ping(ping, 15));
    CHECK(wire(ping) == vector_hex("heartbeat.json", "ping-ttl-1500ms"));
    CHECK(parse_command(ping.bytes()).ttl_deciseconds == 15);
    ping.close();
}

TEST_CASE("PING without its whole ttl is malformed (quirks Q-03)") {
    CHECK(kind_of("\4PING") == CommandKind::malformed);
    CHECK(kind_of("\4PING1") == CommandKind::malformed);
    CHECK(kind_of("\4PING12") == CommandKind::ping);
}

TEST_CASE("JOIN and LEAVE are commands, with groups up to 255 bytes (quirks Q-02, Q-19)") {
    CHECK(membership(true, "weather") == "040c044a4f494e77656174686572");
    CHECK(membership(false, "weather") == "040d054c4541564577656174686572");
    CHECK(kind_of("\4JOIN" + std::string(255, 'g')) == CommandKind::join);
    CHECK(kind_of("\4JOIN" + std::string(256, 'g')) == CommandKind::malformed);
    CHECK(kind_of("\5LEAVE" + std::string(256, 'g')) == CommandKind::malformed);
    CHECK(parse_command(Bytes(std::string_view("\4JOIN"))).body.empty());
    CHECK(parse_command(Bytes(std::string_view("\4JOINab\0cd", 10))).body.text() == "ab");
}

TEST_CASE("unknown, empty and over-long commands are only unknown") {
    for (const char *name : {"v2-empty-command", "v2-command-bad-name-len"}) {
        const Buffer body = body_of(vector_bytes("frames.json", name));
        CHECK(parse_command(view(body)).kind == CommandKind::unknown);
    }
    for (const char *name : {"error-in-traffic", "unknown-command", "ready-again"}) {
        const Buffer body = body_of(vector_bytes("negative.json", name));
        CHECK(parse_command(view(body)).kind == CommandKind::unknown);
    }
    CHECK(kind_of("\4ping\1\1") == CommandKind::unknown);
    CHECK(kind_of("\3PIN") == CommandKind::unknown);
    CHECK(kind_of("\5PINGx") == CommandKind::unknown);
    CHECK(kind_of(std::string("\0", 1)) == CommandKind::unknown);
}

TEST_CASE("any bytes are parsed without reading beyond them") {
    uint32_t seed = 1;
    for (int round = 0; round < 20000; ++round) {
        Buffer bytes((seed >> 8) % 24);
        for (uint8_t &byte : bytes) {
            seed = seed * 1664525 + 1013904223;
            byte = static_cast<uint8_t>(seed >> 24);
        }
        if (!bytes.empty()) bytes[0] = static_cast<uint8_t>(bytes[0] % 12);
        const Command command = parse_command(view(bytes));
        CHECK(command.body.size() <= bytes.size());
        seed = seed * 1664525 + 1013904223;
    }
}
