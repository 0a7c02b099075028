#include "security/curve_traffic.hpp"
#include "support/curve.hpp"

using namespace tern;
using namespace tern::test;
using namespace tern::test::curve;

TEST_CASE("client-*, server-*: MESSAGE opened and sealed, byte for byte") {
    const struct {
        std::string name;
        Role sender;
        uint64_t nonce;
        uint8_t flags;
        Buffer body;
    } rows[] = {
        {"client-message-1", Role::client, 3, more, text("hello")},
        {"client-message-2", Role::client, 4, 0, {}},
        {"server-message-1", Role::server, 2, 0, text("world")},
        {"client-subscribe-3.1", Role::client, 3, command, text("\11SUBSCRIBEtopic")},
        {"client-cancel-3.1", Role::client, 4, command, text("\6CANCELtopic")},
        {"client-subscribe-3.0", Role::client, 3, 0, text("\1topic")},
        {"client-cancel-3.0", Role::client, 4, 0, text(std::string_view("\0topic", 6))},
        {"server-publish", Role::server, 2, 0, text("topic-1")},
        {"client-ping", Role::client, 5, command, text(std::string_view("\4PING\0\36", 7))},
        {"server-pong", Role::server, 3, command, text("\4PONGabc")},
    };
    for (const auto &row : rows) {
        INFO(row.name);
        const WireFrame frame = cut_frames(view(vec(row.name))).at(0);
        CHECK(frame.flags == 0);
        const Role receiver = row.sender == Role::client ? Role::server : Role::client;
        const OpenResult result = open(*make_traffic(receiver), frame.body);
        CHECK(result.error == protocol_error::none);
        CHECK(int(result.flags) == int(row.flags));
        CHECK(result.body == row.body);
        CHECK(seal(*make_traffic(row.sender, row.nonce), row.flags, row.body) == frame.body);
    }
}

TEST_CASE("CUR-4, CVE-2014-7203: a MESSAGE is taken once, and only forward") {
    const auto at_server = make_traffic(Role::server);
    CHECK(open(*at_server, client_message(0)).error == protocol_error::invalid_sequence);
    CHECK(open(*at_server, client_message(2)).error == protocol_error::invalid_sequence);
    CHECK(open(*at_server, client_message(3)).error == protocol_error::none);
    CHECK(open(*at_server, client_message(3)).error == protocol_error::invalid_sequence);
    CHECK(open(*at_server, client_message(1000)).error == protocol_error::none); // gaps are fine
    CHECK(open(*at_server, client_message(999)).error == protocol_error::invalid_sequence);
    CHECK(open(*at_server, client_message(UINT64_MAX)).error == protocol_error::none);
    CHECK(open(*at_server, client_message(UINT64_MAX)).error == protocol_error::invalid_sequence);
    CHECK(open(*at_server, client_message(0)).error == protocol_error::invalid_sequence);
}

TEST_CASE("a sender never uses a number twice") {
    const auto traffic = make_traffic(Role::client, UINT64_MAX - 1);
    CHECK(seal(*traffic, 0, text("x")) == client_message(UINT64_MAX - 1, text({"\0x", 2})));
    CHECK(seal(*traffic, 0, text("x")) == client_message(UINT64_MAX, text({"\0x", 2})));
    Buffer out(traffic->sealed_size(0));
    CHECK_FALSE(traffic->seal(0, {}, out.data()));
    CHECK_FALSE(traffic->seal(0, {}, out.data()));
    CHECK(out == Buffer(out.size()));
}

TEST_CASE("every size of body goes through, there and back") {
    const auto client = make_traffic(Role::client);
    const auto server = make_traffic(Role::server);
    std::vector<size_t> sizes = {254, 255, 256, 4095, 4096, 65535, 65536, 1000000};
    for (size_t size = 0; size <= 130; ++size) sizes.push_back(size);
    for (const size_t size : sizes) {
        INFO(size);
        Buffer body(size);
        for (size_t i = 0; i < size; ++i) body[i] = uint8_t(i * 7 + size);
        const Buffer there = seal(*client, 0, body);
        CHECK(there.size() == 33 + size);
        const OpenResult at_server = open(*server, there);
        REQUIRE(at_server.error == protocol_error::none);
        REQUIRE(at_server.body == body);
        const OpenResult at_client = open(*client, seal(*server, more, body));
        REQUIRE(at_client.error == protocol_error::none);
        REQUIRE(at_client.body == body);
    }
}

TEST_CASE("Q-07 MORE and COMMAND pass, other flags stay at home") {
    for (unsigned flags = 0; flags < 256; ++flags) {
        const auto client = make_traffic(Role::client);
        const Buffer message = seal(*client, uint8_t(flags), text("x"));
        CHECK(message == client_message(3, {uint8_t(flags & 3), 'x'}));
        CHECK(open(*make_traffic(Role::server), message).flags == (flags & 3));
        // What a peer puts into the other bits is ignored.
        const Buffer theirs = client_message(3, {uint8_t(flags), 'x'});
        const OpenResult result = open(*make_traffic(Role::server), theirs);
        CHECK(result.error == protocol_error::none);
        CHECK(result.flags == (flags & 3));
    }
}

