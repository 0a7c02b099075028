#include "pattern/stream.hpp"

#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <zmq.h>

using namespace tern;
using namespace tern::test;

namespace {

struct Fixture {
    explicit Fixture(size_t count, int limit = 0) {
        for (size_t i = 0; i < count; ++i) {
            peers.push_back(std::make_unique<FakePeer>(limit));
            peers.back()->attach_to(stream);
        }
    }
    FakePeer &operator[](size_t i) { return *peers[i]; }
    const std::string &id(size_t i) { return peers[i]->pipe().peer_routing_id(); }
    FakeHost host;
    std::vector<std::unique_ptr<FakePeer>> peers;
    Stream stream{host, 77};
};

using Messages = std::vector<Frames>;

} // namespace

TEST_CASE("STR-1: every message in and out is an id of five bytes and data") {
    Fixture f(2);
    CHECK(f.id(0).size() == 5);
    CHECK(f.id(0)[0] == '\0');
    CHECK(f.id(0) != f.id(1));
    f[0].send({"from 0"});
    f[1].send({""}); // a notification
    CHECK(f.stream.can_recv());
    CHECK(recv_message(f.stream) == Frames{f.id(0), "from 0"});
    CHECK(recv_message(f.stream) == Frames{f.id(1), ""});
    CHECK_FALSE(f.stream.can_recv());
    REQUIRE_FALSE(send_message(f.stream, {f.id(1), "to 1"}));
    CHECK(f[1].recv_all() == Messages{{"to 1"}});
    CHECK(f[0].recv_all().empty());
}

TEST_CASE("STR-3: an empty data frame ends the connection, its id is unknown afterwards") {
    Fixture f(2);
    REQUIRE_FALSE(send_message(f.stream, {f.id(0), ""}));
    CHECK(f.host.unwanted == std::vector<Pipe *>{&f[0].pipe()});
    CHECK(send_frame(f.stream, f.id(0), true) == err::host_unreachable);
    CHECK_FALSE(send_message(f.stream, {f.id(1), "x"}));
}

TEST_CASE(
    "STR-4: unknown ids and full pipes are told at the id frame, and an id is expected again") {
    Fixture f(1, 1);
    CHECK(send_frame(f.stream, "nobody", true) == err::host_unreachable);
    REQUIRE_FALSE(send_message(f.stream, {f.id(0), "1"}));
    CHECK(send_frame(f.stream, f.id(0), true) == err::again);
    CHECK(f[0].recv() == Frames{"1"});
    REQUIRE_FALSE(send_message(f.stream, {f.id(0), "2"}));
    CHECK(f[0].recv_all() == Messages{{"2"}});
}

TEST_CASE("STR-4: a peer that leaves between id and data swallows the data") {
    Fixture f(1);
    REQUIRE_FALSE(send_frame(f.stream, f.id(0), true));
    f[0].leave();
    CHECK_FALSE(send_frame(f.stream, "data"));
    CHECK(send_frame(f.stream, f.id(0), true) == err::host_unreachable);
}

TEST_CASE("STR-5: the message ends with the data frame; an id alone swallows the next frame") {
    Fixture f(1);
    REQUIRE_FALSE(send_frame(f.stream, f.id(0), true));
    REQUIRE_FALSE(send_frame(f.stream, "data", true));
    CHECK(send_frame(f.stream, "this is an id", true) == err::host_unreachable);
    CHECK(f[0].recv_all() == Messages{{"data"}});
    REQUIRE_FALSE(send_frame(f.stream, f.id(0), false));
    REQUIRE_FALSE(send_frame(f.stream, "swallowed", true));
    REQUIRE_FALSE(send_message(f.stream, {f.id(0), "data"}));
    CHECK(f[0].recv_all() == Messages{{"data"}});
}

TEST_CASE("STR-6: the id of the newest pipe is known at once, made up or set") {
    Fixture f(2);
    CHECK(f.stream.newest_routing_id() == f.id(1));
    const std::string name = "name";
    REQUIRE_FALSE(f.stream.set_option(ZMQ_CONNECT_ROUTING_ID, name.data(), name.size()));
    REQUIRE_FALSE(f.stream.check_connect());
    FakePeer accepted, connected, next;
    accepted.attach_to(f.stream);
    CHECK(f.stream.newest_routing_id().size() == 5);
    connected.pipe().set_connected_side(true);
    connected.attach_to(f.stream);
    CHECK(f.stream.newest_routing_id() == name);
    REQUIRE_FALSE(send_message(f.stream, {name, "early"}));
    CHECK(connected.recv() == Frames{"early"});
    next.pipe().set_connected_side(true);
    next.attach_to(f.stream);
    CHECK(f.stream.newest_routing_id().size() == 5);
    REQUIRE_FALSE(f.stream.set_option(ZMQ_CONNECT_ROUTING_ID, name.data(), name.size()));
    CHECK(f.stream.check_connect() == err::invalid);
}

TEST_CASE("STR-8: room is reported always") {
    Fixture f(1, 1);
    REQUIRE_FALSE(send_message(f.stream, {f.id(0), "x"}));
    CHECK(f.stream.can_send());
    Fixture none(0);
    CHECK(none.stream.can_send());
}

TEST_CASE("what a gone peer had sent is still read with its id") {
    Fixture f(1);
    const std::string id = f.id(0);
    f[0].send({"1"});
    f[0].send({"2"});
    CHECK(recv_frame(f.stream).text == id);
    f[0].leave();
    CHECK(recv_frame(f.stream).text == "1");
    CHECK(recv_message(f.stream) == Frames{id, "2"});
    CHECK_FALSE(f.stream.can_recv());
    CHECK(f.host.was_drained(f[0].pipe()));
}

TEST_CASE("data whose id was handed out is still there when its pipe goes") {
    Fixture f(1);
    f[0].send({"data"});
    REQUIRE(recv_frame(f.stream).more);
    f[0].detach();
    const ReceivedFrame data = recv_frame(f.stream);
    CHECK(data.text == "data");
    CHECK_FALSE(data.more);
}
