#include "reactor/loop.hpp"

#include "os/memory_wait.hpp"

#include <algorithm>
#include <mutex>

namespace tern {

namespace {
constexpr uint64_t waker_id = UINT64_MAX;
constexpr int events_max = 64;
uint64_t make_id(uint32_t generation, size_t index) {
    return uint64_t(generation) << 32 | (uint32_t(index) + 1);
}
size_t slot_index(uint64_t id) { return uint32_t(id) - 1; }
uint32_t slot_generation(uint64_t id) { return uint32_t(id >> 32); }
} // namespace

Loop::~Loop() {
    stop();
    for (size_t i = 0; i + 1 < wakers_.size(); ++i) wakers_[i]->disown();
}

Error Loop::start(ThreadSettings settings) {
    if (const Error error = poller_.open()) return error;
    if (const Error error = add_waker()) return error;
    settings.precise_timers = true;
    return thread_.start(std::move(settings), [this] { run(); });
}

void Loop::stop() {
    if (!thread_.is_started()) return;
    const WaitsForMemory waits; // destructors come here
    post([this] { stopping_ = true; });
    thread_.join();
}

Error Loop::add_waker() {
    auto fresh = std::make_unique<Waker>();
    if (const Error error = fresh->open()) return error;
    if (const Error error = poller_.add(fresh->fd(), waker_id, ready::read)) return error;
    wakers_.push_back(std::move(fresh));
    waker_.store(wakers_.back().get(), std::memory_order_release);
    return err::none;
}

// The thread sleeps on a descriptor that the program has closed. It waits for what is added, too.
void Loop::wake_anew() {
    std::lock_guard<Lock> guard(lock_);
    if (!add_waker()) (void)waker_.load(std::memory_order_acquire)->signal();
}

bool Loop::is_own_thread() const {
    return ::pthread_equal(thread_id_.load(std::memory_order_relaxed), ::pthread_self());
}

void Loop::post(Task task) {
    {
        std::lock_guard<Lock> guard(lock_);
        tasks_.push_back(std::move(task));
    }
    if (asleep_.load(std::memory_order_seq_cst) && asleep_.exchange(false) &&
        !waker_.load(std::memory_order_acquire)->signal())
        wake_anew();
}

void Loop::run() {
    const WaitsForMemory waits;
    thread_id_.store(::pthread_self(), std::memory_order_relaxed);
    PollEvent events[events_max];
    while (!stopping_) {
        Nanoseconds timeout = run_timers();
        // Published before the last look at the tasks, so that no post goes unnoticed.
        asleep_.store(true, std::memory_order_seq_cst);
        if (run_tasks()) timeout = 0;
        if (stopping_) break;
        renew_memory_reserve();
        const int n = poller_.wait(events, events_max, timeout);
        asleep_.store(false, std::memory_order_seq_cst);
        for (int i = 0; i < n; ++i) {
            if (events[i].id == waker_id) (void)waker_.load(std::memory_order_acquire)->drain();
            else dispatch(events[i]);
        }
    }
    while (run_tasks()) {
    }
}

bool Loop::run_tasks() {
    std::vector<Task> tasks;
    {
        std::lock_guard<Lock> guard(lock_);
        tasks.swap(tasks_);
    }
    for (Task &task : tasks) task();
    return !tasks.empty();
}

Nanoseconds Loop::run_timers() {
    // One reading of the clock: a timer that re-arms itself at once waits for the next round.
    const Nanoseconds now = timers_.empty() ? 0 : now_ns();
    bool any = false;
    while (!timers_.empty()) {
        const auto first = timers_.begin();
        const Nanoseconds left = first->first.at - now;
        // What a task has armed goes by a later time.
        if (left > 0) return any ? std::max<Nanoseconds>(first->first.at - now_ns(), 0) : left;
        any = true;
        const Task task = std::move(first->second);
        timers_.erase(first);
        task();
    }
    return never;
}

void Loop::dispatch(const PollEvent &event) {
    // What was reported may have been unwatched by an earlier event of the same batch.
    const size_t index = slot_index(event.id);
    if (index >= slots_.size()) return;
    const Slot &slot = slots_[index];
    if (slot.handler && slot.generation == slot_generation(event.id))
        slot.handler->on_ready(event.ready);
}

Result<Loop::WatchId> Loop::watch(int fd, EventHandler &handler, unsigned interest) {
    size_t index;
    if (free_slots_.empty()) {
        index = slots_.size();
        slots_.emplace_back();
    } else {
        index = free_slots_.back();
        free_slots_.pop_back();
    }
    Slot &slot = slots_[index];
    const WatchId id = make_id(slot.generation, index);
    if (const Error error = poller_.add(fd, id, interest)) {
        free_slots_.push_back(uint32_t(index));
        return error;
    }
    slot.handler = &handler;
    return id;
}

Error Loop::change(WatchId id, int fd, unsigned interest) {
    return poller_.modify(fd, id, interest);
}

void Loop::unwatch(WatchId &id, int fd) {
    if (id == 0) return;
    if (fd >= 0) poller_.remove(fd);
    Slot &slot = slots_[slot_index(id)];
    slot.handler = nullptr;
    ++slot.generation;
    free_slots_.push_back(uint32_t(slot_index(id)));
    id = 0;
}

Loop::TimerId Loop::add_timer(Nanoseconds at, Task task) {
    const TimerId id{at, next_timer_++};
    timers_.emplace(id, std::move(task));
    return id;
}

void Loop::cancel_timer(TimerId &id) {
    if (id) timers_.erase(id);
    id = {};
}

} // namespace tern
