#include "security/plain_mechanism.hpp"
#include "support/mechanisms.hpp"

using namespace tern;
using namespace tern::test;

namespace {

std::string data_of(const std::string &name) {
    const Buffer body = frame_body(vector_bytes("plain.json", name));
    return {body.begin(), body.end()};
}

const std::string push_metadata("\13Socket-Type\0\0\0\4PUSH", 20);
const std::string pull_metadata("\13Socket-Type\0\0\0\4PULL", 20);

struct Client {
    FakeReader reader;
    PlainClient mechanism;
    explicit Client(std::string user = "admin", std::string password = "secret")
        : mechanism(std::move(user), std::move(password), text(push_metadata), reader) {}

    void reach_awaiting_welcome() { (void)take_command(mechanism); }
    void reach_awaiting_ready() {
        reach_awaiting_welcome();
        REQUIRE(feed(mechanism, "\7WELCOME") == Step::idle);
        (void)take_command(mechanism);
    }
};

struct Server {
    FakeReader reader;
    PlainServer mechanism{text(pull_metadata), reader};

    void reach_asking() {
        REQUIRE(feed(mechanism, data_of("plain-hello")) == Step::idle);
        REQUIRE(next_step(mechanism) == Step::ask_zap);
    }
    void reach_awaiting_initiate() {
        reach_asking();
        mechanism.zap_answered(200);
        (void)take_command(mechanism);
    }
};

} // namespace

TEST_CASE("plain-hello, plain-welcome, plain-initiate, plain-ready: both sides, byte for byte") {
    Client client;
    Server server;
    Talk said = talk(client.mechanism, server.mechanism);
    REQUIRE(said.server == Step::ask_zap);
    CHECK(next_step(server.mechanism) == Step::ask_zap);
    server.mechanism.zap_answered(200);
    talk(client.mechanism, server.mechanism, said);

    REQUIRE(said.from_client.size() == 2);
    REQUIRE(said.from_server.size() == 2);
    CHECK(said.from_client[0] == text(data_of("plain-hello")));
    CHECK(said.from_server[0] == text(data_of("plain-welcome")));
    CHECK(said.from_client[1] == text(data_of("plain-initiate")));
    CHECK(said.from_server[1] == text(data_of("plain-ready")));
    CHECK(server.reader.seen == push_metadata);
    CHECK(client.reader.seen == pull_metadata);
    CHECK(client.mechanism.is_ready());
    CHECK(server.mechanism.is_ready());
}

TEST_CASE("PLN-2 PLAIN traffic goes in clear") {
    Client client;
    CHECK(client.mechanism.take_traffic_seal() == nullptr);
    Server server;
    CHECK(server.mechanism.take_traffic_seal() == nullptr);
}

TEST_CASE("PLAIN is ready on neither side before READY") {
    Client client;
    Server server;
    CHECK(next_step(server.mechanism) == Step::idle);
    CHECK_FALSE(server.mechanism.is_ready());
    client.reach_awaiting_ready();
    CHECK(next_step(client.mechanism) == Step::idle);
    CHECK_FALSE(client.mechanism.is_ready());
    server.reach_awaiting_initiate();
    CHECK(feed(server.mechanism, data_of("plain-initiate")) == Step::idle);
    CHECK_FALSE(server.mechanism.is_ready());
    (void)take_command(server.mechanism);
    CHECK(server.mechanism.is_ready());
    CHECK(next_step(server.mechanism) == Step::idle);
}

TEST_CASE("zap.json request-plain: ZAP is told user and password, before any metadata is seen") {
    Server server;
    server.reach_asking();
    CHECK(server.mechanism.zap_credentials() == zap_credentials_of("request-plain"));
    CHECK(server.reader.reads == 0);
    CHECK_FALSE(server.mechanism.is_ready());
}

TEST_CASE("PLN-1 user and password have 0 to 255 bytes of any value") {
    const std::string longest(255, '\377');
    for (const std::string &user : {std::string(), std::string(1, '\0'), longest}) {
        for (const std::string &password : {std::string(), std::string(1, '\0'), longest}) {
            Client client(user, password);
            Server server;
            const Buffer hello = take_command(client.mechanism);
            CHECK(hello.size() == 8 + user.size() + password.size());
            CHECK(feed(server.mechanism, hello) == Step::idle);
            CHECK(server.mechanism.zap_credentials() == std::vector<std::string>{user, password});
        }
    }
}

