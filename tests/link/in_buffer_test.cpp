#include "link/in_buffer.hpp"

#include "support/frames.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tern;
using namespace tern::test;

namespace {

using Cut = InBuffer::Cut;

constexpr size_t block_size = BlockPool::block_size;
constexpr size_t inline_max = Message::inline_max;

std::string body_of(size_t size, size_t number = 0) {
    std::string body(size, ' ');
    for (size_t i = 0; i < size; ++i) body[i] = char(number * 7 + i * 11 + size);
    return body;
}

// A frame on the wire, of v2 unless said otherwise.
Buffer wire_of(const std::string &body, uint8_t flags = 0, Framing framing = Framing::v2) {
    uint8_t header[header_max];
    const size_t size = framing == Framing::v2 ? put_v2_header(header, flags, body.size())
                                               : put_v1_header(header, flags, body.size());
    Buffer wire(header, header + size);
    wire.insert(wire.end(), body.begin(), body.end());
    return wire;
}

// With this first byte, and the size in eight bytes if it says so.
Buffer wire_with(uint8_t first, const std::string &body) {
    Buffer wire{first};
    if (first & v2_large) {
        wire.resize(9);
        store_be64(&wire[1], body.size());
    } else {
        wire.push_back(uint8_t(body.size()));
    }
    wire.insert(wire.end(), body.begin(), body.end());
    return wire;
}

void extend(Buffer &to, const Buffer &by) { to.insert(to.end(), by.begin(), by.end()); }

void put(InBuffer &in, const Buffer &bytes) {
    if (!in.put(view(bytes))) throw std::runtime_error("no room");
}

// As a read does it: as much as there is room for, from `at` on. Returns the new `at`.
size_t read_into(InBuffer &in, const Buffer &wire, size_t at, size_t bytes_max = SIZE_MAX) {
    iovec pieces[2];
    const int count = in.target(pieces);
    size_t room = 0, read = 0;
    for (int i = 0; i < count; ++i) {
        const size_t step =
            std::min({pieces[i].iov_len, wire.size() - at - read, bytes_max - read});
        if (step > 0) std::memcpy(pieces[i].iov_base, wire.data() + at + read, step);
        room += pieces[i].iov_len;
        read += step;
    }
    if (in.filled(read) != (read == room)) throw std::runtime_error("filled or not");
    return at + read;
}

// How much the next read would ask for at most.
size_t room(InBuffer &in) {
    iovec pieces[2];
    const int count = in.target(pieces);
    size_t room = 0;
    for (int i = 0; i < count; ++i) room += pieces[i].iov_len;
    (void)in.filled(0);
    return room;
}

struct Got {
    Cut cut;
    OwnMessage frame;
};

Got cut(InBuffer &in) {
    Got got;
    Message frame;
    std::memset(static_cast<void *>(&frame), 0xa5, sizeof frame); // what cut() is to overwrite
    got.cut = in.cut(frame);
    if (got.cut == Cut::frame) *got.frame = frame;
    return got;
}

bool is_frame(const Got &got, const std::string &body, int flags = 0) {
    return got.cut == Cut::frame && got.frame->bytes().text() == body &&
           got.frame->flags() == flags;
}

// Does cut_plain refuse, and leave message and buffer as they are?
bool is_refused(InBuffer &in) {
    const std::string body = "the message before";
    OwnMessage message = make_frame(body);
    const void *const data = message->data();
    const auto flags = message->flags();
    const bool had_bytes = in.has_bytes(), wanted_bytes = in.wants_bytes();
    return !in.cut_plain(*message) && message->data() == data && message->bytes().text() == body &&
           message->flags() == flags && !message->metadata() && in.has_bytes() == had_bytes &&
           in.wants_bytes() == wanted_bytes;
}

bool takes_plain(InBuffer &in, const std::string &body) {
    OwnMessage message = make_frame("the message before, of 40 bytes, quite so");
    message->close();
    if (message->init_size(inline_max)) return false;
    std::memset(message->data(), 'x', inline_max);
    return in.cut_plain(*message) && message->is_plain() && !message->metadata() &&
           message->bytes().text() == body;
}

} // namespace

