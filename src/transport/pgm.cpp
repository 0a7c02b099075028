#include "transport/pgm.hpp"

#include "os/random.hpp"

#include <algorithm>
#include <cstring>
// C's word, which OpenPGM's headers use also where Clang reads them as C++.
#ifndef restrict
#define restrict __restrict
#endif
#include <pgm/pgm.h>
#undef restrict

namespace tern {

namespace {

constexpr int ms = 1000; // OpenPGM counts microseconds
constexpr int seconds = 1000 * ms;
constexpr int expedited_forwarding = 0x2e << 2; // DSCP
constexpr uint16_t source_port = 7500;
constexpr int soon_ms = 10;
constexpr size_t address_max = 255;
// OpenPGM ends the process when it gets no memory for the slots of a window.
constexpr int64_t window_max = 1 << 24;

// OpenPGM is made ready once in a process, and stays so.
bool is_ready() {
    static const bool ready = pgm_init(nullptr);
    return ready;
}

Error take(pgm_error_t *error) {
    const int code = error ? error->code : int(PGM_ERROR_INVAL);
    if (error) pgm_error_free(error);
    switch (code) {
    case PGM_ERROR_PERM: return Error(EPERM);
    case PGM_ERROR_MFILE: return err::too_many_files;
    case PGM_ERROR_NFILE: return Error(ENFILE);
    case PGM_ERROR_NOMEM: return err::no_memory;
    case PGM_ERROR_NODEV: return err::no_device;
    case PGM_ERROR_XDEV: return err::invalid; // no such interface, as libzmq says it
    default: return err::invalid;
    }
}

bool parse_port(std::string_view text, uint16_t &port) {
    unsigned value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + unsigned(c - '0');
        if (value > UINT16_MAX) return false;
    }
    port = static_cast<uint16_t>(value);
    return value > 0;
}

} // namespace

bool PgmSession::set(int option, int value) {
    return pgm_setsockopt(socket_, IPPROTO_PGM, option, &value, sizeof value);
}

// Before bind.
bool PgmSession::set_up(const TransportOptions &options, bool sends) {
    const int64_t window =
        int64_t(options.recovery_interval_ms) * options.rate_kbit_s / 8 / options.multicast_max_tpdu;
    const int packets = static_cast<int>(std::clamp<int64_t>(window, 1, window_max));
    const int64_t rate = int64_t(options.rate_kbit_s) * 1000 / 8;
    if (!set(PGM_MTU, options.multicast_max_tpdu)) return false;
    if (sends) {
        const int heartbeats[] = {100 * ms, 100 * ms,    100 * ms,     100 * ms,    1300 * ms,
                                  7 * seconds, 16 * seconds, 25 * seconds, 30 * seconds};
        return set(PGM_SEND_ONLY, 1) &&
               set(PGM_TXW_MAX_RTE, static_cast<int>(std::min<int64_t>(rate, INT32_MAX))) &&
               set(PGM_TXW_SQNS, packets) && set(PGM_AMBIENT_SPM, 30 * seconds) &&
               pgm_setsockopt(socket_, IPPROTO_PGM, PGM_HEARTBEAT_SPM, heartbeats, sizeof heartbeats);
    }
    return set(PGM_RECV_ONLY, 1) && set(PGM_RXW_SQNS, packets) && set(PGM_PEER_EXPIRY, 300 * seconds) &&
           set(PGM_SPMR_EXPIRY, 25 * ms) && set(PGM_NAK_BO_IVL, 50 * ms) &&
           set(PGM_NAK_RPT_IVL, 200 * ms) && set(PGM_NAK_RDATA_IVL, 200 * ms) &&
           set(PGM_NAK_DATA_RETRIES, 50) && set(PGM_NAK_NCF_RETRIES, 50);
}

Result<std::unique_ptr<PgmSession>> PgmSession::open(std::string_view address,
                                                     const TransportOptions &options, bool sends,
                                                     bool in_udp) {
    if (!is_ready()) return err::not_supported;
    std::unique_ptr<PgmSession> session(new PgmSession);
    if (const Error error = session->start(address, options, sends, in_udp)) return error;
    return session;
}

