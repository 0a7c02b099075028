#include "protocol/handshake.hpp"

#include "security/null_mechanism.hpp"

#include <algorithm>

namespace tern {

namespace {

// Offsets in the greeting (zmtp.md section 2.1).
constexpr size_t signature_end = 9;
constexpr size_t major_at = 10;
constexpr size_t minor_at = 11;
constexpr size_t mechanism_at = 12;
constexpr size_t mechanism_size = 20;
constexpr size_t greeting_end = 64;

void append(std::vector<uint8_t> &out, Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

std::string_view mechanism_name(int mechanism) {
    switch (mechanism) {
    case mechanism_id::plain:
        return "PLAIN";
    case mechanism_id::curve:
        return "CURVE";
    case mechanism_id::gssapi:
        return "GSSAPI";
    default:
        return "NULL";
    }
}

// Minor version, mechanism, as-server (always 0, quirks Q-08) and filler.
void append_greeting_tail(std::vector<uint8_t> &out, int mechanism) {
    uint8_t tail[greeting_end - minor_at] = {1};
    const std::string_view name = mechanism_name(mechanism);
    std::memcpy(tail + 1, name.data(), name.size());
    append(out, Bytes(tail, sizeof tail));
}

bool is_same_mechanism(const uint8_t *field, int mechanism) {
    uint8_t own[mechanism_size] = {};
    const std::string_view name = mechanism_name(mechanism);
    std::memcpy(own, name.data(), name.size());
    return std::memcmp(field, own, mechanism_size) == 0;
}

} // namespace

Handshake::Handshake(HandshakeConfig config)
    : config_(std::move(config)), peer_(config_.socket_type) {}

void Handshake::start(std::vector<uint8_t> &out) {
    // To a ZMTP 1.0 peer this is the long header of our identity frame (zmtp.md section 3.1).
    uint8_t signature[10] = {0xff};
    store_be64(signature + 1, uint64_t(config_.routing_id.size()) + 1);
    signature[signature_end] = 0x7f;
    append(out, Bytes(signature, sizeof signature));
}

Handshake::Outcome Handshake::feed(Bytes in, size_t &consumed, std::vector<uint8_t> &out) {
    consumed = 0;
    while (consumed < in.size()) {
        switch (state_) {
        case State::signature:
        case State::major:
        case State::old:
        case State::greeting:
            take_greeting_byte(in[consumed++], out);
            break;
        case State::commands:
            consumed += take_command_bytes(in.skip(consumed), out);
            break;
        case State::zap:
        case State::ready:
        case State::failed:
            return outcome();
        }
    }
    return outcome();
}

Handshake::Outcome Handshake::answer_zap(uint32_t status, std::vector<uint8_t> &out) {
    if (state_ == State::zap) {
        mechanism_->zap_answered(status);
        pump_mechanism(out);
    }
    return outcome();
}

// Version detection, byte by byte (zmtp.md section 3).
void Handshake::take_greeting_byte(uint8_t byte, std::vector<uint8_t> &out) {
    const size_t at = greeting_size_++;
    greeting_[at] = byte;
    switch (state_) {
    case State::signature:
        if (at == 0 && byte != 0xff) return refuse_old_version(); // ZMTP 1.0, short identity
        if (at < signature_end) return;                           // padding may be anything
        if (!(byte & 1)) return refuse_old_version();             // ZMTP 1.0, long identity
        out.push_back(3);
        state_ = State::major;
        return;
    case State::major:
        if (byte <= 1) {
            out.push_back(static_cast<uint8_t>(config_.socket_type));
            state_ = State::old;
            return;
        }
        append_greeting_tail(out, config_.mechanism);
        state_ = State::greeting;
        return;
    case State::old:
        return refuse_old_version(); // ZMTP 1.0 versioned or 2.0: their type code
    default:
        if (at + 1 == greeting_end) greeting_complete(out);
    }
}

// ZMTP 1.0 and 2.0 go on from here once they are supported: identity frames, then v1 or v2 traffic.
// Never while anything is authenticated (CVE-2014-9721).
void Handshake::refuse_old_version() {
    fail(config_.zap_in_force || config_.mechanism != mechanism_id::null ? Reason::silent
                                                                         : Reason::old_version,
         0);
}

void Handshake::greeting_complete(std::vector<uint8_t> &out) {
    if (!is_same_mechanism(greeting_ + mechanism_at, config_.mechanism))
        return fail(Reason::mechanism_mismatch, protocol_error::mechanism_mismatch);
    mechanism_ = make_mechanism();
    if (!mechanism_) return fail(Reason::protocol_error, protocol_error::unspecified);
    pump_mechanism(out);
}

// Null when the mechanism is not built in.
std::unique_ptr<Mechanism> Handshake::make_mechanism() {
    if (config_.mechanism != mechanism_id::null) return nullptr;
    return std::make_unique<NullMechanism>(
        own_metadata(config_.socket_type, config_.routing_id, config_.metadata), peer_,
        config_.zap_in_force);
}

// Takes bytes of one command frame, at most to its end, and hands it to the mechanism when whole.
size_t Handshake::take_command_bytes(Bytes in, std::vector<uint8_t> &out) {
    size_t taken = 0;
    FrameHeader header;
    while (parse_v2_header(frame_.data(), frame_.size(), header) != Parse::complete) {
        if (taken == in.size()) return taken;
        frame_.push_back(in[taken++]);
    }
    const int64_t limit = config_.max_message_size;
    if (header.body_size > handshake_command_max ||
        (limit >= 0 && header.body_size > static_cast<uint64_t>(limit))) {
        fail(Reason::silent, 0);
        return taken;
    }
    const size_t frame_size = header.header_size + static_cast<size_t>(header.body_size);
    const Bytes rest = in.skip(taken).first(frame_size - frame_.size());
    frame_.insert(frame_.end(), rest.begin(), rest.end());
    taken += rest.size();
    if (frame_.size() < frame_size) return taken;

    const Bytes body = Bytes(frame_.data(), frame_.size()).skip(header.header_size);
    const Mechanism::Step step = mechanism_->process(body);
    frame_.clear();
    if (step == Mechanism::Step::failed)
        fail_mechanism();
    else
        pump_mechanism(out);
    return taken;
}

// Sends what the mechanism has to say, and follows it into the next state.
void Handshake::pump_mechanism(std::vector<uint8_t> &out) {
    std::vector<uint8_t> body;
    for (;;) {
        switch (mechanism_->next(body)) {
        case Mechanism::Step::send: {
            uint8_t header[header_max];
            append(out, Bytes(header, put_v2_header(header, Message::command, body.size())));
            append(out, Bytes(body.data(), body.size()));
            break;
        }
        case Mechanism::Step::idle:
            state_ = mechanism_->is_ready() ? State::ready : State::commands;
            return;
        case Mechanism::Step::ask_zap:
            state_ = State::zap;
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
        return fail(Reason::auth, failure.code);
    case Mechanism::Failure::Kind::silent:
        return fail(Reason::silent, failure.code);
    }
}

// Every failure that a handshake can see ends the endpoint (zmtp.md section 5.7); lost connections
// and timeouts, which do not, are the link's.
void Handshake::fail(Reason reason, uint32_t code) {
    state_ = State::failed;
    failure_ = {reason, code, true};
}

Handshake::Outcome Handshake::outcome() const {
    if (state_ == State::ready) return Outcome::ready;
    return state_ == State::failed ? Outcome::failed : Outcome::more;
}

int Handshake::peer_minor() const {
    // Any major but 3 is spoken to as 3.1 (quirks Q-20).
    return greeting_[major_at] == 3 ? greeting_[minor_at] : 1;
}

SubscriptionForm Handshake::subscription_form() const {
    return peer_minor() == 0 ? SubscriptionForm::message : SubscriptionForm::command;
}

} // namespace tern
