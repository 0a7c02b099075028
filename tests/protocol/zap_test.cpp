#include "protocol/handshake.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

ZapFrames frames_in(const nlohmann::json &vector) {
    ZapFrames frames;
    for (const std::string text : vector.at("frames")) {
        const Buffer frame = unhex(text);
        frames.emplace_back(frame.begin(), frame.end());
    }
    return frames;
}

// By the name of a row of zap.json.
ZapFrames frames_of(const std::string &name) {
    for (const auto &vector : load_vectors("zap.json"))
        if (vector.at("name") == name) return frames_in(vector);
    throw std::runtime_error("no vector: " + name);
}

ZapRequest from_localhost(int mechanism) {
    ZapRequest request;
    request.address = "127.0.0.1";
    request.mechanism = mechanism;
    return request;
}

uint32_t error_of(const ZapFrames &frames) { return parse_zap_reply(frames).error; }

// A PULL that has a NULL peer at its door and asks.
struct Asking {
    Handshake handshake{config()};
    std::vector<uint8_t> out;
    Asking() {
        handshake.start(out);
        size_t consumed = 0;
        (void)handshake.feed(view(vector_bytes("greeting.json", "greeting-3.1-null")), consumed, out);
        REQUIRE(handshake.is_waiting_for_zap());
    }
    static HandshakeConfig config() {
        HandshakeConfig config;
        config.socket_type = socket_type::pull;
        config.asks_zap = true;
        return config;
    }
    uint32_t refusal(const ZapFrames &reply) {
        out.clear();
        CHECK(handshake.take_zap_reply(reply, out) == Handshake::Outcome::failed);
        CHECK(handshake.failure().reason == Handshake::Reason::protocol_error);
        CHECK(out.empty());
        return handshake.failure().code;
    }
};

} // namespace

TEST_CASE("requests are those of the reference") {
    ZapRequest null = from_localhost(mechanism_id::null);
    null.domain = "test";
    CHECK(zap_request_frames(null) == frames_of("request-null"));
    null.routing_id = "SRV";
    CHECK(zap_request_frames(null) == frames_of("request-null-routing-id"));
    ZapRequest plain = from_localhost(mechanism_id::plain);
    plain.credentials = {"admin", "secret"};
    CHECK(zap_request_frames(plain) == frames_of("request-plain"));
    ZapRequest curve = from_localhost(mechanism_id::curve);
    curve.domain = "d";
    curve.credentials = {frames_of("request-curve").at(7)};
    CHECK(zap_request_frames(curve) == frames_of("request-curve"));
}

TEST_CASE("replies that the reference refuses are refused with its codes") {
    size_t rows = 0;
    for (const auto &vector : load_vectors("zap.json")) {
        const std::string meaning = vector.at("meaning");
        const size_t code_at = meaning.find("0x2");
        if (code_at == std::string::npos) continue;
        INFO(vector.at("name"));
        ++rows;
        Asking side;
        CHECK(side.refusal(frames_in(vector)) ==
              std::stoul(meaning.substr(code_at, 10), nullptr, 16));
    }
    CHECK(rows == 9);
}

TEST_CASE("a reply is refused for its first mistake") {
    const ZapFrames wrong_all = {"x", "2.0", "9", "600", "", "", "\xff"};
    ZapFrames frames = wrong_all;
    CHECK(error_of(frames) == zap_error::unspecified);
    frames[0].clear();
    CHECK(error_of(frames) == zap_error::bad_version);
    frames[1] = "1.0";
    CHECK(error_of(frames) == zap_error::bad_request_id);
    frames[2] = "1";
    CHECK(error_of(frames) == zap_error::invalid_status);
    frames[3] = "200";
    CHECK(error_of(frames) == protocol_error::none);
    CHECK(Asking().refusal(frames) == zap_error::invalid_metadata);
    frames.push_back("");
    CHECK(error_of(frames) == zap_error::malformed_reply);
    CHECK(error_of({}) == zap_error::malformed_reply);
    CHECK(error_of({""}) == zap_error::malformed_reply);
}

TEST_CASE("a status is 200, 300, 400 or 500 and nothing else") {
    for (const std::string status : {"200", "300", "400", "500"})
        CHECK(parse_zap_reply({"", "1.0", "1", status, "", "", ""}).status == std::stoul(status));
    for (const std::string status : {"", "2", "20", "2000", "100", "600", "201", "210", "abc", "-00",
                                     " 200", "200 ", "2\0000"})
        CHECK(error_of({"", "1.0", "1", status, "", "", ""}) == zap_error::invalid_status);
}

TEST_CASE("user id and metadata of an accepting reply are kept") {
    Asking side;
    CHECK(side.handshake.take_zap_reply(frames_of("reply-ok"), side.out) ==
          Handshake::Outcome::more);
    PropertyList expected = {{"Foo", "bar"}, {"User-Id", "joe"}};
    CHECK(side.handshake.zap_properties() == expected);
    // Too late for another.
    CHECK(side.handshake.take_zap_reply({"nonsense"}, side.out) == Handshake::Outcome::more);
}

TEST_CASE("the user id is there when it is empty, and metadata can not give another") {
    Asking side;
    std::vector<uint8_t> metadata;
    append_property(metadata, "User-Id", Bytes(std::string_view("root")));
    append_property(metadata, "Peer-Address", Bytes(std::string_view("10.0.0.1")));
    const ZapFrames reply = {"", "1.0", "1", "200", "", "", std::string(metadata.begin(), metadata.end())};
    CHECK(side.handshake.take_zap_reply(reply, side.out) == Handshake::Outcome::more);
    CHECK(side.handshake.zap_properties() == PropertyList{{"User-Id", ""}});
}

TEST_CASE("300 is temporary for a connecting side that asks; 400 and 500 are final") {
    for (const std::string status : {"300", "400", "500"}) {
        Asking side;
        const ZapFrames reply = {"", "1.0", "1", status, "", "", ""};
        CHECK(side.handshake.take_zap_reply(reply, side.out) == Handshake::Outcome::failed);
        CHECK(side.handshake.failure().reason == Handshake::Reason::auth);
        CHECK(side.handshake.failure().code == std::stoul(status));
        CHECK(side.handshake.failure().is_fatal == (status != "300"));
    }
}
