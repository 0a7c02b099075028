// The payload of a datagram between RADIO and DISH (transports.md section 6):
//
//   datagram = U8 group-length group body          at most datagram_max bytes in all
//
// DGRAM's datagrams are the body alone, and have the same limit.
//
// Threads: pure functions over memory.
// Owner:   the caller owns every byte; a GroupDatagram points into the datagram that was parsed.
// Limit:   datagram_max.
#ifndef TERN_PROTOCOL_UDP_DATAGRAM_HPP
#define TERN_PROTOCOL_UDP_DATAGRAM_HPP

#include "base/bytes.hpp"

namespace tern {

inline constexpr size_t datagram_max = 8192;

struct GroupDatagram {
    std::string_view group; // up to its first NUL: a C string in the API
    Bytes body;
};

// False: it is empty, too large, or shorter than its group says.
inline bool parse_group_datagram(Bytes datagram, GroupDatagram &out) {
    if (datagram.empty() || datagram.size() > datagram_max) return false;
    const size_t group_size = datagram[0];
    if (group_size > datagram.size() - 1) return false;
    const std::string_view group = datagram.skip(1).first(group_size).text();
    out.group = group.substr(0, group.find('\0'));
    out.body = datagram.skip(1 + group_size);
    return true;
}

// The number of bytes written to `out`, which has room for datagram_max. 0: it would be too large.
inline size_t put_group_datagram(uint8_t *out, std::string_view group, Bytes body) {
    if (group.size() > 255 || body.size() > datagram_max - 1 - group.size()) return 0;
    out[0] = static_cast<uint8_t>(group.size());
    copy_bytes(out + 1, Bytes(group).data(), group.size());
    copy_bytes(out + 1 + group.size(), body.data(), body.size());
    return 1 + group.size() + body.size();
}

} // namespace tern

#endif
