#include "pattern/xpub.hpp"

#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <zmq.h>

using namespace tern;
using namespace tern::test;

namespace {

struct Fixture {
    explicit Fixture(size_t count, int limit = 0, bool tells = true) : xpub(host, tells) {
        for (size_t i = 0; i < count; ++i) {
            peers.push_back(std::make_unique<FakePeer>(limit));
            peers.back()->attach_to(xpub);
        }
    }
    FakePeer &operator[](size_t i) { return *peers[i]; }
    void set(int option, int value) {
        REQUIRE_FALSE(xpub.set_option(option, &value, sizeof value));
    }
    Error set_topic(int option, const std::string &topic) {
        return xpub.set_option(option, topic.data(), topic.size());
    }
    // What the application is told, as "+A" and "-A".
    Frames told() {
        Frames all;
        for (Frames next = recv_message(xpub); !next.empty(); next = recv_message(xpub)) {
            if (next.size() != 1 || next[0].empty()) throw std::runtime_error("no notification");
            all.push_back((next[0][0] == 1 ? "+" : "-") + next[0].substr(1));
        }
        return all;
    }
    void send(const Frames &frames) { REQUIRE_FALSE(send_message(xpub, frames)); }
    FakeHost host;
    std::vector<std::unique_ptr<FakePeer>> peers;
    Xpub xpub;
};

using Messages = std::vector<Frames>;
const std::string subscribe_a = "\x01"
                                "A";

} // namespace

TEST_CASE("SUB-1: a message matches if its first frame begins with the subscription") {
    using namespace std::string_literals;
    Fixture f(1);
    f.send({"before"});
    f[0].subscribe("AB");
    f.send({"A"});
    f.send({"AB"});
    f.send({"ABC", "rest"});
    f.send({"ab"});
    f.send({"xAB"});
    CHECK(f[0].recv_all() == Messages{{"AB"}, {"ABC", "rest"}});
    f[0].cancel("AB");
    f[0].subscribe("\0\xff"s);
    f.send({"ABC"});
    f.send({"\0\xff\0"s});
    CHECK(f[0].recv_all() == Messages{{"\0\xff\0"s}});
}

TEST_CASE("SUB-1: the empty subscription matches everything, also the empty message") {
    Fixture f(1);
    f[0].subscribe("");
    f.send({""});
    f.send({"x"});
    CHECK(f[0].recv_all() == Messages{{""}, {"x"}});
}

TEST_CASE("SUB-2: a match never crosses the border of a frame") {
    Fixture f(1);
    f[0].subscribe("ABC");
    f.send({"AB", "C"});
    f.send({"ABC", "zz"});
    CHECK(f[0].recv_all() == Messages{{"ABC", "zz"}});
}

TEST_CASE("SUB-4: a message that matches several subscriptions is delivered once") {
    Fixture f(2);
    for (const char *topic : {"", "A", "AB"}) f[0].subscribe(topic);
    f[1].subscribe("A");
    f.send({"ABC"});
    CHECK(f[0].recv_all() == Messages{{"ABC"}});
    CHECK(f[1].recv_all() == Messages{{"ABC"}});
}

TEST_CASE(
    "PUB-1, PUB-3: without a match a message is dropped with success, and there is always room") {
    CountedBodies bodies;
    Fixture f(1, 1);
    CHECK(f.xpub.can_send());
    CHECK_FALSE(f.xpub.send(*bodies.frame()));
    CHECK(bodies.given_back() == 1);
}

TEST_CASE("PUB-2: a full subscriber misses messages, others do not") {
    Fixture f(0);
    FakePeer slow(2), quick(100);
    for (FakePeer *peer : {&slow, &quick}) {
        peer->attach_to(f.xpub);
        peer->subscribe("");
    }
    for (const char *text : {"1", "2", "3"}) f.send({text, "end"});
    CHECK(slow.recv() == Frames{"1", "end"});
    f.send({"4", "end"});
    CHECK(slow.recv_all() == Messages{{"2", "end"}, {"4", "end"}});
    CHECK(quick.recv_all().size() == 4);
}

