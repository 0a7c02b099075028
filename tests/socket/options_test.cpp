#include "socket/options.hpp"

#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API
#endif
#include "zmq.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <climits>
#include <cstring>
#include <string>
#include <vector>

using namespace tern;

namespace {

Options fresh(int socket_type = ZMQ_PUSH) { return Options::defaults(socket_type, {}); }

Error set_int(Options &options, int option, int value, int socket_type = ZMQ_PUSH) {
    return set_option(options, socket_type, option, &value, sizeof value);
}

Error set_text(Options &options, int option, const std::string &text, int socket_type = ZMQ_PUSH) {
    return set_option(options, socket_type, option, text.data(), text.size());
}

int get_int(const Options &options, int option, int socket_type = ZMQ_PUSH) {
    int value = -12345;
    size_t size = sizeof value;
    const Error error = get_option(options, socket_type, option, &value, &size);
    CHECK_FALSE(error);
    CHECK(size == sizeof value);
    return value;
}

std::string get_text(const Options &options, int option) {
    char text[512];
    size_t size = sizeof text;
    const Error error = get_option(options, ZMQ_PUSH, option, text, &size);
    CHECK_FALSE(error);
    return std::string(text, size);
}

struct IntRange {
    int option;
    int initial;
    std::vector<int> good;
    std::vector<int> bad;
};

constexpr int all_socket_types = 21;

} // namespace

TEST_CASE("options are shared until they are changed") {
    const auto defaults =
        std::make_shared<const Options>(Options::defaults(ZMQ_PUSH, ContextOptions()));
    SharedOptions one(defaults), two(defaults);
    CHECK(&*one == defaults.get());
    const int linger = 5, wrong = -2;
    // What fails, or is the pattern's business, changes nothing.
    CHECK(one.set(ZMQ_PUSH, ZMQ_LINGER, &wrong, sizeof wrong) == err::invalid);
    CHECK(one.set(ZMQ_PUSH, ZMQ_LINGER, &linger, 3) == err::invalid);
    CHECK(one.set(ZMQ_PUSH, 4711, &linger, sizeof linger) == err::invalid);
    CHECK(one.set(ZMQ_PUSH, ZMQ_METADATA, "X-key", 5) == err::invalid);
    SharedOptions subscriber(defaults);
    CHECK_FALSE(subscriber.set(ZMQ_SUB, ZMQ_SUBSCRIBE, "a", 1));
    CHECK(&*one == defaults.get());
    CHECK(&*subscriber == defaults.get());

    CHECK_FALSE(one.set(ZMQ_PUSH, ZMQ_LINGER, &linger, sizeof linger));
    CHECK(one->linger_ms == 5);
    CHECK(two->linger_ms == -1);
    CHECK(defaults->linger_ms == -1);
    // Its own by now, until they are shared.
    const Options *const own = &*one;
    const int hwm = 7;
    CHECK_FALSE(one.set(ZMQ_PUSH, ZMQ_SNDHWM, &hwm, sizeof hwm));
    CHECK(&*one == own);
    const auto shared = one.share();
    CHECK(shared.get() == own);
    const int more = 8;
    CHECK_FALSE(one.set(ZMQ_PUSH, ZMQ_SNDHWM, &more, sizeof more));
    CHECK(one->link.send_hwm == 8);
    CHECK(one->linger_ms == 5);
    CHECK(shared->link.send_hwm == 7);
}

