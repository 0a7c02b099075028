// Writing: what was encoded or waits in the queue goes to the kernel.
#include "link/link.hpp"

namespace tern {

namespace {
constexpr int pieces_max = 64;
constexpr int waits_skipped_max = 31;
// Who writes for a long queue stops after so many bytes: other links wait for the I/O thread, and a
// caller wants to go on. A caller that is there writes the rest; after a while the I/O thread does.
constexpr size_t bytes_per_turn = 4 * 1024 * 1024;
constexpr Nanoseconds write_on_after = 50 * ns_per_us;
} // namespace

void Link::pump_out() {
    while (!batch_has_partial_ && !peer_has_closed_ &&
           filling_.bytes() < batch_max_) {
        // Frames of a message that came back unfinished wait for the rest, which comes by the queue.
        const bool queue_ready = from_socket_ && from_socket_->can_read();
        if (!queue_ready && from_socket_ && from_socket_->take_writer_to_tell())
            host_.link_writable(*this);
        if (returned_.empty() ? !queue_ready : returned_messages_ == 0 && !queue_ready) return;
        bool more;
        do {
            Message frame;
            bool made_room = false;
            if (!returned_.empty()) {
                frame.take(*returned_.front());
                returned_.pop_front();
                if (!frame.has(Message::more) && returned_messages_ > 0) --returned_messages_;
            } else {
                made_room = from_socket_->read(frame);
            }
            more = frame.has(Message::more);
            if (!encode(frame)) { // no memory: it waits for the next connection, unless it suits none
                if (seal_ && seal_->sealed_size(frame.size()) == 0) frame.close();
                else return_frame(frame);
                if (made_room) host_.link_writable(*this);
                fail(false);
                return;
            }
            if (made_room) host_.link_writable(*this);
        } while (more);
        filling_.commit();
    }
}

// Before what came back already; a message that is not whole follows its first frames, which the batch has.
void Link::return_frame(Message &frame) {
    if (!frame.has(Message::more)) ++returned_messages_;
    OwnMessage returned;
    returned->take(frame);
    returned_.push_front(std::move(returned));
}

void Link::note_writable() {
    if (!write_blocked_) return;
    write_blocked_ = false;
    host_.watch_writable(*this, fd_.get(), false);
}

Nanoseconds Link::allowed(Nanoseconds patience) {
    if (patience == 0 || waits_to_skip_ == 0) return patience;
    --waits_to_skip_;
    return 0;
}

// For the holder of the write part: whether the kernel takes more before the time is over. Only this
// keeps a descriptor from being closed meanwhile; what ends the connection is seen afterwards.
bool Link::await_room(Turn &turn, Nanoseconds until) {
    const int fd = fd_.get();
    const Nanoseconds left = until - now_ns();
    turn.unlock();
    const bool has_room = left > 0 && await_writable(fd, left);
    turn.lock();
    return has_room && state_ == State::up;
}

void Link::write_out(Turn &turn, Nanoseconds patience) {
    if (writing_ || state_ != State::up || write_dead_) return;
    if (write_blocked_ && (patience = allowed(patience)) == 0) return;
    const std::shared_ptr<Link> self = shared_from_this();
    writing_ = true;
    bool has_written = false;
    Nanoseconds until = 0; // when patience ends, once it is needed
    if (write_blocked_) {
        until = now_ns() + patience;
        if (await_room(turn, until)) note_writable();
    }
    size_t written = 0;
    while (state_ == State::up && !write_blocked_) {
        if (written >= bytes_per_turn) {
            go_on_later(writing_on_is_due_, write_on_after, &Link::write_on);
            break;
        }
        if (sending_.is_empty()) {
            pump_out();
            if (!filling_.has_committed()) break;
            // What has come during the write is a batch that its caller is filling: it may grow.
            if (has_written && !is_due()) {
                host_.link_has_output(*this);
                break;
            }
            if (!filling_.move_committed(sending_)) break; // tried again at the next look
            batch_begun_ = false;
            send_waiting_command();
        }
        iovec pieces[pieces_max];
        const int count = sending_.pieces(pieces, pieces_max);
        const int fd = fd_.get();
        turn.unlock();
        const IoResult result = write_vector(layer_.get(), fd, pieces, count);
        const Nanoseconds now = now_ns();
        turn.lock();
        host_.link_wrote(*this, now);
        if (result.status == IoResult::Status::failed) {
            // What the peer sent before it went away is still to be read; the end of that is the
            // end of the connection.
            write_dead_ = true;
            filling_.end_growth();
            may_have_input_ = true;
            hung_up_ = true;
            host_.link_has_input(*this);
            break;
        }
        if (result.status == IoResult::Status::ok) {
            has_written = true;
            written += result.count;
            if (sending_.advance(result.count)) {
                clear_sent();
                continue;
            }
            if (count == pieces_max) continue; // perhaps it was not offered all
        }
        // The kernel took less than it was offered, or nothing.
        if (patience > 0 && until == 0) until = now_ns() + (patience = allowed(patience));
        if (patience > 0 && await_room(turn, until)) continue;
        if (state_ != State::up) break;
        write_blocked_ = true;
        host_.watch_writable(*this, fd, true);
    }
    writing_ = false;
    if (until != 0 && write_blocked_ && !has_written) waits_to_skip_ = waits_skipped_max;
    if (!filling_.has_committed()) filling_.end_growth(); // the next message begins a batch
    if (state_ == State::broken) post_finish();
    else end_if_done(turn);
}

void Link::write_on(Turn &turn) { write_out(turn); }

// Free functions of the application's run on the I/O thread, never inside a send (ZC-2).
void Link::clear_sent() {
    if (sending_.has_users_bodies() && !host_.loop().is_own_thread()) {
        auto bodies = std::make_shared<std::vector<OwnMessage>>();
        sending_.move_users_bodies(*bodies);
        host_.loop().post([bodies] { bodies->clear(); });
    }
    sending_.clear();
    hello_is_sending_ = false;
}

} // namespace tern
