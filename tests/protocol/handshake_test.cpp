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

// A versioned ZMTP 1.0 or 2.0 DEALER, up to its identity.
Buffer old_greeting(ZmtpVersion version) {
    return unhex(version == ZmtpVersion::v1_0 ? "ff00000000000000017f0005"
                                              : "ff00000000000000017f0105");
}

// Feeds as a link does, on either side: neither greeting nor NULL has roles (zmtp.md section 3).
// What was not consumed stays.
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
        CHECK(side.handshake.version() == ZmtpVersion::v3_1);
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
    CHECK(old_minor.handshake.version() == ZmtpVersion::v3_0);
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

TEST_CASE("zmtp 3: captured transcripts of other versions, by steps and byte by byte") {
    struct Expected {
        const char *name;
        int type;
        ZmtpVersion version;
        const char *peer_routing_id;
        int peer_type;
    };
    using V = ZmtpVersion;
    const Expected rows[] = {
        {"unversioned-anonymous", socket_type::router, V::unversioned, "", socket_type::none},
        {"unversioned-long-identity", socket_type::rep, V::unversioned, "ABC", socket_type::none},
        {"revision-0", socket_type::router, V::v1_0, "ABC", socket_type::dealer},
        {"revision-1-zmtp-2.0", socket_type::router, V::v2_0, "ABC", socket_type::dealer},
        {"revision-2", socket_type::pull, V::v3_1, "", socket_type::push},
        {"major-4", socket_type::pull, V::v3_1, "", socket_type::push},
        {"zap-domain-unversioned", socket_type::pull, V::unversioned, "", socket_type::none},
    };
    const auto vectors = load_vectors("downgrade.json");
    REQUIRE(vectors.size() == std::size(rows));
    for (size_t i = 0; i < std::size(rows); ++i) {
        const Expected &row = rows[i];
        const auto &vector = vectors.at(i);
        REQUIRE(vector.at("name") == row.name);
        for (const bool byte_by_byte : {false, true}) {
            INFO(row.name << (byte_by_byte ? ", byte by byte" : ""));
            HandshakeConfig config = config_for(row.type);
            config.asks_zap = vector.at("closed").get<bool>();
            if (i == 0) config.routing_id = "ME";
            Side side(config);
            for (const auto &step : vector.at("steps")) {
                const Buffer bytes = unhex(step.at(1));
                if (step.at(0) != "peer") {
                    CHECK(hex(side.out) == hex(bytes));
                    side.out.clear();
                } else if (byte_by_byte) {
                    for (const uint8_t byte : bytes) side.feed({byte});
                } else {
                    side.feed(bytes);
                }
            }
            if (config.asks_zap) {
                check_failure(side, Reason::silent, 0);
                continue;
            }
            CHECK(side.outcome == Outcome::ready);
            CHECK(side.rest.empty());
            CHECK(side.handshake.version() == row.version);
            CHECK(side.handshake.peer_routing_id() == row.peer_routing_id);
            CHECK(side.handshake.peer_socket_type() == row.peer_type);
            if (is_before_3(row.version)) CHECK(side.handshake.peer_properties().empty());
        }
    }
}

TEST_CASE("zmtp 3.1 to 3.3: every socket type sends its identity to old peers, however long") {
    const auto sent_to = [](int type, size_t size, const Buffer &greeting) {
        HandshakeConfig config = config_for(type);
        config.routing_id.assign(size, 'i');
        Side side(config);
        side.out.clear();
        side.feed(greeting);
        CHECK(side.outcome == Outcome::more);
        CHECK(side.handshake.is_waiting_for_identity());
        return hex(side.out);
    };
    for (int type = 0; type < socket_type::count; ++type) {
        const std::string code = "03" + hex({static_cast<uint8_t>(type)});
        for (const auto &[size, v1, v2] :
             {std::tuple<size_t, const char *, const char *>{0, "0100", "0000"},
              {1, "0200", "0001"},
              {253, "fe00", "00fd"},
              {254, "ff00000000000000ff00", "00fe"},
              {255, "ff000000000000010000", "00ff"}}) {
            const std::string identity = hex(Buffer(size, 'i'));
            CHECK(sent_to(type, size, unhex("01")) == identity);
            CHECK(sent_to(type, size, unhex("ff000000000000000200")) == identity);
            CHECK(sent_to(type, size, old_greeting(ZmtpVersion::v1_0)) == code + v1 + identity);
            CHECK(sent_to(type, size, old_greeting(ZmtpVersion::v2_0)) == code + v2 + identity);
        }
    }
}

