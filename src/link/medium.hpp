// Medium: what carries the messages of a Carrier over the network, without connections: udp, norm,
// pgm. One direction may mean nothing to it: what a receiver is given to send it drops, and a sender
// receives nothing.
//
// Threads: made on the caller of bind or connect; end_input() on any; everything else on the I/O thread.
// Owner:   a Carrier.
// Limit:   what each says of itself; it takes no more than it said it can.
#ifndef TERN_LINK_MEDIUM_HPP
#define TERN_LINK_MEDIUM_HPP

#include "base/message.hpp"
#include "link/link_options.hpp"
#include "reactor/loop.hpp"
#include "transport/endpoint.hpp"

#include <memory>

namespace tern {

// Who is told of it. A medium touches nothing of itself after such a call unless it is still alive:
// the user keeps it until the loop's next task.
class MediumUser {
  public:
    virtual ~MediumUser() = default;
    // receive() may find something.
    virtual void medium_readable() = 0;
    // can_send() may be true again, or is_flushed().
    virtual void medium_writable() = 0;
};

class Medium {
  public:
    virtual ~Medium() = default;
    // Begins to report. Fails when the process is out of something: it may be tried again.
    virtual Error start(Loop &loop, MediumUser &user) = 0;
    // Reports nothing any more and lets go of everything.
    virtual void stop() = 0;

    // ---- out, a frame at a time
    virtual bool can_send() const = 0;
    // REQUIRES: can_send(). Closes the frame, sent or dropped.
    virtual void send(Message &frame) = 0;
    // No more is at hand: what waits for company goes now.
    virtual void flush() = 0;
    // Everything that was given to send() has left.
    virtual bool is_flushed() const = 0;

    // ---- in, a frame at a time
    // Fills uninitialised memory. False: nothing there, and news of it will be reported.
    virtual bool receive(Message &frame) = 0;
    // The user has no room: medium_readable() is not called until resume().
    virtual void pause() = 0;
    // Any thread: nothing is to be received any more. What only receives has closed its descriptor
    // when this returns, so that its address is free.
    virtual void end_input(Loop &loop) = 0;
    virtual void resume() = 0;
};

// The medium of an endpoint, ready to start; every error of the endpoint.
Result<std::unique_ptr<Medium>> open_medium(const Endpoint &endpoint,
                                            std::shared_ptr<const LinkOptions> options, bool binds);
// Is an endpoint of this transport a medium's?
bool has_medium(Endpoint::Transport transport);

} // namespace tern

#endif
