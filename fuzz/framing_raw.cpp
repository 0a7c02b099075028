// framing_raw: bytes without ZMTP. What comes out is what went in, in messages that are not too
// long.
#include "support/framing.hpp"

namespace tern::fuzz {

void run(Input input) {
    const size_t bytes_max = 1 + input.byte() * size_t(37);
    const size_t split = input.number();
    const Bytes stream = input.rest();
    const std::string whole = text(stream);
    same_however_cut(stream, split, [&](Reads &reads) {
        InBuffer in;
        in.set_framing(Framing::raw, bytes_max);
        const Decoded decoded = decode(in, reads, true);
        FUZZ_CHECK(decoded.end == InBuffer::Cut::need_more);
        std::string joined;
        for (const RefFrame &frame : decoded.frames) {
            FUZZ_CHECK(frame.flags == 0 && !frame.body.empty() && frame.body.size() <= bytes_max);
            joined += frame.body;
        }
        FUZZ_CHECK(joined == whole);
        return joined;
    });
}

} // namespace tern::fuzz
