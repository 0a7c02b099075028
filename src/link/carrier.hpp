// Carrier: the far end of one pipe of a socket, whose messages travel as packets. There is no peer and
// no connection: what the socket sends goes to whoever listens, and what comes is the socket's.
//
//   made --start()--> carrying --the socket's end is closed--> flushing --> over
//                                 linger is over, or 0 ----------------------^
//
// To the socket it is like a peer over inproc that has its turn on the I/O thread: it has a mailbox
// of its own, whose listener posts a task, and no lock is shared.
//
// Threads: made, make_pipe() and close() under the socket's turn; everything else on the I/O thread.
// Owner:   shared by the Socket and by tasks on their way to the I/O thread.
// Limit:   the pipe's high water marks; beyond, what comes is left to the medium.
#ifndef TERN_LINK_CARRIER_HPP
#define TERN_LINK_CARRIER_HPP

#include "flow/mailbox.hpp"
#include "flow/pipe.hpp"
#include "link/link_host.hpp"
#include "link/medium.hpp"

#include <memory>

namespace tern {

class Carrier final : public MailboxListener,
                      public MediumUser,
                      public std::enable_shared_from_this<Carrier> {
  public:
    Carrier(LinkHostPointer host, uint64_t id, std::unique_ptr<Medium> medium);

    uint64_t id() const { return id_; }
    // The pipe's near end, for the socket with this mailbox. Null when out of memory.
    Pipe *make_pipe(Mailbox &socket_mailbox, const LinkOptions &options);
    // Under the turn, before close().
    Pipe &socket_end() const { return pipe_->other_end(); }
    // I/O thread: begins to carry.
    void start();
    // Under the turn, before the pipe's end: nothing comes in any more, and what waits is sent, for
    // `linger_ms` at most (-1: for ever).
    void close(int linger_ms);

    // Any thread.
    void news_posted() override;
    void medium_readable() override;
    void medium_writable() override;

  private:
    void take_news();
    void pump_out();
    void pump_in();
    void pump_in_later();
    void finish();
    void release_pipe();

    const LinkHostPointer host_holder_;
    LinkHost &host_;
    const uint64_t id_;
    const std::unique_ptr<Medium> medium_;
    Mailbox *mailbox_ = nullptr;
    Pipe *pipe_ = nullptr; // its own end

    // I/O thread.
    bool is_started_ = false;
    bool is_over_ = false;
    bool is_mid_message_ = false; // of what comes in
    bool drops_message_ = false;  // no memory for it
    bool is_paused_ = false;      // the pipe is full
    bool pumps_in_later_ = false; // a task for it is on its way
    Loop::TimerId timer_;         // to start again, or linger
};

} // namespace tern

#endif
