#include "socket/poll_items.hpp"

#include <poll.h>
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
    explicit Poll(std::vector<PollItem> &items) : items_(items), kernel_(items.size()) {}

    Result<int> run(const Deadline &deadline) {
        for (;;) {
            auto ready = look();
            if (!ready || *ready > 0 || deadline.has_passed()) return ready;
            if (const Error error = sleep(deadline)) return error;
        }
    }

  private:
    // One check of everything, without sleeping.
    Result<int> look() {
        int count = 0;
        bool has_descriptors = false;
        for (size_t i = 0; i < items_.size(); ++i) {
            PollItem &item = items_[i];
            item.ready = 0;
            kernel_[i] = {-1, 0, 0};
            if (!item.socket) {
                kernel_[i] = {item.fd, to_kernel(item.wanted), 0};
                has_descriptors |= item.fd >= 0;
                continue;
            }
            Error error;
            item.ready = item.socket->ready_events(item.wanted & socket_events, error);
            if (error) return error;
            count += item.ready != 0;
        }
        if (!has_descriptors) return count;
        if (::poll(kernel_.data(), nfds_t(kernel_.size()), 0) < 0) return Error(errno);
        for (size_t i = 0; i < items_.size(); ++i) {
            if (items_[i].socket || !kernel_[i].revents) continue;
            items_[i].ready = from_kernel(kernel_[i].revents);
            ++count;
        }
        return count;
    }

    // Sleeps until something may have happened.
    Error sleep(const Deadline &deadline) {
        Error error;
        bool again = false;
        size_t begun = 0;
        for (; begun < items_.size() && !again && !error; ++begun) {
            PollItem &item = items_[begun];
            if (!item.socket) continue;
            int descriptor = -1;
            const int holds =
                item.socket->begin_wait(item.wanted & socket_events, descriptor, error);
            if (error) break;
            again = holds != 0 || descriptor < 0;
            if (again) break;
            kernel_[begun] = {descriptor, POLLIN, 0};
        }
        if (!again && !error &&
            ::poll(kernel_.data(), nfds_t(kernel_.size()), deadline.left_ms()) < 0)
            error = Error(errno);
        for (size_t i = 0; i < begun; ++i)
            if (items_[i].socket) items_[i].socket->end_wait(kernel_[i].revents != 0);
        return error;
    }

    std::vector<PollItem> &items_;
    std::vector<pollfd> kernel_;
};

// The usual case: one socket waits in one system call, on its own descriptors.
Result<int> poll_one_socket(PollItem &item, const Deadline &deadline) {
    Error error;
    item.ready = item.socket->wait_for(item.wanted & socket_events, deadline, error);
    if (error) return error;
    return item.ready != 0 ? 1 : 0;
}

} // namespace

Result<int> poll_items(std::vector<PollItem> &items, long timeout_ms) {
    const Deadline deadline = Deadline::in_ms(timeout_ms < 0 ? -1 : timeout_ms);
    if (items.size() == 1 && items[0].socket && (items[0].wanted & socket_events))
        return poll_one_socket(items[0], deadline);
    return Poll(items).run(deadline);
}

} // namespace tern
