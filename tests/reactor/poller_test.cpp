// The same cases on every poller that this system can build.
#include "reactor/poller.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <set>
#include <stdexcept>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tern;

namespace {

constexpr Nanoseconds patience = 20000 * ns_per_ms;

struct SocketPair {
    SocketPair() {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
            throw std::runtime_error("no socketpair");
        ours.reset(ends[0]);
        theirs.reset(ends[1]);
    }
    void send_ours(size_t bytes = 1) {
        const std::vector<char> data(bytes);
        if (::write(theirs.get(), data.data(), bytes) != ssize_t(bytes))
            throw std::runtime_error("write");
    }
    void read_all() {
        char sink[4096];
        while (::read(ours.get(), sink, sizeof sink) > 0) {
        }
    }
    void fill() {
        const char data[4096] = {};
        while (::write(ours.get(), data, sizeof data) > 0) {
        }
    }
    void drain_theirs() {
        char sink[65536];
        while (::read(theirs.get(), sink, sizeof sink) > 0) {
        }
    }
    Fd ours, theirs;
};

template <class Poller>
std::vector<PollEvent> wait(Poller &poller, Nanoseconds timeout = 0, int capacity = 64) {
    std::vector<PollEvent> events(static_cast<size_t>(capacity));
    const int n = poller.wait(events.data(), capacity, timeout);
    events.resize(n > 0 ? size_t(n) : 0);
    return events;
}

// What is reported about this id, 0 for nothing.
template <class Poller>
unsigned ready_of(Poller &poller, uint64_t id, Nanoseconds timeout = 0) {
    unsigned bits = 0;
    for (const PollEvent &event : wait(poller, timeout))
        if (event.id == id) bits |= event.ready;
    return bits;
}

} // namespace

#define POLLERS EpollPoller, PollPoller

TEMPLATE_TEST_CASE("nothing watched, nothing reported, and the timeout is kept", "", POLLERS) {
    TestType poller;
    CHECK_FALSE(poller.is_open());
    REQUIRE_FALSE(poller.open());
    CHECK(poller.is_open());
    CHECK(wait(poller).empty());
    const Nanoseconds before = now_ns();
    CHECK(wait(poller, 3 * ns_per_ms).empty());
    CHECK(now_ns() - before >= 3 * ns_per_ms);
}

TEMPLATE_TEST_CASE("reading and writing are reported with the id, as long as they last", "",
                   POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair pair;
    const uint64_t id = 0x123456789abcdef0;
    REQUIRE_FALSE(poller.add(pair.ours.get(), id, ready::read));
    CHECK(wait(poller).empty());
    pair.send_ours();
    for (int i = 0; i < 3; ++i) CHECK(ready_of(poller, id) == ready::read);
    pair.read_all();
    CHECK(wait(poller).empty());
    REQUIRE_FALSE(poller.modify(pair.ours.get(), id, ready::read | ready::write));
    CHECK(ready_of(poller, id) == ready::write);
    pair.send_ours();
    CHECK(ready_of(poller, id) == (ready::read | ready::write));
    pair.fill();
    CHECK(ready_of(poller, id) == ready::read);
}

TEMPLATE_TEST_CASE("interest can change, also to none and back, and the id with it", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair pair;
    pair.send_ours();
    REQUIRE_FALSE(poller.add(pair.ours.get(), 1, 0));
    CHECK(wait(poller).empty());
    REQUIRE_FALSE(poller.modify(pair.ours.get(), 2, ready::read));
    CHECK(ready_of(poller, 2) == ready::read);
    REQUIRE_FALSE(poller.modify(pair.ours.get(), 2, 0));
    CHECK(wait(poller).empty());
    REQUIRE_FALSE(poller.modify(pair.ours.get(), 3, ready::write));
    CHECK(ready_of(poller, 3) == ready::write);
}

