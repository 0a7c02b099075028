// DEALER: load balance out, fair queue in, nothing added (DEA-1..5).
#ifndef TERN_PATTERN_DEALER_HPP
#define TERN_PATTERN_DEALER_HPP

#include "pattern/fair_queue.hpp"
#include "pattern/load_balance.hpp"

namespace tern {

class Dealer : public Pattern {
  public:
    explicit Dealer(PatternHost &host) : in_(host) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override { out_.detach(pipe); }
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    void writable(Pipe &pipe) override { out_.writable(pipe); }
    Error send(Message &frame) override { return out_.send(frame); }
    Error recv(Message &frame) override { return in_.recv(frame); }
    bool can_send() override { return out_.can_send(); }
    bool can_recv() override { return in_.can_recv(); }
    size_t room(size_t wanted) override { return out_.room(wanted); }
    Pipe *sole_outlet() override { return out_.sole_outlet(); }
    Pipe *sole_inlet() override { return in_.sole_inlet(); }
    Error set_option(int option, const void *value, size_t size) override;

  protected:
    FairQueue in_;
    LoadBalance out_;

  private:
    bool probe_router_ = false;
};

// PROBE_ROUTER: an empty message as the first one on a new pipe.
void write_probe(Pipe &pipe);

} // namespace tern

#endif
