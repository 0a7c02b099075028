// TransportOptions: what a socket's options say about descriptors and addresses.
// Threads: values only; each listener and connector holds its own copy.
#ifndef TERN_TRANSPORT_TRANSPORT_OPTIONS_HPP
#define TERN_TRANSPORT_TRANSPORT_OPTIONS_HPP

#include "transport/tcp_address.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

namespace tern {

struct TransportOptions {
    // Any kind of descriptor. -1: what the system gives.
    int sndbuf = -1;
    int rcvbuf = -1;
    int backlog = 100;
    int use_fd = -1; // a socket that is already listening, taken instead of the bind address
    int priority = 0;
    int busy_poll_us = 0;
    int connect_timeout_ms = 0; // 0: none
    std::string bind_to_device;

    // Internet addresses.
    bool ipv6 = false;
    int tos = 0;
    std::vector<AddressFilter> tcp_accept_filters; // empty: everybody
    bool loopback_fastpath = false;                // stored only: Windows

    // TCP. -1 leaves the system's value; the last three count only when the first is not -1.
    int tcp_keepalive = -1;
    int tcp_keepalive_count = -1;
    int tcp_keepalive_idle_s = -1;
    int tcp_keepalive_interval_s = -1;
    int tcp_maxrt_ms = 0; // 0: the system's

    // SOCKS5. An empty proxy means none.
    std::string socks_proxy;
    std::string socks_user;
    std::string socks_password;

    // IPC: who may connect; all empty: everybody.
    std::vector<uid_t> ipc_uid_filters;
    std::vector<gid_t> ipc_gid_filters;
    std::vector<pid_t> ipc_pid_filters;

    // Datagrams and multicast.
    int rate_kbit_s = 100;
    int recovery_interval_ms = 10000;
    int multicast_hops = 1;
    int multicast_max_tpdu = 1500;
    bool multicast_loop = true;

    // WebSocket over TLS.
    std::string wss_key_pem;
    std::string wss_cert_pem;
    std::string wss_trust_pem;
    std::string wss_hostname;
    bool wss_trust_system = false;

    // NORM.
    int norm_mode = 1;
    bool norm_unicast_nack = false;
    int norm_buffer_size_kib = 2048;
    int norm_segment_size = 1400;
    int norm_block_size = 16;
    int norm_parity = 4;
    int norm_auto_parity = 0;
    bool norm_push = false;

    // VMCI.
    uint64_t vmci_buffer_size = 0;
    uint64_t vmci_buffer_min_size = 0;
    uint64_t vmci_buffer_max_size = 0;
    int vmci_connect_timeout_ms = -1;
};

} // namespace tern

#endif
