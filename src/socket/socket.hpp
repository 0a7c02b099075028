// Socket: what the application holds. It joins a pattern with its pipes, links and endpoints, and is
// where a calling thread waits.
//
// Threads: one application thread at a time calls, except on thread-safe types (see below); I/O threads
//          come in under the turn. The thread that
//          waits does so on the descriptors of its own links ("borrowed"): it reads and decodes itself
//          and no other thread is woken. The I/O thread takes them back about a millisecond after the
//          caller was last seen, or at once when there is something to write.
//
//   Whoever waits first publishes that it sleeps (Mailbox), then looks at everything again under the
//   turn, then sleeps. Whoever changes something does so under the turn, or posts it to the mailbox,
//   and then wakes the sleeper if it sees one: no wake-up is lost. It sleeps on the mailbox's word
//   while there is no set, and takes no descriptor for that. When the I/O thread makes the set
//   meanwhile, the sleeper stays on the word: the I/O thread reads and wakes it until the next wait.
//
//   The links' descriptors are edge-triggered in the socket's own set. Whoever takes a report from
//   that set notes it in the link under the turn before it does anything else, so that a change of
//   hands between caller and I/O thread loses none.
//
//   Thread-safe types (SERVER to CHANNEL, but for DGRAM): any number of threads call. Each call has the
//   turn for itself, and gives it up only where it would for the I/O thread; their messages are single
//   frames, so no call leaves a state behind for the next call of its thread. Nothing is borrowed, the
//   I/O thread reads; who has to wait does so in the mailbox's waiting room, and is woken with all
//   others there. Their turn stays unbiased and their patterns offer no short way.
//
// Owner:   the application's handle and the Context; tasks on I/O threads hold it by pointer too, so
//          the memory goes when the last of them has run.
#ifndef TERN_SOCKET_SOCKET_HPP
#define TERN_SOCKET_SOCKET_HPP

