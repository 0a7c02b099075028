#include "pattern/fair_queue.hpp"

#include <utility>

namespace tern {

void FairQueue::swap(size_t a, size_t b) {
    std::swap(pipes_[a], pipes_[b]);
    pipes_[a]->note.index = uint32_t(a);
    pipes_[b]->note.index = uint32_t(b);
}

void FairQueue::attach(Pipe &pipe) {
    pipe.note.in_fair_queue = true;
    pipe.note.index = uint32_t(pipes_.size());
    pipes_.push_back(&pipe);
    readable(pipe);
}

void FairQueue::detach(Pipe &pipe) {
    if (!pipe.note.in_fair_queue) return;
    size_t at = pipe.note.index;
    if (at < active_) {
        if (at == current_ && mid_message_) keep_rest_of(pipe);
        --active_;
        // The pipe whose turn it is keeps it, also in the middle of a message.
        if (current_ == active_ && at != current_) current_ = at;
        swap(at, active_);
        at = active_;
        if (current_ >= active_) current_ = 0;
    }
    swap(at, pipes_.size() - 1);
    pipes_.pop_back();
    pipe.note.in_fair_queue = false;
}

void FairQueue::keep_rest_of(Pipe &pipe) {
    for (bool more = true; more;) {
        Message frame;
        if (!pipe.read(frame)) break;
        more = frame.has(Message::more);
        rest_.emplace_back();
        std::swap(*rest_.back(), frame);
    }
    mid_message_ = false;
}

void FairQueue::readable(Pipe &pipe) {
    if (pipe.note.in_fair_queue && pipe.note.index >= active_) swap(pipe.note.index, active_++);
}

void FairQueue::deactivate_current() {
    Pipe &pipe = *pipes_[current_];
    swap(current_, --active_);
    if (current_ >= active_) current_ = 0;
    if (pipe.is_drained()) host_.pipe_drained(pipe);
}

Error FairQueue::recv(Message &frame, Pipe **from) {
    if (!rest_.empty()) {
        frame.take(*rest_.front());
        rest_.pop_front();
        if (from) *from = nullptr;
        return err::none;
    }
    while (active_ > 0) {
        Pipe &pipe = *pipes_[current_];
        if (pipe.read(frame)) {
            if (from) *from = &pipe;
            mid_message_ = frame.has(Message::more);
            if (!mid_message_ && ++current_ >= active_) current_ = 0;
            return err::none;
        }
        deactivate_current();
    }
    return err::again;
}

bool FairQueue::can_recv() {
    if (mid_message_ || !rest_.empty()) return true;
    while (active_ > 0) {
        if (pipes_[current_]->check_read()) return true;
        deactivate_current();
    }
    return false;
}

} // namespace tern