// ---- the short way

TEST_CASE("cut_plain cuts small whole messages as cut does, at every size") {
    for (size_t size = 0; size <= inline_max; ++size) {
        INFO("size " << size);
        InBuffer plain, usual;
        Buffer wire;
        for (size_t i = 0; i < 50; ++i) extend(wire, wire_of(body_of(size, i)));
        put(plain, wire);
        put(usual, wire);
        for (size_t i = 0; i < 50; ++i) {
            CHECK(plain.has_bytes());
            CHECK(takes_plain(plain, body_of(size, i)));
            CHECK(is_frame(cut(usual), body_of(size, i)));
            CHECK(plain.has_bytes() == usual.has_bytes());
            CHECK(plain.wants_bytes() == usual.wants_bytes());
        }
        CHECK_FALSE(plain.has_bytes());
        CHECK(is_refused(plain));
        CHECK(cut(plain).cut == Cut::need_more);
        CHECK(plain.wants_bytes());
        CHECK(room(plain) == block_size);
    }
}

TEST_CASE("cut_plain cuts larger messages too, over a message of every size") {
    const size_t before = GENERATE(0, 40, 41, 3000);
    for (const size_t size : {41, 100, 255, 256, 1000, 8191, 20000}) {
        INFO("size " << size << " over " << before);
        InBuffer in;
        const Buffer wire = wire_of(body_of(size, 1));
        for (const size_t split : {size_t(1), size_t(2), size_t(8), size_t(9), wire.size() - 1}) {
            if (split >= wire.size() || size >= 8192) continue;
            put(in, Buffer(wire.begin(), wire.begin() + long(split)));
            CHECK(is_refused(in));
            in.clear();
        }
        put(in, wire);
        auto *const metadata = new Metadata(Metadata::Properties{{"Name", "value"}});
        OwnMessage message = make_frame(body_of(before));
        message->adopt_metadata(metadata);
        REQUIRE(in.cut_plain(*message));
        CHECK(message->is_plain());
        CHECK(message->bytes().text() == body_of(size, 1));
        CHECK(message->metadata() == metadata);
        CHECK_FALSE(in.has_bytes());
    }
}

TEST_CASE("cut_plain uses the block of the message before, where that is as good as a new one") {
    InBuffer in;
    Buffer wire = wire_of(body_of(200, 1));
    for (const Buffer &next : {wire_of(body_of(210, 2)), wire_of(body_of(5000, 3))})
        wire.insert(wire.end(), next.begin(), next.end());
    put(in, wire);
    OwnMessage message = make_frame(body_of(205, 0));
    const uint8_t *const block = message->data();
    REQUIRE(in.cut_plain(*message));
    if (BodyPool::is_pooling) CHECK(message->data() == block);
    CHECK(message->bytes().text() == body_of(200, 1));
    OwnMessage held; // somebody else holds the block now
    held->share(*message);
    REQUIRE(in.cut_plain(*message));
    CHECK(message->data() != held->data());
    CHECK(held->bytes().text() == body_of(200, 1));
    CHECK(message->bytes().text() == body_of(210, 2));
    REQUIRE(in.cut_plain(*message));
    CHECK(message->bytes().text() == body_of(5000, 3));
}

TEST_CASE("cut_plain leaves a message of any kind alone while its frame is not all there") {
    InBuffer in;
    Buffer wire = wire_of(body_of(30, 1));
    put(in, Buffer(wire.begin(), wire.end() - 1));
    OwnMessage message = make_frame(body_of(100, 2));
    CHECK_FALSE(in.cut_plain(*message));
    CHECK(message->bytes().text() == body_of(100, 2));
}

