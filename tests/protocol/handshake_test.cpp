#include "protocol/handshake.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

using Outcome = Handshake::Outcome;
using Reason = Handshake::Reason;

HandshakeConfig config_for(int type) {
    HandshakeConfig config;
    config.socket_type = type;
    return config;
}

Buffer operator+(Buffer left, const Buffer &right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

Buffer greeting(const char *name = "greeting-3.1-null") {
    return vector_bytes("greeting.json", name);
}

Buffer ready(const char *name = "ready-push") { return vector_bytes("ready.json", name); }

// Feeds as a link does: what was not consumed stays.
struct Side {
    Handshake handshake;
    Buffer out;
    Buffer rest;
    Outcome outcome = Outcome::more;
    explicit Side(HandshakeConfig config) : handshake(std::move(config)) { handshake.start(out); }

    void feed(const Buffer &bytes) {
        rest.insert(rest.end(), bytes.begin(), bytes.end());
        pull();
    }
    void pull() {
        const Buffer exact = rest; // so that ASan sees overruns
        size_t consumed = 0;
        outcome = handshake.feed(view(exact), consumed, out);
        REQUIRE(consumed <= rest.size());
        rest.erase(rest.begin(), rest.begin() + long(consumed));
        if (outcome == Outcome::more && !handshake.is_waiting_for_zap()) REQUIRE(rest.empty());
    }
    void answer_zap(uint32_t status) {
        outcome = handshake.answer_zap(status, out);
        if (outcome == Outcome::more) pull();
    }
};

// Every way that matters to cut the bytes; `check` sees a side that has got all of them.
template <class Check>
void feed_every_way(const HandshakeConfig &config, const Buffer &bytes, Check check) {
    Side at_once(config);
    at_once.feed(bytes);
    check(at_once);

    Side one_by_one(config);
    for (const uint8_t byte : bytes) one_by_one.feed({byte});
    check(one_by_one);

    for (size_t cut = 1; cut < bytes.size(); ++cut) {
        INFO("cut at " << cut);
        Side side(config);
        side.feed(Buffer(bytes.begin(), bytes.begin() + long(cut)));
        side.feed(Buffer(bytes.begin() + long(cut), bytes.end()));
        check(side);
    }
}

void check_failure(const Side &side, Reason reason, uint32_t code) {
    CHECK(side.outcome == Outcome::failed);
    CHECK(side.handshake.failure().reason == reason);
    CHECK(side.handshake.failure().code == code);
    CHECK(side.handshake.failure().is_fatal);
}

int type_of(const std::string &name) {
    const int type = socket_type_from_name(name);
    REQUIRE(type >= 0);
    return type;
}

// The handshake event that the vectors name, as our failure.
void check_events(const Side &side, const nlohmann::json &events) {
    const std::string first = events.empty() ? "" : events.at(0).get<std::string>();
    const size_t equals = first.find('=');
    const std::string name = first.substr(0, equals);
    if (name == "HANDSHAKE_SUCCEEDED") {
        CHECK(side.outcome == Outcome::ready);
        return;
    }
    const uint32_t code = equals == std::string::npos
                              ? 0
                              : uint32_t(std::stoul(first.substr(equals + 1), nullptr, 0));
    if (name == "HANDSHAKE_FAILED_PROTOCOL" && code == protocol_error::mechanism_mismatch)
        check_failure(side, Reason::mechanism_mismatch, code);
    else if (name == "HANDSHAKE_FAILED_PROTOCOL")
        check_failure(side, Reason::protocol_error, code);
    else if (name == "HANDSHAKE_FAILED_AUTH")
        check_failure(side, Reason::auth, code);
    else
        check_failure(side, Reason::silent, 0);
}

} // namespace

TEST_CASE("the signature carries the size of the own routing id") {
    for (const size_t size : {0, 3, 255}) {
        HandshakeConfig config = config_for(socket_type::dealer);
        config.routing_id.assign(size, 'i');
        Side side(config);
        const char *name = size == 0   ? "staged-0-on-connect"
                           : size == 3 ? "signature-routing-id-3"
                                       : "signature-routing-id-255";
        CHECK(hex(side.out) == hex(vector_bytes("greeting.json", name)));
    }
}

