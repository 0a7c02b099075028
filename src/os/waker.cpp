#include "os/waker.hpp"

#include <cstdint>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/eventfd.h>
#endif

namespace tern {

namespace {
constexpr int signal_tries_max = 100;

// A thread may wait for nothing but this: it is tried for a while, whatever the system says. A full counter
// or pipe is readable already.
bool write_insistently(int fd, const void *data, size_t size) {
    for (int i = 0; i < signal_tries_max; ++i) {
        if (::write(fd, data, size) > 0) return true;
        ::sched_yield();
    }
    return errno == EAGAIN;
}
} // namespace

#if defined(__linux__)

Error Waker::open() {
    const int fd = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (fd < 0) return Error(errno);
    read_end_.reset(fd);
    return err::none;
}

bool Waker::signal() const {
    const uint64_t one = 1;
    return write_insistently(read_end_.get(), &one, sizeof one);
}

bool Waker::drain() const {
    uint64_t count;
    ssize_t n;
    do n = ::read(read_end_.get(), &count, sizeof count);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

#else

Error Waker::open() {
    int ends[2];
    if (::pipe(ends) != 0) return Error(errno);
    for (int fd : ends) {
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        ::fcntl(fd, F_SETFL, O_NONBLOCK);
    }
    read_end_.reset(ends[0]);
    write_end_.reset(ends[1]);
    return err::none;
}

bool Waker::signal() const {
    const char one = 1;
    return write_insistently(write_end_.get(), &one, sizeof one);
}

bool Waker::drain() const {
    char sink[64];
    bool any = false;
    ssize_t n;
    do {
        n = ::read(read_end_.get(), sink, sizeof sink);
        any |= n > 0;
    } while (n > 0 || (n < 0 && errno == EINTR));
    return any;
}

#endif

void Waker::drain_promised() const {
    for (int i = 0; i < 100000 && !drain(); ++i) ::sched_yield();
}

} // namespace tern
