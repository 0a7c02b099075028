#include "pattern/xsub.hpp"

#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <zmq.h>

using namespace tern;
using namespace tern::test;

namespace {

template <class Kind>
struct Fixture {
    explicit Fixture(size_t count, int limit = 0) {
        for (size_t i = 0; i < count; ++i) {
            peers.push_back(std::make_unique<FakePeer>(limit));
            peers.back()->attach_to(socket);
        }
    }
    FakePeer &operator[](size_t i) { return *peers[i]; }
    void set(int option, int value) {
        REQUIRE_FALSE(socket.set_option(option, &value, sizeof value));
    }
    Error set_topic(int option, const std::string &topic) {
        return socket.set_option(option, topic.data(), topic.size());
    }
    void subscribe(const std::string &topic) { REQUIRE_FALSE(set_topic(ZMQ_SUBSCRIBE, topic)); }
    void unsubscribe(const std::string &topic) { REQUIRE_FALSE(set_topic(ZMQ_UNSUBSCRIBE, topic)); }
    void send(const Frames &frames) { REQUIRE_FALSE(send_message(socket, frames)); }
    FakeHost host;
    std::vector<std::unique_ptr<FakePeer>> peers;
    Kind socket{host};
};

using SubFixture = Fixture<Sub>;
using XsubFixture = Fixture<Xsub>;
using Messages = std::vector<Frames>;

// XSUB's subscription messages, and how they arrive.
std::string plus(const std::string &topic) { return '\x01' + topic; }
std::string minus(const std::string &topic) { return '\0' + topic; }

} // namespace

// ---- SUB

TEST_CASE("SUB-3: without subscription nothing is received") {
    SubFixture f(1);
    f[0].send({"x"});
    f[0].send({""});
    CHECK_FALSE(f.socket.can_recv());
    CHECK(recv_message(f.socket).empty());
}

TEST_CASE("SUB-1, SUB-2: SUB filters by the first frame only") {
    SubFixture f(1);
    f.subscribe("AB");
    for (const Frames &message :
         Messages{{"A", "B"}, {"AB"}, {"x", "AB"}, {"ABC", "y", "z"}, {"ab"}})
        f[0].send(message);
    CHECK(f.socket.can_recv());
    CHECK(recv_message(f.socket) == Frames{"AB"});
    CHECK(recv_message(f.socket) == Frames{"ABC", "y", "z"});
    CHECK_FALSE(f.socket.can_recv());
}

TEST_CASE("SUB-5: identical subscriptions are counted") {
    SubFixture f(1);
    f.subscribe("A");
    f.subscribe("A");
    f.unsubscribe("A");
    f[0].send({"A1"});
    CHECK(recv_message(f.socket) == Frames{"A1"});
    f.unsubscribe("A");
    f[0].send({"A2"});
    CHECK(recv_message(f.socket).empty());
    f.unsubscribe("unknown");
    f.unsubscribe("A");
    f.subscribe("A");
    f[0].send({"A3"});
    CHECK(recv_message(f.socket) == Frames{"A3"});
}

TEST_CASE("SUB-6: the subscriptions in force at the receive decide") {
    for (const bool polled : {false, true}) {
        SubFixture f(1);
        f.subscribe("A");
        f.subscribe("B");
        f[0].send({"A1", "A2"});
        f[0].send({"B1"});
        if (polled) CHECK(f.socket.can_recv());
        f.unsubscribe("A");
        CHECK(recv_message(f.socket) == Frames{"B1"});
        CHECK_FALSE(f.socket.can_recv());
    }
}

TEST_CASE("SUB-6, GEN-6: a message that is half received is received to its end") {
    SubFixture f(1);
    f.subscribe("A");
    f[0].send({"A1", "x", "y"});
    CHECK(recv_frame(f.socket).text == "A1");
    f.unsubscribe("A");
    CHECK(f.socket.can_recv());
    CHECK(recv_message(f.socket) == Frames{"x", "y"});
    CHECK_FALSE(f.socket.can_recv());
}

