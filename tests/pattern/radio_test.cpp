#include "pattern/radio.hpp"

#include "support/peers.hpp"

#include <catch2/catch.hpp>
#include <zmq.h>

using namespace tern;
using namespace tern::test;

namespace {

void join(FakePeer &dish, std::string_view group) {
    dish.send_frame(group, false, Message::membership | Message::subscribe);
}
void leave(FakePeer &dish, std::string_view group) {
    dish.send_frame(group, false, Message::membership | Message::cancel);
}
void set_no_drop(Radio &radio, int on) {
    REQUIRE_FALSE(radio.set_option(ZMQ_XPUB_NODROP, &on, sizeof on));
}

} // namespace

TEST_CASE("RD-1: RADIO sends to those who joined the group, exactly") {
    FakeHost host;
    Radio radio(host);
    FakePeer a, b;
    a.attach_to(radio);
    b.attach_to(radio);
    join(a, "news");
    join(b, "");
    REQUIRE_FALSE(send_to(radio, "1", 4, "news"));
    REQUIRE_FALSE(send_to(radio, "2", 0, "new"));
    REQUIRE_FALSE(send_to(radio, "3", 0));
    const FromPeer sent = recv_raw(a);
    CHECK(sent.text == "1");
    CHECK(sent.group == "news");
    CHECK(sent.routing_id == 0);
    CHECK((sent.flags & Message::grouped) != 0);
    CHECK_FALSE(recv_raw(a).any);
    CHECK(recv_raw(b).text == "3");
    CHECK_FALSE(recv_raw(b).any);
}

TEST_CASE("RD-1: joining twice counts once, leaving ends it, unknown groups do no harm") {
    FakeHost host;
    Radio radio(host);
    FakePeer dish;
    dish.attach_to(radio);
    join(dish, "g");
    join(dish, "g");
    leave(dish, "other");
    REQUIRE_FALSE(send_to(radio, "1", 0, "g"));
    CHECK(dish.recv_all().size() == 1);
    leave(dish, "g");
    REQUIRE_FALSE(send_to(radio, "2", 0, "g"));
    CHECK(dish.recv_all().empty());
}

TEST_CASE("RADIO drops what is no membership, and refuses to receive") {
    FakeHost host;
    Radio radio(host);
    FakePeer dish;
    dish.attach_to(radio);
    dish.send({"g"});
    dish.send({"\x01g"});
    dish.send({"a", "b"});
    dish.subscribe("g"); // a SUB's
    CHECK(recv_frame(radio).error == err::not_supported);
    CHECK_FALSE(radio.can_recv());
    REQUIRE_FALSE(send_to(radio, "1", 0, "g"));
    CHECK(dish.recv_all().empty());
    CHECK(send_frame(radio, "x", true) == err::invalid); // CS-1
}

TEST_CASE("RD-3: a full DISH misses the message; with NODROP the send would block") {
    FakeHost host;
    Radio radio(host);
    FakePeer narrow(1), wide;
    narrow.attach_to(radio);
    wide.attach_to(radio);
    join(narrow, "g");
    join(wide, "g");
    REQUIRE_FALSE(send_to(radio, "1", 0, "g"));
    REQUIRE_FALSE(send_to(radio, "2", 0, "g"));
    CHECK(narrow.recv_all() == std::vector<Frames>{{"1"}});
    CHECK(wide.recv_all() == std::vector<Frames>{{"1"}, {"2"}});
    set_no_drop(radio, 1);
    REQUIRE_FALSE(send_to(radio, "3", 0, "g"));
    CHECK(send_to(radio, "4", 0, "g") == err::again);
    CHECK_FALSE(send_to(radio, "5", 0, "nobody"));
    narrow.pipe().outbound().set_writer_part(5);
    CHECK(send_to(radio, "4", 0, "g") == err::again); // not before it says so
    radio.writable(narrow.pipe());
    CHECK_FALSE(send_to(radio, "4", 0, "g"));
    CHECK(wide.recv_all() == std::vector<Frames>{{"3"}, {"4"}});
    CHECK(radio.can_send());
}

TEST_CASE("RD-4: after a reconnect old groups count until the peer goes, and said anew they count once") {
    FakeHost host;
    Radio radio(host);
    FakePeer dish;
    dish.attach_to(radio);
    join(dish, "old");
    radio.reconnected(dish.pipe());
    REQUIRE_FALSE(send_to(radio, "1", 0, "old")); // nothing is missed until it says them anew
    join(dish, "old");
    join(dish, "new");
    REQUIRE_FALSE(send_to(radio, "2", 0, "old"));
    REQUIRE_FALSE(send_to(radio, "3", 0, "new"));
    CHECK(dish.recv_all() == std::vector<Frames>{{"1"}, {"2"}, {"3"}});
    dish.leave();
    CHECK(host.was_drained(dish.pipe()));
    dish.detach();
    CHECK_FALSE(send_to(radio, "4", 0, "new"));
}

TEST_CASE("RD-5: a pipe that takes everything gets every group, and no group twice") {
    FakeHost host;
    Radio radio(host);
    FakePeer packets(2), dish;
    packets.pipe().set_takes_everything();
    packets.attach_to(radio);
    dish.attach_to(radio);
    join(dish, "news");
    join(packets, "news"); // never said, and counts once
    REQUIRE_FALSE(send_to(radio, "1", 0, "news"));
    REQUIRE_FALSE(send_to(radio, "2", 0));
    CHECK(recv_raw(packets).text == "1");
    CHECK(recv_raw(packets).text == "2");
    CHECK_FALSE(recv_raw(packets).any);
    CHECK(recv_raw(dish).text == "1");
    CHECK_FALSE(recv_raw(dish).any);
    for (int i = 0; i < 4; ++i) REQUIRE_FALSE(send_to(radio, "more than fits", 0)); // RD-3
    set_no_drop(radio, 1);
    CHECK(send_to(radio, "x", 0) == err::again);
    packets.detach();
    CHECK_FALSE(send_to(radio, "x", 0));
}
