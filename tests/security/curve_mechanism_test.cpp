#include "security/curve_mechanism.hpp"
#include "support/curve.hpp"

using namespace tern;
using namespace tern::test;
using namespace tern::test::curve;

namespace {

// Feeds every cut of a command, and the command with a byte to spare, to a fresh side.
template <class Side>
void check_cuts(const Buffer &body, void (Side::*reach)(), uint32_t (*code)(size_t)) {
    for (size_t size = 0; size <= body.size() + 1; ++size) {
        if (size == body.size()) continue;
        INFO(size);
        Side side;
        (side.*reach)();
        Buffer changed = body;
        changed.resize(size);
        check_refused(side.mechanism, changed, code(size));
        CHECK(side.reader.reads == 0);
    }
}

// Feeds a command with one byte changed, at every place. No byte behind the name is a matter of
// indifference.
template <class Side>
void check_changes(const Buffer &body, size_t name_size, void (Side::*reach)()) {
    for (size_t at = 0; at < body.size(); ++at) {
        INFO(at);
        Side side;
        (side.*reach)();
        Buffer changed = body;
        changed[at] ^= 1;
        check_refused(side.mechanism, changed,
                      at < name_size ? protocol_error::unexpected_command
                                     : protocol_error::cryptographic);
        CHECK(side.reader.reads == 0);
    }
}

} // namespace

// ---- the vectors

TEST_CASE("cookie, vouch: by their parts") {
    CHECK(make_cookie(vec("input-c-prime-public"), vec("input-s-prime-secret")) == vec("cookie"));
    CHECK(InitiateParts().build() == vec("initiate"));
    BoxKey key;
    agree(key, vec("input-C-public"), vec("input-s-prime-secret"));
    const Buffer vouch = vec("vouch");
    Buffer content(64);
    REQUIRE(key.open(content.data(), view(vouch).skip(16), random_nonce("VOUCH---", vouch.data())));
    CHECK(content == joined({vec("input-c-prime-public"), vec("input-S-public")}));
}

TEST_CASE("hello, welcome, initiate, ready: both sides, byte for byte") {
    Client client;
    Server server;
    const Talk said = talk(client.mechanism, server.mechanism);
    REQUIRE(said.from_client.size() == 2);
    REQUIRE(said.from_server.size() == 2);
    CHECK(hex(said.from_client[0]) == hex(vec("hello")));
    CHECK(hex(said.from_server[0]) == hex(vec("welcome")));
    CHECK(hex(said.from_client[1]) == hex(vec("initiate")));
    CHECK(hex(said.from_server[1]) == hex(vec("ready")));
    CHECK(said.from_client[0] == frame_body(vec("hello-frame")));
    CHECK(said.from_server[0] == frame_body(vec("welcome-frame")));
    CHECK(said.from_client[1] == frame_body(vec("initiate-frame")));
    CHECK(said.from_server[1] == frame_body(vec("ready-frame")));
    CHECK(text(server.reader.seen) == vec("initiate-metadata"));
    CHECK(text(client.reader.seen) == vec("ready-metadata"));
    CHECK(client.mechanism.is_ready());
    CHECK(server.mechanism.is_ready());
}

