// DISH: joins groups, and receives what RADIOs send to them (RD-1..6). It tells every RADIO what it
// has joined, and looks again at what arrives.
#ifndef TERN_PATTERN_DISH_HPP
#define TERN_PATTERN_DISH_HPP

#include "pattern/fan_out.hpp"
#include "pattern/single_parts.hpp"

#include <set>
#include <string>

namespace tern {

class Dish final : public Pattern {
  public:
    explicit Dish(PatternHost &host) : in_(host) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override { out_.detach(pipe); }
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    void reconnected(Pipe &pipe) override;
    Error recv(Message &frame) override;
    bool can_send() override { return true; } // RD-6
    bool can_recv() override;
    Error join(Bytes group) override;
    Error leave(Bytes group) override;

  private:
    static void make_membership(Message &out, Bytes group, bool joins);
    void announce(Bytes group, bool joins);
    void send_all_joins(Pipe &pipe);

    SingleParts in_;
    FanOut out_;
    std::set<std::string, std::less<>> groups_;
};

} // namespace tern

#endif
