// FairQueue: receives from many pipes, one whole message from each in turn.
// Threads: under the socket's turn. Owner: a pattern.
#ifndef TERN_PATTERN_FAIR_QUEUE_HPP
#define TERN_PATTERN_FAIR_QUEUE_HPP

#include "base/ring.hpp"
#include "pattern/pattern.hpp"

#include <vector>

namespace tern {

class FairQueue {
  public:
    explicit FairQueue(PatternHost &host) : host_(host) {}

    void attach(Pipe &pipe);
    void detach(Pipe &pipe);
    void readable(Pipe &pipe);
    // EAGAIN when no pipe has a whole message. `from` says which pipe it came from.
    Error recv(Message &frame, Pipe **from = nullptr);
    bool can_recv();
    // The only pipe that may have messages, between two of them. Null: none, or several.
    Pipe *sole_inlet() const {
        return active_ == 1 && !mid_message_ && rest_.empty() ? pipes_[0] : nullptr;
    }
    // A pipe of which `test` is true, or null.
    template <class Test>
    Pipe *find(Test test) const {
        for (Pipe *pipe : pipes_)
            if (test(*pipe)) return pipe;
        return nullptr;
    }
    bool contains(const Pipe &pipe) const { return pipe.note.in_fair_queue; }

  private:
    void deactivate_current();
    void keep_rest_of(Pipe &pipe);
    void swap(size_t a, size_t b);

    PatternHost &host_;
    std::vector<Pipe *> pipes_; // [0, active_) may have messages
    size_t active_ = 0;
    size_t current_ = 0;
    bool mid_message_ = false;
    // The rest of a message whose pipe was detached while it was being read: it had arrived whole,
    // and is read to its end.
    Ring<OwnMessage> rest_;
};

} // namespace tern

#endif
