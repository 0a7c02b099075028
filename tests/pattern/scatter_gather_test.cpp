#include "pattern/gather.hpp"
#include "pattern/scatter.hpp"

#include "support/peers.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

TEST_CASE("SG-1: SCATTER is PUSH with single frames") {
    Scatter scatter;
    CHECK(send_to(scatter, "x", 0) == err::again);
    CHECK(recv_frame(scatter).error == err::not_supported);
    FakePeer a, b;
    a.attach_to(scatter);
    b.attach_to(scatter);
    CHECK(send_frame(scatter, "x", true) == err::invalid);
    for (const char *text : {"0", "1", "2"}) REQUIRE_FALSE(send_to(scatter, text, 9));
    CHECK(a.recv_all() == std::vector<Frames>{{"0"}, {"2"}});
    CHECK(recv_raw(b).routing_id == 0);
    a.leave();
    REQUIRE_FALSE(send_to(scatter, "3", 0));
    CHECK(b.recv() == Frames{"3"});
}

TEST_CASE("SG-1: GATHER is PULL with single frames") {
    FakeHost host;
    Gather gather(host);
    CHECK(send_frame(gather, "x") == err::not_supported);
    CHECK_FALSE(gather.can_send());
    FakePeer a, b;
    a.attach_to(gather);
    b.attach_to(gather);
    a.send({"a", "b"});
    CHECK_FALSE(gather.can_recv());
    a.send({"a1"});
    b.send({"b1"});
    b.send({"b2", "more"});
    b.leave();
    CHECK(gather.can_recv());
    std::vector<std::string> got;
    while (gather.can_recv()) got.push_back(recv_from(gather).text);
    CHECK(got.size() == 2);
    CHECK(host.was_drained(b.pipe()));
}
