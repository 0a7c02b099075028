// XSUB and SUB: subscriptions out, messages in (SUB-1..10, UP-1..10).
// XSUB sends subscriptions as messages 01/00 + topic and hands out whatever arrives; SUB subscribes by
// option and filters again what arrives against the subscriptions in force at that moment.
#ifndef TERN_PATTERN_XSUB_HPP
#define TERN_PATTERN_XSUB_HPP

#include "pattern/fair_queue.hpp"
#include "pattern/fan_out.hpp"
#include "pattern/topic_trie.hpp"

namespace tern {

class Xsub : public Pattern {
  public:
    explicit Xsub(PatternHost &host) : in_(host) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override { out_.detach(pipe); }
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    void reconnected(Pipe &pipe) override;
    Error send(Message &frame) override;
    Error recv(Message &frame) override { return in_.recv(frame); }
    bool can_send() override { return true; }
    bool can_recv() override { return in_.can_recv(); }
    Pipe *sole_inlet() override { return in_.sole_inlet(); }
    size_t room(size_t wanted) override { return wanted; }
    Error set_option(int option, const void *value, size_t size) override;
    int topics_count() const override { return topics_; }

  protected:
    void subscribe(Bytes topic);
    // True when this removed the last reference.
    bool unsubscribe(Bytes topic);
    void announce(Bytes topic, Message::Flag kind);
    bool matches(Bytes text);

    FairQueue in_;
    FanOut out_;

  private:
    struct Count {
        uint32_t references = 0;
        bool empty() const { return references == 0; }
    };
    void send_all_subscriptions(Pipe &pipe);

    TopicTrie<Count> subscriptions_;
    int topics_ = 0;
    bool only_first_subscribe_ = false;
    bool verbose_unsubscribe_ = false;
    bool mid_send_ = false;
    bool forwarded_any_ = false; // frames of the message being sent went out
    bool sending_subscriptions_ = false; // the message being sent began with one
};

class Sub final : public Xsub {
  public:
    using Xsub::Xsub;
    Error send(Message &) override { return err::not_supported; }
    bool can_send() override { return false; }
    size_t room(size_t) override { return 0; }
    Error recv(Message &frame) override;
    bool can_recv() override;
    Pipe *sole_inlet() override {
        return has_fetched_ || mid_recv_ ? nullptr : Xsub::sole_inlet();
    }
    bool is_filtering() const override { return true; }
    bool wants(Bytes body) override { return matches(body) != invert_matching_; }
    Error set_option(int option, const void *value, size_t size) override;

  private:
    bool fetch_matching();
    OwnMessage fetched_; // first frame of a message that matched
    bool has_fetched_ = false;
    bool mid_recv_ = false;
    bool invert_matching_ = false;
};

} // namespace tern

#endif
