#include "os/biased_lock.hpp"

#include "os/clock.hpp"
#include "os/wait_word.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <sched.h>
#include <thread>
#include <vector>

using namespace tern;

namespace {

constexpr int enough_for_bias = 80; // acquisitions in a row; the lock wants 64 after the first

// Whether the system's fences may be used: without them the lock never leans to anybody.
class FencesAre {
  public:
    explicit FencesAre(bool unequal) : before_(fences_are_unequal()) {
        prepare_fences(); // says no where the system has none: both cases are the same then
        if (!unequal) detail::fences_are_unequal = false;
    }
    ~FencesAre() { detail::fences_are_unequal = before_; }

  private:
    const bool before_;
};

// What the lock guards: plain, so that a second holder loses counts, and is a data race. It makes
// no fence of its own, which would hide a missing one.
struct Guarded {
    BiasedLock lock;
    uint64_t count = 0;
    uint64_t same = 0;
    bool broken = false;

    // Between the two counts it stays for a while, if told to: a second holder finds them apart.
    void add(int times = 1, int pauses = 0) {
        for (; times > 0; --times) {
            std::lock_guard<BiasedLock> guard(lock);
            broken |= count != same;
            ++count;
            std::atomic_signal_fence(std::memory_order_seq_cst);
            for (int i = 0; i < pauses; ++i) pause_core();
            std::atomic_signal_fence(std::memory_order_seq_cst);
            ++same;
        }
    }
};

// Only a thread that is lost for good makes this end.
class Patience {
  public:
    bool is_over() const { return now_ns() > limit_; }

  private:
    const Nanoseconds limit_ = now_ns() + 30000 * ns_per_ms;
};

template <class Condition>
bool wait_until(Condition condition) {
    const Patience patience;
    while (!condition()) {
        if (patience.is_over()) return false;
        ::sched_yield();
    }
    return true;
}

} // namespace

TEST_CASE("a thread alone locks and unlocks, however often") {
    const FencesAre fences(GENERATE(true, false));
    Guarded guarded;
    guarded.add(100000);
    CHECK(guarded.count == 100000);
    CHECK_FALSE(guarded.broken);
}

TEST_CASE("a thread that comes later sees what the favourite did, and the other way round") {
    const FencesAre fences(GENERATE(true, false));
    Guarded guarded;
    for (int round = 0; round < 20; ++round) {
        guarded.add(enough_for_bias);
        uint64_t seen = 0;
        std::thread([&] {
            guarded.add();
            seen = guarded.count;
        }).join();
        CHECK(seen == uint64_t(round + 1) * (enough_for_bias + 1));
    }
}

TEST_CASE("one favourite and a rare other exclude each other") {
    const FencesAre fences(GENERATE(true, false));
    // Between two visits the favourite gets the lock back; or it is only about to.
    const int between = GENERATE(30, 100, 1000);
    constexpr int visits = 750;
    Guarded guarded;
    std::atomic<uint64_t> favourites{0};
    std::atomic<bool> ended{false};
    std::thread favourite([&] {
        uint64_t mine = 0;
        while (!ended.load(std::memory_order_relaxed)) {
            guarded.add();
            favourites.store(++mine, std::memory_order_relaxed);
        }
    });
    bool lost = false;
    for (int i = 0; i < visits && !lost; ++i) {
        const uint64_t next = favourites.load(std::memory_order_relaxed) + uint64_t(between);
        lost = !wait_until([&] { return favourites.load(std::memory_order_relaxed) >= next; });
        guarded.add(1 + i % 3, i % 100);
    }
    ended = true;
    favourite.join();
    CHECK_FALSE(lost);
    CHECK(guarded.count == favourites + visits * 2);
    CHECK_FALSE(guarded.broken);
}

TEST_CASE("many equal threads exclude each other") {
    const FencesAre fences(GENERATE(true, false));
    const int threads_count = GENERATE(2, 6);
    constexpr int rounds = 30000;
    Guarded guarded;
    std::atomic<int> arrived{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_count; ++t)
        threads.emplace_back([&] {
            ++arrived;
            while (arrived < threads_count) ::sched_yield();
            guarded.add(rounds);
        });
    for (std::thread &thread : threads) thread.join();
    CHECK(guarded.count == uint64_t(threads_count) * rounds);
    CHECK_FALSE(guarded.broken);
}

