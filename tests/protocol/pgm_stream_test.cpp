#include "protocol/pgm_stream.hpp"

#include "support/frames.hpp"
#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

using Packets = std::vector<Buffer>;

// All of it packed, and flushed at the end.
Packets pack(size_t packet_max, const std::vector<Frames> &messages) {
    PgmPacker packer(packet_max);
    Packets packets;
    const auto take = [&] {
        packets.emplace_back(packer.packet().begin(), packer.packet().end());
        packer.clear();
    };
    for (const Frames &message : messages)
        for (size_t i = 0; i < message.size(); ++i) {
            OwnMessage frame = make_frame(message[i], i + 1 < message.size());
            REQUIRE(packer.wants_frame());
            packer.put(*frame);
            while (packer.fill(false)) take();
            REQUIRE(packer.wants_frame());
        }
    if (packer.fill(true)) take();
    CHECK(packer.is_empty());
    return packets;
}

// Frames, "+" behind those with more; "!" where the stream is broken, "-" for a packet that was ignored.
Frames decode(PgmDecoder &decoder, const Packets &packets) {
    Frames frames;
    for (const Buffer &packet : packets) {
        if (!decoder.put(view(packet))) {
            frames.push_back("-");
            continue;
        }
        for (;;) {
            const PgmDecoder::Step step = decoder.next();
            if (step == PgmDecoder::Step::need_packet) break;
            if (step == PgmDecoder::Step::broken) {
                frames.push_back("!");
                break;
            }
            Message frame;
            decoder.take(frame);
            frames.push_back(text_of(frame) + (frame.has(Message::more) ? "+" : ""));
            frame.close();
        }
    }
    return frames;
}

Packets unhex_all(const std::vector<std::string> &packets) {
    Packets out;
    for (const std::string &packet : packets) out.push_back(unhex(packet));
    return out;
}

} // namespace

TEST_CASE("transports 8: frames stand back to back, and the offset is that of the first message") {
    CHECK(pack(100, {{"a"}, {"bc"}}) == unhex_all({"000002006103006263"}));
    CHECK(pack(100, {{"a", "b"}, {"c"}}) == unhex_all({"0000020161020062020063"}));
    CHECK(pack(100, {}).empty());
    CHECK(pack(100, {{""}}) == unhex_all({"00000100"}));
}

TEST_CASE("transports 8: frames go on from packet to packet") {
    // 6 bytes a packet are 4 of the stream.
    CHECK(pack(6, {{"abcdef"}, {"g"}}) ==
          unhex_all({"000007006162", "ffff63646566", "0000020067"}));
    // A header that is cut, and a later part of a message, which is no start.
    CHECK(pack(6, {{"abc", "d"}, {"e"}}) ==
          unhex_all({"000004016162", "ffff63020064", "0000020065"}));
    CHECK(pack(6, {{"a"}, {"b"}}) == unhex_all({"000002006102", "ffff0062"}));
}

TEST_CASE("transports 8: what is packed is read again, at any size") {
    const std::vector<Frames> messages{
        {"a"}, {"", "b", ""}, {std::string(300, 'c')}, {"d", std::string(5000, 'e')}, {"f"}};
    const Frames wanted{"a", "+", "b+", "", std::string(300, 'c'), "d+", std::string(5000, 'e'), "f"};
    for (const size_t packet_max : {3, 4, 5, 7, 16, 100, 1472, 60000}) {
        PgmDecoder decoder(-1);
        CHECK(decode(decoder, pack(packet_max, messages)) == wanted);
    }
}

TEST_CASE("transports 8: a receiver joins where a message begins") {
    const Packets packets = pack(6, {{"abcdef"}, {"g"}, {"h", "i"}, {"j"}});
    PgmDecoder decoder(-1);
    CHECK(decode(decoder, {packets[1]}) == Frames{"-"});
    CHECK_FALSE(decoder.has_joined());
    CHECK(decode(decoder, Packets(packets.begin() + 2, packets.end())) ==
          Frames{"g", "h+", "i", "j"});
    PgmDecoder end(-1); // behind the last byte of a packet, as libzmq has it
    CHECK(decode(end, unhex_all({"0003616263", "ffff020078"})) == Frames{"x"});
    CHECK(decode(end, unhex_all({"ffff", "0000", "ffff020079"})) == Frames{"y"});
    PgmDecoder late(-1); // in the middle of a packet
    CHECK(decode(late, unhex_all({"0003616263020078"})) == Frames{"x"});
}

TEST_CASE("transports 8: after a loss it joins anew, and nothing is made of halves") {
    const Packets packets = pack(6, {{"abcdef"}, {"ghijkl"}, {"mnopqr"}});
    PgmDecoder decoder(-1);
    CHECK(decode(decoder, {packets[0]}).empty());
    decoder.lose();
    CHECK(decode(decoder, Packets(packets.begin() + 1, packets.end())) ==
          Frames{"-", "ghijkl", "mnopqr"});
}

TEST_CASE("transports 8: packets that break the grammar are ignored, and count as lost") {
    for (const char *bad : {"", "00", "0001", "0002aa", "fffe0200", "0004020061"}) {
        PgmDecoder decoder(-1);
        CHECK(decode(decoder, unhex_all({bad})) == Frames{"-"});
        CHECK_FALSE(decoder.has_joined());
        CHECK(decode(decoder, unhex_all({"00000400aa", bad, "ffffbbcc", "0000020061"})) ==
              Frames{"-", "-", "a"});
    }
    PgmDecoder decoder(4);
    CHECK(decode(decoder, unhex_all({"000000", "0000020061"})) == Frames{"!", "a"});
    CHECK(decode(decoder, unhex_all({"00000600"})) == Frames{"!"}); // MAXMSGSIZE
}