TEST_CASE("SUB-8, UP-7: a new pipe gets the distinct subscriptions, each once") {
    SubFixture f(0);
    for (const char *topic : {"B", "A", "A", "", "AB"}) f.subscribe(topic);
    f.unsubscribe("A");
    FakePeer peer;
    peer.attach_to(f.socket);
    CHECK(peer.recv_all() == Messages{{"+"}, {"+A"}, {"+AB"}, {"+B"}});
    CHECK(f.socket.topics_count() == 4);
}

TEST_CASE("SUB-9: subscribing never fails for lack of peers; a SUB sends nothing else") {
    SubFixture f(0);
    CHECK_FALSE(f.set_topic(ZMQ_SUBSCRIBE, "A"));
    CHECK_FALSE(f.set_topic(ZMQ_UNSUBSCRIBE, "A"));
    CHECK_FALSE(f.socket.set_option(ZMQ_SUBSCRIBE, nullptr, 0));
    OwnMessage frame = make_frame("x");
    CHECK(f.socket.send(*frame) == err::not_supported);
    CHECK(frame->size() == 1);
    CHECK_FALSE(f.socket.can_send());
}

TEST_CASE("UP-1: every subscribe is forwarded, but only the last unsubscribe") {
    SubFixture f(2);
    f.subscribe("A");
    f.subscribe("A");
    f.unsubscribe("A");
    f.unsubscribe("unknown");
    for (size_t i = 0; i < 2; ++i) CHECK(f[i].recv_all() == Messages{{"+A"}, {"+A"}});
    f.unsubscribe("A");
    f.unsubscribe("A");
    for (size_t i = 0; i < 2; ++i) CHECK(f[i].recv_all() == Messages{{"-A"}});
}

TEST_CASE("UP-9: subscriptions are never dropped, whatever the high water mark") {
    SubFixture f(1, 3);
    for (int i = 0; i < 1500; ++i) f.subscribe(std::to_string(i));
    CHECK(f[0].recv_all().size() == 1500);
    FakePeer late(3);
    late.attach_to(f.socket);
    CHECK(late.recv_all().size() == 1500);
}

TEST_CASE("UP-7, UP-10: after a reconnect the set in force is sent again") {
    SubFixture f(1);
    f.subscribe("A");
    f.subscribe("B");
    f.subscribe("B");
    (void)f[0].recv_all();
    f.unsubscribe("A");
    f.subscribe("C");
    (void)f[0].recv_all(); // lost with the connection
    f.socket.reconnected(f[0].pipe());
    CHECK(f[0].recv_all() == Messages{{"+B"}, {"+C"}});
}

TEST_CASE("XPUB-15: with INVERT_MATCHING a SUB takes what matches none") {
    SubFixture f(1);
    f.set(ZMQ_INVERT_MATCHING, 1);
    f.subscribe("A");
    f[0].send({"A1"});
    f[0].send({"B1", "B2"});
    CHECK(recv_message(f.socket) == Frames{"B1", "B2"});
    CHECK_FALSE(f.socket.can_recv());
}

TEST_CASE("GEN-4: a pipe that goes while its message is received does not join two messages") {
    for (const bool polled_only : {false, true}) {
        SubFixture f(2);
        f.subscribe("");
        f[0].send({"a0", "a1"});
        if (polled_only)
            REQUIRE(f.socket.can_recv());
        else
            REQUIRE(recv_frame(f.socket).more);
        f[0].detach();
        f[1].send({"b0"});
        Frames got;
        std::vector<bool> more;
        for (ReceivedFrame next = recv_frame(f.socket); !next.error; next = recv_frame(f.socket)) {
            got.push_back(next.text);
            more.push_back(next.more);
        }
        // What is left of the first message may be there or not, whole or not at all.
        REQUIRE_FALSE(got.empty());
        CHECK(got.back() == "b0");
        if (got.size() > 1) CHECK(got[got.size() - 2] == "a1");
    }
}

