// TopicTrie: values filed under byte-string prefixes, found by walking along a topic. A node holds
// a run of bytes, so that depth follows the number of branches, and lies in one block of a pool:
//
//     node = size(1) has-value(1) children(2) value? key*children byte*size pad handle*children
//
// The sorted keys are the first bytes that lead to the children; `size` bytes of the topic follow
// the key that led to the node. Longer runs are chains of nodes, so that no change moves more than
// one node's bytes whatever the topic's length. Every walk is a loop: a peer chooses the topics,
// and may not choose our stack depth. Threads: under the socket's turn. Owner: a pattern. Limit:
// that of the pool; memory follows the bytes in distinct topics.
#ifndef TERN_PATTERN_TOPIC_TRIE_HPP
#define TERN_PATTERN_TOPIC_TRIE_HPP

#include "base/bytes.hpp"
#include "pattern/topic_trie_pool.hpp"

#include <algorithm>
#include <new>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace tern {

// Value must be default-constructible and have `bool empty() const`: an empty value is no entry.
template <class Value>
class TopicTrie {
  public:
    TopicTrie() = default;
    ~TopicTrie() { destroy_values(); }
    TopicTrie(const TopicTrie &) = delete;
    TopicTrie &operator=(const TopicTrie &) = delete;

    // The value under exactly this topic; made empty when there was none. The caller must leave a
    // non-empty value there, or call prune(). Stays in place until another topic is added or
    // removed. Throws bad_alloc, and leaves everything as it was.
    Value &at(Bytes topic) {
        if (topic.empty()) return value_of_empty_;
        Handle *place = &root_;
        for (;;) {
            if (*place == none) {
                NewChain chain(pool_, topic);
                *place = chain.take();
                return *chain.value;
            }
            Node node(pool_, *place);
            const size_t common = common_length(node, topic);
            topic = topic.skip(common);
            if (common < node.prefix_size()) return split(*place, common, topic);
            if (topic.empty()) return node.has_value() ? node.value() : add_value(*place);
            const size_t child = node.find(topic[0]);
            if (child == node.count()) return add_child(*place, topic);
            place = node.child(child);
            topic = topic.skip(1);
        }
    }

    // Null when nothing is filed under exactly this topic.
    Value *find(Bytes topic) {
        Value *found = nullptr;
        size_t left = topic.size() + 1;
        walk(topic, [&](Value &value, Bytes rest) {
            found = &value;
            left = rest.size();
            return true;
        });
        return left == 0 && !found->empty() ? found : nullptr;
    }

    // Calls visit(value) for every entry whose topic is a prefix of `text`. Stops when it says
    // false.
    template <class Visit>
    void for_each_prefix(Bytes text, Visit visit) {
        walk(text, [&](Value &value, Bytes) { return value.empty() || visit(value); });
    }

    // Removes what holds nothing any more along this topic.
    void prune(Bytes topic) {
        if (topic.empty() || root_ == none) return;
        // The lowest node above the topic's own that stays, and where it leads on.
        Handle *keeper = nullptr;
        size_t keeper_child = 0;
        Handle *place = &root_;
        for (;;) {
            Node node(pool_, *place);
            if (common_length(node, topic) < node.prefix_size()) return;
            topic = topic.skip(node.prefix_size());
            if (topic.empty()) break;
            const size_t child = node.find(topic[0]);
            if (child == node.count()) return;
            if ((node.has_value() && !node.value().empty()) || node.count() > 1) {
                keeper = place;
                keeper_child = child;
            }
            place = node.child(child);
            topic = topic.skip(1);
        }
        Node node(pool_, *place);
        if (node.has_value() && !node.value().empty()) return;
        if (node.count() > 0) {
            tidy(*place);
            return;
        }
        Handle &dead = keeper ? *Node(pool_, *keeper).child(keeper_child) : root_;
        free_chain(dead);
        dead = none;
        if (!keeper) return;
        remove_child(*keeper, keeper_child);
        tidy(*keeper);
    }

