// Opening: a connection between connect or accept and the end of its handshake. Nobody but the I/O
// thread knows it, so it needs no lock; when it is ready, what it has becomes an Established.
// Threads: I/O thread only.
// Owner:   a Connector or Listener; dropping it closes the connection.
// Limit:   handshake_small_max bytes of the peer, and one frame where there is a place in the listener's
//          HandshakeRoom. While the ZAP handler thinks, or a ticket is sought, rest_max bytes more.
//          Beyond that nothing is read.
//
//   securing --> handshaking             securing: TLS, where there is some
//   handshaking --ask_zap()--> asking --zap_replied()--> handshaking      any of them -> over
//   handshaking --compute()--> computing --computed()--> handshaking
#ifndef TERN_LINK_OPENING_HPP
#define TERN_LINK_OPENING_HPP

#include "link/link.hpp"
#include "transport/wrapping.hpp"

#include <memory>

namespace tern {

class Opening;

class OpeningEvents {
  public:
    virtual ~OpeningEvents() = default;
    virtual void opening_ready(Opening &opening, Established established) = 0;
    // `fatal`: a connecting side does not try again.
    virtual void opening_failed(Opening &opening, bool fatal) = 0;
    // True: it may hold a whole frame now. Otherwise place_given() says when.
    virtual bool opening_needs_place(Opening &opening) = 0;
};

class Opening final : public EventHandler, public ZapListener {
  public:
    Opening(LinkHostPointer host, OpeningEvents &events, std::shared_ptr<const LinkOptions> options,
            const Wrapping &wrapping, Fd fd, std::string peer_address, EndpointTexts endpoints);
    ~Opening() override;

    // May call back at once.
    void start();
    void on_ready(unsigned bits) override;
    void zap_replied(const std::vector<std::string> &frames) override;
    void zap_lost() override;
    // Reads nothing by itself, but hears of what there is.
    void place_given();
    bool has_place() const { return has_place_; }

    const EndpointTexts &endpoints() const { return endpoints_; }
    // For the owner's list.
    size_t index = 0;
    // For the room that it waits for.
    size_t place_number = 0;

  private:
    // Where a computation leaves word that it is done. Without an opening nobody wants to know.
    struct Computation;

    // The rest becomes traffic, and has to fit into one read block of the link.
    static constexpr size_t rest_max = 512;

    void secure();
    void begin();
    void read_some_bytes();
    bool read_once();
    size_t may_read() const;
    void write_some_bytes();
    void watch_for_work();
    void watch_for(unsigned interest);
    void feed(Bytes in);
    void go_on(Handshake::Outcome outcome, Bytes rest);
    void ask_zap();
    void compute();
    void computed();
    void forget_computation();
    void unblocked(Handshake::Outcome outcome);
    void ready(Bytes rest);
    void protocol_failed();
    void lost(int error_number);
    void end();
    void emit(LinkEvent event, int64_t value);
    void close_descriptor();

    const LinkHostPointer host_holder_;
    LinkHost &host_;
    OpeningEvents &events_;
    const std::shared_ptr<const LinkOptions> options_;
    Fd fd_;
    std::unique_ptr<StreamLayer> layer_; // goes before its descriptor
    const std::string peer_address_;
    EndpointTexts endpoints_;
    Handshake handshake_;
    std::vector<uint8_t> out_;
    size_t out_written_ = 0;
    std::unique_ptr<ZapCall> zap_call_; // while the handler is asked
    std::shared_ptr<Computation> computation_; // while one is under way
    std::vector<uint8_t> rest_; // what the peer has sent meanwhile
    Loop::WatchId watch_ = 0;
    unsigned interest_ = ready::read;
    Loop::TimerId timer_;
    bool is_securing_ = false;
    bool has_place_ = false;
    bool upgrade_is_told_ = false; // to monitors
    bool is_over_ = false;
};

} // namespace tern

#endif
