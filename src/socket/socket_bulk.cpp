// Whole messages, many under one acquisition of the turn: what a proxy moves.
#include "os/memory_wait.hpp"
#include "socket/message_bulk.hpp"
#include "socket/socket.hpp"

namespace tern {

void MessageBulk::drop_metadata() {
    Metadata *metadata = nullptr;
    uint32_t count = 0;
    const auto drop = [&] {
        if (count > 0) metadata->drop_references(count);
    };
    for_each([&](Message &frame) {
        Metadata *const own = frame.release_metadata();
        if (own != metadata) {
            drop();
            metadata = own;
            count = 0;
        }
        count += own != nullptr;
    });
    drop();
}

size_t Socket::room(size_t wanted, Error &error) {
    if (is_inherited()) {
        error = err::interrupted;
        return 0;
    }
    Turn turn(turn_);
    if ((error = begin_call())) return 0;
    return pattern_->room(wanted);
}

// An error after the first message is that of the next call.
Result<size_t> Socket::take(MessageBulk &bulk, size_t messages_max) {
    const WaitsForMemory waits;
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    way_in_ = {};
    if (const Error error = begin_call()) return error;
    Error error;
    size_t messages = 0;
    while (messages < messages_max) {
        Message &frame = bulk.add();
        if ((error = pattern_->recv(frame))) {
            bulk.drop_last();
            break;
        }
        messages += !frame.has(Message::more);
    }
    if (!bulk.is_empty()) {
        receiving_more_ = bulk.last().has(Message::more);
        received_since_write_ = true;
        error = err::none;
    }
    end_call(turn);
    if (error && error != err::again) return error;
    return messages;
}

// What is given stays in the batches until one is full, or until flush(): the giver comes back for
// it, so the I/O thread need not be told. A frame that there is no room for goes the way of a
// single one, which waits; it begins a message, or follows its own message's first frames, so the
// turn may be given up before it.
Error Socket::give(MessageBulk &bulk) {
    const WaitsForMemory waits;
    if (is_inherited()) return err::interrupted;
    bulk.drop_metadata();
    Turn turn(turn_);
    way_out_ = {};
    if (const Error error = begin_call()) return error;
    size_t bytes = 0;
    while (!bulk.is_empty()) {
        Message &frame = bulk.first();
        const bool more = frame.has(Message::more);
        bytes += frame.size();
        Error error = pattern_->send(frame);
        if (error == err::again) {
            turn.unlock();
            error = send(frame, false);
            turn.lock();
        }
        if (error) {
            if (!closed_) end_call(turn);
            return error;
        }
        bulk.first_given();
        if (bytes < OutBatch::batch_bytes_max || more) continue;
        write_due(turn);
        bytes = 0;
    }
    write_due(turn);
    return err::none;
}

void Socket::flush() {
    const WaitsForMemory waits;
    if (is_inherited()) return;
    Turn turn(turn_);
    if (closed_) return;
    received_since_write_ = false; // what was received has been answered, as far as it will be
    while (!outputs_.empty()) {
        Link &link = *outputs_.back();
        outputs_.pop_back();
        link.in_output_list = false;
        link.write_out(turn);
    }
    flush_batches(turn);
    end_call(turn);
}

// Full batches only; the others stay listed.
void Socket::write_due(Turn &turn) {
    if (!drained_.empty() || !unwanted_.empty()) settle();
    for (size_t i = outputs_.size(); i-- > 0;) {
        if (i >= outputs_.size()) continue; // the turn was given up
        Link &link = *outputs_[i];
        if (link.output() == Link::Output::young) continue;
        outputs_[i] = outputs_.back();
        outputs_.pop_back();
        link.in_output_list = false;
        link.write_out(turn);
    }
}

} // namespace tern
