/* SPDX-License-Identifier: Apache-2.0 */
/* Every number and name of zmq.h, drafts included. The header alone is looked at, except for the
 * version. */
#define ZMQ_BUILD_DRAFT_API
#include "support.h"

/* A program may test any of the names with #ifdef: all of them have to be macros. */
#define EXPANDED(name) TEXT (name)
#define TEXT(...) #__VA_ARGS__

typedef struct
{
    const char *name;
    long long value;
    long long expected;
    bool is_macro;
} row_t;

#define ROW(name, expected)                                                                        \
    {                                                                                              \
        #name, (long long) (name), expected, strcmp (EXPANDED (name), #name) != 0                  \
    }

static void check (const row_t *rows, size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; ++i) {
        if (!rows[i].is_macro || rows[i].value != rows[i].expected) {
            print_error ("%s: macro %d, value %lld, expected %lld\n", rows[i].name,
                         rows[i].is_macro, rows[i].value, rows[i].expected);
            ++wrong;
        }
    }
    assert_int_equal (wrong, 0);
}

#define COUNT(rows) (sizeof (rows) / sizeof (rows)[0])

static void errno_base_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_HAUSNUMERO, 156384712),
    };
    check (rows, COUNT (rows));
}

static void errno_native_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (EFSM, 156384763),
        ROW (ENOCOMPATPROTO, 156384764),
        ROW (ETERM, 156384765),
        ROW (EMTHREAD, 156384766),
    };
    check (rows, COUNT (rows));
}

static void context_option_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_IO_THREADS, 1),
        ROW (ZMQ_MAX_SOCKETS, 2),
        ROW (ZMQ_SOCKET_LIMIT, 3),
        ROW (ZMQ_THREAD_PRIORITY, 3),
        ROW (ZMQ_THREAD_SCHED_POLICY, 4),
        ROW (ZMQ_MAX_MSGSZ, 5),
        ROW (ZMQ_MSG_T_SIZE, 6),
        ROW (ZMQ_THREAD_AFFINITY_CPU_ADD, 7),
        ROW (ZMQ_THREAD_AFFINITY_CPU_REMOVE, 8),
        ROW (ZMQ_THREAD_NAME_PREFIX, 9),
    };
    check (rows, COUNT (rows));
}

static void default_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_IO_THREADS_DFLT, 1),
        ROW (ZMQ_MAX_SOCKETS_DFLT, 1023),
        ROW (ZMQ_THREAD_PRIORITY_DFLT, -1),
        ROW (ZMQ_THREAD_SCHED_POLICY_DFLT, -1),
        ROW (ZMQ_POLLITEMS_DFLT, 16),
    };
    check (rows, COUNT (rows));
}

static void socket_type_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_PAIR, 0),
        ROW (ZMQ_PUB, 1),
        ROW (ZMQ_SUB, 2),
        ROW (ZMQ_REQ, 3),
        ROW (ZMQ_REP, 4),
        ROW (ZMQ_DEALER, 5),
        ROW (ZMQ_ROUTER, 6),
        ROW (ZMQ_PULL, 7),
        ROW (ZMQ_PUSH, 8),
        ROW (ZMQ_XPUB, 9),
        ROW (ZMQ_XSUB, 10),
        ROW (ZMQ_STREAM, 11),
        ROW (ZMQ_XREQ, 5),
        ROW (ZMQ_XREP, 6),
    };
    check (rows, COUNT (rows));
}

