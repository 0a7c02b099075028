// pgm_stream: packets of any bytes into the decoder; and messages of any shape through the packer, with
// packets lost on the way: what comes out whole was sent so.
#include "support/fuzz.hpp"

#include "protocol/pgm_stream.hpp"

#include <algorithm>
#include <set>

namespace tern::fuzz {

namespace {

using Packets = std::vector<Buffer>;

using Messages = std::vector<std::string>;

// Adds whole messages, their frames behind each other; what is void is left out.
void decode(PgmDecoder &decoder, const Packets &packets, Messages &messages) {
    std::string parts;
    for (const Buffer &packet : packets) {
        if (!decoder.put(view(packet))) {
            FUZZ_CHECK(!decoder.has_joined());
            parts.clear();
            continue;
        }
        FUZZ_CHECK(decoder.has_joined());
        for (;;) {
            const PgmDecoder::Step step = decoder.next();
            if (step == PgmDecoder::Step::need_packet) break;
            if (step == PgmDecoder::Step::broken) {
                FUZZ_CHECK(!decoder.has_joined());
                parts.clear();
                break;
            }
            OwnMessage frame;
            decoder.take(*frame);
            parts += text(frame->bytes()) + '|';
            if (frame->has(Message::more)) continue;
            messages.push_back(parts);
            parts.clear();
        }
    }
}

void check_hostile(Input &input, int64_t body_max) {
    Packets packets;
    size_t total = 0;
    for (int i = 0; i < 8 && !input.is_empty(); ++i) {
        packets.push_back(exact(input.chunk()));
        total += packets.back().size();
    }
    PgmDecoder decoder(body_max);
    Messages messages;
    messages.reserve(total); // which is more than they can be
    LargestAllocation largest;
    decode(decoder, packets, messages);
    FUZZ_CHECK(largest.bytes() <= std::max(size_t(body_max), 4 * total) + 1024);
}

void check_way_through(Input &input) {
    PgmPacker packer(pgm_offset_size + 1 + input.byte());
    Packets packets;
    std::multiset<std::string> sent;
    const bool loses = input.byte() % 2 != 0;
    const auto take = [&] {
        packets.push_back(exact(packer.packet()));
        packer.clear();
    };
    for (int i = 0; i < 16 && !input.is_empty(); ++i) {
        std::string message;
        for (bool more = true; more;) {
            const uint8_t shape = input.byte();
            more = shape % 4 == 0 && !input.is_empty();
            OwnMessage frame;
            const Buffer body = exact(input.chunk());
            if (frame->init_copy(view(body))) return;
            if (more) frame->set(Message::more);
            message += text(view(body)) + '|';
            packer.put(*frame);
            while (packer.fill(shape & 0x80)) take();
            FUZZ_CHECK(packer.wants_frame());
        }
        sent.insert(message);
    }
    if (packer.fill(true)) take();
    PgmDecoder decoder(-1);
    Messages got;
    if (!loses) {
        decode(decoder, packets, got);
        FUZZ_CHECK(std::multiset<std::string>(got.begin(), got.end()) == sent);
        return;
    }
    const size_t lost = packets.empty() ? 0 : input.byte() % packets.size();
    decode(decoder, Packets(packets.begin(), packets.begin() + long(lost)), got);
    decoder.lose();
    if (!packets.empty())
        decode(decoder, Packets(packets.begin() + long(lost) + 1, packets.end()), got);
    for (const std::string &message : got) FUZZ_CHECK(sent.count(message) > 0);
}

} // namespace

void run(Input input) {
    const bool is_hostile = input.byte() % 2 == 0;
    if (is_hostile) check_hostile(input, input.number());
    else check_way_through(input);
}

} // namespace tern::fuzz
