#include "link/norm_medium.hpp"

#include <algorithm>
#include <zmq.h>

namespace tern {

namespace {
// So long a sender that has nothing more to send stays, for those who have missed something.
constexpr int norm_repair_ms = 1000;
constexpr size_t norm_segment_max = UINT16_MAX;
} // namespace

bool NormMedium::sends(int socket_type) {
    return socket_type == ZMQ_PUB || socket_type == ZMQ_XPUB;
}

Result<std::unique_ptr<Medium>> NormMedium::open(std::string_view address,
                                                 const LinkOptions &options) {
    auto session = NormSession::open(address, options.transport, sends(options.socket_type));
    if (!session) return session.error();
    return std::unique_ptr<Medium>(std::make_unique<NormMedium>(std::move(*session), options));
}

NormMedium::NormMedium(std::unique_ptr<NormSession> session, const LinkOptions &options)
    : session_(std::move(session)), is_sender_(sends(options.socket_type)),
      max_message_size_(options.max_message_size) {}

Error NormMedium::start(Loop &loop, MediumUser &user) {
    loop_ = &loop;
    user_ = &user;
    const auto watch = loop.watch(session_->fd(), *this, ready::read);
    if (!watch) return watch.error();
    watch_ = *watch;
    return err::none;
}

void NormMedium::stop() {
    if (loop_) {
        loop_->unwatch(watch_, session_->fd());
        loop_->cancel_timer(repair_timer_);
    }
    session_.reset();
}

// A sender goes on hearing what becomes of what it has sent.
void NormMedium::pause() {
    if (!is_sender_) (void)loop_->change(watch_, session_->fd(), 0);
}

void NormMedium::resume() { (void)loop_->change(watch_, session_->fd(), ready::read); }

void NormMedium::on_ready(unsigned) {
    if (is_sender_) take_events_of_sender();
    else user_->medium_readable();
}

// ---- out

void NormMedium::send(Message &frame) {
    if (!is_sender_) {
        frame.close();
        return;
    }
    std::swap(*frame_, frame);
    header_size_ = put_norm_header(header_, *frame_, begins_message_);
    begins_message_ = !frame_->has(Message::more);
    header_done_ = body_done_ = 0;
    has_frame_ = true;
    write_on();
}

void NormMedium::write_on() {
    is_flushed_ = false;
    loop_->cancel_timer(repair_timer_);
    session_->begin_writing();
    if (write_piece()) {
        session_->end_frame();
        frame_->close();
        frame_->init();
        has_frame_ = false;
    }
    session_->end_writing();
}

// True when all of the frame is written.
bool NormMedium::write_piece() {
    header_done_ += session_->write(header_ + header_done_, header_size_ - header_done_);
    if (header_done_ < header_size_) return false;
    body_done_ += session_->write(frame_->data() + body_done_, frame_->size() - body_done_);
    return body_done_ == frame_->size();
}

void NormMedium::take_events_of_sender() {
    bool has_news = false;
    for (;;) {
        const NormSession::Event event = session_->next_event();
        if (event.kind == NormSession::Event::Kind::none) break;
        if (event.kind == NormSession::Event::Kind::writable && has_frame_) {
            write_on();
            has_news = !has_frame_;
        } else if (event.kind == NormSession::Event::Kind::sent && !has_frame_ && !is_flushed_) {
            loop_->cancel_timer(repair_timer_);
            repair_timer_ = loop_->add_timer_ms(norm_repair_ms, [this] {
                repair_timer_ = {};
                is_flushed_ = true;
                user_->medium_writable();
            });
        }
    }
    if (has_news) user_->medium_writable();
}

// ---- in

bool NormMedium::receive(Message &frame) {
    while (!is_sender_) {
        if (ready_.take(frame)) return true;
        const NormSession::Event event = session_->next_event();
        if (event.kind == NormSession::Event::Kind::none) return false;
        const bool has_ended = event.kind == NormSession::Event::Kind::stream_ended;
        if (has_ended || event.kind == NormSession::Event::Kind::stream_data)
            read_stream(event.stream);
        if (has_ended) senders_.erase(event.stream);
    }
    return false;
}

// Everything that has come: libnorm tells of more only after that.
void NormMedium::read_stream(NormSession::Stream stream) {
    Sender &sender = senders_.try_emplace(stream, max_message_size_).first->second;
    NormDecoder &decoder = sender.decoder;
    bool wants_start = decoder.wants_start();
    for (;;) {
        if (!skip_bytes(stream, sender)) return;
        if (wants_start && !session_->seek_start(stream)) return;
        const ByteSpace space = decoder.space();
        size_t count = space.size;
        if (!session_->read(stream, space.data, count)) {
            decoder.lose();
            sender.parts.clear();
            wants_start = true;
            continue;
        }
        if (count == 0) return;
        wants_start = false;
        sender.read_since += count;
        switch (decoder.filled(count)) {
        case NormDecoder::Step::need_more: break;
        case NormDecoder::Step::broken:
            sender.parts.clear();
            leave_segment(sender);
            wants_start = true;
            break;
        case NormDecoder::Step::frame: {
            OwnMessage frame;
            decoder.take(*frame);
            ready_.add(sender.parts, std::move(frame));
            break;
        }
        }
    }
}

// libnorm seeks from the beginning of the segment it is in, and so finds the same start again; where a
// segment ends it does not tell. So ever more is skipped before it seeks, until it is out of there, which
// is certain when more was read than a segment holds.
void NormMedium::leave_segment(Sender &sender) {
    if (sender.read_since > norm_segment_max) sender.next_skip = 1;
    sender.skip = sender.next_skip;
    sender.next_skip = std::min(2 * sender.next_skip, norm_segment_max);
    sender.read_since = 0;
}

// False: the rest is still to come.
bool NormMedium::skip_bytes(NormSession::Stream stream, Sender &sender) {
    uint8_t skipped[1024];
    while (sender.skip > 0) {
        size_t count = std::min(sender.skip, sizeof skipped);
        if (!session_->read(stream, skipped, count)) count = sender.skip; // on it goes after what was lost
        if (count == 0) return false;
        sender.skip -= count;
    }
    return true;
}

} // namespace tern
