#include "pattern/server.hpp"

namespace tern {

void Server::attach(Pipe &pipe) {
    while (next_ == 0 || peers_.count(next_) > 0) ++next_;
    pipe.note.number = next_;
    pipe.note.flag = false;
    peers_.emplace(next_++, &pipe);
    in_.attach(pipe);
}

// What it has sent is still read, with its number.
void Server::forget(Pipe &pipe) {
    const auto it = peers_.find(peer_number(pipe));
    if (it != peers_.end() && it->second == &pipe) peers_.erase(it);
}

void Server::detach(Pipe &pipe) {
    forget(pipe);
    in_.detach(pipe);
}

Error Server::send(Message &frame) {
    if (frame.has(Message::more)) return err::invalid;
    Pipe *const peer = numbered_peer(frame.routing_id());
    if (!peer || peer->outbound().reader_is_gone()) return err::host_unreachable;
    Pipe &pipe = *peer;
    if (pipe.note.flag || !pipe.check_write()) {
        pipe.note.flag = true;
        return err::again;
    }
    return send_without_routing_id(
        frame, [&pipe](Message &f) { return pipe.write(f) ? err::none : err::no_memory; });
}

bool Server::can_recv() {
    return in_.fetch([this](Message &frame, Pipe &from) {
        frame.set_routing_id(peer_number(from));
        return true;
    });
}

Error Server::recv(Message &frame) {
    if (!can_recv()) return err::again;
    in_.take(frame);
    return err::none;
}

Pipe *Server::numbered_peer(uint32_t number) const {
    const auto it = peers_.find(number);
    return it == peers_.end() ? nullptr : it->second;
}

} // namespace tern
