#include "protocol/ws_upgrade.hpp"
#include "protocol/base64.hpp"
#include "protocol/sha1.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

using Outcome = WsUpgrade::Outcome;

const std::string sample_key = "dGhlIHNhbXBsZSBub25jZQ==";

std::string captured(const std::string &name) {
    return std::string(view(vector_bytes("ws.json", name)).text());
}

WsUpgrade server() { return WsUpgrade::as_server({"ZWS2.0/NULL", "ZWS2.0"}); }
WsUpgrade client() {
    return WsUpgrade::as_client({"ZWS2.0/NULL", "ZWS2.0"}, "127.0.0.1", "/", sample_key);
}

struct Result {
    Outcome outcome = Outcome::more;
    std::string out;
    size_t consumed = 0;
    std::string protocol;
};

Result feed(WsUpgrade upgrade, const std::string &text, size_t step = SIZE_MAX) {
    Result result;
    Buffer out;
    while (result.consumed < text.size() && result.outcome == Outcome::more) {
        const std::string piece = text.substr(result.consumed, step); // ASan sees its end
        size_t consumed = 0;
        result.outcome = upgrade.feed(Bytes(std::string_view(piece)), consumed, out);
        result.consumed += consumed;
    }
    result.out = std::string(view(out).text());
    result.protocol = upgrade.protocol();
    return result;
}

// The captured request with one line replaced, or taken out.
std::string request_with(const std::string &name, const std::string &line) {
    std::string text = captured("client-request");
    const size_t at = text.find(name);
    REQUIRE(at != std::string::npos);
    return text.replace(at, text.find("\r\n", at) + 2 - at, line);
}

std::string response_with(const std::string &name, const std::string &line) {
    std::string text = captured("server-response");
    const size_t at = text.find(name);
    REQUIRE(at != std::string::npos);
    return text.replace(at, text.find("\r\n", at) + 2 - at, line);
}

} // namespace