static void socket_option_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_AFFINITY, 4),
        ROW (ZMQ_ROUTING_ID, 5),
        ROW (ZMQ_SUBSCRIBE, 6),
        ROW (ZMQ_UNSUBSCRIBE, 7),
        ROW (ZMQ_RATE, 8),
        ROW (ZMQ_RECOVERY_IVL, 9),
        ROW (ZMQ_SNDBUF, 11),
        ROW (ZMQ_RCVBUF, 12),
        ROW (ZMQ_RCVMORE, 13),
        ROW (ZMQ_FD, 14),
        ROW (ZMQ_EVENTS, 15),
        ROW (ZMQ_TYPE, 16),
        ROW (ZMQ_LINGER, 17),
        ROW (ZMQ_RECONNECT_IVL, 18),
        ROW (ZMQ_BACKLOG, 19),
        ROW (ZMQ_RECONNECT_IVL_MAX, 21),
        ROW (ZMQ_MAXMSGSIZE, 22),
        ROW (ZMQ_SNDHWM, 23),
        ROW (ZMQ_RCVHWM, 24),
        ROW (ZMQ_MULTICAST_HOPS, 25),
        ROW (ZMQ_RCVTIMEO, 27),
        ROW (ZMQ_SNDTIMEO, 28),
        ROW (ZMQ_LAST_ENDPOINT, 32),
        ROW (ZMQ_ROUTER_MANDATORY, 33),
        ROW (ZMQ_TCP_KEEPALIVE, 34),
        ROW (ZMQ_TCP_KEEPALIVE_CNT, 35),
        ROW (ZMQ_TCP_KEEPALIVE_IDLE, 36),
        ROW (ZMQ_TCP_KEEPALIVE_INTVL, 37),
        ROW (ZMQ_IMMEDIATE, 39),
        ROW (ZMQ_XPUB_VERBOSE, 40),
        ROW (ZMQ_ROUTER_RAW, 41),
        ROW (ZMQ_IPV6, 42),
        ROW (ZMQ_MECHANISM, 43),
        ROW (ZMQ_PLAIN_SERVER, 44),
        ROW (ZMQ_PLAIN_USERNAME, 45),
        ROW (ZMQ_PLAIN_PASSWORD, 46),
        ROW (ZMQ_CURVE_SERVER, 47),
        ROW (ZMQ_CURVE_PUBLICKEY, 48),
        ROW (ZMQ_CURVE_SECRETKEY, 49),
        ROW (ZMQ_CURVE_SERVERKEY, 50),
        ROW (ZMQ_PROBE_ROUTER, 51),
        ROW (ZMQ_REQ_CORRELATE, 52),
        ROW (ZMQ_REQ_RELAXED, 53),
        ROW (ZMQ_CONFLATE, 54),
        ROW (ZMQ_ZAP_DOMAIN, 55),
        ROW (ZMQ_ROUTER_HANDOVER, 56),
        ROW (ZMQ_TOS, 57),
        ROW (ZMQ_CONNECT_ROUTING_ID, 61),
        ROW (ZMQ_GSSAPI_SERVER, 62),
        ROW (ZMQ_GSSAPI_PRINCIPAL, 63),
        ROW (ZMQ_GSSAPI_SERVICE_PRINCIPAL, 64),
        ROW (ZMQ_GSSAPI_PLAINTEXT, 65),
        ROW (ZMQ_HANDSHAKE_IVL, 66),
        ROW (ZMQ_SOCKS_PROXY, 68),
        ROW (ZMQ_XPUB_NODROP, 69),
        ROW (ZMQ_BLOCKY, 70),
        ROW (ZMQ_XPUB_MANUAL, 71),
        ROW (ZMQ_XPUB_WELCOME_MSG, 72),
        ROW (ZMQ_STREAM_NOTIFY, 73),
        ROW (ZMQ_INVERT_MATCHING, 74),
        ROW (ZMQ_HEARTBEAT_IVL, 75),
        ROW (ZMQ_HEARTBEAT_TTL, 76),
        ROW (ZMQ_HEARTBEAT_TIMEOUT, 77),
        ROW (ZMQ_XPUB_VERBOSER, 78),
        ROW (ZMQ_CONNECT_TIMEOUT, 79),
        ROW (ZMQ_TCP_MAXRT, 80),
        ROW (ZMQ_THREAD_SAFE, 81),
        ROW (ZMQ_MULTICAST_MAXTPDU, 84),
        ROW (ZMQ_VMCI_BUFFER_SIZE, 85),
        ROW (ZMQ_VMCI_BUFFER_MIN_SIZE, 86),
        ROW (ZMQ_VMCI_BUFFER_MAX_SIZE, 87),
        ROW (ZMQ_VMCI_CONNECT_TIMEOUT, 88),
        ROW (ZMQ_USE_FD, 89),
        ROW (ZMQ_GSSAPI_PRINCIPAL_NAMETYPE, 90),
        ROW (ZMQ_GSSAPI_SERVICE_PRINCIPAL_NAMETYPE, 91),
        ROW (ZMQ_BINDTODEVICE, 92),
        ROW (ZMQ_IDENTITY, 5),
        ROW (ZMQ_CONNECT_RID, 61),
        ROW (ZMQ_TCP_ACCEPT_FILTER, 38),
        ROW (ZMQ_IPC_FILTER_PID, 58),
        ROW (ZMQ_IPC_FILTER_UID, 59),
        ROW (ZMQ_IPC_FILTER_GID, 60),
        ROW (ZMQ_IPV4ONLY, 31),
        ROW (ZMQ_DELAY_ATTACH_ON_CONNECT, 39),
        ROW (ZMQ_FAIL_UNROUTABLE, 33),
        ROW (ZMQ_ROUTER_BEHAVIOR, 33),
    };
    check (rows, COUNT (rows));
}

