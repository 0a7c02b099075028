#include "link/medium.hpp"

#include "link/udp_medium.hpp"

namespace tern {

bool has_medium(Endpoint::Transport transport) { return transport == Endpoint::Transport::udp; }

Result<std::unique_ptr<Medium>> open_medium(const Endpoint &endpoint,
                                            std::shared_ptr<const LinkOptions> options, bool binds) {
    switch (endpoint.transport) {
    case Endpoint::Transport::udp: return UdpMedium::open(endpoint.address, *options, binds);
    default: return err::protocol_not_supported;
    }
}

} // namespace tern
