#include "pattern/topic_trie.hpp"

#include <catch2/catch.hpp>

#include <functional>
#include <map>
#include <pthread.h>
#include <random>

using namespace tern;

namespace {

// Counts itself, so that tests see how many nodes a trie has.
struct Value {
    Value() { ++alive; }
    Value(const Value &other) : number(other.number) { ++alive; }
    Value(Value &&other) noexcept : number(other.number) { ++alive; }
    Value &operator=(const Value &) = default;
    ~Value() { --alive; }
    bool empty() const { return number == 0; }
    int number = 0;
    static inline int alive = 0;
};

using Trie = TopicTrie<Value>;
using Model = std::map<std::string, int>;

std::vector<int> prefixes_of(Trie &trie, const std::string &text) {
    std::vector<int> found;
    trie.for_each_prefix(Bytes(text), [&](Value &value) {
        found.push_back(value.number);
        return true;
    });
    return found;
}

std::vector<int> prefixes_of(const Model &model, const std::string &text) {
    std::vector<int> found; // shortest first, as a walk meets them
    for (size_t n = 0; n <= text.size(); ++n) {
        const auto it = model.find(text.substr(0, n));
        if (it != model.end()) found.push_back(it->second);
    }
    return found;
}

Model entries_of(Trie &trie, bool &in_order) {
    Model entries;
    std::string last;
    trie.for_each([&](Bytes topic, Value &value) {
        const std::string text(topic.text());
        in_order &= entries.empty() || last < text;
        last = text;
        entries[text] = value.number;
    });
    return entries;
}

void remove(Trie &trie, const std::string &topic) {
    if (Value *value = trie.find(Bytes(topic))) value->number = 0;
    trie.prune(Bytes(topic));
}

// On a small stack, where anything that recurses along the trie falls over the edge.
void on_small_stack(std::function<void()> body) {
    pthread_attr_t attributes;
    REQUIRE(::pthread_attr_init(&attributes) == 0);
    REQUIRE(::pthread_attr_setstacksize(&attributes, 256 * 1024) == 0);
    pthread_t thread{};
    const auto run = [](void *argument) -> void * {
        (*static_cast<std::function<void()> *>(argument))();
        return nullptr;
    };
    REQUIRE(::pthread_create(&thread, &attributes, run, &body) == 0);
    ::pthread_join(thread, nullptr);
    ::pthread_attr_destroy(&attributes);
}

// Every prefix of a text of this length as a topic, each nested in the one before.
void nest(size_t depth) {
    bool right = true;
    on_small_stack([&] {
        const std::string text(depth, 'x');
        Trie trie;
        for (size_t n = depth; n > 0; --n) trie.at(Bytes(text.data(), n)).number = int(n);
        size_t visited = 0;
        trie.for_each_prefix(Bytes(text), [&](Value &value) {
            right &= value.number == int(++visited);
            return true;
        });
        right &= visited == depth;
        visited = 0;
        trie.for_each([&](Bytes topic, Value &value) {
            right &= topic.size() == ++visited && value.number == int(visited);
        });
        right &= visited == depth;
        remove(trie, text);
        right &= !trie.find(Bytes(text)) && trie.find(Bytes(text.data(), depth - 1));
        // The rest is left to the destructor.
    });
    CHECK(right);
}

} // namespace

TEST_CASE("an empty trie finds nothing") {
    Trie trie;
    CHECK(trie.find(Bytes()) == nullptr);
    CHECK(trie.find(Bytes("a")) == nullptr);
    CHECK(prefixes_of(trie, "abc").empty());
    trie.prune(Bytes());
    trie.prune(Bytes("abc"));
}

TEST_CASE("SUB-1: the empty topic is a prefix of everything, also of nothing") {
    Trie trie;
    trie.at(Bytes()).number = 7;
    CHECK(prefixes_of(trie, "") == std::vector<int>{7});
    CHECK(prefixes_of(trie, "abc") == std::vector<int>{7});
    remove(trie, "");
    CHECK(prefixes_of(trie, "abc").empty());
}

TEST_CASE("SUB-1: topics are binary and match as prefixes, shortest first") {
    using namespace std::string_literals;
    Trie trie;
    const Model topics{{"a"s, 1},         {"a\0"s, 2},  {"a\0\xff"s, 3},
                       {"a\0\xff\0"s, 4}, {"\xff"s, 5}, {"A"s, 6}};
    for (const auto &[topic, number] : topics) trie.at(Bytes(topic)).number = number;
    CHECK(prefixes_of(trie, "a\0\xff\0z"s) == std::vector<int>{1, 2, 3, 4});
    CHECK(prefixes_of(trie, "a\0\xfe"s) == std::vector<int>{1, 2});
    CHECK(prefixes_of(trie, "\xff\xff"s) == std::vector<int>{5});
    CHECK(prefixes_of(trie, "A"s) == std::vector<int>{6});
    CHECK(prefixes_of(trie, "b"s).empty());
    bool in_order = true;
    CHECK(entries_of(trie, in_order) == topics);
}

