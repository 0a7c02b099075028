#include "transport/endpoint.hpp"

#include <catch2/catch.hpp>

using namespace tern;

TEST_CASE("An endpoint is cut at the first ://") {
    const auto endpoint = parse_endpoint("tcp://a://b:1");
    REQUIRE(endpoint);
    CHECK(endpoint->transport == Endpoint::Transport::tcp);
    CHECK(endpoint->address == "a://b:1");
    CHECK(endpoint->text == "tcp://a://b:1");
    CHECK(parse_endpoint("ipc:///tmp/x")->transport == Endpoint::Transport::ipc);
    CHECK(parse_endpoint("ipc:///tmp/x")->address == "/tmp/x");
    CHECK(parse_endpoint("inproc://any # name")->transport == Endpoint::Transport::inproc);
}

TEST_CASE("Both sides of :// must be there") {
    for (const char *text : {"", "tcp", "tcp:", "tcp:/", "tcp://", "://a", "://", "a:1"}) {
        INFO(text);
        CHECK(parse_endpoint(text).error() == err::invalid);
    }
}

TEST_CASE("Unknown schemes are EPROTONOSUPPORT, and case matters") {
    for (const char *text : {"TCP://a:1", "foo://a", "INPROC://a", " tcp://a:1"}) {
        INFO(text);
        CHECK(parse_endpoint(text).error() == err::protocol_not_supported);
    }
}
