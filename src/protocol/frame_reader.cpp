#include "protocol/frame_reader.hpp"

#include <algorithm>

namespace tern {

// Never a byte of the body.
size_t FrameReader::header_wanted() const {
    if (framing_ == Framing::v1)
        return header_filled_ == 0 ? 1 : (header_[0] == 0xff ? v1_large_header : 2);
    return header_filled_ > 0 && (header_[0] & v2_large) ? 9 : 2;
}

ByteSpace FrameReader::space() {
    if (in_body_) return {body_->data() + body_filled_, body_->size() - body_filled_};
    return {header_ + header_filled_, header_wanted() - header_filled_};
}

FrameReader::Step FrameReader::filled(size_t count) {
    if (in_body_) {
        body_filled_ += count;
        return body_filled_ == body_->size() ? Step::frame : Step::need_more;
    }
    header_filled_ += count;
    FrameHeader header;
    const Parse parsed = framing_ == Framing::v1 ? parse_v1_header(header_, header_filled_, header)
                                                 : parse_v2_header(header_, header_filled_, header);
    if (parsed == Parse::malformed) return Step::broken;
    if (parsed == Parse::need_more) return Step::need_more;
    const bool is_too_large =
        (max_message_size_ >= 0 && header.body_size > uint64_t(max_message_size_)) ||
        header.body_size > SIZE_MAX / 2;
    if (is_too_large) return Step::broken;
    if (body_->init_size(size_t(header.body_size))) {
        body_->init();
        return Step::broken;
    }
    body_->set_flags(header.flags & Message::more);
    body_filled_ = 0;
    in_body_ = true;
    return body_->size() == 0 ? Step::frame : Step::need_more;
}

FrameReader::Step FrameReader::feed(Bytes &bytes) {
    while (!bytes.empty()) {
        const ByteSpace target = space();
        const size_t count = std::min(target.size, bytes.size());
        std::memcpy(target.data, bytes.data(), count);
        bytes = bytes.skip(count);
        const Step step = filled(count);
        if (step != Step::need_more) return step;
    }
    return Step::need_more;
}

void FrameReader::take(Message &frame) {
    frame.take(*body_);
    in_body_ = false;
    header_filled_ = 0;
}

void FrameReader::reset() {
    body_->close();
    body_->init();
    in_body_ = false;
    header_filled_ = 0;
}

} // namespace tern
