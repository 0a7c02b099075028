// Handshake metadata: what READY and INITIATE say about each side (zmtp.md sections 5.1, 5.2), and
// the little that a ZMTP 1.0 or 2.0 peer says instead (section 3.4).
// Threads: used by whoever holds the link's turn.
// Owner:   the Handshake; the mechanism only passes the peer's bytes on.
// Limit:   properties_max pairs.
#ifndef TERN_PROTOCOL_HANDSHAKE_METADATA_HPP
#define TERN_PROTOCOL_HANDSHAKE_METADATA_HPP

#include "protocol/properties.hpp"
#include "protocol/socket_types.hpp"
#include "security/mechanism.hpp"

namespace tern {

// Socket-Type, Identity for REQ, DEALER and ROUTER (also when empty), then `extra` by name.
std::vector<uint8_t> own_metadata(int socket_type, std::string_view routing_id,
                                  const PropertyList &extra);

// Reads the peer's metadata and judges its socket type.
class PeerMetadata final : public MetadataReader {
  public:
    explicit PeerMetadata(int own_type) : own_type_(own_type) {}

    [[nodiscard]] bool read(Bytes metadata) override;

    // The identity frame of a ZMTP 1.0 or 2.0 peer.
    void read_identity(Bytes identity);
    // Its type code, which is not judged.
    void read_type_code(uint8_t code);

    // First value of each name, without the names that only we may set (quirks Q-21).
    const PropertyList &properties() const { return properties_; }
    // Set only when we are ROUTER or REP; the last Identity counts.
    const std::string &routing_id() const { return routing_id_; }
    // socket_type::none when the peer did not say.
    int socket_type() const { return socket_type_; }

  private:
    int own_type_;
    int socket_type_ = socket_type::none;
    std::string routing_id_;
    PropertyList properties_;
};

} // namespace tern

#endif
