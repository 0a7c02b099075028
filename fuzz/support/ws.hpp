// WebSocket frames as RFC 6455 section 5.2 and ZWS 2.0 have them, in plain words; and a stream of them through our
// buffers.
// Threads: one.
#ifndef TERN_FUZZ_SUPPORT_WS_HPP
#define TERN_FUZZ_SUPPORT_WS_HPP

#include "support/framing.hpp"

namespace tern::fuzz {

// A frame of the stream: data, or a control frame, whose opcode stands in for the flags.
struct RefWsFrame {
    bool is_control = false;
    std::string body;
    uint8_t flags = 0;

    friend bool operator==(const RefWsFrame &a, const RefWsFrame &b) {
        return a.is_control == b.is_control && a.body == b.body && a.flags == b.flags;
    }
};

// Takes the next frame from the front of `rest`. `limit` counts a message's body.
inline RefEnd take_ws_frame(Bytes &rest, bool is_masked, uint64_t limit, RefWsFrame &frame) {
    Bytes in = rest;
    if (in.empty()) return RefEnd::need_more;
    const uint8_t opcode = in[0] % 16;
    const bool is_final = in[0] / 128 == 1, has_reserved = in[0] / 16 % 8 != 0;
    if (!is_final || has_reserved) return RefEnd::bad;
    if (opcode != 2 && opcode != 8 && opcode != 9 && opcode != 10) return RefEnd::bad;
    frame.is_control = opcode != 2;
    if (in.size() < 2) return RefEnd::need_more;
    if ((in[1] / 128 == 1) != is_masked) return RefEnd::bad;
    uint64_t length = in[1] % 128;
    if (frame.is_control && length > 125) return RefEnd::bad;
    const size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (in.size() < 2 + extra) return RefEnd::need_more;
    if (extra > 0) {
        length = 0;
        for (size_t i = 0; i < extra; ++i) length = length * 256 + in[2 + i];
    }
    if (length >= uint64_t(1) << 63 || (length == 0 && !frame.is_control)) return RefEnd::bad;
    in = in.skip(2 + extra);
    Bytes mask;
    if (is_masked) {
        if (in.size() < 4) return RefEnd::need_more;
        mask = in.first(4);
        in = in.skip(4);
    }
    if (!frame.is_control) {
        if (in.empty()) return RefEnd::need_more; // our header includes the flags
        if (length - 1 > limit) return RefEnd::bad;
    }
    if (in.size() < length) return RefEnd::need_more;
    std::string payload = text(in.first(size_t(length)));
    for (size_t i = 0; i < payload.size() && is_masked; ++i) payload[i] = char(payload[i] ^ mask[i % 4]);
    if (frame.is_control) {
        frame.flags = opcode;
        frame.body = payload;
    } else {
        frame.flags = payload[0] & 3;
        frame.body = payload.substr(1);
    }
    rest = in.skip(size_t(length));
    return RefEnd::whole;
}

struct WsDecoded {
    std::vector<RefWsFrame> frames;
    InBuffer::Cut end = InBuffer::Cut::need_more;

    friend bool operator==(const WsDecoded &a, const WsDecoded &b) {
        return a.frames == b.frames && a.end == b.end;
    }
};

inline void cut_ws_frames(InBuffer &in, WsDecoded &decoded) {
    for (;;) {
        Message message;
        decoded.end = in.cut(message);
        const bool is_control = decoded.end == InBuffer::Cut::control;
        if (decoded.end != InBuffer::Cut::frame && !is_control) return;
        decoded.frames.push_back({is_control, text(message.bytes()),
                                  is_control ? uint8_t(in.control()) : message.flags()});
        message.close();
    }
}

// As a link does.
inline WsDecoded decode_ws(InBuffer &in, Reads &reads) {
    WsDecoded decoded;
    for (;;) {
        cut_ws_frames(in, decoded);
        if (decoded.end != InBuffer::Cut::need_more || reads.at_end()) break;
        Bytes piece = reads.next();
        while (!piece.empty() && decoded.end == InBuffer::Cut::need_more) {
            iovec places[2];
            const int count = in.target(places);
            FUZZ_CHECK(count > 0);
            size_t filled = 0;
            for (int i = 0; i < count; ++i) {
                const Bytes part = piece.first(places[i].iov_len);
                if (!part.empty()) std::memcpy(places[i].iov_base, part.data(), part.size());
                piece = piece.skip(part.size());
                filled += part.size();
            }
            (void)in.filled(filled);
            if (!piece.empty()) cut_ws_frames(in, decoded);
        }
        if (decoded.end != InBuffer::Cut::need_more) break;
    }
    if (decoded.end == InBuffer::Cut::refused)
        FUZZ_CHECK(in.refusal() == protocol_error::websocket);
    return decoded;
}

// The frames of data go out in the peer's framing, and come in again the same.
inline void check_ws_framing(Framing framing, Input input) {
    const uint8_t plan = input.byte();
    const size_t split = input.number();
    // Without a limit a peer may have any amount of address space reserved (README, Limits).
    const int64_t limit = plan & 1 ? input.number() : body_max;
    const Bytes stream = input.rest();
    const bool is_masked = framing == Framing::ws_server;

    WsDecoded wanted;
    RefWsFrame frame;
    RefEnd end;
    Bytes rest = stream;
    while ((end = take_ws_frame(rest, is_masked, uint64_t(limit), frame)) == RefEnd::whole)
        wanted.frames.push_back(frame);
    if (end == RefEnd::bad) wanted.end = InBuffer::Cut::refused;

    same_however_cut(stream, split, [&](Reads &reads) {
        InBuffer in;
        in.set_framing(framing, 0);
        in.set_max_message_size(limit);
        LargestAllocation largest;
        const WsDecoded decoded = decode_ws(in, reads);
        FUZZ_CHECK(decoded == wanted);
        FUZZ_CHECK(largest.bytes() <= std::max(BlockPool::block_size, body_memory(size_t(limit))) +
                                          2 * stream.size() + 64 * decoded.frames.size());
        return decoded;
    });

    RefFrames data;
    std::vector<RefWsFrame> expected;
    for (const RefWsFrame &each : wanted.frames) {
        if (each.is_control) continue;
        data.push_back({each.body, each.flags});
        expected.push_back(each);
    }
    const Framing peers = is_masked ? Framing::ws_client : Framing::ws_server;
    const Buffer again = encode(peers, data);
    FUZZ_CHECK(again.size() <= stream.size()); // ours is the shortest
    Reads reads(view(again), SIZE_MAX, SIZE_MAX);
    InBuffer in;
    in.set_framing(framing, 0);
    FUZZ_CHECK(decode_ws(in, reads).frames == expected);
}

} // namespace tern::fuzz

#endif
