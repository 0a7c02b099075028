// Channel: one direction of a pipe. Whole messages from a writer to a reader, with the high water
// mark as credit: the writer may be at most `limit` messages ahead of what the reader reported.
// Threads: one writer, one reader. A `crossing` channel has them in different threads at the same
//          time; otherwise one lock guards both ends and the sleeper's fences are left out.
// Owner:   a PipePair.
// Limit:   `limit` messages (0: none) beyond the frames of a message that was begun below it.
//
// No wake-up is lost between the two ends: who finds nothing to do first publishes that it waits,
// then looks once more; who makes progress first publishes the progress, then asks whether the other
// waits. All four accesses are sequentially consistent, so at least one of the two sees the other.
// A writer in full flow, whose reader has not waited for a while, leaves the fence to the reader
// (fences.hpp): it says so in `in_flow_` first, and a reader that finds that makes the heavy fence.
#ifndef TERN_FLOW_CHANNEL_HPP
#define TERN_FLOW_CHANNEL_HPP

#include "flow/frame_queue.hpp"
#include "os/lock.hpp"

#include <atomic>
#include <memory>
#include <utility>

namespace tern {

// The queue is a base so that the reader's counts share the line of its consumer.
class Channel : private FrameQueue {
  public:
    explicit Channel(bool crossing) : crossing_(crossing) {}

    // ---- writer
    // May a new message begin? `ahead` is what the writer holds besides the queue. When not, the
    // reader's next report says that the writer has to be told.
    bool can_write(uint64_t ahead = 0);
    // So many messages may begin, as far as the writer knows: also 0 where can_write() finds room.
    size_t room(uint64_t ahead = 0) const;
    // Takes the frame. False (no memory): the frame is untouched.
    bool write(Message &frame);
    // After the last frame of a message: makes it visible. True when the reader waits for it.
    bool publish();
    // The two of them for a frame that is a whole message, if there is room. False: use the long way.
    bool write_whole(Message &frame, bool &reader_waits) {
        if (newest_ || is_mid_message() || !can_write() || !queue().push(frame)) return false;
        reader_waits = publish();
        return true;
    }
    // Closes the frames of the unfinished message.
    void rollback();
    // The next write finds memory.
    bool reserve() { return newest_ || queue().reserve(); }
    bool is_mid_message() const { return queue().has_unpublished(); }
    // The writer will write no more.
    void end_writing() { writer_gone_.store(true, std::memory_order_seq_cst); }
    bool reader_is_gone() const { return reader_gone_.load(std::memory_order_acquire); }

    // ---- reader
    // Is a whole message there? When not, the writer's next publish says that it has to be told.
    bool can_read();
    // REQUIRES: can_read(), or the last frame read had more. `frame` is uninitialised memory.
    // True when the writer waits for the room that this made.
    bool read(Message &frame);
    // The next frame in place of `frame`, which is plain, if the next one is too. False: use the
    // long way, which also leaves a sign of waiting.
    bool read_plain(Message &frame, bool &writer_waits) {
        if (newest_ || !queue().has_frames() || !queue().pop_plain(frame)) return false;
        writer_waits = report();
        return true;
    }
    // Throws away what is published. True when the writer waits.
    bool discard_all();
    // can_read() has found the queue empty and the writer waiting for the report
    // that this is.
    bool take_writer_to_tell() { return std::exchange(writer_to_tell_, false); }
    bool has_ended() const { return writer_gone_.load(std::memory_order_acquire); }
    void end_reading() { reader_gone_.store(true, std::memory_order_release); }

    // For a channel with both ends under one lock: what was read counts as reported, earlier than by
    // itself (LWM-4), for a writer who has come to look.
    void report_all() {
        reported_last_ = read_.load(std::memory_order_relaxed);
        reported_.store(reported_last_, std::memory_order_relaxed);
    }
    // The same: does it hold anything, published or not?
    bool holds_frames() { return queue().has_unpublished() || queue().has_frames(); }

    // ---- either
    // Whole messages in the queue, as far as this thread knows.
    uint64_t waiting() const;
    // The limit is what the writer and the reader allow together (HWM-4); 0 in either part makes it
    // unlimited, `absent` leaves a part out.
    static constexpr int absent = -1;
    void set_writer_part(int messages) { set_part(writer_part_, messages); }
    void set_reader_part(int messages) { set_part(reader_part_, messages); }
    int limit() const { return limit_.load(std::memory_order_relaxed); }
    // Only the newest frame is kept, and there is no limit. Before the first write only.
    void conflate() { newest_ = std::make_unique<Newest>(); }
    bool is_conflating() const { return newest_ != nullptr; }

  private:
    struct Newest {
        Lock lock;
        OwnMessage frame;
        bool is_fresh = false;
    };
    // How many messages in a row make a flow, and how many of it make that worth a heavy fence.
    static constexpr uint32_t flow_begins_min = 64;
    static constexpr uint32_t flow_begins_max = 64 * 1024;
    static constexpr uint32_t flow_pays = 2048;
    // How long the reader of a flow that it has drained lets it gather, in pauses of the core (a few
    // ns to 50 each), and how many frames a look should find.
    static constexpr uint32_t pauses_min = 32;
    static constexpr uint32_t pauses_max = 512;
    static constexpr uint64_t frames_worth_a_look = 256;
    bool publish_crossing();
    bool look_before_waiting();
    bool report();
    void set_part(std::atomic<int> &part, int messages);

    FrameQueue &queue() { return *this; }
    const FrameQueue &queue() const { return *this; }

    // The reader's.
    std::atomic<uint64_t> read_{0}; // whole messages
    uint64_t reported_last_ = 0;
    uint32_t pauses_ = pauses_min;
    bool writer_to_tell_ = false;

    // What both read often and write rarely: a line of its own.
    alignas(64) std::unique_ptr<Newest> newest_;
    std::atomic<int> limit_{0}; // 0: none
    std::atomic<int> writer_part_{absent};
    std::atomic<int> reader_part_{absent};
    const bool crossing_;
    std::atomic<bool> writer_waits_{false}; // set by the writer, cleared by either
    std::atomic<bool> reader_waits_{true};  // set by the reader, cleared by either
    std::atomic<bool> in_flow_{false};      // the writer publishes with a light fence
    std::atomic<bool> writer_gone_{false};
    std::atomic<bool> reader_gone_{false};
    std::atomic<uint64_t> reported_{0}; // what the reader has read, now and then

    // The writer's.
    alignas(64) std::atomic<uint64_t> written_{0}; // whole messages
    uint64_t reported_seen_ = 0;
    uint32_t published_unasked_ = 0; // messages in a row for which the reader did not wait
    uint32_t flow_begins_ = flow_begins_min;
};
static_assert(sizeof(Channel) == 5 * 64);

} // namespace tern

#endif