TEST_CASE("a part of an edge is no entry") {
    Trie trie;
    trie.at(Bytes("abcdef")).number = 1;
    trie.at(Bytes("abcxyz")).number = 2;
    CHECK(trie.find(Bytes("abc")) == nullptr);
    CHECK(trie.find(Bytes("ab")) == nullptr);
    CHECK(trie.find(Bytes("abcdefg")) == nullptr);
    CHECK(prefixes_of(trie, "abc").empty());
    trie.prune(Bytes("ab"));
    trie.prune(Bytes("abc"));
    REQUIRE(trie.find(Bytes("abcdef")));
    CHECK(trie.find(Bytes("abcdef"))->number == 1);
    CHECK(trie.find(Bytes("abcxyz"))->number == 2);
}

TEST_CASE("a walk ends when its visitor says so") {
    Trie trie;
    for (const char *topic : {"a", "ab", "abc"}) trie.at(Bytes(topic)).number = 1;
    int visited = 0;
    trie.for_each_prefix(Bytes("abcd"), [&](Value &) { return ++visited < 2; });
    CHECK(visited == 2);
}

TEST_CASE("pruning an entry gives its nodes back and joins what is left") {
    {
        Trie trie;
        const int empty_trie = Value::alive;
        trie.at(Bytes("abcdef")).number = 1;
        const int one_entry = Value::alive;
        trie.at(Bytes("abcxyz")).number = 2;
        remove(trie, "abcxyz");
        CHECK(Value::alive == one_entry);
        CHECK(trie.find(Bytes("abcdef"))->number == 1);
        // An entry asked for and left empty goes the same way.
        CHECK(trie.at(Bytes("abq")).empty());
        trie.prune(Bytes("abq"));
        CHECK(Value::alive == one_entry);
        remove(trie, "abcdef");
        CHECK(Value::alive == empty_trie);
    }
    CHECK(Value::alive == 0);
}

TEST_CASE("random work does what a map does") {
    const unsigned seed = GENERATE(1u, 2u, 3u, 20240229u);
    std::mt19937 random(seed);
    const char alphabet[] = {'a', 'b', '\0', '\xff'};
    const auto random_text = [&](size_t longest) {
        std::string text(random() % (longest + 1), ' ');
        // Mostly two letters, so that topics share prefixes.
        for (char &c : text) c = alphabet[random() % (random() % 8 ? 2 : 4)];
        return text;
    };
    {
        Trie trie;
        Model model;
        bool right = true;
        for (int step = 1; step <= 20000 && right; ++step) {
            const std::string topic = random_text(8);
            switch (random() % 4) {
            case 0:
                trie.at(Bytes(topic)).number = step;
                model[topic] = step;
                break;
            case 1:
                remove(trie, topic);
                model.erase(topic);
                break;
            case 2: {
                const Value *value = trie.find(Bytes(topic));
                const auto it = model.find(topic);
                right &= (value ? value->number : 0) == (it == model.end() ? 0 : it->second);
                break;
            }
            default:
                right &= prefixes_of(trie, topic) == prefixes_of(model, topic);
            }
            if (step % 500 == 0) {
                right &= entries_of(trie, right) == model;
                // A node without entry has two children or more, the root aside.
                right &= Value::alive <= 2 * int(model.size()) + 1;
            }
            if (!right) FAIL("seed " << seed << ", step " << step);
        }
        for (const auto &entry : model) remove(trie, entry.first);
        CHECK(Value::alive == 1);
    }
    CHECK(Value::alive == 0);
}

// Topics that share runs longer than a node holds, and nodes with every possible child.
TEST_CASE("random work with long and wide topics does what a map does") {
    const unsigned seed = GENERATE(5u, 6u, 7u);
    std::mt19937 random(seed);
    const auto random_text = [&] {
        std::string text;
        for (size_t parts = random() % 4; parts > 0; --parts) {
            text.append(random() % 3 ? 250 + random() % 12 : random() % 520, 'r');
            text.push_back(char(random() % 3 ? random() % 256 : random() % 3));
        }
        return text;
    };
    {
        Trie trie;
        Model model;
        bool right = true;
        for (int step = 1; step <= 2400 && right; ++step) {
            const std::string topic = random_text();
            auto some = model.lower_bound(random_text());
            switch (random() % 5) {
            case 0:
            case 1:
                trie.at(Bytes(topic)).number = step;
                model[topic] = step;
                break;
            case 2:
                if (some == model.end()) break;
                remove(trie, some->first);
                right &= !trie.find(Bytes(some->first));
                model.erase(some);
                break;
            case 3:
                remove(trie, topic);
                model.erase(topic);
                break;
            default: {
                const std::string text = some == model.end() ? topic : some->first + topic;
                right &= prefixes_of(trie, text) == prefixes_of(model, text);
            }
            }
            if (step % 500 == 0) right &= entries_of(trie, right) == model;
            if (step % 800 == 0) {
                const int modulus = 2 + int(random() % 3);
                trie.for_each([&](Bytes, Value &value) {
                    if (value.number % modulus) value.number = 0;
                });
                for (auto it = model.begin(); it != model.end();)
                    it = it->second % modulus ? model.erase(it) : std::next(it);
                right &= entries_of(trie, right) == model;
                right &= Value::alive == 1 + int(model.size()) - int(model.count(""));
            }
            if (!right) FAIL("seed " << seed << ", step " << step);
        }
        for (const auto &entry : model) remove(trie, entry.first);
        CHECK(Value::alive == 1);
    }
    CHECK(Value::alive == 0);
}

