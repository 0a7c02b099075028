#include "ledger.hpp"

#include <zmq.h>

#include <algorithm>
#include <sstream>

namespace model {

namespace {

constexpr MessageId never = ~MessageId(0);
// What kernel buffers, batches and the cutter may hold between two sockets beyond their high water marks.
constexpr std::uint64_t network_bytes_max = 24u << 20;

template <typename Items, typename Item>
bool holds(const Items& items, const Item& item) {
    return std::find(items.begin(), items.end(), item) != items.end();
}

template <typename Items, typename Item>
void take_one(Items& items, const Item& item) {
    const auto found = std::find(items.begin(), items.end(), item);
    if (found != items.end())
        items.erase(found);
}

bool starts_with(const std::string& text, const std::string& prefix) {
    return text.compare(0, prefix.size(), prefix) == 0;
}

// Is one bound where the other is connected, at an endpoint of that kind?
template <typename Kind>
bool meet(const Party& a, const Party& b, Kind is_of_kind) {
    const auto meets = [&](const Party& connecter, const Party& binder) {
        return std::any_of(connecter.connected.begin(), connecter.connected.end(),
                           [&](int endpoint) { return is_of_kind(endpoint) && holds(binder.bound, endpoint); });
    };
    return meets(a, b) || meets(b, a);
}

} // namespace

Ledger::Ledger(const Program& program) : program_(program), group_events_(program.groups.size()) {
    messages_.push_back({}); // number 0 is none
}

std::string Ledger::violation() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return violation_;
}

void Ledger::violate(const std::string& what, const std::string& how) {
    const std::lock_guard<std::mutex> lock(mutex_);
    violate_locked(what, how);
}

void Ledger::violate_locked(const std::string& what, const std::string& how) {
    if (violation_.empty())
        violation_ = what + ": " + how;
}

std::string Ledger::text(MessageId id) const {
    const Message& message = messages_[id];
    const Party& sender = parties_[message.sender];
    std::ostringstream out;
    out << "message " << id << " of socket " << sender.id << " (slot " << sender.slot << ", type " << sender.type << ", "
        << name_of(program_.groups[sender.group]) << ", " << message.sizes.size() << " parts, " << message.sizes[0]
        << " bytes in the first";
    if (message.target >= 0)
        out << ", to socket " << message.target;
    if (!message.topic.empty())
        out << ", topic " << message.topic;
    out << ')';
    return out.str();
}

int Ledger::open(const Party& party) {
    const std::lock_guard<std::mutex> lock(mutex_);
    parties_.push_back(party);
    parties_.back().id = static_cast<int>(parties_.size()) - 1;
    return parties_.back().id;
}

Party Ledger::party(int id) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return parties_[id];
}

std::vector<int> Ledger::joined_by(int endpoint) const {
    std::vector<int> result;
    for (const Party& party : parties_)
        if (holds(party.bound, endpoint) || holds(party.once_bound, endpoint) || holds(party.connected, endpoint))
            result.push_back(party.id);
    return result;
}

int Ledger::side(const Party& party) const { return program_.slots[party.slot].side; }

// Connections that may lie between two sockets.
int Ledger::paths(const Party& a, const Party& b) const {
    int count = 0;
    const auto add = [&](const Party& connecter, const Party& binder) {
        const auto meets = [&](int endpoint) {
            return holds(binder.bound, endpoint) || holds(binder.once_bound, endpoint);
        };
        count += static_cast<int>(std::count_if(connecter.connected.begin(), connecter.connected.end(), meets));
        // Over inproc what was said before a disconnect waits for whoever binds the name.
        for (const int endpoint : connecter.once_bound)
            if (!is_network(endpoint) && program_.endpoints[endpoint].bind_side != side(connecter) && meets(endpoint))
                ++count;
    };
    add(a, b);
    add(b, a);
    return count;
}

bool Ledger::are_joined(const Party& a, const Party& b) {
    return meet(a, b, [](int) { return true; });
}

bool Ledger::meet_locally(const Party& a, const Party& b) const {
    return meet(a, b, [&](int endpoint) { return !is_network(endpoint); });
}

