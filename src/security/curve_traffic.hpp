// CurveTraffic: the session key of a CURVE connection and its two counters, and the MESSAGE that
// carries each frame of traffic (security.md sections 4.2, 4.3).
// Threads: as TrafficSeal; during the handshake whoever holds the link's turn.
// Owner:   the mechanism, later the link.
//
//   message = 07 "MESSAGE" nonce:U64 box             frame of flags 00, or 02 when long
//   content = flags:U8 body                          flags = bit0 MORE, bit1 COMMAND, rest 0
//
// Each side counts what it sends from 1 on, handshake included, and sends no number twice. Received
// MESSAGEs must have rising numbers; gaps are fine.
#ifndef TERN_SECURITY_CURVE_TRAFFIC_HPP
#define TERN_SECURITY_CURVE_TRAFFIC_HPP

#include "security/curve_counter_key.hpp"
#include "security/traffic_seal.hpp"

namespace tern {

class CurveTraffic final : public TrafficSeal {
  public:
    static constexpr size_t message_overhead = 33;

    enum class Role : uint8_t { client, server };
    explicit CurveTraffic(Role own_role, uint64_t first_nonce = 1)
        : own_role_(own_role), next_nonce_(first_nonce) {}

    // ---- handshake
    // On the key between the two transient pairs: of INITIATE, READY and MESSAGE. As BoxKey::agree().
    [[nodiscard]] bool agree(const uint8_t public_key[curve_key_size],
                             const uint8_t secret_key[curve_key_size]);
    const BoxKey &session_key() const { return session_key_; }
    uint64_t take_nonce() { return next_nonce_++; }
    // Handshake commands have no order to keep (quirks Q-32), but MESSAGEs come after them.
    void note_peer_nonce(uint64_t nonce) { peer_nonce_ = nonce; }

    // ---- TrafficSeal
    // Everything that is added stands in front; a body that lies there already is not copied.
    size_t sealed_size(size_t body_size) const override {
        return body_size > SIZE_MAX - message_overhead ? 0 : message_overhead + body_size;
    }
    bool seal(uint8_t message_flags, Bytes body, uint8_t *out) override;
    uint32_t open(uint8_t *sealed, size_t size, Opened &opened) override;
    bool recover(uint8_t *sealed, size_t size, Opened &opened) const override;

  private:
    BoxKey session_key_;
    CounterKey sending_key_, receiving_key_; // of MESSAGEs
    const Role own_role_;
    uint64_t next_nonce_; // 0: all are used up
    uint64_t peer_nonce_ = 0;
};

} // namespace tern

#endif
