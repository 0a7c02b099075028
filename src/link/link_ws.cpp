// What a WebSocket does by control frames: heartbeats, and the end of the connection (transports.md section 7.4).
#include "link/link.hpp"
#include "os/random.hpp"

namespace tern {

Error Link::make_control(Message &frame, WsOpcode opcode, Bytes payload) const {
    std::vector<uint8_t> bytes;
    const WsMask mask = random_number();
    append_ws_control(bytes, opcode, payload, framing_ == Framing::ws_client ? &mask : nullptr);
    return frame.init_copy(Bytes(bytes.data(), bytes.size()));
}

// A WebSocket's has no time to live, and goes in clear.
Error Link::make_ping(Message &ping) const {
    if (is_ws(framing_)) return make_control(ping, WsOpcode::ping, {});
    return tern::make_ping(ping, uint16_t(options_->heartbeat_ttl_deciseconds));
}

void Link::take_control(Message &payload) {
    heartbeat_.heard_other();
    Message pong;
    if (in_.control() == WsOpcode::close) {
        answer_close(payload);
    } else if (in_.control() == WsOpcode::ping && !peer_has_closed_ &&
               !make_control(pong, WsOpcode::pong, payload.bytes())) { // libzmq's is empty
        send_command(pong);
        host_.link_has_output(*this);
    }
    payload.close();
}

// The answer ends the connection, once it is written. In the middle of a message of ours there is no place
// for it.
void Link::answer_close(Message &payload) {
    if (peer_has_closed_ || is_parting_) return;
    Message echo;
    bool is_answered = false;
    if (!batch_has_partial_ && !write_dead_ &&
        !make_control(echo, WsOpcode::close, payload.bytes())) {
        is_answered = append_command(echo);
        echo.close();
    }
    if (!is_answered) {
        fail(false);
        return;
    }
    filling_.commit();
    peer_has_closed_ = true;
    filling_.end_growth();
    host_.link_has_output(*this);
}

} // namespace tern
