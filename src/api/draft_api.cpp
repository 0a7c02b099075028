// DRAFT functions that are exported and not built yet: each fails with ENOTSUP (README, "Limits").
#include "api/api.hpp"

using namespace tern;

namespace {
int not_built() { return fail(err::not_supported); }
} // namespace

extern "C" {

int zmq_join(void *, const char *) { return not_built(); }
int zmq_leave(void *, const char *) { return not_built(); }
uint32_t zmq_connect_peer(void *, const char *) {
    errno = ENOTSUP;
    return 0;
}
int zmq_disconnect_peer(void *, uint32_t) { return not_built(); }
int zmq_socket_get_peer_state(void *, const void *, size_t) { return not_built(); }
int zmq_socket_monitor_versioned(void *, const char *, uint64_t, int, int) { return not_built(); }
int zmq_socket_monitor_pipes_stats(void *) { return not_built(); }

void *zmq_poller_new(void) {
    errno = ENOTSUP;
    return nullptr;
}
int zmq_poller_destroy(void **) { return not_built(); }
int zmq_poller_size(void *) { return not_built(); }
int zmq_poller_add(void *, void *, void *, short) { return not_built(); }
int zmq_poller_modify(void *, void *, short) { return not_built(); }
int zmq_poller_remove(void *, void *) { return not_built(); }
int zmq_poller_wait(void *, zmq_poller_event_t *, long) { return not_built(); }
int zmq_poller_wait_all(void *, zmq_poller_event_t *, int, long) { return not_built(); }
int zmq_poller_fd(void *, zmq_fd_t *) { return not_built(); }
int zmq_poller_add_fd(void *, zmq_fd_t, void *, short) { return not_built(); }
int zmq_poller_modify_fd(void *, zmq_fd_t, short) { return not_built(); }
int zmq_poller_remove_fd(void *, zmq_fd_t) { return not_built(); }
int zmq_ppoll(zmq_pollitem_t *, int, long, const sigset_t *) { return not_built(); }

} // extern "C"
