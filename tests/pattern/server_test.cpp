#include "pattern/server.hpp"

#include "support/peers.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

TEST_CASE("CS-3: each peer has a number that is not 0, and messages carry it both ways") {
    FakeHost host;
    Server server(host, UINT32_MAX); // the counter passes 0
    FakePeer a, b;
    a.attach_to(server);
    b.attach_to(server);
    CHECK(server.peer_number(a.pipe()) == UINT32_MAX);
    CHECK(server.peer_number(b.pipe()) == 1);
    a.send({"from a"});
    b.send({"from b"});
    CHECK(server.can_recv());
    const FromPeer first = recv_from(server), second = recv_from(server);
    CHECK(first.text == "from a");
    CHECK(first.routing_id == UINT32_MAX);
    CHECK(second.text == "from b");
    CHECK(second.routing_id == 1);
    CHECK_FALSE(recv_from(server).any);
    REQUIRE_FALSE(send_to(server, "to b", 1));
    const FromPeer sent = recv_raw(b);
    CHECK(sent.text == "to b");
    CHECK(sent.routing_id == 0); // CS-4
    CHECK_FALSE(recv_raw(a).any);
}

TEST_CASE("CS-1: SERVER refuses a frame with more, and drops messages of several frames") {
    FakeHost host;
    Server server(host, 1);
    FakePeer peer;
    peer.attach_to(server);
    CHECK(send_frame(server, "x", true) == err::invalid);
    peer.send({"a", "b"});
    CHECK_FALSE(server.can_recv());
    peer.send({"c", "d", "e"});
    peer.send({"whole"});
    CHECK(recv_from(server).text == "whole");
    CHECK_FALSE(server.can_recv());
}

TEST_CASE("CS-3: nobody, an unknown and a lost peer are unreachable; CS-7: POLLOUT always") {
    FakeHost host;
    Server server(host, 1);
    CHECK(server.can_send());
    CHECK(send_to(server, "x", 0) == err::host_unreachable);
    CHECK(send_to(server, "x", 1) == err::host_unreachable);
    FakePeer peer;
    peer.attach_to(server);
    CHECK_FALSE(send_to(server, "x", 1));
    peer.send({"last words"});
    peer.leave();
    CHECK(send_to(server, "x", 1) == err::host_unreachable); // CS-5
    CHECK(recv_from(server).routing_id == 1);
    CHECK_FALSE(recv_from(server).any);
    CHECK(host.was_drained(peer.pipe()));
    CHECK(server.can_send());
}

TEST_CASE("CS-3: a full peer would block, and is looked at again when it says that it has room") {
    FakeHost host;
    Server server(host, 1);
    FakePeer narrow(1), wide;
    narrow.attach_to(server);
    wide.attach_to(server);
    REQUIRE_FALSE(send_to(server, "1", 1));
    CHECK(send_to(server, "2", 1) == err::again);
    CHECK_FALSE(send_to(server, "2", 2)); // the others go on
    // Room alone is not enough: the sign for those who wait must not be taken back unseen.
    narrow.pipe().outbound().set_writer_part(5);
    CHECK(send_to(server, "3", 1) == err::again);
    server.writable(narrow.pipe());
    CHECK_FALSE(send_to(server, "3", 1));
    CHECK(recv_raw(narrow).text == "1");
    CHECK(recv_raw(narrow).text == "3");
}

TEST_CASE("PEER-3: a detached peer can not be addressed; its number is not reused at once") {
    FakeHost host;
    Server server(host, 7);
    FakePeer a, b;
    a.attach_to(server);
    CHECK(server.numbered_peer(7) == &a.pipe());
    a.detach();
    CHECK(server.numbered_peer(7) == nullptr);
    b.attach_to(server);
    CHECK(server.peer_number(b.pipe()) == 8);
    CHECK(send_to(server, "x", 7) == err::host_unreachable);
}
