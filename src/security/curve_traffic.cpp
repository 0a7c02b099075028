#include "security/curve_traffic.hpp"

#include "base/message.hpp"
#include "security/command_body.hpp"

namespace tern {

namespace {

// Offsets in a MESSAGE.
constexpr size_t nonce_at = 8;
constexpr size_t box_at = 16;
constexpr size_t flags_at = box_at + box_overhead;
constexpr size_t body_at = flags_at + 1;
static_assert(command_name::message.size() == nonce_at);
static_assert(body_at == CurveTraffic::message_overhead);

constexpr uint8_t flags_mask = Message::more | Message::command;
static_assert(Message::more == 1 && Message::command == 2, "flags stand in the box as they are");

// REQUIRES: size >= message_overhead.
bool open_box(const CounterKey &key, uint8_t *sealed, size_t size, TrafficSeal::Opened &opened) {
    if (!key.open(sealed + box_at, size - box_at, load_be64(sealed + nonce_at))) return false;
    opened.flags = sealed[flags_at] & flags_mask;
    opened.body = Bytes(sealed, size).skip(body_at);
    return true;
}

} // namespace

bool CurveTraffic::agree(const uint8_t public_key[curve_key_size],
                         const uint8_t secret_key[curve_key_size]) {
    if (!session_key_.agree(public_key, secret_key)) return false;
    const bool is_client = own_role_ == Role::client;
    sending_key_.derive(session_key_, is_client ? "CurveZMQMESSAGEC" : "CurveZMQMESSAGES");
    receiving_key_.derive(session_key_, is_client ? "CurveZMQMESSAGES" : "CurveZMQMESSAGEC");
    return true;
}

bool CurveTraffic::seal(uint8_t message_flags, Bytes body, uint8_t *out) {
    if (next_nonce_ == 0) return false;
    const uint64_t nonce = take_nonce();
    std::memcpy(out, command_name::message.data(), nonce_at);
    store_be64(out + nonce_at, nonce);
    sending_key_.seal(out + box_at, message_flags & flags_mask, body, nonce);
    return true;
}

uint32_t CurveTraffic::open(uint8_t *sealed, size_t size, Opened &opened) {
    const Bytes command_body(sealed, size);
    if (!has_name(command_body)) return protocol_error::malformed;
    if (!starts_with(command_body, command_name::message))
        return protocol_error::unexpected_command;
    if (size < message_overhead) return protocol_error::malformed_message;
    const uint64_t nonce = load_be64(sealed + nonce_at);
    if (nonce <= peer_nonce_) return protocol_error::invalid_sequence; // CVE-2014-7203
    peer_nonce_ = nonce;
    return open_box(receiving_key_, sealed, size, opened) ? protocol_error::none
                                                          : protocol_error::cryptographic;
}

bool CurveTraffic::recover(uint8_t *sealed, size_t size, Opened &opened) const {
    return size >= message_overhead && open_box(sending_key_, sealed, size, opened);
}

} // namespace tern
