// z85: text that decodes encodes to the same text, bytes that encode decode to the same bytes, and
// the arithmetic is that of RFC 32.
#include "support/fuzz.hpp"

#include "security/z85.hpp"

#include <cstring>

namespace tern::fuzz {

namespace {

constexpr char alphabet[] =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

std::string encoded(Bytes data) {
    std::string out(data.size() / 4 * 5 + 1, 'x');
    z85_encode(out.data(), data);
    FUZZ_CHECK(out.back() == '\0');
    out.pop_back();
    return out;
}

bool is_z85(const std::string &text) {
    if (text.empty() || text.size() % 5 != 0) return false;
    for (size_t at = 0; at < text.size(); at += 5) {
        uint64_t group = 0;
        for (size_t i = 0; i < 5; ++i) {
            const void *place = std::memchr(alphabet, text[at + i], 85);
            if (!place) return false;
            group = group * 85 + uint64_t(static_cast<const char *>(place) - alphabet);
        }
        if (group >> 32 != 0) return false;
    }
    return true;
}

void check_text(const std::string &characters) {
    Buffer data(characters.size() / 5 * 4);
    const bool is_decoded = z85_decode(data.data(), characters);
    FUZZ_CHECK(is_decoded == is_z85(characters));
    if (is_decoded) FUZZ_CHECK(encoded(view(data)) == characters);
}

} // namespace

void run(Input input) {
    const Buffer bytes = exact(input.rest());
    check_text(text(view(bytes)));

    const Buffer data = exact(input.rest().first(bytes.size() / 4 * 4));
    const std::string characters = encoded(view(data));
    FUZZ_CHECK(data.empty() || is_z85(characters));
    Buffer back(data.size());
    FUZZ_CHECK(z85_decode(back.data(), characters) == !data.empty());
    FUZZ_CHECK(back == data);
}

} // namespace tern::fuzz