TEST_CASE("transcript-*: whole connections are followed from either side") {
    for (const std::string name : {"dealer-router", "sub-pub-3.1", "sub-pub-3.0"}) {
        INFO(name);
        const auto cut = [&name](const std::string &side) {
            const Buffer stream = vec("transcript-" + name + "-" + side);
            return cut_frames(view(stream).skip(64)); // behind the greeting
        };
        const std::vector<WireFrame> from_client = cut("client");
        const std::vector<WireFrame> from_server = cut("server");
        REQUIRE(from_client.size() > 2);
        REQUIRE(from_server.size() > 2);

        Server listener;
        REQUIRE(feed(listener.mechanism, from_client[0].body) == Step::idle);
        CHECK(take_command(listener.mechanism) == from_server[0].body);
        REQUIRE(feed(listener.mechanism, from_client[1].body) == Step::idle);

        Client client(text(listener.reader.seen));
        CHECK(take_command(client.mechanism) == from_client[0].body);
        REQUIRE(feed(client.mechanism, from_server[0].body) == Step::idle);
        CHECK(take_command(client.mechanism) == from_client[1].body);
        REQUIRE(feed(client.mechanism, from_server[1].body) == Step::idle);
        CHECK(client.mechanism.is_ready());

        Server server(false, text(client.reader.seen));
        REQUIRE(feed(server.mechanism, from_client[0].body) == Step::idle);
        CHECK(take_command(server.mechanism) == from_server[0].body);
        REQUIRE(feed(server.mechanism, from_client[1].body) == Step::idle);
        CHECK(take_command(server.mechanism) == from_server[1].body);
        CHECK(server.mechanism.is_ready());

        const auto client_seal = client.mechanism.take_traffic_seal();
        const auto server_seal = server.mechanism.take_traffic_seal();
        const auto follow = [](const std::vector<WireFrame> &frames, TrafficSeal &sender,
                               TrafficSeal &receiver) {
            for (size_t i = 2; i < frames.size(); ++i) {
                const OpenResult result = open(receiver, frames[i].body);
                REQUIRE(result.error == protocol_error::none);
                CHECK(frames[i].flags == 0);
                CHECK(seal(sender, result.flags, result.body) == frames[i].body);
            }
        };
        follow(from_client, *client_seal, *server_seal);
        follow(from_server, *server_seal, *client_seal);
    }
}

// ---- handshake

TEST_CASE("CUR-3 client and server with fresh keys and random bytes, without ZAP") {
    SecurityOptions at_client, at_server;
    REQUIRE(curve_keypair(at_client.curve_public_key.data(), at_client.curve_secret_key.data()));
    REQUIRE(curve_keypair(at_client.curve_server_key.data(), at_server.curve_secret_key.data()));
    at_server.curve_own_public_key = at_client.curve_server_key;
    Buffer random(48 + 96);
    REQUIRE(curve_random(random.data(), random.size()));
    Client client(text("client"), at_client, slice(random, 0, 48));
    Server server(false, text("server"), at_server, slice(random, 48, 96));
    talk(client.mechanism, server.mechanism);
    REQUIRE(client.mechanism.is_ready());
    REQUIRE(server.mechanism.is_ready());
    CHECK(client.reader.seen == "server");
    CHECK(server.reader.seen == "client");
    CHECK(next_step(client.mechanism) == Step::idle);
    CHECK(next_step(server.mechanism) == Step::idle);

    const auto at_client_seal = client.mechanism.take_traffic_seal();
    const auto at_server_seal = server.mechanism.take_traffic_seal();
    const OpenResult there = open(*at_server_seal, seal(*at_client_seal, more, text("there")));
    CHECK(there.error == 0);
    CHECK(int(there.flags) == more);
    CHECK(there.body == text("there"));
    const OpenResult back = open(*at_client_seal, seal(*at_server_seal, 0, text("back")));
    CHECK(back.error == 0);
    CHECK(back.body == text("back"));
}

TEST_CASE("CURVE is ready on neither side before READY") {
    Client client;
    CHECK_FALSE(client.mechanism.is_ready());
    client.reach_awaiting_ready();
    CHECK(next_step(client.mechanism) == Step::idle);
    CHECK_FALSE(client.mechanism.is_ready());
    Server server;
    CHECK(next_step(server.mechanism) == Step::idle);
    server.reach_awaiting_initiate();
    CHECK(next_step(server.mechanism) == Step::idle);
    CHECK(feed(server.mechanism, vec("initiate")) == Step::idle);
    CHECK_FALSE(server.mechanism.is_ready());
    (void)take_command(server.mechanism);
    CHECK(server.mechanism.is_ready());
}