#include "base/ring.hpp"
#include "link/carrier.hpp"
#include "link/connector.hpp"
#include "link/link_host.hpp"
#include "link/listener.hpp"
#include "os/fork_guard.hpp"
#include "pattern/pattern.hpp"
#include "socket/awake_try.hpp"
#include "socket/monitor.hpp"
#include "socket/options.hpp"

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace tern {

class Context;
class MessageBulk;
class PollCrowd;

class Socket final : public LinkHost,
                     public PatternHost,
                     public std::enable_shared_from_this<Socket> {
  public:
    static Result<std::shared_ptr<Socket>> create(Context &context, int type,
                                                  std::shared_ptr<const Options> defaults);
    struct MadeByCreate;
    Socket(const MadeByCreate &, Context &context, int type,
           std::shared_ptr<const Options> defaults);
    ~Socket() override;

    // ---- messages
    // The short way of a plain message in a stream: one call, no question asked twice. False: nothing
    // was done, take the long way.
    bool send_plain(Message &message) {
        // Nothing is called on the way that most messages of a stream take.
        if (!message.is_plain() || message.metadata() || is_inherited()) return false;
        BiasedLock::Seat *const seat = turn_.enter_as_favourite();
        if (!seat) return send_plain_unbiased(message);
        OutBatch *const batch = way_out_.batch;
        if (!batch || mailbox_->has_news() || !batch->append_inline(message))
            return send_plain_otherwise(message, *seat);
        turn_.leave(*seat);
        return true;
    }
    bool recv_plain(Message &message) {
        if (!message.is_plain() || is_inherited()) return false;
        BiasedLock::Seat *const seat = turn_.enter_as_favourite();
        if (!seat) return recv_plain_unbiased(message);
        Link *const link = way_in_.link;
        if (!link || way_in_.filter || mailbox_->has_news() || !link->take_inline(message))
            return recv_plain_otherwise(message, *seat);
        received_since_write_ = true;
        turn_.leave(*seat);
        return true;
    }
    // ETERM when the context has ended.
    Error check_alive() const;
    // Takes the frame and leaves it empty; on failure it is the caller's, untouched.
    Error send(Message &frame, bool dont_wait);
    // Replaces the frame's content.
    Error recv(Message &frame, bool dont_wait);

    // ---- messages in bulk, for a proxy (socket_bulk.cpp)
    // How many whole messages can be given without waiting, as far as can be told; `wanted` are
    // enough. At least one when ZMQ_POLLOUT holds.
    size_t room(size_t wanted, Error &error);
    // Takes up to so many whole messages that are there, and says how many. Nothing is waited for.
    Result<size_t> take(MessageBulk &bulk, size_t messages_max);
    // Sends them all, and waits where there is no room. On failure the bulk keeps what was not sent.
    // What is written last may wait for company until flush().
    Error give(MessageBulk &bulk);
    void flush();

    // ---- endpoints
    Error bind(const char *text);
    // `peer`: here goes the number that PEER has given to the new peer.
    Error connect(const char *text, uint32_t *peer = nullptr);
    // PEER only.
    Error connect_peer(const char *text, uint32_t &peer);
    // SERVER and PEER.
    Error disconnect_peer(uint32_t peer);
    // POLLOUT if the peer of this routing id can take a message, else 0.
    Result<int> peer_state(Bytes routing_id);
    Error end_endpoint(const char *text); // unbind and disconnect are one
    Error monitor(const char *text, uint64_t events, int version, int type);
    Error report_pipes();
    // DISH only.
    Error join(const char *group);
    Error leave(const char *group);

    // ---- options
    Error set_option(int option, const void *value, size_t size);
    Error get_option(int option, void *value, size_t *size);

    // ---- end
    void close();
    // The context is going down: every call from now on says ETERM.
    void terminate();

    // ---- polling, for several sockets in one wait
    // Which of `wanted` (ZMQ_POLLIN, ZMQ_POLLOUT) hold now; negative with `error` set on failure.
    int ready_events(int wanted, Error &error);
    // Announces a sleep. Returns the events that hold already; when there are none, `descriptor` is
    // what to wait for, and end_wait() has to follow.
    int begin_wait(int wanted, int &descriptor, Error &error);
    void end_wait(bool has_news);
    // For how long its mailbox may be watched before that; 0: sleep at once. Then what came of it.
    Nanoseconds watch_window();
    bool has_news() const { return mailbox_->has_news(); }
    void end_watch(bool has_brought);
    // For one socket alone: waits until one of `wanted` holds.
    int wait_for(int wanted, const Deadline &deadline, Error &error);

    // ---- among many that are polled together (PollCrowd)
    // False: its sleep is somebody else's business, or it has joined already.
    bool join_crowd(std::shared_ptr<PollCrowd> crowd, uint32_t index);
    void leave_crowd(const PollCrowd &crowd);
    // Which of `wanted` hold; when none does, the crowd will be told of news, and calls.
    int look_or_park(int wanted, Error &error);
    // For pollers of thread-safe sockets, which do not announce a sleep: null on others.
    WaitingRoom *waiting_room() const { return mailbox_->room(); }

    int type() const { return type_; }
    bool is_inherited() const { return fork_guard_.is_inherited(); }

    // ---- LinkHost
    BiasedLock &turn() override { return turn_; }
    Loop &loop() override { return *loop_; }
    Result<std::unique_ptr<ZapCall>> ask_zap(const std::vector<std::string> &request,
                                             ZapListener &listener) override;
    bool compute_aside(std::function<void()> job, bool asks_network) override;
    void link_up(Link &link, const std::string &peer_routing_id) override;
    void link_readable(Link &link) override;
    void link_writable(Link &link) override;
    void link_has_output(Link &link) override;
    void link_wrote(Link &link, Nanoseconds now) override;
    void link_has_input(Link &link) override;
    void input_left(Link &link) override { list_for_input(link); }
    void link_served(Turn &turn) override { end_call(turn); }
    void link_ended(Link &link) override;
    void link_lost(Link &link) override;
    void close_link(Link &link, bool flush) override;
    Retired retire_link(Turn &turn, Link &link, bool flush) override;
    Error watch(Link &link, int fd) override;
    void watch_writable(Link &link, int fd, bool wanted) override;
    void unwatch(Link &link, int fd) override;
    void event(LinkEvent event, int64_t value, const EndpointTexts &endpoints) override;
    void endpoint_finished(uint64_t endpoint_id) override;

    // ---- PatternHost
    void pipe_drained(Pipe &pipe) override;
    void pipe_refused(Pipe &pipe) override;
    void pipe_unheard(Pipe &pipe) override;
    void pipe_unwanted(Pipe &pipe) override { unwanted_.push_back(&pipe); }

    // For the context, under its lock.
    size_t place_in_context = 0;

  private:
    struct Bound {
        uint64_t id;
        std::string text;
        std::string other_text; // zmq_unbind takes this one, too; or empty
        std::shared_ptr<Listener> listener; // null: an inproc name, if there is no carrier
        std::shared_ptr<Carrier> carrier{};
    };
    struct Connected {
        uint64_t id;
        std::string text;
        std::shared_ptr<Connector> connector;
        Pipe *inproc = nullptr;
        std::shared_ptr<Carrier> carrier{};
    };
    // The socket's set reports to its loop, while it is not borrowed.
    struct SetHandler final : EventHandler {
        explicit SetHandler(Socket &socket) : socket(socket) {}
        void on_ready(unsigned) override { socket.serve_set(); }
        Socket &socket;
    };
    struct LinkSlot {
        std::weak_ptr<Link> link;
        uint32_t generation = 0;
        bool is_read_by_caller = false; // and in that list
    };

    // socket.cpp: messages; socket_wait.cpp: waiting
    Error begin_call();
    // Whatever decides where messages go is about to be different.
    void note_change() {
        ++changes_;
        close_ways();
    }
    void close_ways() { way_out_ = {}, way_in_ = {}; }
    bool make_room(Turn &turn);
    bool can_recv();
    bool send_plain_in_turn(Message &message);
    bool recv_plain_in_turn(Message &message);
    bool send_plain_otherwise(Message &message, BiasedLock::Seat &seat);
    bool recv_plain_otherwise(Message &message, BiasedLock::Seat &seat);
    TERN_COLD bool send_plain_unbiased(Message &message);
    TERN_COLD bool recv_plain_unbiased(Message &message);
    void open_way_out();
    void open_way_in();
    // `patience`: see Link::write_out.
    void end_call(Turn &turn, Nanoseconds patience = 0);
    bool may_try_before_sleep() const;
    bool try_before_sleep(Turn &turn);
    Nanoseconds begin_watch();
    Error wait(Turn &turn, const Deadline &deadline, uint64_t changes_seen);
    Error wait_among_others(Turn &turn, const Deadline &deadline, uint64_t changes_seen);
    int look(Turn &turn, int wanted, bool ask_kernel, bool will_wait);
    bool bring_in(Turn &turn, bool will_wait);
    bool comes_rarely();
    bool read_only_link(Turn &turn);
    bool try_reading(Turn &turn, Link &link);
    bool read_listed_links(Turn &turn);
    int collect(Turn &turn, const Deadline &deadline);
    void take_events(Turn &turn, const PollEvent *events, int count);

    // socket_batches.cpp
    void flush_outputs(Turn &turn, Nanoseconds patience = 0);
    void flush_batches(Turn &turn);
    bool must_write_at_once();
    void begin_batch(Link &link);
    void begin_looks();
    bool is_sure_to_return() const;
    void look_at_batches();
    void write_left_behind();

    // socket_bulk.cpp
    void write_due(Turn &turn);

    void unpark();
    void part_with_crowd();

    // socket_borrow.cpp: the set between caller and I/O thread
    void borrow();
    void hand_back();
    void arm_tick();
    void tick();
    void tick_again();
    void note_seen() {
        seen_.store(seen_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    void serve_set();
    bool serve_only_link(Turn &turn);
    void serve_inputs_later();
    void note_read(Link &link);
    void look_after_uncut();
    void cut_for_caller(Turn &turn);
    void serve_listed_links(Turn &turn);
    std::shared_ptr<Link> find_link(uint64_t id);
    void list_for_input(Link &link);
    void forget_link(Link &link);

    // socket_pipes.cpp: pipes come and go
    void take_news();
    void settle();
    void end_connection(Link &link, int linger_ms);
    void read_to_the_end(Pipe &pipe);
    void adopt(Pipe &pipe);
    void attach(Pipe &pipe);
    void stop_writing(Pipe &pipe);
    void name_peer(Pipe &pipe, const std::string &routing_id);
    void detach(Pipe &pipe);
    void let_go(Pipe &pipe);
    void apply_hwm();
    void set_hwm(Pipe &pipe);
    void finish_if_done();
    void leave_context();

    // socket_endpoints.cpp
    Error bind_inproc(Endpoint endpoint);
    Error connect_inproc(Endpoint endpoint, uint32_t *peer);
    bool unbind_inproc(const std::string &text);
    Error open_carrier(const Endpoint &endpoint, bool binds);
    void close_carrier(Carrier &carrier, int linger_ms);
    Error choose_loop();
    InprocSide inproc_side();
    Error get_live_option(int option, void *value, size_t *size);
    std::shared_ptr<const LinkOptions> snapshot();

    Context &context_;
    const int type_;
    const ForkGuard fork_guard_;
    BiasedLock turn_;
    Mailbox *mailbox_ = nullptr;
    std::atomic<bool> terminated_{false};

    // ---- everything below is under the turn
    SharedOptions options_;
    std::unique_ptr<Pattern> pattern_;
    std::vector<Pipe *> pipes_;
    std::vector<Pipe *> drained_;
    std::vector<Pipe *> unwanted_;
    int late_releases_ = 0; // pipes let go while they were still in the mailbox
    bool closed_ = false;
    bool finished_ = false;

    // Counts what the pattern was told, and whatever else decides where messages go. A caller that has
    // asked the pattern in vain notes it, because the turn is given up for system calls before the
    // sleep is announced.
    uint64_t changes_ = 0;
    uint64_t changes_looked_at_ = 0; // by a program that asked for events
    // The short way of a plain message: open while nothing has changed since the pattern was asked, and
    // while what the link has read is the next thing to be received.
    struct ShortWay {
        Pipe *pipe = nullptr;      // null: closed
        OutBatch *batch = nullptr; // out, to a link
        Link *link = nullptr;      // in, from a link
        Pattern *filter = nullptr; // is asked about each message from it
    };
    ShortWay way_out_;
    ShortWay way_in_;
    bool receiving_more_ = false;
    bool received_since_write_ = false; // a request-reply rhythm: the next message is awaited
    bool sends_quickly_ = false;        // answers that were to follow each other soon did so
    int returns_in_row_ = 0;            // batches that the caller has come back for
    bool fd_is_out_ = false;            // ZMQ_FD was asked for: the application waits by itself
    bool is_parked_ = false;
    uint32_t crowd_index_ = 0;
    std::shared_ptr<PollCrowd> crowd_;
    bool borrows_ = true;               // callers wait on the set; else the I/O thread reads

    std::string last_endpoint_;
    uint64_t next_endpoint_id_ = 1;
    std::vector<Bound> bound_; // in the order of their ids
    std::vector<Connected> connected_;
    std::shared_ptr<Monitor> monitor_;
    std::map<uint64_t, std::shared_ptr<void>> working_; // endpoints that have not finished

    Loop *loop_ = nullptr;
    static constexpr uint64_t waker_id = UINT64_MAX; // the mailbox's, in the set
    static constexpr int set_events_max = 64;
    Poller set_;
    bool set_failed_ = false;
    SetHandler set_handler_{*this};
    Loop::WatchId set_watch_ = 0;
    bool borrowed_ = false;
    bool waiting_ = false;
    bool tick_armed_ = false;
    std::atomic<uint64_t> seen_{0}; // how often the caller has come for input
    uint64_t seen_at_tick_ = 0;     // of the I/O thread, as is idle_ticks_
    int idle_ticks_ = 0;
    AwakeTry news_try_{AwakeTry::usual, 15};
    AwakeTry reading_try_{100 * ns_per_us, 31};
    Nanoseconds last_unborrowed_ns_ = 0; // when a caller came to the set without having it

    std::vector<LinkSlot> link_slots_;
    std::vector<uint32_t> free_link_slots_;
    size_t links_up_ = 0;
    Link *only_link_ = nullptr;
    int blocked_links_ = 0;
    Ring<Link *> outputs_;
    Ring<Link *> inputs_;
    std::vector<uint32_t> read_by_caller_; // slots of links that may hold what a caller has read and not cut
    // Links whose batch grows. The I/O thread looks at them in passing; it takes the turn for that
    // only if it has to.
    Ring<Link *> batches_;
    std::atomic<size_t> batches_listed_{0};
    // From one look to the next: the round's number, how many listed links wrote in it, and how many of
    // these had not in the round before. Callers count under the turn; the I/O thread, without it,
    // begins the next round.
    struct Round {
        uint32_t number = 2;
        uint16_t writers = 0;
        uint16_t new_writers = 0;
    };
    std::atomic<Round> round_{Round()};
    std::atomic<uint64_t> batches_flushed_{0}; // batches that their caller has come back for
    uint16_t writers_before_ = 0;              // the I/O thread's, as the next two
    uint64_t batches_flushed_seen_ = 0;
    static constexpr Nanoseconds look_again_after = 50 * ns_per_us;
    Nanoseconds look_interval_ = look_again_after; // before the next look
    bool look_is_due_ = false;
    int quiet_looks_ = 0; // in a row
    Nanoseconds last_write_ns_ = 0;
};

} // namespace tern

#endif
