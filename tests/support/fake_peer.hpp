// FakePeer: the other end of a pipe, played by the test, with the part of a socket that carries
// news from the pipe to the pattern. FakeHost: remembers what a pattern asks of its socket.
// Threads: test only.
#ifndef TERN_TESTS_SUPPORT_FAKE_PEER_HPP
#define TERN_TESTS_SUPPORT_FAKE_PEER_HPP

#include "support/frames.hpp"

#include <algorithm>

namespace tern::test {

class FakeHost final : public PatternHost {
  public:
    void pipe_drained(Pipe &pipe) override { drained.push_back(&pipe); }
    void pipe_refused(Pipe &pipe) override { refused.push_back(&pipe); }
    void pipe_unheard(Pipe &pipe) override { unheard.push_back(&pipe); }
    void pipe_unwanted(Pipe &pipe) override { unwanted.push_back(&pipe); }

    bool was_drained(const Pipe &pipe) const {
        return std::find(drained.begin(), drained.end(), &pipe) != drained.end();
    }

    std::vector<Pipe *> drained;
    std::vector<Pipe *> refused;
    std::vector<Pipe *> unheard;
    std::vector<Pipe *> unwanted;
};

class FakePeer {
  public:
    // `limit`: messages that the pattern may have on the way to this peer; 0 for any number.
    explicit FakePeer(int limit = 0, std::string routing_id = {}) : pair_(PipePair::create(false)) {
        pipe().outbound().set_writer_part(limit);
        pipe().set_peer_routing_id(std::move(routing_id));
    }
    FakePeer(const FakePeer &) = delete;
    FakePeer &operator=(const FakePeer &) = delete;
    ~FakePeer() {
        pipe().close();
        if (!has_left_) far().close();
        pipe().release();
        far().release();
    }

    // The pattern's end, and ours.
    Pipe &pipe() { return pair_->near_end(); }
    Pipe &far() { return pair_->far_end(); }

    void attach_to(Pattern &pattern) {
        pattern_ = &pattern;
        pattern.attach(pipe());
        deliver();
    }
    void detach() {
        pattern_->detach(pipe());
        pattern_ = nullptr;
    }

    // One frame, and a whole message, towards the pattern.
    void send_frame(std::string_view text, bool more, uint8_t flags = 0) {
        OwnMessage frame = make_frame(text, more);
        frame->set_flags(uint8_t(frame->flags() | flags));
        if (!far().write(*frame)) throw std::runtime_error("no memory");
        deliver();
    }
    void send(const Frames &frames) {
        for (size_t i = 0; i < frames.size(); ++i) send_frame(frames[i], i + 1 < frames.size());
    }
    void subscribe(std::string_view topic) { send_frame(topic, false, Message::subscribe); }
    void cancel(std::string_view topic) { send_frame(topic, false, Message::cancel); }

    // The next message from the pattern; empty when there is none.
    Frames recv() {
        Frames frames = read_message(far());
        deliver();
        return frames;
    }
    std::vector<Frames> recv_all() {
        std::vector<Frames> all;
        for (Frames frames = recv(); !frames.empty(); frames = recv()) all.push_back(frames);
        return all;
    }

    // The peer closes. What it sent stays readable.
    void leave() {
        has_left_ = true;
        far().close();
        deliver();
    }

    // What a socket does with the news of a pipe.
    void deliver() {
        if (!pattern_) return;
        const uint8_t news = pipe().take_news();
        if (news & Pipe::ended) {
            pipe().writing_stopped = true;
            pattern_->stop_writing(pipe());
        }
        if (news & (Pipe::readable | Pipe::ended)) pattern_->readable(pipe());
        if (news & Pipe::writable) pattern_->writable(pipe());
    }

  private:
    PipePair *pair_;
    Pattern *pattern_ = nullptr;
    bool has_left_ = false;
};

} // namespace tern::test

#endif