TEST_CASE("CUR-7, CVE-2019-13132: metadata may be empty, and as long as the caller lets it be") {
    for (const size_t size : {0, 1, 255, 256, 300, 4096, 65536 - 257}) {
        INFO(size);
        Client client(Buffer(size, 'c'));
        Server server(false, Buffer(size, 's'));
        const Talk said = talk(client.mechanism, server.mechanism);
        CHECK(client.mechanism.is_ready());
        CHECK(server.mechanism.is_ready());
        CHECK(said.from_client.at(1).size() == 257 + size);
        CHECK(said.from_server.at(1).size() == 30 + size);
        CHECK(server.reader.seen == std::string(size, 'c'));
        CHECK(client.reader.seen == std::string(size, 's'));
    }
}

TEST_CASE("negative.json: malformed CURVE HELLO") {
    check_negative_rows<Server>("curve-handshake", 10, [](CurveServer &mechanism) {
        CHECK(take_command(mechanism) == vec("welcome"));
    });
}

TEST_CASE("CUR-6 HELLO cut at every length, and with a byte to spare") {
    check_cuts(vec("hello"), &Server::reach_awaiting_hello, [](size_t size) -> uint32_t {
        return size < 6 ? protocol_error::malformed : protocol_error::malformed_hello;
    });
}

TEST_CASE("CUR-6 HELLO with any byte changed; padding is not looked at (Q-31)") {
    const Buffer hello = vec("hello");
    for (size_t at = 0; at < hello.size(); ++at) {
        INFO(at);
        Buffer changed = hello;
        changed[at] ^= 1;
        Server server;
        const Step step = feed(server.mechanism, changed);
        if (at >= 8 && at < 80) {
            CHECK(step == Step::idle);
            continue;
        }
        CHECK(step == Step::failed);
        check_protocol_failure(server.mechanism, at < 6   ? protocol_error::unexpected_command
                                                 : at < 8 ? protocol_error::malformed_hello
                                                          : protocol_error::cryptographic);
    }
}

TEST_CASE("Q-31 what is in the box of HELLO does not matter") {
    Server server;
    CHECK(feed(server.mechanism, make_hello(1, Buffer(64, 'x'))) == Step::idle);
}

TEST_CASE("HELLO with a transient key that gives a key everybody knows is refused") {
    Buffer hello = vec("hello");
    std::fill_n(hello.begin() + 80, 32, uint8_t(0));
    Server server;
    check_refused(server.mechanism, hello, protocol_error::cryptographic);
}

TEST_CASE("CUR-1, MON-18 a client with another server key is refused at HELLO") {
    SecurityOptions options = client_options();
    options.curve_server_key = options.curve_public_key;
    Client client(vec("initiate-metadata"), options);
    Server server;
    check_refused(server.mechanism, take_command(client.mechanism), protocol_error::cryptographic);
}

TEST_CASE("CUR-1 a client without a server key fails by itself") {
    SecurityOptions options = client_options();
    options.curve_server_key = {};
    Client client(vec("initiate-metadata"), options);
    CHECK(next_step(client.mechanism) == Step::failed);
    check_protocol_failure(client.mechanism, protocol_error::cryptographic);
}

TEST_CASE("CUR-1 a client whose own pair does not fit is refused at INITIATE") {
    SecurityOptions options = client_options();
    options.curve_secret_key[7] ^= 1;
    Client client(vec("initiate-metadata"), options);
    Server server;
    const Talk said = talk(client.mechanism, server.mechanism);
    CHECK(said.from_server.size() == 1);
    check_protocol_failure(server.mechanism, protocol_error::cryptographic);
    CHECK(server.reader.reads == 0);
}

TEST_CASE("WELCOME cut at every length, and with a byte to spare") {
    check_cuts(vec("welcome"), &Client::reach_awaiting_welcome, [](size_t size) -> uint32_t {
        return size < 8 ? protocol_error::unexpected_command : protocol_error::cryptographic;
    });
}

