#include "os/this_thread.hpp"

namespace tern {

TERN_NEAR_THREAD_LOCAL char detail::thread_mark = 0;

} // namespace tern
