#include "pattern/pair.hpp"

namespace tern {

void Pair::attach(Pipe &pipe) {
    if (pipe_) host_.pipe_refused(pipe);
    else pipe_ = &pipe, writable_ = true;
}

void Pair::stop_writing(Pipe &pipe) {
    if (&pipe == pipe_) writable_ = false;
}

void Pair::detach(Pipe &pipe) {
    if (&pipe != pipe_) return;
    pipe_ = nullptr;
    writable_ = false;
    Message frame;
    while (pipe.is_mid_read() && pipe.read(frame)) {
        rest_.emplace_back();
        std::swap(*rest_.back(), frame);
    }
}

void Pair::readable(Pipe &pipe) {
    if (&pipe != pipe_ && pipe.has_ended()) host_.pipe_drained(pipe); // unheard to the end
}

Error Pair::send(Message &frame) {
    if (!pipe_ || !writable_ || (!pipe_->is_mid_write() && !pipe_->check_write())) return err::again;
    return pipe_->write(frame) ? err::none : err::no_memory;
}

Error Pair::recv(Message &frame) {
    if (!rest_.empty()) {
        frame.take(*rest_.front());
        rest_.pop_front();
        return err::none;
    }
    if (pipe_ && pipe_->read(frame)) return err::none;
    if (pipe_ && pipe_->is_drained()) host_.pipe_drained(*pipe_);
    return err::again;
}

bool Pair::can_send() {
    return pipe_ && writable_ && (pipe_->is_mid_write() || pipe_->check_write());
}

bool Pair::can_recv() {
    if (!rest_.empty()) return true;
    if (!pipe_) return false;
    if (pipe_->check_read()) return true;
    if (pipe_->is_drained()) host_.pipe_drained(*pipe_);
    return false;
}

} // namespace tern
