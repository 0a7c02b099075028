// Listener: accepts connections at one bound endpoint, and owns those it accepted.
// Threads: open() on the caller of bind; close() on any thread under the turn, and the descriptor is
//          closed when it returns; everything else on the I/O thread.
// Owner:   shared by the Socket and by tasks on their way to the I/O thread.
#ifndef TERN_LINK_LISTENER_HPP
#define TERN_LINK_LISTENER_HPP

#include "link/handshake_room.hpp"
#include "link/opening.hpp"
#include "transport/stream_transport.hpp"

#include <memory>
#include <vector>

namespace tern {

class Listener final : public EventHandler,
                       public LinkOwner,
                       public OpeningEvents,
                       public std::enable_shared_from_this<Listener> {
  public:
    Listener(LinkHostPointer host, uint64_t id, std::shared_ptr<const LinkOptions> options,
             const StreamTransport &transport);

    // Binds and listens; emits LISTENING, or CLOSED and BIND_FAILED. Under the turn.
    Error open(const Endpoint &endpoint);
    const std::string &endpoint() const { return listening_.endpoint; }
    const std::string &other_text() const { return listening_.other_text; }
    uint64_t id() const { return id_; }
    // I/O thread: begins to accept.
    void start();
    // Under the turn: accepts no more and ends what it accepted. Until `linger_ms` is over (-1: as
    // long as it takes) links send what waits, and one that the program is sending a message to is
    // kept for the rest of it.
    void close(int linger_ms);

    void on_ready(unsigned bits) override;
    void connection_ended(Link &link, bool fatal) override;
    void opening_ready(Opening &opening, Established established) override;
    void opening_failed(Opening &opening, bool fatal) override;
    bool opening_needs_place(Opening &opening) override { return room_.enter(opening); }

  private:
    void accept_some();
    void pause_accepting();
    void finish_closing(int linger_ms);
    void end_links();
    void drop_outputs();
    void forget_if_done();
    void drop(Opening &opening);

    const LinkHostPointer host_holder_;
    LinkHost &host_;
    const uint64_t id_;
    const std::shared_ptr<const LinkOptions> options_;
    const StreamTransport &transport_;
    Wrapping wrapping_;   // not changed after open()
    Listening listening_; // its descriptor under the turn, the rest not changed after open()
    bool closed_ = false; // under the turn

    // I/O thread.
    Loop::WatchId watch_ = 0;
    Loop::TimerId pause_timer_;
    Loop::TimerId linger_timer_;
    Loop::TimerId message_timer_;
    HandshakeRoom room_;
    std::vector<std::unique_ptr<Opening>> openings_;
    std::vector<std::unique_ptr<Opening>> over_; // freed after the call that ended them
    std::vector<std::shared_ptr<Link>> links_;
    bool flushes_ = true;     // linger is not over
    bool is_closing_ = false; // all links have been told
    bool forgotten_ = false;
};

} // namespace tern

#endif
