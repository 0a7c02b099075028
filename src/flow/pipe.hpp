// Pipe: a socket's end of the two-way connection to one peer. The far end is either another socket's
// Pipe (inproc) or a link to a remote peer, which may then take frames straight into its batch and
// hand out frames straight from what it has read.
// Threads: all of it belongs to the holder of the turn of the socket (for an inproc pipe: of the
//          socket whose end this is), except notify(), which the other end calls.
// Owner:   a PipePair holds both ends and both channels; it lives until both ends have let go.
// Limit:   the channels' high water marks.
#ifndef TERN_FLOW_PIPE_HPP
#define TERN_FLOW_PIPE_HPP

#include "flow/channel.hpp"
#include "flow/mailbox.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace tern {

class PipePair;

// What a pipe asks of a link at its far end. Called under the socket's turn; never makes a system call.
class PipeFarEnd {
  public:
    virtual ~PipeFarEnd() = default;
    // Takes the frame into the batch; false when it has to wait in the queue.
    virtual bool take_frame(Message &frame) = 0;
    // Takes a copy of a plain message, between two messages, into a batch that grows. False: nothing
    // was done.
    virtual bool take_copy(const Message &message) = 0;
    // Drops the frames of an unfinished message that take_frame() took.
    virtual void rollback() = 0;
    // Will the next message be taken into the batch?
    virtual bool is_taking() const = 0;
    // Messages that came back from a broken connection, counted like queued ones.
    virtual size_t returned_messages() const = 0;
    // Messages in the batch that is being filled.
    virtual size_t batched_messages() const = 0;
    // Cuts frames out of what was read until a whole message is in the pipe's queue, or, when it has
    // one frame only and nothing is queued before it, into `frame` directly.
    enum class Next { none, direct, queued };
    virtual Next next_message(Message &frame) = 0;
    // The socket's end has queued a message, or has made room for one.
    virtual void message_queued() = 0;
    virtual void room_made() = 0;
    // Nobody reads from the pipe any more: when the peer goes, it does not matter what it has sent.
    virtual void leave_unheard() = 0;
};

class Pipe {
  public:
    enum News : uint8_t {
        attach = 1,   // this end is new to its socket
        readable = 2, // a message is there after there was none
        writable = 4, // there is room after there was none
        ended = 8,    // the other end was closed
        named = 16,   // the other end has got its socket: announced_routing_id is there
        unbound = 64, // this end has no socket yet: news is kept, and posted once it has
        deaf = 128,   // this end was let go: nothing more is posted
    };

    // ---- outbound
    // May a new message begin?
    bool check_write() {
        if (far_) {
            if (far_->is_taking()) return true;
            return out_->can_write(far_->returned_messages());
        }
        return !out_->reader_is_gone() && out_->can_write();
    }
    // So many messages may begin, as far as can be told without a look at the reader.
    size_t room() {
        return far_ ? out_->room(far_->returned_messages() + far_->batched_messages())
                    : out_->room();
    }
    // Takes the frame, which is left empty. After the first frame of a message the others always fit.
    // False only when there is no memory.
    bool write(Message &frame);
    // The same, and waits while there is no memory.
    void write_surely(Message &frame);
    // Writes a copy of a plain message without further ado, if that can be. False: the long way.
    bool write_copy(const Message &message) {
        return far_ && !mid_write_ && far_->take_copy(message);
    }
    // Drops the frames of an unfinished message.
    void rollback();
    // An inproc pipe's short way for a plain message, between two messages. False: the long way.
    bool write_plain(Message &message) {
        bool reader_waits = false;
        if (mid_write_ || out_->reader_is_gone() || !out_->write_whole(message, reader_waits))
            return false;
        if (reader_waits) other_end().notify(readable);
        return true;
    }
    bool is_mid_write() const { return mid_write_; }
    // Drops everything that waits in the queue.
    void discard_outbound();

    // ---- inbound
    // Is a whole message there?
    bool check_read();
    // Takes the next frame into uninitialised memory. False when no whole message is there.
    bool read(Message &frame);
    // An inproc pipe's short way into a plain `message`, between two messages. False: the long way.
    bool read_plain(Message &message) {
        bool writer_waits = false;
        if (has_next_ || mid_read_ || !in_->read_plain(message, writer_waits)) return false;
        if (writer_waits) other_end().notify(writable);
        return true;
    }
    bool has_next() const { return has_next_; }
    // No message will come any more and all were read.
    bool is_drained() { return in_->has_ended() && !check_read() && !append_farewell(); }
    bool has_ended() const { return in_->has_ended(); }
    bool is_mid_read() const { return mid_read_; }

