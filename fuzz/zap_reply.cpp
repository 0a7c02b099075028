// zap_reply: what an authenticator answers, and what a handshake makes of it.
#include "support/fuzz.hpp"
#include "support/reference.hpp"

#include "protocol/handshake.hpp"

#include <algorithm>

namespace tern::fuzz {

namespace {

ZapReply expected(const ZapFrames &frames) {
    ZapReply reply;
    if (frames.size() != 7)
        reply.error = zap_error::malformed_reply;
    else if (frames[0] != "")
        reply.error = zap_error::unspecified;
    else if (frames[1] != "1.0")
        reply.error = zap_error::bad_version;
    else if (frames[2] != "1")
        reply.error = zap_error::bad_request_id;
    else if (frames[3] == "200")
        reply.status = 200;
    else if (frames[3] == "300")
        reply.status = 300;
    else if (frames[3] == "400")
        reply.status = 400;
    else if (frames[3] == "500")
        reply.status = 500;
    else
        reply.error = zap_error::invalid_status;
    if (reply.error != protocol_error::none) return reply;
    reply.user_id = frames[5];
    reply.metadata = frames[6];
    return reply;
}

void check_handshake(int own_type, const ZapFrames &frames, const ZapReply &reply) {
    HandshakeConfig config;
    config.socket_type = own_type;
    config.asks_zap = true;
    Handshake handshake(std::move(config));
    Buffer out;
    handshake.start(out);
    Buffer greeting(64);
    greeting[0] = 0xff;
    greeting[9] = 0x7f;
    greeting[10] = 3;
    greeting[11] = 1;
    std::copy_n("NULL", 4, greeting.begin() + 12);
    size_t consumed = 0;
    FUZZ_CHECK(handshake.feed(view(greeting), consumed, out) == Handshake::Outcome::more);
    FUZZ_CHECK(handshake.is_waiting_for_zap() && consumed == 64 && out.size() == 64);

    const auto named = ref_peer(own_type, Bytes(reply.metadata));
    const bool is_right = reply.error == protocol_error::none && named;
    const auto outcome = handshake.take_zap_reply(frames, out);
    FUZZ_CHECK(!handshake.is_waiting_for_zap());
    const bool goes_on = is_right && reply.status == 200;
    FUZZ_CHECK(outcome == (goes_on ? Handshake::Outcome::more : Handshake::Outcome::failed));
    const std::string sent = text(view(out).skip(64));
    if (goes_on) {
        FUZZ_CHECK(sent.find("\5READY") == 2);
        PropertyList properties = named->properties;
        properties.emplace_back("User-Id", reply.user_id);
        FUZZ_CHECK(handshake.zap_properties() == properties);
        FUZZ_CHECK(handshake.peer_routing_id() == named->routing_id);
        return;
    }
    const Handshake::Failure failure = handshake.failure();
    if (!is_right) {
        FUZZ_CHECK(failure.reason == Handshake::Reason::protocol_error && sent.empty());
        FUZZ_CHECK(failure.code ==
                   (reply.error ? reply.error : uint32_t(zap_error::invalid_metadata)));
        return;
    }
    FUZZ_CHECK(failure.reason == Handshake::Reason::auth && failure.code == reply.status);
    FUZZ_CHECK(failure.is_fatal == (reply.status != 300));
    FUZZ_CHECK(reply.status == 300 ? sent.empty() : sent.find("\5ERROR\3") == 2);
}

void check_request(const ZapFrames &parts) {
    ZapRequest request;
    const auto part = [&](size_t i) { return i < parts.size() ? parts[i] : std::string(); };
    const std::string domain = part(0), address = part(1), routing_id = part(2);
    request.domain = domain;
    request.address = address;
    request.routing_id = routing_id;
    request.mechanism = int(parts.size() % 5);
    request.credentials = {part(3), part(4)};
    const char *const names[] = {"NULL", "PLAIN", "CURVE", "GSSAPI", "NULL"};
    const ZapFrames wanted = {
        "", "1.0", "1", domain, address, routing_id, names[request.mechanism], part(3), part(4)};
    FUZZ_CHECK(zap_request_frames(std::move(request)) == wanted);
}

} // namespace

void run(Input input) {
    const int own_type = input.byte() % socket_type::count;
    ZapFrames frames;
    while (!input.is_empty()) frames.push_back(text(input.chunk()));
    const ZapReply reply = parse_zap_reply(frames), wanted = expected(frames);
    FUZZ_CHECK(reply.error == wanted.error);
    if (reply.error == protocol_error::none)
        FUZZ_CHECK(reply.status == wanted.status && reply.user_id == wanted.user_id &&
                   reply.metadata == wanted.metadata);
    check_handshake(own_type, frames, wanted);
    check_request(frames);
}

} // namespace tern::fuzz
