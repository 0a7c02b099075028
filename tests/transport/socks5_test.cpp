#include "transport/socks5.hpp"

#include "support/vectors.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <utility>

using namespace tern;
using namespace tern::test;

namespace {

using Outcome = Socks5Client::Outcome;

Buffer known(const char *name) { return vector_bytes("socks5.json", name); }

const Buffer no_method{5, 0}, account_method{5, 2};

// Hands answers over as a stream would: never more than is wanted, in pieces of at most `piece`.
struct Dialogue {
    explicit Dialogue(std::string host, uint16_t port = 7777, Socks5Client::Account account = {})
        : client(std::move(host), port, std::move(account)) {
        client.start(out);
    }
    Outcome answer(const Buffer &bytes, size_t piece = 1000) {
        Bytes rest = view(bytes);
        Outcome outcome = Outcome::more;
        while (!rest.empty() && client.wanted() > 0) {
            const size_t size = std::min({piece, client.wanted(), rest.size()});
            outcome = client.take(rest.first(size), out);
            rest = rest.skip(size);
        }
        left = rest.size();
        return outcome;
    }
    // What the client has said since the last time.
    Buffer said() { return std::exchange(out, {}); }

    Socks5Client client;
    Buffer out;
    size_t left = 0; // of the last answer: not asked for
};

Dialogue up_to_reply() {
    Dialogue dialogue("10.1.2.3");
    REQUIRE(dialogue.answer(no_method) == Outcome::more);
    (void)dialogue.said();
    return dialogue;
}

} // namespace

TEST_CASE("A socks5 client without an account offers none") {
    Dialogue dialogue("10.1.2.3");
    CHECK(dialogue.said() == known("greeting-no-auth"));
    CHECK(dialogue.answer(no_method) == Outcome::more);
    CHECK(dialogue.said() == known("request-ipv4"));
    CHECK(dialogue.answer(known("reply-ok")) == Outcome::done);
    CHECK(dialogue.said().empty());
    CHECK(dialogue.client.wanted() == 0);
}

TEST_CASE("A socks5 client with an account offers nothing else, and gives it when asked") {
    Dialogue dialogue("10.1.2.3", 7777, {"joe", "pw"});
    CHECK(dialogue.said() == known("greeting-basic"));
    CHECK(dialogue.answer(account_method) == Outcome::more);
    CHECK(dialogue.said() == known("auth-joe-pw"));
    CHECK(dialogue.answer(known("auth-ok")) == Outcome::more);
    CHECK(dialogue.said() == known("request-ipv4"));

    Dialogue not_asked("10.1.2.3", 7777, {"joe", "pw"});
    (void)not_asked.said();
    CHECK(not_asked.answer(no_method) == Outcome::more);
    CHECK(not_asked.said() == known("request-ipv4"));
}

TEST_CASE("A proxy that wants an account from one who has none gets an empty one") {
    Dialogue dialogue("10.1.2.3");
    (void)dialogue.said();
    CHECK(dialogue.answer(account_method) == Outcome::more);
    CHECK(dialogue.said() == Buffer{1, 0, 0});
}

TEST_CASE("Names go to the proxy as names, numbers as numbers") {
    for (const auto &[host, name] :
         {std::pair("example.invalid", "request-name"), std::pair("2001:db8::1", "request-ipv6"),
          std::pair("10.1.2.3", "request-ipv4")}) {
        Dialogue dialogue(host);
        (void)dialogue.said();
        CHECK(dialogue.answer(no_method) == Outcome::more);
        CHECK(dialogue.said() == known(name));
    }
}

TEST_CASE("A name has to fit into a socks5 request") {
    CHECK(Socks5Client::check("") == err::invalid);
    CHECK_FALSE(Socks5Client::check(std::string(255, 'x')));
    CHECK(Socks5Client::check(std::string(256, 'x')) == err::invalid);
    Dialogue dialogue(std::string(255, 'x'), 1);
    (void)dialogue.said();
    CHECK(dialogue.answer(no_method) == Outcome::more);
    CHECK(dialogue.said().size() == 4 + 1 + 255 + 2);
}

TEST_CASE("Replies of every address type end where the peer begins, however they arrive") {
    const Buffer ipv6{5, 0, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 80};
    Buffer long_name{5, 0, 0, 3, 255};
    long_name.resize(5 + 255 + 2, 'n');
    const Buffer no_name{5, 0, 0, 3, 0, 0, 80};
    for (const Buffer &reply :
         {known("reply-ok"), known("reply-ok-name"), ipv6, long_name, no_name}) {
        for (const size_t piece : {size_t(1), size_t(3), size_t(1000)}) {
            Dialogue dialogue = up_to_reply();
            Buffer stream = reply;
            stream.insert(stream.end(), {0xff, 0, 0}); // the peer's
            CHECK(dialogue.answer(stream, piece) == Outcome::done);
            CHECK(dialogue.left == 3);
        }
        Dialogue cut = up_to_reply();
        CHECK(cut.answer(Buffer(reply.begin(), reply.end() - 1)) == Outcome::more);
        CHECK(cut.client.wanted() == 1);
    }
}

TEST_CASE("Refusals and nonsense of a socks5 proxy end the dialogue") {
    const auto first = [](const Buffer &answer) {
        Dialogue dialogue("10.1.2.3", 1, {"joe", "pw"});
        (void)dialogue.said();
        CHECK(dialogue.answer(answer) == Outcome::failed);
        CHECK(dialogue.said().empty());
        CHECK(dialogue.client.wanted() == 0);
        return dialogue.client.failure();
    };
    CHECK(first({4, 0}) == err::protocol);
    CHECK(first({0, 0}) == err::protocol);
    CHECK(first({5, 1}) == Error(EACCES));
    CHECK(first({5, 0xff}) == Error(EACCES));

    const auto second = [](const Buffer &answer) {
        Dialogue dialogue("10.1.2.3", 1, {"joe", "pw"});
        CHECK(dialogue.answer(account_method) == Outcome::more);
        (void)dialogue.said();
        CHECK(dialogue.answer(answer) == Outcome::failed);
        CHECK(dialogue.said().empty());
        return dialogue.client.failure();
    };
    CHECK(second({1, 1}) == Error(EACCES));
    CHECK(second({5, 0}) == err::protocol);

    const auto third = [](const Buffer &answer) {
        Dialogue dialogue = up_to_reply();
        CHECK(dialogue.answer(answer) == Outcome::failed);
        return dialogue.client.failure();
    };
    CHECK(third(known("reply-refused")) == err::host_unreachable);
    CHECK(third({5, 255, 0, 1, 0, 0, 0, 0, 0, 0}) == err::host_unreachable);
    CHECK(third({4, 0, 0, 1, 0, 0, 0, 0, 0, 0}) == err::protocol);
    CHECK(third({5, 0, 1, 1, 0, 0, 0, 0, 0, 0}) == err::protocol);
    for (const uint8_t type : {0, 2, 5, 255})
        CHECK(third({5, 0, 0, type, 0, 0, 0, 0, 0, 0}) == err::protocol);
}
