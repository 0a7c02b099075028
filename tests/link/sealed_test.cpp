// Batches and buffers under a seal: one that adds bytes on both sides of a body, and may be unable
// to open what it has sealed itself.
#include "link/in_buffer.hpp"
#include "link/out_batch.hpp"
#include "support/fake_seal.hpp"
#include "support/frames.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace tern;
using namespace tern::test;

namespace {

const std::vector<size_t> sizes = {0, 1, 39, 40, 41, 255, 2000, 2048, 2049, 9000, 40000, 200000};

std::string body_of(size_t size) {
    std::string body(size, ' ');
    for (size_t i = 0; i < size; ++i) body[i] = char('a' + i % 23);
    return body;
}

void append(OutBatch &batch, TrafficSeal &seal, OwnMessage frame) {
    REQUIRE(batch.append_sealed(seal, *frame));
    CHECK(frame->size() == 0);
}

Buffer bytes_of(const OutBatch &batch) {
    Buffer wire;
    iovec pieces[64];
    const int count = batch.pieces(pieces, 64);
    REQUIRE(count < 64);
    for (int i = 0; i < count; ++i) {
        const auto *p = static_cast<const uint8_t *>(pieces[i].iov_base);
        wire.insert(wire.end(), p, p + pieces[i].iov_len);
    }
    return wire;
}

std::vector<std::string> texts_of(const std::deque<OwnMessage> &frames) {
    std::vector<std::string> texts;
    for (const OwnMessage &frame : frames)
        texts.push_back(text_of(*frame) + (frame->has(Message::more) ? "+" : ""));
    return texts;
}

} // namespace

TEST_CASE("what one side seals the other opens, in every size and however it arrives") {
    const bool recovers = GENERATE(true, false);
    const size_t back = GENERATE(0, 28);
    FakeSeal seal(33, back, recovers);
    OutBatch batch;
    for (const size_t size : sizes) append(batch, seal, make_frame(body_of(size), size % 2 == 1));
    batch.commit();
    const Buffer wire = bytes_of(batch);

    InBuffer in;
    in.set_framing(Framing::v2, 0);
    in.set_seal(&seal);
    size_t at = 0, frames = 0;
    while (frames < sizes.size()) {
        Message frame;
        const InBuffer::Cut cut = in.cut(frame);
        if (cut == InBuffer::Cut::frame) {
            const size_t size = sizes[frames++];
            CHECK(frame.bytes().text() == body_of(size));
            CHECK(frame.flags() == (size % 2 == 1 ? uint8_t(Message::more) : uint8_t(0)));
            frame.close();
            continue;
        }
        REQUIRE(cut == InBuffer::Cut::need_more);
        REQUIRE(at < wire.size());
        iovec pieces[2];
        const int count = in.target(pieces);
        size_t read = 0;
        for (int i = 0; i < count; ++i) {
            const size_t step =
                std::min({pieces[i].iov_len, wire.size() - at, size_t(7000) - read});
            if (step > 0) std::memcpy(pieces[i].iov_base, wire.data() + at, step);
            at += step;
            read += step;
        }
        (void)in.filled(read);
    }
    CHECK(at == wire.size());
}

TEST_CASE(
    "recover gives back whole messages that were not written, and nothing that spoke to the peer") {
    const bool recovers = GENERATE(true, false);
    FakeSeal seal(5, recovers ? 0 : 7, recovers);
    const size_t whole = [&seal] {
        OutBatch batch;
        append(batch, seal, make_frame("one"));
        return bytes_of(batch).size();
    }();
    for (size_t written = 0; written <= whole; ++written) {
        OutBatch batch;
        append(batch, seal, make_frame("one"));
        batch.commit();
        OwnMessage command = make_frame("\4PING");
        command->set(Message::command);
        append(batch, seal, std::move(command));
        batch.commit();
        if (!recovers) { // what was sealed in another form than it was meant
            OwnMessage subscription = make_frame("\1topic");
            subscription->set(Message::subscribe);
            append(batch, seal, std::move(subscription));
            batch.commit();
        }
        append(batch, seal, make_frame("two", true));
        append(batch, seal, make_frame(body_of(5000)));
        batch.commit();
        append(batch, seal, make_frame("unfinished", true));
        (void)batch.advance(written);
        std::deque<OwnMessage> frames;
        batch.recover(Framing::v2, frames, &seal);
        std::vector<std::string> expected = {"one", "two+", body_of(5000), "unfinished+"};
        if (written == whole) expected.erase(expected.begin());
        CHECK(texts_of(frames) == expected);
        CHECK(batch.is_empty());
    }
}

TEST_CASE("what is kept follows its frames when a part is moved or taken back") {
    FakeSeal seal(5, 7, false);
    OutBatch batch, to;
    append(batch, seal, make_frame("one"));
    batch.commit();
    append(batch, seal, make_frame("two", true));
    REQUIRE(batch.move_committed(to));
    append(batch, seal, make_frame("end"));
    batch.commit();
    append(batch, seal, make_frame("gone", true));
    batch.rollback();
    std::deque<OwnMessage> frames;
    to.recover(Framing::v2, frames, &seal);
    batch.recover(Framing::v2, frames, &seal);
    CHECK(texts_of(frames) == std::vector<std::string>{"one", "two+", "end"});
}

TEST_CASE(
    "ZC-2: users' bodies that are sealed wait for the batch, or for whom they are handed to") {
    const bool recovers = GENERATE(true, false);
    FakeSeal seal(5, recovers ? 0 : 7, recovers);
    CountedBodies bodies;
    {
        OutBatch batch, to;
        append(batch, seal, bodies.frame());
        batch.commit();
        append(batch, seal, bodies.frame(true));
        CHECK(bodies.given_back() == 0);
        REQUIRE(batch.move_committed(to));
        CHECK(to.has_users_bodies());
        CHECK(batch.has_users_bodies());
        batch.rollback();
        CHECK(bodies.given_back() == 1);
        CHECK_FALSE(batch.has_users_bodies());
        std::vector<OwnMessage> elsewhere;
        to.move_users_bodies(elsewhere);
        to.clear();
        CHECK(bodies.given_back() == 1);
        elsewhere.clear();
        CHECK(bodies.given_back() == 2);
    }
    CHECK(bodies.given_back() == 2);
}

TEST_CASE("a frame that can not be sealed is untouched") {
    FakeSeal seal(5, 7, false);
    seal.body_max = 10;
    OutBatch batch;
    OwnMessage large = make_frame("eleven byte");
    CHECK_FALSE(batch.append_sealed(seal, *large));
    CHECK(large->bytes().text() == "eleven byte");
    seal.seals = false;
    OwnMessage small = make_frame("small");
    CHECK_FALSE(batch.append_sealed(seal, *small));
    CHECK(small->bytes().text() == "small");
    CHECK(batch.is_empty());
}

TEST_CASE("narrow_to keeps a part of an inline body, and of a block") {
    for (const size_t size : {size_t(10), size_t(40), size_t(41), size_t(5000)}) {
        const std::string body = body_of(size);
        for (const size_t front : {size_t(0), size_t(3), size})
            for (const size_t back : {size_t(0), std::min(size - front, size_t(4))}) {
                OwnMessage message = make_frame(body);
                message->narrow_to(message->bytes().skip(front).first(size - front - back));
                CHECK(message->bytes().text() == body.substr(front, size - front - back));
            }
    }
}