TEST_CASE("SHA-1 and base64 of their standards' examples") {
    const auto digest = [](const std::string &text) {
        const auto bytes = sha1(Bytes(std::string_view(text)));
        return hex(Bytes(bytes.data(), bytes.size()));
    };
    CHECK(digest("abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
    CHECK(digest("") == "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    CHECK(digest("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    CHECK(digest(std::string(1000000, 'a')) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    const char *encoded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (size_t n = 0; n <= 6; ++n)
        CHECK(base64(Bytes(std::string_view("foobar").substr(0, n))) == encoded[n]);
    CHECK(ws_accept(sample_key) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    CHECK(base64(view(vector_bytes("ws.json", "accept-key"))) == ws_accept(sample_key));
}

TEST_CASE("a client asks as libzmq does") {
    Buffer out;
    client().start(out);
    CHECK(view(out).text() == captured("client-request"));
}

TEST_CASE("a server answers as libzmq does, however the request arrives") {
    const std::string request = captured("client-request");
    for (size_t step = 1; step <= request.size(); ++step) {
        const Result result = feed(server(), request, step);
        REQUIRE(result.outcome == Outcome::done);
        CHECK(result.out == captured("server-response"));
        CHECK(result.consumed == request.size());
        CHECK(result.protocol == "ZWS2.0/NULL");
    }
    const Result bare = feed(server(), request_with("Sec-WebSocket-Protocol",
                                                    "Sec-WebSocket-Protocol: ZWS2.0\r\n"));
    CHECK(bare.out == captured("server-response-no-mechanism"));
}

TEST_CASE("what follows the upgrade is not consumed") {
    const std::string request = captured("client-request");
    CHECK(feed(server(), request + "\x82\x80").consumed == request.size());
    const std::string response = captured("server-response");
    const Result result = feed(client(), response + "\x82\x01");
    CHECK(result.outcome == Outcome::done);
    CHECK(result.consumed == response.size());
    CHECK(result.out.empty());
    CHECK(result.protocol == "ZWS2.0/NULL");
}

TEST_CASE("a server takes the first protocol of the client's list that it speaks") {
    const auto chosen = [](const std::string &line) {
        return feed(server(), request_with("Sec-WebSocket-Protocol", line)).protocol;
    };
    CHECK(chosen("Sec-WebSocket-Protocol: ZWS2.0,ZWS2.0/NULL\r\n") == "ZWS2.0");
    CHECK(chosen("sec-websocket-protocol:chat,  ZWS2.0/NULL , ZWS2.0\r\n") == "ZWS2.0/NULL");
    CHECK(chosen("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: ZWS2.0\r\n") == "ZWS2.0");
    for (const char *line : {"Sec-WebSocket-Protocol: chat\r\n", "Sec-WebSocket-Protocol: zws2.0\r\n",
                             "Sec-WebSocket-Protocol: ZWS2.0/PLAIN\r\n",
                             "Sec-WebSocket-Protocol:\r\n", ""}) {
        INFO(line);
        const Result result = feed(server(), request_with("Sec-WebSocket-Protocol", line));
        CHECK(result.outcome == Outcome::failed);
        CHECK(result.out.empty());
    }
}

TEST_CASE("requests as browsers and proxies write them") {
    const char *lines[][2] = {
        {"GET", "GET  /any?path#at-all HTTP/1.1\r\n"},
        {"Upgrade: web", "upgrade:   WebSocket\r\n"},
        {"Connection", "Connection: keep-alive, Upgrade\r\n"},
        {"Connection", "Connection: keep-alive\r\nCONNECTION: UPGRADE\r\n"},
        {"Host", ""},
        {"Sec-WebSocket-Version", ""},
    };
    for (const auto &line : lines) {
        INFO(line[1]);
        CHECK(feed(server(), request_with(line[0], line[1])).outcome == Outcome::done);
    }
    const std::string cookie = "Cookie: " + std::string(6000, 'c') + "\r\n";
    CHECK(feed(server(), request_with("Host", cookie)).outcome == Outcome::done);
}

TEST_CASE("requests that are none are refused without an answer") {
    const char *lines[][2] = {
        {"GET", "POST / HTTP/1.1\r\n"},
        {"GET", "GET / HTTP/1.0\r\n"},
        {"GET", "GET /  HTTP/1.1\r\n"},
        {"GET", "GET HTTP/1.1\r\n"},
        {"GET", "get / HTTP/1.1\r\n"},
        {"GET", " GET / HTTP/1.1\r\n"},
        {"GET", "\r\n"},
        {"Upgrade: web", ""},
        {"Upgrade: web", "Upgrade: h2c\r\n"},
        {"Connection", ""},
        {"Connection", "Connection: close\r\n"},
        {"Sec-WebSocket-Key", ""},
        {"Sec-WebSocket-Key", "Sec-WebSocket-Key: a\r\nSec-WebSocket-Key: b\r\n"},
        {"Host", "Host 127.0.0.1\r\n"},
        {"Host", ": x\r\n"},
        {"Host", "Ho st: x\r\n"},
        {"Host", " folded: x\r\n"},
        {"Host", "Host: a\n"},
        {"Host", "Host: a\rb\r\n"},
    };
    for (const auto &line : lines) {
        INFO(line[1]);
        const Result result = feed(server(), request_with(line[0], line[1]));
        CHECK(result.outcome == Outcome::failed);
        CHECK(result.out.empty());
    }
    CHECK(feed(server(), request_with("Host", std::string("Host: a\0b\r\n", 11))).outcome ==
          Outcome::failed);
}

TEST_CASE("names, values, lines and the whole are limited") {
    const auto outcome = [](const std::string &line) {
        return feed(server(), request_with("Host", line)).outcome;
    };
    CHECK(outcome(std::string(WsUpgrade::name_max, 'n') + ": v\r\n") == Outcome::done);
    CHECK(outcome(std::string(WsUpgrade::name_max + 1, 'n') + ": v\r\n") == Outcome::failed);
    const std::string upgrade = "Upgrade: ";
    CHECK(outcome(upgrade + std::string(WsUpgrade::value_max, 'v') + "\r\n") == Outcome::done);
    CHECK(outcome(upgrade + std::string(WsUpgrade::value_max + 1, 'v') + "\r\n") ==
          Outcome::failed);
    CHECK(outcome("a: " + std::string(WsUpgrade::line_max, 'v') + "\r\n") == Outcome::failed);
    std::string many;
    while (many.size() < WsUpgrade::total_max) many += "a: b\r\n";
    CHECK(outcome(many) == Outcome::failed);
    // A line without an end is not waited for.
    const Result endless = feed(server(), std::string(WsUpgrade::line_max + 1, 'G'));
    CHECK(endless.outcome == Outcome::failed);
}

TEST_CASE("Q-37: a client verifies that its key was answered") {
    CHECK(feed(client(), captured("server-response")).outcome == Outcome::done);
    for (const char *line : {"", "Sec-WebSocket-Accept: x\r\n", "Sec-WebSocket-Accept:\r\n"}) {
        INFO(line);
        CHECK(feed(client(), response_with("Sec-WebSocket-Accept", line)).outcome ==
              Outcome::failed);
    }
}

TEST_CASE("answers that do not switch are refused") {
    const char *good[][2] = {
        {"HTTP", "HTTP/1.1  101 Switching Protocols\r\n"},
        {"HTTP", "HTTP/1.1 101 Web Socket Protocol Handshake\r\n"},
        {"Upgrade", "upgrade: WEBSOCKET\r\nServer: other\r\n"},
    };
    for (const auto &line : good) {
        INFO(line[1]);
        CHECK(feed(client(), response_with(line[0], line[1])).outcome == Outcome::done);
    }
    const char *bad[][2] = {
        {"HTTP", "HTTP/1.1 200 OK\r\n"},
        {"HTTP", "HTTP/1.0 101 Switching Protocols\r\n"},
        {"HTTP", " HTTP/1.1 101 Switching Protocols\r\n"},
        {"HTTP", "HTTP/1.1 1010 Switching Protocols\r\n"},
        {"HTTP", "http/1.1 101 Switching Protocols\r\n"},
        {"Upgrade", ""},
        {"Connection", ""},
        {"Sec-WebSocket-Protocol", ""},
        {"Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: ZWS2.0/CURVE\r\n"},
        {"Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: ZWS2.0/NULL,ZWS2.0\r\n"},
    };
    for (const auto &line : bad) {
        INFO(line[1]);
        CHECK(feed(client(), response_with(line[0], line[1])).outcome == Outcome::failed);
    }
    CHECK(feed(client(), captured("server-response-no-mechanism")).protocol == "ZWS2.0");
}
