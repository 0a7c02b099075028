#include "protocol/frame_reader.hpp"

#include "support/frames.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

// Bodies, "+" behind those with more; "!" where it broke.
Frames read_all(FrameReader &reader, Bytes stream, size_t piece) {
    Frames frames;
    while (!stream.empty()) {
        Bytes bytes = stream.first(piece);
        stream = stream.skip(bytes.size());
        while (!bytes.empty()) {
            const FrameReader::Step step = reader.feed(bytes);
            if (step == FrameReader::Step::need_more) continue;
            if (step == FrameReader::Step::broken) {
                frames.push_back("!");
                return frames;
            }
            Message frame;
            reader.take(frame);
            frames.push_back(text_of(frame) + (frame.has(Message::more) ? "+" : ""));
            frame.close();
        }
    }
    return frames;
}

Buffer stream_of(Framing framing, const Frames &bodies) {
    Buffer out;
    for (size_t i = 0; i < bodies.size(); ++i) {
        uint8_t header[header_max];
        const uint8_t flags = i % 2 == 0 ? uint8_t(Message::more) : uint8_t(0);
        const size_t size = framing == Framing::v1 ? put_v1_header(header, flags, bodies[i].size())
                                                   : put_v2_header(header, flags, bodies[i].size());
        out.insert(out.end(), header, header + size);
        out.insert(out.end(), bodies[i].begin(), bodies[i].end());
    }
    return out;
}

} // namespace

TEST_CASE("frames are read however they are cut") {
    const Frames bodies{"", "a", std::string(253, 'b'), std::string(254, 'c'), std::string(255, 'd'),
                        std::string(256, 'e'), std::string(70000, 'f'), ""};
    Frames wanted = bodies;
    for (size_t i = 0; i < wanted.size(); i += 2) wanted[i] += "+";
    for (const Framing framing : {Framing::v1, Framing::v2}) {
        const Buffer stream = stream_of(framing, bodies);
        for (const size_t piece : {size_t(1), size_t(2), size_t(3), size_t(1000), stream.size()}) {
            FrameReader reader(framing, -1);
            CHECK(read_all(reader, view(stream), piece) == wanted);
            CHECK_FALSE(reader.is_mid_frame());
        }
    }
}

TEST_CASE("a frame that is too large, or can not be, breaks the stream before it takes memory") {
    FrameReader limited(Framing::v2, 10);
    CHECK(read_all(limited, view(stream_of(Framing::v2, {"0123456789", "0123456789x"})), 100) ==
          Frames{"0123456789+", "!"});
    limited.reset();
    CHECK(read_all(limited, view(stream_of(Framing::v2, {"new"})), 1) == Frames{"new+"});
    FrameReader v1(Framing::v1, -1), v2(Framing::v2, -1);
    CHECK(read_all(v1, view(unhex("00")), 1) == Frames{"!"});
    CHECK(read_all(v2, view(unhex("02ffffffffffffffff")), 1) == Frames{"!"});
    CHECK(read_all(v2, view(unhex("027fffffffffffff00")), 1) == Frames{"!"});
}

TEST_CASE("a reset forgets half a header and half a body") {
    for (const size_t kept : {1, 2, 5}) {
        FrameReader reader(Framing::v2, -1);
        const Buffer first = stream_of(Framing::v2, {"0123456789"});
        CHECK(read_all(reader, view(first).first(kept), 100).empty());
        CHECK(reader.is_mid_frame());
        reader.reset();
        CHECK(read_all(reader, view(first), 100) == Frames{"0123456789+"});
    }
}
