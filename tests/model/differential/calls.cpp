#include "calls.hpp"

#include <istream>
#include <ostream>
#include <sstream>

#include "../random.hpp"

namespace model {

namespace {

constexpr const char* names[function_count] = {
    "socket", "close",   "bind",     "connect",  "unbind",  "disconnect", "setsockopt", "getsockopt",  "send",   "recv",
    "poll",   "message", "msg_send", "msg_recv", "ctx_set", "ctx_get",    "shutdown",   "monitor",     "null_handle", "utility"};

} // namespace

std::vector<Call> make_calls(std::uint64_t seed, int count) {
    Random random(seed);
    std::uint32_t weights[function_count] = {14, 4,  14, 14, 3, 3, 12, 8, 40, 40,
                                             12, 16, 12, 12, 1, 1, 0, 1, 2, 2};
    // Each program likes some calls more than others.
    for (std::uint32_t& weight : weights)
        if (random.one_in(3))
            weight *= 3;
    std::uint32_t sum = 0;
    for (const std::uint32_t weight : weights)
        sum += weight;
    std::vector<Call> calls;
    const auto add = [&](Function function) {
        calls.push_back({function, static_cast<std::uint32_t>(random.next()), static_cast<std::uint32_t>(random.next()),
                         static_cast<std::uint32_t>(random.next())});
    };
    const std::uint32_t sockets = 2 + random.below(4);
    for (std::uint32_t i = 0; i < sockets; ++i)
        add(Function::socket);
    const bool is_shut_down = random.one_in(10);
    while (static_cast<int>(calls.size()) < count) {
        std::uint32_t roll = random.below(sum);
        int function = 0;
        while (roll >= weights[function])
            roll -= weights[function++];
        add(static_cast<Function>(function));
        if (is_shut_down && static_cast<int>(calls.size()) == count * 3 / 4)
            add(Function::shutdown);
    }
    return calls;
}

void write_calls(std::ostream& out, const std::vector<Call>& calls) {
    for (const Call& call : calls)
        out << names[static_cast<int>(call.function)] << ' ' << call.a << ' ' << call.b << ' ' << call.c << '\n';
}

bool read_calls(std::istream& in, std::vector<Call>& calls) {
    std::string line;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        std::string name;
        Call call{};
        if (line.empty() || line[0] == '#')
            continue;
        if (!(words >> name >> call.a >> call.b >> call.c))
            return false;
        int function = 0;
        while (function < function_count && name != names[function])
            ++function;
        if (function == function_count)
            return false;
        call.function = static_cast<Function>(function);
        calls.push_back(call);
    }
    return true;
}

} // namespace model
