// Pgm: PGM, reliable multicast, by OpenPGM (spec/wire/transports.md section 8): in packets of UDP
// (epgm), or of its own protocol of IP, which takes the right to open raw sockets (pgm).
//
//     address = interface ";" group *( "," group ) [ ";" send-group ] ":" port
//
// OpenPGM has no thread: what it does it does in send() and receive(), which therefore have to be called
// by senders, too, whenever a descriptor is readable or the time that wait_ms() gives is over.
//
// Threads: open() on the caller of bind or connect; everything else on one thread.
// Owner:   the caller.
// Limit:   the window: what ZMQ_RATE sends in ZMQ_RECOVERY_IVL, at most 2^24 packets, for a sender and
//          again for each one that is received.
#ifndef TERN_TRANSPORT_PGM_HPP
#define TERN_TRANSPORT_PGM_HPP

#include "base/bytes.hpp"
#include "transport/transport_options.hpp"

#include <memory>
#include <vector>

struct pgm_sock_t;

namespace tern {

class PgmSession {
  public:
    // Which sender: its global session identifier and port.
    using Sender = uint64_t;

    enum class Sent { done, blocked, too_fast };
    struct Received {
        enum class Kind {
            nothing, // until a descriptor is readable, or wait_ms() is over
            packet,
            lost, // packets of this sender, for good
        } kind;
        Sender sender;
        Bytes packet; // valid until the next receive()
    };
    struct Descriptors {
        int send = -1;
        std::vector<int> receive; // all that can become readable
    };

    static Result<std::unique_ptr<PgmSession>> open(std::string_view address,
                                                    const TransportOptions &options, bool sends,
                                                    bool in_udp);
    ~PgmSession();

    const Descriptors &descriptors() const { return descriptors_; }
    // How large a packet may be.
    size_t packet_max() const { return packet_max_; }
    Sent send(Bytes packet);
    Received receive();
    // After the last send() or receive(): how long until it has to be called again. Negative: there is
    // no such time.
    int wait_ms() const { return wait_ms_; }

  private:
    PgmSession() = default;
    Error start(std::string_view address, const TransportOptions &options, bool sends, bool in_udp);
    bool set_up(const TransportOptions &options, bool sends);
    bool set(int option, int value);
    void note_wait(int option);
    void find_descriptors(bool sends);

    pgm_sock_t *socket_ = nullptr;
    Descriptors descriptors_;
    size_t packet_max_ = 0;
    int wait_ms_ = -1;
    std::vector<uint8_t> joined_; // of a packet that came in several
};

} // namespace tern

#endif
