// WsFrame: the headers of WebSocket frames that carry ZMTP frames, and control frames (transports.md
// section 7.3; RFC 6455 section 5; ZWS 2.0, RFC 45).
// Threads: pure functions over memory.
// Owner:   the caller owns every byte; nothing is kept.
// Limit:   as in frame.hpp: sizes are whatever the peer says, the caller compares before it takes memory.
//
//   ws-frame = 82 length [mask:4] payload        payload = flags body, masked if a client sends it
//   length   = U7 below 7e / 7e U16 / 7f U64     counts flags and body; bit 7 of its first byte: masked
//   flags    = bit0 MORE, bit1 COMMAND, rest ignored
//   control  = (88 close / 89 ping / 8a pong) length [mask:4] payload       at most 125 bytes, no flags
//
// Everything else is wrong: fragments, text, other opcodes, reserved bits, a payload without flags, a
// client that does not mask, a server that does.
#ifndef TERN_PROTOCOL_WS_FRAME_HPP
#define TERN_PROTOCOL_WS_FRAME_HPP

#include "protocol/frame.hpp"

#include <utility>
#include <vector>

namespace tern {

enum class WsOpcode : uint8_t { data = 2, close = 8, ping = 9, pong = 10 };

// Four bytes as they lie in memory.
using WsMask = uint32_t;

struct WsHeader : FrameHeader { // of data, header_size counts the flags byte too
    WsOpcode opcode;
    WsMask mask; // for the first byte of the body; 0: it is not masked
};

inline constexpr uint8_t ws_final = 0x80;
inline constexpr uint8_t ws_masked = 0x80;
inline constexpr size_t ws_control_max = 125;

constexpr bool is_ws(Framing framing) {
    return framing == Framing::ws_client || framing == Framing::ws_server;
}

// The mask for what follows the first byte it was applied to.
inline WsMask after_one_byte(WsMask mask) {
    return is_little_endian ? mask >> 8 | mask << 24 : mask << 8 | mask >> 24;
}

// Masks or unmasks, in words of eight bytes: the last one may go beyond the size.
inline void apply_mask_in_words(uint8_t *to, const uint8_t *from, size_t size, WsMask mask) {
    const uint64_t wide = uint64_t(mask) << 32 | mask;
    for (size_t at = 0; at < size; at += sizeof wide) {
        uint64_t word;
        std::memcpy(&word, from + at, sizeof word);
        word ^= wide;
        std::memcpy(to + at, &word, sizeof word);
    }
}

// Masks or unmasks; `to` may be `from`.
inline void apply_mask(uint8_t *to, const uint8_t *from, size_t size, WsMask mask) {
    const size_t in_words = size & ~size_t(7);
    apply_mask_in_words(to, from, in_words, mask);
    size -= in_words, to += in_words, from += in_words;
    uint8_t bytes[sizeof mask];
    std::memcpy(bytes, &mask, sizeof mask);
    for (size_t i = 0; i < size; ++i) to[i] = uint8_t(from[i] ^ bytes[i % sizeof mask]);
}

namespace detail {

// What stands before the payload; a client's mask is still missing.
inline size_t put_ws_length(uint8_t *out, WsOpcode opcode, bool is_masked, uint64_t payload_size) {
    out[0] = uint8_t(ws_final | uint8_t(opcode));
    const uint8_t bit = is_masked ? ws_masked : 0;
    if (payload_size < 126) {
        out[1] = uint8_t(bit | payload_size);
        return 2;
    }
    if (payload_size <= UINT16_MAX) {
        out[1] = bit | 126;
        store_be16(out + 2, uint16_t(payload_size));
        return 4;
    }
    out[1] = bit | 127;
    store_be64(out + 2, payload_size);
    return 10;
}

} // namespace detail

// Outbound: as put_v2_header, for a server.
inline size_t put_ws_header(uint8_t *out, uint8_t message_flags, uint64_t body_size) {
    const size_t at = detail::put_ws_length(out, WsOpcode::data, false, body_size + 1);
    out[at] = message_flags & (Message::more | Message::command);
    return at + 1;
}

// For a client, which masks the body with the second value.
inline std::pair<size_t, WsMask> put_masked_ws_header(uint8_t *out, uint8_t message_flags,
                                                      uint64_t body_size, WsMask mask) {
    const size_t at = detail::put_ws_length(out, WsOpcode::data, true, body_size + 1);
    std::memcpy(out + at, &mask, sizeof mask);
    const uint8_t flags = message_flags & (Message::more | Message::command);
    apply_mask(out + at + sizeof mask, &flags, 1, mask);
    return {at + sizeof mask + 1, after_one_byte(mask)};
}

// A whole control frame. A server has no mask. REQUIRES: at most ws_control_max bytes.
inline void append_ws_control(std::vector<uint8_t> &out, WsOpcode opcode, Bytes payload,
                              const WsMask *mask) {
    uint8_t header[header_max];
    size_t size = detail::put_ws_length(header, opcode, mask != nullptr, payload.size());
    if (mask) {
        std::memcpy(header + size, mask, sizeof *mask);
        size += sizeof *mask;
    }
    out.insert(out.end(), header, header + size);
    const size_t at = out.size();
    out.insert(out.end(), payload.begin(), payload.end());
    if (mask && !payload.empty()) apply_mask(out.data() + at, out.data() + at, payload.size(), *mask);
}

// Inbound: `n` bytes have arrived at `p`. The header is filled only when complete. The body that follows
// is still masked.
inline Parse parse_ws_header(const uint8_t *p, size_t n, bool is_from_client, WsHeader &header) {
    if (n < 1) return Parse::need_more;
    const uint8_t opcode = p[0] & 0x7f; // with reserved bits it is none
    const bool is_data = opcode == uint8_t(WsOpcode::data);
    if (!(p[0] & ws_final) || !(is_data || (opcode >= 8 && opcode <= 10))) return Parse::malformed;
    if (n < 2) return Parse::need_more;
    if (((p[1] & ws_masked) != 0) != is_from_client) return Parse::malformed;
    const uint8_t form = p[1] & 0x7f;
    if (!is_data && form > ws_control_max) return Parse::malformed;
    size_t at = form < 126 ? 2 : form == 126 ? 4 : 10;
    if (n < at) return Parse::need_more;
    uint64_t size = form;
    if (form == 126) size = load_be16(p + 2);
    else if (form == 127) size = load_be64(p + 2);
    if (is_data && size == 0) return Parse::malformed;
    if (size >> 63) return Parse::malformed;
    WsMask mask = 0;
    if (is_from_client) {
        if (n < at + sizeof mask) return Parse::need_more;
        std::memcpy(&mask, p + at, sizeof mask);
        at += sizeof mask;
    }
    uint8_t flags = 0;
    if (is_data) {
        if (n < at + 1) return Parse::need_more;
        apply_mask(&flags, p + at, 1, mask);
        mask = after_one_byte(mask);
        ++at;
        --size;
    }
    header.body_size = size;
    header.flags = flags & (Message::more | Message::command);
    header.header_size = uint8_t(at);
    header.opcode = WsOpcode(opcode);
    header.mask = mask;
    return Parse::complete;
}

} // namespace tern

#endif
