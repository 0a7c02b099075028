// Plays a program against the library, and says what was violated.
// Threads: as many as the program has; a slot's socket belongs to one of them, and changes hands at barriers only.
// Limit: every wait is bounded; what hangs is found by the process that started this one.
#ifndef TERN_TESTS_MODEL_PLAYER_HPP
#define TERN_TESTS_MODEL_PLAYER_HPP

#include <cstdint>
#include <string>

#include "program.hpp"

namespace model {

struct Outcome {
    std::string violation; // empty: none
    std::uint64_t operations = 0;
    std::uint64_t accepted = 0;
    std::uint64_t delivered = 0;
    std::uint64_t delivered_owed = 0;
};

// What is owed is given up when nothing has come for so long.
Outcome play(const Program& program, int patience_seconds, bool is_traced);

} // namespace model

#endif
