// BodyPool: memory for message bodies of middle size. One thread makes a body and often another gives
// it back, again and again; malloc pays for that with a lock each time. Here a thread keeps what comes
// back to it, and what it has too much of goes on to others by the bundle.
// Threads: any; a thread's store is its own, the depot behind it has a lock.
// Limit:   per size and thread two bundles of 16 KiB or less; per size 2 MiB in the depot. The rest
//          goes back to malloc. Above size_max it is malloc alone.
#ifndef TERN_BASE_BODY_POOL_HPP
#define TERN_BASE_BODY_POOL_HPP

#include <cstddef>
#include <cstdint>

namespace tern {

class BodyPool {
  public:
    static constexpr size_t size_max = 64 * 1024;

    // Which sizes share their memory.
    using SizeClass = uint8_t;
    static constexpr SizeClass unpooled = UINT8_MAX;

    // Null when there is no memory. give() wants the class back.
    static void *take(size_t size, SizeClass &size_class);
    static void give(void *memory, SizeClass size_class);
};

} // namespace tern

#endif
