// zmq_poller_*: sets of sockets and descriptors that are kept between waits.
#include "api/api.hpp"
#include "socket/poll_set.hpp"

using namespace tern;

namespace {

template <class Call>
int on_poller(void *handle, Call call) {
    return guarded([&] {
        PollSet *const set = find_poll_set(handle);
        return set ? call(*set) : fail(err::fault);
    });
}

zmq_poller_event_t to_c(const PollSet::Event &event) {
    return {event.handle, event.fd, event.user_data, static_cast<short>(event.events)};
}

constexpr PollSet::Event no_event{nullptr, -1, nullptr, 0};

} // namespace

extern "C" {

void *zmq_poller_new(void) {
    try {
        void *handle = make_handle(HandleKind::poller, std::make_shared<PollSet>());
        if (handle) return handle;
    } catch (const std::bad_alloc &) {
    }
    errno = ENOMEM;
    return nullptr;
}

int zmq_poller_destroy(void **poller) {
    return guarded([&] {
        if (!poller || !retire_handle(*poller, HandleKind::poller)) return fail(err::fault);
        *poller = nullptr;
        return 0;
    });
}

int zmq_poller_size(void *poller) {
    return on_poller(poller, [](PollSet &set) { return static_cast<int>(set.size()); });
}

int zmq_poller_add(void *poller, void *socket, void *user_data, short events) {
    return on_poller(poller,
                     [&](PollSet &set) { return done(set.add(socket, user_data, events)); });
}

int zmq_poller_modify(void *poller, void *socket, short events) {
    return on_poller(poller, [&](PollSet &set) { return done(set.modify(socket, events)); });
}

int zmq_poller_remove(void *poller, void *socket) {
    return on_poller(poller, [&](PollSet &set) { return done(set.remove(socket)); });
}

int zmq_poller_add_fd(void *poller, zmq_fd_t fd, void *user_data, short events) {
    return on_poller(poller, [&](PollSet &set) { return done(set.add_fd(fd, user_data, events)); });
}

int zmq_poller_modify_fd(void *poller, zmq_fd_t fd, short events) {
    return on_poller(poller, [&](PollSet &set) { return done(set.modify_fd(fd, events)); });
}

int zmq_poller_remove_fd(void *poller, zmq_fd_t fd) {
    return on_poller(poller, [&](PollSet &set) { return done(set.remove_fd(fd)); });
}

int zmq_poller_wait_all(void *poller, zmq_poller_event_t *events, int count, long timeout_ms) {
    return on_poller(poller, [&](PollSet &set) {
        if (!events) return fail(err::fault);
        if (count < 0) return fail(err::invalid);
        std::vector<PollSet::Event> ready;
        if (const Error error = set.wait(ready, static_cast<size_t>(count), timeout_ms))
            return fail(error);
        for (size_t i = 0; i < static_cast<size_t>(count); ++i)
            events[i] = to_c(i < ready.size() ? ready[i] : no_event);
        return static_cast<int>(ready.size());
    });
}

int zmq_poller_wait(void *poller, zmq_poller_event_t *event, long timeout_ms) {
    if (zmq_poller_wait_all(poller, event, 1, timeout_ms) >= 0) return 0;
    if (event) *event = to_c(no_event);
    return -1;
}

int zmq_poller_fd(void *poller, zmq_fd_t *fd) {
    return on_poller(poller, [&](PollSet &set) {
        const auto descriptor = set.descriptor();
        if (!descriptor) return fail(descriptor.error());
        if (!fd) return fail(err::fault);
        *fd = *descriptor;
        return 0;
    });
}

} // extern "C"
