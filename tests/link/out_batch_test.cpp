#include "link/out_batch.hpp"

#include "link/block_pool.hpp"
#include "support/frames.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <deque>

using namespace tern;
using namespace tern::test;

namespace {

constexpr size_t copied_max = OutBatch::copied_body_max;

std::string body_of(size_t size, size_t number = 0) {
    std::string body(size, ' ');
    for (size_t i = 0; i < size; ++i) body[i] = char(number * 7 + i * 11 + size);
    return body;
}

OwnMessage make_sized(size_t size, size_t number = 0, bool more = false) {
    return make_frame(body_of(size, number), more);
}

// Users' bodies of any size, each with its own bytes, given back through a counter.
class UsersBodies {
  public:
    OwnMessage frame(size_t size, bool more = false) {
        texts_.push_back(body_of(size, texts_.size()));
        OwnMessage made;
        if (made->init_data(&texts_.back()[0], size, give_back, this))
            throw std::runtime_error("no memory");
        if (more) made->set(Message::more);
        return made;
    }
    int given_back() const { return given_back_; }

  private:
    static void give_back(void *, void *self) { ++static_cast<UsersBodies *>(self)->given_back_; }
    std::deque<std::string> texts_;
    int given_back_ = 0;
};

// What the frame is to look like on the wire.
Buffer wire_of(Framing framing, const Message &frame) {
    uint8_t header[header_max];
    size_t size = 0;
    if (framing == Framing::v1) size = put_v1_header(header, frame.flags(), frame.size());
    if (framing == Framing::v2) size = put_v2_header(header, frame.flags(), frame.size());
    Buffer wire(header, header + size);
    wire.insert(wire.end(), frame.bytes().begin(), frame.bytes().end());
    return wire;
}

void extend(Buffer &to, const Buffer &by) { to.insert(to.end(), by.begin(), by.end()); }

// Appends the frame and its bytes.
void append(OutBatch &batch, OwnMessage frame, Buffer &wire, Framing framing = Framing::v2) {
    extend(wire, wire_of(framing, *frame));
    if (!batch.append(framing, *frame)) throw std::runtime_error("no memory");
    if (!frame->is_plain() || frame->size() != 0) throw std::runtime_error("not left empty");
}

// What waits to be written, with at most so many pieces a look.
Buffer waiting(const OutBatch &batch, int capacity = 256) {
    std::vector<iovec> pieces(size_t(capacity) + 1, iovec{nullptr, 12345});
    const int count = batch.pieces(pieces.data(), capacity);
    if (count > capacity || pieces[size_t(capacity)].iov_len != 12345)
        throw std::runtime_error("too many pieces");
    Buffer bytes;
    for (int i = 0; i < count; ++i) {
        if (pieces[size_t(i)].iov_len == 0) throw std::runtime_error("empty piece");
        const uint8_t *data = static_cast<const uint8_t *>(pieces[size_t(i)].iov_base);
        bytes.insert(bytes.end(), data, data + pieces[size_t(i)].iov_len);
    }
    return bytes;
}

bool ends_with(const Buffer &whole, size_t from, const Buffer &part) {
    return part.size() == whole.size() - from &&
           std::equal(part.begin(), part.end(), whole.begin() + long(from));
}

// A frame in front, so that the batch has room to grow in.
void begin(OutBatch &batch, Buffer &wire) {
    append(batch, make_sized(5), wire);
    batch.commit();
}

bool append_plain(OutBatch &batch, OwnMessage frame, Buffer &wire) {
    const Buffer bytes = wire_of(Framing::v2, *frame);
    const bool taken = batch.append_plain(*frame);
    if (taken) extend(wire, bytes);
    if (wire_of(Framing::v2, *frame) != bytes) throw std::runtime_error("message touched");
    return taken;
}

} // namespace

// ---- appending

TEST_CASE("an empty batch has nothing in it") {
    OutBatch batch;
    CHECK(batch.is_empty());
    CHECK_FALSE(batch.has_committed());
    CHECK_FALSE(batch.has_uncommitted());
    CHECK_FALSE(batch.has_users_bodies());
    CHECK(batch.bytes() == 0);
    CHECK(batch.messages() == 0);
    CHECK(waiting(batch).empty());
    batch.rollback();
    batch.clear();
    batch.release_buffer();
    CHECK(batch.is_empty());
}

