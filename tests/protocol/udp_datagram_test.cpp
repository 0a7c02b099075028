#include "protocol/udp_datagram.hpp"

#include "support/vectors.hpp"

#include <catch2/catch.hpp>

using namespace tern;
using namespace tern::test;

namespace {

Buffer encode(std::string_view group, std::string_view body) {
    Buffer out(datagram_max);
    out.resize(put_group_datagram(out.data(), group, Bytes(body)));
    return out;
}

} // namespace

TEST_CASE("RD-5: datagrams of RADIO are those that were captured") {
    const auto captured = [](const char *name) { return vector_bytes("udp.json", name); };
    CHECK(encode("TV", "Friends") == captured("radio-tv"));
    CHECK(encode("", "x") == captured("radio-empty-group"));
    CHECK(encode("g", "") == captured("radio-empty-body"));
    CHECK(encode(std::string(255, 'g'), "z") == captured("radio-group-255"));
}

TEST_CASE("RD-5: a DISH reads what was captured, and nothing that is cut short") {
    GroupDatagram parsed;
    for (const char *name : {"radio-tv", "radio-empty-group", "radio-empty-body", "radio-group-255",
                             "dish-empty-body"}) {
        const Buffer datagram = vector_bytes("udp.json", name);
        REQUIRE(parse_group_datagram(view(datagram), parsed));
        CHECK(encode(parsed.group, parsed.body.text()) == datagram);
    }
    CHECK_FALSE(parse_group_datagram({}, parsed));
    const Buffer cut = vector_bytes("udp.json", "dish-truncated-group");
    CHECK_FALSE(parse_group_datagram(view(cut), parsed));
    CHECK_FALSE(parse_group_datagram(Bytes(std::string_view("\377")), parsed));
}

TEST_CASE("RD-5: the group ends at its first NUL, the body goes on behind its length") {
    GroupDatagram parsed;
    REQUIRE(parse_group_datagram(Bytes(std::string_view("\4TV\0xbody", 9)), parsed));
    CHECK(parsed.group == "TV");
    CHECK(parsed.body.text() == "body");
}

TEST_CASE("RD-5: 8192 bytes and no more, either way") {
    CHECK(encode("TV", std::string(datagram_max - 3, 'b')).size() == datagram_max);
    CHECK(encode("TV", std::string(datagram_max - 2, 'b')).empty());
    CHECK(encode("", std::string(datagram_max - 1, 'b')).size() == datagram_max);
    CHECK(encode(std::string(256, 'g'), "").empty());
    uint8_t byte;
    CHECK(put_group_datagram(&byte, "g", Bytes(&byte, SIZE_MAX)) == 0);
    GroupDatagram parsed;
    const Buffer datagram(datagram_max + 1, 0);
    CHECK(parse_group_datagram(view(datagram).first(datagram_max), parsed));
    CHECK_FALSE(parse_group_datagram(view(datagram), parsed));
}
