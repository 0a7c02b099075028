// surely(): a step that can be neither refused nor taken back, made until there is memory for it.
// Threads: any; the caller waits, with the turn where it has it (os/memory_wait.hpp).
#ifndef TERN_FLOW_SURELY_HPP
#define TERN_FLOW_SURELY_HPP

#include "base/error.hpp"
#include "os/memory_wait.hpp"

namespace tern {

inline bool is_done(bool done) { return done; }
inline bool is_done(Error error) { return !error; }

// The step answers an Error, or whether it is done.
// REQUIRES: want of memory is all that can be in its way.
template <class Step>
void surely(Step step) {
    while (!is_done(step())) wait_for_memory();
}

} // namespace tern

#endif