TEST_CASE("Integer options have the default, the range and the size of the specification") {
    const IntRange ranges[] = {
        {ZMQ_RATE, 100, {1, INT_MAX}, {0, -1}},
        {ZMQ_RECOVERY_IVL, 10000, {0, 1}, {-1}},
        {ZMQ_SNDBUF, -1, {-1, 0, 9}, {-2}},
        {ZMQ_RCVBUF, -1, {-1, 0, 9}, {-2}},
        {ZMQ_LINGER, -1, {-1, 0, 5}, {-2}},
        {ZMQ_RECONNECT_IVL, 100, {-1, 0, 5}, {-2}},
        {ZMQ_BACKLOG, 100, {0, 5}, {-1}},
        {ZMQ_RECONNECT_IVL_MAX, 0, {0, 5}, {-1}},
        {ZMQ_SNDHWM, 1000, {0, 5}, {-1}},
        {ZMQ_RCVHWM, 1000, {0, 5}, {-1}},
        {ZMQ_MULTICAST_HOPS, 1, {1, 5}, {0, -1}},
        {ZMQ_RCVTIMEO, -1, {-1, 0, 5}, {-2}},
        {ZMQ_SNDTIMEO, -1, {-1, 0, 5}, {-2}},
        {ZMQ_IPV4ONLY, 1, {0, 1}, {2, -1}},
        {ZMQ_TCP_KEEPALIVE, -1, {-1, 0, 1}, {2, -2}},
        {ZMQ_TCP_KEEPALIVE_CNT, -1, {-1, 0, 5}, {-2}},
        {ZMQ_TCP_KEEPALIVE_IDLE, -1, {-1, 0, 5}, {-2}},
        {ZMQ_TCP_KEEPALIVE_INTVL, -1, {-1, 0, 5}, {-2}},
        {ZMQ_IMMEDIATE, 0, {0, 1}, {2, -1}},
        {ZMQ_IPV6, 0, {0, 1}, {2, -1}},
        {ZMQ_CONFLATE, 0, {0, 1}, {2, -1}},
        {ZMQ_TOS, 0, {0, 255, 1000}, {-1}},
        {ZMQ_HANDSHAKE_IVL, 30000, {0, 5}, {-1}},
        {ZMQ_HEARTBEAT_IVL, 0, {0, 5}, {-1}},
        {ZMQ_HEARTBEAT_TIMEOUT, -1, {0, 5}, {-1}},
        {ZMQ_CONNECT_TIMEOUT, 0, {0, 5}, {-1}},
        {ZMQ_TCP_MAXRT, 0, {0, 5}, {-1}},
        {ZMQ_MULTICAST_MAXTPDU, 1500, {1, 5}, {0, -1}},
        {ZMQ_USE_FD, -1, {-1, 0, 5}, {-2}},
        {ZMQ_RECONNECT_STOP, 0, {-5, 0, 7}, {}},
        {ZMQ_IN_BATCH_SIZE, 8192, {1, 5}, {0, -1}},
        {ZMQ_OUT_BATCH_SIZE, 8192, {1, 5}, {0, -1}},
        {ZMQ_PRIORITY, 0, {0, 6}, {-1}},
        {ZMQ_BUSY_POLL, 0, {-1, 0, 5}, {}},
    };
    for (const IntRange &range : ranges) {
        INFO("option " << range.option);
        Options options = fresh();
        CHECK(get_int(options, range.option) == range.initial);
        for (int value : range.good) {
            CHECK_FALSE(set_int(options, range.option, value));
            CHECK(get_int(options, range.option) == value);
        }
        const int before = get_int(options, range.option);
        for (int value : range.bad) CHECK(set_int(options, range.option, value) == err::invalid);
        CHECK(get_int(options, range.option) == before);

        const int64_t wide = 1;
        for (size_t size : {0, 1, 2, 8}) {
            CHECK(set_option(options, ZMQ_PUSH, range.option, &wide, size) == err::invalid);
            char buffer[16];
            size_t got = size;
            CHECK(get_option(options, ZMQ_PUSH, range.option, buffer, &got) == err::invalid);
            CHECK(got == size);
        }
        CHECK(set_option(options, ZMQ_PUSH, range.option, nullptr, 0) == err::invalid);
        CHECK(set_option(options, ZMQ_PUSH, range.option, nullptr, 4) == err::invalid);
    }
}

TEST_CASE("Loose booleans take any int and read back as 0 or 1") {
    for (int option :
         {ZMQ_INVERT_MATCHING, ZMQ_ZAP_ENFORCE_DOMAIN, ZMQ_LOOPBACK_FASTPATH, ZMQ_MULTICAST_LOOP}) {
        Options options = fresh();
        for (int value : {-5, 0, 1, 7}) {
            CHECK_FALSE(set_int(options, option, value));
            CHECK(get_int(options, option) == (value != 0));
        }
    }
}

TEST_CASE("Eight-byte options need exactly eight bytes") {
    Options options = fresh();
    const int small = 1;
    for (int option : {ZMQ_AFFINITY, ZMQ_MAXMSGSIZE}) {
        CHECK(set_option(options, ZMQ_PUSH, option, &small, sizeof small) == err::invalid);
        const int64_t value = int64_t(1) << 40;
        CHECK_FALSE(set_option(options, ZMQ_PUSH, option, &value, sizeof value));
        int64_t got = 0;
        size_t size = sizeof got;
        CHECK_FALSE(get_option(options, ZMQ_PUSH, option, &got, &size));
        CHECK(got == value);
        size = sizeof small;
        CHECK(get_option(options, ZMQ_PUSH, option, &got, &size) == err::invalid);
    }
    CHECK(options.affinity == uint64_t(1) << 40);
    CHECK(options.link.max_message_size == int64_t(1) << 40);
}

TEST_CASE("Unknown numbers are EINVAL both ways") {
    Options options = fresh();
    for (int option : {-1, 0, 1, 3, 70, 67, 125, 9999}) {
        CHECK(find_option(option) == nullptr);
        CHECK(set_int(options, option, 1) == err::invalid);
        int value = 0;
        size_t size = sizeof value;
        CHECK(get_option(options, ZMQ_PUSH, option, &value, &size) == err::invalid);
    }
}

TEST_CASE("LINGER starts at 0 where nothing is worth waiting for") {
    ContextOptions context;
    CHECK(Options::defaults(ZMQ_PUSH, context).linger_ms == -1);
    for (int type : {ZMQ_SUB, ZMQ_XSUB, ZMQ_DISH}) {
        CHECK(Options::defaults(type, context).linger_ms == 0);
    }
    context.blocky = false;
    CHECK(Options::defaults(ZMQ_PUSH, context).linger_ms == 0);
}

