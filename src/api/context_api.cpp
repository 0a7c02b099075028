// zmq_ctx_*, zmq_init, zmq_term.
#include "api/api.hpp"

using namespace tern;

extern "C" {

void *zmq_ctx_new(void) {
    try {
        auto context = Context::create();
        if (!context) {
            errno = context.error().number();
            return nullptr;
        }
        void *handle = make_handle(HandleKind::context, *context);
        if (!handle) errno = ENOMEM;
        return handle;
    } catch (const std::bad_alloc &) {
        errno = ENOMEM;
        return nullptr;
    }
}

int zmq_ctx_term(void *handle) {
    return guarded([&] {
        Context *context = find_context(handle);
        if (!context) return fail(err::fault);
        if (const Error error = context->terminate()) return fail(error);
        // The last holder: threads are stopped and everything is freed before this returns.
        (void)retire_handle(handle, HandleKind::context);
        return 0;
    });
}

int zmq_ctx_shutdown(void *handle) {
    return guarded([&] {
        Context *context = find_context(handle);
        if (!context) return fail(err::fault);
        context->shut_down();
        return 0;
    });
}

int zmq_ctx_set_ext(void *handle, int option, const void *value, size_t size) {
    return guarded([&] {
        Context *context = find_context(handle);
        return context ? done(context->set_option(option, value, size)) : fail(err::fault);
    });
}

int zmq_ctx_set(void *handle, int option, int value) {
    return zmq_ctx_set_ext(handle, option, &value, sizeof value);
}

int zmq_ctx_get_ext(void *handle, int option, void *value, size_t *size) {
    return guarded([&] {
        Context *context = find_context(handle);
        return context ? done(context->get_option(option, value, size)) : fail(err::fault);
    });
}

int zmq_ctx_get(void *handle, int option) {
    int value = 0;
    size_t size = sizeof value;
    return zmq_ctx_get_ext(handle, option, &value, &size) == 0 ? value : -1;
}

void *zmq_init(int io_threads) {
    if (io_threads < 0) {
        errno = EINVAL;
        return nullptr;
    }
    void *context = zmq_ctx_new();
    if (context) (void)zmq_ctx_set(context, ZMQ_IO_THREADS, io_threads);
    return context;
}

int zmq_term(void *context) { return zmq_ctx_term(context); }
int zmq_ctx_destroy(void *context) { return zmq_ctx_term(context); }

} // extern "C"
