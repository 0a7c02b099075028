#include "link/medium.hpp"

#include "link/udp_medium.hpp"
#ifdef TERN_HAVE_NORM
#include "link/norm_medium.hpp"
#endif
#ifdef TERN_HAVE_PGM
#include "link/pgm_medium.hpp"
#endif

namespace tern {

bool has_medium(Endpoint::Transport transport) {
    switch (transport) {
    case Endpoint::Transport::udp:
    case Endpoint::Transport::norm:
    case Endpoint::Transport::pgm:
    case Endpoint::Transport::epgm: return true;
    default: return false;
    }
}

// What is not built in was refused with its scheme.
Result<std::unique_ptr<Medium>> open_medium(const Endpoint &endpoint,
                                            std::shared_ptr<const LinkOptions> options, bool binds) {
    switch (endpoint.transport) {
    case Endpoint::Transport::udp: return UdpMedium::open(endpoint.address, *options, binds);
#ifdef TERN_HAVE_NORM
    case Endpoint::Transport::norm: return NormMedium::open(endpoint.address, *options);
#endif
#ifdef TERN_HAVE_PGM
    case Endpoint::Transport::pgm:
    case Endpoint::Transport::epgm:
        return PgmMedium::open(endpoint.address, *options,
                               endpoint.transport == Endpoint::Transport::epgm);
#endif
    default: return err::protocol_not_supported;
    }
}

} // namespace tern
