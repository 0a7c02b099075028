#include "protocol/norm_stream.hpp"

#include "support/frames.hpp"
#include "support/vectors.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

Buffer encode(std::string_view body, bool more, bool is_first) {
    OwnMessage frame = make_frame(body, more);
    Buffer out(norm_header_max);
    out.resize(put_norm_header(out.data(), *frame, is_first));
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

// The frames that come out of these bytes, at most so many of which are there at a time; "!" where the
// stream is broken.
Frames decode(NormDecoder &decoder, Bytes stream, size_t piece = SIZE_MAX) {
    Frames frames;
    while (!stream.empty()) {
        const ByteSpace space = decoder.space();
        const size_t count = std::min({space.size, stream.size(), piece});
        std::memcpy(space.data, stream.data(), count);
        stream = stream.skip(count);
        switch (decoder.filled(count)) {
        case NormDecoder::Step::need_more: break;
        case NormDecoder::Step::broken: frames.push_back("!"); return frames;
        case NormDecoder::Step::frame: {
            Message frame;
            decoder.take(frame);
            frames.push_back(text_of(frame) + (frame.has(Message::more) ? "+" : ""));
            frame.close();
        }
        }
    }
    return frames;
}

} // namespace

TEST_CASE("transports 9: frames are written as they were captured") {
    CHECK(encode("hello", false, true) == vector_bytes("norm.json", "hello"));
    CHECK(encode("aa", true, true) == vector_bytes("norm.json", "multipart-1"));
    CHECK(encode("bb", false, false) == vector_bytes("norm.json", "multipart-2"));
}

TEST_CASE("transports 9: what was captured is read, however it comes") {
    Buffer stream;
    for (const char *name : {"hello", "multipart-1", "multipart-2"}) {
        const Buffer frame = vector_bytes("norm.json", name);
        stream.insert(stream.end(), frame.begin(), frame.end());
    }
    for (const size_t piece : {1, 2, 3, 100}) {
        NormDecoder decoder(-1);
        CHECK(decode(decoder, view(stream), piece) == Frames{"hello", "aa+", "bb"});
        CHECK_FALSE(decoder.wants_start());
    }
}

TEST_CASE("transports 9: a late receiver looks for the first frame of a message") {
    NormDecoder decoder(-1);
    CHECK(decoder.wants_start());
    // At the start that NORM marks stand later frames of a message, and then a first one.
    CHECK(decode(decoder, view(unhex("ff010161ff000162"))).empty());
    CHECK_FALSE(decoder.wants_start());
    CHECK(decode(decoder, view(vector_bytes("norm.json", "hello"))) == Frames{"hello"});
    // From then on nobody looks at it.
    CHECK(decode(decoder, view(unhex("7b000178"))) == Frames{"x"});
}

TEST_CASE("transports 9: after a loss, or a frame that can not be, it begins anew") {
    NormDecoder decoder(10);
    CHECK(decode(decoder, view(unhex("00000568656c"))).empty());
    decoder.lose();
    CHECK(decoder.wants_start());
    CHECK(decode(decoder, view(vector_bytes("norm.json", "hello"))) == Frames{"hello"});
    CHECK(decode(decoder, view(unhex("00000b"))) == Frames{"!"}); // MAXMSGSIZE
    CHECK(decoder.wants_start());
    CHECK(decode(decoder, view(unhex("ff000161"))).empty());
    CHECK(decode(decoder, view(unhex("ff00ff"))) == Frames{"!"}); // of a frame that is dropped, too
}
