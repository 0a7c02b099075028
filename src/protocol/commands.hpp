// Commands: what ZMTP 3.x peers tell each other in command frames once traffic flows, and the two
// forms of a subscription (zmtp.md sections 6, 8, 9, 10; RFC 37).
// Threads: pure functions over memory.
// Owner:   Command::body points into the frame that was parsed; built messages are the caller's.
// Limit:   a group has at most 255 bytes, a PONG context at most 16.
//
//   command   = name-length name data           names match exactly, upper case
//   ping      = 04 "PING" ttl:U16 context       ttl in tenths of a second
//   pong      = 04 "PONG" context
//   subscribe = 09 "SUBSCRIBE" topic            cancel = 06 "CANCEL" topic
//   join      = 04 "JOIN" group                 leave  = 05 "LEAVE" group
//   message form of a subscription, an ordinary frame: 01 topic / 00 topic
#ifndef TERN_PROTOCOL_COMMANDS_HPP
#define TERN_PROTOCOL_COMMANDS_HPP

#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/message.hpp"

namespace tern {

enum class CommandKind : uint8_t {
    ping,
    pong,
    subscribe,
    cancel,
    join,
    leave,
    unknown,   // drop it, the connection stays (also: empty, or a name longer than the frame)
    malformed, // close the connection: PING without ttl, group over 255 (spec/decisions.md)
};

struct Command {
    CommandKind kind = CommandKind::unknown;
    Bytes body;                   // topic, group or context
    uint16_t ttl_deciseconds = 0; // of a PING; 0 = none
};

// How subscriptions are written to this peer. Both forms are understood from every 3.x peer.
enum class SubscriptionForm : uint8_t {
    command, // peers that announced 3.1 or above
    message, // 1.0, 2.0 and 3.0 peers, and WebSocket
};

inline constexpr size_t pong_context_max = 16;
inline constexpr size_t group_max = 255;

// Builders: `out` is uninitialised memory, valid only after success. All set Message::command,
// but for the message form of a subscription.
Error make_ping(Message &out, uint16_t ttl_deciseconds);
Error make_pong(Message &out, Bytes context); // longer contexts are cut
Error make_subscription(Message &out, bool subscribe, Bytes topic, SubscriptionForm form);
Error make_membership(Message &out, bool join, Bytes group); // always a command

Command parse_command(Bytes frame_body);

} // namespace tern

#endif