TEST_CASE("frames of every size go out with their headers, in every framing") {
    const Framing framing = GENERATE(Framing::v1, Framing::v2, Framing::raw);
    OutBatch batch;
    Buffer wire;
    size_t count = 0;
    for (size_t size = 0; size <= 300; ++size, ++count) {
        const size_t before = wire.size();
        append(batch, make_sized(size, count, size % 3 == 0), wire, framing);
        CHECK(batch.has_uncommitted() == (wire.size() > before));
        batch.commit();
        CHECK_FALSE(batch.has_uncommitted());
    }
    for (const size_t size : {copied_max - 1, copied_max, copied_max + 1, size_t(5000)}) {
        append(batch, make_sized(size), wire, framing);
        append(batch, make_sized(3), wire, framing);
        batch.commit();
        ++count;
    }
    CHECK(batch.bytes() == wire.size());
    CHECK(batch.messages() == count);
    CHECK(batch.has_committed());
    CHECK(waiting(batch) == wire);
    CHECK(batch.advance(wire.size()));
}

TEST_CASE("of the flags only more and command reach the wire") {
    for (unsigned flags = 0; flags < 64; ++flags) {
        if (flags & Message::shared) continue; // set by share() only
        OutBatch batch;
        OwnMessage frame = make_sized(3);
        frame->set_flags(uint8_t(flags));
        REQUIRE(batch.append(Framing::v2, *frame));
        CHECK(unsigned(waiting(batch)[0]) == ((flags & 1) | (flags & 2) << 1));
    }
}

TEST_CASE("a batch may become larger than a block, by small frames or by one") {
    const size_t size = GENERATE(0, 1, 40, 41, 1000, 2048);
    OutBatch batch;
    Buffer wire;
    for (size_t i = 0; wire.size() < 3 * BlockPool::block_size; ++i) {
        append(batch, make_sized(size, i), wire);
        if (wire.size() % 7 == 0 && waiting(batch) != wire) FAIL("after " << i);
    }
    batch.commit();
    CHECK(waiting(batch) == wire);
    batch.clear();
    CHECK(batch.is_empty());
    // And goes on with a block.
    wire.clear();
    append(batch, make_sized(size), wire);
    CHECK(waiting(batch) == wire);
}

TEST_CASE("large bodies go by reference, small ones are copied") {
    OutBatch batch;
    OwnMessage small = make_sized(copied_max), large = make_sized(copied_max + 1);
    const void *const small_data = small->data(), *const large_data = large->data();
    REQUIRE(batch.append(Framing::v2, *small));
    REQUIRE(batch.append(Framing::v2, *large));
    CHECK(small->size() == 0);
    CHECK(large->size() == 0);
    iovec pieces[4];
    REQUIRE(batch.pieces(pieces, 4) == 2);
    CHECK(pieces[0].iov_base != small_data);
    CHECK(pieces[0].iov_len == 2 * 9 + copied_max);
    CHECK(pieces[1].iov_base == large_data);
    CHECK(batch.bytes() == 2 * 9 + 2 * copied_max + 1);
}

TEST_CASE("constant bodies are written whatever their size, and never given back") {
    static const std::string constant = body_of(5000);
    for (const size_t size : {size_t(0), size_t(1), size_t(40), copied_max, copied_max + 1}) {
        OutBatch batch;
        Buffer wire;
        OwnMessage frame;
        frame->init_constant(constant.data(), size);
        append(batch, std::move(frame), wire);
        batch.commit();
        CHECK(waiting(batch) == wire);
        CHECK_FALSE(batch.has_users_bodies());
    }
}

TEST_CASE("an empty constant body may have no address") {
    OutBatch batch;
    Buffer wire;
    OwnMessage frame;
    frame->init_constant(nullptr, 0);
    append(batch, std::move(frame), wire);
    CHECK(waiting(batch) == wire);
}

TEST_CASE("a shared body is given back when batch and sharer are done") {
    UsersBodies bodies;
    OwnMessage frame = bodies.frame(100);
    {
        OutBatch batch;
        OwnMessage twin;
        twin->share(*frame);
        Buffer wire;
        append(batch, std::move(twin), wire);
        CHECK(waiting(batch) == wire);
    }
    CHECK(bodies.given_back() == 0);
    frame = OwnMessage();
    CHECK(bodies.given_back() == 1);
}

TEST_CASE("a batch can be moved") {
    UsersBodies bodies;
    OutBatch batch;
    Buffer wire;
    append(batch, bodies.frame(10), wire);
    append(batch, make_sized(10), wire);
    batch.commit();
    OutBatch moved(std::move(batch));
    CHECK(waiting(moved) == wire);
    CHECK(moved.has_users_bodies());
    OutBatch assigned;
    assigned = std::move(moved);
    CHECK(waiting(assigned) == wire);
    CHECK(assigned.messages() == 1);
    CHECK(bodies.given_back() == 0);
    assigned.clear();
    CHECK(bodies.given_back() == 1);
}

// ---- users' bodies

