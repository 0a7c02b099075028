#include "link/opening.hpp"

#include "transport/stream_io.hpp"
#include "transport/tcp.hpp"

#include <zmq.h>

namespace tern {

namespace {

HandshakeConfig handshake_config(const LinkOptions &options) {
    HandshakeConfig config;
    config.socket_type = options.socket_type;
    config.routing_id = options.routing_id;
    config.metadata.assign(options.metadata.begin(), options.metadata.end());
    config.mechanism = options.security.mechanism;
    config.max_message_size = options.max_message_size;
    config.zap_in_force =
        options.security.mechanism != mechanism_id::null || !options.security.zap_domain.empty();
    return config;
}

} // namespace

Opening::Opening(LinkHostPointer host, OpeningEvents &events,
                 std::shared_ptr<const LinkOptions> options, Fd fd, std::string peer_address,
                 EndpointTexts endpoints)
    : host_holder_(std::move(host)), host_(*host_holder_), events_(events), options_(std::move(options)), fd_(std::move(fd)),
      peer_address_(std::move(peer_address)), endpoints_(std::move(endpoints)),
      handshake_(handshake_config(*options_)) {}

Opening::~Opening() {
    if (is_over_) return; // nothing left at the loop, which may be gone
    host_.loop().cancel_timer(timer_);
    close_descriptor();
}

void Opening::close_descriptor() {
    host_.loop().unwatch(watch_, fd_.get());
    fd_.reset();
}

void Opening::emit(LinkEvent event, int64_t value) {
    Turn turn(host_.turn());
    host_.event(event, value, endpoints_);
}

void Opening::start() {
    if (options_->raw) {
        ready({});
        return;
    }
    const auto watch = host_.loop().watch(fd_.get(), *this, ready::read);
    if (!watch) {
        lost(watch.error().number());
        return;
    }
    watch_ = *watch;
    if (options_->handshake_interval_ms > 0)
        timer_ = host_.loop().add_timer_ms(options_->handshake_interval_ms, [this] {
            timer_ = {};
            lost(EAGAIN);
        });
    handshake_.start(out_);
    write_some_bytes();
}

void Opening::on_ready(unsigned bits) {
    if (bits & ready::write) write_some_bytes();
    if (!is_over_ && (bits & (ready::read | ready::hangup))) read_some_bytes();
}

void Opening::write_some_bytes() {
    while (out_written_ < out_.size()) {
        const IoResult result =
            write_some(fd_.get(), out_.data() + out_written_, out_.size() - out_written_);
        if (result.status == IoResult::Status::ok) {
            out_written_ += result.count;
            continue;
        }
        // A peer that takes nothing may still have something to say; reading finds out.
        if (result.status == IoResult::Status::would_block)
            (void)host_.loop().change(watch_, fd_.get(), ready::read | ready::write);
        return;
    }
    if (!out_.empty() && watch_) (void)host_.loop().change(watch_, fd_.get(), ready::read);
    out_.clear();
    out_written_ = 0;
}

void Opening::read_some_bytes() {
    uint8_t buffer[4096];
    const IoResult result = read_some(fd_.get(), buffer, sizeof buffer);
    if (result.status == IoResult::Status::would_block) return;
    if (result.status != IoResult::Status::ok) {
        lost(result.status == IoResult::Status::closed ? EPIPE : result.error.number());
        return;
    }
    if (ignores_input_) return;
    size_t consumed = 0;
    const bool had_output = !out_.empty();
    const Handshake::Outcome outcome =
        handshake_.feed(Bytes(buffer, result.count), consumed, out_);
    if (handshake_.is_waiting_for_zap()) {
        // No authenticator is asked yet: README says so, and a domain that is set is refused.
        lost(EFAULT);
        return;
    }
    if (!had_output || outcome != Handshake::Outcome::more) write_some_bytes();
    switch (outcome) {
    case Handshake::Outcome::more: return;
    case Handshake::Outcome::failed:
        // Old peers are not spoken to yet. They may stay until they hang up or time runs out, as a
        // peer that says nothing.
        if (handshake_.failure().reason == Handshake::Reason::old_version) ignores_input_ = true;
        else protocol_failed();
        return;
    case Handshake::Outcome::ready: ready(Bytes(buffer, result.count).skip(consumed)); return;
    }
}

void Opening::ready(Bytes rest) {
    if (!out_.empty()) { // a peer that takes not even a hundred bytes
        lost(EPIPE);
        return;
    }
    Established established;
    established.framing = options_->raw ? Framing::raw : Framing::v2;
    if (!options_->raw) {
        established.subscription_form = handshake_.subscription_form();
        established.peer_routing_id = handshake_.peer_routing_id();
        for (const auto &property : handshake_.peer_properties())
            established.properties.emplace(property.first, property.second);
    }
    if (!peer_address_.empty()) established.properties["Peer-Address"] = peer_address_;
    established.early_bytes.assign(rest.begin(), rest.end());
    host_.loop().unwatch(watch_, fd_.get());
    host_.loop().cancel_timer(timer_);
    established.fd = std::move(fd_);
    is_over_ = true;
    events_.opening_ready(*this, std::move(established));
}

void Opening::protocol_failed() {
    const Handshake::Failure failure = handshake_.failure();
    switch (failure.reason) {
    case Handshake::Reason::mechanism_mismatch:
    case Handshake::Reason::protocol_error:
        emit(LinkEvent::handshake_failed_protocol, failure.code);
        break;
    case Handshake::Reason::auth: emit(LinkEvent::handshake_failed_auth, failure.code); break;
    default: break;
    }
    const int fd = fd_.get();
    const bool is_self_connection =
        !endpoints_.bound_side && !endpoints_.local.empty() &&
        endpoints_.local == tcp_peer_endpoint(fd);
    host_.loop().cancel_timer(timer_);
    close_descriptor();
    is_over_ = true;
    emit(LinkEvent::disconnected, fd);
    // A connection that met itself is no peer that breaks the protocol (RC-16).
    events_.opening_failed(*this, failure.is_fatal && !is_self_connection);
}

void Opening::lost(int error_number) {
    const int fd = fd_.get();
    host_.loop().cancel_timer(timer_);
    emit(LinkEvent::handshake_failed_no_detail, error_number);
    close_descriptor();
    is_over_ = true;
    emit(LinkEvent::disconnected, fd);
    events_.opening_failed(*this, false);
}

} // namespace tern
