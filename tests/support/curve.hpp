// Curve: the fixed keys and random bytes of curve.json, mechanisms and traffic made of them, and
// commands put together from their parts.
// Threads: test only.
#ifndef TERN_TESTS_SUPPORT_CURVE_HPP
#define TERN_TESTS_SUPPORT_CURVE_HPP

#include "base/message.hpp"
#include "security/curve_mechanism.hpp"
#include "support/mechanisms.hpp"

#include <map>
#include <memory>

namespace tern::test::curve {

// The bytes of a vector of curve.json, which is read once.
inline const Buffer &vec(const std::string &name) {
    static const std::map<std::string, Buffer> vectors = [] {
        std::map<std::string, Buffer> bytes;
        for (const auto &vector : load_vectors("curve.json"))
            bytes.emplace(vector.at("name"), unhex(vector.at("hex")));
        return bytes;
    }();
    return vectors.at(name);
}

inline CurveKey key_of(const Buffer &bytes) {
    CurveKey key{};
    REQUIRE(bytes.size() == key.size());
    std::copy(bytes.begin(), bytes.end(), key.begin());
    return key;
}

inline Buffer joined(std::initializer_list<Buffer> parts) {
    Buffer out;
    for (const Buffer &part : parts) out.insert(out.end(), part.begin(), part.end());
    return out;
}

inline Buffer slice(const Buffer &from, size_t at, size_t size) {
    const Bytes part = view(from).skip(at).first(size);
    return {part.begin(), part.end()};
}

// The fixed inputs of curve.json.
inline SecurityOptions client_options() {
    SecurityOptions options;
    options.curve_public_key = key_of(vec("input-C-public"));
    options.curve_secret_key = key_of(vec("input-C-secret"));
    options.curve_server_key = key_of(vec("input-S-public"));
    return options;
}
inline SecurityOptions server_options() {
    SecurityOptions options;
    options.curve_secret_key = key_of(vec("input-S-secret"));
    options.curve_own_public_key = key_of(vec("input-S-public"));
    return options;
}
inline Buffer client_random() {
    return joined({vec("input-c-prime-secret"), vec("input-vouch-nonce")});
}
inline Buffer server_random() {
    return joined({vec("input-s-prime-secret"), vec("input-cookie-nonce"), vec("input-cookie-key"),
                   vec("input-welcome-nonce")});
}

struct Client {
    FakeReader reader;
    CurveClient mechanism;
    explicit Client(const Buffer &metadata = vec("initiate-metadata"),
                    const SecurityOptions &options = client_options(),
                    const Buffer &random = client_random())
        : mechanism(options, CurveClientRandom(random.data()), metadata, reader) {}

    void reach_awaiting_welcome() { REQUIRE(next_step(mechanism) == Step::send); }
    void reach_awaiting_ready() {
        reach_awaiting_welcome();
        REQUIRE(feed(mechanism, vec("welcome")) == Step::idle);
        REQUIRE(next_step(mechanism) == Step::send);
    }
};

struct Server {
    FakeReader reader;
    CurveServer mechanism;
    explicit Server(bool asks_zap = false, const Buffer &metadata = vec("ready-metadata"),
                    const SecurityOptions &options = server_options(),
                    const Buffer &random = server_random())
        : mechanism(options, CurveServerRandom(random.data()), metadata, reader, asks_zap) {}

    void reach_awaiting_hello() {}
    void reach_awaiting_initiate() {
        REQUIRE(feed(mechanism, vec("hello")) == Step::idle);
        REQUIRE(next_step(mechanism) == Step::send);
    }
};

inline BoxKey &agree(BoxKey &key, const Buffer &public_key, const Buffer &secret_key) {
    REQUIRE(key.agree(public_key.data(), secret_key.data()));
    return key;
}

inline Buffer sealed(const BoxKey &key, const Buffer &content, const BoxNonce &nonce) {
    Buffer box(box_overhead + content.size());
    key.seal(box.data(), view(content), nonce);
    return box;
}

inline Buffer u64(uint64_t value) {
    Buffer out(8);
    store_be64(out.data(), value);
    return out;
}

// INITIATE by its parts; without changes it is the vector.
struct InitiateParts {
    Buffer cookie = vec("cookie");
    uint64_t nonce = 2;
    Buffer client_public = vec("input-C-public");
    Buffer client_secret = vec("input-C-secret");
    Buffer vouch_transient = vec("input-c-prime-public");
    Buffer vouch_server = vec("input-S-public");
    Buffer metadata = vec("initiate-metadata");

