// Sha1: the digest that a WebSocket upgrade proves its understanding with (RFC 3174, RFC 6455 section 1.3).
// It secures nothing there, so ws needs no library for it; nothing else may use it.
// Threads: pure function over memory.
#ifndef TERN_PROTOCOL_SHA1_HPP
#define TERN_PROTOCOL_SHA1_HPP

#include "base/bytes.hpp"

#include <array>

namespace tern {

std::array<uint8_t, 20> sha1(Bytes message);

} // namespace tern

#endif
