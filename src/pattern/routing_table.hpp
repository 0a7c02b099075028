// RoutingTable: the peers of a ROUTER or STREAM by routing id, and the ids it makes up itself:
// a zero byte and a 32-bit counter with a random start (RTR-1).
// Threads: under the socket's turn. Owner: a pattern.
#ifndef TERN_PATTERN_ROUTING_TABLE_HPP
#define TERN_PATTERN_ROUTING_TABLE_HPP

#include "pattern/pattern.hpp"

#include <string>
#include <unordered_map>

namespace tern {

class RoutingTable {
  public:
    explicit RoutingTable(uint32_t random) : next_(random) {}

    Pipe *find(Bytes id) const {
        // Messages for one peer often come in a row.
        if (last_found_ && Bytes(last_found_->peer_routing_id()).text() == id.text())
            return last_found_;
        const auto it = pipes_.find(std::string(id.text()));
        return it == pipes_.end() ? nullptr : last_found_ = it->second;
    }
    bool contains(Bytes id) const { return find(id) != nullptr; }
    // An id that nobody has; peers may have taken generated-looking ones (quirk Q-22).
    std::string generate() {
        for (;;) {
            uint8_t id[5] = {0};
            store_be32(id + 1, next_++);
            if (!contains(Bytes(id, 5))) return std::string(Bytes(id, 5).text());
        }
    }
    // Files the pipe under this id, instead of whoever had it.
    void assign(Pipe &pipe, std::string id) {
        last_found_ = nullptr;
        pipes_[id] = &pipe;
        pipe.set_peer_routing_id(std::move(id));
    }
    void remove(const Pipe &pipe) {
        last_found_ = nullptr;
        const auto it = pipes_.find(pipe.peer_routing_id());
        if (it != pipes_.end() && it->second == &pipe) pipes_.erase(it);
    }
    template <class Test>
    bool any(Test test) const {
        for (const auto &entry : pipes_)
            if (test(*entry.second)) return true;
        return false;
    }

  private:
    std::unordered_map<std::string, Pipe *> pipes_;
    mutable Pipe *last_found_ = nullptr; // is in `pipes_`, under its own name
    uint32_t next_;
};

} // namespace tern

#endif