TEST_CASE("ZC-2: users' bodies are neither copied nor given back while they are appended") {
    for (const size_t size :
         {size_t(0), size_t(1), size_t(40), size_t(41), copied_max, size_t(9000)}) {
        INFO("size " << size);
        UsersBodies bodies;
        OutBatch batch;
        Buffer wire;
        append(batch, make_sized(3), wire);
        OwnMessage users = bodies.frame(size);
        const void *const data = users->data();
        append(batch, std::move(users), wire);
        append(batch, make_sized(4), wire);
        batch.commit();
        CHECK(batch.has_users_bodies());
        CHECK(waiting(batch) == wire);
        CHECK(batch.bytes() == wire.size());
        if (size > 0) {
            iovec pieces[4];
            REQUIRE(batch.pieces(pieces, 4) == 3);
            CHECK(pieces[1].iov_base == data);
            CHECK(pieces[1].iov_len == size);
        }
        CHECK(batch.advance(wire.size()));
        CHECK(bodies.given_back() == 0);
        batch.clear();
        CHECK(bodies.given_back() == 1);
        CHECK_FALSE(batch.has_users_bodies());
    }
}

TEST_CASE("move_users_bodies takes them out of a written batch, and no others") {
    UsersBodies bodies;
    std::vector<OwnMessage> elsewhere;
    OutBatch batch;
    Buffer wire;
    append(batch, bodies.frame(0), wire);
    append(batch, make_sized(5000), wire);
    append(batch, bodies.frame(20), wire);
    append(batch, make_sized(10), wire);
    append(batch, bodies.frame(5000), wire);
    batch.commit();
    CHECK(batch.advance(wire.size()));
    batch.move_users_bodies(elsewhere);
    CHECK_FALSE(batch.has_users_bodies());
    CHECK(elsewhere.size() == 3);
    batch.clear();
    CHECK(bodies.given_back() == 0);
    elsewhere.clear();
    CHECK(bodies.given_back() == 3);
}

// ---- commit, rollback, move

TEST_CASE("rollback drops what came after the last commit, and nothing else") {
    for (int committed = 0; committed <= 2; ++committed) {
        for (int dropped = 0; dropped <= 3; ++dropped) {
            UsersBodies bodies;
            OutBatch batch;
            Buffer wire, ignored;
            for (int i = 0; i < committed; ++i) {
                append(batch, make_sized(10, 0, true), wire);
                append(batch, bodies.frame(20, true), wire);
                append(batch, make_sized(3000), wire);
                batch.commit();
            }
            for (int i = 0; i < dropped; ++i) {
                append(batch, make_sized(11, 0, true), ignored);
                append(batch, bodies.frame(21, true), ignored);
                append(batch, make_sized(3001, 0, true), ignored);
            }
            CHECK(batch.has_uncommitted() == (dropped > 0));
            batch.rollback();
            CHECK(bodies.given_back() == dropped);
            CHECK_FALSE(batch.has_uncommitted());
            CHECK(batch.has_committed() == (committed > 0));
            CHECK(batch.is_empty() == (committed == 0));
            CHECK(batch.bytes() == wire.size());
            CHECK(batch.messages() == size_t(committed));
            CHECK(waiting(batch) == wire);
            append(batch, make_sized(7), wire);
            append(batch, bodies.frame(22), wire);
            batch.commit();
            CHECK(waiting(batch) == wire);
        }
    }
}

TEST_CASE("rollback gives users' bodies back, empty ones too, and forgets them") {
    for (const size_t size : {0, 1, 5000}) {
        INFO("size " << size);
        UsersBodies bodies;
        OutBatch batch;
        Buffer wire, ignored;
        begin(batch, wire);
        append(batch, bodies.frame(size, true), ignored);
        batch.rollback();
        CHECK(bodies.given_back() == 1);
        CHECK_FALSE(batch.has_users_bodies());
        // Those of whole messages stay.
        append(batch, bodies.frame(size), wire);
        batch.commit();
        append(batch, bodies.frame(size, true), ignored);
        batch.rollback();
        CHECK(bodies.given_back() == 2);
        CHECK(batch.has_users_bodies());
        CHECK(waiting(batch) == wire);
    }
}

namespace {

// The shapes that an unfinished message may have when its batch is moved.
void append_part(OutBatch &batch, int shape, UsersBodies &bodies, Buffer &wire) {
    if (shape & 1) append(batch, make_sized(30, 1, true), wire);
    if (shape & 2) append(batch, bodies.frame(25, true), wire);
    if (shape & 4) append(batch, make_sized(3000, 2, true), wire);
    if (shape & 8) append(batch, make_sized(0, 3, true), wire);
    if (shape & 16) append(batch, bodies.frame(0, true), wire);
}
constexpr int all_parts = 31;
int users_bodies_of(int shape) { return (shape & 2) / 2 + (shape & 16) / 16; }

} // namespace

