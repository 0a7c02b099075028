// Properties: the name and value pairs of READY, INITIATE and ZAP metadata (zmtp.md section 5.2).
// Threads: pure functions over memory.
// Owner:   the caller; parsed pairs are copies.
// Limit:   properties_max pairs; the caller bounds the bytes before it collects them.
//
//   properties = *( name-length:U8 name value-length:U32 value )
//   An empty name is accepted. Names may repeat; what that means is the reader's affair.
#ifndef TERN_PROTOCOL_PROPERTIES_HPP
#define TERN_PROTOCOL_PROPERTIES_HPP

#include "base/bytes.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tern {

using PropertyList = std::vector<std::pair<std::string, std::string>>;

inline constexpr size_t properties_max = 256;

// The caller has checked: name up to 255 bytes, value up to 2^31-1.
void append_property(std::vector<uint8_t> &out, std::string_view name, Bytes value);

// All pairs in the order of the wire. False, with `out` partly filled, when a length overruns the
// rest, bytes are left over, or there are too many pairs.
[[nodiscard]] bool parse_properties(Bytes data, PropertyList &out);

} // namespace tern

#endif
