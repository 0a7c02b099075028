// DGRAM: messages of two frames, the address of a peer and what is sent to it or came from it
// (DG-1..3). It has one endpoint; another one is refused, as a second peer of PAIR.
#ifndef TERN_PATTERN_DGRAM_HPP
#define TERN_PATTERN_DGRAM_HPP

#include "pattern/pair.hpp"

namespace tern {

class Dgram final : public Pattern {
  public:
    explicit Dgram(PatternHost &host) : pair_(host) {}
    void attach(Pipe &pipe) override { pair_.attach(pipe); }
    void stop_writing(Pipe &pipe) override { pair_.stop_writing(pipe); }
    void detach(Pipe &pipe) override {
        if (pipe.is_mid_write()) sends_body_ = false; // the address goes with it
        pair_.detach(pipe);
    }
    void readable(Pipe &pipe) override { pair_.readable(pipe); }
    Error send(Message &frame) override {
        if (frame.has(Message::more) == sends_body_) return err::invalid;
        const Error error = pair_.send(frame);
        if (!error) sends_body_ = !sends_body_;
        return error;
    }
    Error recv(Message &frame) override { return pair_.recv(frame); }
    bool can_send() override { return pair_.can_send(); }
    bool can_recv() override { return pair_.can_recv(); }

  private:
    Pair pair_;
    bool sends_body_ = false; // the address has been sent
};

} // namespace tern

#endif
