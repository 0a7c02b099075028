#include "security/plain_mechanism.hpp"

#include "security/command_body.hpp"

namespace tern {

namespace {

using Step = Mechanism::Step;
using Kind = Mechanism::Failure::Kind;

constexpr std::string_view error_of_libzmq = "^RROR";

void append_short_text(std::vector<uint8_t> &out, std::string_view text) {
    out.push_back(static_cast<uint8_t>(text.size()));
    append(out, Bytes(text));
}

// Takes a length byte and as many bytes off the front. False when they are not all there.
bool take_short_text(Bytes &rest, std::string &text) {
    if (rest.empty() || rest[0] > rest.size() - 1) return false;
    text = rest.skip(1).first(rest[0]).text();
    rest = rest.skip(1 + text.size());
    return true;
}

} // namespace

// ---- client

PlainClient::PlainClient(std::string user, std::string password, std::vector<uint8_t> own_metadata,
                         MetadataReader &reader)
    : user_(std::move(user)), password_(std::move(password)),
      own_metadata_(std::move(own_metadata)), reader_(reader) {}

Step PlainClient::next(std::vector<uint8_t> &command_body) {
    switch (state_) {
    case State::hello_due:
        put_command(command_body, command_name::hello, {});
        append_short_text(command_body, user_);
        append_short_text(command_body, password_);
        state_ = State::awaiting_welcome;
        return Step::send;
    case State::initiate_due:
        put_command(command_body, command_name::initiate,
                    Bytes(own_metadata_.data(), own_metadata_.size()));
        own_metadata_ = {};
        state_ = State::awaiting_ready;
        return Step::send;
    case State::awaiting_welcome:
    case State::awaiting_ready:
    case State::ready:
        return Step::idle;
    case State::failed:
        break;
    }
    return Step::failed;
}

Step PlainClient::process(Bytes command_body) {
    if (state_ == State::failed) return Step::failed;
    const bool awaits_welcome = state_ == State::awaiting_welcome;
    const bool awaits_ready = state_ == State::awaiting_ready;
    if (awaits_welcome && starts_with(command_body, command_name::welcome))
        return process_welcome(command_body);
    if (awaits_ready && starts_with(command_body, command_name::ready))
        return process_ready(command_body.skip(command_name::ready.size()));
    if (awaits_welcome || awaits_ready) {
        for (const std::string_view name : {error_of_libzmq, command_name::error})
            if (starts_with(command_body, name))
                return fail(parse_error(command_body.skip(name.size())));
    }
    return fail({Kind::protocol, protocol_error::unexpected_command});
}

Step PlainClient::process_welcome(Bytes command_body) {
    if (command_body.size() != command_name::welcome.size())
        return fail({Kind::protocol, protocol_error::malformed_welcome});
    state_ = State::initiate_due;
    return Step::idle;
}

Step PlainClient::process_ready(Bytes metadata) {
    if (!reader_.read(metadata)) return fail({Kind::protocol, protocol_error::invalid_metadata});
    state_ = State::ready;
    return Step::idle;
}

Step PlainClient::fail(Failure failure) {
    state_ = State::failed;
    failure_ = failure;
    return Step::failed;
}

// ---- server

PlainServer::PlainServer(std::vector<uint8_t> own_metadata, MetadataReader &reader)
    : own_metadata_(std::move(own_metadata)), reader_(reader) {}

Step PlainServer::next(std::vector<uint8_t> &command_body) {
    switch (state_) {
    case State::asking:
        return Step::ask_zap;
    case State::welcome_due:
        put_command(command_body, command_name::welcome, {});
        state_ = State::awaiting_initiate;
        return Step::send;
    case State::ready_due:
        put_command(command_body, command_name::ready,
                    Bytes(own_metadata_.data(), own_metadata_.size()));
        own_metadata_ = {};
        state_ = State::ready;
        return Step::send;
    case State::error_due:
        put_error(command_body, error_of_libzmq, zap_status_);
        state_ = State::refused;
        return Step::send;
    case State::refused:
        return fail({Kind::auth, zap_status_});
    case State::awaiting_hello:
    case State::awaiting_initiate:
    case State::ready:
        return Step::idle;
    case State::failed:
        break;
    }
    return Step::failed;
}

Step PlainServer::process(Bytes command_body) {
    switch (state_) {
    case State::awaiting_hello:
        return process_hello(command_body);
    case State::awaiting_initiate:
        return process_initiate(command_body);
    case State::failed:
        return Step::failed;
    default:
        return fail({Kind::protocol, protocol_error::unspecified});
    }
}

Step PlainServer::process_hello(Bytes command_body) {
    if (!has_name(command_body)) return fail({Kind::protocol, protocol_error::malformed});
    if (!starts_with(command_body, command_name::hello))
        return fail({Kind::protocol, protocol_error::unexpected_command});
    Bytes rest = command_body.skip(command_name::hello.size());
    if (!take_short_text(rest, user_) || !take_short_text(rest, password_) || !rest.empty())
        return fail({Kind::protocol, protocol_error::malformed_hello});
    state_ = State::asking;
    return Step::idle;
}

// Bad metadata closes without an event, as for NULL.
Step PlainServer::process_initiate(Bytes command_body) {
    if (!starts_with(command_body, command_name::initiate))
        return fail({Kind::protocol, protocol_error::unexpected_command});
    if (!reader_.read(command_body.skip(command_name::initiate.size())))
        return fail({Kind::silent, 0});
    state_ = State::ready_due;
    return Step::idle;
}

void PlainServer::zap_answered(uint32_t status) {
    if (state_ != State::asking) return;
    zap_status_ = status;
    if (status == 200)
        state_ = State::welcome_due;
    else if (status == 400 || status == 500)
        state_ = State::error_due;
    else
        state_ = State::refused; // 300 sends nothing (quirks Q-26)
}

Step PlainServer::fail(Failure failure) {
    state_ = State::failed;
    failure_ = failure;
    return Step::failed;
}

} // namespace tern