TEMPLATE_TEST_CASE("what was removed is not reported, and can be added again", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair one, other;
    one.send_ours();
    other.send_ours();
    REQUIRE_FALSE(poller.add(one.ours.get(), 1, ready::read));
    REQUIRE_FALSE(poller.add(other.ours.get(), 2, ready::read));
    CHECK(wait(poller).size() == 2);
    poller.remove(one.ours.get());
    poller.remove(one.ours.get()); // twice: no harm
    const auto events = wait(poller);
    REQUIRE(events.size() == 1);
    CHECK(events[0].id == 2);
    REQUIRE_FALSE(poller.add(one.ours.get(), 3, ready::read));
    CHECK(ready_of(poller, 3) == ready::read);
}

TEMPLATE_TEST_CASE("a hang-up is reported, and what was sent before is still there", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair pair;
    REQUIRE_FALSE(poller.add(pair.ours.get(), 1, ready::read));
    pair.send_ours(3);
    pair.theirs.reset();
    CHECK((ready_of(poller, 1) & (ready::read | ready::hangup)) != 0);
    char sink[8];
    CHECK(::read(pair.ours.get(), sink, sizeof sink) == 3);
    CHECK((ready_of(poller, 1) & (ready::read | ready::hangup)) != 0);
}

TEMPLATE_TEST_CASE("a refused connection is reported to who waits for writing", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair pair;
    pair.fill();
    REQUIRE_FALSE(poller.add(pair.ours.get(), 1, ready::write));
    CHECK(wait(poller).empty());
    pair.theirs.reset();
    CHECK((ready_of(poller, 1, patience) & (ready::write | ready::hangup)) != 0);
}

TEMPLATE_TEST_CASE("an edge of reading is reported once, and again when there is more to read", "",
                   POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair pair;
    REQUIRE_FALSE(poller.add(pair.ours.get(), 1, ready::read | ready::edge));
    for (int i = 0; i < 3; ++i) {
        pair.send_ours();
        CHECK((ready_of(poller, 1, patience) & ready::read) != 0);
        CHECK(wait(poller).empty());
        pair.read_all();
        poller.rearm(pair.ours.get());
        CHECK(wait(poller).empty());
    }
}

TEMPLATE_TEST_CASE("data that comes between the last read and rearm is not missed", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair pair;
    REQUIRE_FALSE(poller.add(pair.ours.get(), 1, ready::read | ready::edge));
    pair.send_ours();
    REQUIRE(ready_of(poller, 1, patience) != 0);
    pair.read_all();
    pair.send_ours();
    poller.rearm(pair.ours.get());
    CHECK((ready_of(poller, 1, patience) & ready::read) != 0);
}

TEMPLATE_TEST_CASE("an edge of writing is reported again when room comes back", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair pair;
    REQUIRE_FALSE(poller.add(pair.ours.get(), 1, ready::read | ready::write | ready::edge));
    CHECK((ready_of(poller, 1, patience) & ready::write) != 0);
    for (int i = 0; i < 3; ++i) {
        pair.fill();
        // Whoever takes the report goes on until nothing is left, then calls rearm().
        poller.rearm(pair.ours.get());
        CHECK((ready_of(poller, 1) & ready::write) == 0);
        pair.drain_theirs();
        CHECK((ready_of(poller, 1, 2000 * ns_per_ms) & ready::write) != 0);
    }
}

TEMPLATE_TEST_CASE("an edge is reported again after a change of interest", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair pair;
    pair.send_ours();
    REQUIRE_FALSE(poller.add(pair.ours.get(), 1, ready::read | ready::edge));
    CHECK(ready_of(poller, 1, patience) != 0);
    CHECK(wait(poller).empty());
    REQUIRE_FALSE(poller.modify(pair.ours.get(), 1, ready::read | ready::edge));
    CHECK((ready_of(poller, 1, patience) & ready::read) != 0);
}

TEMPLATE_TEST_CASE("more ready descriptors than fit are all reported in the end", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    constexpr uint64_t count = 100;
    std::vector<SocketPair> pairs(count);
    const unsigned edge = GENERATE(0u, unsigned(ready::edge));
    for (uint64_t i = 0; i < count; ++i) {
        pairs[i].send_ours();
        REQUIRE_FALSE(poller.add(pairs[i].ours.get(), i, ready::read | edge));
    }
    std::set<uint64_t> seen;
    // Read by whom it is reported, as a loop does.
    for (int round = 0; round < 100 && seen.size() < count; ++round) {
        const auto events = wait(poller, 0, 16);
        CHECK(events.size() <= 16);
        for (const PollEvent &event : events) {
            seen.insert(event.id);
            pairs[event.id].read_all();
            poller.rearm(pairs[event.id].ours.get());
        }
    }
    CHECK(seen.size() == count);
}

