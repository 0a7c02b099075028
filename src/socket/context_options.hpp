// ContextOptions: the values behind zmq_ctx_set and zmq_ctx_get (spec/api/sockopts.md section 7).
// Threads: values only; the Context guards its own.
#ifndef TERN_SOCKET_CONTEXT_OPTIONS_HPP
#define TERN_SOCKET_CONTEXT_OPTIONS_HPP

#include "base/error.hpp"

#include <climits>
#include <cstddef>
#include <set>
#include <string>

namespace tern {

// A private option: 0 has sockets that are made later sleep at once, without looking for a while
// whether something comes (doc/architecture.md). 1 is the default, unless the environment variable
// TERN_TRY_BEFORE_SLEEP is 0.
constexpr int option_try_before_sleep = 0x54450000;

struct ContextOptions {
    static constexpr int socket_limit = 65535;

    // Latched by the Context when its first socket is made.
    int io_threads = 1;
    int max_sockets = 1023;
    int thread_priority = -1;     // -1: the system's
    int thread_sched_policy = -1; // -1: the system's
    std::set<int> thread_affinity_cpus;
    std::string thread_name_prefix;

    // Copied into each socket made later.
    bool ipv6 = false;
    bool blocky = true;
    bool zero_copy_receive = true;
    bool tries_before_sleep = default_of_tries();

    int max_message_size = INT_MAX; // stored only, as in libzmq

    static bool default_of_tries();
};

Error set_context_option(ContextOptions &options, int option, const void *value, size_t size);
// `*size` is in and out; only ZMQ_THREAD_NAME_PREFIX accepts more than the exact size.
Error get_context_option(const ContextOptions &options, int option, void *value, size_t *size);

} // namespace tern

#endif