TEST_CASE("peek_plain shows what cut_plain would take, and nothing else") {
    for (const size_t size : {0, 1, 40, 41, 255, 256, 5000}) {
        INFO("size " << size);
        const Buffer wire = wire_of(body_of(size, 1));
        Bytes body;
        for (const size_t split : {size_t(1), wire.size() - 1}) {
            InBuffer in;
            put(in, Buffer(wire.begin(), wire.begin() + long(split)));
            CHECK_FALSE(in.peek_plain(body));
        }
        InBuffer in, flagged;
        put(in, wire);
        REQUIRE(in.peek_plain(body));
        CHECK(body.text() == body_of(size, 1));
        OwnMessage message;
        REQUIRE(in.cut_plain(*message));
        CHECK(message->bytes().text() == body_of(size, 1));
        CHECK_FALSE(in.peek_plain(body));
        put(flagged, wire_of(body_of(size), Message::more));
        CHECK_FALSE(flagged.peek_plain(body));
    }
}

TEST_CASE("cut_inline is for small frames over inline messages of the same kind") {
    for (const size_t size : {size_t(0), size_t(16), inline_max, inline_max + 1}) {
        INFO("size " << size);
        InBuffer in;
        put(in, wire_of(body_of(size, 1)));
        OwnMessage message = make_frame("before");
        CHECK(in.cut_inline(*message) == (size <= inline_max));
        CHECK(message->bytes().text() == (size <= inline_max ? body_of(size, 1) : "before"));
    }
}

TEST_CASE("cut_plain refuses larger messages with flags, or above the maximum") {
    for (const size_t size : {41, 255, 256, 5000}) {
        for (const uint8_t flags : {Message::more, Message::command}) {
            InBuffer in;
            put(in, wire_of(body_of(size), flags));
            CHECK(is_refused(in));
            CHECK(is_frame(cut(in), body_of(size), flags));
        }
        InBuffer in;
        in.set_max_message_size(int64_t(size) - 1);
        put(in, wire_of(body_of(size)));
        CHECK(is_refused(in));
        CHECK(cut(in).cut == Cut::malformed);
        InBuffer fits;
        fits.set_max_message_size(int64_t(size));
        put(fits, wire_of(body_of(size)));
        OwnMessage message;
        CHECK(fits.cut_plain(*message));
    }
}

TEST_CASE("cut_plain keeps what is attached to the message it replaces") {
    auto *const metadata = new Metadata(Metadata::Properties{{"Name", "value"}});
    InBuffer in;
    put(in, wire_of("new"));
    OwnMessage message = make_frame("old one");
    message->adopt_metadata(metadata);
    REQUIRE(in.cut_plain(*message));
    CHECK(text_of(*message) == "new");
    CHECK(message->metadata() == metadata);
}

TEST_CASE("the short way and the usual one can be mixed in any order") {
    const int every = GENERATE(1, 2, 3, 7);
    InBuffer in;
    Buffer wire;
    for (size_t i = 0; i < 500; ++i) extend(wire, wire_of(body_of(i % 60, i), uint8_t(i % 5 == 4)));
    put(in, wire);
    for (size_t i = 0; i < 500; ++i) {
        INFO("frame " << i);
        const bool is_plain = i % 5 != 4;
        if (int(i) % every == 0) {
            REQUIRE((is_plain ? takes_plain(in, body_of(i % 60, i)) : is_refused(in)));
            if (is_plain) continue;
        }
        REQUIRE(is_frame(cut(in), body_of(i % 60, i), i % 5 == 4));
    }
    CHECK_FALSE(in.has_bytes());
}

