#include "socket/poll_items.hpp"

#include "os/masked_poll.hpp"

#include <algorithm>
#include <zmq.h>

namespace tern {

namespace {

constexpr int socket_events = ZMQ_POLLIN | ZMQ_POLLOUT;

short to_kernel(int wanted) {
    short events = 0;
    if (wanted & ZMQ_POLLIN) events |= POLLIN;
    if (wanted & ZMQ_POLLOUT) events |= POLLOUT;
    if (wanted & ZMQ_POLLPRI) events |= POLLPRI;
    return events;
}

// Anything abnormal is POLLERR, asked for or not (functions.md section 7).
int from_kernel(short events) {
    int ready = 0;
    if (events & POLLIN) ready |= ZMQ_POLLIN;
    if (events & POLLOUT) ready |= ZMQ_POLLOUT;
    if (events & POLLPRI) ready |= ZMQ_POLLPRI;
    if (events & ~(POLLIN | POLLOUT | POLLPRI)) ready |= ZMQ_POLLERR;
    return ready;
}

class Poll {
  public:
    Poll(std::vector<PollItem> &items, const PollWays &ways)
        : items_(items), ways_(ways), watch_(ways.watch), kernel_(items.size() + 1) {
        has_shared_ = std::any_of(items.begin(), items.end(), [](const PollItem &item) {
            return item.socket && item.socket->waiting_room();
        });
    }
    ~Poll() {
        if (watch_ && !ways_.watch)
            for_each_room([this](WaitingRoom &room) { room.remove_watch(*watch_); });
    }

    Result<int> run(const Deadline &deadline) {
        for (;;) {
            if (watch_) arm();
            const auto ready = look();
            if (!ready || *ready > 0) return ready;
            if (deadline.has_passed()) return let_signals_in();
            if (has_shared_ && !watch_) {
                if (const Error error = make_watch()) return error;
                continue;
            }
            if (watch_mailboxes(deadline)) continue;
            if (const Error error = sleep(deadline)) return error;
        }
    }

  private:
    // Where everything comes by mailboxes, for a little while before the sleep. True when there is news.
    bool watch_mailboxes(const Deadline &deadline) {
        Nanoseconds window = 0;
        for (PollItem &item : items_) {
            window = item.socket ? item.socket->watch_window() : 0;
            if (window == 0) break;
        }
        if (window == 0) return false;
        const auto has_news = [](const PollItem &item) { return item.socket->has_news(); };
        const bool any = watch_for(std::min(window, deadline.left_ns()), [&] {
            return std::any_of(items_.begin(), items_.end(), has_news);
        });
        for (PollItem &item : items_) item.socket->end_watch(any);
        return any;
    }

    template <class Call>
    void for_each_room(Call call) {
        // Not in a forked child, where a thread that is not there may hold the room's lock.
        for (PollItem &item : items_)
            if (item.socket && item.socket->waiting_room() && !item.socket->is_inherited())
                call(*item.socket->waiting_room());
    }

    // Most calls find something ready and need none.
    Error make_watch() {
        auto watch = std::make_shared<Waker>();
        if (const Error error = watch->open()) return error;
        watch_ = std::move(watch);
        for_each_room([this](WaitingRoom &room) { room.add_watch(watch_); });
        return err::none;
    }

    // What comes from here on is signalled anew; what was before, look() sees.
    void arm() {
        (void)watch_->drain();
        for_each_room([this](WaitingRoom &room) { room.arm(*watch_); });
    }

    // A signal that only the other mask lets through is heard also by a call that does not sleep.
    Result<int> let_signals_in() {
        if (ways_.signal_mask && masked_poll(nullptr, 0, 0, ways_.signal_mask) < 0)
            return Error(errno);
        return 0;
    }

    // One check of everything, without sleeping.
    Result<int> look() {
        if (const Error error = look_at_descriptors()) return error;
        int count = 0;
        for (PollItem &item : items_) {
            Error error;
            if (item.socket)
                item.ready = item.socket->ready_events(item.wanted & socket_events, error);
            if (error) return error;
            count += item.ready != 0;
        }
        return count;
    }

    // Before the sockets: one of these may be the ZMQ_FD of one of those, which then takes the news that
    // made it readable. For the same reason what a sleep has found stands.
    Error look_at_descriptors() {
        bool has_descriptors = false;
        for (size_t i = 0; i < items_.size(); ++i) {
            PollItem &item = items_[i];
            item.ready = item.socket ? 0 : from_kernel(kernel_[i].revents);
            kernel_[i] = {item.socket ? -1 : item.fd, to_kernel(item.wanted), 0};
            has_descriptors |= kernel_[i].fd >= 0;
        }
        if (!has_descriptors) return err::none;
        if (::poll(kernel_.data(), nfds_t(items_.size()), 0) < 0) return Error(errno);
        for (size_t i = 0; i < items_.size(); ++i)
            if (!items_[i].socket) items_[i].ready |= from_kernel(kernel_[i].revents);
        return err::none;
    }

    // Sleeps until something may have happened.
    Error sleep(const Deadline &deadline) {
        Error error;
        bool again = false;
        size_t begun = 0;
        for (; begun < items_.size() && !again && !error; ++begun) {
            PollItem &item = items_[begun];
            if (!item.socket || item.socket->waiting_room()) continue;
            int descriptor = -1;
            const int holds =
                item.socket->begin_wait(item.wanted & socket_events, descriptor, error);
            if (error) break;
            again = holds != 0 || descriptor < 0;
            if (again) break;
            kernel_[begun] = {descriptor, POLLIN, 0};
        }
        kernel_.back() = {watch_ ? watch_->fd() : -1, POLLIN, 0};
        if (!again && !error && wait_in_kernel(deadline) < 0) error = Error(errno);
        for (size_t i = 0; i < begun; ++i)
            if (items_[i].socket && !items_[i].socket->waiting_room())
                items_[i].socket->end_wait(kernel_[i].revents != 0);
        return error;
    }

    int wait_in_kernel(const Deadline &deadline) {
        if (ways_.signal_mask)
            return masked_poll(kernel_.data(), nfds_t(kernel_.size()), deadline.left_ns(),
                               ways_.signal_mask);
        return ::poll(kernel_.data(), nfds_t(kernel_.size()), deadline.left_ms());
    }

    std::vector<PollItem> &items_;
    const PollWays &ways_;
    std::shared_ptr<Waker> watch_;
    bool has_shared_ = false;
    std::vector<pollfd> kernel_; // one for each item, and one for the watch
};

// The usual case: one ordinary socket waits in one system call, on its own descriptors.
Result<int> poll_one_socket(PollItem &item, const Deadline &deadline) {
    Error error;
    item.ready = item.socket->wait_for(item.wanted & socket_events, deadline, error);
    if (error) return error;
    return item.ready != 0 ? 1 : 0;
}

} // namespace

Result<int> poll_items(std::vector<PollItem> &items, long timeout_ms, const PollWays &ways) {
    const Deadline deadline = Deadline::in_ms(timeout_ms < 0 ? -1 : timeout_ms);
    if (items.size() == 1 && items[0].socket && (items[0].wanted & socket_events) &&
        !items[0].socket->waiting_room() && !ways.signal_mask)
        return poll_one_socket(items[0], deadline);
    return Poll(items, ways).run(deadline);
}

} // namespace tern
