// RADIO: each message goes to the DISHes that have joined its group (RD-1..3). Who joins and leaves
// is applied as soon as it arrives, on whichever thread reads it. A connection that breaks and is made again keeps its
// groups, as with XPUB: the DISH says them anew a moment after it is back, and misses nothing before.
#ifndef TERN_PATTERN_RADIO_HPP
#define TERN_PATTERN_RADIO_HPP

#include "pattern/fan_out.hpp"

#include <string>
#include <unordered_map>

namespace tern {

class Radio final : public Pattern {
  public:
    explicit Radio(PatternHost &host) : host_(host) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override { out_.detach(pipe); }
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override;
    // note.flag: the pipe had no room, and has not said since that it has.
    void writable(Pipe &pipe) override { pipe.note.flag = false; }
    Error send(Message &frame) override;
    bool can_send() override { return true; }
    Error set_option(int option, const void *value, size_t size) override;

  private:
    bool all_matched_have_room(const std::vector<Pipe *> &members);
    void take_membership(Pipe &pipe, bool joins, const std::string &group);
    void leave_all(Pipe &pipe);

    PatternHost &host_;
    FanOut out_;
    std::unordered_map<std::string, std::vector<Pipe *>> groups_; // each pipe once
    std::vector<Pipe *> unfiltered_;                              // they get every group
    bool no_drop_ = false;
};

} // namespace tern

#endif
