#include "flow/frame_queue.hpp"

#include "support/frames.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <deque>
#include <thread>

using namespace tern;
using namespace tern::test;

namespace {

// In units of 16 bytes. The lengths below lie around these borders.
constexpr int packed_units = 3;
constexpr int whole_units = 5;
constexpr int chunks[] = {7, 31, 127, 511, 511};
constexpr int borders[] = {7, 38, 165, 676, 1187};
constexpr int first_chunk = chunks[0];

// Bodies of these sizes take one, two and three units; one of 41 is packed.
constexpr size_t sizes_at_borders[] = {0, 1, 14, 15, 16, 17, 30, 31, 32, 33, 39, 40, 41};

// What a frame said when it was pushed.
struct Seen {
    std::string body;
    uint8_t flags;
    const Metadata *metadata;
    std::string group;
    uint32_t routing_id;

    explicit Seen(const Message &frame)
        : body(frame.bytes().text()), flags(frame.flags()), metadata(frame.metadata()),
          group(frame.group()), routing_id(frame.routing_id()) {}
    bool operator==(const Seen &other) const {
        return body == other.body && flags == other.flags && metadata == other.metadata &&
               group == other.group && routing_id == other.routing_id;
    }
};

// Every byte says where it stands, and whose it is.
std::string body_of(size_t size, int number = 0) {
    std::string body(size, ' ');
    for (size_t i = 0; i < size; ++i) body[i] = char(size_t(number) * 7 + i * 11 + size);
    return body;
}

OwnMessage make_sized(size_t size, int number = 0, bool more = false) {
    return make_frame(body_of(size, number), more);
}

void push(FrameQueue &queue, OwnMessage frame) {
    if (!queue.push(*frame)) throw std::runtime_error("not taken");
    if (!frame->is_plain() || frame->size() != 0) throw std::runtime_error("not left empty");
}

void push(FrameQueue &queue, int number) { push(queue, make_frame(std::to_string(number))); }

OwnMessage pop_frame(FrameQueue &queue) {
    if (!queue.has_frames()) throw std::runtime_error("nothing to pop");
    OwnMessage frame;
    std::memset(static_cast<void *>(&*frame), 0xa5, sizeof *frame); // what pop() is to overwrite
    queue.pop(*frame);
    return frame;
}

int pop(FrameQueue &queue) { return std::stoi(text_of(*pop_frame(queue))); }

// A queue beside a list of what ought to be in it.
class Checked {
  public:
    void push(OwnMessage frame) {
        unpublished_.emplace_back(*frame);
        ::push(queue, std::move(frame));
    }
    void push_units(int units) {
        for (; units > 0; --units, ++next_) push(make_sized(size_t(next_ % 16), next_));
    }
    void publish() {
        for (; !unpublished_.empty(); unpublished_.pop_front())
            published_.push_back(std::move(unpublished_.front()));
        queue.publish_guarded();
    }
    void discard() {
        unpublished_.clear();
        queue.discard_unpublished();
    }
    // False when the queue says something else than the list.
    bool pop(size_t count) {
        for (; count > 0 && !published_.empty(); --count) {
            if (!queue.has_frames() || !(Seen(*pop_frame(queue)) == published_.front()))
                return false;
            published_.pop_front();
        }
        return true;
    }
    bool pop_all() { return pop(published_.size()) && !queue.has_frames(); }
    bool is_right() const { return queue.has_unpublished() == !unpublished_.empty(); }

    FrameQueue queue;

  private:
    int next_ = 0;
    std::deque<Seen> published_, unpublished_;
};

struct NamedMetadata {
    NamedMetadata() : metadata(new Metadata(Metadata::Properties{{"Name", "value"}})) {}
    ~NamedMetadata() { metadata->drop_references(1); }
    Metadata *metadata;
};

// Frames of every shape, 0 to 9: one to three units, `more`, packed, and what only a whole record keeps.
constexpr int shapes = 10;
OwnMessage make_shape(int shape, int number, CountedBodies &bodies, NamedMetadata &named) {
    OwnMessage frame = make_sized(size_t(number % 41), number, number % 2 == 0);
    switch (shape) {
    case 0: return make_sized(15, number);
    case 1: return make_sized(16, number, true);
    case 2: return make_sized(40, number);
    case 3: return make_sized(41, number);
    case 4: return bodies.frame(number % 2 == 0);
    case 9:
        frame = make_sized(size_t(41 + number % 100), number, number % 2 == 0);
        frame->set_routing_id(uint32_t(number));
        frame->set(Message::subscribe);
        frame->set_metadata(named.metadata);
        break;
    case 5: frame->set_metadata(named.metadata); break;
    case 6: frame->set_routing_id(uint32_t(number) + 1); break;
    case 7: (void)frame->set_group("group " + std::to_string(number)); break;
    default: frame->set(Message::identity);
    }
    return frame;
}

} // namespace

