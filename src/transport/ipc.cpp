#include "transport/ipc.hpp"

#include "os/memory_wait.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <grp.h>
#include <optional>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

namespace tern {

namespace {

constexpr size_t path_offset = offsetof(sockaddr_un, sun_path);

bool is_abstract(std::string_view address) { return address.front() == '@'; }

std::string endpoint_text(const Result<SocketAddress> &address) {
    if (!address || address->family() != AF_UNIX || address->size() <= path_offset) return "";
    const auto *path = reinterpret_cast<const char *>(address->data()) + path_offset;
    const size_t path_size = address->size() - path_offset;
    if (path[0] == '\0') return "ipc://@" + std::string(path + 1, path_size - 1);
    return "ipc://" + std::string(path, strnlen(path, path_size));
}

// A fresh private directory for a wildcard bind; relative when the environment names none.
Result<std::string> make_directory() {
    std::string pattern;
    for (const char *name : {"TMPDIR", "TEMPDIR", "TMP"}) {
        const char *value = std::getenv(name);
        struct stat status;
        if (!value || ::stat(value, &status) != 0 || !S_ISDIR(status.st_mode)) continue;
        pattern = value;
        if (pattern.back() != '/') pattern += '/';
        break;
    }
    pattern += "tmpXXXXXX";
    if (!::mkdtemp(pattern.data())) return Error(errno);
    return pattern;
}

Error bind_and_listen(int fd, std::string_view path, int backlog) {
    const auto address = ipc_socket_address(path);
    if (!address) return address.error();
    // What a previous owner left behind would be in the way.
    if (!is_abstract(path)) (void)::unlink(std::string(path).c_str());
    if (::bind(fd, address->data(), address->size()) != 0) return Error(errno);
    if (::listen(fd, backlog) != 0) return Error(errno);
    return err::none;
}

struct PeerCredentials {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

Result<PeerCredentials> peer_credentials(int fd) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return Error(errno);
    return PeerCredentials{credentials.uid, credentials.gid, credentials.pid};
}

// Runs a get..._r function until its buffer is large enough. False: there is no such entry.
template <class Entry, class Get>
bool look_up(Entry &entry, std::vector<char> &buffer, Get get) {
    constexpr size_t buffer_max = 1 << 20;
    for (buffer.resize(1024); buffer.size() <= buffer_max; buffer.resize(buffer.size() * 4)) {
        Entry *found = nullptr;
        const int number = get(&entry, buffer.data(), buffer.size(), &found);
        if (number == ERANGE || number == EINTR) continue;
        return number == 0 && found;
    }
    return false;
}

// A user who is listed as a member of the group passes, whatever groups its process runs with.
bool is_listed_member(uid_t uid, const std::vector<gid_t> &groups) {
    passwd user{};
    std::vector<char> user_buffer;
    const bool is_known =
        look_up(user, user_buffer, [&](auto... rest) { return ::getpwuid_r(uid, rest...); });
    if (!is_known) return false;
    for (gid_t gid : groups) {
        group entry{};
        std::vector<char> buffer;
        if (!look_up(entry, buffer, [&](auto... rest) { return ::getgrgid_r(gid, rest...); })) {
            continue;
        }
        for (char **member = entry.gr_mem; *member; ++member) {
            if (std::strcmp(*member, user.pw_name) == 0) return true;
        }
    }
    return false;
}

template <class T>
bool contains(const std::vector<T> &all, T one) {
    return std::find(all.begin(), all.end(), one) != all.end();
}

bool is_admitted(int fd, const TransportOptions &options) {
    const auto &uids = options.ipc_uid_filters;
    const auto &gids = options.ipc_gid_filters;
    const auto &pids = options.ipc_pid_filters;
    if (uids.empty() && gids.empty() && pids.empty()) return true;
    const auto peer = peer_credentials(fd);
    if (!peer) return false;
    return contains(uids, peer->uid) || contains(gids, peer->gid) || contains(pids, peer->pid) ||
           (!gids.empty() && is_listed_member(peer->uid, gids));
}

class IpcTransport final : public StreamTransport {
  public:
    Result<Listening> listen(std::string_view address,
                             const TransportOptions &options) const override {
        return ipc_listen(address, options);
    }
    void remove_files(const Listening &listening) const override {
        ipc_remove_files(listening.path_to_remove, listening.directory_to_remove);
    }
    Result<Accepted> accept(int listener_fd, const TransportOptions &options) const override {
        return ipc_accept(listener_fd, options);
    }
    Error check_connect(std::string_view address, const TransportOptions &) const override {
        return check_ipc_address(address);
    }
    Result<SocketAddress> resolve(std::string_view address,
                                  const TransportOptions &) const override {
        return ipc_socket_address(address);
    }
    Connecting connect(std::string_view, const SocketAddress &target,
                       const TransportOptions &) const override {
        return ipc_connect(target);
    }
    std::string local_endpoint(int fd) const override { return ipc_local_endpoint(fd); }
    std::string peer_address(int fd) const override { return ipc_peer_address(fd); }
};

} // namespace

Error check_ipc_address(std::string_view address) {
    if (address.empty() || address == "@") return err::invalid;
    if (address.size() >= sizeof(sockaddr_un::sun_path)) return err::name_too_long;
    return err::none;
}

Result<SocketAddress> ipc_socket_address(std::string_view text) {
    if (const Error error = check_ipc_address(text)) return error;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, text.data(), text.size());
    // An abstract name has a NUL in front, and counts exactly as far as its length says.
    if (is_abstract(text)) address.sun_path[0] = '\0';
    return SocketAddress(reinterpret_cast<const sockaddr *>(&address),
                         static_cast<socklen_t>(path_offset + text.size()));
}

