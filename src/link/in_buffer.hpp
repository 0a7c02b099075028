// InBuffer: bytes from the network, cut into frames on demand. Small frames are copied out of a block
// that was filled by one read; the rest of a large body is read straight into its message. What is
// sealed is opened where it lies, in the block or in the message.
// Threads: under the socket's turn, except that the holder of the link's read part may write into the
//          space that target() has named.
// Owner:   a Link. Holds a block only while there are bytes to cut.
// Limit:   one block, and one body of at most max_message_size bytes that has begun to arrive.
#ifndef TERN_LINK_IN_BUFFER_HPP
#define TERN_LINK_IN_BUFFER_HPP

#include "base/compiler.hpp"
#include "base/message.hpp"
#include "link/block_pool.hpp"
#include "protocol/ws_frame.hpp"
#include "security/traffic_seal.hpp"

#include <algorithm>
#include <sys/uio.h>

namespace tern {

class InBuffer {
  public:
    enum class Cut {
        need_more,
        frame,
        malformed,
        no_memory,
        refused, // the seal or a WebSocket's framing is broken: refusal() says how
        control, // a WebSocket's control frame, of the kind control()
    };

    InBuffer() { body_.init(); }
    InBuffer(const InBuffer &) = delete;
    InBuffer &operator=(const InBuffer &) = delete;
    ~InBuffer() { clear(); }

    // Without framing every read is a message of its own. A read takes at most so many bytes, beside
    // those of a large body; 0: what there is room for.
    void set_framing(Framing framing, size_t read_max) {
        framing_ = framing;
        read_max_ = read_max > 0 ? read_max : BlockPool::block_size;
    }
    // What every frame is opened with, or null. Lives until it is replaced; clear() leaves it.
    void set_seal(TrafficSeal *seal) { seal_ = seal; }
    // One of protocol_error.
    uint32_t refusal() const { return refusal_; }
    WsOpcode control() const { return control_; }
    void set_max_message_size(int64_t bytes) {
        max_message_size_ = bytes;
        inline_max_ = std::min(uint64_t(bytes), uint64_t(Message::inline_max)); // -1: no limit
    }

    // The next frame into uninitialised memory.
    Cut cut(Message &frame) {
        const Cut result = cut_one(frame);
        if (result == Cut::need_more) wants_bytes_ = true;
        return result;
    }
    // Puts the next frame in place of a plain message, which keeps its metadata, if the frame is a
    // plain message too that has wholly arrived, in v2 or a WebSocket's framing. False: nothing was
    // touched. REQUIRES: there is no seal.
    bool cut_plain(Message &message) {
        if (in_body_ || end_ - begin_ < 2) return false;
        if (framing_ != Framing::v2) return is_ws(framing_) && cut_plain_ws(message);
        const uint8_t flags = block_[begin_];
        const size_t size = block_[begin_ + 1];
        if (flags == 0 && size <= inline_max_ && 2 + size <= end_ - begin_) {
            message.drop_body();
            if (cut_inline(message)) return true;
        }
        return flags <= long_plain && cut_plain_block(message);
    }
    // The same for a small frame in v2 framing, in place of an inline message.
    bool cut_inline(Message &message) {
        const size_t begin = begin_;
        if (framing_ != Framing::v2 || in_body_ || end_ - begin < 2) return false;
        const uint8_t *p = block_ + begin;
        const size_t size = p[1];
        const size_t end = begin + 2 + size;
        if (p[0] != 0 || size > inline_max_ || end > end_ ||
            begin > BlockPool::block_size - 2 - Message::inline_max)
            return false;
        message.set_inline_body(p + 2, size);
        begin_ = end;
        last_was_large_ = false;
        if (end == end_) give_block_back();
        return true;
    }
    // The body of the next frame, if cut_plain() can take that.
    bool peek_plain(Bytes &body) const;
    bool has_bytes() const { return begin_ != end_; }
    // Everything was cut that can be: only now is there a place for more.
    bool wants_bytes() const { return wants_bytes_; }

    // Where the next read goes: one or two pieces. 0 when there is no memory.
    // REQUIRES: wants_bytes().
    int target(iovec pieces[2]);
    // Notes what was read into them. True when they were filled: more may be waiting.
    bool filled(size_t bytes);
    // What is to come of a large body that has begun.
    size_t body_left() const { return in_body_ ? body_.size() - body_filled_ : 0; }
    // Bytes that were read before the link took over.
    bool put(Bytes bytes);
    void clear();

  private:
    // Below this a frame that is not complete yet just stays in the block.
    static constexpr size_t streamed_body_min = 8 * 1024;
    // Beside the rest of a large body, or after one: enough for the next header.
    static constexpr size_t small_read = 2 * 1024;

    // The flags of a plain frame whose size takes eight bytes.
    static constexpr uint8_t long_plain = 2;
    bool is_too_large(uint64_t body_size) const {
        return (max_message_size_ >= 0 && body_size > uint64_t(max_message_size_)) ||
               body_size > SIZE_MAX / 4; // more than any address space holds
    }
    bool cut_plain_block(Message &message);
    bool cut_plain_ws(Message &message);
    bool parse_plain_ws(WsHeader &header) const;
    void leave_frame(size_t end);
    Cut cut_one(Message &frame);
    Cut cut_ws(Message &frame);
    Cut cut_after(const FrameHeader &header, Message &frame);
    Cut cut_body(Message &frame);
    Cut open_into(Message &frame, uint8_t *sealed, size_t size);
    void release_block_if_empty();
    TERN_COLD void give_block_back();

    Framing framing_ = Framing::v2;
    size_t read_max_ = BlockPool::block_size;
    TrafficSeal *seal_ = nullptr;
    uint32_t refusal_ = 0;
    int64_t max_message_size_ = -1;
    size_t inline_max_ = Message::inline_max; // what may lie inline in a message
    uint8_t *block_ = nullptr;
    size_t begin_ = 0;
    size_t end_ = 0;
    // A large body under way.
    Message body_;
    bool in_body_ = false;
    size_t body_filled_ = 0;
    WsMask body_mask_ = 0; // 0: none
    WsOpcode control_ = WsOpcode::data;
    bool last_was_large_ = false;
    bool wants_bytes_ = true;
    size_t asked_body_ = 0; // of the last target()
    size_t asked_block_ = 0;
};

} // namespace tern

#endif
