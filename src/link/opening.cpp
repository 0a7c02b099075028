#include "link/opening.hpp"

#include "link/handshake_room.hpp"
#include "os/random.hpp"
#include "transport/socket_address.hpp"

#include <algorithm>
#include <mutex>

#include <zmq.h>

namespace tern {

namespace {

HandshakeConfig handshake_config(const LinkOptions &options, const Wrapping &wrapping,
                                 bool is_bound_side) {
    HandshakeConfig config;
    config.socket_type = options.socket_type;
    config.routing_id = options.routing_id;
    config.metadata.assign(options.metadata.begin(), options.metadata.end());
    config.mechanism = options.security.mechanism;
    config.max_message_size = options.max_message_size;
    config.asks_zap = asks_zap(options.security);
    config.security = &options.security; // lives as long as the Opening
    if (wrapping.is_websocket)
        config.ws = WsSide{!is_bound_side, wrapping.host, wrapping.path, random_number};
    return config;
}

// A close with unread input would become a reset, which can overtake what the peer is to read.
void read_empty(int fd) {
    uint8_t buffer[4096];
    for (int i = 0; i < 16; ++i)
        if (read_some(fd, buffer, sizeof buffer).status != IoResult::Status::ok) return;
}

} // namespace

struct Opening::Computation {
    std::mutex mutex;
    Loop *loop = nullptr;       // under mutex; a computation may end after the loop
    Opening *opening = nullptr; // on the loop's thread
};

Opening::Opening(LinkHostPointer host, OpeningEvents &events,
                 std::shared_ptr<const LinkOptions> options, const Wrapping &wrapping, Fd fd,
                 std::string peer_address, EndpointTexts endpoints)
    : host_holder_(std::move(host)), host_(*host_holder_), events_(events), options_(std::move(options)), fd_(std::move(fd)),
      peer_address_(std::move(peer_address)), endpoints_(std::move(endpoints)),
      handshake_(handshake_config(*options_, wrapping, endpoints_.bound_side)),
      is_securing_(wrapping.layers != nullptr) {
    if (is_securing_) layer_ = wrapping.layers->make(fd_.get());
}

Opening::~Opening() {
    if (is_over_) return; // nothing left at the loop, which may be gone
    end();
    close_descriptor();
}

void Opening::close_descriptor() {
    host_.loop().unwatch(watch_, fd_.get());
    layer_.reset();
    fd_.reset();
}

void Opening::emit(LinkEvent event, int64_t value) {
    Turn turn(host_.turn());
    host_.event(event, value, endpoints_);
}

void Opening::start() {
    if (options_->raw && !is_securing_) {
        ready({});
        return;
    }
    if (is_securing_ && !layer_) {
        lost(ENOMEM);
        return;
    }
    const auto watch = host_.loop().watch(fd_.get(), *this, interest_);
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
    if (is_securing_) secure();
    else begin();
}

// TLS says what it waits for.
void Opening::secure() {
    const StreamLayer::Progress progress = layer_->handshake();
    if (progress == StreamLayer::Progress::failed) {
        lost(EPROTO);
        return;
    }
    is_securing_ = progress != StreamLayer::Progress::done;
    if (is_securing_) {
        watch_for(progress == StreamLayer::Progress::wants_write ? ready::write : ready::read);
    } else if (options_->raw) {
        ready({});
    } else {
        begin();
        if (!is_over_) read_some_bytes();
    }
}

void Opening::begin() {
    handshake_.start(out_);
    write_some_bytes();
}

void Opening::on_ready(unsigned bits) {
    if (is_securing_) return secure();
    if (bits & ready::write) write_some_bytes();
    if (is_over_ || !(bits & (ready::read | ready::hangup) || layer_)) return;
    if (may_read() > 0) read_some_bytes();
    else if (bits & ready::hangup) lost(EPIPE);
}

void Opening::write_some_bytes() {
    while (out_written_ < out_.size()) {
        const iovec piece{out_.data() + out_written_, out_.size() - out_written_};
        const IoResult result = write_vector(layer_.get(), fd_.get(), &piece, 1);
        // A peer that takes nothing may still have something to say; reading finds out.
        if (result.status != IoResult::Status::ok) {
            watch_for_work();
            return;
        }
        out_written_ += result.count;
    }
    out_.clear();
    out_written_ = 0;
    watch_for_work();
}

void Opening::watch_for_work() {
    if (!watch_) return;
    watch_for((may_read() > 0 ? ready::read : 0u) | (out_.empty() ? 0u : ready::write));
}

// How much of what the peer says may be held.
size_t Opening::may_read() const {
    if (handshake_.is_blocked()) return rest_max - std::min(rest_max, rest_.size());
    if (has_place_) return handshake_frame_max;
    return handshake_small_max - std::min(handshake_small_max, handshake_.held_bytes());
}

// A layer may have more than the kernel knows of; writing is always possible, and so is heard of.
void Opening::place_given() {
    has_place_ = true;
    if (layer_) watch_for(ready::read | ready::write);
    else watch_for_work();
}

void Opening::watch_for(unsigned interest) {
    if (interest == interest_) return;
    interest_ = interest;
    (void)host_.loop().change(watch_, fd_.get(), interest);
}

// The poller reports again what the kernel still has, but knows nothing of what a layer has taken.
void Opening::read_some_bytes() {
    while (read_once() && layer_) {
    }
}

// True when there may be more.
bool Opening::read_once() {
    uint8_t buffer[4096];
    const iovec piece{buffer, std::min(sizeof buffer, may_read())};
    if (piece.iov_len == 0) return false;
    const IoResult result = read_vector(layer_.get(), fd_.get(), &piece, 1);
    if (result.status == IoResult::Status::would_block) return false;
    if (result.status != IoResult::Status::ok) {
        lost(result.status == IoResult::Status::closed ? EPIPE : result.error.number());
        return false;
    }
    const Bytes in(buffer, result.count);
    if (!handshake_.is_blocked()) {
        feed(in);
        return !is_over_;
    }
    rest_.insert(rest_.end(), in.begin(), in.end());
    if (rest_.size() < rest_max) return true;
    watch_for_work();
    return false;
}

void Opening::feed(Bytes in) {
    size_t consumed = 0;
    const Handshake::Outcome outcome = handshake_.feed(in, consumed, out_);
    if (handshake_.is_upgraded() && !upgrade_is_told_) {
        upgrade_is_told_ = true;
        emit(LinkEvent::handshake_succeeded, 0);
    }
    go_on(outcome, in.skip(consumed));
}

void Opening::go_on(Handshake::Outcome outcome, Bytes rest) {
    write_some_bytes();
    switch (outcome) {
    case Handshake::Outcome::more:
        if (handshake_.is_blocked()) rest_.assign(rest.begin(), rest.end());
        else if (may_read() == 0 && place_number == 0) has_place_ = events_.opening_needs_place(*this);
        watch_for_work();
        if (handshake_.is_waiting_for_zap()) ask_zap();
        else if (handshake_.is_computing()) compute();
        else if (handshake_.is_waiting_for_identity()) host_.loop().cancel_timer(timer_);
        return;
    case Handshake::Outcome::failed: protocol_failed(); return;
    case Handshake::Outcome::ready: ready(rest); return;
    }
}

// ---- ZAP

void Opening::ask_zap() {
    const SecurityOptions &security = options_->security;
    if (refuses_everybody(security)) return lost(EFAULT);
    auto call = host_.ask_zap(
        zap_request_frames({security.zap_domain, peer_address_, options_->routing_id,
                            security.mechanism, handshake_.zap_credentials()}),
        *this);
    if (call) {
        zap_call_ = std::move(*call);
    } else if (call.error() == err::no_entry && !needs_zap_handler(security)) {
        unblocked(handshake_.answer_zap(200, out_));
    } else {
        lost(EFAULT);
    }
}

void Opening::zap_replied(const std::vector<std::string> &frames) {
    zap_call_.reset();
    unblocked(handshake_.take_zap_reply(frames, out_));
}

void Opening::zap_lost() { lost(EFAULT); }

// ---- computations

// The job owns what it works on, and shares with this opening only the word that it is done.
void Opening::compute() {
    computation_ = std::make_shared<Computation>();
    computation_->loop = &host_.loop();
    computation_->opening = this;
    const bool has_begun = host_.compute_aside(
        [job = handshake_.take_computation(), computation = computation_] {
            job();
            std::lock_guard<std::mutex> guard(computation->mutex);
            if (!computation->loop) return;
            computation->loop->post([computation] {
                if (computation->opening) computation->opening->computed();
            });
        },
        !options_->security.as_server);
    if (!has_begun) lost(EAGAIN);
}

void Opening::computed() {
    forget_computation();
    unblocked(handshake_.computed(out_));
}

void Opening::forget_computation() {
    if (!computation_) return;
    computation_->opening = nullptr;
    std::lock_guard<std::mutex> guard(computation_->mutex);
    computation_->loop = nullptr;
}

// ---- after a pause

void Opening::unblocked(Handshake::Outcome outcome) {
    const std::vector<uint8_t> rest = std::move(rest_);
    rest_.clear();
    if (rest.size() >= rest_max) watch_for_work();
    const Bytes in(rest.data(), rest.size());
    if (outcome != Handshake::Outcome::more || handshake_.is_blocked() || in.empty()) {
        go_on(outcome, in);
    } else {
        write_some_bytes();
        feed(in);
    }
    if (layer_ && !is_over_) read_some_bytes();
}

// ---- end

void Opening::ready(Bytes rest) {
    if (!out_.empty()) { // a peer that takes not even a hundred bytes
        lost(EPIPE);
        return;
    }
    Established established;
    established.framing = options_->raw ? Framing::raw : handshake_.framing();
    if (!options_->raw) {
        established.is_before_3 = is_before_3(handshake_.version());
        established.has_mechanism = handshake_.has_mechanism();
        established.subscription_form = handshake_.subscription_form();
        established.peer_routing_id = handshake_.peer_routing_id();
        // Of equal names the first one stays: the handler's word counts for more than the peer's.
        for (const PropertyList *list :
             {&handshake_.zap_properties(), &handshake_.peer_properties()})
            for (const auto &property : *list)
                established.properties.emplace(property.first, property.second);
        established.seal = handshake_.take_traffic_seal();
    }
    if (!established.is_before_3 && !peer_address_.empty())
        established.properties["Peer-Address"] = peer_address_;
    // As if the peer had sent the empty subscription itself, in a v1 frame.
    if (!options_->raw && handshake_.subscribes_to_all()) established.early_bytes = {2, 0, 1};
    established.early_bytes.insert(established.early_bytes.end(), rest.begin(), rest.end());
    host_.loop().unwatch(watch_, fd_.get());
    established.layer = std::move(layer_);
    established.fd = std::move(fd_);
    end();
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
    case Handshake::Reason::closed: emit(LinkEvent::handshake_failed_no_detail, EPIPE); break;
    case Handshake::Reason::helpless: emit(LinkEvent::handshake_failed_no_detail, EACCES); break;
    case Handshake::Reason::silent: break;
    }
    const int fd = fd_.get();
    const bool is_self_connection = !endpoints_.bound_side && is_connected_to_itself(fd);
    read_empty(fd);
    close_descriptor();
    end();
    emit(LinkEvent::disconnected, fd);
    // A connection that met itself is no peer that breaks the protocol (RC-16).
    events_.opening_failed(*this, failure.is_fatal && !is_self_connection);
}

void Opening::lost(int error_number) {
    const int fd = fd_.get();
    emit(LinkEvent::handshake_failed_no_detail, error_number);
    close_descriptor();
    end();
    emit(LinkEvent::disconnected, fd);
    events_.opening_failed(*this, false);
}

// Nothing is heard or held any more, whatever the owner does next.
void Opening::end() {
    is_over_ = true;
    host_.loop().cancel_timer(timer_);
    zap_call_.reset();
    forget_computation();
    rest_ = {};
}

} // namespace tern