TEST_CASE("an empty queue has nothing, neither published nor unpublished") {
    FrameQueue queue;
    CHECK_FALSE(queue.has_frames());
    CHECK_FALSE(queue.has_frames_in_total_order());
    CHECK_FALSE(queue.has_unpublished());
    queue.discard_unpublished();
    queue.publish();
    CHECK_FALSE(queue.has_frames());
    CHECK_FALSE(queue.has_unpublished());
}

TEST_CASE("frames stay invisible until they are published") {
    FrameQueue queue;
    push(queue, 1);
    push(queue, 2);
    CHECK_FALSE(queue.has_frames());
    CHECK(queue.has_unpublished());
    queue.publish();
    CHECK_FALSE(queue.has_unpublished());
    push(queue, 3);
    CHECK(queue.has_frames());
    CHECK(pop(queue) == 1);
    CHECK(pop(queue) == 2);
    CHECK_FALSE(queue.has_frames());
    CHECK_FALSE(queue.has_frames_in_total_order());
    CHECK(queue.has_unpublished());
    queue.publish_guarded();
    REQUIRE(queue.has_frames_in_total_order());
    CHECK(pop(queue) == 3);
}

// ---- what a frame says

TEST_CASE("bodies of every size come out as they went in, with and without more") {
    for (const bool more : {false, true}) {
        FrameQueue queue;
        for (size_t size = 0; size <= 41; ++size) push(queue, make_sized(size, 3, more));
        for (const size_t size : {100, 255, 256, 5000}) push(queue, make_sized(size, 3, more));
        queue.publish();
        const auto check = [&](size_t size) {
            INFO("size " << size << ", more " << more);
            const OwnMessage frame = pop_frame(queue);
            CHECK(frame->bytes().text() == body_of(size, 3));
            CHECK(frame->flags() == (more ? Message::more : 0));
            CHECK(frame->is_inline() == (size <= Message::inline_max));
            CHECK(frame->metadata() == nullptr);
            CHECK(std::string(frame->group()).empty());
            CHECK(frame->routing_id() == 0);
        };
        for (size_t size = 0; size <= 41; ++size) check(size);
        for (const size_t size : {100, 255, 256, 5000}) check(size);
        CHECK_FALSE(queue.has_frames());
    }
}

TEST_CASE("every flag is kept, with bodies of every kind") {
    for (const size_t size : sizes_at_borders) {
        FrameQueue queue;
        for (int flags = 0; flags < 64; ++flags) {
            if (flags & Message::shared) continue; // set by share() only
            OwnMessage frame = make_sized(size, flags);
            frame->set_flags(uint8_t(flags));
            push(queue, std::move(frame));
        }
        queue.publish();
        for (int flags = 0; flags < 64; ++flags) {
            if (flags & Message::shared) continue;
            const OwnMessage frame = pop_frame(queue);
            CHECK(int(frame->flags()) == flags);
            CHECK(frame->bytes().text() == body_of(size, flags));
        }
    }
}

TEST_CASE("metadata, group and routing id are kept, alone and together, small bodies or large") {
    NamedMetadata named;
    for (const size_t size : sizes_at_borders) {
        Checked checked;
        for (int which = 0; which < 16; ++which) {
            OwnMessage frame = make_sized(size, which, (which & 8) != 0);
            if (which & 1) frame->set_metadata(named.metadata);
            if (which & 2) REQUIRE_FALSE(frame->set_group("group"));
            if (which & 4) frame->set_routing_id(0x01020304);
            checked.push(std::move(frame));
        }
        checked.publish();
        CHECK(checked.pop_all());
    }
}

