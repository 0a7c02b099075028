#include "pattern/xsub.hpp"

#include "flow/surely.hpp"

#include <zmq.h>

namespace tern {

void Xsub::attach(Pipe &pipe) {
    in_.attach(pipe);
    out_.attach(pipe);
    send_all_subscriptions(pipe);
}

void Xsub::detach(Pipe &pipe) {
    in_.detach(pipe);
    out_.detach(pipe);
}

// What was not sent on the old connection is replaced by the whole set (RC-11).
void Xsub::reconnected(Pipe &pipe) {
    pipe.discard_outbound();
    // It also misses the rest of a message under way.
    out_.detach(pipe);
    out_.attach(pipe);
    send_all_subscriptions(pipe);
}

void Xsub::send_all_subscriptions(Pipe &pipe) {
    subscriptions_.for_each([&pipe](Bytes topic, Count &) {
        Message frame;
        surely([&] { return frame.init_copy(topic); });
        frame.set(Message::subscribe);
        pipe.write_surely(frame);
    });
}

// What is noted here is told to everybody.
void Xsub::announce(Bytes topic, Message::Flag kind) {
    const WaitsForMemory waits;
    Message frame;
    surely([&] { return frame.init_copy(topic); });
    frame.set(kind);
    out_.send_to_all_regardless(frame);
    frame.close();
}

void Xsub::subscribe(Bytes topic) {
    if (++subscriptions_.at(topic).references == 1) ++topics_;
}

bool Xsub::unsubscribe(Bytes topic) {
    Count *count = subscriptions_.find(topic);
    if (!count || --count->references > 0) return false;
    --topics_;
    subscriptions_.prune(topic);
    return true;
}

bool Xsub::matches(Bytes text) {
    bool found = false;
    subscriptions_.for_each_prefix(text, [&found](Count &) {
        found = true;
        return false;
    });
    return found;
}

Error Xsub::send(Message &frame) {
    const bool first = !mid_send_;
    mid_send_ = frame.has(Message::more);
    const bool may_subscribe = first || !only_first_subscribe_ || sending_subscriptions_;
    const bool is_subscription = may_subscribe && frame.size() > 0 && frame.data()[0] <= 1;
    if (first) {
        forwarded_any_ = false;
        sending_subscriptions_ = is_subscription;
    }
    if (!forwarded_any_) { // a subscription that said nothing new has chosen nobody (DI-1)
        out_.begin_matching();
        out_.match_all();
    }
    if (!is_subscription) {
        forwarded_any_ = true;
        out_.send(frame);
        return err::none;
    }
    const Bytes topic = frame.bytes().skip(1);
    bool forward = true;
    if (frame.data()[0] == 1) subscribe(topic);
    else forward = unsubscribe(topic) || verbose_unsubscribe_;
    if (forward) {
        out_.send_to_all_regardless(frame);
        forwarded_any_ = true;
    } else if (forwarded_any_ && !mid_send_) {
        out_.send_to_matched_regardless(frame); // what was begun is ended, if with a frame that says nothing new
    }
    if (!mid_send_) out_.end_message();
    drop_frame(frame);
    return err::none;
}

Error Xsub::set_option(int option, const void *value, size_t size) {
    switch (option) {
    case ZMQ_ONLY_FIRST_SUBSCRIBE: only_first_subscribe_ = option_int(value) != 0; return err::none;
    case ZMQ_XSUB_VERBOSE_UNSUBSCRIBE:
        verbose_unsubscribe_ = option_int(value, size) != 0;
        return err::none;
    default: return err::invalid;
    }
}

bool Sub::fetch_matching() {
    if (has_fetched_) {
        // A subscription that went away meanwhile takes the message along (SUB-6).
        if (wants(fetched_->bytes())) return true;
        has_fetched_ = false;
        Message rest;
        for (bool more = fetched_->has(Message::more); more && !in_.recv(rest); rest.close())
            more = rest.has(Message::more);
        drop_frame(*fetched_);
    }
    Message frame;
    while (!in_.recv(frame)) {
        if (wants(frame.bytes())) {
            std::swap(*fetched_, frame);
            has_fetched_ = true;
            return true;
        }
        bool more = frame.has(Message::more);
        frame.close();
        while (more && !in_.recv(frame)) {
            more = frame.has(Message::more);
            frame.close();
        }
    }
    return false;
}

Error Sub::recv(Message &frame) {
    if (mid_recv_) {
        if (const Error error = in_.recv(frame)) return error;
    } else {
        if (!fetch_matching()) return err::again;
        frame.take(*fetched_);
        has_fetched_ = false;
    }
    mid_recv_ = frame.has(Message::more);
    return err::none;
}

bool Sub::can_recv() { return mid_recv_ || fetch_matching(); }

Error Sub::set_option(int option, const void *value, size_t size) {
    switch (option) {
    case ZMQ_SUBSCRIBE:
        subscribe(Bytes(value, size));
        announce(Bytes(value, size), Message::subscribe);
        return err::none;
    case ZMQ_UNSUBSCRIBE:
        if (unsubscribe(Bytes(value, size))) announce(Bytes(value, size), Message::cancel);
        return err::none;
    case ZMQ_INVERT_MATCHING: invert_matching_ = option_int(value) != 0; return err::none;
    default: return err::invalid;
    }
}

} // namespace tern
