#include "security/z85.hpp"

#include <array>

namespace tern {

namespace {

constexpr std::string_view alphabet =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
static_assert(alphabet.size() == 85);

constexpr uint8_t foreign = 0xff;

constexpr std::array<uint8_t, 256> make_values() {
    std::array<uint8_t, 256> values{};
    for (size_t i = 0; i < 256; ++i) values[i] = foreign;
    for (size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
    return values;
}

constexpr std::array<uint8_t, 256> values = make_values();

} // namespace

void z85_encode(char *out, Bytes data) {
    for (size_t at = 0; at + 4 <= data.size(); at += 4, out += 5) {
        uint32_t group = load_be32(data.data() + at);
        for (int i = 4; i >= 0; --i) {
            out[i] = alphabet[group % 85];
            group /= 85;
        }
    }
    *out = '\0';
}

bool z85_decode(uint8_t *out, std::string_view text) {
    if (text.empty() || text.size() % 5 != 0) return false;
    for (size_t at = 0; at < text.size(); at += 5, out += 4) {
        uint64_t group = 0;
        for (size_t i = 0; i < 5; ++i) {
            const uint8_t value = values[static_cast<uint8_t>(text[at + i])];
            if (value == foreign) return false;
            group = group * 85 + value;
        }
        if (group > UINT32_MAX) return false;
        store_be32(out, static_cast<uint32_t>(group));
    }
    return true;
}

} // namespace tern
