// Link: the far end of a pipe whose peer is remote. It turns messages into bytes and back for as long
// as a connection stands, and keeps what was not sent while there is none.
//
//   down --start()--> up --fail()--> broken --finish()--> down
//
// Threads: the turn of the socket guards everything. Whoever sends encodes into the batch, whoever
//          receives cuts frames out of what was read. System calls are made without the turn, by the
//          one thread that holds the part in question: `writing_` or `reading_`. A thread that finds
//          a part taken goes away: its holder looks for more before it lets go, under the turn, so
//          nothing is left behind. start(), finish() and timers are the I/O thread's.
// Owner:   a Connector or Listener; kept alive by a shared pointer while a part is held.
// Limit:   one batch and one read block, beside the pipe's high water marks.
#ifndef TERN_LINK_LINK_HPP
#define TERN_LINK_LINK_HPP

#include "base/ring.hpp"
#include "flow/pipe.hpp"
#include "link/group_envelope.hpp"
#include "link/heartbeat.hpp"
#include "link/in_buffer.hpp"
#include "link/link_host.hpp"
#include "link/link_options.hpp"
#include "link/out_batch.hpp"
#include "link/request_envelope.hpp"
#include "os/fd.hpp"
#include "protocol/handshake.hpp"
#include "transport/stream_layer.hpp"

#include <memory>

