#include "socket/monitor.hpp"

#include <mutex>
#include <zmq.h>

namespace tern {

Error Monitor::start(const std::string &name) {
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
    add(static_cast<uint16_t>(event), static_cast<uint32_t>(value),
        endpoints.bound_side ? endpoints.local : endpoints.remote);
}

// Version 1: [16-bit event][32-bit value] in native order, then the address.
void Monitor::add(uint16_t event, uint32_t value, const std::string &address) {
    if (stopped_ || collector_left_ || !(event & events_)) return;
    uint8_t what[6];
    std::memcpy(what, &event, 2);
    std::memcpy(what + 2, &value, 4);
    waiting_.emplace_back();
    Event &added = waiting_.back();
    if (added.what->init_copy(Bytes(what, sizeof what)) ||
        added.where->init_copy(Bytes(address))) { // no memory: counted like any other lost event
        added.what->init();
        added.where->init();
        waiting_.pop_back();
        ++dropped_;
        return;
    }
    added.what->set(Message::more);
    send_waiting();
    if (waiting_.size() > events_max) {
        waiting_.pop_front();
        ++dropped_;
    }
}

void Monitor::send_waiting() {
    while (collector_ && !waiting_.empty() && collector_->check_write()) {
        Event &event = waiting_.front();
        if (!collector_->write(*event.what)) return;
        if (!collector_->write(*event.where)) {
            collector_->rollback();
            return;
        }
        waiting_.pop_front();
    }
}

void Monitor::news_posted() {
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
        if ((news & Pipe::attach) && !collector_ && !collector_left_ && !stopped_)
            collector_ = pipe;
        if (pipe != collector_) {
            let_go(*pipe); // one collector at a time
        } else if (news & Pipe::ended) {
            collector_left_ = true;
            collector_ = nullptr;
            waiting_.clear();
            let_go(*pipe);
        } else {
            send_waiting();
        }
        pipe = next;
    }
}

void Monitor::let_go(Pipe &pipe) {
    const bool in_mailbox = pipe.deafen();
    pipe.close();
    if (in_mailbox) ++late_releases_;
    else pipe.release();
}

void Monitor::stop(bool tell) {
    {
        // Not under our lock: the names' lock is held while news is posted to us.
        Mailbox *mailbox;
        {
            std::lock_guard<Lock> guard(lock_);
            mailbox = mailbox_;
        }
        if (mailbox) names_.unbind_all(mailbox);
    }
    std::lock_guard<Lock> guard(lock_);
    if (stopped_) return;
    if (tell) add(static_cast<uint16_t>(ZMQ_EVENT_MONITOR_STOPPED), 0, {});
    take_news();
    stopped_ = true;
    if (collector_) {
        // What the collector has no room for yet must not be lost with us.
        collector_->outbound().set_writer_part(0);
        send_waiting();
        let_go(*collector_);
        collector_ = nullptr;
    }
    waiting_.clear();
    while (late_releases_ > 0) take_news();
    if (mailbox_) mailbox_->drop_reference();
    mailbox_ = nullptr;
}

} // namespace tern