void Ledger::excuse(Party& party) {
    for (const MessageId id : party.waiting)
        messages_[id].is_excused = true;
    for (auto& [pair, ids] : on_the_way_)
        if (pair.first == party.id) {
            for (const MessageId id : ids) {
                Message& message = messages_[id];
                if (holds(message.owed_to, pair.second)) {
                    take_one(message.owed_to, pair.second);
                    --owed_copies_;
                }
            }
            ids.clear();
        }
    forget_subscriptions(party.id);
}

// What the subscribers of a publisher said may not be known where it goes on.
void Ledger::forget_subscriptions(int publisher) {
    for (auto& [pair, topics] : confirmed_)
        if (pair.first == publisher)
            topics.clear();
}

void Ledger::excuse_towards(int receiver, const std::string* topic) {
    for (auto& [pair, ids] : on_the_way_)
        if (pair.second == receiver)
            for (const MessageId id : ids) {
                Message& message = messages_[id];
                if ((!topic || starts_with(message.topic, *topic)) && holds(message.owed_to, receiver)) {
                    take_one(message.owed_to, receiver);
                    --owed_copies_;
                }
            }
    for (auto& [pair, topics] : confirmed_)
        if (pair.second == receiver) {
            if (topic)
                topics.erase(*topic);
            else
                topics.clear();
        }
}

// Whatever is under way between those that the endpoint joins may be lost, but for what `except` has sent. For good: the
// one who left lives on, and what it receives may have come by the old connection.
void Ledger::disturb(int endpoint, int except, bool is_for_good) {
    ++group_events_[program_.endpoints[endpoint].group];
    for (const int id : joined_by(endpoint)) {
        Party& party = parties_[id];
        if (id == except)
            continue;
        excuse(party);
        party.was_disturbed = true;
        party.tainted[endpoint] = is_for_good ? never : static_cast<MessageId>(messages_.size());
    }
}

// Somebody who has left the endpoint may still have something to say there.
bool Ledger::has_lingerer(int id, int endpoint) const {
    return is_network(endpoint) && std::any_of(parties_.begin(), parties_.end(), [&](const Party& party) {
        return party.id != id && !party.waiting.empty() &&
               (holds(party.once_bound, endpoint) || (!party.is_alive && holds(party.connected, endpoint)));
    });
}

void Ledger::will_join(int id, int endpoint, bool is_bind) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Party& party = parties_[id];
    ++group_events_[party.group];
    if (is_bind && has_lingerer(id, endpoint))
        party.tainted[endpoint] = static_cast<MessageId>(messages_.size());
    (is_bind ? party.bound : party.connected).push_back(endpoint);
    party.changing.push_back(endpoint);
}

void Ledger::did_join(int id, int endpoint, bool is_bind, bool is_done) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Party& party = parties_[id];
    ++group_events_[party.group];
    take_one(party.changing, endpoint);
    if (!is_done)
        take_one(is_bind ? party.bound : party.connected, endpoint);
}

// RC-8: one that is IMMEDIATE drops what it has not read when its connection ends.
bool Ledger::has_forgetful_peer(int id, int endpoint) const {
    const std::vector<int> all = joined_by(endpoint);
    return is_network(endpoint) && std::any_of(all.begin(), all.end(), [&](int each) {
        return each != id && parties_[each].is_immediate;
    });
}

void Ledger::disturb_by_leave(int id, int endpoint, bool is_bind, bool keeps_own) {
    keeps_own = keeps_own && !has_forgetful_peer(id, endpoint);
    Party& party = parties_[id];
    ++group_events_[party.group];
    forget_subscriptions(id);
    if (!is_bind || is_network(endpoint))
        disturb(endpoint, keeps_own ? id : -1, is_bind);
    // The connections that an unbind ends go on for a moment: who hears a publisher may not hear its next word, and who has
    // spoken to a ROUTER may be gone when that answers.
    if (is_bind && is_network(endpoint) && (party.routing == Routing::fan_out || party.routing == Routing::addressed))
        party.tainted[endpoint] = never;
}

