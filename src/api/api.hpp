// What the C functions share: results become -1 and errno, and nothing is thrown through C.
#ifndef TERN_API_API_HPP
#define TERN_API_API_HPP

#include "base/error.hpp"
#include "base/message.hpp"
#include "socket/context.hpp"
#include "socket/handle.hpp"
#include "socket/socket.hpp"

#include <cerrno>
#include <climits>
#include <new>
#include <zmq.h>

namespace tern {

static_assert(sizeof(zmq_msg_t) == sizeof(Message), "a zmq_msg_t is a Message");

inline int fail(Error error) {
    errno = error.number();
    return -1;
}
inline int done(Error error) { return error ? fail(error) : 0; }
inline int capped(size_t size) { return size > INT_MAX ? INT_MAX : static_cast<int>(size); }

inline Message *as_message(zmq_msg_t *message) { return reinterpret_cast<Message *>(message); }
inline const Message *as_message(const zmq_msg_t *message) {
    return reinterpret_cast<const Message *>(message);
}

// Memory can run out anywhere inside; for the caller that is an errno.
template <class Call>
auto guarded(Call call) -> decltype(call()) {
    try {
        return call();
    } catch (const std::bad_alloc &) {
        errno = ENOMEM;
    } catch (...) {
        errno = EFAULT;
    }
    return decltype(call())(-1);
}

// -1 and ENOTSOCK, or what `call` makes of the socket.
template <class Call>
int on_socket(void *handle, Call call) {
    return guarded([&] {
        Socket *socket = find_socket(handle);
        return socket ? call(*socket) : fail(err::not_a_socket);
    });
}

} // namespace tern

#endif
