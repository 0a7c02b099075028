#include "flow/frame_queue.hpp"

#include "support/frames.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace tern;
using namespace tern::test;

namespace {

void push(FrameQueue &queue, int number) {
    OwnMessage frame = make_frame(std::to_string(number));
    if (!queue.push(*frame) || frame->size() != 0) throw std::runtime_error("not taken");
}

int pop(FrameQueue &queue) {
    if (!queue.has_frames()) throw std::runtime_error("nothing to pop");
    Message frame;
    queue.pop(frame);
    const int number = std::stoi(text_of(frame));
    frame.close();
    return number;
}

int pop_unpublished(FrameQueue &queue) {
    Message frame;
    if (!queue.pop_unpublished(frame)) return -1;
    const int number = std::stoi(text_of(frame));
    frame.close();
    return number;
}

} // namespace

TEST_CASE("an empty queue has nothing, neither published nor unpublished") {
    FrameQueue queue;
    CHECK_FALSE(queue.has_frames());
    CHECK_FALSE(queue.has_frames_in_total_order());
    CHECK_FALSE(queue.has_unpublished());
    CHECK(pop_unpublished(queue) == -1);
}

TEST_CASE("frames stay invisible until they are published") {
    FrameQueue queue;
    push(queue, 1);
    push(queue, 2);
    CHECK_FALSE(queue.has_frames());
    CHECK(queue.has_unpublished());
    queue.publish();
    push(queue, 3);
    CHECK(queue.has_frames());
    CHECK(pop(queue) == 1);
    CHECK(pop(queue) == 2);
    CHECK_FALSE(queue.has_frames());
    CHECK(queue.has_unpublished());
    queue.publish_guarded();
    REQUIRE(queue.has_frames_in_total_order());
    CHECK(pop(queue) == 3);
}

TEST_CASE("order is kept across chunks of every size and fill") {
    // 8 and 126 are the chunk capacities; the lengths lie around their borders.
    for (const int length : {1, 7, 8, 9, 126, 133, 134, 135, 259, 260, 261, 1000}) {
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

TEST_CASE("a queue that is never quite empty keeps its order and its chunks") {
    FrameQueue queue;
    int pushed = 0, popped = 0;
    for (int i = 0; i < 5; ++i) push(queue, pushed++);
    queue.publish();
    bool in_order = true;
    for (int i = 0; i < 2000; ++i) {
        push(queue, pushed++);
        queue.publish();
        in_order &= queue.has_frames() && pop(queue) == popped++;
    }
    CHECK(in_order);
    CHECK(pushed - popped == 5);
}

TEST_CASE("unpublished frames are taken back newest first, published ones never") {
    for (int published = 0; published <= 140; ++published) {
        for (const int unpublished : {1, 2, 8, 9, 130, 260}) {
            FrameQueue queue;
            for (int i = 0; i < published; ++i) push(queue, i);
            queue.publish();
            for (int i = 0; i < unpublished; ++i) push(queue, published + i);
            bool right = true;
            for (int i = unpublished; i-- > 0;) right &= pop_unpublished(queue) == published + i;
            right &= pop_unpublished(queue) == -1 && !queue.has_unpublished();
            // The queue goes on as if nothing had been there.
            for (int i = 0; i < 10; ++i) push(queue, published + i);
            queue.publish();
            for (int i = 0; i < published + 10; ++i) right &= queue.has_frames() && pop(queue) == i;
            right &= !queue.has_frames();
            if (!right) FAIL("published " << published << ", unpublished " << unpublished);
        }
    }
}

TEST_CASE("frames can be taken back while the consumer empties the chunk before") {
    FrameQueue queue;
    for (int i = 0; i < 8; ++i) push(queue, i); // the first chunk is full
    queue.publish();
    push(queue, 8); // begins a second chunk
    CHECK(pop_unpublished(queue) == 8);
    for (int i = 0; i < 8; ++i) CHECK(pop(queue) == i);
    CHECK_FALSE(queue.has_frames());
    push(queue, 9);
    queue.publish();
    REQUIRE(queue.has_frames());
    CHECK(pop(queue) == 9);
}

TEST_CASE("frames left over are closed with the queue, published or not") {
    CountedBodies bodies;
    {
        FrameQueue queue;
        for (int i = 0; i < 200; ++i) REQUIRE(queue.push(*bodies.frame()));
        queue.publish();
        for (int i = 0; i < 20; ++i) {
            REQUIRE(queue.has_frames());
            Message frame;
            queue.pop(frame);
            frame.close();
        }
        for (int i = 0; i < 200; ++i) REQUIRE(queue.push(*bodies.frame()));
        CHECK(bodies.given_back() == 20);
    }
    CHECK(bodies.given_back() == 400);
}

TEST_CASE("two threads pass frames in order, with some taken back") {
    constexpr int total = 50000;
    FrameQueue queue;
    std::thread producer([&] {
        for (int i = 0; i < total;) {
            // A few in a row, some of them taken back, so that publishing meets chunk borders.
            const int batch = std::min(1 + i % 11, total - i);
            for (int k = 0; k < batch; ++k) push(queue, i + k);
            push(queue, -1);
            push(queue, -1);
            (void)pop_unpublished(queue);
            (void)pop_unpublished(queue);
            queue.publish();
            i += batch;
        }
    });
    bool in_order = true;
    for (int expected = 0; expected < total;) {
        if (!queue.has_frames()) {
            std::this_thread::yield();
            continue;
        }
        in_order &= pop(queue) == expected++;
    }
    producer.join();
    CHECK(in_order);
    CHECK_FALSE(queue.has_frames());
}