TEST_CASE("shared, constant and user's bodies are handed through, not copied") {
    static const char constant[] = "constant";
    CountedBodies bodies;
    FrameQueue queue;
    OwnMessage block = make_sized(1000), twin, still, users = bodies.frame();
    twin->close();
    twin->share(*block);
    still->init_constant(constant, sizeof constant);
    const uint8_t *const block_data = block->data(), *const users_data = users->data();
    push(queue, std::move(twin));
    push(queue, std::move(still));
    push(queue, std::move(users));
    queue.publish();
    {
        const OwnMessage frame = pop_frame(queue);
        CHECK(frame->data() == block_data);
        CHECK(frame->is_shared());
        CHECK(block->bytes() == frame->bytes());
    }
    CHECK(static_cast<const void *>(pop_frame(queue)->data()) == constant);
    {
        const OwnMessage frame = pop_frame(queue);
        CHECK(frame->data() == users_data);
        CHECK(frame->is_users());
        CHECK(bodies.given_back() == 0);
    }
    CHECK(bodies.given_back() == 1);
    CHECK(block->bytes().text() == body_of(1000));
}

// ---- chunks

TEST_CASE("order is kept across chunks of every size and fill") {
    for (const int length :
         {1, 6, 7, 8, 31, 37, 38, 39, 62, 164, 165, 166, 511, 675, 676, 677, 1187, 1188, 3000}) {
        FrameQueue queue;
        int pushed = 0, popped = 0;
        bool in_order = true;
        for (int round = 0; round < 5; ++round) {
            for (int i = 0; i < length; ++i) push(queue, pushed++);
            queue.publish();
            while (queue.has_frames()) in_order &= pop(queue) == popped++;
        }
        CHECK(in_order);
        CHECK(popped == pushed);
    }
}

TEST_CASE("a frame of every size meets the end of a chunk at every distance") {
    for (const int border : borders) {
        for (int before = border - 7; before <= border + 1; ++before) {
            for (const size_t size : sizes_at_borders) {
                Checked checked;
                checked.push_units(before);
                checked.push(make_sized(size, 1, true));
                checked.push(make_sized(size, 2));
                checked.push_units(8);
                checked.publish();
                if (!checked.pop_all()) FAIL("size " << size << " after " << before << " units");
            }
        }
    }
}

TEST_CASE("chunks that are full to the last unit with frames of one size go on with any other") {
    struct {
        size_t size;
        int units;
        uint32_t routing_id;
    } const kinds[] = {
        {15, 1, 0}, {31, 2, 0}, {40, 3, 0}, {41, packed_units, 7}, {40, whole_units, 7}};
    for (const auto &kind : kinds) {
        for (const size_t next : sizes_at_borders) {
            Checked checked;
            for (const int chunk : chunks) {
                checked.push_units(chunk % kind.units);
                for (int i = 0; i < chunk / kind.units; ++i) {
                    OwnMessage frame = make_sized(kind.size, i);
                    frame->set_routing_id(kind.routing_id);
                    checked.push(std::move(frame));
                }
            }
            checked.push(make_sized(next, 1));
            checked.publish();
            if (!checked.pop_all()) FAIL("size " << kind.size << ", then " << next);
        }
    }
}

TEST_CASE("a queue that is never quite empty keeps its order and its chunks") {
    // However far the reader is behind: the two cross the borders at all distances.
    CountedBodies bodies;
    NamedMetadata named;
    for (const int behind : {1, 5, 31, 60, 600}) {
        Checked checked;
        for (int i = 0; i < behind; ++i) checked.push(make_shape(i % shapes, i, bodies, named));
        checked.publish();
        bool right = true;
        for (int i = 0; i < 5000 && right; ++i) {
            checked.push(make_shape(i * 5 % 7 % shapes, i, bodies, named));
            checked.publish();
            right = checked.pop(1);
        }
        CHECK(right);
        CHECK(checked.pop_all());
    }
}

// ---- taking back

