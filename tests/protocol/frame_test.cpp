#include "protocol/frame.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

struct Frame {
    FrameHeader header;
    Buffer body;
};

// All frames of `bytes`; the headers are also tried with every shorter prefix.
template <class ParseHeader>
std::vector<Frame> split(const Buffer &bytes, ParseHeader parse) {
    std::vector<Frame> frames;
    size_t at = 0;
    while (at < bytes.size()) {
        Frame frame{};
        const size_t left = bytes.size() - at;
        REQUIRE(parse(bytes.data() + at, left, frame.header) == Parse::complete);
        for (size_t n = 0; n < frame.header.header_size; ++n) {
            const Buffer prefix(bytes.begin() + long(at), bytes.begin() + long(at + n));
            FrameHeader ignored;
            REQUIRE(parse(prefix.data(), n, ignored) == Parse::need_more);
        }
        at += frame.header.header_size;
        REQUIRE(frame.header.body_size <= bytes.size() - at);
        frame.body.assign(bytes.begin() + long(at),
                          bytes.begin() + long(at + frame.header.body_size));
        at += frame.body.size();
        frames.push_back(frame);
    }
    return frames;
}

template <class PutHeader>
Buffer join(const std::vector<Frame> &frames, PutHeader put) {
    Buffer out;
    for (const Frame &frame : frames) {
        uint8_t header[header_max];
        const size_t size = put(header, frame.header.flags, frame.header.body_size);
        out.insert(out.end(), header, header + size);
        out.insert(out.end(), frame.body.begin(), frame.body.end());
    }
    return out;
}

bool starts_with(const std::string &text, const std::string &prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

} // namespace

TEST_CASE("captured frames are parsed and written back byte for byte") {
    for (const auto &vector : load_vectors("frames.json")) {
        const std::string name = vector.at("name");
        INFO(name);
        const Buffer bytes = unhex(vector.at("hex"));
        const bool from_reference = vector.at("direction") == "from-libzmq";
        if (starts_with(name, "v1-")) {
            CHECK(hex(join(split(bytes, parse_v1_header), put_v1_header)) == hex(bytes));
        } else {
            const auto frames = split(bytes, parse_v2_header);
            if (from_reference) CHECK(hex(join(frames, put_v2_header)) == hex(bytes));
        }
    }
}

TEST_CASE("the long v2 form is accepted for a small body") {
    const auto frames =
        split(vector_bytes("frames.json", "v2-long-form-for-1-byte"), parse_v2_header);
    REQUIRE(frames.size() == 1);
    CHECK(hex(frames[0].body) == "7a");
    CHECK(frames[0].header.flags == 0);
}

TEST_CASE("reserved v2 flag bits are ignored") {
    const auto frames = split(vector_bytes("frames.json", "v2-reserved-bits"), parse_v2_header);
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].header.flags == 0);
    CHECK(hex(frames[0].body) == "41");
}

TEST_CASE("v2 flags are translated both ways") {
    const struct {
        uint8_t wire;
        uint8_t flags;
    } rows[] = {
        {0, 0}, {1, Message::more}, {4, Message::command}, {5, Message::more | Message::command}};
    for (const auto &row : rows) {
        for (const uint64_t size : {uint64_t(0), uint64_t(255), uint64_t(256), UINT64_MAX}) {
            uint8_t header[header_max];
            const size_t written = put_v2_header(header, row.flags, size);
            CHECK(written == (size > 255 ? 9u : 2u));
            CHECK(header[0] == (row.wire | (size > 255 ? 2 : 0)));
            FrameHeader parsed;
            REQUIRE(parse_v2_header(header, written, parsed) == Parse::complete);
            CHECK(parsed.flags == row.flags);
            CHECK(parsed.body_size == size);
            CHECK(parsed.header_size == written);
        }
    }
}

TEST_CASE("flags that are not of the wire stay inside") {
    uint8_t header[header_max];
    put_v2_header(header, 0xfc, 1);
    CHECK(header[0] == 0);
    put_v2_header(header, 0xfc, 1000);
    CHECK(header[0] == 2);
    put_v1_header(header, 0xfe, 1);
    CHECK(header[1] == 0);
}

TEST_CASE("v1 changes to the long form at 254 bytes") {
    for (const uint64_t size : {uint64_t(0), uint64_t(253), uint64_t(254), uint64_t(1) << 40}) {
        uint8_t header[header_max];
        const size_t written = put_v1_header(header, Message::more, size);
        CHECK(written == (size > 253 ? 10u : 2u));
        FrameHeader parsed;
        REQUIRE(parse_v1_header(header, written, parsed) == Parse::complete);
        CHECK(parsed.flags == Message::more);
        CHECK(parsed.body_size == size);
        CHECK(parsed.header_size == written);
    }
}

TEST_CASE("a v1 length of zero is malformed as soon as it is read") {
    FrameHeader header;
    const Buffer short_form = unhex("00");
    CHECK(parse_v1_header(short_form.data(), 1, header) == Parse::malformed);
    const Buffer long_form = unhex("ff0000000000000000");
    CHECK(parse_v1_header(long_form.data(), 8, header) == Parse::need_more);
    CHECK(parse_v1_header(long_form.data(), 9, header) == Parse::malformed);
    const Buffer from_vectors = vector_bytes("negative.json", "zero-length-v1-frame");
    const size_t second = 2; // the first frame of the vector is the peer's identity
    CHECK(parse_v1_header(from_vectors.data() + second, 1, header) == Parse::malformed);
}

TEST_CASE("v1 reads a long form with a small size, and ignores reserved flags") {
    const Buffer bytes = unhex("ff00000000000000047f414243");
    FrameHeader header;
    REQUIRE(parse_v1_header(bytes.data(), bytes.size(), header) == Parse::complete);
    CHECK(header.body_size == 3);
    CHECK(header.flags == Message::more);
    CHECK(header.header_size == 10);
}

TEST_CASE("the largest announced sizes are parsed, not computed with") {
    for (const char *name : {"size-all-ones", "size-2^63-1"}) {
        const Buffer bytes = vector_bytes("negative.json", name);
        FrameHeader header;
        REQUIRE(parse_v2_header(bytes.data(), bytes.size(), header) == Parse::complete);
        CHECK(header.body_size == load_be64(bytes.data() + 1));
    }
}
