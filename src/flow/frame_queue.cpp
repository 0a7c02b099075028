#include "flow/frame_queue.hpp"

#include <cstdlib>

namespace tern {

namespace {
// Chunks begin small, because most queues never hold more than a few frames, and grow fourfold.
constexpr uint32_t first_capacity = 7;   // 128 bytes
constexpr uint32_t usual_capacity = 511; // 8 KiB
uint32_t next_capacity(uint32_t capacity) {
    return capacity == usual_capacity ? capacity : capacity * 4 + 3;
}
static_assert(((first_capacity * 4 + 3) * 4 + 3) * 4 + 3 == usual_capacity);
} // namespace

FrameQueue::Chunk *FrameQueue::new_chunk(uint32_t capacity) {
    const size_t bytes = offsetof(Chunk, units) + capacity * sizeof(Unit);
    Chunk *chunk = static_cast<Chunk *>(std::malloc(bytes));
    if (chunk) chunk->capacity = capacity;
    return chunk;
}

bool FrameQueue::grow() {
    Chunk *chunk = spare_.exchange(nullptr, std::memory_order_acquire);
    if (!chunk) chunk = new_chunk(tail_ ? next_capacity(tail_->capacity) : first_capacity);
    if (!chunk) return false;
    chunk->next = nullptr;
    if (tail_) {
        if (tail_at_ < tail_->capacity) tail_->units[tail_at_].bytes[0] = end;
        tail_->next = chunk;
    } else {
        first_ = chunk;
    }
    tail_ = chunk;
    tail_at_ = 0;
    return true;
}

bool FrameQueue::reserve_chunk() {
    if (spare_.load(std::memory_order_relaxed)) return true;
    Chunk *const chunk = new_chunk(tail_ ? next_capacity(tail_->capacity) : first_capacity);
    if (!chunk) return false;
    std::free(spare_.exchange(chunk, std::memory_order_acq_rel)); // the consumer may have left one meanwhile
    return true;
}

void FrameQueue::read_record(Position &position, Message &frame) {
    const uint8_t *const record = next_record(position);
    if (record[0] == whole) {
        std::memcpy(static_cast<void *>(&frame), record + sizeof(Unit), sizeof frame);
        position.at += whole_units;
        return;
    }
    if (record[0] == packed) {
        frame.unpack(record + packed_at);
        position.at += packed_units;
        return;
    }
    const uint8_t size = record[0] & uint8_t(~small_more);
    frame.init();
    get_small(record, size, frame);
    if (record[0] & small_more) frame.set(Message::more);
    position.at += small_units(size);
}

// Only the consumer's own position gives chunks back.
void FrameQueue::go_to_next_chunk(Position &position) {
    Chunk *used = position.chunk;
    position.chunk = used ? used->next : first_;
    position.at = 0;
    if (!used || &position != &head_) return;
    if (used->capacity == usual_capacity) used = spare_.exchange(used, std::memory_order_acq_rel);
    std::free(used);
}

// The consumer stays at or before the mark, so the chunks behind it are the producer's alone.
void FrameQueue::discard_unpublished() {
    if (!has_unpublished()) return;
    Position position = mark_;
    for (; pushed_ != shown_; --pushed_) {
        Message frame;
        read_record(position, frame);
        frame.close();
    }
    tail_ = mark_.chunk;
    tail_at_ = mark_.at;
    while (Chunk *unused = tail_->next) {
        tail_->next = unused->next;
        std::free(unused);
    }
}

FrameQueue::~FrameQueue() {
    publish_guarded();
    while (has_frames()) {
        Message frame;
        pop(frame);
        frame.close();
    }
    Chunk *chunk = head_.chunk ? head_.chunk : first_;
    while (chunk) {
        Chunk *next = chunk->next;
        std::free(chunk);
        chunk = next;
    }
    std::free(spare_.load(std::memory_order_relaxed));
}

} // namespace tern