    // Calls visit(topic, value) for every entry, in byte order. visit may empty the value, which
    // removes the entry, and must not change the trie otherwise. When it or the memory for the way
    // back throws, entries that were emptied stay, empty, until they are pruned.
    template <class Visit>
    void for_each(Visit visit) {
        struct Step {
            Handle node;
            uint32_t next_child;
            size_t topic_size;
            bool changed; // below here
        };
        std::string topic;
        std::vector<Step> path;
        if (!value_of_empty_.empty()) visit(Bytes(topic), value_of_empty_);
        const auto enter = [&](Handle handle) {
            Node node(pool_, handle);
            topic.append(reinterpret_cast<const char *>(node.prefix()), node.prefix_size());
            path.push_back({handle, 0, topic.size(), false});
            if (!node.has_value() || node.value().empty()) return;
            visit(Bytes(topic), node.value());
            path.back().changed = node.value().empty();
        };
        if (root_ != none) enter(root_);
        while (!path.empty()) {
            Step &step = path.back();
            Node node(pool_, step.node);
            if (step.next_child < node.count()) {
                topic.resize(step.topic_size);
                topic.push_back(static_cast<char>(node.keys()[step.next_child]));
                enter(*node.child(step.next_child++));
                continue;
            }
            const bool changed = step.changed;
            path.pop_back();
            if (!changed) continue;
            if (path.empty()) {
                tidy(root_);
                continue;
            }
            Step &above = path.back();
            const Handle old = above.node;
            Handle *const place = Node(pool_, old).child(above.next_child - 1);
            tidy(*place);
            if (*place != none) continue;
            above.changed = true;
            --above.next_child;
            remove_child(above.node, above.next_child);
            if (above.node == old) continue;
            if (path.size() == 1)
                root_ = above.node;
            else
                *Node(pool_, path[path.size() - 2].node)
                     .child(path[path.size() - 2].next_child - 1) = above.node;
        }
    }

    // Memory beyond the object itself; what values hold is not counted.
    size_t bytes() const { return pool_.bytes(); }

  private:
    using Handle = TopicTriePool::Handle;
    static constexpr Handle none = TopicTriePool::none;
    static constexpr size_t prefix_max = 255;
    static_assert(alignof(Value) <= 4 && sizeof(Value) <= 64,
                  "lies behind the four bytes of a head");

    // Where the parts of a node lie.
    class Node {
      public:
        Node(const TopicTriePool &pool, Handle handle) : at_(pool.at(handle)) {}
        static size_t bytes(bool has_value, size_t prefix_size, size_t count) {
            return handles_offset(has_value, prefix_size, count) + count * sizeof(Handle);
        }
        void set_head(bool has_value, size_t prefix_size, size_t count) {
            at_[0] = static_cast<uint8_t>(prefix_size);
            at_[1] = has_value;
            const auto count_16 = static_cast<uint16_t>(count);
            std::memcpy(at_ + 2, &count_16, sizeof count_16);
        }
        size_t prefix_size() const { return at_[0]; }
        bool has_value() const { return at_[1] != 0; }
        size_t count() const {
            uint16_t count;
            std::memcpy(&count, at_ + 2, sizeof count);
            return count;
        }
        size_t bytes() const { return bytes(has_value(), prefix_size(), count()); }
        uint8_t *value_place() const { return at_ + head_bytes; }
        Value &value() const { return *std::launder(reinterpret_cast<Value *>(value_place())); }
        uint8_t *keys() const { return at_ + keys_offset(has_value()); }
        uint8_t *prefix() const { return keys() + count(); }
        Handle *child(size_t index) const {
            return reinterpret_cast<Handle *>(at_ +
                                              handles_offset(has_value(), prefix_size(), count())) +
                   index;
        }
        // The first child whose key is not below `key`.
        size_t place_of(uint8_t key) const {
            return size_t(std::lower_bound(keys(), keys() + count(), key) - keys());
        }
        // count() when there is none. Keys without a gap, as of numbers, need one look; else eight
        // are looked at at a time.
        size_t find(uint8_t key) const {
            const size_t size = count();
            const uint8_t *const begin = keys();
            if (size == 0) return 0;
            const size_t gapless = uint8_t(key - begin[0]);
            if (gapless < size && begin[gapless] == key) return gapless;
            constexpr uint64_t ones = 0x0101010101010101u, low = 0x7f7f7f7f7f7f7f7fu;
            size_t i = 0;
            for (; i + 8 <= size; i += 8) {
                // The high bit of each byte that differs in none.
                const uint64_t differs = load_be64(begin + i) ^ key * ones;
                const uint64_t same = ~(((differs & low) + low) | differs | low);
                if (same) return i + size_t(__builtin_clzll(same)) / 8;
            }
            while (i < size && begin[i] != key) ++i;
            return i;
        }

