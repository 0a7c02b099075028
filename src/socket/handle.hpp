// Handle: what the application holds for a context or a socket. Its memory is never given back to the
// system and not reused soon, so that a stale or foreign pointer is told apart instead of followed.
// Threads: any.
// Limit:   16 bytes per object alive at the same time, plus `kept_aside`.
#ifndef TERN_SOCKET_HANDLE_HPP
#define TERN_SOCKET_HANDLE_HPP

#include <cstdint>
#include <memory>

namespace tern {

class Context;
class Socket;

enum class HandleKind : uint32_t {
    none = 0,
    context = 0x7e41c0de,
    socket = 0x7e4150c3,
};

// New handle for an object; null when there is no memory.
void *make_handle(HandleKind kind, std::shared_ptr<void> object);
// The object behind a handle of this kind; null for everything else that can be read.
void *find_object(void *handle, HandleKind kind);
// Takes the object out: the handle is dead from here on. Null when it was dead.
std::shared_ptr<void> retire_handle(void *handle, HandleKind kind);

inline Context *find_context(void *handle) {
    return static_cast<Context *>(find_object(handle, HandleKind::context));
}
inline Socket *find_socket(void *handle) {
    return static_cast<Socket *>(find_object(handle, HandleKind::socket));
}

} // namespace tern

#endif
