// GroupEnvelope: what a DISH accepts from a connection: [group] [body], and nothing else (zmtp.md
// section 10). The group becomes a property of the body's message.
// Threads: under the socket's turn. Owner: a Link.
// Limit:   one group name.
#ifndef TERN_LINK_GROUP_ENVELOPE_HPP
#define TERN_LINK_GROUP_ENVELOPE_HPP

#include "base/message.hpp"
#include "protocol/commands.hpp"

#include <string>

namespace tern {

class GroupEnvelope {
  public:
    enum class Step { group, body, malformed };

    void reset() { has_group_ = false; }
    // `group`: the frame is no message, and was noted. `body`: it is a message now.
    Step take(Message &frame) {
        const bool more = frame.has(Message::more);
        if (!has_group_) {
            if (!more || frame.size() > group_max) return Step::malformed;
            const std::string_view name = frame.bytes().text();
            group_ = name.substr(0, name.find('\0')); // a C string in the API
            has_group_ = true;
            return Step::group;
        }
        has_group_ = false;
        return more || frame.set_group(group_) ? Step::malformed : Step::body;
    }

  private:
    std::string group_;
    bool has_group_ = false;
};

} // namespace tern

#endif
