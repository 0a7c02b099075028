// handshake_null: any bytes as the peer of a NULL handshake, ZMTP 3.1 down to 1.0, with and without
// a ZAP handler.
#include "support/handshake.hpp"

namespace tern::fuzz {

namespace {

HandshakeResult expected(const HandshakeSetting &setting, Bytes stream) {
    RefOpening opening = ref_opening(setting, stream);
    HandshakeResult &result = opening.result;
    if (opening.way != RefOpening::Way::commands) return result;
    if (setting.config.asks_zap && !ref_zap(setting, result)) return result;
    RefFrame frame;
    switch (take_frame(opening.rest, false, frame_limit(setting.config), frame)) {
    case RefEnd::need_more:
        return result;
    case RefEnd::bad:
        set_failed(result, Handshake::Reason::silent, 0);
        return result;
    case RefEnd::whole:
        break;
    }
    const Bytes body(frame.body);
    if (begins_with(body, "\5READY")) {
        const auto peer = ref_peer(setting.config.socket_type, body.skip(6));
        if (peer)
            set_ready(result, *peer);
        else
            set_failed(result, Handshake::Reason::silent, 0);
    } else if (begins_with(body, "\5ERROR")) {
        set_failed(result, ref_error(body.skip(6)));
    } else {
        set_failed(result, Handshake::Reason::protocol_error, protocol_error::unexpected_command);
    }
    return result;
}

} // namespace

void run(Input input) {
    const HandshakeSetting setting = take_setting(input, mechanism_id::null);
    const size_t split = input.number();
    const Bytes stream = input.rest();
    const HandshakeResult result = run_handshake(setting, stream, split);
    check_same(result, expected(setting, stream));
    FUZZ_CHECK(result.credentials.empty());
    const bool publishes = setting.config.socket_type == socket_type::pub ||
                           setting.config.socket_type == socket_type::xpub;
    FUZZ_CHECK(result.subscribes_to_all ==
               (result.is_ready() && publishes && result.version == ZmtpVersion::unversioned));
}

} // namespace tern::fuzz