TEST_CASE("bytes are released at the stages of the reference") {
    Side side(config_for(socket_type::pull));
    const Buffer peer = greeting();
    const auto expect = [&](size_t first, size_t last, const char *stage) {
        side.out.clear();
        for (size_t at = first; at < last; ++at) {
            CHECK(side.out.empty());
            side.feed({peer[at]});
        }
        CHECK(hex(side.out) == hex(vector_bytes("greeting.json", stage)));
    };
    CHECK(hex(side.out) == hex(vector_bytes("greeting.json", "staged-0-on-connect")));
    expect(0, 10, "staged-1-after-peer-byte-10");
    expect(10, 11, "staged-2-after-peer-byte-11");
    expect(11, 64, "staged-3-after-peer-byte-64");
    CHECK(side.outcome == Outcome::more);
    side.out.clear();
    side.feed(ready());
    CHECK(side.outcome == Outcome::ready);
    CHECK(side.out.empty());
}

TEST_CASE("every socket type says the captured READY") {
    for (int type = 0; type < socket_type::count; ++type) {
        if (type == socket_type::stream || type == socket_type::dgram) continue;
        std::string name(socket_type_name(type));
        for (char &c : name) c = static_cast<char>(std::tolower(c));
        Side side(config_for(type));
        side.feed(greeting());
        const Buffer expected = greeting() + ready(("ready-" + name).c_str());
        CHECK(hex(side.out) == hex(expected));
    }
}

TEST_CASE("a NULL handshake leaves the traffic behind it alone, however it is cut") {
    const Buffer traffic = unhex("000178");
    const Buffer bytes = greeting() + ready() + traffic;
    feed_every_way(config_for(socket_type::pull), bytes, [&](Side &side) {
        CHECK(side.outcome == Outcome::ready);
        CHECK(side.rest == traffic);
        CHECK(side.handshake.framing() == Framing::v2);
        CHECK(side.handshake.peer_minor() == 1);
        CHECK(side.handshake.subscription_form() == SubscriptionForm::command);
        CHECK(side.handshake.peer_socket_type() == socket_type::push);
        CHECK(side.handshake.peer_properties() == PropertyList{{"Socket-Type", "PUSH"}});
        CHECK(side.handshake.peer_routing_id().empty());
        CHECK(hex(side.out) == hex(greeting() + ready("ready-pull")));
    });
}

TEST_CASE("a READY over 255 bytes arrives in a long frame") {
    const Buffer bytes = greeting() + ready("ready-push-long");
    feed_every_way(config_for(socket_type::pull), bytes, [&](Side &side) {
        CHECK(side.outcome == Outcome::ready);
        REQUIRE(side.handshake.peer_properties().size() == 2);
        CHECK(side.handshake.peer_properties()[1].second == std::string(300, 'v'));
    });
    HandshakeConfig config = config_for(socket_type::push);
    config.metadata = {{"X-long", std::string(300, 'v')}};
    Side side(config);
    side.feed(greeting());
    CHECK(hex(side.out) == hex(greeting() + ready("ready-push-long")));
}

TEST_CASE("a ROUTER learns the peer's routing id") {
    Side side(config_for(socket_type::router));
    side.feed(greeting() + ready("ready-dealer-identity"));
    CHECK(side.outcome == Outcome::ready);
    CHECK(side.handshake.peer_routing_id() == "dealer-1");
}

TEST_CASE("two of our own sides shake hands") {
    HandshakeConfig left_config = config_for(socket_type::dealer);
    left_config.routing_id = "left";
    left_config.metadata = {{"X-b", "2"}, {"X-a", "1"}};
    Side left(left_config);
    Side right(config_for(socket_type::router));
    size_t left_sent = 0, right_sent = 0;
    while (left_sent < left.out.size() || right_sent < right.out.size()) {
        if (left_sent < left.out.size()) right.feed({left.out[left_sent++]});
        if (right_sent < right.out.size()) left.feed({right.out[right_sent++]});
    }
    CHECK(left.outcome == Outcome::ready);
    CHECK(right.outcome == Outcome::ready);
    CHECK(right.handshake.peer_routing_id() == "left");
    CHECK(
        right.handshake.peer_properties() ==
        PropertyList{{"Socket-Type", "DEALER"}, {"Identity", "left"}, {"X-a", "1"}, {"X-b", "2"}});
}

TEST_CASE("padding and the upper bits of byte 9 are not looked at") {
    Buffer peer = greeting();
    for (size_t at = 1; at < 10; ++at) peer[at] = 0xff;
    for (size_t at = 32; at < 64; ++at) peer[at] = 0xff; // as-server and filler
    Side side(config_for(socket_type::pull));
    side.feed(peer + ready());
    CHECK(side.outcome == Outcome::ready);
}

