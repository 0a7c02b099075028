// gss_kerberos: the GssContext of MIT's library in either role, over a stand-in for the library
// that says what the fuzzer says (support/gss_stand_in.hpp): steps that fail anywhere, promise too
// little or end at once, answers and peers of any kind, then wrapping and unwrapping. What comes
// out is what the comments of gss_context.hpp and gss_kerberos.cpp say, the library is asked for
// nothing else, and everything that it has lent comes back once.
#include "support/fuzz.hpp"
#include "support/gss_stand_in.hpp"

#include "security/gss_context.hpp"

namespace tern::fuzz {

namespace {

using Outcome = GssContext::Outcome;
using Unwrapped = GssContext::Unwrapped;

constexpr size_t content_max = 0x7fff0000;
constexpr OM_uint32 out_of_order =
    GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN | GSS_S_UNSEQ_TOKEN; // but gaps are fine

// An error or none, and of the supplementary bits those that make sense.
OM_uint32 major_of(uint8_t what, OM_uint32 supplementary) {
    constexpr OM_uint32 errors[] = {GSS_S_COMPLETE,
                                    GSS_S_COMPLETE,
                                    GSS_S_COMPLETE,
                                    GSS_S_COMPLETE,
                                    GSS_S_FAILURE,
                                    GSS_S_DEFECTIVE_TOKEN,
                                    GSS_S_CREDENTIALS_EXPIRED,
                                    GSS_S_CALL_BAD_STRUCTURE};
    const OM_uint32 bits = OM_uint32(what % 32) << GSS_C_SUPPLEMENTARY_OFFSET;
    return errors[what / 32] | (bits & supplementary);
}

// ZMQ_GSSAPI_NT_*
gss_OID ref_type(int type) {
    const gss_OID types[] = {GSS_C_NT_HOSTBASED_SERVICE, GSS_C_NT_USER_NAME,
                             const_cast<gss_OID>(GSS_KRB5_NT_PRINCIPAL_NAME)};
    return types[type];
}

SecurityOptions take_options(Input &input) {
    SecurityOptions options;
    const uint8_t setting = input.byte();
    options.as_server = setting & 1;
    options.gssapi_plaintext = setting & 2;
    options.gssapi_principal_name_type = setting / 4 % 8 % 3;
    options.gssapi_service_principal_name_type = setting / 32 % 3;
    options.gssapi_principal = text(input.chunk());
    options.gssapi_service_principal = text(input.chunk());
    return options;
}

// ---- the exchange

// What the library is going to say in a step.
void plan_step(GssStandIn::Says &says, Input &input, bool is_first) {
    const uint8_t plan = input.byte();
    says.leaves_context = plan & 1;
    says.lends_empty_answer = plan & 2;
    says.peer.reset();
    if (plan & 4) says.peer = text(input.chunk());
    if (is_first && plan & 8) {
        for (OM_uint32 &major : says.imports) major = major_of(input.byte(), 0);
        says.acquire = major_of(input.byte(), 0);
    }
    says.major =
        major_of(input.byte(), GSS_S_CONTINUE_NEEDED | GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN);
    says.flags = input.byte();
    says.answer = exact(plan & 16 ? input.large_chunk() : input.chunk());
}

// Before the first step there must be names and credentials. False: there are none.
bool ref_begin(const SecurityOptions &options, const GssStandIn::Says &says,
               GssStandIn::Asked &asked) {
    if (!options.as_server) {
        const int type = options.gssapi_service_principal_name_type;
        asked.imports.push_back({options.gssapi_service_principal, ref_type(type)});
        if (says.imports[0] != GSS_S_COMPLETE) return false;
    }
    if (!options.gssapi_principal.empty()) {
        const OM_uint32 major = says.imports[asked.imports.size()];
        asked.imports.push_back(
            {options.gssapi_principal, ref_type(options.gssapi_principal_name_type)});
        if (major != GSS_S_COMPLETE) return false;
    }
    asked.acquired_for.push_back(options.gssapi_principal);
    return says.acquire == GSS_S_COMPLETE;
}

Outcome ref_step(const SecurityOptions &options, bool is_first, Bytes token,
                 const GssStandIn::Says &says, GssStandIn::Asked &asked) {
    if (is_first && !ref_begin(options, says, asked)) return Outcome::helpless;
    asked.accepts = options.as_server;
    asked.has_token = options.as_server || !is_first;
    if (asked.has_token && token.empty()) return Outcome::refused;
    asked.steps = 1;
    asked.token = exact(token);
    if (says.major == GSS_S_CONTINUE_NEEDED) return Outcome::more;
    if (says.major != GSS_S_COMPLETE) return asked.has_token ? Outcome::refused : Outcome::helpless;
    const auto has = [&](OM_uint32 flag) { return (says.flags & flag) != 0; };
    if (!has(GSS_C_MUTUAL_FLAG)) return Outcome::refused;
    const bool can_protect =
        has(GSS_C_REPLAY_FLAG) && has(GSS_C_CONF_FLAG) && has(GSS_C_INTEG_FLAG);
    if (!options.gssapi_plaintext && !can_protect) return Outcome::refused;
    return Outcome::complete;
}

void check_asked(const SecurityOptions &options, const GssStandIn::Asked &asked,
                 const GssStandIn::Asked &wanted) {
    FUZZ_CHECK(asked.imports.size() == wanted.imports.size());
    for (size_t i = 0; i < asked.imports.size(); ++i) {
        FUZZ_CHECK(asked.imports[i].text == wanted.imports[i].text);
        FUZZ_CHECK(asked.imports[i].type == wanted.imports[i].type);
    }
    FUZZ_CHECK(asked.acquired_for == wanted.acquired_for);
    FUZZ_CHECK(asked.steps == wanted.steps);
    FUZZ_CHECK(asked.displays + asked.lengths + asked.wraps + asked.unwraps == 0);
    if (asked.steps == 0) return;
    FUZZ_CHECK(asked.accepts == wanted.accepts && asked.has_token == wanted.has_token);
    FUZZ_CHECK(asked.token == wanted.token);
    if (asked.accepts) return;
    FUZZ_CHECK(asked.target == options.gssapi_service_principal);
    FUZZ_CHECK(asked.wanted_flags ==
               (GSS_C_MUTUAL_FLAG | GSS_C_REPLAY_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG));
}

// True when it has completed.
bool exchange(GssContext &context, const SecurityOptions &options, GssStandIn &library,
              Input &input) {
    Outcome outcome = Outcome::more;
    for (bool is_first = true; outcome == Outcome::more; is_first = false) {
        if (!is_first && input.is_empty()) return false; // given up on
        const bool has_token = options.as_server || !is_first;
        const Buffer token = has_token ? exact(input.chunk()) : Buffer();
        plan_step(library.says, input, is_first);
        library.asked = {};
        GssStandIn::Asked wanted;
        const Outcome wanted_outcome =
            ref_step(options, is_first, view(token), library.says, wanted);
        Buffer out = {1, 2, 3};
        outcome = context.step(view(token), out);
        FUZZ_CHECK(outcome == wanted_outcome);
        check_asked(options, library.asked, wanted);
        FUZZ_CHECK(out == (wanted.steps > 0 ? library.says.answer : Buffer()));
    }
    return outcome == Outcome::complete;
}

// ---- what follows

void check_peer(const GssContext &context, GssStandIn &library, Input &input) {
    library.says.major = major_of(input.byte(), 0);
    const bool has_text = library.says.peer && library.says.major == GSS_S_COMPLETE;
    FUZZ_CHECK(context.peer_name() == (has_text ? *library.says.peer : std::string()));
    FUZZ_CHECK(library.asked.displays == 1);
}

// Plans the room, and gives it. False: so much can not be wrapped.
bool check_margins(const GssContext &context, GssStandIn &library, Input &input,
                   size_t content_size, GssContext::Margins &margins) {
    GssStandIn::Says &says = library.says;
    const uint8_t plan = input.byte();
    says.major = major_of(plan & 0xe0, 0);
    says.is_confidential = !(plan & 1);
    for (size_t &margin : says.margins) margin = input.byte();
    if (plan & 2) says.margins[0] = gss_header_size;
    const bool is_given = context.margins(content_size, margins);
    const bool is_asked = content_size <= content_max;
    FUZZ_CHECK(library.asked.lengths == (is_asked ? 1 : 0));
    FUZZ_CHECK(is_given == (is_asked && says.major == GSS_S_COMPLETE && says.is_confidential));
    if (is_asked) FUZZ_CHECK(library.asked.parts[1].length == content_size);
    if (!is_given) return false;
    FUZZ_CHECK(margins.front == says.margins[0] && margins.padding == says.margins[1] &&
               margins.trailer == says.margins[2]);
    return true;
}

void check_wrap(GssContext &context, GssStandIn &library, Input &input) {
    GssStandIn::Says &says = library.says;
    const Bytes content = input.chunk();
    GssContext::Margins margins;
    if (!check_margins(context, library, input, content.size(), margins)) return;
    const size_t sizes[] = {margins.front, content.size(), margins.padding, margins.trailer};

    const uint8_t plan = input.byte();
    says.major = major_of(plan & 0xe0, 0);
    says.is_confidential = !(plan & 1);
    says.shrinks_by = {};
    if (plan & 2) says.shrinks_by[plan / 4 % 3] = input.byte();
    Buffer out(margins.sum() + content.size());
    std::copy(content.begin(), content.end(), out.begin() + long(margins.front));
    bool is_wrapped = says.major == GSS_S_COMPLETE && says.is_confidential;
    for (size_t i = 0; i < 3; ++i)
        if (says.shrinks_by[i] > 0 && says.margins[i] > 0) is_wrapped = false;
    FUZZ_CHECK(context.wrap(out.data(), content.size(), margins) == is_wrapped);
    FUZZ_CHECK(library.asked.wraps == 1);
    size_t at = 0;
    for (size_t i = 0; i < 4; ++i) { // side by side, from the front to the end
        FUZZ_CHECK(library.asked.parts[i].length == sizes[i]);
        FUZZ_CHECK(library.asked.parts[i].value == out.data() + at);
        at += sizes[i];
    }
    if (!is_wrapped) return;
    Buffer wanted(margins.front, gss_fillings[0]);
    for (const uint8_t byte : content) wanted.push_back(byte ^ gss_mask);
    wanted.insert(wanted.end(), margins.padding, gss_fillings[1]);
    wanted.insert(wanted.end(), margins.trailer, gss_fillings[2]);
    FUZZ_CHECK(out == wanted);
}

// A token that opens when its number is above all others.
class Sequence {
  public:
    bool take(uint64_t number) {
        const bool is_rising = !last_ || number > *last_;
        if (is_rising) last_ = number;
        return is_rising;
    }
    uint64_t near(uint8_t distance) const {
        return last_.value_or(0) + uint64_t(int64_t(int8_t(distance)));
    }

