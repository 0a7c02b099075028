// MessageBulk: whole messages on their way from one socket to another, taken and given many at a
// time (Socket::take, Socket::give).
// Threads: one.
// Owner:   a proxy, which uses it again and again; what was not given is closed with it.
// Limit:   as many messages as one take() was asked for.
#ifndef TERN_SOCKET_MESSAGE_BULK_HPP
#define TERN_SOCKET_MESSAGE_BULK_HPP

#include "base/message.hpp"

#include <vector>

namespace tern {

class MessageBulk {
  public:
    MessageBulk() = default;
    MessageBulk(const MessageBulk &) = delete;
    MessageBulk &operator=(const MessageBulk &) = delete;
    ~MessageBulk() { clear(); }

    // A further frame, uninitialised; with drop_last() it has never been there.
    Message &add() { return frames_.emplace_back(); }
    void drop_last() { frames_.pop_back(); }

    bool is_empty() const { return first_ == frames_.size(); }
    Message &first() { return frames_[first_]; }
    const Message &last() const { return frames_.back(); }
    // The first frame was given: it is empty, and counts no more.
    void first_given() {
        if (++first_ == frames_.size()) clear();
    }
    void clear() {
        for (; first_ < frames_.size(); ++first_) frames_[first_].close();
        frames_.clear();
        first_ = 0;
    }

    template <class Visit>
    void for_each(Visit visit) {
        for (size_t i = first_; i < frames_.size(); ++i) visit(frames_[i]);
    }
    // A peer of one hop is nothing to that of the next. What many frames have from one connection
    // is given back at once.
    void drop_metadata();

  private:
    std::vector<Message> frames_;
    size_t first_ = 0;
};

} // namespace tern

#endif