TEST_CASE("A socket starts from its context and its type") {
    ContextOptions context;
    context.ipv6 = true;
    context.zero_copy_receive = false;
    const Options options = Options::defaults(ZMQ_STREAM, context);
    CHECK(options.link.transport.ipv6);
    CHECK_FALSE(options.zero_copy_receive);
    CHECK(options.link.raw);
    CHECK(options.link.raw_notify);
    CHECK(options.link.socket_type == ZMQ_STREAM);
    CHECK_FALSE(fresh(ZMQ_ROUTER).link.raw);
}

TEST_CASE("ROUTING_ID is 1 to 255 bytes, read back bare with a zero-filled rest") {
    Options options = fresh();
    size_t size = 0;
    CHECK_FALSE(get_option(options, ZMQ_PUSH, ZMQ_ROUTING_ID, nullptr, &size));
    CHECK(set_text(options, ZMQ_ROUTING_ID, "") == err::invalid);
    CHECK(set_text(options, ZMQ_ROUTING_ID, std::string(256, 'x')) == err::invalid);
    CHECK_FALSE(set_text(options, ZMQ_ROUTING_ID, std::string("\0bc", 3)));

    char buffer[6];
    std::memset(buffer, '?', sizeof buffer);
    size = 2;
    CHECK(get_option(options, ZMQ_PUSH, ZMQ_ROUTING_ID, buffer, &size) == err::invalid);
    CHECK(size == 2);
    CHECK(buffer[0] == '?');
    size = 5;
    CHECK_FALSE(get_option(options, ZMQ_PUSH, ZMQ_ROUTING_ID, buffer, &size));
    CHECK(size == 3);
    CHECK(std::string(buffer, 6) == std::string("\0bc\0\0?", 6));
}

TEST_CASE("Texts keep the length they were set with and get one NUL more") {
    Options options = fresh();
    CHECK(get_text(options, ZMQ_ZAP_DOMAIN) == std::string("", 1));
    CHECK_FALSE(set_text(options, ZMQ_ZAP_DOMAIN, std::string("g\0", 2)));
    CHECK(get_text(options, ZMQ_ZAP_DOMAIN) == std::string("g\0\0", 3));
    CHECK(set_text(options, ZMQ_ZAP_DOMAIN, "") == err::invalid);
    CHECK(set_option(options, ZMQ_PUSH, ZMQ_ZAP_DOMAIN, nullptr, 0) == err::invalid);
    CHECK(set_option(options, ZMQ_PUSH, ZMQ_ZAP_DOMAIN, nullptr, 3) == err::invalid);
    CHECK(set_text(options, ZMQ_ZAP_DOMAIN, std::string(256, 'x')) == err::invalid);
}

TEST_CASE("Texts that can be cleared: NULL with 0, and nothing else") {
    Options options = fresh();
    for (int option : {ZMQ_SOCKS_PROXY, ZMQ_BINDTODEVICE}) {
        CHECK_FALSE(set_text(options, option, "lo"));
        CHECK(set_text(options, option, "") == err::invalid);
        CHECK(get_text(options, option) == std::string("lo", 3));
        CHECK_FALSE(set_option(options, ZMQ_PUSH, option, nullptr, 0));
        CHECK(get_text(options, option) == std::string("", 1));
    }
    CHECK_FALSE(set_text(options, ZMQ_BINDTODEVICE, std::string(16, 'x')));
    CHECK(set_text(options, ZMQ_BINDTODEVICE, std::string(17, 'x')) == err::invalid);
    CHECK_FALSE(set_text(options, ZMQ_SOCKS_PROXY, std::string(1000, 'x')));
}

TEST_CASE("SOCKS credentials are cleared by NULL of any length and by length 0") {
    Options options = fresh();
    for (int option : {ZMQ_SOCKS_USERNAME, ZMQ_SOCKS_PASSWORD}) {
        for (int way = 0; way < 3; ++way) {
            CHECK_FALSE(set_text(options, option, std::string(255, 'u')));
            CHECK(set_text(options, option, std::string(256, 'u')) == err::invalid);
            if (way == 0) CHECK_FALSE(set_option(options, ZMQ_PUSH, option, nullptr, 0));
            if (way == 1) CHECK_FALSE(set_option(options, ZMQ_PUSH, option, nullptr, 4));
            if (way == 2) CHECK_FALSE(set_text(options, option, ""));
            CHECK(get_text(options, option) == std::string("", 1));
        }
    }
}

TEST_CASE("HEARTBEAT_TTL is kept in steps of 100 ms") {
    Options options = fresh();
    const std::vector<std::pair<int, int>> steps = {
        {199, 100}, {99, 0}, {-99, 0}, {6553599, 6553500}, {1000, 1000}};
    for (const auto &[set, expected] : steps) {
        CHECK_FALSE(set_int(options, ZMQ_HEARTBEAT_TTL, set));
        CHECK(get_int(options, ZMQ_HEARTBEAT_TTL) == expected);
    }
    CHECK(options.link.heartbeat_ttl_deciseconds == 10);
    CHECK(set_int(options, ZMQ_HEARTBEAT_TTL, 6553600) == err::invalid);
    CHECK(set_int(options, ZMQ_HEARTBEAT_TTL, -100) == err::invalid);
}

