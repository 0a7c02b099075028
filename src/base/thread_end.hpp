// ThreadEnd: what a thread keeps with the library is given back when the thread ends. A thread_local
// with a destructor would do, were it not that the C library ends the process when it has no memory for
// the note of that; here the thread keeps nothing then.
// Threads: any; a note belongs to the thread that left it.
// Owner:   whoever leaves the note, which lies in what is kept.
// Limit:   a thread that lives on when the library is unloaded gives nothing back.
#ifndef TERN_BASE_THREAD_END_HPP
#define TERN_BASE_THREAD_END_HPP

#include <cstdlib>
#include <new>

namespace tern {

class ThreadEnd {
  public:
    struct Note {
        void (*give_back)(Note &) = nullptr;
        Note *next = nullptr;
    };
    // Has `give_back` called once, on this thread, when it ends or unloads the library. False: it will
    // not be, for want of memory, or since the thread has come to its end.
    static bool leave(Note &note);
    // A Kept, which is a Note, in memory of its own: when the thread ends its end() is called, and the
    // memory is given back. Null where leave() says false, and for want of memory, which is not waited for.
    template <class Kept>
    static Kept *keep();
};

template <class Kept>
Kept *ThreadEnd::keep() {
    void *const memory = std::malloc(sizeof(Kept)); // `new` would wait for what can be done without
    if (!memory) return nullptr;
    Kept *const kept = new (memory) Kept;
    kept->give_back = [](Note &note) {
        auto &own = static_cast<Kept &>(note);
        own.end();
        own.~Kept();
        std::free(&own);
    };
    if (leave(*kept)) return kept;
    kept->~Kept();
    std::free(memory);
    return nullptr;
}

} // namespace tern

#endif
