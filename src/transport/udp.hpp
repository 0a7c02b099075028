// Udp: endpoints of datagrams and their descriptors (spec/wire/transports.md section 6).
//
//     bind    = [ interface ";" ] host ":" port       connect = the same
//     interface = "*" | NIC name | numeric host       only in front of a multicast group
//
// Where libzmq would hold an IPv4 address mapped into IPv6, it is IPv4 here, so that a group of IPv4
// is one also with ZMQ_IPV6.
//
// Threads: any; resolve_udp may block in the name service.
// Owner:   the caller owns the descriptors, which are non-blocking and close-on-exec.
#ifndef TERN_TRANSPORT_UDP_HPP
#define TERN_TRANSPORT_UDP_HPP

#include "os/fd.hpp"
#include "transport/transport_options.hpp"

namespace tern {

struct UdpAddress {
    SocketAddress host;            // where to send, or what to bind, or the group to join
    SocketAddress interface;       // for groups; empty: the system's choice
    unsigned interface_index = 0;  // the same by number, where it was given by name
    bool is_multicast = false;
};

// Every error of an endpoint. EINVAL: malformed, or an interface without a group. ENODEV: no such
// interface, or a group of IPv6 with an interface that is not named.
Result<UdpAddress> resolve_udp(std::string_view address, bool binds, bool ipv6);

// For sending to anywhere; multicast goes out as the address and the options say.
Result<Fd> udp_open_sender(const UdpAddress &address, const TransportOptions &options);
// Bound, and a member of the group if there is one; it can send, too.
Result<Fd> udp_open_receiver(const UdpAddress &address, const TransportOptions &options);

// A peer of DGRAM: "192.0.2.1:5555", "[2001:db8::1]:5555".
std::string udp_peer_text(const SocketAddress &peer);
// Numbers only, in a form that a descriptor of that family sends to. EINVAL when it is anything else.
Result<SocketAddress> parse_udp_peer(std::string_view text, int family);

} // namespace tern

#endif
