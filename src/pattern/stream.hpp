// STREAM: raw TCP. Every message in and out is [5-byte id][bytes] (STR-1..9).
#ifndef TERN_PATTERN_STREAM_HPP
#define TERN_PATTERN_STREAM_HPP

#include "pattern/fair_queue.hpp"
#include "pattern/routing_table.hpp"

namespace tern {

class Stream final : public Pattern {
  public:
    Stream(PatternHost &host, uint32_t random) : host_(host), in_(host), table_(random) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override;
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    Error check_connect() override;
    Error send(Message &frame) override;
    Error recv(Message &frame) override;
    bool empties_unfilled() const override { return false; }
    bool can_send() override { return true; }
    bool can_recv() override;
    Error set_option(int option, const void *value, size_t size) override;
    std::string newest_routing_id() const override { return newest_id_; }

  private:
    PatternHost &host_;
    FairQueue in_;
    RoutingTable table_;
    std::string connect_routing_id_;
    std::string newest_id_;

    OwnMessage prefetched_;
    bool has_prefetched_ = false;
    bool id_handed_out_ = false;
    std::string prefetched_id_;

    bool expects_body_ = false;
    Pipe *to_ = nullptr; // null: the body is dropped
};

} // namespace tern

#endif
