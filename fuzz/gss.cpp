// gss: the GSSAPI mechanism in either role and the traffic behind it, over a context that proves
// what the fuzzer says: steps in any order, right and wrong commands, tokens that open or do not.
// A failure is final, nobody is ready who has not been let in, and what comes out of a sealed frame
// is what the grammar of gss_traffic.hpp says.
#include "support/fuzz.hpp"

#include "base/message.hpp"
#include "protocol/handshake_metadata.hpp"
#include "protocol/socket_types.hpp"
#include "security/gss_mechanism.hpp"

namespace tern::fuzz {

namespace {

using Step = Mechanism::Step;

//   wrapped = "<" replayed:U8 content ">"
class Context final : public GssContext {
  public:
    explicit Context(Input &input) : input_(input) {}

    Outcome step(Bytes token, std::vector<uint8_t> &out) override {
        out.assign(token.begin(), token.end());
        const uint8_t what = input_.byte();
        if (what & 0x80) out.clear();
        return Outcome(what % 4);
    }
    std::string peer_name() const override { return "client@REALM"; }
    bool margins(size_t, Margins &out) const override {
        out = {2, 0, 1};
        return can_wrap;
    }
    bool wrap(uint8_t *wrapped, size_t content_size, const Margins &margins) override {
        wrapped[0] = '<';
        wrapped[1] = 0;
        wrapped[margins.front + content_size] = '>';
        return true;
    }
    Unwrapped unwrap(uint8_t *token, size_t size, Bytes &content) override {
        if (size < 3 || token[0] != '<' || token[size - 1] != '>') return Unwrapped::damaged;
        if (token[1] != 0) return Unwrapped::replayed;
        content = Bytes(token + 2, size - 3);
        return Unwrapped::ok;
    }

    bool can_wrap = true;

