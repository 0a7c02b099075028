// subscriptions: both forms, from the wire of two subscribers into an XPUB and a PUB. Who gets
// what, and what the application is told, follows from a list of who asked for what.
#include "support/framing.hpp"

#include "pattern/xpub.hpp"
#include "protocol/commands.hpp"
#include "support/fake_peer.hpp"

#include <map>
#include <set>

namespace tern::fuzz {

namespace {

constexpr size_t peers = 2;

class Publisher {
  public:
    Publisher() {
        for (auto &peer : peers_) peer.attach_to(xpub_);
    }

    // As a link hands on what it cuts.
    void arrive(size_t peer, const RefFrame &frame) {
        if (!(frame.flags & Message::command)) {
            peers_[peer].send_frame(frame.body, frame.flags & Message::more);
            if (!frame.body.empty() && uint8_t(frame.body[0]) <= 1)
                note(peer, frame.body[0] == 1, frame.body.substr(1));
            else
                told_.push_back(frame.body);
            return;
        }
        const Command command = parse_command(Bytes(frame.body));
        const std::string topic = text(command.body);
        if (command.kind == CommandKind::subscribe)
            peers_[peer].subscribe(topic);
        else if (command.kind == CommandKind::cancel)
            peers_[peer].cancel(topic);
        else
            return;
        note(peer, command.kind == CommandKind::subscribe, topic);
    }

    void publish(const std::string &message) {
        FUZZ_CHECK(!test::send_frame(xpub_, message));
        for (size_t i = 0; i < peers; ++i) {
            bool is_wanted = false;
            for (const auto &[topic, who] : asked_)
                if (message.compare(0, topic.size(), topic) == 0 && who.count(i)) is_wanted = true;
            const auto got = peers_[i].recv_all();
            FUZZ_CHECK(got.size() == (is_wanted ? 1 : 0));
            FUZZ_CHECK(!is_wanted || got[0] == test::Frames{message});
        }
    }

    void check() {
        for (const std::string &told : told_) {
            const test::ReceivedFrame frame = test::recv_frame(xpub_);
            FUZZ_CHECK(!frame.error && frame.text == told);
        }
        FUZZ_CHECK(!xpub_.can_recv());
        told_.clear();
        FUZZ_CHECK(xpub_.topics_count() == int(asked_.size()));
    }

    // What one asked for ends with it.
    void leave(size_t peer) {
        peers_[peer].leave();
        peers_[peer].detach();
        for (auto it = asked_.begin(); it != asked_.end();) {
            const bool was_there = it->second.erase(peer) > 0;
            if (was_there && it->second.empty()) {
                told_.push_back('\0' + it->first);
                it = asked_.erase(it);
            } else {
                ++it;
            }
        }
    }

  private:
    void note(size_t peer, bool subscribes, const std::string &topic) {
        bool is_news;
        if (subscribes) {
            is_news = asked_.count(topic) == 0;
            asked_[topic].insert(peer);
        } else {
            const auto it = asked_.find(topic);
            const bool was_there = it != asked_.end() && it->second.erase(peer) > 0;
            is_news = !was_there || it->second.empty();
            if (was_there && it->second.empty()) asked_.erase(it);
        }
        if (is_news) told_.push_back(char(subscribes) + topic);
    }

    test::FakeHost host_;
    Xpub xpub_{host_};
    test::FakePeer peers_[peers];
    std::map<std::string, std::set<size_t>> asked_;
    std::vector<std::string> told_;
};

// Written by the library in the form that the peer takes, cut out of the wire again.
RefFrame own_form(bool subscribes, Bytes topic, SubscriptionForm form) {
    OwnMessage message;
    message->close();
    FUZZ_CHECK(!make_subscription(*message, subscribes, topic, form));
    const RefFrame frame{text(message->bytes()), message->flags()};
    const Framing framing = form == SubscriptionForm::command ? Framing::v2 : Framing::v1;
    const Buffer wire = encode(framing, {frame});
    Reads reads(view(wire), SIZE_MAX, SIZE_MAX);
    InBuffer in;
    in.set_framing(framing, 0);
    const Decoded decoded = decode(in, reads, true);
    FUZZ_CHECK(decoded.frames.size() == 1 && decoded.frames[0] == frame);
    return decoded.frames[0];
}

} // namespace

void run(Input input) {
    Publisher publisher;
    bool has_left = false;
    for (int left = 200; left > 0 && !input.is_empty(); --left) {
        const uint8_t operation = input.byte();
        const size_t peer = operation >> 7 && !has_left;
        const Buffer bytes = exact(input.chunk());
        switch (operation % 8) {
        case 0:
        case 1:
        case 2:
        case 3:
            publisher.arrive(peer, own_form(operation & 1, view(bytes),
                                            operation & 2 ? SubscriptionForm::command
                                                          : SubscriptionForm::message));
            break;
        case 4:
            publisher.arrive(peer, {text(view(bytes)), 0});
            break;
        case 5:
            publisher.arrive(peer, {text(view(bytes)), Message::command});
            break;
        case 6:
            publisher.publish(text(view(bytes)));
            break;
        case 7:
            if (!has_left) publisher.leave(1);
            has_left = true;
            break;
        }
        publisher.check();
    }
}

} // namespace tern::fuzz
