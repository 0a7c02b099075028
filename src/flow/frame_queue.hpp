// FrameQueue: frames from one producer to one consumer, in order, without a lock. What the producer
// pushes stays invisible until it publishes; unpublished frames can be taken back.
// Threads: push, pop_unpublished, publish belong to the producer; pop and has_frames to the consumer.
// Owner:   a Channel. Frames left over are closed by the destructor.
// Limit:   none here: the Channel counts messages against the high water mark.
#ifndef TERN_FLOW_FRAME_QUEUE_HPP
#define TERN_FLOW_FRAME_QUEUE_HPP

#include "base/message.hpp"

#include <atomic>

namespace tern {

class FrameQueue {
  public:
    FrameQueue() = default;
    FrameQueue(const FrameQueue &) = delete;
    FrameQueue &operator=(const FrameQueue &) = delete;
    ~FrameQueue();

    // Takes the frame, which is left empty. False when there is no memory; the frame is untouched.
    bool push(Message &frame) {
        if (!tail_ || tail_at_ == tail_->capacity) {
            if (!grow()) return false;
        }
        tail_->frames[tail_at_++].take(frame);
        ++pushed_;
        return true;
    }
    // Takes the newest unpublished frame back into uninitialised memory.
    bool pop_unpublished(Message &frame);
    bool has_unpublished() const { return pushed_ != published_.load(std::memory_order_relaxed); }
    // Makes everything pushed visible. Sequentially consistent, because the producer goes on to ask
    // whether the consumer sleeps (see Channel).
    void publish() { published_.store(pushed_, std::memory_order_seq_cst); }
    // The same for a queue whose two ends are guarded by one lock.
    void publish_guarded() { published_.store(pushed_, std::memory_order_release); }

    bool has_frames() {
        if (popped_ != seen_) return true;
        seen_ = published_.load(std::memory_order_acquire);
        return popped_ != seen_;
    }
    bool has_frames_in_total_order() {
        seen_ = published_.load(std::memory_order_seq_cst);
        return popped_ != seen_;
    }
    // REQUIRES: has_frames(). `frame` is uninitialised memory.
    void pop(Message &frame) {
        if (!head_ || head_at_ == head_->capacity) advance();
        frame = head_->frames[head_at_++];
        ++popped_;
    }

  private:
    struct Chunk {
        Chunk *next;
        Chunk *previous; // read only while unpublished frames lie behind it
        uint32_t capacity;
        Message frames[1];
    };
    static Chunk *new_chunk(uint32_t capacity);
    bool grow();
    void advance();

    // Producer.
    Chunk *tail_ = nullptr;
    uint32_t tail_at_ = 0;
    uint64_t pushed_ = 0;
    // Written by the producer before its first publish, read by the consumer after it.
    Chunk *first_ = nullptr;

    alignas(64) std::atomic<uint64_t> published_{0};
    // A used-up chunk on its way back to the producer.
    std::atomic<Chunk *> spare_{nullptr};

    // Consumer.
    alignas(64) Chunk *head_ = nullptr;
    uint32_t head_at_ = 0;
    uint64_t popped_ = 0;
    uint64_t seen_ = 0;
};

} // namespace tern

#endif