TEST_CASE("LWM-5: a stopped subscriber is served again after half its limit was read") {
    Fixture f(0);
    FakePeer peer(5);
    peer.attach_to(f.xpub);
    peer.subscribe("");
    int number = 0;
    while (number < 8) f.send({std::to_string(number++)});
    Frames got;
    for (int i = 0; i < 8; ++i) {
        got.push_back(peer.recv()[0]);
        f.send({std::to_string(number++)});
    }
    CHECK(got == Frames{"0", "1", "2", "3", "4", "10", "11", "12"});
}

TEST_CASE("PUB tells nothing and takes no user messages") {
    Fixture f(1, 0, false);
    f[0].subscribe("A");
    f[0].send({"user message", "of two frames"});
    f[0].send({""});
    CHECK_FALSE(f.xpub.can_recv());
    Message frame;
    CHECK(f.xpub.recv(frame) == err::not_supported);
    f.send({"A1"});
    CHECK(f[0].recv_all() == Messages{{"A1"}});
    CHECK(f.xpub.topics_count() == 1);
}

TEST_CASE("XPUB-1: the first subscriber and the last to go are told") {
    Fixture f(2);
    f[0].subscribe("A");
    f[1].subscribe("A");
    f[1].subscribe("A");
    CHECK(f.told() == Frames{"+A"});
    f[0].leave();
    f[0].detach();
    CHECK(f.told().empty());
    f[1].cancel("A");
    CHECK(f.told() == Frames{"-A"});
}

TEST_CASE("XPUB-1: a peer that goes takes all its topics along") {
    Fixture f(2);
    for (const char *topic : {"", "A", "AB", "B"}) f[0].subscribe(topic);
    f[1].subscribe("A");
    (void)f.told();
    f[0].leave();
    f[0].detach();
    CHECK(f.told() == Frames{"-", "-AB", "-B"});
    f.send({"AB"});
    CHECK(f[1].recv_all() == Messages{{"AB"}});
    CHECK(f.xpub.topics_count() == 1);
}

TEST_CASE("XPUB-2: VERBOSE passes duplicates up, unsubscribes as before") {
    Fixture f(2);
    f.set(ZMQ_XPUB_VERBOSE, 1);
    f[0].subscribe("A");
    f[0].subscribe("A");
    f[1].subscribe("A");
    f[0].cancel("A");
    f[1].cancel("A");
    CHECK(f.told() == Frames{"+A", "+A", "+A", "-A"});
}

TEST_CASE(
    "XPUB-3: VERBOSER passes every subscribe and unsubscribe up, and one per topic at the end") {
    Fixture f(2);
    f.set(ZMQ_XPUB_VERBOSER, 1);
    f[0].subscribe("A");
    f[1].subscribe("A");
    f[0].cancel("A");
    f[0].subscribe("A");
    f[0].subscribe("B");
    CHECK(f.told() == Frames{"+A", "+A", "-A", "+A", "+B"});
    f[0].leave();
    f[0].detach();
    CHECK(f.told() == Frames{"-A", "-B"});
}

TEST_CASE("XPUB-4: of VERBOSE and VERBOSER the last call wins") {
    Fixture f(2);
    const auto round = [&] {
        for (size_t i = 0; i < 2; ++i) f[i].subscribe("A");
        for (size_t i = 0; i < 2; ++i) f[i].cancel("A");
        return f.told();
    };
    f.set(ZMQ_XPUB_VERBOSER, 1);
    CHECK(round() == Frames{"+A", "+A", "-A", "-A"});
    f.set(ZMQ_XPUB_VERBOSE, 1);
    CHECK(round() == Frames{"+A", "+A", "-A"});
    f.set(ZMQ_XPUB_VERBOSER, 1);
    f.set(ZMQ_XPUB_VERBOSER, 0);
    CHECK(round() == Frames{"+A", "-A"});
}

TEST_CASE("XPUB-5: subscriptions look the same to the application however the peer sent them") {
    Fixture f(2);
    f[0].subscribe("A");
    f[1].send({"\x01"
               "B"});
    f[1].send({std::string("\0B", 2)});
    f[0].cancel("A");
    CHECK(f.told() == Frames{"+A", "+B", "-B", "-A"});
}

