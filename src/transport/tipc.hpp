// Tipc: stream sockets of the cluster protocol TIPC (spec/wire/transports.md section 10).
//
//     bind    = range | service [ "@" node ] | "<*>"           (the node has no meaning here)
//     connect = range | service [ "@" node ] | "<" node ":" reference ">"
//     range   = "{" type "," lower "," upper "}"        type >= 64, lower <= upper
//     service = "{" type "," instance "}"               type > 64
//     node    = zone "." cluster "." number             8, 12 and 12 bits
//
// Blanks may follow a comma, as in what ZMQ_LAST_ENDPOINT shows. All other numbers have 32 bits. A
// range to connect to means its lowest instance: the kernel connects to no range. A kernel without
// the family says EAFNOSUPPORT.
// Threads: values only; no call blocks.
#ifndef TERN_TRANSPORT_TIPC_HPP
#define TERN_TRANSPORT_TIPC_HPP

#include "transport/stream_transport.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tern {

// EINVAL for what is none, and for a port given by number. Empty: any port ("<*>").
Result<SocketAddress> parse_tipc_bind(std::string_view address);
// EINVAL for what is none, and for "<*>".
Result<SocketAddress> parse_tipc_connect(std::string_view address);
// "tipc://{type, lower, upper}", "tipc://{type, instance, node}" with the node as one number, or
// "tipc://<z.c.n:ref>"; "" when it is no such address.
std::string tipc_text(const SocketAddress &address);

const StreamTransport &tipc_transport();

} // namespace tern

#endif
