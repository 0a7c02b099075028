#include "security/gss_mechanism.hpp"
#include "support/gss.hpp"
#include "support/mechanisms.hpp"

using namespace tern;
using namespace tern::test;

namespace {

using Outcome = GssContext::Outcome;
using Answers = std::vector<FakeGss::Answer>;

const Answers usual_client = {{Outcome::more, "ask"}, {Outcome::complete, ""}};
const Answers usual_server = {{Outcome::complete, "answer"}};

// Runs what is to be computed, here and now.
void compute(Mechanism &mechanism) {
    REQUIRE(next_step(mechanism) == Step::compute);
    mechanism.take_computation()();
    mechanism.computed();
}

struct Client {
    std::shared_ptr<FakeGss> context;
    FakeReader reader;
    GssClient mechanism;
    explicit Client(bool seals = true, Answers answers = usual_client)
        : context(std::make_shared<FakeGss>(std::move(answers))),
          mechanism(context, seals, text("client data"), reader) {}
};

struct Server {
    std::shared_ptr<FakeGss> context;
    FakeReader reader;
    GssServer mechanism;
    explicit Server(bool seals = true, Answers answers = usual_server, bool asks_zap = true)
        : context(std::make_shared<FakeGss>(std::move(answers))),
          mechanism(context, seals, text("server data"), reader, asks_zap) {}
};

Buffer initiate(std::string_view token) {
    Buffer out = text("\10INITIATE");
    for (const size_t byte : {size_t(0), size_t(0), size_t(0), token.size()})
        out.push_back(uint8_t(byte));
    out.insert(out.end(), token.begin(), token.end());
    return out;
}

// Each side up to the point where it waits for READY.
void greet(Client &client) {
    compute(client.mechanism);
    REQUIRE(take_command(client.mechanism) == initiate("ask"));
    REQUIRE(feed(client.mechanism, initiate("answer")) == Step::idle);
    compute(client.mechanism);
    REQUIRE(take_command(client.mechanism).empty());
    REQUIRE(next_step(client.mechanism) == Step::idle);
}
void greet(Server &server) {
    REQUIRE(next_step(server.mechanism) == Step::idle);
    REQUIRE(feed(server.mechanism, initiate("ask")) == Step::idle);
    compute(server.mechanism);
    REQUIRE(take_command(server.mechanism) == initiate("answer"));
    REQUIRE(next_step(server.mechanism) == Step::idle);
    REQUIRE(feed(server.mechanism, "") == Step::idle);
}

} // namespace

TEST_CASE("security.md 5, quirks Q-53: tokens, an empty command, ZAP, READY, READY") {
    const bool seals = GENERATE(true, false);
    INFO(seals);
    Client client(seals);
    Server server(seals);
    greet(client);
    greet(server);
    CHECK(client.context->heard == std::vector<std::string>{"", "answer"});
    CHECK(server.context->heard == std::vector<std::string>{"ask"});

    REQUIRE(next_step(server.mechanism) == Step::ask_zap);
    CHECK(server.mechanism.zap_credentials() == std::vector<std::string>{"client@REALM"});
    server.mechanism.zap_answered(200);
    CHECK(server.mechanism.zap_credentials().empty());

    const Buffer server_ready = take_command(server.mechanism);
    CHECK((Bytes(server_ready.data(), server_ready.size()).first(8).text() == "\7MESSAGE") ==
          seals);
    if (!seals) CHECK(server_ready == text("\5READYserver data"));
    CHECK(next_step(server.mechanism) == Step::idle);
    CHECK_FALSE(server.mechanism.is_ready());
    CHECK(feed(client.mechanism, server_ready) == Step::idle);
    CHECK(client.reader.seen == "server data");
    CHECK_FALSE(client.mechanism.is_ready());
    const Buffer client_ready = take_command(client.mechanism);
    CHECK(client.mechanism.is_ready());
    CHECK(feed(server.mechanism, client_ready) == Step::idle);
    CHECK(server.mechanism.is_ready());
    CHECK(server.reader.seen == "client data");
    CHECK((client.mechanism.take_traffic_seal() != nullptr) == seals);
    CHECK((server.mechanism.take_traffic_seal() != nullptr) == seals);
}

TEST_CASE("Contexts that take more tokens than Kerberos does") {
    Client client(true, {{Outcome::more, "1"}, {Outcome::more, "3"}, {Outcome::complete, ""}});
    Server server(true, {{Outcome::more, "2"}, {Outcome::complete, "4"}}, false);
    for (int round = 0; round < 2; ++round) {
        compute(client.mechanism);
        REQUIRE(feed(server.mechanism, take_command(client.mechanism)) == Step::idle);
        compute(server.mechanism);
        REQUIRE(feed(client.mechanism, take_command(server.mechanism)) == Step::idle);
    }
    compute(client.mechanism);
    REQUIRE(feed(server.mechanism, take_command(client.mechanism)) == Step::idle);
    CHECK(feed(client.mechanism, take_command(server.mechanism)) == Step::idle);
    CHECK(feed(server.mechanism, take_command(client.mechanism)) == Step::idle);
    CHECK(client.mechanism.is_ready());
    CHECK(server.mechanism.is_ready());
}

TEST_CASE("Without ZAP the server is ready at once") {
    Server server(true, usual_server, false);
    greet(server);
    (void)take_command(server.mechanism);
    CHECK(next_step(server.mechanism) == Step::idle);
}

TEST_CASE("security.md 5: whatever ZAP says but 200 ends it, and nothing is sent") {
    for (const uint32_t status : {300u, 400u, 500u}) {
        Server server;
        greet(server);
        REQUIRE(next_step(server.mechanism) == Step::ask_zap);
        server.mechanism.zap_answered(status);
        CHECK(next_step(server.mechanism) == Step::failed);
        check_failure(server.mechanism, Kind::auth, status);
    }
}

