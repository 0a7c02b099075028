#include "pattern/req.hpp"

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
            peers.back()->attach_to(req);
        }
    }
    FakePeer &operator[](size_t i) { return *peers[i]; }
    void set(int option, int value) { REQUIRE_FALSE(req.set_option(option, &value, sizeof value)); }
    FakeHost host;
    std::vector<std::unique_ptr<FakePeer>> peers;
    Req req{host, 0xfffffffe};
};

} // namespace

TEST_CASE("REQ-1: strictly one request sent, then its reply received") {
    Fixture f(1);
    CHECK(recv_frame(f.req).error == err::wrong_state);
    CHECK(f.req.can_send());
    CHECK_FALSE(f.req.can_recv());
    REQUIRE_FALSE(send_frame(f.req, "a", true));
    CHECK(recv_frame(f.req).error == err::wrong_state); // the request is not complete
    REQUIRE_FALSE(send_frame(f.req, "b", false));
    CHECK(send_frame(f.req, "too early") == err::wrong_state);
    CHECK(f[0].recv() == Frames{"", "a", "b"});
    CHECK(recv_frame(f.req).error == err::again);
    f[0].send({"", "1", "2"});
    CHECK(recv_frame(f.req).text == "1");
    CHECK(send_frame(f.req, "still too early") == err::wrong_state);
    CHECK(recv_frame(f.req).text == "2");
    CHECK(recv_frame(f.req).error == err::wrong_state);
    REQUIRE_FALSE(send_message(f.req, {"next"}));
    CHECK(f[0].recv() == Frames{"", "next"});
}

TEST_CASE("REQ-2: the peer sees an empty frame first, which is stripped from the reply") {
    Fixture f(1);
    REQUIRE_FALSE(send_message(f.req, {"", "x"}));
    CHECK(f[0].recv() == Frames{"", "", "x"});
    f[0].send({"", "", "y"});
    CHECK(recv_message(f.req) == Frames{"", "y"});
}

TEST_CASE("REQ-3: requests go round the peers") {
    Fixture f(3);
    for (size_t i = 0; i < 6; ++i) {
        REQUIRE_FALSE(send_message(f.req, {std::to_string(i)}));
        CHECK(f[i % 3].recv() == Frames{"", std::to_string(i)});
        f[i % 3].send({"", "reply " + std::to_string(i)});
        CHECK(recv_message(f.req) == Frames{"reply " + std::to_string(i)});
    }
}

TEST_CASE("REQ-4: without a writable pipe the state stays") {
    Fixture none(0);
    CHECK_FALSE(none.req.can_send());
    CHECK(send_message(none.req, {"x"}) == err::again);
    FakePeer late;
    late.attach_to(none.req);
    CHECK_FALSE(send_message(none.req, {"x"}));
    CHECK(late.recv() == Frames{"", "x"});

    Fixture full(1, 1);
    full.set(ZMQ_REQ_RELAXED, 1);
    REQUIRE_FALSE(send_message(full.req, {"1"}));
    CHECK_FALSE(full.req.can_send());
    CHECK(send_message(full.req, {"2"}) == err::again);
    CHECK(full[0].recv() == Frames{"", "1"});
    CHECK_FALSE(send_message(full.req, {"2"}));
    CHECK(full[0].recv_all() == std::vector<Frames>{{"", "2"}});
}

TEST_CASE("REQ-5: what is readable when a request starts is thrown away") {
    Fixture f(2);
    f[0].send({"", "unasked"});
    f[1].send({"", "unasked", "too"});
    f[1].send({"nonsense"});
    REQUIRE_FALSE(send_message(f.req, {"x"}));
    CHECK_FALSE(f.req.can_recv());
    f[0].send({"", "asked"});
    CHECK(recv_message(f.req) == Frames{"asked"});
}

TEST_CASE("REQ-6: only the peer that got the request is heard") {
    Fixture f(2);
    REQUIRE_FALSE(send_message(f.req, {"x"}));
    CHECK(f[0].recv() == Frames{"", "x"});
    f[1].send({"", "not asked"});
    CHECK(recv_message(f.req).empty());
    f[1].send({"", "not asked", "either"});
    f[0].send({"", "asked"});
    CHECK(recv_message(f.req) == Frames{"asked"});
}

TEST_CASE("REQ-8: a malformed reply is skipped, a later good one is taken") {
    Fixture f(1);
    REQUIRE_FALSE(send_message(f.req, {"x"}));
    f[0].send({"no delimiter"});
    f[0].send({"no", "", "delimiter first"});
    f[0].send({""}); // no body
    f[0].send({"", "good", "", "one"});
    CHECK(recv_message(f.req) == Frames{"good", "", "one"});
}