TEST_CASE("WELCOME with any byte changed") {
    check_changes(vec("welcome"), 8, &Client::reach_awaiting_welcome);
}

TEST_CASE("WELCOME from somebody who is not the server") {
    SecurityOptions other = server_options();
    other.curve_secret_key[5] ^= 1;
    CurveKey other_public;
    REQUIRE(curve_public(other_public.data(), other.curve_secret_key.data()));
    SecurityOptions deceived = client_options();
    deceived.curve_server_key = other_public;
    Client decoy(vec("initiate-metadata"), deceived);
    Server impostor(false, vec("ready-metadata"), other);
    REQUIRE(feed(impostor.mechanism, take_command(decoy.mechanism)) == Step::idle);
    Client client;
    client.reach_awaiting_welcome();
    check_refused(client.mechanism, take_command(impostor.mechanism),
                  protocol_error::cryptographic);
}

TEST_CASE("WELCOME with a transient key that gives a key everybody knows is refused") {
    BoxKey key;
    agree(key, vec("input-c-prime-public"), vec("input-S-secret"));
    const Buffer random = vec("input-welcome-nonce");
    const Buffer welcome =
        joined({text("\7WELCOME"), random,
                sealed(key, Buffer(32 + 96), random_nonce("WELCOME-", random.data()))});
    Client client;
    client.reach_awaiting_welcome();
    check_refused(client.mechanism, welcome, protocol_error::cryptographic);
}

TEST_CASE("CUR-6 INITIATE cut at every length, and with a byte to spare") {
    check_cuts(vec("initiate"), &Server::reach_awaiting_initiate, [](size_t size) -> uint32_t {
        return size < 9     ? protocol_error::malformed
               : size < 257 ? protocol_error::malformed_initiate
                            : protocol_error::cryptographic;
    });
}

TEST_CASE("CUR-6 INITIATE with any byte changed") {
    check_changes(vec("initiate"), 9, &Server::reach_awaiting_initiate);
}

TEST_CASE("a cookie of another connection, or by another key, is refused") {
    const Buffer other_public = vec("input-C-public");
    const Buffer other_secret = vec("input-C-secret");
    for (const Buffer &cookie :
         {make_cookie(other_public, vec("input-s-prime-secret")),
          make_cookie(vec("input-c-prime-public"), other_secret),
          make_cookie(other_public, other_secret),
          make_cookie(vec("input-c-prime-public"), vec("input-s-prime-secret"), other_secret),
          Buffer(96)}) {
        InitiateParts parts;
        parts.cookie = cookie;
        Server server;
        server.reach_awaiting_initiate();
        check_refused(server.mechanism, parts.build(), protocol_error::cryptographic);
    }
}

TEST_CASE("a whole INITIATE can not be used on another connection of the same client") {
    Buffer random = server_random();
    random[1] ^= 1; // the low bits of byte 0 are no part of the key
    Server server(false, vec("ready-metadata"), server_options(), random);
    server.reach_awaiting_initiate();
    check_refused(server.mechanism, vec("initiate"), protocol_error::cryptographic);
}

TEST_CASE("a vouch by somebody else's key is refused") {
    InitiateParts parts;
    parts.client_secret = vec("input-S-secret");
    Server server;
    server.reach_awaiting_initiate();
    check_refused(server.mechanism, parts.build(), protocol_error::cryptographic);
}

TEST_CASE("a vouch for another connection is refused") {
    InitiateParts parts;
    parts.vouch_transient[0] ^= 1;
    Server server;
    server.reach_awaiting_initiate();
    check_refused(server.mechanism, parts.build(), protocol_error::key_exchange);
}

TEST_CASE("Q-30 a vouch for another server is refused") {
    InitiateParts parts;
    parts.vouch_server = vec("input-C-public");
    Server server;
    server.reach_awaiting_initiate();
    check_refused(server.mechanism, parts.build(), protocol_error::key_exchange);
}

