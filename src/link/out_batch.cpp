#include "link/out_batch.hpp"

#include "flow/surely.hpp"
#include "link/block_pool.hpp"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <tuple>
#include <utility>

namespace tern {

namespace {
// Copies a body that lies inside a Message: a few moves of 16 bytes cost less than one memcpy of
// unknown length, and both sides have room for the excess.
inline void copy_inline(uint8_t *to, const uint8_t *from, size_t size) {
    for (size_t done = 0; done < size; done += 16) std::memcpy(to + done, from + done, 16);
}
} // namespace

void OutBatch::swap(OutBatch &other) {
    std::swap(buffer_, other.buffer_);
    std::swap(capacity_, other.capacity_);
    std::swap(size_, other.size_);
    std::swap(references_, other.references_);
    std::swap(referenced_bytes_, other.referenced_bytes_);
    std::swap(users_bodies_, other.users_bodies_);
    std::swap(spent_users_bodies_, other.spent_users_bodies_);
    std::swap(committed_, other.committed_);
    std::swap(committed_references_, other.committed_references_);
    std::swap(committed_spent_, other.committed_spent_);
    std::swap(kept_, other.kept_);
    std::swap(committed_kept_, other.committed_kept_);
    std::swap(messages_, other.messages_);
    end_growth();
    other.end_growth();
    std::swap(written_, other.written_);
    std::swap(written_references_, other.written_references_);
    std::swap(written_of_reference_, other.written_of_reference_);
}

bool OutBatch::reserve(size_t more) {
    const size_t needed = size_ + more + slack;
    if (!buffer_ && needed <= BlockPool::block_size) {
        buffer_ = BlockPool::take();
        capacity_ = buffer_ ? BlockPool::block_size : 0;
        return buffer_ != nullptr;
    }
    const size_t capacity = std::max(needed, capacity_ * 2);
    uint8_t *bigger = static_cast<uint8_t *>(std::malloc(capacity));
    if (!bigger) return false;
    if (size_ > 0) std::memcpy(bigger, buffer_, size_);
    release_buffer();
    buffer_ = bigger;
    capacity_ = capacity;
    return true;
}

void OutBatch::release_buffer() {
    if (capacity_ == BlockPool::block_size) BlockPool::give(buffer_);
    else std::free(buffer_);
    buffer_ = nullptr;
    capacity_ = 0;
}

bool OutBatch::append(Framing framing, Message &frame) {
    if (framing == Framing::ws_client) return append_masked(frame);
    const size_t size = frame.size();
    const bool by_copy = is_copied(frame);
    const size_t room = header_max + (by_copy ? size : 0);
    if (!has_room(room)) return false;
    uint8_t *out = buffer_ + size_;
    size_t header = 0;
    if (framing == Framing::v2) header = put_v2_header(out, frame.flags(), size);
    else if (framing == Framing::v1) header = put_v1_header(out, frame.flags(), size);
    else if (framing == Framing::ws_server) header = put_ws_header(out, frame.flags(), size);
    if (frame.is_inline()) {
        copy_inline(out + header, frame.data(), size);
        size_ += header + size;
    } else if (by_copy) {
        copy_bytes(out + header, frame.data(), size);
        size_ += header + size;
    } else if (size == 0) {
        size_ += header;
        spend(frame);
        return true;
    } else {
        size_ += header;
        users_bodies_ += frame.is_users();
        refer_to(frame);
        return true;
    }
    frame.close();
    frame.init();
    return true;
}

WsMask OutBatch::next_mask() {
    if (!masks_) masks_.reset(new (std::nothrow) UnpredictableNumbers);
    return masks_ ? masks_->next() : random_number();
}

// A WebSocket's client masks a copy.
bool OutBatch::append_masked(Message &frame) {
    const size_t size = frame.size();
    const bool by_copy = size <= copied_body_max;
    if (!has_room(header_max + (by_copy ? size : 0))) return false;
    Message masked;
    if (!by_copy && masked.init_size(size)) return false;
    uint8_t *out = buffer_ + size_;
    const auto [header, mask] = put_masked_ws_header(out, frame.flags(), size, next_mask());
    apply_mask(by_copy ? out + header : masked.data(), frame.data(), size, mask);
    size_ += header + (by_copy ? size : 0);
    if (!by_copy) refer_to(masked);
    if (frame.is_users()) {
        spend(frame);
        return true;
    }
    frame.close();
    frame.init();
    return true;
}

bool OutBatch::append_plain_ws(const Message &message) {
    const size_t size = message.size();
    uint8_t *const out = room_for_plain(size, ws_growth_bytes_);
    if (!out) return false;
    size_t header;
    if (growth_framing_ == Framing::ws_client) {
        WsMask mask;
        std::tie(header, mask) = put_masked_ws_header(out, 0, size, next_mask());
        if (message.is_inline()) apply_mask_in_words(out + header, message.data(), size, mask);
        else apply_mask(out + header, message.data(), size, mask);
    } else {
        header = put_ws_header(out, 0, size);
        copy_bytes(out + header, message.data(), size);
    }
    note_plain(header + size);
    return true;
}

namespace {

// Of a sealed frame. The receiver ignores its flags (quirks Q-06), and libzmq needs them to be 0.
// A client's `mask` is changed to that of the body.
size_t put_sealed_header(Framing framing, uint8_t *out, size_t size, WsMask &mask) {
    if (framing == Framing::v2) return put_v2_header(out, 0, size);
    if (framing == Framing::ws_server) return put_ws_header(out, 0, size);
    const auto [header, body_mask] = put_masked_ws_header(out, 0, size, mask);
    mask = body_mask;
    return header;
}

} // namespace

bool OutBatch::append_sealed(TrafficSeal &seal, Message &frame, Framing framing) {
    const size_t size = seal.sealed_size(frame.size());
    if (size == 0) return false;
    const bool by_copy = size <= copied_body_max;
    if (!has_room(header_max + (by_copy ? size : 0))) return false;
    uint8_t *out = buffer_ + size_;
    WsMask mask = framing == Framing::ws_client ? next_mask() : 0;
    const size_t header = put_sealed_header(framing, out, size, mask);
    if (by_copy) {
        if (!seal.seal(frame.flags(), frame.bytes(), out + header)) return false;
        if (mask != 0) apply_mask(out + header, out + header, size, mask);
        size_ += header + size;
    } else {
        Message sealed;
        if (sealed.init_size(size)) return false;
        if (!seal.seal(frame.flags(), frame.bytes(), sealed.data())) {
            sealed.close();
            return false;
        }
        if (mask != 0) apply_mask(sealed.data(), sealed.data(), size, mask);
        size_ += header;
        refer_to(sealed);
    }
    if (!seal.can_recover()) {
        keep(frame);
        return true;
    }
    if (frame.is_users()) {
        spend(frame);
        return true;
    }
    frame.close();
    frame.init();
    return true;
}

// The body follows what is in the buffer now.
void OutBatch::refer_to(Message &body) {
    referenced_bytes_ += body.size();
    references_.push_back({size_, body});
    body.init();
}

// A body of the caller's that is not written from where it lies: its free function has to wait.
void OutBatch::spend(Message &frame) {
    ++users_bodies_;
    spent_users_bodies_.emplace_back();
    std::swap(*spent_users_bodies_.back(), frame);
}

void OutBatch::keep(Message &frame) {
    users_bodies_ += frame.is_users();
    kept_.emplace_back();
    std::swap(*kept_.back(), frame);
}

void OutBatch::rollback() {
    while (references_.size() > committed_references_) {
        referenced_bytes_ -= references_.back().body.size();
        users_bodies_ -= references_.back().body.is_users();
        references_.back().body.close();
        references_.pop_back();
    }
    for (; spent_users_bodies_.size() > committed_spent_; --users_bodies_)
        spent_users_bodies_.pop_back();
    for (; kept_.size() > committed_kept_; kept_.pop_back())
        users_bodies_ -= kept_.back()->is_users();
    size_ = committed_;
    end_growth();
}

bool OutBatch::move_committed(OutBatch &to) {
    const size_t rest = size_ - committed_;
    // The room for what stays comes first, while nothing has been moved yet.
    if (rest > 0 && !to.reserve(rest)) return false;
    swap(to);
    if (!to.has_uncommitted()) return true;
    if (rest > 0) std::memcpy(buffer_, to.buffer_ + to.committed_, rest);
    size_ = rest;
    for (size_t i = to.committed_references_; i < to.references_.size(); ++i) {
        Reference &reference = to.references_[i];
        references_.push_back({reference.at - to.committed_, reference.body});
        referenced_bytes_ += reference.body.size();
        to.referenced_bytes_ -= reference.body.size();
        users_bodies_ += reference.body.is_users();
        to.users_bodies_ -= reference.body.is_users();
    }
    to.references_.resize(to.committed_references_);
    for (size_t i = to.committed_spent_; i < to.spent_users_bodies_.size(); ++i) {
        spent_users_bodies_.push_back(std::move(to.spent_users_bodies_[i]));
        ++users_bodies_;
        --to.users_bodies_;
    }
    to.spent_users_bodies_.resize(to.committed_spent_);
    for (size_t i = to.committed_kept_; i < to.kept_.size(); ++i) {
        users_bodies_ += to.kept_[i]->is_users();
        to.users_bodies_ -= to.kept_[i]->is_users();
        kept_.push_back(std::move(to.kept_[i]));
    }
    to.kept_.resize(to.committed_kept_);
    to.size_ = to.committed_;
    return true;
}

int OutBatch::pieces(iovec *pieces, int capacity) const {
    int count = 0;
    size_t position = written_;
    size_t skip = written_of_reference_;
    for (size_t i = written_references_; count < capacity; ++i) {
        const size_t until = i < references_.size() ? references_[i].at : size_;
        if (until > position) pieces[count++] = {buffer_ + position, until - position};
        if (i == references_.size() || count == capacity) break;
        const Message &body = references_[i].body;
        pieces[count++] = {const_cast<uint8_t *>(body.data()) + skip, body.size() - skip};
        skip = 0;
        position = until;
    }
    return count;
}

bool OutBatch::advance(size_t written) {
    while (written > 0 || written_references_ < references_.size()) {
        const bool at_reference = written_references_ < references_.size() &&
                                  written_ == references_[written_references_].at;
        if (!at_reference) {
            const size_t until = written_references_ < references_.size()
                                     ? references_[written_references_].at
                                     : size_;
            const size_t step = std::min(written, until - written_);
            written_ += step;
            written -= step;
            if (written_ < until || step == 0) break;
            continue;
        }
        const size_t left = references_[written_references_].body.size() - written_of_reference_;
        const size_t step = std::min(written, left);
        written_of_reference_ += step;
        written -= step;
        if (step < left) break;
        ++written_references_;
        written_of_reference_ = 0;
    }
    return written_ == size_ && written_references_ == references_.size();
}

namespace {

// Puts back what was sealed in `sealed`, as body and flags. False: it can not be.
bool unseal(const TrafficSeal &seal, Message &sealed) {
    TrafficSeal::Opened opened;
    if (!seal.recover(sealed.data(), sealed.size(), opened)) return false;
    sealed.narrow_to(opened.body);
    sealed.set_flags(opened.flags);
    return true;
}

// What stands at the beginning of a frame of ours.
Parse parse_own(Framing framing, const uint8_t *p, size_t size, WsHeader &header) {
    header.opcode = WsOpcode::data;
    header.mask = 0;
    switch (framing) {
    case Framing::v2: return parse_v2_header(p, size, header);
    case Framing::v1: return parse_v1_header(p, size, header);
    case Framing::ws_client: return parse_ws_header(p, size, true, header);
    case Framing::ws_server: return parse_ws_header(p, size, false, header);
    case Framing::raw: break;
    }
    return Parse::malformed;
}

} // namespace

void OutBatch::recover(Framing framing, std::deque<OwnMessage> &frames, const TrafficSeal *seal) {
    std::vector<OwnMessage> message; // the frames of the message being looked at
    bool message_is_whole = true;    // none of its bytes was the last one to be written
    size_t position = 0;
    size_t reference = 0;
    size_t kept = 0;
    // A frame may end the buffer with its header alone, when its body is referred to.
    while (framing != Framing::raw && position < size_) {
        WsHeader header;
        const uint8_t *p = buffer_ + position;
        if (parse_own(framing, p, size_ - position, header) != Parse::complete) break;
        position += header.header_size;
        if (header.opcode != WsOpcode::data) { // as commands
            position += size_t(header.body_size);
            continue;
        }
        OwnMessage frame;
        bool is_written;
        if (reference < references_.size() && references_[reference].at == position) {
            is_written = reference < written_references_;
            std::swap(*frame, references_[reference].body);
            references_[reference].body.init();
            ++reference;
        } else {
            surely([&] {
                return frame->init_copy(Bytes(buffer_ + position, size_t(header.body_size)));
            });
            position += size_t(header.body_size);
            is_written = position <= written_;
        }
        if (header.mask != 0)
            apply_mask(frame->data(), frame->data(), frame->size(), header.mask);
        if (kept < kept_.size()) {
            std::swap(*frame, *kept_[kept++]);
        } else if (!seal) {
            frame->set_flags(uint8_t((frame->flags() & Message::shared) | header.flags));
        } else if (!unseal(*seal, *frame)) { // for want of memory: it was ours
            message.clear();
            break;
        }
        const bool more = frame->has(Message::more);
        constexpr uint8_t commands = Message::command | Message::subscribe | Message::cancel;
        if (frame->flags() & commands) continue; // it spoke of the connection that is gone
        message.push_back(std::move(frame));
        message_is_whole = message_is_whole && !(is_written && !more);
        if (more) continue;
        if (message_is_whole)
            for (OwnMessage &part : message) frames.push_back(std::move(part));
        message.clear();
        message_is_whole = true;
    }
    for (OwnMessage &part : message) frames.push_back(std::move(part));
    clear();
}

void OutBatch::move_users_bodies(std::vector<OwnMessage> &to) {
    for (Reference &reference : references_) {
        if (!reference.body.is_users()) continue;
        to.emplace_back();
        std::swap(*to.back(), reference.body);
    }
    for (OwnMessage &body : spent_users_bodies_) to.push_back(std::move(body));
    spent_users_bodies_.clear();
    for (OwnMessage &frame : kept_)
        if (frame->is_users()) to.push_back(std::move(frame));
    users_bodies_ = 0;
}

void OutBatch::clear() {
    spent_users_bodies_.clear();
    kept_.clear();
    users_bodies_ = 0;
    for (Reference &reference : references_) reference.body.close();
    references_.clear();
    if (buffer_) release_buffer();
    end_growth();
    size_ = referenced_bytes_ = messages_ = 0;
    committed_ = committed_references_ = committed_spent_ = committed_kept_ = 0;
    written_ = written_references_ = written_of_reference_ = 0;
}

} // namespace tern
