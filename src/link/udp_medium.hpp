// UdpMedium: messages as UDP datagrams: RADIO sends them, DISH receives them, DGRAM does both and has
// the peer's address as a frame in front of each.
//
// Threads: open() on the caller of bind or connect; end_input() on any; everything else on the I/O
//          thread. A lock guards the descriptor of a DISH, which is closed while it may be read.
// Owner:   a Carrier.
// Limit:   one datagram that the kernel did not take yet, and one that was not handed out yet.
#ifndef TERN_LINK_UDP_MEDIUM_HPP
#define TERN_LINK_UDP_MEDIUM_HPP

#include "link/medium.hpp"
#include "os/lock.hpp"
#include "protocol/udp_datagram.hpp"
#include "transport/udp.hpp"

#include <optional>

namespace tern {

class UdpMedium final : public Medium, public EventHandler {
  public:
    static Result<std::unique_ptr<Medium>> open(std::string_view address,
                                                const LinkOptions &options, bool binds);
    UdpMedium(Fd fd, int family, SocketAddress target, int socket_type);

    Error start(Loop &loop, MediumUser &user) override;
    void stop() override;
    bool can_send() const override { return !waiting_; }
    void send(Message &frame) override;
    void flush() override {}
    bool is_flushed() const override { return !waiting_; }
    bool receive(Message &frame) override;
    void pause() override;
    void resume() override;
    void end_input(Loop &loop) override;

    void on_ready(unsigned bits) override;

  private:
    void send_with_address(Message &frame);
    void put(Bytes body);
    void write();
    bool read(Bytes &datagram, SocketAddress &peer);
    bool shape_grouped(Bytes datagram, Message &frame);
    bool shape_addressed(Bytes datagram, const SocketAddress &peer, Message &frame);
    unsigned interest() const;
    void update_interest();

    Lock lock_;
    Fd fd_; // under lock_, where it may be closed by end_input()
    const int socket_type_;
    const int family_;
    Loop *loop_ = nullptr;
    MediumUser *user_ = nullptr;
    Loop::WatchId watch_ = 0;
    bool reads_;         // not while it is paused

    // Out.
    SocketAddress target_; // of DGRAM: of the message under way, if it has one
    bool has_address_ = false;
    std::unique_ptr<uint8_t[]> out_; // made when it is needed first
    std::optional<size_t> waiting_;  // so many bytes of it the kernel did not take yet

    // In.
    std::unique_ptr<uint8_t[]> in_;
    OwnMessage body_; // of DGRAM: its address has been handed out
    bool has_body_ = false;
};

} // namespace tern

#endif
