// Sending and receiving, in all the forms that zmq.h offers.
#include "api/api.hpp"

#include <cstdlib>
#include <cstring>
#include <sys/uio.h>

using namespace tern;

namespace {

// The end of the context is looked at first.
int fail_without_message(const Socket &socket) {
    const Error error = socket.check_alive();
    return fail(error ? error : err::fault);
}

// One frame; on failure it stays the caller's.
int send_frame(Socket &socket, Message &frame, int flags) {
    const size_t size = frame.size();
    const bool had_more = frame.has(Message::more);
    if (flags & ZMQ_SNDMORE) frame.set(Message::more);
    else if (had_more) frame.clear(Message::more);
    else if (socket.send_plain(frame)) return capped(size);
    const Error error = socket.send(frame, (flags & ZMQ_DONTWAIT) != 0);
    if (!error) return capped(size);
    // The flag is that of the refused attempt, but for a context that has ended: that is looked at first.
    if (error == err::terminated) had_more ? frame.set(Message::more) : frame.clear(Message::more);
    return fail(error);
}

int receive_frame(Socket &socket, Message &frame, int flags) {
    if (socket.recv_plain(frame)) return capped(frame.size());
    if (const Error error = socket.recv(frame, (flags & ZMQ_DONTWAIT) != 0)) return fail(error);
    return capped(frame.size());
}

int send_copy(Socket &socket, const void *data, size_t size, int flags) {
    Message frame;
    if (const Error error = frame.init_copy(Bytes(data, size))) return fail(error);
    const int result = send_frame(socket, frame, flags);
    if (result < 0) {
        const int number = errno;
        frame.close();
        errno = number;
    }
    return result;
}

} // namespace

extern "C" {

int zmq_msg_send(zmq_msg_t *message, void *handle, int flags) {
    return guarded([&] {
        Socket *socket = find_socket(handle);
        if (!socket) return fail(err::not_a_socket);
        if (!message || !as_message(message)->is_valid()) return fail_without_message(*socket);
        return send_frame(*socket, *as_message(message), flags);
    });
}

int zmq_msg_recv(zmq_msg_t *message, void *handle, int flags) {
    return guarded([&] {
        Socket *socket = find_socket(handle);
        if (!socket) return fail(err::not_a_socket);
        if (!message || !as_message(message)->is_valid()) return fail_without_message(*socket);
        return receive_frame(*socket, *as_message(message), flags);
    });
}

int zmq_sendmsg(void *handle, zmq_msg_t *message, int flags) {
    return zmq_msg_send(message, handle, flags);
}

int zmq_recvmsg(void *handle, zmq_msg_t *message, int flags) {
    return zmq_msg_recv(message, handle, flags);
}

int zmq_send(void *handle, const void *data, size_t size, int flags) {
    return guarded([&] {
        Socket *socket = find_socket(handle);
        if (!socket) return fail(err::not_a_socket);
        if (!data && size > 0) return fail(err::fault);
        return send_copy(*socket, data, size, flags);
    });
}

int zmq_send_const(void *handle, const void *data, size_t size, int flags) {
    return guarded([&] {
        Socket *socket = find_socket(handle);
        if (!socket) return fail(err::not_a_socket);
        if (!data && size > 0) return fail(err::fault);
        Message frame;
        frame.init_constant(data, size);
        const int result = send_frame(*socket, frame, flags);
        if (result < 0) {
            const int number = errno;
            frame.close();
            errno = number;
        }
        return result;
    });
}

int zmq_recv(void *handle, void *data, size_t size, int flags) {
    return guarded([&] {
        Socket *socket = find_socket(handle);
        if (!socket) return fail(err::not_a_socket);
        if (!data && size > 0) return fail(err::fault);
        OwnMessage frame;
        const int result = receive_frame(*socket, *frame, flags);
        if (result < 0) return result;
        const size_t copied = frame->size() < size ? frame->size() : size;
        if (copied > 0) std::memcpy(data, frame->data(), copied);
        return result;
    });
}

int zmq_sendiov(void *handle, struct iovec *parts, size_t count, int flags) {
    return guarded([&] {
        Socket *socket = find_socket(handle);
        if (!socket) return fail(err::not_a_socket);
        if (count == 0 || !parts) return fail(err::invalid);
        int result = 0;
        for (size_t i = 0; i < count; ++i) {
            if (!parts[i].iov_base && parts[i].iov_len > 0) return fail(err::fault);
            // With SNDMORE all parts but the last are joined; without it each stands alone.
            const int part_flags = i + 1 == count ? flags & ~ZMQ_SNDMORE : flags;
            result = send_copy(*socket, parts[i].iov_base, parts[i].iov_len, part_flags);
            if (result < 0) break;
        }
        return result;
    });
}

int zmq_recviov(void *handle, struct iovec *parts, size_t *count, int flags) {
    return guarded([&] {
        Socket *socket = find_socket(handle);
        if (!socket) return fail(err::not_a_socket);
        if (!count || *count == 0 || !parts) return fail(err::invalid);
        const size_t room = *count;
        *count = 0;
        bool more = true;
        int received = 0;
        while (more && size_t(received) < room) {
            OwnMessage frame;
            if (receive_frame(*socket, *frame, flags) < 0) return -1;
            void *copy = std::malloc(frame->size() > 0 ? frame->size() : 1);
            if (!copy) return fail(err::no_memory);
            if (frame->size() > 0) std::memcpy(copy, frame->data(), frame->size());
            parts[received].iov_base = copy;
            parts[received].iov_len = frame->size();
            more = frame->has(Message::more);
            *count = size_t(++received);
        }
        return received;
    });
}

} // extern "C"