void Ledger::will_leave(int id, int endpoint, bool is_bind, bool keeps_own) {
    const std::lock_guard<std::mutex> lock(mutex_);
    parties_[id].changing.push_back(endpoint);
    disturb_by_leave(id, endpoint, is_bind, keeps_own);
}

void Ledger::did_leave(int id, int endpoint, bool is_bind, bool is_done, bool keeps_own) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Party& party = parties_[id];
    take_one(party.changing, endpoint);
    disturb_by_leave(id, endpoint, is_bind, keeps_own);
    if (!is_done)
        return;
    if (is_bind) {
        take_one(party.bound, endpoint);
        party.once_bound.push_back(endpoint);
    } else {
        // Its messages may still be on their way from there.
        party.connected.erase(std::remove(party.connected.begin(), party.connected.end(), endpoint),
                              party.connected.end());
        party.once_bound.push_back(endpoint);
    }
}

void Ledger::will_close(int id, bool keeps_own) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Party& party = parties_[id];
    leave(id, keeps_own);
    party.is_alive = false;
    party.changing = party.bound;
}

void Ledger::did_close(int id, bool keeps_own) {
    const std::lock_guard<std::mutex> lock(mutex_);
    leave(id, keeps_own);
    Party& party = parties_[id];
    party.once_bound.insert(party.once_bound.end(), party.bound.begin(), party.bound.end());
    party.once_bound.insert(party.once_bound.end(), party.connected.begin(), party.connected.end());
    party.bound.clear();
    party.connected.clear();
}

void Ledger::leave(int id, bool keeps_own) {
    Party& party = parties_[id];
    ++group_events_[party.group];
    std::set<int> endpoints(party.bound.begin(), party.bound.end());
    endpoints.insert(party.once_bound.begin(), party.once_bound.end());
    endpoints.insert(party.connected.begin(), party.connected.end());
    for (const int endpoint : endpoints) {
        disturb(endpoint, id);
        keeps_own = keeps_own && !has_forgetful_peer(id, endpoint);
    }
    excuse_towards(id, nullptr);
    for (Party& each : parties_)
        if (each.group == party.group)
            for (const MessageId message : each.waiting)
                if (messages_[message].target == id)
                    messages_[message].is_excused = true;
    if (!keeps_own)
        excuse(party);
}

void Ledger::will_cut(int endpoint) {
    const std::lock_guard<std::mutex> lock(mutex_);
    disturb(endpoint, -1);
}

void Ledger::did_cut(int endpoint) {
    will_cut(endpoint);
}

void Ledger::spoil(int id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    parties_[id].is_spoiled = true;
    excuse(parties_[id]);
    excuse_towards(id, nullptr);
}

void Ledger::raise_high_water(int id, long send, long receive) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Party& party = parties_[id];
    const auto raise = [](long& mark, long value) { mark = mark == 0 || value == 0 ? 0 : std::max(mark, value); };
    const auto lower = [](long& mark, long value) {
        if (value != 0)
            mark = mark == 0 ? value : std::min(mark, value);
    };
    if (send >= 0) {
        raise(party.send_high_water, send);
        lower(party.send_low, send);
    }
    if (receive >= 0) {
        raise(party.receive_high_water, receive);
        lower(party.receive_low, receive);
    }
}

bool Ledger::is_bound(int endpoint) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::any_of(parties_.begin(), parties_.end(),
                       [&](const Party& party) { return holds(party.bound, endpoint); });
}

bool Ledger::is_surely_bound(int endpoint) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::any_of(parties_.begin(), parties_.end(), [&](const Party& party) {
        return holds(party.bound, endpoint) && !holds(party.changing, endpoint);
    });
}

void Ledger::subscribe(int id, const std::string& topic, bool is_on) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Party& party = parties_[id];
    if (is_on) {
        ++party.subscriptions[topic];
    } else {
        const auto found = party.subscriptions.find(topic);
        if (found != party.subscriptions.end() && --found->second == 0) {
            party.subscriptions.erase(found);
            party.given_up.insert(topic);
            excuse_towards(id, &topic);
        }
    }
}