TEST_CASE("zmtp 3.4: identity and traffic of an old peer, however the bytes are cut") {
    const std::string v1_0 = "ff00000000000000017f0005", v2_0 = "ff00000000000000017f0105";
    const std::string long_identity(300, 'a');
    const std::string a300 = hex(Buffer(300, 'a'));
    const std::string rows_hex[] = {
        "0100",
        "0400414243",
        "04fe414243",
        "0401414243",
        "ff000000000000000100",
        "ff000000000000000400414243",
        "ff0000000000000004fe414243",
        "ff000000000000012d00" + a300,
        v1_0 + "0100",
        v1_0 + "04ff414243",
        v1_0 + "ff0000000000000004ff414243",
        v2_0 + "0000",
        v2_0 + "0103414243",
        v2_0 + "0403414243", // the reference loses this one when it is a ROUTER
        v2_0 + "fd03414243",
        v2_0 + "020000000000000003414243",
        v2_0 + "02000000000000012c" + a300,
    };
    const Buffer traffic = unhex("0200780300"); // the last frame has just begun
    for (const std::string &row : rows_hex) {
        INFO(row);
        const ZmtpVersion version = row.compare(0, 24, v1_0) == 0   ? ZmtpVersion::v1_0
                                    : row.compare(0, 24, v2_0) == 0 ? ZmtpVersion::v2_0
                                                                    : ZmtpVersion::unversioned;
        const bool is_anonymous =
            row.find("41") == std::string::npos && row.find("6161") == std::string::npos;
        const std::string identity = is_anonymous                            ? ""
                                     : row.find("6161") != std::string::npos ? long_identity
                                                                             : "ABC";
        for (const int type :
             {socket_type::router, socket_type::rep, socket_type::dealer, socket_type::pull}) {
            const bool wants_it = type == socket_type::router || type == socket_type::rep;
            feed_every_way(config_for(type), unhex(row) + traffic, [&](Side &side) {
                CHECK(side.outcome == Outcome::ready);
                CHECK(side.rest == traffic);
                CHECK(side.handshake.version() == version);
                CHECK(side.handshake.framing() ==
                      (version == ZmtpVersion::v2_0 ? Framing::v2 : Framing::v1));
                CHECK(side.handshake.subscription_form() == SubscriptionForm::message);
                CHECK(side.handshake.peer_routing_id() == (wants_it ? identity : ""));
                CHECK(side.handshake.peer_properties().empty());
                CHECK(!side.handshake.is_waiting_for_identity());
                CHECK(!side.handshake.take_traffic_seal());
            });
        }
    }
}

TEST_CASE("zmtp 3.4: only the identity is waited for once the version is known") {
    for (const char *bytes :
         {"04", "ff000000000000000400", "ff00000000000000017f0005", "ff00000000000000017f0105"}) {
        const Buffer greeting = unhex(bytes);
        Side side(config_for(socket_type::pull));
        for (const uint8_t byte : greeting) {
            CHECK(!side.handshake.is_waiting_for_identity());
            side.feed({byte});
        }
        CHECK(side.outcome == Outcome::more);
        CHECK(side.handshake.is_waiting_for_identity());
    }
    Side refused(config_for(socket_type::pull));
    refused.feed(unhex("00"));
    CHECK(!refused.handshake.is_waiting_for_identity());
    Side modern(config_for(socket_type::pull));
    modern.feed(greeting());
    CHECK(!modern.handshake.is_waiting_for_identity());
}

TEST_CASE("zmtp 2.5: any type code of an old peer is accepted") {
    for (const ZmtpVersion version : {ZmtpVersion::v1_0, ZmtpVersion::v2_0}) {
        for (int code = 0; code < 256; ++code) {
            Buffer bytes = old_greeting(version);
            bytes.back() = static_cast<uint8_t>(code);
            Side side(config_for(socket_type::pull));
            side.feed(bytes + unhex(version == ZmtpVersion::v1_0 ? "0100" : "0000"));
            CHECK(side.outcome == Outcome::ready);
            CHECK(side.handshake.peer_socket_type() ==
                  (code < socket_type::count ? code : int(socket_type::none)));
        }
    }
}

