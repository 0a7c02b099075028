// Messages: what happens on the calling thread.
#include "socket/socket.hpp"

#include "base/compiler.hpp"
#include "os/memory_wait.hpp"
#include "os/thread.hpp"
#include "os/wait_word.hpp"
#include "socket/context.hpp"

#include <algorithm>
#include <zmq.h>

namespace tern {

namespace {
// How long the I/O thread leaves a growing batch alone, at first and in a stream that goes on; and how
// recent a write makes the next message part of a stream, which may wait for company. Measured, not
// sacred: see doc/architecture.md.
constexpr Nanoseconds look_again_after = 50 * ns_per_us;
constexpr Nanoseconds look_again_after_max = 400 * ns_per_us;
constexpr Nanoseconds stream_gap = 20 * ns_per_us;
// How long a send that may block waits itself for room in the kernel, before it leaves that to the I/O
// thread and its message to the queue.
constexpr Nanoseconds write_patience = ns_per_ms;
// After so many batches that it has come back for, a caller is sure to do so once more.
constexpr int returns_make_sure = 32;
// So many looks that find nothing, and no write since the one before, are the last.
constexpr int quiet_looks_max = 4;
// When this thread wrote last, on whatever socket: one that sends on many sockets in turn is in a
// stream too.
TERN_NEAR_THREAD_LOCAL Nanoseconds own_last_write_ns = 0;
} // namespace

// The constructor is public for make_shared's sake.
struct Socket::MadeByCreate {};

Socket::Socket(const MadeByCreate &, Context &context, int type,
               std::shared_ptr<const Options> defaults)
    : context_(context), type_(type), options_(std::move(defaults)),
      look_interval_(look_again_after) {}

Result<std::shared_ptr<Socket>> Socket::create(Context &context, int type,
                                               std::shared_ptr<const Options> defaults) {
    const auto socket =
        std::make_shared<Socket>(MadeByCreate(), context, type, std::move(defaults));
    socket->pattern_ = make_pattern(type, *socket, context.random_numbers().next());
    if (!socket->pattern_) return err::not_supported;
    socket->mailbox_ = new Mailbox;
    if (is_thread_safe_type(type)) {
        socket->mailbox_->share();
        socket->turn_.stay_unbiased();
        socket->borrows_ = false;
        return socket;
    }
    // Who can not sleep on a word needs a descriptor for every wait: without one there is no socket.
    if (!can_sleep_on_words)
        if (const Error error = socket->mailbox_->open()) return error;
    return socket;
}

Socket::~Socket() {
    if (mailbox_) mailbox_->drop_reference();
}

Error Socket::check_alive() const {
    return terminated_.load(std::memory_order_acquire) ? err::terminated : err::none;
}

// Every call begins here, under the turn.
Error Socket::begin_call() {
    if (is_parked_) unpark();
    if (const Error error = check_alive()) return error;
    if (fd_is_out_) {
        // The signal is taken back and armed again before anything is looked at: what comes later
        // is signalled anew (FD-2).
        mailbox_->end_sleep();
        mailbox_->begin_sleep_on_descriptor();
    }
    if (mailbox_->has_news()) take_news();
    return err::none;
}

// And ends here: what the pattern has asked for is done, what was sent is looked after.
void Socket::end_call(Turn &turn, Nanoseconds patience) {
    if (drained_.empty() && unwanted_.empty() && outputs_.empty()) return;
    const WaitsForMemory waits; // a link is half-way through a write
    if (!drained_.empty() || !unwanted_.empty()) settle();
    if (!outputs_.empty()) flush_outputs(turn, patience);
}

// ---- sending

Error Socket::send(Message &frame, bool dont_wait) {
    const WaitsForMemory waits;
    if (is_inherited()) return err::interrupted;
    if (frame.metadata()) frame.set_metadata(nullptr);
    Turn turn(turn_);
    way_out_ = {};
    if (const Error error = begin_call()) return error;
    uint64_t changes = changes_;
    const bool more = frame.has(Message::more);
    Error error = pattern_->send(frame);
    if (!error) {
        // With one peer, whose room a full socket would wait for anyway.
        const bool may_wait = !outputs_.empty() && !dont_wait &&
                              options_->send_timeout_ms != 0 && pattern_->sole_outlet();
        end_call(turn, may_wait ? write_patience : 0);
        if (!more) open_way_out();
        return err::none;
    }
    if (error != err::again) return error;
    const Deadline deadline = dont_wait ? Deadline::in_ms(0) : Deadline::in_ms(options_->send_timeout_ms);
    for (;;) {
        end_call(turn);
        // Room may have been made where nobody has looked yet.
        if (borrowed_ && blocked_links_ > 0) {
            (void)collect(turn, Deadline::in_ms(0));
            changes = changes_;
            error = pattern_->send(frame);
            if (error != err::again) break;
        }
        if (deadline.is_immediate()) return err::again;
        if (make_room(turn)) {
            changes = changes_;
            error = pattern_->send(frame);
            if (error != err::again) break;
            // It was not for want of this room: another peer's is waited for.
        }
        if ((error = wait(turn, deadline, changes))) return error;
        changes = changes_;
        error = pattern_->send(frame);
        if (error != err::again) break;
        if (deadline.has_passed()) return err::again;
    }
    end_call(turn);
    return error;
}

// With one connection, the thread that waits for room in its queue can write that itself, in place of
// the I/O thread. True when there is room.
bool Socket::make_room(Turn &turn) {
    if (!only_link_) return false;
    const std::shared_ptr<Link> link = only_link_->shared_from_this();
    link->write_out(turn, write_patience);
    Pipe *const pipe = link->socket_end();
    if (!pipe || pipe->writing_stopped) return false;
    pipe->outbound().report_all();
    if (!pipe->check_write()) return false;
    link_writable(*link);
    return true;
}

// ---- the short way: the pattern would send it to the same pipe as the message before, or would take it
// from the same, and nobody else has to be told.

bool Socket::send_plain_in_turn(Message &message) {
    if (!way_out_.pipe || mailbox_->has_news()) return false;
    if (!way_out_.batch) return way_out_.pipe->write_plain(message);
    if (message.is_bare()) return way_out_.batch->append_inline(message);
    if (!way_out_.batch->append_plain(message)) return false;
    message.close();
    message.init();
    return true;
}

bool Socket::recv_plain_in_turn(Message &message) {
    // No free function of the application's runs under the turn.
    if (!way_in_.pipe || mailbox_->has_news() || message.is_users()) return false;
    Bytes body;
    if (way_in_.filter && (!way_in_.link->peek_plain(body) || !way_in_.filter->wants(body)))
        return false;
    if (!(way_in_.link ? way_in_.link->take_plain(message) : way_in_.pipe->read_plain(message)))
        return false;
    received_since_write_ = true;
    return true;
}

bool Socket::send_plain_otherwise(Message &message, BiasedLock::Seat &seat) {
    const bool done = send_plain_in_turn(message);
    turn_.leave(seat);
    return done;
}

bool Socket::recv_plain_otherwise(Message &message, BiasedLock::Seat &seat) {
    const bool done = recv_plain_in_turn(message);
    turn_.leave(seat);
    return done;
}

bool Socket::send_plain_unbiased(Message &message) {
    const std::lock_guard<BiasedLock> turn(turn_);
    return send_plain_in_turn(message);
}

bool Socket::recv_plain_unbiased(Message &message) {
    const std::lock_guard<BiasedLock> turn(turn_);
    return recv_plain_in_turn(message);
}

void Socket::open_way_out() {
    if (fd_is_out_ || terminated_.load(std::memory_order_relaxed)) return;
    Pipe *const pipe = pattern_->sole_outlet();
    if (!pipe) return;
    if (pipe->far_end()) {
        way_out_.batch = static_cast<Link &>(*pipe->far_end()).growing_batch();
        if (!way_out_.batch) return;
    }
    way_out_.pipe = pipe;
}

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
    if (look_is_due_ || is_sure_to_return()) return;
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
    look_is_due_ = true;
    quiet_looks_ = 0;
    loop_->post([self = shared_from_this()] { self->look_at_batches(); });
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

// ---- receiving

Error Socket::recv(Message &frame, bool dont_wait) {
    const WaitsForMemory waits;
    if (is_inherited()) return err::interrupted;
    Turn turn(turn_);
    const bool is_in_stream = way_in_.link != nullptr;
    way_in_ = {};
    if (const Error error = begin_call()) return error;
    // Where nothing but a message or EAGAIN can follow, the frame's memory may be what the next body is
    // read into. Free functions do not run under the turn.
    if (is_in_stream && !frame.is_users()) {
        frame.close();
        frame.init();
    }
    Message received;
    uint64_t changes = changes_;
    Error error = pattern_->recv(received);
    if (error == err::again) {
        const Deadline deadline =
            dont_wait ? Deadline::in_ms(0) : Deadline::in_ms(options_->receive_timeout_ms);
        for (;;) {
            end_call(turn);
            if (bring_in(turn, !deadline.is_immediate())) {
                changes = changes_;
                error = pattern_->recv(received);
                if (error != err::again) break;
            }
            if (deadline.is_immediate()) break;
            if ((error = wait(turn, deadline, changes))) break;
            changes = changes_;
            error = pattern_->recv(received);
            if (error != err::again || deadline.has_passed()) break;
        }
    }
    if (error) {
        if (!closed_) end_call(turn);
        if (error == err::again && pattern_->empties_unfilled()) {
            turn.unlock();
            frame.close();
            frame.init();
        }
        return error;
    }
    receiving_more_ = received.has(Message::more);
    received_since_write_ = true;
    if (!drained_.empty() || !outputs_.empty()) end_call(turn);
    if (!receiving_more_) open_way_in();
    if (!borrowed_ && !read_by_caller_.empty()) look_after_uncut();
    turn.unlock();
    frame.close();
    frame = received;
    return err::none;
}

// The context may have gone down since the call began, while the turn was given up: no way is opened
// then, for every later call is to say so.
void Socket::open_way_in() {
    if (fd_is_out_ || terminated_.load(std::memory_order_relaxed)) return;
    Pipe *const pipe = pattern_->sole_inlet();
    if (!pipe || pipe->has_next()) return;
    ShortWay way;
    way.pipe = pipe;
    if (pattern_->is_filtering()) way.filter = pattern_.get();
    if (pipe->far_end()) {
        way.link = &static_cast<Link &>(*pipe->far_end());
        if (!way.link->can_take_plain()) return;
    } else if (way.filter) {
        return; // what lies in a queue can not be looked at before it is taken
    }
    way_in_ = way;
}

// The pattern may take a message from its link to find out, and holds it from then on.
bool Socket::can_recv() {
    way_in_ = {};
    return pattern_->can_recv();
}

// Reads what is there without sleeping. True when something may have changed.
bool Socket::bring_in(Turn &turn, bool will_wait) {
    if (links_up_ == 0 && inputs_.empty()) return false;
    flush_batches(turn);
    note_seen();
    if (read_listed_links(turn)) return true;
    if (!borrows_ || !set_.is_open()) return false;
    const bool has_one_link = only_link_ && links_up_ == 1;
    if (has_one_link && !borrowed_ && comes_rarely() && read_only_link(turn)) return true;
    borrow();
    if (has_one_link && only_link_) {
        // One peer: its descriptor says more than the set does. But where that brought nothing
        // lately, or little in a large body, a caller that goes on to wait saves the attempt.
        if (will_wait && (only_link_->lets_input_gather() || !reading_try_.is_due())) return false;
        const std::shared_ptr<Link> link = only_link_->shared_from_this();
        const bool brought = will_wait ? try_reading(turn, *link) : link->read_in(turn);
        if (brought) note_read(*link);
        end_call(turn);
        return brought;
    }
    return collect(turn, Deadline::in_ms(0)) > 0;
}

// A caller with many sockets comes to each of them rarely, and often when the answer is there: that
// is read without borrowing the set. Who comes again soon borrows it, or the I/O thread would be
// woken for what comes next.
bool Socket::comes_rarely() {
    const Nanoseconds now = now_ns();
    const bool is_rare = now - last_unborrowed_ns_ > ns_per_ms;
    last_unborrowed_ns_ = now;
    return is_rare;
}

bool Socket::read_only_link(Turn &turn) {
    const std::shared_ptr<Link> link = only_link_->shared_from_this();
    const bool brought = link->read_in(turn);
    if (brought) note_read(*link);
    end_call(turn);
    return brought;
}

bool Socket::may_try_before_sleep() const {
    return options_->tries_before_sleep && has_cores_to_spare();
}

// Reads, for a little while again and again.
bool Socket::try_reading(Turn &turn, Link &link) {
    const uint64_t changes = changes_;
    bool brought = link.read_in(turn);
    if (!brought && may_try_before_sleep()) {
        const Nanoseconds until = now_ns() + reading_try_.window();
        while (!brought && changes_ == changes && link.is_up() && !mailbox_->has_news() &&
               !terminated_.load(std::memory_order_relaxed) && now_ns() < until) {
            turn.unlock();
            for (int i = 0; i < 32; ++i) pause_core();
            turn.lock();
            if (only_link_ == &link) brought = link.read_in(turn);
        }
    }
    if (brought || changes_ != changes) reading_try_.brought();
    else reading_try_.was_in_vain();
    return brought;
}

// Links that were reported readable and not read to the end since.
bool Socket::read_listed_links(Turn &turn) {
    bool any = false;
    for (size_t n = inputs_.size(); n > 0 && !inputs_.empty(); --n) {
        Link &link = *inputs_.front();
        inputs_.pop_front();
        link.in_input_list = false;
        if (!link.may_have_input()) continue;
        const std::shared_ptr<Link> held = link.shared_from_this();
        if (link.read_in(turn)) {
            any = true;
            note_read(link);
        } else if (link.may_have_input()) {
            list_for_input(link);
        }
    }
    // If this thread goes away now, nobody else knows what is left: whoever has borrowed the set is
    // looked after by the tick.
    if (any && !borrowed_ && !inputs_.empty()) {
        if (set_.is_open() && borrows_) borrow();
        else serve_inputs_later();
    }
    return any;
}

// Asks the set, sleeping until the deadline, and reads what it reports. Number of reports, -1 when a
// signal handler ran.
int Socket::collect(Turn &turn, const Deadline &deadline) {
    PollEvent events[set_events_max];
    Nanoseconds timeout = never;
    if (!deadline.is_infinite()) timeout = deadline.left_ns();
    turn.unlock();
    const int n = set_.wait_in_call(events, set_events_max, timeout);
    turn.lock();
    // This thread is awake: what it finds itself is not to be signalled to it.
    if (waiting_) mailbox_->end_sleep();
    if (n > 0) take_events(turn, events, n);
    return n;
}

void Socket::take_events(Turn &turn, const PollEvent *events, int count) {
    // First everything is noted, because reading gives the turn up.
    bool any_write = false;
    for (int i = 0; i < count; ++i) {
        if (events[i].id == waker_id) continue;
        const std::shared_ptr<Link> link = find_link(events[i].id);
        if (!link) continue;
        any_write |= (events[i].ready & ready::write) != 0;
        if (events[i].ready & (ready::read | ready::hangup)) {
            link->note_ready(turn, events[i].ready & ~unsigned(ready::write));
            list_for_input(*link);
        }
    }
    for (int i = 0; any_write && i < count; ++i)
        if (events[i].id != waker_id && (events[i].ready & ready::write))
            if (const std::shared_ptr<Link> link = find_link(events[i].id))
                link->note_ready(turn, ready::write);
    (void)read_listed_links(turn);
    end_call(turn);
}

} // namespace tern