TEST_CASE("cut_plain refuses a frame that has not wholly arrived, at every split") {
    for (const bool has_one_before : {false, true}) {
        for (size_t size = 0; size <= inline_max; ++size) {
            Buffer wire = has_one_before ? wire_of("before") : Buffer();
            const size_t begin = wire.size();
            extend(wire, wire_of(body_of(size)));
            for (size_t split = begin; split < wire.size(); ++split) {
                InBuffer in;
                put(in, Buffer(wire.begin(), wire.begin() + long(split)));
                bool right = !has_one_before || takes_plain(in, "before");
                right &= is_refused(in) && is_refused(in);
                right &= cut(in).cut == Cut::need_more && in.wants_bytes() && is_refused(in);
                right &= read_into(in, wire, split) == wire.size();
                right &= !in.wants_bytes() && takes_plain(in, body_of(size)) && !in.has_bytes();
                if (!right) FAIL("size " << size << ", split at " << split - begin);
            }
        }
    }
}

TEST_CASE("cut_plain takes a frame behind which another one has begun, but not that one") {
    const Buffer next = wire_of(body_of(20, 2));
    for (size_t split = 0; split < next.size(); ++split) {
        InBuffer in;
        Buffer wire = wire_of(body_of(10, 1));
        extend(wire, Buffer(next.begin(), next.begin() + long(split)));
        put(in, wire);
        CHECK(takes_plain(in, body_of(10, 1)));
        CHECK(in.has_bytes() == (split > 0));
        CHECK(is_refused(in));
        put(in, Buffer(next.begin() + long(split), next.end()));
        CHECK(takes_plain(in, body_of(20, 2)));
    }
}

TEST_CASE("cut_plain refuses every flag, known or not, and cut still cuts the frame") {
    for (unsigned first = 1; first < 256; ++first) {
        for (const size_t size : {0, 1, 40}) {
            InBuffer in;
            put(in, wire_with(uint8_t(first), body_of(size)));
            const int flags = int((first & v2_more) | (first & v2_command) >> 1);
            if (first == v2_large) { // no flag, but the long form of the size
                CHECK(takes_plain(in, body_of(size)));
                continue;
            }
            if (!is_refused(in) || !is_frame(cut(in), body_of(size), flags) || in.has_bytes())
                FAIL("first byte " << first << ", size " << size);
        }
    }
}

TEST_CASE("cut_plain leaves frames above max_message_size to cut, which says malformed") {
    for (int64_t max = -1; max <= 45; ++max) {
        for (size_t size = 0; size <= 45; ++size) {
            InBuffer in;
            in.set_max_message_size(max);
            put(in, wire_of(body_of(size)));
            const bool is_allowed = max < 0 || size <= size_t(max);
            bool right;
            if (is_allowed) right = takes_plain(in, body_of(size));
            else right = is_refused(in);
            if (!is_allowed) right &= cut(in).cut == Cut::malformed;
            if (!right) FAIL("max " << max << ", size " << size);
        }
    }
    InBuffer in;
    in.set_max_message_size(INT64_MAX);
    put(in, wire_of(body_of(40)));
    CHECK(takes_plain(in, body_of(40)));
}

TEST_CASE("cut_plain is for v2 only") {
    InBuffer v1;
    v1.set_framing(Framing::v1, 0);
    put(v1, wire_of("body", 0, Framing::v1));
    CHECK(is_refused(v1));
    CHECK(is_frame(cut(v1), "body"));
    InBuffer raw;
    raw.set_framing(Framing::raw, 100);
    const Buffer wire = wire_of("body");
    put(raw, wire);
    CHECK(is_refused(raw));
    CHECK(is_frame(cut(raw), std::string(wire.begin(), wire.end())));
    // Bytes that would be a plain frame in v2.
    put(v1, Buffer{0, 1, 'x'});
    CHECK(is_refused(v1));
    CHECK(cut(v1).cut == Cut::malformed);
}