TEST_CASE("threads that come in bursts become the favourite one after another, seats or none") {
    const FencesAre fences(GENERATE(true, false));
    // All live at the same time, so no two share a name; the lock has seats for four.
    constexpr int threads_count = 7, turns = 20, burst = 3 * enough_for_bias;
    Guarded guarded;
    std::atomic<int> turn{0};
    std::atomic<int> lost{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_count; ++t)
        threads.emplace_back([&, t] {
            for (int i = t; i < turns * threads_count; i += threads_count) {
                lost += !wait_until([&] { return turn.load(std::memory_order_relaxed) >= i; });
                // The next one comes in the middle of this one's burst.
                guarded.add(burst / 2);
                turn.store(i + 1, std::memory_order_relaxed);
                guarded.add(burst / 2);
            }
        });
    for (std::thread &thread : threads) thread.join();
    CHECK(lost == 0);
    CHECK(guarded.count == uint64_t(threads_count) * turns * burst);
    CHECK_FALSE(guarded.broken);
}

TEST_CASE("threads that end leave the lock to those that start, under old names and new ones") {
    const FencesAre fences(GENERATE(true, false));
    constexpr int threads_count = 60, burst = 2 * enough_for_bias;
    Guarded guarded;
    std::vector<std::thread> alive;
    for (int t = 0; t < threads_count; ++t) {
        alive.emplace_back([&] { guarded.add(burst); });
        // The system reuses the names of ended threads; some stay so that new ones are needed.
        if (t % 4 == 3) {
            for (std::thread &thread : alive) thread.join();
            alive.clear();
        } else if (t % 4 == 1) {
            alive.back().join();
            alive.pop_back();
        }
    }
    guarded.add();
    CHECK(guarded.count == threads_count * burst + 1);
    CHECK_FALSE(guarded.broken);
}

TEST_CASE("who comes while the favourite is inside waits until it leaves, and gets in then") {
    const FencesAre fences(GENERATE(true, false));
    const int others_count = GENERATE(1, 3);
    constexpr int rounds = 300;
    // Kept by all, because a thread that is lost can only be left behind.
    struct Shared : Guarded {
        std::atomic<int> round{-1}, coming{0}, inside{0}, through{0};
        std::atomic<bool> given_up{false};
    };
    const auto shared = std::make_shared<Shared>();
    std::vector<std::thread> others;
    for (int t = 0; t < others_count; ++t)
        others.emplace_back([shared] {
            for (int i = 0; i < rounds; ++i) {
                while (shared->round.load() < i) {
                    if (shared->given_up.load()) return;
                    ::sched_yield();
                }
                ++shared->coming;
                shared->lock.lock();
                ++shared->inside;
                ++shared->count;
                shared->lock.unlock();
                ++shared->through;
            }
        });
    bool lost = false, early = false;
    for (int i = 0; i < rounds && !lost; ++i) {
        for (int k = 0; k < enough_for_bias; ++k) {
            std::lock_guard<BiasedLock> guard(shared->lock);
            ++shared->count;
        }
        shared->lock.lock(); // as the favourite
        shared->round = i;
        const int all = (i + 1) * others_count;
        lost = !wait_until([&] { return shared->coming == all; });
        // A while that ends before, at and after the moment when the other one goes to sleep; in
        // some rounds it surely sleeps. Nothing depends on it.
        for (int k = i % 150 * 4; k > 0; --k) pause_core();
        for (int k = i % 10 == 0 ? 200 : 0; k > 0; --k) ::sched_yield();
        early |= shared->inside != i * others_count;
        ++shared->count;
        shared->lock.unlock();
        // The favourite does not come back until they are through, so nothing else can wake them.
        lost |= !wait_until([&] { return shared->through == all; });
    }
    shared->given_up = lost;
    for (std::thread &thread : others) {
        if (lost) thread.detach();
        else thread.join();
    }
    CHECK_FALSE(early);
    REQUIRE_FALSE(lost);
    CHECK(shared->count == uint64_t(rounds) * uint64_t(enough_for_bias + 1 + others_count));
}

