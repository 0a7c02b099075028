#include "pattern/req.hpp"

#include "flow/surely.hpp"

#include <zmq.h>

namespace tern {

void Req::detach(Pipe &pipe) {
    if (&pipe == reply_pipe_) reply_pipe_ = nullptr;
    Dealer::detach(pipe);
}

Error Req::begin_request() {
    if (!out_.can_send()) return err::again;
    reply_pipe_ = nullptr;
    if (correlate_) {
        ++request_id_;
        Message id;
        if (id.init_copy(Bytes(&request_id_, sizeof request_id_))) return err::no_memory;
        id.set(Message::more);
        const Error error = out_.send(id, &reply_pipe_);
        id.close();
        if (error) return error;
    }
    Message delimiter;
    delimiter.init();
    delimiter.set(Message::more);
    const auto send = [&] { return out_.send(delimiter, &reply_pipe_); };
    if (correlate_) surely(send); // behind the id there is no way back
    else if (const Error error = send()) return error;
    // Replies to earlier requests are of no interest any more (REQ-5).
    Message stale;
    while (!in_.recv(stale)) stale.close();
    return err::none;
}

Error Req::send(Message &frame) {
    if (state_ == State::waiting) {
        if (!relaxed_) return err::wrong_state;
        // A reply that is half read is abandoned with its request.
        Message rest;
        while (!at_message_start_ && !in_.recv(rest)) {
            at_message_start_ = !rest.has(Message::more);
            rest.close();
        }
        state_ = State::sending;
        at_message_start_ = true;
    }
    if (at_message_start_) {
        if (const Error error = begin_request()) return error;
        at_message_start_ = false;
    }
    const bool more = frame.has(Message::more);
    if (const Error error = out_.send(frame)) return error;
    if (!more) {
        state_ = State::waiting;
        at_message_start_ = true;
    }
    return err::none;
}

void Req::skip_rest(Message &frame) {
    while (frame.has(Message::more)) {
        frame.close();
        if (in_.recv(frame)) {
            frame.init();
            return;
        }
    }
    frame.close();
}

Error Req::read_from_reply_pipe(Message &frame) {
    for (;;) {
        Pipe *from = nullptr;
        if (const Error error = in_.recv(frame, &from)) return error;
        if (!reply_pipe_ || from == reply_pipe_) return err::none;
        skip_rest(frame);
    }
}

// `first` is the first frame of a message; true leaves the message at its first body frame.
bool Req::read_envelope(Message &first) {
    if (correlate_) {
        const bool is_ours = first.has(Message::more) && first.size() == sizeof request_id_ &&
                             std::memcmp(first.data(), &request_id_, sizeof request_id_) == 0;
        if (!is_ours) {
            skip_rest(first);
            return false;
        }
        first.close();
        if (in_.recv(first)) return false;
    }
    if (!first.has(Message::more) || first.size() != 0) {
        skip_rest(first);
        return false;
    }
    first.close();
    return true;
}

Error Req::begin_reply() {
    for (;;) {
        Message first;
        if (const Error error = read_from_reply_pipe(first)) return error;
        if (read_envelope(first)) return err::none;
    }
}

Error Req::recv(Message &frame) {
    if (state_ != State::waiting) return err::wrong_state;
    if (at_message_start_) {
        if (const Error error = begin_reply()) return error;
        at_message_start_ = false;
    }
    if (const Error error = in_.recv(frame)) return error;
    if (!frame.has(Message::more)) {
        state_ = State::sending;
        at_message_start_ = true;
    }
    return err::none;
}

bool Req::can_send() { return (state_ == State::sending || relaxed_) && out_.can_send(); }

bool Req::can_recv() { return state_ == State::waiting && in_.can_recv(); }

Error Req::set_option(int option, const void *value, size_t size) {
    switch (option) {
    case ZMQ_REQ_RELAXED: relaxed_ = option_int(value) != 0; return err::none;
    case ZMQ_REQ_CORRELATE: correlate_ = option_int(value) != 0; return err::none;
    default: return Dealer::set_option(option, value, size);
    }
}

} // namespace tern
