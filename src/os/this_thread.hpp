// Which thread this is, at the price of two loads.
// Threads: any. A mark is of use while its thread lives; a later one may get the same.
#ifndef TERN_OS_THIS_THREAD_HPP
#define TERN_OS_THIS_THREAD_HPP

#include "base/compiler.hpp"

namespace tern {

namespace detail {
extern TERN_NEAR_THREAD_LOCAL char thread_mark;
}

using ThreadMark = const char *;
inline ThreadMark this_thread() { return &detail::thread_mark; }

} // namespace tern

#endif
