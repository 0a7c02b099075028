// Waiting: how a calling thread sleeps on one socket, on several, or has a crowd sleep for it.
#include "os/memory_wait.hpp"
#include "socket/poll_crowd.hpp"
#include "socket/socket.hpp"

#include <poll.h>
#include <zmq.h>

namespace tern {

// Where everything comes by the mailbox, news that comes at once is cheaper to wait for awake: neither
// side makes a system call. True when there is news.
bool Socket::try_before_sleep(Turn &turn) {
    const Nanoseconds window = begin_watch();
    if (window == 0) return false;
    turn.unlock();
    const bool any = watch_for(window, [this] { return has_news(); });
    turn.lock();
    news_try_.end(any);
    return any;
}

Nanoseconds Socket::begin_watch() {
    const bool may_watch = links_up_ == 0 && may_try_before_sleep() && news_try_.is_due();
    return may_watch ? news_try_.window() : 0;
}

// The same, by a thread that polls several.
Nanoseconds Socket::watch_window() {
    if (is_inherited() || mailbox_->room()) return 0;
    Turn turn(turn_);
    return begin_watch();
}

void Socket::end_watch(bool has_brought) {
    Turn turn(turn_);
    news_try_.end(has_brought);
}

// Sleeps until something has happened, the deadline (no error: the caller looks at the clock), a
// signal or the context's end.
Error Socket::wait(Turn &turn, const Deadline &deadline, uint64_t changes_seen) {
    flush_batches(turn);
    // What was reported once is not reported again.
    if (!inputs_.empty() && read_listed_links(turn)) return begin_call();
    if (mailbox_->room()) return wait_among_others(turn, deadline, changes_seen);
    if (changes_ == changes_seen && try_before_sleep(turn)) return begin_call();
    // The waker is in the set, and what ZMQ_FD has named has to tell of every change.
    const bool is_on_set = set_.is_open() && borrows_;
    const bool is_on_word = can_sleep_on_words && !is_on_set && !fd_is_out_;
    if (is_on_word) {
        mailbox_->begin_sleep_on_word();
    } else {
        if (const Error error = mailbox_->open()) return error;
        mailbox_->begin_sleep_on_descriptor();
    }
    if (mailbox_->has_news() || changes_ != changes_seen ||
        terminated_.load(std::memory_order_seq_cst)) {
        mailbox_->end_sleep();
        return begin_call();
    }
    if (is_on_set) borrow();
    waiting_ = true;
    note_seen();
    int n;
    if (borrowed_) {
        n = collect(turn, deadline);
    } else if (is_on_word) {
        const Nanoseconds timeout = deadline.left_ns();
        turn.unlock();
        n = mailbox_->sleep_on_word(timeout) ? 0 : -1;
        turn.lock();
    } else {
        pollfd item{mailbox_->fd(), POLLIN, 0};
        const int timeout_ms = deadline.left_ms();
        turn.unlock();
        n = ::poll(&item, 1, timeout_ms);
        turn.lock();
    }
    waiting_ = false;
    mailbox_->end_sleep();
    if (borrowed_) {
        if (blocked_links_ > 0) hand_back();
        else arm_tick();
    }
    if (n < 0) return err::interrupted;
    const Error error = begin_call();
    end_call(turn);
    return error;
}

// The same on a thread-safe socket. Whatever changes here, by whichever thread, counts `changes_` up
// under the turn or is posted, and wakes the waiting room afterwards; so what this thread has not
// seen ends its sleep. A signal does not end the call (devices.md section 4).
Error Socket::wait_among_others(Turn &turn, const Deadline &deadline, uint64_t changes_seen) {
    WaitingRoom &room = *mailbox_->room();
    const uint32_t ticket = room.enter();
    if (!mailbox_->has_news() && changes_ == changes_seen && !closed_ &&
        !terminated_.load(std::memory_order_seq_cst)) {
        const Nanoseconds timeout = deadline.left_ns();
        turn.unlock();
        room.sleep(ticket, timeout);
        turn.lock();
    }
    room.leave();
    if (closed_) return err::not_a_socket;
    const Error error = begin_call();
    end_call(turn);
    return error;
}

int Socket::look(Turn &turn, int wanted, bool ask_kernel, bool will_wait) {
    int holds = 0;
    if (wanted & ZMQ_POLLIN) {
        bool readable = can_recv();
        if (!readable && ask_kernel) {
            end_call(turn);
            readable = bring_in(turn, will_wait) && can_recv();
            if (!borrowed_ && !read_by_caller_.empty()) look_after_uncut();
        }
        if (readable) holds |= ZMQ_POLLIN;
    }
    if ((wanted & ZMQ_POLLOUT) && pattern_->can_send()) holds |= ZMQ_POLLOUT;
    end_call(turn);
    return holds;
}

int Socket::ready_events(int wanted, Error &error) {
    const WaitsForMemory waits;
    Turn turn(turn_);
    error = is_inherited() ? err::interrupted : begin_call();
    if (error) return 0;
    changes_looked_at_ = changes_;
    return look(turn, wanted, true, false);
}

int Socket::begin_wait(int wanted, int &descriptor, Error &error) {
    const WaitsForMemory waits;
    Turn turn(turn_);
    if ((error = begin_call()) || (error = mailbox_->open())) return 0;
    flush_batches(turn);
    mailbox_->begin_sleep_on_descriptor();
    // Once more, now that everybody knows that we sleep.
    if ((error = check_alive())) {
        mailbox_->end_sleep();
        return 0;
    }
    if (mailbox_->has_news()) take_news();
    const int holds = look(turn, wanted, false, false);
    const bool has_read = holds == 0 && !inputs_.empty() && read_listed_links(turn);
    if (holds != 0 || has_read || mailbox_->has_news()) {
        mailbox_->end_sleep();
        descriptor = -1; // look again instead of waiting
        return holds;
    }
    if (set_.is_open() && borrows_) borrow();
    waiting_ = true;
    note_seen();
    descriptor = borrowed_ ? set_.fd() : mailbox_->fd();
    return 0;
}

void Socket::end_wait(bool has_news) {
    const WaitsForMemory waits;
    Turn turn(turn_);
    waiting_ = false;
    mailbox_->end_sleep();
    if (borrowed_) {
        if (has_news) (void)collect(turn, Deadline::in_ms(0));
        if (blocked_links_ > 0) hand_back();
        else arm_tick();
    }
}

int Socket::wait_for(int wanted, const Deadline &deadline, Error &error) {
    const WaitsForMemory waits;
    if (is_inherited()) {
        error = err::interrupted;
        return 0;
    }
    Turn turn(turn_);
    if ((error = begin_call())) return 0;
    uint64_t changes = changes_;
    int holds = look(turn, wanted, true, !deadline.is_immediate());
    while (holds == 0 && !deadline.has_passed()) {
        if ((error = wait(turn, deadline, changes))) return 0;
        changes = changes_;
        holds = look(turn, wanted, false, false);
    }
    return holds;
}

// ---- in a crowd

bool Socket::join_crowd(std::shared_ptr<PollCrowd> crowd, uint32_t index) {
    if (is_inherited()) return false;
    Turn turn(turn_);
    if (fd_is_out_ || mailbox_->room() || crowd_ == crowd) return false;
    part_with_crowd();
    crowd_ = std::move(crowd);
    crowd_index_ = index;
    return true;
}

void Socket::leave_crowd(const PollCrowd &crowd) {
    if (is_inherited()) return;
    Turn turn(turn_);
    if (crowd_.get() != &crowd) return;
    if (is_parked_) unpark();
    crowd_.reset();
}

// Another crowd has it now, or none.
void Socket::part_with_crowd() {
    if (!crowd_) return;
    if (is_parked_) unpark();
    crowd_->lose();
    crowd_.reset();
}

// The crowd looks again, because whatever ends the sleep may have brought something.
void Socket::unpark() {
    is_parked_ = false;
    if (!mailbox_->unpark()) crowd_->sleep_ended(crowd_index_);
}

int Socket::look_or_park(int wanted, Error &error) {
    const WaitsForMemory waits;
    if (is_inherited()) {
        error = err::interrupted;
        return 0;
    }
    Turn turn(turn_);
    if (closed_) {
        error = err::not_a_socket;
        return 0;
    }
    if ((error = begin_call())) return 0;
    int holds = look(turn, wanted, false, false);
    if (holds != 0 || !crowd_) return holds;
    flush_batches(turn);
    close_ways();
    mailbox_->park(*crowd_, crowd_index_);
    is_parked_ = true;
    // Once more, now that everybody knows that it sleeps.
    error = check_alive();
    if (!error) {
        if (mailbox_->has_news()) take_news();
        holds = look(turn, wanted, false, false);
        if (holds == 0 && !inputs_.empty() && read_listed_links(turn))
            holds = look(turn, wanted, false, false);
    }
    if ((error || holds != 0) && is_parked_) unpark();
    hand_back();
    return error ? 0 : holds;
}

} // namespace tern
