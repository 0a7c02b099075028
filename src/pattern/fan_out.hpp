// FanOut: sends each whole message to every matching pipe that has room when its first frame comes.
// A pipe gets all frames of a message or none.
// Threads: under the socket's turn. Owner: a pattern.
#ifndef TERN_PATTERN_FAN_OUT_HPP
#define TERN_PATTERN_FAN_OUT_HPP

#include "pattern/pattern.hpp"

#include <vector>

namespace tern {

class FanOut {
  public:
    void attach(Pipe &pipe);
    void detach(Pipe &pipe);
    const std::vector<Pipe *> &pipes() const { return pipes_; }
    bool contains(const Pipe &pipe) const { return pipe.note.in_load_balance; }

    // ---- the receivers of the next message
    void begin_matching() {
        matched_.clear();
        ++stamp_;
    }
    // Matching a pipe twice counts once.
    void match(Pipe &pipe) {
        if (!contains(pipe) || pipe.note.number == stamp_) return;
        pipe.note.number = stamp_;
        matched_.push_back(&pipe);
    }
    void match_all();
    // Those that are not matched become matched, and the other way round.
    void invert_matching();
    bool all_matched_have_room();
    bool is_mid_message() const { return mid_message_; }
    // The message under way ended with a frame that was sent in another way.
    void end_message() { mid_message_ = false; }

    // Sends a frame to the matched; full ones miss the whole message.
    void send(Message &frame);
    // Sends to every pipe whatever its high water mark: nothing may be lost.
    void send_to_all_regardless(const Message &frame) { send_regardless(pipes_, frame); }
    // The end of a message goes to whom its beginning went.
    void send_to_matched_regardless(const Message &frame) { send_regardless(matched_, frame); }

  private:
    static void send_regardless(const std::vector<Pipe *> &pipes, const Message &frame);

    std::vector<Pipe *> pipes_;
    std::vector<Pipe *> matched_;
    uint64_t stamp_ = 0;
    bool mid_message_ = false;
};

} // namespace tern

#endif