Result<Listening> ipc_listen(std::string_view address, const TransportOptions &options) {
    Listening listening;
    if (options.use_fd >= 0) {
        if (const Error error = check_ipc_address(address)) return error;
        if (const Error error = adopt_listener(options.use_fd)) return error;
        listening.endpoint = ipc_local_endpoint(options.use_fd);
        if (listening.endpoint.empty()) listening.endpoint = "ipc://" + std::string(address);
        listening.fd.reset(options.use_fd);
        return listening;
    }
    if (address.empty()) return err::invalid;
    std::string path(address);
    std::optional<WaitsForMemory> waits;
    if (address.front() == '*') {
        auto directory = make_directory();
        if (!directory) return directory.error();
        waits.emplace(); // for the directory has to be removed
        path = *directory + "/socket";
        listening.path_to_remove = path;
        listening.directory_to_remove = *directory;
    }
    Error error;
    auto fd = open_stream_socket(AF_UNIX);
    if (fd) {
        error = bind_and_listen(fd->get(), path, options.backlog);
    } else {
        error = fd.error();
    }
    if (error) {
        ipc_remove_files(listening.path_to_remove, listening.directory_to_remove);
        return error;
    }
    listening.endpoint = ipc_local_endpoint(fd->get());
    if (listening.endpoint.empty()) listening.endpoint = "ipc://" + path;
    listening.fd = std::move(*fd);
    return listening;
}

void ipc_remove_files(const std::string &path, const std::string &directory) {
    if (!path.empty()) (void)::unlink(path.c_str());
    if (!directory.empty()) (void)::rmdir(directory.c_str());
}

Result<Accepted> ipc_accept(int listener_fd, const TransportOptions &options) {
    SocketAddress peer;
    auto accepted = accept_one(listener_fd, peer);
    if (!accepted) return accepted;
    if (!is_admitted(accepted->fd.get(), options)) return accept_filtered;
    accepted->peer_endpoint = endpoint_text(peer);
    accepted->peer_address = ipc_peer_address(accepted->fd.get());
    return accepted;
}

Connecting ipc_connect(const SocketAddress &target) {
    auto fd = open_stream_socket(AF_UNIX);
    if (!fd) return {{}, fd.error()};
    return begin_connect(std::move(*fd), target);
}

std::string ipc_local_endpoint(int fd) { return endpoint_text(SocketAddress::local_of(fd)); }

std::string ipc_peer_endpoint(int fd) { return endpoint_text(SocketAddress::peer_of(fd)); }

std::string ipc_peer_address(int fd) {
    const auto peer = peer_credentials(fd);
    if (!peer) return "";
    return "localhost:" + std::to_string(peer->uid) + ":" + std::to_string(peer->gid) + ":" +
           std::to_string(peer->pid);
}

const StreamTransport &ipc_transport() {
    static const IpcTransport transport;
    return transport;
}

} // namespace tern