TEST_CASE("a body is sealed where it lies, and opened where it lies") {
    const auto client = make_traffic(Role::client);
    const auto server = make_traffic(Role::server);
    Buffer buffer(client->sealed_size(100), 'b');
    REQUIRE(client->seal(more, view(buffer).skip(client->message_overhead), buffer.data()));
    CHECK(buffer == client_message(3, joined({{more}, Buffer(100, 'b')})));
    TrafficSeal::Opened opened;
    REQUIRE(server->open(buffer.data(), buffer.size(), opened) == protocol_error::none);
    CHECK(opened.body.data() == buffer.data() + server->message_overhead);
    CHECK(opened.body == view(Buffer(100, 'b')));
}

TEST_CASE("MESSAGE cut at every length, and with a byte to spare") {
    const Buffer message = client_message(3, Buffer(21, 'x'));
    for (size_t size = 0; size < message.size(); ++size) {
        INFO(size);
        const uint32_t error = open(*make_traffic(Role::server), slice(message, 0, size)).error;
        CHECK(error == (size < 8    ? protocol_error::malformed
                        : size < 33 ? protocol_error::malformed_message
                                    : protocol_error::cryptographic));
    }
    CHECK(open(*make_traffic(Role::server), joined({message, Buffer(1)})).error ==
          protocol_error::cryptographic);
}

TEST_CASE("CUR-4 MESSAGE with any byte changed, behind a good one") {
    const Buffer message = client_message(0x0303030303030303, Buffer(21, 'x'));
    for (size_t at = 0; at < message.size(); ++at) {
        INFO(at);
        Buffer changed = message;
        changed[at] ^= 1;
        const uint32_t expected =
            at < 8 ? protocol_error::unexpected_command : protocol_error::cryptographic;
        const auto traffic = make_traffic(Role::server);
        CHECK(open(*traffic, client_message(3)).error == protocol_error::none);
        CHECK(open(*traffic, changed).error == expected);
    }
}

TEST_CASE("what does not open is left as it came") {
    const Buffer message = client_message(3, text({"\0secret", 7}));
    Buffer changed = message;
    changed.back() ^= 1;
    Buffer buffer = changed;
    TrafficSeal::Opened opened;
    CHECK(make_traffic(Role::server)->open(buffer.data(), buffer.size(), opened) != 0);
    CHECK(buffer == changed);
    CHECK(opened.body.empty());
}

TEST_CASE("traffic in clear is refused behind a CURVE handshake") {
    for (const Buffer &body :
         {text("hello"), text("\4PING\0\0"), text("\11SUBSCRIBEtopic"), text("\5READY123456"),
          text("\5ERROR\003400"), text("\7message0123456789012345678901234567890")}) {
        const uint32_t error = open(*make_traffic(Role::server), body).error;
        CHECK(error == (body[0] < body.size() ? protocol_error::unexpected_command
                                              : protocol_error::malformed));
    }
}

TEST_CASE("a MESSAGE sent back to its sender does not open") {
    const auto client = make_traffic(Role::client);
    Buffer message;
    for (int i = 0; i < 3; ++i) message = seal(*client, 0, text("x"));
    CHECK(open(*client, message).error == protocol_error::cryptographic);
}

TEST_CASE("a MESSAGE of another connection does not open") {
    Buffer random = server_random();
    random[1] ^= 1; // the low bits of byte 0 are no part of the key
    Server server(false, {}, server_options(), random);
    Client client({}, client_options());
    talk(client.mechanism, server.mechanism);
    REQUIRE(client.mechanism.is_ready());
    const Buffer message = seal(*client.mechanism.take_traffic_seal(), 0, text("x"));
    CHECK(open(*make_traffic(Role::server), message).error == protocol_error::cryptographic);
    CHECK(open(*server.mechanism.take_traffic_seal(), message).error == protocol_error::none);
}

TEST_CASE("a sender gets back what a broken connection did not carry") {
    for (const Role role : {Role::client, Role::server}) {
        const auto traffic = make_traffic(role);
        Buffer first = seal(*traffic, more, text("first"));
        Buffer second = seal(*traffic, 0, {});
        TrafficSeal::Opened opened;
        REQUIRE(traffic->recover(second.data(), second.size(), opened)); // in any order
        CHECK(opened.body.empty());
        CHECK(opened.flags == 0);
        REQUIRE(traffic->recover(first.data(), first.size(), opened));
        CHECK(opened.body == view(text("first")));
        CHECK(opened.flags == more);
        Buffer theirs = seal(*make_traffic(role == Role::client ? Role::server : Role::client), 0,
                             text("theirs"));
        CHECK_FALSE(traffic->recover(theirs.data(), theirs.size(), opened));
        CHECK_FALSE(traffic->recover(theirs.data(), 32, opened));
    }
}
