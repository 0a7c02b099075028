// Mechanism: one security handshake as a pure state machine: command bodies in, command bodies out.
// Random bytes, keys and the answer of the ZAP handler are passed in; what may take long is handed
// out as a computation. What a command body means is
// in spec/wire/security.md.
// Threads: used by whoever holds the link's turn.
// Owner:   the Handshake.
// Limit:   the caller bounds every command body.
#ifndef TERN_SECURITY_MECHANISM_HPP
#define TERN_SECURITY_MECHANISM_HPP

#include "base/bytes.hpp"
#include "security/traffic_seal.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tern {

// Values of HANDSHAKE_FAILED_PROTOCOL (security.md section 7).
namespace protocol_error {
enum : uint32_t {
    none = 0,
    unspecified = 0x10000000,
    unexpected_command = 0x10000001,
    invalid_sequence = 0x10000002,
    key_exchange = 0x10000003,
    malformed = 0x10000011,
    malformed_message = 0x10000012,
    malformed_hello = 0x10000013,
    malformed_initiate = 0x10000014,
    malformed_error = 0x10000015,
    malformed_ready = 0x10000016,
    malformed_welcome = 0x10000017,
    invalid_metadata = 0x10000018,
    cryptographic = 0x11000001,
    mechanism_mismatch = 0x11000002,
    websocket = 0x30000000, // upgrade or framing
};
} // namespace protocol_error

namespace mechanism_id {
enum : int { null = 0, plain = 1, curve = 2, gssapi = 3 }; // the numbers of zmq.h
} // namespace mechanism_id

// Takes the peer's property list out of READY or INITIATE. Implemented by protocol/.
class MetadataReader {
  public:
    virtual ~MetadataReader() = default;
    // False: malformed, or a peer that we must not talk to.
    [[nodiscard]] virtual bool read(Bytes metadata) = 0;
};

class Mechanism {
  public:
    enum class Step : uint8_t {
        send,    // a command was put into the vector: send it, then call next() again
        idle,    // nothing to do before the peer's next command
        ask_zap, // blocked until zap_answered()
        compute, // blocked until computed(): take_computation(), and run it where it may block
        failed,  // see failure(); bytes already handed out are still worth writing
    };
    struct Failure {
        enum class Kind : uint8_t {
            protocol, // HANDSHAKE_FAILED_PROTOCOL with `code`
            auth,     // HANDSHAKE_FAILED_AUTH with 300, 400 or 500
            silent,   // close without a handshake event
            helpless, // not the peer's fault: as if the connection were lost
        };
        Kind kind = Kind::silent;
        uint32_t code = 0;
    };

    virtual ~Mechanism() = default;

    // Replaces `command_body` when it gives Step::send. Call after start, after each process() and
    // after zap_answered(), until it gives something else.
    virtual Step next(std::vector<uint8_t> &command_body) = 0;
    // One command of the peer. Gives idle or failed. Not called while next() says ask_zap or
    // compute.
    virtual Step process(Bytes command_body) = 0;

    // What has to be computed, once each time that next() says compute. It runs on any thread and
    // shares nothing with the mechanism until computed(); it may end after the mechanism is gone.
    virtual std::function<void()> take_computation() { return {}; }
    virtual void computed() {}

    // What a ZAP request carries behind the mechanism's name, while next() says ask_zap.
    virtual std::vector<std::string> zap_credentials() const { return {}; }
    // 200, 300, 400 or 500. Without a handler the caller decides, and says 200 to go on. User id
    // and metadata of the reply are between the caller and the messages; no mechanism looks at
    // them.
    virtual void zap_answered(uint32_t status) = 0;

    virtual bool is_ready() const = 0;
    virtual Failure failure() const = 0;
    // Once, after is_ready(): what all traffic passes through from now on (CURVE, GSSAPI). Null: it
    // goes in clear.
    virtual std::unique_ptr<TrafficSeal> take_traffic_seal() { return nullptr; }
};

} // namespace tern

#endif
