#include "link/pgm_medium.hpp"

#include <algorithm>
#include <zmq.h>

namespace tern {

namespace {
// So long a sender that has nothing more to send stays, for those who have missed something.
constexpr int pgm_repair_ms = 1000;
// And so long a full kernel is waited for where its descriptor does not tell.
constexpr int blocked_ms = 10;
} // namespace

bool PgmMedium::sends(int socket_type) {
    return socket_type == ZMQ_PUB || socket_type == ZMQ_XPUB;
}

Result<std::unique_ptr<Medium>> PgmMedium::open(std::string_view address,
                                                const LinkOptions &options, bool in_udp) {
    auto session =
        PgmSession::open(address, options.transport, sends(options.socket_type), in_udp);
    if (!session) return session.error();
    if ((*session)->packet_max() <= pgm_offset_size) return err::invalid; // MULTICAST_MAXTPDU
    return std::unique_ptr<Medium>(std::make_unique<PgmMedium>(std::move(*session), options));
}

PgmMedium::PgmMedium(std::unique_ptr<PgmSession> session, const LinkOptions &options)
    : session_(std::move(session)), is_sender_(sends(options.socket_type)),
      max_message_size_(options.max_message_size), packer_(session_->packet_max()) {}

Error PgmMedium::watch(int fd, unsigned interest) {
    if (fd < 0) return err::none;
    const auto id = loop_->watch(fd, *this, interest);
    if (!id) return id.error();
    watches_.push_back({*id, fd, fd == session_->descriptors().send});
    return err::none;
}

Error PgmMedium::start(Loop &loop, MediumUser &user) {
    loop_ = &loop;
    user_ = &user;
    Error error = watch(session_->descriptors().send, 0);
    for (const int fd : session_->descriptors().receive)
        if (!error) error = watch(fd, ready::read);
    if (error) {
        for (Watched &each : watches_) loop.unwatch(each.id, each.fd);
        watches_.clear();
    } else if (is_sender_) {
        answer_receivers();
    }
    return error;
}

void PgmMedium::stop() {
    if (loop_) {
        for (Watched &each : watches_) loop_->unwatch(each.id, each.fd);
        watches_.clear();
        for (Loop::TimerId *timer : {&timer_, &rate_timer_, &repair_timer_}) loop_->cancel_timer(*timer);
    }
    session_.reset();
}

void PgmMedium::set_interest(unsigned of_receiving) {
    for (const Watched &each : watches_)
        if (!each.is_for_sending) (void)loop_->change(each.id, each.fd, of_receiving);
}

// A sender goes on answering.
void PgmMedium::pause() {
    if (is_sender_) return;
    loop_->cancel_timer(timer_);
    set_interest(0);
}

void PgmMedium::resume() {
    if (!is_sender_) set_interest(ready::read);
}

void PgmMedium::on_ready(unsigned bits) {
    if (!is_sender_) {
        tell_readable();
        return;
    }
    if (bits & ~unsigned(ready::write)) answer_receivers();
    if (is_blocked_) send_on();
}

// OpenPGM has said when it is to be called again.
void PgmMedium::call_again_later(void (PgmMedium::*what)()) {
    loop_->cancel_timer(timer_);
    const int wait_ms = session_->wait_ms();
    if (wait_ms < 0) return;
    timer_ = loop_->add_timer_ms(wait_ms, [this, what] {
        timer_ = {};
        (this->*what)();
    });
}

// ---- out

// What receivers ask for, and what is to be said from time to time, is OpenPGM's business.
void PgmMedium::answer_receivers() {
    while (session_->receive().kind != PgmSession::Received::Kind::nothing) {
    }
    call_again_later(&PgmMedium::answer_receivers);
}

void PgmMedium::send(Message &frame) {
    if (!is_sender_) {
        frame.close();
        return;
    }
    is_flushed_ = false;
    packer_.put(frame);
    frame.init();
    pack(false);
}

void PgmMedium::flush() {
    if (is_sender_ && !is_blocked_) pack(true);
}

// As far as the packets can be sent.
void PgmMedium::pack(bool flush) {
    while (packer_.fill(flush)) {
        if (!send_packet()) return;
        packer_.clear();
        if (packer_.wants_frame()) break;
    }
}

bool PgmMedium::send_packet() {
    const PgmSession::Sent sent = session_->send(packer_.packet());
    is_blocked_ = sent != PgmSession::Sent::done;
    for (const Watched &each : watches_)
        if (each.is_for_sending)
            (void)loop_->change(each.id, each.fd,
                                sent == PgmSession::Sent::blocked ? unsigned(ready::write) : 0u);
    loop_->cancel_timer(rate_timer_);
    loop_->cancel_timer(repair_timer_);
    if (is_blocked_) {
        const int wait_ms = std::max(session_->wait_ms(), sent == PgmSession::Sent::blocked ? blocked_ms : 1);
        rate_timer_ = loop_->add_timer_ms(wait_ms, [this] {
            rate_timer_ = {};
            send_on();
        });
        return false;
    }
    repair_timer_ = loop_->add_timer_ms(pgm_repair_ms, [this] {
        repair_timer_ = {};
        is_flushed_ = packer_.wants_frame() && packer_.is_empty();
        if (is_flushed_) user_->medium_writable();
    });
    return true;
}

// The packet that had to wait, and what follows.
void PgmMedium::send_on() {
    if (!send_packet()) return;
    packer_.clear();
    if (!packer_.wants_frame()) pack(false);
    if (can_send()) user_->medium_writable();
}

// ---- in

bool PgmMedium::receive(Message &frame) {
    while (!is_sender_) {
        if (ready_.take(frame)) return true;
        const PgmSession::Received received = session_->receive();
        switch (received.kind) {
        case PgmSession::Received::Kind::packet: take_packet(received.sender, received.packet); break;
        case PgmSession::Received::Kind::lost: senders_.erase(received.sender); break;
        case PgmSession::Received::Kind::nothing:
            call_again_later(&PgmMedium::tell_readable);
            return false;
        }
    }
    return false;
}

PgmMedium::Sender &PgmMedium::sender(PgmSession::Sender from) {
    const auto it = senders_.find(from);
    if (it != senders_.end()) return it->second;
    if (senders_.size() >= senders_max)
        senders_.erase(std::min_element(senders_.begin(), senders_.end(),
                                        [](const auto &a, const auto &b) {
                                            return a.second.last_heard < b.second.last_heard;
                                        }));
    return senders_.try_emplace(from, max_message_size_).first->second;
}

void PgmMedium::take_packet(PgmSession::Sender from, Bytes packet) {
    Sender &who = sender(from);
    who.last_heard = ++packets_;
    if (!who.decoder.put(packet)) {
        who.parts.clear();
        return;
    }
    for (;;) {
        switch (who.decoder.next()) {
        case PgmDecoder::Step::need_packet: return;
        case PgmDecoder::Step::broken: who.parts.clear(); return;
        case PgmDecoder::Step::frame: break;
        }
        OwnMessage frame;
        who.decoder.take(*frame);
        ready_.add(who.parts, std::move(frame));
    }
}

} // namespace tern
