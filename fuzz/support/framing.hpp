// Framing: a stream into an InBuffer, read by read, and out of it frame by frame.
// Threads: one.
#ifndef TERN_FUZZ_SUPPORT_FRAMING_HPP
#define TERN_FUZZ_SUPPORT_FRAMING_HPP

#include "support/fuzz.hpp"
#include "support/reference.hpp"

#include "link/in_buffer.hpp"
#include "link/out_batch.hpp"

#include <algorithm>

namespace tern::fuzz {

struct Decoded {
    RefFrames frames;
    InBuffer::Cut end = InBuffer::Cut::need_more;
    uint32_t refusal = 0;

    friend bool operator==(const Decoded &a, const Decoded &b) {
        return a.frames == b.frames && a.end == b.end && a.refusal == b.refusal;
    }
};

// The frame that the short way cuts, if it is one for it.
inline bool cut_plain(InBuffer &in, RefFrame &frame) {
    OwnMessage message;
    const bool is_cut = in.cut_plain(*message);
    FUZZ_CHECK(message->is_plain() && (is_cut || message->size() == 0));
    if (is_cut) frame = {text(message->bytes()), message->flags()};
    return is_cut;
}

inline InBuffer::Cut cut(InBuffer &in, RefFrame &frame) {
    Message message;
    const InBuffer::Cut result = in.cut(message);
    if (result != InBuffer::Cut::frame) return result;
    frame = {text(message.bytes()), message.flags()};
    message.close();
    return result;
}

// Reads as a link does, until the stream ends or what has come is wrong. The stream is written
// straight to where the buffer wants it, at most as much as one read has.
inline Decoded decode(InBuffer &in, Reads &reads, bool tries_plain) {
    Decoded decoded;
    for (;;) {
        RefFrame frame;
        while (tries_plain && cut_plain(in, frame)) decoded.frames.push_back(frame);
        while ((decoded.end = cut(in, frame)) == InBuffer::Cut::frame)
            decoded.frames.push_back(frame);
        if (decoded.end == InBuffer::Cut::refused) decoded.refusal = in.refusal();
        if (decoded.end != InBuffer::Cut::need_more || reads.at_end()) return decoded;
        Bytes piece = reads.next();
        while (!piece.empty()) {
            FUZZ_CHECK(in.wants_bytes());
            iovec places[2];
            const int count = in.target(places);
            FUZZ_CHECK(count > 0);
            size_t filled = 0, room = 0;
            for (int i = 0; i < count; ++i) {
                const Bytes part = piece.first(places[i].iov_len);
                if (!part.empty()) std::memcpy(places[i].iov_base, part.data(), part.size());
                piece = piece.skip(part.size());
                filled += part.size();
                room += places[i].iov_len;
            }
            FUZZ_CHECK(in.filled(filled) == (filled == room));
            if (piece.empty()) break;
            while ((decoded.end = cut(in, frame)) == InBuffer::Cut::frame)
                decoded.frames.push_back(frame);
            if (decoded.end == InBuffer::Cut::refused) decoded.refusal = in.refusal();
            if (decoded.end != InBuffer::Cut::need_more) return decoded;
        }
    }
}

// What frames look like on the wire when we send them.
inline Buffer encode(Framing framing, const RefFrames &frames) {
    OutBatch batch;
    for (const RefFrame &frame : frames) {
        OwnMessage message;
        message->close();
        FUZZ_CHECK(!message->init_copy(Bytes(frame.body)));
        message->set_flags(frame.flags);
        FUZZ_CHECK(batch.append(framing, *message));
        batch.commit();
    }
    Buffer wire;
    for (bool is_all = !batch.has_committed(); !is_all;) {
        iovec pieces[4];
        const int count = batch.pieces(pieces, 4);
        FUZZ_CHECK(count > 0);
        size_t size = 0;
        for (int i = 0; i < count; ++i) {
            append(wire, Bytes(pieces[i].iov_base, pieces[i].iov_len));
            size += pieces[i].iov_len;
        }
        is_all = batch.advance(size);
    }
    return wire;
}

inline constexpr int64_t body_max = 1 << 20; // what an unlimited stream may announce here

// Both ZMTP framings: as the reference cuts them, however they arrive, in bounded memory, and back.
inline void check_framing(Framing framing, Input input) {
    const uint8_t plan = input.byte();
    const bool tries_plain = plan & 1;
    const size_t split = input.number();
    const bool is_limited = plan & 2;
    const int64_t limit = !is_limited ? -1 : plan & 4 ? input.number() : input.byte();
    const Bytes stream = input.rest();

    Decoded wanted;
    RefFrame frame;
    RefEnd end;
    const uint64_t wire_limit = is_limited ? uint64_t(limit) : SIZE_MAX / 2;
    Bytes rest = stream;
    while ((end = take_frame(rest, framing == Framing::v1, wire_limit, frame)) == RefEnd::whole)
        wanted.frames.push_back(frame);
    if (end == RefEnd::bad) wanted.end = InBuffer::Cut::malformed;
    // Without a limit a peer may have any amount of address space reserved (README, Limits).
    if (end == RefEnd::need_more && !is_limited &&
        take_frame(rest, framing == Framing::v1, uint64_t(body_max), frame) == RefEnd::bad)
        return;

    same_however_cut(stream, split, [&](Reads &reads) {
        InBuffer in;
        in.set_framing(framing, 0);
        in.set_max_message_size(limit);
        LargestAllocation largest;
        const Decoded decoded = decode(in, reads, tries_plain);
        FUZZ_CHECK(decoded == wanted);
        const size_t allowed = is_limited ? size_t(limit) : size_t(body_max);
        FUZZ_CHECK(largest.bytes() <= std::max(BlockPool::block_size, body_memory(allowed)) +
                                          2 * stream.size() + 64 * decoded.frames.size());
        return decoded;
    });

    // Our own encoding says the same.
    const Buffer again = encode(framing, wanted.frames);
    FUZZ_CHECK(framing == Framing::v1 || again.size() <= stream.size()); // ours is the shortest
    Reads reads(view(again), SIZE_MAX, SIZE_MAX);
    InBuffer in;
    in.set_framing(framing, 0);
    FUZZ_CHECK(decode(in, reads, tries_plain).frames == wanted.frames);
}

} // namespace tern::fuzz

#endif
