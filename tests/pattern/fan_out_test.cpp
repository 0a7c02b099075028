#include "pattern/fan_out.hpp"

#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

#include <memory>

using namespace tern;
using namespace tern::test;

namespace {

using Messages = std::vector<Frames>;

struct Fixture {
    explicit Fixture(size_t count, int limit = 0) {
        for (size_t i = 0; i < count; ++i) add(limit);
    }
    FakePeer &add(int limit = 0) {
        peers.push_back(std::make_unique<FakePeer>(limit));
        out.attach(peers.back()->pipe());
        return *peers.back();
    }
    FakePeer &operator[](size_t i) { return *peers[i]; }
    void match(std::initializer_list<size_t> chosen) {
        out.begin_matching();
        for (const size_t i : chosen) out.match(peers[i]->pipe());
    }
    void send(const Frames &frames) {
        for (size_t i = 0; i < frames.size(); ++i) send_frame(frames[i], i + 1 < frames.size());
    }
    void send_frame(const std::string &text, bool more) {
        OwnMessage frame = make_frame(text, more);
        out.send(*frame);
        CHECK(frame->is_valid());
        CHECK(frame->size() == 0);
    }
    std::vector<std::unique_ptr<FakePeer>> peers;
    FanOut out;
};

} // namespace

TEST_CASE("a message goes to the matched pipes, and once to one matched twice") {
    Fixture f(4);
    f.match({1, 3, 1, 3, 3});
    f.send({"a", "b"});
    CHECK(f[0].recv_all().empty());
    CHECK(f[1].recv_all() == Messages{{"a", "b"}});
    CHECK(f[2].recv_all().empty());
    CHECK(f[3].recv_all() == Messages{{"a", "b"}});
}

TEST_CASE("matching all and inverting a match") {
    Fixture f(3);
    f.out.begin_matching();
    f.out.match_all();
    f.send({"all"});
    for (size_t i = 0; i < 3; ++i) CHECK(f[i].recv_all() == Messages{{"all"}});
    f.match({1});
    f.out.invert_matching();
    f.send({"others"});
    CHECK(f[0].recv_all() == Messages{{"others"}});
    CHECK(f[1].recv_all().empty());
    CHECK(f[2].recv_all() == Messages{{"others"}});
    // Nothing of the last match is left over.
    f.match({});
    f.out.invert_matching();
    f.send({"again all"});
    for (size_t i = 0; i < 3; ++i) CHECK(f[i].recv_all() == Messages{{"again all"}});
}

TEST_CASE("DI-1: later frames go to exactly those that got the first one") {
    Fixture f(3);
    f.match({0, 1});
    f.send_frame("1", true);
    CHECK(f.out.is_mid_message());
    FakePeer &late = f.add();
    f.out.detach(f[1].pipe());
    f.send_frame("2", false);
    CHECK_FALSE(f.out.is_mid_message());
    CHECK(f[0].recv_all() == Messages{{"1", "2"}});
    CHECK(f[1].recv_all().empty());
    CHECK(f[2].recv_all().empty());
    CHECK(late.recv_all().empty());
}

TEST_CASE("DI-2: a pipe full at the first frame misses the whole message") {
    Fixture f(0);
    f.add(1);
    f.add(10);
    f.match({0, 1});
    f.send({"1", "2"});
    f.match({0, 1});
    f.send_frame("3", true);
    CHECK(f[0].recv() == Frames{"1", "2"}); // room, but too late for this message
    f.send_frame("4", false);
    CHECK(f[0].recv().empty());
    CHECK(f[1].recv_all() == Messages{{"1", "2"}, {"3", "4"}});
    // DI-4
    f.match({0, 1});
    f.send({"5"});
    CHECK(f[0].recv() == Frames{"5"});
}

TEST_CASE("HWM-11: a pipe that becomes full during a message gets the rest of it") {
    Fixture f(1, 2);
    f.match({0});
    f.send({"1"});
    f.match({0});
    f.send_frame("2", true);
    f[0].pipe().outbound().set_writer_part(1);
    f.send_frame("3", false);
    CHECK(f[0].recv_all() == Messages{{"1"}, {"2", "3"}});
}

TEST_CASE("DI-3: what nobody wants is given back during the send") {
    CountedBodies bodies;
    Fixture f(2);
    f.match({});
    f.out.send(*bodies.frame());
    CHECK(bodies.given_back() == 1);
}

TEST_CASE("DI-5: all receivers share one body, and it is given back once") {
    CountedBodies bodies;
    Fixture f(3);
    f.match({0, 1, 2});
    f.out.send(*bodies.frame());
    std::vector<OwnMessage> got(3);
    for (size_t i = 0; i < 3; ++i) {
        got[i]->close();
        REQUIRE(f[i].far().read(*got[i]));
    }
    CHECK(got[0]->data() == got[1]->data());
    CHECK(got[0]->data() == got[2]->data());
    CHECK(bodies.given_back() == 0);
    got.clear();
    CHECK(bodies.given_back() == 1);
}

TEST_CASE("DI-2: room for all the matched is asked of all the matched only") {
    Fixture f(0);
    f.add(1);
    f.add(10);
    f.match({0});
    f.send({"x"});
    f.match({1});
    CHECK(f.out.all_matched_have_room());
    f.match({0, 1});
    CHECK_FALSE(f.out.all_matched_have_room());
    f.match({});
    CHECK(f.out.all_matched_have_room());
}

TEST_CASE("sending regardless reaches full pipes too, and leaves the frame to the caller") {
    Fixture f(2, 1);
    f.match({0, 1});
    f.send({"x"});
    OwnMessage frame = make_frame("must arrive");
    f.out.send_to_all_regardless(*frame);
    CHECK(frame->bytes().text() == "must arrive");
    for (size_t i = 0; i < 2; ++i) CHECK(f[i].recv_all() == Messages{{"x"}, {"must arrive"}});
}

TEST_CASE("a closed pipe gets nothing and does not disturb the others") {
    Fixture f(3);
    f[1].far().close();
    f.match({0, 1, 2});
    f.send({"a"});
    CHECK(f[0].recv_all() == Messages{{"a"}});
    CHECK(f[2].recv_all() == Messages{{"a"}});
}

TEST_CASE("pipes leave from every place, and matching still finds the rest") {
    for (size_t first = 0; first < 5; ++first) {
        for (size_t second = 0; second < 5; ++second) {
            if (first == second) continue;
            Fixture f(5);
            f.out.begin_matching();
            f.out.match_all();
            f.out.detach(f[first].pipe());
            f.out.detach(f[second].pipe());
            f.out.detach(f[second].pipe()); // twice: no harm
            CHECK_FALSE(f.out.contains(f[first].pipe()));
            f.out.match(f[first].pipe()); // a stranger now
            f.send({"m"});
            for (size_t i = 0; i < 5; ++i)
                CHECK(f[i].recv_all().size() == (i == first || i == second ? 0 : 1));
            f.out.attach(f[first].pipe());
            f.out.begin_matching();
            f.out.match_all();
            f.send({"n"});
            for (size_t i = 0; i < 5; ++i) CHECK(f[i].recv_all().size() == (i == second ? 0 : 1));
        }
    }
}
