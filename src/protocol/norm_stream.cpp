#include "protocol/norm_stream.hpp"

namespace tern {

NormDecoder::Step NormDecoder::filled(size_t count) {
    if (!after_sync_) {
        wants_start_ = false;
        if (sync_ == 0x00) drops_ = false;
        after_sync_ = true;
        return Step::need_more;
    }
    switch (reader_.filled(count)) {
    case FrameReader::Step::need_more: return Step::need_more;
    case FrameReader::Step::frame: return drops_ ? drop_frame() : Step::frame;
    case FrameReader::Step::broken: break;
    }
    lose();
    return Step::broken;
}

NormDecoder::Step NormDecoder::drop_frame() {
    OwnMessage frame;
    take(*frame);
    return Step::need_more;
}

void NormDecoder::lose() {
    reader_.reset();
    wants_start_ = drops_ = true;
    after_sync_ = false;
}

} // namespace tern
