#include "link/block_pool.hpp"

#include "base/compiler.hpp"
#include "base/thread_end.hpp"

#include <cstdlib>

namespace tern {

namespace {
struct KeptBlocks : ThreadEnd::Note {
    static constexpr int max = 2;
    uint8_t *blocks[max] = {};
    int count = 0;
    void end();
};
// Null until the thread has a block to keep, and when it has ended, or found no memory for it.
TERN_NEAR_THREAD_LOCAL KeptBlocks *kept = nullptr;

void KeptBlocks::end() {
    kept = nullptr;
    while (count > 0) std::free(blocks[--count]);
}
} // namespace

uint8_t *BlockPool::take() {
    if (kept && kept->count > 0) return kept->blocks[--kept->count];
    return static_cast<uint8_t *>(std::malloc(block_size));
}

void BlockPool::give(uint8_t *block) {
    if (!block) return;
    if (!kept) kept = ThreadEnd::keep<KeptBlocks>();
    if (kept && kept->count < KeptBlocks::max) kept->blocks[kept->count++] = block;
    else std::free(block);
}

} // namespace tern
