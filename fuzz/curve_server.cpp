// curve_server: a client that has all keys and says what the fuzzer wants, sealed as it should be
// or changed on the way. The server lets it in if, and only if, what it said is right.
#include "support/curve.hpp"

namespace tern::fuzz {

namespace {

struct Plan {
    Buffer stream;
    bool hello_opens = true;
    bool introduces_itself = true; // INITIATE opens, and the vouch in it
    uint64_t initiate_nonce = 2;
    std::string client_key;
    Buffer metadata;
};

// A vouch that says: the owner of this key means this connection to this server.
bool is_vouch(const CurveWorld &world, Bytes client_key, Bytes vouch) {
    BoxKey key;
    Buffer content;
    return key.agree(client_key.data(), world.s_secret.data()) &&
           CurveWorld::opened(key, vouch.skip(16), random_nonce("VOUCH---", vouch.data()),
                              content) &&
           content == world.vouch_content();
}

void plan_hello(const CurveWorld &world, uint8_t mode, Input &input, Plan &plan) {
    const Buffer zeros(64);
    const uint8_t version[] = {1, 0};
    Buffer body = world.hello(Bytes(version, 2), {}, 1, view(zeros));
    switch (mode) {
    case 0:
        break;
    case 1: { // what is not looked at
        Buffer content = exact(input.bytes(64));
        content.resize(64);
        const Bytes padding = input.bytes(72);
        body = world.hello(Bytes(version, 2), padding, input.long_number(), view(content));
        break;
    }
    case 2: { // another version
        Buffer other = exact(input.bytes(2));
        other.resize(2);
        body = world.hello(view(other), {}, 1, view(zeros));
        plan.hello_opens = other[0] == 1 && other[1] == 0;
        break;
    }
    case 3: { // changed on the way, or longer, or shorter
        const uint8_t tail = input.byte();
        if (tail & 1)
            body.resize(body.size() - tail / 2 % 100);
        else
            body.resize(body.size() + tail / 2);
        const bool has_size = body.size() == 200;
        const Buffer before = body;
        (void)edit(body, input.chunk());
        const auto is_same = [&](size_t from, size_t to) {
            return view(body).skip(from).first(to - from) ==
                   view(before).skip(from).first(to - from);
        };
        plan.hello_opens = has_size && is_same(0, 8) && is_same(80, 200);
        // The top bit of a public key counts for nothing, until the vouch names the key.
        if (has_size && is_same(0, 8) && is_same(80, 111) && is_same(112, 200) &&
            (body[111] ^ before[111]) == 0x80) {
            plan.hello_opens = true;
            plan.introduces_itself = false;
        }
        break;
    }
    }
    put_frame(plan.stream, uint8_t(input.byte() & 0xfd), view(body));
}

void plan_initiate(const CurveWorld &world, uint8_t mode, Input &input, Plan &plan) {
    const Buffer usual = own_metadata(socket_type::dealer, "ME", {});
    const Bytes metadata = metadata_or(input.large_chunk(), usual);
    Buffer content = world.introduction(view(world.C_public), world.vouch, metadata);
    Buffer cookie = world.cookie;
    switch (mode) {
    case 0:
        plan.initiate_nonce = input.long_number();
        break;
    case 1: // anything in the box
        content = exact(input.large_chunk());
        break;
    case 2: { // a vouch for something else
        Buffer said = exact(input.bytes(64));
        said.resize(64);
        content = world.introduction(view(world.C_public), world.vouch_of(said), metadata);
        break;
    }
    case 3: { // another's key
        Buffer key = exact(input.bytes(32));
        key.resize(32);
        content = world.introduction(view(key), world.vouch, metadata);
        break;
    }
    case 4: // another's cookie
        if (edit(cookie, input.chunk())) plan.introduces_itself = false;
        break;
    case 5: // parts of the box changed before it is sealed
        (void)edit(content, input.chunk());
        break;
    }
    if (content.size() < 128 || !is_vouch(world, view(content), view(content).skip(32).first(96)))
        plan.introduces_itself = false;
    plan.client_key = text(view(content).first(32));
    plan.metadata = exact(view(content).skip(128));
    Buffer body = world.initiate(cookie, plan.initiate_nonce, view(content));
    if (mode == 6 && edit(body, input.chunk())) plan.introduces_itself = false;
    if (mode == 7) {
        const size_t size = input.number() % (body.size() + 1);
        if (size < body.size()) plan.introduces_itself = false;
        body.resize(size);
    }
    put_frame(plan.stream, 4, view(body), input.byte() & 1);
}

} // namespace

void run(Input input) {
    const CurveWorld &world = curve_world();
    HandshakeSetting setting = take_setting(input, mechanism_id::curve);
    setting.security = world.server_options();
    setting.config.max_message_size = -1;
    const size_t split = input.number();
    const uint8_t modes = input.byte();
    Plan plan;
    plan.stream = greeting_of("CURVE");
    plan_hello(world, modes & 3, input, plan);
    plan_initiate(world, modes >> 2 & 7, input, plan);
    const size_t handshake_size = plan.stream.size();
    const Bytes message = input.rest();
    CurveTraffic client(CurveTraffic::Role::client, ~uint64_t(0));
    FUZZ_CHECK(client.agree(world.s_public.data(), world.c_secret.data()));
    Buffer sealed(client.sealed_size(message.size()));
    FUZZ_CHECK(client.seal(Message::more, message, sealed.data()));
    put_frame(plan.stream, 0, view(sealed));

    std::unique_ptr<TrafficSeal> seal;
    const HandshakeResult result = same_however_cut(view(plan.stream), split, [&](Reads &reads) {
        return run_handshake(setting, reads, &seal);
    });

    HandshakeResult wanted;
    const bool is_known = plan.hello_opens && plan.introduces_itself;
    FUZZ_CHECK(result.has_asked == (is_known && setting.config.asks_zap));
    if (result.has_asked)
        FUZZ_CHECK(result.credentials == std::vector<std::string>{plan.client_key});
    const std::string out = text(view(result.out));
    FUZZ_CHECK((out.find("\7WELCOME", 64) == 66) == plan.hello_opens);
    if (!is_known) {
        FUZZ_CHECK(result.has_failed() && result.reason == Handshake::Reason::protocol_error);
        FUZZ_CHECK(result.code != protocol_error::none && out.find("\5READY", 64) == out.npos);
        return;
    }
    if (!setting.config.asks_zap || ref_zap(setting, wanted)) {
        const auto peer = ref_peer(setting.config.socket_type, view(plan.metadata));
        if (peer) set_ready(wanted, *peer);
    }
    FUZZ_CHECK(result.is_ready() == wanted.is_ready());
    if (!wanted.is_ready()) {
        FUZZ_CHECK(result.has_failed());
        if (wanted.has_failed()) check_same(result, wanted);
        return;
    }
    check_same(result, wanted);
    FUZZ_CHECK(result.consumed == handshake_size);
    // Its READY opens with the keys of the client, and says who the server is; then traffic flows.
    const Bytes ready = view(result.out).skip(64 + 2 + 168);
    const size_t header = ready[0] & v2_large ? 9 : 2;
    Buffer metadata;
    FUZZ_CHECK(CurveWorld::opened(
        world.c_s, ready.skip(header + 14),
        counter_nonce("CurveZMQREADY---", big_endian(ready.skip(header + 6).first(8))), metadata));
    FUZZ_CHECK(metadata == own_metadata(setting.config.socket_type, setting.config.routing_id, {}));
    TrafficSeal::Opened opened;
    const uint32_t refusal = seal->open(sealed.data(), sealed.size(), opened);
    if (plan.initiate_nonce == UINT64_MAX) {
        FUZZ_CHECK(refusal == protocol_error::invalid_sequence);
        return;
    }
    FUZZ_CHECK(refusal == 0 && opened.body == message && opened.flags == Message::more);
}

} // namespace tern::fuzz
