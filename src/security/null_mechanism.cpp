#include "security/null_mechanism.hpp"

#include "security/command_body.hpp"

namespace tern {

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
        put_command(command_body, command_name::ready,
                    Bytes(own_metadata_.data(), own_metadata_.size()));
        own_metadata_ = {};
        own_ = Own::ready_sent;
        return Step::send;
    case Own::error_due:
        put_error(command_body, command_name::error, zap_status_);
        own_ = Own::refused;
        return Step::send;
    case Own::refused:
        break;
    }
    // The reference lingers here until the peer goes (quirks Q-45); we close.
    return fail({Failure::Kind::auth, zap_status_});
}

Mechanism::Step NullMechanism::process(Bytes command_body) {
    if (has_failed_) return Step::failed;
    if (peer_spoke_) return fail({Failure::Kind::protocol, protocol_error::unexpected_command});
    peer_spoke_ = true;
    if (starts_with(command_body, command_name::ready))
        return process_ready(command_body.skip(command_name::ready.size()));
    if (starts_with(command_body, command_name::error))
        return fail(parse_error(command_body.skip(command_name::error.size())));
    return fail({Failure::Kind::protocol, protocol_error::unexpected_command});
}

// Bad metadata closes without an event (zmtp.md section 5.2).
Mechanism::Step NullMechanism::process_ready(Bytes metadata) {
    if (!reader_.read(metadata)) return fail({Failure::Kind::silent, 0});
    peer_ready_ = true;
    return Step::idle;
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

Mechanism::Step NullMechanism::fail(Failure failure) {
    has_failed_ = true;
    failure_ = failure;
    return Step::failed;
}

} // namespace tern