TEST_CASE("IPV4ONLY is IPV6 seen from the other side") {
    Options options = fresh();
    CHECK_FALSE(set_int(options, ZMQ_IPV4ONLY, 0));
    CHECK(get_int(options, ZMQ_IPV6) == 1);
    CHECK_FALSE(set_int(options, ZMQ_IPV6, 0));
    CHECK(get_int(options, ZMQ_IPV4ONLY) == 1);
}

TEST_CASE("The last security option decides the mechanism") {
    Options options = fresh();
    CHECK(get_int(options, ZMQ_MECHANISM) == ZMQ_NULL);
    CHECK(set_int(options, ZMQ_MECHANISM, ZMQ_PLAIN) == err::invalid);
    CHECK_FALSE(set_int(options, ZMQ_PLAIN_SERVER, 1));
    CHECK(get_int(options, ZMQ_MECHANISM) == ZMQ_PLAIN);
    CHECK(get_int(options, ZMQ_PLAIN_SERVER) == 1);
    CHECK_FALSE(set_text(options, ZMQ_PLAIN_USERNAME, "user"));
    CHECK(get_int(options, ZMQ_MECHANISM) == ZMQ_PLAIN);
    CHECK(get_int(options, ZMQ_PLAIN_SERVER) == 0);
    CHECK_FALSE(set_option(options, ZMQ_PUSH, ZMQ_PLAIN_PASSWORD, nullptr, 0));
    CHECK(get_int(options, ZMQ_MECHANISM) == ZMQ_NULL);
    CHECK(get_text(options, ZMQ_PLAIN_USERNAME) == std::string("user", 5));
    CHECK(set_text(options, ZMQ_PLAIN_USERNAME, "") == err::invalid);
    CHECK_FALSE(set_int(options, ZMQ_PLAIN_SERVER, 1));
    CHECK_FALSE(set_int(options, ZMQ_PLAIN_SERVER, 0));
    CHECK(get_int(options, ZMQ_MECHANISM) == ZMQ_NULL);
}

TEST_CASE("CURVE keys come raw or as Z85") {
    Options options = fresh();
    if (!find_option(ZMQ_CURVE_SERVER)) {
        CHECK(set_int(options, ZMQ_CURVE_SERVER, 1) == err::invalid);
        return; // built without CURVE
    }
    const std::string text = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    char key[64];
    for (int option : {ZMQ_CURVE_PUBLICKEY, ZMQ_CURVE_SECRETKEY, ZMQ_CURVE_SERVERKEY}) {
        INFO("option " << option);
        CHECK_FALSE(set_text(options, option, text));
        CHECK_FALSE(set_text(options, option, text + '\0'));
        CHECK(get_int(options, ZMQ_MECHANISM) == ZMQ_CURVE);
        size_t size = 41;
        CHECK_FALSE(get_option(options, ZMQ_PUSH, option, key, &size));
        CHECK(size == 41);
        CHECK(std::string(key, 41) == text + '\0');
        size = 32;
        CHECK_FALSE(get_option(options, ZMQ_PUSH, option, key, &size));
        const std::string raw(key, 32);
        CHECK_FALSE(set_text(options, option, std::string(32, '\1')));
        CHECK_FALSE(set_text(options, option, raw));
        for (size_t wrong : {0, 31, 33, 40, 42, 50}) {
            size = wrong;
            CHECK(get_option(options, ZMQ_PUSH, option, key, &size) == err::invalid);
            CHECK(size == wrong);
        }
        // A refused key leaves the old one whole.
        for (const auto &bad :
             {text.substr(1), text + "x", text.substr(0, 20) + std::string(21, '\0'),
              std::string(40, ' '), text.substr(0, 35) + "     "}) {
            CHECK(set_text(options, option, bad) == err::invalid);
        }
        size = 41;
        CHECK_FALSE(get_option(options, ZMQ_PUSH, option, key, &size));
        CHECK(std::string(key) == text);
    }
    CHECK_FALSE(set_int(options, ZMQ_CURVE_SERVER, 1));
    CHECK(get_int(options, ZMQ_CURVE_SERVER) == 1);
    CHECK_FALSE(set_text(options, ZMQ_CURVE_SECRETKEY, text));
    CHECK(get_int(options, ZMQ_CURVE_SERVER) == 1);
    CHECK_FALSE(set_text(options, ZMQ_CURVE_SERVERKEY, text));
    CHECK(get_int(options, ZMQ_CURVE_SERVER) == 0);
    CHECK_FALSE(set_int(options, ZMQ_CURVE_SERVER, 0));
    CHECK(get_int(options, ZMQ_MECHANISM) == ZMQ_NULL);
}