// What was read is reported late (LWM-1), by the largest mark so far; after none and then one, who knows. Over inproc the
// marks of both count.
bool Ledger::surely_has_room(const Party& sender, const Party& receiver, std::size_t waiting) const {
    const auto sum = [](long a, long b) { return a == 0 || b == 0 ? 0 : a + b; };
    const bool is_local = meet_locally(sender, receiver);
    const long most = is_local ? sum(sender.send_high_water, receiver.receive_high_water) : sender.send_high_water;
    const long least = is_local ? sum(sender.send_low, receiver.receive_low) : sender.send_low;
    if (most == 0)
        return least == 0;
    return static_cast<long>(waiting) < least - (most + 1) / 2;
}

// A subscriber is owed a message by a publisher that has heard of its subscription and surely has room for it.
void Ledger::promise_fan_out(Message& message, MessageId id) {
    const Party& sender = parties_[message.sender];
    if (sender.is_spoiled || sender.is_lossy)
        return;
    for (const Party& receiver : parties_) {
        if (receiver.group != sender.group || !receiver.is_alive || receiver.is_spoiled || receiver.is_lossy)
            continue;
        const int ways = paths(sender, receiver);
        if (ways == 0)
            continue;
        auto& waiting = on_the_way_[{sender.id, receiver.id}];
        const auto& confirmed = confirmed_[{sender.id, receiver.id}];
        const bool is_wanted = std::any_of(confirmed.begin(), confirmed.end(), [&](const std::string& topic) {
            return starts_with(message.topic, topic) && receiver.subscriptions.count(topic) != 0;
        });
        const bool has_room = surely_has_room(sender, receiver, waiting.size());
        // It fills the pipe whoever wants it, and while a second way comes or goes.
        waiting.insert(id);
        if (is_wanted && has_room && ways == 1) {
            message.owed_to.push_back(receiver.id);
            ++owed_copies_;
        }
    }
}

MessageId Ledger::will_send(int id, int target, const std::string& topic, std::vector<std::uint32_t> sizes,
                            MessageId reply_to) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Party& party = parties_[id];
    const auto number = static_cast<MessageId>(messages_.size());
    messages_.push_back({id, target, topic, std::move(sizes), reply_to, group_events_[party.group], false, false, false,
                         false, {}, {}});
    Message& message = messages_.back();
    message.is_tainted = !party.tainted.empty();
    message.is_excused = message.is_tainted || party.is_spoiled || party.is_lossy;
    if (target >= 0) {
        const Party& receiver = parties_[target];
        if (!receiver.is_alive || receiver.is_spoiled || receiver.is_lossy || paths(party, receiver) != 1 ||
            !are_joined(party, receiver))
            message.is_excused = true;
        auto& waiting = on_the_way_[{id, target}];
        if (party.may_drop && !surely_has_room(party, receiver, waiting.size()))
            message.is_excused = true;
        waiting.insert(number);
    }
    if (party.routing == Routing::fan_out)
        promise_fan_out(message, number);
    else
        party.waiting.insert(number);
    return number;
}

void Ledger::did_send(MessageId id, bool was_accepted) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Message& message = messages_[id];
    Party& party = parties_[message.sender];
    if (was_accepted) {
        message.is_accepted = true;
        ++accepted_;
        check_high_water(party);
        return;
    }
    message.is_refused = true;
    party.waiting.erase(id);
    owed_copies_ -= message.owed_to.size();
    message.owed_to.clear();
    for (auto& [pair, ids] : on_the_way_)
        if (pair.first == party.id)
            ids.erase(id);
    if (!message.receivers.empty())
        violate_locked("stray", "a refused message was delivered: " + text(id));
}

void Ledger::excuse_message(MessageId id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Message& message = messages_[id];
    message.is_excused = true;
    owed_copies_ -= message.owed_to.size();
    message.owed_to.clear();
}

std::uint64_t Ledger::events(int group) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return group_events_[group];
}

std::vector<int> Ledger::parties_joined(int endpoint) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return joined_by(endpoint);
}