TEST_CASE("move_committed moves whole messages; the unfinished one stays and goes on") {
    for (int committed = 0; committed <= all_parts; ++committed) {
        for (int rest = 0; rest <= all_parts; ++rest) {
            INFO("committed " << committed << ", rest " << rest);
            UsersBodies bodies;
            OutBatch batch, to;
            Buffer wire, rest_wire;
            append_part(batch, committed, bodies, wire);
            append(batch, make_sized(9), wire);
            batch.commit();
            append(batch, make_sized(8), wire);
            batch.commit();
            append_part(batch, rest, bodies, rest_wire);
            REQUIRE(batch.move_committed(to));

            CHECK(waiting(to) == wire);
            CHECK(to.bytes() == wire.size());
            CHECK(to.messages() == 2);
            CHECK(to.has_committed());
            CHECK_FALSE(to.has_uncommitted());

            CHECK(waiting(batch) == rest_wire);
            CHECK(batch.bytes() == rest_wire.size());
            CHECK(batch.messages() == 0);
            CHECK_FALSE(batch.has_committed());
            CHECK(batch.has_uncommitted() == (rest != 0));
            CHECK(batch.is_empty() == (rest == 0));

            CHECK(to.advance(wire.size()));
            to.clear();
            CHECK(bodies.given_back() == users_bodies_of(committed));
            CHECK(batch.has_users_bodies() == (users_bodies_of(rest) > 0));
            append(batch, make_sized(7), rest_wire);
            batch.commit();
            CHECK(batch.messages() == 1);
            REQUIRE(batch.move_committed(to));
            CHECK(batch.is_empty());
            CHECK(waiting(to) == rest_wire);
            CHECK(to.advance(rest_wire.size()));
            to.clear();
            CHECK(bodies.given_back() == users_bodies_of(committed) + users_bodies_of(rest));
        }
    }
}

TEST_CASE("what stays in a moved batch can be rolled back") {
    UsersBodies bodies;
    OutBatch batch, to;
    Buffer wire, ignored;
    append(batch, bodies.frame(20), wire);
    batch.commit();
    append_part(batch, all_parts, bodies, ignored);
    REQUIRE(batch.move_committed(to));
    batch.rollback();
    CHECK(bodies.given_back() == 2);
    CHECK(batch.is_empty());
    CHECK(batch.bytes() == 0);
    CHECK(waiting(to) == wire);
}

TEST_CASE("a large unfinished message stays whole when the batch is moved") {
    OutBatch batch, to;
    Buffer wire, rest;
    begin(batch, wire);
    for (size_t i = 0; rest.size() < 2 * BlockPool::block_size; ++i)
        append(batch, make_sized(1000, i, true), rest);
    REQUIRE(batch.move_committed(to));
    CHECK(waiting(to) == wire);
    CHECK(waiting(batch) == rest);
    append(batch, make_sized(10), rest);
    CHECK(waiting(batch) == rest);
}

TEST_CASE("ZC-2: a batch knows of the users' bodies that stayed when the rest was moved") {
    const size_t size = GENERATE(0, 1, 5000);
    UsersBodies bodies;
    OutBatch batch, to;
    Buffer wire, rest;
    begin(batch, wire);
    append(batch, bodies.frame(size, true), rest);
    REQUIRE(batch.move_committed(to));
    to.clear();
    append(batch, make_sized(3), rest);
    batch.commit();
    CHECK(batch.has_users_bodies());
    REQUIRE(batch.move_committed(to));
    CHECK(to.has_users_bodies());
    // As the link does when it is not on the thread where free functions may run.
    std::vector<OwnMessage> elsewhere;
    if (to.has_users_bodies()) to.move_users_bodies(elsewhere);
    to.clear();
    CHECK(bodies.given_back() == 0);
    elsewhere.clear();
    CHECK(bodies.given_back() == 1);
}

// ---- writing

namespace {

// Copied and referred bodies in every order, none of them long: three messages.
void append_mixture(OutBatch &batch, UsersBodies &bodies, Buffer &wire) {
    append(batch, bodies.frame(3), wire);
    batch.commit();
    append(batch, make_sized(2, 0, true), wire);
    append(batch, make_sized(0, 0, true), wire);
    append(batch, bodies.frame(4, true), wire);
    append(batch, bodies.frame(1, true), wire);
    append(batch, bodies.frame(0, true), wire);
    append(batch, make_sized(5), wire);
    batch.commit();
    append(batch, make_sized(1, 0, true), wire);
    append(batch, bodies.frame(6), wire);
    batch.commit();
}

} // namespace

