#include "pattern/dish.hpp"

#include "flow/surely.hpp"

namespace tern {

namespace {
constexpr size_t group_max = 255;
} // namespace

void Dish::attach(Pipe &pipe) {
    in_.attach(pipe);
    out_.attach(pipe);
    send_all_joins(pipe);
}

void Dish::detach(Pipe &pipe) {
    in_.detach(pipe);
    out_.detach(pipe);
}

// What was not sent on the old connection is replaced by the whole set (RC-11).
void Dish::reconnected(Pipe &pipe) {
    pipe.discard_outbound();
    send_all_joins(pipe);
}

void Dish::make_membership(Message &out, Bytes group, bool joins) {
    surely([&] { return out.init_copy(group); });
    out.set(Message::membership);
    out.set(joins ? Message::subscribe : Message::cancel);
}

void Dish::send_all_joins(Pipe &pipe) {
    for (const std::string &group : groups_) {
        Message frame;
        make_membership(frame, Bytes(group), true);
        pipe.write_surely(frame);
    }
}

// What is noted here is told to everybody.
void Dish::announce(Bytes group, bool joins) {
    const WaitsForMemory waits;
    Message frame;
    make_membership(frame, group, joins);
    out_.send_to_all_regardless(frame);
    frame.close();
}

Error Dish::join(Bytes group) {
    if (group.size() > group_max || !groups_.emplace(group.text()).second) return err::invalid;
    announce(group, true);
    return err::none;
}

Error Dish::leave(Bytes group) {
    const auto it = groups_.find(group.text());
    if (it == groups_.end()) return err::invalid;
    groups_.erase(it);
    // What waits to be handed out goes with the group.
    if (in_.fetched() && group.text() == in_.fetched()->group()) in_.drop_fetched();
    announce(group, false);
    return err::none;
}

bool Dish::can_recv() {
    return in_.fetch([this](Message &frame, Pipe &) {
        frame.clear(Message::grouped);
        return groups_.find(std::string_view(frame.group())) != groups_.end();
    });
}

Error Dish::recv(Message &frame) {
    if (!can_recv()) return err::again;
    in_.take(frame);
    return err::none;
}

} // namespace tern
