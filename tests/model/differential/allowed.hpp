// Where the two libraries may differ: what the reference says, what ours says, why, and the row of spec/decisions.md
// that it stands on. Patterns are those of the shell.
#ifndef TERN_TESTS_MODEL_DIFFERENTIAL_ALLOWED_HPP
#define TERN_TESTS_MODEL_DIFFERENTIAL_ALLOWED_HPP

#include <string>

namespace model {

struct Allowed {
    const char* reference;
    const char* ours;
    const char* reason;
    const char* decision;
    // The state is the same afterwards, so the rest of the program is compared as well.
    bool goes_on;
};

// Null: not allowed.
const Allowed* find_allowed(const std::string& reference, const std::string& ours);

} // namespace model

#endif