  private:
    std::optional<uint64_t> last_;
};

//   RFC 4121's token = 05 04 flags:U8 ff 4OCTET sequence:U64 *OCTET
Buffer take_token(Input &input, uint8_t plan, const Sequence &sequence) {
    if (plan & 4) return exact(input.chunk());
    Buffer token = {5, 4, 2, 0xff, 0, 0, 0, 28};
    const uint64_t number = plan & 8 ? input.long_number() : sequence.near(input.byte());
    for (int shift = 56; shift >= 0; shift -= 8) token.push_back(uint8_t(number >> shift));
    append(token, input.chunk());
    if (plan & 16) token.resize(std::min<size_t>(token.size(), input.byte()));
    return token;
}

Unwrapped ref_unwrap(const GssStandIn::Says &says, Bytes token, Sequence &sequence) {
    if (GSS_ERROR(says.major)) return Unwrapped::damaged;
    if (says.major & out_of_order) return Unwrapped::replayed;
    if (!says.is_confidential) return Unwrapped::damaged;
    if (has_gss_header(token) && !sequence.take(load_be64(token.data() + 8)))
        return Unwrapped::replayed;
    return Unwrapped::ok;
}

void check_unwrap(GssContext &context, GssStandIn &library, Input &input, Sequence &sequence) {
    GssStandIn::Says &says = library.says;
    const uint8_t plan = input.byte();
    says.is_confidential = !(plan & 1);
    says.major = major_of(plan & 2 ? input.byte() : 0, out_of_order | GSS_S_GAP_TOKEN);
    Buffer token = take_token(input, plan, sequence);
    says.content_at = std::min<size_t>(token.size(), input.byte());
    says.content_size = std::min<size_t>(token.size() - says.content_at, input.byte());
    const Unwrapped wanted = ref_unwrap(says, view(token), sequence);
    Bytes content;
    FUZZ_CHECK(context.unwrap(token.data(), token.size(), content) == wanted);
    FUZZ_CHECK(library.asked.unwraps == 1);
    FUZZ_CHECK(library.asked.parts[0].value == token.data());
    FUZZ_CHECK(library.asked.parts[0].length == token.size());
    FUZZ_CHECK(!library.asked.parts[1].value && library.asked.parts[1].length == 0);
    if (wanted != Unwrapped::ok) return;
    FUZZ_CHECK(content.data() == token.data() + says.content_at);
    FUZZ_CHECK(content.size() == says.content_size);
}

} // namespace

void run(Input input) {
    const SecurityOptions options = take_options(input);
    GssStandIn library;
    const std::shared_ptr<GssContext> context = make_kerberos_context(options);
    if (!exchange(*context, options, library, input)) return;
    Sequence sequence;
    while (!input.is_empty()) {
        const uint8_t operation = input.byte();
        library.asked = {};
        if (operation % 4 == 0) {
            if (options.as_server) check_peer(*context, library, input);
            continue;
        }
        if (options.gssapi_plaintext) continue; // no traffic is protected
        if (operation % 4 == 1) {
            const bool is_large = operation & 4;
            const uint64_t size = is_large ? input.long_number() : input.number();
            GssContext::Margins margins;
            (void)check_margins(*context, library, input, size_t(size), margins);
        } else if (operation % 4 == 2) {
            check_wrap(*context, library, input);
        } else {
            check_unwrap(*context, library, input, sequence);
        }
    }
}

} // namespace tern::fuzz
