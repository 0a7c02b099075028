#include "link/block_pool.hpp"

#include <cstdlib>

namespace tern {

namespace {
struct Kept {
    static constexpr int max = 2;
    uint8_t *blocks[max] = {};
    int count = 0;
    ~Kept() {
        while (count > 0) std::free(blocks[--count]);
        count = max; // whatever comes back after the thread's end is freed at once
    }
};
thread_local Kept kept;
} // namespace

uint8_t *BlockPool::take() {
    if (kept.count > 0 && kept.count <= Kept::max && kept.blocks[kept.count - 1]) {
        uint8_t *block = kept.blocks[--kept.count];
        kept.blocks[kept.count] = nullptr;
        return block;
    }
    return static_cast<uint8_t *>(std::malloc(block_size));
}

void BlockPool::give(uint8_t *block) {
    if (!block) return;
    if (kept.count < Kept::max) kept.blocks[kept.count++] = block;
    else std::free(block);
}

} // namespace tern
