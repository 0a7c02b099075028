// zmq_timers_*: callbacks at intervals, run by whoever calls zmq_timers_execute (TIM-1..7).
#include "api/api.hpp"
#include "os/clock.hpp"

#include <algorithm>
#include <map>
#include <vector>

using namespace tern;

namespace {

struct Timer {
    Nanoseconds interval;
    Nanoseconds due;
    zmq_timer_fn *handler;
    void *argument;
};

// Recognised by its tag, like every handle.
struct Timers {
    static constexpr uint32_t live = 0x7e417135;
    uint32_t tag = live;
    int last_id = 0;
    std::map<int, Timer> timers;
};

Timers *find(void *handle) {
    if (!handle || reinterpret_cast<uintptr_t>(handle) % alignof(Timers) != 0) return nullptr;
    Timers *timers = static_cast<Timers *>(handle);
    return timers->tag == Timers::live ? timers : nullptr;
}

Nanoseconds to_ns(size_t interval_ms) {
    constexpr size_t longest = size_t(never / ns_per_ms / 2);
    return Nanoseconds(std::min(interval_ms, longest)) * ns_per_ms;
}

} // namespace

extern "C" {

void *zmq_timers_new(void) {
    Timers *timers = new (std::nothrow) Timers;
    if (!timers) errno = ENOMEM;
    return timers;
}

int zmq_timers_destroy(void **handle) {
    Timers *timers = handle ? find(*handle) : nullptr;
    if (!timers) return fail(err::fault);
    timers->tag = 0;
    delete timers;
    *handle = nullptr;
    return 0;
}

int zmq_timers_add(void *handle, size_t interval_ms, zmq_timer_fn handler, void *argument) {
    return guarded([&] {
        Timers *timers = find(handle);
        if (!timers || !handler) return fail(err::fault);
        const Nanoseconds interval = to_ns(interval_ms);
        timers->timers[++timers->last_id] = {interval, now_ns() + interval, handler, argument};
        return timers->last_id;
    });
}

int zmq_timers_cancel(void *handle, int id) {
    Timers *timers = find(handle);
    if (!timers) return fail(err::fault);
    return timers->timers.erase(id) ? 0 : fail(err::invalid);
}

int zmq_timers_set_interval(void *handle, int id, size_t interval_ms) {
    Timers *timers = find(handle);
    if (!timers) return fail(err::fault);
    const auto it = timers->timers.find(id);
    if (it == timers->timers.end()) return fail(err::invalid);
    it->second.interval = to_ns(interval_ms);
    it->second.due = now_ns() + it->second.interval;
    return 0;
}

int zmq_timers_reset(void *handle, int id) {
    Timers *timers = find(handle);
    if (!timers) return fail(err::fault);
    const auto it = timers->timers.find(id);
    if (it == timers->timers.end()) return fail(err::invalid);
    it->second.due = now_ns() + it->second.interval;
    return 0;
}

long zmq_timers_timeout(void *handle) {
    Timers *timers = find(handle);
    if (!timers) return fail(err::fault);
    if (timers->timers.empty()) return -1;
    Nanoseconds first = never;
    for (const auto &entry : timers->timers) first = std::min(first, entry.second.due);
    const Nanoseconds left = first - now_ns();
    return left <= 0 ? 0 : static_cast<long>((left + ns_per_ms - 1) / ns_per_ms);
}

int zmq_timers_execute(void *handle) {
    return guarded([&] {
        Timers *timers = find(handle);
        if (!timers) return fail(err::fault);
        // What is due now runs once, earliest first. Handlers may add, cancel or reset any timer, so
        // each is looked up again, and runs only if it is still due.
        const Nanoseconds now = now_ns();
        std::vector<std::pair<Nanoseconds, int>> due;
        for (const auto &entry : timers->timers)
            if (entry.second.due <= now) due.emplace_back(entry.second.due, entry.first);
        std::sort(due.begin(), due.end());
        for (const auto &[at, id] : due) {
            const auto it = timers->timers.find(id);
            if (it == timers->timers.end() || it->second.due != at) continue;
            const Timer timer = it->second;
            it->second.due = now + timer.interval;
            timer.handler(id, timer.argument);
        }
        return 0;
    });
}

} // extern "C"
