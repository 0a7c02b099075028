// Calls of the DRAFT socket types, and what asks about single peers.
#include "api/api.hpp"

using namespace tern;

extern "C" {

int zmq_join(void *handle, const char *group) {
    return on_socket(handle,
                     [&](Socket &s) { return group ? done(s.join(group)) : fail(err::invalid); });
}

int zmq_leave(void *handle, const char *group) {
    return on_socket(handle,
                     [&](Socket &s) { return group ? done(s.leave(group)) : fail(err::invalid); });
}

uint32_t zmq_connect_peer(void *handle, const char *address) {
    uint32_t peer = 0;
    const int result = on_socket(handle, [&](Socket &s) {
        return address ? done(s.connect_peer(address, peer)) : fail(err::invalid);
    });
    return result == 0 ? peer : 0;
}

int zmq_disconnect_peer(void *handle, uint32_t peer) {
    return on_socket(handle, [&](Socket &s) { return done(s.disconnect_peer(peer)); });
}

int zmq_socket_get_peer_state(void *handle, const void *routing_id, size_t size) {
    return on_socket(handle, [&](Socket &s) {
        if (!routing_id && size > 0) return fail(err::fault);
        const auto state = s.peer_state(Bytes(routing_id, size));
        return state ? *state : fail(state.error());
    });
}

int zmq_socket_monitor_versioned(void *handle, const char *address, uint64_t events, int version,
                                 int type) {
    return on_socket(handle,
                     [&](Socket &s) { return done(s.monitor(address, events, version, type)); });
}

int zmq_socket_monitor_pipes_stats(void *handle) {
    return on_socket(handle, [&](Socket &s) { return done(s.report_pipes()); });
}

} // extern "C"
