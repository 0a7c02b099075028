#include "pattern/xpub.hpp"

#include "flow/surely.hpp"

#include <zmq.h>

namespace tern {

void Xpub::attach(Pipe &pipe) {
    out_.attach(pipe);
    pipe.note.flag = false;
    if (pipe.takes_everything() && add(subscriptions_, pipe, {})) ++topics_; // the application is not told
    if (!welcome_.empty()) {
        Message frame;
        surely([&] { return frame.init_copy(Bytes(welcome_)); });
        pipe.write_surely(frame);
    }
    readable(pipe);
}

void Xpub::stop_writing(Pipe &pipe) { out_.detach(pipe); }

void Xpub::detach(Pipe &pipe) {
    out_.detach(pipe);
    if (last_asker_ == &pipe) last_asker_ = nullptr;
    for (Pending &pending : pending_)
        if (pending.pipe == &pipe) pending.pipe = nullptr;
    if (manual_) {
        remove_everywhere(subscriptions_, pipe, false);
        remove_everywhere(requested_, pipe, true);
    } else {
        remove_everywhere(subscriptions_, pipe, true);
        remove_everywhere(requested_, pipe, false);
    }
}

// note.flag: a user message began with a subscription, so its further frames may be ones too.
void Xpub::readable(Pipe &pipe) {
    Message frame;
    while (true) {
        const bool first = !pipe.is_mid_read();
        if (!pipe.read(frame)) break;
        const bool flagged = frame.has(Message::subscribe) || frame.has(Message::cancel);
        if (first) pipe.note.flag = false;
        const bool may_subscribe = first || !only_first_subscribe_ || pipe.note.flag;
        if (flagged) {
            take_subscription(pipe, frame.has(Message::subscribe), frame.bytes(), frame.metadata());
        } else if (may_subscribe && frame.size() > 0 && frame.data()[0] <= 1) {
            pipe.note.flag = true;
            take_subscription(pipe, frame.data()[0] == 1, frame.bytes().skip(1), frame.metadata());
        } else if (tells_application_) {
            pending_.push_back({OwnMessage(), nullptr, false});
            std::swap(*pending_.back().frame, frame);
        }
        frame.close();
    }
    if (pipe.is_drained()) host_.pipe_drained(pipe);
}

bool Xpub::add(Subscriptions &in, Pipe &pipe, Bytes topic) {
    PipeSet &subscribers = in.at(topic);
    const bool is_new_topic = subscribers.empty();
    subscribers.insert(pipe);
    return is_new_topic;
}

Xpub::Removed Xpub::remove(Subscriptions &in, Pipe &pipe, Bytes topic) {
    PipeSet *subscribers = in.find(topic);
    if (!subscribers || !subscribers->erase(pipe)) return Removed::unknown;
    if (!subscribers->empty()) return Removed::others_remain;
    in.prune(topic);
    return Removed::last;
}

void Xpub::remove_everywhere(Subscriptions &in, Pipe &pipe, bool tell_application) {
    int emptied = 0;
    in.for_each([&](Bytes topic, PipeSet &subscribers) {
        if (!subscribers.erase(pipe)) return;
        const bool last = subscribers.empty();
        emptied += last;
        if (tell_application && (manual_ || last || verbose_unsubscribe_))
            tell(false, topic, nullptr, nullptr);
    });
    if (&in == &subscriptions_) topics_ -= emptied;
}

void Xpub::take_subscription(Pipe &pipe, bool subscribe, Bytes topic, const Metadata *metadata) {
    if (manual_) {
        if (subscribe) add(requested_, pipe, topic);
        else (void)remove(requested_, pipe, topic);
        tell(subscribe, topic, metadata, &pipe);
        return;
    }
    bool notify;
    if (subscribe) {
        const bool is_new = add(subscriptions_, pipe, topic);
        if (is_new) ++topics_;
        notify = is_new || verbose_subscribe_;
    } else {
        const Removed removed = remove(subscriptions_, pipe, topic);
        if (removed == Removed::last) --topics_;
        notify = removed != Removed::others_remain || verbose_unsubscribe_;
    }
    if (notify) tell(subscribe, topic, metadata, nullptr);
}

// Towards the application always in the old form, whatever the peer's protocol (XPUB-5).
void Xpub::tell(bool subscribe, Bytes topic, const Metadata *metadata, Pipe *pipe) {
    if (!tells_application_) return;
    OwnMessage frame;
    surely([&] { return frame->init_size(topic.size() + 1); });
    uint8_t *const body = frame->data();
    body[0] = subscribe ? 1 : 0;
    if (!topic.empty()) std::memcpy(body + 1, topic.data(), topic.size());
    frame->set_metadata(const_cast<Metadata *>(metadata));
    pending_.push_back({std::move(frame), pipe, true});
}

void Xpub::match(const Message &frame) {
    out_.begin_matching();
    subscriptions_.for_each_prefix(frame.bytes(), [this](PipeSet &subscribers) {
        subscribers.for_each([this](Pipe &pipe) {
            if (!send_to_last_asker_ || &pipe == last_asker_) out_.match(pipe);
        });
        return true;
    });
    if (invert_matching_) out_.invert_matching();
}

Error Xpub::send(Message &frame) {
    if (!out_.is_mid_message()) {
        match(frame);
        if (no_drop_ && !out_.all_matched_have_room()) return err::again;
    }
    if (!frame.has(Message::more)) send_to_last_asker_ = false;
    out_.send(frame);
    return err::none;
}

Error Xpub::recv(Message &frame) {
    if (!tells_application_) return err::not_supported;
    if (pending_.empty()) return err::again;
    Pending &next = pending_.front();
    if (manual_ && next.is_request) {
        last_asker_ = next.pipe;
        send_to_last_asker_ = last_value_ && last_asker_;
    }
    frame.take(*next.frame);
    pending_.pop_front();
    return err::none;
}

Error Xpub::set_option(int option, const void *value, size_t size) {
    if (option == ZMQ_XPUB_WELCOME_MSG) {
        welcome_.assign(static_cast<const char *>(value), value ? size : 0);
        return err::none;
    }
    if (option == ZMQ_SUBSCRIBE || option == ZMQ_UNSUBSCRIBE) {
        if (!manual_) return err::invalid;
        const Bytes topic(value, size);
        if (!last_asker_) return err::none; // nobody asked, or it left (XPUB-9)
        if (option == ZMQ_SUBSCRIBE) topics_ += add(subscriptions_, *last_asker_, topic);
        else topics_ -= remove(subscriptions_, *last_asker_, topic) == Removed::last;
        return err::none;
    }
    const bool on = option_int(value) != 0;
    switch (option) {
    case ZMQ_XPUB_VERBOSE:
        verbose_subscribe_ = on;
        verbose_unsubscribe_ = false;
        return err::none;
    case ZMQ_XPUB_VERBOSER:
        verbose_subscribe_ = on;
        verbose_unsubscribe_ = on;
        return err::none;
    case ZMQ_XPUB_MANUAL: manual_ = on; return err::none;
    case ZMQ_XPUB_MANUAL_LAST_VALUE:
        manual_ = on;
        last_value_ = on;
        return err::none;
    case ZMQ_XPUB_NODROP: no_drop_ = on; return err::none;
    case ZMQ_ONLY_FIRST_SUBSCRIBE: only_first_subscribe_ = on; return err::none;
    case ZMQ_INVERT_MATCHING: invert_matching_ = on; return err::none;
    default: return err::invalid;
    }
}

} // namespace tern
