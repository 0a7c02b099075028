#include "security/null_mechanism.hpp"
#include "support/mechanisms.hpp"

using namespace tern;
using namespace tern::test;

namespace {

struct Fixture {
    FakeReader reader;
    NullMechanism mechanism;
    Buffer sent;
    explicit Fixture(bool asks_zap = false) : mechanism(text("own"), reader, asks_zap) {}

    Step next() { return mechanism.next(sent); }
    Step process(std::string_view body) { return feed(mechanism, body); }
    void check_failure(Kind kind, uint32_t code) { test::check_failure(mechanism, kind, code); }
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
    CHECK(f.mechanism.take_traffic_seal() == nullptr);
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
    for (const ErrorRow &row : error_rows()) {
        INFO(row.rest);
        Fixture f;
        CHECK(f.process("\5ERROR" + row.rest) == Step::failed);
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
