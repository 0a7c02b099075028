#include "socket/poll_crowd.hpp"

#include "base/compiler.hpp"
#include "base/thread_end.hpp"
#include "socket/handle.hpp"
#include "socket/socket.hpp"

#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <poll.h>

namespace tern {

namespace {
constexpr int crowd_events = ZMQ_POLLIN | ZMQ_POLLOUT;
}

// The members leave with the thread that polled them.
struct PollCrowdOfThread : ThreadEnd::Note {
    std::shared_ptr<PollCrowd> crowd;
    void end();
};

namespace {
TERN_NEAR_THREAD_LOCAL PollCrowdOfThread *own_crowd = nullptr;
}

void PollCrowdOfThread::end() {
    own_crowd = nullptr;
    if (crowd && !crowd->fork_guard_.is_inherited()) crowd->disband();
}

PollCrowd *PollCrowd::of_this_thread() {
    if (!own_crowd) own_crowd = ThreadEnd::keep<PollCrowdOfThread>();
    if (!own_crowd) return nullptr;
    std::shared_ptr<PollCrowd> &crowd = own_crowd->crowd;
    if (crowd && crowd->fork_guard_.is_inherited()) crowd.reset();
    if (!crowd) {
        std::shared_ptr<PollCrowd> fresh(new PollCrowd);
        if (fresh->waker_.open()) return nullptr;
        crowd = std::move(fresh);
    }
    return crowd.get();
}

// ---- from members

void PollCrowd::sleep_ended(uint32_t index) {
    {
        const std::lock_guard<Lock> held(lock_);
        if (reported_.size() == reported_.capacity()) return; // of a crowd that is no more
        reported_.push_back(index);
    }
    has_reports_.store(true, std::memory_order_seq_cst);
    wake();
}

void PollCrowd::lose() {
    is_stale_.store(true, std::memory_order_seq_cst);
    wake();
}

void PollCrowd::wake() {
    if (is_asleep_.load(std::memory_order_seq_cst) && is_asleep_.exchange(false))
        (void)waker_.signal();
}

// ---- the thread that polls

// Compares all but `revents`, which are right for those that are not listed afterwards. An application
// that passes the items as the last call left them has them compared as bytes: that is most of what a
// call costs.
bool PollCrowd::is_same(zmq_pollitem_t *items, size_t count) {
    if (!is_gathered_ || count != items_.size() || is_stale_.load(std::memory_order_seq_cst))
        return false;
    if (std::memcmp(items, items_.data(), count * sizeof *items) == 0) return true;
    unsigned differs = 0;
    int left_over = 0;
    for (size_t i = 0; i < count; ++i) {
        differs |= unsigned(items[i].socket != items_[i].socket);
        differs |= unsigned(items[i].fd != items_[i].fd);
        differs |= unsigned(items[i].events != items_[i].events);
        left_over |= items[i].revents;
    }
    if (differs) return false;
    if (left_over != 0)
        for (size_t i = 0; i < count; ++i) items[i].revents = 0;
    for (const uint32_t index : listed_) items_[index].revents = 0;
    return true;
}

void PollCrowd::disband() {
    for (Member &member : members_)
        if (const std::shared_ptr<Socket> socket = member.socket.lock()) socket->leave_crowd(*this);
    members_.clear();
    listed_.clear();
    is_gathered_ = false;
    const std::lock_guard<Lock> held(lock_);
    reported_.clear();
    has_reports_.store(false, std::memory_order_relaxed);
}

// False: the items do not suit.
Result<bool> PollCrowd::gather(const zmq_pollitem_t *items, size_t count) {
    disband();
    is_stale_.store(false, std::memory_order_seq_cst);
    items_.assign(items, items + count);
    for (zmq_pollitem_t &item : items_) item.revents = 0;
    members_.resize(count);
    listed_.reserve(count);
    {
        std::vector<uint32_t> room;
        room.reserve(count);
        const std::lock_guard<Lock> held(lock_);
        if (reported_.capacity() < count) reported_.swap(room);
    }
    is_gathered_ = true;
    suits_ = true;
    for (size_t i = 0; i < count; ++i) suits_ &= items[i].socket != nullptr;
    for (size_t i = 0; i < count && suits_; ++i) {
        Socket *const socket = find_socket(items[i].socket);
        if (!socket) return err::not_a_socket;
        members_[i].socket = socket->weak_from_this();
        // Says no also to a socket that stands in two items.
        suits_ = socket->join_crowd(shared_from_this(), uint32_t(i));
        if (!suits_) break;
        members_[i].is_listed = true;
        listed_.push_back(uint32_t(i));
    }
    if (suits_) return true;
    // Remembered, so that the next call with the same items does not ask again.
    std::vector<zmq_pollitem_t> kept;
    kept.swap(items_);
    disband();
    items_.swap(kept);
    is_gathered_ = true;
    return false;
}

void PollCrowd::take_reports() {
    if (!has_reports_.load(std::memory_order_seq_cst)) return;
    const std::lock_guard<Lock> held(lock_);
    has_reports_.store(false, std::memory_order_relaxed);
    for (const uint32_t index : reported_) {
        if (index >= members_.size() || members_[index].is_listed) continue;
        members_[index].is_listed = true;
        listed_.push_back(index);
    }
    reported_.clear();
}

Result<int> PollCrowd::look(zmq_pollitem_t *items) {
    take_reports();
    int count = 0;
    for (size_t at = 0; at < listed_.size();) {
        const uint32_t index = listed_[at];
        const std::shared_ptr<Socket> socket = members_[index].socket.lock();
        if (!socket) return err::not_a_socket;
        Error error;
        const int holds = socket->look_or_park(items[index].events & crowd_events, error);
        if (error) return error;
        items[index].revents = items_[index].revents = short(holds);
        if (holds != 0) {
            ++count;
            ++at;
            continue;
        }
        members_[index].is_listed = false;
        listed_[at] = listed_.back();
        listed_.pop_back();
    }
    return count;
}

Error PollCrowd::sleep(const Deadline &deadline) {
    is_asleep_.store(true, std::memory_order_seq_cst);
    int n = 0;
    int number = 0;
    if (!has_reports_.load(std::memory_order_seq_cst) && !is_stale_.load(std::memory_order_seq_cst)) {
        pollfd item{waker_.fd(), POLLIN, 0};
        n = ::poll(&item, 1, deadline.left_ms());
        number = errno;
    }
    // Whoever has taken the flag away signals, or has signalled.
    if (!is_asleep_.exchange(false, std::memory_order_seq_cst)) waker_.drain_promised();
    return n < 0 ? Error(number) : err::none;
}

bool PollCrowd::poll(zmq_pollitem_t *items, size_t count, long timeout_ms, Result<int> &ready) {
    const Deadline deadline = Deadline::in_ms(timeout_ms < 0 ? -1 : timeout_ms);
    for (;;) {
        if (!is_same(items, count)) {
            const Result<bool> suits = gather(items, count);
            if (!suits) {
                disband();
                ready = suits.error();
                return true;
            }
            for (size_t i = 0; i < count && suits_; ++i) items[i].revents = 0;
        }
        if (!suits_) return false;
        ready = look(items);
        if (is_stale_.load(std::memory_order_seq_cst)) continue;
        if (!ready) {
            disband();
            return true;
        }
        if (*ready > 0 || deadline.has_passed()) return true;
        if (const Error error = sleep(deadline)) {
            ready = error;
            return true;
        }
    }
}

} // namespace tern
