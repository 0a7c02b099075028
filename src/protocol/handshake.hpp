// Handshake: greeting, version detection and security handshake of one connection, from the first
// byte to the first byte of traffic. Bytes in, bytes out; no clock (the link runs the timer).
// Threads: used by whoever holds the link's turn.
// Owner:   the link, which drops it once it has read the results below.
// Limit:   handshake_command_max bytes for the peer's command, taken only as they arrive.
//
//   greeting  = ff 8OCTET 7f  major minor  mechanism:20  as-server  31OCTET    (zmtp.md section 2)
//   handshake = *( v2-frame )       each frame one command of the mechanism; its COMMAND bit is
//                                   not looked at (zmtp.md section 5, quirks Q-60)
#ifndef TERN_PROTOCOL_HANDSHAKE_HPP
#define TERN_PROTOCOL_HANDSHAKE_HPP

#include "protocol/commands.hpp"
#include "protocol/frame.hpp"
#include "protocol/handshake_metadata.hpp"
#include "security/mechanism.hpp"

#include <memory>

namespace tern {

inline constexpr size_t handshake_command_max = 65536;

struct HandshakeConfig {
    int socket_type = 0;
    std::string routing_id;
    PropertyList metadata; // ZMQ_METADATA, first value of each name
    int mechanism = mechanism_id::null;
    int64_t max_message_size = -1; // ZMQ_MAXMSGSIZE, holds for handshake commands too
    bool zap_in_force = false;     // a mechanism other than NULL, or a ZAP domain
};

class Handshake {
  public:
    enum class Outcome : uint8_t { more, ready, failed };

    enum class Reason : uint8_t {
        mechanism_mismatch, // HANDSHAKE_FAILED_PROTOCOL, code 0x11000002
        protocol_error,     // HANDSHAKE_FAILED_PROTOCOL with code
        auth,               // HANDSHAKE_FAILED_AUTH with code 300, 400 or 500
        silent,             // close without a handshake event
        old_version,        // a ZMTP 1.0 or 2.0 peer: close without a handshake event
    };
    struct Failure {
        Reason reason = Reason::silent;
        uint32_t code = 0;
        bool is_fatal = true; // a connecting socket does not try again (zmtp.md section 5.7)
    };

    explicit Handshake(HandshakeConfig config);
    Handshake(const Handshake &) = delete;
    Handshake &operator=(const Handshake &) = delete;

    // Appends the 10 bytes that go out before anything is read.
    void start(std::vector<uint8_t> &out);

    // Appends to `out` what must be sent, also when it gives failed: flush it before closing.
    // `consumed` bytes belonged to the handshake. After ready the rest is traffic. After more a
    // rest exists only while is_waiting_for_zap(): keep it and feed it again after answer_zap().
    Outcome feed(Bytes in, size_t &consumed, std::vector<uint8_t> &out);

    // The mechanism wants a ZAP reply before it goes on; nothing is consumed until then.
    bool is_waiting_for_zap() const { return state_ == State::zap; }
    std::vector<std::string> zap_credentials() const { return mechanism_->zap_credentials(); }
    // status 200, 300, 400 or 500; 200 also when there is no handler and that is fine.
    Outcome answer_zap(uint32_t status, std::vector<uint8_t> &out);

    // After failed.
    const Failure &failure() const { return failure_; }

    // After ready.
    Framing framing() const { return Framing::v2; }
    int peer_minor() const;
    SubscriptionForm subscription_form() const;
    const PropertyList &peer_properties() const { return peer_.properties(); }
    // Set only when we are ROUTER or REP.
    const std::string &peer_routing_id() const { return peer_.routing_id(); }
    int peer_socket_type() const { return peer_.socket_type(); } // socket_type::none: not said
    // For the link to keep while it seals traffic.
    std::unique_ptr<Mechanism> take_mechanism() { return std::move(mechanism_); }

  private:
    // signature -> major -> greeting -> commands <-> zap      (zmtp.md section 16)
    //     |          |         |         |     \      |
    //     |          v         |         |      ready |       any of them -> failed
    //     |         old ----+  |         |            |
    //     +-----------------+--+---------+------------+--> failed
    enum class State : uint8_t { signature, major, old, greeting, commands, zap, ready, failed };

    void take_greeting_byte(uint8_t byte, std::vector<uint8_t> &out);
    void greeting_complete(std::vector<uint8_t> &out);
    size_t take_command_bytes(Bytes in, std::vector<uint8_t> &out);
    void pump_mechanism(std::vector<uint8_t> &out);
    void refuse_old_version();
    void fail_mechanism();
    void fail(Reason reason, uint32_t code);
    std::unique_ptr<Mechanism> make_mechanism();
    Outcome outcome() const;

    HandshakeConfig config_;
    State state_ = State::signature;
    uint8_t greeting_[64] = {};
    uint8_t greeting_size_ = 0;
    Failure failure_;
    PeerMetadata peer_;
    std::unique_ptr<Mechanism> mechanism_;
    std::vector<uint8_t> frame_; // what has arrived of the current command frame
};

} // namespace tern

#endif
