#include "protocol/handshake_metadata.hpp"

#include <algorithm>

namespace tern {

namespace {

constexpr std::string_view socket_type_key = "Socket-Type";
constexpr std::string_view identity_key = "Identity";

bool announces_identity(int type) {
    return type == socket_type::req || type == socket_type::dealer || type == socket_type::router;
}

bool uses_peer_identity(int type) {
    return type == socket_type::router || type == socket_type::rep;
}

// Message properties that say what we know of the peer, not what it claims (quirks Q-21).
bool is_ours_to_set(std::string_view name) {
    return name == "User-Id" || name == "Peer-Address" || name == "__fd";
}

bool has_name(const PropertyList &list, std::string_view name) {
    return std::any_of(list.begin(), list.end(),
                       [name](const auto &property) { return property.first == name; });
}

} // namespace

std::vector<uint8_t> own_metadata(int socket_type, std::string_view routing_id,
                                  const PropertyList &extra) {
    std::vector<uint8_t> out;
    append_property(out, socket_type_key, Bytes(socket_type_name(socket_type)));
    if (announces_identity(socket_type)) append_property(out, identity_key, Bytes(routing_id));
    PropertyList sorted = extra;
    std::sort(sorted.begin(), sorted.end()); // names are unique
    for (const auto &[name, value] : sorted) append_property(out, name, Bytes(value));
    return out;
}

bool PeerMetadata::read(Bytes metadata) {
    PropertyList list;
    if (!parse_properties(metadata, list)) return false;
    for (auto &[name, value] : list) {
        // Names are compared by exact case; every Socket-Type must fit (zmtp.md section 5.2).
        if (name == socket_type_key) {
            socket_type_ = socket_type_from_name(value);
            if (!accepts_peer(own_type_, socket_type_)) return false;
        } else if (name == identity_key) {
            read_identity(Bytes(value));
        }
        if (is_ours_to_set(name) || has_name(properties_, name)) continue;
        properties_.emplace_back(std::move(name), std::move(value));
    }
    return true;
}

void PeerMetadata::read_identity(Bytes identity) {
    if (uses_peer_identity(own_type_)) routing_id_ = identity.text();
}

void PeerMetadata::read_type_code(uint8_t code) {
    if (code < socket_type::count) socket_type_ = code;
}

} // namespace tern
