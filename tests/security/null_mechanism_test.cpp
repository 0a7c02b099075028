#include "security/null_mechanism.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

using Step = Mechanism::Step;
using Kind = Mechanism::Failure::Kind;

struct FakeReader final : MetadataReader {
    bool accepts = true;
    std::string seen;
    bool read(Bytes metadata) override {
        seen = metadata.text();
        return accepts;
    }
};

Buffer text(std::string_view string) { return {string.begin(), string.end()}; }

struct Fixture {
    FakeReader reader;
    NullMechanism mechanism;
    Buffer sent;
    explicit Fixture(bool asks_zap = false) : mechanism(text("own"), reader, asks_zap) {}

    Step next() { return mechanism.next(sent); }
    Step process(std::string_view body) {
        const Buffer exact = text(body); // so that ASan sees overruns
        return mechanism.process(view(exact));
    }
    void check_failure(Kind kind, uint32_t code) {
        CHECK(mechanism.failure().kind == kind);
        CHECK(mechanism.failure().code == code);
        CHECK_FALSE(mechanism.is_ready());
        CHECK(next() == Step::failed);
    }
};

} // namespace

TEST_CASE("NULL is ready once both sides have sent READY") {
    Fixture f;
    CHECK(f.next() == Step::send);
    CHECK(f.sent == text("\5READYown"));
    CHECK(f.next() == Step::idle);
    CHECK_FALSE(f.mechanism.is_ready());
    CHECK(f.process("\5READYtheirs") == Step::idle);
    CHECK(f.reader.seen == "theirs");
    CHECK(f.mechanism.is_ready());
    CHECK_FALSE(f.mechanism.seals_traffic());
}

TEST_CASE("the order of the two READY does not matter") {
    Fixture f;
    CHECK(f.process("\5READY") == Step::idle);
    CHECK_FALSE(f.mechanism.is_ready());
    CHECK(f.next() == Step::send);
    CHECK(f.mechanism.is_ready());
}

TEST_CASE("bad metadata fails without an event") {
    Fixture f;
    f.reader.accepts = false;
    CHECK(f.process("\5READYbad") == Step::failed);
    f.check_failure(Kind::silent, 0);
}

TEST_CASE("unexpected commands are protocol errors") {
    for (const std::string body :
         {"", "\5ready", "\5READ", "\5HELLO", "\4PING", "READY", "\6READYX", "\5ERRO"}) {
        INFO(body);
        Fixture f;
        CHECK(f.process(body) == Step::failed);
        f.check_failure(Kind::protocol, protocol_error::unexpected_command);
    }
}

TEST_CASE("a second command is a protocol error") {
    Fixture f;
    CHECK(f.process("\5READY") == Step::idle);
    CHECK(f.process("\5READY") == Step::failed);
    f.check_failure(Kind::protocol, protocol_error::unexpected_command);
}

TEST_CASE("ERROR carries an authentication status or nothing we report") {
    const struct {
        std::string body;
        Kind kind;
        uint32_t code;
    } rows[] = {
        {"\5ERROR\003300", Kind::auth, 300},
        {"\5ERROR\003400", Kind::auth, 400},
        {"\5ERROR\003500junk", Kind::auth, 500},
        {"\5ERROR\003200", Kind::silent, 0},
        {"\5ERROR\003600", Kind::silent, 0},
        {"\5ERROR\0044000", Kind::silent, 0},
        {std::string("\5ERROR\0", 7), Kind::silent, 0},
        {"\5ERROR", Kind::protocol, protocol_error::malformed_error},
        {"\5ERROR\003", Kind::protocol, protocol_error::malformed_error},
        {"\5ERROR\00340", Kind::protocol, protocol_error::malformed_error},
        {"\5ERROR\377abc", Kind::protocol, protocol_error::malformed_error},
    };
    for (const auto &row : rows) {
        INFO(row.body);
        Fixture f;
        CHECK(f.process(row.body) == Step::failed);
        f.check_failure(row.kind, row.code);
    }
}

TEST_CASE("with a ZAP domain READY waits for the answer") {
    Fixture f(true);
    CHECK(f.next() == Step::ask_zap);
    CHECK(f.mechanism.zap_credentials().empty());
    CHECK(f.process("\5READY") == Step::idle);
    CHECK(f.next() == Step::ask_zap);
    CHECK_FALSE(f.mechanism.is_ready());
    f.mechanism.zap_answered(200);
    CHECK(f.next() == Step::send);
    CHECK(f.sent == text("\5READYown"));
    CHECK(f.mechanism.is_ready());
}

TEST_CASE("a ZAP refusal sends ERROR and fails") {
    for (const uint32_t status : {400u, 500u}) {
        Fixture f(true);
        CHECK(f.next() == Step::ask_zap);
        f.mechanism.zap_answered(status);
        CHECK(f.next() == Step::send);
        CHECK(f.sent == text("\5ERROR\3" + std::to_string(status)));
        CHECK(f.next() == Step::failed);
        f.check_failure(Kind::auth, status);
    }
}

TEST_CASE("ZAP 300 fails and sends nothing") {
    Fixture f(true);
    CHECK(f.next() == Step::ask_zap);
    f.mechanism.zap_answered(300);
    CHECK(f.next() == Step::failed);
    f.check_failure(Kind::auth, 300);
    CHECK(f.sent.empty());
}

TEST_CASE("a ZAP answer that nobody asked for changes nothing") {
    Fixture f;
    f.mechanism.zap_answered(400);
    CHECK(f.next() == Step::send);
    CHECK(f.sent == text("\5READYown"));
}
