// DRAFT functions, found at run time: libzmq as packaged does not have them.
#ifndef TERN_TESTS_MODEL_DRAFTS_HPP
#define TERN_TESTS_MODEL_DRAFTS_HPP

#include <dlfcn.h>
#include <zmq.h>

#include <cstdint>

namespace model {

struct Drafts {
    template <typename Function>
    static Function find(const char* name) {
        return reinterpret_cast<Function>(::dlsym(RTLD_DEFAULT, name));
    }

    int (*join)(void*, const char*) = find<int (*)(void*, const char*)>("zmq_join");
    int (*leave)(void*, const char*) = find<int (*)(void*, const char*)>("zmq_leave");
    int (*set_group)(zmq_msg_t*, const char*) = find<int (*)(zmq_msg_t*, const char*)>("zmq_msg_set_group");
    const char* (*group)(zmq_msg_t*) = find<const char* (*)(zmq_msg_t*)>("zmq_msg_group");
    int (*set_routing_id)(zmq_msg_t*, std::uint32_t) =
        find<int (*)(zmq_msg_t*, std::uint32_t)>("zmq_msg_set_routing_id");
    std::uint32_t (*routing_id)(zmq_msg_t*) = find<std::uint32_t (*)(zmq_msg_t*)>("zmq_msg_routing_id");
    std::uint32_t (*connect_peer)(void*, const char*) =
        find<std::uint32_t (*)(void*, const char*)>("zmq_connect_peer");
};

inline const Drafts& drafts() {
    static const Drafts found;
    return found;
}

} // namespace model

#endif
