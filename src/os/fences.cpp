#include "os/fences.hpp"

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace tern {

std::atomic<bool> detail::fences_are_unequal{false};

#if defined(__linux__) && defined(SYS_membarrier)

namespace {
bool is_registered() {
    return ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

// Taking write access away from a page that was just written makes the kernel interrupt every core
// that may have it cached, which is a fence there. Slow, for when the system has changed its mind.
void fence_by_page() {
    const size_t size = size_t(::sysconf(_SC_PAGESIZE));
    void *page = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    *static_cast<volatile char *>(page) = 1;
    (void)::mprotect(page, size, PROT_READ);
    (void)::munmap(page, size);
}
} // namespace

void prepare_fences() {
    static const bool works = is_registered();
    detail::fences_are_unequal.store(works, std::memory_order_relaxed);
}

void heavy_fence() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return;
    // A program that has shut itself in a sandbox since. Nobody begins to rely on it any more.
    detail::fences_are_unequal.store(false, std::memory_order_seq_cst);
    fence_by_page();
}

#else

void prepare_fences() {}
void heavy_fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }

#endif

} // namespace tern
