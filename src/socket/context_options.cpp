#include "socket/context_options.hpp"

#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API
#endif
#include <zmq.h>

#include <cstdlib>
#include <cstring>
#include <new>

namespace tern {

namespace {

constexpr size_t name_prefix_max = 16;

Error store_at_least(int &to, int least, int number) {
    if (number < least) return err::invalid;
    to = number;
    return err::none;
}

Error store_bool(bool &to, int number) {
    if (number < 0) return err::invalid;
    to = number != 0;
    return err::none;
}

Error set_number(ContextOptions &options, int option, int number) {
    switch (option) {
    case ZMQ_IO_THREADS:
        return store_at_least(options.io_threads, 0, number);
    case ZMQ_MAX_SOCKETS:
        return store_at_least(options.max_sockets, 1, number);
    case ZMQ_THREAD_PRIORITY:
        return store_at_least(options.thread_priority, 0, number);
    case ZMQ_THREAD_SCHED_POLICY:
        return store_at_least(options.thread_sched_policy, 0, number);
    case ZMQ_MAX_MSGSZ:
        return store_at_least(options.max_message_size, 0, number);
    case ZMQ_THREAD_AFFINITY_CPU_ADD:
        if (number < 0) return err::invalid;
        options.thread_affinity_cpus.insert(number);
        return err::none;
    case ZMQ_THREAD_AFFINITY_CPU_REMOVE:
        return options.thread_affinity_cpus.erase(number) == 1 ? err::none : err::invalid;
    case ZMQ_THREAD_NAME_PREFIX:
        // Four bytes always count as a number, even when they were meant as text.
        options.thread_name_prefix = std::to_string(number);
        return err::none;
    case ZMQ_ZERO_COPY_RECV:
        return store_bool(options.zero_copy_receive, number);
    case ZMQ_IPV6:
        return store_bool(options.ipv6, number);
    case ZMQ_BLOCKY:
        return store_bool(options.blocky, number);
    case option_try_before_sleep:
        return store_bool(options.tries_before_sleep, number);
    default:
        return err::invalid;
    }
}

Result<int> get_number(const ContextOptions &options, int option) {
    switch (option) {
    case ZMQ_IO_THREADS:
        return options.io_threads;
    case ZMQ_MAX_SOCKETS:
        return options.max_sockets;
    case ZMQ_SOCKET_LIMIT:
        return int(ContextOptions::socket_limit);
    case ZMQ_THREAD_SCHED_POLICY:
        return options.thread_sched_policy;
    case ZMQ_MAX_MSGSZ:
        return options.max_message_size;
    case ZMQ_MSG_T_SIZE:
        return int(sizeof(zmq_msg_t));
    case ZMQ_THREAD_NAME_PREFIX:
        return std::atoi(options.thread_name_prefix.c_str());
    case ZMQ_ZERO_COPY_RECV:
        return int(options.zero_copy_receive);
    case ZMQ_IPV6:
        return int(options.ipv6);
    case ZMQ_BLOCKY:
        return int(options.blocky);
    case option_try_before_sleep:
        return int(options.tries_before_sleep);
    default:
        return err::invalid;
    }
}

} // namespace

bool ContextOptions::default_of_tries() {
    static const char *const text = std::getenv("TERN_TRY_BEFORE_SLEEP");
    return !text || std::strcmp(text, "0") != 0;
}

Error set_context_option(ContextOptions &options, int option, const void *value, size_t size) {
    if (!value) return err::invalid;
    try {
        if (size == sizeof(int)) {
            int number = 0;
            std::memcpy(&number, value, sizeof number);
            return set_number(options, option, number);
        }
        if (option != ZMQ_THREAD_NAME_PREFIX || size == 0 || size > name_prefix_max) {
            return err::invalid;
        }
        options.thread_name_prefix.assign(static_cast<const char *>(value), size);
        return err::none;
    } catch (const std::bad_alloc &) {
        return err::no_memory;
    }
}

Error get_context_option(const ContextOptions &options, int option, void *value, size_t *size) {
    if (!size || (!value && *size > 0)) return err::invalid;
    if (*size == sizeof(int)) {
        const auto number = get_number(options, option);
        if (!number) return number.error();
        std::memcpy(value, &*number, sizeof(int));
        return err::none;
    }
    if (option != ZMQ_THREAD_NAME_PREFIX || *size < options.thread_name_prefix.size()) {
        return err::invalid;
    }
    // No NUL is added and *size stays, as in libzmq.
    if (!options.thread_name_prefix.empty()) {
        std::memcpy(value, options.thread_name_prefix.data(), options.thread_name_prefix.size());
    }
    return err::none;
}

} // namespace tern
