#include "socket/poll_set.hpp"

#include "socket/handle.hpp"
#include "socket/poll_items.hpp"

#include <algorithm>
#include <cerrno>
#include <zmq.h>

namespace tern {

namespace {

bool are_known(int events) {
    return (events & ~(ZMQ_POLLIN | ZMQ_POLLOUT | ZMQ_POLLERR | ZMQ_POLLPRI)) == 0;
}

const Error bad_descriptor{EBADF};

} // namespace

PollSet::~PollSet() {
    for (const Entry &entry : entries_)
        if (const auto socket = entry.socket.lock()) unwatch(*socket);
}

PollSet::Place PollSet::find(const void *handle, int fd) {
    return std::find_if(entries_.begin(), entries_.end(), [handle, fd](const Entry &entry) {
        return entry.handle == handle && entry.fd == fd;
    });
}

// From now on the descriptor tells; what holds already is told at once.
Error PollSet::watch(Socket &socket, int events) {
    WaitingRoom *const room = socket.waiting_room();
    if (!room || socket.is_inherited()) return err::none;
    if (!watch_) {
        auto watch = std::make_shared<Waker>();
        if (const Error error = watch->open()) return error;
        watch_ = std::move(watch);
    }
    room->add_watch(watch_);
    room->arm(*watch_);
    Error error; // a socket whose context is ending says so in wait()
    if (socket.ready_events(events, error) != 0 || error) watch_->signal();
    return err::none;
}

void PollSet::unwatch(Socket &socket) {
    // In a forked child the room's lock may be held by a thread that is not there.
    if (socket.waiting_room() && !socket.is_inherited())
        socket.waiting_room()->remove_watch(*watch_);
}

Error PollSet::add(void *handle, void *user_data, int events) {
    Socket *const socket = find_socket(handle);
    if (!socket) return err::not_a_socket;
    if (!are_known(events) || find(handle, -1) != entries_.end()) return err::invalid;
    entries_.push_back({handle, socket->weak_from_this(), -1, user_data, events});
    const Error error = watch(*socket, events);
    if (error) entries_.pop_back();
    return error;
}

Error PollSet::modify(void *handle, int events) {
    if (!find_socket(handle)) return err::not_a_socket;
    const Place place = find(handle, -1);
    if (!are_known(events) || place == entries_.end()) return err::invalid;
    place->events = events;
    return err::none;
}

Error PollSet::remove(void *handle) {
    Socket *const socket = find_socket(handle);
    if (!socket) return err::not_a_socket;
    const Place place = find(handle, -1);
    if (place == entries_.end()) return err::invalid;
    unwatch(*socket);
    entries_.erase(place);
    return err::none;
}

Error PollSet::add_fd(int fd, void *user_data, int events) {
    if (fd < 0) return bad_descriptor;
    if (!are_known(events) || find(nullptr, fd) != entries_.end()) return err::invalid;
    entries_.push_back({nullptr, {}, fd, user_data, events});
    return err::none;
}

Error PollSet::modify_fd(int fd, int events) {
    if (fd < 0) return bad_descriptor;
    const Place place = find(nullptr, fd);
    if (!are_known(events) || place == entries_.end()) return err::invalid;
    place->events = events;
    return err::none;
}

Error PollSet::remove_fd(int fd) {
    if (fd < 0) return bad_descriptor;
    const Place place = find(nullptr, fd);
    if (place == entries_.end()) return err::invalid;
    entries_.erase(place);
    return err::none;
}

Error PollSet::wait(std::vector<Event> &ready, size_t room, long timeout_ms) {
    std::vector<PollItem> items;
    std::vector<const Entry *> sources;
    std::vector<std::shared_ptr<Socket>> held; // while the wait goes on
    for (const Entry &entry : entries_) {
        PollItem item;
        item.fd = entry.fd;
        item.wanted = entry.events;
        if (entry.handle) {
            held.push_back(entry.socket.lock());
            item.socket = held.back().get();
            if (!item.socket || find_socket(entry.handle) != item.socket) return err::not_a_socket;
        }
        if (entry.events == 0 || room == 0) continue;
        items.push_back(item);
        sources.push_back(&entry);
    }
    if (items.empty() && timeout_ms < 0) return err::fault;
    PollWays ways;
    ways.watch = watch_;
    const auto count = poll_items(items, timeout_ms, ways);
    if (!count) return count.error();
    for (size_t i = 0; i < items.size() && ready.size() < room; ++i) {
        if (items[i].ready == 0) continue;
        const Entry &entry = *sources[i];
        ready.push_back({entry.handle, entry.fd, entry.user_data, items[i].ready});
    }
    return ready.empty() ? err::again : err::none;
}

Result<int> PollSet::descriptor() const {
    if (!watch_) return err::invalid;
    return watch_->fd();
}

} // namespace tern