TEST_CASE("unpublished frames are taken back, published ones never") {
    const auto around = [](int published) {
        return std::any_of(std::begin(borders), std::end(borders), [published](int border) {
            return published >= border - 7 && published <= border + 2;
        });
    };
    for (int published = 0; published <= borders[3] + 2; ++published) {
        if (!around(published)) continue;
        for (const size_t size : {0, 20, 40, 41}) {
            for (const int unpublished : {1, 2, 6, 7, 31, 32, 130, 600}) {
                Checked checked;
                checked.push_units(published);
                checked.publish();
                for (int i = 0; i < unpublished; ++i) checked.push(make_sized(size, i, true));
                bool right = checked.is_right();
                checked.discard();
                right &= checked.is_right();
                checked.discard();
                // The queue goes on as if nothing had been there.
                checked.push(make_sized(size, 1));
                checked.push_units(40);
                right &= checked.is_right();
                checked.publish();
                right &= checked.pop_all();
                if (!right)
                    FAIL("published " << published << ", then " << unpublished << " of size "
                                      << size);
            }
        }
    }
}

TEST_CASE("frames are taken back wherever the consumer stands") {
    for (const int published : {1, 6, 7, 8, 25, 37, 38, 39, 164, 165, 166, 675, 676, 677}) {
        for (int popped = 0; popped <= published; popped += published > 40 ? 30 : 1) {
            for (const int unpublished : {1, 5, 6, 7, 120}) {
                Checked checked;
                checked.push_units(published);
                checked.publish();
                bool right = checked.pop(size_t(popped));
                for (int i = 0; i < unpublished; ++i)
                    checked.push(make_sized(sizes_at_borders[i % 13], i, true));
                checked.discard();
                right &= checked.pop(3);
                checked.push_units(2);
                checked.push(make_sized(100));
                checked.discard();
                checked.push(make_sized(100));
                checked.publish();
                right &= checked.pop_all() && checked.is_right();
                if (!right)
                    FAIL("published " << published << ", popped " << popped << ", unpublished "
                                      << unpublished);
            }
        }
    }
}

TEST_CASE("frames can be taken back while the consumer empties the chunk before") {
    for (const size_t size : sizes_at_borders) {
        FrameQueue queue;
        for (int i = 0; i < first_chunk; ++i) push(queue, i); // the first chunk is full
        queue.publish();
        push(queue, make_sized(size)); // begins a second chunk
        queue.discard_unpublished();
        for (int i = 0; i < first_chunk; ++i) CHECK(pop(queue) == i);
        CHECK_FALSE(queue.has_frames());
        push(queue, 31);
        queue.publish();
        REQUIRE(queue.has_frames());
        CHECK(pop(queue) == 31);
    }
}

TEST_CASE("what ended a chunk before frames were taken back does not end it afterwards") {
    for (int before = first_chunk - whole_units + 1; before < first_chunk; ++before) {
        for (const int small : {0, 1, 2, 3}) {
            Checked checked;
            checked.push_units(before - small);
            checked.publish();
            checked.push_units(small); // taken back with the frame that no longer fits behind them
            checked.push(make_sized(100));
            checked.discard();
            checked.push_units(first_chunk - before + small); // now the chunk is filled
            checked.push_units(10);
            checked.publish();
            if (!checked.pop_all()) FAIL("before " << before << ", small " << small);
        }
    }
}

TEST_CASE("any sequence of pushing, publishing, taking back and popping does what a list does") {
    for (uint32_t seed = 1; seed <= 60; ++seed) {
        CountedBodies bodies;
        NamedMetadata named;
        Checked checked;
        uint32_t state = seed;
        const auto random = [&state](uint32_t below) {
            state = state * 1664525 + 1013904223;
            return (state >> 8) % below;
        };
        bool right = true;
        for (int step = 0; step < 600 && right; ++step) {
            const uint32_t many = random(30) == 0 ? 700 : 12;
            switch (random(5)) {
            case 0: checked.publish(); break;
            case 1: checked.discard(); break;
            case 2: right = checked.pop(random(many)); break;
            default:
                for (uint32_t i = random(many); i > 0; --i)
                    checked.push(make_shape(int(random(shapes)), int(random(1000)), bodies, named));
            }
            right &= checked.is_right();
        }
        checked.publish();
        right &= checked.pop_all();
        if (!right) FAIL("seed " << seed);
    }
}

// ---- the short way

TEST_CASE("pop_plain takes whole small messages of every size") {
    FrameQueue queue;
    OwnMessage frame;
    for (int round = 0; round < 40; ++round) { // over several borders
        for (size_t size = 0; size <= Message::inline_max; ++size)
            push(queue, make_sized(size, round));
        queue.publish();
        for (size_t size = 0; size <= Message::inline_max; ++size) {
            REQUIRE(queue.has_frames());
            REQUIRE(queue.pop_plain(*frame)); // over the message before
            if (frame->bytes().text() != body_of(size, round) || !frame->is_plain())
                FAIL("size " << size << ", round " << round);
        }
        CHECK_FALSE(queue.has_frames());
    }
}

