#include "link/in_buffer.hpp"

#include "flow/surely.hpp"
#include "security/mechanism.hpp"

#include <algorithm>

namespace tern {

InBuffer::Cut InBuffer::cut_one(Message &frame) {
    if (in_body_) {
        if (body_filled_ < body_.size()) return Cut::need_more;
        return cut_body(frame);
    }
    const size_t have = end_ - begin_;
    if (framing_ == Framing::raw) {
        if (have == 0) return Cut::need_more;
        if (frame.init_copy(Bytes(block_ + begin_, have))) return Cut::no_memory;
        begin_ = end_;
        release_block_if_empty();
        return Cut::frame;
    }
    if (is_ws(framing_)) return cut_ws(frame);
    FrameHeader header;
    const uint8_t *p = block_ + begin_;
    const Parse parsed = framing_ == Framing::v2 ? parse_v2_header(p, have, header)
                                                 : parse_v1_header(p, have, header);
    if (parsed == Parse::malformed) return Cut::malformed;
    if (parsed == Parse::need_more) return Cut::need_more;
    // Compared, never added up: the size is whatever the peer says.
    if (is_too_large(header.body_size)) return Cut::malformed;
    return cut_after(header, frame);
}

// The frame whose header has arrived.
InBuffer::Cut InBuffer::cut_after(const FrameHeader &header, Message &frame) {
    const size_t size = size_t(header.body_size);
    const size_t available = end_ - begin_ - header.header_size;
    uint8_t *p = block_ + begin_ + header.header_size;
    if (size <= available) {
        if (seal_) {
            begin_ += header.header_size + size;
            last_was_large_ = false;
            const Cut cut = open_into(frame, p, size);
            if (begin_ == end_) release_block_if_empty();
            return cut;
        }
        if (frame.init_size(size)) return Cut::no_memory;
        if (size <= Message::inline_max && size_t(block_ + BlockPool::block_size - p) >= 48) {
            frame.set_inline_body(p, size); // the block has room behind
        } else if (size > 0) {
            std::memcpy(frame.data(), p, size);
        }
        frame.set_flags(header.flags);
        begin_ += header.header_size + size;
        last_was_large_ = false;
        if (begin_ == end_) release_block_if_empty();
        return Cut::frame;
    }
    if (size < streamed_body_min) return Cut::need_more;
    // The pages of a large block are not there before bytes arrive in them.
    if (body_.init_size(size)) {
        body_.init();
        return Cut::no_memory;
    }
    body_.set_flags(header.flags);
    if (available > 0) std::memcpy(body_.data(), p, available);
    body_filled_ = available;
    in_body_ = true;
    begin_ = end_;
    release_block_if_empty();
    return Cut::need_more;
}

// Unmasked where it lies, in the block or later in the message.
InBuffer::Cut InBuffer::cut_ws(Message &frame) {
    WsHeader header;
    const Parse parsed = parse_ws_header(block_ + begin_, end_ - begin_,
                                         framing_ == Framing::ws_server, header);
    if (parsed == Parse::need_more) return Cut::need_more;
    if (parsed == Parse::malformed ||
        (header.opcode == WsOpcode::data && is_too_large(header.body_size))) {
        refusal_ = protocol_error::websocket;
        return Cut::refused;
    }
    uint8_t *const body = block_ + begin_ + header.header_size;
    const size_t available = end_ - begin_ - header.header_size;
    if (header.body_size > available) {
        if (header.opcode != WsOpcode::data) return Cut::need_more;
        body_mask_ = header.mask;
        return cut_after(header, frame);
    }
    const size_t size = size_t(header.body_size);
    apply_mask(body, body, size, header.mask);
    if (header.opcode == WsOpcode::data) {
        const Cut cut = cut_after(header, frame);
        if (cut == Cut::no_memory) apply_mask(body, body, size, header.mask); // as it came
        return cut;
    }
    control_ = header.opcode;
    surely([&] { return frame.init_copy(Bytes(body, size)); });
    begin_ += header.header_size + size;
    if (begin_ == end_) release_block_if_empty();
    return Cut::control;
}

bool InBuffer::peek_plain(Bytes &body) const {
    if (in_body_) return false;
    WsHeader ws;
    if (framing_ == Framing::ws_client) { // what comes from a server is not masked
        if (!parse_plain_ws(ws)) return false;
        body = Bytes(block_ + begin_ + ws.header_size, size_t(ws.body_size));
        return true;
    }
    if (framing_ != Framing::v2) return false;
    FrameHeader header;
    const uint8_t *p = block_ + begin_;
    const size_t have = end_ - begin_;
    if (parse_v2_header(p, have, header) != Parse::complete || header.flags != 0 ||
        is_too_large(header.body_size) || header.body_size > have - header.header_size)
        return false;
    body = Bytes(p + header.header_size, size_t(header.body_size));
    return true;
}

// Is there a whole frame, of data without flags?
bool InBuffer::parse_plain_ws(WsHeader &header) const {
    const size_t have = end_ - begin_;
    return parse_ws_header(block_ + begin_, have, framing_ == Framing::ws_server, header) ==
               Parse::complete &&
           header.opcode == WsOpcode::data && header.flags == 0 &&
           !is_too_large(header.body_size) && header.body_size <= have - header.header_size;
}

namespace {

// A body of this size at `from` takes the place of the message's, which keeps what is attached to it.
// False: no memory, and nothing has changed.
bool give_body(Message &message, const uint8_t *from, size_t size) {
    if (message.resize_block(size)) {
        copy_bytes(message.data(), from, size);
        return true;
    }
    Message body;
    if (body.init_copy(Bytes(from, size))) return false;
    body.swap_metadata(message);
    message.close();
    message = body;
    return true;
}

} // namespace

// One whose body does not fit inside a Message.
bool InBuffer::cut_plain_block(Message &message) {
    Bytes from;
    if (!peek_plain(from) || !give_body(message, from.data(), from.size())) return false;
    leave_frame(size_t(from.end() - block_));
    return true;
}

bool InBuffer::cut_plain_ws(Message &message) {
    WsHeader header;
    if (!parse_plain_ws(header)) return false;
    const size_t begin = begin_ + header.header_size;
    const size_t size = size_t(header.body_size);
    const uint8_t *const body = block_ + begin;
    if (size <= Message::inline_max && begin + Message::inline_max <= BlockPool::block_size) {
        message.drop_body();
        apply_mask_in_words(message.make_inline(size), body, size, header.mask);
    } else if (give_body(message, body, size)) {
        if (header.mask != 0) apply_mask(message.data(), message.data(), size, header.mask);
    } else {
        return false;
    }
    leave_frame(begin + size);
    return true;
}

void InBuffer::leave_frame(size_t end) {
    begin_ = end;
    last_was_large_ = false;
    if (begin_ == end_) release_block_if_empty();
}

// The large body that has wholly arrived.
InBuffer::Cut InBuffer::cut_body(Message &frame) {
    if (body_mask_ != 0) apply_mask(body_.data(), body_.data(), body_.size(), body_mask_);
    body_mask_ = 0;
    if (seal_) {
        TrafficSeal::Opened opened;
        refusal_ = seal_->open(body_.data(), body_.size(), opened);
        if (refusal_ != 0) return Cut::refused;
        body_.narrow_to(opened.body);
        body_.set_flags(opened.flags);
    }
    frame = body_;
    body_.init();
    in_body_ = false;
    last_was_large_ = true;
    return Cut::frame;
}

InBuffer::Cut InBuffer::open_into(Message &frame, uint8_t *sealed, size_t size) {
    TrafficSeal::Opened opened;
    refusal_ = seal_->open(sealed, size, opened);
    if (refusal_ != 0) return Cut::refused;
    surely([&] { return frame.init_copy(opened.body); }); // it can not be opened again
    frame.set_flags(opened.flags);
    return Cut::frame;
}

int InBuffer::target(iovec pieces[2]) {
    asked_body_ = in_body_ ? body_.size() - body_filled_ : 0;
    int count = 0;
    if (asked_body_ > 0) pieces[count++] = {body_.data() + body_filled_, asked_body_};
    if (!block_) {
        block_ = BlockPool::take();
        begin_ = end_ = 0;
    }
    asked_block_ = 0;
    if (!block_) return count;
    if (begin_ > 0) {
        std::memmove(block_, block_ + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    asked_block_ = std::min(BlockPool::block_size - end_, read_max_);
    if (asked_body_ > 0 || last_was_large_) asked_block_ = std::min(asked_block_, small_read);
    pieces[count++] = {block_ + end_, asked_block_};
    return count;
}

bool InBuffer::filled(size_t bytes) {
    if (bytes > 0) wants_bytes_ = false;
    const size_t to_body = std::min(bytes, asked_body_);
    body_filled_ += to_body;
    end_ += bytes - to_body;
    release_block_if_empty();
    return bytes == asked_body_ + asked_block_;
}

bool InBuffer::put(Bytes bytes) {
    if (bytes.empty()) return true;
    if (!block_) {
        block_ = BlockPool::take();
        begin_ = end_ = 0;
    }
    if (!block_ || bytes.size() > BlockPool::block_size - end_) return false;
    wants_bytes_ = false;
    std::memcpy(block_ + end_, bytes.data(), bytes.size());
    end_ += bytes.size();
    return true;
}

void InBuffer::release_block_if_empty() {
    if (begin_ == end_ && block_) give_block_back();
}

void InBuffer::give_block_back() {
    BlockPool::give(block_);
    block_ = nullptr;
    begin_ = end_ = 0;
}

void InBuffer::clear() {
    begin_ = end_ = 0;
    wants_bytes_ = true;
    release_block_if_empty();
    body_.close();
    body_.init();
    in_body_ = false;
    body_filled_ = 0;
    body_mask_ = 0;
}

} // namespace tern
