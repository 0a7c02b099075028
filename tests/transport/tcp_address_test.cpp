#include "transport/tcp.hpp"
#include "transport/tcp_address.hpp"

#include <catch2/catch.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

using namespace tern;

namespace {

bool has_ipv6() {
    Fd fd(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 loopback{};
    loopback.sin6_family = AF_INET6;
    loopback.sin6_addr = in6addr_loopback;
    return fd.is_open() &&
           ::bind(fd.get(), reinterpret_cast<sockaddr *>(&loopback), sizeof loopback) == 0;
}

std::string bound(std::string_view address, bool ipv6 = false) {
    const auto result = resolve_bind(address, ipv6);
    return result ? result->text() : "";
}

SocketAddress address_of(const char *host, bool ipv6 = false) {
    ConnectAddress target;
    target.host = host;
    target.port = 1;
    const auto found = numeric(target, ipv6);
    REQUIRE(found);
    return *found;
}

bool is_ready(int fd, short events) {
    pollfd item{fd, events, 0};
    return ::poll(&item, 1, 5000) == 1;
}

int get_socket_option(int fd, int level, int option) {
    int value = -1;
    socklen_t size = sizeof value;
    CHECK(::getsockopt(fd, level, option, &value, &size) == 0);
    return value;
}

bool is_non_blocking_and_close_on_exec(int fd) {
    return (::fcntl(fd, F_GETFL) & O_NONBLOCK) != 0 && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

} // namespace

TEST_CASE("Bind addresses: wildcards, numbers, brackets, interface names, host names") {
    CHECK(bound("*:5555") == "tcp://0.0.0.0:5555");
    CHECK(bound("*:*") == "tcp://0.0.0.0:0");
    CHECK(bound("127.0.0.1:0") == "tcp://127.0.0.1:0");
    CHECK(bound("127.1:7") == "tcp://127.0.0.1:7");
    CHECK(bound("[127.0.0.1]:7") == "tcp://127.0.0.1:7");
    CHECK(bound("[*]:7") == "tcp://0.0.0.0:7");
    CHECK(bound("lo:7") == "tcp://127.0.0.1:7");
    CHECK(bound("[lo]:7") == "tcp://127.0.0.1:7");
    CHECK(bound("localhost:7") == "tcp://127.0.0.1:7");
    CHECK(bound("*:5555", true) == "tcp://[::]:5555");
    CHECK(bound("[::1]:7", true) == "tcp://[::1]:7");
    CHECK(bound("::1:7", true) == "tcp://[::1]:7");
    CHECK(bound("127.0.0.1:7", true) == "tcp://[::ffff:127.0.0.1]:7");
    CHECK(bound("[fe80::1%lo]:7", true) == "tcp://[fe80::1%lo]:7");
    CHECK(bound("lo:0;127.0.0.1:7") == "tcp://127.0.0.1:7"); // a source means nothing here
}

TEST_CASE("Bind addresses: EINVAL for the form, ENODEV for what is not there") {
    for (const char *text : {"127.0.0.1", "127.0.0.1:", "127.0.0.1:abc", "127.0.0.1:00",
                             "127.0.0.1:-1", "127.0.0.1:5x", "127.0.0.1: 5", "127.0.0.1:+5",
                             "127.0.0.1:65536", "127.0.0.1:99999999999999999999", "nosuch:abc",
                             "127.0.0.1%:5", "127.0.0.1%nosuch:5", "127.0.0.1;127.0.0.1:5", ""}) {
        INFO(text);
        CHECK(resolve_bind(text, false).error() == err::invalid);
    }
    for (const char *text : {":5", "[]:5", "[::1]:5", "::1:5", "[::]:*", "*.*:1", "zz:0;lo:*"}) {
        INFO(text);
        CHECK(resolve_bind(text, false).error() == err::no_device);
    }
}

TEST_CASE("Connect addresses are checked by their characters only") {
    for (const char *text : {"127.0.0.1:5555", ":5555", "a_b.example-x:5", "[::1]:5", "::1:5",
                             "[::1%lo]:5", "lo:0;127.0.0.1:5555", "lo:*;127.0.0.1:5555",
                             "zz:zz;127.0.0.1:5", "127.0.0.1:0", "nosuch:5", "127.0.0.1:65535"}) {
        INFO(text);
        CHECK(parse_connect(text));
    }
    for (const char *text :
         {"", "*:5555", "127.0.0.1:*", "127.0.0.1", "127.0.0.1:", "_a:5", "-a:5", ".a:5", "a b:5",
          "a/b:5", "\xc3\xa4:5", "a\xc3\xa4:5", "*:0;127.0.0.1:5", ";127.0.0.1:5", "a:5;",
          "127.0.0.1:5x", "127.0.0.1:65536", "127.0.0.1:99999", "127.0.0.1:5]"}) {
        INFO(text);
        CHECK(parse_connect(text).error() == err::invalid);
    }
    const auto parts = parse_connect("lo:*;[::1%lo]:5555");
    REQUIRE(parts);
    CHECK(parts->source == "lo:*");
    CHECK(parts->host == "::1%lo");
    CHECK(parts->port == 5555);
}

TEST_CASE("Numeric targets need no look-up, names do") {
    CHECK(numeric(*parse_connect("127.0.0.1:5555"), false)->text() == "tcp://127.0.0.1:5555");
    CHECK(numeric(*parse_connect("[127.0.0.1]:5"), false)->text() == "tcp://127.0.0.1:5");
    CHECK(numeric(*parse_connect("127.0.0.1:5"), true)->text() == "tcp://[::ffff:127.0.0.1]:5");
    CHECK(numeric(*parse_connect("[::1]:5"), true)->text() == "tcp://[::1]:5");
    CHECK_FALSE(numeric(*parse_connect("[::1]:5"), false));
    CHECK_FALSE(numeric(*parse_connect("localhost:5"), false));
    CHECK_FALSE(numeric(*parse_connect("127.0.0.1:0"), false));
    CHECK_FALSE(numeric(*parse_connect(":5"), false));
}

TEST_CASE("Resolving a target says EINVAL when there is none") {
    CHECK(resolve_connect(*parse_connect("localhost:5"), false)->text() == "tcp://127.0.0.1:5");
    for (const char *text : {":5", "127.0.0.1:0", "[::1]:5", "127.0.0.1%nosuch:5"}) {
        INFO(text);
        CHECK(resolve_connect(*parse_connect(text), false).error() == err::invalid);
    }
}

TEST_CASE("Source addresses are numbers or interfaces, never looked up") {
    CHECK(resolve_source("lo:*", false)->text() == "tcp://127.0.0.1:0");
    CHECK(resolve_source("127.0.0.1:7", false)->text() == "tcp://127.0.0.1:7");
    CHECK(resolve_source("localhost:0", false).error() == err::no_device);
    CHECK(resolve_source("lo", false).error() == err::invalid);
}

TEST_CASE("Socket addresses compare by what they name") {
    CHECK(address_of("127.0.0.1") == address_of("127.1"));
    CHECK(address_of("127.0.0.1") != address_of("127.0.0.2"));
    CHECK(address_of("127.0.0.1") != address_of("127.0.0.1", true));
    CHECK(*address_of("127.0.0.1", true).as_ipv4() == address_of("127.0.0.1"));
    SocketAddress other = address_of("127.0.0.1");
    other.set_port(2);
    CHECK(other.port() == 2);
    CHECK(other != address_of("127.0.0.1"));
    CHECK(address_of("::1", true).host_text() == "::1");
    CHECK_FALSE(address_of("::1", true).as_ipv4());
    CHECK(SocketAddress().text().empty());
}

TEST_CASE("Filters are addresses with an optional number of bits") {
    for (const char *text : {"127.0.0.1", "127.0.0.1/8", "0.0.0.0/0", "127.1", "127.0.0.1/32"}) {
        INFO(text);
        CHECK(parse_address_filter(text, false));
        CHECK(parse_address_filter(text, true));
    }
    for (const char *text : {"", "/8", "127.0.0.1/", "127.0.0.1/33", "127.0.0.1/x", "127.0.0.1/-1",
                             "127.0.0.1/00", "::1", "localhost", "lo", "*", "127.0.0.1/8/9"}) {
        INFO(text);
        CHECK(parse_address_filter(text, false).error() == err::invalid);
    }
    for (const char *text : {"::1", "::1/64", "[::1]/64", "fe80::1%lo", "127.0.0.1/128"}) {
        INFO(text);
        CHECK(parse_address_filter(text, true));
    }
    CHECK(parse_address_filter("::1/129", true).error() == err::invalid);
}

TEST_CASE("A filter lets in exactly its prefix") {
    const auto ten = parse_address_filter("10.0.0.0/9", false);
    CHECK(ten->matches(address_of("10.127.255.255")));
    CHECK_FALSE(ten->matches(address_of("10.128.0.0")));
    CHECK_FALSE(ten->matches(address_of("11.0.0.0")));
    CHECK(parse_address_filter("0.0.0.0/0", false)->matches(address_of("1.2.3.4")));
    CHECK_FALSE(parse_address_filter("1.2.3.4", false)->matches(address_of("1.2.3.5")));
    const auto six = parse_address_filter("fe80::/10", true);
    CHECK(six->matches(address_of("febf::1", true)));
    CHECK_FALSE(six->matches(address_of("fec0::1", true)));
}

TEST_CASE("An IPv4 filter means IPv4 bits, also between IPv6 sockets") {
    // libzmq counts these eight bits from the front of ::ffff:10.0.0.0 and lets everybody in.
    const auto ten = parse_address_filter("10.0.0.0/8", true);
    CHECK(ten->matches(address_of("10.1.2.3", true)));
    CHECK(ten->matches(address_of("10.1.2.3")));
    CHECK_FALSE(ten->matches(address_of("11.1.2.3", true)));
    CHECK_FALSE(ten->matches(address_of("::1", true)));
    // More bits than an IPv4 address has, but none of the IPv4 address: that would be everybody.
    for (const char *text : {"10.0.0.0/33", "10.0.0.0/64", "10.0.0.0/96"})
        CHECK(parse_address_filter(text, true).error() == err::invalid);
    CHECK_FALSE(parse_address_filter("10.0.0.0/104", true)->matches(address_of("11.1.2.3", true)));
    CHECK(parse_address_filter("10.0.0.0/8", false)->matches(address_of("10.1.2.3", true)));
}

TEST_CASE("A listener reports its numeric address and accepts tuned connections") {
    TransportOptions options;
    options.tcp_keepalive = 1;
    options.tcp_keepalive_count = 3;
    options.tcp_keepalive_idle_s = 100;
    options.tcp_keepalive_interval_s = 10;
    options.tcp_maxrt_ms = 5000;
    options.tos = 8;
    auto listening = tcp_listen("127.0.0.1:*", options);
    REQUIRE(listening);
    CHECK(is_non_blocking_and_close_on_exec(listening->fd.get()));
    CHECK(get_socket_option(listening->fd.get(), SOL_SOCKET, SO_REUSEADDR) == 1);
    CHECK(tcp_accept(listening->fd.get(), options).error() == err::again);

    const std::string prefix = "tcp://127.0.0.1:";
    REQUIRE(listening->endpoint.substr(0, prefix.size()) == prefix);
    const auto target = parse_connect(std::string_view(listening->endpoint).substr(6));
    auto connecting = tcp_connect(*numeric(*target, false), std::nullopt, options);
    REQUIRE(bool(connecting));
    REQUIRE(is_ready(connecting.fd.get(), POLLOUT));
    CHECK_FALSE(finish_connect(connecting.fd.get()));
    REQUIRE(is_ready(listening->fd.get(), POLLIN));
    auto accepted = tcp_accept(listening->fd.get(), options);
    REQUIRE(accepted);
    CHECK(accepted->peer_address == "127.0.0.1");
    CHECK(accepted->peer_endpoint == tcp_local_endpoint(connecting.fd.get()));
    CHECK(tcp_peer_endpoint(connecting.fd.get()) == listening->endpoint);
    CHECK(tcp_peer_address(accepted->fd.get()) == "127.0.0.1");
    for (int fd : {accepted->fd.get(), connecting.fd.get()}) {
        CHECK(is_non_blocking_and_close_on_exec(fd));
        CHECK(get_socket_option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
        CHECK(get_socket_option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
        CHECK(get_socket_option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 3);
        CHECK(get_socket_option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 100);
        CHECK(get_socket_option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 10);
        CHECK(get_socket_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT) == 5000);
        CHECK(get_socket_option(fd, IPPROTO_IP, IP_TOS) == 8);
    }
}

TEST_CASE("Taken and foreign addresses give the system's errno") {
    const auto first = tcp_listen("127.0.0.1:*", {});
    REQUIRE(first);
    const std::string address = first->endpoint.substr(6);
    CHECK(tcp_listen(address, {}).error() == err::address_in_use);
    CHECK(tcp_listen("192.0.2.1:*", {}).error() == Error(EADDRNOTAVAIL));
    TransportOptions options;
    options.bind_to_device = "nosuchdevice";
    CHECK(tcp_listen("127.0.0.1:*", options).error());
}

TEST_CASE("A refused connection is told by the socket") {
    std::string address;
    {
        const auto listening = tcp_listen("127.0.0.1:*", {});
        address = listening->endpoint.substr(6);
    }
    auto connecting = tcp_connect(*numeric(*parse_connect(address), false), std::nullopt, {});
    if (!connecting) {
        CHECK(connecting.error == Error(ECONNREFUSED));
        return;
    }
    REQUIRE(is_ready(connecting.fd.get(), POLLOUT));
    CHECK(finish_connect(connecting.fd.get()) == Error(ECONNREFUSED));
}

TEST_CASE("A connection leaves from the source it was given") {
    const auto listening = tcp_listen("127.0.0.1:*", {});
    const auto target = numeric(*parse_connect(listening->endpoint.substr(6)), false);
    const auto source = resolve_source("127.0.0.2:0", false);
    REQUIRE(source);
    auto connecting = tcp_connect(*target, *source, {});
    REQUIRE(bool(connecting));
    REQUIRE(is_ready(listening->fd.get(), POLLIN));
    CHECK(tcp_accept(listening->fd.get(), {})->peer_address == "127.0.0.2");
}

TEST_CASE("A peer outside the filters is closed at once") {
    TransportOptions options;
    options.tcp_accept_filters.push_back(*parse_address_filter("10.0.0.0/8", false));
    const auto listening = tcp_listen("127.0.0.1:*", options);
    const auto target = numeric(*parse_connect(listening->endpoint.substr(6)), false);
    auto connecting = tcp_connect(*target, std::nullopt, options);
    REQUIRE(is_ready(listening->fd.get(), POLLIN));
    CHECK(tcp_accept(listening->fd.get(), options).error() == accept_filtered);
    REQUIRE(is_ready(connecting.fd.get(), POLLIN));
    char byte;
    CHECK(::recv(connecting.fd.get(), &byte, 1, 0) <= 0);
}

TEST_CASE("USE_FD takes a listening descriptor over and ignores the address") {
    auto original = tcp_listen("127.0.0.1:*", {});
    REQUIRE(original);
    TransportOptions options;
    options.use_fd = original->fd.release();
    REQUIRE(::fcntl(options.use_fd, F_SETFL, 0) == 0);
    const auto adopted = tcp_listen("nonsense", options);
    REQUIRE(adopted);
    CHECK(adopted->endpoint == original->endpoint);
    CHECK(adopted->fd.get() == options.use_fd);
    CHECK(is_non_blocking_and_close_on_exec(adopted->fd.get()));

    options.use_fd = 1 << 20;
    CHECK(tcp_listen("127.0.0.1:*", options).error() == Error(EBADF));
}

TEST_CASE("An IPv6 listener is dual stack") {
    if (!has_ipv6()) return;
    TransportOptions options;
    options.ipv6 = true;
    const auto listening = tcp_listen("*:*", options);
    REQUIRE(listening);
    const std::string prefix = "tcp://[::]:";
    REQUIRE(listening->endpoint.substr(0, prefix.size()) == prefix);
    const std::string port = listening->endpoint.substr(prefix.size());
    auto four = tcp_connect(*numeric(*parse_connect("127.0.0.1:" + port), false), {}, {});
    REQUIRE(is_ready(listening->fd.get(), POLLIN));
    CHECK(tcp_accept(listening->fd.get(), options)->peer_address == "::ffff:127.0.0.1");
    auto six = tcp_connect(*numeric(*parse_connect("[::1]:" + port), true), {}, options);
    REQUIRE(is_ready(listening->fd.get(), POLLIN));
    CHECK(tcp_accept(listening->fd.get(), options)->peer_address == "::1");
}
