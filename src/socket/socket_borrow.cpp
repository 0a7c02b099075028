// The socket's set of descriptors, and who waits for it: the calling thread or the I/O thread.
#include "socket/socket.hpp"

namespace tern {

namespace {
constexpr int tick_ms = 1;
// After so many ticks in one wait the I/O thread lets the caller sleep in peace.
constexpr int idle_ticks_max = 4;

uint64_t make_id(uint32_t generation, size_t index) { return uint64_t(generation) << 32 | index; }
} // namespace

// ---- registration

Error Socket::watch(Link &link, int fd) {
    size_t index;
    if (free_link_slots_.empty()) {
        index = link_slots_.size();
        link_slots_.emplace_back();
    } else {
        index = free_link_slots_.back();
        free_link_slots_.pop_back();
    }
    link_slots_[index].link = link.weak_from_this();
    link.host_id = make_id(link_slots_[index].generation, index);
    if (Poller::can_nest && !set_.is_open() && !set_failed_) {
        set_failed_ = bool(set_.open());
        // Where nobody waits on the set, the waker is not in it: ZMQ_FD, and thread-safe types.
        if (!set_failed_ && borrows_)
            set_failed_ = bool(mailbox_->open()) ||
                          bool(set_.add(mailbox_->fd(), waker_id, ready::read));
        if (!set_failed_) {
            const auto watch = loop_->watch(set_.fd(), set_handler_, ready::read);
            if (watch) set_watch_ = *watch;
            else set_failed_ = true;
        }
        // Without a set of its own the socket is served by the I/O thread alone.
        if (set_failed_) set_.close();
    }
    Error error;
    if (set_.is_open()) {
        error = set_.add(fd, link.host_id, ready::read | ready::edge);
    } else {
        const auto watch = loop_->watch(fd, link, ready::read | ready::edge);
        error = watch.error();
        if (!error) link.watch_id = *watch;
    }
    ++links_up_;
    only_link_ = links_up_ == 1 ? &link : nullptr;
    return error; // the link ends, and unwatches then
}

void Socket::watch_writable(Link &link, int fd, bool wanted) {
    blocked_links_ += wanted ? 1 : -1;
    const unsigned interest =
        ready::read | ready::edge | (wanted ? unsigned(ready::write) : 0u);
    if (set_.is_open()) (void)set_.modify(fd, link.host_id, interest);
    else (void)loop_->poller().modify(fd, link.watch_id, interest);
}

void Socket::unwatch(Link &link, int fd) {
    if (link.has_write_watch()) --blocked_links_;
    if (link.watch_id) loop_->unwatch(link.watch_id, fd);
    else if (set_.is_open() && fd >= 0) set_.remove(fd);
    LinkSlot &slot = link_slots_[uint32_t(link.host_id)];
    slot.link.reset();
    ++slot.generation;
    free_link_slots_.push_back(uint32_t(link.host_id));
    --links_up_;
    only_link_ = nullptr;
    if (links_up_ == 1)
        for (const LinkSlot &other : link_slots_)
            if (const auto held = other.link.lock()) only_link_ = held.get();
    forget_link(link);
}

std::shared_ptr<Link> Socket::find_link(uint64_t id) {
    const size_t index = uint32_t(id);
    if (index >= link_slots_.size() || link_slots_[index].generation != uint32_t(id >> 32))
        return nullptr;
    return link_slots_[index].link.lock();
}

void Socket::forget_link(Link &link) {
    const auto scrub = [&link](Ring<Link *> &list, bool &listed) {
        if (listed) list.remove(&link);
        listed = false;
    };
    scrub(outputs_, link.in_output_list);
    scrub(batches_, link.in_batch_list);
    scrub(inputs_, link.in_input_list);
}

void Socket::list_for_input(Link &link) {
    if (link.in_input_list) return;
    link.in_input_list = true;
    inputs_.push_back(&link);
}

// ---- borrowing

// The caller will wait on the set, or has just asked it: the I/O thread looks away.
void Socket::borrow() {
    if (borrowed_) return;
    borrowed_ = true;
    (void)loop_->poller().modify(set_.fd(), set_watch_, 0);
    arm_tick();
}

// Level-triggered there, so whatever is in the set already is reported at once. What the caller has
// taken out of it and not read is listed, and served by a task of its own.
void Socket::hand_back() {
    if (!borrowed_) return;
    borrowed_ = false;
    (void)loop_->poller().modify(set_.fd(), set_watch_, ready::read);
    if (!inputs_.empty()) serve_inputs_later();
}

void Socket::serve_inputs_later() {
    loop_->post([self = shared_from_this()] {
        Turn turn(self->turn_);
        self->serve_listed_links(turn);
    });
}

void Socket::arm_tick() {
    if (tick_armed_) return;
    tick_armed_ = true;
    loop_->post([self = shared_from_this()] {
        self->idle_ticks_ = 0;
        self->tick_again();
    });
}

void Socket::tick_again() {
    seen_at_tick_ = seen_.load(std::memory_order_relaxed);
    loop_->add_timer_ms(tick_ms, [self = shared_from_this()] { self->tick(); });
}

// A caller has read. What it does not cut may be more than messages that wait for it: a PING, a
// subscription, a WebSocket's close. When it goes away the tick finds that, by this list.
void Socket::note_read(Link &link) {
    const uint32_t index = uint32_t(link.host_id);
    if (!link_slots_[index].is_read_by_caller) {
        link_slots_[index].is_read_by_caller = true;
        read_by_caller_.push_back(index);
    }
    link_readable(link);
}

// A caller that has not borrowed the set has no tick yet.
void Socket::look_after_uncut() {
    size_t kept = 0;
    for (const uint32_t index : read_by_caller_) {
        const std::shared_ptr<Link> link = link_slots_[index].link.lock();
        if (link && link->has_uncut_input()) read_by_caller_[kept++] = index;
        else link_slots_[index].is_read_by_caller = false;
    }
    read_by_caller_.resize(kept);
    if (kept > 0) arm_tick();
}

// I/O thread: the caller is away, so what it has read is cut into the queues.
void Socket::cut_for_caller(Turn &turn) {
    std::vector<uint32_t> indices;
    indices.swap(read_by_caller_);
    for (const uint32_t index : indices) {
        link_slots_[index].is_read_by_caller = false;
        const std::shared_ptr<Link> link = link_slots_[index].link.lock();
        if (!link || !link->is_up() || !link->has_uncut_input()) continue;
        link->serve_input(turn);
        if (link->may_have_input()) list_for_input(*link);
    }
    end_call(turn);
}

// I/O thread: has the caller been seen since the last tick? Then it is left in peace, and keeps the
// turn's bias. What this thread sees late of the count, it sees at the next tick.
void Socket::tick() {
    if (seen_.load(std::memory_order_relaxed) != seen_at_tick_) {
        idle_ticks_ = 0;
        tick_again();
        return;
    }
    Turn turn(turn_);
    if (waiting_ && borrowed_ && ++idle_ticks_ <= idle_ticks_max) {
        tick_again();
        return;
    }
    tick_armed_ = false; // armed again when the wait ends
    if (finished_) return;
    write_left_behind();
    if (!waiting_) hand_back();
    cut_for_caller(turn);
}

// With one link the report is most likely about that: it is read first. When that has read it
// empty, the set need not be asked: epoll looks again at what a set has noted before it tells the
// set above, and finds nothing. Else the report was about something else, or has to be taken out of
// the set, because the queue is full.
bool Socket::serve_only_link(Turn &turn) {
    const std::shared_ptr<Link> link = only_link_->shared_from_this();
    if (!link->is_up() || link->has_write_watch()) return false;
    const uint64_t reads = link->reads();
    link->note_ready(turn, ready::read);
    link->serve_input(turn);
    end_call(turn);
    return link->reads() != reads && !link->may_have_input();
}

// I/O thread: the set reports.
void Socket::serve_set() {
    const std::shared_ptr<Socket> self = shared_from_this();
    Turn turn(turn_);
    if (borrowed_ || !set_.is_open()) return;
    if (only_link_ && links_up_ == 1 && serve_only_link(turn)) return;
    if (borrowed_) return; // meanwhile: what is in the set is for that caller
    PollEvent events[set_events_max];
    const int count = set_.wait(events, set_events_max, 0);
    for (int i = 0; i < count; ++i) {
        if (events[i].id == waker_id) continue;
        const std::shared_ptr<Link> link = find_link(events[i].id);
        if (!link) continue;
        if (events[i].ready & (ready::read | ready::hangup)) list_for_input(*link);
        link->note_ready(turn, events[i].ready);
    }
    serve_listed_links(turn);
    end_call(turn);
}

void Socket::serve_listed_links(Turn &turn) {
    for (size_t n = inputs_.size(); n > 0 && !inputs_.empty(); --n) {
        Link &link = *inputs_.front();
        const std::shared_ptr<Link> held = link.shared_from_this();
        inputs_.pop_front();
        link.in_input_list = false;
        link.serve_input(turn);
        // Left over because its queue is full: the caller reads on when it has made room.
        if (link.may_have_input()) list_for_input(link);
    }
    end_call(turn);
}

} // namespace tern
