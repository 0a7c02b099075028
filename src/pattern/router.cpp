#include "pattern/router.hpp"

#include "pattern/dealer.hpp"

#include <zmq.h>

namespace tern {

void Router::attach(Pipe &pipe) {
    if (probe_router_) write_probe(pipe);
    if (pipe.is_connected_side() && !connect_routing_id_.empty()) {
        table_.assign(pipe, std::move(connect_routing_id_));
        connect_routing_id_.clear();
        in_.attach(pipe);
    } else if (raw_ || pipe.is_identified()) {
        identify(pipe);
    }
}

// The peer has said who it is. One with a name in use is left unheard, unless names are handed over.
void Router::identify(Pipe &pipe) {
    std::string id = pipe.peer_routing_id();
    if (raw_ || id.empty()) {
        id = table_.generate();
    } else if (Pipe *holder = table_.find(Bytes(id))) {
        if (!handover_) {
            pipe.set_peer_routing_id({});
            host_.pipe_unheard(pipe);
            return;
        }
        // The old connection stays up, unheard and unaddressed (RTR-8); a message of it that is
        // being read is read to its end first (RTR-9).
        if (holder == from_ && (has_prefetched_ || in_body_)) mute_after_message_ = holder;
        else mute(*holder);
        if (to_ == holder) to_ = nullptr;
        holder->rollback();
    }
    table_.assign(pipe, std::move(id));
    in_.attach(pipe);
}

void Router::mute(Pipe &pipe) {
    in_.detach(pipe);
    host_.pipe_unheard(pipe);
}

void Router::identified(Pipe &pipe) {
    // Once: a pipe that was heard or addressed keeps its name after a reconnect.
    if (!in_.contains(pipe)) identify(pipe);
}

void Router::readable(Pipe &pipe) {
    if (in_.contains(pipe)) in_.readable(pipe);
    else if (pipe.has_ended()) host_.pipe_drained(pipe); // unheard to the end
}

void Router::stop_writing(Pipe &pipe) {
    table_.remove(pipe);
    if (to_ == &pipe) to_ = nullptr;
}

void Router::message_read() {
    in_body_ = false;
    if (mute_after_message_) mute(*mute_after_message_);
    mute_after_message_ = nullptr;
}

void Router::detach(Pipe &pipe) {
    stop_writing(pipe);
    if (&pipe == from_) from_ = nullptr;
    if (&pipe == mute_after_message_) mute_after_message_ = nullptr;
    in_.detach(pipe);
}

Error Router::check_connect() {
    return !connect_routing_id_.empty() && table_.contains(Bytes(connect_routing_id_))
               ? err::invalid
               : err::none;
}

Error Router::begin_message(Message &id) {
    to_ = nullptr;
    // A single frame names a peer and says nothing: dropped (RTR-16).
    if (id.has(Message::more)) {
        Pipe *pipe = table_.find(id.bytes());
        if (pipe && pipe->outbound().reader_is_gone()) pipe = nullptr;
        if (pipe && pipe->check_write()) to_ = pipe;
        else if (mandatory_) return pipe ? err::again : err::host_unreachable;
        mid_message_ = true;
    }
    drop_frame(id);
    return err::none;
}

Error Router::send(Message &frame) {
    if (!mid_message_) return begin_message(frame);
    if (raw_) frame.clear(Message::more);
    const bool more = frame.has(Message::more);
    if (to_ && raw_ && frame.size() == 0) {
        table_.remove(*to_);
        host_.pipe_unwanted(*to_);
        to_ = nullptr;
    }
    if (to_ && !to_->write(frame)) return err::no_memory; // as if it had not been offered
    if (!to_) drop_frame(frame);
    mid_message_ = more;
    if (!more) to_ = nullptr;
    return err::none;
}

bool Router::fetch() {
    if (in_.recv(*prefetched_, &from_)) return false; // nothing is lost: it was empty
    has_prefetched_ = true;
    id_handed_out_ = false;
    return true;
}

// Until the message is asked for, its pipe may go, or get another name.
bool Router::prefetch() {
    if (has_prefetched_) return true;
    if (!fetch()) return false;
    prefetched_id_ = from_->peer_routing_id();
    return true;
}

Error Router::recv(Message &frame) {
    if (has_prefetched_ && id_handed_out_) {
        frame.take(*prefetched_);
        has_prefetched_ = false;
        in_body_ = frame.has(Message::more);
        if (!in_body_) message_read();
        return err::none;
    }
    if (in_body_) {
        if (const Error error = in_.recv(frame)) return error;
        if (!frame.has(Message::more)) message_read();
        return err::none;
    }
    const bool was_prefetched = has_prefetched_;
    if (!was_prefetched && !fetch()) return err::again;
    if (frame.init_copy(Bytes(was_prefetched ? prefetched_id_ : from_->peer_routing_id()))) {
        if (!was_prefetched) prefetched_id_ = from_->peer_routing_id();
        return err::no_memory;
    }
    frame.set(Message::more);
    frame.set_metadata(const_cast<Metadata *>(prefetched_->metadata()));
    id_handed_out_ = true;
    return err::none;
}

bool Router::can_send() {
    if (!mandatory_ || mid_message_) return true;
    return table_.any([](Pipe &pipe) { return pipe.check_write(); });
}

bool Router::can_recv() { return in_body_ || prefetch(); }

Result<bool> Router::peer_has_room(Bytes routing_id) {
    Pipe *const pipe = table_.find(routing_id);
    if (!pipe || pipe->outbound().reader_is_gone()) return err::host_unreachable;
    return pipe->check_write();
}

Error Router::set_option(int option, const void *value, size_t size) {
    switch (option) {
    case ZMQ_ROUTER_MANDATORY: mandatory_ = option_int(value) != 0; return err::none;
    case ZMQ_ROUTER_HANDOVER: handover_ = option_int(value) != 0; return err::none;
    case ZMQ_ROUTER_RAW: raw_ = raw_ || option_int(value) != 0; return err::none;
    case ZMQ_PROBE_ROUTER: probe_router_ = option_int(value) != 0; return err::none;
    case ZMQ_CONNECT_ROUTING_ID:
        connect_routing_id_.assign(static_cast<const char *>(value), size);
        return err::none;
    default: return err::invalid;
    }
}

} // namespace tern
