// Messages from one hand to the other in one thread, a batch at a time: the ring below a pipe,
// alone and with the counting of the high water mark. What two threads do to each other's caches,
// and waking, is left to inproc_thr.
#include "flow/channel.hpp"
#include "flow/frame_queue.hpp"

#include <benchmark/benchmark.h>

using namespace tern;

namespace {

constexpr int batch = 64;

void make(Message &frame, size_t size) {
    if (frame.init_size(size) != err::none) std::abort();
}

void frame_queue_push_pop(benchmark::State &state) {
    FrameQueue queue;
    for (auto step : state) {
        for (int i = 0; i < batch; ++i) {
            Message frame;
            make(frame, size_t(state.range(0)));
            if (!queue.push(frame)) state.SkipWithError("no memory");
        }
        queue.publish();
        while (queue.has_frames()) {
            Message frame;
            queue.pop(frame);
            frame.close();
        }
    }
    state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(frame_queue_push_pop)->Arg(10)->Arg(40)->Arg(1024);

// The first argument says whether the ends are in different threads, the second is the size.
void channel_write_read(benchmark::State &state) {
    Channel channel(state.range(0) != 0);
    channel.set_writer_part(1000);
    channel.set_reader_part(1000);
    for (auto step : state) {
        for (int i = 0; i < batch && channel.can_write(); ++i) {
            Message frame;
            make(frame, size_t(state.range(1)));
            if (!channel.write(frame)) state.SkipWithError("no memory");
            benchmark::DoNotOptimize(channel.publish());
        }
        while (channel.can_read()) {
            Message frame;
            benchmark::DoNotOptimize(channel.read(frame));
            frame.close();
        }
    }
    state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(channel_write_read)->Args({0, 10})->Args({1, 10})->Args({1, 1024});

} // namespace
