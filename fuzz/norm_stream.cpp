// norm_stream: what a sender over NORM says, read in pieces of any size, with losses. Against a model
// that reads the same bytes in one go.
#include "support/fuzz.hpp"

#include "protocol/norm_stream.hpp"

#include <algorithm>

namespace tern::fuzz {

namespace {

// The frames that come out before the stream is broken, and whether it is.
struct Outcome {
    std::string text;
    bool is_broken = false;
    bool operator==(const Outcome &other) const {
        return text == other.text && is_broken == other.is_broken;
    }
};

Outcome model(Bytes stream, int64_t body_max) {
    Outcome outcome;
    bool drops = true;
    while (stream.size() > 2) {
        drops = drops && stream[0] != 0;
        const bool is_large = (stream[1] & v2_large) != 0;
        if (is_large && stream.size() < 10) break;
        const uint64_t size = is_large ? load_be64(stream.data() + 2) : stream[2];
        if (size > uint64_t(body_max)) {
            outcome.is_broken = true;
            break;
        }
        const Bytes rest = stream.skip(is_large ? 10 : 3);
        if (rest.size() < size) break;
        if (!drops) {
            outcome.text += (stream[1] & v2_more) ? '+' : '.';
            outcome.text += text(rest.first(size_t(size))) + '|';
        }
        stream = rest.skip(size_t(size));
    }
    return outcome;
}

Outcome decode(NormDecoder &decoder, Bytes stream, size_t piece) {
    Outcome outcome;
    while (!stream.empty()) {
        const ByteSpace space = decoder.space();
        FUZZ_CHECK(space.size > 0);
        const size_t count = std::min({space.size, stream.size(), piece});
        std::memcpy(space.data, stream.data(), count);
        stream = stream.skip(count);
        switch (decoder.filled(count)) {
        case NormDecoder::Step::need_more: break;
        case NormDecoder::Step::broken:
            FUZZ_CHECK(decoder.wants_start());
            outcome.is_broken = true;
            return outcome;
        case NormDecoder::Step::frame: {
            OwnMessage frame;
            decoder.take(*frame);
            outcome.text += frame->has(Message::more) ? '+' : '.';
            outcome.text += text(frame->bytes()) + '|';
        }
        }
    }
    return outcome;
}

} // namespace

void run(Input input) {
    const int64_t body_max = input.number();
    const size_t piece = 1 + input.byte();
    const Buffer lost = exact(input.chunk());
    const Buffer stream = exact(input.rest());
    NormDecoder decoder(body_max);
    LargestAllocation largest;
    (void)decode(decoder, view(lost), piece);
    decoder.lose(); // whatever state it was in
    const Outcome outcome = decode(decoder, view(stream), piece);
    FUZZ_CHECK(largest.bytes() <= std::max(size_t(body_max), stream.size() * 2) + 1024);
    FUZZ_CHECK(outcome == model(view(stream), body_max));

    // And back: what came out, written again, is read again.
    OwnMessage frame;
    if (frame->init_copy(view(stream).first(size_t(body_max)))) return;
    if (piece % 2) frame->set(Message::more);
    Buffer again(norm_header_max);
    again.resize(put_norm_header(again.data(), *frame, piece % 3 != 0));
    append(again, frame->bytes());
    NormDecoder second(body_max);
    const Outcome read = decode(second, view(again), piece);
    const std::string wanted = (piece % 2 ? '+' : '.') + text(frame->bytes()) + '|';
    FUZZ_CHECK(piece % 3 == 0 || (read.text == wanted && !read.is_broken));
}

} // namespace tern::fuzz
