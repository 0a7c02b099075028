// SingleParts: the incoming side of types whose messages are single frames. What a peer sends in
// several frames is dropped whole (CS-1).
// Threads: under the socket's turn. Owner: a pattern.
#ifndef TERN_PATTERN_SINGLE_PARTS_HPP
#define TERN_PATTERN_SINGLE_PARTS_HPP

#include "pattern/fair_queue.hpp"

namespace tern {

class SingleParts {
  public:
    explicit SingleParts(PatternHost &host) : in_(host) {}

    void attach(Pipe &pipe) { in_.attach(pipe); }
    void detach(Pipe &pipe) { in_.detach(pipe); }
    void readable(Pipe &pipe) { in_.readable(pipe); }

    // Holds the next message ready, if there is one. `accept(frame, pipe)` may complete it, or
    // refuse it, which drops it.
    template <class Accept>
    bool fetch(Accept accept) {
        Message frame;
        Pipe *from = nullptr;
        while (!has_fetched_ && !in_.recv(frame, &from)) {
            has_fetched_ = !frame.has(Message::more) && from && accept(frame, *from);
            if (has_fetched_) std::swap(*fetched_, frame);
            else drop_message(frame);
        }
        return has_fetched_;
    }
    bool fetch() {
        return fetch([](Message &, Pipe &) { return true; });
    }
    // REQUIRES: fetch() was true. `frame` is uninitialised memory.
    void take(Message &frame) {
        frame.take(*fetched_);
        has_fetched_ = false;
    }
    // The message that is held, or null.
    const Message *fetched() const { return has_fetched_ ? &*fetched_ : nullptr; }
    void drop_fetched() {
        drop_frame(*fetched_);
        has_fetched_ = false;
    }

  private:
    // With this first frame.
    void drop_message(Message &frame) {
        bool more = frame.has(Message::more);
        frame.close();
        while (more && !in_.recv(frame)) {
            more = frame.has(Message::more);
            frame.close();
        }
    }

    FairQueue in_;
    OwnMessage fetched_;
    bool has_fetched_ = false;
};

// A message on its way into a pipe belongs to no peer yet: its routing id stays behind, unless it
// is refused.
template <class Send>
Error send_without_routing_id(Message &frame, Send send) {
    const uint32_t routing_id = frame.routing_id();
    frame.set_routing_id(0);
    const Error error = send(frame);
    if (error) frame.set_routing_id(routing_id);
    return error;
}

} // namespace tern

#endif
