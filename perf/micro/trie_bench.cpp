// The tree of topics: filing topics of 32 random-looking bytes, and looking up what a message
// matches when it matches none, or one of them. The argument is the number of topics.
#include "pattern/topic_trie.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

using namespace tern;

namespace {

constexpr size_t topic_size = 32;

struct Count {
    int number = 0;
    bool empty() const { return number == 0; }
};

std::vector<std::string> random_topics(size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::vector<std::string> topics(count, std::string(topic_size, ' '));
    for (std::string &topic : topics)
        for (char &byte : topic) byte = "0123456789abcdef"[random() % 16];
    return topics;
}

void fill(TopicTrie<Count> &trie, const std::vector<std::string> &topics) {
    for (const std::string &topic : topics) ++trie.at(Bytes(topic)).number;
}

void trie_add(benchmark::State &state) {
    const auto topics = random_topics(size_t(state.range(0)), 1);
    for (auto step : state) {
        auto trie = std::make_unique<TopicTrie<Count>>();
        fill(*trie, topics);
        state.PauseTiming(); // the destructor is not what is measured
        trie.reset();
        state.ResumeTiming();
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(trie_add)->Arg(100)->Arg(100000);

void look_up(benchmark::State &state, const std::vector<std::string> &topics,
             const std::vector<std::string> &texts) {
    TopicTrie<Count> trie;
    fill(trie, topics);
    size_t at = 0;
    int found = 0;
    for (auto step : state) {
        trie.for_each_prefix(Bytes(texts[at]), [&](Count &) { return ++found, true; });
        at = at + 1 == texts.size() ? 0 : at + 1;
    }
    benchmark::DoNotOptimize(found);
}

void trie_match_none(benchmark::State &state) {
    look_up(state, random_topics(size_t(state.range(0)), 1), random_topics(1000, 2));
}
BENCHMARK(trie_match_none)->Arg(1)->Arg(1000)->Arg(100000);

void trie_match_one(benchmark::State &state) {
    const auto topics = random_topics(size_t(state.range(0)), 1);
    look_up(state, topics,
            {topics.begin(), topics.begin() + long(std::min<size_t>(1000, topics.size()))});
}
BENCHMARK(trie_match_one)->Arg(1)->Arg(1000)->Arg(100000);

} // namespace
