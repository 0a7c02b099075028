// Endpoint: the text given to zmq_bind or zmq_connect, cut at "://".
// Threads: values only.
#ifndef TERN_TRANSPORT_ENDPOINT_HPP
#define TERN_TRANSPORT_ENDPOINT_HPP

#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace tern {

struct Endpoint {
    enum class Transport : uint8_t {
        tcp,
        ipc,
        inproc,
        udp,
        ws,
        wss,
        pgm,
        epgm,
        norm,
        tipc,
        vsock,
        vmci,
    };
    Transport transport = Transport::tcp;
    std::string address; // what follows "://"
    std::string text;    // all of it
};

// EINVAL when there is no "://" with something on both sides; EPROTONOSUPPORT when the scheme is
// unknown (schemes are case-sensitive) or this build lacks it.
Result<Endpoint> parse_endpoint(std::string_view text);

} // namespace tern

#endif
