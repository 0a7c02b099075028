// metadata: the properties of READY, INITIATE and ZAP replies. What parses is written back byte for
// byte, and what we make of a peer is what the rules say.
#include "support/fuzz.hpp"
#include "support/reference.hpp"

#include "protocol/handshake_metadata.hpp"

#include <algorithm>

namespace tern::fuzz {

namespace {

void check_list(Bytes data) {
    PropertyList list;
    LargestAllocation largest;
    const bool is_parsed = parse_properties(data, list);
    // A name or value of a size that did not arrive takes no memory; each pair takes 64 bytes, and
    // a growing list twice that.
    FUZZ_CHECK(largest.bytes() <= 2 * 64 * (data.size() / 5 + 1) + data.size());
    FUZZ_CHECK(list.size() <= properties_max);
    const auto wanted = ref_properties(data);
    FUZZ_CHECK(is_parsed == wanted.has_value());
    if (!is_parsed) return;
    FUZZ_CHECK(list == *wanted);
    Buffer again;
    for (const auto &[name, value] : list) append_property(again, name, Bytes(value));
    FUZZ_CHECK(view(again) == data);
}

void check_peer(int own_type, Bytes data) {
    PeerMetadata peer(own_type);
    const bool is_read = peer.read(data);
    const auto wanted = ref_peer(own_type, data);
    FUZZ_CHECK(is_read == wanted.has_value());
    if (!is_read) return;
    FUZZ_CHECK(peer.socket_type() == wanted->socket_type);
    FUZZ_CHECK(peer.routing_id() == wanted->routing_id);
    FUZZ_CHECK(peer.properties() == wanted->properties);
    FUZZ_CHECK(peer.socket_type() == socket_type::none ||
               accepts_peer(peer.socket_type(), own_type));
}

// What we say of ourselves, a peer that may talk to us understands.
void check_own(int own_type, int peer_type, const std::string &routing_id,
               const PropertyList &extra) {
    const Buffer ready = own_metadata(own_type, routing_id, extra);
    PeerMetadata seen(peer_type);
    FUZZ_CHECK(seen.read(view(ready)) == accepts_peer(peer_type, own_type));
    FUZZ_CHECK(accepts_peer(peer_type, own_type) == accepts_peer(own_type, peer_type));
    if (!accepts_peer(peer_type, own_type)) return;
    FUZZ_CHECK(seen.socket_type() == own_type);
    const bool is_told = own_type == socket_type::req || own_type == socket_type::dealer ||
                         own_type == socket_type::router;
    const bool is_kept = peer_type == socket_type::rep || peer_type == socket_type::router;
    FUZZ_CHECK(seen.routing_id() == (is_told && is_kept ? routing_id : ""));
    for (const auto &property : extra)
        FUZZ_CHECK(std::find(seen.properties().begin(), seen.properties().end(), property) !=
                   seen.properties().end());
}

} // namespace

void run(Input input) {
    const int own_type = input.byte() % (socket_type::count + 1);
    const int peer_type = input.byte() % (socket_type::count + 1);
    const Buffer data = exact(input.rest());
    check_list(view(data));
    check_peer(own_type, view(data));

    PropertyList extra; // as the option takes it: other names, and each once
    if (const auto list = ref_properties(view(data).first(1024)))
        for (const auto &[name, value] : *list) {
            const std::string key = "X-" + name.substr(0, 200);
            if (extra.size() < 64 &&
                std::none_of(extra.begin(), extra.end(),
                             [&](const auto &each) { return each.first == key; }))
                extra.emplace_back(key, value);
        }
    check_own(own_type, peer_type, text(view(data).first(255)), extra);
}

} // namespace tern::fuzz