TEST_CASE("writes may end at any byte, twice, with referred bodies everywhere") {
    UsersBodies bodies;
    size_t size = 1;
    for (size_t first = 0; first <= size; ++first) {
        for (size_t second = first; second <= size; ++second) {
            OutBatch batch;
            Buffer wire;
            append_mixture(batch, bodies, wire);
            size = wire.size();
            bool right = waiting(batch) == wire;
            right &= batch.advance(first) == (first == size);
            right &= ends_with(wire, first, waiting(batch));
            if (first < size) right &= batch.advance(second - first) == (second == size);
            right &= ends_with(wire, second, waiting(batch));
            if (second < size) right &= batch.advance(size - second);
            right &= waiting(batch).empty();
            if (!right) FAIL("first " << first << ", second " << second << " of " << size);
        }
    }
}

TEST_CASE("writes may end at any byte of large bodies") {
    OutBatch batch;
    Buffer wire;
    append(batch, make_sized(copied_max + 100, 1), wire);
    append(batch, make_sized(copied_max, 2), wire);
    append(batch, make_sized(copied_max + 1, 3), wire);
    batch.commit();
    for (size_t written = 0; written < wire.size(); ++written) {
        if (written % 61 == 0 && !ends_with(wire, written, waiting(batch))) FAIL("at " << written);
        if (batch.advance(1) != (written + 1 == wire.size())) FAIL("end at " << written);
    }
    CHECK(waiting(batch).empty());
}

TEST_CASE("few pieces at a time give the same bytes") {
    for (int capacity = 1; capacity <= 8; ++capacity) {
        for (size_t step = 1; step <= 9; ++step) {
            UsersBodies bodies;
            OutBatch batch;
            Buffer wire, out;
            append_mixture(batch, bodies, wire);
            for (bool done = false; !done;) {
                Buffer some = waiting(batch, capacity);
                REQUIRE_FALSE(some.empty());
                some.resize(std::min(some.size(), step));
                extend(out, some);
                done = batch.advance(some.size());
                REQUIRE(out.size() <= wire.size());
            }
            CHECK(out == wire);
        }
    }
}

// ---- recovering

namespace {

// A message that was appended, and the position in the stream where it ends.
struct Sent {
    std::vector<OwnMessage> copies;
    bool is_command = false;
    size_t end = 0;
};

class Recovered {
  public:
    explicit Recovered(Framing framing = Framing::v2) : framing_(framing) {}

    void append(OwnMessage frame) {
        if (messages_.empty() || messages_.back().end > 0) messages_.emplace_back();
        messages_.back().copies.emplace_back();
        Message &copy = *messages_.back().copies.back();
        if (copy.init_copy(frame->bytes())) throw std::runtime_error("no memory");
        copy.set_flags(frame->flags());
        if (framing_ == Framing::v1) copy.clear(Message::command);
        ::append(batch, std::move(frame), wire, framing_);
    }
    void append_command() {
        OwnMessage frame = make_sized(12);
        frame->set(Message::command);
        append(std::move(frame));
        messages_.back().is_command = true;
        commit();
    }
    void commit() {
        batch.commit();
        messages_.back().end = wire.size();
    }
    bool grow(OwnMessage frame) {
        if (!::append_plain(batch, make_frame(frame->bytes().text()), wire)) return false;
        messages_.emplace_back();
        messages_.back().copies.push_back(std::move(frame));
        messages_.back().end = wire.size();
        return true;
    }
    // Notes that this much went out, and compares what comes back.
    bool is_right_after(size_t written) {
        (void)batch.advance(written);
        std::deque<OwnMessage> frames;
        batch.recover(framing_, frames);
        if (!batch.is_empty() || batch.messages() != 0 || !waiting(batch).empty()) return false;
        size_t at = 0;
        for (const Sent &sent : messages_) {
            if (sent.is_command || (sent.end > 0 && sent.end <= written)) continue;
            for (const OwnMessage &copy : sent.copies) {
                if (at == frames.size()) return false;
                const Message &frame = *frames[at++];
                if (frame.bytes() != copy->bytes() || frame.flags() != copy->flags()) return false;
            }
        }
        return at == frames.size();
    }

    OutBatch batch;
    Buffer wire;

  private:
    const Framing framing_;
    std::vector<Sent> messages_; // end 0: not committed
};

} // namespace

