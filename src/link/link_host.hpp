// LinkHost: what links, connectors and listeners ask of the socket they work for. Declared here by
// the lower folder, implemented by Socket.
// Threads: turn() and loop() from anywhere; ask_zap() and compute_aside() on the I/O thread,
//          without the turn; everything else only under the turn.
#ifndef TERN_LINK_LINK_HOST_HPP
#define TERN_LINK_LINK_HOST_HPP

#include "base/error.hpp"
#include "link/zap_call.hpp"
#include "os/biased_lock.hpp"
#include "reactor/loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace tern {

class Link;

// The turn: the right to touch a socket's pattern, pipes and links (the "encode" part), for as long
// as it takes to move some messages and never across a system call on a connection. Reading and
// writing a connection are parts of their own, held as flags in its Link while the turn is given up.
// The thread that sends or receives a stream has it nearly for free (BiasedLock).
using Turn = std::unique_lock<BiasedLock>;

// Monitor events, by the numbers of zmq.h.
enum class LinkEvent : uint16_t {
    connected = 0x0001,
    connect_delayed = 0x0002,
    connect_retried = 0x0004,
    listening = 0x0008,
    bind_failed = 0x0010,
    accepted = 0x0020,
    accept_failed = 0x0040,
    closed = 0x0080,
    disconnected = 0x0200,
    handshake_failed_no_detail = 0x0800,
    handshake_succeeded = 0x1000,
    handshake_failed_protocol = 0x2000,
    handshake_failed_auth = 0x4000,
};

// Both ends of a connection as monitors show them; either may be empty.
struct EndpointTexts {
    std::string local;
    std::string remote;
    bool bound_side = false; // which of the two a version 1 monitor shows
};

class LinkHost {
  public:
    virtual ~LinkHost() = default;

    virtual BiasedLock &turn() = 0;
    virtual Loop &loop() = 0;

    // ---- a handshake asks
    // ENOENT: there is no handler. Any other error: there is one that can not be asked.
    virtual Result<std::unique_ptr<ZapCall>> ask_zap(const std::vector<std::string> &request,
                                                     ZapListener &listener) = 0;

    // Runs a handshake's computation where it may block. False when no thread can be had.
    [[nodiscard]] virtual bool compute_aside(std::function<void()> job, bool asks_network) = 0;

    // ---- a link reports
    // The connection is up. An accepted link gets its pipe here. Null routing id: not announced.
    virtual void link_up(Link &link, const std::string &peer_routing_id) = 0;
    // Something was cut into the pipe, or can be.
    virtual void link_readable(Link &link) = 0;
    // The pipe's queue has room again.
    virtual void link_writable(Link &link) = 0;
    // A message was put into the batch or the queue: to be looked after before the call ends.
    virtual void link_has_output(Link &link) = 0;
    // Bytes have gone to the kernel.
    virtual void link_wrote(Link &link, Nanoseconds now) = 0;
    // Bytes may wait in the kernel: the I/O thread is to take them.
    virtual void link_has_input(Link &link) = 0;
    // The same after a read, for whoever looks for input next.
    virtual void input_left(Link &link) = 0;
    // The connection is closed for good: the pipe ends when it is drained.
    virtual void link_ended(Link &link) = 0;
    // The same, and what was not read is dropped with it (IMMEDIATE, RC-8).
    virtual void link_lost(Link &link) = 0;
    // The endpoint is being closed: the socket lets go of the pipe and calls Link::close(flush).
    virtual void close_link(Link &link, bool flush) = 0;
    // The same for an accepted link on the I/O thread, but what has arrived stays readable (DIS-2).
    // `reading` and `mid_message`: nothing was done, and the caller has to ask again. Another thread
    // reads just now, or the program has yet to send the rest of a message, which is to be flushed.
    enum class Retired : uint8_t { yes, reading, mid_message };
    virtual Retired retire_link(Turn &turn, Link &link, bool flush) = 0;

    // A link has been served on the I/O thread: what that has led to is done now.
    virtual void link_served(Turn &turn) = 0;

    // ---- descriptors of established connections
    virtual Error watch(Link &link, int fd) = 0;
    virtual void watch_writable(Link &link, int fd, bool wanted) = 0;
    virtual void unwatch(Link &link, int fd) = 0;

    virtual void event(LinkEvent event, int64_t value, const EndpointTexts &endpoints) = 0;
    // A listener or connector has finished its last work and may be forgotten.
    virtual void endpoint_finished(uint64_t endpoint_id) = 0;
};

// Held by everything that may still run on the I/O thread after the socket was closed.
using LinkHostPointer = std::shared_ptr<LinkHost>;

} // namespace tern

#endif
