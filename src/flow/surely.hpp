// surely(): a step that can be neither refused nor taken back, made until there is memory for it.
// Threads: any; the caller waits, with the turn where it has it (os/memory_wait.hpp).
#ifndef TERN_FLOW_SURELY_HPP
#define TERN_FLOW_SURELY_HPP

#include "base/error.hpp"
#include "os/memory_wait.hpp"

namespace tern {

// REQUIRES: want of memory is all that the step's Error can be.
template <class Step>
void surely(Step step) {
    while (step()) wait_for_memory();
}

} // namespace tern

#endif