TEST_CASE("recover gives back the messages that were not wholly written, at every position") {
    const Framing framing = GENERATE(Framing::v1, Framing::v2);
    size_t size = 1;
    for (size_t written = 0; written <= size; ++written) {
        UsersBodies bodies;
        Recovered recovered(framing);
        recovered.append(make_sized(3));
        recovered.commit();
        recovered.append(make_sized(0));
        recovered.commit();
        recovered.append(bodies.frame(4));
        recovered.commit();
        if (framing == Framing::v2) recovered.append_command();
        recovered.append(make_sized(2, 1, true));
        recovered.append(bodies.frame(3, true));
        recovered.append(make_sized(0));
        recovered.commit();
        recovered.append(make_sized(0, 0, true));
        recovered.append(bodies.frame(0, true));
        recovered.append(bodies.frame(1));
        recovered.commit();
        recovered.append(make_sized(40));
        recovered.commit();
        if (framing == Framing::v2) recovered.append_command();
        size = recovered.wire.size();
        if (!recovered.is_right_after(written)) FAIL("after " << written << " of " << size);
    }
}

TEST_CASE("recover gives back the frames of an unfinished message last") {
    for (size_t written = 0; written <= 12; ++written) {
        UsersBodies bodies;
        Recovered recovered;
        recovered.append(make_sized(10)); // 12 bytes on the wire
        recovered.commit();
        recovered.append(make_sized(4, 1, true));
        recovered.append(bodies.frame(5, true));
        recovered.append(make_sized(0, 1, true));
        CHECK(recovered.is_right_after(written));
        CHECK(bodies.given_back() == 1); // with the frames that came back
    }
}

TEST_CASE("recover gives large bodies back as they are, with all that was attached") {
    auto *const metadata = new Metadata(Metadata::Properties{{"Name", "value"}});
    OutBatch batch;
    OwnMessage large = make_sized(5000), small = make_sized(300);
    large->set_metadata(metadata);
    large->set_routing_id(7);
    metadata->drop_references(1);
    const void *const data = large->data();
    REQUIRE(batch.append(Framing::v2, *large));
    REQUIRE(batch.append(Framing::v2, *small));
    batch.commit();
    CHECK_FALSE(batch.advance(4000)); // in the middle of the body
    std::deque<OwnMessage> frames;
    batch.recover(Framing::v2, frames);
    REQUIRE(frames.size() == 2);
    CHECK(frames[0]->data() == data);
    CHECK(frames[0]->metadata() == metadata);
    CHECK(frames[0]->routing_id() == 7);
    CHECK(text_of(*frames[0]) == body_of(5000));
    CHECK(text_of(*frames[1]) == body_of(300));
}

TEST_CASE("recover adds to what is there, and leaves a batch that can be used again") {
    OutBatch batch;
    Buffer wire;
    append(batch, make_sized(10), wire);
    batch.commit();
    std::deque<OwnMessage> frames;
    frames.push_back(make_frame("before"));
    batch.recover(Framing::v2, frames);
    REQUIRE(frames.size() == 2);
    CHECK(text_of(*frames[0]) == "before");
    CHECK(text_of(*frames[1]) == body_of(10));
    wire.clear();
    append(batch, make_sized(11), wire);
    batch.commit();
    CHECK(waiting(batch) == wire);
}

TEST_CASE("recover finds no messages in a stream without framing") {
    UsersBodies bodies;
    OutBatch batch;
    Buffer wire;
    append(batch, make_sized(10), wire, Framing::raw);
    append(batch, bodies.frame(10), wire, Framing::raw);
    batch.commit();
    std::deque<OwnMessage> frames;
    batch.recover(Framing::raw, frames);
    CHECK(frames.empty());
    CHECK(batch.is_empty());
    CHECK(bodies.given_back() == 1);
}

// ---- growing

TEST_CASE("append_plain puts in what append and commit would, at every size") {
    for (size_t size = 0; size <= Message::inline_max; ++size) {
        INFO("size " << size);
        OutBatch grown, usual;
        Buffer wire, usual_wire;
        begin(grown, wire);
        begin(usual, usual_wire);
        grown.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
        for (size_t i = 0; i < 100; ++i) {
            REQUIRE(append_plain(grown, make_sized(size, i), wire));
            append(usual, make_sized(size, i), usual_wire);
            usual.commit();
        }
        CHECK(wire == usual_wire);
        CHECK(waiting(grown) == wire);
        CHECK(waiting(usual) == wire);
        CHECK(grown.bytes() == usual.bytes());
        CHECK(grown.messages() == usual.messages());
        CHECK(grown.has_committed());
        CHECK_FALSE(grown.has_uncommitted());
        CHECK(grown.advance(wire.size()));
    }
}