TEST_CASE("pop_plain refuses everything else and touches nothing") {
    CountedBodies bodies;
    NamedMetadata named;
    const auto refused = [&](int which) {
        if (which <= 41) return make_sized(size_t(which), which, true);
        OwnMessage frame = make_shape(which - 42 + 3, which, bodies, named);
        if (frame->is_plain()) frame->set(Message::more);
        return frame;
    };
    // Also where the frame stands at the beginning of a new chunk.
    for (const int before : {0, 3, 26, 28, 29, 30, 31}) {
        for (int which = 0; which < 42 + shapes - 3; ++which) {
            INFO("before " << before << ", frame " << which);
            FrameQueue queue;
            for (int i = 0; i < before; ++i) push(queue, i);
            OwnMessage pushed = refused(which);
            const Seen expected(*pushed);
            push(queue, std::move(pushed));
            push(queue, 7);
            queue.publish();
            OwnMessage target = make_frame("untouched");
            for (int i = 0; i < before; ++i) {
                OwnMessage plain;
                REQUIRE(queue.has_frames());
                REQUIRE(queue.pop_plain(*plain));
                REQUIRE(text_of(*plain) == std::to_string(i));
            }
            uint8_t copy[sizeof(Message)];
            std::memcpy(copy, &*target, sizeof copy);
            for (int twice = 0; twice < 2; ++twice) {
                REQUIRE(queue.has_frames());
                REQUIRE_FALSE(queue.pop_plain(*target));
                CHECK(std::memcmp(copy, &*target, sizeof copy) == 0);
            }
            CHECK(Seen(*pop_frame(queue)) == expected);
            REQUIRE(queue.has_frames());
            REQUIRE(queue.pop_plain(*target));
            CHECK(text_of(*target) == "7");
            CHECK_FALSE(queue.has_frames());
        }
    }
}

TEST_CASE("pop_plain takes plain messages of every kind, over a message of every kind") {
    NamedMetadata named;
    const auto make = [&](int kind, CountedBodies &bodies) {
        switch (kind) {
        case 0: return make_sized(3, 1);
        case 1: return make_sized(41, 2);
        case 2: return make_sized(3000, 3);
        case 3: return bodies.frame(false);
        case 4: {
            OwnMessage frame;
            frame->init_constant("constant", 8);
            return frame;
        }
        default: {
            OwnMessage frame = make_sized(kind == 5 ? 9 : 500, kind);
            frame->set_metadata(named.metadata);
            return frame;
        }
        }
    };
    constexpr int kinds = 7;
    for (int before = 0; before < kinds; ++before) {
        for (int kind = 0; kind < kinds; ++kind) {
            INFO("a " << kind << " over a " << before);
            CountedBodies bodies;
            {
                FrameQueue queue;
                OwnMessage pushed = make(kind, bodies);
                const Seen expected(*pushed);
                push(queue, std::move(pushed));
                queue.publish();
                OwnMessage message = make(before, bodies);
                REQUIRE(queue.has_frames());
                REQUIRE(queue.pop_plain(*message));
                CHECK(Seen(*message) == expected);
                CHECK_FALSE(queue.has_frames());
                CHECK(bodies.given_back() == (before == 3));
            }
            CHECK(bodies.given_back() == (before == 3) + (kind == 3));
        }
    }
}

// ---- bodies

TEST_CASE("frames left over are closed with the queue, published or not") {
    for (const int published : {0, 5, 6, 7, 108, 109, 200}) {
        for (const int unpublished : {0, 1, 6, 102, 200}) {
            const int popped = std::min(published, 20);
            CountedBodies bodies;
            {
                FrameQueue queue;
                for (int i = 0; i < published; ++i) push(queue, bodies.frame(i % 2 == 0));
                queue.publish();
                for (int i = 0; i < popped; ++i) (void)pop_frame(queue);
                for (int i = 0; i < unpublished; ++i) push(queue, bodies.frame());
                CHECK(bodies.given_back() == popped);
            }
            CHECK(bodies.given_back() == published + unpublished);
        }
    }
}