TEST_CASE("zmtp 3.1, quirks Q-34: publishers take an unversioned peer as subscribed to all") {
    for (int type = 0; type < socket_type::count; ++type) {
        for (const Buffer &bytes : {unhex("0100"), old_greeting(ZmtpVersion::v1_0) + unhex("0100"),
                                    old_greeting(ZmtpVersion::v2_0) + unhex("0000")}) {
            Side side(config_for(type));
            side.feed(bytes);
            REQUIRE(side.outcome == Outcome::ready);
            CHECK(side.handshake.subscribes_to_all() ==
                  (bytes.size() == 2 && (type == socket_type::pub || type == socket_type::xpub)));
        }
    }
    Side modern(config_for(socket_type::pub));
    modern.feed(greeting() + ready("ready-sub"));
    REQUIRE(modern.outcome == Outcome::ready);
    CHECK(!modern.handshake.subscribes_to_all());
}

TEST_CASE("CVE-2014-9721: secured, no old version gets in on any branch, however it is cut") {
    std::vector<HandshakeConfig> secured(5, config_for(socket_type::router));
    secured[0].asks_zap = true; // NULL with a ZAP domain
    secured[1].asks_zap = true;
    secured[1].mechanism = mechanism_id::curve;
    // Even if the caller forgot the flag.
    secured[2].mechanism = mechanism_id::plain;
    secured[3].mechanism = mechanism_id::curve;
    secured[4].mechanism = mechanism_id::gssapi;
    const std::pair<Buffer, const char *> peers[] = {
        {unhex("0100"), ""},
        {unhex("ff000000000000000400414243"), ""},
        {vector_bytes("negative.json", "http-request"), ""},
        {old_greeting(ZmtpVersion::v1_0) + unhex("0100020078"), "0306"},
        {old_greeting(ZmtpVersion::v2_0) + unhex("0000000178"), "0306"},
    };
    for (HandshakeConfig &config : secured) {
        config.routing_id = "ME";
        for (const auto &peer : peers) {
            INFO(hex(peer.first) << ", mechanism " << config.mechanism);
            feed_every_way(config, peer.first, [&](Side &side) {
                check_failure(side, Reason::silent, 0);
                // Not even our identity goes out.
                CHECK(hex(side.out) == std::string("ff00000000000000037f") + peer.second);
            });
        }
    }
}

TEST_CASE("zmtp 4.1, 4.3: malformed and oversize identities of old peers") {
    const auto outcome = [](const std::string &bytes, int64_t limit = -1) {
        HandshakeConfig config = config_for(socket_type::router);
        config.max_message_size = limit;
        Outcome last = Outcome::more;
        feed_every_way(config, unhex(bytes), [&](Side &side) {
            last = side.outcome;
            if (last == Outcome::failed) check_failure(side, Reason::silent, 0);
        });
        return last;
    };
    const std::string v1_0 = "ff00000000000000017f0005", v2_0 = "ff00000000000000017f0105";
    // A v1 length can not be 0.
    CHECK(outcome("00") == Outcome::failed);
    CHECK(outcome("ff000000000000000000") == Outcome::failed);
    CHECK(outcome(v1_0 + "00") == Outcome::failed);
    CHECK(outcome(v1_0 + "ff0000000000000000") == Outcome::failed);
    // Refused by the announced size, before memory is taken.
    CHECK(outcome("ffffffffffffffffff00") == Outcome::failed);
    CHECK(outcome(v1_0 + "ffffffffffffffffff00") == Outcome::failed);
    CHECK(outcome(v2_0 + "02ffffffffffffffff") == Outcome::failed);
    CHECK(outcome(v2_0 + "028000000000000000") == Outcome::failed);
    CHECK(outcome("ff00000000000001e100") == Outcome::more); // peer_name_max, and one
    CHECK(outcome("ff00000000000001e200") == Outcome::failed);
    CHECK(outcome(v2_0 + "0200000000000001e0") == Outcome::more);
    CHECK(outcome(v2_0 + "0200000000000001e1") == Outcome::failed);
    // ZMQ_MAXMSGSIZE counts the body alone.
    for (const int64_t limit : {3, 4})
        for (const std::string &bytes :
             {std::string("050041424344"), v1_0 + "050041424344", v2_0 + "000441424344"})
            CHECK(outcome(bytes, limit) == (limit == 3 ? Outcome::failed : Outcome::ready));
    CHECK(outcome("0100", 0) == Outcome::ready);
    CHECK(outcome("ff7fffffffffffffff00", INT64_MAX) == Outcome::failed);
}

