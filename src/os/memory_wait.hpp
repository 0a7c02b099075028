// WaitsForMemory: while one lives, `new` on its thread waits for memory in place of throwing. It is for what can neither
// fail nor be taken back half-way: the whole life of a background thread, and the steps of a call after it has begun to
// change what other threads see. What has to be made before is made outside, and its want is the caller's ENOMEM.
//
// It stands on the process's new handler: the one that the program has set is called for all other threads. A program
// that sets its own later takes this away until the next context is made; then a background thread that finds no memory
// goes by that handler.
//
// Threads: belongs to the one that made it; may be nested.
// Limit:   none in time. A reserve is given up first, so that small needs seldom wait.
#ifndef TERN_OS_MEMORY_WAIT_HPP
#define TERN_OS_MEMORY_WAIT_HPP

#include "base/compiler.hpp"

namespace tern {

namespace detail {
extern TERN_NEAR_THREAD_LOCAL int memory_waits; // how many of them live on this thread
}

// Before a context's first thread.
void prepare_memory_wait();
// Takes the reserve anew when it was given up. For a thread that has nothing else to do.
void renew_memory_reserve();

// One step of such a wait, for memory that is not taken by `new`.
void wait_for_memory();

class WaitsForMemory {
  public:
    WaitsForMemory() { ++detail::memory_waits; }
    ~WaitsForMemory() { --detail::memory_waits; }
    WaitsForMemory(const WaitsForMemory &) = delete;
    WaitsForMemory &operator=(const WaitsForMemory &) = delete;
};

} // namespace tern

#endif
