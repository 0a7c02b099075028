// CLIENT: load balance out, fair queue in, single frames (CS-1..8).
#ifndef TERN_PATTERN_CLIENT_HPP
#define TERN_PATTERN_CLIENT_HPP

#include "pattern/load_balance.hpp"
#include "pattern/single_parts.hpp"

namespace tern {

class Client final : public Pattern {
  public:
    explicit Client(PatternHost &host) : in_(host) {}
    void attach(Pipe &pipe) override {
        in_.attach(pipe);
        out_.attach(pipe);
    }
    void stop_writing(Pipe &pipe) override { out_.detach(pipe); }
    void detach(Pipe &pipe) override {
        in_.detach(pipe);
        out_.detach(pipe);
    }
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    void writable(Pipe &pipe) override { out_.writable(pipe); }
    Error send(Message &frame) override {
        if (frame.has(Message::more)) return err::invalid;
        return send_without_routing_id(frame, [this](Message &f) { return out_.send(f); });
    }
    Error recv(Message &frame) override {
        if (!in_.fetch()) return err::again;
        in_.take(frame);
        return err::none;
    }
    bool can_send() override { return out_.can_send(); }
    bool can_recv() override { return in_.fetch(); }

  private:
    SingleParts in_;
    LoadBalance out_;
};

} // namespace tern

#endif
