#include "protocol/greeting.hpp"

#include "security/mechanism.hpp"

namespace tern {

namespace {

// Offsets (zmtp.md section 2.1).
constexpr size_t signature_end = 9;
constexpr size_t major_at = 10;
constexpr size_t minor_at = 11; // the type code of ZMTP 1.0 and 2.0
constexpr size_t mechanism_at = 12;
constexpr size_t mechanism_size = 20;

void append(std::vector<uint8_t> &out, Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

// No signature, but the header of a v1 frame: short, or long with even flags.
bool is_unversioned(size_t at, uint8_t byte) {
    return at == 0 ? byte != 0xff : at == signature_end && (byte & 1) == 0;
}

// Any major but these is spoken to as 3.1 (quirks Q-20).
ZmtpVersion version_of(uint8_t major, uint8_t minor) {
    if (major == 0) return ZmtpVersion::v1_0;
    if (major == 1) return ZmtpVersion::v2_0;
    return major == 3 && minor == 0 ? ZmtpVersion::v3_0 : ZmtpVersion::v3_1;
}

} // namespace

std::string_view mechanism_name(int mechanism) {
    switch (mechanism) {
    case mechanism_id::plain:
        return "PLAIN";
    case mechanism_id::curve:
        return "CURVE";
    case mechanism_id::gssapi:
        return "GSSAPI";
    default:
        return "NULL";
    }
}

void Greeting::start(size_t routing_id_size, std::vector<uint8_t> &out) const {
    // To an unversioned peer this is the long header of our identity frame (quirks Q-33).
    uint8_t signature[signature_end + 1] = {0xff};
    store_be64(signature + 1, uint64_t(routing_id_size) + 1);
    signature[signature_end] = 0x7f;
    append(out, Bytes(signature, sizeof signature));
}

// Version detection, byte by byte (zmtp.md section 3).
bool Greeting::take(uint8_t byte, std::vector<uint8_t> &out) {
    const size_t at = size_++;
    bytes_[at] = byte;
    if (is_unversioned(at, byte)) {
        version_ = ZmtpVersion::unversioned;
        return true;
    }
    switch (at) {
    case signature_end:
        out.push_back(3);
        return false;
    case major_at:
        if (byte <= 1) {
            out.push_back(static_cast<uint8_t>(socket_type_));
        } else {
            // Minor version, mechanism, as-server (always 0, quirks Q-08) and filler.
            uint8_t tail[size_max - minor_at] = {1};
            const std::string_view name = mechanism_name(mechanism_);
            std::memcpy(tail + 1, name.data(), name.size());
            append(out, Bytes(tail, sizeof tail));
        }
        return false;
    case minor_at:
        version_ = version_of(bytes_[major_at], byte);
        return is_before_3(version_);
    default:
        return size_ == size_max;
    }
}

bool Greeting::is_same_mechanism() const {
    uint8_t own[mechanism_size] = {};
    const std::string_view name = mechanism_name(mechanism_);
    std::memcpy(own, name.data(), name.size());
    return std::memcmp(bytes_ + mechanism_at, own, mechanism_size) == 0;
}

} // namespace tern
