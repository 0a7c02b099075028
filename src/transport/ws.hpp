// Ws: the transports ws and wss: tcp's connections, with a path behind the address and a WebSocket in them
// (spec/wire/transports.md section 7.1).
//
//     address = tcp-address [ "/" path ]         the path is what a client asks for; "/" if there is none
//
// A name is looked up for each attempt. No source address.
// Threads: any; resolve() and listen() may ask the name service.
#ifndef TERN_TRANSPORT_WS_HPP
#define TERN_TRANSPORT_WS_HPP

#include "transport/stream_transport.hpp"

namespace tern {

const StreamTransport &ws_transport();
#ifdef TERN_HAVE_WSS
const StreamTransport &wss_transport();
#endif

} // namespace tern

#endif
