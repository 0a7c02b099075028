#include "protocol/zap.hpp"

#include "protocol/greeting.hpp"

namespace tern {

namespace {

constexpr std::string_view zap_version = "1.0";
constexpr std::string_view request_id = "1";

enum : size_t { delimiter_at, version_at, id_at, status_at, text_at, user_at, metadata_at, reply_size };

// Second and third digit are 0, the first is 2 to 5. 0 for anything else.
uint32_t parse_status(const std::string &text) {
    if (text.size() != 3 || text[0] < '2' || text[0] > '5' || text[1] != '0' || text[2] != '0')
        return 0;
    return static_cast<uint32_t>(text[0] - '0') * 100;
}

ZapReply wrong(uint32_t error) {
    ZapReply reply;
    reply.error = error;
    return reply;
}

} // namespace

ZapFrames zap_request_frames(ZapRequest request) {
    ZapFrames frames;
    frames.reserve(7 + request.credentials.size());
    frames.emplace_back();
    for (const std::string_view frame : {zap_version, request_id, request.domain, request.address,
                                         request.routing_id, mechanism_name(request.mechanism)})
        frames.emplace_back(frame);
    for (std::string &credential : request.credentials) frames.push_back(std::move(credential));
    return frames;
}

// In the order of security.md section 6.3: the first mistake is the one that is told.
ZapReply parse_zap_reply(const ZapFrames &frames) {
    if (frames.size() != reply_size) return wrong(zap_error::malformed_reply);
    if (!frames[delimiter_at].empty()) return wrong(zap_error::unspecified);
    if (frames[version_at] != zap_version) return wrong(zap_error::bad_version);
    if (frames[id_at] != request_id) return wrong(zap_error::bad_request_id);
    const uint32_t status = parse_status(frames[status_at]);
    if (status == 0) return wrong(zap_error::invalid_status);
    ZapReply reply;
    reply.status = status;
    reply.user_id = frames[user_at];
    reply.metadata = frames[metadata_at];
    return reply;
}

} // namespace tern
