#include "pattern/pair.hpp"

#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

TEST_CASE("PAIR-1: the first pipe wins, a second one is refused and unheard") {
    FakeHost host;
    Pair pair(host);
    FakePeer first, second;
    first.attach_to(pair);
    second.attach_to(pair);
    CHECK(host.refused == std::vector<Pipe *>{&second.pipe()});
    second.send({"unheard"});
    CHECK_FALSE(pair.can_recv());
    CHECK(recv_message(pair).empty());
    REQUIRE_FALSE(send_message(pair, {"to the first"}));
    CHECK(first.recv() == Frames{"to the first"});
    CHECK(second.recv().empty());
}

TEST_CASE("PAIR-1: losing the second pipe does not touch the first") {
    FakeHost host;
    Pair pair(host);
    FakePeer first, second;
    first.attach_to(pair);
    second.attach_to(pair);
    second.leave();
    second.detach();
    CHECK(pair.can_send());
    first.send({"a"});
    CHECK(recv_message(pair) == Frames{"a"});
}

TEST_CASE(
    "PAIR-4: once the first peer is gone the next one is taken, an earlier one is not promoted") {
    FakeHost host;
    Pair pair(host);
    FakePeer first, second, third;
    first.attach_to(pair);
    second.attach_to(pair);
    first.leave();
    CHECK_FALSE(pair.can_recv());
    CHECK(host.was_drained(first.pipe()));
    first.detach();
    CHECK_FALSE(pair.can_send());
    third.attach_to(pair);
    CHECK(host.refused.size() == 1);
    REQUIRE_FALSE(send_message(pair, {"x"}));
    CHECK(third.recv() == Frames{"x"});
}

TEST_CASE("PAIR-5, PAIR-8: no pipe or a full pipe would block, nothing is dropped") {
    FakeHost host;
    Pair pair(host);
    CHECK_FALSE(pair.can_send());
    CHECK(send_message(pair, {"x"}) == err::again);
    FakePeer peer(2);
    peer.attach_to(pair);
    CHECK(pair.can_send());
    CHECK_FALSE(send_message(pair, {"1", "1b"}));
    CHECK_FALSE(send_message(pair, {"2"}));
    CHECK_FALSE(pair.can_send());
    CHECK(send_message(pair, {"3"}) == err::again);
    CHECK(peer.recv() == Frames{"1", "1b"});
    CHECK(pair.can_send());
    CHECK_FALSE(send_message(pair, {"4"}));
    CHECK(peer.recv_all() == std::vector<Frames>{{"2"}, {"4"}});
}

TEST_CASE("HWM-11: PAIR finishes a begun message on a full pipe") {
    FakeHost host;
    Pair pair(host);
    FakePeer peer(1);
    peer.attach_to(pair);
    REQUIRE_FALSE(send_frame(pair, "1", true));
    CHECK(pair.can_send());
    REQUIRE_FALSE(send_frame(pair, "2", false));
    CHECK_FALSE(pair.can_send());
    CHECK(peer.recv() == Frames{"1", "2"});
}

TEST_CASE("PAIR-6: messages of a departed peer stay readable") {
    FakeHost host;
    Pair pair(host);
    FakePeer peer;
    peer.attach_to(pair);
    peer.send({"1"});
    peer.send({"2a", "2b"});
    peer.leave();
    CHECK_FALSE(pair.can_send());
    CHECK(send_message(pair, {"x"}) == err::again);
    CHECK(pair.can_recv());
    CHECK(recv_message(pair) == Frames{"1"});
    CHECK(host.drained.empty());
    CHECK(recv_message(pair) == Frames{"2a", "2b"});
    CHECK_FALSE(pair.can_recv());
    CHECK(host.was_drained(peer.pipe()));
}

TEST_CASE("PAIR-9: an interrupted message never reaches the next peer as a part of another") {
    FakeHost host;
    Pair pair(host);
    FakePeer first, second;
    first.attach_to(pair);
    REQUIRE_FALSE(send_frame(pair, "1", true));
    first.leave();
    (void)pair.can_recv();
    first.detach();
    second.attach_to(pair);
    REQUIRE_FALSE(send_frame(pair, "2", false));
    CHECK(second.recv_all() == std::vector<Frames>{{"2"}});
}

TEST_CASE("GEN-4: a pipe that goes while PAIR reads its message does not join two messages") {
    FakeHost host;
    Pair pair(host);
    FakePeer first, second;
    first.attach_to(pair);
    first.send({"a0", "a1"});
    REQUIRE(recv_frame(pair).more);
    first.detach();
    second.attach_to(pair);
    second.send({"b0"});
    const ReceivedFrame next = recv_frame(pair);
    CHECK((next.error || next.text == "a1"));
}