static void message_property_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_MORE, 1),
        ROW (ZMQ_SHARED, 3),
        ROW (ZMQ_SRCFD, 2),
    };
    check (rows, COUNT (rows));
}

static void send_recv_flag_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_DONTWAIT, 1),
        ROW (ZMQ_SNDMORE, 2),
        ROW (ZMQ_NOBLOCK, 1),
    };
    check (rows, COUNT (rows));
}

static void security_mechanism_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_NULL, 0),
        ROW (ZMQ_PLAIN, 1),
        ROW (ZMQ_CURVE, 2),
        ROW (ZMQ_GSSAPI, 3),
    };
    check (rows, COUNT (rows));
}

static void limit_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_GROUP_MAX_LENGTH, 255),
    };
    check (rows, COUNT (rows));
}

static void gssapi_name_type_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_GSSAPI_NT_HOSTBASED, 0),
        ROW (ZMQ_GSSAPI_NT_USER_NAME, 1),
        ROW (ZMQ_GSSAPI_NT_KRB5_PRINCIPAL, 2),
    };
    check (rows, COUNT (rows));
}

static void monitor_event_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_EVENT_CONNECTED, 1),
        ROW (ZMQ_EVENT_CONNECT_DELAYED, 2),
        ROW (ZMQ_EVENT_CONNECT_RETRIED, 4),
        ROW (ZMQ_EVENT_LISTENING, 8),
        ROW (ZMQ_EVENT_BIND_FAILED, 16),
        ROW (ZMQ_EVENT_ACCEPTED, 32),
        ROW (ZMQ_EVENT_ACCEPT_FAILED, 64),
        ROW (ZMQ_EVENT_CLOSED, 128),
        ROW (ZMQ_EVENT_CLOSE_FAILED, 256),
        ROW (ZMQ_EVENT_DISCONNECTED, 512),
        ROW (ZMQ_EVENT_MONITOR_STOPPED, 1024),
        ROW (ZMQ_EVENT_ALL, 65535),
        ROW (ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL, 2048),
        ROW (ZMQ_EVENT_HANDSHAKE_SUCCEEDED, 4096),
        ROW (ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, 8192),
        ROW (ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 16384),
    };
    check (rows, COUNT (rows));
}

static void monitor_protocol_error_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_UNSPECIFIED, 268435456),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_UNEXPECTED_COMMAND, 268435457),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_SEQUENCE, 268435458),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE, 268435459),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED, 268435473),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_MESSAGE, 268435474),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_HELLO, 268435475),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_INITIATE, 268435476),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_ERROR, 268435477),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_READY, 268435478),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_MALFORMED_COMMAND_WELCOME, 268435479),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_INVALID_METADATA, 268435480),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC, 285212673),
        ROW (ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH, 285212674),
        ROW (ZMQ_PROTOCOL_ERROR_ZAP_UNSPECIFIED, 536870912),
        ROW (ZMQ_PROTOCOL_ERROR_ZAP_MALFORMED_REPLY, 536870913),
        ROW (ZMQ_PROTOCOL_ERROR_ZAP_BAD_REQUEST_ID, 536870914),
        ROW (ZMQ_PROTOCOL_ERROR_ZAP_BAD_VERSION, 536870915),
        ROW (ZMQ_PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE, 536870916),
        ROW (ZMQ_PROTOCOL_ERROR_ZAP_INVALID_METADATA, 536870917),
        ROW (ZMQ_PROTOCOL_ERROR_WS_UNSPECIFIED, 805306368),
    };
    check (rows, COUNT (rows));
}

