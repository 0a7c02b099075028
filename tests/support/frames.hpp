// Frames: messages as lists of texts, so that tests can be read.
// Threads: test only.
#ifndef TERN_TESTS_SUPPORT_FRAMES_HPP
#define TERN_TESTS_SUPPORT_FRAMES_HPP

#include "base/message.hpp"
#include "flow/pipe.hpp"
#include "pattern/pattern.hpp"

#include <atomic>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tern::test {

using Frames = std::vector<std::string>;

inline OwnMessage make_frame(std::string_view text, bool more = false) {
    OwnMessage frame;
    frame->close();
    if (frame->init_copy(Bytes(text))) throw std::runtime_error("no memory");
    if (more) frame->set(Message::more);
    return frame;
}

// "+A" for a flagged subscription to A, "-A" for its end, the body for everything else.
inline std::string text_of(const Message &frame) {
    const std::string body(frame.bytes().text());
    if (frame.has(Message::subscribe)) return "+" + body;
    if (frame.has(Message::cancel)) return "-" + body;
    return body;
}

// A frame whose body is given back through a counter.
class CountedBodies {
  public:
    OwnMessage frame(bool more = false) {
        OwnMessage made;
        if (made->init_data(body_, sizeof body_, give_back, this))
            throw std::runtime_error("no memory");
        if (more) made->set(Message::more);
        return made;
    }
    int given_back() const { return given_back_; }

  private:
    static void give_back(void *, void *self) { ++static_cast<CountedBodies *>(self)->given_back_; }
    char body_[100] = "counted";
    std::atomic<int> given_back_{0};
};

// ---- straight through a pipe

inline bool write_message(Pipe &pipe, const Frames &frames) {
    for (size_t i = 0; i < frames.size(); ++i) {
        OwnMessage frame = make_frame(frames[i], i + 1 < frames.size());
        if (!pipe.write(*frame)) return false;
    }
    return true;
}

// One whole message; empty when there is none.
inline Frames read_message(Pipe &pipe) {
    Frames frames;
    for (bool more = true; more;) {
        Message frame;
        if (!pipe.read(frame)) break;
        more = frame.has(Message::more);
        frames.push_back(text_of(frame));
        frame.close();
    }
    return frames;
}

// ---- through a pattern

inline Error send_frame(Pattern &pattern, std::string_view text, bool more = false) {
    OwnMessage frame = make_frame(text, more);
    const Error error = pattern.send(*frame);
    // GEN-2, GEN-3: taken or untouched, nothing between.
    const size_t expected = error ? text.size() : 0;
    if (!frame->is_valid() || frame->size() != expected) throw std::runtime_error("frame mangled");
    return error;
}

// Stops at the first frame that is refused.
inline Error send_message(Pattern &pattern, const Frames &frames) {
    for (size_t i = 0; i < frames.size(); ++i) {
        const Error error = send_frame(pattern, frames[i], i + 1 < frames.size());
        if (error) return error;
    }
    return err::none;
}

struct ReceivedFrame {
    Error error{};
    std::string text;
    bool more = false;
};

inline ReceivedFrame recv_frame(Pattern &pattern) {
    Message frame;
    ReceivedFrame got;
    got.error = pattern.recv(frame);
    if (got.error) return got;
    got.text = text_of(frame);
    got.more = frame.has(Message::more);
    frame.close();
    return got;
}

// One whole message; empty when there is none.
inline Frames recv_message(Pattern &pattern) {
    Frames frames;
    for (bool more = true; more;) {
        const ReceivedFrame got = recv_frame(pattern);
        if (got.error) break;
        more = got.more;
        frames.push_back(got.text);
    }
    return frames;
}

} // namespace tern::test

#endif
