// Messages with a routing id or a group, for the patterns that look at them.
// Threads: test only.
#ifndef TERN_TESTS_SUPPORT_PEERS_HPP
#define TERN_TESTS_SUPPORT_PEERS_HPP

#include "support/fake_peer.hpp"

namespace tern::test {

// REQUIRES: what is refused keeps all it had (GEN-2).
inline Error send_to(Pattern &pattern, std::string_view text, uint32_t routing_id,
                     std::string_view group = {}) {
    OwnMessage frame = make_frame(text);
    frame->set_routing_id(routing_id);
    if (frame->set_group(group)) throw std::runtime_error("no memory");
    const Error error = pattern.send(*frame);
    const bool kept = frame->bytes().text() == text && frame->routing_id() == routing_id &&
                      frame->group() == group && frame->flags() == 0;
    if (error ? !kept : frame->size() != 0) throw std::runtime_error("frame mangled");
    return error;
}

struct FromPeer {
    bool any = false;
    std::string text;
    uint32_t routing_id = 0;
    std::string group;
    uint8_t flags = 0;
};

inline FromPeer recv_from(Pattern &pattern) {
    OwnMessage frame;
    frame->close();
    FromPeer got;
    if (pattern.recv(*frame)) {
        frame->init();
        return got;
    }
    got = {true, std::string(frame->bytes().text()), frame->routing_id(), frame->group(),
           frame->flags()};
    return got;
}

// The next frame in a pipe's far end, as it travels.
inline FromPeer recv_raw(FakePeer &peer) {
    OwnMessage frame;
    frame->close();
    if (!peer.far().read(*frame)) {
        frame->init();
        return {};
    }
    peer.deliver();
    return {true, std::string(frame->bytes().text()), frame->routing_id(), frame->group(),
            frame->flags()};
}

} // namespace tern::test

#endif
