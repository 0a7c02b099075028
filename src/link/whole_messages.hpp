// WholeMessages: frames that come mingled from several senders go on message by message. A message that
// its sender does not finish, because packets were lost, is dropped by that sender's parts alone.
// Threads: one at a time.
// Owner:   a Medium; it holds the parts of each sender beside that one's decoder.
// Limit:   none of its own; a Medium stops reading while nobody takes what is ready.
#ifndef TERN_LINK_WHOLE_MESSAGES_HPP
#define TERN_LINK_WHOLE_MESSAGES_HPP

#include "base/message.hpp"
#include "base/ring.hpp"

#include <utility>

namespace tern {

class WholeMessages {
  public:
    // The frames of one sender's message that is not complete.
    using Parts = Ring<OwnMessage>;

    // The sender's next frame.
    void add(Parts &parts, OwnMessage frame) {
        const bool more = frame->has(Message::more);
        parts.push_back(std::move(frame));
        if (more) return;
        for (OwnMessage &part : parts) ready_.push_back(std::move(part));
        parts.clear();
    }

    // The next frame of whole messages, into uninitialised memory. False: there is none.
    bool take(Message &frame) {
        if (ready_.empty()) return false;
        frame.take(*ready_.front());
        ready_.pop_front();
        return true;
    }

  private:
    Ring<OwnMessage> ready_;
};

} // namespace tern

#endif
