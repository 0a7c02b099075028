#include "program.hpp"

#include <istream>
#include <ostream>
#include <sstream>

#include "random.hpp"

namespace model {

namespace {

constexpr const char* kind_names[all_kinds] = {"push_pull",      "pub_sub",       "req_rep",    "dealer_router",
                                               "dealer_dealer",  "pair",          "client_server", "radio_dish",
                                               "scatter_gather", "channel",       "peer"};
constexpr const char* transport_names[] = {"inproc", "ipc", "tcp", "ws"};
constexpr const char* action_names[action_count] = {
    "open", "close",      "bind", "unbind",  "connect", "disconnect", "send",  "burst", "recv",   "recv_all",
    "subscribe", "unsubscribe", "set_option", "poll", "monitor", "cut", "delay", "split", "barrier"};

template <std::size_t count>
int index_of(const char* const (&names)[count], const std::string& name) {
    for (std::size_t i = 0; i < count; ++i)
        if (name == names[i])
            return static_cast<int>(i);
    return -1;
}

bool is_exclusive(Kind kind) {
    return kind == Kind::pair || kind == Kind::channel;
}

Transport random_transport(Random& random, const Wishes& wishes) {
    const std::uint32_t dice = random.below(20);
    if (dice < 8)
        return Transport::inproc;
    if (dice < 12)
        return Transport::ipc;
    return dice < 19 || wishes.is_stable ? Transport::tcp : Transport::ws;
}

// Each side of a group has sockets, and each endpoint one side that binds it.
void add_group(Program& program, Random& random, const Wishes& wishes) {
    const int group = static_cast<int>(program.groups.size());
    const Kind kind = static_cast<Kind>(random.below(wishes.is_stable ? stable_kinds : all_kinds));
    program.groups.push_back(kind);
    const int endpoints = is_exclusive(kind) ? 1 : 1 + static_cast<int>(random.below(3));
    const int main_side = static_cast<int>(random.below(2));
    for (int i = 0; i < endpoints; ++i) {
        const Transport transport = random_transport(random, wishes);
        const int side = random.one_in(4) ? 1 - main_side : main_side;
        program.endpoints.push_back({group, transport, side, transport == Transport::tcp && random.one_in(3)});
    }
    for (int side = 0; side < 2; ++side) {
        const int slots = is_exclusive(kind) ? 1 : 1 + static_cast<int>(random.below(3));
        for (int i = 0; i < slots; ++i)
            program.slots.push_back({group, side});
    }
}

} // namespace

const char* name_of(Kind kind) {
    return kind_names[static_cast<int>(kind)];
}

Program make_program(std::uint64_t seed, const Wishes& wishes) {
    Random random(seed);
    Program program;
    const int groups = 1 + static_cast<int>(random.below(3));
    for (int i = 0; i < groups; ++i)
        add_group(program, random, wishes);
    program.threads = random.one_in(2) ? 1 : 2 + static_cast<int>(random.below(3));

    // How often each thing happens differs from program to program, so that some are calm and some are not.
    std::uint32_t weights[action_count] = {};
    const auto weigh = [&](Action action, std::uint32_t weight) { weights[static_cast<int>(action)] = weight; };
    const std::uint32_t churn = random.one_in(3) ? 0 : 1 + random.below(12);
    weigh(Action::open, 30 + churn);
    weigh(Action::close, random.one_in(2) ? churn : churn / 4);
    weigh(Action::bind, 20 + churn);
    weigh(Action::connect, 20 + churn);
    weigh(Action::unbind, random.one_in(2) ? churn / 2 : 0);
    weigh(Action::disconnect, random.one_in(2) ? churn / 2 : 0);
    weigh(Action::send, 100 + random.below(300));
    weigh(Action::burst, random.below(60));
    weigh(Action::recv, 100 + random.below(300));
    weigh(Action::recv_all, random.below(60));
    weigh(Action::subscribe, 4 + random.below(20));
    weigh(Action::unsubscribe, random.below(6));
    weigh(Action::set_option, random.one_in(2) ? random.below(10) : 0);
    weigh(Action::poll, random.below(80));
    weigh(Action::monitor, random.one_in(2) ? 2 : 0);
    weigh(Action::cut, random.one_in(2) ? churn / 2 : 0);
    weigh(Action::delay, random.one_in(3) ? 2 : 0);
    weigh(Action::split, random.one_in(3) ? 2 : 0);
    weigh(Action::barrier, 1);
    std::uint32_t sum = 0;
    for (const std::uint32_t weight : weights)
        sum += weight;

    const auto slots = static_cast<std::uint32_t>(program.slots.size());
    const auto add = [&](Action action, int slot) {
        program.operations.push_back({action, slot, static_cast<std::uint32_t>(random.next()),
                                      static_cast<std::uint32_t>(random.next())});
    };
    // Most programs begin with everything set up.
    if (!random.one_in(4)) {
        for (std::uint32_t slot = 0; slot < slots; ++slot)
            add(Action::open, static_cast<int>(slot));
        for (int round = 0; round < 4; ++round)
            for (std::uint32_t slot = 0; slot < slots; ++slot)
                add(round % 2 == 0 ? Action::bind : Action::connect, static_cast<int>(slot));
        add(Action::barrier, 0);
    }
    while (static_cast<int>(program.operations.size()) < wishes.operations) {
        std::uint32_t dice = random.below(sum);
        int action = 0;
        while (dice >= weights[action])
            dice -= weights[action++];
        const Action chosen = static_cast<Action>(action);
        const bool is_fault = chosen == Action::cut || chosen == Action::delay || chosen == Action::split;
        add(chosen, static_cast<int>(random.below(is_fault ? static_cast<std::uint32_t>(program.endpoints.size()) : slots)));
    }
    return program;
}

void write_program(std::ostream& out, const Program& program) {
    out << "threads " << program.threads << '\n';
    for (const Kind kind : program.groups)
        out << "group " << name_of(kind) << '\n';
    for (const Endpoint& endpoint : program.endpoints)
        out << "endpoint " << endpoint.group << ' ' << transport_names[static_cast<int>(endpoint.transport)] << ' '
            << endpoint.bind_side << ' ' << endpoint.is_proxied << '\n';
    for (const Slot& slot : program.slots)
        out << "slot " << slot.group << ' ' << slot.side << '\n';
    for (const Operation& operation : program.operations)
        out << action_names[static_cast<int>(operation.action)] << ' ' << operation.slot << ' ' << operation.a << ' '
            << operation.b << '\n';
}

bool read_program(std::istream& in, Program& program) {
    std::string line;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        std::string first;
        std::string name;
        if (!(words >> first) || first[0] == '#')
            continue;
        if (first == "threads") {
            words >> program.threads;
        } else if (first == "group") {
            words >> name;
            const int kind = index_of(kind_names, name);
            if (kind < 0)
                return false;
            program.groups.push_back(static_cast<Kind>(kind));
        } else if (first == "endpoint") {
            Endpoint endpoint{};
            words >> endpoint.group >> name >> endpoint.bind_side >> endpoint.is_proxied;
            const int transport = index_of(transport_names, name);
            if (transport < 0)
                return false;
            endpoint.transport = static_cast<Transport>(transport);
            program.endpoints.push_back(endpoint);
        } else if (first == "slot") {
            Slot slot{};
            words >> slot.group >> slot.side;
            program.slots.push_back(slot);
        } else {
            const int action = index_of(action_names, first);
            Operation operation{static_cast<Action>(action), 0, 0, 0};
            if (action < 0 || !(words >> operation.slot >> operation.a >> operation.b))
                return false;
            program.operations.push_back(operation);
        }
        if (words.fail())
            return false;
    }
    return program.threads > 0 && !program.slots.empty();
}

} // namespace model