TEST_CASE("frames taken back are closed once and at once") {
    for (int published = 0; published <= 14; ++published) {
        for (const int unpublished : {1, 2, 5, 6, 7, 102, 103, 300}) {
            CountedBodies bodies;
            {
                FrameQueue queue;
                for (int i = 0; i < published; ++i) push(queue, bodies.frame());
                queue.publish();
                for (int i = 0; i < unpublished; ++i) {
                    push(queue, bodies.frame(true));
                    push(queue, make_sized(size_t(i) % 41, i, true));
                }
                CHECK(bodies.given_back() == 0);
                queue.discard_unpublished();
                CHECK(bodies.given_back() == unpublished);
                push(queue, bodies.frame());
                CHECK(bodies.given_back() == unpublished);
            }
            CHECK(bodies.given_back() == published + unpublished + 1);
        }
    }
}

// ---- two threads

namespace {

// The number of a frame of any size: the first bytes of its body, and all others say the same.
OwnMessage make_numbered(int number) {
    static constexpr size_t sizes[] = {4, 15, 16, 31, 32, 40, 41, 300};
    std::string body(sizes[unsigned(number) % 8], char(number));
    std::memcpy(&body[0], &number, sizeof number);
    return make_frame(body, number % 3 == 0);
}

bool is_numbered(const Message &frame, int number) {
    return Seen(frame) == Seen(*make_numbered(number));
}

} // namespace

TEST_CASE("two threads pass frames in order, with some taken back") {
    constexpr int total = 200000;
    FrameQueue queue;
    std::thread producer([&] {
        for (int i = 0; i < total;) {
            // A few in a row and some that are taken back, so that publishing meets chunk borders;
            // now and then so many that chunks of their own come and go.
            const int doomed = i % 97 == 0 ? 700 : i % 7;
            for (int k = 0; k < doomed; ++k) push(queue, make_numbered(-1 - k));
            queue.discard_unpublished();
            const int batch = std::min(1 + i % 11, total - i);
            for (int k = 0; k < batch; ++k) push(queue, make_numbered(i + k));
            if (i % 2 == 0) queue.publish();
            else queue.publish_guarded();
            i += batch;
        }
    });
    bool in_order = true;
    for (int expected = 0; expected < total; ++expected) {
        while (!(expected % 2 ? queue.has_frames() : queue.has_frames_in_total_order()))
            std::this_thread::yield();
        OwnMessage frame;
        const bool is_plain = expected % 3 != 0;
        if (expected % 5 == 0) in_order &= queue.pop_plain(*frame) == is_plain;
        if (expected % 5 != 0 || !is_plain) queue.pop(*frame);
        in_order &= is_numbered(*frame, expected);
    }
    producer.join();
    CHECK(in_order);
    CHECK_FALSE(queue.has_frames());
}

TEST_CASE("two threads give every body back exactly once, whoever closes it") {
    constexpr int total = 20000;
    CountedBodies bodies;
    int pushed = 0;
    {
        FrameQueue queue;
        std::thread producer([&] {
            for (int i = 0; i < total; ++i) {
                for (int k = 0; k < i % 13; ++k, ++pushed) push(queue, bodies.frame(true));
                queue.discard_unpublished();
                push(queue, bodies.frame());
                ++pushed;
                queue.publish();
            }
        });
        for (int i = 0; i < total - 100; ++i) { // the last ones are left to the queue
            while (!queue.has_frames()) std::this_thread::yield();
            (void)pop_frame(queue);
        }
        producer.join();
    }
    CHECK(bodies.given_back() == pushed);
}

TEST_CASE("a queue that reserves takes and gives the same frames") {
    FrameQueue queue;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 500; ++i) {
            REQUIRE(queue.reserve());
            REQUIRE(queue.reserve()); // as often as one likes
            Message frame;
            REQUIRE_FALSE(frame.init_copy(Bytes(std::string_view(std::to_string(i)))));
            REQUIRE(queue.push(frame));
            queue.publish();
        }
        for (int i = 0; i < 500; ++i) {
            REQUIRE(queue.has_frames());
            Message frame;
            queue.pop(frame);
            CHECK(frame.bytes().text() == std::to_string(i));
            frame.close();
        }
        CHECK_FALSE(queue.has_frames());
    }
}
