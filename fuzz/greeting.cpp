// greeting: which version a peer is taken for, and what it is told byte by byte, by the table of
// zmtp.md section 3.
#include "support/fuzz.hpp"

#include "protocol/greeting.hpp"
#include "security/mechanism.hpp"

namespace tern::fuzz {

namespace {

struct Expected {
    size_t size = 0; // bytes of the greeting; more than there are: it is not over
    ZmtpVersion version = ZmtpVersion::v3_1;
};

Expected expected(Bytes in) {
    const auto at = [in](size_t i) { return i < in.size() ? in[i] : -1; };
    if (at(0) != 0xff) return {1, ZmtpVersion::unversioned};
    if (in.size() >= 10 && at(9) % 2 == 0) return {10, ZmtpVersion::unversioned};
    if (at(10) == 0) return {12, ZmtpVersion::v1_0};
    if (at(10) == 1) return {12, ZmtpVersion::v2_0};
    return {64, at(10) == 3 && at(11) == 0 ? ZmtpVersion::v3_0 : ZmtpVersion::v3_1};
}

Buffer wanted_answer(Bytes in, int socket_type, const std::string &name, size_t routing_id_size) {
    Buffer out(10);
    out[0] = 0xff;
    store_be64(out.data() + 1, routing_id_size + 1);
    out[9] = 0x7f;
    const Expected end = expected(in);
    if (in.size() < 10 || end.size <= 10) return out;
    out.push_back(3);
    if (in.size() < 11) return out;
    if (end.size == 12) {
        out.push_back(uint8_t(socket_type));
        return out;
    }
    out.push_back(1);
    append(out, Bytes(name));
    out.resize(64);
    return out;
}

} // namespace

void run(Input input) {
    const int socket_type = input.byte() % 32;
    const int mechanism = input.byte() % 5;
    const size_t routing_id_size = input.byte();
    const Bytes in = input.rest();
    const char *const names[] = {"NULL", "PLAIN", "CURVE", "GSSAPI", "NULL"};
    const std::string name = names[mechanism];
    FUZZ_CHECK(mechanism_name(mechanism) == name);

    Greeting greeting(socket_type, mechanism);
    Buffer out;
    greeting.start(routing_id_size, out);
    const Expected end = expected(in);
    size_t taken = 0;
    bool is_over = false;
    while (taken < in.size() && !is_over) {
        is_over = greeting.take(in[taken++], out);
        FUZZ_CHECK(out == wanted_answer(in.first(taken), socket_type, name, routing_id_size));
    }
    FUZZ_CHECK(is_over == (in.size() >= end.size));
    FUZZ_CHECK(greeting.bytes() == in.first(taken));
    if (!is_over) return;
    FUZZ_CHECK(taken == end.size && greeting.version() == end.version);
    FUZZ_CHECK(framing_of(end.version) ==
               (end.version < ZmtpVersion::v2_0 ? Framing::v1 : Framing::v2));
    FUZZ_CHECK(is_before_3(end.version) == (end.size < 64));
    FUZZ_CHECK(
        subscription_form_of(end.version) ==
        (end.version == ZmtpVersion::v3_1 ? SubscriptionForm::command : SubscriptionForm::message));
    if (end.size == 12) FUZZ_CHECK(greeting.type_code() == in[11]);
    if (end.size != 64) return;
    std::string padded = name;
    padded.resize(20);
    FUZZ_CHECK(greeting.is_same_mechanism() == (in.skip(12).first(20).text() == padded));
    // Two of us understand each other.
    Greeting other(socket_type, mechanism);
    Buffer unused;
    for (size_t i = 0; i < out.size(); ++i) FUZZ_CHECK(other.take(out[i], unused) == (i == 63));
    FUZZ_CHECK(other.version() == ZmtpVersion::v3_1 && other.is_same_mechanism());
}

} // namespace tern::fuzz