TEST_CASE("a CURVE server knows the public key of its secret one, in whatever order it is told") {
    if (!find_option(ZMQ_CURVE_SERVER)) return; // built without CURVE
    const std::string secret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
    const std::string its_public = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
    Options told = fresh();
    CHECK_FALSE(set_text(told, ZMQ_CURVE_PUBLICKEY, its_public));
    const CurveKey wanted = told.link.security.curve_public_key;

    Options role_first = fresh();
    CHECK_FALSE(set_int(role_first, ZMQ_CURVE_SERVER, 1));
    CHECK_FALSE(set_text(role_first, ZMQ_CURVE_SECRETKEY, secret));
    CHECK(role_first.link.security.curve_own_public_key == wanted);

    Options key_first = fresh();
    CHECK_FALSE(set_text(key_first, ZMQ_CURVE_SECRETKEY, std::string(40, '0')));
    CHECK_FALSE(set_text(key_first, ZMQ_CURVE_SECRETKEY, secret));
    CHECK_FALSE(set_int(key_first, ZMQ_CURVE_SERVER, 1));
    CHECK(key_first.link.security.curve_own_public_key == wanted);

    // The role is one for all mechanisms, and the last key set chooses CURVE.
    Options by_way_of_plain = fresh();
    CHECK_FALSE(set_text(by_way_of_plain, ZMQ_CURVE_SECRETKEY, secret));
    CHECK_FALSE(set_int(by_way_of_plain, ZMQ_PLAIN_SERVER, 1));
    CHECK_FALSE(set_text(by_way_of_plain, ZMQ_CURVE_PUBLICKEY, std::string(40, '0')));
    CHECK(by_way_of_plain.link.security.curve_own_public_key == wanted);
}

TEST_CASE("METADATA takes X- properties and the first value of each") {
    Options options = fresh();
    for (const char *good : {"X-a:b", "X-a:c", "X-b:c:d", "X-:bb"}) {
        CHECK_FALSE(set_text(options, ZMQ_METADATA, good));
    }
    for (const char *bad : {"", "X-ab", "x-aa:b", "X-aaa:", ":bbbb", "X-aaa", "Y:bb", "X-:b"}) {
        INFO(bad);
        CHECK(set_text(options, ZMQ_METADATA, bad) == err::invalid);
    }
    CHECK_FALSE(set_text(options, ZMQ_METADATA, "X-" + std::string(253, 'k') + ":v"));
    CHECK(set_text(options, ZMQ_METADATA, "X-" + std::string(254, 'k') + ":v") == err::invalid);
    CHECK(set_option(options, ZMQ_PUSH, ZMQ_METADATA, nullptr, 0) == err::invalid);
    CHECK(options.link.metadata.at("X-a") == "b");
    CHECK(options.link.metadata.at("X-b") == "c:d");
    char buffer[64];
    size_t size = sizeof buffer;
    CHECK(get_option(options, ZMQ_PUSH, ZMQ_METADATA, buffer, &size) == err::invalid);
}

TEST_CASE("Accept filters add up, and NULL takes all away") {
    Options options = fresh();
    CHECK_FALSE(set_text(options, ZMQ_TCP_ACCEPT_FILTER, "127.0.0.1"));
    CHECK_FALSE(set_text(options, ZMQ_TCP_ACCEPT_FILTER, std::string("10.0.0.0/8\0", 11)));
    CHECK(set_text(options, ZMQ_TCP_ACCEPT_FILTER, "") == err::invalid);
    CHECK(set_text(options, ZMQ_TCP_ACCEPT_FILTER, "localhost") == err::invalid);
    CHECK(options.link.transport.tcp_accept_filters.size() == 2);
    CHECK_FALSE(set_option(options, ZMQ_PUSH, ZMQ_TCP_ACCEPT_FILTER, nullptr, 0));
    CHECK(options.link.transport.tcp_accept_filters.empty());

    for (int option : {ZMQ_IPC_FILTER_PID, ZMQ_IPC_FILTER_UID, ZMQ_IPC_FILTER_GID}) {
        CHECK_FALSE(set_int(options, option, 12));
        CHECK_FALSE(set_int(options, option, 13));
        CHECK(set_text(options, option, "") == err::invalid);
        CHECK(set_text(options, option, "12345678") == err::invalid);
    }
    CHECK(options.link.transport.ipc_pid_filters == std::vector<pid_t>{12, 13});
    CHECK(options.link.transport.ipc_uid_filters == std::vector<uid_t>{12, 13});
    CHECK(options.link.transport.ipc_gid_filters == std::vector<gid_t>{12, 13});
    CHECK_FALSE(set_option(options, ZMQ_PUSH, ZMQ_IPC_FILTER_UID, nullptr, 0));
    CHECK(options.link.transport.ipc_uid_filters.empty());
    CHECK(options.link.transport.ipc_pid_filters.size() == 2);
}