// HWM-4, HWM-6, HWM-7: no more wait than the pipes of the sender may hold.
void Ledger::check_high_water(const Party& sender) {
    if (sender.routing != Routing::one_of_many || sender.is_lossy || sender.is_spoiled)
        return;
    std::size_t bound = 0;
    bool has_network = false;
    long receive = 0;
    bool is_endless = sender.send_high_water == 0;
    std::size_t peers = 0;
    std::size_t in_hand = 0;
    for (const Party& party : parties_)
        if (party.group == sender.group && party.id != sender.id) {
            const int count = paths(sender, party);
            if (count == 0)
                continue;
            peers += static_cast<std::size_t>(count);
            ++in_hand;
            is_endless = is_endless || party.receive_high_water == 0;
            receive = std::max(receive, party.receive_high_water);
        }
    if (is_endless)
        return;
    for (const int endpoint : sender.connected)
        has_network = has_network || is_network(endpoint);
    for (const int endpoint : sender.bound)
        has_network = has_network || is_network(endpoint);
    for (const int endpoint : sender.once_bound)
        has_network = has_network || is_network(endpoint);
    const std::size_t pipes = peers + sender.connected.size() + sender.once_bound.size();
    bound = pipes * static_cast<std::size_t>(sender.send_high_water + receive) + in_hand;
    std::vector<std::uint64_t> sizes;
    for (const MessageId id : sender.waiting)
        if (!messages_[id].is_excused && messages_[id].is_accepted) {
            std::uint64_t bytes = 0;
            for (const std::uint32_t size : messages_[id].sizes)
                bytes += size + 2;
            sizes.push_back(bytes);
        }
    if (sizes.size() <= bound)
        return;
    if (has_network && peers != 0) {
        std::sort(sizes.begin(), sizes.end());
        std::uint64_t excess = 0;
        for (std::size_t i = 0; i < sizes.size() - bound; ++i)
            excess += sizes[i];
        if (excess <= network_bytes_max * pipes)
            return;
    }
    std::ostringstream out;
    out << sizes.size() << " messages wait where " << bound << " may, of socket " << sender.id << " (slot "
        << sender.slot << ", type " << sender.type << ')';
    violate_locked("breach", out.str());
}

std::vector<std::uint32_t> Ledger::sizes_of(MessageId id) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return id < messages_.size() ? messages_[id].sizes : std::vector<std::uint32_t>();
}

int Ledger::sender_of(MessageId id) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return messages_[id].sender;
}

MessageId Ledger::replied_to(MessageId id) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return messages_[id].reply_to;
}

void Ledger::received(int id, MessageId number) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Party& receiver = parties_[id];
    Message& message = messages_[number];
    Party& sender = parties_[message.sender];
    const std::string by = " by socket " + std::to_string(id) + " (slot " + std::to_string(receiver.slot) + ")";
    if (message.is_refused)
        return violate_locked("stray", "a refused message was delivered: " + text(number) + by);
    if (sender.group != receiver.group || sender.id == receiver.id)
        return violate_locked("stray", "received" + by + ": " + text(number));
    if (message.target >= 0 && message.target != id && !message.is_excused && !sender.was_disturbed)
        return violate_locked("stray", "received" + by + ": " + text(number));
    const bool is_fan_out = sender.routing == Routing::fan_out;
    // Two connections between a publisher and a subscriber carry two copies.
    const auto copies = std::count(message.receivers.begin(), message.receivers.end(), id);
    if (is_fan_out ? copies > 0 && message.events == group_events_[sender.group] && paths(sender, receiver) <= copies
                   : !message.receivers.empty())
        return violate_locked("duplicate", "received again" + by + ": " + text(number));
    message.receivers.push_back(id);
    ++delivered_;
    if (sender.routing != Routing::fan_out && !message.is_excused)
        ++delivered_owed_;
    sender.waiting.erase(number);
    if (holds(message.owed_to, id)) {
        take_one(message.owed_to, id);
        --owed_copies_;
        ++delivered_owed_;
    }
    const auto way = on_the_way_.find({sender.id, id});
    if (way != on_the_way_.end()) {
        // What was sent before on this path and has not come was dropped, and waits nowhere.
        auto& ids = way->second;
        ids.erase(number);
        if (paths(sender, receiver) == 1)
            for (auto each = ids.begin(); each != ids.end() && *each < number;) {
                const Message& earlier = messages_[*each];
                const bool is_owed = is_fan_out ? holds(earlier.owed_to, id) : !earlier.is_excused;
                each = is_owed ? std::next(each) : ids.erase(each);
            }
    }

    // ORD-1, as far as one pipe lay between the two all the time.
    MessageId& newest = newest_[{sender.id, id}];
    if (number < newest && message.events == group_events_[sender.group] && !message.is_tainted &&
        paths(sender, receiver) == 1)
        violate_locked("reorder", "received" + by + " after message " + std::to_string(newest) + ": " + text(number));
    newest = std::max(newest, number);

    if (paths(sender, receiver) != 1)
        return;
    // Over a network a lost connection is replaced, and this message came by the new one.
    for (auto taint = sender.tainted.begin(); taint != sender.tainted.end();) {
        const int endpoint = taint->first;
        if (taint->second <= number && is_network(endpoint) && holds(sender.connected, endpoint) &&
            holds(receiver.bound, endpoint))
            taint = sender.tainted.erase(taint);
        else
            ++taint;
    }
    if (is_fan_out && !message.is_tainted && message.events == group_events_[sender.group])
        if (const std::string* const topic = only_reason(receiver, message))
            confirmed_[{sender.id, id}].insert(*topic);
}

