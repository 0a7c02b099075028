// What a sender says over PGM (transports.md section 8): a stream of v1 frames, cut into packets.
//
//   packet = offset:U16 stream       offset: of the first frame in this packet that begins a message,
//                                    counted behind these two bytes; ffff: there is none.
//                                    At the end of the packet: the next one begins with one
//   stream = *( v1 frame )           back to back; frames go on from packet to packet
//
// Threads: one at a time.
// Owner:   PgmPacker: the sender; PgmDecoder: whoever reads one sender's packets.
// Limit:   one packet, one frame; a body of `max_message_size` bytes (< 0: none).
#ifndef TERN_PROTOCOL_PGM_STREAM_HPP
#define TERN_PROTOCOL_PGM_STREAM_HPP

#include "protocol/frame_reader.hpp"

#include <vector>

namespace tern {

inline constexpr size_t pgm_offset_size = 2;
inline constexpr uint16_t pgm_no_start = 0xffff;

// Fills packets with frames.
class PgmPacker {
  public:
    // REQUIRES: more than pgm_offset_size.
    explicit PgmPacker(size_t packet_max);

    // The frame is the packer's, until all of it has gone into packets. REQUIRES: wants_frame().
    void put(Message &frame);
    bool wants_frame() const { return !has_frame_; }
    // Moves on into the packet. True when that is full; with `flush`, when it holds anything.
    bool fill(bool flush);
    // Valid until the next fill().
    Bytes packet() const { return {packet_.data(), size_}; }
    // It was sent: an empty one begins.
    void clear();
    bool is_empty() const { return size_ == pgm_offset_size; }

  private:
    void append(const uint8_t *data, size_t size, size_t &done);

    std::vector<uint8_t> packet_;
    size_t size_ = pgm_offset_size;
    OwnMessage frame_;
    bool has_frame_ = false;
    bool begins_message_ = true; // the frame that comes next
    uint8_t header_[header_max];
    size_t header_size_ = 0;
    size_t header_done_ = 0;
    size_t body_done_ = 0;
};

// Reads them. It joins where a message begins.
class PgmDecoder {
  public:
    enum class Step {
        need_packet,
        frame,  // take() it
        broken, // as after lose(): what was given out of a message not yet complete is void
    };

    explicit PgmDecoder(int64_t max_message_size) : reader_(Framing::v1, max_message_size) {}

    // The next packet, which stays where it is until next() wants another. False: there is nothing in
    // it for us, and what was given out of a message not yet complete is void: it comes before we
    // have joined, or breaks the grammar, which is as if it were lost.
    bool put(Bytes packet);
    Step next();
    void take(Message &frame) { reader_.take(frame); }
    // Packets were lost, and there is no telling how many.
    void lose();
    bool has_joined() const { return has_joined_; }

  private:
    FrameReader reader_;
    Bytes rest_;
    bool has_joined_ = false;
};

} // namespace tern

#endif
