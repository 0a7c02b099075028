// zmq_socket, zmq_close, endpoints, options, monitors.
#include "api/api.hpp"

using namespace tern;

extern "C" {

void *zmq_socket(void *handle, int type) {
    try {
        Context *context = find_context(handle);
        if (!context) {
            errno = EFAULT;
            return nullptr;
        }
        const auto socket = context->make_socket(type);
        if (socket) return *socket;
        errno = socket.error().number();
    } catch (const std::bad_alloc &) {
        errno = ENOMEM;
    }
    return nullptr;
}

int zmq_close(void *handle) {
    return guarded([&] {
        const auto object = retire_handle(handle, HandleKind::socket);
        if (!object) return fail(err::not_a_socket);
        Socket &socket = *static_cast<Socket *>(object.get());
        if (!socket.is_inherited()) socket.close();
        return 0;
    });
}

int zmq_bind(void *handle, const char *address) {
    return on_socket(handle, [&](Socket &s) { return done(address ? s.bind(address) : err::invalid); });
}

int zmq_connect(void *handle, const char *address) {
    return on_socket(handle,
                     [&](Socket &s) { return done(address ? s.connect(address) : err::invalid); });
}

int zmq_unbind(void *handle, const char *address) {
    return on_socket(handle, [&](Socket &s) {
        return done(address ? s.end_endpoint(address) : err::invalid);
    });
}

int zmq_disconnect(void *handle, const char *address) { return zmq_unbind(handle, address); }

int zmq_setsockopt(void *handle, int option, const void *value, size_t size) {
    return on_socket(handle, [&](Socket &s) { return done(s.set_option(option, value, size)); });
}

int zmq_getsockopt(void *handle, int option, void *value, size_t *size) {
    return on_socket(handle, [&](Socket &s) { return done(s.get_option(option, value, size)); });
}

int zmq_socket_monitor(void *handle, const char *address, int events) {
    return on_socket(handle, [&](Socket &s) {
        return done(s.monitor(address, static_cast<uint64_t>(events), 1, ZMQ_PAIR));
    });
}

} // extern "C"