static void poll_flag_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_POLLIN, 1),
        ROW (ZMQ_POLLOUT, 2),
        ROW (ZMQ_POLLERR, 4),
        ROW (ZMQ_POLLPRI, 8),
    };
    check (rows, COUNT (rows));
}

static void device_type_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_STREAMER, 1),
        ROW (ZMQ_FORWARDER, 2),
        ROW (ZMQ_QUEUE, 3),
    };
    check (rows, COUNT (rows));
}

static void draft_socket_type_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_SERVER, 12),
        ROW (ZMQ_CLIENT, 13),
        ROW (ZMQ_RADIO, 14),
        ROW (ZMQ_DISH, 15),
        ROW (ZMQ_GATHER, 16),
        ROW (ZMQ_SCATTER, 17),
        ROW (ZMQ_DGRAM, 18),
        ROW (ZMQ_PEER, 19),
        ROW (ZMQ_CHANNEL, 20),
    };
    check (rows, COUNT (rows));
}

static void draft_socket_option_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_ZAP_ENFORCE_DOMAIN, 93),
        ROW (ZMQ_LOOPBACK_FASTPATH, 94),
        ROW (ZMQ_METADATA, 95),
        ROW (ZMQ_MULTICAST_LOOP, 96),
        ROW (ZMQ_ROUTER_NOTIFY, 97),
        ROW (ZMQ_XPUB_MANUAL_LAST_VALUE, 98),
        ROW (ZMQ_SOCKS_USERNAME, 99),
        ROW (ZMQ_SOCKS_PASSWORD, 100),
        ROW (ZMQ_IN_BATCH_SIZE, 101),
        ROW (ZMQ_OUT_BATCH_SIZE, 102),
        ROW (ZMQ_WSS_KEY_PEM, 103),
        ROW (ZMQ_WSS_CERT_PEM, 104),
        ROW (ZMQ_WSS_TRUST_PEM, 105),
        ROW (ZMQ_WSS_HOSTNAME, 106),
        ROW (ZMQ_WSS_TRUST_SYSTEM, 107),
        ROW (ZMQ_ONLY_FIRST_SUBSCRIBE, 108),
        ROW (ZMQ_RECONNECT_STOP, 109),
        ROW (ZMQ_HELLO_MSG, 110),
        ROW (ZMQ_DISCONNECT_MSG, 111),
        ROW (ZMQ_PRIORITY, 112),
        ROW (ZMQ_BUSY_POLL, 113),
        ROW (ZMQ_HICCUP_MSG, 114),
        ROW (ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, 115),
        ROW (ZMQ_TOPICS_COUNT, 116),
        ROW (ZMQ_NORM_MODE, 117),
        ROW (ZMQ_NORM_UNICAST_NACK, 118),
        ROW (ZMQ_NORM_BUFFER_SIZE, 119),
        ROW (ZMQ_NORM_SEGMENT_SIZE, 120),
        ROW (ZMQ_NORM_BLOCK_SIZE, 121),
        ROW (ZMQ_NORM_NUM_PARITY, 122),
        ROW (ZMQ_NORM_NUM_AUTOPARITY, 123),
        ROW (ZMQ_NORM_PUSH, 124),
    };
    check (rows, COUNT (rows));
}

static void draft_norm_mode_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_NORM_FIXED, 0),
        ROW (ZMQ_NORM_CC, 1),
        ROW (ZMQ_NORM_CCL, 2),
        ROW (ZMQ_NORM_CCE, 3),
        ROW (ZMQ_NORM_CCE_ECNONLY, 4),
    };
    check (rows, COUNT (rows));
}

static void draft_reconnect_stop_flag_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_RECONNECT_STOP_CONN_REFUSED, 1),
        ROW (ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED, 2),
        ROW (ZMQ_RECONNECT_STOP_AFTER_DISCONNECT, 4),
    };
    check (rows, COUNT (rows));
}

static void draft_context_option_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_ZERO_COPY_RECV, 10),
    };
    check (rows, COUNT (rows));
}

