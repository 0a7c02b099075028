#include "link/carrier.hpp"

namespace tern {

namespace {
// Out of descriptors or memory: no busy loop.
constexpr int retry_ms = 100;
// So many frames, and others have their turn on the thread.
constexpr int frames_per_task = 256;
} // namespace

Carrier::Carrier(LinkHostPointer host, uint64_t id, std::unique_ptr<Medium> medium)
    : host_holder_(std::move(host)), host_(*host_holder_), id_(id), medium_(std::move(medium)) {}

Pipe *Carrier::make_pipe(Mailbox &socket_mailbox, const LinkOptions &options) {
    PipePair *pair = PipePair::create(true);
    if (!pair) return nullptr;
    Pipe &near = pair->near_end();
    pipe_ = &pair->far_end();
    near.endpoint_id = id_;
    near.set_takes_everything();
    near.set_mailbox(&socket_mailbox);
    near.outbound().set_writer_part(options.send_hwm);
    pipe_->outbound().set_reader_part(options.receive_hwm);
    if (options.conflate) near.outbound().conflate(), pipe_->outbound().conflate();
    // The mailbox holds the carrier and the carrier the mailbox, until the pipe is let go of.
    mailbox_ = new Mailbox;
    mailbox_->set_listener(shared_from_this());
    pipe_->set_mailbox(mailbox_);
    return &near;
}

void Carrier::start() {
    if (is_over_) return;
    if (medium_->start(host_.loop(), *this)) {
        timer_ = host_.loop().add_timer_ms(retry_ms, [self = shared_from_this()] {
            self->timer_ = {};
            self->start();
        });
        return;
    }
    is_started_ = true;
    pump_in();
    pump_out();
}

void Carrier::news_posted() {
    host_.loop().post([self = shared_from_this()] { self->take_news(); });
}

void Carrier::take_news() {
    Pipe *const posted = mailbox_ ? mailbox_->take_news() : nullptr;
    if (!posted) return;
    if (posted->take_news() & Pipe::deaf) {
        release_pipe();
        return;
    }
    if (!is_started_ || is_over_) return;
    if (is_paused_) {
        is_paused_ = false;
        medium_->resume();
        pump_in();
    }
    pump_out();
}

void Carrier::medium_readable() {
    if (!is_over_ && !pumps_in_later_) pump_in();
}

void Carrier::medium_writable() {
    if (!is_over_) pump_out();
}

void Carrier::pump_out() {
    if (is_over_) return;
    for (int frames = 0; medium_->can_send(); ++frames) {
        if (frames == frames_per_task) {
            host_.loop().post([self = shared_from_this()] { self->pump_out(); });
            return;
        }
        Message frame;
        if (!pipe_->read(frame)) break; // which has left the sign that lets the socket tell
        medium_->send(frame);
    }
    medium_->flush();
    if (!medium_->can_send() || !pipe_->has_ended()) return;
    // After the end nothing is written any more; what was written shortly before it is seen now. A
    // look that finds something takes the sign back, so it is followed by a read.
    if (pipe_->check_read()) host_.loop().post([self = shared_from_this()] { self->pump_out(); });
    else if (medium_->is_flushed()) finish();
}

void Carrier::pump_in() {
    if (is_over_) return;
    for (int frames = 0; frames < frames_per_task; ++frames) {
        if (!is_mid_message_ && !pipe_->check_write()) {
            is_paused_ = true;
            medium_->pause();
            return;
        }
        Message frame;
        if (!medium_->receive(frame)) return;
        is_mid_message_ = frame.has(Message::more);
        if (!drops_message_ && !pipe_->write(frame)) {
            pipe_->rollback();
            drops_message_ = true;
        }
        if (drops_message_) frame.close();
        drops_message_ = drops_message_ && is_mid_message_;
    }
    pump_in_later();
}

// Once at a time: the medium goes on reporting what is there, and each report would begin a row of tasks
// that lasts as long as there is more.
void Carrier::pump_in_later() {
    if (std::exchange(pumps_in_later_, true)) return;
    host_.loop().post([self = shared_from_this()] {
        self->pumps_in_later_ = false;
        self->pump_in();
    });
}

void Carrier::close(int linger_ms) {
    medium_->end_input(host_.loop());
    if (linger_ms < 0) return; // the pipe's end says all
    host_.loop().post([self = shared_from_this(), linger_ms] {
        if (self->is_over_) return;
        self->host_.loop().cancel_timer(self->timer_);
        if (linger_ms == 0 || !self->is_started_) {
            self->finish();
            return;
        }
        self->timer_ = self->host_.loop().add_timer_ms(linger_ms, [self] {
            self->timer_ = {};
            self->finish();
        });
    });
}

void Carrier::finish() {
    if (is_over_) return;
    is_over_ = true;
    // The medium, and whoever called it, may be on the stack.
    host_.loop().post([self = shared_from_this()] {});
    host_.loop().cancel_timer(timer_);
    medium_->stop();
    const bool is_in_mailbox = pipe_->deafen();
    pipe_->close();
    if (!is_in_mailbox) release_pipe();
    Turn turn(host_.turn());
    host_.endpoint_finished(id_);
}

void Carrier::release_pipe() {
    const std::shared_ptr<Carrier> self = shared_from_this(); // until the mailbox is gone
    pipe_->release();
    pipe_ = nullptr;
    std::exchange(mailbox_, nullptr)->drop_reference();
}

} // namespace tern
