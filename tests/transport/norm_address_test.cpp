#include "transport/norm.hpp"

#include <catch2/catch.hpp>

using namespace tern;

TEST_CASE("transports 9: a node id and an interface may stand in front") {
    const auto plain = parse_norm("224.1.2.3:5556");
    REQUIRE(plain);
    CHECK(plain->node_id == 0);
    CHECK(plain->interface.empty());
    CHECK(plain->host == "224.1.2.3");
    CHECK(plain->port == 5556);
    const auto full = parse_norm("17,eth0;224.1.2.3:1");
    REQUIRE(full);
    CHECK(full->node_id == 17);
    CHECK(full->interface == "eth0");
    CHECK(full->host == "224.1.2.3");
    CHECK(full->port == 1);
    const auto six = parse_norm("lo;[ff12::1]:65535");
    REQUIRE(six);
    CHECK(six->host == "ff12::1");
}

TEST_CASE("transports 9: what is no address is EINVAL") {
    for (const char *text : {"", ":", ":5", "a", "a:", "a:0", "a:65536", "a:5x", "x,a:5", "0,a:5",
                             "4294967295,a:5", "99999999999,a:5", ",a:5", ";a:5", "1,;a:5"})
        CHECK(parse_norm(text).error() == err::invalid);
}
