#include "flow/pipe.hpp"

#include "flow/surely.hpp"

#include <new>

namespace tern {

PipePair::PipePair(bool crossing) : channels_{Channel(crossing), Channel(crossing)} {
    for (int i = 0; i < 2; ++i) {
        ends_[i].out_ = &channels_[i];
        ends_[i].in_ = &channels_[1 - i];
        ends_[i].pair_ = this;
    }
}

PipePair::~PipePair() {
    for (Pipe &end : ends_) {
        if (end.has_next_) end.next_->close();
        if (end.mailbox_) end.mailbox_->drop_reference();
    }
}

PipePair *PipePair::create(bool crossing) { return new (std::nothrow) PipePair(crossing); }

bool Pipe::write(Message &frame) {
    const bool more = frame.has(Message::more);
    if (far_ && !write_queued_) {
        if (far_->take_frame(frame)) {
            mid_write_ = more;
            return true;
        }
        // From here on the rest of this message must follow its first frames through the queue.
        write_queued_ = more;
    }
    if (!out_->write(frame)) return false;
    mid_write_ = more;
    if (more) return true;
    write_queued_ = false;
    const bool reader_waits = out_->publish();
    if (far_) far_->message_queued();
    else if (reader_waits) other_end().notify(readable);
    return true;
}

void Pipe::write_surely(Message &frame) {
    surely([&] { return write(frame); });
}

void Pipe::rollback() {
    if (!mid_write_) return;
    out_->rollback();
    if (far_) far_->rollback();
    mid_write_ = false;
    write_queued_ = false;
}

void Pipe::discard_outbound() {
    rollback();
    // Both ends of a link's pipe are under one turn, so the writer may read its own queue empty.
    if (far_) (void)out_->discard_all();
}

// Whether the queue has a message; a writer that waits hears when it has none.
bool Pipe::has_queued() {
    if (in_->can_read()) return true;
    if (in_->take_writer_to_tell()) other_end().notify(writable);
    return false;
}

bool Pipe::check_read() {
    if (has_next_ || mid_read_) return true;
    for (;;) {
        if (has_queued()) return true;
        if (!far_) return false;
        if (!next_) next_.reset(new (std::nothrow) Message);
        if (!next_) return false;
        switch (far_->next_message(*next_)) {
        case PipeFarEnd::Next::none: return false;
        case PipeFarEnd::Next::direct: has_next_ = true; return true;
        case PipeFarEnd::Next::queued: break;
        }
    }
}

bool Pipe::read(Message &frame) {
    if (has_next_) {
        frame = *next_;
        has_next_ = false;
        return true;
    }
    if (!mid_read_ && !has_queued()) {
        if (!far_) return false;
        const PipeFarEnd::Next next = far_->next_message(frame);
        if (next == PipeFarEnd::Next::direct) return true;
        if (next == PipeFarEnd::Next::none) return false;
        if (!in_->can_read()) return false;
    }
    const bool writer_waits = in_->read(frame);
    mid_read_ = frame.has(Message::more);
    if (far_) {
        if (writer_waits) far_->room_made();
    } else if (writer_waits) {
        other_end().notify(writable);
    }
    return true;
}

bool Pipe::append_farewell() {
    if (!farewell_) return false;
    const std::unique_ptr<const std::string> farewell = std::move(farewell_);
    Message message;
    surely([&] { return message.init_copy(Bytes(*farewell)); });
    surely([&] { return in_->write(message); });
    (void)in_->publish();
    return true;
}

void Pipe::set_mailbox(Mailbox *mailbox) {
    mailbox->add_reference();
    mailbox_ = mailbox;
}

void Pipe::give_to(Mailbox *mailbox) {
    set_mailbox(mailbox);
    // While `unbound` was set nobody else posted, and from here on the bits are never empty before
    // the socket takes them: this is the only post.
    uint8_t before = news_.load(std::memory_order_relaxed);
    while (!news_.compare_exchange_weak(before, uint8_t((before & ~unbound) | attach),
                                        std::memory_order_seq_cst)) {
    }
    mailbox->post(*this);
}

void Pipe::notify(uint8_t news) {
    // A pipe that is in the mailbox already is not put there again: its bits are taken together.
    const uint8_t before = news_.fetch_or(news, std::memory_order_seq_cst);
    if (before == 0 && mailbox_) mailbox_->post(*this);
}

void Pipe::close() {
    rollback();
    out_->end_writing();
    in_->end_reading();
    if (!far_) other_end().notify(ended);
}

void Pipe::release() {
    PipePair *pair = pair_;
    if (pair->references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete pair;
}

} // namespace tern