TEST_CASE("XPUB-6: user messages arrive unchanged, in one line with the notifications") {
    Fixture f(2);
    f[0].send({"hello", "world"});
    f[1].subscribe("A");
    f[1].send({""});
    CHECK(f.xpub.can_recv());
    CHECK(recv_message(f.xpub) == Frames{"hello", "world"});
    CHECK(recv_message(f.xpub) == Frames{subscribe_a});
    CHECK(recv_message(f.xpub) == Frames{""});
    CHECK_FALSE(f.xpub.can_recv());
    CHECK(recv_frame(f.xpub).error == err::again);
}

TEST_CASE("UP-5: to XPUB every frame that looks like a subscription is one") {
    Fixture f(1);
    f[0].send({"m1", subscribe_a});
    const ReceivedFrame user = recv_frame(f.xpub);
    CHECK(user.text == "m1");
    CHECK(user.more);
    f.send({"A1"});
    CHECK(f[0].recv_all() == Messages{{"A1"}});
}

TEST_CASE(
    "UP-6: XPUB with ONLY_FIRST_SUBSCRIBE looks at further frames only after a subscription") {
    Fixture f(1);
    f.set(ZMQ_ONLY_FIRST_SUBSCRIBE, 1);
    f[0].send({"msg", subscribe_a});
    CHECK(recv_message(f.xpub) == Frames{"msg", subscribe_a});
    f.send({"A1"});
    CHECK(f[0].recv_all().empty());
    f[0].send({"\x01R", "\x01S"});
    CHECK(f.told() == Frames{"+R", "+S"});
    f[0].send({"msg", "\x01Q"}); // the message before has no say
    CHECK(recv_message(f.xpub) == Frames{"msg", "\x01Q"});
}

TEST_CASE("XPUB-7: MANUAL reports requests, and applies what the application decides") {
    Fixture f(2);
    f.set(ZMQ_XPUB_MANUAL, 1);
    f[0].subscribe("A");
    f[0].subscribe("A");
    f[1].subscribe("B");
    f.send({"A"});
    f.send({"B"});
    CHECK(f[0].recv_all().empty());
    CHECK(recv_message(f.xpub) == Frames{subscribe_a});
    REQUIRE_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "X"));
    CHECK(recv_message(f.xpub) == Frames{subscribe_a});
    CHECK(recv_message(f.xpub) == Frames{"\x01"
                                         "B"});
    REQUIRE_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "Y"));
    f.send({"X"});
    f.send({"Y"});
    CHECK(f[0].recv_all() == Messages{{"X"}});
    CHECK(f[1].recv_all() == Messages{{"Y"}});
    f[0].cancel("A");
    CHECK(recv_message(f.xpub) == Frames{std::string("\0A", 2)});
    f.send({"X"});
    CHECK(f[0].recv_all() == Messages{{"X"}});
    REQUIRE_FALSE(f.set_topic(ZMQ_UNSUBSCRIBE, "X"));
    f.send({"X"});
    CHECK(f[0].recv_all().empty());
}

TEST_CASE("XPUB-7: a user message in between does not change who asked last") {
    Fixture f(1);
    f.set(ZMQ_XPUB_MANUAL, 1);
    f[0].subscribe("A");
    f[0].send({"user"});
    CHECK(recv_message(f.xpub) == Frames{subscribe_a});
    CHECK(recv_message(f.xpub) == Frames{"user"});
    REQUIRE_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
    f.send({"A"});
    CHECK(f[0].recv_all() == Messages{{"A"}});
}

TEST_CASE("XPUB-7, UP-5: a request inside a user message is a request") {
    Fixture f(1);
    f.set(ZMQ_XPUB_MANUAL, 1);
    f[0].send({"m1", subscribe_a});
    CHECK(recv_frame(f.xpub).text == "m1");
    CHECK(recv_frame(f.xpub).text == subscribe_a);
    REQUIRE_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
    f.send({"A"});
    CHECK(f[0].recv_all() == Messages{{"A"}});
}

