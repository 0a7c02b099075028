#include "protocol/handshake_metadata.hpp"
#include "protocol/properties.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tern;
using namespace tern::test;

namespace {

// What follows 05 "READY" in a captured frame.
Buffer metadata_of(const Buffer &frame) {
    const size_t header = frame[0] & 2 ? 9 : 2;
    return {frame.begin() + long(header) + 6, frame.end()};
}

Buffer encode(const PropertyList &list) {
    Buffer out;
    for (const auto &[name, value] : list) append_property(out, name, Bytes(value));
    return out;
}

bool reads(int own_type, const PropertyList &list) {
    PeerMetadata peer(own_type);
    const Buffer bytes = encode(list);
    return peer.read(view(bytes));
}

} // namespace

TEST_CASE("captured READY metadata is parsed and written back byte for byte") {
    for (const auto &vector : load_vectors("ready.json")) {
        const std::string name = vector.at("name");
        if (name.compare(0, 6, "ready-") != 0) continue;
        INFO(name);
        const Buffer metadata = metadata_of(unhex(vector.at("hex")));
        PropertyList list;
        REQUIRE(parse_properties(view(metadata), list));
        REQUIRE(!list.empty());
        CHECK(list[0].first == "Socket-Type");
        CHECK(socket_type_from_name(list[0].second) >= 0);
        CHECK(hex(encode(list)) == hex(metadata));
    }
}

TEST_CASE("own metadata is the reference's for every socket type") {
    for (const auto &vector : load_vectors("ready.json")) {
        const std::string name = vector.at("name");
        if (name.compare(0, 6, "ready-") != 0) continue;
        std::string type_name = name.substr(6);
        const bool is_plain = type_name.find('-') == std::string::npos;
        type_name = type_name.substr(0, type_name.find('-'));
        std::transform(type_name.begin(), type_name.end(), type_name.begin(),
                       [](char c) { return static_cast<char>(std::toupper(c)); });
        const int type = socket_type_from_name(type_name);
        INFO(name);
        REQUIRE(type >= 0);
        const std::string expected = hex(metadata_of(unhex(vector.at("hex"))));
        if (is_plain) CHECK(hex(own_metadata(type, "", {})) == expected);
        if (name == "ready-dealer-identity")
            CHECK(hex(own_metadata(type, "dealer-1", {})) == expected);
        if (name == "ready-push-app-metadata")
            CHECK(hex(own_metadata(type, "", {{"X-hello", "world"}, {"X-a", "b:c"}})) == expected);
        if (name == "ready-push-long")
            CHECK(hex(own_metadata(type, "", {{"X-long", std::string(300, 'v')}})) == expected);
    }
}

TEST_CASE("every truncation of a property list is refused") {
    const Buffer whole = encode({{"Socket-Type", "DEALER"}, {"Identity", "me"}});
    const size_t first = 1 + 11 + 4 + 6;
    for (size_t size = 0; size <= whole.size(); ++size) {
        INFO(size);
        const Buffer part(whole.begin(), whole.begin() + long(size)); // so that ASan sees overruns
        PropertyList list;
        const bool is_whole = size == 0 || size == first || size == whole.size();
        CHECK(parse_properties(view(part), list) == is_whole);
    }
}

TEST_CASE("lengths are unsigned and never trusted") {
    PropertyList list;
    CHECK_FALSE(parse_properties(view(unhex("0161ffffffff616263")), list));
    CHECK_FALSE(parse_properties(view(unhex("ff616263")), list));
    CHECK_FALSE(parse_properties(view(unhex("00")), list));
    CHECK(parse_properties(view(unhex("000000000176")), list)); // an empty name
    CHECK(list.back() == std::pair<std::string, std::string>("", "v"));
}

TEST_CASE("the number of properties is bounded") {
    PropertyList at_limit(properties_max, {"X-a", ""});
    CHECK(reads(socket_type::pull, at_limit));
    at_limit.emplace_back("X-b", "");
    CHECK_FALSE(reads(socket_type::pull, at_limit));
}

TEST_CASE("socket types are judged by the table of zmtp.md 5.4") {
    const std::pair<const char *, const char *> pairs[] = {
        {"REQ", "REP"},         {"REQ", "ROUTER"},     {"REP", "REQ"},        {"REP", "DEALER"},
        {"DEALER", "REP"},      {"DEALER", "DEALER"},  {"DEALER", "ROUTER"},  {"ROUTER", "REQ"},
        {"ROUTER", "DEALER"},   {"ROUTER", "ROUTER"},  {"PUSH", "PULL"},      {"PULL", "PUSH"},
        {"PUB", "SUB"},         {"PUB", "XSUB"},       {"XPUB", "SUB"},       {"XPUB", "XSUB"},
        {"SUB", "PUB"},         {"SUB", "XPUB"},       {"XSUB", "PUB"},       {"XSUB", "XPUB"},
        {"PAIR", "PAIR"},       {"SERVER", "CLIENT"},  {"CLIENT", "SERVER"},  {"RADIO", "DISH"},
        {"DISH", "RADIO"},      {"GATHER", "SCATTER"}, {"SCATTER", "GATHER"}, {"PEER", "PEER"},
        {"CHANNEL", "CHANNEL"}, {"DGRAM", "DGRAM"}};
    for (int own = 0; own < socket_type::count; ++own) {
        const std::string own_name(socket_type_name(own));
        CHECK(socket_type_from_name(own_name) == own);
        for (int peer = 0; peer < socket_type::count; ++peer) {
            const std::string peer_name(socket_type_name(peer));
            INFO(own_name << " " << peer_name);
            bool expected = false;
            for (const auto &pair : pairs)
                expected |= own_name == pair.first && peer_name == pair.second;
            CHECK(accepts_peer(own, peer) == expected);
            CHECK(reads(own, {{"Socket-Type", peer_name}}) == expected);
        }
    }
    CHECK(socket_type_name(-1).empty());
    CHECK(socket_type_name(socket_type::count).empty());
    CHECK_FALSE(accepts_peer(-1, 0));
    CHECK_FALSE(accepts_peer(0, 99));
    CHECK_FALSE(reads(socket_type::pull, {{"Socket-Type", "push"}}));
    CHECK_FALSE(reads(socket_type::pull, {{"Socket-Type", "PUSHY"}}));
    CHECK(reads(socket_type::pull, {}));
    CHECK(reads(socket_type::pull, {{"socket-type", "PUB"}}));
}

TEST_CASE("only ROUTER and REP use the peer's Identity, and the last one") {
    const Buffer bytes = encode({{"Identity", "one"}, {"Identity", std::string("\0two", 4)}});
    for (const int type : {socket_type::router, socket_type::rep, socket_type::dealer}) {
        PeerMetadata peer(type);
        REQUIRE(peer.read(view(bytes)));
        CHECK(peer.routing_id() == (type == socket_type::dealer ? "" : std::string("\0two", 4)));
        REQUIRE(peer.properties().size() == 1);
        CHECK(peer.properties()[0].second == "one");
        CHECK(peer.socket_type() == socket_type::none);
    }
}

TEST_CASE("a peer can not set what only we may say of it (quirks Q-21)") {
    const Buffer bytes = encode({{"User-Id", "root"},
                                 {"Peer-Address", "127.0.0.1"},
                                 {"__fd", "0"},
                                 {"X-a", "1"},
                                 {"X-a", "2"}});
    PeerMetadata peer(socket_type::pull);
    REQUIRE(peer.read(view(bytes)));
    CHECK(peer.properties() == PropertyList{{"X-a", "1"}});
}
