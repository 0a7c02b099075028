#include "flow/frame_queue.hpp"

#include <cstdlib>

namespace tern {

namespace {
// The first chunk is small, because most queues never hold more than a few frames.
constexpr uint32_t first_capacity = 8;
constexpr uint32_t usual_capacity = 126; // 8 KiB
} // namespace

FrameQueue::Chunk *FrameQueue::new_chunk(uint32_t capacity) {
    const size_t bytes = offsetof(Chunk, frames) + capacity * sizeof(Message);
    Chunk *chunk = static_cast<Chunk *>(std::malloc(bytes));
    if (chunk) {
        chunk->next = nullptr;
        chunk->previous = nullptr;
        chunk->capacity = capacity;
    }
    return chunk;
}

bool FrameQueue::grow() {
    Chunk *chunk = spare_.exchange(nullptr, std::memory_order_acquire);
    if (!chunk) chunk = new_chunk(tail_ ? usual_capacity : first_capacity);
    if (!chunk) return false;
    chunk->next = nullptr;
    chunk->previous = tail_;
    if (tail_) tail_->next = chunk;
    else first_ = chunk;
    tail_ = chunk;
    tail_at_ = 0;
    return true;
}

bool FrameQueue::pop_unpublished(Message &frame) {
    if (!has_unpublished()) return false;
    if (tail_at_ == 0) {
        // The chunk before still holds unpublished frames, so the consumer has not given it away.
        Chunk *empty = tail_;
        tail_ = empty->previous;
        tail_->next = nullptr;
        tail_at_ = tail_->capacity;
        std::free(empty);
    }
    frame = tail_->frames[--tail_at_];
    --pushed_;
    return true;
}

void FrameQueue::advance() {
    if (!head_) {
        head_ = first_;
    } else {
        Chunk *used = head_;
        head_ = used->next;
        if (used->capacity == usual_capacity) used = spare_.exchange(used, std::memory_order_release);
        std::free(used);
    }
    head_at_ = 0;
}

FrameQueue::~FrameQueue() {
    publish_guarded();
    while (has_frames()) {
        Message frame;
        pop(frame);
        frame.close();
    }
    if (!head_) head_ = first_;
    while (head_) {
        Chunk *next = head_->next;
        std::free(head_);
        head_ = next;
    }
    std::free(spare_.load(std::memory_order_relaxed));
}

} // namespace tern