TEST_CASE("cut_plain refuses while a large body is under way") {
    const std::string large = body_of(20000);
    Buffer wire = wire_of(large);
    const size_t large_end = wire.size();
    extend(wire, wire_of("next"));
    for (const size_t split : {size_t(9), size_t(10), size_t(5000), large_end - 1}) {
        InBuffer in;
        CHECK(is_refused(in));
        CHECK(read_into(in, wire, 0, split) == split);
        CHECK(is_refused(in));
        CHECK(cut(in).cut == Cut::need_more);
        CHECK(is_refused(in));
        for (size_t at = split; at < wire.size();) {
            at = read_into(in, wire, at, 5000);
            CHECK(is_refused(in)); // the body comes first, even when all of the next frame is there
            if (at < large_end) CHECK(cut(in).cut == Cut::need_more);
        }
        CHECK(is_frame(cut(in), large));
        CHECK(takes_plain(in, "next"));
    }
}

TEST_CASE("near the end of the block cut_plain reads nothing beyond it") {
    for (size_t size = 0; size <= inline_max; ++size) {
        for (size_t left = 0; left <= 100; ++left) {
            // The frame begins so many bytes before the end of the block.
            const size_t before = block_size - left;
            const std::string first = body_of(before - 9);
            Buffer wire = wire_of(first);
            extend(wire, wire_of(body_of(size, 2)));
            extend(wire, wire_of("next one"));
            wire.resize(block_size);
            InBuffer in;
            put(in, wire);
            bool right = is_frame(cut(in), first);
            if (left >= 2 + size) right &= takes_plain(in, body_of(size, 2));
            else right &= is_refused(in) && cut(in).cut == Cut::need_more && is_refused(in);
            if (!right) FAIL("size " << size << ", left " << left);
        }
    }
}

TEST_CASE("a full block of small frames is cut to its end, and the rest of the stream after it") {
    for (const size_t size : {0, 1, 5, 14, 16, 39, 40}) {
        Buffer wire;
        size_t total = 0;
        for (; wire.size() < 3 * block_size; ++total) extend(wire, wire_of(body_of(size, total)));
        InBuffer in;
        OwnMessage message;
        size_t number = 0, plain = 0, at = 0;
        while (number < total) {
            if (in.cut_plain(*message)) {
                REQUIRE(message->bytes().text() == body_of(size, number));
                ++number;
                ++plain;
                continue;
            }
            const Got got = cut(in);
            if (got.cut == Cut::frame) {
                REQUIRE(got.frame->bytes().text() == body_of(size, number));
                ++number;
            } else {
                REQUIRE(got.cut == Cut::need_more);
                REQUIRE(at < wire.size());
                at = read_into(in, wire, at);
            }
        }
        CHECK_FALSE(in.has_bytes());
        CHECK(plain > total - 10); // those that cross the end of a block go the usual way
    }
}

TEST_CASE("after small frames the next read is a full one, whichever way they were cut") {
    const bool short_way = GENERATE(false, true);
    const std::string large = body_of(20000);
    const Buffer wire = wire_of(large);
    InBuffer in;
    CHECK(read_into(in, wire, 0, 9) == 9);
    CHECK(cut(in).cut == Cut::need_more);
    CHECK(read_into(in, wire, 9) == wire.size());
    CHECK(is_frame(cut(in), large));
    CHECK(cut(in).cut == Cut::need_more);
    CHECK(room(in) < block_size); // another large one may follow
    for (int i = 0; i < 10; ++i) {
        put(in, wire_of("small"));
        if (short_way) CHECK(takes_plain(in, "small"));
        else CHECK(is_frame(cut(in), "small"));
    }
    CHECK(cut(in).cut == Cut::need_more);
    CHECK(room(in) == block_size);
}

// ---- the usual way

