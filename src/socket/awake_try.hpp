// AwakeTry: whether a caller that has to wait looks on for a while before it sleeps, and for how long.
// What comes within a short window is cheaper to wait for awake than asleep. When it does not, one long
// window finds out whether two sides that sleep after every message would, once awake, answer each other
// within the short one; that has to be shown right afterwards. While it brings nothing, most waits leave
// the tries out, and ever more of them.
// Threads: the holder of the socket's turn.
#ifndef TERN_SOCKET_AWAKE_TRY_HPP
#define TERN_SOCKET_AWAKE_TRY_HPP

#include "os/clock.hpp"
#include "os/wait_word.hpp"

#include <algorithm>

namespace tern {

class AwakeTry {
  public:
    static constexpr Nanoseconds usual = 20 * ns_per_us;
    static constexpr int skipped_max = 255;

    // `longest` may be `usual`: then there is no long window.
    AwakeTry(Nanoseconds longest, int skipped_min)
        : longest_(longest), skipped_min_(skipped_min), skipped_(skipped_min) {}

    // Asked once before each wait. False: sleep at once.
    bool is_due() {
        if (to_skip_ == 0) return true;
        --to_skip_;
        return false;
    }
    Nanoseconds window() const { return window_; }
    void end(bool has_brought) {
        if (has_brought) brought();
        else was_in_vain();
    }

  private:
    void brought() {
        is_to_be_shown_ = window_ != usual;
        if (!is_to_be_shown_) skipped_ = skipped_min_;
        window_ = usual;
    }
    void was_in_vain() {
        const bool was_longest = window_ == longest_;
        window_ = longest_;
        if (!was_longest && !is_to_be_shown_) return;
        is_to_be_shown_ = false;
        to_skip_ = skipped_;
        skipped_ = std::min(2 * skipped_ + 1, skipped_max);
    }

    const Nanoseconds longest_;
    const int skipped_min_;
    Nanoseconds window_ = usual;
    bool is_to_be_shown_ = false; // the long window has brought something
    int to_skip_ = 0;
    int skipped_; // by the next try in vain
};

// Looks for so long, without system calls, until `has_news()`. True when it has.
template <class HasNews>
bool watch_for(Nanoseconds window, HasNews has_news) {
    const Nanoseconds until = now_ns() + window;
    bool any;
    do {
        for (int i = 0; i < 16; ++i) pause_core();
        any = has_news();
    } while (!any && now_ns() < until);
    return any;
}

} // namespace tern

#endif