      private:
        static constexpr size_t head_bytes = 4;
        static constexpr size_t keys_offset(bool has_value) {
            return head_bytes + (has_value ? sizeof(Value) : 0);
        }
        static constexpr size_t handles_offset(bool has_value, size_t prefix_size, size_t count) {
            return (keys_offset(has_value) + prefix_size + count + 3) & ~size_t(3);
        }
        uint8_t *at_;
    };
    static_assert(4 + sizeof(Value) + prefix_max + 3 + 256 * 5 <= TopicTriePool::block_bytes_max,
                  "the largest node has a block");

    // A node's parts apart from its value, to change them and store them again.
    struct Draft {
        Draft() = default;
        Draft(const TopicTriePool &pool, Handle handle) {
            const Node node(pool, handle);
            prefix_size = node.prefix_size();
            count = node.count();
            std::memcpy(prefix, node.prefix(), prefix_size);
            std::memcpy(keys, node.keys(), count);
            std::memcpy(children, node.child(0), count * sizeof(Handle));
        }
        void insert(size_t index, uint8_t key, Handle child) {
            std::copy_backward(keys + index, keys + count, keys + count + 1);
            std::copy_backward(children + index, children + count, children + count + 1);
            keys[index] = key;
            children[index] = child;
            ++count;
        }
        void erase(size_t index) {
            std::copy(keys + index + 1, keys + count, keys + index);
            std::copy(children + index + 1, children + count, children + index);
            --count;
        }
        void store(const TopicTriePool &pool, Handle handle, bool has_value) const {
            Node node(pool, handle);
            node.set_head(has_value, prefix_size, count);
            std::memcpy(node.prefix(), prefix, prefix_size);
            std::memcpy(node.keys(), keys, count);
            std::memcpy(node.child(0), children, count * sizeof(Handle));
        }
        size_t bytes(bool has_value) const { return Node::bytes(has_value, prefix_size, count); }
        size_t prefix_size = 0;
        size_t count = 0;
        uint8_t prefix[prefix_max];
        uint8_t keys[256];
        Handle children[256];
    };

    // Nodes for all bytes of a topic, with an empty value in the last; given back unless taken.
    class NewChain {
      public:
        NewChain(TopicTriePool &pool, Bytes topic) : pool_(pool) {
            // Built from the end, where the node has what does not fill the others and their keys.
            size_t begin = topic.size() - topic.size() % (prefix_max + 1);
            size_t end = topic.size();
            const Handle last = pool.make(Node::bytes(true, end - begin, 0));
            value = fill_last(last, topic.skip(begin));
            head_ = last;
            try {
                while (begin > 0) {
                    end = begin - 1;
                    begin = end - prefix_max;
                    const Handle handle = pool.make(Node::bytes(false, prefix_max, 1));
                    Node node(pool, handle);
                    node.set_head(false, prefix_max, 1);
                    node.keys()[0] = topic[end];
                    std::memcpy(node.prefix(), topic.data() + begin, prefix_max);
                    *node.child(0) = head_;
                    head_ = handle;
                }
            } catch (const std::bad_alloc &) {
                give_back();
                throw;
            }
        }
        NewChain(const NewChain &) = delete;
        NewChain &operator=(const NewChain &) = delete;
        ~NewChain() { give_back(); }
        Handle head() const { return head_; }
        Handle take() { return std::exchange(head_, none); }
        Value *value;

      private:
        Value *fill_last(Handle handle, Bytes rest) {
            Node node(pool_, handle);
            node.set_head(true, rest.size(), 0);
            if (!rest.empty()) std::memcpy(node.prefix(), rest.data(), rest.size());
            return new (node.value_place()) Value();
        }
        void give_back() {
            if (head_ != none) free_chain(pool_, head_);
            head_ = none;
        }
        TopicTriePool &pool_;
        Handle head_ = none;
    };