TEST_CASE("CURVE server: bad metadata closes without an event") {
    for (const bool asks_zap : {false, true}) {
        Server server(asks_zap);
        server.reader.accepts = false;
        server.reach_awaiting_initiate();
        CHECK(feed(server.mechanism, vec("initiate")) == (asks_zap ? Step::idle : Step::failed));
        if (asks_zap) {
            CHECK(next_step(server.mechanism) == Step::ask_zap);
            server.mechanism.zap_answered(200);
        }
        check_failure(server.mechanism, Kind::silent, 0);
    }
}

TEST_CASE("READY cut at every length, and with a byte to spare") {
    check_cuts(vec("ready"), &Client::reach_awaiting_ready, [](size_t size) -> uint32_t {
        return size < 6    ? protocol_error::unexpected_command
               : size < 30 ? protocol_error::malformed_ready
                           : protocol_error::cryptographic;
    });
}

TEST_CASE("READY with any byte changed") {
    check_changes(vec("ready"), 6, &Client::reach_awaiting_ready);
}

TEST_CASE("CURVE client: bad metadata of READY is a protocol error") {
    Client client;
    client.reach_awaiting_ready();
    client.reader.accepts = false;
    check_refused(client.mechanism, vec("ready"), protocol_error::invalid_metadata);
}

TEST_CASE("CURVE client: commands out of order") {
    const uint32_t unexpected = protocol_error::unexpected_command;
    SECTION("before HELLO is out") {
        for (const std::string name : {"welcome", "ready"}) {
            Client client;
            check_refused(client.mechanism, vec(name), unexpected);
        }
    }
    SECTION("READY before WELCOME") {
        Client client;
        client.reach_awaiting_welcome();
        check_refused(client.mechanism, vec("ready"), protocol_error::cryptographic);
        CHECK(client.reader.reads == 0);
    }
    SECTION("READY before WELCOME, sealed by a key that was never agreed on") {
        Client client;
        client.reach_awaiting_welcome();
        const Buffer box = sealed(BoxKey(), {}, counter_nonce("CurveZMQREADY---", 1));
        check_refused(client.mechanism, joined({text("\5READY"), u64(1), box}),
                      protocol_error::cryptographic);
    }
    SECTION("short READY before WELCOME") {
        Client client;
        client.reach_awaiting_welcome();
        check_refused(client.mechanism, text("\5READY"), protocol_error::malformed_ready);
    }
    SECTION("WELCOME twice") {
        Client client;
        client.reach_awaiting_ready();
        check_refused(client.mechanism, vec("welcome"), unexpected);
    }
    SECTION("WELCOME before INITIATE is out") {
        Client client;
        client.reach_awaiting_welcome();
        REQUIRE(feed(client.mechanism, vec("welcome")) == Step::idle);
        check_refused(client.mechanism, vec("welcome"), unexpected);
    }
    SECTION("anything after READY") {
        for (const std::string name : {"welcome", "ready", "hello"}) {
            Client client;
            client.reach_awaiting_ready();
            REQUIRE(feed(client.mechanism, vec("ready")) == Step::idle);
            check_refused(client.mechanism, vec(name), unexpected);
        }
    }
    SECTION("other commands") {
        for (const Buffer &body : {Buffer(), text("\5"), text("\7welcome"), text("\4PING__"),
                                   vec("hello"), vec("initiate"), client_message(3)}) {
            Client waits_for_welcome;
            waits_for_welcome.reach_awaiting_welcome();
            check_refused(waits_for_welcome.mechanism, body, unexpected);
            Client waits_for_ready;
            waits_for_ready.reach_awaiting_ready();
            check_refused(waits_for_ready.mechanism, body, unexpected);
        }
    }
}

