#include "base/body_pool.hpp"

#include "base/compiler.hpp"
#include "base/thread_end.hpp"

#include <algorithm>
#include <cstdlib>
#include <mutex>
#include <new>
#include <pthread.h>
#include <utility>

namespace tern {

namespace {

// Those that threads keep, and with the large ones.
constexpr int classes = 20;
constexpr int all_classes = 32;

constexpr size_t size_of(int size_class) {
    return size_t(size_class % 2 == 0 ? 96 : 128) << (size_class / 2);
}
static_assert(size_of(classes - 1) == BodyPool::size_max &&
                  size_of(all_classes - 1) == BodyPool::large_max,
              "the last ones");

constexpr size_t bundle_bytes = 16 * 1024;
constexpr size_t depot_bytes = 2 * 1024 * 1024;
constexpr size_t large_bytes = 8 * 1024 * 1024;
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
    uint32_t room; // in the open bundle
};

struct Store : ThreadEnd::Note {
    Shelf shelves[classes] = {};
    void end();
};
// Of a thread that has none yet, or has ended, or found no memory for one: nothing is kept in it.
Store no_store;
TERN_NEAR_THREAD_LOCAL Store *store = &no_store;

void Store::end() {
    store = &no_store;
    for (Shelf &shelf : shelves) {
        free_all(shelf.open);
        free_all(shelf.full);
    }
}

bool may_keep() {
    if (store != &no_store) return true;
    Store *const own = ThreadEnd::keep<Store>();
    if (own) store = own;
    return own;
}

// What is kept of large bodies, by size.
struct LargeDepot {
    std::mutex lock;
    Free *bodies[all_classes - classes] = {};
    size_t bytes = 0;
};
LargeDepot *const large = new (std::nothrow) LargeDepot;

// A child has the thread that forked alone, so no other one may hold a lock when it is made.
void before_fork() {
    for (int i = 0; depots && i < classes; ++i) depots[i].lock.lock();
    if (large) large->lock.lock();
}
void after_fork() {
    if (large) large->lock.unlock();
    for (int i = 0; depots && i < classes; ++i) depots[i].lock.unlock();
}
[[maybe_unused]] const int at_fork = ::pthread_atfork(before_fork, after_fork, after_fork);

void *take_large(int index) {
    {
        const std::lock_guard<std::mutex> held(large->lock);
        Free *&first = large->bodies[index - classes];
        if (first) {
            large->bytes -= size_of(index);
            return std::exchange(first, first->next);
        }
    }
    return std::malloc(size_of(index));
}

void give_large(void *memory, int size_class) {
    {
        const std::lock_guard<std::mutex> held(large->lock);
        if (large->bytes + size_of(size_class) <= large_bytes) {
            Free *&first = large->bodies[size_class - classes];
            first = new (memory) Free{first, nullptr};
            large->bytes += size_of(size_class);
            return;
        }
    }
    std::free(memory);
}

void *refill(int size_class) {
    if (!may_keep()) return std::malloc(size_of(size_class));
    Shelf &shelf = store->shelves[size_class];
    Free *bundle = std::exchange(shelf.full, nullptr);
    if (!bundle) bundle = take_bundle(size_class);
    if (!bundle) return std::malloc(size_of(size_class));
    shelf.open = bundle->next;
    shelf.room = 1;
    return bundle;
}

// For a shelf whose open bundle is full, or has not begun.
void put_aside(void *memory, int size_class) {
    if (!may_keep()) {
        std::free(memory);
        return;
    }
    Shelf &shelf = store->shelves[size_class];
    const bool is_full = shelf.open != nullptr;
    if (is_full && shelf.full && !give_bundle(size_class, shelf.full)) {
        std::free(memory);
        return;
    }
    if (is_full) shelf.full = std::exchange(shelf.open, nullptr);
    shelf.open = new (memory) Free{shelf.open, nullptr};
    shelf.room = bundle_of(size_class) - 1;
}

} // namespace

void *BodyPool::take(size_t size, SizeClass &size_class) {
    if (size > large_max || !is_pooling || !large) {
        size_class = unpooled;
        return std::malloc(size);
    }
    const int index = class_of(size);
    size_class = SizeClass(index);
    if (index >= classes) return take_large(index);
    Shelf &shelf = store->shelves[index];
    Free *const first = shelf.open;
    if (!first) return refill(index);
    shelf.open = first->next;
    ++shelf.room;
    return first;
}

void BodyPool::give(void *memory, SizeClass size_class) {
    if (size_class >= classes) {
        if (size_class == unpooled) std::free(memory);
        else give_large(memory, size_class);
        return;
    }
    Shelf &shelf = store->shelves[size_class];
    if (shelf.room == 0) {
        put_aside(memory, size_class);
        return;
    }
    shelf.open = new (memory) Free{shelf.open, nullptr};
    --shelf.room;
}

} // namespace tern
