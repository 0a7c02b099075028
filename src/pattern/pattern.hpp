// Pattern: what makes a socket a PUSH, a ROUTER, a SUB: only its routing rules and state machine.
// Threads: every call under the turn of the socket; a pattern never blocks and makes no system calls.
//          On thread-safe types several threads wait for what a pipe will report. So a pattern that
//          has found a pipe empty (or full) does not look at it again before readable() (or
//          writable()) tells it to: by looking, one thread would take back the sign that lets the
//          other side tell, while the others sleep on. FairQueue and LoadBalance keep to that.
// Owner:   a Socket, which also owns the pipes; a pattern only refers to those attached to it.
#ifndef TERN_PATTERN_PATTERN_HPP
#define TERN_PATTERN_PATTERN_HPP

#include "base/error.hpp"
#include "base/message.hpp"
#include "flow/pipe.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace tern {

// What a pattern may ask of its socket. Answered after the current call has returned.
class PatternHost {
  public:
    virtual ~PatternHost() = default;
    // Everything was read from a pipe whose other end is closed: it can be detached.
    virtual void pipe_drained(Pipe &pipe) = 0;
    // A second peer of PAIR: it stays connected, unheard.
    virtual void pipe_refused(Pipe &pipe) = 0;
    // Nothing is read from this pipe any more, as long as its peer stays.
    virtual void pipe_unheard(Pipe &pipe) = 0;
    // STREAM and raw ROUTER close a connection.
    virtual void pipe_unwanted(Pipe &pipe) = 0;
};

class Pattern {
  public:
    virtual ~Pattern() = default;

    // ---- peers come and go
    virtual void attach(Pipe &pipe) = 0;
    // The peer takes no more messages; what it sent stays readable.
    virtual void stop_writing(Pipe &pipe) = 0;
    // The pipe is gone, read or not.
    virtual void detach(Pipe &pipe) = 0;
    // Something is readable, or writable, that was not before.
    virtual void readable(Pipe &) {}
    virtual void writable(Pipe &) {}
    // The peer of a connected pipe has said who it is.
    virtual void identified(Pipe &) {}
    // The connection behind a connected pipe is up again.
    virtual void reconnected(Pipe &) {}

    // Asked before a connect: may another pipe be made? (A CONNECT_ROUTING_ID in use says no.)
    virtual Error check_connect() { return err::none; }

    // ---- numbered and named peers, groups
    // SERVER and PEER: the number of the peer behind a pipe. 0 elsewhere.
    virtual uint32_t peer_number(const Pipe &) const { return 0; }
    // And the way back; null when there is no such peer.
    virtual Pipe *numbered_peer(uint32_t) const { return nullptr; }
    // ROUTER and REP: can this peer take a message?
    virtual Result<bool> peer_has_room(Bytes) { return err::not_supported; }
    // DISH.
    virtual Error join(Bytes) { return err::not_supported; }
    virtual Error leave(Bytes) { return err::not_supported; }

    // ROUTING_ID as STREAM answers it: that of the newest pipe. Empty elsewhere.
    virtual std::string newest_routing_id() const { return {}; }

    // ---- messages: one frame per call
    // Takes the frame and leaves it empty; on failure it is untouched.
    virtual Error send(Message &) { return err::not_supported; }
    // Fills uninitialised memory on success.
    virtual Error recv(Message &) { return err::not_supported; }
    // Whether a message that could not be filled is left empty, or as it was.
    virtual bool empties_unfilled() const { return true; }
    virtual bool can_send() { return false; }
    virtual bool can_recv() { return false; }
    // How many whole messages send() would take now, one after the other and without a failure, as
    // far as can be told; `wanted` are enough. At least one when can_send().
    virtual size_t room(size_t) { return can_send() ? 1 : 0; }
    // The one pipe that every whole message goes to, or comes from, for as long as the pattern is told
    // nothing new; null when the pattern has to be asked each time. No message is under way.
    virtual Pipe *sole_outlet() { return nullptr; }
    virtual Pipe *sole_inlet() { return nullptr; }
    // May messages from there be unwanted? Then each is asked about.
    virtual bool is_filtering() const { return false; }
    virtual bool wants(Bytes) { return true; }

    // ---- options that only this pattern knows; value and size were checked against the table
    virtual Error set_option(int, const void *, size_t) { return err::invalid; }
    // TOPICS_COUNT; negative where it has no meaning.
    virtual int topics_count() const { return -1; }
};

// Null for a type that does not exist. `random` seeds counters that must not start alike.
std::unique_ptr<Pattern> make_pattern(int socket_type, PatternHost &host, uint32_t random);

// A value may be shorter than an int (ZMQ_XSUB_VERBOSE_UNSUBSCRIBE).
inline int option_int(const void *value, size_t size = sizeof(int)) {
    int number = 0;
    std::memcpy(&number, value, size < sizeof number ? size : sizeof number);
    return number;
}

// Closes a frame that is dropped, and leaves it empty.
inline void drop_frame(Message &frame) {
    frame.close();
    frame.init();
}

} // namespace tern

#endif
