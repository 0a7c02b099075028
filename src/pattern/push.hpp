// PUSH: load balance out, nothing in (PP-1..7).
#ifndef TERN_PATTERN_PUSH_HPP
#define TERN_PATTERN_PUSH_HPP

#include "pattern/load_balance.hpp"

namespace tern {

class Push final : public Pattern {
  public:
    void attach(Pipe &pipe) override { out_.attach(pipe); }
    void stop_writing(Pipe &pipe) override { out_.detach(pipe); }
    void detach(Pipe &pipe) override { out_.detach(pipe); }
    void writable(Pipe &pipe) override { out_.writable(pipe); }
    Error send(Message &frame) override { return out_.send(frame); }
    bool can_send() override { return out_.can_send(); }
    size_t room(size_t wanted) override { return out_.room(wanted); }
    Pipe *sole_outlet() override { return out_.sole_outlet(); }

  private:
    LoadBalance out_;
};

} // namespace tern

#endif
