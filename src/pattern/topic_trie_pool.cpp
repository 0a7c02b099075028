#include "pattern/topic_trie_pool.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace tern {

namespace {

// Up to 8 units every size, then four per doubling: `step` * 2^`shift` units.
struct BlockSize {
    explicit BlockSize(size_t units) : step(units), shift(0) {
        while (step > 8) {
            step = (step + 1) / 2;
            ++shift;
        }
    }
    size_t index() const { return 4 * shift + step; }
    size_t units() const { return step << shift; }
    size_t step;
    size_t shift;
};

} // namespace

TopicTriePool::Handle TopicTriePool::make(size_t bytes) {
    const BlockSize size((bytes + sizeof(Unit) - 1) / sizeof(Unit));
    static_assert(block_bytes_max / sizeof(Unit) == 8 << 5 && sizes == 4 * 5 + 8 + 1,
                  "room for each size");
    uint32_t number = sizes_[size.index()].with_room;
    if (number == 0) number = make_slab(size.index(), size.units());
    Slab &slab = slabs_[number];
    uint32_t unit = slab.freed;
    if (unit != no_unit)
        std::memcpy(&slab.freed, &memory_[number][unit], sizeof slab.freed);
    else
        unit = uint32_t(slab.fresh++) * slab.block_units;
    if (++slab.used == slab.blocks) unlist(number);
    return number << unit_bits | unit;
}

void TopicTriePool::free(Handle block) noexcept {
    const uint32_t number = block >> unit_bits;
    const uint32_t unit = block & (units_max - 1);
    Slab &slab = slabs_[number];
    std::memcpy(&memory_[number][unit], &slab.freed, sizeof slab.freed);
    slab.freed = static_cast<uint16_t>(unit);
    if (slab.used-- == slab.blocks) list(number);
    if (slab.used > 0) return;
    unlist(number);
    sizes_[slab.size].blocks -= slab.blocks;
    memory_[number].reset();
    slab.next = unused_numbers_;
    unused_numbers_ = number;
}

// Slabs double what there is of a size, up to a limit: little is wasted on small tries, and a large
// one has few slabs.
uint32_t TopicTriePool::make_slab(size_t index, size_t block_units) {
    Size &size = sizes_[index];
    const size_t blocks = std::min(std::max<size_t>(size.blocks, 2), units_max / block_units);
    uint32_t number = unused_numbers_;
    if (number == 0) {
        const size_t count = std::max<size_t>(slabs_.size(), 1); // number 0 is none
        if (count == slabs_max) throw std::bad_alloc();
        memory_.resize(count + 1);
        slabs_.resize(count + 1);
        number = unused_numbers_ = static_cast<uint32_t>(count);
    }
    memory_[number].reset(new Unit[blocks * block_units]); // uninitialised
    unused_numbers_ = slabs_[number].next;
    Slab &slab = slabs_[number];
    slab = Slab();
    slab.block_units = static_cast<uint16_t>(block_units);
    slab.size = static_cast<uint16_t>(index);
    slab.blocks = static_cast<uint16_t>(blocks);
    size.blocks += static_cast<uint32_t>(blocks);
    list(number);
    return number;
}

void TopicTriePool::list(uint32_t number) {
    uint32_t &first = sizes_[slabs_[number].size].with_room;
    slabs_[number].previous = 0;
    slabs_[number].next = first;
    if (first != 0) slabs_[first].previous = number;
    first = number;
}

void TopicTriePool::unlist(uint32_t number) {
    const Slab &slab = slabs_[number];
    if (slab.previous != 0)
        slabs_[slab.previous].next = slab.next;
    else
        sizes_[slab.size].with_room = slab.next;
    if (slab.next != 0) slabs_[slab.next].previous = slab.previous;
}

size_t TopicTriePool::bytes() const {
    size_t sum = memory_.capacity() * sizeof memory_[0] + slabs_.capacity() * sizeof(Slab);
    for (size_t number = 1; number < slabs_.size(); ++number)
        if (memory_[number])
            sum += sizeof(Unit) * slabs_[number].blocks * slabs_[number].block_units;
    return sum;
}

} // namespace tern