TEST_CASE("what a visitor empties is removed, with its nodes") {
    Trie trie;
    const Model topics{{"", 1}, {"a", 2}, {"abc", 3}, {"abd", 4}, {"abde", 5}, {"x", 6}};
    for (const auto &[topic, number] : topics) trie.at(Bytes(topic)).number = number;
    trie.for_each([](Bytes, Value &value) {
        if (value.number != 4 && value.number != 6) value.number = 0;
    });
    bool in_order = true;
    CHECK(entries_of(trie, in_order) == Model{{"abd", 4}, {"x", 6}});
    CHECK(in_order);
    CHECK(Value::alive == 3); // the empty topic's is always there
    trie.for_each([](Bytes, Value &value) { value.number = 0; });
    CHECK(entries_of(trie, in_order).empty());
    CHECK(Value::alive == 1);
    trie.at(Bytes("abd")).number = 7;
    CHECK(prefixes_of(trie, "abd") == std::vector<int>{7});
}

TEST_CASE("100,000 random topics of 32 bytes need less than 60 bytes each, and give them back") {
    constexpr size_t count = 100000;
    std::mt19937_64 random(1);
    std::vector<std::string> topics(count, std::string(32, ' '));
    for (std::string &topic : topics)
        for (char &byte : topic) byte = "0123456789abcdef"[random() % 16];
    Trie trie;
    for (const std::string &topic : topics) trie.at(Bytes(topic)).number = 1;
    CHECK(trie.bytes() < 60 * count);
    size_t found = 0;
    for (const std::string &topic : topics) found += prefixes_of(trie, topic).size();
    CHECK(found == count);
    for (const std::string &topic : topics) remove(trie, topic);
    CHECK(trie.bytes() < count);
    for (const std::string &topic : topics) trie.at(Bytes(topic)).number = 1;
    trie.for_each([](Bytes, Value &value) { value.number = 0; });
    CHECK(trie.bytes() < count);
}

TEST_CASE("memory follows what is in use: few topics need little, changing sizes pile up nothing") {
    Trie trie;
    CHECK(trie.bytes() == 0);
    trie.at(Bytes("weather.berlin")).number = 1;
    CHECK(trie.bytes() <= 256);
    size_t most = 0;
    for (size_t size = 1; size < 1000; size += 5) {
        for (char last = 0; last < 100; ++last)
            trie.at(Bytes(std::string(size, 's') + last)).number = 1;
        most = std::max(most, trie.bytes());
        for (char last = 0; last < 100; ++last) remove(trie, std::string(size, 's') + last);
    }
    CHECK(most < 8192);
    CHECK(trie.bytes() < 1024);
}

TEST_CASE("a topic that is cut into ever more nodes stays bounded by its bytes") {
    Trie trie;
    const std::string huge(1 << 20, 'h');
    trie.at(Bytes(huge)).number = 1;
    CHECK(trie.bytes() < 2 * huge.size());
    for (size_t size = 1; size < 5000; ++size) trie.at(Bytes(huge.data(), size)).number = 1;
    CHECK(trie.bytes() < 2 * huge.size() + 5000 * 64);
    for (size_t size = 1; size < 5000; ++size) remove(trie, huge.substr(0, size));
    CHECK(trie.bytes() < 2 * huge.size());
    CHECK(prefixes_of(trie, huge) == std::vector<int>{1});
}

TEST_CASE("a topic of 1 MB is an entry like any other") {
    Trie trie;
    const std::string huge(1 << 20, 'h');
    on_small_stack([&] {
        trie.at(Bytes(huge)).number = 1;
        trie.at(Bytes(huge.data(), huge.size() / 2)).number = 2;
    });
    CHECK(prefixes_of(trie, huge) == std::vector<int>{2, 1});
    CHECK(trie.find(Bytes(huge.data(), huge.size() - 1)) == nullptr);
    remove(trie, huge);
    CHECK(prefixes_of(trie, huge) == std::vector<int>{2});
}

// The thread sanitizer needs more memory for each allocation than some machines have mappings for.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TERN_SMALL_MEMORY
#endif
#elif defined(__SANITIZE_THREAD__)
#define TERN_SMALL_MEMORY
#endif
#if defined(TERN_SMALL_MEMORY)
constexpr int nested_usually = 2000;
#else
constexpr int nested_usually = 10000;
#endif

TEST_CASE("thousands of nested topics do not overflow a small stack") { nest(nested_usually); }

// The same with the numbers of the brief; some 5 * 10^9 byte comparisons.
TEST_CASE("100,000 nested topics do not overflow a small stack", "[.slow]") { nest(100000); }
