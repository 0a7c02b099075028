#include "transport/vsock.hpp"

#include <algorithm>
#include <cstring>
#include <sys/socket.h>
// It uses what sys/socket.h declares.
#include <linux/vm_sockets.h>

namespace tern {

namespace {

// A number of 32 bits in digits alone, or one of the words for any.
Result<uint32_t> parse_number(std::string_view text) {
    static_assert(VMADDR_CID_ANY == UINT32_MAX && VMADDR_PORT_ANY == UINT32_MAX,
                  "one value for both");
    if (text == "*" || text == "-1") return uint32_t(UINT32_MAX);
    if (text.empty()) return err::invalid;
    uint64_t number = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return err::invalid;
        number = number * 10 + uint64_t(c - '0');
        if (number > UINT32_MAX) return err::invalid;
    }
    return static_cast<uint32_t>(number);
}

std::string number_text(uint32_t number) {
    return number == UINT32_MAX ? "*" : std::to_string(number);
}

std::string text_of(const Result<SocketAddress> &address) {
    return address ? vsock_text(*address) : std::string();
}

class VsockTransport final : public StreamTransport {
  public:
    Result<Listening> listen(std::string_view address,
                             const TransportOptions &options) const override {
        const auto local = parse_vsock_address(address);
        if (!local) return local.error();
        auto fd = open_stream_socket(AF_VSOCK);
        if (!fd) return fd.error();
        if (::bind(fd->get(), local->data(), local->size()) != 0) return Error(errno);
        if (::listen(fd->get(), options.backlog) != 0) return Error(errno);
        const auto bound = SocketAddress::local_of(fd->get());
        if (!bound) return bound.error();
        Listening listening;
        listening.endpoint = text_of(bound);
        listening.fd = std::move(*fd);
        return listening;
    }
    Result<Accepted> accept(int listener_fd, const TransportOptions &) const override {
        SocketAddress peer;
        auto accepted = accept_one(listener_fd, peer);
        if (accepted) accepted->peer_endpoint = vsock_text(peer);
        return accepted;
    }
    Error check_connect(std::string_view address, const TransportOptions &) const override {
        return parse_vsock_address(address).error();
    }
    std::string connected_text(const Endpoint &endpoint) const override {
        return text_of(parse_vsock_address(endpoint.address));
    }
    Result<SocketAddress> resolve(std::string_view address,
                                  const TransportOptions &) const override {
        return parse_vsock_address(address);
    }
    Connecting connect(std::string_view, const SocketAddress &target,
                       const TransportOptions &) const override {
        auto fd = open_stream_socket(AF_VSOCK);
        if (!fd) return {{}, fd.error()};
        return begin_connect(std::move(*fd), target);
    }
    std::string local_endpoint(int fd) const override {
        return text_of(SocketAddress::local_of(fd));
    }
    std::string peer_address(int) const override { return {}; }
};

} // namespace

Result<SocketAddress> parse_vsock_address(std::string_view address) {
    const size_t colon = address.rfind(':');
    if (colon == address.npos) return err::invalid;
    const std::string_view cid_text = address.substr(0, colon);
    const auto cid = cid_text == "@" ? Result<uint32_t>(VMADDR_CID_HOST) : parse_number(cid_text);
    const auto port = parse_number(address.substr(colon + 1));
    if (!cid || !port) return err::invalid;
    sockaddr_vm result{};
    result.svm_family = AF_VSOCK;
    result.svm_cid = *cid;
    result.svm_port = *port;
    return SocketAddress(reinterpret_cast<const sockaddr *>(&result), sizeof result);
}

std::string vsock_text(const SocketAddress &address) {
    if (address.family() != AF_VSOCK || address.size() < sizeof(sockaddr_vm)) return {};
    sockaddr_vm parts;
    std::memcpy(&parts, address.data(), sizeof parts);
    return "vsock://" + number_text(parts.svm_cid) + ":" + number_text(parts.svm_port);
}

const StreamTransport &vsock_transport() {
    static const VsockTransport transport;
    return transport;
}

} // namespace tern
