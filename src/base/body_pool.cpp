#include "base/body_pool.hpp"

#include "base/compiler.hpp"
#include "base/thread_end.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <new>
#include <pthread.h>
#include <utility>

namespace tern {

namespace {

using Clock = std::chrono::steady_clock;

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
constexpr size_t bundle_size(int size_class) { return bundle_of(size_class) * size_of(size_class); }

// Written into memory that nobody uses.
struct Free {
    Free *next;
    Free *next_bundle; // in the first of a bundle
};

// Bundles that no thread keeps; of a large class each is one body.
struct alignas(64) Depot {
    std::mutex lock;
    Free *bundles = nullptr;
    uint32_t count = 0;  // of them
    uint32_t least = 0;  // of the count, since the last inspection
    uint32_t visits = 0; // how often a bundle was brought or asked for
};

// Never destroyed: threads may outlive the library's other statics.
Depot *const depots = new (std::nothrow) Depot[all_classes];

// In those of the large classes, together.
std::atomic<size_t> large_kept{0};

void free_all(Free *list) {
    while (list) std::free(std::exchange(list, list->next));
}

// With the depot's lock.
Free *pop_bundle(Depot &depot, int size_class) {
    Free *const bundle = depot.bundles;
    if (!bundle) return nullptr;
    depot.bundles = bundle->next_bundle;
    --depot.count;
    if (size_class >= classes) large_kept.fetch_sub(size_of(size_class), std::memory_order_relaxed);
    return bundle;
}

// A depot is as full as the worst jam has made it. What nobody has missed from one inspection to the next goes
// back to malloc; not too much at once, because a caller waits for it.
void inspect(int size_class) {
    constexpr uint32_t bodies_at_once = 2048;
    Depot &depot = depots[size_class];
    Free *surplus = nullptr;
    {
        const std::lock_guard<std::mutex> held(depot.lock);
        for (uint32_t n = std::min(depot.least, bodies_at_once / bundle_of(size_class)); n > 0; --n) {
            Free *const bundle = pop_bundle(depot, size_class);
            bundle->next_bundle = std::exchange(surplus, bundle);
        }
        depot.least = depot.count;
    }
    while (surplus) free_all(std::exchange(surplus, surplus->next_bundle));
}

// Whoever comes to a depot looks at the clock now and then; an idle process does nothing. Each depot is inspected
// once a second, by turns, whichever is visited: the traffic of one size is enough for all.
void inspect_if_due() {
    static std::atomic<uint32_t> turn{0};
    static std::atomic<Clock::time_point> last_time{Clock::time_point()};
    constexpr Clock::duration time_between = Clock::duration(std::chrono::seconds(1)) / all_classes;
    const Clock::time_point now = Clock::now();
    Clock::time_point last = last_time.load(std::memory_order_relaxed);
    if (now >= last && now - last < time_between) return;
    if (last_time.compare_exchange_strong(last, now, std::memory_order_relaxed))
        inspect(int(turn.fetch_add(1, std::memory_order_relaxed) % all_classes));
}

// With the depot's lock; true for every so many.
bool count_visit(Depot &depot) {
    constexpr uint32_t visits_between_looks = 16;
    return ++depot.visits % visits_between_looks == 0;
}

Free *take_bundle(int size_class) {
    if (!depots) return nullptr;
    Depot &depot = depots[size_class];
    std::unique_lock<std::mutex> held(depot.lock);
    Free *const bundle = pop_bundle(depot, size_class);
    depot.least = std::min(depot.least, depot.count);
    const bool looks = count_visit(depot);
    held.unlock();
    if (looks) inspect_if_due();
    return bundle;
}

// With the depot's lock. Room is taken where there is some.
bool take_room(const Depot &depot, int size_class) {
    if (size_class < classes) return (depot.count + 1) * bundle_size(size_class) <= depot_bytes;
    const size_t size = size_of(size_class);
    if (large_kept.fetch_add(size, std::memory_order_relaxed) + size <= large_bytes) return true;
    large_kept.fetch_sub(size, std::memory_order_relaxed);
    return false;
}

bool give_bundle(int size_class, Free *bundle) {
    if (!depots) return false;
    Depot &depot = depots[size_class];
    std::unique_lock<std::mutex> held(depot.lock);
    const bool looks = count_visit(depot);
    const bool has_room = take_room(depot, size_class);
    if (has_room) {
        bundle->next_bundle = depot.bundles;
        depot.bundles = bundle;
        ++depot.count;
    }
    held.unlock();
    if (looks) inspect_if_due();
    return has_room;
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

// A child has the thread that forked alone, so no other one may hold a lock when it is made.
void before_fork() {
    for (int i = 0; depots && i < all_classes; ++i) depots[i].lock.lock();
}
void after_fork() {
    for (int i = 0; depots && i < all_classes; ++i) depots[i].lock.unlock();
}
[[maybe_unused]] const int at_fork = ::pthread_atfork(before_fork, after_fork, after_fork);

void *take_large(int size_class) {
    Free *const body = take_bundle(size_class);
    return body ? body : std::malloc(size_of(size_class));
}

void give_large(void *memory, int size_class) {
    if (!give_bundle(size_class, new (memory) Free{nullptr, nullptr})) std::free(memory);
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
    if (size > large_max || !is_pooling) {
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

size_t BodyPool::kept() {
    size_t bytes = 0;
    for (int i = 0; depots && i < all_classes; ++i) {
        const std::lock_guard<std::mutex> held(depots[i].lock);
        bytes += depots[i].count * bundle_size(i);
    }
    return bytes;
}

} // namespace tern
