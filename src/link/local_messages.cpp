#include "link/local_messages.hpp"

#ifndef ZMQ_BUILD_DRAFT_API
#define ZMQ_BUILD_DRAFT_API
#endif
#include <zmq.h>

#include <algorithm>
#include <initializer_list>

namespace tern {

namespace {

const std::string *message_of(const LinkOptions &options, const std::string &message,
                              std::initializer_list<int> types) {
    if (message.empty() || options.raw) return nullptr;
    const bool has_it =
        std::find(types.begin(), types.end(), options.socket_type) != types.end();
    return has_it ? &message : nullptr;
}

} // namespace

const std::string *hello_message(const LinkOptions &options) {
    return message_of(options, options.hello_message,
                      {ZMQ_ROUTER, ZMQ_DEALER, ZMQ_REP, ZMQ_SERVER, ZMQ_CLIENT, ZMQ_PEER});
}

const std::string *disconnect_message(const LinkOptions &options) {
    return message_of(options, options.disconnect_message,
                      {ZMQ_ROUTER, ZMQ_REP, ZMQ_SERVER, ZMQ_PEER});
}

const std::string *hiccup_message(const LinkOptions &options) {
    return message_of(options, options.hiccup_message,
                      {ZMQ_DEALER, ZMQ_REQ, ZMQ_CLIENT, ZMQ_PEER});
}

} // namespace tern
