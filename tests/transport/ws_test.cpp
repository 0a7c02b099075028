#include "transport/ws.hpp"

#include <catch2/catch.hpp>

#include <tuple>

using namespace tern;

namespace {

const StreamTransport &ws() { return ws_transport(); }

Endpoint endpoint(const std::string &address) {
    return {Endpoint::Transport::ws, address, "ws://" + address};
}

} // namespace

TEST_CASE("ws: a connected endpoint is shown with its path, as given otherwise") {
    CHECK(ws().connected_text(endpoint("localhost:80")) == "ws://localhost:80/");
    CHECK(ws().connected_text(endpoint("1.2.3.4:80/")) == "ws://1.2.3.4:80/");
    CHECK(ws().connected_text(endpoint("[::1]:80/a/b?c")) == "ws://[::1]:80/a/b?c");
}

TEST_CASE("ws: a client asks for the path of a host without its port") {
    for (const auto &[address, host, path] :
         {std::tuple("a.example:80", "a.example", "/"), std::tuple("[::1]:5/x", "[::1]", "/x"),
          std::tuple("1.2.3.4:80/some/path", "1.2.3.4", "/some/path")}) {
        const auto wrapping = ws().wrapping(address, {}, false);
        REQUIRE(wrapping);
        CHECK(wrapping->is_websocket);
        CHECK(wrapping->host == host);
        CHECK(wrapping->path == path);
        CHECK_FALSE(wrapping->layers);
    }
}

TEST_CASE("ws: addresses that zmq_connect refuses") {
    CHECK_FALSE(ws().check_connect("127.0.0.1:80/path", {}));
    CHECK_FALSE(ws().check_connect("nohost.invalid:80", {})); // nobody is asked
    for (const char *address : {"127.0.0.1", "/", "127.0.0.1/80", "127.0.0.1:*", "*:80",
                                "1.2.3.4:0;127.0.0.1:80", "127.0.0.1:80/a b", "127.0.0.1:80/a\r\nb",
                                "127.0.0.1:80/\x7f"}) {
        INFO(address);
        CHECK(ws().check_connect(address, {}) == err::invalid);
    }
}

TEST_CASE("ws: a bound endpoint has number, port and path; what comes in is ws too") {
    const TransportOptions options;
    auto listening = ws().listen("127.0.0.1:*/feed", options);
    REQUIRE(listening);
    const std::string text = listening->endpoint;
    CHECK(text.compare(0, 15, "ws://127.0.0.1:") == 0);
    CHECK(text.substr(text.find('/', 5)) == "/feed");
    CHECK(ws().listen("127.0.0.1:*/a b", options).error() == err::invalid);

    const std::string address = text.substr(5);
    const auto target = ws().resolve(address, options);
    REQUIRE(target);
    CHECK_FALSE(ws().asks_name_service(address, options));
    const auto connecting = ws().connect(address, *target, options);
    REQUIRE(connecting);
    Result<Accepted> accepted = err::again;
    while (!accepted && accepted.error() == err::again)
        accepted = ws().accept(listening->fd.get(), options);
    REQUIRE(accepted);
    CHECK(accepted->peer_endpoint == ws().local_endpoint(connecting.fd.get()));
    CHECK(accepted->peer_endpoint.back() == '/');
    CHECK(accepted->peer_address == "127.0.0.1");
}

#ifdef TERN_HAVE_WSS
TEST_CASE("wss: without a certificate there is no server; a client needs none") {
    CHECK(wss_transport().wrapping("127.0.0.1:80", {}, true).error() == err::invalid);
    TransportOptions options;
    options.wss_trust_pem = "nonsense";
    CHECK(wss_transport().wrapping("127.0.0.1:80", options, false).error() == err::invalid);
    const auto wrapping = wss_transport().wrapping("127.0.0.1:80/x", {}, false);
    REQUIRE(wrapping);
    CHECK(wrapping->layers);
    CHECK(wrapping->is_websocket);
    CHECK(wss_transport().connected_text({Endpoint::Transport::wss, "a:1", "wss://a:1"}) ==
          "wss://a:1/");
}
#endif