TEST_CASE("CURVE server: commands out of order") {
    SECTION("instead of HELLO") {
        for (const Buffer &body : {vec("initiate"), vec("welcome"), vec("ready"), client_message(3),
                                   text("\5ERROR\003400"), text("\5hello\1a\1b")}) {
            Server server;
            check_refused(server.mechanism, body, protocol_error::unexpected_command);
        }
    }
    SECTION("instead of INITIATE") {
        for (const Buffer &body : {vec("hello"), vec("welcome"), vec("ready"), client_message(3)}) {
            Server server;
            server.reach_awaiting_initiate();
            check_refused(server.mechanism, body, protocol_error::unexpected_command);
        }
    }
    SECTION("while WELCOME is due") {
        Server server;
        REQUIRE(feed(server.mechanism, vec("hello")) == Step::idle);
        check_refused(server.mechanism, vec("initiate"), protocol_error::unspecified);
    }
    SECTION("while ZAP is asked") {
        Server server(true);
        server.reach_awaiting_initiate();
        REQUIRE(feed(server.mechanism, vec("initiate")) == Step::idle);
        check_refused(server.mechanism, client_message(3), protocol_error::unspecified);
    }
    SECTION("while READY is due") {
        Server server;
        server.reach_awaiting_initiate();
        REQUIRE(feed(server.mechanism, vec("initiate")) == Step::idle);
        check_refused(server.mechanism, client_message(3), protocol_error::unspecified);
    }
    SECTION("when ready: traffic is not the mechanism's") {
        Server server;
        server.reach_awaiting_initiate();
        REQUIRE(feed(server.mechanism, vec("initiate")) == Step::idle);
        (void)take_command(server.mechanism);
        check_refused(server.mechanism, client_message(3), protocol_error::unspecified);
    }
}

TEST_CASE("MON-16 two CURVE clients refuse each other") {
    Client one, other;
    other.reach_awaiting_welcome();
    check_refused(other.mechanism, take_command(one.mechanism), protocol_error::unexpected_command);
}

TEST_CASE("MON-17 two CURVE servers wait for each other") {
    Server one, other;
    const Talk said = talk(one.mechanism, other.mechanism);
    CHECK(said.from_client.empty());
    CHECK(said.from_server.empty());
    CHECK(said.client == Step::idle);
}

TEST_CASE("CURVE ERROR instead of WELCOME or READY") {
    for (const bool after_welcome : {false, true}) {
        for (const ErrorRow &row : error_rows()) {
            INFO(row.rest << " " << after_welcome);
            Client client;
            after_welcome ? client.reach_awaiting_ready() : client.reach_awaiting_welcome();
            CHECK(feed(client.mechanism, "\5ERROR" + row.rest) == Step::failed);
            check_failure(client.mechanism, row.kind, row.code);
        }
    }
    Client plain;
    plain.reach_awaiting_welcome();
    // Only PLAIN has that form.
    check_refused(plain.mechanism, "^RROR\003400", protocol_error::unexpected_command);
    Client early;
    check_refused(early.mechanism, "\5ERROR\003400", protocol_error::unexpected_command);
    Client late;
    late.reach_awaiting_ready();
    REQUIRE(feed(late.mechanism, vec("ready")) == Step::idle);
    check_refused(late.mechanism, "\5ERROR\003400", protocol_error::unexpected_command);
}

// ---- ZAP

TEST_CASE("zap.json request-curve: ZAP is told the client's key, before the metadata is read") {
    Server server(true);
    CHECK(server.mechanism.zap_credentials().empty());
    server.reach_awaiting_initiate();
    CHECK(feed(server.mechanism, vec("initiate")) == Step::idle);
    CHECK(next_step(server.mechanism) == Step::ask_zap);
    CHECK(next_step(server.mechanism) == Step::ask_zap);
    CHECK_FALSE(server.mechanism.is_ready());
    CHECK(server.reader.reads == 0);
    CHECK(server.mechanism.zap_credentials() == zap_credentials_of("request-curve"));

    server.mechanism.zap_answered(200);
    CHECK(server.reader.reads == 1);
    CHECK(text(server.reader.seen) == vec("initiate-metadata"));
    CHECK(take_command(server.mechanism) == vec("ready"));
    CHECK(server.mechanism.is_ready());
}

