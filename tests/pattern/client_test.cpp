#include "pattern/client.hpp"

#include "support/peers.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

TEST_CASE("CS-2: CLIENT balances what it sends, and blocks without a peer that has room") {
    FakeHost host;
    Client client(host);
    CHECK_FALSE(client.can_send());
    CHECK(send_to(client, "x", 3) == err::again);
    FakePeer a(1), b(1);
    a.attach_to(client);
    b.attach_to(client);
    REQUIRE_FALSE(send_to(client, "1", 3));
    REQUIRE_FALSE(send_to(client, "2", 0));
    CHECK(send_to(client, "3", 3) == err::again);
    const FromPeer sent = recv_raw(a);
    CHECK(sent.text == "1");
    CHECK(sent.routing_id == 0); // a number means nothing to another socket
    CHECK(recv_raw(b).text == "2");
    CHECK(client.can_send());
}

TEST_CASE("CS-1, CS-2: CLIENT queues fairly, single frames only") {
    FakeHost host;
    Client client(host);
    FakePeer a, b;
    a.attach_to(client);
    b.attach_to(client);
    CHECK(send_frame(client, "x", true) == err::invalid);
    a.send({"a1"});
    a.send({"dropped", "whole"});
    a.send({"a2"});
    b.send({"b1"});
    b.send({"b2"});
    std::vector<std::string> got;
    while (client.can_recv()) got.push_back(recv_from(client).text);
    CHECK(got == std::vector<std::string>{"a1", "b1", "b2", "a2"});
}

TEST_CASE("CS-2: what was fetched for POLLIN stays when its peer goes") {
    FakeHost host;
    Client client(host);
    FakePeer peer;
    peer.attach_to(client);
    peer.send({"1"});
    REQUIRE(client.can_recv());
    peer.leave();
    peer.detach();
    CHECK(recv_from(client).text == "1");
    CHECK_FALSE(client.can_recv());
}