namespace tern {

class Link;

// Who made the link, and decides what follows a connection's end. On the I/O thread, without the turn.
class LinkOwner {
  public:
    virtual ~LinkOwner() = default;
    // `fatal`: the peer broke the protocol; a connecting side does not try again.
    virtual void connection_ended(Link &link, bool fatal) = 0;
};

// A connection that is ready for traffic.
struct Established {
    Fd fd;
    std::unique_ptr<StreamLayer> layer; // null: bytes go straight to the descriptor
    Framing framing = Framing::v2;
    SubscriptionForm subscription_form = SubscriptionForm::command;
    // ZMTP 1.0 or 2.0: no commands, heartbeats or metadata (zmtp.md section 3.4).
    bool is_before_3 = false;
    bool has_mechanism = true; // there was a handshake that could have failed
    std::unique_ptr<TrafficSeal> seal; // null: frames go in clear
    std::string peer_routing_id;
    Metadata::Properties properties;
    std::vector<uint8_t> early_bytes; // traffic that came right behind the handshake
};

class Link final : public PipeFarEnd,
                   public EventHandler,
                   public std::enable_shared_from_this<Link> {
  public:
    Link(LinkHostPointer host, LinkOwner &owner, std::shared_ptr<const LinkOptions> options,
         EndpointTexts endpoints);
    ~Link() override;

    // ---- under the turn
    // The pair's near end belongs to the socket, its far end to this link.
    void set_pipe(PipePair &pair);
    Pipe *socket_end() const { return socket_end_; }
    bool is_up() const { return state_ == State::up; }
    // Up, and the peer is not told that nothing follows.
    bool is_talking() const { return state_ == State::up && !is_parting_ && !takes_leave_; }
    bool is_bound_side() const { return endpoints_.bound_side; }
    const LinkOptions &options() const { return *options_; }
    const EndpointTexts &endpoints() const { return endpoints_; }

    // I/O thread: the connection carries traffic from now on.
    void start(Turn &turn, Established established, const std::string &local_endpoint);
    // Something is known about the descriptor: `bits` of namespace ready.
    void note_ready(Turn &turn, unsigned bits);

    // ---- inbound
    // Bytes may wait in the kernel.
    bool may_have_input() const {
        return state_ == State::up && may_have_input_ && !reading_ && !is_shut_out();
    }
    // Bytes were read that nobody has cut yet.
    bool has_uncut_input() const { return in_.has_bytes(); }
    // One read, if nobody else is reading. True when there is something new to look at.
    bool read_in(Turn &turn);
    // Reads, and cuts into the pipe's queue up to its high water mark. For the I/O thread.
    void serve_input(Turn &turn);

    // May messages be taken with take_plain() and take_inline() until the socket is told something new,
    // or looks into the pipe?
    bool can_take_plain() const;
    // The next message into `message`, in place of the one that is there, if both are plain.
    bool take_plain(Message &message);
    // The body of the message that it would take.
    bool peek_plain(Bytes &body) const { return in_.peek_plain(body); }
    // The same where both lie inline and this link was the last to fill `message`.
    bool take_inline(Message &message) {
        if (message.metadata() != metadata_ || !message.is_inline_plain() || !in_.cut_inline(message))
            return false;
        heartbeat_.heard_other();
        return true;
    }

    // ---- outbound
    enum class Output { none, due, young };
    // What has to be done about output that was just added: `young` is up to the socket's rhythm.
    Output output() const;
    // Writes what waits, unless somebody else is writing or the kernel takes no more. A caller that
    // may block has `patience`: so long it waits until the kernel does, before that becomes the I/O
    // thread's business. Where this was in vain, the next calls leave it out.
    void write_out(Turn &turn, Nanoseconds patience = 0);
    // Lets the batch grow; the host sees to it that it is looked at shortly.
    void begin_batch() { batch_begun_ = true; }
    bool has_batch() const {
        return state_ == State::up && !write_blocked_ && !write_dead_ && filling_.has_committed();
    }
    // The batch, if it may grow by plain messages without more questions; else null.
    OutBatch *growing_batch() { return filling_.is_growing() ? &filling_ : nullptr; }
    // The kernel takes no more, and reports when it does again.
    bool has_write_watch() const { return write_blocked_; }

    // ---- end
    // No connection will follow: the socket's end is left with what it has not read.
    void let_pipe_go();
    // I/O thread. What the peer has sent so far goes into the pipe's queue. False when another thread
    // reads just now.
    bool take_arrived(Turn &turn);
    // The socket writes no more and reads on without the link, which sends what waits, if `flush`.
    void retire(bool flush);
    // The socket has let go of the pipe. What waits to be sent is sent first, if `flush`.
    void close(bool flush);
    bool is_closing() const { return closing_; }
    bool has_output() const;
    // Linger is over: what waits is dropped, and the connection ends.
    void drop_output();
    // What waited for a connection is dropped, because none will carry it.
    void forget_output();
    // Nothing more to send: ends the connection. I/O thread.
    void end_if_done(Turn &turn);
    // The connection is of no more use: ends it as soon as nobody holds a part of it.
    void fail(bool fatal, bool report = true);
    // Heartbeat: nothing was heard for too long.
    void time_out();

    // ---- PipeFarEnd, under the turn
    bool take_frame(Message &frame) override;
    bool take_copy(const Message &message) override { return filling_.append_plain(message); }
    void rollback() override;
    bool is_taking() const override;
    size_t returned_messages() const override { return returned_messages_; }
    size_t batched_messages() const override { return filling_.messages(); }
    Next next_message(Message &frame) override;
    void message_queued() override {
        filling_.end_growth(); // what comes next follows through the queue
        host_.link_has_output(*this);
    }
    void room_made() override {}
    void leave_unheard() override;

    // ---- EventHandler, for pollers that do not nest
    void on_ready(unsigned bits) override;

    // For the heartbeat, under the turn.
    void send_command(Message &command);
    Error make_ping(Message &ping) const;
    uint64_t reads() const { return reads_; }
    bool has_unread_input() const { return may_have_input_ || in_.has_bytes(); }
    // The kernel reports input when there is a good deal of it: who reads earlier takes less.
    bool lets_input_gather() const { return gathered_bytes_ > 1; }
    LinkHost &host() { return host_; }

    // For the socket's bookkeeping.
    uint64_t host_id = 0;
    bool in_output_list = false;
    bool in_input_list = false;
    bool in_batch_list = false;
    bool has_been_up = false;
    uint32_t wrote_in_round = 0; // the socket's, from one look at the growing batches to the next
    Loop::WatchId watch_id = 0;

  private:
    enum class State { down, up, broken };

    bool take_command(Message &frame);
    void take_control(Message &payload);
    void answer_close(Message &payload);
    Error make_control(Message &frame, WsOpcode opcode, Bytes payload) const;
    bool discards_input() const;
    bool shape_inbound(Message &frame);
    bool open_envelope(Message &frame);
    void attach_metadata(Message &frame);
    void pump_in();
    void let_rest_gather();
    void stay_unheard();
    bool is_shut_out() const;
    void queue(Message &frame);
    void deliver(const std::string &body);
    bool send_hello();
    void tell_end();
    void pump_out();
    void return_frame(Message &frame);
    bool encode(Message &frame);
    bool append_grouped(Message &frame);
    bool is_due() const;
    bool has_plain_ways() const { return (framing_ == Framing::v2 || is_ws(framing_)) && !seal_; }
    bool may_take() const;
    void let_batch_grow();
    bool await_room(Turn &turn, Nanoseconds until);
    Nanoseconds allowed(Nanoseconds patience);
    void note_writable();
    void read_on_later();
    void write_on(Turn &turn);
    void go_on_later(bool &is_due, Nanoseconds after, void (Link::*step)(Turn &));
    bool append(Message &frame) {
        return seal_ ? filling_.append_sealed(*seal_, frame, framing_)
                     : filling_.append(framing_, frame);
    }
    // A WebSocket's commands are control frames, which are whole already and never sealed.
    bool append_command(Message &command) {
        return is_ws(framing_) ? filling_.append(Framing::raw, command) : append(command);
    }
    void send_waiting_command();
    void clear_sent();
    void part();
    void look_at_parting(size_t unconfirmed, Nanoseconds since);
    void post_finish();
    void finish();
    void queue_arrived();
    void recover_batches();

    const LinkHostPointer host_holder_;
    LinkHost &host_;
    LinkOwner &owner_;
    const std::shared_ptr<const LinkOptions> options_;
    EndpointTexts endpoints_;
    const bool never_receives_; // PUSH and SCATTER
    const size_t batch_max_;    // with so many bytes a batch is written

    Pipe *socket_end_ = nullptr;
    Pipe *own_end_ = nullptr;
    Channel *to_socket_ = nullptr;
    Channel *from_socket_ = nullptr;

    State state_ = State::down;
    Fd fd_;
    std::unique_ptr<StreamLayer> layer_; // goes before its descriptor
    Framing framing_ = Framing::v2;
    SubscriptionForm subscription_form_ = SubscriptionForm::command;
    bool is_before_3_ = false;
    bool has_mechanism_ = true;
    std::unique_ptr<TrafficSeal> seal_;
    Metadata *metadata_ = nullptr;
    uint32_t metadata_stock_ = 0; // references taken in advance, handed out one per message

    // Inbound.
    InBuffer in_;
    const bool has_envelope_; // REQ and DISH: frames come in a certain shape
    RequestEnvelope envelope_;
    GroupEnvelope group_envelope_;
    bool reading_ = false;
    bool may_have_input_ = false;
    bool hung_up_ = false;
    bool is_unheard_ = false;
    int gathered_bytes_ = 1; // are there when the kernel reports input
    uint64_t reads_ = 0;

    // Outbound.
    OutBatch filling_;
    OutBatch sending_;
    Ring<OwnMessage> returned_; // from a connection that broke, before anything in the queue
    size_t returned_messages_ = 0;
    bool writing_ = false;
    bool write_blocked_ = false;
    bool write_dead_ = false;      // the peer takes no more; what it sent is still read
    bool batch_has_partial_ = false; // the message being sent began in the batch
    bool hello_is_sending_ = false;  // and nothing else is
    bool batch_begun_ = false;
    bool writing_on_is_due_ = false;
    bool reading_on_is_due_ = false;
    int waits_to_skip_ = 0; // for room in the kernel, by callers
    OwnMessage waiting_command_; // a PONG that must not split a message, or has no room yet
    bool has_waiting_command_ = false;

    // End.
    bool closing_ = false;
    bool flushes_ = true; // what waits is sent although the socket has let go
    bool fatal_ = false;
    bool report_end_ = true;
    bool finish_is_posted_ = false;
    bool ends_after_read_ = false;
    bool takes_leave_ = false; // everything is sent, and what the peer has sent is read for the last time
    bool is_parting_ = false; // everything is sent, and the peer's end is waited for
    bool peer_has_closed_ = false; // a WebSocket: it ends when the answer is written

    Heartbeat heartbeat_;
};

} // namespace tern

#endif
