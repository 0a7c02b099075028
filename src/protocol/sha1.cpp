#include "protocol/sha1.hpp"

namespace tern {

namespace {

constexpr size_t block_size = 64;

constexpr uint32_t rotate(uint32_t word, unsigned bits) { return word << bits | word >> (32 - bits); }

void take_block(std::array<uint32_t, 5> &state, const uint8_t *block) {
    uint32_t schedule[80];
    for (size_t i = 0; i < 16; ++i) schedule[i] = load_be32(block + 4 * i);
    for (size_t i = 16; i < 80; ++i)
        schedule[i] = rotate(schedule[i - 3] ^ schedule[i - 8] ^ schedule[i - 14] ^ schedule[i - 16], 1);
    auto [a, b, c, d, e] = state;
    for (size_t i = 0; i < 80; ++i) {
        uint32_t mixed;
        if (i < 20) mixed = (d ^ (b & (c ^ d))) + 0x5a827999u;
        else if (i < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1u;
        else if (i < 60) mixed = ((b & c) | (d & (b | c))) + 0x8f1bbcdcu;
        else mixed = (b ^ c ^ d) + 0xca62c1d6u;
        const uint32_t next = rotate(a, 5) + mixed + e + schedule[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

} // namespace

std::array<uint8_t, 20> sha1(Bytes message) {
    std::array<uint32_t, 5> state{0x67452301u, 0xefcdab89u, 0x98badcfeu, 0x10325476u, 0xc3d2e1f0u};
    const uint64_t bits = uint64_t(message.size()) * 8;
    for (; message.size() >= block_size; message = message.skip(block_size))
        take_block(state, message.data());
    // The rest, a one bit, and the length at the end of the last block.
    uint8_t tail[2 * block_size] = {};
    if (!message.empty()) std::memcpy(tail, message.data(), message.size());
    tail[message.size()] = 0x80;
    const size_t size = message.size() + 9 <= block_size ? block_size : 2 * block_size;
    store_be64(tail + size - 8, bits);
    for (size_t at = 0; at < size; at += block_size) take_block(state, tail + at);
    std::array<uint8_t, 20> digest;
    for (size_t i = 0; i < state.size(); ++i) store_be32(digest.data() + 4 * i, state[i]);
    return digest;
}

} // namespace tern
