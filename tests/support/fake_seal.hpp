// FakeSeal: a seal that adds bytes on both sides of a body, and may be unable to open what it has sealed
// itself. Threads: test only.
#ifndef TERN_TESTS_SUPPORT_FAKE_SEAL_HPP
#define TERN_TESTS_SUPPORT_FAKE_SEAL_HPP

#include "security/mechanism.hpp"
#include "security/traffic_seal.hpp"

#include <algorithm>
#include <cstring>

namespace tern::test {

// sealed = flags *"<" body ^ 0x55 *">"
class FakeSeal final : public TrafficSeal {
  public:
    FakeSeal(size_t front, size_t back, bool recovers)
        : front_(front), back_(back), recovers_(recovers) {}

    size_t sealed_size(size_t size) const override {
        return size > body_max ? 0 : front_ + size + back_;
    }
    bool seal(uint8_t flags, Bytes body, uint8_t *out) override {
        if (!seals) return false;
        if (!body.empty()) std::memmove(out + front_, body.data(), body.size());
        std::for_each(out + front_, out + front_ + body.size(), [](uint8_t &b) { b ^= 0x55; });
        std::memset(out, '<', front_);
        out[0] = flags & (Message::more | Message::command);
        std::memset(out + front_ + body.size(), '>', back_);
        return true;
    }
    uint32_t open(uint8_t *sealed, size_t size, Opened &opened) override {
        return unpack(sealed, size, opened) ? 0 : protocol_error::cryptographic;
    }
    bool can_recover() const override { return recovers_; }
    bool recover(uint8_t *sealed, size_t size, Opened &opened) const override {
        return recovers_ && unpack(sealed, size, opened);
    }

    size_t body_max = SIZE_MAX / 2;
    bool seals = true;

  private:
    bool unpack(uint8_t *sealed, size_t size, Opened &opened) const {
        if (size < front_ + back_) return false;
        opened.flags = sealed[0];
        std::for_each(sealed + front_, sealed + size - back_, [](uint8_t &b) { b ^= 0x55; });
        opened.body = Bytes(sealed + front_, size - front_ - back_);
        return true;
    }
    const size_t front_, back_;
    const bool recovers_;
};

} // namespace tern::test

#endif
