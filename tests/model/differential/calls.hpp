// A random API program as data: one call each, of numbers that decide its arguments, so that a shorter list means the
// same. One thread, and nothing in it depends on time.
#ifndef TERN_TESTS_MODEL_DIFFERENTIAL_CALLS_HPP
#define TERN_TESTS_MODEL_DIFFERENTIAL_CALLS_HPP

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace model {

enum class Function {
    socket, close, bind, connect, unbind, disconnect, setsockopt, getsockopt, send, recv, poll, message, msg_send,
    msg_recv, ctx_set, ctx_get, shutdown, monitor, null_handle, utility
};
constexpr int function_count = 20;

struct Call {
    Function function;
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t c;
};

std::vector<Call> make_calls(std::uint64_t seed, int count);
void write_calls(std::ostream& out, const std::vector<Call>& calls);
bool read_calls(std::istream& in, std::vector<Call>& calls);

// What each call did, one line each, on the library at `path`, which is opened in this process. With a higher `patience`
// it waits longer for threads of the library.
std::vector<std::string> trace(void* library, const std::vector<Call>& calls, int patience);

} // namespace model

#endif
