// PAIR: exactly one peer; a second one is left unheard (PAIR-1..9).
#ifndef TERN_PATTERN_PAIR_HPP
#define TERN_PATTERN_PAIR_HPP

#include "base/ring.hpp"
#include "pattern/pattern.hpp"

#include <algorithm>

namespace tern {

class Pair final : public Pattern {
  public:
    explicit Pair(PatternHost &host) : host_(host) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override;
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override;
    Error send(Message &frame) override;
    Error recv(Message &frame) override;
    bool can_send() override;
    bool can_recv() override;
    size_t room(size_t) override { return can_send() ? std::max<size_t>(pipe_->room(), 1) : 0; }
    Pipe *sole_outlet() override { return writable_ && !pipe_->is_mid_write() ? pipe_ : nullptr; }
    Pipe *sole_inlet() override { return rest_.empty() ? pipe_ : nullptr; }

  private:
    PatternHost &host_;
    Pipe *pipe_ = nullptr;
    bool writable_ = false;
    Ring<OwnMessage> rest_; // of a message that was being read when its pipe was detached
};

} // namespace tern

#endif
