#include "transport/ws.hpp"

#include "transport/tcp.hpp"
#include "transport/tcp_address.hpp"
#ifdef TERN_HAVE_WSS
#include "transport/tls.hpp"
#endif

#include <algorithm>

namespace tern {

namespace {

struct WsAddress {
    std::string_view tcp;
    std::string_view path;
};

WsAddress split(std::string_view address) {
    const size_t slash = address.find('/');
    if (slash == address.npos) return {address, "/"};
    return {address.substr(0, slash), address.substr(slash)};
}

// It becomes a part of a line of HTTP.
bool is_path(std::string_view path) {
    return std::all_of(path.begin(), path.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

class WsTransport : public StreamTransport {
  public:
    explicit constexpr WsTransport(std::string_view scheme) : scheme_(scheme) {}

    Result<Listening> listen(std::string_view address,
                             const TransportOptions &options) const final {
        const WsAddress parts = split(address);
        if (!is_path(parts.path)) return err::invalid;
        auto listening = tcp_listen(parts.tcp, options);
        if (listening) listening->endpoint = text_of(listening->endpoint, parts.path);
        return listening;
    }
    Result<Accepted> accept(int listener_fd, const TransportOptions &options) const final {
        auto accepted = tcp_accept(listener_fd, options);
        if (accepted) accepted->peer_endpoint = text_of(accepted->peer_endpoint, "/");
        return accepted;
    }
    Error check_connect(std::string_view address, const TransportOptions &) const final {
        const WsAddress parts = split(address);
        const auto target = parse_connect(parts.tcp);
        if (!target) return target.error();
        if (!is_path(parts.path) || !target->source.empty()) return err::invalid;
        return err::none;
    }
    std::string connected_text(const Endpoint &endpoint) const final {
        const WsAddress parts = split(endpoint.address);
        return std::string(scheme_).append("://").append(parts.tcp).append(parts.path);
    }
    bool asks_name_service(std::string_view address, const TransportOptions &options) const final {
        const auto target = parse_connect(split(address).tcp);
        return target && !numeric(*target, options.ipv6);
    }
    Result<SocketAddress> resolve(std::string_view address,
                                  const TransportOptions &options) const final {
        const auto target = parse_connect(split(address).tcp);
        return target ? resolve_connect(*target, options.ipv6) : target.error();
    }
    Connecting connect(std::string_view, const SocketAddress &target,
                       const TransportOptions &options) const final {
        return tcp_connect(target, std::nullopt, options);
    }
    Result<Wrapping> wrapping(std::string_view address, const TransportOptions &,
                              bool) const override {
        const WsAddress parts = split(address);
        Wrapping wrapping;
        wrapping.is_websocket = true;
        wrapping.host = parts.tcp.substr(0, parts.tcp.rfind(':'));
        wrapping.path = parts.path;
        return wrapping;
    }
    std::string local_endpoint(int fd) const final { return text_of(tcp_local_endpoint(fd), "/"); }
    std::string peer_address(int fd) const final { return tcp_peer_address(fd); }

  private:
    // Of a tcp endpoint.
    std::string text_of(std::string_view tcp, std::string_view path) const {
        constexpr std::string_view scheme = "tcp";
        if (tcp.empty()) return {};
        return std::string(scheme_).append(tcp.substr(scheme.size())).append(path);
    }

    const std::string_view scheme_;
};

#ifdef TERN_HAVE_WSS
class WssTransport final : public WsTransport {
  public:
    constexpr WssTransport() : WsTransport("wss") {}
    Result<Wrapping> wrapping(std::string_view address, const TransportOptions &options,
                              bool binds) const override {
        auto wrapping = WsTransport::wrapping(address, options, binds);
        auto maker = binds ? make_tls_server(options) : make_tls_client(options);
        if (!maker) return maker.error();
        wrapping->layers = std::move(*maker);
        return wrapping;
    }
};
#endif

} // namespace

const StreamTransport &ws_transport() {
    static const WsTransport transport("ws");
    return transport;
}

#ifdef TERN_HAVE_WSS
const StreamTransport &wss_transport() {
    static const WssTransport transport;
    return transport;
}
#endif

} // namespace tern
