// handshake_ws: any bytes as a peer over a WebSocket, NULL or no mechanism at all, either role.
#include "support/handshake.hpp"
#include "support/ws.hpp"

namespace tern::fuzz {

namespace {

// The key of RFC 6455's example, so that the captured answer is one to us; the same numbers are masks.
size_t next_random = 0;
uint32_t fixed_random() {
    static const char nonce[] = "the sample nonce";
    uint32_t word;
    std::memcpy(&word, nonce + next_random++ % 4 * sizeof word, sizeof word);
    return word;
}

struct WsResult {
    HandshakeResult base;
    bool is_upgraded = false;
    bool has_mechanism = false;

    friend bool operator==(const WsResult &a, const WsResult &b) {
        return a.base == b.base && a.is_upgraded == b.is_upgraded &&
               a.has_mechanism == b.has_mechanism;
    }
};

WsResult talk(const HandshakeConfig &config, Reads &reads) {
    WsResult result;
    HandshakeResult &base = result.base;
    next_random = 0;
    Handshake handshake(config);
    handshake.start(base.out);
    size_t arrived = 0;
    const LargestAllocation largest;
    Buffer rest;
    while (base.outcome == Handshake::Outcome::more && (!reads.at_end() || !rest.empty())) {
        Buffer in = std::move(rest);
        rest.clear();
        if (in.empty()) {
            in = exact(reads.next());
            arrived += in.size();
        }
        size_t consumed = 0;
        base.outcome = handshake.feed(view(in), consumed, base.out);
        FUZZ_CHECK(consumed <= in.size());
        base.consumed += consumed;
        rest = exact(view(in).skip(consumed));
        if (handshake.is_waiting_for_zap()) {
            base.has_asked = true;
            base.outcome = handshake.answer_zap(200, base.out);
        } else {
            FUZZ_CHECK(base.outcome != Handshake::Outcome::more || rest.empty());
        }
    }
    FUZZ_CHECK(largest.bytes() <= 32 * arrived + 2 * WsUpgrade::line_max + 4096);
    result.is_upgraded = handshake.is_upgraded();
    result.has_mechanism = handshake.has_mechanism();
    FUZZ_CHECK(!handshake.is_waiting_for_identity());
    if (base.has_failed()) {
        base.reason = handshake.failure().reason;
        base.code = handshake.failure().code;
        base.is_fatal = handshake.failure().is_fatal;
    }
    if (!base.is_ready()) return result;
    base.version = handshake.version();
    base.peer_socket_type = handshake.peer_socket_type();
    base.peer_routing_id = handshake.peer_routing_id();
    base.properties = handshake.peer_properties();
    FUZZ_CHECK(handshake.subscription_form() == SubscriptionForm::message);
    FUZZ_CHECK(!handshake.subscribes_to_all());
    return result;
}

// What must come of the frames behind the upgrade.
void expect_frames(const HandshakeConfig &config, bool is_bare, Bytes rest, HandshakeResult &result) {
    using Reason = Handshake::Reason;
    const uint64_t most = frame_limit(config, is_bare ? peer_name_max : handshake_frame_max);
    for (size_t control_frames = 0;;) {
        RefWsFrame frame;
        switch (take_ws_frame(rest, !config.ws->is_client, most, frame)) {
        case RefEnd::need_more: return;
        case RefEnd::bad: return set_failed(result, Reason::protocol_error, protocol_error::websocket);
        case RefEnd::whole: break;
        }
        if (frame.is_control && ++control_frames > control_frames_max)
            return set_failed(result, Reason::protocol_error, protocol_error::websocket);
        if (frame.is_control && frame.flags == 8) return set_failed(result, Reason::closed, 0);
        if (frame.is_control) continue;
        const Bytes body(frame.body);
        const bool has_names = config.socket_type == socket_type::router ||
                               config.socket_type == socket_type::rep;
        if (is_bare) {
            result.outcome = Handshake::Outcome::ready;
            if (has_names) result.peer_routing_id = frame.body;
        } else if (begins_with(body, "\5READY")) {
            const auto peer = ref_peer(config.socket_type, body.skip(6));
            if (peer) set_ready(result, *peer);
            else set_failed(result, Reason::silent, 0);
        } else if (begins_with(body, "\5ERROR")) {
            set_failed(result, ref_error(body.skip(6)));
        } else {
            set_failed(result, Reason::protocol_error, protocol_error::unexpected_command);
        }
        return;
    }
}

} // namespace

void run(Input input) {
    HandshakeConfig config;
    const uint8_t plan = input.byte();
    config.socket_type = input.byte() % socket_type::count;
    config.routing_id = "ME";
    config.asks_zap = plan & 2;
    if (plan & 4) config.max_message_size = 60;
    const size_t split = input.number();
    const Bytes stream = input.rest();
    // Which role the stream is for can be seen.
    const bool is_client = stream.first(4).text() == "HTTP";
    config.ws = WsSide{is_client, "host", "/", fixed_random};
    const WsResult result =
        same_however_cut(stream, split, [&](Reads &reads) { return talk(config, reads); });

    std::vector<std::string> protocols{"ZWS2.0/NULL"};
    if (!config.asks_zap) protocols.emplace_back("ZWS2.0");
    WsUpgrade upgrade = is_client ? WsUpgrade::as_client(protocols, "host", "/",
                                                         "dGhlIHNhbXBsZSBub25jZQ==")
                                  : WsUpgrade::as_server(protocols);
    Buffer ignored;
    size_t consumed = 0;
    HandshakeResult wanted;
    const WsUpgrade::Outcome outcome = upgrade.feed(stream, consumed, ignored);
    const bool is_bare = upgrade.protocol() == "ZWS2.0";
    if (outcome == WsUpgrade::Outcome::failed)
        set_failed(wanted, Handshake::Reason::protocol_error, protocol_error::websocket);
    else if (outcome == WsUpgrade::Outcome::done)
        expect_frames(config, is_bare, stream.skip(consumed), wanted);
    check_same(result.base, wanted);
    const bool is_upgraded = outcome == WsUpgrade::Outcome::done;
    FUZZ_CHECK(result.is_upgraded == is_upgraded);
    FUZZ_CHECK(result.has_mechanism == (is_upgraded && !is_bare));
    FUZZ_CHECK(result.base.has_asked == (is_upgraded && config.asks_zap));
}

} // namespace tern::fuzz
