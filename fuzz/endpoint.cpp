// endpoint: the texts given to zmq_bind and zmq_connect and as accept filters. No name is looked
// up.
#include "support/fuzz.hpp"

#include "transport/endpoint.hpp"
#include "transport/ipc.hpp"
#include "transport/tcp_address.hpp"
#ifdef TERN_HAVE_TIPC
#include "transport/tipc.hpp"
#endif
#ifdef TERN_HAVE_VSOCK
#include "transport/vsock.hpp"
#endif

namespace tern::fuzz {

namespace {

void check_endpoint(const std::string &whole) {
    const auto endpoint = parse_endpoint(whole);
    const size_t mark = whole.find("://");
    const bool has_parts = mark != whole.npos && mark > 0 && mark + 3 < whole.size();
    if (!endpoint) {
        FUZZ_CHECK(endpoint.error() == (has_parts ? err::protocol_not_supported : err::invalid));
        return;
    }
    FUZZ_CHECK(has_parts && endpoint->text == whole && endpoint->address == whole.substr(mark + 3));
    const std::string scheme = whole.substr(0, mark);
    using Transport = Endpoint::Transport;
    FUZZ_CHECK((endpoint->transport == Transport::tcp) == (scheme == "tcp"));
    FUZZ_CHECK((endpoint->transport == Transport::ipc) == (scheme == "ipc"));
    FUZZ_CHECK((endpoint->transport == Transport::inproc) == (scheme == "inproc"));
}

// The shown form of an address is one that gives the same address. (Getting there may have
// taken a look at the system's interfaces, for a zone.)
void check_shown(const SocketAddress &address, bool ipv6) {
    const std::string shown = address.text();
    FUZZ_CHECK(shown.compare(0, 6, "tcp://") == 0);
    const auto parts = parse_connect(std::string_view(shown).substr(6));
    FUZZ_CHECK(bool(parts) && parts->port == address.port() && parts->host == address.host_text());
    const auto again = numeric(*parts, ipv6);
    FUZZ_CHECK(again && *again == address);
}

void check_connect(const std::string &text, bool ipv6) {
    const auto parts = parse_connect(text);
    if (!parts) {
        FUZZ_CHECK(parts.error() == err::invalid);
        return;
    }
    // "source;host:port", of which the host may have lost its brackets.
    const std::string port = text.substr(text.rfind(':') + 1);
    FUZZ_CHECK(!port.empty() && std::stoul(port) == parts->port);
    const std::string source =
        parts->source.empty() && text.find(';') == text.npos ? std::string() : parts->source + ";";
    const std::string host = text.substr(source.size(), text.rfind(':') - source.size());
    FUZZ_CHECK(text.compare(0, source.size(), source) == 0);
    FUZZ_CHECK(host == parts->host || host == "[" + parts->host + "]");
    if (const auto address = numeric(*parts, ipv6)) {
        FUZZ_CHECK(parts->port != 0 && address->port() == parts->port);
        FUZZ_CHECK(address->family() == (ipv6 ? AF_INET6 : AF_INET));
        check_shown(*address, ipv6);
    }
    if (!parts->source.empty() && parts->source.size() < 64) {
        if (const auto own = resolve_source(parts->source, ipv6))
            FUZZ_CHECK(own->family() == (ipv6 ? AF_INET6 : AF_INET));
    }
}

void check_filter(const std::string &text, bool ipv6) {
    const auto filter = parse_address_filter(text, ipv6);
    if (!filter) return;
    const SocketAddress &address = filter->address;
    const unsigned bits_max = address.family() == AF_INET6 ? 128 : 32;
    FUZZ_CHECK(address.family() == (ipv6 ? AF_INET6 : AF_INET));
    FUZZ_CHECK(filter->prefix_bits <= bits_max);
    FUZZ_CHECK(filter->matches(address));
    // An IPv4 address is the same peer when it comes mapped.
    if (const auto ipv4 = address.as_ipv4())
        if (ipv4->host_text() != "0.0.0.0") FUZZ_CHECK(filter->matches(*ipv4));
    // One that was written as IPv4 and has bits does not let in all of IPv4.
    if (text.find(':') == text.npos && ipv6 && filter->prefix_bits > 0)
        FUZZ_CHECK(filter->prefix_bits > 96);
    // With all bits, nobody else.
    if (filter->prefix_bits != bits_max) return;
    const auto other = parse_address_filter(ipv6 ? "2001:db8::77" : "203.0.113.77", ipv6);
    FUZZ_CHECK(bool(other) && filter->matches(other->address) == other->matches(address));
}

void check_ipc(const std::string &text) {
    const Error error = check_ipc_address(text);
    if (text.empty() || text == "@")
        FUZZ_CHECK(error == err::invalid);
    else
        FUZZ_CHECK(error == (text.size() >= 108 ? err::name_too_long : err::none));
}

#ifdef TERN_HAVE_VSOCK
void check_vsock(const std::string &text) {
    const auto address = parse_vsock_address(text);
    if (!address) {
        FUZZ_CHECK(address.error() == err::invalid);
        return;
    }
    const std::string shown = vsock_text(*address);
    FUZZ_CHECK(shown.compare(0, 8, "vsock://") == 0);
    const auto again = parse_vsock_address(std::string_view(shown).substr(8));
    FUZZ_CHECK(again && *again == *address);
}
#endif

#ifdef TERN_HAVE_TIPC
// What is bound is shown as it can be given again, to either side; so is a port.
void check_tipc(const std::string &text) {
    constexpr size_t scheme = 7;
    const auto bound = parse_tipc_bind(text);
    const auto connected = parse_tipc_connect(text);
    FUZZ_CHECK(bound || bound.error() == err::invalid);
    FUZZ_CHECK(connected || connected.error() == err::invalid);
    if (bound && bound->is_empty()) {
        FUZZ_CHECK(text == "<*>" && !connected);
    } else if (bound) {
        const std::string shown = tipc_text(*bound);
        const auto again = parse_tipc_bind(std::string_view(shown).substr(scheme));
        FUZZ_CHECK(again && *again == *bound);
        FUZZ_CHECK(bool(connected));
    } else if (connected) {
        FUZZ_CHECK(text.front() == '<');
        const std::string shown = tipc_text(*connected);
        const auto again = parse_tipc_connect(std::string_view(shown).substr(scheme));
        FUZZ_CHECK(again && *again == *connected);
    }
}
#endif

} // namespace

void run(Input input) {
    const bool ipv6 = input.byte() & 1;
    const std::string text(input.rest().text());
    check_endpoint(text);
    const size_t mark = text.find("://");
    const std::string address = mark == text.npos ? text : text.substr(mark + 3);
    check_connect(address, ipv6);
    check_filter(address, ipv6);
    check_ipc(address);
#ifdef TERN_HAVE_VSOCK
    check_vsock(address);
#endif
#ifdef TERN_HAVE_TIPC
    check_tipc(address);
#endif
}

} // namespace tern::fuzz
