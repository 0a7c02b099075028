#include "pattern/router.hpp"

#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <zmq.h>

using namespace tern;
using namespace tern::test;

namespace {

struct Fixture {
    // Peers with these names; "" for one that announces none.
    explicit Fixture(const Frames &names, int limit = 0) {
        for (const std::string &name : names) {
            peers.push_back(std::make_unique<FakePeer>(limit, name));
            peers.back()->attach_to(router);
        }
    }
    FakePeer &operator[](size_t i) { return *peers[i]; }
    void set(int option, int value) {
        REQUIRE_FALSE(router.set_option(option, &value, sizeof value));
    }
    void connect_as(const std::string &id) {
        REQUIRE_FALSE(router.set_option(ZMQ_CONNECT_ROUTING_ID, id.data(), id.size()));
    }
    FakeHost host;
    std::vector<std::unique_ptr<FakePeer>> peers;
    Router router{host, 0x01020304};
};

std::string generated(uint32_t number) {
    uint8_t id[5] = {0};
    store_be32(id + 1, number);
    return {reinterpret_cast<char *>(id), 5};
}

using Messages = std::vector<Frames>;

} // namespace

TEST_CASE(
    "RTR-1, RTR-2: nameless peers get a zero byte and a counter, named ones keep their name") {
    Fixture f({"", "bob", ""});
    for (size_t i = 0; i < 3; ++i) f[i].send({"hello"});
    CHECK(recv_message(f.router) == Frames{generated(0x01020304), "hello"});
    CHECK(recv_message(f.router) == Frames{"bob", "hello"});
    CHECK(recv_message(f.router) == Frames{generated(0x01020305), "hello"});
}

TEST_CASE("RTR-1: a generated id avoids names that look like one") {
    Fixture f({generated(0x01020304), ""});
    f[1].send({"x"});
    CHECK(recv_message(f.router) == Frames{generated(0x01020305), "x"});
}

TEST_CASE("RTR-3: a connected pipe is neither addressable nor readable before its peer is known") {
    Fixture f({});
    f.set(ZMQ_ROUTER_MANDATORY, 1);
    FakePeer peer;
    peer.pipe().set_connected_side(true);
    peer.pipe().set_identified(false);
    peer.attach_to(f.router);
    peer.send({"early"});
    CHECK_FALSE(f.router.can_recv());
    CHECK_FALSE(f.router.can_send());
    CHECK(send_message(f.router, {"real", "x"}) == err::host_unreachable);
    peer.pipe().set_peer_routing_id("real");
    peer.pipe().set_identified(true);
    f.router.identified(peer.pipe());
    CHECK_FALSE(send_message(f.router, {"real", "x"}));
    CHECK(peer.recv() == Frames{"x"});
    CHECK(recv_message(f.router) == Frames{"real", "early"});
    f.router.identified(peer.pipe()); // after a reconnect: nothing new
    peer.send({"again"});
    CHECK(recv_message(f.router) == Frames{"real", "again"});
}

TEST_CASE("RTR-4: CONNECT_ROUTING_ID names the next connected pipe, and only that") {
    Fixture f({});
    f.connect_as("peerA");
    CHECK_FALSE(f.router.check_connect());
    FakePeer accepted(0, "someone"), connected, next;
    accepted.attach_to(f.router);
    for (FakePeer *peer : {&connected, &next}) {
        peer->pipe().set_connected_side(true);
        peer->pipe().set_identified(false);
        peer->attach_to(f.router);
    }
    CHECK_FALSE(send_message(f.router, {"peerA", "x"}));
    CHECK(connected.recv() == Frames{"x"});
    connected.pipe().set_peer_routing_id("other name");
    connected.pipe().set_identified(true);
    f.router.identified(connected.pipe());
    connected.send({"hello"});
    CHECK(recv_message(f.router)[1] == "hello");
}

TEST_CASE(
    "RTR-4: messages of a pipe named by CONNECT_ROUTING_ID carry that name whatever it announces") {
    Fixture f({});
    f.connect_as("peerA");
    FakePeer peer;
    peer.pipe().set_connected_side(true);
    peer.pipe().set_identified(false);
    peer.attach_to(f.router);
    peer.send({"hello"});
    CHECK(recv_message(f.router) == Frames{"peerA", "hello"});
}

TEST_CASE("RTR-5: CONNECT_ROUTING_ID that is in use fails the connect") {
    Fixture f({"bob"});
    f.connect_as("bob");
    CHECK(f.router.check_connect() == err::invalid);
    f.connect_as("ann");
    CHECK_FALSE(f.router.check_connect());
}

