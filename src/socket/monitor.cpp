#include "socket/monitor.hpp"

#include "os/memory_wait.hpp"

#include <algorithm>
#include <mutex>
#include <zmq.h>

namespace tern {

namespace {

// No memory: false, and nothing is left.
bool add_frame(std::vector<OwnMessage> &frames, Bytes body) {
    frames.emplace_back();
    if (!frames.back()->init_copy(body)) return true;
    frames.back()->init();
    return false;
}

bool add_number(std::vector<OwnMessage> &frames, uint64_t number) {
    return add_frame(frames, Bytes(&number, sizeof number));
}

bool make_version_1(std::vector<OwnMessage> &frames, uint64_t event, uint64_t value,
                    const EndpointTexts &endpoints) {
    const auto short_event = static_cast<uint16_t>(event);
    const auto short_value = static_cast<uint32_t>(value);
    uint8_t what[6];
    std::memcpy(what, &short_event, 2);
    std::memcpy(what + 2, &short_value, 4);
    return add_frame(frames, Bytes(what, sizeof what)) &&
           add_frame(frames, Bytes(endpoints.bound_side ? endpoints.local : endpoints.remote));
}

bool make_version_2(std::vector<OwnMessage> &frames, uint64_t event,
                    const std::vector<uint64_t> &values, const EndpointTexts &endpoints) {
    bool ok = add_number(frames, event) && add_number(frames, values.size());
    for (uint64_t value : values) ok = ok && add_number(frames, value);
    return ok && add_frame(frames, Bytes(endpoints.local)) &&
           add_frame(frames, Bytes(endpoints.remote));
}

} // namespace

Monitor::Monitor(InprocNames &names, uint64_t events, int version, int type)
    : names_(names), events_(events), version_(version), pattern_(make_pattern(type, *this, 0)) {}

Error Monitor::start(const std::string &name) {
    const WaitsForMemory waits;
    name_ = name;
    Mailbox *mailbox = new Mailbox;
    mailbox->set_listener(shared_from_this());
    {
        std::lock_guard<Lock> guard(lock_);
        mailbox_ = mailbox;
    }
    InprocSide side;
    side.mailbox = mailbox;
    side.send_hwm = 1000;
    const Error error = names_.bind(name, side);
    if (error) {
        std::lock_guard<Lock> guard(lock_);
        stopped_ = true;
        mailbox_ = nullptr;
        mailbox->drop_reference();
    }
    return error;
}

void Monitor::emit(LinkEvent event, int64_t value, const EndpointTexts &endpoints) {
    std::lock_guard<Lock> guard(lock_);
    add(static_cast<uint64_t>(event), {static_cast<uint64_t>(value)}, endpoints);
}

bool Monitor::reports_pipes() const { return (events_ & ZMQ_EVENT_PIPES_STATS) != 0; }

void Monitor::emit_pipe(uint64_t outbound, uint64_t inbound, const EndpointTexts &endpoints) {
    std::lock_guard<Lock> guard(lock_);
    add(ZMQ_EVENT_PIPES_STATS, {outbound, inbound}, endpoints);
}

void Monitor::add(uint64_t event, const std::vector<uint64_t> &values,
                  const EndpointTexts &endpoints) {
    const WaitsForMemory waits;
    if (stopped_ || collectors_left_ || !(event & events_)) return;
    if (version_ != 1 && version_ != 2) return;
    waiting_.emplace_back();
    std::vector<OwnMessage> &frames = waiting_.back().frames;
    if (version_ == 1 ? !make_version_1(frames, event, values[0], endpoints)
                      : !make_version_2(frames, event, values, endpoints)) {
        waiting_.pop_back(); // counted like any other lost event
        ++dropped_;
        return;
    }
    for (size_t i = 0; i + 1 < frames.size(); ++i) frames[i]->set(Message::more);
    send_waiting();
    if (waiting_.size() > events_max) {
        // One of which a frame is out already goes on.
        waiting_.erase(waiting_.begin() + (waiting_.front().sent > 0 ? 1 : 0));
        ++dropped_;
    }
}

void Monitor::send_waiting() {
    while (!waiting_.empty()) {
        Event &event = waiting_.front();
        for (; event.sent < event.frames.size(); ++event.sent)
            if (pattern_->send(*event.frames[event.sent])) return; // no room, or nobody there
        waiting_.pop_front();
    }
}

void Monitor::news_posted() {
    const WaitsForMemory waits;
    std::lock_guard<Lock> guard(lock_);
    take_news();
}

void Monitor::take_news() {
    if (!mailbox_) return;
    Pipe *pipe = mailbox_->take_news();
    while (pipe) {
        Pipe *next = pipe->next_news;
        const uint8_t news = pipe->take_news();
        if (news & Pipe::deaf) { // let go while it was still in the mailbox
            --late_releases_;
            pipe->release();
            pipe = next;
            continue;
        }
        if (news & Pipe::attach) meet(*pipe);
        if (std::find(collectors_.begin(), collectors_.end(), pipe) == collectors_.end()) {
            let_go(*pipe); // refused
        } else if (news & Pipe::ended) {
            lose(*pipe);
            let_go(*pipe);
            collectors_left_ = collectors_.empty();
            if (collectors_left_) waiting_.clear();
        } else {
            if (news & Pipe::writable) pattern_->writable(*pipe);
            if (news & Pipe::readable) pattern_->readable(*pipe);
        }
        pipe = next;
    }
    send_waiting();
}

void Monitor::meet(Pipe &pipe) {
    if (stopped_) return;
    refused_ = nullptr;
    pattern_->attach(pipe);
    if (refused_) return;
    collectors_.push_back(&pipe);
    collectors_left_ = false;
}

void Monitor::lose(Pipe &pipe) {
    pattern_->stop_writing(pipe);
    pattern_->detach(pipe);
    collectors_.erase(std::find(collectors_.begin(), collectors_.end(), &pipe));
}

void Monitor::let_go(Pipe &pipe) {
    const bool in_mailbox = pipe.deafen();
    pipe.close();
    if (in_mailbox) ++late_releases_;
    else pipe.release();
}

void Monitor::stop(bool tell) {
    const WaitsForMemory waits;
    {
        // Not under our lock: the names' lock is held while news is posted to us.
        Mailbox *mailbox;
        {
            std::lock_guard<Lock> guard(lock_);
            mailbox = mailbox_;
        }
        if (mailbox) names_.unbind(name_, mailbox);
    }
    std::lock_guard<Lock> guard(lock_);
    if (stopped_) return;
    if (tell) add(ZMQ_EVENT_MONITOR_STOPPED, {0}, {});
    take_news();
    stopped_ = true;
    // What the collectors have no room for yet must not be lost with us.
    for (Pipe *pipe : collectors_) {
        pipe->outbound().set_writer_part(0);
        pattern_->writable(*pipe);
    }
    send_waiting();
    while (!collectors_.empty()) {
        Pipe &pipe = *collectors_.back();
        lose(pipe);
        let_go(pipe);
    }
    waiting_.clear();
    while (late_releases_ > 0) take_news();
    if (mailbox_) mailbox_->drop_reference();
    mailbox_ = nullptr;
}

} // namespace tern
