#include "transport/ipc.hpp"
#include "transport/stream_io.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace tern;

namespace {

// As a connector does it.
Connecting ipc_connect(std::string_view address) {
    const auto target = ipc_socket_address(address);
    if (!target) return {{}, target.error()};
    return tern::ipc_connect(*target);
}

// A directory of the test's own, removed with what is in it.
class TemporaryDirectory {
  public:
    TemporaryDirectory() { REQUIRE(::mkdtemp(path_)); }
    ~TemporaryDirectory() {
        (void)::unlink(file().c_str());
        (void)::rmdir(path_);
    }
    std::string path() const { return path_; }
    std::string file() const { return path() + "/socket"; }

  private:
    char path_[32] = "/tmp/tern-test-XXXXXX";
};

bool exists(const std::string &path) {
    struct stat status;
    return ::stat(path.c_str(), &status) == 0;
}

std::string abstract_name(const char *suffix) {
    return "@tern-test-" + std::to_string(::getpid()) + suffix;
}

struct Pair {
    Fd left;
    Fd right;
};

Pair make_pair() {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    return {Fd(fds[0]), Fd(fds[1])};
}

} // namespace

TEST_CASE("An ipc path is bound, connected to, and left behind") {
    TemporaryDirectory directory;
    {
        const auto listening = ipc_listen(directory.file(), {});
        REQUIRE(listening);
        CHECK(listening->endpoint == "ipc://" + directory.file());
        CHECK(listening->path_to_remove.empty());
        CHECK(listening->directory_to_remove.empty());
        CHECK((::fcntl(listening->fd.get(), F_GETFL) & O_NONBLOCK) != 0);
        CHECK((::fcntl(listening->fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK(ipc_accept(listening->fd.get(), {}).error() == err::again);

        const auto connecting = ipc_connect(directory.file());
        REQUIRE(bool(connecting));
        CHECK_FALSE(connecting.in_progress);
        CHECK_FALSE(finish_connect(connecting.fd.get()));
        CHECK(ipc_peer_endpoint(connecting.fd.get()) == listening->endpoint);
        CHECK(ipc_local_endpoint(connecting.fd.get()).empty());
        const auto accepted = ipc_accept(listening->fd.get(), {});
        REQUIRE(accepted);
        CHECK((::fcntl(accepted->fd.get(), F_GETFL) & O_NONBLOCK) != 0);
        CHECK((::fcntl(accepted->fd.get(), F_GETFD) & FD_CLOEXEC) != 0);
        CHECK(accepted->peer_endpoint.empty());
        CHECK(accepted->peer_address == "localhost:" + std::to_string(::getuid()) + ":" +
                                            std::to_string(::getgid()) + ":" +
                                            std::to_string(::getpid()));
    }
    CHECK(exists(directory.file()));
}

TEST_CASE("A second bind of a path takes it over") {
    TemporaryDirectory directory;
    const auto first = ipc_listen(directory.file(), {});
    const auto second = ipc_listen(directory.file(), {});
    REQUIRE(first);
    REQUIRE(second);
    const auto connecting = ipc_connect(directory.file());
    REQUIRE(bool(connecting));
    CHECK(ipc_accept(first->fd.get(), {}).error() == err::again);
    CHECK(ipc_accept(second->fd.get(), {}));
}

TEST_CASE("Abstract names have no file and one owner") {
    const std::string name = abstract_name("-owner");
    const auto listening = ipc_listen(name, {});
    REQUIRE(listening);
    CHECK(listening->endpoint == "ipc://" + name);
    CHECK_FALSE(exists(name));
    CHECK(ipc_listen(name, {}).error() == err::address_in_use);
    CHECK(ipc_connect(name));
    // The length counts: a longer name is another one.
    CHECK(ipc_connect(name + "x").error == Error(ECONNREFUSED));
}

TEST_CASE("Ipc addresses that can not be are refused") {
    CHECK(check_ipc_address("@") == err::invalid);
    CHECK(check_ipc_address("") == err::invalid);
    CHECK_FALSE(check_ipc_address(std::string(107, 'x')));
    CHECK(check_ipc_address(std::string(108, 'x')) == err::name_too_long);
    CHECK_FALSE(check_ipc_address("@" + std::string(106, 'x')));
    CHECK(check_ipc_address("@" + std::string(107, 'x')) == err::name_too_long);
    CHECK(ipc_listen("@", {}).error() == err::invalid);
    CHECK(ipc_listen(std::string(108, 'x'), {}).error() == err::name_too_long);
    CHECK(ipc_listen("/no/such/directory/x", {}).error() == err::no_entry);
    CHECK(ipc_connect("/no/such/directory/x").error == err::no_entry);
    CHECK(ipc_connect("@").error == err::invalid);
}

TEST_CASE("A wildcard bind makes a path of its own, and removes it") {
    TemporaryDirectory directory;
    const char *before = std::getenv("TMPDIR");
    const std::string saved = before ? before : "";
    ::setenv("TMPDIR", directory.path().c_str(), 1);
    auto listening = ipc_listen("*", {});
    // A directory that leaves no room for the name: refused, and nothing stays behind.
    const std::string deep = directory.path() + "/" + std::string(90, 'd');
    REQUIRE(::mkdir(deep.c_str(), 0700) == 0);
    ::setenv("TMPDIR", deep.c_str(), 1);
    CHECK(ipc_listen("*", {}).error() == err::name_too_long);
    CHECK(::rmdir(deep.c_str()) == 0);
    if (before) {
        ::setenv("TMPDIR", saved.c_str(), 1);
    } else {
        ::unsetenv("TMPDIR");
    }

    REQUIRE(listening);
    const std::string prefix = directory.path() + "/tmp";
    CHECK(listening->directory_to_remove.substr(0, prefix.size()) == prefix);
    CHECK(listening->directory_to_remove.size() == prefix.size() + 6);
    CHECK(listening->path_to_remove == listening->directory_to_remove + "/socket");
    CHECK(listening->endpoint == "ipc://" + listening->path_to_remove);
    CHECK(exists(listening->path_to_remove));
    CHECK(ipc_connect(listening->path_to_remove));
    ipc_remove_files(listening->path_to_remove, listening->directory_to_remove);
    CHECK_FALSE(exists(listening->directory_to_remove));
}

TEST_CASE("Any matching ipc filter admits, none refuses") {
    const std::string name = abstract_name("-filter");
    const auto listening = ipc_listen(name, {});
    REQUIRE(listening);
    const auto try_with = [&](const TransportOptions &options) {
        const auto connecting = ipc_connect(name);
        REQUIRE(bool(connecting));
        return ipc_accept(listening->fd.get(), options).error();
    };
    const uid_t other_uid = ::getuid() + 1;
    const pid_t other_pid = ::getpid() + 1;
    TransportOptions options;
    options.ipc_uid_filters = {other_uid};
    CHECK(try_with(options) == accept_filtered);
    options.ipc_pid_filters = {other_pid};
    CHECK(try_with(options) == accept_filtered);
    options.ipc_pid_filters.push_back(::getpid());
    CHECK_FALSE(try_with(options));
    options = {};
    options.ipc_gid_filters = {::getgid()};
    CHECK_FALSE(try_with(options));
    options = {};
    options.ipc_uid_filters = {::getuid()};
    CHECK_FALSE(try_with(options));
}

TEST_CASE("USE_FD takes an ipc listener over and removes nothing") {
    TemporaryDirectory directory;
    auto original = ipc_listen(directory.file(), {});
    REQUIRE(original);
    TransportOptions options;
    options.use_fd = original->fd.release();
    const auto adopted = ipc_listen(directory.file(), options);
    REQUIRE(adopted);
    CHECK(adopted->fd.get() == options.use_fd);
    CHECK(adopted->endpoint == "ipc://" + directory.file());
    CHECK(adopted->path_to_remove.empty());
    CHECK(ipc_connect(directory.file()));
}

TEST_CASE("Reads and writes move what they can, and say what stopped them") {
    Pair pair = make_pair();
    char buffer[16] = {};
    IoResult result = read_some(pair.right.get(), buffer, sizeof buffer);
    CHECK(result.status == IoResult::Status::would_block);
    CHECK(result.count == 0);

    char hello[] = "hello, ";
    char world[] = "world";
    const iovec out[] = {{hello, 7}, {nullptr, 0}, {world, 5}};
    result = write_vector(pair.left.get(), out, 3);
    CHECK(result.status == IoResult::Status::ok);
    CHECK(result.count == 12);
    CHECK(write_some(pair.left.get(), "!", 1).count == 1);

    char rest[16] = {};
    const iovec in[] = {{buffer, 7}, {rest, sizeof rest}};
    result = read_vector(pair.right.get(), in, 2);
    CHECK(result.status == IoResult::Status::ok);
    CHECK(result.count == 13);
    CHECK(std::string(buffer) == "hello, ");
    CHECK(std::string(rest) == "world!");

    CHECK(read_some(pair.right.get(), buffer, 0).status == IoResult::Status::ok);
    pair.left.reset();
    CHECK(read_some(pair.right.get(), buffer, 0).status == IoResult::Status::ok);
    CHECK(read_some(pair.right.get(), buffer, 1).status == IoResult::Status::closed);
    CHECK(read_vector(pair.right.get(), in, 2).status == IoResult::Status::closed);
}

TEST_CASE("Writing to a closed peer is an errno, not a signal") {
    Pair pair = make_pair();
    pair.left.reset();
    const IoResult result = write_some(pair.right.get(), "x", 1);
    CHECK(result.status == IoResult::Status::failed);
    CHECK(result.error == err::broken_pipe);
    char byte = 'x';
    const iovec piece = {&byte, 1};
    CHECK(write_vector(pair.right.get(), &piece, 1).error == err::broken_pipe);
    CHECK(write_vector(-1, &piece, 1).error == Error(EBADF));
    CHECK(read_some(-1, &byte, 1).error == Error(EBADF));
}

TEST_CASE("A full stream would block, whether the descriptor says so or not") {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    const Fd left(fds[0]);
    const Fd right(fds[1]);
    const std::string block(1 << 16, 'x');
    IoResult result;
    size_t total = 0;
    while ((result = write_some(left.get(), block.data(), block.size())).status ==
           IoResult::Status::ok) {
        total += result.count;
        REQUIRE(total < size_t(1) << 30);
    }
    CHECK(result.status == IoResult::Status::would_block);
    CHECK(total > 0);
}

TEST_CASE("More pieces than the kernel takes are written in part") {
    Pair pair = make_pair();
    char byte = 'x';
    const std::vector<iovec> pieces(2000, iovec{&byte, 1});
    const IoResult result = write_vector(pair.left.get(), pieces.data(), int(pieces.size()));
    CHECK(result.status == IoResult::Status::ok);
    CHECK(result.count >= 1);
    CHECK(result.count < pieces.size());
}
