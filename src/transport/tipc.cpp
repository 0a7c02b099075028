#include "transport/tipc.hpp"

#include <cstring>
#include <sys/socket.h>
// It uses what sys/socket.h declares.
#include <linux/tipc.h>

namespace tern {

namespace {

constexpr unsigned zone_max = 0xff;
constexpr unsigned cluster_max = 0xfff;
constexpr unsigned number_max = 0xfff;
constexpr unsigned cluster_bits = 12;
constexpr unsigned number_bits = 12;

// Takes an address apart from the front.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : rest_(text) {}
    bool is_at_end() const { return rest_.empty(); }
    bool take(std::string_view mark) {
        if (rest_.substr(0, mark.size()) != mark) return false;
        rest_.remove_prefix(mark.size());
        return true;
    }
    bool take_comma() {
        if (!take(",")) return false;
        while (take(" ")) {
        }
        return true;
    }
    bool take_number(uint32_t &number, uint32_t most = UINT32_MAX) {
        uint64_t value = 0;
        size_t digits = 0;
        for (; digits < rest_.size() && rest_[digits] >= '0' && rest_[digits] <= '9'; ++digits) {
            value = value * 10 + uint64_t(rest_[digits] - '0');
            if (value > most) return false;
        }
        if (digits == 0) return false;
        rest_.remove_prefix(digits);
        number = static_cast<uint32_t>(value);
        return true;
    }
    bool take_node(uint32_t &node) {
        uint32_t zone, cluster, number;
        if (!take_number(zone, zone_max) || !take(".") || !take_number(cluster, cluster_max) ||
            !take(".") || !take_number(number, number_max))
            return false;
        node = zone << (cluster_bits + number_bits) | cluster << number_bits | number;
        return true;
    }

  private:
    std::string_view rest_;
};

std::string node_text(uint32_t node) {
    return std::to_string(node >> (cluster_bits + number_bits)) + "." +
           std::to_string(node >> number_bits & cluster_max) + "." +
           std::to_string(node & number_max);
}

SocketAddress wrap(const sockaddr_tipc &address) {
    return SocketAddress(reinterpret_cast<const sockaddr *>(&address), sizeof address);
}

// What stands between braces, and the node behind them.
Result<sockaddr_tipc> parse_service(std::string_view text) {
    Cursor cursor(text);
    sockaddr_tipc result{};
    result.family = AF_TIPC;
    result.scope = TIPC_CLUSTER_SCOPE;
    uint32_t type, lower;
    if (!cursor.take("{") || !cursor.take_number(type) || !cursor.take_comma() ||
        !cursor.take_number(lower))
        return err::invalid;
    if (cursor.take("}")) {
        if (type <= TIPC_RESERVED_TYPES) return err::invalid;
        result.addrtype = TIPC_SERVICE_ADDR;
        result.addr.name.name.type = type;
        result.addr.name.name.instance = lower;
        result.addr.name.domain = 0; // wherever in the cluster
        if (cursor.take("@") && !cursor.take_node(result.addr.name.domain)) return err::invalid;
    } else {
        uint32_t upper;
        if (!cursor.take_comma() || !cursor.take_number(upper) || !cursor.take("}"))
            return err::invalid;
        if (type < TIPC_RESERVED_TYPES || upper < lower) return err::invalid;
        result.addrtype = TIPC_SERVICE_RANGE;
        result.addr.nameseq.type = type;
        result.addr.nameseq.lower = lower;
        result.addr.nameseq.upper = upper;
    }
    if (!cursor.is_at_end()) return err::invalid;
    return result;
}

Result<sockaddr_tipc> parse_port(std::string_view text) {
    Cursor cursor(text);
    sockaddr_tipc result{};
    result.family = AF_TIPC;
    result.addrtype = TIPC_SOCKET_ADDR;
    if (!cursor.take("<") || !cursor.take_node(result.addr.id.node) || !cursor.take(":") ||
        !cursor.take_number(result.addr.id.ref) || !cursor.take(">") || !cursor.is_at_end())
        return err::invalid;
    return result;
}

std::string text_of(const Result<SocketAddress> &address) {
    return address ? tipc_text(*address) : std::string();
}

class TipcTransport final : public StreamTransport {
  public:
    Result<Listening> listen(std::string_view address,
                             const TransportOptions &options) const override {
        const auto local = parse_tipc_bind(address);
        if (!local) return local.error();
        auto fd = open_stream_socket(AF_TIPC);
        if (!fd) return fd.error();
        // Every socket has a port of its own, by which it is shown; a service is another name of it.
        if (!local->is_empty() && ::bind(fd->get(), local->data(), local->size()) != 0)
            return Error(errno);
        if (::listen(fd->get(), options.backlog) != 0) return Error(errno);
        const auto bound = SocketAddress::local_of(fd->get());
        if (!bound) return bound.error();
        Listening listening;
        listening.endpoint = text_of(bound);
        listening.other_text = "tipc://" + std::string(address);
        listening.fd = std::move(*fd);
        return listening;
    }
    Result<Accepted> accept(int listener_fd, const TransportOptions &) const override {
        SocketAddress peer;
        auto accepted = accept_one(listener_fd, peer);
        if (accepted) accepted->peer_endpoint = tipc_text(peer);
        return accepted;
    }
    Error check_connect(std::string_view address, const TransportOptions &) const override {
        return parse_tipc_connect(address).error();
    }
    std::string connected_text(const Endpoint &endpoint) const override {
        return text_of(parse_tipc_connect(endpoint.address));
    }
    Result<SocketAddress> resolve(std::string_view address,
                                  const TransportOptions &) const override {
        const auto given = parse_tipc_connect(address);
        if (!given) return given;
        sockaddr_tipc target{};
        std::memcpy(&target, given->data(), sizeof target);
        if (target.addrtype != TIPC_SERVICE_RANGE) return given;
        const tipc_service_range range = target.addr.nameseq;
        target.addrtype = TIPC_SERVICE_ADDR;
        target.addr.name.name.type = range.type;
        target.addr.name.name.instance = range.lower;
        target.addr.name.domain = 0;
        return wrap(target);
    }
    Connecting connect(std::string_view, const SocketAddress &target,
                       const TransportOptions &) const override {
        auto fd = open_stream_socket(AF_TIPC);
        if (!fd) return {{}, fd.error()};
        return begin_connect(std::move(*fd), target);
    }
    std::string local_endpoint(int fd) const override {
        return text_of(SocketAddress::local_of(fd));
    }
    std::string peer_address(int) const override { return {}; }
};

} // namespace