TEST_CASE("the announced version chooses the form of subscriptions") {
    Side old_minor(config_for(socket_type::pull));
    old_minor.feed(greeting("greeting-3.0-null") + ready());
    CHECK(old_minor.outcome == Outcome::ready);
    CHECK(old_minor.handshake.peer_minor() == 0);
    CHECK(old_minor.handshake.subscription_form() == SubscriptionForm::message);
    for (const int major : {2, 4, 255}) { // quirks Q-20
        Buffer peer = greeting("greeting-3.0-null");
        peer[10] = static_cast<uint8_t>(major);
        Side side(config_for(socket_type::pull));
        side.feed(peer + ready());
        CHECK(side.outcome == Outcome::ready);
        CHECK(side.handshake.subscription_form() == SubscriptionForm::command);
    }
}

TEST_CASE("captured transcripts of other versions") {
    for (const auto &vector : load_vectors("downgrade.json")) {
        const std::string name = vector.at("name");
        INFO(name);
        HandshakeConfig config = config_for(
            name.compare(0, 8, "revision") == 0 && name < "revision-2" ? socket_type::router
                                                                       : socket_type::pull);
        config.zap_in_force = vector.at("closed").get<bool>();
        if (name == "unversioned-anonymous") config.routing_id = "ME";
        Side side(config);
        bool is_refused = false;
        for (const auto &step : vector.at("steps")) {
            const std::string bytes = step.at(1);
            if (step.at(0) == "peer") {
                if (!is_refused) side.feed(unhex(bytes));
                is_refused = side.outcome == Outcome::failed;
            } else if (!is_refused) {
                CHECK(hex(side.out) == bytes);
                side.out.clear();
            }
        }
        if (name == "revision-2" || name == "major-4") {
            CHECK(side.outcome == Outcome::ready);
        } else {
            // Refused for now, where the reference goes on with ZMTP 1.0 or 2.0.
            check_failure(side, config.zap_in_force ? Reason::silent : Reason::old_version, 0);
        }
    }
}

TEST_CASE("old versions are refused on every branch, however the bytes are cut") {
    const Buffer versioned = unhex("ff00000000000000017f");
    for (const Buffer &bytes :
         {unhex("0100"), unhex("ff000000000000000400414243"), versioned + unhex("0005"),
          versioned + unhex("0105"), vector_bytes("negative.json", "http-request")}) {
        for (const bool zap : {false, true}) {
            HandshakeConfig config = config_for(socket_type::pull);
            config.zap_in_force = zap;
            feed_every_way(config, bytes, [&](Side &side) {
                check_failure(side, zap ? Reason::silent : Reason::old_version, 0);
            });
        }
    }
    HandshakeConfig curve = config_for(socket_type::pull);
    curve.mechanism = mechanism_id::curve; // CVE-2014-9721, even if the caller forgot the flag
    Side side(curve);
    side.feed(vector_bytes("negative.json", "zmtp2-with-curve-server"));
    check_failure(side, Reason::silent, 0);
}

TEST_CASE("the captured reactions to malformed NULL handshakes") {
    for (const auto &vector : load_vectors("negative.json")) {
        const std::string name = vector.at("name");
        const std::string stage = vector.at("stage");
        if (stage != "null-handshake" && name.compare(0, 9, "mechanism") != 0) continue;
        INFO(name);
        HandshakeConfig config = config_for(type_of(vector.at("socket")));
        if (name == "ready-over-maxmsgsize") config.max_message_size = 10;
        Buffer bytes = unhex(vector.at("hex"));
        if (stage == "null-handshake") bytes = greeting() + bytes;
        feed_every_way(config, bytes, [&](Side &side) {
            CHECK((side.outcome == Outcome::failed) == vector.at("closed").get<bool>());
            check_events(side, vector.at("events"));
        });
    }
}

TEST_CASE("data behind an early READY is kept, not refused (quirks Q-09)") {
    Side side(config_for(socket_type::pull));
    side.feed(vector_bytes("negative.json", "ready-and-data-in-one-write"));
    CHECK(side.outcome == Outcome::ready);
    CHECK(hex(side.rest) == "000178");
}

TEST_CASE("captured ERROR commands end the handshake") {
    for (const uint32_t status : {300u, 400u, 500u}) {
        Side side(config_for(socket_type::pull));
        side.feed(greeting() + ready(("error-" + std::to_string(status)).c_str()));
        check_failure(side, Reason::auth, status);
    }
}

