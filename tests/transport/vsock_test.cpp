#ifdef TERN_HAVE_VSOCK
#include "transport/vsock.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <linux/vm_sockets.h>

using namespace tern;

namespace {

std::string shown(std::string_view address) {
    const auto parsed = parse_vsock_address(address);
    return parsed ? vsock_text(*parsed) : "refused";
}

} // namespace

TEST_CASE("Vsock addresses: numbers, any, the host") {
    CHECK(shown("3:5555") == "vsock://3:5555");
    CHECK(shown("*:*") == "vsock://*:*");
    CHECK(shown("-1:-1") == "vsock://*:*");
    CHECK(shown("@:0") == "vsock://2:0");
    CHECK(shown("4294967294:4294967295") == "vsock://4294967294:*");
}

TEST_CASE("Vsock addresses that are none are EINVAL") {
    for (const char *text :
         {"", ":", "1", "1:", ":1", "x:1", "1:x", "1:2:3", "4294967296:1", "1:4294967296", "1:@",
          "-2:1", " 1:1", "1:1 ", "99999999999999999999:1"}) {
        INFO(text);
        CHECK(parse_vsock_address(text).error() == err::invalid);
        CHECK(vsock_transport().check_connect(text, {}) == err::invalid);
        CHECK(vsock_transport().listen(text, {}).error() == err::invalid);
    }
}

TEST_CASE("An address of another family has no vsock text") {
    CHECK(vsock_text(SocketAddress()).empty());
    sockaddr other{};
    other.sa_family = AF_UNIX;
    CHECK(vsock_text(SocketAddress(&other, sizeof other)).empty());
}

TEST_CASE("A bound vsock port is named, or the kernel has no such family") {
    const auto listening = vsock_transport().listen("*:*", {});
    if (!listening) {
        CHECK(listening.error() == Error(EAFNOSUPPORT));
        return;
    }
    const std::string prefix = "vsock://*:";
    REQUIRE(listening->endpoint.substr(0, prefix.size()) == prefix);
    CHECK(listening->endpoint != "vsock://*:*");
    CHECK(vsock_transport().listen(listening->endpoint.substr(8), {}).error() ==
          err::address_in_use);
}
#endif
