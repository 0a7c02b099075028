#include "protocol/norm_stream.hpp"

namespace tern {

NormDecoder::Step NormDecoder::filled(size_t count) {
    if (!after_sync_) {
        if (!in_step_ && sync_ != 0x00) return Step::seek;
        in_step_ = after_sync_ = true;
        return Step::need_more;
    }
    switch (reader_.filled(count)) {
    case FrameReader::Step::need_more: return Step::need_more;
    case FrameReader::Step::frame: return Step::frame;
    case FrameReader::Step::broken: break;
    }
    lose();
    return Step::broken;
}

void NormDecoder::lose() {
    reader_.reset();
    in_step_ = after_sync_ = false;
}

} // namespace tern