TEST_CASE("frames are the same however their bytes arrive") {
    const Framing framing = GENERATE(Framing::v1, Framing::v2);
    Buffer wire;
    std::vector<size_t> sizes;
    for (size_t size = 0; size <= 300; size += size < 70 ? 1 : 23) sizes.push_back(size);
    for (const size_t size : {0, 8000, 8191, 8192, 8193, 20, 32767, 32768, 0, 1, 70000, 5})
        sizes.push_back(size);
    for (size_t i = 0; i < sizes.size(); ++i)
        extend(wire, wire_of(body_of(sizes[i], i), uint8_t(i % 3 == 0), framing));
    for (const size_t step : {1, 2, 3, 7, 64, 1000, 8191, 40000, 1000000}) {
        InBuffer in;
        in.set_framing(framing, 0);
        size_t at = 0;
        for (size_t i = 0; i < sizes.size(); ++i) {
            Got got = cut(in);
            while (got.cut == Cut::need_more) {
                if (at == wire.size()) FAIL("frame " << i << " is missing, in steps of " << step);
                at = read_into(in, wire, at, step);
                got = cut(in);
            }
            if (!is_frame(got, body_of(sizes[i], i), i % 3 == 0))
                FAIL("frame " << i << ", in steps of " << step);
        }
        CHECK(at == wire.size());
        CHECK_FALSE(in.has_bytes());
    }
}

TEST_CASE("without framing every read is a message of its own") {
    InBuffer in;
    in.set_framing(Framing::raw, 100);
    const Buffer wire(250, 'x');
    CHECK(cut(in).cut == Cut::need_more);
    size_t at = 0;
    for (const size_t size : {100, 100, 50}) {
        at = read_into(in, wire, at);
        CHECK(is_frame(cut(in), std::string(size, 'x')));
        CHECK(cut(in).cut == Cut::need_more);
    }
}

TEST_CASE("BAT-1: a read takes as many bytes as are allowed, and a large body beside") {
    InBuffer in;
    in.set_framing(Framing::v2, 100);
    CHECK(room(in) == 100);
    const std::string large = body_of(20000);
    const Buffer wire = wire_of(large);
    put(in, Buffer(wire.begin(), wire.begin() + 9));
    CHECK(cut(in).cut == Cut::need_more);
    CHECK(room(in) == large.size() + 100);
    const size_t at = read_into(in, wire, 9);
    CHECK(at == wire.size());
    CHECK(is_frame(cut(in), large));
}

TEST_CASE("sizes that nobody can hold are malformed or without memory, never believed") {
    Buffer wire{v2_large, 0, 0, 0, 0, 0, 0, 0, 0};
    for (const uint64_t size : {UINT64_MAX, UINT64_MAX - 9, uint64_t(INT64_MAX) + 1}) {
        store_be64(&wire[1], size);
        InBuffer in;
        put(in, wire);
        CHECK(is_refused(in));
        CHECK(cut(in).cut == Cut::malformed);
    }
    store_be64(&wire[1], 101);
    InBuffer in;
    in.set_max_message_size(100);
    put(in, wire);
    CHECK(cut(in).cut == Cut::malformed);
}

TEST_CASE("clear forgets whatever has arrived, and the buffer can be used again") {
    const Buffer wire = wire_of(body_of(20000));
    for (const size_t split : {1, 9, 5000, 15000}) {
        InBuffer in;
        CHECK(read_into(in, wire, 0, split) == split);
        (void)cut(in);
        in.clear();
        CHECK_FALSE(in.has_bytes());
        CHECK(in.wants_bytes());
        CHECK(is_refused(in));
        put(in, wire_of("new"));
        CHECK(takes_plain(in, "new"));
    }
}

TEST_CASE("put refuses what does not fit into the block, and takes what does") {
    InBuffer in;
    CHECK_FALSE(in.put(view(Buffer(block_size + 1, 0))));
    put(in, Buffer(block_size - 1, 0));
    CHECK_FALSE(in.put(view(Buffer(2, 0))));
    put(in, Buffer());
    put(in, Buffer(1, 0));
    for (size_t i = 0; i < block_size / 2; ++i) {
        OwnMessage message;
        if (!in.cut_plain(*message)) message = std::move(cut(in).frame);
        if (message->size() != 0) FAIL("frame " << i);
    }
    CHECK_FALSE(in.has_bytes());
}
