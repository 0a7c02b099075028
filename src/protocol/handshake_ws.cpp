// The parts of a handshake that a WebSocket adds: the upgrade, and frames with masks and control frames
// among them (transports.md section 7).
#include "protocol/base64.hpp"
#include "protocol/handshake.hpp"

#include <string>

namespace tern {

namespace {

constexpr std::string_view bare_protocol = "ZWS2.0"; // no mechanism: routing ids alone

std::vector<std::string> protocols_of(const HandshakeConfig &config) {
    std::vector<std::string> protocols{std::string(bare_protocol).append("/").append(
        mechanism_name(config.mechanism))};
    // Who has a ZAP handler to ask lets nobody pass by it (quirks Q-61).
    if (config.mechanism == mechanism_id::null && !config.asks_zap)
        protocols.emplace_back(bare_protocol);
    return protocols;
}

std::string random_key(uint32_t (*random)()) {
    uint32_t words[4];
    for (uint32_t &word : words) word = random();
    return base64(Bytes(words, sizeof words));
}

} // namespace

void Handshake::start_upgrade(std::vector<uint8_t> &out) {
    const WsSide &ws = *config_.ws;
    state_ = State::upgrade;
    upgrade_ = std::make_unique<WsUpgrade>(
        ws.is_client ? WsUpgrade::as_client(protocols_of(config_), ws.host, ws.path, random_key(ws.random))
                     : WsUpgrade::as_server(protocols_of(config_)));
    upgrade_->start(out);
}

size_t Handshake::take_upgrade_bytes(Bytes in, std::vector<uint8_t> &out) {
    size_t taken = 0;
    switch (upgrade_->feed(in, taken, out)) {
    case WsUpgrade::Outcome::more: break;
    case WsUpgrade::Outcome::failed: fail(Reason::protocol_error, protocol_error::websocket); break;
    case WsUpgrade::Outcome::done: upgraded(out); break;
    }
    return taken;
}

void Handshake::upgraded(std::vector<uint8_t> &out) {
    const bool is_bare = upgrade_->protocol() == bare_protocol;
    upgrade_.reset();
    if (is_bare) {
        append_frame(out, 0, Bytes(std::string_view(config_.routing_id)));
        state_ = State::routing_id;
        return;
    }
    make_mechanism();
    if (state_ != State::failed) pump_mechanism(out);
}

size_t Handshake::take_routing_id_bytes(Bytes in, std::vector<uint8_t> &out) {
    size_t taken = 0;
    Bytes name;
    if (!take_ws_frame_bytes(in, taken, name, out)) return taken;
    peer_.read_identity(name);
    frame_.clear();
    state_ = State::ready;
    return taken;
}

// As take_frame_bytes. A control frame ends here: a ping is answered, a peer that closes is done with.
bool Handshake::take_ws_frame_bytes(Bytes in, size_t &taken, Bytes &body, std::vector<uint8_t> &out) {
    const bool is_client = config_.ws->is_client;
    taken = 0;
    WsHeader header;
    for (;;) {
        const Parse parsed = parse_ws_header(frame_.data(), frame_.size(), !is_client, header);
        if (parsed == Parse::complete) break;
        if (parsed == Parse::malformed) {
            fail(Reason::protocol_error, protocol_error::websocket);
            return false;
        }
        if (taken == in.size()) return false;
        frame_.push_back(in[taken++]);
    }
    if (is_frame_too_large(header.body_size) && header.opcode == WsOpcode::data) {
        fail(Reason::protocol_error, protocol_error::websocket);
        return false;
    }
    const size_t frame_size = header.header_size + static_cast<size_t>(header.body_size);
    const Bytes rest = in.skip(taken).first(frame_size - frame_.size());
    frame_.insert(frame_.end(), rest.begin(), rest.end());
    taken += rest.size();
    if (frame_.size() < frame_size) return false;
    uint8_t *const payload = frame_.data() + header.header_size;
    apply_mask(payload, payload, size_t(header.body_size), header.mask);
    body = Bytes(payload, size_t(header.body_size));
    if (header.opcode == WsOpcode::data) return true;
    if (++control_frames_ > control_frames_max) {
        fail(Reason::protocol_error, protocol_error::websocket);
        return false;
    }
    const WsMask mask = is_client ? config_.ws->random() : 0;
    const WsMask *const own_mask = is_client ? &mask : nullptr;
    if (header.opcode == WsOpcode::ping) {
        append_ws_control(out, WsOpcode::pong, body, own_mask);
    } else if (header.opcode == WsOpcode::close) {
        append_ws_control(out, WsOpcode::close, body, own_mask);
        fail(Reason::closed, 0);
        failure_.is_fatal = false;
    }
    frame_.clear();
    return false;
}

} // namespace tern
