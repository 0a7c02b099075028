// Handshake: everything from the first byte of a connection to the first byte of traffic: greeting,
// then security handshake or identity frames. Bytes in, bytes out; no clock (the opening runs the
// timer).
// Threads: used by whoever holds the link's turn.
// Owner:   an Opening, which drops it once it has read the results below.
// Limit:   handshake_frame_max bytes for one frame of the peer, taken only as they arrive. A WebSocket's
//          answers to control_frames_max pings.
//
//   ZMTP 3.x = greeting *( v2-frame )   each frame one command of the mechanism; its COMMAND bit is
//                                       not looked at (zmtp.md section 5, quirks Q-60)
//   ZMTP 2.0 = greeting v2-frame        the peer's identity; its flags are not looked at
//   ZMTP 1.0 = greeting v1-frame        the same; an unversioned greeting is part of that frame
//   ZWS 2.0  = upgrade *( ws-frame )    commands, or, where none was agreed on, one frame with the
//                                       peer's routing id; control frames between them
#ifndef TERN_PROTOCOL_HANDSHAKE_HPP
#define TERN_PROTOCOL_HANDSHAKE_HPP

#include "protocol/greeting.hpp"
#include "protocol/handshake_metadata.hpp"
#include "protocol/ws_frame.hpp"
#include "protocol/ws_upgrade.hpp"
#include "protocol/zap.hpp"
#include "security/mechanism.hpp"
#include "security/security_options.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace tern {

inline constexpr size_t handshake_frame_max = 65536;
inline constexpr size_t control_frames_max = 64;
// An identity or routing id that is a frame by itself, which ROUTER takes up to 255 bytes of.
inline constexpr size_t peer_name_max = 480;

// A handshake over a WebSocket.
struct WsSide {
    bool is_client = false;
    std::string host; // what the client asks for
    std::string path;
    uint32_t (*random)() = nullptr; // for a client's key and masks
};

struct HandshakeConfig {
    int socket_type = 0;
    std::string routing_id;
    PropertyList metadata; // ZMQ_METADATA, first value of each name
    int mechanism = mechanism_id::null;
    int64_t max_message_size = -1; // ZMQ_MAXMSGSIZE, holds for handshake frames too
    bool asks_zap = false;         // where this side is the one to ask
    // Role and secrets, for any mechanism but NULL. Outlives the handshake; no copy is made.
    const SecurityOptions *security = nullptr;
    std::optional<WsSide> ws;
};

class Handshake {
  public:
    enum class Outcome : uint8_t { more, ready, failed };

    enum class Reason : uint8_t {
        mechanism_mismatch, // HANDSHAKE_FAILED_PROTOCOL, code 0x11000002
        protocol_error,     // HANDSHAKE_FAILED_PROTOCOL with code
        auth,               // HANDSHAKE_FAILED_AUTH with code 300, 400 or 500
        silent,             // close without a handshake event
        closed,             // the peer said that it goes (WebSocket): as if the connection were lost
        helpless,           // for want of credentials of our own: as if the connection were lost
    };
    struct Failure {
        Reason reason = Reason::silent;
        uint32_t code = 0;
        bool is_fatal = true; // a connecting socket does not try again (zmtp.md section 5.7)
    };

    explicit Handshake(HandshakeConfig config);
    Handshake(const Handshake &) = delete;
    Handshake &operator=(const Handshake &) = delete;

    // Appends what goes out before anything is read.
    void start(std::vector<uint8_t> &out);

    // Appends to `out` what must be sent, also when it gives failed: flush it before closing.
    // `consumed` bytes belonged to the handshake. After ready the rest is traffic. After more a
    // rest exists only while is_blocked(): keep it and feed it again when it is not.
    Outcome feed(Bytes in, size_t &consumed, std::vector<uint8_t> &out);

    // Bytes of the peer that wait for more of them.
    size_t held_bytes() const { return frame_.size() + (upgrade_ ? upgrade_->held_bytes() : 0); }

    // Nothing is consumed before answer_zap(), take_zap_reply() or computed().
    bool is_blocked() const { return is_waiting_for_zap() || is_computing(); }

    // Something that may take long: take it once, run it elsewhere, then call computed(). The
    // computation may outlive the handshake.
    bool is_computing() const { return state_ == State::computing; }
    std::function<void()> take_computation() { return mechanism_->take_computation(); }
    Outcome computed(std::vector<uint8_t> &out);

