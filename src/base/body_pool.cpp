#include "base/body_pool.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace tern {

namespace {

// The address sanitizer is to see each body's beginning and end.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool is_pooling = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool is_pooling = false;
#else
constexpr bool is_pooling = true;
#endif
#else
constexpr bool is_pooling = true;
#endif

// Two classes for each power of two: 96, 128, 192, 256, ... 64 KiB.
constexpr size_t smallest = 96;
constexpr int classes = 20;

constexpr size_t size_of(int size_class) {
    return size_t(size_class % 2 == 0 ? 96 : 128) << (size_class / 2);
}
static_assert(size_of(0) == smallest && size_of(classes - 1) == BodyPool::size_max, "the last one");

int class_of(size_t size) {
    if (size <= smallest) return 0;
    const int log = 63 - __builtin_clzll(size - 1); // 2^log < size <= 2^(log + 1)
    const bool fits_between = size <= size_t(3) << (log - 1);
    return (log - 6) * 2 + (fits_between ? 0 : 1);
}

constexpr size_t bundle_bytes = 16 * 1024;
constexpr size_t depot_bytes = 2 * 1024 * 1024;
constexpr uint32_t bundle_of(int size_class) {
    return uint32_t(std::clamp(bundle_bytes / size_of(size_class), size_t(1), size_t(32)));
}

// Written into memory that nobody uses.
struct Free {
    Free *next;
    Free *next_bundle; // in the first of a bundle
};

// Bundles that no thread keeps.
struct alignas(64) Depot {
    std::mutex lock;
    Free *bundles = nullptr;
    size_t count = 0;
};

// Never destroyed: threads may outlive the library's other statics.
Depot *const depots = new (std::nothrow) Depot[classes];

Free *take_bundle(int size_class) {
    if (!depots) return nullptr;
    Depot &depot = depots[size_class];
    const std::lock_guard<std::mutex> held(depot.lock);
    Free *const bundle = depot.bundles;
    if (!bundle) return nullptr;
    depot.bundles = bundle->next_bundle;
    --depot.count;
    return bundle;
}

bool give_bundle(int size_class, Free *bundle) {
    if (!depots) return false;
    Depot &depot = depots[size_class];
    const std::lock_guard<std::mutex> held(depot.lock);
    if ((depot.count + 1) * bundle_of(size_class) * size_of(size_class) > depot_bytes) return false;
    bundle->next_bundle = depot.bundles;
    depot.bundles = bundle;
    ++depot.count;
    return true;
}

void free_all(Free *list) {
    while (list) std::free(std::exchange(list, list->next));
}

// What a thread keeps: one bundle that it takes from and gives to, and a full one behind it.
struct Shelf {
    Free *open;
    Free *full;
    uint32_t in_open;
};

// Plain memory, so that the usual way asks for no initialisation.
struct Store {
    Shelf shelves[classes];
    bool is_registered;
    bool is_closed; // the thread has ended: nothing is kept any more
};
thread_local Store store;

// Empties the store when its thread ends.
struct Closer {
    bool is_armed = false;
    ~Closer() {
        store.is_closed = true;
        for (Shelf &shelf : store.shelves) {
            free_all(shelf.open);
            free_all(shelf.full);
            shelf = {};
        }
    }
};
thread_local Closer closer;

bool may_keep() {
    if (store.is_closed) return false;
    if (!store.is_registered) {
        store.is_registered = true;
        closer.is_armed = true; // the first use registers the destructor
    }
    return true;
}

void *refill(int size_class) {
    Shelf &shelf = store.shelves[size_class];
    Free *bundle = shelf.full;
    shelf.full = nullptr;
    if (!bundle && may_keep()) bundle = take_bundle(size_class);
    if (!bundle) return std::malloc(size_of(size_class));
    shelf.open = bundle->next;
    shelf.in_open = bundle_of(size_class) - 1;
    return bundle;
}

// For a shelf whose open bundle is full, or has not begun.
void put_aside(void *memory, int size_class) {
    Shelf &shelf = store.shelves[size_class];
    const bool is_full = shelf.in_open > 0;
    if (!may_keep() || (is_full && shelf.full && !give_bundle(size_class, shelf.full))) {
        std::free(memory);
        return;
    }
    if (is_full) shelf.full = std::exchange(shelf.open, nullptr);
    shelf.open = new (memory) Free{shelf.open, nullptr};
    shelf.in_open = 1;
}

} // namespace

void *BodyPool::take(size_t size, SizeClass &size_class) {
    if (size > size_max || !is_pooling) {
        size_class = unpooled;
        return std::malloc(size);
    }
    const int index = class_of(size);
    size_class = SizeClass(index);
    Shelf &shelf = store.shelves[index];
    Free *const first = shelf.open;
    if (!first) return refill(index);
    shelf.open = first->next;
    --shelf.in_open;
    return first;
}

void BodyPool::give(void *memory, SizeClass size_class) {
    if (size_class == unpooled) {
        std::free(memory);
        return;
    }
    Shelf &shelf = store.shelves[size_class];
    if (shelf.in_open % bundle_of(size_class) == 0) {
        put_aside(memory, size_class);
        return;
    }
    shelf.open = new (memory) Free{shelf.open, nullptr};
    ++shelf.in_open;
}

} // namespace tern