    // Calls visit(value, rest of the topic) at each value on the way, until it says false.
    template <class Visit>
    void walk(Bytes topic, Visit visit) {
        if (!visit(value_of_empty_, topic)) return;
        Handle handle = root_;
        if (handle == none) return;
        for (;;) {
            const Node node(pool_, handle);
            const size_t size = node.prefix_size();
            if (size > 0) {
                if (topic.size() < size || !is_same(node.prefix(), topic.data(), size)) return;
                topic = topic.skip(size);
            }
            if (node.has_value() && !visit(node.value(), topic)) return;
            if (topic.empty()) return;
            const size_t child = node.find(topic[0]);
            if (child == node.count()) return;
            handle = *node.child(child);
            topic = topic.skip(1);
        }
    }

    // Of sizes above 0; most prefixes are not worth a call.
    static bool is_same(const uint8_t *a, const uint8_t *b, size_t size) {
        const auto differs = [&](auto word) {
            decltype(word) first[2], last[2];
            const size_t at = size - sizeof word;
            std::memcpy(&first[0], a, sizeof word);
            std::memcpy(&first[1], b, sizeof word);
            std::memcpy(&last[0], a + at, sizeof word);
            std::memcpy(&last[1], b + at, sizeof word);
            return ((first[0] ^ first[1]) | (last[0] ^ last[1])) != 0;
        };
        if (size == 1) return a[0] == b[0];
        if (size < 4) return !differs(uint16_t());
        if (size <= 8) return !differs(uint32_t());
        return a[0] == b[0] && std::memcmp(a, b, size) == 0;
    }

    static size_t common_length(const Node &node, Bytes topic) {
        const uint8_t *const prefix = node.prefix();
        const size_t limit = std::min(node.prefix_size(), topic.size());
        return size_t(std::mismatch(prefix, prefix + limit, topic.data()).first - prefix);
    }

    // Moves a value to a node that has a place for it, or leaves it where it is.
    void move_value(Handle from, Handle to) {
        if (from == to) return;
        Value &value = Node(pool_, from).value();
        new (Node(pool_, to).value_place()) Value(std::move(value));
        value.~Value();
    }
    // A block for a node that was changed: its own, or a new one if that is too small or much too
    // large. Throws bad_alloc only if it is too small.
    Handle block_for(Handle old, size_t bytes) {
        const size_t have = pool_.block_bytes(old);
        if (bytes <= have && have - bytes < 8 + have / 5) return old;
        try {
            return pool_.make(bytes);
        } catch (const std::bad_alloc &) {
            if (bytes <= have) return old;
            throw;
        }
    }
    // Puts a changed node in the place of the old one, with its value if it had one.
    void replace(Handle &place, Handle block, const Draft &draft) {
        const Handle old = place;
        const bool has_value = Node(pool_, old).has_value();
        draft.store(pool_, block, has_value);
        if (has_value) move_value(old, block);
        if (block != old) pool_.free(old);
        place = block;
    }

    Value &add_value(Handle &place) {
        const Draft draft(pool_, place);
        const Handle old = place;
        const Handle block = block_for(old, draft.bytes(true));
        draft.store(pool_, block, true);
        if (block != old) pool_.free(old);
        place = block;
        return *new (Node(pool_, block).value_place()) Value();
    }

    // `rest` begins with the key.
    Value &add_child(Handle &place, Bytes rest) {
        NewChain chain(pool_, rest.skip(1));
        const size_t index = Node(pool_, place).place_of(rest[0]);
        Draft draft(pool_, place);
        draft.insert(index, rest[0], chain.head());
        replace(place, block_for(place, draft.bytes(Node(pool_, place).has_value())), draft);
        chain.take();
        return *chain.value;
    }

