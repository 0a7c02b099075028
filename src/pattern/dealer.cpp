#include "pattern/dealer.hpp"

#include <zmq.h>

namespace tern {

void write_probe(Pipe &pipe) {
    Message probe;
    probe.init();
    pipe.write_surely(probe);
}

void Dealer::attach(Pipe &pipe) {
    if (probe_router_) write_probe(pipe);
    in_.attach(pipe);
    out_.attach(pipe);
}

void Dealer::detach(Pipe &pipe) {
    in_.detach(pipe);
    out_.detach(pipe);
}

Error Dealer::set_option(int option, const void *value, size_t) {
    if (option != ZMQ_PROBE_ROUTER) return err::invalid;
    probe_router_ = option_int(value) != 0;
    return err::none;
}

} // namespace tern