TEST_CASE("append_inline puts in what append_plain would, and leaves the message empty") {
    for (size_t size = 0; size <= Message::inline_max; ++size) {
        INFO("size " << size);
        OutBatch batch;
        Buffer wire;
        begin(batch, wire);
        OwnMessage early = make_sized(size);
        CHECK_FALSE(batch.append_inline(*early));
        batch.let_grow(Framing::v2, SIZE_MAX, 4);
        CHECK(batch.is_growing());
        for (size_t i = 0; i < 3; ++i) {
            OwnMessage frame = make_sized(size, i);
            extend(wire, wire_of(Framing::v2, *frame));
            REQUIRE(batch.append_inline(*frame));
            CHECK(frame->is_bare());
            CHECK(frame->size() == 0);
        }
        CHECK_FALSE(batch.is_growing());
        OwnMessage late = make_sized(size);
        CHECK_FALSE(batch.append_inline(*late));
        CHECK(late->size() == size);
        CHECK(waiting(batch) == wire);
        CHECK(batch.messages() == 4);
        CHECK_FALSE(batch.has_uncommitted());
    }
    OutBatch batch;
    Buffer wire;
    begin(batch, wire);
    batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
    OwnMessage large = make_sized(41), flagged = make_sized(5), routed = make_sized(5);
    flagged->set(Message::more);
    routed->set_routing_id(7);
    for (OwnMessage *frame : {&large, &flagged, &routed})
        CHECK_FALSE(batch.append_inline(**frame));
    CHECK(waiting(batch) == wire);
}

TEST_CASE("a batch grows by larger messages up to what is copied, and by no user's body") {
    OutBatch batch;
    Buffer wire;
    begin(batch, wire);
    batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
    for (const size_t size : {size_t(41), size_t(255), size_t(256), OutBatch::copied_body_max})
        CHECK(append_plain(batch, make_sized(size), wire));
    OwnMessage constant;
    constant->init_constant("constant", 8);
    CHECK(batch.append_plain(*constant));
    extend(wire, Buffer{0, 8, 'c', 'o', 'n', 's', 't', 'a', 'n', 't'});
    CHECK_FALSE(append_plain(batch, make_sized(OutBatch::copied_body_max + 1), wire));
    UsersBodies bodies;
    for (const size_t size : {0, 1, 100}) {
        OwnMessage frame = bodies.frame(size);
        CHECK_FALSE(batch.append_plain(*frame));
    }
    CHECK(waiting(batch) == wire);
    CHECK(batch.bytes() == wire.size());
    CHECK(batch.messages() == 6);
}

TEST_CASE("a batch grows behind frames of every kind, and goes on with them") {
    UsersBodies bodies;
    OutBatch batch, to;
    Buffer wire;
    append_mixture(batch, bodies, wire);
    append(batch, make_sized(5000), wire);
    batch.commit();
    batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
    for (size_t i = 0; i < 10; ++i) {
        REQUIRE(append_plain(batch, make_sized(i), wire));
        append(batch, i % 2 ? bodies.frame(i) : make_sized(3000, i), wire);
        batch.commit();
    }
    CHECK(batch.messages() == 4 + 20);
    CHECK(batch.bytes() == wire.size());
    CHECK(waiting(batch) == wire);
    REQUIRE(batch.move_committed(to));
    CHECK(batch.is_empty());
    CHECK(waiting(to) == wire);
    CHECK(to.advance(wire.size()));
}

TEST_CASE("a batch that was not allowed to grow, or has no room yet, does not") {
    OutBatch batch;
    Buffer wire;
    CHECK_FALSE(append_plain(batch, make_sized(1), wire));
    batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
    CHECK_FALSE(append_plain(batch, make_sized(1), wire)); // it would have to take memory
    batch.end_growth();
    begin(batch, wire);
    CHECK_FALSE(append_plain(batch, make_sized(0), wire));
    CHECK_FALSE(append_plain(batch, make_sized(1), wire));
    CHECK(waiting(batch) == wire);
    CHECK(batch.messages() == 1);
}

TEST_CASE("a batch grows up to the bytes that are allowed") {
    for (const size_t limit : {1, 7, 8, 50, 100, 1000}) {
        for (const size_t size : {0, 1, 16, 17, 40}) {
            OutBatch batch;
            Buffer wire;
            begin(batch, wire); // 7 bytes
            batch.let_grow(Framing::v2, limit, SIZE_MAX);
            while (wire.size() + size < limit) REQUIRE(append_plain(batch, make_sized(size), wire));
            REQUIRE_FALSE(append_plain(batch, make_sized(size), wire));
            CHECK(waiting(batch) == wire);
            CHECK(batch.bytes() <= std::max(limit + 1, size_t(7))); // the last header may stand out
            // The usual way is not limited.
            append(batch, make_sized(size), wire);
            batch.commit();
            CHECK(waiting(batch) == wire);
        }
    }
}

