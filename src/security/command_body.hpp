// Command bodies: what the handshake commands of all mechanisms have in common.
// Threads: pure functions over memory.
// Owner:   the caller owns every byte.
//
//   command = name-length:U8 name rest          names match exactly, upper case
//   error   = 05 "ERROR" reason-length:U8 reason *OCTET
#ifndef TERN_SECURITY_COMMAND_BODY_HPP
#define TERN_SECURITY_COMMAND_BODY_HPP

#include "security/mechanism.hpp"

namespace tern {

// Names with their length byte, as they stand on the wire.
namespace command_name {
inline constexpr std::string_view hello = "\5HELLO";
inline constexpr std::string_view welcome = "\7WELCOME";
inline constexpr std::string_view initiate = "\10INITIATE";
inline constexpr std::string_view ready = "\5READY";
inline constexpr std::string_view error = "\5ERROR";
inline constexpr std::string_view message = "\7MESSAGE";
} // namespace command_name

inline bool starts_with(Bytes body, std::string_view name) {
    return body.first(name.size()).text() == name;
}

// There is more than one byte, and the first does not point beyond the end.
inline bool has_name(Bytes body) { return body.size() > 1 && body[0] < body.size(); }

inline void append(std::vector<uint8_t> &out, Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

// Replaces `out` by name and rest.
void put_command(std::vector<uint8_t> &out, std::string_view name, Bytes rest);
// Replaces `out` by the ERROR for a ZAP status of 400 or 500.
void put_error(std::vector<uint8_t> &out, std::string_view name, uint32_t status);
// What the part of an ERROR behind its name says. Bytes behind the reason are ignored.
Mechanism::Failure parse_error(Bytes rest);

} // namespace tern

#endif
