// Handshakes over a WebSocket (transports.md section 7): captured bytes in, captured bytes out, and both of our
// sides against each other.
#include "protocol/base64.hpp"
#include "protocol/handshake.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

using Outcome = Handshake::Outcome;
using Reason = Handshake::Reason;

uint32_t mask_of_vectors() {
    const uint8_t bytes[] = {1, 2, 3, 4};
    uint32_t mask;
    std::memcpy(&mask, bytes, sizeof mask);
    return mask;
}

HandshakeConfig config_for(int type, bool is_client) {
    HandshakeConfig config;
    config.socket_type = type;
    config.routing_id = "ME";
    config.ws = WsSide{is_client, "127.0.0.1", "/", mask_of_vectors};
    return config;
}

Buffer captured(const std::string &name) { return vector_bytes("ws.json", name); }

Buffer operator+(Buffer left, const Buffer &right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

Buffer bare_request() {
    std::string text(view(captured("client-request")).text());
    const std::string both = "ZWS2.0/NULL,ZWS2.0";
    text.replace(text.find(both), both.size(), "ZWS2.0");
    return Buffer(text.begin(), text.end());
}

struct Side {
    Handshake handshake;
    Buffer out;
    Outcome outcome = Outcome::more;
    size_t consumed = 0;
    explicit Side(HandshakeConfig config) : handshake(std::move(config)) { handshake.start(out); }
    void feed(const Buffer &bytes, size_t step = SIZE_MAX) {
        for (size_t at = 0; at < bytes.size() && outcome == Outcome::more;) {
            const Buffer piece(bytes.begin() + long(at),
                               bytes.begin() + long(at + std::min(step, bytes.size() - at)));
            size_t taken = 0;
            outcome = handshake.feed(view(piece), taken, out);
            at += taken;
            consumed += taken;
            if (handshake.is_waiting_for_zap()) return;
        }
    }
};

// Until neither has anything to say.
void converse(Side &a, Side &b) {
    for (bool any = true; any;) {
        any = false;
        for (auto [from, to] : {std::pair(&a, &b), std::pair(&b, &a)}) {
            if (from->out.empty()) continue;
            const Buffer said = std::move(from->out);
            from->out.clear();
            to->feed(said);
            any = true;
        }
    }
}

void check_failure(const Side &side, uint32_t code) {
    CHECK(side.outcome == Outcome::failed);
    CHECK(side.handshake.failure().reason == Reason::protocol_error);
    CHECK(side.handshake.failure().code == code);
    CHECK(side.handshake.failure().is_fatal);
}

} // namespace

TEST_CASE("ws: a server answers the captured client as libzmq did, however it arrives") {
    const Buffer in = captured("client-request") + captured("client-ready-masked");
    for (size_t step = 1; step <= in.size(); ++step) {
        Side server(config_for(socket_type::dealer, false));
        server.feed(in, step);
        REQUIRE(server.outcome == Outcome::ready);
        CHECK(server.handshake.is_upgraded());
        CHECK(server.handshake.has_mechanism());
        CHECK(server.handshake.framing() == Framing::ws_server);
        CHECK(server.handshake.subscription_form() == SubscriptionForm::message);
        CHECK(server.handshake.version() == ZmtpVersion::v3_1);
        CHECK(server.handshake.peer_socket_type() == socket_type::dealer);
        CHECK(server.out == captured("server-response") + captured("server-ready"));
    }
}

TEST_CASE("ws: the bare protocol exchanges routing ids and nothing else") {
    Side server(config_for(socket_type::router, false));
    server.feed(bare_request());
    CHECK(server.outcome == Outcome::more);
    CHECK(server.handshake.is_upgraded());
    CHECK_FALSE(server.handshake.is_waiting_for_identity()); // its timer runs on
    CHECK(server.out == captured("server-response-no-mechanism") + captured("server-routing-id"));
    const Buffer name = unhex("8283010203040140" "51"); // flags 0, "BR"
    server.feed(name + unhex("8281"));
    CHECK(server.outcome == Outcome::ready);
    CHECK_FALSE(server.handshake.has_mechanism());
    CHECK(server.handshake.peer_routing_id() == "BR");
    CHECK(server.handshake.peer_socket_type() == socket_type::none);
    CHECK(server.consumed == bare_request().size() + name.size());
}

