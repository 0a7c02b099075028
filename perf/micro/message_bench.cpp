// Making and closing messages: inline, with a block, shared, and with a body of the caller's.
#include "base/message.hpp"

#include <benchmark/benchmark.h>

using namespace tern;

namespace {

// The argument is the size of the body; up to inline_max it needs no memory of its own.
void message_init_close(benchmark::State &state) {
    const size_t size = size_t(state.range(0));
    for (auto step : state) {
        Message message;
        if (message.init_size(size) != err::none) state.SkipWithError("no memory");
        benchmark::DoNotOptimize(message.data());
        message.close();
    }
}
BENCHMARK(message_init_close)->Arg(10)->Arg(40)->Arg(41)->Arg(1024)->Arg(65536);

void message_share_close(benchmark::State &state) {
    OwnMessage original;
    if (original->init_size(size_t(state.range(0))) != err::none) state.SkipWithError("no memory");
    for (auto step : state) {
        Message copy;
        copy.share(*original);
        benchmark::DoNotOptimize(copy.data());
        copy.close();
    }
}
BENCHMARK(message_share_close)->Arg(10)->Arg(1024);

void message_init_data_close(benchmark::State &state) {
    static char body[1024];
    for (auto step : state) {
        Message message;
        if (message.init_data(
                body, sizeof body, [](void *, void *) {}, nullptr) != err::none)
            state.SkipWithError("no memory");
        benchmark::DoNotOptimize(message.data());
        message.close();
    }
}
BENCHMARK(message_init_data_close);

} // namespace