TEST_CASE("a batch grows up to the messages that are allowed, with those that are there") {
    for (size_t limit = 0; limit <= 20; ++limit) {
        OutBatch batch;
        Buffer wire;
        begin(batch, wire);
        begin(batch, wire);
        batch.let_grow(Framing::v2, SIZE_MAX, limit);
        for (size_t count = 2; count < limit; ++count)
            REQUIRE(append_plain(batch, make_sized(count), wire));
        CHECK_FALSE(append_plain(batch, make_sized(1), wire));
        CHECK(batch.messages() == std::max<size_t>(limit, 2));
        CHECK(waiting(batch) == wire);
        // A new permission counts from the same beginning.
        batch.let_grow(Framing::v2, SIZE_MAX, batch.messages() + 1);
        CHECK(append_plain(batch, make_sized(1), wire));
        CHECK_FALSE(append_plain(batch, make_sized(1), wire));
    }
}

TEST_CASE("a batch grows as far as its memory goes, and further when the usual way gets more") {
    for (const size_t size : {0, 1, 15, 16, 17, 39, 40}) {
        OutBatch batch;
        Buffer wire;
        begin(batch, wire);
        batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
        size_t number = 0;
        while (append_plain(batch, make_sized(size, number++), wire)) {
        }
        CHECK(wire.size() <= BlockPool::block_size);
        CHECK(wire.size() > BlockPool::block_size - 256);
        CHECK(waiting(batch) == wire);
        append(batch, make_sized(1000), wire);
        batch.commit();
        size_t taken = 0;
        while (append_plain(batch, make_sized(size, number++), wire)) ++taken;
        CHECK(taken > 100);
        CHECK(waiting(batch) == wire);
    }
}

TEST_CASE("growth ends with move_committed, in both batches") {
    for (const bool has_rest : {false, true}) {
        OutBatch batch, to;
        Buffer wire, rest;
        begin(batch, wire);
        batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
        REQUIRE(append_plain(batch, make_sized(4), wire));
        to.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
        if (has_rest) append(batch, make_sized(30, 0, true), rest);
        REQUIRE(batch.move_committed(to));
        CHECK_FALSE(append_plain(batch, make_sized(1), rest));
        CHECK_FALSE(append_plain(to, make_sized(1), wire));
        CHECK(waiting(to) == wire);
        CHECK(waiting(batch) == rest);
        begin(batch, rest);
        CHECK_FALSE(append_plain(batch, make_sized(1), rest));
        CHECK(batch.messages() == 1);
        CHECK(to.messages() == 2);
    }
}

TEST_CASE("growth ends with rollback, clear, recover and end_growth") {
    enum End { rolled_back, cleared, recovered, ended };
    for (const End end : {rolled_back, cleared, recovered, ended}) {
        INFO("end " << end);
        OutBatch batch;
        Buffer wire;
        begin(batch, wire);
        batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
        REQUIRE(append_plain(batch, make_sized(4), wire));
        std::deque<OwnMessage> frames;
        switch (end) {
        case rolled_back: batch.rollback(); break;
        case cleared: batch.clear(); break;
        case recovered: batch.recover(Framing::v2, frames); break;
        case ended: batch.end_growth(); break;
        }
        if (end == cleared || end == recovered) wire.clear();
        begin(batch, wire);
        CHECK_FALSE(append_plain(batch, make_sized(0), wire));
        CHECK_FALSE(append_plain(batch, make_sized(1), wire));
        CHECK(waiting(batch) == wire);
        // It may be allowed again.
        batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
        CHECK(append_plain(batch, make_sized(1), wire));
        CHECK(waiting(batch) == wire);
    }
}

TEST_CASE("rollback keeps what a batch has grown by") {
    UsersBodies bodies;
    OutBatch batch;
    Buffer wire, ignored;
    begin(batch, wire);
    batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
    for (size_t i = 0; i < 20; ++i) REQUIRE(append_plain(batch, make_sized(i), wire));
    append_part(batch, all_parts, bodies, ignored);
    batch.rollback();
    CHECK(batch.messages() == 21);
    CHECK(waiting(batch) == wire);
}

TEST_CASE("recover gives grown messages back, at every position") {
    size_t size = 1;
    for (size_t written = 0; written <= size; ++written) {
        UsersBodies bodies;
        Recovered recovered;
        recovered.append(bodies.frame(5));
        recovered.commit();
        recovered.batch.let_grow(Framing::v2, SIZE_MAX, SIZE_MAX);
        for (const size_t body : {0, 1, 16, 17, 40}) REQUIRE(recovered.grow(make_sized(body)));
        recovered.append_command();
        REQUIRE(recovered.grow(make_sized(3)));
        recovered.append(make_sized(2, 0, true));
        recovered.append(bodies.frame(2));
        recovered.commit();
        REQUIRE(recovered.grow(make_sized(0)));
        size = recovered.wire.size();
        recovered.append(make_sized(6, 0, true)); // unfinished
        if (!recovered.is_right_after(written)) FAIL("after " << written << " of " << size);
    }
}
