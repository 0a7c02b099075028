// Wrapping: what connections of a transport have between their descriptor and ZMTP.
// Threads: values only.
// Owner:   a listener or connector, for as long as it makes connections.
#ifndef TERN_TRANSPORT_WRAPPING_HPP
#define TERN_TRANSPORT_WRAPPING_HPP

#include "transport/stream_layer.hpp"

#include <string>

namespace tern {

struct Wrapping {
    std::shared_ptr<const StreamLayerMaker> layers; // null: none
    bool is_websocket = false;
    std::string host; // what a WebSocket's client asks for
    std::string path;
};

} // namespace tern

#endif
