#include "base/body_pool.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

using namespace tern;

namespace {

struct Taken {
    uint8_t *memory;
    size_t size;
    BodyPool::SizeClass size_class;
};

// The memory is all there, and 16 bytes is what it is aligned to.
Taken take(size_t size, int pattern) {
    Taken taken{nullptr, size, 0};
    taken.memory = static_cast<uint8_t *>(BodyPool::take(size, taken.size_class));
    REQUIRE(taken.memory);
    REQUIRE(reinterpret_cast<uintptr_t>(taken.memory) % 16 == 0);
    std::memset(taken.memory, pattern, size);
    return taken;
}

void give(const Taken &taken, int pattern) {
    const auto is_whole = [&](uint8_t byte) { return byte == uint8_t(pattern); };
    REQUIRE(std::all_of(taken.memory, taken.memory + taken.size, is_whole));
    BodyPool::give(taken.memory, taken.size_class);
}

} // namespace

TEST_CASE("body pool: each size is all there, around the borders of its classes") {
    for (size_t border = 64; border <= 2 * BodyPool::size_max; border *= 2) {
        for (const size_t size : {border - 1, border, border + 1, border * 3 / 2 - 1,
                                  border * 3 / 2, border * 3 / 2 + 1}) {
            std::vector<Taken> taken;
            for (int i = 0; i < 70; ++i) taken.push_back(take(size, i));
            for (int i = 0; i < 70; ++i) give(taken[size_t(i)], i);
            for (int i = 0; i < 70; ++i) taken[size_t(i)] = take(size, i + 1);
            for (int i = 0; i < 70; ++i) give(taken[size_t(i)], i + 1);
        }
    }
}

TEST_CASE("body pool: large bodies are all there, some are used again, and none is mixed up") {
    const size_t sizes[] = {BodyPool::size_max + 1, 100000,  1 << 20, (1 << 20) + 24,
                            BodyPool::large_max,    BodyPool::large_max + 1};
    for (int round = 0; round < 3; ++round) {
        std::vector<Taken> taken;
        for (const size_t size : sizes)
            for (int i = 0; i < 3; ++i) taken.push_back(take(size, i + round));
        for (size_t i = 0; i < taken.size(); ++i) give(taken[i], int(i % 3) + round);
    }
}

TEST_CASE("body pool: a large body that was given back is the next of its size") {
    if (!BodyPool::is_pooling) return;
    // Whatever other tests have left there is held meanwhile, so that there is room.
    std::vector<std::pair<void *, BodyPool::SizeClass>> held;
    for (size_t size = BodyPool::size_max * 3 / 2; size <= BodyPool::large_max; size += size / 3)
        for (size_t bytes = 0; bytes < 8 << 20; bytes += size) {
            BodyPool::SizeClass size_class;
            void *const memory = BodyPool::take(size, size_class);
            REQUIRE(memory);
            held.emplace_back(memory, size_class);
        }
    const Taken first = take(1 << 20, 1);
    give(first, 1);
    const Taken second = take(1 << 20, 2);
    CHECK(second.memory == first.memory);
    give(second, 2);
    for (const auto &[memory, size_class] : held) BodyPool::give(memory, size_class);
}

TEST_CASE("body pool: a class is right for the sizes that get it, and for no others") {
    if (!BodyPool::is_pooling) return;
    for (const size_t size : {size_t(1), size_t(97), size_t(4000), size_t(70000)}) {
        const Taken taken = take(size, 1);
        CHECK(BodyPool::is_for(size, taken.size_class));
        CHECK_FALSE(BodyPool::is_for(size * 2 + 96, taken.size_class));
        CHECK_FALSE(BodyPool::is_for(size, BodyPool::unpooled));
        give(taken, 1);
    }
    CHECK_FALSE(BodyPool::is_for(BodyPool::large_max + 1, 0));
}

TEST_CASE("body pool: taking and giving in turn, at every fill of the thread's store") {
    for (const size_t size : {size_t(1), size_t(500), size_t(9000), BodyPool::size_max}) {
        std::vector<Taken> taken;
        for (int fill = 0; fill < 100; ++fill) {
            taken.push_back(take(size, 1));
            for (int i = 0; i < 3; ++i) {
                give(taken.back(), 1);
                taken.back() = take(size, 1);
            }
        }
        while (!taken.empty()) {
            give(taken.back(), 1);
            taken.pop_back();
            const Taken one = take(size, 2), two = take(size, 3);
            give(one, 2);
            give(two, 3);
        }
    }
}

namespace {

// All at once: what a thread does not keep goes to the depot and comes from there.
void pass(size_t size, int count) {
    std::vector<std::pair<void *, BodyPool::SizeClass>> taken(static_cast<size_t>(count));
    for (auto &[memory, size_class] : taken) REQUIRE((memory = BodyPool::take(size, size_class)));
    for (const auto &[memory, size_class] : taken) BodyPool::give(memory, size_class);
}

using Clock = std::chrono::steady_clock;

// Two such bodies stay with the thread, the other eight are half a megabyte in the depot.
bool can_empty_the_depots() {
    for (const auto end = Clock::now() + std::chrono::seconds(60); BodyPool::kept() > 1 << 20;) {
        if (Clock::now() > end) return false;
        pass(BodyPool::size_max, 10);
    }
    return true;
}

} // namespace

TEST_CASE("body pool: what a jam has left goes back while another size is used") {
    if (!BodyPool::is_pooling) return;
    CHECK(can_empty_the_depots());
    pass(3000, 2000);
    pass(1 << 20, 6);
    CHECK(BodyPool::kept() > 7 << 20);
    CHECK(can_empty_the_depots());
}

TEST_CASE("body pool: what is used again and again is kept") {
    if (!BodyPool::is_pooling) return;
    REQUIRE(can_empty_the_depots());
    size_t least = SIZE_MAX;
    // Some inspections long. Of 3.5 MiB with what the sizes are rounded to, a little stays with the thread.
    for (const auto end = Clock::now() + std::chrono::seconds(3); Clock::now() < end;) {
        for (const size_t size : {100, 3000, 40000}) pass(size, (1 << 20) / int(size));
        least = std::min(least, BodyPool::kept());
    }
    CHECK(least > 3400 * 1024);
}

TEST_CASE("body pool: what one thread takes and another gives back is used again") {
    const size_t size = GENERATE(300, 3000, 40000);
    std::vector<Taken> taken(200);
    for (int round = 0; round < 20; ++round) {
        std::thread([&] {
            for (Taken &one : taken) one.memory = static_cast<uint8_t *>(BodyPool::take(size, one.size_class));
        }).join();
        for (Taken &one : taken) {
            REQUIRE(one.memory);
            std::memset(one.memory, round, size);
        }
        std::thread([&] {
            for (Taken &one : taken) BodyPool::give(one.memory, one.size_class);
        }).join();
    }
}

TEST_CASE("body pool: jams of all sizes leave no more than the limits") {
    for (size_t size = 50; size <= 2 * BodyPool::large_max; size += size / 3)
        pass(size, int((20 << 20) / size) + 1);
    CHECK(BodyPool::kept() <= (20 * 2 + 8) << 20);
}
