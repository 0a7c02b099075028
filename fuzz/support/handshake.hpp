// Handshakes: one side driven with the bytes of a peer, however they arrive, and everything it says
// and decides kept for comparing.
// Threads: one.
#ifndef TERN_FUZZ_SUPPORT_HANDSHAKE_HPP
#define TERN_FUZZ_SUPPORT_HANDSHAKE_HPP

#include "support/fuzz.hpp"
#include "support/reference.hpp"

#include "protocol/handshake.hpp"

#include <algorithm>

namespace tern::fuzz {

struct HandshakeSetting {
    HandshakeConfig config;
    SecurityOptions security;
    uint32_t zap_status = 200;
    bool answers_by_frames = false;
    ZapFrames zap_reply;
    bool answers_late = false; // when everything has arrived
};

struct HandshakeResult {
    Handshake::Outcome outcome = Handshake::Outcome::more;
    Handshake::Reason reason = Handshake::Reason::silent;
    uint32_t code = 0;
    bool is_fatal = false;
    size_t consumed = 0;
    Buffer out;
    bool has_asked = false;
    std::vector<std::string> credentials;
    bool awaits_identity = false;
    // After ready.
    ZmtpVersion version = ZmtpVersion::v3_1;
    int peer_socket_type = socket_type::none;
    std::string peer_routing_id;
    PropertyList properties;
    PropertyList zap_properties;
    bool subscribes_to_all = false;

    bool is_ready() const { return outcome == Handshake::Outcome::ready; }
    bool has_failed() const { return outcome == Handshake::Outcome::failed; }
    bool has_failed_with(Handshake::Reason why, uint32_t number) const {
        return has_failed() && reason == why && code == number;
    }

