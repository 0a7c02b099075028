// Base64: bytes as text for HTTP headers (RFC 4648 section 4), one way: nothing we get has to be decoded.
// Threads: pure function over memory.
#ifndef TERN_PROTOCOL_BASE64_HPP
#define TERN_PROTOCOL_BASE64_HPP

#include "base/bytes.hpp"

#include <string>

namespace tern {

inline std::string base64(Bytes bytes) {
    static constexpr char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (; !bytes.empty(); bytes = bytes.skip(3)) {
        const size_t have = bytes.first(3).size();
        const uint32_t group = uint32_t(bytes[0]) << 16 | uint32_t(have > 1 ? bytes[1] : 0) << 8 |
                               uint32_t(have > 2 ? bytes[2] : 0);
        for (size_t i = 0; i < 4; ++i) text += i <= have ? digits[group >> (18 - 6 * i) & 63] : '=';
    }
    return text;
}

} // namespace tern

#endif
