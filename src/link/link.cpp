#include "link/link.hpp"

#include "flow/surely.hpp"
#include "link/local_messages.hpp"

#include <zmq.h>

namespace tern {

namespace {
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
    gathered_bytes_ = 1;
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
    const Bytes early(established.early_bytes.data(), established.early_bytes.size());
    surely([&] { return in_.put(early); }); // less than a block
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
    if (is_unheard_) stay_unheard();
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
    surely([&] { return to_socket_->write(frame); });
}

// Gives the socket a message as if the peer had sent it.
void Link::deliver(const std::string &body) {
    if (!to_socket_ || closing_ || is_unheard_) return;
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
    if (bits & ready::hangup) {
        hung_up_ = true;
        if (is_unheard_) return fail(false);
    }
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

// Once, and under the turn, on the I/O thread.
void Link::go_on_later(bool &is_due, Nanoseconds after, void (Link::*step)(Turn &)) {
    if (std::exchange(is_due, true)) return;
    host_.loop().post([self = shared_from_this(), &is_due, after, step] {
        self->host_.loop().add_timer(now_ns() + after, [self, &is_due, step] {
            Turn turn(self->host_.turn());
            is_due = false;
            (self.get()->*step)(turn);
            self->host_.link_served(turn);
        });
    });
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
    if (is_talking() && !write_dead_) {
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
