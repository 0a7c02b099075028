// GATHER: PULL with single frames (SG-1).
#ifndef TERN_PATTERN_GATHER_HPP
#define TERN_PATTERN_GATHER_HPP

#include "pattern/single_parts.hpp"

namespace tern {

class Gather final : public Pattern {
  public:
    explicit Gather(PatternHost &host) : in_(host) {}
    void attach(Pipe &pipe) override { in_.attach(pipe); }
    void stop_writing(Pipe &) override {}
    void detach(Pipe &pipe) override { in_.detach(pipe); }
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    Error recv(Message &frame) override {
        if (!in_.fetch()) return err::again;
        in_.take(frame);
        return err::none;
    }
    bool can_recv() override { return in_.fetch(); }

  private:
    SingleParts in_;
};

} // namespace tern

#endif