// The subscription that has let the message through, if no other one can have.
const std::string* Ledger::only_reason(const Party& receiver, const Message& message) {
    const std::string* reason = nullptr;
    for (const auto& [topic, count] : receiver.subscriptions)
        if (starts_with(message.topic, topic)) {
            if (reason)
                return nullptr;
            reason = &topic;
        }
    for (const std::string& topic : receiver.given_up)
        if (starts_with(message.topic, topic))
            return nullptr;
    return reason;
}

std::size_t Ledger::owed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::size_t count = owed_copies_;
    for (const Party& party : parties_)
        for (const MessageId id : party.waiting)
            if (!messages_[id].is_excused)
                ++count;
    return count;
}

std::string Ledger::describe_owed() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Party& party : parties_)
        for (const MessageId id : party.waiting)
            if (!messages_[id].is_excused)
                return text(id);
    for (const auto& [pair, ids] : on_the_way_)
        for (const MessageId id : ids)
            if (holds(messages_[id].owed_to, pair.second))
                return text(id) + " for socket " + std::to_string(pair.second);
    return "nothing";
}

// Over a network a connection comes about while one is bound and the other connected. Over inproc it came about when
// the second of the two joined, if nobody else was bound there before.
bool Ledger::has_link(const Party& connecter, const Party& binder) const {
    return std::any_of(connecter.connected.begin(), connecter.connected.end(), [&](int endpoint) {
        if (!holds(binder.bound, endpoint))
            return false;
        if (is_network(endpoint))
            return true;
        return connecter.tainted.count(endpoint) == 0 && binder.tainted.count(endpoint) == 0 &&
               std::none_of(parties_.begin(), parties_.end(), [&](const Party& other) {
                   return other.id != binder.id && (holds(other.bound, endpoint) || holds(other.once_bound, endpoint));
               });
    });
}

bool Ledger::is_clear(int id) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Party& sender = parties_[id];
    if (!sender.is_alive || sender.is_spoiled || !sender.tainted.empty() || sender.routing != Routing::one_of_many)
        return false;
    // The connections that an unbind ends go on for a moment, and may be the room that a poll has seen.
    if (std::any_of(sender.once_bound.begin(), sender.once_bound.end(), [&](int endpoint) { return is_network(endpoint); }))
        return false;
    return std::any_of(parties_.begin(), parties_.end(), [&](const Party& party) {
        return party.id != id && party.is_alive && !party.is_spoiled && party.group == sender.group &&
               (has_link(sender, party) || has_link(party, sender));
    });
}

} // namespace model