TEST_CASE("negative.json: malformed PLAIN HELLO") {
    // What becomes of the one that gets through is up to ZAP.
    check_negative_rows<Server>("plain-handshake", 8, [](PlainServer &mechanism) {
        CHECK(next_step(mechanism) == Step::ask_zap);
    });
}

TEST_CASE("PLN-3 HELLO cut at every length") {
    const std::string hello = data_of("plain-hello");
    for (size_t size = 0; size < hello.size(); ++size) {
        INFO(size);
        Server server;
        CHECK(feed(server.mechanism, hello.substr(0, size)) == Step::failed);
        // The name fits from 6 bytes on.
        check_protocol_failure(server.mechanism, size < 6 ? protocol_error::malformed
                                                          : protocol_error::malformed_hello);
    }
}

TEST_CASE("PLN-3 HELLO with bytes to spare") {
    Server server;
    check_refused(server.mechanism, data_of("plain-hello") + '\0', protocol_error::malformed_hello);
}

TEST_CASE("PLN-3 other commands than HELLO are unexpected") {
    for (const std::string body : {"\5hello\1a\1b", "\5HELLX\1a\1b", "\7WELCOME", "\5READY",
                                   "\5ERROR\003400", "\4PING__", "\10INITIATE", "\6HELLO\1a"}) {
        INFO(body);
        Server server;
        check_refused(server.mechanism, body, protocol_error::unexpected_command);
    }
}

// The reference looks at the structure of HELLO only.
TEST_CASE("PLN-3 other commands than INITIATE are unexpected behind WELCOME") {
    for (const std::string body :
         {"", "\10", "\10INITIAT", "\12INITIATE", "\5HELLO\1a\1b", "\5READY", "\10initiate"}) {
        INFO(body);
        Server server;
        server.reach_awaiting_initiate();
        check_refused(server.mechanism, body, protocol_error::unexpected_command);
    }
}

TEST_CASE(
    "PLN-3 a command while ZAP is asked, or while an answer is due, is an unspecified error") {
    const auto check = [](Server &server) {
        check_refused(server.mechanism, data_of("plain-initiate"), protocol_error::unspecified);
    };
    SECTION("asking") {
        Server server;
        server.reach_asking();
        check(server);
    }
    SECTION("WELCOME due") {
        Server server;
        server.reach_asking();
        server.mechanism.zap_answered(200);
        check(server);
    }
    SECTION("READY due") {
        Server server;
        server.reach_awaiting_initiate();
        REQUIRE(feed(server.mechanism, data_of("plain-initiate")) == Step::idle);
        check(server);
    }
    SECTION("ERROR sent") {
        Server server;
        server.reach_asking();
        server.mechanism.zap_answered(400);
        (void)take_command(server.mechanism);
        check(server);
    }
    SECTION("ready") {
        Server server;
        server.reach_awaiting_initiate();
        REQUIRE(feed(server.mechanism, data_of("plain-initiate")) == Step::idle);
        (void)take_command(server.mechanism);
        check(server);
    }
}

TEST_CASE("PLAIN server: bad metadata closes without an event") {
    Server server;
    server.reach_awaiting_initiate();
    server.reader.accepts = false;
    CHECK(feed(server.mechanism, data_of("plain-initiate")) == Step::failed);
    check_failure(server.mechanism, Kind::silent, 0);
}

TEST_CASE("PLAIN: metadata may be empty, and as long as the caller lets it be") {
    for (const size_t size : {size_t(0), size_t(65536 - 9)}) {
        Server server;
        server.reach_awaiting_initiate();
        const std::string metadata(size, 'm');
        CHECK(feed(server.mechanism, "\10INITIATE" + metadata) == Step::idle);
        CHECK(server.reader.seen == metadata);
    }
}

TEST_CASE("BUG-plain-error-400, BUG-plain-error-500: sent and understood as libzmq does (Q-01)") {
    for (const uint32_t status : {400u, 500u}) {
        Client client;
        Server server;
        Talk said = talk(client.mechanism, server.mechanism);
        server.mechanism.zap_answered(status);
        const Buffer error = take_command(server.mechanism);
        CHECK(error == text(data_of("BUG-plain-error-" + std::to_string(status))));
        CHECK(next_step(server.mechanism) == Step::failed);
        check_failure(server.mechanism, Kind::auth, status);
        CHECK(feed(client.mechanism, error) == Step::failed);
        check_failure(client.mechanism, Kind::auth, status);
    }
}

