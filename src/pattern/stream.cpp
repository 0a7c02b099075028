#include "pattern/stream.hpp"

#include <zmq.h>

namespace tern {

void Stream::attach(Pipe &pipe) {
    std::string id;
    if (pipe.is_connected_side() && !connect_routing_id_.empty()) {
        id = std::move(connect_routing_id_);
        connect_routing_id_.clear();
    } else {
        id = table_.generate();
    }
    newest_id_ = id;
    table_.assign(pipe, std::move(id));
    in_.attach(pipe);
}

void Stream::stop_writing(Pipe &pipe) {
    table_.remove(pipe);
    if (to_ == &pipe) to_ = nullptr;
}

void Stream::detach(Pipe &pipe) {
    stop_writing(pipe);
    in_.detach(pipe);
}

Error Stream::check_connect() {
    return !connect_routing_id_.empty() && table_.contains(Bytes(connect_routing_id_))
               ? err::invalid
               : err::none;
}

Error Stream::send(Message &frame) {
    if (!expects_body_) {
        to_ = nullptr;
        // Without MORE the id is swallowed, and the next frame as its body (STR-5).
        if (frame.has(Message::more)) {
            Pipe *pipe = table_.find(frame.bytes());
            if (!pipe || pipe->outbound().reader_is_gone()) return err::host_unreachable;
            if (!pipe->check_write()) return err::again;
            to_ = pipe;
        }
        expects_body_ = true;
        drop_frame(frame);
        return err::none;
    }
    frame.clear(Message::more);
    if (to_ && frame.size() == 0) { // close this connection (STR-3)
        table_.remove(*to_);
        host_.pipe_unwanted(*to_);
        to_ = nullptr;
    }
    if (to_ && !to_->write(frame)) return err::no_memory; // as if it had not been offered
    if (!to_) drop_frame(frame);
    expects_body_ = false;
    to_ = nullptr;
    return err::none;
}

bool Stream::can_recv() {
    if (has_prefetched_) return true;
    Message frame;
    Pipe *from = nullptr;
    if (in_.recv(frame, &from)) return false;
    std::swap(*prefetched_, frame);
    has_prefetched_ = true;
    id_handed_out_ = false;
    prefetched_id_ = from->peer_routing_id();
    return true;
}

Error Stream::recv(Message &frame) {
    if (!can_recv()) return err::again;
    if (id_handed_out_) {
        frame.take(*prefetched_);
        has_prefetched_ = false;
        return err::none;
    }
    if (frame.init_copy(Bytes(prefetched_id_))) return err::no_memory;
    frame.set(Message::more);
    frame.set_metadata(const_cast<Metadata *>(prefetched_->metadata()));
    id_handed_out_ = true;
    return err::none;
}

Error Stream::set_option(int option, const void *value, size_t size) {
    if (option == ZMQ_STREAM_NOTIFY) return err::none; // the link's business
    if (option != ZMQ_CONNECT_ROUTING_ID) return err::invalid;
    connect_routing_id_.assign(static_cast<const char *>(value), size);
    return err::none;
}

} // namespace tern
