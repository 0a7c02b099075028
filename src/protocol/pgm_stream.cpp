#include "protocol/pgm_stream.hpp"

#include <algorithm>

namespace tern {

// ---- out

PgmPacker::PgmPacker(size_t packet_max) : packet_(packet_max) {
    store_be16(packet_.data(), pgm_no_start);
}

void PgmPacker::put(Message &frame) {
    std::swap(*frame_, frame);
    header_size_ = put_v1_header(header_, frame_->flags(), frame_->size());
    header_done_ = body_done_ = 0;
    has_frame_ = true;
}

void PgmPacker::append(const uint8_t *data, size_t size, size_t &done) {
    const size_t count = std::min(size - done, packet_.size() - size_);
    if (count == 0) return;
    std::memcpy(packet_.data() + size_, data + done, count);
    done += count;
    size_ += count;
}

bool PgmPacker::fill(bool flush) {
    if (has_frame_ && size_ < packet_.size()) {
        const size_t at = size_ - pgm_offset_size;
        if (header_done_ == 0) {
            if (begins_message_ && load_be16(packet_.data()) == pgm_no_start)
                store_be16(packet_.data(), static_cast<uint16_t>(at));
            begins_message_ = !frame_->has(Message::more);
        }
        append(header_, header_size_, header_done_);
        append(frame_->data(), frame_->size(), body_done_);
        if (header_done_ == header_size_ && body_done_ == frame_->size()) {
            frame_->close();
            frame_->init();
            has_frame_ = false;
        }
    }
    return size_ == packet_.size() || (flush && !is_empty());
}

void PgmPacker::clear() {
    size_ = pgm_offset_size;
    store_be16(packet_.data(), pgm_no_start);
}

// ---- in

bool PgmDecoder::put(Bytes packet) {
    const Bytes stream = packet.skip(pgm_offset_size);
    const size_t offset = packet.size() < pgm_offset_size ? SIZE_MAX : load_be16(packet.data());
    if (offset > stream.size() && offset != pgm_no_start) {
        lose();
        return false;
    }
    if (!has_joined_ && offset == pgm_no_start) return false;
    rest_ = has_joined_ ? stream : stream.skip(offset);
    has_joined_ = true;
    return true;
}

PgmDecoder::Step PgmDecoder::next() {
    switch (reader_.feed(rest_)) {
    case FrameReader::Step::need_more: return Step::need_packet;
    case FrameReader::Step::frame: return Step::frame;
    case FrameReader::Step::broken: break;
    }
    lose();
    return Step::broken;
}

void PgmDecoder::lose() {
    reader_.reset();
    rest_ = {};
    has_joined_ = false;
}

} // namespace tern
