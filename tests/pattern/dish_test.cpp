#include "pattern/dish.hpp"

#include "support/peers.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

Bytes group(std::string_view name) { return Bytes(name); }

void send_grouped(FakePeer &radio, std::string_view name, std::string_view text) {
    OwnMessage frame = make_frame(text);
    REQUIRE_FALSE(frame->set_group(name));
    frame->set(Message::grouped);
    REQUIRE(radio.far().write(*frame));
    radio.deliver();
}

constexpr uint8_t joins = Message::membership | Message::subscribe;
constexpr uint8_t leaves = Message::membership | Message::cancel;

} // namespace

TEST_CASE("RD-2: DISH joins once, leaves what it joined, and tells every RADIO") {
    FakeHost host;
    Dish dish(host);
    FakePeer a, b;
    a.attach_to(dish);
    REQUIRE_FALSE(dish.join(group("g")));
    CHECK(dish.join(group("g")) == err::invalid);
    CHECK(dish.leave(group("other")) == err::invalid);
    const std::string longest(255, 'x'), too_long(256, 'x');
    CHECK_FALSE(dish.join(group(longest)));
    CHECK(dish.join(group(too_long)) == err::invalid);
    CHECK(dish.leave(group(too_long)) == err::invalid);
    const FromPeer told = recv_raw(a);
    CHECK(told.text == "g");
    CHECK(told.flags == joins);
    CHECK(recv_raw(a).text == longest);
    b.attach_to(dish); // RD-4: later ones hear of all
    CHECK(b.recv_all().size() == 2);
    REQUIRE_FALSE(dish.leave(group("g")));
    CHECK(dish.leave(group("g")) == err::invalid);
    CHECK(recv_raw(a).flags == leaves);
    CHECK(recv_raw(b).flags == leaves);
}

TEST_CASE("RD-4: DISH looks again at what arrives") {
    FakeHost host;
    Dish dish(host);
    FakePeer radio;
    radio.attach_to(dish);
    REQUIRE_FALSE(dish.join(group("g")));
    REQUIRE_FALSE(dish.join(group("")));
    send_grouped(radio, "other", "no");
    CHECK_FALSE(dish.can_recv());
    send_grouped(radio, "g", "1");
    radio.send({"2"}); // no group is the empty one
    radio.send({"two", "frames"});
    CHECK(dish.can_recv());
    const FromPeer first = recv_from(dish);
    CHECK(first.text == "1");
    CHECK(first.group == "g");
    CHECK(first.flags == 0);
    CHECK(recv_from(dish).text == "2");
    CHECK_FALSE(dish.can_recv());
}

TEST_CASE("RD-4: a message that waits goes with the group it is for") {
    FakeHost host;
    Dish dish(host);
    FakePeer radio;
    radio.attach_to(dish);
    REQUIRE_FALSE(dish.join(group("g")));
    send_grouped(radio, "g", "1");
    send_grouped(radio, "g", "2");
    REQUIRE(dish.can_recv());
    REQUIRE_FALSE(dish.leave(group("g")));
    CHECK_FALSE(dish.can_recv());
    CHECK_FALSE(recv_from(dish).any);
}

TEST_CASE("RD-4: after a reconnect the whole set is sent, instead of what was not sent before") {
    FakeHost host;
    Dish dish(host);
    FakePeer radio;
    radio.attach_to(dish);
    REQUIRE_FALSE(dish.join(group("a")));
    REQUIRE_FALSE(dish.join(group("b")));
    REQUIRE_FALSE(dish.leave(group("a")));
    CHECK(radio.recv_all().size() == 3);
    dish.reconnected(radio.pipe());
    const FromPeer told = recv_raw(radio);
    CHECK(told.text == "b");
    CHECK(told.flags == joins);
    CHECK_FALSE(recv_raw(radio).any);
}

TEST_CASE("RD-6: DISH does not send, and always says POLLOUT") {
    FakeHost host;
    Dish dish(host);
    CHECK(dish.can_send());
    CHECK(send_frame(dish, "x") == err::not_supported);
}