    Buffer build() const {
        BoxKey vouch_key, session_key;
        agree(vouch_key, vec("input-s-prime-public"), client_secret);
        agree(session_key, vec("input-s-prime-public"), vec("input-c-prime-secret"));
        const Buffer random = vec("input-vouch-nonce");
        const Buffer vouch = sealed(vouch_key, joined({vouch_transient, vouch_server}),
                                    random_nonce("VOUCH---", random.data()));
        return joined({text("\10INITIATE"), cookie, u64(nonce),
                       sealed(session_key, joined({client_public, random, vouch, metadata}),
                              counter_nonce("CurveZMQINITIATE", nonce))});
    }
};

inline Buffer make_hello(uint64_t nonce, const Buffer &content = Buffer(64)) {
    BoxKey key;
    agree(key, vec("input-S-public"), vec("input-c-prime-secret"));
    return joined({slice(vec("hello"), 0, 112), u64(nonce),
                   sealed(key, content, counter_nonce("CurveZMQHELLO---", nonce))});
}

inline Buffer make_ready(uint64_t nonce, const Buffer &metadata) {
    BoxKey key;
    agree(key, vec("input-c-prime-public"), vec("input-s-prime-secret"));
    return joined({text("\5READY"), u64(nonce),
                   sealed(key, metadata, counter_nonce("CurveZMQREADY---", nonce))});
}

inline Buffer make_cookie(const Buffer &transient_public, const Buffer &transient_secret,
                          const Buffer &key = vec("input-cookie-key")) {
    const Buffer random = vec("input-cookie-nonce");
    return joined({random, sealed(BoxKey(key.data()), joined({transient_public, transient_secret}),
                                  random_nonce("COOKIE--", random.data()))});
}

// Traffic between the fixed transient pairs. The numbers are those after a handshake.
using Role = CurveTraffic::Role;
inline std::unique_ptr<CurveTraffic> make_traffic(Role role, uint64_t first_nonce) {
    const bool is_client = role == Role::client;
    auto traffic = std::make_unique<CurveTraffic>(role, first_nonce);
    traffic->note_peer_nonce(is_client ? 1 : 2);
    const std::string peer = is_client ? "s" : "c", own = is_client ? "c" : "s";
    REQUIRE(traffic->agree(vec("input-" + peer + "-prime-public").data(),
                           vec("input-" + own + "-prime-secret").data()));
    return traffic;
}
inline std::unique_ptr<CurveTraffic> make_traffic(Role role) {
    return make_traffic(role, role == Role::client ? 3 : 2);
}

inline Buffer seal(TrafficSeal &traffic, uint8_t flags, const Buffer &body) {
    Buffer out(traffic.sealed_size(body.size()));
    REQUIRE(traffic.seal(flags, view(body), out.data()));
    return out;
}

struct OpenResult {
    uint32_t error;
    uint8_t flags;
    Buffer body;
};
inline OpenResult open(TrafficSeal &traffic, const Buffer &message) {
    Buffer exact = message;
    TrafficSeal::Opened opened;
    const uint32_t error = traffic.open(exact.data(), exact.size(), opened);
    if (error) return {error, 0, {}};
    return {0, opened.flags, Buffer(opened.body.begin(), opened.body.end())};
}

inline Buffer make_message(uint64_t nonce, const Buffer &content, const char (&purpose)[17]) {
    BoxKey key;
    agree(key, vec("input-s-prime-public"), vec("input-c-prime-secret"));
    return joined(
        {text("\7MESSAGE"), u64(nonce), sealed(key, content, counter_nonce(purpose, nonce))});
}
inline Buffer client_message(uint64_t nonce, const Buffer &content = Buffer(1)) {
    return make_message(nonce, content, "CurveZMQMESSAGEC");
}

inline constexpr uint8_t more = Message::more;
inline constexpr uint8_t command = Message::command;

} // namespace tern::test::curve

#endif
