// BlockPool: the buffers that connections read into and write from. An idle connection has none; a
// thread keeps one or two that it used last.
// Threads: any; what is kept belongs to the calling thread.
#ifndef TERN_LINK_BLOCK_POOL_HPP
#define TERN_LINK_BLOCK_POOL_HPP

#include <cstddef>
#include <cstdint>

namespace tern {

class BlockPool {
  public:
    static constexpr size_t block_size = 64 * 1024;
    // Null when there is no memory.
    static uint8_t *take();
    static void give(uint8_t *block);
};

} // namespace tern

#endif
