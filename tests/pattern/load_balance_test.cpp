#include "pattern/load_balance.hpp"

#include "pattern/push.hpp"
#include "support/fake_peer.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <random>

using namespace tern;
using namespace tern::test;

namespace {

// PUSH is a load balancer and nothing else.
struct Fixture {
    explicit Fixture(size_t count, int limit = 0) {
        for (size_t i = 0; i < count; ++i) add(limit);
    }
    FakePeer &add(int limit = 0) {
        peers.push_back(std::make_unique<FakePeer>(limit));
        peers.back()->attach_to(push);
        return *peers.back();
    }
    FakePeer &operator[](size_t i) { return *peers[i]; }
    std::vector<std::unique_ptr<FakePeer>> peers;
    Push push;
};

using Messages = std::vector<Frames>;

} // namespace

TEST_CASE("LB-1: seven messages go round three pipes") {
    Fixture f(3);
    for (int i = 0; i < 7; ++i) REQUIRE_FALSE(send_message(f.push, {std::to_string(i)}));
    CHECK(f[0].recv_all() == Messages{{"0"}, {"3"}, {"6"}});
    CHECK(f[1].recv_all() == Messages{{"1"}, {"4"}});
    CHECK(f[2].recv_all() == Messages{{"2"}, {"5"}});
}

TEST_CASE("LB-2: without a pipe, or without room, a send would block") {
    Fixture f(0);
    CHECK_FALSE(f.push.can_send());
    CHECK(send_message(f.push, {"x"}) == err::again);
    f.add(1);
    CHECK(f.push.can_send());
    CHECK_FALSE(send_message(f.push, {"y"}));
    CHECK_FALSE(f.push.can_send());
    CHECK(send_message(f.push, {"z"}) == err::again);
    CHECK(f[0].recv_all() == Messages{{"y"}});
    CHECK(f.push.can_send());
}

TEST_CASE("LB-3: a full pipe is left out until it has room, the others go on") {
    Fixture f(0);
    f.add(1);
    f.add(100);
    f.add(100);
    for (int i = 0; i < 7; ++i) REQUIRE_FALSE(send_message(f.push, {std::to_string(i)}));
    CHECK(f[0].recv() == Frames{"0"});
    CHECK(f[1].recv_all().size() == 3);
    CHECK(f[2].recv_all().size() == 3);
    // Room was made: the pipe is back.
    for (int i = 0; i < 3; ++i) REQUIRE_FALSE(send_message(f.push, {"again"}));
    CHECK(f[0].recv_all().size() == 1);
    CHECK(f[1].recv_all().size() == 1);
    CHECK(f[2].recv_all().size() == 1);
}

TEST_CASE("LB-4: all frames of a message go to one pipe") {
    Fixture f(2);
    for (int i = 0; i < 4; ++i) REQUIRE_FALSE(send_message(f.push, {"1", "2", "3"}));
    const Messages expected{{"1", "2", "3"}, {"1", "2", "3"}};
    CHECK(f[0].recv_all() == expected);
    CHECK(f[1].recv_all() == expected);
}

TEST_CASE("LB-5: a pipe attached during a message gets no part of it") {
    Fixture f(1);
    REQUIRE_FALSE(send_frame(f.push, "1", true));
    f.add();
    REQUIRE_FALSE(send_frame(f.push, "2", false));
    REQUIRE_FALSE(send_message(f.push, {"next"}));
    CHECK(f[0].recv_all() == Messages{{"1", "2"}});
    CHECK(f[1].recv_all() == Messages{{"next"}});
}

TEST_CASE("LB-6: a started message can be finished on a full pipe") {
    Fixture f(1, 1);
    REQUIRE_FALSE(send_frame(f.push, "1", true));
    CHECK(f.push.can_send());
    REQUIRE_FALSE(send_frame(f.push, "2", true));
    REQUIRE_FALSE(send_frame(f.push, "3", false));
    CHECK_FALSE(f.push.can_send());
    CHECK(f[0].recv_all() == Messages{{"1", "2", "3"}});
}

TEST_CASE(
    "LB-7: when the pipe goes, the rest of its message is swallowed and the next starts clean") {
    Fixture f(2);
    REQUIRE_FALSE(send_frame(f.push, "1", true));
    f[0].leave();
    CHECK(f.push.can_send());
    CHECK_FALSE(send_frame(f.push, "2", true));
    CHECK_FALSE(send_frame(f.push, "3", false));
    CHECK_FALSE(send_message(f.push, {"next"}));
    CHECK(f[1].recv_all() == Messages{{"next"}});
}

TEST_CASE("LB-7: also when it was the only pipe") {
    Fixture f(1);
    REQUIRE_FALSE(send_frame(f.push, "1", true));
    f[0].leave();
    CHECK_FALSE(send_frame(f.push, "2", false));
    CHECK(send_message(f.push, {"next"}) == err::again);
}

