#include "os/random.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <thread>
#include <vector>

using namespace tern;

TEST_CASE("random numbers of one source hardly repeat, also for several threads") {
    constexpr int threads_count = 3, numbers_each = 1000;
    RandomNumbers source;
    std::vector<std::vector<uint32_t>> numbers(threads_count);
    std::vector<std::thread> threads;
    for (auto &own : numbers)
        threads.emplace_back([&source, &own] {
            for (int i = 0; i < numbers_each; ++i) own.push_back(source.next());
        });
    for (std::thread &thread : threads) thread.join();
    std::set<uint32_t> different;
    for (const auto &own : numbers) different.insert(own.begin(), own.end());
    // Among 3000 of 32 bits one pair is alike once in a thousand runs.
    CHECK(different.size() >= threads_count * numbers_each - 3);
}

TEST_CASE("two sources of random numbers do not begin alike") {
    std::set<uint32_t> first;
    for (int i = 0; i < 10; ++i) first.insert(RandomNumbers().next());
    CHECK(first.size() >= 9);
}
