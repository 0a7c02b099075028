#include "pattern/channel_pair.hpp"

#include "support/peers.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

TEST_CASE("CH-1: CHANNEL has one peer; a second one is refused and unheard") {
    FakeHost host;
    ChannelPair channel(host);
    CHECK_FALSE(channel.can_send());
    CHECK_FALSE(channel.can_recv());
    CHECK(send_to(channel, "x", 0) == err::again);
    FakePeer first, second;
    first.attach_to(channel);
    second.attach_to(channel);
    CHECK(host.refused == std::vector<Pipe *>{&second.pipe()});
    second.send({"unheard"});
    CHECK_FALSE(channel.can_recv());
    REQUIRE_FALSE(send_to(channel, "to the first", 5));
    const FromPeer sent = recv_raw(first);
    CHECK(sent.text == "to the first");
    CHECK(sent.routing_id == 0);
    first.send({"back"});
    CHECK(recv_from(channel).text == "back");
}

TEST_CASE("CH-1, CS-1: CHANNEL refuses a frame with more, and drops messages of several frames") {
    FakeHost host;
    ChannelPair channel(host);
    FakePeer peer;
    peer.attach_to(channel);
    CHECK(send_frame(channel, "x", true) == err::invalid);
    peer.send({"a", "b"});
    CHECK_FALSE(channel.can_recv());
    peer.send({"c", "d", "e"});
    peer.send({"1"});
    peer.send({"2"});
    CHECK(recv_from(channel).text == "1");
    CHECK(recv_from(channel).text == "2");
    CHECK_FALSE(recv_from(channel).any);
}

TEST_CASE("CH-1: a peer that leaves makes room for the next one; what it sent stays readable") {
    FakeHost host;
    ChannelPair channel(host);
    FakePeer first, next;
    first.attach_to(channel);
    first.send({"1"});
    REQUIRE(channel.can_recv());
    first.send({"2"});
    first.leave();
    CHECK_FALSE(channel.can_send());
    CHECK(recv_from(channel).text == "1");
    CHECK(recv_from(channel).text == "2");
    CHECK_FALSE(channel.can_recv());
    CHECK(host.was_drained(first.pipe()));
    first.detach();
    next.attach_to(channel);
    CHECK(channel.can_send());
    next.send({"3"});
    CHECK(recv_from(channel).text == "3");
}

TEST_CASE("CS-6: CHANNEL looks again at a full or empty pipe only when it is told to") {
    FakeHost host;
    ChannelPair channel(host);
    FakePeer peer(1);
    peer.attach_to(channel);
    REQUIRE_FALSE(send_to(channel, "1", 0));
    CHECK(send_to(channel, "2", 0) == err::again);
    peer.pipe().outbound().set_writer_part(5);
    CHECK(send_to(channel, "2", 0) == err::again);
    CHECK_FALSE(channel.can_send());
    channel.writable(peer.pipe());
    CHECK(channel.can_send());
    CHECK_FALSE(send_to(channel, "2", 0));
}
