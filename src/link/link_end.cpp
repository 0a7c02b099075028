// The end of a connection, and of a link: what was not sent is kept or dropped, what has arrived is not lost.
#include "link/link.hpp"
#include "link/local_messages.hpp"

#include <zmq.h>

namespace tern {

namespace {
// How long the end of a connection waits for a peer that was sending: to stop, once it has everything, and to take more.
// Of a peer that takes nothing for longer it is not known whether it ever will.
constexpr Nanoseconds parting_max = 1000 * ns_per_ms;
constexpr Nanoseconds stalled_max = 10 * parting_max;
constexpr Nanoseconds parting_look = 100 * ns_per_ms;
// What is read before that; a peer may go on for ever.
constexpr int last_reads_max = 16;
} // namespace

bool Link::has_output() const {
    return !sending_.is_empty() || filling_.has_committed() || returned_messages_ > 0 ||
           (from_socket_ && from_socket_->can_read());
}

// Whole messages that have arrived stay readable, whatever the high water mark says.
void Link::queue_arrived() {
    if (state_ == State::down || fatal_ || closing_ || !to_socket_ || is_unheard_) return;
    const State state = std::exchange(state_, State::up);
    Message frame;
    Next next;
    while (state_ == State::up && (next = next_message(frame)) != Next::none) {
        if (next != Next::direct) continue;
        queue(frame);
        to_socket_->publish();
    }
    if (state == State::broken) state_ = state;
}

bool Link::take_arrived(Turn &turn) {
    serve_input(turn);
    if (reading_) return false;
    queue_arrived();
    return true;
}

void Link::retire(bool flush) {
    to_socket_->rollback();
    to_socket_->end_writing();
    to_socket_ = nullptr;
    socket_end_->set_far_end(nullptr);
    close(flush);
}

void Link::close(bool flush) {
    if (closing_) return;
    closing_ = true;
    if (lets_input_gather()) let_rest_gather();
    if (to_socket_) to_socket_->rollback();
    socket_end_ = nullptr;
    // On the I/O thread also when it is to be dropped: that runs free functions of the application's.
    host_.loop().post([self = shared_from_this(), flush] {
        Turn turn(self->host_.turn());
        if (!flush) {
            self->drop_output();
            return;
        }
        self->write_out(turn);
        self->end_if_done(turn);
        // The descriptor may report nothing more by itself: what is unread is read here.
        self->serve_input(turn);
        self->host_.link_served(turn);
    });
}

void Link::drop_output() {
    flushes_ = false;
    forget_output();
    fail(false, false);
}

void Link::forget_output() {
    if (from_socket_) (void)from_socket_->discard_all();
    returned_.clear();
    returned_messages_ = 0;
}

void Link::end_if_done(Turn &turn) {
    if (peer_has_closed_ && !writing_ && sending_.is_empty() && !filling_.has_committed())
        return fail(false);
    if (!closing_ || is_parting_ || state_ != State::up || has_output() || writing_) return;
    // Bytes that we have not read when we close, or that come later, are answered with a reset, which destroys what
    // the kernel has yet to deliver. What was not cut because the queue is full makes room first.
    const uint64_t reads = reads_;
    takes_leave_ = true; // an answer to what is read here would come behind the end
    pump_in();
    for (int i = 0; i < last_reads_max && state_ == State::up && !reading_ && read_in(turn); ++i) {
    }
    takes_leave_ = false;
    if (state_ != State::up) return;
    // A peer that expects nobody to read is silent, but for heartbeats of its own.
    const bool may_hear = !never_receives_ || reads_ > 0;
    if (reading_) ends_after_read_ = true; // another thread does, and comes back to this
    else if (flushes_ && (reads_ != reads || (may_hear && unconfirmed_bytes(fd_.get()) > 0))) part();
    else fail(false, false);
}

// A peer that was sending has more on the way, most likely: it is told that nothing follows, and its
// own end is waited for while it takes what was sent. From here on nothing is written, no heartbeat and no answer to one
// either: that would fail, and end the connection at once.
void Link::part() {
    is_parting_ = true;
    end_writing(layer_.get(), fd_.get());
    look_at_parting(unconfirmed_bytes(fd_.get()), now_ns());
}

// `since`: the last look that found fewer bytes unconfirmed than the one before.
void Link::look_at_parting(size_t unconfirmed, Nanoseconds since) {
    host_.loop().post([self = weak_from_this(), loop = &host_.loop(), unconfirmed, since] {
        loop->add_timer(now_ns() + parting_look, [self, unconfirmed, since] {
            const std::shared_ptr<Link> link = self.lock();
            if (!link) return;
            Turn turn(link->host_.turn());
            if (!link->is_parting_ || link->state_ != State::up) return;
            const Nanoseconds now = now_ns();
            const size_t left = unconfirmed_bytes(link->fd_.get());
            if (left < unconfirmed) link->look_at_parting(left, now);
            else if (now - since < (left > 0 ? stalled_max : parting_max)) link->look_at_parting(left, since);
            else link->fail(false, false);
        });
    });
}

void Link::fail(bool fatal, bool report) {
    if (state_ != State::up) return;
    state_ = State::broken;
    filling_.end_growth();
    fatal_ = fatal;
    report_end_ = report;
    post_finish();
}

void Link::time_out() { fail(false); }

void Link::post_finish() {
    if (finish_is_posted_ || reading_ || writing_) return;
    finish_is_posted_ = true;
    host_.loop().post([self = shared_from_this()] { self->finish(); });
}

namespace {

// Subscriptions in the form of messages spoke of the connection that is gone, as commands do.
void drop_subscriptions(std::deque<OwnMessage> &frames) {
    std::deque<OwnMessage> kept;
    bool first = true;
    for (OwnMessage &frame : frames) {
        const bool more = frame->has(Message::more);
        const bool is_subscription = first && !more && frame->size() > 0 && frame->data()[0] <= 1;
        first = !more;
        if (!is_subscription) kept.push_back(std::move(frame));
    }
    frames.swap(kept);
}

} // namespace

void Link::recover_batches() {
    std::deque<OwnMessage> frames;
    if (hello_is_sending_) sending_.clear(); // the next connection has its own
    else sending_.recover(framing_, frames, seal_.get());
    hello_is_sending_ = false;
    filling_.recover(framing_, frames, seal_.get());
    in_.set_seal(nullptr);
    seal_.reset();
    const bool subscribes = options_->socket_type == ZMQ_SUB || options_->socket_type == ZMQ_XSUB;
    if (subscribes && subscription_form_ == SubscriptionForm::message) drop_subscriptions(frames);
    batch_has_partial_ = false;
    has_waiting_command_ = false;
    if (!flushes_) return;
    for (auto it = frames.rbegin(); it != frames.rend(); ++it) returned_.push_front(std::move(*it));
    returned_messages_ = 0;
    for (const OwnMessage &frame : returned_) returned_messages_ += !frame->has(Message::more);
}

// What the program hears of it as a message.
void Link::tell_end() {
    if (framing_ == Framing::raw) {
        if (report_end_ && options_->raw_notify) deliver({});
        return;
    }
    if (options_->router_notify & router_notify_disconnect) deliver({});
    const std::string *const message = endpoints_.bound_side ? disconnect_message(*options_)
                                                             : hiccup_message(*options_);
    if (message) deliver(*message);
}

void Link::finish() {
    const std::shared_ptr<Link> self = shared_from_this();
    bool fatal;
    {
        Turn turn(host_.turn());
        if (state_ != State::broken || reading_ || writing_) {
            finish_is_posted_ = false;
            return;
        }
        heartbeat_.stop();
        host_.unwatch(*this, fd_.get());
        queue_arrived();
        if (to_socket_) to_socket_->rollback();
        const bool tell_raw = framing_ == Framing::raw && report_end_;
        tell_end();
        if (to_socket_ && !closing_) host_.link_readable(*this);
        in_.clear();
        recover_batches();
        const int fd = fd_.get();
        layer_.reset();
        fd_.reset();
        // Without a handshake that could have succeeded, every loss is told as its failure.
        if (tell_raw || (!has_mechanism_ && report_end_ && !fatal_))
            host_.event(LinkEvent::handshake_failed_no_detail, EPIPE, endpoints_);
        if (report_end_) host_.event(LinkEvent::disconnected, fd, endpoints_);
        metadata_->drop_references(metadata_stock_ + 1);
        metadata_ = nullptr;
        metadata_stock_ = 0;
        state_ = State::down;
        fatal = fatal_;
    }
    owner_.connection_ended(*this, fatal);
}

} // namespace tern