TEST_CASE("SUB-6: an unsubscribe after its pipe went does not eat another's message") {
    SubFixture f(2);
    f.subscribe("a");
    f.subscribe("b");
    f[0].send({"a0", "a1"});
    REQUIRE(f.socket.can_recv());
    f[0].detach();
    f[1].send({"b0"});
    f.unsubscribe("a");
    CHECK(recv_message(f.socket) == Frames{"b0"});
}

TEST_CASE("SUB-3: after a pipe went in the middle of a message the filter still holds") {
    SubFixture f(2);
    f.subscribe("a");
    f[0].send({"a0", "a1"});
    REQUIRE(recv_frame(f.socket).more);
    f[0].detach();
    f[1].send({"unwanted"});
    const ReceivedFrame next = recv_frame(f.socket);
    CHECK((next.error || next.text == "a1"));
}

// ---- XSUB

TEST_CASE("SUB-7: XSUB hands out whatever arrives, in turn") {
    XsubFixture f(2);
    f[0].send({"x", "y"});
    f[0].send({"z"});
    f[1].send({""});
    CHECK(f.socket.can_recv());
    CHECK(recv_message(f.socket) == Frames{"x", "y"});
    CHECK(recv_message(f.socket) == Frames{""});
    CHECK(recv_message(f.socket) == Frames{"z"});
}

TEST_CASE("SUB-9: XSUB subscribes by message, not by option") {
    XsubFixture f(1);
    CHECK(f.set_topic(ZMQ_SUBSCRIBE, "A") == err::invalid);
    CHECK(f.set_topic(ZMQ_UNSUBSCRIBE, "A") == err::invalid);
    CHECK(f.socket.can_send());
}

TEST_CASE("UP-2: XSUB counts as SUB does, and forwards by the same rule") {
    XsubFixture f(1);
    f.send({minus("unknown")});
    f.send({plus("A")});
    f.send({plus("A")});
    f.send({minus("A")});
    CHECK(f[0].recv_all() == Messages{{plus("A")}, {plus("A")}});
    CHECK(f.socket.topics_count() == 1);
    f.send({minus("A")});
    f.send({minus("A")});
    CHECK(f[0].recv_all() == Messages{{minus("A")}});
    CHECK(f.socket.topics_count() == 0);
}

TEST_CASE("UP-3: with XSUB_VERBOSE_UNSUBSCRIBE every unsubscribe is forwarded") {
    XsubFixture f(1);
    f.set(ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, 1);
    f.send({plus("A")});
    f.send({plus("A")});
    for (int i = 0; i < 3; ++i) f.send({minus("A")});
    CHECK(f[0].recv_all().size() == 5);
}

TEST_CASE("UP-3: XSUB_VERBOSE_UNSUBSCRIBE in fewer than four bytes is read no further") {
    XsubFixture f(1);
    f.set(ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, 1);
    const uint8_t off_and_what_follows[] = {0, 1, 1, 1};
    REQUIRE_FALSE(f.socket.set_option(ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, off_and_what_follows, 1));
    f.send({minus("A")});
    CHECK(f[0].recv_all().empty());
}

TEST_CASE("UP-4: other messages go to all publishers, full pipes miss them") {
    XsubFixture f(0);
    FakePeer slow(1), quick(10);
    slow.attach_to(f.socket);
    quick.attach_to(f.socket);
    f.send({"one", "1"});
    f.send({""});
    f.send({"\x02"});
    CHECK(slow.recv_all() == Messages{{"one", "1"}});
    CHECK(quick.recv_all() == Messages{{"one", "1"}, {""}, {"\x02"}});
}