Error PgmSession::start(std::string_view text, const TransportOptions &options, bool sends,
                        bool in_udp) {
    const size_t colon = text.rfind(':');
    uint16_t port = 0;
    if (colon == text.npos || colon == 0 || colon > address_max ||
        !parse_port(text.substr(colon + 1), port))
        return err::invalid;
    const std::string network(text.substr(0, colon));

    pgm_error_t *why = nullptr;
    pgm_addrinfo_t *found = nullptr;
    if (!pgm_getaddrinfo(network.c_str(), nullptr, &found, &why)) return take(why);
    const auto free_info = [](pgm_addrinfo_t *info) { pgm_freeaddrinfo(info); };
    const std::unique_ptr<pgm_addrinfo_t, decltype(free_info)> groups(found, free_info);
    const sa_family_t family = groups->ai_send_addrs[0].gsr_group.ss_family;
    if (!pgm_socket(&socket_, family, SOCK_SEQPACKET, in_udp ? int(IPPROTO_UDP) : int(IPPROTO_PGM),
                    &why)) {
        socket_ = nullptr;
        return take(why);
    }
    if (in_udp && (!set(PGM_UDP_ENCAP_UCAST_PORT, port) || !set(PGM_UDP_ENCAP_MCAST_PORT, port)))
        return err::invalid;
    if (!set_up(options, sends)) return err::invalid;

    pgm_sockaddr_t self{};
    self.sa_port = port;
    self.sa_addr.sport = source_port;
    const uint32_t random[2] = {random_number(), random_number()};
    uint8_t identity[sizeof random];
    std::memcpy(identity, random, sizeof random);
    if (!pgm_gsi_create_from_data(&self.sa_addr.gsi, identity, sizeof identity)) return err::invalid;
    pgm_interface_req_t interface{};
    interface.ir_interface = groups->ai_recv_addrs[0].gsr_interface;
    interface.ir_address = groups->ai_recv_addrs[0].gsr_addr;
    if (family == AF_INET6)
        interface.ir_scope_id =
            reinterpret_cast<const sockaddr_in6 *>(&groups->ai_send_addrs[0].gsr_group)->sin6_scope_id;
    if (!pgm_bind3(socket_, &self, sizeof self, &interface, sizeof interface, &interface,
                   sizeof interface, &why))
        return take(why);
    for (uint32_t i = 0; i < groups->ai_recv_addrs_len; ++i)
        if (!pgm_setsockopt(socket_, IPPROTO_PGM, PGM_JOIN_GROUP, &groups->ai_recv_addrs[i],
                            sizeof(pgm_group_source_req)))
            return err::invalid;
    if (!pgm_setsockopt(socket_, IPPROTO_PGM, PGM_SEND_GROUP, &groups->ai_send_addrs[0],
                        sizeof(pgm_group_source_req)) ||
        !set(PGM_MULTICAST_LOOP, 0) || !set(PGM_MULTICAST_HOPS, options.multicast_hops) ||
        (family != AF_INET6 && !set(PGM_TOS, expedited_forwarding)) || !set(PGM_NOBLOCK, 1))
        return err::invalid;
    if (!pgm_connect(socket_, &why)) return take(why);
    find_descriptors(sends);
    int size = 0;
    socklen_t bytes = sizeof size;
    if (!pgm_getsockopt(socket_, IPPROTO_PGM, PGM_MSS, &size, &bytes) || size <= 0)
        return err::invalid;
    packet_max_ = size_t(size);
    return err::none;
}

void PgmSession::find_descriptors(bool sends) {
    const auto find = [this](int option) {
        int fd = -1;
        socklen_t size = sizeof fd;
        return pgm_getsockopt(socket_, IPPROTO_PGM, option, &fd, &size) ? fd : -1;
    };
    descriptors_.receive = {find(PGM_RECV_SOCK), find(PGM_PENDING_SOCK)};
    if (!sends) return;
    descriptors_.send = find(PGM_SEND_SOCK);
    descriptors_.receive.push_back(find(PGM_REPAIR_SOCK));
}

PgmSession::~PgmSession() {
    if (socket_) pgm_close(socket_, true); // says that it ends
}

void PgmSession::note_wait(int option) {
    timeval remains{};
    socklen_t size = sizeof remains;
    wait_ms_ = -1;
    if (pgm_getsockopt(socket_, IPPROTO_PGM, option, &remains, &size))
        wait_ms_ = static_cast<int>(remains.tv_sec * 1000 + (remains.tv_usec + 999) / 1000);
}

PgmSession::Sent PgmSession::send(Bytes packet) {
    size_t written = 0;
    wait_ms_ = -1;
    switch (pgm_send(socket_, packet.data(), packet.size(), &written)) {
    case PGM_IO_STATUS_RATE_LIMITED: note_wait(PGM_RATE_REMAIN); return Sent::too_fast;
    case PGM_IO_STATUS_WOULD_BLOCK:
    case PGM_IO_STATUS_CONGESTION: return Sent::blocked;
    default: return Sent::done; // or lost, on this host already: receivers ask for it
    }
}

PgmSession::Received PgmSession::receive() {
    pgm_msgv_t message;
    size_t size = 0;
    pgm_error_t *why = nullptr;
    wait_ms_ = -1;
    // With this flag, and only then, it says of which sender something is lost.
    const int status = pgm_recvmsg(socket_, &message, MSG_ERRQUEUE, &size, &why);
    if (why) pgm_error_free(why);
    const auto sender_of = [](const pgm_sk_buff_t &buffer) {
        Sender sender;
        static_assert(sizeof sender == sizeof buffer.tsi);
        std::memcpy(&sender, &buffer.tsi, sizeof sender);
        return sender;
    };
    using Kind = Received::Kind;
    switch (status) {
    case PGM_IO_STATUS_NORMAL: break;
    case PGM_IO_STATUS_RESET: {
        pgm_sk_buff_t *const lost = message.msgv_skb[0];
        const Sender sender = sender_of(*lost);
        pgm_free_skb(lost);
        return {Kind::lost, sender, {}};
    }
    case PGM_IO_STATUS_TIMER_PENDING: note_wait(PGM_TIME_REMAIN); return {Kind::nothing, 0, {}};
    case PGM_IO_STATUS_RATE_LIMITED: note_wait(PGM_RATE_REMAIN); return {Kind::nothing, 0, {}};
    case PGM_IO_STATUS_WOULD_BLOCK: return {Kind::nothing, 0, {}};
    default: // a sender has ended, or something has failed: there may be more
        wait_ms_ = soon_ms;
        return {Kind::nothing, 0, {}};
    }
    if (size == 0 || message.msgv_len == 0) {
        wait_ms_ = soon_ms;
        return {Kind::nothing, 0, {}};
    }
    const pgm_sk_buff_t &first = *message.msgv_skb[0];
    if (message.msgv_len == 1)
        return {Kind::packet, sender_of(first), Bytes(first.data, size_t(first.len))};
    joined_.clear();
    for (uint32_t i = 0; i < message.msgv_len; ++i) {
        const pgm_sk_buff_t &buffer = *message.msgv_skb[i];
        const auto *data = static_cast<const uint8_t *>(buffer.data);
        joined_.insert(joined_.end(), data, data + buffer.len);
    }
    return {Kind::packet, sender_of(first), Bytes(joined_.data(), joined_.size())};
}

} // namespace tern