    // Divides a node's prefix; the value belongs to `rest` of the topic beyond the first part.
    Value &split(Handle &place, size_t common, Bytes rest) {
        Draft lower(pool_, place);
        Draft upper;
        upper.prefix_size = common;
        std::memcpy(upper.prefix, lower.prefix, common);
        upper.insert(0, lower.prefix[common], place);
        lower.prefix_size -= common + 1;
        std::memmove(lower.prefix, lower.prefix + common + 1, lower.prefix_size);

        const bool is_here = rest.empty();
        const size_t upper_bytes = Node::bytes(is_here, common, is_here ? 1 : 2);
        if (is_here) {
            const Handle block = pool_.make(upper_bytes);
            replace_lower(upper.children[0], lower);
            upper.store(pool_, block, true);
            place = block;
            return *new (Node(pool_, block).value_place()) Value();
        }
        NewChain chain(pool_, rest.skip(1));
        const Handle block = pool_.make(upper_bytes);
        replace_lower(upper.children[0], lower);
        upper.insert(rest[0] < upper.keys[0] ? 0 : 1, rest[0], chain.take());
        upper.store(pool_, block, false);
        place = block;
        return *chain.value;
    }
    void replace_lower(Handle &lower, const Draft &draft) {
        replace(lower, block_for(lower, draft.bytes(Node(pool_, lower).has_value())), draft);
    }

    // The child itself is gone already.
    void remove_child(Handle &place, size_t index) {
        Draft draft(pool_, place);
        draft.erase(index);
        replace_lower(place, draft);
    }

    // Takes an empty value out, then the node itself if it has no child (`place` becomes none), or
    // joins it with its only one where one node can hold both.
    void tidy(Handle &place) {
        Node node(pool_, place);
        if (node.has_value()) {
            if (!node.value().empty()) return;
            const Draft draft(pool_, place);
            node.value().~Value();
            draft.store(pool_, place, false);
        }
        if (node.count() == 0) {
            pool_.free(place);
            place = none;
            return;
        }
        if (node.count() > 1) return;
        const Handle child = *node.child(0);
        const Node below(pool_, child);
        const size_t size = node.prefix_size() + 1 + below.prefix_size();
        if (size > prefix_max) return;
        Draft draft(pool_, child);
        std::memmove(draft.prefix + node.prefix_size() + 1, draft.prefix, below.prefix_size());
        std::memcpy(draft.prefix, node.prefix(), node.prefix_size());
        draft.prefix[node.prefix_size()] = node.keys()[0];
        draft.prefix_size = size;
        Handle block;
        try {
            block = block_for(child, draft.bytes(below.has_value()));
        } catch (const std::bad_alloc &) {
            return; // two nodes do as well as one
        }
        pool_.free(place);
        place = child;
        replace(place, block, draft);
    }

    // A node and its only children; the values on the way too.
    static void free_chain(TopicTriePool &pool, Handle handle) {
        while (handle != none) {
            const Node node(pool, handle);
            const Handle next = node.count() > 0 ? *node.child(0) : none;
            if (node.has_value()) node.value().~Value();
            pool.free(handle);
            handle = next;
        }
    }
    void free_chain(Handle handle) { free_chain(pool_, handle); }

    // Needs no memory for the way back: the place of the child that is being visited names the
    // parent meanwhile, and the first key says which child that is. The pool frees the nodes.
    void destroy_values() {
        if constexpr (std::is_trivially_destructible_v<Value>) return;
        Handle above = none;
        Handle handle = root_;
        while (handle != none) {
            const Node node(pool_, handle);
            if (node.count() > 0) {
                node.keys()[0] = static_cast<uint8_t>(node.count() - 1);
                above = std::exchange(handle, std::exchange(*node.child(node.count() - 1), above));
                continue;
            }
            if (node.has_value()) node.value().~Value();
            handle = none;
            while (above != none && handle == none) {
                const Node parent(pool_, above);
                const size_t child = parent.keys()[0];
                const Handle grandparent = *parent.child(child);
                if (child > 0) {
                    --parent.keys()[0];
                    handle = std::exchange(*parent.child(child - 1), grandparent);
                } else {
                    if (parent.has_value()) parent.value().~Value();
                    above = grandparent;
                }
            }
        }
    }

    TopicTriePool pool_;
    Handle root_ = none;
    Value value_of_empty_{};
};

} // namespace tern

#endif
