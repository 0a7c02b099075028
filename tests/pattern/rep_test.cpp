#include "pattern/rep.hpp"

#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace tern;
using namespace tern::test;

namespace {

struct Fixture {
    explicit Fixture(size_t count, int limit = 0) {
        for (size_t i = 0; i < count; ++i) {
            peers.push_back(std::make_unique<FakePeer>(limit));
            peers.back()->attach_to(rep);
        }
    }
    FakePeer &operator[](size_t i) { return *peers[i]; }
    FakeHost host;
    std::vector<std::unique_ptr<FakePeer>> peers;
    Rep rep{host};
};

} // namespace

TEST_CASE("REP-1: strictly one request, then its reply") {
    Fixture f(1);
    CHECK(send_frame(f.rep, "too early") == err::wrong_state);
    f[0].send({"", "1", "2"});
    CHECK(recv_frame(f.rep).text == "1");
    CHECK(send_frame(f.rep, "still too early") == err::wrong_state);
    CHECK(recv_frame(f.rep).text == "2");
    CHECK(recv_frame(f.rep).error == err::wrong_state);
    REQUIRE_FALSE(send_frame(f.rep, "a", true));
    CHECK(recv_frame(f.rep).error == err::wrong_state);
    REQUIRE_FALSE(send_frame(f.rep, "b", false));
    CHECK(send_frame(f.rep, "no more") == err::wrong_state);
    CHECK(f[0].recv() == Frames{"", "a", "b"});
    CHECK(recv_frame(f.rep).error == err::again);
}

TEST_CASE("REP-2: the whole envelope goes back before the reply") {
    Fixture f(1);
    f[0].send({"hop 2", "hop 1", "", "question", "", "more"});
    CHECK(recv_message(f.rep) == Frames{"question", "", "more"});
    REQUIRE_FALSE(send_message(f.rep, {"", "answer"}));
    CHECK(f[0].recv() == Frames{"hop 2", "hop 1", "", "", "answer"});
}

TEST_CASE("REP-3: what has no delimiter or no body is skipped; an empty body is one") {
    Fixture f(1);
    f[0].send({"no delimiter"});
    f[0].send({"no", "delimiter"});
    f[0].send({""});
    f[0].send({"hop", ""});
    CHECK_FALSE(f.rep.can_recv());
    f[0].send({"", ""});
    CHECK(f.rep.can_recv());
    CHECK(recv_message(f.rep) == Frames{""});
    REQUIRE_FALSE(send_message(f.rep, {"ok"}));
    CHECK(f[0].recv_all() == std::vector<Frames>{{"", "ok"}});
}

TEST_CASE("REP-4: when the requester is gone the reply vanishes and the next request is read") {
    for (const bool during : {false, true}) {
        Fixture f(2);
        f[0].send({"", "from 0"});
        f[1].send({"", "from 1"});
        CHECK(recv_message(f.rep) == Frames{"from 0"});
        if (during) REQUIRE_FALSE(send_frame(f.rep, "begun", true));
        f[0].leave();
        f[0].detach();
        CHECK(f.rep.can_send());
        if (!during) REQUIRE_FALSE(send_frame(f.rep, "begun", true));
        CHECK_FALSE(send_frame(f.rep, "done", false));
        CHECK(recv_message(f.rep) == Frames{"from 1"});
        CHECK_FALSE(send_message(f.rep, {"to 1"}));
        CHECK(f[1].recv_all() == std::vector<Frames>{{"", "to 1"}});
    }
}

TEST_CASE("REP-4: a requester that left before its request was read gets no reply") {
    Fixture f(1);
    f[0].send({"", "last question"});
    f[0].leave();
    CHECK(recv_message(f.rep) == Frames{"last question"});
    CHECK_FALSE(send_message(f.rep, {"a", "b"}));
    CHECK_FALSE(f.rep.can_send());
    CHECK_FALSE(f.rep.can_recv());
    CHECK(f.host.was_drained(f[0].pipe()));
}

TEST_CASE("REP-5: a reply to a full pipe is dropped whole") {
    Fixture f(1, 1);
    for (const char *text : {"1", "2", "3"}) {
        f[0].send({"", text});
        CHECK(recv_message(f.rep) == Frames{text});
        CHECK(f.rep.can_send());
        CHECK_FALSE(send_message(f.rep, {text, "end"}));
    }
    CHECK(f[0].recv_all() == std::vector<Frames>{{"", "1", "end"}});
}

TEST_CASE("REP-6: what can be sent and received in each state") {
    Fixture f(1);
    CHECK_FALSE(f.rep.can_recv());
    CHECK_FALSE(f.rep.can_send());
    f[0].send({"", "1", "2"});
    for (int i = 0; i < 2; ++i) {
        CHECK(f.rep.can_recv());
        CHECK(f.rep.can_recv());
        CHECK_FALSE(f.rep.can_send());
        (void)recv_frame(f.rep);
    }
    f[0].send({"", "next"});
    CHECK_FALSE(f.rep.can_recv());
    CHECK(f.rep.can_send());
    CHECK_FALSE(send_frame(f.rep, "a", true));
    CHECK(f.rep.can_send());
    CHECK_FALSE(send_frame(f.rep, "b", false));
    CHECK_FALSE(f.rep.can_send());
    CHECK(f.rep.can_recv());
}

TEST_CASE("REP-7: requesters are served in turn, one request at a time") {
    Fixture f(2);
    for (const char *number : {"0", "1"})
        for (size_t peer = 0; peer < 2; ++peer)
            f[peer].send({"", std::string(1, char('a' + peer)) + number});
    for (const char *expected : {"a0", "b0", "a1", "b1"}) {
        CHECK(recv_message(f.rep) == Frames{expected});
        REQUIRE_FALSE(send_message(f.rep, {expected}));
    }
    CHECK(f[0].recv_all() == std::vector<Frames>{{"", "a0"}, {"", "a1"}});
    CHECK(f[1].recv_all() == std::vector<Frames>{{"", "b0"}, {"", "b1"}});
}

TEST_CASE("REP-8: the rest of a request stays readable when its peer leaves") {
    Fixture f(1);
    f[0].send({"", "1", "2", "3"});
    CHECK(recv_frame(f.rep).text == "1");
    f[0].leave();
    CHECK(f.rep.can_recv());
    CHECK(recv_message(f.rep) == Frames{"2", "3"});
    CHECK_FALSE(send_message(f.rep, {"nobody hears"}));
}

TEST_CASE("GEN-4: a request whose pipe goes while it is read is not joined to another") {
    Fixture f(2);
    f[0].send({"", "a0", "a1"});
    f[1].send({"", "b0"});
    REQUIRE(recv_frame(f.rep).more);
    f[0].detach();
    const ReceivedFrame next = recv_frame(f.rep);
    CHECK((next.error || next.text == "a1"));
}