TEST_CASE("LB-8: a pipe that goes unnoticed swallows the rest of its message") {
    Fixture f(2);
    REQUIRE_FALSE(send_frame(f.push, "1", true));
    f[0].far().close(); // its news does not arrive
    CHECK_FALSE(send_frame(f.push, "2", false));
    // The next message avoids it.
    CHECK_FALSE(send_message(f.push, {"a"}));
    CHECK_FALSE(send_message(f.push, {"b"}));
    CHECK(f[1].recv_all() == Messages{{"a"}, {"b"}});
}

TEST_CASE("LB-4: a message under way stays with its pipe while others come and go") {
    for (size_t writing = 0; writing < 4; ++writing) {
        for (size_t leaving = 0; leaving < 4; ++leaving) {
            if (leaving == writing) continue;
            Fixture f(4);
            for (size_t i = 0; i < writing; ++i) REQUIRE_FALSE(send_message(f.push, {"before"}));
            REQUIRE_FALSE(send_frame(f.push, "1", true));
            f[leaving].detach();
            f.add();
            REQUIRE_FALSE(send_frame(f.push, "2", false));
            CHECK(f[writing].recv_all() == Messages{{"1", "2"}});
            for (int i = 0; i < 4; ++i) REQUIRE_FALSE(send_message(f.push, {"next"}));
            for (size_t i = 0; i < 5; ++i)
                if (i != leaving) CHECK(f[i].recv_all().back() == Frames{"next"});
        }
    }
}

TEST_CASE("LB-11: room is reported while a pipe has it") {
    Fixture f(2, 1);
    CHECK(f.push.can_send());
    REQUIRE_FALSE(send_message(f.push, {"a"}));
    CHECK(f.push.can_send());
    REQUIRE_FALSE(send_message(f.push, {"b"}));
    CHECK_FALSE(f.push.can_send());
    CHECK_FALSE(f.push.can_send());
    (void)f[1].recv();
    CHECK(f.push.can_send());
}

TEST_CASE("PP-6: what waits for a peer that goes is closed with its pipe") {
    CountedBodies bodies;
    {
        Fixture f(1);
        REQUIRE_FALSE(f.push.send(*bodies.frame()));
        REQUIRE_FALSE(f.push.send(*bodies.frame(true)));
        f[0].detach();
    }
    CHECK(bodies.given_back() == 2);
}

TEST_CASE("PUSH receives nothing") {
    Fixture f(1);
    Message frame;
    CHECK(f.push.recv(frame) == err::not_supported);
    CHECK_FALSE(f.push.can_recv());
}

TEST_CASE("random pipes, room and messages: every message arrives whole, once, in order") {
    const unsigned seed = GENERATE(1u, 2u, 3u);
    std::mt19937 random(seed);
    Fixture f(0);
    std::vector<int> last_seen;
    int sent = 0, received = 0, lost_with_pipes = 0;
    bool right = true;
    const auto take_one = [&](size_t at) {
        const Frames got = f[at].recv();
        if (got.empty()) return false;
        for (const std::string &frame : got) right &= frame == got[0];
        const int number = std::stoi(got[0]);
        right &= number > last_seen[at] && got.size() == size_t(1 + number % 3);
        last_seen[at] = number;
        ++received;
        return true;
    };
    for (int step = 0; step < 20000 && right; ++step) {
        const auto choice = random() % 20;
        if (choice == 0 && f.peers.size() < 6) {
            f.add(int(random() % 4));
            last_seen.push_back(-1);
        } else if (choice == 1 && !f.peers.empty()) {
            const size_t at = random() % f.peers.size();
            f[at].detach();
            while (take_one(at)) ++lost_with_pipes; // still there, but counted
            f.peers.erase(f.peers.begin() + long(at));
            last_seen.erase(last_seen.begin() + long(at));
        } else if (choice < 11) {
            const Frames frames(size_t(1 + sent % 3), std::to_string(sent));
            const Error error = send_message(f.push, frames);
            bool any_room = false;
            for (const auto &peer : f.peers) any_room |= peer->pipe().check_write();
            if (!error)
                ++sent;
            else
                right &= error == err::again && !any_room;
        } else if (!f.peers.empty()) {
            (void)take_one(random() % f.peers.size());
        }
    }
    for (size_t at = 0; at < f.peers.size(); ++at)
        while (take_one(at)) {
        }
    CHECK(right);
    CHECK(received == sent);
    CHECK(sent > 1000);
}

TEST_CASE("Room is that of all pipes together, and at least one where a message may be sent") {
    Fixture f(2, 3);
    CHECK(f.push.room(100) == 6);
    CHECK(f.push.room(4) >= 4);
    for (int i = 0; i < 5; ++i) REQUIRE_FALSE(send_message(f.push, {"x"}));
    CHECK(f.push.room(100) == 1);
    REQUIRE_FALSE(send_message(f.push, {"x"}));
    CHECK(f.push.room(100) == 0);
    CHECK(Fixture(0).push.room(100) == 0);
    CHECK(Fixture(1).push.room(100) == 100); // no limit
}
