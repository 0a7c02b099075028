// Frame: the headers that stand before every frame body on a stream (zmtp.md section 4).
// Threads: pure functions over memory.
// Owner:   the caller owns every byte; nothing is kept.
// Limit:   sizes up to 2^64-1 are parsed; the caller compares body_size with its own limit before
//          it takes memory, and never adds it to a pointer (CVE-2019-6250).
//
// v2 (ZMTP 2.0, 3.x; RFC 23 "framing")        v1 (ZMTP 1.0; RFC 13)
//   frame = flags size body                      frame = length flags body
//   flags = bit0 MORE, bit1 LARGE,               length = U8 01..fe / ff U64, = 1 + body size
//           bit2 COMMAND, rest ignored           flags = bit0 MORE, rest ignored
//   size  = U8, or U64 when LARGE
#ifndef TERN_PROTOCOL_FRAME_HPP
#define TERN_PROTOCOL_FRAME_HPP

#include "base/bytes.hpp"
#include "base/message.hpp"

namespace tern {

// ws_client: we are the one who masks (ws_frame.hpp has these two).
enum class Framing : uint8_t { v1, v2, raw, ws_client, ws_server };

enum class Parse : uint8_t { need_more, complete, malformed };

struct FrameHeader {
    uint64_t body_size;
    uint8_t flags; // Message::more, Message::command
    uint8_t header_size;
};

inline constexpr size_t header_max = 15; // a WebSocket client's
inline constexpr uint8_t v2_more = 1;
inline constexpr uint8_t v2_large = 2;
inline constexpr uint8_t v2_command = 4;
static_assert(Message::more == 1 && Message::command == 2, "flags are translated by shifting");

// Outbound: each writes at most header_max bytes and gives the number written.

// `message_flags` may hold any Message flags; only more and command reach the wire.
inline size_t put_v2_header(uint8_t *out, uint8_t message_flags, uint64_t body_size) {
    const unsigned wire =
        (message_flags & Message::more) | (unsigned(message_flags & Message::command) << 1);
    if (body_size <= 255) {
        const auto size = static_cast<unsigned>(body_size);
        const auto both =
            static_cast<uint16_t>(is_little_endian ? wire | size << 8 : wire << 8 | size);
        std::memcpy(out, &both, sizeof both); // one store, which compilers do not make of two
        return 2;
    }
    out[0] = static_cast<uint8_t>(wire | v2_large);
    store_be64(out + 1, body_size);
    return 9;
}

inline constexpr size_t v1_large_header = 10;
// v1 knows no commands: the bit is dropped (zmtp.md section 10). body_size < 2^64-1.
inline size_t put_v1_header(uint8_t *out, uint8_t message_flags, uint64_t body_size) {
    const auto wire = static_cast<uint8_t>(message_flags & Message::more);
    if (body_size <= 253) {
        out[0] = static_cast<uint8_t>(body_size + 1);
        out[1] = wire;
        return 2;
    }
    out[0] = 0xff;
    store_be64(out + 1, body_size + 1);
    out[9] = wire;
    return 10;
}

// Inbound: `n` bytes have arrived at `p`. The header is filled only when complete.

// Never malformed: the long form is legal for any size, reserved bits are ignored.
inline Parse parse_v2_header(const uint8_t *p, size_t n, FrameHeader &header) {
    if (n < 2) return Parse::need_more;
    const unsigned wire = p[0];
    header.flags = static_cast<uint8_t>((wire & v2_more) | (wire & v2_command) >> 1);
    if (!(wire & v2_large)) {
        header.body_size = p[1];
        header.header_size = 2;
        return Parse::complete;
    }
    if (n < 9) return Parse::need_more;
    header.body_size = load_be64(p + 1);
    header.header_size = 9;
    return Parse::complete;
}

// Malformed: length 0, which can not even count the flags byte.
inline Parse parse_v1_header(const uint8_t *p, size_t n, FrameHeader &header) {
    if (n == 0) return Parse::need_more;
    if (p[0] == 0) return Parse::malformed;
    const bool is_long = p[0] == 0xff;
    const uint8_t header_size = is_long ? 10 : 2;
    uint64_t length = p[0];
    if (is_long) {
        if (n < 9) return Parse::need_more;
        length = load_be64(p + 1);
        if (length == 0) return Parse::malformed;
    }
    if (n < header_size) return Parse::need_more;
    header.flags = p[header_size - 1] & Message::more;
    header.body_size = length - 1;
    header.header_size = header_size;
    return Parse::complete;
}

} // namespace tern

#endif
