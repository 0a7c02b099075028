// TopicTrie: values filed under byte-string prefixes, found by walking along a topic. Edges hold runs
// of bytes, so that depth follows the number of branches, and every walk is a loop: a peer chooses
// the topics, and may not choose our stack depth.
// Threads: under the socket's turn. Owner: a pattern.
// Limit:   none; memory follows the number of distinct topics.
#ifndef TERN_PATTERN_TOPIC_TRIE_HPP
#define TERN_PATTERN_TOPIC_TRIE_HPP

#include "base/bytes.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace tern {

// Value must be default-constructible and have `bool empty() const`: an empty value is no entry.
template <class Value>
class TopicTrie {
  public:
    // The value under exactly this topic; made empty when there was none. The caller must leave a
    // non-empty value there, or call prune().
    Value &at(Bytes topic) {
        Node *node = &root_;
        for (;;) {
            if (topic.empty()) return node->value;
            const auto place = child_place(*node, topic[0]);
            if (place == node->children.end() || edge_start(**place) != topic[0]) {
                auto leaf = std::make_unique<Node>();
                leaf->edge.assign(topic.text());
                Node *made = leaf.get();
                node->children.insert(place, std::move(leaf));
                return made->value;
            }
            Node *child = place->get();
            const size_t common = common_length(child->edge, topic);
            if (common < child->edge.size()) child = split(*place, common);
            node = child;
            topic = topic.skip(common);
        }
    }

    // Null when nothing is filed under exactly this topic.
    Value *find(Bytes topic) {
        Node *node = &root_;
        while (!topic.empty()) {
            const auto place = child_place(*node, topic[0]);
            if (place == node->children.end()) return nullptr;
            Node *child = place->get();
            if (common_length(child->edge, topic) < child->edge.size()) return nullptr;
            topic = topic.skip(child->edge.size());
            node = child;
        }
        return node->value.empty() ? nullptr : &node->value;
    }

    // Calls visit(value) for every entry whose topic is a prefix of `text`. Stops when it says false.
    template <class Visit>
    void for_each_prefix(Bytes text, Visit visit) {
        Node *node = &root_;
        for (;;) {
            if (!node->value.empty() && !visit(node->value)) return;
            if (text.empty()) return;
            const auto place = child_place(*node, text[0]);
            if (place == node->children.end()) return;
            Node *child = place->get();
            if (common_length(child->edge, text) < child->edge.size()) return;
            text = text.skip(child->edge.size());
            node = child;
        }
    }

    // Removes nodes along this topic that hold nothing any more.
    void prune(Bytes topic) {
        std::vector<std::pair<Node *, size_t>> path; // parent, index of the child
        Node *node = &root_;
        while (!topic.empty()) {
            const auto place = child_place(*node, topic[0]);
            if (place == node->children.end()) break;
            Node *child = place->get();
            if (common_length(child->edge, topic) < child->edge.size()) break;
            path.emplace_back(node, static_cast<size_t>(place - node->children.begin()));
            topic = topic.skip(child->edge.size());
            node = child;
        }
        while (!path.empty()) {
            const auto [parent, index] = path.back();
            path.pop_back();
            Node &child = *parent->children[index];
            if (!child.value.empty()) return;
            if (child.children.empty()) {
                parent->children.erase(parent->children.begin() + static_cast<long>(index));
            } else {
                if (child.children.size() == 1) merge_with_only_child(child);
                return;
            }
        }
    }

    // Calls visit(topic, value) for every entry, in byte order. visit may empty the value, but must
    // not change the trie; prune() each emptied topic afterwards.
    template <class Visit>
    void for_each(Visit visit) {
        struct Step {
            Node *node;
            size_t next_child;
            size_t topic_size;
        };
        std::string topic;
        std::vector<Step> path{{&root_, 0, 0}};
        if (!root_.value.empty()) visit(Bytes(topic), root_.value);
        while (!path.empty()) {
            Step &step = path.back();
            topic.resize(step.topic_size);
            if (step.next_child == step.node->children.size()) {
                path.pop_back();
                continue;
            }
            Node *child = step.node->children[step.next_child++].get();
            topic += child->edge;
            path.push_back({child, 0, topic.size()});
            if (!child->value.empty()) visit(Bytes(topic), child->value);
        }
    }

  private:
    struct Node {
        std::string edge;
        Value value{};
        std::vector<std::unique_ptr<Node>> children; // sorted by first byte of their edge
        ~Node() {
            // Unhooked level by level, so that destruction does not recurse on a deep trie.
            std::vector<std::unique_ptr<Node>> pending = std::move(children);
            while (!pending.empty()) {
                std::unique_ptr<Node> node = std::move(pending.back());
                pending.pop_back();
                for (auto &child : node->children) pending.push_back(std::move(child));
                node->children.clear();
            }
        }
    };
    using Children = std::vector<std::unique_ptr<Node>>;

    static uint8_t edge_start(const Node &node) { return static_cast<uint8_t>(node.edge[0]); }
    static typename Children::iterator child_place(Node &node, uint8_t byte) {
        return std::lower_bound(
            node.children.begin(), node.children.end(), byte,
            [](const std::unique_ptr<Node> &child, uint8_t b) { return edge_start(*child) < b; });
    }
    static size_t common_length(const std::string &edge, Bytes topic) {
        const size_t limit = std::min(edge.size(), topic.size());
        size_t n = 0;
        while (n < limit && static_cast<uint8_t>(edge[n]) == topic[n]) ++n;
        return n;
    }
    static Node *split(std::unique_ptr<Node> &place, size_t at) {
        auto upper = std::make_unique<Node>();
        upper->edge = place->edge.substr(0, at);
        place->edge.erase(0, at);
        upper->children.push_back(std::move(place));
        place = std::move(upper);
        return place.get();
    }
    static void merge_with_only_child(Node &node) {
        std::unique_ptr<Node> child = std::move(node.children[0]);
        node.edge += child->edge;
        node.value = std::move(child->value);
        Children grandchildren = std::move(child->children);
        node.children = std::move(grandchildren);
    }

    Node root_;
};

} // namespace tern

#endif