  private:
    Input &input_;
};

void put_size(Buffer &out, size_t size) {
    uint8_t bytes[4];
    store_be32(bytes, uint32_t(size));
    append(out, Bytes(bytes, sizeof bytes));
}
Buffer initiate(Bytes token) {
    Buffer body = exact(Bytes(std::string_view("\10INITIATE")));
    put_size(body, token.size());
    append(body, token);
    return body;
}
// With whatever content, as a peer may seal it.
Buffer sealed(Bytes content) {
    Buffer body = exact(Bytes(std::string_view("\7MESSAGE")));
    put_size(body, content.size() + 3);
    append(body, Bytes(std::string_view("<\0", 2)));
    append(body, content);
    body.push_back('>');
    return body;
}

// What opening gives, by the grammar.
uint32_t ref_open(Bytes body, uint8_t &flags, Bytes &opened) {
    const std::string_view name = "\7MESSAGE";
    if (body.first(name.size()).text() != name) return protocol_error::unexpected_command;
    if (body.size() < 12 || load_be32(body.data() + 8) != body.size() - 12)
        return protocol_error::malformed_message;
    const Bytes token = body.skip(12);
    if (token.size() < 3 || token[0] != '<' || token[token.size() - 1] != '>')
        return protocol_error::cryptographic;
    if (token[1] != 0) return protocol_error::invalid_sequence;
    const Bytes content = token.skip(2).first(token.size() - 3);
    if (content.empty() || (content[0] & 12) == 12) return protocol_error::malformed_message;
    flags = uint8_t((content[0] & 3) | (content[0] & 4 ? Message::subscribe : 0) |
                    (content[0] & 8 ? Message::cancel : 0));
    opened = content.skip(1);
    return 0;
}

void check_traffic(TrafficSeal &seal, Context &context, Input &input) {
    FUZZ_CHECK(!seal.can_recover() && seal.sealed_size(SIZE_MAX) == 0);
    while (!input.is_empty()) {
        const uint8_t operation = input.byte();
        const uint8_t message_flags = operation >> 2 & 3;
        const Bytes body = input.chunk();
        Buffer out(seal.sealed_size(body.size()));
        FUZZ_CHECK(out.size() == body.size() + 16);
        FUZZ_CHECK(seal.seal(message_flags, body, out.data()));
        TrafficSeal::Opened opened;
        FUZZ_CHECK(!seal.recover(out.data(), out.size(), opened));
        if (operation & 1) out = sealed(body);
        if (operation & 2) out = exact(body);
        if (operation & 0x40 && !out.empty()) out[input.byte() % out.size()] ^= input.byte();
        uint8_t flags = 0;
        Bytes wanted;
        const Buffer copy = out;
        const uint32_t error = ref_open(view(copy), flags, wanted);
        FUZZ_CHECK(seal.open(out.data(), out.size(), opened) == error);
        if (error == 0) FUZZ_CHECK(opened.flags == flags && opened.body == wanted);
    }
    context.can_wrap = false;
    uint8_t nothing = 0;
    FUZZ_CHECK(seal.sealed_size(0) == 0 && !seal.seal(0, {}, &nothing));
}

} // namespace

void run(Input input) {
    const uint8_t setting = input.byte();
    const bool is_server = setting & 1, seals = setting & 2, asks_zap = setting & 4;
    PeerMetadata reader(socket_type::dealer);
    const auto context = std::make_shared<Context>(input);
    context->can_wrap = !(setting & 8);
    const Buffer own = own_metadata(socket_type::dealer, "", {});
    std::unique_ptr<Mechanism> mechanism;
    if (is_server)
        mechanism = std::make_unique<GssServer>(context, seals, own, reader, asks_zap);
    else
        mechanism = std::make_unique<GssClient>(context, seals, own, reader);

    Buffer ready = exact(Bytes(std::string_view("\5READY")));
    append(ready, view(own_metadata(socket_type::router, "", {})));
    Buffer content = {Message::command};
    append(content, view(ready));
    const Buffer known[] = {initiate({}), initiate(Bytes(std::string_view("token"))), Buffer(),
                            ready, sealed(view(content))};

    bool has_failed = false, is_let_in = !is_server || !asks_zap, has_heard_ready = false;
    for (int left = 24; left > 0 && !input.is_empty() && !mechanism->is_ready(); --left) {
        const uint8_t operation = input.byte();
        switch (operation % 4) {
        case 0: { // what is due
            Buffer body;
            const Step step = mechanism->next(body);
            FUZZ_CHECK(!has_failed || step == Step::failed);
            FUZZ_CHECK(step != Step::ask_zap || (is_server && asks_zap));
            FUZZ_CHECK(mechanism->zap_credentials().empty() == (step != Step::ask_zap));
            has_failed = step == Step::failed;
            if (step != Step::compute) break;
            mechanism->take_computation()();
            mechanism->computed();
            mechanism->computed(); // once more means nothing
            break;
        }
        case 1:   // a known command
        case 2: { // any
            const Buffer body =
                operation % 4 == 2 ? exact(input.chunk()) : known[operation / 4 % std::size(known)];
            const Step step = mechanism->process(view(body));
            FUZZ_CHECK(step == Step::idle || step == Step::failed);
            FUZZ_CHECK(!has_failed || step == Step::failed);
            has_failed = step == Step::failed;
            uint8_t flags;
            Bytes opened = view(body);
            if (!seals || ref_open(view(body), flags, opened) == 0)
                has_heard_ready = has_heard_ready || opened.first(6).text() == "\5READY";
            break;
        }
        case 3: {
            const uint32_t status = 200 + 100 * (operation / 4 % 4);
            mechanism->zap_answered(status);
            if (status == 200) is_let_in = true;
            break;
        }
        }
        FUZZ_CHECK(!mechanism->is_ready() || (is_let_in && has_heard_ready && !has_failed));
    }
    if (has_failed) {
        const Mechanism::Failure failure = mechanism->failure();
        FUZZ_CHECK(mechanism->process({}) == Step::failed);
        FUZZ_CHECK(mechanism->failure().kind == failure.kind);
    }
    if (!mechanism->is_ready()) return;
    const std::unique_ptr<TrafficSeal> seal = mechanism->take_traffic_seal();
    FUZZ_CHECK(bool(seal) == seals);
    if (seal && context->can_wrap) check_traffic(*seal, *context, input);
}

} // namespace tern::fuzz
