#include "pattern/pipe_set.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <set>

using namespace tern;

namespace {

// Addresses only; the set does not look at the pipes.
struct Places {
    Pipe &operator[](size_t i) { return *reinterpret_cast<Pipe *>(&words[i]); }
    uint64_t words[64] = {};
};

std::set<Pipe *> members(const PipeSet &set, size_t *count) {
    std::set<Pipe *> found;
    *count = 0;
    set.for_each([&](Pipe &pipe) {
        found.insert(&pipe);
        ++*count;
    });
    return found;
}

} // namespace

TEST_CASE("a set of one pipe") {
    Places pipes;
    PipeSet set;
    CHECK(set.empty());
    CHECK_FALSE(set.erase(pipes[0]));
    CHECK(set.insert(pipes[0]));
    CHECK_FALSE(set.insert(pipes[0]));
    CHECK_FALSE(set.erase(pipes[1]));
    CHECK_FALSE(set.empty());
    PipeSet moved(std::move(set));
    CHECK(moved.erase(pipes[0]));
    CHECK(moved.empty());
}

TEST_CASE("a set of pipes has each once, whatever comes and goes") {
    static_assert(sizeof(PipeSet) == sizeof(void *), "of which there are many");
    std::mt19937 random(1);
    Places pipes;
    PipeSet set;
    std::set<Pipe *> model;
    for (int step = 0; step < 5000; ++step) {
        // Phases in which it grows and shrinks.
        Pipe &pipe = pipes[random() % 64];
        const bool grows = (step / 200) % 2 == 0 ? random() % 4 != 0 : random() % 4 == 0;
        const bool changed = grows ? set.insert(pipe) : set.erase(pipe);
        REQUIRE(changed == (grows ? model.insert(&pipe).second : model.erase(&pipe) == 1));
        REQUIRE(set.empty() == model.empty());
        size_t count;
        REQUIRE(members(set, &count) == model);
        REQUIRE(count == model.size());
    }
    // The rest is left to the destructor.
}