static void draft_router_notify_flag_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_NOTIFY_CONNECT, 1),
        ROW (ZMQ_NOTIFY_DISCONNECT, 2),
    };
    check (rows, COUNT (rows));
}

static void draft_monitor_event_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_EVENT_PIPES_STATS, 65536),
        ROW (ZMQ_EVENT_ALL_V1, 65535),
        ROW (ZMQ_EVENT_ALL_V2, 131071),
    };
    check (rows, COUNT (rows));
}

static void draft_monitor_event_version_numbers (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ZMQ_CURRENT_EVENT_VERSION, 1),
        ROW (ZMQ_CURRENT_EVENT_VERSION_DRAFT, 2),
    };
    check (rows, COUNT (rows));
}

/* Where the platform lacks a POSIX name the substitute counts from HAUSNUMERO; Linux has all of
 * them. */
static void errno_names_are_those_of_the_platform (void **state)
{
    (void) state;
    const row_t rows[] = {
        ROW (ENOTSUP, 95),
        ROW (EPROTONOSUPPORT, 93),
        ROW (ENOBUFS, 105),
        ROW (ENETDOWN, 100),
        ROW (EADDRINUSE, 98),
        ROW (EADDRNOTAVAIL, 99),
        ROW (ECONNREFUSED, 111),
        ROW (EINPROGRESS, 115),
        ROW (ENOTSOCK, 88),
        ROW (EMSGSIZE, 90),
        ROW (EAFNOSUPPORT, 97),
        ROW (ENETUNREACH, 101),
        ROW (ECONNABORTED, 103),
        ROW (ECONNRESET, 104),
        ROW (ENOTCONN, 107),
        ROW (ETIMEDOUT, 110),
        ROW (EHOSTUNREACH, 113),
        ROW (ENETRESET, 102),
    };
    check (rows, COUNT (rows));
}

static void metadata_keys (void **state)
{
    (void) state;
    assert_string_equal (ZMQ_MSG_PROPERTY_ROUTING_ID, "Routing-Id");
    assert_string_equal (ZMQ_MSG_PROPERTY_SOCKET_TYPE, "Socket-Type");
    assert_string_equal (ZMQ_MSG_PROPERTY_USER_ID, "User-Id");
    assert_string_equal (ZMQ_MSG_PROPERTY_PEER_ADDRESS, "Peer-Address");
}

/* Names of earlier releases: programs test for them to find out which code to compile. */
static void removed_names_are_not_defined (void **state)
{
    (void) state;
#ifdef ZMQ_IDENTITY_FD
    fail_msg ("ZMQ_IDENTITY_FD is defined");
#endif
#ifdef ZMQ_EVENT_HANDSHAKE_FAILED
    fail_msg ("ZMQ_EVENT_HANDSHAKE_FAILED is defined");
#endif
#ifdef ZMQ_EVENT_HANDSHAKE_SUCCEED
    fail_msg ("ZMQ_EVENT_HANDSHAKE_SUCCEED is defined");
#endif
#ifdef ZMQ_HWM
    fail_msg ("ZMQ_HWM is defined");
#endif
#ifdef ZMQ_SWAP
    fail_msg ("ZMQ_SWAP is defined");
#endif
#ifdef ZMQ_MCAST_LOOP
    fail_msg ("ZMQ_MCAST_LOOP is defined");
#endif
#ifdef ZMQ_RECOVERY_IVL_MSEC
    fail_msg ("ZMQ_RECOVERY_IVL_MSEC is defined");
#endif
#ifdef ZMQ_UPSTREAM
    fail_msg ("ZMQ_UPSTREAM is defined");
#endif
#ifdef ZMQ_DOWNSTREAM
    fail_msg ("ZMQ_DOWNSTREAM is defined");
#endif
#ifdef ZMQ_MAX_VSM_SIZE
    fail_msg ("ZMQ_MAX_VSM_SIZE is defined");
#endif
#ifdef ZMQ_DELIMITER
    fail_msg ("ZMQ_DELIMITER is defined");
#endif
#ifdef ZMQ_VSM
    fail_msg ("ZMQ_VSM is defined");
#endif
#ifdef ZMQ_MSG_MORE
    fail_msg ("ZMQ_MSG_MORE is defined");
#endif
#ifdef ZMQ_MSG_SHARED
    fail_msg ("ZMQ_MSG_SHARED is defined");
#endif
}
/* #if has to be able to evaluate them. */
#if ZMQ_VERSION < ZMQ_MAKE_VERSION(4, 3, 4) || ZMQ_VERSION_MAJOR != 4                             \
  || ZMQ_HAS_CAPABILITIES != 1 || ZMQ_DEFINED_STDINT != 1 || ZMQ_SNDMORE != 2                      \
  || EFSM != ZMQ_HAUSNUMERO + 51