TEST_CASE("rfc-plain-error-400: the name as RFC 24 has it is understood too (Q-01)") {
    Client client;
    client.reach_awaiting_welcome();
    CHECK(feed(client.mechanism, data_of("rfc-plain-error-400")) == Step::failed);
    check_failure(client.mechanism, Kind::auth, 400);
}

TEST_CASE("PLAIN ERROR instead of WELCOME or READY, in both forms") {
    for (const std::string name : {"^RROR", "\5ERROR"}) {
        for (const bool after_welcome : {false, true}) {
            for (const ErrorRow &row : error_rows()) {
                INFO(name << row.rest << " " << after_welcome);
                Client client;
                after_welcome ? client.reach_awaiting_ready() : client.reach_awaiting_welcome();
                CHECK(feed(client.mechanism, name + row.rest) == Step::failed);
                check_failure(client.mechanism, row.kind, row.code);
            }
        }
    }
}

TEST_CASE("Q-26 ZAP 300 sends nothing on PLAIN") {
    Server server;
    server.reach_asking();
    server.mechanism.zap_answered(300);
    CHECK(next_step(server.mechanism) == Step::failed);
    check_failure(server.mechanism, Kind::auth, 300);
}

TEST_CASE("a ZAP answer that no PLAIN mechanism asked for changes nothing") {
    Server server;
    server.mechanism.zap_answered(400);
    CHECK(next_step(server.mechanism) == Step::idle);
    server.reach_asking();
    server.mechanism.zap_answered(200);
    server.mechanism.zap_answered(400);
    CHECK(take_command(server.mechanism) == text("\7WELCOME"));
    Client client;
    client.mechanism.zap_answered(400);
    CHECK(take_command(client.mechanism) == text(data_of("plain-hello")));
}

TEST_CASE("PLAIN client: WELCOME has exactly 8 bytes") {
    Client client;
    client.reach_awaiting_welcome();
    check_refused(client.mechanism, "\7WELCOMEx", protocol_error::malformed_welcome);
}

TEST_CASE("PLAIN client: other commands than WELCOME are unexpected") {
    for (const std::string body : {"", "\7", "\7WELCOM", "\7welcome", "\5READY", "\5HELLO\1a\1b",
                                   "\10INITIATE", "\5ERRO", "^RRO"}) {
        INFO(body);
        Client client;
        client.reach_awaiting_welcome();
        check_refused(client.mechanism, body, protocol_error::unexpected_command);
    }
}

TEST_CASE("PLAIN client: other commands than READY are unexpected behind WELCOME") {
    for (const std::string body : {"", "\5READ", "\7WELCOME", "\7WELCOMEx", "\5ready"}) {
        INFO(body);
        Client client;
        client.reach_awaiting_ready();
        check_refused(client.mechanism, body, protocol_error::unexpected_command);
    }
}

TEST_CASE("PLAIN client: nothing is expected before HELLO is out, nor after READY") {
    Client early;
    check_refused(early.mechanism, "\7WELCOME", protocol_error::unexpected_command);
    Client late;
    late.reach_awaiting_ready();
    REQUIRE(feed(late.mechanism, data_of("plain-ready")) == Step::idle);
    REQUIRE(late.mechanism.is_ready());
    check_refused(late.mechanism, data_of("plain-ready"), protocol_error::unexpected_command);
}

TEST_CASE("PLAIN client: bad metadata of READY is a protocol error") {
    Client client;
    client.reach_awaiting_ready();
    client.reader.accepts = false;
    check_refused(client.mechanism, data_of("plain-ready"), protocol_error::invalid_metadata);
}

TEST_CASE("MON-16 two PLAIN clients refuse each other") {
    Client one, other;
    const Buffer hello = take_command(one.mechanism);
    other.reach_awaiting_welcome();
    check_refused(other.mechanism, hello, protocol_error::unexpected_command);
}

TEST_CASE("MON-17 two PLAIN servers wait for each other") {
    Server one, other;
    const Talk said = talk(one.mechanism, other.mechanism);
    CHECK(said.from_client.empty());
    CHECK(said.from_server.empty());
    CHECK(said.client == Step::idle);
    CHECK(said.server == Step::idle);
}
