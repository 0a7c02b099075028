// A random program as data: sockets, endpoints, and a list of operations that is made from a seed, written to a file and
// read from one. Every operation holds the numbers that decide what it does, so a shorter list means the same.
//
//     threads N
//     group KIND                                  who talks to whom
//     endpoint GROUP TRANSPORT SIDE PROXIED       SIDE binds it
//     slot GROUP SIDE                             a place for one socket at a time
//     OPERATION SLOT A B                          for cut, delay and split, SLOT is an endpoint
#ifndef TERN_TESTS_MODEL_PROGRAM_HPP
#define TERN_TESTS_MODEL_PROGRAM_HPP

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace model {

enum class Kind {
    push_pull, pub_sub, req_rep, dealer_router, dealer_dealer, pair,
    client_server, radio_dish, scatter_gather, channel, peer
};
constexpr int stable_kinds = 6;
constexpr int all_kinds = 11;

enum class Transport { inproc, ipc, tcp, ws };

enum class Action {
    open, close, bind, unbind, connect, disconnect, send, burst, recv, recv_all, subscribe, unsubscribe, set_option,
    poll, monitor, cut, delay, split, barrier
};
constexpr int action_count = 19;

struct Operation {
    Action action;
    int slot;
    std::uint32_t a;
    std::uint32_t b;
};

struct Endpoint {
    int group;
    Transport transport;
    int bind_side;
    bool is_proxied;
};

struct Slot {
    int group;
    int side;
};

struct Program {
    int threads = 1;
    std::vector<Kind> groups;
    std::vector<Endpoint> endpoints;
    std::vector<Slot> slots;
    std::vector<Operation> operations;
};

struct Wishes {
    int operations = 1000;
    bool is_stable = false; // without DRAFT types and ws
};

Program make_program(std::uint64_t seed, const Wishes& wishes);
void write_program(std::ostream& out, const Program& program);
bool read_program(std::istream& in, Program& program);
const char* name_of(Kind kind);

} // namespace model

#endif
