// TrafficSeal: what a mechanism leaves behind to protect the frames that follow the handshake. A
// sealed frame travels as the body of an ordinary frame without MORE and COMMAND, whose own flags
// mean nothing when they come in (security.md section 4.2, quirks Q-06): the true ones are inside.
// Threads: one for seal() and recover(), one for open(); they share nothing that either writes.
// Owner:   the link, for as long as the connection stands.
// Limit:   the caller bounds every body; MAXMSGSIZE is about the sealed one (quirks Q-47).
#ifndef TERN_SECURITY_TRAFFIC_SEAL_HPP
#define TERN_SECURITY_TRAFFIC_SEAL_HPP

#include "base/bytes.hpp"

namespace tern {

class TrafficSeal {
  public:
    // A frame as its sender had it. The body lies inside the bytes that were opened.
    struct Opened {
        Bytes body;
        uint8_t flags = 0; // Message::more, command, subscribe, cancel
    };

    virtual ~TrafficSeal() = default;

    // How many bytes a body of this size becomes. 0: it can not be sealed.
    virtual size_t sealed_size(size_t body_size) const = 0;
    // Writes sealed_size(body.size()) bytes. `message_flags` may hold any Message flags; only more
    // and command reach the peer. The body may lie in the last bytes of `out`, and
    // nowhere else in it.
    // False: nothing more can be sealed, the connection must end.
    [[nodiscard]] virtual bool seal(uint8_t message_flags, Bytes body, uint8_t *out) = 0;
    // Opens in place. Gives 0, or the protocol_error that ends the connection.
    [[nodiscard]] virtual uint32_t open(uint8_t *sealed, size_t size, Opened &opened) = 0;
    // Opens, in place, what seal() has written: for frames that a broken connection did not carry.
    // Where that is impossible, the sender keeps what it has sealed.
    virtual bool can_recover() const { return true; }
    [[nodiscard]] virtual bool recover(uint8_t *sealed, size_t size, Opened &opened) const = 0;
};

} // namespace tern

#endif
