// Batches: when what was sent is written, and by whom, the caller or the I/O thread.
#include "base/compiler.hpp"
#include "socket/socket.hpp"

#include <algorithm>

namespace tern {

namespace {
// How long the I/O thread leaves a growing batch alone in a stream that goes on (at first: look_again_after); and
// how recent a write makes the next message part of a stream, which may wait for company. Measured, not
// sacred: see doc/architecture.md.
constexpr Nanoseconds look_again_after_max = 400 * ns_per_us;
constexpr Nanoseconds stream_gap = 20 * ns_per_us;
// After so many batches that it has come back for, a caller is sure to do so once more.
constexpr int returns_make_sure = 32;
// So many looks that find nothing, and no write since the one before, are the last.
constexpr int quiet_looks_max = 4;
// When this thread wrote last, on whatever socket: one that sends on many sockets in turn is in a
// stream too.
TERN_NEAR_THREAD_LOCAL Nanoseconds own_last_write_ns = 0;
} // namespace

void Socket::flush_outputs(Turn &turn, Nanoseconds patience) {
    // Whether this call's messages are to go at once is asked once: writing to one peer does not make
    // the same message to the next one part of a stream.
    bool is_asked = false, at_once = false;
    while (!outputs_.empty()) {
        Link &link = *outputs_.back();
        outputs_.pop_back();
        link.in_output_list = false;
        switch (link.output()) {
        case Link::Output::none:
            if (patience > 0 && link.has_write_watch()) link.write_out(turn, patience);
            break;
        case Link::Output::due: link.write_out(turn, patience); break;
        case Link::Output::young:
            if (!is_asked) {
                is_asked = true;
                at_once = must_write_at_once();
            }
            if (at_once) link.write_out(turn, patience);
            else begin_batch(link);
        }
    }
    if (at_once) received_since_write_ = false;
    // While somebody else's room is needed, that is the I/O thread's business.
    if (borrowed_ && !waiting_ && blocked_links_ > 0) hand_back();
}

// A caller that has more to receive will most likely send more, and look for input soon, which
// writes. That it sends quickly it has to show, by messages less than a stream's gap behind each
// other; when the I/O thread has to write for it, it has to show that anew.
bool Socket::must_write_at_once() {
    const bool more_to_receive = received_since_write_ && can_recv();
    if (received_since_write_ && !more_to_receive) return true;
    if (more_to_receive && sends_quickly_) return false;
    const Nanoseconds newest = std::max(last_write_ns_, own_last_write_ns);
    const bool is_late = now_ns() - newest > stream_gap;
    sends_quickly_ = !is_late;
    return is_late;
}

void Socket::begin_batch(Link &link) {
    link.begin_batch();
    if (!link.in_batch_list) {
        link.in_batch_list = true;
        batches_.push_back(&link);
        batches_listed_.store(batches_.size(), std::memory_order_relaxed);
    }
    if (!is_sure_to_return()) begin_looks();
}

void Socket::begin_looks() {
    if (look_is_due_) return;
    look_is_due_ = true;
    quiet_looks_ = 0;
    loop_->post([self = shared_from_this()] { self->look_at_batches(); });
}

// A caller that answers what it has received, has always come back for its answers lately, and is
// looked after by the tick, which finds what it leaves behind this once (write_left_behind).
bool Socket::is_sure_to_return() const {
    return received_since_write_ && returns_in_row_ >= returns_make_sure && borrowed_ && tick_armed_;
}

void Socket::link_wrote(Link &link, Nanoseconds now) {
    last_write_ns_ = own_last_write_ns = now;
    Round round = round_.load(std::memory_order_relaxed);
    Round counted;
    do {
        if (link.wrote_in_round == round.number) return;
        counted = round;
        if (!link.in_batch_list || round.writers == UINT16_MAX) break;
        ++counted.writers;
        counted.new_writers += link.wrote_in_round != round.number - 1;
    } while (!round_.compare_exchange_weak(round, counted, std::memory_order_relaxed));
    link.wrote_in_round = round.number;
}

// I/O thread. A link whose caller writes full batches itself is left alone; what is left lying for
// two short rounds or a long one is written here. Where the writes of all listed links go on, the turn is
// not even taken, nor where the caller has written what was listed since the last look, or is about to:
// what is listed now is younger, or its turn comes. Such a caller is likely to begin other batches, so a
// few more looks spare it to tell the I/O thread. While the caller writes, each round is twice as long as
// the one before, up to a limit; a tail waits for two of them at most.
void Socket::look_at_batches() {
    Round round = round_.load(std::memory_order_relaxed);
    while (!round_.compare_exchange_weak(round, Round{round.number + 1}, std::memory_order_relaxed)) {
    }
    const uint32_t rounds_left_alone = look_interval_ == look_again_after ? 2 : 1;
    const uint64_t flushed = batches_flushed_.load(std::memory_order_relaxed);
    const bool flushes_go_on = flushed != batches_flushed_seen_;
    const size_t listed = batches_listed_.load(std::memory_order_relaxed);
    const size_t written =
        rounds_left_alone == 2 ? size_t(writers_before_) + round.new_writers : round.writers;
    if (!flushes_go_on && (listed == 0 || written < listed)) {
        Turn turn(turn_);
        quiet_looks_ = batches_.empty() ? quiet_looks_ + 1 : 0;
        for (size_t n = batches_.size(); n > 0 && !batches_.empty(); --n) {
            const std::shared_ptr<Link> link = batches_.front()->shared_from_this();
            batches_.pop_front();
            link->in_batch_list = false;
            const bool goes_on = round.number - link->wrote_in_round < rounds_left_alone;
            if (!goes_on) {
                sends_quickly_ = false;
                returns_in_row_ = 0;
                link->write_out(turn);
                link->end_if_done(turn);
            }
            if ((goes_on || link->has_batch()) && link->is_up() && !link->in_batch_list) {
                link->in_batch_list = true;
                batches_.push_back(link.get());
            }
        }
        batches_listed_.store(batches_.size(), std::memory_order_relaxed);
        look_is_due_ = !closed_ && quiet_looks_ < quiet_looks_max;
        if (!batches_.empty()) look_is_due_ = true;
        if (!look_is_due_) {
            look_interval_ = look_again_after;
            return;
        }
    }
    writers_before_ = round.writers;
    batches_flushed_seen_ = flushed;
    const bool caller_writes = flushes_go_on || round.writers > 0;
    look_interval_ =
        caller_writes ? std::min(2 * look_interval_, look_again_after_max) : look_again_after;
    loop_->add_timer(now_ns() + look_interval_,
                     [self = shared_from_this()] { self->look_at_batches(); });
}

// I/O thread: the caller was sure to come back for its batches, and has not. From here on they are looked
// at as any others.
void Socket::write_left_behind() {
    if (batches_.empty() || look_is_due_) return;
    returns_in_row_ = 0;
    begin_looks();
}

// Before this thread looks for input or sleeps, nothing it has sent may lie about.
void Socket::flush_batches(Turn &turn) {
    while (!batches_.empty()) {
        Link &link = *batches_.back();
        batches_.pop_back();
        batches_listed_.store(batches_.size(), std::memory_order_relaxed);
        link.in_batch_list = false;
        batches_flushed_.store(batches_flushed_.load(std::memory_order_relaxed) + 1,
                               std::memory_order_relaxed);
        if (returns_in_row_ < returns_make_sure) ++returns_in_row_;
        link.write_out(turn);
    }
    // What the I/O thread has added meanwhile is left to it.
    if (!outputs_.empty()) flush_outputs(turn);
}

} // namespace tern
