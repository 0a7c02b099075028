#include "pattern/fan_out.hpp"

#include <algorithm>

namespace tern {

void FanOut::attach(Pipe &pipe) {
    pipe.note.in_load_balance = true;
    pipe.note.balance_index = uint32_t(pipes_.size());
    pipe.note.number = 0;
    pipes_.push_back(&pipe);
}

void FanOut::detach(Pipe &pipe) {
    if (!pipe.note.in_load_balance) return;
    pipes_.back()->note.balance_index = pipe.note.balance_index;
    pipes_[pipe.note.balance_index] = pipes_.back();
    pipes_.pop_back();
    matched_.erase(std::remove(matched_.begin(), matched_.end(), &pipe), matched_.end());
    pipe.note.in_load_balance = false;
}

void FanOut::match_all() {
    for (Pipe *pipe : pipes_) match(*pipe);
}

void FanOut::invert_matching() {
    const uint64_t old_stamp = stamp_;
    begin_matching();
    for (Pipe *pipe : pipes_)
        if (pipe->note.number != old_stamp) match(*pipe);
}

bool FanOut::all_matched_have_room() {
    return std::all_of(matched_.begin(), matched_.end(), [](Pipe *p) { return p->check_write(); });
}

void FanOut::send(Message &frame) {
    const bool more = frame.has(Message::more);
    if (!mid_message_) {
        // Where a batch grows, a small message is copied into it, which is all that this peer costs.
        const bool is_copied = !more && frame.is_plain();
        const auto is_done = [&frame, is_copied](Pipe *pipe) {
            if (is_copied && pipe->write_copy(frame)) return true;
            return !pipe->is_mid_write() && !pipe->check_write(); // full: it misses the message
        };
        matched_.erase(std::remove_if(matched_.begin(), matched_.end(), is_done), matched_.end());
    }
    mid_message_ = more;
    const size_t count = matched_.size();
    for (size_t i = 0; i + 1 < count; ++i) {
        Message copy;
        copy.share(frame);
        matched_[i]->write_surely(copy);
    }
    if (count > 0) matched_[count - 1]->write_surely(frame);
    drop_frame(frame);
}

void FanOut::send_regardless(const std::vector<Pipe *> &pipes, const Message &frame) {
    for (Pipe *pipe : pipes) {
        Message copy;
        copy.share(const_cast<Message &>(frame));
        pipe->write_surely(copy); // or a subscription would be lost
    }
}

} // namespace tern
