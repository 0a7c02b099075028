#include "pattern/rep.hpp"

#include <zmq.h>

namespace tern {

void Rep::stop_writing(Pipe &pipe) {
    if (&pipe == reply_pipe_) reply_pipe_ = nullptr;
}

void Rep::detach(Pipe &pipe) {
    stop_writing(pipe);
    in_.detach(pipe);
}

// Reads envelopes until a request with a body stands at its first body frame.
bool Rep::begin_request() {
    while (!in_request_) {
        envelope_.clear();
        for (;;) {
            Message frame;
            if (in_.recv(frame, &request_pipe_)) return false;
            const bool is_delimiter = frame.size() == 0;
            const bool more = frame.has(Message::more);
            envelope_.emplace_back();
            std::swap(*envelope_.back(), frame);
            if (!more) break; // no delimiter, or no body: not a request (REP-3)
            if (is_delimiter) {
                in_request_ = true;
                reply_pipe_ = request_pipe_->writing_stopped ? nullptr : request_pipe_;
                break;
            }
        }
    }
    return true;
}

Error Rep::recv(Message &frame) {
    if (state_ != State::receiving) return err::wrong_state;
    if (!begin_request()) return err::again;
    if (const Error error = in_.recv(frame)) return error;
    if (!frame.has(Message::more)) {
        in_request_ = false;
        state_ = State::replying;
        reply_begun_ = false;
    }
    return err::none;
}

void Rep::begin_reply() {
    reply_begun_ = true;
    if (reply_pipe_ && !reply_pipe_->check_write()) reply_pipe_ = nullptr; // full: dropped (REP-5)
    for (OwnMessage &part : envelope_) {
        part->set(Message::more);
        if (reply_pipe_) reply_pipe_->write_surely(*part);
    }
    envelope_.clear();
}

Error Rep::send(Message &frame) {
    if (state_ != State::replying) return err::wrong_state;
    if (!reply_begun_) begin_reply();
    const bool more = frame.has(Message::more);
    if (reply_pipe_ && !reply_pipe_->write(frame)) return err::no_memory;
    if (!reply_pipe_) drop_frame(frame);
    if (!more) {
        state_ = State::receiving;
        reply_pipe_ = nullptr;
    }
    return err::none;
}

// Only peers that have named themselves can be asked for.
Result<bool> Rep::peer_has_room(Bytes routing_id) {
    Pipe *const peer = in_.find([routing_id](Pipe &pipe) {
        return !routing_id.empty() && routing_id.text() == pipe.peer_routing_id();
    });
    if (!peer || peer->outbound().reader_is_gone()) return err::host_unreachable;
    return peer->check_write();
}

Error Rep::set_option(int option, const void *, size_t) {
    switch (option) {
    // REP accepts ROUTER's options (sockopts.md section 3); none of them changes what it does.
    case ZMQ_ROUTER_MANDATORY:
    case ZMQ_ROUTER_RAW:
    case ZMQ_ROUTER_HANDOVER:
    case ZMQ_PROBE_ROUTER:
    case ZMQ_CONNECT_ROUTING_ID: return err::none;
    default: return err::invalid;
    }
}

} // namespace tern
