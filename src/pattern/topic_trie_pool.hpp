// TopicTriePool: the memory of a topic trie. Blocks of a few sizes, cut from slabs that hold one
// size each and are given back when their last block is. A block is named by a handle of four
// bytes. Threads: under the socket's turn. Owner: a TopicTrie. Limit:   32 GB of slabs; memory
// follows what is in use, a slab per size on top.
#ifndef TERN_PATTERN_TOPIC_TRIE_POOL_HPP
#define TERN_PATTERN_TOPIC_TRIE_POOL_HPP

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tern {

class TopicTriePool {
  public:
    using Handle = uint32_t;
    static constexpr Handle none = 0;
    static constexpr size_t block_bytes_max = 2048;

    // Uninitialised, aligned for uint64_t. REQUIRES: bytes <= block_bytes_max. Throws bad_alloc.
    Handle make(size_t bytes);
    void free(Handle block) noexcept;
    uint8_t *at(Handle block) const {
        return reinterpret_cast<uint8_t *>(memory_[block >> unit_bits].get() +
                                           (block & (units_max - 1)));
    }
    size_t block_bytes(Handle block) const {
        return slabs_[block >> unit_bits].block_units * sizeof(Unit);
    }
    // Everything held, whether in use or not.
    size_t bytes() const;

  private:
    // A handle is the number of a slab, and that of a unit in it.
    using Unit = uint64_t;
    static constexpr int unit_bits = 13;
    static constexpr uint32_t units_max = 1u << unit_bits;
    static constexpr uint32_t slabs_max = 1u << (32 - unit_bits);
    static constexpr size_t sizes = 29;
    static constexpr uint32_t no_unit = units_max;

    struct Slab {
        uint16_t block_units = 0;
        uint16_t size = 0; // which of the sizes
        uint16_t blocks = 0;
        uint16_t used = 0;
        uint16_t fresh = 0;       // blocks from here on were never used
        uint16_t freed = no_unit; // the newest freed block, which names the one before it
        // Neighbours in the list of slabs of this size that have room; `next` also in that of
        // numbers without slab.
        uint32_t next = 0;
        uint32_t previous = 0;
    };
    struct Size {
        uint32_t with_room = 0; // slab
        uint32_t blocks = 0;    // of all slabs
    };

    uint32_t make_slab(size_t size, size_t block_units);
    void list(uint32_t slab);
    void unlist(uint32_t slab);

    std::vector<std::unique_ptr<Unit[]>> memory_; // by slab, the first is not used
    std::vector<Slab> slabs_;
    uint32_t unused_numbers_ = 0;
    Size sizes_[sizes];
};

} // namespace tern

#endif