TEST_CASE("RTR-7: a newcomer with a name in use is unheard, unaddressed and never promoted") {
    Fixture f({"bob", "bob"});
    CHECK(f.host.unheard == std::vector<Pipe *>{&f[1].pipe()});
    f[1].send({"from the second"});
    CHECK_FALSE(f.router.can_recv());
    CHECK_FALSE(send_message(f.router, {"bob", "x"}));
    CHECK(f[0].recv() == Frames{"x"});
    CHECK(f[1].recv().empty());
    f[0].leave();
    f[0].detach();
    CHECK_FALSE(send_message(f.router, {"bob", "y"})); // dropped
    CHECK(f[1].recv().empty());
    CHECK_FALSE(f.router.can_recv());
    // A refused pipe that goes takes no name along.
    FakePeer third(0, "bob");
    third.attach_to(f.router);
    f[1].detach();
    CHECK_FALSE(send_message(f.router, {"bob", "z"}));
    CHECK(third.recv() == Frames{"z"});
}

TEST_CASE("RTR-8: HANDOVER gives the name to the newcomer and mutes the old connection") {
    Fixture f({"bob"});
    f.set(ZMQ_ROUTER_HANDOVER, 1);
    FakePeer newcomer(0, "bob");
    newcomer.attach_to(f.router);
    f[0].send({"from the old one"});
    newcomer.send({"from the new one"});
    CHECK(recv_message(f.router) == Frames{"bob", "from the new one"});
    CHECK(recv_message(f.router).empty());
    CHECK(f.host.unheard == std::vector<Pipe *>{&f[0].pipe()});
    CHECK_FALSE(send_message(f.router, {"bob", "x"}));
    CHECK(f[0].recv().empty());
    CHECK(newcomer.recv() == Frames{"x"});
    // The old one goes: the name stays with the new one.
    f[0].leave();
    f[0].detach();
    CHECK_FALSE(send_message(f.router, {"bob", "y"}));
    CHECK(newcomer.recv() == Frames{"y"});
}

TEST_CASE("RTR-8: HANDOVER also when the newcomer is a connected pipe") {
    Fixture f({"bob"});
    f.set(ZMQ_ROUTER_HANDOVER, 1);
    FakePeer newcomer;
    newcomer.pipe().set_connected_side(true);
    newcomer.pipe().set_identified(false);
    newcomer.attach_to(f.router);
    newcomer.pipe().set_peer_routing_id("bob");
    newcomer.pipe().set_identified(true);
    f.router.identified(newcomer.pipe());
    CHECK_FALSE(send_message(f.router, {"bob", "x"}));
    CHECK(newcomer.recv() == Frames{"x"});
    newcomer.send({"new"});
    CHECK(recv_message(f.router) == Frames{"bob", "new"});
}

TEST_CASE("RTR-8, ORD-5: a message being sent at the handover is dropped whole") {
    Fixture f({"bob"});
    f.set(ZMQ_ROUTER_HANDOVER, 1);
    REQUIRE_FALSE(send_frame(f.router, "bob", true));
    REQUIRE_FALSE(send_frame(f.router, "begun", true));
    FakePeer newcomer(0, "bob");
    newcomer.attach_to(f.router);
    CHECK_FALSE(send_frame(f.router, "end", false));
    CHECK(newcomer.recv().empty());
    CHECK(f[0].recv().empty());
    // Nothing of it is left in the muted pipe, where a link would wait for the rest.
    CHECK_FALSE(f[0].pipe().is_mid_write());
}

TEST_CASE("RTR-9: a message being read at the handover is read to its end") {
    for (size_t frames_read = 1; frames_read <= 3; ++frames_read) {
        Fixture f({"bob", "ann"});
        f.set(ZMQ_ROUTER_HANDOVER, 1);
        f[0].send({"1", "2", "3"});
        f[1].send({"from ann"});
        Frames got;
        while (got.size() < frames_read) got.push_back(recv_frame(f.router).text);
        FakePeer newcomer(0, "bob");
        newcomer.attach_to(f.router);
        newcomer.send({"new"});
        while (got.size() < 4) got.push_back(recv_frame(f.router).text);
        CHECK(got == Frames{"bob", "1", "2", "3"});
        CHECK(recv_message(f.router).size() == 2);
        CHECK(recv_message(f.router).size() == 2);
    }
}

