// ZapCall: one question to the application's ZAP handler, put by a handshake and answered some time
// later, or never. Declared here by the lower folder; socket/zap.hpp knows how to reach the handler.
// Threads: all of it on the I/O thread of the socket that asks.
// Owner:   an Opening holds the call; dropping it takes the question back: nothing is heard any more.
#ifndef TERN_LINK_ZAP_CALL_HPP
#define TERN_LINK_ZAP_CALL_HPP

#include <string>
#include <vector>

namespace tern {

// Hears one of the two, once, and never while the call is being made. May drop the call inside.
class ZapListener {
  public:
    virtual ~ZapListener() = default;
    virtual void zap_replied(const std::vector<std::string> &frames) = 0;
    // The handler is gone: no reply will come.
    virtual void zap_lost() = 0;
};

class ZapCall {
  public:
    virtual ~ZapCall() = default;
};

} // namespace tern

#endif
