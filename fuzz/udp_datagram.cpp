// udp_datagram: what a DISH is sent. What parses lies in the datagram, and goes the way back.
#include "support/fuzz.hpp"

#include "protocol/udp_datagram.hpp"

namespace tern::fuzz {

void run(Input input) {
    const size_t filler = input.byte() == 255 ? datagram_max - 16 : 0; // near the limit
    Buffer datagram = exact(input.rest());
    datagram.resize(datagram.size() + (datagram.empty() ? 0 : filler));
    const Bytes bytes = view(datagram);
    GroupDatagram parsed;
    const bool is_parsed = parse_group_datagram(bytes, parsed);
    FUZZ_CHECK(is_parsed ==
               (!bytes.empty() && bytes.size() <= datagram_max && bytes[0] < bytes.size()));
    if (!is_parsed) return;
    FUZZ_CHECK(parsed.body.size() == bytes.size() - 1 - bytes[0]);
    FUZZ_CHECK(parsed.group.find('\0') == parsed.group.npos);
    FUZZ_CHECK(parsed.group == bytes.skip(1).first(parsed.group.size()).text());
    FUZZ_CHECK(parsed.group.size() == bytes[0] || bytes[1 + parsed.group.size()] == 0);

    Buffer again(datagram_max);
    const size_t size = put_group_datagram(again.data(), parsed.group, parsed.body);
    FUZZ_CHECK(size == 1 + parsed.group.size() + parsed.body.size());
    GroupDatagram second;
    FUZZ_CHECK(parse_group_datagram(view(again).first(size), second));
    FUZZ_CHECK(second.group == parsed.group && second.body == parsed.body);
}

} // namespace tern::fuzz
