#include "allowed.hpp"

#include <fnmatch.h>

namespace model {

namespace {

constexpr const char* probe = "a REP has PROBE_ROUTER, or the binder of a name that was connected to before";
constexpr const char* probe_reason = "it is for REQ, DEALER and ROUTER; libzmq's REP probes too, and its ROUTER takes a probe for the routing id";

constexpr Allowed table[] = {
    {"has [cpngt]* -> 1", "has [cpngt]* -> 0", "Tern was built without it", "zmq_has tells the truth", true},
    {"*send type * later part * -> -1 errno 11*", "*send type * later part * -> [0-9]*",
     "the pipe is lost in the middle of the message",
     "LB-8: libzmq says so once when it has not read the pipe's end; ours swallows the rest", false},
    {"*send type 0 second comer * -> [0-9]*", "*send type 0 second comer * -> -1 errno 11*",
     "a PAIR that is taken refuses the second",
     "PAIR-1: libzmq takes a message that nobody gets until it hears of the refusal", false},
    {"*send type 0 second comer * -> -1 errno 11*", "*send type 0 second comer * -> [0-9]*",
     "a PAIR has disconnected from a name that nobody bound",
     "PAIR-1: libzmq keeps that pipe, so that the PAIR stays taken for good", false},
    {"*recv type 0 second comer * -> -1 errno 11*", "*recv type 0 second comer * -> [0-9]*",
     "a PAIR has disconnected from a name that nobody bound",
     "PAIR-1: libzmq keeps that pipe, so that the PAIR stays taken for good", false},
    {"*<0 second comer: [0-7] [01]>*", "*<0 second comer: [0-7] [23]>*",
     "a PAIR has disconnected from a name that nobody bound",
     "PAIR-1: libzmq keeps that pipe, so that the PAIR stays taken for good", false},
    {"*<0 second comer: [0-7] [23]>*", "*<0 second comer: [0-7] [01]>*",
     "a PAIR that is taken refuses the second",
     "PAIR-1: libzmq takes a message that nobody gets until it hears of the refusal", false},
    {"getsockopt type * second comer option 15 *", "getsockopt type * second comer option 15 *",
     "a PAIR that is taken, or was", "PAIR-1: as for its sends", false},
    {"getsockopt type * new mark option 15 *", "getsockopt type * new mark option 15 *",
     "a mark was set later", "CHG-3, HWM-5: as for its sends", false},
    {"*send type * new mark * -> -1 errno 11*", "*send type * new mark * -> [0-9]*",
     "SNDHWM was raised while the pipe was full", "CHG-3: libzmq looks again only after the peer has read", false},
    {"*send type * new mark * -> [0-9]*", "*send type * new mark * -> -1 errno 11*",
     "RCVHWM was set before the name is bound",
     "HWM-5: the connecter's own SNDHWM; libzmq then adds the RCVHWM of the same socket", false},
    {"*new mark: [0-7] [23]>*", "*new mark: [0-7] [01]>*", "RCVHWM was set before the name is bound",
     "HWM-5: the connecter's own SNDHWM; libzmq then adds the RCVHWM of the same socket", false},
    {"*new mark: [0-7] [01]>*", "*new mark: [0-7] [23]>*", "SNDHWM was raised while the pipe was full",
     "CHG-3: libzmq looks again only after the peer has read", false},
    {"poll*<4*: [0-7] [13]>*", "poll*<4*: [0-7] [02]>*", "what came to a REP is no request",
     "REP: libzmq calls it readable, and drops it when it is received", false},
    {"getsockopt type 4 option 15 *", "getsockopt type 4 option 15 *", "what came to a REP is no request",
     "REP: libzmq calls it readable, and drops it when it is received", false},
    {"message * given back * beside a REP*", "message * given back * beside a REP*", "what came to a REP is no request",
     "REP: libzmq calls it readable, and drops it when it is received", false},
    {"*recv type [03] at its own name * -> -1 errno 11*", "*recv type [03] at its own name * -> [0-9]*",
     "what a socket left at a name comes to it when it binds the name",
     "INP-4: in libzmq the old connection is there until then, so that a PAIR is taken, and a REQ waits for that peer", false},
    {"*recv type 9 beside a late subscription* -> -1 errno 11*", "*recv type 9 beside a late subscription* -> [0-9]*",
     "a later part of an XSUB's message subscribes",
     "XPUB: everybody is told; libzmq does not tell who has come since the message began", false},
    {"*<[3-6] probed: [0-7] [0-3]>*", "*<[3-6] probed: [0-7] [0-3]>*", probe, probe_reason, false},
    {"*recv type [3-6] probed *", "*recv type [3-6] probed *", probe, probe_reason, false},
    {"disconnect type 0 inproc://* -> 0", "disconnect type 0 inproc://* -> -1 errno 2",
     "a PAIR that is taken has no second connection to end",
     "PAIR-1: libzmq keeps the refused pipe while nobody has bound the name", true},
    {"unbind type 0 inproc://* -> 0", "unbind type 0 inproc://* -> -1 errno 2",
     "a PAIR that is taken has no second connection to end",
     "PAIR-1: libzmq keeps the refused pipe while nobody has bound the name", true},
    {"unbind type 3 inproc://* -> 0", "unbind type 3 inproc://* -> -1 errno 2", "the peer of a REQ has gone",
     "libzmq's REQ hears of it only while it waits for a reply", true},
    {"disconnect type 3 inproc://* -> 0", "disconnect type 3 inproc://* -> -1 errno 2", "the peer of a REQ has gone",
     "libzmq's REQ hears of it only while it waits for a reply", true},
    {"message 6 get 3 -> 1 *", "message 6 get 3 -> 0 *", "a copy of up to 40 bytes shares nothing", "ZMQ_SHARED tells the truth", true},
    {"*<6 later part: [0-7] [01]>*", "*<6 later part: [0-7] [23]>*",
     "ROUTER_MANDATORY was set inside a message", "GEN-6: what is begun can be finished; libzmq looks for a peer with room", false},
    {"bind type * of a monitor -> -1 errno 98", "bind type * of a monitor -> 0", "whose monitor had the name has been closed",
     "libzmq's monitor keeps its address until its socket's connections have ended, a pending one not before the context", false},
    {"monitor type * -> -1 errno 98", "monitor type * -> 0", "a monitor takes the place of the one before",
     "libzmq's old monitor keeps its address until a thread of its own has closed it", false},
};

} // namespace

const Allowed* find_allowed(const std::string& reference, const std::string& ours) {
    for (const Allowed& each : table)
        if (::fnmatch(each.reference, reference.c_str(), 0) == 0 && ::fnmatch(each.ours, ours.c_str(), 0) == 0)
            return &each;
    return nullptr;
}

} // namespace model
