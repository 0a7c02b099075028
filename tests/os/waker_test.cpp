#include "os/waker.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tern;

namespace {

bool is_readable(int fd, int timeout_ms = 0) {
    pollfd polled{fd, POLLIN, 0};
    return ::poll(&polled, 1, timeout_ms) == 1 && (polled.revents & POLLIN);
}

} // namespace

TEST_CASE("a fresh waker is quiet, and draining it never blocks") {
    Waker waker;
    CHECK_FALSE(waker.is_open());
    REQUIRE_FALSE(waker.open());
    CHECK(waker.is_open());
    CHECK_FALSE(is_readable(waker.fd()));
    CHECK_FALSE(waker.drain());
}

TEST_CASE("one drain takes all signals") {
    Waker waker;
    REQUIRE_FALSE(waker.open());
    for (int i = 0; i < 1000; ++i) waker.signal();
    CHECK(is_readable(waker.fd()));
    CHECK(waker.drain());
    CHECK_FALSE(is_readable(waker.fd()));
    CHECK_FALSE(waker.drain());
}

TEST_CASE("the descriptor is close-on-exec and does not block") {
    Waker waker;
    REQUIRE_FALSE(waker.open());
    CHECK((::fcntl(waker.fd(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(waker.fd(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("a signal from another thread ends a wait") {
    Waker waker;
    REQUIRE_FALSE(waker.open());
    std::thread signaller([&] { waker.signal(); });
    CHECK(is_readable(waker.fd(), 20000));
    signaller.join();
    CHECK(waker.drain());
}

TEST_CASE("out of descriptors is an error, not the end") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    std::vector<int> taken;
    rlimit low = before;
    low.rlim_cur = 64;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
    for (int fd; (fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0;) taken.push_back(fd);
    Waker waker;
    const Error error = waker.open();
    for (const int fd : taken) ::close(fd);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    CHECK(error == Error(EMFILE));
    CHECK_FALSE(waker.is_open());
}

TEST_CASE("a signal to a descriptor that is somebody else's by now is told") {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    Waker waker;
    REQUIRE_FALSE(waker.open());
    CHECK(waker.signal());
    REQUIRE(::dup2(ends[0], waker.fd()) == waker.fd()); // not open for writing
    CHECK_FALSE(waker.signal());
    ::close(waker.fd());
    CHECK_FALSE(waker.signal());
    waker.disown();
    CHECK_FALSE(waker.is_open());
    ::close(ends[0]);
    ::close(ends[1]);
}
