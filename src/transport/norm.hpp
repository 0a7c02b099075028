// Norm: sessions of the protocol NORM, by libnorm (spec/wire/transports.md section 9).
//
//     address = [ node-id "," ] [ interface ";" ] host ":" port       host: a group, or unicast
//
// A sender has one stream; a receiver gets one from each sender there is. libnorm does its work on a
// thread of its own, and tells of events by a descriptor.
//
// Threads: open() on the caller of bind or connect; everything else on one thread.
// Owner:   the caller owns the session; streams are libnorm's, and belong to the session.
// Limit:   ZMQ_NORM_BUFFER_SIZE, for the sender and again for each stream that is received.
#ifndef TERN_TRANSPORT_NORM_HPP
#define TERN_TRANSPORT_NORM_HPP

#include "base/bytes.hpp"
#include "transport/transport_options.hpp"

#include <memory>

namespace tern {

struct NormAddress {
    uint32_t node_id = 0; // 0: libnorm's choice
    std::string interface;
    std::string host;
    uint16_t port = 0;
};

// EINVAL: malformed.
Result<NormAddress> parse_norm(std::string_view text);

class NormSession {
  public:
    using Stream = const void *; // a handle of libnorm

    struct Event {
        enum class Kind {
            none,          // there is no event
            other,         // nothing to do
            writable,      // write() may take more
            sent,          // everything that was written has gone out, once
            stream_data,   // there may be something to read
            stream_ended,  // the stream is not valid after this event
        } kind;
        Stream stream;
    };

    static Result<std::unique_ptr<NormSession>> open(std::string_view address,
                                                     const TransportOptions &options, bool sends);
    ~NormSession();

    // Readable while there are events.
    int fd() const;
    Event next_event();

    // ---- a sender
    // Around writing: libnorm's thread stands still, and what it has told before is dropped, so that
    // `sent` speaks of what was written last.
    void begin_writing();
    void end_writing();
    // How many bytes were taken.
    size_t write(const uint8_t *data, size_t size);
    // What was written last ends here, and goes out.
    void end_frame();

    // ---- a receiver
    // Goes on to the start of a message. False: there is none yet.
    bool seek_start(Stream stream);
    // `size` becomes how much was read. False: the stream is broken, and has to seek.
    bool read(Stream stream, uint8_t *data, size_t &size);

  private:
    NormSession() = default;
    Error start(const NormAddress &address, const TransportOptions &options, bool sends);
    Error start_sender(const TransportOptions &options);

    const void *instance_ = nullptr; // libnorm's handles
    const void *session_ = nullptr;
    const void *stream_ = nullptr;
    bool is_sender_ = false;
};

} // namespace tern

#endif