TEST_CASE("CUR-2 a ZAP refusal sends ERROR, and both sides say why") {
    for (const uint32_t status : {400u, 500u}) {
        Client client;
        Server server(true);
        Talk said = talk(client.mechanism, server.mechanism);
        CHECK(said.server == Step::ask_zap);
        server.mechanism.zap_answered(status);
        const Buffer error = take_command(server.mechanism);
        CHECK(error == text("\5ERROR\3" + std::to_string(status)));
        CHECK(next_step(server.mechanism) == Step::failed);
        check_failure(server.mechanism, Kind::auth, status);
        CHECK(server.reader.reads == 0);
        CHECK(feed(client.mechanism, error) == Step::failed);
        check_failure(client.mechanism, Kind::auth, status);
    }
}

TEST_CASE("Q-26 ZAP 300 sends nothing on CURVE") {
    Server server(true);
    server.reach_awaiting_initiate();
    REQUIRE(feed(server.mechanism, vec("initiate")) == Step::idle);
    server.mechanism.zap_answered(300);
    CHECK(next_step(server.mechanism) == Step::failed);
    check_failure(server.mechanism, Kind::auth, 300);
}

TEST_CASE("a ZAP answer that no CURVE mechanism asked for changes nothing") {
    Server server;
    server.mechanism.zap_answered(400);
    server.reach_awaiting_initiate();
    REQUIRE(feed(server.mechanism, vec("initiate")) == Step::idle);
    server.mechanism.zap_answered(400);
    CHECK(take_command(server.mechanism) == vec("ready"));
    Client client;
    client.mechanism.zap_answered(400);
    CHECK(take_command(client.mechanism) == vec("hello"));
}

// ---- counters

TEST_CASE("Q-32 the numbers of HELLO, INITIATE and READY are not checked") {
    for (const uint64_t nonce : {uint64_t(0), uint64_t(1), uint64_t(77), UINT64_MAX}) {
        INFO(nonce);
        Server server;
        CHECK(feed(server.mechanism, make_hello(nonce)) == Step::idle);
        CHECK(take_command(server.mechanism) == vec("welcome"));
        InitiateParts parts;
        parts.nonce = nonce;
        CHECK(feed(server.mechanism, parts.build()) == Step::idle);
        CHECK(take_command(server.mechanism) == vec("ready"));
        Client client;
        client.reach_awaiting_ready();
        CHECK(feed(client.mechanism, make_ready(nonce, {})) == Step::idle);
        CHECK(client.mechanism.is_ready());
    }
}

TEST_CASE("Q-32 MESSAGE counts on from INITIATE and READY") {
    Server server;
    server.reach_awaiting_initiate();
    InitiateParts parts;
    parts.nonce = 77;
    REQUIRE(feed(server.mechanism, parts.build()) == Step::idle);
    (void)take_command(server.mechanism);
    const auto at_server = server.mechanism.take_traffic_seal();
    CHECK(open(*at_server, client_message(77)).error == protocol_error::invalid_sequence);
    CHECK(open(*at_server, client_message(78)).error == protocol_error::none);

    Client client;
    client.reach_awaiting_ready();
    REQUIRE(feed(client.mechanism, make_ready(77, {})) == Step::idle);
    const auto at_client = client.mechanism.take_traffic_seal();
    const auto from_server = [](uint64_t nonce) {
        return make_message(nonce, Buffer(1), "CurveZMQMESSAGES");
    };
    CHECK(open(*at_client, from_server(77)).error == protocol_error::invalid_sequence);
    CHECK(open(*at_client, from_server(78)).error == protocol_error::none);
}
