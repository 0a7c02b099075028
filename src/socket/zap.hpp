// Calls to the application's ZAP handler: whoever has bound inproc://zeromq.zap.01 in the same
// context, a REP, ROUTER or SERVER (security.md section 6, ZAP-1..10). Every call is a pipe of its
// own, which is how a reply finds its handshake; so a slow handler, or one that never answers, holds
// up nobody but those who have asked it, and nothing ever waits for it.
// Threads: call and drop on the I/O thread `loop`; the handler answers from its own thread, and the
//          news is handed to `loop`.
// Owner:   the caller owns the call. What is left of a dropped one ends by itself.
// Limit:   one request and one reply; the pipe has no high water mark (ZAP-10).
#ifndef TERN_SOCKET_ZAP_HPP
#define TERN_SOCKET_ZAP_HPP

#include "link/zap_call.hpp"
#include "reactor/loop.hpp"
#include "socket/inproc.hpp"

#include <memory>

namespace tern {

// ENOENT: there is no handler. The listener hears nothing before this has returned.
Result<std::unique_ptr<ZapCall>> call_zap_handler(InprocNames &names, Loop &loop,
                                                  const std::vector<std::string> &request,
                                                  ZapListener &listener);

} // namespace tern

#endif
