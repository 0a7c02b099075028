#include "security/command_body.hpp"

namespace tern {

using Kind = Mechanism::Failure::Kind;

void put_command(std::vector<uint8_t> &out, std::string_view name, Bytes rest) {
    out.clear();
    append(out, Bytes(name));
    append(out, rest);
}

void put_error(std::vector<uint8_t> &out, std::string_view name, uint32_t status) {
    put_command(out, name, Bytes(std::string_view(status == 400 ? "\003400" : "\003500")));
}

Mechanism::Failure parse_error(Bytes rest) {
    if (rest.empty() || rest[0] > rest.size() - 1)
        return {Kind::protocol, protocol_error::malformed_error};
    const std::string_view reason = rest.skip(1).first(rest[0]).text();
    if (reason == "300") return {Kind::auth, 300};
    if (reason == "400") return {Kind::auth, 400};
    if (reason == "500") return {Kind::auth, 500};
    return {Kind::silent, 0};
}

} // namespace tern