TEST_CASE("a command is refused by its announced size, before memory is taken") {
    const auto outcome = [](int64_t limit, const char *header) {
        HandshakeConfig config = config_for(socket_type::pull);
        config.max_message_size = limit;
        Side side(config);
        side.feed(greeting() + unhex(header));
        if (side.outcome == Outcome::failed) check_failure(side, Reason::silent, 0);
        return side.outcome;
    };
    CHECK(outcome(25, "0419") == Outcome::more);
    CHECK(outcome(24, "0419") == Outcome::failed);
    CHECK(outcome(0, "0401") == Outcome::failed);
    CHECK(outcome(-1, "060000000000010000") == Outcome::more);
    CHECK(outcome(-1, "060000000000010001") == Outcome::failed);
    CHECK(outcome(-1, "02ffffffffffffffff") == Outcome::failed);
    CHECK(outcome(INT64_MAX, "027fffffffffffffff") == Outcome::failed);
}

TEST_CASE("a mechanism that is not built in fails closed") {
    HandshakeConfig config = config_for(socket_type::pull);
    config.mechanism = mechanism_id::plain;
    config.zap_in_force = true;
    Side mismatch(config);
    mismatch.feed(greeting());
    check_failure(mismatch, Reason::mechanism_mismatch, 0x11000002);
    Side same(config);
    same.feed(greeting("greeting-3.1-plain-client"));
    CHECK(hex(same.out) == hex(greeting("greeting-3.1-plain-server")));
    check_failure(same, Reason::protocol_error, protocol_error::unspecified);
}

TEST_CASE("with a ZAP domain nothing goes on before the answer") {
    HandshakeConfig config = config_for(socket_type::pull);
    config.zap_in_force = true;
    const Buffer traffic = unhex("000178");
    feed_every_way(config, greeting() + ready() + traffic, [&](Side &side) {
        CHECK(side.outcome == Outcome::more);
        CHECK(side.handshake.is_waiting_for_zap());
        CHECK(side.handshake.zap_credentials().empty());
        CHECK(hex(side.out) == hex(greeting()));
        side.answer_zap(200);
        CHECK(side.outcome == Outcome::ready);
        CHECK(side.rest == traffic);
        CHECK(hex(side.out) == hex(greeting() + ready("ready-pull")));
    });
}

TEST_CASE("a ZAP refusal leaves ERROR to be flushed") {
    HandshakeConfig config = config_for(socket_type::pull);
    config.zap_in_force = true;
    Side refused(config);
    refused.feed(greeting());
    refused.answer_zap(400);
    check_failure(refused, Reason::auth, 400);
    CHECK(hex(refused.out) == hex(greeting() + ready("error-400")));
    Side later(config);
    later.feed(greeting());
    later.answer_zap(300);
    check_failure(later, Reason::auth, 300);
    CHECK(hex(later.out) == hex(greeting()));
}

TEST_CASE("after the end nothing is consumed and nothing changes") {
    Side done(config_for(socket_type::pull));
    done.feed(greeting() + ready());
    done.feed(ready());
    CHECK(done.outcome == Outcome::ready);
    CHECK(done.rest == ready());
    Side failed(config_for(socket_type::pull));
    failed.feed(unhex("41"));
    const Buffer out = failed.out;
    failed.feed(greeting());
    CHECK(failed.outcome == Outcome::failed);
    CHECK(failed.rest == greeting());
    CHECK(failed.out == out);
}

TEST_CASE("random bytes behind a greeting never break a rule of memory") {
    uint32_t seed = 3;
    const auto random = [&seed] {
        seed = seed * 1664525 + 1013904223;
        return seed >> 16;
    };
    for (int round = 0; round < 3000; ++round) {
        Side side(config_for(socket_type::router));
        Buffer bytes = greeting() + ready("ready-dealer-identity");
        if (round % 2 != 0) bytes.resize(bytes.size() - random() % 20);
        for (int i = 0; i < 3; ++i) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
        size_t at = 0;
        while (at < bytes.size()) {
            const size_t take = std::min<size_t>(1 + random() % 40, bytes.size() - at);
            side.feed(Buffer(bytes.begin() + long(at), bytes.begin() + long(at + take)));
            at += take;
        }
        CHECK(side.out.size() <= 64 + 43);
    }
}
