#include "flow/waiting_room.hpp"

#include "flow/mailbox.hpp"
#include "flow/pipe.hpp"

#include <catch2/catch.hpp>
#include <poll.h>
#include <thread>
#include <vector>

using namespace tern;

namespace {

constexpr Nanoseconds long_time = 10 * 1000 * ns_per_ms;

bool is_readable(const Waker &waker) {
    pollfd item{waker.fd(), POLLIN, 0};
    return ::poll(&item, 1, 0) == 1;
}

} // namespace

TEST_CASE("CS-6: a wake-up between the announcement and the sleep is not lost") {
    WaitingRoom room;
    const uint32_t ticket = room.enter();
    CHECK(room.has_sleepers());
    room.wake();
    const Nanoseconds begin = now_ns();
    room.sleep(ticket, never);
    CHECK(now_ns() - begin < long_time);
    room.leave();
    CHECK_FALSE(room.has_sleepers());
}

TEST_CASE("TMO-1: a sleep ends at its time") {
    WaitingRoom room;
    const uint32_t ticket = room.enter();
    const Nanoseconds begin = now_ns();
    room.sleep(ticket, 20 * ns_per_ms);
    CHECK(now_ns() - begin >= 20 * ns_per_ms);
    room.leave();
}

TEST_CASE("CS-6: one wake-up reaches everybody") {
    WaitingRoom room;
    std::atomic<int> entered{0};
    std::atomic<bool> changed{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (bool announced = false; !changed; announced = true) {
                const uint32_t ticket = room.enter();
                if (!announced) ++entered;
                if (!changed) room.sleep(ticket, never);
                room.leave();
            }
        });
    while (entered < 4) std::this_thread::yield();
    changed = true;
    room.wake();
    for (std::thread &thread : threads) thread.join();
    CHECK_FALSE(room.has_sleepers());
}

TEST_CASE("CS-6: takers that look, announce, look and sleep miss nothing") {
    constexpr int items = 20000, takers = 3;
    WaitingRoom room;
    Lock lock;
    int there = 0;
    std::atomic<int> left{items};
    const auto take = [&] {
        lock.lock();
        const bool any = there > 0;
        if (any) --there;
        lock.unlock();
        if (any && --left == 0) room.wake();
        return any;
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < takers; ++i)
        threads.emplace_back([&] {
            while (left > 0) {
                if (take()) continue;
                const uint32_t ticket = room.enter();
                if (!take() && left > 0) room.sleep(ticket, never);
                room.leave();
            }
        });
    for (int i = 0; i < items; ++i) {
        lock.lock();
        ++there;
        lock.unlock();
        room.wake();
    }
    for (std::thread &thread : threads) thread.join();
    CHECK(left == 0);
}

TEST_CASE("A watch is signalled once each time it was armed") {
    WaitingRoom room;
    const auto watch = std::make_shared<Waker>(), other = std::make_shared<Waker>();
    REQUIRE_FALSE(watch->open());
    REQUIRE_FALSE(other->open());
    room.add_watch(watch);
    room.add_watch(other);
    room.wake();
    CHECK_FALSE(is_readable(*watch));
    room.arm(*watch);
    room.wake();
    CHECK(is_readable(*watch));
    CHECK_FALSE(is_readable(*other));
    CHECK(watch->drain());
    room.wake();
    CHECK_FALSE(is_readable(*watch));
    room.arm(*watch);
    room.arm(*other);
    room.remove_watch(*watch);
    room.wake();
    CHECK_FALSE(is_readable(*watch));
    CHECK(is_readable(*other));
}

TEST_CASE("A shared mailbox wakes its room for news and for changes") {
    Mailbox *mailbox = new Mailbox;
    CHECK(mailbox->room() == nullptr);
    mailbox->share();
    REQUIRE(mailbox->room());
    const auto watch = std::make_shared<Waker>();
    REQUIRE_FALSE(watch->open());
    mailbox->room()->add_watch(watch);
    mailbox->room()->arm(*watch);
    mailbox->wake();
    CHECK(watch->drain());
    PipePair *pair = PipePair::create(true);
    pair->near_end().set_mailbox(mailbox);
    mailbox->room()->arm(*watch);
    pair->near_end().notify(Pipe::readable);
    CHECK(watch->drain());
    CHECK(mailbox->take_news() == &pair->near_end());
    pair->near_end().release();
    pair->far_end().release();
    mailbox->drop_reference();
}
