// Random bits that differ from process to process and call to call; not for secrets.
// Threads: any.
#ifndef TERN_OS_RANDOM_HPP
#define TERN_OS_RANDOM_HPP

#include <cstdint>

namespace tern {

uint32_t random_number();

} // namespace tern

#endif
