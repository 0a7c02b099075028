// Socket types as the wire names them, and who may talk to whom (zmtp.md sections 2.5 and 5.4).
// Threads: pure functions over constant tables.
// Owner:   nobody; names live for ever.
#ifndef TERN_PROTOCOL_SOCKET_TYPES_HPP
#define TERN_PROTOCOL_SOCKET_TYPES_HPP

#include <cstdint>
#include <string_view>

namespace tern {

// The numbers of zmq.h, which are also the codes of ZMTP 1.0 and 2.0 greetings.
namespace socket_type {
enum : int {
    none = -1, // the peer did not say
    pair = 0,
    pub,
    sub,
    req,
    rep,
    dealer,
    router,
    pull,
    push,
    xpub,
    xsub,
    stream,
    server,
    client,
    radio,
    dish,
    gather,
    scatter,
    dgram,
    peer,
    channel,
    count
};
} // namespace socket_type

// Empty when there is no such type.
std::string_view socket_type_name(int type);
// Exact, upper case; socket_type::none when unknown.
int socket_type_from_name(std::string_view name);
bool accepts_peer(int own_type, int peer_type);

} // namespace tern

#endif
