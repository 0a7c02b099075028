// Opening: a connection between connect or accept and the end of its handshake. Nobody but the I/O
// thread knows it, so it needs no lock; when it is ready, what it has becomes an Established.
// Threads: I/O thread only.
// Owner:   a Connector or Listener; dropping it closes the connection.
// Limit:   the handshake's own: a peer that has not finished it can make us hold one command.
#ifndef TERN_LINK_OPENING_HPP
#define TERN_LINK_OPENING_HPP

#include "link/link.hpp"

#include <memory>

namespace tern {

class Opening;

class OpeningEvents {
  public:
    virtual ~OpeningEvents() = default;
    virtual void opening_ready(Opening &opening, Established established) = 0;
    // `fatal`: a connecting side does not try again.
    virtual void opening_failed(Opening &opening, bool fatal) = 0;
};

class Opening final : public EventHandler {
  public:
    Opening(LinkHostPointer host, OpeningEvents &events, std::shared_ptr<const LinkOptions> options,
            Fd fd, std::string peer_address, EndpointTexts endpoints);
    ~Opening() override;

    // May call back at once.
    void start();
    void on_ready(unsigned bits) override;

    const EndpointTexts &endpoints() const { return endpoints_; }
    // For the owner's list.
    size_t index = 0;

  private:
    void read_some_bytes();
    void write_some_bytes();
    void ready(Bytes rest);
    void protocol_failed();
    void lost(int error_number);
    void emit(LinkEvent event, int64_t value);
    void close_descriptor();

    const LinkHostPointer host_holder_;
    LinkHost &host_;
    OpeningEvents &events_;
    const std::shared_ptr<const LinkOptions> options_;
    Fd fd_;
    const std::string peer_address_;
    EndpointTexts endpoints_;
    Handshake handshake_;
    std::vector<uint8_t> out_;
    size_t out_written_ = 0;
    Loop::WatchId watch_ = 0;
    Loop::TimerId timer_;
    bool ignores_input_ = false;
    bool is_over_ = false;
};

} // namespace tern

#endif
