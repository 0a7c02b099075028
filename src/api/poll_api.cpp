// zmq_poll, zmq_ppoll and the proxies.
#include "api/api.hpp"
#include "socket/poll_crowd.hpp"
#include "socket/poll_items.hpp"
#include "socket/proxy.hpp"

#include <algorithm>

using namespace tern;

namespace {

// The list as the library has it. ENOTSOCK when one of the handles is no socket.
Error take_items(const zmq_pollitem_t *items, std::vector<PollItem> &polled) {
    for (size_t i = 0; i < polled.size(); ++i) {
        PollItem &item = polled[i];
        item.fd = items[i].fd;
        item.wanted = items[i].events;
        if (!items[i].socket) continue;
        item.socket = find_socket(items[i].socket);
        if (!item.socket) return err::not_a_socket;
    }
    return err::none;
}

bool has_thread_safe(const std::vector<PollItem> &items) {
    return std::any_of(items.begin(), items.end(), [](const PollItem &item) {
        return item.socket && item.socket->waiting_room();
    });
}

// A list with a thread-safe socket follows the rules of a poller (functions.md section 7).
int poll_as_poller(zmq_pollitem_t *items, const std::vector<PollItem> &polled, long timeout_ms) {
    constexpr int known = ZMQ_POLLIN | ZMQ_POLLOUT | ZMQ_POLLERR | ZMQ_POLLPRI;
    std::vector<PollItem> merged;
    std::vector<size_t> place(polled.size()); // of an item among the merged ones
    bool wants_any = false;
    for (size_t i = 0; i < polled.size(); ++i) {
        const PollItem &item = polled[i];
        if (item.wanted & ~known) return fail(err::invalid);
        if (!item.socket && item.fd < 0) return fail(Error(EBADF));
        wants_any |= item.wanted != 0;
        const auto same = std::find_if(merged.begin(), merged.end(), [&item](const PollItem &m) {
            return m.socket == item.socket && (item.socket || m.fd == item.fd);
        });
        place[i] = static_cast<size_t>(same - merged.begin());
        if (same == merged.end()) merged.push_back(item);
        else same->wanted |= item.wanted;
    }
    if (!wants_any && timeout_ms < 0) return fail(err::fault);
    for (PollItem &item : merged)
        if (!item.socket && item.wanted == 0) item.fd = -1;
    const auto ready = poll_items(merged, timeout_ms);
    if (!ready) return fail(ready.error());
    for (size_t i = 0; i < polled.size(); ++i)
        items[i].revents = static_cast<short>(merged[place[i]].ready & items[i].events);
    return *ready;
}

} // namespace

extern "C" {

int zmq_poll(zmq_pollitem_t *items, int count, long timeout_ms) {
    return guarded([&] {
        if (count < 0) return fail(err::invalid);
        if (!items && count > 0) return fail(err::fault);
        if (size_t(count) >= PollCrowd::members_min) {
            PollCrowd *const crowd = PollCrowd::of_this_thread();
            Result<int> ready = 0;
            if (crowd && crowd->poll(items, size_t(count), timeout_ms, ready))
                return ready ? *ready : fail(ready.error());
        }
        std::vector<PollItem> polled(static_cast<size_t>(count));
        if (const Error error = take_items(items, polled)) return fail(error);
        if (has_thread_safe(polled)) return poll_as_poller(items, polled, timeout_ms);
        const auto ready = poll_items(polled, timeout_ms);
        if (!ready) return fail(ready.error());
        for (int i = 0; i < count; ++i) items[i].revents = short(polled[size_t(i)].ready);
        return *ready;
    });
}

int zmq_ppoll(zmq_pollitem_t *items, int count, long timeout_ms, const sigset_t *signal_mask) {
    return guarded([&] {
        if (count < 0) return fail(err::invalid);
        if (!items && count > 0) return fail(err::fault);
        std::vector<PollItem> polled(static_cast<size_t>(count));
        if (const Error error = take_items(items, polled)) return fail(error);
        if (has_thread_safe(polled)) return fail(err::invalid);
        PollWays ways;
        ways.signal_mask = signal_mask;
        const auto ready = poll_items(polled, timeout_ms, ways);
        if (!ready) return fail(ready.error());
        for (int i = 0; i < count; ++i) items[i].revents = short(polled[size_t(i)].ready);
        return *ready;
    });
}

int zmq_proxy_steerable(void *front, void *back, void *capture, void *control) {
    return guarded([&] {
        Socket *sides[4] = {find_socket(front), find_socket(back), find_socket(capture),
                            find_socket(control)};
        if (!sides[0] || !sides[1]) return fail(err::fault);
        if ((capture && !sides[2]) || (control && !sides[3])) return fail(err::not_a_socket);
        return done(run_proxy(*sides[0], *sides[1], sides[2], sides[3]));
    });
}

int zmq_proxy(void *front, void *back, void *capture) {
    return zmq_proxy_steerable(front, back, capture, nullptr);
}

int zmq_device(int, void *front, void *back) { return zmq_proxy(front, back, nullptr); }

} // extern "C"
