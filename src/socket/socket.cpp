// Messages: what happens on the calling thread.
#include "socket/socket.hpp"

#include "os/memory_wait.hpp"
#include "os/thread.hpp"
#include "os/wait_word.hpp"
#include "socket/context.hpp"

#include <zmq.h>

namespace tern {

namespace {
// How long a send that may block waits itself for room in the kernel, before it leaves that to the I/O
// thread and its message to the queue.
constexpr Nanoseconds write_patience = ns_per_ms;
} // namespace

// The constructor is public for make_shared's sake.
struct Socket::MadeByCreate {};

Socket::Socket(const MadeByCreate &, Context &context, int type,
               std::shared_ptr<const Options> defaults)
    : context_(context), type_(type), options_(std::move(defaults)) {}

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
    reading_try_.end(brought || changes_ != changes);
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
