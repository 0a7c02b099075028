#include "security/null_mechanism.hpp"

namespace tern {

namespace {

constexpr std::string_view ready_name = "\5READY";
constexpr std::string_view error_name = "\5ERROR";

bool starts_with(Bytes body, std::string_view name) {
    return body.first(name.size()).text() == name;
}

void append(std::vector<uint8_t> &out, std::string_view text) {
    for (char c : text) out.push_back(static_cast<uint8_t>(c));
}

} // namespace

NullMechanism::NullMechanism(std::vector<uint8_t> own_metadata, MetadataReader &reader,
                             bool asks_zap)
    : own_metadata_(std::move(own_metadata)), reader_(reader),
      own_(asks_zap ? Own::asking : Own::ready_due) {}

Mechanism::Step NullMechanism::next(std::vector<uint8_t> &command_body) {
    if (has_failed_) return Step::failed;
    switch (own_) {
    case Own::asking:
        return Step::ask_zap;
    case Own::ready_sent:
        return Step::idle;
    case Own::ready_due:
        command_body.clear();
        append(command_body, ready_name);
        command_body.insert(command_body.end(), own_metadata_.begin(), own_metadata_.end());
        own_metadata_ = {};
        own_ = Own::ready_sent;
        return Step::send;
    case Own::error_due:
        command_body.clear();
        append(command_body, error_name);
        append(command_body, zap_status_ == 400 ? "\003400" : "\003500");
        own_ = Own::refused;
        return Step::send;
    case Own::refused:
        break;
    }
    // The reference lingers here until the peer goes (quirks Q-45); we close.
    return fail(Failure::Kind::auth, zap_status_);
}

Mechanism::Step NullMechanism::process(Bytes command_body) {
    if (has_failed_) return Step::failed;
    if (peer_spoke_) return fail(Failure::Kind::protocol, protocol_error::unexpected_command);
    peer_spoke_ = true;
    if (starts_with(command_body, ready_name))
        return process_ready(command_body.skip(ready_name.size()));
    if (starts_with(command_body, error_name))
        return process_error(command_body.skip(error_name.size()));
    return fail(Failure::Kind::protocol, protocol_error::unexpected_command);
}

// Bad metadata closes without an event (zmtp.md section 5.2).
Mechanism::Step NullMechanism::process_ready(Bytes metadata) {
    if (!reader_.read(metadata)) return fail(Failure::Kind::silent, 0);
    peer_ready_ = true;
    return Step::idle;
}

// Bytes behind the reason are ignored (zmtp.md section 5.3).
Mechanism::Step NullMechanism::process_error(Bytes rest) {
    if (rest.empty() || rest[0] > rest.size() - 1)
        return fail(Failure::Kind::protocol, protocol_error::malformed_error);
    const std::string_view reason = rest.skip(1).first(rest[0]).text();
    if (reason == "300") return fail(Failure::Kind::auth, 300);
    if (reason == "400") return fail(Failure::Kind::auth, 400);
    if (reason == "500") return fail(Failure::Kind::auth, 500);
    return fail(Failure::Kind::silent, 0);
}

void NullMechanism::zap_answered(uint32_t status) {
    if (own_ != Own::asking) return;
    zap_status_ = status;
    if (status == 200)
        own_ = Own::ready_due;
    else if (status == 400 || status == 500)
        own_ = Own::error_due;
    else
        own_ = Own::refused; // 300 sends nothing (quirks Q-26)
}

bool NullMechanism::is_ready() const {
    return own_ == Own::ready_sent && peer_ready_ && !has_failed_;
}

Mechanism::Step NullMechanism::fail(Failure::Kind kind, uint32_t code) {
    has_failed_ = true;
    failure_ = {kind, code};
    return Step::failed;
}

} // namespace tern
