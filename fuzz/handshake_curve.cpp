// handshake_curve: any bytes as the peer of a CURVE handshake, in both roles. Nobody gets through
// who does not have the keys: what does is a handshake of the corpus, with the keys of the corpus.
#include "support/curve.hpp"

namespace tern::fuzz {

void run(Input input) {
    const CurveWorld &world = curve_world();
    HandshakeSetting setting = take_setting(input, mechanism_id::curve);
    const bool is_server = setting.security.as_server;
    setting.security = is_server ? world.server_options() : world.client_options();
    if (!is_server) setting.config.asks_zap = false;
    const size_t split = input.number();
    const Bytes stream = input.rest();
    const HandshakeResult result = run_handshake(setting, stream, split);

    const RefOpening opening = ref_opening(setting, stream);
    if (opening.way != RefOpening::Way::commands) {
        check_same(result, opening.result);
        return;
    }
    // The secrets are in nothing that is sent in clear or sealed.
    const std::string out = text(view(result.out));
    for (const CurveKey &secret : {world.S_secret, world.C_secret, world.s_secret, world.c_secret})
        FUZZ_CHECK(out.find(text(view(secret))) == out.npos);
    if (is_server && (result.is_ready() || result.has_asked)) {
        // It had c' (a proof of S is the cookie that came back) and C.
        FUZZ_CHECK(opening.rest.size() > 2 + 200);
        FUZZ_CHECK(!result.has_asked || result.credentials[0].size() == 32);
    }
    FUZZ_CHECK(is_server || !result.has_asked);
    // An ERROR is read as everywhere.
    RefFrame frame;
    Bytes rest = opening.rest;
    if (!is_server && take_frame(rest, false, frame_limit(setting.config), frame) == RefEnd::whole &&
        begins_with(Bytes(frame.body), "\5ERROR")) {
        HandshakeResult wanted;
        set_failed(wanted, ref_error(Bytes(frame.body).skip(6)));
        check_same(result, wanted);
    }
}

} // namespace tern::fuzz
