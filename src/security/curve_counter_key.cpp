#include "security/curve_counter_key.hpp"

#include <algorithm>
#include <sodium.h>

namespace tern {

namespace {

constexpr size_t block_size = 64; // of Salsa20
constexpr size_t authenticator_key_size = crypto_onetimeauth_KEYBYTES;
static_assert(crypto_onetimeauth_BYTES == box_overhead);
static_assert(crypto_stream_salsa20_KEYBYTES == curve_key_size);
static_assert(crypto_stream_salsa20_NONCEBYTES == sizeof(uint64_t));
static_assert(crypto_core_hsalsa20_OUTPUTBYTES == curve_key_size);
static_assert(crypto_core_hsalsa20_INPUTBYTES == 16);

// `from` may be `to`, and does not overlap it otherwise.
void add(uint8_t *to, const uint8_t *from, const uint8_t *stream, size_t size) {
    struct Words {
        uint64_t words[8];
    };
    for (; size >= sizeof(Words); size -= sizeof(Words)) {
        Words a, b;
        std::memcpy(&a, from, sizeof a);
        std::memcpy(&b, stream, sizeof b);
        for (size_t i = 0; i < 8; ++i) a.words[i] ^= b.words[i];
        std::memcpy(to, &a, sizeof a);
        to += sizeof a;
        from += sizeof a;
        stream += sizeof a;
    }
    for (size_t i = 0; i < size; ++i) to[i] = from[i] ^ stream[i];
}

} // namespace

// The key stream of one box. Of a long one only the beginning is kept; libsodium adds the rest
// itself.
class CounterKey::Stream {
  public:
    Stream(const CounterKey &key, uint64_t counter, size_t content_size) : key_(key) {
        store_be64(nonce_, counter);
        size_ = std::min(authenticator_key_size + content_size, sizeof bytes_);
        // A single block takes half as long as a whole width of them.
        if (size_ % key.width_ > block_size) size_ += key.width_ - size_ % key.width_;
        crypto_stream_salsa20(bytes_, size_, nonce_, key.key_.data());
    }
    Stream(const Stream &) = delete;
    Stream &operator=(const Stream &) = delete;
    ~Stream() { wipe(bytes_, size_); }

    const uint8_t *authenticator_key() const { return bytes_; }
    // To `size` bytes of content that begin at its byte `at`, which is 0 or 1.
    void add_to(uint8_t *to, const uint8_t *from, size_t at, size_t size) const {
        const size_t begin = authenticator_key_size + at;
        const size_t kept = std::min(size, sizeof bytes_ - begin);
        add(to, from, bytes_ + begin, kept);
        if (size > kept)
            crypto_stream_salsa20_xor_ic(to + kept, from + kept, size - kept, nonce_,
                                         sizeof bytes_ / block_size, key_.key_.data());
    }

  private:
    const CounterKey &key_;
    uint8_t nonce_[crypto_stream_salsa20_NONCEBYTES];
    size_t size_;
    uint8_t bytes_[4096];
};

void CounterKey::derive(const BoxKey &key, const char (&purpose)[17]) {
    uint8_t first_half[crypto_core_hsalsa20_INPUTBYTES];
    std::memcpy(first_half, purpose, sizeof first_half);
    crypto_core_hsalsa20(key_.data(), first_half, key.data(), nullptr);
    width_ = sodium_runtime_has_avx2()   ? 8 * block_size
             : sodium_runtime_has_sse2() ? 4 * block_size
                                         : block_size;
}

void CounterKey::seal(uint8_t *box, uint8_t first, Bytes body, uint64_t counter) const {
    const size_t content_size = 1 + body.size();
    const Stream stream(*this, counter, content_size);
    uint8_t *const content = box + box_overhead;
    // The body first, as it may lie where it goes to.
    stream.add_to(content + 1, body.data(), 1, body.size());
    stream.add_to(content, &first, 0, 1);
    crypto_onetimeauth(box, content, content_size, stream.authenticator_key());
}

bool CounterKey::open(uint8_t *box, size_t size, uint64_t counter) const {
    const size_t content_size = size - box_overhead;
    const Stream stream(*this, counter, content_size);
    uint8_t *const content = box + box_overhead;
    if (crypto_onetimeauth_verify(box, content, content_size, stream.authenticator_key()) != 0)
        return false;
    stream.add_to(content, content, 0, content_size);
    return true;
}

} // namespace tern
