// socks5: any bytes as a proxy. A model of the answers says how far the dialogue comes, how many
// bytes of the stream are the proxy's, and what the client says to them.
#include "support/fuzz.hpp"

#include "transport/socks5.hpp"

#include <arpa/inet.h>
#include <tuple>

namespace tern::fuzz {

namespace {

using Outcome = Socks5Client::Outcome;

// Outcome, failure, bytes taken of the proxy's, bytes said.
using Dialogue = std::tuple<Outcome, int, size_t, Buffer>;

struct Settings {
    std::string host;
    uint16_t port = 0;
    Socks5Client::Account account;
};

Buffer request_of(const Settings &settings) {
    Buffer request{5, 1, 0};
    uint8_t number[16];
    if (::inet_pton(AF_INET, settings.host.c_str(), number) == 1) {
        request.push_back(1);
        append(request, Bytes(number, 4));
    } else if (::inet_pton(AF_INET6, settings.host.c_str(), number) == 1) {
        request.push_back(4);
        append(request, Bytes(number, 16));
    } else {
        request.push_back(3);
        request.push_back(uint8_t(settings.host.size()));
        append(request, Bytes(settings.host));
    }
    request.push_back(uint8_t(settings.port >> 8));
    request.push_back(uint8_t(settings.port));
    return request;
}

// The whole stream at once, by position.
Dialogue expected(const Settings &settings, Bytes stream) {
    Buffer said{5, 1, uint8_t(settings.account.user.empty() ? 0 : 2)};
    const auto over = [&](int failure, size_t size) {
        return Dialogue(failure ? Outcome::failed : Outcome::done, failure, size, said);
    };
    const auto waits = [&] { return Dialogue(Outcome::more, 0, stream.size(), said); };
    size_t at = 2;
    if (stream.size() < at) return waits();
    if (stream[0] != 5) return over(EPROTO, at);
    if (stream[1] == 2) {
        said.push_back(1);
        for (const std::string *text : {&settings.account.user, &settings.account.password}) {
            said.push_back(uint8_t(text->size()));
            append(said, Bytes(*text));
        }
        at += 2;
        if (stream.size() < at) return waits();
        if (stream[2] != 1) return over(EPROTO, at);
        if (stream[3] != 0) return over(EACCES, at);
    } else if (stream[1] != 0) {
        return over(EACCES, at);
    }
    append(said, view(request_of(settings)));
    const Bytes reply = stream.skip(at);
    if (reply.size() < 5) return waits();
    if (reply[0] != 5 || reply[2] != 0) return over(EPROTO, at + 5);
    if (reply[1] != 0) return over(EHOSTUNREACH, at + 5);
    size_t size = 0;
    if (reply[3] == 1)
        size = 10;
    else if (reply[3] == 3)
        size = 7 + size_t(reply[4]);
    else if (reply[3] == 4)
        size = 22;
    else
        return over(EPROTO, at + 5);
    return reply.size() < size ? waits() : over(0, at + size);
}

Dialogue held(const Settings &settings, Reads &reads) {
    Socks5Client client(settings.host, settings.port, settings.account);
    Buffer said;
    client.start(said);
    Outcome outcome = Outcome::more;
    size_t taken = 0;
    while (!reads.at_end()) {
        Bytes piece = reads.next();
        while (!piece.empty() && outcome == Outcome::more) {
            FUZZ_CHECK(client.wanted() > 0 && client.wanted() <= 262);
            const Buffer bytes = exact(piece.first(client.wanted()));
            outcome = client.take(view(bytes), said);
            taken += bytes.size();
            piece = piece.skip(bytes.size());
        }
    }
    FUZZ_CHECK((client.wanted() > 0) == (outcome == Outcome::more));
    FUZZ_CHECK(bool(client.failure()) == (outcome == Outcome::failed));
    return {outcome, client.failure().number(), taken, said};
}

} // namespace

void run(Input input) {
    Settings settings;
    const uint16_t split = input.number();
    settings.port = input.number();
    settings.host = text(input.chunk());
    settings.account.user = text(input.chunk());
    settings.account.password = text(input.chunk());
    FUZZ_CHECK(Socks5Client::check(settings.host) ==
               (settings.host.empty() ? err::invalid : err::none));
    const Bytes stream = input.rest();
    const Dialogue wanted = expected(settings, stream);
    const Dialogue was = same_however_cut(
        stream, split, [&settings](Reads &reads) { return held(settings, reads); });
    FUZZ_CHECK(was == wanted);
}

} // namespace tern::fuzz