TEST_CASE("GEN-4: a pipe that goes while its message is read does not join two messages") {
    for (size_t frames_read = 1; frames_read <= 2; ++frames_read) {
        Fixture f({"bob", "ann"});
        f[0].send({"1", "2"});
        for (size_t i = 0; i < frames_read; ++i) (void)recv_frame(f.router);
        f[0].detach();
        f[1].send({"from ann"});
        // The rest of the message may be there or not; then comes ann's, from its beginning.
        Frames got;
        for (ReceivedFrame next = recv_frame(f.router); !next.error; next = recv_frame(f.router))
            got.push_back(next.text);
        REQUIRE(got.size() >= 2);
        CHECK(Frames(got.end() - 2, got.end()) == Frames{"ann", "from ann"});
    }
}

TEST_CASE("a pipe that goes while its message is read leaves no promise of more") {
    Fixture f({"bob"});
    f[0].send({"1", "2"});
    (void)recv_frame(f.router);
    (void)recv_frame(f.router);
    f[0].detach();
    if (f.router.can_recv()) CHECK_FALSE(recv_frame(f.router).error);
    CHECK_FALSE(f.router.can_recv());
}

TEST_CASE("RTR-12, RTR-13: the name comes first, then the frames; fair queue") {
    Fixture f({"a", "b"});
    f[0].send({"1", "", "3"});
    f[0].send({""});
    f[1].send({"x"});
    CHECK(f.router.can_recv());
    CHECK(recv_message(f.router) == Frames{"a", "1", "", "3"});
    CHECK(recv_message(f.router) == Frames{"b", "x"});
    CHECK(recv_message(f.router) == Frames{"a", ""});
    CHECK_FALSE(f.router.can_recv());
    CHECK(recv_message(f.router).empty());
}

TEST_CASE("RTR-12: metadata is on the name frame too") {
    Fixture f({"a"});
    auto *metadata = new Metadata(Metadata::Properties{{"User-Id", "alice"}});
    OwnMessage frame = make_frame("x");
    frame->set_metadata(metadata);
    metadata->drop_references(1);
    REQUIRE(f[0].far().write(*frame));
    f[0].deliver();
    OwnMessage name;
    name->close();
    REQUIRE_FALSE(f.router.recv(*name));
    REQUIRE(name->metadata());
    CHECK(name->metadata()->find("User-Id") == std::string("alice"));
    CHECK(recv_frame(f.router).text == "x");
}

TEST_CASE("GEN-6: between the frames of a message there is always something to receive") {
    Fixture f({"a"});
    f[0].send({"1", "2"});
    for (int i = 0; i < 3; ++i) {
        CHECK(f.router.can_recv());
        CHECK(f.router.can_recv());
        CHECK_FALSE(recv_frame(f.router).error);
    }
    CHECK_FALSE(f.router.can_recv());
}

TEST_CASE("RTR-14: without MANDATORY what can not be delivered is dropped with success") {
    Fixture f({"full", "closing"}, 1);
    CHECK_FALSE(send_message(f.router, {"nobody", "1", "2"}));
    CHECK_FALSE(send_message(f.router, {"full", "1", "2"}));
    CHECK_FALSE(send_message(f.router, {"full", "3", "4"}));
    f[1].far().close();
    CHECK_FALSE(send_message(f.router, {"closing", "1", "2"}));
    CHECK(f[0].recv_all() == Messages{{"1", "2"}});
    CHECK_FALSE(send_message(f.router, {"full", "5"}));
    CHECK(f[0].recv_all() == Messages{{"5"}});
    CHECK(f.router.can_send());
}

TEST_CASE("RTR-15: MANDATORY says what is wrong at the name frame, and expects a name again") {
    Fixture f({"full", "gone"}, 1);
    f.set(ZMQ_ROUTER_MANDATORY, 1);
    CHECK(send_frame(f.router, "nobody", true) == err::host_unreachable);
    CHECK_FALSE(send_message(f.router, {"full", "1"}));
    CHECK(send_frame(f.router, "full", true) == err::again);
    f[1].leave();
    CHECK(send_frame(f.router, "gone", true) == err::host_unreachable);
    CHECK(f[0].recv() == Frames{"1"});
    CHECK_FALSE(send_message(f.router, {"full", "2"}));
    CHECK(f[0].recv_all() == Messages{{"2"}});
}

TEST_CASE("RTR-15: MANDATORY knows a closing peer before its news has arrived") {
    Fixture f({"closing"});
    f.set(ZMQ_ROUTER_MANDATORY, 1);
    f[0].far().close();
    CHECK(send_frame(f.router, "closing", true) == err::host_unreachable);
}

