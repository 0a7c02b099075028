// FrameQueue: frames from one producer to one consumer, in order, without a lock. What the producer
// pushes stays invisible until it publishes; unpublished frames can be taken back.
//
// A frame is a record of 16-byte units in a chain of chunks, so that small ones touch few cache lines:
//   small  tag = size, plus `small_more`; the body follows the tag          1 to 3 units
//   packed tag = `packed`; what a Message with a body elsewhere packs into follows   3 units
//   whole  tag = `whole`; the 64 bytes of the Message follow in units of their own
//   end    the rest of the chunk is unused
//
// Threads: push, discard_unpublished and publish belong to the producer; pop and has_frames to the
//          consumer.
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
        const bool is_small = frame.is_small();
        const bool is_packed = frame.is_packable();
        const uint32_t units = is_small    ? small_units(frame.size())
                               : is_packed ? packed_units
                                           : whole_units;
        if ((!tail_ || tail_->capacity - tail_at_ < units) && !grow()) return false;
        if (!has_unpublished()) mark_ = {tail_, tail_at_};
        uint8_t *const record = tail_->units[tail_at_].bytes;
        if (is_small) put_small(record, frame);
        else if (is_packed) put_packed(record, frame);
        else put_whole(record, frame);
        frame.init();
        tail_at_ += units;
        ++pushed_;
        return true;
    }
    // Sees to it that the next push finds memory; for who has no place to keep a frame that was refused.
    bool reserve() {
        return (tail_ && tail_->capacity - tail_at_ >= whole_units) || reserve_chunk();
    }
    // Takes all unpublished frames back and closes them.
    void discard_unpublished();
    bool has_unpublished() const { return pushed_ != shown_; }
    // Makes everything pushed visible. Sequentially consistent, because the producer goes on to ask
    // whether the consumer sleeps (see Channel).
    void publish() {
        shown_ = pushed_;
        published_.store(pushed_, std::memory_order_seq_cst);
    }
    // The same where something else orders the two: one lock for both ends, or a heavy fence.
    void publish_guarded() {
        shown_ = pushed_;
        published_.store(pushed_, std::memory_order_release);
    }

    bool has_frames() {
        if (popped_ != seen_) return true;
        seen_ = published_.load(std::memory_order_acquire);
        return popped_ != seen_;
    }
    // As many as the last look found, and are not popped yet.
    uint64_t frames_seen() const { return seen_ - popped_; }
    bool has_frames_in_total_order() {
        seen_ = published_.load(std::memory_order_seq_cst);
        return popped_ != seen_;
    }
    // REQUIRES: has_frames(). `frame` is uninitialised memory.
    void pop(Message &frame) {
        read_record(head_, frame);
        ++popped_;
    }
    // The next frame in place of a plain message, if it is a plain one too. False: nothing was
    // touched. REQUIRES: has_frames().
    bool pop_plain(Message &message) {
        const uint8_t *const record = next_record(head_);
        const uint8_t tag = record[0];
        if (tag <= Message::inline_max) {
            if (message.metadata()) message.set_metadata(nullptr);
            message.drop_body();
            get_small(record, tag, message);
            head_.at += small_units(tag);
        } else if (tag == packed) {
            Message next;
            next.unpack(record + packed_at);
            if (!next.is_plain()) return false;
            message.close();
            message = next;
            head_.at += packed_units;
        } else if (tag == whole && as_message(record).is_plain()) {
            message.close();
            std::memcpy(static_cast<void *>(&message), &as_message(record), sizeof message);
            head_.at += whole_units;
        } else {
            return false;
        }
        ++popped_;
        return true;
    }

  private:
    struct alignas(16) Unit {
        uint8_t bytes[16];
    };
    struct Chunk {
        Chunk *next;
        uint32_t capacity; // in units
        Unit units[1];
    };
    struct Position {
        Chunk *chunk = nullptr;
        uint32_t at = 0;
    };
    enum Tag : uint8_t { small_more = 0x40, whole = 0x80, end = 0x81, packed = 0x82 };
    static constexpr uint32_t whole_units = 1 + sizeof(Message) / sizeof(Unit);
    static constexpr size_t packed_at = 8;
    static constexpr uint32_t packed_units = (packed_at + Message::packed_bytes) / sizeof(Unit);

    static uint32_t small_units(size_t size) { return 1 + uint32_t(size / sizeof(Unit)); }
    // Fixed-width moves, which stay inside the record and inside the message's 40 bytes.
    static void put_small(uint8_t *record, const Message &frame) {
        const uint8_t *const body = frame.data();
        const size_t size = frame.size();
        record[0] = static_cast<uint8_t>(size | (frame.has(Message::more) ? unsigned(small_more) : 0u));
        std::memcpy(record + 1, body, 15);
        if (size > 15) std::memcpy(record + 16, body + 15, 16);
        if (size > 31) std::memcpy(record + 32, body + 31, 9);
    }
    static void get_small(const uint8_t *record, uint8_t size, Message &frame) {
        uint8_t *const body = frame.make_inline(size);
        std::memcpy(body, record + 1, 15);
        if (size > 15) std::memcpy(body + 15, record + 16, 16);
        if (size > 31) std::memcpy(body + 31, record + 32, 9);
    }
    static void put_packed(uint8_t *record, const Message &frame) {
        record[0] = packed;
        frame.pack(record + packed_at);
    }
    static void put_whole(uint8_t *record, const Message &frame) {
        record[0] = whole;
        std::memcpy(record + sizeof(Unit), &frame, sizeof frame);
    }
    static const Message &as_message(const uint8_t *record) {
        return *reinterpret_cast<const Message *>(record + sizeof(Unit));
    }
    // The next record at or after this position; goes to the next chunk if it has to. There is one.
    const uint8_t *next_record(Position &position) {
        Chunk *const chunk = position.chunk;
        if (!chunk || position.at == chunk->capacity || chunk->units[position.at].bytes[0] == end)
            go_to_next_chunk(position);
        return position.chunk->units[position.at].bytes;
    }
    void read_record(Position &position, Message &frame);
    void go_to_next_chunk(Position &position);
    static Chunk *new_chunk(uint32_t capacity);
    bool grow();
    bool reserve_chunk();

    // Producer.
    Chunk *tail_ = nullptr;
    uint32_t tail_at_ = 0;
    uint64_t pushed_ = 0;
    uint64_t shown_ = 0; // the last `published_`, whose cache line the consumer wants
    Position mark_; // of the first unpublished frame, if there is one
    // Written by the producer before its first publish, read by the consumer after it.
    Chunk *first_ = nullptr;

    alignas(64) std::atomic<uint64_t> published_{0};
    // A used-up chunk on its way back to the producer.
    std::atomic<Chunk *> spare_{nullptr};

    // Consumer.
    alignas(64) Position head_;
    uint64_t popped_ = 0;
    uint64_t seen_ = 0;
};

} // namespace tern

#endif
