// XPUB and PUB: messages out to those who subscribed; XPUB also tells who subscribes (PUB-1..7,
// XPUB-1..16). Subscriptions are applied as soon as they arrive, on whichever thread reads them.
#ifndef TERN_PATTERN_XPUB_HPP
#define TERN_PATTERN_XPUB_HPP

#include "base/ring.hpp"
#include "pattern/fan_out.hpp"
#include "pattern/pipe_set.hpp"
#include "pattern/topic_trie.hpp"


namespace tern {

class Xpub : public Pattern {
  public:
    explicit Xpub(PatternHost &host, bool tells_application = true)
        : host_(host), tells_application_(tells_application) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override;
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override;
    Error send(Message &frame) override;
    Error recv(Message &frame) override;
    bool empties_unfilled() const override { return false; }
    bool can_send() override { return true; }
    bool can_recv() override { return !pending_.empty(); }
    size_t room(size_t wanted) override { return no_drop_ ? 1 : wanted; }
    Error set_option(int option, const void *value, size_t size) override;
    int topics_count() const override { return topics_; }

  private:
    using Subscriptions = TopicTrie<PipeSet>;
    struct Pending {
        OwnMessage frame;
        Pipe *pipe; // who asked; null when it is gone
        bool is_request = false;
    };
    enum class Removed { unknown, others_remain, last };

    void take_subscription(Pipe &pipe, bool subscribe, Bytes topic, const Metadata *metadata);
    static bool add(Subscriptions &in, Pipe &pipe, Bytes topic);
    static Removed remove(Subscriptions &in, Pipe &pipe, Bytes topic);
    void remove_everywhere(Subscriptions &in, Pipe &pipe, bool tell);
    void tell(bool subscribe, Bytes topic, const Metadata *metadata, Pipe *pipe);
    void match(const Message &frame);

    PatternHost &host_;
    const bool tells_application_;
    FanOut out_;
    Subscriptions subscriptions_;
    Subscriptions requested_; // what peers asked for, while the application decides (MANUAL)
    int topics_ = 0;
    Ring<Pending> pending_;
    Pipe *last_asker_ = nullptr;
    bool verbose_subscribe_ = false;
    bool verbose_unsubscribe_ = false;
    bool manual_ = false;
    bool last_value_ = false;
    bool send_to_last_asker_ = false;
    bool no_drop_ = false;
    bool only_first_subscribe_ = false;
    bool invert_matching_ = false;
    std::string welcome_;
};

} // namespace tern

#endif
