// BodyPool: memory for message bodies of middle size. One thread makes a body and often another gives
// it back, again and again; malloc pays for that with a lock each time. Here a thread keeps what comes
// back to it, and what it has too much of goes on to others by the bundle.
// A large body costs malloc, and its first user, the making of its pages, which is as much as copying
// into them; some of those are kept for all threads together.
// Threads: any; a thread's store is its own, the depot behind it has a lock.
// Limit:   per size and thread two bundles of 16 KiB or less; per size 2 MiB in the depot; 8 MiB of
//          large bodies. The rest goes back to malloc, and so does within seconds what the traffic does
//          not need any more. Above large_max it is malloc alone.
#ifndef TERN_BASE_BODY_POOL_HPP
#define TERN_BASE_BODY_POOL_HPP

#include <cstddef>
#include <cstdint>

namespace tern {

class BodyPool {
  public:
    // A memory checker is to see each body's beginning and end.
#ifdef TERN_UNPOOLED_BODIES
    static constexpr bool is_pooling = false;
#else
    static constexpr bool is_pooling = true;
#endif
    static constexpr size_t size_max = 64 * 1024;
    static constexpr size_t large_max = 4 * 1024 * 1024;

    // Which sizes share their memory.
    using SizeClass = uint8_t;
    static constexpr SizeClass unpooled = UINT8_MAX;

    // Null when there is no memory. give() wants the class back.
    static void *take(size_t size, SizeClass &size_class);
    static void give(void *memory, SizeClass size_class);
    // Would take() give out memory of this class for so many bytes?
    static bool is_for(size_t size, SizeClass size_class) {
        return size_class != unpooled && size <= large_max && class_of(size) == size_class;
    }
    // Bytes in the depots.
    static size_t kept();

  private:
    // Two classes for each power of two: 96, 128, 192, 256, ... 64 KiB, and on to 4 MiB.
    static constexpr size_t smallest = 96;
    static int class_of(size_t size) {
        if (size <= smallest) return 0;
        const int log = 63 - __builtin_clzll(size - 1); // 2^log < size <= 2^(log + 1)
        const bool fits_between = size <= size_t(3) << (log - 1);
        return (log - 6) * 2 + (fits_between ? 0 : 1);
    }
};

} // namespace tern

#endif
