// zmq_poll and the proxies.
#include "api/api.hpp"
#include "socket/poll_crowd.hpp"
#include "socket/poll_items.hpp"
#include "socket/proxy.hpp"

using namespace tern;

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
        for (int i = 0; i < count; ++i) {
            PollItem &item = polled[size_t(i)];
            item.fd = items[i].fd;
            item.wanted = items[i].events;
            if (!items[i].socket) continue;
            item.socket = find_socket(items[i].socket);
            if (!item.socket) return fail(err::not_a_socket);
        }
        const auto ready = poll_items(polled, timeout_ms);
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