    auto tied() const {
        return std::tie(outcome, reason, code, is_fatal, consumed, out, has_asked, credentials,
                        awaits_identity, version, peer_socket_type, peer_routing_id, properties,
                        zap_properties, subscribes_to_all);
    }
    friend bool operator==(const HandshakeResult &a, const HandshakeResult &b) {
        return a.tied() == b.tied();
    }
};

// The beginning of an input: what does not depend on the mechanism.
inline HandshakeSetting take_setting(Input &input, int mechanism) {
    HandshakeSetting setting;
    const uint8_t flags = input.byte();
    setting.config.mechanism = mechanism;
    setting.config.socket_type = input.byte() % socket_type::count;
    setting.config.asks_zap = flags & 1;
    setting.answers_late = flags & 2;
    setting.zap_status = 200 + 100 * (flags >> 2 & 3);
    if (flags & 0x10) setting.config.max_message_size = input.number();
    if (flags & 0x20) setting.config.routing_id = "ME";
    if (flags & 0x40) {
        setting.answers_by_frames = true;
        for (uint8_t count = input.byte() % 10; count > 0; --count)
            setting.zap_reply.push_back(text(input.chunk()));
    }
    setting.security.mechanism = mechanism;
    setting.security.as_server = flags & 0x80;
    return setting;
}

// Runs until it is over or the peer says no more.
inline HandshakeResult run_handshake(const HandshakeSetting &setting, Reads &reads,
                                     std::unique_ptr<TrafficSeal> *seal = nullptr) {
    HandshakeResult result;
    HandshakeConfig config = setting.config;
    config.security = &setting.security;
    Handshake handshake(std::move(config));
    handshake.start(result.out);
    Buffer rest; // what has arrived while it waits for ZAP
    size_t arrived = 0;
    const LargestAllocation largest;
    while (result.outcome == Handshake::Outcome::more && (!reads.at_end() || !rest.empty())) {
        if (handshake.is_waiting_for_zap() && !reads.at_end()) {
            const Bytes piece = reads.next();
            arrived += piece.size();
            append(rest, piece);
            continue;
        }
        Buffer in = std::move(rest);
        rest.clear();
        if (in.empty()) {
            in = exact(reads.next());
            arrived += in.size();
        }
        size_t consumed = 0;
        if (!handshake.is_waiting_for_zap())
            result.outcome = handshake.feed(view(in), consumed, result.out);
        FUZZ_CHECK(consumed <= in.size());
        result.consumed += consumed;
        rest = exact(view(in).skip(consumed));
        FUZZ_CHECK(result.outcome != Handshake::Outcome::more || rest.empty() ||
                   handshake.is_waiting_for_zap());
        if (!handshake.is_waiting_for_zap()) continue;
        FUZZ_CHECK(result.outcome == Handshake::Outcome::more && !result.has_asked);
        if (setting.answers_late && !reads.at_end()) {
            // Nothing is taken while it waits.
            const size_t size = result.out.size();
            FUZZ_CHECK(handshake.feed(view(rest), consumed, result.out) ==
                       Handshake::Outcome::more);
            FUZZ_CHECK(consumed == 0 && result.out.size() == size);
            while (!reads.at_end()) {
                const Bytes piece = reads.next();
                arrived += piece.size();
                append(rest, piece);
            }
        }
        result.has_asked = true;
        result.credentials = handshake.zap_credentials();
        result.outcome = setting.answers_by_frames
                             ? handshake.take_zap_reply(setting.zap_reply, result.out)
                             : handshake.answer_zap(setting.zap_status, result.out);
        FUZZ_CHECK(!handshake.is_waiting_for_zap());
    }
    // A size that is only announced takes no memory. (Parsed properties take 26 times theirs.)
    FUZZ_CHECK(largest.bytes() <= 32 * arrived + 4096);
    result.awaits_identity = handshake.is_waiting_for_identity();

    if (result.outcome != Handshake::Outcome::more) {
        // It is over: nothing changes any more.
        const Buffer before = result.out;
        size_t consumed = 1;
        const uint8_t more[] = {4, 0};
        FUZZ_CHECK(handshake.feed(Bytes(more, sizeof more), consumed, result.out) ==
                   result.outcome);
        FUZZ_CHECK(handshake.answer_zap(200, result.out) == result.outcome);
        FUZZ_CHECK(handshake.take_zap_reply({}, result.out) == result.outcome);
        FUZZ_CHECK(consumed == 0 && result.out == before);
    }
    if (result.has_failed()) {
        result.reason = handshake.failure().reason;
        result.code = handshake.failure().code;
        result.is_fatal = handshake.failure().is_fatal;
    }
    if (!result.is_ready()) return result;
    result.version = handshake.version();
    FUZZ_CHECK(handshake.framing() == framing_of(result.version));
    FUZZ_CHECK(handshake.subscription_form() == subscription_form_of(result.version));
    result.peer_socket_type = handshake.peer_socket_type();
    result.peer_routing_id = handshake.peer_routing_id();
    result.properties = handshake.peer_properties();
    result.zap_properties = handshake.zap_properties();
    result.subscribes_to_all = handshake.subscribes_to_all();
    if (is_before_3(result.version))
        FUZZ_CHECK(setting.config.mechanism == mechanism_id::null && !setting.config.asks_zap);
    std::unique_ptr<TrafficSeal> own_seal = handshake.take_traffic_seal();
    FUZZ_CHECK(bool(own_seal) == (setting.config.mechanism == mechanism_id::curve));
    if (seal) *seal = std::move(own_seal);
    return result;
}

// The same from a stream that arrives whole, in two reads and byte by byte.
inline HandshakeResult run_handshake(const HandshakeSetting &setting, Bytes stream, size_t split) {
    return same_however_cut(stream, split,
                            [&](Reads &reads) { return run_handshake(setting, reads); });
}

inline Buffer greeting_of(const std::string &mechanism) {
    Buffer greeting(64);
    greeting[0] = 0xff;
    greeting[8] = 1;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[11] = 1;
    std::copy(mechanism.begin(), mechanism.end(), greeting.begin() + 12);
    return greeting;
}

// ---- what must come of it

// How a peer of ZMTP 3.x, 2.0 or 1.0 gets as far as the first command, and what we know then.
struct RefOpening {
    enum class Way : uint8_t { more, over, commands };
    Way way = Way::more;
    HandshakeResult result; // when it is over
    Bytes rest;             // the commands
};

inline void set_failed(HandshakeResult &result, Handshake::Reason reason, uint32_t code) {
    result.outcome = Handshake::Outcome::failed;
    result.reason = reason;
    result.code = code;
}

inline uint64_t frame_limit(const HandshakeConfig &config, uint64_t most = handshake_frame_max) {
    const int64_t limit = config.max_message_size;
    return limit < 0 ? most : std::min<uint64_t>(most, uint64_t(limit));
}

inline RefOpening ref_opening(const HandshakeSetting &setting, Bytes stream) {
    using Way = RefOpening::Way;
    RefOpening opening;
    HandshakeResult &result = opening.result;
    if (stream.empty()) return opening;
    const bool is_unversioned = stream[0] != 0xff || (stream.size() >= 10 && stream[9] % 2 == 0);
    if (!is_unversioned && stream.size() < 12) return opening;
    if (is_unversioned || stream[10] < 2) {
        if (setting.config.asks_zap || setting.config.mechanism != mechanism_id::null) {
            set_failed(result, Handshake::Reason::silent, 0);
            opening.way = Way::over;
            return opening;
        }
        const bool is_v1 = is_unversioned || stream[10] == 0;
        result.version = is_unversioned ? ZmtpVersion::unversioned
                         : is_v1        ? ZmtpVersion::v1_0
                                        : ZmtpVersion::v2_0;
        if (!is_unversioned && stream[11] < socket_type::count)
            result.peer_socket_type = stream[11];
        Bytes rest = is_unversioned ? stream : stream.skip(12);
        RefFrame identity;
        switch (take_frame(rest, is_v1, frame_limit(setting.config, peer_name_max), identity)) {
        case RefEnd::need_more:
            return opening;
        case RefEnd::bad:
            set_failed(result, Handshake::Reason::silent, 0);
            break;
        case RefEnd::whole:
            result.outcome = Handshake::Outcome::ready;
            if (setting.config.socket_type == socket_type::router ||
                setting.config.socket_type == socket_type::rep)
                result.peer_routing_id = identity.body;
            break;
        }
        opening.way = Way::over;
        return opening;
    }
    if (stream.size() < 64) return opening;
    result.version = stream[10] == 3 && stream[11] == 0 ? ZmtpVersion::v3_0 : ZmtpVersion::v3_1;
    std::string mechanism(mechanism_name(setting.config.mechanism));
    mechanism.resize(20);
    if (stream.skip(12).first(20).text() != mechanism) {
        set_failed(result, Handshake::Reason::mechanism_mismatch,
                   protocol_error::mechanism_mismatch);
        opening.way = Way::over;
        return opening;
    }
    opening.way = Way::commands;
    opening.rest = stream.skip(64);
    return opening;
}

inline void set_failed(HandshakeResult &result, Mechanism::Failure failure) {
    using Kind = Mechanism::Failure::Kind;
    set_failed(result,
               failure.kind == Kind::protocol ? Handshake::Reason::protocol_error
               : failure.kind == Kind::auth   ? Handshake::Reason::auth
                                              : Handshake::Reason::silent,
               failure.code);
}

inline void set_ready(HandshakeResult &result, const RefPeer &peer) {
    result.outcome = Handshake::Outcome::ready;
    result.peer_socket_type = peer.socket_type;
    result.properties = peer.properties;
    if (peer.has_identity) result.peer_routing_id = peer.routing_id;
}

// What an answer of ZAP does. True: the handshake goes on.
inline bool ref_zap(const HandshakeSetting &setting, HandshakeResult &result) {
    uint32_t status = setting.zap_status;
    if (setting.answers_by_frames) {
        const ZapReply reply = parse_zap_reply(setting.zap_reply); // zap_reply.cpp looks after it
        const auto named = ref_peer(setting.config.socket_type, Bytes(reply.metadata));
        if (reply.error || !named) {
            set_failed(result, Handshake::Reason::protocol_error,
                       reply.error ? reply.error : uint32_t(zap_error::invalid_metadata));
            return false;
        }
        status = reply.status;
        result.zap_properties = named->properties;
        result.zap_properties.emplace_back("User-Id", reply.user_id);
        result.peer_routing_id = named->routing_id;
    }
    if (status == 200) return true;
    set_failed(result, Handshake::Reason::auth, status);
    return false;
}

// The parts of a result that a model can say.
inline void check_same(const HandshakeResult &result, const HandshakeResult &wanted) {
    FUZZ_CHECK(result.outcome == wanted.outcome);
    if (result.has_failed())
        FUZZ_CHECK(result.reason == wanted.reason && result.code == wanted.code);
    if (!result.is_ready()) return;
    FUZZ_CHECK(result.version == wanted.version);
    FUZZ_CHECK(result.peer_socket_type == wanted.peer_socket_type);
    FUZZ_CHECK(result.peer_routing_id == wanted.peer_routing_id);
    FUZZ_CHECK(result.properties == wanted.properties);
    FUZZ_CHECK(result.zap_properties == wanted.zap_properties);
}

} // namespace tern::fuzz

#endif