TEST_CASE("Each pattern option is for its socket types, set only, and told to the pattern") {
    const std::vector<std::pair<int, std::vector<int>>> accepted_by = {
        {ZMQ_ROUTER_MANDATORY, {ZMQ_ROUTER, ZMQ_REP}},
        {ZMQ_ROUTER_HANDOVER, {ZMQ_ROUTER, ZMQ_REP}},
        {ZMQ_ROUTER_RAW, {ZMQ_ROUTER, ZMQ_REP}},
        {ZMQ_PROBE_ROUTER, {ZMQ_ROUTER, ZMQ_REP, ZMQ_DEALER, ZMQ_REQ}},
        {ZMQ_REQ_CORRELATE, {ZMQ_REQ}},
        {ZMQ_REQ_RELAXED, {ZMQ_REQ}},
        {ZMQ_XPUB_VERBOSE, {ZMQ_XPUB, ZMQ_PUB}},
        {ZMQ_XPUB_VERBOSER, {ZMQ_XPUB, ZMQ_PUB}},
        {ZMQ_XPUB_MANUAL, {ZMQ_XPUB, ZMQ_PUB}},
        {ZMQ_XPUB_MANUAL_LAST_VALUE, {ZMQ_XPUB, ZMQ_PUB}},
        {ZMQ_XPUB_NODROP, {ZMQ_XPUB, ZMQ_PUB, ZMQ_RADIO}},
        {ZMQ_ONLY_FIRST_SUBSCRIBE, {ZMQ_XPUB, ZMQ_PUB, ZMQ_XSUB}},
        {ZMQ_STREAM_NOTIFY, {ZMQ_STREAM}},
        {ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, {ZMQ_XSUB}},
        {ZMQ_SUBSCRIBE, {ZMQ_SUB, ZMQ_XPUB, ZMQ_PUB}},
        {ZMQ_UNSUBSCRIBE, {ZMQ_SUB, ZMQ_XPUB, ZMQ_PUB}},
        {ZMQ_XPUB_WELCOME_MSG, {ZMQ_XPUB, ZMQ_PUB}},
        {ZMQ_CONNECT_ROUTING_ID, {ZMQ_ROUTER, ZMQ_REP, ZMQ_STREAM}},
    };
    for (const auto &[option, types] : accepted_by) {
        INFO("option " << option);
        const OptionRow *row = find_option(option);
        REQUIRE(row);
        CHECK(row->home == OptionRow::Home::pattern);
        for (int type = 0; type < all_socket_types; ++type) {
            INFO("type " << type);
            const bool is_accepted = std::find(types.begin(), types.end(), type) != types.end();
            Options options = fresh(type);
            CHECK(set_int(options, option, 1, type) == (is_accepted ? err::none : err::invalid));
            int value = 0;
            size_t size = sizeof value;
            CHECK(get_option(options, type, option, &value, &size) == err::invalid);
        }
    }
}

TEST_CASE("Pattern booleans are any int from 0, except STREAM_NOTIFY which is strict") {
    Options options = fresh(ZMQ_ROUTER);
    CHECK_FALSE(set_int(options, ZMQ_ROUTER_MANDATORY, 7, ZMQ_ROUTER));
    CHECK(set_int(options, ZMQ_ROUTER_MANDATORY, -1, ZMQ_ROUTER) == err::invalid);
    Options stream = fresh(ZMQ_STREAM);
    CHECK(set_int(stream, ZMQ_STREAM_NOTIFY, 2, ZMQ_STREAM) == err::invalid);
    CHECK_FALSE(set_int(stream, ZMQ_STREAM_NOTIFY, 0, ZMQ_STREAM));
    CHECK_FALSE(stream.link.raw_notify);
}

TEST_CASE("ROUTER_RAW stays once it is on") {
    Options options = fresh(ZMQ_ROUTER);
    CHECK_FALSE(set_int(options, ZMQ_ROUTER_RAW, 0, ZMQ_ROUTER));
    CHECK_FALSE(options.link.raw);
    CHECK_FALSE(set_int(options, ZMQ_ROUTER_RAW, 1, ZMQ_ROUTER));
    CHECK_FALSE(set_int(options, ZMQ_ROUTER_RAW, 0, ZMQ_ROUTER));
    CHECK(options.link.raw);
}

TEST_CASE("ROUTER_NOTIFY is set by routers and read by everybody") {
    Options options = fresh(ZMQ_ROUTER);
    CHECK_FALSE(set_int(options, ZMQ_ROUTER_NOTIFY, 3, ZMQ_ROUTER));
    CHECK(set_int(options, ZMQ_ROUTER_NOTIFY, 4, ZMQ_ROUTER) == err::invalid);
    CHECK(set_int(options, ZMQ_ROUTER_NOTIFY, 1, ZMQ_DEALER) == err::invalid);
    CHECK(get_int(options, ZMQ_ROUTER_NOTIFY, ZMQ_ROUTER) == 3);
    CHECK(get_int(fresh(), ZMQ_ROUTER_NOTIFY) == 0);
}

