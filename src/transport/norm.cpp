#include "transport/norm.hpp"

#include "os/random.hpp"

#include <algorithm>
#include <normApi.h>

namespace tern {

namespace {

// libnorm counts in these.
constexpr size_t piece_max = 1 << 20;

bool parse_number(std::string_view text, uint32_t least, uint32_t most, uint32_t &number) {
    uint64_t value = 0;
    if (text.empty()) return false;
    for (const char c : text) {
        if (c < '0' || c > '9') return false;
        value = value * 10 + uint64_t(c - '0');
        if (value > most) return false;
    }
    number = static_cast<uint32_t>(value);
    return value >= least;
}

uint32_t buffer_bytes(const TransportOptions &options) {
    const uint64_t bytes = uint64_t(options.norm_buffer_size_kib) * 1024;
    return static_cast<uint32_t>(std::min<uint64_t>(bytes, UINT32_MAX));
}

bool is_interface(const std::string &name) {
    return resolve_source(name + ":*", false) || resolve_source(name + ":*", true);
}

void set_pace(NormSessionHandle session, const TransportOptions &options) {
    enum Mode { fixed, congestion_control, loss_tolerant, ecn, ecn_only }; // ZMQ_NORM_FIXED and so on
    if (options.norm_mode == fixed) {
        NormSetTxRate(session, double(options.rate_kbit_s) * 1000);
        return;
    }
    NormSetCongestionControl(session, true);
    if (options.norm_mode == loss_tolerant) NormSetEcnSupport(session, false, false, true);
    if (options.norm_mode == ecn) NormSetEcnSupport(session, true);
    if (options.norm_mode == ecn_only) NormSetEcnSupport(session, true, true);
}

} // namespace

Result<NormAddress> parse_norm(std::string_view text) {
    NormAddress address;
    const size_t comma = text.find(',');
    if (comma != text.npos) {
        if (!parse_number(text.substr(0, comma), 1, NORM_NODE_ANY - 1, address.node_id))
            return err::invalid;
        text = text.substr(comma + 1);
    }
    const size_t semicolon = text.find(';');
    if (semicolon != text.npos) {
        address.interface = text.substr(0, semicolon);
        text = text.substr(semicolon + 1);
        if (address.interface.empty()) return err::invalid;
    }
    const size_t colon = text.rfind(':');
    uint32_t port = 0;
    if (colon == text.npos || colon == 0 ||
        !parse_number(text.substr(colon + 1), 1, UINT16_MAX, port))
        return err::invalid;
    address.port = static_cast<uint16_t>(port);
    std::string_view host = text.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    address.host = host;
    return address;
}

Result<std::unique_ptr<NormSession>> NormSession::open(std::string_view text,
                                                       const TransportOptions &options,
                                                       bool sends) {
    const auto address = parse_norm(text);
    if (!address) return address.error();
    std::unique_ptr<NormSession> session(new NormSession);
    if (const Error error = session->start(*address, options, sends)) return error;
    return session;
}

// libnorm says whether, and not why.
Error NormSession::start(const NormAddress &address, const TransportOptions &options, bool sends) {
    if (!address.interface.empty() && !is_interface(address.interface)) return err::no_device;
    instance_ = NormCreateInstance();
    if (instance_ == NORM_INSTANCE_INVALID) return err::no_memory;
    const NormNodeId id = address.node_id == 0 ? NormNodeId(NORM_NODE_ANY) : address.node_id;
    session_ = NormCreateSession(instance_, address.host.c_str(), address.port, id);
    if (session_ == NORM_SESSION_INVALID) return err::invalid;
    if (NormIsUnicastAddress(address.host.c_str())) {
        NormSetDefaultUnicastNack(session_, true);
    } else {
        NormSetTTL(session_, static_cast<unsigned char>(std::min(options.multicast_hops, 255)));
        NormSetRxPortReuse(session_, true);
        NormSetLoopback(session_, true);
        if (options.norm_unicast_nack) NormSetDefaultUnicastNack(session_, true);
        if (!address.interface.empty() &&
            !NormSetMulticastInterface(session_, address.interface.c_str()))
            return err::no_device;
    }
    if (sends) return start_sender(options);
    // What the sender still has is asked for, back to the beginning.
    NormSetDefaultSyncPolicy(session_, NORM_SYNC_STREAM);
    return NormStartReceiver(session_, buffer_bytes(options)) ? err::none : err::address_in_use;
}

Error NormSession::start_sender(const TransportOptions &options) {
    is_sender_ = true;
    const int parity = std::max(options.norm_parity, options.norm_auto_parity);
    const int block = std::max(options.norm_block_size, parity + 1);
    const int segment = std::min(options.norm_segment_size, int(UINT16_MAX));
    set_pace(session_, options);
    // By the number receivers tell a sender that was started anew from what it was before. libnorm's own way to choose one
    // seeds rand(), which is the program's.
    const auto instance = static_cast<NormSessionId>(random_number());
    if (!NormStartSender(session_, instance, buffer_bytes(options),
                         static_cast<UINT16>(segment), static_cast<UINT16>(block),
                         static_cast<UINT16>(parity)))
        return err::address_in_use;
    if (options.norm_auto_parity > 0)
        NormSetAutoParity(session_, static_cast<unsigned char>(options.norm_auto_parity));
    stream_ = NormStreamOpen(session_, buffer_bytes(options));
    if (stream_ == NORM_OBJECT_INVALID) return err::no_memory;
    if (options.norm_push) NormStreamSetPushEnable(stream_, true);
    return err::none;
}

NormSession::~NormSession() {
    if (instance_ == NORM_INSTANCE_INVALID) return;
    NormStopInstance(instance_); // its thread ends, whatever it was doing
    if (session_ != NORM_SESSION_INVALID) NormDestroySession(session_);
    NormDestroyInstance(instance_);
}

int NormSession::fd() const { return NormGetDescriptor(instance_); }

namespace {

// Files and data of others are no streams, and must not be read as such.
NormSession::Event shape_inbound(NormEventType type, NormObjectHandle object) {
    using Kind = NormSession::Event::Kind;
    const bool has_ended = type == NORM_RX_OBJECT_COMPLETED || type == NORM_RX_OBJECT_ABORTED;
    if (NormObjectGetType(object) == NORM_OBJECT_STREAM)
        return {has_ended ? Kind::stream_ended : Kind::stream_data, object};
    if (!has_ended) NormObjectCancel(object);
    return {Kind::other, nullptr};
}

} // namespace

NormSession::Event NormSession::next_event() {
    NormEvent event;
    if (!NormGetNextEvent(instance_, &event, false)) return {Event::Kind::none, nullptr};
    switch (event.type) {
    case NORM_TX_QUEUE_VACANCY: return {Event::Kind::writable, nullptr};
    case NORM_TX_QUEUE_EMPTY: return {Event::Kind::sent, nullptr};
    case NORM_RX_OBJECT_NEW:
    case NORM_RX_OBJECT_UPDATED:
    case NORM_RX_OBJECT_COMPLETED:
    case NORM_RX_OBJECT_ABORTED: return shape_inbound(event.type, event.object);
    default: break;
    }
    return {Event::Kind::other, nullptr};
}

void NormSession::begin_writing() {
    NormSuspendInstance(instance_);
    NormEvent event;
    while (NormGetNextEvent(instance_, &event, false)) {
    }
}

void NormSession::end_writing() { NormResumeInstance(instance_); }

size_t NormSession::write(const uint8_t *data, size_t size) {
    size_t written = 0;
    while (written < size) {
        const auto piece = static_cast<unsigned>(std::min(size - written, piece_max));
        const unsigned taken =
            NormStreamWrite(stream_, reinterpret_cast<const char *>(data + written), piece);
        written += taken;
        if (taken < piece) break;
    }
    return written;
}

void NormSession::end_frame() { NormStreamFlush(stream_, true, NORM_FLUSH_ACTIVE); }

bool NormSession::seek_start(Stream stream) { return NormStreamSeekMsgStart(stream); }

bool NormSession::read(Stream stream, uint8_t *data, size_t &size) {
    auto count = static_cast<unsigned>(std::min(size, piece_max));
    const bool is_whole = NormStreamRead(stream, reinterpret_cast<char *>(data), &count);
    size = count;
    return is_whole;
}

} // namespace tern
