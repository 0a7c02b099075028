// The stream of a sender over NORM (transports.md section 9):
//
//   stream = *( sync frame )        sync = 00 in front of the first frame of a message, ff of a later one
//   frame  = v2 (frame.hpp)
//
// A receiver that comes late, or has lost bytes, goes to the start of a message, as NORM marks it, where
// a frame begins. What it reads there it drops, frame by frame, until a sync byte is 00. From then on the
// sync byte of each further frame is skipped, whatever it says.
//
// Threads: one at a time.
// Owner:   whoever reads one sender's stream; holds one frame at most.
// Limit:   a body of `max_message_size` bytes (< 0: none).
#ifndef TERN_PROTOCOL_NORM_STREAM_HPP
#define TERN_PROTOCOL_NORM_STREAM_HPP

#include "protocol/frame_reader.hpp"

namespace tern {

inline constexpr size_t norm_header_max = 1 + header_max;

// What stands in front of a frame's body; gives the number of bytes written.
inline size_t put_norm_header(uint8_t *out, const Message &frame, bool is_first) {
    out[0] = is_first ? 0x00 : 0xff;
    return 1 + put_v2_header(out + 1, frame.flags() & Message::more, frame.size());
}

class NormDecoder {
  public:
    enum class Step {
        need_more,
        frame,  // take() it
        broken, // out of step: what was given out of a message not yet complete is void
    };

    explicit NormDecoder(int64_t max_message_size) : reader_(Framing::v2, max_message_size) {}

    // Does the next byte have to be the first of a message, as NORM marks it?
    bool wants_start() const { return wants_start_; }
    // Where the next bytes of the stream go. REQUIRES: no frame to be taken.
    ByteSpace space() { return after_sync_ ? reader_.space() : ByteSpace{&sync_, 1}; }
    Step filled(size_t count);
    void take(Message &frame) {
        reader_.take(frame);
        after_sync_ = false;
    }
    // Bytes were lost.
    void lose();

  private:
    Step drop_frame();

    FrameReader reader_;
    uint8_t sync_ = 0;
    bool wants_start_ = true;
    bool drops_ = true;       // frames of a message whose first frame was not seen
    bool after_sync_ = false; // of the frame under way
};

} // namespace tern

#endif
