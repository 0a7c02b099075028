#include "protocol/socket_types.hpp"

namespace tern {

namespace {

namespace t = socket_type;

constexpr uint32_t bit(int type) { return uint32_t(1) << type; }

struct SocketTypeRow {
    std::string_view name;
    uint32_t accepts; // one bit a peer type
};

// Indexed by number; zmtp.md section 5.4.
constexpr SocketTypeRow rows[t::count] = {
    {"PAIR", bit(t::pair)},
    {"PUB", bit(t::sub) | bit(t::xsub)},
    {"SUB", bit(t::pub) | bit(t::xpub)},
    {"REQ", bit(t::rep) | bit(t::router)},
    {"REP", bit(t::req) | bit(t::dealer)},
    {"DEALER", bit(t::rep) | bit(t::dealer) | bit(t::router)},
    {"ROUTER", bit(t::req) | bit(t::dealer) | bit(t::router)},
    {"PULL", bit(t::push)},
    {"PUSH", bit(t::pull)},
    {"XPUB", bit(t::sub) | bit(t::xsub)},
    {"XSUB", bit(t::pub) | bit(t::xpub)},
    {"STREAM", 0}, // speaks no ZMTP
    {"SERVER", bit(t::client)},
    {"CLIENT", bit(t::server)},
    {"RADIO", bit(t::dish)},
    {"DISH", bit(t::radio)},
    {"GATHER", bit(t::scatter)},
    {"SCATTER", bit(t::gather)},
    {"DGRAM", bit(t::dgram)},
    {"PEER", bit(t::peer)},
    {"CHANNEL", bit(t::channel)},
};

constexpr bool is_known(int type) { return type >= 0 && type < t::count; }

} // namespace

std::string_view socket_type_name(int type) {
    return is_known(type) ? rows[type].name : std::string_view();
}

int socket_type_from_name(std::string_view name) {
    for (int type = 0; type < t::count; ++type) {
        if (rows[type].name == name) return type;
    }
    return t::none;
}

bool accepts_peer(int own_type, int peer_type) {
    return is_known(own_type) && is_known(peer_type) && (rows[own_type].accepts & bit(peer_type));
}

} // namespace tern
