// Mechanisms: what their tests share: a metadata reader, commands fed from memory of the exact
// size, and two sides that talk until neither has anything more to say. Threads: test only.
#ifndef TERN_TESTS_SUPPORT_MECHANISMS_HPP
#define TERN_TESTS_SUPPORT_MECHANISMS_HPP

#include "protocol/frame.hpp"
#include "security/mechanism.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

namespace tern::test {

using Step = Mechanism::Step;
using Kind = Mechanism::Failure::Kind;

struct FakeReader final : MetadataReader {
    bool accepts = true;
    size_t reads = 0;
    std::string seen;
    bool read(Bytes metadata) override {
        ++reads;
        seen = metadata.text();
        return accepts;
    }
};

inline Buffer text(std::string_view string) { return {string.begin(), string.end()}; }

// Memory of the exact size, so that ASan sees overruns.
inline Step feed(Mechanism &mechanism, Bytes body) {
    const Buffer exact(body.begin(), body.end());
    return mechanism.process(view(exact));
}
inline Step feed(Mechanism &mechanism, const Buffer &body) { return feed(mechanism, view(body)); }
inline Step feed(Mechanism &mechanism, std::string_view body) {
    return feed(mechanism, Bytes(body));
}

// The one command that is due.
inline Buffer take_command(Mechanism &mechanism) {
    Buffer body;
    REQUIRE(mechanism.next(body) == Step::send);
    return body;
}

inline Step next_step(Mechanism &mechanism) {
    Buffer unused;
    return mechanism.next(unused);
}

inline void check_failure(Mechanism &mechanism, Kind kind, uint32_t code) {
    CHECK(mechanism.failure().kind == kind);
    CHECK(mechanism.failure().code == code);
    CHECK_FALSE(mechanism.is_ready());
    CHECK(next_step(mechanism) == Step::failed);
    CHECK(feed(mechanism, "\5READY") == Step::failed);
    CHECK(mechanism.failure().kind == kind);
    CHECK(mechanism.failure().code == code);
}
inline void check_protocol_failure(Mechanism &mechanism, uint32_t code) {
    check_failure(mechanism, Kind::protocol, code);
}

template <class Body>
void check_refused(Mechanism &mechanism, const Body &body, uint32_t code) {
    CHECK(feed(mechanism, body) == Step::failed);
    check_protocol_failure(mechanism, code);
}

struct Talk {
    std::vector<Buffer> from_client;
    std::vector<Buffer> from_server;
    Step client = Step::idle; // the last step of each
    Step server = Step::idle;
};

// Sends what one side has to say to the other. True when there was something.
inline bool say(Mechanism &from, Mechanism &to, std::vector<Buffer> &said, Step &own, Step &other) {
    Buffer body;
    bool any = false;
    while ((own = from.next(body)) == Step::send) {
        any = true;
        said.push_back(body);
        other = feed(to, body);
        if (other == Step::failed) return false;
    }
    return any;
}

// Until both are idle, one has failed, or the server asks.
inline void talk(Mechanism &client, Mechanism &server, Talk &talk) {
    bool any = true;
    while (any) {
        any = say(client, server, talk.from_client, talk.client, talk.server);
        if (say(server, client, talk.from_server, talk.server, talk.client)) any = true;
    }
}
inline Talk talk(Mechanism &client, Mechanism &server) {
    Talk result;
    talk(client, server, result);
    return result;
}

struct WireFrame {
    uint8_t flags; // as on the wire
    Buffer body;
};

// Cuts v2 frames out of a captured stream.
inline std::vector<WireFrame> cut_frames(Bytes stream) {
    std::vector<WireFrame> frames;
    while (!stream.empty()) {
        FrameHeader header;
        REQUIRE(parse_v2_header(stream.data(), stream.size(), header) == Parse::complete);
        const Bytes body = stream.skip(header.header_size).first(size_t(header.body_size));
        REQUIRE(body.size() == header.body_size);
        frames.push_back({stream[0], Buffer(body.begin(), body.end())});
        stream = stream.skip(header.header_size + body.size());
    }
    return frames;
}
inline Buffer frame_body(const Buffer &frame) { return cut_frames(view(frame)).at(0).body; }

// A row of negative.json: the code of its HANDSHAKE_FAILED_PROTOCOL, 0 when it has none.
inline uint32_t protocol_error_of(const nlohmann::json &row) {
    static const std::string event = "HANDSHAKE_FAILED_PROTOCOL=";
    for (const std::string name : row.at("events"))
        if (name.compare(0, event.size(), event) == 0)
            return static_cast<uint32_t>(std::stoul(name.substr(event.size()), nullptr, 16));
    return 0;
}

// The rows of one stage, each to a fresh Server; `accepted` looks at what got through.
template <class Server, class Accepted>
void check_negative_rows(const std::string &stage, size_t expected_rows, Accepted accepted) {
    size_t rows = 0;
    for (const auto &row : load_vectors("negative.json")) {
        if (row.at("stage") != stage) continue;
        INFO(row.at("name"));
        ++rows;
        Server server;
        const Buffer body = frame_body(unhex(row.at("hex")));
        if (const uint32_t code = protocol_error_of(row)) {
            check_refused(server.mechanism, body, code);
        } else {
            CHECK(feed(server.mechanism, body) == Step::idle);
            accepted(server.mechanism);
        }
    }
    CHECK(rows == expected_rows);
}

// What a request of zap.json carries behind the mechanism's name.
inline std::vector<std::string> zap_credentials_of(const std::string &request) {
    for (const auto &vector : load_vectors("zap.json")) {
        if (vector.at("name") != request) continue;
        std::vector<std::string> credentials;
        for (size_t i = 7; i < vector.at("frames").size(); ++i) {
            const Buffer frame = unhex(vector.at("frames").at(i));
            credentials.emplace_back(frame.begin(), frame.end());
        }
        return credentials;
    }
    throw std::runtime_error("no request: " + request);
}

// ERROR by the part behind its name, and what a client makes of it (zmtp.md section 5.3).
struct ErrorRow {
    std::string rest;
    Kind kind;
    uint32_t code;
};
inline const std::vector<ErrorRow> &error_rows() {
    static const std::vector<ErrorRow> rows = {
        {"\003300", Kind::auth, 300},
        {"\003400", Kind::auth, 400},
        {"\003500junk", Kind::auth, 500},
        {"\003200", Kind::silent, 0},
        {"\003600", Kind::silent, 0},
        {"\0044000", Kind::silent, 0},
        {std::string(1, '\0'), Kind::silent, 0},
        {"", Kind::protocol, protocol_error::malformed_error},
        {"\003", Kind::protocol, protocol_error::malformed_error},
        {"\00340", Kind::protocol, protocol_error::malformed_error},
        {"\377abc", Kind::protocol, protocol_error::malformed_error},
    };
    return rows;
}

} // namespace tern::test

#endif
