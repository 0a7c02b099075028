// ThreadEnd: what a thread keeps with the library is given back when the thread ends. A thread_local
// with a destructor would do, were it not that the C library ends the process when it has no memory for
// the note of that; here the thread keeps nothing then.
// Threads: any; a note belongs to the thread that left it.
// Owner:   whoever leaves the note, which lies in what is kept.
// Limit:   a thread that lives on when the library is unloaded gives nothing back.
#ifndef TERN_BASE_THREAD_END_HPP
#define TERN_BASE_THREAD_END_HPP

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
};

} // namespace tern

#endif
