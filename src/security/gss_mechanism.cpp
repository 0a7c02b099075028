#include "security/gss_mechanism.hpp"

#include "base/message.hpp"
#include "security/command_body.hpp"

namespace tern {

namespace {

using Step = Mechanism::Step;
using Kind = Mechanism::Failure::Kind;
using Outcome = GssContext::Outcome;

constexpr Mechanism::Failure unexpected_command = {Kind::protocol, protocol_error::unexpected_command};
constexpr Mechanism::Failure wrong_state = {Kind::protocol, protocol_error::unspecified};

// Offsets in an INITIATE.
constexpr size_t length_at = 9;
constexpr size_t token_at = 13;
static_assert(command_name::initiate.size() == length_at);

// What this side has said last may be empty: then so is the command (quirks Q-53).
void put_token(std::vector<uint8_t> &out, const std::vector<uint8_t> &token) {
    out.clear();
    if (token.empty()) return;
    uint8_t length[4];
    store_be32(length, static_cast<uint32_t>(token.size()));
    put_command(out, command_name::initiate, Bytes(length, sizeof length));
    append(out, Bytes(token.data(), token.size()));
}

// 0, or the protocol_error.
uint32_t take_token(Bytes command_body, std::vector<uint8_t> &token) {
    if (!starts_with(command_body, command_name::initiate))
        return protocol_error::unexpected_command;
    if (command_body.size() < token_at ||
        load_be32(command_body.data() + length_at) != command_body.size() - token_at)
        return protocol_error::malformed_initiate;
    const Bytes bytes = command_body.skip(token_at);
    token.assign(bytes.begin(), bytes.end());
    return protocol_error::none;
}

std::function<void()> computation_of(const std::shared_ptr<GssStep> &step) {
    return [step] {
        step->outcome =
            step->context->step(Bytes(step->token.data(), step->token.size()), step->answer);
    };
}

Mechanism::Failure failure_of(Outcome outcome) {
    if (outcome == Outcome::helpless) return {Kind::helpless, 0};
    return {Kind::protocol, protocol_error::cryptographic};
}

std::shared_ptr<GssStep> step_of(std::shared_ptr<GssContext> context) {
    auto step = std::make_shared<GssStep>();
    step->context = std::move(context);
    return step;
}

} // namespace

// ---- both

GssReady::GssReady(std::shared_ptr<GssContext> context, bool protects_traffic,
                   std::vector<uint8_t> own_metadata, MetadataReader &reader)
    : own_metadata_(std::move(own_metadata)), reader_(reader) {
    if (protects_traffic) traffic_ = std::make_unique<GssTraffic>(std::move(context));
}

bool GssReady::put(std::vector<uint8_t> &command_body) {
    std::vector<uint8_t> ready;
    put_command(ready, command_name::ready, Bytes(own_metadata_.data(), own_metadata_.size()));
    own_metadata_ = {};
    if (!traffic_) {
        command_body = std::move(ready);
        return true;
    }
    command_body.resize(traffic_->sealed_size(ready.size()));
    return !command_body.empty() &&
           traffic_->seal(Message::command, Bytes(ready.data(), ready.size()), command_body.data());
}

uint32_t GssReady::take(Bytes command_body) {
    if (!traffic_) return read(command_body);
    std::vector<uint8_t> sealed(command_body.begin(), command_body.end());
    TrafficSeal::Opened opened;
    if (const uint32_t error = traffic_->open(sealed.data(), sealed.size(), opened)) return error;
    return read(opened.body);
}

uint32_t GssReady::read(Bytes ready) {
    if (!starts_with(ready, command_name::ready)) return protocol_error::unexpected_command;
    return reader_.read(ready.skip(command_name::ready.size())) ? protocol_error::none
                                                                : protocol_error::invalid_metadata;
}

// ---- client

GssClient::GssClient(std::shared_ptr<GssContext> context, bool protects_traffic,
                     std::vector<uint8_t> own_metadata, MetadataReader &reader)
    : step_(step_of(context)),
      ready_(std::move(context), protects_traffic, std::move(own_metadata), reader) {}

Step GssClient::next(std::vector<uint8_t> &command_body) {
    switch (state_) {
    case State::computing:
        return Step::compute;
    case State::token_due:
        put_token(command_body, step_->answer);
        state_ = State::awaiting_token;
        return Step::send;
    case State::last_token_due:
        put_token(command_body, step_->answer);
        step_.reset();
        state_ = State::awaiting_ready;
        return Step::send;
    case State::ready_due:
        if (!ready_.put(command_body)) return fail(failure_of(Outcome::refused));
        state_ = State::ready;
        return Step::send;
    case State::awaiting_token:
    case State::awaiting_ready:
    case State::ready:
        return Step::idle;
    case State::failed:
        break;
    }
    return Step::failed;
}

std::function<void()> GssClient::take_computation() { return computation_of(step_); }

void GssClient::computed() {
    if (state_ != State::computing) return;
    switch (step_->outcome) {
    case Outcome::more:
        state_ = State::token_due;
        break;
    case Outcome::complete:
        state_ = State::last_token_due;
        break;
    case Outcome::refused:
    case Outcome::helpless:
        (void)fail(failure_of(step_->outcome));
        break;
    }
}

Step GssClient::process(Bytes command_body) {
    switch (state_) {
    case State::awaiting_token:
        return process_token(command_body);
    case State::awaiting_ready:
        return process_ready(command_body);
    case State::failed:
        return Step::failed;
    default:
        return fail(wrong_state);
    }
}

Step GssClient::process_token(Bytes command_body) {
    if (const uint32_t error = take_token(command_body, step_->token))
        return fail({Kind::protocol, error});
    state_ = State::computing;
    return Step::idle;
}

Step GssClient::process_ready(Bytes command_body) {
    if (const uint32_t error = ready_.take(command_body)) return fail({Kind::protocol, error});
    state_ = State::ready_due;
    return Step::idle;
}

Step GssClient::fail(Failure failure) {
    state_ = State::failed;
    failure_ = failure;
    return Step::failed;
}

// ---- server

GssServer::GssServer(std::shared_ptr<GssContext> context, bool protects_traffic,
                     std::vector<uint8_t> own_metadata, MetadataReader &reader, bool asks_zap)
    : step_(step_of(context)),
      ready_(std::move(context), protects_traffic, std::move(own_metadata), reader),
      asks_zap_(asks_zap) {}

Step GssServer::next(std::vector<uint8_t> &command_body) {
    switch (state_) {
    case State::computing:
        return Step::compute;
    case State::token_due:
        put_token(command_body, step_->answer);
        state_ = State::awaiting_token;
        return Step::send;
    case State::last_token_due:
        put_token(command_body, step_->answer);
        state_ = State::awaiting_done;
        return Step::send;
    case State::asking:
        return Step::ask_zap;
    case State::ready_due:
        if (!ready_.put(command_body)) return fail(failure_of(Outcome::refused));
        step_.reset();
        state_ = State::awaiting_ready;
        return Step::send;
    case State::refused:
        return fail({Kind::auth, zap_status_});
    case State::awaiting_token:
    case State::awaiting_done:
    case State::awaiting_ready:
    case State::ready:
        return Step::idle;
    case State::failed:
        break;
    }
    return Step::failed;
}

std::function<void()> GssServer::take_computation() { return computation_of(step_); }

void GssServer::computed() {
    if (state_ != State::computing) return;
    switch (step_->outcome) {
    case Outcome::more:
        state_ = State::token_due;
        break;
    case Outcome::complete:
        state_ = State::last_token_due;
        break;
    case Outcome::refused:
    case Outcome::helpless:
        (void)fail(failure_of(step_->outcome));
        break;
    }
}

Step GssServer::process(Bytes command_body) {
    switch (state_) {
    case State::awaiting_token:
        return process_token(command_body);
    case State::awaiting_done:
        return process_done(command_body);
    case State::awaiting_ready:
        return process_ready(command_body);
    case State::failed:
        return Step::failed;
    default:
        return fail(wrong_state);
    }
}

Step GssServer::process_token(Bytes command_body) {
    if (const uint32_t error = take_token(command_body, step_->token))
        return fail({Kind::protocol, error});
    state_ = State::computing;
    return Step::idle;
}

// The client is content with our last token.
Step GssServer::process_done(Bytes command_body) {
    if (!command_body.empty()) return fail(unexpected_command);
    state_ = asks_zap_ ? State::asking : State::ready_due;
    return Step::idle;
}

Step GssServer::process_ready(Bytes command_body) {
    if (const uint32_t error = ready_.take(command_body)) return fail({Kind::protocol, error});
    state_ = State::ready;
    return Step::idle;
}

std::vector<std::string> GssServer::zap_credentials() const {
    if (state_ != State::asking) return {};
    return {step_->context->peer_name()};
}

// Whatever a refusal says, GSSAPI has no words for it.
void GssServer::zap_answered(uint32_t status) {
    if (state_ != State::asking) return;
    zap_status_ = status;
    state_ = status == 200 ? State::ready_due : State::refused;
}

Step GssServer::fail(Failure failure) {
    state_ = State::failed;
    failure_ = failure;
    return Step::failed;
}

} // namespace tern
