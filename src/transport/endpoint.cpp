#include "transport/endpoint.hpp"

namespace tern {

namespace {

#ifdef TERN_HAVE_UDP
constexpr bool have_udp = true;
#else
constexpr bool have_udp = false;
#endif
#ifdef TERN_HAVE_WS
constexpr bool have_ws = true;
#else
constexpr bool have_ws = false;
#endif
#ifdef TERN_HAVE_WSS
constexpr bool have_wss = true;
#else
constexpr bool have_wss = false;
#endif
#ifdef TERN_HAVE_PGM
constexpr bool have_pgm = true;
#else
constexpr bool have_pgm = false;
#endif
#ifdef TERN_HAVE_NORM
constexpr bool have_norm = true;
#else
constexpr bool have_norm = false;
#endif
#ifdef TERN_HAVE_TIPC
constexpr bool have_tipc = true;
#else
constexpr bool have_tipc = false;
#endif
#ifdef TERN_HAVE_VSOCK
constexpr bool have_vsock = true;
#else
constexpr bool have_vsock = false;
#endif

struct Scheme {
    std::string_view name;
    Endpoint::Transport transport;
    bool is_built;
};

constexpr Scheme schemes[] = {
    {"tcp", Endpoint::Transport::tcp, true},
    {"ipc", Endpoint::Transport::ipc, true},
    {"inproc", Endpoint::Transport::inproc, true},
    {"udp", Endpoint::Transport::udp, have_udp},
    {"ws", Endpoint::Transport::ws, have_ws},
    {"wss", Endpoint::Transport::wss, have_wss},
    {"pgm", Endpoint::Transport::pgm, have_pgm},
    {"epgm", Endpoint::Transport::epgm, have_pgm},
    {"norm", Endpoint::Transport::norm, have_norm},
    {"tipc", Endpoint::Transport::tipc, have_tipc},
    {"vsock", Endpoint::Transport::vsock, have_vsock},
    {"vmci", Endpoint::Transport::vmci, false}, // needs a kit of VMware's that nobody may pass on
};

constexpr std::string_view separator = "://";

} // namespace

Result<Endpoint> parse_endpoint(std::string_view text) {
    const size_t at = text.find(separator);
    if (at == text.npos || at == 0 || at + separator.size() == text.size()) return err::invalid;
    const std::string_view name = text.substr(0, at);
    for (const Scheme &scheme : schemes) {
        if (scheme.name != name || !scheme.is_built) continue;
        return Endpoint{scheme.transport, std::string(text.substr(at + separator.size())),
                        std::string(text)};
    }
    return err::protocol_not_supported;
}

} // namespace tern
