// mechanisms: all of them, in both roles, called in any order with right and wrong commands. A
// failure is final, nothing is said behind it or behind the end, and nobody is ready who has not
// been let in.
#include "support/fuzz.hpp"
#include "support/reference.hpp"

#include "protocol/handshake_metadata.hpp"
#include "security/null_mechanism.hpp"
#include "security/plain_mechanism.hpp"
#ifdef TERN_HAVE_CURVE_MECHANISM
#include "support/curve.hpp"
#endif

namespace tern::fuzz {

namespace {

using Step = Mechanism::Step;

struct Side {
    std::unique_ptr<Mechanism> mechanism;
    std::vector<Buffer> commands; // what an honest peer says, and what else one may say
    bool asks = false;
};

Buffer command(std::string_view name, Bytes rest) {
    Buffer body = exact(Bytes(name));
    append(body, rest);
    return body;
}

Side make_side(unsigned which, MetadataReader &reader, bool asks_zap) {
    Side side;
    const Buffer own = own_metadata(socket_type::dealer, "", {});
    const Buffer peer = own_metadata(socket_type::router, "", {});
    for (const char *const error : {"\5ERROR\003400", "^RROR\003300", "\5ERROR"})
        side.commands.push_back(command(error, {}));
    switch (which) {
    case 0:
        side.mechanism = std::make_unique<NullMechanism>(own, reader, asks_zap);
        side.commands.push_back(command("\5READY", view(peer)));
        side.asks = asks_zap;
        break;
    case 1:
        side.mechanism = std::make_unique<PlainClient>("user", "password", own, reader);
        side.commands.push_back(command("\7WELCOME", {}));
        side.commands.push_back(command("\5READY", view(peer)));
        break;
    case 2:
        side.mechanism = std::make_unique<PlainServer>(own, reader);
        side.commands.push_back(command("\5HELLO\1u\1p", {}));
        side.commands.push_back(command("\10INITIATE", view(peer)));
        side.asks = true;
        break;
#ifdef TERN_HAVE_CURVE_MECHANISM
    case 3: {
        const CurveWorld &world = curve_world();
        CurveClientRandom random;
        FUZZ_CHECK(curve_random(random.data(), random.size()));
        SecurityOptions options = world.client_options();
        if (asks_zap) options.curve_server_key = {}; // a key with which nobody can agree
        side.mechanism = std::make_unique<CurveClient>(options, random, own, reader);
        const Buffer content = CurveWorld::joined(view(world.s_public), view(world.cookie));
        side.commands.push_back(world.welcome(view(content)));
        side.commands.push_back(world.ready(1, view(peer)));
        const Buffer nobody(128);
        side.commands.push_back(world.welcome(view(nobody)));
        break;
    }
    case 4: {
        const CurveWorld &world = curve_world();
        CurveServerRandom random;
        FUZZ_CHECK(curve_random(random.data(), random.size()));
        side.mechanism =
            std::make_unique<CurveServer>(world.server_options(), random, own, reader, asks_zap);
        const uint8_t version[] = {1, 0};
        const Buffer zeros(64);
        side.commands.push_back(world.hello(Bytes(version, 2), {}, 1, view(zeros)));
        const Buffer content = world.introduction(view(world.C_public), world.vouch, view(peer));
        side.commands.push_back(world.initiate(world.cookie, 2, view(content)));
        side.asks = asks_zap;
        break;
    }
#endif
    default:
        break;
    }
    return side;
}

} // namespace

void run(Input input) {
    const uint8_t which = input.byte();
    PeerMetadata reader(socket_type::dealer);
    const Side side = make_side(which % 5, reader, which & 0x80);
    if (!side.mechanism) return;
    Mechanism &mechanism = *side.mechanism;
    bool has_failed = false, is_let_in = !side.asks;
    Mechanism::Failure failure;
    const auto fails = [&] {
        if (has_failed)
            FUZZ_CHECK(mechanism.failure().kind == failure.kind &&
                       mechanism.failure().code == failure.code);
        has_failed = true;
        failure = mechanism.failure();
    };
    for (int left = 24; left > 0 && !input.is_empty(); --left) {
        const uint8_t operation = input.byte();
        const bool was_ready = mechanism.is_ready();
        switch (operation % 4) {
        case 0: { // what is due
            Buffer body;
            const Step step = mechanism.next(body);
            FUZZ_CHECK(!was_ready || step == Step::idle || has_failed);
            FUZZ_CHECK(!has_failed || step == Step::failed);
            FUZZ_CHECK((step == Step::send) == !body.empty());
            FUZZ_CHECK(step != Step::ask_zap || side.asks);
            if (step == Step::ask_zap) (void)mechanism.zap_credentials();
            if (step == Step::failed) fails();
            break;
        }
        case 1:   // a known command
        case 2: { // any
            const Buffer body =
                operation % 4 == 2
                    ? exact(input.chunk())
                    : exact(view(side.commands[operation / 4 % side.commands.size()]));
            const Step step = mechanism.process(view(body));
            FUZZ_CHECK(step == Step::idle || step == Step::failed);
            FUZZ_CHECK(!has_failed || step == Step::failed);
            FUZZ_CHECK(!was_ready || step == Step::failed); // nothing is due any more
            if (step == Step::failed) fails();
            break;
        }
        case 3: {
            const uint32_t status = 200 + 100 * (operation / 4 % 4);
            mechanism.zap_answered(status);
            if (status == 200) is_let_in = true;
            break;
        }
        }
        FUZZ_CHECK(!mechanism.is_ready() || (is_let_in && !has_failed));
    }
    if (mechanism.is_ready()) FUZZ_CHECK(bool(mechanism.take_traffic_seal()) == (which % 5 >= 3));
}

} // namespace tern::fuzz
