// ROUTER: the first frame out names the peer, the first frame in says who it was (RTR-1..20).
// With ROUTER_RAW it speaks plain TCP bytes like STREAM (RAW-1..5).
#ifndef TERN_PATTERN_ROUTER_HPP
#define TERN_PATTERN_ROUTER_HPP

#include "pattern/fair_queue.hpp"
#include "pattern/routing_table.hpp"

namespace tern {

class Router final : public Pattern {
  public:
    Router(PatternHost &host, uint32_t random) : host_(host), in_(host), table_(random) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override;
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override;
    void identified(Pipe &pipe) override;
    Error check_connect() override;
    Error send(Message &frame) override;
    Error recv(Message &frame) override;
    bool can_send() override;
    bool can_recv() override;
    // What has no way is dropped; only to a MANDATORY one a message may be refused.
    size_t room(size_t wanted) override { return mandatory_ ? Pattern::room(wanted) : wanted; }
    Result<bool> peer_has_room(Bytes routing_id) override;
    Error set_option(int option, const void *value, size_t size) override;

  private:
    void identify(Pipe &pipe);
    void mute(Pipe &pipe);
    Error begin_message(Message &id);
    bool fetch();
    bool prefetch();
    void message_read();

    PatternHost &host_;
    FairQueue in_;
    RoutingTable table_;
    bool mandatory_ = false;
    bool handover_ = false;
    bool raw_ = false;
    bool probe_router_ = false;
    std::string connect_routing_id_;

    // Inbound: the first body frame is fetched before its id frame is handed out.
    OwnMessage prefetched_;
    bool has_prefetched_ = false;
    bool id_handed_out_ = false;
    bool in_body_ = false; // further frames of the message being read wait in the fair queue
    std::string prefetched_id_;
    Pipe *from_ = nullptr;               // where the message being read comes from
    Pipe *mute_after_message_ = nullptr; // its name was handed over meanwhile

    // Outbound.
    bool mid_message_ = false;
    Pipe *to_ = nullptr; // null: the message is dropped
};

} // namespace tern

#endif
