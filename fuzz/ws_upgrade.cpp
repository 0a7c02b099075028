// ws_upgrade: any bytes as the request of a client or the answer of a server. What is taken for an upgrade has in
// it what the standard asks for, looked up in the text as a whole; what we send upgrades our other side.
#include "support/fuzz.hpp"

#include "protocol/ws_upgrade.hpp"

#include <algorithm>
#include <cctype>
#include <tuple>

namespace tern::fuzz {

namespace {

struct Result {
    WsUpgrade::Outcome outcome = WsUpgrade::Outcome::more;
    size_t consumed = 0;
    Buffer out;
    std::string protocol;

    auto tied() const { return std::tie(outcome, consumed, out, protocol); }
    friend bool operator==(const Result &a, const Result &b) { return a.tied() == b.tied(); }
};

const std::string key = "dGhlIHNhbXBsZSBub25jZQ==";

WsUpgrade make(bool is_client, bool is_bare_known) {
    std::vector<std::string> protocols{"ZWS2.0/NULL"};
    if (is_bare_known) protocols.emplace_back("ZWS2.0");
    return is_client ? WsUpgrade::as_client(protocols, "host", "/", key)
                     : WsUpgrade::as_server(protocols);
}

Result feed(WsUpgrade upgrade, Reads &reads) {
    Result result;
    size_t arrived = 0;
    const LargestAllocation largest;
    while (result.outcome == WsUpgrade::Outcome::more && !reads.at_end()) {
        const Bytes piece = reads.next();
        arrived += piece.size();
        size_t consumed = 0;
        result.outcome = upgrade.feed(piece, consumed, result.out);
        FUZZ_CHECK(consumed <= piece.size());
        FUZZ_CHECK(result.outcome != WsUpgrade::Outcome::more || consumed == piece.size());
        result.consumed += consumed;
    }
    FUZZ_CHECK(largest.bytes() <= 2 * WsUpgrade::line_max + 2 * arrived + 4096);
    FUZZ_CHECK(result.consumed <= WsUpgrade::total_max + 1);
    if (result.outcome == WsUpgrade::Outcome::done) result.protocol = upgrade.protocol();
    return result;
}

Result feed(WsUpgrade upgrade, Bytes bytes) {
    Reads reads(bytes, SIZE_MAX, SIZE_MAX);
    return feed(std::move(upgrade), reads);
}

bool has(const std::string &text, const std::string &part) {
    const auto same = [](char a, char b) { return std::tolower(uint8_t(a)) == std::tolower(uint8_t(b)); };
    return std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

} // namespace

void run(Input input) {
    const uint8_t plan = input.byte();
    const bool is_client = plan & 1, is_bare_known = plan & 2;
    const size_t split = input.number();
    const Bytes stream = input.rest();
    const Result result = same_however_cut(stream, split, [&](Reads &reads) {
        return feed(make(is_client, is_bare_known), reads);
    });
    if (result.outcome != WsUpgrade::Outcome::done) {
        FUZZ_CHECK(result.out.empty());
        return;
    }
    const std::string text(stream.first(result.consumed).text());
    FUZZ_CHECK(text.substr(text.size() - 4) == "\r\n\r\n");
    FUZZ_CHECK(text.find("\r\n\r\n") == text.size() - 4);
    FUZZ_CHECK(text.compare(0, 4, is_client ? "HTTP" : "GET ") == 0);
    FUZZ_CHECK(has(text, "\r\nupgrade:") && has(text, "websocket"));
    FUZZ_CHECK(has(text, "\r\nconnection:") && has(text, "\r\nsec-websocket-protocol:"));
    FUZZ_CHECK(text.find(result.protocol) != text.npos);
    FUZZ_CHECK(result.protocol == "ZWS2.0/NULL" || (is_bare_known && result.protocol == "ZWS2.0"));
    if (is_client) {
        FUZZ_CHECK(result.out.empty() && text.find(ws_accept(key)) != text.npos);
        return;
    }
    FUZZ_CHECK(has(text, "\r\nsec-websocket-key:"));
    // Our answer to this very key upgrades a client.
    std::string answer(view(result.out).text());
    const size_t at = answer.find("Sec-WebSocket-Accept: ") + 22;
    answer.replace(at, answer.find("\r\n", at) - at, ws_accept(key));
    const Result mirrored = feed(make(true, is_bare_known), Bytes(std::string_view(answer)));
    FUZZ_CHECK(mirrored.outcome == WsUpgrade::Outcome::done);
    FUZZ_CHECK(mirrored.consumed == answer.size() && mirrored.protocol == result.protocol);
}

} // namespace tern::fuzz
