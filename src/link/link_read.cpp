// Reading: what the kernel has is cut into frames, for the queue or for whoever receives.
#include "link/link.hpp"

#include "flow/surely.hpp"
#include "transport/stream_io.hpp"

#include <zmq.h>

namespace tern {

namespace {
constexpr uint32_t metadata_stock_size = 256;
// The I/O thread serves one link this often before it looks at the others again.
constexpr int reads_per_turn = 16;
constexpr Nanoseconds read_again_after = 10 * ns_per_ms;
// Smaller rests are read as they come: on a quick connection that is sooner. More than this at a time
// brings nothing, and the kernel would make room for it.
constexpr size_t gather_min = 512 * 1024;
constexpr size_t gather_max = 1024 * 1024;
} // namespace

bool Link::read_in(Turn &turn) {
    if (state_ != State::up || reading_ || !in_.wants_bytes()) return false;
    iovec pieces[2];
    const int count = in_.target(pieces);
    if (count == 0) {
        read_on_later();
        return false;
    }
    const std::shared_ptr<Link> self = shared_from_this();
    reading_ = true;
    const int fd = fd_.get();
    IoResult result;
    do {
        // Cleared before the read: a report that comes while it is under way, to a thread that can
        // not read now because we do, must not be forgotten.
        may_have_input_ = false;
        turn.unlock();
        result = read_vector(layer_.get(), fd, pieces, count);
        turn.lock();
    } while (result.status == IoResult::Status::would_block && may_have_input_ &&
             state_ == State::up);
    reading_ = false;
    if (ends_after_read_) {
        ends_after_read_ = false;
        host_.loop().post([self] {
            Turn turn(self->host_.turn());
            self->end_if_done(turn);
        });
    }
    const bool ok = result.status == IoResult::Status::ok;
    const bool was_filled = in_.filled(ok ? result.count : 0);
    if (state_ == State::broken) {
        post_finish();
        return true;
    }
    if (ok) {
        ++reads_;
        let_rest_gather();
        // Fewer bytes than asked for: the kernel has no more, and reports the next ones as news.
        // After a hang-up only its own word counts.
        may_have_input_ |= was_filled || hung_up_;
        if (may_have_input_) host_.input_left(*this);
        else host_.loop().poller().rearm(fd);
        if (discards_input()) pump_in();
        return true;
    }
    // Where nothing can be written any more, all that has arrived is the end.
    if (result.status == IoResult::Status::would_block && !write_dead_) {
        host_.loop().poller().rearm(fd);
        return false;
    }
    fail(false, !is_parting_);
    return true;
}

// The rest of a large body is of no use before it is there, and each piece of it that is read by itself costs
// both sides a wake-up; so the kernel lets it gather. Where pieces are signs of life they are heard at once.
void Link::let_rest_gather() {
    const size_t left = in_.body_left();
    if (left < gather_min && gathered_bytes_ == 1) return;
    const bool waits = left >= gather_min && !layer_ && !heartbeat_.is_listening() && !closing_;
    const int bytes = waits ? int(std::min(left, gather_max)) : 1;
    if (bytes != gathered_bytes_ && gather_input(fd_.get(), bytes)) gathered_bytes_ = bytes;
}

// There is no memory to read into, or in the queue; what the descriptor has reported it does not report again.
void Link::read_on_later() { go_on_later(reading_on_is_due_, read_again_after, &Link::serve_input); }

void Link::serve_input(Turn &turn) {
    for (int i = 0; i < reads_per_turn; ++i) {
        pump_in();
        if (!may_have_input()) return;
        // A full queue stops the reading, so that the peer feels it; not when nothing is kept.
        if (!discards_input() && !to_socket_->can_write()) return;
        if (!read_in(turn)) return;
    }
    pump_in();
    if (may_have_input()) host_.link_has_input(*this);
}

void Link::leave_unheard() {
    is_unheard_ = true;
    host_.loop().post([self = shared_from_this()] {
        Turn turn(self->host_.turn());
        self->stay_unheard();
    });
}

// The peer's end is reported although nothing is read; but over TCP it stands behind what the kernel had no room for,
// and is noticed minutes later, when the peer's kernel has forgotten the connection.
void Link::stay_unheard() {
    if (state_ != State::up) return;
    if (hung_up_) fail(false);
    else notice_loss(fd_.get());
}

bool Link::is_shut_out() const {
    return is_unheard_ && !discards_input() && !to_socket_->can_write();
}

// Cuts what was read into the pipe's queue, up to the high water mark.
void Link::pump_in() {
    bool any = false;
    while (state_ != State::broken && (discards_input() || to_socket_->can_write())) {
        // Out of memory: what has been read stays where it is for a while.
        if (!discards_input() && in_.has_bytes() && !to_socket_->reserve()) {
            read_on_later();
            break;
        }
        Message frame;
        const Next next = next_message(frame);
        if (next == Next::none) break;
        if (next == Next::direct) {
            queue(frame);
            to_socket_->publish();
        }
        any = true;
    }
    if (any && to_socket_) host_.link_readable(*this);
}

void Link::attach_metadata(Message &frame) {
    if (metadata_stock_ == 0) {
        metadata_->add_references(metadata_stock_size);
        metadata_stock_ = metadata_stock_size;
    }
    --metadata_stock_;
    frame.adopt_metadata(metadata_);
}

PipeFarEnd::Next Link::next_message(Message &frame) {
    bool queued = false;
    while (state_ != State::broken) {
        switch (in_.cut(frame)) {
        case InBuffer::Cut::frame: break;
        case InBuffer::Cut::control: take_control(frame); continue;
        case InBuffer::Cut::need_more: return queued ? Next::queued : Next::none;
        case InBuffer::Cut::malformed: fail(true); return queued ? Next::queued : Next::none;
        case InBuffer::Cut::no_memory: fail(false); return queued ? Next::queued : Next::none;
        case InBuffer::Cut::refused: // told as a failed handshake, however long that is over (CUR-4)
            host_.event(LinkEvent::handshake_failed_protocol, in_.refusal(), endpoints_);
            fail(true);
            return queued ? Next::queued : Next::none;
        }
        if (!shape_inbound(frame)) continue;
        if (!frame.has(Message::more) && !to_socket_->is_mid_message() &&
            !to_socket_->is_conflating())
            return Next::direct;
        const bool more = frame.has(Message::more);
        queue(frame);
        if (more) continue;
        to_socket_->publish();
        if (!to_socket_->is_conflating()) return Next::queued;
        queued = true; // conflation wants the newest of all
    }
    return queued ? Next::queued : Next::none;
}

bool Link::can_take_plain() const {
    // What a poll or the I/O thread has cut into the queue comes first.
    return state_ == State::up && has_plain_ways() && !discards_input() &&
           !to_socket_->is_conflating() && !to_socket_->holds_frames() &&
           options_->socket_type != ZMQ_REQ;
}

bool Link::take_plain(Message &message) {
    if (!in_.cut_plain(message)) return false;
    heartbeat_.heard_other();
    if (message.metadata() == metadata_) return true; // as for the message before
    message.set_metadata(nullptr);
    attach_metadata(message);
    return true;
}

bool Link::discards_input() const {
    return closing_ || !to_socket_ || never_receives_ || peer_has_closed_;
}

// Readies a frame for the socket. False: it was for the link itself, or is dropped.
bool Link::shape_inbound(Message &frame) {
    if (framing_ != Framing::raw) {
        constexpr uint8_t commands = Message::command | Message::subscribe | Message::cancel;
        if (frame.flags() & commands) return take_command(frame);
        heartbeat_.heard_other();
    }
    const bool unwanted = discards_input();
    if (has_envelope_ && !open_envelope(frame)) return false;
    if (unwanted) {
        frame.close();
        return false;
    }
    attach_metadata(frame);
    return true;
}

// False: the frame was a part of the envelope, or breaks the protocol.
bool Link::open_envelope(Message &frame) {
    if (options_->socket_type == ZMQ_REQ) {
        if (envelope_.accepts(frame)) return true;
        fail(true);
    } else {
        const GroupEnvelope::Step step = group_envelope_.take(frame);
        if (step == GroupEnvelope::Step::body) return true;
        if (step == GroupEnvelope::Step::malformed) fail(true);
    }
    frame.close();
    return false;
}

// True when the command is news for the socket: a subscription, or a group joined or left.
bool Link::take_command(Message &frame) {
    if (is_before_3_) { // ZMTP 2.0 knows none (zmtp.md section 3.4)
        frame.close();
        return false;
    }
    Command command;
    if (frame.flags() & (Message::subscribe | Message::cancel)) { // sealed by GSSAPI
        command.kind =
            frame.has(Message::subscribe) ? CommandKind::subscribe : CommandKind::cancel;
        command.body = frame.bytes();
    } else {
        command = parse_command(frame.bytes());
    }
    if (command.kind != CommandKind::ping) heartbeat_.heard_other();
    const int type = options_->socket_type;
    const bool takes = to_socket_ && !closing_;
    const bool publishes = (type == ZMQ_PUB || type == ZMQ_XPUB) && takes;
    const bool joins =
        command.kind == CommandKind::join || command.kind == CommandKind::leave;
    switch (command.kind) {
    case CommandKind::ping: {
        if (is_ws(framing_)) break; // it has pings of its own
        heartbeat_.heard_ttl(command.ttl_deciseconds);
        Message pong;
        if (!make_pong(pong, command.body)) {
            send_command(pong);
            host_.link_has_output(*this);
        }
        break;
    }
    case CommandKind::join:
    case CommandKind::leave:
    case CommandKind::subscribe:
    case CommandKind::cancel: {
        if (joins ? type != ZMQ_RADIO || !takes : !publishes) break;
        Message topic;
        surely([&] { return topic.init_copy(command.body); });
        const bool begins =
            command.kind == CommandKind::subscribe || command.kind == CommandKind::join;
        topic.set(begins ? Message::subscribe : Message::cancel);
        if (joins) topic.set(Message::membership);
        frame.close();
        frame = topic;
        attach_metadata(frame);
        return true;
    }
    case CommandKind::malformed: fail(true); break;
    default: break;
    }
    frame.close();
    return false;
}

} // namespace tern
