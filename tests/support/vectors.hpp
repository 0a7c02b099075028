// Vectors: the captured byte sequences of tests/data, one JSON file a topic.
// Threads: test only.
#ifndef TERN_TESTS_SUPPORT_VECTORS_HPP
#define TERN_TESTS_SUPPORT_VECTORS_HPP

#include "base/bytes.hpp"

#include <nlohmann/json.hpp>

#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace tern::test {

using Buffer = std::vector<uint8_t>;

inline Bytes view(const Buffer &buffer) { return {buffer.data(), buffer.size()}; }

inline Buffer unhex(const std::string &hex) {
    Buffer out;
    for (size_t i = 0; i + 2 <= hex.size(); i += 2)
        out.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    return out;
}

inline std::string hex(Bytes bytes) {
    static const char digits[] = "0123456789abcdef";
    std::string out;
    for (const uint8_t byte : bytes) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}
inline std::string hex(const Buffer &buffer) { return hex(view(buffer)); }

inline nlohmann::json load_vectors(const std::string &file) {
    std::ifstream in(std::string(TERN_TEST_DATA) + "/" + file);
    if (!in) throw std::runtime_error("no vectors: " + file);
    return nlohmann::json::parse(in).at("vectors");
}

// The bytes of one named vector.
inline Buffer vector_bytes(const std::string &file, const std::string &name) {
    for (const auto &vector : load_vectors(file)) {
        if (vector.at("name") == name) return unhex(vector.at("hex"));
    }
    throw std::runtime_error("no vector: " + name);
}

} // namespace tern::test

#endif