#error "wrong version or markers"
#endif
#if !defined ZMQ_HAVE_TIMERS || !defined ZMQ_HAVE_POLLER || !defined __ZMQ_H_INCLUDED__
#error "a marker is missing"
#endif
#ifdef ZMQ_EXPORT
#error "ZMQ_EXPORT is left defined"
#endif

static void version_macros (void **state)
{
    (void) state;
    assert_int_equal (ZMQ_MAKE_VERSION (1, 2, 3), 10203);
    assert_int_equal (ZMQ_MAKE_VERSION (1 + 1, 2 + 1, 3 + 1), 20304);
    assert_int_equal (ZMQ_VERSION,
                      ZMQ_VERSION_MAJOR * 10000 + ZMQ_VERSION_MINOR * 100 + ZMQ_VERSION_PATCH);
}

/* The combined event masks, used the way programs do. */
static void masks_are_safe_in_expressions (void **state)
{
    (void) state;
    assert_int_equal (0x30001 & ZMQ_EVENT_ALL_V2, 0x10001);
    assert_int_equal (ZMQ_EVENT_ALL & ZMQ_EVENT_HANDSHAKE_FAILED_AUTH, 0x4000);
    assert_int_equal (2 * ETERM, 2 * 156384765);
}

static void the_library_reports_a_version_of_this_interface (void **state)
{
    (void) state;
    int major = -1, minor = -1, patch = -1;
    zmq_version (&major, &minor, &patch);
    assert_int_equal (major, 4);
    assert_int_equal (minor, 3);
    assert_in_range (patch, 4, 99);
}

static void Tern_reports_the_version_of_its_header (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the header is Tern's");
    if (getenv ("TERN_ZMQ_VERSION"))
        skip ();
    int major = -1, minor = -1, patch = -1;
    zmq_version (&major, &minor, &patch);
    assert_int_equal (ZMQ_MAKE_VERSION (major, minor, patch), ZMQ_VERSION);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (errno_base_numbers),
        cmocka_unit_test (errno_native_numbers),
        cmocka_unit_test (context_option_numbers),
        cmocka_unit_test (default_numbers),
        cmocka_unit_test (socket_type_numbers),
        cmocka_unit_test (socket_option_numbers),
        cmocka_unit_test (message_property_numbers),
        cmocka_unit_test (send_recv_flag_numbers),
        cmocka_unit_test (security_mechanism_numbers),
        cmocka_unit_test (limit_numbers),
        cmocka_unit_test (gssapi_name_type_numbers),
        cmocka_unit_test (monitor_event_numbers),
        cmocka_unit_test (monitor_protocol_error_numbers),
        cmocka_unit_test (poll_flag_numbers),
        cmocka_unit_test (device_type_numbers),
        cmocka_unit_test (draft_socket_type_numbers),
        cmocka_unit_test (draft_socket_option_numbers),
        cmocka_unit_test (draft_norm_mode_numbers),
        cmocka_unit_test (draft_reconnect_stop_flag_numbers),
        cmocka_unit_test (draft_context_option_numbers),
        cmocka_unit_test (draft_router_notify_flag_numbers),
        cmocka_unit_test (draft_monitor_event_numbers),
        cmocka_unit_test (draft_monitor_event_version_numbers),
        cmocka_unit_test (errno_names_are_those_of_the_platform),
        cmocka_unit_test (metadata_keys),
        cmocka_unit_test (removed_names_are_not_defined),
        cmocka_unit_test (version_macros),
        cmocka_unit_test (masks_are_safe_in_expressions),
        cmocka_unit_test (the_library_reports_a_version_of_this_interface),
        cmocka_unit_test (Tern_reports_the_version_of_its_header),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
