#include "pattern/radio.hpp"

#include <algorithm>
#include <zmq.h>

namespace tern {

void Radio::attach(Pipe &pipe) {
    out_.attach(pipe);
    pipe.note.flag = false;
    if (pipe.takes_everything()) unfiltered_.push_back(&pipe);
    readable(pipe);
}

void Radio::detach(Pipe &pipe) {
    out_.detach(pipe);
    unfiltered_.erase(std::remove(unfiltered_.begin(), unfiltered_.end(), &pipe), unfiltered_.end());
    leave_all(pipe);
}

void Radio::readable(Pipe &pipe) {
    Message frame;
    while (pipe.read(frame)) {
        if (frame.has(Message::membership))
            take_membership(pipe, frame.has(Message::subscribe), std::string(frame.bytes().text()));
        frame.close();
    }
    if (pipe.is_drained()) host_.pipe_drained(pipe);
}

void Radio::take_membership(Pipe &pipe, bool joins, const std::string &group) {
    if (joins) {
        std::vector<Pipe *> &members = groups_[group];
        if (std::find(members.begin(), members.end(), &pipe) == members.end())
            members.push_back(&pipe);
        return;
    }
    const auto it = groups_.find(group);
    if (it == groups_.end()) return;
    auto &members = it->second;
    members.erase(std::remove(members.begin(), members.end(), &pipe), members.end());
    if (members.empty()) groups_.erase(it);
}

void Radio::leave_all(Pipe &pipe) {
    for (auto it = groups_.begin(); it != groups_.end();) {
        auto &members = it->second;
        members.erase(std::remove(members.begin(), members.end(), &pipe), members.end());
        it = members.empty() ? groups_.erase(it) : std::next(it);
    }
}

bool Radio::all_matched_have_room(const std::vector<Pipe *> &members) {
    for (Pipe *pipe : members) {
        if (!out_.contains(*pipe)) continue;
        pipe->note.flag = pipe->note.flag || !pipe->check_write();
        if (pipe->note.flag) return false;
    }
    return true;
}

Error Radio::send(Message &frame) {
    if (frame.has(Message::more)) return err::invalid;
    out_.begin_matching();
    if (no_drop_ && !all_matched_have_room(unfiltered_)) return err::again;
    for (Pipe *pipe : unfiltered_) out_.match(*pipe);
    const auto it = groups_.find(frame.group());
    if (it != groups_.end()) {
        if (no_drop_ && !all_matched_have_room(it->second)) return err::again;
        for (Pipe *pipe : it->second) out_.match(*pipe);
    }
    frame.set_routing_id(0);
    frame.set(Message::grouped);
    out_.send(frame);
    return err::none;
}

Error Radio::set_option(int option, const void *value, size_t) {
    if (option != ZMQ_XPUB_NODROP) return err::invalid;
    no_drop_ = option_int(value) != 0;
    return err::none;
}

} // namespace tern
