#include "link/block_pool.hpp"

#include "base/compiler.hpp"
#include "base/thread_end.hpp"

#include <cstdlib>
#include <new>

namespace tern {

namespace {
struct KeptBlocks : ThreadEnd::Note {
    static constexpr int max = 2;
    uint8_t *blocks[max] = {};
    int count = 0;
};
// Null until the thread has a block to keep, and when it has ended, or found no memory for it.
TERN_NEAR_THREAD_LOCAL KeptBlocks *kept = nullptr;

void free_kept(ThreadEnd::Note &note) {
    kept = nullptr;
    auto &own = static_cast<KeptBlocks &>(note);
    while (own.count > 0) std::free(own.blocks[--own.count]);
    std::free(&own);
}

KeptBlocks *make_kept() {
    void *const memory = std::malloc(sizeof(KeptBlocks)); // `new` would wait for what can be done without
    if (!memory) return nullptr;
    auto *const own = new (memory) KeptBlocks;
    own->give_back = free_kept;
    if (ThreadEnd::leave(*own)) return own;
    std::free(own);
    return nullptr;
}
} // namespace

uint8_t *BlockPool::take() {
    if (kept && kept->count > 0) return kept->blocks[--kept->count];
    return static_cast<uint8_t *>(std::malloc(block_size));
}

void BlockPool::give(uint8_t *block) {
    if (!block) return;
    if (!kept) kept = make_kept();
    if (kept && kept->count < KeptBlocks::max) kept->blocks[kept->count++] = block;
    else std::free(block);
}

} // namespace tern
