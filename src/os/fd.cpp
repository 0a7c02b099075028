#include "os/fd.hpp"

#include <cerrno>
#include <unistd.h>

namespace tern {

void Fd::reset(int number) {
    if (number_ >= 0) {
        const int saved = errno;
        ::close(number_); // whatever it answers, the number is gone (Linux closes before EINTR)
        errno = saved;
    }
    number_ = number;
}

} // namespace tern
