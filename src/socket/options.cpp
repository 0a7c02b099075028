#include "socket/options.hpp"

#include "base/bytes.hpp"
#include "security/curve_keys.hpp"
#include "security/z85.hpp"

#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API
#endif
#include <zmq.h>

#include <array>
#include <climits>
#include <cstring>
#include <new>

namespace tern {

namespace {

// What this build has. An option of something missing is unknown to it.
#ifdef TERN_HAVE_CURVE_MECHANISM
constexpr bool have_curve = true;
#else
constexpr bool have_curve = false;
#endif
#ifdef TERN_HAVE_GSSAPI
constexpr bool have_gssapi = true;
#else
constexpr bool have_gssapi = false;
#endif
#ifdef TERN_HAVE_VMCI
constexpr bool have_vmci = true;
#else
constexpr bool have_vmci = false;
#endif
#ifdef TERN_HAVE_WSS
constexpr bool have_wss = true;
#else
constexpr bool have_wss = false;
#endif
#ifdef TERN_HAVE_NORM
constexpr bool have_norm = true;
#else
constexpr bool have_norm = false;
#endif

using Value = OptionRow::Value;
using Null = OptionRow::Null;
using Home = OptionRow::Home;
using Effect = OptionRow::Effect;
using Slot = OptionRow::Slot;
using SlotFunction = Slot(Options &);
using SetFunction = Error(Options &, const void *, size_t);
using GetFunction = int(const Options &);

constexpr uint32_t bit(int socket_type) { return uint32_t(1) << socket_type; }
constexpr uint32_t all_types = ~uint32_t(0);
constexpr uint32_t thread_safe_types = bit(ZMQ_SERVER) | bit(ZMQ_CLIENT) | bit(ZMQ_RADIO) |
                                       bit(ZMQ_DISH) | bit(ZMQ_GATHER) | bit(ZMQ_SCATTER) |
                                       bit(ZMQ_PEER) | bit(ZMQ_CHANNEL);
constexpr uint32_t xpub_types = bit(ZMQ_XPUB) | bit(ZMQ_PUB);
constexpr uint32_t router_types = bit(ZMQ_ROUTER) | bit(ZMQ_REP);

bool is_one_of(uint32_t types, int socket_type) {
    return socket_type >= 0 && socket_type < 32 && (types >> socket_type & 1) != 0;
}

// Slots.

template <auto member>
Slot own(Options &options) {
    return &(options.*member);
}
template <auto member>
Slot link(Options &options) {
    return &(options.link.*member);
}
template <auto member>
Slot transport(Options &options) {
    return &(options.link.transport.*member);
}
template <auto member>
Slot security(Options &options) {
    return &(options.link.security.*member);
}

// Sets that do more than store.

std::string string_of(const void *value, size_t size) {
    return value ? std::string(static_cast<const char *>(value), size) : std::string();
}

Error set_ipv4only(Options &options, const void *value, size_t size) {
    options.link.transport.ipv6 = load_int(value, size) == 0;
    return err::none;
}
int get_ipv4only(const Options &options) { return options.link.transport.ipv6 ? 0 : 1; }

Error set_heartbeat_ttl(Options &options, const void *value, size_t size) {
    options.link.heartbeat_ttl_deciseconds = load_int(value, size) / 100;
    return err::none;
}
int get_heartbeat_ttl(const Options &options) {
    return options.link.heartbeat_ttl_deciseconds * 100;
}

Error set_accept_filter(Options &options, const void *value, size_t size) {
    auto &filters = options.link.transport.tcp_accept_filters;
    if (!value) {
        filters.clear();
        return err::none;
    }
    const std::string text = string_of(value, size);
    const auto filter = parse_address_filter(text.c_str(), options.link.transport.ipv6);
    if (!filter) return filter.error();
    filters.push_back(*filter);
    return err::none;
}

template <auto member>
Error set_ipc_filter(Options &options, const void *value, size_t size) {
    auto &filters = options.link.transport.*member;
    if (!value) {
        filters.clear();
    } else {
        filters.push_back(
            static_cast<std::decay_t<decltype(filters.front())>>(load_int(value, size)));
    }
    return err::none;
}

// "X-key:value". The first value of a key stays.
Error set_metadata(Options &options, const void *value, size_t size) {
    const std::string_view text(static_cast<const char *>(value), size);
    const size_t colon = text.find(':');
    // libzmq refuses whatever has the size of an int.
    if (size == sizeof(int) || colon == text.npos || colon == size - 1) return err::invalid;
    const std::string_view key = text.substr(0, colon);
    if (key.substr(0, 2) != "X-" || key.size() > 255) return err::invalid;
    options.link.metadata.emplace(key, text.substr(colon + 1));
    return err::none;
}

// ZMTP does not come back once the type has been made raw.
Error set_router_raw(Options &options, const void *value, size_t size) {
    if (load_int(value, size) != 0) options.link.raw = true;
    return err::none;
}

// The last security option decides the mechanism (spec/api/sockopts.md section 5).

void derive_own_public_key([[maybe_unused]] SecurityOptions &security) {
#ifdef TERN_HAVE_CURVE_MECHANISM
    if (security.as_server && security.mechanism == mechanism_id::curve &&
        !curve_public(security.curve_own_public_key.data(), security.curve_secret_key.data()))
        security.curve_own_public_key = {}; // with which no client gets in
#endif
}

template <int id>
Error set_server(Options &options, const void *value, size_t size) {
    SecurityOptions &security = options.link.security;
    security.as_server = load_int(value, size) != 0;
    const bool keeps_when_off = id == mechanism_id::gssapi;
    security.mechanism = security.as_server || keeps_when_off ? id : int(mechanism_id::null);
    derive_own_public_key(security);
    return err::none;
}
template <int id>
int get_server(const Options &options) {
    const SecurityOptions &security = options.link.security;
    return security.as_server && security.mechanism == id ? 1 : 0;
}

template <auto member>
Error set_plain_credential(Options &options, const void *value, size_t size) {
    SecurityOptions &security = options.link.security;
    if (!value) {
        security.mechanism = mechanism_id::null; // what was set before stays readable
        return err::none;
    }
    security.*member = string_of(value, size);
    security.mechanism = mechanism_id::plain;
    security.as_server = false;
    return err::none;
}

bool decode_key(CurveKey &key, const void *value, size_t size) {
    if (!value) return false;
    if (size == key.size()) {
        std::memcpy(key.data(), value, size);
        return true;
    }
    if (size != 40 && size != 41) return false;
    const auto *text = static_cast<const char *>(value);
    // A text that ends early would be a key that is partly zero.
    if (strnlen(text, size) != 40) return false;
    return z85_decode(key.data(), std::string_view(text, 40));
}

enum class Role { any, client };

template <auto member, Role role>
Error set_curve_key(Options &options, const void *value, size_t size) {
    SecurityOptions &security = options.link.security;
    if (!decode_key(security.*member, value, size)) return err::invalid;
    security.mechanism = mechanism_id::curve;
    if (role == Role::client) security.as_server = false;
    derive_own_public_key(security);
    return err::none;
}

template <auto member, Role role>
Error set_gssapi_name(Options &options, const void *value, size_t size) {
    SecurityOptions &security = options.link.security;
    security.*member = string_of(value, size);
    security.mechanism = mechanism_id::gssapi;
    if (role == Role::client) security.as_server = false;
    return err::none;
}

int get_mechanism(const Options &options) { return options.link.security.mechanism; }

// Rows.

struct Range {
    int64_t least;
    int64_t most;
};
constexpr Range any_int{INT_MIN, INT_MAX};
constexpr Range zero_or_more{0, INT_MAX};
constexpr Range one_or_more{1, INT_MAX};
constexpr Range minus_one_or_more{-1, INT_MAX};
constexpr Range strict_bool{0, 1};
constexpr Range any_length{0, INT64_MAX};
constexpr Range some_length{1, INT64_MAX};
constexpr Range short_text{1, 255};

constexpr OptionRow row(const char *name, int number, Value value, Range range, Effect effect,
                        SlotFunction *slot, SetFunction *set = nullptr,
                        GetFunction *get = nullptr) {
    OptionRow result;
    result.name = name;
    result.number = number;
    result.value = value;
    result.least = range.least;
    result.most = range.most;
    result.set_types = all_types;
    result.get_types = all_types;
    result.effect = effect;
    result.slot = slot;
    result.set = set;
    result.get = get;
    return result;
}
constexpr OptionRow integer(const char *name, int number, Range range, Effect effect,
                            SlotFunction *slot, SetFunction *set = nullptr,
                            GetFunction *get = nullptr) {
    return row(name, number, Value::integer, range, effect, slot, set, get);
}
constexpr OptionRow text(const char *name, int number, Range range, Effect effect,
                         SlotFunction *slot, SetFunction *set = nullptr) {
    return row(name, number, Value::text, range, effect, slot, set);
}
constexpr OptionRow binary(const char *name, int number, Range range, Effect effect,
                           SlotFunction *slot, SetFunction *set = nullptr) {
    return row(name, number, Value::binary, range, effect, slot, set);
}

constexpr OptionRow null_is(Null null, OptionRow result) {
    result.null = null;
    return result;
}
constexpr OptionRow set_only(OptionRow result) {
    result.get_types = 0;
    return result;
}
constexpr OptionRow built(bool is_built, OptionRow result) {
    result.is_built = is_built;
    return result;
}
// For the pattern of these types.
constexpr OptionRow pattern(uint32_t types, OptionRow result) {
    result.home = Home::pattern;
    result.set_types = types;
    result.get_types = 0;
    return result;
}
// Answered by the socket.
constexpr OptionRow live(const char *name, int number, Value value, uint32_t types = all_types) {
    OptionRow result = row(name, number, value, any_length, Effect::live, nullptr);
    result.home = Home::live;
    result.set_types = 0;
    result.get_types = types;
    return result;
}
constexpr OptionRow get_only(OptionRow result) {
    result.set_types = 0;
    return result;
}
constexpr OptionRow set_by(uint32_t types, OptionRow result) {
    result.set_types = types;
    return result;
}

constexpr auto always = Effect::live;
constexpr auto endpoint = Effect::endpoint;
constexpr auto at_bind = Effect::bind;
constexpr auto at_connect = Effect::connect;
constexpr auto new_peer = Effect::new_peer;

using S = SecurityOptions;
using T = TransportOptions;
using L = LinkOptions;

// In the order of their numbers, except that opposite views of one thing stand together.
constexpr OptionRow table[] = {
    row("ZMQ_AFFINITY", ZMQ_AFFINITY, Value::unsigned64, any_length, endpoint,
        own<&Options::affinity>),
    binary("ZMQ_ROUTING_ID", ZMQ_ROUTING_ID, short_text, endpoint, link<&L::routing_id>),
    pattern(
        bit(ZMQ_SUB) | xpub_types, // XPUB and PUB: only while XPUB_MANUAL is on
        null_is(Null::clears, binary("ZMQ_SUBSCRIBE", ZMQ_SUBSCRIBE, any_length, always, nullptr))),
    pattern(bit(ZMQ_SUB) | xpub_types,
            null_is(Null::clears,
                    binary("ZMQ_UNSUBSCRIBE", ZMQ_UNSUBSCRIBE, any_length, always, nullptr))),
    integer("ZMQ_RATE", ZMQ_RATE, one_or_more, endpoint, transport<&T::rate_kbit_s>),
    integer("ZMQ_RECOVERY_IVL", ZMQ_RECOVERY_IVL, zero_or_more, endpoint,
            transport<&T::recovery_interval_ms>),
    integer("ZMQ_SNDBUF", ZMQ_SNDBUF, minus_one_or_more, endpoint, transport<&T::sndbuf>),
    integer("ZMQ_RCVBUF", ZMQ_RCVBUF, minus_one_or_more, endpoint, transport<&T::rcvbuf>),
    live("ZMQ_RCVMORE", ZMQ_RCVMORE, Value::integer),
    live("ZMQ_FD", ZMQ_FD, Value::integer, ~thread_safe_types),
    live("ZMQ_EVENTS", ZMQ_EVENTS, Value::integer),
    live("ZMQ_TYPE", ZMQ_TYPE, Value::integer),
    integer("ZMQ_LINGER", ZMQ_LINGER, minus_one_or_more, always, own<&Options::linger_ms>),
    integer("ZMQ_RECONNECT_IVL", ZMQ_RECONNECT_IVL, minus_one_or_more, at_connect,
            link<&L::reconnect_interval_ms>),
    integer("ZMQ_BACKLOG", ZMQ_BACKLOG, zero_or_more, at_bind, transport<&T::backlog>),
    integer("ZMQ_RECONNECT_IVL_MAX", ZMQ_RECONNECT_IVL_MAX, zero_or_more, at_connect,
            link<&L::reconnect_interval_max_ms>),
    row("ZMQ_MAXMSGSIZE", ZMQ_MAXMSGSIZE, Value::signed64, any_length, endpoint,
        link<&L::max_message_size>),
    integer("ZMQ_SNDHWM", ZMQ_SNDHWM, zero_or_more, always, link<&L::send_hwm>),
    integer("ZMQ_RCVHWM", ZMQ_RCVHWM, zero_or_more, always, link<&L::receive_hwm>),
    integer("ZMQ_MULTICAST_HOPS", ZMQ_MULTICAST_HOPS, one_or_more, endpoint,
            transport<&T::multicast_hops>),
    integer("ZMQ_RCVTIMEO", ZMQ_RCVTIMEO, minus_one_or_more, always,
            own<&Options::receive_timeout_ms>),
    integer("ZMQ_SNDTIMEO", ZMQ_SNDTIMEO, minus_one_or_more, always,
            own<&Options::send_timeout_ms>),
    live("ZMQ_LAST_ENDPOINT", ZMQ_LAST_ENDPOINT, Value::text),
    pattern(router_types,
            integer("ZMQ_ROUTER_MANDATORY", ZMQ_ROUTER_MANDATORY, zero_or_more, always, nullptr)),
    integer("ZMQ_TCP_KEEPALIVE", ZMQ_TCP_KEEPALIVE, {-1, 1}, endpoint,
            transport<&T::tcp_keepalive>),
    integer("ZMQ_TCP_KEEPALIVE_CNT", ZMQ_TCP_KEEPALIVE_CNT, minus_one_or_more, endpoint,
            transport<&T::tcp_keepalive_count>),
    integer("ZMQ_TCP_KEEPALIVE_IDLE", ZMQ_TCP_KEEPALIVE_IDLE, minus_one_or_more, endpoint,
            transport<&T::tcp_keepalive_idle_s>),
    integer("ZMQ_TCP_KEEPALIVE_INTVL", ZMQ_TCP_KEEPALIVE_INTVL, minus_one_or_more, endpoint,
            transport<&T::tcp_keepalive_interval_s>),
    set_only(null_is(Null::clears, text("ZMQ_TCP_ACCEPT_FILTER", ZMQ_TCP_ACCEPT_FILTER, short_text,
                                        at_bind, nullptr, set_accept_filter))),
    integer("ZMQ_IMMEDIATE", ZMQ_IMMEDIATE, strict_bool, at_connect, link<&L::immediate>),
    pattern(xpub_types,
            integer("ZMQ_XPUB_VERBOSE", ZMQ_XPUB_VERBOSE, zero_or_more, always, nullptr)),
    pattern(router_types, integer("ZMQ_ROUTER_RAW", ZMQ_ROUTER_RAW, zero_or_more, endpoint, nullptr,
                                  set_router_raw)),
    integer("ZMQ_IPV6", ZMQ_IPV6, strict_bool, endpoint, transport<&T::ipv6>),
    integer("ZMQ_IPV4ONLY", ZMQ_IPV4ONLY, strict_bool, endpoint, nullptr, set_ipv4only,
            get_ipv4only),
    get_only(
        integer("ZMQ_MECHANISM", ZMQ_MECHANISM, any_int, always, nullptr, nullptr, get_mechanism)),
    integer("ZMQ_PLAIN_SERVER", ZMQ_PLAIN_SERVER, strict_bool, endpoint, nullptr,
            set_server<mechanism_id::plain>, get_server<mechanism_id::plain>),
    null_is(Null::clears, text("ZMQ_PLAIN_USERNAME", ZMQ_PLAIN_USERNAME, short_text, endpoint,
                               security<&S::plain_user>, set_plain_credential<&S::plain_user>)),
    null_is(Null::clears,
            text("ZMQ_PLAIN_PASSWORD", ZMQ_PLAIN_PASSWORD, short_text, endpoint,
                 security<&S::plain_password>, set_plain_credential<&S::plain_password>)),
    built(have_curve, integer("ZMQ_CURVE_SERVER", ZMQ_CURVE_SERVER, strict_bool, endpoint, nullptr,
                              set_server<mechanism_id::curve>, get_server<mechanism_id::curve>)),
    built(have_curve,
          row("ZMQ_CURVE_PUBLICKEY", ZMQ_CURVE_PUBLICKEY, Value::key, any_length, endpoint,
              security<&S::curve_public_key>, set_curve_key<&S::curve_public_key, Role::any>)),
    built(have_curve,
          row("ZMQ_CURVE_SECRETKEY", ZMQ_CURVE_SECRETKEY, Value::key, any_length, endpoint,
              security<&S::curve_secret_key>, set_curve_key<&S::curve_secret_key, Role::any>)),
    built(have_curve,
          row("ZMQ_CURVE_SERVERKEY", ZMQ_CURVE_SERVERKEY, Value::key, any_length, endpoint,
              security<&S::curve_server_key>, set_curve_key<&S::curve_server_key, Role::client>)),
    pattern(router_types | bit(ZMQ_DEALER) | bit(ZMQ_REQ),
            integer("ZMQ_PROBE_ROUTER", ZMQ_PROBE_ROUTER, zero_or_more, new_peer, nullptr)),
    pattern(bit(ZMQ_REQ),
            integer("ZMQ_REQ_CORRELATE", ZMQ_REQ_CORRELATE, zero_or_more, always, nullptr)),
    pattern(bit(ZMQ_REQ),
            integer("ZMQ_REQ_RELAXED", ZMQ_REQ_RELAXED, zero_or_more, always, nullptr)),
    integer("ZMQ_CONFLATE", ZMQ_CONFLATE, strict_bool, endpoint, link<&L::conflate>),
    text("ZMQ_ZAP_DOMAIN", ZMQ_ZAP_DOMAIN, short_text, endpoint, security<&S::zap_domain>),
    pattern(router_types,
            integer("ZMQ_ROUTER_HANDOVER", ZMQ_ROUTER_HANDOVER, zero_or_more, always, nullptr)),
    integer("ZMQ_TOS", ZMQ_TOS, zero_or_more, endpoint, transport<&T::tos>),
    set_only(null_is(Null::clears, integer("ZMQ_IPC_FILTER_PID", ZMQ_IPC_FILTER_PID, any_int,
                                           at_bind, nullptr, set_ipc_filter<&T::ipc_pid_filters>))),
    set_only(null_is(Null::clears, integer("ZMQ_IPC_FILTER_UID", ZMQ_IPC_FILTER_UID, any_int,
                                           at_bind, nullptr, set_ipc_filter<&T::ipc_uid_filters>))),
    set_only(null_is(Null::clears, integer("ZMQ_IPC_FILTER_GID", ZMQ_IPC_FILTER_GID, any_int,
                                           at_bind, nullptr, set_ipc_filter<&T::ipc_gid_filters>))),
    pattern(router_types | bit(ZMQ_STREAM), binary("ZMQ_CONNECT_ROUTING_ID", ZMQ_CONNECT_ROUTING_ID,
                                                   some_length, at_connect, nullptr)),
    built(have_gssapi,
          integer("ZMQ_GSSAPI_SERVER", ZMQ_GSSAPI_SERVER, strict_bool, endpoint, nullptr,
                  set_server<mechanism_id::gssapi>, get_server<mechanism_id::gssapi>)),
    built(have_gssapi,
          text("ZMQ_GSSAPI_PRINCIPAL", ZMQ_GSSAPI_PRINCIPAL, short_text, endpoint,
               security<&S::gssapi_principal>, set_gssapi_name<&S::gssapi_principal, Role::any>)),
    built(have_gssapi, text("ZMQ_GSSAPI_SERVICE_PRINCIPAL", ZMQ_GSSAPI_SERVICE_PRINCIPAL,
                            short_text, endpoint, security<&S::gssapi_service_principal>,
                            set_gssapi_name<&S::gssapi_service_principal, Role::client>)),
    built(have_gssapi, integer("ZMQ_GSSAPI_PLAINTEXT", ZMQ_GSSAPI_PLAINTEXT, strict_bool, endpoint,
                               security<&S::gssapi_plaintext>)),
    integer("ZMQ_HANDSHAKE_IVL", ZMQ_HANDSHAKE_IVL, zero_or_more, endpoint,
            link<&L::handshake_interval_ms>),
    null_is(Null::clears, text("ZMQ_SOCKS_PROXY", ZMQ_SOCKS_PROXY, some_length, at_connect,
                               transport<&T::socks_proxy>)),
    pattern(xpub_types | bit(ZMQ_RADIO),
            integer("ZMQ_XPUB_NODROP", ZMQ_XPUB_NODROP, zero_or_more, always, nullptr)),
    pattern(xpub_types, integer("ZMQ_XPUB_MANUAL", ZMQ_XPUB_MANUAL, zero_or_more, always, nullptr)),
    pattern(xpub_types, null_is(Null::clears, binary("ZMQ_XPUB_WELCOME_MSG", ZMQ_XPUB_WELCOME_MSG,
                                                     any_length, new_peer, nullptr))),
    pattern(bit(ZMQ_STREAM), integer("ZMQ_STREAM_NOTIFY", ZMQ_STREAM_NOTIFY, strict_bool, endpoint,
                                     link<&L::raw_notify>)),
    integer("ZMQ_INVERT_MATCHING", ZMQ_INVERT_MATCHING, any_int, always,
            own<&Options::invert_matching>),
    integer("ZMQ_HEARTBEAT_IVL", ZMQ_HEARTBEAT_IVL, zero_or_more, endpoint,
            link<&L::heartbeat_interval_ms>),
    integer("ZMQ_HEARTBEAT_TTL", ZMQ_HEARTBEAT_TTL, {-99, 6553599}, endpoint, nullptr,
            set_heartbeat_ttl, get_heartbeat_ttl),
    integer("ZMQ_HEARTBEAT_TIMEOUT", ZMQ_HEARTBEAT_TIMEOUT, zero_or_more, endpoint,
            link<&L::heartbeat_timeout_ms>),
    pattern(xpub_types,
            integer("ZMQ_XPUB_VERBOSER", ZMQ_XPUB_VERBOSER, zero_or_more, always, nullptr)),
    integer("ZMQ_CONNECT_TIMEOUT", ZMQ_CONNECT_TIMEOUT, zero_or_more, at_connect,
            transport<&T::connect_timeout_ms>),
    integer("ZMQ_TCP_MAXRT", ZMQ_TCP_MAXRT, zero_or_more, endpoint, transport<&T::tcp_maxrt_ms>),
    live("ZMQ_THREAD_SAFE", ZMQ_THREAD_SAFE, Value::integer),
    integer("ZMQ_MULTICAST_MAXTPDU", ZMQ_MULTICAST_MAXTPDU, one_or_more, endpoint,
            transport<&T::multicast_max_tpdu>),
    built(have_vmci, set_only(row("ZMQ_VMCI_BUFFER_SIZE", ZMQ_VMCI_BUFFER_SIZE, Value::unsigned64,
                                  any_length, endpoint, transport<&T::vmci_buffer_size>))),
    built(have_vmci,
          set_only(row("ZMQ_VMCI_BUFFER_MIN_SIZE", ZMQ_VMCI_BUFFER_MIN_SIZE, Value::unsigned64,
                       any_length, endpoint, transport<&T::vmci_buffer_min_size>))),
    built(have_vmci,
          set_only(row("ZMQ_VMCI_BUFFER_MAX_SIZE", ZMQ_VMCI_BUFFER_MAX_SIZE, Value::unsigned64,
                       any_length, endpoint, transport<&T::vmci_buffer_max_size>))),
    built(have_vmci, set_only(integer("ZMQ_VMCI_CONNECT_TIMEOUT", ZMQ_VMCI_CONNECT_TIMEOUT, any_int,
                                      endpoint, transport<&T::vmci_connect_timeout_ms>))),
    integer("ZMQ_USE_FD", ZMQ_USE_FD, minus_one_or_more, at_bind, transport<&T::use_fd>),
    built(have_gssapi, integer("ZMQ_GSSAPI_PRINCIPAL_NAMETYPE", ZMQ_GSSAPI_PRINCIPAL_NAMETYPE,
                               {0, 2}, endpoint, security<&S::gssapi_principal_name_type>)),
    built(have_gssapi,
          integer("ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE", ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE,
                  {0, 2}, endpoint, security<&S::gssapi_service_principal_name_type>)),
    null_is(Null::clears, text("ZMQ_BINDTODEVICE", ZMQ_BINDTODEVICE, {1, 16}, endpoint,
                               transport<&T::bind_to_device>)),
    integer("ZMQ_ZAP_ENFORCE_DOMAIN", ZMQ_ZAP_ENFORCE_DOMAIN, any_int, endpoint,
            security<&S::zap_enforce_domain>),
    integer("ZMQ_LOOPBACK_FASTPATH", ZMQ_LOOPBACK_FASTPATH, any_int, endpoint,
            transport<&T::loopback_fastpath>),
    set_only(text("ZMQ_METADATA", ZMQ_METADATA, some_length, endpoint, nullptr, set_metadata)),
    integer("ZMQ_MULTICAST_LOOP", ZMQ_MULTICAST_LOOP, any_int, endpoint,
            transport<&T::multicast_loop>),
    set_by(router_types, integer("ZMQ_ROUTER_NOTIFY", ZMQ_ROUTER_NOTIFY, {0, 3}, endpoint,
                                 link<&L::router_notify>)),
    pattern(xpub_types, integer("ZMQ_XPUB_MANUAL_LAST_VALUE", ZMQ_XPUB_MANUAL_LAST_VALUE,
                                zero_or_more, always, nullptr)),
    null_is(Null::always_clears, text("ZMQ_SOCKS_USERNAME", ZMQ_SOCKS_USERNAME, {0, 255},
                                      at_connect, transport<&T::socks_user>)),
    null_is(Null::always_clears, text("ZMQ_SOCKS_PASSWORD", ZMQ_SOCKS_PASSWORD, {0, 255},
                                      at_connect, transport<&T::socks_password>)),
    integer("ZMQ_IN_BATCH_SIZE", ZMQ_IN_BATCH_SIZE, one_or_more, endpoint, link<&L::in_batch_size>),
    integer("ZMQ_OUT_BATCH_SIZE", ZMQ_OUT_BATCH_SIZE, one_or_more, endpoint,
            link<&L::out_batch_size>),
    built(have_wss,
          set_only(null_is(Null::clears, text("ZMQ_WSS_KEY_PEM", ZMQ_WSS_KEY_PEM, any_length,
                                              endpoint, transport<&T::wss_key_pem>)))),
    built(have_wss,
          set_only(null_is(Null::clears, text("ZMQ_WSS_CERT_PEM", ZMQ_WSS_CERT_PEM, any_length,
                                              endpoint, transport<&T::wss_cert_pem>)))),
    built(have_wss,
          set_only(null_is(Null::clears, text("ZMQ_WSS_TRUST_PEM", ZMQ_WSS_TRUST_PEM, any_length,
                                              endpoint, transport<&T::wss_trust_pem>)))),
    built(have_wss,
          set_only(null_is(Null::clears, text("ZMQ_WSS_HOSTNAME", ZMQ_WSS_HOSTNAME, any_length,
                                              endpoint, transport<&T::wss_hostname>)))),
    built(have_wss, set_only(integer("ZMQ_WSS_TRUST_SYSTEM", ZMQ_WSS_TRUST_SYSTEM, strict_bool,
                                     endpoint, transport<&T::wss_trust_system>))),
    pattern(xpub_types | bit(ZMQ_XSUB),
            integer("ZMQ_ONLY_FIRST_SUBSCRIBE", ZMQ_ONLY_FIRST_SUBSCRIBE, zero_or_more, always,
                    nullptr)),
    integer("ZMQ_RECONNECT_STOP", ZMQ_RECONNECT_STOP, any_int, at_connect,
            link<&L::reconnect_stop>),
    set_only(null_is(Null::clears, binary("ZMQ_HELLO_MSG", ZMQ_HELLO_MSG, any_length, endpoint,
                                          link<&L::hello_message>))),
    set_only(null_is(Null::clears, binary("ZMQ_DISCONNECT_MSG", ZMQ_DISCONNECT_MSG, any_length,
                                          at_bind, link<&L::disconnect_message>))),
    integer("ZMQ_PRIORITY", ZMQ_PRIORITY, zero_or_more, endpoint, transport<&T::priority>),
    integer("ZMQ_BUSY_POLL", ZMQ_BUSY_POLL, any_int, endpoint, transport<&T::busy_poll_us>),
    set_only(null_is(Null::clears, binary("ZMQ_HICCUP_MSG", ZMQ_HICCUP_MSG, any_length, at_connect,
                                          link<&L::hiccup_message>))),
    pattern(bit(ZMQ_XSUB), row("ZMQ_XSUB_VERBOSE_UNSUBSCRIBE", ZMQ_XSUB_VERBOSE_UNSUBSCRIBE,
                               Value::loose_integer, any_int, always, nullptr)),
    live("ZMQ_TOPICS_COUNT", ZMQ_TOPICS_COUNT, Value::integer,
         xpub_types | bit(ZMQ_SUB) | bit(ZMQ_XSUB)),
    built(have_norm,
          integer("ZMQ_NORM_MODE", ZMQ_NORM_MODE, {0, 4}, endpoint, transport<&T::norm_mode>)),
    built(have_norm, integer("ZMQ_NORM_UNICAST_NACK", ZMQ_NORM_UNICAST_NACK, strict_bool, endpoint,
                             transport<&T::norm_unicast_nack>)),
    built(have_norm, integer("ZMQ_NORM_BUFFER_SIZE", ZMQ_NORM_BUFFER_SIZE, one_or_more, endpoint,
                             transport<&T::norm_buffer_size_kib>)),
    built(have_norm, integer("ZMQ_NORM_SEGMENT_SIZE", ZMQ_NORM_SEGMENT_SIZE, one_or_more, endpoint,
                             transport<&T::norm_segment_size>)),
    built(have_norm, integer("ZMQ_NORM_BLOCK_SIZE", ZMQ_NORM_BLOCK_SIZE, {1, 255}, endpoint,
                             transport<&T::norm_block_size>)),
    built(have_norm, integer("ZMQ_NORM_NUM_PARITY", ZMQ_NORM_NUM_PARITY, {0, 254}, endpoint,
                             transport<&T::norm_parity>)),
    built(have_norm, integer("ZMQ_NORM_NUM_AUTOPARITY", ZMQ_NORM_NUM_AUTOPARITY, {0, 254}, endpoint,
                             transport<&T::norm_auto_parity>)),
    built(have_norm,
          integer("ZMQ_NORM_PUSH", ZMQ_NORM_PUSH, strict_bool, endpoint, transport<&T::norm_push>)),
};

// Event loops read ZMQ_EVENTS once a message, so the search is a subscript.
constexpr int numbers_end = ZMQ_NORM_PUSH + 1;
constexpr uint8_t no_row = UINT8_MAX;

constexpr auto make_index() {
    std::array<uint8_t, numbers_end> index{};
    for (int number = 0; number < numbers_end; ++number) index[size_t(number)] = no_row;
    uint8_t position = 0;
    for (const OptionRow &each : table) {
        if (each.is_built) index[size_t(each.number)] = position;
        ++position;
    }
    return index;
}
constexpr auto index_of_number = make_index();
static_assert(std::size(table) < no_row);

Error check_integer(const OptionRow &row, const void *value, size_t size) {
    if (!value || size != sizeof(int)) return err::invalid;
    const int number = load_int(value, size);
    return number >= row.least && number <= row.most ? err::none : err::invalid;
}

Error check_bytes(const OptionRow &row, size_t size) {
    const auto least = static_cast<uint64_t>(row.least);
    const auto most = static_cast<uint64_t>(row.most);
    return size >= least && size <= most ? err::none : err::invalid;
}

struct Store {
    const void *value;
    size_t size;
    void operator()(std::monostate) const {}
    void operator()(bool *to) const { *to = load_int(value, size) != 0; }
    void operator()(int *to) const { *to = load_int(value, size); }
    void operator()(int64_t *to) const { std::memcpy(to, value, sizeof *to); }
    void operator()(uint64_t *to) const { std::memcpy(to, value, sizeof *to); }
    void operator()(std::string *to) const { *to = string_of(value, size); }
    void operator()(CurveKey *) const {} // keys always have a set function
};

Error store_exact(const void *from, size_t from_size, void *value, const size_t *size) {
    if (*size != from_size) return err::invalid;
    std::memcpy(value, from, from_size);
    return err::none;
}

struct Fetch {
    bool with_nul;
    void *value;
    size_t *size;
    Error operator()(std::monostate) const { return err::invalid; }
    Error operator()(const bool *from) const { return store_int_exact(*from, value, size); }
    Error operator()(const int *from) const { return store_int_exact(*from, value, size); }
    Error operator()(const int64_t *from) const {
        return store_exact(from, sizeof *from, value, size);
    }
    Error operator()(const uint64_t *from) const {
        return store_exact(from, sizeof *from, value, size);
    }
    Error operator()(const std::string *from) const {
        if (with_nul) return store_text(*from, value, size);
        return store_value(from->data(), from->size(), value, size);
    }
    Error operator()(const CurveKey *from) const {
        if (*size == from->size()) return store_exact(from->data(), from->size(), value, size);
        if (*size != 41) return err::invalid;
        z85_encode(static_cast<char *>(value), Bytes(from->data(), from->size()));
        return err::none;
    }
};

} // namespace

Options Options::defaults(int socket_type, const ContextOptions &context) {
    Options options;
    options.link.socket_type = socket_type;
    options.link.transport.ipv6 = context.ipv6;
    options.link.raw = socket_type == ZMQ_STREAM;
    options.zero_copy_receive = context.zero_copy_receive;
    options.tries_before_sleep = context.tries_before_sleep;
    const bool has_nothing_to_linger_for =
        socket_type == ZMQ_SUB || socket_type == ZMQ_XSUB || socket_type == ZMQ_DISH;
    options.linger_ms = has_nothing_to_linger_for || !context.blocky ? 0 : -1;
    return options;
}

const OptionRow *find_option(int number) {
    if (number < 0 || number >= numbers_end) return nullptr;
    const uint8_t position = index_of_number[size_t(number)];
    return position == no_row ? nullptr : &table[position];
}

Error check_option(const OptionRow &row, int socket_type, const void *value, size_t size) {
    if (!is_one_of(row.set_types, socket_type)) return err::invalid;
    if (!value && row.null == Null::always_clears) return err::none;
    if (!value && size == 0) return row.null == Null::clears ? err::none : err::invalid;
    if (!value) return err::invalid;
    switch (row.value) {
    case Value::integer:
        return check_integer(row, value, size);
    case Value::loose_integer:
        return size > 0 ? err::none : err::invalid;
    case Value::unsigned64:
    case Value::signed64:
        return size == sizeof(int64_t) ? err::none : err::invalid;
    case Value::binary:
    case Value::text:
        return check_bytes(row, size);
    case Value::key: {
        CurveKey unused;
        return decode_key(unused, value, size) ? err::none : err::invalid;
    }
    }
    return err::invalid;
}

Error check_readable(const OptionRow &row, int socket_type) {
    return is_one_of(row.get_types, socket_type) ? err::none : err::invalid;
}

Error set_option(Options &options, int socket_type, int option, const void *value, size_t size) {
    const OptionRow *row = find_option(option);
    if (!row) return err::invalid;
    if (const Error error = check_option(*row, socket_type, value, size)) return error;
    try {
        if (row->set) return row->set(options, value, size);
        if (row->slot) std::visit(Store{value, size}, row->slot(options));
        return err::none;
    } catch (const std::bad_alloc &) {
        return err::no_memory;
    }
}

Error SharedOptions::set(int socket_type, int option, const void *value, size_t size) {
    const OptionRow *row = find_option(option);
    if (!row) return err::invalid;
    if (!row->set && !row->slot) return check_option(*row, socket_type, value, size);
    if (own_) return set_option(*own_, socket_type, option, value, size);
    if (const Error error = check_option(*row, socket_type, value, size)) return error;
    const auto copy = std::make_shared<Options>(*options_);
    const Error error = set_option(*copy, socket_type, option, value, size);
    if (error) return error;
    own_ = copy.get();
    options_ = copy;
    return err::none;
}

Error get_option(const Options &options, int socket_type, int option, void *value, size_t *size) {
    const OptionRow *row = find_option(option);
    if (!row || !size || (!value && *size > 0)) return err::invalid;
    if (const Error error = check_readable(*row, socket_type)) return error;
    if (row->number == ZMQ_TYPE) return store_int_exact(socket_type, value, size);
    if (row->number == ZMQ_THREAD_SAFE) {
        return store_int(is_thread_safe_type(socket_type), value, size);
    }
    if (row->get) return store_int_exact(row->get(options), value, size);
    if (!row->slot) return err::invalid;
    // A slot only names a place; nothing is written through it here.
    const Slot slot = row->slot(const_cast<Options &>(options));
    return std::visit(Fetch{row->value == Value::text, value, size}, slot);
}

Error store_value(const void *from, size_t from_size, void *value, size_t *size) {
    if (!size || *size < from_size || (!value && *size > 0)) return err::invalid;
    if (*size > 0) {
        if (from_size > 0) std::memcpy(value, from, from_size);
        std::memset(static_cast<char *>(value) + from_size, 0, *size - from_size);
    }
    *size = from_size;
    return err::none;
}

Error store_int(int from, void *value, size_t *size) {
    return store_value(&from, sizeof from, value, size);
}

Error store_text(const std::string &from, void *value, size_t *size) {
    return store_value(from.c_str(), from.size() + 1, value, size);
}

Error store_int_exact(int from, void *value, size_t *size) {
    if (!size || !value || *size != sizeof from) return err::invalid;
    std::memcpy(value, &from, sizeof from);
    return err::none;
}

int load_int(const void *value, size_t size) {
    int number = 0;
    std::memcpy(&number, value, size < sizeof number ? size : sizeof number);
    return number;
}

bool is_thread_safe_type(int socket_type) { return is_one_of(thread_safe_types, socket_type); }

} // namespace tern