TEST_CASE("REQ-11: when the asked peer is gone anybody's answer is taken") {
    Fixture f(2);
    REQUIRE_FALSE(send_message(f.req, {"x"}));
    f[0].leave();
    f[0].detach();
    CHECK(send_message(f.req, {"y"}) == err::wrong_state);
    CHECK(recv_message(f.req).empty());
    f[1].send({"", "from another"});
    CHECK(recv_message(f.req) == Frames{"from another"});
}

TEST_CASE("REQ-12: RELAXED lets a new request follow at once, to the next peer") {
    Fixture f(2);
    f.set(ZMQ_REQ_RELAXED, 1);
    REQUIRE_FALSE(send_message(f.req, {"1"}));
    CHECK(f.req.can_send());
    f[0].send({"", "stale"});
    REQUIRE_FALSE(send_message(f.req, {"2"}));
    CHECK(f[0].recv() == Frames{"", "1"});
    CHECK(f[1].recv() == Frames{"", "2"});
    f[0].send({"", "late"}); // not the peer that was asked now
    f[1].send({"", "reply 2"});
    CHECK(recv_message(f.req) == Frames{"reply 2"});
}

TEST_CASE("REQ-12: RELAXED abandons a reply that is half read") {
    Fixture f(1);
    f.set(ZMQ_REQ_RELAXED, 1);
    REQUIRE_FALSE(send_message(f.req, {"1"}));
    f[0].send({"", "a", "b", "c"});
    REQUIRE(recv_frame(f.req).more);
    REQUIRE_FALSE(send_message(f.req, {"2"}));
    f[0].send({"", "reply 2"});
    CHECK(recv_message(f.req) == Frames{"reply 2"});
}

TEST_CASE(
    "REQ-13: CORRELATE puts an id before the request, which grows by one and must come back") {
    Fixture f(1);
    f.set(ZMQ_REQ_CORRELATE, 1);
    f.set(ZMQ_REQ_RELAXED, 1);
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) {
        REQUIRE_FALSE(send_message(f.req, {"x"}));
        const Frames request = f[0].recv();
        REQUIRE(request.size() == 3);
        CHECK(request[0].size() == 4);
        CHECK(request[1].empty());
        ids.push_back(request[0]);
    }
    uint32_t numbers[3];
    for (int i = 0; i < 3; ++i) std::memcpy(&numbers[i], ids[size_t(i)].data(), 4);
    CHECK(numbers[1] == numbers[0] + 1); // over the end of its range, too
    CHECK(numbers[2] == numbers[1] + 1);
    f[0].send({ids[0], "", "old"});
    f[0].send({"", "none"});
    f[0].send({ids[2]});
    f[0].send({ids[2], "no delimiter"});
    f[0].send({ids[2], "", "right", "one"});
    CHECK(recv_message(f.req) == Frames{"right", "one"});
}

TEST_CASE("REQ-14: what REQ can send and receive in each state") {
    Fixture none(0);
    CHECK_FALSE(none.req.can_send());
    CHECK_FALSE(none.req.can_recv());
    Fixture f(1);
    f[0].send({"", "unasked"});
    CHECK(f.req.can_send());
    CHECK_FALSE(f.req.can_recv());
    REQUIRE_FALSE(send_frame(f.req, "a", true));
    CHECK(f.req.can_send());
    REQUIRE_FALSE(send_frame(f.req, "b", false));
    CHECK_FALSE(f.req.can_send());
    CHECK_FALSE(f.req.can_recv());
    f[0].send({"", "1", "2"});
    CHECK(f.req.can_recv());
    (void)recv_frame(f.req);
    CHECK(f.req.can_recv());
    CHECK_FALSE(f.req.can_send());
    (void)recv_frame(f.req);
    CHECK(f.req.can_send());
    CHECK_FALSE(f.req.can_recv());
}

TEST_CASE("LB-7: a request whose peer goes half way is swallowed, and the state goes on") {
    Fixture f(2);
    REQUIRE_FALSE(send_frame(f.req, "1", true));
    f[0].leave();
    f[0].detach();
    REQUIRE_FALSE(send_frame(f.req, "2", false));
    CHECK(f[1].recv().empty());
    f[1].send({"", "answer of sorts"});
    CHECK(recv_message(f.req) == Frames{"answer of sorts"});
}

TEST_CASE("a reply whose pipe goes while it is read does not stop REQ for good") {
    Fixture f(2);
    REQUIRE_FALSE(send_message(f.req, {"x"}));
    f[0].send({"", "1", "2"});
    REQUIRE(recv_frame(f.req).more);
    f[0].detach();
    // Either the rest is still there, or another reply is awaited; never another's message as the
    // rest.
    f[1].send({"", "other"});
    const Frames rest = recv_message(f.req);
    CHECK((rest == Frames{"2"} || rest == Frames{"other"}));
    CHECK(f.req.can_send());
}
