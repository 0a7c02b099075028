// OutBatch: encoded frames on their way to the network. Small bodies are copied behind their headers,
// large ones go by reference into the same gathered write. Sealing copies a body anyway.
// Threads: under the socket's turn, except that the holder of the link's write part may read a batch
//          that nobody appends to.
// Owner:   a Link has two: one being filled, one being written.
// Limit:   the link stops appending at batch_bytes_max, but finishes a message that was begun.
#ifndef TERN_LINK_OUT_BATCH_HPP
#define TERN_LINK_OUT_BATCH_HPP

#include "base/message.hpp"
#include "os/random.hpp"
#include "protocol/ws_frame.hpp"
#include "security/traffic_seal.hpp"

#include <deque>
#include <memory>
#include <sys/uio.h>
#include <vector>

namespace tern {

class OutBatch {
  public:
    // When this much waits, it is written at the latest.
    static constexpr size_t batch_bytes_max = 60 * 1024;
    static constexpr size_t copied_body_max = 2048;

    OutBatch() = default;
    OutBatch(OutBatch &&other) noexcept { swap(other); }
    OutBatch &operator=(OutBatch &&other) noexcept {
        swap(other);
        return *this;
    }
    ~OutBatch() { clear(); }

    // Takes the frame. False when there is no memory; the frame is untouched.
    bool append(Framing framing, Message &frame);
    // The same in a sealed frame. Also false when nothing more can be sealed. What the seal can
    // not open again itself is kept beside until it is written.
    bool append_sealed(TrafficSeal &seal, Message &frame, Framing framing = Framing::v2);
    // ---- growing: what let_grow() has allowed goes in without being looked at again
    // Up to so many bytes and messages, in v2 or a WebSocket's framing. Ends with rollback(), move and
    // clear().
    void let_grow(Framing framing, size_t bytes_max, size_t messages_max) {
        (is_ws(framing) ? ws_growth_bytes_ : growth_bytes_) = bytes_max;
        growth_messages_ = messages_max;
        growth_framing_ = framing;
    }
    void end_growth() { growth_bytes_ = ws_growth_bytes_ = 0; }
    bool is_growing() const {
        return size_ < growth_bytes_ + ws_growth_bytes_ && messages_ < growth_messages_;
    }
    // Appends and commits a plain message, which keeps its body. False: it has to go the usual way.
    bool append_plain(const Message &message) {
        if (!is_copied(message)) return false;
        const size_t size = message.size();
        uint8_t *const out = room_for_plain(size, growth_bytes_);
        if (!out) return append_plain_ws(message);
        const size_t header = put_v2_header(out, 0, size);
        copy_bytes(out + header, message.data(), size);
        note_plain(header + size);
        return true;
    }
    // The same for one that is bare, which is left empty.
    bool append_inline(Message &message) {
        if (!message.is_bare()) return false;
        const size_t size = message.inline_size();
        uint8_t *const out = room_for_plain(size, growth_bytes_);
        if (!out) {
            if (!append_plain_ws(message)) return false;
            message.empty_bare();
            return true;
        }
        (void)put_v2_header(out, 0, uint8_t(size));
        std::memcpy(out + 2, message.data(), 16);
        if (size > 16) std::memcpy(out + 18, message.data() + 16, Message::inline_max - 16);
        note_plain(2 + size);
        message.empty_bare();
        return true;
    }

    // Everything appended so far is whole messages: it may be written.
    void commit() {
        committed_ = size_;
        committed_references_ = references_.size();
        committed_spent_ = spent_users_bodies_.size();
        committed_kept_ = kept_.size();
        ++messages_;
    }
    // Drops what was appended after the last commit.
    void rollback();

    bool is_empty() const { return size_ == 0 && references_.empty(); }
    bool has_committed() const { return committed_ > 0 || committed_references_ > 0; }
    bool has_uncommitted() const {
        return size_ > committed_ || references_.size() > committed_references_ ||
               spent_users_bodies_.size() > committed_spent_;
    }
    // Bytes of whole messages and what is referred to.
    size_t bytes() const { return size_ + referenced_bytes_; }
    size_t messages() const { return messages_; }

    // Moves the committed part into `to`, which is empty; the rest stays. False: no memory, and nothing
    // has moved.
    bool move_committed(OutBatch &to);

    // ---- writing
    // Pieces from the write position on; returns how many.
    int pieces(iovec *pieces, int capacity) const;
    // Notes that this many bytes went out. True when nothing is left.
    bool advance(size_t written);
    // The connection is gone: gives back, oldest first, the frames of all messages that were not
    // wholly written. Those of an unfinished message come last. `seal` is what they were sealed
    // with, or null. Commands and subscriptions are dropped: they spoke to that connection.
    void recover(Framing framing, std::deque<OwnMessage> &frames, const TrafficSeal *seal = nullptr);
    void clear();
    // Bodies whose free function must not run on just any thread: they go elsewhere before clear().
    bool has_users_bodies() const { return users_bodies_ > 0; }
    void move_users_bodies(std::vector<OwnMessage> &to);
    // Gives the buffer back while nothing waits.
    void release_buffer();

  private:
    // Room behind the end, so that short bodies can be copied in fixed-width moves.
    static constexpr size_t slack = 64;

    // A body that follows the first `at` bytes of the buffer.
    struct Reference {
        size_t at;
        Message body;
    };
    // A free function is not called inside zmq_msg_send (ZC-2), so its body is never copied.
    static bool is_copied(const Message &frame) {
        return frame.size() <= copied_body_max && !frame.is_users();
    }
    // Null when the batch has grown as far as was allowed, or out of its buffer.
    uint8_t *room_for_plain(size_t size, size_t bytes_max) {
        const size_t at = size_;
        if (at + size >= bytes_max || messages_ >= growth_messages_ ||
            at + header_max + size + slack > capacity_)
            return nullptr;
        return buffer_ + at;
    }
    void note_plain(size_t bytes) {
        committed_ = size_ += bytes;
        ++messages_;
    }
    bool has_room(size_t more) { return size_ + more + slack <= capacity_ || reserve(more); }
    bool reserve(size_t more);
    bool append_masked(Message &frame);
    bool append_plain_ws(const Message &message);
    WsMask next_mask();
    void spend(Message &frame);
    void keep(Message &frame);
    void refer_to(Message &body);
    void swap(OutBatch &other);

    uint8_t *buffer_ = nullptr;
    size_t capacity_ = 0;
    size_t size_ = 0;
    std::vector<Reference> references_;
    size_t referenced_bytes_ = 0;
    // Among references and kept frames, and those that only wait to be freed.
    size_t users_bodies_ = 0;
    std::vector<OwnMessage> spent_users_bodies_; // empty ones, and those that went out sealed
    std::vector<OwnMessage> kept_; // all frames as they were, for a seal that can not recover them
    size_t committed_ = 0;
    size_t committed_references_ = 0;
    size_t committed_spent_ = 0;
    size_t committed_kept_ = 0;
    size_t messages_ = 0;
    size_t growth_bytes_ = 0;    // in v2 framing: the usual case asks for no other
    size_t ws_growth_bytes_ = 0; // in a WebSocket's
    size_t growth_messages_ = 0;
    Framing growth_framing_ = Framing::v2;
    std::unique_ptr<UnpredictableNumbers> masks_; // of a WebSocket's client that sends
    // Write position: bytes of the buffer and references that are gone, and bytes of the next one.
    size_t written_ = 0;
    size_t written_references_ = 0;
    size_t written_of_reference_ = 0;
};

} // namespace tern

#endif
