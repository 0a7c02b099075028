// PollSet: what zmq_poller_* keep: sockets and descriptors with the events that are wanted of them
// and the application's own data, in the order in which they came.
// Threads: one at a time, without a lock. Its sockets may be in use elsewhere if they are
//          thread-safe.
// Owner:   the application's handle. Sockets are only referred to: one that was closed is noticed.
#ifndef TERN_SOCKET_POLL_SET_HPP
#define TERN_SOCKET_POLL_SET_HPP

#include "base/error.hpp"
#include "os/waker.hpp"

#include <memory>
#include <vector>

namespace tern {

class Socket;

class PollSet {
  public:
    struct Event {
        void *handle; // null: the descriptor
        int fd;       // -1 for sockets
        void *user_data;
        int events;
    };

    PollSet() = default;
    PollSet(const PollSet &) = delete;
    PollSet &operator=(const PollSet &) = delete;
    ~PollSet();

    size_t size() const { return entries_.size(); }
    // ENOTSOCK, EBADF, EINVAL: the handle; the descriptor; the events or what is registered.
    Error add(void *handle, void *user_data, int events);
    Error modify(void *handle, int events);
    Error remove(void *handle);
    Error add_fd(int fd, void *user_data, int events);
    Error modify_fd(int fd, int events);
    Error remove_fd(int fd);

    // Up to `room` events. EAGAIN at the timeout; EFAULT for a wait that could never end.
    Error wait(std::vector<Event> &ready, size_t room, long timeout_ms);
    // The descriptor that says when to call wait(). EINVAL before a thread-safe socket was added.
    Result<int> descriptor() const;

  private:
    struct Entry {
        void *handle;
        std::weak_ptr<Socket> socket;
        int fd;
        void *user_data;
        int events;
    };
    using Place = std::vector<Entry>::iterator;
    Place find(const void *handle, int fd);
    Error watch(Socket &socket, int events);
    void unwatch(Socket &socket);

    std::vector<Entry> entries_;
    std::shared_ptr<Waker> watch_; // the thread-safe ones signal here
};

} // namespace tern

#endif
