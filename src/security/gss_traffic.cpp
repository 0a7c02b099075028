#include "security/gss_traffic.hpp"

#include "base/message.hpp"
#include "security/command_body.hpp"

namespace tern {

namespace {

// Offsets in a MESSAGE.
constexpr size_t message_length_at = 8;
constexpr size_t message_token_at = 12;
static_assert(command_name::message.size() == message_length_at);

// Bits of the flags in the token.
constexpr uint8_t wire_more = 1;
constexpr uint8_t wire_command = 2;
constexpr uint8_t wire_subscribe = 4;
constexpr uint8_t wire_cancel = 8;
static_assert(Message::more == wire_more && Message::command == wire_command);

} // namespace

size_t GssTraffic::sealed_size(size_t body_size) const {
    GssContext::Margins margins;
    if (body_size == SIZE_MAX || !context_->margins(1 + body_size, margins)) return 0;
    return message_token_at + margins.sum() + 1 + body_size;
}

bool GssTraffic::seal(uint8_t message_flags, Bytes body, uint8_t *out) {
    const size_t content_size = 1 + body.size();
    GssContext::Margins margins;
    if (!context_->margins(content_size, margins)) return false;
    const size_t token_size = margins.sum() + content_size;
    if (token_size > UINT32_MAX) return false;
    uint8_t *content = out + message_token_at + margins.front;
    // The body first: it may lie where the rest is going to be written.
    if (!body.empty()) std::memmove(content + 1, body.data(), body.size());
    content[0] = message_flags & (wire_more | wire_command);
    std::memcpy(out, command_name::message.data(), message_length_at);
    store_be32(out + message_length_at, static_cast<uint32_t>(token_size));
    return context_->wrap(out + message_token_at, content_size, margins);
}

uint32_t GssTraffic::open(uint8_t *sealed, size_t size, Opened &opened) {
    if (!starts_with(Bytes(sealed, size), command_name::message))
        return protocol_error::unexpected_command;
    if (size < message_token_at || load_be32(sealed + message_length_at) != size - message_token_at)
        return protocol_error::malformed_message;
    Bytes content;
    switch (context_->unwrap(sealed + message_token_at, size - message_token_at, content)) {
    case GssContext::Unwrapped::replayed:
        return protocol_error::invalid_sequence;
    case GssContext::Unwrapped::damaged:
        return protocol_error::cryptographic;
    case GssContext::Unwrapped::ok:
        break;
    }
    if (content.empty()) return protocol_error::malformed_message;
    const uint8_t wire = content[0];
    constexpr uint8_t both = wire_subscribe | wire_cancel;
    if ((wire & both) == both) return protocol_error::malformed_message;
    opened.flags = wire & (wire_more | wire_command);
    if (wire & wire_subscribe) opened.flags |= Message::subscribe;
    if (wire & wire_cancel) opened.flags |= Message::cancel;
    opened.body = content.skip(1);
    return protocol_error::none;
}

} // namespace tern
