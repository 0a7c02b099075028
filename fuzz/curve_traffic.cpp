// curve_traffic: sealed frames of a peer, some of them changed, repeated, left out or made up,
// through the framing. Only what is sealed for this connection comes out, in the order of its numbers,
// and nothing after a fault. Who has sealed it can not be asked: the key is the same in every
// execution, and libFuzzer sends again what it has seen of others.
#include "support/curve.hpp"
#include "support/framing.hpp"

#include <set>

namespace tern::fuzz {

namespace {

using Role = CurveTraffic::Role;

void agree(CurveTraffic &traffic) {
    const CurveWorld &world = curve_world();
    FUZZ_CHECK(traffic.agree(world.s_public.data(), world.c_secret.data()));
}

// The peer, and the wire from it.
class Peer {
  public:
    Peer(Role role, uint64_t first_nonce) : role_(role), traffic_(role, first_nonce) {
        agree(traffic_);
    }

    // False: its numbers are used up.
    bool seal(uint8_t flags, Bytes body, Buffer &sealed) {
        sealed.assign(traffic_.sealed_size(body.size()), 0);
        if (!traffic_.seal(flags, body, sealed.data())) return false;
        const uint64_t nonce = big_endian(view(sealed).skip(8).first(8));
        const bool is_new = numbers_.insert(nonce).second;
        FUZZ_CHECK(is_new);
        Buffer copy = sealed;
        TrafficSeal::Opened opened;
        FUZZ_CHECK(traffic_.recover(copy.data(), copy.size(), opened));
        FUZZ_CHECK(opened.body == body && opened.flags == (flags & 3));
        Buffer short_copy = exact(view(sealed).first(sealed.size() - 1 - body.size() / 2));
        FUZZ_CHECK(!traffic_.recover(short_copy.data(), short_copy.size(), opened));
        return true;
    }

    // Content as a faulty peer may seal it: without flags, or with unknown ones.
    Buffer seal_anything(uint64_t nonce, Bytes content) {
        Buffer sealed = exact(Bytes(std::string_view("\7MESSAGE")));
        CurveWorld::put_number(sealed, nonce);
        append(sealed, CurveWorld::sealed(traffic_.session_key(), content, this->nonce(nonce)));
        return sealed;
    }

    void send(const Buffer &body, bool is_long) {
        put_frame(wire_, 0, view(body), is_long);
        sent_.push_back(body);
    }
    const std::vector<Buffer> &sent() const { return sent_; }
    Bytes wire() const { return view(wire_); }

    Decoded expected(uint64_t limit) const {
        Decoded decoded;
        uint64_t last = 0;
        for (const Buffer &body : sent_) {
            decoded.end = InBuffer::Cut::malformed;
            decoded.refusal = 0;
            if (body.size() > limit) return decoded;
            decoded.end = InBuffer::Cut::refused;
            decoded.refusal = protocol_error::malformed;
            if (body.size() < 2 || body.size() <= body[0]) return decoded;
            decoded.refusal = protocol_error::unexpected_command;
            if (!begins_with(view(body), "\7MESSAGE")) return decoded;
            decoded.refusal = protocol_error::malformed_message;
            if (body.size() < 33) return decoded;
            decoded.refusal = protocol_error::invalid_sequence;
            const uint64_t number = big_endian(view(body).skip(8).first(8));
            if (number <= last) return decoded;
            last = number;
            decoded.refusal = protocol_error::cryptographic;
            Buffer content;
            if (!CurveWorld::opened(traffic_.session_key(), view(body).skip(16), nonce(number), content))
                return decoded;
            decoded.frames.push_back({text(view(content).skip(1)), uint8_t(content[0] & 3)});
        }
        decoded.end = InBuffer::Cut::need_more;
        decoded.refusal = 0;
        return decoded;
    }

  private:
    BoxNonce nonce(uint64_t number) const {
        return role_ == Role::client ? counter_nonce("CurveZMQMESSAGEC", number)
                                     : counter_nonce("CurveZMQMESSAGES", number);
    }

    const Role role_;
    CurveTraffic traffic_;
    std::set<uint64_t> numbers_; // that seal() has used
    std::vector<Buffer> sent_;
    Buffer wire_;
};

} // namespace

void run(Input input) {
    const uint8_t flags = input.byte();
    const Role role = flags & 1 ? Role::client : Role::server;
    const size_t split = input.number();
    const int64_t limit = flags & 2 ? input.number() : -1;
    // Few numbers are left, or all.
    const uint64_t first_nonce = flags & 4 ? uint64_t(0) - input.byte() % 4 : 1;
    Peer peer(role, first_nonce);
    for (int left = 40; left > 0 && !input.is_empty(); --left) {
        const uint8_t operation = input.byte();
        const uint8_t frame_flags = operation >> 3 & 7;
        const bool is_long = operation & 0x40;
        Buffer sealed;
        switch (operation % 8) {
        case 0:
        case 1:
            if (peer.seal(frame_flags, input.chunk(), sealed)) peer.send(sealed, is_long);
            break;
        case 2: // changed on the way
            if (peer.seal(frame_flags, input.chunk(), sealed)) {
                (void)edit(sealed, input.chunk());
                peer.send(sealed, is_long);
            }
            break;
        case 3: { // once more
            const uint8_t which = input.byte();
            if (!peer.sent().empty())
                peer.send(Buffer(peer.sent()[which % peer.sent().size()]), is_long);
            break;
        }
        case 4:
            (void)peer.seal(frame_flags, input.chunk(), sealed);
            break; // lost
        case 5:
            peer.send(exact(input.chunk()), is_long);
            break; // made up
        case 6: {
            const uint64_t nonce = 1000 * uint64_t(input.byte());
            peer.send(peer.seal_anything(nonce, input.chunk()), is_long);
            break;
        }
        case 7: { // read straight into its message
            const Buffer body(input.number() % 20000, frame_flags);
            if (peer.seal(frame_flags, view(body), sealed)) peer.send(sealed, is_long);
            break;
        }
        }
    }

    const Decoded wanted = peer.expected(limit < 0 ? UINT64_MAX : uint64_t(limit));
    same_however_cut(peer.wire(), split, [&](Reads &reads) {
        CurveTraffic traffic(role == Role::client ? Role::server : Role::client);
        agree(traffic);
        InBuffer in;
        in.set_framing(Framing::v2, 0);
        in.set_max_message_size(limit);
        in.set_seal(&traffic);
        const Decoded decoded = decode(in, reads, false);
        FUZZ_CHECK(decoded == wanted);
        return decoded;
    });
}

} // namespace tern::fuzz
