// Greeting: the first bytes of a connection, from which each side learns what the other speaks.
// Bytes in, bytes out; the machine is the same for the connecting and for the bound side.
// Threads: used by whoever holds the link's turn.
// Owner:   the Handshake.
// Limit:   64 bytes.
//
//   signature   = ff padding:8 end       of `end` only bit 0 counts, padding is ignored
//   zmtp-3      = signature major minor mechanism:20 as-server 31OCTET         64 bytes
//   zmtp-2.0    = signature 01 type-code                                       12 bytes
//   zmtp-1.0    = signature 00 type-code                                       12 bytes
//   unversioned = a v1 frame: byte 0 is not ff, or byte 9 is even              1 or 10 bytes
//                                                       (zmtp.md sections 2 and 3)
#ifndef TERN_PROTOCOL_GREETING_HPP
#define TERN_PROTOCOL_GREETING_HPP

#include "base/bytes.hpp"
#include "protocol/commands.hpp"
#include "protocol/frame.hpp"

#include <string_view>
#include <vector>

namespace tern {

// What the peer speaks, oldest first. We always announce 3.1.
enum class ZmtpVersion : uint8_t { unversioned, v1_0, v2_0, v3_0, v3_1 };

// Identity frames instead of a security handshake; no commands, no metadata (zmtp.md section 3.4).
constexpr bool is_before_3(ZmtpVersion version) { return version < ZmtpVersion::v3_0; }

constexpr Framing framing_of(ZmtpVersion version) {
    return version < ZmtpVersion::v2_0 ? Framing::v1 : Framing::v2;
}

constexpr SubscriptionForm subscription_form_of(ZmtpVersion version) {
    return version < ZmtpVersion::v3_1 ? SubscriptionForm::message : SubscriptionForm::command;
}

// As greetings and ZAP requests write it.
std::string_view mechanism_name(int mechanism);

class Greeting {
  public:
    Greeting(int socket_type, int mechanism) : socket_type_(socket_type), mechanism_(mechanism) {}

    // Appends the 10 bytes that go out before anything is read.
    void start(size_t routing_id_size, std::vector<uint8_t> &out) const;
    // Appends what the peer's next byte sets free. True: it was the last one, call no more.
    bool take(uint8_t byte, std::vector<uint8_t> &out);

    // After the last byte.
    ZmtpVersion version() const { return version_; }
    // All of it: from an unversioned peer the beginning of its identity frame.
    Bytes bytes() const { return Bytes(bytes_, size_); }
    // ZMTP 1.0 versioned and 2.0. Any code is accepted (zmtp.md section 2.5).
    uint8_t type_code() const { return bytes_[11]; }
    // ZMTP 3.x: all 20 bytes of the peer's mechanism are ours.
    bool is_same_mechanism() const;

  private:
    static constexpr size_t size_max = 64;

    int socket_type_;
    int mechanism_;
    ZmtpVersion version_ = ZmtpVersion::v3_1;
    uint8_t size_ = 0;
    uint8_t bytes_[size_max] = {};
};

} // namespace tern

#endif
