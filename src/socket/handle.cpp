#include "socket/handle.hpp"

#include "os/memory_wait.hpp"

#include <cstring>
#include <deque>
#include <mutex>
#include <new>
#include <pthread.h>

namespace tern {

namespace {

// Dead handles wait here, oldest first, until many others have died after them.
constexpr size_t kept_aside = 4096;

struct Dead {
    std::mutex mutex;
    std::deque<Handle *> handles;
};

// Never destroyed: handles may be used while the process exits.
Dead &dead() {
    static Dead *list = new Dead;
    return *list;
}

// A child has this thread alone, so nobody else may hold the lock when it is made.
void before_fork() { dead().mutex.lock(); }
void after_fork() { dead().mutex.unlock(); }
[[maybe_unused]] const int at_fork = ::pthread_atfork(before_fork, after_fork, after_fork);

} // namespace

void *make_handle(HandleKind kind, std::shared_ptr<void> object) {
    Handle *handle = nullptr;
    {
        Dead &list = dead();
        std::lock_guard<std::mutex> guard(list.mutex);
        if (list.handles.size() > kept_aside) {
            handle = list.handles.front();
            list.handles.pop_front();
        }
    }
    if (!handle) handle = new (std::nothrow) Handle{};
    if (!handle) return nullptr;
    handle->object = std::move(object);
    handle->kind.store(static_cast<uint32_t>(kind), std::memory_order_release);
    return handle;
}

std::shared_ptr<void> retire_handle(void *handle, HandleKind kind) {
    if (!find_object(handle, kind)) return nullptr;
    const WaitsForMemory waits;
    Handle &held = *static_cast<Handle *>(handle);
    uint32_t expected = static_cast<uint32_t>(kind);
    if (!held.kind.compare_exchange_strong(expected, 0)) return nullptr;
    std::shared_ptr<void> object = std::move(held.object);
    Dead &list = dead();
    std::lock_guard<std::mutex> guard(list.mutex);
    list.handles.push_back(&held);
    return object;
}

} // namespace tern