TEST_CASE("RTR-16: a name alone is dropped with success, whatever MANDATORY says") {
    Fixture f({"a"});
    f.set(ZMQ_ROUTER_MANDATORY, 1);
    CHECK_FALSE(send_frame(f.router, "a"));
    CHECK_FALSE(send_frame(f.router, "nobody"));
    CHECK_FALSE(send_message(f.router, {"a", "x"}));
    CHECK(f[0].recv_all() == Messages{{"x"}});
}

TEST_CASE(
    "RTR-17: once the name was taken nothing fails, and a leaving peer discards the message") {
    Fixture f({"a", "b"}, 1);
    f.set(ZMQ_ROUTER_MANDATORY, 1);
    REQUIRE_FALSE(send_frame(f.router, "a", true));
    REQUIRE_FALSE(send_frame(f.router, "1", true));
    REQUIRE_FALSE(send_frame(f.router, "2", true));
    f[0].leave();
    CHECK(f.router.can_send());
    f[0].detach();
    f.peers[0].reset();
    CHECK_FALSE(send_frame(f.router, "3", true));
    CHECK_FALSE(send_frame(f.router, "4", false));
    CHECK_FALSE(send_message(f.router, {"b", "x"}));
    CHECK(f[1].recv_all() == Messages{{"x"}});
    REQUIRE_FALSE(send_frame(f.router, "b", true));
    f[1].leave(); // at the name frame already
    CHECK_FALSE(send_frame(f.router, "1"));
    CHECK(send_frame(f.router, "b", true) == err::host_unreachable);
}

TEST_CASE("RTR-18: room is reported always, with MANDATORY only while a peer has it") {
    Fixture none({});
    CHECK(none.router.can_send());
    none.set(ZMQ_ROUTER_MANDATORY, 1);
    CHECK_FALSE(none.router.can_send());
    Fixture f({"a", "b"}, 1);
    f.set(ZMQ_ROUTER_MANDATORY, 1);
    CHECK_FALSE(send_message(f.router, {"a", "x"}));
    CHECK(f.router.can_send());
    CHECK_FALSE(send_message(f.router, {"b", "x"}));
    CHECK_FALSE(f.router.can_send());
    (void)f[0].recv();
    CHECK(f.router.can_send());
}

TEST_CASE("a muted or refused pipe that ends is let go, though nobody reads it") {
    Fixture f({"bob", "bob"});
    f[1].send({"never read"});
    f[1].leave();
    CHECK_FALSE(f.router.can_recv());
    CHECK(f.host.was_drained(f[1].pipe()));
}

TEST_CASE("DEA-4: PROBE_ROUTER sends an empty message first on every pipe") {
    Fixture f({});
    f.set(ZMQ_PROBE_ROUTER, 1);
    FakePeer peer(0, "a");
    peer.attach_to(f.router);
    CHECK(peer.recv_all() == Messages{{""}});
}

// ---- raw

TEST_CASE("RAW-1, RAW-3: ids are always made up, and every data frame is a message of its own") {
    Fixture f({});
    f.set(ZMQ_ROUTER_RAW, 1);
    FakePeer peer(0, "name");
    peer.attach_to(f.router);
    peer.send({"hello"});
    const std::string id = generated(0x01020304);
    CHECK(recv_message(f.router) == Frames{id, "hello"});
    REQUIRE_FALSE(send_frame(f.router, id, true));
    REQUIRE_FALSE(send_frame(f.router, "data", true));
    REQUIRE_FALSE(send_frame(f.router, id, true));
    REQUIRE_FALSE(send_frame(f.router, "more", false));
    CHECK(peer.recv_all() == Messages{{"data"}, {"more"}});
}

TEST_CASE("RAW-4: an empty data frame ends the connection") {
    Fixture f({});
    f.set(ZMQ_ROUTER_RAW, 1);
    FakePeer peer;
    peer.attach_to(f.router);
    const std::string id = generated(0x01020304);
    REQUIRE_FALSE(send_message(f.router, {id, ""}));
    CHECK(f.host.unwanted == std::vector<Pipe *>{&peer.pipe()});
    REQUIRE_FALSE(send_message(f.router, {id, "x"}));
    CHECK(peer.recv().empty());
    f.set(ZMQ_ROUTER_MANDATORY, 1);
    CHECK(send_frame(f.router, id, true) == err::host_unreachable);
}
