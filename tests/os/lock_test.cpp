#include "os/lock.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

using namespace tern;

TEST_CASE("try_lock succeeds only while nobody holds the lock") {
    Lock lock;
    REQUIRE(lock.try_lock());
    CHECK_FALSE(lock.try_lock());
    bool other_got_it = true;
    std::thread([&] { other_got_it = lock.try_lock(); }).join();
    CHECK_FALSE(other_got_it);
    lock.unlock();
    REQUIRE(lock.try_lock());
    lock.unlock();
}

TEST_CASE("only one thread at a time is between lock and unlock") {
    constexpr int threads_count = 4, rounds = 20000;
    Lock lock;
    uint64_t counter = 0; // plain: a second holder loses counts, and is a data race
    std::vector<std::thread> threads;
    for (int t = 0; t < threads_count; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < rounds; ++i) {
                std::lock_guard<Lock> guard(lock);
                ++counter;
            }
        });
    for (std::thread &thread : threads) thread.join();
    CHECK(counter == uint64_t(threads_count) * rounds);
}

TEST_CASE("lock and try_lock exclude each other") {
    constexpr int rounds = 20000;
    Lock lock;
    int counter = 0, tried = 0;
    std::thread trier([&] {
        while (tried < rounds) {
            if (!lock.try_lock()) {
                std::this_thread::yield();
                continue;
            }
            ++counter;
            ++tried;
            lock.unlock();
        }
    });
    for (int i = 0; i < rounds; ++i) {
        lock.lock();
        ++counter;
        lock.unlock();
    }
    trier.join();
    CHECK(counter == 2 * rounds);
}

TEST_CASE("every thread that waits for a long-held lock gets it in the end") {
    constexpr int threads_count = 6;
    for (int round = 0; round < 20; ++round) {
        Lock lock;
        std::atomic<int> arrived{0};
        int got_it = 0;
        lock.lock();
        std::vector<std::thread> threads;
        for (int t = 0; t < threads_count; ++t)
            threads.emplace_back([&] {
                ++arrived;
                std::lock_guard<Lock> guard(lock);
                ++got_it;
            });
        while (arrived < threads_count) std::this_thread::yield();
        // Long enough for the waiters to give up spinning; nothing depends on it.
        for (int i = 0; i < 200; ++i) std::this_thread::yield();
        lock.unlock();
        for (std::thread &thread : threads) thread.join();
        CHECK(got_it == threads_count);
    }
}
