// SCATTER: PUSH with single frames (SG-1).
#ifndef TERN_PATTERN_SCATTER_HPP
#define TERN_PATTERN_SCATTER_HPP

#include "pattern/load_balance.hpp"
#include "pattern/single_parts.hpp"

namespace tern {

class Scatter final : public Pattern {
  public:
    void attach(Pipe &pipe) override { out_.attach(pipe); }
    void stop_writing(Pipe &pipe) override { out_.detach(pipe); }
    void detach(Pipe &pipe) override { out_.detach(pipe); }
    void writable(Pipe &pipe) override { out_.writable(pipe); }
    Error send(Message &frame) override {
        if (frame.has(Message::more)) return err::invalid;
        return send_without_routing_id(frame, [this](Message &f) { return out_.send(f); });
    }
    bool can_send() override { return out_.can_send(); }

  private:
    LoadBalance out_;
};

} // namespace tern

#endif
