// zmq_msg_*: everything about a message but sending and receiving it.
#include "api/api.hpp"

#include <cstdlib>

using namespace tern;

extern "C" {

int zmq_msg_init(zmq_msg_t *message) {
    if (!message) return fail(err::fault);
    as_message(message)->init();
    return 0;
}

int zmq_msg_init_size(zmq_msg_t *message, size_t size) {
    if (!message) return fail(err::fault);
    return done(as_message(message)->init_size(size));
}

int zmq_msg_init_buffer(zmq_msg_t *message, const void *buffer, size_t size) {
    if (!message || (!buffer && size > 0)) return fail(err::fault);
    return done(as_message(message)->init_copy(Bytes(buffer, size)));
}

int zmq_msg_init_data(zmq_msg_t *message, void *data, size_t size, zmq_free_fn *free_body,
                      void *hint) {
    if (!message) return fail(err::fault);
    if (!data && size > 0) return fail(err::invalid);
    return done(as_message(message)->init_data(data, size, free_body, hint));
}

int zmq_msg_close(zmq_msg_t *message) {
    if (!message || !as_message(message)->is_valid()) return fail(err::fault);
    as_message(message)->close();
    return 0;
}

int zmq_msg_move(zmq_msg_t *to, zmq_msg_t *from) {
    if (!to || !from || !as_message(to)->is_valid() || !as_message(from)->is_valid())
        return fail(err::fault);
    if (to == from) return 0;
    as_message(to)->close();
    as_message(to)->take(*as_message(from));
    return 0;
}

int zmq_msg_copy(zmq_msg_t *to, zmq_msg_t *from) {
    if (!to || !from || !as_message(to)->is_valid() || !as_message(from)->is_valid())
        return fail(err::fault);
    if (to == from) return 0;
    as_message(to)->close();
    as_message(to)->share(*as_message(from));
    return 0;
}

void *zmq_msg_data(zmq_msg_t *message) {
    if (message && as_message(message)->is_valid()) return as_message(message)->data();
    errno = EFAULT;
    return nullptr;
}

size_t zmq_msg_size(const zmq_msg_t *message) {
    if (message && as_message(message)->is_valid()) return as_message(message)->size();
    errno = EFAULT;
    return 0;
}

int zmq_msg_more(const zmq_msg_t *message) { return zmq_msg_get(message, ZMQ_MORE); }

int zmq_msg_get(const zmq_msg_t *message, int property) {
    if (!message) return fail(err::fault);
    const Message &held = *as_message(message);
    switch (property) {
    case ZMQ_MORE: return held.has(Message::more) ? 1 : 0;
    case ZMQ_SHARED: return held.is_shared() ? 1 : 0;
    case ZMQ_SRCFD: {
        const char *fd = held.metadata() ? held.metadata()->find("__fd") : nullptr;
        return fd ? std::atoi(fd) : fail(err::invalid);
    }
    default: return fail(err::invalid);
    }
}

int zmq_msg_set(zmq_msg_t *, int, int) { return fail(err::invalid); }

const char *zmq_msg_gets(const zmq_msg_t *message, const char *property) {
    if (message && property && as_message(message)->metadata()) {
        const Metadata &metadata = *as_message(message)->metadata();
        const char *value = metadata.find(property);
        // The peer's routing id goes by either name.
        const std::string_view name(property);
        if (!value && name == ZMQ_MSG_PROPERTY_ROUTING_ID) value = metadata.find("Identity");
        if (value) return value;
    }
    errno = EINVAL;
    return nullptr;
}

int zmq_msg_set_routing_id(zmq_msg_t *message, uint32_t id) {
    if (!message || !as_message(message)->is_valid()) return fail(err::fault);
    if (id == 0) return fail(err::invalid);
    as_message(message)->set_routing_id(id);
    return 0;
}

uint32_t zmq_msg_routing_id(zmq_msg_t *message) {
    return message && as_message(message)->is_valid() ? as_message(message)->routing_id() : 0;
}

int zmq_msg_set_group(zmq_msg_t *message, const char *group) {
    return guarded([&] {
        if (!message || !group || !as_message(message)->is_valid()) return fail(err::fault);
        // A longer text is cut (functions.md section 6).
        const std::string_view name(group);
        return done(as_message(message)->set_group(name.substr(0, ZMQ_GROUP_MAX_LENGTH)));
    });
}

const char *zmq_msg_group(zmq_msg_t *message) {
    return message && as_message(message)->is_valid() ? as_message(message)->group() : "";
}

} // extern "C"