TEST_CASE("DI-1: a subscription in front that says nothing new has chosen nobody") {
    XsubFixture f(0);
    FakePeer late(10);
    Message frame;
    REQUIRE_FALSE(frame.init_copy(Bytes(std::string_view(minus("unknown")))));
    frame.set(Message::more);
    REQUIRE_FALSE(f.socket.send(frame));
    late.attach_to(f.socket);
    REQUIRE_FALSE(frame.init_copy(Bytes(std::string_view("body"))));
    REQUIRE_FALSE(f.socket.send(frame));
    CHECK(late.recv_all() == Messages{{"body"}});
}

TEST_CASE("DI-1: who comes during a message does not get its end alone") {
    XsubFixture f(1);
    FakePeer late(10);
    Message frame;
    REQUIRE_FALSE(frame.init_copy(Bytes(std::string_view("body"))));
    frame.set(Message::more);
    REQUIRE_FALSE(f.socket.send(frame));
    late.attach_to(f.socket);
    REQUIRE_FALSE(frame.init_copy(Bytes(std::string_view(minus("unknown")))));
    REQUIRE_FALSE(f.socket.send(frame));
    CHECK(f[0].recv_all() == Messages{{"body", minus("unknown")}});
    CHECK(late.recv_all().empty());
}

TEST_CASE("UP-5: every frame of a message that looks like a subscription is one") {
    XsubFixture f(1);
    f.send({"m1", plus("Z")});
    CHECK(f[0].recv_all() == Messages{{"m1", plus("Z")}});
    CHECK(f.socket.topics_count() == 1);
    FakePeer late;
    late.attach_to(f.socket);
    CHECK(late.recv_all() == Messages{{"+Z"}});
}

TEST_CASE(
    "UP-6: XSUB with ONLY_FIRST_SUBSCRIBE looks at further frames only after a subscription") {
    XsubFixture f(1);
    f.set(ZMQ_ONLY_FIRST_SUBSCRIBE, 1);
    f.send({"msg", plus("Q")});
    CHECK(f.socket.topics_count() == 0);
    CHECK(f[0].recv_all() == Messages{{"msg", plus("Q")}});
    f.send({plus("R"), plus("S")});
    CHECK(f.socket.topics_count() == 2);
    f.send({"msg", plus("Q")});
    CHECK(f.socket.topics_count() == 2);
}

TEST_CASE(
    "UP-2, UP-5: an unsubscribe that is not forwarded does not leave its message unfinished") {
    XsubFixture f(1);
    f.send({"m1", minus("unknown")});
    f.send({"m2"});
    const Messages got = f[0].recv_all();
    REQUIRE_FALSE(got.empty());
    CHECK(got.back() == Frames{"m2"});
}

TEST_CASE("UP-2, UP-6: subscriptions in one message arrive, whether the last is forwarded or not") {
    XsubFixture f(1);
    f.send({plus("A"), minus("unknown")});
    const Frames got = f[0].recv();
    REQUIRE_FALSE(got.empty());
    CHECK(got[0] == plus("A"));
}

TEST_CASE(
    "UP-4, UP-9: a full pipe that misses user frames still gets the subscription before them") {
    XsubFixture f(1, 1);
    f.send({"fill"});
    f.send({plus("A"), "user"});
    CHECK(f[0].recv() == Frames{"fill"});
    const Frames got = f[0].recv();
    REQUIRE_FALSE(got.empty());
    CHECK(got[0] == plus("A"));
}

TEST_CASE(
    "ORD-5: a reconnect in the middle of a message never leaves its tail on the new connection") {
    XsubFixture f(1);
    REQUIRE_FALSE(send_frame(f.socket, "1", true));
    f.socket.reconnected(f[0].pipe());
    REQUIRE_FALSE(send_frame(f.socket, "2", false));
    const Messages got = f[0].recv_all();
    CHECK((got.empty() || got == Messages{{"1", "2"}}));
    f.send({"next"});
    CHECK(f[0].recv_all() == Messages{{"next"}});
}
