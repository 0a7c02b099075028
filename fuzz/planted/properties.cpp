// Planted: protocol/properties.cpp without one check, that the four bytes of a value's size have
// all arrived. The linker takes this in place of the library's; fuzz.planted must find it.
#include "protocol/properties.hpp"

namespace tern {

void append_property(std::vector<uint8_t> &out, std::string_view name, Bytes value) {
    uint8_t value_size[4];
    store_be32(value_size, static_cast<uint32_t>(value.size()));
    out.push_back(static_cast<uint8_t>(name.size()));
    out.insert(out.end(), name.begin(), name.end());
    out.insert(out.end(), value_size, value_size + sizeof value_size);
    out.insert(out.end(), value.begin(), value.end());
}

bool parse_properties(Bytes data, PropertyList &out) {
    while (!data.empty()) {
        const size_t name_size = data[0];
        data = data.skip(1);
        if (data.size() < name_size) return false; // here: || data.size() - name_size < 4
        const Bytes name = data.first(name_size);
        data = data.skip(name_size);
        const uint32_t value_size = load_be32(data.data());
        data = data.skip(4);
        if (data.size() < value_size || out.size() == properties_max) return false;
        out.emplace_back(name.text(), data.first(value_size).text());
        data = data.skip(value_size);
    }
    return true;
}

} // namespace tern
