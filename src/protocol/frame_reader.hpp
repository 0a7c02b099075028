// FrameReader: frames out of a stream that others cut into packets. It names the place where the next
// bytes go: into the header, or straight into the body's message.
// Threads: one at a time.
// Owner:   whoever reads; holds one frame at most.
// Limit:   a body of `max_message_size` bytes (< 0: none).
#ifndef TERN_PROTOCOL_FRAME_READER_HPP
#define TERN_PROTOCOL_FRAME_READER_HPP

#include "protocol/frame.hpp"

namespace tern {

// Where bytes go, and how many at most.
struct ByteSpace {
    uint8_t *data;
    size_t size;
};

class FrameReader {
  public:
    enum class Step {
        need_more,
        frame,  // take() it
        broken, // malformed, too large, or no memory for it: no byte more has a meaning
    };

    FrameReader(Framing framing, int64_t max_message_size)
        : framing_(framing), max_message_size_(max_message_size) {}

    // REQUIRES: neither broken nor with a frame to be taken. Never empty.
    ByteSpace space();
    // So many bytes were put there.
    Step filled(size_t count);
    // Copies from the front of `bytes` what is wanted and cuts it off there, until there is a frame
    // or no byte is left.
    Step feed(Bytes &bytes);
    // REQUIRES: a frame. `frame` is uninitialised memory.
    void take(Message &frame);
    // From anew, at the first byte of a frame.
    void reset();
    // Has a frame begun?
    bool is_mid_frame() const { return header_filled_ > 0; }

  private:
    size_t header_wanted() const;

    const Framing framing_;
    const int64_t max_message_size_;
    uint8_t header_[header_max];
    size_t header_filled_ = 0;
    OwnMessage body_;
    bool in_body_ = false;
    size_t body_filled_ = 0;
};

} // namespace tern

#endif
