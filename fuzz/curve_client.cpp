// curve_client: a server that has all keys and says what the fuzzer wants, sealed as it should be
// or changed on the way. The client is satisfied if, and only if, what it heard is right.
#include "support/curve.hpp"

namespace tern::fuzz {

namespace {

using Reason = Handshake::Reason;

struct Plan {
    Buffer stream;
    bool welcome_opens = true;
    bool server_key_is_ours = true; // so that we can know the session key
    Buffer cookie;
    HandshakeResult wanted;
    bool is_wanted_known = true; // of wanted: whether it is ready is always known
    uint64_t ready_nonce = 1;
};

void refuse(Plan &plan, uint32_t code) { set_failed(plan.wanted, Reason::protocol_error, code); }

void plan_welcome(const CurveWorld &world, uint8_t mode, Input &input, Plan &plan) {
    Buffer content = CurveWorld::joined(view(world.s_public), view(world.cookie));
    switch (mode) {
    case 1: // any cookie: the client can not look into it
        content = exact(view(content).first(32));
        append(content, input.bytes(96));
        content.resize(128);
        break;
    case 2: // any key for this connection
        content = exact(input.bytes(32));
        content.resize(128);
        break;
    case 3:
        content = exact(input.chunk());
        break; // of any size
    }
    plan.cookie = exact(view(content).skip(32));
    plan.server_key_is_ours = view(content).first(32) == view(world.s_public);
    Buffer body = world.welcome(view(content));
    if (mode == 4 && edit(body, input.chunk())) plan.welcome_opens = false;
    if (content.size() != 128) plan.welcome_opens = false;
    if (mode == 5) { // something else in its place
        body = exact(input.large_chunk());
        plan.welcome_opens = false;
    }
    put_frame(plan.stream, uint8_t(input.byte() & 0xfd), view(body));
    if (plan.welcome_opens) return;
    if (begins_with(view(body), "\7WELCOME")) {
        // One that was captured from this very world opens.
        Buffer seen;
        plan.welcome_opens = body.size() == 168 &&
                             CurveWorld::opened(world.c_S, view(body).skip(24),
                                                random_nonce("WELCOME-", body.data() + 8), seen);
        if (plan.welcome_opens) {
            plan.cookie = exact(view(seen).skip(32));
            plan.server_key_is_ours = view(seen).first(32) == view(world.s_public);
        } else {
            refuse(plan, protocol_error::cryptographic);
        }
    } else if (begins_with(view(body), "\5READY")) {
        refuse(plan,
               body.size() < 30 ? protocol_error::malformed_ready : protocol_error::cryptographic);
    } else if (begins_with(view(body), "\5ERROR")) {
        set_failed(plan.wanted, ref_error(view(body).skip(6)));
    } else {
        refuse(plan, protocol_error::unexpected_command);
    }
}

void plan_ready(const CurveWorld &world, uint8_t mode, int own_type, Input &input, Plan &plan) {
    const Buffer usual = own_metadata(socket_type::router, "", {});
    const Bytes metadata = metadata_or(input.large_chunk(), usual);
    if (mode == 1) plan.ready_nonce = input.long_number();
    Buffer body = world.ready(plan.ready_nonce, metadata);
    bool is_changed = false;
    if (mode == 2) is_changed = edit(body, input.chunk());
    if (mode == 3) {
        const size_t size = input.number() % (body.size() + 1);
        is_changed = size < body.size();
        body.resize(size);
    }
    if (mode >= 4) body = exact(input.large_chunk());
    put_frame(plan.stream, uint8_t(input.byte() & 0xfd), view(body));
    if (plan.wanted.has_failed()) return;

    Buffer seen;
    if (begins_with(view(body), "\5READY")) {
        if (body.size() < 30) return refuse(plan, protocol_error::malformed_ready);
        plan.ready_nonce = big_endian(view(body).skip(6).first(8));
        const bool opens =
            plan.server_key_is_ours &&
            CurveWorld::opened(world.c_s, view(body).skip(14),
                               counter_nonce("CurveZMQREADY---", plan.ready_nonce), seen);
        FUZZ_CHECK(!(opens && is_changed));
        if (!opens) return refuse(plan, protocol_error::cryptographic);
        const auto peer = ref_peer(own_type, view(seen));
        if (peer)
            set_ready(plan.wanted, *peer);
        else
            refuse(plan, protocol_error::invalid_metadata);
    } else if (begins_with(view(body), "\5ERROR")) {
        set_failed(plan.wanted, ref_error(view(body).skip(6)));
    } else {
        refuse(plan, protocol_error::unexpected_command);
    }
}

// INITIATE gives the server its cookie back, and proves to it, and to nobody else, who this is.
void check_initiate(const CurveWorld &world, Bytes initiate, const Plan &plan,
                    const Buffer &metadata) {
    FUZZ_CHECK(initiate.skip(9).first(96) == view(plan.cookie));
    if (!plan.server_key_is_ours) return;
    Buffer content, vouch;
    FUZZ_CHECK(CurveWorld::opened(world.c_s, initiate.skip(113),
                                  counter_nonce("CurveZMQINITIATE", 2), content));
    FUZZ_CHECK(big_endian(initiate.skip(105).first(8)) == 2);
    FUZZ_CHECK(content == world.introduction(view(world.C_public), world.vouch, view(metadata)));
}

} // namespace

void run(Input input) {
    const CurveWorld &world = curve_world();
    HandshakeSetting setting = take_setting(input, mechanism_id::curve);
    setting.security = world.client_options();
    setting.config.asks_zap = false;
    setting.config.max_message_size = -1;
    const size_t split = input.number();
    const uint8_t modes = input.byte();
    Plan plan;
    plan.stream = greeting_of("CURVE");
    plan_welcome(world, (modes & 7) % 6, input, plan);
    plan_ready(world, (modes >> 3 & 7) % 5, setting.config.socket_type, input, plan);
    const size_t handshake_size = plan.stream.size();
    const Bytes message = input.rest();
    CurveTraffic server(CurveTraffic::Role::server, ~uint64_t(0));
    FUZZ_CHECK(server.agree(world.c_public.data(), world.s_secret.data()));
    Buffer sealed(server.sealed_size(message.size()));
    FUZZ_CHECK(server.seal(Message::more, message, sealed.data()));
    put_frame(plan.stream, 0, view(sealed));

    std::unique_ptr<TrafficSeal> seal;
    const HandshakeResult result = same_however_cut(view(plan.stream), split, [&](Reads &reads) {
        return run_handshake(setting, reads, &seal);
    });

    const std::string out = text(view(result.out));
    FUZZ_CHECK(out.find("\5HELLO", 64) == 66);
    const Bytes sent = view(result.out).skip(64 + 2 + 200);
    if (!plan.welcome_opens) {
        FUZZ_CHECK(sent.empty()); // and so not its name
    } else if (!sent.empty()) {
        const Bytes body = sent.skip(sent[0] & v2_large ? 9 : 2);
        FUZZ_CHECK(begins_with(body, "\10INITIATE"));
        check_initiate(world, body, plan,
                       own_metadata(setting.config.socket_type, setting.config.routing_id, {}));
    } else {
        // Only to a key that gives a secret that everybody knows there is no answer.
        FUZZ_CHECK(!plan.server_key_is_ours);
        FUZZ_CHECK(result.has_failed_with(Reason::protocol_error, protocol_error::cryptographic));
        return;
    }
    check_same(result, plan.wanted);
    if (!result.is_ready()) return;
    FUZZ_CHECK(result.consumed == handshake_size);
    TrafficSeal::Opened opened;
    const uint32_t refusal = seal->open(sealed.data(), sealed.size(), opened);
    if (plan.ready_nonce == UINT64_MAX) {
        FUZZ_CHECK(refusal == protocol_error::invalid_sequence);
        return;
    }
    FUZZ_CHECK(refusal == 0 && opened.body == message && opened.flags == Message::more);
}

} // namespace tern::fuzz
