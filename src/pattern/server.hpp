// SERVER: every peer has a number, which a message carries as its routing id: in, it says who sent
// it; out, who is to get it (CS-1..8). PEER follows the same rules; that it also learns the number
// of the peer it connects to (PEER-1..3) is up to the socket.
#ifndef TERN_PATTERN_SERVER_HPP
#define TERN_PATTERN_SERVER_HPP

#include "pattern/single_parts.hpp"

#include <unordered_map>

namespace tern {

class Server final : public Pattern {
  public:
    // `random`: numbers begin there, and are never 0.
    Server(PatternHost &host, uint32_t random) : in_(host), next_(random) {}
    void attach(Pipe &pipe) override;
    void stop_writing(Pipe &pipe) override { forget(pipe); }
    void detach(Pipe &pipe) override;
    void readable(Pipe &pipe) override { in_.readable(pipe); }
    // note.flag: the pipe had no room, and has not said since that it has.
    void writable(Pipe &pipe) override { pipe.note.flag = false; }
    Error send(Message &frame) override;
    Error recv(Message &frame) override;
    bool can_send() override { return true; }
    bool can_recv() override;
    uint32_t peer_number(const Pipe &pipe) const override {
        return static_cast<uint32_t>(pipe.note.number);
    }
    Pipe *numbered_peer(uint32_t number) const override;

  private:
    void forget(Pipe &pipe);

    SingleParts in_;
    std::unordered_map<uint32_t, Pipe *> peers_; // note.number is the key
    uint32_t next_;
};

} // namespace tern

#endif
