// Curve: fixed keys and random bytes, those of tests/data/curve.json, and an honest peer made of
// them. Because nothing is left to chance, everything an honest peer says is known beforehand, and
// can be changed before it is sealed. Threads: one.
#ifndef TERN_FUZZ_SUPPORT_CURVE_HPP
#define TERN_FUZZ_SUPPORT_CURVE_HPP

#include "support/fuzz.hpp"
#include "support/handshake.hpp"

#include "security/curve_mechanism.hpp"

#include <sodium.h>

namespace tern::fuzz {

// Rising bytes from `first` on.
template <size_t N>
std::array<uint8_t, N> rising(uint8_t first) {
    std::array<uint8_t, N> bytes;
    for (size_t i = 0; i < N; ++i) bytes[i] = uint8_t(first + i);
    return bytes;
}
inline CurveKey public_of(const CurveKey &secret) {
    CurveKey key;
    FUZZ_CHECK(curve_public(key.data(), secret.data()));
    return key;
}
template <size_t N>
Bytes view(const std::array<uint8_t, N> &bytes) {
    return {bytes.data(), N};
}

// The names of curve_mechanism.hpp. A key between two pairs is named after both.
struct CurveWorld {
    CurveWorld() {
        FUZZ_CHECK(c_S.agree(S_public.data(), c_secret.data()));
        FUZZ_CHECK(c_s.agree(s_public.data(), c_secret.data()));
        FUZZ_CHECK(C_s.agree(s_public.data(), C_secret.data()));
        cookie = exact(view(rising<16>(0xa0)));
        const Buffer content = joined(view(c_public), view(s_secret));
        append(cookie, sealed(BoxKey(rising<32>(0x80).data()), view(content),
                              random_nonce("COOKIE--", cookie.data())));
        vouch = vouch_of(vouch_content());
    }

    const CurveKey S_secret = rising<32>(0x00), S_public = public_of(S_secret);
    const CurveKey C_secret = rising<32>(0x20), C_public = public_of(C_secret);
    const CurveKey s_secret = rising<32>(0x40), s_public = public_of(s_secret);
    const CurveKey c_secret = rising<32>(0x60), c_public = public_of(c_secret);
    BoxKey c_S, c_s, C_s;
    Buffer cookie, vouch;

    static Buffer joined(Bytes first, Bytes second) {
        Buffer both = exact(first);
        append(both, second);
        return both;
    }
    static Bytes sealed(const BoxKey &key, Bytes content, const BoxNonce &nonce) {
        static Buffer box;
        box.assign(content.size() + box_overhead, 0);
        key.seal(box.data(), content, nonce);
        return view(box);
    }
    static bool opened(const BoxKey &key, Bytes box, const BoxNonce &nonce, Buffer &content) {
        if (box.size() < box_overhead) return false;
        content.assign(box.size() - box_overhead, 0);
        return key.open(content.data(), box, nonce);
    }

    // ---- the parts that a client says
    Buffer vouch_content() const { return joined(view(c_public), view(S_public)); }
    Buffer vouch_of(const Buffer &content) const {
        Buffer out = exact(view(rising<16>(0xc0)));
        append(out, sealed(C_s, view(content), random_nonce("VOUCH---", out.data())));
        return out;
    }
    Buffer hello(Bytes version, Bytes padding, uint64_t nonce, Bytes content) const {
        Buffer body = exact(Bytes(std::string_view("\5HELLO")));
        append(body, version);
        body.resize(80);
        std::copy(padding.begin(), padding.end(), body.begin() + 8);
        append(body, view(c_public));
        put_number(body, nonce);
        append(body, sealed(c_S, content, counter_nonce("CurveZMQHELLO---", nonce)));
        return body;
    }
    Buffer initiate(const Buffer &cookie_sent, uint64_t nonce, Bytes content) const {
        Buffer body = exact(Bytes(std::string_view("\10INITIATE")));
        append(body, view(cookie_sent));
        put_number(body, nonce);
        append(body, sealed(c_s, content, counter_nonce("CurveZMQINITIATE", nonce)));
        return body;
    }
    Buffer introduction(Bytes client_key, const Buffer &vouch_sent, Bytes metadata) const {
        Buffer content = exact(client_key);
        append(content, view(vouch_sent));
        append(content, metadata);
        return content;
    }
    // ---- and a server
    Buffer welcome(Bytes content) const {
        Buffer body = exact(Bytes(std::string_view("\7WELCOME")));
        append(body, view(rising<16>(0xb0)));
        append(body, sealed(c_S, content, random_nonce("WELCOME-", body.data() + 8)));
        return body;
    }
    Buffer ready(uint64_t nonce, Bytes metadata) const {
        Buffer body = exact(Bytes(std::string_view("\5READY")));
        put_number(body, nonce);
        append(body, sealed(c_s, metadata, counter_nonce("CurveZMQREADY---", nonce)));
        return body;
    }

    SecurityOptions client_options() const {
        SecurityOptions options;
        options.mechanism = mechanism_id::curve;
        options.curve_public_key = C_public;
        options.curve_secret_key = C_secret;
        options.curve_server_key = S_public;
        return options;
    }
    SecurityOptions server_options() const {
        SecurityOptions options;
        options.mechanism = mechanism_id::curve;
        options.as_server = true;
        options.curve_secret_key = S_secret;
        options.curve_own_public_key = S_public;
        return options;
    }

    static void put_number(Buffer &out, uint64_t number) {
        uint8_t bytes[8];
        store_be64(bytes, number);
        append(out, Bytes(bytes, sizeof bytes));
    }
};

// Makes the random bytes of every connection those of the world, and gives it.
inline const CurveWorld &curve_world() {
    static const bool is_fixed = [] {
        static randombytes_implementation fixed = {};
        fixed.implementation_name = [] { return "fixed"; };
        fixed.random = [] { return uint32_t(0); };
        // A server asks for 96 bytes and a client for 48, at once.
        fixed.buf = [](void *out, size_t size) {
            const auto put = [&](size_t at, Bytes bytes) {
                std::memcpy(static_cast<uint8_t *>(out) + at, bytes.data(), bytes.size());
            };
            std::memset(out, 0, size);
            if (size == CurveServerRandom::size()) {
                put(0, view(rising<32>(0x40)));
                put(32, view(rising<16>(0xa0)));
                put(48, view(rising<32>(0x80)));
                put(80, view(rising<16>(0xb0)));
            } else if (size == CurveClientRandom::size()) {
                put(0, view(rising<32>(0x60)));
                put(32, view(rising<16>(0xc0)));
            }
        };
        return randombytes_set_implementation(&fixed) == 0;
    }();
    FUZZ_CHECK(is_fixed);
    static const CurveWorld world;
    return world;
}

// Changes bytes that lie at places of the fuzzer's choice. True when any is different then.
inline bool edit(Buffer &bytes, Bytes edits) {
    const Buffer before = bytes;
    for (; edits.size() >= 3 && !bytes.empty(); edits = edits.skip(3))
        bytes[load_be16(edits.data()) % bytes.size()] ^= edits[2];
    return bytes != before;
}

// Metadata that a peer of ours may have, for when the fuzzer offers none.
inline Bytes metadata_or(Bytes offered, const Buffer &own) {
    return offered.empty() ? view(own) : offered;
}

} // namespace tern::fuzz

#endif
