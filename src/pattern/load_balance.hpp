// LoadBalance: sends each whole message to the next pipe that has room.
// Threads: under the socket's turn. Owner: a pattern.
#ifndef TERN_PATTERN_LOAD_BALANCE_HPP
#define TERN_PATTERN_LOAD_BALANCE_HPP

#include "pattern/pattern.hpp"

#include <vector>

namespace tern {

class LoadBalance {
  public:
    void attach(Pipe &pipe);
    void detach(Pipe &pipe);
    void writable(Pipe &pipe);
    // EAGAIN when no pipe has room; the frame is untouched then. `to` says which pipe took it.
    Error send(Message &frame, Pipe **to = nullptr);
    bool can_send();
    // Of all pipes together; `wanted` are enough.
    size_t room(size_t wanted);
    // The only pipe that has room, between two messages. Null: none, or several.
    Pipe *sole_outlet() const {
        return active_ == 1 && !mid_message_ && !dropping_ ? pipes_[0] : nullptr;
    }

  private:
    void swap(size_t a, size_t b);

    std::vector<Pipe *> pipes_; // [0, active_) may have room
    size_t active_ = 0;
    size_t current_ = 0;
    bool mid_message_ = false;
    // The pipe that got the first frames is gone: the rest of the message is dropped (LB-7).
    bool dropping_ = false;
};

} // namespace tern

#endif