TEST_CASE("ws: both of our sides agree, with every mechanism that needs no keys") {
    const int mechanism = GENERATE(int(mechanism_id::null), int(mechanism_id::plain));
    SecurityOptions security;
    security.mechanism = mechanism;
    security.plain_user = "user";
    security.plain_password = "password";
    SecurityOptions server_security = security;
    server_security.as_server = true;
    HandshakeConfig client_config = config_for(socket_type::dealer, true);
    client_config.mechanism = mechanism;
    client_config.security = &security;
    HandshakeConfig server_config = config_for(socket_type::router, false);
    server_config.mechanism = mechanism;
    server_config.security = &server_security;
    Side client(std::move(client_config)), server(std::move(server_config));
    converse(client, server);
    if (mechanism == mechanism_id::plain) {
        REQUIRE(server.handshake.is_waiting_for_zap());
        CHECK(server.handshake.zap_credentials() == std::vector<std::string>{"user", "password"});
        server.outcome = server.handshake.answer_zap(200, server.out);
        converse(client, server);
    }
    CHECK(client.outcome == Outcome::ready);
    CHECK(server.outcome == Outcome::ready);
    CHECK(client.handshake.framing() == Framing::ws_client);
    CHECK(server.handshake.peer_routing_id() == "ME");
}

TEST_CASE("ws: mechanisms that do not match do not upgrade") {
    SecurityOptions security;
    security.mechanism = mechanism_id::plain;
    security.as_server = true;
    HandshakeConfig config = config_for(socket_type::dealer, false);
    config.mechanism = mechanism_id::plain;
    config.security = &security;
    Side server(std::move(config));
    server.feed(captured("client-request"));
    check_failure(server, protocol_error::websocket);
    CHECK(server.out.empty());
    CHECK_FALSE(server.handshake.is_upgraded());
}

TEST_CASE("Q-61: with a ZAP handler to ask, no peer gets past the mechanism") {
    HandshakeConfig config = config_for(socket_type::dealer, false);
    config.asks_zap = true;
    Side server(config);
    server.feed(bare_request());
    check_failure(server, protocol_error::websocket);

    std::string text(view(captured("client-request")).text());
    const std::string both = "ZWS2.0/NULL,ZWS2.0";
    text.replace(text.find(both), both.size(), "ZWS2.0,ZWS2.0/NULL");
    Side chooses(config);
    chooses.feed(Buffer(text.begin(), text.end()));
    CHECK(chooses.handshake.is_waiting_for_zap());

    HandshakeConfig asking = config_for(socket_type::dealer, true);
    asking.asks_zap = true;
    const Side client(std::move(asking));
    CHECK(view(client.out).text().find("Sec-WebSocket-Protocol: ZWS2.0/NULL\r\n") !=
          std::string_view::npos);
}

TEST_CASE("ws: control frames may come between the commands of a handshake") {
    Side server(config_for(socket_type::dealer, false));
    server.feed(captured("client-request"));
    server.out.clear();
    server.feed(captured("ping-in") + captured("ping-in"));
    CHECK(server.outcome == Outcome::more);
    CHECK(hex(server.out) == "8a036374788a03637478"); // with the ping's payload (RFC 6455, quirks Q-36)
    server.feed(captured("client-ready-masked"));
    CHECK(server.outcome == Outcome::ready);

    Side left(config_for(socket_type::dealer, false));
    left.feed(captured("client-request"));
    left.out.clear();
    left.feed(captured("close-in"));
    CHECK(left.outcome == Outcome::failed);
    CHECK(left.out == captured("close-out"));
    CHECK(left.handshake.failure().reason == Reason::closed);
    CHECK_FALSE(left.handshake.failure().is_fatal);
}

TEST_CASE("ws: who only pings and reads nothing is not answered for ever") {
    Side server(config_for(socket_type::dealer, false));
    server.feed(captured("client-request"));
    server.out.clear();
    for (size_t i = 0; i < control_frames_max; ++i) server.feed(captured("ping-in"));
    CHECK(server.outcome == Outcome::more);
    CHECK(server.out.size() == control_frames_max * 5);
    server.feed(captured("ping-in"));
    check_failure(server, protocol_error::websocket);
    CHECK(server.out.size() == control_frames_max * 5);
}

TEST_CASE("ws: frames that are none end the handshake") {
    for (const char *bytes : {"8201", "0281", "8181", "8280", "c281", "82ff0000000000010002"}) {
        INFO(bytes);
        Side server(config_for(socket_type::dealer, false));
        server.feed(captured("client-request") + unhex(bytes) + unhex("01020304" "00"));
        check_failure(server, protocol_error::websocket);
    }
}
