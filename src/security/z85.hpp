// Z85: 4 bytes as 5 printable characters, most significant first (RFC 32, security.md section 8).
// Threads: pure functions over memory.
// Owner:   the caller owns both sides.
//
//   text  = 1*( 5CHAR )     CHAR from an alphabet of 85; a group is at most ffffffff = "%nSc0"
#ifndef TERN_SECURITY_Z85_HPP
#define TERN_SECURITY_Z85_HPP

#include "base/bytes.hpp"

namespace tern {

// Writes data.size() * 5 / 4 characters and a NUL. The caller has checked size % 4 == 0.
void z85_encode(char *out, Bytes data);
// Writes text.size() * 4 / 5 bytes. False for "", for a length that is no multiple of 5, foreign
// characters and groups above ffffffff; `out` may then be partly written.
[[nodiscard]] bool z85_decode(uint8_t *out, std::string_view text);

} // namespace tern

#endif
