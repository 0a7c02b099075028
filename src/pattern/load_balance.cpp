#include "pattern/load_balance.hpp"

#include <algorithm>
#include <utility>

namespace tern {

// A pipe may be in the fair queue too, so its place here has a field of its own.
void LoadBalance::swap(size_t a, size_t b) {
    std::swap(pipes_[a], pipes_[b]);
    pipes_[a]->note.balance_index = uint32_t(a);
    pipes_[b]->note.balance_index = uint32_t(b);
}

void LoadBalance::attach(Pipe &pipe) {
    pipe.note.in_load_balance = true;
    pipe.note.balance_index = uint32_t(pipes_.size());
    pipes_.push_back(&pipe);
    writable(pipe);
}

void LoadBalance::detach(Pipe &pipe) {
    if (!pipe.note.in_load_balance) return;
    size_t at = pipe.note.balance_index;
    if (at < active_) {
        if (at == current_ && mid_message_) {
            dropping_ = true;
            mid_message_ = false;
        }
        --active_;
        // A message under way stays with its pipe, so its place must not pass to another one.
        if (current_ == active_ && at != current_) current_ = at;
        swap(at, active_);
        at = active_;
        if (current_ >= active_) current_ = 0;
    }
    swap(at, pipes_.size() - 1);
    pipes_.pop_back();
    pipe.note.in_load_balance = false;
}

void LoadBalance::writable(Pipe &pipe) {
    if (pipe.note.in_load_balance && pipe.note.balance_index >= active_)
        swap(pipe.note.balance_index, active_++);
}

Error LoadBalance::send(Message &frame, Pipe **to) {
    if (dropping_) {
        dropping_ = frame.has(Message::more);
        drop_frame(frame);
        return err::none;
    }
    while (active_ > 0) {
        Pipe &pipe = *pipes_[current_];
        if (mid_message_ || pipe.check_write()) {
            const bool more = frame.has(Message::more);
            if (!pipe.write(frame)) return err::no_memory;
            if (to) *to = &pipe;
            mid_message_ = more;
            if (!more && ++current_ >= active_) current_ = 0;
            return err::none;
        }
        swap(current_, --active_);
        if (current_ >= active_) current_ = 0;
    }
    return err::again;
}

bool LoadBalance::can_send() {
    if (mid_message_ || dropping_) return true;
    while (active_ > 0) {
        if (pipes_[current_]->check_write()) return true;
        swap(current_, --active_);
        if (current_ >= active_) current_ = 0;
    }
    return false;
}

size_t LoadBalance::room(size_t wanted) {
    if (!can_send()) return 0;
    size_t room = 0;
    for (size_t i = 0; i < active_ && room < wanted; ++i)
        room += std::min(pipes_[i]->room(), wanted);
    return std::max<size_t>(room, 1);
}

} // namespace tern
