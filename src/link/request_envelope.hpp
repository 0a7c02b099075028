// RequestEnvelope: what a REQ accepts from a connection: [4-byte request id] [empty] body... Anything
// else breaks the protocol (REQ-7, quirk Q-18). Other socket types accept every shape.
// Threads: under the socket's turn. Owner: a Link.
#ifndef TERN_LINK_REQUEST_ENVELOPE_HPP
#define TERN_LINK_REQUEST_ENVELOPE_HPP

#include "base/message.hpp"

namespace tern {

class RequestEnvelope {
  public:
    void reset() { state_ = State::start; }
    // False: not the reply of a REP or of a well-behaved ROUTER.
    bool accepts(const Message &frame) {
        const bool more = frame.has(Message::more);
        switch (state_) {
        case State::start:
            if (!more) return false;
            if (frame.size() == 0) state_ = State::body;
            else if (frame.size() == 4) state_ = State::delimiter;
            else return false;
            return true;
        case State::delimiter:
            state_ = State::body;
            return more && frame.size() == 0;
        case State::body:
            if (!more) state_ = State::start;
            return true;
        }
        return false;
    }

  private:
    enum class State { start, delimiter, body };
    State state_ = State::start;
};

} // namespace tern

#endif
