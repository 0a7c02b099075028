// What a message of the test carries: who it is stands in its first part, and all bytes follow from that.
//
//     first part   [topic '|'] magic(4) message(4) parts(4) filling
//     other parts  filling
#ifndef TERN_TESTS_MODEL_BODY_HPP
#define TERN_TESTS_MODEL_BODY_HPP

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "random.hpp"

namespace model {

constexpr std::uint32_t body_magic = 0x7e524e4d;
constexpr std::size_t body_header_size = 12;
constexpr std::uint32_t body_size_max = 600000;

inline const char* filling(std::uint32_t message, std::uint32_t part) {
    static const std::vector<char> bytes = [] {
        std::vector<char> made(body_size_max + 65536);
        Random random(1);
        for (char& byte : made)
            byte = static_cast<char>(random.next());
        return made;
    }();
    return bytes.data() + (message * 977u + part * 131u) % 65536u;
}

// `size` bytes in all; the first part is at least as large as its head.
inline void write_body(char* out, std::uint32_t size, const std::string& topic, std::uint32_t message,
                       std::uint32_t part, std::uint32_t parts) {
    std::memcpy(out, filling(message, part), size);
    if (part != 0)
        return;
    if (!topic.empty()) {
        std::memcpy(out, topic.data(), topic.size());
        out[topic.size()] = '|';
        out += topic.size() + 1;
    }
    const std::uint32_t words[3] = {body_magic, message, parts};
    std::memcpy(out, words, sizeof words);
}

// Where the head begins, or -1.
inline int find_head(const char* data, std::size_t size, bool has_topic) {
    std::size_t begin = 0;
    if (has_topic) {
        const void* bar = std::memchr(data, '|', size < 8 ? size : 8);
        if (!bar)
            return -1;
        begin = static_cast<std::size_t>(static_cast<const char*>(bar) - data) + 1;
    }
    std::uint32_t magic = 0;
    if (size < begin + body_header_size)
        return -1;
    std::memcpy(&magic, data + begin, 4);
    return magic == body_magic ? static_cast<int>(begin) : -1;
}

} // namespace model

#endif
