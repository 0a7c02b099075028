// What may be delivered: every message that was sent, and what has become of it, beside the sockets and how they were
// joined when it was sent. It knows nothing of the library.
//
// A message is owed while nothing was done to its sender, its receivers or what joins them that may lose it. Then it has
// to arrive, whole and once, after those that its sender sent before it on the same path. What is excused may still
// arrive, whole and once.
//
//   what                     excuses
//   a peer leaves            messages on their way to it, that is: all of those joined to it by that endpoint
//   a socket leaves          its own messages, unless it lingers: for ever over a network, always over inproc
//   a connection is cut      messages of all that are joined by that endpoint
//   a socket that lingers    messages of whoever binds where it was connected: it comes to deliver, and hears nothing
//   a publisher unbinds      what it sends from then on; who addresses its peers, too
//   a PAIR's peer leaves     a message under way: the rest of it, alone, may come to the next peer (PAIR-9)
// Until a message that was sent afterwards has arrived on the same path, the sender may be talking to a connection that
// is dead already: it is tainted, and what it sends is excused from the start.
//
// Threads: any; all calls lock.
// Owner: the player of a program.
#ifndef TERN_TESTS_MODEL_LEDGER_HPP
#define TERN_TESTS_MODEL_LEDGER_HPP

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "program.hpp"

namespace model {

using MessageId = std::uint32_t;

// How a socket chooses who gets a message.
enum class Routing { none, one_of_many, fan_out, addressed };

// One life of a socket.
struct Party {
    int id = 0;
    int slot = 0;
    int group = 0;
    int type = 0;
    Routing routing = Routing::none;
    bool is_alive = true;
    bool is_lossy = false;     // CONFLATE: what waits may be replaced
    bool is_spoiled = false;   // something was done that the ledger does not follow: nothing is owed to it or by it
    bool is_immediate = false;
    bool was_disturbed = false; // what joins it to others may have been replaced
    bool may_drop = false;     // a full pipe loses the message
    long send_high_water = 0;  // the largest so far; 0: none
    long receive_high_water = 0;
    long send_low = 0;         // the smallest so far
    long receive_low = 0;
    std::vector<int> bound;      // endpoints
    std::vector<int> once_bound; // or once connected
    std::vector<int> connected;
    std::vector<int> changing; // a call that binds there, or gives the endpoint up, is under way
    std::map<int, MessageId> tainted; // endpoint, and the first message after what happened
    std::set<MessageId> waiting;      // accepted, not received
    std::map<std::string, int> subscriptions;
    std::set<std::string> given_up; // once subscribed to: nobody knows when the publisher heard what
};

class Ledger final {
  public:
    explicit Ledger(const Program& program);

    // The first violation, or empty.
    std::string violation() const;
    void violate(const std::string& what, const std::string& how);

    int open(const Party& party);
    Party party(int id) const;
    // Around the call: what happens in between may be seen from either side of it.
    void will_join(int party, int endpoint, bool is_bind);
    void did_join(int party, int endpoint, bool is_bind, bool is_done);
    void will_leave(int party, int endpoint, bool is_bind, bool keeps_own);
    void did_leave(int party, int endpoint, bool is_bind, bool is_done, bool keeps_own);
    void will_close(int party, bool keeps_own);
    void did_close(int party, bool keeps_own);
    void will_cut(int endpoint);
    void did_cut(int endpoint);
    void spoil(int party);
    void raise_high_water(int party, long send, long receive);
    bool is_bound(int endpoint) const; // or will be, or was a moment ago
    bool is_surely_bound(int endpoint) const;
    std::vector<int> parties_joined(int endpoint) const;
    // Counts whatever may disturb messages of the group.
    std::uint64_t events(int group) const;
    void subscribe(int party, const std::string& topic, bool is_on);

    // A message is registered before it is offered; `target` is the party that it is addressed to, or -1.
    MessageId will_send(int party, int target, const std::string& topic, std::vector<std::uint32_t> sizes,
                        MessageId reply_to = 0);
    void did_send(MessageId message, bool was_accepted);
    void excuse_message(MessageId message);
    // The same sizes that were sent, or none for a message that does not exist.
    std::vector<std::uint32_t> sizes_of(MessageId message) const;
    int sender_of(MessageId message) const;
    MessageId replied_to(MessageId message) const;
    // It came whole to `party`.
    void received(int party, MessageId message);

    // Messages that must still come.
    std::size_t owed() const;
    std::string describe_owed() const;
    std::uint64_t accepted() const { return accepted_; }
    std::uint64_t delivered() const { return delivered_; }
    std::uint64_t delivered_owed() const { return delivered_owed_; }
    // Nothing hinders this sender: it surely has a peer, and nothing was done to any.
    bool is_clear(int party) const;

  private:
    struct Message {
        int sender;
        int target;
        std::string topic;
        std::vector<std::uint32_t> sizes;
        MessageId reply_to;
        std::uint64_t events; // of the group, when it was sent
        bool is_accepted = false;
        bool is_refused = false;
        bool is_excused = false;
        bool is_tainted = false;
        std::vector<int> receivers;
        std::vector<int> owed_to; // fan-out
    };

    void violate_locked(const std::string& what, const std::string& how);
    std::vector<int> joined_by(int endpoint) const;
    int side(const Party& party) const;
    int paths(const Party& a, const Party& b) const;
    static bool are_joined(const Party& a, const Party& b);
    bool has_link(const Party& connecter, const Party& binder) const;
    void excuse(Party& party);
    void forget_subscriptions(int publisher);
    void excuse_towards(int receiver, const std::string* topic);
    void disturb(int endpoint, int except, bool is_for_good = false);
    void disturb_by_leave(int id, int endpoint, bool is_bind, bool keeps_own);
    void leave(int id, bool keeps_own);
    bool has_forgetful_peer(int id, int endpoint) const;
    bool has_lingerer(int id, int endpoint) const;
    bool surely_has_room(const Party& sender, const Party& receiver, std::size_t waiting) const;
    bool meet_locally(const Party& a, const Party& b) const;
    static const std::string* only_reason(const Party& receiver, const Message& message);
    void check_high_water(const Party& sender);
    void promise_fan_out(Message& message, MessageId id);
    bool is_network(int endpoint) const { return program_.endpoints[endpoint].transport != Transport::inproc; }
    std::string text(MessageId id) const;

    const Program& program_;
    mutable std::mutex mutex_;
    std::string violation_;
    std::deque<Party> parties_;
    std::deque<Message> messages_;
    std::vector<std::uint64_t> group_events_;
    std::map<std::pair<int, int>, MessageId> newest_;                          // sender, receiver
    std::map<std::pair<int, int>, std::set<std::string>> confirmed_;           // sender, receiver: subscriptions
    std::map<std::pair<int, int>, std::set<MessageId>> on_the_way_;            // fan-out and addressed
    std::uint64_t accepted_ = 0;
    std::uint64_t delivered_ = 0;
    std::uint64_t delivered_owed_ = 0;
    std::size_t owed_copies_ = 0;
};

} // namespace model

#endif
