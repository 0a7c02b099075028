#include "base/thread_end.hpp"

#include "base/compiler.hpp"

#include <atomic>
#include <pthread.h>
#include <utility>

namespace tern {

namespace {

ThreadEnd::Note has_come; // stands in the place of the notes of a thread that has ended
TERN_NEAR_THREAD_LOCAL ThreadEnd::Note *notes = nullptr;

void give_all_back(void *) {
    if (notes == &has_come) return;
    ThreadEnd::Note *list = std::exchange(notes, &has_come);
    while (list) {
        ThreadEnd::Note &note = *list;
        list = note.next;
        note.give_back(note);
    }
}

// Outlives the key: threads may outlive the library's statics.
std::atomic<bool> is_heard{false};

// The first thread ends with no destructor of a key, but with this one.
struct Key {
    pthread_key_t key;
    Key() { is_heard.store(::pthread_key_create(&key, give_all_back) == 0); }
    ~Key() {
        give_all_back(nullptr);
        if (is_heard.exchange(false)) (void)::pthread_key_delete(key);
    }
} key;

} // namespace

bool ThreadEnd::leave(Note &note) {
    if (notes == &has_come || !is_heard.load(std::memory_order_relaxed)) return false;
    if (!notes && ::pthread_setspecific(key.key, &notes) != 0) return false;
    note.next = notes;
    notes = &note;
    return true;
}

} // namespace tern
