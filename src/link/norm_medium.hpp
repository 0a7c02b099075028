// NormMedium: PUB and XPUB into a stream over NORM, SUB and XSUB out of the streams of all senders.
// Subscriptions do not reach a sender: what is given to a receiver is dropped.
//
// Threads: open() on the caller of bind or connect; everything else on the I/O thread.
// Owner:   a Carrier.
// Limit:   out, one frame beyond libnorm's buffer; in, the frames of a message that has begun to
//          arrive, for each sender.
#ifndef TERN_LINK_NORM_MEDIUM_HPP
#define TERN_LINK_NORM_MEDIUM_HPP

#include "link/medium.hpp"
#include "link/whole_messages.hpp"
#include "protocol/norm_stream.hpp"
#include "transport/norm.hpp"

#include <map>

namespace tern {

class NormMedium final : public Medium, public EventHandler {
  public:
    static Result<std::unique_ptr<Medium>> open(std::string_view address,
                                                const LinkOptions &options);
    NormMedium(std::unique_ptr<NormSession> session, const LinkOptions &options);

    Error start(Loop &loop, MediumUser &user) override;
    void stop() override;
    bool can_send() const override { return !has_frame_; }
    void send(Message &frame) override;
    void flush() override {}
    bool is_flushed() const override { return is_flushed_; }
    bool receive(Message &frame) override;
    void pause() override;
    void end_input(Loop &) override {}
    void resume() override;

    void on_ready(unsigned bits) override;

  private:
    struct Sender {
        explicit Sender(int64_t max_message_size) : decoder(max_message_size) {}
        NormDecoder decoder;
        WholeMessages::Parts parts;
        // Behind a frame that can not be: see leave_segment().
        size_t skip = 0;
        size_t next_skip = 1;
        size_t read_since = 0;
    };
    static bool sends(int socket_type);
    void write_on();
    bool write_piece();
    void take_events_of_sender();
    void read_stream(NormSession::Stream stream);
    static void leave_segment(Sender &sender);
    bool skip_bytes(NormSession::Stream stream, Sender &sender);

    std::unique_ptr<NormSession> session_;
    const bool is_sender_;
    const int64_t max_message_size_;
    Loop *loop_ = nullptr;
    MediumUser *user_ = nullptr;
    Loop::WatchId watch_ = 0;

    // Out.
    OwnMessage frame_; // being written
    bool has_frame_ = false;
    uint8_t header_[norm_header_max];
    size_t header_size_ = 0;
    size_t header_done_ = 0;
    size_t body_done_ = 0;
    bool begins_message_ = true;
    bool is_flushed_ = true;
    Loop::TimerId repair_timer_; // until then receivers may ask for what they have missed

    // In.
    std::map<NormSession::Stream, Sender> senders_;
    WholeMessages ready_;
};

} // namespace tern

#endif
