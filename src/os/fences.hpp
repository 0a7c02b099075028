// A pair of fences of unequal price. Of two threads that each store and then load what the other
// stored, at least one must see the other; the frequent one pays next to nothing for that, and the
// rare one makes every running thread of the process pass a full fence (membarrier).
//
//     frequent: store A; light_fence(); load B          rare: store B; heavy_fence(); load A
//
// Whatever the frequent side has executed when the heavy fence reaches its core is visible to the rare
// side afterwards; what it executes later sees B.
// Threads: any.
#ifndef TERN_OS_FENCES_HPP
#define TERN_OS_FENCES_HPP

#include <atomic>

namespace tern {

namespace detail {
extern std::atomic<bool> fences_are_unequal;
}

// Asks the system once, when the first context is made. Without this both fences are full ones.
void prepare_fences();
inline bool fences_are_unequal() {
    return detail::fences_are_unequal.load(std::memory_order_relaxed);
}

// REQUIRES: fences_are_unequal() was true when the two sides agreed on this.
inline void light_fence() { std::atomic_signal_fence(std::memory_order_seq_cst); }
void heavy_fence();

} // namespace tern

#endif
