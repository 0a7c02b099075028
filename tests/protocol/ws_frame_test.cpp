#include "protocol/ws_frame.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

Buffer captured(const std::string &name) { return vector_bytes("ws.json", name); }

constexpr uint8_t test_mask[] = {1, 2, 3, 4}; // that of the vectors

WsMask mask_of_vectors() {
    WsMask mask;
    std::memcpy(&mask, test_mask, sizeof mask);
    return mask;
}

struct Frame {
    WsHeader header;
    Buffer body;
};

// All frames, unmasked; the headers are tried with every shorter prefix too.
std::vector<Frame> split(const Buffer &bytes, bool is_from_client) {
    std::vector<Frame> frames;
    for (size_t at = 0; at < bytes.size();) {
        Frame frame{};
        REQUIRE(parse_ws_header(bytes.data() + at, bytes.size() - at, is_from_client,
                                frame.header) == Parse::complete);
        for (size_t n = 0; n < frame.header.header_size; ++n) {
            const Buffer prefix(bytes.begin() + long(at), bytes.begin() + long(at + n));
            WsHeader ignored;
            REQUIRE(parse_ws_header(prefix.data(), n, is_from_client, ignored) ==
                    Parse::need_more);
        }
        at += frame.header.header_size;
        REQUIRE(frame.header.body_size <= bytes.size() - at);
        frame.body.assign(bytes.begin() + long(at),
                          bytes.begin() + long(at + frame.header.body_size));
        apply_mask(frame.body.data(), frame.body.data(), frame.body.size(), frame.header.mask);
        at += frame.body.size();
        frames.push_back(frame);
    }
    return frames;
}

Buffer join(const std::vector<Frame> &frames, bool is_client) {
    Buffer out;
    for (const Frame &frame : frames) {
        const WsMask mask = mask_of_vectors();
        if (frame.header.opcode != WsOpcode::data) {
            append_ws_control(out, frame.header.opcode, view(frame.body),
                              is_client ? &mask : nullptr);
            continue;
        }
        uint8_t header[header_max];
        Buffer body = frame.body;
        size_t size;
        if (is_client) {
            WsMask body_mask;
            std::tie(size, body_mask) =
                put_masked_ws_header(header, frame.header.flags, body.size(), mask);
            apply_mask(body.data(), body.data(), body.size(), body_mask);
        } else {
            size = put_ws_header(header, frame.header.flags, body.size());
        }
        out.insert(out.end(), header, header + size);
        out.insert(out.end(), body.begin(), body.end());
    }
    return out;
}

Parse parse(const std::string &bytes, bool is_from_client) {
    const Buffer exact = unhex(bytes);
    WsHeader header;
    return parse_ws_header(exact.data(), exact.size(), is_from_client, header);
}

std::string text(const Frame &frame) { return std::string(view(frame.body).text()); }

} // namespace

TEST_CASE("captured WebSocket frames are parsed and written back byte for byte") {
    for (const char *name : {"server-ready", "server-multipart", "pong-out", "server-body-124",
                             "server-body-125", "close-out", "server-routing-id",
                             "server-heartbeat"}) {
        INFO(name);
        CHECK(hex(join(split(captured(name), false), false)) == hex(captured(name)));
    }
    for (const char *name : {"client-ready-masked", "ping-in", "close-in"}) {
        INFO(name);
        CHECK(hex(join(split(captured(name), true), true)) == hex(captured(name)));
    }
}

TEST_CASE("captured WebSocket frames mean what the vectors say") {
    const auto parts = split(captured("server-multipart"), false);
    REQUIRE(parts.size() == 2);
    CHECK(parts[0].header.flags == Message::more);
    CHECK(text(parts[0]) == "hi");
    CHECK(parts[1].header.flags == 0);
    CHECK(text(parts[1]) == "there");

    const auto ready = split(captured("client-ready-masked"), true);
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].header.flags == Message::command);
    CHECK(text(ready[0]).substr(0, 6) == "\5READY");

    const auto ping = split(captured("ping-in"), true);
    REQUIRE(ping.size() == 1);
    CHECK(ping[0].header.opcode == WsOpcode::ping);
    CHECK(text(ping[0]) == "ctx");
    CHECK(split(captured("close-in"), true)[0].header.opcode == WsOpcode::close);
    CHECK(split(captured("close-out"), false)[0].body == split(captured("close-in"), true)[0].body);
}

TEST_CASE("every length takes its shortest form, and longer forms are understood") {
    for (const uint64_t size : {uint64_t(0), uint64_t(1), uint64_t(124), uint64_t(125),
                                uint64_t(65534), uint64_t(65535), uint64_t(1) << 40}) {
        for (const bool is_client : {false, true}) {
            uint8_t header[header_max];
            const size_t written =
                is_client ? put_masked_ws_header(header, Message::more, size, 0x01020304).first
                          : put_ws_header(header, Message::more, size);
            CHECK(written <= header_max);
            WsHeader parsed;
            REQUIRE(parse_ws_header(header, written, is_client, parsed) == Parse::complete);
            CHECK(parsed.body_size == size);
            CHECK(parsed.flags == Message::more);
            CHECK(parsed.header_size == written);
            const size_t length = size < 125 ? 0 : size < 65535 ? 2 : 8;
            CHECK(written == 2 + length + (is_client ? 4 : 0) + 1);
        }
    }
    CHECK(parse("827e000200", false) == Parse::complete);
    CHECK(parse("827f000000000000000200", false) == Parse::complete);
}

TEST_CASE("Q-38: what is no WebSocket frame of ours is malformed") {
    for (const char *bytes : {
             "0203",                 // a fragment
             "0003", "8003",         // a continuation
             "8103",                 // text
             "8303", "8b03", "8f03", // opcodes that nobody has defined
             "c203", "a203", "9203", // reserved bits
             "8280",                 // masked by a server
             "8200",                 // no flags byte
             "827e0000", "827f0000000000000000",
             "897e", "897f", "09",   // a control frame that is long, or a fragment
             "827fffffffffffffffff", // longer than anything
         }) {
        INFO(bytes);
        CHECK(parse(bytes, false) == Parse::malformed);
    }
    CHECK(parse("8203", true) == Parse::malformed); // a client that does not mask
    CHECK(parse("8900", true) == Parse::malformed);
    CHECK(parse("8280", true) == Parse::malformed);
}

TEST_CASE("other flags than MORE and COMMAND are ignored") {
    const Buffer bytes = unhex("8201fc");
    WsHeader header;
    REQUIRE(parse_ws_header(bytes.data(), bytes.size(), false, header) == Parse::complete);
    CHECK(header.flags == 0);
}

TEST_CASE("a mask goes on where it stopped") {
    Buffer body(41);
    for (size_t i = 0; i < body.size(); ++i) body[i] = uint8_t(i * 7);
    Buffer at_once(body.size()), in_two(body.size());
    const WsMask mask = mask_of_vectors();
    apply_mask(at_once.data(), body.data(), body.size(), mask);
    apply_mask(in_two.data(), body.data(), 1, mask);
    apply_mask(in_two.data() + 1, body.data() + 1, body.size() - 1, after_one_byte(mask));
    CHECK(at_once == in_two);
    for (size_t i = 0; i < body.size(); ++i) CHECK(at_once[i] == (body[i] ^ test_mask[i % 4]));
}
