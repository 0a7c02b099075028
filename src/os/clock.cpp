#include "os/clock.hpp"

#include <time.h>

namespace tern {

Nanoseconds now_ns() {
    timespec t;
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return Nanoseconds(t.tv_sec) * 1000000000 + t.tv_nsec;
}

} // namespace tern
