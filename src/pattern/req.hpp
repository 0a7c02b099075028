// REQ: send a request, receive its reply, in strict turns (REQ-1..16).
//
//   sending --last frame sent--> waiting --last frame of the reply read--> sending
//
// On the wire a request is [request id, when correlating] [empty] body...
#ifndef TERN_PATTERN_REQ_HPP
#define TERN_PATTERN_REQ_HPP

#include "pattern/dealer.hpp"

namespace tern {

class Req final : public Dealer {
  public:
    Req(PatternHost &host, uint32_t random) : Dealer(host), request_id_(random) {}
    void detach(Pipe &pipe) override;
    Error send(Message &frame) override;
    Error recv(Message &frame) override;
    bool can_send() override;
    bool can_recv() override;
    size_t room(size_t) override { return can_send() ? 1 : 0; }
    Pipe *sole_outlet() override { return nullptr; }
    Pipe *sole_inlet() override { return nullptr; }
    Error set_option(int option, const void *value, size_t size) override;

  private:
    enum class State { sending, waiting };
    Error begin_request();
    Error begin_reply();
    bool read_envelope(Message &first);
    Error read_from_reply_pipe(Message &frame);
    void skip_rest(Message &frame);

    State state_ = State::sending;
    bool at_message_start_ = true;
    // The peer that got the request. Null when it is gone: then anybody's answer is taken (REQ-11).
    Pipe *reply_pipe_ = nullptr;
    uint32_t request_id_;
    bool relaxed_ = false;
    bool correlate_ = false;
};

} // namespace tern

#endif