TEST_CASE("Empty byte strings: allowed for prefixes and messages, not for names") {
    Options options = fresh();
    for (int option : {ZMQ_SUBSCRIBE, ZMQ_UNSUBSCRIBE}) {
        CHECK_FALSE(set_option(options, ZMQ_SUB, option, nullptr, 0));
        CHECK_FALSE(set_option(options, ZMQ_SUB, option, "", 0));
        CHECK(set_option(options, ZMQ_SUB, option, nullptr, 5) == err::invalid);
    }
    CHECK_FALSE(set_option(options, ZMQ_XPUB, ZMQ_XPUB_WELCOME_MSG, nullptr, 0));
    CHECK(set_option(options, ZMQ_ROUTER, ZMQ_CONNECT_ROUTING_ID, "", 0) == err::invalid);
    const std::string long_name(300, 'x');
    CHECK_FALSE(set_text(options, ZMQ_CONNECT_ROUTING_ID, long_name, ZMQ_ROUTER));
    CHECK_FALSE(set_text(options, ZMQ_HELLO_MSG, "hello"));
    CHECK(options.link.hello_message == "hello");
    CHECK_FALSE(set_text(options, ZMQ_HELLO_MSG, ""));
    CHECK(options.link.hello_message.empty());
}

TEST_CASE("XSUB_VERBOSE_UNSUBSCRIBE does not look at the length") {
    Options options = fresh(ZMQ_XSUB);
    const int64_t one = 1;
    for (size_t size : {1, 2, 4, 8}) {
        CHECK_FALSE(set_option(options, ZMQ_XSUB, ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, &one, size));
        CHECK(load_int(&one, size) == 1);
    }
    CHECK(set_option(options, ZMQ_XSUB, ZMQ_XSUB_VERBOSE_UNSUBSCRIBE, nullptr, 4) == err::invalid);
}

TEST_CASE("Live options are the socket's to answer, and can not be set") {
    Options options = fresh();
    for (int option : {ZMQ_RCVMORE, ZMQ_FD, ZMQ_EVENTS, ZMQ_TYPE, ZMQ_LAST_ENDPOINT,
                       ZMQ_THREAD_SAFE, ZMQ_TOPICS_COUNT}) {
        const OptionRow *row = find_option(option);
        REQUIRE(row);
        CHECK(row->home == OptionRow::Home::live);
        CHECK(set_int(options, option, 1) == err::invalid);
    }
    for (int type = 0; type < all_socket_types; ++type) {
        const bool is_readable = !is_thread_safe_type(type);
        CHECK(check_readable(*find_option(ZMQ_FD), type) ==
              (is_readable ? err::none : err::invalid));
    }
    CHECK_FALSE(check_readable(*find_option(ZMQ_TOPICS_COUNT), ZMQ_XSUB));
    CHECK(check_readable(*find_option(ZMQ_TOPICS_COUNT), ZMQ_PUSH) == err::invalid);
}

TEST_CASE("TYPE is exact, THREAD_SAFE is at least") {
    Options options = fresh(ZMQ_CLIENT);
    CHECK(get_int(options, ZMQ_TYPE, ZMQ_CLIENT) == ZMQ_CLIENT);
    CHECK(get_int(options, ZMQ_THREAD_SAFE, ZMQ_CLIENT) == 1);
    CHECK(get_int(options, ZMQ_THREAD_SAFE, ZMQ_DGRAM) == 0);
    int64_t wide = -1;
    size_t size = sizeof wide;
    CHECK(get_option(options, ZMQ_CLIENT, ZMQ_TYPE, &wide, &size) == err::invalid);
    CHECK_FALSE(get_option(options, ZMQ_CLIENT, ZMQ_THREAD_SAFE, &wide, &size));
    CHECK(size == sizeof(int));
    CHECK(wide == 1);
}

TEST_CASE("The at-least discipline copies, fills with zeros and tells the size") {
    char buffer[8];
    std::memset(buffer, '?', sizeof buffer);
    size_t size = 6;
    CHECK_FALSE(store_text("abc", buffer, &size));
    CHECK(size == 4);
    CHECK(std::string(buffer, 8) == std::string("abc\0\0\0??", 8));
    size = 3;
    CHECK(store_text("abc", buffer, &size) == err::invalid);
    CHECK(size == 3);
    CHECK(store_int(1, buffer, &size) == err::invalid);
    CHECK(store_int(1, nullptr, nullptr) == err::invalid);
    size = 4;
    CHECK(store_int(1, nullptr, &size) == err::invalid);
}

TEST_CASE("A NULL place to read into is refused") {
    Options options = fresh();
    size_t size = sizeof(int);
    int value = 0;
    CHECK(get_option(options, ZMQ_PUSH, ZMQ_LINGER, nullptr, &size) == err::invalid);
    CHECK(get_option(options, ZMQ_PUSH, ZMQ_LINGER, &value, nullptr) == err::invalid);
}

// Context options.

namespace {

Error set_context_int(ContextOptions &options, int option, int value) {
    return set_context_option(options, option, &value, sizeof value);
}

int get_context_int(const ContextOptions &options, int option) {
    int value = -12345;
    size_t size = sizeof value;
    CHECK_FALSE(get_context_option(options, option, &value, &size));
    return value;
}

} // namespace

