#include "protocol/handshake.hpp"

#include "security/null_mechanism.hpp"
#include "security/plain_mechanism.hpp"
#ifdef TERN_HAVE_CURVE_MECHANISM
#include "security/curve_mechanism.hpp"
#endif
#ifdef TERN_HAVE_GSSAPI
#include "security/gss_mechanism.hpp"
#endif

#include <tuple>

namespace tern {

namespace {

void append_bytes(std::vector<uint8_t> &out, Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

} // namespace

Handshake::Handshake(HandshakeConfig config)
    : config_(std::move(config)), greeting_(config_.socket_type, config_.mechanism),
      peer_(config_.socket_type) {}

void Handshake::start(std::vector<uint8_t> &out) {
    if (config_.ws) return start_upgrade(out);
    greeting_.start(config_.routing_id.size(), out);
}

Handshake::Outcome Handshake::feed(Bytes in, size_t &consumed, std::vector<uint8_t> &out) {
    consumed = 0;
    while (consumed < in.size()) {
        switch (state_) {
        case State::greeting:
            if (greeting_.take(in[consumed++], out)) greeting_complete(out);
            break;
        case State::upgrade:
            consumed += take_upgrade_bytes(in.skip(consumed), out);
            break;
        case State::identity:
            consumed += take_identity_bytes(in.skip(consumed), out);
            break;
        case State::routing_id:
            consumed += take_routing_id_bytes(in.skip(consumed), out);
            break;
        case State::commands:
            consumed += take_command_bytes(in.skip(consumed), out);
            break;
        case State::zap:
        case State::computing:
        case State::ready:
        case State::failed:
            return outcome();
        }
    }
    return outcome();
}

Handshake::Outcome Handshake::answer_zap(uint32_t status, std::vector<uint8_t> &out) {
    if (state_ == State::zap) {
        is_turned_away_ = status == 300;
        mechanism_->zap_answered(status);
        pump_mechanism(out);
    }
    return outcome();
}

Handshake::Outcome Handshake::computed(std::vector<uint8_t> &out) {
    if (state_ == State::computing) {
        mechanism_->computed();
        pump_mechanism(out);
    }
    return outcome();
}

Handshake::Outcome Handshake::take_zap_reply(const ZapFrames &frames, std::vector<uint8_t> &out) {
    if (state_ != State::zap) return outcome();
    ZapReply reply = parse_zap_reply(frames);
    PeerMetadata named(config_.socket_type);
    if (reply.error == protocol_error::none && !named.read(Bytes(reply.metadata)))
        reply.error = zap_error::invalid_metadata;
    if (reply.error != protocol_error::none) {
        fail(Reason::protocol_error, reply.error);
        return outcome();
    }
    zap_properties_ = named.properties();
    zap_properties_.emplace_back("User-Id", std::move(reply.user_id));
    // A peer that names itself later has the last word, as in libzmq.
    if (!named.routing_id().empty()) peer_.read_identity(Bytes(named.routing_id()));
    return answer_zap(reply.status, out);
}

void Handshake::greeting_complete(std::vector<uint8_t> &out) {
    if (is_before_3(greeting_.version())) return greet_old_peer(out);
    if (!greeting_.is_same_mechanism())
        return fail(Reason::mechanism_mismatch, protocol_error::mechanism_mismatch);
    make_mechanism();
    if (state_ != State::failed) pump_mechanism(out);
}

// Our identity, whatever the socket type: to an unversioned peer it is the body of the frame whose
// header the signature was, to others a frame (zmtp.md sections 3.1 to 3.3).
void Handshake::greet_old_peer(std::vector<uint8_t> &out) {
    // Nobody can be authenticated there (CVE-2014-7202, CVE-2014-9721).
    if (config_.asks_zap || config_.mechanism != mechanism_id::null)
        return fail(Reason::silent, 0);
    const Bytes identity(config_.routing_id);
    if (greeting_.version() != ZmtpVersion::unversioned) {
        uint8_t header[header_max];
        const size_t size = framing() == Framing::v1 ? put_v1_header(header, 0, identity.size())
                                                     : put_v2_header(header, 0, identity.size());
        append_bytes(out, Bytes(header, size));
        peer_.read_type_code(greeting_.type_code());
    }
    append_bytes(out, identity);
    state_ = State::identity;
    if (greeting_.version() != ZmtpVersion::unversioned) return;
    frame_.assign(greeting_.bytes().begin(), greeting_.bytes().end());
    (void)take_identity_bytes({}, out); // it may be whole, or wrong, already
}

// Fails when the mechanism is not built in.
void Handshake::make_mechanism() {
    std::vector<uint8_t> metadata =
        own_metadata(config_.socket_type, config_.routing_id, config_.metadata);
    const SecurityOptions *security = config_.security;
    if (config_.mechanism == mechanism_id::null) {
        mechanism_ =
            std::make_unique<NullMechanism>(std::move(metadata), peer_, config_.asks_zap);
    } else if (config_.mechanism == mechanism_id::plain && security) {
        if (security->as_server)
            mechanism_ = std::make_unique<PlainServer>(std::move(metadata), peer_);
        else
            mechanism_ = std::make_unique<PlainClient>(
                security->plain_user, security->plain_password, std::move(metadata), peer_);
    } else if (config_.mechanism == mechanism_id::curve && security) {
        make_curve(std::move(metadata));
    } else if (config_.mechanism == mechanism_id::gssapi && security) {
        make_gssapi(std::move(metadata));
    } else {
        fail(Reason::protocol_error, protocol_error::unspecified);
    }
}

#ifdef TERN_HAVE_CURVE_MECHANISM
void Handshake::make_curve(std::vector<uint8_t> metadata) {
    const SecurityOptions &security = *config_.security;
    if (security.as_server) {
        CurveServerRandom random;
        if (curve_random(random.data(), random.size()))
            mechanism_ = std::make_unique<CurveServer>(security, random, std::move(metadata),
                                                       peer_, config_.asks_zap);
    } else {
        CurveClientRandom random;
        if (curve_random(random.data(), random.size()))
            mechanism_ =
                std::make_unique<CurveClient>(security, random, std::move(metadata), peer_);
    }
    if (!mechanism_) fail(Reason::protocol_error, protocol_error::cryptographic);
}
#else
void Handshake::make_curve(std::vector<uint8_t>) {
    fail(Reason::protocol_error, protocol_error::unspecified);
}
#endif

#ifdef TERN_HAVE_GSSAPI
void Handshake::make_gssapi(std::vector<uint8_t> metadata) {
    const SecurityOptions &security = *config_.security;
    auto context = make_kerberos_context(security);
    const bool protects_traffic = !security.gssapi_plaintext;
    if (security.as_server)
        mechanism_ = std::make_unique<GssServer>(std::move(context), protects_traffic,
                                                 std::move(metadata), peer_, config_.asks_zap);
    else
        mechanism_ = std::make_unique<GssClient>(std::move(context), protects_traffic,
                                                 std::move(metadata), peer_);
}
#else
void Handshake::make_gssapi(std::vector<uint8_t>) {
    fail(Reason::protocol_error, protocol_error::unspecified);
}
#endif

size_t Handshake::take_identity_bytes(Bytes in, std::vector<uint8_t> &out) {
    size_t taken = 0;
    Bytes identity;
    if (!take_frame_bytes(in, taken, identity, out)) return taken;
    peer_.read_identity(identity);
    frame_.clear();
    state_ = State::ready;
    return taken;
}

size_t Handshake::take_command_bytes(Bytes in, std::vector<uint8_t> &out) {
    size_t taken = 0;
    Bytes command;
    if (!take_frame_bytes(in, taken, command, out)) return taken;
    const Mechanism::Step step = mechanism_->process(command);
    frame_.clear();
    if (step == Mechanism::Step::failed)
        fail_mechanism();
    else
        pump_mechanism(out);
    return taken;
}

// Takes bytes of one frame, at most to its end. True when it is whole: `body` lies in frame_.
bool Handshake::take_frame_bytes(Bytes in, size_t &taken, Bytes &body, std::vector<uint8_t> &out) {
    if (config_.ws) return take_ws_frame_bytes(in, taken, body, out);
    const bool is_v1 = framing() == Framing::v1;
    taken = 0;
    FrameHeader header;
    for (;;) {
        const Parse parsed = is_v1 ? parse_v1_header(frame_.data(), frame_.size(), header)
                                   : parse_v2_header(frame_.data(), frame_.size(), header);
        if (parsed == Parse::complete) break;
        if (parsed == Parse::malformed) {
            fail(Reason::silent, 0);
            return false;
        }
        if (taken == in.size()) return false;
        frame_.push_back(in[taken++]);
    }
    if (is_frame_too_large(header.body_size)) {
        fail(Reason::silent, 0);
        return false;
    }
    const size_t frame_size = header.header_size + static_cast<size_t>(header.body_size);
    const Bytes rest = in.skip(taken).first(frame_size - frame_.size());
    append_bytes(frame_, rest);
    taken += rest.size();
    if (frame_.size() < frame_size) return false;
    body = Bytes(frame_.data(), frame_.size()).skip(header.header_size);
    return true;
}

bool Handshake::is_frame_too_large(uint64_t size) const {
    const int64_t limit = config_.max_message_size;
    const bool is_name = state_ == State::identity || state_ == State::routing_id;
    return size > (is_name ? peer_name_max : handshake_frame_max) || (limit >= 0 && size > static_cast<uint64_t>(limit));
}

// A frame of this connection's framing; only ZMTP 3.x and WebSockets send any here.
void Handshake::append_frame(std::vector<uint8_t> &out, uint8_t flags, Bytes body) const {
    uint8_t header[header_max];
    size_t size;
    WsMask mask = 0;
    if (!config_.ws) size = put_v2_header(header, flags, body.size());
    else if (!config_.ws->is_client) size = put_ws_header(header, flags, body.size());
    else std::tie(size, mask) =
             put_masked_ws_header(header, flags, body.size(), config_.ws->random());
    out.insert(out.end(), header, header + size);
    const size_t at = out.size();
    out.insert(out.end(), body.begin(), body.end());
    if (!body.empty()) apply_mask(out.data() + at, out.data() + at, body.size(), mask);
}

// Sends what the mechanism has to say, and follows it into the next state.
void Handshake::pump_mechanism(std::vector<uint8_t> &out) {
    std::vector<uint8_t> body;
    for (;;) {
        switch (mechanism_->next(body)) {
        case Mechanism::Step::send:
            append_frame(out, Message::command, Bytes(body.data(), body.size()));
            break;
        case Mechanism::Step::idle:
            state_ = mechanism_->is_ready() ? State::ready : State::commands;
            return;
        case Mechanism::Step::ask_zap:
            state_ = State::zap;
            return;
        case Mechanism::Step::compute:
            state_ = State::computing;
            return;
        case Mechanism::Step::failed:
            return fail_mechanism();
        }
    }
}

void Handshake::fail_mechanism() {
    const Mechanism::Failure failure = mechanism_->failure();
    switch (failure.kind) {
    case Mechanism::Failure::Kind::protocol:
        return fail(Reason::protocol_error, failure.code);
    case Mechanism::Failure::Kind::auth:
        fail(Reason::auth, failure.code);
        failure_.is_fatal = !is_turned_away_;
        return;
    case Mechanism::Failure::Kind::silent:
        return fail(Reason::silent, failure.code);
    case Mechanism::Failure::Kind::helpless:
        fail(Reason::helpless, 0);
        failure_.is_fatal = false; // a ticket may come
        return;
    }
}

// Failures that a handshake can see end the endpoint (zmtp.md section 5.7), but for a refusal of our
// own that is temporary; lost connections and timeouts, which do not, are the link's.
void Handshake::fail(Reason reason, uint32_t code) {
    state_ = State::failed;
    failure_ = {reason, code, true};
}

Handshake::Outcome Handshake::outcome() const {
    if (state_ == State::ready) return Outcome::ready;
    return state_ == State::failed ? Outcome::failed : Outcome::more;
}

// When GSSAPI has sealed it, libzmq 4.3.4 takes the command form for any other message.
SubscriptionForm Handshake::subscription_form() const {
    if (config_.ws) return SubscriptionForm::message; // libzmq drops the other (quirks Q-35)
    const bool is_sealed = config_.mechanism == mechanism_id::gssapi && config_.security &&
                           !config_.security->gssapi_plaintext;
    return is_sealed ? SubscriptionForm::message : subscription_form_of(version());
}

// Subscribers of that age filter what they get.
bool Handshake::subscribes_to_all() const {
    return version() == ZmtpVersion::unversioned &&
           (config_.socket_type == socket_type::pub || config_.socket_type == socket_type::xpub);
}

} // namespace tern