    // The mechanism wants a ZAP reply before it goes on.
    bool is_waiting_for_zap() const { return state_ == State::zap; }
    std::vector<std::string> zap_credentials() const { return mechanism_->zap_credentials(); }
    // status 200, 300, 400 or 500; 200 also when there is no handler and that is fine.
    Outcome answer_zap(uint32_t status, std::vector<uint8_t> &out);
    // What the handler has sent. A reply that is not one ends the connection.
    Outcome take_zap_reply(const ZapFrames &frames, std::vector<uint8_t> &out);

    // Only the identity of a ZMTP 1.0 or 2.0 peer is missing. It may take for ever: the handshake
    // timer ends here (zmtp.md section 3.4).
    bool is_waiting_for_identity() const { return state_ == State::identity; }

    // The connection is a WebSocket by now, whatever comes of the mechanism.
    bool is_upgraded() const { return config_.ws && !upgrade_; }

    // After failed.
    const Failure &failure() const { return failure_; }

    // After ready.
    ZmtpVersion version() const { return greeting_.version(); }
    Framing framing() const {
        if (config_.ws) return config_.ws->is_client ? Framing::ws_client : Framing::ws_server;
        return framing_of(version());
    }
    // Nothing was said but names: ZMTP 1.0 and 2.0, and a WebSocket without a mechanism.
    bool has_mechanism() const { return mechanism_ != nullptr; }
    SubscriptionForm subscription_form() const;
    // The peer will not say what it subscribes to: it is to get everything (quirks Q-34).
    bool subscribes_to_all() const;
    const PropertyList &peer_properties() const { return peer_.properties(); }
    // User-Id and metadata of the ZAP reply; empty when nobody was asked.
    const PropertyList &zap_properties() const { return zap_properties_; }
    // Set only when we are ROUTER or REP.
    const std::string &peer_routing_id() const { return peer_.routing_id(); }
    int peer_socket_type() const { return peer_.socket_type(); } // socket_type::none: not said
    // Once: what all traffic passes through. Null: it goes in clear.
    std::unique_ptr<TrafficSeal> take_traffic_seal() {
        return mechanism_ ? mechanism_->take_traffic_seal() : nullptr;
    }

  private:
    // greeting --3.x--> commands <-> zap, computing
    //     |                 |         |         (zmtp.md section 16)
    //     |                 +--> ready        any of them but ready -> failed
    //     |                       ^
    //     +-- 1.0, 2.0 --> identity
    //
    // upgrade --> commands as above, or routing_id --> ready
    enum class State : uint8_t {
        greeting, upgrade, identity, routing_id, commands, zap, computing, ready, failed
    };

    void greeting_complete(std::vector<uint8_t> &out);
    void start_upgrade(std::vector<uint8_t> &out);
    size_t take_upgrade_bytes(Bytes in, std::vector<uint8_t> &out);
    void upgraded(std::vector<uint8_t> &out);
    size_t take_routing_id_bytes(Bytes in, std::vector<uint8_t> &out);
    bool take_ws_frame_bytes(Bytes in, size_t &taken, Bytes &body, std::vector<uint8_t> &out);
    bool is_frame_too_large(uint64_t size) const;
    void append_frame(std::vector<uint8_t> &out, uint8_t flags, Bytes body) const;
    void greet_old_peer(std::vector<uint8_t> &out);
    size_t take_identity_bytes(Bytes in, std::vector<uint8_t> &out);
    size_t take_command_bytes(Bytes in, std::vector<uint8_t> &out);
    bool take_frame_bytes(Bytes in, size_t &taken, Bytes &body, std::vector<uint8_t> &out);
    void pump_mechanism(std::vector<uint8_t> &out);
    void fail_mechanism();
    void fail(Reason reason, uint32_t code);
    void make_mechanism();
    void make_curve(std::vector<uint8_t> metadata);
    void make_gssapi(std::vector<uint8_t> metadata);
    Outcome outcome() const;

    HandshakeConfig config_;
    State state_ = State::greeting;
    Greeting greeting_;
    std::unique_ptr<WsUpgrade> upgrade_; // until it is done
    Failure failure_;
    PeerMetadata peer_;
    PropertyList zap_properties_;
    bool is_turned_away_ = false; // status 300: another attempt may fare better
    std::unique_ptr<Mechanism> mechanism_;
    std::vector<uint8_t> frame_; // what has arrived of the current frame
    size_t control_frames_ = 0;  // of a WebSocket, so far
};

} // namespace tern

#endif
