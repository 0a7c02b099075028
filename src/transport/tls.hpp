// Tls: stream layers by GnuTLS, for wss (spec/wire/transports.md section 7.4). A client verifies the server's
// certificate, and its name where one is expected; nobody asks a client for one.
// Threads: making is for any; a layer as StreamLayer says.
// Owner:   the maker holds keys and certificates, and each layer a share of it.
#ifndef TERN_TRANSPORT_TLS_HPP
#define TERN_TRANSPORT_TLS_HPP

#include "base/error.hpp"
#include "transport/stream_layer.hpp"
#include "transport/transport_options.hpp"

namespace tern {

// EINVAL when a PEM text is none, or a server has no certificate or key.
Result<std::shared_ptr<const StreamLayerMaker>> make_tls_server(const TransportOptions &options);
Result<std::shared_ptr<const StreamLayerMaker>> make_tls_client(const TransportOptions &options);

} // namespace tern

#endif
