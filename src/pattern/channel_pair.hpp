// CHANNEL: PAIR with single frames, for several threads (CH-1).
#ifndef TERN_PATTERN_CHANNEL_PAIR_HPP
#define TERN_PATTERN_CHANNEL_PAIR_HPP

#include "pattern/pair.hpp"

namespace tern {

class ChannelPair final : public Pattern {
  public:
    explicit ChannelPair(PatternHost &host) : pair_(host) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override { pair_.stop_writing(pipe); }
    void detach(Pipe &pipe) override { pair_.detach(pipe); }
    void readable(Pipe &pipe) override;
    void writable(Pipe &) override { found_full_ = false; }
    Error send(Message &frame) override;
    Error recv(Message &frame) override;
    bool can_send() override;
    bool can_recv() override;

  private:
    bool fetch();

    Pair pair_;
    OwnMessage fetched_;
    bool has_fetched_ = false;
    // The pair said so, and has not been told since that there is more to find.
    bool found_empty_ = false;
    bool found_full_ = false;
};

} // namespace tern

#endif
