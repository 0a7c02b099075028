// ZAP 1.0: the question that a handshake puts to the application's authenticator, and its answer, as
// the frames of two messages (RFC 27, security.md section 6).
// Threads: pure functions over memory.
// Owner:   the caller; everything is copied.
// Limit:   the answer comes from within the process.
//
//   request = delimiter "1.0" "1" domain address routing-id mechanism *credential
//   reply   = delimiter "1.0" "1" status text user-id properties        status = "200" ... "500"
//
// The delimiter is empty. One request is asked on each conversation, so the id never changes
// (quirks Q-25). The routing id is that of the asking socket.
#ifndef TERN_PROTOCOL_ZAP_HPP
#define TERN_PROTOCOL_ZAP_HPP

#include "security/mechanism.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tern {

using ZapFrames = std::vector<std::string>;

// More values of HANDSHAKE_FAILED_PROTOCOL (security.md section 7).
namespace zap_error {
enum : uint32_t {
    unspecified = 0x20000000, // no delimiter
    malformed_reply = 0x20000001,
    bad_request_id = 0x20000002,
    bad_version = 0x20000003,
    invalid_status = 0x20000004,
    invalid_metadata = 0x20000005,
};
} // namespace zap_error

struct ZapRequest {
    std::string_view domain;
    std::string_view address;
    std::string_view routing_id;
    int mechanism = mechanism_id::null;
    std::vector<std::string> credentials;
};

struct ZapReply {
    uint32_t error = protocol_error::none; // or one of zap_error: nothing else counts then
    uint32_t status = 0;                   // 200, 300, 400 or 500
    std::string user_id;
    std::string metadata; // properties, not looked at
};

ZapFrames zap_request_frames(ZapRequest request);
ZapReply parse_zap_reply(const ZapFrames &frames);

} // namespace tern

#endif
