#include "os/fork_guard.hpp"

#include <pthread.h>

namespace tern {

namespace detail {
std::atomic<uint32_t> fork_generation{1};
}

namespace {
void in_child() { detail::fork_generation.fetch_add(1, std::memory_order_relaxed); }
} // namespace

ForkGuard::ForkGuard() {
    static const int registered = ::pthread_atfork(nullptr, nullptr, in_child);
    (void)registered;
    generation_ = detail::fork_generation.load(std::memory_order_relaxed);
}

} // namespace tern
