#include "transport/udp.hpp"

#include <catch2/catch.hpp>
#include <net/if.h>

using namespace tern;

namespace {

Error error_of(std::string_view address, bool binds, bool ipv6 = false) {
    return resolve_udp(address, binds, ipv6).error();
}

} // namespace

TEST_CASE("transports 6: a unicast address has no interface") {
    for (const bool binds : {false, true})
        for (const bool ipv6 : {false, true}) {
            const auto address = resolve_udp("127.0.0.1:5555", binds, ipv6);
            REQUIRE(address);
            CHECK(address->host.family() == AF_INET); // never mapped
            CHECK(udp_peer_text(address->host) == "127.0.0.1:5555");
            CHECK_FALSE(address->is_multicast);
            CHECK(error_of("lo;127.0.0.1:5555", binds, ipv6) == err::invalid);
            CHECK(error_of("*;127.0.0.1:5555", binds, ipv6) == err::invalid);
        }
    const auto six = resolve_udp("[::1]:5555", true, true);
    REQUIRE(six);
    CHECK(udp_peer_text(six->host) == "[::1]:5555");
}

TEST_CASE("transports 6: a group may have an interface, by name, address or wildcard") {
    for (const bool binds : {false, true})
        for (const bool ipv6 : {false, true}) {
            for (const char *text : {"lo;239.0.0.1:5555", "127.0.0.1;239.0.0.1:5555"}) {
                const auto address = resolve_udp(text, binds, ipv6);
                REQUIRE(address);
                CHECK(address->is_multicast);
                CHECK(address->interface.host_text() == "127.0.0.1");
                CHECK(address->interface_index == (text[0] == 'l' ? if_nametoindex("lo") : 0));
            }
            for (const char *text : {"*;239.0.0.1:5555", "239.0.0.1:5555"}) {
                const auto address = resolve_udp(text, binds, ipv6);
                REQUIRE(address);
                CHECK(address->is_multicast);
                CHECK(address->interface.is_empty());
                CHECK(address->interface_index == 0);
            }
            CHECK(error_of("nosuchnic;239.0.0.1:5555", binds, ipv6) == err::no_device);
            CHECK(error_of("239.0.0.2;239.0.0.1:5555", binds, ipv6) == err::invalid);
        }
}

TEST_CASE("transports 6: a group of IPv6 needs an interface by name, or a wildcard") {
    CHECK(error_of("::1;[ff12::1]:5555", true, true) == err::no_device);
    CHECK_FALSE(error_of("*;[ff12::1]:5555", true, true));
    const auto zoned = resolve_udp("[ff12::1%lo]:5555", false, true);
    REQUIRE(zoned);
    CHECK(zoned->is_multicast);
    CHECK(zoned->interface_index == if_nametoindex("lo"));
}

TEST_CASE("transports 6: wildcards are for bind") {
    CHECK_FALSE(error_of("*:*", true));
    CHECK_FALSE(error_of("127.0.0.1:*", true));
    CHECK(error_of("*:5555", false) == err::invalid);
    CHECK(error_of("127.0.0.1:*", false) == err::invalid);
    CHECK(error_of("127.0.0.1:0", false) == err::invalid);
    for (const char *text : {"127.0.0.1", ":", "", "127.0.0.1:x", "127.0.0.1:65536"}) {
        CHECK(error_of(text, true) == err::invalid);
        CHECK(error_of(text, false) == err::invalid);
    }
}

TEST_CASE("DG-3: the address of a peer is numbers, in the family of the descriptor") {
    const auto peer = parse_udp_peer("192.0.2.1:7", AF_INET);
    REQUIRE(peer);
    CHECK(peer->family() == AF_INET);
    CHECK(udp_peer_text(*peer) == "192.0.2.1:7");
    const auto mapped = parse_udp_peer("192.0.2.1:7", AF_INET6);
    REQUIRE(mapped);
    CHECK(mapped->family() == AF_INET6);
    CHECK(udp_peer_text(*mapped) == "192.0.2.1:7");
    const auto six = parse_udp_peer("[2001:db8::1]:7", AF_INET6);
    REQUIRE(six);
    CHECK(udp_peer_text(*six) == "[2001:db8::1]:7");
    CHECK(parse_udp_peer("[::1]:7", AF_INET).error() == err::invalid);
    for (const char *text : {"", ":", "localhost:7", "192.0.2.1", "192.0.2.1:", "192.0.2.1:0",
                             "192.0.2.1:70000", "192.0.2.1:7x", "1.2.3.4;1.2.3.4:7", "lo:7", "*:7"})
        CHECK(parse_udp_peer(text, AF_INET).error() == err::invalid);
}