Result<SocketAddress> parse_tipc_bind(std::string_view address) {
    if (address == "<*>") return SocketAddress();
    auto service = parse_service(address);
    if (!service) return service.error();
    if (service->addrtype == TIPC_SERVICE_ADDR) {
        // As a range of one. It is bound where the socket is, whatever node was named.
        const tipc_service_addr name = service->addr.name.name;
        service->addrtype = TIPC_SERVICE_RANGE;
        service->addr.nameseq = {name.type, name.instance, name.instance};
    }
    return wrap(*service);
}

Result<SocketAddress> parse_tipc_connect(std::string_view address) {
    const auto parsed =
        address.substr(0, 1) == "<" ? parse_port(address) : parse_service(address);
    if (!parsed) return parsed.error();
    return wrap(*parsed);
}

std::string tipc_text(const SocketAddress &address) {
    if (address.family() != AF_TIPC || address.size() < sizeof(sockaddr_tipc)) return {};
    sockaddr_tipc parts;
    std::memcpy(&parts, address.data(), sizeof parts);
    const auto three = [](uint32_t a, uint32_t b, uint32_t c) {
        return "tipc://{" + std::to_string(a) + ", " + std::to_string(b) + ", " +
               std::to_string(c) + "}";
    };
    switch (parts.addrtype) {
    case TIPC_SERVICE_RANGE:
        return three(parts.addr.nameseq.type, parts.addr.nameseq.lower, parts.addr.nameseq.upper);
    case TIPC_SERVICE_ADDR:
        return three(parts.addr.name.name.type, parts.addr.name.name.instance,
                     parts.addr.name.domain);
    case TIPC_SOCKET_ADDR:
        return "tipc://<" + node_text(parts.addr.id.node) + ":" +
               std::to_string(parts.addr.id.ref) + ">";
    default: return {};
    }
}

const StreamTransport &tipc_transport() {
    static const TipcTransport transport;
    return transport;
}

} // namespace tern
