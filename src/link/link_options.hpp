// LinkOptions: everything of a socket's options that its connections need. A listener or connector
// copies it when zmq_bind or zmq_connect runs, so later sets do not reach it (spec/api/sockopts.md
// section 4). The two high water marks are the exception: their changes are sent on to live pipes.
// Threads: values only.
#ifndef TERN_LINK_LINK_OPTIONS_HPP
#define TERN_LINK_LINK_OPTIONS_HPP

#include "security/security_options.hpp"
#include "transport/transport_options.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace tern {

// Bits of ZMQ_RECONNECT_STOP.
enum : int {
    reconnect_stop_refused = 1,
    reconnect_stop_handshake_failed = 2,
    reconnect_stop_after_disconnect = 4,
};

// Bits of ZMQ_ROUTER_NOTIFY.
enum : int { router_notify_connect = 1, router_notify_disconnect = 2 };

struct LinkOptions {
    TransportOptions transport;
    SecurityOptions security;

    int socket_type = -1;
    std::string routing_id;                      // "" when unset
    std::map<std::string, std::string> metadata; // application properties, keys begin with "X-"

    // What may be on the way.
    int send_hwm = 1000; // 0: unlimited
    int receive_hwm = 1000;
    bool conflate = false;
    bool immediate = false;        // queue only for established connections
    int64_t max_message_size = -1; // < 0: unlimited
    // Bytes in one read and in one write. While the default stands, only a raw read is held to it.
    static constexpr int batch_size_default = 8192;
    int in_batch_size = batch_size_default;
    int out_batch_size = batch_size_default;

    // Time.
    int handshake_interval_ms = 30000; // 0: no limit
    int reconnect_interval_ms = 100;   // -1 and 0: never again
    int reconnect_interval_max_ms = 0; // 0: no back-off
    int reconnect_stop = 0;            // bits above
    int heartbeat_interval_ms = 0;     // 0: off
    int heartbeat_timeout_ms = -1;     // -1: as the interval
    int heartbeat_ttl_deciseconds = 0;

    // Messages that the library itself sends or delivers; empty: none.
    std::string hello_message;
    std::string disconnect_message;
    std::string hiccup_message;
    int router_notify = 0; // bits below: an empty message when a peer comes, and when it goes

    // Bytes without ZMTP: STREAM, and ROUTER with ZMQ_ROUTER_RAW.
    bool raw = false;
    bool raw_notify = true; // an empty message when a raw peer comes and when it goes

    int effective_heartbeat_timeout_ms() const {
        return heartbeat_timeout_ms < 0 ? heartbeat_interval_ms : heartbeat_timeout_ms;
    }
};

} // namespace tern

#endif
