// Reference: the grammars once more, as plainly as they can be written, to compare the library
// with. Everything is whole in memory and copied. Threads: one.
#ifndef TERN_FUZZ_SUPPORT_REFERENCE_HPP
#define TERN_FUZZ_SUPPORT_REFERENCE_HPP

#include "base/message.hpp"
#include "protocol/properties.hpp"
#include "protocol/socket_types.hpp"
#include "security/mechanism.hpp"
#include "support/fuzz.hpp"

#include <optional>
#include <tuple>

namespace tern::fuzz {

// ---- numbers and names

inline uint64_t big_endian(Bytes bytes) {
    uint64_t value = 0;
    for (const uint8_t byte : bytes) value = value << 8 | byte;
    return value;
}
inline bool begins_with(Bytes bytes, std::string_view start) {
    return text(bytes).compare(0, start.size(), start) == 0;
}

// ---- frames

struct RefFrame {
    std::string body;
    uint8_t flags = 0; // Message::more, Message::command

    friend bool operator==(const RefFrame &a, const RefFrame &b) {
        return a.flags == b.flags && a.body == b.body;
    }
};
using RefFrames = std::vector<RefFrame>;

enum class RefEnd : uint8_t { need_more, whole, bad };

// Takes one frame off the front. `bad`: the header is wrong, or announces more than `limit`; then,
// and when there is not enough, `in` is as it was.
inline RefEnd take_frame(Bytes &in, bool is_v1, uint64_t limit, RefFrame &frame) {
    size_t header = 2;
    uint64_t size;
    uint8_t flags;
    if (is_v1) {
        if (in.empty()) return RefEnd::need_more;
        if (in[0] == 0) return RefEnd::bad;
        header = in[0] == 0xff ? 10 : 2;
        const uint64_t length = in[0] == 0xff ? big_endian(in.skip(1).first(8)) : in[0];
        if (in[0] == 0xff && in.size() < 9) return RefEnd::need_more;
        if (length == 0) return RefEnd::bad;
        if (in.size() < header) return RefEnd::need_more;
        size = length - 1;
        flags = in[header - 1] & 1 ? Message::more : 0;
    } else {
        if (in.size() < 2) return RefEnd::need_more;
        header = in[0] & 2 ? 9 : 2;
        if (in.size() < header) return RefEnd::need_more;
        size = big_endian(in.skip(1).first(header - 1));
        flags = uint8_t((in[0] & 1 ? Message::more : 0) | (in[0] & 4 ? Message::command : 0));
    }
    if (size > limit) return RefEnd::bad;
    if (in.size() - header < size) return RefEnd::need_more;
    frame = {text(in.skip(header).first(size_t(size))), flags};
    in = in.skip(header + size_t(size));
    return RefEnd::whole;
}

// What a v2 frame looks like; the long form on demand.
inline void put_frame(Buffer &out, uint8_t wire_flags, Bytes body, bool is_long = false) {
    is_long = is_long || body.size() > 255;
    out.push_back(uint8_t((wire_flags & ~2u) | (is_long ? 2u : 0u)));
    for (int i = is_long ? 7 : 0; i >= 0; --i)
        out.push_back(uint8_t(uint64_t(body.size()) >> 8 * i));
    append(out, body);
}

// ---- properties

inline std::optional<PropertyList> ref_properties(Bytes in) {
    PropertyList list;
    while (!in.empty()) {
        const size_t name_size = in[0];
        const Bytes name = in.skip(1).first(name_size);
        const Bytes size = in.skip(1 + name_size).first(4);
        const Bytes value = in.skip(1 + name_size + 4).first(size_t(big_endian(size)));
        if (name.size() < name_size || size.size() < 4 || value.size() < big_endian(size) ||
            list.size() == properties_max)
            return std::nullopt;
        list.emplace_back(text(name), text(value));
        in = in.skip(1 + name_size + 4 + value.size());
    }
    return list;
}

// What we make of a peer's metadata; nothing when the connection must end.
struct RefPeer {
    int socket_type = socket_type::none;
    std::string routing_id;
    bool has_identity = false; // an empty one counts
    PropertyList properties;
};
inline std::optional<RefPeer> ref_peer(int own_type, Bytes metadata) {
    const auto list = ref_properties(metadata);
    if (!list) return std::nullopt;
    RefPeer peer;
    for (const auto &[name, value] : *list) {
        if (name == "Socket-Type") {
            peer.socket_type = socket_type_from_name(value);
            if (!accepts_peer(own_type, peer.socket_type)) return std::nullopt;
        }
        const bool is_router = own_type == socket_type::router || own_type == socket_type::rep;
        if (name == "Identity" && is_router) {
            peer.routing_id = value;
            peer.has_identity = true;
        }
        if (name == "User-Id" || name == "Peer-Address" || name == "__fd") continue;
        bool is_known = false;
        for (const auto &known : peer.properties) is_known = is_known || known.first == name;
        if (!is_known) peer.properties.emplace_back(name, value);
    }
    return peer;
}

// ---- ERROR

inline Mechanism::Failure ref_error(Bytes rest) {
    using Kind = Mechanism::Failure::Kind;
    if (rest.empty() || rest.size() - 1 < rest[0])
        return {Kind::protocol, protocol_error::malformed_error};
    const std::string reason = text(rest.skip(1).first(rest[0]));
    for (const uint32_t status : {300u, 400u, 500u})
        if (reason == std::to_string(status)) return {Kind::auth, status};
    return {Kind::silent, 0};
}

} // namespace tern::fuzz

#endif