TEST_CASE("A side without credentials is helpless, and the peer's bad token is the peer's fault") {
    Client no_ticket(true, {{Outcome::helpless, ""}});
    compute(no_ticket.mechanism);
    check_failure(no_ticket.mechanism, Kind::helpless, 0);

    Client impostor(true, {{Outcome::more, "ask"}, {Outcome::refused, "error token"}});
    compute(impostor.mechanism);
    (void)take_command(impostor.mechanism);
    REQUIRE(feed(impostor.mechanism, initiate("wrong")) == Step::idle);
    compute(impostor.mechanism);
    check_protocol_failure(impostor.mechanism, protocol_error::cryptographic);

    Server no_keytab(true, {{Outcome::helpless, ""}});
    REQUIRE(feed(no_keytab.mechanism, initiate("ask")) == Step::idle);
    compute(no_keytab.mechanism);
    check_failure(no_keytab.mechanism, Kind::helpless, 0);

    Server refuses(true, {{Outcome::refused, "error token"}});
    REQUIRE(feed(refuses.mechanism, initiate("ask")) == Step::idle);
    compute(refuses.mechanism);
    check_protocol_failure(refuses.mechanism, protocol_error::cryptographic);
}

TEST_CASE("security.md 5: an INITIATE that is none") {
    struct Row {
        Buffer body;
        uint32_t code;
    };
    Buffer longer = initiate("token"), huge = longer;
    longer.push_back(0);
    std::fill_n(huge.begin() + 9, 4, 0xff);
    const std::vector<Row> rows = {
        {{}, protocol_error::unexpected_command},
        {text("\10INITIAT"), protocol_error::unexpected_command},
        {text("\10initiate"), protocol_error::unexpected_command},
        {text("\5HELLO"), protocol_error::unexpected_command},
        {text("\5READY"), protocol_error::unexpected_command},
        {text("\5ERROR\003400"), protocol_error::unexpected_command},
        {text("\10INITIATE"), protocol_error::malformed_initiate},
        {text(std::string_view("\10INITIATE\0\0\0", 12)), protocol_error::malformed_initiate},
        {text(std::string_view("\10INITIATE\0\0\0\1", 13)), protocol_error::malformed_initiate},
        {longer, protocol_error::malformed_initiate},
        {huge, protocol_error::malformed_initiate},
    };
    for (const Row &row : rows) {
        INFO(view(row.body).text());
        Server server;
        check_refused(server.mechanism, row.body, row.code);
        CHECK(server.context->heard.empty());
        Client client;
        compute(client.mechanism);
        (void)take_command(client.mechanism);
        check_refused(client.mechanism, row.body, row.code);
        CHECK(client.context->heard.size() == 1);
    }
}

TEST_CASE("security.md 5: the server waits for the empty command, whoever asks for more") {
    for (const Buffer &body : {initiate("again"), text("\5READY"), text("\7MESSAGE"), text("x")}) {
        Server server;
        REQUIRE(feed(server.mechanism, initiate("ask")) == Step::idle);
        compute(server.mechanism);
        (void)take_command(server.mechanism);
        check_refused(server.mechanism, body, protocol_error::unexpected_command);
    }
}

TEST_CASE("security.md 5: a READY that is not what was agreed") {
    struct Row {
        bool seals;
        Buffer body;
        uint32_t code;
    };
    GssTraffic traffic(std::make_shared<FakeGss>(Answers{}));
    const auto sealed = [&traffic](std::string_view body) {
        Buffer out(traffic.sealed_size(body.size()));
        REQUIRE(traffic.seal(2, Bytes(body), out.data()));
        return out;
    };
    Buffer damaged = sealed("\5READY");
    damaged.back() = 0;
    const std::vector<Row> rows = {
        {true, text("\5READY"), protocol_error::unexpected_command}, // in clear
        {true, {}, protocol_error::unexpected_command},
        {true, text("\7MESSAGE"), protocol_error::malformed_message},
        {true, damaged, protocol_error::cryptographic},
        {true, sealed("\5HELLO"), protocol_error::unexpected_command},
        {true, sealed(""), protocol_error::unexpected_command},
        {false, sealed("\5READY"), protocol_error::unexpected_command},
        {false, text("\5READ"), protocol_error::unexpected_command},
    };
    for (const Row &row : rows) {
        INFO(view(row.body).text());
        Client client(row.seals);
        greet(client);
        check_refused(client.mechanism, row.body, row.code);
        CHECK(client.reader.reads == 0);
        Server server(row.seals, usual_server, false);
        greet(server);
        (void)take_command(server.mechanism);
        check_refused(server.mechanism, row.body, row.code);
        CHECK(server.reader.reads == 0);
    }
    Client client(false);
    greet(client);
    client.reader.accepts = false;
    check_refused(client.mechanism, "\5READYmetadata", protocol_error::invalid_metadata);
    Server server(false, usual_server, false);
    greet(server);
    (void)take_command(server.mechanism);
    server.reader.accepts = false;
    check_refused(server.mechanism, "\5READYmetadata", protocol_error::invalid_metadata);
}

TEST_CASE("A command in a state that waits for none") {
    Client client;
    check_refused(client.mechanism, initiate("early"), protocol_error::unspecified);
    Server server;
    greet(server);
    check_refused(server.mechanism, "\5READY", protocol_error::unspecified);
}

TEST_CASE("A computation may end after its mechanism") {
    std::function<void()> computation;
    std::weak_ptr<FakeGss> context;
    {
        Client client;
        context = client.context;
        computation = client.mechanism.take_computation();
    }
    CHECK_FALSE(context.expired());
    computation();
    computation = nullptr;
    CHECK(context.expired());
}
