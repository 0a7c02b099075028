#include "pattern/dgram.hpp"

#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

TEST_CASE("DG-1: a message of DGRAM has an address and a body, nothing else") {
    FakeHost host;
    Dgram dgram(host);
    FakePeer peer;
    peer.attach_to(dgram);
    CHECK(send_frame(dgram, "body", false) == err::invalid);
    CHECK_FALSE(send_frame(dgram, "address", true));
    CHECK(send_frame(dgram, "again", true) == err::invalid);
    CHECK_FALSE(send_frame(dgram, "body", false));
    CHECK(peer.recv() == Frames{"address", "body"});
    CHECK(send_frame(dgram, "body", false) == err::invalid);
}

TEST_CASE("DG-1: without an endpoint DGRAM waits, and an address that was sent goes with its own") {
    FakeHost host;
    Dgram dgram(host);
    CHECK_FALSE(dgram.can_send());
    CHECK(send_frame(dgram, "address", true) == err::again);
    FakePeer first, next;
    first.attach_to(dgram);
    CHECK_FALSE(send_frame(dgram, "address", true));
    first.detach();
    next.attach_to(dgram);
    CHECK(send_frame(dgram, "body", false) == err::invalid);
    CHECK_FALSE(send_frame(dgram, "address", true));
    CHECK_FALSE(send_frame(dgram, "body", false));
    CHECK(next.recv() == Frames{"address", "body"});
}

TEST_CASE("DG-1: DGRAM blocks when its queue is full, between messages only") {
    FakeHost host;
    Dgram dgram(host);
    FakePeer peer(1);
    peer.attach_to(dgram);
    CHECK_FALSE(send_frame(dgram, "address", true));
    CHECK(dgram.can_send());
    CHECK_FALSE(send_frame(dgram, "body", false));
    CHECK_FALSE(dgram.can_send());
    CHECK(send_frame(dgram, "address", true) == err::again);
}

TEST_CASE("DG-2: what comes is handed out as it is; a second endpoint is refused") {
    FakeHost host;
    Dgram dgram(host);
    FakePeer first, second;
    first.attach_to(dgram);
    second.attach_to(dgram);
    CHECK(host.refused == std::vector<Pipe *>{&second.pipe()});
    first.send({"from", "body"});
    CHECK(dgram.can_recv());
    CHECK(recv_message(dgram) == Frames{"from", "body"});
    CHECK_FALSE(dgram.can_recv());
}
