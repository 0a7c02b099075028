// PgmMedium: PUB and XPUB into packets of PGM, SUB and XSUB out of those of all senders.
// Subscriptions do not reach a sender: what is given to a receiver is dropped.
//
// Threads: open() on the caller of bind or connect; everything else on the I/O thread.
// Owner:   a Carrier.
// Limit:   out, one packet and one frame beyond OpenPGM's window; in, for each sender the frames of a
//          message that has begun to arrive, and so many senders at a time: who was silent for the
//          longest time begins anew.
#ifndef TERN_LINK_PGM_MEDIUM_HPP
#define TERN_LINK_PGM_MEDIUM_HPP

#include "link/medium.hpp"
#include "link/whole_messages.hpp"
#include "protocol/pgm_stream.hpp"
#include "transport/pgm.hpp"

#include <map>
#include <vector>

namespace tern {

class PgmMedium final : public Medium, public EventHandler {
  public:
    static Result<std::unique_ptr<Medium>> open(std::string_view address, const LinkOptions &options,
                                                bool in_udp);
    PgmMedium(std::unique_ptr<PgmSession> session, const LinkOptions &options);

    Error start(Loop &loop, MediumUser &user) override;
    void stop() override;
    bool can_send() const override { return packer_.wants_frame() && !is_blocked_; }
    void send(Message &frame) override;
    void flush() override;
    bool is_flushed() const override { return is_flushed_; }
    bool receive(Message &frame) override;
    void pause() override;
    void end_input(Loop &) override {}
    void resume() override;

    void on_ready(unsigned bits) override;

  private:
    static constexpr size_t senders_max = 1024;
    struct Sender {
        explicit Sender(int64_t max_message_size) : decoder(max_message_size) {}
        PgmDecoder decoder;
        WholeMessages::Parts parts;
        uint64_t last_heard = 0;
    };
    static bool sends(int socket_type);
    Error watch(int fd, unsigned interest);
    void set_interest(unsigned of_receiving);
    void pack(bool flush);
    bool send_packet();
    void send_on();
    void answer_receivers();
    void call_again_later(void (PgmMedium::*what)());
    void tell_readable() { user_->medium_readable(); }
    void take_packet(PgmSession::Sender from, Bytes packet);
    Sender &sender(PgmSession::Sender from);

    std::unique_ptr<PgmSession> session_;
    const bool is_sender_;
    const int64_t max_message_size_;
    Loop *loop_ = nullptr;
    MediumUser *user_ = nullptr;
    struct Watched {
        Loop::WatchId id;
        int fd;
        bool is_for_sending;
    };
    std::vector<Watched> watches_;
    Loop::TimerId timer_; // OpenPGM's own

    // Out.
    PgmPacker packer_;
    bool is_blocked_ = false; // the packet is full and could not be sent yet
    bool is_flushed_ = true;
    Loop::TimerId rate_timer_;
    Loop::TimerId repair_timer_; // until then receivers may ask for what they have missed

    // In.
    std::map<PgmSession::Sender, Sender> senders_;
    uint64_t packets_ = 0;
    WholeMessages ready_;
};

} // namespace tern

#endif
