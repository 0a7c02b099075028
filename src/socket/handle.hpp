// Handle: what the application holds for a context, a socket or a poller. Its memory is never given back to the
// system and not reused soon, so that a stale or foreign pointer is told apart instead of followed.
// Threads: any.
// Limit:   16 bytes per object alive at the same time, plus `kept_aside`.
#ifndef TERN_SOCKET_HANDLE_HPP
#define TERN_SOCKET_HANDLE_HPP

#include <atomic>
#include <cstdint>
#include <memory>

namespace tern {

class Context;
class PollSet;
class Socket;

enum class HandleKind : uint32_t {
    none = 0,
    context = 0x7e41c0de,
    socket = 0x7e4150c3,
    poller = 0x7e41f011,
};

// New handle for an object; null when there is no memory.
void *make_handle(HandleKind kind, std::shared_ptr<void> object);

// What a handle points to.
struct Handle {
    std::atomic<uint32_t> kind;
    std::shared_ptr<void> object;
};

// The object behind a handle of this kind; null for everything else that can be read.
inline void *find_object(void *handle, HandleKind kind) {
    // It may be anybody's memory, perhaps unaligned.
    if (!handle || reinterpret_cast<uintptr_t>(handle) % alignof(Handle) != 0) return nullptr;
    Handle &held = *static_cast<Handle *>(handle);
    if (held.kind.load(std::memory_order_acquire) != static_cast<uint32_t>(kind)) return nullptr;
    return held.object.get();
}
// Takes the object out: the handle is dead from here on. Null when it was dead.
std::shared_ptr<void> retire_handle(void *handle, HandleKind kind);

inline Context *find_context(void *handle) {
    return static_cast<Context *>(find_object(handle, HandleKind::context));
}
inline Socket *find_socket(void *handle) {
    return static_cast<Socket *>(find_object(handle, HandleKind::socket));
}
inline PollSet *find_poll_set(void *handle) {
    return static_cast<PollSet *>(find_object(handle, HandleKind::poller));
}

} // namespace tern

#endif
