#include "flow/channel.hpp"

#include "os/fences.hpp"
#include "os/wait_word.hpp"

#include <algorithm>
#include <mutex>

namespace tern {

// Both sides may do this at once: whoever stores a sum looks again until the parts are those that it
// used, so the last sum is right.
void Channel::set_part(std::atomic<int> &part, int messages) {
    part.store(messages, std::memory_order_seq_cst);
    int writer, reader;
    do {
        writer = writer_part_.load(std::memory_order_seq_cst);
        reader = reader_part_.load(std::memory_order_seq_cst);
        int64_t sum = 0;
        if (writer != 0 && reader != 0)
            sum = int64_t(writer == absent ? 0 : writer) + (reader == absent ? 0 : reader);
        limit_.store(sum > INT32_MAX ? 0 : int(sum), std::memory_order_seq_cst);
    } while (writer != writer_part_.load(std::memory_order_seq_cst) ||
             reader != reader_part_.load(std::memory_order_seq_cst));
}

bool Channel::can_write(uint64_t ahead) {
    if (newest_) return true;
    const int limit = limit_.load(std::memory_order_relaxed);
    if (limit <= 0) return true;
    const uint64_t written = written_.load(std::memory_order_relaxed) + ahead;
    const auto below = [&] { return written - reported_seen_ < static_cast<uint64_t>(limit); };
    if (below()) return true;
    reported_seen_ = reported_.load(std::memory_order_acquire);
    if (below()) return true;
    // A drained queue always takes a message, whatever was reported under an older limit (LWM-4).
    const auto drained = [&] {
        return ahead < static_cast<uint64_t>(limit) &&
               read_.load(std::memory_order_acquire) == written - ahead;
    };
    if (!crossing_) {
        if (drained()) return true;
        writer_waits_.store(true, std::memory_order_relaxed);
        return false;
    }
    writer_waits_.store(true, std::memory_order_seq_cst);
    reported_seen_ = reported_.load(std::memory_order_seq_cst);
    if (!below() && !drained()) return false;
    writer_waits_.store(false, std::memory_order_relaxed);
    return true;
}

// From what the reader has reported: there may be more.
size_t Channel::room(uint64_t ahead) const {
    const int limit = limit_.load(std::memory_order_relaxed);
    if (limit <= 0 || newest_) return SIZE_MAX;
    const uint64_t waiting = written_.load(std::memory_order_relaxed) + ahead - reported_seen_;
    return waiting < uint64_t(limit) ? size_t(limit - waiting) : 0;
}

bool Channel::write(Message &frame) {
    if (!newest_) return queue().push(frame);
    // Conflation knows no multipart: every frame replaces the one before (CF-4).
    OwnMessage taken;
    std::swap(*taken, frame);
    taken->clear(Message::more);
    newest_->lock.lock();
    std::swap(newest_->frame, taken);
    newest_->is_fresh = true;
    newest_->lock.unlock();
    return true;
}

bool Channel::publish() {
    written_.store(written_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    if (!crossing_) {
        queue().publish_guarded();
        if (!reader_waits_.load(std::memory_order_relaxed)) return false;
        reader_waits_.store(false, std::memory_order_relaxed);
        return true;
    }
    return publish_crossing();
}

bool Channel::publish_crossing() {
    if (in_flow_.load(std::memory_order_relaxed)) {
        queue().publish_guarded();
        light_fence();
        ++published_unasked_;
        if (!reader_waits_.load(std::memory_order_relaxed)) return false;
        in_flow_.store(false, std::memory_order_relaxed);
        // A flow that ends soon costs the reader a heavy fence for nothing: the next one has to show
        // that it lasts.
        if (published_unasked_ >= flow_pays) flow_begins_ = flow_begins_min;
        else if (flow_begins_ < flow_begins_max) flow_begins_ *= 2;
    } else {
        queue().publish();
        if (!reader_waits_.load(std::memory_order_seq_cst)) {
            if (++published_unasked_ >= flow_begins_ && fences_are_unequal()) {
                published_unasked_ = 0;
                in_flow_.store(true, std::memory_order_seq_cst);
            }
            return false;
        }
    }
    published_unasked_ = 0;
    return reader_waits_.exchange(false, std::memory_order_seq_cst);
}

// A writer in full flow has more in a moment: that costs less than to wait for it. Looking on after
// every message would cost both sides a cache line each; so it is given time for a good many, as its
// pace has shown.
bool Channel::look_before_waiting() {
    for (int looks = 0; looks < 2; ++looks) {
        for (unsigned i = 0; i < pauses_; ++i) pause_core();
        if (!queue().has_frames()) continue;
        const uint64_t frames = queue().frames_seen();
        if (frames == 1) pauses_ = pauses_min; // no flow any more, or a slow one
        else if (frames < frames_worth_a_look) pauses_ = std::min(pauses_ * 2, pauses_max);
        else if (frames > 4 * frames_worth_a_look) pauses_ = std::max(pauses_ / 2, pauses_min);
        return true;
    }
    pauses_ = pauses_min;
    return false;
}

void Channel::rollback() {
    queue().discard_unpublished();
}

bool Channel::can_read() {
    if (newest_) {
        newest_->lock.lock();
        const bool fresh = newest_->is_fresh;
        if (!fresh) reader_waits_.store(true, std::memory_order_seq_cst);
        newest_->lock.unlock();
        return fresh;
    }
    if (queue().has_frames()) return true;
    if (!crossing_) {
        reader_waits_.store(true, std::memory_order_relaxed);
        if (writer_waits_.load(std::memory_order_relaxed)) {
            writer_waits_.store(false, std::memory_order_relaxed);
            reported_last_ = read_.load(std::memory_order_relaxed);
            reported_.store(reported_last_, std::memory_order_relaxed);
            writer_to_tell_ = true;
        }
        return false;
    }
    // Who waits already has seen to it that the next publish tells.
    if (!reader_waits_.load(std::memory_order_relaxed)) {
        const bool in_flow = in_flow_.load(std::memory_order_relaxed);
        if (in_flow && look_before_waiting()) return true;
        reader_waits_.store(true, std::memory_order_seq_cst);
        if (in_flow_.load(std::memory_order_seq_cst)) heavy_fence();
    }
    if (!queue().has_frames_in_total_order()) {
        // Between two reports a writer may wait for a queue that is empty: now it is told.
        if (writer_waits_.load(std::memory_order_seq_cst) &&
            writer_waits_.exchange(false, std::memory_order_seq_cst)) {
            reported_last_ = read_.load(std::memory_order_relaxed);
            reported_.store(reported_last_, std::memory_order_seq_cst);
            writer_to_tell_ = true;
        }
        return false;
    }
    reader_waits_.store(false, std::memory_order_relaxed);
    return true;
}

bool Channel::read(Message &frame) {
    if (newest_) {
        newest_->lock.lock();
        frame.take(*newest_->frame);
        newest_->is_fresh = false;
        newest_->lock.unlock();
        return false;
    }
    queue().pop(frame);
    if (frame.has(Message::more)) return false;
    return report();
}

// Progress is reported every (limit + 1) / 2 messages (LWM-1), so that the two ends touch each
// other's cache lines rarely and a stopped writer gets room for a batch, not for one message.
bool Channel::report() {
    const uint64_t read = read_.load(std::memory_order_relaxed) + 1;
    read_.store(read, std::memory_order_relaxed);
    const int limit = limit_.load(std::memory_order_relaxed);
    if (limit <= 0) {
        // A limit may be set later: keep the count true, rarely.
        if (read % 64 == 0) reported_.store(read, std::memory_order_release);
        if (!writer_waits_.load(std::memory_order_relaxed)) return false;
    } else if (read - reported_last_ < static_cast<uint64_t>((limit + 1) / 2)) {
        return false;
    }
    reported_last_ = read;
    if (!crossing_) {
        reported_.store(read, std::memory_order_release);
        if (!writer_waits_.load(std::memory_order_relaxed)) return false;
        writer_waits_.store(false, std::memory_order_relaxed);
        return true;
    }
    reported_.store(read, std::memory_order_seq_cst);
    if (!writer_waits_.load(std::memory_order_seq_cst)) return false;
    return writer_waits_.exchange(false, std::memory_order_seq_cst);
}

uint64_t Channel::waiting() const {
    if (newest_) {
        std::lock_guard<Lock> guard(newest_->lock);
        return newest_->is_fresh ? 1 : 0;
    }
    const uint64_t read = read_.load(std::memory_order_relaxed);
    const uint64_t written = written_.load(std::memory_order_relaxed);
    return written > read ? written - read : 0;
}

bool Channel::discard_all() {
    bool writer_waits = false;
    while (can_read()) {
        Message frame;
        writer_waits |= read(frame);
        frame.close();
    }
    return writer_waits;
}

} // namespace tern
