#include "pattern/channel_pair.hpp"

#include "pattern/single_parts.hpp"

namespace tern {

void ChannelPair::attach(Pipe &pipe) {
    pair_.attach(pipe);
    found_empty_ = found_full_ = false;
}

void ChannelPair::readable(Pipe &pipe) {
    pair_.readable(pipe);
    found_empty_ = false;
}

Error ChannelPair::send(Message &frame) {
    if (frame.has(Message::more)) return err::invalid;
    if (found_full_) return err::again;
    const Error error =
        send_without_routing_id(frame, [this](Message &f) { return pair_.send(f); });
    found_full_ = error == err::again;
    return error;
}

bool ChannelPair::can_send() {
    found_full_ = found_full_ || !pair_.can_send();
    return !found_full_;
}

bool ChannelPair::fetch() {
    Message frame;
    bool in_message = false; // one of several frames, which is dropped
    while (!has_fetched_ && !found_empty_) {
        if (pair_.recv(frame)) {
            found_empty_ = true;
            break;
        }
        const bool more = frame.has(Message::more);
        if (in_message || more) {
            frame.close();
        } else {
            std::swap(*fetched_, frame);
            has_fetched_ = true;
        }
        in_message = more;
    }
    return has_fetched_;
}

Error ChannelPair::recv(Message &frame) {
    if (!fetch()) return err::again;
    frame.take(*fetched_);
    has_fetched_ = false;
    return err::none;
}

bool ChannelPair::can_recv() { return fetch(); }

} // namespace tern