TEST_CASE("quirks table: the captured reactions to odd greetings") {
    size_t rows = 0;
    for (const auto &vector : load_vectors("negative.json")) {
        if (vector.at("stage") != "greeting") continue;
        const std::string name = vector.at("name");
        INFO(name);
        HandshakeConfig config = config_for(type_of(vector.at("socket")));
        config.asks_zap = name == "unversioned-with-zap-domain";
        if (name == "unversioned-with-plain-server") config.mechanism = mechanism_id::plain;
        if (name == "zmtp2-with-curve-server") config.mechanism = mechanism_id::curve;
        feed_every_way(config, unhex(vector.at("hex")), [&](Side &side) {
            if (name == "http-request") {
                CHECK(side.outcome == Outcome::more);
                CHECK(side.handshake.is_waiting_for_identity()); // for 71 bytes
            } else if (name == "zero-length-v1-frame") {
                CHECK(side.outcome == Outcome::ready);
                CHECK(hex(side.rest) == "00"); // for the link to refuse
            } else if (name == "ready-and-data-in-one-write") {
                CHECK(side.outcome == Outcome::ready); // where the reference gives up (quirks Q-09)
                CHECK(hex(side.rest) == "000178");
            } else {
                CHECK(vector.at("closed").get<bool>());
                check_events(side, vector.at("events"));
            }
        });
        ++rows;
    }
    CHECK(rows == 8);
}

TEST_CASE("the captured reactions to malformed NULL handshakes") {
    for (const auto &vector : load_vectors("negative.json")) {
        const std::string name = vector.at("name");
        const std::string stage = vector.at("stage");
        if (stage != "null-handshake") continue;
        INFO(name);
        HandshakeConfig config = config_for(type_of(vector.at("socket")));
        if (name == "ready-over-maxmsgsize") config.max_message_size = 10;
        feed_every_way(config, greeting() + unhex(vector.at("hex")), [&](Side &side) {
            CHECK((side.outcome == Outcome::failed) == vector.at("closed").get<bool>());
            check_events(side, vector.at("events"));
        });
    }
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
    config.asks_zap = true;
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
    config.asks_zap = true;
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
    config.asks_zap = true;
    Side refused(config);
    refused.feed(greeting());
    refused.answer_zap(400);
    check_failure(refused, Reason::auth, 400);
    CHECK(hex(refused.out) == hex(greeting() + ready("error-400")));
    Side later(config);
    later.feed(greeting());
    later.answer_zap(300);
    CHECK(later.outcome == Outcome::failed);
    CHECK(later.handshake.failure().reason == Reason::auth);
    CHECK(later.handshake.failure().code == 300);
    CHECK(!later.handshake.failure().is_fatal);
    CHECK(hex(later.out) == hex(greeting()));
}

TEST_CASE("after the end nothing is consumed and nothing changes") {
    Side done(config_for(socket_type::pull));
    done.feed(greeting() + ready());
    done.feed(ready());
    CHECK(done.outcome == Outcome::ready);
    CHECK(done.rest == ready());
    Side old(config_for(socket_type::pull));
    old.feed(unhex("0100") + greeting());
    old.feed(greeting());
    CHECK(old.outcome == Outcome::ready);
    CHECK(old.rest == greeting() + greeting());
    Side failed(config_for(socket_type::pull));
    failed.feed(unhex("00"));
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

TEST_CASE("random bytes of an old peer never break a rule of memory") {
    uint32_t seed = 5;
    const auto random = [&seed] {
        seed = seed * 1664525 + 1013904223;
        return seed >> 16;
    };
    const Buffer starts[] = {{},
                             unhex("ff000000000000"),
                             old_greeting(ZmtpVersion::v1_0),
                             old_greeting(ZmtpVersion::v2_0)};
    for (int round = 0; round < 4000; ++round) {
        HandshakeConfig config = config_for(socket_type::router);
        if (round % 8 >= 4) config.max_message_size = 20;
        Side side(config);
        Buffer bytes = starts[round % 4];
        for (uint32_t i = random() % 40; i > 0; --i)
            bytes.push_back(static_cast<uint8_t>(random() % 3 ? random() : 0xff));
        size_t at = 0;
        while (at < bytes.size()) {
            const size_t take = std::min<size_t>(1 + random() % 20, bytes.size() - at);
            side.feed(Buffer(bytes.begin() + long(at), bytes.begin() + long(at + take)));
            at += take;
        }
        CHECK(side.out.size() <= 64 + 43);
        CHECK(side.handshake.peer_routing_id().size() <= bytes.size());
    }
}