TEST_CASE("Context integers have the default and range of the specification") {
    const IntRange ranges[] = {
        {ZMQ_IO_THREADS, 1, {0, 5}, {-1}},
        {ZMQ_MAX_SOCKETS, 1023, {1, 100000}, {0, -1}},
        {ZMQ_THREAD_SCHED_POLICY, -1, {0, 1}, {-1}},
        {ZMQ_MAX_MSGSZ, INT_MAX, {0, 5}, {-1}},
        {ZMQ_ZERO_COPY_RECV, 1, {0, 1}, {-1}},
        {ZMQ_IPV6, 0, {0, 1}, {-1}},
        {ZMQ_BLOCKY, 1, {0, 1}, {-1}},
        {option_try_before_sleep, 1, {0, 1}, {-1}},
    };
    for (const IntRange &range : ranges) {
        INFO("option " << range.option);
        ContextOptions options;
        CHECK(get_context_int(options, range.option) == range.initial);
        for (int value : range.good) {
            CHECK_FALSE(set_context_int(options, range.option, value));
            CHECK(get_context_int(options, range.option) == value);
        }
        for (int value : range.bad) {
            CHECK(set_context_int(options, range.option, value) == err::invalid);
        }
        int64_t wide = 1;
        size_t size = sizeof wide;
        CHECK(set_context_option(options, range.option, &wide, sizeof wide) == err::invalid);
        CHECK(get_context_option(options, range.option, &wide, &size) == err::invalid);
    }
    ContextOptions options;
    CHECK_FALSE(set_context_int(options, ZMQ_IPV6, 7));
    CHECK(get_context_int(options, ZMQ_IPV6) == 1);
    for (int unknown : {-1, 0, 11, 71}) {
        CHECK(set_context_int(options, unknown, 1) == err::invalid);
        int value = 0;
        size_t size = sizeof value;
        CHECK(get_context_option(options, unknown, &value, &size) == err::invalid);
    }
}

TEST_CASE("Context number 3 is one thing to read and another to write") {
    ContextOptions options;
    CHECK(get_context_int(options, ZMQ_SOCKET_LIMIT) == 65535);
    CHECK_FALSE(set_context_int(options, ZMQ_THREAD_PRIORITY, 5));
    CHECK(options.thread_priority == 5);
    CHECK(get_context_int(options, ZMQ_SOCKET_LIMIT) == 65535);
    CHECK(set_context_int(options, ZMQ_THREAD_PRIORITY, -1) == err::invalid);
    CHECK(get_context_int(options, ZMQ_MSG_T_SIZE) == 64);
    CHECK(set_context_int(options, ZMQ_MSG_T_SIZE, 64) == err::invalid);
}

TEST_CASE("CPUs are added and removed one by one, and not read") {
    ContextOptions options;
    CHECK_FALSE(set_context_int(options, ZMQ_THREAD_AFFINITY_CPU_ADD, 3));
    CHECK_FALSE(set_context_int(options, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 3));
    CHECK(set_context_int(options, ZMQ_THREAD_AFFINITY_CPU_REMOVE, 3) == err::invalid);
    CHECK(set_context_int(options, ZMQ_THREAD_AFFINITY_CPU_ADD, -1) == err::invalid);
    int value = 0;
    size_t size = sizeof value;
    CHECK(get_context_option(options, ZMQ_THREAD_AFFINITY_CPU_ADD, &value, &size) == err::invalid);
}

TEST_CASE("The thread name prefix is text, except that four bytes are a number") {
    ContextOptions options;
    CHECK(get_context_int(options, ZMQ_THREAD_NAME_PREFIX) == 0);
    CHECK_FALSE(set_context_int(options, ZMQ_THREAD_NAME_PREFIX, -5));
    CHECK(options.thread_name_prefix == "-5");
    CHECK(get_context_int(options, ZMQ_THREAD_NAME_PREFIX) == -5);
    CHECK_FALSE(set_context_option(options, ZMQ_THREAD_NAME_PREFIX, "worker", 6));
    char buffer[8];
    std::memset(buffer, '?', sizeof buffer);
    size_t size = 7;
    CHECK_FALSE(get_context_option(options, ZMQ_THREAD_NAME_PREFIX, buffer, &size));
    CHECK(size == 7);
    CHECK(std::string(buffer, 8) == "worker??");
    size = 5;
    CHECK(get_context_option(options, ZMQ_THREAD_NAME_PREFIX, buffer, &size) == err::invalid);
    const std::string text(17, 'x');
    CHECK_FALSE(set_context_option(options, ZMQ_THREAD_NAME_PREFIX, text.data(), 16));
    CHECK(set_context_option(options, ZMQ_THREAD_NAME_PREFIX, text.data(), 17) == err::invalid);
    CHECK(set_context_option(options, ZMQ_THREAD_NAME_PREFIX, text.data(), 0) == err::invalid);
    CHECK(set_context_option(options, ZMQ_THREAD_NAME_PREFIX, nullptr, 4) == err::invalid);
}
