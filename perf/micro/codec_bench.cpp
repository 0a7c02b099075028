// Frames into bytes and back, a batch at a time and without any system call.
#include "link/in_buffer.hpp"
#include "link/out_batch.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <vector>

using namespace tern;

namespace {

constexpr int batch = 64;

void append_one(OutBatch &out, size_t size) {
    Message frame;
    if (frame.init_size(size) != err::none || !out.append(Framing::v2, frame)) std::abort();
    out.commit();
    frame.close();
}

void out_batch_append(benchmark::State &state) {
    OutBatch out;
    for (auto step : state) {
        for (int i = 0; i < batch; ++i) append_one(out, size_t(state.range(0)));
        iovec pieces[batch];
        benchmark::DoNotOptimize(out.pieces(pieces, batch));
        out.clear();
    }
    state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(out_batch_append)->Arg(10)->Arg(256)->Arg(1024)->Arg(65536);

// The bytes of a batch of frames of this size, as the network would bring them.
std::vector<uint8_t> wire_of(size_t size) {
    std::vector<uint8_t> wire;
    for (int i = 0; i < batch; ++i) {
        uint8_t header[header_max];
        const size_t header_size = put_v2_header(header, 0, size);
        wire.insert(wire.end(), header, header + header_size);
        wire.resize(wire.size() + size);
    }
    return wire;
}

// The copy in place of the read is part of the figure.
void in_buffer_cut(benchmark::State &state) {
    const std::vector<uint8_t> wire = wire_of(size_t(state.range(0)));
    InBuffer in;
    in.set_framing(Framing::v2, 0);
    Message frame;
    for (auto step : state) {
        int cut = 0;
        for (size_t at = 0; cut < batch;) {
            if (in.cut(frame) == InBuffer::Cut::frame) {
                frame.close();
                ++cut;
                continue;
            }
            iovec pieces[2];
            const int count = in.target(pieces);
            size_t filled = 0;
            for (int i = 0; i < count; ++i) {
                const size_t size = std::min(pieces[i].iov_len, wire.size() - at);
                std::memcpy(pieces[i].iov_base, &wire[at], size);
                at += size;
                filled += size;
                if (size < pieces[i].iov_len) break;
            }
            if (filled == 0) return state.SkipWithError("the batch was not cut");
            in.filled(filled);
        }
        // Says that there is nothing more, so that the next read may come.
        if (in.cut(frame) != InBuffer::Cut::need_more) return state.SkipWithError("one too many");
    }
    state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(in_buffer_cut)->Arg(10)->Arg(256)->Arg(1024)->Arg(65536);

} // namespace
