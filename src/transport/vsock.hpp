// Vsock: stream sockets between virtual machines and their host (vsock(7); spec/wire/transports.md
// section 11).
//
//     address = cid ":" port          cid  = number | "*" | "-1" (any) | "@" (the host)
//                                     port = number of 32 bits | "*" | "-1" (any)
//
// A kernel without the family says EAFNOSUPPORT.
// Threads: values only; no call blocks.
#ifndef TERN_TRANSPORT_VSOCK_HPP
#define TERN_TRANSPORT_VSOCK_HPP

#include "transport/stream_transport.hpp"

#include <string>
#include <string_view>

namespace tern {

// EINVAL when it is none.
Result<SocketAddress> parse_vsock_address(std::string_view address);
// "vsock://cid:port", "*" for any; "" when it is no such address.
std::string vsock_text(const SocketAddress &address);

const StreamTransport &vsock_transport();

} // namespace tern

#endif
