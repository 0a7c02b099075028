#include "link/link.hpp"

#include "flow/surely.hpp"
#include "link/local_messages.hpp"

#include <zmq.h>

namespace tern {

namespace {
constexpr uint32_t metadata_stock_size = 256;
// The I/O thread serves one link this often before it looks at the others again.
constexpr int reads_per_turn = 16;
constexpr Nanoseconds read_again_after = 10 * ns_per_ms;

size_t batch_max(const LinkOptions &options) {
    if (options.out_batch_size == LinkOptions::batch_size_default) return OutBatch::batch_bytes_max;
    return std::min(size_t(options.out_batch_size), OutBatch::batch_bytes_max);
}
} // namespace

Link::Link(LinkHostPointer host, LinkOwner &owner, std::shared_ptr<const LinkOptions> options,
           EndpointTexts endpoints)
    : host_holder_(std::move(host)), host_(*host_holder_), owner_(owner), options_(std::move(options)), endpoints_(std::move(endpoints)),
      never_receives_(options_->socket_type == ZMQ_PUSH || options_->socket_type == ZMQ_SCATTER),
      batch_max_(batch_max(*options_)),
      has_envelope_(options_->socket_type == ZMQ_REQ || options_->socket_type == ZMQ_DISH),
      heartbeat_(*this) {
    in_.set_max_message_size(options_->max_message_size);
}

Link::~Link() {
    if (metadata_) metadata_->drop_references(metadata_stock_ + 1);
    if (own_end_) own_end_->release();
}

void Link::set_pipe(PipePair &pair) {
    socket_end_ = &pair.near_end();
    own_end_ = &pair.far_end();
    socket_end_->set_far_end(this);
    to_socket_ = &own_end_->outbound();
    from_socket_ = &own_end_->inbound();
}

void Link::let_pipe_go() {
    if (!socket_end_) return;
    to_socket_->rollback();
    to_socket_->end_writing();
    from_socket_->end_reading();
    socket_end_->set_far_end(nullptr);
    own_end_->release();
    socket_end_ = own_end_ = nullptr;
    to_socket_ = from_socket_ = nullptr;
}

// ---- beginning

void Link::start(Turn &turn, Established established, const std::string &local_endpoint) {
    (endpoints_.bound_side ? endpoints_.remote : endpoints_.local) = local_endpoint;
    fd_ = std::move(established.fd);
    layer_ = std::move(established.layer);
    framing_ = established.framing;
    subscription_form_ = established.subscription_form;
    is_before_3_ = established.is_before_3;
    has_mechanism_ = established.has_mechanism;
    seal_ = std::move(established.seal);
    in_.set_seal(seal_.get());
    if (!is_before_3_) established.properties.emplace("__fd", std::to_string(fd_.get()));
    metadata_ = new Metadata(std::move(established.properties));
    metadata_stock_ = 0;
    const bool reads_freely = framing_ != Framing::raw &&
                              options_->in_batch_size == LinkOptions::batch_size_default;
    in_.set_framing(framing_, reads_freely ? 0 : size_t(options_->in_batch_size));
    in_.put(Bytes(established.early_bytes.data(), established.early_bytes.size()));
    envelope_.reset();
    group_envelope_.reset();
    reading_ = writing_ = write_blocked_ = write_dead_ = false;
    ends_after_read_ = is_parting_ = peer_has_closed_ = false;
    hung_up_ = fatal_ = finish_is_posted_ = batch_begun_ = false;
    report_end_ = true;
    may_have_input_ = true;
    state_ = State::up;
    const bool has_handshake = framing_ != Framing::raw && !is_before_3_;
    if (has_handshake && has_mechanism_)
        host_.event(LinkEvent::handshake_succeeded, 0, endpoints_);
    if (host_.watch(*this, fd_.get())) { // out of memory or of watches: as if the peer had gone
        fail(false);
        return;
    }
    if (!send_hello()) {
        fail(false);
        return;
    }
    host_.link_up(*this, established.peer_routing_id);
    const bool tells = framing_ == Framing::raw
                           ? options_->raw_notify
                           : (options_->router_notify & router_notify_connect) != 0;
    if (tells) deliver({});
    if (has_handshake) heartbeat_.start();
    write_out(turn);
    serve_input(turn);
    if (may_have_input_) host_.input_left(*this);
    end_if_done(turn);
    host_.link_served(turn);
}

// Before anything else goes out, and in a batch of its own: so it is known whether that has gone.
bool Link::send_hello() {
    const std::string *const hello = hello_message(*options_);
    if (!hello) return true;
    Message message;
    if (message.init_copy(Bytes(*hello))) return false;
    hello_is_sending_ = append(message);
    message.close();
    if (!hello_is_sending_) return false;
    filling_.commit();
    return filling_.move_committed(sending_);
}

// A frame that was taken off the wire has no other place: memory for the queue is waited for.
void Link::queue(Message &frame) {
    surely([&] { return to_socket_->write(frame) ? err::none : err::no_memory; });
}

// Gives the socket a message as if the peer had sent it.
void Link::deliver(const std::string &body) {
    if (!to_socket_ || closing_) return;
    Message message;
    surely([&] { return message.init_copy(Bytes(body)); });
    attach_metadata(message);
    queue(message);
    to_socket_->publish();
    host_.link_readable(*this);
}

void Link::note_ready(Turn &turn, unsigned bits) {
    if (state_ != State::up) return;
    if (bits & (ready::read | ready::hangup)) may_have_input_ = true;
    if (bits & ready::hangup) hung_up_ = true;
    if ((bits & ready::write) && write_blocked_) {
        note_writable();
        write_out(turn);
        end_if_done(turn);
    }
}

void Link::on_ready(unsigned bits) {
    const std::shared_ptr<Link> self = shared_from_this();
    Turn turn(host_.turn());
    note_ready(turn, bits);
    serve_input(turn);
    // Left over because its queue is full: whoever makes room reads on.
    if (may_have_input()) host_.input_left(*this);
    host_.link_served(turn);
}

// ---- inbound

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

// There is no memory to read into, or in the queue; what the descriptor has reported it does not report again.
void Link::read_on_later() {
    if (reading_on_is_due_) return;
    reading_on_is_due_ = true;
    host_.loop().post([self = shared_from_this()] {
        self->host_.loop().add_timer(now_ns() + read_again_after, [self] {
            Turn turn(self->host_.turn());
            self->reading_on_is_due_ = false;
            self->serve_input(turn);
            self->host_.link_served(turn);
        });
    });
}

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

// ---- outbound

bool Link::is_taking() const { return filling_.is_growing() || may_take(); }

bool Link::may_take() const {
    return state_ == State::up && !write_blocked_ && !write_dead_ && !peer_has_closed_ &&
           returned_.empty() &&
           filling_.bytes() < batch_max_ && !from_socket_->can_read();
}

bool Link::encode(Message &frame) {
    if ((frame.flags() & (Message::subscribe | Message::cancel | Message::grouped)) == 0)
        return append(frame);
    if (frame.has(Message::grouped)) return append_grouped(frame);
    const bool begins = frame.has(Message::subscribe);
    Message form;
    if (frame.has(Message::membership)
            ? make_membership(form, begins, frame.bytes())
            : make_subscription(form, begins, frame.bytes(), subscription_form_))
        return false;
    if (frame.has(Message::more)) form.set(Message::more);
    // Not on the wire: it does not outlive its connection, in whatever form (see recover()).
    form.set(frame.has(Message::subscribe) ? Message::subscribe : Message::cancel);
    const bool ok = append(form);
    form.close();
    if (ok) {
        frame.close();
        frame.init();
    }
    return ok;
}

// RADIO: the group goes before the body.
bool Link::append_grouped(Message &frame) {
    Message group;
    if (group.init_copy(Bytes(std::string_view(frame.group())))) return false;
    group.set(Message::more);
    frame.clear(Message::grouped);
    if (append(group) && append(frame)) return true;
    group.close();
    frame.set(Message::grouped);
    filling_.rollback();
    return false;
}

bool Link::take_frame(Message &frame) {
    if (state_ != State::up || (!batch_has_partial_ && !is_taking())) return false;
    const bool more = frame.has(Message::more);
    if (!encode(frame)) return false;
    batch_has_partial_ = more;
    if (more) return true;
    filling_.commit();
    send_waiting_command();
    if (!batch_begun_ || is_due()) host_.link_has_output(*this);
    let_batch_grow();
    return true;
}

// Somebody looks after the batch already: plain messages may join it, up to the point where it has to
// be written. Everything that ends this, or puts a message into the queue, ends the growth.
void Link::let_batch_grow() {
    if (!has_plain_ways() || !(batch_begun_ || writing_) || !may_take()) {
        filling_.end_growth();
        return;
    }
    const int hwm = options_->send_hwm;
    filling_.let_grow(framing_, batch_max_ - std::min(OutBatch::copied_body_max, batch_max_ / 2),
                      hwm > 0 ? size_t(hwm) - 1 : SIZE_MAX);
}

void Link::rollback() {
    filling_.rollback();
    batch_has_partial_ = false;
    while (!returned_.empty() && returned_.back()->has(Message::more)) returned_.pop_back();
}

void Link::send_command(Message &command) {
    if (state_ == State::up && !write_dead_) {
        if (batch_has_partial_ || filling_.bytes() >= batch_max_) {
            // Only the newest counts (quirk Q-54): who asks and does not read fills no memory.
            std::swap(*waiting_command_, command);
            has_waiting_command_ = true;
        } else if (append_command(command)) {
            filling_.commit();
        }
    }
    command.close();
    command.init();
}

// Once there is a place for it.
void Link::send_waiting_command() {
    if (!has_waiting_command_ || batch_has_partial_ || peer_has_closed_ ||
        filling_.bytes() >= batch_max_)
        return;
    has_waiting_command_ = false;
    send_command(*waiting_command_);
}

Link::Output Link::output() const {
    if (state_ != State::up || writing_ || write_blocked_ || write_dead_) return Output::none;
    if (returned_messages_ > 0 || (from_socket_ && from_socket_->can_read())) return Output::due;
    if (!filling_.has_committed()) return Output::none;
    if (is_due()) return Output::due;
    return batch_begun_ ? Output::none : Output::young;
}

// The batch is full, or holds as many messages as may wait.
bool Link::is_due() const {
    return filling_.bytes() >= batch_max_ ||
           (options_->send_hwm > 0 && filling_.messages() >= size_t(options_->send_hwm));
}

} // namespace tern