TEMPLATE_TEST_CASE("no ready descriptor is kept waiting by others that stay ready", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    constexpr uint64_t count = 40;
    std::vector<SocketPair> pairs(count);
    for (uint64_t i = 0; i < count; ++i) {
        pairs[i].send_ours();
        REQUIRE_FALSE(poller.add(pairs[i].ours.get(), i, ready::read));
    }
    std::set<uint64_t> seen;
    for (int round = 0; round < 200; ++round)
        for (const PollEvent &event : wait(poller, 0, 8)) seen.insert(event.id);
    CHECK(seen.size() == count);
}

TEMPLATE_TEST_CASE("a wait sees what another thread adds, changes and rearms meanwhile", "",
                   POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    SocketPair added, changed, rearmed;
    REQUIRE_FALSE(poller.add(changed.ours.get(), 2, 0));
    REQUIRE_FALSE(poller.add(rearmed.ours.get(), 3, ready::read | ready::edge));
    for (SocketPair *pair : {&added, &changed, &rearmed}) pair->send_ours();
    REQUIRE(ready_of(poller, 3, patience) != 0);
    for (const uint64_t id : {uint64_t(1), uint64_t(2), uint64_t(3)}) {
        std::thread other([&] {
            if (id == 1) (void)poller.add(added.ours.get(), 1, ready::read);
            if (id == 2) (void)poller.modify(changed.ours.get(), 2, ready::read);
            // An edge is not reported for what was there; new data makes one with every poller.
            if (id == 3) rearmed.send_ours(), poller.rearm(rearmed.ours.get());
        });
        unsigned bits = 0;
        const Nanoseconds limit = now_ns() + patience;
        while (bits == 0 && now_ns() < limit) bits = ready_of(poller, id, patience);
        other.join();
        CHECK((bits & ready::read) != 0);
        if (id == 1) poller.remove(added.ours.get());
        if (id == 2) poller.remove(changed.ours.get());
    }
}

TEMPLATE_TEST_CASE("a signal handler ends a wait", "", POLLERS) {
    TestType poller;
    REQUIRE_FALSE(poller.open());
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = [](int) {};
    REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
    const pthread_t waiter = ::pthread_self();
    std::atomic<bool> done{false};
    std::thread other([&] {
        while (!done) {
            ::pthread_kill(waiter, SIGUSR1);
            std::this_thread::yield();
        }
    });
    PollEvent events[4];
    const int n = poller.wait(events, 4, patience);
    done = true;
    other.join();
    REQUIRE(::sigaction(SIGUSR1, &before, nullptr) == 0);
    CHECK(n == -1);
}

TEST_CASE("an epoll set inside another makes it readable") {
    EpollPoller inner, outer;
    REQUIRE_FALSE(inner.open());
    REQUIRE_FALSE(outer.open());
    REQUIRE(EpollPoller::can_nest);
    SocketPair pair;
    REQUIRE_FALSE(inner.add(pair.ours.get(), 1, ready::read));
    REQUIRE_FALSE(outer.add(inner.fd(), 2, ready::read));
    CHECK(wait(outer).empty());
    pair.send_ours();
    CHECK(ready_of(outer, 2) == ready::read);
    CHECK(ready_of(inner, 1) == ready::read);
    pair.read_all();
    CHECK(wait(outer).empty());
}

TEST_CASE("a descriptor that epoll can not watch is refused with its errno") {
    EpollPoller poller;
    REQUIRE_FALSE(poller.open());
    CHECK(poller.add(-1, 1, ready::read) == Error(EBADF));
    CHECK(poller.modify(-1, 1, ready::read) == Error(EBADF));
}