TEST_CASE(
    "XPUB-8: MANUAL, a peer that goes gives back what it had asked for, not what it was given") {
    Fixture f(2);
    f.set(ZMQ_XPUB_MANUAL, 1);
    f[0].subscribe("A");
    f[0].subscribe("B");
    f[1].subscribe("A");
    (void)recv_message(f.xpub);
    REQUIRE_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "given"));
    (void)f.told();
    f[0].leave();
    f[0].detach();
    CHECK(recv_message(f.xpub) == Frames{std::string("\0A", 2)});
    REQUIRE_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "Z")); // nobody there: no effect
    CHECK(f.told() == Frames{"-B"});
    CHECK(f.xpub.topics_count() == 0);
}

TEST_CASE("XPUB-9: MANUAL, a decision without an asker has no effect") {
    Fixture f(1);
    CHECK(f.set_topic(ZMQ_SUBSCRIBE, "A") == err::invalid); // SUB-9
    CHECK(f.set_topic(ZMQ_UNSUBSCRIBE, "A") == err::invalid);
    f.set(ZMQ_XPUB_MANUAL, 1);
    CHECK_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
    f[0].subscribe("B");
    CHECK_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
    f.send({"A"});
    CHECK(f[0].recv_all().empty());
    (void)recv_message(f.xpub);
    f[0].leave();
    f[0].detach();
    CHECK_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
    CHECK(f.xpub.topics_count() == 0);
}

TEST_CASE("XPUB-9: MANUAL, a request that is read after its peer has gone has no asker") {
    Fixture f(1);
    f.set(ZMQ_XPUB_MANUAL, 1);
    f[0].subscribe("A");
    f[0].leave();
    f[0].detach();
    f.peers[0].reset();
    CHECK(recv_message(f.xpub) == Frames{subscribe_a});
    CHECK_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
    CHECK(f.xpub.topics_count() == 0);
    f.send({"A"});
}

TEST_CASE("XPUB-10: MANUAL_LAST_VALUE sends the next message to the last asker only") {
    Fixture f(2);
    f.set(ZMQ_XPUB_MANUAL_LAST_VALUE, 1);
    for (size_t i = 0; i < 2; ++i) {
        f[i].subscribe("A");
        (void)recv_message(f.xpub);
        REQUIRE_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
        f.send({"A cached", "rest"});
    }
    f.send({"A new"});
    CHECK(f[0].recv_all() == Messages{{"A cached", "rest"}, {"A new"}});
    CHECK(f[1].recv_all() == Messages{{"A cached", "rest"}, {"A new"}});
}

TEST_CASE(
    "XPUB-10, XPUB-12: the message for the last asker stays his when it has to be tried again") {
    Fixture f(2, 1);
    f.set(ZMQ_XPUB_MANUAL_LAST_VALUE, 1);
    f.set(ZMQ_XPUB_NODROP, 1);
    for (size_t i = 0; i < 2; ++i) {
        f[i].subscribe("A");
        (void)recv_message(f.xpub);
        REQUIRE_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
        f.send({"A for " + std::to_string(i)});
    }
    (void)f[0].recv();
    f[1].subscribe("A");
    (void)recv_message(f.xpub);
    CHECK(send_message(f.xpub, {"A for 1 again"}) == err::again);
    (void)f[1].recv();
    CHECK_FALSE(send_message(f.xpub, {"A for 1 again"}));
    CHECK(f[0].recv_all().empty());
    CHECK(f[1].recv_all() == Messages{{"A for 1 again"}});
}

TEST_CASE("XPUB-11: the welcome message comes first on every new pipe, whatever it subscribes to") {
    Fixture f(1);
    REQUIRE_FALSE(f.set_topic(ZMQ_XPUB_WELCOME_MSG, "welcome"));
    FakePeer peer;
    peer.attach_to(f.xpub);
    CHECK(peer.recv_all() == Messages{{"welcome"}});
    CHECK(f[0].recv_all().empty());
    REQUIRE_FALSE(f.xpub.set_option(ZMQ_XPUB_WELCOME_MSG, nullptr, 0));
    FakePeer next;
    next.attach_to(f.xpub);
    CHECK(next.recv_all().empty());
}