TEST_CASE("the short way in is the favourite's alone, and locks as the long one does") {
    const FencesAre fences(true);
    Guarded shared;
    CHECK(shared.lock.enter_as_favourite() == nullptr);
    for (int k = 0; k < enough_for_bias; ++k) {
        std::lock_guard<BiasedLock> guard(shared.lock);
        ++shared.count;
    }
    std::atomic<bool> is_done{false};
    uint64_t entered = 0, rounds = 0;
    std::thread other([&] {
        CHECK(shared.lock.enter_as_favourite() == nullptr);
        for (int i = 0; i < 2000; ++i) {
            shared.lock.lock();
            ++shared.count;
            shared.lock.unlock();
        }
        is_done = true;
    });
    while (!is_done || rounds < 100000) {
        ++rounds;
        if (BiasedLock::Seat *const seat = shared.lock.enter_as_favourite()) {
            ++entered;
            ++shared.count;
            shared.lock.leave(*seat);
        } else {
            std::lock_guard<BiasedLock> guard(shared.lock);
            ++shared.count;
        }
    }
    other.join();
    CHECK(shared.count == uint64_t(enough_for_bias) + 2000 + rounds);
    CHECK(entered > 0);
}

TEST_CASE("the favourite waits while another one is inside") {
    const FencesAre fences(GENERATE(true, false));
    constexpr int rounds = 100;
    struct Shared : Guarded {
        std::atomic<int> round{-1}, coming{-1}, entered{-1};
        std::atomic<bool> given_up{false};
    };
    const auto shared = std::make_shared<Shared>();
    std::thread favourite([shared] {
        for (int i = 0; i < rounds; ++i) {
            shared->add(enough_for_bias);
            shared->coming = i;
            while (shared->round.load() < i) {
                if (shared->given_up.load()) return;
                ::sched_yield();
            }
            shared->add();
            shared->entered = i;
        }
    });
    bool lost = false, early = false;
    for (int i = 0; i < rounds && !lost; ++i) {
        lost = !wait_until([&] { return shared->coming == i; });
        shared->lock.lock();
        const uint64_t before = shared->count;
        shared->round = i;
        for (int k = 0; k < 100; ++k) ::sched_yield();
        early |= shared->entered == i || shared->count != before;
        shared->lock.unlock();
        lost |= !wait_until([&] { return shared->entered == i; });
    }
    shared->given_up = lost;
    if (lost) favourite.detach();
    else favourite.join();
    CHECK_FALSE(early);
    REQUIRE_FALSE(lost);
    CHECK(shared->count == rounds * (enough_for_bias + 1));
}

TEST_CASE("a favourite from before the system changed its mind is still kept apart") {
    for (int round = 0; round < 200; ++round) {
        const FencesAre fences(true);
        Guarded guarded;
        std::atomic<bool> biased{false}, other_done{false};
        uint64_t favourites = 0;
        std::thread favourite([&] {
            for (; favourites < enough_for_bias; ++favourites) guarded.add();
            biased = true;
            for (; !other_done.load(std::memory_order_relaxed); ++favourites) guarded.add();
        });
        bool lost = !wait_until([&] { return biased.load(); });
        detail::fences_are_unequal = false; // as heavy_fence() does when the system refuses
        guarded.add(100);
        other_done = true;
        favourite.join();
        if (lost || guarded.broken || guarded.count != favourites + 100) FAIL("round " << round);
    }
}

TEST_CASE("two locks lean to two threads, and each thread visits the other's lock") {
    const FencesAre fences(GENERATE(true, false));
    constexpr int rounds = 300;
    Guarded guarded[2];
    std::thread threads[2];
    for (int t = 0; t < 2; ++t)
        threads[t] = std::thread([&guarded, t] {
            for (int i = 0; i < rounds; ++i) {
                guarded[t].add(enough_for_bias + i % 50);
                // One inside the other, always in the same order.
                std::lock_guard<BiasedLock> outer(guarded[0].lock);
                ++guarded[0].count;
                ++guarded[0].same;
                guarded[1].add();
            }
        });
    for (std::thread &thread : threads) thread.join();
    uint64_t own = 0;
    for (int i = 0; i < rounds; ++i) own += uint64_t(enough_for_bias + i % 50);
    CHECK(guarded[0].count == own + 2 * rounds);
    CHECK(guarded[1].count == own + 2 * rounds);
    CHECK_FALSE(guarded[0].broken);
    CHECK_FALSE(guarded[1].broken);
}
