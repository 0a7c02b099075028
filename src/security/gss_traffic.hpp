// GssTraffic: the MESSAGE that carries each frame of a protected GSSAPI connection (security.md
// section 5).
// Threads: as TrafficSeal, but one thread at a time: both directions share the context. The turn of
//          the socket sees to that.
// Owner:   the mechanism, later the link.
//
//   message = 07 "MESSAGE" token-length:U32 token     frame of flags 00, or 02 when long
//   content = flags:U8 body                           what the token holds
//   flags   = bit0 MORE, bit1 COMMAND, bit2 SUBSCRIBE, bit3 CANCEL
//
// The body of a SUBSCRIBE or CANCEL is the bare topic. We take both and send neither: subscriptions
// go out in their message form, the only one that libzmq 4.3.4 understands here.
#ifndef TERN_SECURITY_GSS_TRAFFIC_HPP
#define TERN_SECURITY_GSS_TRAFFIC_HPP

#include "security/gss_context.hpp"
#include "security/traffic_seal.hpp"

namespace tern {

class GssTraffic final : public TrafficSeal {
  public:
    explicit GssTraffic(std::shared_ptr<GssContext> context) : context_(std::move(context)) {}

    size_t sealed_size(size_t body_size) const override;
    bool seal(uint8_t message_flags, Bytes body, uint8_t *out) override;
    uint32_t open(uint8_t *sealed, size_t size, Opened &opened) override;
    // What one side has wrapped only the other one can unwrap.
    bool can_recover() const override { return false; }
    bool recover(uint8_t *, size_t, Opened &) const override { return false; }

  private:
    const std::shared_ptr<GssContext> context_;
};

} // namespace tern

#endif