TEST_CASE("XPUB-12: NODROP sends to all that match or to nobody") {
    Fixture f(0);
    f.set(ZMQ_XPUB_NODROP, 1);
    FakePeer slow(1), quick(10), other(1);
    for (FakePeer *peer : {&slow, &quick}) {
        peer->attach_to(f.xpub);
        peer->subscribe("A");
    }
    other.attach_to(f.xpub);
    other.subscribe("B");
    f.send({"A1", "end"});
    CHECK(send_message(f.xpub, {"A2", "end"}) == err::again);
    CHECK(f.xpub.can_send());
    f.send({"B1"}); // the full one does not match
    CHECK(slow.recv() == Frames{"A1", "end"});
    f.send({"A2", "end"});
    CHECK(slow.recv_all() == Messages{{"A2", "end"}});
    CHECK(quick.recv_all() == Messages{{"A1", "end"}, {"A2", "end"}});
}

TEST_CASE("XPUB-14: topics are counted once, however many peers have them") {
    Fixture f(2);
    f[0].subscribe("A");
    f[1].subscribe("A");
    f[0].subscribe("B");
    CHECK(f.xpub.topics_count() == 2);
    f[0].cancel("A");
    f[0].cancel("unknown");
    CHECK(f.xpub.topics_count() == 2);
    f[0].leave();
    f[0].detach();
    CHECK(f.xpub.topics_count() == 1);
    f[1].cancel("A");
    CHECK(f.xpub.topics_count() == 0);
}

TEST_CASE("XPUB-15: INVERT_MATCHING sends to those that do not match") {
    Fixture f(2);
    f.set(ZMQ_INVERT_MATCHING, 1);
    f[0].subscribe("A");
    f.send({"A1"});
    f.send({"B1", "B2"});
    CHECK(f[0].recv_all() == Messages{{"B1", "B2"}});
    CHECK(f[1].recv_all() == Messages{{"A1"}, {"B1", "B2"}});
}

TEST_CASE("DI-1: subscriptions that change during a message do not change its receivers") {
    Fixture f(2);
    f[0].subscribe("A");
    REQUIRE_FALSE(send_frame(f.xpub, "A1", true));
    f[1].subscribe("A");
    f[0].cancel("A");
    REQUIRE_FALSE(send_frame(f.xpub, "A2", false));
    CHECK(f[0].recv_all() == Messages{{"A1", "A2"}});
    CHECK(f[1].recv_all().empty());
}

TEST_CASE("a subscriber that leaves is reported once all it said was read") {
    Fixture f(1);
    f[0].subscribe("A");
    CHECK(f.host.drained.empty());
    f[0].leave();
    CHECK(f.host.was_drained(f[0].pipe()));
    f.send({"A1"});
}

TEST_CASE("subscriptions that came before the pipe was attached are applied") {
    Fixture f(0);
    FakePeer peer;
    peer.subscribe("A");
    peer.attach_to(f.xpub);
    f.send({"A1"});
    CHECK(peer.recv_all() == Messages{{"A1"}});
}

TEST_CASE("a topic of 1 MB is told and matched like any other") {
    Fixture f(1);
    const std::string huge(1 << 20, 'h');
    f[0].subscribe(huge);
    CHECK(f.told() == Frames{"+" + huge});
    f.send({huge + "!"});
    CHECK(f[0].recv_all().size() == 1);
}

TEST_CASE("transports 8: a pipe that takes everything has subscribed to it, and nobody is told") {
    Fixture f(1);
    FakePeer packets;
    packets.pipe().set_takes_everything();
    packets.attach_to(f.xpub);
    CHECK(f.told().empty());
    CHECK(f.xpub.topics_count() == 1);
    f[0].subscribe("A");
    f.send({"A", "rest"});
    f.send({"B"});
    CHECK(f[0].recv_all() == Messages{{"A", "rest"}});
    CHECK(packets.recv_all() == Messages{{"A", "rest"}, {"B"}});
    packets.detach();
    CHECK(f.xpub.topics_count() == 1);
    f.send({"B"});
}
