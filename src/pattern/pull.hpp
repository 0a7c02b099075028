// PULL: fair queue in, nothing out.
#ifndef TERN_PATTERN_PULL_HPP
#define TERN_PATTERN_PULL_HPP

#include "pattern/fair_queue.hpp"

namespace tern {

class Pull final : public Pattern {
  public:
    explicit Pull(PatternHost &host) : in_(host) {}
    void attach(Pipe &pipe) override { in_.attach(pipe); }
    void stop_writing(Pipe &) override {}
    void detach(Pipe &pipe) override { in_.detach(pipe); }
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    Error recv(Message &frame) override { return in_.recv(frame); }
    bool can_recv() override { return in_.can_recv(); }
    Pipe *sole_inlet() override { return in_.sole_inlet(); }

  private:
    FairQueue in_;
};

} // namespace tern

#endif
