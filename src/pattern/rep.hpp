// REP: receive a request, send its reply, in strict turns (REP-1..8).
//
//   receiving --last frame read--> replying --last frame sent--> receiving
//
// The frames up to the first empty one are the way back; they are kept and put before the reply.
#ifndef TERN_PATTERN_REP_HPP
#define TERN_PATTERN_REP_HPP

#include "pattern/fair_queue.hpp"

#include <vector>

namespace tern {

class Rep final : public Pattern {
  public:
    explicit Rep(PatternHost &host) : in_(host) {}
    void attach(Pipe &pipe) override { in_.attach(pipe); }
    void stop_writing(Pipe &pipe) override;
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    Error send(Message &frame) override;
    Error recv(Message &frame) override;
    bool can_send() override { return state_ == State::replying; }
    bool can_recv() override { return state_ == State::receiving && begin_request(); }
    Result<bool> peer_has_room(Bytes routing_id) override;
    Error set_option(int option, const void *value, size_t size) override;

  private:
    enum class State { receiving, replying };
    bool begin_request();
    void begin_reply();

    FairQueue in_;
    State state_ = State::receiving;
    bool in_request_ = false; // the envelope was read, body frames follow
    bool reply_begun_ = false;
    Pipe *request_pipe_ = nullptr;
    Pipe *reply_pipe_ = nullptr; // null: the requester is gone, the reply is dropped
    std::vector<OwnMessage> envelope_;
};

} // namespace tern

#endif
