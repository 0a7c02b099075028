// handshake_plain: any bytes as the peer of a PLAIN handshake, in both roles.
#include "support/handshake.hpp"

namespace tern::fuzz {

namespace {

using Reason = Handshake::Reason;

constexpr char user[] = "admin";
constexpr char password[] = "secret";

// The next command. False: there is none, or the connection has ended over it.
bool next_command(const HandshakeSetting &setting, Bytes &in, HandshakeResult &result,
                  std::string &body) {
    RefFrame frame;
    switch (take_frame(in, false, frame_limit(setting.config), frame)) {
    case RefEnd::need_more:
        return false;
    case RefEnd::bad:
        set_failed(result, Reason::silent, 0);
        return false;
    case RefEnd::whole:
        body = frame.body;
        return true;
    }
    return false;
}

// HELLO's two texts, if it is one.
bool read_hello(Bytes rest, std::vector<std::string> &credentials) {
    for (int i = 0; i < 2; ++i) {
        if (rest.empty() || rest.size() - 1 < rest[0]) return false;
        credentials.push_back(text(rest.skip(1).first(rest[0])));
        rest = rest.skip(1 + size_t(rest[0]));
    }
    return rest.empty();
}

void expect_server(const HandshakeSetting &setting, Bytes in, HandshakeResult &result) {
    std::string body;
    if (!next_command(setting, in, result, body)) return;
    const auto refuse = [&](uint32_t code) { set_failed(result, Reason::protocol_error, code); };
    if (body.size() < 2 || body.size() <= uint8_t(body[0]))
        return refuse(protocol_error::malformed);
    if (!begins_with(Bytes(body), "\5HELLO")) return refuse(protocol_error::unexpected_command);
    if (!read_hello(Bytes(body).skip(6), result.credentials))
        return refuse(protocol_error::malformed_hello);
    result.has_asked = true;
    if (!ref_zap(setting, result)) return;
    if (!next_command(setting, in, result, body)) return;
    if (!begins_with(Bytes(body), "\10INITIATE")) return refuse(protocol_error::unexpected_command);
    const auto peer = ref_peer(setting.config.socket_type, Bytes(body).skip(9));
    if (!peer) return set_failed(result, Reason::silent, 0);
    set_ready(result, *peer);
}

void expect_client(const HandshakeSetting &setting, Bytes in, HandshakeResult &result) {
    std::string body;
    const auto refuse = [&](uint32_t code) { set_failed(result, Reason::protocol_error, code); };
    for (const bool awaits_welcome : {true, false}) {
        if (!next_command(setting, in, result, body)) return;
        for (const char *const name : {"^RROR", "\5ERROR"}) {
            const size_t size = std::string(name).size();
            if (begins_with(Bytes(body), name))
                return set_failed(result, ref_error(Bytes(body).skip(size)));
        }
        if (!begins_with(Bytes(body), awaits_welcome ? "\7WELCOME" : "\5READY"))
            return refuse(protocol_error::unexpected_command);
        if (awaits_welcome && body.size() != 8) return refuse(protocol_error::malformed_welcome);
    }
    const auto peer = ref_peer(setting.config.socket_type, Bytes(body).skip(6));
    if (!peer) return refuse(protocol_error::invalid_metadata);
    set_ready(result, *peer);
}

} // namespace

void run(Input input) {
    HandshakeSetting setting = take_setting(input, mechanism_id::plain);
    setting.config.asks_zap = setting.security.as_server; // a server always asks
    setting.security.plain_user = user;
    setting.security.plain_password = password;
    const size_t split = input.number();
    const Bytes stream = input.rest();
    const HandshakeResult result = run_handshake(setting, stream, split);

    RefOpening opening = ref_opening(setting, stream);
    if (opening.way == RefOpening::Way::commands) {
        if (setting.security.as_server)
            expect_server(setting, opening.rest, opening.result);
        else
            expect_client(setting, opening.rest, opening.result);
        FUZZ_CHECK(result.has_asked == opening.result.has_asked);
        FUZZ_CHECK(!result.has_asked || result.credentials == opening.result.credentials);
    }
    check_same(result, opening.result);
    // The password is told to a server that speaks PLAIN, and to nobody else.
    const bool has_told = text(view(result.out)).find(password) != std::string::npos;
    FUZZ_CHECK(has_told ==
               (!setting.security.as_server && opening.way == RefOpening::Way::commands));
}

} // namespace tern::fuzz