    // ---- identity of the peer, for ROUTER, REP and STREAM
    const std::string &peer_routing_id() const { return peer_routing_id_; }
    void set_peer_routing_id(std::string id) { peer_routing_id_ = std::move(id); }
    // Of a binder, which says it before it posts `named` to the other end; read there afterwards.
    std::string announced_routing_id() const { return announced_ ? *announced_ : std::string(); }
    void announce_routing_id(const std::string &id) {
        if (!id.empty()) announced_ = std::make_unique<const std::string>(id);
    }
    // A message that the reader of this end finds behind the peer's last one; "" for none.
    void set_farewell(const std::string &message) {
        if (!message.empty()) farewell_ = std::make_unique<const std::string>(message);
    }
    // REQUIRES: has_ended(), so that nobody else writes there. False: there is none, or not any more.
    bool append_farewell();
    // False until a peer that names itself has been heard (a connection that is not up yet).
    bool is_identified() const { return identified_; }
    void set_identified(bool identified) { identified_ = identified; }
    bool is_connected_side() const { return connected_side_; }
    void set_connected_side(bool connected) { connected_side_ = connected; }
    // The other end never says what it wants, and is sent everything (packets without peers).
    bool takes_everything() const { return takes_everything_; }
    void set_takes_everything() { takes_everything_ = true; }

    // ---- life
    inline Pipe &other_end() const;
    Channel &outbound() { return *out_; }
    Channel &inbound() { return *in_; }
    void set_far_end(PipeFarEnd *far) { far_ = far; }
    PipeFarEnd *far_end() const { return far_; }
    void set_mailbox(Mailbox *mailbox);
    Mailbox *mailbox() const { return mailbox_; }
    // For an inproc end that waits for its binder: news is kept until give_to().
    void hold_news() { news_.store(unbound, std::memory_order_relaxed); }
    // Gives a held end to a socket, which finds it among its news.
    void give_to(Mailbox *mailbox);
    // Tells this end's socket; called by the other end. The bits stay until taken.
    void notify(uint8_t news);
    // `deaf` stays: an end that was let go is never posted again.
    uint8_t take_news() { return news_.fetch_and(deaf, std::memory_order_acq_rel); }
    // Nothing is posted any more. True when this end is, or is about to be, in its mailbox.
    bool deafen() { return (news_.fetch_or(deaf, std::memory_order_acq_rel) & ~deaf) != 0; }
    // Ends both directions and tells the other end; unread messages of ours stay readable there.
    void close();
    // Lets go of the pair. The object may be gone afterwards.
    void release();

    // For the pattern: whatever it wants to note about this pipe.
    struct PatternNote {
        uint64_t number = 0;
        uint32_t balance_index = 0;
        uint32_t index = 0;
        bool in_fair_queue = false;
        bool in_load_balance = false;
        bool flag = false;
    } note;
    // For the socket.
    bool writing_stopped = false;
    bool drained = false;
    bool unheard = false;
    uint32_t socket_index = 0;
    uint64_t endpoint_id = 0; // of an inproc connect, or a carrier

    Pipe *next_news = nullptr;

  private:
    friend class PipePair;
    Pipe() = default;
    bool has_queued();
    Channel *out_ = nullptr;
    Channel *in_ = nullptr;
    PipePair *pair_ = nullptr;
    PipeFarEnd *far_ = nullptr;
    Mailbox *mailbox_ = nullptr;
    std::atomic<uint8_t> news_{0};
    bool mid_write_ = false;
    bool mid_read_ = false;
    bool write_queued_ = false; // the message being written goes to the queue, not to the batch
    bool has_next_ = false;     // a message was taken from the link and not yet handed out: next_
    bool identified_ = true;
    bool connected_side_ = false;
    bool takes_everything_ = false;
    std::unique_ptr<Message> next_; // made when it is needed first
    std::string peer_routing_id_;
    std::unique_ptr<const std::string> announced_;
    std::unique_ptr<const std::string> farewell_;
};

// The shared part of a pipe. Freed when both ends have let go.
class PipePair {
  public:
    // `crossing`: the two ends belong to two sockets with a turn each. Null when out of memory.
    static PipePair *create(bool crossing);
    Pipe &near_end() { return ends_[0]; }
    Pipe &far_end() { return ends_[1]; }

  private:
    friend class Pipe;
    explicit PipePair(bool crossing);
    ~PipePair();
    Channel channels_[2];
    Pipe ends_[2];
    std::atomic<uint32_t> references_{2};
};

inline Pipe &Pipe::other_end() const {
    return pair_->ends_[this == &pair_->ends_[0] ? 1 : 0];
}

} // namespace tern

#endif
