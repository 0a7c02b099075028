// topic_trie: any sequence of operations leaves what a sorted map of the same topics would hold.
#include "support/fuzz.hpp"

#include "pattern/topic_trie.hpp"

#include <map>

namespace tern::fuzz {

namespace {

struct Value {
    int number = 0;
    bool empty() const { return number == 0; }
};

class Both {
  public:
    void set(Bytes topic, int number) {
        Value &value = trie_.at(topic);
        FUZZ_CHECK(value.number == expected(topic));
        value.number = number;
        model_[text(topic)] = number;
        if (number != 0) return;
        trie_.prune(topic);
        model_.erase(text(topic));
    }
    void find(Bytes topic) {
        const Value *value = trie_.find(topic);
        FUZZ_CHECK((value ? value->number : 0) == expected(topic));
    }
    void prune(Bytes topic) { trie_.prune(topic); } // of what is there: nothing changes
    void match(Bytes message, size_t visits_max) {
        std::vector<int> found, wanted;
        trie_.for_each_prefix(message, [&](Value &value) {
            found.push_back(value.number);
            return found.size() < visits_max;
        });
        for (size_t size = 0; size <= message.size() && wanted.size() < visits_max; ++size)
            if (const int number = expected(message.first(size))) wanted.push_back(number);
        FUZZ_CHECK(found == wanted);
    }
    // All with this number go, as when a peer leaves.
    void remove_everywhere(int number) {
        std::vector<std::string> emptied;
        trie_.for_each([&](Bytes topic, Value &value) {
            if (value.number != number) return;
            value.number = 0;
            emptied.push_back(text(topic));
        });
        for (const std::string &topic : emptied) {
            trie_.prune(Bytes(topic));
            FUZZ_CHECK(model_.erase(topic) == 1);
        }
        compare();
    }
    void compare() {
        auto next = model_.begin();
        trie_.for_each([&](Bytes topic, Value &value) {
            FUZZ_CHECK(next != model_.end() && next->first == text(topic) &&
                       next->second == value.number);
            ++next;
        });
        FUZZ_CHECK(next == model_.end());
    }

  private:
    int expected(Bytes topic) const {
        const auto it = model_.find(text(topic));
        return it == model_.end() ? 0 : it->second;
    }

    TopicTrie<Value> trie_;
    std::map<std::string, int> model_; // sorted as bytes are: char_traits compare as unsigned char
};

} // namespace

void run(Input input) {
    Both both;
    while (!input.is_empty()) {
        const uint8_t operation = input.byte();
        const int number = 1 + (operation >> 3) % 4;
        const Buffer topic = exact(operation % 8 == 7 ? Bytes() : input.chunk());
        switch (operation % 8) {
        case 0:
        case 1:
            both.set(view(topic), number);
            break;
        case 2:
            both.set(view(topic), 0);
            break;
        case 3:
            both.find(view(topic));
            break;
        case 4:
            both.prune(view(topic));
            break;
        case 5:
            both.match(view(topic), SIZE_MAX);
            break;
        case 6:
            both.match(view(topic), size_t(number));
            break;
        case 7:
            both.remove_everywhere(number);
            break;
        }
    }
    both.compare();
}

} // namespace tern::fuzz
